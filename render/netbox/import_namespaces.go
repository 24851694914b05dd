package netbox

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"hedgehog-gitops/render/hedgehog"
)

// namespaces writes VLAN groups and container prefixes.
func (w *writer) namespaces() {
	changed := w.vlanGroupsOf()
	changed = w.containersOf() || changed
	if changed {
		w.read() // VRFs may have become VPCs
	}
}

// ownScope is the scope of what is the fabric's alone: its location, else its site.
func (w *writer) ownScope() Scope {
	if w.seen.location != nil {
		return Scope{"dcim.location", w.seen.location.ID}
	}
	return Scope{"dcim.site", w.seen.site.ID}
}

// isOwn reports whether a scope is the fabric's or inside it. What stands above it may
// be another fabric's too.
func (w *writer) isOwn(s Scope) bool {
	if s == w.ownScope() {
		return true
	}
	if s.Type != "dcim.location" {
		return false
	}
	if w.seen.location != nil {
		return w.seen.inside[s.ID]
	}
	l := w.seen.locations[s.ID]
	return l != nil && l.Site == w.seen.site.ID
}

// fits reports whether records may give an object of the kind its name.
func fits(kind hedgehog.Kind, name string) bool {
	reserved := (kind == hedgehog.KindVPC || kind == hedgehog.KindExternal) && strings.HasPrefix(name, "ext.")
	return validName(name) && len(name) <= nameLimit(kind) && !reserved
}

// pin sets the custom field for an object's name, or clears it where the record gives
// the name by itself.
func pin(f *Fields, name, given string) {
	switch {
	case slug(given) == name && f.text("name") != "" && f.text("name") != name:
		f.set("name", nil)
	case slug(given) != name && f.text("name") != name:
		f.set("name", name)
	}
}

// tagged returns tags with one more.
func tagged(tags []string, tag string) []string {
	if slices.Contains(tags, tag) {
		return tags
	}
	next := append(slices.Clone(tags), tag)
	slices.Sort(next)
	return next
}

// untagged returns tags without one.
func untagged(tags []string, tag string) []string {
	var next []string
	for _, t := range tags {
		if t != tag {
			next = append(next, t)
		}
	}
	return next
}

// vlanGroupsOf writes the VLAN groups of VLAN namespaces and reports whether it changed
// any.
func (w *writer) vlanGroupsOf() bool {
	byName := map[string]*VLANGroup{}
	for _, g := range w.seen.groups {
		if name := w.seen.namespaceOf[g.ID]; name != "" && byName[name] == nil {
			byName[name] = w.vlanGroups.get(g.ID)
		}
	}
	changed := false
	for o, spec := range hedgehog.Each[*hedgehog.VLANNamespaceSpec](w.want) {
		if !w.differs(o) || !fits(o.Kind, o.Name) {
			continue
		}
		g := byName[o.Name]
		if g == nil {
			if g = w.vlanGroupFor(o); g == nil {
				continue
			}
			byName[o.Name] = g
		}
		changed = true
		if ranges := vidRanges(spec.Ranges); !slices.Equal(mergeRanges(g.VIDRanges), mergeRanges(ranges)) && len(ranges) > 0 {
			g.VIDRanges = ranges
		}
	}
	return changed
}

// vidRanges are the ranges that NetBox takes, merged: it refuses those that are empty,
// overlap or leave 1..4094.
func vidRanges(in []hedgehog.VLANRange) [][2]uint16 {
	var valid, out [][2]uint16
	for _, r := range in {
		if r.From >= 1 && r.From <= r.To && r.To <= 4094 {
			valid = append(valid, [2]uint16{r.From, r.To})
		}
	}
	for _, r := range mergeRanges(valid) {
		out = append(out, [2]uint16{r.From, r.To})
	}
	return out
}

// vlanGroupFor finds a VLAN group that can be a namespace and is none yet, or makes one.
// A group is adopted only where its scope is the fabric's own: tagging one that stands
// above would bring it into other fabrics too.
func (w *writer) vlanGroupFor(o *hedgehog.Object) *VLANGroup {
	slugName := strings.ReplaceAll(o.Name, ".", "-")
	if listed := w.c.VLANGroups; len(listed) > 0 && !slices.Contains(listed, slugName) {
		w.fail("import-vlan-group-config", o, nil, "fabrics[].vlanGroups",
			fmt.Sprintf("%s is none of the VLAN groups that the configuration names for fabric %s", o.Key(), w.c.Name),
			fmt.Sprintf("add %q to `vlanGroups` in hedgehog-gitops.yaml", slugName))
		return nil
	}
	names, slugs := map[string]bool{}, map[string]bool{} // that the scope has already
	for _, g := range w.vlanGroups.sorted() {
		if _, is := w.seen.namespaceOf[g.ID]; !is && w.isOwn(g.Scope) && (g.Slug == o.Name || g.Slug == slugName || g.Fields.text("name") == o.Name) {
			g.Tags = tagged(g.Tags, w.c.Tag)
			pin(&g.Fields, o.Name, g.Slug)
			return g
		}
		if g.Scope == w.ownScope() {
			names[g.Name], slugs[g.Slug] = true, true
		}
	}
	g := VLANGroup{Name: free(o.Name, names), Slug: free(slugName, slugs), Scope: w.ownScope(), VIDRanges: [][2]uint16{{1, 4094}}, Tags: []string{w.c.Tag}}
	pin(&g.Fields, o.Name, g.Slug)
	return w.vlanGroups.add(g)
}

