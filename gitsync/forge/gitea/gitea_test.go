package gitea_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	server "hedgehog-gitops/fixtures/gitea"
	"hedgehog-gitops/gitsync"
	"hedgehog-gitops/gitsync/edge"
	"hedgehog-gitops/gitsync/forge/gitea"
)

// desk is a repository on a real Gitea with a branch "proposal" that changes something.
type desk struct {
	*gitea.Forge
	server *server.Server
	repo   *server.Repository
	calls  *[]string // method and path of each request to the server
}

func newDesk(t *testing.T) desk {
	t.Helper()
	s := server.Start(t)
	r := s.Repository(t)
	r.Commit(t, s.Bot, "proposal", "a.yaml", "a\n")
	var calls []string
	o := options(s, r, s.Bot.Token)
	o.Observe = func(e gitea.Event) { calls = append(calls, e.Method+" "+e.Path) }
	return desk{connect(t, o), s, r, &calls}
}

func (d desk) open(t *testing.T, draft bool) gitsync.PullRequest {
	t.Helper()
	pr, err := d.Open(t.Context(), gitsync.NewPullRequest{Base: "main", Head: "proposal", Title: "feat: a", Body: "b", Draft: draft})
	if err != nil {
		t.Fatal(err)
	}
	return pr
}

// now is the pull request of the branch "proposal" as it stands.
func (d desk) now(t *testing.T) gitsync.PullRequest {
	t.Helper()
	all, err := d.PullRequests(t.Context(), "proposal")
	if err != nil || len(all) != 1 {
		t.Fatalf("the pull requests: %+v, %v; want one", all, err)
	}
	return all[0]
}

func TestFewCalls(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	ctx, title, body := t.Context(), "feat: b", "c"
	var pr gitsync.PullRequest
	var err error
	for _, step := range []struct {
		name        string
		do          func() error
		read, write int
	}{
		{"connecting", func() error { return nil }, 1, 0},
		{"finding none", func() error { _, err := d.PullRequests(ctx, "proposal"); return err }, 1, 0},
		{"opening", func() error { pr = d.open(t, false); return nil }, 0, 1},
		{"finding it", func() error { d.now(t); return nil }, 2, 0},
		{"editing the text", func() error { return d.Edit(ctx, pr.Number, gitsync.Edit{Body: &body}) }, 0, 1},
		{"editing the title too", func() error { return d.Edit(ctx, pr.Number, gitsync.Edit{Title: &title, Body: &body}) }, 1, 1},
		{"editing nothing", func() error { return d.Edit(ctx, pr.Number, gitsync.Edit{}) }, 0, 0},
		{"a new label", func() error { return d.AddLabels(ctx, pr.Number, []string{"netbox"}) }, 0, 3},
		{"a known label", func() error { return d.AddLabels(ctx, pr.Number, []string{"netbox"}) }, 0, 1},
		{"no label", func() error { return d.AddLabels(ctx, pr.Number, nil) }, 0, 0},
		{"an assignee", func() error { return d.AddAssignees(ctx, pr.Number, []string{"human"}) }, 1, 1},
		{"the same assignee", func() error { return d.AddAssignees(ctx, pr.Number, []string{"Human"}) }, 1, 0},
		{"a reviewer", func() error { return d.RequestReviewers(ctx, pr.Number, []string{"human"}) }, 0, 1},
		{"a team", func() error { return d.RequestReviewers(ctx, pr.Number, []string{d.repo.Owner + "/network"}) }, 0, 1},
		{"a team again", func() error { return d.RequestReviewers(ctx, pr.Number, []string{d.repo.Owner + "/network"}) }, 1, 1},
		{"a comment", func() error { _, err = d.Comment(ctx, pr.Number, "x"); return err }, 0, 1},
		{"comments", func() error { _, err = d.Comments(ctx, pr.Number); return err }, 1, 0},
		{"ready already", func() error { return d.SetDraft(ctx, pr, false) }, 1, 0},
		{"a draft", func() error { return d.SetDraft(ctx, pr, true) }, 1, 1},
	} {
		if step.name != "connecting" {
			*d.calls = nil
		}
		if err := step.do(); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		read, write := 0, 0
		for _, call := range *d.calls {
			if strings.HasPrefix(call, "GET ") {
				read++
			} else {
				write++
			}
		}
		if read != step.read || write != step.write {
			t.Errorf("%s: %d reads and %d writes, want %d and %d: %q", step.name, read, write, step.read, step.write, *d.calls)
		}
	}
}

