package review

import (
	"slices"

	"hedgehog-gitops/render/hedgehog"
)

// ruleReplaced is the rule of connections whose ports something else gets.
const ruleReplaced = "connection replaced"

// judgeConnections says what becomes of whoever hangs on the connections whose
// links go or change.
func (d *differ) judgeConnections() {
	for _, dr := range d.drafts {
		if dr.Key.Kind != hedgehog.KindConnection || dr.Before == nil || d.renamedTo[dr.Key] != "" {
			continue
		}
		lost := d.lostLinks(dr.Key.Name)
		if dr.Class == Replace && connectionType(dr.Before) != connectionType(dr.After) {
			lost = d.before.links[dr.Key.Name] // all of them go with the old type
		}
		if dr.Class == Delete {
			d.deletedConnection(dr, lost)
		} else if len(lost) > 0 {
			d.changedLinks(dr, lost)
		}
	}
}

// lostLinks returns the links that a connection had and no longer has.
func (d *differ) lostLinks(connection string) []link {
	kept := map[link]bool{}
	for _, l := range d.after.links[connection] {
		kept[l] = true
	}
	var lost []link
	for _, l := range d.before.links[connection] {
		if !kept[l] {
			lost = append(lost, l)
		}
	}
	return lost
}

func (d *differ) deletedConnection(dr *draft, lost []link) {
	if servers := d.before.servers(dr.Key.Name); len(servers) > 0 && !slices.ContainsFunc(servers, func(s string) bool { return d.stays(hedgehog.KindServer, s) }) {
		d.because(dr.Key, Reason{Rule: "goes with server", Risk: Low, Says: say("goes with server ", name(servers[0]))})
		return
	}
	risk, effects, weight := d.withoutLinks(dr.Key.Name, lost)
	if by := d.successors[dr.Key.Name]; len(by) > 0 {
		says := say("replaces ", object(dr.Key), " by ", names(sortedSet(slices.Clone(by)), 3), ": the link goes down")
		d.because(dr.Key, Reason{
			Rule: ruleReplaced, Risk: High, weight: weight, hazard: true,
			Says: with(says, "; ", effects), many: "connections are replaced by others, and their links go down",
		})
		return
	}
	d.because(dr.Key, Reason{
		Rule: "connection deleted", Risk: risk, weight: weight, hazard: true,
		Says: with(say("deletes ", object(dr.Key)), ": ", effects), many: "connections are deleted",
	})
}

// with joins sentences to a first one.
func with(first Words, separator string, rest []Words) Words {
	if len(rest) == 0 {
		return first
	}
	return say(first, separator, and(rest, ", "))
}

func (d *differ) changedLinks(dr *draft, lost []link) {
	risk, effects, weight := d.withoutLinks(dr.Key.Name, lost)
	if dr.Class != Replace {
		says := say("takes ", linkWords(lost[0]), " out of ", object(dr.Key))
		if len(lost) > 1 {
			says = say("takes "+count(len(lost), "link")+" out of ", object(dr.Key))
		}
		d.because(dr.Key, Reason{
			Rule: "link removed", Risk: risk, weight: weight, hazard: true,
			Says: with(says, ": ", effects), many: "connections lose a link",
		})
		return
	}
	says := say("replaces ", object(dr.Key))
	if was, is := connectionType(dr.Before), connectionType(dr.After); was != is {
		says = say(says, " ("+was+" -> "+is+")")
	}
	if moves := d.moves(dr.Key.Name, lost); len(moves) > 0 {
		says = say(says, ": ", and(moves[:min(3, len(moves))], ", "))
		if len(moves) > 3 {
			says = say(says, ", and more")
		}
	}
	d.because(dr.Key, Reason{
		Rule: ruleReplaced, Risk: High, weight: weight, hazard: true,
		Says: with(say(says, ": the link goes down"), "; ", effects), many: "connections are replaced, and their links go down",
	})
}

// connectionType returns the name of the type: unbundled, eslag ...
func connectionType(o *hedgehog.Object) string {
	spec, ok := o.Spec.(*hedgehog.ConnectionSpec)
	if !ok {
		return "unknown"
	}
	return spec.Type()
}

// linkWords returns "link server-07/eth1 -- leaf-02/E1/3".
func linkWords(l link) Words {
	if l.near == "" {
		return say("port ", name(l.far))
	}
	return say("link ", name(l.near), " -- ", name(l.far))
}

