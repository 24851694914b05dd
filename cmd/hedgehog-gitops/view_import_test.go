package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hedgehog-gitops/render/hedgehog"
	"hedgehog-gitops/render/netbox"
)

// planText is a plan as people see it where nobody watches.
func planText(t *testing.T, p *netbox.Plan, before *netbox.Snapshot, width int) string {
	t.Helper()
	var out bytes.Buffer
	a := newApp(nil, &out, &out, env())
	a.width = width
	if err := printPlan(&listing{app: a, out: &out}, p, before); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// golden compares a text with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is otherwise now; got\n%s", file, got)
	}
}

// fewRecords is a NetBox in which [fewChanges] can be made.
func fewRecords() *netbox.Snapshot {
	return &netbox.Snapshot{Rows: netbox.Rows{
		Sites:         []netbox.Site{{ID: 1, Name: "Lab", Slug: "lab"}},
		Manufacturers: []netbox.Manufacturer{{ID: 1, Name: "Dell", Slug: "dell"}},
		DeviceTypes:   []netbox.DeviceType{{ID: 4, Manufacturer: 1, Model: "S5248F-ON", Slug: "s5248f-on"}},
		DeviceRoles:   []netbox.DeviceRole{{ID: 2, Slug: "leaf"}},
		Devices:       []netbox.Device{{ID: 7, Name: "leaf-1"}, {ID: 8, Name: "web-1"}},
		Interfaces:    []netbox.Interface{{ID: 30, Device: 7, Name: "E1/5"}, {ID: 31, Device: 8, Name: "eth0"}},
		VLANs:         []netbox.VLAN{{ID: 10, VID: 1010, Name: "web"}, {ID: 11, VID: 1011, Name: "db"}, {ID: 12, VID: 1012, Name: "guest"}},
		ASNs:          []netbox.ASN{{ID: 3, ASN: 65101}},
		VRFs:          []netbox.VRF{{ID: 5, Name: "apps"}},
	}}
}

