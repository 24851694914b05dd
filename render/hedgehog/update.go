package hedgehog

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// ValidateUpdate returns everything for which a cluster that has one fabric
// would refuse to become the other in one step, though both are right by
// themselves: what never changes under a name, what a change must not take from
// others, and what must not go while others need it. It says nothing of what
// [Validate] says of after. Sorted.
//
// A cluster judges objects one by one, against what it holds at that moment;
// controllers create and change everything before they delete anything. The
// rules are those of the fabric's webhooks of release 26.03.
func ValidateUpdate(before, after *Fabric, settings Settings) Issues {
	u := &updater{validator{fabric: after, settings: settings, rules: rulesByID(updateTable())}, before}
	u.immutable()
	u.shrunk()
	u.deleted()
	u.taken()
	u.created()
	u.issues.Sort()
	return u.issues
}

// updater is one run of [ValidateUpdate]: the validator is of the fabric after.
type updater struct {
	validator
	before *Fabric
}

// updateTable is the table of the rules of updates; it never changes.
var updateTable = sync.OnceValue(func() []Rule {
	rule := func(id, fields, summary, hint string) Rule {
		return Rule{ID: id, Severity: Error, Fields: strings.Split(fields, ", "), Summary: summary, Hint: hint}
	}
	warning := rule("update-vpc-vni", "VPC metadata.name", "a VPC that is created while another is deleted may get its VNI, which its switches still use", "delete the one first, and create the other when the switches are done")
	warning.Severity = Warning
	return []Rule{
		rule("update-connection-type", "Connection spec", "a connection keeps its type", "give the new connection another name, and delete the old one before it is created"),
		rule("update-within-vpc", "Connection spec.staticExternal.withinVPC", "a static external stays within its VPC", "give the new connection another name, and delete the old one before it is created"),
		rule("update-roce-breakouts", "Switch spec.portBreakouts", "breakouts stay as they are while RoCE is on, and when it is switched on or off", "change RoCE and the breakouts one after the other, with RoCE off in between"),
		rule("update-ipv4-namespace", "IPv4Namespace spec.subnets", "an IPv4 namespace keeps the networks in which the cluster has subnets of VPCs", "move or delete these VPCs first, and shrink the namespace when they are gone"),
		rule("update-vlan-namespace", "VLANNamespace spec.ranges", "a VLAN namespace keeps the VLANs that the cluster's VPCs have; the cluster looks at the VPCs whose IPv4 namespace has the same name", "move or delete these VPCs first, and change the namespace when they are gone"),
		rule("update-delete-used", "* metadata.name", "an object goes after those that use it", "delete those that use it, or make them use another"),
		rule("update-taken", "* metadata.name", "what one object gives up is free for another once the cluster has applied that", "let the one give it up first, and give it to the other in a second step"),
		rule("update-vpc-recreated", "VPC spec.subnets.*", "a VPC is not deleted and created under another name in one step: the cluster refuses the new one until the old one is gone, and may give it the old one's VNI, which its switches still use", "keep the name; or delete the old VPC first, and create the new one when the switches are done"),
		warning,
	}
})

// immutable judges what never changes under a name.
func (u *updater) immutable() {
	for o, is := range Each[*ConnectionSpec](u.fabric) {
		was := spec[*ConnectionSpec](&validator{fabric: u.before}, KindConnection, o.Name)
		if was == nil {
			continue
		}
		if from, to := was.Type(), is.Type(); from != to {
			u.report("update-connection-type", o, "spec", "%s becomes %s", from, to)
		} else if was.StaticExternal != nil && is.StaticExternal != nil && was.StaticExternal.WithinVPC != is.StaticExternal.WithinVPC {
			u.report("update-within-vpc", o, "spec.staticExternal.withinVPC", "%s becomes %s", orNone(was.StaticExternal.WithinVPC), orNone(is.StaticExternal.WithinVPC))
		}
	}
	for o, is := range Each[*SwitchSpec](u.fabric) {
		was := spec[*SwitchSpec](&validator{fabric: u.before}, KindSwitch, o.Name)
		if was == nil || !was.RoCE && !is.RoCE || maps.Equal(was.PortBreakouts, is.PortBreakouts) {
			continue
		}
		var ports []string
		for port := range maps.Keys(was.PortBreakouts) {
			if is.PortBreakouts[port] != was.PortBreakouts[port] {
				ports = append(ports, port)
			}
		}
		for port := range maps.Keys(is.PortBreakouts) {
			if _, ok := was.PortBreakouts[port]; !ok {
				ports = append(ports, port)
			}
		}
		u.report("update-roce-breakouts", o, "spec.portBreakouts", "the breakout of %s changes", few(ports))
	}
}

