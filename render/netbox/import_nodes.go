package netbox

import (
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"reflect"
	"slices"
	"strings"

	"hedgehog-gitops/render/hedgehog"
)

// nodes writes the switches, servers and gateways. Groups of them are fields of theirs.
func (w *writer) nodes() {
	var wanted []*hedgehog.Object
	for o := range w.want.All() {
		switch o.Spec.(type) {
		case *hedgehog.SwitchSpec, *hedgehog.ServerSpec, *hedgehog.GatewaySpec:
			wanted = append(wanted, o)
		}
	}
	if len(wanted) == 0 {
		return
	}
	if w.findDevices(wanted); w.failed() {
		return
	}
	// Everything has a device by now: what differs is what they say.
	w.read()
	n := &nodeWriter{writer: w, asnRows: map[uint32]*ASN{}}
	for _, row := range w.asns.sorted() {
		if n.asnRows[row.ASN] == nil {
			n.asnRows[row.ASN] = row
		}
	}
	for _, o := range wanted {
		if !w.differs(o) {
			continue
		}
		d := w.device(o.Kind, o.Name)
		if d == nil {
			continue // a field of its type or its site keeps it from being read; proven in the end
		}
		switch spec := o.Spec.(type) {
		case *hedgehog.SwitchSpec:
			n.switchFields(o, spec, d)
		case *hedgehog.ServerSpec:
			n.describe(d, spec.Description)
		case *hedgehog.GatewaySpec:
			n.gatewayFields(o, spec, d)
		}
	}
	n.settleAddresses()
}

// deviceFinder finds the devices that wanted objects are.
type deviceFinder struct {
	*writer
	places *places
	taken  map[ID]bool // devices that are wanted already
	byName map[string][]*Device
	serial map[string][]*Device
	given  map[string]bool // names of devices at the site, in lower case
	wanted map[string]bool
}

// findDevices adopts or makes a device for every object that has none.
func (w *writer) findDevices(wanted []*hedgehog.Object) {
	b := w.nodeBook()
	f := &deviceFinder{writer: w, places: w.places(), taken: map[ID]bool{}, byName: map[string][]*Device{},
		serial: map[string][]*Device{}, given: map[string]bool{}, wanted: map[string]bool{}}
	for _, o := range wanted {
		f.wanted[o.Name] = true
		if d := b.devices[o.Key()]; d != nil {
			f.taken[d.ID] = true
		}
	}
	for _, d := range w.devices.sorted() {
		if d.Site != w.seen.site.ID {
			continue
		}
		f.given[strings.ToLower(d.Name)] = true
		if name := slugOf(d); name != "" {
			f.byName[name] = append(f.byName[name], d)
		}
		if d.Serial != "" {
			f.serial[d.Serial] = append(f.serial[d.Serial], d)
		}
	}
	for _, o := range wanted {
		if d := b.devices[o.Key()]; d != nil {
			if w.differs(o) {
				f.equip(o, d)
			}
			continue
		}
		if o.Kind == hedgehog.KindGateway && !w.c.Settings.Gateway {
			w.fail("gateway-disabled", o, nil, "", "the installation has no gateways enabled", "set `gateway: true` for the fabric in hedgehog-gitops.yaml")
			continue
		}
		before := len(w.issues)
		d := f.find(o)
		if len(w.issues) > before {
			continue
		}
		if d == nil {
			f.create(o)
			continue
		}
		f.taken[d.ID] = true
		if slugOf(d) != o.Name {
			d.Fields.set("name", o.Name)
		}
		if !w.seen.here(d) {
			d.Location = w.seen.location.ID
		}
		b.devices[o.Key()] = d
		if o.Kind == hedgehog.KindSwitch {
			b.switches[d.ID] = o.Name
		}
		f.equip(o, d)
	}
}

