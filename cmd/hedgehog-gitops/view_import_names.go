package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"hedgehog-gitops/render/netbox"
)

// record is a NetBox object: what a field refers to.
type record struct {
	model string
	id    netbox.ID
}

// recordNames is what people call the NetBox objects that the fields of a plan refer
// to.
type recordNames struct {
	names map[record]string
	// related is the model that a custom field refers to.
	related map[string]string
}

// newRecordNames returns the names of what a plan refers to. Before may be nil.
func newRecordNames(p *netbox.Plan, before *netbox.Snapshot) recordNames {
	n := recordNames{map[record]string{}, map[string]string{}}
	for _, f := range netbox.CustomFields() {
		n.related[f.Name] = f.RelatedObjectType
	}
	needed := map[record]bool{}
	for _, c := range p.Changes {
		n.names[record{c.Model, c.ID}] = c.Name
		for _, fields := range []map[string]any{c.Before, c.After} {
			for name, value := range fields {
				for _, r := range n.referred(c, name, value) {
					needed[r] = true
				}
			}
		}
	}
	if before == nil {
		return n
	}
	devices := map[netbox.ID]string{}
	for _, d := range before.Rows.Devices {
		devices[d.ID] = d.Name
	}
	add := func(model string, id netbox.ID, name string) {
		r := record{model, id}
		if _, known := n.names[r]; needed[r] && !known {
			n.names[r] = name
		}
	}
	rows := &before.Rows
	for _, r := range rows.Interfaces {
		add("dcim.interface", r.ID, devices[r.Device]+" "+r.Name)
	}
	for _, r := range rows.FrontPorts {
		add("dcim.frontport", r.ID, devices[r.Device]+" "+r.Name)
	}
	for _, r := range rows.RearPorts {
		add("dcim.rearport", r.ID, devices[r.Device]+" "+r.Name)
	}
	for _, r := range rows.VLANs {
		add("ipam.vlan", r.ID, strconv.Itoa(int(r.VID))+" "+r.Name)
	}
	for _, r := range rows.ASNs {
		add("ipam.asn", r.ID, strconv.FormatUint(uint64(r.ASN), 10))
	}
	// The others have a name, an address or at least a slug of their own.
	v := reflect.ValueOf(rows).Elem()
	for i := range v.NumField() {
		model, list := v.Type().Field(i).Tag.Get("json"), v.Field(i)
		for _, column := range []string{"Name", "Model", "Prefix", "Address", "CID", "Slug"} {
			field, ok := list.Type().Elem().FieldByName(column)
			if !ok || field.Type.Kind() != reflect.String {
				continue
			}
			for j := range list.Len() {
				row := list.Index(j)
				add(model, netbox.ID(row.FieldByName("ID").Int()), row.FieldByIndex(field.Index).String())
			}
			break
		}
	}
	return n
}

// referred returns the objects that a field's value refers to.
func (n recordNames) referred(c netbox.Change, field string, value any) []record {
	if field == "custom_fields" {
		var all []record
		fields, _ := value.(map[string]any)
		for name, v := range fields {
			all = append(all, n.customReference(name, v)...)
		}
		return all
	}
	if m, ok := value.(map[string]any); ok && field == "scope" {
		model, _ := m["type"].(string)
		if id := idOf(m["id"]); model != "" && id != 0 {
			return []record{{model, id}}
		}
		return nil
	}
	model := referredModel(c, field)
	if model == "" {
		return nil
	}
	var all []record
	for _, item := range oneOrMany(value) {
		if id := idOf(item); id != 0 {
			all = append(all, record{model, id})
		}
	}
	return all
}

// oneOrMany returns the items of a list; another value is one.
func oneOrMany(value any) []any {
	if list, ok := value.([]any); ok {
		return list
	}
	return []any{value}
}

// referredModel returns the model of what a field refers to, "" when it refers to
// nothing.
func referredModel(c netbox.Change, field string) string {
	byType := map[string]string{"termination_id": "termination_type", "assigned_object_id": "assigned_object_type"}[field]
	if byType == "" {
		return netbox.References(c.Model)[field]
	}
	for _, fields := range []map[string]any{c.After, c.Before} {
		if model, ok := fields[byType].(string); ok {
			return model
		}
	}
	return "dcim.interface" // the type stays, and it is the one of nearly all
}

// customReference returns the objects that a custom field refers to.
func (n recordNames) customReference(name string, value any) []record {
	model := n.related[name]
	if model == "" {
		return nil
	}
	var all []record
	for _, item := range oneOrMany(value) {
		if m, ok := item.(map[string]any); ok && idOf(m["id"]) != 0 {
			all = append(all, record{model, idOf(m["id"])})
		}
	}
	return all
}

