package netbox

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"hedgehog-gitops/render/hedgehog"
)

// connection is a Connection that is being made.
type connection struct {
	spec   *hedgehog.ConnectionSpec
	base   string // the name it has when nothing pins one
	pinned string
	anchor row
	rows   []row
	what   string // what to set hedgehog_name on
	// holders are the records whose fields speak for the connection, the first
	// to ask first.
	holders []holder
	object  *hedgehog.Object
	// attach is called once the connection has its name.
	attach func(c *connection)
	// attachmentNames and attachmentPatches are by vpc/subnet.
	attachmentNames   map[string]said[string]
	attachmentPatches map[string]said[any]
}

// said is what a record says of an attachment.
type said[V any] struct {
	value V
	by    row
	used  bool
}

// holder is a record with its custom fields.
type holder struct {
	row    row
	fields Fields
}

// connections infers the Connections from what is cabled, and the attachments
// from what their ports carry.
func (m *mapper) connections() {
	slices.SortFunc(m.leaves, func(a, b *switchNode) int {
		return cmp.Or(natural(a.name, b.name), cmp.Compare(a.device.ID, b.device.ID))
	})
	var all []*connection
	sorter := &linkSorter{m: m, fabric: map[pairKey][]fabricEnds{}, mesh: map[pairKey][]fabricEnds{}, gateway: map[pairKey][]fabricEnds{},
		mclag: map[pairKey][]fabricEnds{}, loopback: map[pairKey][]fabricEnds{}}
	for _, s := range m.leaves {
		if s.profile == nil {
			continue
		}
		ports := slices.Clone(m.interfacesOf[s.device.ID])
		slices.SortFunc(ports, func(a, b *Interface) int {
			return cmp.Or(natural(s.portOf[a.ID], s.portOf[b.ID]), natural(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
		})
		for _, i := range ports {
			if isPort(i) {
				sorter.sort(s, i)
			}
		}
	}
	all = append(all, sorter.fabricConnections()...)
	all = append(all, sorter.meshConnections()...)
	all = append(all, sorter.gatewayConnections()...)
	all = append(all, sorter.mclagDomains()...)
	all = append(all, sorter.loopbacks()...)
	all = append(all, m.serverConnections(sorter.servers)...)
	all = append(all, sorter.staticExternals()...)
	all = append(all, sorter.externalConnections()...)

	// Names that people pinned come first, so that no other takes them.
	for _, c := range all {
		m.askHolders(c)
	}
	names := make([]string, len(all))
	for n, c := range all {
		if c.pinned == "" {
			continue
		}
		if name, ok := m.named(hedgehog.KindConnection, c.anchor, "", c.pinned); ok && m.claim(hedgehog.KindConnection, name, c.anchor) {
			names[n] = name
		}
	}
	for n, c := range all {
		if c.pinned != "" {
			continue
		}
		names[n] = m.numbered(hedgehog.KindConnection, c.base, c.anchor, c.what)
		if len(names[n]) > 63 {
			m.fail("connection-name-length", hedgehog.Key{Kind: hedgehog.KindConnection, Name: names[n]}, c.anchor, cf("name"),
				fmt.Sprintf("the name %q has %d characters; it becomes a label, which may have 63", names[n], len(names[n])),
				"set "+cf("name")+" on "+c.what)
		}
	}
	for n, c := range all {
		if names[n] == "" {
			continue
		}
		c.object = newObject(hedgehog.KindConnection, names[n], c.anchor, c.rows...)
		c.object.Spec = c.spec
		m.patchConnection(c)
		m.add(c.object)
		if c.attach != nil {
			c.attach(c)
		}
		m.unusedAttachments(c)
	}
}

// sortedPairs yields the pairs of a map in the order of their devices' names.
func (ls *linkSorter) sortedPairs(pairs map[pairKey][]fabricEnds) []pairKey {
	keys := make([]pairKey, 0, len(pairs))
	for k := range pairs {
		keys = append(keys, k)
	}
	name := func(id ID) string {
		if d := ls.m.devices[id]; d != nil {
			return slug(d.Name)
		}
		return ""
	}
	slices.SortFunc(keys, func(a, b pairKey) int {
		return cmp.Or(natural(name(a.a), name(b.a)), natural(name(a.b), name(b.b)), cmp.Compare(a.pin, b.pin), cmp.Compare(a.a, b.a), cmp.Compare(a.b, b.b))
	})
	for _, links := range pairs {
		slices.SortFunc(links, func(a, b fabricEnds) int {
			return cmp.Or(natural(string(a.name), string(b.name)), natural(string(a.farName), string(b.farName)))
		})
	}
	return keys
}

// between starts a connection of links between two devices.
func (ls *linkSorter) between(base, pin string, links []fabricEnds) *connection {
	c := &connection{spec: &hedgehog.ConnectionSpec{}, base: base, pinned: pin, what: "one of its cables", anchor: links[0].anchor()}
	for _, l := range links {
		ls.m.hold(c, l.link)
		c.holders = append(c.holders, holder{l.port, l.port.Fields}, holder{l.farPort, l.farPort.Fields})
		c.rows = append(c.rows, l.port, l.farPort, l.sw.device, ls.m.deviceOf(l.farPort))
	}
	return c
}

// hold makes the cables of a link part of a connection.
func (m *mapper) hold(c *connection, l link) {
	if l.far == nil {
		return
	}
	for _, cable := range l.far.cables {
		c.holders = append(c.holders, holder{cable, cable.Fields})
		c.rows = append(c.rows, cable)
	}
	c.rows = append(c.rows, l.far.panels...)
}

// end is an end of a link between devices of the fabric, with its address.
func (m *mapper) end(c *connection, name hedgehog.Port, i *Interface) hedgehog.AddressedEnd {
	e := hedgehog.AddressedEnd{Port: name}
	pool := m.c.Settings.Pools.FabricSubnet
	var found *IPAddress
	for _, a := range m.addressesOn[i.ID] {
		if !inPool(a, pool) {
			continue
		}
		if found != nil && found.Address != a.Address {
			m.fail("link-address-ambiguous", hedgehog.Key{}, i, "ip_addresses",
				fmt.Sprintf("port %s has two addresses in %s: %s and %s", name, pool, found.Address, a.Address), "remove one of the two")
			return e
		}
		found = a
	}
	if found == nil {
		if m.c.Settings.Target == hedgehog.TargetCluster {
			m.fail("link-address-missing", hedgehog.Key{}, i, "ip_addresses",
				fmt.Sprintf("port %s is one end of a link of the fabric and has no address in %s", name, pool), "assign one half of a /31 to it, the other to the far port")
		}
		return e
	}
	e.IP = found.Address
	c.rows = append(c.rows, found)
	return e
}

// pairConnections makes one connection of the links between each two devices,
// called base with their names in it; fill puts the links into its spec.
func (ls *linkSorter) pairConnections(pairs map[pairKey][]fabricEnds, word string, fill func(c *connection, k pairKey, links []fabricEnds)) []*connection {
	var all []*connection
	for _, k := range ls.sortedPairs(pairs) {
		base := ls.m.switches[k.a].name + "--" + word
		if s := ls.m.switches[k.b]; s != nil {
			base += "--" + s.name
		} else if g := ls.m.gateways[k.b]; g != nil {
			base += "--" + g.name
		}
		c := ls.between(base, k.pin, pairs[k])
		fill(c, k, pairs[k])
		all = append(all, c)
	}
	return all
}

func (ls *linkSorter) fabricConnections() []*connection {
	return ls.pairConnections(ls.fabric, "fabric", func(c *connection, _ pairKey, links []fabricEnds) {
		c.spec.Fabric = &hedgehog.FabricLinks{}
		for _, l := range links {
			c.spec.Fabric.Links = append(c.spec.Fabric.Links, hedgehog.FabricLink{Spine: ls.m.end(c, l.name, l.port), Leaf: ls.m.end(c, l.farName, l.farPort)})
		}
	})
}

func (ls *linkSorter) meshConnections() []*connection {
	return ls.pairConnections(ls.mesh, "mesh", func(c *connection, _ pairKey, links []fabricEnds) {
		c.spec.Mesh = &hedgehog.MeshLinks{}
		for _, l := range links {
			c.spec.Mesh.Links = append(c.spec.Mesh.Links, hedgehog.MeshLink{Leaf1: ls.m.end(c, l.name, l.port), Leaf2: ls.m.end(c, l.farName, l.farPort)})
		}
	})
}

func (ls *linkSorter) gatewayConnections() []*connection {
	return ls.pairConnections(ls.gateway, "gateway", func(c *connection, k pairKey, links []fabricEnds) {
		c.spec.Gateway = &hedgehog.GatewayLinks{}
		for _, l := range links {
			near, far := ls.m.end(c, l.name, l.port), ls.m.end(c, l.farName, l.farPort)
			c.spec.Gateway.Links = append(c.spec.Gateway.Links, hedgehog.GatewayLink{Switch: near, Gateway: far})
			ls.m.gatewayInterface(ls.m.gateways[k.b], ls.m.switches[k.a], l, near, far)
		}
	})
}

func (ls *linkSorter) mclagDomains() []*connection {
	return ls.pairConnections(ls.mclag, "mclag-domain", func(c *connection, _ pairKey, links []fabricEnds) {
		ls.m.mclagRelease(c.anchor)
		c.spec.MCLAGDomain = &hedgehog.MCLAGDomain{}
		for _, l := range links {
			to := &c.spec.MCLAGDomain.PeerLinks
			if l.kind == "mclag-session" {
				to = &c.spec.MCLAGDomain.SessionLinks
			}
			*to = append(*to, l.pair())
		}
	})
}

func (ls *linkSorter) loopbacks() []*connection {
	return ls.pairConnections(ls.loopback, "vpc-loopback", func(c *connection, _ pairKey, links []fabricEnds) {
		c.spec.VPCLoopback = &hedgehog.VPCLoopback{}
		for _, l := range links {
			c.spec.VPCLoopback.Links = append(c.spec.VPCLoopback.Links, l.pair())
		}
	})
}

// mclagRelease reports MCLAG for a release that no longer has it.
func (m *mapper) mclagRelease(at row) {
	if m.c.Settings.FabricVersion != "26.02" {
		m.fail("mclag-release", hedgehog.Key{}, at, cf("redundancy_type"),
			fmt.Sprintf("release %s of Hedgehog has no MCLAG any more", m.c.Settings.FabricVersion),
			"make the switches an ESLAG pair, or set `fabricVersion: \"26.02\"` for the fabric if that is what runs")
	}
}

// pair is a link between two switches that has no addresses.
func (l fabricEnds) pair() hedgehog.SwitchPairLink {
	return hedgehog.SwitchPairLink{Switch1: hedgehog.PortEnd{Port: l.name}, Switch2: hedgehog.PortEnd{Port: l.farName}}
}

// gatewayInterface gives a gateway the interface and the neighbour that a link
// to a switch makes.
func (m *mapper) gatewayInterface(g *gatewayNode, s *switchNode, l fabricEnds, near, far hedgehog.AddressedEnd) {
	name := far.Port.Name()
	if _, twice := g.spec.Interfaces[name]; twice {
		m.fail("gateway-port-twice", g.object.Key(), l.farPort, "name", fmt.Sprintf("gateway %s has two ports %s", g.name, name), "rename one of them")
		return
	}
	i := hedgehog.GatewayInterface{MTU: uint32(max(l.farPort.MTU, 0))}
	if far.IP != "" {
		i.IPs = []string{far.IP}
	}
	put(&g.spec.Interfaces, name, i)
	from(g.object, l.farPort)
	for _, on := range []*Interface{l.farPort, l.port} {
		for _, a := range m.addressesOn[on.ID] {
			if inPool(a, m.c.Settings.Pools.FabricSubnet) {
				from(g.object, a)
			}
		}
	}
	from(g.object, s.device)
	if _, row := m.asnField(s.device.Fields, "asn"); row != nil {
		from(g.object, row)
	}
	if p, err := netip.ParsePrefix(near.IP); err == nil {
		g.spec.Neighbors = append(g.spec.Neighbors, hedgehog.GatewayNeighbor{Source: name, IP: p.Addr().String(), ASN: s.spec.ASN})
	}
}

// single starts a connection of one port that leads out of the fabric.
func (ls *linkSorter) single(p *externalPort, base string) *connection {
	c := &connection{spec: &hedgehog.ConnectionSpec{}, base: base, pinned: p.pin, anchor: p.port, what: "the port"}
	c.holders = append(c.holders, holder{p.port, p.port.Fields})
	c.rows = append(c.rows, p.sw.device)
	ls.m.hold(c, p.link)
	return c
}

func (ls *linkSorter) externalConnections() []*connection {
	var all []*connection
	for _, p := range ls.externals {
		c := ls.single(p, p.sw.name+"--external")
		c.spec.External = &hedgehog.ExternalLink{Link: hedgehog.ExternalEnd{Switch: hedgehog.PortEnd{Port: p.name}}}
		c.attach = func(c *connection) {
			p.connection = c.object
			ls.m.attachExternals(p)
		}
		all = append(all, c)
	}
	return all
}

// staticExternals are ports of the older kind of static external: the address
// and VLAN of the port or its sub-interface, the rest in a field.
func (ls *linkSorter) staticExternals() []*connection {
	m := ls.m
	var all []*connection
	for _, p := range ls.statics {
		c := ls.single(p, p.sw.name+"--static-external")
		end := hedgehog.StaticExternalEnd{Port: p.name}
		spec := &hedgehog.StaticExternal{}
		var settings struct {
			WithinVPC string   `json:"withinVPC"`
			IP        string   `json:"ip"`
			NextHop   string   `json:"nextHop"`
			Subnets   []string `json:"subnets"`
			VLAN      *uint16  `json:"vlan"`
		}
		for _, i := range append([]*Interface{p.port}, m.subInterfaces(p.port)...) {
			if i != p.port {
				c.rows = append(c.rows, i)
			}
			if on := m.addressesOn[i.ID]; len(on) == 1 && end.IP == "" {
				end.IP = on[0].Address
				c.rows = append(c.rows, on[0])
				if i != p.port {
					o := &hedgehog.Object{}
					vlan, ok := m.attachmentVLAN(hedgehog.Key{}, i, o)
					if !ok {
						continue
					}
					end.VLAN = vlan
				}
			}
			if v := m.vpcs[i.VRF]; v != nil {
				spec.WithinVPC = v.name
			}
			if raw := i.Fields.value("static_external"); raw != nil {
				if err := into(raw, &settings); err != nil {
					m.fail("static-external-form", hedgehog.Key{}, i, cf("static_external"),
						cf("static_external")+" cannot be read: "+err.Error(), "use the keys withinVPC, ip, nextHop, subnets and vlan")
				}
			}
		}
		end.NextHop, end.Subnets = settings.NextHop, settings.Subnets
		end.IP = cmp.Or(settings.IP, end.IP)
		spec.WithinVPC = cmp.Or(settings.WithinVPC, spec.WithinVPC)
		if settings.VLAN != nil {
			end.VLAN = *settings.VLAN
		}
		spec.Link.Switch = end
		c.spec.StaticExternal = spec
		all = append(all, c)
	}
	return all
}

// askHolders reads the fields that speak for a connection from its records.
func (m *mapper) askHolders(c *connection) {
	var by row
	for _, h := range c.holders {
		v := h.fields.text("name")
		switch {
		case v == "" || v == c.pinned:
		case c.pinned == "":
			c.pinned, by = v, h.row
		default:
			first := ""
			if by != nil {
				first = " (" + by.path() + ")"
			}
			m.fail("connection-two-names", hedgehog.Key{Kind: hedgehog.KindConnection, Name: c.pinned}, h.row, cf("name"),
				fmt.Sprintf("the records of one connection pin two names: %s%s and %s", c.pinned, first, v), "set "+cf("name")+" on one of them")
		}
	}
}

// patchConnection applies hedgehog_spec of the connection's records, and keeps
// what it says of its attachments.
func (m *mapper) patchConnection(c *connection) {
	c.attachmentNames, c.attachmentPatches = map[string]said[string]{}, map[string]said[any]{}
	var patch any
	var by row
	for _, h := range c.holders {
		if names, ok := h.fields.value("attachments").(map[string]any); ok {
			for k, v := range names {
				name, isText := v.(string)
				if first, twice := c.attachmentNames[k]; !isText || twice && first.value != name {
					m.fail("attachment-names-form", c.object.Key(), h.row, cf("attachments"),
						fmt.Sprintf("%s gives %s no name, or a second one", cf("attachments"), k), `write {"<vpc>/<subnet>": "<name>"} on one record of the connection`)
					continue
				}
				c.attachmentNames[k] = said[string]{value: name, by: h.row}
			}
		} else if h.fields.value("attachments") != nil {
			m.fail("attachment-names-form", c.object.Key(), h.row, cf("attachments"), cf("attachments")+" is no object", `write {"<vpc>/<subnet>": "<name>"}`)
		}
		raw := h.fields.value("spec")
		if raw == nil || by != nil && by.path() == h.row.path() {
			continue
		}
		if by != nil {
			m.fail("connection-two-patches", c.object.Key(), h.row, cf("spec"),
				fmt.Sprintf("two records of one connection have %s: this one and %s", cf("spec"), by.path()), "keep one of the two")
			continue
		}
		by = h.row
		fields, ok := raw.(map[string]any)
		if !ok {
			m.fail("spec-patch-form", c.object.Key(), h.row, cf("spec"), cf("spec")+" is no object", `write {"connection": {...}, "attachments": {...}}`)
			continue
		}
		_, forConnection := fields["connection"]
		attachments, forAttachments := fields["attachments"].(map[string]any)
		if !forConnection && !forAttachments {
			patch = fields
			continue
		}
		patch = fields["connection"]
		for k, v := range attachments {
			c.attachmentPatches[k] = said[any]{value: v, by: h.row}
		}
	}
	if patch != nil {
		m.patch(c.object, by, patch)
	}
}

// unusedAttachments reports what records say of attachments that the connection
// does not have.
func (m *mapper) unusedAttachments(c *connection) {
	unused := func(field, at string, by row) {
		m.warn("attachment-unknown", c.object.Key(), by, cf(field),
			fmt.Sprintf("%s speaks of an attachment to %s, which connection %s does not have", cf(field), at, c.object.Name),
			"correct the name, put the connection into the subnet, or take the entry out")
	}
	for _, at := range sortedKeys(c.attachmentNames) {
		if s := c.attachmentNames[at]; !s.used {
			unused("attachments", at, s.by)
		}
	}
	for _, at := range sortedKeys(c.attachmentPatches) {
		if s := c.attachmentPatches[at]; !s.used {
			unused("spec", at, s.by)
		}
	}
}

// attachmentName is how an attachment is called when nothing else says so.
func (m *mapper) attachmentName(s *subnet, connection string) string {
	return strings.NewReplacer("{vpc}", s.vpc.name, "{subnet}", s.key, "{connection}", connection).Replace(m.c.AttachmentName)
}
