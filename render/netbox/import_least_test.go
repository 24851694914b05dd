package netbox_test

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"hedgehog-gitops/render/hedgehog"
	"hedgehog-gitops/render/netbox"
)

// smallFabric is a fabric in which every change can be tried.
const smallFabric = `
{apiVersion: wiring.githedgehog.com/v1beta1, kind: VLANNamespace, metadata: {name: default}, spec: {ranges: [{from: 1000, to: 1999}]}}
---
{apiVersion: vpc.githedgehog.com/v1beta1, kind: IPv4Namespace, metadata: {name: default}, spec: {subnets: [10.0.0.0/16]}}
---
{apiVersion: wiring.githedgehog.com/v1beta1, kind: Switch, metadata: {name: leaf-1}, spec: {role: server-leaf, profile: vs, boot: {mac: "0c:20:12:ee:00:01"}, vlanNamespaces: [default]}}
---
{apiVersion: wiring.githedgehog.com/v1beta1, kind: Server, metadata: {name: web-1}, spec: {description: the front}}
---
{apiVersion: wiring.githedgehog.com/v1beta1, kind: Server, metadata: {name: db-1}, spec: {}}
---
{apiVersion: wiring.githedgehog.com/v1beta1, kind: Connection, metadata: {name: web-1--unbundled--leaf-1}, spec: {unbundled: {link: {server: {port: web-1/eth0}, switch: {port: leaf-1/E1/1}}}}}
---
{apiVersion: wiring.githedgehog.com/v1beta1, kind: Connection, metadata: {name: db-1--bundled--leaf-1}, spec: {bundled: {links: [{server: {port: db-1/eth0}, switch: {port: leaf-1/E1/2}}, {server: {port: db-1/eth1}, switch: {port: leaf-1/E1/3}}]}}}
---
{apiVersion: vpc.githedgehog.com/v1beta1, kind: VPC, metadata: {name: apps}, spec: {subnets: {web: {subnet: 10.0.1.0/24, vlan: 1001, dhcp: {enable: true, range: {start: 10.0.1.10, end: 10.0.1.99}}}, db: {subnet: 10.0.2.0/24, vlan: 1002}}}}
---
{apiVersion: vpc.githedgehog.com/v1beta1, kind: VPC, metadata: {name: staff}, spec: {subnets: {desks: {subnet: 10.0.3.0/24, vlan: 1003}}}}
---
{apiVersion: vpc.githedgehog.com/v1beta1, kind: VPCAttachment, metadata: {name: apps--web--web-1--unbundled--leaf-1}, spec: {subnet: apps/web, connection: web-1--unbundled--leaf-1}}
---
{apiVersion: vpc.githedgehog.com/v1beta1, kind: VPCAttachment, metadata: {name: apps--db--db-1--bundled--leaf-1}, spec: {subnet: apps/db, connection: db-1--bundled--leaf-1}}
---
{apiVersion: vpc.githedgehog.com/v1beta1, kind: VPCPeering, metadata: {name: apps--staff}, spec: {permit: [{apps: {subnets: [web]}, staff: {}}]}}
`

// smallEdits are what somebody may change in it, as pairs of texts to replace.
func smallEdits() map[string][]string {
	return map[string][]string{
		"a description":                   {"the front", "the back"},
		"no description":                  {"{description: the front}", "{}"},
		"a VLAN":                          {"vlan: 1003", "vlan: 1033"},
		"a network":                       {"10.0.3.0/24", "10.0.4.0/24"},
		"a subnet's name":                 {"desks:", "tables:"},
		"an end of the DHCP range":        {"10.0.1.99", "10.0.1.120"},
		"no DHCP":                         {", dhcp: {enable: true, range: {start: 10.0.1.10, end: 10.0.1.99}}", ""},
		"an isolated subnet":              {"vlan: 1002", "vlan: 1002, isolated: true"},
		"another subnet attached":         {"{subnet: apps/web, connection: web-1", "{subnet: staff/desks, connection: web-1"},
		"a native VLAN":                   {"connection: web-1--unbundled--leaf-1}", "connection: web-1--unbundled--leaf-1, nativeVLAN: true}"},
		"a server's port":                 {"web-1/eth0", "web-1/eth7"},
		"a switch's port":                 {"leaf-1/E1/1}", "leaf-1/E1/9}"},
		"the ports of a bundle":           {"leaf-1/E1/3}", "leaf-1/E1/4}"},
		"an MTU":                          {"leaf-1/E1/1}}}", "leaf-1/E1/1}}, mtu: 1500}"},
		"a peering open to all":           {"apps: {subnets: [web]}", "apps: {}"},
		"the name of an attachment":       {"name: apps--db--db-1--bundled--leaf-1", "name: the-database"},
		"a switch's role":                 {"role: server-leaf", "role: border-leaf"},
		"a switch's MAC":                  {"0c:20:12:ee:00:01", "0c:20:12:ee:00:99"},
		"a network of the IPv4 namespace": {"[10.0.0.0/16]", "[10.0.0.0/16, 10.9.0.0/16]"},
		"VLANs of the namespace":          {"to: 1999", "to: 1899"},
	}
}

