package git

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unicode"

	"github.com/go-git/go-git/v5/plumbing/format/pktline"

	"hedgehog-gitops/gitsync"
)

// Error is a failure of the conversation with the server. No text in it holds a
// token or a password, and what the server said stands in it as one short line
// without control characters.
type Error struct {
	// Doing is what was being done: "pushing hedgehog-gitops/fabric-a".
	Doing string
	// Status is the HTTP status of the answer; 0 when there was none.
	Status int
	// Detail says what went wrong.
	Detail string
	// Hint says what to do next; empty when nobody can know.
	Hint string
	// Kind is gitsync.ErrMoved or one of its like; it can be nil.
	Kind error
	// Err is the cause, such as context.Canceled; it can be nil.
	Err error

	again bool          // reading once more may succeed
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

// errSilent is a server that says nothing for too long.
var errSilent = errors.New("the server says nothing")

// redirectError is a redirection that was not followed.
type redirectError struct{ target string }

func (e *redirectError) Error() string { return "the server redirects to " + e.target }

const (
	hintURL  = "check the repository's address"
	hintRead = "check the token: GitHub wants Contents: read of this repository, Gitea read:repository, GitLab read_repository"
	hintPush = "give the credentials the right to push: GitHub Contents: read and write (in a workflow: permissions: contents: write), " +
		"Gitea write:repository, GitLab write_repository and the role Developer; a deploy key must not be read-only"
)

// explain turns what an exchange came to into an Error. One that is an Error
// already stays as it is.
func explain(ctx context.Context, err error) *Error {
	var done *Error
	if errors.As(err, &done) {
		e := *done
		return &e
	}
	e := &Error{Err: err}
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
		said     *pktline.ErrorLine
	)
	switch {
	case errors.As(err, &redirect):
		e.Detail = redirect.Error()
		e.Hint = "set the repository's address to where it redirects; the token is never sent to another server"
	case errors.As(err, &said):
		return complaint(said.Text)
	case errors.Is(err, errTooLarge):
		e.Detail = err.Error()
		e.Hint = "a server that serves partial clones needs far less: set uploadpack.allowFilter and uploadpack.allowAnySHA1InWant there, or raise the limit"
	case errors.Is(err, errPack), errors.Is(err, errTree), errors.Is(err, errNotGit), errors.Is(err, errSHA256):
		e.Detail = err.Error()
	case errors.Is(err, errSilent):
		e.Detail = err.Error()
		e.Hint = "it is busy or out of reach"
		e.again = true
	case errors.As(err, &dns) && dns.IsNotFound:
		e.Detail = "there is no host " + dns.Name
		e.Hint = hintURL
	case errors.Is(err, syscall.ECONNREFUSED):
		e.Detail = "nothing listens there"
		e.Hint = hintURL + " and that the server runs"
		e.again = true
	case errors.As(err, &timeout) && timeout.Timeout():
		e.Detail = "no answer in time"
		e.again = true
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		e.Detail = "the answer ends in the middle"
		e.Hint = "the server, or a proxy in front of it, cut the answer; their logs say why"
		e.again = true
	case explainTLS(e, err), explainLocal(e, err):
	default:
		e.Detail = neutral(err.Error())
		e.again = isNetwork(err)
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
		invalid      x509.CertificateInvalidError
		alert        tls.AlertError
	)
	switch {
	case errors.As(err, &hostname):
		e.Detail = "the server's certificate is for another name: " + neutral(hostname.Error())
		e.Hint = "use the name in the certificate"
	case errors.As(err, &authority):
		e.Detail = "the server's certificate is signed by an unknown authority"
		e.Hint = "give the authority's certificate as the CA file"
	case errors.As(err, &invalid), errors.As(err, &verification), errors.As(err, &alert):
		e.Detail = "the TLS connection was refused: " + neutral(err.Error())
		e.Hint = "check the server's certificate and clock"
	case errors.As(err, &record), strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		e.Detail = "the server does not speak TLS on this port"
		e.Hint = "check the address: http:// instead of https://, or another port"
	default:
		return false
	}
	return true
}

// explainLocal explains what is wrong on this machine.
func explainLocal(e *Error, err error) bool {
	switch {
	case errors.Is(err, os.ErrNotExist):
		e.Detail = neutral(err.Error())
	case errors.Is(err, os.ErrPermission):
		e.Detail, e.Kind = neutral(err.Error()), gitsync.ErrDenied
	default:
		return false
	}
	return true
}

func isNetwork(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) ||
		errors.Is(err, net.ErrClosed) || strings.Contains(err.Error(), "http2: ") || strings.Contains(err.Error(), "server closed idle connection")
}

// errNotOurs is a server that gives no object by its id.
var errNotOurs = errors.New("the server has no such object, or does not give it")

// errNoFilter is a server that does not leave out what it was asked to.
var errNoFilter = errors.New("the server does not serve such parts of a repository")

