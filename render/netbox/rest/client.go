package rest

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
	nb "github.com/netbox-community/go-netbox/v4"
)

// Options say which NetBox to talk to, and how. Only URL and Token are needed.
type Options struct {
	// URL is NetBox's web address, without /api.
	URL string
	// Token is an API token: nbt_..., or forty hexadecimal digits as older
	// NetBoxes make them.
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
	// PageSize is the number of rows asked for at once, 1000 by default and at
	// most. Pages get smaller when NetBox is slow, and larger again.
	PageSize int
	// Streams is the number of requests at a time, 1 to 4; 3 by default.
	Streams int
	// Tries is how often a request is tried in all; 6 by default.
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

// Event is a request to NetBox that ended, for progress bars and logs.
type Event struct {
	// Doing is what the request is part of: "reading interfaces".
	Doing string
	// Method is the HTTP method, Path the path and query behind NetBox's address.
	Method, Path string
	// Status is the HTTP status; 0 without an answer.
	Status int
	// Rows is the number of rows in the answer.
	Rows int
	// Bytes is the size of the answer's body as it was read.
	Bytes int64
	// Took is the time from the request to the end of the answer.
	Took time.Duration
	// Try counts from 1.
	Try int
	// Err is why it failed; nil when it did not.
	Err error
}

// Client talks to one NetBox. Make one with [New]; it is safe for several
// goroutines.
type Client struct {
	options  Options
	base     *url.URL
	api      *nb.APIClient
	http     *http.Client
	slots    chan struct{}
	pace     pace
	secrets  []string
	userinfo *regexp.Regexp
	observe  sync.Mutex
}

// New returns a client. It does not talk to NetBox yet.
func New(o Options) (*Client, error) {
	o.UserAgent = cmp.Or(o.UserAgent, "hedgehog-gitops")
	o.Timeout = cmp.Or(o.Timeout, time.Minute)
	o.PageSize = min(cmp.Or(o.PageSize, 1000), 1000)
	o.Streams = min(max(cmp.Or(o.Streams, 3), 1), 4)
	o.Tries = max(cmp.Or(o.Tries, 6), 1)
	o.FirstWait = cmp.Or(o.FirstWait, 500*time.Millisecond)
	o.MaxWait = cmp.Or(o.MaxWait, 30*time.Second)
	o.Token = strings.TrimSpace(o.Token)
	if o.Proxy == nil {
		o.Proxy = http.ProxyFromEnvironment
	}
	c := &Client{options: o, slots: make(chan struct{}, o.Streams), userinfo: userinfo()}
	c.pace = pace{most: o.PageSize, size: map[string]int{}}
	wrong := func(detail, hint string, err error) (*Client, error) {
		return nil, &Error{Doing: "connecting to NetBox", Detail: c.scrub(detail), Hint: hint, Err: err}
	}
	if o.Token == "" {
		return wrong("there is no token", "make one in NetBox (user menu, API tokens) and set NETBOX_TOKEN to it", nil)
	}
	if strings.ContainsFunc(o.Token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return wrong("the token has a character that no token has", "set NETBOX_TOKEN to the token alone, as NetBox showed it", nil)
	}
	c.secrets = []string{o.Token}
	if key, secret, ok := strings.Cut(o.Token, "."); ok && len(secret) >= 8 {
		c.secrets = append(c.secrets, key+"."+secret, secret)
	}

	base, err := url.Parse(strings.TrimSpace(o.URL))
	switch {
	case strings.TrimSpace(o.URL) == "":
		return wrong("there is no address", "set NETBOX_URL to the web address of NetBox", nil)
	case err != nil: // the error repeats the address, perhaps with a password
		return wrong("the address of NetBox is not one", hintURL, nil)
	case base.Scheme != "http" && base.Scheme != "https" || base.Host == "":
		return wrong("the address of NetBox does not begin with https:// or http://", hintURL, nil)
	case base.User != nil:
		return wrong("the address of NetBox holds a user name", "take it out: the token alone says who you are", nil)
	}
	base.RawQuery, base.Fragment = "", ""
	base.Path = strings.TrimSuffix(strings.TrimSuffix(strings.TrimRight(base.Path, "/"), "/api"), "/")
	base.RawPath = ""
	c.base = base

	roots := o.RootCAs
	if o.CAFile != "" {
		pem, err := os.ReadFile(o.CAFile)
		if err != nil {
			return wrong("the CA file cannot be read: "+err.Error(), "", err)
		}
		if roots == nil {
			if roots, err = x509.SystemCertPool(); err != nil {
				roots = x509.NewCertPool()
			}
		} else {
			roots = roots.Clone()
		}
		if !roots.AppendCertsFromPEM(pem) {
			return wrong("there is no certificate in the CA file "+o.CAFile, "it has to be PEM: -----BEGIN CERTIFICATE-----", nil)
		}
	}
	dialer := &net.Dialer{Timeout: 15 * time.Second, KeepAlive: 30 * time.Second}
	c.http = &http.Client{
		CheckRedirect: c.redirect,
		Transport: &transport{client: c, next: &http.Transport{
			Proxy:               o.Proxy,
			DialContext:         dialer.DialContext,
			ForceAttemptHTTP2:   true,
			TLSClientConfig:     &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout: 15 * time.Second,
			MaxIdleConnsPerHost: o.Streams,
			IdleConnTimeout:     90 * time.Second,
		}},
	}
	cfg := nb.NewConfiguration()
	cfg.HTTPClient = c.http
	cfg.UserAgent = o.UserAgent
	cfg.Servers = nb.ServerConfigurations{{URL: base.String()}}
	c.api = nb.NewAPIClient(cfg)
	return c, nil
}

// redirect lets a GET follow NetBox to another path of itself, and nothing else.
func (c *Client) redirect(req *http.Request, via []*http.Request) error {
	if req.URL.Scheme != c.base.Scheme || req.URL.Host != c.base.Host || via[0].Method != http.MethodGet || len(via) > 3 {
		target := *req.URL
		target.User, target.RawQuery = nil, ""
		return &redirectError{target: target.String()}
	}
	return nil
}

// answer is what a request came to, taken down by the transport.
type answer struct {
	method string
	path   string
	status int
	header http.Header
	body   []byte // of a refusal, cut
	bytes  int64
	rows   int                        // of a page, counted by read
	query  url.Values                 // put into the request
	read   func(body io.Reader) error // given the body of a 2xx answer
}

type answerKey struct{}

// transport stands between go-netbox and the network: it adds what go-netbox
// does not know (token, start, fields) and reads the answer in its place.
type transport struct {
	client *Client
	next   http.RoundTripper
}

func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	c := t.client
	a, _ := req.Context().Value(answerKey{}).(*answer)
	if a == nil || req.URL.Scheme != c.base.Scheme || req.URL.Host != c.base.Host {
		return nil, errors.New("a request that does not go to NetBox")
	}
	req = req.Clone(req.Context())
	query := req.URL.Query()
	maps.Copy(query, a.query)
	req.URL.RawQuery = query.Encode()
	word := "Token "
	if strings.HasPrefix(c.options.Token, "nbt_") {
		word = "Bearer "
	}
	req.Header.Set("Authorization", word+c.options.Token)
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Accept-Language", "en")
	a.method, a.path = req.Method, req.URL.RequestURI()
	a.status, a.header, a.body, a.bytes, a.rows = 0, nil, nil, 0, 0

	resp, err := t.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	a.status, a.header = resp.StatusCode, resp.Header
	defer resp.Body.Close()
	counted := &counter{r: resp.Body, n: &a.bytes, most: maxAnswer}
	if resp.StatusCode >= 300 {
		a.body, err = io.ReadAll(io.LimitReader(counted, 64<<10))
		if err != nil && len(a.body) == 0 && resp.StatusCode >= 500 {
			err = nil // the status says enough
		}
	} else {
		err = a.take(resp.Header, counted)
	}
	if err != nil {
		return nil, err
	}
	resp.Body, resp.ContentLength = http.NoBody, 0
	resp.Header.Del("Content-Length")
	return resp, nil
}

