package review

import (
	"slices"
	"strings"

	"hedgehog-gitops/render/hedgehog"
)

// Effect is what a change of one field does to a network that runs.
type Effect struct {
	// Fields are a kind and a path each: "VPC spec.subnets.*.vlan", with * for the
	// keys of maps and [] for the items of lists. The kind * is every kind.
	Fields []string
	// Part is the part of the object that the field belongs to: "subnet {0}", where
	// {0} is the first key or item on the way. Empty for the object itself.
	Part string
	// Name is what people call the field.
	Name string
	// Replaces is whether the object is another one with another value: what it was
	// stops, and something else begins under the same name.
	Replaces bool
	// Changed is the risk when a value that was there becomes another or goes, or
	// something is switched off.
	Changed Level
	// Set is the risk when there was no value, or something is switched on.
	Set Level
	// Unused is the risk of either when nobody uses what the field is about: a port
	// without a connection, a subnet without a server. It counts where Used says
	// what use is.
	Unused Level
	Used   Use
	// Why says what happens, in the words of a network engineer. Where Whole is set
	// it is empty or says how it is judged.
	Why string
	// Whole is whether the field is judged together with others instead, by who may
	// talk to whom before and after.
	Whole bool
}

// Use is what it means that a field is in use.
type Use string

// The uses that matter.
const (
	// Always: the field counts whatever else there is.
	Always Use = ""
	// ByPort: a connection uses the port that is the first key.
	ByPort Use = "port"
	// ByPortGroup: a connection uses a port of the group that is the first key.
	ByPortGroup Use = "port group"
	// BySubnet: a server is in the subnet that is the first key.
	BySubnet Use = "subnet"
	// ByVPC: a server is in a subnet of the VPC.
	ByVPC Use = "VPC"
)

// inside is the reason of what is judged with the fields in it, or around it.
const inside = "judged with the fields that belong to it"