// Type returns what the manifest calls the connection's type: unbundled, eslag,
// vpcLoopback ...; none when it has none. Of several it is the one that the
// cluster looks at.
func (s *ConnectionSpec) Type() string {
	for _, t := range []struct {
		name string
		is   bool
	}{
		{"unbundled", s.Unbundled != nil}, {"bundled", s.Bundled != nil}, {"mclag", s.MCLAG != nil}, {"eslag", s.ESLAG != nil}, {"mclagDomain", s.MCLAGDomain != nil},
		{"fabric", s.Fabric != nil}, {"mesh", s.Mesh != nil}, {"gateway", s.Gateway != nil}, {"vpcLoopback", s.VPCLoopback != nil}, {"external", s.External != nil},
		{"staticExternal", s.StaticExternal != nil},
	} {
		if t.is {
			return t.name
		}
	}
	return "none"
}

func orNone(name string) string {
	if name == "" {
		return "none"
	}
	return name
}

// few names some of a list.
func few(names []string) string {
	names = slices.Compact(slices.Sorted(slices.Values(names)))
	const most = 3
	if len(names) > most {
		return strings.Join(names[:most], ", ") + fmt.Sprintf(" and %d more", len(names)-most)
	}
	return strings.Join(names, ", ")
}

// shrunk judges namespaces against the VPCs that the cluster has.
func (u *updater) shrunk() {
	byIPv4, byVLAN := map[string][]*Object{}, map[string][]*Object{}
	for o, s := range Each[*VPCSpec](u.before) {
		byIPv4[orDefault(s.IPv4Namespace)] = append(byIPv4[orDefault(s.IPv4Namespace)], o)
		byVLAN[orDefault(s.VLANNamespace)] = append(byVLAN[orDefault(s.VLANNamespace)], o)
	}
	for o, is := range Each[*IPv4NamespaceSpec](u.fabric) {
		was := spec[*IPv4NamespaceSpec](&validator{fabric: u.before}, KindIPv4Namespace, o.Name)
		if was == nil || slices.Equal(slices.Sorted(slices.Values(was.Subnets)), slices.Sorted(slices.Values(is.Subnets))) {
			continue
		}
		var pools []netip.Prefix
		for _, text := range is.Subnets {
			if p, ok := masked(text); ok {
				pools = append(pools, p)
			}
		}
		var out []string
		for _, vpc := range byIPv4[o.Name] {
			for name, subnet := range vpc.Spec.(*VPCSpec).Subnets {
				if p, ok := subnet.network(); ok && !within(p, pools) {
					out = append(out, vpc.Name+"/"+name+" ("+p.String()+")")
				}
			}
		}
		if len(out) > 0 {
			u.report("update-ipv4-namespace", o, "spec.subnets", "the cluster has %s", few(out))
		}
	}
	for o, is := range Each[*VLANNamespaceSpec](u.fabric) {
		was := spec[*VLANNamespaceSpec](&validator{fabric: u.before}, KindVLANNamespace, o.Name)
		if was == nil || slices.EqualFunc(was.Ranges, is.Ranges, func(a, b VLANRange) bool { return a.From == b.From && a.last() == b.last() }) {
			continue
		}
		var out []string
		outside := func(vpc *Object) {
			for name, subnet := range vpc.Spec.(*VPCSpec).Subnets {
				if subnet != nil && !is.has(subnet.VLAN) {
					out = append(out, vpc.Name+"/"+name+" (VLAN "+strconv.Itoa(int(subnet.VLAN))+")")
				}
			}
		}
		for _, vpc := range byIPv4[o.Name] {
			outside(vpc)
		}
		for _, vpc := range byVLAN[o.Name] {
			// These the cluster forgets to look at, which then have a VLAN of nowhere.
			if now := u.fabric.Get(KindVPC, vpc.Name); now != nil && orDefault(vpc.Spec.(*VPCSpec).IPv4Namespace) != o.Name {
				if s, ok := now.Spec.(*VPCSpec); ok && orDefault(s.VLANNamespace) == o.Name {
					for name, subnet := range s.Subnets {
						if subnet != nil && subnet.VLAN != 0 && !is.has(subnet.VLAN) {
							out = append(out, now.Name+"/"+name+" (VLAN "+strconv.Itoa(int(subnet.VLAN))+")")
						}
					}
				}
			}
		}
		if len(out) > 0 {
			u.report("update-vlan-namespace", o, "spec.ranges", "the cluster has %s", few(out))
		}
	}
}