func (a *answer) take(header http.Header, body io.Reader) error {
	if kind := header.Get("Content-Type"); strings.HasPrefix(kind, "text/html") {
		return errHTML
	}
	if a.read != nil {
		if err := a.read(body); err != nil {
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				err = errTruncated
			}
			return err
		}
	}
	_, err := io.Copy(io.Discard, io.LimitReader(body, 1<<20)) // to the end, for the next request on this connection
	return err
}

// maxAnswer bounds an answer in bytes; a page of a thousand rows has a few million.
const maxAnswer = 128 << 20

// counter counts what is read, and ends what is more than most.
type counter struct {
	r    io.Reader
	n    *int64
	most int64
}

func (c *counter) Read(p []byte) (int, error) {
	if *c.n > c.most {
		return 0, errTooLarge
	}
	n, err := c.r.Read(p)
	*c.n += int64(n)
	return n, err
}

// once does one request and one answer, within the timeout and the streams.
func (c *Client) once(ctx context.Context, doing string, try int, a *answer, send func(context.Context) error) *Error {
	select {
	case c.slots <- struct{}{}:
	case <-ctx.Done():
		return c.failure(ctx, doing, nil, ctx.Err())
	}
	defer func() { <-c.slots }()
	limited, cancel := context.WithTimeout(context.WithValue(ctx, answerKey{}, a), c.options.Timeout)
	defer cancel()
	began := time.Now()
	err := send(limited)
	took := time.Since(began)
	var failed *Error
	if err != nil || a.status >= 300 {
		failed = c.failure(ctx, doing, a, err)
	}
	if c.options.Observe != nil {
		event := Event{Doing: doing, Method: a.method, Path: a.path, Status: a.status, Rows: a.rows, Bytes: a.bytes, Took: took, Try: try}
		if failed != nil {
			event.Err = failed
		}
		c.observe.Lock()
		c.options.Observe(event)
		c.observe.Unlock()
	}
	return failed
}

