package gitea

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	sdk "code.gitea.io/sdk/gitea"
	"github.com/cenkalti/backoff/v5"

	"hedgehog-gitops/gitsync"
	"hedgehog-gitops/gitsync/edge"
)

// pageSize is the most that a server gives at once, unless it is told otherwise.
const pageSize = 50

// PullRequests returns those whose head is the branch, newest first: every open one,
// and of the others at least the newest.
//
// The server cannot be asked for one branch. Where all pull requests fit on a page
// that is one request; else all the open ones are read, and of the others as many
// pages as it takes to find one.
func (f *Forge) PullRequests(ctx context.Context, branch string) ([]gitsync.PullRequest, error) {
	doing := "listing the pull requests from " + edge.Neutral(branch)
	found := map[int]gitsync.PullRequest{}
	ended := false
	// list reads a page and returns the number of the next, 0 after the last.
	list := func(state sdk.StateType, page int) (int, error) {
		pulls, resp, err := f.sdk(ctx).ListRepoPullRequests(f.owner, f.name, sdk.ListPullRequestsOptions{
			ListOptions: sdk.ListOptions{Page: page, PageSize: pageSize}, State: state,
		})
		if err != nil {
			return 0, f.fail(ctx, doing, err)
		}
		for _, p := range pulls {
			if p.Head != nil && p.Base != nil && p.Head.Name == branch && p.Head.RepoID == p.Base.RepoID {
				pr := pullRequest(p)
				found[pr.Number] = pr
				ended = ended || pr.State != gitsync.Open
			}
		}
		return resp.NextPage, nil
	}
	next, err := list(sdk.StateAll, 1)
	if err != nil {
		return nil, err
	}
	if next != 0 {
		for page := 1; page != 0; {
			if page, err = list(sdk.StateOpen, page); err != nil {
				return nil, err
			}
		}
		for next != 0 && !ended {
			if next, err = list(sdk.StateAll, next); err != nil {
				return nil, err
			}
		}
	}
	pulls := make([]gitsync.PullRequest, 0, len(found))
	for _, pr := range found {
		if pr.State == gitsync.Open {
			if err := f.readTimeline(ctx, &pr); err != nil {
				return nil, f.fail(ctx, doing, err)
			}
		}
		pulls = append(pulls, pr)
	}
	slices.SortFunc(pulls, func(a, b gitsync.PullRequest) int { return cmp.Compare(b.Number, a.Number) })
	return pulls, nil
}

// pullRequest is what a list knows of one.
func pullRequest(p *sdk.PullRequest) gitsync.PullRequest {
	pr := gitsync.PullRequest{
		Number: int(p.Index), URL: p.HTMLURL, State: string(p.State), Body: p.Body, Author: login(p.Poster),
	}
	pr.Title, pr.Draft = ready(p)
	if p.Base != nil {
		pr.Base = p.Base.Ref
	}
	if p.Head != nil {
		pr.Head, pr.HeadCommit = p.Head.Name, gitsync.Hash(p.Head.Sha)
	}
	if p.HasMerged {
		pr.State = gitsync.Merged
		if p.MergedCommitID != nil {
			pr.MergeCommit = gitsync.Hash(*p.MergedCommitID)
		}
	}
	for _, label := range p.Labels {
		pr.Labels = append(pr.Labels, label.Name)
	}
	for _, user := range p.Assignees {
		pr.Assignees = append(pr.Assignees, login(user))
	}
	slices.Sort(pr.Labels)
	slices.Sort(pr.Assignees)
	return pr
}

func login(user *sdk.User) string {
	if user == nil {
		return ""
	}
	return user.UserName
}

// event is an entry of a timeline, as far as it is of interest. The SDK's own does
// not decode one with a label.
type event struct {
	Type            string    `json:"type"`
	User            *sdk.User `json:"user"`
	Assignee        *sdk.User `json:"assignee"`
	AssigneeTeam    *sdk.Team `json:"assignee_team"`
	RemovedAssignee bool      `json:"removed_assignee"`
}

// readTimeline finds who was asked for a review, who gave one, and whether the pull
// request waits to be merged. Nothing else says all of it, and some of it nothing
// else says.
func (f *Forge) readTimeline(ctx context.Context, pr *gitsync.PullRequest) error {
	asked, reviewed := map[string]bool{}, map[string]bool{}
	for page := 1; ; page++ {
		var events []event
		path := fmt.Sprintf("/issues/%d/timeline?page=%d&limit=%d", pr.Number, page, pageSize)
		if err := f.call(ctx, http.MethodGet, path, nil, &events); err != nil {
			return err
		}
		for _, e := range events {
			switch e.Type {
			case "review_request":
				name := login(e.Assignee)
				if e.AssigneeTeam != nil {
					name = f.owner + "/" + e.AssigneeTeam.Name
				}
				asked[name] = !e.RemovedAssignee
			case "review":
				reviewed[login(e.User)] = true
				delete(asked, login(e.User))
			case "pull_scheduled_merge":
				pr.AutoMerge = true
			case "pull_cancel_scheduled_merge":
				pr.AutoMerge = false
			}
		}
		// Remarks on lines count for the size of a page and are then left out: only
		// an empty page is surely beyond the last, unless nobody has reviewed.
		if len(events) == 0 || len(events) < pageSize/2 && len(reviewed) == 0 {
			break
		}
	}
	pr.Reviewers, pr.Reviewed = names(asked), names(reviewed)
	return nil
}

