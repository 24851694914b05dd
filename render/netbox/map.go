package netbox

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"hedgehog-gitops/render/hedgehog"
)

// Map returns the fabric that the snapshot documents, in the form that the
// cluster stores ([hedgehog.Default]), and every [hedgehog.Issue] met on the
// way. When one of them is an error the fabric is nil: a fabric is never
// rendered in part.
func Map(s *Snapshot, c Config) (*hedgehog.Fabric, hedgehog.Issues) {
	return NewIndex(s).Map(c)
}

// Map is [Map] for an index that is there already.
func (x *Index) Map(c Config) (*hedgehog.Fabric, hedgehog.Issues) {
	m := x.mapped(c)
	if m.issues.Worst() == hedgehog.Error {
		return nil, m.issues
	}
	return &m.fabric, m.issues
}

// mapped returns the mapper when it is done, with as much of the fabric as it could
// make whatever the issues are.
func (x *Index) mapped(c Config) *mapper {
	m := &mapper{
		Index:       x,
		c:           c,
		profiles:    map[string]*hedgehog.Profile{},
		switches:    map[ID]*switchNode{},
		servers:     map[ID]*node{},
		gateways:    map[ID]*gatewayNode{},
		claimed:     map[hedgehog.Key]row{},
		namespaceOf: map[ID]string{},
		vpcs:        map[ID]*vpc{},
		externals:   map[ID]*external{},
		subnetsOf:   map[ID][]*subnet{},
	}
	if m.complete() && m.scope() {
		m.namespaces()
		m.nodes()
		m.vpcRecords()
		m.externalRecords()
		m.connections()
		m.peerings()
		m.finishGateways()
		m.finishVPCs()
		m.finishExternals()
		m.homeless()
	}
	m.issues.Sort()
	m.issues = slices.Compact(m.issues)
	return m
}

// mapper maps one fabric.
type mapper struct {
	*Index
	c      Config
	fabric hedgehog.Fabric
	issues hedgehog.Issues

	site     *Site
	location *Location   // nil: the whole site
	inside   map[ID]bool // the location and those inside it; nil: the whole site
	above    map[Scope]bool

	groups      []*VLANGroup // the fabric's VLAN namespaces
	namespaceOf map[ID]string
	containers  []container

	profiles map[string]*hedgehog.Profile
	switches map[ID]*switchNode
	servers  map[ID]*node
	gateways map[ID]*gatewayNode
	leaves   []*switchNode // switches in the natural order of their names

	vpcs      map[ID]*vpc
	externals map[ID]*external
	subnetsOf map[ID][]*subnet // by VLAN

	claimed map[hedgehog.Key]row // who has a name
}

// node is a device of the fabric.
type node struct {
	device *Device
	name   string
	object *hedgehog.Object
}

// report adds an issue about a NetBox record.
func (m *mapper) report(severity hedgehog.Severity, rule string, key hedgehog.Key, at row, field, summary, hint string) {
	i := hedgehog.Issue{Rule: rule, Severity: severity, Object: key, Field: field, Summary: summary, Hint: hint}
	if at != nil {
		i.Origin = origin(at)
	}
	m.issues = append(m.issues, i)
}

func (m *mapper) fail(rule string, key hedgehog.Key, at row, field, summary, hint string) {
	m.report(hedgehog.Error, rule, key, at, field, summary, hint)
}

func (m *mapper) notice(rule string, key hedgehog.Key, at row, field, summary, hint string) {
	m.report(hedgehog.Notice, rule, key, at, field, summary, hint)
}

func (m *mapper) warn(rule string, key hedgehog.Key, at row, field, summary, hint string) {
	m.report(hedgehog.Warning, rule, key, at, field, summary, hint)
}

// cf is a custom field as people see its name.
func cf(name string) string { return "custom field " + prefixFields + name }

