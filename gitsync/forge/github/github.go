// Package github is where pull requests are on GitHub and GitHub Enterprise, over
// its API.
//
//	[Connect]        -> Forge: pull requests, comments, labels, people  <->  the REST API, and GraphQL for the rest
//	[Forge.Writer]   -> Writer: commits that GitHub signs               <->  the Git Data API
//	[Either]         -> the API for what suits it, git for all else
//
// The credentials are a token of a person, the GITHUB_TOKEN of a workflow, or an
// App's id and key, out of which tokens are made that last an hour.
//
// A token needs the rights "pull requests: write" and "contents: write"; an error
// says which one is missing.
package github

import (
	"cmp"
	"context"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	gh "github.com/google/go-github/v62/github"

	"hedgehog-gitops/gitsync"
	"hedgehog-gitops/gitsync/edge"
)

// Options say which repository to talk to, as whom, and how. Only Repository and
// either Token or App are needed.
type Options struct {
	// Repository is owner/name.
	Repository string
	// ServerURL is the web address; https://github.com by default. APIURL and
	// GraphQLURL follow from it where they are not given.
	ServerURL, APIURL, GraphQLURL string
	// Token is a personal access token, or a workflow's GITHUB_TOKEN.
	Token string
	// App is who to be when there is no Token.
	App App
	// CAFile is a PEM file of authorities that are trusted besides the system's.
	CAFile string
	// RootCAs are the authorities that are trusted, in place of the system's.
	RootCAs *x509.CertPool
	// Proxy says which proxy a request takes; nil asks the environment.
	Proxy func(*http.Request) (*url.URL, error)
	// UserAgent is how the tool introduces itself; "hedgehog-gitops" by default.
	UserAgent string
	// Timeout bounds one request and its answer; a minute by default.
	Timeout time.Duration
	// Tries is how often a request is tried in all; 5 by default.
	Tries int
	// FirstWait is the pause before the second try, half a second by default. It
	// doubles each time.
	FirstWait time.Duration
	// MaxWait is the longest pause, two minutes by default. A limit that lasts longer
	// is an error.
	MaxWait time.Duration
	// Pace is the time between two requests that write, a second by default, which is
	// what GitHub asks for; less than none is none.
	Pace time.Duration
	// Now is the time; time.Now by default. Sleep waits, until the context ends.
	Now   func() time.Time
	Sleep func(context.Context, time.Duration) error
}

// App is a GitHub App.
type App struct {
	// ID is its number; 0 for no App.
	ID int64
	// Key is its private key, PEM, as GitHub gave it.
	Key []byte
	// Installation is the number of its installation; 0 asks GitHub for that of the
	// repository.
	Installation int64
}

// Forge is a repository on GitHub. Make one with [Connect]; it is safe for several
// goroutines.
type Forge struct {
	options      Options
	owner, name  string
	api, graphql *url.URL
	client       *gh.Client
	http         *http.Client
	login        string

	key *rsa.PrivateKey // the App's

	tokens  sync.Mutex
	token   string    // what requests are made with
	expires time.Time // zero: never
	secret  atomic.Pointer[string]
}

var _ gitsync.Forge = (*Forge)(nil)

// bodyLimit is what GitHub says it takes, in characters.
const bodyLimit = 65_536

const connecting = "connecting to GitHub"

