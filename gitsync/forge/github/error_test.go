package github_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	hub "hedgehog-gitops/fixtures/github"
	"hedgehog-gitops/gitsync"
	"hedgehog-gitops/gitsync/edge"
	"hedgehog-gitops/gitsync/forge/github"
)

// wantError fails unless the error is of the kind, says all the texts, in its hint
// or before, and shows no secret.
func wantError(t *testing.T, err, kind error, texts ...string) {
	t.Helper()
	var e *edge.Error
	if !errors.As(err, &e) {
		t.Errorf("error %v, want one of GitHub's", err)
		return
	}
	said := e.Error() + "\n" + e.Hint
	if kind != nil && !errors.Is(err, kind) {
		t.Errorf("error %v, want one that is %q", err, kind)
	}
	for _, text := range texts {
		if !strings.Contains(said, text) {
			t.Errorf("it says %q, want %q in it", said, text)
		}
	}
	if strings.Contains(said+fmt.Sprintf("%+v", err), "SECRET") {
		t.Errorf("it shows a secret: %s", said)
	}
}

func TestErrorsNameTheRightThatIsMissing(t *testing.T) {
	t.Parallel()
	without := func(right string) hub.Permissions {
		p := hub.Write()
		p[right] = "read"
		return p
	}
	for name, test := range map[string]struct {
		options func(*hub.Server) github.Options
		call    func(context.Context, *github.Forge) error
		want    []string
	}{
		"a workflow that may not open": {
			func(s *hub.Server) github.Options { return options(s, s.ActionsToken(without("pull_requests"))) }, opening,
			[]string{`"pull requests: write"`, "permissions: {pull-requests: write}"},
		},
		"a workflow that may not write": {
			func(s *hub.Server) github.Options { return options(s, s.ActionsToken(without("contents"))) }, writing,
			[]string{`"contents: write"`, "permissions: {contents: write}"},
		},
		"an App that may not open": {
			func(s *hub.Server) github.Options {
				app := s.App("hedgehog", without("pull_requests"))
				o := options(s, "")
				o.App = github.App{ID: app.ID, Key: app.Key}
				return o
			}, opening,
			[]string{`"pull requests: write"`, `give the App the repository permission "pull requests" (write)`},
		},
		"a token that may not write": {
			func(s *hub.Server) github.Options { return options(s, s.Token("robot", without("contents"))) }, writing,
			[]string{`"contents: write"`, `give the token the repository permission "contents" (write) for acme/fabrics`},
		},
		"a token that may not make drafts": {
			func(s *hub.Server) github.Options { return options(s, s.Token("robot", without("pull_requests"))) },
			func(ctx context.Context, f *github.Forge) error {
				return f.SetDraft(ctx, gitsync.PullRequest{Number: 1, ID: "PR_1"}, true)
			},
			[]string{`"pull requests: write"`, "give the token"},
		},
		"a person who may only read": {
			func(s *hub.Server) github.Options {
				s.Invite("guest", "read")
				return options(s, s.Token("guest", hub.Write()))
			}, writing,
			[]string{`"contents: write"`, "its owner the right to write"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := hub.Start(t, hub.Options{})
			s.Repo.Git(t, "branch", branch, "main")
			s.Repo.Commit(t, branch, map[string]string{"a": "a"})
			wantError(t, test.call(t.Context(), connect(t, test.options(s))), gitsync.ErrDenied, test.want...)
		})
	}
}

func opening(ctx context.Context, f *github.Forge) error {
	_, err := f.Open(ctx, proposal())
	return err
}

// writing writes to a branch that is not there yet.
func writing(ctx context.Context, f *github.Forge) error {
	head := ""
	if all, err := f.PullRequests(ctx, "nobody's"); err != nil || len(all) != 0 {
		return fmt.Errorf("listing: %v, %w", all, err)
	}
	// Any commit of the repository would do; the first one is always the same.
	head = firstCommit
	_, err := f.Writer().Write(ctx, gitsync.Write{
		Branch: "new", Parents: []gitsync.Hash{gitsync.Hash(head)}, Message: "m\n", Changes: map[string][]byte{"fabrics/x": []byte("x")},
	})
	return err
}

