package rollout_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"hedgehog-gitops/render"
	"hedgehog-gitops/render/hedgehog"
	"hedgehog-gitops/render/rollout"
)

// small is a fabric of few objects that change in every way that matters here.
type small struct {
	asn      [2]int            // of leaf-1 and leaf-2, or leaf-9
	renamed  bool              // leaf-2 is leaf-9
	roce     [2]bool           // of the leaves
	broken   [2]bool           // whether a port of theirs is broken out
	pool     int               // 0: 10.0/16, 1: 10.1/16, 2: both
	vpcs     map[string][3]int // name -> VLAN, network, pool
	links    map[string][4]int // name -> server, server port, leaf, leaf port, all from 1
	bundled  map[string]bool
	attached map[string][2]string // name -> VPC, connection
	shards   map[string]int       // stage -> 0 or 1 hex digits
}

// fabric is the fabric as manifests have it, nil when no cluster would have it.
func (s small) fabric(t testing.TB) *hedgehog.Fabric {
	leaf := []string{"leaf-1", "leaf-2"}
	if s.renamed {
		leaf[1] = "leaf-9"
	}
	var b strings.Builder
	pools := []string{"10.0.0.0/16", "10.1.0.0/16", "10.0.0.0/16, 10.1.0.0/16"}
	fmt.Fprintf(&b, "VLANNamespace default: {ranges: [{from: 1000, to: 1999}]}\nIPv4Namespace default: {subnets: [%s]}\n", pools[s.pool])
	for i, name := range leaf {
		extra := ""
		if s.roce[i] {
			extra += ", roce: true"
		}
		if s.broken[i] {
			extra += ", portBreakouts: {E1/49: 4x25G}"
		}
		fmt.Fprintf(&b, "Switch %s: {role: server-leaf, profile: dell-s5248f-on, asn: %d, ip: 172.30.0.%d/21, protocolIP: 172.30.8.%d/32, vtepIP: 172.30.12.%d/32%s}\n", name, 65100+s.asn[i], 8+i, 2+i, i, extra)
	}
	b.WriteString("Server s1: {}\nServer s2: {}\n")
	for name, v := range s.vpcs {
		fmt.Fprintf(&b, "VPC %s: {subnets: {s: {subnet: 10.%d.%d.0/24, vlan: %d}}}\n", name, v[2], v[1], 1000+v[0])
	}
	for name, l := range s.links {
		link := fmt.Sprintf("{server: {port: s%d/e%d}, switch: {port: %s/E1/%d}}", l[0], l[1], leaf[l[2]-1], l[3])
		if s.bundled[name] {
			fmt.Fprintf(&b, "Connection %s: {bundled: {links: [%s]}}\n", name, link)
		} else {
			fmt.Fprintf(&b, "Connection %s: {unbundled: {link: %s}}\n", name, link)
		}
	}
	for name, a := range s.attached {
		fmt.Fprintf(&b, "VPCAttachment %s: {subnet: %s/s, connection: %s}\n", name, a[0], a[1])
	}
	f := fabric(t, b.String())
	if hedgehog.Validate(f, hedgehog.DefaultSettings()).Worst() == hedgehog.Error {
		return nil
	}
	return f
}

func (s small) placed(f *hedgehog.Fabric) rollout.Placed {
	p := rollout.Placed{Objects: f, Roots: map[hedgehog.Key]string{}}
	for o := range f.All() {
		stage := render.StageOf(o)
		p.Roots[o.Key()] = fmt.Sprintf("%s/%d", stage, shard(o.Key(), s.shards[stage]))
	}
	return p
}

// shard spreads objects over two roots, from 1, when there are any shards.
func shard(key hedgehog.Key, digits int) int {
	if digits == 0 {
		return 0
	}
	sum := 0
	for _, c := range key.String() {
		sum += int(c)
	}
	return 1 + sum%2
}

