package netbox

import (
	"cmp"
	"fmt"
	"slices"

	"hedgehog-gitops/render/hedgehog"
)

// link is a path from a port of a switch to its far end.
type link struct {
	sw   *switchNode
	port *Interface
	name hedgehog.Port // of the switch's port: leaf-01/E1/49
	far  *farEnd       // nil: an external port without a cable
	kind string        // hedgehog_link of its cables
	pin  string        // hedgehog_name of its cables
}

// anchor is the record that speaks for the link: its cable, or where one cable serves the
// channels of a port, the channel.
func (l link) anchor() row {
	for _, i := range []*Interface{l.port, l.far.port} {
		if i != nil && i.ChannelID > 0 {
			return i
		}
	}
	return l.far.cables[0]
}

// pinned is the name that the link's cables say, or its channel where others share the
// cable: links of one name are one connection.
func (l link) pinned() string {
	if i, ok := l.anchor().(*Interface); ok && i.Fields.text("name") != "" {
		return i.Fields.text("name")
	}
	return l.pin
}

// externalPort is a port of a switch that leads out of the fabric.
type externalPort struct {
	link
	connection *hedgehog.Object
}

// inherit adds the origins of an object that another one refers to by name.
func inherit(o, named *hedgehog.Object) {
	for _, at := range named.Origins {
		if !slices.Contains(o.Origins, at) {
			o.Origins = append(o.Origins, at)
		}
	}
}

// pairKey is two devices and the name that is pinned on the cables between them.
type pairKey struct {
	a, b ID
	pin  string
}

// fabricEnds is a link between two devices of the fabric.
type fabricEnds struct {
	link
	farName hedgehog.Port
	farPort *Interface
	kind    string
}

// linkSorter puts every path from a switch's port where it belongs.
type linkSorter struct {
	m                                      *mapper
	fabric, mesh, gateway, mclag, loopback map[pairKey][]fabricEnds
	servers                                []serverLink
	externals                              []*externalPort
	statics                                []*externalPort
}

// sort looks where a port of a switch leads.
func (ls *linkSorter) sort(s *switchNode, i *Interface) {
	m := ls.m
	name, isKnown := s.portOf[i.ID]
	if name == "M1" || i.Channels > 0 {
		return
	}
	out := m.leadsOut(i)
	if !m.cabled(i) && !out && i.Fields.value("static_external") == nil {
		return
	}
	far, bad := m.follow(i)
	if bad != nil {
		if near := m.cables[m.termination[portRef{"dcim.interface", m.nearEnd(i).ID}].Cable]; near.Fields.text("link") == "ignore" {
			return
		}
		m.fail("cable-path", hedgehog.Key{}, bad.at, bad.field, bad.summary, bad.hint)
		return
	}
	l := link{sw: s, port: i, far: far}
	if far != nil {
		var ok bool
		if l.kind, ok = m.pathField(far, "link"); !ok {
			return
		}
		if l.pin, ok = m.pathField(far, "name"); !ok {
			return
		}
	}
	if l.kind == "ignore" || far == nil && !out && i.Fields.value("static_external") == nil {
		return
	}
	if !isKnown {
		if i.MgmtOnly {
			return
		}
		m.fail("port-unknown", s.object.Key(), i, cf("port"),
			fmt.Sprintf("interface %s of %s is cabled, and nothing says which port of a %s it is", i.Name, s.device.Name, s.profile.Name),
			"set "+cf("port")+" on the interface, as E1/5, or rename it")
		return
	}
	if !s.profile.HasPort(name, s.spec.PortBreakouts) {
		m.fail("port-unknown", s.object.Key(), i, cf("port"),
			fmt.Sprintf("interface %s of %s is port %s, which a %s does not have as it is split", i.Name, s.device.Name, name, s.profile.Name),
			"correct "+cf("port")+" of the interface, or how the port is split")
		return
	}
	l.name = hedgehog.Port(s.name + "/" + name)
	ls.place(l, out)
}

// leadsOut reports whether the port or a sub-interface of it is in an external
// VRF.
func (m *mapper) leadsOut(i *Interface) bool {
	if m.externals[i.VRF] != nil {
		return true
	}
	for _, sub := range m.childrenOf[i.ID] {
		if sub.ChannelID == 0 && m.externals[sub.VRF] != nil {
			return true
		}
	}
	return false
}

// pathField is the value of a field on the cables of a path; two values are an
// error.
func (m *mapper) pathField(far *farEnd, field string) (string, bool) {
	var value string
	var by *Cable
	for _, c := range far.cables {
		v := c.Fields.text(field)
		if v == "" {
			continue
		}
		if value != "" && v != value {
			m.fail("cable-fields-differ", hedgehog.Key{}, c, cf(field),
				fmt.Sprintf("two cables of one path say different things: %s here, %s at %s", v, value, by.path()), "set "+cf(field)+" on one cable of the path")
			return "", false
		}
		value, by = v, c
	}
	if value == "auto" {
		value = ""
	}
	return value, true
}