// firstCommit is the one that every server of a test begins with.
const firstCommit = "b11fab614da136fb34f6697e4c074fae11987632"

func TestRefusalsAreExplained(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		server hub.Options
		as     string
		before func(*testing.T, fixture)
		call   func(context.Context, *testing.T, fixture) error
		kind   error
		want   []string
	}{
		"workflows may not open pull requests": {
			server: hub.Options{ActionsMayNot: true}, as: "GITHUB_TOKEN",
			call: func(ctx context.Context, _ *testing.T, f fixture) error { return opening(ctx, f.forge) },
			kind: gitsync.ErrDenied, want: []string{"not permitted to create", "Settings, Actions, General", "organization"},
		},
		"nothing to propose": {
			before: func(t *testing.T, f fixture) { f.Repo.Git(t, "update-ref", "refs/heads/"+branch, "main") },
			call:   func(ctx context.Context, _ *testing.T, f fixture) error { return opening(ctx, f.forge) },
			want:   []string{"No commits between main and " + branch},
		},
		"a title that is too long": {
			call: func(ctx context.Context, _ *testing.T, f fixture) error {
				p := proposal()
				p.Title = strings.Repeat("x", 257)
				_, err := f.forge.Open(ctx, p)
				return err
			},
			want: []string{"title is too long (maximum is 256 characters)"},
		},
		"a body that is too long": {
			call: func(ctx context.Context, _ *testing.T, f fixture) error {
				p := proposal()
				p.Body = strings.Repeat("x", 65537)
				_, err := f.forge.Open(ctx, p)
				return err
			},
			want: []string{"body is too long (maximum is 65536 characters)"},
		},
		"a reviewer who is no collaborator": {
			call: func(ctx context.Context, t *testing.T, f fixture) error {
				return f.forge.RequestReviewers(ctx, f.open(t).Number, []string{"mallory"})
			},
			want: []string{"mallory: Reviews may only be requested from collaborators", "Collaborators and teams"},
		},
		"a reviewer who is the author": {
			call: func(ctx context.Context, t *testing.T, f fixture) error {
				return f.forge.RequestReviewers(ctx, f.open(t).Number, []string{"robot"})
			},
			want: []string{"robot: Review cannot be requested from pull request author"},
		},
		"a team that is hidden": {
			before: func(_ *testing.T, f fixture) { f.InviteTeam("netops") },
			call: func(ctx context.Context, t *testing.T, f fixture) error {
				return f.forge.RequestReviewers(ctx, f.open(t).Number, []string{"acme/netops"})
			},
			want: []string{"acme/netops: Could not resolve to a node", `organization permission "members" (read)`},
		},
		"a team of others": {
			call: func(ctx context.Context, t *testing.T, f fixture) error {
				return f.forge.RequestReviewers(ctx, f.open(t).Number, []string{"other/netops"})
			},
			kind: gitsync.ErrNotFound, want: []string{"other/netops: it is no team of acme"},
		},
		"a branch that was deleted": {
			call: func(ctx context.Context, t *testing.T, f fixture) error {
				pr, open := f.open(t), gitsync.Open
				f.Repo.Git(t, "update-ref", "-d", "refs/heads/"+branch)
				return f.forge.Edit(ctx, pr.Number, gitsync.Edit{State: &open})
			},
			want: []string{"branch has been deleted"},
		},
		"what could be merged at once": {
			call: func(ctx context.Context, t *testing.T, f fixture) error {
				return f.forge.AutoMerge(ctx, f.open(t), "squash")
			},
			kind: gitsync.ErrUnsupported, want: []string{"could be merged now", "require a review or a check of pull requests into main"},
		},
		"a revoked token": {
			before: func(_ *testing.T, f fixture) { f.Fail(hub.Unauthorized("pulls/list")) },
			call: func(ctx context.Context, _ *testing.T, f fixture) error {
				_, err := f.forge.PullRequests(ctx, branch)
				return err
			},
			kind: gitsync.ErrDenied, want: []string{"does not accept the credentials (Bad credentials)", "not expired"},
		},
		"single sign-on": {
			before: func(_ *testing.T, f fixture) {
				f.Fail(hub.Fault{Operation: "pulls/list", Status: 403, Message: "Resource protected by organization SAML enforcement."})
			},
			call: func(ctx context.Context, _ *testing.T, f fixture) error {
				_, err := f.forge.PullRequests(ctx, branch)
				return err
			},
			kind: gitsync.ErrDenied, want: []string{"Configure SSO"},
		},
		"a right that only GitHub knows of": {
			before: func(_ *testing.T, f fixture) {
				f.Fail(hub.Fault{Operation: "git/create-ref", Status: 403, Message: "Resource not accessible by integration", Header: http.Header{
					"X-Accepted-Github-Permissions": {"contents=write,workflows=write; administration=write"},
				}})
			},
			call: func(ctx context.Context, _ *testing.T, f fixture) error { return writing(ctx, f.forge) },
			kind: gitsync.ErrDenied, want: []string{`"contents: write and workflows: write or administration: write"`},
		},
		"an archived repository": {
			before: func(_ *testing.T, f fixture) {
				f.Fail(hub.Fault{Operation: "pulls/create", Status: 403, Message: "Repository was archived so is read-only."})
			},
			call: func(ctx context.Context, _ *testing.T, f fixture) error { return opening(ctx, f.forge) },
			kind: gitsync.ErrProtected, want: []string{"archived"},
		},
		"an empty repository": {
			before: func(_ *testing.T, f fixture) { f.Fail(hub.Conflict("git/get-commit")) },
			call:   func(ctx context.Context, _ *testing.T, f fixture) error { return writing(ctx, f.forge) },
			want:   []string{"is empty", "push a first commit"},
		},
		"a login page": {
			before: func(_ *testing.T, f fixture) { f.Fail(hub.Fault{Operation: "pulls/list", Status: 200, HTML: true}) },
			call: func(ctx context.Context, _ *testing.T, f fixture) error {
				_, err := f.forge.PullRequests(ctx, branch)
				return err
			},
			want: []string{"web page", "proxy or a login page"},
		},
		"what would hurt a terminal": {
			before: func(_ *testing.T, f fixture) {
				f.Fail(hub.Fault{Operation: "pulls/list", Status: 422, Message: "no\x1b[31m\r\nway\u202e " + strings.Repeat("x", 1000)})
			},
			call: func(ctx context.Context, _ *testing.T, f fixture) error {
				_, err := f.forge.PullRequests(ctx, branch)
				if err != nil && (strings.ContainsAny(err.Error(), "\x1b\r\n\u202e") || len(err.Error()) > 600) {
					return fmt.Errorf("it says %w", err)
				}
				return err
			},
			want: []string{"no [31m way"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if test.as == "" {
				test.as = "a person's token"
			}
			f := newFixture(t, test.server, test.as, nil)
			if test.before != nil {
				test.before(t, f)
			}
			wantError(t, test.call(t.Context(), t, f), test.kind, test.want...)
			if f.Left() != 0 {
				t.Error("nothing went wrong")
			}
		})
	}
}

