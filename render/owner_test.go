package render_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hedgehog-gitops/render"
	"hedgehog-gitops/render/hedgehog"
	"hedgehog-gitops/render/tree"
)

// TestOwnership starts from a rendered repository with the servers a and b, lets
// people change files, lets NetBox say something, and renders again.
func TestOwnership(t *testing.T) {
	t.Parallel()
	const (
		fileA         = nodes + "servers/a.yaml"
		fileB         = nodes + "servers/b.yaml"
		fileC         = nodes + "servers/c.yaml"
		kustomization = nodes + "kustomization.yaml"
		lock          = nodes + render.LockName
	)
	start := plan(t, input(tree.Tree{}, server("a", "x"), server("b", "x"))).Tree
	text := func(path string) string {
		content, _ := start.Get(path)
		return string(content)
	}
	same := []*hedgehog.Object{server("a", "x"), server("b", "x")}
	changedA := []*hedgehog.Object{server("a", "y"), server("b", "x")}
	changedB := []*hedgehog.Object{server("a", "x"), server("b", "y")}
	withoutA := []*hedgehog.Object{server("b", "x")}
	withC := []*hedgehog.Object{server("a", "x"), server("b", "x"), server("c", "x")}
	rendered := func(path string, objects ...*hedgehog.Object) string {
		content, _ := plan(t, input(tree.Tree{}, objects...)).Tree.Get(path)
		return string(content)
	}
	const mine = "mine\n"

	tests := map[string]struct {
		people map[string]string // "" deletes the file
		netbox []*hedgehog.Object
		// changes, issues, and the words that an issue must hold.
		changes, issues, words []string
		edited, held, foreign  []string
		// overwritten are the changes with Overwrite; nil: those of changes.
		overwritten []string
	}{
		"nobody did anything": {netbox: same},
		"an edited file that NetBox left alone": {
			people: map[string]string{fileA: mine}, netbox: same,
			issues: []string{"warning file-edited"}, words: []string{fileA, "--overwrite"}, edited: []string{fileA},
			overwritten: []string{"changed " + fileA},
		},
		"an edited file while NetBox changed another object": {
			people: map[string]string{fileA: mine}, netbox: changedB,
			changes: []string{"changed " + lock, "changed " + fileB},
			issues:  []string{"warning file-edited"}, words: []string{fileA}, edited: []string{fileA},
			overwritten: []string{"changed " + lock, "changed " + fileA, "changed " + fileB},
		},
		"an edited file that NetBox changed": {
			people: map[string]string{fileA: mine}, netbox: changedA,
			issues: []string{"error file-edited-and-changed"}, words: []string{fileA, "Server/a", "/dcim/devices/a/", "--overwrite"},
			overwritten: []string{"changed " + lock, "changed " + fileA},
		},
		"an edited file whose object NetBox dropped": {
			people: map[string]string{fileA: mine}, netbox: withoutA,
			issues: []string{"error file-edited-and-changed"}, words: []string{fileA, "Server/a", "/dcim/devices/a/", "dropped"},
			overwritten: []string{"changed " + lock, "changed " + kustomization, "removed " + fileA},
		},
		"an edit that NetBox has now too": {
			people: map[string]string{fileA: rendered(fileA, changedA...)}, netbox: changedA,
			changes: []string{"changed " + lock},
		},
		"a deleted file that NetBox left alone": {
			people: map[string]string{fileA: ""}, netbox: same,
			changes: []string{"changed " + lock, "changed " + kustomization},
			issues:  []string{"warning file-deleted"}, words: []string{fileA, "Server/a", "--overwrite"}, held: []string{fileA},
			overwritten: []string{"added " + fileA},
		},
		"a deleted file that NetBox changed": {
			people: map[string]string{fileA: ""}, netbox: changedA,
			issues: []string{"error file-deleted-and-changed"}, words: []string{fileA, "Server/a", "/dcim/devices/a/"},
			overwritten: []string{"changed " + lock, "added " + fileA},
		},
		"a deleted file whose object NetBox dropped": {
			people: map[string]string{fileA: ""}, netbox: withoutA,
			changes: []string{"changed " + lock, "changed " + kustomization},
		},
		"a file of people's": {
			people: map[string]string{nodes + "servers/mine.yaml": mine}, netbox: same,
			issues: []string{"warning file-foreign"}, words: []string{nodes + "servers/mine.yaml", "extra/"}, foreign: []string{nodes + "servers/mine.yaml"},
		},
		"files of people's outside the roots": {
			people: map[string]string{"fabrics/lab/base/README.md": mine, "fabrics/lab/base/10-nodes/x": mine, "fabrics/lab/base/mine/all/kustomization.yaml": mine}, netbox: same,
			issues:  []string{"warning file-foreign", "warning file-foreign", "warning file-foreign"},
			foreign: []string{"fabrics/lab/base/10-nodes/x", "fabrics/lab/base/README.md", "fabrics/lab/base/mine/all/kustomization.yaml"},
		},
		"the folder of deployments": {
			people: map[string]string{"fabrics/lab/base/deploy/argocd/x.yaml": mine, "fabrics/lab/base/deploy/" + render.LockName: mine}, netbox: same,
			issues: []string{"warning lock-broken"}, words: []string{"fabrics/lab/base/deploy", "--overwrite"},
			overwritten: []string{"removed fabrics/lab/base/deploy/" + render.LockName},
		},
		"a file of people's in the folder of deployments": {
			people: map[string]string{"fabrics/lab/base/deploy/argocd/x.yaml": mine}, netbox: same,
			issues: []string{"warning file-foreign"}, words: []string{"fabrics/lab/base/deploy/argocd/x.yaml", "extra/"},
			foreign: []string{"fabrics/lab/base/deploy/argocd/x.yaml"},
		},
		"a file of people's where a new object goes": {
			people: map[string]string{fileC: mine}, netbox: withC,
			issues: []string{"error file-in-the-way"}, words: []string{fileC, "Server/c", "/dcim/devices/c/"},
			overwritten: []string{"changed " + lock, "changed " + kustomization, "changed " + fileC},
		},
		"a file of people's that is the new object": {
			people: map[string]string{fileC: rendered(fileC, withC...)}, netbox: withC,
			changes: []string{"changed " + lock, "changed " + kustomization},
		},
		"a name of people's that differs in case": {
			people: map[string]string{nodes + "Servers/mine.yaml": mine}, netbox: same,
			issues: []string{"error path-collision", "warning file-foreign"}, words: []string{nodes + "Servers", nodes + "servers"},
		},
		"an edited kustomization": {
			people: map[string]string{kustomization: mine}, netbox: same,
			issues: []string{"warning file-edited"}, words: []string{kustomization, "overlays/"}, edited: []string{kustomization},
			overwritten: []string{"changed " + kustomization},
		},
		"an edited kustomization while an object changed": {
			people: map[string]string{kustomization: mine}, netbox: changedA,
			changes: []string{"changed " + lock, "changed " + fileA},
			issues:  []string{"warning file-edited"}, words: []string{kustomization}, edited: []string{kustomization},
			overwritten: []string{"changed " + lock, "changed " + kustomization, "changed " + fileA},
		},
		"an edited kustomization while there is a new object": {
			people: map[string]string{kustomization: mine}, netbox: withC,
			issues: []string{"error file-edited-and-changed"}, words: []string{kustomization, "--overwrite"},
			overwritten: []string{"changed " + lock, "changed " + kustomization, "added " + fileC},
		},
		"a deleted kustomization": {
			people: map[string]string{kustomization: ""}, netbox: same,
			changes: []string{"changed " + lock},
			issues:  []string{"warning file-deleted"}, words: []string{kustomization}, held: []string{kustomization},
			overwritten: []string{"added " + kustomization},
		},
		"a lock that cannot be read": {
			people: map[string]string{lock: "<<<<<<<\n"}, netbox: same,
			issues: []string{"warning lock-broken"}, words: []string{lock, "restore it from Git", "--overwrite"},
			overwritten: []string{"changed " + lock},
		},
		"a lock that cannot be read while NetBox changed": {
			people: map[string]string{lock: "<<<<<<<\n"}, netbox: changedA,
			issues: []string{"error lock-broken"}, words: []string{lock, fileA, "Server/a", "/dcim/devices/a/", "--overwrite"},
			overwritten: []string{"changed " + lock, "changed " + fileA},
		},
		"a lock that cannot be read while NetBox dropped everything": {
			people: map[string]string{lock: "{}"}, netbox: nil,
			issues: []string{"error lock-broken"}, words: []string{lock},
			overwritten: []string{"removed " + lock},
		},
		"a deleted lock": {
			people: map[string]string{lock: ""}, netbox: same,
			changes: []string{"added " + lock},
		},
		"a deleted lock while NetBox changed": {
			people: map[string]string{lock: ""}, netbox: changedA,
			issues: []string{"error file-in-the-way"}, words: []string{fileA, "Server/a"},
			overwritten: []string{"added " + lock, "changed " + fileA},
		},
		"a lock that was edited": {
			people: map[string]string{lock: strings.Replace(text(lock), "sha256:", "sha256:0", 1)}, netbox: same,
			changes: []string{"changed " + lock},
		},
		"a lock that forgets a file": {
			people: map[string]string{lock: strings.Replace(text(lock), "servers/a", "servers/z", 1)}, netbox: same,
			changes: []string{"changed " + lock},
		},
		"a lock of a later version": {
			people: map[string]string{lock: strings.Replace(text(lock), `"render": 1`, `"render": 99`, 1)}, netbox: same,
			issues: []string{"warning lock-newer"}, words: []string{"update hedgehog-gitops"},
		},
		"an emptied root with an edited kustomization": {
			people: map[string]string{kustomization: mine}, netbox: nil,
			issues: []string{"error file-edited-and-changed"}, words: []string{kustomization},
			overwritten: []string{"changed " + lock, "changed " + kustomization, "removed " + fileA, "removed " + fileB},
		},
		"a whole fabric deleted": {
			people: map[string]string{fileA: "", fileB: "", kustomization: "", lock: ""}, netbox: same,
			changes: []string{"added " + lock, "added " + kustomization, "added " + fileA, "added " + fileB},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			merged := with(t, start, test.people)
			in := input(merged, test.netbox...)
			out := render.Plan(in)
			for _, check := range []struct {
				what      string
				want, got []string
			}{
				{"changes", test.changes, changeLines(out)},
				{"issues", test.issues, ruleLines(out.Issues)},
				{"held", test.held, out.Held},
			} {
				if !slices.Equal(check.want, check.got) {
					t.Errorf("%s -want +got:\n%s", check.what, cmp.Diff(check.want, check.got))
				}
			}
			if out.Issues.Worst() != hedgehog.Error {
				if !slices.Equal(test.edited, out.Edited) || !slices.Equal(test.foreign, out.Foreign) {
					t.Errorf("edited %v, want %v; foreign %v, want %v", out.Edited, test.edited, out.Foreign, test.foreign)
				}
			}
			if len(out.Issues) > 0 {
				said := out.Issues[0].Summary + " " + out.Issues[0].Hint
				for _, word := range test.words {
					if !strings.Contains(said, word) {
						t.Errorf("%q lacks %q", said, word)
					}
				}
			}
			// What was left is left for good, and said every time.
			if after, err := merged.Apply(out.Changes); err != nil {
				t.Error(err)
			} else if again := render.Plan(input(after, test.netbox...)); len(again.Changes) > 0 {
				t.Errorf("rendered again, it changes %v", again.Changes)
			} else if d := cmp.Diff(ruleLines(out.Issues), ruleLines(again.Issues)); d != "" {
				t.Errorf("issues, then issues again:\n%s", d)
			}

			in.Overwrite = true
			overwritten := test.overwritten
			if overwritten == nil {
				overwritten = test.changes
			}
			out = render.Plan(in)
			if got := changeLines(out); !slices.Equal(overwritten, got) {
				t.Errorf("overwriting -want +got:\n%s", cmp.Diff(overwritten, got))
			}
		})
	}
}

