package hedgehog_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"hedgehog-gitops/render/hedgehog"
)

// TestCheckRefusesNothingGood: no rule has a complaint about real manifests.
func TestCheckRefusesNothingGood(t *testing.T) {
	t.Parallel()
	var files []string
	for _, folder := range []string{"wiring", "hydrated", "export", "legacy"} {
		files = append(files, shared(t, folder, "*.yaml")...)
	}
	lab, err := filepath.Glob(filepath.Join("..", "..", "..", "shared", "native", "lab", "expected", "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range append(files, lab...) {
		f := decode(t, file, readFile(t, file)).Fabric
		for _, issue := range hedgehog.Check(f) {
			t.Errorf("%s: %s", file, issue)
		}
		for o := range f.All() {
			hedgehog.Default(o)
		}
		for _, issue := range hedgehog.Check(f) {
			t.Errorf("%s, with defaults: %s", file, issue)
		}
	}
}

func TestCheckOfOurManifests(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("testdata", "all-kinds.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, issue := range hedgehog.Check(decode(t, "-", string(text)).Fabric) {
		t.Errorf("%s", issue)
	}
}

// TestRulesAreWellFormed: ids are unique, every rule says what it wants, and
// every field that a rule names is there.
func TestRulesAreWellFormed(t *testing.T) {
	t.Parallel()
	fields := map[string]bool{"* metadata.name": true, "* metadata.namespace": true, "* metadata.labels": true, "* metadata.annotations": true}
	for _, kind := range hedgehog.Kinds() {
		fields[string(kind)+" object"] = true
		fields[string(kind)+" metadata.name"] = true
		fields[string(kind)+" metadata.annotations"] = true
		var walk func(v reflect.Type, path string)
		walk = func(v reflect.Type, path string) {
			fields[path] = true
			switch v.Kind() {
			case reflect.Pointer:
				walk(v.Elem(), path)
			case reflect.Slice:
				walk(v.Elem(), path+"[]")
			case reflect.Map:
				walk(v.Elem(), path+".*")
			case reflect.Struct:
				for i := range v.NumField() {
					name, _, _ := strings.Cut(v.Field(i).Tag.Get("json"), ",")
					walk(v.Field(i).Type, path+"."+name)
				}
			}
		}
		walk(reflect.TypeOf(hedgehog.New(kind, "a").Spec), string(kind)+" spec")
	}
	seen := map[string]bool{}
	for _, rule := range hedgehog.Rules() {
		if seen[rule.ID] || rule.Summary == "" || rule.Hint == "" || len(rule.Fields) == 0 {
			t.Errorf("%+v", rule)
		}
		seen[rule.ID] = true
		for _, field := range rule.Fields {
			if !fields[field] {
				t.Errorf("%s: no such field: %s", rule.ID, field)
			}
		}
	}
}

// TestCheck: a row for each rule, as "kind: metadata and spec".
func TestCheck(t *testing.T) {
	t.Parallel()
	const subnet = "subnet: 10.0.1.0/24, vlan: 1001"
	vpc := func(more string) string { return "VPC: {name: a}, spec: {subnets: {a: {" + more + "}}}" }
	link := "{server: {port: s/a}, switch: {port: l/E1/1}}"
	tests := map[string]struct {
		object string
		rules  string // sorted, without repeats
	}{
		"good":                            {vpc(subnet), ""},
		"an upper-case name":              {"Server: {name: A}", "name-syntax"},
		"another namespace":               {"Server: {name: a, namespace: fab}", "namespace-wrong"},
		"a label with spaces":             {"Server: {name: a, labels: {a: b c}}", "label-syntax"},
		"a label without a name":          {"Server: {name: a, labels: {a.b/: c}}", "label-syntax"},
		"an annotation without a name":    {"Server: {name: a, annotations: {'': c}}", "annotation-syntax"},
		"a long VPC":                      {strings.Replace(vpc(subnet), "name: a", "name: abcdefghijkl", 1), "name-too-long"},
		"a VPC like an external":          {strings.Replace(vpc(subnet), "name: a", "name: ext.a", 1), "vpc-name-ext"},
		"a long server":                   {"Server: {name: " + strings.Repeat("a", 64) + "}", "name-label-length"},
		"a long connection":               {"Connection: {name: " + strings.Repeat("a", 64) + "}, spec: {unbundled: {link: " + link + "}}", "connection-name-length"},
		"a VLAN namespace without ranges": {"VLANNamespace: {name: a}", "vlan-ranges-count"},
		"ranges that are none":            {"VLANNamespace: {name: a}, spec: {ranges: [{from: 2, to: 1}, {from: 0}, {from: 4095}]}", "vlan-range"},
		"an IPv4 namespace without any":   {"IPv4Namespace: {name: a}", "ipv4-namespace-count"},
		"an IPv4 namespace of an address": {"IPv4Namespace: {name: a}, spec: {subnets: [10.0.0.1]}", "cidr-syntax"},
		"a switch without anything":       {"Switch: {name: a}", "field-required"},
		"an unknown role":                 {"Switch: {name: a}, spec: {role: virtual-edge, profile: x}", "switch-role"},
		"half a redundancy":               {"Switch: {name: a}, spec: {role: spine, profile: x, redundancy: {type: eslag}}", "switch-redundancy"},
		"bad addresses of a switch":       {"Switch: {name: a}, spec: {role: spine, profile: x, ip: 10.0.0.1, protocolIP: 10.0.0.1/31, vtepIP: '::1/32'}", "loopback-ip switch-ip"},
		"a bad MAC":                       {"Switch: {name: a}, spec: {role: spine, profile: x, boot: {mac: zz}}", "switch-boot-mac"},
		"bad ports":                       {"Switch: {name: a}, spec: {role: spine, profile: x, portSpeeds: {E1/1: fast}, portBreakouts: {E1/2: '4'}, portFECs: {E1/3: maybe}}", "switch-breakout switch-fec switch-speed"},
		"bad flaps":                       {"Switch: {name: a}, spec: {role: spine, profile: x, linkFlapErrDisable: {flapThreshold: 51}}", "switch-link-flap"},
		"no type":                         {"Connection: {name: a}", "connection-type"},
		"two types":                       {"Connection: {name: a}, spec: {unbundled: {link: " + link + "}, external: {link: {switch: {port: l/E1/2}}}}", "connection-type"},
		"a port without a device":         {"Connection: {name: a}, spec: {external: {link: {switch: {port: /E1/2}}}}", "connection-port"},
		"no port":                         {"Connection: {name: a}, spec: {external: {link: {}}}", "connection-port"},
		"no links":                        {"Connection: {name: a}, spec: {bundled: {}}", "connection-links"},
		"an ESLAG of one link":            {"Connection: {name: a}, spec: {eslag: {links: [" + link + "], mtu: 9037}}", "connection-eslag-links"},
		"a link that is no /31":           {"Connection: {name: a}, spec: {fabric: {links: [{spine: {port: s/E1/1, ip: 10.0.0.0/30}, leaf: {port: l/E1/1}}]}}", "connection-link-ip"},
		"a static external without":       {"Connection: {name: a}, spec: {staticExternal: {link: {switch: {port: l/E1/1, vlan: 4095, subnets: [a]}}}}", "cidr-syntax field-required vlan-bounds"},
		"a mode":                          {"VPC: {name: a}, spec: {mode: l3flat, subnets: {a: {" + subnet + "}}}", "vpc-mode"},
		"no subnets":                      {"VPC: {name: a}", "vpc-subnets-count"},
		"a null subnet":                   {"VPC: {name: a}, spec: {subnets: {a: null}}", "vpc-subnet-null"},
		"a subnet's name":                 {"VPC: {name: a}, spec: {subnets: {'a b': {" + subnet + "}}}", "vpc-subnet-name"},
		"a subnet's name, with DHCP":      {"VPC: {name: a}, spec: {subnets: {A: {" + subnet + ", dhcp: {enable: true}}}}", "vpc-subnet-dhcp-name"},
		"a small subnet, off its network": {vpc("subnet: 10.0.1.1/31, vlan: 5"), "vpc-subnet-host-bits vpc-subnet-length"},
		"no VLAN":                         {vpc("subnet: 10.0.1.0/24"), "vpc-subnet-vlan"},
		"a VLAN of 4095":                  {vpc("subnet: 10.0.1.0/24, vlan: 4095"), "vlan-bounds"},
		"host BGP needs no VLAN":          {vpc("subnet: 10.0.1.0/24, hostBGP: true, hostBGPMinPrefixLen: 24"), ""},
		"host BGP, wrong":                 {vpc("subnet: 10.0.1.0/24, hostBGP: true, hostBGPMinPrefixLen: 33, dhcp: {enable: true}, hostBGPExtraPrefixes: {10.0.0.1/24: {}}"), "vpc-hostbgp-dhcp vpc-hostbgp-extra vpc-hostbgp-lengths"},
		"prefix lengths without host BGP": {vpc(subnet + ", hostBGPMinPrefixLen: 24"), "vpc-hostbgp-lengths"},
		"a gateway with a length":         {vpc(subnet + ", gateway: 10.0.1.1/24"), "ip-syntax"},
		"a permit of one":                 {"VPC: {name: a}, spec: {permit: [[a], [a, a]], subnets: {a: {" + subnet + "}}}", "vpc-permit"},
		"a route off its network":         {"VPC: {name: a}, spec: {staticRoutes: [{prefix: 10.0.0.1/24}], subnets: {a: {" + subnet + "}}}", "field-required vpc-route-prefix"},
		"a server that relays":            {vpc(subnet + ", dhcp: {enable: true, relay: 10.0.0.9/32}"), "dhcp-relay"},
		"a relay nowhere":                 {vpc(subnet + ", dhcp: {relayVPC: b}"), "dhcp-relay"},
		"a relay without a length":        {vpc(subnet + ", dhcp: {relay: 10.0.0.9}"), "cidr-syntax"},
		"options without a server":        {vpc(subnet + ", dhcp: {options: {pxeURL: x}}"), "dhcp-unused"},
		"leases without a server":         {vpc(subnet + ", dhcp: {static: {a: {ip: b}}}"), "dhcp-static ip-syntax"},
		"DHCP options, wrong":             {vpc(subnet + ", dhcp: {enable: true, options: {interfaceMTU: 95, dnsServers: [a], advertisedRoutes: [{destination: b}]}, static: {c: {}}}"), "cidr-syntax dhcp-static field-required ip-syntax"},
		"an attachment without":           {"VPCAttachment: {name: a}", "field-required"},
		"an attachment to three":          {"VPCAttachment: {name: a}, spec: {subnet: a/b/c, connection: d}", "attachment-subnet"},
		"a peering of one":                {"VPCPeering: {name: a}, spec: {remote: x, permit: [{a: {}}]}", "peering-permit-pair peering-remote"},
		"a peering of other VPCs":         {"VPCPeering: {name: a}, spec: {permit: [{a: {}, b: {}}, {a: {}, c: {}}]}", "peering-permit-pair"},
		"a peering without permits":       {"VPCPeering: {name: a}", "peering-permit-count"},
		"a peering of many subnets":       {"VPCPeering: {name: a}, spec: {permit: [{a: {subnets: [a, b, c, d, e, f, g, h, i, j, k]}, b: {}}]}", "peering-subnets-count"},
		"a community":                     {"External: {name: a}, spec: {inboundCommunity: '01:65536'}", "external-community"},
		"a static external, communities":  {"External: {name: a}, spec: {inboundCommunity: '65535:0', static: {prefixes: [0.0.0.0/0]}}", "external-flavour"},
		"a static external of nothing":    {"External: {name: a}, spec: {static: {}}", "field-required"},
		"an external attachment without":  {"ExternalAttachment: {name: a}, spec: {external: a, connection: b}", "external-attachment-flavour"},
		"a static attachment, wrong":      {"ExternalAttachment: {name: a}, spec: {external: a, connection: b, switch: {vlan: 5}, static: {remoteIP: 10.0.0.1, ip: 10.0.0.2/24, proxy: true}}", "external-attachment-flavour external-attachment-proxy"},
		"an ACL":                          {"ExternalAttachment: {name: a}, spec: {external: a, connection: b, static: {remoteIP: 10.0.0.1, proxy: true}, inboundACL: {statements: [{seq: 9, action: drop, protocol: sctp, srcPrefix: some, portRangeBegin: 5, tcpFilters: {established: true, syn: true}}]}}", "acl-action acl-match acl-prefix acl-protocol acl-sequence acl-tcp-filters field-required"},
		"an external peering without":     {"ExternalPeering: {name: a}, spec: {permit: {external: {prefixes: [{}]}}}", "field-required"},
		"a gateway":                       {"Gateway: {name: a}, spec: {vtepMAC: '01:00:00:00:00:00', workers: 65, groups: [{name: a}, {name: a}], logs: {default: loud}, interfaces: {e: {pci: a, kernel: b}}, neighbors: [{}]}", "field-required gateway-groups gateway-interface gateway-interface-name gateway-log-level gateway-vtep-mac gateway-workers"},
		"a gateway peering of one":        {"GatewayPeering: {name: a}, spec: {peering: {a: {expose: [{default: true}]}}}", "gateway-peering-sides"},
		"a gateway peering, wrong":        {"GatewayPeering: {name: a}, spec: {peering: {a: {expose: [{default: true, ips: [{}]}, {}, {ips: [{cidr: a}], as: [{}], nat: {}}]}, b: {expose: [{ips: [{vpcSubnet: a}], nat: {masquerade: {idleTimeout: soon}}}]}}}", "cidr-syntax gateway-expose gateway-expose-as gateway-expose-ip gateway-idle-timeout gateway-nat"},
		"a gateway ACL, wrong":            {"GatewayPeering: {name: a}, spec: {peering: {a: {}, b: {}}, acl: {default: allow, rules: [{action: drop, scope: x, match: {proto: icmp, src: [{cidr: 10.0.0.0/8, vpcSubnet: a}]}}, {}]}}", "field-required gateway-acl-action gateway-acl-default gateway-acl-endpoint gateway-acl-scope gateway-proto"},
	}
	tested := map[string]bool{"addresses-allocated": true} // TestAddressesAreAllocated
	for _, test := range tests {
		for id := range strings.FieldsSeq(test.rules) {
			tested[id] = true
		}
	}
	for _, test := range brokenFabrics() {
		for _, issue := range test.issues {
			id, _, _ := strings.Cut(issue, " ")
			tested[id] = true
		}
	}
	for _, test := range steps() {
		for _, issue := range test.issues {
			id, _, _ := strings.Cut(issue, " ")
			tested[id] = true
		}
	}
	for _, test := range exactCases() {
		for _, issue := range test.issues {
			id, _, _ := strings.Cut(issue, " ")
			tested[id] = true
		}
	}
	for _, rule := range hedgehog.Rules() {
		if !tested[rule.ID] {
			t.Errorf("no row for the rule %s", rule.ID)
		}
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			kind, rest, _ := strings.Cut(test.object, ": ")
			text := "{apiVersion: " + hedgehog.Kind(kind).APIVersion() + ", kind: " + kind + ", metadata: " + rest + "}"
			d := decode(t, "-", text)
			if d.Fabric.Len() != 1 {
				t.Fatalf("%v\n%s", d.Issues, text)
			}
			found := map[string]bool{}
			for _, issue := range append(d.Issues, hedgehog.Check(d.Fabric)...) {
				found[issue.Rule] = true
			}
			want := map[string]bool{}
			for id := range strings.FieldsSeq(test.rules) {
				want[id] = true
			}
			if !reflect.DeepEqual(want, found) {
				t.Errorf("want %v, got %v", want, found)
			}
		})
	}
}