// find looks for the device that an object is, among those of the site that are nothing
// else that is wanted: by name, then by serial number.
func (f *deviceFinder) find(o *hedgehog.Object) *Device {
	free := func(list []*Device) []*Device {
		return slices.DeleteFunc(slices.Clone(list), func(d *Device) bool { return f.taken[d.ID] })
	}
	found := free(f.byName[o.Name])
	spec, _ := o.Spec.(*hedgehog.SwitchSpec)
	if len(found) == 0 && spec != nil && spec.Boot.Serial != "" {
		found = slices.DeleteFunc(free(f.serial[spec.Boot.Serial]), func(d *Device) bool { return f.wanted[slugOf(d)] })
	}
	switch {
	case len(found) == 0:
		return nil
	case len(found) > 1:
		f.fail("import-device-ambiguous", o, found[1], "name",
			fmt.Sprintf("%s could be two devices of NetBox: %s (%s) and %s", o.Key(), found[0].Name, found[0].path(), found[1].Name),
			"rename one of the two, or correct its serial number")
		return nil
	}
	d := found[0]
	if !f.seen.rendered(d) {
		f.fail("import-device-left-out", o, d, "status",
			fmt.Sprintf("%s is device %s, which the fabric leaves out: it has status %s, or the tag %s-ignore", o.Key(), d.Name, d.Status, f.c.Tag),
			"correct its status and tags, or take it out of the manifests")
		return nil
	}
	if !f.seen.here(d) && d.Location != 0 && !f.seen.above[Scope{"dcim.location", d.Location}] {
		f.fail("import-device-elsewhere", o, d, "location",
			fmt.Sprintf("%s is device %s, which stands in another location than the fabric's", o.Key(), d.Name),
			"correct its location, or rename one of the two")
		return nil
	}
	return d
}

// roleOfObject is what a device must be to the fabric to be rendered as the object.
func roleOfObject(o *hedgehog.Object) string {
	switch spec := o.Spec.(type) {
	case *hedgehog.SwitchSpec:
		if slices.Contains([]string{RoleSpine, RoleServerLeaf, RoleBorderLeaf, RoleMixedLeaf}, spec.Role) {
			return spec.Role
		}
		return RoleServerLeaf
	case *hedgehog.GatewaySpec:
		return RoleGateway
	}
	return RoleServer
}

// equip gives a device the role, and a switch the type, that make it the object.
func (f *deviceFinder) equip(o *hedgehog.Object, d *Device) {
	if want := roleOfObject(o); f.seen.roleOf(d) != want {
		if id, ok := f.places.role(o, want); ok {
			d.Role = id
		}
	}
	spec, isSwitch := o.Spec.(*hedgehog.SwitchSpec)
	if !isSwitch {
		return
	}
	if t := f.deviceTypes.get(d.DeviceType); t != nil && f.places.profileOf(t) == spec.Profile {
		return
	}
	if t := f.places.switchType(o, spec.Profile); t != nil {
		d.DeviceType = t.ID
	}
}

// create makes a device with the ports of its type.
func (f *deviceFinder) create(o *hedgehog.Object) {
	b := f.nodeBook()
	d := Device{Name: o.Name, Site: f.seen.site.ID, Status: "active"}
	if !slices.Contains(f.c.Statuses, d.Status) && len(f.c.Statuses) > 0 {
		d.Status = f.c.Statuses[0]
	}
	if f.seen.location != nil {
		d.Location = f.seen.location.ID
	}
	for n := 1; f.given[strings.ToLower(d.Name)]; n++ {
		if d.Name = o.Name + "-" + strings.ToLower(string(o.Kind)); n > 1 {
			d.Name = fmt.Sprintf("%s-%d", d.Name, n)
		}
	}
	f.given[strings.ToLower(d.Name)] = true
	if slug(d.Name) != o.Name {
		d.Fields.set("name", o.Name)
	}
	role, ok := f.places.role(o, roleOfObject(o))
	if !ok {
		return
	}
	d.Role = role
	var t *DeviceType
	switch spec := o.Spec.(type) {
	case *hedgehog.SwitchSpec:
		t = f.places.switchType(o, spec.Profile)
	case *hedgehog.GatewaySpec:
		t = f.places.genericType("gateway")
	default:
		t = f.places.genericType("server")
	}
	if t == nil {
		return
	}
	d.DeviceType = t.ID
	made := f.devices.add(d)
	b.devices[o.Key()] = made
	spec, isSwitch := o.Spec.(*hedgehog.SwitchSpec)
	if !isSwitch {
		return
	}
	b.switches[made.ID] = o.Name
	for _, port := range b.wiring.profile(spec.Profile).Ports {
		f.newPort(made, port.Name, interfaceType(port))
	}
}

// nodeWriter writes the fields of nodes that have a device.
type nodeWriter struct {
	*writer
	asnRows   map[uint32]*ASN
	addresses []*wantedAddress
}

