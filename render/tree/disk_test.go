//go:build unix

package tree_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"pgregory.net/rapid"

	"hedgehog-gitops/render/tree"
)

func read(t testing.TB, dir string, prefixes ...string) tree.Tree {
	t.Helper()
	tr, err := tree.Read(dir, prefixes...)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func write(t testing.TB, dir string, want tree.Tree) {
	t.Helper()
	if err := tree.Write(dir, tree.Diff(read(t, dir), want)); err != nil {
		t.Fatal(err)
	}
}

// entries lists everything in the directory, folders and links too.
func entries(t testing.TB, dir string) string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(dir, func(p string, _ fs.DirEntry, err error) error {
		rel, _ := filepath.Rel(dir, p)
		names = append(names, filepath.ToSlash(rel))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(names, " ")
}

func TestWriteThenReadGivesTheTree(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		dir, err := os.MkdirTemp(t.TempDir(), "")
		if err != nil {
			rt.Fatal(err)
		}
		// A directory with one tree in it, written over with another.
		for _, name := range []string{"first", "second"} {
			want := trees().Draw(rt, name)
			have, err := tree.Read(dir)
			if err != nil {
				rt.Fatal(err)
			}
			if err := tree.Write(dir, tree.Diff(have, want)); err != nil {
				rt.Fatal(err)
			}
			if have, err = tree.Read(dir); err != nil || !have.Equal(want) {
				rt.Fatalf("read %v (%v), want %v", have.Paths(), err, want.Paths())
			}
		}
		// Nothing but the files and the folders they need is left.
		err = filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
			if d.IsDir() && p != dir {
				if inside, _ := os.ReadDir(p); len(inside) == 0 {
					rt.Fatalf("empty folder %s is left", p)
				}
			}
			return err
		})
		if err != nil {
			rt.Fatal(err)
		}
	})
}

func TestWriteTouchesOnlyWhatDiffers(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := of(t, map[string]string{"a/same": "1", "a/new": "1", "a/already": "2"})
	write(t, dir, first)
	old := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	for path := range first.All() {
		if err := os.Chtimes(filepath.Join(dir, path), old, old); err != nil {
			t.Fatal(err)
		}
	}
	// The change of a/already was computed from an older state of the directory.
	before := of(t, map[string]string{"a/same": "1", "a/new": "1", "a/already": "1"})
	after := of(t, map[string]string{"a/same": "1", "a/new": "2", "a/already": "2"})
	if err := tree.Write(dir, tree.Diff(before, after)); err != nil {
		t.Fatal(err)
	}
	for path, kept := range map[string]bool{"a/same": true, "a/already": true, "a/new": false} {
		info, err := os.Stat(filepath.Join(dir, path))
		if err != nil {
			t.Fatal(err)
		}
		if info.ModTime().Equal(old) != kept {
			t.Errorf("%s: kept its time: %v, want %v", path, !kept, kept)
		}
	}
}

func TestWriteModes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, of(t, map[string]string{"a/b": "1"}))
	// The umask is the process's: what it leaves of the modes is seen in twins.
	if err := os.Mkdir(filepath.Join(dir, "twin"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "twin", "b"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for name, twin := range map[string]string{"a": "twin", "a/b": "twin/b"} {
		got, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		want, err := os.Stat(filepath.Join(dir, twin))
		if err != nil {
			t.Fatal(err)
		}
		if got.Mode() != want.Mode() {
			t.Errorf("%s has mode %s, want %s", name, got.Mode(), want.Mode())
		}
	}
}

func TestWriteMakesTheDirectory(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "new", "repository")
	want := of(t, map[string]string{"a/b": "1"})
	write(t, dir, want)
	if got := read(t, dir); !got.Equal(want) {
		t.Errorf("read %v", got.Paths())
	}
}

