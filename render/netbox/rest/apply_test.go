package rest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"hedgehog-gitops/fixtures/netboxserver"
	"hedgehog-gitops/render/netbox"
	"hedgehog-gitops/render/netbox/rest"
)

// fields is a row as JSON has it.
type fields = map[string]any

func jsonOf(t testing.TB, v any) fields {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(strings.NewReader(string(data)))
	d.UseNumber()
	var out fields
	if err := d.Decode(&out); err != nil {
		t.Fatal(err)
	}
	return out
}

// rowsOf lists the rows of a snapshot by model.
func rowsOf(t testing.TB, rows netbox.Rows) map[string][]fields {
	t.Helper()
	all := map[string][]fields{}
	v := reflect.ValueOf(rows)
	for i := range v.NumField() {
		for n := range v.Field(i).Len() {
			model := v.Type().Field(i).Tag.Get("json")
			all[model] = append(all[model], jsonOf(t, v.Field(i).Index(n).Interface()))
		}
	}
	return all
}

// inOrder are the models as they are created, and what tells their objects apart.
func inOrder() [][]string {
	return [][]string{
		{"dcim.site", "slug"}, {"dcim.location", "slug"}, {"dcim.manufacturer", "slug"}, {"dcim.devicetype", "slug"}, {"dcim.devicerole", "slug"},
		{"ipam.asn", "asn"}, {"ipam.role", "slug"}, {"ipam.vlangroup", "slug"}, {"ipam.vlan", "group", "vid"}, {"ipam.routetarget", "name"},
		{"ipam.vrf", "name"}, {"ipam.prefix", "vrf", "prefix"}, {"ipam.iprange", "vrf", "start_address"},
		{"dcim.device", "name"}, {"dcim.interface", "device", "name"}, {"ipam.ipaddress", "vrf", "address"},
		{"dcim.cable", "label"}, {"dcim.cabletermination", "termination_type", "termination_id"},
	}
}

// planTo plans what makes NetBox hold exactly the rows of want: what is there is told
// by its natural key. Ids of want are its own.
func planTo(t testing.TB, want netbox.Rows, have *netbox.Snapshot) *netbox.Plan {
	t.Helper()
	digest, err := have.Digest()
	if err != nil {
		t.Fatal(err)
	}
	p := &netbox.Plan{Fabric: "north", Base: digest, ChangeID: have.ChangeID}
	wanted, there := rowsOf(t, want), rowsOf(t, have.Rows)
	ids := map[string]json.Number{} // of want's rows, by model and id
	key := func(row fields, by []string) string {
		text := ""
		for _, field := range by {
			text += fmt.Sprint(row[field], "|")
		}
		return text
	}
	next := 0
	byKey := map[string]map[string]fields{}
	for _, m := range inOrder() {
		byKey[m[0]] = map[string]fields{}
		for _, row := range there[m[0]] {
			byKey[m[0]][key(row, m[1:])] = row
			n, _ := row["id"].(json.Number).Int64()
			next = max(next, int(n))
		}
	}
	related := map[string]string{}
	for _, f := range netbox.CustomFields() {
		related[f.Name] = f.RelatedObjectType
	}
	// Ids first, since addresses are referred to before they are created.
	translate := func(row fields, model string) {
		id := func(model string, v any) any {
			if n, ok := v.(json.Number); ok {
				if to, ok := ids[model+" "+string(n)]; ok {
					return to
				}
			}
			return v
		}
		each := func(model string, v any) any {
			if list, ok := v.([]any); ok {
				for i := range list {
					if o, ok := list[i].(fields); ok {
						o["id"] = id(model, o["id"])
					} else {
						list[i] = id(model, list[i])
					}
				}
				slices.SortFunc(list, func(x, y any) int { return strings.Compare(fmt.Sprint(x), fmt.Sprint(y)) })
				return list
			}
			if o, ok := v.(fields); ok {
				o["id"] = id(model, o["id"])
				return o
			}
			return id(model, v)
		}
		for field, to := range netbox.References(model) {
			if v, ok := row[field]; ok {
				row[field] = each(to, v)
			}
		}
		if custom, ok := row["custom_fields"].(fields); ok {
			for name, v := range custom {
				if related[name] != "" {
					custom[name] = each(related[name], v)
				}
			}
		}
		for kind, field := range map[string]string{"assigned_object_type": "assigned_object_id", "termination_type": "termination_id"} {
			if to, ok := row[kind].(string); ok {
				row[field] = id(to, row[field])
			}
		}
		if scope, ok := row["scope"].(fields); ok && scope["type"] != "" {
			scope["id"] = id(scope["type"].(string), scope["id"])
		}
	}
	for _, m := range inOrder() {
		for _, row := range wanted[m[0]] {
			keyed := jsonOf(t, row)
			translate(keyed, m[0])
			name := m[0] + " " + string(row["id"].(json.Number))
			if old := byKey[m[0]][key(keyed, m[1:])]; old != nil {
				ids[name] = old["id"].(json.Number)
			} else {
				next++
				ids[name] = json.Number(fmt.Sprint(next))
			}
		}
	}
	var changes, deletes []netbox.Change
	number := func(v any) netbox.ID { n, _ := v.(json.Number).Int64(); return netbox.ID(n) }
	for _, m := range inOrder() {
		kept := map[string]bool{}
		for _, row := range wanted[m[0]] {
			row = jsonOf(t, row)
			translate(row, m[0])
			text := key(row, m[1:])
			kept[text] = true
			id := ids[m[0]+" "+string(row["id"].(json.Number))]
			delete(row, "id")
			old := byKey[m[0]][text]
			if old == nil {
				changes = append(changes, netbox.Change{Action: netbox.Create, Model: m[0], ID: number(id), Name: text, Before: fields{}, After: row})
				continue
			}
			c := netbox.Change{Action: netbox.Update, Model: m[0], ID: number(id), Name: text, Before: fields{}, After: fields{}}
			differ(old, row, c.Before, c.After)
			if len(c.After) > 0 {
				changes = append(changes, c)
			}
		}
		for text, row := range byKey[m[0]] {
			if !kept[text] && m[0] != "ipam.role" && m[0] != "ipam.asn" {
				c := netbox.Change{Action: netbox.Delete, Model: m[0], ID: number(row["id"]), Name: text, Before: maps.Clone(row), After: fields{}}
				delete(c.Before, "id")
				deletes = append(deletes, c)
			}
		}
	}
	slices.Reverse(deletes)
	rank := func(c netbox.Change) int {
		return slices.IndexFunc(inOrder(), func(m []string) bool { return m[0] == c.Model })
	}
	slices.SortStableFunc(deletes, func(a, b netbox.Change) int { return rank(b) - rank(a) })
	p.Changes = append(deletes, changes...)
	return p
}