func TestADraftThatPeopleMadeOrEnded(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	pr := d.open(t, true)
	stored := func() string {
		var p struct {
			Title string `json:"title"`
		}
		d.repo.Do(t, d.server.Human, http.MethodGet, fmt.Sprintf("/pulls/%d", pr.Number), nil, &p)
		return p.Title
	}
	if got := stored(); got != "WIP: feat: a" {
		t.Errorf("the title on the server is %q", got)
	}
	for title, want := range map[string]struct {
		title string
		draft bool
	}{
		"[WIP] feat: a":     {"feat: a", true},
		"[wip]feat: a":      {"feat: a", true},
		"wip: feat: a":      {"feat: a", true},
		"feat: a":           {"feat: a", false},
		"feat: a, not WIP:": {"feat: a, not WIP:", false},
	} {
		d.repo.Do(t, d.server.Human, http.MethodPatch, fmt.Sprintf("/pulls/%d", pr.Number), map[string]any{"title": title}, nil)
		if got := d.now(t); got.Draft != want.draft || got.Title != want.title {
			t.Errorf("%q is %q, a draft: %v", title, got.Title, got.Draft)
		}
		// Whatever people made it, it stays so with another title.
		other := "feat: other"
		if err := d.Edit(t.Context(), pr.Number, gitsync.Edit{Title: &other}); err != nil {
			t.Fatal(err)
		}
		if got := d.now(t); got.Draft != want.draft || got.Title != other {
			t.Errorf("%q with another title is %q, a draft: %v", title, got.Title, got.Draft)
		}
		for _, draft := range []bool{!want.draft, want.draft} {
			if err := d.SetDraft(t.Context(), pr, draft); err != nil {
				t.Fatal(err)
			}
			if got := d.now(t); got.Draft != draft || got.Title != other {
				t.Errorf("%q made a draft (%v) is %q, a draft: %v", title, draft, got.Title, got.Draft)
			}
		}
	}
}

func TestTeamsAreAskedForReviews(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.repo.Team(t, "security", "read", d.server.User(t))
	pr := d.open(t, false)
	network, security := d.repo.Owner+"/network", strings.ToUpper(d.repo.Owner)+"/security"
	if err := d.RequestReviewers(t.Context(), pr.Number, []string{network, "human"}); err != nil {
		t.Fatal(err)
	}
	err := d.RequestReviewers(t.Context(), pr.Number, []string{"elsewhere/network", security, d.repo.Owner + "/nobody", "bot", "no-such-user"})
	for _, name := range []string{"elsewhere/network: ", d.repo.Owner + "/nobody: ", "bot: ", "no-such-user: "} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("got %v, want it to name %s", err, name)
		}
	}
	if err != nil && strings.Contains(err.Error(), "security") {
		t.Errorf("got %v, but security is a team", err)
	}
	if diff := cmp.Diff([]string{"human", network, d.repo.Owner + "/security"}, d.now(t).Reviewers); diff != "" {
		t.Errorf("reviewers (-want +got):\n%s", diff)
	}
	approve(t, d.repo, pr.Number, d.server.Human)
	got := d.now(t)
	if diff := cmp.Diff([]string{"human"}, got.Reviewed); diff != "" || slices.Contains(got.Reviewers, "human") {
		t.Errorf("after the review %q are asked for one, reviewed by (-want +got):\n%s", got.Reviewers, diff)
	}
	if err := d.RequestReviewers(t.Context(), pr.Number, []string{"human"}); err != nil {
		t.Fatal(err)
	}
	if got = d.now(t); !slices.Contains(got.Reviewers, "human") || !slices.Contains(got.Reviewed, "human") {
		t.Errorf("asked again: %q are asked, %q have reviewed", got.Reviewers, got.Reviewed)
	}
}

