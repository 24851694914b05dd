package review_test

import (
	"bytes"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"hedgehog-gitops/render/hedgehog"
	"hedgehog-gitops/render/review"
)

// mutate changes a fabric at random: objects go, come and are renamed, and any
// value of any field becomes another.
func mutate(t *rapid.T, tb testing.TB, manifests string) *hedgehog.Fabric {
	f := decode(tb, manifests)
	for range rapid.IntRange(0, 12).Draw(t, "edits") {
		objects := slices.Collect(f.All())
		if len(objects) == 0 {
			break
		}
		o := rapid.SampledFrom(objects).Draw(t, "object")
		switch rapid.IntRange(0, 9).Draw(t, "how") {
		case 0:
			f.Remove(o.Key())
		case 1:
			f.Remove(o.Key())
			o.Name = anyName().Draw(t, "name")
			f.Add(o)
		case 2:
			if clone := copyOf(tb, o); clone != nil {
				clone.Name = anyName().Draw(t, "name")
				f.Add(clone)
			}
		case 3:
			o.Labels = map[string]string{anyName().Draw(t, "label"): rapid.SampledFrom(hostileTexts()).Draw(t, "value")}
		case 4:
			o.Leftovers = append(o.Leftovers, hedgehog.Leftover{Path: []string{"spec", anyName().Draw(t, "field")}, Value: rapid.SampledFrom(hostileTexts()).Draw(t, "value")})
		default:
			if values := settable(reflect.ValueOf(o.Spec).Elem(), nil); len(values) > 0 {
				set(t, rapid.SampledFrom(values).Draw(t, "value"))
			}
		}
	}
	return f
}

func anyName() *rapid.Generator[string] {
	return rapid.OneOf(rapid.StringMatching(`[a-z][a-z0-9-]{0,8}[a-z0-9]`), rapid.SampledFrom(hostileTexts()).Filter(func(s string) bool {
		return s != "" && utf8.ValidString(s) && len(s) < 100
	}))
}

// settable returns the values in a spec that can be set.
func settable(v reflect.Value, found []reflect.Value) []reflect.Value {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			found = settable(v.Elem(), found)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			found = settable(v.Field(i), found)
		}
	case reflect.Slice:
		found = append(found, v)
		for i := range v.Len() {
			found = settable(v.Index(i), found)
		}
	case reflect.Map:
		found = append(found, v)
	default:
		found = append(found, v)
	}
	return found
}

func set(t *rapid.T, v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(rapid.SampledFrom(append(hostileTexts(), "10.0.0.0/8", "0.0.0.0/0", "leaf-1/E1/1", "apps/web")).Filter(utf8.ValidString).Draw(t, "text"))
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.Uint8, reflect.Uint16, reflect.Uint32:
		v.SetUint(uint64(rapid.Uint8().Draw(t, "number")))
	case reflect.Slice:
		if v.Len() == 0 {
			return
		}
		switch rapid.IntRange(0, 2).Draw(t, "list") {
		case 0:
			v.Set(v.Slice(0, v.Len()-1))
		case 1:
			v.Set(reflect.Append(v, v.Index(rapid.IntRange(0, v.Len()-1).Draw(t, "item"))))
		default:
			first, last := v.Index(0).Interface(), v.Index(v.Len()-1).Interface()
			v.Index(0).Set(reflect.ValueOf(last))
			v.Index(v.Len() - 1).Set(reflect.ValueOf(first))
		}
	case reflect.Map:
		keys := v.MapKeys()
		if len(keys) == 0 {
			return
		}
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
		key := rapid.SampledFrom(keys).Draw(t, "key")
		value := v.MapIndex(key)
		if rapid.Bool().Draw(t, "keep") {
			other := reflect.New(key.Type()).Elem()
			other.SetString(anyName().Draw(t, "new key"))
			v.SetMapIndex(other, value)
		}
		v.SetMapIndex(key, reflect.Value{})
	}
}

// copyOf returns a copy, nil of an object that cannot be read back.
func copyOf(tb testing.TB, o *hedgehog.Object) *hedgehog.Object {
	tb.Helper()
	text, err := hedgehog.Marshal(o)
	if err != nil {
		tb.Fatal(err)
	}
	d, err := hedgehog.Decode("-", bytes.NewReader(text))
	if err != nil {
		tb.Fatal(err)
	}
	return d.Fabric.Get(o.Kind, o.Name)
}

func TestDiffProperties(t *testing.T) {
	t.Parallel()
	scenarios := map[string]string{"office": scenario(t, "office"), "south": scenario(t, "south"), "north": scenario(t, "north")}
	rapid.Check(t, func(r *rapid.T) {
		manifests := scenarios[rapid.SampledFrom([]string{"office", "south", "north"}).Draw(r, "fabric")]
		before, after := mutate(r, t, manifests), mutate(r, t, manifests)
		for _, f := range []*hedgehog.Fabric{before, after} {
			if same := review.Diff(f, f); same.Len() > 0 || len(same.Hazards) > 0 || same.Risk() != review.Low {
				r.Fatalf("a fabric differs from itself: %v", same.Objects)
			}
		}
		changes := review.Diff(before, after)
		checkClasses(r, before, after, changes)
		checkDeletions(r, changes)
		if again := review.Diff(before, after); asJSON(t, again) != asJSON(t, changes) {
			r.Fatal("the same two fabrics differ otherwise the second time")
		}
		if back := review.Diff(after, before); back.Len() != changes.Len() {
			r.Fatalf("%d objects differ on the way there, %d on the way back", changes.Len(), back.Len())
		}
		req := request("a@b #1", before, after)
		req.Issues = hedgehog.Issues{{Rule: "x", Severity: hedgehog.Warning, Summary: anyName().Draw(r, "summary"), Origin: hedgehog.Origin{File: anyName().Draw(r, "file")}}}
		limit := rapid.IntRange(1, 70000).Draw(r, "limit")
		checkText(r, "body", req.Body(limit), limit)
		checkText(r, "report", req.Report(), 1<<40)
		title := req.Title()
		if utf8.RuneCountInString(title) > 100 || strings.ContainsAny(title, "\n\r`") || !strings.Contains(title, "): ") {
			r.Fatalf("the title %q", title)
		}
		var terminal bytes.Buffer
		if err := review.WriteText(&terminal, changes); err != nil {
			r.Fatal(err)
		}
	})
}

