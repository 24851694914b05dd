package hedgehog

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// Encode writes the objects as one stream of YAML documents with a line "---"
// between them, in the order given; [Fabric.All] gives the canonical one. It
// writes what [Marshal] returns. The error is one of w, or of an object that
// YAML cannot hold.
func Encode(w io.Writer, objects iter.Seq[*Object]) error {
	separator := ""
	for o := range objects {
		document, err := Marshal(o)
		if err != nil {
			return err
		}
		if _, err := io.WriteString(w, separator); err != nil {
			return err
		}
		if _, err := w.Write(document); err != nil {
			return err
		}
		separator = "---\n"
	}
	return nil
}

// Marshal returns the object as one YAML document, without "---": apiVersion,
// kind, metadata (annotations, labels, name, namespace) and spec, which is
// always there; keys in alphabetical order with the numbers in them by value,
// and everything else as [sigs.k8s.io/yaml] and so kubectl write it; lines end in
// LF and are never folded. Equal objects give equal bytes.
//
// A string that any common reader would take for something else (a number, a
// date, a truth value) is quoted. The volatile portLocators of a switch are
// left out. Leftovers stand in their places. Text that is not UTF-8 is an error.
//
// [sigs.k8s.io/yaml]: https://pkg.go.dev/sigs.k8s.io/yaml
func Marshal(o *Object) ([]byte, error) {
	root, err := objectNode(o)
	if err != nil {
		return nil, fmt.Errorf("encoding %s: %w", o.Key(), err)
	}
	var out bytes.Buffer
	e := yaml.NewEncoder(&out)
	e.SetIndent(2)
	e.CompactSeqIndent()
	if err := e.Encode(root); err != nil {
		return nil, fmt.Errorf("encoding %s: %w", o.Key(), err)
	}
	if err := e.Close(); err != nil {
		return nil, fmt.Errorf("encoding %s: %w", o.Key(), err)
	}
	return out.Bytes(), nil
}

// objectNode returns the whole object as a YAML node, its keys sorted.
func objectNode(o *Object) (*yaml.Node, error) {
	metadata := map[string]any{}
	if len(o.Annotations) > 0 {
		metadata["annotations"] = reflect.ValueOf(o.Annotations)
	}
	if len(o.Labels) > 0 {
		metadata["labels"] = reflect.ValueOf(o.Labels)
	}
	if o.Name != "" {
		metadata["name"] = o.Name
	}
	if o.Namespace != "" {
		metadata["namespace"] = o.Namespace
	}
	whole := map[string]any{}
	switch spec := o.Spec.(type) {
	case nil:
		whole["spec"] = map[string]any{}
	case Raw:
		maps.Copy(whole, spec)
	default:
		whole["spec"] = reflect.ValueOf(spec)
	}
	whole["apiVersion"] = cmp.Or(o.APIVersion, o.Kind.APIVersion())
	whole["kind"] = string(o.Kind)
	whole["metadata"] = metadata
	root, err := valueNode(whole)
	if err != nil {
		return nil, err
	}
	t := nodeTree{}
	for _, leftover := range o.Leftovers {
		value, err := valueNode(leftover.Value)
		if err != nil {
			return nil, err
		}
		if err := t.put(root, leftover.Path, value); err != nil {
			return nil, err
		}
	}
	sortKeys(root)
	return root, nil
}

// nodeTree finds the fields of mappings: their places by name.
type nodeTree map[*yaml.Node]map[string]int

// put puts the value at the path below the node, making the mappings that lead
// there. An index beyond a list's end appends.
func (t nodeTree) put(at *yaml.Node, path []string, value *yaml.Node) error {
	for i, name := range path {
		last := i == len(path)-1
		next := t.find(at, name)
		if !last && next != nil && next.Kind != yaml.ScalarNode {
			at = next
			continue
		}
		child := value
		if !last {
			child = &yaml.Node{Kind: yaml.MappingNode}
		}
		switch {
		case next != nil:
			*next = *child
			child = next
			delete(t, next)
		case at.Kind == yaml.SequenceNode:
			at.Content = append(at.Content, child)
		default:
			key, err := textNode(name)
			if err != nil {
				return err
			}
			t[at][name] = len(at.Content) + 1
			at.Content = append(at.Content, key, child)
		}
		at = child
	}
	return nil
}

