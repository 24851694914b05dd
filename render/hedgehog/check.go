package hedgehog

import (
	"cmp"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Rule is one thing that is checked of manifests.
type Rule struct {
	// ID is stable: lower-case words joined by hyphens.
	ID       string
	Severity Severity
	// Fields are what the rule is about, each a kind and a path: "VPC
	// spec.subnets.*.vlan". The kind * is every kind.
	Fields []string
	// Summary says what must hold, in one sentence without a final period.
	Summary string
	// Hint says what to do when it does not.
	Hint string
}

// schemaRule is a rule with the function that judges one value.
type schemaRule struct {
	Rule
	judge func(reflect.Value, finder)
}

// finder is told what is wrong with a value: text completes the sentence "the field
// is ...", and below leads from the field to the part at fault: .vlan, [2], nothing
// for the field itself.
type finder func(below, text string)

// Rules returns the rules of [Validate] and [ValidateUpdate]: those of [Check]
// first, each in the order of its table.
func Rules() []Rule {
	var rules []Rule
	for _, r := range schemaTable() {
		rules = append(rules, r.Rule)
	}
	return slices.Concat(rules, fabricTable(), updateTable())
}

// Check returns everything that is wrong with single objects: the rules that a
// schema can state (what is required, enumerations, bounds, the syntax of names
// and addresses, fields that exclude each other), taken from the API's own
// schema and webhooks of release 26.03 and from Kubernetes' rules for names and
// labels. It does not ask for the addresses of switches and links, which the
// installer may fill in, and never looks at a second object. Sorted.
//
// A field that [Default] fills may be missing. Objects of unknown kinds are
// checked for their metadata only.
func Check(f *Fabric) Issues {
	rules := map[string][]schemaRule{}
	for _, rule := range schemaTable() {
		for _, field := range rule.Fields {
			rules[field] = append(rules[field], rule)
		}
	}
	var issues Issues
	for o := range f.All() {
		visit := func(pattern, path string, v reflect.Value) {
			for _, kind := range []string{string(o.Kind), "*"} {
				for _, rule := range rules[kind+" "+pattern] {
					rule.judge(v, func(below, text string) {
						issues = append(issues, Issue{
							Rule: rule.ID, Severity: rule.Severity, Object: o.Key(), Field: path + below, Origin: o.Origin(),
							Summary: path + " is " + text + ": " + rule.Summary, Hint: rule.Hint})
					})
				}
			}
		}
		visit("metadata.name", "metadata.name", reflect.ValueOf(o.Name))
		visit("object", "metadata.name", reflect.ValueOf(o))
		visit("metadata.namespace", "metadata.namespace", reflect.ValueOf(o.Namespace))
		visit("metadata.labels", "metadata.labels", reflect.ValueOf(o.Labels))
		visit("metadata.annotations", "metadata.annotations", reflect.ValueOf(o.Annotations))
		if o.Kind.Known() {
			walkSpec(reflect.ValueOf(o.Spec), "spec", "spec", visit)
		}
	}
	issues.Sort()
	return issues
}

// walkSpec visits every value of a spec that is there, parents first. In a
// pattern * stands for the keys of a map and [] for the indexes of a list.
func walkSpec(v reflect.Value, pattern, path string, visit func(pattern, path string, v reflect.Value)) {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return
		}
		v = v.Elem()
	}
	visit(pattern, path, v)
	switch v.Kind() {
	case reflect.Struct:
		for _, f := range specStructs()[v.Type()].fields {
			walkSpec(v.Field(f.index), pattern+"."+f.name, path+"."+f.name, visit)
		}
	case reflect.Map:
		if v.Type().Elem().Kind() == reflect.Interface {
			return
		}
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return compareKeys(a.String(), b.String()) })
		for _, key := range keys {
			walkSpec(v.MapIndex(key), pattern+".*", path+"."+key.String(), visit)
		}
	case reflect.Slice:
		for i := range v.Len() {
			walkSpec(v.Index(i), pattern+"[]", path+"["+strconv.Itoa(i)+"]", visit)
		}
	}
}

// judge makes a rule's function of one for the values of a type; text is any
// string type.
func judge[T any](f func(T) string) func(reflect.Value) string {
	t := reflect.TypeFor[T]()
	return func(v reflect.Value) string { return f(v.Convert(t).Interface().(T)) }
}

// parts makes a rule's function of one that tells which parts of a value are at
// fault.
func parts[T any](f func(T, finder)) func(reflect.Value, finder) {
	t := reflect.TypeFor[T]()
	return func(v reflect.Value, found finder) { f(v.Convert(t).Interface().(T), found) }
}

// text judges a string that is there; an empty one is well.
func text(f func(string) string) func(reflect.Value) string {
	return func(v reflect.Value) string {
		if v.String() == "" {
			return ""
		}
		return f(v.String())
	}
}

// required wants a value.
func required(v reflect.Value) string {
	if v.IsZero() || (v.Kind() == reflect.Map || v.Kind() == reflect.Slice) && v.Len() == 0 {
		return "missing"
	}
	return ""
}

// count bounds the length of a list or map.
func count(least, most int) func(reflect.Value) string {
	return func(v reflect.Value) string {
		if n := v.Len(); n < least || n > most {
			return fmt.Sprintf("%d long", n)
		}
		return ""
	}
}

// between bounds a number; 0 is none.
func between(least, most uint64) func(reflect.Value) string {
	return func(v reflect.Value) string {
		if n := v.Uint(); n != 0 && (n < least || n > most) {
			return strconv.FormatUint(n, 10)
		}
		return ""
	}
}

// oneOf wants one of the words; an empty text is well.
func oneOf(words ...string) func(reflect.Value) string {
	return text(func(s string) string {
		if slices.Contains(words, s) {
			return ""
		}
		return strconv.Quote(s)
	})
}

