package overlay_test

import (
	"fmt"
	"strings"
	"testing"

	"hedgehog-gitops/render/hedgehog"
	"hedgehog-gitops/render/overlay"
)

// bomb is a mapping whose aliases stand for 9 to the power of 12 values, written
// as the last keys of a document.
func bomb() string {
	text := "k0: &a0 [x,x,x,x,x,x,x,x,x]\n"
	for i := 1; i < 12; i++ {
		text += fmt.Sprintf("k%d: &a%d [%s*a%d]\n", i, i, strings.Repeat(fmt.Sprintf("*a%d,", i-1), 8), i-1)
	}
	return text
}

// TestAliasesThatSwell builds what would take all memory, or all of the stack,
// if kustomize saw it.
func TestAliasesThatSwell(t *testing.T) {
	t.Parallel()
	const target = "patches:\n- target: {kind: VPC, name: two}\n"
	indented := strings.ReplaceAll("\n"+bomb(), "\n", "\n    ")
	tests := map[string]struct {
		files map[string]string
		file  string
		line  int
	}{
		"in an object":                    {map[string]string{rootB + "/vpcs/two.yaml": vpc("two") + bomb()}, rootB + "/vpcs/two.yaml", 28},
		"in a second document":            {map[string]string{rootB + "/vpcs/two.yaml": vpc("two") + "---\n" + bomb()}, rootB + "/vpcs/two.yaml", 29},
		"in a file of a patch":            {merge(patchOf(target+"  path: p.yaml\n"), map[string]string{component + "/p.yaml": vpc("two") + bomb()}), component + "/p.yaml", 28},
		"in a patch written in place":     {patchOf(target + "  patch: |" + indented + "\n"), component + "/kustomization.yaml", 0},
		"in a merge written in place":     {patchOf("patchesStrategicMerge:\n- |" + indented + "\n"), component + "/kustomization.yaml", 0},
		"in people's own objects":         {map[string]string{extra + "/kustomization.yaml": "resources: [mine.yaml]\n", extra + "/mine.yaml": vpc("mine") + bomb()}, extra + "/mine.yaml", 28},
		"an alias that stands for itself": {map[string]string{rootB + "/vpcs/two.yaml": vpc("two") + "x: &a\n- *a\n"}, rootB + "/vpcs/two.yaml", 23},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := repository(t, test.files)
			got := overlay.Build(files, stages(files), overlay.Options{})
			if len(got.Issues) == 0 {
				t.Fatal("no issue")
			}
			issue := got.Issues[0]
			if issue.Severity != hedgehog.Error || issue.Rule != "document-aliases" || issue.Origin.File != test.file ||
				test.line > 0 && issue.Origin.Line != test.line {
				t.Errorf("got %+v", issue)
			}
		})
	}
}

func TestAliasesOfAnOrdinarySize(t *testing.T) {
	t.Parallel()
	text := strings.Replace(vpc("two"), "dhcp: {}\n      gateway: 10.0.1.1", "dhcp: &d {}\n      gateway: 10.0.1.1", 1)
	text = strings.Replace(text, "dhcp: {}", "dhcp: *d", 1)
	files := repository(t, map[string]string{rootB + "/vpcs/two.yaml": text})
	if got := overlay.Build(files, stages(files), overlay.Options{}); len(got.Issues) > 0 {
		t.Error(got.Issues)
	}
}
