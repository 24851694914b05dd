package review

import (
	"cmp"
	"slices"
	"strings"
)

// section is a part of a text. It is made of blocks that are whole in themselves:
// a fence or an element that one opens, it closes.
type section struct {
	heading string
	blocks  []string
	// late makes the blocks of a section that has too many to make them all before
	// it is known which fit: there are so many of them.
	late  func(i int) string
	count int
	// more says that so many blocks were left out; nil for a section of which
	// nothing may be left out silently.
	more func(left int) string
	// rank is who gets its place first.
	rank int
	// whole is whether the section makes no sense in parts.
	whole bool
}

func (s *section) add(block string) { s.blocks = append(s.blocks, block) }

// len returns the number of blocks.
func (s section) len() int { return max(len(s.blocks), s.count) }

func (s section) block(i int) string {
	if s.late != nil {
		return s.late(i)
	}
	return s.blocks[i]
}

// text returns the whole section; nothing for one without blocks.
func (s section) text() string {
	if s.len() == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString(s.heading)
	for i := range s.len() {
		b.WriteString(s.block(i))
	}
	return b.String()
}

// fit joins the sections to a text of at most so many bytes, cut between blocks.
// A limit of 0 or less is none.
func fit(sections []section, limit int) string {
	order := make([]int, 0, len(sections))
	for i, s := range sections {
		if s.len() > 0 {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(sections[a].rank, sections[b].rank) })
	texts := make([]string, len(sections))
	left := limit
	for _, i := range order {
		if limit <= 0 {
			texts[i] = sections[i].text()
			continue
		}
		if texts[i] = sections[i].cut(left - 1); texts[i] != "" {
			left -= len(texts[i]) + 1 // and the empty line that follows
		}
	}
	texts = slices.DeleteFunc(texts, func(text string) bool { return text == "" })
	return strings.Join(texts, "\n")
}

// cut returns as much of the section as fits into so many bytes.
func (s section) cut(limit int) string {
	size := len(s.heading)
	var fits []string
	for len(fits) < s.len() {
		block := s.block(len(fits))
		if size+len(block) > limit {
			break
		}
		size += len(block)
		fits = append(fits, block)
	}
	if len(fits) == s.len() && size <= limit {
		return s.heading + strings.Join(fits, "")
	}
	if s.whole || s.more == nil {
		return ""
	}
	for {
		end := s.more(s.len() - len(fits))
		if size+len(end) <= limit {
			return s.heading + strings.Join(fits, "") + end
		}
		if len(fits) == 0 {
			return ""
		}
		size -= len(fits[len(fits)-1])
		fits = fits[:len(fits)-1]
	}
}
