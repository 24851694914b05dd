package gitea_test

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"hedgehog-gitops/gitsync"
	"hedgehog-gitops/gitsync/edge"
	"hedgehog-gitops/gitsync/forge/gitea"
)

// secret is a token that must not be seen.
const secret = "0123456789abcdef0123456789abcdef01234567"

// standIn answers as a server behind a proxy that fails: with the handlers in their
// order, the last of them from then on. Who asks who it is gets an answer.
type standIn struct {
	*httptest.Server
	mu    sync.Mutex
	steps []http.HandlerFunc
	asked []string // method and path
}

func stand(t *testing.T, steps ...http.HandlerFunc) *standIn {
	t.Helper()
	s := &standIn{steps: steps}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *standIn) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/api/v1/user" {
		answer(http.StatusOK, map[string]any{"login": "bot"})(w, r)
		return
	}
	s.mu.Lock()
	s.asked = append(s.asked, r.Method+" "+r.URL.Path)
	step := s.steps[0]
	if len(s.steps) > 1 {
		s.steps = s.steps[1:]
	}
	s.mu.Unlock()
	step(w, r)
}

func (s *standIn) requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}

func (s *standIn) options() gitea.Options {
	return gitea.Options{URL: s.URL, Repository: "org/fabrics", Token: secret, FirstWait: time.Millisecond}
}

func answer(status int, body any, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		json.NewEncoder(w).Encode(body)
	}
}

// lost does the work and loses the answer.
func lost(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(err)
	}
	conn.Close()
}

func TestWhatIsHarmlessIsRepeated(t *testing.T) {
	t.Parallel()
	title := "t"
	read := func(f *gitea.Forge, t *testing.T) error { _, err := f.Comments(t.Context(), 1); return err }
	change := func(f *gitea.Forge, t *testing.T) error {
		return f.Edit(t.Context(), 1, gitsync.Edit{Body: &title})
	}
	add := func(f *gitea.Forge, t *testing.T) error { _, err := f.Comment(t.Context(), 1, "x"); return err }
	fails := func(status int) http.HandlerFunc { return answer(status, map[string]any{"message": "broken"}) }
	for name, test := range map[string]struct {
		do    func(*gitea.Forge, *testing.T) error
		fault http.HandlerFunc
		tries int // until it is given up; 0 stands for never
	}{
		"reading, 502":                  {read, fails(502), 0},
		"reading, 429":                  {read, fails(429), 0},
		"reading, 503 and when to come": {read, answer(503, nil, "Retry-After", "1"), 0},
		"reading, an answer lost":       {read, lost, 0},
		"reading, 404":                  {read, fails(404), 1},
		"reading, 403":                  {read, fails(403), 1},
		"changing, 502":                 {change, fails(502), 0},
		"changing, an answer lost":      {change, lost, 0},
		"changing, 500":                 {change, fails(500), 1},
		"changing, 422":                 {change, fails(422), 1},
		"adding, 429":                   {add, fails(429), 0},
		"adding, 502":                   {add, fails(502), 1},
		"adding, 503":                   {add, answer(503, nil, "Retry-After", "1"), 1},
		"adding, an answer lost":        {add, lost, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := any(map[string]any{"number": 1})
			if strings.HasPrefix(name, "reading") {
				body = []any{}
			}
			s := stand(t, test.fault, answer(http.StatusOK, body))
			f, err := gitea.Connect(t.Context(), s.options())
			if err != nil {
				t.Fatal(err)
			}
			err = test.do(f, t)
			want := test.tries
			if want == 0 {
				want = 2
			}
			if got := len(s.requests()); got != want || (err == nil) != (test.tries == 0) {
				t.Errorf("%d requests, error %v; want %d requests, and an error: %v", got, err, want, test.tries != 0)
			}
		})
	}
}

