package review

import (
	"cmp"
	"slices"
	"strings"
)

// What a text that is cut holds: so many fields of an object; and where more
// objects change than can be read one by one, folds for so many of the riskiest,
// and lists of the others, so many in each.
const (
	mostFields  = 40
	manyChanges = 60
	listLength  = 50
)

// diffSection holds what changes, object by object, in folds; the riskiest first.
func (r Request) diffSection(brief bool) section {
	s := section{rank: 7}
	changes := make([]*Change, len(r.Changes.Objects))
	for i := range r.Changes.Objects {
		changes[i] = &r.Changes.Objects[i]
	}
	if len(changes) == 0 {
		return s
	}
	slices.SortStableFunc(changes, func(a, b *Change) int {
		return cmp.Or(cmp.Compare(b.Risk, a.Risk), cmp.Compare(b.Class, a.Class), a.Key.Compare(b.Key))
	})
	s.heading = "### What changes\n\n"
	folded := len(changes)
	if brief && len(changes) > manyChanges {
		folded = 0
		for folded < len(changes) && folded < manyChanges && changes[folded].Risk > Low {
			folded++
		}
	}
	ends := []int{0} // where the changes of each block end
	for i := range folded {
		ends = append(ends, i+1)
	}
	for start := folded; start < len(changes); start = ends[len(ends)-1] {
		n := 1
		first, rest := changes[start], changes[start:]
		for n < len(rest) && n < listLength && rest[n].Risk == first.Risk && rest[n].Class == first.Class && rest[n].Key.Kind == first.Key.Kind {
			n++
		}
		ends = append(ends, start+n)
	}
	s.count = len(ends) - 1
	s.late = func(i int) string {
		if i >= folded {
			return listFold(changes[ends[i]:ends[i+1]])
		}
		if brief {
			return r.fold(changes[i], mostFields)
		}
		return r.fold(changes[i], len(changes[i].Fields))
	}
	s.more = func(left int) string {
		objects := len(changes) - ends[s.count-left]
		return "\n" + count(objects, "more object") + is(objects) + r.inReport() + ".\n"
	}
	return s
}

// fold returns the change of one object, folded.
func (r Request) fold(c *Change, most int) string {
	var b strings.Builder
	title := say(c.Class.String()+" ", object(c.Key))
	b.WriteString("<details><summary>" + title.element())
	if c.Risk > Low {
		b.WriteString(", " + c.Risk.String() + " risk")
	}
	b.WriteString("</summary>\n\n")
	for _, reason := range c.Reasons[:min(mostReasons, len(c.Reasons))] {
		b.WriteString("- " + reason.Says.markdown() + "\n")
	}
	if left := len(c.Reasons) - mostReasons; left > 0 {
		b.WriteString("- and " + count(left, "more reason") + "\n")
	}
	if len(c.Reasons) > 0 {
		b.WriteString("\n")
	}
	var lines []string
	for _, f := range c.Fields[:min(most, len(c.Fields))] {
		label := clean(f.Label, longestValue)
		if f.Before != "" {
			lines = append(lines, "- "+label+": "+clean(f.Before, longestValue))
		}
		if f.After != "" {
			lines = append(lines, "+ "+label+": "+clean(f.After, longestValue))
		}
	}
	if left := len(c.Fields) - most; left > 0 {
		lines = append(lines, "  and "+count(left, "more field"))
	}
	if len(lines) > 0 {
		b.WriteString(fenced("diff", lines))
	} else {
		b.WriteString("It has no fields.\n")
	}
	if from := r.from(c); from != "" {
		b.WriteString("\nFrom " + from + "\n")
	}
	b.WriteString("\n</details>\n")
	return b.String()
}

// mostReasons is how many reasons of one change are told.
const mostReasons = 10

// mostRecords is how many records of NetBox a fold leads to.
const mostRecords = 3

// from returns links to the records that an object is made of, its own first.
func (r Request) from(c *Change) string {
	o := c.After
	if o == nil {
		o = c.Before
	}
	var links []string
	for _, origin := range o.Origins {
		var text string
		switch {
		case origin.Path == "":
			text = r.origin(origin)
		case r.Links.NetBox == "":
			continue // paths alone help nobody here
		default:
			text = linked(Code(strings.Trim(origin.Path, "/")), r.netbox(origin.Path))
		}
		if text != "" {
			links = append(links, text)
		}
		if len(links) == mostRecords {
			break
		}
	}
	return strings.Join(links, ", ")
}

// listFold returns changes of one class and kind as a folded list, a line each.
func listFold(changes []*Change) string {
	c := changes[0]
	var b strings.Builder
	what := count(len(changes), noun(c.Key.Kind))
	if len(changes) > 1 {
		what += ", " + clean(c.Key.Name, longestName) + " to " + clean(changes[len(changes)-1].Key.Name, longestName)
	}
	b.WriteString("<details><summary>" + c.Class.String() + " " + element(what))
	if c.Risk > Low {
		b.WriteString(", " + c.Risk.String() + " risk")
	}
	b.WriteString("</summary>\n\n")
	lines := make([]string, len(changes))
	for i, c := range changes {
		lines[i] = c.line()
	}
	b.WriteString(fenced("diff", lines) + "\n</details>\n")
	return b.String()
}

// line returns the change in one line: its name and the first of its fields.
func (c *Change) line() string {
	mark := map[Class]string{Add: "+ ", Delete: "- "}[c.Class]
	if mark == "" {
		mark = "! "
	}
	const most = 4
	var parts []string
	for i, f := range c.Fields {
		if i == most {
			parts = append(parts, number(len(c.Fields)-most)+" more")
			break
		}
		value := f.After
		switch {
		case c.Class == Add || c.Class == Delete:
			value = cmp.Or(f.After, f.Before)
		case f.Before != "" && f.After != "":
			value = f.Before + " -> " + f.After
		case f.After == "":
			value = f.Before + " is removed"
		}
		parts = append(parts, clean(f.Label, 80)+" "+clean(value, 80))
	}
	head := mark + clean(c.Key.Name, longestName)
	if !c.Key.Kind.Known() {
		head = mark + clean(c.Key.String(), longestName)
	}
	if len(parts) == 0 {
		return head
	}
	return head + ": " + strings.Join(parts, ", ")
}
