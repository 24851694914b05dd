package hedgehog_test

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
	"sigs.k8s.io/yaml"

	"hedgehog-gitops/render/hedgehog"
)

func ExampleProfileByName() {
	p, _ := hedgehog.ProfileByName("edgecore-dcs203")
	fmt.Println(p.DisplayName, p.Features.ESLAG)

	port, _ := p.PortFromInterface("ce49")
	fmt.Println(port, p.PortNames(map[string]string{port: "4x25G"})[50:53])

	e1, _ := p.Port("E1/1")
	group, _ := p.Group(e1.Group)
	fmt.Println(group.Type.DefaultSpeed, group.Type.Speeds, len(group.Ports))
	// Output:
	// Edgecore DCS203 true
	// E1/49 [E1/49/1 E1/49/2 E1/49/3]
	// 25G [10G 25G] 12
}

func ExampleProfileByDeviceType() {
	fmt.Println(hedgehog.ProfileByDeviceType("edgecore", "edgecore-as7326-56x-o-ac-f", "AS7326-56X-O-AC-F", ""))
	fmt.Println(hedgehog.ProfileByDeviceType("celestica", "dx010", "DX010", ""))
	// Output:
	// edgecore-dcs203 true
	//  false
}

// switchProfile is a SwitchProfile object with every field that the published
// ones use.
type switchProfile struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Metadata   struct {
		Name        string            `json:"name"`
		Namespace   string            `json:"namespace"`
		Annotations map[string]string `json:"annotations"`
	} `json:"metadata"`
	Spec struct {
		DisplayName   string          `json:"displayName"`
		OtherNames    []string        `json:"otherNames"`
		SwitchSilicon string          `json:"switchSilicon"`
		NOSType       string          `json:"nosType"`
		Platform      string          `json:"platform"`
		Notes         string          `json:"notes"`
		Features      map[string]bool `json:"features"`
		Config        struct {
			MaxPathsEBGP int `json:"maxPathsEBGP"`
		} `json:"config"`
		MaxPorts  int `json:"maxPorts"`
		Pipelines map[string]struct {
			MaxPorts int `json:"maxPorts"`
		} `json:"pipelines"`
		PortGroups map[string]struct {
			NOS     string `json:"nos"`
			Profile string `json:"profile"`
		} `json:"portGroups"`
		PortProfiles map[string]struct {
			AutoNegAllowed bool `json:"autoNegAllowed"`
			AutoNegDefault bool `json:"autoNegDefault"`
			Speed          struct {
				Default   string   `json:"default"`
				Supported []string `json:"supported"`
			} `json:"speed"`
			Breakout struct {
				Default   string `json:"default"`
				Supported map[string]struct {
					Offsets []string `json:"offsets"`
				} `json:"supported"`
			} `json:"breakout"`
		} `json:"portProfiles"`
		Ports map[string]struct {
			NOS          string `json:"nos"`
			BaseNOSName  string `json:"baseNOSName"`
			Label        string `json:"label"`
			Group        string `json:"group"`
			Profile      string `json:"profile"`
			Pipeline     string `json:"pipeline"`
			Management   bool   `json:"management"`
			ONIEPortName string `json:"oniePortName"`
		} `json:"ports"`
	} `json:"spec"`
}

// The table must say what the published objects say. They are not part of this
// repository; where they have been put beside it they are compared in full.
func TestProfilesAgreeWithThePublishedOnes(t *testing.T) {
	t.Parallel()
	const file = "../../../shared/hedgehog/switchprofiles.yaml"
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		t.Skipf("no dump of the SwitchProfile objects of a cluster at %s, so the table is not compared with one", file)
	}
	if err != nil {
		t.Fatal(err)
	}
	var want, got []string
	for doc := range strings.SplitSeq("\n"+string(data), "\n---") {
		var sp *switchProfile
		if err := yaml.UnmarshalStrict([]byte(doc), &sp); err != nil {
			t.Fatalf("a field that this test does not know: %v", err)
		}
		if sp == nil {
			continue
		}
		want = append(want, sp.Metadata.Name)
		t.Run(sp.Metadata.Name, func(t *testing.T) {
			t.Parallel()
			p, ok := hedgehog.ProfileByName(sp.Metadata.Name)
			if !ok {
				t.Fatal("not in the table")
			}
			if diff := gocmp.Diff(published(t, sp), normalised(p)); diff != "" {
				t.Errorf("-published +table\n%s", diff)
			}
			if got, want := summary(p), sp.Metadata.Annotations["fabric.githedgehog.com/ports"]; got != want {
				t.Errorf("ports are %q, want %q", got, want)
			}
		})
	}
	for _, p := range hedgehog.Profiles() {
		got = append(got, p.Name)
	}
	slices.Sort(want)
	if len(want) != 23 {
		t.Errorf("%d profiles published, want 23", len(want))
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("names: -published +table\n%s", diff)
	}
}

