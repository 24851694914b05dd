package main

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// configEdit is something that is added to a configuration: a fabric, or a tool that
// applies the fabrics.
type configEdit struct {
	fabric string // or
	tool   string
}

// field is where it belongs.
func (e configEdit) field() string {
	if e.fabric != "" {
		return "fabrics"
	}
	return "deploy." + e.tool
}

// shown is what a person writes.
func (e configEdit) shown() string {
	if e.fabric != "" {
		return fmt.Sprintf("fabrics: [..., {name: %s, site: %s}]", yamlText(e.fabric), yamlText(e.fabric))
	}
	return fmt.Sprintf("deploy: {%s: {enabled: true}}", e.tool)
}

// apply returns the text with lines put in between and all others as they are; ok is
// false when that cannot be done. What the text says afterwards is what it said, and
// this: that is looked at, whatever the text is like.
func (e configEdit) apply(text []byte) (edited []byte, ok bool) {
	before, err := configTable(text)
	if err != nil {
		return nil, false
	}
	if e.isIn(before) {
		return text, true
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, false
	}
	lines := strings.SplitAfter(string(text), "\n")
	if n := len(lines); lines[n-1] == "" {
		lines = lines[:n-1]
	} else {
		lines[n-1] += "\n"
	}
	at, added := e.place(&doc, lines)
	if at < 0 {
		return nil, false
	}
	edited = []byte(strings.Join(slices.Insert(slices.Clone(lines), at, added...), ""))
	after, err := configTable(edited)
	if err != nil || !reflect.DeepEqual(after, e.into(before)) {
		return nil, false
	}
	return edited, true
}

// configTable returns what a configuration says, as plain maps and lists.
func configTable(text []byte) (map[string]any, error) {
	table := map[string]any{}
	err := yaml.Unmarshal(text, &table)
	return table, err
}

// isIn reports whether the table has it already.
func (e configEdit) isIn(table map[string]any) bool {
	if e.fabric != "" {
		list, _ := table["fabrics"].([]any)
		return slices.ContainsFunc(list, func(item any) bool {
			fabric, _ := item.(map[string]any)
			return fmt.Sprint(fabric["name"]) == e.fabric
		})
	}
	deploy, _ := table["deploy"].(map[string]any)
	tool, _ := deploy[e.tool].(map[string]any)
	return tool["enabled"] == true
}

// into returns the table with it.
func (e configEdit) into(table map[string]any) map[string]any {
	if e.fabric != "" {
		list, _ := table["fabrics"].([]any)
		table["fabrics"] = append(slices.Clone(list), map[string]any{"name": e.fabric, "site": e.fabric})
		return table
	}
	deploy, _ := table["deploy"].(map[string]any)
	if deploy == nil {
		deploy = map[string]any{}
	}
	deploy[e.tool] = map[string]any{"enabled": true}
	table["deploy"] = deploy
	return table
}

var itemStart = regexp.MustCompile(`^( *)- +`)

// place returns the lines to add and the place, from 0, where they come; -1 for none.
func (e configEdit) place(doc *yaml.Node, lines []string) (at int, added []string) {
	var root *yaml.Node
	if len(doc.Content) > 0 {
		root = doc.Content[0]
	}
	if e.fabric != "" {
		list, _ := find(root, "fabrics")
		name, site := "name: "+yamlText(e.fabric)+"\n", "site: "+yamlText(e.fabric)+"\n"
		switch {
		case list == nil:
			return len(lines), []string{"\n", "fabrics:\n", "  - " + name, "    " + site}
		case list.Kind != yaml.SequenceNode || list.Style&yaml.FlowStyle != 0 || len(list.Content) == 0:
			return -1, nil
		}
		start := itemStart.FindString(lines[list.Content[0].Line-1])
		if start == "" {
			return -1, nil
		}
		return pastComments(lines, lastLine(list), len(start)), []string{start + name, strings.Repeat(" ", len(start)) + site}
	}
	deploy, _ := find(root, "deploy")
	switch {
	case deploy == nil:
		return len(lines), []string{"\n", "deploy:\n", "  " + e.tool + ":\n", "    enabled: true\n"}
	case deploy.Kind != yaml.MappingNode || deploy.Style&yaml.FlowStyle != 0 || len(deploy.Content) == 0:
		return -1, nil
	}
	indent := strings.Repeat(" ", deploy.Content[0].Column-1)
	return pastComments(lines, lastLine(deploy), len(indent)+1), []string{indent + e.tool + ":\n", indent + "  enabled: true\n"}
}

// lastLine returns the last line, from 1, on which a part of the node begins.
func lastLine(node *yaml.Node) int {
	last := node.Line
	for _, child := range node.Content {
		last = max(last, lastLine(child))
	}
	return last
}

// pastComments returns the first line from the given one that is no comment indented
// so far: comments of an item stay with it.
func pastComments(lines []string, from, indent int) int {
	for from < len(lines) {
		text := strings.TrimLeft(lines[from], " ")
		if !strings.HasPrefix(text, "#") || len(lines[from])-len(text) < indent {
			break
		}
		from++
	}
	return from
}

// yamlText writes a text so that YAML reads it as that text.
func yamlText(text string) string {
	out, err := yaml.Marshal(text)
	if err != nil {
		panic(err) // a text: cannot fail
	}
	return strings.TrimSuffix(string(out), "\n")
}
