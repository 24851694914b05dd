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

// links writes the Connections that NetBox does not give as they are wanted: cables,
// LAGs, the addresses of links, and the fields that say what cables and ports do not.
//
// A Connection that the records could not say so that it is read again (a port that the
// profile does not have, a device that is nowhere) is left to hedgehog_objects, and so is
// an external one that no ExternalAttachment needs.
func (w *writer) links() {
	l := newLinker(w)
	if len(l.wanted) == 0 || w.failed() {
		return
	}
	for _, step := range []func(){l.wire, l.transfer, l.bundle, l.mtus, l.fallbacks, l.address, l.statics, l.pin} {
		step()
		if w.failed() {
			return
		}
	}
}

// The types of connections, as the manifests call them.
const (
	typeFabric      = "fabric"
	typeMesh        = "mesh"
	typeGateway     = "gateway"
	typeMCLAGDomain = "mclagDomain"
	typeLoopback    = "vpcLoopback"
	typeUnbundled   = "unbundled"
	typeBundled     = "bundled"
	typeESLAG       = "eslag"
	typeMCLAG       = "mclag"
	typeExternal    = "external"
	typeStatic      = "staticExternal"
)

// span is a link of a Connection as its manifest has it.
type span struct {
	near, far     hedgehog.Port
	nearIP, farIP string
	kind          string // hedgehog_link that says what it is, where there is no other way
}

// shape is what a Connection joins, whatever its type.
type shape struct {
	kind  string
	spans []span
	port  hedgehog.Port // of an external or a static external
	mtu   uint16
	// fallback is that of a LAG.
	fallback bool
}

// shapeOf returns the shape of a Connection; ok is false unless it has exactly one type.
func shapeOf(o *hedgehog.Object) (s shape, ok bool) {
	spec, _ := o.Spec.(*hedgehog.ConnectionSpec)
	if spec == nil {
		return s, false
	}
	types := 0
	is := func(kind string, set bool) bool {
		if set {
			types++
			s.kind = kind
		}
		return set
	}
	bundled := func(kind string, b *hedgehog.Bundled) {
		if !is(kind, b != nil) {
			return
		}
		s.mtu, s.fallback = b.MTU, b.Fallback
		for _, l := range b.Links {
			s.spans = append(s.spans, span{near: l.Switch.Port, far: l.Server.Port})
		}
	}
	pairs := func(links []hedgehog.SwitchPairLink, kind string) {
		for _, l := range links {
			s.spans = append(s.spans, span{near: l.Switch1.Port, far: l.Switch2.Port, kind: kind})
		}
	}
	if is(typeUnbundled, spec.Unbundled != nil) {
		l := spec.Unbundled.Link
		s.mtu, s.spans = spec.Unbundled.MTU, []span{{near: l.Switch.Port, far: l.Server.Port}}
	}
	bundled(typeBundled, spec.Bundled)
	bundled(typeMCLAG, spec.MCLAG)
	bundled(typeESLAG, spec.ESLAG)
	if is(typeMCLAGDomain, spec.MCLAGDomain != nil) {
		pairs(spec.MCLAGDomain.PeerLinks, "mclag-peer")
		pairs(spec.MCLAGDomain.SessionLinks, "mclag-session")
	}
	if is(typeFabric, spec.Fabric != nil) {
		for _, l := range spec.Fabric.Links {
			s.spans = append(s.spans, span{near: l.Spine.Port, far: l.Leaf.Port, nearIP: l.Spine.IP, farIP: l.Leaf.IP})
		}
	}
	if is(typeMesh, spec.Mesh != nil) {
		for _, l := range spec.Mesh.Links {
			s.spans = append(s.spans, span{near: l.Leaf1.Port, far: l.Leaf2.Port, nearIP: l.Leaf1.IP, farIP: l.Leaf2.IP})
		}
	}
	if is(typeGateway, spec.Gateway != nil) {
		for _, l := range spec.Gateway.Links {
			s.spans = append(s.spans, span{near: l.Switch.Port, far: l.Gateway.Port, nearIP: l.Switch.IP, farIP: l.Gateway.IP})
		}
	}
	if is(typeLoopback, spec.VPCLoopback != nil) {
		pairs(spec.VPCLoopback.Links, "vpc-loopback")
	}
	if is(typeExternal, spec.External != nil) {
		s.port = spec.External.Link.Switch.Port
	}
	if is(typeStatic, spec.StaticExternal != nil) {
		s.port = spec.StaticExternal.Link.Switch.Port
	}
	return s, types == 1 && (len(s.spans) > 0 || s.port != "")
}

// toServer reports whether the connection is one of a server.
func (s shape) toServer() bool {
	return s.kind == typeUnbundled || s.bundles()
}

// bundles reports whether the connection is a LAG.
func (s shape) bundles() bool {
	return s.kind == typeBundled || s.kind == typeESLAG || s.kind == typeMCLAG
}

// key is equal for connections of one type between the same ports.
func (s shape) key() string {
	ports := []string{string(s.port)}
	for _, p := range s.spans {
		a, b := string(p.near), string(p.far)
		if !s.toServer() && a > b {
			a, b = b, a
		}
		ports = append(ports, a+" "+b)
	}
	slices.Sort(ports)
	return s.kind + " " + strings.Join(ports, ", ")
}

