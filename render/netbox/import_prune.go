package netbox

import (
	"net/netip"
	"slices"
	"strings"

	"hedgehog-gitops/render/hedgehog"
)

// toPrune returns the objects that only NetBox has and people want removed.
func (w *writer) toPrune() []*hedgehog.Object {
	if !w.o.Prune && !w.o.PruneDevices {
		return nil
	}
	var list []*hedgehog.Object
	for _, o := range w.extra() {
		if w.prunes(o.Kind) {
			list = append(list, o)
		}
	}
	return list
}

// prunes reports whether objects of the kind go that the manifests do not have, if they
// tell of the kind at all.
func (w *writer) prunes(kind hedgehog.Kind) bool {
	switch kind {
	case hedgehog.KindSwitch, hedgehog.KindServer, hedgehog.KindGateway:
		return w.o.PruneDevices
	}
	return w.o.Prune
}

// pruner knows what refers to what in the draft.
type pruner struct {
	*writer
	addressesIn  map[ID][]*IPAddress // of a VRF
	rangesIn     map[ID][]*IPRange
	prefixesIn   map[ID][]*Prefix
	interfacesIn map[ID][]*Interface
	prefixesOn   map[ID][]*Prefix    // with a VLAN
	carriers     map[ID][]*Interface // of a VLAN
	macs         map[string]*Interface
}

func (w *writer) pruner() *pruner {
	p := &pruner{writer: w, addressesIn: map[ID][]*IPAddress{}, rangesIn: map[ID][]*IPRange{}, prefixesIn: map[ID][]*Prefix{},
		interfacesIn: map[ID][]*Interface{}, prefixesOn: map[ID][]*Prefix{}, carriers: map[ID][]*Interface{}}
	for _, a := range w.ipAddresses.sorted() {
		p.addressesIn[a.VRF] = append(p.addressesIn[a.VRF], a)
	}
	for _, r := range w.ipRanges.sorted() {
		p.rangesIn[r.VRF] = append(p.rangesIn[r.VRF], r)
	}
	for _, row := range w.prefixes.sorted() {
		p.prefixesIn[row.VRF] = append(p.prefixesIn[row.VRF], row)
		if row.VLAN != 0 {
			p.prefixesOn[row.VLAN] = append(p.prefixesOn[row.VLAN], row)
		}
	}
	for _, i := range w.interfaces.sorted() {
		if i.VRF != 0 {
			p.interfacesIn[i.VRF] = append(p.interfacesIn[i.VRF], i)
		}
		if i.UntaggedVLAN != 0 {
			p.carriers[i.UntaggedVLAN] = append(p.carriers[i.UntaggedVLAN], i)
		}
		for _, id := range i.TaggedVLANs {
			if id != i.UntaggedVLAN {
				p.carriers[id] = append(p.carriers[id], i)
			}
		}
	}
	return p
}

// byMAC returns the interfaces of devices of the fabric by their MAC address, in lower
// case. Where several have one it is the LAG's, or nobody's.
func (p *pruner) byMAC() map[string]*Interface {
	if p.macs != nil {
		return p.macs
	}
	p.macs = map[string]*Interface{}
	m := p.seen
	for _, i := range p.interfaces.sorted() {
		d := m.devices[i.Device]
		if i.MAC == "" || d == nil || !m.here(d) || !m.rendered(d) {
			continue
		}
		if role := m.roleOf(d); role == "" || role == RoleExternal {
			continue
		}
		mac := strings.ToLower(i.MAC)
		first, twice := p.macs[mac]
		switch {
		case !twice || i.Type == "lag" && (first == nil || first.Type != "lag"):
			p.macs[mac] = i
		case first != nil && first.Type == "lag" && i.Type != "lag":
		default:
			p.macs[mac] = nil
		}
	}
	return p.macs
}

// takeVLAN takes a VLAN off an interface.
func takeVLAN(i *Interface, id ID) {
	if i.UntaggedVLAN == id {
		i.UntaggedVLAN = 0
	}
	if slices.Contains(i.TaggedVLANs, id) {
		var rest []ID
		for _, other := range i.TaggedVLANs {
			if other != id {
				rest = append(rest, other)
			}
		}
		i.TaggedVLANs = rest
	}
	if i.UntaggedVLAN == 0 && len(i.TaggedVLANs) == 0 {
		i.Mode = ""
	}
}

