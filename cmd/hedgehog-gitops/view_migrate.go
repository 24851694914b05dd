package main

type migrateView struct {
	FormatVersion string `json:"format_version"`
	DryRun        bool   `json:"dry_run"`
	// Fabrics are those whose roots were built before and after.
	Fabrics []migratedFabricView `json:"fabrics"`
	Changes []changeView         `json:"changes"`
	Issues  []issueView          `json:"issues"`
}

type migratedFabricView struct {
	Name string `json:"name"`
	// Roots and Objects are how many were the same.
	Roots   int `json:"roots"`
	Objects int `json:"objects"`
}

func (r migrateResult) view() migrateView {
	v := migrateView{
		FormatVersion: jsonVersion, DryRun: r.DryRun,
		Fabrics: []migratedFabricView{}, Changes: []changeView{}, Issues: newIssueViews(r.Issues, ""),
	}
	for _, f := range r.Fabrics {
		v.Fabrics = append(v.Fabrics, migratedFabricView(f))
	}
	for _, c := range r.Changes {
		v.Changes = append(v.Changes, changeView{Change: c.Op.String(), Path: c.Path})
	}
	return v
}

func (a *app) showMigrate(r migrateResult, f format, quiet bool) error {
	if f == formatJSON {
		return a.printJSON(r.view())
	}
	a.printIssues(heard(r.Issues, quiet), "")
	if quiet {
		return nil
	}
	for _, fabric := range r.Fabrics {
		if fabric.Roots > 0 {
			a.say("%s: %s, %s: the same before and after", printable(fabric.Name), plural(fabric.Roots, "root"), plural(fabric.Objects, "object"))
		}
	}
	if len(r.Changes) == 0 {
		a.say("%s: nothing to do", r.Dir)
		return nil
	}
	did := "written: one commit"
	if r.DryRun {
		did = "would be written"
	}
	a.say("%s: %s %s", r.Dir, plural(len(r.Changes), "file"), did)
	var rows [][]string
	for _, c := range r.Changes {
		rows = append(rows, []string{a.paintOp(c.Op, c.Op.String()), c.Path})
	}
	a.printTable(a.stderr, a.errTTY, nil, rows)
	return nil
}