// base is the name that the mapping gives the connection when nothing pins one.
func (s shape) base() string {
	if s.kind == typeExternal {
		return s.port.Device() + "--external"
	}
	if s.kind == typeStatic {
		return s.port.Device() + "--static-external"
	}
	spans := slices.Clone(s.spans)
	if s.toServer() {
		slices.SortFunc(spans, func(a, b span) int {
			return cmp.Or(natural(string(a.far), string(b.far)), natural(string(a.near), string(b.near)))
		})
		name := spans[0].far.Device() + "--" + s.kind
		for n, p := range spans {
			if n == 0 || s.kind != typeBundled && s.kind != typeUnbundled {
				name += "--" + p.near.Device()
			}
		}
		return name
	}
	a, b := spans[0].near.Device(), spans[0].far.Device()
	word := s.kind
	switch s.kind {
	case typeLoopback:
		return a + "--vpc-loopback"
	case typeMCLAGDomain:
		word = "mclag-domain"
	}
	if (s.kind == typeMesh || s.kind == typeMCLAGDomain) && natural(a, b) > 0 {
		a, b = b, a
	}
	return a + "--" + word + "--" + b
}

// tip is an end of a wire: a port of the draft.
type tip struct {
	port hedgehog.Port
	on   *Interface
	ip   string
}

// wire is a link of a wanted connection.
type wire struct {
	near, far tip
	kind      string // hedgehog_link that its cables need
	// cables lead from the near to the far end; those of the draft.
	cables []*Cable
	// fresh says that NetBox did not have the path.
	fresh bool
}

// channel returns the end that is a channel of a port, or nil: there the cable ends at
// the port, and other connections may share it.
func (p *wire) channel() *Interface {
	for _, i := range []*Interface{p.near.on, p.far.on} {
		if i.ChannelID > 0 && i.Parent != 0 {
			return i
		}
	}
	return nil
}

// wantedLink is a Connection that is written.
type wantedLink struct {
	shape
	object *hedgehog.Object
	wires  []*wire
	port   *Interface // of an external or static external
	// The LAG of the server, and those of the switches by device.
	serverLAG *Interface
	leafLAGs  map[ID]*Interface
}

// ports are the interfaces that the connection ends at.
func (c *wantedLink) ports() []*Interface {
	var all []*Interface
	for _, p := range c.wires {
		all = append(all, p.near.on, p.far.on)
	}
	if c.port != nil {
		all = append(all, c.port)
	}
	return all
}

// lags are the LAGs of the connection, the server's first.
func (c *wantedLink) lags() []*Interface {
	var all []*Interface
	if c.serverLAG != nil {
		all = append(all, c.serverLAG)
	}
	return append(all, sorted(c.leafLAGs)...)
}

// linker writes connections into the draft.
type linker struct {
	*cabling
	wanted []*wantedLink
	// usedBy is which wanted Connection a port belongs to, written now or not.
	usedBy map[ID]*hedgehog.Object
	// names counts how many connections there are of a name that is not pinned.
	names map[string]int
	// pruned are the Connections that only NetBox has and that go.
	pruned map[hedgehog.Key]bool
	// ofGot is which Connection of NetBox's a port belongs to.
	ofGot map[ID]*hedgehog.Object
	// gone are ports that a wanted connection had and has no more, and which one.
	gone map[ID]*wantedLink
	// moves are the ports of unbundled connections that change.
	moves []portMove
	// members counts the ports of each LAG, and nextLAG is where the search for a free
	// number goes on, by device.
	members map[ID]int
	nextLAG map[ID]int
	book    addressBook
}

// newLinker finds the Connections to write, and the ports of all.
func newLinker(w *writer) *linker {
	l := &linker{usedBy: map[ID]*hedgehog.Object{}, names: map[string]int{}, pruned: map[hedgehog.Key]bool{}, ofGot: map[ID]*hedgehog.Object{},
		gone: map[ID]*wantedLink{}, members: map[ID]int{}, nextLAG: map[ID]int{}}
	var differ []*hedgehog.Object
	for o, spec := range hedgehog.Each[*hedgehog.ConnectionSpec](w.want) {
		if spec != nil && w.differs(o) {
			differ = append(differ, o)
		}
	}
	if len(differ) == 0 {
		return l
	}
	for _, o := range w.toPrune() {
		l.pruned[o.Key()] = true
	}
	seen := w.seenPorts()
	for o := range hedgehog.Each[*hedgehog.ConnectionSpec](w.got) {
		s, ok := shapeOf(o)
		if !ok {
			continue
		}
		wanted := w.want.Get(o.Kind, o.Name)
		if wanted == nil && !l.pruned[o.Key()] {
			l.names[s.base()]++
		}
		for _, port := range s.allPorts() {
			if i := seen(port); i != nil {
				l.ofGot[i.ID] = o
				if wanted != nil && !w.differs(wanted) {
					l.usedBy[i.ID] = wanted
				}
			}
		}
	}
	for o := range hedgehog.Each[*hedgehog.ConnectionSpec](w.want) {
		if s, ok := shapeOf(o); ok {
			l.names[s.base()]++
		}
	}
	attached := map[string]bool{}
	for _, spec := range hedgehog.Each[*hedgehog.ExternalAttachmentSpec](w.want) {
		attached[spec.Connection] = true
	}
	for _, o := range differ {
		c := &wantedLink{object: o, leafLAGs: map[ID]*Interface{}}
		var ok bool
		if c.shape, ok = shapeOf(o); !ok || c.kind == typeExternal && !attached[o.Name] {
			continue
		}
		if l.resolve(w, c) {
			l.wanted = append(l.wanted, c)
			for _, i := range c.ports() {
				l.usedBy[i.ID] = o
			}
		}
	}
	l.cabling = newCabling(w)
	for _, i := range w.interfaces.sorted() {
		if i.LAG != 0 {
			l.members[i.LAG]++
		}
	}
	l.leave(differ, seen)
	return l
}

