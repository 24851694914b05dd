package rollout

import (
	"cmp"
	"slices"
)

// wave returns the actions of the next step: all that nothing keeps for a later one. It
// is empty when nothing is left.
func (g *graph) wave() []int {
	in := map[int]bool{}
	for _, n := range g.rank() {
		if g.nodes[n].level == 0 {
			in[n] = true
		}
	}
	for {
		late := g.late(in)
		if len(late) == 0 {
			break
		}
		for _, n := range late {
			g.nodes[n].late = true
		}
		// What waits for something late is late too.
		for len(late) > 0 {
			n := late[len(late)-1]
			late = late[:len(late)-1]
			if !in[n] {
				continue
			}
			delete(in, n)
			for _, e := range g.nodes[n].after {
				late = append(late, e.to)
			}
		}
	}
	wave := make([]int, 0, len(in))
	for n := range in {
		wave = append(wave, n)
	}
	slices.Sort(wave)
	return wave
}

// rank returns the actions that are left, each after those that it waits for, and sets
// their levels, depths and tails.
func (g *graph) rank() []int {
	waits := make([]int, len(g.nodes))
	for i := range g.nodes {
		n := &g.nodes[i]
		n.level, n.depth, n.tail = 0, 0, 0
		if n.done {
			continue
		}
		for _, e := range n.after {
			waits[e.to]++
		}
	}
	var order []int
	for i := range g.nodes {
		if !g.nodes[i].done && waits[i] == 0 {
			order = append(order, i)
		}
	}
	for at := 0; at < len(order); at++ {
		n := &g.nodes[order[at]]
		for _, e := range n.after {
			to := &g.nodes[e.to]
			level, depth := n.level, n.depth+1
			if e.strict {
				level, depth = level+1, 0
			}
			if level > to.level {
				to.level, to.depth = level, depth
			} else if level == to.level {
				to.depth = max(to.depth, depth)
			}
			if waits[e.to]--; waits[e.to] == 0 {
				order = append(order, e.to)
			}
		}
	}
	for _, i := range slices.Backward(order) {
		n := &g.nodes[i]
		for _, e := range n.after {
			tail := g.nodes[e.to].tail
			if e.strict {
				tail++
			}
			n.tail = max(n.tail, tail)
		}
	}
	return order
}

// late returns, of the actions in one merge, some for which a controller would wait in a
// ring. Of a ring those go later that have the least behind them, and of these the ones
// that wait for most: what others wait for stays.
func (g *graph) late(in map[int]bool) []int {
	var late []int
	for _, events := range []*events{g.flux(in), g.argo(in)} {
		for _, ring := range events.rings() {
			best := slices.DeleteFunc(ring, func(n int) bool { return g.nodes[n].depth == 0 })
			order := func(a, b int) int {
				x, y := &g.nodes[a], &g.nodes[b]
				return cmp.Or(cmp.Compare(x.tail, y.tail), cmp.Compare(y.depth, x.depth))
			}
			first := slices.MinFunc(best, order)
			for _, n := range best {
				if order(first, n) == 0 {
					late = append(late, n)
				}
			}
		}
	}
	return late
}

// events are what a controller does, and for which event each waits.
type events struct {
	ids   map[any]int
	after [][]wait
}

// wait is an event that waits for another because an action waits.
type wait struct{ to, action int }

func (e *events) id(of any) int {
	id, ok := e.ids[of]
	if !ok {
		id = len(e.after)
		e.ids[of] = id
		e.after = append(e.after, nil)
	}
	return id
}

func (e *events) wait(first, then any, action int) {
	from := e.id(first)
	e.after[from] = append(e.after[from], wait{e.id(then), action})
}

// rings returns for each ring of events the actions for which they wait.
func (e *events) rings() [][]int {
	var rings [][]int
	ring := make([]int, len(e.after)) // of each event, from 1
	components(len(e.after), func(i int) int { return len(e.after[i]) }, func(i, k int) int { return e.after[i][k].to }, func(component []int) {
		looped := len(component) > 1
		for _, w := range e.after[component[0]] {
			looped = looped || w.to == component[0]
		}
		if !looped {
			return
		}
		rings = append(rings, nil)
		for _, i := range component {
			ring[i] = len(rings)
		}
		for _, i := range component {
			for _, w := range e.after[i] {
				if ring[w.to] == len(rings) {
					rings[len(rings)-1] = append(rings[len(rings)-1], w.action)
				}
			}
		}
	})
	return rings
}

