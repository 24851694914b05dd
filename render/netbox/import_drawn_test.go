package netbox_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"hedgehog-gitops/render/hedgehog"
	"hedgehog-gitops/render/netbox"
)

// drawer draws the manifests of a fabric of any shape: with or without spines, meshes,
// groups, breakouts, gateways, externals of both kinds, and VPCs with what they can say.
type drawer struct {
	t         *rapid.T
	rows      []string
	addresses bool
	link      int
	node      int
	ports     map[string]int
	split     map[string][]string // lanes of a switch that are left
	leaves    []string
	spines    []string
	servers   []string // connections of servers
	subnets   []string
	vpcs      map[string][]string
	bgp       map[string]bool // subnets of hosts that speak BGP
	names     []string        // of VPCs
	externals []string
}

func (d *drawer) chance(what string, in int) bool {
	return rapid.IntRange(1, in).Draw(d.t, what) == 1
}

func (d *drawer) one(what string, of ...string) string { return rapid.SampledFrom(of).Draw(d.t, what) }

func (d *drawer) upTo(what string, least, most int) int {
	return rapid.IntRange(least, most).Draw(d.t, what)
}

// add adds an object; now and then with what people say of it.
func (d *drawer) add(kind, name, spec string) {
	meta := "name: " + name
	if d.chance("labels of "+name, 8) {
		meta += ", labels: {example.com/owner: " + d.one("owner", "blue", "red") + "}"
	}
	if d.chance("annotations of "+name, 12) {
		meta += `, annotations: {example.com/note: "` + d.one("note", "a: b", "on", "ü, #1") + `"}`
	}
	d.rows = append(d.rows, fmt.Sprintf("%s: {%s}, spec: {%s}", kind, meta, spec))
}

// port is the next port of a switch, or a lane of one that is split.
func (d *drawer) port(of string) string {
	if lanes := d.split[of]; len(lanes) > 0 && d.chance("a lane", 2) {
		d.split[of] = lanes[1:]
		return of + "/" + lanes[0]
	}
	d.ports[of]++
	return fmt.Sprintf("%s/E1/%d", of, d.ports[of])
}

func (d *drawer) name(generated string) string {
	if !d.chance("another name for "+generated, 6) {
		return generated
	}
	return fmt.Sprintf("%s-%d", d.one("stem", "link", "cable.of.them", "x--y"), len(d.rows))
}

// ends are the addresses of both ends of a link.
func (d *drawer) ends() (a, b string) {
	if !d.addresses {
		return "", ""
	}
	at := 2 * d.link
	d.link++
	return fmt.Sprintf(", ip: 172.30.%d.%d/31", 128+at/256, at%256), fmt.Sprintf(", ip: 172.30.%d.%d/31", 128+at/256, at%256+1)
}

func (d *drawer) device(name, role, profile, more string) {
	n := d.node
	d.node++
	spec := fmt.Sprintf("role: %s, profile: %s, boot: {%s}", role, profile, d.one("boot", "serial: SN"+name, fmt.Sprintf("mac: '0c:20:12:00:01:%02x'", n)))
	if d.addresses {
		spec += fmt.Sprintf(", ip: 172.30.0.%d/21, protocolIP: 172.30.8.%d/32", n+6, n)
		if role == "spine" {
			spec += ", asn: 65100"
		} else {
			spec += fmt.Sprintf(", asn: %d, vtepIP: 172.30.12.%d/32", 65101+n, n)
		}
	}
	if d.chance("a description", 3) {
		spec += ", description: " + d.one("description", "Rack 7", `"first: left"`)
	}
	if d.chance("all ports", 6) {
		spec += ", enableAllPorts: true"
	}
	if d.chance("flaps", 6) {
		spec += ", linkFlapErrDisable: {flapThreshold: 5}"
	}
	d.ports[name] = 4
	if (profile == "celestica-ds3000" || profile == "edgecore-dcs204") && d.chance("a breakout", 2) {
		spec += ", portBreakouts: {E1/1: 4x25G, E1/3: 2x50G}"
		d.split[name] = []string{"E1/1/1", "E1/3/2", "E1/1/2", "E1/1/3", "E1/1/4"}
	}
	if d.chance("a speed", 5) {
		spec += d.one("speeds", ", portAutoNegs: {E1/7: true}", ", portFECs: {E1/6: rs}", ", portSpeeds: {E1/5: 10G}")
	}
	d.add("Switch", name, spec+more)
}

