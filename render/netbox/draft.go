package netbox

import (
	"maps"
	"reflect"
	"slices"
)

// draft is a copy of a snapshot's rows that is being changed. Rows are changed by
// their pointers; new ones are made by [table.add].
type draft struct {
	regions             table[Region]
	siteGroups          table[SiteGroup]
	sites               table[Site]
	locations           table[Location]
	manufacturers       table[Manufacturer]
	deviceTypes         table[DeviceType]
	deviceRoles         table[DeviceRole]
	devices             table[Device]
	interfaces          table[Interface]
	frontPorts          table[FrontPort]
	rearPorts           table[RearPort]
	cables              table[Cable]
	cableTerminations   table[CableTermination]
	providers           table[Provider]
	circuits            table[Circuit]
	circuitTerminations table[CircuitTermination]
	asns                table[ASN]
	ipamRoles           table[IPAMRole]
	vlanGroups          table[VLANGroup]
	vlans               table[VLAN]
	routeTargets        table[RouteTarget]
	vrfs                table[VRF]
	prefixes            table[Prefix]
	ipRanges            table[IPRange]
	ipAddresses         table[IPAddress]
}

// newDraft copies the rows of a snapshot.
func newDraft(s *Snapshot) *draft {
	r := &s.Rows
	return &draft{
		regions: tableOf(r.Regions), siteGroups: tableOf(r.SiteGroups), sites: tableOf(r.Sites), locations: tableOf(r.Locations),
		manufacturers: tableOf(r.Manufacturers), deviceTypes: tableOf(r.DeviceTypes), deviceRoles: tableOf(r.DeviceRoles),
		devices: tableOf(r.Devices), interfaces: tableOf(r.Interfaces), frontPorts: tableOf(r.FrontPorts), rearPorts: tableOf(r.RearPorts),
		cables: tableOf(r.Cables), cableTerminations: tableOf(r.CableTerminations),
		providers: tableOf(r.Providers), circuits: tableOf(r.Circuits), circuitTerminations: tableOf(r.CircuitTerminations),
		asns: tableOf(r.ASNs), ipamRoles: tableOf(r.IPAMRoles), vlanGroups: tableOf(r.VLANGroups), vlans: tableOf(r.VLANs),
		routeTargets: tableOf(r.RouteTargets), vrfs: tableOf(r.VRFs), prefixes: tableOf(r.Prefixes), ipRanges: tableOf(r.IPRanges), ipAddresses: tableOf(r.IPAddresses),
	}
}

// snapshot returns the draft as it is now.
func (d *draft) snapshot(changeID int64) *Snapshot {
	return &Snapshot{ChangeID: changeID, Rows: Rows{
		Regions: d.regions.list(), SiteGroups: d.siteGroups.list(), Sites: d.sites.list(), Locations: d.locations.list(),
		Manufacturers: d.manufacturers.list(), DeviceTypes: d.deviceTypes.list(), DeviceRoles: d.deviceRoles.list(),
		Devices: d.devices.list(), Interfaces: d.interfaces.list(), FrontPorts: d.frontPorts.list(), RearPorts: d.rearPorts.list(),
		Cables: d.cables.list(), CableTerminations: d.cableTerminations.list(),
		Providers: d.providers.list(), Circuits: d.circuits.list(), CircuitTerminations: d.circuitTerminations.list(),
		ASNs: d.asns.list(), IPAMRoles: d.ipamRoles.list(), VLANGroups: d.vlanGroups.list(), VLANs: d.vlans.list(),
		RouteTargets: d.routeTargets.list(), VRFs: d.vrfs.list(), Prefixes: d.prefixes.list(), IPRanges: d.ipRanges.list(), IPAddresses: d.ipAddresses.list(),
	}}
}

// table is the rows of one model.
type table[T any] struct {
	rows map[ID]*T
	last ID // the highest id that was ever given
}

func tableOf[T any](rows []T) table[T] {
	t := table[T]{rows: make(map[ID]*T, len(rows))}
	for _, row := range rows {
		copied := row
		id := idOf(&copied)
		t.rows[id], t.last = &copied, max(t.last, id)
	}
	return t
}

func idOf(row any) ID { return ID(reflect.ValueOf(row).Elem().FieldByName("ID").Int()) }

// add adds a row under an id of its own and returns it.
func (t *table[T]) add(row T) *T {
	t.last++
	reflect.ValueOf(&row).Elem().FieldByName("ID").SetInt(int64(t.last))
	t.rows[t.last] = &row
	return &row
}

// get returns the row of the id, or nil.
func (t *table[T]) get(id ID) *T { return t.rows[id] }

// put brings back a row that was taken out.
func (t *table[T]) put(row *T) { t.rows[idOf(row)] = row }

// remove takes a row out.
func (t *table[T]) remove(id ID) { delete(t.rows, id) }

// sorted returns the rows in the order of their ids.
func (t *table[T]) sorted() []*T { return sorted(t.rows) }

// find returns the first row, in the order of ids, for which the question is true.
func (t *table[T]) find(is func(*T) bool) *T {
	for _, row := range t.sorted() {
		if is(row) {
			return row
		}
	}
	return nil
}

// list returns the rows as a snapshot holds them.
func (t *table[T]) list() []T {
	if len(t.rows) == 0 {
		return nil
	}
	out := make([]T, 0, len(t.rows))
	for _, id := range slices.Sorted(maps.Keys(t.rows)) {
		out = append(out, *t.rows[id])
	}
	return out
}

// set sets a custom field of the mapping, given by its name without the prefix, or
// takes it out when the value is nil. The fields of a row that is in a snapshot must not
// be changed in place: they are shared.
func (f *Fields) set(name string, value any) {
	next := maps.Clone(*f)
	if next == nil {
		next = Fields{}
	}
	if value == nil {
		delete(next, prefixFields+name)
	} else {
		next[prefixFields+name] = value
	}
	if len(next) == 0 {
		next = nil
	}
	*f = next
}

// reference is the value of an object custom field.
func reference(id ID) any { return map[string]any{"id": id} }
