package netbox

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"hedgehog-gitops/render/hedgehog"
)

// serverLink is a link between a switch and a server.
type serverLink struct {
	link
	server     *node
	serverPort *Interface
	serverName hedgehog.Port
}

// bundle is the links of one connection to a server.
type bundle struct {
	links     []serverLink
	serverLAG *Interface // nil: no LAG on the server's side
	leafLAG   bool       // bundled by a LAG on the switch's side only
}

// serverConnections groups the links to servers into connections: by the
// server's LAG, else by the leaf's, else one by one.
func (m *mapper) serverConnections(links []serverLink) []*connection {
	type key struct {
		lag, server ID
		port        ID
	}
	groups := map[key]*bundle{}
	for _, l := range links {
		k := key{port: l.port.ID}
		b := &bundle{}
		if lag := m.lagOf(l.serverPort); lag != nil {
			k = key{lag: lag.ID}
			b.serverLAG = lag
		} else if lag := m.lagOf(l.port); lag != nil {
			k = key{lag: lag.ID, server: l.server.device.ID}
			b.leafLAG = true
		}
		if groups[k] == nil {
			groups[k] = b
		}
		groups[k].links = append(groups[k].links, l)
	}
	bundles := make([]*bundle, 0, len(groups))
	for _, b := range groups {
		slices.SortFunc(b.links, func(x, y serverLink) int {
			return cmp.Or(natural(string(x.serverName), string(y.serverName)), natural(string(x.name), string(y.name)))
		})
		bundles = append(bundles, b)
	}
	slices.SortFunc(bundles, func(x, y *bundle) int {
		a, b := x.links[0], y.links[0]
		return cmp.Or(natural(a.server.name, b.server.name), natural(string(a.serverName), string(b.serverName)), natural(string(a.name), string(b.name)))
	})
	m.judgeBundles(bundles)
	var all []*connection
	for _, b := range bundles {
		all = append(all, m.serverConnection(b))
	}
	return all
}

// lagOf is the LAG that a port is a member of. NetBox lets `lag` point to any
// interface of the device; only one of type lag counts.
func (m *mapper) lagOf(i *Interface) *Interface {
	lag := m.interfaces[i.LAG]
	if lag == nil {
		return nil
	}
	if lag.Type != "lag" {
		m.fail("lag-type", hedgehog.Key{}, i, "lag",
			fmt.Sprintf("interface %s names %s as its LAG, which is of type %s", i.Name, lag.Name, lag.Type), fmt.Sprintf("give %s the type lag, or clear the field", lag.Name))
		return nil
	}
	return lag
}