func (d *drawer) network() {
	d.add("VLANNamespace", "default", "ranges: [{from: 1000, to: 2999}]")
	d.add("IPv4Namespace", "default", "subnets: [10.0.0.0/16, 10.1.0.0/17]")
	group := d.chance("a group", 2)
	if group {
		d.add("SwitchGroup", "eslag-1", "")
	}
	for n := range d.upTo("spines", 0, 3) {
		name := fmt.Sprintf("spine-%02d", n+1)
		d.spines = append(d.spines, name)
		d.device(name, "spine", []string{"celestica-ds4000", "celestica-ds3000", "vs"}[n], "")
	}
	for n := range d.upTo("leaves", 1, 4) {
		name := fmt.Sprintf("leaf-%02d", n+1)
		more := ""
		if group && n < 2 {
			more = ", groups: [eslag-1], redundancy: {group: eslag-1, type: eslag}"
		}
		d.leaves = append(d.leaves, name)
		d.device(name, d.one("role", "server-leaf", "border-leaf", "mixed-leaf"), []string{"celestica-ds3000", "dell-s5248f-on", "edgecore-dcs204", "vs"}[n], more)
	}
	for _, leaf := range d.leaves {
		for _, spine := range d.spines {
			var links []string
			for range d.upTo("links", 0, 3) {
				a, b := d.ends()
				links = append(links, fmt.Sprintf("{spine: {port: %s%s}, leaf: {port: %s%s}}", d.port(spine), a, d.port(leaf), b))
			}
			if len(links) > 0 {
				d.add("Connection", d.name(spine+"--fabric--"+leaf), "fabric: {links: ["+strings.Join(links, ", ")+"]}")
			}
		}
	}
	for n := 1; n < len(d.leaves); n++ {
		if d.chance("a mesh", 2) {
			var links []string
			for range d.upTo("links", 1, 2) {
				a, b := d.ends()
				links = append(links, fmt.Sprintf("{leaf1: {port: %s%s}, leaf2: {port: %s%s}}", d.port(d.leaves[n-1]), a, d.port(d.leaves[n]), b))
			}
			d.add("Connection", d.name(d.leaves[n-1]+"--mesh--"+d.leaves[n]), "mesh: {links: ["+strings.Join(links, ", ")+"]}")
		}
	}
}

func (d *drawer) attached() {
	mtu := func() string {
		if d.chance("an MTU", 3) {
			return ", mtu: " + d.one("mtu", "1500", "9000")
		}
		return ""
	}
	for n := range d.upTo("servers", 0, 4) {
		server := d.one("name", "server-", "Db", "s")
		server = fmt.Sprintf("%s%02d", strings.ToLower(server), n+1)
		spec := ""
		if d.chance("described", 2) {
			spec = "description: " + d.one("what", "a hypervisor", "'@x'")
		}
		d.add("Server", server, spec)
		nic := d.one("nic", "eth%d", "enp%ds0f1", "Ethernet-A/%d")
		link := func(at int, leaf string) string {
			return fmt.Sprintf("{server: {port: %s/%s}, switch: {port: %s}}", server, fmt.Sprintf(nic, at), d.port(leaf))
		}
		leaf := d.one("leaf", d.leaves...)
		for at := range d.upTo("connections", 0, 2) {
			var name, spec string
			switch kind := d.one("kind", "unbundled", "bundled", "eslag"); {
			case kind == "unbundled":
				name, spec = server+"--unbundled--"+leaf, "unbundled: {link: "+link(4*at, leaf)+mtu()+"}"
			case kind == "bundled" || len(d.leaves) < 2:
				var links []string
				for n := range d.upTo("links", 1, 3) {
					links = append(links, link(4*at+n, leaf))
				}
				name, spec = server+"--bundled--"+leaf, "bundled: {links: ["+strings.Join(links, ", ")+"]"+mtu()+d.one("fallback", "", ", fallback: true")+"}"
			default:
				name, spec = server+"--eslag--"+d.leaves[0]+"--"+d.leaves[1], "eslag: {links: ["+link(4*at, d.leaves[0])+", "+link(4*at+1, d.leaves[1])+"]"+mtu()+d.one("fallback", "", ", fallback: true")+"}"
			}
			if at > 0 {
				name += "--2"
			}
			name = d.name(name)
			d.add("Connection", name, spec)
			d.servers = append(d.servers, name)
		}
	}
}

