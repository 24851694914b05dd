package hedgehog

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
)

// link is one link of a connection: its ends, and what the manifest calls them
// (server, switch, spine, leaf1 ...). A link without a far end has one.
type link struct {
	field string
	names []string
	ends  []AddressedEnd
}

// links returns the links of a connection, whatever its types.
func (s *ConnectionSpec) links() []link {
	var all []link
	add := func(field string, names string, ends ...AddressedEnd) {
		all = append(all, link{field, strings.Fields(names), ends})
	}
	end := func(e PortEnd) AddressedEnd { return AddressedEnd{Port: e.Port} }
	servers := func(field string, b *Bundled) {
		if b == nil {
			return
		}
		for i, l := range b.Links {
			add(fmt.Sprintf("spec.%s.links[%d]", field, i), "server switch", end(l.Server), end(l.Switch))
		}
	}
	pairs := func(field string, links []SwitchPairLink) {
		for i, l := range links {
			add(fmt.Sprintf("spec.%s[%d]", field, i), "switch1 switch2", end(l.Switch1), end(l.Switch2))
		}
	}
	if s.Unbundled != nil {
		add("spec.unbundled.link", "server switch", end(s.Unbundled.Link.Server), end(s.Unbundled.Link.Switch))
	}
	servers("bundled", s.Bundled)
	servers("mclag", s.MCLAG)
	servers("eslag", s.ESLAG)
	if s.MCLAGDomain != nil {
		pairs("mclagDomain.peerLinks", s.MCLAGDomain.PeerLinks)
		pairs("mclagDomain.sessionLinks", s.MCLAGDomain.SessionLinks)
	}
	if s.VPCLoopback != nil {
		pairs("vpcLoopback.links", s.VPCLoopback.Links)
	}
	if s.External != nil {
		add("spec.external.link", "switch", end(s.External.Link.Switch))
	}
	if s.StaticExternal != nil {
		add("spec.staticExternal.link", "switch", AddressedEnd{Port: s.StaticExternal.Link.Switch.Port})
	}
	return append(all, s.addressed()...)
}

// addressed returns the links whose ends have addresses.
func (s *ConnectionSpec) addressed() []link {
	var all []link
	if s.Fabric != nil {
		for i, l := range s.Fabric.Links {
			all = append(all, link{fmt.Sprintf("spec.fabric.links[%d]", i), []string{"spine", "leaf"}, []AddressedEnd{l.Spine, l.Leaf}})
		}
	}
	if s.Mesh != nil {
		for i, l := range s.Mesh.Links {
			all = append(all, link{fmt.Sprintf("spec.mesh.links[%d]", i), []string{"leaf1", "leaf2"}, []AddressedEnd{l.Leaf1, l.Leaf2}})
		}
	}
	if s.Gateway != nil {
		for i, l := range s.Gateway.Links {
			all = append(all, link{fmt.Sprintf("spec.gateway.links[%d]", i), []string{"switch", "gateway"}, []AddressedEnd{l.Switch, l.Gateway}})
		}
	}
	return all
}

// connections judges connections against the devices and ports they join.
func (v *validator) connections() {
	used := map[string]*Object{}
	connected := map[string]bool{}
	for o, s := range Each[*ConnectionSpec](v.fabric) {
		for _, l := range s.links() {
			for i, e := range l.ends {
				if e.Port.Device() == "" || e.Port.Name() == "" {
					continue
				}
				field := l.field + "." + l.names[i] + ".port"
				key := v.end(o, l.names[i], field, e.Port)
				if l.names[i] == "server" {
					connected[e.Port.Device()] = true
				}
				if before := used[key]; before == o {
					v.report("connection-port-twice", o, field, "%s is in this connection already", e.Port)
				} else if before != nil {
					v.report("connection-port-twice", o, field, "%s is in %s", e.Port, other(before))
				} else {
					used[key] = o
				}
			}
		}
		v.connectionEnds(o, s)
		v.connectionMTU(o, s)
		v.redundancy(o, s)
		if s.StaticExternal != nil {
			v.staticExternal(o, s.StaticExternal)
		}
	}
	v.meshes()
	for o := range Each[*ServerSpec](v.fabric) {
		if !connected[o.Name] {
			v.report("server-unused", o, "metadata.name", "no connection has %s", o.Name)
		}
	}
}

