package rest

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"hedgehog-gitops/render/netbox"
)

// present is an object as NetBox has it now.
type present struct {
	id      key
	etag    string
	fields  map[string]any  // as a row of a snapshot
	context json.RawMessage // local_context_data
}

// rawRow is a row that is understood later.
type rawRow struct {
	ID          key             `json:"id"`
	LastUpdated *time.Time      `json:"last_updated"`
	Context     json.RawMessage `json:"local_context_data"`
	Device      ref             `json:"device"`
	data        json.RawMessage
}

func (w rawRow) id() key { return w.ID }

func (w *rawRow) UnmarshalJSON(data []byte) error {
	type plain rawRow
	if err := json.Unmarshal(data, (*plain)(w)); err != nil {
		return err
	}
	w.data = bytes.Clone(data)
	return nil
}

// etag is the version of an object as NetBox writes it: Python's isoformat.
func etag(t time.Time) string {
	form := "2006-01-02T15:04:05.000000+00:00"
	if t = t.UTC(); t.Nanosecond() == 0 {
		form = "2006-01-02T15:04:05+00:00"
	}
	return `W/"` + t.Format(form) + `"`
}

// look reads objects as they are now, by a parameter such as id.
func (a *apply) look(ctx context.Context, model, parameter string, values []key, own func(*rawRow) key) (map[key]present, error) {
	s := *a.r.sources[model]
	s.fields = append(slices.Clone(s.fields), "last_updated")
	if model == modelDevice {
		s.fields = append(s.fields, "local_context_data")
	}
	found := map[key]present{}
	take := func(rows []rawRow) error {
		a.mu.Lock()
		defer a.mu.Unlock()
		for _, raw := range rows {
			row, err := a.understood(model, raw.data)
			if err != nil {
				return &Error{Doing: "reading " + s.noun, Detail: fmt.Sprintf("%s %d cannot be understood: %v", model, raw.ID, err), Hint: "please report this with NetBox's version", Err: err}
			}
			p := present{id: raw.ID, fields: netbox.FieldsOf(row), context: raw.Context}
			delete(p.fields, "id")
			if raw.LastUpdated != nil {
				p.etag = etag(*raw.LastUpdated)
			}
			found[raw.ID] = p
		}
		return nil
	}
	gone, err := readBy(ctx, a.r, &s, parameter, values, own, take)
	_ = gone // ids that are no more
	return found, err
}

func byOwnID(w *rawRow) key { return w.ID }

// understood is an answer's row.
func (a *apply) understood(model string, data []byte) (any, error) {
	switch model {
	case modelRegion:
		return rowOf[regionWire](data, a.r.types)
	case modelSiteGroup:
		return rowOf[siteGroupWire](data, a.r.types)
	case modelSite:
		return rowOf[siteWire](data, a.r.types)
	case modelLocation:
		return rowOf[locationWire](data, a.r.types)
	case modelManufacturer:
		return rowOf[manufacturerWire](data, a.r.types)
	case modelDeviceType:
		return rowOf[deviceTypeWire](data, a.r.types)
	case modelDeviceRole:
		return rowOf[deviceRoleWire](data, a.r.types)
	case modelDevice:
		return rowOf[deviceWire](data, a.r.types)
	case modelInterface:
		return rowOf[interfaceWire](data, a.r.types)
	case modelFrontPort:
		return rowOf[frontPortWire](data, a.r.types)
	case modelRearPort:
		return rowOf[rearPortWire](data, a.r.types)
	case modelCable:
		return rowOf[cableWire](data, a.r.types)
	case modelProvider:
		return rowOf[providerWire](data, a.r.types)
	case modelCircuit:
		return rowOf[circuitWire](data, a.r.types)
	case modelCircuitTermination:
		return rowOf[circuitTerminationWire](data, a.r.types)
	case modelASN:
		return rowOf[asnWire](data, a.r.types)
	case modelRole:
		return rowOf[roleWire](data, a.r.types)
	case modelVLANGroup:
		return rowOf[vlanGroupWire](data, a.r.types)
	case modelVLAN:
		return rowOf[vlanWire](data, a.r.types)
	case modelTarget:
		return rowOf[targetWire](data, a.r.types)
	case modelVRF:
		return rowOf[vrfWire](data, a.r.types)
	case modelPrefix:
		return rowOf[prefixWire](data, a.r.types)
	case modelRange:
		return rowOf[rangeWire](data, a.r.types)
	case modelAddress:
		return rowOf[addressWire](data, a.r.types)
	}
	return nil, fmt.Errorf("%s is not a model that a plan changes", model)
}

