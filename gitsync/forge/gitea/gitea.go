// Package gitea is where pull requests are on a Gitea or a Forgejo, over its API.
//
//	[Connect] -> Forge: pull requests, comments, labels, people  <->  /api/v1
//
// What differs from other forges is hidden here: a draft is a title that begins
// with "WIP:", a label has to be made before it is given, a list of pull requests
// cannot be asked for one branch, and people are assigned all or none.
//
// A token needs the scopes write:repository and write:issue; with read:user the
// forge tells whose it is.
package gitea

import (
	"bytes"
	"cmp"
	"context"
	"crypto/x509"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	sdk "code.gitea.io/sdk/gitea"

	"hedgehog-gitops/gitsync"
	"hedgehog-gitops/gitsync/edge"
)

// Options say which repository of which server to talk to, and how. Only URL,
// Repository and Token are needed.
type Options struct {
	// URL is the server's web address, without /api.
	URL string
	// Repository is owner/name.
	Repository string
	// Token is an access token.
	Token string
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
	// MaxWait is the longest pause, 30 s by default. A server that asks for a
	// longer one is an error.
	MaxWait time.Duration
	// Observe is told of every request that ended, one at a time.
	Observe func(Event)
}

// Event is a request that ended, for progress and logs.
type Event struct {
	// Method is the HTTP method, Path the path and query behind the server's address.
	Method, Path string
	// Status is the HTTP status; 0 without an answer.
	Status int
	// Took is the time from the request to the end of the answer.
	Took time.Duration
	// Try counts from 1.
	Try int
}

// Forge is a repository on a Gitea or Forgejo. Make one with [Connect]; it is safe
// for several goroutines.
type Forge struct {
	options     Options
	base        *url.URL
	owner, name string
	http        *http.Client
	login       string
	observe     sync.Mutex
}

var _ gitsync.Forge = (*Forge)(nil)

// bodyLimit is that of other forges. Gitea has none of its own, but answers a list
// of pull requests with the text of each.
const bodyLimit = 65_536

// Connect asks the server whose token it is and returns the repository there. That
// the repository exists shows when it is used.
func Connect(ctx context.Context, o Options) (*Forge, error) {
	o.UserAgent = cmp.Or(o.UserAgent, "hedgehog-gitops")
	o.Timeout = cmp.Or(o.Timeout, time.Minute)
	o.Tries = max(cmp.Or(o.Tries, 5), 1)
	o.FirstWait = cmp.Or(o.FirstWait, 500*time.Millisecond)
	o.MaxWait = cmp.Or(o.MaxWait, 30*time.Second)
	o.Token = strings.TrimSpace(o.Token)
	if o.Proxy == nil {
		o.Proxy = http.ProxyFromEnvironment
	}
	f := &Forge{options: o}
	if err := f.address(); err != nil {
		return nil, err
	}
	authorities, e := edge.TrustFile(o.RootCAs, o.CAFile)
	if e != nil {
		e.Doing = connecting
		return nil, e
	}
	f.http = &http.Client{
		CheckRedirect: edge.SameServer,
		Transport:     &transport{forge: f, next: edge.Transport(o.Proxy, authorities)},
	}
	if err := f.whoami(ctx); err != nil {
		return nil, err
	}
	return f, nil
}

const connecting = "connecting to the forge"

// address takes the options' addresses apart.
func (f *Forge) address() error {
	wrong := func(detail, hint string) error { return &edge.Error{Doing: connecting, Detail: detail, Hint: hint} }
	if f.options.Token == "" {
		return wrong("there is no token", "make one in Gitea (Settings, Applications) with the scopes write:repository and write:issue")
	}
	if strings.ContainsFunc(f.options.Token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return wrong("the token has a character that no token has", "give the token alone, as Gitea showed it")
	}
	var found bool
	f.owner, f.name, found = strings.Cut(strings.TrimSuffix(strings.Trim(f.options.Repository, "/"), ".git"), "/")
	if !found || f.owner == "" || f.name == "" || strings.Contains(f.name, "/") {
		return wrong("the repository is "+edge.Neutral(f.options.Repository)+", which is not owner/name", "")
	}
	base, err := url.Parse(strings.TrimSpace(f.options.URL))
	switch {
	case err != nil: // the error repeats the address, perhaps with a password
		return wrong("the address of the server is not one", hintURL)
	case base.Scheme != "http" && base.Scheme != "https" || base.Host == "":
		return wrong("the address of the server does not begin with https:// or http://", hintURL)
	case base.User != nil:
		return wrong("the address of the server holds a user name", "take it out: the token alone says who you are")
	}
	f.base = &url.URL{Scheme: base.Scheme, Host: base.Host, Path: strings.TrimSuffix(strings.TrimRight(base.Path, "/"), "/api/v1")}
	return nil
}

// whoami asks whose token it is. One that may not say so is as good.
func (f *Forge) whoami(ctx context.Context) error {
	user, _, err := f.sdk(ctx).GetMyUserInfo()
	if err != nil {
		e := f.fail(ctx, connecting, err)
		if e.Status == http.StatusForbidden {
			return nil
		}
		return e
	}
	f.login = user.UserName
	return nil
}

// Traits says what the forge can do.
func (f *Forge) Traits() gitsync.Traits {
	t := gitsync.Traits{Name: "Gitea", Login: f.login, BodyLimit: bodyLimit}
	if f.login == "gitea-actions" || f.login == "forgejo-actions" {
		t.Notices = []string{"the token is that of a workflow run: a pull request made with it starts no workflows. " +
			"Give the token of a user for that."}
	}
	return t
}

// sdk returns the client whose requests end with the context.
func (f *Forge) sdk(ctx context.Context) *sdk.Client {
	// It fails when it asks the server's version, which the last option turns off.
	client, _ := sdk.NewClient(f.base.String(), sdk.SetContext(ctx), sdk.SetHTTPClient(f.http), sdk.SetGiteaVersion(""))
	return client
}

// call sends what the SDK has no function for, or none that works. Path stands
// behind that of the repository.
func (f *Forge) call(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		data, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(data)
	}
	address := f.base.String() + "/api/v1/repos/" + url.PathEscape(f.owner) + "/" + url.PathEscape(f.name) + path
	req, err := http.NewRequestWithContext(ctx, method, address, body)
	if err != nil {
		return err
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := f.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	return json.NewDecoder(resp.Body).Decode(out)
}
