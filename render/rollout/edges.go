package rollout

import (
	"maps"
	"slices"
	"strings"

	"hedgehog-gitops/render/hedgehog"
)

// link finds what waits for what.
func (g *graph) link() {
	for _, c := range g.order {
		n := c.nodes
		if c.replaced != nil {
			g.wait(n[remove], n[create], true, *c.replaced)
		}
		g.wait(n[protect], n[move], true, Reason{Rule: Moves, Object: c.key})
		if n[interim] >= 0 {
			g.wait(n[interim], n[update], true, g.halfReason(c))
		}
		if c.after != nil {
			g.linkNeeds(c)
		}
		if c.before != nil {
			g.linkHolds(c)
		}
	}
	g.linkUnchanged()
	g.linkTakings()
	g.linkNamespaces()
}

// comes returns the action by which an object becomes what it shall be, -1 when it is so.
func (c *change) comes() int {
	if c.nodes[create] >= 0 {
		return c.nodes[create]
	}
	return c.nodes[update]
}

// goes returns the action by which an object gives up what it was, -1 when it does not.
func (c *change) goes() int {
	if c.nodes[remove] >= 0 {
		return c.nodes[remove]
	}
	return c.nodes[update]
}

// linkNeeds lets an object wait for those that it needs.
func (g *graph) linkNeeds(c *change) {
	then := c.comes()
	if then < 0 {
		return
	}
	keys := hedgehog.Needs(c.after)
	if s, ok := c.after.Spec.(*hedgehog.VPCAttachmentSpec); ok {
		// The VLAN namespaces of the switches behind the connection count too.
		if connection := g.wanted.Objects.Get(hedgehog.KindConnection, s.Connection); connection != nil {
			keys = append(keys, hedgehog.Needs(connection)...)
		}
	}
	for _, key := range keys {
		need := g.changes[key]
		if need == nil {
			continue
		}
		first := need.nodes[create]
		if first < 0 && need.nodes[update] >= 0 && relies(c.after, need.before, need.after) {
			first = need.nodes[update]
			if need.nodes[interim] >= 0 && isNamespace(key.Kind) {
				first = need.nodes[interim]
			}
		}
		if first >= 0 {
			g.wait(first, then, g.oneRoot(first, then), Reason{Rule: Needs, Object: c.key, Other: key})
		}
	}
}

func isNamespace(kind hedgehog.Kind) bool {
	return kind == hedgehog.KindIPv4Namespace || kind == hedgehog.KindVLANNamespace
}

// relies reports whether an object can need what another, which it refers to, becomes,
// and not do with what that was.
func relies(o, was, is *hedgehog.Object) bool {
	switch before := was.Spec.(type) {
	case *hedgehog.IPv4NamespaceSpec, *hedgehog.VLANNamespaceSpec:
		return !hedgehog.Fits(was, o)
	case *hedgehog.SwitchSpec:
		after, ok := is.Spec.(*hedgehog.SwitchSpec)
		return ok && (before.Profile != after.Profile || before.Redundancy != after.Redundancy || before.Role != after.Role ||
			!maps.Equal(before.PortBreakouts, after.PortBreakouts) || !slices.Equal(before.VLANNamespaces, after.VLANNamespaces))
	case *hedgehog.ConnectionSpec:
		return !slices.Equal(hedgehog.Holds(was), hedgehog.Holds(is))
	case *hedgehog.VPCSpec:
		after, ok := is.Spec.(*hedgehog.VPCSpec)
		if !ok || before.Mode != after.Mode || before.IPv4Namespace != after.IPv4Namespace || before.VLANNamespace != after.VLANNamespace {
			return true
		}
		for name, subnet := range after.Subnets {
			if old := before.Subnets[name]; old == nil || subnet == nil || old.HostBGP != subnet.HostBGP {
				return true
			}
		}
		// What a peering of gateways shows lies in the subnets.
		_, shown := o.Spec.(*hedgehog.GatewayPeeringSpec)
		return shown
	case *hedgehog.ExternalSpec:
		after, ok := is.Spec.(*hedgehog.ExternalSpec)
		return !ok || (before.Static == nil) != (after.Static == nil) || before.IPv4Namespace != after.IPv4Namespace
	}
	return false
}

