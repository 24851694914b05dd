package hedgehog_test

import (
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"hedgehog-gitops/render/hedgehog"
)

// broken is a mistake made in the fabric of testdata/valid.yaml.
type broken struct {
	// from becomes to, the first time; an empty from appends a row.
	from, to string
	// issues are what must be said then, each "rule Kind/name", in any order.
	issues []string
	// settings are for what an installation decides.
	settings func(*hedgehog.Settings)
}

// validRows returns the objects of testdata/valid.yaml as manifests.
func validRows(rows string) string {
	var b strings.Builder
	for row := range strings.Lines(rows) {
		kind, rest, ok := strings.Cut(strings.TrimSpace(row), ": ")
		if !ok || strings.HasPrefix(row, "#") {
			continue
		}
		b.WriteString("---\n{apiVersion: " + hedgehog.Kind(kind).APIVersion() + ", kind: " + kind + ", metadata: " + rest + "}\n")
	}
	return b.String()
}

func older(s *hedgehog.Settings) { s.FabricVersion = "26.02" }

// brokenFabrics has a row for each rule between objects, at least.
func brokenFabrics() map[string]broken {
	is := func(issues ...string) []string { return issues }
	const group = "group: eslag-1, type: eslag"
	installer := func(s *hedgehog.Settings) { s.Target = hedgehog.TargetInstaller }
	return map[string]broken{
		"VLANs of the fabric":            {"to: 2999", "to: 3000", is("vlan-range-reserved VLANNamespace/default"), nil},
		"VLANs twice":                    {"{from: 500, to: 600}", "{from: 500, to: 600}, {from: 600}", is("vlan-range-overlap VLANNamespace/other"), nil},
		"a pool of the fabric":           {"10.2.0.0/16]", "10.2.0.0/16, 172.30.0.0/24]", is("ipv4-namespace-reserved IPv4Namespace/other"), nil},
		"a pool in a pool":               {"10.1.0.0/16]", "10.1.0.0/16, 10.1.8.0/24]", is("ipv4-namespace-overlap IPv4Namespace/default"), nil},
		"no such profile":                {"profile: celestica-ds3000, boot", "profile: arista-7050, boot", is("switch-profile-unknown Switch/spine-01"), nil},
		"no such group":                  {"groups: [eslag-1]", "groups: [eslag-1, x]", is("switch-group-unknown Switch/leaf-01"), nil},
		"no such VLAN namespace":         {"{role: spine,", "{role: spine, vlanNamespaces: [x],", is("switch-vlan-namespace-unknown Switch/spine-01"), nil},
		"VLAN namespaces that overlap":   {"{from: 500, to: 600}]}\n", "{from: 500, to: 1000}]}\nSwitch: {name: s}, spec: {role: spine, profile: celestica-ds3000, vlanNamespaces: [default, other], boot: {serial: S}, asn: 65100, ip: 172.30.0.99/21, protocolIP: 172.30.8.99/32}\n", is("switch-vlan-namespaces-overlap Switch/s"), nil},
		"ESLAG on a model without":       {"profile: dell-s5248f-on, groups: [eslag-1], redundancy: {" + group + "}, boot: {serial: A2}", "profile: celestica-ds4000, groups: [eslag-1], redundancy: {" + group + "}, boot: {serial: A2}", is("switch-redundancy-unsupported Switch/leaf-02", "attachment-unsupported VPCAttachment/a1", "connection-port-unknown Connection/mesh"), nil},
		"MCLAG of a switch":              {"boot: {serial: A3}", "boot: {serial: A3}, redundancy: {group: eslag-1, type: mclag}", is("switch-mclag-gone Switch/leaf-03", "attachment-hostbgp VPCAttachment/a2"), nil},
		"speed of a port that is none":   {"portBreakouts:", "portSpeeds: {E1/99: 25G}, portBreakouts:", is("switch-port-unknown Switch/leaf-03"), nil},
		"a speed that the port lacks":    {"portBreakouts:", "portSpeeds: {E1/33: 100G}, portBreakouts:", is("switch-port-speed Switch/leaf-03"), nil},
		"a speed of a breakout port":     {"portBreakouts:", "portSpeeds: {E1/5: 100G}, portBreakouts:", is("switch-port-speed Switch/leaf-03"), nil},
		"a group speed":                  {"portBreakouts:", "portGroupSpeeds: {'1': 25G}, portBreakouts:", is("switch-group-speed Switch/leaf-03"), nil},
		"a breakout":                     {"{E1/2: 4x25G}", "{E1/2: 4x25G, E1/33: 4x25G}", is("switch-port-breakout Switch/leaf-03"), nil},
		"auto-negotiation of a lane":     {"portBreakouts:", "portAutoNegs: {E1/33: true}, portBreakouts:", is("switch-port-autoneg Switch/leaf-03"), nil},
		"FEC of a port broken out":       {"portBreakouts:", "portFECs: {E1/2: rs}, portBreakouts:", is("switch-port-fec Switch/leaf-03"), nil},
		"FEC of a lane":                  {"portBreakouts:", "portFECs: {E1/2/4: rs, E1/1: rs}, portBreakouts:", nil, nil},
		"FEC before 26.03":               {"portBreakouts:", "portFECs: {E1/2/4: rs}, portBreakouts:", is("version-too-old Switch/leaf-03", "version-too-old VPC/vpc-2"), older},
		"what a model lacks":             {"Server: {name: s1}", "Server: {name: s1}\nSwitch: {name: s}, spec: {role: spine, profile: edgecore-dcs501, roce: true, ecmp: {roceQPN: true}, boot: {serial: S}, asn: 65100, ip: 172.30.0.99/21, protocolIP: 172.30.8.99/32}", is("switch-roce-unsupported Switch/s", "switch-roce-qpn-unsupported Switch/s"), nil},
		"a MAC twice":                    {"boot: {serial: A1}", "boot: {mac: '0C:20:12:00:00:01'}", is("switch-boot-duplicate Switch/spine-01"), nil},
		"no MAC":                         {"boot: {serial: A1}", "boot: {}", is("switch-boot-missing Switch/leaf-01"), nil},
		"no AS number":                   {"asn: 65101, ", "", is("address-missing Switch/leaf-01"), nil},
		"an AS number missing, at first": {"asn: 65101, ", "", is("address-missing Switch/leaf-01"), installer},
		"a link with one address":        {"leaf-01/E1/49, ip: 172.30.128.1/31", "leaf-01/E1/49", is("address-missing Connection/fabric"), nil},
		"another AS of the spines":       {"asn: 65100, ip", "asn: 65000, ip", is("switch-asn-spine Switch/spine-01"), nil},
		"an AS of nobody's":              {"asn: 65101", "asn: 65534", is("switch-asn-leaf Switch/leaf-01"), nil},
		"an AS twice":                    {"asn: 65101", "asn: 65102", is("switch-asn-duplicate Switch/leaf-02"), nil},
		"management elsewhere":           {"172.30.0.7/21", "172.30.4.7/21", is("switch-ip-pool Switch/leaf-01"), nil},
		"management of the control node": {"172.30.0.7/21", "172.30.0.1/21", is("switch-ip-pool Switch/leaf-01"), nil},
		"management twice":               {"172.30.0.7/21", "172.30.0.8/21", is("switch-ip-duplicate Switch/leaf-02"), nil},
		"a VTEP of a spine":              {"protocolIP: 172.30.8.0/32", "protocolIP: 172.30.8.0/32, vtepIP: 172.30.12.77/32", is("switch-vtep-spine Switch/spine-01"), nil},
		"a router id elsewhere":          {"172.30.8.1/32", "172.30.12.1/32", is("protocol-ip-pool Switch/leaf-01"), nil},
		"a router id twice":              {"172.30.8.9/32", "172.30.8.1/32", is("protocol-ip-duplicate Gateway/gw-1"), nil},
		"a VTEP elsewhere":               {"172.30.12.9/32", "172.30.8.99/32", is("vtep-ip-pool Gateway/gw-1"), nil},
		"a VTEP twice":                   {"172.30.12.9/32", "172.30.12.1/32", is("vtep-ip-duplicate Gateway/gw-1"), nil},
		"a gateway's MAC twice":          {"GatewayPeering: {name: g1}", "Gateway: {name: gw-2}, spec: {protocolIP: 172.30.8.10/32, vtepIP: 172.30.12.10/32, vtepMAC: 'CA:fe:ba:be:01:00', asn: 65534, interfaces: {eth0: {ips: [10.9.9.9/31]}}, neighbors: [{ip: 10.9.9.8, asn: 65100}]}\nGatewayPeering: {name: g1}", is("gateway-mac-duplicate Gateway/gw-2"), nil},
		"ends of two networks":           {"172.30.128.1/31", "172.30.128.7/31", is("link-subnet Connection/fabric"), nil},
		"a link elsewhere":               {"172.30.128.0/31}, leaf: {port: leaf-01/E1/49, ip: 172.30.128.1/31", "10.0.0.0/31}, leaf: {port: leaf-01/E1/49, ip: 10.0.0.1/31", is("link-pool Connection/fabric"), nil},
		"a link twice":                   {"172.30.128.0/31}, leaf: {port: leaf-01/E1/49, ip: 172.30.128.1/31", "172.30.128.2/31}, leaf: {port: leaf-01/E1/49, ip: 172.30.128.3/31", is("link-duplicate Connection/mesh"), nil},
		"a server by itself":             {"Server: {name: s1}", "Server: {name: s1}\nServer: {name: s4}", is("server-unused Server/s4"), nil},
		"no such switch":                 {"leaf-03/E1/10", "leaf-04/E1/10", is("connection-switch-unknown Connection/external"), nil},
		"no such server":                 {"s1/eth0", "s4/eth0", is("connection-server-unknown Connection/s1--leaf-03", "server-unused Server/s1"), nil},
		"no such gateway":                {"gw-1/enp2s1", "gw-2/enp2s1", is("connection-gateway-unknown Connection/gateway"), nil},
		"no such interface":              {"gw-1/enp2s1", "gw-1/enp2s2", is("connection-gateway-unknown Connection/gateway"), nil},
		"no such port":                   {"leaf-03/E1/10", "leaf-03/E1/10/1/1", is("connection-port-unknown Connection/external"), nil},
		"no such lane":                   {"leaf-03/E1/10", "leaf-03/E1/10/2", is("connection-port-unknown Connection/external"), nil},
		"the management port":            {"leaf-03/E1/10", "leaf-03/M1", is("connection-port-management Connection/external"), nil},
		"a port twice":                   {"leaf-03/E1/10", "leaf-03/E1/2", is("connection-port-twice Connection/s1--leaf-03"), nil},
		"a port twice in one":            {"leaf-03/E1/4", "leaf-03/E1/3/1", is("connection-port-twice Connection/s3--leaf-03"), nil},
		"a fabric of leaves":             {"spine-01/E1/1,", "leaf-02/E1/51,", is("connection-roles Connection/fabric"), nil},
		"a mesh of spines":               {"leaf-02/E1/50", "spine-01/E1/3", is("connection-roles Connection/mesh"), nil},
		"a bundle to two":                {"leaf-03/E1/4", "leaf-02/E1/4", is("connection-ends Connection/s3--leaf-03"), nil},
		"an ESLAG of two servers":        {"s2/eth1", "s1/eth1", is("connection-ends Connection/s2--eslag"), nil},
		"a loopback to another":          {"leaf-03/E1/13", "leaf-02/E1/13", is("connection-ends Connection/loopback"), nil},
		"an ESLAG without a group":       {"groups: [eslag-1], redundancy: {" + group + "}, boot: {serial: A1}", "boot: {serial: A1}", nil, nil},
		"an ESLAG of two groups":         {"redundancy: {" + group + "}, boot: {serial: A1}", "redundancy: {group: eslag-2, type: eslag}, boot: {serial: A1}", is("connection-eslag-group Connection/s2--eslag", "switch-group-unknown Switch/leaf-01"), nil},
		"an MCLAG":                       {"{eslag: {links", "{mclag: {links", is("connection-mclag-gone Connection/s2--eslag", "attachment-connection-type VPCAttachment/a1"), nil},
		"an MCLAG of other switches":     {"{eslag: {links", "{mclag: {links", is("connection-mclag-group Connection/s2--eslag", "version-too-old VPC/vpc-2"), older},
		"a next hop elsewhere":           {"nextHop: 172.31.0.1", "nextHop: 172.31.1.1", is("static-external-next-hop Connection/static"), nil},
		"a route to the fabric":          {"[10.99.0.0/24]", "[172.30.8.0/24]", is("static-external-subnets Connection/static"), nil},
		"a default among others":         {"[10.99.0.0/24]", "[10.99.0.0/24, 0.0.0.0/0]", is("static-external-subnets Connection/static"), nil},
		"a default alone":                {"[10.99.0.0/24]", "[0.0.0.0/0]", nil, nil},
		"within no VPC":                  {"withinVPC: vpc-1", "withinVPC: vpc-4", is("static-external-vpc-unknown Connection/static"), nil},
		"no such IPv4 namespace":         {"ipv4Namespace: other", "ipv4Namespace: x", is("vpc-ipv4-namespace-unknown VPC/vpc-3"), nil},
		"no such VLAN namespace of VPCs": {"vlanNamespace: other", "vlanNamespace: x", is("vpc-vlan-namespace-unknown VPC/vpc-3"), nil},
		"a subnet of nobody's":           {"10.0.3.0/24", "10.3.3.0/24", is("vpc-subnet-pool VPC/vpc-2"), nil},
		"a subnet of the fabric":         {"10.2.0.0/16]", "10.2.0.0/16, 172.30.128.0/17]", is("ipv4-namespace-reserved IPv4Namespace/other"), nil},
		"a subnet in another VPC's":      {"10.0.3.0/24", "10.0.1.128/25", is("vpc-subnet-overlap VPC/vpc-2"), nil},
		"an extra prefix in its own":     {"10.0.5.0/24", "10.0.4.128/25", is("vpc-subnet-overlap VPC/vpc-2"), nil},
		"a subnet that is reserved":      {"10.0.3.0/24", "172.30.96.0/24", is("vpc-subnet-reserved VPC/vpc-2", "vpc-subnet-pool VPC/vpc-2"), nil},
		"a gateway elsewhere":            {"10.2.1.254", "10.2.2.254", is("vpc-gateway VPC/vpc-3"), nil},
		"a VLAN of nobody's":             {"vlan: 501", "vlan: 499", is("vpc-vlan-namespace VPC/vpc-3"), nil},
		"a VLAN twice":                   {"vlan: 1003", "vlan: 1001", is("vpc-vlan-twice VPC/vpc-2"), nil},
		"a permit of nothing":            {"[[a, b]]", "[[a, c]]", is("vpc-permit-unknown VPC/vpc-1"), nil},
		"host BGP below its subnet":      {"hostBGPMinPrefixLen: 28", "hostBGPMinPrefixLen: 23", is("vpc-hostbgp-short VPC/vpc-2"), nil},
		"DHCP elsewhere":                 {"start: 10.0.1.10", "start: 10.0.0.10", is("dhcp-range-outside VPC/vpc-1"), nil},
		"DHCP of the network":            {"start: 10.0.1.10", "start: 10.0.1.0", is("dhcp-range-outside VPC/vpc-1"), nil},
		"DHCP of the gateway":            {"start: 10.0.1.10", "start: 10.0.1.1", is("dhcp-range-gateway VPC/vpc-1"), nil},
		"DHCP backwards":                 {"start: 10.0.1.10", "start: 10.0.1.200", is("dhcp-range-order VPC/vpc-1"), nil},
		"a lease of the broadcast":       {"10.0.1.50", "10.0.1.255", is("dhcp-static-address VPC/vpc-1"), nil},
		"a lease twice":                  {"'00:11:22:33:44:55': {ip: 10.0.1.50}", "'00:11:22:33:44:55': {ip: 10.0.1.50}, '00:11:22:33:44:66': {ip: 10.0.1.50}", is("dhcp-static-twice VPC/vpc-1"), nil},
		"a MAC with two leases":          {"'00:11:22:33:44:55': {ip: 10.0.1.50}", "'00:11:22:33:44:aa': {ip: 10.0.1.50}, '00-11-22-33-44-AA': {ip: 10.0.1.51}", is("dhcp-static-twice VPC/vpc-1"), nil},
		"a relay in no VPC":              {"relayVPC: vpc-1", "relayVPC: vpc-4", is("dhcp-relay-vpc-unknown VPC/vpc-2"), nil},
		"a route to elsewhere":           {"gateway: 10.0.1.9", "gateway: 10.0.2.9", is("dhcp-route-gateway VPC/vpc-1"), nil},
		"attached to no VPC":             {"subnet: vpc-1/a", "subnet: vpc-4/a", is("attachment-vpc-unknown VPCAttachment/a1"), nil},
		"attached to no subnet":          {"subnet: vpc-1/a", "subnet: vpc-1", is("attachment-subnet-unknown VPCAttachment/a1"), nil},
		"attached by no connection":      {"connection: s2--eslag", "connection: s4", is("attachment-connection-unknown VPCAttachment/a1"), nil},
		"attached by a fabric link":      {"connection: s2--eslag", "connection: fabric", is("attachment-connection-type VPCAttachment/a1"), nil},
		"a VPC of other VLANs":           {"subnet: vpc-1/a", "subnet: vpc-3/a", is("attachment-vlan-namespace VPCAttachment/a1"), nil},
		"a mode that the model lacks":    {"role: server-leaf, profile: dell-s5248f-on", "role: server-leaf, profile: celestica-ds4000", is("attachment-unsupported VPCAttachment/a1", "connection-port-unknown Connection/fabric", "connection-port-unknown Connection/mesh", "switch-redundancy-unsupported Switch/leaf-01"), nil},
		"an ESLAG of L3":                 {"{permit: [[a, b]]", "{mode: l3vni, permit: [[a, b]]", is("attachment-eslag-mode VPCAttachment/a1"), nil},
		"host BGP over a bundle":         {"vpc-1/b, connection: s3--leaf-03, nativeVLAN: true", "vpc-2/h, connection: s3--leaf-03", is("attachment-hostbgp VPCAttachment/a3"), nil},
		"host BGP untagged":              {"connection: s1--leaf-03", "connection: s1--leaf-03, nativeVLAN: true", is("attachment-hostbgp VPCAttachment/a2"), nil},
		"attached twice":                 {"VPCPeering:", "VPCAttachment: {name: a4}, spec: {subnet: vpc-1/b, connection: s3--leaf-03}\nVPCPeering:", is("attachment-twice VPCAttachment/a4"), nil},
		"two native VLANs":               {"VPCPeering:", "VPCAttachment: {name: a4}, spec: {subnet: vpc-1/a, connection: s3--leaf-03, nativeVLAN: true}\nVPCPeering:", is("attachment-native-twice VPCAttachment/a4"), nil},
		"a long name":                    {"connection: s2--eslag", "connection: " + strings.Repeat("a", 64), is("attachment-connection-unknown VPCAttachment/a1", "attachment-label-length VPCAttachment/a1"), nil},
		"a peering with nobody":          {"vpc-2: {}}]", "vpc-4: {}}]", is("peering-vpc-unknown VPCPeering/vpc-1--vpc-2"), nil},
		"a peering of no subnet":         {"{subnets: [a]}, vpc-2", "{subnets: [c]}, vpc-2", is("peering-subnet-unknown VPCPeering/vpc-1--vpc-2"), nil},
		"a peering of two namespaces":    {"vpc-2: {}}]", "vpc-3: {}}]", is("peering-namespaces VPCPeering/vpc-1--vpc-2"), nil},
		"a peering twice":                {"External: {name: ext-1}", "VPCPeering: {name: again}, spec: {permit: [{vpc-1: {}, vpc-2: {}}]}\nExternal: {name: ext-1}", is("peering-duplicate VPCPeering/again"), nil},
		"an external of no namespace":    {"{static: {prefixes", "{ipv4Namespace: x, static: {prefixes", is("external-namespace-unknown External/ext-2"), nil},
		"prefixes that overlap":          {"9.9.9.0/24", "8.8.8.8/32", is("external-prefix-overlap External/ext-2"), nil},
		"attached to no external":        {"external: ext-1, connection", "external: ext-3, connection", is("external-attachment-unknown ExternalAttachment/e1"), nil},
		"an external on a server":        {"connection: external, switch", "connection: s1--leaf-03, switch", is("external-attachment-type ExternalAttachment/e1"), nil},
		"BGP to a static external":       {"external: ext-1, connection", "external: ext-2, connection", is("external-attachment-mismatch ExternalAttachment/e1"), nil},
		"a VLAN of an external twice":    {"vlan: 201", "vlan: 200", is("external-attachment-vlan ExternalAttachment/e2"), nil},
		"a way out for no VPC":           {"{name: vpc-1, subnets: [a]}", "{name: vpc-4, subnets: [a]}", is("external-peering-vpc ExternalPeering/x1"), nil},
		"a way out for no subnet":        {"{name: vpc-1, subnets: [a]}", "{name: vpc-1, subnets: [c]}", is("external-peering-subnet ExternalPeering/x1"), nil},
		"a way out to nowhere":           {"external: {name: ext-1, pre", "external: {name: ext-3, pre", is("external-peering-external ExternalPeering/x1"), nil},
		"a way out of another namespace": {"{name: vpc-1, subnets: [a]}", "{name: vpc-3, subnets: [a]}", is("external-peering-namespaces ExternalPeering/x1"), nil},
		"a way out by proxy":             {"external: {name: ext-1, pre", "external: {name: ext-2, pre", is("external-peering-proxy ExternalPeering/x1"), nil},
		"no gateways here":               {"", "", is("gateway-disabled GatewayGroup/default", "gateway-disabled Gateway/gw-1", "gateway-disabled GatewayPeering/g1", "gateway-disabled GatewayPeering/g2"), func(s *hedgehog.Settings) { s.Gateway = false }},
		"no such gateway group":          {"groups: [{name: default}]", "groups: [{name: x}]", is("gateway-group-unknown Gateway/gw-1"), nil},
		"a gateway peering with nobody":  {"ext.ext-2:", "ext.ext-3:", is("gateway-peering-unknown GatewayPeering/g2"), nil},
		"exposing no subnet":             {"[{vpcSubnet: a}]", "[{vpcSubnet: c}]", is("gateway-peering-subnet GatewayPeering/g1"), nil},
		"exposing what is elsewhere":     {"[{cidr: 10.2.1.0/24}]", "[{cidr: 10.2.0.0/23}]", is("gateway-peering-cidr GatewayPeering/g1"), nil},
		"NAT on both sides":              {"[{cidr: 10.2.1.0/24}]", "[{cidr: 10.2.1.0/24}], as: [{cidr: 10.60.0.0/24}], nat: {static: {}}}, {ips: [{cidr: 10.2.1.0/25}], as: [{cidr: 10.61.0.0/25}], nat: {masquerade: {}}", nil, nil},
		"stateful NAT on both sides":     {"{default: true}", "{ips: [{cidr: 1.1.1.0/24}], as: [{cidr: 10.61.0.0/24}], nat: {portForward: {}}}", is("gateway-peering-stateful GatewayPeering/g2"), nil},
		"exposed twice":                  {"GatewayPeering: {name: g2}", "GatewayPeering: {name: g3}, spec: {peering: {vpc-2: {expose: [{ips: [{vpcSubnet: a}], as: [{cidr: 10.0.1.64/26}], nat: {static: {}}}]}, vpc-3: {}}}\nGatewayPeering: {name: g2}", is("gateway-peering-overlap GatewayPeering/g3"), nil},
		"too many lanes":                 {"{E1/2: 4x25G}", "{" + lanes("E1/%d: 4x25G", 1, 32) + "}", nil, nil},
		"too many lanes of a switch":     {"role: spine, profile: celestica-ds3000", "role: spine, portBreakouts: {" + lanes("E1/%d: 8x50G", 1, 32) + "}, profile: celestica-ds4000", is("switch-ports-exceeded Switch/spine-01", "switch-pipeline-exceeded Switch/spine-01"), nil},
	}
}