func differ(old, row, before, after fields) {
	names := fields{}
	maps.Copy(names, old)
	maps.Copy(names, row)
	delete(names, "id")
	for name := range names {
		x, y := old[name], row[name]
		if name == "custom_fields" {
			f, _ := x.(fields)
			g, _ := y.(fields)
			b, a := fields{}, fields{}
			differ(f, g, b, a)
			if len(a) > 0 {
				before[name], after[name] = b, a
			}
			continue
		}
		if !reflect.DeepEqual(x, y) {
			before[name], after[name] = x, y
		}
	}
}

// bare gives the test a NetBox in which the mapping's fields are prepared, with one
// site.
func bare(t *testing.T) *netboxserver.Server {
	t.Helper()
	return netboxserver.StartFrom(t, "rest-apply", "2", func(url, token string) error {
		c, err := rest.New(rest.Options{URL: url, Token: token})
		if err != nil {
			return err
		}
		if _, err := rest.Bootstrap(context.Background(), c, rest.BootstrapOptions{}); err != nil {
			return err
		}
		req, err := http.NewRequest(http.MethodPost, url+"/api/dcim/sites/", strings.NewReader(`{"name": "DC", "slug": "dc"}`))
		if err != nil {
			return err
		}
		req.Header.Set("Authorization", "Bearer "+token)
		req.Header.Set("Content-Type", "application/json")
		answer, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		if answer.StatusCode != http.StatusCreated {
			return errors.New(answer.Status)
		}
		return nil
	})
}

func readDC(t *testing.T, c *rest.Client) *netbox.Snapshot {
	t.Helper()
	config := netbox.DefaultConfig("north")
	config.Site = "dc"
	s, issues, err := rest.Read(t.Context(), c, []netbox.Config{config})
	if err != nil || len(issues) > 0 {
		t.Fatal(err, issues)
	}
	return s
}

