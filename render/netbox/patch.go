package netbox

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"hedgehog-gitops/render/hedgehog"
)

// patch applies the JSON merge patch of a record's field hedgehog_spec to an
// object. It covers the whole object but its kind and name; a patch without
// spec and metadata is one of the spec.
func (m *mapper) patch(o *hedgehog.Object, at row, patch any) {
	m.patchFrom(o, at, cf("spec"), patch)
}

// patchFrom is patch for a patch that stands in another field of the record.
func (m *mapper) patchFrom(o *hedgehog.Object, at row, field string, patch any) {
	if patch == nil {
		return
	}
	fields, ok := patch.(map[string]any)
	if !ok {
		m.fail("spec-patch-form", o.Key(), at, field, field+" is no object", `write a merge patch, as {"spec": {"description": "..."}}`)
		return
	}
	if len(fields) == 0 {
		return
	}
	whole := fields
	if !isWhole(fields) {
		whole = map[string]any{"spec": fields}
	}
	doc, err := generic(o)
	if err != nil {
		m.fail("spec-patch-form", o.Key(), at, field, err.Error(), "correct the records of this object")
		return
	}
	merged, _ := mergePatch(doc, whole).(map[string]any)
	if what := otherIdentity(doc, merged); what != "" {
		m.fail("spec-patch-identity", o.Key(), at, field,
			fmt.Sprintf("%s changes %s of %s, which a patch never does", field, what, o.Key()),
			"take it out of the patch; an object is renamed by "+cf("name"))
		return
	}
	patched, issues := m.read(merged, at, field)
	m.issues = append(m.issues, issues...)
	if patched == nil {
		return
	}
	o.APIVersion, o.Labels, o.Annotations, o.Spec, o.Leftovers = patched.APIVersion, patched.Labels, patched.Annotations, patched.Spec, patched.Leftovers
}

// isWhole reports whether a patch is one of a whole object, not of its spec.
func isWhole(patch map[string]any) bool {
	for _, key := range []string{"spec", "metadata", "apiVersion", "kind"} {
		if _, ok := patch[key]; ok {
			return true
		}
	}
	return false
}

// otherIdentity says what of an object's identity a patch changed, "" for
// nothing.
func otherIdentity(before, after map[string]any) string {
	if before["kind"] != after["kind"] {
		return "the kind"
	}
	was, _ := before["metadata"].(map[string]any)
	is, _ := after["metadata"].(map[string]any)
	for _, key := range []string{"name", "namespace"} {
		if was[key] != is[key] {
			return "the " + key
		}
	}
	return ""
}

// generic is the object as its manifest holds it.
func generic(o *hedgehog.Object) (map[string]any, error) {
	meta := map[string]any{"name": o.Name, "namespace": o.Namespace}
	if len(o.Labels) > 0 {
		meta["labels"] = anyMap(o.Labels)
	}
	if len(o.Annotations) > 0 {
		meta["annotations"] = anyMap(o.Annotations)
	}
	doc := map[string]any{"apiVersion": cmp.Or(o.APIVersion, o.Kind.APIVersion()), "kind": string(o.Kind), "metadata": meta}
	if raw, ok := o.Spec.(hedgehog.Raw); ok {
		maps.Copy(doc, raw)
		return doc, nil
	}
	data, err := json.Marshal(o.Spec)
	if err != nil {
		return nil, fmt.Errorf("encoding %s: %w", o.Key(), err)
	}
	var spec map[string]any
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	if err := dec.Decode(&spec); err != nil {
		return nil, fmt.Errorf("encoding %s: %w", o.Key(), err)
	}
	doc["spec"] = spec
	for _, left := range o.Leftovers {
		setPath(doc, left.Path, left.Value)
	}
	return doc, nil
}

func anyMap(in map[string]string) map[string]any {
	out := make(map[string]any, len(in))
	for k, v := range in {
		out[k] = v
	}
	return out
}

// setPath puts a leftover back where it was read, if that place is still there. Steps
// are keys of objects, and indexes of lists in decimal.
func setPath(at any, steps []string, value any) {
	switch at := at.(type) {
	case map[string]any:
		if len(steps) == 1 {
			at[steps[0]] = value
			return
		}
		setPath(at[steps[0]], steps[1:], value)
	case []any:
		if n, err := strconv.Atoi(steps[0]); err == nil && n >= 0 && n < len(at) && len(steps) > 1 {
			setPath(at[n], steps[1:], value)
		}
	}
}

