package netbox

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"hedgehog-gitops/render/hedgehog"
)

// switchNode is a switch of the fabric with its ports.
type switchNode struct {
	node
	role    string
	spec    *hedgehog.SwitchSpec
	profile *hedgehog.Profile // nil when it is not known; an issue says so
	// portOf is the Hedgehog port that an interface is, such as E1/49 or E1/1/2;
	// interfaces that are no port are absent.
	portOf map[ID]string
	// management is the interface that is M1, or nil.
	management *Interface
}

func (s *switchNode) spine() bool { return s.role == RoleSpine }

// gatewayNode is a gateway of the fabric.
type gatewayNode struct {
	node
	spec *hedgehog.GatewaySpec
}

// nodes renders the devices of the fabric.
func (m *mapper) nodes() {
	var devices []*Device
	for _, d := range sorted(m.devices) {
		if m.here(d) && m.rendered(d) {
			devices = append(devices, d)
		}
	}
	slices.SortStableFunc(devices, func(a, b *Device) int { return natural(a.Name, b.Name) })
	groups := map[string][]*Device{}
	for _, d := range devices {
		switch role := m.roleOf(d); role {
		case RoleSpine, RoleServerLeaf, RoleBorderLeaf, RoleMixedLeaf:
			m.switchDevice(d, role, groups)
		case RoleServer:
			m.serverDevice(d)
		case RoleGateway:
			m.gatewayDevice(d)
		}
	}
	for _, name := range sortedKeys(groups) {
		key := hedgehog.Key{Kind: hedgehog.KindSwitchGroup, Name: name}
		if !validName(name) || len(name) > 63 {
			m.fail("switch-group-name", key, groups[name][0], cf("switch_groups"),
				fmt.Sprintf("%q is no name for a switch group", name), "use lower-case letters, digits and hyphens")
			continue
		}
		o := newObject(hedgehog.KindSwitchGroup, name, groups[name][0])
		from(o, groups[name]...)
		m.claimed[key] = groups[name][0]
		m.add(o)
	}
}

// deviceNode names a device.
func (m *mapper) deviceNode(kind hedgehog.Kind, d *Device) (node, bool) {
	pinned := d.Fields.text("name")
	name, ok := m.named(kind, d, d.Name, pinned)
	if !ok || !m.claim(kind, name, d) {
		return node{}, false
	}
	o := newObject(kind, name, d)
	for role, n := m.deviceRoles[d.Role], 0; role != nil && n <= len(m.deviceRoles); role, n = m.deviceRoles[role.Parent], n+1 {
		from(o, role)
	}
	return node{device: d, name: name, object: o}, true
}

func (m *mapper) serverDevice(d *Device) {
	n, ok := m.deviceNode(hedgehog.KindServer, d)
	if !ok {
		return
	}
	n.object.Spec = &hedgehog.ServerSpec{Description: d.Description}
	m.patch(n.object, d, d.Fields.value("spec"))
	m.servers[d.ID] = &n
	m.add(n.object)
}

func (m *mapper) switchDevice(d *Device, role string, groups map[string][]*Device) {
	n, ok := m.deviceNode(hedgehog.KindSwitch, d)
	if !ok {
		return
	}
	s := &switchNode{node: n, role: role, spec: &hedgehog.SwitchSpec{}, portOf: map[ID]string{}}
	o, spec, key := n.object, s.spec, n.object.Key()
	o.Spec = spec
	spec.Role, spec.Description, spec.Boot.Serial = role, d.Description, d.Serial

	s.profile = m.profileOf(d, key, o)
	if s.profile != nil {
		spec.Profile = s.profile.Name
		m.ports(s)
	}
	if i := s.management; i != nil {
		spec.Boot.MAC = strings.ToLower(i.MAC)
		from(o, i)
	}
	spec.ASN = m.deviceASN(d, o)
	spec.IP = m.managementIP(s)
	spec.ProtocolIP, _ = m.poolAddress(d, o, m.c.Settings.Pools.ProtocolSubnet, "protocolIP")
	if !s.spine() {
		spec.VTEPIP, _ = m.poolAddress(d, o, m.c.Settings.Pools.VTEPSubnet, "vtepIP")
	}
	m.redundancy(s, groups)
	m.switchVLANNamespaces(s)
	m.switchContext(s)
	m.patch(o, d, d.Fields.value("spec"))
	spec = o.Spec.(*hedgehog.SwitchSpec)
	s.spec = spec
	s.role = spec.Role
	m.demandAddresses(s)
	m.switches[d.ID] = s
	m.leaves = append(m.leaves, s)
	m.add(o)
}