// a little network: two leaves with a template, a server, a LAG, channels with a
// breakout cable, VLANs, a VRF, and references in every direction.
func network() netbox.Rows {
	object := func(id int) any { return map[string]any{"id": id} }
	r := netbox.Rows{
		Sites:         []netbox.Site{{ID: 1, Name: "DC", Slug: "dc"}},
		Locations:     []netbox.Location{{ID: 1, Name: "Hall", Slug: "hall", Site: 1}, {ID: 2, Name: "Cage", Slug: "cage", Site: 1, Parent: 1}},
		Manufacturers: []netbox.Manufacturer{{ID: 1, Name: "Celestica", Slug: "celestica"}},
		DeviceTypes: []netbox.DeviceType{
			{ID: 1, Manufacturer: 1, Model: "DS3000", Slug: "ds3000", Fields: netbox.Fields{"hedgehog_switch_profile": "celestica-ds3000"}},
			{ID: 2, Manufacturer: 1, Model: "Server", Slug: "server"}},
		DeviceRoles: []netbox.DeviceRole{{ID: 1, Slug: "server-leaf"}, {ID: 2, Slug: "server"}},
		ASNs:        []netbox.ASN{{ID: 1, ASN: 65101}, {ID: 2, ASN: 4200000001}, {ID: 3, ASN: 3320}},
		IPAMRoles:   []netbox.IPAMRole{{ID: 1, Slug: "dhcp"}},
		VLANGroups: []netbox.VLANGroup{
			{ID: 1, Name: "default", Slug: "default", Scope: netbox.Scope{Type: "dcim.site", ID: 1}, VIDRanges: [][2]uint16{{100, 199}, {1000, 2999}}, Tags: []string{"hedgehog"}},
			{ID: 2, Name: "other", Slug: "other", Scope: netbox.Scope{Type: "dcim.location", ID: 2}, VIDRanges: [][2]uint16{{3000, 3100}}}},
		VLANs:        []netbox.VLAN{{ID: 1, VID: 1001, Name: "web", Group: 1, Status: "active"}, {ID: 2, VID: 1002, Name: "db", Group: 1, Status: "active"}},
		RouteTargets: []netbox.RouteTarget{{ID: 1, Name: "65000:1", Tags: []string{"hedgehog"}, Fields: netbox.Fields{"hedgehog_permit": []any{map[string]any{"a": map[string]any{"subnets": []any{"web"}}}}}}, {ID: 2, Name: "65000:2"}},
		VRFs: []netbox.VRF{
			{ID: 1, Name: "vpc-1", ImportTargets: []netbox.ID{1, 2}, ExportTargets: []netbox.ID{1}, Fields: netbox.Fields{"hedgehog_vpc_mode": "l2vni", "hedgehog_default_isolated": true}},
			{ID: 2, Name: "vpc-2"}},
		Prefixes: []netbox.Prefix{
			{ID: 1, Prefix: "10.0.0.0/16", Status: "container", Scope: netbox.Scope{Type: "dcim.site", ID: 1}, Tags: []string{"hedgehog"}},
			{ID: 2, Prefix: "10.0.1.0/24", VRF: 1, VLAN: 1, Status: "active", Fields: netbox.Fields{"hedgehog_dhcp": "relay", "hedgehog_dhcp_relay_vpc": object(2), "hedgehog_dhcp_options": map[string]any{"interfaceMTU": 9036}}},
			{ID: 3, Prefix: "10.0.2.0/24", VRF: 1, VLAN: 2, Status: "active"}},
		IPRanges: []netbox.IPRange{{ID: 1, Start: "10.0.1.10/24", End: "10.0.1.99/24", VRF: 1, Role: 1, Status: "active"}},
		IPAddresses: []netbox.IPAddress{
			{ID: 1, Address: "172.30.0.5/21", Status: "active", Type: "dcim.interface", Object: 90},
			{ID: 2, Address: "172.30.8.1/32", Status: "active", Role: "loopback", Type: "dcim.interface", Object: 92},
			{ID: 3, Address: "192.168.0.1/31", Status: "active"}},
		Cables: []netbox.Cable{
			{ID: 1, Status: "connected", Label: "one", Fields: netbox.Fields{"hedgehog_link": "mesh"}},
			{ID: 2, Status: "connected", Label: "two"}, {ID: 3, Status: "planned", Label: "three"},
			{ID: 4, Status: "connected", Label: "four", Profile: "breakout-1c4p-4c1p"}},
	}
	r.Devices = []netbox.Device{
		{ID: 1, Name: "leaf-1", DeviceType: 1, Role: 1, Site: 1, Location: 2, Status: "active", Serial: "S1", OOBIP: 1, Tags: []string{"hedgehog"},
			Context: map[string]any{"switch": map[string]any{"enableAllPorts": true}},
			Fields:  netbox.Fields{"hedgehog_asn": object(1), "hedgehog_vlan_namespaces": []any{object(1), object(2)}, "hedgehog_switch_groups": []any{"b", "a"}}},
		{ID: 2, Name: "leaf-2", DeviceType: 1, Role: 1, Site: 1, Location: 2, Status: "active", Description: "the second"},
		{ID: 3, Name: "server-1", DeviceType: 2, Role: 2, Site: 1, Status: "active"}}
	for d := range 2 {
		for n := range 4 {
			i := netbox.Interface{ID: netbox.ID(10*d + n + 1), Device: netbox.ID(d + 1), Name: fmt.Sprintf("E1/%d", n+1), Type: "25gbase-x-sfp28", Enabled: true}
			switch {
			case d == 0 && n == 0: // a member of a LAG
				i.LAG, i.MTU, i.Speed = 95, 9100, 25000000
			case d == 0 && n == 1: // a breakout
				i.Channels = 4
			case d == 1 && n == 2:
				i.Enabled, i.Fields = false, netbox.Fields{"hedgehog_neighbor_ip": object(3), "hedgehog_external_options": map[string]any{"static": map[string]any{"vlan": 7}}}
			}
			r.Interfaces = append(r.Interfaces, i)
		}
		r.Interfaces = append(r.Interfaces, netbox.Interface{ID: netbox.ID(90 + d), Device: netbox.ID(d + 1), Name: "M1", Type: "1000base-t", Enabled: true, MgmtOnly: true, MAC: fmt.Sprintf("02:00:00:00:00:0%d", d+1)})
	}
	for n := range 4 {
		r.Interfaces = append(r.Interfaces, netbox.Interface{ID: netbox.ID(30 + n), Device: 1, Name: fmt.Sprintf("E1/2/%d", n+1), Type: "channel", Enabled: true, Parent: 2, ChannelID: n + 1, Speed: 25000000})
		r.Interfaces = append(r.Interfaces, netbox.Interface{ID: netbox.ID(40 + n), Device: 3, Name: fmt.Sprintf("eth%d", n+1), Type: "25gbase-x-sfp28", Enabled: true})
	}
	r.Interfaces = append(r.Interfaces,
		netbox.Interface{ID: 92, Device: 1, Name: "Loopback0", Type: "virtual", Enabled: true},
		netbox.Interface{ID: 93, Device: 3, Name: "bond0", Type: "lag", Enabled: true, Mode: "tagged", UntaggedVLAN: 2, TaggedVLANs: []netbox.ID{1}, Fields: netbox.Fields{"hedgehog_lacp_fallback": true}},
		netbox.Interface{ID: 94, Device: 3, Name: "eth5", Type: "25gbase-x-sfp28", Enabled: true, LAG: 93},
		netbox.Interface{ID: 95, Device: 1, Name: "PortChannel1", Type: "lag", Enabled: true},
		netbox.Interface{ID: 96, Device: 1, Name: "PortChannel1.7", Type: "virtual", Enabled: true, Parent: 95, VRF: 1})
	end := func(cable, port netbox.ID, side string, connector int, positions ...int) {
		r.CableTerminations = append(r.CableTerminations, netbox.CableTermination{ID: netbox.ID(len(r.CableTerminations) + 1), Cable: cable, End: side, Type: "dcim.interface", Port: port, Connector: connector, Positions: positions})
	}
	end(1, 3, "A", 0)
	end(1, 13, "B", 0)
	end(2, 1, "A", 0)
	end(2, 94, "B", 0)
	end(3, 4, "A", 0)
	end(3, 14, "B", 0)
	end(4, 2, "A", 1, 1, 2, 3, 4)
	for n := range 4 {
		end(4, netbox.ID(40+n), "B", n+1, 1)
	}
	return r
}

