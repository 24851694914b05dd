package github_test

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net/http"
	"net/url"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	hub "hedgehog-gitops/fixtures/github"
	"hedgehog-gitops/gitsync"
	"hedgehog-gitops/gitsync/forge/github"
)

func TestItSaysWhoItIsAndWhatThatMeans(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ login, notice string }{
		"a person's token": {"robot", "are those of robot, who cannot approve them"},
		"GITHUB_TOKEN":     {"github-actions[bot]", "GITHUB_TOKEN"},
		"an App":           {"hedgehog[bot]", ""},
	} {
		s := hub.Start(t, hub.Options{})
		traits := connect(t, identities()[name](s)).Traits()
		notices := strings.Join(traits.Notices, "\n")
		if traits.Name != "GitHub" || traits.Login != test.login || traits.BodyLimit != 65536 || (notices == "") != (test.notice == "") || !strings.Contains(notices, test.notice) {
			t.Errorf("%s: %+v, want the login %s and a notice of %q", name, traits, test.login, test.notice)
		}
	}
}

// What a workflow's token means differs: on github.com workflows wait for an
// approval, on other servers they may not start at all.
func TestTheNoticeOfAWorkflowKnowsTheServer(t *testing.T) {
	t.Parallel()
	s := hub.Start(t, hub.Options{})
	o := options(s, s.ActionsToken(hub.Write()))
	if notice := connect(t, o).Traits().Notices[0]; !strings.Contains(notice, "on GitHub Enterprise Server no workflow may start") {
		t.Errorf("of another server: %s", notice)
	}
	if notice := connect(t, asCloud(t, s, o)).Traits().Notices[0]; !strings.Contains(notice, "wait until somebody approves them") {
		t.Errorf("of github.com: %s", notice)
	}
}

// A server may not tell a token that works who it is.
func TestATokenThatIsNotToldWhoItIs(t *testing.T) {
	t.Parallel()
	s := hub.Start(t, hub.Options{})
	token := s.ActionsToken(hub.Write())
	s.Fail(hub.Fault{Operation: "viewer", Status: 200, Raw: `{"data":{"viewer":null},"errors":[{"type":"FORBIDDEN","message":"Resource not accessible by integration"}]}`})
	f := connect(t, options(s, token))
	if login := f.Traits().Login; login != "" {
		t.Errorf("it is %q", login)
	}
	if _, err := f.PullRequests(t.Context(), branch); err != nil {
		t.Error(err)
	}
}

// asCloud are the options with which a forge believes that it talks to github.com:
// the server is its proxy. For a proxy's sake all is http.
func asCloud(t *testing.T, s *hub.Server, o github.Options) github.Options {
	t.Helper()
	proxy, err := url.Parse(s.WebURL)
	if err != nil {
		t.Fatal(err)
	}
	o.ServerURL, o.APIURL, o.GraphQLURL = "http://github.com", "http://api.github.com", ""
	o.Proxy = func(*http.Request) (*url.URL, error) { return proxy, nil }
	return o
}

