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
		if rule, field, what := fixed(was, is); rule != "" {
			u.report(rule, o, field, "%s", what)
		}
	}
	for o, is := range Each[*SwitchSpec](u.fabric) {
		was := spec[*SwitchSpec](&validator{fabric: u.before}, KindSwitch, o.Name)
		if was == nil || !BreakoutsFixed(was, is) {
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

// BreakoutsFixed reports whether the cluster refuses one form of a switch where it has
// the other because RoCE, which one of them has on, keeps the breakouts as they are.
func BreakoutsFixed(was, is *SwitchSpec) bool {
	return (was.RoCE || is.RoCE) && !maps.Equal(was.PortBreakouts, is.PortBreakouts)
}

// fixed returns the rule for which a connection cannot become the other under its name,
// "" when it can.
func fixed(was, is *ConnectionSpec) (rule, field, what string) {
	if from, to := was.Type(), is.Type(); from != to {
		return "update-connection-type", "spec", from + " becomes " + to
	}
	if was.StaticExternal != nil && is.StaticExternal != nil && was.StaticExternal.WithinVPC != is.StaticExternal.WithinVPC {
		return "update-within-vpc", "spec.staticExternal.withinVPC", orNone(was.StaticExternal.WithinVPC) + " becomes " + orNone(is.StaticExternal.WithinVPC)
	}
	return "", "", ""
}

// Fixed returns why a cluster never turns an object into the other of its name, so that
// the one has to be deleted before the other is created; "" when it does turn it.
func Fixed(was, is *Object) string {
	before, ok := was.Spec.(*ConnectionSpec)
	after, okay := is.Spec.(*ConnectionSpec)
	if !ok || !okay {
		return ""
	}
	_, _, what := fixed(before, after)
	return what
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
	byIPv4 := map[string][]*Object{}
	for o, s := range Each[*VPCSpec](u.before) {
		byIPv4[orDefault(s.IPv4Namespace)] = append(byIPv4[orDefault(s.IPv4Namespace)], o)
	}
	for o, is := range Each[*IPv4NamespaceSpec](u.fabric) {
		was := spec[*IPv4NamespaceSpec](&validator{fabric: u.before}, KindIPv4Namespace, o.Name)
		if was == nil || slices.Equal(slices.Sorted(slices.Values(was.Subnets)), slices.Sorted(slices.Values(is.Subnets))) {
			continue
		}
		var out []string
		for _, vpc := range byIPv4[o.Name] {
			out = append(out, Outside(o, vpc)...)
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
		for _, vpc := range byIPv4[o.Name] {
			out = append(out, Outside(o, vpc)...)
		}
		for vpc, s := range Each[*VPCSpec](u.before) {
			// These the cluster forgets to look at, which then have a VLAN of nowhere.
			now := u.fabric.Get(KindVPC, vpc.Name)
			if orDefault(s.VLANNamespace) != o.Name || now == nil || orDefault(s.IPv4Namespace) == o.Name {
				continue
			}
			if s, ok := now.Spec.(*VPCSpec); ok && orDefault(s.VLANNamespace) == o.Name {
				for name, subnet := range s.Subnets {
					if subnet != nil && subnet.VLAN != 0 && !is.has(subnet.VLAN) {
						out = append(out, now.Name+"/"+name+" (VLAN "+strconv.Itoa(int(subnet.VLAN))+")")
					}
				}
			}
		}
		if len(out) > 0 {
			u.report("update-vlan-namespace", o, "spec.ranges", "the cluster has %s", few(out))
		}
	}
}

// Outside returns the subnets of a VPC for which a cluster that has the VPC refuses to
// give a namespace the form. Of a VLAN namespace it looks at the VPCs whose IPv4
// namespace has the same name.
func Outside(namespace, vpc *Object) []string {
	v, ok := vpc.Spec.(*VPCSpec)
	if !ok || orDefault(v.IPv4Namespace) != namespace.Name {
		return nil
	}
	var out []string
	switch s := namespace.Spec.(type) {
	case *IPv4NamespaceSpec:
		pools := s.pools()
		for name, subnet := range v.Subnets {
			if p, ok := subnet.network(); ok && !within(p, pools) {
				out = append(out, vpc.Name+"/"+name+" ("+p.String()+")")
			}
		}
	case *VLANNamespaceSpec:
		for name, subnet := range v.Subnets {
			if subnet != nil && !s.has(subnet.VLAN) {
				out = append(out, vpc.Name+"/"+name+" (VLAN "+strconv.Itoa(int(subnet.VLAN))+")")
			}
		}
	}
	slices.Sort(out)
	return out
}

// Fits reports whether a cluster that has a namespace in the form takes the VPC, as far as
// that namespace goes.
func Fits(namespace, vpc *Object) bool {
	v, ok := vpc.Spec.(*VPCSpec)
	if !ok {
		return true
	}
	switch s := namespace.Spec.(type) {
	case *IPv4NamespaceSpec:
		return orDefault(v.IPv4Namespace) != namespace.Name || len(Outside(namespace, vpc)) == 0
	case *VLANNamespaceSpec:
		if orDefault(v.VLANNamespace) != namespace.Name {
			return true
		}
		for _, subnet := range v.Subnets {
			if subnet != nil && subnet.VLAN != 0 && !s.has(subnet.VLAN) {
				return false
			}
		}
	}
	return true
}

// pools returns the namespace's networks, as far as they are some.
func (s *IPv4NamespaceSpec) pools() []netip.Prefix {
	var pools []netip.Prefix
	for _, text := range s.Subnets {
		if p, ok := masked(text); ok {
			pools = append(pools, p)
		}
	}
	return pools
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
		for _, key := range Holds(o) {
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

// Holds returns the objects that a cluster does not delete while it has the object,
// because the object uses them.
func Holds(o *Object) []Key {
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
func (u *updater) taken() { u.tellTaken(Takings(u.before, u.fabric)) }

// Taking is something that one object gets and another gives up when a cluster that
// has one fabric becomes another.
type Taking struct {
	// To is an object of the fabric after, From one of the fabric before, of another
	// name or kind.
	To, From *Object
	// Claim is what To gets, and what From has of it: a network may be part of another.
	// Had is what From claims.
	Claim, Had Claim
	// Field is where To claims it.
	Field string
}

// Takings returns everything that one object gets and another gives up, in an order that
// depends on nothing but the fabrics. MACs and serial numbers are not compared: a
// cluster does not ask for them.
func Takings(before, after *Fabric) []Taking {
	given := map[Claim][]*Object{}
	var got []Taking
	networks := map[string][]claim{} // of VPCs, by namespace
	network := func(c Claim, o *Object, field string) {
		namespace, text, _ := strings.Cut(c.What, " ")
		networks[namespace] = append(networks[namespace], claim{netip.MustParsePrefix(text), o, field})
	}
	for o := range before.All() {
		now := after.Get(o.Kind, o.Name)
		if now == o || now != nil && reflect.DeepEqual(o.Spec, now.Spec) {
			continue
		}
		for c, field := range newClaims(now, o) {
			given[c] = append(given[c], o)
			if c.Kind == ClaimNetwork {
				network(c, o, field)
			}
		}
	}
	if len(given) == 0 {
		return nil
	}
	take := func(t Taking) {
		if t.To.Key() != t.From.Key() {
			got = append(got, t)
		}
	}
	for o := range after.All() {
		was := before.Get(o.Kind, o.Name)
		if was == o || was != nil && reflect.DeepEqual(o.Spec, was.Spec) {
			continue
		}
		for c, field := range newClaims(was, o) {
			if c.Kind == ClaimNetwork {
				network(c, o, field)
				continue
			}
			for _, from := range given[c] {
				take(Taking{o, from, c, c, field})
			}
		}
	}
	isAfter := func(o *Object) bool { return after.Get(o.Kind, o.Name) == o }
	for namespace, all := range networks {
		overlaps(all, func(c, in claim) {
			if isAfter(c.object) == isAfter(in.object) {
				return
			}
			if isAfter(in.object) {
				c, in = in, c
			}
			network := func(p netip.Prefix) Claim { return Claim{ClaimNetwork, namespace + " " + p.String()} }
			take(Taking{c.object, in.object, network(c.prefix), network(in.prefix), c.field})
		})
	}
	slices.SortFunc(got, func(a, b Taking) int {
		return cmp.Or(a.To.Key().Compare(b.To.Key()), a.From.Key().Compare(b.From.Key()), cmp.Compare(a.Field, b.Field),
			cmp.Compare(a.Had.String(), b.Had.String()), cmp.Compare(a.Claim.What, b.Claim.What))
	})
	return got
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

// tellTaken reports each pair of objects once.
func (u *updater) tellTaken(got []Taking) {
	for first := 0; first < len(got); {
		t, end := got[first], first
		var what []string
		for ; end < len(got) && got[end].To == t.To && got[end].From == t.From; end++ {
			what = append(what, got[end].Had.String())
		}
		first = end
		rule, gone := "update-taken", ""
		if u.recreated(t) {
			rule, gone = "update-vpc-recreated", ", which is deleted"
		}
		u.report(rule, t.To, t.Field, "it takes over %s of %s%s", few(what), other(t.From), gone)
	}
}

// recreated reports whether a VPC that is deleted comes again under another name.
func (u *updater) recreated(t Taking) bool {
	return t.To.Kind == KindVPC && t.From.Kind == KindVPC && u.fabric.Get(KindVPC, t.From.Name) == nil && u.before.Get(KindVPC, t.To.Name) == nil
}

// Needs returns the objects that have to be there for a cluster to take the object, those
// of [Holds] among them. Profiles are the installation's.
func Needs(o *Object) []Key {
	keys := Holds(o)
	add := func(kind Kind, name string) {
		if key := (Key{Kind: kind, Name: name}); name != "" && !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	switch s := o.Spec.(type) {
	case *SwitchSpec:
		for _, name := range s.Groups {
			add(KindSwitchGroup, name)
		}
		add(KindSwitchGroup, s.Redundancy.Group)
	case *GatewaySpec:
		for _, g := range s.Groups {
			add(KindGatewayGroup, g.Name)
		}
	case *VPCSpec:
		for _, name := range slices.Sorted(maps.Keys(s.Subnets)) {
			if subnet := s.Subnets[name]; subnet != nil && subnet.DHCP.RelayVPC != o.Name {
				add(KindVPC, subnet.DHCP.RelayVPC)
			}
		}
	case *ConnectionSpec:
		if s.Gateway != nil {
			for _, l := range s.Gateway.Links {
				add(KindGateway, l.Gateway.Port.Device())
			}
		}
	case *GatewayPeeringSpec:
		add(KindGatewayGroup, orDefault(s.GatewayGroup))
		for _, name := range slices.Sorted(maps.Keys(s.Peering)) {
			if external, ok := strings.CutPrefix(name, "ext."); ok {
				add(KindExternal, external)
			} else {
				add(KindVPC, name)
			}
		}
	}
	return keys
}
