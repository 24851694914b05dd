package netbox

import (
	"fmt"
	"slices"
	"strings"

	"hedgehog-gitops/render/hedgehog"
)

// cabling is the cables of the draft and the paths over them.
type cabling struct {
	w *writer
	// x follows paths as the draft had them before any cable was changed, whatever the
	// status of the cables is: what is planned occupies its ports too.
	x *Index
	// at and of are the terminations of the draft, by port and by cable.
	at map[portRef]*CableTermination
	of map[ID][]*CableTermination
	// stale are paths that no wanted connection has any more.
	stale []*stalePath
	// breakouts are the cables of ports with channels, by the port.
	breakouts map[ID]*breakout
}

// stalePath is a link that NetBox has and the connection of its name is not to have, or
// whose connection is to be pruned.
type stalePath struct {
	a, b   *Interface
	of     hedgehog.Key
	pruned bool // it goes when its ports are needed
	used   bool // one of its ends is moved
}

// breakout is the cable of a port with channels.
type breakout struct {
	port  *Interface
	old   *Cable
	lanes map[int]portRef // far ends by channel
	of    map[int]*wire   // what is new
	dirty bool
}

func newCabling(w *writer) *cabling {
	s := w.snapshot(w.change)
	for i := range s.Rows.Cables {
		s.Rows.Cables[i].Status = "connected"
	}
	c := &cabling{w: w, x: NewIndex(s), at: map[portRef]*CableTermination{}, of: map[ID][]*CableTermination{}, breakouts: map[ID]*breakout{}}
	for _, t := range w.cableTerminations.sorted() {
		c.at[portRef{t.Type, t.Port}] = t
		c.of[t.Cable] = append(c.of[t.Cable], t)
	}
	return c
}

// parent is the port that an interface is a channel of, or nil.
func (c *cabling) parent(i *Interface) *Interface {
	if i.ChannelID > 0 {
		if p := c.w.interfaces.get(i.Parent); p != nil && p.Channels > 0 {
			return p
		}
	}
	return nil
}

// end is the id of the interface that the cable of a port ends at.
func (c *cabling) end(i *Interface) ID {
	if p := c.parent(i); p != nil {
		return p.ID
	}
	return i.ID
}

// follow walks from a port of the draft to the far end.
func (c *cabling) follow(i *Interface) (*farEnd, *trouble) {
	near := c.x.interfaces[i.ID]
	if near == nil {
		return nil, nil
	}
	return c.x.follow(near)
}

// cablesFrom are the fields of the cables behind a port.
func (c *cabling) cablesFrom(i *Interface) []*Fields {
	far, _ := c.follow(i)
	if far == nil {
		return nil
	}
	var all []*Fields
	for _, cable := range far.cables {
		if row := c.w.cables.get(cable.ID); row != nil {
			all = append(all, &row.Fields)
		}
	}
	return all
}

func (c *cabling) deviceName(i *Interface) string {
	if d := c.w.devices.get(i.Device); d != nil {
		return d.Name
	}
	return fmt.Sprintf("device %d", i.Device)
}

// whereTo says in words where the cable of a port leads.
func (c *cabling) whereTo(i *Interface) string {
	far, _ := c.follow(i)
	switch {
	case far != nil && far.port != nil:
		return "port " + far.port.Name + " of " + c.deviceName(far.port)
	case far != nil && far.circuit != nil:
		if circuit := c.x.circuits[far.circuit.Circuit]; circuit != nil {
			return "circuit " + circuit.CID
		}
		return "a circuit"
	}
	// The path ends on the way: say what the cable itself leads to.
	near := c.at[portRef{"dcim.interface", c.end(i)}]
	if near == nil {
		return "nothing"
	}
	for _, t := range c.of[near.Cable] {
		if t.End == near.End {
			continue
		}
		if f := c.w.frontPorts.get(t.Port); t.Type == "dcim.frontport" && f != nil {
			return fmt.Sprintf("panel port %s, and no further", f.Name)
		}
		if r := c.w.rearPorts.get(t.Port); t.Type == "dcim.rearport" && r != nil {
			return fmt.Sprintf("panel port %s, and no further", r.Name)
		}
		if j := c.w.interfaces.get(t.Port); t.Type == "dcim.interface" && j != nil {
			return "port " + j.Name + " of " + c.deviceName(j)
		}
		return fmt.Sprintf("%s %d", t.Type, t.Port)
	}
	return "nothing at its other end"
}

