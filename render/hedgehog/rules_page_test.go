package hedgehog_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hedgehog-gitops/render/hedgehog"
)

// docs/rules.md is made from the tables:
//
//	go test ./render/hedgehog -run TestRulesPage -update-pages
func TestRulesPage(t *testing.T) {
	var page strings.Builder
	page.WriteString(`# Rules

*Made from the code; API 26.03.*

What must hold of the manifests of a fabric. An error stops the fabric, a warning is probably a mistake, a notice is worth knowing.
In a field ` + "`*`" + ` stands for the keys of a map and ` + "`[]`" + ` for the items of a list; the kind ` + "`*`" + ` is every kind.

| rule | severity | what must hold | what to do | fields |
|---|---|---|---|---|
`)
	for _, rule := range hedgehog.Rules() {
		fields := make([]string, len(rule.Fields))
		for i, field := range rule.Fields {
			fields[i] = "`" + field + "`"
		}
		fmt.Fprintf(&page, "| `%s` | %s | %s | %s | %s |\n", rule.ID, rule.Severity, rule.Summary, rule.Hint, strings.Join(fields, "<br>"))
	}
	name := filepath.Join("..", "..", "docs", "rules.md")
	if *updatePages {
		if err := os.WriteFile(name, []byte(page.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != page.String() {
		t.Errorf("%s is not what the tables say; run go test ./render/hedgehog -run TestRulesPage -update-pages", name)
	}
}