// normalised drops what is ours and orders modes by name.
func normalised(p hedgehog.Profile) hedgehog.Profile {
	p.Manufacturer, p.Model = "", ""
	sortModes := func(typ *hedgehog.PortProfile) {
		typ.Breakouts = slices.SortedFunc(slices.Values(typ.Breakouts), func(a, b hedgehog.BreakoutMode) int {
			return cmp.Compare(a.Name, b.Name)
		})
	}
	for i := range p.Ports {
		sortModes(&p.Ports[i].Type)
	}
	for i := range p.Groups {
		sortModes(&p.Groups[i].Type)
	}
	return p
}

// published is what an object says, in the form of the table.
func published(t *testing.T, sp *switchProfile) hedgehog.Profile {
	t.Helper()
	s := sp.Spec
	p := hedgehog.Profile{
		Name: sp.Metadata.Name, DisplayName: s.DisplayName, OtherNames: s.OtherNames,
		Silicon: s.SwitchSilicon, NOSType: s.NOSType, Platform: s.Platform, Notes: s.Notes,
		MaxPathsEBGP: s.Config.MaxPathsEBGP, MaxPorts: s.MaxPorts,
	}
	fields := map[string]*bool{
		"acls": &p.Features.ACLs, "ecmpRoCEQPN": &p.Features.ECMPRoCEQPN, "eslag": &p.Features.ESLAG,
		"l2vni": &p.Features.L2VNI, "l3vni": &p.Features.L3VNI, "mclag": &p.Features.MCLAG,
		"portLocator": &p.Features.PortLocator, "roce": &p.Features.RoCE, "subinterfaces": &p.Features.Subinterfaces,
	}
	for name, on := range s.Features {
		if fields[name] == nil {
			t.Fatalf("feature %q has no field", name)
		}
		*fields[name] = on
	}

	types := map[string]hedgehog.PortProfile{"": {}}
	for name, pp := range s.PortProfiles {
		typ := hedgehog.PortProfile{
			Name: name, AutoNegAllowed: pp.AutoNegAllowed, AutoNegDefault: pp.AutoNegDefault,
			DefaultSpeed: pp.Speed.Default, Speeds: pp.Speed.Supported, DefaultBreakout: pp.Breakout.Default,
		}
		for _, mode := range slices.Sorted(maps.Keys(pp.Breakout.Supported)) {
			m := hedgehog.BreakoutMode{Name: mode}
			for _, o := range pp.Breakout.Supported[mode].Offsets {
				m.Offsets = append(m.Offsets, atoi(t, o))
			}
			typ.Breakouts = append(typ.Breakouts, m)
		}
		types[name] = typ
	}

	for _, name := range slices.SortedFunc(maps.Keys(s.PortGroups), byNumber(t)) {
		g := s.PortGroups[name]
		p.Groups = append(p.Groups, hedgehog.ProfileGroup{Name: name, NOSName: g.NOS, Type: types[g.Profile]})
	}
	for _, name := range slices.SortedFunc(maps.Keys(s.Pipelines), byNumber(t)) {
		p.Pipelines = append(p.Pipelines, hedgehog.ProfilePipeline{Name: name, MaxPorts: s.Pipelines[name].MaxPorts})
	}
	for _, name := range slices.SortedFunc(maps.Keys(s.Ports), byPort(t)) {
		port := s.Ports[name]
		typ := port.Profile
		for i, g := range p.Groups {
			if g.Name == port.Group {
				typ = g.Type.Name
				p.Groups[i].Ports = append(p.Groups[i].Ports, name)
			}
		}
		for i, pl := range p.Pipelines {
			if pl.Name == port.Pipeline {
				p.Pipelines[i].Ports = append(p.Pipelines[i].Ports, name)
			}
		}
		if (port.Profile != "") == (port.Group != "" || port.Management) {
			t.Fatalf("%s has profile %q and group %q", name, port.Profile, port.Group)
		}
		p.Ports = append(p.Ports, hedgehog.ProfilePort{
			Name: name, Label: port.Label, NOSName: port.NOS, BaseNOSName: port.BaseNOSName, ONIEName: port.ONIEPortName,
			Management: port.Management, Group: port.Group, Pipeline: port.Pipeline, Type: types[typ],
		})
	}
	return p
}

