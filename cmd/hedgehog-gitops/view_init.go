package main

import "github.com/fatih/color"

type initView struct {
	FormatVersion string `json:"format_version"`
	// Files are all that init is about, those too that it left.
	Files  []initFileView `json:"files"`
	Issues []issueView    `json:"issues"`
}

type initFileView struct {
	Path string `json:"path"`
	// Result is written, changed (something was added), unchanged or kept (it says
	// something else, and was left).
	Result string `json:"result"`
}

func (r initResult) view() initView {
	v := initView{FormatVersion: jsonVersion, Files: []initFileView{}, Issues: newIssueViews(r.Issues, "")}
	for _, f := range r.Files {
		v.Files = append(v.Files, initFileView{f.Path, string(f.Result)})
	}
	return v
}

func (a *app) showInit(r initResult, f format, quiet bool) error {
	if f == formatJSON {
		return a.printJSON(r.view())
	}
	a.printIssues(heard(r.Issues, quiet), "")
	if quiet {
		return nil
	}
	var rows [][]string
	for _, file := range r.Files {
		switch file.Result {
		case initWritten:
			rows = append(rows, []string{a.paint(string(file.Result), color.FgGreen), file.Path})
		case initChanged:
			rows = append(rows, []string{a.paint(string(file.Result), color.FgYellow), file.Path})
		}
	}
	if len(rows) == 0 {
		a.say("%s: nothing to do", r.Dir)
		return nil
	}
	a.say("%s: %s written; README.md says what comes next", r.Dir, plural(len(rows), "file"))
	a.printTable(a.stderr, a.errTTY, nil, rows)
	return nil
}
