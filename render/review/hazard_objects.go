package review

import (
	"slices"
	"strconv"
	"strings"

	"hedgehog-gitops/render/hedgehog"
)

// judgeDeletions says what is lost with the objects that go. Connections,
// attachments and peerings are judged with what they join.
func (d *differ) judgeDeletions() {
	for _, dr := range d.drafts {
		if dr.Class != Delete || d.renamedTo[dr.Key] != "" {
			continue
		}
		r := Reason{Rule: "delete " + string(dr.Key.Kind), Risk: Medium, hazard: true, many: plural(noun(dr.Key.Kind)) + " are deleted"}
		says := say("deletes ", object(dr.Key))
		switch spec := dr.Before.Spec.(type) {
		case *hedgehog.ConnectionSpec, *hedgehog.VPCAttachmentSpec, *hedgehog.VPCPeeringSpec, *hedgehog.ExternalPeeringSpec, *hedgehog.GatewayPeeringSpec:
			continue
		case *hedgehog.VPCSpec:
			r.Risk, says = d.deletedVPC(dr, says)
			r.weight = len(d.before.serversOf(dr.Key.Name))
		case *hedgehog.ServerSpec:
			if nets := sortedKeys(d.before.nets(dr.Key.Name)); len(nets) > 0 {
				says = say(says, ": it leaves ", names(nets, 3))
			} else {
				r.Risk, says = Low, say(says, ": it is in no VPC")
			}
		case *hedgehog.SwitchSpec:
			r.weight = len(d.before.devices[dr.Key.Name])
			if r.weight > 0 {
				r.Risk, says = High, say(says, ": "+count(r.weight, "link")+does(r.weight, "ends", "end")+" there")
			} else {
				says = say(says, ": no connection ends there")
			}
		case *hedgehog.GatewaySpec:
			r.Risk, says = High, say(says, ": what goes through it stops or moves to another gateway")
		case *hedgehog.ExternalSpec:
			if vpcs := sortedSet(slices.Clone(d.before.outside[dr.Key.Name])); len(vpcs) > 0 {
				r.Risk, r.weight = High, len(vpcs)
				says = say(says, ": "+count(len(vpcs), "VPC")+does(len(vpcs), "loses its", "lose their")+" way to it (", names(vpcs, 5), ")")
			} else {
				says = say(says, ": no VPC uses it")
			}
		case *hedgehog.ExternalAttachmentSpec:
			if !d.stays(hedgehog.KindExternal, spec.External) {
				d.because(dr.Key, Reason{Rule: "goes with external", Says: say("goes with external ", name(spec.External))})
				continue
			}
			if !d.stays(hedgehog.KindConnection, spec.Connection) && len(d.successors[spec.Connection]) == 0 {
				d.because(dr.Key, Reason{Rule: "goes with connection", Says: say("goes with connection ", name(spec.Connection))})
				continue
			}
			left := len(d.after.ways[d.nowCalled(hedgehog.KindExternal, spec.External)])
			risk, words := waysLeft(spec.External, len(d.before.ways[spec.External]), left)
			r.Risk = risk
			if words != nil {
				says = say(says, ": ", words)
			}
		case *hedgehog.SwitchGroupSpec, *hedgehog.GatewayGroupSpec:
			r.Risk = Low
		}
		r.Says = says
		d.because(dr.Key, r)
	}
}

func (d *differ) deletedVPC(dr *draft, says Words) (Level, Words) {
	servers := d.before.serversOf(dr.Key.Name)
	if n := len(servers); n > 0 {
		return High, say(says, ": "+count(n, "server")+does(n, "loses its", "lose their")+" network (", names(servers, 3), ")")
	}
	return Medium, say(says, ": no server is in it")
}

