package main

import "strings"

type bootstrapView struct {
	FormatVersion string       `json:"format_version"`
	DryRun        bool         `json:"dry_run"`
	Complete      bool         `json:"complete"`
	Actions       []actionView `json:"actions"`
}

type actionView struct {
	Verb   string `json:"verb"`
	Model  string `json:"model"`
	Name   string `json:"name"`
	Detail string `json:"detail"`
}

func (a *app) showBootstrap(r bootstrapResult, f format, quiet bool) error {
	if f == formatJSON {
		view := bootstrapView{jsonVersion, r.DryRun, r.Complete, []actionView{}}
		for _, action := range r.Actions {
			view.Actions = append(view.Actions, actionView(action))
		}
		return a.printJSON(view)
	}
	if quiet {
		return nil
	}
	var rows [][]string
	for _, action := range r.Actions {
		// The application before the dot says nothing to people.
		_, model, _ := strings.Cut(action.Model, ".")
		rows = append(rows, []string{action.Verb, model, action.Name, action.Detail})
	}
	a.printTable(a.stdout, a.outTTY, []string{"", "model", "name", "detail"}, rows)
	switch {
	case !r.Complete:
	case len(rows) == 0:
		a.say("NetBox has everything already: nothing to do")
	case r.DryRun:
		a.say("%s to make; nothing was written", plural(len(rows), "change"))
	default:
		a.say("%s made", plural(len(rows), "change"))
	}
	return nil
}
