package hedgehog_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"pgregory.net/rapid"

	"hedgehog-gitops/render/hedgehog"
)

type (
	doc  = map[string]any
	list = []any
)

// fabricDocs is a fabric as people write it: "Kind/name" -> the document without its
// apiVersion, kind and name.
type fabricDocs map[string]doc

// manifests writes the documents, in the order of their keys.
func (f fabricDocs) manifests() string {
	var b strings.Builder
	for _, key := range slices.Sorted(maps.Keys(f)) {
		kind, name, _ := strings.Cut(key, "/")
		metadata := doc{"name": name}
		if more, ok := f[key]["metadata"].(doc); ok {
			maps.Copy(metadata, more)
		}
		whole := doc{"apiVersion": hedgehog.Kind(kind).APIVersion(), "kind": kind, "metadata": metadata}
		if spec, ok := f[key]["spec"]; ok {
			whole["spec"] = spec
		}
		text, err := json.Marshal(whole)
		if err != nil {
			panic(err)
		}
		b.WriteString("---\n" + string(text) + "\n")
	}
	return b.String()
}

// clone copies the documents.
func (f fabricDocs) clone() fabricDocs {
	copied := fabricDocs{}
	for key, d := range f {
		copied[key] = cloned(d).(doc)
	}
	return copied
}

func cloned(value any) any {
	switch v := value.(type) {
	case doc:
		m := doc{}
		for key, inner := range v {
			m[key] = cloned(inner)
		}
		return m
	case list:
		l := make(list, len(v))
		for i, inner := range v {
			l[i] = cloned(inner)
		}
		return l
	}
	return value
}

func (f fabricDocs) spec(key string) doc {
	spec, _ := f[key]["spec"].(doc)
	return spec
}

// fabricMaker makes a fabric that every rule accepts.
type fabricMaker struct {
	t       *rapid.T
	fabric  fabricDocs
	free    map[string][]string // switch -> ports that nobody has
	leaves  []string
	spines  []string
	links   int // /31s given out
	node    int // switches and gateways
	servers int
	vlan    int
	subnet  int
}

func (g *fabricMaker) add(kind, name string, spec doc) { g.fabric[kind+"/"+name] = doc{"spec": spec} }

func (g *fabricMaker) some(label string, least, most int) int {
	return rapid.IntRange(least, most).Draw(g.t, label)
}

func (g *fabricMaker) maybe(label string) bool { return rapid.Bool().Draw(g.t, label) }

// generatedFabric generates fabrics with spines or meshed, with every type of
// connection, VPCs of every kind, peerings, externals and gateways: all of them right.
// v-dhcp, v-relay, v-host, v-l3 and v-else are always there.
func generatedFabric() *rapid.Generator[fabricDocs] {
	return rapid.Custom(func(t *rapid.T) fabricDocs {
		g := &fabricMaker{t: t, fabric: fabricDocs{}, free: map[string][]string{}}
		g.namespaces()
		mesh := g.maybe("meshed")
		g.devices(mesh)
		g.between(mesh)
		g.gateways()
		g.toServers()
		g.outside()
		g.vpcs()
		g.attachments()
		g.peerings()
		return g.fabric
	})
}

func (g *fabricMaker) namespaces() {
	g.add("VLANNamespace", "default", doc{"ranges": list{doc{"from": 1000, "to": 1999}, doc{"from": 2000, "to": 2999}}})
	g.add("VLANNamespace", "else", doc{"ranges": list{doc{"from": 500, "to": 600}}})
	g.add("IPv4Namespace", "default", doc{"subnets": list{"10.0.0.0/16", "10.1.0.0/16"}})
	g.add("IPv4Namespace", "else", doc{"subnets": list{"10.2.0.0/16"}})
	g.add("GatewayGroup", "default", doc{})
	g.add("SwitchGroup", "pair", doc{})
	for i := range g.some("groups", 0, 2) {
		g.add("SwitchGroup", fmt.Sprintf("rack-%d", i), doc{})
	}
}