func TestItIsGivenUp(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		fault http.HandlerFunc
		tries int
		says  string
	}{
		"after as many tries as were asked for": {answer(502, nil), 3, "tried 3 times"},
		"earlier when the server itself fails":  {answer(500, nil), 3, "tried 3 times"},
		"when the server asks for too long":     {answer(503, nil, "Retry-After", "3600"), 1, "asks to wait for 1h0m0s"},
		"at once when it is a web page":         {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>log in</html>") }, 1, "a web page"},
		"at once when nobody understands it":    {answer(200, "nonsense"), 1, "cannot be understood"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := stand(t, test.fault)
			o := s.options()
			o.Tries = 3
			f, err := gitea.Connect(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			_, err = f.PullRequests(t.Context(), "b")
			if got := len(s.requests()); got != test.tries || err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("%d requests, error %v; want %d, and one with %q", got, err, test.tries, test.says)
			}
			var e *edge.Error
			if !errors.As(err, &e) || e.Hint == "" || e.Doing != "listing the pull requests from b" {
				t.Errorf("the error is %+v, want one that says what was done and what to do", e)
			}
		})
	}
}

func TestAnAnswerThatIsLostAfterTheWorkIsSaid(t *testing.T) {
	t.Parallel()
	f, err := gitea.Connect(t.Context(), stand(t, lost).options())
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.Open(t.Context(), gitsync.NewPullRequest{Base: "main", Head: "b", Title: "t"})
	if err == nil || !strings.Contains(err.Error(), "not known whether") {
		t.Errorf("got %v, want that nobody knows", err)
	}
}

func TestRefusalsAreToldApart(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]error{
		401: gitsync.ErrDenied, 403: gitsync.ErrDenied, 404: gitsync.ErrNotFound, 423: gitsync.ErrProtected, 409: nil, 422: nil,
	} {
		said := "no\x1b[31m way,\r\n" + secret + "\u202e " + strings.Repeat("x", 1000)
		f, err := gitea.Connect(t.Context(), stand(t, answer(status, map[string]any{"message": said})).options())
		if err != nil {
			t.Fatal(err)
		}
		_, err = f.Comments(t.Context(), 1)
		var e *edge.Error
		if !errors.As(err, &e) || e.Status != status || !errors.Is(e.Kind, want) {
			t.Fatalf("status %d: got %#v, want the kind %v", status, err, want)
		}
		if text := err.Error(); strings.Contains(text, secret) || strings.ContainsAny(text, "\x1b\r\n\u202e") || len(text) > 600 ||
			!strings.Contains(text, "no [31m way, ***") {
			t.Errorf("status %d: the error is %q", status, text)
		}
	}
}

func TestAWrongTokenShowsAtOnce(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(answer(401, map[string]any{"message": "user does not exist [uid: 0]"}))
	t.Cleanup(server.Close)
	_, err := gitea.Connect(t.Context(), gitea.Options{URL: server.URL, Repository: "org/fabrics", Token: secret})
	if !errors.Is(err, gitsync.ErrDenied) || !strings.Contains(err.Error(), "user does not exist") {
		t.Errorf("got %v, want it denied", err)
	}
}