// removeSubnet removes a prefix that is a subnet: its ranges, the addresses in it, and
// its VLAN where no other prefix has it.
func (p *pruner) removeSubnet(row *Prefix, network netip.Prefix) {
	inside := func(address string) bool {
		a, err := netip.ParsePrefix(address)
		return err == nil && network.Contains(a.Addr())
	}
	for _, r := range p.rangesIn[row.VRF] {
		if inside(r.Start) && inside(r.End) {
			p.ipRanges.remove(r.ID)
		}
	}
	for _, a := range p.addressesIn[row.VRF] {
		if inside(a.Address) {
			p.ipAddresses.remove(a.ID)
		}
	}
	p.prefixes.remove(row.ID)
	p.prefixesIn[row.VRF] = slices.DeleteFunc(p.prefixesIn[row.VRF], func(q *Prefix) bool { return q == row })
	p.prefixesOn[row.VLAN] = slices.DeleteFunc(p.prefixesOn[row.VLAN], func(q *Prefix) bool { return q == row })
	if row.VLAN != 0 && len(p.prefixesOn[row.VLAN]) == 0 {
		for _, i := range p.carriers[row.VLAN] {
			takeVLAN(i, row.VLAN)
		}
		p.vlans.remove(row.VLAN)
	}
}

// pruneVPCs removes the VPCs that only NetBox has, before others are written: theirs are
// the VLANs and names that those may need. Nothing of a VPC survives under another name.
func (w *writer) pruneVPCs() {
	var p *pruner
	gone := map[ID]bool{}
	for _, o := range w.toPrune() {
		if o.Kind != hedgehog.KindVPC {
			continue
		}
		_, id := splitPath(o.Origin().Path)
		v := w.seen.vpcs[id]
		if v == nil {
			continue // of hedgehog_objects
		}
		if p == nil {
			p = w.pruner()
		}
		gone[id] = true
		for _, s := range v.subnets {
			if row := w.prefixes.get(s.row.ID); row != nil {
				p.removeSubnet(row, s.prefix)
			}
		}
		p.removeVRF(id)
	}
	if len(gone) == 0 {
		return
	}
	w.pruneTargets(gone)
}

// removeVRF takes interfaces of the fabric out of a VRF, and removes it when nothing
// else is in it.
func (p *pruner) removeVRF(id ID) {
	left := false
	for _, i := range p.interfacesIn[id] {
		if d := p.devices.get(i.Device); d != nil && p.seen.here(d) {
			i.VRF = 0
		} else {
			left = true
		}
	}
	for _, row := range p.prefixesIn[id] {
		left = left || p.prefixes.get(row.ID) != nil
	}
	for _, row := range p.addressesIn[id] {
		left = left || p.ipAddresses.get(row.ID) != nil
	}
	for _, row := range p.rangesIn[id] {
		left = left || p.ipRanges.get(row.ID) != nil
	}
	if !left {
		p.vrfs.remove(id)
	}
}

// pruneTargets takes the fabric's route targets off VRFs, where their peerings are to go
// and one of their VRFs is gone: no peering of the manifests can have them.
func (w *writer) pruneTargets(gone map[ID]bool) {
	users, stay := w.targetUsers(), w.wantedOf()
	for _, o := range w.toPrune() {
		area, id := splitPath(o.Origin().Path)
		if area != "/ipam/route-targets/" || w.routeTargets.get(id) == nil {
			continue
		}
		if !slices.ContainsFunc(o.Origins, func(at hedgehog.Origin) bool {
			area, vrf := splitPath(at.Path)
			return area == "/ipam/vrfs/" && gone[vrf]
		}) {
			continue
		}
		if len(stay[id]) == 0 {
			w.removeTarget(id, users[id])
		}
	}
}

func (w *writer) targetUsers() map[ID][]*VRF {
	users := map[ID][]*VRF{}
	for _, v := range w.vrfs.sorted() {
		for _, id := range union(v.ImportTargets, v.ExportTargets) {
			users[id] = append(users[id], v)
		}
	}
	return users
}

// wantedOf are the peerings of the manifests by the route target that makes them.
func (w *writer) wantedOf() map[ID][]*hedgehog.Object {
	of := map[ID][]*hedgehog.Object{}
	for o := range w.got.All() {
		if area, id := splitPath(o.Origin().Path); area == "/ipam/route-targets/" {
			if wanted := w.want.Get(o.Kind, o.Name); wanted != nil {
				of[id] = append(of[id], wanted)
			}
		}
	}
	return of
}

