package rest_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hedgehog-gitops/fixtures/netboxserver"
	"hedgehog-gitops/render/hedgehog"
	"hedgehog-gitops/render/netbox"
	"hedgehog-gitops/render/netbox/rest"
)

// Manifests go into an empty NetBox and come out of it as they were: importing them
// again has nothing to do.
func TestManifestsComeBackOutOfARealNetBox(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../testdata/manifests/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	shared, err := filepath.Glob("../../../../shared/hedgehog/hydrated/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if len(shared) == 0 {
		t.Log("SKIPPED the real manifests: there are none beside the repository")
	}
	for _, file := range append(files, shared...) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			d, err := hedgehog.Decode(file, bytes.NewReader(content))
			if err != nil {
				t.Fatal(err)
			}
			for o := range d.Fabric.All() {
				hedgehog.Default(o)
			}
			config := netbox.DefaultConfig("lab")
			if !bytes.Contains(content, []byte("protocolIP:")) {
				config.Settings.Target = hedgehog.TargetInstaller
			}
			if bytes.Contains(content, []byte("mclag")) {
				config.Settings.FabricVersion = "26.02"
			}
			s := netboxserver.Start(t)
			c := client(t, s.URL, s.Token)
			if _, err := rest.Bootstrap(t.Context(), c, rest.BootstrapOptions{}); err != nil {
				t.Fatal(err)
			}
			reread := func() *netbox.Snapshot {
				t.Helper()
				have, issues, err := rest.Read(t.Context(), c, []netbox.Config{config})
				if err != nil {
					t.Fatal(err)
				}
				for _, i := range issues {
					if i.Rule != "netbox-site-unknown" {
						t.Fatal(i)
					}
				}
				return have
			}

			before := reread()
			plan, issues := netbox.Import(d.Fabric, before, config, netbox.ImportOptions{})
			if plan == nil {
				t.Fatalf("no plan: %v", issues)
			}
			done, err := rest.Apply(t.Context(), c, plan, before, rest.ApplyOptions{Message: "import"})
			if err != nil {
				t.Fatalf("after %d of %d: %v", done.Done, done.Total, err)
			}
			if done.Done != len(plan.Changes) {
				t.Errorf("%d of %d changes done", done.Done, len(plan.Changes))
			}

			after := reread()
			got, issues := netbox.Map(after, config)
			if got == nil {
				t.Fatalf("what is in NetBox now cannot be rendered: %v", issues)
			}
			var want, is bytes.Buffer
			if err := hedgehog.Encode(&want, d.Fabric.All()); err != nil {
				t.Fatal(err)
			}
			if err := hedgehog.Encode(&is, got.All()); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want.String(), is.String()); diff != "" {
				t.Errorf("rendered otherwise: %s", diff)
			}
			again, issues := netbox.Import(d.Fabric, after, config, netbox.ImportOptions{})
			if again == nil || !again.Empty() {
				t.Errorf("importing again is not empty: %+v, %v", again, issues)
			}
		})
	}
}
