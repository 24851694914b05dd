package netbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strings"

	"hedgehog-gitops/render/hedgehog"
)

// vpcs writes VRFs with their prefixes, VLANs, ranges and addresses.
func (w *writer) vpcs() {
	w.pruneVPCs()
	var list []*hedgehog.Object
	for o := range hedgehog.Each[*hedgehog.VPCSpec](w.want) {
		if w.differs(o) && fits(o.Kind, o.Name) {
			list = append(list, o)
		}
	}
	if len(list) == 0 {
		return
	}
	v := &vpcWriter{pruner: w.pruner(), groups: map[string]*VLANGroup{}, seenAs: map[string]*vpc{}, vrfOf: map[string]*VRF{}, moves: map[ID]ID{}}
	v.prepare()
	var all []*wantedVPC
	for _, o := range list {
		if p := v.vrf(o); p != nil {
			all = append(all, p)
		}
	}
	for _, p := range all {
		v.match(p)
	}
	v.keep()
	for _, p := range all {
		v.vpcFields(p)
		for _, s := range p.subnets {
			v.subnet(p, s)
		}
		v.keys(p)
	}
	v.moveInterfaces()
	v.conflicts(all)
}

// vpcWriter writes VPCs.
type vpcWriter struct {
	*pruner
	groups map[string]*VLANGroup // by the name of the namespace
	vlanAt map[vlanRef]*VLAN     // those that were there, and those that it made
	names  map[ID]map[string]bool
	kept   map[ID]bool     // VLANs that a subnet of the manifests is going to have
	moves  map[ID]ID       // what interfaces carry -> what they carry instead
	vrfOf  map[string]*VRF // by the name of the VPC
	seenAs map[string]*vpc
	vrfs   map[string][]*VRF // those that are no VPC, by the name that one would have
	dhcpID ID
}

type vlanRef struct {
	group ID
	vid   uint16
}

// wantedVPC is a VPC of the manifests and its VRF.
type wantedVPC struct {
	object  *hedgehog.Object
	spec    *hedgehog.VPCSpec
	row     *VRF
	seen    *vpc // nil: NetBox had no such VPC
	subnets []*wantedSubnet
	left    []*subnet // those that only NetBox has
}

// wantedSubnet is a subnet of the manifests and its prefix.
type wantedSubnet struct {
	key     string
	spec    *hedgehog.VPCSubnet
	row     *Prefix
	network netip.Prefix
	was     netip.Prefix        // the network that the prefix had
	native  *hedgehog.VPCSubnet // what the records said, without hedgehog_spec of the VRF
	done    bool                // NetBox gives it already
	changed bool
}

func (v *vpcWriter) prepare() {
	for _, g := range v.seen.groups {
		if row := v.vlanGroups.get(g.ID); row != nil && v.groups[v.seen.namespaceOf[g.ID]] == nil {
			v.groups[v.seen.namespaceOf[g.ID]] = row
		}
	}
	v.vlanAt, v.names = map[vlanRef]*VLAN{}, map[ID]map[string]bool{}
	for _, vlan := range v.vlans.sorted() {
		if at := (vlanRef{vlan.Group, vlan.VID}); vlan.Group != 0 && v.vlanAt[at] == nil {
			v.vlanAt[at] = vlan
		}
		put2(v.names, vlan.Group, vlan.Name)
	}
	v.vrfs = map[string][]*VRF{}
	for _, row := range v.draft.vrfs.sorted() {
		if s := v.seen.vpcs[row.ID]; s != nil {
			if first := v.seenAs[s.name]; first == nil || v.closeness(s) > v.closeness(first) {
				v.seenAs[s.name], v.vrfOf[s.name] = s, row
			}
			continue
		}
		if row.Fields.text("vrf_kind") == "external" {
			continue
		}
		name := row.Fields.text("name")
		if name == "" {
			name = slug(row.Name)
		}
		v.vrfs[name] = append(v.vrfs[name], row)
	}
}

func put2(m map[ID]map[string]bool, id ID, name string) {
	if m[id] == nil {
		m[id] = map[string]bool{}
	}
	m[id][name] = true
}

// closeness counts the prefixes that a VRF and the VPC of its name in the manifests
// share: names of VRFs may repeat.
func (v *vpcWriter) closeness(s *vpc) int {
	o := v.want.Get(hedgehog.KindVPC, s.name)
	if o == nil {
		return 0
	}
	n := 0
	for _, wanted := range o.Spec.(*hedgehog.VPCSpec).Subnets {
		for _, have := range s.subnets {
			if wanted != nil && wanted.Subnet == have.prefix.String() {
				n++
			}
		}
	}
	return n
}