// judgeAttachments says which servers leave a subnet or move to another.
func (d *differ) judgeAttachments() {
	for _, dr := range d.drafts {
		if dr.Before == nil || d.renamedTo[dr.Key] != "" {
			continue
		}
		spec, ok := dr.Before.Spec.(*hedgehog.VPCAttachmentSpec)
		if !ok || dr.Class == ChangeInPlace {
			continue
		}
		if dr.Class == Replace && !changes(dr, "spec.subnet", "spec.connection") {
			continue
		}
		vpc, subnet, _ := strings.Cut(spec.Subnet, "/")
		if dr.Class == Delete {
			if r, ok := d.goesWith(spec, vpc, subnet); ok {
				dr.stays = d.staysIn(spec)
				d.because(dr.Key, r)
				continue
			}
		}
		risk, effects := Low, []Words(nil)
		for _, server := range d.before.servers(spec.Connection) {
			level, words := d.leaves(server, spec.Subnet)
			risk = max(risk, level)
			if words != nil {
				effects = append(effects, words)
			}
		}
		r := Reason{Rule: "attachment deleted", Risk: risk, hazard: true, many: "VPC attachments are deleted", Says: say("deletes ", object(dr.Key))}
		if dr.Class == Replace {
			r.Rule, r.many, r.Says = "attachment moved", "VPC attachments move", say("moves ", object(dr.Key))
			if now, ok := dr.After.Spec.(*hedgehog.VPCAttachmentSpec); ok && now.Subnet == spec.Subnet {
				r.Says = say(r.Says, " from ", name(spec.Connection), " to ", name(now.Connection))
			} else if ok {
				r.Says = say(r.Says, " from ", name(spec.Subnet), " to ", name(now.Subnet))
			}
			r.Risk = High
		}
		if len(effects) > 3 {
			effects = append(effects[:3], say("others"))
		}
		r.Says = with(r.Says, ": ", effects)
		d.because(dr.Key, r)
	}
}

// changes reports whether one of the fields differs.
func changes(dr *draft, patterns ...string) bool {
	return slices.ContainsFunc(dr.facts, func(p factPair) bool { return slices.Contains(patterns, p.fact().pattern) })
}

// goesWith says that an attachment goes because something else does, which is told
// there.
func (d *differ) goesWith(spec *hedgehog.VPCAttachmentSpec, vpc, subnet string) (Reason, bool) {
	with := func(what string, of name) (Reason, bool) {
		return Reason{Rule: "goes with " + what, Says: say("goes with "+what+" ", of)}, true
	}
	if !d.stays(hedgehog.KindVPC, vpc) {
		return with("VPC", name(vpc))
	}
	if now := d.after.vpc(d.nowCalled(hedgehog.KindVPC, vpc)); now != nil && now.Subnets[subnet] == nil {
		return with("subnet", name(spec.Subnet))
	}
	servers := d.before.servers(spec.Connection)
	if len(servers) > 0 && !slices.ContainsFunc(servers, func(s string) bool { return d.stays(hedgehog.KindServer, s) }) {
		return with("server", name(servers[0]))
	}
	if !d.stays(hedgehog.KindConnection, spec.Connection) {
		if len(d.successors[spec.Connection]) == 0 {
			return with("connection", name(spec.Connection))
		}
		if d.staysIn(spec) {
			return with("connection", name(spec.Connection))
		}
	}
	return Reason{}, false
}

// staysIn reports whether all servers behind an attachment are in its subnet after,
// too.
func (d *differ) staysIn(spec *hedgehog.VPCAttachmentSpec) bool {
	servers := d.before.servers(spec.Connection)
	return len(servers) > 0 && !slices.ContainsFunc(servers, func(s string) bool {
		return d.after.nets(d.nowCalled(hedgehog.KindServer, s))[d.netNow(spec.Subnet)] == 0
	})
}