// remove takes a cable out of the draft.
func (c *cabling) remove(cable *Cable) {
	for _, t := range c.of[cable.ID] {
		delete(c.at, portRef{t.Type, t.Port})
		c.w.cableTerminations.remove(t.ID)
	}
	delete(c.of, cable.ID)
	c.w.cables.remove(cable.ID)
}

// join adds a cable between ports; terminations are given without their cable.
func (c *cabling) join(like *Cable, profile string, ends ...CableTermination) *Cable {
	row := Cable{Status: "connected", Profile: profile}
	if like != nil {
		row.Label, row.Fields = like.Label, like.Fields
	}
	cable := c.w.cables.add(row)
	for _, t := range ends {
		t.ID, t.Cable = 0, cable.ID
		added := c.w.cableTerminations.add(t)
		c.at[portRef{t.Type, t.Port}] = added
		c.of[cable.ID] = append(c.of[cable.ID], added)
	}
	return cable
}

// wire makes the cables of the wanted connections. Paths that lead where they should
// stay, whatever panels they cross; a link that moved is moved with what stays of its
// path; a port that is cabled elsewhere is an issue.
func (l *linker) wire() {
	var missing []*wire
	by := map[*wire]*wantedLink{}
	for _, c := range l.wanted {
		for _, p := range c.wires {
			by[p] = c
			if !l.adopt(c, p) {
				p.fresh = true
				missing = append(missing, p)
			}
		}
	}
	moved := l.move(missing, by)
	l.clear(missing)
	l.outside()
	for _, p := range missing {
		c := by[p]
		if i := p.channel(); i != nil {
			l.lane(c, p, i)
			continue
		}
		if m := moved[p]; m != nil {
			to := p.far
			if m.backwards {
				to = p.near
			}
			if l.occupied(c, to) {
				continue
			}
			l.plug(m, to)
			p.cables = append(m.keep, m.cable)
			if m.backwards {
				slices.Reverse(p.cables)
			}
			continue
		}
		if l.occupied(c, p.near) || l.occupied(c, p.far) {
			continue
		}
		p.cables = []*Cable{l.join(nil, "",
			CableTermination{End: "A", Type: "dcim.interface", Port: p.near.on.ID},
			CableTermination{End: "B", Type: "dcim.interface", Port: p.far.on.ID})}
	}
	if l.w.failed() {
		return
	}
	l.relay(missing, moved)
	l.layBreakouts()
	for _, c := range l.wanted {
		for _, p := range c.wires {
			l.sayKind(c, p)
		}
	}
}

// adopt takes the path that NetBox has between the two ports.
func (l *linker) adopt(c *wantedLink, p *wire) bool {
	if l.at[portRef{"dcim.interface", l.end(p.near.on)}] == nil {
		return false
	}
	far, bad := l.follow(p.near.on)
	if bad != nil {
		l.w.fail("import-cable-path", c.object, bad.at, bad.field,
			fmt.Sprintf("%s needs a link at port %s, whose path cannot be followed: %s", c.object.Key(), p.near.port, bad.summary), bad.hint)
		return true
	}
	if far == nil || far.port == nil || far.port.ID != p.far.on.ID {
		return false
	}
	if i := p.channel(); i != nil && far.cables[0].Profile == "" && far.cables[len(far.cables)-1].Profile == "" {
		return false // it is the cable of the port before it was split
	}
	for _, cable := range far.cables {
		row := l.w.cables.get(cable.ID)
		if row.Status != "connected" {
			row.Status = "connected"
		}
		p.cables = append(p.cables, row)
	}
	return true
}

