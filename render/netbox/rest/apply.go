package rest

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"

	"hedgehog-gitops/render/netbox"
)

// ApplyOptions say how [Apply] writes.
type ApplyOptions struct {
	// Message is what NetBox's change log says about every change: name the run in it.
	// The number of the request is added. At most 160 characters.
	Message string
	// Progress is told how many of the plan's changes are done, one call at a time.
	Progress func(done, total int)
	// Streams is the number of requests at a time where they are independent, 2 by
	// default.
	Streams int
	// Batch is the number of objects that are created by one request, 150 by default
	// and 200 at most; changes and deletions go by 100.
	Batch int
	// RIR is the slug of the registry of AS numbers that are created. By default that
	// of private ones is the first that NetBox says is private, that of others is
	// called unknown; both are created if there is none.
	RIR string
}

// Applied is how far a plan was applied.
type Applied struct {
	// Done is the number of changes that are in NetBox, Total that of the plan.
	Done, Total int
	// IDs is the id that NetBox gave to what was created, by model and the plan's id.
	IDs map[string]map[netbox.ID]netbox.ID
}

const (
	modelTemplate, modelRIR = "dcim.interfacetemplate", "ipam.rir"
	actionAdd               = "add"
	actionChange            = "change"
	actionDelete            = "delete"
	longestMessage          = 160
	// matchBatch is the number of objects that one request changes or deletes: their
	// versions stand in a header, which NetBox bounds.
	matchBatch = 100
)

// Apply writes a plan into NetBox. Before is the snapshot that the plan was made
// against, as NetBox is now; [netbox.ErrStale] when it is not.
//
// Before anything is written it looks whether all of it can be: permissions, custom
// fields, tags, sizes, and whether what the plan changes is still as it was. It then
// deletes, creates and changes in bulk requests, each of which does everything or
// nothing. What others changed meanwhile is never overwritten: every change and
// deletion names the version of the object that was looked at, and is an error that
// wraps [netbox.ErrStale] when the object has moved on.
//
// A request that fails leaves what was done before it. A new plan, made against NetBox
// as it is then, does the rest: nothing is created twice, because a request whose
// answer was lost is looked up in NetBox's change log and not simply sent again.
func Apply(ctx context.Context, c *Client, p *netbox.Plan, before *netbox.Snapshot, o ApplyOptions) (Applied, error) {
	a, err := newApply(c, p, before, o)
	if err != nil {
		return Applied{Total: len(p.Changes)}, err
	}
	err = a.run(ctx)
	return Applied{Done: a.done, Total: len(p.Changes), IDs: a.ids()}, err
}

// apply is one plan on its way into NetBox.
type apply struct {
	c       *Client
	r       *reader
	o       ApplyOptions
	plan    *netbox.Plan
	before  *netbox.Snapshot
	rows    map[string]map[key]any // the rows of the snapshot
	changes []*change
	// created and updated lead from an id of the plan to its change.
	created, updated map[string]map[key]*change
	deleted          map[string]map[key]*change
	ends             map[key][]*change // changes of cable terminations by cable
	moves            []key             // cables that stay and whose terminations change
	waits            map[*change][]waiting
	asides           map[*change]map[string]any // fields of objects that step aside, see room
	paths            map[string]string
	newest           key // the end of the change log before the first write
	rir              map[bool]key

	// there are the interfaces that NetBox made of templates, by device and name.
	there map[key]map[string]present
	late  []*change // fields of theirs are still to be written

	mu       sync.Mutex
	done     int
	requests int
}

// change is a change of the plan, and what became of it.
type change struct {
	netbox.Change
	real  key            // the object's id in NetBox; 0 until it is created
	over  bool           // nothing has to be done any more but for what is in left
	left  map[string]any // fields that refer to what is not there yet
	last  bool           // these are being written now
	extra bool           // it is not one of the plan's
}

