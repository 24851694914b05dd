package rollout_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"hedgehog-gitops/render/hedgehog"
	"hedgehog-gitops/render/rollout"
)

// controller is what a model of Argo CD or Flux does.
type controller int

const (
	flux controller = iota
	argo
)

func (c controller) String() string { return []string{"Flux", "Argo CD"}[c] }

// model plays a cluster, its webhooks and a controller that goes from one tree to another,
// every root at its own time. It knows nothing of how rollout decides: the webhooks are
// [hedgehog.Validate] of all that the cluster has, with and without an object.
type model struct {
	controller controller
	prune      bool
	from, to   tree
	keys       []hedgehog.Key
	forms      [][]*hedgehog.Object // of each key; the first is nil, for no object
	known      map[*hedgehog.Object]byte
	still      []bool // roots that want the same before and after
	roots      []string
	judged     map[string]bool
}

// tree is what stands in the files.
type tree map[hedgehog.Key]placed

type placed struct {
	object *hedgehog.Object
	root   string
}

func treeOf(p rollout.Placed) tree {
	t := tree{}
	for o := range p.Objects.All() {
		t[o.Key()] = placed{o, p.Roots[o.Key()]}
	}
	return t
}

func newModel(c controller, prune bool, from, to tree, left []*hedgehog.Object) *model {
	m := &model{controller: c, prune: prune, from: from, to: to, judged: map[string]bool{}, known: map[*hedgehog.Object]byte{}}
	keys, roots := map[hedgehog.Key]bool{}, map[string]bool{}
	for _, t := range []tree{from, to} {
		for key, p := range t {
			keys[key], roots[p.root] = true, true
		}
	}
	for _, o := range left {
		keys[o.Key()] = true
	}
	m.keys = slices.SortedFunc(maps.Keys(keys), hedgehog.Key.Compare)
	m.roots = slices.Sorted(maps.Keys(roots))
	for _, key := range m.keys {
		forms := []*hedgehog.Object{nil}
		add := func(o *hedgehog.Object) {
			at := slices.IndexFunc(forms, func(f *hedgehog.Object) bool { return equal(f, o) })
			if at < 0 {
				at, forms = len(forms), append(forms, o)
			}
			m.known[o] = byte(at)
		}
		for _, t := range []tree{from, to} {
			if o := t[key].object; o != nil {
				add(o)
			}
		}
		for _, o := range left {
			if o.Key() == key {
				add(o)
			}
		}
		m.forms = append(m.forms, forms)
	}
	m.still = make([]bool, len(m.roots))
	for r := range m.roots {
		m.still[r] = true
	}
	for _, key := range m.keys {
		if a, b := from[key], to[key]; a.root != b.root || m.known[a.object] != m.known[b.object] || (a.object == nil) != (b.object == nil) {
			for _, p := range []placed{a, b} {
				if r := slices.Index(m.roots, p.root); r >= 0 {
					m.still[r] = false
				}
			}
		}
	}
	return m
}

// equal compares what is written.
func equal(a, b *hedgehog.Object) bool {
	if a == nil || b == nil || a == b {
		return a == b
	}
	x, err := hedgehog.Marshal(a)
	y, err2 := hedgehog.Marshal(b)
	return err == nil && err2 == nil && string(x) == string(y)
}

// state is the cluster: the form and the owning root of each object, and of each root the
// tree that it is at and whether it applied that.
type state struct {
	form, owner   []byte
	version, done []byte
}

func (s state) key() string {
	return string(s.form) + "|" + string(s.owner) + "|" + string(s.version) + "|" + string(s.done)
}

func (s state) clone() state {
	return state{slices.Clone(s.form), slices.Clone(s.owner), slices.Clone(s.version), slices.Clone(s.done)}
}

const nobody = 255

func (m *model) formOf(_ int, o *hedgehog.Object) byte { return m.known[o] }

// start is the cluster that has applied the tree it comes from, and what is left of
// earlier ones.
func (m *model) start(left []*hedgehog.Object) state {
	s := state{make([]byte, len(m.keys)), make([]byte, len(m.keys)), make([]byte, len(m.roots)), make([]byte, len(m.roots))}
	for r, still := range m.still {
		if s.done[r] = 1; still {
			s.version[r] = 1
		}
	}
	for i, key := range m.keys {
		s.owner[i] = nobody
		if p := m.from[key]; p.object != nil {
			s.form[i], s.owner[i] = m.formOf(i, p.object), byte(slices.Index(m.roots, p.root))
			continue
		}
		for _, o := range left {
			if o.Key() == key {
				s.form[i] = m.formOf(i, o)
			}
		}
	}
	return s
}

