package review

import (
	"cmp"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"hedgehog-gitops/render/hedgehog"
)

// judgeGatewayPeerings says who shows what to whom through a gateway.
func (d *differ) judgeGatewayPeerings() {
	order, blame := d.affected(func(o *hedgehog.Object, old bool) []pair {
		spec, ok := o.Spec.(*hedgehog.GatewayPeeringSpec)
		if !ok {
			return nil
		}
		p, ok := gatewayPair(spec)
		if !ok {
			return nil
		}
		if old {
			f := flattener{renamed: d.nowCalled}
			p = newPair(f.newName(vpcOrExternal, p.a), f.newName(vpcOrExternal, p.b))
		}
		return []pair{p}
	})
	for _, p := range order {
		d.judgeGatewayPeering(p, blame[p])
	}
}

func (d *differ) judgeGatewayPeering(p pair, dr *draft) {
	f := flattener{renamed: d.formerly}
	oldA, oldB := f.newName(vpcOrExternal, p.a), f.newName(vpcOrExternal, p.b)
	was, is := d.before.gatewayPeerings[newPair(oldA, oldB)], d.after.gatewayPeerings[p]
	between := say("gateway peering between ", name(p.a), " and ", name(p.b))
	subject := say(name(p.a), " and ", name(p.b))
	if len(is) == 0 {
		for _, side := range []string{p.a, p.b} {
			if !d.hasSide(side) {
				d.because(dr.Key, Reason{Rule: "goes with a side", Says: say("goes with ", name(side))})
				return
			}
		}
		says := say("closes ", between)
		if dr.Class == Delete {
			says = say(says, " (deletes ", object(dr.Key), ")")
		}
		d.because(dr.Key, Reason{Rule: "gateway peering closed", Risk: High, hazard: true, subject: subject, many: "gateway peerings are closed", Says: say(says, ": what goes through it stops")})
		return
	}
	for _, side := range []struct{ now, old, other string }{{p.a, oldA, p.b}, {p.b, oldB, p.a}} {
		before, notBefore := exposedBy(was, side.old)
		shown, hidden := exposedBy(is, side.now)
		if len(was) == 0 {
			continue
		}
		more := append(notCoveredOrNamed(shown, before), prefixed("no longer hidden: ", notCoveredOrNamed(notBefore, hidden))...)
		less := append(notCoveredOrNamed(before, shown), prefixed("hidden now: ", notCoveredOrNamed(hidden, notBefore))...)
		if len(more) > 0 {
			r := Reason{Rule: "gateway peering widened", Risk: Medium, subject: subject, many: "gateway peerings are widened",
				Says: say("widens ", between, ": ", name(side.now), " shows more to ", name(side.other), " (", names(more, 4), ")")}
			if slices.ContainsFunc(more, opensAll) {
				r.Risk, r.Says = High, say(r.Says, ": it is the default route")
			}
			d.because(dr.Key, r)
		}
		if len(less) > 0 {
			d.because(dr.Key, Reason{Rule: "gateway peering narrowed", Risk: Medium, subject: subject, many: "gateway peerings are narrowed",
				Says: say("narrows ", between, ": ", name(side.now), " shows less to ", name(side.other), " (", names(less, 4), ")")})
		}
	}
	if len(was) == 0 {
		r := Reason{Rule: "gateway peering opened", Risk: Medium, subject: subject, many: "gateway peerings are opened", Says: say("opens ", between)}
		for _, side := range []string{p.a, p.b} {
			if shown, _ := exposedBy(is, side); len(shown) > 0 {
				r.Says = say(r.Says, "; ", name(side), " shows ", names(shown, 4))
				if slices.ContainsFunc(shown, opensAll) {
					r.Risk = High
				}
			}
		}
		d.because(dr.Key, r)
	}
}

// opensAll reports whether what is exposed is everything.
func opensAll(exposed string) bool { return exposed == "default" || isEverywhere(exposed) }

// hasSide reports whether the VPC or external of a gateway peering is there after.
func (d *differ) hasSide(side string) bool {
	if external, ok := strings.CutPrefix(side, "ext."); ok {
		return d.after.has(hedgehog.KindExternal, external)
	}
	return d.after.has(hedgehog.KindVPC, side)
}

// exposedBy returns what one side of gateway peerings shows, and what it leaves out.
func exposedBy(peerings []*hedgehog.Object, side string) (shown, hidden []string) {
	for _, o := range peerings {
		s := o.Spec.(*hedgehog.GatewayPeeringSpec).Peering[side]
		if s == nil {
			continue
		}
		for _, e := range s.Expose {
			if e.Default {
				shown = append(shown, "default")
			}
			for _, ip := range e.IPs {
				if ip.Not != "" {
					hidden = append(hidden, ip.Not)
				}
				if ip.CIDR != "" {
					shown = append(shown, ip.CIDR)
				}
				if ip.VPCSubnet != "" {
					shown = append(shown, "subnet "+ip.VPCSubnet)
				}
			}
		}
	}
	return sortedSet(shown), sortedSet(hidden)
}

