package rest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	nb "github.com/netbox-community/go-netbox/v4"

	"hedgehog-gitops/render/netbox"
)

// source is a model as NetBox serves it.
type source struct {
	model    string   // dcim.interface
	noun     string   // interfaces
	fields   []string // what is read; an answer without one of them is no answer
	optional []string // read if the server knows them
	list     func(context.Context, *nb.APIClient) error
}

// page is what a list answers besides its rows.
type page struct {
	Count int
	More  bool
}

// readPage reads a list answer row by row while it arrives.
func readPage[W any](body io.Reader, required []string) ([]W, page, error) {
	var rows []W
	var p page
	d := json.NewDecoder(body)
	shape := func(format string, args ...any) ([]W, page, error) {
		return nil, page{}, fmt.Errorf("%w: %s", errShape, fmt.Sprintf(format, args...))
	}
	token, err := d.Token()
	if err != nil {
		return nil, page{}, err
	}
	if token != json.Delim('{') {
		return shape("not a list of records")
	}
	results := false
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, page{}, err
		}
		switch key {
		case "count":
			var count *int
			if err := d.Decode(&count); err != nil {
				return nil, page{}, err
			}
			if count != nil {
				p.Count = *count
			}
		case "next":
			var next *string
			if err := d.Decode(&next); err != nil {
				return nil, page{}, err
			}
			p.More = next != nil
		case "results":
			results = true
			if token, err = d.Token(); err != nil {
				return nil, page{}, err
			}
			if token != json.Delim('[') {
				return shape("results is not a list")
			}
			for d.More() {
				rows = append(rows, *new(W))
				row := &rows[len(rows)-1]
				if len(rows) > 1 {
					if err := d.Decode(row); err != nil {
						return nil, page{}, err
					}
					continue
				}
				var first json.RawMessage
				if err := d.Decode(&first); err != nil {
					return nil, page{}, err
				}
				var keys map[string]json.RawMessage
				if json.Unmarshal(first, &keys) != nil {
					return shape("a record is not an object")
				}
				for _, field := range required {
					if _, ok := keys[field]; !ok {
						return shape("a record has no %s", field)
					}
				}
				if err := json.Unmarshal(first, row); err != nil {
					return nil, page{}, err
				}
			}
			if _, err := d.Token(); err != nil {
				return nil, page{}, err
			}
		default:
			var other json.RawMessage
			if err := d.Decode(&other); err != nil {
				return nil, page{}, err
			}
		}
	}
	if _, err := d.Token(); err != nil {
		return nil, page{}, err
	}
	if !results {
		return shape("there is no list of results")
	}
	return rows, p, nil
}

// fetch reads one page. Where the query does not say how many rows, NetBox's
// pace does.
func fetch[W any](ctx context.Context, c *Client, s *source, query url.Values) ([]W, page, error) {
	var rows []W
	var p page
	limit := 0
	began := time.Time{}
	prepare := func() *answer {
		limit = c.pace.now(s.model)
		q := maps.Clone(query)
		if q.Get("limit") == "" {
			q.Set("limit", strconv.Itoa(limit))
		}
		if q.Get("fields") == "" {
			q.Set("fields", strings.Join(slices.Concat(s.fields, s.optional), ","))
		}
		a := &answer{query: q}
		a.read = func(body io.Reader) (err error) {
			required := s.fields
			if query.Get("fields") != "" {
				required = strings.Split(query.Get("fields"), ",")
			}
			rows, p, err = readPage[W](body, required)
			a.rows = len(rows)
			return err
		}
		began = time.Now()
		return a
	}
	var failed *Error
	err := c.get(ctx, "reading "+s.noun, prepare, func(ctx context.Context) error {
		return onlyOurs(s.list(ctx, c.api))
	}, func(e *Error) {
		if e.slow {
			c.pace.slower(s.model, limit)
		}
	})
	if err != nil {
		if errors.As(err, &failed) && failed.Status == http.StatusForbidden {
			failed.Doing = "reading " + s.noun + " (" + s.model + ")"
		}
		return nil, page{}, err
	}
	switch took := time.Since(began); {
	case took > slowPage:
		c.pace.slower(s.model, limit)
	case took < slowPage/2 && len(rows) > 0:
		c.pace.faster(s.model)
	}
	return rows, p, nil
}

