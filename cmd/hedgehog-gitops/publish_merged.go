package main

import (
	"context"
	"fmt"
	"path"
	"slices"

	"hedgehog-gitops/gitsync"
	"hedgehog-gitops/render"
	"hedgehog-gitops/render/tree"
)

// merged reads the fabric's folder in base. Content that is known by its id is not
// fetched.
func (s *stream) merged(ctx context.Context) (tree.Tree, error) {
	folder := path.Join(s.root, render.FabricFolder(s.name))
	files, err := s.target.Repo.Files(ctx, s.from, folder)
	if err != nil {
		return tree.Tree{}, fmt.Errorf("reading what is merged: %w", err)
	}
	var merged tree.Tree
	var unknown []string
	for name, file := range files {
		if file.Mode != gitsync.ModeFile && file.Mode != gitsync.ModeExecutable {
			kind := "a submodule"
			if file.Mode == gitsync.ModeLink {
				kind = "a symbolic link"
			}
			return tree.Tree{}, hint(fmt.Errorf("%s in the repository is %s, no plain file", name, kind), "put a copy of the file there: links and submodules are not followed")
		}
		content, ok := s.known[file.Blob]
		if !ok {
			unknown = append(unknown, name)
			continue
		}
		if err := merged.Set(s.strip(name), content); err != nil {
			return tree.Tree{}, err
		}
	}
	if len(unknown) == 0 {
		return merged, nil
	}
	slices.Sort(unknown)
	read, err := s.target.Repo.Read(ctx, s.from, unknown)
	if err != nil {
		return tree.Tree{}, fmt.Errorf("reading what is merged: %w", err)
	}
	for name, content := range read.All() {
		if err := merged.Set(s.strip(name), content); err != nil {
			return tree.Tree{}, err
		}
	}
	return merged, nil
}

// layOut lays the fabric out as far as the next step goes. What people took back after
// it was merged is left so.
func (s *stream) layOut(ctx context.Context, in render.Input) (stepped, error) {
	laid, err := layOut(s.index, in)
	if err != nil || len(laid.Out.Changes) == 0 {
		return stepped{laidOut: laid, Step: oneStep}, err
	}
	looking := s.target
	if s.target.Forge != nil {
		known := &knownPulls{Forge: s.target.Forge}
		s.target.Forge, looking.Forge = known, keepsPulls{known}
	}
	merge, found, err := gitsync.LastMerge(ctx, looking, s.from, s.name, s.branch, mergesLooked)
	if err != nil || !found {
		if err == nil {
			return s.step(ctx, laid, nil)
		}
		return stepped{laidOut: laid}, err
	}
	s.merge = merge
	next, err := s.step(ctx, laid, &merge)
	if err != nil || in.Overwrite || s.options.reopen || digestOf(s.changes(next)) == merge.Digest {
		return next, err // all of it was taken back: that is for the pull request to say
	}
	if in.Reverted, err = s.takenBack(ctx, in.Merged); err != nil || len(in.Reverted) == 0 {
		return next, err
	}
	if laid, err = layOut(s.index, in); err != nil {
		return stepped{laidOut: laid}, err
	}
	return s.step(ctx, laid, &merge)
}

// mergesLooked is how many commits of base are looked at for the last merge.
const mergesLooked = 50

// takenBack returns what the last merge brought, NetBox wants, and base has again as it
// was before the merge, as far as these are objects: path -> content, nil for a removal.
func (s *stream) takenBack(ctx context.Context, merged tree.Tree) (map[string][]byte, error) {
	commit := s.merge.Commit
	if len(commit.Parents) == 0 {
		return nil, nil
	}
	folder := path.Join(s.root, render.BaseFolder(s.name))
	var sides [2]map[string]gitsync.File
	for i, hash := range []gitsync.Hash{commit.Parents[0], commit.Hash} {
		var err error
		if sides[i], err = s.target.Repo.Files(ctx, hash, folder); err != nil {
			return nil, fmt.Errorf("reading the last merge of %s: %w", s.name, err)
		}
	}
	back := map[string][]byte{}
	take := func(name string, content []byte) {
		before := sides[0][name].Blob
		have, there := merged.Get(s.strip(name))
		if _, ok := objectOf(name); ok && there == (before != "") && (!there || gitsync.BlobID(have) == before) {
			back[s.strip(name)] = content
		}
	}
	for name, file := range sides[1] {
		if content, known := s.known[file.Blob]; known && sides[0][name].Blob != file.Blob {
			take(name, content)
		}
	}
	for name := range sides[0] {
		if _, stays := sides[1][name]; !stays {
			take(name, nil)
		}
	}
	return back, nil
}

// knownPulls is a forge that tells the pull requests of a branch once as [keepsPulls]
// read them. Then it asks again: a proposal that looks anew wants what is there now.
type knownPulls struct {
	gitsync.Forge
	branch string
	pulls  []gitsync.PullRequest
}

// PullRequests implements [gitsync.Forge].
func (f *knownPulls) PullRequests(ctx context.Context, branch string) ([]gitsync.PullRequest, error) {
	if f.branch == "" || f.branch != branch {
		return f.Forge.PullRequests(ctx, branch)
	}
	f.branch = ""
	return f.pulls, nil
}

// keepsPulls is the forge for who looks for the last merge, before it is proposed.
type keepsPulls struct{ *knownPulls }

// PullRequests implements [gitsync.Forge].
func (f keepsPulls) PullRequests(ctx context.Context, branch string) ([]gitsync.PullRequest, error) {
	pulls, err := f.Forge.PullRequests(ctx, branch)
	if err == nil {
		f.branch, f.pulls = branch, pulls
	}
	return pulls, err
}
