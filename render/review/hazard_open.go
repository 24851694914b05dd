package review

import (
	"net/netip"
	"slices"
	"strings"

	"hedgehog-gitops/render/hedgehog"
)

// judgeIsolation says which subnets of a VPC may talk to each other from now on,
// or no longer.
func (d *differ) judgeIsolation() {
	for _, dr := range d.drafts {
		if dr.Key.Kind != hedgehog.KindVPC || dr.Before == nil || dr.After == nil {
			continue
		}
		was, ok1 := dr.Before.Spec.(*hedgehog.VPCSpec)
		is, ok2 := dr.After.Spec.(*hedgehog.VPCSpec)
		if !ok1 || !ok2 {
			continue
		}
		var common []string
		for _, subnet := range sortedKeys(was.Subnets) {
			if was.Subnets[subnet] != nil && is.Subnets[subnet] != nil {
				common = append(common, subnet)
			}
		}
		if changes(dr, "spec.subnets.*.isolated", "spec.defaultIsolated", "spec.permit[]") {
			d.isolation(dr, common, was, is)
		}
		if changes(dr, "spec.subnets.*.restricted", "spec.defaultRestricted") {
			for _, subnet := range common {
				d.restriction(dr, subnet, restricted(was, subnet), restricted(is, subnet))
			}
		}
	}
}

func isolated(spec *hedgehog.VPCSpec, subnet string) bool {
	if own := spec.Subnets[subnet].Isolated; own != nil {
		return *own
	}
	return spec.DefaultIsolated
}

func restricted(spec *hedgehog.VPCSpec, subnet string) bool {
	if own := spec.Subnets[subnet].Restricted; own != nil {
		return *own
	}
	return spec.DefaultRestricted
}

// mostSubnets bounds what is compared pair by pair. The cluster allows 20.
const mostSubnets = 64

func (d *differ) isolation(dr *draft, subnets []string, was, is *hedgehog.VPCSpec) {
	subnets = subnets[:min(mostSubnets, len(subnets))]
	talk := func(spec *hedgehog.VPCSpec) func(a, b string) bool {
		permitted := map[pair]bool{}
		for _, list := range spec.Permit {
			list = list[:min(mostSubnets, len(list))]
			for i, a := range list {
				for _, b := range list[i+1:] {
					permitted[newPair(a, b)] = true
				}
			}
		}
		return func(a, b string) bool {
			return permitted[newPair(a, b)] || !isolated(spec, a) && !isolated(spec, b)
		}
	}
	before, after := talk(was), talk(is)
	var opened, closed []pair
	for i, a := range subnets {
		for _, b := range subnets[i+1:] {
			switch could, can := before(a, b), after(a, b); {
			case can && !could:
				opened = append(opened, pair{a, b})
			case could && !can:
				closed = append(closed, pair{a, b})
			}
		}
	}
	vpc := dr.Key.Name
	tell := func(rule, says, many string, found []pair) {
		if len(found) == 0 {
			return
		}
		risk := Medium
		var list []Words
		for _, p := range found {
			if len(d.before.serversIn(vpc+"/"+p.a)) > 0 && len(d.before.serversIn(vpc+"/"+p.b)) > 0 {
				risk = High
			}
			list = append(list, say(name(vpc+"/"+p.a), " and ", name(vpc+"/"+p.b)))
		}
		if len(list) > 3 {
			list = append(list[:3], say(number(len(found)-3)+" more pairs"))
		}
		d.because(dr.Key, Reason{Rule: rule, Risk: risk, Says: say(says, and(list, "; ")), many: many, weight: len(found)})
	}
	tell("subnets opened", "opens subnets to each other: ", "VPCs open subnets to each other", opened)
	tell("subnets closed", "separates subnets that could talk: ", "VPCs separate subnets that could talk", closed)
}

func (d *differ) restriction(dr *draft, subnet string, was, is bool) {
	if was == is {
		return
	}
	net := dr.Key.Name + "/" + subnet
	r := Reason{Rule: "restriction lifted", Risk: Medium, subject: say(name(net)), many: "subnets let their servers talk to each other from now on",
		Says: say("servers in ", name(net), " may talk to each other from now on")}
	if is {
		r.Rule, r.many = "restricted", "subnets no longer let their servers talk to each other"
		r.Says = say("servers in ", name(net), " no longer talk to each other")
		if len(d.before.serversIn(net)) > 1 {
			r.Risk = High
		}
	}
	d.because(dr.Key, r)
}