func TestOptionsThatCannotBe(t *testing.T) {
	t.Parallel()
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, []byte("nothing"), 0o644); err != nil {
		t.Fatal(err)
	}
	good := gitea.Options{URL: "https://gitea.example.com", Repository: "org/fabrics", Token: secret}
	for name, change := range map[string]func(*gitea.Options){
		"no token":                func(o *gitea.Options) { o.Token = " " },
		"a token with a line end": func(o *gitea.Options) { o.Token = secret + "\nX: y" },
		"no repository":           func(o *gitea.Options) { o.Repository = "" },
		"a repository of nobody":  func(o *gitea.Options) { o.Repository = "fabrics" },
		"a longer path":           func(o *gitea.Options) { o.Repository = "a/b/c" },
		"no address":              func(o *gitea.Options) { o.URL = "" },
		"an address of ssh":       func(o *gitea.Options) { o.URL = "ssh://gitea.example.com" },
		"an address with a user":  func(o *gitea.Options) { o.URL = "https://me:" + secret + "@gitea.example.com" },
		"an address that is none": func(o *gitea.Options) { o.URL = "https://" + secret + "\x7f" },
		"no CA file":              func(o *gitea.Options) { o.CAFile = empty + ".none" },
		"a CA file with nothing":  func(o *gitea.Options) { o.CAFile = empty },
	} {
		o := good
		change(&o)
		_, err := gitea.Connect(t.Context(), o)
		var e *edge.Error
		if !errors.As(err, &e) || e.Status != 0 || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestItsOwnAuthority(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(answer(http.StatusOK, map[string]any{"login": "bot"}))
	t.Cleanup(server.Close)
	server.Config.ErrorLog = nil
	file := filepath.Join(t.TempDir(), "ca.pem")
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(file, ca, 0o644); err != nil {
		t.Fatal(err)
	}
	o := gitea.Options{URL: server.URL, Repository: "org/fabrics", Token: secret, Tries: 1}
	if _, err := gitea.Connect(t.Context(), o); err == nil || !strings.Contains(err.Error(), "unknown authority") {
		t.Errorf("without the authority: %v", err)
	}
	o.CAFile = file
	if f, err := gitea.Connect(t.Context(), o); err != nil || f.Traits().Login != "bot" {
		t.Errorf("with the authority: %v", err)
	}
	o.URL = strings.Replace(server.URL, "https:", "http:", 1)
	if _, err := gitea.Connect(t.Context(), o); err == nil {
		t.Error("plain HTTP to a TLS port worked")
	}
}

func TestItGoesThroughTheProxy(t *testing.T) {
	t.Parallel()
	var asked []string
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.String())
		answer(http.StatusOK, map[string]any{"login": "bot"})(w, r)
	}))
	t.Cleanup(proxy.Close)
	address, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	_, err = gitea.Connect(t.Context(), gitea.Options{
		URL: "http://gitea.example.com/forge/", Repository: "org/fabrics", Token: secret, Proxy: http.ProxyURL(address),
	})
	if err != nil || len(asked) != 1 || asked[0] != "http://gitea.example.com/forge/api/v1/user" {
		t.Errorf("the proxy was asked for %q, error %v", asked, err)
	}
}

func TestTheTokenGoesToNoOtherServer(t *testing.T) {
	t.Parallel()
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("another server was asked for %s with the header %q", r.URL, r.Header.Get("Authorization"))
	}))
	t.Cleanup(other.Close)
	s := stand(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL+r.URL.Path+"?secret", http.StatusTemporaryRedirect)
	})
	f, err := gitea.Connect(t.Context(), s.options())
	if err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"reading": func() error { _, err := f.Comments(t.Context(), 1); return err }(),
		"adding":  func() error { _, err := f.Comment(t.Context(), 1, "x"); return err }(),
	} {
		if err == nil || !strings.Contains(err.Error(), "redirects to "+other.URL) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// A server sends who asks for a repository by its old name to the new one.
func TestARenamedRepositoryIsFollowed(t *testing.T) {
	t.Parallel()
	s := stand(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "/repos/org/fabrics/") {
			http.Redirect(w, r, strings.Replace(r.URL.Path, "fabrics", "renamed", 1), http.StatusTemporaryRedirect)
			return
		}
		var in struct {
			Body string `json:"body"`
		}
		json.NewDecoder(r.Body).Decode(&in)
		answer(http.StatusCreated, map[string]any{"id": 7, "body": in.Body})(w, r)
	})
	f, err := gitea.Connect(t.Context(), s.options())
	if err != nil {
		t.Fatal(err)
	}
	c, err := f.Comment(t.Context(), 1, "hello")
	if err != nil || c.ID != 7 || c.Body != "hello" {
		t.Errorf("got %+v, %v", c, err)
	}
}

