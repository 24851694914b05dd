package rest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"

	"hedgehog-gitops/render/hedgehog"
	"hedgehog-gitops/render/netbox"
)

// Read reads what the fabrics need from NetBox.
//
// Wholly: regions, site groups, sites, locations, the hardware catalogue,
// providers and circuits, and all of IPAM. Of the sites that the fabrics stand
// in: devices and interfaces. Then what these lead to: their cables, through
// patch panels, to the far ends in any site, with the LAG and the sub-interfaces
// of those.
//
// The issues are about people's input: a site that is not there, a custom field
// of the wrong type, a NetBox version that is not tested. One of severity Error
// means that the snapshot must not be rendered.
func Read(ctx context.Context, c *Client, fabrics []netbox.Config) (*netbox.Snapshot, hedgehog.Issues, error) {
	for again := 0; ; again++ {
		r := newReader(c)
		snapshot, issues, err := r.read(ctx, fabrics)
		if !errors.Is(err, errAgain) {
			return snapshot, issues, err
		}
		if again == 3 {
			return nil, nil, &Error{Doing: "reading NetBox", Detail: "custom fields, tags or very many records changed during each of 4 reads", Hint: "try again when NetBox is quieter"}
		}
	}
}

// errAgain says that so much changed that everything has to be read again.
var errAgain = errors.New("too much changed")

// reader is one read of NetBox.
type reader struct {
	client  *Client
	version version
	sources map[string]*source
	types   fieldTypes
	scope   map[key]bool // the sites of the fabrics

	sites        *tableOf[siteWire, netbox.Site]
	locations    *tableOf[locationWire, netbox.Location]
	devices      *tableOf[deviceWire, netbox.Device]
	interfaces   *tableOf[interfaceWire, netbox.Interface]
	fronts       *tableOf[frontPortWire, netbox.FrontPort]
	rears        *tableOf[rearPortWire, netbox.RearPort]
	cables       *tableOf[cableWire, netbox.Cable]
	terminations *tableOf[terminationWire, netbox.CableTermination]
	prefixes     *tableOf[prefixWire, netbox.Prefix]
	addresses    *tableOf[addressWire, netbox.IPAddress]
	vlans        *tableOf[vlanWire, netbox.VLAN]

	tables map[string]table
	whole  []string // the models that are read wholly
	reached

	floor  key          // lowest id of the change log that is looked at
	newest key          // highest id seen there
	seen   map[key]bool // ids seen there
}

// reached is how far the closure has come: what was asked for already.
type reached struct {
	unfolded map[key]bool            // devices whose interfaces were read
	parents  map[key]bool            // interfaces whose sub-interfaces were read
	traced   map[key]bool            // cables whose terminations were read
	absent   map[string]map[key]bool // records that were asked for and did not come
}

