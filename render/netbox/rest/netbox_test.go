package rest_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hedgehog-gitops/fixtures/netboxserver"
	"hedgehog-gitops/render/hedgehog"
	"hedgehog-gitops/render/netbox"
	"hedgehog-gitops/render/netbox/rest"
)

// The models that Read reads; a token needs the view permission on each.
func readModels() []string {
	return strings.Fields(`
		dcim.region dcim.sitegroup dcim.site dcim.location dcim.manufacturer dcim.devicetype dcim.devicerole
		dcim.device dcim.interface dcim.frontport dcim.rearport dcim.cable dcim.macaddress
		circuits.provider circuits.circuit circuits.circuittermination
		ipam.asn ipam.role ipam.vlangroup ipam.vlan ipam.routetarget ipam.vrf ipam.prefix ipam.iprange ipam.ipaddress
		extras.customfield core.objectchange dcim.cabletermination`)
}

// filled gives the test a NetBox with a scenario in it: two fabrics, patch
// panels, routers in a third site.
func filled(t *testing.T) *netboxserver.Server {
	t.Helper()
	folder, err := filepath.Abs("../../../fixtures/scenarios")
	if err != nil {
		t.Fatal(err)
	}
	fill := filepath.Join(folder, "campus", "fill.py")
	sum := sha256.New()
	for _, file := range []string{fill, filepath.Join(folder, "scenario.py")} {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		sum.Write(data)
	}
	version := hex.EncodeToString(sum.Sum(nil))[:12]
	return netboxserver.StartFrom(t, "rest-campus", version, func(url, token string) error {
		if _, err := rest.Bootstrap(t.Context(), client(t, url, token), rest.BootstrapOptions{}); err != nil {
			return err
		}
		cmd := exec.Command("python3", fill, url)
		cmd.Env = append(os.Environ(), "NETBOX_TOKEN="+token)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	})
}

