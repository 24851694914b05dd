package netbox

import (
	"bytes"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"hedgehog-gitops/render/hedgehog"
)

// sameObject reports whether two objects are written the same.
func sameObject(a, b *hedgehog.Object) bool {
	if a == nil || b == nil {
		return a == b
	}
	if a.Key() == b.Key() && a.APIVersion == b.APIVersion && a.Namespace == b.Namespace && maps.Equal(a.Labels, b.Labels) &&
		maps.Equal(a.Annotations, b.Annotations) && reflect.DeepEqual(a.Spec, b.Spec) && reflect.DeepEqual(a.Leftovers, b.Leftovers) {
		return true // most are, and writing them takes longer
	}
	x, err1 := hedgehog.Marshal(a)
	y, err2 := hedgehog.Marshal(b)
	return err1 == nil && err2 == nil && bytes.Equal(x, y)
}

// prove reports every object that NetBox would not give as it is wanted, and what the
// mapper would refuse: a plan that loses something is no plan.
func (w *writer) prove() {
	for o := range w.want.All() {
		if !w.differs(o) {
			continue
		}
		w.fail("import-inexact", o, nil, "", fmt.Sprintf("%s cannot be written into NetBox so that it is rendered the same", o.Key()),
			"this is a mistake of hedgehog-gitops: please report it with the manifest")
	}
	// What was to go and is still read out of cables would stay without a word.
	for _, o := range w.toPrune() {
		if o.Kind == hedgehog.KindConnection || o.Kind == hedgehog.KindVPCAttachment {
			w.fail("import-prune-left", o, nil, "", fmt.Sprintf("%s is to go, but its records are in use by what comes", o.Key()),
				"take its cable away in NetBox, or import without --prune first")
		}
	}
	for _, i := range w.seen.issues {
		if i.Severity == hedgehog.Error {
			w.issues = append(w.issues, i)
		}
	}
}

// plan returns what the draft changes.
func (w *writer) plan(s *Snapshot) (*Plan, hedgehog.Issues) {
	digest, err := s.Digest()
	if err != nil {
		w.issues = append(w.issues, hedgehog.Issue{Rule: "snapshot-broken", Severity: hedgehog.Error, Summary: err.Error(), Hint: "take the snapshot again"})
		return nil, w.sortedIssues()
	}
	after := w.snapshot(s.ChangeID)
	p := &Plan{Fabric: w.c.Name, Base: digest, ChangeID: s.ChangeID, Changes: changesBetween(&s.Rows, &after.Rows), OnlyInNetBox: []OnlyThere{}}
	causes := map[string][]Cause{}
	for _, anchors := range []bool{true, false} { // the object that a record is, then those that it is a part of
		for o := range w.got.All() {
			wanted := w.want.Get(o.Kind, o.Name)
			if wanted == nil {
				continue
			}
			group := o.Kind == hedgehog.KindSwitchGroup || o.Kind == hedgehog.KindGatewayGroup // records of their members alone
			for i, at := range o.Origins {
				if (i == 0 && !group) == anchors {
					causes[at.Path] = append(causes[at.Path], Cause{Kind: o.Kind, Name: o.Name, Origin: wanted.Origin().String()})
				}
			}
		}
	}
	areas := areasByModel()
	names := w.namer(p.Changes)
	for n := range p.Changes {
		c := &p.Changes[n]
		c.Name = names(c)
		c.For = append([]Cause{}, causes[areas[c.Model]+strconv.FormatInt(int64(c.ID), 10)+"/"]...)
	}
	for _, o := range w.extra() {
		p.OnlyInNetBox = append(p.OnlyInNetBox, OnlyThere{Kind: o.Kind, Name: o.Name, Origin: o.Origin().Path})
	}
	p.OnlyInNetBox = append(p.OnlyInNetBox, w.left()...)
	p.Shares = w.shares()
	return p, w.sortedIssues()
}

// areasByModel maps a model to the beginning of its objects' paths.
func areasByModel() map[string]string {
	return map[string]string{
		"dcim.site": "/dcim/sites/", "dcim.location": "/dcim/locations/", "dcim.manufacturer": "/dcim/manufacturers/",
		"dcim.devicetype": "/dcim/device-types/", "dcim.devicerole": "/dcim/device-roles/", "dcim.device": "/dcim/devices/",
		"dcim.interface": "/dcim/interfaces/", "dcim.frontport": "/dcim/front-ports/", "dcim.rearport": "/dcim/rear-ports/",
		"dcim.cable": "/dcim/cables/", "circuits.provider": "/circuits/providers/", "circuits.circuit": "/circuits/circuits/",
		"circuits.circuittermination": "/circuits/circuit-terminations/", "ipam.asn": "/ipam/asns/",
		"ipam.vlangroup": "/ipam/vlan-groups/", "ipam.vlan": "/ipam/vlans/", "ipam.routetarget": "/ipam/route-targets/",
		"ipam.vrf": "/ipam/vrfs/", "ipam.prefix": "/ipam/prefixes/", "ipam.iprange": "/ipam/ip-ranges/", "ipam.ipaddress": "/ipam/ip-addresses/",
	}
}