func newReader(c *Client) *reader {
	r := &reader{client: c, sources: sources(), tables: map[string]table{}, scope: map[key]bool{}, seen: map[key]bool{}}
	r.reached = reached{map[key]bool{}, map[key]bool{}, map[key]bool{}, map[string]map[key]bool{}}

	r.sites = newTable[siteWire](r, modelSite, func(rows *netbox.Rows) *[]netbox.Site { return &rows.Sites })
	r.locations = newTable[locationWire](r, modelLocation, func(rows *netbox.Rows) *[]netbox.Location { return &rows.Locations })
	r.devices = newTable[deviceWire](r, modelDevice, func(rows *netbox.Rows) *[]netbox.Device { return &rows.Devices })
	r.interfaces = newTable[interfaceWire](r, modelInterface, func(rows *netbox.Rows) *[]netbox.Interface { return &rows.Interfaces })
	r.interfaces.own["device_id"] = func(w *interfaceWire) key { return w.Device.ID }
	r.interfaces.own["parent_id"] = func(w *interfaceWire) key { return w.Parent.ID }
	r.fronts = newTable[frontPortWire](r, modelFrontPort, func(rows *netbox.Rows) *[]netbox.FrontPort { return &rows.FrontPorts })
	r.rears = newTable[rearPortWire](r, modelRearPort, func(rows *netbox.Rows) *[]netbox.RearPort { return &rows.RearPorts })
	r.cables = newTable[cableWire](r, modelCable, func(rows *netbox.Rows) *[]netbox.Cable { return &rows.Cables })
	r.terminations = newTable[terminationWire](r, modelTermination, func(rows *netbox.Rows) *[]netbox.CableTermination { return &rows.CableTerminations })
	r.terminations.own["cable_id"] = func(w *terminationWire) key { return w.Cable.ID }
	r.vlans = newTable[vlanWire](r, modelVLAN, func(rows *netbox.Rows) *[]netbox.VLAN { return &rows.VLANs })
	r.prefixes = newTable[prefixWire](r, modelPrefix, func(rows *netbox.Rows) *[]netbox.Prefix { return &rows.Prefixes })
	r.addresses = newTable[addressWire](r, modelAddress, func(rows *netbox.Rows) *[]netbox.IPAddress { return &rows.IPAddresses })
	newTable[regionWire](r, modelRegion, func(rows *netbox.Rows) *[]netbox.Region { return &rows.Regions })
	newTable[siteGroupWire](r, modelSiteGroup, func(rows *netbox.Rows) *[]netbox.SiteGroup { return &rows.SiteGroups })
	newTable[manufacturerWire](r, modelManufacturer, func(rows *netbox.Rows) *[]netbox.Manufacturer { return &rows.Manufacturers })
	newTable[deviceTypeWire](r, modelDeviceType, func(rows *netbox.Rows) *[]netbox.DeviceType { return &rows.DeviceTypes })
	newTable[deviceRoleWire](r, modelDeviceRole, func(rows *netbox.Rows) *[]netbox.DeviceRole { return &rows.DeviceRoles })
	newTable[providerWire](r, modelProvider, func(rows *netbox.Rows) *[]netbox.Provider { return &rows.Providers })
	newTable[circuitWire](r, modelCircuit, func(rows *netbox.Rows) *[]netbox.Circuit { return &rows.Circuits })
	newTable[circuitTerminationWire](r, modelCircuitTermination, func(rows *netbox.Rows) *[]netbox.CircuitTermination { return &rows.CircuitTerminations })
	newTable[asnWire](r, modelASN, func(rows *netbox.Rows) *[]netbox.ASN { return &rows.ASNs })
	newTable[roleWire](r, modelRole, func(rows *netbox.Rows) *[]netbox.IPAMRole { return &rows.IPAMRoles })
	newTable[vlanGroupWire](r, modelVLANGroup, func(rows *netbox.Rows) *[]netbox.VLANGroup { return &rows.VLANGroups })
	newTable[targetWire](r, modelTarget, func(rows *netbox.Rows) *[]netbox.RouteTarget { return &rows.RouteTargets })
	newTable[vrfWire](r, modelVRF, func(rows *netbox.Rows) *[]netbox.VRF { return &rows.VRFs })
	newTable[rangeWire](r, modelRange, func(rows *netbox.Rows) *[]netbox.IPRange { return &rows.IPRanges })

	for _, model := range sortedKeys(r.tables) {
		switch model {
		case modelDevice, modelInterface, modelFrontPort, modelRearPort, modelCable, modelTermination:
		default:
			r.whole = append(r.whole, model)
		}
	}
	return r
}

func (r *reader) read(ctx context.Context, fabrics []netbox.Config) (*netbox.Snapshot, hedgehog.Issues, error) {
	var issues hedgehog.Issues
	v, notice, err := r.client.netboxVersion(ctx)
	if err != nil {
		return nil, nil, err
	}
	r.version = v
	issues = append(issues, notice...)
	if v.before(4, 7) {
		r.interfacesBefore47()
	}

	// First the change log's end, so that no change can slip in between.
	if err := r.openLog(ctx); err != nil {
		return nil, nil, err
	}
	var fields []definition
	first := newTasks(ctx)
	first.run(r.probe)
	first.run(func(ctx context.Context) (err error) { fields, err = r.customFields(ctx); return err })
	if err := first.wait(); err != nil {
		return nil, nil, err
	}
	issues = append(issues, checkFields(fields)...)

	// Where the fabrics stand says what else to read.
	if err := r.readModels(ctx, []string{modelSite, modelLocation}); err != nil {
		return nil, nil, err
	}
	issues = append(issues, r.findSites(fabrics)...)
	rest := slices.DeleteFunc(slices.Clone(r.whole), func(model string) bool { return model == modelSite || model == modelLocation })
	if len(r.scope) > 0 {
		rest = append([]string{modelInterface, modelDevice}, rest...) // the long one first
	}
	if err := r.readModels(ctx, rest); err != nil {
		return nil, nil, err
	}
	for id, held := range r.devices.rows {
		if !r.scope[held.row.Site] {
			return nil, nil, r.doubt(r.sources[modelDevice], "device %d is in site %d, which was not asked for", id, held.row.Site)
		}
		r.unfolded[id] = true
	}
	for id, held := range r.interfaces.rows {
		if _, ok := r.devices.rows[held.row.Device]; !ok {
			// Created during the read, or hidden: the closure finds out.
			continue
		}
		r.parents[id] = true
	}
	if err := r.close(ctx); err != nil {
		return nil, nil, err
	}
	if err := r.settle(ctx); err != nil {
		return nil, nil, err
	}

	snapshot := &netbox.Snapshot{ChangeID: int64(r.newest)}
	kept := r.walk()
	for model, t := range r.tables {
		t.into(&snapshot.Rows, func(id key) bool {
			set, partial := kept.keep[model]
			return !partial || set[id]
		})
	}
	snapshot.Rows.Sort()
	issues.Sort()
	return snapshot, issues, nil
}