// vrf finds the VRF of a VPC, or makes one: that which is the VPC, else one of its name
// that is nobody else's. It returns nil when none of the subnets can be a prefix.
func (v *vpcWriter) vrf(o *hedgehog.Object) *wantedVPC {
	p := &wantedVPC{object: o, spec: o.Spec.(*hedgehog.VPCSpec), seen: v.seenAs[o.Name], row: v.vrfOf[o.Name]}
	if p.row != nil {
		return p
	}
	possible := false
	for key, s := range p.spec.Subnets {
		possible = possible || s != nil && v.possible(p.spec, key, s)
	}
	if !possible {
		return nil
	}
	for _, row := range v.vrfs[o.Name] {
		if !v.foreign(row) {
			p.row = row
			pin(&row.Fields, o.Name, row.Name)
			break
		}
	}
	if p.row == nil {
		p.row = v.draft.vrfs.add(VRF{Name: o.Name})
		pin(&p.row.Fields, o.Name, o.Name)
	}
	v.vrfOf[o.Name] = p.row
	return p
}

// possible reports whether a subnet can be a prefix of the fabric: one inside a
// container of the VPC's IPv4 namespace, with a VLAN of its VLAN namespace, or of host
// BGP without one.
func (v *vpcWriter) possible(spec *hedgehog.VPCSpec, key string, s *hedgehog.VPCSubnet) bool {
	network, err := netip.ParsePrefix(s.Subnet)
	if err != nil || network.Masked().String() != s.Subnet || !validName(key) || len(key) > 63 {
		return false
	}
	c := v.seen.containerOf(network)
	if c == nil || c.namespace != spec.IPv4Namespace {
		return false
	}
	if s.VLAN == 0 {
		return s.HostBGP
	}
	return v.inRange(v.groups[spec.VLANNamespace], s.VLAN)
}

// inRange reports whether NetBox takes the VLAN id in the group.
func (v *vpcWriter) inRange(g *VLANGroup, vid uint16) bool {
	return g != nil && slices.ContainsFunc(g.VIDRanges, func(r [2]uint16) bool { return r[0] <= vid && vid <= r[1] })
}

// foreign reports whether a VRF is in use elsewhere: it has a VLAN of a group, a prefix
// or a device that is not of the fabric. Names of VRFs repeat among fabrics.
func (v *pruner) foreign(row *VRF) bool {
	if row.Name == v.c.UnderlayVRF {
		return true
	}
	for _, p := range v.prefixesIn[row.ID] {
		vlan := v.vlans.get(p.VLAN)
		if vlan != nil && vlan.Group != 0 && !v.ours(vlan.Group) {
			if g := v.vlanGroups.get(vlan.Group); g != nil && !v.seen.touches(g.Scope) {
				return true
			}
		}
		if vlan == nil && p.Scope != (Scope{}) && !v.seen.touches(p.Scope) {
			return true
		}
	}
	elsewhere := func(i *Interface) bool {
		if i == nil {
			return false
		}
		d := v.devices.get(i.Device)
		return d != nil && !v.seen.here(d)
	}
	if slices.ContainsFunc(v.interfacesIn[row.ID], elsewhere) {
		return true
	}
	return slices.ContainsFunc(v.addressesIn[row.ID], func(a *IPAddress) bool {
		return a.Type == "dcim.interface" && elsewhere(v.interfaces.get(a.Object))
	})
}

// ours reports whether a VLAN group is a namespace of the fabric.
func (w *writer) ours(group ID) bool {
	return slices.ContainsFunc(w.seen.groups, func(g *VLANGroup) bool { return g.ID == group })
}

