package netbox

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"hedgehog-gitops/render/hedgehog"
)

// peerings writes route targets that two VRFs import and export.
func (w *writer) peerings() {
	var p *peeringWriter
	for o := range w.want.All() {
		switch o.Kind {
		case hedgehog.KindVPCPeering, hedgehog.KindExternalPeering, hedgehog.KindGatewayPeering:
		default:
			continue
		}
		if !w.differs(o) || !fits(o.Kind, o.Name) {
			continue
		}
		if p == nil {
			p = w.peeringWriter()
		}
		p.write(o)
	}
}

// peeringWriter writes peerings.
type peeringWriter struct {
	*writer
	vpcOf      map[string]*VRF
	externalOf func(string) *VRF
	users      map[ID][]*VRF // of a route target
	byName     map[string]*RouteTarget
	byPair     map[[2]ID][]*RouteTarget // the tagged targets of two VRFs
	got        map[ID][]*hedgehog.Object
	fabric     map[ID]bool // VRFs that are of the fabric
	forget     ID          // a target that is on its way out
}

func (w *writer) peeringWriter() *peeringWriter {
	p := &peeringWriter{writer: w, vpcOf: map[string]*VRF{}, externalOf: w.pruner().externalVRFs(), users: map[ID][]*VRF{},
		byName: map[string]*RouteTarget{}, byPair: map[[2]ID][]*RouteTarget{}, got: map[ID][]*hedgehog.Object{}, fabric: map[ID]bool{}}
	for _, v := range sorted(w.seen.vpcs) {
		if row := w.vrfs.get(v.row.ID); row != nil {
			p.fabric[row.ID] = true
			if p.vpcOf[v.name] == nil {
				p.vpcOf[v.name] = row
			}
		}
	}
	for id, e := range w.seen.externals {
		p.fabric[id] = e.inScope
	}
	for _, v := range w.vrfs.sorted() {
		for _, id := range union(v.ImportTargets, v.ExportTargets) {
			p.users[id] = append(p.users[id], v)
		}
	}
	for _, t := range w.routeTargets.sorted() {
		p.byName[t.Name] = t
		if ours := p.within(t.ID); len(ours) == 2 && slices.Contains(t.Tags, w.c.Tag) {
			p.byPair[pairOf(ours[0], ours[1])] = append(p.byPair[pairOf(ours[0], ours[1])], t)
		}
	}
	for o := range w.got.All() {
		if area, id := splitPath(o.Origin().Path); area == "/ipam/route-targets/" {
			p.got[id] = append(p.got[id], o)
		}
	}
	return p
}

func union(a, b []ID) []ID {
	all := slices.Clone(a)
	for _, id := range b {
		if !slices.Contains(all, id) {
			all = append(all, id)
		}
	}
	slices.Sort(all)
	return all
}

func pairOf(a, b *VRF) [2]ID { return [2]ID{min(a.ID, b.ID), max(a.ID, b.ID)} }

// within are the VRFs of the fabric that have the target.
func (p *peeringWriter) within(target ID) []*VRF {
	var ours []*VRF
	for _, v := range p.users[target] {
		if p.fabric[v.ID] {
			ours = append(ours, v)
		}
	}
	return ours
}

// sides are the two sides of a peering in the order of its generated name, and their
// VRFs. It reports false where the records cannot hold the peering.
func (p *peeringWriter) sides(o *hedgehog.Object) (names [2]string, vrfs [2]*VRF, ok bool) {
	var vpcs, externals []string
	add := func(name string) {
		if external, is := strings.CutPrefix(name, "ext."); is && o.Kind == hedgehog.KindGatewayPeering {
			externals = append(externals, external)
		} else if !slices.Contains(vpcs, name) {
			vpcs = append(vpcs, name)
		}
	}
	switch spec := o.Spec.(type) {
	case *hedgehog.VPCPeeringSpec:
		for _, permit := range spec.Permit {
			for _, name := range sortedKeys(permit) {
				add(name)
			}
		}
	case *hedgehog.ExternalPeeringSpec:
		vpcs, externals = []string{spec.Permit.VPC.Name}, []string{spec.Permit.External.Name}
	case *hedgehog.GatewayPeeringSpec:
		if !p.c.Settings.Gateway {
			return names, vrfs, false
		}
		for _, name := range sortedKeys(spec.Peering) {
			add(name)
		}
	}
	slices.Sort(vpcs)
	all := slices.Concat(vpcs, externals)
	if len(all) != 2 || len(vpcs) == 0 {
		return names, vrfs, false
	}
	for n, name := range all {
		if names[n] = name; n < len(vpcs) {
			vrfs[n] = p.vpcOf[name]
		} else {
			vrfs[n] = p.externalOf(name)
		}
		if vrfs[n] == nil {
			return names, vrfs, false
		}
	}
	return names, vrfs, vrfs[0] != vrfs[1]
}