// idOf returns the id that a value of JSON is, 0 when it is none.
func idOf(value any) netbox.ID {
	switch v := value.(type) {
	case json.Number:
		n, _ := v.Int64() // 0 when it is no id
		return netbox.ID(n)
	case float64:
		return netbox.ID(v)
	case int:
		return netbox.ID(v)
	case int64:
		return netbox.ID(v)
	case netbox.ID:
		return v
	}
	return 0
}

func idText(id netbox.ID) string { return strconv.FormatInt(int64(id), 10) }

// name returns what people call an object.
func (n recordNames) name(r record) string {
	if name := n.names[r]; name != "" {
		return shortText(name)
	}
	return noun(r.model, 1) + " " + idText(r.id)
}

// fieldText is a field of a change as people read it.
type fieldText struct{ name, text string }

// fieldNames returns the names of the fields that a change sets, custom fields by
// their own names, sorted.
func fieldNames(c netbox.Change) []string {
	set := map[string]bool{}
	for _, fields := range []map[string]any{c.Before, c.After} {
		for name, value := range fields {
			if name != "custom_fields" {
				set[name] = true
				continue
			}
			custom, _ := value.(map[string]any)
			for name := range custom {
				set[name] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(set))
}

// fields returns the fields of a change. Of one that deletes nothing but the name is
// worth telling.
func (n recordNames) fields(c netbox.Change) []fieldText {
	if c.Action == netbox.Delete {
		return nil
	}
	custom := func(fields map[string]any, name string) (value any, ok bool) {
		if value, ok = fields[name]; ok {
			return value, false
		}
		own, _ := fields["custom_fields"].(map[string]any)
		value, ok = own[name]
		return value, ok
	}
	var texts []fieldText
	for _, name := range fieldNames(c) {
		was, _ := custom(c.Before, name)
		is, own := custom(c.After, name)
		if _, wasOwn := custom(c.Before, name); wasOwn {
			own = true
		}
		refs := func(value any) []record {
			if own {
				return n.customReference(name, value)
			}
			return n.referred(c, name, value)
		}
		text := n.text(refs(is), is)
		if c.Action == netbox.Create {
			if is == nil || text == c.Name || strings.HasSuffix(c.Name, " "+text) && (name == "name" || name == "vid") || name == "device" && strings.HasPrefix(c.Name, text+" ") {
				continue // its name says it
			}
		} else if gone, come := apart(was, is); len(gone)+len(come) > 0 {
			text = n.moves(refs(gone), gone, refs(come), come)
		} else {
			text = n.text(refs(was), was) + " -> " + text
		}
		texts = append(texts, fieldText{shortText(name), text})
	}
	return texts
}

// text returns a value as people read it: what it refers to by name.
func (n recordNames) text(refs []record, value any) string {
	if len(refs) > 0 {
		var names []string
		for _, r := range refs {
			names = append(names, n.name(r))
		}
		return shortText(strings.Join(names, ", "))
	}
	switch v := value.(type) {
	case nil:
		return "none"
	case string:
		if v == "" {
			return `""`
		}
		return shortText(v)
	case []any:
		var items []string
		for _, item := range v {
			items = append(items, n.text(nil, item))
		}
		if len(items) == 0 {
			return "none"
		}
		return shortText(strings.Join(items, ", "))
	case map[string]any:
		return shortText(compactJSON(v))
	}
	return shortText(fmt.Sprint(value))
}

// apart returns what left a list of plain values and what came to it; nothing when
// the two are no such lists.
func apart(was, is any) (gone, come []any) {
	before, ok := was.([]any)
	after, ok2 := is.([]any)
	if !ok && was != nil || !ok2 && is != nil || len(before)+len(after) < 2 {
		return nil, nil
	}
	old, held := map[any]bool{}, map[any]bool{}
	for _, v := range before {
		if !isPlain(v) {
			return nil, nil
		}
		old[v] = true
	}
	for _, v := range after {
		if !isPlain(v) {
			return nil, nil
		}
		held[v] = true
		if !old[v] {
			come = append(come, v)
		}
	}
	for _, v := range before {
		if !held[v] {
			gone = append(gone, v)
		}
	}
	return gone, come
}

func isPlain(v any) bool {
	switch v.(type) {
	case string, bool, json.Number, float64, int, int64, netbox.ID:
		return true
	}
	return false
}

// moves says what left a list and what came to it.
func (n recordNames) moves(refsGone []record, gone []any, refsCome []record, come []any) string {
	var parts []string
	if len(come) > 0 {
		parts = append(parts, "add "+n.text(refsCome, come))
	}
	if len(gone) > 0 {
		parts = append(parts, "remove "+n.text(refsGone, gone))
	}
	return strings.Join(parts, ", ")
}
