package main

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/fatih/color"

	"hedgehog-gitops/render/hedgehog"
)

type rulesView struct {
	FormatVersion string     `json:"format_version"`
	Rules         []ruleView `json:"rules"`
}

type ruleView struct {
	ID string `json:"id"`
	// Severity is error, warning or notice.
	Severity string `json:"severity"`
	Summary  string `json:"summary"`
	Hint     string `json:"hint"`
	// Fields are kinds with paths in them.
	Fields []string `json:"fields"`
}

type explanationView struct {
	FormatVersion string `json:"format_version"`
	ruleView
	Why string `json:"why"`
	// FabricVersion, Gateway and Target are what the examples are judged with.
	FabricVersion string `json:"fabric_version"`
	Gateway       bool   `json:"gateway"`
	Target        string `json:"target"`
	// Before, Fails and Passes are YAML; Before is empty where no update is judged.
	Before string `json:"before"`
	Fails  string `json:"fails"`
	Passes string `json:"passes"`
}

func newRuleView(r hedgehog.Rule) ruleView {
	return ruleView{ID: r.ID, Severity: r.Severity.String(), Summary: r.Summary, Hint: r.Hint, Fields: append([]string{}, r.Fields...)}
}

func (a *app) showRules(rules []hedgehog.Rule, f format) error {
	if f == formatJSON {
		v := rulesView{FormatVersion: jsonVersion, Rules: []ruleView{}}
		for _, r := range rules {
			v.Rules = append(v.Rules, newRuleView(r))
		}
		return a.printJSON(v)
	}
	table := tabwriter.NewWriter(a.people(), 0, 0, 2, ' ', 0)
	for _, r := range rules {
		fmt.Fprintf(table, "%s\t%s\t%s\n", r.ID, r.Severity, r.Summary)
	}
	return table.Flush()
}

func (a *app) showExplanation(e hedgehog.Explanation, f format) error {
	if f == formatJSON {
		v := explanationView{
			FormatVersion: jsonVersion, ruleView: newRuleView(e.Rule), Why: e.Why,
			FabricVersion: e.Version, Gateway: e.Gateway, Target: string(e.Target),
			Fails: e.Fails.Manifests, Passes: e.Passes.Manifests,
		}
		if e.Before != nil {
			v.Before = e.Before.Manifests
		}
		return a.printJSON(v)
	}
	out := &listing{app: a, out: a.people(), tty: a.outTTY}
	out.line("%s (%s)", out.paint(e.Rule.ID, color.Bold), e.Rule.Severity)
	out.line("")
	out.line("what  %s", e.Rule.Summary)
	out.line("why   %s", e.Why)
	out.line("do    %s", e.Rule.Hint)
	for i, field := range e.Rule.Fields {
		label := "     "
		if i == 0 {
			label = "where"
		}
		out.line("%s %s", label, field)
	}
	if with := exampleSettings(e); with != "" {
		out.line("with  %s", with)
	}
	if e.Before != nil {
		out.example("before", *e.Before, color.Bold)
	}
	out.example("fails", e.Fails, color.FgRed, color.Bold)
	out.example("passes", e.Passes, color.FgGreen, color.Bold)
	return out.err
}

// exampleSettings says what is not as usual in the settings of an example.
func exampleSettings(e hedgehog.Explanation) string {
	var parts []string
	usual := hedgehog.DefaultSettings()
	if e.Version != usual.FabricVersion {
		parts = append(parts, "fabricVersion: "+e.Version)
	}
	if !e.Gateway {
		parts = append(parts, "gateway: false")
	}
	if e.Target != usual.Target {
		parts = append(parts, "--target "+string(e.Target))
	}
	return strings.Join(parts, ", ")
}

func (l *listing) example(word string, e hedgehog.Example, attributes ...color.Attribute) {
	l.line("")
	l.line("%s", l.paint(word+":", attributes...))
	for line := range strings.Lines(e.Excerpt) {
		l.line("    %s", strings.TrimRight(line, "\n"))
	}
}
