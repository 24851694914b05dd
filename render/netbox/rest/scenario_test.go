package rest_test

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hedgehog-gitops/fixtures/netboxserver"
	"hedgehog-gitops/render/hedgehog"
	"hedgehog-gitops/render/netbox"
	"hedgehog-gitops/render/netbox/rest"
)

// The example that the mapping was decided on: a program fills a NetBox as its
// owners would, and the manifests that must come out are known.
func TestLabComesOutOfARealNetBox(t *testing.T) {
	lab := filepath.Join("..", "..", "..", "..", "shared", "native", "lab")
	if _, err := os.Stat(lab); err != nil {
		t.Skipf("the shared example is not here: %v", err)
	}
	nb := netboxserver.Start(t)
	fill := exec.Command("python3", filepath.Join(lab, "populate.py"), nb.URL)
	fill.Env = append(os.Environ(), "NETBOX_TOKEN="+nb.Token)
	if out, err := fill.CombinedOutput(); err != nil {
		t.Fatalf("filling NetBox: %v\n%s", err, out)
	}
	c, err := rest.New(rest.Options{URL: nb.URL, Token: nb.Token})
	if err != nil {
		t.Fatal(err)
	}
	config := netbox.DefaultConfig("lab")
	snapshot, issues, err := rest.Read(t.Context(), c, []netbox.Config{config})
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range issues {
		t.Log(i)
	}
	fabric, issues := netbox.Map(snapshot, config)
	for _, i := range issues {
		t.Log(i)
	}
	if fabric == nil {
		t.Fatal("the fabric is not rendered")
	}
	want := canonical(t, filepath.Join(lab, "expected", "lab.yaml"))
	var got bytes.Buffer
	if err := hedgehog.Encode(&got, fabric.All()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("manifests differ (-want +got):\n%s", diff)
	}
	importLab(t, want, snapshot, config)
}

// importLab imports the manifests of the example into the NetBox that its owners
// filled: nothing is to be done. One thing changed in a manifest changes what a
// network engineer would change, and nothing of what people wrote besides.
func importLab(t *testing.T, manifests string, snapshot *netbox.Snapshot, config netbox.Config) {
	for name, edit := range map[string]struct {
		from, to string // of the manifests
		want     string // action, model and name of each change, and its fields
	}{
		"nothing": {"", "", ""},
		"a DHCP range": {"end: 10.0.1.99", "end: 10.0.1.98",
			"update ipam.iprange 10.0.1.10/24 - 10.0.1.98/24 (end_address)"},
		"a lease": {"ip: 10.0.1.200", "ip: 10.0.1.201",
			"update ipam.ipaddress 10.0.1.201/24 (address)"},
		"a VLAN": {"vlan: 1001", "vlan: 1901",
			"update ipam.vlan 1901 basic (vid)"},
		"a gateway": {"gateway: 10.0.21.254", "gateway: 10.0.21.253",
			"update ipam.ipaddress 10.0.21.253/24 (address)"},
		"isolation": {"  defaultIsolated: true\n", "",
			"update ipam.vrf three-tier (custom_fields)"},
		"a server's port": {"port: server-05/enp2s3", "port: server-05/enp2s4",
			"update dcim.cabletermination server-05 enp2s4 (termination_id)"},
		"a leaf's port": {"port: leaf-04/E1/10", "port: leaf-04/E1/11",
			"update dcim.interface leaf-04 E1/10 (mode tagged_vlans); " +
				"update dcim.interface leaf-04 E1/11 (mode tagged_vlans); " +
				"update dcim.cabletermination leaf-04 E1/11 (termination_id)"},
		"a native VLAN": {"  nativeVLAN: true\n", "",
			"update dcim.interface leaf-04 E1/7 (mode tagged_vlans untagged_vlan)"},
		"another connection": {"connection: server-12--bundled--leaf-05", "connection: server-05--unbundled--leaf-04",
			"update dcim.interface leaf-04 E1/10 (custom_fields tagged_vlans); " +
				"update dcim.interface server-12 bond0 (mode tagged_vlans)"},
		"a DNS server": {"- 10.0.1.53", "- 10.0.1.54",
			"update ipam.prefix 10.0.1.0/24 (custom_fields)"},
	} {
		t.Run(name, func(t *testing.T) {
			edited := strings.Replace(manifests, edit.from, edit.to, 1)
			if edited == manifests && edit.from != "" {
				t.Fatalf("the manifests have no %q", edit.from)
			}
			d, err := hedgehog.Decode("edited", strings.NewReader(edited))
			if err != nil {
				t.Fatal(err)
			}
			plan, issues := netbox.Import(d.Fabric, snapshot, config, netbox.ImportOptions{})
			if plan == nil {
				t.Fatal(issues)
			}
			var got []string
			for _, c := range plan.Changes {
				fields := slices.Sorted(maps.Keys(c.After))
				got = append(got, fmt.Sprintf("%s %s %s (%s)", c.Action, c.Model, c.Name, strings.Join(fields, " ")))
			}
			if text := strings.Join(got, "; "); text != edit.want {
				t.Errorf("changes %q, not %q", text, edit.want)
			}
			after, err := plan.Apply(snapshot)
			if err != nil {
				t.Fatal(err)
			}
			fabric, issues := netbox.Map(after, config)
			if fabric == nil {
				t.Fatal(issues)
			}
			var rendered bytes.Buffer
			if err := hedgehog.Encode(&rendered, fabric.All()); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(edited, rendered.String()); diff != "" {
				t.Errorf("rendered otherwise (-want +got):\n%s", diff)
			}
		})
	}
}

// canonical is the canonical form of a file of manifests.
func canonical(t *testing.T, name string) string {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	decoded, err := hedgehog.Decode(name, f)
	if err != nil {
		t.Fatal(err)
	}
	if decoded.Issues.Worst() == hedgehog.Error {
		t.Fatalf("%s: %v", name, decoded.Issues)
	}
	var out bytes.Buffer
	for o := range decoded.Fabric.All() {
		hedgehog.Default(o)
	}
	if err := hedgehog.Encode(&out, decoded.Fabric.All()); err != nil {
		t.Fatal(err)
	}
	return out.String()
}