// fitsText reports whether NetBox gives a text of one line back as it is.
func fitsText(s string, limit int) bool {
	return strings.TrimSpace(s) == s && len([]rune(s)) <= limit && !strings.ContainsRune(s, 0)
}

// describe sets a description.
func (n *nodeWriter) describe(d *Device, text string) {
	if d.Description != text && fitsText(text, 200) {
		d.Description = text
	}
}

// switchFields writes what differs of a switch.
func (n *nodeWriter) switchFields(o *hedgehog.Object, want *hedgehog.SwitchSpec, d *Device) {
	s := n.seen.switches[d.ID]
	if s == nil {
		return
	}
	got := s.spec
	if got.Description != want.Description {
		n.describe(d, want.Description)
	}
	if got.Boot.Serial != want.Boot.Serial && fitsText(want.Boot.Serial, 50) {
		d.Serial = want.Boot.Serial
	}
	if got.Boot.MAC != want.Boot.MAC {
		if mac, ok := macForm(want.Boot.MAC); ok {
			if i := n.management(d, s); i != nil {
				i.MAC = mac
			}
		}
	}
	if got.ASN != want.ASN {
		n.setASN(d, want.ASN)
	}
	if got.IP != want.IP {
		n.addresses = append(n.addresses, &wantedAddress{object: o, device: d, field: "spec.ip", address: want.IP, current: n.managementAddress(s, d), management: true,
			on: func() *Interface { return n.management(d, s) }})
	}
	pools := n.c.Settings.Pools
	if got.ProtocolIP != want.ProtocolIP {
		n.poolAddress(o, d, "spec.protocolIP", want.ProtocolIP, pools.ProtocolSubnet, "Loopback0")
	}
	if got.VTEPIP != want.VTEPIP && roleOfObject(o) != RoleSpine {
		n.poolAddress(o, d, "spec.vtepIP", want.VTEPIP, pools.VTEPSubnet, "Loopback1")
	}
	n.switchGroups(want, got, d)
	if !slices.Equal(got.VLANNamespaces, want.VLANNamespaces) {
		n.switchNamespaces(want, d)
	}
	n.context(want, got, d)
	if s.profile != nil {
		(&portChanges{w: n.writer, device: d, profile: s.profile, want: want, got: got}).write()
	}
}

// macForm is a MAC address as NetBox writes it.
func macForm(mac string) (string, bool) {
	if mac == "" {
		return "", true
	}
	hw, err := net.ParseMAC(mac)
	return strings.ToUpper(hw.String()), err == nil && len(hw) == 6
}

// management finds or makes the management port of a switch.
func (n *nodeWriter) management(d *Device, s *switchNode) *Interface {
	if s.management != nil {
		return n.interfaces.get(s.management.ID)
	}
	return n.wholePort(d, "M1")
}

// managementAddress is the address that the switch's ip was read from, or nil.
func (n *nodeWriter) managementAddress(s *switchNode, d *Device) *IPAddress {
	if a := n.ipAddresses.get(d.OOBIP); a != nil || s.management == nil {
		return a
	}
	var found *IPAddress
	for _, a := range n.seen.addressesOn[s.management.ID] {
		if inPool(a, n.c.Settings.Pools.ManagementSubnet) {
			if found != nil {
				return nil
			}
			found = n.ipAddresses.get(a.ID)
		}
	}
	return found
}

// setASN refers to the row of an AS number, and makes it when it is missing.
func (n *nodeWriter) setASN(d *Device, asn uint32) {
	if asn == 0 {
		d.Fields.set("asn", nil)
		return
	}
	row := n.asnRows[asn]
	if row == nil {
		row = n.asns.add(ASN{ASN: asn})
		n.asnRows[asn] = row
	}
	d.Fields.set("asn", reference(row.ID))
}

// switchGroups writes the groups of a switch, those that are wanted as objects too.
func (n *nodeWriter) switchGroups(want, got *hedgehog.SwitchSpec, d *Device) {
	if got.Redundancy == want.Redundancy && slices.Equal(got.Groups, want.Groups) {
		return
	}
	there := func(group string) bool {
		return n.want.Get(hedgehog.KindSwitchGroup, group) != nil || n.got.Get(hedgehog.KindSwitchGroup, group) != nil
	}
	red := want.Redundancy
	switch {
	case red.Group == "" && red.Type == "":
		d.Fields.set("redundancy_group", nil)
		d.Fields.set("redundancy_type", nil)
	case there(red.Group) && slices.Contains([]string{"eslag", "mclag"}, red.Type):
		d.Fields.set("redundancy_group", red.Group)
		d.Fields.set("redundancy_type", red.Type)
	}
	var others []any
	for _, group := range want.Groups {
		if group != red.Group && there(group) {
			others = append(others, group)
		}
	}
	if others == nil {
		d.Fields.set("switch_groups", nil)
		return
	}
	d.Fields.set("switch_groups", others)
}

