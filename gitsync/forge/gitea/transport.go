package gitea

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/cenkalti/backoff/v5"

	"hedgehog-gitops/gitsync/edge"
)

// transport stands between the SDK and the network: it adds the token, reads every
// answer to its end, makes an [Error] of each that is no success, and sends again
// what may be sent again.
type transport struct {
	forge *Forge
	next  http.RoundTripper
}

func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	try := 0
	var resp *http.Response
	err := t.forge.again(req.Context(), func() (err error) {
		try++
		resp, err = t.once(req, try) //nolint:bodyclose // the body is in memory by then
		if e := (*edge.Error)(nil); errors.As(err, &e) && !repeatable(req.Method, e, try) {
			return backoff.Permanent(err)
		}
		return err
	})
	if e := (*edge.Error)(nil); try > 1 && errors.As(err, &e) {
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
		var e *edge.Error
		if permanent := (*backoff.PermanentError)(nil); errors.As(last, &permanent) {
			last = permanent.Unwrap()
			return struct{}{}, permanent
		}
		if errors.As(last, &e) && e.Wait > 0 {
			if e.Wait > f.options.MaxWait {
				e.Detail += "; the server asks to wait for " + e.Wait.Round(time.Second).String()
				return struct{}{}, backoff.Permanent(last)
			}
			return struct{}{}, &backoff.RetryAfterError{Duration: e.Wait}
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
func repeatable(method string, e *edge.Error, try int) bool {
	untouched := e.Status == http.StatusTooManyRequests || e.Unsent()
	switch {
	case !e.Again:
		return false
	case method == http.MethodPost:
		return untouched
	case e.Status == http.StatusInternalServerError: // Gitea's answer to much that stays wrong
		return method == http.MethodGet && try <= 2
	}
	return true
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
	resp, body, err := edge.Exchange(t.next, send, largest)
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
		if req.Method == http.MethodPost && e.Again && !e.Unsent() {
			e.Detail += "; it is not known whether the server did it"
			e.Hint = "run the same command again: it looks at what is there first"
		}
		return nil, e
	case resp.StatusCode >= 400:
		return nil, f.refused(resp, body)
	}
	return resp, nil
}