// end judges one end of a link and returns the name of its port by which to
// compare.
func (v *validator) end(o *Object, name, field string, port Port) string {
	device := port.Device()
	switch name {
	case "server":
		if v.fabric.Get(KindServer, device) == nil {
			v.report("connection-server-unknown", o, field, "server %q", device)
		}
		return "server " + string(port)
	case "gateway":
		if g := spec[*GatewaySpec](v, KindGateway, device); g == nil {
			v.report("connection-gateway-unknown", o, field, "gateway %q", device)
		} else if _, ok := g.Interfaces[port.Name()]; !ok && len(g.Interfaces) > 0 {
			v.report("connection-gateway-unknown", o, field, "interface %q of gateway %s", port.Name(), device)
		}
		return "gateway " + string(port)
	}
	s := spec[*SwitchSpec](v, KindSwitch, device)
	if s == nil {
		v.report("connection-switch-unknown", o, field, "switch %q", device)
		return string(port)
	}
	leaf := strings.HasPrefix(name, "leaf")
	if s.Role != "" && (name == spine && s.Role != spine || leaf && s.Role == spine) {
		v.report("connection-roles", o, field, "%s is a %s", device, s.Role)
	}
	p := v.profile(s.Profile)
	if p == nil {
		return string(port)
	}
	if found, _, ok := p.PortOf(port.Name()); ok && found.Management {
		v.report("connection-port-management", o, field, "%s", port)
	} else if !p.HasPort(port.Name(), s.PortBreakouts) {
		v.report("connection-port-unknown", o, field, "port %q of %s (%s)", port.Name(), device, p.Name)
	}
	return device + "/" + p.Canonical(port.Name())
}

// connectionEnds wants the links of a connection to join the same devices.
func (v *validator) connectionEnds(o *Object, s *ConnectionSpec) {
	for _, l := range s.links() {
		switch {
		case s.VPCLoopback != nil && strings.HasPrefix(l.field, "spec.vpcLoopback"):
			if l.ends[0].Port.Device() != l.ends[1].Port.Device() {
				v.report("connection-ends", o, l.field, "%s with %s, not on one switch", l.ends[0].Port, l.ends[1].Port)
			}
		case strings.HasPrefix(l.field, "spec.mclagDomain"), strings.HasPrefix(l.field, "spec.fabric"), strings.HasPrefix(l.field, "spec.mesh"):
			if l.ends[0].Port.Device() == l.ends[1].Port.Device() {
				v.report("connection-ends", o, l.field, "%s with itself", l.ends[0].Port.Device())
			}
		}
	}
	same := func(links []link, ends int) {
		for i, l := range links {
			// The two switches of a mesh or an MCLAG are equals: either may come first.
			if equals := l.names[0] == "leaf1" || l.names[0] == "switch1"; equals &&
				links[0].ends[0].Port.Device() == l.ends[1].Port.Device() && links[0].ends[1].Port.Device() == l.ends[0].Port.Device() {
				continue
			}
			for j := range min(ends, len(l.ends)) {
				if was, is := links[0].ends[j].Port.Device(), l.ends[j].Port.Device(); i > 0 && was != is {
					v.report("connection-ends", o, l.field+"."+l.names[j]+".port", "%s, where the first link has %s", is, was)
				}
			}
		}
	}
	byType := map[string][]link{}
	for _, l := range s.links() {
		kind := strings.SplitN(l.field, ".", 3)[1]
		byType[kind] = append(byType[kind], l)
	}
	for _, kind := range slices.Sorted(maps.Keys(byType)) {
		switch kind {
		case "bundled", "fabric", "mesh", "gateway", "vpcLoopback", "mclagDomain":
			same(byType[kind], 2)
		case "eslag", "mclag":
			same(byType[kind], 1)
		}
	}
}

// connectionMTU bounds the MTU towards servers.
func (v *validator) connectionMTU(o *Object, s *ConnectionSpec) {
	most := v.settings.ServerMTU()
	judge := func(field string, mtu uint16) {
		if most != 0 && mtu > most {
			v.report("connection-mtu", o, "spec."+field+".mtu", "%d, with at most %d", mtu, most)
		}
	}
	if s.Unbundled != nil {
		judge("unbundled", s.Unbundled.MTU)
	}
	for _, lag := range []struct {
		field string
		*Bundled
	}{{"bundled", s.Bundled}, {"mclag", s.MCLAG}, {"eslag", s.ESLAG}} {
		if lag.Bundled != nil {
			judge(lag.field, lag.MTU)
		}
	}
}

// meshes judges how many leaves are meshed with each other.
func (v *validator) meshes() {
	parent := map[string]string{}
	var find func(name string) string
	find = func(name string) string {
		up, ok := parent[name]
		if !ok || up == name {
			return name
		}
		parent[name] = find(up)
		return parent[name]
	}
	for _, s := range Each[*ConnectionSpec](v.fabric) {
		if s.Mesh == nil {
			continue
		}
		for _, l := range s.Mesh.Links {
			b := find(l.Leaf2.Port.Device())
			parent[b] = b
			parent[find(l.Leaf1.Port.Device())] = b
		}
	}
	size, th5 := map[string]int{}, map[string]bool{}
	for o, s := range Each[*SwitchSpec](v.fabric) {
		if _, meshed := parent[o.Name]; meshed {
			size[find(o.Name)]++
			if p := v.profile(s.Profile); p != nil && strings.Contains(p.Silicon, "TH5") {
				th5[find(o.Name)] = true
			}
		}
	}
	told := map[string]bool{}
	for o, s := range Each[*ConnectionSpec](v.fabric) {
		if s.Mesh == nil || len(s.Mesh.Links) == 0 {
			continue
		}
		mesh := find(s.Mesh.Links[0].Leaf1.Port.Device())
		if n := size[mesh]; !told[mesh] && (n > 3 || n > 2 && th5[mesh]) {
			told[mesh] = true
			v.report("mesh-size", o, "spec.mesh", "%d leaves", n)
		}
	}
}