// moving is how a link moves: the cable at the end that changes is plugged in
// elsewhere, with all that people say of it.
type moving struct {
	cable     *Cable
	end       *CableTermination
	from      ID       // the interface that the end leaves
	keep      []*Cable // what stays of the path, from the end that stays
	backwards bool     // the end that stays is the far one
}

// move finds links that keep one of their ports, and takes the cable off the other:
// first the connection's own cable, then one that another connection leaves.
func (l *linker) move(missing []*wire, by map[*wire]*wantedLink) map[*wire]*moving {
	moved := map[*wire]*moving{}
	l.moveCables(missing, moved, func(p *wire, s *stalePath) bool { return s.of == by[p].object.Key() })
	l.moveCables(missing, moved, func(*wire, *stalePath) bool { return true })
	return moved
}

// moveCables finds the cables to move among those that suit.
func (l *linker) moveCables(missing []*wire, moved map[*wire]*moving, suits func(*wire, *stalePath) bool) {
	stale := map[ID]*stalePath{}
	for _, s := range l.stale {
		stale[s.a.ID], stale[s.b.ID] = s, s
	}
	for _, p := range missing {
		if p.channel() != nil || moved[p] != nil {
			continue
		}
		for n, stays := range []tip{p.near, p.far} {
			s := stale[stays.on.ID]
			if s == nil || s.used || s.pruned || s.of.Name == "" || !suits(p, s) {
				continue
			}
			from := s.a
			if s.a == stays.on {
				from = s.b
			}
			far, bad := l.follow(stays.on)
			if bad != nil || far == nil || far.port == nil || far.port.ID != from.ID || l.parent(from) != nil || l.parent(stays.on) != nil {
				continue
			}
			last := l.w.cables.get(far.cables[len(far.cables)-1].ID)
			if last == nil || len(l.of[last.ID]) != 2 {
				continue
			}
			m := &moving{cable: last, backwards: n == 1}
			for _, t := range l.of[last.ID] {
				if t.Type == "dcim.interface" && t.Port == from.ID {
					m.end, m.from = t, from.ID
				}
			}
			if m.end == nil {
				continue
			}
			for _, cable := range far.cables[:len(far.cables)-1] {
				m.keep = append(m.keep, l.w.cables.get(cable.ID))
			}
			s.used, moved[p] = true, m
			l.unplug(m)
			break
		}
	}
}

// unplug takes the end of a cable that moves off its port, plug puts it into another.
func (l *linker) unplug(m *moving) { delete(l.at, portRef{m.end.Type, m.end.Port}) }

func (l *linker) plug(m *moving, to tip) {
	m.end.Port = to.on.ID
	l.at[portRef{m.end.Type, m.end.Port}] = m.end
}

// relay lays one cable anew of those that take each other's ports in a ring: NetBox
// has no order in which to move them all.
func (l *linker) relay(missing []*wire, moved map[*wire]*moving) {
	left := map[portRef]*moving{} // who was in a port before
	for _, m := range moved {
		left[portRef{m.end.Type, m.from}] = m
	}
	done := map[*moving]bool{}
	for _, p := range missing {
		seen := map[*moving]bool{}
		m := moved[p]
		for m != nil && !seen[m] && !done[m] {
			seen[m] = true
			m = left[portRef{m.end.Type, m.end.Port}]
		}
		for walked := range seen {
			done[walked] = true
		}
		if m == nil || !seen[m] {
			continue
		}
		for _, of := range missing {
			if moved[of] != m {
				continue
			}
			var ends []CableTermination
			for _, t := range l.of[m.cable.ID] {
				ends = append(ends, *t)
			}
			l.remove(m.cable)
			of.cables[slices.Index(of.cables, m.cable)] = l.join(m.cable, m.cable.Profile, ends...)
		}
	}
}

