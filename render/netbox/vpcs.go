package netbox

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"hedgehog-gitops/render/hedgehog"
)

// vpc is a VRF that is a VPC of the fabric.
type vpc struct {
	row     *VRF
	name    string
	object  *hedgehog.Object
	spec    *hedgehog.VPCSpec
	subnets []*subnet // in the order of their networks
}

// subnet is a prefix that is a subnet of a VPC.
type subnet struct {
	vpc    *vpc
	row    *Prefix
	vlan   *VLAN // nil: host BGP without a VLAN
	prefix netip.Prefix
	key    string
	spec   *hedgehog.VPCSubnet
}

// vpcRecords finds the VPCs of the fabric: VRFs, not external ones, that own an
// active prefix inside a container whose VLAN is in a VLAN group of the fabric,
// or one of host BGP without a VLAN. Only such prefixes are subnets.
func (m *mapper) vpcRecords() {
	for _, row := range sorted(m.vrfs) {
		if row.Fields.text("vrf_kind") == "external" {
			continue
		}
		var subnets []*subnet
		var stray []*Prefix
		for _, p := range m.prefixesIn[row.ID] {
			prefix, err := netip.ParsePrefix(p.Prefix)
			if err != nil || p.Status != "active" {
				continue
			}
			vlan := m.vlans[p.VLAN]
			inGroup := vlan != nil && m.inGroups(vlan)
			if m.containerOf(prefix) == nil {
				if inGroup {
					stray = append(stray, p)
				}
				continue
			}
			switch {
			case inGroup:
			case vlan == nil && p.Fields.isTrue("host_bgp") && (p.Scope == Scope{} || m.touches(p.Scope)):
			default:
				continue
			}
			subnets = append(subnets, &subnet{row: p, vlan: vlan, prefix: prefix.Masked()})
		}
		for _, p := range stray {
			m.notice("prefix-outside-containers", hedgehog.Key{}, p, "prefix",
				fmt.Sprintf("prefix %s has a VLAN of the fabric and lies in none of its containers, so it is no subnet", p.Prefix),
				fmt.Sprintf("give the container around it the tag %s and the fabric's site or location as scope", m.c.Tag))
		}
		if len(subnets) == 0 {
			continue
		}
		slices.SortFunc(subnets, func(a, b *subnet) int {
			return cmp.Or(a.prefix.Addr().Compare(b.prefix.Addr()), cmp.Compare(a.prefix.Bits(), b.prefix.Bits()), cmp.Compare(a.row.ID, b.row.ID))
		})
		m.vpcRecord(row, subnets)
	}
}

func (m *mapper) inGroups(v *VLAN) bool {
	return slices.ContainsFunc(m.groups, func(g *VLANGroup) bool { return g.ID == v.Group })
}

func (m *mapper) vpcRecord(row *VRF, subnets []*subnet) {
	v := &vpc{row: row, subnets: subnets, spec: &hedgehog.VPCSpec{Subnets: map[string]*hedgehog.VPCSubnet{}}}
	pinned := row.Fields.text("name")
	name, ok := m.named(hedgehog.KindVPC, row, row.Name, pinned)
	if !ok {
		// Go on under the name that it would have, so that the rest is judged too.
		if name = cmp.Or(pinned, slug(row.Name)); name == "" {
			name = fmt.Sprintf("vrf-%d", row.ID)
		}
	} else {
		m.claim(hedgehog.KindVPC, name, row)
	}
	v.name = name
	v.object = newObject(hedgehog.KindVPC, name, row)
	v.object.Spec = v.spec
	m.vpcs[row.ID] = v
	m.vpcFields(v)
	m.vpcNamespaces(v)
	m.subnetKeys(v)
	for _, s := range subnets {
		s.vpc = v
		from(v.object, s.row)
		if s.vlan != nil {
			from(v.object, s.vlan)
			m.subnetsOf[s.vlan.ID] = append(m.subnetsOf[s.vlan.ID], s)
		}
	}
}

