package hedgehog

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
)

// Validate returns everything for which a cluster, or the installer, would
// refuse the fabric, and what is surely a mistake though both let it pass: what
// [Check] says of single objects, and the rules between them. What [Default]
// fills may be missing. It changes nothing and takes time in proportion to the
// size of the fabric. Sorted.
//
// settings are those of the installation: its pools and VLANs, whether it has
// gateways, its version. Before 26.03 a fabric may have MCLAG, and may not have
// what came later. With [TargetInstaller] a fabric without any address gets one
// notice, since hhfab allocates them all; with some it must have all. With
// [TargetCluster] none may be missing.
func Validate(f *Fabric, settings Settings) Issues {
	v := &validator{fabric: f, settings: settings, rules: rulesByID(fabricTable()), profiles: map[string]*Profile{}}
	for _, issue := range Check(f) {
		if issue.Rule == "peering-remote" && v.before("26.03") {
			continue
		}
		v.issues = append(v.issues, issue)
	}
	v.namespaces()
	v.switches()
	v.connections()
	v.gateways()
	v.addresses()
	v.vpcs()
	v.attachments()
	v.peerings()
	v.externals()
	v.gatewayPeerings()
	v.issues.Sort()
	return v.issues
}

func rulesByID(table []Rule) map[string]Rule {
	rules := make(map[string]Rule, len(table))
	for _, rule := range table {
		rules[rule.ID] = rule
	}
	return rules
}

// validator is one run of [Validate].
type validator struct {
	fabric   *Fabric
	settings Settings
	rules    map[string]Rule
	// profiles are the switch profiles asked for, nil for one that is unknown.
	profiles map[string]*Profile
	// groupTold is whether the missing gateway group default was told of: once is
	// enough.
	groupTold bool
	issues    Issues
}

// report adds an issue: found is what is there, in a few words.
func (v *validator) report(id string, o *Object, field, format string, args ...any) {
	rule, ok := v.rules[id]
	if !ok {
		panic("hedgehog: the table has no rule " + id)
	}
	v.issues = append(v.issues, Issue{
		Rule: id, Severity: rule.Severity, Object: o.Key(), Field: field, Origin: o.Origin(),
		Summary: fmt.Sprintf(format, args...) + ": " + rule.Summary, Hint: rule.Hint})
}

// before reports whether the installation is older than a release, as 26.03.
func (v *validator) before(release string) bool {
	return v.settings.FabricVersion != "" && v.settings.FabricVersion < release
}

// profile returns the profile of a switch, nil when it has none that is known.
func (v *validator) profile(name string) *Profile {
	p, ok := v.profiles[name]
	if !ok {
		if known, found := ProfileByName(name); found {
			p = &known
		}
		v.profiles[name] = p
	}
	return p
}

// spec returns the spec of the object of a name, nil when there is none.
func spec[S Spec](v *validator, kind Kind, name string) S {
	var none S
	if o := v.fabric.Get(kind, name); o != nil {
		if s, ok := o.Spec.(S); ok {
			return s
		}
	}
	return none
}

// other names an object with the place it stands at.
func other(o *Object) string {
	if o.Origin().IsZero() {
		return o.Key().String()
	}
	return o.Key().String() + " (" + o.Origin().String() + ")"
}

// orDefault is the name of a namespace or group that was left out.
func orDefault(name string) string { return cmp.Or(name, "default") }

// masked parses a network, without its host bits. It is not ok for what is
// none, which [Check] reports.
func masked(text string) (netip.Prefix, bool) {
	p, err := netip.ParsePrefix(text)
	return p.Masked(), err == nil
}

// claim is a network that somebody has.
type claim struct {
	prefix netip.Prefix
	object *Object
	field  string
}

