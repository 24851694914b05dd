package main

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"github.com/fatih/color"
	"go.yaml.in/yaml/v3"

	"hedgehog-gitops/render/hedgehog"
	"hedgehog-gitops/render/review"
)

type validateView struct {
	FormatVersion string `json:"format_version"`
	// Valid is whether no fabric has an error.
	Valid   bool                  `json:"valid"`
	Fabrics []validatedFabricView `json:"fabrics"`
}

type validatedFabricView struct {
	// Name is empty where manifests were judged that say none.
	Name    string `json:"name"`
	Objects int    `json:"objects"`
	// Classes are the numbers of objects that --against adds, changes, replaces and
	// deletes.
	Classes map[string]int       `json:"classes"`
	Issues  []validatedIssueView `json:"issues"`
}

// validatedIssueView is an issue with the place in the text.
type validatedIssueView struct {
	issueView
	File string `json:"file"`
	// Line is that of the field, or of the object where the field is not written;
	// 0 when it is not known.
	Line int `json:"line"`
}

func (a *app) showValidate(r validateResult, f format, o validateOptions) error {
	switch f {
	case formatJSON:
		return a.printJSON(r.view())
	case formatSARIF:
		return r.writeSARIF(a.stdout)
	case formatJUnit:
		return r.writeJUnit(a.stdout, o.strict)
	case formatGitHub:
		var issues hedgehog.Issues
		for _, fabric := range r.Fabrics {
			for _, i := range fabric.Issues {
				i.Origin.Line, _ = r.locate(i)
				issues = append(issues, i)
			}
		}
		for _, line := range review.Annotations(issues, review.Links{}) {
			if _, err := fmt.Fprintln(a.stdout, line); err != nil {
				return err
			}
		}
		return nil
	}
	out := &listing{app: a, out: a.people(), tty: a.outTTY}
	for _, fabric := range r.Fabrics {
		out.validated(r, fabric, o.common.quiet)
	}
	return out.err
}

func (r validateResult) view() validateView {
	v := validateView{FormatVersion: jsonVersion, Valid: true, Fabrics: []validatedFabricView{}}
	for _, f := range r.Fabrics {
		one := validatedFabricView{Name: f.Name, Objects: f.Objects, Classes: map[string]int{}, Issues: []validatedIssueView{}}
		for _, n := range f.Changes.Counts() {
			one.Classes[n.Class.String()] = n.Objects
		}
		for i, view := range newIssueViews(f.Issues, "") {
			line, _ := r.locate(f.Issues[i])
			one.Issues = append(one.Issues, validatedIssueView{view, f.Issues[i].Origin.File, line})
		}
		v.Valid = v.Valid && f.Issues.Worst() < hedgehog.Error
		v.Fabrics = append(v.Fabrics, one)
	}
	return v
}

// validated tells people what is wrong with a fabric, object by object.
func (l *listing) validated(r validateResult, f validatedFabric, quiet bool) {
	var last hedgehog.Key
	for n, i := range heard(f.Issues, quiet) {
		if n == 0 || i.Object != last || i.Object == (hedgehog.Key{}) {
			l.judged(i)
		}
		last = i.Object
		line, text := r.locate(i)
		l.line("  %s %s %s", l.paint(i.Severity.String()+":", severityColor(i.Severity), color.Bold), oneLine(i.Summary), l.paint("["+i.Rule+"]", color.Faint))
		if text != "" {
			l.line("  %s %s", l.paint(fmt.Sprintf("%6d |", line), color.FgBlue), printable(text))
		}
		if i.Hint != "" {
			l.line("         %s %s", l.paint("hint:", color.FgCyan), oneLine(i.Hint))
		}
	}
	if quiet {
		return
	}
	what := plural(f.Objects, "object")
	if f.Name != "" {
		what = f.Name + ": " + what
	}
	if f.Compared {
		var classes []string
		for _, n := range f.Changes.Counts() {
			classes = append(classes, fmt.Sprintf("%s %d", n.Class, n.Objects))
		}
		if len(classes) == 0 {
			classes = []string{"nothing changes"}
		}
		what += " (" + strings.Join(classes, ", ") + ")"
	}
	if found := countIssues(f.Issues); found != "" {
		what += ": " + found
	} else {
		what += ": nothing to complain about"
	}
	l.line("%s", what)
}

