package git

import (
	"bytes"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"hedgehog-gitops/gitsync"
)

// scratch builds a tree of these files out of nothing.
func scratch(t rapid.TB, files map[string]string, into objects) (plumbing.Hash, []outgoing) {
	t.Helper()
	changes := map[string][]byte{}
	for p, content := range files {
		changes[p] = []byte(content)
	}
	return built(t, plumbing.ZeroHash, changes, into)
}

func built(t rapid.TB, from plumbing.Hash, changes map[string][]byte, into objects) (plumbing.Hash, []outgoing) {
	t.Helper()
	c, err := changesOf(changes)
	if err != nil {
		t.Fatal(err)
	}
	b := builder{have: into, seen: map[plumbing.Hash]bool{}}
	root, err := b.build(from, c)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range b.made {
		into[o.id] = o.object
	}
	return root, b.made
}

// drawnFiles draws files, none of which lies where another one has a folder.
func drawnFiles(t *rapid.T) map[string]string {
	return clean(rapid.MapOfN(drawnPath(), rapid.StringN(0, 20, -1), 1, 30).Draw(t, "files"))
}

// drawnPath draws paths whose order is not that of their folders.
func drawnPath() *rapid.Generator[string] {
	name := rapid.SampledFrom([]string{"a", "b", "c", "a.b", "a-b", "ä", "漢", "x y", "\"q\"", "a0"})
	return rapid.Custom(func(t *rapid.T) string { return strings.Join(rapid.SliceOfN(name, 1, 4).Draw(t, "path"), "/") })
}

func clean(files map[string]string) map[string]string {
	out := maps.Clone(files)
	for p := range files {
		for other := range files {
			if strings.HasPrefix(other, p+"/") {
				delete(out, p)
			}
		}
	}
	return out
}

// drawnChanges draws changes of the files and what they end in.
func drawnChanges(t *rapid.T, before map[string]string) (changes map[string][]byte, after map[string]string) {
	after, changes = maps.Clone(before), map[string][]byte{}
	for _, p := range slices.Sorted(maps.Keys(before)) {
		switch rapid.IntRange(0, 4).Draw(t, "change "+p) {
		case 0:
			changes[p] = nil
			delete(after, p)
		case 1:
			changes[p] = []byte("changed\n")
			after[p] = "changed\n"
		}
	}
	for _, p := range rapid.SliceOfN(drawnPath(), 0, 10).Draw(t, "new") {
		trial := maps.Clone(after)
		trial[p] = "new\n"
		if _, changed := changes[p]; !changed && len(clean(trial)) == len(trial) {
			after, changes[p] = trial, []byte("new\n")
		}
	}
	return changes, after
}

// Any change of any tree ends in the tree that is built of its files out of nothing,
// and Git, which checks every object, lists the same files in it.
func TestAnyChange(t *testing.T) {
	t.Parallel()
	all := objects{}
	wants := map[plumbing.Hash]map[string]string{}
	rapid.Check(t, func(t *rapid.T) {
		have := objects{}
		before := drawnFiles(t)
		from, _ := scratch(t, before, have)
		changes, after := drawnChanges(t, before)
		root, made := built(t, from, changes, have)
		if want, _ := scratch(t, after, have); root != want {
			t.Fatalf("the changed tree is %s, want %s", root, want)
		}
		if maps.Equal(before, after) && (root != from || len(made) != 0) {
			t.Fatalf("nothing is changed, and the root goes from %s to %s, with %d objects", from, root, len(made))
		}
		files, room := map[string]gitsync.File{}, int64(1<<20)
		if err := have.list(root, "", files, &room); err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for p, f := range files {
			got[p] = string(have[plumbing.NewHash(string(f.Blob))].data)
		}
		if diff := cmp.Diff(after, got); diff != "" {
			t.Fatalf("files (-want +got):\n%s", diff)
		}
		maps.Copy(all, have)
		wants[root] = after
	})
	var sent []outgoing
	for id, o := range all {
		sent = append(sent, outgoing{object: o, id: id})
	}
	var pack bytes.Buffer
	if err := writePack(&pack, sent, false); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	gitIn(t, dir, nil, "init", "--quiet", "--bare")
	gitIn(t, dir, pack.Bytes(), "index-pack", "--stdin", "--strict")
	n := 0
	for root, files := range wants {
		if n++; n > 20 {
			break
		}
		paths := strings.Split(strings.TrimSuffix(gitIn(t, dir, nil, "ls-tree", "-r", "-z", "--name-only", root.String()), "\x00"), "\x00")
		if len(files) == 0 {
			paths = nil
		}
		slices.Sort(paths)
		if diff := cmp.Diff(slices.Sorted(maps.Keys(files)), paths); diff != "" {
			t.Errorf("git lists (-want +got):\n%s", diff)
		}
	}
}