// demandAddresses reports the addresses that a running cluster refuses a switch
// without.
func (m *mapper) demandAddresses(s *switchNode) {
	if m.c.Settings.Target != hedgehog.TargetCluster {
		return
	}
	key, d, pools := s.object.Key(), s.device, m.c.Settings.Pools
	demand := func(have bool, field, what, hint string) {
		if !have {
			m.fail("switch-address-missing", key, d, field, fmt.Sprintf("switch %s has no %s", s.name, what), hint)
		}
	}
	demand(s.spec.ASN != 0, cf("asn"), "AS number", "set "+cf("asn")+" on the device")
	demand(s.spec.IP != "", "oob_ip", "management address",
		fmt.Sprintf("set the device's out-of-band IP to its address in %s", pools.ManagementSubnet))
	demand(s.spec.ProtocolIP != "", "interfaces", "protocol address",
		fmt.Sprintf("assign a /32 of %s to one of its loopback interfaces", pools.ProtocolSubnet))
	if !s.spine() {
		demand(s.spec.VTEPIP != "", "interfaces", "VTEP address",
			fmt.Sprintf("assign a /32 of %s to one of its loopback interfaces", pools.VTEPSubnet))
	}
}

// profileOf finds the switch profile of a device's type.
func (m *mapper) profileOf(d *Device, key hedgehog.Key, o *hedgehog.Object) *hedgehog.Profile {
	t := m.deviceTypes[d.DeviceType]
	if t == nil {
		return nil // Read proves that there are no dangling references
	}
	from(o, t)
	maker := ""
	if mk := m.makers[t.Manufacturer]; mk != nil {
		maker = mk.Slug
		from(o, mk)
	}
	name, field := t.Fields.text("switch_profile"), cf("switch_profile")
	if name == "" {
		name, field = m.c.Profiles[maker+"/"+t.Slug], "fabrics[].profiles"
	}
	if name == "" {
		name, _ = hedgehog.ProfileByDeviceType(maker, t.Slug, t.Model, t.PartNumber)
	}
	if name == "" {
		m.fail("profile-unknown", key, t, cf("switch_profile"),
			fmt.Sprintf("nothing says which switch profile device type %s/%s is", maker, t.Slug),
			fmt.Sprintf("set %s on the device type, or `profiles: {%s/%s: ...}` in hedgehog-gitops.yaml", cf("switch_profile"), maker, t.Slug))
		return nil
	}
	if p, ok := m.profiles[name]; ok {
		return p
	}
	var known *hedgehog.Profile
	if p, ok := hedgehog.ProfileByName(name); ok {
		known = &p
	}
	m.profiles[name] = known
	if known == nil {
		m.fail("profile-unknown", key, t, field, fmt.Sprintf("%q is no switch profile", name), "use one of the profiles of docs/profiles.md")
	}
	return known
}

// deviceASN reads the AS number of a device: an object field, or a number.
func (m *mapper) deviceASN(d *Device, o *hedgehog.Object) uint32 {
	asn, row := m.asnField(d.Fields, "asn")
	if row != nil {
		from(o, row)
	}
	return asn
}

// asnField reads an AS number from a field of type object, or of type integer.
func (m *mapper) asnField(f Fields, name string) (uint32, *ASN) {
	if row := m.asns[f.object(name)]; row != nil {
		return row.ASN, row
	}
	if n, ok := integer(f.value(name)); ok && n > 0 && n <= 1<<32-1 {
		return uint32(n), nil
	}
	return 0, nil
}

// managementIP is the device's out-of-band IP, else the address of its
// management port, else its primary IPv4 address when that is a management one.
func (m *mapper) managementIP(s *switchNode) string {
	pool, o := m.c.Settings.Pools.ManagementSubnet, s.object
	if a := m.addresses[s.device.OOBIP]; a != nil {
		from(o, a)
		return a.Address
	}
	if s.management != nil {
		on := m.addressesOn[s.management.ID]
		in := slices.DeleteFunc(slices.Clone(on), func(a *IPAddress) bool { return !inPool(a, pool) })
		switch {
		case len(in) == 1:
			from(o, in[0])
			return in[0].Address
		case len(in) > 1:
			m.fail("management-ip-ambiguous", o.Key(), s.device, "oob_ip",
				fmt.Sprintf("port %s has %d addresses in %s", s.management.Name, len(in), pool), "set the device's out-of-band IP to the one that is meant")
			return ""
		case len(on) == 1:
			from(o, on[0])
			return on[0].Address
		}
	}
	if a := m.addresses[s.device.PrimaryIP4]; a != nil && inPool(a, pool) {
		from(o, a)
		return a.Address
	}
	return ""
}