// network returns the subnet's network.
func (s *VPCSubnet) network() (netip.Prefix, bool) {
	if s == nil {
		return netip.Prefix{}, false
	}
	return masked(s.Subnet)
}

// has reports whether a VLAN is in the namespace.
func (s *VLANNamespaceSpec) has(vlan uint16) bool {
	return slices.ContainsFunc(s.Ranges, func(r VLANRange) bool { return r.From <= vlan && vlan <= r.last() })
}

// deleted judges what goes against those that stay and use it. Those that go as
// well go in their turn: what is refused then is deleted on the next attempt.
func (u *updater) deleted() {
	gone := map[Key][]string{}
	for o := range u.before.All() {
		if protected(o.Kind) && u.fabric.Get(o.Kind, o.Name) == nil {
			gone[o.Key()] = nil
		}
	}
	if len(gone) == 0 {
		return
	}
	for o := range u.fabric.All() {
		for _, key := range uses(o) {
			if by, ok := gone[key]; ok {
				gone[key] = append(by, other(o))
			}
		}
	}
	for _, key := range slices.SortedFunc(maps.Keys(gone), Key.Compare) {
		if by := gone[key]; len(by) > 0 {
			u.report("update-delete-used", u.before.Get(key.Kind, key.Name), "metadata.name", "%s goes while %s stays", key, few(by))
		}
	}
}

// protected reports whether the cluster refuses to delete objects of the kind that
// others use. Of the other kinds it lets them go, and what used them is wrong then.
func protected(kind Kind) bool {
	switch kind {
	case KindVLANNamespace, KindIPv4Namespace, KindSwitch, KindServer, KindConnection, KindVPC, KindExternal:
		return true
	}
	return false
}