func (d *drawer) gateways() {
	for n := range d.upTo("gateways", 0, 2) {
		if n == 0 {
			d.add("GatewayGroup", "default", "")
		}
		name := fmt.Sprintf("gw-%d", n+1)
		var interfaces, neighbors []string
		to := append(append([]string{}, d.spines...), d.leaves...)
		port := 0
		for c := range d.upTo("uplinks", 0, 2) {
			var links []string
			on := to[c%len(to)]
			for range d.upTo("links", 1, 2) {
				port++
				a, b := d.ends()
				nic := fmt.Sprintf("enp2s%d", port)
				links = append(links, fmt.Sprintf("{switch: {port: %s%s}, gateway: {port: %s/%s%s}}", d.port(on), a, name, nic, b))
				if d.addresses {
					address := func(text string) string { return strings.TrimPrefix(text, ", ip: ") }
					interfaces = append(interfaces, fmt.Sprintf("%s: {ips: [%s], mtu: 9100}", nic, address(b)))
					neighbors = append(neighbors, fmt.Sprintf("{source: %s, ip: %s, asn: 65100}", nic, strings.TrimSuffix(address(a), "/31")))
				} else if d.chance("an interface", 2) {
					interfaces = append(interfaces, nic+": {pci: '0000:00:0"+fmt.Sprint(port)+".0'}")
				}
			}
			d.add("Connection", d.name(fmt.Sprintf("%s--gateway--%s", on, name)), "gateway: {links: ["+strings.Join(links, ", ")+"]}")
		}
		spec := "groups: [{name: default, priority: " + d.one("priority", "0", "10") + "}], interfaces: {" + strings.Join(interfaces, ", ") + "}"
		if d.addresses {
			spec += fmt.Sprintf(", asn: 65534, protocolIP: 172.30.8.%d/32, vtepIP: 172.30.12.%d/32, vtepMAC: 'ca:fe:ba:be:01:0%d', vtepMTU: 9036, neighbors: [%s]", 200+n, 200+n, n, strings.Join(neighbors, ", "))
		}
		if d.chance("workers", 3) {
			spec += ", workers: 4, logs: {default: info, tags: {dpdk: debug}}"
		}
		d.add("Gateway", name, spec)
	}
}

func (d *drawer) tenants() {
	d.vpcs, d.bgp = map[string][]string{}, map[string]bool{}
	count := 0
	for n := range d.upTo("vpcs", 0, 4) {
		name := fmt.Sprintf("%s-%d", d.one("name", "vpc", "apps", "web.x"), n+1)
		name = strings.ReplaceAll(name, ".", "-")
		var subnets []string
		for range d.upTo("subnets", 1, 3) {
			count++
			subnet := fmt.Sprintf("%s%d", d.one("subnet", "default", "a", "front-"), count)
			spec := fmt.Sprintf("subnet: 10.0.%d.0/24", count)
			if d.chance("a gateway", 3) {
				spec += fmt.Sprintf(", gateway: 10.0.%d.254", count)
			}
			vlan := fmt.Sprintf(", vlan: %d", 1000+count)
			switch d.one("form", "plain", "dhcp", "ranged", "relay", "bgp", "static") {
			case "dhcp":
				spec += vlan + ", dhcp: {enable: true}"
			case "ranged":
				spec += vlan + fmt.Sprintf(", dhcp: {enable: true, range: {start: 10.0.%d.10, end: 10.0.%d.99}, options: {dnsServers: [10.0.%d.5], leaseTimeSeconds: 600, advertisedRoutes: [{destination: 10.9.0.0/16, gateway: 10.0.%d.9}]}}", count, count, count, count)
			case "relay":
				spec += vlan + ", dhcp: {relay: 10.99.0.5/32}"
			case "bgp":
				d.bgp[name+"/"+subnet] = true
				spec += ", hostBGP: true" + d.one("prefixes", "", ", hostBGPMinPrefixLen: 28", ", hostBGPExtraPrefixes: {10.1.9.0/24: {minPrefixLen: 30}}")
			case "static":
				spec += vlan + fmt.Sprintf(", dhcp: {enable: true, static: {'02:00:00:00:00:%02x': {ip: 10.0.%d.77}}}", count, count)
			default:
				spec += vlan
			}
			spec += d.one("isolation", "", "", ", isolated: true", ", restricted: false")
			subnets = append(subnets, subnet+": {"+spec+"}")
			d.vpcs[name] = append(d.vpcs[name], subnet)
			d.subnets = append(d.subnets, name+"/"+subnet)
		}
		spec := "subnets: {" + strings.Join(subnets, ", ") + "}" + d.one("mode", "", "", ", mode: l3vni") + d.one("isolated", "", "", ", defaultIsolated: true")
		if own := d.vpcs[name]; len(own) > 1 && d.chance("a permit", 2) {
			spec += ", permit: [[" + own[0] + ", " + own[1] + "]]"
		}
		if d.chance("a route", 4) {
			spec += ", staticRoutes: [{prefix: 198.51.100.0/24, nextHops: [10.0.1.5, 10.0.1.6]}]"
		}
		d.names = append(d.names, name)
		d.add("VPC", name, spec)
	}
	for _, connection := range d.servers {
		native, routed := false, false // a host that speaks BGP does it in one VPC
		for _, subnet := range d.subnets {
			if !d.chance("an attachment", 4) || d.bgp[subnet] && routed {
				continue
			}
			routed = routed || d.bgp[subnet]
			spec := "subnet: " + subnet + ", connection: " + connection
			if !native && d.chance("native", 4) {
				spec, native = spec+", nativeVLAN: true", true
			}
			vpc, name, _ := strings.Cut(subnet, "/")
			d.add("VPCAttachment", d.one("attachment name", vpc+"--"+name+"--"+connection, connection+"--"+vpc+"--"+name, fmt.Sprintf("att-%d", len(d.rows))), spec)
		}
	}
	side := func(vpc string) string {
		if d.chance("of subnets", 2) {
			return vpc + ": {subnets: [" + d.one("subnet", d.vpcs[vpc]...) + "]}"
		}
		return vpc + ": {}"
	}
	for n := 1; n < len(d.names); n++ {
		if d.chance("a peering", 2) {
			a, b := d.names[n-1], d.names[n]
			permit := "{" + side(a) + ", " + side(b) + "}"
			if d.chance("two permits", 3) {
				permit += ", {" + side(a) + ", " + side(b) + "}"
			}
			d.add("VPCPeering", d.name(a+"--"+b), "permit: ["+permit+"]")
		}
	}
}