// changed is the network after some days: things moved, changed and went.
func changed() netbox.Rows {
	r := network()
	drop := func(i *netbox.Interface) bool { return i.Name == "PortChannel1.7" || i.Name == "PortChannel1" }
	r.Interfaces = slices.DeleteFunc(r.Interfaces, func(i netbox.Interface) bool { return drop(&i) })
	for n := range r.Interfaces {
		i := &r.Interfaces[n]
		switch {
		case i.ID == 1:
			i.LAG, i.MTU, i.Mode, i.UntaggedVLAN = 0, 0, "access", 3
		case i.ID == 93:
			i.Mode, i.UntaggedVLAN, i.TaggedVLANs, i.Fields = "", 0, nil, nil
		case i.ID == 90:
			i.MAC = "02:00:00:00:00:AA"
		case i.ID == 91:
			i.MAC, i.MgmtOnly = "", false
		case i.ID == 2:
			i.Channels = 0
		case i.ID >= 30 && i.ID < 34:
			i.Type, i.Parent, i.ChannelID = "25gbase-x-sfp28", 0, 0
		case i.ID == 13:
			i.Fields = netbox.Fields{"hedgehog_neighbor_ip": map[string]any{"id": 4}}
		}
	}
	// Another VRF takes the prefixes of the first, which goes.
	r.VRFs = append(r.VRFs[1:], netbox.VRF{ID: 3, Name: "vpc-3", RD: "65000:3", ExportTargets: []netbox.ID{2}})
	r.Prefixes[1].VRF, r.Prefixes[1].Fields, r.Prefixes[1].VLAN = 3, nil, 3
	r.Prefixes = r.Prefixes[:2]
	r.IPRanges[0].VRF = 3
	r.VLANGroups[0].VIDRanges = [][2]uint16{{100, 199}, {1000, 3500}}
	r.VLANs = []netbox.VLAN{{ID: 1, VID: 1001, Name: "web2", Group: 1, Status: "active"}, {ID: 3, VID: 3333, Name: "new", Group: 1, Status: "reserved"}}
	r.RouteTargets = r.RouteTargets[1:]
	// The management address changes its port, another takes its place.
	r.IPAddresses[0].Object = 91
	r.IPAddresses = append(r.IPAddresses, netbox.IPAddress{ID: 4, Address: "192.168.0.3/31", Status: "active"}, netbox.IPAddress{ID: 5, Address: "172.30.0.6/21", Status: "active", Type: "dcim.interface", Object: 90})
	r.IPAddresses = slices.Delete(r.IPAddresses, 2, 3)
	r.Devices[0].OOBIP, r.Devices[1].OOBIP = 5, 1
	r.Devices[0].Context, r.Devices[0].Serial, r.Devices[0].Location = nil, "", 1
	r.Devices[0].Fields = netbox.Fields{"hedgehog_asn": map[string]any{"id": 2}, "hedgehog_vlan_namespaces": []any{map[string]any{"id": 1}}}
	r.Devices[1].Context, r.Devices[1].Description, r.Devices[1].Tags = map[string]any{"switch": map[string]any{"x": 1}}, "", []string{"hedgehog"}
	r.Locations = r.Locations[:1]
	r.VLANGroups = r.VLANGroups[:1]
	r.Devices[1].Location = 0
	// One cable moves an end, one is replaced, one goes.
	r.Cables = []netbox.Cable{{ID: 1, Status: "planned", Label: "one"}, {ID: 2, Status: "connected", Label: "two"}, {ID: 5, Status: "connected", Label: "five"}}
	r.CableTerminations = slices.DeleteFunc(r.CableTerminations, func(e netbox.CableTermination) bool { return e.Cable == 4 || e.Cable == 3 })
	for n := range r.CableTerminations {
		if e := &r.CableTerminations[n]; e.Cable == 1 && e.End == "B" {
			e.Port = 14
		}
	}
	for n, port := range []netbox.ID{30, 40} {
		r.CableTerminations = append(r.CableTerminations, netbox.CableTermination{ID: netbox.ID(50 + n), Cable: 5, End: string(rune('A' + n)), Type: "dcim.interface", Port: port})
	}
	return r
}