// readModels reads models side by side: devices and interfaces of the fabrics'
// sites, the others wholly. NetBox's refusals are one error for all of them.
func (r *reader) readModels(ctx context.Context, models []string) error {
	var (
		mu        sync.Mutex
		forbidden []string
		denied    *Error
		side      = newTasks(ctx)
	)
	read := func(f func(context.Context) error) {
		side.run(func(ctx context.Context) error {
			err := f(ctx)
			var e *Error
			if errors.As(err, &e) && e.Status == http.StatusForbidden {
				mu.Lock()
				defer mu.Unlock()
				forbidden, denied = append(forbidden, strings.TrimPrefix(e.Doing, "reading ")), e
				return nil
			}
			return err
		})
	}
	for _, model := range models {
		switch model {
		case modelInterface:
			read(r.readInterfaces)
		case modelDevice:
			read(func(ctx context.Context) error { return r.devices.readAll(ctx, r.inScope(), nil) })
		default:
			read(func(ctx context.Context) error { return r.tables[model].readAll(ctx, nil, nil) })
		}
	}
	if err := side.wait(); err != nil {
		return err
	}
	if denied != nil {
		slices.Sort(forbidden)
		denied.Doing = "reading " + strings.Join(forbidden, ", ")
		return denied
	}
	return nil
}

// readInterfaces reads the interfaces of the fabrics' sites, and where NetBox has
// little else, all cables beside them: which ones are needed is known only when
// the interfaces are there, but then these would have to be waited for.
func (r *reader) readInterfaces(ctx context.Context) error {
	there, err := r.tally(ctx, r.sources[modelInterface], r.inScope())
	if err != nil {
		return err
	}
	side := newTasks(ctx)
	side.run(func(ctx context.Context) error { return r.interfaces.readAll(ctx, r.inScope(), &there) })
	if cables, err := r.tally(ctx, r.sources[modelCable], nil); err == nil && cables.count > 0 && cables.count <= there.count {
		side.run(func(ctx context.Context) error { return r.cables.readAll(ctx, nil, &cables) })
		side.run(func(ctx context.Context) error {
			ends, err := r.tally(ctx, r.sources[modelTermination], nil)
			if err != nil {
				return err
			}
			return r.terminations.readAll(ctx, nil, &ends)
		})
	} else if err != nil {
		side.run(func(context.Context) error { return err })
	}
	if err := side.wait(); err != nil {
		return err
	}
	for id := range r.cables.rows {
		r.traced[id] = true
	}
	return nil
}

// inScope is the filter for what stands in the fabrics' sites.
func (r *reader) inScope() url.Values {
	filter := url.Values{}
	for _, id := range sortedIDs(r.scope) {
		filter.Add("site_id", strconv.FormatInt(int64(id), 10))
	}
	return filter
}

// interfacesBefore47 does without what NetBox 4.7 brought.
func (r *reader) interfacesBefore47() { r.sources[modelInterface].optional = nil }