// switchNamespaces names the VLAN namespaces of a switch where they are not all those of
// the fabric.
func (n *nodeWriter) switchNamespaces(want *hedgehog.SwitchSpec, d *Device) {
	byName := map[string]ID{}
	for id, name := range n.seen.namespaceOf {
		byName[name] = id
	}
	all := slices.Sorted(maps.Keys(byName))
	if len(all) == 0 {
		all = []string{"default"}
	}
	if slices.Equal(all, want.VLANNamespaces) {
		d.Fields.set("vlan_namespaces", nil)
		return
	}
	var ids []ID
	for _, name := range want.VLANNamespaces {
		if id, ok := byName[name]; ok {
			ids = append(ids, id)
		}
	}
	if len(ids) != len(want.VLANNamespaces) {
		return
	}
	slices.Sort(ids)
	var list []any
	for _, id := range ids {
		list = append(list, reference(id))
	}
	d.Fields.set("vlan_namespaces", list)
}

// context writes what only the config context has a place for. What stands there is
// overridden and never taken out: an inherited context cannot be taken out of a device's
// own.
func (n *nodeWriter) context(want, got *hedgehog.SwitchSpec, d *Device) {
	set := map[string]any{}
	if want.EnableAllPorts != got.EnableAllPorts {
		set["enableAllPorts"] = want.EnableAllPorts
	}
	if want.RoCE != got.RoCE {
		set["roce"] = want.RoCE
	}
	if want.ECMP != got.ECMP {
		set["ecmp"] = map[string]any{"roceQPN": want.ECMP.RoCEQPN}
	}
	if !reflect.DeepEqual(want.LinkFlapErrDisable, got.LinkFlapErrDisable) {
		set["linkFlapErrDisable"] = jsonOf(want.LinkFlapErrDisable)
	}
	if len(set) == 0 {
		return
	}
	context, ok := d.Context.(map[string]any)
	if d.Context != nil && !ok {
		return
	}
	d.Context = overlay(context, map[string]any{"switch": set})
}

// overlay puts values over those of an object, as NetBox puts a device's own context
// over others: objects are merged, everything else takes the place of what was there.
func overlay(under, over map[string]any) map[string]any {
	out := maps.Clone(under)
	if out == nil {
		out = map[string]any{}
	}
	for k, v := range over {
		a, isObject := out[k].(map[string]any)
		if b, both := v.(map[string]any); isObject && both {
			v = overlay(a, b)
		}
		out[k] = v
	}
	return out
}

// jsonOf is a value as JSON holds it.
func jsonOf(v any) any {
	data, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	var out any
	dec := json.NewDecoder(strings.NewReader(string(data)))
	dec.UseNumber()
	if dec.Decode(&out) != nil {
		return nil
	}
	return out
}

// gatewayFields writes what differs of a gateway; its neighbours and the addresses of
// its ports are those of its links.
func (n *nodeWriter) gatewayFields(o *hedgehog.Object, want *hedgehog.GatewaySpec, d *Device) {
	g := n.seen.gateways[d.ID]
	if g == nil {
		return
	}
	got, pools := g.spec, n.c.Settings.Pools
	if got.ASN != want.ASN {
		if want.ASN == pools.GatewayASN {
			n.setASN(d, 0)
		} else if want.ASN != 0 {
			n.setASN(d, want.ASN)
		}
	}
	if got.ProtocolIP != want.ProtocolIP {
		n.poolAddress(o, d, "spec.protocolIP", want.ProtocolIP, pools.ProtocolSubnet, "Loopback0")
	}
	if got.VTEPIP != want.VTEPIP {
		n.poolAddress(o, d, "spec.vtepIP", want.VTEPIP, pools.VTEPSubnet, "Loopback1")
	}
	if tunnel := n.loopback(d, pools.VTEPSubnet, "Loopback1"); want.VTEPIP != "" && tunnel != nil {
		if mac, ok := macForm(want.VTEPMAC); ok && got.VTEPMAC != want.VTEPMAC {
			tunnel.MAC = mac
		}
		if got.VTEPMTU != want.VTEPMTU && want.VTEPMTU <= 65536 {
			tunnel.MTU = int(want.VTEPMTU)
		}
	}
	n.gatewayGroups(want, d)
	for _, name := range sortedKeys(want.Interfaces) {
		if _, linked := n.wiring().far[end{hedgehog.KindGateway, o.Name, name}]; !linked || want.Interfaces[name].MTU > 65536 {
			continue
		}
		if i := n.serverPort(d, name); i != nil {
			i.MTU = int(want.Interfaces[name].MTU)
		}
	}
}

