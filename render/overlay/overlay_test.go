package overlay_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hedgehog-gitops/render/hedgehog"
	"hedgehog-gitops/render/overlay"
	"hedgehog-gitops/render/tree"
)

const (
	rootA     = "fabrics/lab/base/10-nodes/a"
	rootB     = "fabrics/lab/base/10-nodes/b"
	component = "fabrics/lab/overlays/10-nodes"
	extra     = "fabrics/lab/extra/10-nodes"
)

func vpc(name string) string {
	return fmt.Sprintf(`apiVersion: vpc.githedgehog.com/v1beta1
kind: VPC
metadata:
  name: %s
  namespace: default
spec:
  ipv4Namespace: default
  permit:
  - - a
    - b
  subnets:
    a:
      dhcp: {}
      gateway: 10.0.1.1
      subnet: 10.0.1.0/24
      vlan: 1001
    b:
      dhcp: {}
      gateway: 10.0.2.1
      subnet: 10.0.2.0/24
      vlan: 1002
  vlanNamespace: default
`, name)
}

func kustomization(component bool, files ...string) string {
	text := "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"
	if component {
		text += "components:\n- ../../../overlays/10-nodes\n"
	}
	text += "resources:\n"
	for _, f := range files {
		text += "- " + f + "\n"
	}
	return text
}

