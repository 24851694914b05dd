package netbox

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"

	"hedgehog-gitops/render/hedgehog"
)

// container is a container prefix of the fabric, with the IPv4 namespace that
// it belongs to.
type container struct {
	row       *Prefix
	prefix    netip.Prefix
	namespace string
}

// namespaces renders the VLAN groups and container prefixes of the fabric.
func (m *mapper) namespaces() {
	m.vlanNamespaces()
	m.ipv4Namespaces()
}

func (m *mapper) vlanNamespaces() {
	if len(m.c.VLANGroups) > 0 {
		for _, slug := range m.c.VLANGroups {
			if g := m.groupBySlug(slug); g != nil && !slices.Contains(m.groups, g) {
				m.groups = append(m.groups, g)
			}
		}
	} else {
		for _, g := range sorted(m.vlanGroups) {
			if slices.Contains(g.Tags, m.c.Tag) && m.touches(g.Scope) {
				m.groups = append(m.groups, g)
			}
		}
	}
	for _, g := range m.groups {
		pinned := g.Fields.text("name")
		given := g.Slug
		name, ok := m.named(hedgehog.KindVLANNamespace, g, given, pinned)
		if !ok || !m.claim(hedgehog.KindVLANNamespace, name, g) {
			continue
		}
		m.namespaceOf[g.ID] = name
		o := newObject(hedgehog.KindVLANNamespace, name, g)
		o.Spec = &hedgehog.VLANNamespaceSpec{Ranges: mergeRanges(g.VIDRanges)}
		m.patch(o, g, g.Fields.value("spec"))
		m.add(o)
	}
}

// groupBySlug finds a VLAN group that the configuration names. Slugs are unique
// within a scope only, so a group of the fabric's own scope wins.
func (m *mapper) groupBySlug(slug string) *VLANGroup {
	var near, all []*VLANGroup
	for _, g := range sorted(m.vlanGroups) {
		if g.Slug != slug {
			continue
		}
		all = append(all, g)
		if m.touches(g.Scope) {
			near = append(near, g)
		}
	}
	if len(near) > 0 {
		all = near
	}
	switch len(all) {
	case 1:
		return all[0]
	case 0:
		m.fail("vlan-group-unknown", hedgehog.Key{}, nil, "fabrics[].vlanGroups",
			fmt.Sprintf("fabric %s: NetBox has no VLAN group with the slug %q", m.c.Name, slug),
			"correct `vlanGroups` in hedgehog-gitops.yaml, or create the group")
	default:
		m.fail("vlan-group-ambiguous", hedgehog.Key{}, all[1], "slug",
			fmt.Sprintf("fabric %s: %d VLAN groups have the slug %q", m.c.Name, len(all), slug),
			"give the fabric's group a scope of its own, or another slug")
	}
	return nil
}

// mergeRanges sorts ranges and joins those that touch or overlap.
func mergeRanges(in [][2]uint16) []hedgehog.VLANRange {
	in = slices.Clone(in)
	slices.SortFunc(in, func(a, b [2]uint16) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1])) })
	var out []hedgehog.VLANRange
	for _, r := range in {
		if n := len(out) - 1; n >= 0 && int(r[0]) <= int(out[n].To)+1 {
			out[n].To = max(out[n].To, r[1])
			continue
		}
		out = append(out, hedgehog.VLANRange{From: r[0], To: r[1]})
	}
	return out
}

func (m *mapper) ipv4Namespaces() {
	var rows []*Prefix
	if len(m.c.Containers) > 0 {
		for _, want := range m.c.Containers {
			rows = append(rows, m.containersNamed(want)...)
		}
	} else {
		for i := range m.rows.Prefixes {
			p := &m.rows.Prefixes[i]
			if p.Status != "container" || !slices.Contains(p.Tags, m.c.Tag) || !m.touches(p.Scope) {
				continue
			}
			if p.VRF != 0 {
				m.notice("container-in-vrf", hedgehog.Key{}, p, "vrf",
					fmt.Sprintf("container %s is tagged %s but stands in a VRF, so it is no IPv4 namespace", p.Prefix, m.c.Tag),
					"move it to the global table, or remove the tag")
				continue
			}
			rows = append(rows, p)
		}
	}
	byName := map[string][]container{}
	for _, p := range rows {
		prefix, err := netip.ParsePrefix(p.Prefix)
		if err != nil {
			continue // NetBox holds no such prefix
		}
		name := p.Fields.text("ipv4_namespace")
		if name == "" {
			name = "default"
		}
		c := container{p, prefix.Masked(), name}
		if slices.Contains(m.containers, c) {
			continue
		}
		m.containers = append(m.containers, c)
		byName[name] = append(byName[name], c)
	}
	for _, name := range sortedKeys(byName) {
		list := byName[name]
		first := list[0].row
		if _, ok := m.named(hedgehog.KindIPv4Namespace, first, name, name); !ok {
			continue
		}
		m.claim(hedgehog.KindIPv4Namespace, name, first)
		o := newObject(hedgehog.KindIPv4Namespace, name, first)
		spec := &hedgehog.IPv4NamespaceSpec{}
		for _, c := range list {
			from(o, c.row)
			spec.Subnets = append(spec.Subnets, c.prefix.String())
		}
		o.Spec = spec
		m.add(o)
	}
}

func (m *mapper) containersNamed(want string) []*Prefix {
	var found []*Prefix
	wanted, err := netip.ParsePrefix(want)
	if err == nil {
		for i := range m.rows.Prefixes {
			p := &m.rows.Prefixes[i]
			if have, err := netip.ParsePrefix(p.Prefix); err == nil && have == wanted.Masked() && p.VRF == 0 && p.Status == "container" {
				found = append(found, p)
			}
		}
	}
	// The global table may hold a network twice; the one in scope is meant.
	if len(found) > 1 {
		if near := slices.DeleteFunc(slices.Clone(found), func(p *Prefix) bool { return !m.touches(p.Scope) }); len(near) > 0 {
			found = near
		}
	}
	switch {
	case len(found) == 0:
		m.fail("container-unknown", hedgehog.Key{}, nil, "fabrics[].containers",
			fmt.Sprintf("fabric %s: NetBox has no container prefix %s in the global table", m.c.Name, want),
			"correct `containers` in hedgehog-gitops.yaml, or give the prefix the status container")
	case len(found) > 1:
		m.fail("container-ambiguous", hedgehog.Key{}, found[1], "scope",
			fmt.Sprintf("fabric %s: %d container prefixes %s stand in the global table", m.c.Name, len(found), want),
			"give one of them the fabric's site or location as scope")
		found = nil
	}
	return found
}

// containerOf returns the smallest container of the fabric that holds the
// prefix, or nil.
func (m *mapper) containerOf(p netip.Prefix) *container {
	var best *container
	for i := range m.containers {
		c := &m.containers[i]
		if c.prefix.Bits() <= p.Bits() && c.prefix.Contains(p.Addr()) && (best == nil || c.prefix.Bits() > best.prefix.Bits()) {
			best = c
		}
	}
	return best
}
