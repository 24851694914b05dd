package hedgehog_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hedgehog-gitops/render/hedgehog"
)

var updatePages = flag.Bool("update-pages", false, "write the pages of docs/ that are made from the code")

// docs/profiles.md is made from the table:
//
//	go test ./render/hedgehog -run TestProfilesPage -update-pages
func TestProfilesPage(t *testing.T) {
	var page strings.Builder
	page.WriteString(`# Switch profiles

*Made from the code; API 26.03.*

The value of ` + "`hedgehog_switch_profile`" + `, and of ` + "`profiles`" + ` in the configuration.

| profile | device | silicon | ports | features |
|---|---|---|---|---|
`)
	for _, p := range hedgehog.Profiles() {
		data := 0
		for _, port := range p.Ports {
			if !port.Management {
				data++
			}
		}
		var features []string
		for _, f := range []struct {
			name string
			has  bool
		}{
			{"acls", p.Features.ACLs}, {"ecmpRoCEQPN", p.Features.ECMPRoCEQPN}, {"eslag", p.Features.ESLAG}, {"l2vni", p.Features.L2VNI},
			{"l3vni", p.Features.L3VNI}, {"mclag", p.Features.MCLAG}, {"portLocator", p.Features.PortLocator}, {"roce", p.Features.RoCE},
			{"subinterfaces", p.Features.Subinterfaces},
		} {
			if f.has {
				features = append(features, f.name)
			}
		}
		names := append([]string{p.DisplayName}, p.OtherNames...)
		fmt.Fprintf(&page, "| `%s` | %s | %s | E1/1 to E1/%d | %s |\n", p.Name, strings.Join(names, ", "), p.Silicon, data, strings.Join(features, ", "))
	}
	name := filepath.Join("..", "..", "docs", "profiles.md")
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
		t.Errorf("%s is not what the table says; run go test ./render/hedgehog -run TestProfilesPage -update-pages", name)
	}
}