// removeTarget takes a target off the VRFs of the fabric, and removes it where no other
// VRF has it.
func (w *writer) removeTarget(id ID, users []*VRF) {
	left := false
	for _, v := range users {
		e := w.seen.externals[v.ID]
		if w.seen.vpcs[v.ID] == nil && (e == nil || !e.inScope) {
			left = left || w.vrfs.get(v.ID) != nil
			continue
		}
		w.leave(v, id)
	}
	if !left {
		w.routeTargets.remove(id)
	}
}

// prune removes the records of what only NetBox has, what refers to others first.
func (w *writer) prune() {
	list := w.toPrune()
	if len(list) == 0 {
		return
	}
	w.stale = true
	d := &deleter{pruner: w.pruner(), users: w.targetUsers(), stay: w.wantedOf(), subnets: map[string]*subnet{}, renamed: map[[2]string]bool{}, shared: map[string]int{}, terminations: map[ID][]*CableTermination{},
		ends: map[portRef][]*CableTermination{}, members: map[ID]int{}, addressesOn: map[ID][]*IPAddress{}, interfacesOf: map[ID][]*Interface{}}
	d.index()
	slices.Reverse(list) // an object comes after those that it refers to
	for _, o := range list {
		if area, _ := splitPath(o.Origin().Path); area == "/dcim/sites/" || area == "/dcim/locations/" {
			continue // of hedgehog_objects
		}
		d.remove(o)
	}
	// What pointed to a record that is gone points nowhere, as in NetBox.
	for _, row := range w.devices.sorted() {
		if row.OOBIP != 0 && w.ipAddresses.get(row.OOBIP) == nil {
			row.OOBIP = 0
		}
		if row.PrimaryIP4 != 0 && w.ipAddresses.get(row.PrimaryIP4) == nil {
			row.PrimaryIP4 = 0
		}
	}
}

// deleter removes records.
type deleter struct {
	*pruner
	users        map[ID][]*VRF
	stay         map[ID][]*hedgehog.Object  // peerings of the manifests, by their target
	subnets      map[string]*subnet         // by vpc/subnet
	renamed      map[[2]string]bool         // subnets and connections of attachments that the manifests have and NetBox gives
	shared       map[string]int             // how many objects that stay are made of a record
	terminations map[ID][]*CableTermination // of a cable
	ends         map[portRef][]*CableTermination
	members      map[ID]int // of a LAG
	addressesOn  map[ID][]*IPAddress
	interfacesOf map[ID][]*Interface
}

func (d *deleter) index() {
	for _, v := range sorted(d.seen.vpcs) {
		for _, s := range v.subnets {
			d.subnets[v.name+"/"+s.key] = s
		}
	}
	for o, spec := range hedgehog.Each[*hedgehog.VPCAttachmentSpec](d.want) {
		if d.got.Get(o.Kind, o.Name) != nil {
			d.renamed[[2]string{spec.Subnet, spec.Connection}] = true
		}
	}
	for o := range d.got.All() {
		if d.want.Get(o.Kind, o.Name) == nil {
			continue
		}
		if o.Kind != hedgehog.KindConnection {
			continue
		}
		for _, at := range o.Origins {
			d.shared[at.Path]++
		}
	}
	for _, t := range d.cableTerminations.sorted() {
		d.terminations[t.Cable] = append(d.terminations[t.Cable], t)
		d.ends[portRef{t.Type, t.Port}] = append(d.ends[portRef{t.Type, t.Port}], t)
	}
	for _, i := range d.interfaces.sorted() {
		d.interfacesOf[i.Device] = append(d.interfacesOf[i.Device], i)
		if i.LAG != 0 {
			d.members[i.LAG]++
		}
	}
	for _, a := range d.ipAddresses.sorted() {
		if a.Type == "dcim.interface" {
			d.addressesOn[a.Object] = append(d.addressesOn[a.Object], a)
		}
	}
}

func (d *deleter) remove(o *hedgehog.Object) {
	_, id := splitPath(o.Origin().Path)
	switch o.Kind {
	case hedgehog.KindVPCPeering, hedgehog.KindExternalPeering, hedgehog.KindGatewayPeering:
		d.peering(o, id)
	case hedgehog.KindExternalAttachment:
		if i := d.interfaces.get(id); i != nil {
			d.externalAttachment(i)
		}
	case hedgehog.KindVPCAttachment:
		d.attachment(o)
	case hedgehog.KindExternal:
		d.external(id)
	case hedgehog.KindConnection:
		d.connection(o)
	case hedgehog.KindSwitch, hedgehog.KindServer, hedgehog.KindGateway:
		if d.o.PruneDevices {
			d.device(id)
		}
	case hedgehog.KindVLANNamespace:
		d.vlanGroup(id)
	case hedgehog.KindIPv4Namespace:
		for _, c := range d.seen.containers {
			if row := d.prefixes.get(c.row.ID); c.namespace == o.Name && row != nil && len(d.c.Containers) == 0 && d.isOwn(row.Scope) {
				d.prefixes.remove(row.ID)
			}
		}
	}
}