// affected returns the pairs that peerings of a kind join, before or after, by
// their names after, with the draft that is to blame.
func (d *differ) affected(pairsOf func(*hedgehog.Object, bool) []pair) ([]pair, map[pair]*draft) {
	var order []pair
	blame := map[pair]*draft{}
	for _, dr := range d.drafts {
		if d.renamedTo[dr.Key] != "" || d.renamedFrom[dr.Key] != "" {
			continue
		}
		for _, side := range []struct {
			o   *hedgehog.Object
			old bool
		}{{dr.After, false}, {dr.Before, true}} {
			if side.o == nil {
				continue
			}
			for _, p := range pairsOf(side.o, side.old) {
				if blame[p] == nil {
					blame[p] = dr
					order = append(order, p)
				}
			}
		}
	}
	return order, blame
}

// formerly returns the name that an object of after had before.
func (d *differ) formerly(kind hedgehog.Kind, name string) string {
	if old := d.renamedFrom[hedgehog.Key{Kind: kind, Name: name}]; old != "" {
		return old
	}
	return name
}

// judgePeerings says which VPCs may talk from now on, or no longer.
func (d *differ) judgePeerings() {
	order, blame := d.affected(func(o *hedgehog.Object, old bool) []pair {
		spec, ok := o.Spec.(*hedgehog.VPCPeeringSpec)
		if !ok {
			return nil
		}
		var list []pair
		for p := range peeringPairs(spec) {
			if old {
				p = newPair(d.nowCalled(hedgehog.KindVPC, p.a), d.nowCalled(hedgehog.KindVPC, p.b))
			}
			list = append(list, p)
		}
		slices.SortFunc(list, func(a, b pair) int { return strings.Compare(a.a+"/"+a.b, b.a+"/"+b.b) })
		return list
	})
	for _, p := range order {
		d.judgePeering(p, blame[p])
	}
}

func (d *differ) judgePeering(p pair, dr *draft) {
	oldA, oldB := d.formerly(hedgehog.KindVPC, p.a), d.formerly(hedgehog.KindVPC, p.b)
	was := permitsOf(d.before.peerings[newPair(oldA, oldB)], oldA, oldB)
	is := permitsOf(d.after.peerings[p], p.a, p.b)
	between := say("peering between ", name(p.a), " and ", name(p.b))
	for _, vpc := range []string{p.a, p.b} {
		if len(is) == 0 && !d.after.has(hedgehog.KindVPC, vpc) {
			d.because(dr.Key, Reason{Rule: "goes with VPC", Says: say("goes with VPC ", name(vpc))})
			return
		}
	}
	serversA, serversB := len(d.before.serversOf(oldA)), len(d.before.serversOf(oldB))
	live := serversA > 0 && serversB > 0
	subject := say(name(p.a), " and ", name(p.b))
	everything := slices.ContainsFunc(is, func(x permitPair) bool { return x.a == nil && x.b == nil })
	if len(was) == 0 && len(is) > 0 {
		r := Reason{Rule: "peering opened", Risk: Medium, Says: say("opens ", between, " to everything"), subject: subject, many: "pairs of VPCs are opened to each other"}
		if !everything {
			r.Says = say("opens ", between, ": ", permitWords(is, p))
		} else if d.before.has(hedgehog.KindVPC, oldA) && d.before.has(hedgehog.KindVPC, oldB) {
			r.Risk = High
		}
		d.because(dr.Key, r)
		return
	}
	if len(is) == 0 {
		r := Reason{Rule: "peering closed", Risk: Medium, Says: say("closes ", between), subject: subject, hazard: true, many: "peerings are closed"}
		if dr.Class == Delete {
			r.Says = say("closes ", between, " (deletes ", object(dr.Key), ")")
		}
		if live {
			r.Risk, r.weight = High, serversA+serversB
			r.Says = say(r.Says, ": their servers no longer talk")
		}
		d.because(dr.Key, r)
		return
	}
	opened, closed := d.comparePermits(p, oldA, oldB, was, is)
	if len(opened) > 0 {
		r := Reason{Rule: "peering widened", Risk: Medium, Says: say("widens ", between, ": ", reach(p, opened)), subject: subject, many: "peerings are widened"}
		if everything {
			r.Says = say("widens ", between, " to everything")
		}
		if everything || live {
			r.Risk = High
		}
		d.because(dr.Key, r)
	}
	if len(closed) > 0 {
		d.because(dr.Key, Reason{Rule: "peering narrowed", Risk: Medium, hazard: dr.Class == Delete,
			Says: say("narrows ", between, ": no longer ", reach(p, closed)), subject: subject, many: "peerings are narrowed"})
	} else if dr.Class == Delete && len(opened) == 0 {
		d.because(dr.Key, Reason{Rule: "peering doubled", Risk: Low, hazard: true,
			Says: say("deletes ", object(dr.Key), ": another peering says the same"), many: "peerings are deleted that others double"})
	}
}

