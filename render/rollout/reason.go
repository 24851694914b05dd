package rollout

import (
	"slices"
	"strings"

	"hedgehog-gitops/render/hedgehog"
)

// Rule says what kind of reason something is.
type Rule string

// The rules.
const (
	// Takes: Object takes over What of Other, and both cannot have it.
	Takes Rule = "takes"
	// Recreated: VPC Object takes over What of VPC Other, which is deleted; too soon it
	// would get the other's VNI too.
	Recreated Rule = "recreated"
	// Fixed: Object cannot change as What says, so it is deleted and created again.
	Fixed Rule = "fixed"
	// Stands: Object stands on Other, which is deleted, so it is deleted with it and
	// created again.
	Stands Rule = "stands"
	// Moves: Object comes into another root, and is protected first.
	Moves Rule = "moves"
	// Needs: Object needs Other as it shall be, which comes with the same root or waits
	// for the root of Object.
	Needs Rule = "needs"
	// Holds: Object is deleted, and Other uses it until it has changed.
	Holds Rule = "holds"
	// Shrinks: namespace Object gives up what What of VPC Other has.
	Shrinks Rule = "shrinks"
	// Widens: namespace Object gives up pools while VPCs come into new ones.
	Widens Rule = "widens"
	// RoCE: switch Object changes its breakouts, which RoCE does not let it.
	RoCE Rule = "roce"
	// Order: something about Object comes before the rest of it.
	Order Rule = "order"
)

// Reason says why something has to wait for a later step.
type Reason struct {
	Rule          Rule
	Object, Other hedgehog.Key
	What          string
	// More are how many further objects it is true of; of Moves alone.
	More int

	claim hedgehog.Claim
}

// halfReason is why an object goes through a form in between.
func (g *graph) halfReason(c *change) Reason {
	rule := Widens
	if c.key.Kind == hedgehog.KindSwitch {
		rule = RoCE
	}
	return Reason{Rule: rule, Object: c.key}
}

// reasons returns why actions that are not done wait for those that are.
func (g *graph) reasons() []Reason {
	var list []Reason
	moves := -1
	at := map[Reason]int{} // by what they are about
	for i := range g.nodes {
		a := &g.nodes[i]
		if !a.done {
			continue
		}
		for _, e := range a.after {
			if g.nodes[e.to].done || !g.isApart(e) {
				continue
			}
			why := e.why
			if why.Rule == Moves {
				if moves >= 0 {
					list[moves].More++
					continue
				}
				moves = len(list)
			}
			about := Reason{Rule: why.Rule, Object: why.Object, Other: why.Other}
			if first, ok := at[about]; ok && why.Rule != Moves {
				what := append(strings.Split(list[first].What, ", "), why.What)
				slices.Sort(what)
				list[first].What = strings.Join(slices.Compact(what), ", ")
				continue
			}
			at[about] = len(list)
			list = append(list, why)
		}
	}
	list = slices.DeleteFunc(list, func(r Reason) bool {
		_, widens := at[Reason{Rule: Widens, Object: r.Object}]
		return r.Rule == Shrinks && widens
	})
	rank := func(r Reason) int {
		return slices.Index([]Rule{Recreated, Takes, Fixed, RoCE, Widens, Shrinks, Holds, Needs, Moves, Order, Stands}, r.Rule)
	}
	slices.SortStableFunc(list, func(a, b Reason) int { return rank(a) - rank(b) })
	return list
}