func rowOf[W wire[R], R any](data []byte, t fieldTypes) (any, error) {
	var w W
	if err := json.Unmarshal(data, &w); err != nil {
		return nil, err
	}
	row, _, err := w.row(t)
	return row, err
}

// edit is a change of an object that is there.
type edit struct {
	n *change
	// was and will are the fields before and after, with NetBox's ids. Fields that are
	// nil in was may be anything: nobody looked.
	was, will map[string]any
	body      map[string]any
	context   *any // the value of hedgehog in the device's local context data
}

// edit prepares fields of a change; those that cannot be said yet go into left.
func (a *apply) edit(n *change, fields map[string]any) (edit, error) {
	if n.Model == modelInterface { // NetBox checks these against each other
		for _, field := range []string{"mode", "untagged_vlan", "tagged_vlans"} {
			if _, ok := fields[field]; ok && n.Action == netbox.Update {
				row := a.after(n)
				fields = maps.Clone(fields)
				fields["mode"], fields["untagged_vlan"], fields["tagged_vlans"] = row["mode"], row["untagged_vlan"], row["tagged_vlans"]
				break
			}
		}
	}
	if _, ok := fields["assigned_object_id"]; ok && n.Action == netbox.Update {
		fields = maps.Clone(fields)
		fields["assigned_object_type"] = a.after(n)["assigned_object_type"]
	} else if _, ok := fields["assigned_object_type"]; ok && n.Action == netbox.Update {
		fields = maps.Clone(fields)
		fields["assigned_object_id"] = a.after(n)["assigned_object_id"]
	}
	e := edit{n: n, was: n.Before}
	if n.last { // the others are written already
		e.was = among(n.Before, fields)
	}
	e.will, n.left = a.translated(n.Model, fields)
	if n.last { // an address is where it should be by now
		for _, field := range []string{"oob_ip", "primary_ip4"} {
			if id, ok := number64(n.left[field]); ok {
				if real, ok := a.real(modelAddress, id); ok {
					e.will[field] = jsonNumber(real)
					delete(n.left, field)
				}
			}
		}
	} else if n.Action == netbox.Update {
		for _, field := range []string{"oob_ip", "primary_ip4"} { // the old one may have to move
			if n.left[field] != nil && n.Before[field] != nil {
				e.will[field] = nil
			}
		}
	}
	e.body = body(n.Model, e.will)
	if context, ok := e.will["hedgehog_context"]; ok {
		e.context = &context
	}
	return e, nil
}

// among returns the fields that another set has too.
func among(fields, others map[string]any) map[string]any {
	out := map[string]any{}
	for name, v := range fields {
		other, ok := others[name]
		if !ok {
			continue
		}
		if out[name] = v; name == "custom_fields" {
			custom, _ := v.(map[string]any)
			those, _ := other.(map[string]any)
			out[name] = among(custom, those)
		}
	}
	return out
}

// update changes the objects of ready that are there: those that the plan changes, and
// those that it creates and NetBox made already.
func (a *apply) update(ctx context.Context, model string, ready []*change) error {
	var edits []edit
	for _, n := range ready {
		if n.Action != netbox.Update {
			made, ok := a.adopts(n)
			if !ok {
				continue
			}
			e, err := a.adopted(n, made)
			if err != nil {
				return err
			}
			edits = append(edits, e)
			continue
		}
		e, err := a.edit(n, n.After)
		if err != nil {
			return err
		}
		edits = append(edits, e)
	}
	return a.send(ctx, model, edits)
}

// send writes edits of one model.
func (a *apply) send(ctx context.Context, model string, edits []edit) error {
	if len(edits) == 0 {
		return nil
	}
	return a.inStreams(ctx, model, len(edits), matchBatch, func(ctx context.Context, from, to int) error {
		return a.sendBatch(ctx, model, edits[from:to])
	})
}