// linkHolds lets what goes wait for those that hold it.
func (g *graph) linkHolds(c *change) {
	first := c.goes()
	if first < 0 {
		return
	}
	for _, key := range hedgehog.Holds(c.before) {
		held := g.changes[key]
		if held == nil || held.nodes[remove] < 0 {
			continue
		}
		then := held.nodes[remove]
		// Argo CD deletes first: what lets go in the same root never gets its turn.
		strict := g.prune && g.nodes[first].action == update && g.oneRoot(first, then)
		g.wait(first, then, strict, Reason{Rule: Holds, Object: key, Other: c.key})
	}
}

// linkUnchanged tells about what goes while something that does not change holds it.
func (g *graph) linkUnchanged() {
	gone := map[hedgehog.Key]bool{}
	for _, c := range g.order {
		if c.after == nil {
			gone[c.key] = true
		}
	}
	if len(gone) == 0 {
		return
	}
	for o := range g.wanted.Objects.All() {
		for _, key := range hedgehog.Holds(o) {
			if gone[key] {
				g.issues = append(g.issues, hedgehog.Issue{Rule: "update-delete-used", Severity: hedgehog.Error, Object: key, Origin: o.Origin(),
					Summary: key.String() + " goes while " + o.Key().String() + " stays and uses it: the cluster never deletes it",
					Hint:    "delete what uses it in NetBox too, or make it use another"})
			}
		}
	}
}

// linkTakings lets what gets something wait for what gives it up.
func (g *graph) linkTakings() {
	for _, t := range hedgehog.Takings(g.merged.Objects, g.wanted.Objects) {
		to, from := g.changes[t.To.Key()], g.changes[t.From.Key()]
		if to == nil || from == nil {
			continue
		}
		first, then := from.goes(), to.comes()
		if first < 0 || then < 0 {
			continue
		}
		why := Reason{Rule: Takes, Object: to.key, Other: from.key, What: t.Had.String(), claim: t.Had}
		strict := g.oneRoot(first, then)
		if g.nodes[first].action == remove {
			if to.key.Kind == hedgehog.KindVPC && from.key.Kind == hedgehog.KindVPC && g.nodes[then].action == create {
				why.Rule, strict = Recreated, true
			}
			strict = strict || !g.prune || isSpared(from.before)
		}
		g.wait(first, then, strict, why)
	}
}

// linkNamespaces lets a namespace that gets smaller wait for the VPCs in what it loses.
func (g *graph) linkNamespaces() {
	for _, c := range g.order {
		then := c.nodes[update]
		if then < 0 || !isNamespace(c.key.Kind) || sameRanges(c) {
			continue
		}
		for _, vpc := range g.vpcsOf(c.key.Name) {
			out := hedgehog.Outside(c.after, vpc)
			if len(out) == 0 {
				continue
			}
			v := g.changes[vpc.Key()]
			first := -1
			if v != nil && (v.nodes[remove] >= 0 || v.nodes[update] >= 0 && len(hedgehog.Outside(c.after, v.after)) == 0) {
				first = v.goes()
			}
			if first < 0 {
				g.issues = append(g.issues, hedgehog.Issue{Rule: "update-namespace", Severity: hedgehog.Error, Object: c.key, Origin: c.after.Origin(),
					Summary: c.key.String() + " loses what " + few(out) + " has, which stays: the cluster never lets it",
					Hint:    "leave it in the namespace, or move the subnets of the VPC first"})
				continue
			}
			strict := g.nodes[first].action == remove && (!g.prune || isSpared(v.before)) || g.oneRoot(first, then)
			g.wait(first, then, strict, Reason{Rule: Shrinks, Object: c.key, Other: vpc.Key(), What: few(out)})
		}
	}
}

// sameRanges reports whether a namespace has the same pools before and after: then the
// cluster does not look at the VPCs.
func sameRanges(c *change) bool {
	switch before := c.before.Spec.(type) {
	case *hedgehog.IPv4NamespaceSpec:
		after, ok := c.after.Spec.(*hedgehog.IPv4NamespaceSpec)
		return ok && slices.Equal(slices.Sorted(slices.Values(before.Subnets)), slices.Sorted(slices.Values(after.Subnets)))
	case *hedgehog.VLANNamespaceSpec:
		after, ok := c.after.Spec.(*hedgehog.VLANNamespaceSpec)
		return ok && slices.Equal(before.Ranges, after.Ranges)
	}
	return false
}

// few names some of a list.
func few(names []string) string {
	const most = 3
	if len(names) > most {
		return strings.Join(names[:most], ", ") + " and more"
	}
	return strings.Join(names, ", ")
}
