package github_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	hub "hedgehog-gitops/fixtures/github"
	"hedgehog-gitops/gitsync"
	"hedgehog-gitops/gitsync/edge"
	"hedgehog-gitops/gitsync/forge/github"
)

// clock is a time that passes when somebody sleeps.
type clock struct {
	mu    sync.Mutex
	now   time.Time
	slept []time.Duration
}

func newClock() *clock { return &clock{now: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now, c.slept = c.now.Add(d), append(c.slept, d)
	return context.Cause(ctx)
}

// took returns how long was slept since the last call.
func (c *clock) took() (total time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, d := range c.slept {
		total += d
	}
	c.slept = nil
	return total
}

// fixture is a server with a branch to propose, and a forge whose time passes in
// no time.
type fixture struct {
	*hub.Server
	clock *clock
	forge *github.Forge
}

const branch = "hedgehog-gitops/fabric-a"

// newFixture makes both; more changes the options.
func newFixture(t *testing.T, o hub.Options, identity string, more func(*hub.Server, *github.Options)) fixture {
	t.Helper()
	c := newClock()
	o.Now = c.Now
	s := hub.Start(t, o)
	s.Repo.Git(t, "branch", branch, "main")
	s.Repo.Commit(t, branch, map[string]string{"fabrics/a.yaml": "a\n"})
	fo := identities()[identity](s)
	fo.FirstWait, fo.Pace, fo.Now, fo.Sleep = 0, 0, c.Now, c.Sleep
	if more != nil {
		more(s, &fo)
	}
	f := fixture{s, c, connect(t, fo)}
	s.Requests()
	c.took()
	return f
}

func proposal() gitsync.NewPullRequest {
	return gitsync.NewPullRequest{Base: "main", Head: branch, Title: "feat: a change", Body: "the body"}
}

// open opens the usual pull request.
func (f fixture) open(t *testing.T) gitsync.PullRequest {
	t.Helper()
	pr, err := f.forge.Open(t.Context(), proposal())
	if err != nil {
		t.Fatal(err)
	}
	f.Requests()
	f.clock.took()
	return pr
}

func TestLimitsAreWaitedFor(t *testing.T) {
	t.Parallel()
	start := newClock().now
	for name, test := range map[string]struct {
		fault       hub.Fault
		least, most time.Duration
		want        string // of the error; "" for none
	}{
		"secondary, with a time":       {hub.Secondary("issues/create-comment", 17), 17 * time.Second, 18 * time.Second, ""},
		"secondary, without":           {hub.Secondary("issues/create-comment", 0), time.Minute, 2 * time.Minute, ""},
		"secondary, again and again":   {hub.Fault{Operation: "issues/create-comment", Status: 429, Message: "secondary rate limit", Times: 9}, 4 * time.Minute, 10 * time.Minute, "tried 5 times"},
		"secondary, too long":          {hub.Secondary("issues/create-comment", 600), 0, time.Second, "wait until 09:10:"},
		"requests an hour":             {hub.Primary("issues/create-comment", start.Add(90*time.Second)), 90 * time.Second, 92 * time.Second, ""},
		"requests an hour, too long":   {hub.Primary("issues/create-comment", start.Add(40*time.Minute)), 0, time.Second, "wait until 09:40:"},
		"requests an hour, just over":  {hub.Primary("issues/create-comment", start.Add(-time.Minute)), time.Second, 3 * time.Second, ""},
		"a proxy's limit, with a time": {hub.Fault{Operation: "issues/create-comment", Status: 429, HTML: true, Header: http.Header{"Retry-After": {"3"}}}, 3 * time.Second, 4 * time.Second, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, hub.Options{}, "a person's token", nil)
			pr := f.open(t)
			f.clock.now = start
			f.Fail(test.fault)
			_, err := f.forge.Comment(t.Context(), pr.Number, "hello")
			took := f.clock.took()
			switch {
			case test.want == "" && err != nil:
				t.Error(err)
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
				t.Errorf("error %v, want one with %q", err, test.want)
			case test.most > 0 && (took < test.least || took > test.most+time.Second): // a second of it is the pace
				t.Errorf("it waited %v, want %v to %v", took, test.least, test.most)
			}
			want := 1
			if test.want != "" {
				want = 0
			}
			if got := len(f.PullRequests()[0].Comments); got != want {
				t.Errorf("there are %d comments, want %d", got, want)
			}
		})
	}
}

// The last request of an hour says so, and the next one is sent all the same: only
// GitHub knows when the hour is over.
func TestTheLastRequestOfAnHourIsNoReasonToStop(t *testing.T) {
	t.Parallel()
	f := newFixture(t, hub.Options{}, "a person's token", nil)
	pr := f.open(t)
	f.Fail(hub.Fault{Operation: "issues/list-comments", Status: 200, Raw: "[]", Header: http.Header{
		"X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Reset": {strconv.FormatInt(time.Now().Add(time.Hour).Unix(), 10)},
	}})
	for range 2 {
		if _, err := f.forge.Comments(t.Context(), pr.Number); err != nil {
			t.Error(err)
		}
	}
	if n := len(f.Requests()); n != 2 {
		t.Errorf("%d requests were sent, want 2", n)
	}
}