func (g *fabricMaker) device(name, role, profile string) doc {
	g.node++
	p, ok := hedgehog.ProfileByName(profile)
	if !ok {
		panic(profile)
	}
	for _, port := range p.Ports {
		if !port.Management {
			g.free[name] = append(g.free[name], port.Name)
		}
	}
	spec := doc{
		"role": role, "profile": profile, "boot": doc{"mac": fmt.Sprintf("0c:20:12:00:00:%02x", g.node)},
		"ip": fmt.Sprintf("172.30.0.%d/21", 5+g.node), "protocolIP": fmt.Sprintf("172.30.8.%d/32", g.node), "asn": 65100,
	}
	if g.maybe("serial") {
		spec["boot"].(doc)["serial"] = fmt.Sprintf("SN%04d", g.node)
	}
	if role != "spine" {
		spec["asn"], spec["vtepIP"] = 65100+g.node, fmt.Sprintf("172.30.12.%d/32", g.node)
		if g.maybe("namespaces") {
			spec["vlanNamespaces"] = list{"default", "else"}
		}
	}
	if len(p.Groups) > 0 && g.maybe("group speed") {
		spec["portGroupSpeeds"] = doc{p.Groups[0].Name: p.Groups[0].Type.Speeds[0]}
	}
	g.add("Switch", name, spec)
	return spec
}

func (g *fabricMaker) devices(mesh bool) {
	profiles := []string{"celestica-ds3000", "dell-s5232f-on", "dell-s5248f-on", "edgecore-dcs204", "celestica-ds2000"}
	leaves := g.some("leaves", 3, 5)
	if mesh {
		leaves = 3
	} else {
		for i := range g.some("spines", 1, 2) {
			name := fmt.Sprintf("spine-%d", i+1)
			g.spines = append(g.spines, name)
			g.device(name, "spine", rapid.SampledFrom([]string{"celestica-ds3000", "celestica-ds4000", "edgecore-dcs501"}).Draw(g.t, "spine profile"))
		}
	}
	for i := range leaves {
		name := fmt.Sprintf("leaf-%d", i+1)
		profile := rapid.SampledFrom(profiles).Draw(g.t, "leaf profile")
		if i == 0 {
			profile = "celestica-ds3000" // ports of both types, RoCE, and VLANs to the outside
		}
		spec := g.device(name, rapid.SampledFrom([]string{"server-leaf", "border-leaf", "mixed-leaf"}).Draw(g.t, "role"), profile)
		g.leaves = append(g.leaves, name)
		if i == 1 || i == 2 {
			spec["redundancy"] = doc{"group": "pair", "type": "eslag"}
		}
		if i == 0 {
			spec["portBreakouts"] = doc{"E1/2": "4x25G"}
			spec["portSpeeds"] = doc{"E1/33": "10G"}
			spec["vlanNamespaces"] = list{"default", "else"}
			// The lanes are taken by name; E1/33 and E1/2 are not handed out whole.
			g.free[name] = slices.DeleteFunc(g.free[name], func(p string) bool { return p == "E1/2" || p == "E1/33" })
			g.free[name] = append(g.free[name], "E1/2/1", "E1/2/2", "E1/2/3")
		}
	}
}

// port takes a port of a switch, from the end where lanes are or from the beginning.
func (g *fabricMaker) port(name string) string {
	free := g.free[name]
	i := 0
	if g.maybe("last port") {
		i = len(free) - 1
	}
	port := free[i]
	g.free[name] = slices.Delete(free, i, i+1)
	return name + "/" + port
}

func (g *fabricMaker) ends(a, b string) (doc, doc) {
	first := netip.MustParseAddr("172.30.128.0")
	for range 2 * g.links {
		first = first.Next()
	}
	g.links++
	return doc{"port": a, "ip": first.String() + "/31"}, doc{"port": b, "ip": first.Next().String() + "/31"}
}

func (g *fabricMaker) between(mesh bool) {
	connect := func(kind, name, a, b, endA, endB string) {
		var links list
		for range g.some("links", 1, 2) {
			x, y := g.ends(g.port(a), g.port(b))
			links = append(links, doc{endA: x, endB: y})
		}
		g.add("Connection", name, doc{kind: doc{"links": links}})
	}
	if mesh {
		for i, a := range g.leaves {
			for _, b := range g.leaves[i+1:] {
				connect("mesh", a+"--mesh--"+b, a, b, "leaf1", "leaf2")
			}
		}
		return
	}
	for _, spine := range g.spines {
		for _, leaf := range g.leaves {
			connect("fabric", spine+"--fabric--"+leaf, spine, leaf, "spine", "leaf")
		}
	}
}

