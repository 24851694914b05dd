// Package tree holds the files of a repository as one value: a [Tree] is path
// -> bytes, whatever it was read from and wherever it goes.
//
//	[Read]        a directory -> Tree
//	[Diff]        two Trees -> []Change
//	[Tree.Apply]  Tree + []Change -> Tree
//	[Write]       []Change -> a directory
//
// Paths are relative, use slashes, and cannot name anything outside the tree or
// inside a .git folder: [Check] says which are refused, and every way into a
// Tree and onto a disk goes through it.
//
// The package imports nothing of ours.
package tree

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"slices"
	"strings"
)

// Tree is a set of files: path -> bytes. The zero value is an empty tree, ready
// to use. Copies of a Tree share their files, as copies of a map do; use
// [Tree.Clone] for a tree of its own. The bytes belong to the tree: nobody
// changes them once they are in it.
type Tree struct {
	files map[string][]byte
}

// ErrPath is what every error about a refused path wraps.
var ErrPath = errors.New("refused path")

// maxSegment is the longest name of a file or folder that common file systems
// hold, in bytes.
const maxSegment = 255

// Check returns an error that wraps [ErrPath] when the path cannot stand in a
// tree: it must be relative, valid UTF-8, with single slashes between names and
// no ".", "..", ".git" (however it is written), backslash or control character
// in it.
func Check(path string) error {
	refuse := func(why string) error { return fmt.Errorf("%w %q: %s", ErrPath, path, why) }
	switch {
	case path == "" || path == ".":
		return refuse("it is empty")
	case path[0] == '/':
		return refuse("it is absolute")
	case strings.Contains(path, `\`):
		return refuse("it contains a backslash")
	case strings.ContainsFunc(path, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return refuse("it contains a control character")
	case !fs.ValidPath(path):
		return refuse("it is not valid UTF-8, or has an empty, . or .. element")
	}
	for name := range strings.SplitSeq(path, "/") {
		switch {
		case len(name) > maxSegment:
			return refuse(fmt.Sprintf("a name is longer than %d bytes", maxSegment))
		case isDotGit(name):
			return refuse("it leads into a .git folder")
		}
	}
	return nil
}

// isDotGit reports whether some file system would take the name for ".git":
// letters of any case, trailing dots and spaces and alternate streams (NTFS),
// the short name git~1 (FAT), ignored code points (HFS+).
func isDotGit(name string) bool {
	if len(name) < len(".git") {
		return false
	}
	name = strings.Map(func(r rune) rune {
		switch {
		case r >= 0x200c && r <= 0x200f, r >= 0x202a && r <= 0x202e, r >= 0x206a && r <= 0x206f, r == 0xfeff:
			return -1
		}
		return r
	}, name)
	name, _, _ = strings.Cut(name, ":")
	name = strings.TrimRight(name, ". ")
	return strings.EqualFold(name, ".git") || strings.EqualFold(name, "git~1")
}

// Set puts a file into the tree, in the place of the one that is there. It
// refuses the paths that [Check] refuses.
func (t *Tree) Set(path string, content []byte) error {
	if err := Check(path); err != nil {
		return err
	}
	if t.files == nil {
		t.files = map[string][]byte{}
	}
	if content == nil {
		content = []byte{}
	}
	t.files[path] = content
	return nil
}

// Get returns the content of the file, and whether there is one.
func (t Tree) Get(path string) ([]byte, bool) {
	content, ok := t.files[path]
	return content, ok
}

// Has reports whether the tree has the file.
func (t Tree) Has(path string) bool {
	_, ok := t.files[path]
	return ok
}

// Remove takes the file out of the tree, if it is there.
func (t *Tree) Remove(path string) { delete(t.files, path) }

// Len returns the number of files.
func (t Tree) Len() int { return len(t.files) }

// Paths returns the paths of all files, sorted.
func (t Tree) Paths() []string { return slices.Sorted(maps.Keys(t.files)) }

// All iterates over the files in the order of their paths.
func (t Tree) All() iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		for _, path := range t.Paths() {
			if !yield(path, t.files[path]) {
				return
			}
		}
	}
}

// Below returns the files inside the folder, under the same paths. The empty
// folder "" gives the whole tree.
func (t Tree) Below(folder string) Tree {
	if folder == "" {
		return t.Clone()
	}
	below := Tree{files: map[string][]byte{}}
	for path, content := range t.files {
		if Inside(path, folder) {
			below.files[path] = content
		}
	}
	return below
}

// Inside reports whether the path lies below the folder.
func Inside(path, folder string) bool {
	return len(path) > len(folder) && path[len(folder)] == '/' && path[:len(folder)] == folder
}

// Clone returns a tree with the same files that can be changed on its own.
func (t Tree) Clone() Tree { return Tree{files: maps.Clone(t.files)} }

// Equal reports whether both trees hold the same files.
func (t Tree) Equal(other Tree) bool { return maps.EqualFunc(t.files, other.files, bytes.Equal) }

// Collisions returns, sorted, the groups of paths that cannot stand next to each
// other on every file system: those that differ in case alone, in any of
// their names, and a file where another path has a folder.
func (t Tree) Collisions() [][]string {
	var groups [][]string
	// spellings maps a folded path, of a file or of a folder, to how it is written.
	spellings := map[string][]string{}
	seen := map[string]bool{}
	for path := range t.files {
		for end := range len(path) + 1 {
			if end < len(path) && path[end] != '/' || seen[path[:end]] {
				continue
			}
			seen[path[:end]] = true
			fold := strings.ToLower(strings.ToUpper(path[:end]))
			spellings[fold] = append(spellings[fold], path[:end])
		}
	}
	for _, group := range spellings {
		if len(group) > 1 {
			groups = append(groups, slices.Sorted(slices.Values(group)))
		}
	}
	for path := range t.files {
		for end := range path {
			if path[end] == '/' && t.Has(path[:end]) {
				groups = append(groups, []string{path[:end], path})
			}
		}
	}
	slices.SortFunc(groups, slices.Compare[[]string])
	return groups
}

// Op says what a [Change] does to a file.
type Op int

// What a Change does.
const (
	Added Op = iota
	Changed
	Removed
)

// String returns added, changed or removed.
func (o Op) String() string {
	switch o {
	case Added:
		return "added"
	case Changed:
		return "changed"
	case Removed:
		return "removed"
	}
	return fmt.Sprintf("op(%d)", int(o))
}

// Change is the difference of one file between two trees.
type Change struct {
	Path string
	Op   Op
	// Old is the content before, nil when Op is Added; New the content after, nil
	// when Op is Removed.
	Old, New []byte
}

// String returns the change on one line: "added fabrics/lab/...".
func (c Change) String() string { return c.Op.String() + " " + c.Path }

// Diff returns what leads from a to b, sorted by path.
func Diff(a, b Tree) []Change {
	var changes []Change
	for path, old := range a.files {
		switch wanted, ok := b.files[path]; {
		case !ok:
			changes = append(changes, Change{Path: path, Op: Removed, Old: old})
		case !bytes.Equal(old, wanted):
			changes = append(changes, Change{Path: path, Op: Changed, Old: old, New: wanted})
		}
	}
	for path, wanted := range b.files {
		if !a.Has(path) {
			changes = append(changes, Change{Path: path, Op: Added, New: wanted})
		}
	}
	slices.SortFunc(changes, func(a, b Change) int { return cmp.Compare(a.Path, b.Path) })
	return changes
}

// Apply returns the tree with the changes made, and leaves t as it is. It refuses
// a change whose Old is not what the tree holds.
func (t Tree) Apply(changes []Change) (Tree, error) {
	next := t.Clone()
	for _, c := range changes {
		have, ok := next.files[c.Path]
		if ok != (c.Op != Added) || !bytes.Equal(have, c.Old) {
			return Tree{}, fmt.Errorf("%s: %w", c, ErrMoved)
		}
		if c.Op == Removed {
			next.Remove(c.Path)
		} else if err := next.Set(c.Path, c.New); err != nil {
			return Tree{}, err
		}
	}
	return next, nil
}

// ErrMoved is what an error wraps when a file is not what a [Change] says it was.
var ErrMoved = errors.New("the file is not what it was when the change was computed")