func inPool(a *IPAddress, pool netip.Prefix) bool {
	p, err := netip.ParsePrefix(a.Address)
	return err == nil && pool.Contains(p.Addr())
}

// poolAddress finds the one address of a pool on any interface of the device.
func (m *mapper) poolAddress(d *Device, o *hedgehog.Object, pool netip.Prefix, field string) (string, *Interface) {
	var found *IPAddress
	var on *Interface
	for _, i := range m.interfacesOf[d.ID] {
		for _, a := range m.addressesOn[i.ID] {
			if !inPool(a, pool) {
				continue
			}
			if found != nil && found.Address != a.Address {
				m.fail("pool-address-ambiguous", o.Key(), d, "interfaces",
					fmt.Sprintf("%s has two addresses in %s: %s and %s; which one is %s?", d.Name, pool, found.Address, a.Address, field),
					"remove one of the two")
				return "", nil
			}
			found, on = a, i
		}
	}
	if found == nil {
		return "", nil
	}
	from[row](o, on, found)
	return found.Address, on
}

// redundancy reads the switch groups of a device.
func (m *mapper) redundancy(s *switchNode, groups map[string][]*Device) {
	d, spec := s.device, s.spec
	spec.Redundancy.Group = d.Fields.text("redundancy_group")
	spec.Redundancy.Type = d.Fields.text("redundancy_type")
	list, ok := textList(d.Fields.value("switch_groups"))
	if !ok {
		m.fail("switch-groups-form", s.object.Key(), d, cf("switch_groups"), cf("switch_groups")+" is no list of names", `write ["group-1", "group-2"]`)
	}
	spec.Groups = list
	if (spec.Redundancy.Group == "") != (spec.Redundancy.Type == "") {
		field := "redundancy_type"
		if spec.Redundancy.Group == "" {
			field = "redundancy_group"
		}
		m.fail("switch-redundancy-half", s.object.Key(), d, cf(field),
			fmt.Sprintf("switch %s has one of redundancy group and redundancy type, not both", s.name), "set "+cf(field)+", or clear the other")
	}
	if g := spec.Redundancy.Group; g != "" && !slices.Contains(spec.Groups, g) {
		spec.Groups = append(slices.Clone(spec.Groups), g)
	}
	for _, g := range spec.Groups {
		groups[g] = append(groups[g], d)
	}
}

// switchVLANNamespaces puts every VLAN namespace of the fabric on a switch,
// unless the device names its own.
func (m *mapper) switchVLANNamespaces(s *switchNode) {
	if ids := s.device.Fields.objects("vlan_namespaces"); len(ids) > 0 {
		for _, id := range ids {
			name, ok := m.namespaceOf[id]
			if !ok {
				what := "an unknown VLAN group"
				if g := m.vlanGroups[id]; g != nil {
					what = "VLAN group " + g.Name
				}
				m.fail("switch-vlan-namespace", s.object.Key(), s.device, cf("vlan_namespaces"),
					fmt.Sprintf("switch %s names %s, which is no VLAN namespace of the fabric", s.name, what),
					fmt.Sprintf("tag the group %s and give it the fabric's site or location as scope", m.c.Tag))
				continue
			}
			from(s.object, m.vlanGroups[id])
			s.spec.VLANNamespaces = append(s.spec.VLANNamespaces, name)
		}
		return
	}
	for _, g := range m.groups {
		if name, ok := m.namespaceOf[g.ID]; ok {
			from(s.object, g)
			s.spec.VLANNamespaces = append(s.spec.VLANNamespaces, name)
		}
	}
}

