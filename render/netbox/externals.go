package netbox

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"hedgehog-gitops/render/hedgehog"
)

// external is a VRF of kind external. It is of the fabric once a port of the
// fabric is in it, or a VPC of the fabric shares a tagged target with it.
type external struct {
	row     *VRF
	name    string
	object  *hedgehog.Object
	spec    *hedgehog.ExternalSpec
	static  bool
	inScope bool
	// networks are those of its attachments, and addresses what they come from.
	networks  []netip.Prefix
	addresses []*IPAddress
}

// externalRecords finds the VRFs of kind external; whether they are of the
// fabric turns out later.
func (m *mapper) externalRecords() {
	for _, row := range sorted(m.vrfs) {
		if row.Fields.text("vrf_kind") == "external" {
			m.externals[row.ID] = &external{row: row, static: row.Fields.isTrue("external_static")}
		}
	}
}

// enter brings an external into the fabric and names it.
func (m *mapper) enter(e *external) {
	if e.inScope {
		return
	}
	e.inScope = true
	pinned := e.row.Fields.text("name")
	name, ok := m.named(hedgehog.KindExternal, e.row, e.row.Name, pinned)
	if !ok {
		if name = cmp.Or(pinned, slug(e.row.Name)); name == "" {
			name = fmt.Sprintf("vrf-%d", e.row.ID)
		}
	} else {
		m.claim(hedgehog.KindExternal, name, e.row)
	}
	e.name = name
	f := e.row.Fields
	e.spec = &hedgehog.ExternalSpec{
		IPv4Namespace:     f.text("ipv4_namespace"),
		InboundCommunity:  f.text("inbound_community"),
		OutboundCommunity: f.text("outbound_community"),
	}
	e.object = newObject(hedgehog.KindExternal, name, e.row)
	e.object.Spec = e.spec
	if names := m.ipv4NamespaceNames(); e.spec.IPv4Namespace == "" && len(names) == 1 {
		e.spec.IPv4Namespace = names[0]
		for _, c := range m.containers {
			from(e.object, c.row)
		}
	}
}

func (m *mapper) ipv4NamespaceNames() []string {
	var names []string
	for _, c := range m.containers {
		if !slices.Contains(names, c.namespace) {
			names = append(names, c.namespace)
		}
	}
	return names
}

// staticPrefixes are what lies behind a static external: the active prefixes of
// its VRF but for the networks of its attachments. Open reports that there are
// none, which means everything.
func (m *mapper) staticPrefixes(e *external) (list []*Prefix, text []string, open bool) {
	type entry struct {
		row    *Prefix
		prefix netip.Prefix
	}
	var all []entry
	for _, p := range m.prefixesIn[e.row.ID] {
		prefix, err := netip.ParsePrefix(p.Prefix)
		if err != nil || p.Status != "active" || slices.Contains(e.networks, prefix.Masked()) {
			continue
		}
		all = append(all, entry{p, prefix.Masked()})
	}
	slices.SortFunc(all, func(a, b entry) int {
		return cmp.Or(a.prefix.Addr().Compare(b.prefix.Addr()), cmp.Compare(a.prefix.Bits(), b.prefix.Bits()), cmp.Compare(a.row.ID, b.row.ID))
	})
	for _, en := range all {
		list = append(list, en.row)
		text = append(text, en.prefix.String())
	}
	if len(text) == 0 {
		return nil, []string{"0.0.0.0/0"}, true
	}
	return list, text, false
}

// finishExternals adds the externals of the fabric.
func (m *mapper) finishExternals() {
	for _, e := range sorted(m.externals) {
		if !e.inScope {
			continue
		}
		if e.static {
			rows, prefixes, open := m.staticPrefixes(e)
			e.spec.Static = &hedgehog.StaticRoutes{Prefixes: prefixes}
			from(e.object, rows...)
			from(e.object, e.addresses...)
			if open {
				m.warn("external-opens-everything", e.object.Key(), e.row, "prefixes",
					fmt.Sprintf("static external %s has no prefixes, so it opens everything (0.0.0.0/0)", e.name),
					"add the prefixes behind it to its VRF, with status active")
			}
		}
		m.patch(e.object, e.row, e.row.Fields.value("spec"))
		m.add(e.object)
	}
}

