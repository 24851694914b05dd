package hedgehog

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
)

// vpcs judges VPCs against their namespaces and each other.
func (v *validator) vpcs() {
	claims := map[string][]claim{}
	type vlan struct {
		namespace string
		id        uint16
	}
	type use struct {
		object *Object
		subnet string
	}
	vlans := map[vlan]use{}
	for o, s := range Each[*VPCSpec](v.fabric) {
		pools, ranges := v.vpcNamespaces(o, s)
		space := orDefault(s.IPv4Namespace)
		for _, name := range slices.Sorted(maps.Keys(s.Subnets)) {
			subnet := s.Subnets[name]
			if subnet == nil {
				continue
			}
			at := "spec.subnets." + name
			claimed := func(text, field string) {
				p, ok := masked(text)
				if !ok {
					return
				}
				if pools != nil && !within(p, pools) {
					v.report("vpc-subnet-pool", o, field, "%s is in no network of IPv4 namespace %s", p, space)
				}
				if r, taken := v.reserved(p); taken {
					v.report("vpc-subnet-reserved", o, field, "%s meets %s", p, r)
				}
				claims[space] = append(claims[space], claim{p, o, field})
			}
			claimed(subnet.Subnet, at+".subnet")
			for _, extra := range slices.Sorted(maps.Keys(subnet.HostBGPExtraPrefixes)) {
				claimed(extra, at+".hostBGPExtraPrefixes."+extra)
			}
			v.vpcSubnet(o, at, subnet)
			if subnet.VLAN == 0 {
				continue
			}
			if ranges != nil && !subnet.HostBGP && !slices.ContainsFunc(ranges, func(r VLANRange) bool { return r.valid() && r.From <= subnet.VLAN && subnet.VLAN <= r.last() }) {
				v.report("vpc-vlan-namespace", o, at+".vlan", "VLAN %d is not in VLAN namespace %s", subnet.VLAN, orDefault(s.VLANNamespace))
			}
			key := vlan{orDefault(s.VLANNamespace), subnet.VLAN}
			if before, ok := vlans[key]; ok {
				v.report("vpc-vlan-twice", o, at+".vlan", "VLAN %d is that of subnet %s of %s", subnet.VLAN, before.subnet, other(before.object))
			} else {
				vlans[key] = use{o, name}
			}
		}
		for i, list := range s.Permit {
			for j, name := range list {
				if _, ok := s.Subnets[name]; !ok {
					v.report("vpc-permit-unknown", o, fmt.Sprintf("spec.permit[%d][%d]", i, j), "subnet %q", name)
				}
			}
		}
	}
	for _, space := range slices.Sorted(maps.Keys(claims)) {
		overlaps(claims[space], func(c, in claim) {
			if in.object == c.object {
				v.report("vpc-subnet-overlap", c.object, c.field, "%s meets %s of %s", c.prefix, in.prefix, in.field)
				return
			}
			v.report("vpc-subnet-overlap", c.object, c.field, "%s meets %s of %s", c.prefix, in.prefix, other(in.object))
		})
	}
}

// vpcNamespaces returns the networks and VLANs a VPC may use, nil for a
// namespace that there is not.
func (v *validator) vpcNamespaces(o *Object, s *VPCSpec) ([]netip.Prefix, []VLANRange) {
	var pools []netip.Prefix
	if n := spec[*IPv4NamespaceSpec](v, KindIPv4Namespace, orDefault(s.IPv4Namespace)); n == nil {
		v.report("vpc-ipv4-namespace-unknown", o, "spec.ipv4Namespace", "IPv4 namespace %q", orDefault(s.IPv4Namespace))
	} else {
		pools = []netip.Prefix{}
		for _, text := range n.Subnets {
			if p, ok := masked(text); ok {
				pools = append(pools, p)
			}
		}
	}
	n := spec[*VLANNamespaceSpec](v, KindVLANNamespace, orDefault(s.VLANNamespace))
	if n == nil {
		v.report("vpc-vlan-namespace-unknown", o, "spec.vlanNamespace", "VLAN namespace %q", orDefault(s.VLANNamespace))
		return pools, nil
	}
	return pools, append([]VLANRange{}, n.Ranges...)
}