func anySmall(t *rapid.T) small {
	n := func(label string, least, most int) int { return rapid.IntRange(least, most).Draw(t, label) }
	s := small{
		asn: [2]int{1, 2}, vpcs: map[string][3]int{"a": {1, 1, 0}, "b": {2, 2, 0}},
		links:    map[string][4]int{"c1": {1, 1, 1, 1}},
		bundled:  map[string]bool{},
		attached: map[string][2]string{"x1": {"a", "c1"}},
		shards:   map[string]int{},
	}
	s.asn = [2]int{n("asn 1", 1, 3), n("asn 2", 1, 3)}
	s.pool = n("pool", 0, 2)
	if s.pool == 1 {
		s.vpcs["a"], s.vpcs["b"] = [3]int{1, 1, 1}, [3]int{2, 2, 1}
	}
	for range n("more", 0, 3) {
		s.edit(t)
	}
	return s
}

func (s small) clone() small {
	c := s
	c.vpcs, c.links, c.bundled, c.attached, c.shards = cloned(s.vpcs), cloned(s.links), cloned(s.bundled), cloned(s.attached), cloned(s.shards)
	return c
}

func cloned[V any](m map[string]V) map[string]V {
	c := map[string]V{}
	for k, v := range m {
		c[k] = v
	}
	return c
}

// edit is a change that somebody might make in NetBox.
func (s *small) edit(t *rapid.T) {
	n := func(label string, least, most int) int { return rapid.IntRange(least, most).Draw(t, label) }
	vpc := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "vpc")
	link := rapid.SampledFrom([]string{"c1", "c2", "c3"}).Draw(t, "link")
	switch n("edit", 0, 13) {
	case 0:
		s.asn[n("leaf", 0, 1)] = n("asn", 1, 3)
	case 1:
		s.renamed = !s.renamed
	case 2:
		i := n("leaf", 0, 1)
		s.roce[i], s.broken[i] = rapid.Bool().Draw(t, "roce"), rapid.Bool().Draw(t, "broken")
	case 3:
		s.pool = n("pool", 0, 2)
		for name, v := range s.vpcs {
			if s.pool < 2 {
				v[2] = s.pool
				s.vpcs[name] = v
			}
		}
	case 4:
		s.vpcs[vpc] = [3]int{n("vlan", 1, 3), n("network", 1, 3), n("in", 0, 1)}
	case 5:
		v, ok := s.vpcs[vpc]
		to := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "to")
		if _, taken := s.vpcs[to]; !ok || taken {
			return
		}
		delete(s.vpcs, vpc)
		s.vpcs[to] = v
		for name, a := range s.attached {
			if a[0] == vpc {
				s.attached[name] = [2]string{to, a[1]}
			}
		}
	case 6:
		delete(s.vpcs, vpc)
	case 7, 8:
		s.links[link] = [4]int{n("server", 1, 2), n("server port", 1, 2), n("leaf", 1, 2), n("port", 1, 2)}
	case 9:
		s.bundled[link] = !s.bundled[link]
	case 10:
		delete(s.links, link)
	case 11:
		name := rapid.SampledFrom([]string{"x1", "x2"}).Draw(t, "attachment")
		if rapid.Bool().Draw(t, "off") {
			delete(s.attached, name)
		} else {
			s.attached[name] = [2]string{vpc, link}
		}
	case 13:
		// What is attached goes over to another connection, on other ports or the same.
		to := rapid.SampledFrom([]string{"c1", "c2", "c3"}).Draw(t, "to")
		l, ok := s.links[link]
		if _, taken := s.links[to]; !ok || taken {
			return
		}
		delete(s.links, link)
		if rapid.Bool().Draw(t, "other ports") {
			l[1], l[3] = 3-l[1], 3-l[3]
		}
		s.links[to] = l
		for name, a := range s.attached {
			if a[1] == link {
				s.attached[name] = [2]string{a[0], to}
			}
		}
	case 12:
		s.shards[rapid.SampledFrom([]string{render.StageNodes, render.StageConnections, render.StageAttachments}).Draw(t, "stage")] = n("digits", 0, 1)
	}
}