// summary counts the data ports by type, as the objects' annotation does.
func summary(p hedgehog.Profile) string {
	var names []string
	count := map[string]int{}
	for _, port := range p.Ports {
		name := strings.TrimSuffix(port.Type.Name, "-nb")
		if port.Management {
			continue
		}
		if count[name]++; count[name] == 1 {
			names = append(names, name)
		}
	}
	for i, name := range names {
		names[i] = fmt.Sprintf("%dx%s", count[name], name)
	}
	return strings.Join(names, ", ")
}

func atoi(t *testing.T, s string) int {
	t.Helper()
	var n int
	if _, err := fmt.Sscanf(s, "%d", &n); err != nil {
		t.Fatalf("%q is not a number", s)
	}
	return n
}

func byNumber(t *testing.T) func(a, b string) int {
	return func(a, b string) int { return cmp.Compare(atoi(t, a), atoi(t, b)) }
}

// byPort orders M1, E1/1, E1/2, ... E1/10.
func byPort(t *testing.T) func(a, b string) int {
	number := func(name string) int {
		if name == "M1" {
			return 0
		}
		return atoi(t, strings.TrimPrefix(name, "E1/"))
	}
	return func(a, b string) int { return cmp.Compare(number(a), number(b)) }
}

// profile is a profile that must be there.
func profile(t testing.TB, name string) hedgehog.Profile {
	t.Helper()
	p, ok := hedgehog.ProfileByName(name)
	if !ok {
		t.Fatalf("no profile %q", name)
	}
	return p
}

func TestProfilesAreTheCallersOwn(t *testing.T) {
	t.Parallel()
	p := profile(t, "dell-s5248f-on")
	p.Ports[1].Name = "changed"
	p.Ports[50].Type.Breakouts[0].Name = "changed"
	p.Groups[0].Ports[0] = "changed"
	if diff := gocmp.Diff(hedgehog.Profiles()[12], profile(t, "dell-s5248f-on")); diff != "" {
		t.Errorf("a change by one caller is seen by another:\n%s", diff)
	}
	if _, ok := hedgehog.ProfileByName("DELL-S5248F-ON"); ok {
		t.Error("found a profile by a name in the wrong case")
	}
}