// find returns the field or item of that name or index, or nil.
func (t nodeTree) find(at *yaml.Node, step string) *yaml.Node {
	if at.Kind == yaml.SequenceNode {
		if i, err := strconv.Atoi(step); err == nil && i >= 0 && i < len(at.Content) {
			return at.Content[i]
		}
		return nil
	}
	if t[at] == nil {
		t[at] = make(map[string]int, len(at.Content)/2)
		for i := 0; i < len(at.Content); i += 2 {
			t[at][at.Content[i].Value] = i + 1
		}
	}
	if i, ok := t[at][step]; ok {
		return at.Content[i]
	}
	return nil
}

// valueNode returns a value, or the [reflect.Value] of a part of the model, as
// a node.
func valueNode(value any) (*yaml.Node, error) {
	switch v := value.(type) {
	case nil:
		return plainNode("!!null", "null"), nil
	case reflect.Value:
		return specNode(v)
	case string:
		return textNode(v)
	case bool:
		return plainNode("!!bool", strconv.FormatBool(v)), nil
	case float64:
		return numberNode(v)
	case json.Number:
		if i, err := strconv.ParseInt(string(v), 10, 64); err == nil {
			return plainNode("!!int", strconv.FormatInt(i, 10)), nil
		}
		if u, err := strconv.ParseUint(string(v), 10, 64); err == nil {
			return plainNode("!!int", strconv.FormatUint(u, 10)), nil
		}
		f, err := v.Float64()
		if err != nil {
			return nil, err
		}
		return numberNode(f)
	case map[string]any:
		node := &yaml.Node{Kind: yaml.MappingNode, Content: make([]*yaml.Node, 0, 2*len(v))}
		for key, value := range v {
			name, err := textNode(key)
			if err != nil {
				return nil, err
			}
			child, err := valueNode(value)
			if err != nil {
				return nil, err
			}
			node.Content = append(node.Content, name, child)
		}
		return node, nil
	case []any:
		node := &yaml.Node{Kind: yaml.SequenceNode, Content: make([]*yaml.Node, 0, len(v))}
		for _, value := range v {
			child, err := valueNode(value)
			if err != nil {
				return nil, err
			}
			node.Content = append(node.Content, child)
		}
		return node, nil
	}
	return specNode(reflect.ValueOf(value))
}

// specNode returns a part of the model as a node.
func specNode(v reflect.Value) (*yaml.Node, error) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return valueNode(nil)
		}
		if v.Kind() == reflect.Interface {
			return valueNode(v.Elem().Interface())
		}
		return specNode(v.Elem())
	case reflect.String:
		return textNode(v.String())
	case reflect.Bool:
		return valueNode(v.Bool())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return plainNode("!!int", strconv.FormatUint(v.Uint(), 10)), nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return plainNode("!!int", strconv.FormatInt(v.Int(), 10)), nil
	case reflect.Float32, reflect.Float64:
		return numberNode(v.Float())
	case reflect.Slice:
		if v.IsNil() {
			return valueNode(nil)
		}
		node := &yaml.Node{Kind: yaml.SequenceNode, Content: make([]*yaml.Node, 0, v.Len())}
		for i := range v.Len() {
			child, err := specNode(v.Index(i))
			if err != nil {
				return nil, err
			}
			node.Content = append(node.Content, child)
		}
		return node, nil
	case reflect.Map:
		node := &yaml.Node{Kind: yaml.MappingNode, Content: make([]*yaml.Node, 0, 2*v.Len())}
		for i := v.MapRange(); i.Next(); {
			name, err := textNode(i.Key().String())
			if err != nil {
				return nil, err
			}
			child, err := specNode(i.Value())
			if err != nil {
				return nil, err
			}
			node.Content = append(node.Content, name, child)
		}
		return node, nil
	case reflect.Struct:
		if s := specStructs()[v.Type()]; s != nil {
			return structNode(s, v)
		}
	}
	return nil, fmt.Errorf("a value of type %s has no place in a manifest", v.Type())
}

