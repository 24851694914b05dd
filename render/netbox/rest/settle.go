package rest

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"sync"
)

// This file proves that what was read is what NetBox holds.
//
// NetBox is read while people edit it. Its change log says what they touched,
// and just that is read again, until a look at the log shows nothing new. A
// change gets its id before it is committed, so a low id may turn up late: the
// log is watched from some ids below its end.

// overlap is how many ids below the end of the change log may still turn up.
const overlap = 500

// mostChanges is how many records are read again one by one; with more,
// everything is.
const mostChanges = 3000

type changeWire struct {
	keyed
	Action choice `json:"action"`
	Model  text   `json:"changed_object_type"`
	Object number `json:"changed_object_id"`
}

// openLog notes the end of the change log before anything is read.
func (r *reader) openLog(ctx context.Context) error {
	log, err := r.tally(ctx, r.sources[modelChange], nil)
	if err != nil {
		return err
	}
	r.newest = log.last
	r.floor = max(log.last-overlap, 0)
	_, err = r.changes(ctx)
	return err
}

// changes returns the changes that were not there at the last look.
func (r *reader) changes(ctx context.Context) ([]changeWire, error) {
	s := r.sources[modelChange]
	var fresh []changeWire
	for at, more := (span{lo: r.floor}), true; more; {
		rows, p, err := fetch[changeWire](ctx, r.client, s, r.spanQuery(url.Values{}, at))
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			if row.ID < at.lo {
				return nil, r.doubt(s, "NetBox did not keep to the ids asked for (from %d, got %d)", at.lo, row.ID)
			}
			at.lo = row.ID + 1
			if !r.seen[row.ID] {
				r.seen[row.ID] = true
				fresh = append(fresh, row)
			}
			r.newest = max(r.newest, row.ID)
		}
		if more = p.More; more && len(rows) == 0 {
			return nil, r.doubt(s, "NetBox says that there is more, and sends nothing")
		}
	}
	return fresh, nil
}

// settle reads again what changed until nothing does, and then compares with
// NetBox's own counts.
func (r *reader) settle(ctx context.Context) error {
	quiet := func() (changed bool, err error) {
		for range 100 {
			n, err := r.catchUp(ctx)
			if err != nil || n == 0 {
				return changed, err
			}
			changed = true
			if err := r.close(ctx); err != nil {
				return changed, err
			}
		}
		return changed, &Error{Doing: "reading NetBox", Detail: "it changes faster than it can be read", Hint: "try again when NetBox is quieter"}
	}
	if _, err := quiet(); err != nil {
		return err
	}
	for range 20 {
		problem, err := r.audit(ctx)
		if err != nil {
			return err
		}
		changed, err := quiet()
		switch {
		case err != nil:
			return err
		case problem == nil:
			return nil
		case !changed:
			return problem
		}
	}
	return &Error{Doing: "reading NetBox", Detail: "it changes faster than it can be counted", Hint: "try again when NetBox is quieter"}
}

// catchUp reads again what changed since the last look, and returns how many
// records that concerned.
func (r *reader) catchUp(ctx context.Context) (int, error) {
	fresh, err := r.changes(ctx)
	if err != nil || len(fresh) == 0 {
		return 0, err
	}
	again := map[string]map[key]bool{} // to read again, by model
	deleted := map[link]bool{}
	n := 0
	want := func(model string, id key) {
		if again[model] == nil {
			again[model] = map[key]bool{}
		}
		if !again[model][id] {
			again[model][id] = true
			n++
		}
	}
	allDevices := false
	var macs = map[key]bool{}
	macGone := false
	for _, change := range fresh {
		model, id := string(change.Model), key(change.Object)
		_, ours := r.tables[model]
		switch {
		case ours && change.Action == "delete":
			deleted[link{model: model, id: id}] = true
			n++
		case ours:
			want(model, id)
		case model == modelField, model == modelChoiceSet, model == modelTag:
			return 0, errAgain
		case model == modelMACAddress && change.Action == "delete":
			macGone = true
		case model == modelMACAddress:
			macs[id] = true
		}
		switch app, _, _ := strings.Cut(model, "."); {
		case model == modelRegion, model == modelSiteGroup, model == modelSite, model == modelLocation,
			model == modelDeviceRole, model == modelDeviceType, model == "dcim.platform",
			model == "extras.configcontext", model == "extras.configcontextprofile",
			app == "tenancy", app == "virtualization", strings.HasPrefix(model, "core.data"):
			allDevices = true // their config contexts may have changed
		}
	}
	if n > mostChanges {
		return 0, errAgain
	}

	if len(macs) > 0 {
		var mu sync.Mutex
		_, err := readBy(ctx, r, r.sources[modelMACAddress], "id", sortedIDs(macs), func(w *macWire) key { return w.ID }, func(rows []macWire) error {
			mu.Lock()
			defer mu.Unlock()
			for _, row := range rows {
				if row.Type == modelInterface && r.interfaces.has(key(row.Object)) {
					want(modelInterface, key(row.Object))
				}
			}
			return nil
		})
		if err != nil {
			return 0, err
		}
	}
	if macGone {
		for id, held := range r.interfaces.rows {
			if held.row.MAC != "" {
				want(modelInterface, id)
			}
		}
	}
	if allDevices && len(r.scope) > 0 {
		for id := range r.devices.rows {
			want(modelDevice, id)
		}
	}
	if n == 0 {
		return 0, nil
	}

	// Ends of cables are read by their cable.
	retrace := map[key]bool{}
	for id := range again[modelTermination] {
		if held, ok := r.terminations.rows[id]; ok {
			retrace[held.row.Cable] = true
		}
	}
	for gone := range deleted {
		if gone.model == modelTermination {
			if held, ok := r.terminations.rows[gone.id]; ok {
				retrace[held.row.Cable] = true
			}
		}
		if gone.model == modelCable {
			retrace[gone.id] = true
		}
	}
	for id := range again[modelCable] {
		retrace[id] = true
	}
	// What is gone is dropped; who referred to it is read again, because NetBox
	// may have emptied that reference without a word in the log.
	if len(deleted) > 0 {
		for model, t := range r.tables {
			t.each(func(id key, x *extra) {
				for _, l := range x.links {
					if deleted[link{model: l.model, id: l.id}] {
						want(model, id)
						if model == modelTermination {
							retrace[r.terminations.rows[id].row.Cable] = true
						}
						return
					}
				}
			})
		}
		for gone := range deleted {
			r.tables[gone.model].drop(gone.id)
			delete(again[gone.model], gone.id)
		}
	}
	r.absent = map[string]map[key]bool{}

	tasks := newTasks(ctx)
	for model, ids := range again {
		if model == modelCable { // the others are of no fabric, or are found by walking
			for id := range ids {
				if !r.cables.has(id) {
					delete(ids, id)
				}
			}
		}
		if len(ids) == 0 {
			continue
		}
		list := sortedIDs(ids)
		for _, id := range list {
			r.tables[model].drop(id) // comes back unless it is gone by now
		}
		tasks.run(func(ctx context.Context) error {
			_, err := r.tables[model].readBy(ctx, "id", list)
			return err
		})
	}
	if err := tasks.wait(); err != nil {
		return n, err
	}
	for id := range again[modelTermination] {
		if held, ok := r.terminations.rows[id]; ok {
			retrace[held.row.Cable] = true
		}
	}
	for id, held := range r.terminations.rows {
		if retrace[held.row.Cable] {
			r.terminations.drop(id)
		}
	}
	for id := range retrace {
		delete(r.traced, id)
	}
	return n, nil
}