// fewPlan is a plan of changes that an engineer makes on an afternoon.
func fewPlan() *netbox.Plan {
	number := func(n int) json.Number { return json.Number(fmt.Sprint(n)) }
	return &netbox.Plan{
		Fabric: "lab", Base: "0",
		Changes: []netbox.Change{
			{Action: netbox.Delete, Model: "ipam.prefix", ID: 40, Name: "10.0.9.0/24", Before: map[string]any{"prefix": "10.0.9.0/24", "status": "active"}},
			{Action: netbox.Create, Model: "dcim.device", ID: 9, Name: "leaf-2",
				After: map[string]any{"name": "leaf-2", "device_type": number(4), "role": number(2), "site": number(1), "status": "active", "serial": "L2",
					"custom_fields": map[string]any{"hedgehog_asn": map[string]any{"id": number(3)}}},
				For: []netbox.Cause{{Kind: hedgehog.KindSwitch, Name: "leaf-2", Origin: "wiring.yaml:12"}}},
			{Action: netbox.Create, Model: "dcim.interface", ID: 50, Name: "leaf-2 E1/1",
				After: map[string]any{"device": number(9), "name": "E1/1", "type": "25gbase-x-sfp28", "enabled": true},
				For: []netbox.Cause{{Kind: hedgehog.KindSwitch, Name: "leaf-2", Origin: "wiring.yaml:12"},
					{Kind: hedgehog.KindConnection, Name: "web-1--unbundled--leaf-2", Origin: "wiring.yaml:40"}}},
			{Action: netbox.Create, Model: "dcim.cable", ID: 20, Name: "leaf-2 E1/1 - web-1 eth0", After: map[string]any{"status": "connected"},
				For: []netbox.Cause{{Kind: hedgehog.KindConnection, Name: "web-1--unbundled--leaf-2", Origin: "wiring.yaml:40"}}},
			{Action: netbox.Create, Model: "dcim.cabletermination", ID: 60, Name: "leaf-2 E1/1",
				After: map[string]any{"cable": number(20), "cable_end": "A", "termination_type": "dcim.interface", "termination_id": number(50)}},
			{Action: netbox.Create, Model: "dcim.cabletermination", ID: 61, Name: "web-1 eth0",
				After: map[string]any{"cable": number(20), "cable_end": "B", "termination_type": "dcim.interface", "termination_id": number(31)}},
			{Action: netbox.Update, Model: "dcim.interface", ID: 30, Name: "leaf-1 E1/5",
				Before: map[string]any{"mode": "access", "untagged_vlan": number(10), "tagged_vlans": []any{number(11), number(99)}},
				After:  map[string]any{"mode": "tagged", "untagged_vlan": nil, "tagged_vlans": []any{number(11), number(12)}},
				For:    []netbox.Cause{{Kind: hedgehog.KindVPCAttachment, Name: "guest--wifi--web-1", Origin: "-:7"}}},
			{Action: netbox.Update, Model: "ipam.vrf", ID: 5, Name: "apps",
				Before: map[string]any{"custom_fields": map[string]any{"hedgehog_spec": nil}},
				After:  map[string]any{"custom_fields": map[string]any{"hedgehog_spec": map[string]any{"spec": map[string]any{"mode": "l3vni"}}}},
				For: []netbox.Cause{{Kind: hedgehog.KindVPC, Name: "apps", Origin: "vpcs.yaml:1"}, {Kind: hedgehog.KindVPCAttachment, Name: "a"},
					{Kind: hedgehog.KindVPCAttachment, Name: "b"}, {Kind: hedgehog.KindVPCAttachment, Name: "c"}, {Kind: hedgehog.KindVPCAttachment, Name: "d"}}},
		},
		OnlyInNetBox: []netbox.OnlyThere{
			{Kind: hedgehog.KindVPC, Name: "forgotten", Origin: "/ipam/vrfs/9/"},
			{Kind: hedgehog.KindServer, Name: "old\x1b[31m", Origin: "/dcim/devices/12/"},
		},
		Shares: netbox.Shares{Native: 9600, CustomFields: 395, Spec: 5},
	}
}

// At a few changes every one is told, with what it refers to by name.
func TestAPlanOfFewChanges(t *testing.T) {
	t.Parallel()
	golden(t, "import/plan-few.txt", planText(t, fewPlan(), fewRecords(), defaultWidth))
}

// A saved plan may be all there is: what it does not name has its number then.
func TestAPlanWithoutItsRecords(t *testing.T) {
	t.Parallel()
	content, err := encodePlan(fewPlan())
	if err != nil {
		t.Fatal(err)
	}
	plan, err := decodePlan(content)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "import/plan-saved.txt", planText(t, plan, nil, defaultWidth))
}

// manyPlan is a plan of a fabric of that many leaves.
func manyPlan(leaves int) *netbox.Plan {
	p := &netbox.Plan{Fabric: "lab", Base: "0", Shares: netbox.Shares{Native: 1}}
	add := func(action, model, name string, fields map[string]any) {
		c := netbox.Change{Action: action, Model: model, ID: netbox.ID(len(p.Changes) + 1), Name: name}
		if c.After = fields; action == netbox.Delete {
			c.Before, c.After = fields, nil
		}
		p.Changes = append(p.Changes, c)
	}
	for i := range leaves {
		leaf := fmt.Sprintf("leaf-%03d", i+1)
		add(netbox.Create, "dcim.device", leaf, map[string]any{"name": leaf})
		for port := range 24 {
			add(netbox.Create, "dcim.interface", fmt.Sprintf("%s E1/%d", leaf, port+1), map[string]any{"name": "E1"})
		}
		add(netbox.Update, "dcim.interface", leaf+" E1/48", map[string]any{"enabled": true, "custom_fields": map[string]any{"hedgehog_link": "fabric"}})
		add(netbox.Update, "dcim.interface", leaf+" M1", map[string]any{"mtu": 9000})
		if i < 3 {
			add(netbox.Delete, "ipam.vlan", fmt.Sprintf("%d old", 3000+i), map[string]any{"name": "old"})
		}
		p.OnlyInNetBox = append(p.OnlyInNetBox, netbox.OnlyThere{Kind: hedgehog.KindServer, Name: fmt.Sprintf("server-%d", i), Origin: "/dcim/devices/1/"})
	}
	return p
}

