package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const (
	module  = "hedgehog-gitops"
	topPath = "../.."
)

// goPackage is what "go list" says of a package.
type goPackage struct {
	ImportPath                         string
	Imports, TestImports, XTestImports []string
}

func goPackages(t *testing.T) []goPackage {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports,TestImports,XTestImports", "./...")
	cmd.Dir = topPath
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.Bytes())
	}
	var packages []goPackage
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
}

// arrow says what the packages at or below a path may import of ours. The first
// arrow that fits a package counts.
type arrow struct {
	of  string
	may []string // packages, "..." at the end: and all below
}

// arrows point to the waist: the model knows nobody, the rims know each other
// not at all, and cmd does the wiring.
func arrows() []arrow {
	return []arrow{
		{"render/hedgehog", nil},
		{"render/tree", nil},
		{"templates", nil},
		{"render/netbox/rest", []string{"render/netbox", "render/hedgehog"}},
		{"render/netbox", []string{"render/hedgehog"}},
		{"render/overlay", []string{"render/hedgehog", "render/tree"}},
		{"render/review", []string{"render/hedgehog"}},
		{"render", []string{"render/..."}},
		{"gitsync/edge", nil},
		{"gitsync", []string{"render/tree", "gitsync/..."}},
		{"fixtures/demo", []string{"fixtures/...", "render/..."}},
		{"fixtures/bench/gitpush", []string{"fixtures/...", "gitsync/..."}},
		{"fixtures/generate", []string{"render/hedgehog", "render/netbox", "fixtures/..."}},
		{"fixtures", []string{"render/hedgehog", "fixtures/..."}},
		{"cmd", []string{"cmd/...", "render/...", "gitsync/...", "templates/..."}},
	}
}

// owners are the libraries that only some packages may know.
func owners() map[string][]string {
	return map[string][]string{
		"github.com/netbox-community/go-netbox": {"render/netbox/rest"},
		"sigs.k8s.io/kustomize":                 {"render/overlay"},
		"github.com/go-git/go-git":              {"gitsync/git"},
		"github.com/google/go-github":           {"gitsync/forge"},
		"code.gitea.io/sdk/gitea":               {"gitsync/forge/gitea"},
		"github.com/spf13/cobra":                {"cmd"},
		"github.com/fatih/color":                {"cmd"},
		"github.com/jedib0t/go-pretty":          {"cmd"},
		"github.com/schollz/progressbar":        {"cmd"},
		"golang.org/x/term":                     {"cmd"},
	}
}

func within(name, folder string) bool { return name == folder || strings.HasPrefix(name, folder+"/") }

// wrongImports returns what a package imports against the arrows.
func wrongImports(p goPackage) []string {
	name := strings.TrimPrefix(p.ImportPath, module+"/")
	i := slices.IndexFunc(arrows(), func(a arrow) bool { return within(name, a.of) })
	if i < 0 {
		return []string{"the package has no place in the map of docs/architecture.md"}
	}
	var wrong []string
	for _, imported := range p.Imports {
		if ours, ok := strings.CutPrefix(imported, module+"/"); ok {
			if !slices.ContainsFunc(arrows()[i].may, func(may string) bool {
				below, all := strings.CutSuffix(may, "/...")
				return ours == may || all && within(ours, below)
			}) {
				wrong = append(wrong, imported)
			}
			continue
		}
		for library, packages := range owners() {
			if within(imported, library) && !slices.ContainsFunc(packages, func(o string) bool { return within(name, o) }) {
				wrong = append(wrong, imported)
			}
		}
	}
	return wrong
}

func TestImportsPointToTheWaist(t *testing.T) {
	t.Parallel()
	for _, p := range goPackages(t) {
		for _, wrong := range wrongImports(p) {
			t.Errorf("%s imports %s", p.ImportPath, wrong)
		}
	}
}

// The test above would pass if wrongImports saw nothing.
func TestWrongImportsAreSeen(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ of, imported string }{
		"the model knows NetBox":            {"render/hedgehog", module + "/render/netbox"},
		"files know the model":              {"render/tree", module + "/render/hedgehog"},
		"the mapping knows HTTP":            {"render/netbox", module + "/render/netbox/rest"},
		"git knows the model":               {"gitsync", module + "/render/hedgehog"},
		"an edge knows what it is for":      {"gitsync/edge", module + "/gitsync"},
		"the product knows test data":       {"cmd/hedgehog-gitops", module + "/fixtures/netboxserver"},
		"the mapping knows NetBox's client": {"render/netbox", "github.com/netbox-community/go-netbox/v4"},
		"a new folder":                      {"util", "fmt"},
	} {
		if len(wrongImports(goPackage{ImportPath: module + "/" + test.of, Imports: []string{test.imported}})) != 1 {
			t.Errorf("%s: %s may import %s", name, test.of, test.imported)
		}
	}
}

