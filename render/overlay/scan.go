package overlay

import (
	"fmt"
	"path"
	"regexp"
	"strconv"
	"strings"

	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/resid"
	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"hedgehog-gitops/render/hedgehog"
	"hedgehog-gitops/render/tree"
)

// scan is what one kustomization folder refers to, directly and through others.
type scan struct {
	folder string
	// file is the path of the kustomization file.
	file          string
	kustomization types.Kustomization
	// inputs are all files that go into a build of the folder.
	inputs map[string]bool
	// resources are the files of objects that the folder's kustomization, and the
	// kustomizations it takes as resources, list; not those of components.
	resources []string
	// nested is whether the kustomization takes others as resources.
	nested bool
	// components are the scans of the components that it uses.
	components []*scan
	// openAPI is whether the folder, or one it refers to, sets openapi or crds,
	// which kustomize keeps in variables of the process.
	openAPI bool
	// open is whether the folder is still being scanned: whoever refers to it then
	// is part of a cycle.
	open   bool
	issues hedgehog.Issues
}

// scanner scans folders, each once.
type scanner struct {
	tree    tree.Tree
	folders map[string]bool
	scans   map[string]*scan
	nodes   map[string][]*kyaml.RNode
	// aliases maps a file to the line where its aliases are too much, 0 for none.
	aliases map[string]int
}

func newScanner(t tree.Tree) *scanner {
	s := &scanner{tree: t, folders: map[string]bool{}, scans: map[string]*scan{},
		nodes: map[string][]*kyaml.RNode{}, aliases: map[string]int{}}
	for _, name := range t.Paths() {
		for dir := path.Dir(name); dir != "." && !s.folders[dir]; dir = path.Dir(dir) {
			s.folders[dir] = true
		}
	}
	return s
}

func kustomizationNames() []string { return konfig.RecognizedKustomizationFileNames() }

// scan returns what goes into a build of the folder.
func (s *scanner) scan(folder string) *scan { return s.scanFolder(folder, false) }

// scanFolder scans a folder. Plugin says that what it holds configures
// kustomize itself, so that any address in it could be fetched.
func (s *scanner) scanFolder(folder string, plugin bool) *scan {
	key := folder + "\x00" + strconv.FormatBool(plugin)
	if found, ok := s.scans[key]; ok {
		return found
	}
	result := &scan{folder: folder, inputs: map[string]bool{}, open: true}
	s.scans[key] = result
	defer func() { result.open = false }()

	for _, name := range kustomizationNames() {
		if file := path.Join(folder, name); s.tree.Has(file) {
			result.inputs[file] = true
			if result.file != "" {
				result.complain("kustomization-ambiguous", fmt.Sprintf("%s has two kustomization files, %s and %s",
					folder, path.Base(result.file), name), "remove one of the two")
				return result
			}
			result.file = file
		}
	}
	if result.file == "" {
		result.file = path.Join(folder, konfig.DefaultKustomizationFileName())
		result.complain("kustomization-missing", fmt.Sprintf("%s has no kustomization.yaml", folder),
			"add one, or remove the folder")
		return result
	}
	content, _ := s.tree.Get(result.file)
	if plugin {
		s.checkPlugin(result, result.file)
	}
	if err := result.kustomization.Unmarshal(content); err != nil {
		summary, line := reason(err)
		result.issues = append(result.issues, hedgehog.Issue{
			Rule: "kustomization-broken", Severity: hedgehog.Error,
			Origin:  hedgehog.Origin{File: result.file, Line: line},
			Summary: "kustomize cannot read the kustomization: " + summary,
			Hint:    "correct the file",
		})
		return result
	}
	result.kustomization.FixKustomization()
	s.follow(result, plugin)
	s.checkAliases(result)
	return result
}

// complain adds an error about the folder's kustomization file.
func (r *scan) complain(rule, summary, hint string) {
	r.issues = append(r.issues, hedgehog.Issue{
		Rule: rule, Severity: hedgehog.Error, Origin: hedgehog.Origin{File: r.file}, Summary: summary, Hint: hint,
	})
}