// place decides what a link is.
func (ls *linkSorter) place(l link, out bool) {
	m := ls.m
	if l.kind == "static-external" || l.kind == "" && m.saysStatic(l.port) {
		ls.statics = append(ls.statics, &externalPort{link: l})
		return
	}
	var device *Device
	if l.far != nil && l.far.port != nil {
		device = m.deviceOf(l.far.port)
	}
	if device != nil {
		if other := m.switches[device.ID]; other != nil {
			ls.placeSwitch(l, other)
			return
		}
		if out && (m.servers[device.ID] != nil || m.gateways[device.ID] != nil) {
			m.fail("external-port-inside", hedgehog.Key{}, l.port, "vrf",
				fmt.Sprintf("port %s is in an external VRF and leads to %s, a device of the fabric", l.name, device.Name), "take the port out of the VRF, or correct the cable")
			return
		}
		if g := m.gateways[device.ID]; g != nil {
			k := pairKey{l.sw.device.ID, device.ID, l.pinned()}
			ls.gateway[k] = append(ls.gateway[k], fabricEnds{link: l, farName: hedgehog.Port(g.name + "/" + portName(l.far.port.Name)), farPort: l.far.port})
			return
		}
		if server := m.servers[device.ID]; server != nil {
			ls.servers = append(ls.servers, serverLink{link: l, server: server, serverPort: l.far.port, serverName: hedgehog.Port(server.name + "/" + portName(l.far.port.Name))})
			return
		}
	}
	switch {
	case out, l.far != nil && l.far.circuit != nil, device != nil && m.roleOf(device) == RoleExternal && m.rendered(device):
		ls.externals = append(ls.externals, &externalPort{link: l})
	case device != nil:
		m.notice("far-end-outside", hedgehog.Key{}, l.port, "cable",
			fmt.Sprintf("port %s leads to %s, which is no device of the fabric, so it is left out", l.name, device.Name),
			fmt.Sprintf("give %s a role, site, status that the fabric renders, or set %s of the cable to ignore", device.Name, cf("link")))
	case l.far != nil:
		m.notice("far-end-outside", hedgehog.Key{}, l.port, "cable",
			fmt.Sprintf("port %s leads to nothing that is an interface or a circuit, so it is left out", l.name),
			fmt.Sprintf("set %s of the cable to ignore", cf("link")))
	}
}

func (m *mapper) saysStatic(i *Interface) bool {
	if i.Fields.value("static_external") != nil {
		return true
	}
	for _, sub := range m.childrenOf[i.ID] {
		if sub.ChannelID == 0 && sub.Fields.value("static_external") != nil {
			return true
		}
	}
	return false
}

// placeSwitch decides what a link between two switches is. Each is seen from
// both ends and counts once.
func (ls *linkSorter) placeSwitch(l link, other *switchNode) {
	m, far := ls.m, l.far.port
	farPort, ok := other.portOf[far.ID]
	if farPort == "M1" {
		return
	}
	if !ok || other.profile == nil || !other.profile.HasPort(farPort, other.spec.PortBreakouts) {
		return // reported from the other end
	}
	ends := fabricEnds{link: l, farName: hedgehog.Port(other.name + "/" + farPort), farPort: far, kind: l.kind}
	s := l.sw
	if s == other {
		if natural(string(l.name), string(ends.farName)) > 0 {
			return
		}
		if l.kind == "vpc-loopback" {
			k := pairKey{s.device.ID, 0, l.pinned()}
			ls.loopback[k] = append(ls.loopback[k], ends)
			return
		}
		m.fail("cable-to-itself", s.object.Key(), l.far.cables[0], cf("link"),
			fmt.Sprintf("the cable joins two ports of switch %s", s.name), "set "+cf("link")+" to vpc-loopback or ignore")
		return
	}
	if s.spine() && !other.spine() && l.kind == "" {
		k := pairKey{s.device.ID, other.device.ID, l.pinned()}
		ls.fabric[k] = append(ls.fabric[k], ends)
		return
	}
	if !s.spine() && other.spine() && l.kind == "" {
		return // placed from the spine
	}
	if cmp.Or(natural(s.name, other.name), cmp.Compare(s.device.ID, other.device.ID)) > 0 {
		return // placed from the other end
	}
	k := pairKey{s.device.ID, other.device.ID, l.pinned()}
	group := s.spec.Redundancy
	sameMCLAG := group.Type == "mclag" && group == other.spec.Redundancy
	switch {
	case l.kind == "mclag-peer" || l.kind == "mclag-session":
		ls.mclag[k] = append(ls.mclag[k], ends)
	case l.kind == "mesh", l.kind == "" && !s.spine() && !other.spine() && !sameMCLAG:
		ls.mesh[k] = append(ls.mesh[k], ends)
	case sameMCLAG:
		m.fail("mclag-link-kind", s.object.Key(), l.far.cables[0], cf("link"),
			fmt.Sprintf("switches %s and %s are an MCLAG pair; what is this cable between them?", s.name, other.name), "set "+cf("link")+" to mclag-peer or mclag-session")
	default:
		m.fail("switch-link-kind", s.object.Key(), l.far.cables[0], cf("link"),
			fmt.Sprintf("Hedgehog has no connection between %s (%s) and %s (%s)", s.name, s.role, other.name, other.role),
			"correct the cable or the roles, or set "+cf("link")+" to ignore")
	}
}