func TestConnectingIsExplained(t *testing.T) {
	t.Parallel()
	s := hub.Start(t, hub.Options{})
	app, other := s.App("hedgehog", hub.Write()), s.App("other", hub.Write())
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("another server is asked for %s with %q", r.URL, r.Header.Get("Authorization"))
	}))
	t.Cleanup(elsewhere.Close)
	redirects := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	t.Cleanup(redirects.Close)
	withApp := func(id int64, key []byte) func(*github.Options) {
		return func(o *github.Options) { o.Token, o.App = "", github.App{ID: id, Key: key} }
	}
	for name, test := range map[string]struct {
		change func(*github.Options)
		kind   error
		want   string
	}{
		"no credentials":         {func(o *github.Options) { o.Token = "" }, gitsync.ErrDenied, "there is no token"},
		"a token with a newline": {func(o *github.Options) { o.Token = "SECRET\nSECRET" }, gitsync.ErrDenied, "a character that no token has"},
		"a token of nobody's":    {func(o *github.Options) { o.Token = "ghp_SECRET" }, gitsync.ErrDenied, "does not accept the credentials"},
		"an App's key alone":     {withApp(0, app.Key), gitsync.ErrDenied, "no id"},
		"an App without a key":   {withApp(app.ID, nil), gitsync.ErrDenied, "the App's key is not PEM"},
		"a key that is cut":      {withApp(app.ID, []byte("-----BEGIN RSA PRIVATE KEY-----\nU0VDUkVU\n-----END RSA PRIVATE KEY-----\n")), gitsync.ErrDenied, "the App's key cannot be read"},
		"another App's key":      {withApp(app.ID, other.Key), gitsync.ErrDenied, "the key is one of its keys"},
		"an App of nobody's":     {withApp(4711, app.Key), gitsync.ErrDenied, "check the App's id"},
		"an App somewhere else": {func(o *github.Options) {
			withApp(app.ID, app.Key)(o)
			o.Repository = "acme/other"
		}, gitsync.ErrNotFound, "not installed on acme/other"},
		"no repository":              {func(o *github.Options) { o.Repository = "fabrics" }, nil, "not owner/name"},
		"a repository with a path":   {func(o *github.Options) { o.Repository = "a/b/../c" }, nil, "not owner/name"},
		"an address with a password": {func(o *github.Options) { o.APIURL = "https://u:SECRET@example.com" }, nil, "holds a user name"},
		"an address of another kind": {func(o *github.Options) { o.ServerURL = "ssh://example.com" }, nil, "https://"},
		"no address":                 {func(o *github.Options) { o.APIURL = "https://SECRET:x:y/%zz" }, nil, "is not one"},
		"two servers":                {func(o *github.Options) { o.GraphQLURL = "https://example.com/graphql" }, nil, "two servers"},
		"a port where nobody is":     {func(o *github.Options) { o.APIURL, o.GraphQLURL, o.Tries = "http://127.0.0.1:1", "", 1 }, nil, "nothing listens"},
		"a server that redirects":    {func(o *github.Options) { o.APIURL, o.GraphQLURL = redirects.URL, "" }, nil, "redirects to " + elsewhere.URL},
		"a CA file that is none":     {func(o *github.Options) { o.CAFile = "/dev/null" }, nil, "no certificate in the CA file"},
		"no CA file":                 {func(o *github.Options) { o.CAFile = "/nonexistent" }, os.ErrNotExist, "the CA file cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			o := options(s, s.Token("robot", hub.Write()))
			test.change(&o)
			f, err := github.Connect(t.Context(), o)
			if f != nil {
				t.Error("it is connected")
			}
			wantError(t, err, test.kind, test.want)
		})
	}
}

func TestCertificates(t *testing.T) {
	t.Parallel()
	s := hub.Start(t, hub.Options{TLS: true})
	o := options(s, s.Token("robot", hub.Write()))
	_, err := github.Connect(t.Context(), o)
	wantError(t, err, nil, "unknown authority", "as the CA file")
	o.CAFile = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(o.CAFile, s.CA, 0o600); err != nil {
		t.Fatal(err)
	}
	if login := connect(t, o).Traits().Login; login != "robot" {
		t.Errorf("connected as %q", login)
	}
}