// get repeats a reading request until it succeeds, cannot succeed, or has been
// tried often enough. Prepare is called before each try, failed after each that
// came to nothing.
func (c *Client) get(ctx context.Context, doing string, prepare func() *answer, send func(context.Context) error, failed func(*Error)) error {
	pauses := backoff.NewExponentialBackOff()
	pauses.InitialInterval = c.options.FirstWait
	pauses.MaxInterval = c.options.MaxWait
	pauses.Multiplier = 2
	try, plain := 0, 0
	var last *Error
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		try++
		last = c.once(ctx, doing, try, prepare(), send)
		if last != nil {
			failed(last)
		}
		switch {
		case last == nil:
			return struct{}{}, nil
		case !last.again:
			return struct{}{}, backoff.Permanent(last)
		case last.Status == http.StatusInternalServerError:
			if plain++; plain > 2 {
				return struct{}{}, backoff.Permanent(last)
			}
		case last.wait > c.options.MaxWait:
			last.Detail += "; the server asks to wait for " + last.wait.Round(time.Second).String()
			return struct{}{}, backoff.Permanent(last)
		case last.wait > 0:
			return struct{}{}, &backoff.RetryAfterError{Duration: last.wait}
		}
		return struct{}{}, last
	}, backoff.WithBackOff(pauses), backoff.WithMaxTries(uint(c.options.Tries)), backoff.WithMaxElapsedTime(0))
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return c.failure(ctx, doing, nil, ctx.Err())
	}
	if last.again && try > 1 {
		last.Detail += "; tried " + plural(try, "time")
	}
	return last
}

// write does a request that changes something: once, unless the server did not
// take it at all.
func (c *Client) write(ctx context.Context, doing string, into any, send func(context.Context) error) error {
	for try := 1; ; try++ {
		a := &answer{}
		a.read = func(body io.Reader) error {
			data, err := io.ReadAll(body)
			if err != nil || into == nil {
				return err
			}
			decoder := json.NewDecoder(bytes.NewReader(data))
			decoder.UseNumber()
			return decoder.Decode(into)
		}
		failed := c.once(ctx, doing, try, a, send)
		if failed == nil {
			return nil
		}
		untouched := failed.Status == http.StatusTooManyRequests || failed.Status == 0 && notConnected(failed.Err)
		if !untouched || try >= c.options.Tries || failed.wait > c.options.MaxWait {
			if failed.again && !untouched {
				failed.Detail += "; it is not known whether NetBox did it"
				failed.Hint = "run the same command again: it looks at what is there first"
			}
			return failed
		}
		pause := cmp.Or(failed.wait, c.options.FirstWait<<min(try-1, 6))
		select {
		case <-time.After(min(pause, c.options.MaxWait)):
		case <-ctx.Done():
			return c.failure(ctx, doing, nil, ctx.Err())
		}
	}
}

func notConnected(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

// largestBody is what NetBox takes; it answers 500 to more.
const largestBody = 2 << 20

// raw sends a request that go-netbox cannot build. Header is names and values.
func (c *Client) raw(method, path string, body any, header ...string) func(context.Context) error {
	return func(ctx context.Context) error {
		var reader io.Reader
		if body != nil {
			data, err := json.Marshal(body)
			if err != nil {
				return err
			}
			if len(data) > largestBody {
				return fmt.Errorf("a request of %d bytes: NetBox takes %d", len(data), largestBody)
			}
			reader = bytes.NewReader(data)
		}
		req, err := http.NewRequestWithContext(ctx, method, c.base.String()+path, reader)
		if err != nil {
			return err
		}
		req.Header.Set("User-Agent", c.options.UserAgent)
		if body != nil {
			req.Header.Set("Content-Type", "application/json")
		}
		for i := 0; i+1 < len(header); i += 2 {
			req.Header.Set(header[i], header[i+1])
		}
		resp, err := c.http.Do(req)
		if err != nil {
			return err
		}
		return resp.Body.Close()
	}
}

// pace holds how many rows of each model are asked for at once.
type pace struct {
	sync.Mutex
	most int
	size map[string]int
}

func (p *pace) now(model string) int {
	p.Lock()
	defer p.Unlock()
	return cmp.Or(p.size[model], p.most)
}

const (
	smallestPage = 10
	slowPage     = 10 * time.Second
)

// slower halves the page, at most to half of the one that was slow.
func (p *pace) slower(model string, page int) {
	p.Lock()
	defer p.Unlock()
	p.size[model] = max(min(cmp.Or(p.size[model], p.most), page/2), min(smallestPage, p.most))
}

// faster makes the page a tenth larger.
func (p *pace) faster(model string) {
	p.Lock()
	defer p.Unlock()
	if size := p.size[model]; size != 0 {
		p.size[model] = min(size+max(size/10, 1), p.most)
	}
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