// TestDeletedFilesStayDeletedWhenTheirObjectMoves to another root.
func TestDeletedFilesStayDeletedWhenTheirObjectMoves(t *testing.T) {
	t.Parallel()
	merged := plan(t, input(tree.Tree{}, server("a", "x"), server("b", "x"))).Tree
	merged = with(t, merged, map[string]string{nodes + "servers/a.yaml": ""})
	in := input(merged, server("a", "x"), server("b", "x"))
	in.Shards = map[string]int{"10-nodes": 1}
	for range 2 {
		out := plan(t, in)
		place := out.Places[hedgehog.Key{Kind: hedgehog.KindServer, Name: "a"}]
		if out.Tree.Has(place) || !slices.Equal(out.Held, []string{place}) {
			t.Fatalf("held %v, %s is there: %v", out.Held, place, out.Tree.Has(place))
		}
		in.Merged = out.Tree
	}
}

// TestRestoredFile takes a file back that was deleted by hand before.
func TestRestoredFile(t *testing.T) {
	t.Parallel()
	objects := []*hedgehog.Object{server("a", "x"), server("b", "x")}
	start := plan(t, input(tree.Tree{}, objects...)).Tree
	content, _ := start.Get(nodes + "servers/a.yaml")
	merged := plan(t, input(with(t, start, map[string]string{nodes + "servers/a.yaml": ""}), objects...)).Tree
	out := plan(t, input(with(t, merged, map[string]string{nodes + "servers/a.yaml": string(content)}), objects...))
	if !out.Tree.Equal(start) || len(out.Issues) > 0 {
		t.Errorf("changes %v, issues %v", changeLines(out), out.Issues)
	}
}

