package netbox

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"hedgehog-gitops/render/hedgehog"
)

// Plan is what has to change in NetBox so that it documents a fabric: an ordered
// list of creates, updates and deletes. What is previewed is what is applied. It is
// empty exactly when NetBox already renders the manifests.
type Plan struct {
	// Fabric is the name of the fabric that is imported.
	Fabric string `json:"fabric"`
	// Base is the digest of the snapshot that the plan was made against, ChangeID the
	// highest id of NetBox's change log in it.
	Base     string `json:"base"`
	ChangeID int64  `json:"change_id"`
	// Changes are in an order in which they can be made: what is referred to comes
	// before what refers to it, and is deleted after it.
	Changes []Change `json:"changes"`
	// OnlyInNetBox are objects that NetBox documents and the manifests do not have;
	// they stay unless pruning was asked for.
	OnlyInNetBox []OnlyThere `json:"only_in_netbox"`
	// Shares says where the fabric's data went.
	Shares Shares `json:"shares"`
}

// The actions of a [Change].
const (
	Create = "create"
	Update = "update"
	Delete = "delete"
)

// Change is a change of one NetBox object.
type Change struct {
	// Action is [Create], [Update] or [Delete].
	Action string `json:"action"`
	// Model is NetBox's name of the kind of object: dcim.device.
	Model string `json:"model"`
	// ID is the object's. One that is created has an id that no object of the snapshot
	// has: others of the plan refer to it by this, whatever id NetBox gives it then.
	ID ID `json:"id"`
	// Name is how people call the object: "leaf-1", "leaf-1 E1/5", "10.0.1.0/24".
	Name string `json:"name"`
	// Before and After hold the fields that change, in the form of the snapshot's rows.
	// Before is empty for a create, After for a delete. In an update a field that is
	// set to nothing is null in After; custom_fields holds only those that change.
	Before map[string]any `json:"before"`
	After  map[string]any `json:"after"`
	// For are the Hedgehog objects that the object is documentation of, and where their
	// manifests are.
	For []Cause `json:"for"`
}

// Cause is a Hedgehog object that a change is made for.
type Cause struct {
	Kind   hedgehog.Kind `json:"kind"`
	Name   string        `json:"name"`
	Origin string        `json:"origin"`
}

// OnlyThere is a Hedgehog object that only NetBox has.
type OnlyThere struct {
	Kind   hedgehog.Kind `json:"kind"`
	Name   string        `json:"name"`
	Origin string        `json:"origin"` // the path of its record
}

// Shares are the bytes of the manifests' specs by where NetBox holds them.
type Shares struct {
	Native       int `json:"native"`
	CustomFields int `json:"custom_fields"`
	Spec         int `json:"hedgehog_spec"`
	Objects      int `json:"hedgehog_objects"`
}

// order is the models that a plan may change, in the order in which their objects
// are created; deleting goes the other way.
var order = [...]string{
	"dcim.region", "dcim.sitegroup", "dcim.site", "dcim.location", "dcim.manufacturer", "dcim.devicetype", "dcim.devicerole",
	"ipam.asn", "ipam.role", "ipam.vlangroup", "ipam.vlan", "ipam.routetarget", "ipam.vrf", "ipam.prefix", "ipam.iprange",
	"circuits.provider", "circuits.circuit", "circuits.circuittermination",
	"dcim.device", "dcim.interface", "dcim.frontport", "dcim.rearport", "ipam.ipaddress",
	"dcim.cable", "dcim.cabletermination",
}

// rank is the place of a model in the order of creation.
func rank(model string) int { return slices.Index(order[:], model) }

