package rest

import (
	"context"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Change is one entry of NetBox's change log: who did what to an object.
type Change struct {
	ID   int64
	Time time.Time
	// User is the name of the user, which outlives the user.
	User string
	// Action is create, update or delete.
	Action string
	// Object is the object's path without a host, as in [hedgehog.Origin]; Name what
	// NetBox called it then.
	Object, Name string
	// Message is what the user said about the change, "" for nothing.
	Message string
}

const (
	changePages = 5
	changeRows  = 1000
)

// ChangesSince returns the entries with an id above since that are about one of
// the objects, given by their paths, newest first. It looks at the newest 5,000
// entries; all is whether there were no more. It takes one request for each 1,000.
func ChangesSince(ctx context.Context, c *Client, since int64, objects map[string]bool) (changes []Change, all bool, err error) {
	s := &source{
		model: modelChange, noun: "the change log",
		fields: []string{"id", "time", "user_name", "action", "changed_object_type", "changed_object_id", "object_repr", "message"},
		list:   sources()[modelChange].list,
	}
	areas := areas()
	last := since
	for page := range changePages {
		rows, p, err := fetch[loggedWire](ctx, c, s, url.Values{
			"id__gt": {strconv.FormatInt(since, 10)}, "ordering": {"-id"},
			"limit": {strconv.Itoa(changeRows)}, "offset": {strconv.Itoa(page * changeRows)},
		})
		if err != nil {
			return nil, false, err
		}
		for _, row := range rows {
			// What was added meanwhile moves the pages: an entry may come twice.
			if page > 0 && int64(row.ID) >= last {
				continue
			}
			last = int64(row.ID)
			area, ok := areas[string(row.Model)]
			object := area + strconv.FormatInt(int64(row.Object), 10) + "/"
			if !ok || !objects[object] {
				continue
			}
			changes = append(changes, Change{
				ID: int64(row.ID), Time: row.Time, User: string(row.User), Action: string(row.Action),
				Object: object, Name: string(row.Name), Message: string(row.Message),
			})
		}
		if !p.More {
			return changes, true, nil
		}
	}
	return changes, false, nil
}

type loggedWire struct {
	changeWire
	Time    time.Time `json:"time"`
	User    text      `json:"user_name"`
	Name    text      `json:"object_repr"`
	Message text      `json:"message"`
}

// areas maps a model to the beginning of its objects' paths: dcim.frontport to
// /dcim/front-ports/.
func areas() map[string]string {
	folders := map[string]string{modelASN: "asns", modelRole: "roles"}
	areas := map[string]string{}
	for model, s := range sources() {
		app, _, _ := strings.Cut(model, ".")
		folder, ok := folders[model]
		if !ok {
			folder = strings.ToLower(strings.ReplaceAll(s.noun, " ", "-"))
		}
		areas[model] = "/" + app + "/" + folder + "/"
	}
	return areas
}
