package netbox

import (
	"net/netip"
	"slices"
	"strings"

	"hedgehog-gitops/render/hedgehog"
)

// toPrune returns the objects that only NetBox has and people want removed.
func (w *writer) toPrune() []*hedgehog.Object {
	var list []*hedgehog.Object
	for _, o := range w.extra() {
		switch o.Kind {
		case hedgehog.KindSwitch, hedgehog.KindServer, hedgehog.KindGateway:
			if w.o.PruneDevices {
				list = append(list, o)
			}
		default:
			if w.o.Prune {
				list = append(list, o)
			}
		}
	}
	return list
}

// pruned reports whether an object of hedgehog_objects is to be removed.
func (w *writer) pruned(k hedgehog.Key) bool {
	for _, o := range w.toPrune() {
		if o.Key() == k {
			return true
		}
	}
	return false
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
	w.pruneTargets(func(users []ID) bool { return slices.ContainsFunc(users, func(id ID) bool { return gone[id] }) })
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
func (w *writer) pruneTargets(gone func(users []ID) bool) {}

// prune removes the records of what only NetBox has.
func (w *writer) prune() {}