// fabric is what the cluster has, with another form of one object.
func (m *model) fabric(s state, i int, form byte) *hedgehog.Fabric {
	f := &hedgehog.Fabric{}
	for k := range m.keys {
		at := s.form[k]
		if k == i {
			at = form
		}
		if at > 0 {
			f.Add(m.forms[k][at])
		}
	}
	return f
}

// refused returns the errors in what a cluster has, as far as they are about an object or
// one of its kind: what else is wrong is nobody's to refuse.
func errorsOf(f *hedgehog.Fabric) map[string]hedgehog.Key {
	found := map[string]hedgehog.Key{}
	for _, i := range hedgehog.Validate(f, hedgehog.DefaultSettings()) {
		if i.Severity == hedgehog.Error {
			found[i.Rule+" "+i.Object.String()+" "+i.Field+" "+i.Summary] = i.Object
		}
	}
	return found
}

// admits reports whether the webhooks let the object become the form.
func (m *model) admits(s state, i int, form byte) bool {
	id := fmt.Sprint(s.form, i, form)
	if known, ok := m.judged[id]; ok {
		return known
	}
	m.judged[id] = m.judge(s, i, form)
	return m.judged[id]
}

func (m *model) judge(s state, i int, form byte) bool {
	key := m.keys[i]
	had := errorsOf(m.fabric(s, i, s.form[i]))
	if form == 0 {
		switch key.Kind {
		case hedgehog.KindVLANNamespace, hedgehog.KindIPv4Namespace, hedgehog.KindSwitch, hedgehog.KindServer, hedgehog.KindConnection, hedgehog.KindVPC, hedgehog.KindExternal:
		default:
			return true
		}
	}
	if s.form[i] > 0 && form > 0 && !turns(m.forms[i][s.form[i]], m.forms[i][form]) {
		return false
	}
	for text, about := range errorsOf(m.fabric(s, i, form)) {
		if _, before := had[text]; before {
			continue
		}
		others := about.Kind != key.Kind // who refers to it, of whom nobody asks
		switch {
		case form == 0, about == key, !others:
			return false
		case key.Kind == hedgehog.KindIPv4Namespace || key.Kind == hedgehog.KindVLANNamespace:
			return false // VPCs that no longer fit
		case strings.HasPrefix(text, "address") || strings.Contains(text, "-address"):
			return false
		}
	}
	return true
}

// turns reports whether a cluster turns one form of an object into another at all.
func turns(was, is *hedgehog.Object) bool {
	switch before := was.Spec.(type) {
	case *hedgehog.ConnectionSpec:
		after := is.Spec.(*hedgehog.ConnectionSpec)
		return (before.Unbundled == nil) == (after.Unbundled == nil) && (before.Bundled == nil) == (after.Bundled == nil) && (before.ESLAG == nil) == (after.ESLAG == nil)
	case *hedgehog.SwitchSpec:
		after := is.Spec.(*hedgehog.SwitchSpec)
		return !before.RoCE && !after.RoCE || maps.Equal(before.PortBreakouts, after.PortBreakouts)
	}
	return true
}

func isProtected(o *hedgehog.Object) bool {
	return o.Annotations["kustomize.toolkit.fluxcd.io/prune"] == "disabled" && strings.Contains(o.Annotations["argocd.argoproj.io/sync-options"], "Prune=false")
}

// set is what a root wants at the tree it is at.
func (m *model) wants(s state, root int) tree {
	all := m.from
	if s.version[root] == 1 {
		all = m.to
	}
	set := tree{}
	for key, p := range all {
		if p.root == m.roots[root] {
			set[key] = p
		}
	}
	return set
}

// next returns what can happen; bad is an object that is deleted and stays.
func (m *model) next(s state) (all []state, bad string) {
	for r := range m.roots {
		if m.still[r] {
			continue
		}
		if s.version[r] == 0 {
			n := s.clone()
			n.version[r], n.done[r] = 1, 0
			all = append(all, n)
		}
		set := m.wants(s, r)
		stale := m.stale(s, r, set)
		if m.controller == flux {
			if n, ok := m.applyAll(s, r, set); ok {
				all = append(all, n)
			}
			if s.done[r] == 0 {
				stale = nil // it deletes after it has applied
			}
		} else if len(stale) == 0 {
			for i, key := range m.keys {
				if p := set[key]; p.object != nil {
					if n, ok := m.applyOne(s, r, i, p.object); ok {
						all = append(all, n)
					}
				}
			}
		}
		for _, i := range stale {
			if m.from[m.keys[i]].object != nil && m.to[m.keys[i]].object != nil {
				return nil, fmt.Sprintf("%s deletes %s, which stays", m.roots[r], m.keys[i]) // be it refused today
			}
			if !m.admits(s, i, 0) {
				continue
			}
			n := s.clone()
			n.form[i], n.owner[i] = 0, nobody
			all = append(all, n)
		}
	}
	return all, ""
}