// match finds the prefix of each subnet: the one of its network in the VRF, else the one
// that had its name, else a new one. Subnets that only NetBox has are removed when
// people prune, and stay else.
func (v *vpcWriter) match(p *wantedVPC) {
	byNetwork := map[netip.Prefix]*Prefix{}
	bySubnet := map[ID]*subnet{}
	byKey := map[string]*subnet{}
	if p.seen != nil {
		for _, s := range p.seen.subnets {
			if v.prefixes.get(s.row.ID) == nil {
				continue
			}
			bySubnet[s.row.ID] = s
			if s.key != "" && byKey[s.key] == nil {
				byKey[s.key] = s
			}
		}
	}
	for _, row := range v.prefixesIn[p.row.ID] {
		network, err := netip.ParsePrefix(row.Prefix)
		if err != nil {
			continue
		}
		if first := byNetwork[network.Masked()]; first == nil || bySubnet[first.ID] == nil && bySubnet[row.ID] != nil {
			byNetwork[network.Masked()] = row
		}
	}
	got := v.gotSpec(p.object.Name)
	taken := map[ID]bool{}
	for _, key := range sortedKeys(p.spec.Subnets) {
		s := &wantedSubnet{key: key, spec: p.spec.Subnets[key]}
		if s.spec == nil {
			continue
		}
		s.network, _ = netip.ParsePrefix(s.spec.Subnet)
		if s.row = byNetwork[s.network]; s.row != nil && s.network.IsValid() && !taken[s.row.ID] {
			taken[s.row.ID] = true
			s.was = s.network
			if old := byKey[key]; got != nil && old != nil && old.row.ID == s.row.ID {
				s.done = sameJSON(got.Subnets[key], s.spec)
			}
		} else {
			s.row = nil
		}
		p.subnets = append(p.subnets, s)
	}
	p.subnets = slices.DeleteFunc(p.subnets, func(s *wantedSubnet) bool {
		if s.row != nil {
			return false
		}
		if !v.possible(p.spec, s.key, s.spec) {
			return true
		}
		if old := byKey[s.key]; old != nil && !taken[old.row.ID] {
			s.row, s.was = v.prefixes.get(old.row.ID), old.prefix
			taken[s.row.ID] = true
			s.row.Prefix, s.changed = s.network.String(), true
			return false
		}
		s.row = v.prefixes.add(Prefix{Prefix: s.network.String(), VRF: p.row.ID, Status: "active", Scope: v.ownScope()})
		s.was, s.changed = s.network, true
		v.prefixesIn[p.row.ID] = append(v.prefixesIn[p.row.ID], s.row)
		return false
	})
	for _, s := range p.subnets {
		if old := bySubnet[s.row.ID]; old != nil && old.spec != nil {
			s.native = defaultedSubnet(old.spec)
		} else {
			s.native = &hedgehog.VPCSubnet{}
		}
	}
	if p.seen == nil {
		return
	}
	for _, s := range p.seen.subnets {
		row := v.prefixes.get(s.row.ID)
		switch {
		case row == nil || taken[row.ID]:
		case v.o.Prune:
			v.removeSubnet(row, s.prefix)
		default:
			p.left = append(p.left, s)
		}
	}
}

// gotSpec is what NetBox gives of a VPC.
func (w *writer) gotSpec(name string) *hedgehog.VPCSpec {
	if got := w.got.Get(hedgehog.KindVPC, name); got != nil {
		return got.Spec.(*hedgehog.VPCSpec)
	}
	return nil
}

// defaultedSubnet is a copy of a subnet as the cluster stores it.
func defaultedSubnet(s *hedgehog.VPCSubnet) *hedgehog.VPCSubnet {
	var copied hedgehog.VPCSubnet
	if into(s, &copied) != nil {
		return &hedgehog.VPCSubnet{}
	}
	o := hedgehog.New(hedgehog.KindVPC, "x")
	o.Spec = &hedgehog.VPCSpec{Subnets: map[string]*hedgehog.VPCSubnet{"x": &copied}}
	hedgehog.Default(o)
	return &copied
}

// keep notes which VLANs the subnets of all VPCs of the manifests are going to have.
func (v *vpcWriter) keep() {
	v.kept = map[ID]bool{}
	for _, spec := range hedgehog.Each[*hedgehog.VPCSpec](v.want) {
		g := v.groups[spec.VLANNamespace]
		if g == nil {
			continue
		}
		for _, s := range spec.Subnets {
			if s == nil {
				continue
			}
			if vlan := v.vlanAt[vlanRef{g.ID, s.VLAN}]; vlan != nil {
				v.kept[vlan.ID] = true
			}
		}
	}
}

// vpcFields writes the custom fields of the VRF.
func (v *vpcWriter) vpcFields(p *wantedVPC) {
	native, got := &hedgehog.VPCSpec{}, v.gotSpec(p.object.Name)
	if p.seen != nil {
		native = p.seen.spec
	}
	f := &p.row.Fields
	if f.text("vrf_kind") == "external" {
		f.set("vrf_kind", nil)
	}
	if (got == nil || got.Mode != p.spec.Mode) && native.Mode != p.spec.Mode && (p.spec.Mode == "" || p.spec.Mode == "l3vni") {
		f.set("vpc_mode", textOrNil(p.spec.Mode))
	}
	flag := func(name string, have, want bool) {
		if have != want {
			f.set(name, trueOrNil(want))
		}
	}
	if got == nil || got.DefaultIsolated != p.spec.DefaultIsolated {
		flag("default_isolated", native.DefaultIsolated, p.spec.DefaultIsolated)
	}
	if got == nil || got.DefaultRestricted != p.spec.DefaultRestricted {
		flag("default_restricted", native.DefaultRestricted, p.spec.DefaultRestricted)
	}
	if (got == nil || !sameJSON(got.Permit, p.spec.Permit)) && !sameJSON(native.Permit, p.spec.Permit) {
		f.set("permit", listOrNil(p.spec.Permit))
	}
	if (got == nil || !sameJSON(got.StaticRoutes, p.spec.StaticRoutes)) && !sameJSON(native.StaticRoutes, p.spec.StaticRoutes) {
		f.set("static_routes", listOrNil(p.spec.StaticRoutes))
	}
}

func textOrNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func trueOrNil(b bool) any {
	if b {
		return true
	}
	return nil
}

func flagOrNil(b *bool) any {
	if b == nil {
		return nil
	}
	return *b
}

func listOrNil[T any](list []T) any {
	if len(list) == 0 {
		return nil
	}
	return jsonValue(list)
}

// jsonValue is a value as a snapshot holds it in a custom field.
func jsonValue(v any) any {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err) // specs hold what JSON can say
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var out any
	if err := dec.Decode(&out); err != nil {
		panic(err)
	}
	return out
}

// sameJSON reports whether two values are written the same; nothing and an empty list or
// object are.
func sameJSON(a, b any) bool {
	x, y := jsonValue(a), jsonValue(b)
	return reflect.DeepEqual(x, y) || isNothing(x) && isNothing(y)
}

func isNothing(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	}
	return false
}

// subnet writes the prefix of a subnet and what belongs to it.
func (v *vpcWriter) subnet(p *wantedVPC, s *wantedSubnet) {
	if s.done && s.row.Status == "active" {
		return
	}
	if s.row.Status != "active" {
		s.row.Status, s.changed = "active", true
	}
	f := &s.row.Fields
	if f.value("spec") != nil {
		f.set("spec", nil) // what is still different goes to the VRF
	}
	v.vlan(p, s)
	if !sameJSON(f.flag("isolated"), s.spec.Isolated) {
		f.set("isolated", flagOrNil(s.spec.Isolated))
	}
	if !sameJSON(f.flag("restricted"), s.spec.Restricted) {
		f.set("restricted", flagOrNil(s.spec.Restricted))
	}
	if f.isTrue("host_bgp") != s.spec.HostBGP {
		f.set("host_bgp", trueOrNil(s.spec.HostBGP))
	}
	v.hostBGP(s)
	v.gateway(p, s)
	v.dhcp(p, s)
}

func (v *vpcWriter) hostBGP(s *wantedSubnet) {
	options := map[string]any{}
	if s.spec.HostBGPMinPrefixLen != 0 {
		options["hostBGPMinPrefixLen"] = s.spec.HostBGPMinPrefixLen
	}
	if s.spec.HostBGPMaxPrefixLen != 0 {
		options["hostBGPMaxPrefixLen"] = s.spec.HostBGPMaxPrefixLen
	}
	if len(s.spec.HostBGPExtraPrefixes) > 0 {
		options["hostBGPExtraPrefixes"] = s.spec.HostBGPExtraPrefixes
	}
	if sameJSON(s.row.Fields.value("host_bgp_options"), options) {
		return
	}
	if len(options) == 0 {
		s.row.Fields.set("host_bgp_options", nil)
		return
	}
	s.row.Fields.set("host_bgp_options", jsonValue(options))
}

// vlan gives the prefix its VLAN: the one of that id in the group, else its present one
// under the new id where nothing else uses it, else a new one. Interfaces that carry the
// present one follow.
func (v *vpcWriter) vlan(p *wantedVPC, s *wantedSubnet) {
	have := v.vlans.get(s.row.VLAN)
	if s.spec.VLAN == 0 {
		if s.spec.HostBGP && have != nil {
			s.row.VLAN, s.changed = 0, true
		}
		return
	}
	g := v.groups[p.spec.VLANNamespace]
	if g == nil || have != nil && have.Group == g.ID && have.VID == s.spec.VLAN {
		return
	}
	if have != nil && !v.ours(have.Group) {
		group := "no VLAN group"
		if other := v.vlanGroups.get(have.Group); other != nil {
			group = "VLAN group " + other.Name
		}
		v.fail("import-vlan-group", p.object, s.row, "vlan",
			fmt.Sprintf("subnet %s of VPC %s wants VLAN %d of VLAN group %s, and prefix %s has VLAN %d of %s", s.key, p.object.Name, s.spec.VLAN, g.Name, s.row.Prefix, have.VID, group),
			"take the VLAN off the prefix, or move the VLAN into the group")
		return
	}
	target := v.vlanAt[vlanRef{g.ID, s.spec.VLAN}]
	if target == nil && !v.inRange(g, s.spec.VLAN) {
		return
	}
	if target != nil && v.vlans.get(target.ID) == nil { // the subnet that had it goes
		v.vlans.put(target)
	}
	s.changed = true
	if target == nil && have != nil && have.Group == g.ID && !v.kept[have.ID] && len(v.prefixesOn[have.ID]) == 1 {
		have.VID = s.spec.VLAN
		v.vlanAt[vlanRef{g.ID, have.VID}] = have
		return
	}
	if target == nil {
		name := p.object.Name + "-" + s.key
		if len(name) > 60 {
			name = name[:60]
		}
		name = free(name, v.names[g.ID])
		put2(v.names, g.ID, name)
		target = v.vlans.add(VLAN{VID: s.spec.VLAN, Name: name, Group: g.ID, Status: "active"})
		v.vlanAt[vlanRef{g.ID, s.spec.VLAN}] = target
	}
	if have != nil {
		v.moves[have.ID] = target.ID
	}
	s.row.VLAN = target.ID
}

