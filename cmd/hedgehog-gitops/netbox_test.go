package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"hedgehog-gitops/fixtures/netboxserver"
	"hedgehog-gitops/render/hedgehog"
	"hedgehog-gitops/render/netbox"
)

// TestNetBoxScripts runs scripts that each have a NetBox of their own: an empty
// one, or that of the scenario which the script is called after. It is not
// parallel: testscript makes a parallel test of each script, which would wait for
// its turn behind tests that wait for the NetBox that it holds.
func TestNetBoxScripts(t *testing.T) {
	scripts, err := filepath.Glob("testdata/netbox/*.txtar")
	if err != nil || len(scripts) == 0 {
		t.Fatal("no scripts")
	}
	for _, script := range scripts {
		t.Run(strings.TrimSuffix(filepath.Base(script), ".txtar"), func(t *testing.T) {
			var nb *netboxserver.Server
			if name, _, _ := strings.Cut(filepath.Base(script), "_"); name == "empty" {
				nb = netboxserver.Start(t)
			} else {
				nb = scenarios(t)[name].start(t)
			}
			params := scriptParams()
			params.Files = []string{script}
			setup := params.Setup
			params.Setup = func(e *testscript.Env) error {
				e.Setenv("NETBOX_URL", nb.URL)
				e.Setenv("NETBOX_TOKEN", nb.Token)
				return setup(e)
			}
			testscript.Run(t, params)
		})
	}
}

// scenario is a folder that fills a NetBox and says what must come out.
type scenario struct {
	dir      string
	fill     string // the program that fills
	snapshot string // where the saved snapshot is kept, "" when nowhere
}

func scenarios(t *testing.T) map[string]scenario {
	t.Helper()
	found := map[string]scenario{}
	fills, err := filepath.Glob(filepath.Join(topPath, "fixtures/scenarios/*/fill.py"))
	if err != nil || len(fills) == 0 {
		t.Fatal("no scenarios")
	}
	for _, fill := range fills {
		dir := filepath.Dir(fill)
		found[filepath.Base(dir)] = scenario{dir, fill, filepath.Join(dir, "snapshot.json")}
	}
	return found
}

// sharedLab is a scenario that some checkouts have next to the repository.
func sharedLab(t *testing.T) (scenario, bool) {
	dir := filepath.Join(topPath, "../shared/native/lab")
	if _, err := os.Stat(dir); err != nil {
		t.Logf("SKIPPED the lab: there is no %s", dir)
		return scenario{}, false
	}
	return scenario{dir: dir, fill: filepath.Join(dir, "populate.py")}, true
}

// Every scenario, from an empty NetBox to its expected manifests. The snapshot
// that is kept beside it is what NetBox gives: the demo and quick tests read it.
//
//	go test ./cmd/hedgehog-gitops -run TestScenarios -update    makes it anew
func TestScenarios(t *testing.T) {
	t.Parallel()
	all := scenarios(t)
	if lab, ok := sharedLab(t); ok {
		all["lab"] = lab
	}
	for name, s := range all {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s.test(t)
		})
	}
}

func (s scenario) test(t *testing.T) {
	expected, err := filepath.Glob(filepath.Join(s.dir, "expected/*.yaml"))
	if err != nil || len(expected) == 0 {
		t.Skipf("SKIPPED: %s says nothing of what must come out", s.dir)
	}
	config := filepath.Join(s.dir, configFile)
	temp := t.TempDir()
	saved := filepath.Join(temp, "snapshot.json")

	nb := s.start(t)
	getenv := env("NETBOX_URL", nb.URL, "NETBOX_TOKEN", nb.Token)
	mustRun(t, getenv, "snapshot", "--config", config, "-o", saved)
	if s.snapshot != "" {
		s.compareSnapshot(t, saved)
	}

	for _, file := range expected {
		fabric := strings.TrimSuffix(filepath.Base(file), ".yaml")
		want := canonical(t, file)
		got, _ := mustRun(t, getenv, "render", "--config", config, "--fabric", fabric, "--snapshot", saved, "-o", "-")
		if got != want {
			t.Errorf("%s is not what must come out:\n%s", fabric, lineDiff(want, got))
		}
		dir := filepath.Join(temp, "repository")
		mustRun(t, getenv, "render", "--config", config, "--fabric", fabric, "--snapshot", saved, "-o", dir)
		if _, said := mustRun(t, getenv, "render", "--config", config, "--fabric", fabric, "--snapshot", saved, "-o", dir); !strings.Contains(said, "nothing to do") {
			t.Errorf("the second run said\n%s", said)
		}
		checkPy(t, file, filepath.Join(dir, "fabrics", fabric))
		// And back: NetBox documents them all, whoever filled it.
		mustRun(t, getenv, "import", file, "--config", config, "--fabric", fabric, "--snapshot", saved, "--target", "cluster", "--exit-code")
	}
}

