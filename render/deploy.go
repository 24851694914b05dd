package render

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"sigs.k8s.io/yaml"

	"hedgehog-gitops/render/overlay"
	"hedgehog-gitops/render/tree"
)

// Deploy says which objects of Argo CD and Flux lead a cluster to the roots of a
// fabric: one for each root, so that a new shard joins by itself and a root that
// leaves takes its object along. The zero value asks for none.
type Deploy struct {
	// Root is the folder of the repository in which fabrics/ stands, "" for its top.
	Root string
	// Prune is whether what leaves a root is deleted from the cluster.
	Prune bool
	// ArgoCD and Flux are nil where no objects of theirs are wanted.
	ArgoCD *ArgoCD
	Flux   *Flux
}

// ArgoCD says where Argo CD reads the roots and where it applies them.
type ArgoCD struct {
	// RepoURL and Revision are the repository as Argo CD reaches it, and its branch.
	RepoURL, Revision string
	// Namespace is that of Argo CD itself, Project one of its projects.
	Namespace, Project string
	// Destination is the cluster of the fabric.
	Destination Destination
}

// Destination is a cluster as Argo CD knows it: by its name or, without one, by its
// address. Namespace is for objects that say none.
type Destination struct {
	Name      string `json:"name,omitempty"`
	Namespace string `json:"namespace"`
	Server    string `json:"server,omitempty"`
}

// Flux says where Flux reads the roots and how it applies them. Durations are written
// as Flux takes them, such as 10m.
type Flux struct {
	// Namespace is that of the Kustomizations and of their GitRepository, Source.
	Namespace, Source string
	// KubeConfig is the Secret with the kubeconfig of the fabric's cluster, "" for the
	// cluster that Flux runs in.
	KubeConfig string
	// Interval is how often the cluster is put right without a commit; Timeout is how
	// long an apply waits until everything is ready; RetryInterval is how soon it is
	// tried again after it was refused: what waits for another root finds its turn so.
	Interval, Timeout, RetryInterval string
}

// The folders of base/deploy, one for each tool.
const (
	argoCDFolder = "argocd"
	fluxFolder   = "flux"
)

// DeployFolder returns the folder of the objects that lead a tool to the fabric's
// roots. Tool is argocd or flux.
func DeployFolder(fabric, tool string) string {
	return path.Join(BaseFolder(fabric), deployFolder, tool)
}

// dnsLabel is what names an object, and is a label's value, everywhere.
var dnsLabel = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// DeployName returns the name of the object for a folder of the fabric, given by its
// path below the fabric's: base/10-nodes/all is lab-10-nodes-all, extra/10-nodes is
// lab-10-nodes-extra, base/deploy, for what applies these objects, lab-deploy. It is a
// DNS label, and no two folders of any fabrics share one: a name that would not be a
// label, or could be taken for another, ends in x and a part of its digest.
func DeployName(fabric, folder string) string {
	parts := strings.Split(folder, "/")
	plain := ""
	switch {
	case folder == "base/"+deployFolder:
		plain = fabric + "-" + deployFolder
	case len(parts) == 3 && parts[0] == "base" && slices.Contains(Stages(), parts[1]) && shardName.MatchString(parts[2]):
		plain = strings.Join([]string{fabric, parts[1], parts[2]}, "-")
	case len(parts) == 2 && parts[0] == "extra" && slices.Contains(Stages(), parts[1]):
		plain = strings.Join([]string{fabric, parts[1], parts[0]}, "-")
	}
	// What follows the fabric can be told from its end, so plain names differ.
	if dnsLabel.MatchString(plain) {
		return plain
	}
	const most, digits = 63, 12
	sum := strings.TrimPrefix(digest([]byte(path.Join(fabric, folder))), "sha256:")
	slug := notLabel.ReplaceAllString(strings.ToLower(fabric+"-"+strings.TrimPrefix(folder, "base/")), "-")
	slug = strings.Trim(slug[:min(len(slug), most-digits-2)], "-")
	return slug + "-x" + sum[:digits]
}

var notLabel = regexp.MustCompile(`[^a-z0-9]+`)

// deployedRoot is a root that a cluster gets, by its path below the fabric's folder.
type deployedRoot struct {
	path, stage string
	// inputs are the folders elsewhere in the fabric that go into it.
	inputs []string
}

