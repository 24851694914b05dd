package github

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"hedgehog-gitops/gitsync"
	"hedgehog-gitops/gitsync/edge"
)

// refusal is the cause of an [edge.Error] that GitHub answered with: what decides how
// it goes on.
type refusal struct {
	limited bool     // GitHub wants fewer requests, and has not looked at this one
	perhaps bool     // an earlier try of the same request may have been done
	graphql bool     // GraphQL understood, and refused
	fields  []string // what of the request is wrong
}

func (r *refusal) Error() string { return "GitHub refuses" }

// refusalOf returns the refusal that the error is; an empty one when GitHub did not
// answer.
func refusalOf(err error) *refusal {
	r := &refusal{}
	errors.As(err, &r)
	return r
}

var (
	errNoAddress = errors.New("is not one")
	errNoScheme  = errors.New("does not begin with https:// or http://")
	errUserInfo  = errors.New("holds a user name; the token alone says who you are")
)

const (
	hintURL    = "check the address: that of the server, such as https://github.example.com, or of its API, such as https://github.example.com/api/v3"
	hintHidden = "check owner and name; a token that may not see a repository gets the same answer"
	hintOthers = "allow it in Settings, Actions, General, Workflow permissions (\"Allow GitHub Actions to create and approve pull requests\"), " +
		"in the organization's settings too; or use a GitHub App (its id and key)"
)

// fail is explain with the thing that was being done.
func (f *Forge) fail(ctx context.Context, doing string, err error) *edge.Error {
	e := f.explain(ctx, err)
	e.Doing = doing
	return e
}

// explain turns what a request came to into an Error. One that is an Error already
// stays as it is.
func (f *Forge) explain(ctx context.Context, err error) *edge.Error {
	e, said := edge.From(ctx, err)
	e.Doing = cmp.Or(e.Doing, taskOf(ctx).doing)
	if said {
		return e
	}
	switch e.Explain() {
	case edge.WebPage:
		e.Detail = "the answer is a web page, not GitHub's API"
		e.Hint = hintURL + "; a proxy or a login page may stand in front of it"
	case edge.TooLarge, edge.NoHost:
		e.Hint = hintURL
	case edge.Nonsense:
		e.Hint = "check that the address leads to GitHub and that nothing in between changes its answers"
	case edge.NoListener:
		e.Detail = "nothing listens at " + f.api.Host + ", or at the proxy"
		e.Hint = "check the address, the proxy, and that the server runs"
	case edge.Late:
		e.Detail = fmt.Sprintf("no answer within %v", f.options.Timeout)
		e.Hint = "GitHub is busy or out of reach"
	case edge.Cut:
		e.Hint = "GitHub, or a proxy in front of it, cut the answer"
	}
	e.Detail = f.scrub(e.Detail)
	return e
}

// said is how GitHub refuses.
type said struct {
	Message       string            `json:"message"`
	Documentation string            `json:"documentation_url"`
	Errors        []json.RawMessage `json:"errors"`
}

// texts returns what the errors say, and which fields they are about.
func (s said) texts() (texts, fields []string) {
	for _, raw := range s.Errors {
		var text string
		var e struct{ Resource, Field, Code, Message string }
		switch {
		case json.Unmarshal(raw, &text) == nil:
		case json.Unmarshal(raw, &e) == nil && e.Message != "":
			text = e.Message
		default:
			text = strings.TrimSpace(strings.Join([]string{e.Resource, e.Field, e.Code}, " "))
		}
		texts = append(texts, edge.Neutral(text))
		if e.Field != "" {
			fields = append(fields, e.Field)
		}
	}
	return texts, fields
}

// refused explains an answer that is no success.
func (f *Forge) refused(ctx context.Context, resp *http.Response, body []byte) *edge.Error {
	var answer said
	var text string
	r := &refusal{}
	if json.Unmarshal(body, &answer) == nil {
		texts, fields := answer.texts()
		r.fields = fields
		if !strings.EqualFold(answer.Message, "Validation Failed") || len(texts) == 0 {
			texts = append([]string{edge.Neutral(answer.Message)}, texts...)
		}
		text = strings.Join(texts, "; ")
	}
	e := edge.Refused(resp, text, f.options.Now())
	e.Doing, e.Detail, e.Err = taskOf(ctx).doing, f.scrub(e.Detail), r
	if f.limit(e, resp, answer) {
		return e
	}
	switch resp.StatusCode {
	case http.StatusUnauthorized:
		e.Kind = gitsync.ErrDenied
		e.Detail = "GitHub does not accept the credentials (" + e.Detail + ")"
		e.Hint = "check that the token is whole, not expired, and of this server"
		if f.key != nil {
			e.Hint = "check the App's id, that the key is one of its keys, and this machine's clock"
		}
	case http.StatusForbidden:
		f.forbidden(e, taskOf(ctx), resp.Header)
	case http.StatusNotFound, http.StatusGone:
		e.Kind, e.Hint = gitsync.ErrNotFound, hintHidden
	case http.StatusConflict:
		if strings.Contains(e.Detail, "empty") {
			e.Hint = "push a first commit to it"
		}
	case http.StatusUnprocessableEntity:
		unprocessable(e)
	case http.StatusRequestEntityTooLarge:
		e.Hint = "the request is too large for GitHub, or for a proxy in front of it"
	}
	if resp.StatusCode == http.StatusRequestTimeout || resp.StatusCode >= 500 {
		e.Hint = "GitHub failed: see https://www.githubstatus.com"
	}
	return e
}