// names returns those for which the set says true.
func names(set map[string]bool) []string {
	var all []string
	for name, in := range set {
		if in && name != "" {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return all
}

// Open opens a pull request; ErrExists when one is open for the branches.
func (f *Forge) Open(ctx context.Context, n gitsync.NewPullRequest) (gitsync.PullRequest, error) {
	doing := fmt.Sprintf("opening a pull request from %s into %s", edge.Neutral(n.Head), edge.Neutral(n.Base))
	if err := fits(doing, n.Body); err != nil {
		return gitsync.PullRequest{}, err
	}
	title, err := titled(doing, n.Title, n.Draft)
	if err != nil {
		return gitsync.PullRequest{}, err
	}
	p, _, err := f.sdk(ctx).CreatePullRequest(f.owner, f.name, sdk.CreatePullRequestOption{
		Base: n.Base, Head: n.Head, Title: title, Body: n.Body,
	})
	if err != nil {
		e := f.fail(ctx, doing, err)
		switch e.Status {
		case http.StatusConflict:
			e.Kind = gitsync.ErrExists
		case http.StatusNotFound:
			e.Detail = "there is no such branch, or no such repository " + f.owner + "/" + f.name
		}
		return gitsync.PullRequest{}, e
	}
	return pullRequest(p), nil
}

// Edit changes what is not nil.
func (f *Forge) Edit(ctx context.Context, number int, edit gitsync.Edit) error {
	doing := fmt.Sprintf("editing pull request #%d", number)
	o := sdk.EditPullRequestOption{Body: edit.Body}
	if edit.Body != nil {
		if err := fits(doing, *edit.Body); err != nil {
			return err
		}
	}
	if edit.State != nil {
		state := sdk.StateType(*edit.State)
		o.State = &state
	}
	if edit.Title != nil {
		// Whether it is a draft stands in the title.
		_, draft, err := f.title(ctx, doing, number)
		if err != nil {
			return err
		}
		if o.Title, err = titled(doing, *edit.Title, draft); err != nil {
			return err
		}
	}
	if edit == (gitsync.Edit{}) {
		return nil
	}
	return f.edit(ctx, doing, number, o)
}

func (f *Forge) edit(ctx context.Context, doing string, number int, o sdk.EditPullRequestOption) error {
	if _, _, err := f.sdk(ctx).EditPullRequest(f.owner, f.name, int64(number), o); err != nil {
		return f.fail(ctx, doing, err)
	}
	return nil
}

// fits refuses a text that is too long.
func fits(doing, body string) error {
	if len(body) > bodyLimit {
		return &edge.Error{Doing: doing, Detail: fmt.Sprintf("the text has %d bytes, and %d are the limit", len(body), bodyLimit)}
	}
	return nil
}

// draftPrefix begins the title of a draft.
const draftPrefix = "WIP: "

// undrafted is the title without what makes it a draft. A server can be told to
// take other words for it; these are what it takes by itself.
func undrafted(title string) (string, bool) {
	for _, prefix := range []string{"WIP:", "[WIP]"} {
		if len(title) >= len(prefix) && strings.EqualFold(title[:len(prefix)], prefix) {
			return strings.TrimSpace(title[len(prefix):]), true
		}
	}
	return title, false
}

// ready returns the title without what makes it a draft, and whether it is one.
func ready(p *sdk.PullRequest) (title string, draft bool) {
	title, draft = undrafted(p.Title)
	return title, draft || p.Draft
}

// titled is the title as the server keeps it.
func titled(doing, title string, draft bool) (string, error) {
	if _, is := undrafted(title); is {
		return "", &edge.Error{
			Doing: doing, Kind: gitsync.ErrUnsupported,
			Detail: "a title that begins with " + strconv.Quote(title[:5]) + " makes it a draft on this forge",
			Hint:   "choose another title",
		}
	}
	if draft {
		title = draftPrefix + title
	}
	return title, nil
}

// title asks for the title as it is now, without what makes it a draft.
func (f *Forge) title(ctx context.Context, doing string, number int) (string, bool, error) {
	p, _, err := f.sdk(ctx).GetPullRequest(f.owner, f.name, int64(number))
	if err != nil {
		return "", false, f.fail(ctx, doing, err)
	}
	title, draft := ready(p)
	return title, draft, nil
}

// SetDraft makes the pull request a draft, or ready.
func (f *Forge) SetDraft(ctx context.Context, pr gitsync.PullRequest, draft bool) error {
	doing := fmt.Sprintf("making pull request #%d ready", pr.Number)
	if draft {
		doing = fmt.Sprintf("making pull request #%d a draft", pr.Number)
	}
	title, is, err := f.title(ctx, doing, pr.Number)
	if err != nil || is == draft {
		return err
	}
	if title, err = titled(doing, title, draft); err != nil {
		return err
	}
	p, _, err := f.sdk(ctx).EditPullRequest(f.owner, f.name, int64(pr.Number), sdk.EditPullRequestOption{Title: title})
	if err != nil {
		return f.fail(ctx, doing, err)
	}
	if _, is := ready(p); is != draft {
		return &edge.Error{
			Doing: doing, Kind: gitsync.ErrUnsupported, Detail: "the server takes other words in a title for the mark of a draft",
			Hint: "the server's setting is WORK_IN_PROGRESS_PREFIXES in [repository.pull-request]; this tool knows WIP: and [WIP]",
		}
	}
	return nil
}

// AutoMerge asks the forge to merge when all that it requires is there: at once,
// where nothing is required. Method is merge, squash or rebase; with "" it merges by
// itself no more.
func (f *Forge) AutoMerge(ctx context.Context, pr gitsync.PullRequest, method string) error {
	if method == "" {
		doing := fmt.Sprintf("keeping pull request #%d from being merged by the forge", pr.Number)
		_, err := f.sdk(ctx).CancelScheduledAutoMerge(f.owner, f.name, int64(pr.Number))
		if err == nil {
			return nil
		}
		if e := f.fail(ctx, doing, err); e.Status != http.StatusNotFound { // it was not going to
			return e
		}
		return nil
	}
	doing := fmt.Sprintf("having pull request #%d merged when all is there", pr.Number)
	return f.again(ctx, func() error {
		_, _, err := f.sdk(ctx).MergePullRequest(f.owner, f.name, int64(pr.Number), sdk.MergePullRequestOption{
			Style: sdk.MergeStyle(method), HeadCommitId: string(pr.HeadCommit), MergeWhenChecksSucceed: true,
		})
		if err == nil {
			return nil
		}
		e := f.fail(ctx, doing, err)
		switch {
		case e.Status == http.StatusConflict && strings.Contains(e.Detail, "already scheduled"):
			return nil
		case e.Status == http.StatusMethodNotAllowed && strings.Contains(e.Detail, "try again later"):
			// After each push the server looks for conflicts first.
			e.Hint = "it may be in conflict with its base"
			return e
		case e.Status == http.StatusMethodNotAllowed && strings.Contains(e.Detail, "not allowed to merge"):
			e.Kind, e.Hint = gitsync.ErrDenied, "the token's user may not merge into "+edge.Neutral(pr.Base)
		}
		return backoff.Permanent(e)
	})
}

// Comments returns the comments of the pull request, oldest first.
func (f *Forge) Comments(ctx context.Context, number int) ([]gitsync.Comment, error) {
	doing := fmt.Sprintf("reading the comments of pull request #%d", number)
	var all []gitsync.Comment
	for page := 1; page != 0; {
		some, resp, err := f.sdk(ctx).ListIssueComments(f.owner, f.name, int64(number), sdk.ListIssueCommentOptions{
			ListOptions: sdk.ListOptions{Page: page, PageSize: pageSize},
		})
		if err != nil {
			return nil, f.missing(ctx, number, f.fail(ctx, doing, err))
		}
		for _, c := range some {
			all = append(all, comment(c))
		}
		page = resp.NextPage // all of them are one page to Gitea
	}
	return all, nil
}

// missing tells a server that failed from one that says so of a pull request that is
// not there.
func (f *Forge) missing(ctx context.Context, number int, e *edge.Error) error {
	if e.Status != http.StatusInternalServerError {
		return e
	}
	if _, _, err := f.title(ctx, e.Doing, number); errors.Is(err, gitsync.ErrNotFound) {
		return err
	}
	return e
}

func comment(c *sdk.Comment) gitsync.Comment {
	return gitsync.Comment{ID: c.ID, Author: login(c.Poster), Body: c.Body}
}

// Comment adds a comment.
func (f *Forge) Comment(ctx context.Context, number int, body string) (gitsync.Comment, error) {
	doing := fmt.Sprintf("commenting on pull request #%d", number)
	if err := fits(doing, body); err != nil {
		return gitsync.Comment{}, err
	}
	c, _, err := f.sdk(ctx).CreateIssueComment(f.owner, f.name, int64(number), sdk.CreateIssueCommentOption{Body: body})
	if err != nil {
		return gitsync.Comment{}, f.missing(ctx, number, f.fail(ctx, doing, err))
	}
	return comment(c), nil
}

// EditComment replaces the text of a comment.
func (f *Forge) EditComment(ctx context.Context, id int64, body string) error {
	doing := fmt.Sprintf("editing comment %d", id)
	if err := fits(doing, body); err != nil {
		return err
	}
	if _, _, err := f.sdk(ctx).EditIssueComment(f.owner, f.name, id, sdk.EditIssueCommentOption{Body: body}); err != nil {
		return f.fail(ctx, doing, err)
	}
	return nil
}