// moveInterfaces lets interfaces follow the subnets that they carry.
func (v *vpcWriter) moveInterfaces() {
	done := map[ID]bool{}
	for _, from := range idsOf(v.moves) {
		for _, i := range v.carriers[from] {
			if done[i.ID] {
				continue
			}
			done[i.ID] = true
			if to := v.moves[i.UntaggedVLAN]; to != 0 {
				i.UntaggedVLAN = to
			}
			var ids []ID
			for _, id := range i.TaggedVLANs {
				if to := v.moves[id]; to != 0 {
					id = to
				}
				if !slices.Contains(ids, id) {
					ids = append(ids, id)
				}
			}
			slices.Sort(ids)
			i.TaggedVLANs = ids
		}
	}
}

// keys names the subnets where their VLANs do not.
func (v *vpcWriter) keys(p *wantedVPC) {
	only := len(p.subnets)+len(p.left) == 1
	as := &vpc{name: p.object.Name, row: p.row}
	for _, s := range p.subnets {
		derived := subnetKey(as, &subnet{vlan: v.vlans.get(s.row.VLAN)})
		if derived == "" && only {
			derived = "default"
		}
		switch pinned := s.row.Fields.text("subnet"); {
		case pinned == s.key, pinned == "" && derived == s.key:
		case derived == s.key:
			s.row.Fields.set("subnet", nil)
		default:
			s.row.Fields.set("subnet", s.key)
		}
	}
	// One that NetBox alone has may have been the only one, and so have had its name.
	for _, s := range p.left {
		row := v.prefixes.get(s.row.ID)
		if row != nil && s.key != "" && !only && row.Fields.text("subnet") == "" && subnetKey(as, &subnet{vlan: v.vlans.get(row.VLAN)}) == "" {
			row.Fields.set("subnet", s.key)
		}
	}
}

// conflicts reports what the changed prefixes share with others that they must not
// share.
func (v *vpcWriter) conflicts(all []*wantedVPC) {
	var users map[ID][]*Prefix
	for _, p := range all {
		for _, s := range p.subnets {
			if !s.changed {
				continue
			}
			for _, left := range p.left {
				if left.prefix.Overlaps(s.network) {
					v.fail("import-prefix-overlap", p.object, left.row, "prefix",
						fmt.Sprintf("subnet %s of VPC %s is %s, which overlaps %s, a prefix of that VRF that only NetBox has", s.key, p.object.Name, s.network, left.prefix),
						"import with --prune, or correct the prefix")
				}
			}
			if s.row.VLAN == 0 {
				continue
			}
			if users == nil {
				users = map[ID][]*Prefix{}
				for _, q := range v.prefixes.sorted() {
					users[q.VLAN] = append(users[q.VLAN], q)
				}
			}
			for _, q := range users[s.row.VLAN] {
				if q == s.row || q.VRF == p.row.ID && (q.Status != "active" || !v.inContainer(q)) {
					continue
				}
				name := "the global table"
				if other := v.draft.vrfs.get(q.VRF); other != nil {
					name = "VRF " + other.Name
				}
				v.fail("import-vlan-taken", p.object, q, "vlan",
					fmt.Sprintf("subnet %s of VPC %s wants VLAN %d, which prefix %s of %s has", s.key, p.object.Name, s.spec.VLAN, q.Prefix, name),
					"give one of the two another VLAN")
			}
		}
	}
}

func (v *vpcWriter) inContainer(p *Prefix) bool {
	network, err := netip.ParsePrefix(p.Prefix)
	return err == nil && v.seen.containerOf(network) != nil
}

