package github

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unicode"

	"hedgehog-gitops/gitsync"
)

// Error is a failure of the conversation with GitHub. No text in it holds a token,
// and what GitHub said stands in it as one short line without control characters.
type Error struct {
	// Doing is what was being done: "opening a pull request".
	Doing string
	// Status is the HTTP status of the answer; 0 when there was none.
	Status int
	// Detail says what went wrong.
	Detail string
	// Hint says what to do next; empty when nobody can know.
	Hint string
	// Kind is gitsync.ErrDenied or one of its like; it can be nil.
	Kind error
	// Err is the cause, such as context.Canceled; it can be nil.
	Err error

	again   bool          // the same request may succeed later
	limited bool          // GitHub wants fewer requests, and has not looked at this one
	wait    time.Duration // GitHub's own wish
	perhaps bool          // an earlier try of the same request may have been done
	fields  []string      // what of the request is wrong
	graphql bool          // GraphQL understood, and refused
}

// Error returns what was being done and what went wrong, on one line.
func (e *Error) Error() string {
	text := e.Detail
	if e.Doing != "" {
		text = e.Doing + ": " + text
	}
	if e.Status >= 300 {
		text += " (HTTP " + strconv.Itoa(e.Status) + ")"
	}
	return text
}

// Unwrap returns the kind and the cause.
func (e *Error) Unwrap() []error {
	var all []error
	for _, err := range []error{e.Kind, e.Err} {
		if err != nil {
			all = append(all, err)
		}
	}
	return all
}

var (
	errNoAddress = errors.New("is not one")
	errNoScheme  = errors.New("does not begin with https:// or http://")
	errUserInfo  = errors.New("holds a user name; the token alone says who you are")
	// errHTML is an answer that is a web page, errTooLarge one that has no end.
	errHTML     = errors.New("the answer is a web page")
	errTooLarge = errors.New("the answer is too large")
)

// redirectError is a redirection that was not followed.
type redirectError struct{ target string }

func (e *redirectError) Error() string { return "the server redirects to " + e.target }

const (
	hintURL    = "check the address: that of the server, such as https://github.example.com, or of its API, such as https://github.example.com/api/v3"
	hintHidden = "check owner and name; a token that may not see a repository gets the same answer"
	hintOthers = "allow it in Settings, Actions, General, Workflow permissions (\"Allow GitHub Actions to create and approve pull requests\"), " +
		"in the organization's settings too; or use a GitHub App (its id and key)"
)

// fail is explain with the thing that was being done.
func (f *Forge) fail(ctx context.Context, doing string, err error) *Error {
	e := *f.explain(ctx, err)
	e.Doing = doing
	return &e
}

// explain turns what a request came to into an Error. One that is an Error already
// stays as it is.
func (f *Forge) explain(ctx context.Context, err error) *Error {
	var done *Error
	if errors.As(err, &done) {
		return done
	}
	e := &Error{Doing: taskOf(ctx).doing, Err: err}
	defer func() { e.Detail = f.scrub(neutral(e.Detail)) }()
	if ctx.Err() != nil {
		e.Err = context.Cause(ctx)
		e.Detail = "stopped"
		if errors.Is(e.Err, context.DeadlineExceeded) {
			e.Detail = "out of time"
		}
		return e
	}
	var web *url.Error
	if errors.As(err, &web) { // its text repeats the address
		err, e.Err = web.Err, web.Err
	}
	var (
		redirect *redirectError
		timeout  net.Error
		dns      *net.DNSError
		syntax   *json.SyntaxError
		kind     *json.UnmarshalTypeError
	)
	switch {
	case err == nil:
	case errors.As(err, &redirect):
		e.Detail = redirect.Error()
		e.Hint = "set the address to where it redirects; the token is never sent to another server"
	case errors.Is(err, errHTML):
		e.Detail = "the answer is a web page, not GitHub's API"
		e.Hint = hintURL + "; a proxy or a login page may stand in front of it"
	case errors.Is(err, errTooLarge):
		e.Detail = fmt.Sprintf("the answer is larger than %d MiB", largest>>20)
		e.Hint = hintURL
	case errors.As(err, &syntax), errors.As(err, &kind):
		e.Detail = "the answer cannot be understood: " + err.Error()
		e.Hint = "check that the address leads to GitHub and that nothing in between changes its answers"
	case errors.As(err, &dns) && dns.IsNotFound:
		e.Detail = "there is no host " + dns.Name
		e.Hint = hintURL
	case errors.Is(err, syscall.ECONNREFUSED):
		e.Detail = "nothing listens at " + f.api.Host + ", or at the proxy"
		e.Hint = "check the address, the proxy, and that the server runs"
		e.again = true
	case errors.As(err, &timeout) && timeout.Timeout(), errors.Is(err, context.DeadlineExceeded):
		e.Detail = fmt.Sprintf("no answer within %v", f.options.Timeout)
		e.Hint = "GitHub is busy or out of reach"
		e.again = true
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET):
		e.Detail = "the answer ends in the middle"
		e.Hint = "GitHub, or a proxy in front of it, cut the answer"
		e.again = true
	case explainTLS(e, err):
	default:
		e.Detail = err.Error()
		e.again = errors.As(err, new(*net.OpError))
	}
	return e
}

