package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/fatih/color"

	"hedgehog-gitops/render/hedgehog"
	"hedgehog-gitops/render/netbox"
)

type importView struct {
	planDocument
	Fabric string `json:"fabric"`
	// Result is planned, unchanged (there is nothing to do), applied or failed.
	Result string `json:"result"`
	// Objects is how many the manifests hold; 0 when a saved plan was taken.
	Objects int `json:"objects"`
	// Summary is how many NetBox objects of each model change.
	Summary []modelCountView `json:"summary"`
	// Done is how many of the changes NetBox holds by now: those that --apply made.
	Done int `json:"done"`
	// Plan is null when an issue kept it from being made.
	Plan   *netbox.Plan `json:"plan"`
	Issues []issueView  `json:"issues"`
	// PlanFile and SnapshotFile are what was written, else empty.
	PlanFile     string `json:"plan_file"`
	SnapshotFile string `json:"snapshot_file"`
	// Error says what was broken when the issues do not, else it is empty.
	Error string `json:"error"`
}

type modelCountView struct {
	Model  string `json:"model"`
	Create int    `json:"create"`
	Update int    `json:"update"`
	Delete int    `json:"delete"`
}

func (r importResult) view(a *app) (importView, error) {
	v := importView{
		planDocument: planDocument{FormatVersion: jsonVersion},
		Fabric:       r.Fabric, Result: "failed", Objects: r.Objects, Summary: []modelCountView{},
		Issues: newIssueViews(r.Issues, r.NetBoxURL), Done: r.Done, PlanFile: r.PlanFile, SnapshotFile: r.SnapshotFile,
	}
	if r.Plan == nil {
		return v, nil
	}
	plan := listedPlan(r.Plan)
	var err error
	v.Plan = &plan
	v.Digest, err = planDigest(plan)
	switch {
	case r.Err != nil:
		v.Error = a.redact(r.Err.Error())
	case r.Applied:
		v.Result = "applied"
	case r.Plan.Empty():
		v.Result = "unchanged"
	default:
		v.Result = "planned"
	}
	counts := r.Plan.Count()
	for _, model := range modelsOf(r.Plan) {
		n := counts[model]
		v.Summary = append(v.Summary, modelCountView{model, n[netbox.Create], n[netbox.Update], n[netbox.Delete]})
	}
	return v, err
}

// modelsOf returns the models that a plan changes objects of, as they are in a row in
// NetBox: what others stand on first.
func modelsOf(p *netbox.Plan) []string {
	var models []string
	seen := map[string]bool{}
	for _, c := range p.Changes {
		if !seen[c.Model] {
			seen[c.Model] = true
			models = append(models, c.Model)
		}
	}
	slices.SortFunc(models, func(a, b string) int { return modelRank(a) - modelRank(b) })
	return models
}

func modelRank(model string) int {
	for i, n := range modelNouns() {
		if n.model == model {
			return i
		}
	}
	return len(modelNouns())
}

// modelNoun is what people call the objects of a model.
type modelNoun struct{ model, one, many string }

func modelNouns() []modelNoun {
	return []modelNoun{
		{"dcim.region", "region", "regions"}, {"dcim.sitegroup", "site group", "site groups"},
		{"dcim.site", "site", "sites"}, {"dcim.location", "location", "locations"},
		{"dcim.manufacturer", "manufacturer", "manufacturers"}, {"dcim.devicetype", "device type", "device types"},
		{"dcim.devicerole", "device role", "device roles"}, {"dcim.device", "device", "devices"},
		{"dcim.interface", "interface", "interfaces"}, {"dcim.frontport", "front port", "front ports"},
		{"dcim.rearport", "rear port", "rear ports"}, {"dcim.cable", "cable", "cables"},
		{"dcim.cabletermination", "cable end", "cable ends"},
		{"ipam.asn", "ASN", "ASNs"}, {"ipam.role", "IPAM role", "IPAM roles"},
		{"ipam.vlangroup", "VLAN group", "VLAN groups"}, {"ipam.vlan", "VLAN", "VLANs"},
		{"ipam.routetarget", "route target", "route targets"}, {"ipam.vrf", "VRF", "VRFs"},
		{"ipam.prefix", "prefix", "prefixes"}, {"ipam.iprange", "IP range", "IP ranges"},
		{"ipam.ipaddress", "IP address", "IP addresses"},
		{"circuits.provider", "provider", "providers"}, {"circuits.circuit", "circuit", "circuits"},
		{"circuits.circuittermination", "circuit end", "circuit ends"},
	}
}

