package gitea

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// transport stands between the SDK and the network: it adds the token, reads every
// answer to its end, makes an [Error] of each that is no success, and sends again
// what may be sent again.
type transport struct {
	forge *Forge
	next  http.RoundTripper
}

// redirect follows the server to another path of itself, as for a repository that
// was renamed, and nowhere else.
func (f *Forge) redirect(req *http.Request, via []*http.Request) error {
	if req.URL.Scheme != f.base.Scheme || req.URL.Host != f.base.Host || req.Method != via[0].Method || len(via) > 3 {
		target := *req.URL
		target.User, target.RawQuery = nil, ""
		return &redirectError{target: target.String()}
	}
	return nil
}

func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	try := 0
	var resp *http.Response
	err := t.forge.again(req.Context(), func() (err error) {
		try++
		resp, err = t.once(req, try) //nolint:bodyclose // the body is in memory by then
		if e := (*Error)(nil); errors.As(err, &e) && !repeatable(req.Method, e, try) {
			return backoff.Permanent(err)
		}
		return err
	})
	if e := (*Error)(nil); try > 1 && errors.As(err, &e) {
		e.Detail += fmt.Sprintf("; tried %d times", try)
	}
	return resp, err
}

// again repeats what fails until it succeeds, fails for good, or has been tried
// often enough.
func (f *Forge) again(ctx context.Context, do func() error) error {
	pauses := backoff.NewExponentialBackOff()
	pauses.InitialInterval = f.options.FirstWait
	pauses.MaxInterval = f.options.MaxWait
	pauses.Multiplier = 2
	var last error
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		last = do()
		var e *Error
		if permanent := (*backoff.PermanentError)(nil); errors.As(last, &permanent) {
			last = permanent.Unwrap()
			return struct{}{}, permanent
		}
		if errors.As(last, &e) && e.wait > 0 {
			if e.wait > f.options.MaxWait {
				e.Detail += "; the server asks to wait for " + e.wait.Round(time.Second).String()
				return struct{}{}, backoff.Permanent(last)
			}
			return struct{}{}, &backoff.RetryAfterError{Duration: e.wait}
		}
		return struct{}{}, last
	}, backoff.WithBackOff(pauses), backoff.WithMaxTries(uint(f.options.Tries)), backoff.WithMaxElapsedTime(0))
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	}
	return last
}

// repeatable reports whether a request that failed may be sent again. One that adds
// something only when the server has not taken it.
func repeatable(method string, e *Error, try int) bool {
	untouched := e.Status == http.StatusTooManyRequests || e.Status == 0 && notConnected(e.Err)
	switch {
	case !e.again:
		return false
	case method == http.MethodPost:
		return untouched
	case e.Status == http.StatusInternalServerError: // Gitea's answer to much that stays wrong
		return method == http.MethodGet && try <= 2
	}
	return true
}

func notConnected(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

// largest bounds an answer in bytes: fifty pull requests with all their text have
// a few million.
const largest = 64 << 20

// once sends the request one time.
func (t *transport) once(req *http.Request, try int) (*http.Response, error) {
	f := t.forge
	ctx, cancel := context.WithTimeout(req.Context(), f.options.Timeout)
	defer cancel()
	send := req.Clone(ctx)
	if req.GetBody != nil {
		body, err := req.GetBody()
		if err != nil {
			return nil, err
		}
		send.Body = body
	}
	send.Header.Set("Authorization", "token "+f.options.Token)
	send.Header.Set("Accept", "application/json")
	send.Header.Set("User-Agent", f.options.UserAgent)

	began := time.Now()
	resp, body, err := t.exchange(send)
	event := Event{Method: req.Method, Path: req.URL.RequestURI(), Took: time.Since(began), Try: try}
	if resp != nil {
		event.Status = resp.StatusCode
	}
	if f.options.Observe != nil {
		f.observe.Lock()
		f.options.Observe(event)
		f.observe.Unlock()
	}
	switch {
	case err != nil:
		e := f.explain(req.Context(), err)
		if req.Method == http.MethodPost && e.again && !notConnected(e.Err) {
			e.Detail += "; it is not known whether the server did it"
			e.Hint = "run the same command again: it looks at what is there first"
		}
		return nil, e
	case resp.StatusCode >= 400:
		return nil, f.refused(resp, body)
	case resp.StatusCode < 300 && strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html"):
		return nil, f.explain(req.Context(), errHTML)
	}
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return resp, nil
}

// exchange sends the request and reads the answer to its end.
func (t *transport) exchange(req *http.Request) (*http.Response, []byte, error) {
	resp, err := t.next.RoundTrip(req)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, largest+1))
	if err == nil && len(body) > largest {
		err = errTooLarge
	}
	if err != nil && resp.StatusCode >= 400 {
		err = nil // the status says enough
	}
	return resp, body, err
}
