package github

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	gh "github.com/google/go-github/v62/github"

	"hedgehog-gitops/gitsync"
	"hedgehog-gitops/gitsync/edge"
)

// pullsRight is the right that most of a forge needs.
const pullsRight = "pull requests: write"

// pageSize is the largest that GitHub gives.
const pageSize = 100

// PullRequests returns the pull requests whose head is the branch: every open one
// and the newest hundred of all. Who has reviewed is asked for open ones alone.
func (f *Forge) PullRequests(ctx context.Context, branch string) ([]gitsync.PullRequest, error) {
	doing := "listing the pull requests of " + edge.Neutral(branch)
	ctx = f.task(ctx, task{doing: doing, right: "pull requests: read", harmless: true})
	all, err := f.listPulls(ctx, branch, "all")
	if err != nil {
		return nil, f.fail(ctx, doing, err)
	}
	if len(all) == pageSize { // an open one may be older than a hundred others
		open, err := f.listPulls(ctx, branch, "open")
		if err != nil {
			return nil, f.fail(ctx, doing, err)
		}
		for _, pr := range open {
			if !slices.ContainsFunc(all, func(p *gh.PullRequest) bool { return p.GetNumber() == pr.GetNumber() }) {
				all = append(all, pr)
			}
		}
	}
	slices.SortFunc(all, func(a, b *gh.PullRequest) int { return b.GetNumber() - a.GetNumber() })
	var found []gitsync.PullRequest
	for _, p := range all {
		if !f.ours(p, branch) {
			continue
		}
		pr := f.pullRequest(p)
		if pr.State == gitsync.Open {
			if pr.Reviewed, err = f.reviewed(ctx, pr); err != nil {
				return nil, f.fail(ctx, doing, err)
			}
		}
		found = append(found, pr)
	}
	return found, nil
}

// listPulls asks for a page: what GitHub makes of a head that it does not understand
// may have nothing to do with the branch.
func (f *Forge) listPulls(ctx context.Context, branch, state string) ([]*gh.PullRequest, error) {
	all, _, err := f.client.PullRequests.List(ctx, f.owner, f.name, &gh.PullRequestListOptions{
		State: state, Head: f.owner + ":" + branch, Sort: "created", Direction: "desc", ListOptions: gh.ListOptions{PerPage: pageSize},
	})
	return all, err
}

// ours reports whether the head is the branch of this repository, not of a fork.
func (f *Forge) ours(p *gh.PullRequest, branch string) bool {
	head := p.GetHead()
	return head.GetRef() == branch && head.GetRepo().GetID() != 0 && head.GetRepo().GetID() == p.GetBase().GetRepo().GetID()
}

// pullRequest is GitHub's in our words.
func (f *Forge) pullRequest(p *gh.PullRequest) gitsync.PullRequest {
	pr := gitsync.PullRequest{
		Number: p.GetNumber(), ID: p.GetNodeID(), URL: p.GetHTMLURL(), State: p.GetState(), Draft: p.GetDraft(),
		Title: p.GetTitle(), Body: p.GetBody(), Base: p.GetBase().GetRef(),
		Head: p.GetHead().GetRef(), HeadCommit: gitsync.Hash(p.GetHead().GetSHA()),
		Author: p.GetUser().GetLogin(), AutoMerge: p.AutoMerge != nil,
	}
	if p.MergedAt != nil {
		pr.State, pr.MergeCommit = gitsync.Merged, gitsync.Hash(p.GetMergeCommitSHA())
	}
	for _, l := range p.Labels {
		pr.Labels = append(pr.Labels, l.GetName())
	}
	for _, u := range p.Assignees {
		pr.Assignees = append(pr.Assignees, u.GetLogin())
	}
	for _, u := range p.RequestedReviewers {
		pr.Reviewers = append(pr.Reviewers, u.GetLogin())
	}
	for _, t := range p.RequestedTeams {
		pr.Reviewers = append(pr.Reviewers, f.owner+"/"+t.GetSlug())
	}
	return pr
}

// reviewed returns who has reviewed the pull request, the first one first.
func (f *Forge) reviewed(ctx context.Context, pr gitsync.PullRequest) ([]string, error) {
	var who []string
	for o := (&gh.ListOptions{PerPage: pageSize}); ; {
		reviews, resp, err := f.client.PullRequests.ListReviews(ctx, f.owner, f.name, pr.Number, o)
		if err != nil {
			return nil, err
		}
		for _, r := range reviews {
			login := r.GetUser().GetLogin()
			if r.GetState() != "PENDING" && login != "" && login != pr.Author && !slices.Contains(who, login) {
				who = append(who, login)
			}
		}
		if resp.NextPage == 0 {
			return who, nil
		}
		o.Page = resp.NextPage
	}
}

