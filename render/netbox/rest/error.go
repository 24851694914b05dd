package rest

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
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Error is a failure of the conversation with NetBox. No text in it holds a
// token or a password.
type Error struct {
	// Doing is what was being done: "reading interfaces".
	Doing string
	// Status is the HTTP status of NetBox's answer; 0 when there was none.
	Status int
	// Detail says what went wrong.
	Detail string
	// Hint says what to do next; empty when nobody can know.
	Hint string
	// Err is the cause, such as context.Canceled; it can be nil.
	Err error

	again bool          // the same request may succeed later
	wait  time.Duration // NetBox's own wish
	slow  bool          // a smaller page may succeed
	body  []byte        // what NetBox answered, cut
}

// Error returns what was being done and what went wrong, on one line.
func (e *Error) Error() string {
	text := e.Doing + ": " + e.Detail
	if e.Status >= 300 {
		text += " (HTTP " + strconv.Itoa(e.Status) + ")"
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// errTruncated is a JSON answer that ends too early, errShape one that is JSON
// and not what NetBox answers, errHTML a web page,
// errTooLarge one that has no end.
var (
	errTruncated = errors.New("the answer ends in the middle")
	errShape     = errors.New("the answer is not one of NetBox's")
	errHTML      = errors.New("the answer is a web page")
	errTooLarge  = errors.New("the answer is too large")
)

// redirectError is a redirection that was not followed.
type redirectError struct{ target string }

func (e *redirectError) Error() string { return "the server redirects to " + e.target }

const hintURL = "check the address: the web address of NetBox without /api, such as https://netbox.example.com"

// failure turns what a request came to into an Error.
func (c *Client) failure(ctx context.Context, doing string, answer *answer, err error) *Error {
	e := &Error{Doing: doing, Err: err}
	if answer != nil {
		e.Status = answer.status
		e.body = answer.body
	}
	defer func() {
		e.Detail, e.Hint = c.scrub(e.Detail), c.scrub(e.Hint)
	}()

	if ctx.Err() != nil {
		e.Err = context.Cause(ctx)
		e.Detail = "stopped"
		if errors.Is(e.Err, context.DeadlineExceeded) {
			e.Detail = "out of time"
		}
		return e
	}
	if e.Status >= 300 && !errors.As(err, new(*redirectError)) {
		c.refused(e, answer)
		return e
	}

	var (
		redirect     *redirectError
		timeout      net.Error
		dns          *net.DNSError
		verification *tls.CertificateVerificationError
		record       tls.RecordHeaderError
		authority    x509.UnknownAuthorityError
		hostname     x509.HostnameError
		invalid      x509.CertificateInvalidError
		alert        tls.AlertError
		syntax       *json.SyntaxError
		kind         *json.UnmarshalTypeError
	)
	var web *url.Error
	if errors.As(err, &web) {
		e.Err = web.Err
	}
	switch {
	case errors.As(err, &redirect):
		e.Detail = redirect.Error()
		e.Hint = "set NetBox's address to where it redirects; the token is never sent to another server"
	case errors.Is(err, errHTML):
		e.Detail = "the answer is a web page, not NetBox's API"
		e.Hint = hintURL + "; a proxy or a login page may stand in front of it"
	case errors.Is(err, errTooLarge):
		e.Detail = fmt.Sprintf("the answer is larger than %d MiB", maxAnswer>>20)
		e.Hint = "check that the address leads to NetBox"
	case errors.As(err, &hostname):
		e.Detail = "the server's certificate is for another name: " + hostname.Error()
		e.Hint = "use the name in the certificate"
	case errors.As(err, &authority):
		e.Detail = "the server's certificate is signed by an unknown authority"
		e.Hint = "give the authority's certificate as the CA file"
	case errors.As(err, &invalid), errors.As(err, &verification), errors.As(err, &alert):
		e.Detail = "the TLS connection was refused: " + e.Err.Error()
		e.Hint = "check the server's certificate and clock"
	case errors.As(err, &record), err != nil && strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		e.Detail = "the server does not speak TLS on this port"
		e.Hint = "check the address: http:// instead of https://, or another port"
	case errors.As(err, &dns) && dns.IsNotFound:
		e.Detail = "there is no host " + dns.Name
		e.Hint = hintURL
	case errors.As(err, &timeout) && timeout.Timeout(), errors.Is(err, context.DeadlineExceeded):
		e.Detail = fmt.Sprintf("no answer within %v", c.options.Timeout)
		e.Hint = "NetBox is busy or out of reach; raise the timeout if it is only slow"
		e.again, e.slow = true, true
	case errors.Is(err, errTruncated), errors.Is(err, io.ErrUnexpectedEOF):
		e.Detail = "the answer ends in the middle"
		e.Hint = "NetBox or a proxy in front of it cut the answer; look into their logs"
		e.again, e.slow = true, true
	case errors.As(err, &syntax), errors.As(err, &kind), errors.Is(err, errShape):
		e.Detail = "the answer cannot be understood: " + e.Err.Error()
		e.Hint = "check that the address leads to NetBox 4.5 or newer and that nothing in between changes its answers"
	case errors.Is(err, syscall.ECONNREFUSED):
		e.Detail = "nothing listens at " + c.base.Host
		e.Hint = "check the address and that NetBox runs"
		e.again = true
	case err != nil:
		e.Detail = e.Err.Error()
		e.Hint = "check the network between here and NetBox"
		e.again = true
	}
	return e
}

// refused explains an answer with a status of 300 or more.
func (c *Client) refused(e *Error, answer *answer) {
	said := e.said()
	e.Detail = said
	if said == "" {
		e.Detail = http.StatusText(answer.status)
		if e.Detail == "" {
			e.Detail = "refused"
		}
	}
	html := strings.HasPrefix(strings.TrimSpace(string(answer.body)), "<")
	switch {
	case answer.status >= 300 && answer.status < 400:
		e.Detail = "the server redirects to " + answer.header.Get("Location")
		e.Hint = hintURL
	case answer.status == http.StatusUnauthorized, answer.status == http.StatusForbidden:
		low := strings.ToLower(said)
		switch {
		case html || said == "":
			e.Hint = "a proxy in front of NetBox may have refused this, not NetBox itself"
		case strings.Contains(low, "expired"):
			e.Hint = "make a new token in NetBox: user menu, API tokens"
		case strings.Contains(low, "source ip"), strings.Contains(low, "not permitted to authenticate"):
			e.Hint = "allow this machine's address in the token's list of allowed IPs"
		case strings.Contains(low, "invalid"), strings.Contains(low, "credentials"), strings.Contains(low, "token"), strings.Contains(low, "inactive"):
			e.Hint = "check the token (NETBOX_TOKEN): all of it, enabled, and of this NetBox"
		default:
			e.Hint = "give the token's user the permission in NetBox: Admin, Permissions"
		}
	case answer.status == http.StatusNotFound && (html || said == ""):
		e.Detail = "the server does not know this address"
		e.Hint = hintURL
	case answer.status == http.StatusTooManyRequests, answer.status == http.StatusServiceUnavailable:
		e.again = true
		e.wait = retryAfter(answer.header.Get("Retry-After"), time.Now())
		e.Hint = "the server is overloaded or under maintenance; try later"
		e.slow = answer.status == http.StatusServiceUnavailable
	case answer.status == http.StatusBadGateway, answer.status == http.StatusGatewayTimeout, answer.status == http.StatusRequestTimeout:
		e.again, e.slow = true, true
		e.wait = retryAfter(answer.header.Get("Retry-After"), time.Now())
		e.Hint = "NetBox is down or slow behind its proxy; look into their logs"
	case answer.status >= 500:
		e.again, e.slow = true, true
		e.Hint = "NetBox failed; its log says why"
	}
}

// said returns what NetBox gives as the reason, on one line.
func (e *Error) said() string {
	var body any
	if json.Unmarshal(e.body, &body) != nil {
		return ""
	}
	return cut(reason(body), 600)
}

// reason walks an error body: {"detail": ..}, {"error": ..}, {"field": [..]}, [..].
func reason(body any) string {
	switch v := body.(type) {
	case string:
		return v
	case []any:
		var parts []string
		for _, item := range v {
			if text := reason(item); text != "" {
				parts = append(parts, text)
			}
		}
		return strings.Join(parts, "; ")
	case map[string]any:
		var parts []string
		if text, ok := v["detail"].(string); ok {
			parts = append(parts, text)
		} else if text, ok := v["error"].(string); ok {
			return text
		}
		for _, key := range sortedKeys(v) {
			switch _, list := v[key].([]any); {
			case key == "detail", !list && (key == "index" || key == "id"):
				continue
			}
			if text := reason(v[key]); text != "" {
				if key != "errors" && key != "__all__" {
					text = key + ": " + text
				}
				parts = append(parts, text)
			}
		}
		return strings.Join(parts, ": ")
	}
	return ""
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

func cut(text string, n int) string {
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > n {
		text = strings.ToValidUTF8(text[:n], "") + " ..."
	}
	return text
}

// scrub takes secrets out of a text: the token, both halves of it, and
// passwords in addresses.
func (c *Client) scrub(text string) string {
	for _, secret := range c.secrets {
		text = strings.ReplaceAll(text, secret, "***")
	}
	return c.userinfo.ReplaceAllString(text, "://***@")
}

func userinfo() *regexp.Regexp { return regexp.MustCompile(`://[^/@\s"]+@`) }
