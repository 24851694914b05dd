package rest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	nb "github.com/netbox-community/go-netbox/v4"

	"hedgehog-gitops/render/netbox"
)

// prepare finds out, before anything is written, whether all of the plan can be.
func (a *apply) prepare(ctx context.Context) error {
	if err := a.checkPlan(); err != nil {
		return err
	}
	v, _, err := a.c.netboxVersion(ctx)
	if err != nil {
		return err
	}
	if a.r.version = v; v.before(4, 7) {
		a.r.interfacesBefore47()
	}
	fields, err := a.r.customFields(ctx)
	if err != nil {
		return err
	}
	if err := inactive(fields); err != nil {
		return err
	}
	if err := a.checkFields(fields); err != nil {
		return err
	}
	if err := a.checkTags(ctx); err != nil {
		return err
	}
	registries, err := a.findRIRs(ctx)
	if err != nil {
		return err
	}
	if err := a.checkPermissions(ctx, len(registries) > 0); err != nil {
		return err
	}
	newest, err := a.r.tally(ctx, a.r.sources[modelChange], nil)
	if err != nil {
		return err
	}
	a.newest = newest.last
	if int64(a.newest) != a.before.ChangeID {
		if err := a.checkPresent(ctx); err != nil {
			return err
		}
	}
	if len(registries) == 0 {
		return nil
	}
	ids, err := a.post(ctx, modelRIR, registries, func(i int) string { return fmt.Sprint("RIR ", registries[i]["name"]) })
	for i := range ids {
		isPrivate, _ := registries[i]["is_private"].(bool)
		a.rir[isPrivate] = ids[i]
	}
	return err
}

// checkPlan refuses what NetBox would answer with a server error, or cannot do.
func (a *apply) checkPlan() error {
	for _, n := range a.changes {
		refuse := func(format string, args ...any) error {
			return planError(fmt.Sprintf("%s %s (%s): %s", n.Action, n.Name, n.Model, fmt.Sprintf(format, args...)), "nothing was written", nil)
		}
		if a.paths[n.Model] == "" {
			return refuse("not a model that is written")
		}
		if n.Action == netbox.Delete {
			continue
		}
		switch n.Model {
		case modelRegion, modelSiteGroup, modelFrontPort, modelRearPort, modelCircuit, modelCircuitTermination:
			if n.Action == netbox.Create {
				return refuse("create it in NetBox by hand: a snapshot does not know all that it needs")
			}
		case modelCable:
			if problem := a.fits(n); problem != "" {
				return refuse("it %s", problem)
			}
		}
		data, err := json.Marshal(n.After)
		if err != nil {
			return err
		}
		if len(data) > largestBody-4096 {
			return refuse("%d bytes are more than NetBox takes", len(data))
		}
		if strings.Contains(string(data), `\u0000`) && hasNull(n.After) {
			return refuse("a text holds a null character")
		}
		var missing string
		a.eachReference(n.Model, n.After, func(field, to string, id key) {
			rows, known := a.rows[to]
			if known && rows[id] == nil && a.created[to][id] == nil && missing == "" {
				missing = fmt.Sprintf("%s leads to %s %d, which neither NetBox nor the plan has", field, to, id)
			}
		})
		if missing != "" {
			return refuse("%s", missing)
		}
	}
	return nil
}

func hasNull(v any) bool {
	switch v := v.(type) {
	case string:
		return strings.ContainsRune(v, 0)
	case []any:
		return slices.ContainsFunc(v, hasNull)
	case map[string]any:
		for name, v := range v {
			if strings.ContainsRune(name, 0) || hasNull(v) {
				return true
			}
		}
	}
	return false
}

const hintBootstrap = "run bootstrap first; nothing was written"

// checkFields looks for the custom fields that the plan sets.
func (a *apply) checkFields(fields []definition) error {
	carries := map[string]bool{}
	for _, d := range fields {
		for _, model := range d.ObjectTypes {
			carries[d.Name+" on "+model] = true
		}
	}
	lacks := map[string]bool{}
	for _, n := range a.changes {
		custom, _ := n.After["custom_fields"].(map[string]any)
		for name := range custom {
			if at := name + " on " + n.Model; !carries[at] {
				lacks[at] = true
			}
		}
	}
	if len(lacks) > 0 {
		return planError("NetBox has no custom field "+strings.Join(sortedKeys(lacks), ", "), hintBootstrap, nil)
	}
	return nil
}