// uses returns the objects without which an object cannot be, of the kinds that
// are protected.
func uses(o *Object) []Key {
	var keys []Key
	add := func(kind Kind, name string) {
		if key := (Key{Kind: kind, Name: name}); name != "" && !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	switch s := o.Spec.(type) {
	case *SwitchSpec:
		for _, name := range s.VLANNamespaces {
			add(KindVLANNamespace, name)
		}
		if len(s.VLANNamespaces) == 0 {
			add(KindVLANNamespace, "default")
		}
	case *VPCSpec:
		add(KindIPv4Namespace, orDefault(s.IPv4Namespace))
		add(KindVLANNamespace, orDefault(s.VLANNamespace))
	case *ExternalSpec:
		add(KindIPv4Namespace, orDefault(s.IPv4Namespace))
	case *ConnectionSpec:
		for _, l := range s.links() {
			for i, end := range l.ends {
				switch l.names[i] {
				case "server":
					add(KindServer, end.Port.Device())
				case "gateway":
				default:
					add(KindSwitch, end.Port.Device())
				}
			}
		}
		if s.StaticExternal != nil {
			add(KindVPC, s.StaticExternal.WithinVPC)
		}
	case *VPCAttachmentSpec:
		vpc, _, _ := strings.Cut(s.Subnet, "/")
		add(KindVPC, vpc)
		add(KindConnection, s.Connection)
	case *ExternalAttachmentSpec:
		add(KindExternal, s.External)
		add(KindConnection, s.Connection)
	case *VPCPeeringSpec:
		for _, permit := range s.Permit {
			for name := range permit {
				add(KindVPC, name)
			}
		}
	case *ExternalPeeringSpec:
		add(KindVPC, s.Permit.VPC.Name)
		add(KindExternal, s.Permit.External.Name)
	}
	return keys
}

// taken judges what one object gives up and another gets at once: the cluster
// refuses the second while the first has it, and with it all that is applied in
// one go with it.
func (u *updater) taken() {
	given, got := map[Claim]*Object{}, []taking{}
	networks := map[string][]claim{} // of VPCs, by namespace
	for o := range u.before.All() {
		now := u.fabric.Get(o.Kind, o.Name)
		if now != nil && reflect.DeepEqual(o.Spec, now.Spec) {
			continue
		}
		for c, field := range newClaims(now, o) {
			given[c] = o
			networks = u.network(networks, c, o, field)
		}
	}
	if len(given) == 0 {
		return
	}
	for o := range u.fabric.All() {
		was := u.before.Get(o.Kind, o.Name)
		if was != nil && reflect.DeepEqual(o.Spec, was.Spec) {
			continue
		}
		for c, field := range newClaims(was, o) {
			if c.Kind == ClaimNetwork {
				networks = u.network(networks, c, o, field)
			} else if from := given[c]; from != nil {
				got = append(got, taking{o, from, c.String(), field})
			}
		}
	}
	for _, all := range networks {
		overlaps(all, func(c, in claim) {
			if u.isAfter(c.object) == u.isAfter(in.object) {
				return
			}
			if u.isAfter(in.object) {
				c, in = in, c
			}
			got = append(got, taking{c.object, in.object, "network " + in.prefix.String(), c.field})
		})
	}
	u.tellTaken(got)
}

// created warns of VPCs that are created while others are deleted, but for those of
// which more was said.
func (u *updater) created() {
	var gone []string
	for o := range Each[*VPCSpec](u.before) {
		if u.fabric.Get(KindVPC, o.Name) == nil {
			gone = append(gone, o.Name)
		}
	}
	if len(gone) == 0 {
		return
	}
	told := map[Key]bool{}
	for _, i := range u.issues {
		told[i.Object] = told[i.Object] || i.Rule == "update-vpc-recreated"
	}
	names := few(gone)
	for o := range Each[*VPCSpec](u.fabric) {
		if u.before.Get(KindVPC, o.Name) == nil && !told[o.Key()] {
			u.report("update-vpc-vni", o, "metadata.name", "%s is deleted in the same step", names)
		}
	}
}

// taking is what one object gets from another.
type taking struct {
	to, from    *Object
	what, field string
}

// newClaims returns what an object claims that another, which may be nil, does not,
// and for which the cluster asks. It does not compare MACs and serial numbers.
func newClaims(without, o *Object) map[Claim]string {
	found := Claims(o)
	maps.DeleteFunc(found, func(c Claim, _ string) bool { return c.Kind == ClaimMAC || c.Kind == ClaimSerial })
	if without != nil {
		for c := range Claims(without) {
			delete(found, c)
		}
	}
	return found
}

func (u *updater) network(networks map[string][]claim, c Claim, o *Object, field string) map[string][]claim {
	if c.Kind == ClaimNetwork {
		namespace, text, _ := strings.Cut(c.What, " ")
		networks[namespace] = append(networks[namespace], claim{netip.MustParsePrefix(text), o, field})
	}
	return networks
}

// isAfter reports whether an object is one of the fabric after.
func (u *updater) isAfter(o *Object) bool { return u.fabric.Get(o.Kind, o.Name) == o }

// tellTaken reports each pair of objects once.
func (u *updater) tellTaken(got []taking) {
	slices.SortFunc(got, func(a, b taking) int {
		return cmp.Or(a.to.Key().Compare(b.to.Key()), a.from.Key().Compare(b.from.Key()), cmp.Compare(a.field, b.field), cmp.Compare(a.what, b.what))
	})
	for first := 0; first < len(got); {
		t, end := got[first], first
		if t.to.Key() == t.from.Key() {
			first++
			continue
		}
		var what []string
		for ; end < len(got) && got[end].to == t.to && got[end].from == t.from; end++ {
			what = append(what, got[end].what)
		}
		first = end
		if t.to.Kind == KindVPC && t.from.Kind == KindVPC && u.fabric.Get(KindVPC, t.from.Name) == nil && u.before.Get(KindVPC, t.to.Name) == nil {
			u.report("update-vpc-recreated", t.to, t.field, "it takes over %s of %s, which is deleted", few(what), other(t.from))
			continue
		}
		u.report("update-taken", t.to, t.field, "it takes over %s of %s", few(what), other(t.from))
	}
}