// noun returns what people call so many objects of a model.
func noun(model string, n int) string {
	for _, m := range modelNouns() {
		if m.model == model && n == 1 {
			return m.one
		} else if m.model == model {
			return m.many
		}
	}
	return printable(model)
}

// showImport prints the result for machines, and in text what kept a plan from being
// made.
func (a *app) showImport(r importResult, f format, o importOptions) error {
	if f != formatJSON {
		a.printIssues(heard(r.Issues, o.common.quiet), r.NetBoxURL)
		return nil
	}
	view, err := r.view(a)
	if err != nil {
		return err
	}
	return a.printJSON(view)
}

// printPlan tells people the plan: how much changes, then what, then where the
// manifests' data goes. It goes to standard error where standard output carries a
// file.
func (a *app) printPlan(r importResult, o importOptions) error {
	if o.common.quiet {
		return nil
	}
	out := &listing{app: a, out: a.people(), tty: a.outTTY}
	if o.planOut == "-" || o.toSnapshot == "-" {
		out.out, out.tty = a.stderr, a.errTTY
	}
	return printPlan(out, r.Plan, r.Before)
}

// sayImported says in one line how it ended.
func (a *app) sayImported(r importResult, o importOptions) {
	name := a.paint(printable(r.Fabric), color.Bold)
	changes := plural(len(r.Plan.Changes), "change")
	switch {
	case r.Plan.Empty() && r.Saved:
		a.say("%s: nothing to do", name)
	case r.Plan.Empty():
		a.say("%s: nothing to do: NetBox gives these %s already", name, plural(r.Objects, "object"))
	case r.Applied:
		a.say("%s: %s made in NetBox", name, changes)
	default:
		a.say("%s: %s to make; nothing was written to NetBox", name, changes)
	}
	for _, file := range []struct {
		name, what string
		changed    bool
	}{
		{r.PlanFile, "the plan", r.PlanChanged},
		{r.SnapshotFile, "NetBox as it would be", r.SnapshotChanged},
	} {
		switch {
		case file.name == "":
		case file.changed:
			a.say("%s: %s", oneLine(file.name), file.what)
		default:
			a.say("%s: %s, as it was", oneLine(file.name), file.what)
		}
	}
	if r.PlanFile != "" && r.PlanFile != "standard output" && !r.Plan.Empty() && o.snapshot == "" {
		a.say("%s hedgehog-gitops import --plan %s --apply", a.paint("hint:", color.FgCyan), oneLine(r.PlanFile))
	}
}

// detailed is how many changes are told one by one. Of more than that, those that
// create, and when there are too many of them those that update or delete, share a
// line with their like.
const detailed = 40

// printPlan writes a plan. Before is what it was made against; nil when that is not at
// hand: what the plan does not name is called by its number then.
func printPlan(out *listing, p *netbox.Plan, before *netbox.Snapshot) error {
	view := &planListing{listing: out, plan: p, names: newRecordNames(p, before)}
	if !p.Empty() {
		view.summary()
		view.details()
	}
	view.onlyThere()
	view.shares()
	return out.err
}

// planListing lists a plan.
type planListing struct {
	*listing
	plan  *netbox.Plan
	names recordNames
}