// vpcFields reads the custom fields of the VRF.
func (m *mapper) vpcFields(v *vpc) {
	f, key := v.row.Fields, v.object.Key()
	if mode := f.text("vpc_mode"); mode != "l2vni" {
		v.spec.Mode = mode
	}
	v.spec.DefaultIsolated = f.isTrue("default_isolated")
	v.spec.DefaultRestricted = f.isTrue("default_restricted")
	if raw := f.value("permit"); raw != nil {
		if err := into(raw, &v.spec.Permit); err != nil {
			m.fail("permit-form", key, v.row, cf("permit"), cf("permit")+" is no list of lists of subnets: "+err.Error(), `write [["web", "db"]]`)
		}
	}
	if raw := f.value("static_routes"); raw != nil {
		if err := into(raw, &v.spec.StaticRoutes); err != nil {
			m.fail("static-routes-form", key, v.row, cf("static_routes"), cf("static_routes")+" is no list of routes: "+err.Error(), `write [{"prefix": "10.99.0.0/24", "nextHops": ["10.0.1.9"]}]`)
		}
	}
}

// vpcNamespaces finds the one VLAN namespace and the one IPv4 namespace.
func (m *mapper) vpcNamespaces(v *vpc) {
	key := v.object.Key()
	for _, s := range v.subnets {
		c := m.containerOf(s.prefix)
		from(v.object, c.row)
		if v.spec.IPv4Namespace == "" {
			v.spec.IPv4Namespace = c.namespace
		} else if c.namespace != v.spec.IPv4Namespace {
			m.fail("vpc-two-ipv4-namespaces", key, s.row, "prefix",
				fmt.Sprintf("VPC %s has subnets in two IPv4 namespaces, %s and %s", v.name, v.spec.IPv4Namespace, c.namespace),
				"keep the prefixes of a VRF inside the containers of one namespace")
		}
		if s.vlan == nil {
			continue
		}
		from(v.object, m.vlanGroups[s.vlan.Group])
		if ns := m.namespaceOf[s.vlan.Group]; v.spec.VLANNamespace == "" {
			v.spec.VLANNamespace = ns
		} else if ns != v.spec.VLANNamespace {
			m.fail("vpc-two-vlan-namespaces", key, s.row, "vlan",
				fmt.Sprintf("VPC %s has VLANs of two VLAN namespaces, %s and %s", v.name, v.spec.VLANNamespace, ns),
				"use VLANs of one VLAN group in a VRF")
		}
	}
	if v.spec.VLANNamespace != "" {
		return
	}
	if len(m.groups) == 1 {
		from(v.object, m.groups[0])
		v.spec.VLANNamespace = m.namespaceOf[m.groups[0].ID]
		return
	}
	// A patch may say what the records cannot.
	if patch, ok := v.row.Fields.value("spec").(map[string]any); ok {
		spec, _ := patch["spec"].(map[string]any)
		if spec == nil {
			spec = patch
		}
		if _, ok := spec["vlanNamespace"].(string); ok {
			return
		}
	}
	m.fail("vpc-vlan-namespace", key, v.row, "vlan",
		fmt.Sprintf("VPC %s has no VLAN, and the fabric has %d VLAN namespaces: which one is its?", v.name, len(m.groups)),
		fmt.Sprintf(`set %s to {"spec": {"vlanNamespace": "..."}}, or give one of its prefixes a VLAN`, cf("spec")))
}

