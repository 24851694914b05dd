package main

import (
	"bytes"
	"context"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"hedgehog-gitops/gitsync"
	"hedgehog-gitops/render"
	"hedgehog-gitops/render/hedgehog"
	"hedgehog-gitops/render/review"
	"hedgehog-gitops/render/rollout"
	"hedgehog-gitops/render/tree"
)

// trailerStep is the trailer of a commit that says which step of how many it is.
const trailerStep = "Step"

// oneStep is the step of a change that is none.
var oneStep = rollout.Step{Number: 1, Of: 1}

// stepped is a layout as far as the next step goes, and what the cluster gets by it.
type stepped struct {
	laidOut
	// Before is what the merged files give the cluster, as far as they can be built; Broken
	// says what cannot.
	Before *hedgehog.Fabric
	Broken hedgehog.Issues
	Step   rollout.Step
}

// waits reports whether something must be true of the cluster before the step is merged.
func (s stepped) waits() bool {
	return len(s.Step.Gone)+len(s.Step.Present)+len(s.Step.Protected) > 0
}

// draft returns what becomes of the pull request where it is configured as it is: one that
// has to wait is opened as a draft.
func (s stepped) draft(configured string) string {
	if s.waits() && configured != gitsync.DraftAlways {
		return gitsync.DraftYes
	}
	return configured
}

// step returns what of the layout can be merged next. Last is the last merge, nil when
// nobody knows it.
func (s *stream) step(ctx context.Context, laid laidOut, last *gitsync.Merge) (stepped, error) {
	next := stepped{laidOut: laid, Step: oneStep}
	if laid.Issues.Worst() == hedgehog.Error || len(laid.Out.Changes) == 0 {
		next.Before = laid.Checked.Objects
		return next, nil
	}
	next.Before, next.Broken = laid.Checked.Before(laid.In, laid.Out)
	in := rollout.Input{
		Merged:   rollout.Placed{Objects: next.Before, Roots: render.RootsOf(s.name, next.Before, laid.Out.Places)},
		Wanted:   rollout.Placed{Objects: laid.Checked.Objects, Roots: render.RootsOf(s.name, laid.Checked.Objects, laid.Out.Places)},
		Prune:    s.prune,
		Settings: s.settings,
	}
	if last != nil {
		var err error
		if in.Earlier, err = s.earlier(ctx, next, last.Commit); err != nil {
			return next, err
		}
	}
	next.Step = rollout.Next(in)
	if last != nil {
		next.Step.Number, next.Step.Of = numbered(next.Step, last.Trailers)
	}
	next.Issues = append(slices.Clone(next.Issues), next.Step.Issues...)
	if next.Step.Issues.Worst() == hedgehog.Error || len(next.Step.Forms) == 0 {
		return next, nil
	}
	whole := laid.In
	var err error
	if laid.In.Standing, err = s.standing(laid, in, next.Step); err != nil {
		return next, err
	}
	next.In, next.Out = laid.In, render.Plan(laid.In)
	if next.Out.Issues.Worst() == hedgehog.Error {
		next.Issues = append(next.Issues, next.Out.Issues...)
	}
	next.In.Merged = whole.Merged
	next.Checked.Objects = next.Step.Objects.Objects
	return next, nil
}

// numbered returns the place of a step among those that the last merge began.
func numbered(step rollout.Step, trailers []gitsync.Trailer) (number, of int) {
	for _, t := range trailers {
		if t.Key != trailerStep {
			continue
		}
		n, m, _ := strings.Cut(t.Value, "/")
		last, err := strconv.Atoi(n)
		if all, err2 := strconv.Atoi(m); err == nil && err2 == nil && 0 < last && last < all {
			return last + step.Number, last + step.Of
		}
	}
	return step.Number, step.Of
}

// standing returns the files that are not as wanted after the step.
func (s *stream) standing(laid laidOut, in rollout.Input, step rollout.Step) (map[hedgehog.Key]render.Standing, error) {
	files := make(map[hedgehog.Key]render.Standing, len(step.Forms))
	for key, form := range step.Forms {
		from, to := in.Merged.Roots[key], in.Wanted.Roots[key]
		st := render.Standing{Root: to}
		if form.Stays {
			st.Root = from
		}
		is := laid.In.Objects.Get(key.Kind, key.Name)
		switch {
		case form.Content == rollout.Before && form.Stays && !form.Protected:
			st.Keep = true
		case form.Content == rollout.None:
		case form.Content == rollout.After:
			st.Object = form.Object(nil, is)
		default:
			was, err := mergedObject(laid.In.Merged, path.Join(render.BaseFolder(s.name), from), key)
			if err != nil {
				return nil, err
			}
			st.Object = form.Object(was, is)
		}
		files[key] = st
	}
	return files, nil
}