func (s shape) allPorts() []hedgehog.Port {
	var ports []hedgehog.Port
	for _, p := range s.spans {
		ports = append(ports, p.near, p.far)
	}
	if s.port != "" {
		ports = append(ports, s.port)
	}
	return ports
}

// seenPorts returns a function that finds the port that the mapper knew by a name when
// the draft was last read.
func (w *writer) seenPorts() func(hedgehog.Port) *Interface {
	devices := map[string]ID{}
	for id, s := range w.seen.switches {
		devices[s.name] = id
	}
	for id, s := range w.seen.servers {
		devices[s.name] = id
	}
	for id, g := range w.seen.gateways {
		devices[g.name] = id
	}
	ports := map[ID]map[string]ID{}
	return func(port hedgehog.Port) *Interface {
		device, ok := devices[port.Device()]
		if !ok {
			return nil
		}
		if ports[device] == nil {
			ports[device] = map[string]ID{}
			for _, i := range w.seen.interfacesOf[device] {
				name, ok := portName(i.Name), true
				if s := w.seen.switches[device]; s != nil {
					name, ok = s.portOf[i.ID]
				}
				if _, twice := ports[device][name]; ok && !twice {
					ports[device][name] = i.ID
				}
			}
		}
		return w.interfaces.get(ports[device][port.Name()])
	}
}

// resolve finds or makes the ports of a connection. It is false when the records cannot
// say the connection.
func (l *linker) resolve(w *writer, c *wantedLink) bool {
	free := func(i *Interface) bool {
		return i != nil && isPort(i) && i.Channels == 0 && l.usedBy[i.ID] == nil
	}
	onSwitch := func(port hedgehog.Port) *Interface {
		device := w.device(hedgehog.KindSwitch, port.Device())
		if device == nil || port.Name() == "M1" {
			return nil
		}
		profile, spec := w.profileOf(device), w.switchSpec(device)
		if profile == nil || spec == nil || !profile.HasPort(port.Name(), spec.PortBreakouts) {
			return nil
		}
		return w.switchPort(device, port.Name())
	}
	role := func(port hedgehog.Port) *hedgehog.SwitchSpec {
		if device := w.device(hedgehog.KindSwitch, port.Device()); device != nil {
			if spec := w.switchSpec(device); spec != nil {
				return spec
			}
		}
		return &hedgehog.SwitchSpec{}
	}
	if c.shape.port != "" {
		c.port = onSwitch(c.shape.port)
		return free(c.port)
	}
	first := c.spans[0]
	used := map[ID]bool{}
	for _, s := range c.spans {
		p := &wire{near: tip{port: s.near, ip: s.nearIP}, far: tip{port: s.far, ip: s.farIP}, kind: s.kind}
		if p.near.on = onSwitch(s.near); !free(p.near.on) || used[p.near.on.ID] {
			return false
		}
		farKind := hedgehog.KindSwitch
		switch {
		case c.toServer():
			farKind = hedgehog.KindServer
		case c.kind == typeGateway:
			farKind = hedgehog.KindGateway
		}
		if farKind == hedgehog.KindSwitch {
			p.far.on = onSwitch(s.far)
		} else {
			device := w.device(farKind, s.far.Device())
			if device == nil || s.far.Name() == "" || s.far.Name() != portName(s.far.Name()) {
				return false
			}
			p.far.on = w.serverPort(device, s.far.Name())
		}
		if !free(p.far.on) || used[p.far.on.ID] || p.far.on == p.near.on {
			return false
		}
		used[p.near.on.ID], used[p.far.on.ID] = true, true
		c.wires = append(c.wires, p)
		nearSpec, farSpec := role(s.near), role(s.far)
		same := s.near.Device() == s.far.Device()
		ok := true
		switch c.kind {
		case typeFabric:
			ok = nearSpec.Role == RoleSpine && farSpec.Role != RoleSpine
		case typeMesh:
			ok = !same
			mclag := nearSpec.Redundancy.Type == "mclag" && nearSpec.Redundancy == farSpec.Redundancy
			if nearSpec.Role == RoleSpine || farSpec.Role == RoleSpine || mclag {
				p.kind = "mesh"
			}
		case typeGateway:
			ok = w.c.Settings.Gateway
		case typeMCLAGDomain:
			ok = !same && w.c.Settings.FabricVersion == "26.02"
		case typeLoopback:
			ok = same
		}
		// A connection is made of what joins two devices, and a LAG is one server's.
		if c.toServer() {
			ok = ok && s.far.Device() == first.far.Device()
		} else {
			ok = ok && s.near.Device() == first.near.Device() && s.far.Device() == first.far.Device()
		}
		if !ok {
			return false
		}
	}
	return c.kind != typeMCLAG || w.c.Settings.FabricVersion == "26.02"
}

