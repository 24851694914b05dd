package edge

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
)

// Transport connects to servers that the authorities vouch for; nil stands for those
// of the system.
func Transport(proxy func(*http.Request) (*url.URL, error), authorities *x509.CertPool) *http.Transport {
	dialer := &net.Dialer{Timeout: 15 * time.Second, KeepAlive: 30 * time.Second}
	return &http.Transport{
		Proxy:               proxy,
		DialContext:         dialer.DialContext,
		ForceAttemptHTTP2:   true,
		TLSClientConfig:     &tls.Config{RootCAs: authorities, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout: 15 * time.Second,
		IdleConnTimeout:     90 * time.Second,
	}
}

// Trust adds the certificates of a PEM text to the authorities; nil stands for those
// of the system.
func Trust(authorities *x509.CertPool, pem []byte) (*x509.CertPool, *Error) {
	if authorities != nil {
		authorities = authorities.Clone()
	} else if system, err := x509.SystemCertPool(); err == nil {
		authorities = system
	} else {
		authorities = x509.NewCertPool()
	}
	if !authorities.AppendCertsFromPEM(pem) {
		return nil, &Error{Detail: "there is no certificate in the CA file", Hint: "it has to be PEM: -----BEGIN CERTIFICATE-----"}
	}
	return authorities, nil
}

// TrustFile is Trust with the name of a file; "" adds nothing.
func TrustFile(authorities *x509.CertPool, file string) (*x509.CertPool, *Error) {
	if file == "" {
		return authorities, nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, &Error{Detail: "the CA file cannot be read: " + err.Error(), Err: err}
	}
	authorities, e := Trust(authorities, pem)
	if e != nil {
		e.Detail += " " + file
	}
	return authorities, e
}

// SameServer is a CheckRedirect that follows a server to another path of itself, as
// for a repository that was renamed, and nowhere else: the token goes with it.
func SameServer(req *http.Request, via []*http.Request) error {
	first := via[0]
	if req.URL.Scheme != first.URL.Scheme || req.URL.Host != first.URL.Host || req.Method != first.Method || len(via) > 3 {
		return Elsewhere(*req.URL)
	}
	return nil
}

// Elsewhere is the error of a redirection to the address that is not followed.
func Elsewhere(target url.URL) error {
	target.User, target.RawQuery = nil, ""
	return &redirectError{target: target.String()}
}

// Exchange sends the request and reads the answer to its end, most bytes of it. The
// answer's body can be read once more and needs no closing. A web page that reports
// success is an error, since programs get no pages.
func Exchange(next http.RoundTripper, req *http.Request, most int64) (*http.Response, []byte, error) {
	resp, err := next.RoundTrip(req)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, most+1))
	switch {
	case resp.StatusCode >= 400: // the status says enough
		err = nil
	case err == nil && int64(len(body)) > most:
		err = &largeError{most}
	case err == nil && resp.StatusCode < 300 && strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html"):
		err = errPage
	}
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return resp, body, err
}

// Refused is the Error of an answer that is no success, with what the server said and
// what its status means everywhere. The edge knows more of the others.
func Refused(resp *http.Response, said string, now time.Time) *Error {
	e := &Error{Status: resp.StatusCode, Detail: Neutral(said), Wait: retryAfter(resp.Header.Get("Retry-After"), now)}
	if e.Detail == "" {
		e.Detail = http.StatusText(resp.StatusCode)
	}
	switch {
	case resp.StatusCode == http.StatusProxyAuthRequired:
		e.Hint = "the proxy wants a user and a password in its address"
	case resp.StatusCode == http.StatusTooManyRequests:
		e.Again = true
		e.Hint = "the server has had too many requests; try later"
	case resp.StatusCode == http.StatusRequestTimeout, resp.StatusCode >= 500:
		e.Again = true
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