// scope finds the site and location, and what lies above and inside them.
func (m *mapper) scope() bool {
	for _, s := range m.sites {
		if s.Slug == m.c.Site {
			m.site = s
		}
	}
	if m.site == nil {
		m.fail("site-unknown", hedgehog.Key{}, nil, "fabrics[].site",
			fmt.Sprintf("fabric %s: NetBox has no site with the slug %q", m.c.Name, m.c.Site),
			m.otherSites())
		return false
	}
	m.above = map[Scope]bool{{"dcim.site", m.site.ID}: true}
	for id, n := m.site.Region, 0; id != 0 && n <= len(m.regions); n++ {
		m.above[Scope{"dcim.region", id}] = true
		if r := m.regions[id]; r != nil {
			id = r.Parent
		} else {
			id = 0
		}
	}
	for id, n := m.site.Group, 0; id != 0 && n <= len(m.siteGroups); n++ {
		m.above[Scope{"dcim.sitegroup", id}] = true
		if g := m.siteGroups[id]; g != nil {
			id = g.Parent
		} else {
			id = 0
		}
	}
	if m.c.Location == "" {
		return true
	}
	// A slug is unique among the locations of one parent only.
	var found []*Location
	for _, l := range m.locations {
		if l.Site == m.site.ID && l.Slug == m.c.Location {
			found = append(found, l)
		}
	}
	if len(found) != 1 {
		what := "has no location"
		if len(found) > 1 {
			what = fmt.Sprintf("has %d locations", len(found))
		}
		m.fail("location-unknown", hedgehog.Key{}, m.site, "fabrics[].location",
			fmt.Sprintf("fabric %s: site %s %s with the slug %q", m.c.Name, m.site.Name, what, m.c.Location),
			"correct `location` in hedgehog-gitops.yaml, or the slugs in NetBox")
		return false
	}
	m.location = found[0]
	for id, n := m.location.Parent, 0; id != 0 && n <= len(m.locations); n++ {
		m.above[Scope{"dcim.location", id}] = true
		if l := m.locations[id]; l != nil {
			id = l.Parent
		} else {
			id = 0
		}
	}
	m.inside = map[ID]bool{}
	for _, l := range m.locations {
		for at, n := l, 0; at != nil && n <= len(m.locations); at, n = m.locations[at.Parent], n+1 {
			if at == m.location {
				m.inside[l.ID] = true
				break
			}
		}
	}
	return true
}

// otherSites is the hint for a site that is not there.
func (m *mapper) otherSites() string {
	var slugs []string
	for _, s := range sorted(m.sites) {
		slugs = append(slugs, s.Slug)
	}
	slices.SortFunc(slugs, natural)
	if len(slugs) > 8 {
		slugs = append(slugs[:8], "...")
	}
	if len(slugs) == 0 {
		return "create the site in NetBox; it has none"
	}
	return "name one of its sites with `site` in the configuration, or with --fabric where there is none: " + strings.Join(slugs, ", ")
}

// touches reports whether a scope is the fabric's site or location, or one
// above or inside it.
func (m *mapper) touches(s Scope) bool {
	if m.above[s] {
		return true
	}
	if s.Type != "dcim.location" {
		return false
	}
	if m.inside != nil {
		return m.inside[s.ID]
	}
	l := m.locations[s.ID]
	return l != nil && l.Site == m.site.ID
}

// roleOf returns what a device is to the fabric, by its role or the nearest role
// above it that is configured; empty when it is nothing.
func (m *mapper) roleOf(d *Device) string {
	role := m.deviceRoles[d.Role]
	for n := 0; role != nil && n <= len(m.deviceRoles); n++ {
		for _, name := range []string{RoleSpine, RoleServerLeaf, RoleBorderLeaf, RoleMixedLeaf, RoleServer, RoleGateway, RoleExternal} {
			if slices.Contains(m.c.Roles[name], role.Slug) {
				return name
			}
		}
		role = m.deviceRoles[role.Parent]
	}
	return ""
}

// rendered reports whether a device's status and tags let it be rendered.
func (m *mapper) rendered(d *Device) bool {
	return slices.Contains(m.c.Statuses, d.Status) && !slices.Contains(d.Tags, m.c.Tag+"-ignore")
}

// here reports whether a device stands in the fabric's site and location.
func (m *mapper) here(d *Device) bool {
	return d.Site == m.site.ID && (m.inside == nil || m.inside[d.Location])
}

// named gives a record its name in the fabric: the pinned one, else the slug of
// the name that people gave it. It reports names that Kubernetes or Hedgehog
// refuse and returns false.
func (m *mapper) named(kind hedgehog.Kind, at row, given, pinned string) (string, bool) {
	name := pinned
	if name == "" {
		name = slug(given)
	}
	key := hedgehog.Key{Kind: kind, Name: name}
	switch {
	case name == "":
		m.fail("name-empty", hedgehog.Key{Kind: kind, Name: given}, at, cf("name"),
			fmt.Sprintf("no name can be made of %q", given), "set "+cf("name")+" to a lower-case name")
		return "", false
	case !validName(name):
		m.fail("name-invalid", key, at, cf("name"),
			fmt.Sprintf("%q is no name for a Kubernetes object", name),
			"set "+cf("name")+": lower-case letters, digits, hyphens and dots, a letter or digit at both ends and beside every dot")
		return "", false
	}
	if limit := nameLimit(kind); len(name) > limit {
		m.fail(strings.ToLower(string(kind))+"-name-length", key, at, cf("name"),
			fmt.Sprintf("the name %q has %d characters; a %s may have %d", name, len(name), kind, limit),
			fmt.Sprintf("set %s to a name of at most %d characters", cf("name"), limit))
		return "", false
	}
	if (kind == hedgehog.KindVPC || kind == hedgehog.KindExternal) && strings.HasPrefix(name, "ext.") {
		m.fail(strings.ToLower(string(kind))+"-name-ext", key, at, cf("name"),
			fmt.Sprintf("the name %q begins with ext., which Hedgehog keeps for itself", name),
			"set "+cf("name")+" to another name")
		return "", false
	}
	return name, true
}