func (d *drawer) outside() {
	var connections []string
	for range d.upTo("ways out", 0, 3) {
		leaf := d.one("leaf", d.leaves...)
		port := d.port(leaf)
		switch d.one("way", "external", "external", "static", "static in a VPC") {
		case "static":
			d.add("Connection", d.name(leaf+"--static-external--"+fmt.Sprint(len(d.rows))), fmt.Sprintf("staticExternal: {link: {switch: {port: %s, ip: 172.31.%d.5/24, nextHop: 172.31.%d.1, subnets: [10.99.%d.0/24]%s}}}", port, d.node, d.node, d.node, d.one("vlan", "", ", vlan: 77")))
			d.node++
		case "static in a VPC":
			if len(d.names) > 0 {
				d.add("Connection", d.name(leaf+"--static-external--"+fmt.Sprint(len(d.rows))), fmt.Sprintf("staticExternal: {withinVPC: %s, link: {switch: {port: %s, ip: 172.31.%d.5/24, nextHop: 172.31.%d.1, subnets: [10.99.%d.0/24, 0.0.0.0/0]}}}", d.one("in", d.names...), port, d.node, d.node, d.node))
				d.node++
			}
		default:
			name := d.name(leaf + "--external--" + fmt.Sprint(len(d.rows)))
			d.add("Connection", name, "external: {link: {switch: {port: "+port+"}}}")
			connections = append(connections, name)
		}
	}
	static := map[string]bool{}
	for n := range d.upTo("externals", 0, 3) {
		name := fmt.Sprintf("ext-%d", n+1)
		d.externals = append(d.externals, name)
		if static[name] = d.chance("static", 2); static[name] {
			d.add("External", name, "static: {prefixes: ["+d.one("prefixes", "0.0.0.0/0", "198.51.100.0/24, 203.0.113.0/24")+"]}")
		} else {
			d.add("External", name, d.one("communities", "inboundCommunity: '65102:1', outboundCommunity: '50000:1'", "inboundCommunity: '65102:1'", "outboundCommunity: '50000:1'", ""))
		}
	}
	at := 0
	for _, connection := range connections {
		tagged := d.chance("tagged", 2)
		for _, external := range d.externals {
			if !d.chance("a way", 2) {
				continue
			}
			at++
			vlan := ""
			if tagged {
				vlan = fmt.Sprintf(", vlan: %d", 200+at)
			}
			spec := fmt.Sprintf("external: %s, connection: %s, ", external, connection)
			if static[external] {
				spec += fmt.Sprintf("static: {remoteIP: 192.168.%d.2%s%s}", at, vlan, d.one("static form", fmt.Sprintf(", ip: 192.168.%d.1/24", at), ", proxy: true"))
			} else {
				spec += fmt.Sprintf("switch: {ip: 192.168.%d.1/30%s}, neighbor: {asn: %s, ip: 192.168.%d.2}", at, vlan, d.one("asn", "64000", "64001"), at)
				if d.chance("an ACL", 5) {
					spec += ", inboundACL: {statements: [{seq: 65535, action: permit, protocol: tcp, srcPrefix: 0.0.0.0/0, dstPrefix: 10.0.0.0/8, tcpFilters: {established: true}}]}"
				}
			}
			d.add("ExternalAttachment", d.name(connection+"--"+external), spec)
			if !tagged {
				break
			}
		}
	}
	for _, vpc := range d.names {
		for _, external := range d.externals {
			if d.chance("an external peering", 4) {
				d.add("ExternalPeering", d.name(vpc+"--"+external), fmt.Sprintf("permit: {vpc: {name: %s, subnets: [%s]}, external: {name: %s, prefixes: [{prefix: %s}]}}", vpc, d.one("subnet", d.vpcs[vpc]...), external, d.one("prefix", "0.0.0.0/0", "198.51.100.0/24")))
			}
		}
	}
	if len(d.names) > 1 && d.chance("a gateway peering", 2) {
		expose := func(vpc string) string {
			return vpc + ": {expose: [{ips: [{vpcSubnet: " + d.one("subnet", d.vpcs[vpc]...) + "}]" + d.one("nat", "", ", as: [{cidr: 10.200.0.0/24}], nat: {masquerade: {idleTimeout: 5m}}") + "}]}"
		}
		d.add("GatewayPeering", d.name(d.names[0]+"--"+d.names[1]), "peering: {"+expose(d.names[0])+", "+expose(d.names[1])+"}")
	}
}