func (g *fabricMaker) gateways() {
	for i := range g.some("gateways", 1, 2) {
		name := fmt.Sprintf("gw-%d", i+1)
		g.node++
		interfaces, neighbors := doc{}, list{}
		switches := append(slices.Clone(g.spines), g.leaves[0])
		for n := range g.some("gateway links", 1, 2) {
			on := switches[n%len(switches)]
			eth := fmt.Sprintf("enp2s%d", n)
			a, b := g.ends(g.port(on), name+"/"+eth)
			interfaces[eth] = doc{"ips": list{b["ip"]}, "mtu": 9100}
			neighbors = append(neighbors, doc{"source": eth, "ip": strings.TrimSuffix(a["ip"].(string), "/31"), "asn": 65100})
			g.add("Connection", fmt.Sprintf("%s--gateway--%s-%d", on, name, n), doc{"gateway": doc{"links": list{doc{"switch": a, "gateway": b}}}})
		}
		g.add("Gateway", name, doc{
			"protocolIP": fmt.Sprintf("172.30.8.%d/32", g.node), "vtepIP": fmt.Sprintf("172.30.12.%d/32", g.node), "vtepMAC": fmt.Sprintf("ca:fe:ba:be:01:%02x", i),
			"asn": 65534, "workers": 8, "interfaces": interfaces, "neighbors": neighbors, "groups": list{doc{"name": "default", "priority": i}}, "logs": doc{"default": "info", "tags": doc{"all": "info"}},
		})
	}
}

// link connects a server that is new, or the one given, with a leaf.
func (g *fabricMaker) link(server, leaf string, n int) doc {
	return doc{"server": doc{"port": fmt.Sprintf("%s/eth%d", server, n)}, "switch": doc{"port": g.port(leaf)}}
}

func (g *fabricMaker) server() string {
	g.servers++
	name := fmt.Sprintf("server-%02d", g.servers)
	g.add("Server", name, doc{})
	return name
}

func (g *fabricMaker) toServers() {
	for i := range g.some("unbundled", 2, 4) {
		s, leaf := g.server(), g.leaves[i%len(g.leaves)]
		g.add("Connection", s+"--unbundled--"+leaf, doc{"unbundled": doc{"link": g.link(s, leaf, 0), "mtu": rapid.SampledFrom([]int{0, 1500, 9036}).Draw(g.t, "mtu")}})
	}
	for i := range g.some("bundled", 1, 2) {
		s, leaf := g.server(), g.leaves[i]
		g.add("Connection", s+"--bundled--"+leaf, doc{"bundled": doc{"links": list{g.link(s, leaf, 0), g.link(s, leaf, 1)}, "fallback": true}})
	}
	for range g.some("eslag", 1, 2) {
		s := g.server()
		g.add("Connection", s+"--eslag--leaf-2--leaf-3", doc{"eslag": doc{"links": list{g.link(s, "leaf-2", 0), g.link(s, "leaf-3", 1)}}})
	}
	g.add("Connection", "leaf-1--vpc-loopback", doc{"vpcLoopback": doc{"links": list{doc{"switch1": doc{"port": g.port("leaf-1")}, "switch2": doc{"port": g.port("leaf-1")}}}}})
}

