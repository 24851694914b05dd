package netbox

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"hedgehog-gitops/render/hedgehog"
)

// externals writes the VRFs of externals, and the prefixes behind static ones.
func (w *writer) externals() {
	var p *pruner
	var find func(string) *VRF
	for o, spec := range hedgehog.Each[*hedgehog.ExternalSpec](w.want) {
		if !w.differs(o) || !fits(o.Kind, o.Name) {
			continue
		}
		if p == nil {
			p = w.pruner()
			find = p.externalVRFs()
		}
		row := find(o.Name)
		if row == nil {
			row = w.vrfs.add(VRF{Name: o.Name})
			pin(&row.Fields, o.Name, o.Name)
		} else if row.Fields.text("vrf_kind") != "external" {
			pin(&row.Fields, o.Name, row.Name)
		}
		p.external(o, spec, row)
	}
}

// externalVRFs returns what finds the VRF of an external: one that is it, else one of
// its name that no other fabric and no VPC has.
func (p *pruner) externalVRFs() func(name string) *VRF {
	best := map[string]*VRF{}
	rank := map[ID]int{}
	for _, row := range p.vrfs.sorted() {
		name := row.Fields.text("name")
		if name == "" {
			name = slug(row.Name)
		}
		seen := p.seen.externals[row.ID]
		switch {
		case seen != nil && seen.inScope:
			name, rank[row.ID] = seen.name, 4
		case p.foreign(row):
			continue
		case row.Fields.text("vrf_kind") == "external":
			rank[row.ID] = 3
		case slices.ContainsFunc(p.prefixesIn[row.ID], func(q *Prefix) bool { return q.VLAN != 0 || q.Fields.isTrue("host_bgp") }):
			continue // a VPC
		default:
			rank[row.ID] = 1
		}
		if first := best[name]; first == nil || rank[first.ID] < rank[row.ID] {
			best[name] = row
		}
	}
	return func(name string) *VRF { return best[name] }
}

func (p *pruner) external(o *hedgehog.Object, spec *hedgehog.ExternalSpec, row *VRF) {
	f := &row.Fields
	set := func(name string, value any) {
		if !sameJSON(f.value(name), value) {
			f.set(name, value)
		}
	}
	set("vrf_kind", "external")
	if f.isTrue("external_static") != (spec.Static != nil) {
		set("external_static", trueOrNil(spec.Static != nil))
	}
	for name, value := range map[string]string{"inbound_community": spec.InboundCommunity, "outbound_community": spec.OutboundCommunity} {
		if value == "" || community(value) {
			set(name, textOrNil(value))
		}
	}
	have := f.text("ipv4_namespace")
	byItself := "default"
	if names := p.seen.ipv4NamespaceNames(); len(names) == 1 {
		byItself = names[0]
	}
	switch {
	case have == spec.IPv4Namespace || have == "" && byItself == spec.IPv4Namespace:
	case byItself == spec.IPv4Namespace:
		set("ipv4_namespace", nil)
	case fits(hedgehog.KindIPv4Namespace, spec.IPv4Namespace):
		set("ipv4_namespace", spec.IPv4Namespace)
	}
	if spec.Static != nil {
		p.behind(spec.Static.Prefixes, row)
	}
}

// behind writes the prefixes behind a static external. Everything, 0.0.0.0/0, is no
// prefix in NetBox: it is what an external without any has.
func (p *pruner) behind(wanted []string, row *VRF) {
	networks := map[netip.Prefix]bool{}
	for _, text := range wanted {
		network, err := netip.ParsePrefix(text)
		if err != nil || network.Masked().String() != text {
			return
		}
		if network.Bits() == 0 {
			if len(wanted) > 1 {
				return
			}
			continue
		}
		networks[network] = true
	}
	own := map[netip.Prefix]bool{} // those of attachments
	if e := p.seen.externals[row.ID]; e != nil {
		for _, network := range e.networks {
			own[network] = true
		}
	}
	there := map[netip.Prefix]bool{}
	for _, q := range p.prefixesIn[row.ID] {
		network, err := netip.ParsePrefix(q.Prefix)
		if err != nil {
			continue
		}
		network = network.Masked()
		switch {
		case networks[network]:
			there[network] = true
			q.Status = "active"
		case q.Status == "active" && !own[network] && p.o.Prune:
			p.prefixes.remove(q.ID)
		}
	}
	for _, text := range wanted {
		if network, _ := netip.ParsePrefix(text); network.Bits() > 0 && !there[network] {
			there[network] = true
			q := p.prefixes.add(Prefix{Prefix: text, VRF: row.ID, Status: "active"})
			p.prefixesIn[row.ID] = append(p.prefixesIn[row.ID], q)
		}
	}
}