// gatewayGroups writes the groups of a gateway, those that are wanted as objects too:
// each of them is rendered. Nothing means the group default.
func (n *nodeWriter) gatewayGroups(want *hedgehog.GatewaySpec, d *Device) {
	groups := []any{}
	for _, g := range want.Groups {
		if n.want.Get(hedgehog.KindGatewayGroup, g.Name) != nil || n.got.Get(hedgehog.KindGatewayGroup, g.Name) != nil {
			groups = append(groups, jsonOf(g))
		}
	}
	normal := []any{jsonOf(hedgehog.GatewayMembership{Name: "default"})}
	have := d.Fields.value("gateway_groups")
	switch {
	case equalJSON(groups, normal) && (have == nil || equalJSON(have, normal)):
	case equalJSON(groups, normal):
		d.Fields.set("gateway_groups", nil)
	case !sameMemberships(have, groups):
		d.Fields.set("gateway_groups", groups)
	}
}

// sameMemberships reports whether two lists of groups mean the same, whatever their
// order.
func sameMemberships(a, b any) bool {
	var x, y []hedgehog.GatewayMembership
	if a == nil || into(a, &x) != nil || into(b, &y) != nil {
		return false
	}
	byName := func(a, b hedgehog.GatewayMembership) int { return strings.Compare(a.Name, b.Name) }
	slices.SortStableFunc(x, byName)
	slices.SortStableFunc(y, byName)
	return slices.Equal(x, y)
}

// loopback finds the interface that holds the address of a pool, else the one of the
// name, or makes it.
func (n *nodeWriter) loopback(d *Device, pool netip.Prefix, name string) *Interface {
	if _, i := n.currentIn(d, pool); i != nil {
		return i
	}
	b := n.nodeBook()
	if i := b.named[d.ID][name]; i != nil {
		return i
	}
	for _, have := range sortedKeys(b.named[d.ID]) {
		if strings.EqualFold(have, name) {
			return b.named[d.ID][have]
		}
	}
	i := n.interfaces.add(Interface{Device: d.ID, Name: name, Type: "virtual", Enabled: true})
	b.enter(i)
	return i
}

// currentIn is the one address of a pool on the device, and its interface.
func (n *nodeWriter) currentIn(d *Device, pool netip.Prefix) (*IPAddress, *Interface) {
	for _, i := range n.seen.interfacesOf[d.ID] {
		for _, a := range n.seen.addressesOn[i.ID] {
			if inPool(a, pool) {
				return n.ipAddresses.get(a.ID), n.interfaces.get(i.ID)
			}
		}
	}
	return nil, nil
}

// poolAddress notes that a device shall hold an address of a pool on a loopback
// interface. An address outside the pool is not read from there.
func (n *nodeWriter) poolAddress(o *hedgehog.Object, d *Device, field, address string, pool netip.Prefix, name string) {
	if p, err := netip.ParsePrefix(address); address != "" && (err != nil || !pool.Contains(p.Addr())) {
		return
	}
	current, _ := n.currentIn(d, pool)
	n.addresses = append(n.addresses, &wantedAddress{object: o, device: d, field: field, address: address, current: current, role: "loopback",
		on: func() *Interface { return n.loopback(d, pool, name) }})
}

// wantedAddress is an address that a device shall have in place of its current one.
type wantedAddress struct {
	object     *hedgehog.Object
	device     *Device
	field      string
	address    string     // empty: none
	current    *IPAddress // nil: none
	role       string
	management bool
	on         func() *Interface
	row        *IPAddress // where it stands now
}

