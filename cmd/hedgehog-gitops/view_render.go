package main

import (
	"cmp"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/fatih/color"

	"hedgehog-gitops/render"
	"hedgehog-gitops/render/hedgehog"
	"hedgehog-gitops/render/tree"
)

type renderView struct {
	FormatVersion string `json:"format_version"`
	// Issues are about NetBox as a whole; an error among them fails every fabric.
	Issues  []issueView  `json:"issues"`
	Fabrics []fabricView `json:"fabrics"`
}

type fabricView struct {
	Name string `json:"name"`
	// Result is rendered, unchanged (rendered, and nothing had to be written) or
	// failed.
	Result  string       `json:"result"`
	Objects int          `json:"objects"`
	Changes []changeView `json:"changes"`
	Issues  []issueView  `json:"issues"`
	// Error says what was broken when the issues do not, else it is empty.
	Error string `json:"error"`
}

type changeView struct {
	Change string `json:"change"`
	Path   string `json:"path"`
	// Object is null for files that are not one object, such as kustomizations.
	Object *objectView `json:"object"`
}

func (r renderResult) view(a *app) renderView {
	v := renderView{FormatVersion: jsonVersion, Issues: newIssueViews(r.Issues, r.NetBoxURL), Fabrics: []fabricView{}}
	for _, f := range r.Fabrics {
		view := fabricView{
			Name: f.Name, Result: "rendered", Objects: f.Objects,
			Changes: []changeView{}, Issues: newIssueViews(f.Issues, r.NetBoxURL),
		}
		switch {
		case !f.Rendered:
			view.Result = "failed"
		case len(f.Changes) == 0 && !f.StreamChanged:
			view.Result = "unchanged"
		}
		if f.Err != nil {
			view.Error = a.redact(f.Err.Error())
		}
		for _, c := range f.Changes {
			cv := changeView{Change: c.Op.String(), Path: path.Join(r.Root, c.Path)}
			if key, ok := objectOf(c.Path); ok {
				cv.Object = &objectView{string(key.Kind), key.Name}
			}
			view.Changes = append(view.Changes, cv)
		}
		v.Fabrics = append(v.Fabrics, view)
	}
	return v
}

// objectOf returns the object whose file this is: .../<plural kind>/<name>.yaml.
func objectOf(file string) (key hedgehog.Key, ok bool) {
	folder := path.Base(path.Dir(file))
	name, ok := strings.CutSuffix(path.Base(file), ".yaml")
	if !ok {
		return hedgehog.Key{}, false
	}
	for _, kind := range hedgehog.Kinds() {
		if kind.Plural() == folder {
			return hedgehog.Key{Kind: kind, Name: name}, true
		}
	}
	return hedgehog.Key{}, false
}

func (a *app) showRender(r renderResult, f format, quiet bool) error {
	if f == formatJSON {
		return a.printJSON(r.view(a))
	}
	a.printIssues(heard(r.Issues, quiet), r.NetBoxURL)
	for _, fabric := range r.Fabrics {
		a.printFabric(r, fabric, quiet)
	}
	return nil
}

// printFabric tells people what became of a fabric.
func (a *app) printFabric(r renderResult, f fabricResult, quiet bool) {
	a.printIssues(heard(f.Issues, quiet), r.NetBoxURL)
	if f.Err != nil {
		a.printError(f.Err)
	}
	if quiet {
		return
	}
	name := a.paint(f.Name, color.Bold)
	tail := ""
	if counts := countIssues(f.Issues); counts != "" {
		tail = "; " + counts
	}
	switch {
	case !f.Rendered:
		a.say("%s: not rendered%s", name, tail)
	case f.Stream && !f.StreamChanged:
		a.say("%s: %s, nothing to do: %s is up to date%s", name, plural(f.Objects, "object"), r.Output, tail)
	case f.Stream:
		a.say("%s: %s written to %s%s", name, plural(f.Objects, "object"), r.Output, tail)
	case r.Output == "-":
		a.say("%s: %s%s", name, plural(f.Objects, "object"), tail)
	case len(f.Changes) == 0:
		a.say("%s: %s, nothing to do%s", name, plural(f.Objects, "object"), tail)
	default:
		a.say("%s: %s, %s written%s", name, plural(f.Objects, "object"), plural(len(f.Changes), "file"), tail)
		a.printChanges(r, f.Changes)
	}
}

// fewChanges is how many files are named one by one.
const fewChanges = 12

// printChanges lists the changes when they are few, else counts them by kind.
func (a *app) printChanges(r renderResult, changes []tree.Change) {
	var rows [][]string
	if len(changes) <= fewChanges {
		for _, c := range changes {
			rows = append(rows, []string{a.paintOp(c.Op, c.Op.String()), path.Join(r.Root, c.Path)})
		}
		a.printTable(a.stderr, a.errTTY, nil, rows)
		return
	}
	counts := map[string]*[3]int{}
	var kinds []string
	for _, c := range changes {
		kind := fileKind(c.Path)
		if counts[kind] == nil {
			counts[kind] = &[3]int{}
			kinds = append(kinds, kind)
		}
		counts[kind][c.Op]++
	}
	slices.SortFunc(kinds, func(x, y string) int {
		return cmp.Or(cmp.Compare(kindRank(x), kindRank(y)), cmp.Compare(x, y))
	})
	for _, kind := range kinds {
		row := []string{}
		for _, op := range []tree.Op{tree.Added, tree.Changed, tree.Removed} {
			cell := ""
			if n := counts[kind][op]; n > 0 {
				cell = a.paintOp(op, op.String()+" "+strconv.Itoa(n))
			}
			row = append(row, cell)
		}
		rows = append(rows, append([]string{kind}, row...))
	}
	a.printTable(a.stderr, a.errTTY, nil, rows)
}

func (a *app) paintOp(op tree.Op, text string) string {
	switch op {
	case tree.Added:
		return a.paint(text, color.FgGreen)
	case tree.Removed:
		return a.paint(text, color.FgRed)
	default:
		return a.paint(text, color.FgYellow)
	}
}

// fileKind is the kind of object in the file, or what else the file is.
func fileKind(file string) string {
	if key, ok := objectOf(file); ok {
		return string(key.Kind)
	}
	switch name := path.Base(file); name {
	case render.LockName:
		return "lock"
	case "kustomization.yaml":
		return "kustomization"
	default:
		return path.Base(path.Dir(file))
	}
}

// kindRank orders kinds as a cluster creates them, other files last.
func kindRank(kind string) int {
	if i := slices.Index(hedgehog.Kinds(), hedgehog.Kind(kind)); i >= 0 {
		return i
	}
	return len(hedgehog.Kinds())
}
