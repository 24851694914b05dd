package netbox

import (
	"slices"

	"hedgehog-gitops/render/hedgehog"
)

// ImportOptions are what people ask of an import beyond its manifests.
type ImportOptions struct {
	// Prune removes what is in NetBox alone, but for devices; PruneDevices devices too.
	Prune, PruneDevices bool
	// Kinds are the kinds that the manifests are complete in: objects of other kinds that
	// only NetBox has are neither listed nor pruned. Nil means those that the manifests
	// hold at least one object of.
	Kinds []hedgehog.Kind
}

// Import returns the plan that makes NetBox document the fabric, in the form that the
// cluster stores ([hedgehog.Default]): afterwards [Map] gives these objects. With an
// error among the issues the plan is nil: never half a fabric.
//
// Only objects that NetBox does not give already are written. What is there is adopted,
// and what the mapping does not read is never touched. It goes in this order: the
// records that NetBox has for it; then names; then what is still different, as
// hedgehog_spec; then what has no home, as hedgehog_objects. What comes out is read
// again and compared.
func Import(want *hedgehog.Fabric, s *Snapshot, c Config, o ImportOptions) (*Plan, hedgehog.Issues) {
	w := &writer{draft: newDraft(s), c: c, o: o, want: want, change: s.ChangeID}
	w.read()
	if w.same() {
		return w.plan(s)
	}
	w.place()
	w.read()
	if w.failed() {
		return nil, w.sortedIssues()
	}
	for _, step := range []func(){
		w.namespaces, // VLANNamespace, IPv4Namespace
		w.nodes,      // Switch, Server, Gateway, SwitchGroup, GatewayGroup
		w.vpcs,       // VPC
		w.externals,  // External
		w.links,      // Connection
		w.read,
		w.connectionNames,
		w.read,
		w.attachments,         // VPCAttachment
		w.externalAttachments, // ExternalAttachment
		w.peerings,            // VPCPeering, ExternalPeering, GatewayPeering
		w.read,
		w.prune,
		w.refresh,
		w.patches,
		w.homeless,
		w.refresh,
	} {
		step()
		if w.failed() {
			return nil, w.sortedIssues()
		}
	}
	w.prove()
	if w.failed() {
		return nil, w.sortedIssues()
	}
	return w.plan(s)
}

// writer writes a fabric into a draft of NetBox's records.
type writer struct {
	*draft
	c      Config
	o      ImportOptions
	change int64
	// want is what NetBox shall give, got what the draft gave when it was last read,
	// whatever was wrong with it, and seen how the mapper understood it then. Rows of
	// seen are copies: their ids lead to the draft's.
	want *hedgehog.Fabric
	got  *hedgehog.Fabric
	seen *mapper
	// stale is whether pruning, patches or hedgehog_objects changed the draft since.
	stale bool
	// issues are those of the import itself.
	issues hedgehog.Issues
	// book is where devices and ports are found; see nodeBook.
	book *nodeBook
}

// read reads the draft as a render would.
func (w *writer) read() {
	m := NewIndex(w.snapshot(w.change)).mapped(w.c)
	w.seen, w.got, w.stale = m, &m.fabric, false
}

// refresh reads the draft again when something changed that nobody has read yet.
func (w *writer) refresh() {
	if w.stale {
		w.read()
	}
}

// differs reports whether NetBox does not give the object as it is wanted.
func (w *writer) differs(o *hedgehog.Object) bool {
	return !sameObject(o, w.withoutLeft(o, w.got.Get(o.Kind, o.Name)))
}

// same reports whether NetBox gives every object as it is wanted, and nothing that is
// to be pruned.
func (w *writer) same() bool {
	for o := range w.want.All() {
		if w.differs(o) {
			return false
		}
	}
	return w.seen.issues.Worst() < hedgehog.Error && len(w.toPrune()) == 0
}

func (w *writer) failed() bool { return w.issues.Worst() == hedgehog.Error }

func (w *writer) sortedIssues() hedgehog.Issues {
	w.issues.Sort()
	return slices.Compact(w.issues)
}

// fail reports what keeps an object from being written; at is the NetBox record that is
// in the way, or nil.
func (w *writer) fail(rule string, o *hedgehog.Object, at row, field, summary, hint string) {
	i := hedgehog.Issue{Rule: rule, Severity: hedgehog.Error, Field: field, Summary: summary, Hint: hint}
	if o != nil {
		i.Object, i.Origin = o.Key(), o.Origin()
	}
	if at != nil {
		i.Summary += " (" + at.path() + ")"
		if i.Origin.IsZero() {
			i.Origin = origin(at)
		}
	}
	w.issues = append(w.issues, i)
}