// deployedRoots returns the roots of the fabric: ours in base, people's own in
// extra/.
func deployedRoots(base, merged tree.Tree, fabric string) []deployedRoot {
	folder := FabricFolder(fabric)
	uses := map[string][]string{}
	for _, stage := range Stages() {
		uses[stage] = []string{strings.TrimPrefix(OverlayFolder(fabric, stage), folder+"/")}
		if overlay.IsKustomization(merged, OverlayFolder(fabric, stage)) {
			uses[stage] = inputsOf(merged, fabric, OverlayFolder(fabric, stage), uses[stage])
		}
	}
	roots := map[string]deployedRoot{}
	for name := range base.Below(BaseFolder(fabric)).All() {
		parts := strings.Split(strings.TrimPrefix(name, BaseFolder(fabric)+"/"), "/")
		if len(parts) == 3 && parts[0] != deployFolder && parts[2] == LockName {
			root := path.Join("base", parts[0], parts[1])
			roots[root] = deployedRoot{root, parts[0], uses[parts[0]]}
		}
	}
	for _, stage := range Roots(merged.Below(path.Join(folder, "extra")), fabric) {
		for _, name := range stage.Roots {
			root := strings.TrimPrefix(name, folder+"/")
			roots[root] = deployedRoot{root, path.Base(root), inputsOf(merged, fabric, name, nil)}
		}
	}
	list := slices.Collect(maps.Values(roots))
	slices.SortFunc(list, func(a, b deployedRoot) int { return strings.Compare(a.path, b.path) })
	return list
}

// inputsOf returns the folders outside the given one whose files go into its build,
// after those that are known.
func inputsOf(t tree.Tree, fabric, folder string, known []string) []string {
	inputs := slices.Clone(known)
	for _, name := range overlay.Inputs(t, folder) {
		if dir := path.Dir(name); !tree.Inside(dir, folder) {
			inputs = append(inputs, strings.TrimPrefix(dir, FabricFolder(fabric)+"/"))
		}
	}
	slices.Sort(inputs)
	return slices.Compact(inputs)
}

// wave returns where in the order of its fabric a root comes. People's own objects
// come with their stage; what is called after no stage comes last.
func (r deployedRoot) wave() string {
	last := 0
	for _, stage := range Stages() {
		number, _ := strconv.Atoi(stage[:2])
		if stage == r.stage {
			return strconv.Itoa(number)
		}
		last = number + 10
	}
	return strconv.Itoa(last)
}

// files returns the files of the objects for the roots, by their path below
// base/deploy, without the kustomizations.
func (d Deploy) files(fabric string, roots []deployedRoot) map[string]wantedFile {
	files := map[string]wantedFile{}
	for _, root := range roots {
		name := DeployName(fabric, root.path)
		if d.ArgoCD != nil {
			files[path.Join(argoCDFolder, name+".yaml")] = wantedFile{
				content: manifest(d.application(fabric, name, root), applicationNote),
				rows:    d.digest(d.ArgoCD, root),
			}
		}
		if d.Flux != nil {
			files[path.Join(fluxFolder, name+".yaml")] = wantedFile{
				content: manifest(d.fluxKustomization(fabric, name, root), fluxNote),
				rows:    d.digest(d.Flux, root),
			}
		}
	}
	return files
}

// digest stands for all that an object is made of: other bytes for an equal one are
// the tool's own change.
func (d Deploy) digest(tool any, root deployedRoot) string {
	text, err := json.Marshal(struct {
		Root   string
		Prune  bool
		Tool   any
		Path   string
		Inputs []string
	}{d.Root, d.Prune, tool, root.path, root.inputs})
	if err != nil {
		panic(err) // texts and truth values: cannot fail
	}
	return digest(text)
}

// The notes stand in the files, where people ask.
const (
	applicationNote = "# Generated by hedgehog-gitops, do not edit: hedgehog-gitops.yaml says how it is deployed.\n" +
		"# It has no finalizer: whoever deletes the Application leaves its objects in the cluster.\n"
	fluxNote = "# Generated by hedgehog-gitops, do not edit: hedgehog-gitops.yaml says how it is deployed.\n" +
		"# deletionPolicy: whoever deletes the Kustomization leaves its objects in the cluster.\n"
	kustomizationNote = "# Generated by hedgehog-gitops, do not edit: hedgehog-gitops.yaml says what is deployed.\n"
)

// manifest writes an object, with the note after its first line: where documents are
// joined, one that starts with a comment can end up as a document without an object.
func manifest(object any, note string) []byte {
	text, err := yaml.Marshal(object)
	if err != nil {
		panic(err) // structs of texts and truth values: cannot fail
	}
	first, rest, _ := bytes.Cut(text, []byte("\n"))
	return slices.Concat(first, []byte("\n"+note), rest)
}

type objectMeta struct {
	Annotations map[string]string `json:"annotations,omitempty"`
	Labels      map[string]string `json:"labels"`
	Name        string            `json:"name"`
	Namespace   string            `json:"namespace"`
}