// judged names what the issues below are about.
func (l *listing) judged(i hedgehog.Issue) {
	switch {
	case i.Object == (hedgehog.Key{}):
		l.line("%s", oneLine(i.Origin.String()))
	case i.Origin.IsZero():
		l.line("%s", oneLine(i.Object.String()))
	default:
		l.line("%s  %s", l.paint(oneLine(i.Object.String()), color.Bold), oneLine(i.Origin.String()))
	}
}

// longestExcerpt is how much of a line of source people are shown.
const longestExcerpt = 160

// locate returns the line in which the field of an issue stands, with its text; that
// of the object when the field is not written there.
func (r validateResult) locate(i hedgehog.Issue) (line int, text string) {
	line = i.Origin.Line
	if i.Origin.File == "" || line == 0 {
		return line, ""
	}
	lines := r.source(i.Origin.File)
	if line > len(lines) {
		return line, ""
	}
	if r.last.file != i.Origin.File || r.last.line != line {
		*r.last = writtenObject{i.Origin.File, line, fieldLines(lines[line-1:])}
	}
	line += r.last.below(i.Field)
	text = strings.TrimRight(string(lines[line-1][:min(len(lines[line-1]), longestExcerpt+1)]), " \r")
	if len(text) > longestExcerpt {
		text = strings.ToValidUTF8(text[:longestExcerpt], "") + " ..."
	}
	return line, text
}

// writtenObject is an object as it is written: where, and in which line below the
// first each of its fields stands.
type writtenObject struct {
	file   string
	line   int
	fields map[string]int
}

// below returns how many lines below the first one of the object the field stands, or
// what of the path to it is written.
func (w *writtenObject) below(field string) int {
	for field != "" {
		if line, ok := w.fields[field]; ok {
			return line
		}
		field = field[:max(0, strings.LastIndexAny(field, ".["))]
	}
	return 0
}

// fieldLines returns the fields of the object that begins with the first line, as
// spec.subnets.web.vlan and spec.ranges[0], each with how many lines below it stands.
func fieldLines(lines [][]byte) map[string]int {
	object := objectText(lines)
	var document yaml.Node
	if yaml.NewDecoder(bytes.NewReader(object)).Decode(&document) != nil || len(document.Content) == 0 {
		return nil
	}
	fields := map[string]int{}
	var walk func(n *yaml.Node, path string)
	walk = func(n *yaml.Node, path string) {
		switch n.Kind {
		case yaml.MappingNode:
			for k := 0; k+1 < len(n.Content); k += 2 {
				at := strings.TrimPrefix(path+"."+n.Content[k].Value, ".")
				fields[at] = n.Content[k].Line - 1
				walk(n.Content[k+1], at)
			}
		case yaml.SequenceNode:
			for k, item := range n.Content {
				at := path + "[" + strconv.Itoa(k) + "]"
				fields[at] = item.Line - 1
				walk(item, at)
			}
		}
	}
	walk(document.Content[0], "")
	return fields
}

// objectText returns the lines of the object that begins with the first: a document, or
// an item of a list, in YAML or JSON.
func objectText(lines [][]byte) []byte {
	indentOf := func(l []byte) int { return len(l) - len(bytes.TrimLeft(l, " ")) }
	first := bytes.TrimLeft(lines[0], " -")
	indent := len(lines[0]) - len(first)
	end := 1
	if braced := bytes.HasPrefix(first, []byte("{")); braced && indent > 0 {
		for ; end < len(lines); end++ {
			if l := lines[end]; indentOf(l) == indent && bytes.HasPrefix(l[indent:], []byte("}")) {
				return append(bytes.Join(lines[:end], []byte("\n")), "\n}"...)
			}
		}
		return bytes.TrimRight(lines[0], ", \r") // one line of a list
	}
	for ; end < len(lines); end++ {
		if l := lines[end]; bytes.HasPrefix(l, []byte("---")) || indent > 0 && len(bytes.TrimSpace(l)) > 0 && indentOf(l) < indent {
			break
		}
	}
	object := bytes.Join(lines[:end], []byte("\n"))
	if indent > 0 { // an item of a list: its dash is no part of it
		object = append(bytes.Repeat([]byte(" "), indent), object[indent:]...)
	}
	return object
}
