package gitsync

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// How far back histories are read.
const (
	maxBranchLog = 200
	maxBaseLog   = 500
	maxMergeLog  = 50
)

// lineage is what a branch is made of, from its end down to where it left base. A
// branch without commits of its own has none of it.
type lineage struct {
	// commits are all of them, newest first.
	commits []Commit
	// own is the newest commit of ours, nil when there is none; order is the highest
	// of ours.
	own   *Commit
	order int64
	// written are the commits that have our trailers, newest first, whatever people made
	// of them.
	written []Commit
	// people are the commits, newest first, that bring what people made. kept are
	// those that others made and that bring nothing of their own: what a forge does
	// when somebody updates a branch.
	people, kept []Commit
	// fork is the newest commit of base that the branch has, "" when it is unknown.
	fork Hash
	// merged says that base has the whole branch, claimed that a commit of ours is on it.
	merged, claimed bool
}

// tracer finds out what a branch is made of.
type tracer struct {
	repo     Repo
	proposal Proposal
	// recorded are the commits that pull requests say we left the branch at.
	recorded map[Hash]bool
	// merges are the commits by which pull requests from the branch were merged.
	merges map[Hash]bool
	// base maps the commits of base to their age, with those of the branch that base has
	// by a merge; nil before it was read.
	base map[Hash]int
	// joined are the ends of all that base merged.
	joined map[Hash]bool
}

// trace returns what the branch is made of that ends in head.
func (t *tracer) trace(ctx context.Context, head Hash) (lineage, error) {
	var l lineage
	// Nearly always the branch is one commit of ours on top of base.
	top, err := t.repo.Log(ctx, head, 1, func(Commit) bool { return false })
	if err != nil {
		return l, fmt.Errorf("reading the commits of %s: %w", t.proposal.Branch, err)
	}
	if len(top) == 1 && t.startsOnBase(top[0]) {
		own, err := t.isOwn(ctx, top[0])
		if err != nil {
			return l, err
		}
		if own {
			r, _ := recordOf(top[0].Message, t.proposal.Stream)
			return lineage{commits: top, claimed: true, own: &top[0], written: top, order: r.order, fork: r.base}, nil
		}
	}
	return t.traceAll(ctx, head)
}

func (t *tracer) traceAll(ctx context.Context, head Hash) (lineage, error) {
	var l lineage
	ends := map[Hash]bool{t.proposal.From: true}
	commits, err := t.repo.Log(ctx, head, maxBranchLog, func(c Commit) bool {
		if ends[c.Hash] {
			l.fork = c.Hash
			return true
		}
		if t.startsOnBase(c) {
			ends[c.Parents[0]] = true
		}
		return false
	})
	if err != nil {
		return l, fmt.Errorf("reading the commits of %s: %w", t.proposal.Branch, err)
	}
	if err := t.readBase(ctx, l.fork); err != nil {
		return l, err
	}
	_, onBase := t.base[head]
	l.merged = onBase || t.joined[head]
	l.claimed = slices.ContainsFunc(commits, func(c Commit) bool {
		_, ok := recordOf(c.Message, t.proposal.Stream)
		return ok
	})
	if i := slices.IndexFunc(commits, func(c Commit) bool { _, ok := t.base[c.Hash]; return ok }); i >= 0 {
		l.fork, commits = commits[i].Hash, commits[:i]
	}
	l.commits = commits
	for _, c := range commits {
		if err := t.place(ctx, &l, c); err != nil {
			return l, err
		}
	}
	return l, nil
}

// place puts a commit of the branch where it belongs.
func (t *tracer) place(ctx context.Context, l *lineage, c Commit) error {
	for _, parent := range c.Parents[min(1, len(c.Parents)):] {
		age, ok := t.base[parent]
		if forkAge, known := t.base[l.fork]; ok && (!known || age < forkAge) {
			l.fork = parent
		}
	}
	r, claimed := recordOf(c.Message, t.proposal.Stream)
	if claimed && len(c.Parents) > 0 {
		l.written = append(l.written, c)
	}
	own, err := t.isOwn(ctx, c)
	if err != nil {
		return err
	}
	if own {
		if l.own == nil {
			l.own = &c
		}
		l.order = max(l.order, r.order)
		return nil
	}
	empty, err := t.bringsNothing(ctx, c)
	if err != nil {
		return err
	}
	if empty {
		l.kept = append(l.kept, c)
	} else {
		l.people = append(l.people, c)
	}
	return nil
}

