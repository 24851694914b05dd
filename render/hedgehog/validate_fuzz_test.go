package hedgehog_test

import (
	"bytes"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"hedgehog-gitops/render/hedgehog"
)

// FuzzValidate: whatever is read can be judged, for either target and before
// 26.03 too, and by itself as a step; twice the same is said, in order.
func FuzzValidate(f *testing.F) {
	for _, name := range []string{"all-kinds.yaml", "wrong.yaml", "export.yaml"} {
		f.Add([]byte(readFile(f, filepath.Join("testdata", name))))
	}
	for _, rule := range hedgehog.Rules() {
		e, _, err := hedgehog.Explain(rule.ID)
		if err != nil {
			f.Fatal(err)
		}
		f.Add([]byte(e.Fails.Manifests))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		read := func() *hedgehog.Fabric {
			d, err := hedgehog.Decode("-", bytes.NewReader(text))
			if err != nil || d.Fabric == nil {
				return nil
			}
			return d.Fabric
		}
		one, two := read(), read()
		if one == nil {
			return
		}
		installer := hedgehog.DefaultSettings()
		installer.FabricVersion, installer.Target, installer.Gateway = "26.02", hedgehog.TargetInstaller, false
		for _, settings := range []hedgehog.Settings{hedgehog.DefaultSettings(), installer, {}} {
			issues := hedgehog.Validate(one, settings)
			if again := hedgehog.Validate(two, settings); !reflect.DeepEqual(issues, again) {
				t.Errorf("judged twice:\n%v\n%v", issues, again)
			}
			sorted := slices.Clone(issues)
			sorted.Sort()
			if !reflect.DeepEqual(issues, sorted) {
				t.Errorf("not in order: %v", issues)
			}
			if step := hedgehog.ValidateUpdate(one, two, settings); len(step) > 0 {
				t.Errorf("a step that changes nothing: %v", step)
			}
		}
	})
}
