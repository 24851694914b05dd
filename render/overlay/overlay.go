// Package overlay builds a repository's roots with kustomize, in memory: the
// rendered files plus what people laid over them give the objects that a
// cluster would get.
//
//	tree.Tree + []Stage -> [Build] -> the objects of every root, and what is wrong
//
// It is the code that Argo CD and Flux run, guarded as Flux guards it: plugins
// are off, a file can be loaded only from below the kustomization that names
// it, a panic is an issue, and nothing is ever fetched: what a kustomization
// refers to is checked before it is built, and an address or a Helm chart is an
// issue that names the file.
package overlay

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"path"
	"runtime"
	"slices"
	"sync"

	"sigs.k8s.io/yaml"

	"hedgehog-gitops/render/hedgehog"
	"hedgehog-gitops/render/tree"
)

// Stage is a set of roots that use the same component of people's patches.
type Stage struct {
	// Component is the folder of the component; empty when the roots use none.
	// The roots name it themselves: here it says whose patches must find a target
	// among them.
	Component string
	// Roots are the folders that kustomize builds.
	Roots []string
}

// Options says which roots to build. The zero value builds them all.
type Options struct {
	// Previous is the tree that was built before, if there is one. A root is then
	// built only when one of the files that go into it differs, when a component
	// changes it, or when it stands in Always.
	Previous *tree.Tree
	// Always are roots to build although nothing changed.
	Always []string
	// Known are roots of whose files the caller has the objects: they are left out of
	// the result where the root is [Built.Plain], which saves half of the time.
	Known []string
	// Workers is how many roots are built at a time; by default one for each CPU.
	Workers int
}

// Result is what [Build] found.
type Result struct {
	// Built are the roots that were built, in the order of their paths.
	Built []Built
	// Issues are sorted. With an error among them, Built is incomplete.
	Issues hedgehog.Issues
}

// Built is one root as kustomize sees it.
type Built struct {
	Root string
	// Plain is whether kustomize only puts the root's files together: no component
	// and nothing in its kustomization changes an object.
	Plain bool
	// Objects are those that are Hedgehog's, in their canonical order and form. Their
	// origin is the file they stand in, if that is known, else the root's
	// kustomization.
	Objects []*hedgehog.Object
	// Foreign are all others.
	Foreign []hedgehog.Foreign

	// documents are all objects as JSON, in kustomize's order.
	documents [][]byte
}

// YAML returns the stream that kustomize build prints for the root; nothing for
// one whose objects were left out.
func (b Built) YAML() ([]byte, error) {
	var stream bytes.Buffer
	for i, document := range b.documents {
		text, err := yaml.JSONToYAML(document)
		if err != nil {
			return nil, fmt.Errorf("writing what %s gives: %w", b.Root, err)
		}
		if i > 0 {
			stream.WriteString("---\n")
		}
		stream.Write(text)
	}
	return stream.Bytes(), nil
}

// Build builds the roots of the stages in the tree, and checks what kustomize
// does not see: components' patches that change nothing or would change only
// some roots and break the others, and objects that two roots have.
func Build(t tree.Tree, stages []Stage, options Options) Result {
	b := builder{scanner: newScanner(t), options: options}
	b.check(stages)
	b.build()
	b.findDuplicates()
	b.issues.Sort()
	b.issues = slices.CompactFunc(b.issues, func(a, b hedgehog.Issue) bool { return a == b })
	return Result{Built: b.built, Issues: b.issues}
}

// builder holds what one Build finds out.
type builder struct {
	scanner *scanner
	options Options

	roots  []*root
	built  []Built
	issues hedgehog.Issues
}

// root is a folder to build, or not.
type root struct {
	path string
	scan *scan
	// component is that of the root's stage, "" for none.
	component string
	wanted    bool
	// known is whether the caller has the objects of the root's files.
	known bool
	// changed is whether a component changes objects of the root.
	changed bool
	// ids are the objects, with the file of each where it is known.
	ids []identity
}

// check scans what goes into every root, and decides which to build.
func (b *builder) check(stages []Stage) {
	always, known := setOf(b.options.Always), setOf(b.options.Known)
	for _, stage := range stages {
		var roots []*root
		sound := true
		for _, path := range stage.Roots {
			r := &root{path: path, scan: b.scanner.scan(path), component: stage.Component, known: known[path]}
			b.issues = append(b.issues, r.scan.issues...)
			r.wanted = b.options.Previous == nil || always[path] || b.changed(r.scan)
			if r.scan.issues.Worst() == hedgehog.Error {
				sound = false
				continue
			}
			roots = append(roots, r)
		}
		if stage.Component != "" {
			component := b.scanner.scan(stage.Component)
			b.issues = append(b.issues, component.issues...)
			if component.issues.Worst() == hedgehog.Error {
				continue
			}
			issues, buildable := reach(b.scanner, component, roots, sound)
			b.issues = append(b.issues, issues...)
			if !buildable {
				continue // kustomize would fail on it once more in every root
			}
		}
		b.roots = append(b.roots, roots...)
	}
	slices.SortFunc(b.roots, func(a, b *root) int { return cmp.Compare(a.path, b.path) })
}