// clear removes the cables at the ends of what is stale; of connections that are to be
// pruned only those that are in the way.
func (l *linker) clear(missing []*wire) {
	needed := map[ID]bool{}
	for _, p := range missing {
		needed[p.near.on.ID], needed[p.far.on.ID] = true, true
	}
	for _, c := range l.wanted {
		if c.port != nil {
			needed[c.port.ID] = true
		}
	}
	for _, s := range l.stale {
		if s.used || s.pruned && !needed[s.a.ID] && !needed[s.b.ID] {
			continue
		}
		for _, i := range []*Interface{s.a, s.b} {
			if p := l.parent(i); p != nil {
				b := l.breakoutOf(p)
				if _, there := b.lanes[i.ChannelID]; there {
					delete(b.lanes, i.ChannelID)
					b.dirty = true
				}
				continue
			}
			if t := l.at[portRef{"dcim.interface", i.ID}]; t != nil && !l.shared(t) {
				l.remove(l.w.cables.get(t.Cable))
			}
		}
	}
}

// shared reports whether a cable joins more than two ports: then it is the cable of a
// port with channels, and changed there.
func (l *linker) shared(t *CableTermination) bool { return len(l.of[t.Cable]) > 2 }

// outside reports ports of externals that lead to a device of the fabric.
func (l *linker) outside() {
	for _, c := range l.wanted {
		if c.port == nil || l.at[portRef{"dcim.interface", l.end(c.port)}] == nil || c.kind == typeStatic {
			continue
		}
		far, _ := l.follow(c.port)
		if far == nil || far.port == nil {
			continue
		}
		id := far.port.Device
		if l.w.seen.switches[id] != nil || l.w.seen.servers[id] != nil || l.w.seen.gateways[id] != nil {
			l.elsewhere(c, tip{port: c.shape.port, on: c.port})
		}
	}
}

// occupied reports a port that is cabled already.
func (l *linker) occupied(c *wantedLink, end tip) bool {
	if l.at[portRef{"dcim.interface", l.end(end.on)}] == nil {
		return false
	}
	l.elsewhere(c, end)
	return true
}

// elsewhere reports a port whose cable leads somewhere else than is wanted.
func (l *linker) elsewhere(c *wantedLink, end tip) {
	t := l.at[portRef{"dcim.interface", l.end(end.on)}]
	cable := l.w.cables.get(t.Cable)
	label := ""
	if cable.Label != "" {
		label = " " + cable.Label
	}
	where := "leads out of the fabric"
	for _, p := range c.wires {
		if p.near.on == end.on {
			where = "leads to " + string(p.far.port)
		} else if p.far.on == end.on {
			where = "leads to " + string(p.near.port)
		}
	}
	hint := "correct the cable in NetBox, or the port in the manifest"
	if got := l.ofGot[end.on.ID]; got != nil && l.w.want.Get(got.Kind, got.Name) == nil {
		hint = fmt.Sprintf("NetBox has it as %s, which is not among the manifests: correct the cable, add the manifest, or import with --prune", got.Key())
	}
	l.w.fail("import-cabled-elsewhere", c.object, cable, "terminations",
		fmt.Sprintf("port %s of %s %s, and in NetBox cable%s leads from it to %s", end.port, c.object.Key(), where, label, l.whereTo(end.on)), hint)
}

// breakoutOf returns the cable of a port with channels as it is, to be changed.
func (l *linker) breakoutOf(port *Interface) *breakout {
	if b := l.breakouts[port.ID]; b != nil {
		return b
	}
	b := &breakout{port: port, lanes: map[int]portRef{}, of: map[int]*wire{}}
	l.breakouts[port.ID] = b
	near := l.at[portRef{"dcim.interface", port.ID}]
	if near == nil {
		return b
	}
	b.old = l.w.cables.get(near.Cable)
	for _, t := range l.of[near.Cable] {
		if t.End != near.End && strings.HasPrefix(b.old.Profile, "breakout-1c") {
			b.lanes[t.Connector] = portRef{t.Type, t.Port}
		}
	}
	return b
}

