package render_test

import (
	"bytes"
	"path"
	"testing"

	"pgregory.net/rapid"

	"hedgehog-gitops/render"
	"hedgehog-gitops/render/hedgehog"
	"hedgehog-gitops/render/tree"
)

// Whatever stands for a while, the run after the next step comes to what is wanted: no file
// of a step is taken for somebody's edit, or for the tool's own change, and what is kept is
// kept to the byte, as is what its lock says.
func TestAStepIsALayoutLikeAnyOther(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		names := []string{"a", "b", "c", "d"}
		some := func(label string) []*hedgehog.Object {
			var list []*hedgehog.Object
			for _, name := range names {
				if text := rapid.SampledFrom([]string{"", "one", "two"}).Draw(r, label+name); text != "" {
					o := server(name+"-1", text)
					o.Origins[0].Path += text + "/" // other rows, other digest
					list = append(list, o)
				}
			}
			return list
		}
		shards := func(label string) map[string]int {
			return map[string]int{render.StageNodes: rapid.IntRange(0, 1).Draw(r, label)}
		}
		in := input(tree.Tree{}, some("was")...)
		in.Shards = shards("shards")
		first := plan(t, in)
		merged := apply(t, tree.Tree{}, first.Changes)

		in = input(merged, some("is")...)
		in.Shards, in.Later = shards("new shards"), rapid.Bool().Draw(r, "later")
		whole := plan(t, in)
		step := in
		step.Standing = map[hedgehog.Key]render.Standing{}
		for _, name := range names {
			key := hedgehog.Key{Kind: hedgehog.KindServer, Name: name + "-1"}
			place, there := first.Places[key]
			root := path.Base(path.Dir(path.Dir(place)))
			how := rapid.SampledFrom([]string{"as wanted", "kept", "away", "another"}).Draw(r, "how "+name)
			switch {
			case how == "kept" && there:
				step.Standing[key] = render.Standing{Root: render.StageNodes + "/" + root, Keep: true}
			case how == "another" && there:
				o := server(key.Name, "for now")
				o.Annotations = map[string]string{"kustomize.toolkit.fluxcd.io/prune": "disabled"}
				step.Standing[key] = render.Standing{Root: render.StageNodes + "/" + root, Object: o}
			case how == "away":
				step.Standing[key] = render.Standing{}
			}
		}
		between := plan(t, step)
		after := apply(t, merged, between.Changes)
		for key, s := range step.Standing {
			place := first.Places[key]
			is, ok := after.Get(place)
			old, _ := merged.Get(place)
			switch {
			case s.Keep && !bytes.Equal(is, old):
				r.Fatalf("%s was to be kept, and is\n%s", place, is)
			case s.Object == nil && !s.Keep && place != "" && ok:
				r.Fatalf("%s was to be away", place)
			}
		}
		in.Merged = after
		last := plan(t, in)
		if got := apply(t, after, last.Changes); !sameObjects(got, apply(t, merged, whole.Changes)) {
			r.Fatalf("the run after the step comes to other files than without it")
		}
		if len(last.Edited)+len(last.Held)+len(last.Foreign) > 0 {
			r.Fatalf("something of the step is taken for people's: %v %v %v", last.Edited, last.Held, last.Foreign)
		}
	})
}

func apply(t testing.TB, to tree.Tree, changes []tree.Change) tree.Tree {
	t.Helper()
	after, err := to.Apply(changes)
	if err != nil {
		t.Fatal(err)
	}
	return after
}

// sameObjects compares the files of objects: roots that are empty come and go with others.
func sameObjects(a, b tree.Tree) bool {
	objects := func(t tree.Tree) map[string]string {
		files := map[string]string{}
		for name, content := range t.All() {
			if path.Base(path.Dir(name)) == "servers" {
				files[name] = string(content)
			}
		}
		return files
	}
	x, y := objects(a), objects(b)
	for name, content := range x {
		if y[name] != content {
			return false
		}
	}
	return len(x) == len(y)
}
