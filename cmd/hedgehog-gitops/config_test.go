package main

import (
	"bytes"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"hedgehog-gitops/render/hedgehog"
	"hedgehog-gitops/render/netbox"
)

func env(pairs ...string) func(string) string {
	return func(name string) string {
		for i := 0; i+1 < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	}
}

var compareAddresses = cmp.Options{
	cmpopts.EquateComparable(netip.Prefix{}, netip.Addr{}),
}

// The defaults that the file's comments promise are those of the packages.
func TestAFabricOfWhichTheFileSaysNothingHasEveryDefault(t *testing.T) {
	t.Parallel()
	c, err := parseConfig("f.yaml", []byte("fabrics: [{name: lab, site: lab}]"), env())
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.fabric("lab")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(netbox.DefaultConfig("lab"), got.NetBox, compareAddresses); diff != "" {
		t.Errorf("fabric (-want +got):\n%s", diff)
	}
}

func TestEveryKeyOfAFabricReachesItsConfiguration(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/config/full.yaml")
	if err != nil {
		t.Fatal(err)
	}
	c, err := parseConfig("conf/full.yaml", data, env("SITE", "dc-1", "NETBOX_HOST", "netbox.example.com", "TAG", "hh"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.fabric("prod")
	if err != nil {
		t.Fatal(err)
	}
	want := netbox.Config{
		Name:     "prod",
		Site:     "dc-1",
		Location: "hall-2",
		Statuses: []string{"active"},
		Roles: map[string][]string{
			netbox.RoleSpine:      {"core", "spine"},
			netbox.RoleServerLeaf: {"leaf", "server-leaf"},
			netbox.RoleBorderLeaf: {"border-leaf"},
			netbox.RoleMixedLeaf:  {"mixed-leaf"},
			netbox.RoleServer:     {"hypervisor"},
			netbox.RoleGateway:    {"gateway"},
			netbox.RoleExternal:   {"router", "edge-router", "firewall"},
		},
		VLANGroups:     []string{"fabric-vlans"},
		Containers:     []string{"10.0.0.0/8"},
		Profiles:       map[string]string{"acme/switch-32": "dell-s5232f-on"},
		AttachmentName: "{connection}--{vpc}--{subnet}",
		UnderlayVRF:    "underlay",
		Tag:            "hh",
		Settings: hedgehog.Settings{
			FabricVersion: "26.02",
			Target:        hedgehog.TargetInstaller,
			FabricMTU:     9000,
			Pools: hedgehog.Pools{
				ManagementSubnet:    netip.MustParsePrefix("172.31.0.0/21"),
				ManagementDHCPStart: netip.MustParseAddr("172.31.4.0"),
				ProtocolSubnet:      netip.MustParsePrefix("172.31.8.0/22"),
				VTEPSubnet:          netip.MustParsePrefix("172.31.12.0/22"),
				FabricSubnet:        netip.MustParsePrefix("172.31.128.0/17"),
				ReservedSubnets:     []netip.Prefix{netip.MustParsePrefix("172.31.16.0/22")},
				SpineASN:            4200000000,
				LeafASNStart:        4200000001,
				LeafASNEnd:          4200000999,
				GatewayASN:          4200001000,
				ReservedVLANs:       []hedgehog.VLANRange{{From: 2000, To: 2099}, {From: 4000, To: 4000}},
			},
		},
	}
	if diff := cmp.Diff(want, got.NetBox, compareAddresses); diff != "" {
		t.Errorf("fabric (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]int{"10-nodes": 1, "20-connections": 0}, got.Shards); diff != "" {
		t.Errorf("shards (-want +got):\n%s", diff)
	}
	if !got.Deploy.Prune {
		t.Error("what leaves the repository stays in the cluster")
	}
	if ca, err := c.caFile(); ca != "conf/ca.pem" || err != nil {
		t.Errorf("file of authorities is %q, %v", ca, err)
	}
	if root, err := c.rootFolder(); root != "network/fabrics" || err != nil {
		t.Errorf("root is %q, %v", root, err)
	}
	if url, err := c.netboxURL(); url != "https://netbox.example.com/nb" || err != nil {
		t.Errorf("address of NetBox is %q, %v", url, err)
	}
}

func TestAFabricReplacesHowAllAreDeployedKeyByKey(t *testing.T) {
	t.Parallel()
	c, err := parseConfig("f.yaml", []byte("deploy: {prune: true}\nfabrics:\n- {name: a, site: a}\n- {name: b, site: b, deploy: {prune: false}}\n- {name: c, site: c, deploy: {}}\n"), env())
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{"a": true, "b": false, "c": true} {
		got, err := c.fabric(name)
		if err != nil || got.Deploy.Prune != want {
			t.Errorf("fabric %s is pruned: %v, want %v (%v)", name, got.Deploy.Prune, want, err)
		}
	}
}

func TestMistakesInTheConfiguration(t *testing.T) {
	t.Parallel()
	fabric := "fabrics:\n- {name: lab, site: lab, "
	for name, test := range map[string]struct {
		file string
		want []string // each is in the text of an issue, in this order
	}{
		"an unknown key near a known one":    {"fabric: []", []string{`f.yaml:1 fabric: there is no key "fabric" here; did you mean "fabrics"?`}},
		"an unknown key like no other":       {"zebra: 1", []string{`there is no key "zebra" here; known keys: root, netbox, fabrics, tag, git, signing, forge, pullRequest, limits, deploy`}},
		"an unknown key inside a fabric":     {fabric + "rolls: {}}", []string{`f.yaml:2 fabrics[0].rolls: there is no key "rolls" here; did you mean "roles"?`}},
		"a key in another case":              {fabric + "vlangroups: []}", []string{`did you mean "vlanGroups"?`}},
		"a key twice":                        {"tag: a\nroot: b\ntag: c", []string{"f.yaml:3 tag: stands on line 1 already"}},
		"all of several mistakes":            {"a: 1\nb: 2\nnetbox: 3", []string{"f.yaml:1 a:", "f.yaml:2 b:", "f.yaml:3 netbox: must be a mapping"}},
		"no YAML":                            {"fabrics: [", []string{"f.yaml:1 not YAML"}},
		"no mapping":                         {"- a", []string{"f.yaml:1 must be a mapping"}},
		"two documents":                      {"tag: a\n---\ntag: b", []string{"a second document"}},
		"a list that is none":                {fabric + "vlanGroups: a}", []string{"fabrics[0].vlanGroups: must be a list"}},
		"an empty item":                      {fabric + "vlanGroups: [a,~]}", []string{"fabrics[0].vlanGroups[1]: is empty"}},
		"fabrics that are no list":           {"fabrics: {name: a}", []string{"fabrics: must be a list"}},
		"a fabric that is no mapping":        {"fabrics: [lab]", []string{"fabrics[0]: must be a mapping"}},
		"a fabric without name or site":      {"fabrics:\n- {}", []string{"fabrics[0].name: a fabric needs a name", "fabrics[0].site: a fabric needs a site"}},
		"two fabrics of one name":            {"fabrics:\n- {name: a, site: a}\n- {name: b, site: a}\n- {name: A, site: c}", []string{"f.yaml:4 fabrics[2].name: the fabric A stands on line 2 already"}},
		"a name that leaves its folder":      {"fabrics: [{name: ../../etc, site: a}]", []string{`"../../etc" cannot name a folder and a branch`}},
		"a name that is a dot":               {"fabrics: [{name: ., site: a}]", []string{"cannot name a folder"}},
		"a name with dots in a row":          {"fabrics: [{name: a..b, site: a}]", []string{"cannot name a folder"}},
		"a name that git refuses":            {"fabrics: [{name: a.lock, site: a}]", []string{"cannot name a folder"}},
		"a name with a line break":           {`fabrics: [{name: "a\nb", site: a}]`, []string{"cannot name a folder"}},
		"a name with a slash":                {"fabrics: [{name: a/b, site: a}]", []string{"cannot name a folder"}},
		"a site that is no slug":             {"fabrics: [{name: a, site: Data centre}]", []string{`"Data centre" is no slug`}},
		"an unknown role":                    {fabric + "roles: {leaf: [a]}}", []string{`"leaf" is no role of a fabric: those are spine`}},
		"a network with host bits":           {fabric + "pools: {managementSubnet: 172.30.0.1/21}}", []string{"the network is 172.30.0.0/21"}},
		"a network that is none":             {fabric + "pools: {vtepSubnet: x}}", []string{`"x" is no network`}},
		"an address that is none":            {fabric + "pools: {managementDHCPStart: x}}", []string{`"x" is no address`}},
		"an AS number out of range":          {fabric + "pools: {spineASN: 4294967296}}", []string{"is no number from 0"}},
		"VLANs the wrong way round":          {fabric + "pools: {reservedVLANs: [5-3]}}", []string{"fabrics[0].pools.reservedVLANs[0]"}},
		"an unknown stage":                   {fabric + "shards: {40-x: 1}}", []string{`"40-x" is no stage`}},
		"too many digits of a shard":         {fabric + "shards: {10-nodes: 9}}", []string{`"9" is no number of digits`}},
		"a boolean that is none":             {fabric + "gateway: maybe}", []string{`"maybe" is neither true nor false`}},
		"an unknown release":                 {fabric + "fabricVersion: 25.01}", []string{`"25.01" is no release`}},
		"an unknown target":                  {fabric + "target: moon}", []string{`"moon" is neither cluster nor installer`}},
		"a pattern with an unknown part":     {fabric + `names: {attachment: "{vpc}-{connection}-{port}"}}`, []string{"has {port} in it"}},
		"a pattern that names all alike":     {fabric + `names: {attachment: "{vpc}"}}`, []string{"must have {connection} in it"}},
		"an address of NetBox without https": {"netbox: {url: netbox.example.com}", []string{"is no web address"}},
		"a password in NetBox's address":     {"netbox: {url: https://a:b@netbox.example.com}", []string{"must not have a password in it"}},
		"a root above the repository":        {"root: ../elsewhere", []string{"is no folder inside the repository"}},
		"an absolute root":                   {"root: /etc", []string{"is no folder inside the repository"}},
		"a branch that git refuses":          {"pullRequest: {branch: a b}", []string{"cannot name a branch"}},
		"one branch for two fabrics":         {"pullRequest: {branch: x}\nfabrics: [{name: a, site: a}, {name: b, site: b}]", []string{"several fabrics cannot share one branch"}},
		"an alias of itself":                 {"fabrics: &a [*a]", []string{"fabrics"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := parseConfig("f.yaml", []byte(test.file), env())
			var f *faulty
			if !errors.As(err, &f) {
				t.Fatalf("got %v, want issues", err)
			}
			var texts []string
			for _, i := range f.issues {
				texts = append(texts, strings.TrimSpace(i.Origin.String()+" "+strings.TrimPrefix(i.Field+": ", ": ")+i.Summary+"; "+i.Hint))
			}
			if len(texts) != len(test.want) {
				t.Fatalf("got %d issues, want %d:\n%s", len(texts), len(test.want), strings.Join(texts, "\n"))
			}
			for i, want := range test.want {
				if !strings.Contains(texts[i], want) {
					t.Errorf("issue %d is\n%s\nwant in it\n%s", i, texts[i], want)
				}
			}
		})
	}
}

func TestAVariableNeedOnlyBeSetOnceItsValueIsUsed(t *testing.T) {
	t.Parallel()
	c, err := parseConfig("f.yaml", []byte("netbox: {url: \"${NO_URL}\"}\nfabrics:\n- {name: a, site: a}\n- name: b\n  site: ${NO_SITE}\n  pools:\n    spineASN: ${NO_ASN}\n"), env())
	if err != nil {
		t.Fatalf("loading: %v", err)
	}
	if _, err := c.fabric("a"); err != nil {
		t.Errorf("fabric a: %v", err)
	}
	_, err = c.fabric("b")
	var f *faulty
	if !errors.As(err, &f) || len(f.issues) != 2 {
		t.Fatalf("fabric b: got %v, want two issues", err)
	}
	if i := f.issues[0]; i.Summary != "the environment has no NO_SITE" || i.Origin.Line != 5 || i.Field != "fabrics[1].site" {
		t.Errorf("first issue is %+v", i)
	}
	if _, err := c.netboxURL(); err == nil {
		t.Error("the address of NetBox was found")
	}
}

func TestAVariableIsHeldToTheSameRules(t *testing.T) {
	t.Parallel()
	c, err := parseConfig("f.yaml", []byte("fabrics: [{name: a, site: \"${SITE}\"}]"), env("SITE", "Not a slug"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.fabric("a"); err == nil {
		t.Error("the value of SITE was taken for a slug")
	}
}

func TestFlagsReplaceWhatIsConfigured(t *testing.T) {
	t.Parallel()
	configured := netbox.DefaultConfig("lab")
	if got := (renderOptions{}).override(configured); got.Settings.Target != hedgehog.TargetCluster || got.Settings.FabricVersion != "26.03" {
		t.Errorf("without flags: %+v", got.Settings)
	}
	got := renderOptions{target: "installer", fabricVersion: "26.02"}.override(configured)
	if got.Settings.Target != hedgehog.TargetInstaller || got.Settings.FabricVersion != "26.02" {
		t.Errorf("with flags: %+v", got.Settings)
	}
}

func TestClosest(t *testing.T) {
	t.Parallel()
	words := []string{"root", "netbox", "fabrics", "tag", "pullRequest", "site"}
	for word, want := range map[string]string{
		"fabric": "fabrics", "fabircs": "fabrics", "Root": "root", "pullrequest": "pullRequest",
		"tags": "tag", "sight": "", "x": "", "": "",
	} {
		if got := closest(word, words); got != want {
			t.Errorf("closest(%q) = %q, want %q", word, got, want)
		}
	}
}

func FuzzConfig(f *testing.F) {
	full, err := os.ReadFile("testdata/config/full.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(full)
	f.Add([]byte("fabrics: &a [*a]"))
	f.Add([]byte("a: &a {b: *a}\n<<: *a"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := parseConfig("f.yaml", data, env("SITE", "x"))
		if err != nil {
			return
		}
		names, err := c.fabricNames()
		if err != nil {
			return
		}
		for _, name := range names {
			conf, err := c.fabric(name)
			if err == nil && (strings.ContainsAny(conf.NetBox.Name, "/\\\n") || conf.NetBox.Name == "" || conf.NetBox.Site == "") {
				t.Errorf("fabric %q has name %q and site %q", name, conf.NetBox.Name, conf.NetBox.Site)
			}
		}
	})
}

// A configuration that never ends, such as a device, does not fill the memory.
func TestConfigThatIsTooLarge(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), configFile)
	if err := os.WriteFile(file, bytes.Repeat([]byte("#"), maxConfig+1), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := loadConfig(file, func(string) string { return "" })
	if err == nil || !strings.HasSuffix(err.Error(), "is larger than 1024 KiB") {
		t.Errorf("got %v", err)
	}
}