func (a *apply) sendBatch(ctx context.Context, model string, batch []edit) error {
	doing := "changing " + a.noun(model)
	for try := 1; ; try++ {
		open, versions, err := a.unwritten(ctx, model, doing, batch)
		if err != nil {
			return err
		}
		if len(open) > 0 {
			list := make([]map[string]any, len(open))
			message := a.message()
			for i, e := range open {
				list[i] = maps.Clone(e.body)
				list[i]["id"], list[i]["changelog_message"] = e.n.real, message
			}
			err = a.c.write(ctx, doing, nil, a.c.raw(http.MethodPatch, a.paths[model], list, "If-Match", strings.Join(versions, ", ")))
		}
		switch {
		case err == nil:
			for _, e := range batch {
				a.finished(e.n)
			}
			return a.staleMACs(ctx, batch)
		case len(open) > 1 && pathMoved(err):
			for i := range batch {
				if err := a.sendBatch(ctx, model, batch[i:i+1]); err != nil {
					return err
				}
			}
			return nil
		case try < a.c.options.Tries && (moved(err) || a.wait(ctx, err, try)):
			// What NetBox has now says what is left to do.
		case moved(err):
			return &Error{Doing: doing, Detail: "somebody changes the same objects: " + names(open), Hint: hintStale, Err: netbox.ErrStale}
		default:
			return explained(err, func(e edit) *change { return e.n }, open)
		}
	}
}

// pathMoved reports a refusal that is about NetBox's own bookkeeping: what a batch does
// to its first interfaces replaces the cable paths that NetBox has already loaded with
// the others. One by one they go.
func pathMoved(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Status == http.StatusBadRequest && strings.Contains(string(e.body), `"_path"`)
}

// moved reports that an object is not the version any more that was named.
func moved(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Status == http.StatusPreconditionFailed
}

// wait pauses when an answer was lost, before NetBox is asked what became of it.
func (a *apply) wait(ctx context.Context, err error, try int) bool {
	var e *Error
	if !errors.As(err, &e) || !e.again || e.Status == http.StatusInternalServerError || notConnected(e.Err) || ctx.Err() != nil {
		return false
	}
	select {
	case <-time.After(min(a.c.options.FirstWait<<min(try-1, 6), a.c.options.MaxWait)):
		return true
	case <-ctx.Done():
		return false
	}
}

// unwritten looks at the objects and returns the edits that are still to be done, with
// the versions of their objects. An object that is not as the plan says is an error.
func (a *apply) unwritten(ctx context.Context, model, doing string, batch []edit) (open []edit, versions []string, err error) {
	ids := make([]key, len(batch))
	for i, e := range batch {
		ids[i] = e.n.real
	}
	slices.Sort(ids)
	there, err := a.look(ctx, model, "id", ids, byOwnID)
	if err != nil {
		return nil, nil, err
	}
	for _, e := range batch {
		now, ok := there[e.n.real]
		if !ok {
			return nil, nil, stale(doing, e.n, "is not there any more")
		}
		if problem := a.differs(e, now.fields); problem != "" {
			return nil, nil, stale(doing, e.n, problem)
		}
		if holds(now.fields, e.will) {
			continue
		}
		if e.context != nil {
			if e.body, err = withContext(e, now.context); err != nil {
				return nil, nil, err
			}
		}
		open = append(open, e)
		if !slices.Contains(versions, now.etag) {
			versions = append(versions, now.etag)
		}
	}
	return open, versions, nil
}

func stale(doing string, n *change, what string) *Error {
	return &Error{Doing: doing, Detail: fmt.Sprintf("%s (%s %d) %s", n.Name, n.Model, n.real, what), Hint: hintStale, Err: netbox.ErrStale}
}

// withContext puts Hedgehog's data into the device's own context data.
func withContext(e edit, local json.RawMessage) (map[string]any, error) {
	data := map[string]any{}
	if len(local) > 0 && local[0] == '{' {
		d := json.NewDecoder(bytes.NewReader(local))
		d.UseNumber()
		if err := d.Decode(&data); err != nil {
			return nil, err
		}
	}
	body := maps.Clone(e.body)
	if delete(data, "hedgehog"); *e.context != nil {
		data["hedgehog"] = *e.context
	}
	if body["local_context_data"] = data; len(data) == 0 {
		body["local_context_data"] = nil
	}
	return body, nil
}