// TestEmptiedRootWithAnEditedKustomization stays for as long as the edit does.
func TestEmptiedRootWithAnEditedKustomization(t *testing.T) {
	t.Parallel()
	const kustomization = nodes + "kustomization.yaml"
	ns := hedgehog.New(hedgehog.KindSwitchGroup, "group")
	merged := plan(t, input(tree.Tree{}, server("a", "x"))).Tree
	merged = plan(t, input(merged)).Tree
	merged = with(t, merged, map[string]string{kustomization: "resources: []\n# mine\n"})
	in := input(merged, ns) // another change, with which the root would go
	out := plan(t, in)
	if !out.Tree.Has(kustomization) || !out.Tree.Has(nodes+render.LockName) || !slices.Equal(out.Edited, []string{kustomization}) {
		t.Errorf("changes %v, issues %v", changeLines(out), out.Issues)
	}
	in.Overwrite = true
	in.Merged = plan(t, in).Tree
	in.Overwrite = false
	in.Objects = fabricOf(ns, hedgehog.New(hedgehog.KindSwitchGroup, "another"))
	if out = plan(t, in); out.Tree.Has(kustomization) {
		t.Errorf("after --overwrite the root is still there: %v", out.Tree.Paths())
	}
}

// TestEditedFileThatOnlyTheToolChanges: other bytes of equal rows under another
// render version are no news from NetBox.
func TestEditedFileThatOnlyTheToolChanges(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]string{"edited": "mine\n", "deleted": ""} {
		merged := plan(t, input(tree.Tree{}, server("a", "x"))).Tree
		lock, _ := merged.Get(nodes + render.LockName)
		merged = with(t, merged, map[string]string{
			nodes + render.LockName:  strings.Replace(string(lock), `"render": 1`, `"render": 2`, 1),
			nodes + "servers/a.yaml": content,
		})
		// The rows of the tests are their origins, which stay.
		out := plan(t, input(merged, server("a", "written otherwise")))
		if got, want := ruleLines(out.Issues), []string{"warning file-" + name, "warning lock-newer"}; !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
		out = plan(t, input(out.Tree, server("a", "written otherwise")))
		if got, want := ruleLines(out.Issues), []string{"warning file-" + name}; !slices.Equal(got, want) || len(out.Changes) > 0 {
			t.Errorf("%s, again: got %v, want %v; changes %v", name, got, want, changeLines(out))
		}
	}
}