// leave notes the ports that the connections had in NetBox and are to have no more.
func (l *linker) leave(differ []*hedgehog.Object, seen func(hedgehog.Port) *Interface) {
	w := l.w
	byName := map[string]*wantedLink{}
	for _, c := range l.wanted {
		byName[c.object.Name] = c
	}
	old := func(o *hedgehog.Object, c *wantedLink) {
		s, ok := shapeOf(o)
		if !ok {
			return
		}
		still := map[[2]ID]bool{}
		if c != nil {
			for _, p := range c.wires {
				still[[2]ID{p.near.on.ID, p.far.on.ID}], still[[2]ID{p.far.on.ID, p.near.on.ID}] = true, true
			}
		}
		for _, p := range s.spans {
			a, b := seen(p.near), seen(p.far)
			if a == nil || b == nil || still[[2]ID{a.ID, b.ID}] {
				continue
			}
			l.stale = append(l.stale, &stalePath{a: a, b: b, of: o.Key(), pruned: c == nil && w.want.Get(o.Kind, o.Name) == nil})
		}
		if c == nil {
			return
		}
		if s.kind == typeUnbundled && c.kind == typeUnbundled {
			for _, m := range []portMove{{seen(s.spans[0].near), c.wires[0].near.on}, {seen(s.spans[0].far), c.wires[0].far.on}} {
				if m.from != nil && m.from != m.to {
					l.moves = append(l.moves, m)
				}
			}
		}
		for _, port := range s.allPorts() {
			if i := seen(port); i != nil && l.usedBy[i.ID] == nil {
				l.gone[i.ID] = c
			}
		}
	}
	for _, o := range differ {
		if got := w.got.Get(o.Kind, o.Name); got != nil {
			old(got, byName[o.Name])
		}
	}
	for o := range hedgehog.Each[*hedgehog.ConnectionSpec](w.got) {
		if l.pruned[o.Key()] {
			old(o, nil)
		}
	}
}

// portMove is a port of an unbundled connection that another one takes the place of.
type portMove struct{ from, to *Interface }

// transfer moves what a port says of its VLANs, VRF and attachments to the one that has
// taken its place.
func (l *linker) transfer() {
	fields := []string{"name", "attachments", "spec"}
	before := make([]Interface, len(l.moves))
	left := map[*Interface]bool{}
	for n, m := range l.moves {
		before[n], left[m.from] = *m.from, true
	}
	for i := range left {
		i.Mode, i.UntaggedVLAN, i.TaggedVLANs, i.VRF, i.MTU = "", 0, nil, 0, 0
		for _, field := range fields {
			if i.Fields.value(field) != nil {
				i.Fields.set(field, nil)
			}
		}
	}
	for n, m := range l.moves {
		was, to := &before[n], m.to
		if to.Mode == "" && to.VRF == 0 {
			to.Mode, to.UntaggedVLAN, to.TaggedVLANs, to.VRF = was.Mode, was.UntaggedVLAN, was.TaggedVLANs, was.VRF
		}
		if to.MTU == 0 {
			to.MTU = was.MTU
		}
		for _, field := range fields {
			if v := was.Fields.value(field); v != nil {
				to.Fields.set(field, v)
			}
		}
	}
}

// bundle makes the LAGs of the connections that have one, and takes the ports of the
// others out of theirs.
func (l *linker) bundle() {
	w := l.w
	// Whose a LAG is: of the connection that has most of its ports, before others one
	// that NetBox gives as it is wanted.
	votes := map[ID]map[string]int{}
	for _, i := range w.interfaces.sorted() {
		lag := w.interfaces.get(i.LAG)
		o := l.usedBy[i.ID]
		if lag == nil || lag.Type != "lag" || o == nil {
			continue
		}
		if votes[lag.ID] == nil {
			votes[lag.ID] = map[string]int{}
		}
		votes[lag.ID][o.Name]++
		if !w.differs(o) {
			votes[lag.ID][o.Name] += 1 << 20
		}
	}
	owner := map[ID]string{}
	for lag, by := range votes {
		for _, name := range sortedKeys(by) {
			if by[name] > by[owner[lag]] {
				owner[lag] = name
			}
		}
	}
	pick := func(c *wantedLink, ports []*Interface) *Interface {
		var best *Interface
		for _, i := range ports {
			lag := w.interfaces.get(i.LAG)
			if lag == nil || owner[lag.ID] != c.object.Name {
				continue
			}
			if best == nil || votes[lag.ID][c.object.Name] > votes[best.ID][c.object.Name] {
				best = lag
			}
		}
		return best
	}
	for id := range l.gone {
		i := w.interfaces.get(id)
		if i.LAG != 0 {
			l.setLAG(i, nil)
		}
	}
	for _, c := range l.wanted {
		if !c.bundles() {
			for _, i := range c.ports() {
				l.setLAG(i, nil)
			}
			continue
		}
		var serverPorts []*Interface
		leafPorts := map[ID][]*Interface{}
		documented := map[ID]bool{} // leaves that NetBox has a link to already
		for _, p := range c.wires {
			serverPorts = append(serverPorts, p.far.on)
			leaf := p.near.on.Device
			leafPorts[leaf] = append(leafPorts[leaf], p.near.on)
			documented[leaf] = documented[leaf] || !p.fresh
		}
		c.serverLAG = pick(c, serverPorts)
		hadServerLAG := c.serverLAG != nil
		var missing []ID
		for _, p := range c.wires {
			leaf := p.near.on.Device
			if c.leafLAGs[leaf] != nil || slices.Contains(missing, leaf) {
				continue
			}
			if lag := pick(c, leafPorts[leaf]); lag != nil {
				c.leafLAGs[leaf] = lag
			} else if !hadServerLAG || !documented[leaf] {
				missing = append(missing, leaf)
			}
		}
		if !hadServerLAG && (len(c.leafLAGs) == 0 || len(leafPorts) > 1) {
			c.serverLAG = l.newLAG(serverPorts[0].Device, "bond", 0)
		}
		if n := l.freeLAG(missing, "PortChannel", 1); n >= 0 {
			for _, leaf := range missing {
				c.leafLAGs[leaf] = l.newLAG(leaf, "PortChannel", n)
			}
		}
		for _, p := range c.wires {
			l.setLAG(p.far.on, c.serverLAG)
			l.setLAG(p.near.on, c.leafLAGs[p.near.on.Device])
		}
	}
	l.strangers()
}