// subnetKeys names the subnets: by their field, else by their VLAN's name
// without the VPC's name before it, else "default" for the only one.
func (m *mapper) subnetKeys(v *vpc) {
	used := map[string]*subnet{}
	only := len(v.subnets) == 1
	for _, s := range v.subnets {
		s.key = s.row.Fields.text("subnet")
		if s.key == "" {
			s.key = subnetKey(v, s)
			if s.key == "" && only {
				s.key = "default"
			}
		}
		switch first := used[s.key]; {
		case s.key == "":
			m.fail("subnet-name-missing", v.object.Key(), s.row, cf("subnet"),
				fmt.Sprintf("VPC %s has several subnets, and nothing says what %s is called", v.name, s.row.Prefix),
				fmt.Sprintf("set %s on the prefix, or call its VLAN %s-<subnet>", cf("subnet"), v.name))
		case !validName(s.key) || len(s.key) > 63:
			m.fail("subnet-name-invalid", v.object.Key(), s.row, cf("subnet"),
				fmt.Sprintf("%q is no name for a subnet", s.key),
				"set "+cf("subnet")+": at most 63 lower-case letters, digits, hyphens and dots, a letter or digit at both ends and beside every dot")
			s.key = ""
		case first != nil:
			m.fail("subnet-name-collision", v.object.Key(), s.row, cf("subnet"),
				fmt.Sprintf("prefixes %s and %s are both subnet %s of VPC %s", first.row.Prefix, s.row.Prefix, s.key, v.name),
				"set "+cf("subnet")+" on one of them, or rename its VLAN")
		default:
			used[s.key] = s
		}
	}
}

// subnetKey is the name that a subnet has from its VLAN, empty when that is the
// VPC's own name or there is no VLAN.
func subnetKey(v *vpc, s *subnet) string {
	if s.vlan == nil {
		return ""
	}
	name := slug(s.vlan.Name)
	for _, of := range []string{v.name, slug(v.row.Name)} {
		if name == of {
			return ""
		}
	}
	for _, of := range []string{v.name, slug(v.row.Name)} {
		if rest, ok := strings.CutPrefix(name, of+"-"); ok {
			return strings.Trim(rest, "-.")
		}
	}
	return name
}

// finishVPCs fills the subnets and adds the VPCs.
func (m *mapper) finishVPCs() {
	for _, v := range sorted(m.vpcs) {
		for _, s := range v.subnets {
			if s.key == "" {
				continue
			}
			s.spec = &hedgehog.VPCSubnet{
				Subnet:     s.prefix.String(),
				Isolated:   s.row.Fields.flag("isolated"),
				Restricted: s.row.Fields.flag("restricted"),
				HostBGP:    s.row.Fields.isTrue("host_bgp"),
			}
			if s.vlan != nil {
				s.spec.VLAN = s.vlan.VID
			}
			m.hostBGPOptions(s)
			m.gatewayAddress(s)
			m.dhcp(s)
			s.spec = m.patchSubnet(s)
			v.spec.Subnets[s.key] = s.spec
		}
		m.patch(v.object, v.row, v.row.Fields.value("spec"))
		m.add(v.object)
	}
}

// patchSubnet applies the prefix's own patch.
func (m *mapper) patchSubnet(s *subnet) *hedgehog.VPCSubnet {
	patch := s.row.Fields.value("spec")
	if patch == nil {
		return s.spec
	}
	// The patch is one of the whole VPC, with only this subnet in it: unknown
	// fields are kept the same way.
	v := s.vpc
	v.spec.Subnets[s.key] = s.spec
	m.patch(v.object, s.row, map[string]any{"spec": map[string]any{"subnets": map[string]any{s.key: patch}}})
	v.spec = v.object.Spec.(*hedgehog.VPCSpec)
	if patched := v.spec.Subnets[s.key]; patched != nil {
		return patched
	}
	return s.spec
}

