package gitsync

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Propose brings the branch, and where there is a forge its one pull request, to what
// the proposal says: it looks, decides, and then does what it decided. A run that
// finds everything as it should be writes nothing, and one that was cut off anywhere
// is completed by the next.
//
// An error that wraps [ErrMoved] says that base is not where the proposal started, or
// that others were always faster: make the proposal anew. The Result says what was
// done before an error.
func Propose(ctx context.Context, target Target, proposal Proposal) (Result, error) {
	r := run{target: target, proposal: proposal}
	r.result = Result{Operation: None, Branch: proposal.Branch, Digest: proposal.Digest}
	err := r.propose(ctx)
	if err != nil {
		err = fmt.Errorf("proposing %s: %w", proposal.Stream, err)
		r.result.Operation, r.result.Cause, r.result.Reason = r.done(), "", ""
	}
	return r.result, err
}

// run is one call of Propose.
type run struct {
	target   Target
	proposal Proposal
	// base is the branch to merge into.
	base string
	// baseFiles are the files of our folders in From, wanted the same as they should be,
	// changed what differs.
	baseFiles       map[string]File
	wanted, changed files
	// pushed and opened say what happened in an attempt before.
	pushed, opened bool
	result         Result
}

// done is what became of the proposal before an error.
func (r *run) done() Operation {
	switch {
	case r.opened:
		return Opened
	case r.pushed:
		return Updated
	}
	return None
}

func (r *run) propose(ctx context.Context) error {
	if err := r.proposal.check(); err != nil {
		return err
	}
	for attempt := 0; ; attempt++ {
		err := r.attempt(ctx)
		if !errors.Is(err, errAgain) || attempt >= len(r.target.Pauses) {
			return err
		}
		if err := pause(ctx, r.target.Pauses[attempt]); err != nil {
			return err
		}
	}
}

// errAgain is what an error wraps when another look may help: somebody else was at work
// at the same time.
var errAgain = errors.New("somebody else was at work on the branch at the same time")

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// attempt looks, decides and acts once.
func (r *run) attempt(ctx context.Context) error {
	s, err := r.observe(ctx)
	if err != nil {
		return err
	}
	p := decide(r.proposal, s)
	if s.open != nil && p.talks(s.open) {
		if s.comments, err = r.target.Forge.Comments(ctx, s.open.Number); err != nil {
			return fmt.Errorf("reading the comments of pull request #%d: %w", s.open.Number, err)
		}
		p = decide(r.proposal, s)
	}
	r.report(s, p)
	a := actor{run: r, state: s}
	if s.open != nil {
		a.pr, a.stored, a.text = s.open.PullRequest, s.open.marker, splitBody(s.open.Body)
	}
	return a.act(ctx, p.actions)
}

// report puts into the result what is known before anything was done.
func (r *run) report(s state, p plan) {
	r.result.Base, r.result.Head = s.base, s.head
	r.result.Operation, r.result.Cause, r.result.Reason = p.operation, p.cause, p.reason
	switch {
	case r.opened:
		r.result.Operation = Opened
	case r.pushed && p.operation == None:
		r.result.Operation = Updated
	}
	r.result.Number, r.result.URL = 0, ""
	if s.open != nil {
		r.result.Number, r.result.URL = s.open.Number, s.open.URL
	} else if s.last != nil && p.operation == Left {
		r.result.Number, r.result.URL = s.last.Number, s.last.URL
	}
	for _, w := range p.warnings {
		if !slices.Contains(r.result.Warnings, w) {
			r.result.Warnings = append(r.result.Warnings, w)
		}
	}
}

// observe looks at everything that decide goes by, and writes nothing.
func (r *run) observe(ctx context.Context) (state, error) {
	var s state
	if err := r.observeBase(ctx); err != nil {
		return s, err
	}
	s.base, s.changed = r.base, len(r.changed) > 0
	var err error
	if s.head, err = r.target.Repo.Head(ctx, r.proposal.Branch); err != nil {
		return s, fmt.Errorf("asking where the branch %s stands: %w", r.proposal.Branch, err)
	}
	t := tracer{repo: r.target.Repo, proposal: r.proposal, recorded: map[Hash]bool{}, merges: map[Hash]bool{}}
	if r.target.Forge != nil {
		if err := r.observePulls(ctx, &s, &t); err != nil {
			return s, err
		}
	}
	if s.head != "" {
		if s.lineage, err = t.trace(ctx, s.head); err != nil {
			return s, again(err, ErrNotFound) // the branch may stand elsewhere by now
		}
		s.order = max(s.order, s.lineage.order)
	}
	if err := r.observeMerged(ctx, &s); err != nil {
		return s, err
	}
	if s.changed {
		if s.push, err = r.neededPush(ctx, &s); err != nil {
			return s, again(err, ErrNotFound)
		}
	}
	return s, nil
}