// community reports whether NetBox takes a text as a community.
func community(s string) bool {
	a, b, ok := strings.Cut(s, ":")
	return ok && len(a) > 0 && len(a) <= 5 && len(b) > 0 && len(b) <= 5 && digits(a) == a && digits(b) == b
}

// externalAttachments writes where externals meet the fabric: a port, or a sub-interface
// of it, in the VRF of the external. What the far side is comes last, since NetBox often
// knows it already.
func (w *writer) externalAttachments() {
	var list []*wantedAttachment
	var a *externalAttacher
	for o, spec := range hedgehog.Each[*hedgehog.ExternalAttachmentSpec](w.want) {
		if !w.differs(o) || !fits(o.Kind, o.Name) {
			continue
		}
		if a == nil {
			a = w.externalAttacher()
		}
		if at := a.attach(o, spec); at != nil {
			list = append(list, at)
		}
	}
	if len(list) == 0 || w.failed() {
		return
	}
	w.read()
	asns := map[uint32]*ASN{}
	for _, row := range w.asns.sorted() {
		if asns[row.ASN] == nil {
			asns[row.ASN] = row
		}
	}
	a.asns = asns
	for _, at := range list {
		a.neighbor(at)
	}
	w.read()
	for _, at := range list {
		a.options(at)
	}
}

// externalAttacher writes external attachments.
type externalAttacher struct {
	*pruner
	port        func(hedgehog.Port) *Interface
	vrfOf       func(string) *VRF
	childrenOf  map[ID][]*Interface
	named       map[ID]map[string]bool // interfaces of a device
	addressesOn map[ID][]*IPAddress
	pairs       map[[2]string]int // attachments of a switch and an external
	asns        map[uint32]*ASN
	holds       map[ID]*hedgehog.Object // attachments that NetBox gives, by their interface
	goes        map[hedgehog.Key]bool   // those that are pruned
}

// wantedAttachment is an attachment of the manifests and its interface.
type wantedAttachment struct {
	object *hedgehog.Object
	spec   *hedgehog.ExternalAttachmentSpec
	on     *Interface
	vrf    *VRF
}

func (w *writer) externalAttacher() *externalAttacher {
	a := &externalAttacher{pruner: w.pruner(), port: w.seenPorts(), childrenOf: map[ID][]*Interface{}, named: map[ID]map[string]bool{},
		addressesOn: map[ID][]*IPAddress{}, pairs: map[[2]string]int{}}
	a.vrfOf = a.externalVRFs()
	for _, i := range w.interfaces.sorted() {
		put2(a.named, i.Device, i.Name)
		if i.Parent != 0 {
			a.childrenOf[i.Parent] = append(a.childrenOf[i.Parent], i)
		}
	}
	for _, row := range w.ipAddresses.sorted() {
		if row.Type == "dcim.interface" {
			a.addressesOn[row.Object] = append(a.addressesOn[row.Object], row)
		}
	}
	for _, spec := range hedgehog.Each[*hedgehog.ExternalAttachmentSpec](w.want) {
		if at := a.end(spec.Connection); at != "" {
			a.pairs[[2]string{at.Device(), spec.External}]++
		}
	}
	return a
}

// end is the port of an external connection.
func (w *writer) end(connection string) hedgehog.Port {
	o := w.want.Get(hedgehog.KindConnection, connection)
	if o == nil {
		o = w.got.Get(hedgehog.KindConnection, connection)
	}
	if o == nil {
		return ""
	}
	if spec, ok := o.Spec.(*hedgehog.ConnectionSpec); ok && spec.External != nil {
		return spec.External.Link.Switch.Port
	}
	return ""
}

