package rollout

import (
	"encoding/json"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"hedgehog-gitops/render/hedgehog"
)

// Content says which form of an object stands after a step.
type Content int

const (
	// None: the object is not there.
	None Content = iota
	// Before: it is as it is merged.
	Before
	// Half: it is something between what is merged and what is wanted.
	Half
	// After: it is as it is wanted.
	After
)

// Form is what an object is after a step.
type Form struct {
	Content Content
	// Protected is whether it is marked so that no controller deletes it.
	Protected bool
	// Stays is whether it is in the root where it is merged, not in that where it is wanted.
	Stays bool
}

// Object returns the form of an object that was the one and shall be the other; nil when
// it is not there.
func (f Form) Object(was, is *hedgehog.Object) *hedgehog.Object {
	var o *hedgehog.Object
	switch f.Content {
	case Before:
		if o = was; !f.Stays && isProtected(was) {
			o = unprotected(was, is)
		}
	case Half:
		o = half(was, is)
	case After:
		o = is
	}
	if o != nil && f.Protected {
		o = protected(o)
	}
	return o
}

// forms returns the forms of the objects that are not as wanted, or not where.
func (g *graph) forms() map[hedgehog.Key]Form {
	forms := map[hedgehog.Key]Form{}
	for _, c := range g.order {
		done := func(a action) bool { return c.nodes[a] >= 0 && g.nodes[c.nodes[a]].done }
		left := slices.ContainsFunc(c.nodes[:], func(n int) bool { return n >= 0 && !g.nodes[n].done })
		if !left {
			continue
		}
		f := Form{Content: Before, Stays: true}
		switch {
		case c.before == nil, done(remove):
			f = Form{}
		case c.nodes[remove] < 0:
			switch {
			case done(update) || c.nodes[update] < 0:
				f.Content = After
			case done(interim):
				f.Content = Half
			}
			f.Stays = !c.moves() || !done(move)
			f.Protected = f.Stays && c.moves() && (done(protect) || c.nodes[protect] < 0 && g.prune && isProtected(c.before))
		}
		forms[c.key] = f
	}
	return forms
}

// standing returns what the files give the cluster with the forms.
func (g *graph) standing(forms map[hedgehog.Key]Form) Placed {
	p := Placed{Objects: &hedgehog.Fabric{}, Roots: maps.Clone(g.wanted.Roots)}
	if p.Roots == nil {
		p.Roots = map[hedgehog.Key]string{}
	}
	for o := range g.wanted.Objects.All() {
		if _, ok := forms[o.Key()]; !ok {
			p.Objects.Add(o)
		}
	}
	for key, f := range forms {
		c := g.changes[key]
		delete(p.Roots, key)
		if o := f.Object(c.before, c.after); o != nil {
			p.Objects.Add(o)
			p.Roots[key] = c.to
			if f.Stays {
				p.Roots[key] = c.from
			}
		}
	}
	return p
}

// The annotations by which Flux and Argo CD leave an object in the cluster that leaves
// its root.
const (
	fluxPrune     = "kustomize.toolkit.fluxcd.io/prune"
	fluxDisabled  = "disabled"
	argoOptions   = "argocd.argoproj.io/sync-options"
	argoProtected = "Prune=false"
)

func argoSpares(o *hedgehog.Object) bool {
	for option := range strings.SplitSeq(o.Annotations[argoOptions], ",") {
		if strings.TrimSpace(option) == argoProtected {
			return true
		}
	}
	return false
}

// isProtected reports whether no controller deletes an object that leaves its root.
func isProtected(o *hedgehog.Object) bool {
	return o.Annotations[fluxPrune] == fluxDisabled && argoSpares(o)
}

// isSpared reports whether some controller does not delete the object.
func isSpared(o *hedgehog.Object) bool {
	return o.Annotations[fluxPrune] == fluxDisabled || argoSpares(o)
}

// protected returns the object so that no controller deletes it.
func protected(o *hedgehog.Object) *hedgehog.Object {
	p := *o
	p.Annotations = maps.Clone(o.Annotations)
	if p.Annotations == nil {
		p.Annotations = map[string]string{}
	}
	p.Annotations[fluxPrune] = fluxDisabled
	if !argoSpares(o) {
		options := []string{argoProtected}
		if old := o.Annotations[argoOptions]; old != "" {
			options = []string{old, argoProtected}
		}
		p.Annotations[argoOptions] = strings.Join(options, ",")
	}
	return &p
}

// unprotected returns the object with the annotations of protection that the other has.
func unprotected(o, like *hedgehog.Object) *hedgehog.Object {
	p := *o
	p.Annotations = maps.Clone(o.Annotations)
	for _, name := range []string{fluxPrune, argoOptions} {
		if value, ok := like.Annotations[name]; ok {
			p.Annotations[name] = value
		} else {
			delete(p.Annotations, name)
		}
	}
	return &p
}

