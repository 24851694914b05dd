package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	gh "github.com/google/go-github/v62/github"

	"hedgehog-gitops/gitsync"
	"hedgehog-gitops/gitsync/edge"
)

// AddLabels adds labels to those that are there. GitHub makes those that are new to
// the repository.
func (f *Forge) AddLabels(ctx context.Context, number int, labels []string) error {
	doing := fmt.Sprintf("adding labels to pull request #%d", number)
	ctx = f.task(ctx, task{doing: doing, right: pullsRight, harmless: true})
	return f.each(ctx, doing, labels, func(some []string) error {
		// go-github sends the bare list, which GitHub's description no longer has.
		in := struct {
			Labels []string `json:"labels"`
		}{some}
		req, err := f.client.NewRequest(http.MethodPost, fmt.Sprintf("repos/%s/%s/issues/%d/labels", f.owner, f.name, number), in)
		if err != nil {
			return err
		}
		_, err = f.client.Do(ctx, req, nil)
		return err
	})
}

// AddAssignees adds people to those who are assigned. GitHub leaves out in silence
// who may not be assigned, and takes ten people at most.
func (f *Forge) AddAssignees(ctx context.Context, number int, users []string) error {
	doing := fmt.Sprintf("assigning pull request #%d", number)
	ctx = f.task(ctx, task{doing: doing, right: pullsRight, harmless: true})
	if len(users) == 0 {
		return nil
	}
	issue, _, err := f.client.Issues.AddAssignees(ctx, f.owner, f.name, number, users)
	if err != nil {
		return f.fail(ctx, doing, err)
	}
	var refused refusals
	for _, user := range users {
		if !slices.ContainsFunc(issue.Assignees, func(u *gh.User) bool { return strings.EqualFold(u.GetLogin(), user) }) {
			refused.add(user, &edge.Error{
				Detail: "GitHub has left it out", Hint: "assign people who may write to the repository, ten at most",
			})
		}
	}
	return refused.err(doing)
}

// RequestReviewers asks people and teams for a review. A team is written org/team.
func (f *Forge) RequestReviewers(ctx context.Context, number int, reviewers []string) error {
	doing := fmt.Sprintf("asking for reviews of pull request #%d", number)
	ctx = f.task(ctx, task{doing: doing, right: pullsRight, harmless: true})
	var refused refusals
	reviewers = slices.DeleteFunc(slices.Clone(reviewers), func(name string) bool {
		org, _, team := strings.Cut(name, "/")
		foreign := team && !strings.EqualFold(org, f.owner)
		if foreign {
			refused.add(name, &edge.Error{Detail: "it is no team of " + f.owner, Kind: gitsync.ErrNotFound})
		}
		return foreign
	})
	err := f.each(ctx, doing, reviewers, func(some []string) error {
		var r gh.ReviewersRequest
		for _, name := range some {
			if _, team, is := strings.Cut(name, "/"); is {
				r.TeamReviewers = append(r.TeamReviewers, team)
			} else {
				r.Reviewers = append(r.Reviewers, name)
			}
		}
		_, _, err := f.client.PullRequests.RequestReviewers(ctx, f.owner, f.name, number, r)
		return err
	})
	if len(refused.errs) == 0 {
		return err
	}
	return errors.Join(refused.err(doing), err)
}

// each does something for all names at once and, when GitHub takes not all of them,
// for one after the other: it takes all or none, and does not say which it minds.
func (f *Forge) each(ctx context.Context, doing string, names []string, do func([]string) error) error {
	if len(names) == 0 {
		return nil
	}
	err := do(names)
	if err == nil {
		return nil
	}
	e := f.fail(ctx, doing, err)
	if e.Status != http.StatusUnprocessableEntity {
		return e
	}
	var refused refusals
	if len(names) == 1 {
		refused.add(names[0], e)
		return refused.err(doing)
	}
	for _, name := range names {
		if err := do([]string{name}); err != nil {
			e := f.fail(ctx, doing, err)
			if e.Status != http.StatusUnprocessableEntity {
				return e
			}
			refused.add(name, e)
		}
	}
	return refused.err(doing)
}

// refusals are what GitHub did not take.
type refusals struct {
	texts []string
	hint  string
	errs  []error
}

func (r *refusals) add(name string, e *edge.Error) {
	r.texts = append(r.texts, edge.Neutral(name)+": "+e.Detail)
	if r.hint == "" {
		r.hint = e.Hint
	}
	r.errs = append(r.errs, e.Kind)
}

// err is one error for all of them, nil for none.
func (r *refusals) err(doing string) error {
	if len(r.texts) == 0 {
		return nil
	}
	return &edge.Error{Doing: doing, Detail: strings.Join(r.texts, "; "), Hint: r.hint, Err: errors.Join(r.errs...)}
}