// vpcSubnet judges the addresses of a subnet.
func (v *validator) vpcSubnet(o *Object, at string, s *VPCSubnet) {
	v.late(o, at+".hostBGPExtraPrefixes", len(s.HostBGPExtraPrefixes) > 0)
	v.late(o, at+".hostBGPMinPrefixLen", s.HostBGPMinPrefixLen != 0)
	v.late(o, at+".hostBGPMaxPrefixLen", s.HostBGPMaxPrefixLen != 0)
	p, ok := masked(s.Subnet)
	if ok && s.HostBGPMinPrefixLen != 0 && int(s.HostBGPMinPrefixLen) < p.Bits() {
		v.report("vpc-hostbgp-short", o, at+".hostBGPMinPrefixLen", "/%d in %s", s.HostBGPMinPrefixLen, p)
	}
	if relay := s.DHCP.RelayVPC; relay != "" && v.fabric.Get(KindVPC, relay) == nil {
		v.report("dhcp-relay-vpc-unknown", o, at+".dhcp.relayVPC", "VPC %q", relay)
	}
	if !ok || s.HostBGP {
		return
	}
	gateway := p.Addr().Next()
	if a, err := netip.ParseAddr(s.Gateway); err == nil {
		gateway = a
		switch {
		case !p.Contains(a):
			v.report("vpc-gateway", o, at+".gateway", "%s is not in %s", a, p)
		case p.Bits() <= 30 && (a == p.Addr() || a == lastAddress(p)):
			v.report("vpc-gateway", o, at+".gateway", "%s for %s", a, p)
		}
	}
	if !s.DHCP.Enable {
		return
	}
	if s.DHCP.Options != nil {
		if mtu, most := s.DHCP.Options.InterfaceMTU, v.settings.ServerMTU(); mtu != 0 && (mtu < 96 || most != 0 && mtu > most) {
			v.report("dhcp-mtu", o, at+".dhcp.options.interfaceMTU", "%d", mtu)
		}
	}
	v.dhcpRange(o, at+".dhcp.range", s.DHCP.Range, p, gateway)
	if s.DHCP.Options != nil {
		for i, route := range s.DHCP.Options.AdvertisedRoutes {
			if a, err := netip.ParseAddr(route.Gateway); err == nil && !p.Contains(a) {
				v.report("dhcp-route-gateway", o, fmt.Sprintf("%s.dhcp.options.advertisedRoutes[%d].gateway", at, i), "%s is not in %s", a, p)
			}
		}
	}
	addresses, macs := map[netip.Addr]string{}, map[string]string{}
	for _, mac := range slices.Sorted(maps.Keys(s.DHCP.Static)) {
		field := at + ".dhcp.static." + mac + ".ip"
		normal := strings.ToLower(strings.NewReplacer("-", "", ":", "", ".", "").Replace(mac))
		if before, ok := macs[normal]; ok {
			v.report("dhcp-static-twice", o, field, "%s is %s", mac, before)
		}
		macs[normal] = mac
		a, err := netip.ParseAddr(s.DHCP.Static[mac].IP)
		if err != nil {
			continue
		}
		if !p.Contains(a) || a == p.Addr() || a == gateway || a == lastAddress(p) {
			v.report("dhcp-static-address", o, field, "%s in %s with the gateway %s", a, p, gateway)
		}
		if before, ok := addresses[a]; ok {
			v.report("dhcp-static-twice", o, field, "%s is leased to %s", a, before)
		}
		addresses[a] = mac
	}
}

// dhcpRange judges a range; an end left out is the default.
func (v *validator) dhcpRange(o *Object, field string, r *DHCPRange, p netip.Prefix, gateway netip.Addr) {
	if r == nil {
		r = &DHCPRange{}
	}
	start, end := p.Addr().Next().Next(), lastAddress(p)
	for _, side := range []struct {
		name, text string
		a          *netip.Addr
	}{{"start", r.Start, &start}, {"end", r.End, &end}} {
		a := *side.a
		if side.text != "" {
			var err error
			if a, err = netip.ParseAddr(side.text); err != nil {
				return
			}
			*side.a = a
		}
		switch {
		case !p.Contains(a) || a == p.Addr():
			v.report("dhcp-range-outside", o, field+"."+side.name, "%s for %s", a, p)
		case a == gateway:
			v.report("dhcp-range-gateway", o, field+"."+side.name, "%s is the gateway", a)
		}
	}
	if !start.Less(end) {
		v.report("dhcp-range-order", o, field, "%s to %s", start, end)
	}
}

// splitSubnet returns the VPC and subnet of an attachment: the subnet default
// when none is given.
func splitSubnet(text string) (vpc, subnet string) {
	vpc, subnet, _ = strings.Cut(text, "/")
	return vpc, orDefault(subnet)
}

// attachments judges the attachments of VPCs.
func (v *validator) attachments() {
	attached, native := map[string]*Object{}, map[string]*Object{}
	for o, s := range Each[*VPCAttachmentSpec](v.fabric) {
		if s.Subnet == "" || s.Connection == "" {
			continue
		}
		name, subnetName := splitSubnet(s.Subnet)
		vpc := spec[*VPCSpec](v, KindVPC, name)
		var subnet *VPCSubnet
		if vpc == nil {
			v.report("attachment-vpc-unknown", o, "spec.subnet", "VPC %q", name)
		} else if subnet = vpc.Subnets[subnetName]; subnet == nil {
			v.report("attachment-subnet-unknown", o, "spec.subnet", "subnet %q of VPC %s", subnetName, name)
		}
		if len(s.Connection) > 63 {
			v.report("attachment-label-length", o, "spec.connection", "%d characters", len(s.Connection))
		}
		key := s.Connection + "\x00" + name + "/" + subnetName
		if before := attached[key]; before != nil {
			v.report("attachment-twice", o, "spec.subnet", "%s is on %s by %s", s.Subnet, s.Connection, other(before))
		} else {
			attached[key] = o
			if before := native[s.Connection]; s.NativeVLAN && before != nil {
				v.report("attachment-native-twice", o, "spec.nativeVLAN", "%s has the native VLAN of %s", s.Connection, other(before))
			} else if s.NativeVLAN {
				native[s.Connection] = o
			}
		}
		connection := spec[*ConnectionSpec](v, KindConnection, s.Connection)
		if connection == nil {
			v.report("attachment-connection-unknown", o, "spec.connection", "connection %q", s.Connection)
			continue
		}
		v.attachment(o, s, connection, name, vpc, subnet)
	}
}

