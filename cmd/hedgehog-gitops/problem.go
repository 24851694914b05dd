package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/fatih/color"

	"hedgehog-gitops/gitsync/edge"
	"hedgehog-gitops/render/hedgehog"
	"hedgehog-gitops/render/netbox/rest"
)

// hinted is an error with advice: lines that a person can act on, most of them
// with a command to copy.
type hinted struct {
	err   error
	hints []string
}

func hint(err error, hints ...string) error { return &hinted{err, hints} }

func (h *hinted) Error() string { return h.err.Error() }
func (h *hinted) Unwrap() error { return h.err }

// faulty is an error made of issues: everything that is wrong with one input.
type faulty struct {
	what   string // such as hedgehog-gitops.yaml
	issues hedgehog.Issues
}

func (f *faulty) Error() string {
	errs := 0
	for _, i := range f.issues {
		if i.Severity == hedgehog.Error {
			errs++
		}
	}
	return fmt.Sprintf("%s has %s", f.what, plural(errs, "error"))
}

// printEnd tells people how the program ended, unless all is well.
func (a *app) printEnd(code int, err error) {
	switch code {
	case exitDone, exitDifferences:
		return
	case exitInterrupted:
		a.say("%s interrupted", a.paint("error:", color.FgRed, color.Bold))
		return
	}
	a.printError(err)
}

// printError writes what went wrong, then what to do about it.
func (a *app) printError(err error) {
	var f *faulty
	if errors.As(err, &f) {
		a.printIssues(f.issues, "")
	}
	a.say("%s %s", a.paint("error:", color.FgRed, color.Bold), printable(strings.TrimSpace(err.Error())))
	for _, line := range hintsOf(err) {
		a.say("%s %s", a.paint("hint:", color.FgCyan), printable(line))
	}
}

// hintsOf returns the advice that an error holds.
func hintsOf(err error) []string {
	var hints []string
	var h *hinted
	if errors.As(err, &h) {
		hints = h.hints
	}
	var ofNetBox *rest.Error
	var ofServer *edge.Error
	advice := ""
	switch {
	case errors.As(err, &ofNetBox):
		advice = ofNetBox.Hint
	case errors.As(err, &ofServer):
		advice = ofServer.Hint
	}
	if advice != "" {
		hints = append(slices.Clip(hints), advice)
	}
	return hints
}

// plural returns "1 file", "2 files".
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// closest returns the candidate that word was probably meant to be, or "".
func closest(word string, candidates []string) string {
	best, least := "", 1+min(len(word), 6)/3
	for _, c := range candidates {
		if strings.EqualFold(c, word) {
			return c
		}
		if d := distance(strings.ToLower(word), strings.ToLower(c)); d <= least && (best == "" || d < least) {
			best, least = c, d
		}
	}
	return best
}

// distance is the number of letters to insert, delete, replace or swap with
// their neighbour to make a of b.
func distance(a, b string) int {
	before, last := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row := make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(row[j-1]+1, last[j]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}
