package netbox

import (
	"fmt"
	"slices"
	"strings"

	"hedgehog-gitops/render/hedgehog"
)

// peer is one side of a peering: a VPC or an external of the fabric.
type peer struct {
	vpc      *vpc
	external *external
}

func (p peer) name() string {
	if p.vpc != nil {
		return p.vpc.name
	}
	return p.external.name
}

// peerings renders tagged route targets that VRFs of the fabric share.
func (m *mapper) peerings() {
	type shared struct {
		target *RouteTarget
		vrfs   []*VRF
	}
	var targets []shared
	for i := range m.rows.RouteTargets {
		t := &m.rows.RouteTargets[i]
		if !slices.Contains(t.Tags, m.c.Tag) {
			continue
		}
		targets = append(targets, shared{target: t})
	}
	users := map[ID][]*VRF{}
	for _, v := range sorted(m.vrfs) {
		for _, id := range v.ImportTargets {
			users[id] = append(users[id], v)
		}
		for _, id := range v.ExportTargets {
			if !slices.Contains(users[id], v) {
				users[id] = append(users[id], v)
			}
		}
	}
	// Sharing a target with a VPC of the fabric brings an external into it. The
	// externals of all targets must be known before any of them is used.
	for n := range targets {
		s := &targets[n]
		var oneWay []*VRF
		for _, v := range users[s.target.ID] {
			if slices.Contains(v.ImportTargets, s.target.ID) && slices.Contains(v.ExportTargets, s.target.ID) {
				s.vrfs = append(s.vrfs, v)
			} else {
				oneWay = append(oneWay, v)
			}
		}
		withVPC := slices.ContainsFunc(s.vrfs, func(v *VRF) bool { return m.vpcs[v.ID] != nil })
		for _, v := range oneWay {
			e := m.externals[v.ID]
			if m.vpcs[v.ID] != nil || e != nil && (e.inScope || withVPC) {
				m.oneWay(s.target, v)
			}
		}
		for _, v := range s.vrfs {
			if e := m.externals[v.ID]; e != nil && withVPC {
				m.enter(e)
			}
		}
	}
	for _, s := range targets {
		m.peering(s.target, s.vrfs)
	}
}

// oneWay reports that a VRF of the fabric only imports or only exports a target.
func (m *mapper) oneWay(t *RouteTarget, v *VRF) {
	field, word := "export_targets", "imports"
	if slices.Contains(v.ExportTargets, t.ID) {
		field, word = "import_targets", "exports"
	}
	m.fail("peering-one-way", hedgehog.Key{}, v, field,
		fmt.Sprintf("VRF %s only %s route target %s, and a peering goes both ways", v.Name, word, t.Name),
		fmt.Sprintf("import and export the target on both sides, or take the tag %s off it", m.c.Tag))
}

// peering renders one route target: a peering of each pair of its VRFs.
func (m *mapper) peering(t *RouteTarget, vrfs []*VRF) {
	var sides []peer
	for _, v := range vrfs {
		if p := m.vpcs[v.ID]; p != nil {
			sides = append(sides, peer{vpc: p})
		} else if e := m.externals[v.ID]; e != nil && e.inScope {
			sides = append(sides, peer{external: e})
		}
	}
	if len(sides) < 2 {
		if len(sides) == 1 {
			m.notice("peering-alone", hedgehog.Key{}, t, "importing_vrfs",
				fmt.Sprintf("route target %s joins %s to no other VRF of the fabric, so it is left out", t.Name, sides[0].name()),
				"import and export it in the VRF of the other side, or take the tag off it")
		}
		return
	}
	slices.SortFunc(sides, func(a, b peer) int {
		if (a.vpc == nil) != (b.vpc == nil) {
			if a.vpc != nil {
				return -1
			}
			return 1
		}
		return strings.Compare(a.name(), b.name())
	})
	var pairs [][2]peer
	for i, a := range sides {
		for _, b := range sides[i+1:] {
			if a.vpc != nil {
				pairs = append(pairs, [2]peer{a, b})
			}
		}
	}
	if len(pairs) == 0 {
		m.notice("peering-externals-only", hedgehog.Key{}, t, "importing_vrfs",
			fmt.Sprintf("route target %s joins externals only, which do not peer, so it is left out", t.Name), "import and export it in a VPC's VRF, or take the tag off it")
		return
	}
	if len(pairs) > 1 {
		m.notice("peering-several", hedgehog.Key{}, t, "importing_vrfs",
			fmt.Sprintf("route target %s joins %d VRFs of the fabric, so it makes %d peerings", t.Name, len(sides), len(pairs)), "use a route target of its own for each pair to say more about one")
		for _, field := range []string{"name", "spec"} {
			if t.Fields.value(field) != nil && t.Fields.value(field) != "" {
				m.fail("peering-field-ambiguous", hedgehog.Key{}, t, cf(field),
					fmt.Sprintf("%s of route target %s says something about one peering, and it makes %d", cf(field), t.Name, len(pairs)), "use a route target of its own for each pair")
				return
			}
		}
	}
	for _, pair := range pairs {
		m.pair(t, pair, len(pairs))
	}
}