// checkTags looks for the tags that the plan sets.
func (a *apply) checkTags(ctx context.Context) error {
	wanted := map[string]bool{}
	for _, n := range a.changes {
		list, _ := n.After["tags"].([]any)
		for _, slug := range list {
			if s, ok := slug.(string); ok {
				wanted[s] = true
			}
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	found, err := everything[tag](ctx, a.r, modelTag)
	if err != nil {
		return err
	}
	for _, t := range found {
		delete(wanted, t.Slug)
	}
	if len(wanted) > 0 {
		return planError("NetBox has no tag "+strings.Join(sortedKeys(wanted), ", "), hintBootstrap, nil)
	}
	return nil
}

// findRIRs finds the registries of the AS numbers that the plan creates: that of
// private numbers, and one that says that the registry is not known. It returns those
// that have to be created.
func (a *apply) findRIRs(ctx context.Context) ([]map[string]any, error) {
	if len(a.created[modelASN]) == 0 {
		return nil, nil
	}
	s := &source{model: modelRIR, noun: "RIRs", fields: []string{"id", "slug", "is_private"}, list: func(ctx context.Context, api *nb.APIClient) error {
		_, _, err := api.IpamAPI.IpamRirsList(ctx).Execute()
		return err
	}}
	query := url.Values{"ordering": {"id"}, "limit": {"1000"}}
	rows, _, err := fetch[struct {
		keyed
		Slug    string `json:"slug"`
		Private bool   `json:"is_private"`
	}](ctx, a.c, s, query)
	if err != nil {
		return nil, err
	}
	var slugs []string
	for _, row := range rows {
		slugs = append(slugs, row.Slug)
		switch {
		case a.o.RIR == row.Slug:
			a.rir[true], a.rir[false] = row.ID, row.ID
		case a.o.RIR == "" && row.Private && a.rir[true] == 0:
			a.rir[true] = row.ID
		case a.o.RIR == "" && row.Slug == "unknown":
			a.rir[false] = row.ID
		}
	}
	if a.o.RIR != "" {
		if a.rir[true] == 0 {
			return nil, planError(fmt.Sprintf("NetBox has no RIR with the slug %q", a.o.RIR), didYouMean(a.o.RIR, slugs, "give the slug of one that is there"), nil)
		}
		return nil, nil
	}
	lacks := map[bool]bool{}
	for _, n := range a.created[modelASN] {
		asn, _ := number64(n.After["asn"])
		lacks[private(asn)] = a.rir[private(asn)] == 0
	}
	var create []map[string]any
	if lacks[true] {
		if slices.Contains(slugs, "private") {
			return nil, planError("NetBox's RIR private does not say that it is private", "set that in NetBox, or say the RIR", nil)
		}
		create = append(create, map[string]any{"name": "Private", "slug": "private", "is_private": true, "description": "AS numbers for private use"})
	}
	if lacks[false] {
		create = append(create, map[string]any{"name": "Unknown", "slug": "unknown", "is_private": false, "description": "AS numbers whose registry nobody has said yet"})
	}
	return create, nil
}

// checkPermissions asks NetBox whether it would take each kind of request, by sending
// it with nothing in it.
func (a *apply) checkPermissions(ctx context.Context, newRIR bool) error {
	type need struct{ model, action string }
	needs := map[need]bool{}
	for _, n := range a.changes {
		switch {
		case n.Model == modelTermination:
		case n.Action == netbox.Create:
			needs[need{n.Model, actionAdd}] = true
		case n.Action == netbox.Update:
			needs[need{n.Model, actionChange}] = true
		default:
			needs[need{n.Model, actionDelete}] = true
		}
		if _, mac := n.After["mac_address"]; mac && n.Action == netbox.Update && n.Before["mac_address"] != nil {
			needs[need{modelMACAddress, actionDelete}] = true
		}
	}
	if len(a.moves) > 0 {
		needs[need{modelCable, actionChange}] = true
	}
	if len(a.portsByType()) > 0 {
		needs[need{modelTemplate, actionAdd}] = true
	}
	if len(a.created[modelDevice]) > 0 && len(a.created[modelInterface]) > 0 || a.refersAhead() {
		needs[need{modelInterface, actionChange}] = true
	}
	if newRIR {
		needs[need{modelRIR, actionAdd}] = true
	}
	methods := map[string]string{actionAdd: http.MethodPost, actionChange: http.MethodPatch, actionDelete: http.MethodDelete}
	var (
		mu     sync.Mutex
		denied []string
		last   *Error
		tasks  = newTasks(ctx)
	)
	for n := range needs {
		tasks.run(func(ctx context.Context) error {
			err := a.c.write(ctx, "asking NetBox for permissions", nil, a.c.raw(methods[n.action], a.paths[n.model], []any{}))
			var e *Error
			if errors.As(err, &e) && e.Status == http.StatusForbidden {
				mu.Lock()
				defer mu.Unlock()
				denied, last = append(denied, n.action+" "+n.model), e
				return nil
			}
			return err
		})
	}
	if err := tasks.wait(); err != nil {
		return err
	}
	if last != nil {
		slices.Sort(denied)
		return &Error{
			Doing: "applying the plan", Status: last.Status, Detail: "the token lacks permissions: " + strings.Join(denied, ", ") + ": " + last.Detail,
			Hint: "nothing was written; give the token's user these permissions in NetBox (Admin, Permissions), and see that the token may write", Err: last,
		}
	}
	return nil
}

// refersAhead reports whether an interface that is created refers to an address that
// is created after it.
func (a *apply) refersAhead() bool {
	found := false
	for _, n := range a.created[modelInterface] {
		a.eachReference(n.Model, n.After, func(_, to string, id key) {
			found = found || to == modelAddress && a.created[to][id] != nil
		})
	}
	return found
}

// checkPresent looks whether what the plan changes and deletes is as the plan says.
func (a *apply) checkPresent(ctx context.Context) error {
	byModel := map[string][]*change{}
	for _, n := range a.changes {
		if n.Action != netbox.Create && n.Model != modelTermination {
			byModel[n.Model] = append(byModel[n.Model], n)
		}
	}
	for _, model := range sortedKeys(byModel) {
		var ids []key
		for _, n := range byModel[model] {
			ids = append(ids, n.ID)
		}
		slices.Sort(ids)
		there, err := a.look(ctx, model, "id", ids, byOwnID)
		if err != nil {
			return err
		}
		for _, n := range byModel[model] {
			now, ok := there[n.ID]
			if !ok {
				return stale("applying the plan", n, "is not there any more")
			}
			if problem := a.unlike(model, n.Before, now.fields, nil); problem != "" {
				return stale("applying the plan", n, problem)
			}
		}
	}
	return nil
}
