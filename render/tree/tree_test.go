package tree_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"hedgehog-gitops/render/tree"
)

func of(t testing.TB, files map[string]string) tree.Tree {
	t.Helper()
	var tr tree.Tree
	for path, content := range files {
		if err := tr.Set(path, []byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	return tr
}

// trees draws trees whose folders and files have different names, so that no
// path is a file in one and a folder in another.
func trees() *rapid.Generator[tree.Tree] {
	return rapid.Custom(func(t *rapid.T) tree.Tree {
		var tr tree.Tree
		path := rapid.StringMatching(`(d[ab]/){0,3}[x-z]\.yaml`)
		for path, content := range rapid.MapOfN(path, rapid.SampledFrom([]string{"", "a", "b", "long\ncontent\n"}), 0, 12).Draw(t, "files") {
			if err := tr.Set(path, []byte(content)); err != nil {
				t.Fatal(err)
			}
		}
		return tr
	})
}

func TestCheckRefusesPathsThatLeaveTheirFolder(t *testing.T) {
	t.Parallel()
	for _, path := range []string{
		"", ".", "/", "/etc/passwd", "..", "../x", "a/../../x", "a/..", "a//b", "a/", "./a", "a/./b",
		`a\b`, `..\x`, "a\x00b", "a\nb", "a\x7f", "a/\xff",
		".git", ".git/config", "a/.git/hooks/post-checkout", ".GIT/x", ".Git", ".git./x", ".git /x", "git~1/x", "GIT~1",
		".git::$INDEX_ALLOCATION/x", ".g\u200cit/config", strings.Repeat("n", 256), "vpcs/../../x.yaml",
	} {
		if err := tree.Check(path); !errors.Is(err, tree.ErrPath) {
			t.Errorf("Check(%q) = %v, want ErrPath", path, err)
		}
		var tr tree.Tree
		if err := tr.Set(path, nil); err == nil || tr.Len() != 0 {
			t.Errorf("Set(%q) put it into the tree", path)
		}
	}
	for _, path := range []string{"a", "a/b.yaml", ".github/x", ".gitignore", "a/..b", "...", strings.Repeat("n", 255), "ö/ü"} {
		if err := tree.Check(path); err != nil {
			t.Errorf("Check(%q) = %v, want nil", path, err)
		}
	}
}

func TestDiff(t *testing.T) {
	t.Parallel()
	a := of(t, map[string]string{"same": "1", "changed": "1", "removed": "1", "emptied": "1"})
	b := of(t, map[string]string{"same": "1", "changed": "2", "added": "1", "emptied": ""})
	var got []string
	for _, c := range tree.Diff(a, b) {
		got = append(got, fmt.Sprintf("%s %q %q", c, c.Old, c.New))
	}
	want := []string{`added added "" "1"`, `changed changed "1" "2"`, `changed emptied "1" ""`, `removed removed "1" ""`}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

func TestApplyRefusesAnotherTree(t *testing.T) {
	t.Parallel()
	a, b := of(t, map[string]string{"x": "1"}), of(t, map[string]string{"x": "2"})
	for name, other := range map[string]tree.Tree{
		"another content": of(t, map[string]string{"x": "3"}),
		"no file":         {},
	} {
		if _, err := other.Apply(tree.Diff(a, b)); !errors.Is(err, tree.ErrMoved) {
			t.Errorf("%s: got %v, want ErrMoved", name, err)
		}
	}
	if _, err := a.Apply(tree.Diff(tree.Tree{}, b)); !errors.Is(err, tree.ErrMoved) {
		t.Errorf("adding a file that is there: got %v, want ErrMoved", err)
	}
}

func TestDiffAndApplyAreAPair(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := trees().Draw(t, "a"), trees().Draw(t, "b")
		if d := tree.Diff(a, a); len(d) != 0 {
			t.Fatalf("Diff(a, a) = %v", d)
		}
		before := a.Clone()
		got, err := a.Apply(tree.Diff(a, b))
		if err != nil {
			t.Fatal(err)
		}
		if !got.Equal(b) {
			t.Fatalf("apply(Diff(a, b)) to a gives %v, want %v", got.Paths(), b.Paths())
		}
		if !a.Equal(before) {
			t.Fatal("Apply changed the tree it was called on")
		}
	})
}

func TestBelow(t *testing.T) {
	t.Parallel()
	tr := of(t, map[string]string{"a/b/c": "", "a/b": "", "a/bc": "", "ab/c": "", "a": ""})
	if got, want := tr.Below("a/b").Paths(), []string{"a/b/c"}; !slices.Equal(got, want) {
		t.Errorf("Below = %v, want %v", got, want)
	}
}

func TestCollisions(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		paths []string
		want  [][]string
	}{
		"nothing":                   {[]string{"a/b", "a/c", "b/a"}, nil},
		"files that differ in case": {[]string{"a/B", "a/b"}, [][]string{{"a/B", "a/b"}}},
		"folders too":               {[]string{"A/x", "a/y"}, [][]string{{"A", "a"}}},
		"a file and a folder":       {[]string{"a", "a/b/c"}, [][]string{{"a", "a/b/c"}}},
		"letters beyond ASCII":      {[]string{"ö", "Ö"}, [][]string{{"Ö", "ö"}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var tr tree.Tree
			for _, p := range test.paths {
				if err := tr.Set(p, nil); err != nil {
					t.Fatal(err)
				}
			}
			if d := cmp.Diff(test.want, tr.Collisions()); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
		})
	}
}

func ExampleDiff() {
	var merged, wanted tree.Tree
	for _, path := range []string{"vpcs/db.yaml", "vpcs/web.yaml"} {
		if err := merged.Set(path, []byte("mtu: 1500\n")); err != nil {
			panic(err)
		}
	}
	for _, path := range []string{"vpcs/app.yaml", "vpcs/web.yaml"} {
		if err := wanted.Set(path, []byte("mtu: 9000\n")); err != nil {
			panic(err)
		}
	}
	for _, change := range tree.Diff(merged, wanted) {
		fmt.Println(change)
	}
	fmt.Println(wanted.Set("vpcs/../../x", nil))
	// Output:
	// added vpcs/app.yaml
	// removed vpcs/db.yaml
	// changed vpcs/web.yaml
	// refused path "vpcs/../../x": it is not valid UTF-8, or has an empty, . or .. element
}