// permitPair is one permit of a peering: the subnets of either side, nil for all.
type permitPair struct{ a, b []string }

func permitsOf(peerings []*hedgehog.Object, a, b string) []permitPair {
	var permits []permitPair
	for _, o := range peerings {
		spec := o.Spec.(*hedgehog.VPCPeeringSpec)
		for _, permit := range spec.Permit[:min(mostPermits, len(spec.Permit))] {
			sideA, okA := permit[a]
			sideB, okB := permit[b]
			if okA && okB {
				permits = append(permits, permitPair{sideA.Subnets, sideB.Subnets})
			}
		}
	}
	return permits
}

func permitWords(permits []permitPair, p pair) Words {
	side := func(vpc string, subnets []string) Words {
		if subnets == nil {
			return say("all of ", name(vpc))
		}
		full := make([]string, len(subnets))
		for i, s := range subnets {
			full[i] = vpc + "/" + s
		}
		return names(full, 4)
	}
	var list []Words
	for _, permit := range permits[:min(3, len(permits))] {
		list = append(list, say(side(p.a, permit.a), " with ", side(p.b, permit.b)))
	}
	if len(permits) > 3 {
		list = append(list, say("more"))
	}
	return and(list, "; ")
}

// comparePermits returns the pairs of subnets that may talk from now on and those
// that no longer may.
func (d *differ) comparePermits(p pair, oldA, oldB string, was, is []permitPair) (opened, closed []pair) {
	subnets := func(old, now string) []string {
		all := sortedSet(slices.Concat(d.before.subnets(old), d.after.subnets(now)))
		return all[:min(mostSubnets, len(all))]
	}
	talk := func(permits []permitPair, a, b string) bool {
		return slices.ContainsFunc(permits, func(x permitPair) bool {
			return (len(x.a) == 0 || slices.Contains(x.a, a)) && (len(x.b) == 0 || slices.Contains(x.b, b))
		})
	}
	was, is = was[:min(mostSubnets, len(was))], is[:min(mostSubnets, len(is))]
	for _, a := range subnets(oldA, p.a) {
		for _, b := range subnets(oldB, p.b) {
			switch could, can := talk(was, a, b), talk(is, a, b); {
			case can && !could:
				opened = append(opened, pair{a, b})
			case could && !can:
				closed = append(closed, pair{a, b})
			}
		}
	}
	return opened, closed
}

// reach lists pairs of subnets of two VPCs.
func reach(p pair, found []pair) Words {
	var list []Words
	for _, f := range found[:min(3, len(found))] {
		list = append(list, say(name(p.a+"/"+f.a), " with ", name(p.b+"/"+f.b)))
	}
	if len(found) > 3 {
		list = append(list, say(number(len(found)-3)+" more pairs"))
	}
	return and(list, ", ")
}

// judgeExternalPeerings says which VPCs reach an external from now on, or no
// longer.
func (d *differ) judgeExternalPeerings() {
	order, blame := d.affected(func(o *hedgehog.Object, old bool) []pair {
		spec, ok := o.Spec.(*hedgehog.ExternalPeeringSpec)
		if !ok {
			return nil
		}
		p := pair{spec.Permit.VPC.Name, spec.Permit.External.Name}
		if old {
			p = pair{d.nowCalled(hedgehog.KindVPC, p.a), d.nowCalled(hedgehog.KindExternal, p.b)}
		}
		return []pair{p}
	})
	for _, p := range order {
		d.judgeExternalPeering(p, blame[p])
	}
}

