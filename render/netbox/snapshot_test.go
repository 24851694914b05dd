package netbox

import (
	"bytes"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

// randomRows draws rows of every model, ids unique within a model.
func randomRows(t *rapid.T) Rows {
	var rows Rows
	rows.lists(func(model string, list reflect.Value) {
		n := rapid.IntRange(0, 3).Draw(t, model)
		for i := range n {
			row := reflect.New(list.Type().Elem()).Elem()
			for f := range row.NumField() {
				switch field := row.Field(f); field.Kind() {
				case reflect.Int64, reflect.Int:
					field.SetInt(int64(rapid.IntRange(0, 1<<40).Draw(t, "number")))
				case reflect.String:
					field.SetString(strings.ToValidUTF8(rapid.String().Draw(t, "text"), "?"))
				case reflect.Bool:
					field.SetBool(rapid.Bool().Draw(t, "flag"))
				}
			}
			row.FieldByName("ID").SetInt(int64(100*(n-i) + rapid.IntRange(0, 99).Draw(t, "id")))
			if fields := row.FieldByName("Fields"); fields.IsValid() && rapid.Bool().Draw(t, "has fields") {
				fields.Set(reflect.ValueOf(Fields{"hedgehog_name": rapid.StringMatching(`[a-z"<&\\ ]{0,5}`).Draw(t, "field")}))
			}
			list.Set(reflect.Append(list, row))
		}
	})
	return rows
}

func TestSnapshotRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := &Snapshot{ChangeID: 7, Rows: randomRows(t)}
		s.Rows.Sort()
		var once, twice bytes.Buffer
		if _, err := s.WriteTo(&once); err != nil {
			t.Fatal(err)
		}
		back, sealed, err := ReadSnapshot(bytes.NewReader(once.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		if !sealed {
			t.Error("the seal of an untouched snapshot is broken")
		}
		if diff := cmp.Diff(s, back, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("what was read is not what was written:\n%s", diff)
		}
		if _, err := back.WriteTo(&twice); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(once.Bytes(), twice.Bytes()) {
			t.Error("equal content, other bytes")
		}
	})
}

func TestSnapshotDigestIsOfTheRowsAlone(t *testing.T) {
	t.Parallel()
	a := &Snapshot{ChangeID: 1, Rows: Rows{Sites: []Site{{ID: 1, Slug: "a"}, {ID: 2, Slug: "b"}}}}
	b := &Snapshot{ChangeID: 2, Rows: Rows{Sites: []Site{{ID: 2, Slug: "b"}, {ID: 1, Slug: "a"}}}}
	b.Rows.Sort()
	c := &Snapshot{ChangeID: 1, Rows: Rows{Sites: []Site{{ID: 1, Slug: "a"}, {ID: 2, Slug: "c"}}}}
	var sums []string
	for _, s := range []*Snapshot{a, b, c} {
		sum, err := s.Digest()
		if err != nil {
			t.Fatal(err)
		}
		sums = append(sums, sum)
	}
	if sums[0] != sums[1] {
		t.Error("equal rows have different digests")
	}
	if sums[0] == sums[2] {
		t.Error("different rows have one digest")
	}
}

func TestReadSnapshotRefuses(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"nothing":           "",
		"HTML":              "<html>",
		"another version":   `{"format_version": "99", "rows": {}}`,
		"an unknown model":  `{"format_version": "1", "rows": {"dcim.spaceship": []}}`,
		"an unknown column": `{"format_version": "1", "rows": {"dcim.site": [{"id": 1, "colour": "red"}]}}`,
		"half a document":   `{"format_version": "1", "rows": {"dcim.site": [`,
		"no rows":           `{"format_version": "1"}`,
		"null":              `null`,
		"two rows of an id": `{"format_version": "1", "rows": {"dcim.site": [{"id": 1, "slug": "a"}, {"id": 2}, {"id": 1, "slug": "b"}]}}`,
	} {
		if _, _, err := ReadSnapshot(strings.NewReader(text)); err == nil {
			t.Errorf("%s is read as a snapshot", name)
		}
	}
}

func TestReadSnapshotNamesTheLine(t *testing.T) {
	t.Parallel()
	const head = "{\"format_version\": \"1\",\n\"rows\": {\n\"ipam.vlan\": [\n{\"id\": 1},\n"
	for name, test := range map[string]struct {
		text, reason string
		line         int
	}{
		"HTML":            {"\n<html>", "invalid character '<' looking for beginning of value", 2},
		"a list":          {"[]", "the document is no mapping but array", 1},
		"a zero byte":     {head + "{\"id\": 2, \"name\": \"a\x00\"}]}}", `invalid character '\x00' in string literal`, 5},
		"a huge number":   {head + "{\"id\": 2, \"vid\": 1e400}]}}", "ipam.vlan.vid cannot be number 1e400", 5},
		"a wrong form":    {head + "{\"id\": 2, \"name\": []}]}}", "ipam.vlan.name cannot be array", 5},
		"an unknown name": {head + "{\"id\": 2, \"colour\": 1}]}}", `unknown field "colour"`, 5},
		"half a document": {head, "unexpected end of JSON input", 5},
	} {
		_, _, err := ReadSnapshot(strings.NewReader(test.text))
		var bad *SnapshotError
		if !errors.As(err, &bad) || bad.Line != test.line || bad.Reason != "not a snapshot: "+test.reason {
			t.Errorf("%s: got %+v", name, bad)
		}
	}
}

func TestSnapshotSealBreaks(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if _, err := (&Snapshot{Rows: Rows{Sites: []Site{{ID: 1, Slug: "a"}}}}).WriteTo(&out); err != nil {
		t.Fatal(err)
	}
	_, sealed, err := ReadSnapshot(strings.NewReader(strings.Replace(out.String(), `"slug":"a"`, `"slug":"b"`, 1)))
	if err != nil {
		t.Fatal(err)
	}
	if sealed {
		t.Error("an edited snapshot is still sealed")
	}
}

// Every model that has an address of its own gives a digest, and a change of
// any row changes the digests of the objects that were made of it and of no
// other.
func TestDigester(t *testing.T) {
	t.Parallel()
	rows := Rows{VRFs: []VRF{{ID: 1, Name: "a"}, {ID: 2, Name: "b"}}, Prefixes: []Prefix{{ID: 1, Prefix: "10.0.0.0/24"}}}
	sum := func(rows Rows) (of1, of2 string) {
		x := NewIndex(&Snapshot{Rows: rows})
		digest := x.Digester()
		one := newObject("VPC", "a", x.vrfs[1], &rows.Prefixes[0])
		two := newObject("VPC", "b", x.vrfs[2])
		of1, err := digest(one.Origins)
		if err != nil {
			t.Fatal(err)
		}
		of2, err = digest(two.Origins)
		if err != nil {
			t.Fatal(err)
		}
		return of1, of2
	}
	a1, a2 := sum(rows)
	rows.Prefixes = slices.Clone(rows.Prefixes)
	rows.Prefixes[0].Status = "active"
	b1, b2 := sum(rows)
	if a1 == b1 {
		t.Error("a prefix changed and the digest of its VPC did not")
	}
	if a2 != b2 {
		t.Error("a prefix changed, and so did the digest of a VPC without it")
	}
	if _, err := NewIndex(&Snapshot{}).Digester()(newObject("VPC", "a", &rows.VRFs[0]).Origins); err == nil {
		t.Error("a row that is not there has a digest")
	}
}
