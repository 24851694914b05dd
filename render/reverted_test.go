package render_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hedgehog-gitops/render"
	"hedgehog-gitops/render/hedgehog"
	"hedgehog-gitops/render/tree"
)

// TestTakenBack: what was merged and taken back stays so while NetBox wants the same,
// whatever else changes, and is no reason to write by itself.
func TestTakenBack(t *testing.T) {
	t.Parallel()
	const (
		fileA         = nodes + "servers/a.yaml"
		fileB         = nodes + "servers/b.yaml"
		fileC         = nodes + "servers/c.yaml"
		kustomization = nodes + "kustomization.yaml"
		lock          = nodes + render.LockName
	)
	content := func(o *hedgehog.Object) []byte {
		content, err := hedgehog.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		return content
	}
	type objects = []*hedgehog.Object
	tests := map[string]struct {
		start, merged objects
		reverted      map[string][]byte
		// other is merged and something else, later what NetBox wants after that.
		other, later      objects
		held, edited      []string
		changes, followed []string
		overwritten       []string
	}{
		"a new object": {
			start: objects{server("b", "x")}, merged: objects{server("a", "x"), server("b", "x")},
			reverted: map[string][]byte{fileA: content(server("a", "x"))}, held: []string{fileA},
			other: objects{server("a", "x"), server("b", "y")}, changes: []string{"changed " + lock, "changed " + fileB},
			later: objects{server("a", "y"), server("b", "y")}, followed: []string{"changed " + lock, "changed " + kustomization, "added " + fileA},
			overwritten: []string{"changed " + lock, "changed " + kustomization, "added " + fileA},
		},
		"another value": {
			start: objects{server("a", "x"), server("b", "x")}, merged: objects{server("a", "y"), server("b", "x")},
			reverted: map[string][]byte{fileA: content(server("a", "y"))}, edited: []string{fileA},
			other: objects{server("a", "y"), server("b", "y")}, changes: []string{"changed " + lock, "changed " + fileB},
			later: objects{server("a", "z"), server("b", "y")}, followed: []string{"changed " + lock, "changed " + fileA},
			overwritten: []string{"changed " + lock, "changed " + fileA},
		},
		"a removal": {
			start: objects{server("a", "x"), server("b", "x")}, merged: objects{server("b", "x")},
			reverted: map[string][]byte{fileA: nil}, edited: []string{fileA},
			other: objects{server("b", "y")}, changes: []string{"changed " + lock, "changed " + fileB},
			later: objects{server("a", "y"), server("b", "y")}, followed: []string{"changed " + lock, "changed " + fileA},
			overwritten: []string{"changed " + lock, "changed " + kustomization, "removed " + fileA},
		},
		"the first objects of all": {
			merged:   objects{server("a", "x")},
			reverted: map[string][]byte{fileA: content(server("a", "x"))}, held: []string{fileA},
			other: objects{server("a", "x"), server("c", "x")}, changes: []string{"added " + lock, "added " + kustomization, "added " + fileC},
			later: objects{server("a", "y"), server("c", "x")}, followed: []string{"changed " + lock, "changed " + kustomization, "added " + fileA},
			overwritten: []string{"added " + lock, "added " + kustomization, "added " + fileA},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			start := tree.Tree{}
			if len(test.start) > 0 {
				start = plan(t, input(tree.Tree{}, test.start...)).Tree
			}
			ask := func(in render.Input) render.Output {
				t.Helper()
				out := render.Plan(in)
				if out.Issues.Worst() == hedgehog.Error {
					t.Fatal(out.Issues)
				}
				return out
			}
			left := func(out render.Output) {
				t.Helper()
				if !slices.Equal(out.Held, test.held) || !slices.Equal(out.Edited, test.edited) {
					t.Errorf("held %v, edited %v", out.Held, out.Edited)
				}
				if got := ruleLines(out.Issues); !slices.Equal(got, []string{"warning file-reverted"}) {
					t.Errorf("issues %v", got)
				}
			}
			changes := func(out render.Output, want []string) {
				t.Helper()
				if got := changeLines(out); !slices.Equal(want, got) {
					t.Errorf("changes -want +got:\n%s", cmp.Diff(want, got))
				}
			}
			in := input(start, test.merged...)
			in.Reverted = test.reverted
			out := ask(in)
			left(out)
			changes(out, nil)

			in.Overwrite = true
			changes(ask(in), test.overwritten)
			in.Overwrite = false

			in.Objects = fabricOf(test.other...)
			out = ask(in)
			left(out)
			changes(out, test.changes)
			if checked, err := render.Check(in, out); err != nil || len(checked.Issues) > 0 {
				t.Error(err, checked.Issues)
			} else if here, want := checked.Objects.Get(hedgehog.KindServer, "a") != nil, len(test.edited) > 0; here != want {
				t.Errorf("the cluster has a: %v", here)
			}

			// The lock remembers it from now on.
			in.Merged, in.Reverted = out.Tree, nil
			out = ask(in)
			left(out)
			changes(out, nil)
			in.Objects = fabricOf(test.later...)
			out = ask(in)
			changes(out, test.followed)
			if len(out.Issues) > 0 {
				t.Error(out.Issues)
			}
		})
	}
}
