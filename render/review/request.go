package review

import (
	"cmp"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"hedgehog-gitops/render/hedgehog"
)

// Request is all that the texts of a pull request are made of.
type Request struct {
	// Fabric is the name of the fabric.
	Fabric  string
	Changes Changes
	// Tool is who writes the files: "hedgehog-gitops 1.2.0".
	Tool string
	// ToolOnly is whether nobody changed anything in NetBox: a new version of the
	// tool writes the same intent otherwise.
	ToolOnly bool
	// Asked are the changes in NetBox that led to this; nil when nobody looked.
	Asked []Asked
	// Issues are what is wrong or worth knowing. Notices are counted only.
	Issues hedgehog.Issues
	// Held are objects that NetBox wants and that the files leave out, because
	// people took them out.
	Held  []Held
	Merge Merge
	Step  Step
	Links Links
}

// Asked is an entry of NetBox's change log.
type Asked struct {
	User string
	Time time.Time
	// Message is what the user wrote about the change, often nothing.
	Message string
	// Action is created, updated or deleted.
	Action string
	// Object is what NetBox calls the object: "VLAN web (1010)".
	Object string
	// ObjectURL is where to look at it, or at the entry: with scheme and host, or a
	// path in NetBox.
	ObjectURL string
}

// Held is an object that NetBox wants and the files leave out.
type Held struct {
	Key hedgehog.Key
	// File is the path where it would be.
	File string
}

// Merge is what happens when the pull request is merged.
type Merge struct {
	// StageOf returns the stage of an object. The names of stages are in the order
	// in which the cluster gets them. Nil when the stages are not known.
	StageOf func(*hedgehog.Object) string
	Pruning Pruning
}

// Pruning is whether what is deleted in Git is deleted in the cluster.
type Pruning int

// What is known of pruning.
const (
	PruningUnknown Pruning = iota
	PruningOn
	PruningOff
)

// Links are where texts lead to. All may be empty.
type Links struct {
	// NetBox is the address of NetBox.
	NetBox string
	// Files is what the path of a file is appended to, for its page on the forge.
	Files string
	// Report is where the whole report is, ReportName what people call it.
	Report, ReportName string
}

func (r Request) toolName() string { return cmp.Or(r.Tool, "hedgehog-gitops") }

// Body returns the text of the pull request as Markdown, of at most so many bytes,
// and so of at most so many characters. What does not fit is counted, and the
// report is named. A limit of 0 or less is none.
func (r Request) Body(limit int) string {
	return fit(r.sections(true), limit)
}

// summaryLimit is a good deal below the megabyte at which GitHub drops a job's
// summary as a whole.
const summaryLimit = 1<<20 - 1<<16

// StepSummary returns the text for the summary page of a CI job: like Body, of less
// than a megabyte.
func (r Request) StepSummary() string {
	return fit(r.sections(true), summaryLimit)
}

// Report returns the whole text, with nothing left out.
func (r Request) Report() string {
	return fit(r.sections(false), 0)
}

// The sections in the order in which they stand are those of this list; in the
// order in which they get their place, by rank.
func (r Request) sections(brief bool) []section {
	sections := []section{
		r.stepSection(),
		r.summarySection(),
		{},
		r.askedSection(brief),
		r.pictureSection(),
		r.diffSection(brief),
		r.heldSection(brief),
		r.issueSection(brief),
		r.mergeSection(),
		r.noteSection(),
	}
	used := 0
	for _, s := range sections[:2] {
		used += strings.Count(s.text(), "\n") + 1
	}
	sections[2] = r.hazardSection(brief, firstLines-used)
	return sections
}

// firstLines is how many lines people see without turning a page, but for those
// that a forge's caller puts before the text. All hazards stand there.
const firstLines = 40 - 4

// objectName is a name that may stand in a command.
var objectName = regexp.MustCompile(`^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$`)

// kubectl returns commands for the objects, one for each kind, in at most so many
// lines. Objects whose kind or name is none are left out.
func kubectl(verb string, keys []hedgehog.Key, mostLines int) []string {
	const most = 20 // objects in a line
	verb, flags, _ := strings.Cut(verb, " ")
	byKind := map[hedgehog.Kind][]string{}
	for _, key := range keys {
		if key.Kind.Known() && objectName.MatchString(key.Name) {
			byKind[key.Kind] = append(byKind[key.Kind], key.Name)
		}
	}
	kinds := hedgehog.Kinds()
	if verb == "delete" { // what refers to others goes first, or the cluster refuses
		slices.Reverse(kinds)
	}
	var lines []string
	for _, kind := range kinds {
		for list := range slices.Chunk(byKind[kind], most) {
			group, _, _ := strings.Cut(kind.APIVersion(), "/")
			line := "kubectl " + verb + " -n " + hedgehog.Namespace + " " + kind.Plural() + "." + group + " " + strings.Join(list, " ")
			if flags != "" {
				line += " " + flags
			}
			if lines = append(lines, line); len(lines) == mostLines {
				return lines
			}
		}
	}
	return lines
}

