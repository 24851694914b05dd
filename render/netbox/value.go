package netbox

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
)

// Custom fields of the mapping, without their prefix.
const prefixFields = "hedgehog_"

// text returns the custom field as text; empty when it is not set.
func (f Fields) text(name string) string {
	s, _ := f[prefixFields+name].(string)
	return s
}

// flag returns the custom field as a boolean, nil when it is not set.
func (f Fields) flag(name string) *bool {
	switch v := f[prefixFields+name].(type) {
	case bool:
		return &v
	case json.Number: // NetBox takes 1 and 0 for a boolean and gives them back
		b := v != "0"
		return &b
	}
	return nil
}

// isTrue reports whether the custom field is set and true.
func (f Fields) isTrue(name string) bool {
	b := f.flag(name)
	return b != nil && *b
}

// object returns the id that an object field refers to, 0 when it is not set.
func (f Fields) object(name string) ID { return objectID(f[prefixFields+name]) }

// objects returns the ids that a field of several objects refers to.
func (f Fields) objects(name string) []ID {
	list, _ := f[prefixFields+name].([]any)
	var ids []ID
	for _, v := range list {
		if id := objectID(v); id != 0 {
			ids = append(ids, id)
		}
	}
	return ids
}

func objectID(v any) ID {
	m, _ := v.(map[string]any)
	n, _ := integer(m["id"])
	return ID(n)
}

// value returns the custom field as it stands, nil when it is not set.
func (f Fields) value(name string) any { return f[prefixFields+name] }

// integer reads a JSON number that is whole.
func integer(v any) (int64, bool) {
	switch n := v.(type) {
	case json.Number:
		i, err := strconv.ParseInt(string(n), 10, 64)
		return i, err == nil
	case float64:
		return int64(n), n == math.Trunc(n) && math.Abs(n) < 1<<53
	case int:
		return int64(n), true
	case int64:
		return n, true
	case ID:
		return int64(n), true
	}
	return 0, false
}

// textList reads a JSON list of text, or text with commas.
func textList(v any) ([]string, bool) {
	switch v := v.(type) {
	case nil:
		return nil, true
	case string:
		var list []string
		for part := range strings.SplitSeq(v, ",") {
			if part = strings.TrimSpace(part); part != "" {
				list = append(list, part)
			}
		}
		return list, true
	case []any:
		list := make([]string, 0, len(v))
		for _, item := range v {
			s, ok := item.(string)
			if !ok {
				return nil, false
			}
			list = append(list, s)
		}
		return list, true
	}
	return nil, false
}

// into reads a JSON value into a struct of the model; a key that the struct
// does not have is an error.
func into(v any, target any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	dec := json.NewDecoder(strings.NewReader(string(data)))
	dec.DisallowUnknownFields()
	return dec.Decode(target)
}

// mergePatch applies a JSON merge patch (RFC 7386) and returns the result.
func mergePatch(target, patch any) any {
	p, ok := patch.(map[string]any)
	if !ok {
		return patch
	}
	t, _ := target.(map[string]any)
	out := make(map[string]any, len(t)+len(p))
	for k, v := range t {
		out[k] = v
	}
	for k, v := range p {
		if v == nil {
			delete(out, k)
		} else {
			out[k] = mergePatch(out[k], v)
		}
	}
	return out
}
