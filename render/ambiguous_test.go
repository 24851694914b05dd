package render_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"hedgehog-gitops/render/hedgehog"
	"hedgehog-gitops/render/netbox"
)

// ambiguity is a case of fixtures/scenarios/ambiguous, whose README says what
// the words mean.
type ambiguity struct {
	Case, Decision, By string
	Edits              []ambiguousEdit
	Expect             struct {
		Severity, Object oneOrMore
		Field            string
	}
}

type ambiguousEdit struct {
	Set, Add, Drop, As string
	Cable              [][]string
	To                 map[string]any
}

type oneOrMore []string

func (o *oneOrMore) UnmarshalJSON(data []byte) error {
	if data[0] == '[' {
		return json.Unmarshal(data, (*[]string)(o))
	}
	*o = make([]string, 1)
	return json.Unmarshal(data, &(*o)[0])
}

func TestAmbiguityIsAnIssue(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(filepath.Join("..", "fixtures", "scenarios", "ambiguous", "cases.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Cases []ambiguity }
	var document any
	if err := yaml.Unmarshal(data, &document); err != nil {
		t.Fatal(err)
	}
	if data, err = json.Marshal(document); err != nil {
		t.Fatal(err)
	}
	strict := json.NewDecoder(bytes.NewReader(data))
	strict.DisallowUnknownFields()
	if err := strict.Decode(&file); err != nil {
		t.Fatal(err)
	}
	office := readOffice(t)
	for _, c := range file.Cases {
		t.Run(strings.ReplaceAll(c.Case, " ", "-"), func(t *testing.T) {
			t.Parallel()
			if c.By == "rules" {
				t.Skip("a rule over the whole fabric, not of the mapping")
			}
			if said, issues := c.said(t, office); !said {
				t.Errorf("no %v about %v that names %q, only:", c.Expect.Severity, c.Expect.Object, c.Expect.Field)
				for _, i := range issues {
					t.Logf("%s [%s] field %q, hint %q", i, i.Rule, i.Field, i.Hint)
				}
			}
		})
	}
}

// said applies the case's edits to the office and looks for what is expected.
func (c ambiguity) said(t *testing.T, office []byte) (bool, hedgehog.Issues) {
	var document struct{ Rows map[string][]map[string]any }
	if err := json.Unmarshal(office, &document); err != nil {
		t.Fatal(err)
	}
	b := book{t: t, rows: document.Rows, added: map[string]namedRow{}}
	wanted := map[string]bool{}
	for _, o := range c.Expect.Object {
		if !strings.HasPrefix(o, "@") && b.exists(o) {
			wanted[b.find(o).path()] = true
		}
	}
	for _, e := range c.Edits {
		b.apply(e)
	}
	for _, o := range c.Expect.Object {
		if strings.HasPrefix(o, "@") || b.exists(o) {
			wanted[b.find(strings.TrimPrefix(o, "@")).path()] = true
		}
	}

	edited, err := json.Marshal(b.rows)
	if err != nil {
		t.Fatal(err)
	}
	snapshot, _, err := netbox.ReadSnapshot(strings.NewReader(
		fmt.Sprintf(`{"format_version": %q, "rows": %s}`, netbox.FormatVersion, edited)))
	if err != nil {
		t.Fatal(err)
	}
	fabric, issues := netbox.Map(snapshot, netbox.DefaultConfig("office"))
	if fabric != nil {
		issues = append(issues, hedgehog.Check(fabric)...)
	}
	return slices.ContainsFunc(issues, func(i hedgehog.Issue) bool {
		text := strings.ToLower(i.Field + " " + i.Summary + " " + i.Hint)
		return slices.Contains(c.Expect.Severity, i.Severity.String()) && wanted[i.Origin.Path] && strings.Contains(text, strings.ToLower(c.Expect.Field))
	}), issues
}

// book is the rows of a snapshot, found by what people call them.
type book struct {
	t     *testing.T
	rows  map[string][]map[string]any
	added map[string]namedRow
}

type namedRow struct {
	model string
	row   map[string]any
}

func (n namedRow) id() any { return n.row["id"] }

func (n namedRow) path() string {
	area, ok := map[string]string{
		"dcim.devicetype": "/dcim/device-types/", "dcim.devicerole": "/dcim/device-roles/", "ipam.vlangroup": "/ipam/vlan-groups/",
		"ipam.routetarget": "/ipam/route-targets/", "ipam.prefix": "/ipam/prefixes/", "ipam.iprange": "/ipam/ip-ranges/",
		"ipam.ipaddress": "/ipam/ip-addresses/",
	}[n.model]
	if !ok {
		area = "/" + strings.Replace(n.model, ".", "/", 1) + "s/"
	}
	return fmt.Sprintf("%s%v/", area, n.id())
}

// find returns the row called "model key", "word" or "model @word".
func (b book) find(name string) namedRow {
	b.t.Helper()
	if found, ok := b.look(name); ok {
		return found
	}
	b.t.Fatalf("there is no %s", name)
	return namedRow{}
}

func (b book) exists(name string) bool {
	_, ok := b.look(name)
	return ok
}

func (b book) look(name string) (namedRow, bool) {
	if found, ok := b.added[name]; ok {
		return found, true
	}
	model, key, _ := strings.Cut(name, " ")
	if found, ok := b.added[strings.TrimPrefix(key, "@")]; ok {
		return found, true
	}
	if model == "dcim.cable" {
		port, ok := b.look("dcim.interface " + key)
		if !ok {
			return namedRow{}, false
		}
		end, ok := b.first("dcim.cabletermination", func(r map[string]any) bool {
			return r["termination_type"] == "dcim.interface" && r["termination_id"] == port.id()
		})
		if !ok {
			return namedRow{}, false
		}
		return b.first(model, func(r map[string]any) bool { return r["id"] == end.row["cable"] })
	}
	column, ok := map[string]string{
		"dcim.site": "slug", "dcim.devicetype": "slug", "dcim.devicerole": "slug", "ipam.vlangroup": "slug", "ipam.role": "slug",
		"ipam.prefix": "prefix", "ipam.ipaddress": "address", "ipam.iprange": "start_address", "ipam.asn": "asn",
	}[model]
	if !ok {
		column = "name"
	}
	var device any
	if model == "dcim.interface" {
		owner, port, _ := strings.Cut(key, ":")
		found, ok := b.look("dcim.device " + owner)
		if !ok {
			return namedRow{}, false
		}
		device, key = found.id(), port
	}
	return b.first(model, func(r map[string]any) bool {
		return fmt.Sprint(r[column]) == key && (device == nil || r["device"] == device)
	})
}

func (b book) first(model string, fits func(map[string]any) bool) (namedRow, bool) {
	at := slices.IndexFunc(b.rows[model], fits)
	if at < 0 {
		return namedRow{}, false
	}
	return namedRow{model, b.rows[model][at]}, true
}

func (b book) apply(e ambiguousEdit) {
	b.t.Helper()
	switch {
	case e.Set != "":
		b.write(b.find(e.Set).row, e.To)
	case e.Add != "":
		b.add(e.Add, e.As, e.To)
	case e.Drop != "":
		gone := b.find(e.Drop)
		b.remove(gone.model, "id", gone.id())
		if gone.model == "dcim.cable" {
			b.remove("dcim.cabletermination", "cable", gone.id())
		}
	default:
		to := map[string]any{"status": "connected"}
		maps.Copy(to, e.To)
		cable := b.add("dcim.cable", e.As, to)
		for side, ends := range e.Cable {
			for _, end := range ends {
				model, _, typed := strings.Cut(end, " ")
				if !typed {
					model, end = "dcim.interface", "dcim.interface "+end
				}
				b.add("dcim.cabletermination", "", map[string]any{
					"cable": cable.id(), "cable_end": "AB"[side : side+1], "termination_type": model, "termination_id": b.find(end).id()})
			}
		}
	}
}

func (b book) add(model, as string, to map[string]any) namedRow {
	b.t.Helper()
	last := 0.0
	for _, r := range b.rows[model] {
		last = max(last, r["id"].(float64))
	}
	made := namedRow{model, map[string]any{"id": last + 1}}
	b.write(made.row, to)
	b.rows[model] = append(b.rows[model], made.row)
	if as != "" {
		b.added[as] = made
	}
	return made
}

func (b book) remove(model, column string, value any) {
	b.rows[model] = slices.DeleteFunc(b.rows[model], func(r map[string]any) bool { return r[column] == value })
}

func (b book) write(row, to map[string]any) {
	b.t.Helper()
	for name, value := range to {
		switch value := b.value(value).(type) {
		case nil:
			delete(row, name)
		case map[string]any:
			if name != "custom_fields" {
				row[name] = value
				continue
			}
			fields, _ := row[name].(map[string]any)
			if fields == nil {
				fields = map[string]any{}
			}
			for field, v := range value {
				if fields[field] = v; v == nil {
					delete(fields, field)
				}
			}
			row[name] = fields
		default:
			row[name] = value
		}
	}
}

// value is v with the ids of rows in the place of their names.
func (b book) value(v any) any {
	b.t.Helper()
	switch v := v.(type) {
	case string:
		if name, ok := strings.CutPrefix(v, "@"); ok {
			return b.find(name).id()
		}
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = b.value(v[i])
		}
		return list
	case map[string]any:
		object := map[string]any{}
		for k := range v {
			object[k] = b.value(v[k])
		}
		return object
	}
	return v
}
