package overlay_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"

	"hedgehog-gitops/render/hedgehog"
	"hedgehog-gitops/render/overlay"
	"hedgehog-gitops/render/tree"
)

func builtRoots(r overlay.Result) []string {
	roots := []string{}
	for _, b := range r.Built {
		roots = append(roots, b.Root)
	}
	return roots
}

func TestBuildOnlyWhatChangedOrIsReached(t *testing.T) {
	t.Parallel()
	const patch = "patches:\n- target: {kind: VPC, name: two}\n  patch: '[{\"op\": \"add\", \"path\": \"/spec/mode\", \"value\": \"l3vni\"}]'\n"
	own := map[string]string{extra + "/kustomization.yaml": "resources: [mine.yaml]\n", extra + "/mine.yaml": vpc("mine")}
	tests := map[string]struct {
		before, after map[string]string
		always        []string
		want          []string
	}{
		"nothing changed":            {want: []string{}},
		"an object changed":          {after: map[string]string{rootB + "/vpcs/two.yaml": strings.Replace(vpc("two"), "1001", "1009", 1)}, want: []string{rootB}},
		"a file that nothing uses":   {after: map[string]string{rootB + "/note.txt": "x"}, want: []string{}},
		"a kustomization changed":    {after: map[string]string{rootA + "/kustomization.yaml": kustomization(false, "vpcs/one.yaml") + "# x\n"}, want: []string{rootA}},
		"a component appears":        {after: patchOf("patches: []\n"), want: []string{rootA, rootB}},
		"an empty component":         {before: patchOf("patches: []\n"), after: patchOf("patches: []\n"), want: []string{}},
		"a component reaches a root": {before: patchOf(patch), after: patchOf(patch), want: []string{rootB}},
		"a component reaches all":    {before: patchOf("labels: [{pairs: {a: b}}]\n"), after: patchOf("labels: [{pairs: {a: b}}]\n"), want: []string{rootA, rootB}},
		"a component's file changed": {
			before: merge(patchOf("patches: []\nconfigMapGenerator: []\nreplacements: [{path: r.yaml}]\n"), map[string]string{component + "/r.yaml": "[]"}),
			after:  merge(patchOf("patches: []\nconfigMapGenerator: []\nreplacements: [{path: r.yaml}]\n"), map[string]string{component + "/r.yaml": "[] #"}),
			want:   []string{rootA, rootB},
		},
		"people's own root changed": {before: own, after: merge(map[string]string{extra + "/mine.yaml": vpc("ours")}, map[string]string{extra + "/kustomization.yaml": own[extra+"/kustomization.yaml"]}), want: []string{extra}},
		"people's own root did not": {before: own, after: own, want: []string{}},
		"a root that is asked for":  {before: own, after: own, always: []string{rootA, extra}, want: []string{rootA, extra}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before, after := repository(t, test.before), repository(t, test.after)
			got := overlay.Build(after, stages(after), overlay.Options{Previous: &before, Always: test.always})
			if d := cmp.Diff(test.want, builtRoots(got)); d != "" {
				t.Errorf("built -want +got:\n%s\n%v", d, got.Issues)
			}
		})
	}
}

func TestDuplicateOfARootThatIsNotBuilt(t *testing.T) {
	t.Parallel()
	before := repository(t, nil)
	after := repository(t, map[string]string{rootB + "/vpcs/two.yaml": vpc("one")})
	got := overlay.Build(after, stages(after), overlay.Options{Previous: &before})
	if d := cmp.Diff([]string{rootB}, builtRoots(got)); d != "" {
		t.Errorf("built -want +got:\n%s", d)
	}
	if len(got.Issues) != 1 || got.Issues[0].Rule != "object-in-two-roots" {
		t.Errorf("got %v", got.Issues)
	}
}

// schema gives the list staticRoutes of a VPC a key to merge by, which a CRD's
// list does not have.
const schema = `{"definitions": {"x.VPC": {
	"type": "object",
	"x-kubernetes-group-version-kind": [{"group": "vpc.githedgehog.com", "version": "v1beta1", "kind": "VPC"}],
	"properties": {"spec": {"type": "object", "properties": {"staticRoutes": {
		"type": "array", "items": {"type": "object"},
		"x-kubernetes-patch-merge-key": "prefix", "x-kubernetes-patch-strategy": "merge"}}}}}}}`