// free returns the name, with a number behind it where it is taken.
func free(name string, taken map[string]bool) string {
	try := name
	for n := 2; taken[try]; n++ {
		try = fmt.Sprintf("%s-%d", name, n)
	}
	return try
}

// containersOf writes the container prefixes of IPv4 namespaces and reports whether it
// changed any.
//
// The global table has a network once, and so one IPv4 namespace. Where the manifests
// give it to several, the others have it in hedgehog_spec or hedgehog_objects.
//
// A container that a namespace of the manifests no longer has loses the fabric's tag and
// stays: it is a record of its own, and only pruning removes records.
func (w *writer) containersOf() bool {
	var global map[netip.Prefix][]*Prefix
	given := map[netip.Prefix]bool{} // to a namespace, by this function
	changed := false
	for o, spec := range hedgehog.Each[*hedgehog.IPv4NamespaceSpec](w.want) {
		if !w.differs(o) || !fits(o.Kind, o.Name) {
			continue
		}
		if global == nil {
			global = map[netip.Prefix][]*Prefix{}
			for _, p := range w.prefixes.sorted() {
				if network, err := netip.ParsePrefix(p.Prefix); err == nil && p.VRF == 0 {
					global[network.Masked()] = append(global[network.Masked()], p)
				}
			}
		}
		have, wanted := map[netip.Prefix]bool{}, map[netip.Prefix]bool{}
		for _, text := range spec.Subnets {
			if network, err := netip.ParsePrefix(text); err == nil && network.Masked().Bits() > 0 {
				wanted[network.Masked()] = true
			}
		}
		for _, c := range w.seen.containers {
			if c.namespace != o.Name {
				continue
			}
			have[c.prefix] = true
			if row := w.prefixes.get(c.row.ID); !wanted[c.prefix] && len(w.c.Containers) == 0 && w.isOwn(row.Scope) {
				if row.Tags, changed = untagged(row.Tags, w.c.Tag), true; w.o.Prune {
					w.prefixes.remove(row.ID)
				}
			}
		}
		for _, text := range spec.Subnets {
			network, err := netip.ParsePrefix(text)
			if err != nil || have[network.Masked()] || !wanted[network.Masked()] || given[network.Masked()] {
				continue
			}
			network = network.Masked()
			have[network] = true
			if row := w.containerFor(o, network, global[network]); row != nil {
				given[network], changed = true, true
				name := any(o.Name)
				if o.Name == "default" {
					name = nil
				}
				if row.Fields.text("ipv4_namespace") != o.Name {
					row.Fields.set("ipv4_namespace", name)
				}
			}
		}
	}
	return changed
}

// containerFor finds the container of a network in the global table, or makes one.
func (w *writer) containerFor(o *hedgehog.Object, network netip.Prefix, there []*Prefix) *Prefix {
	if listed := w.c.Containers; len(listed) > 0 && !slices.ContainsFunc(listed, func(s string) bool {
		p, err := netip.ParsePrefix(s)
		return err == nil && p.Masked() == network
	}) {
		w.fail("import-container-config", o, nil, "fabrics[].containers",
			fmt.Sprintf("%s of %s is none of the containers that the configuration names for fabric %s", network, o.Key(), w.c.Name),
			fmt.Sprintf("add %q to `containers` in hedgehog-gitops.yaml", network))
		return nil
	}
	for _, c := range w.seen.containers {
		if c.prefix == network { // of another namespace of the fabric
			if w.keeps(c.namespace, network) {
				return nil
			}
			return w.prefixes.get(c.row.ID)
		}
	}
	for _, p := range there {
		if !w.isOwn(p.Scope) && p.Scope != (Scope{}) {
			if !w.seen.touches(p.Scope) {
				continue
			}
			w.fail("import-container-scope", o, p, "scope",
				fmt.Sprintf("%s is wanted as a container of %s, and NetBox documents it for a wider area", network, o.Key()),
				fmt.Sprintf("tag it %s if it is meant, or give it the fabric's site or location as scope", w.c.Tag))
			return nil
		}
		if p.Status != "container" {
			w.fail("import-container-status", o, p, "status",
				fmt.Sprintf("%s is wanted as a container of %s, and its status in NetBox is %s", network, o.Key(), p.Status), "set its status to container")
			return nil
		}
		p.Tags = tagged(p.Tags, w.c.Tag)
		if p.Scope == (Scope{}) {
			p.Scope = w.ownScope()
		}
		return p
	}
	if len(there) > 0 { // NetBox refuses it twice in the global table, unless ENFORCE_GLOBAL_UNIQUE is off
		w.fail("import-container-twice", o, there[0], "scope",
			fmt.Sprintf("%s is wanted as a container of %s, and NetBox has it for another site or location", network, o.Key()),
			fmt.Sprintf("share it: list %q under `containers` of both fabrics in hedgehog-gitops.yaml, or give it a scope that both lie in", network))
		return nil
	}
	return w.prefixes.add(Prefix{Prefix: network.String(), Status: "container", Scope: w.ownScope(), Tags: []string{w.c.Tag}})
}

// keeps reports whether the manifests have the network in that IPv4 namespace.
func (w *writer) keeps(namespace string, network netip.Prefix) bool {
	o := w.want.Get(hedgehog.KindIPv4Namespace, namespace)
	if o == nil {
		return false
	}
	spec, _ := o.Spec.(*hedgehog.IPv4NamespaceSpec)
	return spec != nil && slices.ContainsFunc(spec.Subnets, func(s string) bool {
		p, err := netip.ParsePrefix(s)
		return err == nil && p.Masked() == network
	})
}
