package rollout

import (
	"reflect"
	"slices"

	"hedgehog-gitops/render/hedgehog"
)

// action is what happens to an object in one merge.
type action int

const (
	// remove: it leaves its root.
	remove action = iota
	// create: it comes into its root.
	create
	// interim: it becomes something between what it was and what it shall be.
	interim
	// update: it becomes what it shall be.
	update
	// protect: it is marked so that no controller deletes it when it leaves its root.
	protect
	// move: it leaves its root and comes into another.
	move
)

const actions = int(move) + 1

// change is what becomes of one object.
type change struct {
	key           hedgehog.Key
	before, after *hedgehog.Object // nil where there is none
	from, to      string           // roots
	// nodes are those of its actions, -1 for none.
	nodes [actions]int
	// replaced is why the object is deleted and created again, with what it stands on or
	// because it cannot change; nil when it is not.
	replaced *Reason
	// half is the form in between, when there is one.
	half *hedgehog.Object
}

// moves reports whether the object changes root without being deleted.
func (c *change) moves() bool { return c.nodes[move] >= 0 }

// node is an action on an object.
type node struct {
	action action
	change *change
	// after are the actions that wait for this one.
	after []edge
	done  bool
	// late is whether it goes later because else a controller waits in a ring.
	late bool
	// level is in how many merges at the earliest, tail how many have to follow; depth is
	// how many of the same merge come before it.
	level, tail, depth int
}

// edge is an action that waits for another.
type edge struct {
	to int
	// strict is whether it has to wait for a later step, whatever else happens.
	strict bool
	why    Reason
}

// graph is everything that happens, and what waits for what.
type graph struct {
	merged, wanted Placed
	prune          bool
	changes        map[hedgehog.Key]*change
	order          []*change // sorted
	nodes          []node
	// vpcs are those that are merged, by their IPv4 namespace; nil when nobody asked.
	vpcs   map[string][]*hedgehog.Object
	issues hedgehog.Issues
}

// newGraph returns what leads from what is merged to what is wanted.
func newGraph(merged, wanted Placed, prune bool) *graph {
	g := &graph{merged: merged, wanted: wanted, prune: prune, changes: map[hedgehog.Key]*change{}}
	add := func(c *change) {
		for i := range c.nodes {
			c.nodes[i] = -1
		}
		g.changes[c.key] = c
		g.order = append(g.order, c)
	}
	for b := range merged.Objects.All() {
		key := b.Key()
		c := &change{key: key, before: b, after: wanted.Objects.Get(b.Kind, b.Name), from: merged.Roots[key], to: wanted.Roots[key]}
		if c.after == nil || c.from != c.to || !same(b, c.after) {
			add(c)
		}
	}
	for w := range wanted.Objects.All() {
		if key := w.Key(); merged.Objects.Get(w.Kind, w.Name) == nil {
			add(&change{key: key, after: w, to: wanted.Roots[key]})
		}
	}
	slices.SortFunc(g.order, func(a, b *change) int { return a.key.Compare(b.key) })
	g.replaceFixed()
	g.build()
	return g
}

// same reports whether two forms of an object are the same to a cluster.
func same(a, b *hedgehog.Object) bool {
	return a == b || a.APIVersion == b.APIVersion && a.Namespace == b.Namespace &&
		equalMaps(a.Labels, b.Labels) && equalMaps(a.Annotations, b.Annotations) &&
		reflect.DeepEqual(a.Spec, b.Spec) && (len(a.Leftovers)+len(b.Leftovers) == 0 || reflect.DeepEqual(a.Leftovers, b.Leftovers))
}

func equalMaps(a, b map[string]string) bool {
	if len(a) != len(b) {
		return false
	}
	for k, v := range a {
		if w, ok := b[k]; !ok || v != w {
			return false
		}
	}
	return true
}