func deployMeta(fabric, name, namespace string) objectMeta {
	return objectMeta{
		Labels: map[string]string{
			"app.kubernetes.io/managed-by": "hedgehog-gitops",
			"app.kubernetes.io/part-of":    fabric,
		},
		Name: name, Namespace: namespace,
	}
}

// application is an Application of Argo CD, as far as it is used here.
type application struct {
	APIVersion string          `json:"apiVersion"`
	Kind       string          `json:"kind"`
	Metadata   objectMeta      `json:"metadata"`
	Spec       applicationSpec `json:"spec"`
}

type applicationSpec struct {
	Destination Destination `json:"destination"`
	Project     string      `json:"project"`
	Source      struct {
		Path           string `json:"path"`
		RepoURL        string `json:"repoURL"`
		TargetRevision string `json:"targetRevision"`
	} `json:"source"`
	SyncPolicy struct {
		Automated struct {
			AllowEmpty bool `json:"allowEmpty"`
			Prune      bool `json:"prune"`
			SelfHeal   bool `json:"selfHeal"`
		} `json:"automated"`
		Retry struct {
			Backoff struct {
				Duration    string `json:"duration"`
				Factor      int    `json:"factor"`
				MaxDuration string `json:"maxDuration"`
			} `json:"backoff"`
			Limit   int  `json:"limit"`
			Refresh bool `json:"refresh"`
		} `json:"retry"`
		SyncOptions []string `json:"syncOptions"`
	} `json:"syncPolicy"`
}

// application returns the Application of a root.
//
// The wave orders the Applications of a fabric when what applies them meets several
// new ones: the next wave waits until those of the former are healthy, which Argo CD
// must be taught (deploy/argocd/settings, written by init). From then on each
// Application follows Git by itself. What the cluster refuses because another root is
// not there yet is tried again without an end, always at the newest commit: that is
// how the order of deletions is found, too.
//
// PruneLast is not set: an object that takes the place of another (its port, its
// address) is refused until that one is gone.
func (d Deploy) application(fabric, name string, root deployedRoot) application {
	a := application{APIVersion: "argoproj.io/v1alpha1", Kind: "Application", Metadata: deployMeta(fabric, name, d.ArgoCD.Namespace)}
	folder := path.Join(d.Root, FabricFolder(fabric))
	// Argo CD builds a root again when one of these changes, and at no other commit.
	paths := []string{"."}
	for _, input := range root.inputs {
		paths = append(paths, "/"+path.Join(folder, input))
	}
	a.Metadata.Annotations = map[string]string{
		"argocd.argoproj.io/compare-options":         "ServerSideDiff=true",
		"argocd.argoproj.io/manifest-generate-paths": strings.Join(paths, ";"),
		"argocd.argoproj.io/sync-wave":               root.wave(),
	}
	a.Spec.Destination, a.Spec.Project = d.ArgoCD.Destination, d.ArgoCD.Project
	a.Spec.Source.Path = path.Join(folder, root.path)
	a.Spec.Source.RepoURL, a.Spec.Source.TargetRevision = d.ArgoCD.RepoURL, d.ArgoCD.Revision
	policy := &a.Spec.SyncPolicy
	policy.Automated.Prune, policy.Automated.AllowEmpty = d.Prune, d.Prune // the last object of a root is deleted, too
	policy.Automated.SelfHeal = true
	policy.Retry.Backoff.Duration, policy.Retry.Backoff.Factor, policy.Retry.Backoff.MaxDuration = "5s", 2, "1m"
	policy.Retry.Limit, policy.Retry.Refresh = -1, true
	policy.SyncOptions = []string{"ServerSideApply=true", "ApplyOutOfSyncOnly=true"}
	return a
}

// fluxKustomization is a Kustomization of Flux, as far as it is used here.
type fluxKustomization struct {
	APIVersion string     `json:"apiVersion"`
	Kind       string     `json:"kind"`
	Metadata   objectMeta `json:"metadata"`
	Spec       struct {
		DeletionPolicy string          `json:"deletionPolicy"`
		Force          bool            `json:"force"`
		Interval       string          `json:"interval"`
		KubeConfig     *fluxKubeConfig `json:"kubeConfig,omitempty"`
		Path           string          `json:"path"`
		Prune          bool            `json:"prune"`
		RetryInterval  string          `json:"retryInterval"`
		SourceRef      struct {
			Kind string `json:"kind"`
			Name string `json:"name"`
		} `json:"sourceRef"`
		Timeout string `json:"timeout"`
		Wait    bool   `json:"wait"`
	} `json:"spec"`
}

type fluxKubeConfig struct {
	SecretRef struct {
		Name string `json:"name"`
	} `json:"secretRef"`
}

