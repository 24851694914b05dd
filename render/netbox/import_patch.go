package netbox

import (
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"hedgehog-gitops/render/hedgehog"
)

// patches writes what NetBox's own records do not say of an object into hedgehog_spec
// of its anchor: the difference between what the records give and what is wanted.
func (w *writer) patches() {
	var wanted []*hedgehog.Object
	for o := range w.want.All() {
		if (w.differs(o) || w.unsaid(o)) && w.got.Get(o.Kind, o.Name) != nil {
			wanted = append(wanted, o)
		}
	}
	// What stands there now says nothing of the new difference.
	for _, o := range wanted {
		if f, _ := w.anchor(o); f != nil {
			w.setPatch(o, f, nil)
		}
	}
	if len(wanted) > 0 {
		w.read()
	}
	for _, o := range wanted {
		got := w.withoutLeft(o, w.got.Get(o.Kind, o.Name))
		f, _ := w.anchor(o)
		if got == nil || f == nil || sameObject(o, got) && !w.unsaid(o) {
			continue
		}
		have, err1 := generic(got)
		want, err2 := generic(o)
		if err1 != nil || err2 != nil {
			continue // prove says that it is not the same
		}
		patch, differ := patchBetween(have, want)
		if w.unsaid(o) {
			differ = true
			sayVLANNamespace(o, patch)
		}
		if differ {
			w.setPatch(o, f, patch)
		}
	}
}

// anchor returns the custom fields of the record that holds hedgehog_spec of an object
// of NetBox's, and the record; nil when it has none.
func (w *writer) anchor(o *hedgehog.Object) (*Fields, row) {
	got := w.got.Get(o.Kind, o.Name)
	if anchorless(o.Kind) {
		return nil, nil
	}
	if o.Kind == hedgehog.KindVPCAttachment {
		spec, ok := got.Spec.(*hedgehog.VPCAttachmentSpec)
		if !ok {
			return nil, nil
		}
		if got = w.got.Get(hedgehog.KindConnection, spec.Connection); got == nil {
			return nil, nil
		}
	}
	if got.Kind == hedgehog.KindConnection {
		if f, r := w.patched(got); f != nil {
			return f, r
		}
	}
	return w.recordAt(got.Origin().Path)
}

// patched returns the record of a connection that has hedgehog_spec already: it need
// not be the first of them, which can have become another. A cable that other channels
// share speaks only for connections that it anchors.
func (w *writer) patched(connection *hedgehog.Object) (*Fields, row) {
	anchor, _ := splitPath(connection.Origin().Path)
	for _, at := range connection.Origins {
		area, _ := splitPath(at.Path)
		if area != "/dcim/interfaces/" && (area != "/dcim/cables/" || anchor != area) {
			continue
		}
		if f, r := w.recordAt(at.Path); f != nil && f.value("spec") != nil {
			return f, r
		}
	}
	return nil, nil
}

// recordAt returns the record at a path and its custom fields, nil when it is none that
// can be an anchor.
func (w *writer) recordAt(path string) (*Fields, row) {
	area, id := splitPath(path)
	switch area {
	case "/dcim/devices/":
		if r := w.devices.get(id); r != nil {
			return &r.Fields, r
		}
	case "/dcim/interfaces/":
		if r := w.interfaces.get(id); r != nil {
			return &r.Fields, r
		}
	case "/dcim/cables/":
		if r := w.cables.get(id); r != nil {
			return &r.Fields, r
		}
	case "/ipam/vrfs/":
		if r := w.vrfs.get(id); r != nil {
			return &r.Fields, r
		}
	case "/ipam/route-targets/":
		if r := w.routeTargets.get(id); r != nil {
			return &r.Fields, r
		}
	case "/ipam/vlan-groups/":
		if r := w.vlanGroups.get(id); r != nil {
			return &r.Fields, r
		}
	}
	return nil, nil
}

// splitPath splits /ipam/vrfs/12/ into /ipam/vrfs/ and 12.
func splitPath(path string) (area string, id ID) {
	cut := strings.LastIndexByte(strings.TrimSuffix(path, "/"), '/')
	if cut < 0 {
		return "", 0
	}
	n, _ := strconv.ParseInt(strings.Trim(path[cut+1:], "/"), 10, 64)
	return path[:cut+1], ID(n)
}

