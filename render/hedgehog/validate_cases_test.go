package hedgehog_test

import (
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"hedgehog-gitops/render/hedgehog"
)

// exactCases are mistakes in the fabric of testdata/valid.yaml with the field at
// fault, each issue as "rule Kind/name field", and beside them what is almost a
// mistake and none: no issues.
func exactCases() map[string]broken {
	is := func(issues ...string) []string { return issues }
	installer := func(s *hedgehog.Settings) { s.Target = hedgehog.TargetInstaller }
	small := func(s *hedgehog.Settings) { s.FabricMTU = 1564 }
	const (
		server1 = "Server: {name: s1}"
		leaf3   = "portBreakouts:"
		boot3   = "boot: {serial: A3}"
		vpc1    = "{permit: [[a, b]], subnets: {a: {subnet: 10.0.1.0/24, vlan: 1001, "
		hostBGP = "hostBGPMinPrefixLen: 28"
		lease   = "'00:11:22:33:44:55': {ip: 10.0.1.50}"
		e1      = "switch: {vlan: 200, ip: 192.168.0.1/30}"
		g1      = "GatewayPeering: {name: g1}"
		// A switch more, that nobody is on.
		leaf9 = "Switch: {name: leaf-09}, spec: {role: server-leaf, boot: {serial: A9}, asn: 65109, ip: 172.30.0.99/21, protocolIP: 172.30.8.99/32, vtepIP: 172.30.12.99/32, profile: "
		// Two leaves of an MCLAG, and the VPC without what came later.
		mclag = "Switch: {name: m-1}, spec: {role: server-leaf, profile: celestica-ds3000, groups: [eslag-1], redundancy: {group: m, type: mclag}, boot: {serial: M1}, asn: 65110, ip: 172.30.0.110/21, protocolIP: 172.30.8.110/32, vtepIP: 172.30.12.110/32}\n" +
			"SwitchGroup: {name: m}\n" +
			"Switch: {name: m-2}, spec: {role: server-leaf, profile: celestica-ds3000, redundancy: {group: m, type: mclag}, boot: {serial: M2}, asn: 65110, ip: 172.30.0.111/21, protocolIP: 172.30.8.111/32, vtepIP: 172.30.12.110/32}\n" +
			"Server: {name: sm}\n" +
			"Connection: {name: sm--mclag}, spec: {mclag: {links: [{server: {port: sm/a}, switch: {port: m-1/E1/1}}, {server: {port: sm/b}, switch: {port: m-2/E1/1}}]}}\n" +
			"Connection: {name: domain}, spec: {mclagDomain: {peerLinks: [{switch1: {port: m-1/E1/30}, switch2: {port: m-2/E1/30}}], sessionLinks: [{switch1: {port: m-1/E1/31}, switch2: {port: m-2/E1/31}}]}}\n" +
			"VPCAttachment: {name: am}, spec: {subnet: vpc-1/a, connection: sm--mclag}\n"
		late = "version-too-old VPC/vpc-2 spec.subnets.h.hostBGPExtraPrefixes"
	)
	tooOld := is(late, "version-too-old VPC/vpc-2 spec.subnets.h.hostBGPMinPrefixLen")
	return map[string]broken{
		// Names and metadata.
		"a name of 253 characters":               {server1, server1 + "\nVPCPeering: {name: " + strings.Repeat("a.", 126) + "a}, spec: {permit: [{vpc-1: {}, vpc-9: {}}]}", is("peering-vpc-unknown VPCPeering/" + strings.Repeat("a.", 126) + "a spec.permit[0].vpc-9"), nil},
		"a name of 254 characters":               {"VPCPeering: {name: vpc-1--vpc-2}", "VPCPeering: {name: " + strings.Repeat("a", 254) + "}", is("name-syntax VPCPeering/" + strings.Repeat("a", 254) + " metadata.name"), nil},
		"a name with dots":                       {"VPCPeering: {name: vpc-1--vpc-2}", "VPCPeering: {name: a.b-c.d}", nil, nil},
		"a name with an underscore":              {"VPCPeering: {name: vpc-1--vpc-2}", "VPCPeering: {name: a_b}", is("name-syntax VPCPeering/a_b metadata.name"), nil},
		"a name that ends with a hyphen":         {"VPCPeering: {name: vpc-1--vpc-2}", "VPCPeering: {name: a-}", is("name-syntax VPCPeering/a- metadata.name"), nil},
		"a namespace of the gateways":            {"Gateway: {name: gw-1}", "Gateway: {name: gw-1, namespace: fab}", is("namespace-wrong Gateway/gw-1 metadata.namespace"), nil},
		"the namespace default":                  {"Gateway: {name: gw-1}", "Gateway: {name: gw-1, namespace: default}", nil, nil},
		"a VPC of 11 characters":                 {"VPCPeering:", "VPC: {name: abcdefghijk}, spec: {subnets: {a: {subnet: 10.0.99.0/24, vlan: 1099}}}\nVPCPeering:", nil, nil},
		"an IPv4 namespace of 12 characters":     {server1, server1 + "\nIPv4Namespace: {name: abcdefghijkl}, spec: {subnets: [10.9.0.0/16]}", is("name-too-long IPv4Namespace/abcdefghijkl metadata.name"), nil},
		"a VLAN namespace of 12 characters":      {server1, server1 + "\nVLANNamespace: {name: abcdefghijkl}, spec: {ranges: [{from: 1}]}", nil, nil},
		"a switch group of 63 characters":        {server1, server1 + "\nSwitchGroup: {name: " + strings.Repeat("g", 63) + "}", nil, nil},
		"a label of 63 characters":               {server1, "Server: {name: s1, labels: {a: " + strings.Repeat("b", 63) + "}}", nil, nil},
		"a label of 64 characters":               {server1, "Server: {name: s1, labels: {a: " + strings.Repeat("b", 64) + "}}", is("label-syntax Server/s1 metadata.labels.a"), nil},
		"two wrong labels":                       {server1, "Server: {name: s1, labels: {a: '-', b: 'c d'}}", is("label-syntax Server/s1 metadata.labels.a", "label-syntax Server/s1 metadata.labels.b"), nil},
		"an empty label":                         {server1, "Server: {name: s1, labels: {a: ''}}", nil, nil},
		"an annotation with spaces in its value": {server1, "Server: {name: s1, annotations: {a.example/b: 'c d'}}", nil, nil},
		"an annotation with spaces in its key":   {server1, "Server: {name: s1, annotations: {'a b': c}}", is("annotation-syntax Server/s1 metadata.annotations.a b"), nil},
		"routes to summarize":                    {"Switch: {name: leaf-03}", "Switch: {name: leaf-03, annotations: {fabric.githedgehog.com/route-summ: 'vpc-1=10.0.0.0/22,vpc-2=10.0.4.0/22'}}", nil, nil},
		"routes to summarize, wrong":             {"Switch: {name: leaf-03}", "Switch: {name: leaf-03, annotations: {fabric.githedgehog.com/route-summ: 'vpc-1=10.0.0.0/22,vpc-2'}}", is("switch-route-summ Switch/leaf-03 metadata.annotations.fabric.githedgehog.com/route-summ"), nil},
		"a point-to-point link":                  {"VPCAttachment: {name: a1}", "VPCAttachment: {name: a1, annotations: {fabric.githedgehog.com/p2p-link: 10.0.1.4/31}}", nil, nil},
		"a point-to-point link of IPv6":          {"VPCAttachment: {name: a1}", "VPCAttachment: {name: a1, annotations: {fabric.githedgehog.com/p2p-link: 'fd00::/31'}}", is("attachment-p2p-link VPCAttachment/a1 metadata.annotations.fabric.githedgehog.com/p2p-link"), nil},

		// Namespaces.
		"one VLAN, to left out":           {"{from: 500, to: 600}", "{from: 500, to: 600}, {from: 700}", nil, nil},
		"a range that ends at 4094":       {"{from: 500, to: 600}", "{from: 500, to: 600}, {from: 4000, to: 4094}", nil, nil},
		"a range that ends at 4095":       {"{from: 500, to: 600}", "{from: 500, to: 600}, {from: 4000, to: 4095}", is("vlan-range VLANNamespace/other spec.ranges[1].to"), nil},
		"a range from 0":                  {"{from: 500, to: 600}", "{from: 0, to: 600}", is("vlan-range VLANNamespace/other spec.ranges[0].from", "vpc-vlan-namespace VPC/vpc-3 spec.subnets.a.vlan"), nil},
		"a range backwards":               {"{from: 500, to: 600}", "{from: 500, to: 600}, {from: 10, to: 9}", is("vlan-range VLANNamespace/other spec.ranges[1].to"), nil},
		"ranges side by side":             {"{from: 500, to: 600}", "{from: 500, to: 600}, {from: 601, to: 700}", nil, nil},
		"ranges in each other, unsorted":  {"{from: 500, to: 600}", "{from: 700, to: 800}, {from: 500, to: 600}, {from: 650, to: 900}", is("vlan-range-overlap VLANNamespace/other spec.ranges[0]"), nil},
		"a range around the fabric's":     {"{from: 500, to: 600}", "{from: 500, to: 600}, {from: 2990, to: 4010}", is("vlan-range-reserved VLANNamespace/other spec.ranges[1]"), nil},
		"20 ranges":                       {"{from: 500, to: 600}", "{from: 500, to: 600}, " + lanes("{from: %d}", 1, 19), nil, nil},
		"21 ranges":                       {"{from: 500, to: 600}", "{from: 500, to: 600}, " + lanes("{from: %d}", 1, 20), is("vlan-ranges-count VLANNamespace/other spec.ranges"), nil},
		"10 pools":                        {"[10.2.0.0/16]", "[10.2.0.0/16, " + lanes("10.1%d.0.0/16", 1, 9) + "]", nil, nil},
		"11 pools":                        {"[10.2.0.0/16]", "[10.2.0.0/16, " + lanes("10.1%d.0.0/16", 1, 10) + "]", is("ipv4-namespace-count IPv4Namespace/other spec.subnets"), nil},
		"pools that overlap when masked":  {"[10.2.0.0/16]", "[10.2.0.0/16, 10.2.255.255/20]", is("ipv4-namespace-overlap IPv4Namespace/other spec.subnets[1]"), nil},
		"pools of two namespaces overlap": {"[10.2.0.0/16]", "[10.2.0.0/16, 10.0.0.0/16]", nil, nil},
		"the cluster's own networks":      {"[10.2.0.0/16]", "[10.2.0.0/16, 172.28.0.0/16]", nil, nil},
		"a pool around the fabric's":      {"[10.2.0.0/16]", "[10.2.0.0/16, 172.16.0.0/12]", is("ipv4-namespace-reserved IPv4Namespace/other spec.subnets[1]"), nil},

		// Switches.
		"no role":                                {"role: border-leaf, ", "", is("field-required Switch/leaf-03 spec.role"), nil},
		"no profile":                             {"role: border-leaf, profile: celestica-ds3000", "role: border-leaf", is("field-required Switch/leaf-03 spec.profile"), nil},
		"a role of code that is gone":            {"role: border-leaf", "role: virtual-edge", is("switch-role Switch/leaf-03 spec.role"), nil},
		"a group without its type":               {boot3, boot3 + ", redundancy: {group: eslag-1}", is("switch-redundancy Switch/leaf-03 spec.redundancy.type"), nil},
		"a type without its group":               {boot3, boot3 + ", redundancy: {type: eslag}", is("switch-redundancy Switch/leaf-03 spec.redundancy.group"), nil},
		"a redundancy group that is no group":    {boot3, boot3 + ", redundancy: {group: eslag-9, type: eslag}", is("switch-group-unknown Switch/leaf-03 spec.redundancy.group"), nil},
		"a serial number with spaces":            {boot3, "boot: {serial: 'A 3'}", is("switch-boot-serial Switch/leaf-03 spec.boot.serial"), nil},
		"serial numbers twice":                   {boot3, "boot: {serial: A2}", is("switch-boot-duplicate Switch/leaf-03 spec.boot.serial"), nil},
		"serial numbers that differ in case":     {boot3, "boot: {serial: a2}", nil, nil},
		"one MAC in two spellings":               {boot3, "boot: {mac: 0C20.1200.0001}", is("switch-boot-duplicate Switch/spine-01 spec.boot.mac"), nil},
		"a MAC of eight bytes":                   {boot3, "boot: {mac: '0c:20:12:00:00:03:00:00'}", is("switch-boot-mac Switch/leaf-03 spec.boot.mac"), nil},
		"a speed with its prefix":                {leaf3, "portSpeeds: {E1/33: SPEED_10G}, " + leaf3, nil, nil},
		"a speed of a port in a group":           {server1, server1 + "\n" + leaf9 + "dell-s5248f-on, portSpeeds: {E1/1: 10G}}", is("switch-port-speed Switch/leaf-09 spec.portSpeeds.E1/1"), nil},
		"a speed of the group":                   {server1, server1 + "\n" + leaf9 + "dell-s5248f-on, portGroupSpeeds: {'1': 10G, '12': SPEED_25G}}", nil, nil},
		"a speed that the group lacks":           {server1, server1 + "\n" + leaf9 + "dell-s5248f-on, portGroupSpeeds: {'1': 40G}}", is("switch-group-speed Switch/leaf-09 spec.portGroupSpeeds.1"), nil},
		"a group that the model lacks":           {server1, server1 + "\n" + leaf9 + "dell-s5248f-on, portGroupSpeeds: {'13': 10G}}", is("switch-group-speed Switch/leaf-09 spec.portGroupSpeeds.13"), nil},
		"a breakout of a fixed port":             {server1, server1 + "\n" + leaf9 + "dell-s5232f-on, portBreakouts: {E1/32: 4x25G}}", is("switch-port-breakout Switch/leaf-09 spec.portBreakouts.E1/32"), nil},
		"a breakout of the management port":      {"{E1/2: 4x25G}", "{E1/2: 4x25G, M1: 4x25G}", is("switch-port-unknown Switch/leaf-03 spec.portBreakouts.M1"), nil},
		"a breakout of a lane":                   {"{E1/2: 4x25G}", "{E1/2: 4x25G, E1/3/1: 4x25G}", is("switch-port-unknown Switch/leaf-03 spec.portBreakouts.E1/3/1"), nil},
		"the NOS's name of a port":               {"leaf-03/E1/10", "leaf-03/Ethernet36", is("connection-port-unknown Connection/external spec.external.link.switch.port"), nil},
		"a bare number of a port":                {"leaf-03/E1/10", "leaf-03/10", is("connection-port-unknown Connection/external spec.external.link.switch.port"), nil},
		"auto-negotiation of a lane":             {leaf3, "portAutoNegs: {E1/5/1: true}, " + leaf3, nil, nil},
		"FEC of a management port":               {leaf3, "portFECs: {M1: rs}, " + leaf3, is("switch-port-unknown Switch/leaf-03 spec.portFECs.M1"), nil},
		"FEC of a lane that is not there":        {leaf3, "portFECs: {E1/2/5: rs}, " + leaf3, is("switch-port-unknown Switch/leaf-03 spec.portFECs.E1/2/5"), nil},
		"FEC of whole ports":                     {leaf3, "portFECs: {E1/1: rs, E1/5/1: fc, E1/33: disabled}, " + leaf3, nil, nil},
		"flaps at their bounds":                  {leaf3, "linkFlapErrDisable: {flapThreshold: 50, samplingInterval: 65535, recoveryInterval: 65534}, " + leaf3, nil, nil},
		"flaps beyond":                           {leaf3, "linkFlapErrDisable: {flapThreshold: 0, samplingInterval: 65536, recoveryInterval: 65535}, " + leaf3, is("switch-link-flap Switch/leaf-03 spec.linkFlapErrDisable.flapThreshold", "switch-link-flap Switch/leaf-03 spec.linkFlapErrDisable.recoveryInterval", "switch-link-flap Switch/leaf-03 spec.linkFlapErrDisable.samplingInterval"), nil},
		"RoCE on a model that has it":            {server1, server1 + "\n" + leaf9 + "celestica-ds5000, roce: true}", nil, nil},
		"RoCE on a model without":                {server1, server1 + "\n" + leaf9 + "celestica-ds2000, roce: true}", is("switch-roce-unsupported Switch/leaf-09 spec.roce"), nil},
		"one pipeline full":                      {server1, server1 + "\n" + leaf9 + "celestica-ds4000, portBreakouts: {" + lanes("E1/%d: 8x50G", 1, 2) + "}}", nil, nil},
		"one pipeline too full":                  {server1, server1 + "\n" + leaf9 + "celestica-ds4000, portBreakouts: {" + lanes("E1/%d: 8x50G", 1, 3) + "}}", is("switch-pipeline-exceeded Switch/leaf-09 spec.portBreakouts"), nil},
		"the last address below DHCP":            {"172.30.0.7/21", "172.30.3.255/21", nil, nil},
		"the first address of DHCP":              {"172.30.0.7/21", "172.30.4.0/21", is("switch-ip-pool Switch/leaf-01 spec.ip"), nil},
		"management without a length":            {"172.30.0.7/21", "172.30.0.7", is("switch-ip Switch/leaf-01 spec.ip"), nil},
		"an AS at the end of the range":          {"asn: 65101", "asn: 65533", nil, nil},
		"an AS of the spines for a leaf":         {"asn: 65101", "asn: 65100", is("switch-asn-leaf Switch/leaf-01 spec.asn"), nil},
		"a router id that is a network":          {"172.30.8.1/32", "172.30.8.1/31", is("loopback-ip Switch/leaf-01 spec.protocolIP"), nil},
		"a router id of a switch for a gateway":  {"172.30.8.9/32", "172.30.8.3/32", is("protocol-ip-duplicate Gateway/gw-1 spec.protocolIP"), nil},
		"the first router id of the pool":        {"172.30.8.9/32", "172.30.11.255/32", nil, nil},
		"a switch without its VLANs, by default": {"VLANNamespace: {name: other}", "VLANNamespace: {name: third}, spec: {ranges: [{from: 2500, to: 2600}]}\nSwitch: {name: z}, spec: {role: spine, profile: celestica-ds3000, vlanNamespaces: [default, third], boot: {serial: Z}, asn: 65100, ip: 172.30.0.99/21, protocolIP: 172.30.8.99/32}\nVLANNamespace: {name: other}", is("switch-vlan-namespaces-overlap Switch/z spec.vlanNamespaces[1]"), nil},

		// Connections.
		"a second lane of an unbroken port":       {"leaf-03/E1/4", "leaf-03/E1/4/2", is("connection-port-unknown Connection/s3--leaf-03 spec.bundled.links[1].switch.port"), nil},
		"the first lane of an unbroken port":      {"leaf-03/E1/4", "leaf-03/E1/4/1", nil, nil},
		"the base name of a broken out port":      {"leaf-03/E1/2/1", "leaf-03/E1/2", nil, nil},
		"two lanes of a port":                     {"leaf-03/E1/4", "leaf-03/E1/2/2", nil, nil},
		"one server port twice":                   {"s3/eth1", "s3/eth0", is("connection-port-twice Connection/s3--leaf-03 spec.bundled.links[1].server.port"), nil},
		"a port without a device":                 {"s3/eth1", "eth1", is("connection-port Connection/s3--leaf-03 spec.bundled.links[1].server.port", "connection-ends Connection/s3--leaf-03 spec.bundled.links[1].server.port"), nil},
		"a bundle of one link":                    {", {server: {port: s3/eth1}, switch: {port: leaf-03/E1/4}}", "", nil, nil},
		"a bundle without links":                  {"{bundled: {links: [{server: {port: s3/eth0}, switch: {port: leaf-03/E1/3}}, {server: {port: s3/eth1}, switch: {port: leaf-03/E1/4}}]}}", "{bundled: {links: []}}", is("connection-links Connection/s3--leaf-03 spec.bundled.links", "server-unused Server/s3 metadata.name"), nil},
		"an ESLAG of two links to one switch":     {"leaf-02/E1/1}", "leaf-01/E1/2}", nil, nil},
		"an ESLAG where no switch has a group":    {"switch: {port: leaf-01/E1/1}}, {server: {port: s2/eth1}, switch: {port: leaf-02/E1/1}", "switch: {port: leaf-03/E1/20}}, {server: {port: s2/eth1}, switch: {port: leaf-03/E1/21}", is("connection-eslag-group Connection/s2--eslag spec.eslag.links[0].switch.port"), nil},
		"an MTU at its bound":                     {"unbundled: {link", "unbundled: {mtu: 9036, link", nil, nil},
		"an MTU beyond":                           {"unbundled: {link", "unbundled: {mtu: 9037, link", is("connection-mtu Connection/s1--leaf-03 spec.unbundled.mtu"), nil},
		"an MTU beyond, of an ESLAG":              {"eslag: {links", "eslag: {mtu: 9100, links", is("connection-mtu Connection/s2--eslag spec.eslag.mtu"), nil},
		"an MTU of a fabric with small packets":   {"unbundled: {link", "unbundled: {mtu: 1501, link", is("connection-mtu Connection/s1--leaf-03 spec.unbundled.mtu", "dhcp-mtu VPC/vpc-1 spec.subnets.a.dhcp.options.interfaceMTU"), small},
		"two types":                               {"{unbundled: {link", "{external: {link: {switch: {port: leaf-03/E1/20}}}, unbundled: {link", is("connection-type Connection/s1--leaf-03 spec.external"), nil},
		"a fabric link with itself":               {"spine-01/E1/1, ip", "leaf-01/E1/55, ip", is("connection-ends Connection/fabric spec.fabric.links[0]", "connection-roles Connection/fabric spec.fabric.links[0].spine.port"), nil},
		"a mesh whose ends swap":                  {"leaf2: {port: leaf-02/E1/50, ip: 172.30.128.3/31}}", "leaf2: {port: leaf-02/E1/50, ip: 172.30.128.3/31}}, {leaf1: {port: leaf-02/E1/51, ip: 172.30.128.8/31}, leaf2: {port: leaf-01/E1/51, ip: 172.30.128.9/31}}", nil, nil},
		"a mesh of three":                         {"leaf2: {port: leaf-02/E1/50, ip: 172.30.128.3/31}}", "leaf2: {port: leaf-02/E1/50, ip: 172.30.128.3/31}}, {leaf1: {port: leaf-01/E1/51, ip: 172.30.128.8/31}, leaf2: {port: leaf-03/E1/21, ip: 172.30.128.9/31}}", is("connection-ends Connection/mesh spec.mesh.links[1].leaf2.port"), nil},
		"four leaves meshed":                      {server1, server1 + "\n" + leaf9 + "celestica-ds3000}\nConnection: {name: mesh-2}, spec: {mesh: {links: [{leaf1: {port: leaf-02/E1/51, ip: 172.30.128.8/31}, leaf2: {port: leaf-03/E1/21, ip: 172.30.128.9/31}}]}}\nConnection: {name: mesh-3}, spec: {mesh: {links: [{leaf1: {port: leaf-09/E1/20, ip: 172.30.128.10/31}, leaf2: {port: leaf-03/E1/22, ip: 172.30.128.11/31}}]}}", is("mesh-size Connection/mesh spec.mesh"), nil},
		"three leaves meshed":                     {server1, server1 + "\nConnection: {name: mesh-2}, spec: {mesh: {links: [{leaf1: {port: leaf-02/E1/51, ip: 172.30.128.8/31}, leaf2: {port: leaf-03/E1/21, ip: 172.30.128.9/31}}]}}", nil, nil},
		"a gateway on a leaf":                     {"spine-01/E1/32", "leaf-03/E1/32", nil, nil},
		"a link end that is no /31":               {"172.30.128.1/31", "172.30.128.1/30", is("connection-link-ip Connection/fabric spec.fabric.links[0].leaf.ip"), nil},
		"one address on both ends":                {"172.30.128.1/31", "172.30.128.0/31", is("link-subnet Connection/fabric spec.fabric.links[0].leaf.ip"), nil},
		"the spine's address is the second":       {"ip: 172.30.128.0/31}, leaf: {port: leaf-01/E1/49, ip: 172.30.128.1/31}", "ip: 172.30.128.1/31}, leaf: {port: leaf-01/E1/49, ip: 172.30.128.0/31}", nil, nil},
		"a static external without its address":   {"ip: 172.31.0.5/24, ", "", is("field-required Connection/static spec.staticExternal.link.switch.ip"), nil},
		"a static external with host bits":        {"[10.99.0.0/24]", "[10.99.0.1/24]", is("static-external-subnets Connection/static spec.staticExternal.link.switch.subnets[0]"), nil},
		"a static external, twice the same":       {"[10.99.0.0/24]", "[10.99.0.0/24, 10.99.0.0/25]", is("static-external-subnets Connection/static spec.staticExternal.link.switch.subnets[1]"), nil},
		"a static external without a VLAN":        {"vlan: 1005, ", "", nil, nil},
		"an MCLAG that is right":                  {server1, server1 + "\n" + mclag, tooOld, older},
		"an MCLAG of two AS numbers":              {server1, server1 + "\n" + strings.Replace(mclag, "asn: 65110", "asn: 65111", 1), append(is("switch-mclag-peers Switch/m-2 spec.asn"), tooOld...), older},
		"an MCLAG of two VTEPs":                   {server1, server1 + "\n" + strings.Replace(mclag, "vtepIP: 172.30.12.110", "vtepIP: 172.30.12.111", 1), append(is("switch-mclag-peers Switch/m-2 spec.vtepIP"), tooOld...), older},
		"an MCLAG domain without a session":       {server1, server1 + "\n" + strings.Replace(mclag, ", sessionLinks: [{switch1: {port: m-1/E1/31}, switch2: {port: m-2/E1/31}}]", "", 1), append(is("connection-links Connection/domain spec.mclagDomain.sessionLinks"), tooOld...), older},
		"an MCLAG domain of one switch":           {server1, server1 + "\n" + strings.Replace(mclag, "switch2: {port: m-2/E1/31}", "switch2: {port: m-1/E1/29}", 1), append(is("connection-ends Connection/domain spec.mclagDomain.sessionLinks[0]", "connection-ends Connection/domain spec.mclagDomain.sessionLinks[0].switch2.port"), tooOld...), older},
		"an MCLAG domain whose ends swap":         {server1, server1 + "\n" + strings.Replace(mclag, "{switch1: {port: m-1/E1/31}, switch2: {port: m-2/E1/31}}", "{switch1: {port: m-2/E1/31}, switch2: {port: m-1/E1/31}}", 1), tooOld, older},
		"an MCLAG on a model without":             {server1, server1 + "\n" + strings.Replace(mclag, "profile: celestica-ds3000, groups", "profile: celestica-ds5000, groups", 1), append(is("switch-redundancy-unsupported Switch/m-1 spec.redundancy.type", "attachment-unsupported VPCAttachment/am spec.connection"), tooOld...), older},
		"a connection of no switch in the fabric": {"leaf-03/E1/10}", "leaf-99/E1/10}", is("connection-switch-unknown Connection/external spec.external.link.switch.port"), nil},

		// VPCs.
		"l3vni":                             {"{ipv4Namespace: other, vlanNamespace: other, ", "{mode: l3vni, ipv4Namespace: other, vlanNamespace: other, ", nil, nil},
		"l3flat":                            {"{ipv4Namespace: other, vlanNamespace: other, ", "{mode: l3flat, ipv4Namespace: other, vlanNamespace: other, ", is("vpc-mode VPC/vpc-3 spec.mode"), nil},
		"20 subnets":                        {"VPCPeering:", "VPC: {name: big}, spec: {subnets: {" + lanes("s%d: {subnet: 10.1.%d.0/24, vlan: 20%d}", 10, 29) + "}}\nVPCPeering:", nil, nil},
		"21 subnets":                        {"VPCPeering:", "VPC: {name: big}, spec: {subnets: {" + lanes("s%d: {subnet: 10.1.%d.0/24, vlan: 20%d}", 10, 30) + "}}\nVPCPeering:", is("vpc-subnets-count VPC/big spec.subnets"), nil},
		"a /30":                             {"10.2.1.0/24, gateway: 10.2.1.254", "10.2.1.0/30, gateway: 10.2.1.2", is("gateway-peering-cidr GatewayPeering/g1 spec.peering.vpc-3.expose[0].ips[0].cidr"), nil},
		"a /31":                             {"10.2.1.0/24, gateway: 10.2.1.254", "10.2.1.0/31, gateway: 10.2.1.1", is("vpc-subnet-length VPC/vpc-3 spec.subnets.a.subnet", "gateway-peering-cidr GatewayPeering/g1 spec.peering.vpc-3.expose[0].ips[0].cidr"), nil},
		"the whole pool":                    {"10.2.1.0/24, gateway: 10.2.1.254", "10.2.0.0/16, gateway: 10.2.1.254", nil, nil},
		"more than the pool":                {"10.2.1.0/24, gateway: 10.2.1.254", "10.2.0.0/15, gateway: 10.2.1.254", is("vpc-subnet-pool VPC/vpc-3 spec.subnets.a.subnet"), nil},
		"across two pools":                  {"[10.2.0.0/16]}\nSwitch", "[10.2.0.0/17, 10.2.128.0/17]}\nSwitch", nil, nil},
		"subnets of two namespaces overlap": {"10.2.1.0/24, gateway: 10.2.1.254", "10.2.1.0/24, gateway: 10.2.1.253", nil, nil},
		"the gateway is the network":        {"gateway: 10.2.1.254", "gateway: 10.2.1.0", is("vpc-gateway VPC/vpc-3 spec.subnets.a.gateway"), nil},
		"the gateway is the broadcast":      {"gateway: 10.2.1.254", "gateway: 10.2.1.255", is("vpc-gateway VPC/vpc-3 spec.subnets.a.gateway"), nil},
		"a pool of IPv6":                    {"[10.2.0.0/16]", "[10.2.0.0/16, 'fd00::/16']", nil, nil},
		"a subnet of IPv6":                  {"VPCPeering:", "IPv4Namespace: {name: six}, spec: {subnets: ['fd00::/16']}\nVPC: {name: six}, spec: {ipv4Namespace: six, subnets: {a: {subnet: 'fd00:1::/64', vlan: 1999}}}\nVPCPeering:", is("vpc-subnet-ipv6 VPC/six spec.subnets.a.subnet"), nil},
		"a subnet's name with an underscore, and DHCP": {vpc1, "{permit: [[a, b]], subnets: {c_d: {subnet: 10.1.5.0/24, vlan: 1500, dhcp: {enable: true}}, a: {subnet: 10.0.1.0/24, vlan: 1001, ", is("vpc-subnet-dhcp-name VPC/vpc-1 spec.subnets.c_d"), nil},
		"a subnet's name with an underscore, relayed":  {vpc1, "{permit: [[a, b]], subnets: {c_d: {subnet: 10.1.5.0/24, vlan: 1500, dhcp: {relay: 10.0.0.9/32}}, a: {subnet: 10.0.1.0/24, vlan: 1001, ", nil, nil},
		"a subnet's name of 64 characters":             {vpc1, "{permit: [[a, b]], subnets: {" + strings.Repeat("c", 64) + ": {subnet: 10.1.5.0/24, vlan: 1500}, a: {subnet: 10.0.1.0/24, vlan: 1001, ", is("vpc-subnet-name VPC/vpc-1 spec.subnets." + strings.Repeat("c", 64)), nil},
		"a VLAN of host BGP outside its namespace":     {"hostBGP: true", "hostBGP: true, vlan: 4000", nil, nil},
		"a VLAN of host BGP that another has":          {"hostBGP: true", "hostBGP: true, vlan: 1001", is("vpc-vlan-twice VPC/vpc-2 spec.subnets.h.vlan"), nil},
		"two subnets of host BGP without a VLAN":       {"h: {subnet: 10.0.4.0/24, hostBGP: true", "i: {subnet: 10.0.6.0/24, hostBGP: true}, h: {subnet: 10.0.4.0/24, hostBGP: true", nil, nil},
		"no VLAN":                                      {"vlan: 1003, ", "", is("vpc-subnet-vlan VPC/vpc-2 spec.subnets.a.vlan"), nil},
		"one VLAN in two namespaces":                   {"vlan: 501", "vlan: 501", nil, nil},
		"the least length is the subnet's":             {hostBGP, "hostBGPMinPrefixLen: 24", nil, nil},
		"the least length is above the most":           {hostBGP, "hostBGPMinPrefixLen: 30, hostBGPMaxPrefixLen: 29", is("vpc-hostbgp-lengths VPC/vpc-2 spec.subnets.h.hostBGPMinPrefixLen"), nil},
		"the most length is 33":                        {hostBGP, "hostBGPMinPrefixLen: 30, hostBGPMaxPrefixLen: 33", is("vpc-hostbgp-lengths VPC/vpc-2 spec.subnets.h.hostBGPMaxPrefixLen"), nil},
		"101 extra prefixes":                           {"hostBGPExtraPrefixes: {10.0.5.0/24: {}}", "hostBGPExtraPrefixes: {" + lanes("10.1.%d.0/24: {}", 1, 101) + "}", is("vpc-hostbgp-extra VPC/vpc-2 spec.subnets.h.hostBGPExtraPrefixes"), nil},
		"an extra prefix outside the pool":             {"10.0.5.0/24: {}", "10.9.5.0/24: {}", is("vpc-subnet-pool VPC/vpc-2 spec.subnets.h.hostBGPExtraPrefixes.10.9.5.0/24"), nil},
		"an extra prefix that is reserved":             {"10.0.5.0/24: {}", "172.30.8.0/24: {}", is("vpc-subnet-reserved VPC/vpc-2 spec.subnets.h.hostBGPExtraPrefixes.172.30.8.0/24", "vpc-subnet-pool VPC/vpc-2 spec.subnets.h.hostBGPExtraPrefixes.172.30.8.0/24"), nil},
		"host BGP with a relay":                        {"hostBGP: true", "hostBGP: true, dhcp: {relay: 10.0.0.9/32}", nil, nil},
		"a permit twice the same":                      {"[[a, b]]", "[[a, b, a]]", is("vpc-permit VPC/vpc-1 spec.permit[0][2]"), nil},
		"a route without next hops":                    {"VPCPeering:", "VPC: {name: r}, spec: {staticRoutes: [{prefix: 10.9.0.0/16}], subnets: {a: {subnet: 10.1.9.0/24, vlan: 1999}}}\nVPCPeering:", is("field-required VPC/r spec.staticRoutes[0].nextHops"), nil},
		"a route whose next hop is no address":         {"VPCPeering:", "VPC: {name: r}, spec: {staticRoutes: [{prefix: 10.9.0.0/16, nextHops: [10.1.9.9, nowhere]}], subnets: {a: {subnet: 10.1.9.0/24, vlan: 1999}}}\nVPCPeering:", is("ip-syntax VPC/r spec.staticRoutes[0].nextHops[1]"), nil},
		"the default range begins with the gateway":    {"gateway: 10.2.1.254, vlan: 501", "gateway: 10.2.1.2, vlan: 501, dhcp: {enable: true}", is("dhcp-range-gateway VPC/vpc-3 spec.subnets.a.dhcp.range.start"), nil},
		"a range from behind the gateway":              {"gateway: 10.2.1.254, vlan: 501", "gateway: 10.2.1.2, vlan: 501, dhcp: {enable: true, range: {start: 10.2.1.3}}", nil, nil},
		"a range of one address":                       {"start: 10.0.1.10, end: 10.0.1.99", "start: 10.0.1.99, end: 10.0.1.99", is("dhcp-range-order VPC/vpc-1 spec.subnets.a.dhcp.range"), nil},
		"a range to the broadcast":                     {"end: 10.0.1.99", "end: 10.0.1.255", nil, nil},
		"a range that ends elsewhere":                  {"end: 10.0.1.99", "end: 10.0.2.99", is("dhcp-range-outside VPC/vpc-1 spec.subnets.a.dhcp.range.end"), nil},
		"a DHCP MTU at its bounds":                     {"interfaceMTU: 9000", "interfaceMTU: 96", nil, nil},
		"a DHCP MTU at its upper bound":                {"interfaceMTU: 9000", "interfaceMTU: 9036", nil, nil},
		"a DHCP MTU below":                             {"interfaceMTU: 9000", "interfaceMTU: 95", is("dhcp-mtu VPC/vpc-1 spec.subnets.a.dhcp.options.interfaceMTU"), nil},
		"a name server that is no address":             {"interfaceMTU: 9000", "dnsServers: [1.1.1.1, one]", is("ip-syntax VPC/vpc-1 spec.subnets.a.dhcp.options.dnsServers[1]"), nil},
		"a time server with a length":                  {"interfaceMTU: 9000", "timeServers: [1.1.1.1/32]", is("ip-syntax VPC/vpc-1 spec.subnets.a.dhcp.options.timeServers[0]"), nil},
		"an advertised route without a length":         {"destination: 10.5.0.0/16", "destination: 10.5.0.0", is("cidr-syntax VPC/vpc-1 spec.subnets.a.dhcp.options.advertisedRoutes[0].destination"), nil},
		"a lease of the gateway":                       {lease, "'00:11:22:33:44:55': {ip: 10.0.1.1}", is("dhcp-static-address VPC/vpc-1 spec.subnets.a.dhcp.static.00:11:22:33:44:55.ip"), nil},
		"a lease of the network":                       {lease, "'00:11:22:33:44:55': {ip: 10.0.1.0}", is("dhcp-static-address VPC/vpc-1 spec.subnets.a.dhcp.static.00:11:22:33:44:55.ip"), nil},
		"a lease outside the range":                    {lease, "'00:11:22:33:44:55': {ip: 10.0.1.200}", nil, nil},
		"a lease elsewhere":                            {lease, "'00:11:22:33:44:55': {ip: 10.0.2.50}", is("dhcp-static-address VPC/vpc-1 spec.subnets.a.dhcp.static.00:11:22:33:44:55.ip"), nil},
		"a lease of a MAC with hyphens":                {lease, "'00-11-22-33-44-AA': {ip: 10.0.1.50}", nil, nil},
		"a lease of eight bytes":                       {lease, "'00:11:22:33:44:55:66:77': {ip: 10.0.1.50}", is("dhcp-static VPC/vpc-1 spec.subnets.a.dhcp.static.00:11:22:33:44:55:66:77"), nil},
		"a relay with the server":                      {"dhcp: {relay: 10.99.0.1/32, relayVPC: vpc-1}", "dhcp: {relay: 10.99.0.1/32, enable: true}", is("dhcp-relay VPC/vpc-2 spec.subnets.a.dhcp.relay"), nil},
		"a relay's VPC without the relay":              {"dhcp: {relay: 10.99.0.1/32, relayVPC: vpc-1}", "dhcp: {relayVPC: vpc-1}", is("dhcp-relay VPC/vpc-2 spec.subnets.a.dhcp.relayVPC"), nil},
		"a relay":                                      {"dhcp: {relay: 10.99.0.1/32, relayVPC: vpc-1}", "dhcp: {relay: 10.99.0.1/32}", nil, nil},

		// Attachments and peerings.
		"host BGP on a switch with MCLAG":        {boot3, boot3 + ", redundancy: {group: eslag-1, type: mclag}", is("attachment-hostbgp VPCAttachment/a2 spec.connection", "switch-mclag-gone Switch/leaf-03 spec.redundancy.type"), nil},
		"l3vni over a bundle":                    {"VPCPeering:", "VPC: {name: l3}, spec: {mode: l3vni, subnets: {a: {subnet: 10.1.9.0/24, vlan: 1999}}}\nVPCAttachment: {name: a9}, spec: {subnet: l3/a, connection: s3--leaf-03}\nVPCPeering:", nil, nil},
		"a VPC alone is its subnet default":      {"VPCPeering:", "VPC: {name: d}, spec: {subnets: {default: {subnet: 10.1.9.0/24, vlan: 1999}}}\nVPCAttachment: {name: a9}, spec: {subnet: d, connection: s3--leaf-03}\nVPCPeering:", nil, nil},
		"one subnet twice, spelt otherwise":      {"VPCPeering:", "VPC: {name: d}, spec: {subnets: {default: {subnet: 10.1.9.0/24, vlan: 1999}}}\nVPCAttachment: {name: a8}, spec: {subnet: d/default, connection: s3--leaf-03}\nVPCAttachment: {name: a9}, spec: {subnet: d, connection: s3--leaf-03}\nVPCPeering:", is("attachment-twice VPCAttachment/a9 spec.subnet"), nil},
		"two subnets of a VPC on one connection": {"VPCPeering:", "VPCAttachment: {name: a9}, spec: {subnet: vpc-1/a, connection: s3--leaf-03}\nVPCPeering:", nil, nil},
		"a peering of null sides":                {"vpc-2: {}}]", "vpc-2: null}]", nil, nil},
		"a peering of three":                     {"vpc-2: {}}]", "vpc-2: {}, vpc-3: {}}]", is("peering-permit-pair VPCPeering/vpc-1--vpc-2 spec.permit[0]"), nil},
		"a peering of another pair":              {"vpc-2: {}}]", "vpc-2: {}}, {vpc-1: {}, vpc-3: {}}]", is("peering-permit-pair VPCPeering/vpc-1--vpc-2 spec.permit[1]"), nil},
		"a peering of 10 permits":                {"vpc-2: {}}]", "vpc-2: {}}" + strings.Repeat(", {vpc-1: {}, vpc-2: {}}", 9) + "]", nil, nil},
		"a peering of 11 permits":                {"vpc-2: {}}]", "vpc-2: {}}" + strings.Repeat(", {vpc-1: {}, vpc-2: {}}", 10) + "]", is("peering-permit-count VPCPeering/vpc-1--vpc-2 spec.permit"), nil},
		"a remote peering":                       {"{permit: [{vpc-1: {subnets", "{remote: eslag-1, permit: [{vpc-1: {subnets", is("peering-remote VPCPeering/vpc-1--vpc-2 spec.remote"), nil},
		"a remote peering, once":                 {"{permit: [{vpc-1: {subnets", "{remote: eslag-1, permit: [{vpc-1: {subnets", tooOld, older},
		"a peering of two modes":                 {"{ipv4Namespace: other, vlanNamespace: other, ", "{mode: l3vni, ipv4Namespace: other, vlanNamespace: other, ", nil, nil},

		// Externals.
		"communities at their bounds":       {"'65102:1000'", "'65535:65535'", nil, nil},
		"a community with a leading zero":   {"'65102:1000'", "'65102:01'", is("external-community External/ext-1 spec.inboundCommunity"), nil},
		"a community of three":              {"'65102:1000'", "'1:2:3'", is("external-community External/ext-1 spec.inboundCommunity"), nil},
		"no communities":                    {"{inboundCommunity: '65102:1000', outboundCommunity: '50000:50001'}", "{}", nil, nil},
		"a static external with one":        {"{static: {prefixes", "{outboundCommunity: '1:1', static: {prefixes", is("external-flavour External/ext-2 spec.outboundCommunity"), nil},
		"a BGP attachment without ASN":      {"neighbor: {asn: 64000, ip", "neighbor: {ip", is("external-attachment-flavour ExternalAttachment/e1 spec.neighbor.asn"), nil},
		"a BGP attachment without address":  {"switch: {vlan: 200, ip: 192.168.0.1/30}", "switch: {vlan: 200}", is("external-attachment-flavour ExternalAttachment/e1 spec.switch.ip"), nil},
		"an untagged attachment":            {e1, "switch: {ip: 192.168.0.1/30}", nil, nil},
		"static with ip":                    {"proxy: true", "ip: 192.168.1.1/30", nil, nil},
		"static with neither":               {", proxy: true", "", is("external-attachment-proxy ExternalAttachment/e2 spec.static.ip"), nil},
		"static with both":                  {"proxy: true", "proxy: true, ip: 192.168.1.1/30", is("external-attachment-proxy ExternalAttachment/e2 spec.static.proxy"), nil},
		"static with a neighbor":            {"static: {remoteIP: 192.168.1.2", "neighbor: {asn: 5}, static: {remoteIP: 192.168.1.2", is("external-attachment-flavour ExternalAttachment/e2 spec.neighbor"), nil},
		"a remote with a length":            {"remoteIP: 192.168.1.2", "remoteIP: 192.168.1.2/30", is("ip-syntax ExternalAttachment/e2 spec.static.remoteIP"), nil},
		"an ACL that is right":              {e1, e1 + ", inboundACL: {statements: [{seq: 10, action: permit, protocol: tcp, srcPrefix: any, dstPrefix: 10.0.0.0/8, portRangeBegin: 80, portRangeEnd: 90, tcpFilters: {syn: true, notAck: true}}, {seq: 20, action: discard, protocol: icmp, srcPrefix: any, dstPrefix: any, icmpType: 8, icmpCode: 0}, {seq: 30, action: transit, protocol: tcp, srcPrefix: any, dstPrefix: any, tcpFilters: {established: true}}]}", nil, nil},
		"ACL numbers":                       {e1, e1 + ", inboundACL: {statements: [{seq: 9, action: permit, protocol: ip, srcPrefix: any, dstPrefix: any}, {seq: 10, action: permit, protocol: ip, srcPrefix: any, dstPrefix: any}, {seq: 10, action: deny, protocol: ip, srcPrefix: any, dstPrefix: any}]}", is("acl-sequence ExternalAttachment/e1 spec.inboundACL.statements[0].seq", "acl-sequence ExternalAttachment/e1 spec.inboundACL.statements[2].seq"), nil},
		"ACL ports of ip":                   {e1, e1 + ", inboundACL: {statements: [{seq: 10, action: permit, protocol: ip, srcPrefix: any, dstPrefix: any, portRangeBegin: 80}]}", is("acl-match ExternalAttachment/e1 spec.inboundACL.statements[0].portRangeBegin"), nil},
		"ACL ports backwards":               {e1, e1 + ", inboundACL: {statements: [{seq: 10, action: permit, protocol: udp, srcPrefix: any, dstPrefix: any, portRangeBegin: 80, portRangeEnd: 79}]}", is("acl-match ExternalAttachment/e1 spec.inboundACL.statements[0].portRangeEnd"), nil},
		"ACL flags of udp":                  {e1, e1 + ", inboundACL: {statements: [{seq: 10, action: permit, protocol: udp, srcPrefix: any, dstPrefix: any, tcpFilters: {syn: true}}]}", is("acl-match ExternalAttachment/e1 spec.inboundACL.statements[0].tcpFilters"), nil},
		"ACL flags that exclude each other": {e1, e1 + ", inboundACL: {statements: [{seq: 10, action: permit, protocol: tcp, srcPrefix: any, dstPrefix: any, tcpFilters: {ack: true, notAck: true}}]}", is("acl-tcp-filters ExternalAttachment/e1 spec.inboundACL.statements[0].tcpFilters.notAck"), nil},
		"ACL type of tcp":                   {e1, e1 + ", inboundACL: {statements: [{seq: 10, action: permit, protocol: tcp, srcPrefix: any, dstPrefix: any, icmpType: 8}]}", is("acl-match ExternalAttachment/e1 spec.inboundACL.statements[0].icmpType"), nil},
		"ACL without a prefix":              {e1, e1 + ", inboundACL: {statements: [{seq: 10, action: permit, protocol: tcp, srcPrefix: any}]}", is("field-required ExternalAttachment/e1 spec.inboundACL.statements[0].dstPrefix"), nil},
		"VLANs out of a model without":      {server1, server1 + "\n" + leaf9 + "edgecore-eps203}\nConnection: {name: out}, spec: {external: {link: {switch: {port: leaf-09/E1/53}}}}\nExternalAttachment: {name: e9}, spec: {external: ext-2, connection: out, static: {remoteIP: 192.168.9.2, vlan: 5, proxy: true}}", is("external-attachment-subinterfaces ExternalAttachment/e9 spec.static.vlan"), nil},
		"untagged out of a model without":   {server1, server1 + "\n" + leaf9 + "edgecore-eps203}\nConnection: {name: out}, spec: {external: {link: {switch: {port: leaf-09/E1/53}}}}\nExternalAttachment: {name: e9}, spec: {external: ext-2, connection: out, static: {remoteIP: 192.168.9.2, proxy: true}}", nil, nil},
		"a prefix that is none":             {"[{prefix: 0.0.0.0/0}]", "[{prefix: all}]", is("cidr-syntax ExternalPeering/x1 spec.permit.external.prefixes[0].prefix"), nil},
		"no prefixes, no subnets":           {"{vpc: {name: vpc-1, subnets: [a]}, external: {name: ext-1, prefixes: [{prefix: 0.0.0.0/0}]}}", "{vpc: {name: vpc-1}, external: {name: ext-1}}", nil, nil},

		// Gateways.
		"a gateway without interfaces":       {"interfaces: {enp2s1: {ips: [172.30.128.5/31], mtu: 9100}}, ", "", is("field-required Gateway/gw-1 spec.interfaces"), nil},
		"an interface without addresses":     {"{ips: [172.30.128.5/31], mtu: 9100}", "{mtu: 9100}", is("address-missing Gateway/gw-1 spec.interfaces.enp2s1.ips"), nil},
		"a gateway without neighbors":        {"neighbors: [{source: enp2s1, ip: 172.30.128.4, asn: 65100}], ", "", is("address-missing Gateway/gw-1 spec.neighbors"), nil},
		"a neighbor without its AS number":   {"ip: 172.30.128.4, asn: 65100", "ip: 172.30.128.4", is("field-required Gateway/gw-1 spec.neighbors[0].asn"), nil},
		"an interface of 10 characters":      {"interfaces: {enp2s1: {", "interfaces: {enp2s1np01: {ips: [10.9.0.0/31]}, enp2s1: {", nil, nil},
		"an interface of 11 characters":      {"interfaces: {enp2s1: {", "interfaces: {enp2s1np012: {ips: [10.9.0.0/31]}, enp2s1: {", is("gateway-interface-name Gateway/gw-1 spec.interfaces.enp2s1np012"), nil},
		"pci and kernel":                     {"{ips: [172.30.128.5/31], mtu: 9100}", "{pci: '0000:02:00.0', kernel: eth0, ips: [172.30.128.5/31]}", is("gateway-interface Gateway/gw-1 spec.interfaces.enp2s1"), nil},
		"a multicast MAC":                    {"'ca:fe:ba:be:01:00'", "'cb:fe:ba:be:01:00'", is("gateway-vtep-mac Gateway/gw-1 spec.vtepMAC"), nil},
		"64 workers":                         {"vtepMTU: 9036,", "vtepMTU: 9036, workers: 64,", nil, nil},
		"65 workers":                         {"vtepMTU: 9036,", "vtepMTU: 9036, workers: 65,", is("gateway-workers Gateway/gw-1 spec.workers"), nil},
		"no gateway group, for a cluster":    {"GatewayGroup: {name: default}", "", nil, nil},
		"no gateway group, for hhfab":        {"GatewayGroup: {name: default}", "", is("gateway-group-default Gateway/gw-1 spec.groups[0].name"), installer},
		"a group twice":                      {"groups: [{name: default}]", "groups: [{name: default}, {name: default, priority: 5}]", is("gateway-groups Gateway/gw-1 spec.groups[1].name"), nil},
		"nat without as":                     {"as: [{cidr: 10.50.0.0/24}], nat", "nat", is("gateway-expose GatewayPeering/g2 spec.peering.vpc-1.expose[0].nat"), nil},
		"two ways of nat":                    {"nat: {masquerade: {}}", "nat: {masquerade: {}, static: {}}", is("gateway-nat GatewayPeering/g2 spec.peering.vpc-1.expose[0].nat"), nil},
		"ports forwarded":                    {"nat: {masquerade: {}}", "nat: {portForward: {ports: [{proto: tcp, port: '80, 3000-3100', as: '8080'}]}}", nil, nil},
		"ports forwarded, backwards":         {"nat: {masquerade: {}}", "nat: {portForward: {ports: [{proto: tcp, port: 90-80, as: '8080'}]}}", is("gateway-ports GatewayPeering/g2 spec.peering.vpc-1.expose[0].nat.portForward.ports[0].port"), nil},
		"a default beside":                   {"[{default: true}]", "[{default: true}, {ips: [{cidr: 8.8.8.0/24}]}]", nil, nil},
		"a default with more":                {"[{default: true}]", "[{default: true, ips: [{cidr: 8.8.8.0/24}]}]", is("gateway-expose GatewayPeering/g2 spec.peering.ext.ext-2.expose[0].default"), nil},
		"two defaults":                       {"[{default: true}]", "[{default: true}, {default: true}]", is("gateway-expose-default GatewayPeering/g2 spec.peering.ext.ext-2.expose[1].default"), nil},
		"a subnet of an external":            {"[{default: true}]", "[{ips: [{vpcSubnet: a}]}]", is("gateway-peering-subnet GatewayPeering/g2 spec.peering.ext.ext-2.expose[0].ips[0].vpcSubnet"), nil},
		"an ACL of a peering":                {"{peering: {vpc-1: {expose: [{ips: [{vpcSubnet: a}]", "{acl: {default: deny, rules: [{from: vpc-1, action: allow, scope: packet, match: {proto: tcp, dst: [{ports: ['443']}]}}]}, peering: {vpc-1: {expose: [{ips: [{vpcSubnet: a}]", nil, nil},
		"an ACL from elsewhere":              {"{peering: {vpc-1: {expose: [{ips: [{vpcSubnet: a}]", "{acl: {rules: [{from: vpc-2, action: allow}]}, peering: {vpc-1: {expose: [{ips: [{vpcSubnet: a}]", is("gateway-acl-side GatewayPeering/g1 spec.acl.rules[0].from"), nil},
		"what came with 26.03, on gateways":  {"{peering: {vpc-1: {expose: [{ips: [{vpcSubnet: a}]", "{acl: {default: deny}, peering: {vpc-1: {expose: [{ips: [{vpcSubnet: a}]", append(is("version-too-old GatewayPeering/g1 spec.acl"), tooOld...), older},
		"exposed twice within one peering":   {g1, g1, nil, nil},
		"what came with 26.03, on a gateway": {"vtepMTU: 9036,", "vtepMTU: 9036, logs: {rateLimit: {rate: 50, burst: 5}},", append(is("version-too-old Gateway/gw-1 spec.logs.rateLimit"), tooOld...), older},
		"what came with 26.03, on switches":  {leaf3, "linkFlapErrDisable: {}, " + leaf3, append(is("version-too-old Switch/leaf-03 spec.linkFlapErrDisable"), tooOld...), older},
	}
}

// TestMistakesAndNearMisses: each mistake is told by its rule, at its object and
// field, and nothing besides; what is almost one is accepted.
func TestMistakesAndNearMisses(t *testing.T) {
	t.Parallel()
	rows := readFile(t, filepath.Join("testdata", "valid.yaml"))
	for name, test := range exactCases() {
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
				found = append(found, issue.Rule+" "+issue.Object.String()+" "+issue.Field)
			}
			slices.Sort(found)
			want := append([]string{}, test.issues...)
			slices.Sort(want)
			if !reflect.DeepEqual(want, found) {
				t.Errorf("want %q\ngot %q", want, found)
			}
		})
	}
}