// leaves says where a server is that was attached to a subnet.
func (d *differ) leaves(server, net string) (Level, Words) {
	if !d.stays(hedgehog.KindServer, server) && d.before.has(hedgehog.KindServer, server) {
		return Low, nil
	}
	is := d.after.nets(d.nowCalled(hedgehog.KindServer, server))
	s := say("server ", name(server))
	if is[d.netNow(net)] > 0 {
		return Medium, say(s, " stays in ", name(net), " over another connection")
	}
	gained := remember(d.gained, server, func() []string {
		old := map[string]bool{}
		for n := range d.before.nets(server) {
			old[d.netNow(n)] = true
		}
		var list []string
		for _, n := range sortedKeys(is) {
			if !old[n] {
				list = append(list, n)
			}
		}
		return list
	})
	switch {
	case len(is) == 0:
		return High, say(s, " leaves ", name(net), " and has no network left")
	case len(gained) > 0:
		return High, say(s, " moves from ", name(net), " to ", names(gained, 2))
	}
	return Medium, say(s, " leaves ", name(net))
}

// judgeSubnets says which servers lose a subnet that is taken out of a VPC.
func (d *differ) judgeSubnets() {
	for _, dr := range d.drafts {
		if dr.Key.Kind != hedgehog.KindVPC || dr.Class == Add || dr.Class == Delete {
			continue
		}
		was, ok1 := dr.Before.Spec.(*hedgehog.VPCSpec)
		is, ok2 := dr.After.Spec.(*hedgehog.VPCSpec)
		if !ok1 || !ok2 {
			continue
		}
		added := map[string]string{} // by network
		for _, subnet := range sortedKeys(is.Subnets) {
			if s := is.Subnets[subnet]; s != nil && was.Subnets[subnet] == nil {
				added[s.Subnet] = subnet
			}
		}
		for _, subnet := range sortedKeys(was.Subnets) {
			s := was.Subnets[subnet]
			if s == nil || is.Subnets[subnet] != nil {
				continue
			}
			net := dr.Key.Name + "/" + subnet
			servers := d.before.serversIn(net)
			r := Reason{Rule: "subnet removed", Risk: Medium, hazard: true, weight: len(servers), subject: say(name(net)), many: "subnets are removed from their VPCs"}
			r.Says = say("removes subnet ", name(net), " (", name(s.Subnet), ")")
			if to := added[s.Subnet]; to != "" {
				dr.Class = Replace
				r.Says = say("renames subnet ", name(net), " to ", name(dr.Key.Name+"/"+to), ": the cluster takes the one away and creates the other")
			}
			if n := len(servers); n > 0 {
				r.Risk = High
				r.Says = say(r.Says, ": "+count(n, "server")+does(n, "loses", "lose")+" it (", names(servers, 3), ")")
			}
			d.because(dr.Key, r)
		}
	}
}

// judgeGroups says which groups of switches and gateways lose their redundancy.
func (d *differ) judgeGroups() {
	for _, dr := range d.drafts {
		if dr.Before == nil || d.renamedTo[dr.Key] != "" {
			continue
		}
		switch spec := dr.Before.Spec.(type) {
		case *hedgehog.SwitchSpec:
			if g := spec.Redundancy.Group; g != "" {
				to := d.nowCalled(hedgehog.KindSwitchGroup, g)
				if is, ok := afterSpec[*hedgehog.SwitchSpec](dr); !ok || is.Redundancy.Group != to {
					d.smallerGroup(dr, "redundancy group", "switch", g, d.before.groups[g], d.after.groups[to])
				}
			}
		case *hedgehog.GatewaySpec:
			is, _ := afterSpec[*hedgehog.GatewaySpec](dr)
			for _, m := range spec.Groups[:min(mostGroups, len(spec.Groups))] {
				to := d.nowCalled(hedgehog.KindGatewayGroup, m.Name)
				if is == nil || !slices.ContainsFunc(is.Groups, func(n hedgehog.GatewayMembership) bool { return n.Name == to }) {
					d.smallerGroup(dr, "gateway group", "gateway", m.Name, d.before.gateways[m.Name], d.after.gateways[to])
				}
			}
		}
	}
}