// repository returns a stage of two roots with a VPC each, and the files given
// on top: an empty one takes a file away.
func repository(t testing.TB, files map[string]string) tree.Tree {
	t.Helper()
	_, hasComponent := files[component+"/kustomization.yaml"]
	all := map[string]string{
		rootA + "/kustomization.yaml": kustomization(hasComponent, "vpcs/one.yaml"),
		rootA + "/vpcs/one.yaml":      vpc("one"),
		rootB + "/kustomization.yaml": kustomization(hasComponent, "vpcs/two.yaml"),
		rootB + "/vpcs/two.yaml":      vpc("two"),
	}
	for path, content := range files {
		all[path] = content
	}
	var tr tree.Tree
	for path, content := range all {
		if content == "" {
			continue
		}
		if err := tr.Set(path, []byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	return tr
}

// stages are those of the repository, people's own root too when it is there.
func stages(t tree.Tree) []overlay.Stage {
	stage := overlay.Stage{Roots: []string{rootA, rootB}}
	if overlay.IsKustomization(t, component) {
		stage.Component = component
	}
	list := []overlay.Stage{stage}
	if overlay.IsKustomization(t, extra) {
		list = append(list, overlay.Stage{Roots: []string{extra}})
	}
	return list
}

func patchOf(text string) map[string]string {
	return map[string]string{component + "/kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n" + text}
}

// TestMain makes every fetch over HTTP fail and count: nothing may try one.
func TestMain(m *testing.M) {
	http.DefaultTransport = refuse
	m.Run()
}

var refuse = &refusing{}

type refusing struct{ tries atomic.Int64 }

func (r *refusing) RoundTrip(req *http.Request) (*http.Response, error) {
	r.tries.Add(1)
	return nil, fmt.Errorf("the test refuses to fetch %s", req.URL)
}

// found are the built VPCs as name: mode and number of permits.
func found(r overlay.Result) []string {
	var list []string
	for _, b := range r.Built {
		for _, o := range b.Objects {
			text := string(o.Kind) + "/" + o.Name
			if spec, ok := o.Spec.(*hedgehog.VPCSpec); ok {
				text += fmt.Sprintf(" %q %v", spec.Mode, spec.Permit)
			}
			list = append(list, text)
		}
	}
	return list
}

func issueLines(is hedgehog.Issues) []string {
	var lines []string
	for _, i := range is {
		lines = append(lines, i.Rule+" "+i.String())
	}
	return lines
}

func TestBuild(t *testing.T) {
	t.Parallel()
	const plainOne, plainTwo = `VPC/one "" [[a b]]`, `VPC/two "" [[a b]]`
	tests := map[string]struct {
		files map[string]string
		want  []string
		// issues are parts of the lines expected, in order: rule, file, words.
		issues [][]string
	}{
		"without a component": {want: []string{plainOne, plainTwo}},
		"an empty component":  {files: patchOf("patches: []\n"), want: []string{plainOne, plainTwo}},
		"a JSON patch to one object": {
			files: patchOf("patches:\n- target: {kind: VPC, name: one}\n  patch: '[{\"op\": \"add\", \"path\": \"/spec/mode\", \"value\": \"l3vni\"}]'\n"),
			want:  []string{`VPC/one "l3vni" [[a b]]`, plainTwo},
		},
		"a merge patch replaces a whole list of a CRD": {
			files: patchOf("patches:\n- target: {kind: VPC, name: two}\n  patch: |\n    apiVersion: vpc.githedgehog.com/v1beta1\n    kind: VPC\n    metadata: {name: two}\n    spec: {permit: [[b, a]], mode: l3vni}\n"),
			want:  []string{plainOne, `VPC/two "l3vni" [[b a]]`},
		},
		"a patch in a file, to a kind": {
			files: merge(patchOf("patches:\n- target: {kind: VPC}\n  path: mode.yaml\n"), map[string]string{
				component + "/mode.yaml": "- {op: add, path: /spec/mode, value: l3vni}\n"}),
			want: []string{`VPC/one "l3vni" [[a b]]`, `VPC/two "l3vni" [[a b]]`},
		},
		"a target by pattern and namespace": {
			files: patchOf("patches:\n- target: {kind: VPC, name: 't.*', namespace: default}\n  patch: '[{\"op\": \"add\", \"path\": \"/spec/mode\", \"value\": \"l3vni\"}]'\n"),
			want:  []string{plainOne, `VPC/two "l3vni" [[a b]]`},
		},
		"a patch that takes a field away": {
			files:  patchOf("patches:\n- target: {kind: VPC, name: one}\n  patch: '[{\"op\": \"remove\", \"path\": \"/spec/permit\"}]'\n"),
			want:   []string{`VPC/one "" []`, plainTwo},
			issues: [][]string{{"overlay-removes-field notice: VPC/one", "spec.permit", component + "/kustomization.yaml"}},
		},
		"a patch that shortens a list": {
			files:  patchOf("patches:\n- target: {kind: VPC, name: one}\n  patch: '[{\"op\": \"remove\", \"path\": \"/spec/permit/0\"}]'\n"),
			want:   []string{`VPC/one "" []`, plainTwo},
			issues: [][]string{{"overlay-removes-field notice: VPC/one"}},
		},
		"an object of another group": {
			files: merge(patchOf("resources: [config.yaml]\n"), map[string]string{
				component + "/config.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n"}),
			want: []string{plainOne, plainTwo},
			issues: [][]string{{"object-in-two-roots"}, {"overlay-adds-kind error: ConfigMap/c", component + "/config.yaml"},
				{"kind-foreign", rootA}, {"kind-foreign", rootB}},
		},
		"a generator of another group": {
			files: patchOf("configMapGenerator: [{name: c, literals: [a=b], options: {disableNameSuffixHash: true}}]\n"),
			want:  []string{plainOne, plainTwo},
			issues: [][]string{{"object-in-two-roots"}, {"overlay-adds-kind error: ConfigMap/c", component + "/kustomization.yaml"},
				{"kind-foreign", rootA}, {"kind-foreign", rootB}},
		},
		"a target in no root": {
			files:  patchOf("patches:\n- target: {kind: VPC, name: three}\n  patch: '[{\"op\": \"add\", \"path\": \"/spec/mode\", \"value\": \"l3vni\"}]'\n"),
			want:   []string{plainOne, plainTwo},
			issues: [][]string{{"patch-target-missing error", "VPC/three", component + "/kustomization.yaml"}},
		},
		"a patch without a target": {
			files:  patchOf("patches:\n- patch: |\n    apiVersion: vpc.githedgehog.com/v1beta1\n    kind: VPC\n    metadata: {name: one, namespace: default}\n    spec: {mode: l3vni}\n"),
			issues: [][]string{{"patch-without-target error", "entry 1 of patches", component + "/kustomization.yaml"}},
		},
		"an old-style merge patch": {
			files:  patchOf("patchesStrategicMerge:\n- |\n  apiVersion: vpc.githedgehog.com/v1beta1\n  kind: VPC\n  metadata: {name: one}\n"),
			issues: [][]string{{"patch-without-target error", "entry 1 of patchesStrategicMerge"}},
		},
		"a target that is no pattern": {
			files:  patchOf("patches:\n- target: {kind: VPC, name: '('}\n  patch: '[]'\n"),
			issues: [][]string{{"patch-target-broken error", component + "/kustomization.yaml"}},
		},
		"a patch to a path that is not there": {
			files:  patchOf("patches:\n- target: {kind: VPC, name: one}\n  patch: '[{\"op\": \"replace\", \"path\": \"/spec/nope/x\", \"value\": \"l3vni\"}]'\n"),
			want:   []string{plainTwo},
			issues: [][]string{{"kustomize-build error", component + "/kustomization.yaml", "missing path: /spec/nope/x"}},
		},
		"a component that is broken YAML": {
			files:  patchOf("patches: [\n"),
			issues: [][]string{{"kustomization-broken error", component + "/kustomization.yaml:", "yaml: line"}},
		},
		"a component with an unknown field": {
			files:  patchOf("patchs: []\n"),
			issues: [][]string{{"kustomization-broken error", component + "/kustomization.yaml", `unknown field "patchs"`}},
		},
		"a component that says it is a kustomization": {
			files:  map[string]string{component + "/kustomization.yaml": "kind: Kustomization\nlabels: []\nnamespace: default\n"},
			issues: [][]string{{"kustomize-build error", component + "/kustomization.yaml", "expected kind 'Component'"}},
		},
		"an object that is broken YAML": {
			files:  map[string]string{rootB + "/vpcs/two.yaml": "kind: VPC\nspec: [\n"},
			want:   []string{plainOne},
			issues: [][]string{{"kustomize-build error", rootB + "/vpcs/two.yaml", "line 2"}},
		},
		"an object without a name": {
			files:  map[string]string{rootB + "/vpcs/two.yaml": "apiVersion: v1\nkind: VPC\n"},
			want:   []string{plainOne},
			issues: [][]string{{"kustomize-build error", rootB + "/vpcs/two.yaml", "missing metadata.name"}},
		},
		"an object that a schema refuses": {
			files:  map[string]string{rootB + "/vpcs/two.yaml": strings.Replace(vpc("two"), "  permit:", "  permits: 1\n  permit:", 1)},
			want:   []string{plainOne},
			issues: [][]string{{"error: VPC/two", "permits", rootB + "/vpcs/two.yaml"}},
		},
		"a file that is not there": {
			files:  map[string]string{rootB + "/vpcs/two.yaml": ""},
			want:   []string{plainOne},
			issues: [][]string{{"kustomization-reference error", rootB + "/kustomization.yaml", "vpcs/two.yaml"}},
		},
		"a root without a kustomization": {
			files:  map[string]string{rootB + "/kustomization.yaml": ""},
			want:   []string{plainOne},
			issues: [][]string{{"kustomization-missing error", rootB}},
		},
		"a root with two kustomizations": {
			files:  map[string]string{rootB + "/Kustomization": "resources: []\n"},
			want:   []string{plainOne},
			issues: [][]string{{"kustomization-ambiguous error", rootB}},
		},
		"a resource that is an address": {
			files:  patchOf("resources:\n- 'https://example.com/vpc.yaml?ref=main'\n"),
			issues: [][]string{{"kustomization-remote error", component + "/kustomization.yaml", "https://example.com/vpc.yaml"}},
		},
		"a resource on a host that kustomize knows": {
			files:  patchOf("resources:\n- github.com/example/vpcs\n"),
			issues: [][]string{{"kustomization-remote error", "github.com/example/vpcs"}},
		},
		"a component in a repository by ssh": {
			files:  patchOf("components:\n- git@example.com:vpcs.git\n"),
			issues: [][]string{{"kustomization-remote error", "git@example.com"}},
		},
		"a patch that is an address": {
			files:  patchOf("patches:\n- {target: {kind: VPC}, path: 'http://example.com/patch.yaml'}\n"),
			issues: [][]string{{"kustomization-remote error", "http://example.com/patch.yaml"}},
		},
		"a transformer that names an address": {
			files:  patchOf("transformers:\n- |\n  apiVersion: builtin\n  kind: PatchTransformer\n  metadata: {name: x}\n  path: https://example.com/patch.yaml\n"),
			issues: [][]string{{"kustomization-remote error", component + "/kustomization.yaml", `"://"`}},
		},
		"a transformer's file that names an address": {
			files: merge(patchOf("transformers: [t.yaml]\n"), map[string]string{
				component + "/t.yaml": "apiVersion: builtin\nkind: PatchTransformer\nmetadata: {name: x}\npath: https://example.com/patch.yaml\n"}),
			issues: [][]string{{"kustomization-remote error", component + "/t.yaml"}},
		},
		"a Helm chart": {
			files:  patchOf("helmCharts:\n- {name: x, repo: 'https://example.com'}\n"),
			issues: [][]string{{"kustomization-helm error", component + "/kustomization.yaml"}},
		},
		"an old Helm chart": {
			files:  patchOf("helmChartInflationGenerator:\n- {chartName: x}\n"),
			issues: [][]string{{"kustomization-helm error", component + "/kustomization.yaml"}},
		},
		"a plugin": {
			files: merge(patchOf("transformers: [t.yaml]\n"), map[string]string{
				component + "/t.yaml": "apiVersion: example.com/v1\nkind: Magic\nmetadata: {name: x}\n"}),
			issues: [][]string{{"kustomize-build error", component, "external plugins disabled"}},
		},
		"a patch outside the repository": {
			files:  patchOf("patches:\n- {target: {kind: VPC}, path: ../../../../../secret.yaml}\n"),
			issues: [][]string{{"kustomization-reference error", "outside the repository"}},
		},
		"a patch outside the component": {
			files:  merge(patchOf("patches:\n- {target: {kind: VPC}, path: ../p.yaml}\n"), map[string]string{"fabrics/lab/overlays/p.yaml": "[]\n"}),
			issues: [][]string{{"kustomize-build error", component + "/kustomization.yaml", "is not in or below"}},
		},
		"a component that uses itself": {
			files:  patchOf("components: [../10-nodes]\n"),
			issues: [][]string{{"kustomization-cycle error", component + "/kustomization.yaml"}},
		},
		"a component that labels everything": {
			files: patchOf("labels:\n- pairs: {team: net}\n"),
			want:  []string{plainOne, plainTwo},
		},
		"an object removed by a patch": {
			files:  patchOf("patches:\n- target: {kind: VPC, name: one}\n  patch: |\n    $patch: delete\n    apiVersion: vpc.githedgehog.com/v1beta1\n    kind: VPC\n    metadata: {name: one}\n"),
			want:   []string{plainTwo},
			issues: [][]string{{"overlay-removes notice: VPC/one", rootA + "/vpcs/one.yaml"}},
		},
		"an object renamed by a patch": {
			files:  patchOf("patches:\n- target: {kind: VPC, name: one}\n  options: {allowNameChange: true}\n  patch: '[{\"op\": \"replace\", \"path\": \"/metadata/name\", \"value\": \"three\"}]'\n"),
			want:   []string{`VPC/three "" [[a b]]`, plainTwo},
			issues: [][]string{{"overlay-removes notice: VPC/one"}},
		},
		"an object renamed to one of another root": {
			files: patchOf("patches:\n- target: {kind: VPC, name: one}\n  options: {allowNameChange: true}\n  patch: '[{\"op\": \"replace\", \"path\": \"/metadata/name\", \"value\": \"two\"}]'\n"),
			want:  []string{plainTwo, plainTwo},
			issues: [][]string{
				{"object-in-two-roots error: VPC/two", rootA, rootB},
				{"overlay-removes notice: VPC/one"},
			},
		},
		"an object that the component adds to every root": {
			files:  merge(patchOf("resources: [three.yaml]\n"), map[string]string{component + "/three.yaml": vpc("three")}),
			want:   []string{plainOne, `VPC/three "" [[a b]]`, `VPC/three "" [[a b]]`, plainTwo},
			issues: [][]string{{"object-in-two-roots error: VPC/three", rootA, rootB}},
		},
		"an object twice in a root": {
			files:  map[string]string{rootA + "/kustomization.yaml": kustomization(false, "vpcs/one.yaml", "vpcs/again.yaml"), rootA + "/vpcs/again.yaml": vpc("one")},
			want:   []string{plainTwo},
			issues: [][]string{{"kustomize-build error", rootA + "/vpcs/again.yaml", "already registered id"}},
		},
		"people's own root": {
			files: map[string]string{
				extra + "/kustomization.yaml": "resources: [mine.yaml, config.yaml]\npatches:\n- patch: |\n    apiVersion: vpc.githedgehog.com/v1beta1\n    kind: VPC\n    metadata: {name: mine, namespace: default}\n    spec: {mode: l3vni}\n",
				extra + "/mine.yaml":          vpc("mine"),
				extra + "/config.yaml":        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: note}\n",
			},
			want:   []string{plainOne, plainTwo, `VPC/mine "l3vni" [[a b]]`},
			issues: [][]string{{"notice", "ConfigMap"}},
		},
		"people's own object that is rendered too": {
			files: map[string]string{
				extra + "/kustomization.yaml": "resources: [mine.yaml]\n",
				extra + "/mine.yaml":          vpc("one"),
			},
			want:   []string{plainOne, plainTwo, plainOne},
			issues: [][]string{{"object-in-two-roots error: VPC/one", extra, rootA}},
		},
		"a component within a component": {
			files: merge(patchOf("components: [inner]\n"), map[string]string{
				component + "/inner/kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\npatches:\n- target: {kind: VPC, name: one}\n  patch: '[{\"op\": \"add\", \"path\": \"/spec/mode\", \"value\": \"l3vni\"}]'\n- patch: '[]'\n"}),
			issues: [][]string{{"patch-without-target error", "entry 2 of patches", component + "/inner/kustomization.yaml"}},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			repo := repository(t, test.files)
			got := overlay.Build(repo, stages(repo), overlay.Options{})
			if d := cmp.Diff(test.want, found(got)); d != "" {
				t.Errorf("objects -want +got:\n%s", d)
			}
			lines := issueLines(got.Issues)
			if len(lines) != len(test.issues) {
				t.Fatalf("got issues\n%s\nwant %d", strings.Join(lines, "\n"), len(test.issues))
			}
			for i, parts := range test.issues {
				for _, part := range parts {
					if !strings.Contains(lines[i], part) {
						t.Errorf("issue %q lacks %q", lines[i], part)
					}
				}
			}
			if n := refuse.tries.Load(); n > 0 {
				t.Errorf("%d attempts to fetch something", n)
			}
		})
	}
}

func merge(a, b map[string]string) map[string]string {
	for k, v := range b {
		a[k] = v
	}
	return a
}