// findSites looks the fabrics' sites and locations up by slug.
func (r *reader) findSites(fabrics []netbox.Config) hedgehog.Issues {
	var issues hedgehog.Issues
	bySlug := map[string]key{}
	for id, held := range r.sites.rows {
		bySlug[held.row.Slug] = id
	}
	for _, fabric := range fabrics {
		site, ok := bySlug[fabric.Site]
		if !ok {
			issues = append(issues, hedgehog.Issue{
				Rule: "netbox-site-unknown", Severity: hedgehog.Error, Field: "fabrics." + fabric.Name + ".site",
				Summary: fmt.Sprintf("NetBox has no site with the slug %q, in which the fabric %s should stand", fabric.Site, fabric.Name),
				Hint:    didYouMean(fabric.Site, sortedKeys(bySlug), "give the slug of a site that the token may see"),
			})
			continue
		}
		r.scope[site] = true
		if fabric.Location == "" {
			continue
		}
		slugs := map[string]bool{}
		for _, held := range r.locations.rows {
			if held.row.Site == site {
				slugs[held.row.Slug] = true
			}
		}
		if !slugs[fabric.Location] {
			issues = append(issues, hedgehog.Issue{
				Rule: "netbox-location-unknown", Severity: hedgehog.Error, Field: "fabrics." + fabric.Name + ".location",
				Summary: fmt.Sprintf("the site %s has no location with the slug %q, in which the fabric %s should stand", fabric.Site, fabric.Location, fabric.Name),
				Hint:    didYouMean(fabric.Location, sortedKeys(slugs), "give the slug of a location of this site, or none"),
			})
		}
	}
	return issues
}

// probe asks with values that no filter takes. A filter that NetBox, or what
// stands in front of it, does not know would be passed over and give everything.
func (r *reader) probe(ctx context.Context) error {
	tasks := newTasks(ctx)
	for _, filter := range [][2]string{
		{modelDevice, "site_id"}, {modelInterface, "site_id"}, {modelInterface, "id"},
		{modelInterface, "device_id"}, {modelInterface, "parent_id"}, {modelTermination, "cable_id"},
	} {
		tasks.run(func(ctx context.Context) error {
			s := r.sources[filter[0]]
			_, _, err := fetch[keyed](ctx, r.client, s, url.Values{filter[1]: {"-"}, "limit": {"1"}, "fields": {"id"}})
			var refused *Error
			switch {
			case err == nil:
				return r.doubt(s, "NetBox passes over the filter %s", filter[1])
			case errors.As(err, &refused) && refused.Status == http.StatusBadRequest:
				return nil
			}
			return err
		})
	}
	return tasks.wait()
}

// table holds the rows of a model while they are read.
type table interface {
	readAll(ctx context.Context, filter url.Values, known *extent) error
	readBy(ctx context.Context, parameter string, values []key) (gone []key, err error)
	has(key) bool
	drop(key)
	each(func(key, *extra))
	into(*netbox.Rows, func(key) bool)
	len() int
}

type held[R any] struct {
	row   R
	extra extra
}

type tableOf[W wire[R], R any] struct {
	r    *reader
	s    *source
	mu   sync.Mutex
	rows map[key]*held[R]
	own  map[string]func(*W) key
	list func(*netbox.Rows) *[]R
}

func newTable[W wire[R], R any](r *reader, model string, list func(*netbox.Rows) *[]R) *tableOf[W, R] {
	t := &tableOf[W, R]{r: r, s: r.sources[model], rows: map[key]*held[R]{}, list: list}
	t.own = map[string]func(*W) key{"id": func(w *W) key { return (*w).id() }}
	r.tables[model] = t
	return t
}

func (t *tableOf[W, R]) take(rows []W) error {
	done := make([]*held[R], len(rows))
	for i, w := range rows {
		h := &held[R]{}
		var err error
		if h.row, h.extra, err = w.row(t.r.types); err != nil {
			return &Error{Doing: "reading " + t.s.noun, Detail: fmt.Sprintf("%s %d cannot be understood: %v", t.s.model, w.id(), err), Hint: "please report this with NetBox's version", Err: err}
		}
		done[i] = h
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, w := range rows {
		t.rows[w.id()] = done[i]
	}
	return nil
}

func (t *tableOf[W, R]) readAll(ctx context.Context, filter url.Values, known *extent) error {
	return readAll(ctx, t.r, t.s, filter, known, t.take)
}

func (t *tableOf[W, R]) readBy(ctx context.Context, parameter string, values []key) ([]key, error) {
	return readBy(ctx, t.r, t.s, parameter, values, t.own[parameter], t.take)
}

// has may be asked while other tasks read more rows of the model.
func (t *tableOf[W, R]) has(id key) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, ok := t.rows[id]
	return ok
}