// gateway writes the gateway's address where it is not the first host, which needs none.
func (v *vpcWriter) gateway(p *wantedVPC, s *wantedSubnet) {
	want, err := netip.ParseAddr(s.spec.Gateway)
	if s.spec.HostBGP || err != nil || !s.network.Contains(want) {
		return
	}
	var gateways []*IPAddress // with the role
	var at *IPAddress         // at the address
	for _, a := range v.addressesIn[p.row.ID] {
		have, err := netip.ParsePrefix(a.Address)
		if err != nil || v.ipAddresses.get(a.ID) == nil {
			continue
		}
		if gatewayRole(a.Role) && (s.was.Contains(have.Addr()) || s.network.Contains(have.Addr())) {
			gateways = append(gateways, a)
		}
		if have.Addr() == want && (at == nil || gatewayRole(a.Role)) {
			at = a
		}
	}
	address := netip.PrefixFrom(want, s.network.Bits()).String()
	right := at != nil && gatewayRole(at.Role)
	switch {
	case at != nil && !right && len(gateways) == 0 && want == s.network.Addr().Next():
		return // whoever has it: the first host is the gateway by itself
	case at != nil && !right:
		if on := v.interfaces.get(at.Object); at.Type != "" && (on == nil || at.Type != "dcim.interface" || v.seen.switches[on.Device] == nil) {
			v.taken(p.object, at, fmt.Sprintf("the gateway of subnet %s", s.key))
			return
		}
		at.Role = "anycast"
		for _, a := range gateways {
			a.Role = ""
		}
		return
	case right:
		for _, a := range gateways {
			if have, _ := netip.ParsePrefix(a.Address); have.Addr() != want {
				a.Role = ""
			}
		}
	case len(gateways) > 0:
		for _, a := range gateways {
			a.Address = address
		}
	case want != s.network.Addr().Next():
		a := v.ipAddresses.add(IPAddress{Address: address, VRF: p.row.ID, Status: "active", Role: "anycast"})
		v.addressesIn[p.row.ID] = append(v.addressesIn[p.row.ID], a)
	}
}

// taken reports an address that something else has.
func (w *writer) taken(o *hedgehog.Object, a *IPAddress, wanted string) {
	by := "something else"
	if i := w.interfaces.get(a.Object); a.Type == "dcim.interface" && i != nil {
		by = "interface " + i.Name
		if d := w.devices.get(i.Device); d != nil {
			by = d.Name + " " + i.Name
		}
	}
	w.fail("import-address-taken", o, a, "address",
		fmt.Sprintf("%s is wanted as %s of %s, and in that VRF it is the address of %s", a.Address, wanted, o.Key(), by),
		"correct the address in NetBox, or the manifest")
}

// dhcp writes the DHCP service of a subnet.
func (v *vpcWriter) dhcp(p *wantedVPC, s *wantedSubnet) {
	f, d := &s.row.Fields, s.spec.DHCP
	var ranges []*IPRange
	for _, r := range v.rangesIn[p.row.ID] {
		start, err1 := netip.ParsePrefix(r.Start)
		end, err2 := netip.ParsePrefix(r.End)
		role := v.ipamRoles.get(r.Role)
		if role != nil && role.Slug == "dhcp" && err1 == nil && err2 == nil && v.ipRanges.get(r.ID) != nil &&
			(s.was.Contains(start.Addr()) && s.was.Contains(end.Addr()) || s.network.Contains(start.Addr()) && s.network.Contains(end.Addr())) {
			ranges = append(ranges, r)
		}
	}
	set := func(name string, value any) {
		if !sameJSON(f.value(name), value) {
			f.set(name, value)
		}
	}
	mode := f.text("dhcp")
	switch {
	case d.Enable:
		ranges = v.dhcpRange(p, s, ranges)
		if mode != "server" && (mode != "" || len(ranges) == 0) {
			if len(ranges) > 0 {
				set("dhcp", nil)
			} else {
				set("dhcp", "server")
			}
		}
	case d.Relay != "":
		set("dhcp", "relay")
		set("dhcp_relay", d.Relay)
		set("dhcp_relay_vpc", nil)
		if to := v.vrfOf[d.RelayVPC]; to != nil && d.RelayVPC != "" {
			set("dhcp_relay_vpc", reference(to.ID))
		}
	case len(ranges) > 0:
		set("dhcp", "none")
	case mode != "none":
		set("dhcp", nil)
	}
	if mode == "relay" && (d.Enable || d.Relay == "") {
		set("dhcp_relay", nil)
		set("dhcp_relay_vpc", nil)
	}
	if !d.Enable {
		return
	}
	if !sameJSON(s.native.DHCP.Options, d.Options) || !s.native.DHCP.Enable {
		set("dhcp_options", optionsField(s.spec))
	}
	v.leases(p, s)
}

// optionsField is dhcp_options for a subnet: only what is not the default, when that
// gives the same.
func optionsField(s *hedgehog.VPCSubnet) any {
	if s.DHCP.Options == nil {
		return nil
	}
	full, _ := jsonValue(s.DHCP.Options).(map[string]any)
	short := map[string]any{}
	for k, value := range full {
		short[k] = value
	}
	for k, byDefault := range map[string]any{"dnsServers": []any{}, "timeServers": []any{}, "interfaceMTU": json.Number("9036"), "leaseTimeSeconds": json.Number("3600")} {
		if reflect.DeepEqual(short[k], byDefault) {
			delete(short, k)
		}
	}
	var options hedgehog.DHCPOptions
	if len(short) > 0 && into(short, &options) == nil {
		again := *s
		again.DHCP.Options = &options
		if sameJSON(defaultedSubnet(&again).DHCP.Options, s.DHCP.Options) {
			return short
		}
	}
	return full
}