// TestWriteFails holds what must leave the directory exactly as it was.
func TestWriteFails(t *testing.T) {
	t.Parallel()
	first := map[string]string{"a/one": "1", "a/two": "1"}
	tests := map[string]struct {
		spoil   func(t *testing.T, dir string)
		changes []tree.Change
		want    error
		text    string
	}{
		"a path that leaves the directory": {
			changes: []tree.Change{{Path: "a/one", Op: tree.Changed, Old: []byte("1"), New: []byte("2")}, {Path: "../x", New: []byte("2")}},
			want:    tree.ErrPath, text: "../x",
		},
		"a file changed meanwhile": {
			changes: []tree.Change{{Path: "a/three", New: []byte("2")}, {Path: "a/two", Op: tree.Changed, Old: []byte("0"), New: []byte("2")}},
			want:    tree.ErrMoved, text: "a/two",
		},
		"a file removed meanwhile": {
			changes: []tree.Change{{Path: "a/three", New: []byte("2")}, {Path: "b/four", Op: tree.Changed, Old: []byte("0"), New: []byte("2")}},
			want:    tree.ErrMoved, text: "b/four",
		},
		"a file added meanwhile": {
			changes: []tree.Change{{Path: "a/three", New: []byte("2")}, {Path: "a/two", New: []byte("2")}},
			want:    tree.ErrMoved, text: "a/two",
		},
		"a deleted file changed meanwhile": {
			changes: []tree.Change{{Path: "a/three", New: []byte("2")}, {Path: "a/two", Op: tree.Removed, Old: []byte("0")}},
			want:    tree.ErrMoved, text: "a/two",
		},
		"a folder where a file should be": {
			changes: []tree.Change{{Path: "b/three", New: []byte("2")}, {Path: "a", New: []byte("2")}},
			text:    "a is a folder",
		},
		"a file where a folder should be": {
			changes: []tree.Change{{Path: "b/three", New: []byte("2")}, {Path: "a/one/x", New: []byte("2")}},
			text:    "a/one is not a folder",
		},
		"a link to a folder outside": {
			spoil:   func(t *testing.T, dir string) { symlink(t, t.TempDir(), filepath.Join(dir, "out")) },
			changes: []tree.Change{{Path: "b/three", New: []byte("2")}, {Path: "out/x", New: []byte("2")}},
			text:    "out is not a folder",
		},
		"a link to a folder inside": {
			spoil:   func(t *testing.T, dir string) { symlink(t, "a", filepath.Join(dir, "in")) },
			changes: []tree.Change{{Path: "b/three", New: []byte("2")}, {Path: "in/x", New: []byte("2")}},
			text:    "in is not a folder",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			write(t, dir, of(t, first))
			if test.spoil != nil {
				test.spoil(t, dir)
			}
			before := entries(t, dir)
			err := tree.Write(dir, test.changes)
			var werr *tree.WriteError
			if !errors.As(err, &werr) || len(werr.Done) != 0 {
				t.Fatalf("got %v, want a WriteError with nothing done", err)
			}
			if test.want != nil && !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.text) {
				t.Errorf("got %v, want %v naming %q", err, test.want, test.text)
			}
			if after := entries(t, dir); after != before {
				t.Errorf("the directory was  %s\nand is now         %s", before, after)
			}
			if got := read(t, dir, "a"); !got.Equal(of(t, first)) {
				t.Error("old content is gone")
			}
		})
	}
}

func TestWriteReplacesALinkAndNotItsTarget(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, of(t, map[string]string{"target": "1"}))
	symlink(t, "target", filepath.Join(dir, "link"))
	if err := tree.Write(dir, []tree.Change{{Path: "link", Op: tree.Changed, Old: []byte("1"), New: []byte("2")}}); err != nil {
		t.Fatal(err)
	}
	if got, want := read(t, dir), of(t, map[string]string{"target": "1", "link": "2"}); !got.Equal(want) {
		t.Error("the link's target was written")
	}
}

func TestRead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, of(t, map[string]string{"a/b/one": "1", "a/bc": "2", "top": "3"}))
	for _, name := range []string{"a/.git", ".git"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name, "config"), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	symlink(t, "b/one", filepath.Join(dir, "a", "link"))
	if got, want := read(t, dir), of(t, map[string]string{"a/b/one": "1", "a/bc": "2", "a/link": "1", "top": "3"}); !got.Equal(want) {
		t.Errorf("got %v", got.Paths())
	}
	if got, want := read(t, dir, "a/b", "top", "nowhere"), of(t, map[string]string{"a/b/one": "1", "top": "3"}); !got.Equal(want) {
		t.Errorf("with prefixes got %v", got.Paths())
	}
	if got := read(t, filepath.Join(dir, "nowhere")); got.Len() != 0 {
		t.Errorf("of no directory got %v", got.Paths())
	}
	if _, err := tree.Read(dir, "../x"); !errors.Is(err, tree.ErrPath) {
		t.Errorf("a prefix outside: got %v, want ErrPath", err)
	}
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	outside := t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, "secret"), []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := map[string]func(t *testing.T, path string){
		"a link to a file outside":   func(t *testing.T, path string) { symlink(t, filepath.Join(outside, "secret"), path) },
		"a link to a folder outside": func(t *testing.T, path string) { symlink(t, outside, path) },
		"a link to a folder inside":  func(t *testing.T, path string) { symlink(t, ".", path) },
		"a link to nothing":          func(t *testing.T, path string) { symlink(t, "nothing", path) },
		"a pipe": func(t *testing.T, path string) {
			if err := syscall.Mkfifo(path, 0o644); err != nil {
				t.Fatal(err)
			}
		},
		"a name that no tree may hold": func(t *testing.T, path string) {
			if err := os.WriteFile(path+`\x`, nil, 0o644); err != nil {
				t.Fatal(err)
			}
		},
	}
	for name, spoil := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			spoil(t, filepath.Join(dir, "odd"))
			got, err := tree.Read(dir)
			if err == nil || !strings.Contains(err.Error(), "odd") {
				t.Errorf("got %v and error %v, want an error that names odd", got.Paths(), err)
			}
		})
	}
}

func symlink(t testing.TB, target, name string) {
	t.Helper()
	if err := os.Symlink(target, name); err != nil {
		t.Fatal(err)
	}
}