// TestSteps is the whole of it: whatever becomes of a small fabric, every step is
// admissible, the steps end at what is wanted, no sequence is shorter, and where there
// is none without deleting what stays, people are told.
func TestSteps(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		before := anySmall(r)
		was := before.fabric(t)
		if was == nil {
			r.Skip("no fabric")
		}
		after := before.clone()
		for range rapid.IntRange(1, 3).Draw(r, "edits") {
			after.edit(r)
		}
		is := after.fabric(t)
		if is == nil {
			r.Skip("no fabric")
		}
		prune := rapid.Bool().Draw(r, "prune")
		judge(r, before.placed(was), after.placed(is), prune)
	})
}

// judge takes the steps of a change and judges them.
func judge(t rapid.TB, was, is rollout.Placed, prune bool) {
	t.Helper()
	in := rollout.Input{Merged: was, Wanted: is, Prune: prune, Settings: hedgehog.DefaultSettings()}
	first := rollout.Next(in)
	if first.Issues.Worst() == hedgehog.Error {
		if path := shortest(prune, was, is, 3, false); path > 0 {
			t.Fatalf("there is a sequence of %d steps, and it says %v", path, first.Issues)
		}
		return
	}
	var left []*hedgehog.Object
	replaced := false
	for number := 1; ; number++ {
		step := rollout.Next(in)
		if step.Issues.Worst() == hedgehog.Error {
			t.Fatalf("step %d: %v", number, step.Issues)
		}
		if number+step.Of-1 != first.Of {
			t.Fatalf("step %d says that %d are left, at first there were %d", number, step.Of, first.Of)
		}
		// People delete what the step says must be gone, and nothing else.
		kept := swept(treeOf(in.Merged), left, func(key hedgehog.Key) bool { return slices.Contains(step.Gone, key) })
		for _, o := range kept {
			if slices.Contains(step.Gone, o.Key()) {
				t.Fatalf("step %d wants %s gone, and the cluster does not let it go", number, o.Key())
			}
		}
		left = kept
		from, to := treeOf(in.Merged), treeOf(step.Objects)
		if why := admissible(prune, from, to, left); why != "" {
			t.Fatalf("step %d of %d is not admissible: %s\nfrom %s\nto   %s", number, first.Of, why, tell(from), tell(to))
		}
		for key, p := range from {
			if to[key].object == nil {
				replaced = replaced || is.Objects.Get(key.Kind, key.Name) != nil
				if !prune {
					left = append(left, p.object)
				}
			}
		}
		if len(step.Forms) == 0 {
			if !same(treeOf(step.Objects), treeOf(is)) {
				t.Fatalf("the last step leads to %s, not to %s", tell(to), tell(treeOf(is)))
			}
			break
		}
		if number > 8 {
			t.Fatalf("the steps do not end")
		}
		in.Earlier, in.Merged = []rollout.Placed{in.Merged}, step.Objects
	}
	if path := shortest(prune, was, is, first.Of-1, replaced); path > 0 {
		t.Fatalf("it takes %d steps, there is a sequence of %d", first.Of, path)
	}
	if replaced {
		if path := shortest(prune, was, is, 2, false); path > 0 {
			t.Fatalf("it deletes what stays, there is a sequence of %d steps that does not", path)
		}
	}
}

func same(a, b tree) bool {
	if len(a) != len(b) {
		return false
	}
	for key, p := range a {
		if q := b[key]; q.root != p.root || !equal(p.object, q.object) {
			return false
		}
	}
	return true
}

func tell(t tree) string {
	var parts []string
	for key, p := range t {
		text, _ := hedgehog.Marshal(p.object)
		_, spec, _ := strings.Cut(string(text), "spec:")
		parts = append(parts, fmt.Sprintf("%s in %s: %s %v", key, p.root, strings.Join(strings.Fields(spec), " "), p.object.Annotations))
	}
	slices.Sort(parts)
	return "\n  " + strings.Join(parts, "\n  ")
}