// dhcpRange writes the range of the DHCP server. The cluster's own default needs none.
func (v *vpcWriter) dhcpRange(p *wantedVPC, s *wantedSubnet, ranges []*IPRange) []*IPRange {
	want := s.spec.DHCP.Range
	if want == nil || len(ranges) > 1 {
		return ranges
	}
	start, err1 := netip.ParseAddr(want.Start)
	end, err2 := netip.ParseAddr(want.End)
	if err1 != nil || err2 != nil || !s.network.Contains(start) || !s.network.Contains(end) || end.Less(start) {
		return ranges
	}
	from, to := netip.PrefixFrom(start, s.network.Bits()).String(), netip.PrefixFrom(end, s.network.Bits()).String()
	same := func(r *IPRange) bool {
		a, err1 := netip.ParsePrefix(r.Start)
		b, err2 := netip.ParsePrefix(r.End)
		return err1 == nil && err2 == nil && a.Addr() == start && b.Addr() == end
	}
	if len(ranges) == 1 && same(ranges[0]) {
		return ranges
	}
	byDefault := &hedgehog.VPCSubnet{Subnet: s.spec.Subnet, Gateway: s.spec.Gateway, DHCP: hedgehog.DHCP{Enable: true}}
	if r := defaultedSubnet(byDefault).DHCP.Range; len(ranges) == 0 && r != nil && *r == *want {
		return ranges
	}
	for _, r := range v.rangesIn[p.row.ID] {
		if v.ipRanges.get(r.ID) == nil || slices.Contains(ranges, r) {
			continue
		}
		if same(r) && len(ranges) == 0 {
			r.Role = v.dhcpRole()
			return []*IPRange{r}
		}
		a, err1 := netip.ParsePrefix(r.Start)
		b, err2 := netip.ParsePrefix(r.End)
		if err1 == nil && err2 == nil && !b.Addr().Less(start) && !end.Less(a.Addr()) {
			v.fail("import-range-overlap", p.object, r, "start_address",
				fmt.Sprintf("the DHCP range %s - %s of subnet %s of VPC %s overlaps range %s - %s of that VRF", start, end, s.key, p.object.Name, r.Start, r.End),
				"correct the range in NetBox, or the manifest")
			return ranges
		}
	}
	if len(ranges) == 1 {
		ranges[0].Start, ranges[0].End = from, to
		return ranges
	}
	r := v.ipRanges.add(IPRange{Start: from, End: to, VRF: p.row.ID, Role: v.dhcpRole(), Status: "active"})
	v.rangesIn[p.row.ID] = append(v.rangesIn[p.row.ID], r)
	return []*IPRange{r}
}

// dhcpRole is the role of ranges that DHCP gives out.
func (v *vpcWriter) dhcpRole() ID {
	if v.dhcpID == 0 {
		role := v.ipamRoles.find(func(r *IPAMRole) bool { return r.Slug == "dhcp" })
		if role == nil {
			role = v.ipamRoles.add(IPAMRole{Slug: "dhcp"})
		}
		v.dhcpID = role.ID
	}
	return v.dhcpID
}

// leases writes the leases that never change, of MAC addresses that an interface of the
// fabric is known to have.
func (v *vpcWriter) leases(p *wantedVPC, s *wantedSubnet) {
	want, have := s.spec.DHCP.Static, map[string]hedgehog.DHCPStatic{}
	if s.native.DHCP.Enable {
		have = s.native.DHCP.Static
	}
	if sameJSON(want, have) {
		return
	}
	at := map[netip.Addr]*IPAddress{}
	leaseOf := map[string]*IPAddress{}
	for _, a := range v.addressesIn[p.row.ID] {
		ip, err := netip.ParsePrefix(a.Address)
		if err != nil || v.ipAddresses.get(a.ID) == nil || !s.network.Contains(ip.Addr()) && !s.was.Contains(ip.Addr()) {
			continue
		}
		at[ip.Addr()] = a
		if i := v.interfaces.get(a.Object); a.Status == "dhcp" && a.Type == "dcim.interface" && i != nil && i.MAC != "" {
			mac := strings.ToLower(i.MAC)
			leaseOf[mac] = a
			if _, wanted := want[mac]; !wanted && s.network.Contains(ip.Addr()) {
				a.Status = "active" // the address stays, the lease does not
			}
		}
	}
	for _, mac := range sortedKeys(want) {
		ip, err := netip.ParseAddr(want[mac].IP)
		on := v.byMAC()[mac]
		if err != nil || !s.network.Contains(ip) || on == nil {
			continue
		}
		address := netip.PrefixFrom(ip, s.network.Bits()).String()
		switch there, lease := at[ip], leaseOf[mac]; {
		case there != nil && there == lease:
		case there != nil && there.Type != "" && (there.Type != "dcim.interface" || there.Object != on.ID) && !v.leaves(there, want):
			v.taken(p.object, there, "the lease of "+mac)
		case there != nil && there.Status != "dhcp" || there != nil && there.Object != on.ID:
			there.Status, there.Type, there.Object = "dhcp", "dcim.interface", on.ID
			if lease != nil && lease.Status == "dhcp" {
				lease.Status = "active"
			}
		case lease != nil:
			lease.Address, lease.Status = address, "dhcp"
		default:
			a := v.ipAddresses.add(IPAddress{Address: address, VRF: p.row.ID, Status: "dhcp", Type: "dcim.interface", Object: on.ID})
			v.addressesIn[p.row.ID] = append(v.addressesIn[p.row.ID], a)
		}
	}
}