// hostBGPOptions reads the field of that name, whose keys are those of the CRD.
func (m *mapper) hostBGPOptions(s *subnet) {
	raw := s.row.Fields.value("host_bgp_options")
	if raw == nil {
		return
	}
	var options struct {
		Min   uint8                             `json:"hostBGPMinPrefixLen"`
		Max   uint8                             `json:"hostBGPMaxPrefixLen"`
		Extra map[string]hedgehog.HostBGPPrefix `json:"hostBGPExtraPrefixes"`
	}
	if err := into(raw, &options); err != nil {
		m.fail("host-bgp-options-form", s.vpc.object.Key(), s.row, cf("host_bgp_options"),
			cf("host_bgp_options")+" cannot be read: "+err.Error(), `use the keys hostBGPMinPrefixLen, hostBGPMaxPrefixLen and hostBGPExtraPrefixes`)
		return
	}
	s.spec.HostBGPMinPrefixLen, s.spec.HostBGPMaxPrefixLen, s.spec.HostBGPExtraPrefixes = options.Min, options.Max, options.Extra
}

// gatewayRoles are the roles that make an address the gateway of its subnet.
func gatewayRole(role string) bool {
	switch role {
	case "anycast", "vip", "vrrp", "glbp", "hsrp", "carp":
		return true
	}
	return false
}

// gatewayAddress finds the gateway of a subnet; without one it is the first
// host. Host BGP has none.
func (m *mapper) gatewayAddress(s *subnet) {
	if s.spec.HostBGP {
		return
	}
	var found *IPAddress
	for _, a := range m.addressesIn[s.row.VRF] {
		p, err := netip.ParsePrefix(a.Address)
		if err != nil || !gatewayRole(a.Role) || !s.prefix.Contains(p.Addr()) {
			continue
		}
		if s.spec.Gateway != "" && s.spec.Gateway != p.Addr().String() {
			m.fail("gateway-ambiguous", s.vpc.object.Key(), s.row, "ip_addresses",
				fmt.Sprintf("subnet %s has two addresses with the role of a gateway: %s and %s", s.row.Prefix, found.Address, a.Address),
				"take the role off the one that is not the gateway")
			return
		}
		// An anycast address may be documented on every leaf.
		found, s.spec.Gateway = a, p.Addr().String()
		from(s.vpc.object, a)
	}
}

// dhcp reads the DHCP service of a subnet.
func (m *mapper) dhcp(s *subnet) {
	f, key := s.row.Fields, s.vpc.object.Key()
	mode := f.text("dhcp")
	var ranges []*IPRange
	for _, r := range m.rangesIn[s.row.VRF] {
		role := m.ipamRoles[r.Role]
		start, err1 := netip.ParsePrefix(r.Start)
		end, err2 := netip.ParsePrefix(r.End)
		if role != nil && role.Slug == "dhcp" && err1 == nil && err2 == nil && s.prefix.Contains(start.Addr()) && s.prefix.Contains(end.Addr()) {
			ranges = append(ranges, r)
		}
	}
	if mode == "" && len(ranges) > 0 {
		mode = "server"
	}
	switch mode {
	case "relay":
		m.relay(s)
	case "server":
		s.spec.DHCP.Enable = true
	default:
		m.ignoredLeases(s)
		return
	}
	if !s.spec.DHCP.Enable {
		m.ignoredLeases(s)
		return
	}
	switch len(ranges) {
	case 0:
	case 1:
		start, _ := netip.ParsePrefix(ranges[0].Start)
		end, _ := netip.ParsePrefix(ranges[0].End)
		s.spec.DHCP.Range = &hedgehog.DHCPRange{Start: start.Addr().String(), End: end.Addr().String()}
		from(s.vpc.object, ranges[0])
	default:
		m.fail("dhcp-two-ranges", key, s.row, "ip_ranges",
			fmt.Sprintf("subnet %s has %d ranges of role dhcp; Hedgehog has one", s.row.Prefix, len(ranges)),
			"merge them, or take the role off all but one")
	}
	if raw := f.value("dhcp_options"); raw != nil {
		var options hedgehog.DHCPOptions
		if err := into(raw, &options); err != nil {
			m.fail("dhcp-options-form", key, s.row, cf("dhcp_options"),
				cf("dhcp_options")+" cannot be read: "+err.Error(), "use the keys of dhcp.options in a VPC, as dnsServers")
		} else {
			s.spec.DHCP.Options = &options
		}
	}
	m.leases(s)
}