// applied applies until NetBox holds the rows; each run plans anew.
func applied(t *testing.T, c *rest.Client, want netbox.Rows, o rest.ApplyOptions) rest.Applied {
	t.Helper()
	before := readDC(t, c)
	p := planTo(t, want, before)
	done, err := rest.Apply(t.Context(), c, p, before, o)
	if err != nil {
		t.Fatalf("after %d of %d: %v", done.Done, done.Total, err)
	}
	return done
}

// settled checks that NetBox holds the rows and nothing besides.
func settled(t *testing.T, c *rest.Client, want netbox.Rows) {
	t.Helper()
	for _, n := range planTo(t, want, readDC(t, c)).Changes {
		t.Errorf("NetBox still needs: %s %s %s: %v -> %v", n.Action, n.Model, n.Name, n.Before, n.After)
	}
}

func TestApply(t *testing.T) {
	t.Parallel()
	s := bare(t)
	var requests []string
	c := client(t, s.URL, s.Token, func(o *rest.Options) {
		o.Observe = func(e rest.Event) {
			if e.Method != http.MethodGet {
				requests = append(requests, e.Method+" "+e.Path)
			}
		}
	})
	steps := 0
	done := applied(t, c, network(), rest.ApplyOptions{Message: "run 1", Progress: func(n, total int) {
		if n < steps || n > total {
			t.Errorf("progress went from %d to %d of %d", steps, n, total)
		}
		steps = n
	}})
	if done.Done != done.Total || steps != done.Total || done.Total == 0 {
		t.Errorf("%d of %d done, the last progress was %d", done.Done, done.Total, steps)
	}
	settled(t, c, network())
	if len(done.IDs["dcim.interface"]) != len(network().Interfaces) {
		t.Errorf("%d interfaces have ids", len(done.IDs["dcim.interface"]))
	}

	// The leaves' ports came from templates.
	var list struct{ Count int }
	must(t, s, http.MethodGet, "/api/dcim/interface-templates/", nil, &list)
	if list.Count != 5 {
		t.Errorf("%d templates", list.Count)
	}
	var log struct{ Results []struct{ Message string } }
	must(t, s, http.MethodGet, "/api/core/object-changes/?changed_object_type=dcim.cable&limit=1", nil, &log)
	if len(log.Results) != 1 || !strings.HasPrefix(log.Results[0].Message, "run 1 (") {
		t.Errorf("the change log: %v", log.Results)
	}

	// What people said besides stays.
	must(t, s, http.MethodPatch, fmt.Sprintf("/api/dcim/devices/%d/", find(t, s, "/api/dcim/devices/?name=leaf-1")),
		map[string]any{"comments": "ours", "local_context_data": map[string]any{"ntp": "here", "hedgehog": map[string]any{"switch": map[string]any{"enableAllPorts": true}}}}, nil)
	cable := find(t, s, "/api/dcim/cables/?label=one")
	must(t, s, http.MethodPatch, fmt.Sprintf("/api/dcim/cables/%d/", cable), map[string]any{"color": "ff0000"}, nil)
	requests = nil
	if done := applied(t, c, changed(), rest.ApplyOptions{Message: "run 2"}); done.Done != done.Total {
		t.Errorf("%d of %d", done.Done, done.Total)
	}
	settled(t, c, changed())
	var device struct {
		Comments string
		Local    map[string]any `json:"local_context_data"`
	}
	must(t, s, http.MethodGet, fmt.Sprintf("/api/dcim/devices/%d/", find(t, s, "/api/dcim/devices/?name=leaf-1")), nil, &device)
	if device.Comments != "ours" || len(device.Local) != 1 || device.Local["ntp"] != "here" {
		t.Errorf("people's data: %v", device)
	}
	var kept struct{ Color string }
	must(t, s, http.MethodGet, fmt.Sprintf("/api/dcim/cables/%d/", cable), nil, &kept)
	if kept.Color != "ff0000" {
		t.Errorf("the color of the cable is %q", kept.Color)
	}
	must(t, s, http.MethodGet, "/api/dcim/mac-addresses/", nil, &list)
	if list.Count != 1 {
		t.Errorf("%d MAC addresses are left", list.Count)
	}
	// And back.
	applied(t, c, network(), rest.ApplyOptions{})
	settled(t, c, network())
}

