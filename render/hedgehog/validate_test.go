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
				found = append(found, issue.Rule+" "+issue.Object.String()+" "+issue.Summary)
				hit = hit || issue.Rule == rules[fields[0]] && (len(fields) < 3 || fields[2] == "" || slices.Contains(strings.Split(fields[2], "|"), issue.Object.String()))
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

// ruleOf names the rule that really applies to each of the broken fabrics.
func ruleOf() map[string]string {
	rules := map[string]string{}
	for rule, cases := range map[string]string{
		"acl-sequence":                  "extattach-acl-low-seq",
		"api-version-wrong":             "wrong-api-version",
		"attachment-eslag-mode":         "attach-l3vni-on-eslag",
		"attachment-hostbgp":            "attach-hostbgp-bundled",
		"attachment-label-length":       "connection-name-over-63-attached",
		"attachment-subnet-unknown":     "attach-no-subnet",
		"attachment-unsupported":        "attach-l2vni-on-ds5000",
		"attachment-vlan-namespace":     "attach-vlanns-not-on-switch",
		"attachment-vpc-unknown":        "attach-no-vpc",
		"cidr-syntax":                   "dhcp-relay-no-prefix-len",
		"connection-ends":               "conn-bundled-two-switches",
		"connection-eslag-group":        "conn-eslag-other-group",
		"connection-eslag-links":        "conn-eslag-one-link",
		"connection-link-ip":            "hydrated-fabric-ip-not-31",
		"connection-mtu":                "upstream-accepts-eslag-mtu-too-big",
		"connection-port-management":    "upstream-accepts-management-port-in-connection",
		"connection-port-twice":         "conn-breakout-alias-clash",
		"connection-port-unknown":       "conn-port-unknown",
		"connection-roles":              "upstream-accepts-fabric-conn-leaf-to-leaf",
		"connection-server-unknown":     "conn-server-missing",
		"connection-type":               "conn-no-type upstream-accepts-conn-two-types",
		"dhcp-mtu":                      "dhcp-mtu-high dhcp-mtu-low",
		"dhcp-range-gateway":            "dhcp-start-is-gateway",
		"dhcp-range-order":              "dhcp-start-after-end",
		"dhcp-relay":                    "dhcp-relay-and-server dhcp-relayvpc-without-relay",
		"dhcp-static-address":           "dhcp-static-broadcast",
		"dhcp-static-twice":             "dhcp-static-dup-ip",
		"external-attachment-mismatch":  "extattach-static-on-bgp-external",
		"external-community":            "external-bad-community",
		"external-flavour":              "external-static-with-community",
		"external-peering-namespaces":   "extpeering-cross-ipns",
		"external-peering-vpc":          "extpeering-no-vpc",
		"field-required":                "external-static-no-prefix switch-no-role",
		"gateway-disabled":              "gw-disabled-in-fabric",
		"gateway-expose":                "gw-peering-nat-without-as",
		"gateway-group-unknown":         "gw-peering-no-group",
		"gateway-peering-cidr":          "gw-peering-cidr-not-in-vpc",
		"ip-syntax":                     "upstream-accepts-static-route-bad-nexthop",
		"link-subnet":                   "hydrated-fabric-ip-mismatch",
		"name-syntax":                   "vpc-name-uppercase",
		"name-too-long":                 "external-name-long vpc-name-12-chars",
		"namespace-wrong":               "namespace-not-default",
		"peering-duplicate":             "upstream-accepts-duplicate-vpcpeering",
		"peering-permit-pair":           "peering-one-vpc",
		"peering-remote":                "peering-remote",
		"static-external-next-hop":      "conn-static-external-nexthop",
		"switch-asn-duplicate":          "hydrated-asn-dup",
		"switch-asn-leaf":               "hydrated-asn-out-of-range",
		"switch-asn-spine":              "hydrated-spine-asn",
		"switch-boot-mac":               "upstream-accepts-bad-boot-mac",
		"switch-group-speed":            "switch-bad-speed switch-group-speed-bad",
		"switch-port-breakout":          "switch-bad-breakout switch-breakout-on-speed-port",
		"switch-profile-unknown":        "switch-unknown-profile",
		"switch-redundancy":             "switch-redundancy-group-no-type",
		"switch-roce-unsupported":       "switch-roce-unsupported",
		"switch-vlan-namespace-unknown": "switch-vlanns-missing",
		"switch-vtep-spine":             "hydrated-vtep-on-spine",
		"vlan-range":                    "upstream-accepts-vlanns-from-gt-to-alone vlanns-from-gt-to",
		"vlan-range-reserved":           "vlanns-overlap-irb vlanns-overlap-th5",
		"vpc-gateway":                   "vpc-gateway-outside",
		"vpc-hostbgp-dhcp":              "hostbgp-with-dhcp",
		"vpc-hostbgp-lengths":           "hostbgp-extra-prefix-on-plain",
		"vpc-ipv4-namespace-unknown":    "vpc-ipns-missing",
		"vpc-mode":                      "vpc-mode-bad",
		"vpc-name-ext":                  "vpc-name-ext-prefix",
		"vpc-permit-unknown":            "vpc-permit-unknown",
		"vpc-route-prefix":              "vpc-static-route-host-bits",
		"vpc-subnet-dhcp-name":          "subnet-name-uppercase-dhcp",
		"vpc-subnet-host-bits":          "upstream-accepts-vpc-prefix-with-host-bits",
		"vpc-subnet-overlap":            "vpc-overlap-same-vpc",
		"vpc-subnet-pool":               "vpc-subnet-ipv6 vpc-subnet-outside-ipns vpc-subnet-wider-than-ipns",
		"vpc-subnet-vlan":               "vpc-vlan-missing",
		"vpc-subnets-count":             "vpc-21-subnets vpc-no-subnets",
		"vpc-vlan-namespace-unknown":    "vpc-vlanns-missing",
		"vpc-vlan-twice":                "vpc-vlan-dup-other-vpc vpc-vlan-dup-same-vpc",
		"vtep-ip-duplicate":             "gw-vtep-dup",
		"vtep-ip-pool":                  "hydrated-vtep-outside",
	} {
		for name := range strings.FieldsSeq(cases) {
			rules[name] = rule
		}
	}
	return rules
}
