package rest

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"unicode"

	"hedgehog-gitops/render/netbox"
)

// This file turns fields of a plan, which look like rows of a snapshot, into what
// NetBox takes.

// referencesOf are the fields of a model's rows that hold ids, and whose they are.
func referencesOf(model string) map[string]string {
	switch model {
	case modelProvider:
		return map[string]string{"asns": modelASN}
	case modelCircuit:
		return map[string]string{"provider": modelProvider}
	case modelCircuitTermination:
		return map[string]string{"circuit": modelCircuit}
	case modelFrontPort, modelRearPort:
		return map[string]string{"device": modelDevice}
	}
	return netbox.References(model)
}

// eachReference calls f for every id that fields hold. Of an object custom field the
// field is its name.
func (a *apply) eachReference(model string, fields map[string]any, f func(field, to string, id key)) {
	each := func(field, to string, v any) {
		if list, ok := v.([]any); ok {
			for _, item := range list {
				if id, ok := idIn(item); ok {
					f(field, to, id)
				}
			}
		} else if id, ok := idIn(v); ok {
			f(field, to, id)
		}
	}
	references := referencesOf(model)
	for _, field := range sortedKeys(references) {
		each(field, references[field], fields[field])
	}
	custom, _ := fields["custom_fields"].(map[string]any)
	for _, name := range sortedKeys(custom) {
		if to := a.related(name); to != "" {
			each(name, to, custom[name])
		}
	}
	if scope, ok := fields["scope"].(map[string]any); ok {
		to, _ := scope["type"].(string)
		each("scope", to, scope["id"])
	}
	if to, ok := fields["assigned_object_type"].(string); ok {
		each("assigned_object_id", to, fields["assigned_object_id"])
	}
	if to, ok := fields["termination_type"].(string); ok {
		each("termination_id", to, fields["termination_id"])
	}
}

// related is the model that a custom field refers to; empty if it refers to none.
func (a *apply) related(name string) string {
	for _, field := range netbox.CustomFields() {
		if field.Name == name {
			return field.RelatedObjectType
		}
	}
	return ""
}

// idIn is an id, plain or as {"id": N}.
func idIn(v any) (key, bool) {
	if object, ok := v.(map[string]any); ok {
		v = object["id"]
	}
	return number64(v)
}

// real returns the id that NetBox has for an id of the plan; false while it has none.
func (a *apply) real(model string, id key) (key, bool) {
	if n := a.created[model][id]; n != nil {
		return n.real, n.real != 0
	}
	return id, true
}

// translated returns fields with NetBox's ids, and those that refer to what NetBox
// does not have yet.
func (a *apply) translated(model string, fields map[string]any) (done, left map[string]any) {
	done, left = map[string]any{}, map[string]any{}
	value := func(to string, v any) (any, bool) {
		whole := true
		one := func(v any) any {
			id, ok := idIn(v)
			if !ok {
				return v
			}
			real, known := a.real(to, id)
			whole = whole && known
			if _, nested := v.(map[string]any); nested {
				return map[string]any{"id": jsonNumber(real)}
			}
			return jsonNumber(real)
		}
		list, ok := v.([]any)
		if !ok {
			return one(v), whole
		}
		out := make([]any, len(list))
		for i := range list {
			out[i] = one(list[i])
		}
		slices.SortFunc(out, func(x, y any) int { p, _ := idIn(x); q, _ := idIn(y); return int(p - q) })
		return out, whole
	}
	references := referencesOf(model)
	for field, v := range fields {
		switch to := references[field]; {
		case model == modelDevice && (field == "oob_ip" || field == "primary_ip4") && v != nil:
			left[field] = v // its address may still have to move to one of its interfaces
		case to != "":
			if real, ok := value(to, v); ok {
				done[field] = real
			} else {
				left[field] = v
			}
		case field == "custom_fields":
			custom, _ := v.(map[string]any)
			now, later := map[string]any{}, map[string]any{}
			for name, v := range custom {
				if to := a.related(name); to == "" {
					now[name] = v
				} else if real, ok := value(to, v); ok {
					now[name] = real
				} else {
					later[name] = v
				}
			}
			if len(now) > 0 {
				done[field] = now
			}
			if len(later) > 0 {
				left[field] = later
			}
		case field == "scope":
			scope, _ := v.(map[string]any)
			kind, _ := scope["type"].(string)
			real, ok := value(kind, scope["id"])
			if !ok {
				left[field] = v
				continue
			}
			done[field] = map[string]any{"type": kind, "id": real}
		case field == "assigned_object_id":
			kind, _ := fields["assigned_object_type"].(string)
			if real, ok := value(kind, v); ok {
				done[field] = real
			} else {
				left[field], left["assigned_object_type"] = v, kind
			}
		default:
			done[field] = v
		}
	}
	if _, waits := left["assigned_object_id"]; waits {
		delete(done, "assigned_object_type")
	}
	return done, left
}

