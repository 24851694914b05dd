package gitea

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"hedgehog-gitops/gitsync"
	"hedgehog-gitops/gitsync/edge"
)

const (
	hintURL    = "check the address: the web address of the server, such as https://gitea.example.com"
	hintScopes = "give the token the scopes write:repository and write:issue, and its user the right to write to the repository"
	hintHidden = "check owner and name; a token that may not see a repository gets the same answer"
)

// fail says what was being done when err happened.
func (f *Forge) fail(ctx context.Context, doing string, err error) *edge.Error {
	e := f.explain(ctx, err)
	e.Doing = doing
	return e
}

// explain turns what a request came to into an Error. One that is an Error already
// stays as it is.
func (f *Forge) explain(ctx context.Context, err error) *edge.Error {
	e, said := edge.From(ctx, err)
	if said {
		return e
	}
	switch e.Explain() {
	case edge.WebPage:
		e.Detail = "the answer is a web page, not the forge's API"
		e.Hint = hintURL + "; a proxy or a login page may stand in front of it"
	case edge.TooLarge:
		e.Hint = "check that the address leads to a Gitea or Forgejo"
	case edge.Nonsense:
		e.Hint = "check that the address leads to a Gitea or Forgejo and that nothing in between changes its answers"
	case edge.NoHost:
		e.Hint = hintURL
	case edge.NoListener:
		e.Detail = "nothing listens at " + f.base.Host
	case edge.Late:
		e.Detail = fmt.Sprintf("no answer within %v", f.options.Timeout)
		e.Hint = "the server is busy or out of reach"
	}
	e.Detail = f.scrub(e.Detail)
	return e
}

// refused explains an answer that is no success.
func (f *Forge) refused(resp *http.Response, body []byte) *edge.Error {
	var said struct {
		Message string `json:"message"`
	}
	_ = json.Unmarshal(body, &said) // a body of another kind says nothing
	e := edge.Refused(resp, said.Message, time.Now())
	e.Detail = f.scrub(e.Detail)
	switch resp.StatusCode {
	case http.StatusUnauthorized:
		e.Kind = gitsync.ErrDenied
		e.Hint = "the server does not accept the token: check that it is whole, not expired, and of this server"
	case http.StatusForbidden:
		e.Kind, e.Hint = gitsync.ErrDenied, hintScopes
	case http.StatusNotFound:
		e.Kind, e.Hint = gitsync.ErrNotFound, hintHidden
	case http.StatusLocked:
		e.Kind, e.Hint = gitsync.ErrProtected, "the repository is archived: nothing in it can change"
	case http.StatusRequestEntityTooLarge:
		e.Hint = "a proxy in front of the server takes no request of this size"
	}
	return e
}

// scrub takes the token out of a text.
func (f *Forge) scrub(text string) string { return strings.ReplaceAll(text, f.options.Token, "***") }
