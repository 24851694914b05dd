package netbox

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"hedgehog-gitops/render/hedgehog"
)

// attachments writes the VPCAttachments that NetBox does not give as they are wanted: the
// VLANs of the switch's LAG or port, or its VRF where the subnet has no VLAN. VLANs that
// the fabric has nothing to do with stay, and so do those of attachments that only NetBox
// has.
func (w *writer) attachments() {
	byConnection := map[string][]*hedgehog.Object{}
	differ := map[string]bool{}
	for o, spec := range hedgehog.Each[*hedgehog.VPCAttachmentSpec](w.want) {
		byConnection[spec.Connection] = append(byConnection[spec.Connection], o)
		if w.differs(o) {
			differ[spec.Connection] = true
			// What it is attached to now is to change too.
			if got := w.got.Get(o.Kind, o.Name); got != nil {
				differ[got.Spec.(*hedgehog.VPCAttachmentSpec).Connection] = true
			}
		}
	}
	if len(differ) == 0 {
		return
	}
	a := newAttacher(w)
	for _, name := range sortedKeys(differ) {
		if p := a.place(name); p != nil {
			a.attach(p, byConnection[name])
		}
	}
	w.otherPattern()
}

// attacher writes attachments into the draft.
type attacher struct {
	w       *writer
	seen    func(hedgehog.Port) *Interface
	subnets map[string]*subnet // by vpc/subnet
	ofVLAN  map[ID]*subnet
	// got are the attachments of NetBox by connection and subnet, and leaving those of
	// them that are wanted elsewhere or are to be pruned.
	got     map[[2]string]*hedgehog.Object
	leaving map[hedgehog.Key]bool
	used    map[ID]map[netip.Addr]bool // addresses by VRF
}

func newAttacher(w *writer) *attacher {
	a := &attacher{w: w, seen: w.seenPorts(), subnets: map[string]*subnet{}, ofVLAN: map[ID]*subnet{}, got: map[[2]string]*hedgehog.Object{}, leaving: map[hedgehog.Key]bool{}}
	for _, v := range w.seen.vpcs {
		for _, s := range v.subnets {
			if s.key == "" {
				continue
			}
			a.subnets[v.name+"/"+s.key] = s
			if s.vlan != nil {
				a.ofVLAN[s.vlan.ID] = s
			}
		}
	}
	for o, spec := range hedgehog.Each[*hedgehog.VPCAttachmentSpec](w.got) {
		a.got[[2]string{spec.Connection, spec.Subnet}] = o
		if wanted := w.want.Get(o.Kind, o.Name); wanted != nil {
			to, ok := wanted.Spec.(*hedgehog.VPCAttachmentSpec)
			if ok && (to.Connection != spec.Connection || to.Subnet != spec.Subnet || to.NativeVLAN != spec.NativeVLAN) {
				a.leaving[o.Key()] = true
			}
		}
	}
	for _, o := range w.toPrune() {
		a.leaving[o.Key()] = true
	}
	return a
}

// attachPlace is where the attachments of a connection stand.
type attachPlace struct {
	connection *hedgehog.Object
	// levels are the interfaces that may have the VLANs, those that count first.
	levels [][]*Interface
	lags   []*Interface // of the switches
	ports  []*Interface // of the switches
	far    []*Interface // of the server, its LAG first
}

// all are the records that speak for the attachments.
func (p *attachPlace) all() []*Interface {
	return slices.Concat(p.lags, p.ports, p.far)
}

// place finds the interfaces of a connection to a server, nil when it is none that
// NetBox has.
func (a *attacher) place(name string) *attachPlace {
	w := a.w
	o := w.got.Get(hedgehog.KindConnection, name)
	if o == nil {
		return nil
	}
	s, ok := shapeOf(o)
	if !ok || !s.toServer() {
		return nil
	}
	p := &attachPlace{connection: o}
	lagOf := func(i *Interface) *Interface {
		if lag := w.interfaces.get(i.LAG); lag != nil && lag.Type == "lag" {
			return lag
		}
		return nil
	}
	var near, serverLAG, serverPorts []*Interface
	for _, span := range s.spans {
		i, far := a.seen(span.near), a.seen(span.far)
		if i == nil || far == nil {
			return nil
		}
		p.ports, serverPorts = append(p.ports, i), append(serverPorts, far)
		if lag := lagOf(i); lag != nil && !slices.Contains(p.lags, lag) {
			p.lags = append(p.lags, lag)
		}
		if lag := lagOf(far); lag != nil && !slices.Contains(serverLAG, lag) {
			serverLAG = append(serverLAG, lag)
		}
	}
	near = slices.Clone(p.lags)
	if len(p.lags) > 0 {
		for _, i := range p.ports {
			if lagOf(i) == nil {
				near = append(near, i)
			}
		}
	}
	p.far = slices.Concat(serverLAG, serverPorts)
	p.levels = [][]*Interface{near, p.ports, serverLAG, serverPorts}
	return p
}

