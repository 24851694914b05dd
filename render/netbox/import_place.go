package netbox

import (
	"fmt"
	"slices"
	"strings"

	"hedgehog-gitops/render/hedgehog"
)

// place makes the site and the location that the fabric is configured to stand in, where
// they are missing.
func (w *writer) place() {
	for _, i := range w.seen.issues {
		if i.Rule == "snapshot-incomplete" {
			w.issues = append(w.issues, i)
		}
	}
	if w.failed() {
		return
	}
	site := w.sites.find(func(s *Site) bool { return s.Slug == w.c.Site })
	if site == nil {
		if other := w.sites.find(func(s *Site) bool { return s.Name == w.c.Site }); other != nil {
			w.fail("import-site-name", nil, other, "name",
				fmt.Sprintf("fabric %s: NetBox has no site with the slug %q, and another site has that name", w.c.Name, w.c.Site),
				"correct `site` in the configuration: it is a slug")
			return
		}
		site = w.sites.add(Site{Name: w.c.Site, Slug: w.c.Site})
	}
	if w.c.Location == "" {
		return
	}
	var found []*Location
	for _, l := range w.locations.sorted() {
		if l.Site == site.ID && l.Slug == w.c.Location {
			found = append(found, l)
		}
	}
	switch len(found) {
	case 0:
		w.locations.add(Location{Name: w.c.Location, Slug: w.c.Location, Site: site.ID})
	case 1:
	default:
		w.fail("import-location-ambiguous", nil, found[1], "slug",
			fmt.Sprintf("fabric %s: site %s has %d locations with the slug %q", w.c.Name, site.Name, len(found), w.c.Location),
			"give the fabric's location a slug of its own in NetBox")
	}
}

// underlayVRF returns the id of the VRF that the addresses of the underlay go into, and
// makes it when it is missing; 0 is the global table. It is not ok when several VRFs have
// the name, which an issue says.
func (w *writer) underlayVRF() (id ID, ok bool) {
	if w.c.UnderlayVRF == "" {
		return 0, true
	}
	b := w.nodeBook()
	if b.underlay != 0 {
		return b.underlay, true
	}
	var found []*VRF
	for _, v := range w.vrfs.sorted() {
		if v.Name == w.c.UnderlayVRF {
			found = append(found, v)
		}
	}
	switch len(found) {
	case 0:
		found = append(found, w.vrfs.add(VRF{Name: w.c.UnderlayVRF}))
	case 1:
	default:
		w.fail("import-underlay-vrf", nil, found[1], "name",
			fmt.Sprintf("fabric %s: NetBox has %d VRFs called %q, one of which holds the addresses of the underlay", w.c.Name, len(found), w.c.UnderlayVRF),
			"rename the others, or give `underlayVRF` another name")
		return 0, false
	}
	b.underlay = found[0].ID
	return b.underlay, true
}

// places finds and makes what a device refers to: its type and its role.
type places struct {
	w        *writer
	makers   map[string]*Manufacturer // by slug
	profiles map[string]*DeviceType   // by the switch profile that it resolves to
	roles    map[string]ID            // by what they are to the fabric
	generic  map[string]*DeviceType   // by model
}

func (w *writer) places() *places {
	p := &places{w: w, makers: map[string]*Manufacturer{}, profiles: map[string]*DeviceType{}, roles: map[string]ID{}, generic: map[string]*DeviceType{}}
	for _, m := range w.manufacturers.sorted() {
		p.makers[m.Slug] = m
	}
	for _, t := range w.deviceTypes.sorted() {
		name := p.profileOf(t)
		if first := p.profiles[name]; first == nil || !p.isModel(first, name) && p.isModel(t, name) {
			p.profiles[name] = t
		}
	}
	for _, r := range w.deviceRoles.sorted() {
		role := w.seen.roleOf(&Device{Role: r.ID})
		// The one that the configuration names first; those inside it come last.
		place := func(r *DeviceRole) uint { return uint(slices.Index(w.c.Roles[role], r.Slug)) }
		if first := w.deviceRoles.get(p.roles[role]); first == nil || place(r) < place(first) {
			p.roles[role] = r.ID
		}
	}
	return p
}