// mergedObject reads the merged file of an object.
func mergedObject(merged tree.Tree, root string, key hedgehog.Key) (*hedgehog.Object, error) {
	name := path.Join(root, key.Kind.Plural(), key.Name+".yaml")
	content, ok := merged.Get(name)
	if !ok {
		return nil, fmt.Errorf("planning the step of %s: there is no %s", key, name)
	}
	decoded, err := hedgehog.Decode(name, bytes.NewReader(content))
	if err != nil {
		return nil, fmt.Errorf("planning the step of %s: %w", key, err)
	}
	o := decoded.Fabric.Get(key.Kind, key.Name)
	if o == nil {
		return nil, fmt.Errorf("planning the step of %s: %s holds no such object", key, name)
	}
	hedgehog.Default(o)
	return o, nil
}

// earlier returns what the files gave the cluster before a merge, and after it, where
// people changed them since.
func (s *stream) earlier(ctx context.Context, now stepped, merge gitsync.Commit) ([]rollout.Placed, error) {
	folder, base := path.Join(s.root, render.FabricFolder(s.name)), render.BaseFolder(s.name)
	places := map[hedgehog.Key]string{}
	for key, root := range render.RootsOf(s.name, now.Before, now.Out.Places) {
		places[key] = path.Join(base, root, key.Kind.Plural(), key.Name+".yaml")
	}
	current, err := s.target.Repo.Files(ctx, s.from, folder)
	if err != nil {
		return nil, fmt.Errorf("reading what is merged: %w", err)
	}
	var list []rollout.Placed
	for _, commit := range append(slices.Clone(merge.Parents[:min(1, len(merge.Parents))]), merge.Hash) {
		files, err := s.target.Repo.Files(ctx, commit, folder)
		if err != nil {
			return nil, fmt.Errorf("reading the last merge of %s: %w", s.name, err)
		}
		in := now.In
		if in.Merged, err = s.treeAt(ctx, commit, files, current, now.In.Merged); err != nil {
			return nil, err
		}
		out := render.Output{Places: places, Changes: tree.Diff(in.Merged.Below(base), now.In.Merged.Below(base))}
		if len(out.Changes) == 0 {
			continue
		}
		checked := render.Checked{Fabric: s.name, Objects: now.Before}
		objects, _ := checked.Before(in, out) // what could not be built is nothing to wait for
		list = append(list, rollout.Placed{Objects: objects, Roots: render.RootsOf(s.name, objects, places)})
	}
	return list, nil
}

// treeAt returns the fabric's folder at a commit, of which only that is read which differs
// from what is known.
func (s *stream) treeAt(ctx context.Context, commit gitsync.Hash, files, current map[string]gitsync.File, known tree.Tree) (tree.Tree, error) {
	at := known.Clone()
	var read []string
	for name, file := range files {
		if current[name].Blob != file.Blob {
			read = append(read, name)
		}
	}
	for name := range current {
		if _, was := files[name]; !was {
			at.Remove(s.strip(name))
		}
	}
	slices.Sort(read)
	contents, err := s.target.Repo.Read(ctx, commit, read)
	if err != nil {
		return tree.Tree{}, fmt.Errorf("reading the last merge of %s: %w", s.name, err)
	}
	for name, content := range contents.All() {
		if err := at.Set(s.strip(name), content); err != nil {
			return tree.Tree{}, err
		}
	}
	return at, nil
}

// pruning is what is known of pruning.
func (s *stream) pruning() review.Pruning {
	if s.prune {
		return review.PruningOn
	}
	return review.PruningOff
}

// stepText is what the text says of the step.
func (s *stream) stepText(next stepped) review.Step {
	step := review.Step{
		Number: next.Step.Number, Of: next.Step.Of, Gone: next.Step.Gone, Protected: next.Step.Protected, Unpruned: next.Step.Unpruned,
		Roots: map[hedgehog.Key]string{},
	}
	for _, key := range next.Step.Present {
		step.Present = append(step.Present, key)
		step.Roots[key] = path.Join(s.root, render.BaseFolder(s.name), next.Step.Objects.Roots[key])
	}
	for _, r := range next.Step.Reasons {
		step.Because = append(step.Because, review.Because{Rule: string(r.Rule), Object: r.Object, Other: r.Other, What: r.What, More: r.More})
	}
	if step.Of == 1 && !next.waits() {
		return review.Step{}
	}
	return step
}