func (g *fabricMaker) outside() {
	g.add("Connection", "leaf-1--external", doc{"external": doc{"link": doc{"switch": doc{"port": g.port("leaf-1")}}}})
	g.add("Connection", "leaf-1--static-external", doc{"staticExternal": doc{"withinVPC": "v-dhcp", "link": doc{"switch": doc{
		"port": g.port("leaf-1"), "ip": "172.31.0.5/24", "nextHop": "172.31.0.1", "vlan": 1005, "subnets": list{"10.99.0.0/24", "10.99.1.0/24"}}}}})
	g.add("External", "bgp", doc{"inboundCommunity": "65102:1000", "outboundCommunity": "50000:50001"})
	g.add("External", "static", doc{"static": doc{"prefixes": list{"8.8.8.0/24", "9.9.9.0/24"}}})
	g.add("External", "proxied", doc{"static": doc{"prefixes": list{"7.7.7.0/24"}}})
	g.add("ExternalAttachment", "leaf-1--bgp", doc{"external": "bgp", "connection": "leaf-1--external", "switch": doc{"ip": "192.168.0.1/30", "vlan": 200}, "neighbor": doc{"ip": "192.168.0.2", "asn": 64000},
		"inboundACL": doc{"statements": list{
			doc{"seq": 10, "action": "permit", "protocol": "tcp", "srcPrefix": "any", "dstPrefix": "10.0.0.0/8", "portRangeBegin": 80, "portRangeEnd": 90, "tcpFilters": doc{"syn": true}},
			doc{"seq": 20, "action": "deny", "protocol": "ip", "srcPrefix": "any", "dstPrefix": "any"}}}})
	g.add("ExternalAttachment", "leaf-1--static", doc{"external": "static", "connection": "leaf-1--external", "static": doc{"remoteIP": "192.168.1.2", "ip": "192.168.1.1/30", "vlan": 201}})
	g.add("ExternalAttachment", "leaf-1--proxied", doc{"external": "proxied", "connection": "leaf-1--external", "static": doc{"remoteIP": "192.168.2.2", "proxy": true, "vlan": 202}})
}

// next returns a subnet and a VLAN that nobody has.
func (g *fabricMaker) next() (subnet string, vlan int) {
	g.subnet++
	g.vlan++
	return fmt.Sprintf("10.%d.%d.0/24", g.subnet%2, g.subnet), 1000 + g.vlan
}

func (g *fabricMaker) newSubnet(more doc) doc {
	subnet, vlan := g.next()
	made := doc{"subnet": subnet, "vlan": vlan}
	maps.Copy(made, more)
	return made
}

func (g *fabricMaker) vpcs() {
	base := func(s doc) string { return strings.TrimSuffix(s["subnet"].(string), "0/24") }
	a, b := g.newSubnet(nil), g.newSubnet(doc{"isolated": true})
	a["dhcp"] = doc{"enable": true, "range": doc{"start": base(a) + "10", "end": base(a) + "99"},
		"static":  doc{"00:11:22:33:44:55": doc{"ip": base(a) + "50"}, "00:11:22:33:44:66": doc{"ip": base(a) + "200"}},
		"options": doc{"dnsServers": list{"1.1.1.1"}, "timeServers": list{"1.1.1.2"}, "interfaceMTU": rapid.SampledFrom([]int{96, 1500, 9036}).Draw(g.t, "dhcp mtu"), "leaseTimeSeconds": 60, "advertisedRoutes": list{doc{"destination": "10.5.0.0/16", "gateway": base(a) + "9"}}}}
	g.add("VPC", "v-dhcp", doc{"permit": list{list{"a", "b"}}, "subnets": doc{"a": a, "b": b}, "staticRoutes": list{doc{"prefix": "10.77.0.0/16", "nextHops": list{base(a) + "5"}}}})
	relay := g.newSubnet(doc{"dhcp": doc{"relay": "10.99.0.1/32", "relayVPC": "v-dhcp"}})
	g.add("VPC", "v-relay", doc{"subnets": doc{"a": relay}})
	host := g.newSubnet(doc{"hostBGP": true, "hostBGPMinPrefixLen": 28, "hostBGPExtraPrefixes": doc{"10.0.250.0/24": doc{}}})
	delete(host, "vlan")
	g.add("VPC", "v-host", doc{"subnets": doc{"h": host}})
	g.add("VPC", "v-l3", doc{"mode": "l3vni", "subnets": doc{"a": g.newSubnet(nil)}})
	g.add("VPC", "v-else", doc{"ipv4Namespace": "else", "vlanNamespace": "else", "subnets": doc{"a": doc{"subnet": "10.2.1.0/24", "gateway": "10.2.1.254", "vlan": 501}}})
	for i := range g.some("VPCs", 0, 3) {
		subnets := doc{}
		for n := range g.some("subnets", 1, 3) {
			s := g.newSubnet(nil)
			if g.maybe("gateway") {
				s["gateway"] = base(s) + "254"
			}
			if g.maybe("dhcp") {
				s["dhcp"] = doc{"enable": true}
			}
			subnets[fmt.Sprintf("s%d", n)] = s
		}
		g.add("VPC", fmt.Sprintf("x-%d", i), doc{"subnets": subnets})
	}
}