// Effects returns the table of what a change of each field does. Every field of
// every kind is in it.
func Effects() []Effect {
	const (
		renumbered  = "its sessions go down, and everything that knows the old address must learn the new one"
		bgpDown     = "the BGP session goes down"
		linkDown    = "the link goes down"
		flaps       = "the link goes down and comes up again"
		text        = "a text for people"
		open        = "judged as a whole: who may talk to whom"
		filter      = "judged as a whole: what the filter lets in"
		othernumber = "servers must tag another VLAN, or lose their network"
	)
	on := func(kind string, paths ...string) []string {
		for i := range paths {
			paths[i] = kind + " spec" + paths[i]
		}
		return paths
	}
	serverLAGs := func(field string) []string {
		return on("Connection", ".bundled"+field, ".eslag"+field, ".mclag"+field)
	}
	return []Effect{
		// What every object has.
		{Fields: []string{"* metadata.labels.*"}, Name: "label {0}", Why: "the fabric does not look at people's labels"},
		{Fields: []string{"* metadata.annotations.*"}, Name: "annotation {0}", Why: "the fabric looks at the two below only"},
		{Fields: []string{"Switch metadata.annotations.fabric.githedgehog.com/route-summ"}, Name: "annotation route-summ", Changed: Medium, Set: Medium, Why: "the routes that the switch announces are summed up otherwise"},
		{Fields: []string{"VPCAttachment metadata.annotations.fabric.githedgehog.com/p2p-link"}, Name: "annotation p2p-link", Replaces: true, Changed: High, Set: Medium, Why: "the addresses of the link change"},
		{Fields: []string{"* metadata.namespace"}, Name: "namespace", Changed: Medium, Set: Medium, Why: "the cluster refuses every namespace but default"},
		{Fields: []string{"* apiVersion"}, Name: "apiVersion", Changed: Medium, Set: Medium, Why: "the cluster may not serve it"},
		{Fields: []string{"* " + anyField}, Name: "", Changed: Medium, Set: Medium, Why: "this version does not know the field: what it does is for you to judge"},

		// Namespaces and groups.
		{Fields: on("VLANNamespace", ".ranges[]"), Name: "VLAN range", Changed: Low, Whole: true, Why: "judged as a whole: the VLANs that leave, and who uses them"},
		{Fields: on("IPv4Namespace", ".subnets[]"), Name: "network", Changed: Low, Whole: true, Why: "judged as a whole: the networks that leave, and who uses them"},

		// Switches.
		{Fields: on("Switch", ".role"), Name: "role", Replaces: true, Changed: High, Set: Low, Why: "the switch is set up anew"},
		{Fields: on("Switch", ".description"), Name: "description", Why: text},
		{Fields: on("Switch", ".profile"), Name: "profile", Replaces: true, Changed: High, Set: Low, Why: "that is another hardware with other ports"},
		{Fields: on("Switch", ".groups[]"), Name: "group", Changed: Medium, Set: Low, Why: "what is grouped by it changes"},
		{Fields: on("Switch", ".redundancy.group"), Name: "redundancy group", Replaces: true, Changed: High, Set: Medium, Why: "the LAGs that its servers have over two switches break"},
		{Fields: on("Switch", ".redundancy.type"), Name: "redundancy type", Replaces: true, Changed: High, Set: Medium, Why: "the LAGs that its servers have over two switches break"},
		{Fields: on("Switch", ".vlanNamespaces[]"), Name: "VLAN namespace", Changed: High, Set: Low, Why: "the cluster refuses VPCs of the namespace on this switch"},
		{Fields: on("Switch", ".asn"), Name: "ASN", Replaces: true, Changed: High, Set: Low, Why: "its BGP sessions go down until every neighbour knows the new number"},
		{Fields: on("Switch", ".ip"), Name: "management address", Replaces: true, Changed: High, Set: Low, Why: "the switch cannot be managed until it has the new address"},
		{Fields: on("Switch", ".vtepIP"), Name: "VTEP address", Replaces: true, Changed: High, Set: Low, Why: "every tunnel to the switch goes down"},
		{Fields: on("Switch", ".protocolIP"), Name: "protocol address", Replaces: true, Changed: High, Set: Low, Why: "it is the BGP router id: its sessions go down"},
		{Fields: on("Switch", ".portGroupSpeeds.*"), Part: "port group {0}", Name: "speed", Changed: Medium, Set: Medium, Used: ByPortGroup, Why: "all links of the group go down, and stay down where the far end has another speed"},
		{Fields: on("Switch", ".portSpeeds.*"), Part: "port {0}", Name: "speed", Changed: Medium, Set: Medium, Used: ByPort, Why: "the link goes down, and stays down where the far end has another speed"},
		{Fields: on("Switch", ".portBreakouts.*"), Part: "port {0}", Name: "breakout", Changed: High, Set: High, Used: ByPort, Why: "all links of the port go down"},
		{Fields: on("Switch", ".portAutoNegs.*"), Part: "port {0}", Name: "autonegotiation", Changed: Medium, Set: Medium, Used: ByPort, Why: flaps},
		{Fields: on("Switch", ".portFECs.*"), Part: "port {0}", Name: "FEC", Changed: Medium, Set: Medium, Used: ByPort, Why: "the link goes down, and stays down where the far end has another FEC"},
		{Fields: on("Switch", ".portLocators.*"), Part: "port {0}", Name: "locator", Why: "an LED; it is in no repository"},
		{Fields: on("Switch", ".boot.serial"), Name: "serial number", Changed: High, Set: Low, Why: "another device boots as this switch"},
		{Fields: on("Switch", ".boot.mac"), Name: "boot MAC", Changed: High, Set: Low, Why: "another device boots as this switch"},
		{Fields: on("Switch", ".enableAllPorts"), Name: "enabling of unused ports", Why: "ports without a connection carry no VPC"},
		{Fields: on("Switch", ".roce"), Name: "RoCE", Changed: High, Set: High, Why: "the switch reboots"},
		{Fields: on("Switch", ".ecmp.roceQPN"), Name: "ECMP by RoCE queue pair", Changed: Medium, Set: Medium, Why: "flows take other paths"},
		{Fields: on("Switch", ".linkFlapErrDisable"), Name: "protection against flapping links", Changed: Low, Set: Medium, Why: "a link that flaps is switched off from now on"},
		{Fields: on("Switch", ".linkFlapErrDisable.flapThreshold", ".linkFlapErrDisable.samplingInterval", ".linkFlapErrDisable.recoveryInterval"),
			Part: "flap protection", Name: "{field}", Why: "it tunes the protection"},

		// Servers.
		{Fields: on("Server", ".description"), Name: "description", Why: text},
		{Fields: on("Server", ".profile"), Name: "profile", Why: "the fabric does not use it"},

		// Gateways.
		{Fields: on("Gateway", ".protocolIP"), Name: "protocol address", Replaces: true, Changed: High, Set: Low, Why: renumbered},
		{Fields: on("Gateway", ".vtepIP"), Name: "VTEP address", Replaces: true, Changed: High, Set: Low, Why: "every tunnel to the gateway goes down"},
		{Fields: on("Gateway", ".vtepMAC"), Name: "VTEP MAC", Replaces: true, Changed: High, Set: Low, Why: "every tunnel to the gateway goes down"},
		{Fields: on("Gateway", ".asn"), Name: "ASN", Replaces: true, Changed: High, Set: Low, Why: "its BGP sessions go down until every neighbour knows the new number"},
		{Fields: on("Gateway", ".vtepMTU"), Name: "VTEP MTU", Changed: Medium, Set: Low, Why: "packets that fitted may no longer fit"},
		{Fields: on("Gateway", ".interfaces.*"), Part: "interface {0}", Name: "", Changed: High, Set: Low, Why: linkDown},
		{Fields: on("Gateway", ".interfaces.*.pci"), Part: "interface {0}", Name: "PCI address", Replaces: true, Changed: High, Set: Low, Why: linkDown},
		{Fields: on("Gateway", ".interfaces.*.kernel"), Part: "interface {0}", Name: "kernel interface", Replaces: true, Changed: High, Set: Low, Why: linkDown},
		{Fields: on("Gateway", ".interfaces.*.ips[]"), Part: "interface {0}", Name: "address", Replaces: true, Changed: High, Set: Low, Why: renumbered},
		{Fields: on("Gateway", ".interfaces.*.mtu"), Part: "interface {0}", Name: "MTU", Changed: Medium, Set: Low, Why: "packets that fitted may no longer fit"},
		{Fields: on("Gateway", ".neighbors[]"), Part: "neighbor {0}", Name: "", Changed: High, Set: Low, Why: bgpDown},
		{Fields: on("Gateway", ".neighbors[].source"), Part: "neighbor {0}", Name: "source", Changed: High, Set: Low, Why: bgpDown},
		{Fields: on("Gateway", ".neighbors[].ip"), Part: "neighbor {0}", Name: "address", Changed: High, Set: Low, Why: bgpDown},
		{Fields: on("Gateway", ".neighbors[].asn"), Part: "neighbor {0}", Name: "ASN", Changed: High, Set: Low, Why: bgpDown},
		{Fields: on("Gateway", ".logs.default", ".logs.tags.*"), Part: "logs", Name: "{field}", Why: "what is logged"},
		{Fields: on("Gateway", ".logs.rateLimit.*"), Part: "logs", Name: "rate limit", Why: "what is logged"},
		{Fields: on("Gateway", ".profiling.enabled"), Name: "profiling", Why: "it shows where time goes"},
		{Fields: on("Gateway", ".workers"), Name: "workers", Changed: Medium, Set: Low, Why: "how much the gateway can carry changes"},
		{Fields: on("Gateway", ".groups[]"), Part: "group {0}", Name: "", Changed: High, Set: Medium, Why: "peerings of the group move to or from this gateway"},
		{Fields: on("Gateway", ".groups[].name"), Part: "group {0}", Name: "name", Changed: Low, Why: inside},
		{Fields: on("Gateway", ".groups[].priority"), Part: "group {0}", Name: "priority", Changed: Medium, Set: Medium, Why: "peerings of the group may move to another gateway, and flows break"},
		{Fields: on("Gateway", ".flowTableCapacity"), Name: "flow table", Changed: Medium, Set: Low, Why: "how many flows the gateway can hold changes"},

		// VPCs.
		{Fields: on("VPC", ".mode"), Name: "mode", Replaces: true, Changed: High, Set: High, Unused: Medium, Used: ByVPC, Why: "the VPC is built anew, and its servers lose their network meanwhile"},
		{Fields: on("VPC", ".ipv4Namespace"), Name: "IPv4 namespace", Replaces: true, Changed: High, Set: Low, Unused: Medium, Used: ByVPC, Why: "the VPC moves among other VPCs and externals"},
		{Fields: on("VPC", ".vlanNamespace"), Name: "VLAN namespace", Replaces: true, Changed: High, Set: Low, Unused: Medium, Used: ByVPC, Why: "its VLANs move"},
		{Fields: on("VPC", ".subnets.*"), Part: "subnet {0}", Name: "", Whole: true, Why: "judged as a whole: the servers that lose the subnet"},
		{Fields: on("VPC", ".subnets.*.subnet"), Part: "subnet {0}", Name: "network", Replaces: true, Changed: High, Set: Low, Unused: Medium, Used: BySubnet, Why: "every server in it needs another address"},
		{Fields: on("VPC", ".subnets.*.vlan"), Part: "subnet {0}", Name: "VLAN", Replaces: true, Changed: High, Set: High, Unused: Medium, Used: BySubnet, Why: othernumber},
		{Fields: on("VPC", ".subnets.*.gateway"), Part: "subnet {0}", Name: "gateway", Changed: High, Set: High, Unused: Medium, Used: BySubnet, Why: "servers with the old default gateway lose their way out"},
		{Fields: on("VPC", ".subnets.*.hostBGP"), Part: "subnet {0}", Name: "host BGP", Replaces: true, Changed: High, Set: High, Unused: Medium, Used: BySubnet, Why: "servers must announce their addresses, or no longer may"},
		{Fields: on("VPC", ".subnets.*.hostBGPMinPrefixLen", ".subnets.*.hostBGPMaxPrefixLen"), Part: "subnet {0}", Name: "{field}", Changed: Medium, Set: Medium, Unused: Medium, Used: BySubnet, Why: "which routes servers may announce changes"},
		{Fields: on("VPC", ".subnets.*.hostBGPExtraPrefixes.*"), Part: "subnet {0}", Name: "announced prefix {1}", Changed: Medium, Set: Medium, Unused: Medium, Used: BySubnet, Why: "which routes servers may announce changes"},
		{Fields: on("VPC", ".subnets.*.hostBGPExtraPrefixes.*.minPrefixLen", ".subnets.*.hostBGPExtraPrefixes.*.maxPrefixLen"), Part: "subnet {0}", Name: "{field} of announced prefix {1}", Changed: Medium, Set: Medium, Unused: Medium, Used: BySubnet, Why: "which routes servers may announce changes"},
		{Fields: on("VPC", ".subnets.*.dhcp.enable"), Part: "subnet {0}", Name: "DHCP server", Changed: High, Set: Medium, Used: BySubnet, Why: "servers without a lease get none, or get one from now on"},
		{Fields: on("VPC", ".subnets.*.dhcp.relay"), Part: "subnet {0}", Name: "DHCP relay", Changed: High, Set: Medium, Used: BySubnet, Why: "leases come from another server, or from none"},
		{Fields: on("VPC", ".subnets.*.dhcp.relayVPC"), Part: "subnet {0}", Name: "VPC of the DHCP relay", Changed: High, Set: Medium, Used: BySubnet, Why: "leases come from another server, or from none"},
		{Fields: on("VPC", ".subnets.*.dhcp.range"), Part: "subnet {0}", Name: "DHCP range", Why: inside},
		{Fields: on("VPC", ".subnets.*.dhcp.range.start", ".subnets.*.dhcp.range.end"), Part: "subnet {0}", Name: "{field} of the DHCP range", Changed: Medium, Set: Low, Used: BySubnet, Why: "leases outside the new range end, and addresses in it may be taken"},
		{Fields: on("VPC", ".subnets.*.dhcp.options"), Part: "subnet {0}", Name: "DHCP options", Why: inside},
		{Fields: on("VPC", ".subnets.*.dhcp.options.pxeURL"), Part: "subnet {0}", Name: "PXE address", Changed: Medium, Set: Medium, Used: BySubnet, Why: "servers boot something else the next time"},
		{Fields: on("VPC", ".subnets.*.dhcp.options.dnsServers[]"), Part: "subnet {0}", Name: "DNS server", Changed: Medium, Set: Low, Used: BySubnet, Why: "servers ask others from their next lease on"},
		{Fields: on("VPC", ".subnets.*.dhcp.options.timeServers[]"), Part: "subnet {0}", Name: "time server", Changed: Low, Why: "servers ask others from their next lease on"},
		{Fields: on("VPC", ".subnets.*.dhcp.options.interfaceMTU"), Part: "subnet {0}", Name: "MTU in DHCP", Changed: Medium, Set: Low, Used: BySubnet, Why: "servers change their MTU at their next lease"},
		{Fields: on("VPC", ".subnets.*.dhcp.options.leaseTimeSeconds"), Part: "subnet {0}", Name: "lease time", Why: "leases run out sooner or later"},
		{Fields: on("VPC", ".subnets.*.dhcp.options.disableDefaultRoute"), Part: "subnet {0}", Name: "suppression of the default route in DHCP", Changed: Medium, Set: High, Used: BySubnet, Why: "servers lose or gain their default route at their next lease"},
		{Fields: on("VPC", ".subnets.*.dhcp.options.advertisedRoutes[]"), Part: "subnet {0}", Name: "route to {1} in DHCP", Changed: Medium, Set: Medium, Used: BySubnet, Why: "servers route otherwise from their next lease on"},
		{Fields: on("VPC", ".subnets.*.dhcp.options.advertisedRoutes[].destination"), Part: "subnet {0}", Name: "destination of the route to {1} in DHCP", Why: inside},
		{Fields: on("VPC", ".subnets.*.dhcp.options.advertisedRoutes[].gateway"), Part: "subnet {0}", Name: "gateway of the route to {1} in DHCP", Changed: Medium, Set: Low, Used: BySubnet, Why: "servers route otherwise from their next lease on"},
		{Fields: on("VPC", ".subnets.*.dhcp.static.*"), Part: "subnet {0}", Name: "fixed lease of {1}", Changed: Medium, Set: Low, Used: BySubnet, Why: "the machine gets another address the next time"},
		{Fields: on("VPC", ".subnets.*.dhcp.static.*.ip"), Part: "subnet {0}", Name: "fixed lease of {1}", Changed: Medium, Set: Low, Used: BySubnet, Why: "the machine gets another address the next time"},
		{Fields: on("VPC", ".subnets.*.isolated", ".subnets.*.restricted"), Part: "subnet {0}", Name: "{field}", Whole: true, Why: open},
		{Fields: on("VPC", ".defaultIsolated", ".defaultRestricted", ".permit[]"), Name: "{field}", Whole: true, Why: open},
		{Fields: on("VPC", ".staticRoutes[]"), Part: "static route {0}", Name: "", Changed: Medium, Set: Medium, Used: ByVPC, Why: "traffic goes another way"},
		{Fields: on("VPC", ".staticRoutes[].prefix"), Part: "static route {0}", Name: "prefix", Why: inside},
		{Fields: on("VPC", ".staticRoutes[].nextHops[]"), Part: "static route {0}", Name: "next hop", Changed: Medium, Set: Medium, Used: ByVPC, Why: "traffic goes another way"},

		// Attachments and peerings.
		{Fields: on("VPCAttachment", ".subnet"), Name: "subnet", Replaces: true, Whole: true, Why: "judged as a whole: the servers that leave the subnet"},
		{Fields: on("VPCAttachment", ".connection"), Name: "connection", Replaces: true, Whole: true, Why: "judged as a whole: the servers that leave the subnet"},
		{Fields: on("VPCAttachment", ".nativeVLAN"), Name: "native VLAN", Changed: High, Set: High, Why: "the server must send the subnet with a tag, or no longer with one"},
		{Fields: on("VPCPeering", ".remote"), Name: "remote", Changed: Medium, Set: Medium, Why: "the cluster refuses it since 26.03"},
		{Fields: on("VPCPeering", ".permit[]"), Name: "permit", Whole: true, Why: open},

		// Externals.
		{Fields: on("External", ".ipv4Namespace"), Name: "IPv4 namespace", Replaces: true, Changed: High, Set: Low, Why: "VPCs of the old namespace no longer reach it"},
		{Fields: on("External", ".inboundCommunity"), Name: "inbound community", Changed: High, Set: High, Why: "other routes are taken in: check for a route leak"},
		{Fields: on("External", ".outboundCommunity"), Name: "outbound community", Changed: High, Set: High, Why: "the neighbours treat our routes otherwise: check for a route leak"},
		{Fields: on("External", ".static"), Name: "static routing", Replaces: true, Changed: High, Set: High, Why: "BGP and static routes exclude each other: the way out is built anew"},
		{Fields: on("External", ".static.prefixes[]"), Name: "static prefix", Changed: High, Set: Medium, Why: "what lies behind the external changes for everybody who may use it"},
		{Fields: on("ExternalAttachment", ".external"), Name: "external", Replaces: true, Changed: High, Set: Low, Why: "the way out leads elsewhere"},
		{Fields: on("ExternalAttachment", ".connection"), Name: "connection", Replaces: true, Changed: High, Set: Low, Why: "the way out goes over another port"},
		{Fields: on("ExternalAttachment", ".switch.vlan"), Name: "VLAN", Replaces: true, Changed: High, Set: High, Why: bgpDown + " until the neighbour tags the same VLAN"},
		{Fields: on("ExternalAttachment", ".switch.ip"), Name: "address", Replaces: true, Changed: High, Set: Low, Why: bgpDown + " until the neighbour knows the new address"},
		{Fields: on("ExternalAttachment", ".neighbor.asn"), Name: "ASN of the neighbor", Replaces: true, Changed: High, Set: Low, Why: bgpDown},
		{Fields: on("ExternalAttachment", ".neighbor.ip"), Name: "address of the neighbor", Replaces: true, Changed: High, Set: Low, Why: bgpDown},
		{Fields: on("ExternalAttachment", ".static"), Name: "static routing", Replaces: true, Changed: High, Set: High, Why: "BGP and static routes exclude each other: the way out is built anew"},
		{Fields: on("ExternalAttachment", ".static.remoteIP"), Name: "remote address", Replaces: true, Changed: High, Set: Low, Why: "the way out leads to another device"},
		{Fields: on("ExternalAttachment", ".static.vlan"), Name: "VLAN", Replaces: true, Changed: High, Set: High, Why: "the way out goes down until the far end tags the same VLAN"},
		{Fields: on("ExternalAttachment", ".static.ip"), Name: "address", Replaces: true, Changed: High, Set: Low, Why: "the way out goes down until the far end knows the new address"},
		{Fields: on("ExternalAttachment", ".static.proxy"), Name: "proxy", Replaces: true, Changed: High, Set: High, Why: "the way out is built anew"},
		{Fields: on("ExternalAttachment", ".inboundACL"), Name: "inbound filter", Whole: true, Why: filter},
		{Fields: on("ExternalAttachment", ".inboundACL.statements[]"), Part: "filter statement {0}", Name: "", Whole: true, Why: filter},
		{Fields: on("ExternalAttachment", ".inboundACL.statements[].seq", ".inboundACL.statements[].action", ".inboundACL.statements[].protocol",
			".inboundACL.statements[].srcPrefix", ".inboundACL.statements[].dstPrefix", ".inboundACL.statements[].portRangeBegin",
			".inboundACL.statements[].portRangeEnd", ".inboundACL.statements[].icmpType", ".inboundACL.statements[].icmpCode"),
			Part: "filter statement {0}", Name: "{field}", Whole: true, Why: filter},
		{Fields: on("ExternalAttachment", ".inboundACL.statements[].tcpFilters", ".inboundACL.statements[].tcpFilters.established",
			".inboundACL.statements[].tcpFilters.fin", ".inboundACL.statements[].tcpFilters.notFin", ".inboundACL.statements[].tcpFilters.syn",
			".inboundACL.statements[].tcpFilters.notSyn", ".inboundACL.statements[].tcpFilters.rst", ".inboundACL.statements[].tcpFilters.notRst",
			".inboundACL.statements[].tcpFilters.psh", ".inboundACL.statements[].tcpFilters.notPsh", ".inboundACL.statements[].tcpFilters.ack",
			".inboundACL.statements[].tcpFilters.notAck", ".inboundACL.statements[].tcpFilters.urg", ".inboundACL.statements[].tcpFilters.notUrg"),
			Part: "filter statement {0}", Name: "TCP {field}", Whole: true, Why: filter},
		{Fields: on("ExternalPeering", ".permit.vpc.name"), Name: "VPC", Replaces: true, Whole: true, Why: open},
		{Fields: on("ExternalPeering", ".permit.external.name"), Name: "external", Replaces: true, Whole: true, Why: open},
		{Fields: on("ExternalPeering", ".permit.vpc.subnets[]"), Name: "subnet", Whole: true, Why: open},
		{Fields: on("ExternalPeering", ".permit.external.prefixes[]"), Name: "prefix", Whole: true, Why: open},

		// Peerings through gateways.
		{Fields: on("GatewayPeering", ".gatewayGroup"), Name: "gateway group", Changed: High, Set: Low, Why: "the peering moves to other gateways, and its flows break"},
		{Fields: on("GatewayPeering", ".peering.*"), Part: "side {0}", Name: "", Replaces: true, Whole: true, Why: open},
		{Fields: on("GatewayPeering", ".peering.*.expose[]"), Part: "side {0}", Name: "exposed {1}", Whole: true, Why: open},
		{Fields: on("GatewayPeering", ".peering.*.expose[].ips[]"), Part: "side {0}", Name: "exposed network", Whole: true, Why: open},
		{Fields: on("GatewayPeering", ".peering.*.expose[].default"), Part: "side {0}", Name: "default route", Whole: true, Why: open},
		{Fields: on("GatewayPeering", ".peering.*.expose[].as[]"), Part: "side {0}", Name: "address by which {1} is seen", Changed: High, Set: Medium, Why: "the other side sees other addresses"},
		{Fields: on("GatewayPeering", ".peering.*.expose[].nat", ".peering.*.expose[].nat.masquerade", ".peering.*.expose[].nat.static", ".peering.*.expose[].nat.portForward"),
			Part: "side {0}", Name: "NAT ({field}) of {1}", Changed: High, Set: High, Why: "flows break, and the other side sees other addresses"},
		{Fields: on("GatewayPeering", ".peering.*.expose[].nat.masquerade.idleTimeout", ".peering.*.expose[].nat.portForward.idleTimeout"),
			Part: "side {0}", Name: "idle timeout of {1}", Why: "idle flows are forgotten sooner or later"},
		{Fields: on("GatewayPeering", ".peering.*.expose[].nat.portForward.ports[]"), Part: "side {0}", Name: "forwarded port of {1}", Changed: Medium, Set: Medium, Why: "what can be reached from outside changes"},
		{Fields: on("GatewayPeering", ".acl", ".acl.default"), Name: "filter ({field})", Whole: true, Why: filter},
		{Fields: on("GatewayPeering", ".acl.rules[]"), Part: "filter rule {0}", Name: "", Whole: true, Why: filter},
		{Fields: on("GatewayPeering", ".acl.rules.order"), Name: "order of the filter rules", Whole: true, Why: filter},
		{Fields: on("GatewayPeering", ".acl.rules[].name", ".acl.rules[].from", ".acl.rules[].to", ".acl.rules[].action", ".acl.rules[].match.src[]",
			".acl.rules[].match.dst[]", ".acl.rules[].match.proto", ".acl.rules[].scope"), Part: "filter rule {0}", Name: "{field}", Whole: true, Why: filter},
		{Fields: on("GatewayPeering", ".acl.rules[].log"), Part: "filter rule {0}", Name: "log", Why: "what is logged"},

		// Connections.
		{Fields: on("Connection", ".unbundled", ".bundled", ".eslag", ".mclag", ".mclagDomain", ".fabric", ".mesh", ".gateway", ".vpcLoopback", ".external", ".staticExternal"),
			Name: "type {field}", Replaces: true, Whole: true, Why: "the cluster refuses another type: the connection must go first, and its links go down"},
		{Fields: on("Connection", ".unbundled.link.server.port", ".unbundled.link.switch.port", ".external.link.switch.port", ".staticExternal.link.switch.port"),
			Name: "{field} port", Replaces: true, Whole: true, Why: linkDown + ": it is another link"},
		{Fields: slices.Concat(serverLAGs(".links[]"), on("Connection", ".fabric.links[]", ".mesh.links[]", ".gateway.links[]", ".vpcLoopback.links[]", ".mclagDomain.peerLinks[]", ".mclagDomain.sessionLinks[]")),
			Part: "link {0}", Name: "", Whole: true, Why: "judged as a whole: the legs that stay"},
		{Fields: slices.Concat(serverLAGs(".links[].server.port"), serverLAGs(".links[].switch.port"),
			on("Connection", ".fabric.links[].spine.port", ".fabric.links[].leaf.port", ".mesh.links[].leaf1.port", ".mesh.links[].leaf2.port",
				".gateway.links[].switch.port", ".gateway.links[].gateway.port", ".vpcLoopback.links[].switch1.port", ".vpcLoopback.links[].switch2.port",
				".mclagDomain.peerLinks[].switch1.port", ".mclagDomain.peerLinks[].switch2.port", ".mclagDomain.sessionLinks[].switch1.port", ".mclagDomain.sessionLinks[].switch2.port")),
			Part: "link {0}", Name: "{field} port", Replaces: true, Whole: true, Why: linkDown + ": it is another link"},
		{Fields: on("Connection", ".fabric.links[].spine.ip", ".fabric.links[].leaf.ip", ".mesh.links[].leaf1.ip", ".mesh.links[].leaf2.ip", ".gateway.links[].switch.ip", ".gateway.links[].gateway.ip"),
			Part: "link {0}", Name: "{field} address", Replaces: true, Changed: High, Set: Low, Why: "the underlay is renumbered: " + bgpDown + " until both ends agree"},
		{Fields: slices.Concat(serverLAGs(".mtu"), on("Connection", ".unbundled.mtu")), Name: "MTU", Changed: Medium, Set: Medium, Why: "packets that fitted may no longer fit"},
		{Fields: serverLAGs(".fallback"), Name: "LACP fallback", Changed: Medium, Set: Low, Why: "a server that does not speak LACP, as while it boots, loses its link"},
		{Fields: on("Connection", ".staticExternal.link.switch.ip"), Name: "address", Replaces: true, Changed: High, Set: Low, Why: renumbered},
		{Fields: on("Connection", ".staticExternal.link.switch.nextHop"), Name: "next hop", Changed: High, Set: Low, Why: "traffic goes another way"},
		{Fields: on("Connection", ".staticExternal.link.switch.vlan"), Name: "VLAN", Replaces: true, Changed: High, Set: High, Why: "the way out goes down until the far end tags the same VLAN"},
		{Fields: on("Connection", ".staticExternal.link.switch.subnets[]"), Name: "network outside", Whole: true, Why: open},
		{Fields: on("Connection", ".staticExternal.withinVPC"), Name: "VPC", Replaces: true, Changed: High, Set: High, Why: "the cluster refuses another VPC: the connection must go first"},
	}
}

