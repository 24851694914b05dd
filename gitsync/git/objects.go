package git

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	gitobject "github.com/go-git/go-git/v5/plumbing/object"

	"hedgehog-gitops/gitsync"
)

// entry is a line of a tree. The mode stays as it is written.
type entry struct {
	mode string
	name string
	id   plumbing.Hash
}

const (
	treeMode = "40000"
	fileMode = "100644"
)

func (e entry) isTree() bool      { return e.mode == treeMode || e.mode == "040000" }
func (e entry) isLink() bool      { return e.mode == "120000" }
func (e entry) isSubmodule() bool { return e.mode == "160000" }

// isFile reports whether it is a regular file, executable or not.
func (e entry) isFile() bool { return strings.HasPrefix(e.mode, "100") }

// file is the entry as others see it.
func (e entry) file() gitsync.File {
	mode, _ := strconv.ParseUint(e.mode, 8, 32) // parseTree has seen that it can
	return gitsync.File{Blob: gitsync.Hash(e.id.String()), Mode: uint32(mode)}
}

// what names the kind of thing.
func (e entry) what() string {
	switch {
	case e.isTree():
		return "a folder"
	case e.isLink():
		return "a symbolic link"
	case e.isSubmodule():
		return "a submodule"
	}
	return "a file"
}

// errTree is a tree that Git would not have made.
var errTree = errors.New("the repository holds a damaged folder")

// parseTree returns the entries of a tree in their order.
func parseTree(data []byte) ([]entry, error) {
	text := string(data) // once: names and modes are parts of it
	entries := make([]entry, 0, len(text)/40+1)
	for len(text) > 0 {
		head, rest, found := strings.Cut(text, "\x00")
		mode, name, named := strings.Cut(head, " ")
		var e entry
		if !found || !named || len(rest) < len(e.id) {
			return nil, fmt.Errorf("%w: it ends in the middle", errTree)
		}
		if _, err := strconv.ParseUint(mode, 8, 32); err != nil {
			return nil, fmt.Errorf("%w: %q is no mode", errTree, mode)
		}
		if name == "" || name == "." || name == ".." || strings.Contains(name, "/") {
			return nil, fmt.Errorf("%w: %q is no name", errTree, name)
		}
		e.mode, e.name = mode, name
		copy(e.id[:], rest)
		entries, text = append(entries, e), rest[len(e.id):]
	}
	return entries, nil
}

// formatTree returns the tree of the entries, which it puts in Git's order: that
// of their bytes, with folders as if a slash ended them.
func formatTree(entries []entry) []byte {
	slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.key(), b.key()) })
	var out bytes.Buffer
	for _, e := range entries {
		out.WriteString(e.mode)
		out.WriteByte(' ')
		out.WriteString(e.name)
		out.WriteByte(0)
		out.Write(e.id[:])
	}
	return out.Bytes()
}

func (e entry) key() string {
	if e.isTree() {
		return e.name + "/"
	}
	return e.name
}

// tree returns the entries of a tree that is there.
func (o objects) tree(id plumbing.Hash) ([]entry, error) {
	found, ok := o[id]
	if !ok || found.kind != plumbing.TreeObject {
		return nil, fmt.Errorf("%w: %s is no folder", errTree, id)
	}
	return parseTree(found.data)
}

// commit returns a commit that is there.
func (o objects) commit(id plumbing.Hash) (*gitobject.Commit, error) {
	found, ok := o[id]
	if !ok || found.kind != plumbing.CommitObject {
		return nil, fmt.Errorf("%w: %s is no commit", gitsync.ErrNotFound, id)
	}
	encoded := &plumbing.MemoryObject{}
	encoded.SetType(plumbing.CommitObject)
	if _, err := encoded.Write(found.data); err != nil {
		return nil, err
	}
	commit := &gitobject.Commit{}
	if err := commit.Decode(encoded); err != nil {
		return nil, fmt.Errorf("reading the commit %s: %w", id, err)
	}
	return commit, nil
}

// described is the commit as others see it.
func described(c *gitobject.Commit) gitsync.Commit {
	out := gitsync.Commit{
		Hash: gitsync.Hash(c.Hash.String()), Message: c.Message,
		Author:    gitsync.Person{Name: c.Author.Name, Email: c.Author.Email, When: c.Author.When},
		Committer: gitsync.Person{Name: c.Committer.Name, Email: c.Committer.Email, When: c.Committer.When},
	}
	for _, p := range c.ParentHashes {
		out.Parents = append(out.Parents, gitsync.Hash(p.String()))
	}
	return out
}

// parseHash refuses what is no id.
func parseHash(h gitsync.Hash) (plumbing.Hash, error) {
	if !plumbing.IsHash(string(h)) {
		return plumbing.ZeroHash, fmt.Errorf("%q is no id of a commit", h)
	}
	return plumbing.NewHash(string(h)), nil
}
