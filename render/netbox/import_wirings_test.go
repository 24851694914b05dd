package netbox_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hedgehog-gitops/render/hedgehog"
	"hedgehog-gitops/render/netbox"
)

// rows writes manifests, one object a row: kind, metadata and spec.
func rows(all ...string) []byte {
	var b bytes.Buffer
	for _, row := range all {
		kind, rest, _ := strings.Cut(row, ": ")
		fmt.Fprintf(&b, "---\n{apiVersion: %s, kind: %s, metadata: %s}\n", hedgehog.Kind(kind).APIVersion(), kind, rest)
	}
	return b.Bytes()
}

// foundation is what every fabric has.
func foundation() []string {
	return []string{
		"VLANNamespace: {name: default}, spec: {ranges: [{from: 1000, to: 2999}]}",
		"IPv4Namespace: {name: default}, spec: {subnets: [10.0.0.0/16]}",
	}
}

// addressed is a switch with addresses of the default pools; n from 0.
func addressed(name, role, profile string, n int, more string) string {
	at := fmt.Sprintf("ip: 172.30.%d.%d/21, protocolIP: 172.30.%d.%d/32, ", (n+6)/256, (n+6)%256, 8+n/256, n%256)
	if role == "spine" {
		at += "asn: 65100"
	} else {
		at += fmt.Sprintf("asn: %d, vtepIP: 172.30.%d.%d/32", 65101+n, 12+n/256, n%256)
	}
	return fmt.Sprintf("Switch: {name: %s}, spec: {role: %s, profile: %s, boot: {serial: SN%04d}, %s%s}", name, role, profile, n, at, more)
}

// spineLeaf is a fabric of so many spines and leaves, each joined by one link.
func spineLeaf(spines, leaves int) []string {
	all := foundation()
	var broken []string // spines have 32 ports: the leaves after those share some
	for l := 32; l < leaves; l++ {
		broken = append(broken, fmt.Sprintf("E1/%d: 4x100G", l-31))
	}
	for s := range spines {
		all = append(all, addressed(fmt.Sprintf("spine-%02d", s+1), "spine", "celestica-ds4000", leaves+s, ", portBreakouts: {"+strings.Join(broken, ", ")+"}"))
	}
	link := 0
	for l := range leaves {
		leaf := fmt.Sprintf("leaf-%02d", l+1)
		all = append(all, addressed(leaf, "server-leaf", "dell-s5248f-on", l, ", portBreakouts: {E1/49: 4x25G}"))
		for s := range spines {
			spine := fmt.Sprintf("spine-%02d", s+1)
			a := 2 * link
			link++
			port := fmt.Sprintf("E1/%d", l+1)
			if l >= 32 {
				port = fmt.Sprintf("E1/%d/2", l-31)
			} else if 32+l < leaves {
				port += "/1"
			}
			all = append(all, fmt.Sprintf("Connection: {name: %s--fabric--%s}, spec: {fabric: {links: [{spine: {port: %s/%s, ip: 172.30.%d.%d/31}, leaf: {port: %s/E1/%d, ip: 172.30.%d.%d/31}}]}}",
				spine, leaf, spine, port, 128+a/256, a%256, leaf, 50+s, 128+(a+1)/256, (a+1)%256))
		}
		server := fmt.Sprintf("server-%02d", l+1)
		all = append(all, "Server: {name: "+server+"}",
			fmt.Sprintf("Connection: {name: %s--unbundled--%s}, spec: {unbundled: {link: {server: {port: %s/eth0}, switch: {port: %s/E1/1}}}}", server, leaf, server, leaf),
			fmt.Sprintf("VPC: {name: vpc-%02d}, spec: {ipv4Namespace: default, vlanNamespace: default, subnets: {default: {subnet: 10.0.%d.0/24, gateway: 10.0.%d.1, vlan: %d}}}", l+1, l+1, l+1, 1001+l),
			fmt.Sprintf("VPCAttachment: {name: vpc-%02d--%s}, spec: {subnet: vpc-%02d/default, connection: %s--unbundled--%s}", l+1, server, l+1, server, leaf))
	}
	return all
}