// trouble stands before a NetBox and does to each request what do says.
func trouble(t *testing.T, s *netboxserver.Server, do func(r *http.Request) string) string {
	t.Helper()
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		kill := func() { panic(http.ErrAbortHandler) }
		what := do(r)
		if what == "reset" {
			kill()
		}
		req, err := http.NewRequestWithContext(r.Context(), r.Method, s.URL+r.URL.RequestURI(), r.Body)
		if err != nil {
			kill()
		}
		req.ContentLength = r.ContentLength
		req.Header = r.Header.Clone()
		answer, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			kill()
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			kill()
		}
		switch what {
		case "lost":
			kill()
		case "500":
			w.WriteHeader(http.StatusInternalServerError)
			return
		case "504":
			w.WriteHeader(http.StatusGatewayTimeout)
			return
		}
		maps.Copy(w.Header(), answer.Header)
		w.WriteHeader(answer.StatusCode)
		w.Write(body)
	}))
	t.Cleanup(proxy.Close)
	return proxy.URL
}

func writes(r *http.Request) bool { return r.Method != http.MethodGet && r.ContentLength > 4 }

// Killed after every write or two, with its answer or without: the next runs finish,
// and nothing is there twice.
func TestApplyKilledAtEachRequest(t *testing.T) {
	t.Parallel()
	s := bare(t)
	good := client(t, s.URL, s.Token)
	for step, want := range []netbox.Rows{network(), changed()} {
		for run := 0; ; run++ {
			if run > 150 {
				t.Fatal("there is no end")
			}
			var mu sync.Mutex
			n := 0
			url := trouble(t, s, func(r *http.Request) string {
				mu.Lock()
				defer mu.Unlock()
				switch {
				case n > run%2:
					return "reset"
				case !writes(r):
					return ""
				}
				n++
				if n > run%2 && run%3 > 0 {
					return "lost"
				}
				return ""
			})
			before := readDC(t, good)
			p := planTo(t, want, before)
			if p.Empty() {
				t.Logf("step %d: %d runs", step, run)
				break
			}
			_, err := rest.Apply(t.Context(), client(t, url, s.Token, func(o *rest.Options) { o.Tries = 2 }), p, before, rest.ApplyOptions{Message: fmt.Sprint("run ", step, " ", run)})
			var e *rest.Error
			if err != nil && (!errors.As(err, &e) || e.Status != 0) {
				t.Fatalf("run %d: %v", run, err)
			}
		}
		settled(t, good, want)
	}
}

