package render

import (
	"bytes"
	"fmt"
	"maps"
	"path"
	"slices"

	"hedgehog-gitops/render/hedgehog"
	"hedgehog-gitops/render/overlay"
	"hedgehog-gitops/render/tree"
)

// Migrate moves a fabric's base folder to the layout of this version, without NetBox:
// its objects stay as they are, and so do the roots that they are in. What it changes are
// the kustomizations of the roots, which name the components that people's patches
// have by now, their locks, and the objects of Argo CD and Flux. Of the input it looks
// at the fabric's name, what is merged, and how it is deployed.
//
// What is in the way is an issue; with an error nothing changes.
func Migrate(in Input) Output {
	p := planner{
		in: in, base: BaseFolder(in.Fabric), merged: map[string]*mergedRoot{}, prior: map[string]priorFile{},
		out: Output{Places: map[hedgehog.Key]string{}},
	}
	before := in.Merged.Below(p.base)
	p.readMerged(before)
	after := before.Clone()
	for _, root := range slices.Sorted(maps.Keys(p.merged)) {
		if plan := p.migrateRoot(root, p.merged[root]); plan != nil {
			plan.apply(&after)
		}
	}
	p.planDeploy(&after)
	p.finish(before, after)
	return p.out
}

// migrateRoot returns what changes in one root; nil for nothing.
func (p *planner) migrateRoot(root string, m *mergedRoot) *rootPlan {
	folder := path.Join(p.base, root)
	switch {
	case m.lockError != nil:
		p.complain(hedgehog.Issue{Rule: "lock-broken", Severity: hedgehog.Error,
			Origin:  hedgehog.Origin{File: path.Join(folder, LockName)},
			Summary: fmt.Sprintf("%s cannot be read (%v), so nobody knows what in %s is generated", path.Join(folder, LockName), m.lockError, folder),
			Hint:    "restore it from Git"})
		return nil
	case m.lock == nil:
		return nil // people's
	}
	stage := path.Dir(root)
	locked, ok := m.lock.Files[kustomizationName]
	have := m.files[kustomizationName]
	want := kustomization(stage, m.lock.listed(), overlay.IsKustomization(p.in.Merged, OverlayFolder(p.in.Fabric, stage)))
	switch {
	case bytes.Equal(have, want):
		return nil
	case !ok || digestOrNone(have) != locked.Digest:
		p.leave(edited, concern{path: path.Join(folder, kustomizationName), there: have != nil})
		return nil
	}
	next := &Lock{Files: maps.Clone(m.lock.Files), Render: m.lock.Render}
	locked.Digest = digest(want)
	next.Files[kustomizationName] = locked
	return &rootPlan{folder: folder, writes: map[string][]byte{kustomizationName: want, LockName: next.Bytes()}}
}

// SameBuild returns an issue for every root of the fabric that does not give the
// cluster the same objects in both trees, and for what keeps one of them from being
// built. Roots and Objects are how many were compared.
func SameBuild(before, after tree.Tree, fabric string) (roots, objects int, issues hedgehog.Issues, err error) {
	was, is := CheckRepository(before, fabric), CheckRepository(after, fabric)
	for _, checked := range []Checked{was, is} {
		if checked.Issues.Worst() == hedgehog.Error {
			return 0, 0, checked.Issues, nil
		}
	}
	streams := map[string][2][]byte{}
	for side, checked := range []Checked{was, is} {
		for _, b := range checked.Built {
			stream, err := b.YAML()
			if err != nil {
				return 0, 0, nil, err
			}
			pair := streams[b.Root]
			pair[side] = stream
			streams[b.Root] = pair
		}
	}
	for _, root := range slices.Sorted(maps.Keys(streams)) {
		if pair := streams[root]; !bytes.Equal(pair[0], pair[1]) {
			issues = append(issues, hedgehog.Issue{Rule: "migrate-differs", Severity: hedgehog.Error,
				Origin:  hedgehog.Origin{File: root},
				Summary: fmt.Sprintf("%s would give the cluster other objects than before", root),
				Hint:    "this is a mistake of hedgehog-gitops, and nothing was written: please report it"})
		}
	}
	return len(streams), is.Objects.Len(), issues, nil
}