// switchContext applies hedgehog.switch of the config context, a patch of the
// spec, and hedgehog.annotations.
func (m *mapper) switchContext(s *switchNode) {
	context, ok := s.device.Context.(map[string]any)
	if s.device.Context != nil && !ok {
		m.fail("context-form", s.object.Key(), s.device, "config context hedgehog", "hedgehog in the config context is no object", "write {\"hedgehog\": {\"switch\": {...}}}")
		return
	}
	patch := map[string]any{}
	if v, ok := context["switch"]; ok {
		if _, isObject := v.(map[string]any); !isObject {
			m.fail("context-form", s.object.Key(), s.device, "config context hedgehog.switch", "hedgehog.switch in the config context is no object", "write fields of a switch's spec, as {\"enableAllPorts\": true}")
			return
		}
		patch["spec"] = v
	}
	if v, ok := context["annotations"].(map[string]any); ok {
		patch["metadata"] = map[string]any{"annotations": v}
	}
	if len(patch) > 0 {
		m.patchFrom(s.object, s.device, "config context hedgehog", patch)
		s.spec = s.object.Spec.(*hedgehog.SwitchSpec)
	}
}

func (m *mapper) gatewayDevice(d *Device) {
	n, ok := m.deviceNode(hedgehog.KindGateway, d)
	if !ok {
		return
	}
	if !m.c.Settings.Gateway {
		m.fail("gateway-disabled", n.object.Key(), d, "role",
			"the device is a gateway, and the installation has no gateways enabled",
			"set `gateway: true` for the fabric in hedgehog-gitops.yaml, or give the device another role")
		return
	}
	g := &gatewayNode{node: n, spec: &hedgehog.GatewaySpec{}}
	o, pools := n.object, m.c.Settings.Pools
	o.Spec = g.spec
	if g.spec.ASN = m.deviceASN(d, o); g.spec.ASN == 0 {
		g.spec.ASN = pools.GatewayASN
	}
	g.spec.ProtocolIP, _ = m.poolAddress(d, o, pools.ProtocolSubnet, "protocolIP")
	var on *Interface
	if g.spec.VTEPIP, on = m.poolAddress(d, o, pools.VTEPSubnet, "vtepIP"); on != nil {
		g.spec.VTEPMAC = strings.ToLower(on.MAC)
		g.spec.VTEPMTU = uint32(max(on.MTU, 0))
	}
	if m.c.Settings.Target == hedgehog.TargetCluster {
		for _, want := range []struct {
			have              bool
			what, field, hint string
		}{
			{g.spec.ProtocolIP != "", "protocol address", "interfaces", fmt.Sprintf("assign a /32 of %s to one of its loopback interfaces", pools.ProtocolSubnet)},
			{g.spec.VTEPIP != "", "VTEP address", "interfaces", fmt.Sprintf("assign a /32 of %s to one of its loopback interfaces", pools.VTEPSubnet)},
			{on == nil || g.spec.VTEPMAC != "", "VTEP MAC address", "mac_address", "set the MAC address of the interface that holds the VTEP address"},
		} {
			if !want.have {
				m.fail("gateway-address-missing", o.Key(), d, want.field, fmt.Sprintf("gateway %s has no %s", n.name, want.what), want.hint)
			}
		}
	}
	m.memberships(g)
	m.gateways[d.ID] = g
}

// memberships reads the gateway groups of a gateway and renders them.
func (m *mapper) memberships(g *gatewayNode) {
	d := g.device
	g.spec.Groups = []hedgehog.GatewayMembership{{Name: "default"}}
	if v := d.Fields.value("gateway_groups"); v != nil {
		var list []hedgehog.GatewayMembership
		if err := into(v, &list); err != nil {
			m.fail("gateway-groups-form", g.object.Key(), d, cf("gateway_groups"),
				cf("gateway_groups")+" is no list of groups: "+err.Error(), `write [{"name": "default", "priority": 0}]`)
			return
		}
		g.spec.Groups = list
	}
	for _, group := range g.spec.Groups {
		key := hedgehog.Key{Kind: hedgehog.KindGatewayGroup, Name: group.Name}
		if !validName(group.Name) {
			m.fail("gateway-group-name", key, d, cf("gateway_groups"), fmt.Sprintf("%q is no name for a gateway group", group.Name), "use lower-case letters, digits and hyphens")
			continue
		}
		if o := m.fabric.Get(key.Kind, key.Name); o != nil {
			from(o, d)
			continue
		}
		m.claimed[key] = d
		m.add(newObject(key.Kind, key.Name, d))
	}
}

// finishGateways adds the gateways, now that their links are known.
func (m *mapper) finishGateways() {
	for _, g := range sorted(m.gateways) {
		slices.SortStableFunc(g.spec.Neighbors, func(a, b hedgehog.GatewayNeighbor) int { return natural(a.Source, b.Source) })
		m.patch(g.object, g.device, g.device.Fields.value("spec"))
		m.add(g.object)
	}
}