// TestOpenAPIOfOneRootDoesNotReachOthers builds, side by side, roots with a
// schema of their own and roots without, which kustomize alone mixes up.
func TestOpenAPIOfOneRootDoesNotReachOthers(t *testing.T) {
	t.Parallel()
	const routed = `apiVersion: vpc.githedgehog.com/v1beta1
kind: VPC
metadata: {name: %s, namespace: default}
spec:
  staticRoutes:
  - {prefix: 10.0.0.0/8, nextHops: [10.0.1.2]}
`
	const patch = `apiVersion: vpc.githedgehog.com/v1beta1
kind: VPC
metadata: {name: x}
spec:
  staticRoutes:
  - {prefix: 10.9.0.0/16, nextHops: [10.0.1.3]}
`
	var repo tree.Tree
	var stage overlay.Stage
	for i := range 12 {
		root := fmt.Sprintf("roots/%02d", i)
		stage.Roots = append(stage.Roots, root)
		text := "resources: [vpc.yaml]\npatches:\n- {target: {kind: VPC}, path: patch.yaml}\n"
		if i%2 == 1 {
			text += "openapi: {path: schema.json}\n"
		}
		for name, content := range map[string]string{
			"kustomization.yaml": text, "vpc.yaml": fmt.Sprintf(routed, fmt.Sprintf("vpc-%02d", i)), "patch.yaml": patch, "schema.json": schema,
		} {
			if err := repo.Set(root+"/"+name, []byte(content)); err != nil {
				t.Fatal(err)
			}
		}
	}
	got := overlay.Build(repo, []overlay.Stage{stage}, overlay.Options{Workers: 4})
	if len(got.Issues) > 0 || len(got.Built) != 12 {
		t.Fatalf("built %d roots, issues %v", len(got.Built), got.Issues)
	}
	for i, b := range got.Built {
		want := 1 + i%2 // merged with the schema, replaced without
		if n := len(b.Objects[0].Spec.(*hedgehog.VPCSpec).StaticRoutes); n != want {
			t.Errorf("%s: %d routes, want %d", b.Root, n, want)
		}
	}
}

// TestPanicIsAnIssue gives kustomize a schema that it panics on.
func TestPanicIsAnIssue(t *testing.T) {
	t.Parallel()
	repo := repository(t, map[string]string{
		extra + "/kustomization.yaml": "resources: [mine.yaml]\nopenapi: {path: schema.json}\npatches:\n- patch: |\n    apiVersion: vpc.githedgehog.com/v1beta1\n    kind: VPC\n    metadata: {name: mine, namespace: default}\n    spec: {mode: l3vni}\n",
		extra + "/mine.yaml":          vpc("mine"),
		extra + "/schema.json":        "{\"definitions\": 7}",
	})
	got := overlay.Build(repo, stages(repo), overlay.Options{})
	if len(got.Issues) != 1 || !strings.Contains(got.Issues[0].Summary, "panicked") || got.Issues[0].Origin.File != extra+"/kustomization.yaml" {
		t.Errorf("got %v, want one issue about the panic", got.Issues)
	}
	if want := []string{rootA, rootB}; !slices.Equal(builtRoots(got), want) {
		t.Errorf("built %v, want %v", builtRoots(got), want)
	}
}

func TestBuildGivesWhatKustomizeGives(t *testing.T) { // alone: a bare krusty takes no lock
	repo := repository(t, patchOf("patches:\n- target: {kind: VPC, name: two}\n  patch: '[{\"op\": \"add\", \"path\": \"/spec/mode\", \"value\": \"l3vni\"}]'\nlabels: [{pairs: {team: net}}]\n"))
	got := overlay.Build(repo, stages(repo), overlay.Options{})
	files := filesys.MakeFsInMemory()
	for path, content := range repo.All() {
		if err := files.WriteFile("/"+path, content); err != nil {
			t.Fatal(err)
		}
	}
	for _, b := range got.Built {
		m, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(files, "/"+b.Root)
		if err != nil {
			t.Fatal(err)
		}
		want, err := m.AsYaml()
		if err != nil {
			t.Fatal(err)
		}
		text, err := b.YAML()
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(want), string(text)); d != "" {
			t.Errorf("%s: -want +got:\n%s", b.Root, d)
		}
	}
}

