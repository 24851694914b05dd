package review

import (
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"hedgehog-gitops/render/hedgehog"
)

// claim is something that only one object of a fabric can have: while one has it,
// the cluster refuses it to another.
type claim struct {
	kind claimKind
	what string
}

// claimKind is what is claimed.
type claimKind string

const (
	claimPort     claimKind = "port"
	claimASN      claimKind = "ASN"
	claimAddress  claimKind = "address"
	claimMAC      claimKind = "MAC"
	claimSerial   claimKind = "serial number"
	claimVLAN     claimKind = "VLAN"
	claimNetwork  claimKind = "network"
	claimTag      claimKind = "VLAN on a port"
	claimUntagged claimKind = "native VLAN of"
)

// claims returns what an object claims, with the part of it that does: a subnet,
// or empty.
func claims(o *hedgehog.Object) map[claim]string {
	found := map[claim]string{}
	add := func(kind claimKind, what, part string) {
		if what != "" {
			found[claim{kind, what}] = part
		}
	}
	address := func(text string) {
		if prefix, err := netip.ParsePrefix(text); err == nil {
			text = prefix.Addr().String()
		}
		add(claimAddress, text, "")
	}
	switch spec := o.Spec.(type) {
	case *hedgehog.SwitchSpec:
		if spec.Role != "spine" && spec.ASN != 0 { // spines share theirs
			add(claimASN, strconv.FormatUint(uint64(spec.ASN), 10), "")
		}
		for _, ip := range []string{spec.IP, spec.ProtocolIP, spec.VTEPIP} {
			address(ip)
		}
		add(claimMAC, spec.Boot.MAC, "")
		add(claimSerial, spec.Boot.Serial, "")
	case *hedgehog.GatewaySpec:
		address(spec.ProtocolIP)
		address(spec.VTEPIP)
		add(claimMAC, spec.VTEPMAC, "")
	case *hedgehog.ConnectionSpec:
		for _, l := range linksOf(spec) {
			add(claimPort, firstLane(string(l.near)), "")
			add(claimPort, firstLane(string(l.far)), "")
		}
		for _, ip := range linkAddresses(spec) {
			address(ip)
		}
	case *hedgehog.VPCSpec:
		for name, subnet := range spec.Subnets {
			if subnet == nil {
				continue
			}
			if subnet.VLAN != 0 {
				add(claimVLAN, spec.VLANNamespace+" "+strconv.Itoa(int(subnet.VLAN)), name)
			}
			if prefix, err := netip.ParsePrefix(subnet.Subnet); err == nil {
				add(claimNetwork, spec.IPv4Namespace+" "+prefix.Masked().String(), name)
			}
		}
	case *hedgehog.VPCAttachmentSpec:
		add(claimTag, spec.Connection+" "+spec.Subnet, "")
		if spec.NativeVLAN {
			add(claimUntagged, spec.Connection, "")
		}
	case *hedgehog.ExternalAttachmentSpec:
		vlan := spec.Switch.VLAN
		if spec.Static != nil {
			vlan = spec.Static.VLAN
		}
		add(claimTag, spec.Connection+" "+strconv.Itoa(int(vlan)), "")
	}
	return found
}

// firstLane returns leaf-1/E1/1 for leaf-1/E1/1/1: they are one port.
func firstLane(port string) string {
	if whole, ok := wholePort(port); ok && port[len(whole):] == "/1" {
		return whole
	}
	return port
}

// linkAddresses returns the addresses of a connection's links.
func linkAddresses(spec *hedgehog.ConnectionSpec) []string {
	var ips []string
	if spec.Fabric != nil {
		for _, l := range spec.Fabric.Links {
			ips = append(ips, l.Spine.IP, l.Leaf.IP)
		}
	}
	if spec.Mesh != nil {
		for _, l := range spec.Mesh.Links {
			ips = append(ips, l.Leaf1.IP, l.Leaf2.IP)
		}
	}
	if spec.Gateway != nil {
		for _, l := range spec.Gateway.Links {
			ips = append(ips, l.Switch.IP, l.Gateway.IP)
		}
	}
	return ips
}