// drawn draws manifests.
func drawn(t *rapid.T, label string) []byte {
	d := &drawer{t: t, ports: map[string]int{}, split: map[string][]string{}, addresses: rapid.Bool().Draw(t, label)}
	d.network()
	d.attached()
	d.gateways()
	d.tenants()
	d.outside()
	return rows(d.rows...)
}

// unexplained reports an error that does not say what contradicts what.
func unexplained(i hedgehog.Issue) bool {
	return i.Severity == hedgehog.Error && (i.Rule == "import-inexact" || i.Hint == "" || i.Origin.IsZero())
}

// Fabrics of any shape come out of NetBox as they went in. Over another one they do too,
// or it is said which record is in the way. Little of them is in hedgehog_spec and hedgehog_objects: ways out that nobody uses,
// and what is said of single ports.
func TestAnyFabricComesBack(t *testing.T) {
	var sum netbox.Shares
	runs, refused := 0, 0
	rapid.Check(t, func(r *rapid.T) {
		s, c := &netbox.Snapshot{}, netbox.DefaultConfig("lab")
		c.Settings.Target = hedgehog.TargetInstaller
		all := netbox.ImportOptions{Prune: true, PruneDevices: true, Kinds: hedgehog.Kinds()}
		for _, label := range []string{"first", "then"} {
			runs++
			content := drawn(r, label)
			want := wanted(t, label, content)
			plan, issues := netbox.Import(want, s, c, all)
			if plan == nil && label == "then" && !slices.ContainsFunc(issues, unexplained) {
				refused++ // what is cabled or split otherwise, and is named
				return
			}
			if plan == nil {
				r.Fatalf("%s: no plan:\n%s\nof\n%s", label, lines(issues), content)
			}
			after, err := plan.Apply(s)
			if err != nil {
				r.Fatal(err)
			}
			got, issues := netbox.Map(after, c)
			if got == nil {
				r.Fatalf("%s: it cannot be rendered:\n%s", label, lines(issues))
			}
			if x, y := encoded(t, want), encoded(t, got); x != y {
				r.Fatalf("%s: rendered otherwise (want, got):\n%s", label, firstDifference(x, y))
			}
			if again, issues := netbox.Import(want, after, c, all); again == nil || !again.Empty() {
				r.Fatalf("%s: the second plan is not empty: %+v\n%s", label, again, lines(issues))
			}
			if label == "first" {
				sum.Native, sum.CustomFields = sum.Native+plan.Shares.Native, sum.CustomFields+plan.Shares.CustomFields
				sum.Spec, sum.Objects = sum.Spec+plan.Shares.Spec, sum.Objects+plan.Shares.Objects
			}
			s = after
		}
	})
	t.Logf("%d of %d imports were refused; bytes of all specs: %+v", refused, runs, sum)
	if refused > runs/4 {
		t.Errorf("%d of %d imports were refused", refused, runs)
	}
	if (sum.Native+sum.CustomFields)*100 < 90*(sum.Native+sum.CustomFields+sum.Spec+sum.Objects) {
		t.Errorf("NetBox's own records and named fields hold too little: %+v", sum)
	}
}
