package netbox_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

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