// read decodes one object from JSON that stands in a custom field. What is
// wrong with it is reported at that field.
func (m *mapper) read(doc map[string]any, at row, field string) (*hedgehog.Object, hedgehog.Issues) {
	key := hedgehog.Key{}
	if k, ok := doc["kind"].(string); ok {
		key.Kind = hedgehog.Kind(k)
	}
	if meta, ok := doc["metadata"].(map[string]any); ok {
		key.Name, _ = meta["name"].(string)
	}
	data, err := json.Marshal(doc)
	if err != nil {
		m.fail("spec-patch-form", key, at, field, field+" cannot be read: "+err.Error(), "correct the JSON of "+field)
		return nil, nil
	}
	decoded, err := hedgehog.Decode(field, bytes.NewReader(data))
	if err != nil || decoded.Fabric.Len() != 1 {
		summary := field + " does not hold one Hedgehog object"
		if err != nil {
			summary = field + " cannot be read: " + err.Error()
		}
		m.fail("spec-patch-form", key, at, field, summary, "correct the JSON of "+field)
		return nil, nil
	}
	var issues hedgehog.Issues
	for _, i := range decoded.Issues {
		// What this version does not know is kept: it may be tomorrow's.
		if i.Rule == "field-unknown" || i.Rule == "kind-unknown" || i.Rule == "api-version-wrong" {
			i.Severity = hedgehog.Warning
		}
		i.Object, i.Origin = key, origin(at)
		if i.Field != "" {
			i.Field = field + ": " + i.Field
		} else {
			i.Field = field
		}
		issues = append(issues, i)
	}
	for o := range decoded.Fabric.All() {
		return o, issues
	}
	return nil, issues
}

// homeless adds the objects that have no home in NetBox's own models: those in
// the field hedgehog_objects of the fabric's location, or else its site.
func (m *mapper) homeless() {
	var at row = m.site
	fields := m.site.Fields
	if m.location != nil {
		at, fields = m.location, m.location.Fields
	}
	v := fields.value("objects")
	if v == nil {
		return
	}
	list, ok := v.([]any)
	if !ok {
		m.fail("objects-form", hedgehog.Key{}, at, cf("objects"), cf("objects")+" is no list", "write a list of whole Hedgehog objects")
		return
	}
	for n, item := range list {
		doc, ok := item.(map[string]any)
		if !ok {
			m.fail("objects-form", hedgehog.Key{}, at, cf("objects"), fmt.Sprintf("item %d of %s is no object", n+1, cf("objects")), "write a list of whole Hedgehog objects")
			continue
		}
		key := keyOf(doc)
		first := m.fabric.Get(key.Kind, key.Name)
		if first != nil && !anchorless(key.Kind) {
			m.fail("objects-duplicate", key, at, cf("objects"),
				fmt.Sprintf("%s of %s has %s, which is also made from %s", cf("objects"), at.path(), key, first.Origin()),
				"take it out of "+cf("objects"))
			continue
		}
		origins := []hedgehog.Origin{origin(at)}
		if first != nil { // what the records give and it leaves out stays
			whole, err := generic(first)
			if err != nil {
				m.fail("spec-patch-form", key, at, cf("objects"), err.Error(), "correct the records of this object")
				continue
			}
			doc, _ = mergePatch(whole, doc).(map[string]any)
			origins = append(origins, first.Origins...)
		} else if anchorless(key.Kind) && doc["apiVersion"] == nil { // what it added to is gone
			doc = maps.Clone(doc)
			doc["apiVersion"] = key.Kind.APIVersion()
		}
		o, issues := m.read(doc, at, cf("objects"))
		m.issues = append(m.issues, issues...)
		if o == nil {
			continue
		}
		o.Origins = origins
		if first != nil {
			m.fabric.Remove(first.Key())
		}
		m.add(o)
	}
}

// anchorless reports whether objects of the kind are made of fields of several records,
// none of which could hold a patch of it.
func anchorless(kind hedgehog.Kind) bool {
	return kind == hedgehog.KindSwitchGroup || kind == hedgehog.KindGatewayGroup || kind == hedgehog.KindIPv4Namespace
}

func sortedKeys[V any](in map[string]V) []string { return slices.Sorted(maps.Keys(in)) }