// applied and pruned are events of a root, deleted one of an object.
type (
	applied string
	pruned  string
	deleted int
)

// flux returns what Flux does: it tries all that is in a root against the cluster, applies
// it when nothing is refused, and then deletes what left the root, object by object.
func (g *graph) flux(in map[int]bool) *events {
	e := &events{ids: map[any]int{}}
	for _, i := range sortedNodes(in) {
		n := &g.nodes[i]
		var event any = applied(g.place(i, in))
		if n.action == remove {
			if !g.isPruned(n) {
				continue
			}
			event = deleted(i)
			e.wait(applied(n.change.from), event, i)
		}
		g.eachAfter(n, in, func(to int) {
			if b := &g.nodes[to]; b.action == remove {
				e.wait(event, deleted(to), to)
			} else {
				e.wait(event, applied(g.place(to, in)), to)
			}
		})
	}
	return e
}

// argo returns what Argo CD does: it deletes what left a root, and when nothing of that
// is refused it applies what is in the root, object by object.
func (g *graph) argo(in map[int]bool) *events {
	e := &events{ids: map[any]int{}}
	for _, i := range sortedNodes(in) {
		n := &g.nodes[i]
		if n.action == remove {
			if !g.isPruned(n) {
				continue
			}
			e.wait(i, pruned(n.change.from), i)
		} else {
			e.wait(pruned(g.place(i, in)), i, i)
		}
		g.eachAfter(n, in, func(to int) { e.wait(i, to, to) })
	}
	return e
}

// eachAfter calls do for what waits in the same merge.
func (g *graph) eachAfter(n *node, in map[int]bool, do func(int)) {
	for _, e := range n.after {
		if in[e.to] {
			if b := &g.nodes[e.to]; b.action != remove || g.isPruned(b) {
				do(e.to)
			}
		}
	}
}

// isPruned reports whether a controller deletes what is removed.
func (g *graph) isPruned(n *node) bool { return g.prune && !isSpared(n.change.before) }

// place returns the root in which an action takes place when so many are in one merge.
func (g *graph) place(i int, in map[int]bool) string {
	n := &g.nodes[i]
	if (n.action == update || n.action == interim) && n.change.moves() {
		if moved := n.change.nodes[move]; in[moved] || g.nodes[moved].done {
			return n.change.to
		}
	}
	return n.root()
}

func sortedNodes(in map[int]bool) []int {
	list := make([]int, 0, len(in))
	for n := range in {
		list = append(list, n)
	}
	slices.Sort(list)
	return list
}

// components calls found with each strongly connected component of a graph of so many
// nodes, by Tarjan's algorithm, without recursion.
func components(nodes int, degree func(int) int, neighbour func(int, int) int, found func([]int)) {
	index, low := make([]int, nodes), make([]int, nodes) // from 1; 0 is not seen yet
	on := make([]bool, nodes)
	var stack []int
	type frame struct{ node, next int }
	var frames []frame
	count := 0
	for start := range nodes {
		if index[start] > 0 {
			continue
		}
		frames = append(frames, frame{start, 0})
		for len(frames) > 0 {
			f := &frames[len(frames)-1]
			n := f.node
			if f.next == 0 {
				count++
				index[n], low[n], on[n] = count, count, true
				stack = append(stack, n)
			}
			if f.next < degree(n) {
				to := neighbour(n, f.next)
				f.next++
				if index[to] == 0 {
					frames = append(frames, frame{to, 0})
				} else if on[to] {
					low[n] = min(low[n], index[to])
				}
				continue
			}
			frames = frames[:len(frames)-1]
			if len(frames) > 0 {
				up := frames[len(frames)-1].node
				low[up] = min(low[up], low[n])
			}
			if low[n] == index[n] {
				at := slices.Index(stack, n)
				component := slices.Clone(stack[at:])
				stack = stack[:at]
				for _, member := range component {
					on[member] = false
				}
				found(component)
			}
		}
	}
}
