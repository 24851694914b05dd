package render

import (
	"fmt"
	"maps"
	"path"
	"reflect"
	"slices"
	"strings"

	"hedgehog-gitops/render/hedgehog"
	"hedgehog-gitops/render/overlay"
	"hedgehog-gitops/render/tree"
)

// Checked is what a fabric's files give a cluster.
type Checked struct {
	// Fabric is the fabric's name.
	Fabric string
	// Objects are those that the cluster gets: rendered, patched, and people's own.
	// This is what validation and rollout judge. Objects of rendered files keep
	// the origins they were rendered with.
	Objects *hedgehog.Fabric
	// Built are the roots that kustomize built, in the order of their paths; without
	// the objects of those that it only put together from rendered files.
	Built []overlay.Built
	// Issues are sorted.
	Issues hedgehog.Issues
}

// Check builds, with kustomize, what [Plan] decided: the roots whose files
// change, those that people's patches reach, those that hold an edited file,
// and people's own. Every other root gives the cluster what was rendered.
//
// It is not for an output with errors, which changes nothing.
func Check(in Input, out Output) (Checked, error) {
	if in.Objects == nil {
		in.Objects = &hedgehog.Fabric{}
	}
	wanted, err := in.Merged.Apply(out.Changes)
	if err != nil {
		return Checked{}, fmt.Errorf("checking fabric %s: %w", in.Fabric, err)
	}
	// What is rendered is known, unless people edited a file of the root.
	edited := map[string]bool{}
	for _, name := range slices.Concat(out.Edited, out.Later) {
		if root, ok := rootOf(in.Fabric, name); ok {
			edited[root] = true
		}
	}
	stages := Roots(wanted, in.Fabric)
	options := overlay.Options{Previous: &in.Merged}
	for _, stage := range stages {
		for _, root := range stage.Roots {
			if tree.Inside(root, BaseFolder(in.Fabric)) && !edited[root] {
				options.Known = append(options.Known, root)
			} else {
				options.Always = append(options.Always, root)
			}
		}
	}
	result := overlay.Build(wanted, stages, options)
	checked := Checked{Fabric: in.Fabric, Objects: &hedgehog.Fabric{}, Built: result.Built, Issues: append(result.Issues, checkOverlays(wanted, in.Fabric)...)}

	built := map[string]bool{}
	for _, b := range result.Built {
		built[b.Root] = !b.Plain || edited[b.Root]
	}
	held := map[string]bool{}
	for _, name := range out.Held {
		held[name] = true
	}
	for o := range in.Objects.All() {
		place := out.Places[o.Key()]
		if root, ok := rootOf(in.Fabric, place); ok && !built[root] && !held[place] {
			checked.add(o)
		}
	}
	for _, b := range result.Built {
		for _, o := range b.Objects {
			if rendered := in.Objects.Get(o.Kind, o.Name); rendered != nil && o.Origin().File == out.Places[o.Key()] {
				o.Origins = rendered.Origins
			}
			checked.add(o)
		}
	}
	checked.Issues.Sort()
	return checked, nil
}

// Before returns what the merged files give the cluster. Only the roots that
// change are built for it; the others give what they give afterwards, which c
// holds. An issue is about a merged root that cannot be built: of that one
// nothing is known.
func (c Checked) Before(in Input, out Output) (*hedgehog.Fabric, hedgehog.Issues) {
	changed := map[string]bool{}
	for _, change := range out.Changes {
		if root, ok := rootOf(in.Fabric, change.Path); ok {
			changed[root] = true
		}
	}
	before := &hedgehog.Fabric{}
	for o := range c.Objects.All() {
		place, ok := out.Places[o.Key()]
		if !ok {
			place = o.Origin().File
		}
		if root, ok := rootOf(in.Fabric, place); !ok || !changed[root] {
			before.Add(o)
		}
	}
	stages := Roots(in.Merged, in.Fabric)
	for i, stage := range stages {
		same := func(root string) bool { return !changed[root] }
		// Patches are judged by all roots of their stage.
		if stage.Component == "" || !slices.ContainsFunc(stage.Roots, func(root string) bool { return changed[root] }) {
			stages[i].Roots = slices.DeleteFunc(stage.Roots, same)
		}
	}
	result := overlay.Build(in.Merged, stages, overlay.Options{})
	for _, b := range result.Built {
		if !changed[b.Root] {
			continue
		}
		for _, o := range b.Objects {
			before.Add(o)
		}
	}
	return before, result.Issues
}