// span is the ids from lo up to, not including, hi; 0 is no bound.
type span struct{ lo, hi netbox.ID }

// query adds the span to a filter: a cursor since NetBox 4.6, ordered ids before.
func (r *reader) spanQuery(filter url.Values, s span) url.Values {
	q := url.Values{}
	maps.Copy(q, filter)
	if r.version.before(4, 6) {
		q.Set("ordering", "id")
		q.Set("id__gte", strconv.FormatInt(int64(s.lo), 10))
	} else {
		q.Set("start", strconv.FormatInt(int64(s.lo), 10))
	}
	if s.hi > 0 {
		q.Set("id__lt", strconv.FormatInt(int64(s.hi), 10))
	}
	return q
}

// extent is how many rows stand behind a filter, and the highest id among them.
type extent struct {
	count int
	last  netbox.ID
}

// tally asks for the extent of what stands behind a filter.
func (r *reader) tally(ctx context.Context, s *source, filter url.Values) (extent, error) {
	q := url.Values{"ordering": {"-id"}, "limit": {"1"}, "fields": {"id"}}
	maps.Copy(q, filter)
	rows, p, err := fetch[struct {
		ID netbox.ID `json:"id"`
	}](ctx, r.client, s, q)
	if err != nil {
		return extent{}, err
	}
	e := extent{count: p.Count}
	if len(rows) > 0 {
		e.last = rows[0].ID
	}
	return e, nil
}

// readAll reads every row behind a filter: when there are more than a page, in as
// many streams as the client has. A stream that runs out takes half of what
// another has left. Where nothing is known of the extent, the first page tells
// whether it has to be asked for.
func readAll[W interface{ id() netbox.ID }](ctx context.Context, r *reader, s *source, filter url.Values, known *extent, take func([]W) error) error {
	one := func(ctx context.Context, at span) (next span, more bool, err error) {
		rows, p, err := fetch[W](ctx, r.client, s, r.spanQuery(filter, at))
		if err != nil {
			return span{}, false, err
		}
		last := at.lo - 1
		for _, row := range rows {
			if row.id() <= last || at.hi > 0 && row.id() >= at.hi {
				return span{}, false, r.doubt(s, "NetBox did not keep to the ids asked for (%d to %d, got %d)", at.lo, at.hi, row.id())
			}
			last = row.id()
		}
		if p.More && len(rows) == 0 {
			return span{}, false, r.doubt(s, "NetBox says that there is more, and sends nothing")
		}
		if err := take(rows); err != nil {
			return span{}, false, err
		}
		return span{last + 1, at.hi}, p.More, nil
	}
	rest := span{}
	if known == nil || known.count <= r.client.pace.now(s.model) {
		var more bool
		var err error
		if rest, more, err = one(ctx, span{}); err != nil || !more {
			return err
		}
	}
	if known == nil {
		asked, err := r.tally(ctx, s, filter)
		if err != nil {
			return err
		}
		known = &asked
	}
	last := known.last

	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var (
		mu     sync.Mutex
		wake   = sync.NewCond(&mu)
		queue  []span
		busy   = 0
		idle   = 0
		failed error
	)
	// The last span is open at its end: rows may be added meanwhile.
	streams := netbox.ID(r.client.options.Streams)
	for i, lo := netbox.ID(0), rest.lo; i < streams; i++ {
		hi := rest.lo + (last+1-rest.lo)*(i+1)/streams
		if i == streams-1 {
			hi = 0
		} else if hi <= lo {
			continue
		}
		queue = append(queue, span{lo, hi})
		lo = hi
	}
	var done sync.WaitGroup
	for range streams {
		done.Go(func() {
			mu.Lock()
			defer mu.Unlock()
			for {
				for len(queue) == 0 && busy > 0 && failed == nil {
					idle++
					wake.Wait()
					idle--
				}
				if failed != nil || len(queue) == 0 {
					wake.Broadcast()
					return
				}
				at := queue[0]
				queue = queue[1:]
				busy++
				for more := true; more && failed == nil; {
					mu.Unlock()
					next, again, err := one(ctx, at)
					mu.Lock()
					if err != nil && failed == nil {
						failed = err
						cancel(err)
					}
					at, more = next, again
					size := netbox.ID(r.client.pace.now(s.model))
					end := at.hi
					if end == 0 {
						end = last + 1
					}
					if more && idle > len(queue) && end-at.lo > 2*size {
						middle := at.lo + (end-at.lo)/2
						queue = append(queue, span{middle, at.hi})
						at.hi = middle
						wake.Signal()
					}
				}
				busy--
			}
		})
	}
	done.Wait()
	return failed
}