// Some redirections would make a reading request of a writing one.
func TestARedirectedWriteStaysOne(t *testing.T) {
	t.Parallel()
	s := stand(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/api/v1/repos/org/renamed/x", http.StatusMovedPermanently)
	}, answer(http.StatusOK, map[string]any{"id": 7}))
	f, err := gitea.Connect(t.Context(), s.options())
	if err != nil {
		t.Fatal(err)
	}
	if c, err := f.Comment(t.Context(), 1, "hello"); err == nil || !strings.Contains(err.Error(), "redirects to "+s.URL+"/api") {
		t.Errorf("got %+v, %v; want where it redirects to", c, err)
	}
}

func TestTheContextEndsIt(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]func(cancel func()) http.HandlerFunc{
		"while the server thinks": func(cancel func()) http.HandlerFunc {
			return func(_ http.ResponseWriter, r *http.Request) {
				cancel()
				<-r.Context().Done()
			}
		},
		"while it waits to ask again": func(cancel func()) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				answer(http.StatusServiceUnavailable, nil, "Retry-After", "29")(w, r)
				cancel()
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			f, err := gitea.Connect(ctx, stand(t, fault(cancel)).options())
			if err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			_, err = f.Comments(ctx, 1)
			if !errors.Is(err, context.Canceled) || time.Since(began) > 10*time.Second {
				t.Errorf("got %v after %v, want it canceled at once", err, time.Since(began))
			}
		})
	}
}

func TestASilentServerIsGivenUp(t *testing.T) {
	t.Parallel()
	s := stand(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	o := s.options()
	o.Timeout, o.Tries = 50*time.Millisecond, 2
	f, err := gitea.Connect(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.Comments(t.Context(), 1)
	if err == nil || !strings.Contains(err.Error(), "no answer within 50ms; tried 2 times") || errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// pulls answers the list of pull requests by state and page, with links as Gitea has
// them: a page has fewer than were asked for.
func pulls(size int, all ...map[string]any) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		page, state := 1, r.FormValue("state")
		fmt.Sscan(r.FormValue("page"), &page)
		var fit []map[string]any
		for _, p := range all {
			if state == "all" || p["state"] == state {
				fit = append(fit, p)
			}
		}
		from, to := min((page-1)*size, len(fit)), min(page*size, len(fit))
		if to < len(fit) {
			w.Header().Set("Link", fmt.Sprintf(`<http://x/api?limit=50&page=%d&state=%s>; rel="next",<http://x/api?page=99>; rel="last"`, page+1, state))
		}
		answer(http.StatusOK, fit[from:to])(w, r)
	}
}

func pull(number int, state, head string, repository int) map[string]any {
	return map[string]any{
		"number": number, "state": state, "title": "t",
		"head": map[string]any{"label": head, "repo_id": repository}, "base": map[string]any{"label": "main", "ref": "main", "repo_id": 1},
	}
}

func TestALongListIsReadAsFarAsNeeded(t *testing.T) {
	t.Parallel()
	var all []map[string]any
	for number := 40; number > 0; number-- {
		head, state, repository := "other", "closed", 1
		switch number {
		case 39:
			head, repository = "ours", 2 // a fork's branch of the same name
		case 33:
			state = "open"
		case 22, 3:
			head = "ours"
		case 7:
			head, state = "ours", "open"
		}
		all = append(all, pull(number, state, head, repository))
	}
	list := pulls(4, all...)
	s := stand(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/timeline") {
			answer(http.StatusOK, nil)(w, r)
			return
		}
		list(w, r)
	})
	f, err := gitea.Connect(t.Context(), s.options())
	if err != nil {
		t.Fatal(err)
	}
	got, err := f.PullRequests(t.Context(), "ours")
	if err != nil || len(got) != 2 || got[0].Number != 22 || got[1].Number != 7 {
		t.Errorf("got %+v, %v; want the newest that is closed, and the open one", got, err)
	}
	// The first page, the open ones, the second to the fifth page, the timeline of #7.
	if n := len(s.requests()); n != 1+1+4+1 {
		t.Errorf("%d requests: %q", n, s.requests())
	}
}

