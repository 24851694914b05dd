package gitea

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	sdk "code.gitea.io/sdk/gitea"

	"hedgehog-gitops/gitsync"
	"hedgehog-gitops/gitsync/edge"
)

// longestLabel is what the server's own form takes, in characters; its API takes
// anything.
const longestLabel = 50

// AddLabels adds labels to those that are there, and makes what labels the
// repository and its organisation do not have.
func (f *Forge) AddLabels(ctx context.Context, number int, labels []string) error {
	doing := fmt.Sprintf("adding labels to pull request #%d", number)
	var refused refusals
	labels = slices.DeleteFunc(slices.Clone(labels), func(name string) bool {
		long := utf8.RuneCountInString(name) > longestLabel
		if long {
			refused.add(name, &edge.Error{Detail: fmt.Sprintf("a label has at most %d characters", longestLabel)})
		}
		return long || name == ""
	})
	unknown, err := f.giveLabels(ctx, number, labels)
	if err != nil {
		return f.fail(ctx, doing, err)
	}
	var made []string
	for _, name := range unknown {
		_, _, err := f.sdk(ctx).CreateLabel(f.owner, f.name, sdk.CreateLabelOption{Name: name, Color: "#ededed"})
		if err != nil {
			refused.add(name, f.fail(ctx, "", err))
			continue
		}
		made = append(made, name)
	}
	if _, err := f.giveLabels(ctx, number, made); err != nil {
		return f.fail(ctx, doing, err)
	}
	return refused.err(doing)
}

// giveLabels adds those of the labels that there are, and returns the others.
func (f *Forge) giveLabels(ctx context.Context, number int, labels []string) (unknown []string, err error) {
	if len(labels) == 0 {
		return nil, nil
	}
	// The SDK knows labels by number alone, and asking for all of them takes longer.
	in := struct {
		Labels []string `json:"labels"`
	}{labels}
	var now []sdk.Label
	if err := f.call(ctx, http.MethodPost, fmt.Sprintf("/issues/%d/labels", number), in, &now); err != nil {
		return nil, err
	}
	for _, name := range labels {
		if !slices.ContainsFunc(now, func(l sdk.Label) bool { return strings.EqualFold(l.Name, name) }) {
			unknown = append(unknown, name)
		}
	}
	return unknown, nil
}

// AddAssignees adds people to those who are assigned.
func (f *Forge) AddAssignees(ctx context.Context, number int, users []string) error {
	doing := fmt.Sprintf("assigning pull request #%d", number)
	p, _, err := f.sdk(ctx).GetPullRequest(f.owner, f.name, int64(number))
	if err != nil {
		return f.fail(ctx, doing, err)
	}
	assigned := pullRequest(p).Assignees
	return f.each(doing, without(users, assigned), func(some []string) *edge.Error {
		// The whole list is written: the server has no way to add to it.
		p, _, err := f.sdk(ctx).EditPullRequest(f.owner, f.name, int64(number), sdk.EditPullRequestOption{
			Assignees: slices.Concat(assigned, some),
		})
		if err != nil {
			e := f.fail(ctx, "", err)
			if e.Status == http.StatusInternalServerError {
				e.Detail, e.Hint = "the server does not take everybody for an assignee", "only who may read the repository can be assigned"
			}
			return e
		}
		now := pullRequest(p).Assignees
		if not := without(some, now); len(not) > 0 { // it says nothing to who may only read
			return &edge.Error{Detail: "the server has left it out", Kind: gitsync.ErrDenied, Hint: hintScopes}
		}
		assigned = now
		return nil
	})
}

// RequestReviewers asks people and teams for a review. A team is written org/team.
func (f *Forge) RequestReviewers(ctx context.Context, number int, reviewers []string) error {
	doing := fmt.Sprintf("asking for reviews of pull request #%d", number)
	return f.each(doing, reviewers, func(some []string) *edge.Error {
		var o sdk.PullReviewRequestOptions
		for _, name := range some {
			org, team, is := strings.Cut(name, "/")
			switch {
			case !is:
				o.Reviewers = append(o.Reviewers, name)
			case strings.EqualFold(org, f.owner):
				o.TeamReviewers = append(o.TeamReviewers, team)
			default:
				return &edge.Error{Detail: "it is no team of " + f.owner, Kind: gitsync.ErrNotFound}
			}
		}
		// The SDK throws the answer away: who was asked just now.
		var asked []sdk.PullReview
		if err := f.call(ctx, http.MethodPost, fmt.Sprintf("/pulls/%d/requested_reviewers", number), o, &asked); err != nil {
			return f.fail(ctx, "", err)
		}
		teams := slices.DeleteFunc(o.TeamReviewers, func(name string) bool {
			return slices.ContainsFunc(asked, func(r sdk.PullReview) bool { return isTeam(r.ReviewerTeam, name) })
		})
		if len(teams) == 0 {
			return nil
		}
		// They were asked before; or the owner is a person, and then the server passes
		// over teams in silence.
		p, _, err := f.sdk(ctx).GetPullRequest(f.owner, f.name, int64(number))
		if err != nil {
			return f.fail(ctx, "", err)
		}
		for _, name := range teams {
			if !slices.ContainsFunc(p.RequestedReviewersTeams, func(t *sdk.Team) bool { return isTeam(t, name) }) {
				return &edge.Error{Detail: "there is no such team: " + f.owner + " is no organisation", Kind: gitsync.ErrNotFound}
			}
		}
		return nil
	})
}

func isTeam(t *sdk.Team, name string) bool { return t != nil && strings.EqualFold(t.Name, name) }

// without returns the names that are not among the others. Nobody is another by the
// case of letters.
func without(names, others []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		return slices.ContainsFunc(others, func(o string) bool { return strings.EqualFold(o, name) })
	})
}

// each does something for all the names at once and, where the server refuses it, for
// one after the other: it does not say which of them it minds.
func (f *Forge) each(doing string, names []string, do func([]string) *edge.Error) error {
	if len(names) == 0 {
		return nil
	}
	e := do(names)
	if e == nil {
		return nil
	}
	e.Doing = doing
	if !aboutNames(e) {
		return e
	}
	var refused refusals
	if len(names) == 1 {
		refused.add(names[0], e)
		return refused.err(doing)
	}
	for _, name := range names {
		e := do([]string{name})
		switch {
		case e == nil:
		case aboutNames(e):
			refused.add(name, e)
		default:
			e.Doing = doing
			return e
		}
	}
	return refused.err(doing)
}

// aboutNames reports whether the server may mind one name and take another. Without an
// answer, or without the right, it does not come to names.
func aboutNames(e *edge.Error) bool {
	return e.Status != http.StatusUnauthorized && e.Status != http.StatusForbidden && (e.Status != 0 || e.Err == nil)
}

// refusals are names that the server does not take.
type refusals struct {
	names []string
	first *edge.Error
}

func (r *refusals) add(name string, e *edge.Error) {
	r.names = append(r.names, edge.Neutral(name)+": "+e.Detail)
	if r.first == nil {
		r.first = e
	}
}

// err is nil when there are none.
func (r *refusals) err(doing string) error {
	if len(r.names) == 0 {
		return nil
	}
	return &edge.Error{
		Doing: doing, Status: r.first.Status, Detail: strings.Join(r.names, "; "),
		Hint: r.first.Hint, Kind: r.first.Kind, Err: r.first.Err,
	}
}