func TestAddressesFollowFromTheServers(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		o    github.Options
		want []string
	}{
		"nothing":               {github.Options{}, []string{"https://api.github.com/user", "https://api.github.com/graphql"}},
		"github.com":            {github.Options{ServerURL: "https://github.com/"}, []string{"https://api.github.com/user", "https://api.github.com/graphql"}},
		"an enterprise server":  {github.Options{ServerURL: "https://git.example.com"}, []string{"https://git.example.com/api/v3/user", "https://git.example.com/api/graphql"}},
		"a company's own cloud": {github.Options{ServerURL: "https://acme.ghe.com"}, []string{"https://api.acme.ghe.com/user", "https://api.acme.ghe.com/graphql"}},
		"as a workflow says": {
			github.Options{ServerURL: "https://git.example.com", APIURL: "https://git.example.com/api/v3", GraphQLURL: "https://git.example.com/api/graphql"},
			[]string{"https://git.example.com/api/v3/user", "https://git.example.com/api/graphql"},
		},
		"an API alone": {github.Options{APIURL: "http://localhost:8080/x/v3/"}, []string{"http://localhost:8080/x/v3/user", "http://localhost:8080/x/graphql"}},
	} {
		var asked []string
		for _, token := range []string{"github_pat_x", "ghs_x"} {
			o := test.o
			o.Repository, o.Token, o.Tries = "acme/fabrics", token, 1
			o.Proxy = func(r *http.Request) (*url.URL, error) {
				asked = append(asked, r.URL.String())
				return nil, errors.New("no further")
			}
			if _, err := github.Connect(t.Context(), o); err == nil {
				t.Errorf("%s: connected to nothing", name)
			}
		}
		if diff := cmp.Diff(test.want, asked); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestTheTokenOfAnAppIsMadeAnewBeforeItEnds(t *testing.T) {
	t.Parallel()
	f := newFixture(t, hub.Options{}, "an App", nil)
	pr := f.open(t)
	work := func() []string {
		t.Helper()
		if _, err := f.forge.Comments(t.Context(), pr.Number); err != nil {
			t.Error(err)
		}
		return hub.Operations(f.Requests())
	}
	first, err := f.forge.Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"issues/list-comments"}, work()); diff != "" {
		t.Errorf("at first (-want +got):\n%s", diff)
	}
	f.clock.now = f.clock.now.Add(54 * time.Minute)
	if diff := cmp.Diff([]string{"issues/list-comments"}, work()); diff != "" {
		t.Errorf("after 54 minutes (-want +got):\n%s", diff)
	}
	f.clock.now = f.clock.now.Add(2 * time.Minute)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			if _, err := f.forge.Comments(t.Context(), pr.Number); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	made := 0
	for _, operation := range hub.Operations(f.Requests()) {
		if operation == "apps/create-installation-access-token" {
			made++
		}
	}
	if made != 1 {
		t.Errorf("after 56 minutes, eight requests at once made %d tokens, want 1", made)
	}
	if second, err := f.forge.Token(t.Context()); err != nil || second == first {
		t.Errorf("the token is the old one (%v), %v", second == first, err)
	}
	f.clock.now = f.clock.now.Add(10 * time.Hour) // as after a laptop slept
	if got := work(); len(got) != 2 {
		t.Errorf("after hours it asks for %v", got)
	}
}

func TestAnAppsKeyInEitherForm(t *testing.T) {
	t.Parallel()
	s := hub.Start(t, hub.Options{})
	app := s.App("hedgehog", hub.Write())
	block, _ := pem.Decode(app.Key)
	key, err := x509.ParsePKCS1PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	o := options(s, "")
	o.App = github.App{ID: app.ID, Installation: app.Installation, Key: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})}
	if login := connect(t, o).Traits().Login; login != "hedgehog[bot]" {
		t.Errorf("connected as %q", login)
	}
	want := []string{"apps/create-installation-access-token", "viewer"} // where it is installed is known
	if diff := cmp.Diff(want, hub.Operations(s.Requests())); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

