package render_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hedgehog-gitops/render"
	"hedgehog-gitops/render/hedgehog"
	"hedgehog-gitops/render/tree"
)

func check(t testing.TB, in render.Input) (render.Output, render.Checked) {
	t.Helper()
	out := plan(t, in)
	checked, err := render.Check(in, out)
	if err != nil {
		t.Fatal(err)
	}
	return out, checked
}

func roots(c render.Checked) []string {
	list := []string{}
	for _, b := range c.Built {
		list = append(list, strings.TrimPrefix(b.Root, "fabrics/lab/"))
	}
	return list
}

// objects are what the cluster gets: servers with their description and origin.
func objects(c render.Checked) []string {
	list := []string{}
	for o := range c.Objects.All() {
		text := o.Key().String()
		if spec, ok := o.Spec.(*hedgehog.ServerSpec); ok {
			text += " " + spec.Description
		}
		list = append(list, text+" "+o.Origin().String())
	}
	return list
}

func TestCheck(t *testing.T) {
	t.Parallel()
	const (
		overlays = "fabrics/lab/overlays/10-nodes/kustomization.yaml"
		patch    = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\npatches:\n- target: {kind: Server, name: b}\n  patch: '[{\"op\": \"replace\", \"path\": \"/spec/description\", \"value\": \"patched\"}]'\n"
		a, b     = "Server/a x /dcim/devices/a/", "Server/b x /dcim/devices/b/"
		relaying = "VPC/web /ipam/vrfs/web/"
		db       = "VPC/db /ipam/vrfs/db/"
	)
	list := []*hedgehog.Object{server("a", "x"), server("b", "x"), vpc("web", "db"), vpc("db")}
	all := []string{a, b, db, relaying}
	start := plan(t, input(tree.Tree{}, list...)).Tree
	startPatched := plan(t, input(with(t, tree.Tree{}, map[string]string{overlays: patch}), list...)).Tree
	startPatched = with(t, startPatched, map[string]string{overlays: patch})
	mine := func(name string) string {
		return "apiVersion: wiring.githedgehog.com/v1beta1\nkind: Server\nmetadata:\n  name: " + name + "\n  namespace: default\nspec:\n  description: mine\n"
	}
	tests := map[string]struct {
		merged                 tree.Tree
		objects                []*hedgehog.Object
		built, cluster, issues []string
	}{
		"everything is new": {tree.Tree{}, list, []string{"base/10-nodes/all", "base/15-relays/all"}, all, []string{}},
		"nothing changed":   {start, list, []string{}, all, []string{}},
		"one stage changed": {start, []*hedgehog.Object{server("a", "y"), list[1], list[2], list[3]}, []string{"base/10-nodes/all"}, []string{"Server/a y /dcim/devices/a/", b, db, relaying}, []string{}},
		"a patch that was there": {startPatched, list, []string{"base/10-nodes/all"},
			[]string{a, "Server/b patched /dcim/devices/b/", db, relaying}, []string{}},
		"a patch whose target went": {startPatched, []*hedgehog.Object{list[0], list[2], list[3]}, []string{"base/10-nodes/all"},
			[]string{a, db, relaying}, []string{"error patch-target-missing"}},
		"an edited file": {with(t, start, map[string]string{nodes + "servers/a.yaml": strings.Replace(mine("a"), "mine", "edited", 1)}), list,
			[]string{"base/10-nodes/all"}, []string{"Server/a edited /dcim/devices/a/", b, db, relaying}, []string{}},
		"a deleted file": {with(t, start, map[string]string{nodes + "servers/a.yaml": ""}), list,
			[]string{"base/10-nodes/all"}, []string{b, db, relaying}, []string{}},
		"an object of people's": {with(t, start, map[string]string{
			"fabrics/lab/extra/20-connections/kustomization.yaml": "resources: [mine.yaml]\n",
			"fabrics/lab/extra/20-connections/mine.yaml":          mine("mine")}), list,
			[]string{"extra/20-connections"}, []string{a, b, "Server/mine mine fabrics/lab/extra/20-connections/kustomization.yaml", db, relaying}, []string{}},
		"an object of people's that is rendered too": {with(t, start, map[string]string{
			"fabrics/lab/extra/20-connections/kustomization.yaml": "resources: [mine.yaml]\n",
			"fabrics/lab/extra/20-connections/mine.yaml":          mine("a")}), list,
			[]string{"extra/20-connections"}, all, []string{"error object-in-two-roots"}},
		"an object of people's without a kustomization": {with(t, start, map[string]string{
			"fabrics/lab/extra/20-connections/mine.yaml": mine("mine")}), list,
			[]string{}, all, []string{"error kustomization-missing"}},
		"patches without a kustomization": {with(t, start, map[string]string{
			"fabrics/lab/overlays/10-nodes/patch.yaml": "[]\n"}), list,
			[]string{}, all, []string{"error kustomization-missing"}},
		"patches of what is no stage": {with(t, start, map[string]string{
			"fabrics/lab/overlays/10-node/kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n"}), list,
			[]string{}, all, []string{"error overlay-stage"}},
		"patches of a stage without objects": {with(t, start, map[string]string{
			"fabrics/lab/overlays/20-connections/kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\npatches: []\n",
			"fabrics/lab/overlays/README.md":                         "ours"}), list,
			[]string{}, all, []string{}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, checked := check(t, input(test.merged, test.objects...))
			if d := cmp.Diff(test.built, roots(checked)); d != "" {
				t.Errorf("built -want +got:\n%s", d)
			}
			if d := cmp.Diff(test.cluster, objects(checked)); d != "" {
				t.Errorf("objects -want +got:\n%s", d)
			}
			if d := cmp.Diff(test.issues, ruleLines(checked.Issues)); d != "" {
				t.Errorf("issues -want +got:\n%s\n%v", d, checked.Issues)
			}
			// Who has the files alone comes to the same objects.
			repository, err := test.merged.Apply(out.Changes)
			if err != nil {
				t.Fatal(err)
			}
			files := render.CheckRepository(repository, "lab")
			for o := range checked.Objects.All() {
				twin := files.Objects.Get(o.Kind, o.Name)
				if twin == nil {
					t.Errorf("the files do not hold %s", o.Key())
					continue
				}
				want, err1 := hedgehog.Marshal(o)
				got, err2 := hedgehog.Marshal(twin)
				if err1 != nil || err2 != nil || string(want) != string(got) {
					t.Errorf("%s: the files give\n%s, want\n%s", o.Key(), got, want)
				}
			}
			if files.Objects.Len() != checked.Objects.Len() {
				t.Errorf("the files hold %d objects, want %d", files.Objects.Len(), checked.Objects.Len())
			}
		})
	}
}

