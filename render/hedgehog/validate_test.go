package hedgehog_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hedgehog-gitops/render/hedgehog"
)

// TestBrokenFabricsAreRefused: what the cluster refuses, and what it lets pass
// though it is wrong, is refused here, at the object at fault.
func TestBrokenFabricsAreRefused(t *testing.T) {
	t.Parallel()
	index := shared(t, "broken", "INDEX.tsv")
	if len(index) == 0 {
		t.Skip("no broken fabrics here")
	}
	lines := strings.Split(strings.TrimSpace(readFile(t, index[0])), "\n")[1:]
	rules := ruleOf()
	for _, line := range lines {
		fields := strings.Split(line, "\t")
		t.Run(fields[0], func(t *testing.T) {
			t.Parallel()
			text := readFile(t, filepath.Join(filepath.Dir(index[0]), fields[0]+".yaml"))
			settings := hedgehog.DefaultSettings()
			settings.Target = hedgehog.TargetInstaller
			settings.Gateway = !strings.Contains(text, "# flags: -gateway off")
			d := decode(t, fields[0]+".yaml", text)
			var found []string
			hit := false
			for _, issue := range append(d.Issues, hedgehog.Validate(d.Fabric, settings)...) {
				if issue.Severity < hedgehog.Error {
					continue
				}
				found = append(found, issue.Rule+" "+issue.Object.String()+" "+issue.Field+": "+issue.Summary)
				hit = hit || strings.TrimSpace(issue.Rule+" "+issue.Field) == rules[fields[0]] && (len(fields) < 3 || fields[2] == "" || slices.Contains(strings.Split(fields[2], "|"), issue.Object.String()))
			}
			if !hit {
				t.Errorf("want %s (%s) at %q, got\n%s", rules[fields[0]], fields[1], fields[2:], strings.Join(found, "\n"))
			}
		})
	}
}

// TestRealFabricsAreAccepted: no rule refuses what a cluster or the installer
// takes.
func TestRealFabricsAreAccepted(t *testing.T) {
	t.Parallel()
	var files []string
	for _, folder := range []string{"wiring", "hydrated", "export", "legacy"} {
		files = append(files, shared(t, folder, "*.yaml")...)
	}
	for _, file := range files {
		settings := hedgehog.DefaultSettings()
		settings.Target = hedgehog.TargetInstaller
		if strings.Contains(file, "legacy") {
			settings.FabricVersion = "26.02"
		}
		f := decode(t, file, readFile(t, file)).Fabric
		for range 2 {
			notices := 0
			for _, issue := range hedgehog.Validate(f, settings) {
				switch issue.Severity {
				case hedgehog.Error:
					t.Errorf("%s: %s: %s", filepath.Base(file), issue.Rule, issue)
				case hedgehog.Notice:
					notices++
				}
			}
			if strings.Contains(file, "/hydrated/") {
				settings.Target = hedgehog.TargetCluster
			}
			for o := range f.All() {
				hedgehog.Default(o)
			}
		}
	}
}