// attach writes the interface of an attachment, its VRF, address and name. It returns nil
// where the records cannot hold the attachment.
func (a *externalAttacher) attach(o *hedgehog.Object, spec *hedgehog.ExternalAttachmentSpec) *wantedAttachment {
	end := a.end(spec.Connection)
	port, vrf := a.port(end), a.vrfOf(spec.External)
	if end == "" || port == nil || vrf == nil {
		return nil
	}
	vlan, address, remote := spec.Switch.VLAN, spec.Switch.IP, spec.Neighbor.IP
	proxy := false
	if s := spec.Static; s != nil {
		vlan, address, remote, proxy = s.VLAN, s.IP, s.RemoteIP, s.Proxy
	}
	ip, err := netip.ParsePrefix(address)
	none := proxy && address == ""
	far, err2 := netip.ParseAddr(remote)
	switch {
	case err2 != nil || !far.Is4(), !none && (err != nil || !ip.Addr().Is4() || !onInterface(ip)),
		vlan > 4094, vrf.Fields.isTrue("external_static") != (spec.Static != nil), spec.Static == nil && spec.Neighbor.ASN == 0:
		return nil
	}
	at := &wantedAttachment{object: o, spec: spec, vrf: vrf}
	generated := end.Device() + "--" + spec.External
	alone := a.pairs[[2]string{end.Device(), spec.External}] == 1
	bare := o.Name == generated && len(o.Labels) == 0 && len(o.Annotations) == 0 && len(o.Leftovers) == 0
	var old *Interface
	if got := a.got.Get(o.Kind, o.Name); got != nil {
		if area, id := splitPath(got.Origin().Path); area == "/dcim/interfaces/" {
			old = a.interfaces.get(id)
		}
	}
	if vlan == 0 && (old == port || bare && (port.VRF == 0 || port.VRF == vrf.ID)) {
		at.on = port
	} else if at.on = a.subInterface(o, port, old, vlan); at.on == nil {
		return nil
	}
	if at.on.VRF != 0 && at.on.VRF != vrf.ID {
		if other := a.vrfs.get(at.on.VRF); other != nil && other.Fields.text("vrf_kind") != "external" {
			a.fail("import-interface-vrf", o, at.on, "vrf",
				fmt.Sprintf("%s wants interface %s in VRF %s, and it is in VRF %s", o.Key(), at.on.Name, vrf.Name, other.Name), "take the interface out of that VRF, or correct the manifest")
			return nil
		}
	}
	at.on.VRF = vrf.ID
	f := &at.on.Fields
	if at.on != port {
		switch pinned := f.text("name"); {
		case pinned == o.Name:
		case o.Name == generated && alone:
			if pinned != "" {
				f.set("name", nil)
			}
		default:
			if got := a.got.Get(o.Kind, o.Name); got == nil || old != at.on || pinned != "" {
				f.set("name", o.Name)
			}
		}
	}
	if old != nil && old != at.on { // it has moved
		old.VRF = 0
		if old.Parent != 0 {
			old.Fields.set("name", nil)
		}
	}
	if !none {
		a.address(at, old, ip)
	}
	if proxy || spec.InboundACL != nil {
		options := map[string]any{}
		if proxy {
			options["static"] = map[string]any{"proxy": true}
		}
		if spec.InboundACL != nil {
			options["inboundACL"] = spec.InboundACL
		}
		if !sameJSON(f.value("external_options"), options) {
			f.set("external_options", jsonValue(options))
		}
	} else if got := a.got.Get(o.Kind, o.Name); f.value("external_options") != nil && (got == nil || !sameJSON(got.Spec, spec)) {
		f.set("external_options", nil)
	}
	return at
}

// onInterface reports whether NetBox takes an address on an interface: neither a network
// nor its last address.
func onInterface(p netip.Prefix) bool {
	if p.Bits() >= 31 {
		return true
	}
	last := p.Masked().Addr().As4()
	for bit := p.Bits(); bit < 32; bit++ {
		last[bit/8] |= 0x80 >> (bit % 8)
	}
	return p.Addr() != p.Masked().Addr() && p.Addr() != netip.AddrFrom4(last)
}