func TestATimelineIsReadToItsEnd(t *testing.T) {
	t.Parallel()
	ann, ben := map[string]any{"login": "ann"}, map[string]any{"login": "ben"}
	pages := map[string][]map[string]any{
		"1": {
			{"type": "label", "label": map[string]any{"name": "x"}, "user": ben},
			{"type": "review_request", "assignee": ann},
			{"type": "review_request", "assignee": ben},
			{"type": "review_request", "assignee_team": map[string]any{"name": "network"}},
			{"type": "pull_scheduled_merge", "user": ann},
			{"type": "review", "user": ann},
			{"type": "review_request", "assignee": map[string]any{"login": "zoe"}},
			{"type": "review", "user": map[string]any{"login": "zoe"}},
		},
		"2": { // after a page that is short since remarks on lines were left out of it
			{"type": "review_request", "assignee": ben, "removed_assignee": true},
			{"type": "pull_cancel_scheduled_merge", "user": ann},
			{"type": "pull_scheduled_merge", "user": ben},
			{"type": "review_request", "assignee": ann},
		},
	}
	list := pulls(50, pull(1, "open", "ours", 1))
	s := stand(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/timeline") {
			answer(http.StatusOK, pages[r.FormValue("page")])(w, r)
			return
		}
		list(w, r)
	})
	f, err := gitea.Connect(t.Context(), s.options())
	if err != nil {
		t.Fatal(err)
	}
	got, err := f.PullRequests(t.Context(), "ours")
	if err != nil || len(got) != 1 {
		t.Fatalf("got %+v, %v", got, err)
	}
	if fmt.Sprint(got[0].Reviewers, got[0].Reviewed, got[0].AutoMerge) != "[ann org/network] [ann zoe] true" {
		t.Errorf("got %+v", got[0])
	}
}

// After a push the server looks for conflicts, and until it knows nothing is merged.
func TestAMergeWaitsUntilTheServerKnows(t *testing.T) {
	t.Parallel()
	later := answer(http.StatusMethodNotAllowed, map[string]any{"message": "Please try again later"})
	s := stand(t, later, later, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusCreated) })
	f, err := gitea.Connect(t.Context(), s.options())
	if err != nil {
		t.Fatal(err)
	}
	if err := f.AutoMerge(t.Context(), gitsync.PullRequest{Number: 1}, "squash"); err != nil || len(s.requests()) != 3 {
		t.Errorf("error %v after %d requests, want none after 3", err, len(s.requests()))
	}
}

func TestATokenOfAWorkflowIsNoticed(t *testing.T) {
	t.Parallel()
	for login, want := range map[string]int{"gitea-actions": 1, "forgejo-actions": 1, "bot": 0} {
		server := httptest.NewServer(answer(http.StatusOK, map[string]any{"login": login}))
		t.Cleanup(server.Close)
		f, err := gitea.Connect(t.Context(), gitea.Options{URL: server.URL, Repository: "org/fabrics", Token: secret})
		if err != nil {
			t.Fatal(err)
		}
		if got := f.Traits().Notices; len(got) != want {
			t.Errorf("%s: notices %q, want %d", login, got, want)
		}
	}
}

func TestATitleThatWouldMakeADraftIsRefused(t *testing.T) {
	t.Parallel()
	s := stand(t, answer(http.StatusOK, map[string]any{"number": 1, "title": "WIP: x"}))
	f, err := gitea.Connect(t.Context(), s.options())
	if err != nil {
		t.Fatal(err)
	}
	title := "[wip] something"
	for name, err := range map[string]error{
		"opening": func() error {
			_, err := f.Open(t.Context(), gitsync.NewPullRequest{Base: "main", Head: "b", Title: title})
			return err
		}(),
		"editing": f.Edit(t.Context(), 1, gitsync.Edit{Title: &title}),
	} {
		if !errors.Is(err, gitsync.ErrUnsupported) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	for _, request := range s.requests() {
		if !strings.HasPrefix(request, "GET ") {
			t.Errorf("it sent %s", request)
		}
	}
}