// halfway returns the form that an object has to go through on its way, nil when it goes
// directly.
func (g *graph) halfway(c *change) *hedgehog.Object {
	switch after := c.after.Spec.(type) {
	case *hedgehog.SwitchSpec:
		before, ok := c.before.Spec.(*hedgehog.SwitchSpec)
		if ok && hedgehog.BreakoutsFixed(before, after) && before.RoCE != after.RoCE {
			return half(c.before, c.after)
		}
	case *hedgehog.IPv4NamespaceSpec, *hedgehog.VLANNamespaceSpec:
		if sameRanges(c) {
			return nil
		}
		leaves, comes := false, false
		for _, vpc := range g.vpcsOf(c.key.Name) {
			leaves = leaves || len(hedgehog.Outside(c.after, vpc)) > 0
		}
		for _, other := range g.order {
			comes = comes || other.key.Kind == hedgehog.KindVPC && other.after != nil && !hedgehog.Fits(c.before, other.after)
		}
		if leaves && comes {
			return half(c.before, c.after)
		}
	}
	return nil
}

// vpcsOf returns the VPCs that are merged and that the cluster looks at when a namespace
// changes.
func (g *graph) vpcsOf(namespace string) []*hedgehog.Object {
	if g.vpcs == nil {
		g.vpcs = map[string][]*hedgehog.Object{}
		for o, s := range hedgehog.Each[*hedgehog.VPCSpec](g.merged.Objects) {
			name := s.IPv4Namespace
			if name == "" {
				name = "default"
			}
			g.vpcs[name] = append(g.vpcs[name], o)
		}
	}
	return g.vpcs[namespace]
}

// half returns the form between two of one object: a namespace has the pools of both, a
// switch changes its breakouts while RoCE is off.
func half(was, is *hedgehog.Object) *hedgehog.Object {
	switch after := is.Spec.(type) {
	case *hedgehog.SwitchSpec:
		from := is // RoCE is switched on last
		if !after.RoCE {
			from = was // and off first
		}
		o := clone(from)
		o.Spec.(*hedgehog.SwitchSpec).RoCE = false
		return o
	case *hedgehog.IPv4NamespaceSpec:
		o := clone(is)
		o.Spec.(*hedgehog.IPv4NamespaceSpec).Subnets = joinedNetworks(was.Spec.(*hedgehog.IPv4NamespaceSpec).Subnets, after.Subnets)
		return o
	case *hedgehog.VLANNamespaceSpec:
		o := clone(is)
		o.Spec.(*hedgehog.VLANNamespaceSpec).Ranges = joinedRanges(was.Spec.(*hedgehog.VLANNamespaceSpec).Ranges, after.Ranges)
		return o
	}
	return is
}

// clone returns a copy of an object whose spec shares nothing with it.
func clone(o *hedgehog.Object) *hedgehog.Object {
	c := *o
	c.Spec = hedgehog.New(o.Kind, o.Name).Spec
	text, err := json.Marshal(o.Spec)
	if err == nil {
		err = json.Unmarshal(text, c.Spec)
	}
	if err != nil {
		panic(err) // a spec that was read is one that can be written and read
	}
	return &c
}

// joinedNetworks returns networks that cover both lists, none within another.
func joinedNetworks(a, b []string) []string {
	var joined []string
	var taken []netip.Prefix
	all := slices.Concat(a, b)
	slices.SortStableFunc(all, func(x, y string) int { return bits(x) - bits(y) })
	for _, text := range all {
		p, err := netip.ParsePrefix(text)
		if err == nil && slices.ContainsFunc(taken, func(t netip.Prefix) bool { return t.Overlaps(p) }) {
			continue
		}
		taken, joined = append(taken, p), append(joined, text)
	}
	slices.Sort(joined)
	return joined
}

func bits(text string) int {
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return 0
	}
	return p.Bits()
}

// joinedRanges returns the ranges of VLANs that are in one of the lists.
func joinedRanges(a, b []hedgehog.VLANRange) []hedgehog.VLANRange {
	all := slices.Concat(a, b)
	for i := range all {
		if all[i].To == 0 {
			all[i].To = all[i].From
		}
	}
	slices.SortFunc(all, func(x, y hedgehog.VLANRange) int { return int(x.From) - int(y.From) })
	var joined []hedgehog.VLANRange
	for _, r := range all {
		if last := len(joined) - 1; last >= 0 && int(r.From) <= int(joined[last].To)+1 {
			joined[last].To = max(joined[last].To, r.To)
			continue
		}
		joined = append(joined, r)
	}
	return joined
}