// ruleOf names the rule that really applies to each of the broken fabrics, and the
// field at fault.
func ruleOf() map[string]string {
	return map[string]string{
		"vpc-name-12-chars":                              "name-too-long metadata.name",
		"vpc-name-uppercase":                             "name-syntax metadata.name",
		"vpc-name-ext-prefix":                            "vpc-name-ext metadata.name",
		"namespace-not-default":                          "namespace-wrong metadata.namespace",
		"external-name-long":                             "name-too-long metadata.name",
		"wrong-api-version":                              "api-version-wrong",
		"subnet-name-uppercase-dhcp":                     "vpc-subnet-dhcp-name spec.subnets.Prod_Web",
		"connection-name-over-63-attached":               "attachment-label-length spec.connection",
		"vpc-no-subnets":                                 "vpc-subnets-count spec.subnets",
		"vpc-21-subnets":                                 "vpc-subnets-count spec.subnets",
		"vpc-subnet-outside-ipns":                        "vpc-subnet-pool spec.subnets.subnet-01.subnet",
		"vpc-subnet-wider-than-ipns":                     "vpc-subnet-pool spec.subnets.subnet-01.subnet",
		"vpc-vlan-missing":                               "vpc-subnet-vlan spec.subnets.subnet-01.vlan",
		"vpc-vlan-dup-same-vpc":                          "vpc-vlan-twice spec.subnets.x2.vlan",
		"vpc-vlan-dup-other-vpc":                         "vpc-vlan-twice spec.subnets.subnet-01.vlan",
		"vpc-overlap-same-vpc":                           "vpc-subnet-overlap spec.subnets.x2.subnet",
		"vpc-gateway-outside":                            "vpc-gateway spec.subnets.subnet-01.gateway",
		"vpc-mode-bad":                                   "vpc-mode spec.mode",
		"vpc-ipns-missing":                               "vpc-ipv4-namespace-unknown spec.ipv4Namespace",
		"vpc-vlanns-missing":                             "vpc-vlan-namespace-unknown spec.vlanNamespace",
		"vpc-permit-unknown":                             "vpc-permit-unknown spec.permit[0][0]",
		"vpc-static-route-host-bits":                     "vpc-route-prefix spec.staticRoutes[0].prefix",
		"dhcp-start-after-end":                           "dhcp-range-order spec.subnets.subnet-01.dhcp.range",
		"dhcp-start-is-gateway":                          "dhcp-range-gateway spec.subnets.subnet-01.dhcp.range.start",
		"dhcp-relay-and-server":                          "dhcp-relay spec.subnets.subnet-01.dhcp.relay",
		"dhcp-relay-no-prefix-len":                       "cidr-syntax spec.subnets.subnet-01.dhcp.relay",
		"dhcp-relayvpc-without-relay":                    "dhcp-relay spec.subnets.subnet-01.dhcp.relayVPC",
		"dhcp-mtu-low":                                   "dhcp-mtu spec.subnets.subnet-01.dhcp.options.interfaceMTU",
		"dhcp-mtu-high":                                  "dhcp-mtu spec.subnets.subnet-01.dhcp.options.interfaceMTU",
		"dhcp-static-broadcast":                          "dhcp-static-address spec.subnets.subnet-01.dhcp.static.00:11:22:33:44:55.ip",
		"dhcp-static-dup-ip":                             "dhcp-static-twice spec.subnets.subnet-01.dhcp.static.00:11:22:33:44:56.ip",
		"hostbgp-with-dhcp":                              "vpc-hostbgp-dhcp spec.subnets.subnet-01.dhcp.enable",
		"hostbgp-extra-prefix-on-plain":                  "vpc-hostbgp-lengths spec.subnets.subnet-01.hostBGPExtraPrefixes",
		"attach-no-vpc":                                  "attachment-vpc-unknown spec.subnet",
		"attach-no-subnet":                               "attachment-subnet-unknown spec.subnet",
		"attach-hostbgp-bundled":                         "attachment-hostbgp spec.connection",
		"attach-l2vni-on-ds5000":                         "attachment-unsupported spec.connection",
		"attach-l3vni-on-eslag":                          "attachment-eslag-mode spec.connection",
		"attach-vlanns-not-on-switch":                    "attachment-vlan-namespace spec.connection",
		"peering-one-vpc":                                "peering-permit-pair spec.permit[0]",
		"peering-remote":                                 "peering-remote spec.remote",
		"external-bad-community":                         "external-community spec.inboundCommunity",
		"external-static-with-community":                 "external-flavour spec.inboundCommunity",
		"external-static-no-prefix":                      "field-required spec.static.prefixes",
		"extattach-static-on-bgp-external":               "external-attachment-mismatch spec.static",
		"extattach-acl-low-seq":                          "acl-sequence spec.inboundACL.statements[0].seq",
		"extpeering-no-vpc":                              "external-peering-vpc spec.permit.vpc.name",
		"extpeering-cross-ipns":                          "external-peering-namespaces spec.permit",
		"vlanns-overlap-irb":                             "vlan-range-reserved spec.ranges[0]",
		"vlanns-overlap-th5":                             "vlan-range-reserved spec.ranges[1]",
		"vlanns-from-gt-to":                              "vlan-range spec.ranges[0].to",
		"upstream-accepts-vlanns-from-gt-to-alone":       "vlan-range spec.ranges[0].to",
		"upstream-accepts-vpc-prefix-with-host-bits":     "vpc-subnet-host-bits spec.subnets.subnet-01.subnet",
		"upstream-accepts-static-route-bad-nexthop":      "ip-syntax spec.staticRoutes[0].nextHops[0]",
		"upstream-accepts-bad-boot-mac":                  "switch-boot-mac spec.boot.mac",
		"upstream-accepts-duplicate-vpcpeering":          "peering-duplicate spec.permit",
		"upstream-accepts-eslag-mtu-too-big":             "connection-mtu spec.eslag.mtu",
		"upstream-accepts-management-port-in-connection": "connection-port-management spec.unbundled.link.switch.port",
		"upstream-accepts-fabric-conn-leaf-to-leaf":      "connection-roles spec.fabric.links[0].spine.port",
		"vpc-subnet-ipv6":                                "vpc-subnet-pool spec.subnets.subnet-01.subnet",
		"switch-unknown-profile":                         "switch-profile-unknown spec.profile",
		"switch-no-role":                                 "field-required spec.role",
		"switch-redundancy-group-no-type":                "switch-redundancy spec.redundancy.type",
		"switch-bad-breakout":                            "switch-port-breakout spec.portBreakouts.E1/1",
		"switch-breakout-on-speed-port":                  "switch-port-breakout spec.portBreakouts.E1/33",
		"switch-bad-speed":                               "switch-group-speed spec.portGroupSpeeds.99",
		"switch-group-speed-bad":                         "switch-group-speed spec.portGroupSpeeds.1",
		"switch-roce-unsupported":                        "switch-roce-unsupported spec.roce",
		"switch-vlanns-missing":                          "switch-vlan-namespace-unknown spec.vlanNamespaces[0]",
		"hydrated-asn-out-of-range":                      "switch-asn-leaf spec.asn",
		"hydrated-asn-dup":                               "switch-asn-duplicate spec.asn",
		"hydrated-spine-asn":                             "switch-asn-spine spec.asn",
		"hydrated-vtep-on-spine":                         "switch-vtep-spine spec.vtepIP",
		"hydrated-vtep-outside":                          "vtep-ip-pool spec.vtepIP",
		"hydrated-fabric-ip-not-31":                      "connection-link-ip spec.fabric.links[0].spine.ip",
		"hydrated-fabric-ip-mismatch":                    "link-subnet spec.fabric.links[0].leaf.ip",
		"upstream-accepts-conn-two-types":                "connection-type spec.external",
		"conn-no-type":                                   "connection-type spec",
		"conn-port-unknown":                              "connection-port-unknown spec.unbundled.link.switch.port",
		"conn-breakout-alias-clash":                      "connection-port-twice spec.unbundled.link.switch.port",
		"conn-server-missing":                            "connection-server-unknown spec.unbundled.link.server.port",
		"conn-bundled-two-switches":                      "connection-ends spec.bundled.links[1].switch.port",
		"conn-eslag-other-group":                         "connection-eslag-group spec.eslag.links[0].switch.port",
		"conn-eslag-one-link":                            "connection-eslag-links spec.eslag.links",
		"conn-static-external-nexthop":                   "static-external-next-hop spec.staticExternal.link.switch.nextHop",
		"gw-peering-cidr-not-in-vpc":                     "gateway-peering-cidr spec.peering.vpc-01.expose[0].ips[0].cidr",
		"gw-peering-nat-without-as":                      "gateway-expose spec.peering.vpc-01.expose[0].nat",
		"gw-peering-no-group":                            "gateway-group-unknown spec.gatewayGroup",
		"gw-vtep-dup":                                    "vtep-ip-duplicate spec.vtepIP",
		"gw-disabled-in-fabric":                          "gateway-disabled metadata.name",
	}
}