// observeBase finds the base branch where the proposal starts, and what is wanted there.
func (r *run) observeBase(ctx context.Context) error {
	base, head, err := FindBase(ctx, r.target.Repo, r.proposal.Base)
	if err != nil {
		return err
	}
	r.base = base
	if base == r.proposal.Branch {
		return fmt.Errorf("%w: %s is the branch to merge into, and cannot be the one that is merged", ErrProposal, base)
	}
	if head != r.proposal.From {
		return fmt.Errorf("the branch %s has moved from %s to %s: %w", base, r.proposal.From, head, ErrMoved)
	}
	if r.wanted != nil {
		return nil // seen in an attempt before: a commit stays what it is
	}
	if r.baseFiles, err = r.target.Repo.Files(ctx, head, r.proposal.Folders...); err != nil {
		return fmt.Errorf("reading the files of %s: %w", base, err)
	}
	r.wanted, r.changed, err = r.proposal.wanted(r.baseFiles)
	return err
}

// observePulls finds the pull requests.
func (r *run) observePulls(ctx context.Context, s *state, t *tracer) error {
	s.forge, s.traits = true, r.target.Forge.Traits()
	pulls, err := r.target.Forge.PullRequests(ctx, r.proposal.Branch)
	if err != nil {
		return fmt.Errorf("asking for the pull requests from %s: %w", r.proposal.Branch, err)
	}
	for _, pr := range pulls {
		p := &pull{PullRequest: pr}
		p.marker, p.marked = parseMarker(pr.Body)
		ours := p.marked && p.marker.Stream == r.proposal.Stream
		if ours && p.marker.Head != "" {
			t.recorded[p.marker.Head] = true
		}
		if pr.MergeCommit != "" {
			t.merges[pr.MergeCommit] = true
		}
		switch {
		case pr.State == Open && (pr.Base != r.base || s.open != nil):
			s.warnings = append(s.warnings, fmt.Sprintf("pull request #%d into %s is open from %s too", pr.Number, pr.Base, r.proposal.Branch))
		case pr.State == Open:
			if p.marked && !ours {
				return fmt.Errorf("%w: pull request #%d from %s belongs to %s: every stream needs a branch of its own",
					ErrProposal, pr.Number, r.proposal.Branch, p.marker.Stream)
			}
			s.open = p
		case pr.Base == r.base && s.last == nil:
			s.last = p
		default:
			continue
		}
		if ours && pr.Base == r.base {
			s.order = max(s.order, p.marker.Order)
		}
	}
	return nil
}

// observeMerged finds out what of the branch, and of what is wanted, base had by a merge.
func (r *run) observeMerged(ctx context.Context, s *state) error {
	if s.open != nil {
		return nil
	}
	s.spent = s.head != "" && s.merged
	if !s.forge && s.changed {
		// Nothing else tells what was merged.
		merge, found, err := LastMerge(ctx, r.target, r.proposal.From, r.proposal.Stream, r.proposal.Branch, maxMergeLog)
		if err != nil || !found {
			return err
		}
		s.order = max(s.order, merge.Order)
		if merge.Digest == r.proposal.Digest {
			s.reverted, err = r.has(ctx, merge.Commit.Hash)
		}
		return err
	}
	if s.last == nil || s.last.State != Merged {
		return nil
	}
	// Some forges show in HeadCommit where the branch stands now, others where it stood
	// when it was merged.
	if s.head != "" && !s.spent && s.last.HeadCommit == s.head {
		var err error
		if s.spent, err = s.brought(ctx, r.target.Repo, s.head, s.last.MergeCommit); err != nil {
			return err
		}
	}
	if !s.changed || !s.last.marked || s.last.marker.Digest != r.proposal.Digest || s.last.MergeCommit == "" {
		return nil
	}
	var err error
	s.reverted, err = r.has(ctx, s.last.MergeCommit)
	return err
}

// has reports whether the commit has all that the proposal changes.
func (r *run) has(ctx context.Context, commit Hash) (bool, error) {
	files, err := r.target.Repo.Files(ctx, commit, r.proposal.Folders...)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("reading the files of %s: %w", commit, err)
	}
	for path, id := range r.changed {
		if files[path].Blob != id {
			return false, nil
		}
	}
	return true, nil
}

