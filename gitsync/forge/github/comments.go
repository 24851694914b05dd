package github

import (
	"context"
	"fmt"

	gh "github.com/google/go-github/v62/github"

	"hedgehog-gitops/gitsync"
	"hedgehog-gitops/gitsync/edge"
)

// Comments returns the comments of the pull request, oldest first.
func (f *Forge) Comments(ctx context.Context, number int) ([]gitsync.Comment, error) {
	doing := fmt.Sprintf("reading the comments of pull request #%d", number)
	ctx = f.task(ctx, task{doing: doing, right: "pull requests: read", harmless: true})
	var all []gitsync.Comment
	for o := (&gh.IssueListCommentsOptions{ListOptions: gh.ListOptions{PerPage: pageSize}}); ; {
		comments, resp, err := f.client.Issues.ListComments(ctx, f.owner, f.name, number, o)
		if err != nil {
			return nil, f.fail(ctx, doing, err)
		}
		for _, c := range comments {
			all = append(all, comment(c))
		}
		if resp.NextPage == 0 {
			return all, nil
		}
		o.Page = resp.NextPage
	}
}

func comment(c *gh.IssueComment) gitsync.Comment {
	return gitsync.Comment{ID: c.GetID(), Author: c.GetUser().GetLogin(), Body: c.GetBody()}
}

// Comment adds a comment. It is not repeated when the answer is lost: there may be
// one already.
func (f *Forge) Comment(ctx context.Context, number int, body string) (gitsync.Comment, error) {
	doing := fmt.Sprintf("commenting on pull request #%d", number)
	ctx = f.task(ctx, task{doing: doing, right: pullsRight})
	c, _, err := f.client.Issues.CreateComment(ctx, f.owner, f.name, number, &gh.IssueComment{Body: &body})
	if err != nil {
		return gitsync.Comment{}, f.fail(ctx, doing, err)
	}
	return comment(c), nil
}

// EditComment replaces the text of a comment.
func (f *Forge) EditComment(ctx context.Context, id int64, body string) error {
	const doing = "changing a comment"
	ctx = f.task(ctx, task{doing: doing, right: pullsRight, harmless: true})
	if _, _, err := f.client.Issues.EditComment(ctx, f.owner, f.name, id, &gh.IssueComment{Body: &body}); err != nil {
		return f.fail(ctx, doing, err)
	}
	return nil
}

// Minimize folds a comment away as outdated. People can still open it.
func (f *Forge) Minimize(ctx context.Context, id int64) error {
	const doing, field = "minimizing a comment", "minimizeComment"
	ctx = f.task(ctx, task{doing: doing, right: pullsRight, harmless: true})
	c, _, err := f.client.Issues.GetComment(ctx, f.owner, f.name, id)
	if err != nil {
		return f.fail(ctx, doing, err)
	}
	var result struct {
		MinimizedComment struct{ IsMinimized bool }
	}
	input := map[string]string{"subjectId": c.GetNodeID(), "classifier": "OUTDATED"}
	if err := f.query(ctx, mutation(field, "MinimizeCommentInput", "minimizedComment{isMinimized}"), input, field, &result); err != nil {
		return f.fail(ctx, doing, err)
	}
	if !result.MinimizedComment.IsMinimized {
		return &edge.Error{Doing: doing, Detail: "GitHub has not done it", Kind: gitsync.ErrUnsupported}
	}
	return nil
}
