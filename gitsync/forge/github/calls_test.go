package github_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	hub "hedgehog-gitops/fixtures/github"
	"hedgehog-gitops/gitsync"
	"hedgehog-gitops/gitsync/forge/github"
)

// What each call costs, in requests: GitHub counts them.
func TestCallsAreFew(t *testing.T) {
	t.Parallel()
	text := "another"
	change := func(t *testing.T, f fixture, old string) gitsync.Write {
		main := gitsync.Hash(f.Repo.Git(t, "rev-parse", "main"))
		return gitsync.Write{Branch: "new", Old: gitsync.Hash(old), Parents: []gitsync.Hash{main}, Message: "m\n", Changes: map[string][]byte{"fabrics/x": []byte("x")}}
	}
	type step = func(context.Context, *testing.T, fixture, gitsync.PullRequest) error
	for name, test := range map[string]struct {
		call step
		want string
	}{
		"connecting": {func(ctx context.Context, _ *testing.T, f fixture, _ gitsync.PullRequest) error {
			_, err := github.Connect(ctx, options(f.Server, f.Token("robot", hub.Write())))
			return err
		}, "users/get-authenticated"},
		"connecting as a workflow": {func(ctx context.Context, _ *testing.T, f fixture, _ gitsync.PullRequest) error {
			_, err := github.Connect(ctx, options(f.Server, f.ActionsToken(hub.Write())))
			return err
		}, "viewer"},
		"connecting as an App": {func(ctx context.Context, _ *testing.T, f fixture, _ gitsync.PullRequest) error {
			o := identities()["an App"](f.Server)
			o.Now = f.clock.Now
			_, err := github.Connect(ctx, o)
			return err
		}, "apps/get-repo-installation apps/create-installation-access-token viewer"},
		"finding none": {func(ctx context.Context, _ *testing.T, f fixture, _ gitsync.PullRequest) error {
			_, err := f.forge.PullRequests(ctx, "none")
			return err
		}, "pulls/list"},
		"finding an open one": {func(ctx context.Context, _ *testing.T, f fixture, _ gitsync.PullRequest) error {
			_, err := f.forge.PullRequests(ctx, branch)
			return err
		}, "pulls/list pulls/list-reviews"},
		"opening": {func(ctx context.Context, t *testing.T, f fixture, _ gitsync.PullRequest) error {
			f.Repo.Git(t, "branch", "second", branch)
			p := proposal()
			p.Head = "second"
			_, err := f.forge.Open(ctx, p)
			return err
		}, "pulls/create"},
		"editing": {func(ctx context.Context, _ *testing.T, f fixture, pr gitsync.PullRequest) error {
			return f.forge.Edit(ctx, pr.Number, gitsync.Edit{Title: &text, Body: &text})
		}, "pulls/update"},
		"editing nothing": {func(ctx context.Context, _ *testing.T, f fixture, pr gitsync.PullRequest) error {
			return f.forge.Edit(ctx, pr.Number, gitsync.Edit{})
		}, ""},
		"comments": {func(ctx context.Context, _ *testing.T, f fixture, pr gitsync.PullRequest) error {
			_, err := f.forge.Comments(ctx, pr.Number)
			return err
		}, "issues/list-comments"},
		"a comment": {func(ctx context.Context, _ *testing.T, f fixture, pr gitsync.PullRequest) error {
			_, err := f.forge.Comment(ctx, pr.Number, text)
			return err
		}, "issues/create-comment"},
		"labels": {func(ctx context.Context, _ *testing.T, f fixture, pr gitsync.PullRequest) error {
			return f.forge.AddLabels(ctx, pr.Number, []string{"a", "b", "c"})
		}, "issues/add-labels"},
		"labels, one of them too long": {func(ctx context.Context, _ *testing.T, f fixture, pr gitsync.PullRequest) error {
			if err := f.forge.AddLabels(ctx, pr.Number, []string{"a", strings.Repeat("x", 51)}); err == nil {
				return fmt.Errorf("it was taken")
			}
			return nil
		}, "issues/add-labels issues/add-labels issues/add-labels"},
		"no labels": {func(ctx context.Context, _ *testing.T, f fixture, pr gitsync.PullRequest) error {
			return f.forge.AddLabels(ctx, pr.Number, nil)
		}, ""},
		"assignees": {func(ctx context.Context, _ *testing.T, f fixture, pr gitsync.PullRequest) error {
			return f.forge.AddAssignees(ctx, pr.Number, []string{"bob", "carol"})
		}, "issues/add-assignees"},
		"reviewers": {func(ctx context.Context, _ *testing.T, f fixture, pr gitsync.PullRequest) error {
			return f.forge.RequestReviewers(ctx, pr.Number, []string{"bob", "carol"})
		}, "pulls/request-reviewers"},
		"a draft": {func(ctx context.Context, _ *testing.T, f fixture, pr gitsync.PullRequest) error {
			return f.forge.SetDraft(ctx, pr, true)
		}, "convertPullRequestToDraft"},
		"waiting for nothing, as it does": {func(ctx context.Context, _ *testing.T, f fixture, pr gitsync.PullRequest) error {
			return f.forge.AutoMerge(ctx, pr, "")
		}, ""},
		"waiting to be merged, as it does": {func(ctx context.Context, _ *testing.T, f fixture, pr gitsync.PullRequest) error {
			pr.AutoMerge = true
			return f.forge.AutoMerge(ctx, pr, "squash")
		}, ""},
		"ready, which it is": {func(ctx context.Context, _ *testing.T, f fixture, pr gitsync.PullRequest) error {
			return f.forge.SetDraft(ctx, pr, false)
		}, ""},
		"a new branch over the API": {func(ctx context.Context, t *testing.T, f fixture, _ gitsync.PullRequest) error {
			_, err := f.forge.Writer().Write(ctx, change(t, f, ""))
			return err
		}, "git/get-commit git/get-tree git/create-tree git/create-commit git/create-ref"},
		"a branch that goes on over the API": {func(ctx context.Context, t *testing.T, f fixture, _ gitsync.PullRequest) error {
			f.Repo.Git(t, "branch", "new", branch)
			_, err := f.forge.Writer().Write(ctx, change(t, f, f.Repo.Git(t, "rev-parse", "new")))
			return err
		}, "git/get-commit git/get-tree git/create-tree git/create-commit git/get-ref git/update-ref"},
		"deleting a branch over the API": {func(ctx context.Context, t *testing.T, f fixture, _ gitsync.PullRequest) error {
			f.Repo.Git(t, "branch", "new", branch)
			return f.forge.Writer().Delete(ctx, "new", gitsync.Hash(f.Repo.Git(t, "rev-parse", "new")))
		}, "git/get-ref git/delete-ref"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, hub.Options{}, "a person's token", nil)
			f.Invite("bob", "write")
			f.Invite("carol", "write")
			pr := f.open(t)
			if err := test.call(t.Context(), t, f, pr); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(strings.Fields(test.want), hub.Operations(f.Requests())); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
		})
	}
}