// changed reports whether a file that goes into the root is not what it was.
func (b *builder) changed(s *scan) bool {
	for name := range s.inputs {
		now, _ := b.scanner.tree.Get(name)
		before, ok := b.options.Previous.Get(name)
		if !ok || !bytes.Equal(now, before) {
			return true
		}
	}
	return false
}

// build builds the wanted roots, several at a time.
func (b *builder) build() {
	type outcome struct {
		built  Built
		ids    []identity
		issues hedgehog.Issues
	}
	outcomes := make([]outcome, len(b.roots))
	work := make(chan int)
	var wait sync.WaitGroup
	workers := b.options.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	for range workers {
		wait.Go(func() {
			for i := range work {
				o := &outcomes[i]
				o.built, o.ids, o.issues = buildRoot(b.scanner.tree, b.roots[i])
			}
		})
	}
	for i, r := range b.roots {
		if r.wanted {
			work <- i
		}
	}
	close(work)
	wait.Wait()
	for i, r := range b.roots {
		if !r.wanted {
			r.ids = b.scanner.identities(r.scan)
			continue
		}
		o := outcomes[i]
		b.issues = append(b.issues, o.issues...)
		if o.issues.Worst() == hedgehog.Error {
			continue
		}
		r.ids = o.ids
		b.built = append(b.built, o.built)
		if r.component != "" {
			b.issues = append(b.issues, b.removed(r)...)
			b.issues = append(b.issues, b.added(r)...)
			b.issues = append(b.issues, b.lost(r, o.built)...)
		}
	}
}

// removed tells which objects of the root's files the component has taken away.
func (b *builder) removed(r *root) hedgehog.Issues {
	left := map[string]bool{}
	for _, id := range r.ids {
		left[id.String()] = true
	}
	var issues hedgehog.Issues
	for _, id := range b.scanner.identities(r.scan) {
		if !left[id.String()] {
			issues = append(issues, hedgehog.Issue{
				Rule: "overlay-removes", Severity: hedgehog.Notice, Object: id.key(),
				Origin:  hedgehog.Origin{File: id.file},
				Summary: "an overlay removes or renames the object, so the cluster does not get it as it is here",
				Hint:    "if that is not meant, look for it in the patches of the stage's overlay",
			})
		}
	}
	return issues
}

// findDuplicates looks for objects that more than one root has. Within a root
// kustomize finds them.
func (b *builder) findDuplicates() {
	type place struct {
		root *root
		id   identity
	}
	first := map[string]place{}
	for _, r := range b.roots {
		for _, id := range r.ids {
			name := id.String()
			one, ok := first[name]
			if !ok {
				first[name] = place{r, id}
				continue
			}
			b.issues = append(b.issues, hedgehog.Issue{
				Rule: "object-in-two-roots", Severity: hedgehog.Error, Object: id.key(),
				Origin: hedgehog.Origin{File: cmp.Or(id.file, r.path)},
				Summary: fmt.Sprintf("%s is in two roots, %s and %s: what applies them would fight over it",
					id.key(), one.root.path, r.path),
				Hint: fmt.Sprintf("remove it from %s or from %s", cmp.Or(one.id.file, one.root.path), cmp.Or(id.file, r.path)),
			})
		}
	}
}

// identity says which object of a cluster something is.
type identity struct {
	group, kind, namespace, name string
	// file is where it stands, if that is known.
	file string
}

// String returns what is equal for equal objects.
func (i identity) String() string {
	return i.group + "/" + i.kind + "/" + i.namespace + "/" + i.name
}

func (i identity) key() hedgehog.Key { return hedgehog.Key{Kind: hedgehog.Kind(i.kind), Name: i.name} }

// kustomizationIn returns the path of the folder's kustomization file, or "".
func kustomizationIn(t tree.Tree, folder string) string {
	for _, name := range kustomizationNames() {
		if file := path.Join(folder, name); t.Has(file) {
			return file
		}
	}
	return ""
}

// IsKustomization reports whether the folder holds a kustomization file, under
// any of the names that kustomize knows.
func IsKustomization(t tree.Tree, folder string) bool { return kustomizationIn(t, folder) != "" }

// Inputs returns the files that go into a build of the folder, sorted, as far as its
// kustomizations can be read.
func Inputs(t tree.Tree, folder string) []string {
	return sortedKeys(newScanner(t).scan(folder).inputs)
}

func setOf(list []string) map[string]bool {
	set := make(map[string]bool, len(list))
	for _, s := range list {
		set[s] = true
	}
	return set
}

// sortedKeys returns the keys of a set in order.
func sortedKeys(set map[string]bool) []string { return slices.Sorted(maps.Keys(set)) }