// explainTLS explains what is wrong with certificates.
func explainTLS(e *Error, err error) bool {
	var (
		verification *tls.CertificateVerificationError
		record       tls.RecordHeaderError
		authority    x509.UnknownAuthorityError
		hostname     x509.HostnameError
		alert        tls.AlertError
	)
	switch {
	case errors.As(err, &hostname):
		e.Detail = "the server's certificate is for another name: " + hostname.Error()
		e.Hint = "use the name in the certificate"
	case errors.As(err, &authority):
		e.Detail = "the server's certificate is signed by an unknown authority"
		e.Hint = "give the authority's certificate as the CA file"
	case errors.As(err, &verification), errors.As(err, &alert):
		e.Detail = "the TLS connection was refused: " + err.Error()
		e.Hint = "check the server's certificate and clock"
	case errors.As(err, &record), strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		e.Detail = "the server does not speak TLS on this port"
		e.Hint = "check the address: http:// instead of https://, or another port"
	default:
		return false
	}
	return true
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
		texts = append(texts, neutral(text))
		if e.Field != "" {
			fields = append(fields, e.Field)
		}
	}
	return texts, fields
}

// refused explains an answer that is no success.
func (f *Forge) refused(ctx context.Context, resp *http.Response, body []byte) *Error {
	e := &Error{Doing: taskOf(ctx).doing, Status: resp.StatusCode, Detail: http.StatusText(resp.StatusCode)}
	var answer said
	if json.Unmarshal(body, &answer) == nil {
		texts, fields := answer.texts()
		e.fields = fields
		if !strings.EqualFold(answer.Message, "Validation Failed") || len(texts) == 0 {
			texts = append([]string{neutral(answer.Message)}, texts...)
		}
		if text := strings.Join(texts, "; "); text != "" {
			e.Detail = f.scrub(neutral(text))
		}
	}
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
	case http.StatusProxyAuthRequired:
		e.Hint = "the proxy wants a user and a password in its address"
	}
	if resp.StatusCode == http.StatusRequestTimeout || resp.StatusCode >= 500 {
		e.again = true
		e.wait = seconds(resp.Header.Get("Retry-After"))
		e.Hint = "GitHub failed: see https://www.githubstatus.com"
	}
	return e
}

// limit recognizes GitHub's limits: the one of requests an hour, and those that it
// does not tell beforehand.
func (f *Forge) limit(e *Error, resp *http.Response, answer said) bool {
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
	e.again, e.limited = true, true
	e.Hint = "run it again later: it goes on where it stopped"
	e.wait = seconds(h.Get("Retry-After"))
	if reset, err := strconv.ParseInt(h.Get("X-Ratelimit-Reset"), 10, 64); err == nil && spent && e.wait == 0 {
		e.wait = max(time.Unix(reset, 0).Sub(f.options.Now()), 0) + time.Second // its clock may be a little behind
	}
	return true
}

// seconds reads Retry-After.
func seconds(value string) time.Duration {
	if n, err := strconv.Atoi(strings.TrimSpace(value)); err == nil && n > 0 {
		return time.Duration(n) * time.Second
	}
	return 0
}

// forbidden says which right is missing, or which setting is in the way.
func (f *Forge) forbidden(e *Error, job task, header http.Header) {
	e.Kind = gitsync.ErrDenied
	right := job.right
	if accepted := header.Get("X-Accepted-Github-Permissions"); accepted != "" {
		right = strings.NewReplacer("=", ": ", "; ", " or ", "_", " ", ",", " and ").Replace(neutral(accepted))
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
func unprocessable(e *Error) {
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

// longest is how much of what GitHub says is repeated, in characters.
const longest = 400

// neutral makes one line of bounded length of what a server said, with nothing in
// it that a terminal obeys.
func neutral(text string) string {
	words := strings.FieldsFunc(strings.ToValidUTF8(text, "?"), func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r)
	})
	text = strings.Join(words, " ")
	if runes := []rune(text); len(runes) > longest {
		text = string(runes[:longest]) + " ..."
	}
	return text
}