// connections returns the names of those of a type, in order.
func (f fabricDocs) connections(of string) []string {
	var names []string
	for _, key := range slices.Sorted(maps.Keys(f)) {
		if kind, name, _ := strings.Cut(key, "/"); kind == "Connection" && f.spec(key)[of] != nil {
			names = append(names, name)
		}
	}
	return names
}

func (g *fabricMaker) attachments() {
	attach := func(subnet, connection string, more doc) {
		spec := doc{"subnet": subnet, "connection": connection}
		maps.Copy(spec, more)
		g.add("VPCAttachment", strings.ReplaceAll(subnet, "/", "--")+"--"+connection, spec)
	}
	for i, name := range g.fabric.connections("eslag") {
		attach("v-dhcp/a", name, doc{"nativeVLAN": i == 0})
		attach("v-dhcp/b", name, nil)
	}
	for i, name := range g.fabric.connections("unbundled") {
		switch i {
		case 0:
			attach("v-host/h", name, nil)
		case 1:
			attach("v-l3/a", name, doc{"nativeVLAN": true})
		default:
			attach("v-relay/a", name, nil)
		}
	}
	for _, name := range g.fabric.connections("bundled") {
		attach("v-l3/a", name, nil)
		attach("v-dhcp/b", name, doc{"nativeVLAN": g.maybe("native")})
	}
}

func (g *fabricMaker) peerings() {
	g.add("VPCPeering", "v-dhcp--v-relay", doc{"permit": list{doc{"v-dhcp": doc{"subnets": list{"a", "b"}}, "v-relay": doc{}}}})
	if g.maybe("peering") {
		g.add("VPCPeering", "v-l3--v-relay", doc{"permit": list{doc{"v-l3": doc{}, "v-relay": doc{"subnets": list{"a"}}}, doc{"v-l3": doc{}, "v-relay": doc{}}}})
	}
	g.add("ExternalPeering", "v-dhcp--bgp", doc{"permit": doc{"vpc": doc{"name": "v-dhcp", "subnets": list{"a"}}, "external": doc{"name": "bgp", "prefixes": list{doc{"prefix": "0.0.0.0/0"}}}}})
	subnet := g.fabric.spec("VPC/v-dhcp")["subnets"].(doc)["b"].(doc)["subnet"]
	g.add("GatewayPeering", "v-dhcp--v-else", doc{
		"peering": doc{"v-dhcp": doc{"expose": list{doc{"ips": list{doc{"vpcSubnet": "a"}}}}}, "v-else": doc{"expose": list{doc{"ips": list{doc{"cidr": "10.2.1.0/24"}}}}}},
		"acl":     doc{"default": "deny", "rules": list{doc{"from": "v-dhcp", "to": "v-else", "action": "allow", "scope": "flow", "match": doc{"proto": "tcp", "dst": list{doc{"ports": list{"443", "8000-8080"}}}}}}}})
	g.add("GatewayPeering", "v-dhcp--ext.proxied", doc{"gatewayGroup": "default", "peering": doc{
		"v-dhcp": doc{"expose": list{doc{"ips": list{doc{"cidr": subnet}}, "as": list{doc{"cidr": "10.50.0.0/24"}}, "nat": doc{"masquerade": doc{"idleTimeout": "5m"}}},
			doc{"ips": list{doc{"cidr": subnet}}, "as": list{doc{"cidr": "10.51.0.0/24"}}, "nat": doc{"portForward": doc{"ports": list{doc{"proto": "tcp", "port": "80", "as": "8080"}}}}}}},
		"ext.proxied": doc{"expose": list{doc{"default": true}}}}})
}