// fluxKustomization returns the Kustomization of a root.
//
// It depends on no other: a deletion that the cluster refuses keeps its root from
// getting ready, and a root that waited for it could not delete what is in the way. The
// order comes from what is refused and tried again after retryInterval. An object is
// never deleted to be made anew (force).
func (d Deploy) fluxKustomization(fabric, name string, root deployedRoot) fluxKustomization {
	k := fluxKustomization{APIVersion: "kustomize.toolkit.fluxcd.io/v1", Kind: "Kustomization", Metadata: deployMeta(fabric, name, d.Flux.Namespace)}
	k.Spec.DeletionPolicy = "Orphan"
	k.Spec.Interval, k.Spec.Timeout, k.Spec.RetryInterval = d.Flux.Interval, d.Flux.Timeout, d.Flux.RetryInterval
	k.Spec.Path = "./" + path.Join(d.Root, FabricFolder(fabric), root.path)
	k.Spec.Prune, k.Spec.Wait = d.Prune, true
	k.Spec.SourceRef.Kind, k.Spec.SourceRef.Name = "GitRepository", d.Flux.Source
	if d.Flux.KubeConfig != "" {
		k.Spec.KubeConfig = &fluxKubeConfig{}
		k.Spec.KubeConfig.SecretRef.Name = d.Flux.KubeConfig
	}
	return k
}

// deployKustomization returns the kustomization.yaml that lists the objects of a tool.
func deployKustomization(files []string) []byte {
	var b bytes.Buffer
	b.WriteString("apiVersion: kustomize.config.k8s.io/v1beta1\n" + kustomizationNote + "kind: Kustomization\n")
	if len(files) == 0 {
		b.WriteString("resources: []\n")
		return b.Bytes()
	}
	b.WriteString("resources:\n")
	for _, file := range files {
		fmt.Fprintf(&b, "- %s\n", file)
	}
	return b.Bytes()
}

// planDeploy decides about the files of base/deploy, for the roots that the fabric
// then has, and makes the changes in after.
func (p *planner) planDeploy(after *tree.Tree) {
	m := p.deploy
	if m == nil {
		m = &mergedRoot{files: map[string][]byte{}}
	}
	roots := deployedRoots(*after, p.in.Merged, p.in.Fabric)
	wanted := p.in.Deploy.files(p.in.Fabric, roots)
	if m.lockError != nil && !p.in.Overwrite {
		p.brokenLock(deployFolder, m, wanted)
		return
	}
	plan := &rootPlan{folder: path.Join(p.base, deployFolder), writes: map[string][]byte{}}
	next := &Lock{Files: map[string]LockedFile{}, Render: Version}
	locked := map[string]LockedFile{}
	if m.lock != nil {
		locked = m.lock.Files
	}
	names := map[string]bool{}
	for _, set := range []map[string]bool{keySet(wanted), keySet(locked), keySet(m.files)} {
		maps.Copy(names, set)
	}
	listed := map[string][]string{}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if path.Base(name) == kustomizationName {
			continue
		}
		w, ok := wanted[name]
		if p.settle(plan, next, m, name, w, ok, locked) {
			listed[path.Dir(name)] = append(listed[path.Dir(name)], path.Base(name))
		}
	}
	for _, tool := range []string{argoCDFolder, fluxFolder} {
		name := path.Join(tool, kustomizationName)
		asked := tool == argoCDFolder && p.in.Deploy.ArgoCD != nil || tool == fluxFolder && p.in.Deploy.Flux != nil
		_, was := locked[name]
		w := wantedFile{}
		if asked = asked && (len(roots) > 0 || was); asked {
			w.content = deployKustomization(listed[tool])
			if m.lock != nil && slices.Equal(listed[tool], m.lock.listedIn(tool)) {
				w.rows = sameList
			}
		}
		if asked || was || m.files[name] != nil {
			p.settle(plan, next, m, name, w, asked, locked)
		}
	}
	if plan.later {
		next.Render = m.lock.Render
	}
	switch {
	case len(next.Files) == 0 && m.lockBytes != nil:
		plan.drops = append(plan.drops, LockName)
	case len(next.Files) > 0 && (m.lock == nil || !next.sameFiles(m.lock)):
		plan.writes[LockName] = next.Bytes()
	}
	plan.apply(after)
}

func keySet[V any](m map[string]V) map[string]bool {
	set := make(map[string]bool, len(m))
	for key := range m {
		set[key] = true
	}
	return set
}

// listedIn returns the files of one folder that its kustomization lists, sorted.
func (l *Lock) listedIn(folder string) []string {
	var names []string
	for name, file := range l.Files {
		if path.Dir(name) == folder && path.Base(name) != kustomizationName && file.isThere() {
			names = append(names, path.Base(name))
		}
	}
	slices.Sort(names)
	return names
}