// References are the fields of a model's rows that hold ids, and the model that they
// are ids of. The names are those of the rows' JSON.
func References(model string) map[string]string {
	switch model {
	case "dcim.region":
		return map[string]string{"parent": "dcim.region"}
	case "dcim.sitegroup":
		return map[string]string{"parent": "dcim.sitegroup"}
	case "dcim.site":
		return map[string]string{"region": "dcim.region", "group": "dcim.sitegroup"}
	case "dcim.location":
		return map[string]string{"site": "dcim.site", "parent": "dcim.location"}
	case "dcim.devicetype":
		return map[string]string{"manufacturer": "dcim.manufacturer"}
	case "dcim.devicerole":
		return map[string]string{"parent": "dcim.devicerole"}
	case "dcim.device":
		return map[string]string{"device_type": "dcim.devicetype", "role": "dcim.devicerole", "site": "dcim.site", "location": "dcim.location", "oob_ip": "ipam.ipaddress", "primary_ip4": "ipam.ipaddress"}
	case "dcim.interface":
		return map[string]string{"device": "dcim.device", "parent": "dcim.interface", "lag": "dcim.interface", "untagged_vlan": "ipam.vlan", "tagged_vlans": "ipam.vlan", "vrf": "ipam.vrf"}
	case "dcim.cabletermination":
		return map[string]string{"cable": "dcim.cable"} // termination_id by termination_type
	case "ipam.vlan":
		return map[string]string{"group": "ipam.vlangroup"}
	case "ipam.vrf":
		return map[string]string{"import_targets": "ipam.routetarget", "export_targets": "ipam.routetarget"}
	case "ipam.prefix":
		return map[string]string{"vrf": "ipam.vrf", "vlan": "ipam.vlan"} // scope by its type
	case "ipam.iprange":
		return map[string]string{"vrf": "ipam.vrf", "role": "ipam.role"}
	case "ipam.ipaddress":
		return map[string]string{"vrf": "ipam.vrf"} // assigned_object_id by its type
	}
	return nil
}

// Empty reports whether there is nothing to do.
func (p *Plan) Empty() bool { return len(p.Changes) == 0 }

// Count returns the number of changes by model and action.
func (p *Plan) Count() map[string]map[string]int {
	counts := map[string]map[string]int{}
	for _, c := range p.Changes {
		if counts[c.Model] == nil {
			counts[c.Model] = map[string]int{}
		}
		counts[c.Model][c.Action]++
	}
	return counts
}

// ErrStale is when a plan was made against other records than it is to be applied to.
var ErrStale = errors.New("NetBox has changed since the plan was made")

// Apply returns the snapshot that NetBox would give once the plan is applied. The
// snapshot that is given stays as it is. [ErrStale] when it is not the one that the
// plan was made against.
func (p *Plan) Apply(s *Snapshot) (*Snapshot, error) {
	digest, err := s.Digest()
	if err != nil {
		return nil, err
	}
	if p.Base != digest {
		return nil, ErrStale
	}
	out := &Snapshot{ChangeID: s.ChangeID}
	byModel := map[string][]Change{}
	for _, c := range p.Changes {
		byModel[c.Model] = append(byModel[c.Model], c)
	}
	old := map[string]reflect.Value{}
	s.Rows.lists(func(model string, list reflect.Value) { old[model] = list })
	var failed error
	out.Rows.lists(func(model string, list reflect.Value) {
		changes := map[ID]Change{}
		for _, c := range byModel[model] {
			changes[c.ID] = c
		}
		rows := reflect.MakeSlice(list.Type(), 0, old[model].Len()+len(changes))
		add := func(row any) {
			v := reflect.New(list.Type().Elem())
			if err := into(row, v.Interface()); err != nil && failed == nil {
				failed = fmt.Errorf("applying the plan to a %s: %w", model, err)
			}
			rows = reflect.Append(rows, v.Elem())
		}
		for i := range old[model].Len() {
			row := old[model].Index(i)
			c, changed := changes[ID(row.FieldByName("ID").Int())]
			switch {
			case !changed || c.Action == Create:
				rows = reflect.Append(rows, row)
			case c.Action == Update:
				add(c.updated(FieldsOf(row.Interface())))
			}
		}
		for _, c := range byModel[model] {
			if c.Action == Create {
				row := map[string]any{"id": c.ID}
				for k, v := range c.After {
					row[k] = v
				}
				add(row)
			}
		}
		list.Set(rows)
	})
	if failed != nil {
		return nil, failed
	}
	out.Rows.Sort()
	return out, nil
}