func TestCheckWithoutObjects(t *testing.T) {
	t.Parallel()
	in := render.Input{Fabric: "lab"}
	if out, checked := check(t, in); len(out.Changes) > 0 || checked.Objects.Len() > 0 || len(checked.Issues) > 0 {
		t.Errorf("changes %v, issues %v", out.Changes, checked.Issues)
	}
}

func TestRoots(t *testing.T) {
	t.Parallel()
	files := map[string]string{}
	for _, name := range []string{
		"base/10-nodes/0/kustomization.yaml", "base/10-nodes/1/kustomization.yaml", "base/10-nodes/1/vpcs/kustomization.yaml",
		"base/10-nodes/2/x.yaml", "base/deploy/flux/kustomization.yaml",
		"overlays/10-nodes/kustomization.yaml", "overlays/15-relays/kustomization.yaml", "overlays/20-connections/README.md",
		"extra/10-nodes/kustomization.yaml", "extra/15-relays/x.yml", "extra/20-connections/.gitkeep",
	} {
		files["fabrics/lab/"+name] = "x"
	}
	files["fabrics/other/base/10-nodes/all/kustomization.yaml"] = "x"
	var got []string
	for _, stage := range render.Roots(with(t, tree.Tree{}, files), "lab") {
		got = append(got, strings.ReplaceAll(fmt.Sprintf("%s %v", stage.Component, stage.Roots), "fabrics/lab/", ""))
	}
	want := []string{
		"overlays/10-nodes [base/10-nodes/0 base/10-nodes/1]", "overlays/15-relays []",
		" [extra/10-nodes]", " [extra/15-relays]",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

// sample returns n objects as fabrics have them: attachments above all.
func sample(n int) *hedgehog.Fabric {
	f := &hedgehog.Fabric{}
	for i := range n {
		var o *hedgehog.Object
		origin := hedgehog.Origin{Path: fmt.Sprintf("/dcim/devices/%d/", i)}
		switch i % 5 {
		case 0:
			o = vpc(fmt.Sprintf("vpc-%05d", i))
		case 1:
			o = server(fmt.Sprintf("server-%05d", i), "a server")
		case 2:
			o = hedgehog.New(hedgehog.KindConnection, fmt.Sprintf("server-%05d--unbundled--leaf-01", i), origin)
			o.Spec = &hedgehog.ConnectionSpec{Unbundled: &hedgehog.Unbundled{Link: hedgehog.ServerLink{
				Server: hedgehog.PortEnd{Port: "server/eth0"}, Switch: hedgehog.PortEnd{Port: "leaf-01/E1/1"}}}}
		default:
			o = hedgehog.New(hedgehog.KindVPCAttachment, fmt.Sprintf("attachment-%05d", i), origin)
			o.Spec = &hedgehog.VPCAttachmentSpec{Subnet: "vpc-00000/default", Connection: "server--unbundled--leaf-01"}
		}
		hedgehog.Default(o)
		f.Add(o)
	}
	return f
}

// BenchmarkRender is a whole first render: every file is new.
func BenchmarkRender(b *testing.B) {
	for _, n := range []int{1000, 2000, 5000, 10000} {
		in := render.Input{Fabric: "lab", Objects: sample(n), Rows: rows}
		b.Run(fmt.Sprintf("plan/%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				plan(b, in)
			}
		})
		b.Run(fmt.Sprintf("plan and check/%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, checked := check(b, in); len(checked.Issues) > 0 {
					b.Fatal(checked.Issues)
				}
			}
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			b.ReportMetric(float64(m.Sys)/1e6, "MB-sys")
		})
	}
}