// setPatch puts the patch of an object into the custom field of its anchor, or takes it
// out. A connection's anchor has those of its attachments too.
func (w *writer) setPatch(o *hedgehog.Object, f *Fields, patch map[string]any) {
	w.stale = true
	var value any
	if patch != nil {
		value = patch
	}
	if o.Kind != hedgehog.KindConnection && o.Kind != hedgehog.KindVPCAttachment {
		f.set("spec", value)
		return
	}
	whole := map[string]any{}
	if have, ok := f.value("spec").(map[string]any); ok {
		_, forConnection := have["connection"]
		_, forAttachments := have["attachments"]
		if forConnection || forAttachments {
			for k, v := range have {
				whole[k] = v
			}
		} else {
			whole["connection"] = have
		}
	}
	if o.Kind == hedgehog.KindConnection {
		if delete(whole, "connection"); patch != nil {
			whole["connection"] = patch
		}
	} else {
		attachments := map[string]any{}
		if have, ok := whole["attachments"].(map[string]any); ok {
			for k, v := range have {
				attachments[k] = v
			}
		}
		at := o.Spec.(*hedgehog.VPCAttachmentSpec).Subnet
		if delete(attachments, at); patch != nil {
			attachments[at] = patch
		}
		if delete(whole, "attachments"); len(attachments) > 0 {
			whole["attachments"] = attachments
		}
	}
	if len(whole) == 0 {
		f.set("spec", nil)
		return
	}
	f.set("spec", whole)
}

// patchBetween returns the JSON merge patch (RFC 7386) that makes one document the
// other, and whether they differ.
func patchBetween(have, want map[string]any) (map[string]any, bool) {
	patch := map[string]any{}
	for _, k := range unionKeys(have, want) {
		was, there := have[k]
		is, wanted := want[k]
		switch {
		case !wanted:
			patch[k] = nil
		case !there:
			patch[k] = is
		default:
			a, okA := was.(map[string]any)
			b, okB := is.(map[string]any)
			if okA && okB {
				if sub, differ := patchBetween(a, b); differ {
					patch[k] = sub
				}
			} else if !reflect.DeepEqual(was, is) {
				patch[k] = is
			}
		}
	}
	return patch, len(patch) > 0
}

// homeless writes objects that the records do not give, and those that have no anchor
// and differ, into hedgehog_objects of the fabric's location or site. What NetBox gives
// by now leaves it.
func (w *writer) homeless() {
	w.refresh()
	f := w.homelessField()
	if f == nil {
		return
	}
	told := w.told()
	have, _ := f.value("objects").([]any)
	if have != nil {
		f.set("objects", nil)
		w.read()
	}
	var list []any
	in := map[hedgehog.Key]bool{}
	for o := range w.want.All() {
		if !w.differs(o) {
			continue
		}
		doc, err := generic(o)
		if err != nil {
			w.fail("import-encode", o, nil, "", err.Error(), "correct the manifest")
			continue
		}
		if got := w.got.Get(o.Kind, o.Name); got != nil { // the records give a part of it
			have, err := generic(got)
			if err != nil {
				w.fail("import-encode", o, nil, "", err.Error(), "correct the manifest")
				continue
			}
			doc, _ = patchBetween(have, doc)
			identified(doc, o.Key())
		}
		list = append(list, doc)
		in[o.Key()] = true
	}
	// Objects that only NetBox has stay where they are, unless they are pruned.
	for _, item := range have {
		doc, _ := item.(map[string]any)
		key := keyOf(doc)
		if key.Name == "" || in[key] || w.want.Get(key.Kind, key.Name) != nil || w.prunes(key.Kind) && slices.Contains(told, key.Kind) {
			continue
		}
		list = append(list, item)
	}
	if len(list) == 0 {
		return
	}
	slices.SortStableFunc(list, func(a, b any) int {
		x, _ := a.(map[string]any)
		y, _ := b.(map[string]any)
		return keyOf(x).Compare(keyOf(y))
	})
	// As NetBox gives it back: numbers, lists and objects of JSON.
	if equalJSON(list, have) {
		list = have
	}
	f.set("objects", list)
	w.stale = true
}

// identified puts the identity of an object into a patch of it.
func identified(patch map[string]any, key hedgehog.Key) {
	meta, ok := patch["metadata"].(map[string]any)
	if !ok {
		meta = map[string]any{}
	}
	patch["kind"], patch["metadata"], meta["name"] = string(key.Kind), meta, key.Name
}