// start gives the test a NetBox that the scenario filled. Filling is slow: it is
// done once per machine.
func (s scenario) start(t *testing.T) *netboxserver.Server {
	t.Helper()
	config := filepath.Join(s.dir, configFile)
	return netboxserver.StartFrom(t, "scenario-"+filepath.Base(s.dir), s.version(t), func(url, token string) error {
		mustRun(t, env("NETBOX_URL", url, "NETBOX_TOKEN", token), "bootstrap", "--config", config)
		fill := exec.Command("python3", s.fill, url)
		fill.Env = append(os.Environ(), "NETBOX_TOKEN="+token)
		if out, err := fill.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w\n%s", s.fill, err, out)
		}
		return nil
	})
}

// version changes with everything that decides what a filled NetBox holds.
func (s scenario) version(t *testing.T) string {
	sum := sha256.New()
	for _, name := range []string{s.fill, filepath.Join(topPath, "fixtures/scenarios/scenario.py")} {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		sum.Write(content)
	}
	fmt.Fprintf(sum, "%+v", netbox.CustomFields())
	return hex.EncodeToString(sum.Sum(nil))[:12]
}

// compareSnapshot holds the snapshot that the repository keeps to what NetBox
// just gave.
func (s scenario) compareSnapshot(t *testing.T, saved string) {
	got, err := os.ReadFile(saved)
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(s.snapshot)
	if err == nil && bytes.Equal(got, want) {
		return
	}
	if !*update {
		t.Errorf("%s is not what NetBox gives (%v); to make it anew: go test ./cmd/hedgehog-gitops -run TestScenarios -update\n%s",
			s.snapshot, err, lineDiff(string(want), string(got)))
		return
	}
	if err := os.WriteFile(s.snapshot, got, 0o644); err != nil {
		t.Fatal(err)
	}
}

// checkPy compares manifests with the program that a checkout may have beside
// the repository: an opinion that is not ours.
func checkPy(t *testing.T, want, got string) {
	t.Helper()
	check := filepath.Join(topPath, "../shared/native/check.py")
	if _, err := os.Stat(check); err != nil {
		return
	}
	if exec.Command("python3", "-c", "import yaml").Run() != nil {
		t.Logf("SKIPPED %s: python3 has no yaml", check)
		return
	}
	out, err := exec.Command("python3", check, want, got).CombinedOutput()
	if err != nil {
		t.Errorf("%s: %v\n%s", check, err, out)
		return
	}
	t.Logf("%s", bytes.TrimSpace(out))
}

// canonical returns the canonical form of the manifests in a file.
func canonical(t testing.TB, file string) string {
	t.Helper()
	in, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	decoded, err := hedgehog.Decode(file, in)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range decoded.Issues {
		t.Errorf("%s: %s", file, i)
	}
	for o := range decoded.Fabric.All() {
		hedgehog.Default(o)
	}
	var out bytes.Buffer
	if err := hedgehog.Encode(&out, decoded.Fabric.All()); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// mustRun runs the program, which must succeed.
func mustRun(t *testing.T, getenv func(string) string, args ...string) (stdout, stderr string) {
	t.Helper()
	var out, said bytes.Buffer
	if code := run(t.Context(), args, strings.NewReader(""), &out, &said, getenv); code != exitDone {
		t.Fatalf("hedgehog-gitops %s: exit code %d\n%s", strings.Join(args, " "), code, said.Bytes())
	}
	return out.String(), said.String()
}

// lineDiff shows the lines in which two texts differ.
func lineDiff(want, got string) string {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		return err.Error()
	}
	defer os.RemoveAll(dir)
	a, b := filepath.Join(dir, "want"), filepath.Join(dir, "got")
	if os.WriteFile(a, []byte(want), 0o600) != nil || os.WriteFile(b, []byte(got), 0o600) != nil {
		return "(cannot compare)"
	}
	out, _ := exec.Command("diff", "-U3", a, b).CombinedOutput() // it exits 1 when it finds any
	if len(out) > 8000 {
		out = append(out[:8000], "\n..."...)
	}
	return string(out)
}