// Answers that are lost after the work was done are found out about: one run is enough.
func TestApplyFindsOutWhatBecameOfLostAnswers(t *testing.T) {
	t.Parallel()
	s := bare(t)
	good := client(t, s.URL, s.Token)
	for step, want := range []netbox.Rows{network(), changed()} {
		var mu sync.Mutex
		n := 0
		seen := map[string]bool{}
		url := trouble(t, s, func(r *http.Request) string {
			mu.Lock()
			defer mu.Unlock()
			if !writes(r) {
				return ""
			}
			n++
			if at := fmt.Sprint(r.Method, r.URL.Path); !seen[at] && r.Method != http.MethodPost && n%3 == 0 {
				seen[at] = true
				return "reset"
			}
			if r.Method == http.MethodPost {
				return []string{"lost", "500", "504"}[n%3]
			}
			return []string{"lost", "504", ""}[n%3]
		})
		before := readDC(t, good)
		done, err := rest.Apply(t.Context(), client(t, url, s.Token), planTo(t, want, before), before, rest.ApplyOptions{Message: fmt.Sprint("run ", step)})
		if err != nil {
			t.Fatalf("step %d, %d of %d: %v", step, done.Done, done.Total, err)
		}
		settled(t, good, want)
	}
}

// What others changed since is not overwritten, whenever they changed it.
func TestApplyOverwritesNobody(t *testing.T) {
	t.Parallel()
	s := bare(t)
	c := client(t, s.URL, s.Token)
	applied(t, c, network(), rest.ApplyOptions{})
	before := readDC(t, c)
	p := planTo(t, changed(), before)
	device := fmt.Sprintf("/api/dcim/devices/%d/", find(t, s, "/api/dcim/devices/?name=leaf-1"))

	other := *before
	other.Rows.Sites = []netbox.Site{{ID: 1, Name: "x", Slug: "x"}}
	if _, err := rest.Apply(t.Context(), c, p, &other, rest.ApplyOptions{}); !errors.Is(err, netbox.ErrStale) {
		t.Errorf("for another snapshot: %v", err)
	}

	must(t, s, http.MethodPatch, device, map[string]any{"serial": "S7"}, nil)
	done, err := rest.Apply(t.Context(), c, p, before, rest.ApplyOptions{})
	if !errors.Is(err, netbox.ErrStale) || done.Done != 0 || !strings.Contains(err.Error(), `leaf-1`) || !strings.Contains(err.Error(), `"S7"`) {
		t.Errorf("changed before the first write: %d done, %v", done.Done, err)
	}

	// A field that the plan does not change may change meanwhile.
	must(t, s, http.MethodPatch, device, map[string]any{"serial": "S1", "comments": "mine"}, nil)
	edited := false
	c = client(t, s.URL, s.Token, func(o *rest.Options) {
		o.Observe = func(e rest.Event) {
			if !edited && e.Method == http.MethodDelete && e.Status == http.StatusNoContent && strings.Contains(e.Doing, "deleting") {
				edited = true
				must(t, s, http.MethodPatch, device, map[string]any{"serial": "S8"}, nil)
			}
		}
	})
	_, err = rest.Apply(t.Context(), c, p, before, rest.ApplyOptions{})
	if !errors.Is(err, netbox.ErrStale) || !edited || !strings.Contains(err.Error(), `"S8"`) {
		t.Errorf("changed between two requests: %v", err)
	}
	var now struct{ Serial string }
	must(t, s, http.MethodGet, device, nil, &now)
	if now.Serial != "S8" {
		t.Errorf("the serial number is %q", now.Serial)
	}
}

