package netbox

import "hedgehog-gitops/render/hedgehog"

// FieldGroup is the group that the mapping's custom fields stand in on NetBox's
// pages.
const FieldGroup = "Hedgehog"

// The types of custom fields that the mapping uses, in NetBox's words.
const (
	FieldText     = "text"
	FieldBoolean  = "boolean"
	FieldSelect   = "select"
	FieldJSON     = "json"
	FieldObject   = "object"
	FieldObjects  = "multiobject"
	filterExact   = "exact"
	namePattern   = `^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`
	shortPattern  = `^[a-z0-9]([-a-z0-9.]{0,9}[a-z0-9])?$`
	communityRule = `^\d{1,5}:\d{1,5}$`
)

// CustomField describes a custom field of the mapping. It has no default value,
// on purpose: NetBox fills defaults in by a background job and hides the field
// until that has run.
type CustomField struct {
	// Name is the field's name in NetBox, at most 50 of a-z, 0-9 and _; a
	// selection's choice set has the same name.
	Name string
	// Label is what NetBox's pages call it.
	Label string
	// Type is one of [FieldText] and so on.
	Type string
	// ObjectTypes are the models that carry it: dcim.device.
	ObjectTypes []string
	// Choices are the values of a selection.
	Choices []string
	// RelatedObjectType is what [FieldObject] and [FieldObjects] refer to.
	RelatedObjectType string
	// ValidationRegex is what a text must match.
	ValidationRegex string
	// FilterLogic is exact for text, so that a search for grp-1 does not find
	// grp-10; empty leaves it to NetBox.
	FilterLogic string
	// Schema is a JSON Schema of a [FieldJSON]: the outer shape alone, so that
	// NetBox refuses nothing that the mapping accepts.
	Schema map[string]any
	// Description is one sentence for the person who fills it in.
	Description string
}