// peering takes a target off its VRFs. A target that makes a peering of the manifests
// too cannot go: those get targets of their own first.
func (d *deleter) peering(o *hedgehog.Object, id ID) {
	if d.routeTargets.get(id) == nil {
		return
	}
	if stay := d.stay[id]; len(stay) > 0 {
		d.removeTarget(id, d.users[id])
		p := d.peeringWriter()
		p.forget = id
		for _, wanted := range stay {
			p.write(wanted)
		}
		d.users = d.targetUsers()
		return
	}
	d.removeTarget(id, d.users[id])
}

// externalAttachment removes a sub-interface, or takes the port out of the external VRF,
// with its address.
func (d *deleter) externalAttachment(i *Interface) {
	for _, a := range d.addressesOn[i.ID] {
		if a.VRF == i.VRF {
			d.ipAddresses.remove(a.ID)
		}
	}
	if far := d.ipAddresses.get(i.Fields.object("neighbor_ip")); far != nil && far.Type == "" {
		d.ipAddresses.remove(far.ID)
	}
	if i.Parent != 0 && i.ChannelID == 0 {
		d.interfaces.remove(i.ID)
		return
	}
	i.VRF = 0
	for _, name := range []string{"neighbor_ip", "neighbor_asn", "external_options"} {
		if i.Fields.value(name) != nil {
			i.Fields.set(name, nil)
		}
	}
}

// external removes what lies behind an external, and its VRF when nothing else is in it.
func (d *deleter) external(id ID) {
	e := d.seen.externals[id]
	if e == nil || d.foreign(e.row) {
		return
	}
	for _, p := range d.prefixesIn[id] {
		d.prefixes.remove(p.ID)
	}
	for _, a := range d.addressesIn[id] {
		if a.Type == "" {
			d.ipAddresses.remove(a.ID)
		}
	}
	d.removeVRF(id)
	for _, target := range union(e.row.ImportTargets, e.row.ExportTargets) {
		if t := d.routeTargets.get(target); t != nil && len(d.users[target]) <= 1 && slices.Contains(t.Tags, d.c.Tag) {
			d.routeTargets.remove(target)
		}
	}
}

// attachment takes the VLAN of a subnet off the interfaces of a connection, or its ports
// out of the VRF.
func (d *deleter) attachment(o *hedgehog.Object) {
	spec := o.Spec.(*hedgehog.VPCAttachmentSpec)
	c := d.got.Get(hedgehog.KindConnection, spec.Connection)
	at := d.subnets[spec.Subnet]
	if c == nil || at == nil || d.renamed[[2]string{spec.Subnet, spec.Connection}] {
		return // or it is wanted under another name, and has the same interfaces
	}
	for _, origin := range c.Origins {
		area, id := splitPath(origin.Path)
		i := d.interfaces.get(id)
		if area != "/dcim/interfaces/" || i == nil {
			continue
		}
		switch {
		case at.vlan != nil:
			takeVLAN(i, at.vlan.ID)
		case i.VRF == at.row.VRF:
			i.VRF = 0
		}
		d.forget(&i.Fields, spec.Subnet)
	}
}

// forget takes what a record says of an attachment out of its fields.
func (d *deleter) forget(f *Fields, subnet string) {
	if names, ok := f.value("attachments").(map[string]any); ok && names[subnet] != nil {
		rest := map[string]any{}
		for k, v := range names {
			if k != subnet {
				rest[k] = v
			}
		}
		if len(rest) == 0 {
			f.set("attachments", nil)
		} else {
			f.set("attachments", rest)
		}
	}
	if spec, ok := f.value("spec").(map[string]any); ok {
		if patches, ok := spec["attachments"].(map[string]any); ok && patches[subnet] != nil {
			rest, others := map[string]any{}, map[string]any{}
			for k, v := range patches {
				if k != subnet {
					others[k] = v
				}
			}
			for k, v := range spec {
				rest[k] = v
			}
			if rest["attachments"] = others; len(others) == 0 {
				delete(rest, "attachments")
			}
			if len(rest) == 0 {
				f.set("spec", nil)
			} else {
				f.set("spec", rest)
			}
		}
	}
}