// updated returns the fields of a row with the change in them.
func (c Change) updated(row map[string]any) map[string]any {
	for name, value := range c.After {
		if name == "custom_fields" {
			fields, _ := row[name].(map[string]any)
			merged := map[string]any{}
			for k, v := range fields {
				merged[k] = v
			}
			changed, _ := value.(map[string]any)
			for k, v := range changed {
				if v == nil {
					delete(merged, k)
				} else {
					merged[k] = v
				}
			}
			if row[name] = merged; len(merged) == 0 {
				delete(row, name)
			}
			continue
		}
		if value == nil {
			delete(row, name)
		} else {
			row[name] = value
		}
	}
	return row
}

// FieldsOf returns a row, or what a change writes, as its JSON has it; numbers are
// [json.Number]. It panics on what JSON can't say, which no row holds.
func FieldsOf(row any) map[string]any {
	data, err := json.Marshal(row)
	if err != nil {
		panic(err)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var fields map[string]any
	if err := dec.Decode(&fields); err != nil {
		panic(err)
	}
	return fields
}

// changesBetween returns what makes the old rows the new ones, in the order in which it
// can be done.
func changesBetween(before, after *Rows) []Change {
	var changes []Change
	lists := map[string][2]reflect.Value{}
	before.lists(func(model string, list reflect.Value) { lists[model] = [2]reflect.Value{list} })
	after.lists(func(model string, list reflect.Value) { lists[model] = [2]reflect.Value{lists[model][0], list} })
	for _, model := range order {
		was, is := lists[model][0], lists[model][1]
		old := make(map[int64]reflect.Value, was.Len())
		for i := range was.Len() {
			old[was.Index(i).FieldByName("ID").Int()] = was.Index(i)
		}
		for i := range is.Len() {
			row := is.Index(i)
			id := row.FieldByName("ID").Int()
			first, there := old[id]
			delete(old, id)
			switch {
			case !there:
				fields := FieldsOf(row.Interface())
				delete(fields, "id")
				changes = append(changes, Change{Action: Create, Model: model, ID: ID(id), Before: map[string]any{}, After: fields})
			case !reflect.DeepEqual(first.Interface(), row.Interface()):
				if c, ok := updateOf(FieldsOf(first.Interface()), FieldsOf(row.Interface())); ok {
					c.Model, c.ID = model, ID(id)
					changes = append(changes, c)
				}
			}
		}
		for id, row := range old {
			fields := FieldsOf(row.Interface())
			delete(fields, "id")
			changes = append(changes, Change{Action: Delete, Model: model, ID: ID(id), Before: fields, After: map[string]any{}})
		}
	}
	phase := map[string]int{Delete: 0, Create: 1, Update: 2}
	slices.SortStableFunc(changes, func(a, b Change) int {
		if a.Action == Delete && b.Action == Delete {
			return cmp.Or(cmp.Compare(rank(b.Model), rank(a.Model)), cmp.Compare(b.ID, a.ID))
		}
		return cmp.Or(cmp.Compare(phase[a.Action], phase[b.Action]), cmp.Compare(rank(a.Model), rank(b.Model)), cmp.Compare(a.ID, b.ID))
	})
	return changes
}

// updateOf returns the fields that differ.
func updateOf(before, after map[string]any) (Change, bool) {
	c := Change{Action: Update, Before: map[string]any{}, After: map[string]any{}}
	for _, name := range unionKeys(before, after) {
		was, is := before[name], after[name]
		if name == "custom_fields" {
			f, _ := was.(map[string]any)
			t, _ := is.(map[string]any)
			if sub, ok := updateOf(f, t); ok {
				c.Before[name], c.After[name] = sub.Before, sub.After
			}
			continue
		}
		if !reflect.DeepEqual(was, is) {
			c.Before[name], c.After[name] = was, is
		}
	}
	return c, len(c.After) > 0
}

func unionKeys(a, b map[string]any) []string {
	keys := sortedKeys(a)
	for _, k := range sortedKeys(b) {
		if _, ok := a[k]; !ok {
			keys = append(keys, k)
		}
	}
	return keys
}
