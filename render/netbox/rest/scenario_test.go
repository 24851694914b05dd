package rest_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
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