// setLAG puts a port into a LAG, or into none.
func (l *linker) setLAG(i, lag *Interface) {
	var id ID
	if lag != nil {
		id = lag.ID
	}
	if i.LAG == id {
		return
	}
	l.members[i.LAG]--
	l.members[id]++
	i.LAG = id
}

// freeLAG is the first number from which each of the devices has no interface of that
// name, or a LAG that nothing is in; -1 without devices.
func (l *linker) freeLAG(devices []ID, word string, from int) int {
	if len(devices) == 0 {
		return -1
	}
	n := from
	for _, d := range devices {
		n = max(n, l.nextLAG[d])
	}
	named := l.w.nodeBook().named
	for ; ; n++ {
		if !slices.ContainsFunc(devices, func(d ID) bool {
			i := named[d][word+strconv.Itoa(n)]
			return i != nil && (i.Type != "lag" || l.members[i.ID] > 0)
		}) {
			return n
		}
	}
}

// newLAG makes a LAG, or takes the empty one that is called so.
func (l *linker) newLAG(device ID, word string, from int) *Interface {
	n := l.freeLAG([]ID{device}, word, from)
	l.nextLAG[device] = n + 1
	b := l.w.nodeBook()
	name := word + strconv.Itoa(n)
	if i := b.named[device][name]; i != nil {
		return i
	}
	i := l.w.interfaces.add(Interface{Device: device, Name: name, Type: "lag", Enabled: true})
	b.enter(i)
	return i
}

// strangers reports ports that are in a LAG of a wanted connection and lead somewhere
// without being the connection's.
func (l *linker) strangers() {
	of := map[ID]*wantedLink{}
	for _, c := range l.wanted {
		for _, lag := range c.lags() {
			of[lag.ID] = c
		}
	}
	for _, i := range l.w.interfaces.sorted() {
		c := of[i.LAG]
		if i.LAG == 0 || c == nil || l.usedBy[i.ID] == c.object || l.at[portRef{"dcim.interface", l.end(i)}] == nil {
			continue
		}
		if got := l.ofGot[i.ID]; got == nil {
			continue // it leads out of the fabric, which the mapping warns of
		} else if l.pruned[got.Key()] {
			l.setLAG(i, nil)
			continue
		}
		l.w.fail("import-lag-member", c.object, i, "lag",
			fmt.Sprintf("LAG %s of %s has port %s, which is cabled to %s and which %s does not have", l.w.interfaces.get(i.LAG).Name, l.deviceName(i), i.Name, l.whereTo(i), c.object.Key()),
			"take the port out of the LAG in NetBox, or add the link to the manifest")
	}
}

// mtus writes the MTU of connections to servers where it is not what the mapping reads:
// on the first level that has one, else on the LAG of the server, or on its port.
func (l *linker) mtus() {
	for _, c := range l.wanted {
		if !c.toServer() {
			continue
		}
		var serverPorts, ports, serverLAG []*Interface
		for _, p := range c.wires {
			serverPorts, ports = append(serverPorts, p.far.on), append(ports, p.near.on)
		}
		if c.serverLAG != nil {
			serverLAG = []*Interface{c.serverLAG}
		}
		last := ports
		if c.bundles() {
			last = sorted(c.leafLAGs)
		}
		want, done := int(c.mtu), false
		for _, level := range [][]*Interface{serverLAG, serverPorts, last} {
			for _, i := range level {
				if i.MTU != 0 && (want == 0 || !done) {
					i.MTU = want
				}
			}
			done = done || slices.ContainsFunc(level, func(i *Interface) bool { return i.MTU != 0 })
		}
		if done || want == 0 {
			continue
		}
		switch {
		case c.serverLAG != nil:
			c.serverLAG.MTU = want
		case c.kind == typeUnbundled:
			serverPorts[0].MTU = want
		default:
			for _, i := range last {
				i.MTU = want
			}
		}
	}
}

// fallbacks writes whether LAGs come up before the server speaks LACP.
func (l *linker) fallbacks() {
	for _, c := range l.wanted {
		if !c.bundles() {
			continue
		}
		lags := c.lags()
		switch is := slices.ContainsFunc(lags, func(i *Interface) bool { return i.Fields.isTrue("lacp_fallback") }); {
		case is && !c.fallback:
			for _, i := range lags {
				if i.Fields.isTrue("lacp_fallback") {
					i.Fields.set("lacp_fallback", nil)
				}
			}
		case !is && c.fallback:
			on := sorted(c.leafLAGs)
			if len(on) == 0 {
				on = lags
			}
			for _, i := range on {
				i.Fields.set("lacp_fallback", true)
			}
		}
	}
}