// lanes writes a row for each port of a range.
func lanes(format string, from, to int) string {
	var rows []string
	for i := from; i <= to; i++ {
		rows = append(rows, strings.ReplaceAll(format, "%d", strconv.Itoa(i)))
	}
	return strings.Join(rows, ", ")
}

// TestEveryRuleBetweenObjects: the fabric of every kind is accepted, and each
// mistake in it is told by its rule, at its object, and nothing besides.
func TestEveryRuleBetweenObjects(t *testing.T) {
	t.Parallel()
	rows := readFile(t, filepath.Join("testdata", "valid.yaml"))
	all := brokenFabrics()
	all["nothing"] = broken{}
	for name, test := range all {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if !strings.Contains(rows, test.from) {
				t.Fatalf("the fabric has no %q", test.from)
			}
			settings := hedgehog.DefaultSettings()
			if test.settings != nil {
				test.settings(&settings)
			}
			d := decode(t, "-", validRows(strings.Replace(rows, test.from, test.to, 1)))
			found := []string{}
			for _, issue := range append(d.Issues, hedgehog.Validate(d.Fabric, settings)...) {
				found = append(found, issue.Rule+" "+issue.Object.String())
			}
			slices.Sort(found)
			found = slices.Compact(found)
			want := append([]string{}, test.issues...)
			slices.Sort(want)
			if !reflect.DeepEqual(want, found) {
				t.Errorf("want %q\ngot %q", want, found)
			}
		})
	}
}

