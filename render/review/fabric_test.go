package review_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hedgehog-gitops/fixtures/generate"
	"hedgehog-gitops/render/hedgehog"
	"hedgehog-gitops/render/netbox"
	"hedgehog-gitops/render/review"
)

var update = flag.Bool("update", false, "write the expected files anew")

// golden compares the text with a file under testdata.
func golden(t *testing.T, file, got string) {
	t.Helper()
	file = filepath.Join("testdata", file)
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs; go test ./render/review -update writes it anew:\n%s", file, diff)
	}
}

// decode reads manifests in canonical form.
func decode(t testing.TB, text string) *hedgehog.Fabric {
	t.Helper()
	d, err := hedgehog.Decode("-", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if d.Issues.Worst() == hedgehog.Error {
		t.Fatal(d.Issues)
	}
	for o := range d.Fabric.All() {
		hedgehog.Default(o)
	}
	return d.Fabric
}

// scenario returns what a scenario's NetBox must give: office, north or south.
func scenario(t testing.TB, name string) string {
	t.Helper()
	folder := "campus"
	if name == "office" {
		folder = "office"
	}
	text, err := os.ReadFile(filepath.Join("../../fixtures/scenarios", folder, "expected", name+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// generated returns a fabric of so many objects.
func generated(t testing.TB, objects int) *hedgehog.Fabric {
	t.Helper()
	snapshot, config := generate.Fabric(objects)
	fabric, issues := netbox.Map(snapshot, config)
	if issues.Worst() == hedgehog.Error {
		t.Fatal(issues)
	}
	for o := range fabric.All() {
		hedgehog.Default(o)
	}
	return fabric
}

// edit is a change of a fabric's manifests.
type edit func(t testing.TB, f *hedgehog.Fabric)

// spec returns the spec of an object that must be there, to be changed.
func spec[S hedgehog.Spec](t testing.TB, f *hedgehog.Fabric, kind hedgehog.Kind, name string) S {
	t.Helper()
	o := f.Get(kind, name)
	if o == nil {
		t.Fatalf("there is no %s/%s", kind, name)
	}
	return o.Spec.(S)
}

// change changes the spec of an object.
func change[S hedgehog.Spec](kind hedgehog.Kind, name string, how func(S)) edit {
	return func(t testing.TB, f *hedgehog.Fabric) {
		t.Helper()
		how(spec[S](t, f, kind, name))
	}
}

// remove takes objects out: "VPC/web".
func remove(keys ...string) edit {
	return func(t testing.TB, f *hedgehog.Fabric) {
		t.Helper()
		for _, key := range keys {
			kind, name, _ := strings.Cut(key, "/")
			if f.Get(hedgehog.Kind(kind), name) == nil {
				t.Fatalf("there is no %s", key)
			}
			f.Remove(hedgehog.Key{Kind: hedgehog.Kind(kind), Name: name})
		}
	}
}

// add puts manifests in.
func add(manifests string) edit {
	return func(t testing.TB, f *hedgehog.Fabric) {
		t.Helper()
		for o := range decode(t, manifests).All() {
			if issue := f.Add(o); issue != nil {
				t.Fatal(issue)
			}
		}
	}
}

// rename gives an object another name.
func rename(kind hedgehog.Kind, from, to string) edit {
	return func(t testing.TB, f *hedgehog.Fabric) {
		t.Helper()
		o := f.Get(kind, from)
		if o == nil {
			t.Fatalf("there is no %s/%s", kind, from)
		}
		f.Remove(o.Key())
		o.Name = to
		if issue := f.Add(o); issue != nil {
			t.Fatal(issue)
		}
	}
}

// apply returns the fabric of the manifests after the edits, which it defaults.
func apply(t testing.TB, manifests string, edits ...edit) *hedgehog.Fabric {
	t.Helper()
	f := decode(t, manifests)
	for _, e := range edits {
		e(t, f)
	}
	for o := range f.All() {
		hedgehog.Default(o)
	}
	return f
}

// server returns the manifests of a server with a bond to two leaves, by one port
// of each, in the subnets.
func server(name, left, right string, nets ...string) string {
	connection := fmt.Sprintf("%s--eslag--%s--%s", name, device(left), device(right))
	text := fmt.Sprintf(`apiVersion: wiring.githedgehog.com/v1beta1
kind: Server
metadata: {name: %s}
spec: {}
---
apiVersion: wiring.githedgehog.com/v1beta1
kind: Connection
metadata: {name: %s}
spec:
  eslag:
    links:
    - {server: {port: %s/eth0}, switch: {port: %s}}
    - {server: {port: %s/eth1}, switch: {port: %s}}
`, name, connection, name, left, name, right)
	for _, net := range nets {
		text += attachment(net, connection)
	}
	return text
}

func device(port string) string {
	name, _, _ := strings.Cut(port, "/")
	return name
}

func attachment(net, connection string) string {
	return fmt.Sprintf(`---
apiVersion: vpc.githedgehog.com/v1beta1
kind: VPCAttachment
metadata: {name: %s--%s}
spec: {connection: %s, subnet: %s}
`, strings.ReplaceAll(net, "/", "--"), connection, connection, net)
}

func vpcPeering(a, b string) string {
	return fmt.Sprintf(`apiVersion: vpc.githedgehog.com/v1beta1
kind: VPCPeering
metadata: {name: %s--%s}
spec:
  permit:
  - {%s: {}, %s: {}}
`, a, b, a, b)
}

// request is that of a pull request for the change of a fabric, as publish makes it.
func request(fabric string, before, after *hedgehog.Fabric) review.Request {
	return review.Request{
		Fabric:  fabric,
		Changes: review.Diff(before, after),
		Tool:    "hedgehog-gitops 1.0.0",
		Asked: []review.Asked{{
			User: "alice", Time: time.Date(2026, 11, 23, 10, 30, 0, 0, time.UTC), Message: "CHG-4711: as discussed",
			Action: "updated", Object: "VRF apps", ObjectURL: "/ipam/vrfs/1/changelog/",
		}},
		Merge: review.Merge{StageOf: stageOf, Pruning: review.PruningOn},
		Links: review.Links{
			NetBox:     "https://netbox.example.com",
			Files:      "https://git.example.com/net/fabrics/blob/main",
			ReportName: "the artifact review.md of this run",
		},
	}
}

// stageOf puts every kind into a stage of its own order.
func stageOf(o *hedgehog.Object) string {
	switch o.Kind {
	case hedgehog.KindIPv4Namespace, hedgehog.KindVLANNamespace, hedgehog.KindSwitchGroup, hedgehog.KindGatewayGroup:
		return "00-namespaces"
	case hedgehog.KindConnection:
		return "20-connections"
	case hedgehog.KindVPCAttachment, hedgehog.KindVPCPeering, hedgehog.KindExternalAttachment, hedgehog.KindExternalPeering, hedgehog.KindGatewayPeering:
		return "30-attachments"
	}
	return "10-nodes"
}

// bodyLimit is what GitHub takes, less room for what is put before the text.
const bodyLimit = 65536 - 1024

// opening returns the lines that people see first.
func opening(text string) string {
	lines := strings.SplitAfter(text, "\n")
	return strings.Join(lines[:min(40, len(lines))], "")
}
