package review

import (
	"strings"
	"unicode/utf8"
)

// The lengths of a title, in characters. What would make it longer than is
// comfortable is counted instead of told; no title is longer than the second.
const (
	comfortableTitle = 72
	longestTitle     = 100
)

// Title returns the title of the pull request, a Conventional Commit:
//
//	feat(fabric-a): add VPC web (2 subnets), attach 3 servers
func (r Request) Title() string {
	kind := r.Changes.commitType()
	if r.ToolOnly {
		kind = "chore"
	}
	title := kind + "(" + cutText(Line(r.Fabric), 40) + "): "
	suffix := ""
	if r.Step.Of > 1 {
		suffix = " (step " + number(r.Step.Number) + " of " + number(r.Step.Of) + ")"
	}
	phrases := r.Changes.phrases()
	switch {
	case r.ToolOnly:
		phrases = nil
		title += "render with " + cutText(Line(r.toolName()), 40) + ", no intent change"
	case len(phrases) == 0 && len(r.Changes.Renames) == 0:
		title += "bring the files up to date"
	}
	for i, words := range phrases {
		text := words.line()
		more := ", and " + number(len(phrases)-i) + " more"
		if n := r.Changes.Len(); n > manyChanges {
			more = ", and more (" + number(n) + " objects)"
		}
		length := utf8.RuneCountInString(title) + utf8.RuneCountInString(text) + len(suffix)
		if i > 0 {
			if length+2 > comfortableTitle {
				title += more
				break
			}
			title += ", "
		}
		title += text
	}
	return cutText(title, longestTitle-len(suffix)) + suffix
}

// cutText cuts the text at a word where it is longer than so many characters.
func cutText(text string, limit int) string {
	if utf8.RuneCountInString(text) <= limit {
		return text
	}
	short := string([]rune(text)[:limit-3])
	if i := strings.LastIndexByte(short, ' '); i > len(short)*2/3 {
		short = short[:i]
	}
	return strings.TrimRight(short, " ,:-") + "..."
}

// CommitMessage returns the message of the commit without its trailers: the title,
// what changes in words, and who asked for it. No line of it can be taken for a
// trailer.
func (r Request) CommitMessage() string {
	var b strings.Builder
	b.WriteString(r.Title() + "\n\n")
	b.WriteString(r.outline() + "\n")
	list := func(heading string, of []string) {
		if len(of) == 0 {
			return
		}
		b.WriteString("\n" + heading + "\n\n")
		for i, line := range of {
			if i == longestMessage {
				b.WriteString("- and " + number(len(of)-i) + " more\n")
				break
			}
			b.WriteString("- " + line + "\n")
		}
	}
	var hazards, asked []string
	for i, h := range r.Changes.Hazards {
		if i >= longestMessage { // counted only
			hazards = append(hazards, "")
			continue
		}
		hazards = append(hazards, h.Risk.String()+" risk, "+cutText(h.Says.line(), 300))
	}
	for _, a := range groupAsked(r.Asked) {
		line := "asked for by " + cutText(Line(a.user), 60)
		if a.message != "" {
			line += ", " + cutText(Line(a.message), 200)
		}
		asked = append(asked, line)
	}
	list("What interrupts or opens something", hazards)
	list("In NetBox", asked)
	return b.String()
}

// longestMessage is how many items a commit message lists.
const longestMessage = 20

// outline says what changes, in numbers, for a place that is not Markdown.
func (r Request) outline() string {
	if r.ToolOnly {
		return "Nobody changed anything in NetBox: " + Line(r.toolName()) + " writes the same intent otherwise."
	}
	var parts []string
	for _, n := range r.Changes.Counts() {
		parts = append(parts, n.Class.String()+" "+number(n.Objects)+" ("+kindCounts(n.Kinds)+")")
	}
	if len(parts) == 0 {
		return "No object changes."
	}
	return strings.Join(parts, ", ") + ". The highest risk is " + r.Changes.Risk().String() + "."
}

func kindCounts(kinds []KindCount) string {
	parts := make([]string, len(kinds))
	for i, k := range kinds {
		parts[i] = count(k.Objects, noun(k.Kind))
	}
	return strings.Join(parts, ", ")
}
