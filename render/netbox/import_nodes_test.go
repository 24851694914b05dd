package netbox_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hedgehog-gitops/render/hedgehog"
	"hedgehog-gitops/render/netbox"
)

// nodesOf leaves the devices and the namespaces of a fabric.
func nodesOf(f *hedgehog.Fabric) *hedgehog.Fabric {
	var out hedgehog.Fabric
	kinds := []hedgehog.Kind{hedgehog.KindVLANNamespace, hedgehog.KindIPv4Namespace, hedgehog.KindSwitchGroup,
		hedgehog.KindGatewayGroup, hedgehog.KindSwitch, hedgehog.KindServer, hedgehog.KindGateway}
	for o := range f.All() {
		if slices.Contains(kinds, o.Kind) {
			if g, ok := o.Spec.(*hedgehog.GatewaySpec); ok {
				g.Interfaces, g.Neighbors = nil, nil // those are the links'
			}
			out.Add(o)
		}
	}
	return &out
}

func TestNodesComeBackOutOfNetBox(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join("testdata", "manifests", "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	shared, _ := filepath.Glob("../../../shared/hedgehog/[wehl]*/*.yaml")
	for _, file := range append(files, shared...) {
		t.Run(filepath.Base(filepath.Dir(file))+"/"+filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			plan, after := roundTrip(t, nodesOf(wanted(t, file, content)), &netbox.Snapshot{}, configFor(content))
			for _, d := range after.Rows.Devices {
				if d.Fields["hedgehog_spec"] != nil {
					t.Logf("%s: %v", d.Name, d.Fields["hedgehog_spec"])
				}
			}
			t.Logf("%d changes, %+v", len(plan.Changes), plan.Shares)
		})
	}
}

// officeFabric is the office scenario and what it is rendered to.
func officeFabric(t *testing.T) (*netbox.Snapshot, *hedgehog.Fabric, netbox.Config) {
	t.Helper()
	f, err := os.Open("../../fixtures/scenarios/office/snapshot.json")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s, _, err := netbox.ReadSnapshot(f)
	if err != nil {
		t.Fatal(err)
	}
	c := netbox.DefaultConfig("office")
	fabric, issues := netbox.Map(s, c)
	if fabric == nil {
		t.Fatal(lines(issues))
	}
	return s, fabric, c
}

// words are the changes of a plan, a line for each field.
func words(p *netbox.Plan) []string {
	var out []string
	for _, c := range p.Changes {
		model := strings.SplitN(c.Model, ".", 2)[1]
		if c.Action != netbox.Update {
			out = append(out, fmt.Sprintf("%s %s %s", c.Action, model, c.Name))
			continue
		}
		for _, k := range slices.Sorted(maps.Keys(c.After)) {
			out = append(out, fmt.Sprintf("%s %s: %s %v -> %v", model, c.Name, k, c.Before[k], c.After[k]))
		}
	}
	return out
}

func switchOf(t *testing.T, f *hedgehog.Fabric, name string) *hedgehog.SwitchSpec {
	t.Helper()
	o := f.Get(hedgehog.KindSwitch, name)
	if o == nil {
		t.Fatalf("there is no switch %s", name)
	}
	return o.Spec.(*hedgehog.SwitchSpec)
}

func addSwitch(f *hedgehog.Fabric, name, serial string) {
	o := hedgehog.New(hedgehog.KindSwitch, name)
	o.Spec = &hedgehog.SwitchSpec{Role: "server-leaf", Profile: "dell-s5248f-on", ASN: 65120, IP: "172.30.0.40/21", ProtocolIP: "172.30.8.40/32",
		VTEPIP: "172.30.12.40/32", Boot: hedgehog.SwitchBoot{Serial: serial}, VLANNamespaces: []string{"office"}}
	f.Add(o)
}

// What changes in the manifests is changed in NetBox as an engineer would do it by hand,
// and nothing else.
func TestNodeChangesAreThoseOfAnEngineer(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		records func(t *testing.T, r *netbox.Rows) // before the import
		change  func(t *testing.T, f *hedgehog.Fabric)
		want    []string
	}{
		"nothing": {want: nil},
		"description": {
			change: func(t *testing.T, f *hedgehog.Fabric) { switchOf(t, f, "leaf-1").Description = "Row 4" },
			want:   []string{"device leaf-1: description leaf of the office -> Row 4"},
		},
		"serial and MAC": {
			change: func(t *testing.T, f *hedgehog.Fabric) {
				switchOf(t, f, "leaf-1").Boot = hedgehog.SwitchBoot{Serial: "OF-99", MAC: "0c:20:12:00:00:01"}
			},
			want: []string{"device leaf-1: serial OF-21 -> OF-99", "interface leaf-1 M1: mac_address 0C:20:12:0F:00:21 -> 0C:20:12:00:00:01"},
		},
		"role": {
			change: func(t *testing.T, f *hedgehog.Fabric) { switchOf(t, f, "leaf-1").Role = "border-leaf" },
			want:   []string{"device leaf-1: role 2 -> 3"},
		},
		"role that NetBox does not have": {
			change: func(t *testing.T, f *hedgehog.Fabric) { switchOf(t, f, "leaf-1").Role = "mixed-leaf" },
			want:   []string{"create devicerole mixed-leaf", "device leaf-1: role 2 -> 6"},
		},
		"AS number": {
			change: func(t *testing.T, f *hedgehog.Fabric) { switchOf(t, f, "leaf-1").ASN = 65150 },
			want:   []string{"create asn 65150", "device leaf-1: custom_fields map[hedgehog_asn:map[id:2]] -> map[hedgehog_asn:map[id:6]]"},
		},
		"addresses": {
			change: func(t *testing.T, f *hedgehog.Fabric) {
				s := switchOf(t, f, "leaf-1")
				s.IP, s.ProtocolIP, s.VTEPIP = "172.30.0.50/21", "172.30.8.50/32", "172.30.12.50/32"
			},
			want: []string{
				"ipaddress 172.30.0.50/21: address 172.30.0.21/21 -> 172.30.0.50/21",
				"ipaddress 172.30.8.50/32: address 172.30.8.21/32 -> 172.30.8.50/32",
				"ipaddress 172.30.12.50/32: address 172.30.12.21/32 -> 172.30.12.50/32",
			},
		},
		"two switches exchange addresses": {
			change: func(t *testing.T, f *hedgehog.Fabric) {
				a, b := switchOf(t, f, "leaf-1"), switchOf(t, f, "leaf-2")
				a.VTEPIP, b.VTEPIP = b.VTEPIP, a.VTEPIP
			},
			want: []string{"ipaddress 172.30.12.21/32: assigned_object_id 259 -> 261", "ipaddress 172.30.12.22/32: assigned_object_id 261 -> 259"},
		},
		"an address that is there and free": {
			records: func(_ *testing.T, r *netbox.Rows) {
				r.IPAddresses = append(r.IPAddresses, netbox.IPAddress{ID: 90, Address: "172.30.12.60/32", Status: "reserved"})
			},
			change: func(t *testing.T, f *hedgehog.Fabric) { switchOf(t, f, "leaf-1").VTEPIP = "172.30.12.60/32" },
			want: []string{
				"ipaddress 172.30.12.21/32: assigned_object_id 259 -> <nil>", "ipaddress 172.30.12.21/32: assigned_object_type dcim.interface -> <nil>",
				"ipaddress 172.30.12.60/32: assigned_object_id <nil> -> 259", "ipaddress 172.30.12.60/32: assigned_object_type <nil> -> dcim.interface",
			},
		},
		"port group": {
			change: func(t *testing.T, f *hedgehog.Fabric) {
				switchOf(t, f, "leaf-1").PortGroupSpeeds = map[string]string{"2": "10G"}
			},
			want: []string{"interface leaf-1 E1/5: speed <nil> -> 10000000"},
		},
		"a port is split": {
			change: func(t *testing.T, f *hedgehog.Fabric) {
				switchOf(t, f, "spine-1").PortBreakouts = map[string]string{"E1/20": "4x25G"}
			},
			want: []string{"interface spine-1 E1/20: custom_fields map[hedgehog_breakout:<nil>] -> map[hedgehog_breakout:4x25G]"},
		},
		"signalling": {
			change: func(t *testing.T, f *hedgehog.Fabric) {
				switchOf(t, f, "spine-1").PortFECs = map[string]string{"E1/20": "rs"}
				switchOf(t, f, "spine-1").PortAutoNegs = map[string]bool{"E1/21/1": true}
			},
			want: []string{"interface spine-1 E1/20: custom_fields map[hedgehog_fec:<nil>] -> map[hedgehog_fec:rs]", "interface spine-1 E1/21: custom_fields map[hedgehog_autoneg:<nil>] -> map[hedgehog_autoneg:true]"},
		},
		"config context": {
			change: func(t *testing.T, f *hedgehog.Fabric) { switchOf(t, f, "leaf-1").EnableAllPorts = true },
			want:   []string{"device leaf-1: hedgehog_context <nil> -> map[switch:map[enableAllPorts:true]]"},
		},
		"config context that may be inherited": {
			records: func(_ *testing.T, r *netbox.Rows) {
				r.Devices[2].Context = map[string]any{"switch": map[string]any{"roce": true}, "other": "stays"}
			},
			change: func(t *testing.T, f *hedgehog.Fabric) { switchOf(t, f, "leaf-1").RoCE = false },
			want:   []string{"device leaf-1: hedgehog_context map[other:stays switch:map[roce:true]] -> map[other:stays switch:map[roce:false]]"},
		},
		"redundancy": {
			change: func(t *testing.T, f *hedgehog.Fabric) {
				s := switchOf(t, f, "leaf-1")
				s.Groups = []string{"pair-1", "row-1"}
				f.Add(hedgehog.New(hedgehog.KindSwitchGroup, "row-1"))
			},
			want: []string{"device leaf-1: custom_fields map[hedgehog_switch_groups:<nil>] -> map[hedgehog_switch_groups:[row-1]]"},
		},
		"server": {
			change: func(t *testing.T, f *hedgehog.Fabric) {
				f.Get(hedgehog.KindServer, "web-1").Spec.(*hedgehog.ServerSpec).Description = "shop"
			},
			want: []string{"device web-1: description <nil> -> shop"},
		},
		"a device whose name people spell otherwise": {
			records: func(_ *testing.T, r *netbox.Rows) { r.Devices[2].Name = "LEAF 1" },
			want:    nil,
		},
		"a device of the name at another site": {
			records: func(_ *testing.T, r *netbox.Rows) {
				r.Sites = append(r.Sites, netbox.Site{ID: 90, Name: "Far", Slug: "far"})
				r.Devices = append(r.Devices, netbox.Device{ID: 90, Name: "mail-1", DeviceType: 4, Role: 4, Site: 90, Status: "active"})
			},
			change: func(_ *testing.T, f *hedgehog.Fabric) { f.Add(hedgehog.New(hedgehog.KindServer, "mail-1")) },
			want:   []string{"create device mail-1"},
		},
		"a device known by its serial number": {
			records: func(_ *testing.T, r *netbox.Rows) {
				r.Devices = append(r.Devices, netbox.Device{ID: 90, Name: "rack-4-top", DeviceType: 2, Role: 4, Site: 1, Status: "active", Serial: "X1"})
			},
			change: func(_ *testing.T, f *hedgehog.Fabric) {
				addSwitch(f, "leaf-9", "X1")
				f.Remove(hedgehog.Key{Kind: hedgehog.KindServer, Name: "rack-4-top"})
			},
			want: []string{
				"create asn 65120", "create interface rack-4-top M1", "create interface rack-4-top Loopback0", "create interface rack-4-top Loopback1",
				"create ipaddress 172.30.0.40/21", "create ipaddress 172.30.8.40/32", "create ipaddress 172.30.12.40/32",
				"device rack-4-top: custom_fields map[hedgehog_asn:<nil> hedgehog_name:<nil>] -> map[hedgehog_asn:map[id:6] hedgehog_name:leaf-9]",
				"device rack-4-top: oob_ip <nil> -> 30", "device rack-4-top: role 4 -> 2",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, want, c := officeFabric(t)
			if test.records != nil {
				test.records(t, &s.Rows)
				var issues hedgehog.Issues
				if want, issues = netbox.Map(s, c); want == nil {
					t.Fatal(lines(issues))
				}
			}
			if test.change != nil {
				test.change(t, want)
			}
			plan, _ := roundTrip(t, want, s, c)
			if diff := cmp.Diff(test.want, words(plan)); diff != "" {
				t.Errorf("changes (-want +got):\n%s", diff)
			}
		})
	}
}

// What could be meant in two ways is refused, and both sides are named.
func TestNodeConflictsRefuseThePlan(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		records func(r *netbox.Rows)
		change  func(t *testing.T, f *hedgehog.Fabric)
		rule    string
		names   []string
	}{
		"an address that another device has": {
			change: func(t *testing.T, f *hedgehog.Fabric) { switchOf(t, f, "leaf-1").ProtocolIP = "172.30.8.22/32" },
			rule:   "import-address-taken", names: []string{"leaf-1", "leaf-2", "/ipam/ip-addresses/9/"},
		},
		"a device that is left out": {
			records: func(r *netbox.Rows) {
				r.Devices = append(r.Devices, netbox.Device{ID: 90, Name: "Leaf 9", DeviceType: 2, Role: 2, Site: 1, Status: "decommissioning"})
			},
			change: func(_ *testing.T, f *hedgehog.Fabric) { addSwitch(f, "leaf-9", "") },
			rule:   "import-device-left-out", names: []string{"leaf-9", "/dcim/devices/90/"},
		},
		"two devices of one serial number": {
			records: func(r *netbox.Rows) {
				r.Devices = append(r.Devices,
					netbox.Device{ID: 90, Name: "a", DeviceType: 5, Role: 5, Site: 1, Status: "active", Serial: "X1"},
					netbox.Device{ID: 91, Name: "b", DeviceType: 5, Role: 5, Site: 1, Status: "active", Serial: "X1"})
			},
			change: func(_ *testing.T, f *hedgehog.Fabric) { addSwitch(f, "leaf-9", "X1") },
			rule:   "import-device-ambiguous", names: []string{"leaf-9", "/dcim/devices/90/", "/dcim/devices/91/"},
		},
		"a profile that nobody knows": {
			change: func(t *testing.T, f *hedgehog.Fabric) { switchOf(t, f, "leaf-1").Profile = "mine" },
			rule:   "import-profile-unknown", names: []string{"mine"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, want, c := officeFabric(t)
			if test.records != nil {
				test.records(&s.Rows)
			}
			test.change(t, want)
			plan, issues := netbox.Import(want, s, c, netbox.ImportOptions{})
			if plan != nil {
				t.Fatalf("it is planned all the same:\n%s", strings.Join(words(plan), "\n"))
			}
			found := slices.IndexFunc(issues, func(i hedgehog.Issue) bool { return i.Rule == test.rule })
			if found < 0 {
				t.Fatalf("no issue %s:\n%s", test.rule, lines(issues))
			}
			for _, name := range test.names {
				if i := issues[found]; !strings.Contains(i.String()+i.Object.String(), name) {
					t.Errorf("%s is not in %q", name, i.String())
				}
			}
		})
	}
}

// A port is split, split otherwise, and whole again, whatever it was before: channels
// where one cable says what they lead to, interfaces of their own else.
func TestPortsAreSplitAnew(t *testing.T) {
	t.Parallel()
	type step struct {
		mode  string // of E1/1
		ports []string
		group string // speed of port group 1 of the other switch
		want  []string
	}
	fabric := func(s step) *hedgehog.Fabric {
		var f hedgehog.Fabric
		ns := hedgehog.New(hedgehog.KindVLANNamespace, "default")
		ns.Spec = &hedgehog.VLANNamespaceSpec{Ranges: []hedgehog.VLANRange{{From: 1000, To: 1999}}}
		f.Add(ns)
		for name, spec := range map[string]*hedgehog.SwitchSpec{"leaf": {Profile: "dell-s5232f-on"}, "other": {Profile: "dell-s5248f-on"}} {
			o := hedgehog.New(hedgehog.KindSwitch, name)
			spec.Role, spec.VLANNamespaces, o.Spec = "server-leaf", []string{"default"}, spec
			if name == "leaf" && s.mode != "" {
				spec.PortBreakouts = map[string]string{"E1/1": s.mode}
			}
			if name == "other" && s.group != "" {
				spec.PortGroupSpeeds = map[string]string{"1": s.group}
			}
			f.Add(o)
		}
		for n := range 4 {
			f.Add(hedgehog.New(hedgehog.KindServer, fmt.Sprintf("s%d", n+1)))
		}
		for n, port := range s.ports {
			o := hedgehog.New(hedgehog.KindConnection, fmt.Sprintf("s%d--unbundled--leaf", n+1))
			o.Spec = &hedgehog.ConnectionSpec{Unbundled: &hedgehog.Unbundled{Link: hedgehog.ServerLink{
				Server: hedgehog.PortEnd{Port: hedgehog.Port(fmt.Sprintf("s%d/eth1", n+1))}, Switch: hedgehog.PortEnd{Port: hedgehog.Port("leaf/" + port)}}}}
			f.Add(o)
		}
		return &f
	}
	// shape is how port E1/1 of the leaf is written, and the speeds of the other switch.
	shape := func(s *netbox.Snapshot) []string {
		names := map[netbox.ID]string{}
		for _, d := range s.Rows.Devices {
			names[d.ID] = d.Name
		}
		var out []string
		for _, i := range s.Rows.Interfaces {
			device := names[i.Device]
			if device == "leaf" && (i.Name == "E1/1" || strings.HasPrefix(i.Name, "E1/1/")) || device == "other" && i.Speed != 0 {
				text := i.Name
				if i.Channels > 0 {
					text += fmt.Sprintf(" of %d", i.Channels)
				}
				if i.ChannelID > 0 {
					text += " channel"
				}
				if i.Speed > 0 {
					text += fmt.Sprintf(" %dG", i.Speed/1000000)
				}
				for _, k := range slices.Sorted(maps.Keys(i.Fields)) {
					text += fmt.Sprintf(" %s=%v", strings.TrimPrefix(k, "hedgehog_"), i.Fields[k])
				}
				out = append(out, text)
			}
		}
		return out
	}
	in4 := []string{"E1/1/1", "E1/1/2", "E1/1/3", "E1/1/4"}
	for name, steps := range map[string][]step{
		"channels, fewer, none": {
			{mode: "4x25G", ports: in4, want: []string{"E1/1 of 4", "E1/1/1 channel 25G", "E1/1/2 channel 25G", "E1/1/3 channel 25G", "E1/1/4 channel 25G"}},
			{mode: "4x10G", ports: in4, want: []string{"E1/1 of 4", "E1/1/1 channel 10G", "E1/1/2 channel 10G", "E1/1/3 channel 10G", "E1/1/4 channel 10G"}},
			{mode: "2x50G", want: []string{"E1/1 of 2", "E1/1/1 channel 50G", "E1/1/2 channel 50G"}},
			{mode: "1x40G", want: []string{"E1/1 40G"}},
			{mode: "1x100G", want: []string{"E1/1 40G breakout=1x100G"}},
			{want: []string{"E1/1"}},
		},
		"a lane out of use behind the others": {
			{mode: "4x25G", ports: in4[:3], want: []string{"E1/1 of 4", "E1/1/1 channel 25G", "E1/1/2 channel 25G", "E1/1/3 channel 25G", "E1/1/4 channel 25G"}},
		},
		"a gap": {
			{mode: "4x25G", ports: []string{"E1/1/1", "E1/1/3"}, want: []string{"E1/1 breakout=4x25G", "E1/1/1", "E1/1/3"}},
		},
		"not in use, then in use": {
			{mode: "4x25G", want: []string{"E1/1 breakout=4x25G"}},
			{mode: "4x25G", ports: in4[:2], want: []string{"E1/1 of 4", "E1/1/1 channel 25G", "E1/1/2 channel 25G", "E1/1/3 channel 25G", "E1/1/4 channel 25G"}},
		},
		"whole, by either name": {
			{ports: []string{"E1/1/1"}, want: []string{"E1/1 port=E1/1/1"}},
			{ports: []string{"E1/1"}, want: []string{"E1/1"}},
			{ports: []string{"E1/1/1"}, mode: "1x40G", want: []string{"E1/1 40G port=E1/1/1"}},
			{ports: []string{"E1/1/1"}, want: []string{"E1/1 port=E1/1/1"}},
		},
		"port group": {
			{group: "10G", want: []string{"E1/1", "E1/1 10G"}},
			{want: []string{"E1/1"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := netbox.DefaultConfig("lab")
			c.Settings.Target = hedgehog.TargetInstaller
			s := &netbox.Snapshot{}
			for n, step := range steps {
				var plan *netbox.Plan
				plan, s = roundTrip(t, fabric(step), s, c)
				if got := shape(s); !slices.Equal(got, step.want) {
					t.Errorf("step %d:\nwant %q\ngot  %q", n+1, step.want, got)
				}
				if plan.Shares.Spec+plan.Shares.Objects > 0 {
					t.Errorf("step %d: %+v", n+1, plan.Shares)
				}
				// What was cabled is pulled out before the next step.
				s.Rows.Cables, s.Rows.CableTerminations = nil, nil
			}
		})
	}
}