// Validate judges what the cluster gets. Where the objects were fine as they were
// rendered, people's patches are at fault: an issue of a patched object leads to the
// overlay of its stage, not to NetBox, and one of another object says so.
func (c Checked) Validate(in Input) hedgehog.Issues {
	issues := hedgehog.Validate(c.Objects, in.Settings)
	if len(issues) == 0 || in.Objects == nil {
		return issues
	}
	before := map[hedgehog.Issue]bool{}
	for _, i := range hedgehog.Validate(in.Objects, in.Settings) {
		before[i] = true
	}
	blamed := make(hedgehog.Issues, len(issues))
	for n, i := range issues {
		blamed[n] = i
		rendered, o := in.Objects.Get(i.Object.Kind, i.Object.Name), c.Objects.Get(i.Object.Kind, i.Object.Name)
		if before[i] || rendered == nil || o == nil || i.Origin != rendered.Origin() {
			continue
		}
		blamed[n].Summary += ", after the patches of its stage; NetBox has it right"
		blamed[n].Hint = "correct the patch: " + i.Hint
		if same(rendered, o) {
			blamed[n].Summary = i.Summary + ", with what people's patches and their own objects change; NetBox has it right"
			blamed[n].Hint = "look at overlays and extra: " + i.Hint
			continue
		}
		blamed[n].Origin = hedgehog.Origin{File: path.Join(OverlayFolder(c.Fabric, StageOf(o)), "kustomization.yaml")}
	}
	blamed.Sort()
	return blamed
}

// same reports whether the cluster gets an object as it was rendered.
func same(rendered, o *hedgehog.Object) bool {
	return rendered == o || reflect.DeepEqual(rendered.Spec, o.Spec) && maps.Equal(rendered.Labels, o.Labels) &&
		maps.Equal(rendered.Annotations, o.Annotations) && rendered.Namespace == o.Namespace
}

// CheckRepository builds every root of the fabric in a repository: for those who
// have its files alone.
func CheckRepository(t tree.Tree, fabric string) Checked {
	result := overlay.Build(t, Roots(t, fabric), overlay.Options{})
	checked := Checked{Fabric: fabric, Objects: &hedgehog.Fabric{}, Built: result.Built, Issues: append(result.Issues, checkOverlays(t, fabric)...)}
	for _, b := range result.Built {
		for _, o := range b.Objects {
			checked.add(o)
		}
	}
	checked.Issues.Sort()
	return checked
}

// checkOverlays tells about folders of patches that no root would ever use.
func checkOverlays(t tree.Tree, fabric string) hedgehog.Issues {
	folders := map[string]bool{}
	overlays := path.Dir(OverlayFolder(fabric, "any"))
	for name := range t.Below(overlays).All() {
		stage, _, ok := strings.Cut(strings.TrimPrefix(name, overlays+"/"), "/")
		if ok && isYAML(name) {
			folders[stage] = true
		}
	}
	var issues hedgehog.Issues
	for _, stage := range slices.Sorted(maps.Keys(folders)) {
		folder := OverlayFolder(fabric, stage)
		issue := hedgehog.Issue{Severity: hedgehog.Error, Origin: hedgehog.Origin{File: path.Join(folder, "kustomization.yaml")}}
		switch {
		case !slices.Contains(Stages(), stage):
			issue.Rule = "overlay-stage"
			issue.Summary = fmt.Sprintf("%s is the folder of no stage, so nothing in it is used", folder)
			issue.Hint = "call it after a stage: " + strings.Join(Stages(), ", ")
		case !overlay.IsKustomization(t, folder):
			issue.Rule = "kustomization-missing"
			issue.Summary = fmt.Sprintf("%s has no kustomization.yaml, so nothing in it is used", folder)
			issue.Hint = "add one of kind Component that lists the patches, or remove the folder"
		default:
			continue
		}
		issues = append(issues, issue)
	}
	return issues
}

// add puts an object among those that the cluster gets, unless one of that name
// is there, which is an issue if it is not one of [overlay.Build] already.
func (c *Checked) add(o *hedgehog.Object) {
	issue := c.Objects.Add(o)
	known := func(i hedgehog.Issue) bool { return i.Severity == hedgehog.Error && i.Object == o.Key() }
	if issue != nil && !slices.ContainsFunc(c.Issues, known) {
		c.Issues = append(c.Issues, *issue)
	}
}

// RootsOf returns the roots that objects are in which the files of a fabric give a
// cluster: 10-nodes/all for one of the base folder, the folder of the file for another.
// Places are those of rendered files, for objects that do not say their file.
func RootsOf(fabric string, objects *hedgehog.Fabric, places map[hedgehog.Key]string) map[hedgehog.Key]string {
	roots := make(map[hedgehog.Key]string, objects.Len())
	for o := range objects.All() {
		file := o.Origin().File
		if file == "" {
			file = places[o.Key()]
		}
		root, ok := rootOf(fabric, file)
		if !ok {
			root = path.Dir(file)
		}
		roots[o.Key()] = strings.TrimPrefix(root, BaseFolder(fabric)+"/")
	}
	return roots
}

// rootOf returns the root of a file in a fabric's base folder.
func rootOf(fabric, name string) (root string, ok bool) {
	base := BaseFolder(fabric)
	for dir := path.Dir(name); tree.Inside(dir, base); dir = path.Dir(dir) {
		if path.Dir(path.Dir(dir)) == base {
			return dir, true
		}
	}
	return "", false
}
