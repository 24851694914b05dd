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
	// more says that so many blocks were left out; nil for a section of which
	// nothing may be left out silently.
	more func(left int) string
	// rank is who gets its place first.
	rank int
	// whole is whether the section makes no sense in parts.
	whole bool
}

func (s *section) add(block string) { s.blocks = append(s.blocks, block) }

// text returns the whole section; nothing for one without blocks.
func (s section) text() string {
	if len(s.blocks) == 0 {
		return ""
	}
	return s.heading + strings.Join(s.blocks, "")
}

// fit joins the sections to a text of at most so many bytes, cut between blocks.
// A limit of 0 or less is none.
func fit(sections []section, limit int) string {
	order := make([]int, 0, len(sections))
	for i, s := range sections {
		if len(s.blocks) > 0 {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(sections[a].rank, sections[b].rank) })
	texts := make([]string, len(sections))
	left := limit
	for _, i := range order {
		text := sections[i].text()
		if limit > 0 {
			text = sections[i].cut(left - 1) // and the empty line that follows
			if text == "" {
				continue
			}
			left -= len(text) + 1
		}
		texts[i] = text
	}
	texts = slices.DeleteFunc(texts, func(text string) bool { return text == "" })
	return strings.Join(texts, "\n")
}

// cut returns as much of the section as fits into so many bytes.
func (s section) cut(limit int) string {
	size := len(s.heading)
	for _, block := range s.blocks {
		size += len(block)
	}
	if size <= limit {
		return s.text()
	}
	if s.whole || s.more == nil {
		return ""
	}
	size = len(s.heading)
	fits := 0
	for fits < len(s.blocks) && size+len(s.blocks[fits])+len(s.more(len(s.blocks)-fits-1)) <= limit {
		size += len(s.blocks[fits])
		fits++
	}
	end := s.more(len(s.blocks) - fits)
	if size+len(end) > limit {
		return ""
	}
	return s.heading + strings.Join(s.blocks[:fits], "") + end
}
