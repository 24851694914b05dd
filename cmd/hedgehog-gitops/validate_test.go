package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// answer is what programs read of the command's answer.
type answer struct {
	Valid   bool
	Fabrics []struct {
		Issues []struct {
			Rule, Severity string
			Object         *objectView
			Line           int
		}
	}
}

// validated runs the command and returns its answer as a program reads it.
func validated(t *testing.T, args ...string) (code int, view answer) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(context.Background(), append([]string{"validate", "--json"}, args...), strings.NewReader(""), &out, &errs, func(string) string { return "" })
	if err := json.Unmarshal(out.Bytes(), &view); err != nil {
		t.Fatalf("%v: %v\n%s", args, err, errs.Bytes())
	}
	return code, view
}

// TestValidateBroken: each of the broken fabrics that stand beside the repository is
// refused at the object at fault.
func TestValidateBroken(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(topPath, "..", "shared", "hedgehog", "broken")
	index, err := os.ReadFile(filepath.Join(folder, "INDEX.tsv"))
	if err != nil {
		t.Skipf("SKIPPED: there are no broken fabrics beside the repository: %v", err)
	}
	config := filepath.Join(t.TempDir(), "hedgehog-gitops.yaml")
	if err := os.WriteFile(config, []byte("fabrics:\n- name: lab\n  site: lab\n  gateway: false\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for i, row := range strings.Split(strings.TrimSpace(string(index)), "\n") {
		cells := strings.Split(row, "\t")
		if i == 0 || len(cells) < 3 {
			continue
		}
		t.Run(cells[0], func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(folder, cells[0]+".yaml")
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			args := []string{file}
			if bytes.Contains(content, []byte("# flags: -gateway off")) {
				args = append(args, "--config", config)
			}
			code, view := validated(t, args...)
			if code != exitFailed || view.Valid {
				t.Errorf("exit %d, valid %v", code, view.Valid)
			}
			objects := strings.Split(cells[2], "|")
			found := false
			for _, issue := range view.Fabrics[0].Issues {
				found = found || issue.Severity == "error" && issue.Object != nil && (cells[2] == "" || slices.Contains(objects, issue.Object.Kind+"/"+issue.Object.Name)) && issue.Line > 0
			}
			if !found {
				t.Errorf("no error at %s with its line: %+v", cells[2], view.Fabrics[0].Issues)
			}
		})
	}
}

// TestValidateAcceptsRealFabrics: what runs, or is installed, is accepted.
func TestValidateAcceptsRealFabrics(t *testing.T) {
	t.Parallel()
	for pattern, args := range map[string][]string{
		"wiring/*.yaml":   nil,
		"hydrated/*.yaml": {"--target", "cluster"},
		"export/*.yaml":   {"--target", "cluster"},
		"legacy/*.yaml":   {"--fabric-version", "26.02"},
	} {
		files, err := filepath.Glob(filepath.Join(topPath, "..", "shared", "hedgehog", pattern))
		if err != nil {
			t.Fatal(err)
		}
		if len(files) == 0 {
			t.Logf("SKIPPED: there is no %s beside the repository", pattern)
		}
		for _, file := range files {
			code, view := validated(t, append([]string{file}, args...)...)
			if code != exitDone {
				t.Errorf("%s: exit %d: %+v", file, code, view.Fabrics)
			}
		}
	}
}