// differs says how an object is neither as the plan found it nor as it makes it.
func (a *apply) differs(e edit, now map[string]any) string {
	if e.n.Action == netbox.Create {
		return "" // it is ours, made a moment ago
	}
	return a.unlike(e.n.Model, e.was, now, e.will)
}

// unlike says how fields are not as they were; each may also be as it will be.
func (a *apply) unlike(model string, was, now, will map[string]any) string {
	for _, field := range sortedKeys(was) {
		x, is := was[field], now[field]
		if field == "custom_fields" {
			before, _ := x.(map[string]any)
			present, _ := is.(map[string]any)
			after, _ := will[field].(map[string]any)
			if problem := a.unlike("", before, present, after); problem != "" {
				return problem
			}
			continue
		}
		to := referencesOf(model)[field]
		if model == "" {
			to = a.related(field)
		}
		written, ok := will[field]
		same := same
		if model == "" {
			same = sameCustom
		}
		switch {
		case same(is, x), ok && same(is, written), same(is, a.without(to, x)), is == nil && (field == "oob_ip" || field == "primary_ip4"):
		case is == nil && (field == "assigned_object_id" || field == "assigned_object_type"):
		default:
			return fmt.Sprintf("has another %s than when the plan was made: %s, not %s", field, shown(is), shown(x))
		}
	}
	return ""
}

// without drops from a field the ids of what the plan deletes: NetBox empties these.
func (a *apply) without(to string, v any) any {
	gone := func(v any) bool {
		id, ok := idIn(v)
		return ok && a.deleted[to][id] != nil
	}
	list, ok := v.([]any)
	switch {
	case to == "":
		return v
	case ok:
		return slices.DeleteFunc(slices.Clone(list), gone)
	case gone(v):
		return nil
	}
	return v
}

func shown(v any) string {
	if v == nil {
		return "nothing"
	}
	data, _ := json.Marshal(v)
	return cut(string(data), 100)
}

// holds reports whether an object has these values already.
func holds(now, will map[string]any) bool {
	for field, v := range will {
		if custom, ok := v.(map[string]any); ok && field == "custom_fields" {
			present, _ := now[field].(map[string]any)
			for name, v := range custom { // here false and nothing are two things
				if !reflect.DeepEqual(present[name], v) {
					return false
				}
			}
			continue
		}
		if !same(now[field], v) {
			return false
		}
	}
	return true
}

// same compares values of rows. An empty list, an empty text and false are nothing, as
// rows leave them out.
func same(x, y any) bool {
	empty := func(v any) bool {
		switch v := v.(type) {
		case nil:
			return true
		case []any:
			return len(v) == 0
		case string:
			return v == ""
		case bool:
			return !v
		case json.Number:
			return v == "0"
		}
		return false
	}
	return empty(x) && empty(y) || reflect.DeepEqual(x, y)
}

// sameCustom compares values of custom fields, in which false is not nothing. An empty
// list of objects is: NetBox takes out what is deleted.
func sameCustom(x, y any) bool {
	empty := func(v any) bool {
		list, ok := v.([]any)
		return v == nil || ok && len(list) == 0
	}
	return empty(x) && empty(y) || reflect.DeepEqual(x, y)
}

// create makes the objects of ready that are not there.
func (a *apply) create(ctx context.Context, model string, ready []*change) error {
	var list []*change
	for _, n := range ready {
		if n.Action == netbox.Create && n.real == 0 {
			list = append(list, n)
		}
	}
	bodies := make([]map[string]any, len(list))
	if model == modelInterface { // by device: two streams shall not wait for each other
		device := func(n *change) key { id, _ := number64(n.After["device"]); return id }
		slices.SortStableFunc(list, func(x, y *change) int { return cmp.Compare(device(x), device(y)) })
	}
	for i, n := range list {
		var done map[string]any
		done, n.left = a.translated(model, n.After)
		bodies[i] = body(model, done)
		a.complete(n, bodies[i])
		if model == modelCable {
			a.terminate(n, bodies[i])
		}
	}
	return a.inBatches(ctx, model, bodies, func(ctx context.Context, from, to int) error {
		batch := list[from:to]
		ids, err := a.post(ctx, model, bodies[from:to], func(i int) string { return batch[i].Name })
		if err != nil {
			return err
		}
		for i, n := range batch {
			n.real = ids[i]
			a.finished(n)
		}
		return nil
	})
}