func (t *tableOf[W, R]) drop(id key) { delete(t.rows, id) }
func (t *tableOf[W, R]) len() int    { return len(t.rows) }

func (t *tableOf[W, R]) each(f func(key, *extra)) {
	for id, h := range t.rows {
		f(id, &h.extra)
	}
}

func (t *tableOf[W, R]) into(rows *netbox.Rows, keep func(key) bool) {
	list := t.list(rows)
	for id, h := range t.rows {
		if keep(id) {
			*list = append(*list, h.row)
		}
	}
}

// walked is what belongs to the fabrics, and what is missing to know it all.
type walked struct {
	keep     map[string]map[key]bool // by model, for the models that are not read wholly
	byID     map[string]map[key]bool // records to read
	unfold   map[key]bool            // devices whose interfaces to read
	children map[key]bool            // interfaces whose sub-interfaces to read
	trace    map[key]bool            // cables whose terminations to read
}

// walk goes from the devices of the fabrics' sites along their interfaces and
// cables, through patch panels, to whatever they lead to.
func (r *reader) walk() *walked {
	w := &walked{keep: map[string]map[key]bool{}, byID: map[string]map[key]bool{}, unfold: map[key]bool{}, children: map[key]bool{}, trace: map[key]bool{}}
	for _, model := range []string{modelDevice, modelInterface, modelFrontPort, modelRearPort, modelCable, modelTermination} {
		w.keep[model], w.byID[model] = map[key]bool{}, map[key]bool{}
	}
	childrenOf := map[key][]key{}
	for id, i := range r.interfaces.rows {
		if i.row.Parent != 0 {
			childrenOf[i.row.Parent] = append(childrenOf[i.row.Parent], id)
		}
	}
	endsOf := map[key][]key{}
	for id, t := range r.terminations.rows {
		endsOf[t.row.Cable] = append(endsOf[t.row.Cable], id)
	}

	// visit marks a record and reports whether it is there to be looked at.
	visit := func(model string, id key) bool {
		if id == 0 || w.keep[model][id] || r.absent[model][id] {
			return false
		}
		if !r.tables[model].has(id) {
			w.byID[model][id] = true
			return false
		}
		w.keep[model][id] = true
		return true
	}
	type port struct {
		model string
		id    key
	}
	var todo []port
	cable := func(id key) {
		if !visit(modelCable, id) {
			return
		}
		if !r.traced[id] {
			w.trace[id] = true
		}
		for _, end := range endsOf[id] {
			w.keep[modelTermination][end] = true
			t := r.terminations.rows[end].row
			switch t.Type {
			case modelInterface, modelFrontPort, modelRearPort:
				todo = append(todo, port{t.Type, t.Port})
			}
		}
	}
	through := func(device key, x extra, behind string) {
		visit(modelDevice, device)
		for _, id := range x.ports {
			todo = append(todo, port{behind, id})
		}
		cable(x.cable)
	}
	for id, d := range r.devices.rows {
		if r.scope[d.row.Site] && visit(modelDevice, id) && !r.unfolded[id] {
			w.unfold[id] = true
		}
	}
	for id, i := range r.interfaces.rows {
		if d, ok := r.devices.rows[i.row.Device]; ok && r.scope[d.row.Site] {
			todo = append(todo, port{modelInterface, id})
		}
	}
	for len(todo) > 0 {
		at := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if !visit(at.model, at.id) {
			continue
		}
		switch at.model {
		case modelInterface:
			i := r.interfaces.rows[at.id]
			visit(modelDevice, i.row.Device)
			if d, ok := r.devices.rows[i.row.Device]; !r.parents[at.id] && !(ok && r.unfolded[i.row.Device] && r.scope[d.row.Site]) {
				w.children[at.id] = true
			}
			for _, id := range append([]key{i.row.LAG, i.row.Parent}, childrenOf[at.id]...) {
				todo = append(todo, port{modelInterface, id})
			}
			cable(i.extra.cable)
		case modelFrontPort:
			p := r.fronts.rows[at.id]
			through(p.row.Device, p.extra, modelRearPort)
		case modelRearPort:
			p := r.rears.rows[at.id]
			through(p.row.Device, p.extra, modelFrontPort)
		}
	}
	return w
}

