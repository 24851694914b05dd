package git

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"

	"hedgehog-gitops/gitsync"
	"hedgehog-gitops/gitsync/edge"
)

// need is a folder of a commit whose tree has to be here, with all trees below it
// when it is whole. "" is the root.
type need struct {
	folder string
	whole  bool
}

// at returns what stands at a path below a tree; nothing stands there when a tree
// on the way is not here, or the path does not exist.
func (o objects) at(root plumbing.Hash, path string) (entry, error) {
	e := entry{mode: treeMode, id: root}
	if path == "" {
		return e, nil
	}
	for name := range strings.SplitSeq(path, "/") {
		if _, found := o[e.id]; !e.isTree() || !found {
			return entry{}, nil
		}
		entries, err := o.tree(e.id)
		if err != nil {
			return entry{}, err
		}
		i := slices.IndexFunc(entries, func(e entry) bool { return e.name == name })
		if i < 0 {
			return entry{}, nil
		}
		e = entries[i]
	}
	return e, nil
}

// load makes sure that the commit and the trees that are needed are here, and
// returns its root. Each round brings something, or finds out what the server does
// not do; the last resort is the whole commit.
func (r *Repo) load(ctx context.Context, commit gitsync.Hash, needs []need) (plumbing.Hash, error) {
	id, err := parseHash(commit)
	if err != nil {
		return plumbing.ZeroHash, err
	}
	for lean := true; ; { // lean: what other commits have brought is not sent again
		root, m, err := r.lacks(id, needs)
		if err != nil {
			return plumbing.ZeroHash, err
		}
		if m.none() {
			if r.can != nil && !r.can.byID { // then all trees have come
				if _, err := r.below(root, 0, map[plumbing.Hash]bool{}); err != nil {
					return plumbing.ZeroHash, err
				}
			}
			r.loaded[id] = r.complete[root]
			return root, nil
		}
		if err := r.ask(ctx); err != nil {
			return plumbing.ZeroHash, err
		}
		if m.commit || !r.can.byID {
			lean, err = r.bringCommit(ctx, id, needs, lean)
		} else {
			lean, err = r.bringTrees(ctx, m, lean)
		}
		if err != nil {
			return plumbing.ZeroHash, err
		}
	}
}

// missing is what is needed and not here: the commit itself, single trees, and
// those of which all below is needed too.
type missing struct {
	commit        bool
	single, whole map[plumbing.Hash]bool
}

func (m missing) none() bool { return !m.commit && len(m.single)+len(m.whole) == 0 }

// lacks returns the root of the commit and what is missing of it.
func (r *Repo) lacks(id plumbing.Hash, needs []need) (plumbing.Hash, missing, error) {
	m := missing{single: map[plumbing.Hash]bool{}, whole: map[plumbing.Hash]bool{}}
	if _, found := r.objects[id]; !found {
		m.commit = true
		return plumbing.ZeroHash, m, nil
	}
	c, err := r.objects.commit(id)
	if err != nil {
		return plumbing.ZeroHash, m, err
	}
	for _, n := range needs {
		if err := r.down(c.TreeHash, n, &m); err != nil {
			return plumbing.ZeroHash, m, err
		}
	}
	for id := range m.whole {
		delete(m.single, id)
	}
	return c.TreeHash, m, nil
}

// down goes from the root to a folder as far as trees are here.
func (r *Repo) down(root plumbing.Hash, n need, m *missing) error {
	e := entry{mode: treeMode, id: root}
	for rest := n.folder; e.isTree(); {
		if rest == "" && n.whole {
			_, err := r.below(e.id, 0, m.whole)
			return err
		}
		if _, found := r.objects[e.id]; !found {
			m.single[e.id] = true
			return nil
		}
		if rest == "" {
			return nil
		}
		var name string
		var err error
		name, rest, _ = strings.Cut(rest, "/")
		if e, err = r.objects.at(e.id, name); err != nil {
			return err
		}
	}
	return nil // nothing is to be had there
}

