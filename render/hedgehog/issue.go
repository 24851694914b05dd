package hedgehog

import (
	"cmp"
	"fmt"
	"slices"
)

// Issue is one thing that is wrong, or worth knowing, in people's input: never
// a failure of machinery, which is an error.
type Issue struct {
	// Rule is a stable name in lower-case words joined by hyphens, such as
	// vpc-name-length.
	Rule     string
	Severity Severity
	// Object is the Hedgehog object concerned; its zero value when the issue is
	// about something that became no object.
	Object Key
	// Field leads from the object to the value at fault: spec.subnets.web.vlan,
	// or the NetBox field to fill in.
	Field string
	// Origin is where to click: the NetBox object, or file and line.
	Origin Origin
	// Summary says what is wrong in one sentence without a final period.
	Summary string
	// Hint says what to do next.
	Hint string
}

// Severity says what an [Issue] does to a run.
type Severity int

const (
	// Notice is worth knowing and stops nothing.
	Notice Severity = iota
	// Warning is probably a mistake and stops nothing unless asked to.
	Warning
	// Error stops the fabric that it is about.
	Error
)

// String returns notice, warning or error.
func (s Severity) String() string {
	switch s {
	case Notice:
		return "notice"
	case Warning:
		return "warning"
	case Error:
		return "error"
	}
	return fmt.Sprintf("severity(%d)", int(s))
}

// MarshalText returns the severity as --json writes it.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what [Severity.MarshalText] writes.
func (s *Severity) UnmarshalText(text []byte) error {
	for _, known := range []Severity{Notice, Warning, Error} {
		if known.String() == string(text) {
			*s = known
			return nil
		}
	}
	return fmt.Errorf("no severity: %q", text)
}

// String returns the issue on one line: "error: VPC/web: summary (/ipam/vrfs/3/)".
func (i Issue) String() string {
	text := i.Severity.String() + ": "
	if i.Object != (Key{}) {
		text += i.Object.String() + ": "
	}
	text += i.Summary
	if !i.Origin.IsZero() {
		text += " (" + i.Origin.String() + ")"
	}
	return text
}

// Issues is a list of issues.
type Issues []Issue

// Sort orders the issues: errors first, then by object, origin, field and rule,
// so that equal input gives equal output.
func (is Issues) Sort() {
	slices.SortStableFunc(is, func(a, b Issue) int {
		return cmp.Or(
			cmp.Compare(b.Severity, a.Severity),
			a.Object.Compare(b.Object),
			cmp.Compare(a.Origin.Path, b.Origin.Path),
			cmp.Compare(a.Origin.File, b.Origin.File),
			cmp.Compare(a.Origin.Line, b.Origin.Line),
			cmp.Compare(a.Field, b.Field),
			cmp.Compare(a.Rule, b.Rule),
			cmp.Compare(a.Summary, b.Summary),
		)
	})
}

// Worst returns the highest severity in the list, Notice when it is empty.
func (is Issues) Worst() Severity {
	worst := Notice
	for _, i := range is {
		worst = max(worst, i.Severity)
	}
	return worst
}
