package review

import (
	"encoding/json"
	"fmt"
	"io"

	"hedgehog-gitops/render/hedgehog"
)

// WriteText writes the changes for people at a terminal: the hazards, then each
// object with its fields. It is not Markdown.
func WriteText(w io.Writer, c Changes) error {
	p := &printer{w: w}
	for _, h := range c.Hazards {
		p.line("%s risk: %s", h.Risk, h.Says)
	}
	if len(c.Hazards) > 0 {
		p.line("")
	}
	for i := range c.Objects {
		change := &c.Objects[i]
		p.line("%s %s %s%s", mark(change.Class), clean(change.Key.String(), longestName), change.Class, riskText(change.Risk))
		for _, f := range change.Fields {
			label := clean(f.Label, longestValue)
			before, after := clean(f.Before, longestValue), clean(f.After, longestValue)
			switch {
			case before == "":
				p.line("    %s: %s", label, after)
			case after == "":
				p.line("    %s: %s, gone", label, before)
			default:
				p.line("    %s: %s -> %s", label, before, after)
			}
		}
	}
	if len(c.Objects) == 0 {
		p.line("no object changes")
	}
	for _, n := range c.Counts() {
		p.line("%s: %s (%s)", n.Class, count(n.Objects, "object"), kindCounts(n.Kinds))
	}
	return p.err
}

func mark(c Class) string {
	return [...]string{"?", "+", "~", "!", "-"}[c]
}

func riskText(risk Level) string {
	if risk == Low {
		return ""
	}
	return ", " + risk.String() + " risk"
}

// printer writes lines until the first error.
type printer struct {
	w   io.Writer
	err error
}

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

// keyView is an object as JSON holds it.
type keyView struct {
	Kind string `json:"kind"`
	Name string `json:"name"`
}

func newKeyView(key hedgehog.Key) keyView { return keyView{string(key.Kind), key.Name} }

// MarshalJSON writes the change with its object first. No list is null.
func (c Change) MarshalJSON() ([]byte, error) {
	type fields Change
	return json.Marshal(struct {
		Object keyView `json:"object"`
		fields
		Reasons []Reason `json:"reasons"`
		Fields  []Field  `json:"fields"`
	}{newKeyView(c.Key), fields(c), append([]Reason{}, c.Reasons...), append([]Field{}, c.Fields...)})
}

// MarshalJSON writes the hazard with its object, null for one of the whole fabric.
func (h Hazard) MarshalJSON() ([]byte, error) {
	var key *keyView
	if h.Object != (hedgehog.Key{}) {
		view := newKeyView(h.Object)
		key = &view
	}
	return json.Marshal(struct {
		Object *keyView `json:"object"`
		Reason
	}{key, h.Reason})
}

// MarshalJSON writes both names.
func (r Rename) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		From keyView `json:"from"`
		To   keyView `json:"to"`
	}{newKeyView(r.From), newKeyView(r.To)})
}

// MarshalJSON writes the changes without what only this package needs. No list is
// null.
func (c Changes) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Objects []Change `json:"objects"`
		Renames []Rename `json:"renames"`
		Hazards []Hazard `json:"hazards"`
	}{append([]Change{}, c.Objects...), append([]Rename{}, c.Renames...), append([]Hazard{}, c.Hazards...)})
}