func TestPortFromInterface(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		profile string
		ports   map[string]string // interface -> port, "" where there is none
	}{
		"names of the API are kept": {"celestica-ds3000", map[string]string{
			"M1": "M1", "m1": "M1", "E1/1": "E1/1", "e1/32": "E1/32", " E1/33 ": "E1/33",
			"E1/5/1": "E1/5/1", "E1/5/4": "E1/5/4",
			"E1/5/5": "", "E1/5/0": "", "E1/33/1": "", "E1/0": "", "E1/34": "", "E2/1": "", "E1/01": "", "E1/1/": "",
			"E1/5/01": "", "E1/1/1/1": "", "M2": "", "M1/1": "", "": "", "E1/+1": "", "E1/-1": "",
		}},
		"names of the operating system": {"celestica-ds3000", map[string]string{
			"Ethernet0": "E1/1", "ethernet124": "E1/32", "Ethernet128": "E1/33", "1/1": "E1/1", "1/32": "E1/32",
			"Ethernet 4": "E1/2", "Management0": "M1", "eth0": "M1", "mgmt0": "M1",
			"1/33": "", "5": "", "Ethernet132": "", "Ethernet": "", "Ethernet04": "", "Management1": "", "eth1": "", "Vlan1": "", "PortChannel1": "",
		}},
		"aliases count as on the front": {"celestica-ds2000", map[string]string{
			"Eth1/1": "E1/1", "Ethernet1/49": "E1/49", "eth1/50": "E1/50", "Ethernet 1/56": "E1/56", "1/49": "E1/49",
			"Eth1/57": "", "Eth1/0": "", "Eth2/1": "", "Eth1/49/1": "", "Ethernet1/1/5": "", "EthernetEth1/1": "", "1/50": "",
		}},
		"a lane is not a port": {"dell-s5232f-on", map[string]string{
			"Ethernet0": "E1/1", "Ethernet120": "E1/31", "Ethernet124": "E1/32", "Ethernet128": "E1/33", "Ethernet129": "E1/34",
			"Ethernet1": "", "Ethernet2": "", "Ethernet3": "", "Ethernet125": "",
		}},
		"dell-s5248f-on": {"dell-s5248f-on", map[string]string{
			"Ethernet0": "E1/1", "Ethernet1": "E1/2", "Ethernet47": "E1/48", "Ethernet48": "E1/49", "Ethernet52": "E1/50", "Ethernet76": "E1/56",
			"Management0": "M1", "Ethernet49": "", "Ethernet80": "",
		}},
		"dell-z9332f-on": {"dell-z9332f-on", map[string]string{
			"Ethernet 1/1/1": "E1/1", "ethernet1/1/32": "E1/32", "Ethernet 1/1/34": "E1/34", "mgmt 1/1/1": "M1", "mgmt1/1/1": "M1",
			"Ethernet8": "E1/2", "Eth1/2": "E1/2", "Ethernet257": "E1/34", "M1": "M1",
			"Ethernet 1/1/35": "", "Ethernet 1/1/0": "", "Eth1/1/2": "", "mgmt 1/1/2": "", "Ethernet1": "", "M2": "",
		}},
		"edgecore-dcs203": {"edgecore-dcs203", map[string]string{
			"xe1": "E1/1", "xe48": "E1/48", "ce49": "E1/49", "CE56": "E1/56", "xe57": "E1/57", "xe58": "E1/58", "eth0": "M1",
			"Ethernet0": "E1/1", "Ethernet52": "E1/50", "Ethernet76": "E1/56", "Ethernet81": "E1/58", "1/49": "E1/49", "1/73": "E1/55", "Eth1/50": "E1/50",
			"xe0": "", "xe01": "", "xe49": "", "ce1": "", "ce48": "", "ce57": "", "xe59": "", "lo": "", "eth1": "",
			// The operating system's 1/53 is the front's 50.
			"1/53": "", "1/57": "", "Eth1/53": "", "Ethernet1/57": "",
		}},
		"edgecore-dcs204": {"edgecore-dcs204", map[string]string{
			"Ethernet0": "E1/1", "Ethernet4": "E1/2", "Ethernet124": "E1/32", "Ethernet128": "E1/33", "Ethernet129": "E1/34",
			"eth1": "E1/33", "ETH2": "E1/34", "eth0": "M1",
			"eth3": "", "Ethernet2": "", "Ethernet132": "", "xe1": "",
		}},
		"the boot loader counts management after two others": {"edgecore-eps202", map[string]string{
			"eth2": "M1", "M1": "M1", "Management0": "M1", "eth0": "", "eth1": "",
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := profile(t, test.profile)
			for iface, want := range test.ports {
				got, ok := p.PortFromInterface(iface)
				if got != want || ok != (want != "") {
					t.Errorf("PortFromInterface(%q) = %q, %v, want %q", iface, got, ok, want)
				}
			}
		})
	}
}

func TestLaneFromInterface(t *testing.T) {
	t.Parallel()
	breakouts := map[string]string{"E1/1": "4x25G", "E1/2": "2x50G", "E1/3": "9x9G"}
	p := profile(t, "dell-s5232f-on")
	for iface, want := range map[string]string{
		"Ethernet0": "E1/1", "Ethernet1": "E1/1/2", "ethernet 2": "E1/1/3", "E1/1/4": "E1/1/4",
		"Ethernet4": "E1/2", "Ethernet6": "E1/2/2", "E1/2/2": "E1/2/2", "Ethernet8": "E1/3", "E1/3/1": "E1/3/1",
		"Ethernet5": "", "E1/2/3": "", "Ethernet9": "", "E1/3/2": "", "Ethernet130": "",
	} {
		if got, ok := p.LaneFromInterface(iface, breakouts); ok != (want != "") || ok && got != want {
			t.Errorf("LaneFromInterface(%q) = %q, %v, want %q", iface, got, ok, want)
		}
	}
}