func (d *differ) judgeExternalPeering(p pair, dr *draft) {
	old := pair{d.formerly(hedgehog.KindVPC, p.a), d.formerly(hedgehog.KindExternal, p.b)}
	was, is := d.before.externalPeerings[old], d.after.externalPeerings[p]
	oldSubnets, oldPrefixes := outsideOf(was)
	subnets, prefixes := outsideOf(is)
	subject := say(name(p.a), " to ", name(p.b))
	servers := len(d.before.serversOf(old.a))
	if len(is) == 0 {
		if !d.after.has(hedgehog.KindVPC, p.a) {
			d.because(dr.Key, Reason{Rule: "goes with VPC", Says: say("goes with VPC ", name(p.a))})
			return
		}
		if !d.after.has(hedgehog.KindExternal, p.b) {
			d.because(dr.Key, Reason{Rule: "goes with external", Says: say("goes with external ", name(p.b))})
			return
		}
		r := Reason{Rule: "external closed", Risk: Medium, hazard: true, weight: servers, subject: subject, many: "VPCs lose their way to an external",
			Says: say("closes VPC ", name(p.a), " to external ", name(p.b))}
		if dr.Class == Delete {
			r.Says = say(r.Says, " (deletes ", object(dr.Key), ")")
		}
		if servers > 0 {
			r.Risk, r.Says = High, say(r.Says, ": "+count(servers, "server")+does(servers, "loses", "lose")+" the way out")
		}
		d.because(dr.Key, r)
		return
	}
	everywhere := slices.ContainsFunc(prefixes, isEverywhere)
	if len(was) == 0 {
		r := Reason{Rule: "external opened", Risk: Medium, subject: subject, many: "VPCs are opened to an external",
			Says: say("opens VPC ", name(p.a), " (", names(subnets, 4), ") to external ", name(p.b))}
		if len(subnets) == 0 {
			r.Says = say("opens VPC ", name(p.a), " to external ", name(p.b))
		}
		if everywhere {
			r.Risk, r.Says = High, say(r.Says, " with the default route")
			r.many = "VPCs are opened to an external, some with the default route"
		} else if len(prefixes) > 0 {
			r.Says = say(r.Says, ": ", names(prefixes, 4))
		}
		d.because(dr.Key, r)
		return
	}
	d.compareOutside(p, dr, subject, oldSubnets, subnets, oldPrefixes, prefixes)
}

// compareOutside tells how an external peering that stays has changed.
func (d *differ) compareOutside(p pair, dr *draft, subject Words, oldSubnets, subnets, oldPrefixes, prefixes []string) {
	more, less := minus(subnets, oldSubnets), minus(oldSubnets, subnets)
	everywhere := slices.ContainsFunc(prefixes, isEverywhere)
	if len(more) > 0 {
		r := Reason{Rule: "external widened", Risk: Medium, subject: subject, many: "VPCs are opened further to an external",
			Says: say("opens ", names(below(p.a, more), 4), " to external ", name(p.b), " as well")}
		if everywhere {
			r.Risk, r.Says = High, say(r.Says, ", with the default route")
		}
		d.because(dr.Key, r)
	}
	if found := notCovered(prefixes, oldPrefixes); len(found) > 0 {
		r := Reason{Rule: "external widened", Risk: Medium, subject: subject, many: "VPCs are opened further to an external",
			Says: say("opens VPC ", name(p.a), " to more of external ", name(p.b), ": ", names(found, 4))}
		if slices.ContainsFunc(found, isEverywhere) {
			r.Risk, r.Says = High, say("opens VPC ", name(p.a), " to external ", name(p.b), " with the default route ", names(found, 4))
		}
		d.because(dr.Key, r)
	}
	if gone := notCovered(oldPrefixes, prefixes); len(gone) > 0 || len(less) > 0 {
		risk := Medium
		if slices.ContainsFunc(gone, isEverywhere) {
			risk = High
		}
		d.because(dr.Key, Reason{Rule: "external narrowed", Risk: risk, subject: subject, hazard: dr.Class == Delete, many: "VPCs reach less of an external",
			Says: say("VPC ", name(p.a), " reaches less of external ", name(p.b), ": no longer ", names(append(below(p.a, less), gone...), 4))})
	} else if dr.Class == Delete && len(more) == 0 {
		d.because(dr.Key, Reason{Rule: "peering doubled", Risk: Low, hazard: true,
			Says: say("deletes ", object(dr.Key), ": another peering says the same"), many: "peerings are deleted that others double"})
	}
}