// readBase reads the history of base down to a commit.
func (t *tracer) readBase(ctx context.Context, until Hash) error {
	commits, err := t.repo.Log(ctx, t.proposal.From, maxBaseLog, func(c Commit) bool { return c.Hash == until })
	if err != nil {
		return fmt.Errorf("reading the commits of the base branch: %w", err)
	}
	t.base, t.joined = map[Hash]int{}, map[Hash]bool{}
	for i, c := range commits {
		t.base[c.Hash] = 2 * i
		for _, parent := range c.Parents[min(1, len(c.Parents)):] {
			t.joined[parent] = true
		}
	}
	if until != "" {
		t.base[until] = 2 * len(commits)
	}
	for i, c := range commits {
		if len(c.Parents) < 2 || !t.merges[c.Hash] && !strings.Contains(c.Message, t.proposal.Branch) {
			continue
		}
		side, err := t.repo.Log(ctx, c.Parents[1], maxBranchLog, func(c Commit) bool { _, ok := t.base[c.Hash]; return ok })
		if err != nil {
			return fmt.Errorf("reading the commits that %s merged: %w", c.Hash, err)
		}
		for _, joined := range side {
			t.base[joined.Hash] = 2*i + 1 // older than the merge, newer than what was before
		}
	}
	return nil
}

// startsOnBase reports whether the commit is a proposal of the stream that, as it says,
// was put on top of base.
func (t *tracer) startsOnBase(c Commit) bool {
	r, ok := recordOf(c.Message, t.proposal.Stream)
	return ok && r.base != "" && len(c.Parents) > 0 && c.Parents[0] == r.base
}

// isOwn reports whether the commit is ours: it has our trailers and a pull request
// says that we left the branch there, or it has our committer and changes exactly
// what its trailers say.
func (t *tracer) isOwn(ctx context.Context, c Commit) (bool, error) {
	if _, ok := recordOf(c.Message, t.proposal.Stream); !ok {
		return false, nil
	}
	if t.recorded[c.Hash] {
		return true, nil
	}
	if want := t.proposal.Committer; want != "" && !strings.EqualFold(want, c.Committer.Email) {
		return false, nil
	}
	return t.isProven(ctx, c)
}

// isProven reports whether the commit changes exactly what its trailers say.
func (t *tracer) isProven(ctx context.Context, c Commit) (bool, error) {
	r, ok := recordOf(c.Message, t.proposal.Stream)
	if !ok || len(c.Parents) == 0 {
		return false, nil
	}
	before, after, err := t.twoTrees(ctx, c.Parents[0], c.Hash)
	if err != nil {
		return false, err
	}
	return difference(before, after).digest() == r.changes, nil
}

// bringsNothing reports whether the commit has nothing that is neither ours nor of
// base: ours again on another commit of base, or a merge of base that nobody had to
// decide anything in.
func (t *tracer) bringsNothing(ctx context.Context, c Commit) (bool, error) {
	if len(c.Parents) < 2 {
		return t.isProven(ctx, c)
	}
	if _, ok := t.base[c.Parents[1]]; !ok || len(c.Parents) > 2 {
		return false, nil
	}
	branch, merge, err := t.twoTrees(ctx, c.Parents[0], c.Hash)
	if err != nil {
		return false, err
	}
	base, err := t.repo.Files(ctx, c.Parents[1])
	if err != nil {
		return false, fmt.Errorf("reading the files of %s: %w", c.Parents[1], err)
	}
	for path := range difference(base, merge) {
		// Another file than that of base is one of ours.
		if !t.proposal.owns(path) || merge[path] != branch[path] {
			return false, nil
		}
	}
	return true, nil
}

func (t *tracer) twoTrees(ctx context.Context, a, b Hash) (one, two map[string]File, err error) {
	if one, err = t.repo.Files(ctx, a); err == nil {
		two, err = t.repo.Files(ctx, b)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("reading the files of %s and %s: %w", a, b, err)
	}
	return one, two, nil
}

