package git

import (
	"bytes"
	"context"
	"crypto/x509"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/go-git/go-git/v5/plumbing/protocol/packp"

	"hedgehog-gitops/gitsync/edge"
)

// httpWire speaks smart HTTP.
type httpWire struct {
	options *Options
	client  *http.Client
	// secret is told of every token, so that none is printed.
	secret func(string)

	mu   sync.Mutex
	base *url.URL // of the repository, without credentials
	// gives is what the uploading service said last: it need not be asked again for
	// every fetch.
	gives *packp.AdvRefs
}

func newHTTPWire(base *url.URL, o *Options, authorities *x509.CertPool, secret func(string)) *httpWire {
	return &httpWire{options: o, secret: secret, base: base, client: &http.Client{
		CheckRedirect: sameServer,
		Transport:     edge.Transport(o.Proxy, authorities),
	}}
}

// sameServer lets the first question follow the server to another path of itself,
// as those that were renamed have, and nothing else.
func sameServer(req *http.Request, via []*http.Request) error {
	const question = "/info/refs"
	if via[0].Method == http.MethodGet && strings.HasSuffix(req.URL.Path, question) && edge.SameServer(req, via) == nil {
		return nil
	}
	target := *req.URL
	target.Path, target.RawPath = strings.TrimSuffix(target.Path, question), strings.TrimSuffix(target.RawPath, question)
	return edge.Elsewhere(target)
}

// send sends a request and returns the body of a success, and from where it came.
func (w *httpWire) send(ctx context.Context, s *silence, service, method, path, wants string, body []byte) (io.ReadCloser, *url.URL, error) {
	w.mu.Lock()
	address := *w.base
	w.mu.Unlock()
	path, query, _ := strings.Cut(path, "?")
	address.Path = strings.TrimSuffix(address.Path, "/") + path
	if address.RawPath != "" {
		address.RawPath = strings.TrimSuffix(address.RawPath, "/") + path
	}
	address.RawQuery = query
	req, err := http.NewRequestWithContext(ctx, method, address.String(), &heard{bytes.NewReader(body), ctx, s})
	if err != nil {
		return nil, nil, err
	}
	req.ContentLength = int64(len(body))
	if len(body) == 0 {
		req.Body = http.NoBody
	}
	req.Header.Set("User-Agent", userAgent)
	req.Header.Set("Accept", wants)
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-"+service+"-request")
	}
	authorized, err := w.authorize(ctx, req)
	if err != nil {
		return nil, nil, err
	}
	resp, err := w.client.Do(req)
	if err != nil {
		return nil, nil, err
	}
	if kind, _, _ := strings.Cut(resp.Header.Get("Content-Type"), ";"); resp.StatusCode == http.StatusOK && kind == wants {
		return resp.Body, resp.Request.URL, nil
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(resp.Body, 4096))
	if resp.StatusCode != http.StatusOK {
		if !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/plain") {
			text = nil
		}
		return nil, nil, refused(service, resp, text, authorized)
	}
	return nil, nil, &edge.Error{Detail: "the answer is not one of a Git server", Err: errNotGit,
		Hint: hintURL + "; a login page or a proxy may have answered"}
}

// authorize adds the credentials, if there are some.
func (w *httpWire) authorize(ctx context.Context, req *http.Request) (bool, error) {
	if w.options.Token == nil {
		return false, nil
	}
	token, err := w.options.Token(ctx)
	if err != nil {
		return false, &edge.Error{Detail: "there is no token: " + edge.Neutral(err.Error()), Err: err}
	}
	if token == "" {
		return false, nil
	}
	w.secret(token)
	if strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return false, &edge.Error{Detail: "the token has a character that no token has", Hint: "give the token alone, as the server showed it"}
	}
	if w.options.Bearer {
		req.Header.Set("Authorization", "Bearer "+token)
	} else {
		req.SetBasicAuth(w.options.User, token)
	}
	return true, nil
}

func (w *httpWire) refs(ctx context.Context, service string) (*packp.AdvRefs, error) {
	ctx, s := listen(ctx, w.options.Silence)
	defer s.stop()
	body, from, err := w.send(ctx, s, service, http.MethodGet, "/info/refs?service="+service, "application/x-"+service+"-advertisement", nil)
	if err != nil {
		return nil, heardError(ctx, err)
	}
	defer body.Close()
	refs, err := decodeRefs(&heard{body, ctx, s})
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if path, ok := strings.CutSuffix(from.EscapedPath(), "/info/refs"); ok { // perhaps redirected
		if base, err := w.base.Parse(path); err == nil && path != "" {
			w.base = base
		}
	}
	if service == uploadPack {
		w.gives = refs
	}
	return refs, nil
}

func (w *httpWire) call(ctx context.Context, service string, ask func(*packp.AdvRefs) ([]byte, error)) (*answer, error) {
	w.mu.Lock()
	refs := w.gives
	w.mu.Unlock()
	if refs == nil || service != uploadPack {
		var err error
		if refs, err = w.refs(ctx, service); err != nil {
			return nil, err
		}
	}
	request, err := ask(refs)
	if err != nil {
		return nil, err
	}
	ctx, s := listen(ctx, w.options.Silence)
	body, _, err := w.send(ctx, s, service, http.MethodPost, "/"+service, "application/x-"+service+"-result", request)
	if err != nil {
		err = heardError(ctx, err)
		s.stop()
		return nil, err
	}
	rest := &heard{body, ctx, s}
	return &answer{rest, func() error {
		drain(rest)
		s.stop()
		body.Close()
		return nil
	}}, nil
}

func (w *httpWire) close() error {
	w.client.CloseIdleConnections()
	return nil
}

// heardError is why a context ended, where it was that.
func heardError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}