// attachExternals renders where an external connection's port meets externals:
// the port itself, and its sub-interfaces.
func (m *mapper) attachExternals(l *externalPort) {
	if l.port.VRF != 0 {
		m.attachExternal(l, l.port, true)
	}
	for _, sub := range m.subInterfaces(l.port) {
		if sub.VRF != 0 {
			m.attachExternal(l, sub, false)
		}
	}
}

// subInterfaces are the children of a port that are no channels, in the natural
// order of their names.
func (x *Index) subInterfaces(i *Interface) []*Interface {
	var subs []*Interface
	for _, child := range x.childrenOf[i.ID] {
		if child.ChannelID == 0 {
			subs = append(subs, child)
		}
	}
	slices.SortStableFunc(subs, func(a, b *Interface) int { return natural(a.Name, b.Name) })
	return subs
}

func (m *mapper) attachExternal(l *externalPort, i *Interface, untagged bool) {
	e := m.externals[i.VRF]
	if e == nil {
		return
	}
	m.enter(e)
	var name string
	key := hedgehog.Key{Kind: hedgehog.KindExternalAttachment, Name: l.sw.name + "--" + e.name}
	if pinned := i.Fields.text("name"); pinned != "" && !untagged {
		var ok bool
		if name, ok = m.named(key.Kind, i, i.Name, pinned); !ok || !m.claim(key.Kind, name, i) {
			return
		}
	} else {
		name = m.numbered(key.Kind, key.Name, i, "the sub-interface")
	}
	o := newObject(key.Kind, name, i, e.row, l.port)
	inherit(o, l.connection) // its name is in the attachment's
	key = o.Key()
	spec := &hedgehog.ExternalAttachmentSpec{External: e.name, Connection: l.connection.Name}
	o.Spec = spec

	options, ok := i.Fields.value("external_options").(map[string]any)
	if i.Fields.value("external_options") != nil && !ok {
		m.fail("external-options-form", key, i, cf("external_options"), cf("external_options")+" is no object", "write fields of an ExternalAttachment's spec")
		return
	}
	static, _ := options["static"].(map[string]any)
	proxy, _ := static["proxy"].(bool)

	vlan, ok := uint16(0), true
	if !untagged {
		vlan, ok = m.attachmentVLAN(key, i, o)
	}
	if !ok {
		return
	}
	ours, ok := m.attachmentAddress(key, i, o, proxy)
	if !ok {
		return
	}
	if ours.IsValid() {
		e.networks = append(e.networks, ours.Masked())
	}
	neighbor, ok := m.neighborAddress(key, l, i, vlan, ours, o)
	if !ok {
		return
	}
	if e.static {
		spec.Static = &hedgehog.AttachmentStatic{RemoteIP: neighbor.String(), VLAN: vlan, Proxy: proxy}
		if ours.IsValid() {
			spec.Static.IP = ours.String()
		}
	} else {
		spec.Switch = hedgehog.AttachmentSwitch{VLAN: vlan, IP: ours.String()}
		spec.Neighbor.IP = neighbor.String()
		if spec.Neighbor.ASN, ok = m.neighborASN(key, l, i, o); !ok {
			return
		}
	}
	if options != nil {
		m.patchFrom(o, i, cf("external_options"), map[string]any{"spec": options})
	}
	if !untagged {
		m.patch(o, i, i.Fields.value("spec"))
	}
	m.add(o)
}

