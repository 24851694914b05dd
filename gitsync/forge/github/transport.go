package github

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"

	"hedgehog-gitops/gitsync/edge"
)

// task is what a request is part of. It travels in the request's context.
type task struct {
	// doing is what is being done: "opening a pull request".
	doing string
	// right is what a token needs for it: "pull requests: write".
	right string
	// harmless says that doing it twice is doing it once.
	harmless bool
	// bearer is what stands in for the token.
	bearer string
}

type taskKey struct{}

// task adds to the context what its requests are part of.
func (f *Forge) task(ctx context.Context, t task) context.Context {
	return context.WithValue(ctx, taskKey{}, t)
}

func taskOf(ctx context.Context) task {
	t, _ := ctx.Value(taskKey{}).(task)
	return t
}

// transport stands between go-github and the network: it adds the token, keeps to
// GitHub's limits, reads every answer to its end, makes an [Error] of each that is
// no success, and sends again what may be sent again.
type transport struct {
	forge *Forge
	next  http.RoundTripper
	// writing is held by the one request that writes.
	writing chan struct{}

	mu sync.Mutex
	// free is when the next request may be sent, write when the next one that writes.
	free, write time.Time
}

// RoundTrip sends the request until it succeeds, fails for good, or has been tried
// often enough.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	f, ctx := t.forge, req.Context()
	pauses := backoff.NewExponentialBackOff()
	pauses.InitialInterval, pauses.MaxInterval, pauses.Multiplier = f.options.FirstWait, f.options.MaxWait, 2
	perhaps := false // an earlier try may have done it
	for try := 1; ; try++ {
		resp, err := t.once(req)
		if err == nil {
			return resp, nil
		}
		var e *edge.Error
		if !errors.As(err, &e) {
			return nil, err
		}
		refusalOf(e).perhaps = perhaps
		if try > 1 {
			e.Detail += fmt.Sprintf("; tried %d times", try)
		}
		pause, again := t.again(req, e, pauses)
		switch {
		case !again || ctx.Err() != nil:
			return nil, e
		case pause > f.options.MaxWait:
			e.Detail += fmt.Sprintf("; GitHub asks to wait until %s", f.options.Now().Add(pause).UTC().Format("15:04:05 MST on 2 January"))
			return nil, e
		case try >= f.options.Tries:
			return nil, e
		}
		perhaps = perhaps || !untouched(e)
		if refusalOf(e).limited {
			t.mu.Lock() // the limit is that of all requests
			t.free = later(t.free, f.options.Now().Add(pause))
			t.mu.Unlock()
		} else if err := f.options.Sleep(ctx, pause); err != nil {
			return nil, e
		}
	}
}

// again says whether the request may be sent once more, and how long to wait.
func (t *transport) again(req *http.Request, e *edge.Error, pauses *backoff.ExponentialBackOff) (time.Duration, bool) {
	pause := max(pauses.NextBackOff(), 0)
	switch {
	case !e.Again:
		return 0, false
	case !untouched(e) && req.Method != http.MethodGet && !taskOf(req.Context()).harmless:
		e.Detail += "; it is not known whether GitHub did it"
		e.Hint = "run the same command again: it looks at what is there first"
		return 0, false
	case e.Wait > 0:
		return e.Wait, true
	case refusalOf(e).limited: // GitHub does not say for how long: at least a minute, then more
		return max(time.Minute, 2*pause), true
	}
	return pause, true
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// turn waits until the request may be sent. Those that write go one after the other,
// with a pause between them; the function that is returned ends the turn.
func (t *transport) turn(ctx context.Context, writes bool) (func(), error) {
	o := t.forge.options
	done := func() {}
	if writes {
		select {
		case t.writing <- struct{}{}:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
		done = func() {
			t.mu.Lock()
			t.write = o.Now().Add(o.Pace)
			t.mu.Unlock()
			<-t.writing
		}
	}
	for {
		t.mu.Lock()
		at := t.free
		if writes {
			at = later(at, t.write)
		}
		t.mu.Unlock()
		pause := at.Sub(o.Now())
		if pause <= 0 {
			return done, nil
		}
		if err := o.Sleep(ctx, pause); err != nil {
			if writes {
				<-t.writing
			}
			return nil, err
		}
	}
}

// largest bounds an answer in bytes: a tree of a hundred thousand files has some
// twenty million.
const largest = 128 << 20

// once sends the request one time.
func (t *transport) once(req *http.Request) (*http.Response, error) {
	f, job := t.forge, taskOf(req.Context())
	bearer := job.bearer
	if bearer == "" {
		var err error
		if bearer, err = f.Token(req.Context()); err != nil {
			return nil, err
		}
	}
	done, err := t.turn(req.Context(), req.Method != http.MethodGet && job.bearer == "")
	if err != nil {
		return nil, f.explain(req.Context(), err)
	}
	defer done()
	ctx, cancel := context.WithTimeout(req.Context(), f.options.Timeout)
	defer cancel()
	send := req.Clone(ctx)
	if req.GetBody != nil {
		if send.Body, err = req.GetBody(); err != nil {
			return nil, err
		}
	}
	send.Header.Set("Authorization", "Bearer "+bearer)
	send.Header.Set("X-GitHub-Api-Version", "2022-11-28")

	resp, body, err := edge.Exchange(t.next, send, largest)
	switch {
	case err != nil:
		return nil, f.explain(req.Context(), err)
	case resp.StatusCode >= 400 || req.URL.Path == f.graphql.Path && bytes.Contains(body, []byte(`"RATE_LIMITED"`)):
		return nil, f.refused(req.Context(), resp, body)
	}
	for name := range resp.Header {
		if strings.HasPrefix(name, "X-Ratelimit-") {
			delete(resp.Header, name) // go-github would not send the next request
		}
	}
	return resp, nil
}

// untouched reports whether GitHub has certainly not done what it was asked for.
func untouched(e *edge.Error) bool { return refusalOf(e).limited || e.Unsent() }