// below puts the name of a VPC before those of its subnets.
func below(vpc string, subnets []string) []string {
	full := make([]string, len(subnets))
	for i, s := range subnets {
		full[i] = vpc + "/" + s
	}
	return full
}

// outsideOf returns the subnets and prefixes of external peerings.
func outsideOf(peerings []*hedgehog.Object) (subnets, prefixes []string) {
	for _, o := range peerings {
		permit := o.Spec.(*hedgehog.ExternalPeeringSpec).Permit
		subnets = append(subnets, permit.VPC.Subnets...)
		for _, p := range permit.External.Prefixes {
			prefixes = append(prefixes, p.Prefix)
		}
	}
	return sortedSet(subnets), sortedSet(prefixes)
}

// minus returns what is in the first list and not in the second, both sorted.
func minus(a, b []string) []string {
	var rest []string
	for _, s := range a {
		if _, ok := slices.BinarySearch(b, s); !ok {
			rest = append(rest, s)
		}
	}
	return rest
}

// cover is a set of networks, and of texts that are none.
type cover struct {
	networks map[netip.Prefix]bool
	texts    map[string]bool
}

func newCover(networks []string) cover {
	c := cover{map[netip.Prefix]bool{}, map[string]bool{}}
	for _, text := range networks {
		c.texts[text] = true
		if prefix, err := netip.ParsePrefix(text); err == nil {
			c.networks[prefix.Masked()] = true
		}
	}
	return c
}

// has reports whether a network lies in one of the set.
func (c cover) has(text string) bool {
	prefix, err := netip.ParsePrefix(text)
	if err != nil {
		return c.texts[text]
	}
	for bits := range prefix.Bits() + 1 {
		if wider, _ := prefix.Addr().Prefix(bits); c.networks[wider] {
			return true
		}
	}
	return false
}

// notCovered returns the networks that are in none of the others.
func notCovered(networks, others []string) []string {
	set := newCover(others)
	var rest []string
	for _, text := range networks {
		if !set.has(text) {
			rest = append(rest, text)
		}
	}
	return rest
}

// judgeStaticExternals says what the old form of a static way out opens.
func (d *differ) judgeStaticExternals() {
	for _, dr := range d.drafts {
		if dr.Key.Kind != hedgehog.KindConnection || dr.After == nil || d.renamedFrom[dr.Key] != "" {
			continue
		}
		is := staticExternal(dr.After)
		if is == nil {
			continue
		}
		var had []string
		if was := staticExternal(dr.Before); was != nil {
			had = was.Link.Switch.Subnets
		}
		inside := say("the fabric")
		if is.WithinVPC != "" {
			inside = say("VPC ", name(is.WithinVPC))
		}
		if more := notCovered(is.Link.Switch.Subnets, had); len(more) > 0 {
			r := Reason{Rule: "static external opened", Risk: Medium, many: "static ways out are opened",
				Says: say("opens ", inside, " to ", names(more, 4), " outside, over ", name(is.Link.Switch.Port))}
			if slices.ContainsFunc(more, isEverywhere) {
				r.Risk, r.Says = High, say(r.Says, ": it is the default route")
			}
			d.because(dr.Key, r)
		}
		if less := notCovered(had, is.Link.Switch.Subnets); len(less) > 0 {
			d.because(dr.Key, Reason{Rule: "static external narrowed", Risk: High, many: "static ways out are closed",
				Says: say(inside, " no longer reaches ", names(less, 4), " outside, over ", name(is.Link.Switch.Port))})
		}
	}
}

func staticExternal(o *hedgehog.Object) *hedgehog.StaticExternal {
	if o == nil {
		return nil
	}
	if spec, ok := o.Spec.(*hedgehog.ConnectionSpec); ok {
		return spec.StaticExternal
	}
	return nil
}
