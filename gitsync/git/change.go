package git

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"

	"hedgehog-gitops/gitsync/edge"
	"hedgehog-gitops/render/tree"
)

// change is what is to be done at a path: below a folder, or with a file.
type change struct {
	set, remove bool
	content     []byte
	below       map[string]*change
}

// changesOf sorts changes into their folders. It refuses the paths that no tree may
// have, and those that only people may change.
func changesOf(changes map[string][]byte) (*change, error) {
	root := &change{}
	for _, name := range slices.Sorted(maps.Keys(changes)) {
		content := changes[name]
		if err := tree.Check(name); err != nil {
			return nil, err
		}
		first, _, _ := strings.Cut(name, "/")
		if strings.EqualFold(first, ".github") {
			return nil, &edge.Error{Detail: fmt.Sprintf("%s is not changed: workflows are people's", name)}
		}
		c := root
		for part := range strings.SplitSeq(name, "/") {
			if c.below == nil {
				c.below = map[string]*change{}
			}
			if c.below[part] == nil {
				c.below[part] = &change{}
			}
			c = c.below[part]
		}
		c.set, c.remove, c.content = content != nil, content == nil, content
	}
	return root, nil
}

// builder makes the trees of a commit out of those of another one.
type builder struct {
	have objects
	made []outgoing
	seen map[plumbing.Hash]bool
}

// build returns the root of the changed tree. From is the root of the tree that is
// changed, zero for none.
func (b *builder) build(from plumbing.Hash, c *change) (plumbing.Hash, error) {
	root, empty, err := b.tree(from, c, "")
	if empty && err == nil {
		root = b.add(plumbing.TreeObject, nil, plumbing.ZeroHash)
	}
	return root, err
}

// tree changes one folder and returns its id, or that nothing is left in it.
func (b *builder) tree(from plumbing.Hash, c *change, folder string) (id plumbing.Hash, empty bool, err error) {
	var entries []entry
	if !from.IsZero() {
		if entries, err = b.have.tree(from); err != nil {
			return id, false, err
		}
	}
	places := make(map[string]int, len(entries))
	for i, e := range entries {
		places[e.name] = i
	}
	for _, name := range slices.Sorted(maps.Keys(c.below)) {
		var old entry
		place, found := places[name]
		if found {
			old = entries[place]
		}
		changed, err := b.entry(old, c.below[name], name, path.Join(folder, name))
		if err != nil {
			return id, false, err
		}
		if found {
			entries[place] = changed
		} else {
			entries = append(entries, changed)
		}
	}
	entries = slices.DeleteFunc(entries, func(e entry) bool { return e.name == "" })
	if len(entries) == 0 {
		return id, true, nil
	}
	return b.add(plumbing.TreeObject, formatTree(entries), from), false, nil
}

// entry changes what stands at a path. The result has no name when nothing does.
func (b *builder) entry(old entry, c *change, name, full string) (entry, error) {
	refuse := func(what, hint string) (entry, error) {
		return old, &edge.Error{Detail: fmt.Sprintf("%s %s", full, what), Hint: hint}
	}
	exists := old.name != ""
	if c.set {
		if c.below != nil && c.sets(false) {
			return refuse("is to be a file and a folder at once", "")
		}
		if exists && old.isTree() {
			// A folder gives way to a file if all that is in it is removed.
			_, empty, err := b.tree(old.id, c, full)
			if err != nil {
				return old, err
			}
			if !empty {
				return refuse("is a folder in the repository", "move it away, or choose another name")
			}
			exists = false
		}
		if exists && !old.isFile() {
			return refuse(fmt.Sprintf("is %s in the repository, not a file", old.what()), "remove it there first")
		}
		if !exists {
			old = entry{mode: fileMode, name: name}
		}
		old.id = b.add(plumbing.BlobObject, c.content, old.id)
		return old, nil
	}
	var from plumbing.Hash
	switch {
	case exists && old.isTree() && c.below == nil:
		return refuse("is a folder in the repository", "name the files in it")
	case exists && old.isTree():
		from = old.id
	case c.remove || !exists:
	case c.sets(false):
		return refuse(fmt.Sprintf("is %s in the repository, not a folder", old.what()), "remove it there first")
	default:
		return old, nil // there is nothing below it that could be removed
	}
	id, empty, err := b.tree(from, c, full)
	if empty || err != nil {
		return entry{}, err
	}
	return entry{treeMode, name, id}, nil
}

// sets reports whether a file is to be written below, or here.
func (c *change) sets(here bool) bool {
	if here && c.set {
		return true
	}
	for _, b := range c.below {
		if b.sets(true) {
			return true
		}
	}
	return false
}

// add makes an object. Like is one that the server has and that may be alike.
func (b *builder) add(kind plumbing.ObjectType, data []byte, like plumbing.Hash) plumbing.Hash {
	id := plumbing.ComputeHash(kind, data)
	if id == like || b.seen[id] {
		return id
	}
	b.seen[id] = true
	o := outgoing{object: object{kind, data}, id: id}
	if old, found := b.have[like]; found && old.kind == kind && len(old.data) > 0 && len(data) > 0 {
		if diff := packfile.DiffDelta(old.data, data); len(diff) < len(data)/2 {
			o.base, o.diff = like, diff
		}
	}
	b.made = append(b.made, o)
	return id
}

// folders are those whose trees a change needs, for a start.
func (c *change) folders() []need {
	var needs []need
	var walk func(c *change, folder string)
	walk = func(c *change, folder string) {
		if len(c.below) == 0 {
			return
		}
		needs = append(needs, need{folder: folder})
		for name, b := range c.below {
			walk(b, path.Join(folder, name))
		}
	}
	walk(c, "")
	slices.SortFunc(needs, func(a, b need) int { return strings.Compare(a.folder, b.folder) })
	return needs
}