// overlaps calls found with each claim that lies in one made before it or next
// to it, once.
func overlaps(claims []claim, found func(c, in claim)) {
	slices.SortStableFunc(claims, func(a, b claim) int {
		return cmp.Or(a.prefix.Addr().Compare(b.prefix.Addr()), cmp.Compare(a.prefix.Bits(), b.prefix.Bits()),
			a.object.Key().Compare(b.object.Key()), cmp.Compare(a.field, b.field))
	})
	var open []claim
	for _, c := range claims {
		for len(open) > 0 && !open[len(open)-1].prefix.Overlaps(c.prefix) {
			open = open[:len(open)-1]
		}
		if len(open) > 0 {
			found(c, open[len(open)-1])
		}
		open = append(open, c)
	}
}

// within reports whether a prefix is part of one of the networks.
func within(p netip.Prefix, pools []netip.Prefix) bool {
	return slices.ContainsFunc(pools, func(pool netip.Prefix) bool {
		return pool.Bits() <= p.Bits() && pool.Contains(p.Addr())
	})
}

// reserved returns the network of the installation that a prefix overlaps.
func (v *validator) reserved(p netip.Prefix) (netip.Prefix, bool) {
	pools := v.settings.Pools
	for _, r := range append([]netip.Prefix{pools.ManagementSubnet, pools.FabricSubnet, pools.ProtocolSubnet, pools.VTEPSubnet}, pools.ReservedSubnets...) {
		if r.IsValid() && r.Overlaps(p) {
			return r, true
		}
	}
	return netip.Prefix{}, false
}

// last is the end of a range of VLANs.
func (r VLANRange) last() uint16 { return cmp.Or(r.To, r.From) }

// ranged is a range of VLANs with what it belongs to.
type ranged struct {
	VLANRange
	owner string
	field string
}

// meetings calls found with each range that meets one which begins before it, once.
func meetings(ranges []ranged, found func(r, before ranged)) {
	slices.SortStableFunc(ranges, func(a, b ranged) int {
		return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.last(), b.last()))
	})
	var widest ranged // of those before, the one that ends last
	for i, r := range ranges {
		if i > 0 && r.From <= widest.last() {
			found(r, widest)
		}
		if i == 0 || r.last() > widest.last() {
			widest = r
		}
	}
}

// valid reports whether a range has VLANs.
func (r VLANRange) valid() bool { return r.From >= 1 && r.last() <= 4094 && r.From <= r.last() }

func (r VLANRange) overlaps(other VLANRange) bool {
	return r.From <= other.last() && other.From <= r.last()
}

func (r VLANRange) text() string { return fmt.Sprintf("%d to %d", r.From, r.last()) }

// namespaces judges the pools of VLANs and networks.
func (v *validator) namespaces() {
	for o, s := range Each[*VLANNamespaceSpec](v.fabric) {
		var ranges []ranged
		for i, r := range s.Ranges {
			field := fmt.Sprintf("spec.ranges[%d]", i)
			if !r.valid() {
				continue
			}
			for _, taken := range v.settings.Pools.ReservedVLANs {
				if r.overlaps(taken) {
					v.report("vlan-range-reserved", o, field, "VLANs %s meet %s", r.text(), taken.text())
					break
				}
			}
			ranges = append(ranges, ranged{r, o.Name, field})
		}
		meetings(ranges, func(r, before ranged) {
			v.report("vlan-range-overlap", o, r.field, "VLANs %s meet %s", r.text(), before.text())
		})
	}
	for o, s := range Each[*IPv4NamespaceSpec](v.fabric) {
		var claims []claim
		for i, text := range s.Subnets {
			p, ok := masked(text)
			if !ok {
				continue
			}
			field := fmt.Sprintf("spec.subnets[%d]", i)
			claims = append(claims, claim{p, o, field})
			if r, taken := v.reserved(p); taken {
				v.report("ipv4-namespace-reserved", o, field, "%s meets %s", p, r)
			}
		}
		overlaps(claims, func(c, in claim) {
			v.report("ipv4-namespace-overlap", o, c.field, "%s meets %s", c.prefix, in.prefix)
		})
	}
}

// late reports a field that is set before the release that brought it.
func (v *validator) late(o *Object, field string, is bool) {
	if is && v.before("26.03") {
		v.report("version-too-old", o, field, "%s with version %s", field, v.settings.FabricVersion)
	}
}