// matching wants the whole of a text to match.
func matching(pattern string, most int) func(reflect.Value) string {
	whole := regexp.MustCompile("^(?:" + pattern + ")$")
	return text(func(s string) string {
		switch {
		case len(s) > most:
			return fmt.Sprintf("%d characters long", len(s))
		case !whole.MatchString(s):
			return strconv.Quote(s)
		}
		return ""
	})
}

func atMost(length int) func(reflect.Value) string { return matching("(?s:.*)", length) }

// address wants an IP address, without a zone.
var address = text(func(s string) string {
	if a, err := netip.ParseAddr(s); err != nil || a.Zone() != "" {
		return strconv.Quote(s)
	}
	return ""
})

// cidr wants an address with a prefix length of at least and at most.
func cidr(least, most int) func(reflect.Value) string {
	return text(func(s string) string {
		p, err := netip.ParsePrefix(s)
		if err != nil || p.Bits() < least || p.Bits() > most {
			return strconv.Quote(s)
		}
		return ""
	})
}

// ipv4 wants an IPv4 address with a prefix length of at least and at most.
func ipv4(least, most int) func(reflect.Value) string {
	return text(func(s string) string {
		p, err := netip.ParsePrefix(s)
		if err != nil || !p.Addr().Is4() || p.Bits() < least || p.Bits() > most {
			return strconv.Quote(s)
		}
		return ""
	})
}

// canonical wants a network without host bits.
var canonical = text(func(s string) string {
	if p, err := netip.ParsePrefix(s); err == nil && p != p.Masked() {
		return strconv.Quote(s)
	}
	return ""
})

var macAddress = text(func(s string) string {
	if mac, err := net.ParseMAC(s); err != nil || len(mac) != 6 {
		return strconv.Quote(s)
	}
	return ""
})

const (
	// NamePattern is the syntax of an object's name in Kubernetes, as a regular
	// expression for the whole of it.
	NamePattern = `[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*`
	labelValue  = `[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?`
	uint16Text  = `0|[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]`
)

// nameText wants the name of an object, labelText the value of a label.
var (
	nameText  = matching(NamePattern, anyName)
	labelText = matching(labelValue, labelName)
)