// attachmentVLAN is the VLAN of a sub-interface: its one VLAN, else the number
// at the end of its name.
func (m *mapper) attachmentVLAN(key hedgehog.Key, i *Interface, o *hedgehog.Object) (uint16, bool) {
	var vlans []*VLAN
	if v := m.vlans[i.UntaggedVLAN]; v != nil {
		vlans = append(vlans, v)
	}
	for _, id := range i.TaggedVLANs {
		if v := m.vlans[id]; v != nil && !slices.Contains(vlans, v) {
			vlans = append(vlans, v)
		}
	}
	named, hasName := 0, false
	if cut := strings.LastIndexByte(i.Name, '.'); cut >= 0 {
		n, err := strconv.Atoi(i.Name[cut+1:])
		named, hasName = n, err == nil && n >= 0 && n < 4095
	}
	switch {
	case len(vlans) > 1:
		m.fail("external-vlan-ambiguous", key, i, "tagged_vlans",
			fmt.Sprintf("sub-interface %s has %d VLANs; an external attachment has one", i.Name, len(vlans)), "keep one VLAN on it")
	case len(vlans) == 1 && hasName && int(vlans[0].VID) != named:
		m.fail("external-vlan-ambiguous", key, i, "untagged_vlan",
			fmt.Sprintf("sub-interface %s has VLAN %d and a name that says %d", i.Name, vlans[0].VID, named), "make the two agree")
	case len(vlans) == 1:
		from(o, vlans[0])
		return vlans[0].VID, true
	case hasName:
		return uint16(named), true
	default:
		m.fail("external-vlan-missing", key, i, "untagged_vlan",
			fmt.Sprintf("sub-interface %s has no VLAN, and its name does not end in one", i.Name), "set its VLAN, or name it like E1/48.100")
	}
	return 0, false
}

// attachmentAddress is the one IPv4 address of the interface. Only a proxied
// static attachment may have none.
func (m *mapper) attachmentAddress(key hedgehog.Key, i *Interface, o *hedgehog.Object, proxy bool) (netip.Prefix, bool) {
	var found []*IPAddress
	for _, a := range m.addressesOn[i.ID] {
		if p, err := netip.ParsePrefix(a.Address); err == nil && p.Addr().Is4() && !slices.ContainsFunc(found, func(b *IPAddress) bool { return b.Address == a.Address }) {
			found = append(found, a)
		}
	}
	switch {
	case len(found) == 1:
		from(o, found[0])
		if e := m.externals[i.VRF]; e != nil {
			e.addresses = append(e.addresses, found[0])
		}
		return netip.MustParsePrefix(found[0].Address), true
	case len(found) == 0 && proxy:
		return netip.Prefix{}, true
	case len(found) == 0:
		m.fail("external-address-missing", key, i, "ip_addresses",
			fmt.Sprintf("interface %s is in an external VRF and has no IPv4 address", i.Name), "assign the fabric's address to it")
	default:
		m.fail("external-address-ambiguous", key, i, "ip_addresses",
			fmt.Sprintf("interface %s has %d IPv4 addresses; an external attachment has one", i.Name, len(found)), "keep one of them")
	}
	return netip.Prefix{}, false
}

