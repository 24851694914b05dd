package netbox

import (
	"hedgehog-gitops/render/hedgehog"
)

// Judge returns what a cluster would refuse of the fabric that NetBox documents once the
// manifests are imported: they, and what only NetBox has and keeps. Manifests of one
// kind are judged with the others that they refer to. What was wrong before, of objects
// that the manifests do not have, is no matter of the import. Issues about an object of
// the manifests stand where that is written and name its record, where it has one;
// others stand at the record.
func Judge(want *hedgehog.Fabric, s *Snapshot, c Config, o ImportOptions) hedgehog.Issues {
	w := &writer{draft: newDraft(s), c: c, o: o, want: want, change: s.ChangeID}
	w.read()
	pruned := map[hedgehog.Key]bool{}
	for _, o := range w.toPrune() {
		pruned[o.Key()] = true
	}
	var whole hedgehog.Fabric
	for o := range want.All() {
		whole.Add(o)
	}
	kept := 0
	for o := range w.got.All() {
		if want.Get(o.Kind, o.Name) == nil && !pruned[o.Key()] {
			whole.Add(o)
			kept++
		}
	}
	before := map[hedgehog.Issue]bool{}
	if kept > 0 {
		for _, i := range hedgehog.Validate(w.got, c.Settings) {
			before[i] = true
		}
	}
	var issues hedgehog.Issues
	for _, i := range hedgehog.Validate(&whole, c.Settings) {
		wanted := want.Get(i.Object.Kind, i.Object.Name) != nil
		if !wanted && before[i] {
			continue
		}
		if there := w.got.Get(i.Object.Kind, i.Object.Name); wanted && there != nil && there.Origin().Path != "" {
			i.Origin.Path = there.Origin().Path
		}
		issues = append(issues, i)
	}
	issues.Sort()
	return issues
}