// addressBook finds the addresses of the draft.
type addressBook struct {
	on map[ID][]*IPAddress // of an interface
	by map[vrfAddress][]*IPAddress
}

type vrfAddress struct {
	vrf  ID
	addr netip.Addr
}

func (w *writer) addressBook() addressBook {
	b := addressBook{on: map[ID][]*IPAddress{}, by: map[vrfAddress][]*IPAddress{}}
	for _, a := range w.ipAddresses.sorted() {
		b.enter(a)
	}
	return b
}

func (b *addressBook) enter(a *IPAddress) {
	if a.Type == "dcim.interface" {
		b.on[a.Object] = append(b.on[a.Object], a)
	}
	if p, err := netip.ParsePrefix(a.Address); err == nil {
		k := vrfAddress{a.VRF, p.Addr()}
		b.by[k] = append(b.by[k], a)
	}
}

func (b *addressBook) leave(a *IPAddress) {
	is := func(other *IPAddress) bool { return other == a }
	if a.Type == "dcim.interface" {
		b.on[a.Object] = slices.DeleteFunc(b.on[a.Object], is)
	}
	if p, err := netip.ParsePrefix(a.Address); err == nil {
		k := vrfAddress{a.VRF, p.Addr()}
		b.by[k] = slices.DeleteFunc(b.by[k], is)
	}
}

// linkAddress is an address that an interface is to have.
type linkAddress struct {
	on   *Interface
	text string // "" when it is to have none
	of   *hedgehog.Object
}

// address gives the ends of links their addresses of the fabric's pool.
func (l *linker) address() {
	pool := l.w.c.Settings.Pools.FabricSubnet
	var list []linkAddress
	for _, c := range l.wanted {
		if c.kind != typeFabric && c.kind != typeMesh && c.kind != typeGateway {
			continue
		}
		for _, p := range c.wires {
			for _, end := range []tip{p.near, p.far} {
				text := end.ip
				if prefix, ok := assignable(text); !ok || !pool.Contains(prefix.Addr()) {
					text = "" // the mapping would not read it
				}
				list = append(list, linkAddress{end.on, text, c.object})
			}
		}
	}
	for _, id := range idsOf(l.gone) {
		list = append(list, linkAddress{on: l.w.interfaces.get(id), of: l.gone[id].object})
	}
	if len(list) == 0 {
		return
	}
	vrf := func() (ID, bool) { return l.w.underlayVRF() }
	l.assign(list, vrf, func(a *IPAddress) bool { return inPool(a, pool) })
}

// assignable reads an address that NetBox lets an interface have.
func assignable(text string) (netip.Prefix, bool) {
	p, err := netip.ParsePrefix(text)
	if err != nil || p.String() != text || p.Bits() < p.Addr().BitLen()-1 && p.Masked().Addr() == p.Addr() {
		return netip.Prefix{}, false
	}
	return p, true
}

// assign gives interfaces their addresses in a VRF, and takes away those that ours holds
// of and that they are not to have: an address that another of the interfaces gives up is
// moved, one that is to be replaced is changed.
func (l *linker) assign(list []linkAddress, inVRF func() (ID, bool), ours func(*IPAddress) bool) {
	w := l.w
	if l.book.on == nil {
		l.book = w.addressBook()
	}
	b := &l.book
	free := map[*IPAddress]bool{}
	var released []*IPAddress
	has := make([]bool, len(list))
	texts := map[string]bool{}
	for _, want := range list {
		texts[want.text] = true
	}
	own := map[ID][]*IPAddress{} // what each interface gives up
	for n, want := range list {
		for _, a := range b.on[want.on.ID] {
			switch {
			case want.text != "" && a.Address == want.text && !has[n]:
				has[n] = true
			case ours(a):
				free[a] = true
				released = append(released, a)
				own[want.on.ID] = append(own[want.on.ID], a)
			}
		}
	}
	for n, want := range list {
		if has[n] || want.text == "" {
			continue
		}
		vrf, ok := inVRF()
		if !ok {
			return
		}
		prefix := netip.MustParsePrefix(want.text)
		var use *IPAddress
		for _, a := range b.by[vrfAddress{vrf, prefix.Addr()}] {
			if o := l.ofGot[a.Object]; a.Type == "dcim.interface" && o != nil && l.pruned[o.Key()] && !free[a] {
				continue // it goes with its connection
			}
			if !free[a] && a.Type != "" {
				l.taken(want, a, vrf)
				return
			}
			if use == nil || free[a] && !free[use] {
				use = a
			}
		}
		if use == nil {
			// The address that stood here becomes the wanted one, unless another
			// interface is to have it.
			for _, a := range own[want.on.ID] {
				if free[a] && a.VRF == vrf && !texts[a.Address] {
					use = a
					break
				}
			}
		}
		if use == nil {
			use = w.ipAddresses.add(IPAddress{VRF: vrf, Status: "active"})
		} else {
			b.leave(use)
		}
		delete(free, use)
		use.Address, use.Type, use.Object = want.text, "dcim.interface", want.on.ID
		b.enter(use)
	}
	for _, a := range released {
		if !free[a] {
			continue
		}
		b.leave(a)
		w.ipAddresses.remove(a.ID)
		if i := w.interfaces.get(a.Object); i != nil {
			if d := w.devices.get(i.Device); d != nil {
				if d.PrimaryIP4 == a.ID {
					d.PrimaryIP4 = 0
				}
				if d.OOBIP == a.ID {
					d.OOBIP = 0
				}
			}
		}
	}
}