// summary counts the changes by model and action.
func (l *planListing) summary() {
	counts := l.plan.Count()
	var rows [][]string
	var columns []string
	for _, action := range planActions() {
		for _, n := range counts {
			if n[action] > 0 && !slices.Contains(columns, action) {
				columns = append(columns, action)
			}
		}
	}
	for _, model := range modelsOf(l.plan) {
		row := []string{noun(model, 2)}
		for _, action := range columns {
			cell := ""
			if n := counts[model][action]; n > 0 {
				cell = l.paint(action+" "+strconv.Itoa(n), actionColor(action))
			}
			row = append(row, cell)
		}
		rows = append(rows, row)
	}
	l.app.printTable(&lines{l.listing}, l.tty, nil, rows)
	l.line("")
}

// lines is a listing as what a table writes to.
type lines struct{ to *listing }

func (w *lines) Write(text []byte) (int, error) {
	if w.to.err == nil {
		_, w.to.err = io.WriteString(w.to.out, w.to.app.redact(string(text)))
	}
	return len(text), w.to.err
}

func planActions() []string { return []string{netbox.Create, netbox.Update, netbox.Delete} }

func actionColor(action string) color.Attribute {
	switch action {
	case netbox.Create:
		return color.FgGreen
	case netbox.Delete:
		return color.FgRed
	}
	return color.FgYellow
}

func (l *planListing) actionSign(action string) string {
	sign := map[string]string{netbox.Create: "+", netbox.Update: "~", netbox.Delete: "-"}[action]
	if sign == "" {
		sign = "?"
	}
	return l.paint(sign, actionColor(action))
}

// details lists the changes: what goes, what comes, what is changed.
func (l *planListing) details() {
	shown := l.told()
	few := len(shown) <= detailed
	for _, action := range []string{netbox.Delete, netbox.Create, netbox.Update} {
		var these []netbox.Change
		for _, c := range shown {
			if c.Action == action {
				these = append(these, c)
			}
		}
		if few || action != netbox.Create && len(these) <= detailed {
			for _, c := range these {
				l.change(c)
			}
		} else {
			l.grouped(these)
		}
	}
	if !few {
		l.line("  (each change with its manifest: --json, or --plan-out FILE)")
	}
	l.line("")
}