// TestLater: what the tool alone changes waits, what NetBox changes does not.
func TestLater(t *testing.T) {
	t.Parallel()
	merged := plan(t, input(tree.Tree{}, server("a", "x"), server("b", "x"), server("c", "x"))).Tree

	// The rows of the tests are their origins: a is the tool's, b is NetBox's.
	b := server("b", "y")
	b.Origins = []hedgehog.Origin{{Path: "/dcim/devices/99/"}}
	in := input(merged, server("a", "written otherwise"), b, server("c", "x"))
	in.Later = true
	out := plan(t, in)
	if got, want := changeLines(out), []string{"changed " + nodes + render.LockName, "changed " + nodes + "servers/b.yaml"}; !slices.Equal(got, want) {
		t.Errorf("changes %v, want %v", got, want)
	}
	if got, want := out.Later, []string{nodes + "servers/a.yaml"}; !slices.Equal(got, want) {
		t.Errorf("later %v, want %v", got, want)
	}
	in.Merged = out.Tree
	if out = plan(t, in); len(out.Changes) > 0 || len(out.Later) != 1 {
		t.Errorf("again: %v, later %v", changeLines(out), out.Later)
	}
	checked, err := render.Check(in, out)
	if err != nil || len(checked.Issues) > 0 {
		t.Fatal(err, checked.Issues)
	}
	if got := checked.Objects.Get(hedgehog.KindServer, "a").Spec.(*hedgehog.ServerSpec).Description; got != "x" {
		t.Errorf("the cluster gets %q, what is merged is x", got)
	}
	in.Later = false
	out = plan(t, in)
	if got, want := changeLines(out), []string{"changed " + nodes + render.LockName, "changed " + nodes + "servers/a.yaml"}; !slices.Equal(got, want) || len(out.Later) > 0 {
		t.Errorf("then: %v, want %v; later %v", got, want, out.Later)
	}
}