// profileOf is the switch profile that a device type resolves to, or empty.
func (p *places) profileOf(t *DeviceType) string {
	if name := t.Fields.text("switch_profile"); name != "" {
		return name
	}
	maker := ""
	if m := p.w.manufacturers.get(t.Manufacturer); m != nil {
		maker = m.Slug
	}
	if name := p.w.c.Profiles[maker+"/"+t.Slug]; name != "" {
		return name
	}
	name, _ := hedgehog.ProfileByDeviceType(maker, t.Slug, t.Model, t.PartNumber)
	return name
}

// isModel reports whether a type has the model that we would give it.
func (p *places) isModel(t *DeviceType, profile string) bool {
	known := p.w.nodeBook().wiring.profile(profile)
	return known != nil && t.Model == known.Model
}

// switchType returns the device type of a switch profile; the first one that resolves to
// it, the one of the profile's own model before others.
func (p *places) switchType(o *hedgehog.Object, profile string) *DeviceType {
	if t := p.profiles[profile]; t != nil && profile != "" {
		return t
	}
	known := p.w.nodeBook().wiring.profile(profile)
	if known == nil {
		p.w.fail("import-profile-unknown", o, nil, "spec.profile", fmt.Sprintf("%q is no switch profile", profile), "use one of the profiles of docs/profiles.md")
		return nil
	}
	t := p.deviceType(known.Manufacturer, known.Model, known.Name)
	if have := p.profileOf(t); have == "" {
		t.Fields.set("switch_profile", profile)
	} else if have != profile {
		p.w.fail("import-type-profile", o, t, cf("switch_profile"),
			fmt.Sprintf("device type %s %s would be switch profile %s, and is %s in NetBox", known.Manufacturer, known.Model, profile, have),
			"correct "+cf("switch_profile")+" of the device type, or `profiles` in the configuration")
		return nil
	}
	p.profiles[profile] = t
	return t
}

// genericType returns the device type of what is no switch.
func (p *places) genericType(model string) *DeviceType {
	if p.generic[model] == nil {
		p.generic[model] = p.deviceType("Generic", model, model)
	}
	return p.generic[model]
}

// deviceType finds a device type by its manufacturer and its slug or model, or makes it.
func (p *places) deviceType(maker, model, typeSlug string) *DeviceType {
	m := p.makers[slug(maker)]
	if m == nil {
		m = p.w.manufacturers.find(func(m *Manufacturer) bool { return strings.EqualFold(m.Name, maker) })
	}
	if m == nil {
		m = p.w.manufacturers.add(Manufacturer{Name: maker, Slug: slug(maker)})
		p.makers[m.Slug] = m
	}
	t := p.w.deviceTypes.find(func(t *DeviceType) bool {
		return t.Manufacturer == m.ID && (t.Slug == typeSlug || strings.EqualFold(t.Model, model))
	})
	if t == nil {
		t = p.w.deviceTypes.add(DeviceType{Manufacturer: m.ID, Model: model, Slug: typeSlug})
	}
	return t
}

// role returns the device role that makes a device what it is to the fabric.
func (p *places) role(o *hedgehog.Object, role string) (ID, bool) {
	if id := p.roles[role]; id != 0 {
		return id, true
	}
	slugs := p.w.c.Roles[role]
	if len(slugs) == 0 {
		p.w.fail("import-role-unset", o, nil, "fabrics[].roles", fmt.Sprintf("no device role is configured for %s", role),
			fmt.Sprintf("set `roles: {%s: ...}` in hedgehog-gitops.yaml", role))
		return 0, false
	}
	r := p.w.deviceRoles.add(DeviceRole{Slug: slugs[0]})
	p.roles[role] = r.ID
	return r.ID, true
}