func TestTopLevelHoldsWhatTheMapSays(t *testing.T) {
	t.Parallel()
	allowed := []string{
		"cmd", "render", "gitsync", "templates", "fixtures", "go.mod", "Makefile", "action.yml",
		"go.sum", "README.md", "LICENSE", "CHANGELOG.md", "CONTRIBUTING.md", "docs", ".github", ".ci",
		".gitignore", ".golangci.yml", "Dockerfile",
		".git", "bin", // not in the repository
	}
	entries, err := os.ReadDir(topPath)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !slices.Contains(allowed, e.Name()) {
			t.Errorf("%s stands at the top of the repository", e.Name())
		}
	}
}

// mapRow is a row of the map in docs/architecture.md, which begins with a folder.
var mapRow = regexp.MustCompile("(?m)^\\| `([a-z0-9._/-]+)/` \\|")

func TestTheMapIsTheRepository(t *testing.T) {
	t.Parallel()
	document, err := os.ReadFile(filepath.Join(topPath, "docs/architecture.md"))
	if err != nil {
		t.Fatal(err)
	}
	var folders []string
	for _, m := range mapRow.FindAllSubmatch(document, -1) {
		folder := string(m[1])
		folders = append(folders, folder)
		if info, err := os.Stat(filepath.Join(topPath, filepath.FromSlash(folder))); err != nil || !info.IsDir() {
			t.Errorf("docs/architecture.md has the folder %s, the repository has not", folder)
		}
	}
	for _, p := range goPackages(t) {
		name := strings.TrimPrefix(p.ImportPath, module+"/")
		if !slices.Contains(folders, name) && !within(name, "fixtures") {
			t.Errorf("the repository has the package %s, the map in docs/architecture.md has not", name)
		}
	}
}

// A dependency comes with a page that says why.
func TestEveryDependencyHasADecision(t *testing.T) {
	t.Parallel()
	modules, err := os.ReadFile(filepath.Join(topPath, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	pages, err := filepath.Glob(filepath.Join(topPath, "docs/decisions/*.md"))
	if err != nil {
		t.Fatal(err)
	}
	var reasons strings.Builder
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		if !regexp.MustCompile(`(?m)^\d{4}-\d\d-\d\d, accepted`).Match(text) || !bytes.Contains(text, []byte("\nRejected:\n")) {
			t.Errorf("%s says not when, or not what else there was", page)
		}
		reasons.Write(text)
	}
	direct := regexp.MustCompile(`(?m)^\t(\S+) v\S+$`).FindAllSubmatch(modules, -1)
	if len(direct) == 0 {
		t.Error("go.mod has no dependencies")
	}
	for _, m := range direct {
		name := regexp.MustCompile(`/v\d+$`).ReplaceAllString(string(m[1]), "")
		if !strings.Contains(reasons.String(), name) && !strings.Contains(reasons.String(), filepath.Base(name)+"`") {
			t.Errorf("docs/decisions does not say why %s", name)
		}
	}
}

// What the repository says is about the product alone.
func TestNoFileNamesThePlaceItWasWrittenIn(t *testing.T) {
	t.Parallel()
	bad := regexp.MustCompile(`(^|[^A-Za-z0-9_.~/-])/(work|root)/[a-z]`)
	out, err := exec.Command("git", "-C", topPath, "ls-files", "-z").Output()
	if err != nil {
		t.Skipf("SKIPPED, no Git checkout: %v", err)
	}
	for name := range strings.SplitSeq(strings.TrimRight(string(out), "\x00"), "\x00") {
		content, err := os.ReadFile(filepath.Join(topPath, name))
		if err != nil || strings.HasSuffix(name, "structure_test.go") {
			continue
		}
		for i, line := range bytes.Split(content, []byte("\n")) {
			if bad.Match(line) {
				t.Errorf("%s:%d: %.120s", name, i+1, line)
			}
		}
	}
}