// keys judges the keys of a map, in order.
func keys(f func(reflect.Value) string) func(reflect.Value, finder) {
	return func(v reflect.Value, found finder) {
		names := v.MapKeys()
		slices.SortFunc(names, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
		for _, name := range names {
			if text := f(name); text != "" {
				found("."+name.String(), "keyed by a name that is "+text)
			} else if name.String() == "" {
				found("", "keyed by an empty name")
			}
		}
	}
}

// at is the place of an entry of a list.
func at(i int) string { return "[" + strconv.Itoa(i) + "]" }

// exactlyOne wants one true.
func exactlyOne(what ...bool) bool {
	n := 0
	for _, set := range what {
		if set {
			n++
		}
	}
	return n == 1
}

// schemaTable is the table of [Check]; it never changes.
var schemaTable = sync.OnceValue(schemaRules)

func schemaRules() []schemaRule {
	on := func(fields ...string) []string { return fields }
	partly := func(id string, severity Severity, fields []string, summary, hint string, judge func(reflect.Value, finder)) schemaRule {
		return schemaRule{Rule{id, severity, fields, summary, hint}, judge}
	}
	rule := func(id string, severity Severity, fields []string, summary, hint string, judge func(reflect.Value) string) schemaRule {
		return partly(id, severity, fields, summary, hint, func(v reflect.Value, found finder) {
			if text := judge(v); text != "" {
				found("", text)
			}
		})
	}
	const rename, fix, remove = "rename the object", "change the value", "remove one of them"
	return []schemaRule{
		// Every kind.
		rule("name-syntax", Error, on("* metadata.name"), "a name is lower-case letters, digits, hyphens and dots, at most 253", rename,
			nameText),
		rule("namespace-wrong", Error, on("* metadata.namespace"), "every Hedgehog object lives in the namespace default", "remove the namespace, or set it to default",
			oneOf(Namespace)),
		partly("label-syntax", Error, on("* metadata.labels"), "Kubernetes takes no such label", "change the label", parts(badLabels)),
		partly("annotation-syntax", Error, on("* metadata.annotations"), "Kubernetes takes no such annotation", "change the annotation", keys(func(v reflect.Value) string {
			return badQualifiedName(v.String())
		})),
		rule("name-too-long", Error, on("VPC metadata.name", "External metadata.name", "IPv4Namespace metadata.name"),
			"the name of a VPC, an External or an IPv4Namespace has at most 11 characters", rename, atMost(shortName)),
		rule("name-label-length", Error, on("Switch metadata.name", "Server metadata.name", "SwitchGroup metadata.name", "VLANNamespace metadata.name"),
			"the cluster makes a label of the name, which has at most 63 characters", rename, atMost(labelName)),
		rule("vpc-name-ext", Error, on("VPC metadata.name"), "names that begin with ext. belong to externals", rename, text(func(s string) string {
			if strings.HasPrefix(s, "ext.") {
				return strconv.Quote(s)
			}
			return ""
		})),

		// Namespaces.
		rule("vlan-ranges-count", Error, on("VLANNamespace spec.ranges"), "a VLAN namespace has 1 to 20 ranges", fix, count(1, 20)),
		partly("vlan-range", Error, on("VLANNamespace spec.ranges[]"), "a range goes from a VLAN id to one not below it, both 1 to 4094", fix, parts(func(r VLANRange, found finder) {
			text := fmt.Sprintf("%d to %d", r.From, r.last())
			switch {
			case r.From < 1 || r.From > 4094:
				found(".from", text)
			case r.last() > 4094 || r.last() < r.From:
				found(".to", text)
			}
		})),
		rule("ipv4-namespace-count", Error, on("IPv4Namespace spec.subnets"), "an IPv4 namespace has 1 to 10 subnets", fix, count(1, 10)),

		// What is required, and the syntax of addresses, wherever they stand.
		rule("field-required", Error, on("IPv4Namespace spec.subnets[]",
			"Switch spec.role", "Switch spec.profile", "Switch spec.groups[]", "Switch spec.vlanNamespaces[]",
			"Switch spec.portSpeeds.*", "Switch spec.portGroupSpeeds.*", "Switch spec.portBreakouts.*", "Switch spec.portFECs.*",
			"VPC spec.subnets.*.subnet", "VPC spec.staticRoutes[].prefix", "VPC spec.staticRoutes[].nextHops", "VPC spec.staticRoutes[].nextHops[]",
			"VPC spec.subnets.*.dhcp.static.*.ip", "VPC spec.subnets.*.dhcp.options.dnsServers[]", "VPC spec.subnets.*.dhcp.options.timeServers[]",
			"VPC spec.subnets.*.dhcp.options.advertisedRoutes[].destination", "VPC spec.subnets.*.dhcp.options.advertisedRoutes[].gateway",
			"VPCAttachment spec.subnet", "VPCAttachment spec.connection",
			"External spec.static.prefixes", "External spec.static.prefixes[]",
			"ExternalAttachment spec.external", "ExternalAttachment spec.connection", "ExternalAttachment spec.static.remoteIP",
			"ExternalAttachment spec.inboundACL.statements[].action", "ExternalAttachment spec.inboundACL.statements[].protocol",
			"ExternalAttachment spec.inboundACL.statements[].srcPrefix", "ExternalAttachment spec.inboundACL.statements[].dstPrefix",
			"ExternalPeering spec.permit.vpc.name", "ExternalPeering spec.permit.external.name", "ExternalPeering spec.permit.external.prefixes[].prefix",
			"Connection spec.staticExternal.link.switch.ip", "Connection spec.staticExternal.link.switch.nextHop", "Connection spec.staticExternal.link.switch.subnets[]",
			"Gateway spec.logs.tags.*", "Gateway spec.interfaces", "Gateway spec.interfaces.*.ips[]", "Gateway spec.neighbors[].ip", "Gateway spec.neighbors[].asn", "Gateway spec.groups[].name",
			"GatewayPeering spec.acl.rules[].action"),
			"the field is required", "fill it in", required),
		rule("cidr-syntax", Error, on("IPv4Namespace spec.subnets[]", "VPC spec.subnets.*.subnet", "VPC spec.subnets.*.dhcp.relay", "VPC spec.staticRoutes[].prefix",
			"VPC spec.subnets.*.dhcp.options.advertisedRoutes[].destination",
			"Connection spec.staticExternal.link.switch.ip", "Connection spec.staticExternal.link.switch.subnets[]",
			"External spec.static.prefixes[]", "ExternalAttachment spec.switch.ip", "ExternalAttachment spec.static.ip",
			"ExternalPeering spec.permit.external.prefixes[].prefix", "Gateway spec.interfaces.*.ips[]",
			"GatewayPeering spec.peering.*.expose[].ips[].cidr", "GatewayPeering spec.peering.*.expose[].ips[].not",
			"GatewayPeering spec.peering.*.expose[].as[].cidr", "GatewayPeering spec.peering.*.expose[].as[].not",
			"GatewayPeering spec.acl.rules[].match.src[].cidr", "GatewayPeering spec.acl.rules[].match.dst[].cidr"),
			"a network is an address and a prefix length, as 10.0.1.0/24", fix, cidr(0, 128)),
		rule("ip-syntax", Error, on("VPC spec.subnets.*.gateway", "VPC spec.subnets.*.dhcp.range.start", "VPC spec.subnets.*.dhcp.range.end",
			"VPC spec.subnets.*.dhcp.options.dnsServers[]", "VPC spec.subnets.*.dhcp.options.timeServers[]",
			"VPC spec.subnets.*.dhcp.options.advertisedRoutes[].gateway", "VPC spec.subnets.*.dhcp.static.*.ip", "VPC spec.staticRoutes[].nextHops[]",
			"Connection spec.staticExternal.link.switch.nextHop", "ExternalAttachment spec.neighbor.ip", "ExternalAttachment spec.static.remoteIP",
			"Gateway spec.neighbors[].ip"),
			"an address has no prefix length, as 10.0.1.1", fix, address),
		rule("vlan-bounds", Error, on("VPC spec.subnets.*.vlan", "Connection spec.staticExternal.link.switch.vlan", "ExternalAttachment spec.switch.vlan", "ExternalAttachment spec.static.vlan"),
			"a VLAN id is 1 to 4094", fix, between(1, 4094)),

		// Switches.
		rule("switch-role", Error, on("Switch spec.role"), "the role is spine, server-leaf, border-leaf or mixed-leaf", fix,
			oneOf("spine", "server-leaf", "border-leaf", "mixed-leaf")),
		partly("switch-redundancy", Error, on("Switch spec.redundancy"), "redundancy has a group and the type eslag, or neither (mclag up to 26.02)", fix, parts(func(r SwitchRedundancy, found finder) {
			text := fmt.Sprintf("group %q with type %q", r.Group, r.Type)
			switch {
			case r.Type == "" && r.Group != "", !slices.Contains([]string{"", "eslag", "mclag"}, r.Type):
				found(".type", text)
			case r.Group == "" && r.Type != "":
				found(".group", text)
			}
		})),
		rule("switch-ip", Error, on("Switch spec.ip"), "the management address is IPv4 with its prefix length, as 172.30.0.6/21", fix, ipv4(0, 32)),
		rule("loopback-ip", Error, on("Switch spec.protocolIP", "Switch spec.vtepIP", "Gateway spec.protocolIP", "Gateway spec.vtepIP"),
			"the address is IPv4 with the prefix length 32, as 172.30.8.1/32", fix, ipv4(32, 32)),
		rule("switch-boot-mac", Error, on("Switch spec.boot.mac"), "a MAC has six pairs of hexadecimal digits, as 0c:20:12:01:01:00", fix, macAddress),
		rule("switch-boot-serial", Error, on("Switch spec.boot.serial"), "a serial number has letters, digits and signs, without spaces", fix, matching(`[!-~]+`, 128)),
		partly("switch-route-summ", Error, on("Switch metadata.annotations"), "fabric.githedgehog.com/route-summ lists VPCs with a prefix each, as vpc-1=10.0.0.0/16,vpc-2=10.1.0.0/16", fix, parts(func(annotations map[string]string, found finder) {
			const key = "fabric.githedgehog.com/route-summ"
			for entry := range strings.SplitSeq(annotations[key], ",") {
				vpc, prefix, ok := strings.Cut(strings.TrimSpace(entry), "=")
				if _, err := netip.ParsePrefix(prefix); annotations[key] != "" && (!ok || vpc == "" || err != nil) {
					found("."+key, "of "+strconv.Quote(entry))
				}
			}
		})),
		rule("switch-speed", Error, on("Switch spec.portSpeeds.*", "Switch spec.portGroupSpeeds.*"), "a speed is a number of gigabits, as 25G", fix,
			matching(`(SPEED_)*[0-9]+(\.[0-9]+)?G`, 64)),
		rule("switch-breakout", Error, on("Switch spec.portBreakouts.*"), "a breakout mode is lanes by speed, as 4x25G", fix, matching(`[1-9][0-9]?x[0-9]+(\.[0-9]+)?G`, 64)),
		rule("switch-fec", Error, on("Switch spec.portFECs.*"), "forward error correction is rs, fc, auto or disabled", fix, oneOf("rs", "fc", "auto", "disabled")),
		partly("switch-link-flap", Error, on("Switch spec.linkFlapErrDisable"),
			"flapThreshold is 1 to 50, samplingInterval 1 to 65535 seconds, recoveryInterval 0 to 65534 seconds", fix, parts(func(f LinkFlapErrDisable, found finder) {
				if f.FlapThreshold != nil && (*f.FlapThreshold < 1 || *f.FlapThreshold > 50) {
					found(".flapThreshold", fmt.Sprintf("%d flaps", *f.FlapThreshold))
				}
				if f.SamplingInterval != nil && (*f.SamplingInterval < 1 || *f.SamplingInterval > 65535) {
					found(".samplingInterval", fmt.Sprintf("sampled for %d seconds", *f.SamplingInterval))
				}
				if f.RecoveryInterval != nil && *f.RecoveryInterval > 65534 {
					found(".recoveryInterval", fmt.Sprintf("recovered after %d seconds", *f.RecoveryInterval))
				}
			})),

		// Connections.
		partly("connection-type", Error, on("Connection spec"), "a connection has exactly one type", "keep one of the types; a second cable is a connection of its own", parts(func(s ConnectionSpec, found finder) {
			types := s.types()
			switch len(types) {
			case 0:
				found("", "without a type")
			case 1:
			default:
				found("."+types[1], strings.Join(types, " and "))
			}
		})),
		rule("connection-port", Error, on(portFields()...), "a port is device/port, as leaf-01/E1/1", fix, judge(func(p Port) string {
			switch {
			case p == "":
				return "missing"
			case p.Device() == "" || p.Name() == "":
				return strconv.Quote(string(p))
			}
			return ""
		})),
		rule("connection-links", Error, on("Connection spec.bundled.links", "Connection spec.mclag.links", "Connection spec.fabric.links", "Connection spec.mesh.links",
			"Connection spec.gateway.links", "Connection spec.vpcLoopback.links", "Connection spec.mclagDomain.peerLinks", "Connection spec.mclagDomain.sessionLinks"),
			"the connection has at least one link", "add a link", required),
		rule("connection-eslag-links", Error, on("Connection spec.eslag.links"), "an ESLAG has at least two links, to at most four switches", "add a link, or make it unbundled or bundled", judge(func(links []ServerLink) string {
			switches := map[string]bool{}
			for _, l := range links {
				switches[l.Switch.Port.Device()] = true
			}
			switch {
			case len(links) < 2:
				return fmt.Sprintf("%d long", len(links))
			case len(switches) > 4:
				return fmt.Sprintf("to %d switches", len(switches))
			}
			return ""
		})),
		rule("connection-link-ip", Error, on("Connection spec.fabric.links[].spine.ip", "Connection spec.fabric.links[].leaf.ip",
			"Connection spec.mesh.links[].leaf1.ip", "Connection spec.mesh.links[].leaf2.ip",
			"Connection spec.gateway.links[].switch.ip", "Connection spec.gateway.links[].gateway.ip"),
			"the end of a link has an IPv4 address with the prefix length 31", fix, ipv4(31, 31)),
		rule("connection-name-length", Warning, on("Connection object"), "the cluster makes a label of the name once something is attached, of at most 63 characters", rename, judge(func(o *Object) string {
			s, ok := o.Spec.(*ConnectionSpec)
			if !ok || len(o.Name) <= 63 || s.Unbundled == nil && s.Bundled == nil && s.ESLAG == nil && s.MCLAG == nil && s.External == nil {
				return ""
			}
			return fmt.Sprintf("%d characters long", len(o.Name))
		})),

		// VPCs.
		rule("vpc-mode", Error, on("VPC spec.mode"), "the mode is empty for L2VNI, or l3vni", fix, oneOf("l3vni")),
		rule("vpc-subnets-count", Error, on("VPC spec.subnets"), "a VPC has 1 to 20 subnets", fix, count(1, 20)),
		partly("vpc-subnet-name", Error, on("VPC spec.subnets"), "the name of a subnet is letters, digits, hyphens, underscores and dots, at most 63: the cluster makes a label of it", "rename the subnet",
			keys(labelText)),
		partly("vpc-subnet-dhcp-name", Error, on("VPC spec.subnets"), "the name of a subnet with DHCP is lower-case letters, digits, hyphens and dots: the cluster makes an object's name of it", "rename the subnet", parts(func(subnets map[string]*VPCSubnet, found finder) {
			for _, key := range slices.Sorted(maps.Keys(subnets)) {
				if s := subnets[key]; s != nil && s.DHCP.Enable && nameText(reflect.ValueOf("vpc--"+key)) != "" {
					found("."+key, fmt.Sprintf("keyed by %q", key))
				}
			}
		})),
		partly("vpc-subnet-null", Error, on("VPC spec.subnets"), "a subnet is a mapping", "remove it, or fill it in", parts(func(subnets map[string]*VPCSubnet, found finder) {
			for _, key := range slices.Sorted(maps.Keys(subnets)) {
				if subnets[key] == nil {
					found("."+key, fmt.Sprintf("null at %q", key))
				}
			}
		})),
		rule("vpc-subnet-ipv6", Error, on("VPC spec.subnets.*.subnet"), "subnets are IPv4: gateways and DHCP of the fabric know nothing else", "choose an IPv4 network", text(func(s string) string {
			if p, err := netip.ParsePrefix(s); err == nil && !p.Addr().Is4() {
				return strconv.Quote(s)
			}
			return ""
		})),
		rule("vpc-subnet-length", Error, on("VPC spec.subnets.*.subnet"), "the prefix length of a subnet is at most 30", fix, text(func(s string) string {
			if p, err := netip.ParsePrefix(s); err == nil && p.Addr().Is4() && p.Bits() > 30 {
				return strconv.Quote(s)
			}
			return ""
		})),
		rule("vpc-subnet-host-bits", Error, on("VPC spec.subnets.*.subnet"), "a subnet is written as its network, without host bits", fix, canonical),
		rule("vpc-route-prefix", Error, on("VPC spec.staticRoutes[].prefix"), "the prefix of a route is a network, without host bits", fix, canonical),
		partly("vpc-subnet-vlan", Error, on("VPC spec.subnets.*"), "a subnet has a VLAN, except for one with hostBGP", "choose a VLAN of the VPC's VLAN namespace", parts(func(s VPCSubnet, found finder) {
			if s.VLAN == 0 && !s.HostBGP {
				found(".vlan", "without a VLAN")
			}
		})),
		partly("vpc-hostbgp-lengths", Error, on("VPC spec.subnets.*"), "prefix lengths for host BGP are 1 to 32, 32 when left out, the least not above the most, and only with hostBGP", fix, parts(func(s VPCSubnet, found finder) {
			least, most := cmp.Or(s.HostBGPMinPrefixLen, 32), cmp.Or(s.HostBGPMaxPrefixLen, 32)
			switch {
			case !s.HostBGP && s.HostBGPMinPrefixLen != 0:
				found(".hostBGPMinPrefixLen", "without hostBGP")
			case !s.HostBGP && s.HostBGPMaxPrefixLen != 0:
				found(".hostBGPMaxPrefixLen", "without hostBGP")
			case !s.HostBGP && len(s.HostBGPExtraPrefixes) > 0:
				found(".hostBGPExtraPrefixes", "without hostBGP")
			case most > 32:
				found(".hostBGPMaxPrefixLen", fmt.Sprintf("%d to %d", least, most))
			case least > most:
				found(".hostBGPMinPrefixLen", fmt.Sprintf("%d to %d", least, most))
			}
		})),
		partly("vpc-hostbgp-dhcp", Error, on("VPC spec.subnets.*"), "a subnet with hostBGP has no DHCP server", remove, parts(func(s VPCSubnet, found finder) {
			if s.HostBGP && s.DHCP.Enable {
				found(".dhcp.enable", "of both")
			}
		})),
		partly("vpc-hostbgp-extra", Error, on("VPC spec.subnets.*.hostBGPExtraPrefixes"), "extra prefixes are at most 100 IPv4 networks, without host bits", fix, parts(func(extra map[string]HostBGPPrefix, found finder) {
			if len(extra) > 100 {
				found("", fmt.Sprintf("%d long", len(extra)))
			}
			for _, key := range slices.Sorted(maps.Keys(extra)) {
				if p, err := netip.ParsePrefix(key); err != nil || !p.Addr().Is4() || p != p.Masked() {
					found("."+key, fmt.Sprintf("keyed by %q", key))
				}
				if e := extra[key]; badLengths(e.MinPrefixLen, e.MaxPrefixLen) {
					found("."+key, fmt.Sprintf("%d to %d at %s", e.MinPrefixLen, e.MaxPrefixLen, key))
				}
			}
		})),
		partly("vpc-permit", Error, on("VPC spec.permit[]"), "a permit lists at least two subnets, each once", fix, parts(func(list []string, found finder) {
			if len(list) < 2 {
				found("", fmt.Sprintf("%d long", len(list)))
			}
			seen := map[string]bool{}
			for i, name := range list {
				if seen[name] {
					found(at(i), fmt.Sprintf("%q twice", name))
				}
				seen[name] = true
			}
		})),
		partly("dhcp-relay", Error, on("VPC spec.subnets.*.dhcp"), "DHCP is the built-in server, or a relay with or without relayVPC", remove, parts(func(d DHCP, found finder) {
			switch {
			case d.Enable && d.Relay != "":
				found(".relay", "both enabled and relayed")
			case d.RelayVPC != "" && d.Relay == "":
				found(".relayVPC", "relayed in a VPC without a relay")
			}
		})),
		partly("dhcp-unused", Warning, on("VPC spec.subnets.*.dhcp"), "without the server the cluster drops range and options", "set enable, or remove them", parts(func(d DHCP, found finder) {
			if !d.Enable && d.Range != nil {
				found(".range", "not enabled")
			}
			if !d.Enable && d.Options != nil {
				found(".options", "not enabled")
			}
		})),
		partly("dhcp-static", Error, on("VPC spec.subnets.*.dhcp"), "static leases are keyed by a MAC, as 0c:20:12:01:01:00, and need the built-in server", fix, parts(func(d DHCP, found finder) {
			if len(d.Static) > 0 && !d.Enable {
				found(".static", "not enabled")
			}
			for _, key := range slices.Sorted(maps.Keys(d.Static)) {
				if mac, err := net.ParseMAC(key); err != nil || len(mac) != 6 {
					found(".static."+key, fmt.Sprintf("with a lease for %q", key))
				}
			}
		})),

		// Attachments and peerings.
		rule("attachment-subnet", Error, on("VPCAttachment spec.subnet"), "the subnet is written vpc/subnet", fix, matching(`[^/]+(/[^/]+)?`, 512)),
		partly("attachment-p2p-link", Error, on("VPCAttachment metadata.annotations"), "fabric.githedgehog.com/p2p-link is an IPv4 address with the prefix length 31", fix, parts(func(annotations map[string]string, found finder) {
			const key = "fabric.githedgehog.com/p2p-link"
			if link, ok := annotations[key]; ok && (link == "" || ipv4(31, 31)(reflect.ValueOf(link)) != "") {
				found("."+key, strconv.Quote(link)+" there")
			}
		})),
		rule("peering-remote", Error, on("VPCPeering spec.remote"), "remote peering is gone since 26.03", "remove the field", text(strconv.Quote)),
		rule("peering-permit-count", Error, on("VPCPeering spec.permit"), "a peering has 1 to 10 permits", fix, count(1, 10)),
		partly("peering-permit-pair", Error, on("VPCPeering spec.permit"), "every permit of a peering names the same two VPCs", fix, parts(func(permit []map[string]VPCPeer, found finder) {
			for i, sides := range permit {
				if len(sides) != 2 {
					found(at(i), fmt.Sprintf("of %d VPCs", len(sides)))
					continue
				}
				for name := range sides {
					if _, ok := permit[0][name]; !ok && len(permit[0]) == 2 {
						found(at(i), fmt.Sprintf("of other VPCs in its entry %d", i))
						break
					}
				}
			}
		})),
		rule("peering-subnets-count", Error, on("VPCPeering spec.permit[].*.subnets"), "a permit names at most 10 subnets of a VPC", fix, count(0, 10)),

		// Externals.
		rule("external-community", Error, on("External spec.inboundCommunity", "External spec.outboundCommunity"), "a community is two numbers 0 to 65535 with a colon, without leading zeros", fix,
			matching(`(`+uint16Text+`):(`+uint16Text+`)`, 11)),
		partly("external-flavour", Error, on("External spec"), "a static external has no communities", "remove the communities, or static", parts(func(s ExternalSpec, found finder) {
			if s.Static != nil && s.InboundCommunity != "" {
				found(".inboundCommunity", "static, with a community")
			}
			if s.Static != nil && s.OutboundCommunity != "" {
				found(".outboundCommunity", "static, with a community")
			}
		})),
		partly("external-attachment-flavour", Error, on("ExternalAttachment spec"), "the attachment has switch.ip, neighbor.ip and neighbor.asn, or static and none of them", fix, parts(func(s ExternalAttachmentSpec, found finder) {
			if s.Static != nil {
				if s.Switch != (AttachmentSwitch{}) {
					found(".switch", "static, with a switch")
				}
				if s.Neighbor != (AttachmentNeighbor{}) {
					found(".neighbor", "static, with a neighbor")
				}
				return
			}
			if s.Switch.IP == "" {
				found(".switch.ip", "without switch.ip")
			}
			if s.Neighbor.IP == "" {
				found(".neighbor.ip", "without neighbor.ip")
			}
			if s.Neighbor.ASN == 0 {
				found(".neighbor.asn", "without neighbor.asn")
			}
		})),
		partly("external-attachment-proxy", Error, on("ExternalAttachment spec.static"), "a static attachment has an ip or proxy, not both", fix, parts(func(s AttachmentStatic, found finder) {
			switch {
			case s.IP != "" && s.Proxy:
				found(".proxy", fmt.Sprintf("of the ip %s, with proxy", s.IP))
			case s.IP == "" && !s.Proxy:
				found(".ip", "without ip and proxy")
			}
		})),
		partly("acl-sequence", Error, on("ExternalAttachment spec.inboundACL.statements"), "the sequence numbers of an ACL are at least 10, each once", fix, parts(func(statements []ACLStatement, found finder) {
			seen := map[uint16]bool{}
			for i, s := range statements {
				if s.Seq < 10 || seen[s.Seq] {
					found(at(i)+".seq", fmt.Sprintf("numbered %d", s.Seq))
				}
				seen[s.Seq] = true
			}
		})),
		rule("acl-action", Error, on("ExternalAttachment spec.inboundACL.statements[].action"), "the action is permit, deny, discard or transit", fix, oneOf("permit", "deny", "discard", "transit")),
		rule("acl-protocol", Error, on("ExternalAttachment spec.inboundACL.statements[].protocol"), "the protocol is ip, tcp, udp or icmp", fix, oneOf("ip", "tcp", "udp", "icmp")),
		rule("acl-prefix", Error, on("ExternalAttachment spec.inboundACL.statements[].srcPrefix", "ExternalAttachment spec.inboundACL.statements[].dstPrefix"), "the prefix is a network or any", fix, text(func(s string) string {
			if s == "any" {
				return ""
			}
			return cidr(0, 128)(reflect.ValueOf(s))
		})),
		partly("acl-match", Error, on("ExternalAttachment spec.inboundACL.statements[]"), "ports go with tcp and udp, TCP filters with tcp, ICMP type and code with icmp", fix, parts(func(s ACLStatement, found finder) {
			protocol := "of protocol " + strconv.Quote(s.Protocol)
			ports := s.Protocol == "tcp" || s.Protocol == "udp"
			if s.PortRangeBegin != 0 && !ports {
				found(".portRangeBegin", protocol)
			}
			if s.PortRangeEnd != 0 && !ports {
				found(".portRangeEnd", protocol)
			}
			if s.PortRangeEnd != 0 && s.PortRangeEnd < s.PortRangeBegin {
				found(".portRangeEnd", fmt.Sprintf("for ports %d to %d", s.PortRangeBegin, s.PortRangeEnd))
			}
			if s.TCPFilters != nil && s.Protocol != "tcp" {
				found(".tcpFilters", protocol)
			}
			if s.ICMPType != nil && s.Protocol != "icmp" {
				found(".icmpType", protocol)
			}
			if s.ICMPCode != nil && s.Protocol != "icmp" {
				found(".icmpCode", protocol)
			}
		})),
		partly("acl-tcp-filters", Error, on("ExternalAttachment spec.inboundACL.statements[].tcpFilters"), "established stands alone, and no flag is both wanted and not", fix, parts(func(f TCPFilters, found finder) {
			for _, flag := range []struct {
				name    string
				is, not bool
			}{{"notFin", f.Fin, f.NotFin}, {"notSyn", f.Syn, f.NotSyn}, {"notRst", f.Rst, f.NotRst}, {"notPsh", f.Psh, f.NotPsh}, {"notAck", f.Ack, f.NotAck}, {"notUrg", f.Urg, f.NotUrg}} {
				switch {
				case flag.is && flag.not:
					found("."+flag.name, "contradictory")
				case f.Established && (flag.is || flag.not):
					found(".established", "contradictory")
					return
				}
			}
		})),

		// Gateways.
		rule("gateway-vtep-mac", Error, on("Gateway spec.vtepMAC"), "the MAC is that of one host, as ca:fe:ba:be:01:00", fix, text(func(s string) string {
			if mac, err := net.ParseMAC(s); err != nil || len(mac) != 6 || mac[0]&1 != 0 {
				return strconv.Quote(s)
			}
			return ""
		})),
		partly("gateway-interface-name", Error, on("Gateway spec.interfaces"), "the name of an interface has 2 to 10 letters, digits, dots, hyphens and underscores", "rename the interface",
			keys(matching(`[a-zA-Z][a-zA-Z0-9._-]+`, 10))),
		rule("gateway-interface", Error, on("Gateway spec.interfaces.*"), "pci and kernel exclude each other", remove, judge(func(i GatewayInterface) string {
			if i.PCI != "" && i.Kernel != "" {
				return fmt.Sprintf("both %q and %q", i.PCI, i.Kernel)
			}
			return ""
		})),
		rule("gateway-log-level", Error, on("Gateway spec.logs.default", "Gateway spec.logs.tags.*"), "a log level is off, error, warning, info, debug or trace", fix,
			oneOf("off", "error", "warning", "info", "debug", "trace")),
		rule("gateway-workers", Error, on("Gateway spec.workers"), "a gateway has 1 to 64 workers", fix, between(1, 64)),
		partly("gateway-groups", Error, on("Gateway spec.groups"), "a gateway is in a group once", remove, parts(func(groups []GatewayMembership, found finder) {
			seen := map[string]bool{}
			for i, g := range groups {
				if seen[g.Name] {
					found(at(i)+".name", fmt.Sprintf("%q twice", g.Name))
				}
				seen[g.Name] = true
			}
		})),
		rule("gateway-peering-sides", Error, on("GatewayPeering spec.peering"), "a gateway peering has two sides: VPCs, or ext.<external>", fix, judge(func(sides map[string]*PeeringSide) string {
			if len(sides) != 2 {
				return fmt.Sprintf("of %d sides", len(sides))
			}
			return ""
		})),
		partly("gateway-expose", Error, on("GatewayPeering spec.peering.*.expose[]"), "an expose has ips, or default alone; as and nat go together", fix, parts(func(e Expose, found finder) {
			switch {
			case e.Default && (len(e.IPs) > 0 || len(e.As) > 0 || e.NAT != nil):
				found(".default", "default, with more")
			case !e.Default && len(e.IPs) == 0:
				found(".ips", "without ips")
			case len(e.As) > 0 && e.NAT == nil:
				found(".as", "with as but without nat")
			case len(e.As) == 0 && e.NAT != nil:
				found(".nat", "with nat but without as")
			}
		})),
		partly("gateway-expose-default", Error, on("GatewayPeering spec.peering.*.expose"), "a side exposes the default once", remove, parts(func(exposes []Expose, found finder) {
			has := false
			for i, e := range exposes {
				if e.Default && has {
					found(at(i)+".default", "of two defaults")
				}
				has = has || e.Default
			}
		})),
		rule("gateway-expose-ip", Error, on("GatewayPeering spec.peering.*.expose[].ips[]"), "an entry of ips has one of cidr, not and vpcSubnet", fix, judge(func(ip ExposedIP) string {
			if exactlyOne(ip.CIDR != "", ip.Not != "", ip.VPCSubnet != "") {
				return ""
			}
			return fmt.Sprintf("cidr %q, not %q, vpcSubnet %q", ip.CIDR, ip.Not, ip.VPCSubnet)
		})),
		rule("gateway-expose-as", Error, on("GatewayPeering spec.peering.*.expose[].as[]"), "an entry of as has one of cidr and not", fix, judge(func(as ExposedAs) string {
			if exactlyOne(as.CIDR != "", as.Not != "") {
				return ""
			}
			return fmt.Sprintf("cidr %q, not %q", as.CIDR, as.Not)
		})),
		rule("gateway-nat", Error, on("GatewayPeering spec.peering.*.expose[].nat"), "nat is one of masquerade, portForward and static", fix, judge(func(n NAT) string {
			if exactlyOne(n.Masquerade != nil, n.PortForward != nil, n.Static != nil) {
				return ""
			}
			return "none or more than one of them"
		})),
		rule("gateway-idle-timeout", Error, on("GatewayPeering spec.peering.*.expose[].nat.masquerade.idleTimeout", "GatewayPeering spec.peering.*.expose[].nat.portForward.idleTimeout"),
			"an idle timeout is a duration, as 2m0s", fix, text(func(s string) string {
				if _, err := time.ParseDuration(s); err != nil {
					return strconv.Quote(s)
				}
				return ""
			})),
		rule("gateway-proto", Error, on("GatewayPeering spec.peering.*.expose[].nat.portForward.ports[].proto", "GatewayPeering spec.acl.rules[].match.proto"),
			"the protocol is tcp or udp, or left out for both", fix, oneOf("tcp", "udp")),
		rule("gateway-ports", Error, on("GatewayPeering spec.peering.*.expose[].nat.portForward.ports[].port", "GatewayPeering spec.peering.*.expose[].nat.portForward.ports[].as",
			"GatewayPeering spec.acl.rules[].match.src[].ports[]", "GatewayPeering spec.acl.rules[].match.dst[].ports[]"),
			"ports are numbers 1 to 65535 and ranges of them, as 80, 443 or 3000-3100", fix, text(badPorts)),
		rule("gateway-acl-default", Error, on("GatewayPeering spec.acl.default"), "the default is deny or deny-unless-exposed", fix, oneOf("deny", "deny-unless-exposed")),
		rule("gateway-acl-action", Error, on("GatewayPeering spec.acl.rules[].action"), "the action is allow or deny", fix, oneOf("allow", "deny")),
		rule("gateway-acl-scope", Error, on("GatewayPeering spec.acl.rules[].scope"), "the scope is flow or packet", fix, oneOf("flow", "packet")),
		rule("gateway-acl-endpoint", Error, on("GatewayPeering spec.acl.rules[].match.src[]", "GatewayPeering spec.acl.rules[].match.dst[]"), "cidr and vpcSubnet exclude each other", remove, judge(func(e PeeringACLEndpoint) string {
			if e.CIDR != "" && e.VPCSubnet != "" {
				return fmt.Sprintf("both %q and %q", e.CIDR, e.VPCSubnet)
			}
			return ""
		})),
	}
}

// badLengths reports whether a range of prefix lengths is none; 0 is unset.
func badLengths(least, most uint8) bool {
	return least > 32 || most > 32 || most != 0 && least > most
}

// types returns the names of the connection's types: one, in a good connection.
func (s *ConnectionSpec) types() []string {
	var names []string
	v := reflect.ValueOf(s).Elem()
	for _, f := range specStructs()[v.Type()].fields {
		if !v.Field(f.index).IsNil() {
			names = append(names, f.name)
		}
	}
	return names
}

// portFields returns the fields of a connection that are ports.
func portFields() []string {
	var fields []string
	var walk func(t reflect.Type, path string)
	walk = func(t reflect.Type, path string) {
		switch t.Kind() {
		case reflect.Pointer:
			walk(t.Elem(), path)
		case reflect.Slice:
			walk(t.Elem(), path+"[]")
		case reflect.Struct:
			for _, f := range specStructs()[t].fields {
				walk(t.Field(f.index).Type, path+"."+f.name)
			}
		default:
			if t == reflect.TypeFor[Port]() {
				fields = append(fields, path)
			}
		}
	}
	walk(reflect.TypeFor[ConnectionSpec](), "Connection spec")
	return fields
}

// badLabels judges people's labels by Kubernetes' syntax.
func badLabels(labels map[string]string, found finder) {
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		if text := badQualifiedName(key); text != "" {
			found("."+key, "keyed by a name that is "+text)
		}
		if text := labelText(reflect.ValueOf(labels[key])); text != "" {
			found("."+key, text+" at "+strconv.Quote(key))
		}
	}
}

// badPorts judges a list of ports and ranges.
func badPorts(list string) string {
	for entry := range strings.SplitSeq(list, ",") {
		first, last, isRange := strings.Cut(strings.TrimSpace(entry), "-")
		from, err := strconv.ParseUint(strings.TrimSpace(first), 10, 16)
		to := from
		if isRange && err == nil {
			to, err = strconv.ParseUint(strings.TrimSpace(last), 10, 16)
		}
		if err != nil || from == 0 || to < from {
			return strconv.Quote(list)
		}
	}
	return ""
}

// badQualifiedName judges the key of a label or annotation: a name, or a domain,
// a slash and a name.
func badQualifiedName(key string) string {
	prefix, name, ok := strings.Cut(key, "/")
	if !ok {
		prefix, name = "", key
	}
	if ok && prefix == "" || name == "" {
		return strconv.Quote(key)
	}
	if found := nameText(reflect.ValueOf(prefix)); found != "" {
		return found
	}
	return labelText(reflect.ValueOf(name))
}