func jsonNumber(id key) json.Number {
	data, _ := json.Marshal(int64(id))
	return json.Number(data)
}

// body is the request for fields that hold NetBox's ids. What is null is set to
// nothing.
func body(model string, fields map[string]any) map[string]any {
	out := map[string]any{}
	for field, v := range fields {
		switch field {
		case "id", "hedgehog_context":
		case "scope":
			scope, _ := v.(map[string]any)
			out["scope_type"], out["scope_id"] = nil, nil
			if kind, _ := scope["type"].(string); kind != "" {
				out["scope_type"], out["scope_id"] = kind, scope["id"]
			}
		case "tags":
			list := []any{}
			slugs, _ := v.([]any)
			for _, slug := range slugs {
				list = append(list, map[string]any{"slug": slug})
			}
			out[field] = list
		case "custom_fields":
			custom, _ := v.(map[string]any)
			out[field] = customBody(custom)
		default:
			out[field] = v
			if v == nil {
				out[field] = nothing(model, field)
			}
		}
	}
	return out
}

// customBody is the custom fields as NetBox takes them: objects by their ids.
func customBody(fields map[string]any) map[string]any {
	out := maps.Clone(fields)
	related := map[string]bool{}
	for _, field := range netbox.CustomFields() {
		related[field.Name] = field.RelatedObjectType != ""
	}
	for name, v := range out {
		if !related[name] {
			continue
		}
		if list, ok := v.([]any); ok {
			ids := []any{}
			for _, item := range list {
				if id, ok := idIn(item); ok {
					ids = append(ids, id)
				}
			}
			out[name] = ids
		} else if id, ok := idIn(v); ok {
			out[name] = id
		}
	}
	return out
}

// nothing is how NetBox wants to be told that a field is empty.
func nothing(model, field string) any {
	switch field {
	case "label", "serial", "description", "part_number", "mode", "role":
		if model == modelRange && field == "role" || model == modelDevice && field == "role" {
			return nil
		}
		return ""
	case "tagged_vlans", "import_targets", "export_targets", "asns":
		return []any{}
	case "mgmt_only":
		return false
	}
	return nil
}

// complete adds what NetBox asks for and the mapping does not know.
func (a *apply) complete(n *change, body map[string]any) {
	text := func(field string) string { s, _ := body[field].(string); return s }
	switch n.Model {
	case modelDeviceRole, modelRole:
		body["name"] = inWords(text("slug"))
	case modelProvider:
		body["slug"] = slugOf(text("name"))
	case modelASN:
		asn, _ := number64(body["asn"])
		body["rir"] = a.rir[private(asn)]
	case modelVRF:
		if _, ok := body["rd"]; !ok {
			body["rd"] = nil
		}
	case modelDevice:
		if context, ok := n.After["hedgehog_context"]; ok && context != nil {
			body["local_context_data"] = map[string]any{"hedgehog": context}
		}
	}
}

// private reports whether an AS number is for private use.
func private(asn key) bool {
	return asn >= 64512 && asn <= 65534 || asn >= 4200000000 && asn <= 4294967294
}

// inWords makes a name of a slug: "spine-leaf" becomes "Spine leaf".
func inWords(slug string) string {
	words := strings.TrimSpace(strings.NewReplacer("-", " ", "_", " ").Replace(slug))
	for i, r := range words {
		return string(unicode.ToUpper(r)) + words[i+len(string(r)):]
	}
	return slug
}

func slugOf(name string) string {
	return strings.Trim(strings.Map(func(r rune) rune {
		switch r = unicode.ToLower(r); {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-', r == '_':
			return r
		}
		return '-'
	}, name), "-")
}

// after is the row that an update leads to.
func (a *apply) after(n *change) map[string]any {
	row := map[string]any{}
	if old := a.rows[n.Model][n.ID]; old != nil {
		row = netbox.FieldsOf(old)
	}
	for field, v := range n.After {
		if field != "custom_fields" {
			row[field] = v
		}
	}
	return row
}