// nameLimit is the length of the longest name of a kind: Hedgehog's own for
// three kinds, and that of a label, which the others become part of.
func nameLimit(kind hedgehog.Kind) int {
	switch kind {
	case hedgehog.KindVPC, hedgehog.KindExternal, hedgehog.KindIPv4Namespace:
		return 11
	case hedgehog.KindVPCAttachment, hedgehog.KindVPCPeering, hedgehog.KindExternalAttachment,
		hedgehog.KindExternalPeering, hedgehog.KindGatewayPeering:
		return 253
	}
	return 63
}

// validName reports whether a name is an RFC 1123 subdomain.
func validName(name string) bool {
	if len(name) > 253 {
		return false
	}
	for part := range strings.SplitSeq(name, ".") {
		if part == "" || !isWord(part[0]) || !isWord(part[len(part)-1]) {
			return false
		}
		for i := range len(part) {
			if !isWord(part[i]) && part[i] != '-' {
				return false
			}
		}
	}
	return true
}

// claim takes a name for a record. A name that another record has is an error
// that names both.
func (m *mapper) claim(kind hedgehog.Kind, name string, by row) bool {
	key := hedgehog.Key{Kind: kind, Name: name}
	first, taken := m.claimed[key]
	if !taken {
		m.claimed[key] = by
		return true
	}
	m.fail("name-collision", key, by, cf("name"),
		fmt.Sprintf("%s is called %q by two records: this one and %s", kind, name, first.path()),
		"rename one of the two, or set "+cf("name")+" on it")
	return false
}

// numbered takes a name that several objects may share: the first has it plain,
// the next with --2, --3 behind it, each with a notice of how to pin it.
func (m *mapper) numbered(kind hedgehog.Kind, name string, by row, what string) string {
	for n := 1; ; n++ {
		try := name
		if n > 1 {
			try = fmt.Sprintf("%s--%d", name, n)
		}
		key := hedgehog.Key{Kind: kind, Name: try}
		if _, taken := m.claimed[key]; taken {
			continue
		}
		m.claimed[key] = by
		if n > 1 {
			m.notice("name-repeated", key, by, cf("name"),
				fmt.Sprintf("the name %q is taken, so this one is %q; removing the other would rename it, and a rename deletes and creates", name, try),
				"set "+cf("name")+" on "+what+" to keep the name")
		}
		return try
	}
}

// newObject starts an object whose anchor is a record.
func newObject(kind hedgehog.Kind, name string, anchor row, more ...row) *hedgehog.Object {
	o := hedgehog.New(kind, name, origin(anchor))
	from(o, more...)
	return o
}

// from notes that an object was made of further records.
func from[R row](o *hedgehog.Object, rows ...R) {
	for _, r := range rows {
		if at := origin(r); !slices.Contains(o.Origins, at) {
			o.Origins = append(o.Origins, at)
		}
	}
}

// add defaults the object and puts it into the fabric.
func (m *mapper) add(o *hedgehog.Object) {
	hedgehog.Default(o)
	// The anchor stays first; the others in an order of their own, so that it
	// does not matter how they were found.
	if len(o.Origins) > 1 {
		slices.SortFunc(o.Origins[1:], func(a, b hedgehog.Origin) int {
			return cmp.Or(natural(a.Path, b.Path), cmp.Compare(a.Line, b.Line))
		})
	}
	if bad := m.fabric.Add(o); bad != nil {
		m.issues = append(m.issues, *bad)
	}
}

// sorted returns the values of a map in the order of their ids.
func sorted[T any](rows map[ID]T) []T {
	out := make([]T, 0, len(rows))
	for _, id := range slices.Sorted(maps.Keys(rows)) {
		out = append(out, rows[id])
	}
	return out
}