// write writes the route target of a peering: the one that is it, else one that its VRFs
// share and that no peering of the manifests has, else a new one.
func (p *peeringWriter) write(o *hedgehog.Object) {
	names, vrfs, ok := p.sides(o)
	if !ok {
		return
	}
	t := p.target(o, names, vrfs)
	if t == nil {
		return
	}
	t.Tags = tagged(t.Tags, p.c.Tag)
	for _, v := range p.within(t.ID) { // it joined others before
		if v != vrfs[0] && v != vrfs[1] {
			p.leave(v, t.ID)
		}
	}
	for _, v := range vrfs {
		v.ImportTargets, v.ExportTargets = union(v.ImportTargets, []ID{t.ID}), union(v.ExportTargets, []ID{t.ID})
		if !slices.Contains(p.users[t.ID], v) {
			p.users[t.ID] = append(p.users[t.ID], v)
		}
	}
	f := &t.Fields
	if generated := names[0] + "--" + names[1]; o.Name != generated || f.text("name") != "" {
		if value := textOrNil(o.Name); o.Name == generated {
			f.set("name", nil)
		} else if f.text("name") != o.Name {
			f.set("name", value)
		}
	}
	if f.isTrue("gateway") != (o.Kind == hedgehog.KindGatewayPeering) {
		f.set("gateway", trueOrNil(o.Kind == hedgehog.KindGatewayPeering))
	}
	permit, said := p.permit(o, names)
	if got := p.gotOf(t.ID, o); got != nil && sameJSON(got.Spec, o.Spec) {
		return
	}
	if said && !sameJSON(f.value("permit"), permit) || !said && f.value("permit") != nil {
		f.set("permit", permit)
	}
}

// gotOf is what NetBox gives of the peering, when it is made of the target.
func (p *peeringWriter) gotOf(target ID, o *hedgehog.Object) *hedgehog.Object {
	for _, got := range p.got[target] {
		if got.Key() == o.Key() {
			return got
		}
	}
	return nil
}

// permit is the custom field for what may talk. An external peering without it opens
// everything, so it always has it.
func (p *peeringWriter) permit(o *hedgehog.Object, names [2]string) (any, bool) {
	switch spec := o.Spec.(type) {
	case *hedgehog.VPCPeeringSpec:
		if sameJSON(spec.Permit, []map[string]hedgehog.VPCPeer{{names[0]: {}, names[1]: {}}}) {
			return nil, false
		}
		return jsonValue(spec.Permit), true
	case *hedgehog.ExternalPeeringSpec:
		subnets, prefixes := []any{}, []any{}
		for _, s := range spec.Permit.VPC.Subnets {
			subnets = append(subnets, s)
		}
		for _, e := range spec.Permit.External.Prefixes {
			prefixes = append(prefixes, e.Prefix)
		}
		return map[string]any{"subnets": subnets, "prefixes": prefixes}, true
	}
	return nil, false
}

func (p *peeringWriter) target(o *hedgehog.Object, names [2]string, vrfs [2]*VRF) *RouteTarget {
	got := p.writer.got.Get(o.Kind, o.Name)
	area, id := "", ID(0)
	if got != nil {
		area, id = splitPath(got.Origin().Path)
	}
	if got != nil && id != p.forget {
		t := p.routeTargets.get(id)
		if t == nil || area != "/ipam/route-targets/" {
			return nil // of hedgehog_objects
		}
		if len(p.got[id]) > 1 {
			p.fail("import-peering-shared", o, t, "importing_vrfs",
				fmt.Sprintf("%s differs from what route target %s says, which makes %d peerings", o.Key(), t.Name, len(p.got[id])),
				"give each pair of VRFs a route target of its own")
			return nil
		}
		return t
	}
	for _, t := range p.byPair[pairOf(vrfs[0], vrfs[1])] {
		if !slices.ContainsFunc(p.got[t.ID], func(got *hedgehog.Object) bool { return p.want.Get(got.Kind, got.Name) != nil }) {
			p.got[t.ID] = append(p.got[t.ID], &hedgehog.Object{Kind: o.Kind, Name: o.Name}) // it is taken
			return t
		}
	}
	full := "hh:" + names[0] + ":" + names[1]
	if o.Kind != hedgehog.KindVPCPeering && o.Kind != hedgehog.KindExternalPeering {
		full = "hh:" + names[0] + ":" + names[1] + ":gw"
	}
	name := targetName(full)
	for n := 2; p.byName[name] != nil; n++ {
		if t := p.byName[name]; len(p.users[t.ID]) == 0 {
			break
		}
		name = targetName(fmt.Sprintf("%s:%d", full, n))
	}
	t := p.byName[name]
	if t == nil {
		t = p.routeTargets.add(RouteTarget{Name: name})
		p.byName[name] = t
	}
	return t
}

// targetName cuts a name to the 21 characters that a route target may have; what is cut
// off counts in a digest.
func targetName(full string) string {
	if len(full) <= 21 {
		return full
	}
	sum := sha256.Sum256([]byte(full))
	return full[:12] + "~" + hex.EncodeToString(sum[:4])
}

// leave takes a target off a VRF.
func (w *writer) leave(v *VRF, target ID) {
	without := func(ids []ID) []ID {
		var rest []ID
		for _, id := range ids {
			if id != target {
				rest = append(rest, id)
			}
		}
		return rest
	}
	v.ImportTargets, v.ExportTargets = without(v.ImportTargets), without(v.ExportTargets)
}