// Open opens a pull request. When the answer was lost it is asked for again: GitHub
// opens no second one.
func (f *Forge) Open(ctx context.Context, n gitsync.NewPullRequest) (gitsync.PullRequest, error) {
	doing := "opening a pull request from " + edge.Neutral(n.Head) + " into " + edge.Neutral(n.Base)
	ctx = f.task(ctx, task{doing: doing, right: pullsRight, harmless: true})
	wanted := &gh.NewPullRequest{Title: &n.Title, Body: &n.Body, Head: &n.Head, Base: &n.Base}
	if n.Draft {
		wanted.Draft = &n.Draft
	}
	p, _, err := f.client.PullRequests.Create(ctx, f.owner, f.name, wanted)
	if err == nil {
		return f.pullRequest(p), nil
	}
	e := f.fail(ctx, doing, err)
	switch {
	case errors.Is(e, gitsync.ErrExists) && refusalOf(e).perhaps:
		if pr, found := f.lost(ctx, n); found {
			return pr, nil
		}
	case slices.Contains(refusalOf(e).fields, "head"):
		e.Kind, e.Detail = gitsync.ErrNotFound, "there is no branch "+edge.Neutral(n.Head)
	case slices.Contains(refusalOf(e).fields, "base"):
		e.Kind, e.Detail = gitsync.ErrNotFound, "there is no branch "+edge.Neutral(n.Base)
		e.Hint = "push it, or name another base"
	case strings.Contains(e.Detail, "No commits between"):
		e.Hint = "the branch has nothing that its base has not"
	}
	return gitsync.PullRequest{}, e
}

// lost finds the pull request that we opened when the answer was lost.
func (f *Forge) lost(ctx context.Context, n gitsync.NewPullRequest) (gitsync.PullRequest, bool) {
	open, err := f.listPulls(ctx, n.Head, "open")
	if err != nil {
		return gitsync.PullRequest{}, false
	}
	for _, p := range open {
		if pr := f.pullRequest(p); f.ours(p, n.Head) && pr.Base == n.Base && pr.Title == n.Title && pr.Body == n.Body && pr.Draft == n.Draft {
			return pr, true
		}
	}
	return gitsync.PullRequest{}, false
}

// Edit changes what is not nil.
func (f *Forge) Edit(ctx context.Context, number int, edit gitsync.Edit) error {
	if edit == (gitsync.Edit{}) {
		return nil
	}
	doing := fmt.Sprintf("changing pull request #%d", number)
	ctx = f.task(ctx, task{doing: doing, right: pullsRight, harmless: true})
	_, _, err := f.client.PullRequests.Edit(ctx, f.owner, f.name, number, &gh.PullRequest{Title: edit.Title, Body: edit.Body, State: edit.State})
	if err != nil {
		return f.fail(ctx, doing, err)
	}
	return nil
}

// SetDraft makes the pull request a draft, or ready. To make it a draft takes back
// that it waits to be merged.
func (f *Forge) SetDraft(ctx context.Context, pr gitsync.PullRequest, draft bool) error {
	if pr.Draft == draft {
		return nil
	}
	doing, field, input := fmt.Sprintf("making pull request #%d ready", pr.Number), "markPullRequestReadyForReview", "MarkPullRequestReadyForReviewInput"
	if draft {
		doing, field, input = fmt.Sprintf("making pull request #%d a draft", pr.Number), "convertPullRequestToDraft", "ConvertPullRequestToDraftInput"
	}
	ctx = f.task(ctx, task{doing: doing, right: pullsRight, harmless: true})
	var result struct {
		PullRequest struct{ IsDraft bool }
	}
	err := f.query(ctx, mutation(field, input, "pullRequest{isDraft}"), map[string]string{"pullRequestId": pr.ID}, field, &result)
	switch {
	case err != nil:
		return f.fail(ctx, doing, err)
	case result.PullRequest.IsDraft != draft:
		return &edge.Error{Doing: doing, Detail: "GitHub has not done it", Kind: gitsync.ErrUnsupported}
	}
	return nil
}

// AutoMerge asks GitHub to merge when all that it requires is there; method "" takes
// that back. What could be merged at once waits for nothing: GitHub refuses then,
// and so does a repository whose settings do not allow it.
func (f *Forge) AutoMerge(ctx context.Context, pr gitsync.PullRequest, method string) error {
	doing, field, input := fmt.Sprintf("letting GitHub merge pull request #%d", pr.Number), "enablePullRequestAutoMerge", "EnablePullRequestAutoMergeInput"
	variables := map[string]string{"pullRequestId": pr.ID, "mergeMethod": strings.ToUpper(method)}
	switch {
	case method == "" && !pr.AutoMerge, method != "" && pr.AutoMerge:
		return nil
	case method == "":
		doing, field, input = fmt.Sprintf("taking back that GitHub merges pull request #%d", pr.Number), "disablePullRequestAutoMerge", "DisablePullRequestAutoMergeInput"
		delete(variables, "mergeMethod")
	}
	ctx = f.task(ctx, task{doing: doing, right: "contents: write", harmless: true})
	var result struct {
		PullRequest struct{ AutoMergeRequest *struct{ MergeMethod string } }
	}
	err := f.query(ctx, mutation(field, input, "pullRequest{autoMergeRequest{mergeMethod}}"), variables, field, &result)
	if err == nil {
		return nil
	}
	e := f.fail(ctx, doing, err)
	switch {
	case method == "" && strings.Contains(e.Detail, "Can't disable"):
		return nil // nothing was asked
	case strings.Contains(e.Detail, "clean status"):
		e.Kind, e.Detail = gitsync.ErrUnsupported, "it waits for nothing: it could be merged now"
		e.Hint = "require a review or a check of pull requests into " + edge.Neutral(pr.Base) + ": Settings, Rules"
	case strings.Contains(e.Detail, "unstable status"):
		e.Kind, e.Detail = gitsync.ErrUnsupported, "a check that is not required has failed or still runs"
		e.Hint = "require the check: Settings, Rules"
	case strings.Contains(e.Detail, "not allowed"), strings.Contains(e.Detail, "rotected branch rules"):
		e.Kind = gitsync.ErrUnsupported
		e.Hint = "allow auto-merge: Settings, General, Pull Requests"
	}
	return e
}
