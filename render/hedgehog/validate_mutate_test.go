package hedgehog_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"hedgehog-gitops/render/hedgehog"
)

// mutant is a generated fabric with one mistake, and where it has to be told.
type mutant struct {
	t        *rapid.T
	fabric   fabricDocs
	before   fabricDocs // of an update
	settings hedgehog.Settings
	object   string
	field    string
}

// pick draws an object of a kind, "" for any.
func (m *mutant) pick(kind string, is func(spec doc) bool) string {
	var keys []string
	for _, key := range slices.Sorted(maps.Keys(m.fabric)) {
		if (kind == "" || strings.HasPrefix(key, kind+"/")) && (is == nil || is(m.fabric.spec(key))) {
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		m.t.Fatalf("the fabric has no such %s", kind)
	}
	return rapid.SampledFrom(keys).Draw(m.t, "object")
}

// expect says where the mistake has to be told.
func (m *mutant) expect(key string, path ...any) {
	m.object, m.field = key, ""
	for _, step := range path {
		switch s := step.(type) {
		case int:
			m.field += fmt.Sprintf("[%d]", s)
		case string:
			if m.field != "" && !strings.HasPrefix(s, "[") {
				m.field += "."
			}
			m.field += s
		}
	}
}

// get returns the value at a path of an object, nil for none.
func (m *mutant) get(key string, path ...any) any {
	var at any = m.fabric[key]
	for _, step := range path {
		switch s := step.(type) {
		case int:
			l, ok := at.(list)
			if !ok || s >= len(l) {
				return nil
			}
			at = l[s]
		case string:
			d, ok := at.(doc)
			if !ok {
				return nil
			}
			at = d[s]
		}
	}
	return at
}

// put sets a value, or removes it when it is nil, and makes what leads to it.
func (m *mutant) put(key string, value any, path ...any) {
	if m.fabric[key] == nil {
		m.fabric[key] = doc{}
	}
	m.fabric[key] = placed(m.fabric[key], value, path).(doc)
}

func placed(at, value any, path []any) any {
	if len(path) == 0 {
		return value
	}
	switch step := path[0].(type) {
	case int:
		l, _ := at.(list)
		for len(l) <= step {
			l = append(l, nil)
		}
		l[step] = placed(l[step], value, path[1:])
		return l
	default:
		d, _ := at.(doc)
		if d == nil {
			d = doc{}
		}
		name := step.(string)
		if value == nil && len(path) == 1 {
			delete(d, name)
		} else {
			d[name] = placed(d[name], value, path[1:])
		}
		return d
	}
}

// set makes the mistake where it has to be told.
func (m *mutant) set(key string, value any, path ...any) {
	m.put(key, value, path...)
	m.expect(key, path...)
}

// subnet draws a subnet of a VPC and returns the path to it.
func (m *mutant) subnet(is func(subnet doc) bool) (key string, path []any) {
	has := func(spec doc) (names []string) {
		subnets, _ := spec["subnets"].(doc)
		for _, name := range slices.Sorted(maps.Keys(subnets)) {
			if is == nil || is(subnets[name].(doc)) {
				names = append(names, name)
			}
		}
		return names
	}
	key = m.pick("VPC", func(spec doc) bool { return len(has(spec)) > 0 })
	return key, []any{"spec", "subnets", rapid.SampledFrom(has(m.fabric.spec(key))).Draw(m.t, "subnet")}
}

func with(path []any, more ...any) []any { return append(slices.Clone(path), more...) }

func isLeaf(s doc) bool  { return s["role"] != "spine" }
func plain(s doc) bool   { return s["hostBGP"] == nil }
func hostBGP(s doc) bool { return s["hostBGP"] != nil }
func served(s doc) bool {
	d, _ := s["dhcp"].(doc)
	return d["enable"] == true
}
func full(s doc) bool {
	d, _ := s["dhcp"].(doc)
	return d["options"] != nil
}
func has(field string) func(doc) bool { return func(s doc) bool { return s[field] != nil } }

// twoOf returns two objects, the second of which the rules look at later.
func (m *mutant) twoOf(kind string, is func(doc) bool) (first, second string) {
	var keys []string
	for _, key := range slices.Sorted(maps.Keys(m.fabric)) {
		if strings.HasPrefix(key, kind+"/") && (is == nil || is(m.fabric.spec(key))) {
			keys = append(keys, key)
		}
	}
	i := rapid.IntRange(1, len(keys)-1).Draw(m.t, "second")
	return keys[rapid.IntRange(0, i-1).Draw(m.t, "first")], keys[i]
}

// same gives the second of two objects what the first has.
func (m *mutant) same(kind string, is func(doc) bool, path ...any) {
	first, second := m.twoOf(kind, is)
	m.set(second, m.get(first, path...), path...)
}

// firstLink is the path to the first link of a connection, by its type.
func (m *mutant) firstLink(key string) []any {
	for of, inner := range m.fabric.spec(key) {
		if inner.(doc)["link"] != nil {
			return []any{"spec", of, "link"}
		}
		return []any{"spec", of, "links", 0}
	}
	return nil
}

func isConnection(types ...string) func(doc) bool {
	return func(s doc) bool { return slices.ContainsFunc(types, func(of string) bool { return s[of] != nil }) }
}

// addressed are the names of the ends of a link that has addresses.
func (m *mutant) addressed(key string) (first, second string) {
	switch s := m.fabric.spec(key); {
	case s["fabric"] != nil:
		return "spine", "leaf"
	case s["mesh"] != nil:
		return "leaf1", "leaf2"
	}
	return "switch", "gateway"
}

// leafSpec is a switch more, that nobody is on.
func leafSpec(profile string, n int) doc {
	return doc{"role": "server-leaf", "profile": profile, "boot": doc{"serial": fmt.Sprint("NEW", n)}, "asn": 65200 + n, "ip": fmt.Sprintf("172.30.1.%d/21", n), "protocolIP": fmt.Sprintf("172.30.9.%d/32", n), "vtepIP": fmt.Sprintf("172.30.13.%d/32", n)}
}

func (m *mutant) add(key string, spec doc) { m.fabric[key] = doc{"spec": spec} }

const (
	acl      = "ExternalAttachment/leaf-1--bgp"
	natted   = "GatewayPeering/v-dhcp--ext.proxied"
	filtered = "GatewayPeering/v-dhcp--v-else"
	leaf1    = "Switch/leaf-1"
	lag      = "Connection/lag"
)

func statement(more ...any) []any { return append([]any{"spec", "inboundACL", "statements"}, more...) }
func expose(more ...any) []any {
	return append([]any{"spec", "peering", "v-dhcp", "expose"}, more...)
}
func aclRule(more ...any) []any { return append([]any{"spec", "acl", "rules", 0}, more...) }

// mutations makes, for each rule, the mistake that it finds.
func mutations() map[string]func(*mutant) {
	long := strings.Repeat("a", 64)
	return map[string]func(*mutant){
		// Every kind.
		"name-syntax":       func(m *mutant) { m.add("Server/Rack_1", doc{}); m.expect("Server/Rack_1", "metadata", "name") },
		"namespace-wrong":   func(m *mutant) { m.set(m.pick("", nil), "fab", "metadata", "namespace") },
		"label-syntax":      func(m *mutant) { m.set(m.pick("", nil), "a b", "metadata", "labels", "rack") },
		"annotation-syntax": func(m *mutant) { m.set(m.pick("", nil), "x", "metadata", "annotations", "a b") },
		"name-too-long": func(m *mutant) {
			kind := rapid.SampledFrom([]string{"VPC", "External", "IPv4Namespace"}).Draw(m.t, "kind")
			m.fabric[kind+"/abcdefghijkl"] = doc{"spec": cloned(m.fabric.spec(m.pick(kind, nil)))}
			m.expect(kind+"/abcdefghijkl", "metadata", "name")
		},
		"name-label-length": func(m *mutant) {
			kind := rapid.SampledFrom([]string{"Server", "SwitchGroup", "VLANNamespace", "Switch"}).Draw(m.t, "kind")
			m.fabric[kind+"/"+long] = doc{"spec": doc{}}
			m.expect(kind+"/"+long, "metadata", "name")
		},
		"vpc-name-ext": func(m *mutant) { m.add("VPC/ext.a", doc{}); m.expect("VPC/ext.a", "metadata", "name") },

		// Namespaces.
		"vlan-ranges-count": func(m *mutant) { m.set(m.pick("VLANNamespace", nil), list{}, "spec", "ranges") },
		"vlan-range":        func(m *mutant) { m.set(m.pick("VLANNamespace", nil), 9, "spec", "ranges", 0, "to") },
		"vlan-range-reserved": func(m *mutant) {
			m.set(m.pick("VLANNamespace", nil), doc{"from": rapid.IntRange(2900, 3999).Draw(m.t, "from"), "to": 4000}, "spec", "ranges", 2)
		},
		"vlan-range-overlap": func(m *mutant) {
			m.set("VLANNamespace/default", doc{"from": rapid.IntRange(1001, 2990).Draw(m.t, "from"), "to": 2995}, "spec", "ranges", 2)
		},
		"ipv4-namespace-count": func(m *mutant) { m.set(m.pick("IPv4Namespace", nil), list{}, "spec", "subnets") },
		"ipv4-namespace-reserved": func(m *mutant) {
			m.set(m.pick("IPv4Namespace", nil), rapid.SampledFrom([]string{"172.30.0.0/21", "172.30.8.0/24", "172.30.12.0/30", "172.30.128.0/20", "172.30.16.0/22", "172.30.100.0/24", "172.30.95.0/31"}).Draw(m.t, "reserved"), "spec", "subnets", 2)
		},
		"ipv4-namespace-overlap": func(m *mutant) { m.set("IPv4Namespace/default", "10.0.128.0/20", "spec", "subnets", 2) },

		// Syntax.
		"field-required": func(m *mutant) {
			m.set(m.pick("VPCAttachment", nil), nil, "spec", rapid.SampledFrom([]any{"connection", "subnet"}).Draw(m.t, "field"))
		},
		"cidr-syntax": func(m *mutant) { k, p := m.subnet(nil); m.set(k, "10.0.0.1", with(p, "subnet")...) },
		"ip-syntax":   func(m *mutant) { k, p := m.subnet(nil); m.set(k, "10.0.0.1/24", with(p, "gateway")...) },
		"vlan-bounds": func(m *mutant) { k, p := m.subnet(plain); m.set(k, 4095, with(p, "vlan")...) },

		// Switches.
		"switch-role": func(m *mutant) { m.set(m.pick("Switch", nil), "virtual-edge", "spec", "role") },
		"switch-redundancy": func(m *mutant) {
			k := m.pick("Switch", nil)
			m.put(k, doc{"group": "pair"}, "spec", "redundancy")
			m.expect(k, "spec", "redundancy", "type")
		},
		"switch-ip": func(m *mutant) { m.set(m.pick("Switch", nil), "172.30.0.77", "spec", "ip") },
		"loopback-ip": func(m *mutant) {
			m.set(m.pick(rapid.SampledFrom([]string{"Switch", "Gateway"}).Draw(m.t, "kind"), nil), "172.30.8.200/31", "spec", "protocolIP")
		},
		"switch-boot-mac":    func(m *mutant) { m.set(m.pick("Switch", nil), "0c:20:12", "spec", "boot", "mac") },
		"switch-boot-serial": func(m *mutant) { m.set(m.pick("Switch", nil), "a b", "spec", "boot", "serial") },
		"switch-route-summ": func(m *mutant) {
			m.set(m.pick("Switch", nil), "v-dhcp", "metadata", "annotations", "fabric.githedgehog.com/route-summ")
		},
		"switch-speed":           func(m *mutant) { m.set(leaf1, "fast", "spec", "portSpeeds", "E1/33") },
		"switch-breakout":        func(m *mutant) { m.set(leaf1, "4", "spec", "portBreakouts", "E1/2") },
		"switch-fec":             func(m *mutant) { m.set(m.pick("Switch", nil), "maybe", "spec", "portFECs", "E1/1") },
		"switch-link-flap":       func(m *mutant) { m.set(m.pick("Switch", nil), 51, "spec", "linkFlapErrDisable", "flapThreshold") },
		"switch-profile-unknown": func(m *mutant) { m.set(m.pick("Switch", nil), "arista-7050", "spec", "profile") },
		"switch-group-unknown":   func(m *mutant) { m.set(m.pick("Switch", nil), list{"absent"}, "spec", "groups"); m.field += "[0]" },
		"switch-vlan-namespace-unknown": func(m *mutant) {
			m.set(m.pick("Switch", isLeaf), list{"default", "absent"}, "spec", "vlanNamespaces")
			m.field += "[1]"
		},
		"switch-vlan-namespaces-overlap": func(m *mutant) {
			m.add("VLANNamespace/third", doc{"ranges": list{doc{"from": 1500, "to": 1600}}})
			m.set(m.pick("Switch", isLeaf), list{"default", "third"}, "spec", "vlanNamespaces")
			m.field += "[1]"
		},
		"switch-redundancy-unsupported": func(m *mutant) {
			s := leafSpec("celestica-ds4000", 1)
			s["redundancy"] = doc{"group": "pair", "type": "eslag"}
			m.add("Switch/more", s)
			m.expect("Switch/more", "spec", "redundancy", "type")
		},
		"switch-mclag-gone": func(m *mutant) {
			k := m.pick("Switch", nil)
			m.put(k, doc{"group": "pair", "type": "mclag"}, "spec", "redundancy")
			m.expect(k, "spec", "redundancy", "type")
		},
		"switch-mclag-peers": func(m *mutant) {
			m.settings.FabricVersion = "26.02"
			for n, name := range []string{"Switch/m-1", "Switch/m-2"} {
				s := leafSpec("celestica-ds3000", n)
				s["redundancy"], s["vtepIP"] = doc{"group": "pair", "type": "mclag"}, "172.30.13.1/32"
				m.add(name, s)
			}
			m.expect("Switch/m-2", "spec", "asn")
		},
		"switch-port-unknown": func(m *mutant) {
			m.set(m.pick("Switch", nil), rapid.SampledFrom([]string{"1x100G", "4x25G"}).Draw(m.t, "mode"), "spec", "portBreakouts", "E1/99")
		},
		"switch-port-speed": func(m *mutant) {
			m.set(leaf1, "100G", "spec", "portSpeeds", rapid.SampledFrom([]any{"E1/33", "E1/3"}).Draw(m.t, "port"))
		},
		"switch-group-speed": func(m *mutant) { m.set(m.pick("Switch", nil), "25G", "spec", "portGroupSpeeds", "99") },
		"switch-port-breakout": func(m *mutant) {
			m.set(leaf1, "8x50G", "spec", "portBreakouts", rapid.SampledFrom([]any{"E1/2", "E1/33"}).Draw(m.t, "port"))
		},
		"switch-port-autoneg": func(m *mutant) { m.set(leaf1, true, "spec", "portAutoNegs", "E1/33") },
		"switch-port-fec":     func(m *mutant) { m.set(leaf1, "rs", "spec", "portFECs", "E1/2") },
		"switch-roce-unsupported": func(m *mutant) {
			m.add("Switch/more", leafSpec("celestica-ds2000", 1))
			m.set("Switch/more", true, "spec", "roce")
		},
		"switch-roce-qpn-unsupported": func(m *mutant) { m.set(leaf1, true, "spec", "ecmp", "roceQPN") },
		"switch-ports-exceeded":       func(m *mutant) { m.lanes(40) },
		"switch-pipeline-exceeded":    func(m *mutant) { m.lanes(3) },
		"switch-boot-duplicate":       func(m *mutant) { m.same("Switch", nil, "spec", "boot", "mac") },
		"switch-boot-missing":         func(m *mutant) { m.set(m.pick("Switch", nil), doc{}, "spec", "boot") },

		// Addresses.
		"address-missing": func(m *mutant) {
			m.settings.Target = rapid.SampledFrom([]hedgehog.Target{hedgehog.TargetCluster, hedgehog.TargetInstaller}).Draw(m.t, "target")
			m.set(m.pick("Switch", isLeaf), nil, "spec", rapid.SampledFrom([]any{"asn", "ip", "protocolIP", "vtepIP"}).Draw(m.t, "field"))
		},
		"addresses-allocated": func(m *mutant) {
			m.settings.Target = hedgehog.TargetInstaller
			for key := range m.fabric {
				for _, field := range []any{"asn", "ip", "protocolIP", "vtepIP", "vtepMAC"} {
					if strings.HasPrefix(key, "Switch/") || strings.HasPrefix(key, "Gateway/") {
						m.put(key, nil, "spec", field)
					}
				}
				for _, of := range []string{"fabric", "mesh", "gateway"} {
					links, _ := m.get(key, "spec", of, "links").(list)
					if !strings.HasPrefix(key, "Connection/") {
						continue
					}
					for i := range links {
						a, b := m.addressed(key)
						m.put(key, nil, "spec", of, "links", i, a, "ip")
						m.put(key, nil, "spec", of, "links", i, b, "ip")
					}
				}
			}
			m.expect(leaf1, "spec")
		},
		"switch-asn-spine": func(m *mutant) {
			m.add("Switch/more", leafSpec("celestica-ds3000", 1))
			m.put("Switch/more", "spine", "spec", "role")
			m.put("Switch/more", nil, "spec", "vtepIP")
			m.expect("Switch/more", "spec", "asn")
		},
		"switch-asn-leaf": func(m *mutant) {
			m.set(m.pick("Switch", isLeaf), rapid.SampledFrom([]int{65100, 65534, 64512}).Draw(m.t, "asn"), "spec", "asn")
		},
		"switch-asn-duplicate": func(m *mutant) { m.same("Switch", isLeaf, "spec", "asn") },
		"switch-ip-pool": func(m *mutant) {
			m.set(m.pick("Switch", nil), rapid.SampledFrom([]string{"172.30.0.1/21", "172.30.4.0/21", "172.30.8.9/21"}).Draw(m.t, "ip"), "spec", "ip")
		},
		"switch-ip-duplicate": func(m *mutant) { m.same("Switch", nil, "spec", "ip") },
		"switch-vtep-spine": func(m *mutant) {
			m.add("Switch/more", leafSpec("celestica-ds3000", 1))
			m.put("Switch/more", "spine", "spec", "role")
			m.expect("Switch/more", "spec", "vtepIP")
		},
		"protocol-ip-pool": func(m *mutant) {
			m.set(m.pick(rapid.SampledFrom([]string{"Switch", "Gateway"}).Draw(m.t, "kind"), nil), "172.30.12.200/32", "spec", "protocolIP")
		},
		"protocol-ip-duplicate": func(m *mutant) {
			m.set(m.pick("Gateway", nil), m.get(m.pick("Switch", nil), "spec", "protocolIP"), "spec", "protocolIP")
		},
		"vtep-ip-pool":      func(m *mutant) { m.set(m.pick("Switch", isLeaf), "172.30.8.200/32", "spec", "vtepIP") },
		"vtep-ip-duplicate": func(m *mutant) { m.same("Switch", isLeaf, "spec", "vtepIP") },
		"gateway-mac-duplicate": func(m *mutant) {
			first := m.pick("Gateway", nil)
			m.fabric["Gateway/more"] = doc{"spec": cloned(m.fabric.spec(first))}
			m.set("Gateway/more", strings.ToUpper(m.get(first, "spec", "vtepMAC").(string)), "spec", "vtepMAC")
		},
		"link-subnet": func(m *mutant) {
			k := m.pick("Connection", isConnection("fabric", "mesh", "gateway"))
			_, b := m.addressed(k)
			m.set(k, "172.30.200.1/31", with(m.firstLink(k), b, "ip")...)
		},
		"link-pool": func(m *mutant) {
			k := m.pick("Connection", isConnection("fabric", "mesh", "gateway"))
			a, b := m.addressed(k)
			m.put(k, "10.0.0.1/31", with(m.firstLink(k), b, "ip")...)
			m.set(k, "10.0.0.0/31", with(m.firstLink(k), a, "ip")...)
		},
		"link-duplicate": func(m *mutant) {
			first, second := m.twoOf("Connection", isConnection("fabric", "mesh", "gateway"))
			a, b := m.addressed(first)
			c, d := m.addressed(second)
			m.put(second, m.get(first, with(m.firstLink(first), b, "ip")...), with(m.firstLink(second), d, "ip")...)
			m.set(second, m.get(first, with(m.firstLink(first), a, "ip")...), with(m.firstLink(second), c, "ip")...)
		},
		"connection-link-ip": func(m *mutant) {
			k := m.pick("Connection", isConnection("fabric", "mesh", "gateway"))
			a, _ := m.addressed(k)
			m.set(k, "172.30.200.0/30", with(m.firstLink(k), a, "ip")...)
		},

		// Connections.
		"server-unused": func(m *mutant) { m.add("Server/spare", doc{}); m.expect("Server/spare", "metadata", "name") },
		"connection-type": func(m *mutant) {
			k := m.pick("Connection", isConnection("unbundled", "bundled", "eslag"))
			m.set(k, doc{"link": doc{"switch": doc{"port": "leaf-1/E1/1"}}}, "spec", "external")
		},
		"connection-port": func(m *mutant) {
			k := m.pick("Connection", isConnection("unbundled", "bundled", "eslag", "external"))
			m.set(k, "leaf-1", with(m.firstLink(k), "switch", "port")...)
		},
		"connection-links": func(m *mutant) {
			k := m.pick("Connection", isConnection("bundled", "fabric", "mesh", "gateway", "vpcLoopback"))
			p := m.firstLink(k)
			m.set(k, list{}, p[:len(p)-1]...)
		},
		"connection-eslag-links": func(m *mutant) {
			k := m.pick("Connection", isConnection("eslag"))
			m.set(k, m.get(k, "spec", "eslag", "links").(list)[:1], "spec", "eslag", "links")
		},
		"connection-name-length": func(m *mutant) {
			m.add("Connection/"+long, cloned(m.fabric.spec(m.pick("Connection", isConnection("unbundled", "bundled", "eslag")))).(doc))
			m.expect("Connection/"+long, "metadata", "name")
		},
		"connection-switch-unknown": func(m *mutant) {
			k := m.pick("Connection", isConnection("unbundled", "external", "gateway"))
			m.set(k, "leaf-9/E1/1", with(m.firstLink(k), "switch", "port")...)
		},
		"connection-server-unknown": func(m *mutant) {
			k := m.pick("Connection", isConnection("unbundled", "bundled", "eslag"))
			m.set(k, "server-99/eth0", with(m.firstLink(k), "server", "port")...)
		},
		"connection-gateway-unknown": func(m *mutant) {
			k := m.pick("Connection", isConnection("gateway"))
			m.set(k, rapid.SampledFrom([]string{"gw-9/enp2s0", "gw-1/enp2s9"}).Draw(m.t, "port"), with(m.firstLink(k), "gateway", "port")...)
		},
		"connection-port-unknown": func(m *mutant) {
			k := m.pick("Connection", isConnection("unbundled", "external"))
			m.set(k, rapid.SampledFrom([]string{"leaf-1/E1/99", "leaf-1/E1/2/5", "leaf-1/E1/5/2", "leaf-1/Ethernet0"}).Draw(m.t, "port"), with(m.firstLink(k), "switch", "port")...)
		},
		"connection-port-management": func(m *mutant) {
			k := m.pick("Connection", isConnection("unbundled", "external"))
			m.set(k, "leaf-1/M1", with(m.firstLink(k), "switch", "port")...)
		},
		"connection-port-twice": func(m *mutant) {
			first, second := m.twoOf("Connection", isConnection("unbundled", "bundled", "eslag", "external"))
			m.set(second, m.get(first, with(m.firstLink(first), "switch", "port")...), with(m.firstLink(second), "switch", "port")...)
		},
		"connection-mtu": func(m *mutant) {
			k := m.pick("Connection", isConnection("unbundled", "bundled", "eslag"))
			m.set(k, rapid.IntRange(9037, 65535).Draw(m.t, "mtu"), "spec", m.firstLink(k)[1], "mtu")
		},
		"connection-roles": func(m *mutant) {
			m.add("Connection/more", doc{"fabric": doc{"links": list{doc{"spine": doc{"port": "leaf-2/E1/20", "ip": "172.30.200.0/31"}, "leaf": doc{"port": "leaf-1/E1/20", "ip": "172.30.200.1/31"}}}}})
			m.expect("Connection/more", "spec", "fabric", "links", 0, "spine", "port")
		},
		"connection-ends": func(m *mutant) {
			k := m.pick("Connection", isConnection("bundled"))
			m.put(k, list{m.get(k, "spec", "bundled", "links", 0), m.get(k, "spec", "bundled", "links", 1), doc{"server": doc{"port": "server-01/eth9"}, "switch": doc{"port": "leaf-1/E1/20"}}}, "spec", "bundled", "links")
			m.expect(k, "spec", "bundled", "links", 2, "server", "port")
		},
		"connection-eslag-group": func(m *mutant) {
			k := m.pick("Connection", isConnection("eslag"))
			m.put("Switch/leaf-3", nil, "spec", "redundancy")
			m.put("Switch/leaf-2", nil, "spec", "redundancy")
			m.expect(k, "spec", "eslag", "links", 0, "switch", "port")
		},
		"connection-mclag-group": func(m *mutant) {
			m.settings.FabricVersion = "26.02"
			m.mclag()
			m.expect(lag, "spec", "mclag", "links", 0, "switch", "port")
		},
		"connection-mclag-gone": func(m *mutant) { m.mclag(); m.expect(lag, "spec", "mclag") },
		"mesh-size": func(m *mutant) {
			for i := range 3 {
				m.add(fmt.Sprintf("Switch/m-%d", i), leafSpec("celestica-ds3000", i))
				m.add(fmt.Sprintf("Connection/a-%d", i), doc{"mesh": doc{"links": list{doc{"leaf1": doc{"port": fmt.Sprintf("m-%d/E1/1", i), "ip": fmt.Sprintf("172.30.200.%d/31", 2*i)}, "leaf2": doc{"port": fmt.Sprintf("leaf-1/E1/%d", 25+i), "ip": fmt.Sprintf("172.30.200.%d/31", 2*i+1)}}}}})
			}
			m.expect("Connection/a-0", "spec", "mesh")
		},
		"static-external-next-hop": func(m *mutant) {
			m.set("Connection/leaf-1--static-external", "172.31.1.1", "spec", "staticExternal", "link", "switch", "nextHop")
		},
		"static-external-subnets": func(m *mutant) {
			m.set("Connection/leaf-1--static-external", rapid.SampledFrom([]string{"10.99.0.0/25", "10.98.0.1/24", "172.30.8.0/24", "0.0.0.0/0"}).Draw(m.t, "subnet"), "spec", "staticExternal", "link", "switch", "subnets", 2)
		},
		"static-external-vpc-unknown": func(m *mutant) {
			m.set("Connection/leaf-1--static-external", "v-9", "spec", "staticExternal", "withinVPC")
		},

		// VPCs.
		"vpc-mode":          func(m *mutant) { m.set(m.pick("VPC", nil), "l3flat", "spec", "mode") },
		"vpc-subnets-count": func(m *mutant) { m.set(m.pick("VPC", nil), doc{}, "spec", "subnets") },
		"vpc-subnet-name": func(m *mutant) {
			m.set(m.pick("VPC", nil), doc{"subnet": "10.0.240.0/24", "vlan": 1999}, "spec", "subnets", "a b")
		},
		"vpc-subnet-dhcp-name": func(m *mutant) {
			m.set(m.pick("VPC", nil), doc{"subnet": "10.0.240.0/24", "vlan": 1999, "dhcp": doc{"enable": true}}, "spec", "subnets", "A_b")
		},
		"vpc-subnet-null": func(m *mutant) {
			k := m.pick("VPC", nil)
			m.fabric.spec(k)["subnets"].(doc)["z"] = nil
			m.expect(k, "spec", "subnets", "z")
		},
		"vpc-subnet-ipv6": func(m *mutant) { k, p := m.subnet(nil); m.set(k, "fd00::/64", with(p, "subnet")...) },
		"vpc-subnet-length": func(m *mutant) {
			k, p := m.subnet(nil)
			m.set(k, rapid.SampledFrom([]string{"10.0.240.0/31", "10.0.240.0/32"}).Draw(m.t, "subnet"), with(p, "subnet")...)
		},
		"vpc-subnet-host-bits": func(m *mutant) { k, p := m.subnet(nil); m.set(k, "10.0.240.77/24", with(p, "subnet")...) },
		"vpc-route-prefix":     func(m *mutant) { m.set("VPC/v-dhcp", "10.77.0.1/16", "spec", "staticRoutes", 0, "prefix") },
		"vpc-subnet-vlan":      func(m *mutant) { k, p := m.subnet(plain); m.set(k, nil, with(p, "vlan")...) },
		"vpc-hostbgp-lengths":  func(m *mutant) { k, p := m.subnet(hostBGP); m.set(k, 33, with(p, "hostBGPMaxPrefixLen")...) },
		"vpc-hostbgp-dhcp":     func(m *mutant) { k, p := m.subnet(hostBGP); m.set(k, true, with(p, "dhcp", "enable")...) },
		"vpc-hostbgp-extra": func(m *mutant) {
			k, p := m.subnet(hostBGP)
			m.set(k, doc{}, with(p, "hostBGPExtraPrefixes", "10.0.251.1/24")...)
		},
		"vpc-hostbgp-short":          func(m *mutant) { k, p := m.subnet(hostBGP); m.set(k, 23, with(p, "hostBGPMinPrefixLen")...) },
		"vpc-permit":                 func(m *mutant) { m.set("VPC/v-dhcp", list{"a"}, "spec", "permit", 1) },
		"vpc-permit-unknown":         func(m *mutant) { m.set("VPC/v-dhcp", "z", "spec", "permit", 0, 2) },
		"vpc-ipv4-namespace-unknown": func(m *mutant) { m.set(m.pick("VPC", nil), "absent", "spec", "ipv4Namespace") },
		"vpc-vlan-namespace-unknown": func(m *mutant) { m.set(m.pick("VPC", nil), "absent", "spec", "vlanNamespace") },
		"vpc-subnet-pool": func(m *mutant) {
			k, p := m.subnet(nil)
			m.set(k, rapid.SampledFrom([]string{"10.3.1.0/24", "10.0.0.0/15"}).Draw(m.t, "subnet"), with(p, "subnet")...)
		},
		"vpc-subnet-reserved": func(m *mutant) { k, p := m.subnet(nil); m.set(k, "172.30.97.0/24", with(p, "subnet")...) },
		"vpc-subnet-overlap": func(m *mutant) {
			m.set("VPC/v-relay", strings.Replace(m.get("VPC/v-dhcp", "spec", "subnets", "a", "subnet").(string), "0/24", "128/25", 1), "spec", "subnets", "a", "subnet")
		},
		"vpc-gateway": func(m *mutant) { k, p := m.subnet(plain); m.set(k, "10.99.99.1", with(p, "gateway")...) },
		"vpc-vlan-namespace": func(m *mutant) {
			k, p := m.subnet(plain)
			m.set(k, rapid.SampledFrom([]int{1, 499, 601, 4094}).Draw(m.t, "vlan"), with(p, "vlan")...)
		},
		"vpc-vlan-twice": func(m *mutant) {
			m.set("VPC/v-relay", m.get("VPC/v-dhcp", "spec", "subnets", rapid.SampledFrom([]any{"a", "b"}).Draw(m.t, "of"), "vlan"), "spec", "subnets", "a", "vlan")
		},

		// DHCP.
		"dhcp-relay":  func(m *mutant) { k, p := m.subnet(served); m.set(k, "10.99.0.1/32", with(p, "dhcp", "relay")...) },
		"dhcp-unused": func(m *mutant) { m.set("VPC/v-l3", doc{"pxeURL": "x"}, "spec", "subnets", "a", "dhcp", "options") },
		"dhcp-static": func(m *mutant) {
			k, p := m.subnet(full)
			m.set(k, doc{"ip": "10.0.0.1"}, with(p, "dhcp", "static", "server-1")...)
		},
		"dhcp-mtu": func(m *mutant) {
			k, p := m.subnet(full)
			m.set(k, rapid.SampledFrom([]int{1, 95, 9037, 65535}).Draw(m.t, "mtu"), with(p, "dhcp", "options", "interfaceMTU")...)
		},
		"dhcp-range-outside": func(m *mutant) {
			k, p := m.subnet(served)
			m.set(k, "10.99.0.9", with(p, "dhcp", "range", rapid.SampledFrom([]any{"start", "end"}).Draw(m.t, "end"))...)
		},
		"dhcp-range-gateway": func(m *mutant) {
			m.set("VPC/v-dhcp", strings.TrimSuffix(m.get("VPC/v-dhcp", "spec", "subnets", "a", "subnet").(string), "0/24")+"1", "spec", "subnets", "a", "dhcp", "range", "start")
		},
		"dhcp-range-order": func(m *mutant) {
			m.put("VPC/v-dhcp", strings.TrimSuffix(m.get("VPC/v-dhcp", "spec", "subnets", "a", "subnet").(string), "0/24")+"120", "spec", "subnets", "a", "dhcp", "range", "start")
			m.expect("VPC/v-dhcp", "spec", "subnets", "a", "dhcp", "range")
		},
		"dhcp-static-address": func(m *mutant) {
			m.set("VPC/v-dhcp", strings.TrimSuffix(m.get("VPC/v-dhcp", "spec", "subnets", "a", "subnet").(string), "0/24")+rapid.SampledFrom([]string{"0", "1", "255"}).Draw(m.t, "host"), "spec", "subnets", "a", "dhcp", "static", "00:11:22:33:44:55", "ip")
		},
		"dhcp-static-twice": func(m *mutant) {
			m.set("VPC/v-dhcp", m.get("VPC/v-dhcp", "spec", "subnets", "a", "dhcp", "static", "00:11:22:33:44:55", "ip"), "spec", "subnets", "a", "dhcp", "static", "00:11:22:33:44:66", "ip")
		},
		"dhcp-relay-vpc-unknown": func(m *mutant) { m.set("VPC/v-relay", "v-9", "spec", "subnets", "a", "dhcp", "relayVPC") },
		"dhcp-route-gateway": func(m *mutant) {
			m.set("VPC/v-dhcp", "10.99.0.9", "spec", "subnets", "a", "dhcp", "options", "advertisedRoutes", 0, "gateway")
		},

		// Attachments and peerings.
		"attachment-subnet": func(m *mutant) { m.set(m.pick("VPCAttachment", nil), "v-dhcp/a/b", "spec", "subnet") },
		"attachment-p2p-link": func(m *mutant) {
			m.set(m.pick("VPCAttachment", nil), "10.0.0.1/30", "metadata", "annotations", "fabric.githedgehog.com/p2p-link")
		},
		"attachment-vpc-unknown": func(m *mutant) { m.set(m.pick("VPCAttachment", nil), "v-9/a", "spec", "subnet") },
		"attachment-subnet-unknown": func(m *mutant) {
			m.set(m.pick("VPCAttachment", nil), rapid.SampledFrom([]string{"v-dhcp/z", "v-dhcp"}).Draw(m.t, "subnet"), "spec", "subnet")
		},
		"attachment-connection-unknown": func(m *mutant) {
			m.set(m.pick(rapid.SampledFrom([]string{"VPCAttachment", "ExternalAttachment"}).Draw(m.t, "kind"), nil), "absent", "spec", "connection")
		},
		"attachment-connection-type": func(m *mutant) {
			m.set(m.pick("VPCAttachment", nil), rapid.SampledFrom([]string{"leaf-1--external", "leaf-1--vpc-loopback", "leaf-1--static-external"}).Draw(m.t, "connection"), "spec", "connection")
		},
		"attachment-label-length": func(m *mutant) { m.set(m.pick("VPCAttachment", nil), long, "spec", "connection") },
		"attachment-vlan-namespace": func(m *mutant) {
			m.put("Switch/leaf-2", list{"default"}, "spec", "vlanNamespaces")
			k := m.pick("VPCAttachment", func(s doc) bool { return strings.Contains(s["connection"].(string), "leaf-2") })
			m.put(k, "v-else/a", "spec", "subnet")
			m.expect(k, "spec", "connection")
		},
		"attachment-unsupported": func(m *mutant) {
			m.add("Switch/more", leafSpec("celestica-ds5000", 1))
			m.add("Connection/more", doc{"unbundled": doc{"link": doc{"server": doc{"port": "server-01/eth7"}, "switch": doc{"port": "more/E1/1"}}}})
			m.add("VPCAttachment/more", doc{"subnet": "v-dhcp/a", "connection": "more"})
			m.expect("VPCAttachment/more", "spec", "connection")
		},
		"attachment-eslag-mode": func(m *mutant) {
			k := m.pick("VPCAttachment", func(s doc) bool { return strings.Contains(s["connection"].(string), "eslag") })
			m.put(k, "v-l3/a", "spec", "subnet")
			m.expect(k, "spec", "connection")
		},
		"attachment-hostbgp": func(m *mutant) {
			k := m.pick("VPCAttachment", func(s doc) bool { return s["subnet"] == "v-host/h" })
			m.set(k, true, "spec", "nativeVLAN")
		},
		"attachment-twice": func(m *mutant) {
			k := m.pick("VPCAttachment", nil)
			m.add("VPCAttachment/z", cloned(m.fabric.spec(k)).(doc))
			m.put("VPCAttachment/z", nil, "spec", "nativeVLAN")
			m.expect("VPCAttachment/z", "spec", "subnet")
		},
		"attachment-native-twice": func(m *mutant) {
			k := m.pick("VPCAttachment", func(s doc) bool { return s["nativeVLAN"] == true })
			m.add("VPCAttachment/z", doc{"subnet": "v-relay/a", "connection": m.get(k, "spec", "connection"), "nativeVLAN": true})
			m.expect("VPCAttachment/z", "spec", "nativeVLAN")
		},
		"peering-remote":       func(m *mutant) { m.set(m.pick("VPCPeering", nil), "pair", "spec", "remote") },
		"peering-permit-count": func(m *mutant) { m.set(m.pick("VPCPeering", nil), list{}, "spec", "permit") },
		"peering-permit-pair": func(m *mutant) {
			k := m.pick("VPCPeering", nil)
			m.put(k, doc{}, "spec", "permit", 0, "v-host")
			m.expect(k, "spec", "permit", 0)
		},
		"peering-subnets-count": func(m *mutant) {
			m.set(m.pick("VPCPeering", nil), list{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"}, "spec", "permit", 0, "v-relay", "subnets")
		},
		"peering-vpc-unknown": func(m *mutant) { m.set(m.pick("VPCPeering", nil), doc{}, "spec", "permit", 0, "v-9") },
		"peering-subnet-unknown": func(m *mutant) {
			m.set(m.pick("VPCPeering", nil), list{"z"}, "spec", "permit", 0, "v-relay", "subnets")
			m.field += "[0]"
		},
		"peering-namespaces": func(m *mutant) {
			m.add("VPCPeering/z", doc{"permit": list{doc{"v-else": doc{}, "v-host": doc{}}}})
			m.expect("VPCPeering/z", "spec", "permit", 0)
		},
		"peering-duplicate": func(m *mutant) {
			m.add("VPCPeering/again", cloned(m.fabric.spec(m.pick("VPCPeering", nil))).(doc))
			m.expect("VPCPeering/again", "spec", "permit")
		},

		// Externals.
		"external-community": func(m *mutant) {
			m.set("External/bgp", rapid.SampledFrom([]string{"1", "1:65536", "01:1", "1:1:1"}).Draw(m.t, "community"), "spec", rapid.SampledFrom([]any{"inboundCommunity", "outboundCommunity"}).Draw(m.t, "field"))
		},
		"external-flavour":           func(m *mutant) { m.set(m.pick("External", has("static")), "1:1", "spec", "inboundCommunity") },
		"external-namespace-unknown": func(m *mutant) { m.set(m.pick("External", nil), "absent", "spec", "ipv4Namespace") },
		"external-prefix-overlap":    func(m *mutant) { m.set("External/static", "8.8.8.8/32", "spec", "static", "prefixes", 2) },
		"external-attachment-flavour": func(m *mutant) {
			m.set(acl, nil, "spec", "neighbor", rapid.SampledFrom([]any{"ip", "asn"}).Draw(m.t, "field"))
		},
		"external-attachment-proxy":   func(m *mutant) { m.set("ExternalAttachment/leaf-1--static", true, "spec", "static", "proxy") },
		"external-attachment-unknown": func(m *mutant) { m.set(m.pick("ExternalAttachment", nil), "absent", "spec", "external") },
		"external-attachment-type": func(m *mutant) {
			m.set(m.pick("ExternalAttachment", nil), "leaf-1--vpc-loopback", "spec", "connection")
		},
		"external-attachment-mismatch": func(m *mutant) {
			m.put(m.pick("ExternalAttachment", has("static")), "bgp", "spec", "external")
			m.mismatched()
		},
		"external-attachment-vlan": func(m *mutant) {
			m.set("ExternalAttachment/leaf-1--static", rapid.SampledFrom([]int{200, 202}).Draw(m.t, "vlan"), "spec", "static", "vlan")
		},
		"external-attachment-subinterfaces": func(m *mutant) {
			m.add("Switch/more", leafSpec("edgecore-eps203", 1))
			m.add("Connection/more", doc{"external": doc{"link": doc{"switch": doc{"port": "more/E1/53"}}}})
			m.set("ExternalAttachment/leaf-1--static", "more", "spec", "connection")
			m.expect("ExternalAttachment/leaf-1--static", "spec", "static", "vlan")
		},
		"acl-sequence": func(m *mutant) {
			m.set(acl, rapid.SampledFrom([]int{0, 9, 10}).Draw(m.t, "seq"), statement(1, "seq")...)
		},
		"acl-action":   func(m *mutant) { m.set(acl, "drop", statement(0, "action")...) },
		"acl-protocol": func(m *mutant) { m.set(acl, "sctp", statement(1, "protocol")...) },
		"acl-prefix": func(m *mutant) {
			m.set(acl, "10.0.0.1", statement(1, rapid.SampledFrom([]any{"srcPrefix", "dstPrefix"}).Draw(m.t, "field"))...)
		},
		"acl-match": func(m *mutant) {
			m.set(acl, 5, statement(1, rapid.SampledFrom([]any{"portRangeBegin", "portRangeEnd", "icmpType", "icmpCode"}).Draw(m.t, "field"))...)
		},
		"acl-tcp-filters": func(m *mutant) {
			m.set(acl, true, statement(0, "tcpFilters", rapid.SampledFrom([]any{"notSyn", "established"}).Draw(m.t, "flag"))...)
		},
		"external-peering-vpc":      func(m *mutant) { m.set(m.pick("ExternalPeering", nil), "v-9", "spec", "permit", "vpc", "name") },
		"external-peering-subnet":   func(m *mutant) { m.set(m.pick("ExternalPeering", nil), "z", "spec", "permit", "vpc", "subnets", 0) },
		"external-peering-external": func(m *mutant) { m.set(m.pick("ExternalPeering", nil), "absent", "spec", "permit", "external", "name") },
		"external-peering-namespaces": func(m *mutant) {
			k := m.pick("ExternalPeering", nil)
			m.put(k, "v-else", "spec", "permit", "vpc", "name")
			m.expect(k, "spec", "permit")
		},
		"external-peering-proxy": func(m *mutant) {
			m.set(m.pick("ExternalPeering", nil), "proxied", "spec", "permit", "external", "name")
		},

		// Gateways.
		"gateway-disabled": func(m *mutant) {
			m.settings.Gateway = false
			m.expect(m.pick(rapid.SampledFrom([]string{"Gateway", "GatewayGroup", "GatewayPeering"}).Draw(m.t, "kind"), nil), "metadata", "name")
		},
		"gateway-vtep-mac": func(m *mutant) { m.set(m.pick("Gateway", nil), "01:00:00:00:00:01", "spec", "vtepMAC") },
		"gateway-interface-name": func(m *mutant) {
			m.set(m.pick("Gateway", nil), doc{"ips": list{"10.0.0.1/31"}}, "spec", "interfaces", rapid.SampledFrom([]any{"a", "enp2s1np012"}).Draw(m.t, "name"))
		},
		"gateway-interface": func(m *mutant) {
			m.set(m.pick("Gateway", nil), doc{"pci": "0000:02:00.0", "kernel": "eth0", "ips": list{"10.0.0.1/31"}}, "spec", "interfaces", "enp9s9")
		},
		"gateway-log-level": func(m *mutant) { m.set(m.pick("Gateway", nil), "loud", "spec", "logs", "default") },
		"gateway-workers":   func(m *mutant) { m.set(m.pick("Gateway", nil), 65, "spec", "workers") },
		"gateway-groups": func(m *mutant) {
			k := m.pick("Gateway", nil)
			m.put(k, "default", "spec", "groups", 1, "name")
			m.expect(k, "spec", "groups", 1, "name")
		},
		"gateway-group-unknown": func(m *mutant) { m.set(m.pick("GatewayPeering", nil), "absent", "spec", "gatewayGroup") },
		"gateway-group-default": func(m *mutant) {
			m.settings.Target = hedgehog.TargetInstaller
			delete(m.fabric, "GatewayGroup/default")
			m.expect("Gateway/gw-1", "spec", "groups", 0, "name")
		},
		"gateway-peering-sides": func(m *mutant) {
			k := m.pick("GatewayPeering", nil)
			m.put(k, doc{}, "spec", "peering", "v-l3")
			m.expect(k, "spec", "peering")
		},
		"gateway-peering-unknown": func(m *mutant) {
			m.set(m.pick("GatewayPeering", nil), doc{}, "spec", "peering", rapid.SampledFrom([]any{"v-9", "ext.v-dhcp"}).Draw(m.t, "side"))
		},
		"gateway-peering-subnet": func(m *mutant) { m.set(filtered, "z", expose(0, "ips", 0, "vpcSubnet")...) },
		"gateway-peering-cidr":   func(m *mutant) { m.set(natted, "10.0.0.0/16", expose(0, "ips", 0, "cidr")...) },
		"gateway-peering-stateful": func(m *mutant) {
			m.put(natted, list{doc{"ips": list{doc{"cidr": "7.7.7.0/24"}}, "as": list{doc{"cidr": "10.52.0.0/24"}}, "nat": doc{rapid.SampledFrom([]string{"static", "masquerade", "portForward"}).Draw(m.t, "nat"): doc{}}}}, "spec", "peering", "ext.proxied", "expose")
			m.expect(natted, "spec", "peering")
		},
		"gateway-peering-overlap": func(m *mutant) {
			m.add("GatewayPeering/z", doc{"peering": doc{"v-l3": doc{"expose": list{doc{"ips": list{doc{"vpcSubnet": "a"}}, "as": list{doc{"cidr": "10.2.1.128/25"}}, "nat": doc{"static": doc{}}}}}, "v-dhcp": doc{}}})
			m.expect("GatewayPeering/z", "spec", "peering", "v-l3", "expose", 0, "as", 0)
		},
		"gateway-expose": func(m *mutant) { m.set(natted, nil, expose(0, "as")...); m.expect(natted, expose(0, "nat")...) },
		"gateway-expose-default": func(m *mutant) {
			m.put(natted, doc{"default": true}, "spec", "peering", "ext.proxied", "expose", 1)
			m.expect(natted, "spec", "peering", "ext.proxied", "expose", 1, "default")
		},
		"gateway-expose-ip": func(m *mutant) {
			m.put(natted, "10.0.0.0/24", expose(0, "ips", 0, "not")...)
			m.expect(natted, expose(0, "ips", 0)...)
		},
		"gateway-expose-as": func(m *mutant) {
			m.put(natted, "10.0.0.0/24", expose(0, "as", 0, "not")...)
			m.expect(natted, expose(0, "as", 0)...)
		},
		"gateway-nat": func(m *mutant) {
			m.put(natted, doc{}, expose(0, "nat", "static")...)
			m.expect(natted, expose(0, "nat")...)
		},
		"gateway-idle-timeout": func(m *mutant) { m.set(natted, "soon", expose(0, "nat", "masquerade", "idleTimeout")...) },
		"gateway-proto":        func(m *mutant) { m.set(natted, "icmp", expose(1, "nat", "portForward", "ports", 0, "proto")...) },
		"gateway-ports": func(m *mutant) {
			m.set(natted, rapid.SampledFrom([]string{"0", "http", "9-8", "65536", "1,"}).Draw(m.t, "ports"), expose(1, "nat", "portForward", "ports", 0, "port")...)
		},
		"gateway-acl-default": func(m *mutant) { m.set(filtered, "allow", "spec", "acl", "default") },
		"gateway-acl-action":  func(m *mutant) { m.set(filtered, "drop", aclRule("action")...) },
		"gateway-acl-scope":   func(m *mutant) { m.set(filtered, "all", aclRule("scope")...) },
		"gateway-acl-endpoint": func(m *mutant) {
			m.put(filtered, doc{"cidr": "10.0.0.0/8", "vpcSubnet": "a"}, aclRule("match", "src", 0)...)
			m.expect(filtered, aclRule("match", "src", 0)...)
		},
		"gateway-acl-side": func(m *mutant) {
			m.set(filtered, "v-host", aclRule(rapid.SampledFrom([]any{"from", "to"}).Draw(m.t, "end"))...)
		},
		"version-too-old": func(m *mutant) {
			m.settings.FabricVersion = "26.02"
			k := m.pick("Switch", nil)
			m.put(k, "rs", "spec", "portFECs", "E1/1")
			m.expect(k, "spec", "portFECs")
		},

		// Updates.
		"update-connection-type": func(m *mutant) {
			k := m.pick("Connection", isConnection("unbundled"))
			link := m.get(k, "spec", "unbundled", "link")
			m.add(k, doc{"bundled": doc{"links": list{link}}})
			m.expect(k, "spec")
		},
		"update-within-vpc": func(m *mutant) {
			m.set("Connection/leaf-1--static-external", "v-relay", "spec", "staticExternal", "withinVPC")
		},
		"update-roce-breakouts": func(m *mutant) {
			m.before[leaf1]["spec"].(doc)["roce"] = true
			m.put(leaf1, "4x10G", "spec", "portBreakouts", "E1/2")
			m.expect(leaf1, "spec", "portBreakouts")
		},
		"update-ipv4-namespace": func(m *mutant) {
			m.put("IPv4Namespace/else", list{"10.2.128.0/17"}, "spec", "subnets")
			m.expect("IPv4Namespace/else", "spec", "subnets")
		},
		"update-vlan-namespace": func(m *mutant) {
			m.put("VLANNamespace/else", list{doc{"from": 502, "to": 600}}, "spec", "ranges")
			m.expect("VLANNamespace/else", "spec", "ranges")
		},
		"update-delete-used": func(m *mutant) {
			k := rapid.SampledFrom([]string{"VPC/v-dhcp", "Switch/leaf-1", "External/bgp", "Connection/leaf-1--external", "Server/server-01", "IPv4Namespace/else", "VLANNamespace/else"}).Draw(m.t, "gone")
			delete(m.fabric, k)
			m.expect(k, "metadata", "name")
		},
		"update-taken": func(m *mutant) {
			asn := m.get("Switch/leaf-2", "spec", "asn")
			m.put("Switch/leaf-2", 65300, "spec", "asn")
			m.set(leaf1, asn, "spec", "asn")
		},
		"update-vpc-recreated": func(m *mutant) {
			k := m.pick("VPC", func(s doc) bool { return s["subnets"].(doc)["a"] != nil })
			m.fabric["VPC/z"] = m.fabric[k]
			delete(m.fabric, k)
			m.expect("VPC/z", "spec", "subnets", "a", "subnet")
		},
		"update-vpc-vni": func(m *mutant) {
			delete(m.fabric, m.pick("VPC", nil))
			m.add("VPC/z", doc{"subnets": doc{"a": doc{"subnet": "10.0.240.0/24", "vlan": 1999}}})
			m.expect("VPC/z", "metadata", "name")
		},
	}
}

// lanes makes a switch that breaks out too many ports.
func (m *mutant) lanes(ports int) {
	breakouts := doc{}
	for i := range min(ports, 32) {
		breakouts[fmt.Sprintf("E1/%d", i+1)] = "8x50G"
	}
	m.add("Switch/more", leafSpec("celestica-ds4000", 1))
	m.set("Switch/more", breakouts, "spec", "portBreakouts")
}

// mclag adds a connection that is one.
func (m *mutant) mclag() {
	m.add(lag, doc{"mclag": doc{"links": list{
		doc{"server": doc{"port": "server-01/eth8"}, "switch": doc{"port": "leaf-2/E1/20"}},
		doc{"server": doc{"port": "server-01/eth9"}, "switch": doc{"port": "leaf-3/E1/20"}}}}})
}

// mismatched expects what was picked last at its flavour.
func (m *mutant) mismatched() {
	for _, key := range slices.Sorted(maps.Keys(m.fabric)) {
		if strings.HasPrefix(key, "ExternalAttachment/") && m.fabric.spec(key)["static"] != nil && m.fabric.spec(key)["external"] == "bgp" {
			m.expect(key, "spec", "static")
		}
	}
}

// TestGeneratedFabricsAreAccepted: no rule refuses a fabric that is right.
func TestGeneratedFabricsAreAccepted(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		d := decode(t, "-", generatedFabric().Draw(r, "fabric").manifests())
		settings := hedgehog.DefaultSettings()
		for range 2 {
			for _, issue := range append(d.Issues, hedgehog.Validate(d.Fabric, settings)...) {
				r.Errorf("%s: %s", issue.Rule, issue)
			}
			for o := range d.Fabric.All() {
				hedgehog.Default(o)
			}
		}
		if issues := hedgehog.ValidateUpdate(d.Fabric, d.Fabric, settings); len(issues) > 0 {
			r.Errorf("a step that changes nothing: %v", issues)
		}
	})
}

// TestMutations: for each rule, the mistake made somewhere in any fabric is told by
// the rule, at the object and field. A fabric gets a tenth of the mistakes, one by one.
func TestMutations(t *testing.T) {
	t.Parallel()
	all := mutations()
	for _, rule := range hedgehog.Rules() {
		if all[rule.ID] == nil {
			t.Errorf("no mutation for the rule %s", rule.ID)
		}
	}
	if len(all) != len(hedgehog.Rules()) {
		t.Errorf("%d mutations for %d rules", len(all), len(hedgehog.Rules()))
	}
	rapid.Check(t, func(r *rapid.T) {
		const tenth = 10
		fabric := generatedFabric().Draw(r, "fabric")
		first := rapid.IntRange(0, tenth-1).Draw(r, "first rule")
		for i, rule := range hedgehog.Rules() {
			if mutate := all[rule.ID]; mutate != nil && i%tenth == first {
				m := &mutant{t: r, fabric: fabric.clone(), before: fabric.clone(), settings: hedgehog.DefaultSettings()}
				mutate(m)
				m.judge(t, rule)
			}
		}
	})
}

// judge wants the mistake to be told.
func (m *mutant) judge(t *testing.T, rule hedgehog.Rule) {
	d := decode(t, "-", m.fabric.manifests())
	issues := append(d.Issues, hedgehog.Validate(d.Fabric, m.settings)...)
	if strings.HasPrefix(rule.ID, "update-") {
		issues = hedgehog.ValidateUpdate(decode(t, "-", m.before.manifests()).Fabric, d.Fabric, m.settings)
	}
	told := slices.ContainsFunc(issues, func(i hedgehog.Issue) bool {
		return i.Rule == rule.ID && i.Severity == rule.Severity && i.Object.String() == m.object && i.Field == m.field
	})
	if !told {
		m.t.Fatalf("%s says nothing of %s %s:\n%v", rule.ID, m.object, m.field, issues)
	}
}
