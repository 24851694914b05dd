package netbox_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hedgehog-gitops/render/hedgehog"
	"hedgehog-gitops/render/netbox"
)

// office is the scenario of that name: what it renders, with the replacements made, and
// its NetBox.
func office(t testing.TB, replace ...string) (string, *netbox.Snapshot, netbox.Config) {
	t.Helper()
	dir := "../../fixtures/scenarios/office"
	text, err := os.ReadFile(filepath.Join(dir, "expected", "office.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(filepath.Join(dir, "snapshot.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	s, sealed, err := netbox.ReadSnapshot(f)
	if err != nil || !sealed {
		t.Fatalf("sealed %v, %v", sealed, err)
	}
	return replaced(t, string(text), replace...), s, netbox.DefaultConfig("office")
}

// replaced replaces each old text, which must be there, by the new one behind it.
func replaced(t testing.TB, text string, replace ...string) string {
	t.Helper()
	for n := 0; n < len(replace); n += 2 {
		if !strings.Contains(text, replace[n]) {
			t.Fatalf("%q is not in the manifests", replace[n])
		}
		text = strings.ReplaceAll(text, replace[n], replace[n+1])
	}
	return text
}

// summary is the changes of a plan as a person would say them, without the terminations
// of cables, which are in the cables' names.
func summary(p *netbox.Plan) []string {
	var all []string
	for _, c := range p.Changes {
		if c.Model == "dcim.cabletermination" {
			continue
		}
		line := c.Action + " " + strings.TrimPrefix(strings.TrimPrefix(c.Model, "dcim."), "ipam.") + " " + c.Name
		if c.Action == netbox.Update {
			var fields []string
			for k, v := range c.After {
				if custom, ok := v.(map[string]any); ok {
					for k, v := range custom {
						fields = append(fields, fmt.Sprintf("%s=%v", k, v))
					}
					continue
				}
				fields = append(fields, fmt.Sprintf("%s=%v", k, v))
			}
			slices.Sort(fields)
			line += ": " + strings.Join(fields, " ")
		}
		all = append(all, line)
	}
	return all
}

// cut removes the document of a manifest.
func cut(t testing.TB, text string, kind hedgehog.Kind, name string) string {
	t.Helper()
	docs := strings.Split(text, "---\n")
	n := len(docs)
	docs = slices.DeleteFunc(docs, func(d string) bool {
		return strings.Contains(d, "kind: "+string(kind)+"\n") && strings.Contains(d, "  name: "+name+"\n")
	})
	if len(docs) != n-1 {
		t.Fatalf("%d documents of %s/%s", n-len(docs), kind, name)
	}
	return strings.Join(docs, "---\n")
}

// A change of the manifests changes in NetBox what an engineer would change by hand.
func TestAChangedConnectionChangesItsRecords(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		replace []string
		want    []string
	}{
		"nothing": {},
		"another switch port": {
			replace: []string{"leaf-3/E1/2\n", "leaf-3/E1/20\n"},
			want: []string{
				"update interface leaf-3 E1/2: mode=<nil> untagged_vlan=<nil>",
				"update interface leaf-3 E1/20: mode=access untagged_vlan=2",
			},
		},
		"two links swapped": {
			replace: []string{"leaf-3/E1/2\n", "leaf-3/E1/X\n", "leaf-3/E1/1\n", "leaf-3/E1/2\n", "leaf-3/E1/X\n", "leaf-3/E1/1\n"},
			want: []string{
				"delete cable nas-1 eth0 - leaf-3 E1/1",
				"create cable nas-1 eth0 - leaf-3 E1/2",
				"update interface leaf-3 E1/1: mode=access tagged_vlans=<nil> untagged_vlan=2",
				"update interface leaf-3 E1/2: mode=tagged tagged_vlans=[1 3] untagged_vlan=<nil>",
			},
		},
		"another MTU": {
			replace: []string{"mtu: 9000", "mtu: 9036"},
			want:    []string{"update interface nas-1 eth0: mtu=9036"},
		},
		"no MTU": {
			replace: []string{"    mtu: 9000\n", ""},
			want: []string{
				"update interface nas-1 eth0: mtu=<nil>",
			},
		},
		"a third link of a LAG": {
			replace: []string{"        port: leaf-1/E1/6\n", "        port: leaf-1/E1/6\n    - server:\n        port: db-1/eth2\n      switch:\n        port: leaf-1/E1/7\n"},
			want: []string{
				"create interface db-1 eth2",
				"create cable leaf-1 E1/7 - db-1 eth2",
				"update interface leaf-1 E1/7: mode=access untagged_vlan=4",
			},
		},
		"a link less": {
			replace: []string{"    - server:\n        port: db-1/eth1\n      switch:\n        port: leaf-1/E1/6\n", ""},
			want: []string{
				"delete cable db-1 eth1 - leaf-1 E1/6",
				"update interface db-1 eth1: lag=<nil>",
			},
		},
		"LACP fallback": {
			replace: []string{"spec:\n  bundled:\n    links:\n    - server:\n        port: db-1/eth0", "spec:\n  bundled:\n    fallback: true\n    links:\n    - server:\n        port: db-1/eth0"},
			want: []string{
				"update interface db-1 bond0: hedgehog_lacp_fallback=true",
			},
		},
		"another name": {
			replace: []string{"printer-1--unbundled--leaf-3", "paper"},
			want: []string{
				"update cable printer-1 eth0 - leaf-3 E1/2: hedgehog_name=paper",
			},
		},
		"a tagged VLAN instead of the native one": {
			replace: []string{"  connection: printer-1--unbundled--leaf-3\n  nativeVLAN: true\n", "  connection: printer-1--unbundled--leaf-3\n"},
			want: []string{
				"update interface leaf-3 E1/2: mode=tagged tagged_vlans=[2] untagged_vlan=<nil>",
			},
		},
		"an attachment's own name": {
			replace: []string{"name: staff--desks--nas-1--unbundled--leaf-3", "name: nas-user"},
			want:    []string{"update interface leaf-3 E1/1: hedgehog_attachments=map[staff/desks:nas-user]"},
		},
		"another address of a link": {
			replace: []string{"ip: 172.30.128.1/31", "ip: 172.30.129.9/31", "ip: 172.30.128.0/31", "ip: 172.30.129.8/31"},
			want: []string{
				"update ipaddress 172.30.129.8/31: address=172.30.129.8/31",
				"update ipaddress 172.30.129.9/31: address=172.30.129.9/31",
			},
		},
		"the addresses of a link swapped": {
			replace: []string{"ip: 172.30.128.1/31", "ip: X", "ip: 172.30.128.0/31", "ip: 172.30.128.1/31", "ip: X", "ip: 172.30.128.0/31"},
			want: []string{
				"update ipaddress 172.30.128.0/31: assigned_object_id=119",
				"update ipaddress 172.30.128.1/31: assigned_object_id=1",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text, s, c := office(t, test.replace...)
			plan, _ := roundTrip(t, wanted(t, "office.yaml", []byte(text)), s, c)
			if diff := cmp.Diff(test.want, summary(plan)); diff != "" {
				t.Error(diff)
			}
			if plan.Shares.Spec+plan.Shares.Objects > 0 {
				t.Errorf("not native: %+v", plan.Shares)
			}
		})
	}
}

// What stands in the way of a connection is named, on both sides, and nothing is planned.
func TestAConnectionThatNetBoxContradictsIsRefused(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		cut     []string // Connection or VPCAttachment and name
		replace []string
		rule    string
		says    []string
		// pruned says that pruning takes what is in the way.
		pruned bool
	}{
		"a port cabled elsewhere": {
			cut:     []string{"Connection", "printer-1--unbundled--leaf-3", "VPCAttachment", "staff--print--printer-1--unbundled--leaf-3"},
			replace: []string{"leaf-3/E1/1\n", "leaf-3/E1/2\n"},
			rule:    "import-cabled-elsewhere",
			says:    []string{"port leaf-3/E1/2 of Connection/nas-1--unbundled--leaf-3 leads to nas-1/eth0", "port eth0 of printer-1", "/dcim/cables/"},
			pruned:  true,
		},
		"an address taken": {
			replace: []string{"ip: 172.30.128.0/31", "ip: 172.30.128.4/31"},
			rule:    "import-address-taken",
			says:    []string{"172.30.128.4/31", "E1/1 of spine-1", "/ipam/ip-addresses/"},
		},
		"the native VLAN taken": {
			replace: []string{"name: staff--print--printer-1--unbundled--leaf-3", "name: printer-web", "subnet: staff/print", "subnet: apps/web"},
			rule:    "import-native-vlan",
			says:    []string{"VPCAttachment/printer-web", "subnet staff/print", "/dcim/interfaces/"},
			pruned:  true,
		},
		"a LAG with a port of another": {
			cut: []string{"VPCAttachment", "apps--db--db-1--bundled--leaf-1"},
			replace: []string{"name: db-1--bundled--leaf-1", "name: db",
				"    - server:\n        port: db-1/eth1\n      switch:\n        port: leaf-1/E1/6\n", ""},
			rule:   "import-lag-member",
			says:   []string{"Connection/db", "eth1", "port E1/6 of leaf-1"},
			pruned: true,
		},
		"an interface of another type": {
			replace: []string{"port: db-1/eth1", "port: db-1/bond0"},
			rule:    "import-interface-other",
			says:    []string{"db-1", "bond0", "lag"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text, s, c := office(t)
			for n := 0; n < len(test.cut); n += 2 {
				text = cut(t, text, hedgehog.Kind(test.cut[n]), test.cut[n+1])
			}
			f := wanted(t, "office.yaml", []byte(replaced(t, text, test.replace...)))
			plan, issues := netbox.Import(f, s, c, netbox.ImportOptions{})
			if plan != nil {
				t.Fatalf("planned: %s", strings.Join(summary(plan), "\n"))
			}
			n := slices.IndexFunc(issues, func(i hedgehog.Issue) bool { return i.Rule == test.rule })
			if n < 0 {
				t.Fatalf("no issue %s:\n%s", test.rule, lines(issues))
			}
			for _, say := range test.says {
				if !strings.Contains(issues[n].Summary, say) {
					t.Errorf("%q does not say %q", issues[n].Summary, say)
				}
			}
			plan, issues = netbox.Import(f, s, c, netbox.ImportOptions{Prune: true})
			if (plan != nil) != test.pruned {
				t.Errorf("pruned: plan %v\n%s", plan != nil, lines(issues))
			}
		})
	}
}