// stale are the objects of a root in the cluster that it does not want.
func (m *model) stale(s state, r int, set tree) []int {
	var list []int
	if !m.prune {
		return nil
	}
	for i, key := range m.keys {
		if s.form[i] > 0 && int(s.owner[i]) == r && set[key].object == nil && !isProtected(m.forms[i][s.form[i]]) {
			list = append(list, i)
		}
	}
	return list
}

func (m *model) applyOne(s state, r, i int, o *hedgehog.Object) (state, bool) {
	form := m.formOf(i, o)
	if s.form[i] == form && int(s.owner[i]) == r || s.form[i] != form && !m.admits(s, i, form) {
		return s, false
	}
	n := s.clone()
	n.form[i], n.owner[i] = form, byte(r)
	return n, true
}

// applyAll is Flux: all against the cluster as it is, then all.
func (m *model) applyAll(s state, r int, set tree) (state, bool) {
	for i, key := range m.keys {
		if p := set[key]; p.object != nil {
			if form := m.formOf(i, p.object); s.form[i] != form && !m.admits(s, i, form) {
				return s, false
			}
		}
	}
	n := s.clone()
	for i, key := range m.keys {
		if p := set[key]; p.object != nil {
			form := m.formOf(i, p.object)
			if n.form[i] != form && !m.admits(n, i, form) {
				return n, true
			}
			n.form[i], n.owner[i] = form, byte(r)
		}
	}
	n.done[r] = 1
	return n, true
}

// reached reports whether the cluster is what the files say.
func (m *model) reached(s state) bool {
	for i, key := range m.keys {
		want := m.to[key].object
		if want == nil {
			if s.form[i] > 0 && m.prune {
				return false
			}
			continue
		}
		if s.form[i] != m.formOf(i, want) || m.roots[s.owner[i]] != m.to[key].root {
			return false
		}
	}
	return !slices.Contains(s.version, 0)
}

// stuck says how the controller gets stuck or deletes what stays; "" when it does not,
// whatever the order of things.
func (m *model) stuck(left []*hedgehog.Object) string {
	start := m.start(left)
	index := map[string]int{start.key(): 0}
	states := []state{start}
	var before [][]int
	before = append(before, nil)
	for at := 0; at < len(states); at++ {
		next, bad := m.next(states[at])
		if bad != "" {
			return bad
		}
		for _, n := range next {
			to, ok := index[n.key()]
			if !ok {
				to = len(states)
				index[n.key()] = to
				states, before = append(states, n), append(before, nil)
			}
			before[to] = append(before[to], at)
		}
		if len(states) > 200_000 {
			panic("the model is too large")
		}
	}
	good := make([]bool, len(states))
	var open []int
	for i, s := range states {
		if m.reached(s) {
			good[i] = true
			open = append(open, i)
		}
	}
	for len(open) > 0 {
		i := open[len(open)-1]
		open = open[:len(open)-1]
		for _, b := range before[i] {
			if !good[b] {
				good[b] = true
				open = append(open, b)
			}
		}
	}
	if i := slices.Index(good, false); i >= 0 {
		return fmt.Sprintf("%s is stuck, at the latest at %s", m.controller, m.describe(states[i]))
	}
	return ""
}

func (m *model) describe(s state) string {
	var parts []string
	for r, root := range m.roots {
		parts = append(parts, fmt.Sprintf("%s at %d", root, s.version[r]))
	}
	for i, key := range m.keys {
		parts = append(parts, fmt.Sprintf("%s form %d", key, s.form[i]))
	}
	return strings.Join(parts, ", ")
}

// recreates reports whether a VPC comes in the merge in which one goes that had its VLAN or
// network: it would get its VNI.
func recreates(from, to tree) bool {
	for key, p := range to {
		if key.Kind != hedgehog.KindVPC || from[key].object != nil {
			continue
		}
		for other, was := range from {
			if other.Kind != hedgehog.KindVPC || to[other].object != nil {
				continue
			}
			f := &hedgehog.Fabric{}
			f.Add(p.object)
			f.Add(was.object)
			for text := range errorsOf(f) {
				if strings.HasPrefix(text, "vpc-vlan-twice") || strings.HasPrefix(text, "vpc-subnet-overlap") {
					return true
				}
			}
		}
	}
	return false
}

// admissible says why a step is not one; "" when it is. Left are objects that earlier steps
// removed and nobody deleted.
func admissible(prune bool, from, to tree, left []*hedgehog.Object) string {
	if recreates(from, to) {
		return "a VPC is recreated"
	}
	for _, c := range []controller{flux, argo} {
		if why := newModel(c, prune, from, to, left).stuck(left); why != "" {
			return why
		}
	}
	return ""
}
