package main

import (
	"bytes"
	"encoding"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"hedgehog-gitops/render/hedgehog"
)

// yamlDecoder fills structs from YAML strictly: an unknown key, a key that
// occurs twice and a value of the wrong form are issues with file and line.
// It goes on after each, so that people see all of them at once.
type yamlDecoder struct {
	file string
	// getenv gives the variables of ${NAME}. Nil passes over the values that have
	// one: they are checked once they are used.
	getenv func(string) string
	// at is the path of the value that decode is given, "" for the document.
	at     string
	issues hedgehog.Issues
}

func (d *yamlDecoder) problem(line int, field, summary, hint string) {
	d.issues = append(d.issues, hedgehog.Issue{
		Rule: "config", Severity: hedgehog.Error, Field: field,
		Origin:  hedgehog.Origin{File: d.file, Line: line},
		Summary: summary, Hint: hint,
	})
}

func (d *yamlDecoder) err() error {
	if len(d.issues) == 0 {
		return nil
	}
	d.issues.Sort()
	return &faulty{d.file, d.issues}
}

// parse returns the root of the one document in data, nil when there is none.
func (d *yamlDecoder) parse(data []byte) *yaml.Node {
	var doc, next yaml.Node
	in := yaml.NewDecoder(bytes.NewReader(data))
	if err := in.Decode(&doc); errors.Is(err, io.EOF) {
		return nil
	} else if err != nil {
		line, text := yamlError(err)
		d.problem(line, "", text, "")
		return nil
	}
	switch err := in.Decode(&next); {
	case err == nil:
		d.problem(next.Line, "", "a second document", "a configuration is one document: remove the line ---")
	case !errors.Is(err, io.EOF):
		line, text := yamlError(err)
		d.problem(line, "", text, "")
	}
	if len(doc.Content) == 0 {
		return nil
	}
	return doc.Content[0]
}

var yamlErrorForm = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)

// yamlError takes an error of the YAML library apart.
func yamlError(err error) (line int, text string) {
	m := yamlErrorForm.FindStringSubmatch(err.Error())
	if m == nil {
		return 0, err.Error()
	}
	line, _ = strconv.Atoi(m[1])
	return line, "not YAML: " + m[2]
}

func (d *yamlDecoder) decode(node *yaml.Node, into any) {
	if node != nil {
		d.value(node, reflect.ValueOf(into).Elem(), d.at)
	}
}

func (d *yamlDecoder) value(node *yaml.Node, into reflect.Value, at string) {
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	if isNull(node) {
		return // as if the key were not there
	}
	_, isText := into.Addr().Interface().(encoding.TextUnmarshaler)
	switch {
	case !isText && into.Kind() == reflect.Struct:
		d.mapping(node, into, at)
	case !isText && into.Kind() == reflect.Map:
		d.table(node, into, at)
	case !isText && into.Kind() == reflect.Slice:
		d.list(node, into, at)
	default:
		d.scalar(node, into, at)
	}
}

// mapping fills a struct whose fields carry the names of keys.
func (d *yamlDecoder) mapping(node *yaml.Node, into reflect.Value, at string) {
	fields, names := map[string]reflect.Value{}, []string(nil)
	for i := range into.NumField() {
		name := into.Type().Field(i).Tag.Get("yaml")
		fields[name], names = into.Field(i), append(names, name)
	}
	for key, value := range d.pairs(node, at) {
		field, ok := fields[key.Value]
		if !ok {
			text := fmt.Sprintf("there is no key %q here", key.Value)
			advice := "known keys: " + strings.Join(names, ", ")
			if near := closest(key.Value, names); near != "" {
				advice = fmt.Sprintf("did you mean %q?", near)
			}
			d.problem(key.Line, join(at, key.Value), text, advice)
			continue
		}
		d.value(value, field, join(at, key.Value))
	}
}

// table fills a map: its entries replace those of the same key.
func (d *yamlDecoder) table(node *yaml.Node, into reflect.Value, at string) {
	if into.IsNil() {
		into.Set(reflect.MakeMap(into.Type()))
	}
	for key, value := range d.pairs(node, at) {
		k, v := reflect.New(into.Type().Key()).Elem(), reflect.New(into.Type().Elem()).Elem()
		before := len(d.issues)
		d.scalar(key, k, join(at, key.Value))
		d.value(value, v, join(at, key.Value))
		if len(d.issues) == before && !isNull(value) {
			into.SetMapIndex(k, v)
		}
	}
}

// list replaces a slice.
func (d *yamlDecoder) list(node *yaml.Node, into reflect.Value, at string) {
	if node.Kind != yaml.SequenceNode {
		d.problem(node.Line, at, "must be a list", "write [a, b], or one item a line with - in front")
		return
	}
	items := reflect.MakeSlice(into.Type(), len(node.Content), len(node.Content))
	for i, item := range node.Content {
		there := fmt.Sprintf("%s[%d]", at, i)
		if isNull(item) {
			d.problem(item.Line, there, "is empty", "remove the item, or fill it in")
			continue
		}
		d.value(item, items.Index(i), there)
	}
	into.Set(items)
}