func (v *validator) attachment(o *Object, s *VPCAttachmentSpec, c *ConnectionSpec, name string, vpc *VPCSpec, subnet *VPCSubnet) {
	if c.Unbundled == nil && c.Bundled == nil && c.ESLAG == nil && (c.MCLAG == nil || !v.before("26.03")) {
		v.report("attachment-connection-type", o, "spec.connection", "%s is %s", s.Connection, strings.Join(c.types(), " and "))
		return
	}
	if vpc == nil {
		return
	}
	if vpc.Mode != "" && c.ESLAG != nil {
		v.report("attachment-eslag-mode", o, "spec.connection", "VPC %s has the mode %s", name, vpc.Mode)
	}
	if subnet != nil && subnet.HostBGP {
		if c.Unbundled == nil {
			v.report("attachment-hostbgp", o, "spec.connection", "%s is %s", s.Connection, strings.Join(c.types(), " and "))
		} else if sw := spec[*SwitchSpec](v, KindSwitch, c.Unbundled.Link.Switch.Port.Device()); sw != nil && sw.Redundancy.Type == "mclag" {
			v.report("attachment-hostbgp", o, "spec.connection", "%s has MCLAG", c.Unbundled.Link.Switch.Port.Device())
		}
		if s.NativeVLAN {
			v.report("attachment-hostbgp", o, "spec.nativeVLAN", "nativeVLAN")
		}
	}
	seen := map[string]bool{}
	for _, l := range c.links() {
		device := l.ends[len(l.ends)-1].Port.Device()
		sw := spec[*SwitchSpec](v, KindSwitch, device)
		if sw == nil || seen[device] {
			continue
		}
		seen[device] = true
		if !slices.Contains(vlanNamespaces(sw), orDefault(vpc.VLANNamespace)) {
			v.report("attachment-vlan-namespace", o, "spec.connection", "%s has %s, VPC %s has %s", device, strings.Join(vlanNamespaces(sw), ", "), name, orDefault(vpc.VLANNamespace))
		}
		if p := v.profile(sw.Profile); p != nil && (!p.Features.L3VNI || vpc.Mode == "" && !p.Features.L2VNI) {
			v.report("attachment-unsupported", o, "spec.connection", "mode %s of VPC %s on %s (%s)", cmp.Or(vpc.Mode, "l2vni"), name, device, p.Name)
		}
	}
}

// peerings judges the peerings of VPCs.
func (v *validator) peerings() {
	pairs := map[[2]string]*Object{}
	for o, s := range Each[*VPCPeeringSpec](v.fabric) {
		for i, sides := range s.Permit {
			names := slices.Sorted(maps.Keys(sides))
			var vpcs []*VPCSpec
			for _, name := range names {
				at := fmt.Sprintf("spec.permit[%d].%s", i, name)
				vpc := spec[*VPCSpec](v, KindVPC, name)
				if vpc == nil {
					v.report("peering-vpc-unknown", o, at, "VPC %q", name)
					continue
				}
				vpcs = append(vpcs, vpc)
				for j, subnet := range sides[name].Subnets {
					if vpc.Subnets[subnet] == nil {
						v.report("peering-subnet-unknown", o, fmt.Sprintf("%s.subnets[%d]", at, j), "subnet %q of VPC %s", subnet, name)
					}
				}
			}
			if i > 0 || len(names) != 2 {
				continue
			}
			pair := [2]string{names[0], names[1]}
			if before := pairs[pair]; before != nil {
				again, first := o, before
				if o.Name == names[0]+"--"+names[1] || o.Name == names[1]+"--"+names[0] {
					again, first = before, o // the one named after the pair stays
				}
				v.report("peering-duplicate", again, "spec.permit", "%s and %s peer by %s", names[0], names[1], other(first))
				pairs[pair] = first
			} else {
				pairs[pair] = o
			}
			if len(vpcs) == 2 && (orDefault(vpcs[0].IPv4Namespace) != orDefault(vpcs[1].IPv4Namespace) || orDefault(vpcs[0].VLANNamespace) != orDefault(vpcs[1].VLANNamespace)) {
				v.report("peering-namespaces", o, fmt.Sprintf("spec.permit[%d]", i), "%s and %s have different namespaces", names[0], names[1])
			}
		}
	}
}