// fabricTable is the table of the rules between objects; it never changes.
var fabricTable = sync.OnceValue(fabricRules)

func fabricRules() []Rule {
	rule := func(id string, severity Severity, fields, summary, hint string) Rule {
		return Rule{id, severity, strings.Split(fields, ", "), summary, hint}
	}
	const change = "change the value"
	return []Rule{
		// Namespaces.
		rule("vlan-range-reserved", Error, "VLANNamespace spec.ranges[]", "the fabric keeps these VLANs for itself", "choose VLANs that are free"),
		rule("vlan-range-overlap", Error, "VLANNamespace spec.ranges[]", "the ranges of a VLAN namespace do not overlap", "merge the two ranges"),
		rule("ipv4-namespace-reserved", Error, "IPv4Namespace spec.subnets[]", "the fabric keeps this network for itself", "choose a network that is free"),
		rule("ipv4-namespace-overlap", Error, "IPv4Namespace spec.subnets[]", "the networks of an IPv4 namespace do not overlap", "remove the smaller one"),
		rule("version-too-old", Error, "Switch spec.portFECs, Switch spec.linkFlapErrDisable, VPC spec.subnets.*.hostBGPExtraPrefixes, VPC spec.subnets.*.hostBGPMinPrefixLen, VPC spec.subnets.*.hostBGPMaxPrefixLen, GatewayPeering spec.acl, Gateway spec.logs.rateLimit",
			"the field is there since 26.03", "remove it, or upgrade the fabric first"),

		// Switches.
		rule("switch-profile-unknown", Error, "Switch spec.profile", "the profile is one that the fabric knows", "choose one of docs/profiles.md"),
		rule("switch-group-unknown", Error, "Switch spec.groups[], Switch spec.redundancy.group", "the switch group exists", "add the SwitchGroup, or correct the name"),
		rule("switch-vlan-namespace-unknown", Error, "Switch spec.vlanNamespaces[]", "the VLAN namespace exists", "add the VLANNamespace, or correct the name"),
		rule("switch-vlan-namespaces-overlap", Error, "Switch spec.vlanNamespaces", "the VLAN namespaces of a switch have no VLAN in common", "take one of them off the switch"),
		rule("switch-redundancy-unsupported", Error, "Switch spec.redundancy.type", "the profile supports this kind of redundancy", "remove the redundancy, or use another model"),
		rule("switch-mclag-gone", Warning, "Switch spec.redundancy.type", "MCLAG does not work since 26.03", "use eslag"),
		rule("switch-port-unknown", Error, "Switch spec.portSpeeds.*, Switch spec.portBreakouts.*, Switch spec.portAutoNegs.*, Switch spec.portFECs.*", "the profile has the port", "correct the name of the port"),
		rule("switch-port-speed", Error, "Switch spec.portSpeeds.*", "a speed is set on a port that has one of its own, and supports it", "use portGroupSpeeds or portBreakouts, or another speed"),
		rule("switch-group-speed", Error, "Switch spec.portGroupSpeeds.*", "the profile has the port group, and the group supports the speed", change),
		rule("switch-port-breakout", Error, "Switch spec.portBreakouts.*", "the port breaks out into these lanes", change),
		rule("switch-port-autoneg", Error, "Switch spec.portAutoNegs.*", "auto-negotiation is set where the profile allows it, on the lanes of a breakout port", "remove the entry"),
		rule("switch-port-fec", Error, "Switch spec.portFECs.*", "forward error correction is set on ports, or on the lanes of one that is broken out", "name the lane, as E1/1/1"),
		rule("switch-roce-unsupported", Error, "Switch spec.roce", "the profile supports RoCEv2", "remove roce"),
		rule("switch-roce-qpn-unsupported", Error, "Switch spec.ecmp.roceQPN", "the profile supports hashing by RoCE queue pairs", "remove roceQPN"),
		rule("switch-ports-exceeded", Error, "Switch spec.portBreakouts", "the lanes of all ports fit the switch", "break out fewer ports"),
		rule("switch-pipeline-exceeded", Error, "Switch spec.portBreakouts", "the lanes of a pipeline's ports fit the pipeline", "break out fewer of these ports"),
		rule("switch-boot-duplicate", Error, "Switch spec.boot.mac, Switch spec.boot.serial", "no two switches boot with one MAC or serial number", "correct one of the two"),
		rule("switch-mclag-peers", Error, "Switch spec.asn, Switch spec.vtepIP", "the two switches of an MCLAG share their AS number and their VTEP", "give both the same"),
		rule("switch-boot-missing", Warning, "Switch spec.boot", "a switch is found by its MAC or serial number when it boots for the first time", "fill in boot.serial or boot.mac"),

		// Addresses.
		rule("address-missing", Error, "Switch spec.asn, Switch spec.ip, Switch spec.protocolIP, Switch spec.vtepIP, Gateway spec.asn, Gateway spec.protocolIP, Gateway spec.vtepIP, Gateway spec.vtepMAC, Gateway spec.interfaces.*.ips, Gateway spec.neighbors, Connection spec.fabric.links[], Connection spec.mesh.links[], Connection spec.gateway.links[]",
			"a running fabric has all its addresses, and the installer allocates all or none", "fill it in"),
		rule("addresses-allocated", Notice, "Switch spec.ip", "the fabric has no addresses: the installer allocates them, a running cluster refuses it", "fill them in once the fabric runs"),
		rule("switch-asn-spine", Error, "Switch spec.asn", "spines have the AS number of the installation's spines", change),
		rule("switch-asn-leaf", Error, "Switch spec.asn", "leaves have AS numbers of the installation's range", change),
		rule("switch-asn-duplicate", Error, "Switch spec.asn", "every leaf has an AS number of its own", "change one of the two"),
		rule("switch-ip-pool", Error, "Switch spec.ip", "the management address is in the management subnet, below its DHCP range, and not the control plane's", change),
		rule("switch-ip-duplicate", Error, "Switch spec.ip", "every switch has a management address of its own", "change one of the two"),
		rule("switch-vtep-spine", Error, "Switch spec.vtepIP", "a spine has no VTEP", "remove the address"),
		rule("protocol-ip-pool", Error, "Switch spec.protocolIP, Gateway spec.protocolIP", "the router id is in the protocol subnet", change),
		rule("protocol-ip-duplicate", Error, "Switch spec.protocolIP, Gateway spec.protocolIP", "every switch and gateway has a router id of its own", "change one of the two"),
		rule("vtep-ip-pool", Error, "Switch spec.vtepIP, Gateway spec.vtepIP", "the VTEP is in the VTEP subnet", change),
		rule("vtep-ip-duplicate", Error, "Switch spec.vtepIP, Gateway spec.vtepIP", "every leaf and gateway has a VTEP of its own", "change one of the two"),
		rule("gateway-mac-duplicate", Error, "Gateway spec.vtepMAC", "every gateway has a MAC of its own", "change one of the two"),
		rule("link-subnet", Error, "Connection spec.fabric.links[], Connection spec.mesh.links[], Connection spec.gateway.links[]", "the two ends of a link are the two addresses of one /31", change),
		rule("link-pool", Error, "Connection spec.fabric.links[], Connection spec.mesh.links[], Connection spec.gateway.links[]", "links have addresses of the fabric subnet", change),
		rule("link-duplicate", Error, "Connection spec.fabric.links[], Connection spec.mesh.links[], Connection spec.gateway.links[]", "every link has a /31 of its own", "change one of the two"),

		// Servers and connections.
		rule("server-unused", Warning, "Server metadata.name", "a server is connected", "add its Connection, or remove it"),
		rule("connection-switch-unknown", Error, strings.Join(portFields(), ", "), "the switch exists", "add the Switch, or correct the name"),
		rule("connection-server-unknown", Error, strings.Join(portFields(), ", "), "the server exists", "add the Server, or correct the name"),
		rule("connection-gateway-unknown", Error, "Connection spec.gateway.links[].gateway.port", "the gateway and its interface exist", "add the Gateway, or correct the name"),
		rule("connection-port-unknown", Error, strings.Join(portFields(), ", "), "the profile of the switch has the port, with its breakouts", "correct the name of the port, or the switch's portBreakouts"),
		rule("connection-port-management", Error, strings.Join(portFields(), ", "), "a connection uses data ports; the management port is cabled elsewhere", "use a port E1/..."),
		rule("connection-port-twice", Error, strings.Join(portFields(), ", "), "a port is in one connection, once; E1/1 is E1/1/1", "use another port"),
		rule("connection-mtu", Error, "Connection spec.unbundled.mtu, Connection spec.bundled.mtu, Connection spec.mclag.mtu, Connection spec.eslag.mtu",
			"the MTU towards a server is the fabric's without the 64 bytes of its encapsulation, 9036 unless the installation says otherwise", change),
		rule("connection-roles", Error, "Connection spec.fabric.links[].spine.port, Connection spec.fabric.links[].leaf.port, Connection spec.mesh.links[].leaf1.port, Connection spec.mesh.links[].leaf2.port", "a fabric connection goes from a spine to a leaf, a mesh connection from leaf to leaf", "correct the role of the switch, or the type of the connection"),
		rule("connection-ends", Error, "Connection spec.bundled.links, Connection spec.eslag.links, Connection spec.mclag.links, Connection spec.fabric.links, Connection spec.mesh.links, Connection spec.gateway.links, Connection spec.vpcLoopback.links, Connection spec.mclagDomain.peerLinks, Connection spec.mclagDomain.sessionLinks",
			"all links of a connection join the same devices: one server with one switch when bundled", "make the link a connection of its own"),
		rule("connection-eslag-group", Error, "Connection spec.eslag.links", "the switches of an ESLAG are in one redundancy group of type eslag", "correct the redundancy of the switches"),
		rule("connection-mclag-group", Error, "Connection spec.mclag.links, Connection spec.mclagDomain.peerLinks", "the two switches of an MCLAG are in one redundancy group of type mclag", "correct the redundancy of the switches"),
		rule("connection-mclag-gone", Error, "Connection spec.mclag, Connection spec.mclagDomain", "MCLAG does not work since 26.03", "use eslag, or state the fabric's version"),
		rule("mesh-size", Warning, "Connection spec.mesh", "a mesh has at most three leaves, and two of those with the chip TH5", "use spines"),
		rule("static-external-next-hop", Error, "Connection spec.staticExternal.link.switch.nextHop", "the next hop is in the network of the switch's address", change),
		rule("static-external-subnets", Error, "Connection spec.staticExternal.link.switch.subnets", "the subnets are networks without host bits that do not overlap, nor the fabric's own; 0.0.0.0/0 stands alone", change),
		rule("static-external-vpc-unknown", Error, "Connection spec.staticExternal.withinVPC", "the VPC exists", "add the VPC, or correct the name"),

		// VPCs.
		rule("vpc-ipv4-namespace-unknown", Error, "VPC spec.ipv4Namespace", "the IPv4 namespace exists", "add the IPv4Namespace, or correct the name"),
		rule("vpc-vlan-namespace-unknown", Error, "VPC spec.vlanNamespace", "the VLAN namespace exists", "add the VLANNamespace, or correct the name"),
		rule("vpc-subnet-pool", Error, "VPC spec.subnets.*.subnet, VPC spec.subnets.*.hostBGPExtraPrefixes", "subnets are part of one network of the VPC's IPv4 namespace", "choose a part of the namespace"),
		rule("vpc-subnet-reserved", Error, "VPC spec.subnets.*.subnet, VPC spec.subnets.*.hostBGPExtraPrefixes", "the fabric keeps this network for itself", "choose a network that is free"),
		rule("vpc-subnet-overlap", Error, "VPC spec.subnets.*.subnet, VPC spec.subnets.*.hostBGPExtraPrefixes", "no two subnets of an IPv4 namespace overlap", "choose a network that is free"),
		rule("vpc-gateway", Error, "VPC spec.subnets.*.gateway", "the gateway is an address of its subnet for a host, not the network's own or the broadcast", change),
		rule("vpc-vlan-namespace", Error, "VPC spec.subnets.*.vlan", "the VLAN is in the VPC's VLAN namespace", "choose a VLAN of the namespace"),
		rule("vpc-vlan-twice", Error, "VPC spec.subnets.*.vlan", "a VLAN serves one subnet of its VLAN namespace", "choose a VLAN that is free"),
		rule("vpc-permit-unknown", Error, "VPC spec.permit[]", "a permit lists subnets of the VPC", "correct the name"),
		rule("vpc-hostbgp-short", Error, "VPC spec.subnets.*.hostBGPMinPrefixLen", "the least prefix length for host BGP is not below the subnet's own", change),
		rule("dhcp-mtu", Error, "VPC spec.subnets.*.dhcp.options.interfaceMTU", "the MTU of DHCP is at least 96, and at most the fabric's without the 64 bytes of its encapsulation: 9036 unless the installation says otherwise", change),
		rule("dhcp-range-outside", Error, "VPC spec.subnets.*.dhcp.range", "the DHCP range is in its subnet, without the network's own address", change),
		rule("dhcp-range-gateway", Error, "VPC spec.subnets.*.dhcp.range", "the DHCP range does not begin or end with the gateway", change),
		rule("dhcp-range-order", Error, "VPC spec.subnets.*.dhcp.range", "the DHCP range's start comes before its end", change),
		rule("dhcp-static-address", Error, "VPC spec.subnets.*.dhcp.static.*.ip", "a static lease is an address of the subnet for a host: not the network's, the gateway's or the broadcast", change),
		rule("dhcp-static-twice", Error, "VPC spec.subnets.*.dhcp.static.*.ip", "an address is leased to one MAC, and a MAC has one lease", "change one of the two"),
		rule("dhcp-relay-vpc-unknown", Error, "VPC spec.subnets.*.dhcp.relayVPC", "the VPC exists", "add the VPC, or correct the name"),
		rule("dhcp-route-gateway", Error, "VPC spec.subnets.*.dhcp.options.advertisedRoutes[].gateway", "an advertised route leads to an address of the subnet", change),

		// Attachments and peerings.
		rule("attachment-vpc-unknown", Error, "VPCAttachment spec.subnet", "the VPC exists", "add the VPC, or correct the name"),
		rule("attachment-subnet-unknown", Error, "VPCAttachment spec.subnet", "the VPC has the subnet", "correct the name"),
		rule("attachment-connection-unknown", Error, "VPCAttachment spec.connection, ExternalAttachment spec.connection", "the connection exists", "add the Connection, or correct the name"),
		rule("attachment-connection-type", Error, "VPCAttachment spec.connection", "a VPC is attached to an unbundled, bundled or ESLAG connection", "choose a connection of a server"),
		rule("attachment-label-length", Error, "VPCAttachment spec.connection, ExternalAttachment spec.connection", "the cluster makes a label of the connection's name, which has at most 63 characters", "rename the connection"),
		rule("attachment-vlan-namespace", Error, "VPCAttachment spec.connection", "every switch of the connection has the VPC's VLAN namespace", "add the namespace to the switch, or move the VPC to one of the switch's"),
		rule("attachment-unsupported", Error, "VPCAttachment spec.connection", "the profiles of the switches support the VPC's mode", "use a VPC in another mode, or another switch"),
		rule("attachment-eslag-mode", Error, "VPCAttachment spec.connection", "an ESLAG takes VPCs in L2VNI mode", "use a VPC in L2VNI mode, or another connection"),
		rule("attachment-hostbgp", Error, "VPCAttachment spec.connection, VPCAttachment spec.nativeVLAN", "a subnet with hostBGP is attached to unbundled connections, without nativeVLAN, of switches without MCLAG", "use another connection"),
		rule("attachment-twice", Error, "VPCAttachment spec.subnet", "a subnet is attached to a connection once", "remove one of the two"),
		rule("attachment-native-twice", Error, "VPCAttachment spec.nativeVLAN", "a connection has one native VLAN", "clear nativeVLAN of one of the two"),
		rule("peering-vpc-unknown", Error, "VPCPeering spec.permit[]", "the VPC exists", "add the VPC, or correct the name"),
		rule("peering-subnet-unknown", Error, "VPCPeering spec.permit[].*.subnets", "the VPC has the subnet", "correct the name"),
		rule("peering-namespaces", Error, "VPCPeering spec.permit[]", "peers share their IPv4 and VLAN namespaces", "use a gateway peering"),
		rule("peering-duplicate", Error, "VPCPeering spec.permit", "two VPCs have one peering", "merge the permits of the two"),

		// Externals.
		rule("external-namespace-unknown", Error, "External spec.ipv4Namespace", "the IPv4 namespace exists", "add the IPv4Namespace, or correct the name"),
		rule("external-prefix-overlap", Error, "External spec.static.prefixes[]", "the prefixes of a static external do not overlap", "remove the smaller one"),
		rule("external-attachment-unknown", Error, "ExternalAttachment spec.external", "the external exists", "add the External, or correct the name"),
		rule("external-attachment-type", Error, "ExternalAttachment spec.connection", "an external is attached to a connection of type external", "choose such a connection"),
		rule("external-attachment-mismatch", Error, "ExternalAttachment spec.static", "the attachment is static when its external is", "make both static, or both BGP"),
		rule("external-attachment-vlan", Error, "ExternalAttachment spec.switch.vlan, ExternalAttachment spec.static.vlan", "a VLAN of a connection has one attachment", "choose another VLAN"),
		rule("external-attachment-subinterfaces", Error, "ExternalAttachment spec.switch.vlan, ExternalAttachment spec.static.vlan", "the profile of the switch has VLANs on ports that lead out", "attach untagged, or use another model"),
		rule("external-peering-vpc", Error, "ExternalPeering spec.permit.vpc.name", "the VPC exists", "add the VPC, or correct the name"),
		rule("external-peering-subnet", Error, "ExternalPeering spec.permit.vpc.subnets[]", "the VPC has the subnet", "correct the name"),
		rule("external-peering-external", Error, "ExternalPeering spec.permit.external.name", "the external exists", "add the External, or correct the name"),
		rule("external-peering-namespaces", Error, "ExternalPeering spec.permit", "the VPC and the external share their IPv4 namespace", "use a gateway peering"),
		rule("external-peering-proxy", Warning, "ExternalPeering spec.permit.external.name", "a proxied external is reached by a gateway peering", "write a GatewayPeering"),

		// Gateways.
		rule("gateway-disabled", Error, "Gateway metadata.name, GatewayGroup metadata.name, GatewayPeering metadata.name", "gateways are enabled in the installation", "set gateway: true once they are, or remove the object"),
		rule("gateway-group-unknown", Error, "Gateway spec.groups[].name, GatewayPeering spec.gatewayGroup", "the gateway group exists", "add the GatewayGroup, or correct the name"),
		rule("gateway-group-default", Warning, "Gateway spec.groups[].name, GatewayPeering spec.gatewayGroup", "a running cluster makes the gateway group default, and hhfab wants it in the files", "add a GatewayGroup called default"),
		rule("gateway-peering-unknown", Error, "GatewayPeering spec.peering.*", "a side is a VPC, or ext. and an external", "correct the name"),
		rule("gateway-peering-subnet", Error, "GatewayPeering spec.peering.*.expose[].ips[].vpcSubnet", "the VPC has the subnet", "correct the name"),
		rule("gateway-acl-side", Error, "GatewayPeering spec.acl.rules[].from, GatewayPeering spec.acl.rules[].to", "a rule goes from one side of the peering to the other", "correct the name"),
		rule("gateway-peering-cidr", Error, "GatewayPeering spec.peering.*.expose[].ips[].cidr", "a VPC exposes parts of its own subnets", change),
		rule("gateway-peering-stateful", Error, "GatewayPeering spec.peering", "one side of a peering has stateful NAT, and then the other has none", "remove the NAT of one side"),
		rule("gateway-peering-overlap", Error, "GatewayPeering spec.peering.*.expose[]", "what different peerings expose to a VPC does not overlap", "expose it as another network"),
	}
}
