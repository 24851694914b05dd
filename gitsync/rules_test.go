package gitsync_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The page of rules names all of them, and tests that exist.
func TestThePageOfRulesNamesTests(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../docs/pull-requests.md")
	if err != nil {
		t.Fatal(err)
	}
	var rows [][]string
	for line := range strings.SplitSeq(string(page), "\n") {
		if cells := strings.Split(line, "|"); len(cells) == 6 && strings.HasPrefix(line, "| P") {
			rows = append(rows, cells)
		}
	}
	if len(rows) != 45 {
		t.Fatalf("the page has %d rules, want 45", len(rows))
	}
	sources := map[string]string{} // folder -> its tests
	tests := regexp.MustCompile("`([a-z/-]+)\\.(Test[A-Za-z0-9]+)`|`(script|netbox)/([a-z_]+\\.txtar)`")
	for i, cells := range rows {
		number, rule, named, state := strings.TrimSpace(cells[1]), strings.TrimSpace(cells[2]), cells[3], strings.TrimSpace(cells[4])
		if number != fmt.Sprintf("P%d", i+1) || rule == "" || state == "" {
			t.Errorf("row %d is %q, %q, %q", i+1, number, rule, state)
		}
		found := tests.FindAllStringSubmatch(named, -1)
		if len(found) != strings.Count(named, "`")/2 || len(found) == 0 && strings.HasPrefix(state, "built") {
			t.Errorf("%s: not all of %q are tests", number, named)
		}
		for _, m := range found {
			if m[1] == "" {
				if _, err := os.Stat(filepath.Join("../cmd/hedgehog-gitops/testdata", m[3], m[4])); err != nil {
					t.Errorf("%s: %v", number, err)
				}
				continue
			}
			if _, ok := sources[m[1]]; !ok {
				sources[m[1]] = testsOf(t, m[1])
			}
			if !strings.Contains(sources[m[1]], "\nfunc "+m[2]+"(t *testing.T)") {
				t.Errorf("%s: there is no %s in %s", number, m[2], m[1])
			}
		}
	}
}

// testsOf returns the tests of a folder as one text.
func testsOf(t *testing.T, folder string) string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join("..", folder, "*_test.go"))
	if err != nil || len(names) == 0 {
		t.Fatalf("the tests of %s: %v", folder, err)
	}
	var all strings.Builder
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	return all.String()
}
