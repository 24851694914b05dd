package rollout

import (
	"slices"
	"strings"

	"hedgehog-gitops/render/hedgehog"
)

// untie replaces what stands on something that has to go before it can stand on anything
// else: a connection that keeps its name while the switch behind it is renamed, an
// attachment that leads to the new connection on the port of the old one.
func (g *graph) untie() {
	for {
		var found []*change
		g.knots(func(in map[int]bool) {
			for i := range in {
				n := &g.nodes[i]
				if n.action != update || !canBeReplaced(n.change.key.Kind) || n.change.replaced != nil {
					continue
				}
				for _, e := range n.after {
					if to := &g.nodes[e.to]; in[e.to] && to.action == remove && e.why.Rule == Holds {
						n.change.replaced = &Reason{Rule: Stands, Object: n.change.key, Other: to.change.key}
						found = append(found, n.change)
						break
					}
				}
			}
		})
		if len(found) == 0 {
			return
		}
		slices.SortFunc(found, func(a, b *change) int { return a.key.Compare(b.key) })
		g.replace(found)
		g.issues = nil // build tells them again
		g.build()
	}
}

// knots calls found with the actions of each ring in which all wait for each other.
func (g *graph) knots(found func(map[int]bool)) {
	components(len(g.nodes), func(i int) int { return len(g.nodes[i].after) }, func(i, k int) int { return g.nodes[i].after[k].to }, func(component []int) {
		if len(component) < 2 {
			return
		}
		in := map[int]bool{}
		for _, i := range component {
			in[i] = true
		}
		found(in)
	})
}

// tell tells about rings that no step unties, and what no form of a switch leads to.
func (g *graph) tell(settings hedgehog.Settings) {
	for _, c := range g.order {
		before, ok := spec[*hedgehog.SwitchSpec](c.before)
		after, okay := spec[*hedgehog.SwitchSpec](c.after)
		if ok && okay && before.RoCE && after.RoCE && hedgehog.BreakoutsFixed(before, after) {
			g.issues = append(g.issues, hedgehog.Issue{Rule: "rollout-roce", Severity: hedgehog.Error, Object: c.key, Field: "spec.portBreakouts", Origin: c.after.Origin(),
				Summary: c.key.String() + " has RoCE on and other breakouts: the cluster keeps them while RoCE is on",
				Hint:    "switch RoCE off in NetBox, merge that, and switch it on with the new breakouts"})
		}
	}
	var free *spares
	g.knots(func(in map[int]bool) {
		if free == nil {
			free = newSpares(g, settings)
		}
		g.issues = append(g.issues, g.knot(in, free))
	})
}

func spec[S hedgehog.Spec](o *hedgehog.Object) (s S, ok bool) {
	if o == nil {
		return s, false
	}
	s, ok = o.Spec.(S)
	return s, ok
}

// knot is the issue about actions that all wait for each other.
func (g *graph) knot(in map[int]bool, free *spares) hedgehog.Issue {
	// One that leads through spare values lets all others go: the one that has to give up
	// the least, and of two alike the last.
	type giver struct {
		node int
		what []edge
	}
	var best giver
	for _, i := range sortedNodes(in) {
		n := &g.nodes[i]
		var what []edge
		for _, e := range n.after {
			if in[e.to] && e.why.Rule == Takes {
				what = append(what, e)
			}
		}
		if n.action == update && len(what) > 0 && (best.what == nil || len(what) <= len(best.what)) {
			best = giver{i, what}
		}
	}
	var names []string
	for _, i := range sortedNodes(in) {
		if name := g.nodes[i].change.key.String(); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if best.what == nil {
		c := g.nodes[sortedNodes(in)[0]].change
		return hedgehog.Issue{Rule: "rollout-ring", Severity: hedgehog.Error, Object: c.key, Origin: c.origin(),
			Summary: "the changes of " + strings.Join(names, ", ") + " wait for each other: the cluster takes none of them first",
			Hint:    "change one of them in NetBox alone, merge that, then change the others"}
	}
	c := g.nodes[best.node].change
	to := g.nodes[best.what[0].to].change
	var gives, through []string
	for _, e := range best.what {
		gives = append(gives, e.why.What)
		if e.why.Other == c.key {
			through = append(through, free.instead(c, e.why.claim))
		}
	}
	what := strings.Join(slices.Compact(gives), ", ")
	verb := " exchange what only one can have"
	others := ""
	if len(names) > 2 {
		others = " (with " + strings.Join(slices.DeleteFunc(slices.Clone(names), func(n string) bool { return n == c.key.String() || n == to.key.String() }), ", ") + ")"
	}
	return hedgehog.Issue{Rule: "rollout-swap", Severity: hedgehog.Error, Object: c.key, Field: free.field(c, best.what[0].why.claim), Origin: c.origin(),
		Summary: c.key.String() + " and " + to.key.String() + others + verb + ", " + what + " among it: the cluster refuses either while the other has it, and no order of steps leaves both in place",
		Hint:    "give " + c.key.String() + " " + strings.Join(slices.Compact(through), ", ") + " in NetBox instead of what it shall get, merge that, then give it what it shall get"}
}

// origin is where the object comes from.
func (c *change) origin() hedgehog.Origin {
	if c.after != nil {
		return c.after.Origin()
	}
	return c.before.Origin()
}
