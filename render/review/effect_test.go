package review_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"hedgehog-gitops/render/hedgehog"
	"hedgehog-gitops/render/review"
)

var updatePages = flag.Bool("update-pages", false, "write the pages of docs/ that are made from the code")

// modelFields returns every field of every kind, and everything that can come or
// go as a whole, from the types themselves.
func modelFields() []string {
	atomic := []reflect.Type{ // lists whose items are one value each
		reflect.TypeFor[hedgehog.VLANRange](), reflect.TypeFor[[]string](), reflect.TypeFor[map[string]hedgehog.VPCPeer](),
		reflect.TypeFor[hedgehog.PermitPrefix](), reflect.TypeFor[hedgehog.ExposedIP](), reflect.TypeFor[hedgehog.ExposedAs](),
		reflect.TypeFor[hedgehog.ForwardedPort](), reflect.TypeFor[hedgehog.PeeringACLEndpoint](),
	}
	var fields []string
	var walk func(t reflect.Type, path string)
	walk = func(t reflect.Type, path string) {
		switch t.Kind() {
		case reflect.Pointer:
			if t.Elem().Kind() == reflect.Struct {
				fields = append(fields, path)
			}
			walk(t.Elem(), path)
		case reflect.Slice:
			if slices.Contains(atomic, t.Elem()) {
				fields = append(fields, path+"[]")
				return
			}
			if t.Elem().Kind() == reflect.Struct {
				fields = append(fields, path+"[]")
			}
			walk(t.Elem(), path+"[]")
		case reflect.Map:
			elem := t.Elem()
			if elem.Kind() == reflect.Pointer {
				elem = elem.Elem()
			}
			if elem.Kind() == reflect.Struct {
				fields = append(fields, path+".*")
			}
			walk(elem, path+".*")
		case reflect.Struct:
			for i := range t.NumField() {
				name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
				walk(t.Field(i).Type, path+"."+name)
			}
		default:
			fields = append(fields, path)
		}
	}
	for _, kind := range hedgehog.Kinds() {
		walk(reflect.TypeOf(hedgehog.New(kind, "x").Spec).Elem(), string(kind)+" spec")
	}
	return fields
}

// A field that somebody adds to the model has no effect that anybody decided on,
// until it stands in the table.
func TestEveryFieldHasAnEffect(t *testing.T) {
	t.Parallel()
	known := map[string]int{}
	for _, effect := range review.Effects() {
		if effect.Why == "" {
			t.Errorf("the effect of %v has no reason", effect.Fields)
		}
		for _, field := range effect.Fields {
			known[field]++
		}
	}
	for _, field := range modelFields() {
		if known[field] != 1 {
			t.Errorf("%s stands in the table of effects %d times", field, known[field])
		}
		delete(known, field)
	}
	// What is in no type: metadata, what no type has, and the order of rules.
	for _, field := range []string{
		"* metadata.labels.*", "* metadata.annotations.*", "* metadata.namespace", "* apiVersion", "* ?", "GatewayPeering spec.acl.rules.order",
		"Switch metadata.annotations.fabric.githedgehog.com/route-summ", "VPCAttachment metadata.annotations.fabric.githedgehog.com/p2p-link",
	} {
		if known[field] != 1 {
			t.Errorf("%s stands in the table of effects %d times", field, known[field])
		}
		delete(known, field)
	}
	for field := range known {
		t.Errorf("the table of effects has %s, the model has not", field)
	}
}

// The table in docs/review.md is made from the code:
//
//	go test ./render/review -run TestEffectsPage -update-pages
func TestEffectsPage(t *testing.T) {
	const begin, end = "<!-- made from the code: begin -->\n", "<!-- end -->\n"
	file := filepath.Join("..", "..", "docs", "review.md")
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok1 := strings.Cut(string(page), begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok1 || !ok2 {
		t.Fatalf("%s has no place for the table", file)
	}
	want := before + begin + effectsTable() + end + after
	if *updatePages {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if string(page) != want {
		t.Errorf("the table in %s is not what the code says; run go test ./render/review -run TestEffectsPage -update-pages", file)
	}
}

func effectsTable() string {
	var b strings.Builder
	b.WriteString("\n| field | class | another value | set first | nobody uses it | why |\n|---|---|---|---|---|---|\n")
	for _, e := range review.Effects() {
		class := "change in place"
		if e.Replaces {
			class = "replace"
		}
		changed, set, unused := e.Changed.String(), e.Set.String(), ""
		if e.Whole {
			changed, set = "judged", "judged"
		} else if e.Used != review.Always {
			unused = e.Unused.String()
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", fieldCell(e.Fields), class, changed, set, unused, e.Why)
	}
	return b.String() + "\n"
}

// fieldCell writes the fields of a row: the kind once, and of many fields that
// differ in their last name only, that.
func fieldCell(fields []string) string {
	kind, first, _ := strings.Cut(fields[0], " ")
	if kind == "*" {
		kind = "every kind"
	}
	cells := []string{"`" + first + "`"}
	folder := first[:strings.LastIndexByte(first, '.')+1]
	for _, field := range fields[1:] {
		_, path, _ := strings.Cut(field, " ")
		if short, ok := strings.CutPrefix(path, folder); ok && !strings.Contains(short, ".") {
			path = "." + short
		}
		cells = append(cells, "`"+path+"`")
	}
	return kind + " " + strings.Join(cells, ", ")
}