// attach makes a connection be in the wanted subnets.
func (a *attacher) attach(p *attachPlace, wanted []*hedgehog.Object) {
	level := a.level(p)
	is, mode := a.now(level)
	next := membership{native: is.native, tagged: slices.Clone(is.tagged)}
	drop := func(id ID) {
		if next.native == id {
			next.native = 0
		}
		next.tagged = slices.DeleteFunc(next.tagged, func(v ID) bool { return v == id })
	}
	for _, id := range append([]ID{is.native}, is.tagged...) {
		if s := a.ofVLAN[id]; s != nil {
			if got := a.got[[2]string{p.connection.Name, s.vpc.name + "/" + s.key}]; got != nil && a.leaving[got.Key()] {
				drop(id)
			}
		}
	}
	names := map[string]string{}
	by := level[0]
	for _, o := range wanted {
		spec := o.Spec.(*hedgehog.VPCAttachmentSpec)
		s := a.subnets[spec.Subnet]
		if _, twice := names[spec.Subnet]; s == nil || twice {
			continue // it has no record that could say it
		}
		if s.vlan == nil {
			on := a.hostBGP(p, o, s)
			if on == nil {
				continue
			}
			by = on
		} else if other := a.ofVLAN[next.native]; spec.NativeVLAN && other != nil && other != s && wants(wanted, other) {
			continue // the manifests have two native VLANs, and an interface one
		} else if !a.carry(&next, p, level[0], o, s.vlan.ID, spec.NativeVLAN) {
			return
		}
		names[spec.Subnet] = o.Name
	}
	slices.Sort(next.tagged)
	for _, i := range level {
		if have, ok := membershipOf(i); ok && have.equal(next) || !ok && next.equal(membership{}) {
			continue
		}
		i.UntaggedVLAN, i.TaggedVLANs = next.native, slices.Clone(next.tagged)
		switch {
		case len(next.tagged) > 0:
			i.Mode = "tagged"
		case next.native == 0:
			i.Mode = ""
		case mode != "tagged":
			i.Mode = "access"
		default:
			i.Mode = mode
		}
		if i.Mode == "" || i.Mode == "access" {
			i.TaggedVLANs = nil
		}
	}
	a.names(p, by, names)
}

// wants reports whether one of the attachments is to a subnet.
func wants(wanted []*hedgehog.Object, s *subnet) bool {
	return slices.ContainsFunc(wanted, func(o *hedgehog.Object) bool {
		return o.Spec.(*hedgehog.VPCAttachmentSpec).Subnet == s.vpc.name+"/"+s.key
	})
}

// level is the interfaces that have the VLANs of a connection: those that have a mode, as
// the mapping reads them, else the LAGs or the ports of the switches.
func (a *attacher) level(p *attachPlace) []*Interface {
	for _, level := range p.levels {
		if slices.ContainsFunc(level, func(i *Interface) bool { return i.Mode != "" }) {
			return level
		}
	}
	if len(p.levels[0]) > 0 {
		return p.levels[0]
	}
	return p.levels[1]
}

// now is the VLANs that the interfaces have, taken together.
func (a *attacher) now(level []*Interface) (v membership, mode string) {
	for _, i := range level {
		have, ok := membershipOf(i)
		if !ok || have.native == -1 {
			continue
		}
		if v.native == 0 {
			v.native = have.native
		}
		if mode == "" {
			mode = i.Mode
		}
		for _, id := range have.tagged {
			if !slices.Contains(v.tagged, id) {
				v.tagged = append(v.tagged, id)
			}
		}
	}
	v.tagged = slices.DeleteFunc(v.tagged, func(id ID) bool { return id == v.native })
	slices.Sort(v.tagged)
	return v, mode
}