// notCoveredOrNamed is notCovered for lists in which not all are networks.
func notCoveredOrNamed(list, others []string) []string {
	isNetwork := func(s string) bool { _, err := netip.ParsePrefix(s); return err == nil }
	var named, networks []string
	for _, s := range list {
		if isNetwork(s) {
			networks = append(networks, s)
		} else {
			named = append(named, s)
		}
	}
	return append(minus(named, others), notCovered(networks, others)...)
}

func prefixed(prefix string, list []string) []string {
	for i := range list {
		list[i] = prefix + list[i]
	}
	return list
}

// judgeFilters says which filters let more through, or less.
func (d *differ) judgeFilters() {
	for _, dr := range d.drafts {
		if dr.Before == nil || dr.After == nil {
			continue
		}
		switch was := dr.Before.Spec.(type) {
		case *hedgehog.ExternalAttachmentSpec:
			if is, ok := dr.After.Spec.(*hedgehog.ExternalAttachmentSpec); ok && touches(dr, "spec.inboundACL") {
				d.judgeFilter(dr, say("inbound filter of external ", name(is.External), " (", name(dr.Key.Name), ")"), inboundRules(was.InboundACL), inboundRules(is.InboundACL))
			}
		case *hedgehog.GatewayPeeringSpec:
			if is, ok := dr.After.Spec.(*hedgehog.GatewayPeeringSpec); ok && touches(dr, "spec.acl") {
				d.judgeFilter(dr, say("filter of ", object(dr.Key)), peeringRules(was.ACL), peeringRules(is.ACL))
			}
		}
	}
}

// touches reports whether a field at or below the pattern differs.
func touches(dr *draft, pattern string) bool {
	return slices.ContainsFunc(dr.facts, func(p factPair) bool { return strings.HasPrefix(p.fact().pattern, pattern) })
}

// filterRule is a rule of any filter: what it says, and whether it lets through.
type filterRule struct {
	name, says string
	allows     bool
}

// rules is a filter; nil is none.
type rules []filterRule

func (d *differ) judgeFilter(dr *draft, which Words, was, is rules) {
	tell := func(rule string, risk Level, many string, parts ...any) {
		d.because(dr.Key, Reason{Rule: rule, Risk: risk, many: many, Says: say(parts...)})
	}
	switch {
	case is == nil:
		tell("filter removed", High, "filters are taken away", "takes away the ", which, ": everything is let through")
		return
	case was == nil:
		tell("filter added", Medium, "filters are put in", "puts in the ", which, ": what it does not permit is dropped")
		return
	}
	before, after := map[string]filterRule{}, map[string]filterRule{}
	for _, r := range was {
		before[r.name] = r
	}
	for _, r := range is {
		after[r.name] = r
	}
	var more, less []string
	for _, r := range is {
		old, had := before[r.name]
		if had && old == r {
			continue
		}
		if r.allows || had && !old.allows {
			more = append(more, r.says)
		}
		if !r.allows || had && old.allows {
			less = append(less, r.says)
		}
	}
	for _, r := range was {
		if _, kept := after[r.name]; kept {
			continue
		}
		if r.allows {
			less = append(less, "without "+r.says)
		} else {
			more = append(more, "without "+r.says)
		}
	}
	if len(more)+len(less) == 0 {
		tell("filter reordered", Medium, "filters are reordered", "changes the order of the ", which, ": another rule may be the first that fits")
		return
	}
	if len(more) > 0 {
		tell("filter opened", High, "filters let more through", which, " lets more through: ", names(more, 3))
	}
	if len(less) > 0 {
		tell("filter tightened", Medium, "filters let less through", which, " lets less through: ", names(less, 3))
	}
}

func inboundRules(acl *hedgehog.ACL) rules {
	if acl == nil {
		return nil
	}
	list := rules{}
	for _, s := range acl.Statements {
		says := strconv.Itoa(int(s.Seq)) + " " + s.Action + " " + s.Protocol + " " + cmp.Or(s.SrcPrefix, "any") + " to " + cmp.Or(s.DstPrefix, "any")
		if s.PortRangeBegin != 0 || s.PortRangeEnd != 0 {
			says += " port " + strconv.Itoa(int(s.PortRangeBegin))
			if s.PortRangeEnd > s.PortRangeBegin {
				says += "-" + strconv.Itoa(int(s.PortRangeEnd))
			}
		}
		if s.TCPFilters != nil {
			says += " " + tcpFlags(*s.TCPFilters)
		}
		if s.ICMPType != nil {
			says += " type " + strconv.Itoa(int(*s.ICMPType))
		}
		if s.ICMPCode != nil {
			says += " code " + strconv.Itoa(int(*s.ICMPCode))
		}
		list = append(list, filterRule{strconv.Itoa(int(s.Seq)), says, s.Action == "permit" || s.Action == "transit"})
	}
	return list
}

