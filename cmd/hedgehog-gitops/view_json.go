package main

import "encoding/json"

// jsonVersion is the version of everything that --json prints. It goes up when
// something is taken away or changes its meaning, not when something is added.
const jsonVersion = "1"

// printJSON writes the view of a result to stdout. No list in it is null.
func (a *app) printJSON(view any) error {
	e := json.NewEncoder(a.stdout)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(view)
}