// close reads what is missing until nothing is.
func (r *reader) close(ctx context.Context) error {
	for {
		w := r.walk()
		tasks := newTasks(ctx)
		missing := false
		read := func(model, parameter string, want map[key]bool, done func(ids, gone []key)) {
			if len(want) == 0 {
				return
			}
			missing = true
			ids := sortedIDs(want)
			tasks.run(func(ctx context.Context) error {
				t := r.tables[model]
				if parameter == "id" || parameter == "cable_id" {
					if all, err := r.fewer(ctx, r.sources[model], len(ids)); err != nil || all != nil {
						if err == nil {
							err = t.readAll(ctx, nil, all)
						}
						done(ids, nil)
						return err
					}
				}
				gone, err := t.readBy(ctx, parameter, ids)
				done(ids, gone)
				return err
			})
		}
		var mu sync.Mutex
		for model, want := range w.byID {
			read(model, "id", want, func(ids, _ []key) {
				mu.Lock()
				defer mu.Unlock()
				for _, id := range ids {
					if !r.tables[model].has(id) {
						if r.absent[model] == nil {
							r.absent[model] = map[key]bool{}
						}
						r.absent[model][id] = true
					}
				}
			})
		}
		mark := func(set map[key]bool) func(ids, gone []key) {
			return func(ids, _ []key) {
				mu.Lock()
				defer mu.Unlock()
				for _, id := range ids {
					set[id] = true
				}
			}
		}
		read(modelInterface, "device_id", w.unfold, mark(r.unfolded))
		read(modelInterface, "parent_id", w.children, mark(r.parents))
		// The ends of cables that are yet to be read are wanted too: no need to wait.
		trace := w.trace
		for id := range w.byID[modelCable] {
			trace[id] = true
		}
		read(modelTermination, "cable_id", trace, mark(r.traced))
		if err := tasks.wait(); err != nil {
			return err
		}
		if !missing {
			return nil
		}
	}
}

// fewer returns the extent of a model when reading all of it takes fewer requests
// than reading these many by name; else nil.
func (r *reader) fewer(ctx context.Context, s *source, ids int) (*extent, error) {
	const byName = 250
	chunks := (ids + byName - 1) / byName
	if chunks < 3 {
		return nil, nil
	}
	there, err := r.tally(ctx, s, nil)
	if err != nil || there.count/r.client.pace.now(s.model)+1 > chunks {
		return nil, err
	}
	return &there, nil
}