// checkClasses demands that every object that differs, and no other, is in exactly
// one class, and that the counts add up.
func checkClasses(r *rapid.T, before, after *hedgehog.Fabric, changes review.Changes) {
	want := map[hedgehog.Key]string{}
	for o := range before.All() {
		now := after.Get(o.Kind, o.Name)
		if now == nil {
			want[o.Key()] = "delete"
			continue
		}
		was, _ := hedgehog.Marshal(o)
		is, _ := hedgehog.Marshal(now)
		if !bytes.Equal(was, is) {
			want[o.Key()] = "change or replace"
		}
	}
	for o := range after.All() {
		if before.Get(o.Kind, o.Name) == nil {
			want[o.Key()] = "add"
		}
	}
	sum := 0
	for _, n := range changes.Counts() {
		sum += n.Objects
		kinds := 0
		for _, k := range n.Kinds {
			kinds += k.Objects
		}
		if kinds != n.Objects {
			r.Fatalf("%s: %d objects, by kind %d", n.Class, n.Objects, kinds)
		}
	}
	if sum != changes.Len() || sum != len(want) {
		r.Fatalf("%d objects differ, %d changes, the counts say %d", len(want), changes.Len(), sum)
	}
	for i := range changes.Objects {
		c := &changes.Objects[i]
		class := c.Class.String()
		if c.Class == review.ChangeInPlace || c.Class == review.Replace {
			class = "change or replace"
		}
		if want[c.Key] != class {
			r.Fatalf("%s: class %s, want %q", c.Key, c.Class, want[c.Key])
		}
		delete(want, c.Key)
		if class == "change or replace" && len(c.Fields) == 0 {
			r.Fatalf("%s changes, but no field of it", c.Key)
		}
		for _, f := range c.Fields {
			if f.Before == f.After && f.Before != "(redacted)" && !strings.Contains(f.Before, "(redacted)") || f.Label == "" {
				r.Fatalf("%s: field %+v", c.Key, f)
			}
		}
	}
}

// checkDeletions demands that nothing goes in silence: it is a hazard, or it goes
// with something that is told.
func checkDeletions(r *rapid.T, changes review.Changes) {
	told := map[hedgehog.Key]bool{}
	for _, h := range changes.Hazards {
		told[h.Object] = true
		if h.Says.String() == "" {
			r.Fatalf("a hazard of %s says nothing", h.Object)
		}
	}
	for i := range changes.Objects {
		c := &changes.Objects[i]
		if c.Class != review.Delete || told[c.Key] {
			continue
		}
		if !slices.ContainsFunc(c.Reasons, func(x review.Reason) bool { return strings.HasPrefix(x.Says.String(), "goes with ") }) {
			r.Fatalf("%s goes in silence: %v", c.Key, c.Reasons)
		}
	}
}

// checkText demands that a text is within its limit, balanced, and does nothing.
func checkText(t interface{ Fatalf(string, ...any) }, what, text string, limit int) {
	if len(text) > limit || utf8.RuneCountInString(text) > limit {
		t.Fatalf("%s: %d bytes, at most %d", what, len(text), limit)
	}
	if problem := unbalanced(text); problem != "" {
		t.Fatalf("%s: %s:\n%s", what, problem, text)
	}
	if found := reference.FindString(withoutOurHTML(text)); found != "" {
		t.Fatalf("%s: %q refers to something:\n%s", what, found, text)
	}
	if !utf8.ValidString(text) {
		t.Fatalf("%s is not UTF-8", what)
	}
}

// command is what is to be typed.
var command = regexp.MustCompile(`(?m)^kubectl [a-z0-9. -]+$`)

// numericEntity is how Mermaid writes a character: #35;
var numericEntity = regexp.MustCompile(`#[0-9]+;`)

// withoutOurHTML takes out the elements and escapes that are ours, and commands, in
// which names stand as they are.
func withoutOurHTML(text string) string {
	text = command.ReplaceAllString(text, "")
	return strings.NewReplacer("<details>", "", "</details>", "", "<summary>", "", "</summary>", "", "<code>", "", "</code>", "",
		"](<http", "", "&#34;", "", "&#39;", "").Replace(numericEntity.ReplaceAllString(text, ""))
}

// unbalanced says what a text leaves open.
func unbalanced(text string) string {
	var fence string
	folds := 0
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		marks := line[:len(line)-len(strings.TrimLeft(line, "`"))]
		switch {
		case fence != "":
			if line == fence {
				fence = ""
			}
			continue
		case len(marks) >= 3 && !strings.Contains(line[len(marks):], "`"):
			fence = marks
			continue
		}
		folds += strings.Count(line, "<details>") - strings.Count(line, "</details>")
		if folds < 0 || folds > 1 {
			return fmt.Sprintf("%d folds open at %q", folds, line)
		}
	}
	switch {
	case fence != "":
		return "a fence stays open"
	case folds != 0:
		return "a fold stays open"
	}
	return ""
}
