package main

import (
	"encoding"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"hedgehog-gitops/render/netbox"
)

// configKey is a key of the configuration as people read about it. The decoder, the
// JSON Schema, the file that init writes and docs/configuration.md have it from the
// same field of a struct.
type configKey struct {
	Name string
	// Doc says what it means, in a part of a sentence.
	Doc string
	// Default is the value where the file says nothing.
	Default reflect.Value
	// Keys are those of a mapping.
	Keys []configKey
	// Items are the keys of each mapping of a list.
	Items []configKey
}

// configDefaults returns a configuration of which the file says nothing, with one
// fabric.
func configDefaults() configDoc {
	p := publishDefaults()
	return configDoc{
		Fabrics: []fabricDoc{fabricDefaults()},
		Tag:     slug(netbox.DefaultConfig("").Tag),
		Git:     p.Git, Signing: p.Signing, Forge: p.Forge, PullRequest: p.PullRequest, Limits: p.Limits,
		Deploy: deployDefaults(),
	}
}

// configKeys returns all keys in the order of the file.
func configKeys() []configKey {
	defaults := configDefaults()
	return keysOf(reflect.ValueOf(&defaults).Elem())
}

func keysOf(of reflect.Value) []configKey {
	var keys []configKey
	for i := range of.NumField() {
		field, value := of.Type().Field(i), of.Field(i)
		key := configKey{Name: field.Tag.Get("yaml"), Doc: field.Tag.Get("doc"), Default: value}
		switch {
		case isMapping(value.Type()):
			key.Keys = keysOf(value)
		case value.Kind() == reflect.Slice && isMapping(value.Type().Elem()):
			key.Items = keysOf(value.Index(0))
		}
		keys = append(keys, key)
	}
	return keys
}

// isText reports whether a value of the type is written as one text.
func isText(t reflect.Type) bool {
	return reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

// isMapping reports whether a value of the type is a mapping with keys that are known.
func isMapping(t reflect.Type) bool { return t.Kind() == reflect.Struct && !isText(t) }

// written returns a value as it stands in the file, on one line; "" for a text, a
// number or a mapping that says nothing.
func written(value reflect.Value) string {
	switch v := value.Interface().(type) {
	case netip.Prefix:
		return v.String()
	case netip.Addr:
		return v.String()
	case vlanRange:
		if v.From == v.To {
			return strconv.Itoa(int(v.From))
		}
		return fmt.Sprintf("%d-%d", v.From, v.To)
	case draftPolicy:
		return string(v) // a truth value in YAML
	}
	switch value.Kind() {
	case reflect.String:
		if value.String() == "" {
			return ""
		}
		text, err := yaml.Marshal(value.String())
		if err != nil {
			panic(err) // a text: cannot fail
		}
		return strings.TrimSpace(string(text))
	case reflect.Bool:
		return strconv.FormatBool(value.Bool())
	case reflect.Int:
		return strconv.FormatInt(value.Int(), 10)
	case reflect.Uint16, reflect.Uint32:
		return strconv.FormatUint(value.Uint(), 10)
	case reflect.Slice:
		var items []string
		for i := range value.Len() {
			items = append(items, written(value.Index(i)))
		}
		return "[" + strings.Join(items, ", ") + "]"
	case reflect.Map:
		var items []string
		for _, key := range sortedMapKeys(value) {
			items = append(items, key.String()+": "+written(value.MapIndex(key)))
		}
		return "{" + strings.Join(items, ", ") + "}"
	}
	panic(fmt.Sprintf("configuration has a value of type %s", value.Type()))
}

func sortedMapKeys(value reflect.Value) []reflect.Value {
	keys := value.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
	return keys
}

// configText returns a configuration file that sets what is given and shows all other
// keys with their defaults, commented out. Set maps the path of a key to the value as
// it is written; fabrics are the lines of the list.
func configText(set map[string]string) string {
	w := &configWriter{set: set}
	w.keys(configKeys(), "", "", "")
	return w.text.String()
}

// configWriter writes the keys of a configuration.
type configWriter struct {
	set  map[string]string
	text strings.Builder
}

// column is where what a key means begins.
const column = 44

// line writes one key. Mark stands before it on its first line: the dash of a list.
func (w *configWriter) line(indent, mark, name, value, doc string) {
	text := strings.TrimRight(indent+mark+name+": "+value, " ")
	if doc != "" {
		text = fmt.Sprintf("%-*s # %s", column, text, doc)
	}
	w.text.WriteString(text + "\n")
}

// keys writes keys below one another. Shown is the indentation up to the column where a
// comment sign goes, deep the one after it.
func (w *configWriter) keys(keys []configKey, at, shown, deep string) {
	for _, key := range keys {
		path := join(at, key.Name)
		if at == "" {
			w.text.WriteString("\n")
		}
		value, given := w.set[path]
		within := given || w.within(path)
		comment, inner := "", deep
		if !within {
			comment = "# "
		}
		switch {
		case key.Items != nil:
			w.line(shown, "", key.Name, "", key.Doc)
			w.items(key, path)
		case key.Keys != nil && path != "fabrics.deploy":
			w.line(shown+comment+inner, "", key.Name, "", key.Doc)
			if within {
				w.keys(key.Keys, path, shown+inner+"  ", "")
				continue
			}
			w.keys(key.Keys, path, shown, deep+"  ")
		case key.Default.Kind() == reflect.Map && key.Default.Len() > 0 && !given:
			w.line(shown+comment+inner, "", key.Name, "", key.Doc)
			for _, name := range sortedMapKeys(key.Default) {
				w.line(shown+comment+inner+"  ", "", name.String(), written(key.Default.MapIndex(name)), "")
			}
		case given:
			w.line(shown+inner, "", key.Name, value, key.Doc)
		case key.Keys != nil:
			w.line(shown+comment+inner, "", key.Name, "{}", key.Doc)
		default:
			w.line(shown+comment+inner, "", key.Name, written(key.Default), key.Doc)
		}
	}
}

// items writes the one item of a list: what is set of it first.
func (w *configWriter) items(key configKey, path string) {
	mark := "  - "
	for _, k := range key.Items {
		if value, ok := w.set[join(path, k.Name)]; ok {
			w.line("", mark, k.Name, value, k.Doc)
			mark = "    "
		}
	}
	rest := slices.DeleteFunc(slices.Clone(key.Items), func(k configKey) bool { _, ok := w.set[join(path, k.Name)]; return ok })
	w.keys(rest, path, "    ", "")
}

// within reports whether a key below the path is set.
func (w *configWriter) within(path string) bool {
	for name := range w.set {
		if strings.HasPrefix(name, path+".") {
			return true
		}
	}
	return false
}