// subInterface finds the sub-interface of a port for a VLAN, or makes one.
func (a *externalAttacher) subInterface(o *hedgehog.Object, port, old *Interface, vlan uint16) *Interface {
	suffix := "." + strconv.Itoa(int(vlan))
	for _, i := range a.childrenOf[port.ID] {
		if i.ChannelID != 0 {
			continue
		}
		if v := a.vlans.get(i.UntaggedVLAN); v != nil && v.VID == vlan || v == nil && strings.HasSuffix(i.Name, suffix) {
			return i
		}
		if len(i.TaggedVLANs) == 1 {
			if v := a.vlans.get(i.TaggedVLANs[0]); v != nil && v.VID == vlan {
				return i
			}
		}
	}
	name := port.Name + suffix
	if old != nil && old.Parent == port.ID && old.ChannelID == 0 {
		if !a.named[port.Device][name] { // it has another VLAN
			old.Name, old.Mode, old.UntaggedVLAN, old.TaggedVLANs = name, "", 0, nil
			put2(a.named, port.Device, name)
			return old
		}
	}
	if a.named[port.Device][name] {
		if i := a.interfaces.find(func(i *Interface) bool { return i.Device == port.Device && i.Name == name }); i != nil {
			a.fail("import-interface-taken", o, i, "name",
				fmt.Sprintf("%s needs sub-interface %s of port %s, and that is the name of an interface of type %s with another parent", o.Key(), name, port.Name, i.Type),
				"rename the interface in NetBox, or set its parent to the port")
		}
		return nil
	}
	i := a.interfaces.add(Interface{Device: port.Device, Name: name, Type: "virtual", Enabled: true, Parent: port.ID})
	a.childrenOf[port.ID] = append(a.childrenOf[port.ID], i)
	put2(a.named, port.Device, name)
	return i
}

// address gives the interface the one address that it is to have.
func (a *externalAttacher) address(at *wantedAttachment, old *Interface, ip netip.Prefix) {
	var on []*IPAddress
	for _, row := range a.addressesOn[at.on.ID] {
		have, err := netip.ParsePrefix(row.Address)
		if err != nil || !have.Addr().Is4() || a.ipAddresses.get(row.ID) == nil {
			continue
		}
		if have == ip {
			return
		}
		on = append(on, row)
	}
	for _, row := range a.addressesIn[at.vrf.ID] {
		have, err := netip.ParsePrefix(row.Address)
		if err != nil || have.Addr() != ip.Addr() || row.Object == at.on.ID && row.Type == "dcim.interface" {
			continue
		}
		if a.leaves(row) {
			continue
		}
		if row.Type != "" && (old == nil || row.Type != "dcim.interface" || row.Object != old.ID) && !a.given(row, have) {
			a.taken(at.object, row, "the address of interface "+at.on.Name)
			return
		}
		row.Address, row.Type, row.Object = ip.String(), "dcim.interface", at.on.ID
		for _, other := range on {
			other.Type, other.Object = "", 0
		}
		a.addressesOn[at.on.ID] = append(a.addressesOn[at.on.ID], row)
		return
	}
	if len(on) == 1 {
		on[0].Address = ip.String()
		return
	}
	row := a.ipAddresses.add(IPAddress{Address: ip.String(), VRF: at.vrf.ID, Status: "active", Type: "dcim.interface", Object: at.on.ID})
	a.addressesOn[at.on.ID] = append(a.addressesOn[at.on.ID], row)
	a.addressesIn[at.vrf.ID] = append(a.addressesIn[at.vrf.ID], row)
}

// holder is the attachment that NetBox gives whose address this is, nil for none.
func (a *externalAttacher) holder(row *IPAddress) *hedgehog.Object {
	if a.holds == nil {
		a.holds, a.goes = map[ID]*hedgehog.Object{}, map[hedgehog.Key]bool{}
		for o := range hedgehog.Each[*hedgehog.ExternalAttachmentSpec](a.got) {
			if area, id := splitPath(o.Origin().Path); area == "/dcim/interfaces/" {
				a.holds[id] = o
			}
		}
		for _, o := range a.toPrune() {
			a.goes[o.Key()] = true
		}
	}
	if row.Type != "dcim.interface" {
		return nil
	}
	return a.holds[row.Object]
}

// leaves reports whether an address goes with its attachment.
func (a *externalAttacher) leaves(row *IPAddress) bool {
	o := a.holder(row)
	return o != nil && a.goes[o.Key()]
}

// given reports whether an address is that of an attachment that is wanted with another.
func (a *externalAttacher) given(row *IPAddress, ip netip.Prefix) bool {
	o := a.holder(row)
	if o == nil {
		return false
	}
	want := a.want.Get(o.Kind, o.Name)
	if want == nil {
		return false
	}
	spec, ok := want.Spec.(*hedgehog.ExternalAttachmentSpec)
	if !ok {
		return false
	}
	address := spec.Switch.IP
	if spec.Static != nil {
		address = spec.Static.IP
	}
	other, err := netip.ParsePrefix(address)
	return err != nil || other.Addr() != ip.Addr()
}