// told returns the changes without those that another one says: the ends of a cable
// come and go with it, and the interfaces of a device go with it.
func (l *planListing) told() []netbox.Change {
	whole, gone := map[string]bool{}, map[netbox.ID]bool{}
	for _, c := range l.plan.Changes {
		switch {
		case c.Model == "dcim.cable" && c.Action != netbox.Update:
			whole[c.Action+" "+idText(c.ID)] = true
		case c.Model == "dcim.device" && c.Action == netbox.Delete:
			gone[c.ID] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(l.plan.Changes), func(c netbox.Change) bool {
		fields := c.After
		if c.Action == netbox.Delete {
			fields = c.Before
		}
		if c.Model == "dcim.interface" && c.Action == netbox.Delete && gone[idOf(fields["device"])] {
			return true
		}
		return c.Model == "dcim.cabletermination" && whole[c.Action+" "+idText(idOf(fields["cable"]))]
	})
}

// change tells one change with its fields and where its manifest is.
func (l *planListing) change(c netbox.Change) {
	l.line("%s %s %s", l.actionSign(c.Action), noun(c.Model, 1), shortText(c.Name))
	for _, f := range l.names.fields(c) {
		l.line("    %s: %s", f.name, f.text)
	}
	const most = 3
	var causes []string
	for i, cause := range c.For {
		if i == most {
			causes = append(causes, fmt.Sprintf("%d more", len(c.For)-most))
			break
		}
		text := string(cause.Kind) + "/" + cause.Name
		if cause.Origin != "" {
			text += " (" + cause.Origin + ")"
		}
		causes = append(causes, shortText(text))
	}
	if len(causes) > 0 {
		l.line("    %s", l.paint("for "+strings.Join(causes, ", "), color.Faint))
	}
}

// grouped tells changes of one action, those of one model, and in an update of the
// same fields, on one line.
func (l *planListing) grouped(changes []netbox.Change) {
	type group struct{ model, fields string }
	var order []group
	members := map[group][]string{}
	for _, c := range changes {
		g := group{model: c.Model}
		if c.Action == netbox.Update {
			g.fields = strings.Join(fieldNames(c), ", ")
		}
		if members[g] == nil {
			order = append(order, g)
		}
		members[g] = append(members[g], shortText(c.Name))
	}
	slices.SortStableFunc(order, func(a, b group) int { return modelRank(a.model) - modelRank(b.model) })
	for _, g := range order {
		names := members[g]
		head := fmt.Sprintf("%d %s", len(names), noun(g.model, len(names)))
		if g.fields != "" {
			head += " (" + shortText(g.fields) + ")"
		}
		l.line("%s %s: %s", l.actionSign(changes[0].Action), head, fitting(names, l.app.width-len(head)-4))
	}
}

// fitting joins as many names as fit into the width, one at least, and counts the
// others.
func fitting(names []string, width int) string {
	text := ""
	for i, name := range names {
		next := name
		if i > 0 {
			next = text + ", " + name
		}
		rest := ""
		if i < len(names)-1 {
			rest = fmt.Sprintf(" and %d more", len(names)-1-i)
		}
		if i > 0 && len([]rune(next))+len(rest) > width {
			return text + fmt.Sprintf(" and %d more", len(names)-i)
		}
		text = next
	}
	return text
}

// onlyThere lists what only NetBox has.
func (l *planListing) onlyThere() {
	only := l.plan.OnlyInNetBox
	if len(only) == 0 {
		return
	}
	l.line("only in NetBox, left as they are (--prune deletes them, --prune-devices devices too):")
	if len(only) <= detailed {
		var rows [][]string
		for _, o := range only {
			rows = append(rows, []string{shortText(string(o.Kind) + "/" + o.Name), shortText(o.Origin)})
		}
		l.app.printTable(&lines{l.listing}, l.tty, nil, rows)
	} else {
		byKind := map[hedgehog.Kind][]string{}
		var kinds []hedgehog.Kind
		for _, o := range only {
			if byKind[o.Kind] == nil {
				kinds = append(kinds, o.Kind)
			}
			byKind[o.Kind] = append(byKind[o.Kind], shortText(o.Name))
		}
		for _, kind := range kinds {
			head := fmt.Sprintf("%d %s", len(byKind[kind]), shortText(string(kind)))
			l.line("  %s: %s", head, fitting(byKind[kind], l.app.width-len(head)-5))
		}
	}
	l.line("")
}

// shares says where the data of the manifests stands in NetBox.
func (l *planListing) shares() {
	s := l.plan.Shares
	total := s.Native + s.CustomFields + s.Spec + s.Objects
	if total == 0 {
		return
	}
	parts := []string{
		"native " + percent(s.Native, total), "custom fields " + percent(s.CustomFields, total), "hedgehog_spec " + percent(s.Spec, total),
	}
	if s.Objects > 0 {
		parts = append(parts, "hedgehog_objects "+percent(s.Objects, total))
	}
	l.line("%s", strings.Join(parts, ", "))
}

// percent returns the share as people read it; what is little is not nothing, and what
// is not all is not 100.
func percent(n, total int) string {
	switch p := (200*n + total) / (2 * total); {
	case n > 0 && p == 0:
		return "under 1 %"
	case n < total && p == 100:
		return "over 99 %"
	default:
		return strconv.Itoa(p) + " %"
	}
}

// longestShown is how many characters of a name or value are shown in a plan.
const longestShown = 200

// shortText returns the text as one printable line that is not long.
func shortText(text string) string {
	line := oneLine(text)
	if runes := []rune(line); len(runes) > longestShown {
		line = string(runes[:longestShown]) + "..."
	}
	return line
}

// compactJSON returns a value as one line of JSON.
func compactJSON(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return string(text)
}