// follow adds to the scan everything its kustomization refers to.
func (s *scanner) follow(result *scan, plugin bool) {
	k := result.kustomization
	if len(k.HelmCharts) > 0 || k.HelmGlobals != nil {
		result.complain("kustomization-helm", "the kustomization uses Helm, which is neither run nor fetched here",
			"commit the manifests that the chart gives and list them under resources")
	}
	result.openAPI = len(k.OpenAPI) > 0 || len(k.Crds) > 0

	for _, ref := range k.Resources {
		s.followEntry(result, "resources", ref, plugin)
	}
	for field, refs := range map[string][]string{"generators": k.Generators, "transformers": k.Transformers, "validators": k.Validators} {
		for _, ref := range refs {
			if strings.Contains(ref, "\n") { // written in place
				s.checkPluginText(result, result.file, ref)
				continue
			}
			s.followEntry(result, field, ref, true)
		}
	}
	for _, ref := range k.Components {
		if folder, ok := s.resolve(result, "components", ref); ok {
			if !s.folders[folder] {
				result.missing("components", ref)
				continue
			}
			component := s.scanFolder(folder, plugin)
			if result.include(component) {
				result.components = append(result.components, component)
			}
		}
	}

	files := map[string][]string{"crds": k.Crds, "configurations": k.Configurations}
	for _, p := range k.Patches {
		files["patches"] = append(files["patches"], p.Path)
	}
	for _, p := range k.PatchesJson6902 {
		files["patchesJson6902"] = append(files["patchesJson6902"], p.Path)
	}
	for _, p := range k.PatchesStrategicMerge {
		if !strings.Contains(string(p), "\n") {
			files["patchesStrategicMerge"] = append(files["patchesStrategicMerge"], string(p))
		}
	}
	for _, r := range k.Replacements {
		files["replacements"] = append(files["replacements"], r.Path)
	}
	if file, ok := k.OpenAPI["path"]; ok {
		files["openapi"] = append(files["openapi"], file)
	}
	sources := func(field string, g types.GeneratorArgs) {
		for _, list := range [][]string{g.FileSources, g.EnvSources} {
			for _, ref := range list {
				if _, file, ok := strings.Cut(ref, "="); ok {
					ref = file
				}
				files[field] = append(files[field], ref)
			}
		}
	}
	for _, g := range k.ConfigMapGenerator {
		sources("configMapGenerator", g.GeneratorArgs)
	}
	for _, g := range k.SecretGenerator {
		sources("secretGenerator", g.GeneratorArgs)
	}
	for field, refs := range files {
		for _, ref := range refs {
			if ref == "" {
				continue
			}
			if file, ok := s.resolve(result, field, ref); ok {
				if !s.tree.Has(file) {
					result.missing(field, ref)
					continue
				}
				result.inputs[file] = true
			}
		}
	}
}

// followEntry adds a file, or a folder with a kustomization of its own.
func (s *scanner) followEntry(result *scan, field, ref string, plugin bool) {
	name, ok := s.resolve(result, field, ref)
	if !ok {
		return
	}
	switch {
	case s.tree.Has(name):
		result.inputs[name] = true
		if field == "resources" {
			result.resources = append(result.resources, name)
		}
		if plugin {
			s.checkPlugin(result, name)
		}
	case s.folders[name]:
		inner := s.scanFolder(name, plugin)
		result.nested = true
		if result.include(inner) && field == "resources" {
			result.resources = append(result.resources, inner.resources...)
		}
	default:
		result.missing(field, ref)
	}
}

// include takes over the inputs of a scan that this one refers to, unless that
// one refers to this.
func (r *scan) include(inner *scan) bool {
	if inner.open {
		r.complain("kustomization-cycle", fmt.Sprintf("%s and %s use each other", r.folder, inner.folder),
			"remove one of the two references")
		return false
	}
	for file := range inner.inputs {
		r.inputs[file] = true
	}
	r.openAPI = r.openAPI || inner.openAPI
	r.issues = append(r.issues, inner.issues...)
	return true
}