// post creates objects by one request, and returns their ids in the same order.
func (a *apply) post(ctx context.Context, model string, bodies []map[string]any, name func(int) string) ([]key, error) {
	doing := "creating " + a.noun(model)
	message := a.message()
	list := make([]map[string]any, len(bodies))
	for i, b := range bodies {
		list[i] = maps.Clone(b)
		list[i]["changelog_message"] = message
	}
	for try := 1; ; try++ {
		var answer []keyed
		err := a.c.write(ctx, doing, &answer, a.c.raw(http.MethodPost, a.paths[model], list))
		if err == nil && len(answer) != len(list) {
			return nil, &Error{Doing: doing, Detail: fmt.Sprintf("NetBox answered with %d records instead of %d", len(answer), len(list)), Hint: "run the same command again: it looks at what is there first"}
		}
		if err == nil {
			ids := make([]key, len(answer))
			for i := range answer {
				ids[i] = answer[i].ID
			}
			return ids, nil
		}
		var e *Error
		if !errors.As(err, &e) || ctx.Err() != nil {
			return nil, err
		}
		// A bulk request does everything or nothing: did it?
		lost := e.again && !notConnected(e.Err)
		if lost || try > 1 {
			for look := 1; ; look++ {
				ids, logged := a.logged(ctx, model, message)
				if logged == nil && len(ids) == len(list) {
					return ids, nil
				}
				if logged != nil || look > 5 || !a.wait(ctx, err, look) {
					break
				}
			}
		}
		if !lost || e.Status == http.StatusInternalServerError || try == 3 || !unique(model) || ctx.Err() != nil {
			return nil, explained(err, func(i int) *change { return &change{Change: netbox.Change{Name: name(i)}} }, indexes(len(list)))
		}
	}
}

func indexes(n int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = i
	}
	return list
}

// unique reports whether NetBox refuses the same object twice.
func unique(model string) bool { return model != modelVRF && model != modelVLANGroup }

// logged finds in the change log what a request created, in the order of the request.
func (a *apply) logged(ctx context.Context, model, message string) ([]key, error) {
	s := *a.r.sources[modelChange]
	s.fields = []string{"id", "changed_object_id", "message"}
	var ids []key
	for lo := a.newest + 1; ; {
		rows, p, err := fetch[struct {
			keyed
			Object  key  `json:"changed_object_id"`
			Message text `json:"message"`
		}](ctx, a.c, &s, url.Values{
			"changed_object_type": {model}, "action": {"create"}, "q": {message}, "start": {strconv.FormatInt(int64(lo), 10)},
		})
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			lo = row.ID + 1
			if string(row.Message) == message && !slices.Contains(ids, row.Object) {
				ids = append(ids, row.Object)
			}
		}
		if !p.More || len(rows) == 0 {
			break
		}
	}
	slices.Sort(ids)
	return ids, nil
}

// inBatches runs f for runs of bodies that fit into one request.
func (a *apply) inBatches(ctx context.Context, model string, bodies []map[string]any, f func(ctx context.Context, from, to int) error) error {
	var cuts [][2]int
	from, size := 0, 0
	for i, b := range bodies {
		data, err := json.Marshal(b)
		if err != nil {
			return err
		}
		more := len(data) + longestMessage + 100
		if i > from && (i-from >= a.o.Batch || size+more > largestBody) {
			cuts = append(cuts, [2]int{from, i})
			from, size = i, 0
		}
		size += more
	}
	if from < len(bodies) {
		cuts = append(cuts, [2]int{from, len(bodies)})
	}
	return a.side(ctx, model, cuts, f)
}

// inStreams runs f for runs of n objects.
func (a *apply) inStreams(ctx context.Context, model string, n, size int, f func(ctx context.Context, from, to int) error) error {
	var cuts [][2]int
	for from := 0; from < n; from += size {
		cuts = append(cuts, [2]int{from, min(from+size, n)})
	}
	return a.side(ctx, model, cuts, f)
}