// summarySection says in a sentence what happens, and how much of it.
func (r Request) summarySection() section {
	s := section{rank: 1, whole: true}
	of := "Fabric " + Code(r.Fabric)
	if r.ToolOnly {
		s.add(of + ": **no intent change.** Nobody changed anything in NetBox; " + Plain(r.toolName()) + " writes the same intent otherwise.\n")
	} else if phrases := r.Changes.phrases(); len(phrases) > 0 {
		const most = 8
		if len(phrases) > most {
			phrases = append(phrases[:most:most], say(number(len(phrases)-most)+" more"))
		}
		s.add(of + ": " + and(phrases, ", ").markdown() + ".\n")
	}
	counts := r.Changes.Counts()
	if len(counts) == 0 {
		if len(s.blocks) > 0 {
			s.add("\n")
		}
		s.add(of + ": no object in the cluster changes.\n")
		return s
	}
	verb := " change"
	if r.Changes.Len() == 1 {
		verb = " changes"
	}
	s.add("\n" + count(r.Changes.Len(), "object") + verb + ", the highest risk is **" + r.Changes.Risk().String() + "**.\n")
	s.add("\n| class | objects | risk | which |\n|---|---:|---|---|\n")
	for _, n := range counts {
		s.add("| " + n.Class.String() + " | " + number(n.Objects) + " | " + n.Risk.String() + " | " + kindCounts(n.Kinds) + " |\n")
	}
	return s
}

// hazardSection lists the hazards within so many lines: of a rule with many, one
// line.
func (r Request) hazardSection(brief bool, lines int) section {
	s := section{rank: 2}
	hazards := r.Changes.Hazards
	if len(hazards) == 0 {
		return s
	}
	s.heading = "### Look at these first\n\n"
	if !brief {
		for _, h := range hazards {
			s.add(hazardLine(h))
		}
		return s
	}
	s.more = func(left int) string {
		return "- and " + number(left) + " more lines of this kind" + r.inReport() + "\n"
	}
	for _, line := range hazardLines(hazards, max(lines-4, 6)) {
		s.add(line)
	}
	return s
}

func hazardLine(h Hazard) string {
	return "- **" + h.Risk.String() + "**: " + h.Says.markdown() + "\n"
}

// hazardLines returns the hazards in at most so many lines, the worst first.
func hazardLines(hazards []Hazard, most int) []string {
	type group struct {
		risk    Level
		hazards []Hazard
		one     bool // told in one line
	}
	byRule := map[string]*group{}
	var groups []*group
	for _, h := range hazards {
		g := byRule[h.Rule]
		if g == nil {
			g = &group{risk: h.Risk}
			byRule[h.Rule] = g
			groups = append(groups, g)
		}
		g.hazards = append(g.hazards, h)
	}
	lines := len(hazards)
	for _, g := range slices.SortedStableFunc(slices.Values(groups), func(a, b *group) int { return cmp.Compare(len(b.hazards), len(a.hazards)) }) {
		if lines <= most || len(g.hazards) == 1 {
			break
		}
		g.one = true
		lines -= len(g.hazards) - 1
	}
	room := max(300, 12000/len(groups)) // characters for the names in a line
	var text []string
	for i, g := range groups {
		if len(text) >= most-1 && len(groups)-i > 1 {
			var rest []string
			for _, other := range groups[i:] {
				rest = append(rest, number(len(other.hazards))+" "+other.hazards[0].many)
			}
			return append(text, "- **"+g.risk.String()+"**: "+strings.Join(rest[:min(10, len(rest))], "; ")+"\n")
		}
		if !g.one {
			for _, h := range g.hazards {
				text = append(text, hazardLine(h))
			}
			continue
		}
		var subjects []string
		length := 0
		for _, h := range g.hazards {
			subject := h.subject.markdown()
			if length += len(subject) + 2; length > room {
				break
			}
			subjects = append(subjects, subject)
		}
		line := "- **" + g.risk.String() + "**: " + number(len(g.hazards)) + " " + g.hazards[0].many + ": " + strings.Join(subjects, ", ")
		if left := len(g.hazards) - len(subjects); left > 0 {
			line += " and " + number(left) + " more"
		}
		text = append(text, line+"\n")
	}
	return text
}

