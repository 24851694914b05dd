package hedgehog

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
)

// externals judges externals, their attachments and peerings.
func (v *validator) externals() {
	for o, s := range Each[*ExternalSpec](v.fabric) {
		if name := orDefault(s.IPv4Namespace); v.fabric.Get(KindIPv4Namespace, name) == nil {
			v.report("external-namespace-unknown", o, "spec.ipv4Namespace", "IPv4 namespace %q", name)
		}
		if s.Static == nil {
			continue
		}
		var claims []claim
		for i, text := range s.Static.Prefixes {
			if p, ok := masked(text); ok {
				claims = append(claims, claim{p, o, fmt.Sprintf("spec.static.prefixes[%d]", i)})
			}
		}
		overlaps(claims, func(c, in claim) {
			v.report("external-prefix-overlap", o, c.field, "%s meets %s", c.prefix, in.prefix)
		})
	}
	proxied := v.externalAttachments()
	for o, s := range Each[*ExternalPeeringSpec](v.fabric) {
		vpcName, externalName := s.Permit.VPC.Name, s.Permit.External.Name
		vpc, external := spec[*VPCSpec](v, KindVPC, vpcName), spec[*ExternalSpec](v, KindExternal, externalName)
		if vpc == nil && vpcName != "" {
			v.report("external-peering-vpc", o, "spec.permit.vpc.name", "VPC %q", vpcName)
		}
		if external == nil && externalName != "" {
			v.report("external-peering-external", o, "spec.permit.external.name", "external %q", externalName)
		}
		if vpc != nil {
			for i, name := range s.Permit.VPC.Subnets {
				if vpc.Subnets[name] == nil {
					v.report("external-peering-subnet", o, fmt.Sprintf("spec.permit.vpc.subnets[%d]", i), "subnet %q of VPC %s", name, vpcName)
				}
			}
		}
		if vpc != nil && external != nil && orDefault(vpc.IPv4Namespace) != orDefault(external.IPv4Namespace) {
			v.report("external-peering-namespaces", o, "spec.permit", "VPC %s is in %s, external %s in %s", vpcName, orDefault(vpc.IPv4Namespace), externalName, orDefault(external.IPv4Namespace))
		}
		if proxied[externalName] {
			v.report("external-peering-proxy", o, "spec.permit.external.name", "external %s is proxied", externalName)
		}
	}
}

// externalAttachments judges the attachments of externals and returns the
// externals that are attached by proxy.
func (v *validator) externalAttachments() (proxied map[string]bool) {
	type vlan struct {
		connection string
		id         uint16
	}
	vlans := map[vlan]*Object{}
	proxied = map[string]bool{}
	for o, s := range Each[*ExternalAttachmentSpec](v.fabric) {
		if s.External == "" || s.Connection == "" {
			continue
		}
		if external := spec[*ExternalSpec](v, KindExternal, s.External); external == nil {
			v.report("external-attachment-unknown", o, "spec.external", "external %q", s.External)
		} else if (external.Static != nil) != (s.Static != nil) {
			flavour := map[bool]string{true: "static", false: "BGP"}
			v.report("external-attachment-mismatch", o, "spec.static", "the attachment is %s, external %s is %s", flavour[s.Static != nil], s.External, flavour[external.Static != nil])
		}
		if c := spec[*ConnectionSpec](v, KindConnection, s.Connection); c == nil {
			v.report("attachment-connection-unknown", o, "spec.connection", "connection %q", s.Connection)
		} else if c.External == nil {
			v.report("external-attachment-type", o, "spec.connection", "%s is %s", s.Connection, strings.Join(c.types(), " and "))
		}
		if len(s.Connection) > 63 {
			v.report("attachment-label-length", o, "spec.connection", "%d characters", len(s.Connection))
		}
		v.subinterfaces(o, s)
		id, field := s.Switch.VLAN, "spec.switch.vlan"
		if s.Static != nil {
			id, field = s.Static.VLAN, "spec.static.vlan"
			proxied[s.External] = proxied[s.External] || s.Static.Proxy
		}
		if before := vlans[vlan{s.Connection, id}]; before != nil {
			v.report("external-attachment-vlan", o, field, "VLAN %d of %s is that of %s", id, s.Connection, other(before))
		} else {
			vlans[vlan{s.Connection, id}] = o
		}
	}
	return proxied
}

// subinterfaces wants a switch that can have VLANs on a port that leads out, when
// there are any.
func (v *validator) subinterfaces(o *Object, s *ExternalAttachmentSpec) {
	c := spec[*ConnectionSpec](v, KindConnection, s.Connection)
	if c == nil || c.External == nil {
		return
	}
	device := c.External.Link.Switch.Port.Device()
	sw := spec[*SwitchSpec](v, KindSwitch, device)
	if sw == nil {
		return
	}
	p := v.profile(sw.Profile)
	if p == nil || p.Features.Subinterfaces {
		return
	}
	if s.Static != nil && s.Static.VLAN != 0 {
		v.report("external-attachment-subinterfaces", o, "spec.static.vlan", "VLAN %d on %s (%s)", s.Static.VLAN, device, p.Name)
	}
	if s.Switch.VLAN != 0 {
		v.report("external-attachment-subinterfaces", o, "spec.switch.vlan", "VLAN %d on %s (%s)", s.Switch.VLAN, device, p.Name)
	}
}

