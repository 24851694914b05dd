package edge

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"syscall"
)

// Fault is what came between a request and its answer.
type Fault int

const (
	Unknown    Fault = iota // none of those below
	Redirected              // the server sends to where nobody follows: see SameServer
	WebPage                 // a page for people where an answer was expected
	TooLarge                // an answer longer than it may be
	Nonsense                // JSON that is none, or says something else
	NoHost                  // the name has no address
	NoListener              // there is a machine, and no server
	Late                    // no answer in time
	Cut                     // the connection ended in the middle of the answer
	Untrusted               // no TLS, or a certificate that is not the right one
)

// redirectError is a redirection that was not followed.
type redirectError struct{ target string }

func (e *redirectError) Error() string { return "the server redirects to " + e.target }

// largeError is an answer of more bytes than it may have.
type largeError struct{ most int64 }

func (e *largeError) Error() string {
	return fmt.Sprintf("the answer is larger than %d MiB", e.most>>20)
}

// errPage is an answer that is a web page.
var errPage = errors.New("the answer is a web page")

// From begins the Error of what a request came to. All is said already when err is
// one, of which it returns a copy, or when the context has ended: there is nothing
// left to explain then.
func From(ctx context.Context, err error) (e *Error, said bool) {
	var before *Error
	if errors.As(err, &before) {
		e := *before
		return &e, true
	}
	if ctx.Err() != nil {
		e := &Error{Detail: "stopped", Err: context.Cause(ctx)}
		if errors.Is(e.Err, context.DeadlineExceeded) {
			e.Detail = "out of time"
		}
		return e, true
	}
	var web *url.Error
	if errors.As(err, &web) { // its text repeats the address
		err = web.Err
	}
	return &Error{Err: err}, false
}

// Explain says in Detail and Hint what the cause means, and in Again whether it may
// pass. With the fault that it returns the edge can say it in its own words.
func (e *Error) Explain() Fault {
	if e.Err == nil {
		return Unknown
	}
	var (
		redirect *redirectError
		large    *largeError
		syntax   *json.SyntaxError
		kind     *json.UnmarshalTypeError
		dns      *net.DNSError
		timeout  net.Error
	)
	is := func(target error) bool { return errors.Is(e.Err, target) }
	as := func(target any) bool { return errors.As(e.Err, target) }
	told := Neutral(e.Err.Error())
	switch {
	case as(&redirect):
		e.Detail = Neutral(redirect.Error())
		e.Hint = "set the address to where it redirects; the token is never sent to another server"
		return Redirected
	case is(errPage):
		e.Detail = errPage.Error()
		e.Hint = "a proxy or a login page may stand in front of the server"
		return WebPage
	case as(&large):
		e.Detail = large.Error()
		return TooLarge
	case as(&syntax), as(&kind):
		e.Detail = "the answer cannot be understood: " + told
		return Nonsense
	case as(&dns) && dns.IsNotFound:
		e.Detail = "there is no host " + Neutral(dns.Name)
		e.Hint = "check the address"
		return NoHost
	case is(syscall.ECONNREFUSED):
		e.Detail = "nothing listens there"
		e.Hint = "check the address and that the server runs"
		e.Again = true
		return NoListener
	case as(&timeout) && timeout.Timeout():
		e.Detail = "no answer in time"
		e.Again = true
		return Late
	case is(io.EOF), is(io.ErrUnexpectedEOF), is(syscall.ECONNRESET):
		e.Detail = "the answer ends in the middle"
		e.Hint = "the server, or a proxy in front of it, cut the answer; their logs say why"
		e.Again = true
		return Cut
	case e.explainTLS():
		return Untrusted
	}
	e.Detail = told
	e.Again = as(new(*net.OpError))
	return Unknown
}

// explainTLS explains what is wrong with certificates.
func (e *Error) explainTLS() bool {
	var (
		hostname     x509.HostnameError
		authority    x509.UnknownAuthorityError
		invalid      x509.CertificateInvalidError
		verification *tls.CertificateVerificationError
		alert        tls.AlertError
		record       tls.RecordHeaderError
	)
	as := func(target any) bool { return errors.As(e.Err, target) }
	switch {
	case as(&hostname):
		e.Detail = "the server's certificate is for another name: " + Neutral(hostname.Error())
		e.Hint = "use the name in the certificate"
	case as(&authority):
		e.Detail = "the server's certificate is signed by an unknown authority"
		e.Hint = "give the authority's certificate as the CA file"
	case as(&invalid), as(&verification), as(&alert):
		e.Detail = "the TLS connection was refused: " + Neutral(e.Err.Error())
		e.Hint = "check the server's certificate and clock"
	case as(&record), strings.Contains(e.Err.Error(), "server gave HTTP response to HTTPS client"):
		e.Detail = "the server does not speak TLS on this port"
		e.Hint = "check the address: http:// instead of https://, or another port"
	default:
		return false
	}
	return true
}

// Unsent reports whether the request has certainly not reached the server: it was
// not even connected to.
func (e *Error) Unsent() bool {
	var op *net.OpError
	return e.Status == 0 && errors.As(e.Err, &op) && op.Op == "dial"
}