// carry adds a VLAN. It is false when the place of the native VLAN is taken.
func (a *attacher) carry(next *membership, p *attachPlace, at *Interface, o *hedgehog.Object, vlan ID, native bool) bool {
	if !native {
		if next.native == vlan {
			next.native = 0
		}
		if !slices.Contains(next.tagged, vlan) {
			next.tagged = append(next.tagged, vlan)
		}
		return true
	}
	if next.native != 0 && next.native != vlan {
		other := fmt.Sprintf("VLAN %d", next.native)
		if v := a.w.vlans.get(next.native); v != nil {
			other = fmt.Sprintf("VLAN %d (%s)", v.VID, v.Name)
		}
		what := "which is no VLAN of the fabric"
		if s := a.ofVLAN[next.native]; s != nil {
			what = "subnet " + s.vpc.name + "/" + s.key
		}
		a.w.fail("import-native-vlan", o, at, "untagged_vlan",
			fmt.Sprintf("%s needs the native VLAN of %s, and interface %s has %s, %s", o.Key(), p.connection.Key(), at.Name, other, what),
			"take the VLAN off the interface in NetBox, or set nativeVLAN to false in the manifest")
		return false
	}
	next.native = vlan
	next.tagged = slices.DeleteFunc(next.tagged, func(id ID) bool { return id == vlan })
	return true
}

// hostBGP puts the ports of the switch into the VRF of a subnet without a VLAN. It
// returns the interface that says so, nil when none can.
func (a *attacher) hostBGP(p *attachPlace, o *hedgehog.Object, s *subnet) *Interface {
	w, vrf := a.w, s.row.VRF
	near := p.lags
	if len(near) == 0 {
		near = p.ports
	}
	by := near[0]
	said := false
	for _, i := range append(slices.Clone(p.ports), p.lags...) {
		if i.VRF == vrf && !said {
			by, said = i, true
		}
	}
	without := 0
	for _, other := range s.vpc.subnets {
		if other.vlan == nil {
			without++
		}
	}
	if without > 1 && !a.address(p, s) {
		return nil
	}
	if said {
		return by
	}
	for _, i := range near {
		if i.VRF == 0 || a.outgoing(p, i.VRF) {
			i.VRF = vrf
			continue
		}
		name := fmt.Sprintf("VRF %d", i.VRF)
		if v := w.vrfs.get(i.VRF); v != nil {
			name = "VRF " + v.Name
		}
		w.fail("import-port-vrf", o, i, "vrf",
			fmt.Sprintf("%s needs interface %s in VRF %s, and NetBox has it in %s", o.Key(), i.Name, s.vpc.row.Name, name),
			"take the interface out of the VRF in NetBox, or correct the attachment")
		return nil
	}
	return by
}

// outgoing reports whether a VRF is that of a subnet without a VLAN which the connection
// is not to be in any more.
func (a *attacher) outgoing(p *attachPlace, vrf ID) bool {
	for _, s := range a.w.seen.vpcs[vrf].without() {
		if got := a.got[[2]string{p.connection.Name, s.vpc.name + "/" + s.key}]; got != nil && a.leaving[got.Key()] {
			return true
		}
	}
	return false
}

// without are the subnets of a VPC that have no VLAN.
func (v *vpc) without() []*subnet {
	if v == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(v.subnets), func(s *subnet) bool { return s.vlan != nil })
}