// gitIn runs git in a folder, with an input, and returns what it prints.
func gitIn(t testing.TB, dir string, in []byte, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir, cmd.Stdin = dir, bytes.NewReader(in)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=/nonexistent", "LC_ALL=C", "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=" + os.DevNull,
		"GIT_AUTHOR_NAME=Ann", "GIT_AUTHOR_EMAIL=ann@example.com", "GIT_COMMITTER_NAME=Ann", "GIT_COMMITTER_EMAIL=ann@example.com"}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, stderr.Bytes())
	}
	return string(out)
}

// Modes that Git wrote once and no longer does stay as they are, to the byte.
func TestOldModesStay(t *testing.T) {
	t.Parallel()
	have := objects{}
	blob := have.add(plumbing.BlobObject, []byte("x"))
	inner := have.add(plumbing.TreeObject, formatTree([]entry{{"100664", "old", blob}}))
	root := have.add(plumbing.TreeObject, formatTree([]entry{{"040000", "padded", inner}, {"100664", "old", blob}, {"100600", "odd", blob}}))
	changed, _ := built(t, root, map[string][]byte{"new": []byte("new")}, have)
	got, err := have.tree(changed)
	if err != nil {
		t.Fatal(err)
	}
	want := []entry{{"100644", "new", plumbing.ComputeHash(plumbing.BlobObject, []byte("new"))}, {"100600", "odd", blob}, {"100664", "old", blob}, {"040000", "padded", inner}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(entry{})); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
}

func TestDamagedTrees(t *testing.T) {
	t.Parallel()
	id := strings.Repeat("x", 20)
	for name, text := range map[string]string{
		"cut":           "100644 a\x00" + id[:19],
		"no name":       "100644 \x00" + id,
		"no mode":       "a\x00" + id,
		"an odd mode":   "100944 a\x00" + id,
		"up":            "40000 ..\x00" + id,
		"here":          "40000 .\x00" + id,
		"a path":        "100644 a/b\x00" + id,
		"nothing ended": "100644 a",
	} {
		if got, err := parseTree([]byte(text)); err == nil {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// A tree that names more files than there is memory for is given up.
func TestTreesThatMultiply(t *testing.T) {
	t.Parallel()
	have := objects{}
	id := have.add(plumbing.BlobObject, []byte("x"))
	mode := fileMode
	for range 12 { // 10^12 files
		var entries []entry
		for n := range 10 {
			entries = append(entries, entry{mode, string(rune('a' + n)), id})
		}
		id, mode = have.add(plumbing.TreeObject, formatTree(entries)), treeMode
	}
	room := int64(1 << 20)
	if err := have.list(id, "", map[string]gitsync.File{}, &room); err == nil || !strings.Contains(err.Error(), "there are more than ") {
		t.Errorf("error %v", err)
	}
	for range deepest + 10 {
		id = have.add(plumbing.TreeObject, formatTree([]entry{{treeMode, "a", id}}))
	}
	room = 1 << 20
	if err := have.list(id, "", map[string]gitsync.File{}, &room); err == nil || !strings.Contains(err.Error(), "folders in each other") {
		t.Errorf("error %v", err)
	}
	r := Repo{objects: have, complete: map[plumbing.Hash]bool{}}
	if _, err := r.below(id, 0, map[plumbing.Hash]bool{}); err == nil || !strings.Contains(err.Error(), "folders in each other") {
		t.Errorf("error %v", err)
	}
}

// gitIn2 is gitIn inside of a check.
func gitIn2(t rapid.TB, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=/nonexistent", "LC_ALL=C", "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=" + os.DevNull}
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("git %s: %v", strings.Join(args, " "), err)
	}
	return string(out)
}