// below adds the trees that are missing below a tree and returns whether none is.
func (r *Repo) below(id plumbing.Hash, depth int, into map[plumbing.Hash]bool) (bool, error) {
	if r.complete[id] {
		return true, nil
	}
	if _, found := r.objects[id]; !found {
		into[id] = true
		return false, nil
	}
	if depth > deepest {
		return false, fmt.Errorf("%w: there are more than %d folders in each other", errTree, deepest)
	}
	entries, err := r.objects.tree(id)
	if err != nil {
		return false, err
	}
	all := true
	for _, e := range entries {
		if !e.isTree() {
			continue
		}
		done, err := r.below(e.id, depth+1, into)
		if err != nil {
			return false, err
		}
		all = all && done
	}
	if all {
		r.complete[id] = true
	}
	return all, nil
}

// mostWants is how many ids go into one request.
const mostWants = 10_000

// get fetches objects.
func (r *Repo) get(ctx context.Context, q request) error {
	return r.again(ctx, func() error {
		found, err := fetch(ctx, r.wire, q, r.options.Limit, r.objects)
		if err == nil {
			maps.Copy(r.objects, found)
		}
		return err
	})
}

// here reports whether all of these are here.
func (r *Repo) here(ids []plumbing.Hash) bool {
	return !slices.ContainsFunc(ids, func(id plumbing.Hash) bool { _, found := r.objects[id]; return !found })
}

// offers are the commits whose objects need not be sent again.
func (r *Repo) offers(lean bool) []plumbing.Hash {
	var haves []plumbing.Hash
	for id, whole := range r.loaded {
		if lean && r.can.shallow && (whole || r.can.byID) {
			haves = append(haves, id)
		}
	}
	plumbing.HashesSort(haves)
	return haves[:min(len(haves), 16)]
}

// errWithheld is a server that does not send what it was asked for.
var errWithheld = &edge.Error{Detail: "the server does not send what it was asked for", Hint: "its log may say why; git fsck there tells whether the repository is whole"}

// bringCommit fetches a commit, with the trees above the folders, or with all trees,
// or with all that there is, as the server can. It returns whether leaving out went
// well.
func (r *Repo) bringCommit(ctx context.Context, id plumbing.Hash, needs []need, lean bool) (bool, error) {
	q := r.reach(id, 1)
	q.filter, q.haves = r.can.filterFor(needs), r.offers(lean)
	err := r.get(ctx, q)
	switch {
	case errors.Is(err, errNoFilter) && q.filter != "":
		r.can.without(q.filter)
		return lean, nil
	case errors.Is(err, errPack) && len(q.haves) > 0: // it is based on what is not here
		return false, nil
	case errors.Is(err, errNotOurs):
		if _, routed := r.routes[id]; r.can.byID && routed {
			r.can.byID = false
			return lean, nil
		}
		return false, &edge.Error{Detail: "the server has no such commit, or does not give it", Kind: gitsync.ErrNotFound,
			Hint: "the branch may have been rewritten meanwhile: run again"}
	case err != nil:
		return false, err
	}
	_, m, err := r.lacks(id, needs)
	if err != nil || m.none() || !m.commit && r.can.byID {
		return lean, err
	}
	if len(q.haves) == 0 {
		return false, errWithheld
	}
	return false, nil
}

// bringTrees fetches trees by their ids. It returns whether leaving out went well.
func (r *Repo) bringTrees(ctx context.Context, m missing, lean bool) (bool, error) {
	for _, part := range []struct {
		ids    map[plumbing.Hash]bool
		filter packp.Filter
		haves  []plumbing.Hash
	}{
		{m.single, "tree:0", nil},
		{m.whole, "blob:none", r.offers(lean)},
	} {
		if !r.can.trees && part.filter == "tree:0" {
			part.filter = "blob:none"
		}
		if !r.can.filter {
			part.filter = ""
		}
		ids := slices.Collect(maps.Keys(part.ids))
		plumbing.HashesSort(ids)
		for wants := range slices.Chunk(ids, mostWants) {
			err := r.get(ctx, request{wants: wants, haves: part.haves, filter: part.filter})
			switch {
			case errors.Is(err, errNoFilter) && part.filter != "":
				r.can.without(part.filter)
				return lean, nil
			case errors.Is(err, errPack) && len(part.haves) > 0:
				return false, nil
			case errors.Is(err, errNotOurs):
				r.can.byID = false
				return lean, nil
			case err != nil:
				return false, err
			case r.here(wants):
			case len(part.haves) == 0:
				return false, errWithheld
			default:
				lean = false
			}
		}
	}
	return lean, nil
}

