package review

import (
	"bytes"
	"cmp"
	"iter"
	"reflect"
	"slices"
	"strings"

	"hedgehog-gitops/render/hedgehog"
)

// compare finds the objects that differ, with their fields.
func (d *differ) compare(before, after *hedgehog.Fabric) {
	for was, is := range pairs(before, after) {
		switch {
		case was == nil:
			d.draft(Add, nil, is)
		case is == nil:
			d.draft(Delete, was, nil)
		case !sameObject(was, is):
			d.draft(ChangeInPlace, was, is)
		}
	}
}

// draft starts the change of an object.
func (d *differ) draft(class Class, before, after *hedgehog.Object) {
	dr := &draft{Change: Change{Class: class, Before: before, After: after}}
	if after != nil {
		dr.Key = after.Key()
	} else {
		dr.Key = before.Key()
	}
	dr.facts = diffFacts(before, after)
	dr.Fields = d.fields(dr.Key.Kind, class, dr.facts)
	if len(dr.facts) == 0 && class == ChangeInPlace {
		if !writtenOtherwise(before, after) {
			return
		}
		dr.Fields = []Field{{Label: "order or spelling", Before: "as it was", After: "other, with the same meaning", what: say("order or spelling")}}
	}
	d.drafts = append(d.drafts, dr)
	d.of[dr.Key] = dr
}

// sameObject reports whether two objects are surely equal.
func sameObject(a, b *hedgehog.Object) bool {
	return a == b || a.APIVersion == b.APIVersion && a.Namespace == b.Namespace &&
		reflect.DeepEqual(a.Spec, b.Spec) && reflect.DeepEqual(a.Labels, b.Labels) &&
		reflect.DeepEqual(a.Annotations, b.Annotations) && reflect.DeepEqual(a.Leftovers, b.Leftovers)
}

// writtenOtherwise reports whether two objects of the same facts are other files.
func writtenOtherwise(a, b *hedgehog.Object) bool {
	was, err1 := hedgehog.Marshal(a)
	is, err2 := hedgehog.Marshal(b)
	return err1 != nil || err2 != nil || !bytes.Equal(was, is)
}

// diffFacts returns the facts that differ, in the order in which the objects have
// them. Either object may be nil.
func diffFacts(before, after *hedgehog.Object) []factPair {
	var was, is []fact
	if before != nil {
		was = flatten(before, nil)
	}
	if after != nil {
		is = flatten(after, nil)
	}
	if before == nil || after == nil { // everything differs
		all := make([]factPair, 0, len(was)+len(is))
		for i := range was {
			all = append(all, factPair{before: &was[i]})
		}
		for i := range is {
			all = append(all, factPair{after: &is[i]})
		}
		return all
	}
	place := make(map[string]int, len(is))
	for i := range is {
		place[is[i].id()] = i
	}
	type placed struct {
		factPair
		at int // in the new object; what is gone stands where its neighbour before it does
	}
	var found []placed
	common := make([]bool, len(is))
	at := -1
	for i := range was {
		j, ok := place[was[i].id()]
		if !ok {
			found = append(found, placed{factPair{before: &was[i]}, at})
			continue
		}
		at = j
		common[j] = true
		if was[i].text != is[j].text || was[i].flag != is[j].flag {
			found = append(found, placed{factPair{&was[i], &is[j]}, j})
		}
	}
	for j := range is {
		if !common[j] {
			found = append(found, placed{factPair{after: &is[j]}, j})
		}
	}
	slices.SortStableFunc(found, func(a, b placed) int { return cmp.Compare(a.at, b.at) })
	pairs := make([]factPair, len(found))
	for i := range found {
		pairs[i] = found[i].factPair
	}
	return joinItems(pairs)
}

// joinItems makes one difference of two where one item of a list took the place of
// another.
func joinItems(pairs []factPair) []factPair {
	type sides struct{ gone, new []int }
	lists := map[string]*sides{}
	for i, p := range pairs {
		f := p.fact()
		if f.there || p.before != nil && p.after != nil || !strings.HasSuffix(f.pattern, "[]") {
			continue
		}
		list := f.pattern + "\x00" + strings.Join(f.keys[:len(f.keys)-1], "\x00")
		if lists[list] == nil {
			lists[list] = &sides{}
		}
		if s := lists[list]; p.before != nil {
			s.gone = append(s.gone, i)
		} else {
			s.new = append(s.new, i)
		}
	}
	joined := map[int]bool{}
	for _, s := range lists {
		if len(s.gone) == 1 && len(s.new) == 1 {
			pairs[s.gone[0]].after = pairs[s.new[0]].after
			joined[s.new[0]] = true
		}
	}
	if len(joined) == 0 {
		return pairs
	}
	kept := pairs[:0]
	for i, p := range pairs {
		if !joined[i] {
			kept = append(kept, p)
		}
	}
	return kept
}

// fields returns the differences as people read them. That a thing came or went
// is not said where what is in it says so.
func (d *differ) fields(kind hedgehog.Kind, class Class, facts []factPair) []Field {
	inside := map[string]bool{} // the ways to what is told
	for _, p := range facts {
		if f := p.fact(); !f.there {
			for way := range ways(f.path) {
				inside[way] = true
			}
		}
	}
	fields := make([]Field, 0, len(facts))
	for _, p := range facts {
		f := p.fact()
		if f.there && inside[f.path] {
			continue
		}
		field := Field{Path: f.path, Before: p.before.shown(), After: p.after.shown()}
		field.part, field.what = d.effects.of(kind, f).label(f)
		field.Label = joinLabel(field.part, field.what)
		if f.flag && class == ChangeInPlace {
			field.Before, field.After = cmp.Or(field.Before, no), cmp.Or(field.After, no)
		}
		fields = append(fields, field)
	}
	return fields
}

// joinLabel returns both halves of a label: "subnet web: VLAN".
func joinLabel(part, what Words) string {
	asItIs := func(text string) string { return text }
	if len(part) > 0 && len(what) > 0 {
		part = say(part, ": ")
	}
	return part.text(asItIs) + what.text(asItIs)
}

// shown returns the text as everybody may read it, empty for none.
func (f *fact) shown() string {
	switch {
	case f == nil:
		return ""
	case f.secret:
		return redacted
	}
	return redact(f.text)
}

// ways returns the ways that a path begins with.
func ways(path string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := 1; i < len(path); i++ {
			if (path[i] == '.' || path[i] == '[') && !yield(path[:i]) {
				return
			}
		}
	}
}

// pairs returns the objects of two fabrics side by side, in order. One of a pair
// is nil where the other fabric has no such object.
func pairs(before, after *hedgehog.Fabric) iter.Seq2[*hedgehog.Object, *hedgehog.Object] {
	return func(yield func(was, is *hedgehog.Object) bool) {
		nextOld, stopOld := iter.Pull(before.All())
		defer stopOld()
		nextNew, stopNew := iter.Pull(after.All())
		defer stopNew()
		was, hasOld := nextOld()
		is, hasNew := nextNew()
		for hasOld || hasNew {
			order := 0
			switch {
			case !hasNew:
				order = -1
			case !hasOld:
				order = 1
			default:
				order = was.Key().Compare(is.Key())
			}
			switch {
			case order < 0:
				if !yield(was, nil) {
					return
				}
				was, hasOld = nextOld()
			case order > 0:
				if !yield(nil, is) {
					return
				}
				is, hasNew = nextNew()
			default:
				if !yield(was, is) {
					return
				}
				was, hasOld = nextOld()
				is, hasNew = nextNew()
			}
		}
	}
}