func Example() {
	var repo tree.Tree
	for path, content := range map[string]string{
		"base/kustomization.yaml":    "resources: [web.yaml]\ncomponents: [../overlay]\n",
		"base/web.yaml":              "apiVersion: wiring.githedgehog.com/v1beta1\nkind: Server\nmetadata: {name: web, namespace: default}\nspec: {}\n",
		"overlay/kustomization.yaml": "kind: Component\npatches:\n- {target: {kind: Server, name: web}, path: rack.yaml}\n- {target: {kind: Server, name: db}, path: rack.yaml}\n",
		"overlay/rack.yaml":          "- {op: add, path: /spec/description, value: rack 4}\n",
	} {
		if err := repo.Set(path, []byte(content)); err != nil {
			panic(err)
		}
	}
	result := overlay.Build(repo, []overlay.Stage{{Component: "overlay", Roots: []string{"base"}}}, overlay.Options{})
	text, err := result.Built[0].YAML()
	if err != nil {
		panic(err)
	}
	fmt.Print(string(text))
	fmt.Println(result.Issues[0])
	// Output:
	// apiVersion: wiring.githedgehog.com/v1beta1
	// kind: Server
	// metadata:
	//   name: web
	//   namespace: default
	// spec:
	//   description: rack 4
	// error: patch 2 targets Server/db, which no root of its stage holds: it changes nothing (overlay/kustomization.yaml)
}

// large returns a tree of n VPCs in roots of the given size.
func large(tb testing.TB, n, size int) (tree.Tree, overlay.Stage) {
	tb.Helper()
	var t tree.Tree
	var stage overlay.Stage
	set := func(path, content string) {
		if err := t.Set(path, []byte(content)); err != nil {
			tb.Fatal(err)
		}
	}
	for first := 0; first < n; first += size {
		root := fmt.Sprintf("fabrics/lab/base/10-nodes/%04d", first)
		stage.Roots = append(stage.Roots, root)
		var files []string
		for i := first; i < min(first+size, n); i++ {
			file := fmt.Sprintf("vpcs/vpc-%05d.yaml", i)
			files = append(files, file)
			set(root+"/"+file, vpc(fmt.Sprintf("vpc-%05d", i)))
		}
		set(root+"/kustomization.yaml", kustomization(false, files...))
	}
	return t, stage
}

// BenchmarkBuild builds everything in roots of 500 objects.
func BenchmarkBuild(b *testing.B) {
	for _, n := range []int{1000, 2000, 5000, 10000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			t, stage := large(b, n, 500)
			b.ReportAllocs()
			for b.Loop() {
				if got := overlay.Build(t, []overlay.Stage{stage}, overlay.Options{Known: stage.Roots}); len(got.Issues) > 0 {
					b.Fatal(got.Issues)
				}
			}
		})
	}
}

// BenchmarkFlatKustomization is what roots spare: kustomize alone on one root of
// 2,000 objects.
func BenchmarkFlatKustomization(b *testing.B) {
	t, stage := large(b, 2000, 2000)
	files := filesys.MakeFsInMemory()
	for path, content := range t.All() {
		if err := files.WriteFile("/"+path, content); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		if _, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(files, "/"+stage.Roots[0]); err != nil {
			b.Fatal(err)
		}
	}
}

// TestKnownRoots are decoded all the same when kustomize does more than to put
// their files together.
func TestKnownRoots(t *testing.T) {
	t.Parallel()
	const inner = "resources: [vpcs]\n"
	tests := map[string]struct {
		files map[string]string
		plain bool
	}{
		"only files":         {nil, true},
		"an empty component": {patchOf("patches: []\n"), true},
		"a label":            {map[string]string{rootA + "/kustomization.yaml": kustomization(false, "vpcs/one.yaml") + "labels: [{pairs: {a: b}}]\n"}, false},
		"a component that is not the stage's": {map[string]string{
			rootA + "/kustomization.yaml":     kustomization(false, "vpcs/one.yaml") + "components: [own]\n",
			rootA + "/own/kustomization.yaml": "kind: Component\nlabels: [{pairs: {a: b}}]\n"}, false},
		"a kustomization within it": {map[string]string{
			rootA + "/kustomization.yaml":      inner,
			rootA + "/vpcs/kustomization.yaml": "resources: [one.yaml]\nlabels: [{pairs: {a: b}}]\n"}, false},
		"a patch that reaches it": {patchOf("patches:\n- target: {name: one}\n  patch: '[{\"op\": \"add\", \"path\": \"/spec/mode\", \"value\": \"l3vni\"}]'\n"), false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			repo := repository(t, test.files)
			got := overlay.Build(repo, stages(repo), overlay.Options{Known: []string{rootA}})
			if len(got.Issues) > 0 || len(got.Built) != 2 {
				t.Fatalf("built %v, issues %v", builtRoots(got), got.Issues)
			}
			if a := got.Built[0]; a.Plain != test.plain || (len(a.Objects) == 0) != test.plain {
				t.Errorf("plain: %v, %d objects, want plain: %v", a.Plain, len(a.Objects), test.plain)
			}
			if b := got.Built[1]; len(b.Objects) != 1 {
				t.Errorf("the root that is not known has %d objects", len(b.Objects))
			}
		})
	}
}