// side runs requests side by side where NetBox does not make them wait for each
// other.
func (a *apply) side(ctx context.Context, model string, cuts [][2]int, f func(ctx context.Context, from, to int) error) error {
	streams := 1
	switch model {
	case modelInterface, modelCable, modelAddress, modelVLAN, modelASN, modelVRF, modelTarget:
		streams = a.o.Streams
	}
	free := make(chan struct{}, streams)
	tasks := newTasks(ctx)
	for _, cut := range cuts {
		free <- struct{}{}
		tasks.run(func(ctx context.Context) error {
			defer func() { <-free }()
			if err := ctx.Err(); err != nil {
				return err
			}
			return f(ctx, cut[0], cut[1])
		})
	}
	return tasks.wait()
}

// delete removes waves of objects, each of one model.
func (a *apply) delete(ctx context.Context, waves [][]*change) error {
	for _, wave := range waves {
		model := wave[0].Model
		doing := "deleting " + a.noun(model)
		err := a.inStreams(ctx, model, len(wave), matchBatch, func(ctx context.Context, from, to int) error {
			batch := wave[from:to]
			for try := 1; ; try++ {
				open, versions, err := a.undeleted(ctx, model, doing, batch)
				if err != nil {
					return err
				}
				if len(open) > 0 {
					list := make([]map[string]any, len(open))
					message := a.message()
					for i, n := range open {
						list[i] = map[string]any{"id": n.real, "changelog_message": message}
					}
					err = a.c.write(ctx, doing, nil, a.c.raw(http.MethodDelete, a.paths[model], list, "If-Match", strings.Join(versions, ", ")))
				}
				switch {
				case err == nil:
					for _, n := range batch {
						a.finished(n)
					}
					return nil
				case try < a.c.options.Tries && (moved(err) || a.wait(ctx, err, try)):
				case moved(err):
					return &Error{Doing: doing, Detail: "somebody changes the same objects", Hint: hintStale, Err: netbox.ErrStale}
				default:
					return explained(err, func(n *change) *change { return n }, open)
				}
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// undeleted returns what is still to be deleted, with the versions.
func (a *apply) undeleted(ctx context.Context, model, doing string, batch []*change) (open []*change, versions []string, err error) {
	ids := make([]key, len(batch))
	for i, n := range batch {
		ids[i] = n.real
	}
	slices.Sort(ids)
	there, err := a.look(ctx, model, "id", ids, byOwnID)
	if err != nil {
		return nil, nil, err
	}
	for _, n := range batch {
		now, ok := there[n.real]
		if !ok {
			continue // it went with another, or by itself
		}
		if problem := a.unlike(model, n.Before, now.fields, nil); problem != "" {
			return nil, nil, stale(doing, n, problem)
		}
		open = append(open, n)
		if !slices.Contains(versions, now.etag) {
			versions = append(versions, now.etag)
		}
	}
	return open, versions, nil
}

// explained names the objects in NetBox's refusal of a bulk request.
func explained[T any](err error, of func(T) *change, batch []T) error {
	var e *Error
	if !errors.As(err, &e) || e.Status < 300 {
		return err
	}
	var body struct {
		Errors []struct {
			Index  *int            `json:"index"`
			ID     key             `json:"id"`
			Errors json.RawMessage `json:"errors"`
		} `json:"errors"`
	}
	if json.Unmarshal(e.body, &body) != nil || len(body.Errors) == 0 {
		if len(batch) == 1 {
			e.Detail = of(batch[0]).Name + ": " + e.Detail
		}
		return e
	}
	var parts []string
	for n, refused := range body.Errors {
		if n == 3 {
			parts = append(parts, fmt.Sprintf("and %d more", len(body.Errors)-n))
			break
		}
		name := "?"
		for i, item := range batch {
			if c := of(item); refused.Index != nil && *refused.Index == i || refused.Index == nil && c.real == refused.ID && refused.ID != 0 {
				name = c.Name
			}
		}
		var said any
		if json.Unmarshal(refused.Errors, &said) == nil {
			parts = append(parts, name+": "+cut(reason(said), 300))
		}
	}
	e.Detail = strings.Join(parts, "; ")
	if e.Status == http.StatusConflict {
		e.Hint = "something that is not in the plan still needs it; see in NetBox what depends on it"
	}
	return e
}

func names(edits []edit) string {
	var list []string
	for _, e := range edits {
		if len(list) == 3 {
			list = append(list, "...")
			break
		}
		list = append(list, e.n.Name)
	}
	return strings.Join(list, ", ")
}