func sortedIDs(set map[key]bool) []key {
	ids := make([]key, 0, len(set))
	for id := range set {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// version is a version of NetBox.
type version struct {
	major, minor int
	text         string
}

func (v version) before(major, minor int) bool {
	return v.major < major || v.major == major && v.minor < minor
}

// The versions of NetBox that are tested, and the oldest that is accepted.
const (
	testedMajor, testedMinor = 4, 7
	oldestMajor, oldestMinor = 4, 5
)

func (c *Client) netboxVersion(ctx context.Context) (version, hedgehog.Issues, error) {
	var status struct {
		Version string `json:"netbox-version"`
	}
	const doing = "asking NetBox for its version"
	prepare := func() *answer {
		return &answer{read: func(body io.Reader) error {
			if err := json.NewDecoder(body).Decode(&status); err != nil {
				return err
			}
			if status.Version == "" {
				return fmt.Errorf("%w: it has no netbox-version", errShape)
			}
			return nil
		}}
	}
	err := c.get(ctx, doing, prepare, func(ctx context.Context) error {
		_, _, err := c.api.StatusAPI.StatusRetrieve(ctx).Execute()
		return onlyOurs(err)
	}, func(*Error) {})
	if err != nil {
		return version{}, nil, err
	}
	v := version{text: status.Version}
	if _, err := fmt.Sscanf(status.Version, "%d.%d", &v.major, &v.minor); err != nil {
		return version{}, nil, &Error{Doing: doing, Detail: fmt.Sprintf("NetBox calls its version %q", cut(status.Version, 40)), Hint: hintURL}
	}
	if v.before(oldestMajor, oldestMinor) {
		return v, nil, &Error{Doing: doing, Detail: "NetBox is version " + v.text, Hint: fmt.Sprintf("upgrade NetBox to %d.%d; %d.%d is the oldest that works", testedMajor, testedMinor, oldestMajor, oldestMinor)}
	}
	if v.major == testedMajor && v.minor == testedMinor {
		return v, nil, nil
	}
	return v, hedgehog.Issues{{
		Rule: "netbox-version-untested", Severity: hedgehog.Notice,
		Summary: fmt.Sprintf("NetBox is version %s; the tool is tested with %d.%d", v.text, testedMajor, testedMinor),
		Hint:    "look at the first results closely",
	}}, nil
}

// definition is a custom field as NetBox defines it.
type definition struct {
	keyed
	Name        string   `json:"name"`
	Label       text     `json:"label"`
	Type        choice   `json:"type"`
	ObjectTypes []string `json:"object_types"`
	Related     text     `json:"related_object_type"`
	ChoiceSet   ref      `json:"choice_set"`
	Status      choice   `json:"status"`
}

// customFields reads the definitions of the custom fields whose names begin with
// hedgehog_.
func (r *reader) customFields(ctx context.Context) ([]definition, error) {
	var mu sync.Mutex
	var found []definition
	err := readAll(ctx, r, r.sources[modelField], nil, nil, func(rows []definition) error {
		mu.Lock()
		defer mu.Unlock()
		for _, d := range rows {
			if strings.HasPrefix(d.Name, fieldPrefix) {
				found = append(found, d)
			}
		}
		return nil
	})
	slices.SortFunc(found, func(a, b definition) int { return strings.Compare(a.Name, b.Name) })
	r.types = fieldTypes{}
	for _, d := range found {
		r.types[d.Name] = fieldType{Type: string(d.Type), Related: string(d.Related)}
	}
	return found, err
}

// checkFields compares the definitions with what the mapping uses. A field that
// is not there is fine: it says nothing.
func checkFields(found []definition) hedgehog.Issues {
	var issues hedgehog.Issues
	byName := map[string]definition{}
	for _, d := range found {
		byName[d.Name] = d
	}
	for _, want := range netbox.CustomFields() {
		have, ok := byName[want.Name]
		if !ok {
			continue
		}
		origin := hedgehog.Origin{Path: fmt.Sprintf("/extras/custom-fields/%d/", have.ID)}
		if problem := mismatch(want, have); problem != "" {
			issues = append(issues, hedgehog.Issue{
				Rule: "netbox-field-type", Severity: hedgehog.Error, Origin: origin, Field: want.Name, Summary: problem,
				Hint: "rename or delete that custom field, then run bootstrap; NetBox cannot change a field's type",
			})
		}
		if have.Status != "" && have.Status != "active" {
			issues = append(issues, hedgehog.Issue{
				Rule: "netbox-field-inactive", Severity: hedgehog.Error, Origin: origin, Field: want.Name,
				Summary: fmt.Sprintf("the custom field %s is %s: NetBox does not show its values", want.Name, have.Status),
				Hint:    "start NetBox's background worker (netbox rqworker) and wait until the field is active",
			})
		}
	}
	return issues
}

// mismatch says how a custom field of NetBox's is not the mapping's; empty if it is.
func mismatch(want netbox.CustomField, have definition) string {
	switch {
	case string(have.Type) != want.Type:
		return fmt.Sprintf("the custom field %s is of type %s; the mapping needs %s", want.Name, have.Type, want.Type)
	case want.RelatedObjectType != "" && string(have.Related) != want.RelatedObjectType:
		return fmt.Sprintf("the custom field %s refers to %s; the mapping needs %s", want.Name, have.Related, want.RelatedObjectType)
	}
	return ""
}

// didYouMean returns a hint with the nearest of the names, if one is near.
func didYouMean(name string, names []string, otherwise string) string {
	best, least := "", len(name)/3+2
	for _, candidate := range names {
		if d := distance(strings.ToLower(name), strings.ToLower(candidate)); d < least {
			best, least = candidate, d
		}
	}
	switch {
	case best != "":
		return fmt.Sprintf("did you mean %q?", best)
	case len(names) == 0:
		return otherwise + "; the token sees none"
	case len(names) <= 10:
		return otherwise + "; there are " + strings.Join(names, ", ")
	}
	return otherwise
}

// distance is the number of letters to add, remove or change.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		last := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := last
			if a[i] != b[j] {
				cost++
			}
			last = row[j+1]
			row[j+1] = min(cost, row[j]+1, last+1)
		}
	}
	return row[len(b)]
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}
