// Package rollout decides what of a change can be merged at once: a controller
// applies roots one by one, and some changes get stuck when the new objects meet
// the old ones.
//
//	[Next]  what is merged + what is wanted -> the next [Step]
//
// It thinks in actions: an object is created, changed, removed, protected, moved. What
// has to happen before what follows from what the cluster's webhooks refuse, and makes
// a graph of the actions (change.go, edges.go). An action that waits for one of the same
// merge is fine as long as no controller waits in a ring for it (wave.go); one that
// cannot wait comes with a later step. Where actions wait for each other whatever the
// steps are, something that stands on what goes is replaced with it, or people have to
// go through a spare value (ring.go, spare.go).
//
// The package is pure, and takes time linear in the objects but for sorting them.
package rollout

import (
	"slices"

	"hedgehog-gitops/render/hedgehog"
)

// Placed are objects as a cluster gets them, after people's patches, and the root that
// each of them is in.
type Placed struct {
	Objects *hedgehog.Fabric
	Roots   map[hedgehog.Key]string
}

// Input is what [Next] decides from.
type Input struct {
	// Merged is what the merged files give the cluster, Wanted what they shall give it.
	Merged, Wanted Placed
	// Prune is whether the controllers delete what leaves its root.
	Prune bool
	// Settings are those of the installation: spare values come from its pools.
	Settings hedgehog.Settings
	// Earlier is what the files gave the cluster before the last merge, and before people
	// changed them since: the cluster may still be at any of it.
	Earlier []Placed
}

// Step is one merge of those that a change takes.
type Step struct {
	// Number counts from 1, that of the next step, to Of; a change that is none takes 1.
	Number, Of int
	// Objects are what the files give the cluster after the step.
	Objects Placed
	// Forms are of the objects that are not as wanted after the step, or not where.
	Forms map[hedgehog.Key]Form
	// Reasons say why something has to wait for a later step.
	Reasons []Reason
	// Gone must no longer be in the cluster before the step is merged. Present must be
	// there as they are merged, Protected must be protected there.
	Gone, Present, Protected []hedgehog.Key
	// Unpruned are those of Gone that no controller deletes.
	Unpruned []hedgehog.Key
	// Issues are about what no sequence of steps can do.
	Issues hedgehog.Issues
}

// Next returns the next step from what is merged to what is wanted: one in which neither
// Argo CD nor Flux gets stuck, whichever roots are at what is merged and whichever at the
// step, and deletes nothing that stays. With an error among the issues the step is
// nothing.
func Next(in Input) Step {
	in.Merged, in.Wanted = in.Merged.filled(), in.Wanted.filled()
	g := newGraph(in.Merged, in.Wanted, in.Prune)
	g.untie()
	if g.tell(in.Settings); g.issues.Worst() == hedgehog.Error {
		g.issues.Sort()
		return Step{Number: 1, Of: 1, Objects: in.Merged, Issues: g.issues}
	}
	step := Step{Number: 1, Issues: g.issues}
	step.Issues.Sort()
	for {
		wave := g.wave()
		step.Of++
		if step.Of == 1 {
			for _, n := range wave {
				g.nodes[n].done = true
			}
			step.Forms = g.forms()
			step.Reasons = g.reasons()
			step.Objects = g.standing(step.Forms)
			continue
		}
		if len(wave) == 0 {
			step.Of = max(step.Of-1, 1)
			break
		}
		for _, n := range wave {
			g.nodes[n].done = true
		}
	}
	step.wait(in)
	return step
}

// filled returns the same with maps that can be read.
func (p Placed) filled() Placed {
	if p.Objects == nil {
		p.Objects = &hedgehog.Fabric{}
	}
	return p
}

// wait notes what must be true of the cluster before the step is merged: what it builds
// on and what was merged lately.
func (s *Step) wait(in Input) {
	w := waiting{
		now: in.Merged.Objects, next: s.Objects.Objects, prune: in.Prune,
		gone: map[hedgehog.Key]bool{}, present: map[hedgehog.Key]bool{}, protected: map[hedgehog.Key]bool{}, unpruned: map[hedgehog.Key]bool{},
	}
	for _, earlier := range in.Earlier {
		w.since(earlier.filled(), s.Objects)
		for o := range in.Merged.Objects.All() {
			was := earlier.filled().Objects.Get(o.Kind, o.Name)
			moves := in.Merged.Roots[o.Key()] != s.Objects.Roots[o.Key()] && w.next.Get(o.Kind, o.Name) != nil
			if moves && isProtected(o) && (was == nil || !isProtected(was)) {
				w.protected[o.Key()] = true
			}
		}
	}
	s.Gone, s.Present, s.Protected, s.Unpruned = sorted(w.gone), sorted(w.present), sorted(w.protected), sorted(w.unpruned)
}

// waiting collects what must be true of the cluster: see [Step].
type waiting struct {
	now, next                          *hedgehog.Fabric
	prune                              bool
	gone, present, protected, unpruned map[hedgehog.Key]bool
}

// since notes what the step builds on of what became of the files since they were so.
func (w *waiting) since(earlier, step Placed) {
	gone := map[hedgehog.Key]bool{}
	for o := range earlier.Objects.All() {
		if w.now.Get(o.Kind, o.Name) == nil && w.next.Get(o.Kind, o.Name) != nil {
			gone[o.Key()] = true // it was removed to come again
		}
	}
	g := newGraph(earlier, step, w.prune)
	g.wave()
	for i := range g.nodes {
		a := &g.nodes[i]
		key := a.change.key
		for _, e := range a.after {
			b := g.nodes[e.to].change.key
			if !g.isApart(e) || !differs(w.now, w.next, b) || differs(w.now, w.next, key) && a.action != remove {
				continue // that is not of this step, or the whole of it is
			}
			switch {
			case a.action == remove && w.now.Get(key.Kind, key.Name) == nil:
				gone[key] = true
			case (a.action == create || a.action == update || a.action == interim) && differs(earlier.Objects, w.now, key):
				w.present[key] = true
			}
		}
	}
	// What people have to delete lets go of nothing that others hold.
	holders := map[hedgehog.Key][]hedgehog.Key{}
	var open []hedgehog.Key
	for _, key := range sorted(gone) {
		w.gone[key] = true
		if !w.prune || isSpared(earlier.Objects.Get(key.Kind, key.Name)) {
			w.unpruned[key] = true
			open = append(open, key)
		}
	}
	if len(open) == 0 {
		return
	}
	for o := range earlier.Objects.All() {
		if w.now.Get(o.Kind, o.Name) == nil {
			for _, key := range hedgehog.Holds(o) {
				holders[key] = append(holders[key], o.Key())
			}
		}
	}
	for ; len(open) > 0; open = open[1:] {
		for _, key := range holders[open[0]] {
			if !w.unpruned[key] {
				w.gone[key], w.unpruned[key] = true, true
				open = append(open, key)
			}
		}
	}
}

// differs reports whether an object is another in the two fabrics.
func differs(a, b *hedgehog.Fabric, key hedgehog.Key) bool {
	x, y := a.Get(key.Kind, key.Name), b.Get(key.Kind, key.Name)
	return (x == nil) != (y == nil) || x != nil && !same(x, y)
}

func sorted(set map[hedgehog.Key]bool) []hedgehog.Key {
	var keys []hedgehog.Key
	for key := range set {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, hedgehog.Key.Compare)
	return keys
}
