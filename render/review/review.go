package review

import (
	"cmp"
	"fmt"
	"slices"

	"hedgehog-gitops/render/hedgehog"
)

// Changes is the semantic difference of two fabrics.
type Changes struct {
	// Objects are those that differ, each once, in the order of [hedgehog.Key.Compare].
	Objects []Change `json:"objects"`
	// Renames are pairs of a deleted and an added object that differ in nothing but
	// their names.
	Renames []Rename `json:"renames"`
	// Hazards are what interrupts or opens something, the worst first.
	Hazards []Hazard `json:"hazards"`

	before, after *index
	// succeeding are the connections that take the ports of deleted ones.
	succeeding map[hedgehog.Key]bool
}

// Change is what happens to one object.
type Change struct {
	Key   hedgehog.Key `json:"-"`
	Class Class        `json:"class"`
	// Risk is that of the worst of the reasons, Low without one.
	Risk Level `json:"risk"`
	// Reasons say why it is risky, or what else is worth knowing of it; the worst first.
	Reasons []Reason `json:"reasons"`
	// Fields are those that differ; all of them, when the object comes or goes.
	Fields []Field `json:"fields"`
	// Before and After are the object; nil when it is not there.
	Before *hedgehog.Object `json:"-"`
	After  *hedgehog.Object `json:"-"`
}

// Class is what happens to an object, as the cluster sees it.
type Class int

// The classes.
const (
	// Add: the object is new.
	Add Class = iota + 1
	// ChangeInPlace: it stays what it is and has other values.
	ChangeInPlace
	// Replace: under the same name it becomes something else, or the cluster refuses
	// its new form while the old one is there.
	Replace
	// Delete: it goes.
	Delete
)

// Classes returns the classes in the order in which they are told.
func Classes() []Class { return []Class{Add, ChangeInPlace, Replace, Delete} }

// String returns what people call the class.
func (c Class) String() string {
	switch c {
	case Add:
		return "add"
	case ChangeInPlace:
		return "change in place"
	case Replace:
		return "replace"
	case Delete:
		return "delete"
	}
	return fmt.Sprintf("class(%d)", int(c))
}

// MarshalText returns the class as one word.
func (c Class) MarshalText() ([]byte, error) {
	if c == ChangeInPlace {
		return []byte("change"), nil
	}
	return []byte(c.String()), nil
}

// Level is a degree of risk.
type Level int

// The levels. Medium and High are hazards.
const (
	// Low: nothing that runs is touched.
	Low Level = iota
	// Medium: some will notice, or something opens.
	Medium
	// High: something that runs is interrupted, or what was closed opens wide.
	High
)

// String returns low, medium or high.
func (l Level) String() string { return [...]string{"low", "medium", "high"}[l] }

// MarshalText returns the level as --json writes it.
func (l Level) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText reads what [Level.MarshalText] writes.
func (l *Level) UnmarshalText(text []byte) error {
	for *l = Low; *l <= High; *l++ {
		if l.String() == string(text) {
			return nil
		}
	}
	return fmt.Errorf("%q is no level of risk", text)
}

// Field is a difference of one value.
type Field struct {
	// Path leads to the value: spec.subnets.web.vlan. Items of lists go by their
	// names.
	Path string `json:"path"`
	// Label is what people call it: "subnet web: VLAN".
	Label string `json:"label"`
	// Before and After are the value as people read it, empty when there was or is none.
	Before string `json:"before,omitempty"`
	After  string `json:"after,omitempty"`

	// part and what are the label in its two halves.
	part, what Words
}

// Reason is why a change is risky, or what is worth knowing of it.
type Reason struct {
	// Rule names the reason: equal things have equal names.
	Rule string `json:"rule"`
	Risk Level  `json:"risk"`
	Says Words  `json:"says"`

	// many goes on after a number when there are many of the rule: "servers keep one
	// leg only".
	many string
	// subject is what the reason is about, in a list of many.
	subject Words
	// weight sorts reasons of one rule: the number of servers, say.
	weight int
	// hazard is whether people must see it whatever its risk: a deletion.
	hazard bool
}

// Hazard is a reason that people must see, with the change that it belongs to.
type Hazard struct {
	Object hedgehog.Key `json:"-"`
	Reason
}

// Rename is an object that goes and one that comes, with nothing else different.
type Rename struct{ From, To hedgehog.Key }

// Len returns the number of objects that differ.
func (c Changes) Len() int { return len(c.Objects) }

// Risk returns the worst risk.
func (c Changes) Risk() Level {
	risk := Low
	for i := range c.Objects {
		risk = max(risk, c.Objects[i].Risk)
	}
	for _, h := range c.Hazards {
		risk = max(risk, h.Risk)
	}
	return risk
}