// taken reports an address that something else has.
func (l *linker) taken(want linkAddress, a *IPAddress, vrf ID) {
	by := fmt.Sprintf("%s %d", a.Type, a.Object)
	if i := l.w.interfaces.get(a.Object); i != nil && a.Type == "dcim.interface" {
		by = "interface " + i.Name + " of " + l.deviceName(i)
	}
	table := "the global table"
	if v := l.w.vrfs.get(vrf); v != nil {
		table = "VRF " + v.Name
	}
	l.w.fail("import-address-taken", want.of, a, "assigned_object",
		fmt.Sprintf("%s gives %s to port %s of %s, and in %s it is assigned to %s", want.of.Key(), want.text, want.on.Name, l.deviceName(want.on), table, by),
		"take the address off the one that does not have it, or give the fabric an `underlayVRF` of its own")
}

func idsOf[V any](in map[ID]V) []ID {
	ids := make([]ID, 0, len(in))
	for id := range in {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// statics writes static externals of the older kind: the address and the VPC of the port
// or of a sub-interface, and the rest in a field.
func (l *linker) statics() {
	w := l.w
	var list []*wantedLink
	within := false
	for _, c := range l.wanted {
		if c.kind == typeStatic {
			list = append(list, c)
			within = within || c.object.Spec.(*hedgehog.ConnectionSpec).StaticExternal.WithinVPC != ""
		}
	}
	l.leaveStatics()
	if len(list) == 0 {
		return
	}
	if within {
		w.read()
	}
	vpcs := map[string]ID{}
	for id, v := range w.seen.vpcs {
		vpcs[v.name] = id
	}
	children := map[ID][]*Interface{}
	for _, i := range w.interfaces.sorted() {
		if i.Parent != 0 && i.ChannelID == 0 {
			children[i.Parent] = append(children[i.Parent], i)
		}
	}
	for _, c := range list {
		spec := c.object.Spec.(*hedgehog.ConnectionSpec).StaticExternal
		l.static(c, spec, children[c.port.ID], vpcs[spec.WithinVPC])
	}
}

// leaveStatics takes what made a port a static external off ports that are none any more.
func (l *linker) leaveStatics() {
	clean := map[ID]*wantedLink{}
	for id, c := range l.gone {
		clean[id] = c
	}
	for _, c := range l.wanted {
		if c.kind != typeStatic {
			for _, i := range c.ports() {
				clean[i.ID] = c
			}
		}
	}
	if len(clean) == 0 {
		return
	}
	for _, i := range l.w.interfaces.sorted() {
		c := clean[i.ID]
		if c == nil && i.ChannelID == 0 {
			c = clean[i.Parent]
		}
		if c == nil || i.Fields.value("static_external") == nil {
			continue
		}
		i.Fields.set("static_external", nil)
		i.VRF = 0
		l.assign([]linkAddress{{on: i, of: c.object}}, nil, func(*IPAddress) bool { return true })
		if i.Parent != 0 && i.ChannelID == 0 {
			l.w.interfaces.remove(i.ID)
		}
	}
}

func (l *linker) static(c *wantedLink, spec *hedgehog.StaticExternal, subs []*Interface, vpc ID) {
	w, end := l.w, spec.Link.Switch
	if l.book.on == nil {
		l.book = w.addressBook()
	}
	fields := map[string]any{}
	if end.NextHop != "" {
		fields["nextHop"] = end.NextHop
	}
	if len(end.Subnets) > 0 {
		var list []any
		for _, s := range end.Subnets {
			list = append(list, s)
		}
		fields["subnets"] = list
	}
	on := c.port
	if end.VLAN > 0 {
		tail := "." + strconv.Itoa(int(end.VLAN))
		on = nil
		for _, i := range subs {
			if i.Fields.value("static_external") != nil || on == nil && strings.HasSuffix(i.Name, tail) {
				on = i
			}
		}
		if on == nil {
			if other := w.nodeBook().named[c.port.Device][c.port.Name+tail]; other != nil {
				w.fail("import-interface-other", c.object, other, "parent",
					fmt.Sprintf("%s needs a sub-interface of port %s with VLAN %d, and the interface that is called so is none", c.object.Key(), c.port.Name, end.VLAN),
					"make it a sub-interface of the port, or rename it")
				return
			}
			on = w.interfaces.add(Interface{Device: c.port.Device, Name: c.port.Name + tail, Type: "virtual", Enabled: true, Parent: c.port.ID})
			w.nodeBook().enter(on)
		} else if !l.carries(on, end.VLAN) {
			on.Name, on.Mode, on.UntaggedVLAN, on.TaggedVLANs = c.port.Name+tail, "", 0, nil
			w.nodeBook().enter(on)
		}
	}
	// The mapping looks at a port without a cable only when the port says what it is.
	says := on
	if on.Fields.value("static_external") == nil || l.at[portRef{"dcim.interface", l.end(c.port)}] == nil {
		says = c.port
	}
	for _, i := range append([]*Interface{c.port}, subs...) {
		if i != says && i.Fields.value("static_external") != nil {
			i.Fields.set("static_external", nil)
		}
	}
	_, ok := assignable(end.IP)
	if on != c.port && len(l.book.on[c.port.ID]) == 1 {
		ok = false // the port's own address would be read for it
	}
	text := end.IP
	if !ok {
		text = ""
		if end.IP != "" {
			fields["ip"] = end.IP
		}
		if end.VLAN > 0 {
			fields["vlan"] = int(end.VLAN)
		}
	}
	l.assign([]linkAddress{{on, text, c.object}}, func() (ID, bool) {
		if vpc != 0 {
			return vpc, true
		}
		return w.underlayVRF()
	}, func(*IPAddress) bool { return true })
	switch {
	case spec.WithinVPC != "" && vpc == 0:
		fields["withinVPC"] = spec.WithinVPC
	case on.VRF != vpc:
		on.VRF = vpc
	}
	if have := says.Fields.value("static_external"); have == nil || !equalJSON(have, fields) {
		says.Fields.set("static_external", fields)
	}
}

// carries reports whether a sub-interface says that it has the VLAN, and no other.
func (l *linker) carries(i *Interface, vlan uint16) bool {
	tail := strings.HasSuffix(i.Name, "."+strconv.Itoa(int(vlan)))
	if v := l.w.vlans.get(i.UntaggedVLAN); v != nil {
		return v.VID == vlan && (tail || !strings.Contains(i.Name, "."))
	}
	if len(i.TaggedVLANs) == 1 {
		v := l.w.vlans.get(i.TaggedVLANs[0])
		return v != nil && v.VID == vlan && (tail || !strings.Contains(i.Name, "."))
	}
	return tail && len(i.TaggedVLANs) == 0
}

// pin writes the names of connections that the mapping would call otherwise, or that
// several would share.
func (l *linker) pin() {
	for _, c := range l.wanted {
		name := ""
		if base := c.base(); base != c.object.Name || l.names[base] > 1 {
			name = c.object.Name
		}
		switch {
		case c.port != nil:
			l.pinOn(name, []*Fields{&c.port.Fields}, l.cablesFrom(c.port))
		case c.toServer():
			// The LAG of the server, else of the leaf, else the cable or the channel.
			var at, others []*Fields
			for _, i := range append(c.lags(), c.ports()...) {
				others = append(others, &i.Fields)
			}
			switch p := c.wires[0]; {
			case len(c.lags()) > 0:
				at, others = others[:1], others[1:]
			case p.channel() != nil:
				at = []*Fields{&p.channel().Fields}
			default:
				at = []*Fields{&p.cables[0].Fields}
			}
			for _, p := range c.wires {
				for _, cable := range p.cables {
					others = append(others, &cable.Fields)
				}
			}
			l.pinOn(name, at, others)
		default:
			// Cables with one name are one connection.
			for _, p := range c.wires {
				at, others := []*Fields{}, []*Fields{&p.near.on.Fields, &p.far.on.Fields}
				for _, cable := range p.cables {
					at = append(at, &cable.Fields)
				}
				if i := p.channel(); i != nil {
					at, others = []*Fields{&i.Fields}, append(others, at...)
				}
				l.pinOn(name, at[:1], append(others, at[1:]...))
			}
		}
	}
}

// pinOn makes records say a name, or none: the first unless another says it already.
func (l *linker) pinOn(name string, at, others []*Fields) {
	said := false
	for _, f := range append(slices.Clone(at), others...) {
		if have := f.text("name"); have == name && name != "" {
			said = true
		} else if have != "" {
			f.set("name", nil)
		}
	}
	if !said && name != "" {
		at[0].set("name", name)
	}
}

// connectionNames pins the names of connections that are still called otherwise, now
// that all are read again.
func (w *writer) connectionNames() {
	var unnamed []*hedgehog.Object
	for o := range hedgehog.Each[*hedgehog.ConnectionSpec](w.want) {
		s, ok := shapeOf(o)
		if !ok || !w.differs(o) {
			continue
		}
		if got := w.got.Get(o.Kind, o.Name); got != nil {
			if g, ok := shapeOf(got); ok && g.key() == s.key() {
				continue
			}
		}
		unnamed = append(unnamed, o)
	}
	if len(unnamed) == 0 {
		return
	}
	byKey := map[string]*hedgehog.Object{}
	for o := range hedgehog.Each[*hedgehog.ConnectionSpec](w.got) {
		if s, ok := shapeOf(o); ok {
			byKey[s.key()] = o
		}
	}
	for _, o := range unnamed {
		s, _ := shapeOf(o)
		got := byKey[s.key()]
		if got == nil {
			continue
		}
		anchor := got.Origin().Path
		for n, at := range got.Origins {
			area, id := splitPath(at.Path)
			var f *Fields
			if i := w.interfaces.get(id); area == "/dcim/interfaces/" && i != nil {
				f = &i.Fields
			} else if c := w.cables.get(id); area == "/dcim/cables/" && c != nil {
				f = &c.Fields
			}
			switch {
			case f == nil:
			case n == 0, area == "/dcim/cables/" && !s.toServer() && s.port == "" && strings.HasPrefix(anchor, area):
				f.set("name", o.Name)
			case f.text("name") != "":
				f.set("name", nil)
			}
		}
	}
}
