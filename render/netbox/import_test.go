package netbox_test

import (
	"bytes"
	"cmp"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hedgehog-gitops/render/hedgehog"
	"hedgehog-gitops/render/netbox"
)

// wanted reads manifests in the form that the cluster stores.
func wanted(t testing.TB, name string, content []byte) *hedgehog.Fabric {
	t.Helper()
	d, err := hedgehog.Decode(name, bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	for o := range d.Fabric.All() {
		hedgehog.Default(o)
	}
	return d.Fabric
}

func encoded(t testing.TB, f *hedgehog.Fabric) string {
	t.Helper()
	var out bytes.Buffer
	if err := hedgehog.Encode(&out, f.All()); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// configFor is the configuration for a wiring: an installer's where it has no
// addresses.
func configFor(content []byte) netbox.Config {
	c := netbox.DefaultConfig("lab")
	if !bytes.Contains(content, []byte("protocolIP:")) {
		c.Settings.Target = hedgehog.TargetInstaller
	}
	if bytes.Contains(content, []byte("mclag")) {
		c.Settings.FabricVersion = "26.02"
	}
	return c
}

// roundTrip imports the manifests into the snapshot, renders what NetBox would hold
// then, and imports them again. It returns the plan and what it makes of the snapshot.
func roundTrip(t testing.TB, want *hedgehog.Fabric, s *netbox.Snapshot, c netbox.Config) (*netbox.Plan, *netbox.Snapshot) {
	t.Helper()
	plan, issues := netbox.Import(want, s, c, netbox.ImportOptions{})
	if plan == nil {
		t.Fatalf("no plan:\n%s", lines(issues))
	}
	after, err := plan.Apply(s)
	if err != nil {
		t.Fatal(err)
	}
	got, issues := netbox.Map(after, c)
	if got == nil {
		t.Fatalf("what was imported cannot be rendered:\n%s", lines(issues))
	}
	if a, b := encoded(t, want), encoded(t, got); a != b {
		t.Fatalf("rendered otherwise (want, got):\n%s", difference(t, a, b))
	}
	again, issues := netbox.Import(want, after, c, netbox.ImportOptions{})
	if again == nil {
		t.Fatalf("no second plan:\n%s", lines(issues))
	}
	if !again.Empty() {
		t.Fatalf("the second plan is not empty: %+v", again.Changes)
	}
	return plan, after
}

func lines(issues hedgehog.Issues) string {
	var all []string
	for _, i := range issues {
		if i.Severity >= hedgehog.Error {
			all = append(all, i.String())
		}
	}
	if len(all) > 30 {
		all = append(all[:30], "...")
	}
	return strings.Join(all, "\n")
}

func difference(t testing.TB, want, got string) string {
	t.Helper()
	dir := t.TempDir()
	a, b := filepath.Join(dir, "want"), filepath.Join(dir, "got")
	if os.WriteFile(a, []byte(want), 0o600) != nil || os.WriteFile(b, []byte(got), 0o600) != nil {
		return "(cannot compare)"
	}
	out, _ := exec.Command("diff", "-U4", a, b).CombinedOutput() // exits 1 when it finds any
	return string(out[:min(len(out), 6000)])
}

// Wirings, exports and what a cluster stores of them come out of NetBox as they went in.
func TestManifestsComeBackOutOfNetBox(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join("testdata", "manifests", "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	shared, _ := filepath.Glob("../../../shared/hedgehog/[weh]*/*.yaml")
	legacy, _ := filepath.Glob("../../../shared/hedgehog/legacy/*.yaml")
	if len(shared) == 0 {
		t.Log("SKIPPED the real manifests: there are none beside the repository")
	}
	// What these say on purpose has no record and no named field: labels, annotations,
	// addresses reserved for MACs; how gateways expose, hide and filter.
	floors := map[string]int{"vpcs.yaml": 75, "gateways-externals.yaml": 60}
	for _, file := range append(append(files, shared...), legacy...) {
		t.Run(filepath.Base(filepath.Dir(file))+"/"+filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			want, c := wanted(t, file, content), configFor(content)
			for _, issue := range hedgehog.Validate(want, c.Settings) {
				if issue.Severity == hedgehog.Error && slices.Contains(files, file) {
					t.Errorf("the manifests themselves: %s", issue)
				}
			}
			plan, _ := roundTrip(t, want, &netbox.Snapshot{}, c)
			s := plan.Shares
			total := s.Native + s.CustomFields + s.Spec + s.Objects
			if total == 0 || (s.Native+s.CustomFields)*100 < cmp.Or(floors[filepath.Base(file)], 90)*total {
				t.Errorf("NetBox's own records and named fields hold too little: %+v", s)
			}
			t.Logf("%d changes, %+v", len(plan.Changes), s)
		})
	}
}