func TestApplyLooksBeforeItWrites(t *testing.T) {
	t.Parallel()
	s := bare(t)
	c := client(t, s.URL, s.Token)
	before := readDC(t, c)
	all := []string{"dcim.location", "dcim.manufacturer", "dcim.devicetype", "dcim.devicerole", "ipam.asn", "ipam.rir", "ipam.vlangroup", "ipam.vlan",
		"ipam.routetarget", "ipam.vrf", "ipam.prefix", "ipam.iprange", "dcim.device", "dcim.interface", "dcim.interfacetemplate", "ipam.ipaddress"}
	view := append(append(readModels(), all...), "extras.tag", "dcim.cable", "dcim.interfacetemplate")
	slices.Sort(view)
	token := s.User(t, "half", netboxserver.Permission{Objects: slices.Compact(view), Actions: []string{"view"}}, netboxserver.Permission{Objects: all, Actions: []string{"add", "change"}})
	_, err := rest.Apply(t.Context(), client(t, s.URL, token), planTo(t, network(), before), before, rest.ApplyOptions{})
	var e *rest.Error
	if !errors.As(err, &e) || e.Status != http.StatusForbidden || !strings.Contains(e.Detail, "add dcim.cable:") {
		t.Errorf("without permission on cables: %v", err)
	}

	for name, test := range map[string]struct {
		change func(*netbox.Rows)
		says   string
	}{
		"a tag":            {func(r *netbox.Rows) { r.Devices[0].Tags = []string{"nobody"} }, "no tag nobody"},
		"a custom field":   {func(r *netbox.Rows) { r.Devices[0].Fields = netbox.Fields{"hedgehog_unknown": 1} }, "hedgehog_unknown on dcim.device"},
		"a null character": {func(r *netbox.Rows) { r.Devices[0].Serial = "a\x00" }, "leaf-1| (dcim.device): a text holds a null character"},
		"a reference":      {func(r *netbox.Rows) { r.Devices[0].Location = 77 }, "location leads to dcim.location 77"},
		"half a cable":     {func(r *netbox.Rows) { r.CableTerminations = r.CableTerminations[1:] }, "an end that leads nowhere"},
	} {
		want := network()
		test.change(&want)
		if _, err := rest.Apply(t.Context(), c, planTo(t, want, before), before, rest.ApplyOptions{}); err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := rest.Apply(t.Context(), c, planTo(t, network(), before), before, rest.ApplyOptions{RIR: "ripe"}); err == nil || !strings.Contains(err.Error(), `no RIR with the slug "ripe"`) {
		t.Errorf("an unknown RIR: %v", err)
	}
	if _, err := rest.Apply(t.Context(), c, planTo(t, network(), before), before, rest.ApplyOptions{Message: strings.Repeat("m", 161)}); err == nil {
		t.Error("a long message is taken")
	}
	if got := readDC(t, c); encoded(t, got) != encoded(t, before) {
		t.Error("something was written")
	}

	// What NetBox refuses has the name of the object and NetBox's words.
	want := network()
	want.VLANs[1].VID = 50
	_, err = rest.Apply(t.Context(), c, planTo(t, want, before), before, rest.ApplyOptions{})
	if !errors.As(err, &e) || e.Status != http.StatusBadRequest || !strings.Contains(e.Detail, "|50|: vid: VID must be in ranges") {
		t.Errorf("a VLAN outside its group: %v", err)
	}
}