func client(t testing.TB, url, token string, more ...func(*rest.Options)) *rest.Client {
	t.Helper()
	o := rest.Options{URL: url, Token: token, FirstWait: 5 * time.Millisecond}
	for _, f := range more {
		f(&o)
	}
	c, err := rest.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func fabrics() []netbox.Config {
	north, south := netbox.DefaultConfig("north"), netbox.DefaultConfig("south")
	north.Site, south.Site = "north-dc", "south-dc"
	return []netbox.Config{north, south}
}

func read(t *testing.T, c *rest.Client) *netbox.Snapshot {
	t.Helper()
	s, issues, err := rest.Read(t.Context(), c, fabrics())
	if err != nil {
		t.Fatal(err)
	}
	if len(issues) > 0 {
		t.Fatalf("issues: %v", issues)
	}
	return s
}

func encoded(t *testing.T, s *netbox.Snapshot) string {
	t.Helper()
	var out bytes.Buffer
	if _, err := s.WriteTo(&out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// must does a request that has to succeed.
func must(t *testing.T, s *netboxserver.Server, method, path string, in, out any) {
	t.Helper()
	if status := s.Do(t, s.Token, method, path, in, out); status >= 300 {
		t.Fatalf("%s %s: %d", method, path, status)
	}
}

// find returns the id of the one record behind a query.
func find(t *testing.T, s *netboxserver.Server, path string) int {
	t.Helper()
	var list struct{ Results []struct{ ID int } }
	must(t, s, http.MethodGet, path, nil, &list)
	if len(list.Results) != 1 {
		t.Fatalf("GET %s: %d records", path, len(list.Results))
	}
	return list.Results[0].ID
}

func TestReadIsTheSameHoweverItIsRead(t *testing.T) {
	t.Parallel()
	s := filled(t)
	want := encoded(t, read(t, client(t, s.URL, s.Token)))
	for name, o := range map[string]func(*rest.Options){
		"v1 token, one stream, an address that ends in /api/": func(o *rest.Options) { o.Token, o.Streams, o.URL = s.TokenV1, 1, o.URL+"/api/" },
		"four streams, small pages":                           func(o *rest.Options) { o.Streams, o.PageSize = 4, 37 },
	} {
		if got := encoded(t, read(t, client(t, s.URL, s.Token, o))); got != want {
			t.Errorf("%s: another snapshot: %s", name, cmp.Diff(want, got))
		}
	}

	// A user with the view permission and no more sees the same.
	token := s.User(t, "viewer", netboxserver.Permission{Objects: readModels(), Actions: []string{"view"}})
	got := read(t, client(t, s.URL, token))
	wantSnapshot, _, err := netbox.ReadSnapshot(strings.NewReader(want))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(wantSnapshot.Rows, got.Rows); diff != "" {
		t.Errorf("a viewer reads another snapshot: %s", diff)
	}
}

func TestReadGetsEverything(t *testing.T) {
	t.Parallel()
	s := filled(t)
	rows := read(t, client(t, s.URL, s.Token)).Rows
	count := func(path string) int {
		var list struct{ Count int }
		must(t, s, http.MethodGet, path, nil, &list)
		return list.Count
	}
	// The scenario's third site is reached by cables from the two fabrics only.
	for path, got := range map[string]int{
		"dcim/devices": len(rows.Devices), "dcim/interfaces": len(rows.Interfaces), "dcim/cables": len(rows.Cables),
		"dcim/cable-terminations": len(rows.CableTerminations), "dcim/front-ports": len(rows.FrontPorts), "dcim/rear-ports": len(rows.RearPorts),
		"ipam/prefixes": len(rows.Prefixes), "ipam/ip-addresses": len(rows.IPAddresses), "ipam/vlans": len(rows.VLANs), "ipam/vrfs": len(rows.VRFs),
		"ipam/route-targets": len(rows.RouteTargets), "ipam/asns": len(rows.ASNs), "circuits/circuit-terminations": len(rows.CircuitTerminations),
	} {
		if want := count("/api/" + path + "/?limit=1"); got != want {
			t.Errorf("%s: %d rows of %d", path, got, want)
		}
	}

	// One fabric alone: what the other has of its own stays out.
	one, _, err := rest.Read(t.Context(), client(t, s.URL, s.Token), fabrics()[:1])
	if err != nil {
		t.Fatal(err)
	}
	if a, b := len(one.Rows.Devices), len(rows.Devices); a >= b || a == 0 {
		t.Errorf("one fabric has %d devices, both have %d", a, b)
	}
	for _, d := range one.Rows.Devices {
		i := slices.IndexFunc(rows.Devices, func(o netbox.Device) bool { return o.ID == d.ID })
		if diff := cmp.Diff(rows.Devices[i], d); diff != "" {
			t.Error(diff)
		}
	}
}

// What people do while NetBox is read is in the snapshot, wherever the read
// stands at that moment.
func TestReadWhilePeopleEdit(t *testing.T) {
	t.Parallel()
	s := filled(t)
	type edit struct {
		do    func(t *testing.T)
		check func(t *testing.T, rows netbox.Rows)
	}
	n := 0
	var label, mac, tagSlug string
	var devices struct {
		Results []struct {
			ID   int
			Name string
		}
	}
	must(t, s, http.MethodGet, "/api/dcim/devices/?fields=id,name&site=north-dc&ordering=id&limit=2", nil, &devices)
	a, b := devices.Results[0].ID, devices.Results[1].ID

	edits := map[string]edit{}
	var created int
	edits["a VRF is made"] = edit{
		do: func(t *testing.T) {
			var made struct{ ID int }
			must(t, s, http.MethodPost, "/api/ipam/vrfs/", map[string]any{"name": "late"}, &made)
			created = made.ID
		},
		check: func(t *testing.T, rows netbox.Rows) {
			if !slices.ContainsFunc(rows.VRFs, func(v netbox.VRF) bool { return v.ID == netbox.ID(created) }) {
				t.Error("the new VRF is not in the snapshot")
			}
		},
	}
	edits["an interface is renamed and gets an address"] = edit{
		do: func(t *testing.T) {
			n++
			label = fmt.Sprintf("198.18.0.%d/32", n)
			id := firstID(t, s, fmt.Sprintf("/api/dcim/interfaces/?device_id=%d", a))
			must(t, s, http.MethodPatch, fmt.Sprintf("/api/dcim/interfaces/%d/", id), map[string]any{"label": label}, nil)
			must(t, s, http.MethodPost, "/api/ipam/ip-addresses/", map[string]any{"address": label, "assigned_object_type": "dcim.interface", "assigned_object_id": id}, nil)
		},
		check: func(t *testing.T, rows netbox.Rows) {
			if !slices.ContainsFunc(rows.Interfaces, func(i netbox.Interface) bool { return i.Label == label }) {
				t.Error("the new label is not in the snapshot")
			}
			if !slices.ContainsFunc(rows.IPAddresses, func(i netbox.IPAddress) bool { return i.Address == label }) {
				t.Error("the new address is not in the snapshot")
			}
		},
	}
	var cable int
	edits["two new interfaces are cabled"] = edit{
		do: func(t *testing.T) {
			n++
			var made []struct{ ID int }
			must(t, s, http.MethodPost, "/api/dcim/interfaces/", []map[string]any{
				{"device": a, "name": fmt.Sprintf("late-%d", n), "type": "25gbase-x-sfp28"}, {"device": b, "name": fmt.Sprintf("late-%d", n), "type": "25gbase-x-sfp28"}}, &made)
			end := func(i int) []map[string]any {
				return []map[string]any{{"object_type": "dcim.interface", "object_id": made[i].ID}}
			}
			var c struct{ ID int }
			must(t, s, http.MethodPost, "/api/dcim/cables/", map[string]any{"a_terminations": end(0), "b_terminations": end(1)}, &c)
			cable = c.ID
		},
		check: func(t *testing.T, rows netbox.Rows) {
			ends := 0
			for _, end := range rows.CableTerminations {
				if end.Cable == netbox.ID(cable) {
					ends++
				}
			}
			if ends != 2 {
				t.Errorf("the new cable has %d ends in the snapshot", ends)
			}
		},
	}
	edits["that cable is pulled"] = edit{
		do: func(t *testing.T) {
			must(t, s, http.MethodDelete, fmt.Sprintf("/api/dcim/cables/%d/", cable), nil, nil)
		},
		check: func(t *testing.T, rows netbox.Rows) {
			for _, end := range rows.CableTerminations {
				if end.Cable == netbox.ID(cable) {
					t.Error("the pulled cable is in the snapshot")
				}
			}
		},
	}
	// It stood in a site of no fabric, so its ports are nothing new to the log.
	var device int
	var like map[string]any
	must(t, s, http.MethodGet, fmt.Sprintf("/api/dcim/devices/%d/", a), nil, &like)
	idOf := func(key string) any { return like[key].(map[string]any)["id"] }
	var elsewhere struct{ ID int }
	must(t, s, http.MethodPost, "/api/dcim/sites/", map[string]any{"name": "elsewhere", "slug": "elsewhere"}, &elsewhere)
	outside := func() {
		n++
		var made struct{ ID int }
		must(t, s, http.MethodPost, "/api/dcim/devices/", map[string]any{"name": fmt.Sprintf("mover %d", n), "device_type": idOf("device_type"), "role": idOf("role"), "site": elsewhere.ID}, &made)
		device = made.ID
	}
	edits["a device moves in"] = edit{
		do: func(t *testing.T) {
			must(t, s, http.MethodPatch, fmt.Sprintf("/api/dcim/devices/%d/", device), map[string]any{"site": idOf("site")}, nil)
		},
		check: func(t *testing.T, rows netbox.Rows) {
			ports := 0
			for _, i := range rows.Interfaces {
				if i.Device == netbox.ID(device) {
					ports++
				}
			}
			if ports == 0 {
				t.Error("the new device has no interfaces in the snapshot")
			}
		},
	}
	edits["it goes again"] = edit{
		do: func(t *testing.T) {
			must(t, s, http.MethodDelete, fmt.Sprintf("/api/dcim/devices/%d/", device), nil, nil)
		},
		check: func(t *testing.T, rows netbox.Rows) {
			for _, i := range rows.Interfaces {
				if i.Device == netbox.ID(device) {
					t.Error("the removed device has interfaces in the snapshot")
					return
				}
			}
		},
	}
	edits["the MAC address of an interface changes"] = edit{
		do: func(t *testing.T) {
			n++
			mac = fmt.Sprintf("02:00:00:00:00:%02X", n)
			id := firstID(t, s, fmt.Sprintf("/api/dcim/interfaces/?device_id=%d", b))
			must(t, s, http.MethodPatch, fmt.Sprintf("/api/dcim/interfaces/%d/", id), map[string]any{"mac_address": mac}, nil)
		},
		check: func(t *testing.T, rows netbox.Rows) {
			if !slices.ContainsFunc(rows.Interfaces, func(i netbox.Interface) bool { return i.MAC == mac }) {
				t.Error("the new MAC address is not in the snapshot")
			}
		},
	}
	edits["a tag gets another slug"] = edit{
		do: func(t *testing.T) {
			n++
			tagSlug = fmt.Sprintf("late-%d", n)
			id := firstID(t, s, "/api/extras/tags/?name=late")
			if id == 0 {
				var made struct{ ID int }
				must(t, s, http.MethodPost, "/api/extras/tags/", map[string]any{"name": "late", "slug": "late"}, &made)
				id = made.ID
				must(t, s, http.MethodPatch, fmt.Sprintf("/api/dcim/devices/%d/", a), map[string]any{"add_tags": []map[string]any{{"slug": "late"}}}, nil)
			}
			must(t, s, http.MethodPatch, fmt.Sprintf("/api/extras/tags/%d/", id), map[string]any{"slug": tagSlug}, nil)
		},
		check: func(t *testing.T, rows netbox.Rows) {
			if !slices.ContainsFunc(rows.Devices, func(d netbox.Device) bool { return slices.Contains(d.Tags, tagSlug) }) {
				t.Error("the new slug is not in the snapshot")
			}
		},
	}
	// NetBox empties the reference and logs nothing of the device.
	var asn int
	referred := func() {
		n++
		var made struct{ ID int }
		must(t, s, http.MethodPost, "/api/ipam/asns/", map[string]any{"asn": 4200000000 + n, "rir": firstID(t, s, "/api/ipam/rirs/")}, &made)
		asn = made.ID
		must(t, s, http.MethodPatch, fmt.Sprintf("/api/dcim/devices/%d/", a), map[string]any{"custom_fields": map[string]any{"hedgehog_asn": asn}}, nil)
	}
	edits["an ASN that a device refers to is deleted"] = edit{
		do: func(t *testing.T) {
			must(t, s, http.MethodDelete, fmt.Sprintf("/api/ipam/asns/%d/", asn), nil, nil)
		},
		check: func(t *testing.T, rows netbox.Rows) {
			for _, d := range rows.Devices {
				if d.ID == netbox.ID(a) && d.Fields["hedgehog_asn"] != nil {
					t.Errorf("the device still refers to %v", d.Fields["hedgehog_asn"])
				}
			}
		},
	}

	// One edit after each request, from some request on: early, or when the
	// reader believes that it is done.
	total := 0
	read(t, client(t, s.URL, s.Token, func(o *rest.Options) { o.Observe = func(rest.Event) { total++ } }))
	adding := []string{"a VRF is made", "an interface is renamed and gets an address", "two new interfaces are cabled", "a device moves in",
		"the MAC address of an interface changes", "an ASN that a device refers to is deleted"}
	for _, run := range []struct {
		from  int
		edits []string
	}{
		{5, adding},
		{total - 1, []string{"that cable is pulled", "it goes again"}},
		{total - 1, adding},
		{total - 1, []string{"a tag gets another slug"}}, // makes the reader begin again
	} {
		if slices.Contains(run.edits, "a device moves in") {
			outside()
			referred()
		}
		seen, done := 0, 0
		c := client(t, s.URL, s.Token, func(o *rest.Options) {
			o.PageSize = 400
			o.Observe = func(e rest.Event) {
				if seen++; seen >= run.from && done < len(run.edits) {
					done++
					edits[run.edits[done-1]].do(t)
				}
			}
		})
		got := read(t, c)
		if done != len(run.edits) {
			t.Errorf("there were only %d requests, %d edits", seen, done)
		}
		for _, name := range run.edits {
			edits[name].check(t, got.Rows)
		}
		if still := read(t, client(t, s.URL, s.Token)); encoded(t, got) != encoded(t, still) {
			t.Errorf("%v from request %d: not what NetBox holds now: %s", run.edits, run.from, cmp.Diff(still, got))
		}
	}
}

func firstID(t *testing.T, s *netboxserver.Server, path string) int {
	t.Helper()
	var list struct{ Results []struct{ ID int } }
	sep := "?"
	if strings.Contains(path, "?") {
		sep = "&"
	}
	must(t, s, http.MethodGet, path+sep+"limit=1&ordering=id&fields=id", nil, &list)
	if len(list.Results) == 0 {
		return 0
	}
	return list.Results[0].ID
}

func TestReadNamesWhatTheTokenMayNotSee(t *testing.T) {
	t.Parallel()
	s := filled(t)
	all := readModels()
	user := 0
	token := func(without string, constraints any) string {
		user++
		var models []string
		for _, m := range all {
			if m != without {
				models = append(models, m)
			}
		}
		permissions := []netboxserver.Permission{{Objects: models, Actions: []string{"view"}}}
		if constraints != nil {
			permissions = append(permissions, netboxserver.Permission{Objects: []string{without}, Actions: []string{"view"}, Constraints: constraints})
		}
		return s.User(t, fmt.Sprintf("user-%d", user), permissions...)
	}
	var wait sync.WaitGroup
	for _, model := range []string{"dcim.cable", "dcim.interface", "ipam.vrf", "core.objectchange", "extras.customfield"} {
		c := client(t, s.URL, token(model, nil))
		wait.Go(func() {
			_, _, err := rest.Read(t.Context(), c, fabrics())
			var e *rest.Error
			if !errors.As(err, &e) || e.Status != http.StatusForbidden || !strings.Contains(e.Error(), model) || e.Hint == "" {
				t.Errorf("without %s: %v", model, err)
			}
		})
	}
	// Rows that a constraint hides: NetBox does not count them either, and says
	// nothing.
	for model, constraints := range map[string]any{
		"dcim.device":     map[string]any{"id__gt": 3},
		"dcim.interface":  map[string]any{"id__gt": 3},
		"dcim.cable":      map[string]any{"id__gt": 3},
		"dcim.rearport":   map[string]any{"id__gt": 3},
		"ipam.prefix":     map[string]any{"vrf__isnull": true},
		"ipam.vlan":       map[string]any{"id__gt": 3},
		"ipam.ipaddress":  map[string]any{"vrf__isnull": true},
		"ipam.asn":        map[string]any{"id__gt": 3},
		"dcim.devicetype": map[string]any{"id__gt": 3},
	} {
		c := client(t, s.URL, token(model, constraints))
		wait.Go(func() {
			_, _, err := rest.Read(t.Context(), c, fabrics())
			var e *rest.Error
			if !errors.As(err, &e) || !strings.Contains(e.Hint, "permission") {
				t.Errorf("with a constraint on %s: %v", model, err)
			}
			t.Logf("with a constraint on %s: %v", model, err)
		})
	}
	wait.Wait()
}

func TestReadSaysWhatIsWrongInTheInput(t *testing.T) {
	t.Parallel()
	s := filled(t)
	config := fabrics()
	config[0].Site = "nort-dc"
	config[1].Location = "nowhere"
	_, issues, err := rest.Read(t.Context(), client(t, s.URL, s.Token), config)
	if err != nil {
		t.Fatal(err)
	}
	if len(issues) != 2 || issues.Worst() != hedgehog.Error {
		t.Fatalf("issues: %v", issues)
	}
	for _, want := range []string{"nort-dc", `did you mean "north-dc"?`, "nowhere"} {
		if !slices.ContainsFunc(issues, func(i hedgehog.Issue) bool { return strings.Contains(i.Summary+i.Hint, want) }) {
			t.Errorf("nothing says %q: %v", want, issues)
		}
	}
}

func TestBootstrap(t *testing.T) {
	t.Parallel()
	s := netboxserver.Start(t)
	var mu sync.Mutex
	writes := 0
	c := client(t, s.URL, s.Token, func(o *rest.Options) {
		o.Observe = func(e rest.Event) {
			mu.Lock()
			defer mu.Unlock()
			if e.Method != http.MethodGet {
				writes++
			}
		}
	})
	dry, err := rest.Bootstrap(t.Context(), c, rest.BootstrapOptions{DryRun: true})
	if err != nil || writes != 0 {
		t.Fatalf("dry run: %d writes, %v", writes, err)
	}
	done, err := rest.Bootstrap(t.Context(), c, rest.BootstrapOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(dry, done); diff != "" {
		t.Errorf("the dry run promised something else: %s", diff)
	}
	writes = 0
	again, err := rest.Bootstrap(t.Context(), c, rest.BootstrapOptions{})
	if err != nil || len(again) != 0 || writes != 0 {
		t.Errorf("the second run did %v, %d writes, %v", again, writes, err)
	}

	// All are there, as described, and say who made them.
	var list struct{ Results []map[string]any }
	must(t, s, http.MethodGet, "/api/extras/custom-fields/?limit=1000", nil, &list)
	have := map[string]map[string]any{}
	for _, f := range list.Results {
		have[f["name"].(string)] = f
	}
	for _, want := range netbox.CustomFields() {
		f := have[want.Name]
		if f == nil {
			t.Errorf("%s is missing", want.Name)
			continue
		}
		if kind := f["type"].(map[string]any)["value"]; kind != want.Type {
			t.Errorf("%s is of type %v, want %s", want.Name, kind, want.Type)
		}
		if f["default"] != nil || f["group_name"] != "Hedgehog" || f["validation_regex"] != want.ValidationRegex {
			t.Errorf("%s: %v", want.Name, f)
		}
		if logic := f["filter_logic"].(map[string]any)["value"]; want.Type == netbox.FieldText && logic != "exact" {
			t.Errorf("%s is searched %v", want.Name, logic)
		}
	}
	var log struct{ Results []struct{ Message string } }
	must(t, s, http.MethodGet, "/api/core/object-changes/?limit=1000&changed_object_type=extras.customfield", nil, &log)
	if len(log.Results) != len(netbox.CustomFields()) || log.Results[0].Message != "hedgehog-gitops bootstrap" {
		t.Errorf("the change log: %v", log.Results)
	}
	find(t, s, "/api/extras/tags/?slug=hedgehog")
	find(t, s, "/api/ipam/roles/?slug=dhcp")

	// Another tag is one more, not another everything.
	other, err := rest.Bootstrap(t.Context(), c, rest.BootstrapOptions{Tag: "fabric"})
	if err != nil || len(other) != 1 {
		t.Errorf("with another tag: %v, %v", other, err)
	}
}

func TestBootstrapKeepsWhatPeopleMade(t *testing.T) {
	t.Parallel()
	s := netboxserver.Start(t)
	c := client(t, s.URL, s.Token)
	var set struct{ ID int }
	must(t, s, http.MethodPost, "/api/extras/custom-field-choice-sets/", map[string]any{"name": "our fec", "extra_choices": [][]string{{"rs", "Reed-Solomon"}, {"own", "Own"}}}, &set)
	must(t, s, http.MethodPost, "/api/extras/custom-fields/", map[string]any{"name": "hedgehog_fec", "label": "FEC!", "type": "select", "choice_set": set.ID, "object_types": []string{"dcim.interface", "dcim.device"}}, nil)
	must(t, s, http.MethodPost, "/api/extras/custom-fields/", map[string]any{"name": "hedgehog_name", "type": "text", "object_types": []string{"dcim.site", "dcim.device"}, "ui_editable": "no"}, nil)
	must(t, s, http.MethodPost, "/api/extras/tags/", map[string]any{"name": "Ours", "slug": "hedgehog", "object_types": []string{"dcim.site", "ipam.prefix"}}, nil)

	actions, err := rest.Bootstrap(t.Context(), c, rest.BootstrapOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var updates []string
	for _, a := range actions {
		if a.Verb == "update" {
			updates = append(updates, a.String())
		}
	}
	want := []string{
		"update choice set our fec: add fc, auto, disabled",
		"update custom field hedgehog_name: add to dcim.interface, dcim.cable, ipam.vrf, ipam.prefix, ipam.routetarget, ipam.vlangroup",
		"update tag hedgehog: add to ipam.vlangroup, ipam.routetarget",
	}
	if diff := cmp.Diff(want, updates); diff != "" {
		t.Error(diff)
	}
	var after struct {
		ExtraChoices [][]string `json:"extra_choices"`
	}
	must(t, s, http.MethodGet, fmt.Sprintf("/api/extras/custom-field-choice-sets/%d/", set.ID), nil, &after)
	if diff := cmp.Diff([][]string{{"rs", "Reed-Solomon"}, {"own", "Own"}, {"fc", "fc"}, {"auto", "auto"}, {"disabled", "disabled"}}, after.ExtraChoices); diff != "" {
		t.Error(diff)
	}
	var fields struct {
		Results []struct {
			Label       string
			ObjectTypes []string          `json:"object_types"`
			UIEditable  map[string]string `json:"ui_editable"`
		}
	}
	must(t, s, http.MethodGet, "/api/extras/custom-fields/?name=hedgehog_fec&name=hedgehog_name", nil, &fields)
	if f := fields.Results[0]; f.Label != "FEC!" || !slices.Contains(f.ObjectTypes, "dcim.device") {
		t.Errorf("hedgehog_fec is changed: %v", f)
	}
	if f := fields.Results[1]; f.UIEditable["value"] != "no" || !slices.Contains(f.ObjectTypes, "dcim.site") || len(f.ObjectTypes) != 8 {
		t.Errorf("hedgehog_name is changed: %v", f)
	}
	if again, err := rest.Bootstrap(t.Context(), c, rest.BootstrapOptions{}); err != nil || len(again) != 0 {
		t.Errorf("the second run did %v, %v", again, err)
	}
}

func TestBootstrapRefusesAnotherFieldOfTheName(t *testing.T) {
	t.Parallel()
	s := netboxserver.Start(t)
	must(t, s, http.MethodPost, "/api/extras/custom-fields/", map[string]any{"name": "hedgehog_asn", "type": "integer", "object_types": []string{"dcim.device"}}, nil)
	must(t, s, http.MethodPost, "/api/extras/custom-fields/", map[string]any{"name": "hedgehog_neighbor_ip", "type": "object", "related_object_type": "ipam.prefix", "object_types": []string{"dcim.interface"}}, nil)
	for _, dry := range []bool{true, false} {
		_, err := rest.Bootstrap(t.Context(), client(t, s.URL, s.Token), rest.BootstrapOptions{DryRun: dry})
		if err == nil || !strings.Contains(err.Error(), "hedgehog_asn is of type integer") || !strings.Contains(err.Error(), "hedgehog_neighbor_ip refers to ipam.prefix") {
			t.Errorf("dry %v: %v", dry, err)
		}
	}
	var list struct{ Count int }
	for _, path := range []string{"extras/custom-field-choice-sets", "extras/tags", "ipam/roles"} {
		must(t, s, http.MethodGet, "/api/"+path+"/", nil, &list)
		if list.Count != 0 {
			t.Errorf("%s: %d were written before the refusal", path, list.Count)
		}
	}

	// Reading says it too, and names the field.
	must(t, s, http.MethodPost, "/api/dcim/sites/", map[string]any{"name": "x", "slug": "x"}, nil)
	_, issues, err := rest.Read(t.Context(), client(t, s.URL, s.Token), []netbox.Config{netbox.DefaultConfig("x")})
	if err != nil || issues.Worst() != hedgehog.Error || !strings.Contains(issues[0].Summary, "hedgehog_asn") && !strings.Contains(issues[1].Summary, "hedgehog_asn") {
		t.Errorf("%v, %v", issues, err)
	}
}

func TestBootstrapWithoutPermission(t *testing.T) {
	t.Parallel()
	s := netboxserver.Start(t)
	token := s.User(t, "viewer", netboxserver.Permission{Objects: []string{"extras.customfield", "extras.customfieldchoiceset", "extras.tag", "ipam.role"}, Actions: []string{"view"}})
	_, err := rest.Bootstrap(t.Context(), client(t, s.URL, token), rest.BootstrapOptions{})
	var e *rest.Error
	if !errors.As(err, &e) || e.Status != http.StatusForbidden || e.Hint == "" {
		t.Errorf("%v", err)
	}
}