// CustomFields returns the mapping's custom fields, in the order in which they
// are created.
func CustomFields() []CustomField {
	var profiles []string
	for _, p := range hedgehog.Profiles() {
		profiles = append(profiles, p.Name)
	}
	const (
		device, deviceType, iface, cable = "dcim.device", "dcim.devicetype", "dcim.interface", "dcim.cable"
		site, location                   = "dcim.site", "dcim.location"
		vrf, prefix, target, group       = "ipam.vrf", "ipam.prefix", "ipam.routetarget", "ipam.vlangroup"
		asn, address                     = "ipam.asn", "ipam.ipaddress"
	)
	on := func(models ...string) []string { return models }
	text := func(name, label, pattern string, models []string, description string) CustomField {
		return CustomField{Name: name, Label: label, Type: FieldText, ObjectTypes: models, ValidationRegex: pattern, FilterLogic: filterExact, Description: description}
	}
	boolean := func(name, label string, models []string, description string) CustomField {
		return CustomField{Name: name, Label: label, Type: FieldBoolean, ObjectTypes: models, Description: description}
	}
	choice := func(name, label string, models, choices []string, description string) CustomField {
		return CustomField{Name: name, Label: label, Type: FieldSelect, ObjectTypes: models, Choices: choices, Description: description}
	}
	object := func(name, label, related string, models []string, description string) CustomField {
		return CustomField{Name: name, Label: label, Type: FieldObject, ObjectTypes: models, RelatedObjectType: related, Description: description}
	}
	data := func(name, label string, schema map[string]any, models []string, description string) CustomField {
		return CustomField{Name: name, Label: label, Type: FieldJSON, ObjectTypes: models, Schema: schema, Description: description}
	}
	anObject := map[string]any{"type": "object"}
	listOf := func(kind string) map[string]any {
		return map[string]any{"type": "array", "items": map[string]any{"type": kind}}
	}
	anchors := on(device, iface, cable, vrf, prefix, target, group)

	return []CustomField{
		text("hedgehog_name", "Hedgehog name", namePattern, anchors,
			"Name of the Hedgehog object, where it is not the one made from this record"),
		choice("hedgehog_switch_profile", "Switch profile", on(deviceType), profiles,
			"Hedgehog's switch profile of this hardware"),
		object("hedgehog_asn", "ASN", asn, on(device),
			"AS number of a switch, a gateway, or a router beyond the fabric"),
		text("hedgehog_redundancy_group", "Redundancy group", "", on(device),
			"Switches of one group share the LAGs of servers"),
		choice("hedgehog_redundancy_type", "Redundancy type", on(device), on("eslag", "mclag"),
			"How the switches of the redundancy group share LAGs"),
		data("hedgehog_switch_groups", "Switch groups", map[string]any{"type": []string{"array", "string"}, "items": map[string]any{"type": "string"}}, on(device),
			"Names of switch groups besides the redundancy group"),
		{Name: "hedgehog_vlan_namespaces", Label: "VLAN namespaces", Type: FieldObjects, ObjectTypes: on(device), RelatedObjectType: group,
			Description: "VLAN groups of this switch, in place of all those of the fabric"},
		data("hedgehog_gateway_groups", "Gateway groups", listOf("object"), on(device),
			`Gateway groups of a gateway: [{"name": "default", "priority": 0}]`),
		text("hedgehog_port", "Port", "", on(iface),
			"Hedgehog's name of the port, such as E1/1, where the interface has another"),
		text("hedgehog_breakout", "Breakout", "", on(iface),
			"How the port is broken out, such as 4x25G, where channels do not say it"),
		boolean("hedgehog_autoneg", "Auto-negotiation", on(iface),
			"Auto-negotiation of the port; empty leaves it to the profile"),
		boolean("hedgehog_lacp_fallback", "LACP fallback", on(iface),
			"The LAG carries traffic before the server speaks LACP"),
		choice("hedgehog_fec", "FEC", on(iface), on("rs", "fc", "auto", "disabled"),
			"Forward error correction of the port; empty leaves it to the profile"),
		choice("hedgehog_link", "Link", on(cable), on("auto", "mesh", "mclag-peer", "mclag-session", "vpc-loopback", "static-external", "ignore"),
			"What the cable is to Hedgehog, where its ends do not say it"),
		data("hedgehog_static_external", "Static external", anObject, on(iface),
			"The rest of a static external connection: nextHop, subnets, vlan"),
		data("hedgehog_external_options", "External options", anObject, on(iface),
			"Merged into the spec of the external attachment: static, inboundACL"),
		object("hedgehog_neighbor_asn", "Neighbor ASN", asn, on(iface),
			"AS number of the router that an external attachment leads to"),
		object("hedgehog_neighbor_ip", "Neighbor IP", address, on(iface),
			"Address of the router that an external attachment leads to"),
		data("hedgehog_attachments", "Attachment names", map[string]any{"type": "object", "additionalProperties": map[string]any{"type": "string"}}, on(iface),
			`Names of attachments that do not follow the fabric's pattern: {"vpc/subnet": "name"}`),
		choice("hedgehog_vrf_kind", "VRF kind", on(vrf), on("vpc", "external"),
			"What the VRF is to Hedgehog; empty means vpc"),
		choice("hedgehog_vpc_mode", "VPC mode", on(vrf), on("l2vni", "l3vni"),
			"Mode of the VPC; empty means l2vni"),
		boolean("hedgehog_default_isolated", "Isolated by default", on(vrf),
			"Subnets of the VPC are isolated unless they say otherwise"),
		boolean("hedgehog_default_restricted", "Restricted by default", on(vrf),
			"Subnets of the VPC are restricted unless they say otherwise"),
		boolean("hedgehog_external_static", "Static external", on(vrf),
			"The external is reached by static routes, not by BGP"),
		text("hedgehog_inbound_community", "Inbound community", communityRule, on(vrf),
			"BGP community of the routes that come in from an external, such as 65102:5000"),
		text("hedgehog_outbound_community", "Outbound community", communityRule, on(vrf),
			"BGP community of the routes that go out to an external, such as 50000:50001"),
		data("hedgehog_permit", "Permit", map[string]any{"type": []string{"array", "object"}}, on(vrf, target),
			"What may talk: lists of subnets of a VPC, or the permit of a peering"),
		data("hedgehog_static_routes", "Static routes", listOf("object"), on(vrf),
			`Static routes of the VPC: [{"prefix": "10.5.0.0/24", "nextHops": ["10.0.1.5"]}]`),
		text("hedgehog_ipv4_namespace", "IPv4 namespace", shortPattern, on(prefix, vrf),
			"Name of the IPv4 namespace; empty means default"),
		text("hedgehog_subnet", "Subnet", "", on(prefix),
			"Name of the subnet in its VPC, where the VLAN's name does not say it"),
		boolean("hedgehog_isolated", "Isolated", on(prefix),
			"The subnet is isolated from others of its VPC; empty inherits"),
		boolean("hedgehog_restricted", "Restricted", on(prefix),
			"Hosts of the subnet are isolated from each other; empty inherits"),
		boolean("hedgehog_host_bgp", "Host BGP", on(prefix),
			"The subnet belongs to hosts that speak BGP"),
		data("hedgehog_host_bgp_options", "Host BGP options", anObject, on(prefix),
			"hostBGPMinPrefixLen, hostBGPMaxPrefixLen and hostBGPExtraPrefixes of the subnet"),
		choice("hedgehog_dhcp", "DHCP", on(prefix), on("none", "server", "relay"),
			"Who answers DHCP; empty means a server if an IP range of role dhcp is there"),
		text("hedgehog_dhcp_relay", "DHCP relay", "", on(prefix),
			"Address of the DHCP server behind the relay, with its length: 10.0.0.5/24"),
		object("hedgehog_dhcp_relay_vpc", "DHCP relay VPC", vrf, on(prefix),
			"VRF of the VPC in which the DHCP server stands"),
		data("hedgehog_dhcp_options", "DHCP options", anObject, on(prefix),
			"dhcp.options of the subnet: dnsServers, timeServers, interfaceMTU and others"),
		boolean("hedgehog_gateway", "Gateway peering", on(target),
			"The VRFs that share the target are peered by a gateway"),
		data("hedgehog_spec", "Hedgehog spec", anObject, anchors,
			"JSON merge patch applied last to the Hedgehog object: what NetBox has no place for"),
		data("hedgehog_objects", "Hedgehog objects", listOf("object"), on(site, location),
			"Whole Hedgehog objects that have no record of their own in NetBox"),
	}
}