// At thousands of changes the text stays one that people read, and no line of it is
// longer than the terminal is wide.
func TestAPlanOfThousandsOfChanges(t *testing.T) {
	t.Parallel()
	plan := manyPlan(190)
	if n := len(plan.Changes); n < 5000 {
		t.Fatalf("only %d changes", n)
	}
	text := planText(t, plan, nil, defaultWidth)
	golden(t, "import/plan-thousands.txt", text)
	for _, width := range []int{80, 120, 200} {
		for line := range strings.SplitSeq(planText(t, plan, nil, width), "\n") {
			if n := len([]rune(line)); n > width && !strings.Contains(line, "--") {
				t.Errorf("at a width of %d a line of %d: %s", width, n, line)
			}
		}
	}
}

// What people wrote into NetBox does nothing to a terminal.
func TestAPlanIsSafeToShow(t *testing.T) {
	t.Parallel()
	const evil = "x\x1b[31m\x07\r\n- device gone\u202e"
	p := fewPlan()
	for i := range p.Changes {
		c := &p.Changes[i]
		c.Name += evil
		c.For = append(c.For, netbox.Cause{Kind: evil, Name: evil, Origin: evil})
		for _, fields := range []map[string]any{c.Before, c.After} {
			if fields != nil {
				fields["text"+evil] = evil
				fields["list"] = []any{evil, evil}
				fields["tree"] = map[string]any{evil: evil}
			}
		}
	}
	before := fewRecords()
	before.Rows.VLANs[2].Name = evil
	before.Rows.Sites[0].Name = evil
	text := planText(t, p, before, defaultWidth)
	if strings.ContainsAny(text, "\x1b\x07\r\u202e") || strings.Contains(text, "\n- device gone") {
		t.Errorf("shown as it is:\n%q", text)
	}
}

// A saved plan is exactly what was shown, or it is refused.
func TestASavedPlanIsWhatWasMade(t *testing.T) {
	t.Parallel()
	content, err := encodePlan(fewPlan())
	if err != nil {
		t.Fatal(err)
	}
	plan, err := decodePlan(content)
	if err != nil {
		t.Fatal(err)
	}
	again, err := encodePlan(plan)
	if err != nil || !bytes.Equal(content, again) {
		t.Errorf("written again it is otherwise: %v\n%s", err, again)
	}
	if bytes.Contains(content, []byte("null")) != bytes.Contains(content, []byte(`"untagged_vlan": null`)) {
		t.Errorf("a list is null:\n%s", content)
	}
	for name, change := range map[string][2]string{
		"another value":   {`"serial": "L2"`, `"serial": "L3"`},
		"another action":  {`"action": "update"`, `"action": "delete"`},
		"another base":    {`"base": "0"`, `"base": "1"`},
		"another version": {`"format_version": "1"`, `"format_version": "2"`},
		"no digest":       {`"digest"`, `"digested"`},
		"half a file":     {"}\n}", "}"},
	} {
		edited := strings.Replace(string(content), change[0], change[1], 1)
		if edited == string(content) {
			t.Fatalf("%s: not in it: %s", name, change[0])
		}
		if _, err := decodePlan([]byte(edited)); err == nil {
			t.Errorf("%s: taken all the same", name)
		}
	}
}

func TestPercent(t *testing.T) {
	t.Parallel()
	for want, n := range map[string]int{"0 %": 0, "under 1 %": 1, "1 %": 10, "50 %": 500, "over 99 %": 999, "100 %": 1000} {
		if got := percent(n, 1000); got != want {
			t.Errorf("%d of 1000 is %s, want %s", n, got, want)
		}
	}
}
