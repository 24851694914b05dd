package hedgehog_test

import (
	"os"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"hedgehog-gitops/render/hedgehog"
)

// TestDefaultOfStoredSpecs: what a cluster stored has its defaults already.
func TestDefaultOfStoredSpecs(t *testing.T) {
	t.Parallel()
	for _, file := range shared(t, "hydrated", "*.yaml") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		plain := encode(t, decode(t, file, string(text)).Fabric)
		if diff := gocmp.Diff(plain, canonical(t, string(text))); diff != "" {
			t.Errorf("%s (-stored +defaulted):\n%s", file, diff)
		}
	}
}

// TestDefault: one row for each thing that the webhooks do.
func TestDefault(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		kind           hedgehog.Kind
		written, whole string // specs
	}{
		"a range of one VLAN":           {hedgehog.KindVLANNamespace, "ranges: [{from: 5}, {from: 2, to: 3}, {from: 9, to: 8}]", "ranges: [{from: 5, to: 5}, {from: 2, to: 3}, {from: 9, to: 8}]"},
		"networks in order":             {hedgehog.KindIPv4Namespace, "subnets: [b, a, '9', '10']", "subnets: ['10', '9', a, b]"},
		"an empty switch":               {hedgehog.KindSwitch, "{}", "{boot: {}, ecmp: {}, redundancy: {}, vlanNamespaces: [default]}"},
		"a switch's groups":             {hedgehog.KindSwitch, "{groups: [z], redundancy: {group: a, type: eslag}, vlanNamespaces: [b, a]}", "{boot: {}, ecmp: {}, groups: [a, z], redundancy: {group: a, type: eslag}, vlanNamespaces: [a, b]}"},
		"a group that is there":         {hedgehog.KindSwitch, "{groups: [a], redundancy: {group: a}, vlanNamespaces: [b]}", "{boot: {}, ecmp: {}, groups: [a], redundancy: {group: a}, vlanNamespaces: [b]}"},
		"speeds of old":                 {hedgehog.KindSwitch, "{portSpeeds: {E1/1: SPEED_25G}, portGroupSpeeds: {'1': SPEED_10G}}", "{boot: {}, ecmp: {}, portGroupSpeeds: {'1': 10G}, portSpeeds: {E1/1: 25G}, redundancy: {}, vlanNamespaces: [default]}"},
		"link flaps":                    {hedgehog.KindSwitch, "{linkFlapErrDisable: {recoveryInterval: 0}}", "{boot: {}, ecmp: {}, linkFlapErrDisable: {flapThreshold: 3, recoveryInterval: 0, samplingInterval: 30}, redundancy: {}, vlanNamespaces: [default]}"},
		"a MAC of a switch stays":       {hedgehog.KindSwitch, "{boot: {mac: 0C:20:12:01:01:00}}", "{boot: {mac: 0C:20:12:01:01:00}, ecmp: {}, redundancy: {}, vlanNamespaces: [default]}"},
		"a subnet":                      {hedgehog.KindVPC, "subnets: {a: {subnet: 10.0.1.77/24}}", "{ipv4Namespace: default, subnets: {a: {dhcp: {}, gateway: 10.0.1.1, subnet: 10.0.1.77/24}}, vlanNamespace: default}"},
		"a subnet that is null":         {hedgehog.KindVPC, "subnets: {a: null}", "{ipv4Namespace: default, subnets: {a: null}, vlanNamespace: default}"},
		"a subnet that is none":         {hedgehog.KindVPC, "subnets: {a: {subnet: x, dhcp: {range: {}}}}", "{ipv4Namespace: default, subnets: {a: {dhcp: {range: {}}, subnet: x}}, vlanNamespace: default}"},
		"a subnet for host BGP":         {hedgehog.KindVPC, "subnets: {a: {subnet: 10.0.1.0/24, hostBGP: true}}", "{ipv4Namespace: default, subnets: {a: {dhcp: {}, hostBGP: true, subnet: 10.0.1.0/24}}, vlanNamespace: default}"},
		"a subnet without room":         {hedgehog.KindVPC, "subnets: {a: {subnet: 10.0.1.0/31, dhcp: {range: {start: x}}}}", "{ipv4Namespace: default, subnets: {a: {dhcp: {range: {start: x}}, gateway: 10.0.1.1, subnet: 10.0.1.0/31}}, vlanNamespace: default}"},
		"DHCP":                          {hedgehog.KindVPC, "subnets: {a: {subnet: 10.0.1.0/25, dhcp: {enable: true}}}", "{ipv4Namespace: default, subnets: {a: {dhcp: {enable: true, range: {end: 10.0.1.127, start: 10.0.1.2}}, gateway: 10.0.1.1, subnet: 10.0.1.0/25}}, vlanNamespace: default}"},
		"half a range":                  {hedgehog.KindVPC, "subnets: {a: {subnet: 10.0.1.0/24, dhcp: {enable: true, range: {start: 10.0.1.9}}}}", "{ipv4Namespace: default, subnets: {a: {dhcp: {enable: true, range: {end: 10.0.1.255, start: 10.0.1.9}}, gateway: 10.0.1.1, subnet: 10.0.1.0/24}}, vlanNamespace: default}"},
		"no DHCP":                       {hedgehog.KindVPC, "subnets: {a: {subnet: 10.0.1.0/24, dhcp: {range: {start: x}, options: {pxeURL: x}, static: {x: {ip: y}}}}}", "{ipv4Namespace: default, subnets: {a: {dhcp: {static: {x: {ip: y}}}, gateway: 10.0.1.1, subnet: 10.0.1.0/24}}, vlanNamespace: default}"},
		"DHCP options that say nothing": {hedgehog.KindVPC, "subnets: {a: {subnet: 10.0.1.0/24, dhcp: {enable: true, options: {dnsServers: []}}}}", "{ipv4Namespace: default, subnets: {a: {dhcp: {enable: true, range: {end: 10.0.1.255, start: 10.0.1.2}}, gateway: 10.0.1.1, subnet: 10.0.1.0/24}}, vlanNamespace: default}"},
		"DHCP options":                  {hedgehog.KindVPC, "subnets: {a: {subnet: 10.0.1.0/24, dhcp: {enable: true, options: {dnsServers: [b, a], advertisedRoutes: [{destination: b, gateway: a}, {destination: a, gateway: b}, {destination: a, gateway: a}]}}}}", "{ipv4Namespace: default, subnets: {a: {dhcp: {enable: true, options: {advertisedRoutes: [{destination: a, gateway: a}, {destination: a, gateway: b}, {destination: b, gateway: a}], dnsServers: [a, b], interfaceMTU: 9036, leaseTimeSeconds: 3600, timeServers: []}, range: {end: 10.0.1.255, start: 10.0.1.2}}, gateway: 10.0.1.1, subnet: 10.0.1.0/24}}, vlanNamespace: default}"},
		"leases":                        {hedgehog.KindVPC, "subnets: {a: {subnet: 10.0.1.0/24, dhcp: {static: {0C-20-12-01-01-0A: {ip: a}, 0c20.1201.010b: {ip: b}, bad: {ip: c}}}}}", "{ipv4Namespace: default, subnets: {a: {dhcp: {static: {'0c:20:12:01:01:0a': {ip: a}, '0c:20:12:01:01:0b': {ip: b}, bad: {ip: c}}}, gateway: 10.0.1.1, subnet: 10.0.1.0/24}}, vlanNamespace: default}"},
		"two leases of one MAC":         {hedgehog.KindVPC, "subnets: {a: {subnet: 10.0.1.0/24, dhcp: {static: {0C-20-12-01-01-0A: {ip: a}, '0c:20:12:01:01:0a': {ip: b}}}}}", "{ipv4Namespace: default, subnets: {a: {dhcp: {static: {0C-20-12-01-01-0A: {ip: a}, '0c:20:12:01:01:0a': {ip: b}}}, gateway: 10.0.1.1, subnet: 10.0.1.0/24}}, vlanNamespace: default}"},
		"a VPC's default subnet":        {hedgehog.KindVPCAttachment, "subnet: web", "subnet: web/default"},
		"a subnet of its own":           {hedgehog.KindVPCAttachment, "subnet: web/a", "subnet: web/a"},
		"no subnet":                     {hedgehog.KindVPCAttachment, "connection: a", "connection: a"},
		"all of a VPC":                  {hedgehog.KindVPCPeering, "permit: [{a: null, b: {subnets: [z, a]}}]", "permit: [{a: {}, b: {subnets: [z, a]}}]"},
		"an external":                   {hedgehog.KindExternal, "{}", "ipv4Namespace: default"},
		"an external peering":           {hedgehog.KindExternalPeering, "permit: {vpc: {subnets: [b, a]}, external: {prefixes: [{prefix: b}, {prefix: a}]}}", "permit: {external: {prefixes: [{prefix: a}, {prefix: b}]}, vpc: {subnets: [a, b]}}"},
		"a gateway":                     {hedgehog.KindGateway, "{}", "{groups: [{name: default}], logs: {default: info, tags: {all: info}}, profiling: {}, workers: 4}"},
		"a gateway with its own":        {hedgehog.KindGateway, "{groups: [{name: b}, {name: a, priority: 1}], logs: {default: 'off', tags: {x: debug}}, workers: 8}", "{groups: [{name: a, priority: 1}, {name: b}], logs: {default: 'off', tags: {x: debug}}, profiling: {}, workers: 8}"},
		"a gateway peering":             {hedgehog.KindGatewayPeering, "{peering: {a: {expose: [{nat: {masquerade: {}}}, {nat: {masquerade: {idleTimeout: 90s}}}, {nat: {portForward: {idleTimeout: 0s}}}, {nat: {portForward: {idleTimeout: soon}}}]}, b: null}, acl: {rules: [{action: allow}]}}", "{acl: {default: deny-unless-exposed, rules: [{action: allow, match: {}, scope: flow}]}, gatewayGroup: default, peering: {a: {expose: [{nat: {masquerade: {idleTimeout: 2m0s}}}, {nat: {masquerade: {idleTimeout: 1m30s}}}, {nat: {portForward: {idleTimeout: 2m0s}}}, {nat: {portForward: {idleTimeout: soon}}}]}, b: null}}"},
		"a gateway peering of one":      {hedgehog.KindGatewayPeering, "peering: {a: {expose: [{nat: {masquerade: {}}}]}}", "peering: {a: {expose: [{nat: {masquerade: {}}}]}}"},
		"leftovers follow their items":  {hedgehog.KindExternalPeering, "permit: {external: {prefixes: [{prefix: c, le: 32}, {prefix: b}, {prefix: a, ge: 8}]}, vpc: {subnets: [z, 5, a]}}", "permit: {external: {prefixes: [{prefix: a, ge: 8}, {prefix: b}, {prefix: c, le: 32}]}, vpc: {subnets: [5, a, z]}}"},
		"leftovers follow their MACs":   {hedgehog.KindVPC, "subnets: {a: {subnet: 10.0.1.0/24, dhcp: {static: {0C-20-12-01-01-0A: {ip: a, host: x}}}}}", "{ipv4Namespace: default, subnets: {a: {dhcp: {static: {'0c:20:12:01:01:0a': {host: x, ip: a}}}, gateway: 10.0.1.1, subnet: 10.0.1.0/24}}, vlanNamespace: default}"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			manifest := func(namespace, spec string) string {
				if !strings.HasPrefix(spec, "{") {
					spec = "{" + spec + "}"
				}
				return "{apiVersion: " + test.kind.APIVersion() + ", kind: " + string(test.kind) + ", metadata: {name: a" + namespace + "}, spec: " + spec + "}"
			}
			want := encode(t, decode(t, "-", manifest(", namespace: default", test.whole)).Fabric)
			got := canonical(t, manifest("", test.written))
			if diff := gocmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if diff := gocmp.Diff(got, canonical(t, got)); diff != "" {
				t.Errorf("not idempotent (-once +twice):\n%s", diff)
			}
		})
	}
}

// TestDefaultIsIdempotent: whatever the object, defaulting it again changes
// nothing, nor does reading what was written.
func TestDefaultIsIdempotent(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		o := anyObject().Draw(t, "object")
		hedgehog.Default(o)
		once, err := hedgehog.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		hedgehog.Default(o)
		twice, err := hedgehog.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		if string(once) != string(twice) {
			t.Fatalf("once\n%s\ntwice\n%s", once, twice)
		}
	})
}

// FuzzDefault: the defaults of any object that can be read are idempotent, and
// checking it does not panic.
func FuzzDefault(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		d := decode(t, "-", string(text))
		hedgehog.Check(d.Fabric)
		for o := range d.Fabric.All() {
			hedgehog.Default(o)
		}
		once := encode(t, d.Fabric)
		for o := range d.Fabric.All() {
			hedgehog.Default(o)
		}
		if twice := encode(t, d.Fabric); once != twice {
			t.Fatalf("once\n%s\ntwice\n%s", once, twice)
		}
		hedgehog.Check(d.Fabric)
	})
}