// judgeArrivals says what new gateways and new ways out do to what is there.
func (d *differ) judgeArrivals() {
	for _, dr := range d.drafts {
		if dr.Class != Add || d.renamedFrom[dr.Key] != "" {
			continue
		}
		switch spec := dr.After.Spec.(type) {
		case *hedgehog.GatewaySpec:
			for _, m := range spec.Groups {
				if len(d.before.gateways[m.Name]) > 0 {
					d.because(dr.Key, Reason{Rule: "gateway joins", Risk: Medium, many: "gateways join groups that have some",
						Says: say("gateway ", name(dr.Key.Name), " joins gateway group ", name(m.Name), ": peerings of the group may move to it, and flows break")})
				}
			}
		case *hedgehog.ExternalAttachmentSpec:
			d.newNeighbour(dr, spec)
		}
	}
}

// newNeighbour tells of a neighbour of another AS than those over which an external
// that VPCs use was reached so far: its routes are taken in too.
func (d *differ) newNeighbour(dr *draft, spec *hedgehog.ExternalAttachmentSpec) {
	old := d.formerly(hedgehog.KindExternal, spec.External)
	if len(d.before.outside[old]) == 0 || len(d.before.ways[old]) == 0 || spec.Neighbor.ASN == 0 {
		return
	}
	for _, o := range d.before.ways[old] {
		if o.Spec.(*hedgehog.ExternalAttachmentSpec).Neighbor.ASN == spec.Neighbor.ASN {
			return
		}
	}
	d.because(dr.Key, Reason{Rule: "new neighbour", Risk: Medium, many: "externals get a neighbor of another AS",
		Says: say("external ", name(spec.External), " gets a neighbor of another AS, ", name(spec.Neighbor.IP), " in AS ", name(strconv.FormatUint(uint64(spec.Neighbor.ASN), 10)), ": its routes are taken in too, check for a route leak")})
}

// mostGroups bounds what is looked at of one gateway.
const mostGroups = 64

// afterSpec returns the spec of an object that stays.
func afterSpec[S hedgehog.Spec](dr *draft) (spec S, ok bool) {
	if dr.After == nil {
		return spec, false
	}
	spec, ok = dr.After.Spec.(S)
	return spec, ok
}

// smallerGroup tells of a group that the object has left, when few are left in it.
func (d *differ) smallerGroup(dr *draft, what, member, group string, was, is []string) {
	if len(is) >= len(was) || len(is) > 1 {
		return
	}
	r := Reason{Rule: what, Risk: High, many: what + "s keep one " + member + " or none", subject: say(name(group))}
	if len(is) == 1 {
		r.Says = say(what+" ", name(group), " keeps one "+member+" only (", name(is[0]), ")")
	} else if len(was) > 0 {
		r.Says = say(what+" ", name(group), " has no "+member+" left")
		if what == "redundancy group" && len(was) == 1 {
			r.Risk = Low
		}
	}
	d.because(dr.Key, r)
}

// judgeAmount warns of changes that take much away at once.
func (d *differ) judgeAmount() {
	all, gone := d.before.fabric.Len(), 0
	for _, dr := range d.drafts {
		if dr.Class != Delete {
			continue
		}
		if d.renamedTo[dr.Key] == "" && !dr.isReplaced() && !dr.stays {
			gone++
		}
		if len(dr.Reasons) == 0 { // nothing is deleted in silence
			d.because(dr.Key, Reason{Rule: "delete " + string(dr.Key.Kind), Risk: Medium, hazard: true,
				Says: say("deletes ", object(dr.Key)), many: plural(noun(dr.Key.Kind)) + " are deleted"})
		}
	}
	if gone == 0 || gone <= 20 && (gone*10 <= all || all < 20 && gone < all) {
		return
	}
	says := say("deletes " + number(gone) + " of " + count(all, "object") + ", " + percent(gone, all))
	if gone == all {
		says = say("deletes all that there is: " + count(all, "object"))
	}
	d.told = append(d.told, Hazard{Reason: Reason{Rule: "many deletions", Risk: High, hazard: true, weight: 1 << 40, Says: says, many: "mass deletions"}})
}

func percent(part, of int) string {
	if p := part * 100 / of; p > 0 {
		return number(p) + " %"
	}
	return "less than 1 %"
}