// reach asks for a commit and some generations before it: by its id, or from where
// a branch stands when the server gives nothing else.
func (r *Repo) reach(id plumbing.Hash, depth int) request {
	via, routed := r.routes[id]
	if r.can.byID || !routed {
		via = route{id, 1}
	}
	return request{wants: []plumbing.Hash{via.from}, depth: via.depth + depth - 1}
}

// filterFor is what to leave out of a commit that is wanted for some folders.
func (a *abilities) filterFor(needs []need) packp.Filter {
	depth := 1
	for _, n := range needs {
		segments := 0
		if n.folder != "" {
			segments = 1 + strings.Count(n.folder, "/")
		} else if n.whole {
			depth = -1
			break
		}
		if !n.whole {
			segments++
		}
		depth = max(depth, segments)
	}
	switch {
	case !a.filter:
		return ""
	case a.byID && a.trees && depth > 0:
		return packp.FilterTreeDepth(uint64(depth))
	}
	return packp.FilterBlobNone()
}

// without notes that the server does not leave out what it said it could.
func (a *abilities) without(filter packp.Filter) {
	if strings.HasPrefix(string(filter), "tree:") {
		a.trees = false
	} else {
		a.filter, a.trees = false, false
	}
}

// loadBlobs makes sure that the blobs of a commit are here.
func (r *Repo) loadBlobs(ctx context.Context, commit gitsync.Hash, ids []plumbing.Hash) error {
	plumbing.HashesSort(ids)
	ids = slices.DeleteFunc(slices.Compact(ids), func(id plumbing.Hash) bool { _, found := r.objects[id]; return found })
	if len(ids) == 0 {
		return nil
	}
	if err := r.ask(ctx); err != nil {
		return err
	}
	if r.can.byID {
		for wants := range slices.Chunk(ids, mostWants) {
			err := r.get(ctx, request{wants: wants})
			if errors.Is(err, errNotOurs) {
				r.can.byID = false
				break
			}
			if err != nil {
				return err
			}
		}
	}
	if !r.can.byID {
		id, err := parseHash(commit)
		if err != nil {
			return err
		}
		if err := r.get(ctx, r.reach(id, 1)); err != nil {
			return err
		}
	}
	if !r.here(ids) {
		return errWithheld
	}
	return nil
}

// deepen fetches more commits of a history: the one that is missing and some before
// it. Start is the newest of the history, of which so many are known.
func (r *Repo) deepen(ctx context.Context, start, id plumbing.Hash, known, limit int) error {
	if err := r.ask(ctx); err != nil {
		return err
	}
	more := max(32, 3*known)
	if !r.can.filter { // every one comes with its files
		more = max(8, known)
	}
	more = min(more, limit-known)
	var q request
	if r.can.byID {
		q = request{wants: []plumbing.Hash{id}, depth: more}
	} else {
		q = r.reach(start, known+more)
	}
	switch {
	case r.can.trees:
		q.filter = packp.FilterTreeDepth(0)
	case r.can.filter:
		q.filter = packp.FilterBlobNone()
	}
	err := r.get(ctx, q)
	switch {
	case errors.Is(err, errNoFilter) && q.filter != "":
		r.can.without(q.filter)
		return r.deepen(ctx, start, id, known, limit)
	case errors.Is(err, errNotOurs) && r.can.byID && (id != start || r.routed(id)):
		r.can.byID = false
		return r.deepen(ctx, start, id, known, limit)
	case errors.Is(err, errNotOurs):
		return &edge.Error{Detail: "the server has no such commit, or does not give it", Kind: gitsync.ErrNotFound}
	case err != nil:
		return err
	case !r.here([]plumbing.Hash{id}):
		return &edge.Error{Detail: fmt.Sprintf("the server's history ends before %s", short(gitsync.Hash(id.String()))), Kind: gitsync.ErrNotFound,
			Hint: "the repository on the server may be a shallow copy of another one"}
	}
	return nil
}

func (r *Repo) routed(id plumbing.Hash) bool { _, routed := r.routes[id]; return routed }

// remember notes how to get at the commits of a history from where it begins.
func (r *Repo) remember(start, id plumbing.Hash, known int) {
	via, routed := r.routes[start]
	if !routed {
		via = route{start, 1}
	}
	if _, routed := r.routes[id]; !routed {
		r.routes[id] = route{via.from, via.depth + known}
	}
}