// inReport says where what is left out stands.
func (r Request) inReport() string {
	switch {
	case r.Links.Report != "":
		return " in " + linked(Plain(cmp.Or(r.Links.ReportName, "the full report")), r.Links.Report)
	case r.Links.ReportName != "":
		return " in " + Plain(r.Links.ReportName)
	}
	return " in the full report"
}

// askedGroup are entries of one user with one message.
type askedGroup struct {
	user, message string
	last          time.Time
	entries       []Asked
}

// groupAsked returns the entries by user and message, the newest group first.
func groupAsked(asked []Asked) []*askedGroup {
	byKey := map[[2]string]*askedGroup{}
	var groups []*askedGroup
	for _, a := range asked {
		key := [2]string{a.User, a.Message}
		g := byKey[key]
		if g == nil {
			g = &askedGroup{user: cmp.Or(a.User, "somebody"), message: a.Message}
			byKey[key] = g
			groups = append(groups, g)
		}
		g.entries = append(g.entries, a)
		if a.Time.After(g.last) {
			g.last = a.Time
		}
	}
	slices.SortStableFunc(groups, func(a, b *askedGroup) int {
		return cmp.Or(b.last.Compare(a.last), cmp.Compare(a.user, b.user), cmp.Compare(a.message, b.message))
	})
	return groups
}

// askedSection says who asked for the change in NetBox.
func (r Request) askedSection(brief bool) section {
	s := section{rank: 4}
	if r.Asked == nil {
		return s
	}
	s.heading = "### Who asked for it in NetBox\n\n"
	if len(r.Asked) == 0 {
		s.add("NetBox's change log names nobody for these objects.\n")
		return s
	}
	s.more = func(left int) string { return "- and " + number(left) + " more" + r.inReport() + "\n" }
	most, mostEntries := 20, 6
	if !brief {
		most, mostEntries = len(r.Asked), len(r.Asked)
	}
	groups := groupAsked(r.Asked)
	for _, g := range groups[:min(most, len(groups))] {
		line := "- " + Code(g.user)
		if !g.last.IsZero() {
			line += ", " + g.last.UTC().Format("2006-01-02 15:04") + " UTC"
		}
		if g.message != "" {
			line += ", \"" + Plain(g.message) + "\""
		}
		var what []string
		for _, a := range g.entries[:min(mostEntries, len(g.entries))] {
			text := linked(Code(cmp.Or(a.Object, "object")), r.netbox(a.ObjectURL))
			if a.Action != "" {
				text = Plain(a.Action) + " " + text
			}
			what = append(what, text)
		}
		if left := len(g.entries) - len(what); left > 0 {
			what = append(what, number(left)+" more")
		}
		s.add(line + ": " + strings.Join(what, ", ") + "\n")
	}
	if left := len(groups) - most; left > 0 {
		s.add(s.more(left))
	}
	return s
}

// netbox returns the web address of something in NetBox, by its path or its
// address.
func (r Request) netbox(address string) string {
	if strings.HasPrefix(address, "/") && r.Links.NetBox != "" {
		return strings.TrimSuffix(r.Links.NetBox, "/") + address
	}
	return address
}

// origin returns a link to where an object came from; empty where there is no
// address.
func (r Request) origin(o hedgehog.Origin) string {
	switch {
	case o.Path != "" && r.Links.NetBox != "":
		return linked("NetBox", r.netbox(o.Path))
	case o.Path != "":
		return Code(o.Path)
	case o.File != "" && o.File != "-" && r.Links.Files != "":
		steps := strings.Split(path.Clean(o.File), "/")
		for i := range steps {
			steps[i] = url.PathEscape(steps[i])
		}
		return linked(Code(o.String()), strings.TrimSuffix(r.Links.Files, "/")+"/"+strings.Join(steps, "/"))
	case o.File != "" && o.File != "-":
		return Code(o.String())
	}
	return ""
}

// heldSection says what NetBox wants and people took out of Git.
func (r Request) heldSection(brief bool) section {
	s := section{rank: 3}
	if len(r.Held) == 0 {
		return s
	}
	s.heading = "### NetBox wants more than this\n\nPeople took " + count(len(r.Held), "object") + " out of Git, and out it stays until the record in NetBox changes or the tool runs with `--overwrite`:\n\n"
	s.more = func(left int) string { return "- and " + number(left) + " more" + r.inReport() + "\n" }
	most := 10
	if !brief {
		most = len(r.Held)
	}
	for _, h := range r.Held[:min(most, len(r.Held))] {
		line := "- " + Code(h.File)
		if h.Key != (hedgehog.Key{}) {
			line = "- " + object(h.Key).markdown()
			if h.File != "" {
				line += ", " + Code(h.File)
			}
		}
		s.add(line + "\n")
	}
	if left := len(r.Held) - most; left > 0 {
		s.add(s.more(left))
	}
	return s
}

