package review

import (
	"strings"

	"hedgehog-gitops/render/hedgehog"
)

// judge gives every change its class and its reasons.
func (d *differ) judge() {
	for _, dr := range d.drafts {
		if dr.Class == ChangeInPlace {
			d.judgeFields(dr)
		}
	}
	d.judgeRenames()
	d.judgeTakeovers()
	d.judgeDeletions()
	d.judgeConnections()
	d.judgeAttachments()
	d.judgeSubnets()
	d.judgeIsolation()
	d.judgePeerings()
	d.judgeExternalPeerings()
	d.judgeStaticExternals()
	d.judgeGatewayPeerings()
	d.judgeFilters()
	d.judgeGroups()
	d.judgeArrivals()
	d.judgeNamespaces()
	d.judgeAmount()
}

// judgeFields judges the fields of an object that stays, each by the table.
func (d *differ) judgeFields(dr *draft) {
	came, went := map[string]bool{}, map[string]bool{} // things that are told as one
	linkCame, linkWent := false, false
	regrouped := false
	for _, p := range dr.facts {
		f := p.fact()
		if effect := d.effects.of(dr.Key.Kind, f); f.there && effect.Why != inside {
			if p.before == nil {
				came[f.path] = true
			} else if p.after == nil {
				went[f.path] = true
			}
			if strings.HasSuffix(f.pattern, "inks[]") {
				linkCame, linkWent = linkCame || p.before == nil, linkWent || p.after == nil
			}
		}
		regrouped = regrouped || f.pattern == "spec.redundancy.group"
	}
	for _, p := range dr.facts {
		f := p.fact()
		if p.before == nil && within(came, f.path) || p.after == nil && within(went, f.path) {
			continue
		}
		effect := d.effects.of(dr.Key.Kind, f)
		if effect.Replaces && (p.before != nil || effect.Set == High) {
			dr.Class = Replace
		}
		if f.pattern == "spec.portBreakouts.*" && hasRoCE(dr) {
			dr.Class = Replace // the cluster refuses it
		}
		if effect.Whole || f.pattern == "spec.groups[]" && regrouped && dr.Key.Kind == hedgehog.KindSwitch {
			continue
		}
		if r, ok := d.fieldReason(dr, p, effect); ok {
			d.because(dr.Key, r)
		}
	}
	if linkCame && linkWent {
		dr.Class = Replace
	}
}

// within reports whether something that the path goes through is in the set.
func within(set map[string]bool, path string) bool {
	if len(set) == 0 {
		return false
	}
	for way := range ways(path) {
		if set[way] {
			return true
		}
	}
	return false
}

func hasRoCE(dr *draft) bool {
	was, ok1 := dr.Before.Spec.(*hedgehog.SwitchSpec)
	is, ok2 := dr.After.Spec.(*hedgehog.SwitchSpec)
	return ok1 && ok2 && (was.RoCE || is.RoCE)
}

// fieldReason says what the change of a field does; nothing when it is harmless.
func (d *differ) fieldReason(dr *draft, p factPair, effect *Effect) (Reason, bool) {
	f := p.fact()
	added := p.before == nil
	if f.flag && !f.there {
		added = p.after != nil && p.after.text == yes
	}
	risk := effect.Changed
	if added {
		risk = effect.Set
	}
	why := say(effect.Why)
	n, used := d.use(dr, effect.Used, f)
	if !used {
		risk = min(risk, effect.Unused)
	} else if n > 0 {
		why = append(why, Word{Text: "; " + count(n, "server") + is(n) + " in it"})
	}
	if p.after != nil && isDefaultRoute(p.after) && (p.before == nil || !isDefaultRoute(p.before)) {
		risk, why = High, say("it is the default route: everything that has no other way goes there")
	}
	if risk == Low {
		return Reason{}, false
	}
	r := Reason{
		Rule: "field " + string(dr.Key.Kind) + " " + f.pattern, Risk: risk, weight: n,
		many:    strings.Join(strings.Fields("times the "+fill(effect.Name, &fact{pattern: f.pattern}).String()+" of a "+noun(dr.Key.Kind)+" changes"), " "),
		subject: say(name(dr.Key.Name)),
	}
	what, of := fill(effect.Name, f), object(dr.Key)
	if effect.Part != "" {
		of = say(fill(effect.Part, f), " of ", of)
	}
	if dr.Key.Kind == hedgehog.KindVPC && strings.HasPrefix(f.pattern, "spec.subnets.*") {
		of = say(name(dr.Key.Name + "/" + f.keys[0]))
		r.subject = of
	}
	if f.pattern == anyField {
		what = say("field ", name(f.path))
		r.many = "fields that this version does not know change"
	}
	if len(what) > 0 {
		of = say(" of ", of)
	}
	verb := " changes "
	if effect.Name == "VLAN" {
		verb = " moves "
	}
	switch before, after := p.before.shown(), p.after.shown(); {
	case f.there && added:
		r.Says = say(what, of, " is added")
	case f.there:
		r.Says = say(what, of, " is removed")
	case f.flag && added:
		r.Says = say(what, of, " is switched on")
	case f.flag:
		r.Says = say(what, of, " is switched off")
	case p.before != nil && p.after != nil:
		r.Says = say(what, of, verb, name(before), " -> ", name(after))
	case added:
		r.Says = say(what, of, " is set to ", name(after))
		if strings.HasSuffix(f.pattern, "[]") {
			r.Says = say(what, " ", name(after), of, " is added")
		}
	default:
		r.Says = say(what, " ", name(before), of, " is removed")
	}
	r.Says = say(r.Says, ": ", why)
	return r, true
}

// use reports whether what a field is about is in use, and by how many servers
// where that is known.
func (d *differ) use(dr *draft, use Use, f *fact) (servers int, used bool) {
	switch use {
	case ByPort:
		port := dr.Key.Name + "/" + f.keys[0]
		_, used := d.before.ports[port]
		if whole, ok := wholePort(port); ok && !used {
			_, used = d.before.ports[whole]
		}
		return 0, used
	case ByPortGroup:
		return 0, d.groupInUse(dr, f.keys[0])
	case BySubnet:
		n := len(d.before.serversIn(dr.Key.Name + "/" + f.keys[0]))
		return n, n > 0
	case ByVPC:
		n := len(d.before.serversOf(dr.Key.Name))
		return n, n > 0
	}
	return 0, true
}

// groupInUse reports whether a connection uses a port of the switch's port group.
// Of a switch that is not known it is said too.
func (d *differ) groupInUse(dr *draft, group string) bool {
	spec, ok := dr.Before.Spec.(*hedgehog.SwitchSpec)
	if !ok {
		return true
	}
	profile, ok := hedgehog.ProfileByName(spec.Profile)
	if !ok {
		return true
	}
	g, ok := profile.Group(group)
	for _, port := range g.Ports {
		if _, used := d.before.ports[dr.Key.Name+"/"+port]; used {
			return true
		}
	}
	return !ok
}

// isDefaultRoute reports whether the fact is about a route to everywhere.
func isDefaultRoute(f *fact) bool {
	if f.pattern == "spec.static.prefixes[]" {
		return isEverywhere(f.text)
	}
	switch f.pattern {
	case "spec.staticRoutes[]", "spec.subnets.*.dhcp.options.advertisedRoutes[]", "spec.subnets.*.hostBGPExtraPrefixes.*":
		return isEverywhere(f.keys[len(f.keys)-1])
	}
	return false
}

// isEverywhere reports whether a network is the default route.
func isEverywhere(network string) bool { return strings.HasSuffix(network, "/0") }