// neededPush returns the commit that brings the branch to what is wanted, nil when it
// has that.
func (r *run) neededPush(ctx context.Context, s *state) (*push, error) {
	fresh := &push{old: s.head, parents: []Hash{r.proposal.From}, changes: r.changed}
	if s.head == "" || s.spent {
		return fresh, nil
	}
	have, err := r.target.Repo.Files(ctx, s.head, r.proposal.Folders...)
	if err != nil {
		return nil, fmt.Errorf("reading the files of %s: %w", r.proposal.Branch, err)
	}
	clash, err := r.clashes(ctx, s.fork)
	if err != nil {
		return nil, err
	}
	others := len(s.people)+len(s.kept) > 0
	if others && r.proposal.People != PeopleOverwrite {
		return r.pushOnTop(ctx, s, have, clash)
	}
	// What was merged once has to leave base anew: Git would see nothing to merge.
	merged := s.reverted && s.fork != r.proposal.From
	if clash || merged || len(r.missing(have, nil)) > 0 {
		return fresh, nil
	}
	return nil, nil
}

// missing returns what leads from files to the wanted ones. What is neither wanted nor
// in base nor among what was written is people's, and stays; nothing is people's when
// written is nil.
func (r *run) missing(have map[string]File, written files) files {
	changes := files{}
	for path, id := range r.wanted {
		if have[path].Blob != id {
			changes[path] = id
		}
	}
	for path := range have {
		if _, ok := r.wanted[path]; ok {
			continue
		}
		_, inBase := r.baseFiles[path]
		if _, ours := written[path]; ours || inBase || written == nil {
			changes[path] = ""
		}
	}
	return changes
}

// clashes reports whether base has changed files that the proposal changes, since the
// branch left it: then the branch might not merge any more, though it has what is
// wanted.
func (r *run) clashes(ctx context.Context, fork Hash) (bool, error) {
	if fork == "" || fork == r.proposal.From {
		return false, nil
	}
	before, err := r.target.Repo.Files(ctx, fork, r.proposal.Folders...)
	if errors.Is(err, ErrNotFound) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("reading the files of %s: %w", fork, err)
	}
	for path := range r.changed {
		if before[path].Blob != r.baseFiles[path].Blob {
			return true, nil
		}
	}
	return false, nil
}

// pushOnTop returns the commit that makes our files what is wanted and keeps all else
// that is on the branch.
func (r *run) pushOnTop(ctx context.Context, s *state, have map[string]File, clash bool) (*push, error) {
	// What base had or we wrote on the branch, and is not wanted any more, has to go.
	written := files{}
	if s.fork != "" {
		before, err := r.target.Repo.Files(ctx, s.fork, r.proposal.Folders...)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return nil, fmt.Errorf("reading the files of %s: %w", s.fork, err)
		}
		for path := range before {
			written[path] = ""
		}
	}
	for _, c := range s.written {
		before, err := r.target.Repo.Files(ctx, c.Parents[0], r.proposal.Folders...)
		if err != nil {
			return nil, fmt.Errorf("reading the files of %s: %w", c.Parents[0], err)
		}
		after, err := r.target.Repo.Files(ctx, c.Hash, r.proposal.Folders...)
		if err != nil {
			return nil, fmt.Errorf("reading the files of %s: %w", c.Hash, err)
		}
		maps.Copy(written, difference(before, after))
	}
	p := &push{old: s.head, parents: []Hash{s.head}, changes: r.missing(have, written)}
	if clash {
		// Base has to be joined, or Git would try to merge our files line by line.
		joined, overlap, err := r.join(ctx, s.fork, s.head)
		if err != nil {
			return nil, err
		}
		if len(overlap) == 0 {
			maps.Copy(p.changes, joined)
			p.parents = append(p.parents, r.proposal.From)
			return p, nil
		}
		s.warnings = append(s.warnings, fmt.Sprintf("%s cannot be joined to %s, where people's commits are: both changed %s; merge it by hand",
			s.base, r.proposal.Branch, listPaths(overlap)))
	}
	if len(p.changes) == 0 {
		return nil, nil
	}
	return p, nil
}

// join returns what base changed outside of our folders since the branch left it, as
// changes of the branch, and the paths that the branch changed as well, or that a
// change cannot express.
func (r *run) join(ctx context.Context, fork, head Hash) (changes files, overlap []string, err error) {
	var trees [3]map[string]File
	for i, commit := range []Hash{fork, head, r.proposal.From} {
		if trees[i], err = r.target.Repo.Files(ctx, commit); err != nil {
			return nil, nil, fmt.Errorf("reading the files of %s: %w", commit, err)
		}
	}
	before, branch, base := trees[0], trees[1], trees[2]
	changes = files{}
	for path := range difference(before, base) {
		was, wasThere := before[path]
		is, isThere := base[path]
		switch {
		case r.proposal.owns(path), branch[path] == is:
		case branch[path] != was, isThere && is.Mode != ModeFile, isThere && wasThere && was.Mode != is.Mode:
			overlap = append(overlap, path)
		default:
			changes[path] = is.Blob
		}
	}
	slices.Sort(overlap)
	return changes, overlap, nil
}

func listPaths(paths []string) string {
	const most = 5
	if len(paths) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(paths[:most], ", "), len(paths)-most)
	}
	return strings.Join(paths, ", ")
}
