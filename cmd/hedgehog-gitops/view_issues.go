package main

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/fatih/color"

	"hedgehog-gitops/render/hedgehog"
)

// issueView is an Issue as --json writes it.
type issueView struct {
	Rule     string            `json:"rule"`
	Severity hedgehog.Severity `json:"severity"`
	// Object is null when the issue is about something that became no object.
	Object  *objectView `json:"object"`
	Field   string      `json:"field"`
	Origin  string      `json:"origin"`
	Summary string      `json:"summary"`
	Hint    string      `json:"hint"`
}

type objectView struct {
	Kind string `json:"kind"`
	Name string `json:"name"`
}

func newIssueViews(issues hedgehog.Issues, netboxURL string) []issueView {
	views := make([]issueView, len(issues))
	for i, issue := range issues {
		views[i] = issueView{
			Rule: issue.Rule, Severity: issue.Severity, Field: issue.Field,
			Origin: originText(issue.Origin, netboxURL), Summary: issue.Summary, Hint: issue.Hint,
		}
		if issue.Object != (hedgehog.Key{}) {
			views[i].Object = &objectView{string(issue.Object.Kind), issue.Object.Name}
		}
	}
	return views
}

// originText is where to click: the web address of a NetBox object when the
// address of NetBox is known.
func originText(o hedgehog.Origin, netboxURL string) string {
	if o.Path == "" {
		return o.String()
	}
	record := netboxURL + o.Path
	if o.File != "" { // of a manifest, which the record documents
		o.Path = ""
		return o.String() + ", " + record
	}
	return record
}

// printIssues tells people all issues, one block each, errors first.
func (a *app) printIssues(issues hedgehog.Issues, netboxURL string) {
	for _, i := range issues {
		line := i.Summary
		if i.Object != (hedgehog.Key{}) {
			line = i.Object.String() + ": " + line
		} else if i.Origin.File != "" {
			line = strings.TrimPrefix(i.Field+": ", ": ") + line
		}
		a.say("%s %s", a.paint(i.Severity.String()+":", severityColor(i.Severity), color.Bold), oneLine(line))
		if !i.Origin.IsZero() {
			a.say("  at:    %s", oneLine(originText(i.Origin, netboxURL)))
		}
		if i.Field != "" && (i.Object != (hedgehog.Key{}) || i.Origin.File == "") {
			a.say("  field: %s", oneLine(i.Field))
		}
		if i.Hint != "" {
			a.say("  %s  %s", a.paint("hint:", color.FgCyan), oneLine(i.Hint))
		}
	}
}

// longest is how many bytes of a text people are shown in one line.
const longest = 2000

// oneLine returns the text as one printable line of a bounded length: what people
// wrote into NetBox makes no line of its own.
func oneLine(text string) string {
	if len(text) > longest {
		text = strings.ToValidUTF8(text[:longest], "") + "..."
	}
	return strings.Join(strings.Fields(printable(text)), " ")
}

// printable returns the text without what would command a terminal: names in
// NetBox are anybody's.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, text)
}

func severityColor(s hedgehog.Severity) color.Attribute {
	switch s {
	case hedgehog.Error:
		return color.FgRed
	case hedgehog.Warning:
		return color.FgYellow
	default:
		return color.FgBlue
	}
}

// countIssues returns "2 errors, 1 warning", "" when there is none.
func countIssues(issues hedgehog.Issues) string {
	counts := map[hedgehog.Severity]int{}
	for _, i := range issues {
		counts[i.Severity]++
	}
	var parts []string
	for _, s := range []hedgehog.Severity{hedgehog.Error, hedgehog.Warning, hedgehog.Notice} {
		if counts[s] > 0 {
			parts = append(parts, plural(counts[s], fmt.Sprint(s)))
		}
	}
	return strings.Join(parts, ", ")
}

// heard returns the issues that people are told of: with --quiet no notices.
func heard(issues hedgehog.Issues, quiet bool) hedgehog.Issues {
	if !quiet {
		return issues
	}
	return slices.DeleteFunc(slices.Clone(issues), func(i hedgehog.Issue) bool { return i.Severity == hedgehog.Notice })
}