func tcpFlags(f hedgehog.TCPFilters) string {
	var flags []string
	for _, flag := range []struct {
		name string
		set  bool
	}{
		{"established", f.Established}, {"fin", f.Fin}, {"not fin", f.NotFin}, {"syn", f.Syn}, {"not syn", f.NotSyn}, {"rst", f.Rst}, {"not rst", f.NotRst},
		{"psh", f.Psh}, {"not psh", f.NotPsh}, {"ack", f.Ack}, {"not ack", f.NotAck}, {"urg", f.Urg}, {"not urg", f.NotUrg},
	} {
		if flag.set {
			flags = append(flags, flag.name)
		}
	}
	return "(" + strings.Join(flags, ", ") + ")"
}

func peeringRules(acl *hedgehog.PeeringACL) rules {
	if acl == nil {
		return nil
	}
	list := rules{{"default", "default " + acl.Default, acl.Default == "deny-unless-exposed"}}
	for i, r := range acl.Rules {
		id := cmp.Or(r.Name, "#"+strconv.Itoa(i+1))
		says := id + ": " + r.Action + " " + cmp.Or(r.From, "any") + " to " + cmp.Or(r.To, "any") + " " + cmp.Or(r.Match.Proto, "any protocol")
		for _, side := range []struct {
			name string
			list []hedgehog.PeeringACLEndpoint
		}{{" from ", r.Match.Src}, {" to ", r.Match.Dst}} {
			for _, e := range side.list {
				says += side.name + aclEndpoint(e)
			}
		}
		list = append(list, filterRule{"rule " + id, says + " " + r.Scope, r.Action == "allow"})
	}
	return list
}

// judgeNamespaces says which VLANs and networks leave a namespace, and who uses
// them.
func (d *differ) judgeNamespaces() {
	for _, dr := range d.drafts {
		if dr.Before == nil || dr.After == nil {
			continue
		}
		switch was := dr.Before.Spec.(type) {
		case *hedgehog.VLANNamespaceSpec:
			if is, ok := dr.After.Spec.(*hedgehog.VLANNamespaceSpec); ok {
				d.vlansLeave(dr, was, is)
			}
		case *hedgehog.IPv4NamespaceSpec:
			if is, ok := dr.After.Spec.(*hedgehog.IPv4NamespaceSpec); ok {
				d.networksLeave(dr, notCovered(was.Subnets, is.Subnets), is.Subnets)
			}
		}
	}
}

// mostRanges bounds what is looked at. The cluster allows 20.
const mostRanges = 1000

func (d *differ) vlansLeave(dr *draft, was, is *hedgehog.VLANNamespaceSpec) {
	var in [1 << 16]bool
	for _, r := range is.Ranges[:min(mostRanges, len(is.Ranges))] {
		for v := int(r.From); v <= int(max(r.From, r.To)); v++ {
			in[v] = true
		}
	}
	var gone []string
	leaving := map[uint16]bool{}
	for _, r := range was.Ranges[:min(mostRanges, len(was.Ranges))] {
		first := -1
		for v := int(r.From); v <= int(max(r.From, r.To))+1; v++ {
			inside := v <= int(max(r.From, r.To)) && !in[v]
			if inside {
				leaving[uint16(v)] = true
				if first < 0 {
					first = v
				}
			} else if first >= 0 {
				gone = append(gone, vlanRange(hedgehog.VLANRange{From: uint16(first), To: uint16(v - 1)}))
				first = -1
			}
		}
	}
	if len(gone) == 0 {
		return
	}
	var users []string
	for _, o := range d.after.byVLANs[dr.Key.Name] {
		spec := o.Spec.(*hedgehog.VPCSpec)
		for _, subnet := range sortedKeys(spec.Subnets) {
			if s := spec.Subnets[subnet]; s != nil && leaving[s.VLAN] {
				users = append(users, o.Name+"/"+subnet)
			}
		}
	}
	d.leaveNamespace(dr, "VLANs", gone, users)
}

func (d *differ) networksLeave(dr *draft, gone, left []string) {
	if len(gone) == 0 {
		return
	}
	var users []string
	went, stay := newCover(gone), newCover(left)
	for _, o := range d.after.byNetworks[dr.Key.Name] {
		spec := o.Spec.(*hedgehog.VPCSpec)
		for _, subnet := range sortedKeys(spec.Subnets) {
			if s := spec.Subnets[subnet]; s != nil && went.has(s.Subnet) && !stay.has(s.Subnet) {
				users = append(users, o.Name+"/"+subnet)
			}
		}
	}
	d.leaveNamespace(dr, "networks", gone, users)
}

func (d *differ) leaveNamespace(dr *draft, what string, gone, users []string) {
	r := Reason{Rule: "namespace narrowed", Risk: Medium, weight: len(users), many: "namespaces give up VLANs or networks",
		Says: say(what+" ", names(gone, 4), " leave ", object(dr.Key))}
	if n := len(users); n > 0 {
		r.Risk = High
		r.Says = say(r.Says, ", and "+count(n, "subnet")+does(n, "uses", "use")+" them (", names(users, 3), "): the cluster refuses it")
	}
	d.because(dr.Key, r)
}