func (d *yamlDecoder) scalar(node *yaml.Node, into reflect.Value, at string) {
	if node.Kind != yaml.ScalarNode {
		d.problem(node.Line, at, "must be a single value", "")
		return
	}
	text := node.Value
	if variableForm.MatchString(text) {
		if d.getenv == nil {
			return
		}
		expanded, unset := expand(text, d.getenv)
		if unset != "" {
			d.problem(node.Line, at, unsetText(unset), fmt.Sprintf("export %s=...", unset))
			return
		}
		text = expanded
	}
	if err := setText(into, text); err != nil {
		d.problem(node.Line, at, fmt.Sprintf("%q %v", text, err), "")
	}
}

// setText puts a text into a value of its type. The error completes a sentence
// that begins with the text.
func setText(into reflect.Value, text string) error {
	switch to := into.Addr().Interface().(type) {
	case *netip.Prefix:
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			return errors.New("is no network such as 172.30.0.0/21")
		}
		if prefix != prefix.Masked() {
			return fmt.Errorf("is an address in a network; the network is %s", prefix.Masked())
		}
		*to = prefix
		return nil
	case *netip.Addr:
		addr, err := netip.ParseAddr(text)
		if err != nil {
			return errors.New("is no address such as 172.30.4.0")
		}
		*to = addr
		return nil
	case encoding.TextUnmarshaler:
		return to.UnmarshalText([]byte(text))
	}
	switch into.Kind() {
	case reflect.String:
		into.SetString(text)
	case reflect.Bool:
		if text != "true" && text != "false" {
			return errors.New("is neither true nor false")
		}
		into.SetBool(text == "true")
	case reflect.Uint32:
		n, err := strconv.ParseUint(text, 10, 32)
		if err != nil {
			return errors.New("is no number from 0 to 4294967295")
		}
		into.SetUint(n)
	default:
		panic(fmt.Sprintf("configuration has a field of type %s", into.Type()))
	}
	return nil
}

// pairs iterates over the keys and values of a mapping, with those that << takes
// in, which the mapping's own replace.
func (d *yamlDecoder) pairs(node *yaml.Node, at string) func(yield func(key, value *yaml.Node) bool) {
	return func(yield func(key, value *yaml.Node) bool) {
		if node.Kind != yaml.MappingNode {
			d.problem(node.Line, at, "must be a mapping", "write one `key: value` a line")
			return
		}
		lines := map[string]int{}
		var merged []*yaml.Node
		for i := 0; i+1 < len(node.Content); i += 2 {
			key, value := node.Content[i], node.Content[i+1]
			if key.Tag == "!!merge" {
				merged = append(merged, value)
				continue
			}
			if first, ok := lines[key.Value]; ok {
				d.problem(key.Line, join(at, key.Value), fmt.Sprintf("stands on line %d already", first), "keep one of the two")
				continue
			}
			lines[key.Value] = key.Line
			if !yield(key, value) {
				return
			}
		}
		for _, value := range merged {
			if value.Kind == yaml.AliasNode {
				value = value.Alias
			}
			if value.Kind != yaml.MappingNode {
				d.problem(value.Line, join(at, "<<"), "must be a mapping", "")
				continue
			}
			for i := 0; i+1 < len(value.Content); i += 2 {
				key := value.Content[i]
				if _, ok := lines[key.Value]; ok {
					continue
				}
				lines[key.Value] = key.Line
				if !yield(key, value.Content[i+1]) {
					return
				}
			}
		}
	}
}

// find returns the node that the path leads to and its line, or nil and the
// line of the last one that is there.
func find(node *yaml.Node, path ...string) (*yaml.Node, int) {
	if node == nil {
		return nil, 0
	}
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	if len(path) == 0 {
		return node, node.Line
	}
	switch node.Kind {
	case yaml.SequenceNode:
		if i, err := strconv.Atoi(path[0]); err == nil && i < len(node.Content) {
			return find(node.Content[i], path[1:]...)
		}
	case yaml.MappingNode:
		quiet := &yamlDecoder{}
		for key, value := range quiet.pairs(node, "") {
			if key.Value == path[0] {
				return find(value, path[1:]...)
			}
		}
	}
	return nil, node.Line
}

func isNull(node *yaml.Node) bool {
	return node.Kind == yaml.ScalarNode && node.Tag == "!!null"
}

func nodeText(node *yaml.Node) string {
	if node == nil || node.Kind != yaml.ScalarNode {
		return ""
	}
	return node.Value
}

var variableForm = regexp.MustCompile(`\$\{([A-Za-z_][A-Za-z0-9_]*)\}`)

// expand replaces ${NAME} by the environment's NAME; unset is the first name
// that the environment does not have.
func expand(text string, getenv func(string) string) (expanded, unset string) {
	expanded = variableForm.ReplaceAllStringFunc(text, func(found string) string {
		name := variableForm.FindStringSubmatch(found)[1]
		value := getenv(name)
		if value == "" && unset == "" {
			unset = name
		}
		return value
	})
	return expanded, unset
}

func unsetText(name string) string {
	return fmt.Sprintf("the environment has no %s", name)
}

func join(at, key string) string {
	if at == "" {
		return key
	}
	return at + "." + key
}

// fieldPath writes a path as people do: fabrics[0].name.
func fieldPath(path []string) string {
	var at string
	for _, part := range path {
		if _, err := strconv.Atoi(part); err == nil {
			at += "[" + part + "]"
			continue
		}
		at = join(at, part)
	}
	return at
}