// neighbor writes the address and AS number of the far side, where NetBox does not lead
// to them by itself.
func (a *externalAttacher) neighbor(at *wantedAttachment) {
	l := a.seenAttachment(at)
	remote, asn := at.spec.Neighbor.IP, at.spec.Neighbor.ASN
	if s := at.spec.Static; s != nil {
		remote, asn = s.RemoteIP, 0
	}
	f := &at.on.Fields
	if l.remote != remote {
		f.set("neighbor_ip", reference(a.farAddress(at, remote)))
	}
	if asn != 0 && l.asn != asn {
		row := a.asns[asn]
		if row == nil {
			row = a.writer.asns.add(ASN{ASN: asn})
			a.asns[asn] = row
		}
		f.set("neighbor_asn", reference(row.ID))
	}
}

// seenAttachment is what the mapper makes of the far side of an interface, by a question
// of its own: an attachment that lacks anything is none.
func (a *externalAttacher) seenAttachment(at *wantedAttachment) (far struct {
	remote string
	asn    uint32
}) {
	m := a.seen
	end := a.port(a.end(at.spec.Connection))
	on, port := m.interfaces[at.on.ID], (*Interface)(nil)
	if end != nil {
		port = m.interfaces[end.ID]
	}
	if on == nil || port == nil {
		return far
	}
	before := len(m.issues)
	defer func() { m.issues = m.issues[:before] }()
	leads, _ := m.follow(port)
	l := &externalPort{link: link{port: port, far: leads}}
	var ours netip.Prefix
	vlan := at.spec.Switch.VLAN
	if s := at.spec.Static; s != nil {
		vlan = s.VLAN
		ours, _ = netip.ParsePrefix(s.IP)
	} else {
		ours, _ = netip.ParsePrefix(at.spec.Switch.IP)
	}
	scratch := &hedgehog.Object{}
	if ip, ok := m.neighborAddress(hedgehog.Key{}, l, on, vlan, ours, scratch); ok {
		far.remote = ip.String()
	}
	if asn, ok := m.neighborASN(hedgehog.Key{}, l, on, scratch); ok {
		far.asn = asn
	}
	return far
}

// farAddress finds or makes the record of an address at the far side.
func (a *externalAttacher) farAddress(at *wantedAttachment, remote string) ID {
	ip := netip.MustParseAddr(remote)
	for _, row := range a.addressesIn[at.vrf.ID] {
		if have, err := netip.ParsePrefix(row.Address); err == nil && have.Addr() == ip && a.ipAddresses.get(row.ID) != nil {
			return row.ID
		}
	}
	bits := 32
	for _, text := range []string{at.spec.Switch.IP, staticIP(at.spec)} {
		if ours, err := netip.ParsePrefix(text); err == nil && ours.Contains(ip) {
			bits = ours.Bits()
		}
	}
	row := a.ipAddresses.add(IPAddress{Address: netip.PrefixFrom(ip, bits).String(), VRF: at.vrf.ID, Status: "active"})
	a.addressesIn[at.vrf.ID] = append(a.addressesIn[at.vrf.ID], row)
	return row.ID
}

func staticIP(spec *hedgehog.ExternalAttachmentSpec) string {
	if spec.Static == nil {
		return ""
	}
	return spec.Static.IP
}

// options puts what is still different of the spec into external_options.
func (a *externalAttacher) options(at *wantedAttachment) {
	got := a.got.Get(at.object.Kind, at.object.Name)
	if got == nil || sameJSON(got.Spec, at.spec) {
		return
	}
	have, _ := jsonValue(got.Spec).(map[string]any)
	want, _ := jsonValue(at.spec).(map[string]any)
	patch, differ := patchBetween(have, want)
	if !differ {
		return
	}
	now, _ := at.on.Fields.value("external_options").(map[string]any)
	at.on.Fields.set("external_options", mergePatchOf(now, patch))
}

// mergePatchOf joins two merge patches into one that does what the second does after the
// first.
func mergePatchOf(first, second map[string]any) map[string]any {
	out := map[string]any{}
	for k, v := range first {
		out[k] = v
	}
	for k, v := range second {
		a, ok1 := out[k].(map[string]any)
		b, ok2 := v.(map[string]any)
		if ok1 && ok2 {
			out[k] = mergePatchOf(a, b)
		} else {
			out[k] = v
		}
	}
	return out
}
