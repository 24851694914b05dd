package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/fatih/color"

	"hedgehog-gitops/render/hedgehog"
	"hedgehog-gitops/render/review"
)

type diffView struct {
	FormatVersion string `json:"format_version"`
	// Different is whether anything differs.
	Different bool             `json:"different"`
	Fabrics   []fabricDiffView `json:"fabrics"`
}

type fabricDiffView struct {
	// Name is empty where manifests were compared that say none.
	Name string `json:"name"`
	// Result is equal, different or failed.
	Result  string          `json:"result"`
	Objects []review.Change `json:"objects"`
	Renames []review.Rename `json:"renames"`
	Hazards []review.Hazard `json:"hazards"`
	Issues  []issueView     `json:"issues"`
}

func (r diffResult) view() diffView {
	v := diffView{FormatVersion: jsonVersion, Fabrics: []fabricDiffView{}}
	for _, f := range r.Fabrics {
		view := fabricDiffView{
			Name: f.Name, Result: "equal",
			Objects: append([]review.Change{}, f.Changes.Objects...),
			Renames: append([]review.Rename{}, f.Changes.Renames...),
			Hazards: append([]review.Hazard{}, f.Changes.Hazards...),
			Issues:  newIssueViews(f.Issues, r.NetBoxURL),
		}
		switch {
		case !f.Compared:
			view.Result = "failed"
		case f.Changes.Len() > 0:
			view.Result, v.Different = "different", true
		}
		v.Fabrics = append(v.Fabrics, view)
	}
	return v
}

func (a *app) showDiff(r diffResult, f format, quiet bool) error {
	if f == formatJSON {
		return a.printJSON(r.view())
	}
	out := &listing{app: a, out: a.people(), tty: a.outTTY}
	for _, fabric := range r.Fabrics {
		a.printIssues(heard(fabric.Issues, quiet), r.NetBoxURL)
		if !fabric.Compared {
			continue
		}
		if len(r.Fabrics) > 1 && fabric.Changes.Len() > 0 {
			out.line("%s:", out.paint(printable(fabric.Name), color.Bold))
		}
		out.changes(fabric.Changes)
		if !quiet {
			a.say("%s", fabric.sum(a))
		}
	}
	return out.err
}

// sum says in one line what differs.
func (f fabricDiff) sum(a *app) string {
	name := ""
	if f.Name != "" {
		name = a.paint(printable(f.Name), color.Bold) + ": "
	}
	if f.Changes.Len() == 0 {
		return name + "nothing differs"
	}
	var parts []string
	for _, n := range f.Changes.Counts() {
		parts = append(parts, fmt.Sprintf("%s %d", n.Class, n.Objects))
	}
	verb := "differ"
	if f.Changes.Len() == 1 {
		verb = "differs"
	}
	return fmt.Sprintf("%s%s %s: %s", name, plural(f.Changes.Len(), "object"), verb, strings.Join(parts, ", "))
}

// listing writes lines for people until one cannot be written.
type listing struct {
	app *app
	out io.Writer
	// tty is whether a person watches.
	tty bool
	err error
}

func (l *listing) line(format string, args ...any) {
	if l.err == nil {
		_, l.err = fmt.Fprintf(l.out, "%s\n", l.app.redact(fmt.Sprintf(format, args...)))
	}
}

func (l *listing) paint(text string, attributes ...color.Attribute) string {
	if !l.tty {
		return text
	}
	return l.app.paint(text, attributes...)
}

// described is how many objects may differ for each that comes to be described by
// its fields.
const described = 50

// changes lists what differs: hazards first, then a line for each field.
func (l *listing) changes(c review.Changes) {
	for _, h := range c.Hazards {
		paint := color.FgYellow
		if h.Risk == review.High {
			paint = color.FgRed
		}
		l.line("%s %s", l.paint(h.Risk.String()+" risk:", paint, color.Bold), h.Says)
	}
	if len(c.Hazards) > 0 {
		l.line("")
	}
	renamed := map[hedgehog.Key]hedgehog.Key{}
	for _, r := range c.Renames {
		renamed[r.To] = r.From
	}
	for _, change := range c.Objects {
		what := review.Object(change.Key).String()
		sign := l.sign(change.Class)
		switch change.Class {
		case review.Add:
			if from, ok := renamed[change.Key]; ok {
				l.line("%s %s, which was %s", sign, what, oneLine(from.Name))
				continue
			}
			l.line("%s %s", sign, what)
			if c.Len() <= described {
				for _, f := range change.Fields {
					l.line("    %s", valueText(f.Label, f.After))
				}
			}
		case review.Delete:
			l.line("%s %s", sign, what)
		default:
			if len(change.Fields) == 0 {
				l.line("%s %s", sign, what)
			}
			for _, f := range change.Fields {
				l.line("%s %s: %s", sign, what, valueText(f.Label, before(f)+" -> "+after(f)))
			}
		}
	}
}

func before(f review.Field) string { return orNone(f.Before, f.After) }
func after(f review.Field) string  { return orNone(f.After, f.Before) }

// orNone returns the value, or a word for none; other is the one before or after it.
func orNone(value, other string) string {
	switch {
	case value != "":
		return value
	case other == "yes":
		return "no"
	}
	return "none"
}

// valueText joins what a field is called and its value: "subnet db: VLAN 1002".
func valueText(label, value string) string {
	label = oneLine(label)
	if value = oneLine(value); value == "" {
		return label
	}
	return label + " " + value
}

// sign is the mark of a class of changes.
func (l *listing) sign(c review.Class) string {
	i := slices.Index(review.Classes(), c)
	if i < 0 {
		return "?"
	}
	return l.paint([]string{"+", "~", "!", "-"}[i],
		[]color.Attribute{color.FgGreen, color.FgYellow, color.FgMagenta, color.FgRed}[i])
}