// pair renders the peering of two sides; the first is a VPC.
func (m *mapper) pair(t *RouteTarget, pair [2]peer, count int) {
	kind := hedgehog.KindVPCPeering
	switch {
	case t.Fields.isTrue("gateway"):
		kind = hedgehog.KindGatewayPeering
	case pair[1].external != nil:
		kind = hedgehog.KindExternalPeering
	}
	pinned := t.Fields.text("name")
	name, ok := m.named(kind, t, pair[0].name()+"--"+pair[1].name(), pinned)
	if !ok || !m.claim(kind, name, t) {
		return
	}
	o := newObject(kind, name, t)
	for _, p := range pair {
		if p.vpc != nil {
			from(o, p.vpc.row)
		} else {
			from(o, p.external.row)
		}
	}
	switch kind {
	case hedgehog.KindVPCPeering:
		o.Spec = &hedgehog.VPCPeeringSpec{Permit: m.vpcPermit(t, o.Key(), pair, count)}
	case hedgehog.KindExternalPeering:
		o.Spec = m.externalPermit(t, o, pair, count)
	case hedgehog.KindGatewayPeering:
		if !m.c.Settings.Gateway {
			m.fail("gateway-disabled", o.Key(), t, cf("gateway"), "the route target is a gateway peering, and the installation has no gateways enabled",
				"set `gateway: true` for the fabric in hedgehog-gitops.yaml, or clear "+cf("gateway"))
			return
		}
		spec := &hedgehog.GatewayPeeringSpec{Peering: map[string]*hedgehog.PeeringSide{}}
		for _, p := range pair {
			key, side := m.peeringSide(o, p)
			spec.Peering[key] = side
		}
		o.Spec = spec
	}
	m.patch(o, t, t.Fields.value("spec"))
	m.add(o)
}

// vpcPermit is spec.permit of a VPCPeering: the target's field, else everything.
func (m *mapper) vpcPermit(t *RouteTarget, key hedgehog.Key, pair [2]peer, count int) []map[string]hedgehog.VPCPeer {
	a, b := pair[0].name(), pair[1].name()
	everything := []map[string]hedgehog.VPCPeer{{a: {}, b: {}}}
	raw := t.Fields.value("permit")
	if raw == nil {
		return everything
	}
	if _, isObject := raw.(map[string]any); isObject && count > 1 {
		return everything // it speaks of the external peerings of this target
	}
	var permit []map[string]hedgehog.VPCPeer
	if err := into(raw, &permit); err != nil {
		m.fail("permit-form", key, t, cf("permit"), cf("permit")+" is no list of permits: "+err.Error(),
			fmt.Sprintf(`write [{"%s": {"subnets": ["..."]}, "%s": {}}]`, a, b))
		return everything
	}
	if count == 1 {
		return permit
	}
	ours := slices.DeleteFunc(permit, func(p map[string]hedgehog.VPCPeer) bool {
		_, hasA := p[a]
		_, hasB := p[b]
		return !hasA || !hasB
	})
	if len(ours) == 0 {
		return everything
	}
	return ours
}

