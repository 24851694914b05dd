package overlay

import (
	"fmt"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"hedgehog-gitops/render/hedgehog"
)

// added tells about objects that the root's component brings and that are not
// Hedgehog's: every root of the stage has them, and what applies the roots would fight
// over them as soon as there is a second one.
func (b *builder) added(r *root) hedgehog.Issues {
	rendered := map[string]bool{}
	for _, id := range b.scanner.identities(r.scan) {
		rendered[id.String()] = true
	}
	var issues hedgehog.Issues
	for _, id := range r.ids {
		if rendered[id.String()] || hedgehogGroup(id.group) {
			continue
		}
		issues = append(issues, hedgehog.Issue{
			Rule: "overlay-adds-kind", Severity: hedgehog.Error, Object: id.key(),
			Origin:  hedgehog.Origin{File: b.bringer(r, id)},
			Summary: fmt.Sprintf("an overlay adds %s, which is not Hedgehog's: overlays are for patches, and every root of the stage would have it", id.key()),
			Hint:    "move it into the folder extra/ of its stage, with a kustomization.yaml of its own",
		})
	}
	return issues
}

// bringer returns the file of the root's component that brings an object.
func (b *builder) bringer(r *root, id identity) string {
	component := b.scanner.scan(r.component)
	for _, file := range componentResources(component) {
		for _, node := range b.scanner.parse(file) {
			if identityOf(node, file).String() == id.String() {
				return file
			}
		}
	}
	return component.file // it generates the object
}

func hedgehogGroup(group string) bool {
	return group == "githedgehog.com" || strings.HasSuffix(group, ".githedgehog.com")
}

// lost tells which fields of rendered objects the component takes away, so that the
// cluster gets less than NetBox says.
func (b *builder) lost(r *root, built Built) hedgehog.Issues {
	if !r.changed {
		return nil
	}
	component := b.scanner.scan(r.component).file
	var issues hedgehog.Issues
	for _, o := range built.Objects {
		content, ok := b.scanner.tree.Get(o.Origin().File)
		if !ok || o.Origin().File == r.scan.file {
			continue
		}
		patched, err := hedgehog.Marshal(o)
		if err != nil {
			continue // decoding it told why
		}
		var before, after map[string]any
		if yaml.Unmarshal(content, &before) != nil || yaml.Unmarshal(patched, &after) != nil {
			continue // kustomize built it, so it says what is wrong
		}
		for _, field := range lostFields(before, after, "") {
			issues = append(issues, hedgehog.Issue{
				Rule: "overlay-removes-field", Severity: hedgehog.Notice, Object: o.Key(), Field: field,
				Origin:  hedgehog.Origin{File: component},
				Summary: fmt.Sprintf("an overlay takes %s away, so the cluster does not get what NetBox says", field),
				Hint:    "if that is not meant, look for it in the patches of the stage's overlay",
			})
		}
	}
	return issues
}

// lostFields returns the fields that are there before and not afterwards, in order; of
// a mapping that is gone only itself. A list counts as a value: a shorter one has lost
// something.
func lostFields(before, after map[string]any, at string) []string {
	var lost []string
	for name, was := range before {
		field := strings.TrimPrefix(at+"."+name, ".")
		is, there := after[name]
		switch was := was.(type) {
		case map[string]any:
			inner, ok := is.(map[string]any)
			if len(was) > 0 && (!there || !ok) {
				lost = append(lost, field)
			} else {
				lost = append(lost, lostFields(was, inner, field)...)
			}
		case []any:
			if inner, _ := is.([]any); len(inner) < len(was) {
				lost = append(lost, field)
			}
		default:
			if !there {
				lost = append(lost, field)
			}
		}
	}
	slices.Sort(lost)
	return lost
}
