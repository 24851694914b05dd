package rest_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hedgehog-gitops/fixtures/netboxserver"
	"hedgehog-gitops/render/hedgehog"
	"hedgehog-gitops/render/netbox"
	"hedgehog-gitops/render/netbox/rest"
)

// TestApplyMovesCables: servers that take each other's ports, in a ring and one
// after the other, while VLANs change hands; NetBox has no moment in between in
// which a port has two cables. Cables that can stay do.
func TestApplyMovesCables(t *testing.T) {
	t.Parallel()
	s := netboxserver.Start(t)
	c := client(t, s.URL, s.Token)
	if _, err := rest.Bootstrap(t.Context(), c, rest.BootstrapOptions{}); err != nil {
		t.Fatal(err)
	}
	config := netbox.DefaultConfig("lab")
	stay := []netbox.ID{}
	for n, ports := range [][]string{{"E1/1", "E1/2", "E1/3"}, {"E1/2", "E1/3", "E1/1"}, {"E1/3", "E1/4", "E1/2"}} {
		want := threeServers(t, ports)
		before := reread(t, c, config)
		plan, issues := netbox.Import(want, before, config, netbox.ImportOptions{})
		if plan == nil {
			t.Fatal(issues)
		}
		if done, err := rest.Apply(t.Context(), c, plan, before, rest.ApplyOptions{Message: "import"}); err != nil {
			t.Fatalf("step %d, after %d of %d: %v", n, done.Done, done.Total, err)
		}
		after := reread(t, c, config)
		got, issues := netbox.Map(after, config)
		if got == nil {
			t.Fatal(issues)
		}
		var a, b bytes.Buffer
		if hedgehog.Encode(&a, want.All()) != nil || hedgehog.Encode(&b, got.All()) != nil {
			t.Fatal("cannot be written")
		}
		if diff := cmp.Diff(a.String(), b.String()); diff != "" {
			t.Errorf("step %d: rendered otherwise: %s", n, diff)
		}
		same := 0
		var ids []netbox.ID
		for _, cable := range after.Rows.Cables {
			ids = append(ids, cable.ID)
			if slices.Contains(stay, cable.ID) {
				same++
			}
		}
		if stay = ids; same != []int{0, 2, 3}[n] { // one of the ring is laid anew
			t.Errorf("step %d: %d cables stay", n, same)
		}
	}
}

// reread is NetBox as it is now.
func reread(t *testing.T, c *rest.Client, config netbox.Config) *netbox.Snapshot {
	t.Helper()
	s, _, err := rest.Read(t.Context(), c, []netbox.Config{config})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// threeServers is a fabric of one leaf with servers at these ports.
func threeServers(t *testing.T, ports []string) *hedgehog.Fabric {
	t.Helper()
	text := `{apiVersion: wiring.githedgehog.com/v1beta1, kind: VLANNamespace, metadata: {name: default}, spec: {ranges: [{from: 1000, to: 2999}]}}
---
{apiVersion: wiring.githedgehog.com/v1beta1, kind: Switch, metadata: {name: leaf-01}, spec: {role: server-leaf, profile: dell-s5248f-on, asn: 65101, ip: 172.30.0.7/21, protocolIP: 172.30.8.1/32, vtepIP: 172.30.12.0/32}}
`
	for n, port := range ports {
		text += fmt.Sprintf(`---
{apiVersion: wiring.githedgehog.com/v1beta1, kind: Server, metadata: {name: s%[1]d}}
---
{apiVersion: wiring.githedgehog.com/v1beta1, kind: Connection, metadata: {name: s%[1]d--unbundled--leaf-01}, spec: {unbundled: {link: {server: {port: s%[1]d/eth0}, switch: {port: leaf-01/%[2]s}}}}}
`, n, port)
	}
	d, err := hedgehog.Decode("three", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	for o := range d.Fabric.All() {
		hedgehog.Default(o)
	}
	return d.Fabric
}