// limit recognizes GitHub's limits: the one of requests an hour, and those that it
// does not tell beforehand.
func (f *Forge) limit(e *edge.Error, resp *http.Response, answer said) bool {
	h := resp.Header
	spent := h.Get("X-Ratelimit-Remaining") == "0"
	text := strings.ToLower(answer.Message + " " + answer.Documentation)
	secondary := strings.Contains(text, "secondary rate limit") || strings.Contains(text, "secondary-rate-limit") || strings.Contains(text, "abuse")
	switch {
	case resp.StatusCode < 300: // GraphQL says it in its own way
		e.Detail = "the limit of requests is reached"
	case resp.StatusCode != http.StatusForbidden && resp.StatusCode != http.StatusTooManyRequests:
		return false
	case resp.StatusCode == http.StatusForbidden && !secondary && h.Get("Retry-After") == "" && !(spent && strings.Contains(text, "rate limit")):
		return false
	}
	e.Again, refusalOf(e).limited = true, true
	e.Hint = "run it again later: it goes on where it stopped"
	if reset, err := strconv.ParseInt(h.Get("X-Ratelimit-Reset"), 10, 64); err == nil && spent && e.Wait == 0 {
		e.Wait = max(time.Unix(reset, 0).Sub(f.options.Now()), 0) + time.Second // its clock may be a little behind
	}
	return true
}

// forbidden says which right is missing, or which setting is in the way.
func (f *Forge) forbidden(e *edge.Error, job task, header http.Header) {
	e.Kind = gitsync.ErrDenied
	right := job.right
	if accepted := header.Get("X-Accepted-Github-Permissions"); accepted != "" {
		right = strings.NewReplacer("=", ": ", "; ", " or ", "_", " ", ",", " and ").Replace(edge.Neutral(accepted))
	}
	switch {
	case strings.Contains(e.Detail, "not permitted to create or approve pull requests"):
		e.Hint = hintOthers
	case strings.Contains(e.Detail, "SAML") || strings.Contains(e.Detail, "SSO"):
		e.Hint = "authorize the token for the organization's single sign-on: GitHub, Settings, tokens, Configure SSO"
	case strings.Contains(e.Detail, "archived"):
		e.Kind, e.Hint = gitsync.ErrProtected, "the repository is archived: nothing in it can change"
	case strings.Contains(e.Detail, "allowed IP"), strings.Contains(e.Detail, "IP allow list"):
		e.Hint = "the organization takes requests from listed addresses only: add this machine's"
	case right != "":
		e.Detail = fmt.Sprintf("the credentials lack the right %q (%s)", right, e.Detail)
		e.Hint = f.grant(right)
	}
}

// grant says how the credentials get the right, a text like "pull requests: write".
func (f *Forge) grant(right string) string {
	first, _, _ := strings.Cut(right, " or ")
	name, level, _ := strings.Cut(first, ": ")
	switch {
	case f.key != nil:
		return fmt.Sprintf("give the App the repository permission %q (%s), and accept it where the App is installed", name, level)
	case f.login == actions:
		return fmt.Sprintf("add to the workflow: permissions: {%s: %s}", strings.ReplaceAll(name, " ", "-"), level)
	}
	return fmt.Sprintf("give the token the repository permission %q (%s) for %s/%s; a classic token needs the scope repo, and its owner the right to write", name, level, f.owner, f.name)
}

// unprocessable sorts the many refusals that are all a 422.
func unprocessable(e *edge.Error) {
	text := strings.ToLower(e.Detail)
	has := func(part string) bool { return strings.Contains(text, part) }
	switch {
	case has("already exists"), has("already an open pull request"):
		e.Kind = gitsync.ErrExists
	case has("not a fast forward"):
		e.Kind = gitsync.ErrMoved
	case has("protected"), has("rule violations"), has("through a pull request"), has("required status check"):
		e.Kind = gitsync.ErrProtected
		e.Hint = "let the credentials change the branch: Settings, Rules, or Settings, Branches; or choose a branch that no rule is about"
	case has("reference update failed"):
		e.Kind = gitsync.ErrProtected
		e.Hint = "a rule of the repository is about branches of this name (Settings, Rules), or another branch has the name of a folder of it"
	case has("does not exist"):
		e.Kind = gitsync.ErrNotFound
	case has("draft pull requests are not supported"):
		e.Kind = gitsync.ErrUnsupported
	case has("global id of 't_"):
		e.Hint = "a team is hidden from these credentials: give an App the organization permission \"members\" (read), or use a token with read:org; a GITHUB_TOKEN never sees teams"
	case has("from collaborators"):
		e.Hint = "give them access to the repository: Settings, Collaborators and teams"
	case has("is too long"):
		e.Hint = "GitHub takes no more"
	}
}

// scrub takes the credentials out of a text.
func (f *Forge) scrub(text string) string {
	if secret := f.secret.Load(); secret != nil && *secret != "" {
		text = strings.ReplaceAll(text, *secret, "***")
	}
	return text
}