func (r *scan) missing(field, ref string) {
	r.complain("kustomization-reference", fmt.Sprintf("%s lists %q, which is not in the repository", field, ref),
		"add the file, or remove the line")
}

// remote matches everything that kustomize could take for an address instead of
// a path: a scheme, user@host, host:path, and the hosts it knows without one.
var remote = regexp.MustCompile(`(?i)[:@?]|^\s*(git::|github\.com)`)

// resolve turns a reference of a kustomization into a path of the tree.
func (s *scanner) resolve(result *scan, field, ref string) (name string, ok bool) {
	switch {
	case strings.Contains(ref, "\n"):
		result.complain("kustomization-reference", field+" holds a text of several lines where a path should be",
			"put it into a file of its own")
	case remote.MatchString(ref):
		result.complain("kustomization-remote",
			fmt.Sprintf("%s lists %q, which is outside the repository; nothing is fetched", field, ref),
			"copy what it stands for into the repository and list that")
	case path.IsAbs(ref) || strings.Contains(ref, `\`) || strings.HasPrefix(path.Join(result.folder, ref), ".."):
		result.complain("kustomization-reference",
			fmt.Sprintf("%s lists %q, which is outside the repository", field, ref),
			"name it relative to the kustomization, inside the repository")
	default:
		return path.Join(result.folder, ref), true
	}
	return "", false
}

// checkPlugin refuses a file that configures kustomize when it could make it
// fetch something.
func (s *scanner) checkPlugin(result *scan, file string) {
	content, _ := s.tree.Get(file)
	s.checkPluginText(result, file, string(content))
}

func (s *scanner) checkPluginText(result *scan, file, text string) {
	for _, bad := range []string{"://", "Helm"} {
		if strings.Contains(text, bad) {
			result.issues = append(result.issues, hedgehog.Issue{
				Rule: "kustomization-remote", Severity: hedgehog.Error, Origin: hedgehog.Origin{File: file},
				Summary: fmt.Sprintf("a generator, transformer or validator contains %q; nothing is fetched and Helm is not run", bad),
				Hint:    "configure it with files of the repository",
			})
			return
		}
	}
}

// parse returns the documents of a file; none when it is not YAML, which
// kustomize reports when it builds.
func (s *scanner) parse(file string) []*kyaml.RNode {
	if nodes, ok := s.nodes[file]; ok {
		return nodes
	}
	content, _ := s.tree.Get(file)
	var nodes []*kyaml.RNode
	if one, err := kyaml.Parse(string(content)); err == nil {
		nodes = append(nodes, one)
	}
	s.nodes[file] = nodes
	return nodes
}

// conventional matches the path of a rendered object: its kind's folder, its name.
var conventional = regexp.MustCompile(`/([a-z0-9]+)/([a-z0-9.-]+)\.yaml$`)

// identities returns the objects that the scan's files hold, without building
// it. A file that is called as [hedgehog-gitops/render] calls the files of
// objects is believed; others are read.
func (s *scanner) identities(r *scan) []identity {
	var ids []identity
	for _, file := range r.resources {
		if m := conventional.FindStringSubmatch(file); m != nil && strings.HasPrefix(file, r.folder+"/") {
			if kind, ok := kindOf(m[1]); ok {
				group, _ := resid.ParseGroupVersion(kind.APIVersion())
				ids = append(ids, identity{group, string(kind), hedgehog.Namespace, m[2], file})
				continue
			}
		}
		for _, node := range s.parse(file) {
			ids = append(ids, identityOf(node, file))
		}
	}
	return ids
}

// kindOf returns the kind whose folder has that name.
func kindOf(plural string) (hedgehog.Kind, bool) {
	for _, kind := range hedgehog.Kinds() {
		if kind.Plural() == plural {
			return kind, true
		}
	}
	return "", false
}

func identityOf(node *kyaml.RNode, file string) identity {
	group, _ := resid.ParseGroupVersion(node.GetApiVersion())
	namespace := node.GetNamespace()
	if namespace == "" {
		namespace = hedgehog.Namespace
	}
	return identity{group, node.GetKind(), namespace, node.GetName(), file}
}