// replaceFixed finds what cannot become what it shall be under its name, and what stands
// on that: all of it is deleted and created again.
func (g *graph) replaceFixed() {
	var found []*change
	for _, c := range g.order {
		if c.before == nil || c.after == nil {
			continue
		}
		if what := hedgehog.Fixed(c.before, c.after); what != "" {
			c.replaced = &Reason{Rule: Fixed, Object: c.key, What: what}
			found = append(found, c)
		}
	}
	g.replace(found)
}

// replace lets everything go that stands on something that is replaced, and come again.
func (g *graph) replace(found []*change) {
	if len(found) == 0 {
		return
	}
	holders := map[hedgehog.Key][]*hedgehog.Object{}
	for o := range g.wanted.Objects.All() {
		if !canBeReplaced(o.Kind) || g.merged.Objects.Get(o.Kind, o.Name) == nil {
			continue
		}
		for _, key := range hedgehog.Holds(o) {
			holders[key] = append(holders[key], o)
		}
	}
	for len(found) > 0 {
		on := found[0]
		found = found[1:]
		for _, o := range holders[on.key] {
			key, b := o.Key(), g.merged.Objects.Get(o.Kind, o.Name)
			c := g.changes[key]
			if c == nil {
				c = &change{key: key, before: b, after: o, from: g.merged.Roots[key], to: g.wanted.Roots[key]}
				g.changes[key] = c
				g.order = append(g.order, c)
			}
			if c.replaced != nil || !slices.Contains(hedgehog.Holds(b), on.key) {
				continue
			}
			c.replaced = &Reason{Rule: Stands, Object: key, Other: on.key}
			found = append(found, c)
		}
	}
	slices.SortFunc(g.order, func(a, b *change) int { return a.key.Compare(b.key) })
}

// canBeReplaced reports whether an object of the kind is nothing without what it stands
// on: it says how other objects are joined.
func canBeReplaced(kind hedgehog.Kind) bool {
	switch kind {
	case hedgehog.KindConnection, hedgehog.KindVPCAttachment, hedgehog.KindVPCPeering, hedgehog.KindExternalAttachment, hedgehog.KindExternalPeering:
		return true
	}
	return false
}

// build makes the actions of every change and what waits for what.
func (g *graph) build() {
	g.nodes = g.nodes[:0]
	for _, c := range g.order {
		for i := range c.nodes {
			c.nodes[i] = -1
		}
		add := func(a action) {
			c.nodes[a] = len(g.nodes)
			g.nodes = append(g.nodes, node{action: a, change: c})
		}
		switch {
		case c.after == nil:
			add(remove)
		case c.before == nil:
			add(create)
		case c.replaced != nil:
			add(remove)
			add(create)
		default:
			g.changeInPlace(c, add)
		}
	}
	g.link()
}

// changeInPlace makes the actions of an object that stays.
func (g *graph) changeInPlace(c *change, add func(action)) {
	before, after := c.before, c.after
	if c.from != c.to {
		if isProtected(before) {
			before = unprotected(before, after)
		} else if g.prune {
			add(protect)
		}
		add(move)
	}
	if same(before, after) {
		return
	}
	if c.half = g.halfway(c); c.half != nil {
		add(interim)
	}
	add(update)
}

// wait lets one action wait for another; -1 is none.
func (g *graph) wait(first, then int, strict bool, why Reason) {
	if first < 0 || then < 0 || first == then {
		return
	}
	n := &g.nodes[first]
	if first, then := n.change, g.nodes[then].change; first == then && why.Rule == "" {
		why = Reason{Rule: Order, Object: first.key}
	}
	n.after = append(n.after, edge{then, strict, why})
}

// isApart reports whether an action cannot be in one merge with the one that it waits for.
func (g *graph) isApart(e edge) bool { return e.strict || g.nodes[e.to].late }

// root is where an action of an object that does not move takes place.
func (n *node) root() string {
	switch n.action {
	case create, move:
		return n.change.to
	}
	return n.change.from
}

// oneRoot reports whether two actions take place in one root, whatever the steps.
func (g *graph) oneRoot(a, b int) bool {
	x, y := &g.nodes[a], &g.nodes[b]
	return !x.change.moves() && !y.change.moves() && x.root() == y.root()
}