func TestPortsOfASwitch(t *testing.T) {
	t.Parallel()
	p := profile(t, "celestica-ds2000")
	breakouts := map[string]string{"E1/56": "4x10G", "E1/50": "4x25G", "E1/1": "4x25G"}
	names := p.PortNames(breakouts)
	want := []string{"E1/48", "E1/49", "E1/49/1", "E1/50", "E1/51", "E1/52", "E1/53", "E1/54", "E1/55", "E1/56", "E1/56/1", "E1/56/2", "E1/56/3", "E1/56/4"}
	if diff := gocmp.Diff(want, names[48:]); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if diff := gocmp.Diff([]string{"M1", "E1/1", "E1/2"}, names[:3]); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	available := p.AvailablePorts(breakouts)
	want = []string{"E1/48", "E1/49/1", "E1/50", "E1/51", "E1/52", "E1/53", "E1/54", "E1/55", "E1/56/1", "E1/56/2", "E1/56/3", "E1/56/4"}
	if diff := gocmp.Diff(want, available[47:]); diff != "" || available[0] != "E1/1" {
		t.Errorf("-want +got\n%s", diff)
	}
	for name, want := range map[string]bool{
		"M1": true, "E1/1": true, "E1/49": true, "E1/49/1": true, "E1/56/4": true,
		"E1/1/1": false, "E1/49/2": false, "E1/50/1": false, "E1/57": false, "Ethernet0": false, "1": false, "": false,
	} {
		if got := p.HasPort(name, breakouts); got != want {
			t.Errorf("HasPort(%q) = %v, want %v", name, got, want)
		}
	}
	for name, want := range map[string]string{"E1/49": "E1/49/1", "E1/49/1": "E1/49/1", "E1/50": "E1/50", "M1": "M1", "srv": "srv"} {
		if got := p.Canonical(name); got != want {
			t.Errorf("Canonical(%q) = %q, want %q", name, got, want)
		}
	}
	if port, lane, ok := p.PortOf("E1/56/3"); port.Name != "E1/56" || lane != 3 || !ok {
		t.Errorf("PortOf(E1/56/3) = %s, %d, %v", port.Name, lane, ok)
	}
	for name, want := range map[string]string{"M1": "Management0", "E1/56": "Ethernet76", "E1/56/4": "Ethernet79", "E1/50": "Ethernet52", "E1/49/2": ""} {
		if got, _ := p.NOSName(name, breakouts); got != want {
			t.Errorf("NOSName(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestCountPorts(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		profile   string
		breakouts map[string]string
		total     int
		pipelines map[string]int // those to look at
	}{
		"speed ports count once":           {"vs", nil, 48, nil},
		"breakout ports count their lanes": {"dell-s5248f-on", map[string]string{"E1/49": "4x25G"}, 59, nil},
		"defaults may have several lanes":  {"celestica-ds4101", nil, 66, map[string]int{"1": 4, "16": 4}},
		"pipelines fill up": {"celestica-ds4000", map[string]string{"E1/1": "8x50G", "E1/2": "8x50G", "E1/4": "4x100G", "E1/5": "2x200G"},
			51, map[string]int{"1": 21, "2": 5, "8": 4}},
		"outer and inner ports": {"celestica-ds5000", map[string]string{"E1/1": "8x100G", "E1/4": "2x400G", "E1/3": "4x200G", "E1/64": "2x400G"},
			78, map[string]int{"1": 10, "2": 5, "31": 3, "32": 2}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			count := profile(t, test.profile).CountPorts(test.breakouts)
			if count.Total != test.total {
				t.Errorf("total is %d, want %d", count.Total, test.total)
			}
			for name, want := range test.pipelines {
				if got := count.Pipelines[name]; got != want {
					t.Errorf("pipeline %s has %d, want %d", name, got, want)
				}
			}
		})
	}
}

func TestAutoNeg(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		profile, port      string
		allowed, byDefault bool
	}{
		"copper":                     {"edgecore-eps203", "E1/1", true, true},
		"no copper":                  {"edgecore-eps203", "E1/49", false, false},
		"a lane":                     {"celestica-ds3000", "E1/1/1", true, false},
		"not the port it is part of": {"celestica-ds3000", "E1/1", false, false},
		"no such lane":               {"celestica-ds3000", "E1/1/2", false, false},
		"in a group":                 {"vs", "E1/1", false, false},
		"management":                 {"vs", "M1", false, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			allowed, byDefault := profile(t, test.profile).AutoNeg(test.port, nil)
			if allowed != test.allowed || byDefault != test.byDefault {
				t.Errorf("AutoNeg = %v, %v, want %v, %v", allowed, byDefault, test.allowed, test.byDefault)
			}
		})
	}
}