func TestWritesKeepTheirPaceAndReadsDoNot(t *testing.T) {
	t.Parallel()
	f := newFixture(t, hub.Options{}, "a person's token", nil)
	pr := f.open(t)
	for range 3 {
		if _, err := f.forge.Comments(t.Context(), pr.Number); err != nil {
			t.Fatal(err)
		}
	}
	if took := f.clock.took(); took != 0 {
		t.Errorf("reading waited %v", took)
	}
	var group sync.WaitGroup
	for range 4 { // the one that opened it was the first
		group.Go(func() {
			if _, err := f.forge.Comment(t.Context(), pr.Number, "hello"); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if took := f.clock.took(); took != 4*time.Second {
		t.Errorf("four comments after another write took %v, want 4s", took)
	}
}

func TestWaitingEndsWithTheContext(t *testing.T) {
	t.Parallel()
	f := newFixture(t, hub.Options{}, "a person's token", func(_ *hub.Server, o *github.Options) { o.Sleep, o.Now, o.Pace = nil, nil, -1 })
	pr := f.open(t)
	f.Fail(hub.Secondary("issues/create-comment", 60))
	stop := errors.New("stopped by the test")
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() {
		for len(f.Requests()) == 0 { // until the limit is told
			time.Sleep(time.Millisecond)
		}
		cancel(stop)
	}()
	began := time.Now()
	if _, err := f.forge.Comment(ctx, pr.Number, "hello"); !errors.Is(err, stop) && !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want that of the context", err)
	}
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("it took %v to stop", took)
	}
}

func TestASlowAnswerIsGivenUp(t *testing.T) {
	t.Parallel()
	f := newFixture(t, hub.Options{}, "a person's token", func(_ *hub.Server, o *github.Options) { o.Timeout, o.Tries = 300*time.Millisecond, 2 })
	f.Fail(hub.Fault{Operation: "pulls/list", Slow: time.Hour, Times: 2})
	_, err := f.forge.PullRequests(t.Context(), branch)
	if err == nil || !strings.Contains(err.Error(), "no answer within 300ms; tried 2 times") {
		t.Errorf("error %v", err)
	}
	f.Fail(hub.Fault{Operation: "pulls/list", Slow: time.Hour})
	if _, err := f.forge.PullRequests(t.Context(), branch); err != nil {
		t.Errorf("the second try was not slow: %v", err)
	}
}

func TestReadingIsRepeated(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]hub.Fault{
		"a gateway that failed": {Operation: "pulls/list", Status: http.StatusBadGateway, HTML: true, Times: 4},
		"no JSON, and a 503":    {Operation: "pulls/list", Status: http.StatusServiceUnavailable, HTML: true, Times: 4},
		"cut off":               {Operation: "pulls/list", Cut: true, Times: 4},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, hub.Options{}, "a person's token", nil)
			pr := f.open(t)
			f.Fail(fault)
			all, err := f.forge.PullRequests(t.Context(), branch)
			if err != nil || len(all) != 1 || all[0].Number != pr.Number {
				t.Errorf("found %+v, %v", all, err)
			}
			if took := f.clock.took(); took < 1500*time.Millisecond || took > 15*time.Second {
				// 0.5, 1, 2, 4, each a half more or less; Go itself repeats, at once, what is cut off on a connection kept
				t.Errorf("it waited %v", took)
			}
			fault.Times = 50
			f.Fail(fault)
			if _, err = f.forge.PullRequests(t.Context(), branch); err == nil || !strings.Contains(err.Error(), "tried 5 times") {
				t.Errorf("error %v, want one that says how often it was tried", err)
			}
		})
	}
}