// trial tells whether changes make NetBox say a fabric, and leave no port behind that has
// VLANs or a LAG without a cable.
type trial struct {
	t      testing.TB
	plan   netbox.Plan
	before *netbox.Snapshot
	c      netbox.Config
	want   string
}

func (r trial) does(changes []netbox.Change) bool {
	p := r.plan
	p.Changes = changes
	after, err := p.Apply(r.before)
	if err != nil {
		return false
	}
	cabled := map[netbox.ID]bool{}
	for _, e := range after.Rows.CableTerminations {
		cabled[e.Port] = true
	}
	for _, i := range after.Rows.Interfaces {
		if !cabled[i.ID] && i.Type != "lag" && (i.LAG != 0 || i.Mode != "") {
			return false
		}
	}
	got, _ := netbox.Map(after, r.c)
	return got != nil && encoded(r.t, got) == r.want
}

// counted is the number of changes that people see: a cable's ends are the cable's.
func counted(changes []netbox.Change) int {
	n := 0
	for _, c := range changes {
		if c.Model != "dcim.cabletermination" {
			n++
		}
	}
	return n
}

// subsets calls f for every proper subset of the changes.
func subsets(changes []netbox.Change, f func([]netbox.Change)) {
	for bits := range 1<<len(changes) - 1 {
		var some []netbox.Change
		for n := range changes {
			if bits>>n&1 == 1 {
				some = append(some, changes[n])
			}
		}
		f(some)
	}
}

// changesOfOneRow are all changes of one row that give one of its fields a value that
// occurs in that field of any row, before or after, that take the field away, or that
// delete the row. What hedgehog_spec and hedgehog_objects could say is left out, and so
// are the names of ports and roles, which are as the hardware or others have them.
func changesOfOneRow(t testing.TB, before, after *netbox.Snapshot) []netbox.Change {
	values := map[string]map[string]map[string]any{} // by model, field and text
	there := map[string]map[json.Number]map[string]any{}
	each := func(s *netbox.Snapshot, f func(model string, row map[string]any)) {
		v := reflect.ValueOf(s.Rows)
		for i := range v.NumField() {
			for n := range v.Field(i).Len() {
				data, err := json.Marshal(v.Field(i).Index(n).Interface())
				if err != nil {
					t.Fatal(err)
				}
				d := json.NewDecoder(strings.NewReader(string(data)))
				d.UseNumber()
				var row map[string]any
				if err := d.Decode(&row); err != nil {
					t.Fatal(err)
				}
				f(v.Type().Field(i).Tag.Get("json"), row)
			}
		}
	}
	for _, s := range []*netbox.Snapshot{before, after} {
		each(s, func(model string, row map[string]any) {
			if s == before {
				if there[model] == nil {
					there[model] = map[json.Number]map[string]any{}
				}
				there[model][row["id"].(json.Number)] = row
			}
			for field, v := range row {
				if field == "id" || field == "custom_fields" {
					continue
				}
				text, _ := json.Marshal(v)
				if values[model] == nil {
					values[model] = map[string]map[string]any{}
				}
				if values[model][field] == nil {
					values[model][field] = map[string]any{"null": nil}
				}
				values[model][field][string(text)] = v
			}
		})
	}
	var all []netbox.Change
	for _, model := range slices.Sorted(maps.Keys(there)) {
		for _, id := range slices.Sorted(maps.Keys(there[model])) {
			row := there[model][id]
			n, _ := id.Int64()
			all = append(all, netbox.Change{Action: netbox.Delete, Model: model, ID: netbox.ID(n), Before: row})
			for _, field := range slices.Sorted(maps.Keys(values[model])) {
				if model == "dcim.interface" && field == "name" || model == "dcim.devicerole" {
					continue
				}
				for _, text := range slices.Sorted(maps.Keys(values[model][field])) {
					if v := values[model][field][text]; !reflect.DeepEqual(v, row[field]) {
						all = append(all, netbox.Change{Action: netbox.Update, Model: model, ID: netbox.ID(n), Before: map[string]any{field: row[field]}, After: map[string]any{field: v}})
					}
				}
			}
		}
	}
	return all
}