// What the forge's requests are made with is also what git pushes with.
func TestGitUsesTheSameToken(t *testing.T) {
	t.Parallel()
	for name, identity := range identities() {
		s := hub.Start(t, hub.Options{Private: true})
		f := connect(t, identity(s))
		token, err := f.Token(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		for _, args := range [][]string{
			{"clone", "--quiet", s.CloneURL(token), "."}, {"checkout", "--quiet", "-b", branch},
			{"-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "--quiet", "--allow-empty", "-m", "x"}, {"push", "--quiet", "origin", branch},
		} {
			cmd := exec.Command("git", args...)
			cmd.Dir = dir
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%s: git %s: %v\n%s", name, args[0], err, out)
			}
		}
		if s.Repo.Head(t, branch) == "" {
			t.Errorf("%s: the branch is not there", name)
		}
	}
}

func TestARenamedRepositoryIsFollowed(t *testing.T) {
	t.Parallel()
	s := hub.Start(t, hub.Options{})
	o := options(s, s.Token("robot", hub.Write()))
	f := connect(t, o)
	s.Fail(hub.Fault{Operation: "pulls/list", Status: http.StatusMovedPermanently, Message: "Moved Permanently", Header: http.Header{
		"Location": {s.URL + "/repos/acme/fabrics/pulls?state=all&head=acme:" + branch},
	}})
	if _, err := f.PullRequests(t.Context(), branch); err != nil {
		t.Error(err)
	}
	if s.Left() != 0 {
		t.Error("nothing was redirected")
	}
}

func TestEitherTakesTheApiForWhatSuitsIt(t *testing.T) {
	t.Parallel()
	s := hub.Start(t, hub.Options{})
	bot := options(s, s.ActionsToken(hub.Write()))
	person := options(s, s.Token("robot", hub.Write()))
	many := map[string][]byte{}
	for i := range 1001 {
		many["fabrics/"+strings.Repeat("x", i%200+1)+"/"+strings.Repeat("y", i/200+1)] = []byte("x")
	}
	small := map[string][]byte{"fabrics/a.yaml": []byte("b\n")}
	head := gitsync.Hash(s.Repo.Head(t, "main"))
	for name, test := range map[string]struct {
		options github.Options
		parents []gitsync.Hash
		changes map[string][]byte
		api     bool
	}{
		"a bot on github.com":           {asCloud(t, s, bot), []gitsync.Hash{head}, small, true},
		"a bot elsewhere":               {bot, []gitsync.Hash{head}, small, false},
		"a person, who is not verified": {asCloud(t, s, person), []gitsync.Hash{head}, small, false},
		"more than a thousand files":    {asCloud(t, s, bot), []gitsync.Hash{head}, many, false},
		"too much":                      {asCloud(t, s, bot), []gitsync.Hash{head}, map[string][]byte{"fabrics/a": make([]byte, 9<<20)}, false},
		"a first commit":                {asCloud(t, s, bot), nil, small, false},
		"a file that becomes a folder":  {asCloud(t, s, bot), []gitsync.Hash{head}, map[string][]byte{"fabrics/a": nil, "fabrics/a/b": []byte("b")}, false},
	} {
		t.Run(name, func(t *testing.T) {
			git := &gitWriter{}
			w := github.Either(connect(t, test.options).Writer(), git)
			branch := "branch/" + strings.ReplaceAll(name, " ", "-")
			written, err := w.Write(t.Context(), gitsync.Write{Branch: branch, Parents: test.parents, Changes: test.changes, Message: "m\n"})
			if err != nil {
				t.Fatal(err)
			}
			if api := s.Repo.Head(t, branch) != ""; api != test.api || git.wrote == test.api || written.Verified != test.api {
				t.Errorf("the API wrote it: %v, git: %v; want the API: %v", api, git.wrote, test.api)
			}
			if git.checked != test.api {
				t.Errorf("git was asked beforehand: %v, want %v", git.checked, test.api)
			}
			if err := w.Delete(t.Context(), branch, "x"); err != nil || !git.deleted {
				t.Errorf("git deleted: %v, %v", git.deleted, err)
			}
		})
	}
	for name, way := range map[string]func(*github.Writer, gitsync.Writer) gitsync.Writer{"either": github.Either, "always": github.Always} {
		t.Run("git says what is wrong: "+name, func(t *testing.T) {
			git := &gitWriter{wrong: errors.New("a .gitattributes would rewrite it")}
			w := way(connect(t, asCloud(t, s, bot)).Writer(), git)
			_, err := w.Write(t.Context(), gitsync.Write{Branch: "wrong", Parents: []gitsync.Hash{head}, Changes: small, Message: "m\n"})
			if !errors.Is(err, git.wrong) || s.Repo.Head(t, "wrong") != "" {
				t.Errorf("error %v, want git's", err)
			}
		})
	}
	t.Run("always the API", func(t *testing.T) {
		git := &gitWriter{}
		w := github.Always(connect(t, person).Writer(), git)
		written, err := w.Write(t.Context(), gitsync.Write{Branch: "always", Parents: []gitsync.Hash{head}, Changes: small, Message: "m\n"})
		if err != nil || git.wrote || s.Repo.Head(t, "always") != string(written.Commit) {
			t.Errorf("git wrote: %v, error %v", git.wrote, err)
		}
		if err := w.Delete(t.Context(), "always", written.Commit); err != nil || git.deleted || s.Repo.Head(t, "always") != "" {
			t.Errorf("git deleted: %v, error %v", git.deleted, err)
		}
	})
}

// gitWriter stands where git would.
type gitWriter struct {
	wrong                   error
	checked, wrote, deleted bool
}

func (w *gitWriter) Check(context.Context, gitsync.Write) error { w.checked = true; return w.wrong }
func (w *gitWriter) Write(context.Context, gitsync.Write) (gitsync.Written, error) {
	w.wrote = true
	return gitsync.Written{}, nil
}
func (w *gitWriter) Delete(context.Context, string, gitsync.Hash) error { w.deleted = true; return nil }
