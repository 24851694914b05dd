package rest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"sync"
)

// counts compares numbers of rows with what NetBox says they are.
type counts struct {
	r     *reader
	tasks *tasks
	mu    sync.Mutex
	wrong []string
}

func newCounts(ctx context.Context, r *reader) *counts { return &counts{r: r, tasks: newTasks(ctx)} }

func (c *counts) differ(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wrong = append(c.wrong, fmt.Sprintf(format, args...))
}

// total compares with the length of a list.
func (c *counts) total(model string, filter url.Values, have int) {
	c.tasks.run(func(ctx context.Context) error {
		s := c.r.sources[model]
		there, err := c.r.tally(ctx, s, filter)
		if err == nil && there.count != have {
			c.differ("NetBox counts %d %s and sent %d", there.count, s.noun, have)
		}
		return err
	})
}

// beside is a number that NetBox shows beside a record: how many rows of another
// model belong to it.
type beside struct {
	field string      // prefix_count
	what  string      // prefixes
	have  map[key]int // what was read, by record
}

// each compares with the numbers that NetBox shows beside each record. Other
// than the length of a list these know no permissions, so they give away rows
// that the token may not see.
func (c *counts) each(model string, filter url.Values, numbers ...beside) {
	c.tasks.run(func(ctx context.Context) error {
		s := c.r.sources[model]
		for at, more := (span{}), true; more; {
			query := c.r.spanQuery(filter, at)
			fields := "id"
			for _, n := range numbers {
				fields += "," + n.field
			}
			query.Set("fields", fields)
			rows, p, err := fetch[counted](ctx, c.r.client, s, query)
			if err != nil {
				return err
			}
			for _, row := range rows {
				id := row.id()
				if id < at.lo {
					return c.r.doubt(s, "NetBox did not keep to the ids asked for (from %d, got %d)", at.lo, id)
				}
				at.lo = id + 1
				for _, n := range numbers {
					var count number
					if err := json.Unmarshal(row[n.field], &count); err != nil {
						return err
					}
					if int(count) != n.have[id] {
						c.differ("%s %d has %d %s, and NetBox shows %d of them", model, id, count, n.what, n.have[id])
					}
				}
			}
			more = p.More && len(rows) > 0
		}
		return nil
	})
}

// counted is a record with its id and a number beside it.
type counted map[string]json.RawMessage

func (c counted) id() key {
	var id key
	if json.Unmarshal(c["id"], &id) != nil {
		return 0
	}
	return id
}

// wait returns the first difference in words, empty when there is none.
func (c *counts) wait() (string, error) {
	err := c.tasks.wait()
	if err != nil || len(c.wrong) == 0 {
		return "", err
	}
	slices.Sort(c.wrong)
	return c.wrong[0], nil
}