// effects is the table by kind and path.
type effects map[string]*Effect

func newEffects() effects {
	byField := effects{}
	table := Effects()
	for i := range table {
		for _, field := range table[i].Fields {
			byField[field] = &table[i]
		}
	}
	return byField
}

// of returns the effect of a field of a kind.
func (e effects) of(kind hedgehog.Kind, f *fact) *Effect {
	if effect, ok := e[string(kind)+" "+f.pattern]; ok {
		return effect
	}
	if f.pattern == "metadata.annotations.*" {
		if effect, ok := e[string(kind)+" "+f.path]; ok {
			return effect
		}
	}
	if effect, ok := e["* "+f.pattern]; ok {
		return effect
	}
	return e["* "+anyField]
}

// fill puts the keys and the field's own name into a text of the table.
func fill(template string, f *fact) Words {
	var words Words
	for {
		before, rest, ok := strings.Cut(template, "{")
		if before != "" {
			words = append(words, Word{Text: before})
		}
		if !ok {
			return words
		}
		var what string
		what, template, _ = strings.Cut(rest, "}")
		if what == "field" {
			words = append(words, Word{Text: fieldName(f.pattern)})
		} else if n := int(what[0] - '0'); n < len(f.keys) {
			words = append(words, Word{f.keys[n], true})
		}
	}
}

// fieldName returns the last name in a pattern that says something: server for
// spec.eslag.links[].server.port, isolated for spec.subnets.*.isolated.
func fieldName(pattern string) string {
	steps := strings.Split(strings.NewReplacer("[]", "", ".*", "").Replace(pattern), ".")
	last := steps[len(steps)-1]
	if (last == "port" || last == "ip") && len(steps) > 1 {
		return steps[len(steps)-2]
	}
	return last
}

// label returns what people call the field that the fact is about, in two halves:
// "subnet web" and "VLAN".
func (e *Effect) label(f *fact) (part, what Words) {
	if f.pattern == anyField {
		return nil, say(name(f.path))
	}
	return fill(e.Part, f), fill(e.Name, f)
}