// Each call, killed once at each request that it makes.
func TestEachCallSurvivesWhatGetsLost(t *testing.T) {
	t.Parallel()
	body, title, closed := "another body", "fix: another", gitsync.Closed
	calls := map[string]struct {
		operation string
		call      func(context.Context, fixture, gitsync.PullRequest) error
		done      func(hub.PullRequest) bool
	}{
		"edit": {"pulls/update", func(ctx context.Context, f fixture, pr gitsync.PullRequest) error {
			return f.forge.Edit(ctx, pr.Number, gitsync.Edit{Title: &title, Body: &body, State: &closed})
		}, func(p hub.PullRequest) bool { return p.Title == title && p.Body == body && p.State == "closed" }},
		"labels": {"issues/add-labels", func(ctx context.Context, f fixture, pr gitsync.PullRequest) error {
			return f.forge.AddLabels(ctx, pr.Number, []string{"netbox"})
		}, func(p hub.PullRequest) bool { return slices.Equal(p.Labels, []string{"netbox"}) }},
		"assignees": {"issues/add-assignees", func(ctx context.Context, f fixture, pr gitsync.PullRequest) error {
			return f.forge.AddAssignees(ctx, pr.Number, []string{"bob"})
		}, func(p hub.PullRequest) bool { return slices.Equal(p.Assignees, []string{"bob"}) }},
		"reviewers": {"pulls/request-reviewers", func(ctx context.Context, f fixture, pr gitsync.PullRequest) error {
			return f.forge.RequestReviewers(ctx, pr.Number, []string{"bob"})
		}, func(p hub.PullRequest) bool { return slices.Equal(p.Reviewers, []string{"bob"}) }},
		"a draft": {"convertPullRequestToDraft", func(ctx context.Context, f fixture, pr gitsync.PullRequest) error {
			return f.forge.SetDraft(ctx, pr, true)
		}, func(p hub.PullRequest) bool { return p.Draft }},
		"auto-merge": {"enablePullRequestAutoMerge", func(ctx context.Context, f fixture, pr gitsync.PullRequest) error {
			return f.forge.AutoMerge(ctx, pr, "squash")
		}, func(p hub.PullRequest) bool { return p.AutoMerge == "squash" }},
	}
	faults := map[string]func(string) hub.Fault{
		"a gateway that failed":       hub.BadGateway,
		"a gateway that failed later": hub.BadGatewayAfter,
		"cut before":                  hub.CutBefore,
		"cut after":                   hub.Lost,
	}
	for name, c := range calls {
		for how, fault := range faults {
			t.Run(name+", "+how, func(t *testing.T) {
				t.Parallel()
				f := newFixture(t, hub.Options{}, "an App", nil)
				f.Invite("bob", "write")
				f.Protect("main", 1)
				pr := f.open(t)
				f.Fail(fault(c.operation))
				if err := c.call(t.Context(), f, pr); err != nil {
					t.Error(err)
				}
				if p := f.PullRequests()[0]; !c.done(p) {
					t.Errorf("it is %+v", p)
				}
				if f.Left() != 0 {
					t.Error("nothing went wrong")
				}
			})
		}
	}
}

func TestOpeningSurvivesWhatGetsLost(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]hub.Fault{
		"a gateway that failed":       hub.BadGateway("pulls/create"),
		"a gateway that failed later": hub.BadGatewayAfter("pulls/create"),
		"cut before":                  hub.CutBefore("pulls/create"),
		"cut after":                   hub.Lost("pulls/create"),
		"a limit":                     hub.Secondary("pulls/create", 5),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, hub.Options{}, "a person's token", nil)
			f.Fail(fault)
			pr, err := f.forge.Open(t.Context(), proposal())
			if err != nil || pr.Number != 1 || pr.Title != proposal().Title {
				t.Errorf("opened %+v, %v", pr, err)
			}
			if all := f.PullRequests(); len(all) != 1 {
				t.Errorf("there are %d", len(all))
			}
		})
	}
	t.Run("somebody else's is not taken for ours", func(t *testing.T) {
		t.Parallel()
		f := newFixture(t, hub.Options{}, "a person's token", nil)
		bob := f.Person("bob")
		fault := hub.CutBefore("pulls/create")
		fault.Meanwhile = func() { bob.Open(branch, "bob's", "bob's") }
		f.Fail(fault)
		if pr, err := f.forge.Open(t.Context(), proposal()); !errors.Is(err, gitsync.ErrExists) {
			t.Errorf("opened %+v, %v; want an error that is %q", pr, err, gitsync.ErrExists)
		}
	})
}

// A comment can't be taken back: it is never sent a second time.
func TestACommentIsNotRepeated(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		fault hub.Fault
		want  int
	}{
		"a gateway that failed":       {hub.BadGateway("issues/create-comment"), 0},
		"a gateway that failed later": {hub.BadGatewayAfter("issues/create-comment"), 1},
		"cut before":                  {hub.CutBefore("issues/create-comment"), 0},
		"cut after":                   {hub.Lost("issues/create-comment"), 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, hub.Options{}, "a person's token", nil)
			pr := f.open(t)
			f.Fail(test.fault)
			_, err := f.forge.Comment(t.Context(), pr.Number, "hello")
			var e *edge.Error
			if !errors.As(err, &e) || !strings.Contains(e.Detail, "not known whether") || e.Hint == "" {
				t.Errorf("error %v", err)
			}
			if got := len(f.PullRequests()[0].Comments); got != test.want {
				t.Errorf("there are %d comments, want %d", got, test.want)
			}
			if diff := cmp.Diff([]string{"issues/create-comment"}, hub.Operations(f.Requests())); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
		})
	}
}