// connection removes the cables of a connection that end at a port of it, takes the ports
// out of their LAGs, and removes LAGs that become empty. Cables between patch panels stay,
// and so do those that another connection needs.
func (d *deleter) connection(o *hedgehog.Object) {
	for _, at := range o.Origins {
		area, id := splitPath(at.Path)
		i := d.interfaces.get(id)
		if area != "/dcim/interfaces/" || i == nil || d.shared[at.Path] > 0 {
			continue
		}
		if i.LAG != 0 {
			d.leaveLAG(i)
		}
		d.uncable(portRef{"dcim.interface", id})
		for _, name := range []string{"name", "spec", "attachments", "lacp_fallback", "static_external"} {
			if i.Fields.value(name) != nil {
				i.Fields.set(name, nil)
			}
		}
		for _, a := range d.addressesOn[id] {
			if d.origin(o, a.path()) {
				d.ipAddresses.remove(a.ID)
			}
		}
	}
	// Channels share the cable of their parent.
	for _, at := range o.Origins {
		area, id := splitPath(at.Path)
		if area != "/dcim/cables/" || d.shared[at.Path] > 0 || d.cables.get(id) == nil {
			continue
		}
		if slices.ContainsFunc(d.terminations[id], func(t *CableTermination) bool { return t.Type == "dcim.interface" }) {
			d.removeCable(id)
		}
	}
}

func (d *deleter) origin(o *hedgehog.Object, path string) bool {
	return slices.ContainsFunc(o.Origins, func(at hedgehog.Origin) bool { return at.Path == path })
}

func (d *deleter) leaveLAG(i *Interface) {
	lag := i.LAG
	i.LAG = 0
	if d.members[lag]--; d.members[lag] == 0 {
		d.removeInterface(lag)
	}
}

func (d *deleter) removeInterface(id ID) {
	for _, a := range d.addressesOn[id] {
		d.ipAddresses.remove(a.ID)
	}
	d.uncable(portRef{"dcim.interface", id})
	d.interfaces.remove(id)
}

// uncable takes a port off its cable, and removes the cable when an end of it is empty
// then: a breakout cable has several ports at an end.
func (d *deleter) uncable(port portRef) {
	for _, t := range d.ends[port] {
		if d.cableTerminations.get(t.ID) == nil {
			continue
		}
		d.cableTerminations.remove(t.ID)
		left := slices.ContainsFunc(d.terminations[t.Cable], func(other *CableTermination) bool {
			return other.End == t.End && d.cableTerminations.get(other.ID) != nil
		})
		if !left {
			d.removeCable(t.Cable)
		}
	}
}

func (d *deleter) removeCable(id ID) {
	for _, t := range d.terminations[id] {
		d.cableTerminations.remove(t.ID)
	}
	d.cables.remove(id)
}

// device removes a device with its ports, their addresses and cables.
func (d *deleter) device(id ID) {
	for _, i := range d.interfacesOf[id] {
		if d.interfaces.get(i.ID) != nil {
			d.removeInterface(i.ID)
		}
	}
	for _, f := range d.frontPorts.sorted() {
		if f.Device == id {
			d.uncable(portRef{"dcim.frontport", f.ID})
			d.frontPorts.remove(f.ID)
		}
	}
	for _, r := range d.rearPorts.sorted() {
		if r.Device == id {
			d.uncable(portRef{"dcim.rearport", r.ID})
			d.rearPorts.remove(r.ID)
		}
	}
	d.devices.remove(id)
}

// vlanGroup removes a group with the VLANs that nothing uses, or takes the tag off it
// where some are in use. One that stands above the fabric may be another's too.
func (d *deleter) vlanGroup(id ID) {
	g := d.vlanGroups.get(id)
	if g == nil || len(d.c.VLANGroups) > 0 || !d.isOwn(g.Scope) {
		return
	}
	var unused []ID
	inUse := false
	for _, v := range d.vlans.sorted() {
		if v.Group != id {
			continue
		}
		prefixes := slices.ContainsFunc(d.prefixesOn[v.ID], func(p *Prefix) bool { return d.prefixes.get(p.ID) != nil })
		carried := slices.ContainsFunc(d.carriers[v.ID], func(i *Interface) bool {
			return d.interfaces.get(i.ID) != nil && (i.UntaggedVLAN == v.ID || slices.Contains(i.TaggedVLANs, v.ID))
		})
		if prefixes || carried {
			inUse = true
		} else {
			unused = append(unused, v.ID)
		}
	}
	if inUse {
		g.Tags = untagged(g.Tags, d.c.Tag)
		return
	}
	for _, v := range unused {
		d.vlans.remove(v)
	}
	d.vlanGroups.remove(id)
}