func structNode(s *specStruct, v reflect.Value) (*yaml.Node, error) {
	node := &yaml.Node{Kind: yaml.MappingNode}
	for _, f := range s.fields {
		value := v.Field(f.index)
		if f.name == portLocators || f.omitEmpty && isEmpty(value) {
			continue
		}
		child, err := specNode(value)
		if err != nil {
			return nil, err
		}
		node.Content = append(node.Content, plainNode("!!str", f.name), child)
	}
	return node, nil
}

func plainNode(tag, value string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: value}
}

// textNode returns a string, quoted where it must be.
func textNode(text string) (*yaml.Node, error) {
	if !utf8.ValidString(text) {
		return nil, fmt.Errorf("%q is not UTF-8", text)
	}
	node := plainNode("!!str", text)
	if mustQuote(text) {
		node.Style = yaml.DoubleQuotedStyle
	}
	return node, nil
}

// numberNode returns a number in a form that every reader takes for the same.
func numberNode(f float64) (*yaml.Node, error) {
	switch {
	case math.IsNaN(f) || math.IsInf(f, 0):
		return nil, fmt.Errorf("%v is not a number of JSON", f)
	case f == math.Trunc(f) && math.Abs(f) <= maxExact:
		return plainNode("!!int", strconv.FormatInt(int64(f), 10)), nil
	}
	text := strconv.FormatFloat(f, 'g', -1, 64)
	if i := strings.IndexByte(text, 'e'); i >= 0 && !strings.Contains(text, ".") {
		text = text[:i] + ".0" + text[i:] // some readers want the point
	}
	return plainNode("!!float", text), nil
}

// maxExact is the largest integer up to which a float64 holds every one.
const maxExact = 1 << 53

// sortKeys sorts the keys of every mapping below the node.
func sortKeys(node *yaml.Node) {
	for _, child := range node.Content {
		sortKeys(child)
	}
	if node.Kind != yaml.MappingNode {
		return
	}
	type pair [2]*yaml.Node
	pairs := make([]pair, 0, len(node.Content)/2)
	for i := 0; i < len(node.Content); i += 2 {
		pairs = append(pairs, pair{node.Content[i], node.Content[i+1]})
	}
	slices.SortFunc(pairs, func(a, b pair) int { return compareKeys(a[0].Value, b[0].Value) })
	for i, p := range pairs {
		node.Content[2*i], node.Content[2*i+1] = p[0], p[1]
	}
}

// compareKeys orders the keys of a mapping as people count: E1/2 before E1/10,
// punctuation before letters. No two different keys are equal.
func compareKeys(a, b string) int {
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	if i == len(a) || i == len(b) {
		return cmp.Compare(len(a), len(b))
	}
	for i > 0 && !utf8.RuneStart(a[i]) {
		i--
	}
	x, _ := utf8.DecodeRuneInString(a[i:])
	y, _ := utf8.DecodeRuneInString(b[i:])
	if isDigit(x) && isDigit(y) || (isDigit(x) || isDigit(y)) && i > 0 && isDigit(rune(a[i-1])) {
		start := i
		for start > 0 && isDigit(rune(a[start-1])) {
			start--
		}
		if n, m := digitRun(a[start:]), digitRun(b[start:]); n != "" && m != "" {
			n0, m0 := strings.TrimLeft(n, "0"), strings.TrimLeft(m, "0")
			return cmp.Or(cmp.Compare(len(n0), len(m0)), cmp.Compare(n0, m0), cmp.Compare(len(n), len(m)))
		}
	}
	if lx, ly := unicode.IsLetter(x), unicode.IsLetter(y); lx != ly {
		if ly {
			return -1
		}
		return 1
	}
	return cmp.Or(cmp.Compare(x, y), cmp.Compare(a, b))
}

func isDigit(r rune) bool { return r >= '0' && r <= '9' }

// digitRun returns the digits that text begins with.
func digitRun(text string) string {
	n := 0
	for n < len(text) && isDigit(rune(text[n])) {
		n++
	}
	return text[:n]
}