func newApply(c *Client, p *netbox.Plan, before *netbox.Snapshot, o ApplyOptions) (*apply, error) {
	o.Streams = min(max(cmp.Or(o.Streams, 2), 1), 4)
	o.Batch = min(max(cmp.Or(o.Batch, 150), 1), 200)
	if o.Message == "" {
		o.Message = "hedgehog-gitops import of " + p.Fabric
	}
	if len(o.Message) > longestMessage {
		return nil, planError(fmt.Sprintf("the message for the change log has %d characters", len(o.Message)), fmt.Sprintf("at most %d", longestMessage), nil)
	}
	digest, err := before.Digest()
	if err != nil {
		return nil, err
	}
	if p.Base != digest {
		return nil, planError("the plan was made against other records than NetBox has now", hintStale, netbox.ErrStale)
	}
	a := &apply{
		c: c, r: newReader(c), o: o, plan: p, before: before, rows: rowsByID(&before.Rows),
		created: map[string]map[key]*change{}, updated: map[string]map[key]*change{}, deleted: map[string]map[key]*change{},
		ends: map[key][]*change{}, waits: map[*change][]waiting{}, asides: map[*change]map[string]any{}, paths: areas(), rir: map[bool]key{}, there: map[key]map[string]present{},
	}
	for model, path := range a.paths {
		a.paths[model] = "/api" + path
	}
	a.paths[modelTemplate], a.paths[modelRIR], a.paths[modelMACAddress] = "/api/dcim/interface-templates/", "/api/ipam/rirs/", "/api/dcim/mac-addresses/"
	for _, planned := range p.Changes {
		n := &change{Change: planned}
		n.Before, n.After = netbox.FieldsOf(planned.Before), netbox.FieldsOf(planned.After)
		var by map[string]map[key]*change
		switch n.Action {
		case netbox.Create:
			by = a.created
		case netbox.Update:
			by, n.real = a.updated, n.ID
		case netbox.Delete:
			by, n.real = a.deleted, n.ID
		default:
			return nil, planError(fmt.Sprintf("%q is no action", n.Action), "make the plan again", nil)
		}
		if by[n.Model] == nil {
			by[n.Model] = map[key]*change{}
		}
		if by[n.Model][n.ID] != nil {
			return nil, planError(fmt.Sprintf("%s has two changes of %s %d", n.Action, n.Model, n.ID), "make the plan again", nil)
		}
		by[n.Model][n.ID] = n
		a.changes = append(a.changes, n)
	}
	a.joinTerminations()
	return a, nil
}

const hintStale = "run import again: it plans against NetBox as it is now"

func planError(detail, hint string, err error) *Error {
	return &Error{Doing: "applying the plan", Detail: detail, Hint: hint, Err: err}
}

func (a *apply) run(ctx context.Context) error {
	if len(a.changes) == 0 {
		return nil
	}
	early, late := a.deletions()
	if err := a.room(late); err != nil {
		return err
	}
	if err := a.prepare(ctx); err != nil {
		return err
	}
	a.progress(0)
	if err := a.delete(ctx, early); err != nil {
		return err
	}
	for _, model := range a.models() {
		if err := a.makeRoom(ctx, model); err != nil {
			return err
		}
		if err := a.write(ctx, model); err != nil {
			return err
		}
		switch model {
		case modelDeviceType:
			if err := a.templates(ctx); err != nil {
				return err
			}
		case modelDevice:
			if err := a.adoptable(ctx); err != nil {
				return err
			}
		}
	}
	if err := a.finish(ctx); err != nil {
		return err
	}
	return a.delete(ctx, late)
}

// models are those of the plan, in the order in which their objects are created, and
// where device types and devices stand among them.
func (a *apply) models() []string {
	var models []string
	for _, n := range a.changes {
		if n.Action != netbox.Delete && n.Model != modelTermination && !slices.Contains(models, n.Model) {
			models = append(models, n.Model)
		}
	}
	if len(a.moves) > 0 && !slices.Contains(models, modelCable) {
		models = append(models, modelCable)
	}
	if len(a.created[modelDevice]) > 0 && !slices.Contains(models, modelDeviceType) {
		models = append(models, modelDeviceType)
	}
	slices.SortFunc(models, func(x, y string) int { return cmp.Compare(creation(x), creation(y)) })
	return models
}