// requestLine is the length of request line that NetBox takes, less some.
const requestLine = 3800

// readBy reads the rows whose parameter has one of the values, in as many
// requests as the length of a request line makes necessary. Own says which
// value a row has. Gone are the values that NetBox has no record of.
func readBy[W interface{ id() netbox.ID }](ctx context.Context, r *reader, s *source, parameter string, values []netbox.ID, own func(*W) netbox.ID, take func([]W) error) (gone []netbox.ID, err error) {
	room := requestLine - len(r.client.base.String()) - 160
	for _, field := range slices.Concat(s.fields, s.optional) {
		room -= len(field) + 3
	}
	width := len(parameter) + 2
	if len(values) > 0 {
		width += len(strconv.FormatInt(int64(slices.Max(values)), 10))
	}
	var mu sync.Mutex
	var read func(ctx context.Context, chunk []netbox.ID) error
	read = func(ctx context.Context, chunk []netbox.ID) error {
		filter := url.Values{}
		asked := make(map[netbox.ID]bool, len(chunk))
		for _, value := range chunk {
			filter.Add(parameter, strconv.FormatInt(int64(value), 10))
			asked[value] = true
		}
		for at, more := (span{}), true; more; {
			rows, p, err := fetch[W](ctx, r.client, s, r.spanQuery(filter, at))
			var refused *Error
			if errors.As(err, &refused) && refused.Status == http.StatusBadRequest && strings.Contains(string(refused.body), parameter) && parameter != "id" {
				// One of the values is no more.
				if len(chunk) == 1 {
					mu.Lock()
					gone = append(gone, chunk[0])
					mu.Unlock()
					return nil
				}
				if err := read(ctx, chunk[:len(chunk)/2]); err != nil {
					return err
				}
				return read(ctx, chunk[len(chunk)/2:])
			}
			if err != nil {
				return err
			}
			for i := range rows {
				if !asked[own(&rows[i])] || rows[i].id() < at.lo {
					return r.doubt(s, "NetBox did not keep to the filter %s (got a row of %d)", parameter, own(&rows[i]))
				}
				at.lo = rows[i].id() + 1
			}
			if more = p.More; more && len(rows) == 0 {
				return r.doubt(s, "NetBox says that there is more, and sends nothing")
			}
			if err := take(rows); err != nil {
				return err
			}
		}
		return nil
	}
	tasks := newTasks(ctx)
	for chunk := range slices.Chunk(values, max(room/width, 1)) {
		tasks.run(func(ctx context.Context) error { return read(ctx, chunk) })
	}
	err = tasks.wait()
	slices.Sort(gone)
	return gone, err
}

// doubt is an error that says: what was read may not be everything.
func (r *reader) doubt(s *source, format string, args ...any) *Error {
	return &Error{
		Doing:  "reading " + s.noun,
		Detail: fmt.Sprintf(format, args...),
		Hint:   "a fabric rendered from this could be too small; check what stands between here and NetBox, and NetBox's version",
	}
}

// tasks runs functions side by side; the first error ends the others.
type tasks struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	wg     sync.WaitGroup
	once   sync.Once
	failed error
}

func newTasks(ctx context.Context) *tasks {
	ctx, cancel := context.WithCancelCause(ctx)
	return &tasks{ctx: ctx, cancel: cancel}
}

func (t *tasks) run(f func(context.Context) error) {
	t.wg.Go(func() {
		if err := f(t.ctx); err != nil {
			t.once.Do(func() { t.failed = err; t.cancel(err) })
		}
	})
}

func (t *tasks) wait() error {
	t.wg.Wait()
	t.cancel(nil)
	return t.failed
}