func TestParseBreakout(t *testing.T) {
	t.Parallel()
	got, err := hedgehog.ParseBreakout("4x25G")
	if want := (hedgehog.Breakout{Lanes: 4, Speed: "25G"}); err != nil || got != want {
		t.Errorf("4x25G is %v, %v, want %v", got, err, want)
	}
	for _, bad := range []string{"", "4", "x25G", "3x25G", "4x", "4x26G", "4x25", "4x25g", "4X25G", "04x25G", "4x25Gx1", "16x25G"} {
		if got, err := hedgehog.ParseBreakout(bad); err == nil {
			t.Errorf("%q is %v, want an error", bad, got)
		}
	}
	// Every mode and speed of every profile reads and writes back.
	for _, p := range hedgehog.Profiles() {
		for _, port := range p.Ports {
			for _, mode := range port.Type.Breakouts {
				b, err := hedgehog.ParseBreakout(mode.Name)
				if err != nil || b.String() != mode.Name || b.Lanes != len(mode.Offsets) {
					t.Fatalf("%s %s: %s is %v, %v with %d lanes", p.Name, port.Name, mode.Name, b, err, len(mode.Offsets))
				}
			}
			if _, ok := port.Type.Breakout(port.Type.DefaultBreakout); ok != port.Type.IsBreakout() {
				t.Fatalf("%s %s: default mode %q", p.Name, port.Name, port.Type.DefaultBreakout)
			}
			if !port.Management && port.Type.SupportsSpeed(port.Type.DefaultSpeed) == port.Type.IsBreakout() {
				t.Fatalf("%s %s: default speed %q", p.Name, port.Name, port.Type.DefaultSpeed)
			}
			for _, speed := range port.Type.Speeds {
				kbps, ok := hedgehog.SpeedKbps(speed)
				if back, _ := hedgehog.SpeedFromKbps(kbps); !ok || back != speed {
					t.Fatalf("%s %s: %s is %d Kbps, which is %q", p.Name, port.Name, speed, kbps, back)
				}
			}
		}
	}
}

func TestSpeeds(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]int{"1G": 1_000_000, "2.5G": 2_500_000, "25G": 25_000_000, "800G": 800_000_000, "25": 0, "25g": 0, "26G": 0, "": 0} {
		if got, ok := hedgehog.SpeedKbps(name); got != want || ok != (want != 0) {
			t.Errorf("SpeedKbps(%q) = %d, %v, want %d", name, got, ok, want)
		}
	}
	for kbps, want := range map[int]string{25_000_000: "25G", 2_500_000: "2.5G", 0: "", 26_000_000: "", -1: ""} {
		if got, ok := hedgehog.SpeedFromKbps(kbps); got != want || ok != (want != "") {
			t.Errorf("SpeedFromKbps(%d) = %q, %v, want %q", kbps, got, ok, want)
		}
	}
}