// judgeTakeovers finds what one object gives up and another gets. The cluster
// refuses the second while the first still has it.
func (d *differ) judgeTakeovers() {
	owners := map[claim]*draft{} // of what is given up
	parts := map[claim]string{}
	for _, dr := range d.drafts {
		if dr.Before == nil {
			continue
		}
		var kept map[claim]string
		if dr.After != nil {
			kept = claims(dr.After)
		}
		for c, part := range claims(dr.Before) {
			if _, ok := kept[c]; !ok {
				owners[c], parts[c] = dr, part
			}
		}
	}
	wide := d.networks(owners)
	for _, dr := range d.drafts {
		if dr.After == nil {
			continue
		}
		var had map[claim]string
		if dr.Before != nil {
			had = claims(dr.Before)
		}
		taken := map[hedgehog.Key][]claim{}
		mine := claims(dr.After)
		wider := map[claim]string{} // networks of others that overlap with a subnet
		for c := range mine {
			if _, ok := had[c]; ok {
				continue
			}
			if owner := owners[c]; owner != nil && owner != dr {
				taken[owner.Key] = append(taken[owner.Key], c)
			} else if c.kind == claimNetwork && owner == nil {
				for _, other := range wide.overlapping(c) {
					if owner := owners[other]; owner != dr {
						taken[owner.Key] = append(taken[owner.Key], other)
						wider[other] = mine[c]
					}
				}
			}
		}
		maps.Copy(mine, wider)
		for _, owner := range slices.SortedFunc(maps.Keys(taken), hedgehog.Key.Compare) {
			d.takeover(dr, d.of[owner], taken[owner], mine, parts)
		}
	}
}

// takeover says that an object takes something over from another.
func (d *differ) takeover(to, from *draft, taken []claim, mine, parts map[claim]string) {
	if to.Class == ChangeInPlace {
		to.Class = Replace
	}
	if d.renamedTo[from.Key] == to.Key.Name && from.Key.Kind == to.Key.Kind {
		return // told as a renaming
	}
	slices.SortFunc(taken, func(a, b claim) int {
		return strings.Compare(string(a.kind)+a.what, string(b.kind)+b.what)
	})
	if from.Key.Kind == hedgehog.KindConnection && to.Key.Kind == hedgehog.KindConnection {
		if from.Class == Delete {
			d.successors[from.Key.Name] = append(d.successors[from.Key.Name], to.Key.Name)
		}
		return // told with the links
	}
	var what []Words
	for _, c := range taken {
		switch c.kind {
		case claimVLAN, claimNetwork:
			_, value, _ := cutLast(c.what)
			text := say(string(c.kind)+" ", name(value), " of ", name(from.Key.Name+"/"+parts[c]))
			if part := mine[c]; part != "" {
				text = say(text, " (for ", name(to.Key.Name+"/"+part), ")")
			}
			what = append(what, text)
		case claimTag:
			what = append(what, say("the place of ", name(from.Key.Name)))
		default:
			what = append(what, say(string(c.kind)+" ", name(c.what), " of ", name(from.Key.Name)))
		}
	}
	risk := High
	switch to.Key.Kind {
	case hedgehog.KindVPCAttachment, hedgehog.KindExternalAttachment:
		risk = Low // what happens to who is behind it is told
	}
	d.because(to.Key, Reason{
		Rule: "takeover " + string(to.Key.Kind), Risk: risk,
		Says: say(object(to.Key), " takes over ", and(what[:min(3, len(what))], ", "), ": the cluster refuses it while the other has it"),
		many: plural(noun(to.Key.Kind)) + " take over what others have",
	})
}

// networkClaims finds networks that overlap.
type networkClaims struct {
	// exact are the networks that are given up, by namespace and network; around
	// has every network around one of them.
	exact, around map[string][]claim
}

func (d *differ) networks(owners map[claim]*draft) networkClaims {
	n := networkClaims{map[string][]claim{}, map[string][]claim{}}
	add := func(to map[string][]claim, key string, c claim) {
		if len(to[key]) < mostOverlaps {
			to[key] = append(to[key], c)
		}
	}
	for _, c := range slices.SortedFunc(maps.Keys(owners), func(a, b claim) int { return strings.Compare(a.what, b.what) }) {
		if c.kind != claimNetwork {
			continue
		}
		namespace, text, _ := cutLast(c.what)
		prefix := netip.MustParsePrefix(text)
		add(n.exact, c.what, c)
		for bits := range prefix.Bits() {
			wider, _ := prefix.Addr().Prefix(bits)
			add(n.around, namespace+" "+wider.String(), c)
		}
	}
	return n
}

// mostOverlaps is how many networks are told that one overlaps with.
const mostOverlaps = 3

// overlapping returns some of the networks that are given up and overlap with one
// that is claimed.
func (n networkClaims) overlapping(c claim) []claim {
	found := slices.Clone(n.around[c.what])
	namespace, text, _ := cutLast(c.what)
	prefix := netip.MustParsePrefix(text)
	for bits := range prefix.Bits() {
		wider, _ := prefix.Addr().Prefix(bits)
		found = append(found, n.exact[namespace+" "+wider.String()]...)
	}
	slices.SortFunc(found, func(a, b claim) int { return strings.Compare(a.what, b.what) })
	return found[:min(mostOverlaps, len(found))]
}