func TestAPersonsRepositoryHasNoTeams(t *testing.T) {
	t.Parallel()
	s := server.Start(t)
	owner := s.User(t)
	if status := s.Do(t, owner, http.MethodPost, "/user/repos", map[string]any{"name": "fabrics", "auto_init": true}, nil); status != http.StatusCreated {
		t.Fatalf("making a repository: status %d", status)
	}
	in := map[string]any{"content": "YQo=", "message": "a", "branch": "main", "new_branch": "proposal"}
	s.Do(t, owner, http.MethodPost, "/repos/"+owner.Name+"/fabrics/contents/a.yaml", in, nil)
	f := connect(t, gitea.Options{URL: s.URL + "/", Repository: "/" + owner.Name + "/fabrics.git", Token: owner.Token})
	pr, err := f.Open(t.Context(), gitsync.NewPullRequest{Base: "main", Head: "proposal", Title: "t"})
	if err != nil {
		t.Fatal(err)
	}
	err = f.RequestReviewers(t.Context(), pr.Number, []string{owner.Name + "/network"})
	if !errors.Is(err, gitsync.ErrNotFound) || !strings.Contains(err.Error(), owner.Name+"/network") {
		t.Errorf("got %v, want it to name the team", err)
	}
}

func TestALabelOfTheOrganisationIsNotMadeAgain(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	in := map[string]any{"name": "netbox", "color": "#00aabb"}
	if status := d.server.Do(t, d.server.Admin, http.MethodPost, "/orgs/"+d.repo.Owner+"/labels", in, nil); status != http.StatusCreated {
		t.Fatalf("making a label: status %d", status)
	}
	pr := d.open(t, false)
	if err := d.AddLabels(t.Context(), pr.Number, []string{"netbox", "new"}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"netbox", "new"}, d.now(t).Labels); diff != "" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}
	var labels []struct {
		Name string `json:"name"`
	}
	d.repo.Do(t, d.server.Human, http.MethodGet, "/labels", nil, &labels)
	if len(labels) != 1 || labels[0].Name != "new" {
		t.Errorf("the repository's own labels: %+v, want new", labels)
	}
}

func TestItMergesByItselfWhenAllIsThere(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	protect(t, d.server, d.repo, "main")
	pr := d.open(t, false)
	for _, method := range []string{"", "squash", "squash", "", "rebase"} { // also twice the same
		if err := d.AutoMerge(t.Context(), pr, method); err != nil {
			t.Fatalf("by %q: %v", method, err)
		}
		if got := d.now(t); got.AutoMerge != (method != "") || got.State != gitsync.Open {
			t.Errorf("by %q: it is %s, waits: %v", method, got.State, got.AutoMerge)
		}
	}
	approve(t, d.repo, pr.Number, d.server.Human)
	d.server.Until(t, "it is merged", func() error {
		if got := d.now(t); got.State != gitsync.Merged || string(got.MergeCommit) != d.repo.Head(t, "main") {
			return fmt.Errorf("it is %+v", got)
		}
		return nil
	})
}