// issueSection lists warnings, and errors where there are some.
func (r Request) issueSection(brief bool) section {
	s := section{rank: 5}
	issues := slices.Clone(r.Issues)
	issues.Sort()
	counts := map[hedgehog.Severity]int{}
	for _, i := range issues {
		counts[i.Severity]++
	}
	issues = slices.DeleteFunc(issues, func(i hedgehog.Issue) bool { return i.Severity == hedgehog.Notice && brief })
	if len(issues) == 0 {
		return s
	}
	var parts []string
	for _, severity := range []hedgehog.Severity{hedgehog.Error, hedgehog.Warning, hedgehog.Notice} {
		if counts[severity] > 0 {
			parts = append(parts, count(counts[severity], severity.String()))
		}
	}
	s.heading = "### Warnings\n\n" + strings.Join(parts, ", ") + ":\n\n"
	s.more = func(left int) string { return "- and " + number(left) + " more" + r.inReport() + "\n" }
	most := 20
	if !brief {
		most = len(issues)
	}
	for _, i := range issues[:min(most, len(issues))] {
		line := "- **" + i.Severity.String() + "**: "
		if i.Object != (hedgehog.Key{}) {
			line += object(i.Object).markdown() + ": "
		}
		line += Plain(i.Summary)
		if at := r.origin(i.Origin); at != "" {
			line += " (" + at + ")"
		}
		if i.Hint != "" {
			line += ". Hint: " + Plain(i.Hint)
		}
		s.add(line + "\n")
	}
	if left := len(issues) - most; left > 0 {
		s.add(s.more(left))
	}
	return s
}

// mergeSection says what happens on merge.
func (r Request) mergeSection() section {
	s := section{rank: 3, whole: true}
	s.heading = "### What happens on merge\n\n"
	s.add(r.stageText())
	deleted := 0
	var gone []hedgehog.Key
	for i := range r.Changes.Objects {
		if c := &r.Changes.Objects[i]; c.Class == Delete {
			deleted++
			gone = append(gone, c.Key)
		}
	}
	if deleted == 0 {
		return s
	}
	what := count(deleted, "object")
	switch r.Merge.Pruning {
	case PruningOn:
		s.add("\nPruning is on: " + what + does(deleted, "leaves", "leave") + " the cluster, those that others refer to last.\n")
	case PruningOff:
		s.add("\nPruning is off: " + what + does(deleted, "stays", "stay") + " in the cluster until somebody deletes " + pronoun(deleted) + ":\n")
		if lines := kubectl("delete", gone, 6); len(lines) > 0 {
			s.add("\n" + fenced("sh", lines))
		}
	default:
		s.add("\nWhether " + what + does(deleted, "leaves", "leave") + " the cluster depends on pruning, which is a setting of Argo CD and Flux.\n")
	}
	return s
}

func pronoun(n int) string {
	if n == 1 {
		return "it"
	}
	return "them"
}

// stageText lists the stages in the order in which the cluster gets them.
func (r Request) stageText() string {
	if r.Changes.Len() == 0 {
		return "The cluster gets what it has.\n"
	}
	if r.Merge.StageOf == nil {
		return "Argo CD or Flux applies the files from the base branch: a merge reaches the switches within minutes.\n"
	}
	counts := map[string]map[Class]int{}
	for i := range r.Changes.Objects {
		c := &r.Changes.Objects[i]
		o := c.After
		if o == nil {
			o = c.Before
		}
		stage := r.Merge.StageOf(o)
		if counts[stage] == nil {
			counts[stage] = map[Class]int{}
		}
		counts[stage][c.Class]++
	}
	var b strings.Builder
	b.WriteString("Argo CD or Flux applies the stages in this order, each when the one before it is done:\n\n")
	for i, stage := range sortedKeys(counts) {
		var parts []string
		for _, class := range Classes() {
			if n := counts[stage][class]; n > 0 {
				parts = append(parts, class.String()+" "+number(n))
			}
		}
		b.WriteString(strconv.Itoa(i+1) + ". " + Code(stage) + ": " + strings.Join(parts, ", ") + "\n")
	}
	return b.String()
}

// noteSection is for reviewers who see such a pull request for the first time.
func (r Request) noteSection() section {
	s := section{rank: 3, whole: true}
	s.heading = "---\n\n"
	overlays := Code("fabrics/" + r.Fabric + "/overlays")
	s.add("The files are made from NetBox by " + Plain(r.toolName()) + ". A correction belongs into NetBox, or as a patch into " + overlays + "; an edit of the files themselves is never overwritten, but stops the updates of this pull request. When it is closed, the same change is not proposed again.\n")
	return s
}
