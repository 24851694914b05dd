package review

import (
	"fmt"
	"strings"
	"testing"
)

// madeSections returns sections of blocks with folds and fences in them, of sizes
// that the bytes say.
func madeSections(sizes []byte) []section {
	var sections []section
	for i, size := range sizes {
		if i%5 == 0 {
			sections = append(sections, section{heading: "### Heading\n\n", rank: int(size) % 4, whole: size%7 == 0,
				more: func(left int) string { return fmt.Sprintf("- and %d more\n", left) }})
		}
		fill := strings.Repeat("x", int(size))
		s := &sections[len(sections)-1]
		switch size % 3 {
		case 0:
			s.add("- " + fill + "\n")
		case 1:
			s.add("<details><summary>" + fill + "</summary>\n\n" + fenced("diff", []string{"+ " + fill, strings.Repeat("`", int(size)%6)}) + "\n</details>\n")
		default:
			s.add("\n" + fenced("sh", []string{fill}))
		}
	}
	return sections
}

func FuzzFit(f *testing.F) {
	f.Add([]byte{10, 200, 30, 7, 9, 250, 251, 252}, uint16(300))
	f.Add([]byte{1}, uint16(1))
	f.Add([]byte{}, uint16(0))
	f.Add([]byte(strings.Repeat("\xc8\x31\x07", 60)), uint16(4000))
	f.Fuzz(func(t *testing.T, sizes []byte, limit uint16) {
		sections := madeSections(sizes)
		blocks := 0
		for _, s := range sections {
			blocks += len(s.blocks)
		}
		text := fit(sections, int(limit))
		if limit > 0 && len(text) > int(limit) {
			t.Fatalf("%d bytes, at most %d", len(text), limit)
		}
		if strings.Count(text, "<details>") != strings.Count(text, "</details>") {
			t.Fatalf("a fold stays open:\n%s", text)
		}
		if fences := openFences(text); fences != "" {
			t.Fatalf("the fence %s stays open:\n%s", fences, text)
		}
		// Every section that is there says what of it is not.
		for part := range strings.SplitSeq(text, "### Heading\n\n") {
			var left int
			if i := strings.LastIndex(part, "- and "); i >= 0 {
				if _, err := fmt.Sscanf(part[i:], "- and %d more", &left); err != nil || left < 1 {
					t.Fatalf("%q says not how much is left out", part[i:])
				}
			}
		}
		if limit == 0 {
			all := ""
			for _, s := range sections {
				all += s.text()
			}
			if len(text) < len(all) {
				t.Fatal("something is left out without a limit")
			}
		}
	})
}

// openFences returns the fence that a text leaves open.
func openFences(text string) string {
	open := ""
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		marks := line[:len(line)-len(strings.TrimLeft(line, "`"))]
		switch {
		case open == "" && len(marks) >= 3:
			open = marks
		case open != "" && line == open:
			open = ""
		}
	}
	return open
}

// What is left out is exactly what is not there.
func TestFitCountsWhatItLeavesOut(t *testing.T) {
	t.Parallel()
	s := section{heading: "h\n", rank: 1, more: func(left int) string { return fmt.Sprintf("%d more\n", left) }}
	for range 20 {
		s.add("0123456789\n")
	}
	last := section{heading: "last\n", rank: 0, whole: true}
	last.add("end\n")
	for limit := range 260 {
		text := fit([]section{s, last}, limit+1)
		there := strings.Count(text, "0123456789")
		var left int
		if i := strings.Index(text, " more"); i >= 0 {
			fmt.Sscanf(text[strings.LastIndexByte(text[:i], '\n')+1:], "%d", &left)
		}
		if strings.Contains(text, "h\n") && there+left != 20 {
			t.Fatalf("at %d bytes %d blocks are there and %d are said to be left out:\n%s", limit+1, there, left, text)
		}
		if limit > 30 && !strings.HasSuffix(text, "last\nend\n") {
			t.Fatalf("what comes first by rank is not there at %d bytes:\n%s", limit+1, text)
		}
		if len(text) > limit+1 {
			t.Fatalf("%d bytes, at most %d", len(text), limit+1)
		}
	}
}

// The lines between sections count, too.
func TestFitCountsEveryByte(t *testing.T) {
	t.Parallel()
	var sections []section
	for range 12 {
		s := section{rank: 1}
		s.add("0123456789\n")
		sections = append(sections, s)
	}
	for limit := 1; limit < 160; limit++ {
		if text := fit(sections, limit); len(text) > limit {
			t.Fatalf("%d bytes, at most %d", len(text), limit)
		}
	}
}