// lane makes a link over a channel of a port.
func (l *linker) lane(c *wantedLink, p *wire, channel *Interface) {
	end, far := p.near, p.far
	if p.far.on == channel {
		end, far = p.far, p.near
	}
	port := l.parent(channel)
	if port == nil || l.parent(far.on) != nil {
		l.w.fail("import-cable-channels", c.object, channel, "channel_id",
			fmt.Sprintf("%s joins %s and %s, both channels of a port, and one cable cannot say which channel leads to which", c.object.Key(), p.near.port, p.far.port),
			"document the lanes of one of the ports as interfaces of their own, without a parent")
		return
	}
	b := l.breakoutOf(port)
	if b.old != nil && len(b.lanes) == 0 && !b.dirty {
		l.elsewhere(c, end) // a cable that is none of a split port
		return
	}
	if ref, there := b.lanes[channel.ChannelID]; there && ref != (portRef{"dcim.interface", far.on.ID}) {
		l.elsewhere(c, end)
		return
	}
	if t := l.at[portRef{"dcim.interface", far.on.ID}]; t != nil && (b.old == nil || t.Cable != b.old.ID) {
		l.elsewhere(c, far)
		return
	}
	b.lanes[channel.ChannelID] = portRef{"dcim.interface", far.on.ID}
	b.of[channel.ChannelID], b.dirty = p, true
}

// layBreakouts lays the cables of ports with channels that changed.
func (l *linker) layBreakouts() {
	for _, id := range idsOf(l.breakouts) {
		b := l.breakouts[id]
		if !b.dirty {
			continue
		}
		size := 0
		for _, n := range []int{8, 6, 4, 2} {
			if b.port.Channels <= n {
				size = n
			}
		}
		for n := 1; n <= len(b.lanes); n++ {
			if _, there := b.lanes[n]; !there || size == 0 {
				l.w.fail("import-breakout-gap", nil, b.port, "channels",
					fmt.Sprintf("port %s of %s has %d channels, and no cable profile of NetBox leaves out channel %d while later ones are in use", b.port.Name, l.deviceName(b.port), b.port.Channels, n),
					"document the lanes as interfaces of their own, without a parent, and "+cf("breakout")+" on the port")
				return
			}
		}
		if b.old != nil {
			l.remove(b.old)
		}
		if len(b.lanes) == 0 {
			continue
		}
		positions := make([]int, size)
		for n := range positions {
			positions[n] = n + 1
		}
		ends := []CableTermination{{End: "A", Type: "dcim.interface", Port: b.port.ID, Connector: 1, Positions: positions}}
		for n := 1; n <= len(b.lanes); n++ {
			ends = append(ends, CableTermination{End: "B", Type: b.lanes[n].kind, Port: b.lanes[n].id, Connector: n, Positions: []int{1}})
		}
		cable := l.join(b.old, fmt.Sprintf("breakout-1c%dp-%dc1p", size, size), ends...)
		for _, p := range b.of {
			p.cables = []*Cable{cable}
		}
		// Links that stay go over the new cable too.
		for _, c := range l.wanted {
			for _, p := range c.wires {
				for n, old := range p.cables {
					if old == b.old {
						p.cables[n] = cable
					}
				}
			}
		}
	}
}

// sayKind makes the cables of a link say what it is, where nothing else does.
func (l *linker) sayKind(c *wantedLink, p *wire) {
	ok := func(kind string) bool {
		return kind == p.kind || kind == "mesh" && c.kind == typeMesh
	}
	said := ""
	for _, cable := range p.cables {
		kind := cable.Fields.text("link")
		if kind == "" || kind == "auto" {
			continue
		}
		if !ok(kind) {
			cable.Fields.set("link", nil)
			continue
		}
		said = kind
	}
	if said == "" && p.kind != "" {
		p.cables[0].Fields.set("link", p.kind)
	}
}
