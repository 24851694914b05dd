package render_test

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
	"sigs.k8s.io/yaml"

	"hedgehog-gitops/render"
	"hedgehog-gitops/render/overlay"
	"hedgehog-gitops/render/tree"
)

// bothTools are what the tests deploy with.
func bothTools() render.Deploy {
	return render.Deploy{
		ArgoCD: &render.ArgoCD{
			RepoURL: "https://git.example.com/network.git", Revision: "main", Namespace: "argocd", Project: "default",
			Destination: render.Destination{Server: "https://kubernetes.default.svc", Namespace: "default"},
		},
		Flux: &render.Flux{Namespace: "flux-system", Source: "network", Interval: "10m", Timeout: "5m", RetryInterval: "30s"},
	}
}

// anyDeploy draws which tools are asked for.
func anyDeploy(rt *rapid.T) render.Deploy {
	d := bothTools()
	d.Prune = rapid.Bool().Draw(rt, "prune")
	if rapid.Bool().Draw(rt, "without Argo CD") {
		d.ArgoCD = nil
	}
	if rapid.Bool().Draw(rt, "without Flux") {
		d.Flux = nil
	}
	return d
}

// deployedPaths returns the source paths of the objects of a tool that its
// kustomization gives, sorted, built by kustomize.
func deployedPaths(t testing.TB, files tree.Tree, fabric, tool string) []string {
	t.Helper()
	folder := render.DeployFolder(fabric, tool)
	if !overlay.IsKustomization(files, folder) {
		return nil
	}
	result := overlay.Build(files, []overlay.Stage{{Roots: []string{folder}}}, overlay.Options{})
	if len(result.Issues) > 0 {
		for _, i := range result.Issues {
			if i.Severity > 0 {
				t.Fatalf("%s: %s", folder, i.Summary)
			}
		}
	}
	stream, err := result.Built[0].YAML()
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for document := range strings.SplitSeq(string(stream), "---\n") {
		var o struct {
			Spec struct {
				Path   string
				Source struct{ Path string }
			}
		}
		if err := yaml.Unmarshal([]byte(document), &o); err != nil {
			t.Fatal(err)
		}
		if name := strings.TrimPrefix(o.Spec.Path, "./") + o.Spec.Source.Path; name != "" {
			paths = append(paths, name)
		}
	}
	slices.Sort(paths)
	return paths
}

// checkDeploy holds that each tool is led to the roots that are there, unless people
// had their hands in it.
func checkDeploy(rt *rapid.T, merged tree.Tree, d render.Deploy, left []string) {
	if slices.ContainsFunc(left, func(name string) bool { return tree.Inside(name, "fabrics/lab/base/deploy") }) {
		return
	}
	if text, ok := merged.Get("fabrics/lab/base/deploy/" + render.LockName); ok {
		if _, err := render.ParseLock(text); err != nil {
			return // people's edit of it: nothing there is known to be ours
		}
	}
	roots := []string{"fabrics/lab/extra/10-nodes"}
	for name := range merged.Below("fabrics/lab/base").All() {
		if dir := path.Dir(name); path.Base(name) == render.LockName && path.Base(dir) != "deploy" {
			roots = append(roots, dir)
		}
	}
	slices.Sort(roots)
	for tool, asked := range map[string]bool{"argocd": d.ArgoCD != nil, "flux": d.Flux != nil} {
		want := roots
		if !asked {
			want = nil
		}
		var got []string
		for name := range merged.Below(render.DeployFolder("lab", tool)).All() {
			if path.Base(name) == "kustomization.yaml" {
				continue
			}
			content, _ := merged.Get(name)
			m := regexp.MustCompile(`(?m)^ +path: (?:\./)?(\S+)$`).FindSubmatch(content)
			got = append(got, string(m[1]))
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			rt.Fatalf("%s is led to %v, the roots are %v", tool, got, want)
		}
	}
}

func TestEveryRootHasItsObjectForEachTool(t *testing.T) {
	t.Parallel()
	merged := with(t, tree.Tree{}, map[string]string{
		"fabrics/lab/extra/10-nodes/kustomization.yaml": "resources: []\n",
		"fabrics/lab/extra/tools/kustomization.yaml":    "resources: []\n",
	})
	in := input(merged, server("a", ""), vpc("b"))
	in.Deploy = bothTools()
	files, err := merged.Apply(plan(t, in).Changes)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"fabrics/lab/base/10-nodes/all", "fabrics/lab/extra/10-nodes", "fabrics/lab/extra/tools"}
	for _, tool := range []string{"argocd", "flux"} {
		if d := cmp.Diff(want, deployedPaths(t, files, "lab", tool)); d != "" {
			t.Errorf("%s -want +got:\n%s", tool, d)
		}
	}

	// A stage splits into shards, and nobody edits a file.
	in = input(files, server("a", ""), vpc("b"))
	in.Deploy, in.Shards = bothTools(), map[string]int{"10-nodes": 1}
	if files, err = files.Apply(plan(t, in).Changes); err != nil {
		t.Fatal(err)
	}
	in.Merged = files
	in.Objects = fabricOf(server("a", ""), vpc("c")) // the fabric's next change takes the emptied root along
	if files, err = files.Apply(plan(t, in).Changes); err != nil {
		t.Fatal(err)
	}
	var roots []string
	for _, stage := range render.Roots(files, "lab") {
		roots = append(roots, stage.Roots...)
	}
	slices.Sort(roots)
	if slices.Contains(roots, "fabrics/lab/base/10-nodes/all") || len(roots) < 4 {
		t.Fatalf("the roots are %v", roots)
	}
	for _, tool := range []string{"argocd", "flux"} {
		if d := cmp.Diff(roots, deployedPaths(t, files, "lab", tool)); d != "" {
			t.Errorf("%s, sharded -want +got:\n%s", tool, d)
		}
	}
}