// redundancy judges what the switches of an ESLAG or MCLAG have in common.
func (v *validator) redundancy(o *Object, s *ConnectionSpec) {
	if s.ESLAG != nil {
		v.redundancyGroup(o, "connection-eslag-group", "eslag", s.switchEnds("eslag."))
	}
	if s.MCLAG == nil && s.MCLAGDomain == nil {
		return
	}
	if !v.before("26.03") {
		field := "spec.mclag"
		if s.MCLAGDomain != nil {
			field = "spec.mclagDomain"
		}
		v.report("connection-mclag-gone", o, field, "an MCLAG")
		return
	}
	v.redundancyGroup(o, "connection-mclag-group", "mclag", s.switchEnds("mclag."))
	v.redundancyGroup(o, "connection-mclag-group", "mclag", s.switchEnds("mclagDomain.peerLinks"))
}

// redundancyGroup wants the switches at the ends of these links in one group of a
// kind.
func (v *validator) redundancyGroup(o *Object, rule, kind string, ends []portAt) {
	var group SwitchRedundancy
	var in string
	devices := map[string]bool{}
	wrong := false
	report := func(field, format string, args ...any) {
		wrong = true
		v.report(rule, o, field, format, args...)
	}
	for _, end := range ends {
		device := end.port.Device()
		s := spec[*SwitchSpec](v, KindSwitch, device)
		if s == nil || devices[device] {
			continue
		}
		devices[device] = true
		switch r := s.Redundancy; {
		case r == SwitchRedundancy{}:
		case r.Type != kind:
			report(end.field, "%s is in group %q of type %q", device, r.Group, r.Type)
		case in == "":
			group, in = r, device
		case r != group:
			report(end.field, "%s is in group %q, %s in group %q", in, group.Group, device, r.Group)
		}
		if kind == "mclag" && len(devices) == 3 {
			report(end.field, "%s is the third switch", device)
		}
	}
	if in == "" && len(devices) > 0 && !wrong {
		report(ends[0].field, "no switch is in a redundancy group")
	}
}

// portAt is a port and the field it stands in.
type portAt struct {
	port  Port
	field string
}

// switchEnds returns the switches' ends of the links of a connection, of one type.
func (s *ConnectionSpec) switchEnds(of string) []portAt {
	var ends []portAt
	for _, l := range s.links() {
		if !strings.HasPrefix(l.field, "spec."+of) {
			continue
		}
		for i, name := range l.names {
			if strings.HasPrefix(name, "switch") {
				ends = append(ends, portAt{l.ends[i].Port, l.field + "." + name + ".port"})
			}
		}
	}
	return ends
}

func (v *validator) staticExternal(o *Object, s *StaticExternal) {
	const at = "spec.staticExternal.link.switch."
	end := s.Link.Switch
	if p, err := netip.ParsePrefix(end.IP); err == nil {
		if hop, err := netip.ParseAddr(end.NextHop); err == nil && !p.Contains(hop) {
			v.report("static-external-next-hop", o, at+"nextHop", "%s is not in %s", hop, p.Masked())
		}
	}
	var claims []claim
	for i, text := range end.Subnets {
		field := fmt.Sprintf("%ssubnets[%d]", at, i)
		p, ok := masked(text)
		if !ok {
			continue
		}
		switch r, taken := v.reserved(p); {
		case text != p.String():
			v.report("static-external-subnets", o, field, "%s is in %s", text, p)
		case p.Bits() == 0 && len(end.Subnets) > 1:
			v.report("static-external-subnets", o, field, "%s beside others", p)
		case p.Bits() != 0 && taken:
			v.report("static-external-subnets", o, field, "%s meets %s", p, r)
		}
		if p.Bits() != 0 {
			claims = append(claims, claim{p, o, field})
		}
	}
	overlaps(claims, func(c, in claim) {
		v.report("static-external-subnets", o, c.field, "%s meets %s", c.prefix, in.prefix)
	})
	if s.WithinVPC != "" && v.fabric.Get(KindVPC, s.WithinVPC) == nil {
		v.report("static-external-vpc-unknown", o, "spec.staticExternal.withinVPC", "VPC %q", s.WithinVPC)
	}
}