func equalJSON(a, b any) bool {
	x, err1 := json.Marshal(a)
	y, err2 := json.Marshal(b)
	return err1 == nil && err2 == nil && string(x) == string(y)
}

// keyOf is the identity of a manifest in a custom field.
func keyOf(doc map[string]any) hedgehog.Key {
	meta, _ := doc["metadata"].(map[string]any)
	name, _ := meta["name"].(string)
	kind, _ := doc["kind"].(string)
	return hedgehog.Key{Kind: hedgehog.Kind(kind), Name: name}
}

// homelessField is where hedgehog_objects stands: on the location, else on the site.
func (w *writer) homelessField() *Fields {
	if w.seen.location != nil {
		if l := w.locations.get(w.seen.location.ID); l != nil {
			return &l.Fields
		}
	}
	if w.seen.site != nil {
		if s := w.sites.get(w.seen.site.ID); s != nil {
			return &s.Fields
		}
	}
	return nil
}

// shares counts the bytes of the wanted specs by where NetBox holds them: what stands in
// hedgehog_spec and hedgehog_objects is measured there, what stands in other custom
// fields of the mapping too, and the rest is native.
func (w *writer) shares() Shares {
	var s Shares
	total := 0
	for o := range w.want.All() {
		if doc, err := generic(o); err == nil {
			total += size(doc["spec"])
		}
	}
	count := func(fields Fields) {
		for name, v := range fields {
			switch name {
			case prefixFields + "spec":
				s.Spec += specSize(v)
			case prefixFields + "objects":
				list, _ := v.([]any)
				for _, item := range list {
					doc, _ := item.(map[string]any)
					s.Objects += size(doc["spec"])
				}
			default:
				s.CustomFields += size(v)
			}
		}
	}
	for _, fields := range w.fieldsInUse() {
		count(fields)
	}
	s.Native = max(0, total-s.CustomFields-s.Spec-s.Objects)
	return s
}

// specSize is the size of what a patch says of specs: labels and annotations are none.
func specSize(v any) int {
	patch, ok := v.(map[string]any)
	if !ok {
		return size(v)
	}
	connection, forConnection := patch["connection"]
	attachments, forAttachments := patch["attachments"].(map[string]any)
	switch {
	case forConnection || forAttachments:
		n := 0
		if forConnection {
			n = specSize(connection)
		}
		for _, each := range attachments {
			n += specSize(each)
		}
		return n
	case !isWhole(patch):
		return size(patch)
	case patch["spec"] == nil:
		return 0
	}
	return size(patch["spec"])
}

func size(v any) int {
	data, err := json.Marshal(v)
	if err != nil {
		return 0
	}
	return len(data)
}

// fieldsInUse are the custom fields of the records that the wanted objects are made of.
func (w *writer) fieldsInUse() []Fields {
	used := map[string]bool{}
	for o := range w.got.All() {
		if w.want.Get(o.Kind, o.Name) != nil {
			for _, at := range o.Origins {
				used[at.Path] = true
			}
		}
	}
	return slices.Concat(
		fieldsOn(used, &w.sites, func(r *Site) Fields { return r.Fields }),
		fieldsOn(used, &w.locations, func(r *Location) Fields { return r.Fields }),
		fieldsOn(used, &w.deviceTypes, func(r *DeviceType) Fields { return r.Fields }),
		fieldsOn(used, &w.devices, func(r *Device) Fields { return r.Fields }),
		fieldsOn(used, &w.interfaces, func(r *Interface) Fields { return r.Fields }),
		fieldsOn(used, &w.cables, func(r *Cable) Fields { return r.Fields }),
		fieldsOn(used, &w.vlanGroups, func(r *VLANGroup) Fields { return r.Fields }),
		fieldsOn(used, &w.vrfs, func(r *VRF) Fields { return r.Fields }),
		fieldsOn(used, &w.prefixes, func(r *Prefix) Fields { return r.Fields }),
		fieldsOn(used, &w.routeTargets, func(r *RouteTarget) Fields { return r.Fields }),
	)
}

// fieldsOn returns the custom fields of those rows of a table whose paths are in use.
func fieldsOn[T any, R interface {
	*T
	row
}](used map[string]bool, t *table[T], fields func(R) Fields) []Fields {
	var all []Fields
	for _, r := range t.sorted() {
		if f := fields(r); len(f) > 0 && used[R(r).path()] {
			all = append(all, f)
		}
	}
	return all
}