func TestProfileByDeviceType(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		maker, slug, model, part string
		want                     string
	}{
		"library, by slug":                {"edgecore", "edgecore-as7326-56x-o-ac-f", "AS7326-56X-O-AC-F", "FP4ZZ7656xxxx", "edgecore-dcs203"},
		"library, rear to front":          {"edgecore", "edgecore-as7326-56x-o-ac-b", "AS7326-56X-O-AC-B", "", "edgecore-dcs203"},
		"library, on 48 V":                {"edgecore", "edgecore-as7326-56x-o-48v-b", "AS7326-56X-O-48V-B", "FP4ZZ7656013A", "edgecore-dcs203"},
		"library, without AS":             {"edgecore", "edgecore-7326-56x-o-ac-b", "7326-56X-O-AC-B", "", "edgecore-dcs203"},
		"library, without manufacturer":   {"edgecore", "7726-32x-o", "7726-32X-O", "FP3ZZ7632xxxx", "edgecore-dcs204"},
		"library, s5232f":                 {"dell", "s5232f", "s5232f", "", "dell-s5232f-on"},
		"library, s5248f":                 {"dell", "s5248f", "s5248f", "", "dell-s5248f-on"},
		"library, z9332":                  {"dell", "z9332-on", "Z9332-ON", "", "dell-z9332f-on"},
		"other name as model":             {"celestica", "leaf-type-1", "Seastone2", "", "celestica-ds3000"},
		"other name as part number":       {"celestica", "spine", "spine", "Questone 2a", "celestica-ds2000"},
		"other name with manufacturer":    {"celestica", "celestica-silverstone2", "", "", "celestica-ds4000"},
		"Greystone":                       {"celestica", "greystone", "Greystone", "", "celestica-ds4101"},
		"Moonstone":                       {"Celestica", "MOONSTONE", "", "", "celestica-ds5000"},
		"AS7326-56X":                      {"edgecore", "x", "AS7326-56X", "", "edgecore-dcs203"},
		"AS7726-32X":                      {"edgecore", "x", "AS7726-32X", "", "edgecore-dcs204"},
		"AS9726":                          {"edgecore", "as9726", "", "", "edgecore-dcs240"},
		"AS9726-32DB":                     {"edgecore", "as9726-32db", "", "", "edgecore-dcs240"},
		"AS7712-32X":                      {"edgecore", "as7712-32x", "", "", "edgecore-dcs501"},
		"AS4630-54PE":                     {"edgecore", "as4630-54pe", "", "", "edgecore-eps202"},
		"AS4630-54NPE":                    {"edgecore", "as4630-54npe", "", "", "edgecore-eps203"},
		"SSE-C4632SB":                     {"supermicro", "sse-c4632sb", "SSE-C4632SB", "", "supermicro-sse-c4632sb"},
		"slug is a profile":               {"acme", "celestica-ds5000", "Big one", "", "celestica-ds5000"},
		"manufacturer and slug are one":   {"celestica", "ds2000", "DS2000", "", "celestica-ds2000"},
		"the slug decides over the model": {"celestica", "ds2000-clsp", "DS2000", "", "celestica-ds2000-clsp"},
		"manufacturer and model are one":  {"dell", "switch-25g", "S5248F-ON", "", "dell-s5248f-on"},
		"two manufacturers of one name":   {"edge-core", "edgecore-as7326-56x-o-ac-f", "", "", "edgecore-dcs203"},
		"two words of a manufacturer":     {"dell-emc", "dell-emc-s5248f-on", "", "", "dell-s5248f-on"},

		"another manufacturer's name":       {"arista", "s5232f", "s5232f", "", ""},
		"another manufacturer's profile":    {"arista", "ds3000", "DS3000", "", ""},
		"a neighbour in the same series":    {"edgecore", "as4630-54te-o-ac-f", "AS4630-54TE-O-AC-F", "", ""},
		"an older switch":                   {"celestica", "dx010", "Seastone DX010", "", ""},
		"a longer name":                     {"dell", "s5232f-on-something", "", "", ""},
		"model and part number contradict":  {"celestica", "x", "Seastone2", "Moonstone", ""},
		"the alias and the model disagree":  {"dell", "s5232f", "S5248F-ON", "", ""},
		"nothing":                           {"", "", "", "", ""},
		"manufacturer only":                 {"dell", "", "", "", ""},
		"no manufacturer to go by":          {"", "s5232f", "S5232F", "", ""},
		"punctuation is not a manufacturer": {"-", "ds3000", "", "", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, ok := hedgehog.ProfileByDeviceType(test.maker, test.slug, test.model, test.part)
			if got != test.want || ok != (test.want != "") {
				t.Errorf("got %q, %v, want %q", got, ok, test.want)
			}
		})
	}
}