// brought reports whether a commit of base has all that was changed on the branch that
// ends in head: it was squashed or rebased into base, and nothing came after that. What
// one commit of the branch does and another takes back counts too.
func (l lineage) brought(ctx context.Context, repo Repo, head, merge Hash) (bool, error) {
	if l.fork == "" || merge == "" {
		return false, nil
	}
	top, err := repo.Log(ctx, merge, 1, func(Commit) bool { return false })
	if errors.Is(err, ErrNotFound) || err == nil && len(top) == 0 {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("reading the commit %s: %w", merge, err)
	}
	touched := map[string]bool{}
	for _, c := range l.commits {
		if c.Committer.When.After(top[0].Committer.When) {
			return false, nil
		}
		var before []map[string]File
		for _, parent := range c.Parents {
			files, err := repo.Files(ctx, parent)
			if err != nil {
				return false, fmt.Errorf("reading the files of %s: %w", parent, err)
			}
			before = append(before, files)
		}
		after, err := repo.Files(ctx, c.Hash)
		if err != nil {
			return false, fmt.Errorf("reading the files of %s: %w", c.Hash, err)
		}
		// What a merge has of one of those that it joins is not its own.
		for path := range difference(before[0], after) {
			if !slices.ContainsFunc(before, func(files map[string]File) bool { return files[path] == after[path] }) {
				touched[path] = true
			}
		}
	}
	end, err := repo.Files(ctx, head)
	if err != nil {
		return false, fmt.Errorf("reading the files of %s: %w", head, err)
	}
	base, err := repo.Files(ctx, merge)
	if err != nil {
		return false, fmt.Errorf("reading the files of %s: %w", merge, err)
	}
	for path := range touched {
		if end[path] != base[path] {
			return false, nil
		}
	}
	return true, nil
}

// Merge is a commit of base by which a proposal was merged.
type Merge struct {
	// Commit is on base: a merge, or what a forge made of the proposal when it squashed
	// or rebased it. Its files less those of its first parent are what was merged.
	Commit Commit
	Digest string
	Order  int64
	// Trailers are those of the proposal's last commit, ours among them; none when the
	// commit holds only the pull request's text.
	Trailers []Trailer
}

// LastMerge returns the newest of the last limit commits of base by which a proposal
// of the stream was merged, in whatever way: by the trailers in its message, by the
// hidden line of the pull request's text, or by those in the messages that a merge
// joins. The branch is the stream's; a merge that does not name it in its message is
// not looked into. When none of them says it, a forge does that shows which commit a
// pull request became: people leave the message of a squash blank.
func LastMerge(ctx context.Context, target Target, base Hash, stream, branch string, limit int) (Merge, bool, error) {
	repo := target.Repo
	var merge Merge
	var found bool
	commits, err := repo.Log(ctx, base, limit, func(c Commit) bool {
		merge, found = mergeOf(c, c.Message, stream)
		return found
	})
	if err != nil {
		return Merge{}, false, fmt.Errorf("reading the commits of the base branch: %w", err)
	}
	// Older than what was found, or than the limit, is nothing; newer ones may be
	// merges that say it only in what they join.
	for _, c := range commits {
		if len(c.Parents) < 2 || !strings.Contains(c.Message, branch) {
			continue
		}
		var joined Merge
		var ok bool
		if _, err := repo.Log(ctx, c.Parents[1], maxMergeLog, func(side Commit) bool {
			joined, ok = mergeOf(c, side.Message, stream)
			return ok
		}); err != nil {
			return Merge{}, false, fmt.Errorf("reading the commits that %s merged: %w", c.Hash, err)
		}
		if ok {
			return joined, true, nil
		}
	}
	if found || target.Forge == nil {
		return merge, found, nil
	}
	pulls, err := target.Forge.PullRequests(ctx, branch)
	if err != nil {
		return Merge{}, false, fmt.Errorf("asking for the pull requests from %s: %w", branch, err)
	}
	for _, pr := range pulls {
		m, ok := parseMarker(pr.Body)
		at := slices.IndexFunc(commits, func(c Commit) bool { return c.Hash == pr.MergeCommit })
		if ok && m.Stream == stream && pr.State == Merged && at >= 0 {
			return Merge{Commit: commits[at], Digest: m.Digest, Order: m.Order}, true, nil
		}
	}
	return Merge{}, false, nil
}

// mergeOf returns the commit as a merge of what the message tells of.
func mergeOf(c Commit, message, stream string) (Merge, bool) {
	if r, ok := recordOf(message, stream); ok {
		return Merge{Commit: c, Digest: r.digest, Order: r.order, Trailers: r.trailers}, true
	}
	if m, ok := parseMarker(message); ok && m.Stream == stream {
		return Merge{Commit: c, Digest: m.Digest, Order: m.Order}, true
	}
	return Merge{}, false
}