func TestDeploymentsThatPeopleTouched(t *testing.T) {
	t.Parallel()
	in := input(tree.Tree{}, server("a", ""))
	in.Deploy = bothTools()
	start, err := tree.Tree{}.Apply(plan(t, in).Changes)
	if err != nil {
		t.Fatal(err)
	}
	const (
		folder      = "fabrics/lab/base/deploy/"
		application = folder + "argocd/lab-10-nodes-all.yaml"
		lock        = folder + render.LockName
	)
	later := bothTools()
	later.Flux.Interval, later.ArgoCD.Revision = "1h", "production"
	flux := []string{"changed " + folder + "flux/lab-10-nodes-all.yaml"}
	content, _ := start.Get(application)
	edit := map[string]string{application: string(content) + "# mine\n"}
	for name, test := range map[string]struct {
		people      map[string]string
		deploy      render.Deploy
		changes     []string
		issues      []string
		said        string
		overwritten []string // nil: as changes
	}{
		"nobody":           {deploy: bothTools()},
		"other settings":   {deploy: later, changes: slices.Concat([]string{"changed " + lock, "changed " + application}, flux)},
		"an edited object": {people: edit, deploy: bothTools(), issues: []string{"warning file-edited"}, said: "under deploy in hedgehog-gitops.yaml", overwritten: []string{"changed " + application}},
		"an edited object and other settings": {people: edit, deploy: later, issues: []string{"error file-edited-and-changed"}, said: "the object that leads to one of the fabric's roots",
			overwritten: slices.Concat([]string{"changed " + lock, "changed " + application}, flux)},
		"a deleted object": {people: map[string]string{application: ""}, deploy: bothTools(),
			changes: []string{"changed " + lock, "changed " + folder + "argocd/kustomization.yaml"},
			issues:  []string{"warning file-deleted"}, said: "turn the tool off under deploy", overwritten: []string{"added " + application}},
		"without Argo CD": {deploy: render.Deploy{Flux: bothTools().Flux},
			changes: []string{"changed " + lock, "removed " + folder + "argocd/kustomization.yaml", "removed " + application}},
		"without any": {changes: []string{"removed " + lock, "removed " + folder + "argocd/kustomization.yaml", "removed " + application,
			"removed " + folder + "flux/kustomization.yaml", "removed " + folder + "flux/lab-10-nodes-all.yaml"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := input(with(t, start, test.people), server("a", ""))
			in.Deploy = test.deploy
			out := render.Plan(in)
			if d := cmp.Diff(append([]string{}, test.changes...), changeLines(out)); d != "" {
				t.Errorf("changes -want +got:\n%s", d)
			}
			if got := ruleLines(out.Issues); !slices.Equal(test.issues, got) {
				t.Errorf("issues %v, want %v", got, test.issues)
			}
			said := fmt.Sprint(out.Issues)
			for _, i := range out.Issues {
				said += i.Hint
			}
			if !strings.Contains(said, test.said) {
				t.Errorf("said %s, want in it %q", said, test.said)
			}
			in.Overwrite = true
			want := test.overwritten
			if want == nil {
				want = append([]string{}, test.changes...)
			}
			if d := cmp.Diff(want, changeLines(render.Plan(in))); d != "" {
				t.Errorf("overwriting -want +got:\n%s", d)
			}
		})
	}
}

// TestDeployNames holds that names are labels of DNS and that no two folders, of
// whatever fabrics, share one.
func TestDeployNames(t *testing.T) {
	t.Parallel()
	label := regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)
	for folder, want := range map[string]string{
		"base/10-nodes/all": "lab-10-nodes-all", "base/10-nodes/7f": "lab-10-nodes-7f",
		"extra/10-nodes": "lab-10-nodes-extra", "base/deploy": "lab-deploy",
	} {
		if got := render.DeployName("lab", folder); got != want {
			t.Errorf("%s is %s, want %s", folder, got, want)
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		fabric := rapid.OneOf(rapid.StringMatching(`[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?`),
			rapid.StringMatching(`(lab|Lab|l)(-(10-nodes|extra|all|deploy|a|x[0-9a-f]{12})){0,4}`))
		folder := rapid.OneOf(
			rapid.StringMatching(`base/(00-namespaces|10-nodes|15-relays|20-connections|30-attachments)/(all|[0-9a-f]{1,8})`),
			rapid.StringMatching(`extra/(10-nodes|extra|all|10-nodes-all|[a-zA-Z.]{1,70})`), rapid.Just("base/deploy"))
		one, other := fabric.Draw(rt, "fabric"), fabric.Draw(rt, "other fabric")
		folderOne, folderOther := folder.Draw(rt, "folder"), folder.Draw(rt, "other folder")
		a, b := render.DeployName(one, folderOne), render.DeployName(other, folderOther)
		if !label.MatchString(a) {
			rt.Fatalf("%s is no label", a)
		}
		if a == b && (one != other || folderOne != folderOther) {
			rt.Fatalf("%s of %s and %s of %s are both %s", folderOne, one, folderOther, other, a)
		}
	})
}
