package netbox_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"hedgehog-gitops/render/netbox"
)

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// Every custom field is explained to network engineers, and the page explains
// none that does not exist.
func TestFieldsAreDocumented(t *testing.T) {
	t.Parallel()
	page := read(t, filepath.Join("..", "..", "docs", "netbox.md"))
	var names []string
	for _, f := range netbox.CustomFields() {
		names = append(names, f.Name)
		if !strings.Contains(page, "`"+f.Name+"`") {
			t.Errorf("docs/netbox.md does not say what %s is for", f.Name)
		}
	}
	for _, name := range regexp.MustCompile("`(hedgehog_[a-z0-9_]+)`").FindAllStringSubmatch(page, -1) {
		if !slices.Contains(names, name[1]) {
			t.Errorf("docs/netbox.md speaks of %s, which bootstrap does not create", name[1])
		}
	}
}

// The mapping reads no field that bootstrap does not create, and bootstrap
// creates none that the mapping does not read.
func TestFieldsAreThoseOfTheMapping(t *testing.T) {
	t.Parallel()
	var code strings.Builder
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if !strings.HasSuffix(name, "_test.go") && name != "fields.go" {
			code.WriteString(read(t, name))
		}
	}
	used := map[string]bool{}
	for _, call := range regexp.MustCompile(`(?:\.(?:text|flag|isTrue|object|objects|value)|cf|Fields?, )\("?([a-z0-9_]+)"`).FindAllStringSubmatch(code.String(), -1) {
		used["hedgehog_"+call[1]] = true
	}
	for _, call := range regexp.MustCompile(`(?:pathField\([a-z]+|asnField\([^"]+), "([a-z0-9_]+)"`).FindAllStringSubmatch(code.String(), -1) {
		used["hedgehog_"+call[1]] = true
	}
	for _, f := range netbox.CustomFields() {
		if !used[f.Name] {
			t.Errorf("nothing reads %s", f.Name)
		}
		delete(used, f.Name)
	}
	for name := range used {
		t.Errorf("%s is read, and bootstrap does not create it", name)
	}
}