// shortest returns how many steps a shortest sequence has, of at most so many; 0 when there
// is none. Away is whether what stays may be away for a while. It tries every tree in which
// each object is in one of its forms.
func shortest(prune bool, was, is rollout.Placed, most int, away bool) int {
	from, to := treeOf(was), treeOf(is)
	var keys []hedgehog.Key
	options := map[hedgehog.Key][]placed{}
	for key := range union(from, to) {
		b, a := from[key], to[key]
		if b.root == a.root && equal(b.object, a.object) {
			continue
		}
		keys = append(keys, key)
		list := []placed{b, a}
		if b.object != nil && a.object != nil {
			if away {
				list = append(list, placed{})
			}
			if b.root != a.root && prune {
				for _, o := range []*hedgehog.Object{b.object, a.object} {
					list = append(list, placed{rollout.Form{Content: rollout.After, Protected: true, Stays: true}.Object(nil, o), b.root})
				}
			}
			if b.root != a.root {
				list = append(list, placed{b.object, a.root}, placed{a.object, b.root})
			}
			if half := (rollout.Form{Content: rollout.Half}).Object(b.object, a.object); !equal(half, a.object) && !equal(half, b.object) {
				list = append(list, placed{half, b.root})
			}
		}
		options[key] = list
	}
	slices.SortFunc(keys, hedgehog.Key.Compare)
	all := []tree{{}}
	for key, p := range from {
		if options[key] == nil {
			all[0][key] = p
		}
	}
	for _, key := range keys {
		var more []tree
		for _, t := range all {
			for _, p := range options[key] {
				n := tree{}
				for k, v := range t {
					n[k] = v
				}
				if p.object != nil {
					n[key] = p
				}
				more = append(more, n)
			}
		}
		all = more
	}
	if len(all) > 400 {
		return 0 // too many to try
	}
	// With pruning off somebody deletes between the steps what the cluster lets go.
	type place struct {
		tree tree
		left []*hedgehog.Object
	}
	reach := []place{{tree: from}}
	seen := map[int]bool{}
	for steps := 1; steps <= most; steps++ {
		for _, p := range reach {
			if admissible(prune, p.tree, to, p.left) == "" {
				return steps
			}
		}
		if steps == most {
			break
		}
		var next []place
		for i, t := range all {
			if seen[i] || same(t, from) || same(t, to) {
				continue
			}
			for _, p := range reach {
				if admissible(prune, p.tree, t, p.left) != "" {
					continue
				}
				seen[i] = true
				left := slices.Clone(p.left)
				for key, was := range p.tree {
					if t[key].object == nil && !prune {
						left = append(left, was.object)
					}
				}
				next = append(next, place{t, swept(t, left, func(hedgehog.Key) bool { return true })})
				break
			}
		}
		reach = next
	}
	return 0
}

// swept returns what is left of what lingers in a cluster when somebody deletes what they
// are told to, as far as the cluster lets them.
func swept(t tree, left []*hedgehog.Object, told func(hedgehog.Key) bool) []*hedgehog.Object {
	if len(left) == 0 {
		return nil
	}
	m := newModel(flux, false, t, t, left)
	s := m.start(left)
	for again := true; again; {
		again = false
		for _, o := range left {
			i := slices.Index(m.keys, o.Key())
			if t[o.Key()].object == nil && told(o.Key()) && s.form[i] > 0 && m.admits(s, i, 0) {
				s.form[i], again = 0, true
			}
		}
	}
	return slices.DeleteFunc(slices.Clone(left), func(o *hedgehog.Object) bool {
		return t[o.Key()].object != nil || s.form[slices.Index(m.keys, o.Key())] == 0
	})
}

func union(a, b tree) map[hedgehog.Key]bool {
	keys := map[hedgehog.Key]bool{}
	for key := range a {
		keys[key] = true
	}
	for key := range b {
		keys[key] = true
	}
	return keys
}
