package main

import (
	"bytes"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"hedgehog-gitops/render/hedgehog"
)

var update = flag.Bool("update", false, "rewrite what tests expect with what they got")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"hedgehog-gitops": main})
}

// TestScripts runs what a person would type. In a script, $SCENARIOS is the
// folder of the scenarios, and the command "edit FILE OLD NEW" replaces a text.
// What else there is besides testscript's own commands: see forgeCommands.
func TestScripts(t *testing.T) {
	t.Parallel()
	params := scriptParams()
	params.Dir = "testdata/script"
	testscript.Run(t, params)
}

func scriptParams() testscript.Params {
	commands := map[string]func(*testscript.TestScript, bool, []string){
		"edit":      edit,
		"canonical": scriptCanonical,
	}
	maps.Copy(commands, forgeCommands())
	return testscript.Params{
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			scenarios, err := filepath.Abs(filepath.Join(topPath, "fixtures/scenarios"))
			e.Setenv("SCENARIOS", scenarios)
			setUpForge(e)
			return err
		},
		Condition: func(name string) (bool, error) {
			return name == "root" && os.Getuid() == 0, nil
		},
		Cmds: commands,
	}
}

// edit replaces a text, which must be there once, in a file: edit FILE OLD NEW.
func edit(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: edit FILE OLD NEW")
	}
	content := ts.ReadFile(args[0])
	if n := strings.Count(content, args[1]); n != 1 {
		ts.Fatalf("%s has %q %d times", args[0], args[1], n)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.Replace(content, args[1], args[2], 1)), 0o644))
}

// scriptCanonical rewrites manifests in canonical form: canonical FILE OUT.
func scriptCanonical(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: canonical FILE OUT")
	}
	decoded, err := hedgehog.Decode(args[0], strings.NewReader(ts.ReadFile(args[0])))
	ts.Check(err)
	for o := range decoded.Fabric.All() {
		hedgehog.Default(o)
	}
	var out bytes.Buffer
	ts.Check(hedgehog.Encode(&out, decoded.Fabric.All()))
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), out.Bytes(), 0o644))
}

// Scripts that are called alike stand together: every name begins with a command.
func TestScriptsAreCalledAfterTheirCommand(t *testing.T) {
	t.Parallel()
	scripts, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil || len(scripts) == 0 {
		t.Fatal("no scripts")
	}
	form := regexp.MustCompile(`^(main|version|config|snapshot|render|publish|import|diff|validate|explain|bootstrap|init|migrate)_[a-z0-9_]+\.txtar$`)
	for _, s := range scripts {
		if !form.MatchString(filepath.Base(s)) {
			t.Errorf("%s is not called <command>_<case>.txtar", s)
		}
	}
}
