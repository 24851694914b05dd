package overlay

import (
	"bytes"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/kustomize/kyaml/openapi"

	"hedgehog-gitops/render/hedgehog"
	"hedgehog-gitops/render/tree"
)

// schema is the OpenAPI that kyaml keeps in variables of the process. It is here
// because what it guards is of the process too.
var schema schemaGuard

// schemaGuard keeps builds from disturbing each other: those that leave the schema
// alone share it, one that sets it is alone. kyaml reads the schema when the first
// patch asks for it, while other builds look into it without a lock; so it is read
// before a build that patches begins, and not for those that need none.
type schemaGuard struct {
	sync.RWMutex
	// read is whether kyaml has its own schema in memory.
	read bool
}

// share waits until a build can begin that leaves the schema alone; RUnlock ends it.
func (g *schemaGuard) share(patches bool) {
	for g.RLock(); patches && !g.read; g.RLock() {
		g.RUnlock()
		g.Lock()
		openapi.Schema()
		g.read = true
		g.Unlock()
	}
}

// own waits until a build can begin that sets the schema; what it returns ends it.
func (g *schemaGuard) own() (end func()) {
	g.Lock()
	openapi.ResetOpenAPI()
	return func() {
		openapi.ResetOpenAPI()
		g.read = false
		g.Unlock()
	}
}

// mount is where the repository stands in the file system that kustomize sees. It
// is taken out of what kustomize says.
const mount = "/repository/"

// buildRoot builds one root.
func buildRoot(t tree.Tree, r *root) (Built, []identity, hedgehog.Issues) {
	files := filesys.MakeFsInMemory()
	for _, name := range sortedKeys(r.scan.inputs) {
		content, _ := t.Get(name)
		if err := files.WriteFile(mount+name, content); err != nil {
			return Built{}, nil, failure(r, err)
		}
	}
	if r.scan.openAPI {
		defer schema.own()()
	} else {
		schema.share(!r.plain())
		defer schema.RUnlock()
	}
	resources, err := run(files, mount+r.path)
	if err != nil {
		return Built{}, nil, failure(r, err)
	}
	return decode(r, resources)
}

// run runs kustomize, and turns a panic of its into an error.
func run(files filesys.FileSystem, folder string) (resources resmap.ResMap, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("kustomize panicked: %v", p)
		}
	}()
	options := krusty.MakeDefaultOptions()
	options.LoadRestrictions = types.LoadRestrictionsRootOnly
	options.PluginConfig = types.DisabledPluginConfig()
	return krusty.MakeKustomizer(options).Run(files, folder)
}

// decode turns what kustomize built into objects of ours.
func decode(r *root, resources resmap.ResMap) (Built, []identity, hedgehog.Issues) {
	built := Built{Root: r.path, Plain: r.plain()}
	var ids []identity
	var decoder hedgehog.Decoder
	for _, resource := range resources.Resources() {
		was, is := resource.OrgId(), resource.CurId()
		file := r.fileOf(was.Kind, was.Name)
		ids = append(ids, identity{is.Group, is.Kind, is.EffectiveNamespace(), is.Name, file})
		if built.Plain && r.known {
			continue
		}
		document, err := resource.MarshalJSON()
		if err == nil {
			err = decoder.Decode(file, bytes.NewReader(document))
		}
		if err != nil {
			return Built{}, nil, failure(r, err)
		}
		built.documents = append(built.documents, document)
	}
	result := decoder.Result()
	for o := range result.Fabric.All() {
		hedgehog.Default(o)
		for i := range o.Origins {
			o.Origins[i].Line = 0 // a line of the document, not of the file
		}
		built.Objects = append(built.Objects, o)
	}
	for i := range result.Issues {
		result.Issues[i].Origin.Line = 0
	}
	built.Foreign = result.Foreign
	return built, ids, result.Issues
}

// fileOf returns the file that the object probably stands in, else the root's
// kustomization.
func (r *root) fileOf(kind, name string) string {
	if file := path.Join(r.path, hedgehog.Kind(kind).Plural(), name+".yaml"); r.scan.inputs[file] {
		return file
	}
	return r.scan.file
}

// failure is the issue that a root's build failed, at the file at fault.
func failure(r *root, err error) hedgehog.Issues {
	summary, line := reason(err)
	file := culprit(r, strings.ReplaceAll(err.Error(), mount, ""))
	hint := "correct the file"
	if tree.Inside(file, r.path) {
		hint += "; `kustomize build " + r.path + "` says the same"
	}
	return hedgehog.Issues{{
		Rule: "kustomize-build", Severity: hedgehog.Error,
		Origin:  hedgehog.Origin{File: file, Line: line},
		Summary: "kustomize cannot build it: " + summary,
		Hint:    hint,
	}}
}

var (
	folderText  = regexp.MustCompile(`path '([^']+)'`)
	fileText    = regexp.MustCompile(`(?:from '|from path\(|[Ff]ile:? )([^'): ]+)`)
	wrapping    = regexp.MustCompile("^(?:accumulating resources|accumulating components|accumulateDirectory|recursed accumulation of path '[^']*'|couldn't make target for path '[^']*'|trouble configuring builtin \\w+ with config: (?s:`.*?`)|invalid Kustomization|json): ")
	accumulated = regexp.MustCompile(`^accumulation err='(?s)(.*)': (?:must build at directory|(?:recursed|unable)[^:]*): .*$`)
	source      = regexp.MustCompile(`^(?:accumulating|merging) resources from '[^']*': `)
	lineText    = regexp.MustCompile(`\bline (\d+)`)
)

// culprit returns the file that kustomize's text is about: a file that the root
// is built from and that the text names, else the kustomization of the last
// folder that it names.
func culprit(r *root, text string) string {
	folder := r.path
	for _, m := range folderText.FindAllStringSubmatch(text, -1) {
		folder = m[1]
	}
	for _, m := range slices.Backward(fileText.FindAllStringSubmatch(text, -1)) {
		for _, file := range []string{m[1], path.Join(folder, m[1])} {
			if r.scan.inputs[file] {
				return file
			}
		}
	}
	for _, name := range kustomizationNames() {
		if file := path.Join(folder, name); r.scan.inputs[file] {
			return file
		}
	}
	return r.scan.file
}

// reason strips what kustomize wraps around the cause of a failure, and finds the
// line that it names, else 0.
func reason(err error) (text string, line int) {
	text = strings.ReplaceAll(err.Error(), mount, "")
	for before := ""; before != text; {
		before = text
		text = wrapping.ReplaceAllString(text, "")
		text = source.ReplaceAllString(text, "")
		if m := accumulated.FindStringSubmatch(text); m != nil {
			text = m[1]
		}
		if inner, err := strconv.Unquote(text); err == nil {
			text = inner
		}
	}
	text = strings.Join(strings.Fields(text), " ")
	if m := lineText.FindStringSubmatch(text); m != nil {
		line, _ = strconv.Atoi(m[1]) // only digits; 0 when there are too many of them
	}
	return text, line
}