// moves says where the lost links of a connection are now: one of their ends
// stayed.
func (d *differ) moves(connection string, lost []link) []Words {
	byNear, byFar := map[hedgehog.Port]link{}, map[hedgehog.Port]link{}
	for _, l := range d.after.links[connection] {
		byNear[l.near], byFar[l.far] = l, l
	}
	var moves []Words
	for _, l := range lost {
		if now, ok := byNear[l.near]; ok && now == l {
			continue
		} else if ok {
			if l.near == "" {
				moves = append(moves, say("port moves ", name(l.far), " -> ", name(now.far)))
			} else {
				moves = append(moves, say(name(l.near), " moves ", name(l.far), " -> ", name(now.far)))
			}
		} else if now, ok := byFar[l.far]; ok {
			moves = append(moves, say(name(l.far), " gets ", name(now.near), " in place of ", name(l.near)))
		}
	}
	return moves
}

// stays reports whether an object of before is still there, perhaps under another
// name.
func (d *differ) stays(kind hedgehog.Kind, name string) bool {
	return d.after.has(kind, d.nowCalled(kind, name))
}

// withoutLinks says what becomes of the devices at the lost links of a connection,
// and how many of them there are.
func (d *differ) withoutLinks(connection string, lost []link) (risk Level, effects []Words, weight int) {
	told := map[string]bool{}
	tell := func(device string, of func(string) (Level, Words)) {
		if device == "" || told[device] || len(told) >= mostServers {
			return
		}
		told[device] = true
		level, words := of(device)
		if words != nil {
			effects = append(effects, words)
			weight++
		}
		risk = max(risk, level)
	}
	o := d.before.fabric.Get(hedgehog.KindConnection, connection)
	spec, _ := o.Spec.(*hedgehog.ConnectionSpec)
	for _, l := range lost {
		switch {
		case spec == nil:
		case d.before.isServerConnection(connection):
			tell(l.near.Device(), func(s string) (Level, Words) { return d.serverLegs(s, connection) })
		case spec.Fabric != nil:
			tell(l.far.Device(), d.leafUplinks)
		case spec.Mesh != nil:
			tell(l.near.Device(), d.leafUplinks)
			tell(l.far.Device(), d.leafUplinks)
		case spec.Gateway != nil:
			tell(l.far.Device(), d.gatewayLinks)
		case spec.External != nil:
			for _, a := range d.before.exits[connection] {
				if at, ok := a.Spec.(*hedgehog.ExternalAttachmentSpec); ok {
					tell(at.External, func(e string) (Level, Words) { return d.waysOut(e, connection) })
				}
			}
		case spec.StaticExternal != nil:
			se := spec.StaticExternal
			risk = High
			effects = append(effects, say("the way to ", names(se.Link.Switch.Subnets, 3), " outside goes down"))
		default:
			risk = Medium
		}
	}
	return max(risk, Medium), effects, weight
}

// serverLegs says what links a server keeps of those that it had.
func (d *differ) serverLegs(server, connection string) (Level, Words) {
	if !d.stays(hedgehog.KindServer, server) && d.before.has(hedgehog.KindServer, server) {
		return Low, nil
	}
	now := d.nowCalled(hedgehog.KindServer, server)
	before, after := d.before.server(server), d.after.server(now)
	was, is := before.links, after.links
	s := say("server ", name(server))
	switch {
	case len(is) == 0 && len(before.nets) == 0:
		return Medium, say(s, " loses its last link")
	case len(is) == 0:
		return High, say(s, " loses its last link and has no network left")
	case len(is) == 1 && len(was) > 1:
		return High, say(s, " keeps one leg only (", name(is[0].far), ")")
	}
	for _, a := range d.before.attached[connection] {
		if net := a.net(); before.nets[net] > 1 && after.nets[d.netNow(net)] == 1 {
			return High, say(s, " keeps one leg only in ", name(net))
		}
	}
	mine := func(l link) bool { return l.near.Device() == server || l.near.Device() == now }
	kept := filter(d.after.links[connection], mine)
	had := filter(d.before.links[connection], mine)
	switch {
	case len(kept) == 1 && len(had) > 1:
		return High, say(s, " keeps one leg only in this connection (", name(kept[0].far), ")")
	case after.switches == 1 && before.switches > 1:
		return High, say(s, " hangs on ", name(is[0].far.Device()), " alone")
	case len(kept) > 0 && len(farDevices(kept)) == 1 && len(farDevices(had)) > 1:
		return High, say(s, " hangs on ", name(kept[0].far.Device()), " alone in this connection")
	case len(is) < len(was):
		return Medium, say(s, " keeps "+number(len(is))+" of "+number(len(was))+" links")
	}
	return Medium, nil
}