// complaint is what a service said when it gave up: an ERR line or what it wrote
// to its standard error.
func complaint(said string) *Error {
	e := &Error{Detail: neutral(said)}
	low := strings.ToLower(said)
	has := func(all ...string) bool {
		for _, s := range all {
			if strings.Contains(low, s) {
				return true
			}
		}
		return false
	}
	switch {
	case has("not our ref", "unadvertised object", "no such remote ref"):
		e.Err = errNotOurs
	case has("filter") && has("not supported", "not recognized", "not allowed", "unexpected"):
		e.Err = errNoFilter
	case has("repository not found", "does not appear to be a git repository", "not a git repository", "no such repository",
		"repository does not exist", "could not be found", "cannot find repository", "no such file or directory"):
		e.Kind, e.Hint = gitsync.ErrNotFound, hintURL+"; credentials that may not see a repository get the same answer"
	case has("dubious ownership"):
		e.Kind, e.Hint = gitsync.ErrDenied, "the folder belongs to another user: see safe.directory in the documentation of git"
	case has("read only", "read-only"):
		e.Kind, e.Hint = gitsync.ErrDenied, hintPush
	case has("denied", "permission", "not authorized", "unauthorized", "access rights"):
		e.Kind, e.Hint = gitsync.ErrDenied, "check the key, and what it may do in this repository"
	case low == "":
		e.Detail, e.again = "the server ended the conversation without a word", true
	}
	return e
}

// refused explains an answer of HTTP that is no success.
func refused(service string, resp *http.Response, body []byte, authorized bool) *Error {
	e := &Error{Status: resp.StatusCode, Detail: http.StatusText(resp.StatusCode)}
	if text := neutral(string(body)); text != "" && !strings.HasPrefix(text, "<") {
		e.Detail = text
	}
	e.wait = retryAfter(resp.Header.Get("Retry-After"), time.Now())
	push := service == receivePack
	switch {
	case resp.StatusCode == http.StatusUnauthorized && !authorized:
		e.Kind = gitsync.ErrDenied
		e.Hint = "the server wants to know who asks: give a token"
	case resp.StatusCode == http.StatusUnauthorized:
		e.Kind = gitsync.ErrDenied
		e.Hint = "the server does not accept the token: check that it is whole, not expired, and of this server"
	case resp.StatusCode == http.StatusForbidden && e.wait > 0, resp.StatusCode == http.StatusTooManyRequests:
		e.again = true
		e.Hint = "the server has had too many requests; try later"
	case resp.StatusCode == http.StatusForbidden && push:
		e.Kind, e.Hint = gitsync.ErrDenied, hintPush
	case resp.StatusCode == http.StatusForbidden:
		e.Kind, e.Hint = gitsync.ErrDenied, hintRead
	case resp.StatusCode == http.StatusNotFound, resp.StatusCode == http.StatusGone:
		e.Kind, e.Hint = gitsync.ErrNotFound, hintURL+"; a token that may not see a repository gets the same answer"
	case resp.StatusCode == http.StatusRequestEntityTooLarge:
		e.Hint = "the server, or a proxy in front of it, takes no push of this size"
	case resp.StatusCode == http.StatusProxyAuthRequired:
		e.Hint = "the proxy wants a user and a password in its address"
	case resp.StatusCode == http.StatusRequestTimeout, resp.StatusCode >= 500:
		e.again = true
		e.Hint = "the server failed; its log says why"
	}
	return e
}

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
	text = strings.ToValidUTF8(text, "?")
	words := strings.FieldsFunc(text, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r)
	})
	text = strings.Join(words, " ")
	if runes := []rune(text); len(runes) > longest {
		text = string(runes[:longest]) + " ..."
	}
	return text
}

// refusal is why a server did not take a push: its rules, or the credentials.
func refusal(branch, reason, said string) *Error {
	text := neutral(reason)
	if said = neutral(said); said != "" && !strings.Contains(said, text) {
		text += ": " + said
	} else if said != "" {
		text = said
	}
	e := &Error{Detail: "the server refuses it: " + text, Kind: gitsync.ErrProtected}
	low := strings.ToLower(reason + " " + said)
	has := func(s string) bool { return strings.Contains(low, s) }
	switch {
	case has("workflow") && (has("scope") || has("permission")):
		e.Kind, e.Hint = gitsync.ErrDenied, "the credentials may not change workflows: this needs Workflows: write"
	case has("permission to ") && has("denied"), has("not allowed to push code to this project"), has("write access"),
		has("not have permission"), has("not permitted to push"):
		e.Kind, e.Hint = gitsync.ErrDenied, hintPush
	case has("checked out"):
		e.Hint = fmt.Sprintf("the repository has a working copy of %s: use a bare repository, or another branch", branch)
	case has("protected"), has("gh006"), has("gh013"), has("rule violations"):
		e.Hint = fmt.Sprintf("let who pushes pass the rules of %s, or choose a branch without such rules", branch)
	case has("non-fast-forward"):
		e.Hint = fmt.Sprintf("the server forbids to rewrite %s: see receive.denyNonFastForwards, or delete the branch", branch)
	case has("hook declined"):
		e.Hint = "a hook of the server refuses it; what it says, or the server's log, tells why"
	case has("deletion prohibited"), has("deletion of"), has("denying ref deletion"), has("refusing to delete"):
		e.Hint = fmt.Sprintf("allow to delete %s, or delete it there", branch)
	}
	return e
}

// isContention reports whether a push was refused because of the moment alone.
func isContention(reason string) bool {
	low := strings.ToLower(reason)
	for _, s := range []string{"cannot lock", "failed to lock", "failed to update ref", "incorrect old value"} {
		if strings.Contains(low, s) {
			return true
		}
	}
	return false
}