// A device type made for a profile must be recognised as that profile.
func TestEveryProfileIsFoundByItsOwnDeviceType(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, p := range hedgehog.Profiles() {
		maker, slug := strings.ToLower(p.Manufacturer), strings.ToLower(p.Model)
		if got, ok := hedgehog.ProfileByDeviceType(maker, slug, p.Model, ""); !ok || got != p.Name {
			t.Errorf("%s %s is %q, want %q", p.Manufacturer, p.Model, got, p.Name)
		}
		if other, ok := seen[maker+" "+slug]; ok {
			t.Errorf("%s and %s are both %s %s", p.Name, other, p.Manufacturer, p.Model)
		}
		seen[maker+" "+slug] = p.Name
	}
}

// The two ports of the one switch on which the operating system's numbers are
// those of other ports on the front.
func ambiguous(p hedgehog.Profile, iface string) bool {
	return p.Name == "edgecore-dcs203" && slices.Contains([]string{"1/53", "1/57", "eth1/53", "eth1/57", "ethernet1/53", "ethernet1/57"}, strings.ToLower(iface))
}

// Whatever the name and its case, an interface leads to the port it is the name
// of, or nowhere where it is the name of two.
func TestPortFromInterfaceProperty(t *testing.T) {
	t.Parallel()
	profiles := hedgehog.Profiles()
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SampledFrom(profiles).Draw(t, "profile")
		port := rapid.SampledFrom(p.Ports).Draw(t, "port")
		names := []string{port.Name, port.NOSName}
		switch {
		case port.Management:
			names = append(names, port.ONIEName)
		case port.BaseNOSName != "":
			names = append(names, port.BaseNOSName, "Eth"+port.Name[1:], "Ethernet"+port.Name[1:])
		default:
			names = append(names, "Eth"+port.Name[1:], "Ethernet"+port.Name[1:])
		}
		upper := rapid.SliceOfN(rapid.Bool(), 16, 16).Draw(t, "upper")
		i := -1
		name := strings.Map(func(r rune) rune {
			if i++; upper[i] {
				return unicode.ToUpper(r)
			}
			return unicode.ToLower(r)
		}, rapid.SampledFrom(names).Draw(t, "name"))

		want := port.Name
		if ambiguous(p, name) {
			want = ""
		}
		if got, ok := p.PortFromInterface(name); got != want || ok != (want != "") {
			t.Fatalf("%s: PortFromInterface(%q) = %q, %v, want %q", p.Name, name, got, ok, want)
		}
	})
}

// With any breakouts the names of ports and lanes agree with one another and
// with the operating system's, one to one.
func TestPortNamesProperty(t *testing.T) {
	t.Parallel()
	profiles := hedgehog.Profiles()
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SampledFrom(profiles).Draw(t, "profile")
		breakouts := map[string]string{}
		for _, port := range p.Ports {
			if port.Type.IsBreakout() && rapid.Bool().Draw(t, port.Name) {
				breakouts[port.Name] = rapid.SampledFrom(port.Type.Breakouts).Draw(t, "mode").Name
			}
		}
		available := p.AvailablePorts(breakouts)
		count := p.CountPorts(breakouts)
		if len(available) != count.Total {
			t.Fatalf("%d ports available, %d counted", len(available), count.Total)
		}
		ofNOS := map[string]string{}
		for _, name := range p.PortNames(breakouts) {
			nos, ok := p.NOSName(name, breakouts)
			if !ok || !p.HasPort(name, breakouts) {
				t.Fatalf("%s is a port name, but not of a port", name)
			}
			canonical := p.Canonical(name)
			if other, ok := ofNOS[nos]; ok && other != canonical {
				t.Fatalf("%s is %s and %s", nos, other, canonical)
			}
			ofNOS[nos] = canonical
			if back, ok := p.LaneFromInterface(nos, breakouts); !ok || p.Canonical(back) != canonical {
				t.Fatalf("%s is %s, which is %q, %v", name, nos, back, ok)
			}
			if canonical != "M1" && !slices.Contains(available, canonical) {
				t.Fatalf("%s is a port name, but not available", canonical)
			}
		}
		if len(ofNOS) != len(available)+1 {
			t.Fatalf("%d names of the operating system for %d ports", len(ofNOS), len(available)+1)
		}
	})
}