// BenchmarkRenderUnchanged is what most runs are: nothing changed.
func BenchmarkRenderUnchanged(b *testing.B) {
	in := render.Input{Fabric: "lab", Objects: sample(10000), Rows: rows}
	in.Merged = plan(b, in).Tree
	for b.Loop() {
		if out, checked := check(b, in); len(out.Changes)+len(checked.Built) > 0 {
			b.Fatal("something changed")
		}
	}
}

func TestSampleIsBuiltAsItIsRendered(t *testing.T) {
	t.Parallel()
	in := render.Input{Fabric: "lab", Objects: sample(60), Rows: rows}
	out, checked := check(t, in)
	for _, b := range render.CheckRepository(out.Tree, "lab").Built {
		text, err := b.YAML()
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		for name, content := range out.Tree.Below(b.Root).All() {
			if strings.HasSuffix(name, ".yaml") && !strings.HasSuffix(name, "kustomization.yaml") {
				want = append(want, string(content))
			}
		}
		if d := cmp.Diff(strings.Join(want, "---\n"), string(text)); d != "" {
			t.Errorf("%s: rendered, built:\n%s", b.Root, d)
		}
		if !b.Plain {
			t.Errorf("%s is not plain", b.Root)
		}
	}
	if checked.Objects.Len() != in.Objects.Len() {
		t.Errorf("%d objects", checked.Objects.Len())
	}
}

// TestBefore: what the merged files give the cluster, from the roots that change
// and what is known of the others.
func TestBefore(t *testing.T) {
	t.Parallel()
	merged := plan(t, input(tree.Tree{}, server("a", "x"), server("b", "x"), vpc("v"))).Tree
	merged = with(t, merged, map[string]string{
		"fabrics/lab/overlays/10-nodes/kustomization.yaml": `apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
patches:
- target: {kind: Server, name: b}
  patch: '[{"op": "replace", "path": "/spec/description", "value": "patched"}]'
`,
	})
	first := plan(t, input(merged, server("a", "x"), server("b", "x"), vpc("v")))
	var err error
	if merged, err = merged.Apply(first.Changes); err != nil {
		t.Fatal(err)
	}
	in := input(merged, server("a", "y"), server("c", "new"), vpc("v"))
	out := plan(t, in)
	checked, err := render.Check(in, out)
	if err != nil {
		t.Fatal(err)
	}
	// The patch lost its target, which is an issue about what is wanted, not about this.
	before, issues := checked.Before(in, out)
	if len(issues) > 0 {
		t.Error(issues)
	}
	want := render.CheckRepository(merged, "lab")
	if len(want.Issues) > 0 || want.Objects.Len() != 3 {
		t.Fatalf("%d objects: %v", want.Objects.Len(), want.Issues)
	}
	if got, want := texts(t, before), texts(t, want.Objects); !cmp.Equal(got, want) {
		t.Errorf("what was merged (-want +got):\n%s", cmp.Diff(want, got))
	}
}

func texts(t *testing.T, f *hedgehog.Fabric) []string {
	t.Helper()
	var list []string
	for o := range f.All() {
		text, err := hedgehog.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, string(text))
	}
	return list
}