// creation is the place of a model in the order of creation.
func creation(model string) int {
	return slices.Index([]string{
		modelRegion, modelSiteGroup, modelSite, modelLocation, modelManufacturer, modelDeviceType, modelDeviceRole,
		modelASN, modelRole, modelVLANGroup, modelVLAN, modelTarget, modelVRF, modelPrefix, modelRange,
		modelProvider, modelCircuit, modelCircuitTermination,
		modelDevice, modelInterface, modelFrontPort, modelRearPort, modelAddress, modelCable,
	}, model)
}

// write creates and changes the objects of a model: first what depends on no other
// object of it, then what depends on these, and so on.
func (a *apply) write(ctx context.Context, model string) error {
	var open []*change
	for _, n := range a.changes {
		if n.Model == model && n.Action != netbox.Delete {
			open = append(open, n)
		}
	}
	if model == modelCable {
		if err := a.update(ctx, model, open); err != nil {
			return err
		}
		if err := a.move(ctx); err != nil { // which leaves ports to others
			return err
		}
		return a.create(ctx, model, open)
	}
	needs := a.needs(open)
	for len(open) > 0 {
		var ready, wait []*change
		for _, n := range open {
			if slices.ContainsFunc(needs[n], func(on *change) bool { return !on.over }) || slices.ContainsFunc(a.waits[n], func(w waiting) bool { return !w.holder.over && !a.away(w) }) {
				wait = append(wait, n)
			} else {
				ready = append(ready, n)
			}
		}
		if len(ready) == 0 { // they need each other: what cannot be said yet is said later
			ready, wait = wait, nil
		}
		if err := a.update(ctx, model, ready); err != nil {
			return err
		}
		if err := a.create(ctx, model, ready); err != nil {
			return err
		}
		open = wait
	}
	return nil
}

// needs is which changes of a model have to be done before others of it.
func (a *apply) needs(open []*change) map[*change][]*change {
	needs := map[*change][]*change{}
	for _, n := range open {
		for field, to := range referencesOf(n.Model) {
			id, ok := number64(n.After[field])
			if to != n.Model || !ok {
				continue
			}
			if on := a.created[to][id]; on != nil {
				needs[n] = append(needs[n], on)
			}
			// A parent gets its channels first.
			if on := a.updated[to][id]; on != nil && field == "parent" {
				needs[n] = append(needs[n], on)
			}
		}
		// And loses them last.
		if was, ok := number64(n.Before["parent"]); ok && n.Action == netbox.Update && n.Model == modelInterface {
			if on := a.updated[n.Model][was]; on != nil {
				if _, channels := on.After["channels"]; channels {
					needs[on] = append(needs[on], n)
				}
			}
		}
	}
	return needs
}

// finish writes what could not be said when the objects were created: what refers to
// objects that come after them.
func (a *apply) finish(ctx context.Context) error {
	byModel := map[string][]edit{}
	for _, n := range a.late {
		fields := n.left
		n.left, n.last = nil, true
		e, err := a.edit(n, fields)
		if err != nil {
			return err
		}
		if len(n.left) > 0 {
			return planError(n.Name+" refers to something that the plan does not create", "make the plan again", nil)
		}
		byModel[n.Model] = append(byModel[n.Model], e)
	}
	for _, model := range sortedKeys(byModel) {
		if err := a.send(ctx, model, byModel[model]); err != nil {
			return err
		}
	}
	return nil
}