// neighborAddress is the far side's address: the field's, else the one address
// in our network on the far port, its sub-interfaces or its LAG, else the other
// host of a /30 or /31.
func (m *mapper) neighborAddress(key hedgehog.Key, l *externalPort, i *Interface, vlan uint16, ours netip.Prefix, o *hedgehog.Object) (netip.Addr, bool) {
	for _, f := range []Fields{i.Fields, l.port.Fields} {
		if a := m.addresses[f.object("neighbor_ip")]; a != nil {
			if p, err := netip.ParsePrefix(a.Address); err == nil {
				from(o, a)
				return p.Addr(), true
			}
		}
	}
	if l.far != nil && l.far.port != nil {
		near := append([]*Interface{l.far.port}, m.subInterfaces(l.far.port)...)
		if lag := m.interfaces[l.far.port.LAG]; lag != nil {
			near = append(append(near, lag), m.subInterfaces(lag)...)
		}
		found := map[netip.Addr]*IPAddress{}
		for _, far := range near {
			for _, a := range m.addressesOn[far.ID] {
				p, err := netip.ParsePrefix(a.Address)
				if err != nil || !p.Addr().Is4() {
					continue
				}
				if ours.IsValid() && (!ours.Contains(p.Addr()) || p.Addr() == ours.Addr()) {
					continue
				}
				if !ours.IsValid() && !sameVLAN(m, far, vlan) {
					continue
				}
				found[p.Addr()] = a
			}
		}
		if len(found) == 1 {
			for addr, a := range found {
				from(o, a)
				if on := m.interfaces[a.Object]; on != nil {
					from(o, on)
				}
				return addr, true
			}
		}
		if len(found) > 1 {
			m.fail("external-neighbor-ambiguous", key, i, cf("neighbor_ip"),
				fmt.Sprintf("the far side of %s has %d addresses in %s", i.Name, len(found), ours.Masked()), "set "+cf("neighbor_ip")+" on the interface")
			return netip.Addr{}, false
		}
	}
	if ours.IsValid() {
		if other, ok := otherHost(ours); ok {
			return other, true
		}
	}
	m.fail("external-neighbor-missing", key, i, cf("neighbor_ip"),
		fmt.Sprintf("nothing says which address is at the far side of %s", i.Name),
		"assign the address to the far port, or set "+cf("neighbor_ip")+" on the interface")
	return netip.Addr{}, false
}

// sameVLAN reports whether an interface at the far side carries the VLAN.
func sameVLAN(m *mapper, i *Interface, vlan uint16) bool {
	if v := m.vlans[i.UntaggedVLAN]; v != nil {
		return v.VID == vlan
	}
	if cut := strings.LastIndexByte(i.Name, '.'); cut >= 0 && i.Type == "virtual" {
		return i.Name[cut+1:] == strconv.Itoa(int(vlan))
	}
	return vlan == 0
}

// otherHost is the other host of a /30 or /31.
func otherHost(p netip.Prefix) (netip.Addr, bool) {
	addr := p.Addr()
	switch p.Bits() {
	case 31:
		if p.Masked().Addr() == addr {
			return addr.Next(), true
		}
		return addr.Prev(), true
	case 30:
		for a := p.Masked().Addr().Next(); p.Contains(a.Next()); a = a.Next() {
			if a != addr {
				return a, true
			}
		}
	}
	return netip.Addr{}, false
}

// neighborASN is the far side's AS number: the field's, else that of the far
// device, else the only one of the circuit's provider.
func (m *mapper) neighborASN(key hedgehog.Key, l *externalPort, i *Interface, o *hedgehog.Object) (uint32, bool) {
	for _, f := range []Fields{i.Fields, l.port.Fields} {
		if asn, row := m.asnField(f, "neighbor_asn"); asn != 0 {
			if row != nil {
				from(o, row)
			}
			return asn, true
		}
	}
	why := "the port leads to no device"
	if l.far != nil && l.far.port != nil {
		if d := m.deviceOf(l.far.port); d != nil {
			if asn, row := m.asnField(d.Fields, "asn"); asn != 0 {
				from(o, d)
				if row != nil {
					from(o, row)
				}
				return asn, true
			}
			why = fmt.Sprintf("device %s has no %s", d.Name, cf("asn"))
		}
	}
	if l.far != nil && l.far.circuit != nil {
		if c := m.circuits[l.far.circuit.Circuit]; c != nil {
			if p := m.providers[c.Provider]; p != nil {
				if len(p.ASNs) == 1 && m.asns[p.ASNs[0]] != nil {
					row := m.asns[p.ASNs[0]]
					from(o, c)
					from(o, p)
					from(o, row)
					return row.ASN, true
				}
				why = fmt.Sprintf("provider %s of circuit %s has %d AS numbers", p.Name, c.CID, len(p.ASNs))
			}
		}
	}
	m.fail("external-asn-missing", key, i, cf("neighbor_asn"),
		fmt.Sprintf("nothing says which AS is at the far side of %s: %s", i.Name, why), "set "+cf("neighbor_asn")+" on the interface")
	return 0, false
}