// An open pull request is found however many have ended since.
func TestAnOpenOneIsFoundBehindAHundredOthers(t *testing.T) {
	t.Parallel()
	f := newFixture(t, hub.Options{}, "a person's token", nil)
	f.Repo.Git(t, "branch", "release", "main")
	p := proposal()
	p.Base = "release"
	first, err := f.forge.Open(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	bob := f.Person("bob")
	for range 100 {
		bob.Close(bob.Open(branch, "t", "b"))
	}
	f.Requests()
	all, err := f.forge.PullRequests(t.Context(), branch)
	if err != nil || len(all) != 101 || all[100].Number != first.Number || all[0].Number != 101 {
		t.Errorf("found %d, %v; want 101, the open one last", len(all), err)
	}
	requests := f.Requests()
	if len(requests) > 3 {
		t.Errorf("that took %d requests", len(requests))
	}
	for _, r := range requests[:2] { // GitHub ignores a head without an owner, and tells of all branches
		if !strings.Contains(r.Path, "head=acme%3Ahedgehog-gitops%2Ffabric-a&") {
			t.Errorf("it asked for %s", r.Path)
		}
	}
}

func TestForksAreNotOurs(t *testing.T) {
	t.Parallel()
	f := newFixture(t, hub.Options{}, "a person's token", nil)
	f.open(t)
	f.Fork(1, "mallory")
	if all, err := f.forge.PullRequests(t.Context(), branch); err != nil || len(all) != 0 {
		t.Errorf("found %+v, %v; want none of a fork's", all, err)
	}
}

func TestTeamsAreAskedByTheirName(t *testing.T) {
	t.Parallel()
	may := hub.Write()
	may["members"] = "read"
	f := newFixture(t, hub.Options{}, "a person's token", func(s *hub.Server, o *github.Options) { o.Token = s.Token("robot", may) })
	f.InviteTeam("netops")
	f.Invite("bob", "write")
	pr := f.open(t)
	if err := f.forge.RequestReviewers(t.Context(), pr.Number, []string{"Acme/netops", "bob"}); err != nil {
		t.Error(err)
	}
	all, err := f.forge.PullRequests(t.Context(), branch)
	if err != nil || !slices.Equal(all[0].Reviewers, []string{"bob", "acme/netops"}) {
		t.Errorf("reviewers %v, %v", all[0].Reviewers, err)
	}
}

func TestAStaleCommentIsFoldedAway(t *testing.T) {
	t.Parallel()
	f := newFixture(t, hub.Options{}, "GITHUB_TOKEN", nil)
	pr := f.open(t)
	c, err := f.forge.Comment(t.Context(), pr.Number, "old")
	if err != nil {
		t.Fatal(err)
	}
	if err := f.forge.Minimize(t.Context(), c.ID); err != nil {
		t.Error(err)
	}
	if got := f.PullRequests()[0].MinimizedReason; !slices.Equal(got, []string{"outdated"}) {
		t.Errorf("the comments are folded away as %q", got)
	}
}

// A draft waits for nothing, and what was asked can be taken back.
func TestAutoMergeIsTakenBack(t *testing.T) {
	t.Parallel()
	f := newFixture(t, hub.Options{}, "an App", nil)
	f.Protect("main", 1)
	pr := f.open(t)
	find := func() gitsync.PullRequest {
		t.Helper()
		all, err := f.forge.PullRequests(t.Context(), branch)
		if err != nil || len(all) != 1 {
			t.Fatalf("found %+v, %v", all, err)
		}
		return all[0]
	}
	for i, method := range []string{"rebase", "", "", "squash"} {
		if err := f.forge.AutoMerge(t.Context(), find(), method); err != nil {
			t.Errorf("%d, %q: %v", i, method, err)
		}
		if got := f.PullRequests()[0].AutoMerge; got != method {
			t.Errorf("it waits to be merged by %q, want %q", got, method)
		}
	}
	waiting := find()
	waiting.AutoMerge = true
	if err := f.forge.SetDraft(t.Context(), pr, true); err != nil || f.PullRequests()[0].AutoMerge != "" {
		t.Errorf("as a draft it waits: %+v, %v", f.PullRequests()[0], err)
	}
	if err := f.forge.AutoMerge(t.Context(), waiting, ""); err != nil { // somebody was faster
		t.Error(err)
	}
}