func filter(links []link, keep func(link) bool) []link {
	var kept []link
	for _, l := range links {
		if keep(l) {
			kept = append(kept, l)
		}
	}
	return kept
}

func farDevices(links []link) map[string]bool {
	devices := map[string]bool{}
	for _, l := range links {
		devices[l.far.Device()] = true
	}
	return devices
}

// netNow returns what vpc/subnet is called after.
func (d *differ) netNow(net string) string {
	f := flattener{renamed: d.nowCalled}
	return f.newName(hedgehog.KindVPC, net)
}

// verdict is what becomes of a device.
type verdict struct {
	risk Level
	says Words
}

// leafUplinks says what links into the fabric a switch keeps.
func (d *differ) leafUplinks(device string) (Level, Words) {
	v := remember(d.uplinks, device, func() verdict {
		risk, says := d.countUplinks(device)
		return verdict{risk, says}
	})
	return v.risk, v.says
}

func (d *differ) countUplinks(device string) (Level, Words) {
	if !d.stays(hedgehog.KindSwitch, device) {
		return Low, nil
	}
	now := d.nowCalled(hedgehog.KindSwitch, device)
	was, is := d.before.uplinks(device), d.after.uplinks(now)
	peers := func(links []link, of string) map[string]bool {
		found := map[string]bool{}
		for _, l := range links {
			found[l.peer(of)] = true
		}
		return found
	}
	s := say("switch ", name(device))
	switch {
	case len(is) == 0:
		return High, say(s, " loses its last link to the fabric")
	case len(is) == 1 && len(was) > 1:
		return High, say(s, " keeps one uplink only (", name(is[0].peer(now)), ")")
	case len(peers(is, now)) == 1 && len(peers(was, device)) > 1:
		return High, say(s, " hangs on ", name(is[0].peer(now)), " alone")
	case len(is) < len(was):
		return Medium, say(s, " keeps "+number(len(is))+" of "+number(len(was))+" uplinks")
	}
	return Medium, nil
}

// gatewayLinks says what links a gateway keeps.
func (d *differ) gatewayLinks(device string) (Level, Words) {
	if !d.stays(hedgehog.KindGateway, device) {
		return Low, nil
	}
	was, is := len(d.before.devices[device]), len(d.after.devices[d.nowCalled(hedgehog.KindGateway, device)])
	return remaining(say("gateway ", name(device)), was, is, "link", "links")
}

// waysOut says what ways out to an external are left when a connection goes.
func (d *differ) waysOut(external, connection string) (Level, Words) {
	if !d.stays(hedgehog.KindExternal, external) {
		return Low, nil
	}
	now := d.nowCalled(hedgehog.KindExternal, external)
	left := remember(d.waysAfter, now, func() int {
		n := 0
		for _, o := range d.after.ways[now] {
			if d.after.has(hedgehog.KindConnection, o.Spec.(*hedgehog.ExternalAttachmentSpec).Connection) {
				n++
			}
		}
		return n
	})
	if d.after.has(hedgehog.KindConnection, connection) {
		for _, o := range d.after.exits[connection] {
			if o.Spec.(*hedgehog.ExternalAttachmentSpec).External == now {
				left--
			}
		}
	}
	return waysLeft(external, len(d.before.ways[external]), left)
}

// waysLeft says how many ways out to an external are left.
func waysLeft(external string, was, is int) (Level, Words) {
	return remaining(say("external ", name(external)), was, is, "way out", "ways out")
}

// remaining says how many are left of what something had.
func remaining(of Words, was, is int, one, many string) (Level, Words) {
	switch {
	case is == 0:
		return High, say(of, " loses its last "+one)
	case is == 1 && was > 1:
		return High, say(of, " keeps one "+one+" only")
	case is < was:
		return Medium, say(of, " keeps "+number(is)+" of "+number(was)+" "+many)
	}
	return Medium, nil
}