// deletions returns the waves in which objects are deleted: those that can go at
// once, and those that something refers to until the plan changes it.
func (a *apply) deletions() (early, late [][]*change) {
	held := map[*change]bool{}
	var hold func(model string, fields map[string]any)
	hold = func(model string, fields map[string]any) {
		a.eachReference(model, fields, func(_, to string, id key) {
			if n := a.deleted[to][id]; n != nil && !held[n] {
				held[n] = true
				hold(to, n.Before)
			}
		})
	}
	for _, n := range a.changes {
		if n.Action == netbox.Update && n.Model != modelTermination {
			hold(n.Model, n.Before)
		}
	}
	var depth func(n *change) int
	depths := map[*change]int{}
	depth = func(n *change) int {
		if d, ok := depths[n]; ok {
			return d
		}
		depths[n] = 0
		for field, to := range referencesOf(n.Model) {
			if id, ok := number64(n.Before[field]); ok && to == n.Model && a.deleted[to][id] != nil {
				depths[n] = max(depths[n], 1+depth(a.deleted[to][id]))
			}
		}
		return depths[n]
	}
	waves := func(which bool) [][]*change {
		var list []*change
		for _, n := range a.changes {
			if n.Action == netbox.Delete && n.Model != modelTermination && held[n] == which {
				list = append(list, n)
			}
		}
		order := func(x, y *change) int {
			return cmp.Or(cmp.Compare(creation(y.Model), creation(x.Model)), cmp.Compare(depth(y), depth(x)))
		}
		slices.SortStableFunc(list, order)
		var waves [][]*change
		for len(list) > 0 {
			n := slices.IndexFunc(list, func(n *change) bool { return order(list[0], n) != 0 })
			if n < 0 {
				n = len(list)
			}
			waves, list = append(waves, list[:n]), list[n:]
		}
		return waves
	}
	return waves(false), waves(true)
}

// progress counts changes that are done.
func (a *apply) progress(n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.done += n
	if a.o.Progress != nil {
		a.o.Progress(a.done, len(a.changes))
	}
}

// finished notes that a change is in NetBox, but for what is left of it.
func (a *apply) finished(n *change) {
	n.over = true
	if n.extra {
		return
	}
	if len(n.left) > 0 {
		a.mu.Lock()
		a.late = append(a.late, n)
		a.mu.Unlock()
		return
	}
	count := 1
	if n.Model == modelCable && n.Action != netbox.Update {
		count += a.endsOver(n.ID)
	}
	a.progress(count)
}

// endsOver counts the terminations of a cable whose changes are done with it; one that
// moves between two cables counts once.
func (a *apply) endsOver(cable key) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	count := 0
	for _, n := range a.ends[cable] {
		if !n.over {
			n.over = true
			count++
		}
	}
	return count
}

// message is what the change log says of the next request: no other has the same.
func (a *apply) message() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.requests++
	return fmt.Sprintf("%s (request %d)", a.o.Message, a.requests)
}

// ids are those of what was created.
func (a *apply) ids() map[string]map[netbox.ID]netbox.ID {
	ids := map[string]map[netbox.ID]netbox.ID{}
	for model, changes := range a.created {
		for id, n := range changes {
			if n.real == 0 {
				continue
			}
			if ids[model] == nil {
				ids[model] = map[netbox.ID]netbox.ID{}
			}
			ids[model][id] = n.real
		}
	}
	return ids
}

// rowsByID finds the rows of a snapshot by model and id.
func rowsByID(rows *netbox.Rows) map[string]map[key]any {
	all := map[string]map[key]any{}
	v := reflect.ValueOf(rows).Elem()
	for i := range v.NumField() {
		list := v.Field(i)
		byID := make(map[key]any, list.Len())
		for n := range list.Len() {
			byID[key(list.Index(n).FieldByName("ID").Int())] = list.Index(n).Interface()
		}
		all[v.Type().Field(i).Tag.Get("json")] = byID
	}
	return all
}

// number64 is an id in a row; 0 and null are none.
func number64(v any) (key, bool) {
	n, ok := v.(json.Number)
	if !ok {
		return 0, false
	}
	id, err := n.Int64()
	return key(id), err == nil && id != 0
}

// noun is how people call several objects of a model.
func (a *apply) noun(model string) string {
	switch model {
	case modelTemplate:
		return "interface templates"
	case modelRIR:
		return "RIRs"
	}
	if s := a.r.sources[model]; s != nil {
		return s.noun
	}
	return strings.ReplaceAll(model, ".", " ") + "s"
}