// gatewayPeerings judges peerings through gateways.
func (v *validator) gatewayPeerings() {
	towards := map[string][]claim{}
	for o, s := range Each[*GatewayPeeringSpec](v.fabric) {
		v.gatewayGroup(o, "spec.gatewayGroup", s.GatewayGroup)
		v.late(o, "spec.acl", s.ACL != nil)
		if s.ACL != nil {
			v.gatewayACL(o, s)
		}
		names := slices.Sorted(maps.Keys(s.Peering))
		var nats []natUse
		for i, name := range names {
			side := s.Peering[name]
			at := "spec.peering." + name
			external, isExternal := strings.CutPrefix(name, "ext.")
			vpc := spec[*VPCSpec](v, KindVPC, name)
			if isExternal && v.fabric.Get(KindExternal, external) == nil || !isExternal && vpc == nil {
				v.report("gateway-peering-unknown", o, at, "%q", name)
			}
			if side == nil {
				continue
			}
			var use natUse
			for j, e := range side.Expose {
				field := fmt.Sprintf("%s.expose[%d]", at, j)
				use.add(e.NAT)
				exposed := v.exposed(o, field, name, vpc, e)
				if len(names) == 2 {
					far := names[1-i]
					towards[far] = append(towards[far], exposed...)
				}
			}
			nats = append(nats, use)
		}
		if len(nats) == 2 && (nats[0].stateful && (nats[1].stateful || nats[1].static) || nats[1].stateful && nats[0].static) {
			v.report("gateway-peering-stateful", o, "spec.peering", "both %s and %s translate addresses", names[0], names[1])
		}
	}
	for _, vpc := range slices.Sorted(maps.Keys(towards)) {
		overlaps(towards[vpc], func(c, in claim) {
			if c.object != in.object {
				v.report("gateway-peering-overlap", c.object, c.field, "%s, which %s exposes to %s as %s", c.prefix, other(in.object), vpc, in.prefix)
			}
		})
	}
}

// gatewayACL wants the rules of an ACL to be between the sides of the peering.
func (v *validator) gatewayACL(o *Object, s *GatewayPeeringSpec) {
	for i, rule := range s.ACL.Rules {
		for _, end := range []struct{ name, side string }{{"from", rule.From}, {"to", rule.To}} {
			if _, ok := s.Peering[end.side]; end.side != "" && !ok {
				v.report("gateway-acl-side", o, fmt.Sprintf("spec.acl.rules[%d].%s", i, end.name), "%q", end.side)
			}
		}
		if rule.From != "" && rule.From == rule.To {
			v.report("gateway-acl-side", o, fmt.Sprintf("spec.acl.rules[%d].to", i), "from %q to itself", rule.To)
		}
	}
}

// natUse is how one side of a peering translates.
type natUse struct{ stateful, static bool }

func (u *natUse) add(n *NAT) {
	if n == nil {
		return
	}
	u.stateful = u.stateful || n.Masquerade != nil || n.PortForward != nil
	u.static = u.static || n.Static != nil
}

// exposed judges what a side exposes and returns the networks by which the
// other side sees it. An expose with exceptions returns none: what is left of
// it need not overlap.
func (v *validator) exposed(o *Object, field, name string, vpc *VPCSpec, e Expose) []claim {
	var own []netip.Prefix
	if vpc != nil {
		for _, subnet := range vpc.Subnets {
			if subnet == nil {
				continue
			}
			for _, text := range append(slices.Collect(maps.Keys(subnet.HostBGPExtraPrefixes)), subnet.Subnet) {
				if p, ok := masked(text); ok {
					own = append(own, p)
				}
			}
		}
	}
	var seen []claim
	exceptions := false
	for i, ip := range e.IPs {
		at := fmt.Sprintf("%s.ips[%d]", field, i)
		exceptions = exceptions || ip.Not != ""
		if ip.VPCSubnet != "" && vpc == nil && strings.HasPrefix(name, "ext.") {
			v.report("gateway-peering-subnet", o, at+".vpcSubnet", "subnet %q of an external", ip.VPCSubnet)
		}
		if ip.VPCSubnet != "" && vpc != nil {
			subnet := vpc.Subnets[ip.VPCSubnet]
			if subnet == nil {
				v.report("gateway-peering-subnet", o, at+".vpcSubnet", "subnet %q of VPC %s", ip.VPCSubnet, name)
			} else if p, ok := masked(subnet.Subnet); ok {
				seen = append(seen, claim{p, o, at})
			}
		}
		if p, ok := masked(ip.CIDR); ok {
			if vpc != nil && !within(p, own) {
				v.report("gateway-peering-cidr", o, at+".cidr", "%s is not part of VPC %s", p, name)
			}
			seen = append(seen, claim{p, o, at})
		}
	}
	if len(e.As) > 0 {
		seen = nil
		for i, as := range e.As {
			exceptions = exceptions || as.Not != ""
			if p, ok := masked(as.CIDR); ok {
				seen = append(seen, claim{p, o, fmt.Sprintf("%s.as[%d]", field, i)})
			}
		}
	}
	if exceptions {
		return nil
	}
	return seen
}