// address makes a port of the connection have an address of the subnet, which says which
// of several subnets it is in: the first that is free, reserved on the server's port. It
// is false when an address says another subnet.
func (a *attacher) address(p *attachPlace, s *subnet) bool {
	w := a.w
	holds := func(of *subnet) bool {
		for _, i := range p.all() {
			for _, row := range w.seen.addressesOn[i.ID] {
				if at, err := netip.ParsePrefix(row.Address); err == nil && row.VRF == s.row.VRF && of.prefix.Contains(at.Addr()) {
					return true
				}
			}
		}
		return false
	}
	for _, other := range s.vpc.without() {
		if other != s && holds(other) {
			return false
		}
	}
	if holds(s) {
		return true
	}
	if a.used == nil {
		a.used = map[ID]map[netip.Addr]bool{}
		for _, row := range w.ipAddresses.sorted() {
			if at, err := netip.ParsePrefix(row.Address); err == nil {
				if a.used[row.VRF] == nil {
					a.used[row.VRF] = map[netip.Addr]bool{}
				}
				a.used[row.VRF][at.Addr()] = true
			}
		}
	}
	if a.used[s.row.VRF] == nil {
		a.used[s.row.VRF] = map[netip.Addr]bool{}
	}
	addr := s.prefix.Addr()
	if s.prefix.Bits() < s.prefix.Addr().BitLen()-1 {
		addr = addr.Next()
	}
	for s.prefix.Contains(addr) && a.used[s.row.VRF][addr] {
		addr = addr.Next()
	}
	if !s.prefix.Contains(addr) {
		return false
	}
	a.used[s.row.VRF][addr] = true
	w.ipAddresses.add(IPAddress{Address: netip.PrefixFrom(addr, s.prefix.Bits()).String(), VRF: s.row.VRF, Status: "reserved", Type: "dcim.interface", Object: p.far[0].ID})
	return true
}

// names writes the names of attachments that do not follow the fabric's pattern, and
// takes out those that say nothing any more.
func (a *attacher) names(p *attachPlace, by *Interface, wanted map[string]string) {
	missing := map[string]string{}
	for at, name := range wanted {
		if name != a.w.seen.attachmentName(a.subnets[at], p.connection.Name) {
			missing[at] = name
		}
	}
	holders := p.all()
	for _, i := range holders {
		have, ok := i.Fields.value("attachments").(map[string]any)
		if !ok {
			continue
		}
		next := map[string]any{}
		changed := false
		for at, value := range have {
			name, wantedName := value.(string), missing[at]
			got := a.got[[2]string{p.connection.Name, at}]
			_, isWanted := wanted[at]
			switch {
			case isWanted && wantedName == "", got != nil && !isWanted && a.leaving[got.Key()], got == nil && !isWanted:
				changed = true
			case isWanted && name != wantedName:
				next[at], changed = wantedName, true
				delete(missing, at)
			default:
				next[at] = value
				delete(missing, at)
			}
		}
		if changed {
			i.Fields.set("attachments", anyOrNil(next))
		}
	}
	if len(missing) == 0 {
		return
	}
	on := by
	for _, i := range holders {
		if i.Fields.value("attachments") != nil {
			on = i
			break
		}
	}
	next := map[string]any{}
	if have, ok := on.Fields.value("attachments").(map[string]any); ok {
		for at, name := range have {
			next[at] = name
		}
	}
	for at, name := range missing {
		next[at] = name
	}
	on.Fields.set("attachments", next)
}

func anyOrNil(fields map[string]any) any {
	if len(fields) == 0 {
		return nil
	}
	return fields
}

// otherPattern says when the wanted attachments are called by another pattern than the
// fabric's throughout: then their names need no field.
func (w *writer) otherPattern() {
	candidates := []string{"{vpc}--{subnet}--{connection}", "{connection}--{vpc}--{subnet}", "{connection}--{vpc}-{subnet}", "{vpc}-{subnet}--{connection}", "{vpc}--{connection}--{subnet}", "{subnet}--{vpc}--{connection}"}
	count, fits := 0, map[string]int{}
	for o, spec := range hedgehog.Each[*hedgehog.VPCAttachmentSpec](w.want) {
		vpc, key, _ := strings.Cut(spec.Subnet, "/")
		names := strings.NewReplacer("{vpc}", vpc, "{subnet}", key, "{connection}", spec.Connection)
		count++
		for _, pattern := range append(candidates, w.c.AttachmentName) {
			if names.Replace(pattern) == o.Name {
				fits[pattern]++
			}
		}
	}
	if count < 2 || fits[w.c.AttachmentName] > 0 {
		return
	}
	for _, pattern := range candidates {
		if fits[pattern] == count {
			w.issues = append(w.issues, hedgehog.Issue{Rule: "import-attachment-pattern", Severity: hedgehog.Notice, Field: "fabrics[].names.attachment",
				Summary: fmt.Sprintf("all %d VPCAttachments are called %s, so each needs its name in %s", count, pattern, cf("attachments")),
				Hint:    fmt.Sprintf("set `names: {attachment: \"%s\"}` for the fabric, and no name needs a field", pattern)})
			return
		}
	}
}