// judgeBundles reports LAGs that cannot be what they seem.
func (m *mapper) judgeBundles(bundles []*bundle) {
	leafLAGs := map[ID][]*bundle{} // by server, those with no LAG of the server's
	singles := map[ID][]*bundle{}
	serversOf := map[ID]*serverLink{} // by leaf LAG
	for _, b := range bundles {
		server := b.links[0].server
		switch {
		case b.leafLAG:
			leafLAGs[server.device.ID] = append(leafLAGs[server.device.ID], b)
		case b.serverLAG == nil:
			singles[server.device.ID] = append(singles[server.device.ID], b)
		}
		onSwitch := map[ID]*Interface{}
		for n := range b.links {
			l := &b.links[n]
			lag := m.lagOf(l.port)
			if lag == nil {
				continue
			}
			if first := serversOf[lag.ID]; first != nil && first.server != l.server {
				m.fail("lag-two-servers", hedgehog.Key{}, lag, "lag",
					fmt.Sprintf("LAG %s of %s has ports to two servers, %s and %s", lag.Name, l.sw.device.Name, first.server.device.Name, l.server.device.Name),
					"give each server a LAG of its own")
			} else {
				serversOf[lag.ID] = l
			}
			if other := onSwitch[l.sw.device.ID]; other != nil && other != lag {
				m.fail("lag-mismatch", hedgehog.Key{}, b.serverLAG, "lag",
					fmt.Sprintf("LAG %s of %s leads to two LAGs of %s, %s and %s", b.serverLAG.Name, server.device.Name, l.sw.device.Name, other.Name, lag.Name),
					"put the leaf's ports into one LAG, or the server's into two")
			}
			onSwitch[l.sw.device.ID] = lag
		}
	}
	for _, id := range slices.Sorted(maps.Keys(leafLAGs)) {
		list := leafLAGs[id]
		for _, b := range list[1:] {
			if b.links[0].sw != list[0].links[0].sw {
				server := b.links[0].server
				m.fail("lag-one-sided", server.object.Key(), server.device, "lag",
					fmt.Sprintf("switches %s and %s each have a LAG to server %s, which has none: one LAG over both, or two?",
						list[0].links[0].sw.name, b.links[0].sw.name, server.name),
					"document the LAG on the server: one for both switches (eslag), or one for each (bundled)")
				break
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(singles)) {
		list := singles[id]
		if len(list) < 2 {
			continue
		}
		server := list[0].links[0].server
		m.notice("server-without-lag", server.object.Key(), server.device, "lag",
			fmt.Sprintf("server %s has %d links and no LAG, so each is an unbundled connection", server.name, len(list)),
			"if the server bundles them, document its LAG")
	}
}

// serverConnection makes the connection of a bundle.
func (m *mapper) serverConnection(b *bundle) *connection {
	first := b.links[0]
	c := &connection{spec: &hedgehog.ConnectionSpec{}, anchor: first.anchor()}
	var switches []*switchNode
	var lags []*Interface
	for _, l := range b.links {
		if !slices.Contains(switches, l.sw) {
			switches = append(switches, l.sw)
		}
		if lag := m.lagOf(l.port); lag != nil && !slices.Contains(lags, lag) {
			lags = append(lags, lag)
		}
	}
	if b.serverLAG != nil {
		c.holders = append(c.holders, holder{b.serverLAG, b.serverLAG.Fields})
		c.rows = append(c.rows, b.serverLAG)
		c.anchor = b.serverLAG
	} else if b.leafLAG {
		c.anchor = lags[0]
	}
	for _, lag := range lags {
		c.holders = append(c.holders, holder{lag, lag.Fields})
		c.rows = append(c.rows, lag)
	}
	links := make([]hedgehog.ServerLink, len(b.links))
	for n, l := range b.links {
		links[n] = hedgehog.ServerLink{Server: hedgehog.PortEnd{Port: l.serverName}, Switch: hedgehog.PortEnd{Port: l.name}}
		m.hold(c, l.link)
		c.holders = append(c.holders, holder{l.port, l.port.Fields}, holder{l.serverPort, l.serverPort.Fields})
		c.rows = append(c.rows, l.port, l.serverPort, l.sw.device, l.server.device)
		if c.pinned == "" {
			c.pinned = l.pin
		}
	}
	if b.serverLAG != nil {
		m.lostLegs(c, b)
	}
	mtu := m.serverMTU(b, lags)
	switch {
	case b.serverLAG == nil && !b.leafLAG:
		c.base, c.what = first.server.name+"--unbundled--"+first.sw.name, "the cable"
		c.spec.Unbundled = &hedgehog.Unbundled{Link: links[0], MTU: mtu}
	default:
		spec := &hedgehog.Bundled{Links: links, MTU: mtu}
		for _, lag := range append(slices.Clone(lags), b.serverLAG) {
			spec.Fallback = spec.Fallback || lag != nil && lag.Fields.isTrue("lacp_fallback")
		}
		c.what = "the LAG"
		leaves := make([]string, len(b.links))
		mclag := true
		for n, l := range b.links {
			leaves[n] = l.sw.name
			mclag = mclag && l.sw.spec.Redundancy.Type == "mclag"
		}
		switch {
		case len(switches) == 1:
			c.base, c.spec.Bundled = first.server.name+"--bundled--"+first.sw.name, spec
		case mclag:
			m.mclagRelease(c.anchor)
			c.base, c.spec.MCLAG = first.server.name+"--mclag--"+strings.Join(leaves, "--"), spec
		default:
			c.base, c.spec.ESLAG = first.server.name+"--eslag--"+strings.Join(leaves, "--"), spec
		}
	}
	c.attach = func(c *connection) { m.attachServer(c, b, lags) }
	return c
}

// lostLegs warns of members of a server's LAG that are cabled to something else
// than a switch of the fabric: the connection is made without them.
func (m *mapper) lostLegs(c *connection, b *bundle) {
	server := b.links[0].server
	for _, i := range m.interfacesOf[server.device.ID] {
		if i.LAG != b.serverLAG.ID || slices.ContainsFunc(b.links, func(l serverLink) bool { return l.serverPort == i }) {
			continue
		}
		t := m.termination[portRef{"dcim.interface", m.nearEnd(i).ID}]
		if t == nil {
			continue // not cabled
		}
		c.rows = append(c.rows, i, m.cables[t.Cable])
		where, severity := "nowhere yet: a cable on the way is not connected", hedgehog.Notice
		if far, bad := m.follow(i); bad != nil {
			continue // reported from the switch, where it is one of the fabric's
		} else if far != nil && far.port != nil {
			device := m.deviceOf(far.port)
			if kind, ok := m.pathField(far, "link"); !ok || kind == "ignore" || device == nil {
				continue
			}
			where, severity = device.Name+", which is no switch of the fabric", hedgehog.Warning
			c.rows = append(c.rows, device)
		}
		m.report(severity, "lag-leg-outside", server.object.Key(), i, "cable",
			fmt.Sprintf("port %s of %s is in LAG %s and leads to %s, so the connection is made without it", i.Name, server.device.Name, b.serverLAG.Name, where),
			"connect the port to a leaf of the fabric, or take it out of the LAG")
	}
}

// serverMTU is the MTU of the server's LAG, else of its ports, else of the
// switch's LAG, or of the switch's port where nothing is bundled.
func (m *mapper) serverMTU(b *bundle, lags []*Interface) uint16 {
	var levels [][]*Interface
	if b.serverLAG != nil {
		levels = append(levels, []*Interface{b.serverLAG})
	}
	var serverPorts, ports []*Interface
	for _, l := range b.links {
		serverPorts, ports = append(serverPorts, l.serverPort), append(ports, l.port)
	}
	levels = append(levels, serverPorts)
	if b.serverLAG == nil && !b.leafLAG {
		levels = append(levels, ports)
	} else {
		levels = append(levels, lags)
	}
	for _, level := range levels {
		var mtu int
		var by *Interface
		for _, i := range level {
			if i.MTU == 0 {
				continue
			}
			if mtu != 0 && i.MTU != mtu {
				m.fail("mtu-differs", hedgehog.Key{}, i, "mtu",
					fmt.Sprintf("interfaces %s and %s of one connection have MTU %d and %d", by.Name, i.Name, mtu, i.MTU), "give them one MTU")
				return 0
			}
			mtu, by = i.MTU, i
		}
		if mtu > 65535 {
			m.fail("mtu-too-large", hedgehog.Key{}, by, "mtu", fmt.Sprintf("interface %s has MTU %d", by.Name, mtu), "use at most 9036")
			return 0
		}
		if mtu != 0 {
			return uint16(mtu)
		}
	}
	return 0
}

// membership is what VLANs an interface carries.
type membership struct {
	native ID
	tagged []ID
}

func (a membership) equal(b membership) bool {
	return a.native == b.native && slices.Equal(a.tagged, b.tagged)
}

// membershipOf reads the VLANs of an interface; ok is false when its mode says
// nothing.
func membershipOf(i *Interface) (v membership, ok bool) {
	switch i.Mode {
	case "access":
		return membership{native: i.UntaggedVLAN}, true
	case "tagged":
		v.native = i.UntaggedVLAN
		for _, id := range i.TaggedVLANs {
			if id != v.native && !slices.Contains(v.tagged, id) {
				v.tagged = append(v.tagged, id)
			}
		}
		slices.Sort(v.tagged)
		return v, true
	case "":
		return v, false
	}
	// tagged-all and q-in-q name no VLANs; they are unlike any list.
	return membership{native: -1}, true
}

// attachServer renders which subnets a server's connection is in.
func (m *mapper) attachServer(c *connection, b *bundle, lags []*Interface) {
	var near, ports, far, serverPorts []*Interface
	for _, l := range b.links {
		if lag := m.lagOf(l.port); lag != nil {
			if !slices.Contains(near, lag) {
				near = append(near, lag)
			}
		} else if len(lags) > 0 {
			near = append(near, l.port)
		}
		ports, serverPorts = append(ports, l.port), append(serverPorts, l.serverPort)
	}
	if b.serverLAG != nil {
		far = []*Interface{b.serverLAG}
	}
	said := m.vlansOf(c, [][]*Interface{near, ports, far, serverPorts})
	if said != nil {
		m.attachVLANs(c, said.by, said.membership)
	}
	m.attachHostBGP(c, b, lags, said != nil)
}

// vlanWord is the VLANs of a connection and the interface that says so.
type vlanWord struct {
	membership
	by *Interface
}

// vlansOf finds the first level at which an interface has a mode. Members of
// that level must agree; levels behind it that differ are worth a notice.
func (m *mapper) vlansOf(c *connection, levels [][]*Interface) *vlanWord {
	var said *vlanWord
	for _, level := range levels {
		speaks := slices.ContainsFunc(level, func(i *Interface) bool { return i.Mode != "" })
		if !speaks {
			continue
		}
		if said != nil {
			for _, i := range level {
				if v, ok := membershipOf(i); ok && !v.equal(said.membership) {
					m.notice("vlans-differ-elsewhere", c.object.Key(), i, "tagged_vlans",
						fmt.Sprintf("interface %s carries other VLANs than %s, which counts", i.Name, said.by.path()), "make the two agree, or clear the mode of this one")
				}
			}
			continue
		}
		v, _ := membershipOf(level[0])
		for _, i := range level {
			w, _ := membershipOf(i)
			if w.native == -1 {
				m.fail("vlan-mode-unsupported", c.object.Key(), i, "mode",
					fmt.Sprintf("interface %s has mode %s, which names no VLANs", i.Name, i.Mode), "use mode access or tagged, with the VLANs")
				return nil
			}
			if i.Mode == "" || !w.equal(v) {
				m.fail("vlans-differ", c.object.Key(), i, "tagged_vlans",
					fmt.Sprintf("interfaces %s and %s are one connection and carry different VLANs", level[0].path(), i.path()), "give all members of a connection the same VLANs")
				return nil
			}
		}
		said = &vlanWord{v, level[0]}
	}
	return said
}

func (m *mapper) attachVLANs(c *connection, by *Interface, v membership) {
	attach := func(id ID, native bool) {
		vlan := m.vlans[id]
		if vlan == nil {
			return
		}
		if !m.inGroups(vlan) {
			m.notice("vlan-outside-groups", c.object.Key(), by, "tagged_vlans",
				fmt.Sprintf("interface %s carries VLAN %d (%s), which is in no VLAN group of the fabric, so it is left out", by.Name, vlan.VID, vlan.Name),
				fmt.Sprintf("move the VLAN into a group that is tagged %s, or take it off the interface", m.c.Tag))
			return
		}
		switch subnets := m.subnetsOf[vlan.ID]; len(subnets) {
		case 1:
			m.attachSubnet(c, by, subnets[0], native)
		case 0:
			m.fail("vlan-without-subnet", c.object.Key(), vlan, "prefixes",
				fmt.Sprintf("VLAN %d (%s) is carried by %s and no active prefix of a VPC has it", vlan.VID, vlan.Name, by.path()),
				"give the VLAN a prefix in the VPC's VRF, inside a container of the fabric, with status active")
		default:
			m.fail("vlan-with-subnets", c.object.Key(), vlan, "prefixes",
				fmt.Sprintf("VLAN %d (%s) is carried by %s and has %d prefixes: %s and %s", vlan.VID, vlan.Name, by.path(), len(subnets), subnets[0].row.Prefix, subnets[1].row.Prefix),
				"keep one active prefix of a VPC on the VLAN")
		}
	}
	if v.native != 0 {
		attach(v.native, true)
	}
	for _, id := range v.tagged {
		attach(id, false)
	}
}

func (m *mapper) attachSubnet(c *connection, by *Interface, s *subnet, native bool) {
	if s.key == "" {
		return // the subnet has no name; reported
	}
	at := s.vpc.name + "/" + s.key
	pinned, isPinned := c.attachmentNames[at]
	patch, isPatched := c.attachmentPatches[at]
	name := pinned.value
	if isPatched {
		patch.used = true
		c.attachmentPatches[at] = patch
	}
	if isPinned {
		pinned.used = true
		c.attachmentNames[at] = pinned
		var ok bool
		if name, ok = m.named(hedgehog.KindVPCAttachment, by, "", name); !ok || !m.claim(hedgehog.KindVPCAttachment, name, by) {
			return
		}
	} else {
		var ok bool
		if name, ok = m.named(hedgehog.KindVPCAttachment, by, "", m.attachmentName(s, c.object.Name)); !ok {
			return
		}
		name = m.numbered(hedgehog.KindVPCAttachment, name, by, "the connection: "+cf("attachments"))
	}
	o := newObject(hedgehog.KindVPCAttachment, name, by, s.row, s.vpc.row)
	if s.vlan != nil {
		from(o, s.vlan)
	}
	inherit(o, c.object)
	o.Spec = &hedgehog.VPCAttachmentSpec{Subnet: at, Connection: c.object.Name, NativeVLAN: native}
	if isPatched {
		m.patch(o, patch.by, patch.value)
	}
	m.add(o)
}

// attachHostBGP attaches subnets without a VLAN: the switch's port stands in
// the VPC's VRF itself.
func (m *mapper) attachHostBGP(c *connection, b *bundle, lags []*Interface, hasVLANs bool) {
	var near []*Interface
	for _, l := range b.links {
		near = append(near, l.port)
	}
	near = append(near, lags...)
	done := map[ID]bool{}
	for _, i := range near {
		if i.VRF == 0 || done[i.VRF] {
			continue
		}
		done[i.VRF] = true
		v := m.vpcs[i.VRF]
		if v == nil {
			name := fmt.Sprintf("VRF %d", i.VRF)
			if r := m.vrfs[i.VRF]; r != nil {
				name = "VRF " + r.Name
			}
			m.notice("vrf-outside", c.object.Key(), i, "vrf",
				fmt.Sprintf("port %s is in %s, which is no VPC of the fabric, so it is left out", i.Name, name), "correct the VRF, or give it a subnet in the fabric")
			continue
		}
		var without []*subnet
		for _, s := range v.subnets {
			if s.vlan == nil {
				without = append(without, s)
			}
		}
		if len(without) > 1 {
			without = slices.DeleteFunc(without, func(s *subnet) bool { return !m.holdsAddress(s, b, lags) })
		}
		switch {
		case len(without) == 1:
			m.attachSubnet(c, i, without[0], false)
		case len(without) == 0 && hasVLANs && !slices.ContainsFunc(v.subnets, func(s *subnet) bool { return s.vlan == nil }):
			// The VRF only repeats what the VLANs say.
		default:
			m.fail("host-bgp-ambiguous", c.object.Key(), i, "vrf",
				fmt.Sprintf("port %s is in VPC %s, and nothing says which of its subnets without a VLAN it is in", i.Name, v.name),
				"assign an address of the subnet to the server's port, in the VPC's VRF")
		}
	}
}

// holdsAddress reports whether a port of the connection has an address of the
// subnet.
func (m *mapper) holdsAddress(s *subnet, b *bundle, lags []*Interface) bool {
	ports := slices.Clone(lags)
	if b.serverLAG != nil {
		ports = append(ports, b.serverLAG)
	}
	for _, l := range b.links {
		ports = append(ports, l.port, l.serverPort)
	}
	for _, i := range ports {
		for _, a := range m.addressesOn[i.ID] {
			if p, err := netip.ParsePrefix(a.Address); err == nil && a.VRF == s.row.VRF && s.prefix.Contains(p.Addr()) {
				return true
			}
		}
	}
	return false
}