// documentedSmall is the NetBox of the small fabric, without the ports that nobody uses.
func documentedSmall(t testing.TB, c netbox.Config) *netbox.Snapshot {
	want := wanted(t, "small.yaml", []byte(smallFabric))
	_, s := roundTrip(t, want, &netbox.Snapshot{}, c)
	used := map[netbox.ID]bool{}
	for _, e := range s.Rows.CableTerminations {
		used[e.Port] = true
	}
	for _, i := range s.Rows.Interfaces {
		used[i.LAG], used[i.Parent] = true, true
	}
	s.Rows.Interfaces = slices.DeleteFunc(s.Rows.Interfaces, func(i netbox.Interface) bool {
		return !used[i.ID] && i.Name != "M1" && !slices.Contains([]string{"E1/4", "E1/9"}, i.Name)
	})
	if plan, issues := netbox.Import(want, s, c, netbox.ImportOptions{}); plan == nil || !plan.Empty() {
		t.Fatalf("not the same NetBox: %+v\n%s", plan, lines(issues))
	}
	return s
}

// No plan has a change that it could do without, and none is larger than what trying
// finds: whatever one change of one row can do is planned as one change.
func TestPlansAreSmall(t *testing.T) {
	t.Parallel()
	c := netbox.DefaultConfig("lab")
	c.Settings.Target = hedgehog.TargetInstaller
	s := documentedSmall(t, c)
	for name, edit := range smallEdits() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := wanted(t, "small.yaml", []byte(replaced(t, smallFabric, edit...)))
			plan, issues := netbox.Import(want, s, c, netbox.ImportOptions{Prune: true})
			if plan == nil {
				t.Fatal(lines(issues))
			}
			r := trial{t, *plan, s, c, encoded(t, want)}
			t.Log(strings.Join(summary(plan), "; "))
			if !r.does(plan.Changes) {
				t.Fatal("the plan does not do it")
			}
			if len(plan.Changes) > 10 {
				t.Fatalf("%d changes", len(plan.Changes))
			}
			subsets(plan.Changes, func(some []netbox.Change) {
				if r.does(some) {
					t.Errorf("%d of the %d changes are enough: %v", len(some), len(plan.Changes), some)
				}
			})
			if counted(plan.Changes) < 2 {
				return
			}
			after, err := plan.Apply(s)
			if err != nil {
				t.Fatal(err)
			}
			for _, one := range changesOfOneRow(t, s, after) {
				if r.does([]netbox.Change{one}) {
					t.Errorf("one change is enough: %s %s %d: %v -> %v", one.Action, one.Model, one.ID, one.Before, one.After)
				}
			}
		})
	}
}

// Of several edits, no plan has a change that it could do without either.
func TestPlansOfSeveralEditsAreSmall(t *testing.T) {
	c := netbox.DefaultConfig("lab")
	c.Settings.Target = hedgehog.TargetInstaller
	s := documentedSmall(t, c)
	names := slices.Sorted(maps.Keys(smallEdits()))
	rapid.Check(t, func(r *rapid.T) {
		text := smallFabric
		for range rapid.IntRange(2, 3).Draw(r, "edits") {
			edit := smallEdits()[rapid.SampledFrom(names).Draw(r, "edit")]
			text = strings.ReplaceAll(text, edit[0], edit[1])
		}
		want := wanted(t, "small.yaml", []byte(text))
		plan, issues := netbox.Import(want, s, c, netbox.ImportOptions{Prune: true})
		if plan == nil {
			r.Fatal(lines(issues))
		}
		if len(plan.Changes) > 8 {
			r.Skip("too many to try")
		}
		tr := trial{t, *plan, s, c, encoded(t, want)}
		if !tr.does(plan.Changes) {
			r.Fatal("the plan does not do it")
		}
		subsets(plan.Changes, func(some []netbox.Change) {
			if tr.does(some) {
				r.Fatalf("%d of the %d changes are enough: %v of %v", len(some), len(plan.Changes), some, summary(plan))
			}
		})
	})
}

// A VLAN whose subnet goes is there for another subnet that wants it.
func TestAVLANChangesItsVPC(t *testing.T) {
	t.Parallel()
	c := netbox.DefaultConfig("lab")
	c.Settings.Target = hedgehog.TargetInstaller
	s := documentedSmall(t, c)
	want := wanted(t, "small.yaml", []byte(replaced(t, smallFabric,
		"db: {subnet: 10.0.2.0/24, vlan: 1002}}", "db: {subnet: 10.0.2.0/24, vlan: 1002}, guests: {subnet: 10.0.9.0/24, vlan: 1003}}",
		"desks: {subnet: 10.0.3.0/24, vlan: 1003}", "tables: {subnet: 10.0.8.0/24, vlan: 1044}")))
	plan, issues := netbox.Import(want, s, c, netbox.ImportOptions{Prune: true})
	if plan == nil {
		t.Fatal(lines(issues))
	}
	t.Log(summary(plan))
	after, err := plan.Apply(s)
	if err != nil {
		t.Fatal(err)
	}
	if got, issues := netbox.Map(after, c); got == nil || encoded(t, got) != encoded(t, want) {
		t.Errorf("rendered otherwise\n%s", lines(issues))
	}
}