type macWire struct {
	keyed
	Type   text   `json:"assigned_object_type"`
	Object number `json:"assigned_object_id"`
}

// audit compares what was read with what NetBox counts, and looks for rows that
// refer to records that did not come. A problem that outlives a quiet moment
// means that NetBox hides rows from this token.
func (r *reader) audit(ctx context.Context) (problem *Error, err error) {
	w := r.walk()
	hidden := func(format string, args ...any) *Error {
		return &Error{
			Doing:  "checking that everything was read",
			Detail: fmt.Sprintf(format, args...),
			Hint:   "the token's permissions may hide records: give its user the view permission without constraints, or use another token",
		}
	}
	problems := make([]*Error, 0, len(r.tables))
	for _, model := range sortedKeys(r.tables) {
		keep, partial := w.keep[model]
		r.tables[model].each(func(id key, x *extra) {
			if partial && !keep[id] {
				return
			}
			for _, l := range x.links {
				if t, ok := r.tables[l.model]; ok && !t.has(l.id) {
					problems = append(problems, hidden("%s %d refers to %s %d (%s), which NetBox does not show", model, id, l.model, l.id, l.field))
				}
			}
		})
	}
	if len(problems) > 0 {
		// The same one each time, whatever the order of a map.
		first := problems[0]
		for _, p := range problems[1:] {
			if p.Detail < first.Detail {
				first = p
			}
		}
		if n := len(problems) - 1; n > 0 {
			first.Detail += fmt.Sprintf(", and %s like it", plural(n, "reference"))
		}
		return first, nil
	}

	counts := newCounts(ctx, r)
	for _, model := range r.whole {
		counts.total(model, nil, r.tables[model].len())
	}
	if len(r.scope) > 0 {
		devices, interfaces := 0, 0
		devicesOf, interfacesOf := map[key]int{}, map[key]int{}
		for _, held := range r.devices.rows {
			if r.scope[held.row.Site] {
				devices++
			}
			devicesOf[held.row.Site]++
		}
		for _, held := range r.interfaces.rows {
			if d, ok := r.devices.rows[held.row.Device]; ok && r.scope[d.row.Site] {
				interfaces++
			}
			interfacesOf[held.row.Device]++
		}
		counts.total(modelDevice, r.inScope(), devices)
		counts.total(modelInterface, r.inScope(), interfaces)
		ids := url.Values{}
		for _, id := range sortedIDs(r.scope) {
			ids.Add("id", fmt.Sprint(id))
		}
		counts.each(modelSite, ids, beside{"device_count", "devices", devicesOf})
		counts.each(modelDevice, r.inScope(), beside{"interface_count", "interfaces", interfacesOf})
	}
	prefixesOf, addressesOf, vlansOf := map[key]int{}, map[key]int{}, map[key]int{}
	for _, held := range r.prefixes.rows {
		prefixesOf[held.row.VRF]++
	}
	for _, held := range r.addresses.rows {
		addressesOf[held.row.VRF]++
	}
	for _, held := range r.vlans.rows {
		vlansOf[held.row.Group]++
	}
	counts.each(modelVRF, nil, beside{"prefix_count", "prefixes", prefixesOf}, beside{"ipaddress_count", "IP addresses", addressesOf})
	counts.each(modelVLANGroup, nil, beside{"vlan_count", "VLANs", vlansOf})
	text, err := counts.wait()
	if err != nil || text == "" {
		return nil, err
	}
	problem = hidden("%s", text)
	if strings.HasPrefix(text, modelDevice+" ") { // NetBox keeps this number beside the device, and it can be stale
		problem.Hint += "; if they hide nothing, run: netbox calculate_cached_counts"
	}
	return problem, nil
}