// TestWiringsOfEveryClass: fabrics of shapes that people build come out of NetBox
// as they went in, in its own records.
func TestWiringsOfEveryClass(t *testing.T) {
	t.Parallel()
	leaf := func(name string, n int, more string) string {
		return addressed(name, "server-leaf", "dell-s5248f-on", n, more)
	}
	group := func(name, kind string) string {
		return ", groups: [" + name + "], redundancy: {group: " + name + ", type: " + kind + "}"
	}
	pair := func(kind, server, a, b, port string) string {
		return fmt.Sprintf("Connection: {name: %s--%s--%s--%s}, spec: {%s: {links: [{server: {port: %s/eth0}, switch: {port: %s/%s}}, {server: {port: %s/eth1}, switch: {port: %s/%s}}]}}",
			server, kind, a, b, kind, server, a, port, server, b, port)
	}
	everyKind, err := os.ReadFile(filepath.Join("..", "hedgehog", "testdata", "valid.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	every := slices.DeleteFunc(strings.Split(strings.TrimSpace(string(everyKind)), "\n"), func(row string) bool { return strings.HasPrefix(row, "#") })
	tests := map[string]struct {
		rows  []string
		older bool
		plain bool // needs no hedgehog_spec
	}{
		"every kind":          {rows: every},
		"4 spines, 40 leaves": {rows: spineLeaf(4, 40), plain: true},
		"orphan leaves": {plain: true, rows: append(foundation(),
			leaf("leaf-01", 0, ""), leaf("leaf-02", 1, ""),
			"Server: {name: s1}", "Connection: {name: s1--unbundled--leaf-01}, spec: {unbundled: {link: {server: {port: s1/eth0}, switch: {port: leaf-01/E1/1}}}}",
			"Server: {name: s2}", "Connection: {name: s2--bundled--leaf-02}, spec: {bundled: {links: [{server: {port: s2/eth0}, switch: {port: leaf-02/E1/1}}, {server: {port: s2/eth1}, switch: {port: leaf-02/E1/2}}]}}")},
		"MCLAG beside ESLAG": {older: true, rows: append(foundation(), "SwitchGroup: {name: mclag-1}", "SwitchGroup: {name: eslag-1}",
			strings.Replace(leaf("leaf-01", 0, group("mclag-1", "mclag")), "65101", "65105", 1), strings.Replace(strings.Replace(leaf("leaf-02", 1, group("mclag-1", "mclag")), "65102", "65105", 1), "172.30.12.1/", "172.30.12.0/", 1),
			leaf("leaf-03", 2, group("eslag-1", "eslag")), leaf("leaf-04", 3, group("eslag-1", "eslag")),
			"Connection: {name: leaf-01--mclag-domain--leaf-02}, spec: {mclagDomain: {peerLinks: [{switch1: {port: leaf-01/E1/53}, switch2: {port: leaf-02/E1/53}}, {switch1: {port: leaf-01/E1/54}, switch2: {port: leaf-02/E1/54}}], sessionLinks: [{switch1: {port: leaf-01/E1/55}, switch2: {port: leaf-02/E1/55}}]}}",
			"Server: {name: s1}", pair("mclag", "s1", "leaf-01", "leaf-02", "E1/1"), "Server: {name: s2}", pair("eslag", "s2", "leaf-03", "leaf-04", "E1/1"))},
		"L3VNI": {rows: append(foundation(), addressed("leaf-01", "server-leaf", "celestica-ds5000", 0, ""), addressed("leaf-02", "border-leaf", "celestica-ds3000", 1, ""),
			"Server: {name: s1}", "Connection: {name: s1--unbundled--leaf-01}, spec: {unbundled: {link: {server: {port: s1/eth0}, switch: {port: leaf-01/E1/1}}, mtu: 9000}}",
			"VPC: {name: vpc-1}, spec: {mode: l3vni, ipv4Namespace: default, vlanNamespace: default, defaultIsolated: true, subnets: {default: {subnet: 10.0.1.0/24, gateway: 10.0.1.1, vlan: 1001, dhcp: {enable: true, range: {start: 10.0.1.10, end: 10.0.1.99}}}, hosts: {subnet: 10.0.2.0/24, hostBGP: true}}}",
			"VPCAttachment: {name: a1}, spec: {subnet: vpc-1/default, connection: s1--unbundled--leaf-01}",
			"VPCAttachment: {name: a2}, spec: {subnet: vpc-1/hosts, connection: s1--unbundled--leaf-01}")},
		"virtual switches": {plain: true, rows: append(foundation(), addressed("spine-01", "spine", "vs", 9, ""), addressed("leaf-01", "server-leaf", "vs", 0, ""), addressed("leaf-02", "border-leaf", "vs", 1, ""),
			"Connection: {name: spine-01--fabric--leaf-01}, spec: {fabric: {links: [{spine: {port: spine-01/E1/1, ip: 172.30.128.0/31}, leaf: {port: leaf-01/E1/1, ip: 172.30.128.1/31}}, {spine: {port: spine-01/E1/2, ip: 172.30.128.2/31}, leaf: {port: leaf-01/E1/2, ip: 172.30.128.3/31}}]}}",
			"Connection: {name: leaf-01--mesh--leaf-02}, spec: {mesh: {links: [{leaf1: {port: leaf-01/E1/3, ip: 172.30.128.4/31}, leaf2: {port: leaf-02/E1/3, ip: 172.30.128.5/31}}]}}")},
		"static externals, with and without proxy": {rows: append(foundation(), leaf("leaf-01", 0, ""),
			"Connection: {name: leaf-01--external}, spec: {external: {link: {switch: {port: leaf-01/E1/10}}}}",
			"Connection: {name: leaf-01--external--2}, spec: {external: {link: {switch: {port: leaf-01/E1/11}}}}",
			"External: {name: ext-1}, spec: {ipv4Namespace: default, static: {prefixes: [0.0.0.0/0]}}",
			"External: {name: ext-2}, spec: {ipv4Namespace: default, static: {prefixes: [198.51.100.0/24, 203.0.113.0/24]}}",
			"ExternalAttachment: {name: leaf-01--ext-1}, spec: {external: ext-1, connection: leaf-01--external, switch: {}, neighbor: {}, static: {remoteIP: 192.0.2.1, vlan: 200, proxy: true}}",
			"ExternalAttachment: {name: leaf-01--ext-2}, spec: {external: ext-2, connection: leaf-01--external--2, switch: {}, neighbor: {}, static: {remoteIP: 192.0.2.9, ip: 192.0.2.10/29}}")},
		"a gateway with several uplinks, one to a mesh": {rows: append(foundation(), "GatewayGroup: {name: default}", addressed("spine-01", "spine", "celestica-ds4000", 9, ""), leaf("leaf-01", 0, ""), leaf("leaf-02", 1, ""),
			"Connection: {name: spine-01--gateway--gw-1}, spec: {gateway: {links: [{switch: {port: spine-01/E1/31, ip: 172.30.128.10/31}, gateway: {port: gw-1/enp2s1, ip: 172.30.128.11/31}}, {switch: {port: spine-01/E1/32, ip: 172.30.128.12/31}, gateway: {port: gw-1/enp2s2, ip: 172.30.128.13/31}}]}}",
			"Connection: {name: leaf-01--gateway--gw-1}, spec: {gateway: {links: [{switch: {port: leaf-01/E1/49, ip: 172.30.128.14/31}, gateway: {port: gw-1/enp2s3, ip: 172.30.128.15/31}}]}}",
			"Connection: {name: leaf-01--mesh--leaf-02}, spec: {mesh: {links: [{leaf1: {port: leaf-01/E1/50, ip: 172.30.128.4/31}, leaf2: {port: leaf-02/E1/50, ip: 172.30.128.5/31}}]}}",
			"Gateway: {name: gw-1}, spec: {protocolIP: 172.30.8.200/32, vtepIP: 172.30.12.200/32, vtepMAC: 'ca:fe:ba:be:01:00', asn: 65534, vtepMTU: 9036, groups: [{name: default, priority: 0}], interfaces: {enp2s1: {ips: [172.30.128.11/31], mtu: 9100}, enp2s2: {ips: [172.30.128.13/31], mtu: 9100}, enp2s3: {ips: [172.30.128.15/31], mtu: 9100}}, neighbors: [{source: enp2s1, ip: 172.30.128.10, asn: 65100}, {source: enp2s2, ip: 172.30.128.12, asn: 65100}, {source: enp2s3, ip: 172.30.128.14, asn: 65101}]}")},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := wanted(t, name, rows(test.rows...))
			c := netbox.DefaultConfig("lab")
			if test.older {
				c.Settings.FabricVersion = "26.02"
			}
			for _, issue := range hedgehog.Validate(want, c.Settings) {
				if issue.Severity == hedgehog.Error {
					t.Errorf("the manifests themselves: %s", issue)
				}
			}
			plan, _ := roundTrip(t, want, &netbox.Snapshot{}, c)
			s := plan.Shares
			if total := s.Native + s.CustomFields + s.Spec + s.Objects; (s.Native+s.CustomFields)*100 < 90*total {
				t.Errorf("NetBox's own records and named fields hold too little: %+v", s)
			}
			if test.plain && s.Spec > 0 {
				t.Errorf("a plain fabric needs hedgehog_spec: %+v", s)
			}
			t.Logf("%d changes, %+v", len(plan.Changes), s)
		})
	}
}