// Connect asks GitHub who the credentials belong to and returns the repository
// there. That the repository exists shows when it is used.
func Connect(ctx context.Context, o Options) (*Forge, error) {
	o.ServerURL = cmp.Or(strings.TrimSpace(o.ServerURL), "https://github.com")
	o.UserAgent = cmp.Or(o.UserAgent, "hedgehog-gitops")
	o.Timeout = cmp.Or(o.Timeout, time.Minute)
	o.Tries = max(cmp.Or(o.Tries, 5), 1)
	o.FirstWait = cmp.Or(o.FirstWait, 500*time.Millisecond)
	o.MaxWait = cmp.Or(o.MaxWait, 2*time.Minute)
	o.Pace = max(cmp.Or(o.Pace, time.Second), 0)
	o.Token = strings.TrimSpace(o.Token)
	if o.Proxy == nil {
		o.Proxy = http.ProxyFromEnvironment
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Sleep == nil {
		o.Sleep = sleep
	}
	f := &Forge{options: o, token: o.Token}
	f.secret.Store(&o.Token)
	if err := f.addresses(); err != nil {
		return nil, err
	}
	if err := f.credentials(); err != nil {
		return nil, err
	}
	authorities, e := edge.TrustFile(o.RootCAs, o.CAFile)
	if e != nil {
		e.Doing = connecting
		return nil, e
	}
	f.http = &http.Client{
		CheckRedirect: edge.SameServer,
		Transport:     &transport{forge: f, writing: make(chan struct{}, 1), next: edge.Transport(o.Proxy, authorities)},
	}
	f.client = gh.NewClient(f.http)
	f.client.BaseURL, f.client.UserAgent = f.api, o.UserAgent
	if err := f.whoami(ctx); err != nil {
		return nil, err
	}
	return f, nil
}

// addresses takes the options' addresses apart.
func (f *Forge) addresses() error {
	wrong := func(detail, hint string) error { return &edge.Error{Doing: connecting, Detail: detail, Hint: hint} }
	o := &f.options
	var found bool
	f.owner, f.name, found = strings.Cut(strings.TrimSuffix(strings.Trim(o.Repository, "/"), ".git"), "/")
	if !found || f.owner == "" || f.name == "" || strings.ContainsAny(f.name+f.owner, "/?#% ") || f.name == ".." || f.owner == ".." {
		return wrong("the repository is "+edge.Neutral(o.Repository)+", which is not owner/name", "")
	}
	server, err := address(o.ServerURL)
	if err != nil {
		return wrong("the address of the server "+err.Error(), hintURL)
	}
	if f.api, err = address(cmp.Or(strings.TrimSpace(o.APIURL), apiOf(server))); err != nil {
		return wrong("the address of the API "+err.Error(), hintURL)
	}
	if f.graphql, err = address(cmp.Or(strings.TrimSpace(o.GraphQLURL), graphqlOf(f.api))); err != nil {
		return wrong("the address of GraphQL "+err.Error(), hintURL)
	}
	if f.graphql.Host != f.api.Host || f.graphql.Scheme != f.api.Scheme {
		return wrong("the API and GraphQL are on two servers", "give the addresses of one: the credentials are sent to both")
	}
	f.api.Path += "/"
	return nil
}

// address parses a web address. The errors do not repeat it: it may hold a password.
func address(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, errNoAddress
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return nil, errNoScheme
	case u.User != nil:
		return nil, errUserInfo
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host, Path: strings.TrimRight(u.Path, "/")}, nil
}

// apiOf is where the API of a server is: github.com and the companies below ghe.com
// have a host for it, other servers a path.
func apiOf(server *url.URL) string {
	switch {
	case server.Host == "github.com" || server.Host == "www.github.com":
		return "https://api.github.com"
	case strings.HasSuffix(server.Host, ".ghe.com"):
		return server.Scheme + "://api." + server.Host
	}
	return server.String() + "/api/v3"
}

func graphqlOf(api *url.URL) string {
	return strings.TrimSuffix(api.String(), "/v3") + "/graphql"
}

// cloud reports whether this is GitHub's own service.
func (f *Forge) cloud() bool {
	return f.api.Host == "api.github.com" || strings.HasSuffix(f.api.Host, ".ghe.com")
}

// whoami asks who the credentials belong to. Bots are no users for the REST API, but
// GraphQL knows them.
func (f *Forge) whoami(ctx context.Context) error {
	ctx = f.task(ctx, task{doing: connecting, harmless: true})
	if f.key == nil && !strings.HasPrefix(f.options.Token, "ghs_") {
		user, _, err := f.client.Users.Get(ctx, "")
		if err == nil {
			f.login = user.GetLogin()
			return nil
		}
		if e := f.explain(ctx, err); e.Status != http.StatusForbidden || e.Again {
			return e
		}
	}
	var viewer struct{ Login string }
	if err := f.query(ctx, "query{viewer{login}}", nil, "viewer", &viewer); err != nil {
		if e := f.explain(ctx, err); !refusalOf(e).graphql {
			return e
		} // GitHub does not tell it to a token that works
	}
	f.login = viewer.Login
	return nil
}

// actions is who a workflow is.
const actions = "github-actions[bot]"

// bot reports whether GitHub signs the commits that are made over its API.
func (f *Forge) bot() bool { return f.key != nil || strings.HasSuffix(f.login, "[bot]") }

// Traits says what the forge can do.
func (f *Forge) Traits() gitsync.Traits {
	t := gitsync.Traits{Name: "GitHub", Login: f.login, BodyLimit: bodyLimit}
	switch {
	case f.login == actions && f.cloud():
		t.Notices = []string{"the token is a workflow's GITHUB_TOKEN: workflows on the pull requests that it opens wait until somebody approves them. " +
			"Where checks are required, use a GitHub App (its id and key) instead."}
	case f.login == actions:
		t.Notices = []string{"the token is a workflow's GITHUB_TOKEN: on GitHub Enterprise Server no workflow may start on the pull requests that it opens, " +
			"or only when somebody approves it. Where checks are required, use a GitHub App (its id and key) instead."}
	case f.login != "" && !f.bot():
		t.Notices = []string{fmt.Sprintf("the pull requests are those of %s, who cannot approve them: nobody approves their own. "+
			"A GitHub App (its id and key) leaves everybody free to.", f.login)}
	}
	return t
}

// sleep waits, or less when the context ends.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