// relay reads a DHCP relay.
func (m *mapper) relay(s *subnet) {
	f, key := s.row.Fields, s.vpc.object.Key()
	s.spec.DHCP.Relay = f.text("dhcp_relay")
	if s.spec.DHCP.Relay == "" {
		m.fail("dhcp-relay-missing", key, s.row, cf("dhcp_relay"),
			fmt.Sprintf("subnet %s relays DHCP and does not say to which server", s.row.Prefix), "set "+cf("dhcp_relay")+" to the server's address, as 10.0.0.9/32")
	}
	id := f.object("dhcp_relay_vpc")
	if id == 0 {
		return
	}
	if through := m.vpcs[id]; through != nil {
		s.spec.DHCP.RelayVPC = through.name
		from(s.vpc.object, through.row)
		return
	}
	name := fmt.Sprintf("VRF %d", id)
	if v := m.vrfs[id]; v != nil {
		name = "VRF " + v.Name
	}
	m.fail("dhcp-relay-vpc", key, s.row, cf("dhcp_relay_vpc"),
		fmt.Sprintf("subnet %s relays DHCP through %s, which is no VPC of the fabric", s.row.Prefix, name),
		"choose a VRF that is a VPC of this fabric")
}

// leasesOf yields the addresses of a subnet that DHCP always gives to one
// interface, with that interface.
func (m *mapper) leasesOf(s *subnet, yield func(a *IPAddress, ip netip.Addr, on *Interface)) {
	for _, a := range m.addressesIn[s.row.VRF] {
		if a.Status != "dhcp" || a.Type != "dcim.interface" {
			continue
		}
		p, err := netip.ParsePrefix(a.Address)
		on := m.interfaces[a.Object]
		if err != nil || on == nil || !s.prefix.Contains(p.Addr()) {
			continue
		}
		d := m.deviceOf(on)
		if d == nil || !m.here(d) || !m.rendered(d) {
			continue
		}
		if role := m.roleOf(d); role != "" && role != RoleExternal {
			yield(a, p.Addr(), on)
		}
	}
}

// leases reads the leases that never change.
func (m *mapper) leases(s *subnet) {
	holder := map[string]*IPAddress{}
	m.leasesOf(s, func(a *IPAddress, ip netip.Addr, on *Interface) {
		if on.MAC == "" {
			m.notice("dhcp-lease-without-mac", s.vpc.object.Key(), on, "mac_address",
				fmt.Sprintf("address %s is a DHCP lease of interface %s, which has no MAC address, so it is not reserved", a.Address, on.Name),
				"set the interface's primary MAC address")
			return
		}
		mac := strings.ToLower(on.MAC)
		if first := holder[mac]; first != nil {
			m.fail("dhcp-lease-twice", s.vpc.object.Key(), a, "assigned_object",
				fmt.Sprintf("addresses %s and %s are both leases of MAC %s in subnet %s", first.Address, a.Address, mac, s.row.Prefix),
				"keep one of the two, or assign the other to the interface that it belongs to")
			return
		}
		holder[mac] = a
		put(&s.spec.DHCP.Static, mac, hedgehog.DHCPStatic{IP: ip.String()})
		from[row](s.vpc.object, a, on, m.deviceOf(on))
	})
}

// ignoredLeases says that leases of a subnet without the DHCP server do nothing.
func (m *mapper) ignoredLeases(s *subnet) {
	m.leasesOf(s, func(a *IPAddress, _ netip.Addr, _ *Interface) {
		m.notice("dhcp-lease-without-server", s.vpc.object.Key(), a, "status",
			fmt.Sprintf("address %s is a DHCP lease, and subnet %s has no DHCP server", a.Address, s.row.Prefix),
			"set "+cf("dhcp")+" of the prefix to server, or the address's status to active")
	})
}
