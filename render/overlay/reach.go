package overlay

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/resid"
	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"hedgehog-gitops/render/hedgehog"
)

// selector is the target of a component's patch.
type selector struct {
	types.Selector
	regex *types.SelectorRegex
	// literal is the target's name when it is no pattern: a file without it in its
	// text holds no object of that name.
	literal string
	origin  hedgehog.Origin
	// nth is the patch's place in its list, from 1.
	nth   int
	found bool
}

// reach marks the roots whose objects the component changes, so that they are
// built, and returns what is wrong with the component's patches. Complete says
// that the roots are all of the stage: a target can then be said to be in none.
// Buildable is whether the patches can be applied to every root, those too that
// do not hold what they change.
func reach(s *scanner, component *scan, roots []*root, complete bool) (issues hedgehog.Issues, buildable bool) {
	selectors, everything, issues := componentSelectors(component)
	if issues.Worst() == hedgehog.Error {
		return issues, false
	}
	for _, r := range roots {
		if everything {
			r.wanted, r.changed = true, true
		}
		if len(selectors) == 0 {
			continue
		}
		for _, file := range r.scan.resources {
			if s.matches(selectors, file) {
				r.wanted, r.changed = true, true
			}
		}
	}
	for _, file := range componentResources(component) {
		s.matches(selectors, file)
	}
	for _, sel := range selectors {
		if !sel.found && complete {
			issues = append(issues, hedgehog.Issue{
				Rule: "patch-target-missing", Severity: hedgehog.Error, Origin: sel.origin,
				Summary: fmt.Sprintf("patch %d targets %s, which no root of its stage holds: it changes nothing", sel.nth, targetText(sel.Selector)),
				Hint:    "correct the target, or remove the patch",
			})
		}
	}
	return issues, true
}

// componentSelectors returns the targets of the component's patches, those of
// the components it uses too, and whether it changes objects in other ways.
func componentSelectors(c *scan) (selectors []*selector, everything bool, issues hedgehog.Issues) {
	k := c.kustomization
	without := func(field string, nth int) {
		issues = append(issues, hedgehog.Issue{
			Rule: "patch-without-target", Severity: hedgehog.Error, Origin: hedgehog.Origin{File: c.file},
			Summary: fmt.Sprintf("entry %d of %s has no target: it would fail in every root of the stage that does not hold the object it patches", nth, field),
			Hint:    "write it under patches with a target of kind and name",
		})
	}
	for i, list := range [][]types.Patch{k.Patches, k.PatchesJson6902} {
		field := []string{"patches", "patchesJson6902"}[i]
		for n, p := range list {
			if p.Target == nil || *p.Target == (types.Selector{}) {
				without(field, n+1)
				continue
			}
			regex, err := types.NewSelectorRegex(p.Target)
			if err != nil {
				issues = append(issues, hedgehog.Issue{
					Rule: "patch-target-broken", Severity: hedgehog.Error, Origin: hedgehog.Origin{File: c.file},
					Summary: fmt.Sprintf("the target of entry %d of %s is not a regular expression: %v", n+1, field, err),
					Hint:    "correct the target",
				})
				continue
			}
			sel := &selector{Selector: *p.Target, regex: regex, origin: hedgehog.Origin{File: c.file}, nth: n + 1}
			if regexp.QuoteMeta(p.Target.Name) == p.Target.Name {
				sel.literal = p.Target.Name
			}
			selectors = append(selectors, sel)
		}
	}
	for n := range k.PatchesStrategicMerge {
		without("patchesStrategicMerge", n+1)
	}

	rest := k
	rest.Patches, rest.PatchesJson6902, rest.PatchesStrategicMerge = nil, nil, nil
	rest.Components = nil
	everything = doesMore(rest)

	for _, inner := range c.components {
		more, all, wrong := componentSelectors(inner)
		selectors, everything, issues = append(selectors, more...), everything || all, append(issues, wrong...)
	}
	return selectors, everything, issues
}

// doesMore reports whether a kustomization has fields other than those that say
// what it is.
func doesMore(k types.Kustomization) bool {
	k.TypeMeta, k.MetaData = types.TypeMeta{}, nil
	// Through JSON, so that an empty list counts as none.
	text, err := json.Marshal(k)
	return err != nil || string(text) != "{}"
}

// plain reports whether kustomize only puts the files of the root together.
func (r *root) plain() bool {
	k := r.scan.kustomization
	k.Resources, k.Components = nil, nil
	if r.changed || r.scan.nested || doesMore(k) {
		return false
	}
	for _, c := range r.scan.components {
		if c.folder != r.component {
			return false
		}
	}
	return true
}

// componentResources returns the files of objects that the component adds.
func componentResources(c *scan) []string {
	files := c.resources
	for _, inner := range c.components {
		files = append(files[:len(files):len(files)], componentResources(inner)...)
	}
	return files
}

// matches reports whether an object of the file is the target of a patch, and
// notes which patches found theirs.
func (s *scanner) matches(selectors []*selector, file string) bool {
	content, _ := s.tree.Get(file)
	found := false
	for _, sel := range selectors {
		if sel.literal != "" && !strings.Contains(string(content), sel.literal) {
			continue
		}
		for _, node := range s.parse(file) {
			if sel.matches(node) {
				sel.found, found = true, true
			}
		}
	}
	return found
}

// matches follows what kustomize does to select objects.
func (sel *selector) matches(node *kyaml.RNode) bool {
	namespace := node.GetNamespace()
	if namespace == "" {
		namespace = hedgehog.Namespace
	}
	group, version := resid.ParseGroupVersion(node.GetApiVersion())
	if !sel.regex.MatchNamespace(namespace) || !sel.regex.MatchName(node.GetName()) ||
		!sel.regex.MatchGvk(resid.Gvk{Group: group, Version: version, Kind: node.GetKind()}) {
		return false
	}
	labels, err := node.MatchesLabelSelector(sel.LabelSelector)
	if err != nil {
		return true // kustomize says what is wrong with it
	}
	annotations, err := node.MatchesAnnotationSelector(sel.AnnotationSelector)
	return labels && (annotations || err != nil)
}

// targetText names a target as people write it.
func targetText(s types.Selector) string {
	text := s.Kind
	if text == "" {
		text = "any kind"
	}
	if s.Name != "" {
		text += "/" + s.Name
	}
	for _, part := range []struct{ name, value string }{
		{"group", s.Group}, {"version", s.Version}, {"namespace", s.Namespace},
		{"labels", s.LabelSelector}, {"annotations", s.AnnotationSelector},
	} {
		if part.value != "" {
			text += fmt.Sprintf(" (%s %s)", part.name, part.value)
		}
	}
	return text
}