// externalPermit is the spec of an ExternalPeering: what the target's field
// says, else all subnets and whatever is behind the external.
func (m *mapper) externalPermit(t *RouteTarget, o *hedgehog.Object, pair [2]peer, count int) *hedgehog.ExternalPeeringSpec {
	v, e := pair[0].vpc, pair[1].external
	spec := &hedgehog.ExternalPeeringSpec{}
	spec.Permit.VPC.Name, spec.Permit.External.Name = v.name, e.name
	var said struct {
		Subnets  *[]string `json:"subnets"`
		Prefixes *[]any    `json:"prefixes"`
	}
	raw := t.Fields.value("permit")
	if _, isList := raw.([]any); isList && count > 1 {
		raw = nil // it speaks of the VPC peerings of this target
	}
	if raw != nil {
		if err := into(raw, &said); err != nil {
			m.fail("permit-form", o.Key(), t, cf("permit"), cf("permit")+" cannot be read: "+err.Error(), `write {"subnets": ["web"], "prefixes": ["0.0.0.0/0"]}`)
			return spec
		}
	}
	if said.Subnets != nil {
		spec.Permit.VPC.Subnets = *said.Subnets
	} else {
		for _, s := range v.subnets {
			from(o, s.row)
			if s.vlan != nil {
				from(o, s.vlan)
			}
			if s.key != "" {
				spec.Permit.VPC.Subnets = append(spec.Permit.VPC.Subnets, s.key)
			}
		}
	}
	if said.Prefixes != nil {
		for _, p := range *said.Prefixes {
			text, ok := p.(string)
			if entry, isObject := p.(map[string]any); isObject {
				text, ok = entry["prefix"].(string)
			}
			if !ok {
				m.fail("permit-form", o.Key(), t, cf("permit"), cf("permit")+" has a prefix that is no text", `write {"prefixes": ["0.0.0.0/0"]}`)
				continue
			}
			spec.Permit.External.Prefixes = append(spec.Permit.External.Prefixes, hedgehog.PermitPrefix{Prefix: text})
		}
		return spec
	}
	prefixes, open := []string{"0.0.0.0/0"}, true
	if e.static {
		var rows []*Prefix
		rows, prefixes, open = m.staticPrefixes(e)
		from(o, rows...)
	}
	for _, p := range prefixes {
		spec.Permit.External.Prefixes = append(spec.Permit.External.Prefixes, hedgehog.PermitPrefix{Prefix: p})
	}
	if open {
		m.warn("peering-opens-everything", o.Key(), t, cf("permit"),
			fmt.Sprintf("external peering %s has no permit, so it opens everything (0.0.0.0/0)", o.Name),
			fmt.Sprintf(`set %s to {"prefixes": ["..."]} to narrow it`, cf("permit")))
	}
	return spec
}

// peeringSide is one side of a gateway peering before its patch: a VPC exposes
// all its subnets, an external whatever is behind it.
func (m *mapper) peeringSide(o *hedgehog.Object, p peer) (string, *hedgehog.PeeringSide) {
	side := &hedgehog.PeeringSide{}
	if p.external != nil {
		e := p.external
		expose := hedgehog.Expose{Default: true}
		if e.static {
			if rows, prefixes, open := m.staticPrefixes(e); !open && !slices.Contains(prefixes, "0.0.0.0/0") {
				from(o, rows...)
				expose = hedgehog.Expose{}
				for _, prefix := range prefixes {
					expose.IPs = append(expose.IPs, hedgehog.ExposedIP{CIDR: prefix})
				}
			}
		}
		side.Expose = []hedgehog.Expose{expose}
		return "ext." + e.name, side
	}
	var expose hedgehog.Expose
	for _, s := range p.vpc.subnets {
		from(o, s.row)
		expose.IPs = append(expose.IPs, hedgehog.ExposedIP{CIDR: s.prefix.String()})
	}
	side.Expose = []hedgehog.Expose{expose}
	return p.vpc.name, side
}