// leaves reports whether an address is a lease that the manifests give to another MAC.
func (v *vpcWriter) leaves(a *IPAddress, want map[string]hedgehog.DHCPStatic) bool {
	i := v.interfaces.get(a.Object)
	if i == nil || i.MAC == "" {
		return false
	}
	ip, err := netip.ParsePrefix(a.Address)
	lease, wanted := want[strings.ToLower(i.MAC)]
	return err == nil && a.Status == "dhcp" && wanted && lease.IP != ip.Addr().String()
}

// withoutLeft is what NetBox gives of an object, to be compared: a VPC without the subnets that only NetBox has. A subnet is a record
// of its own: it is listed as one that only NetBox has, and goes with --prune only, as
// whole objects do. Everything else of a VPC is compared.
func (w *writer) withoutLeft(o *hedgehog.Object, got *hedgehog.Object) *hedgehog.Object {
	if o == nil || got == nil || w.o.Prune {
		return got
	}
	want, ok1 := o.Spec.(*hedgehog.VPCSpec)
	have, ok2 := got.Spec.(*hedgehog.VPCSpec)
	if !ok1 || !ok2 {
		return got
	}
	less := *have
	less.Subnets = map[string]*hedgehog.VPCSubnet{}
	for key, s := range have.Subnets {
		if want.Subnets[key] != nil {
			less.Subnets[key] = s
		}
	}
	if len(less.Subnets) == len(have.Subnets) {
		return got
	}
	copied := *got
	copied.Spec = &less
	copied.Leftovers = slices.DeleteFunc(slices.Clone(got.Leftovers), func(l hedgehog.Leftover) bool {
		return len(l.Path) > 2 && l.Path[0] == "spec" && l.Path[1] == "subnets" && want.Subnets[l.Path[2]] == nil
	})
	return &copied
}

// left are the subnets of VPCs of the manifests that only NetBox has and that stay.
func (w *writer) left() []OnlyThere {
	var list []OnlyThere
	if w.o.Prune {
		return nil
	}
	for _, v := range sorted(w.seen.vpcs) {
		o := w.want.Get(hedgehog.KindVPC, v.name)
		if o == nil || w.got.Get(o.Kind, o.Name) == nil {
			continue
		}
		spec := o.Spec.(*hedgehog.VPCSpec)
		for _, s := range v.subnets {
			if s.key == "" || spec.Subnets[s.key] != nil {
				continue
			}
			list = append(list, OnlyThere{Kind: o.Kind, Name: v.name + "/" + s.key, Origin: s.row.path()})
			w.issues = append(w.issues, hedgehog.Issue{Rule: "import-subnet-left", Severity: hedgehog.Warning, Object: o.Key(), Origin: origin(s.row), Field: "prefix",
				Summary: fmt.Sprintf("only NetBox has subnet %s (%s) of VPC %s, so it is still rendered", s.key, s.row.Prefix, v.name),
				Hint:    "import with --prune to remove it"})
		}
	}
	return list
}

// unsaid reports whether nothing but hedgehog_spec can say which VLAN namespace a VPC
// has: it has no VLAN, and there is not exactly one.
func (w *writer) unsaid(o *hedgehog.Object) bool {
	spec, ok := o.Spec.(*hedgehog.VPCSpec)
	got := w.got.Get(o.Kind, o.Name)
	if !ok || got == nil || len(w.seen.groups) == 1 {
		return false
	}
	_, id := splitPath(got.Origin().Path)
	v := w.seen.vpcs[id]
	return v != nil && spec.VLANNamespace != "" && !slices.ContainsFunc(v.subnets, func(s *subnet) bool { return s.vlan != nil })
}

// sayVLANNamespace puts the VLAN namespace of a VPC into its patch.
func sayVLANNamespace(o *hedgehog.Object, patch map[string]any) {
	spec, _ := patch["spec"].(map[string]any)
	if spec == nil {
		spec = map[string]any{}
		patch["spec"] = spec
	}
	spec["vlanNamespace"] = o.Spec.(*hedgehog.VPCSpec).VLANNamespace
}