// Count is how many objects of a class there are.
type Count struct {
	Class   Class
	Objects int
	Risk    Level
	Kinds   []KindCount
}

// KindCount is how many objects of a kind there are.
type KindCount struct {
	Kind    hedgehog.Kind
	Objects int
}

// Counts returns the numbers of the classes that occur, in the order of [Classes].
func (c Changes) Counts() []Count {
	counts := map[Class]*Count{}
	for i := range c.Objects {
		change := &c.Objects[i]
		n := counts[change.Class]
		if n == nil {
			n = &Count{Class: change.Class}
			counts[change.Class] = n
		}
		n.Objects++
		n.Risk = max(n.Risk, change.Risk)
		if last := len(n.Kinds) - 1; last >= 0 && n.Kinds[last].Kind == change.Key.Kind {
			n.Kinds[last].Objects++
		} else {
			n.Kinds = append(n.Kinds, KindCount{change.Key.Kind, 1})
		}
	}
	var list []Count
	for _, class := range Classes() {
		if n := counts[class]; n != nil {
			list = append(list, *n)
		}
	}
	return list
}

// Diff returns what happens to a fabric that is before and shall be after. Both are
// in canonical form, see [hedgehog.Default]; nil is an empty fabric.
func Diff(before, after *hedgehog.Fabric) Changes {
	if before == nil {
		before = &hedgehog.Fabric{}
	}
	if after == nil {
		after = &hedgehog.Fabric{}
	}
	d := &differ{effects: newEffects(), of: map[hedgehog.Key]*draft{}, successors: map[string][]string{},
		uplinks: map[string]verdict{}, waysAfter: map[string]int{}, gained: map[string][]string{}}
	d.compare(before, after)
	if len(d.drafts) == 0 {
		return Changes{}
	}
	d.before, d.after = newIndex(before), newIndex(after)
	d.findRenames()
	d.judge()
	return d.changes()
}

// draft is a change while it is judged.
type draft struct {
	Change
	// facts are those behind the fields, before and after; either may be nil.
	facts []factPair
	// stays is whether a deleted attachment takes nobody out of its subnet.
	stays bool
}

type factPair struct{ before, after *fact }

// fact returns one that is there: both have the same place.
func (p factPair) fact() *fact {
	if p.after != nil {
		return p.after
	}
	return p.before
}

// differ makes one Changes.
type differ struct {
	before, after *index
	effects       effects
	drafts        []*draft
	of            map[hedgehog.Key]*draft
	renames       []Rename
	renamedTo     map[hedgehog.Key]string // a deleted object -> its new name
	renamedFrom   map[hedgehog.Key]string
	// successors are the connections that take the ports of a deleted one.
	successors map[string][]string
	// told are hazards of no single object.
	told []Hazard

	// What was found out once: what becomes of the uplinks of a switch, the ways out
	// that an external has after, the subnets that a server is in for the first time.
	uplinks   map[string]verdict
	waysAfter map[string]int
	gained    map[string][]string
}

// changes puts everything in order.
func (d *differ) changes() Changes {
	c := Changes{Renames: d.renames, Hazards: d.told, before: d.before, after: d.after, succeeding: map[hedgehog.Key]bool{}}
	for _, by := range d.successors {
		for _, name := range by {
			key := hedgehog.Key{Kind: hedgehog.KindConnection, Name: name}
			c.succeeding[key] = d.of[key].Class == Add
		}
	}
	for _, draft := range d.drafts {
		change := draft.Change
		slices.SortStableFunc(change.Reasons, func(a, b Reason) int { return cmp.Compare(b.Risk, a.Risk) })
		for _, r := range change.Reasons {
			change.Risk = max(change.Risk, r.Risk)
			if r.Risk > Low || r.hazard {
				c.Hazards = append(c.Hazards, Hazard{change.Key, r})
			}
		}
		c.Objects = append(c.Objects, change)
	}
	slices.SortStableFunc(c.Hazards, func(a, b Hazard) int {
		return cmp.Or(
			cmp.Compare(b.Risk, a.Risk),
			cmp.Compare(b.weight, a.weight),
			a.Object.Compare(b.Object),
		)
	})
	return c
}

// because adds a reason to the change of an object.
func (d *differ) because(key hedgehog.Key, r Reason) {
	draft := d.of[key]
	if draft == nil {
		return
	}
	if r.subject == nil {
		r.subject = say(name(key.Name))
	}
	draft.Reasons = append(draft.Reasons, r)
}
