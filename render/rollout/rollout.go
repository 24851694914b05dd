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
	// Earlier is what the files gave the cluster before the last merge, which the cluster
	// may still be at; zero when nobody knows.
	Earlier Placed
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
	in.Merged, in.Wanted, in.Earlier = in.Merged.filled(), in.Wanted.filled(), in.Earlier.filled()
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
// on and the last merge brought.
func (s *Step) wait(in Input) {
	if in.Earlier.Objects.Len() == 0 {
		return
	}
	earlier, now, next := in.Earlier.Objects, in.Merged.Objects, s.Objects.Objects
	gone, present, protected := map[hedgehog.Key]bool{}, map[hedgehog.Key]bool{}, map[hedgehog.Key]bool{}
	for o := range earlier.All() {
		if now.Get(o.Kind, o.Name) == nil && next.Get(o.Kind, o.Name) != nil {
			gone[o.Key()] = true // it was removed to come again
		}
	}
	g := newGraph(in.Earlier, s.Objects, in.Prune)
	g.wave()
	for i := range g.nodes {
		a := &g.nodes[i]
		key := a.change.key
		for _, e := range a.after {
			b := g.nodes[e.to].change.key
			if !g.isApart(e) || !differs(now, next, b) || differs(now, next, key) && a.action != remove {
				continue // that is not of this step, or the whole of it is
			}
			switch {
			case a.action == remove && now.Get(key.Kind, key.Name) == nil:
				gone[key] = true
			case (a.action == create || a.action == update || a.action == interim) && differs(earlier, now, key):
				present[key] = true
			}
		}
	}
	for o := range now.All() {
		was := earlier.Get(o.Kind, o.Name)
		if isProtected(o) && (was == nil || !isProtected(was)) && in.Merged.Roots[o.Key()] != s.Objects.Roots[o.Key()] && next.Get(o.Kind, o.Name) != nil {
			protected[o.Key()] = true
		}
	}
	s.Gone, s.Present, s.Protected = sorted(gone), sorted(present), sorted(protected)
	for _, key := range s.Gone {
		if !in.Prune || isSpared(earlier.Get(key.Kind, key.Name)) {
			s.Unpruned = append(s.Unpruned, key)
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
