package gitea

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

// Error is a failure of the conversation with the forge. No text in it holds the
// token, and what the server said stands in it as one short line without control
// characters.
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

	again bool          // the same request may succeed later
	wait  time.Duration // the server's own wish
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

// errHTML is an answer that is a web page, errTooLarge one that has no end.
var (
	errHTML     = errors.New("the answer is a web page")
	errTooLarge = errors.New("the answer is too large")
)

// redirectError is a redirection that was not followed.
type redirectError struct{ target string }

func (e *redirectError) Error() string { return "the server redirects to " + e.target }

const (
	hintURL    = "check the address: the web address of the server, such as https://gitea.example.com"
	hintScopes = "give the token the scopes write:repository and write:issue, and its user the right to write to the repository"
	hintHidden = "check owner and name; a token that may not see a repository gets the same answer"
)

// fail says what was being done when err happened.
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
	e := &Error{Err: err}
	defer func() { e.Detail = f.scrub(e.Detail) }()
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
	case errors.As(err, &redirect):
		e.Detail = redirect.Error()
		e.Hint = "set the address to where it redirects; the token is never sent to another server"
	case errors.Is(err, errHTML):
		e.Detail = "the answer is a web page, not the forge's API"
		e.Hint = hintURL + "; a proxy or a login page may stand in front of it"
	case errors.Is(err, errTooLarge):
		e.Detail = fmt.Sprintf("the answer is larger than %d MiB", largest>>20)
		e.Hint = "check that the address leads to a Gitea or Forgejo"
	case errors.As(err, &syntax), errors.As(err, &kind):
		e.Detail = "the answer cannot be understood: " + err.Error()
		e.Hint = "check that the address leads to a Gitea or Forgejo and that nothing in between changes its answers"
	case errors.As(err, &dns) && dns.IsNotFound:
		e.Detail = "there is no host " + dns.Name
		e.Hint = hintURL
	case errors.Is(err, syscall.ECONNREFUSED):
		e.Detail = "nothing listens at " + f.base.Host
		e.Hint = "check the address and that the server runs"
		e.again = true
	case errors.As(err, &timeout) && timeout.Timeout(), errors.Is(err, context.DeadlineExceeded):
		e.Detail = fmt.Sprintf("no answer within %v", f.options.Timeout)
		e.Hint = "the server is busy or out of reach"
		e.again = true
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET):
		e.Detail = "the answer ends in the middle"
		e.Hint = "the server, or a proxy in front of it, cut the answer; their logs say why"
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

// refused explains an answer that is no success.
func (f *Forge) refused(resp *http.Response, body []byte) *Error {
	e := &Error{Status: resp.StatusCode, Detail: http.StatusText(resp.StatusCode)}
	var said struct {
		Message string `json:"message"`
	}
	if json.Unmarshal(body, &said) == nil && neutral(said.Message) != "" {
		e.Detail = neutral(said.Message)
	}
	e.Detail = f.scrub(e.Detail)
	e.wait = retryAfter(resp.Header.Get("Retry-After"), time.Now())
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
	case http.StatusTooManyRequests:
		e.again = true
		e.Hint = "the server has had too many requests; try later"
	case http.StatusRequestEntityTooLarge:
		e.Hint = "a proxy in front of the server takes no request of this size"
	case http.StatusProxyAuthRequired:
		e.Hint = "the proxy wants a user and a password in its address"
	}
	if resp.StatusCode == http.StatusRequestTimeout || resp.StatusCode >= 500 {
		e.again = true
		e.Hint = "the server failed; its log says why"
	}
	return e
}

// scrub takes the token out of a text.
func (f *Forge) scrub(text string) string { return strings.ReplaceAll(text, f.options.Token, "***") }

// retryAfter reads the header in both of its forms, seconds and a date.
func retryAfter(value string, now time.Time) time.Duration {
	value = strings.TrimSpace(value)
	if seconds, err := strconv.Atoi(value); err == nil && seconds > 0 {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil && at.After(now) {
		return at.Sub(now)
	}
	return 0
}

// longest is how much of what a server says is repeated, in characters.
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
