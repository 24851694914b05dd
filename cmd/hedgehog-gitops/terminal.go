package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/schollz/progressbar/v3"
)

// printTable writes rows in columns; no line is longer than the terminal is
// wide, the last column gives way. The header is for people only.
func (a *app) printTable(w io.Writer, tty bool, header []string, rows [][]string) {
	if len(rows) == 0 {
		return
	}
	t := table.NewWriter()
	style := table.StyleDefault
	style.Options = table.OptionsNoBordersAndSeparators
	style.Box.PaddingLeft, style.Box.PaddingRight = "", "  "
	style.Format.Header = text.FormatDefault
	t.SetStyle(style)
	if tty && len(header) > 0 {
		t.AppendHeader(tableRow(header))
	}
	widths := make([]int, len(rows[0]))
	for _, row := range append([][]string{header}, rows...) {
		for i, cell := range row {
			widths[i] = max(widths[i], text.StringWidthWithoutEscSequences(cell))
		}
	}
	if tty {
		used := 0
		for _, width := range widths[:len(widths)-1] {
			used += width + 2
		}
		last := max(a.width-used-1, 12)
		t.SetColumnConfigs([]table.ColumnConfig{{Number: len(widths), WidthMax: last, WidthMaxEnforcer: text.WrapSoft}})
	}
	for _, row := range rows {
		t.AppendRow(tableRow(row))
	}
	for line := range strings.SplitSeq(t.Render(), "\n") {
		io.WriteString(w, "  "+strings.TrimRight(line, " ")+"\n")
	}
}

func tableRow(cells []string) table.Row {
	row := make(table.Row, len(cells))
	for i, cell := range cells {
		row[i] = cell
	}
	return row
}

// progress shows that long work goes on, and how far it came; on a terminal
// only. The zero value shows nothing.
type progress struct {
	bar  *progressbar.ProgressBar
	rows int
}

func (a *app) newProgress(quiet bool) *progress {
	if !a.errTTY || quiet {
		return &progress{}
	}
	return &progress{bar: progressbar.NewOptions(-1,
		progressbar.OptionSetWriter(a.stderr),
		progressbar.OptionSetElapsedTime(true),
		progressbar.OptionSpinnerType(14),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionClearOnFinish(),
	)}
}

// step says what was done last, and how many more rows that gave.
func (p *progress) step(what string, rows int) {
	if p.bar == nil {
		return
	}
	p.rows += rows
	p.bar.Describe(fmt.Sprintf("%s, %s", what, plural(p.rows, "row")))
	_ = p.bar.Add(1) // a display that fails stops no work
}

// end takes the display away.
func (p *progress) end() {
	if p.bar != nil {
		_ = p.bar.Clear()
	}
}