func TestItDoesNotMergeWhatMayNotBe(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	protect(t, d.server, d.repo, "main")
	pr := d.open(t, true)
	if err := d.AutoMerge(t.Context(), pr, "merge"); err == nil || !strings.Contains(err.Error(), "Work in progress") {
		t.Errorf("a draft: got %v", err)
	}
	if err := d.SetDraft(t.Context(), pr, false); err != nil {
		t.Fatal(err)
	}
	in := map[string]any{"enable_merge_whitelist": true, "merge_whitelist_usernames": []string{"human"}}
	if status := d.repo.Do(t, d.server.Admin, http.MethodPatch, "/branch_protections/main", in, nil); status != http.StatusOK {
		t.Fatalf("changing the protection: status %d", status)
	}
	err := d.AutoMerge(t.Context(), pr, "merge")
	var e *edge.Error
	if !errors.As(err, &e) || !errors.Is(err, gitsync.ErrDenied) || !strings.Contains(e.Hint, "main") {
		t.Errorf("who may not merge: got %+v", err)
	}
	if d.now(t).AutoMerge {
		t.Error("it waits to be merged all the same")
	}
}

// A branch that people conflict with cannot be merged: the server says "try again
// later" for ever.
func TestItIsSaidWhenItCannotBeMerged(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.repo.Commit(t, d.server.Human, "main", "a.yaml", "people's\n")
	pr := d.open(t, false)
	err := d.AutoMerge(t.Context(), pr, "merge")
	var e *edge.Error
	if !errors.As(err, &e) || e.Status != http.StatusMethodNotAllowed || !strings.Contains(e.Hint, "conflict") {
		t.Errorf("got %+v", err)
	}
}

func TestScopesThatATokenLacksAreNamed(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	pr := d.open(t, false)
	for name, test := range map[string]struct {
		scopes []string
		do     func(*gitea.Forge) error
		want   string
	}{
		"no comments": {[]string{"write:repository"}, func(f *gitea.Forge) error { _, err := f.Comment(t.Context(), pr.Number, "x"); return err }, "write:issue"},
		"no pull requests": {[]string{"write:issue"}, func(f *gitea.Forge) error {
			title := "t"
			return f.Edit(t.Context(), pr.Number, gitsync.Edit{Body: &title})
		}, "write:repository"},
		"no list": {[]string{"read:user"}, func(f *gitea.Forge) error { _, err := f.PullRequests(t.Context(), "proposal"); return err }, "read:repository"},
	} {
		f := connect(t, options(d.server, d.repo, d.server.Token(t, d.server.Bot, test.scopes...)))
		err := test.do(f)
		if !errors.Is(err, gitsync.ErrDenied) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want it to name %s", name, err, test.want)
		}
		if wantLogin := test.scopes[0] == "read:user"; (f.Traits().Login == "bot") != wantLogin {
			t.Errorf("%s: it is %q", name, f.Traits().Login)
		}
	}
}

func TestAnArchivedRepositoryDoesNotChange(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.repo.Do(t, d.server.Human, http.MethodPatch, "", map[string]any{"archived": true}, nil)
	_, err := d.Open(t.Context(), gitsync.NewPullRequest{Base: "main", Head: "proposal", Title: "t"})
	var e *edge.Error
	if !errors.As(err, &e) || !errors.Is(err, gitsync.ErrProtected) || !strings.Contains(e.Hint, "archived") {
		t.Errorf("got %+v", err)
	}
}

// People's assignments are not taken back by ours.
func TestPeoplesAssigneesStay(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	second := d.server.User(t)
	d.repo.Team(t, "second", "read", second)
	pr := d.open(t, false)
	in := map[string]any{"assignees": []string{second.Name}}
	d.repo.Do(t, d.server.Human, http.MethodPatch, fmt.Sprintf("/issues/%d", pr.Number), in, nil)
	err := d.AddAssignees(t.Context(), pr.Number, []string{"no-such-user", "human"})
	if err == nil || !strings.Contains(err.Error(), "no-such-user") {
		t.Errorf("got %v, want it to name who is not there", err)
	}
	if diff := cmp.Diff([]string{"human", second.Name}, d.now(t).Assignees); diff != "" {
		t.Errorf("assignees (-want +got):\n%s", diff)
	}
}