// TestAddressesAreAllocated: without any address the installer allocates them,
// which is told once; a running cluster needs them all.
func TestAddressesAreAllocated(t *testing.T) {
	t.Parallel()
	rows := readFile(t, filepath.Join("testdata", "valid.yaml"))
	for _, address := range []string{
		`protocolIP: 172.30.8.9/32, vtepIP: 172.30.12.9/32, vtepMAC: 'ca:fe:ba:be:01:00', asn: 65534, `,
		`, (?:ip|protocolIP|vtepIP): 172\.30\.[0-9.]+/[0-9]+`,
		`, asn: 651[0-9]{2}(}\n)`,
	} {
		rows = regexp.MustCompile(address).ReplaceAllString(rows, "$1")
	}
	f := decode(t, "-", validRows(rows)).Fabric
	found := func(target hedgehog.Target) (rules []string) {
		settings := hedgehog.DefaultSettings()
		settings.Target = target
		for _, issue := range hedgehog.Validate(f, settings) {
			rules = append(rules, issue.Rule)
		}
		return rules
	}
	if got := found(hedgehog.TargetInstaller); !slices.Equal(got, []string{"addresses-allocated"}) {
		t.Errorf("the installer: %q", got)
	}
	// A spine has three, a leaf four, a gateway four, and a link two.
	if got := found(hedgehog.TargetCluster); len(got) != 3+3*4+4+3*2 || len(slices.Compact(got)) != 1 || got[0] != "address-missing" {
		t.Errorf("the cluster: %q", got)
	}
}