// namer returns how people call the object of a change, which is one of the plan's.
func (w *writer) namer(changes []Change) func(*Change) string {
	text := func(c *Change, key string) string {
		v := c.After[key]
		if v == nil {
			v = c.Before[key]
		}
		if v == nil {
			return ""
		}
		return fmt.Sprint(v)
	}
	// What goes is called by what it was.
	devices, ports := map[ID]string{}, map[ID]Interface{}
	for _, c := range changes {
		var d Device
		var i Interface
		switch {
		case c.Action != Delete:
		case c.Model == "dcim.device" && into(c.Before, &d) == nil:
			devices[c.ID] = d.Name
		case c.Model == "dcim.interface" && into(c.Before, &i) == nil:
			ports[c.ID] = i
		}
	}
	device := func(id ID) string {
		if d := w.devices.get(id); d != nil {
			return d.Name
		}
		if name, ok := devices[id]; ok {
			return name
		}
		return "device " + strconv.FormatInt(int64(id), 10)
	}
	port := func(kind string, id ID) string {
		if i := w.interfaces.get(id); kind == "dcim.interface" && i != nil {
			return device(i.Device) + " " + i.Name
		}
		if i, ok := ports[id]; ok && kind == "dcim.interface" {
			return device(i.Device) + " " + i.Name
		}
		return strings.TrimPrefix(kind, "dcim.") + " " + strconv.FormatInt(int64(id), 10)
	}
	var ends map[ID][]string
	cable := func(id ID) string {
		if ends == nil {
			ends = map[ID][]string{}
			for _, t := range w.cableTerminations.sorted() {
				ends[t.Cable] = append(ends[t.Cable], port(t.Type, t.Port))
			}
			// A cable that goes is called by what it joined.
			for _, c := range slices.Backward(changes) {
				var t CableTermination
				if c.Model == "dcim.cabletermination" && c.Action == Delete && into(c.Before, &t) == nil {
					ends[t.Cable] = append(ends[t.Cable], port(t.Type, t.Port))
				}
			}
		}
		return strings.Join(ends[id], " - ")
	}
	return func(c *Change) string {
		switch c.Model {
		case "dcim.interface":
			return port(c.Model, c.ID)
		case "dcim.device":
			return device(c.ID)
		case "dcim.cable":
			return cable(c.ID)
		case "dcim.cabletermination":
			if t := w.cableTerminations.get(c.ID); t != nil {
				return port(t.Type, t.Port)
			}
			var t CableTermination
			if into(c.Before, &t) == nil {
				return port(t.Type, t.Port)
			}
		case "ipam.prefix":
			if p := w.prefixes.get(c.ID); p != nil {
				return p.Prefix
			}
		case "ipam.ipaddress":
			if a := w.ipAddresses.get(c.ID); a != nil {
				return a.Address
			}
		case "ipam.vrf":
			if v := w.vrfs.get(c.ID); v != nil {
				return v.Name
			}
		case "ipam.vlan":
			if v := w.vlans.get(c.ID); v != nil {
				return fmt.Sprintf("%d %s", v.VID, v.Name)
			}
			return text(c, "vid") + " " + text(c, "name")
		case "ipam.vlangroup":
			if g := w.vlanGroups.get(c.ID); g != nil {
				return g.Name
			}
		case "ipam.asn":
			return text(c, "asn")
		case "ipam.iprange":
			if r := w.ipRanges.get(c.ID); r != nil {
				return r.Start + " - " + r.End
			}
			return text(c, "start_address") + " - " + text(c, "end_address")
		case "dcim.devicetype":
			return text(c, "model")
		}
		for _, key := range []string{"name", "slug", "prefix", "address", "model", "cid"} {
			if name := text(c, key); name != "" {
				return name
			}
		}
		return c.Model + " " + strconv.FormatInt(int64(c.ID), 10)
	}
}

// extra returns the objects that only NetBox has, of kinds that the manifests are
// complete in.
func (w *writer) extra() []*hedgehog.Object {
	kinds := w.told()
	var list []*hedgehog.Object
	for o := range w.got.All() {
		if w.want.Get(o.Kind, o.Name) == nil && slices.Contains(kinds, o.Kind) {
			list = append(list, o)
		}
	}
	return list
}

// told returns the kinds of which the manifests say all that there is.
func (w *writer) told() []hedgehog.Kind {
	kinds := w.o.Kinds
	if kinds == nil {
		for o := range w.want.All() {
			if !slices.Contains(kinds, o.Kind) {
				kinds = append(kinds, o.Kind)
			}
		}
	}
	return kinds
}