// settleAddresses gives devices their addresses: rows that NetBox has, else the row of
// the address that the device had, else new ones. Devices may exchange theirs.
func (n *nodeWriter) settleAddresses() {
	n.addresses = slices.DeleteFunc(n.addresses, func(a *wantedAddress) bool { return a.address != "" && !canAssign(a.address) })
	if len(n.addresses) == 0 {
		return
	}
	vrf, ok := n.underlayVRF()
	if !ok {
		return
	}
	released, repeated := map[ID]bool{}, map[string]int{}
	for _, a := range n.addresses {
		if a.current != nil {
			released[a.current.ID] = true
		}
		repeated[a.address]++
	}
	goes := map[ID]bool{} // devices, and their addresses with them
	for _, o := range n.toPrune() {
		if area, id := splitPath(o.Origin().Path); area == "/dcim/devices/" {
			goes[id] = true
		}
	}
	type place struct {
		vrf  ID
		host netip.Addr
	}
	hosts := map[place][]*IPAddress{}
	for _, row := range n.ipAddresses.sorted() {
		if p, err := netip.ParsePrefix(row.Address); err == nil {
			at := place{row.VRF, p.Addr()}
			hosts[at] = append(hosts[at], row)
		}
	}
	for _, a := range n.addresses {
		if a.address == "" {
			continue
		}
		in := vrf
		if a.current != nil {
			in = a.current.VRF
		}
		var blocked *IPAddress
		for _, row := range hosts[place{in, netip.MustParsePrefix(a.address).Addr()}] {
			on := n.interfaces.get(row.Object)
			own := row.Type == "dcim.interface" && on != nil && on.Device == a.device.ID
			if row.Type == "dcim.interface" && on != nil && goes[on.Device] {
				continue
			}
			if row.Type != "" && !own && !released[row.ID] {
				if row.Role != "anycast" {
					blocked = row
				}
				continue
			}
			if a.row = row; !own || a.role != "" {
				n.assign(row, a)
			}
			delete(released, row.ID)
			break
		}
		if a.row == nil && blocked != nil {
			holder := "something that is no interface"
			if i := n.interfaces.get(blocked.Object); i != nil && blocked.Type == "dcim.interface" {
				holder = "interface " + i.Name
				if d := n.devices.get(i.Device); d != nil {
					holder += " of " + d.Name
				}
			}
			n.fail("import-address-taken", a.object, blocked, a.field,
				fmt.Sprintf("%s shall have the address %s, which %s has", a.object.Key(), a.address, holder), "correct one of the two")
		}
	}
	for _, a := range n.addresses {
		if a.address == "" || a.row != nil {
			continue
		}
		if a.current != nil && released[a.current.ID] {
			a.row = a.current
			delete(released, a.row.ID)
		} else {
			a.row = n.ipAddresses.add(IPAddress{Address: a.address, VRF: vrf, Status: "active", Role: a.role})
			if repeated[a.address] > 1 {
				a.row.Role = "anycast"
			}
		}
		n.assign(a.row, a)
	}
	for _, a := range n.addresses {
		if a.current != nil && released[a.current.ID] {
			a.current.Type, a.current.Object = "", 0
		}
		if a.management {
			if a.device.OOBIP = 0; a.row != nil {
				a.device.OOBIP = a.row.ID
			}
		}
		if a.device.PrimaryIP4 != 0 && a.current != nil && a.device.PrimaryIP4 == a.current.ID && a.row != a.current {
			a.device.PrimaryIP4 = 0
		}
	}
}

// assign puts an address on its interface, unless it stands on one already that will do.
func (n *nodeWriter) assign(row *IPAddress, a *wantedAddress) {
	row.Address = a.address
	if i := n.interfaces.get(row.Object); row.Type == "dcim.interface" && i != nil && i.Device == a.device.ID {
		return
	}
	if i := a.on(); i != nil {
		row.Type, row.Object = "dcim.interface", i.ID
	}
}

// canAssign reports whether NetBox takes an address, and gives it back as it is: not
// that of a network, nor its broadcast address.
func canAssign(address string) bool {
	p, err := netip.ParsePrefix(address)
	if err != nil || p.String() != address {
		return false
	}
	if !p.Addr().Is4() || p.Bits() > 30 {
		return true
	}
	network, host := p.Masked().Addr().As4(), p.Addr().As4()
	low, high := true, true
	for bit := p.Bits(); bit < 32; bit++ {
		one := host[bit/8]&(0x80>>(bit%8)) != 0
		low, high = low && !one, high && one
	}
	return network != host && !low && !high
}
