package hedgehog

import (
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strings"
)

const spine = "spine"

// switches judges switches against their profiles, groups and namespaces.
func (v *validator) switches() {
	booted := map[string]*Object{}
	boots := func(o *Object, field, value string) {
		key := field + value
		if before := booted[key]; value != "" && before != nil {
			v.report("switch-boot-duplicate", o, field, "%s is that of %s", value, other(before))
		} else if value != "" {
			booted[key] = o
		}
	}
	for o, s := range Each[*SwitchSpec](v.fabric) {
		boots(o, "spec.boot.mac", normalMAC(s.Boot.MAC))
		boots(o, "spec.boot.serial", s.Boot.Serial)
		if s.Boot == (SwitchBoot{}) {
			v.report("switch-boot-missing", o, "spec.boot", "no MAC and no serial number")
		}
		v.switchGroups(o, s)
		v.late(o, "spec.portFECs", len(s.PortFECs) > 0)
		v.late(o, "spec.linkFlapErrDisable", s.LinkFlapErrDisable != nil)
		p := v.profile(s.Profile)
		if p == nil {
			if s.Profile != "" {
				v.report("switch-profile-unknown", o, "spec.profile", "profile %q", s.Profile)
			}
			continue
		}
		v.switchFeatures(o, s, p)
		v.switchPorts(o, s, p)
	}
}

// normalMAC returns a MAC in lower case with colons; what is none stays.
func normalMAC(text string) string {
	mac, err := net.ParseMAC(text)
	if err != nil {
		return text
	}
	return mac.String()
}

func (v *validator) switchGroups(o *Object, s *SwitchSpec) {
	for i, name := range s.Groups {
		if name != "" && v.fabric.Get(KindSwitchGroup, name) == nil {
			v.report("switch-group-unknown", o, fmt.Sprintf("spec.groups[%d]", i), "switch group %q", name)
		}
	}
	if group := s.Redundancy.Group; group != "" && !slices.Contains(s.Groups, group) && v.fabric.Get(KindSwitchGroup, group) == nil {
		v.report("switch-group-unknown", o, "spec.redundancy.group", "switch group %q", group)
	}
	var spans []ranged
	for i, name := range vlanNamespaces(s) {
		namespace := spec[*VLANNamespaceSpec](v, KindVLANNamespace, name)
		if namespace == nil {
			if name != "" {
				v.report("switch-vlan-namespace-unknown", o, fmt.Sprintf("spec.vlanNamespaces[%d]", i), "VLAN namespace %q", name)
			}
			continue
		}
		for _, r := range namespace.Ranges {
			if r.valid() {
				spans = append(spans, ranged{r, name, fmt.Sprintf("spec.vlanNamespaces[%d]", i)})
			}
		}
	}
	meetings(spans, func(r, before ranged) {
		if r.owner != before.owner {
			v.report("switch-vlan-namespaces-overlap", o, r.field, "VLANs %s of %s meet %s of %s", r.text(), r.owner, before.text(), before.owner)
		}
	})
}

// vlanNamespaces returns the VLAN namespaces of a switch, [default] when none
// is given.
func vlanNamespaces(s *SwitchSpec) []string {
	if len(s.VLANNamespaces) == 0 {
		return []string{orDefault("")}
	}
	return s.VLANNamespaces
}

func (v *validator) switchFeatures(o *Object, s *SwitchSpec, p *Profile) {
	switch s.Redundancy.Type {
	case "eslag":
		if !p.Features.ESLAG {
			v.report("switch-redundancy-unsupported", o, "spec.redundancy.type", "eslag on %s", p.Name)
		}
	case "mclag":
		if !v.before("26.03") {
			v.report("switch-mclag-gone", o, "spec.redundancy.type", "mclag")
		} else if !p.Features.MCLAG {
			v.report("switch-redundancy-unsupported", o, "spec.redundancy.type", "mclag on %s", p.Name)
		}
	}
	if s.RoCE && !p.Features.RoCE {
		v.report("switch-roce-unsupported", o, "spec.roce", "roce on %s", p.Name)
	}
	if s.ECMP.RoCEQPN && !p.Features.ECMPRoCEQPN {
		v.report("switch-roce-qpn-unsupported", o, "spec.ecmp.roceQPN", "roceQPN on %s", p.Name)
	}
}

// plainSpeed returns 25G for SPEED_25G, as the webhook stores it.
func plainSpeed(speed string) string {
	for strings.HasPrefix(speed, "SPEED_") {
		speed = strings.TrimPrefix(speed, "SPEED_")
	}
	return speed
}

func (v *validator) switchPorts(o *Object, s *SwitchSpec, p *Profile) {
	unknown := func(field, name string) {
		v.report("switch-port-unknown", o, field+"."+name, "port %q of %s", name, p.Name)
	}
	for _, name := range slices.Sorted(maps.Keys(s.PortSpeeds)) {
		port, ok := p.Port(name)
		speed := plainSpeed(s.PortSpeeds[name])
		switch {
		case !ok || port.Management:
			unknown("spec.portSpeeds", name)
		case port.Group != "" || !port.Type.SupportsSpeed(speed):
			v.report("switch-port-speed", o, "spec.portSpeeds."+name, "speed %q of port %s on %s", speed, name, p.Name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.PortGroupSpeeds)) {
		speed := plainSpeed(s.PortGroupSpeeds[name])
		if group, ok := p.Group(name); !ok || !group.Type.SupportsSpeed(speed) {
			v.report("switch-group-speed", o, "spec.portGroupSpeeds."+name, "speed %q of port group %s on %s", speed, name, p.Name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.PortBreakouts)) {
		port, ok := p.Port(name)
		if !ok || port.Management {
			unknown("spec.portBreakouts", name)
		} else if _, supported := port.Type.Breakout(s.PortBreakouts[name]); !supported {
			v.report("switch-port-breakout", o, "spec.portBreakouts."+name, "breakout %q of port %s on %s", s.PortBreakouts[name], name, p.Name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.PortAutoNegs)) {
		if !p.HasPort(name, s.PortBreakouts) {
			unknown("spec.portAutoNegs", name)
		} else if allowed, _ := p.AutoNeg(name, s.PortBreakouts); !allowed {
			v.report("switch-port-autoneg", o, "spec.portAutoNegs."+name, "auto-negotiation of port %s on %s", name, p.Name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.PortFECs)) {
		port, lane, ok := p.PortOf(name)
		mode, _ := port.Breakout(s.PortBreakouts)
		switch {
		case !ok || port.Management || !p.HasPort(name, s.PortBreakouts):
			unknown("spec.portFECs", name)
		case lane == 0 && len(mode.Offsets) > 1:
			v.report("switch-port-fec", o, "spec.portFECs."+name, "port %s is broken out as %s", name, mode.Name)
		}
	}
	count := p.CountPorts(s.PortBreakouts)
	if p.MaxPorts > 0 && count.Total > p.MaxPorts {
		v.report("switch-ports-exceeded", o, "spec.portBreakouts", "%d lanes, %s has %d", count.Total, p.Name, p.MaxPorts)
	}
	for _, pipeline := range p.Pipelines {
		if n := count.Pipelines[pipeline.Name]; n > pipeline.MaxPorts {
			v.report("switch-pipeline-exceeded", o, "spec.portBreakouts", "%d lanes in pipeline %s of %s, which has %d", n, pipeline.Name, p.Name, pipeline.MaxPorts)
		}
	}
}

// gateways judges gateways by themselves.
func (v *validator) gateways() {
	if !v.settings.Gateway {
		for o := range v.fabric.All() {
			if o.Kind == KindGateway || o.Kind == KindGatewayGroup || o.Kind == KindGatewayPeering {
				v.report("gateway-disabled", o, "metadata.name", "%s", o.Key())
			}
		}
	}
	macs := map[string]*Object{}
	for o, s := range Each[*GatewaySpec](v.fabric) {
		v.late(o, "spec.logs.rateLimit", len(s.Logs.RateLimit) > 0)
		for i, group := range s.Groups {
			v.gatewayGroup(o, fmt.Sprintf("spec.groups[%d].name", i), group.Name)
		}
		mac := normalMAC(s.VTEPMAC)
		if before := macs[mac]; mac != "" && before != nil {
			v.report("gateway-mac-duplicate", o, "spec.vtepMAC", "%s is that of %s", s.VTEPMAC, other(before))
		} else if mac != "" {
			macs[mac] = o
		}
	}
}

// gatewayGroup wants a gateway group to exist; the cluster makes default.
func (v *validator) gatewayGroup(o *Object, field, name string) {
	name = orDefault(name)
	switch {
	case v.fabric.Get(KindGatewayGroup, name) != nil:
	case name != orDefault(""):
		v.report("gateway-group-unknown", o, field, "gateway group %q", name)
	case v.settings.Target == TargetInstaller && !v.groupTold:
		v.groupTold = true
		v.report("gateway-group-default", o, field, "gateway group %q", name)
	}
}

// addresses judges what hydration fills: it is all there or not at all, in the
// pools of the installation, and nobody's twice.
func (v *validator) addresses() {
	var missing []func()
	filled := 0
	want := func(o *Object, field string, has bool) {
		if has {
			filled++
			return
		}
		missing = append(missing, func() { v.report("address-missing", o, field, "%s is missing", field) })
	}
	var first *Object
	for o, s := range Each[*SwitchSpec](v.fabric) {
		if first == nil {
			first = o
		}
		want(o, "spec.asn", s.ASN != 0)
		want(o, "spec.ip", s.IP != "")
		want(o, "spec.protocolIP", s.ProtocolIP != "")
		if s.Role != spine {
			want(o, "spec.vtepIP", s.VTEPIP != "")
		}
	}
	for o, s := range Each[*GatewaySpec](v.fabric) {
		if first == nil {
			first = o
		}
		want(o, "spec.asn", s.ASN != 0)
		want(o, "spec.protocolIP", s.ProtocolIP != "")
		want(o, "spec.vtepIP", s.VTEPIP != "")
		want(o, "spec.vtepMAC", s.VTEPMAC != "")
		// The installer fills these for the links of the gateway: they come with the
		// addresses above, and are no sign of them.
		for _, name := range slices.Sorted(maps.Keys(s.Interfaces)) {
			if len(s.Interfaces[name].IPs) == 0 {
				want(o, "spec.interfaces."+name+".ips", false)
			}
		}
		if len(s.Neighbors) == 0 {
			want(o, "spec.neighbors", false)
		}
	}
	for o, s := range Each[*ConnectionSpec](v.fabric) {
		for _, l := range s.addressed() {
			if first == nil {
				first = o
			}
			want(o, l.field+"."+l.names[0]+".ip", l.ends[0].IP != "")
			want(o, l.field+"."+l.names[1]+".ip", l.ends[1].IP != "")
		}
	}
	switch {
	case len(missing) == 0:
	case filled == 0 && v.settings.Target == TargetInstaller:
		v.report("addresses-allocated", first, "spec", "nothing is addressed")
	default:
		for _, report := range missing {
			report()
		}
	}
	v.switchAddresses()
	v.linkAddresses()
}

func (v *validator) switchAddresses() {
	pools := v.settings.Pools
	type owner struct {
		object *Object
		pair   string // the MCLAG group, whose two switches share
	}
	taken := map[string]owner{}
	unique := func(rule string, o *Object, field, key, pair string) {
		before, ok := taken[rule+" "+key]
		switch {
		case !ok:
			taken[rule+" "+key] = owner{o, pair}
		case pair == "" || pair != before.pair:
			v.report(rule, o, field, "%s is that of %s", key, other(before.object))
		}
	}
	loopback := func(o *Object, name, text string, pool netip.Prefix, pair string) {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			return
		}
		rule := "protocol-ip"
		if name == "vtepIP" {
			rule = "vtep-ip"
		}
		if pool.IsValid() && !pool.Contains(p.Addr()) {
			v.report(rule+"-pool", o, "spec."+name, "%s is not in %s", p.Addr(), pool)
		}
		unique(rule+"-duplicate", o, "spec."+name, p.Addr().String(), pair)
	}
	peers := map[string]*Object{}
	for o, s := range Each[*SwitchSpec](v.fabric) {
		pair := ""
		if s.Redundancy.Type == "mclag" && v.before("26.03") {
			pair = s.Redundancy.Group
			if first := peers[pair]; first != nil {
				v.mclagPeers(first, o)
			} else {
				peers[pair] = o
			}
		}
		if p, err := netip.ParsePrefix(s.IP); err == nil {
			if a, m := p.Addr(), pools.ManagementSubnet; m.IsValid() && (!m.Contains(a) || a == m.Masked().Addr().Next() || pools.ManagementDHCPStart.IsValid() && !a.Less(pools.ManagementDHCPStart)) {
				v.report("switch-ip-pool", o, "spec.ip", "%s for %s, with DHCP from %s", a, m, pools.ManagementDHCPStart)
			}
			unique("switch-ip-duplicate", o, "spec.ip", p.Addr().String(), "")
		}
		loopback(o, "protocolIP", s.ProtocolIP, pools.ProtocolSubnet, "")
		switch {
		case s.Role == spine:
			if s.VTEPIP != "" {
				v.report("switch-vtep-spine", o, "spec.vtepIP", "%s on a spine", s.VTEPIP)
			}
			if s.ASN != 0 && s.ASN != pools.SpineASN {
				v.report("switch-asn-spine", o, "spec.asn", "AS %d instead of %d", s.ASN, pools.SpineASN)
			}
		case s.Role != "":
			loopback(o, "vtepIP", s.VTEPIP, pools.VTEPSubnet, pair)
			if s.ASN != 0 {
				if s.ASN < pools.LeafASNStart || s.ASN > pools.LeafASNEnd {
					v.report("switch-asn-leaf", o, "spec.asn", "AS %d for %d to %d", s.ASN, pools.LeafASNStart, pools.LeafASNEnd)
				}
				unique("switch-asn-duplicate", o, "spec.asn", fmt.Sprint("AS ", s.ASN), pair)
			}
		}
	}
	for o, s := range Each[*GatewaySpec](v.fabric) {
		loopback(o, "protocolIP", s.ProtocolIP, pools.ProtocolSubnet, "")
		loopback(o, "vtepIP", s.VTEPIP, pools.VTEPSubnet, "")
	}
}

// mclagPeers wants what the two switches of an MCLAG must share.
func (v *validator) mclagPeers(first, second *Object) {
	a, okA := first.Spec.(*SwitchSpec)
	b, okB := second.Spec.(*SwitchSpec)
	if !okA || !okB {
		return
	}
	if a.ASN != 0 && b.ASN != 0 && a.ASN != b.ASN {
		v.report("switch-mclag-peers", second, "spec.asn", "AS %d, where %s has %d", b.ASN, other(first), a.ASN)
	}
	if a.VTEPIP != "" && b.VTEPIP != "" && a.VTEPIP != b.VTEPIP {
		v.report("switch-mclag-peers", second, "spec.vtepIP", "%s, where %s has %s", b.VTEPIP, other(first), a.VTEPIP)
	}
}

func (v *validator) linkAddresses() {
	pool := v.settings.Pools.FabricSubnet
	taken := map[netip.Prefix]*Object{}
	for o, s := range Each[*ConnectionSpec](v.fabric) {
		for _, l := range s.addressed() {
			a, errA := netip.ParsePrefix(l.ends[0].IP)
			b, errB := netip.ParsePrefix(l.ends[1].IP)
			if errA != nil || errB != nil || a.Bits() != 31 || b.Bits() != 31 {
				continue
			}
			if a.Masked() != b.Masked() || a.Addr() == b.Addr() {
				v.report("link-subnet", o, l.field+"."+l.names[1]+".ip", "%s with %s", a, b)
				continue
			}
			first := l.field + "." + l.names[0] + ".ip"
			if pool.IsValid() && !within(a, []netip.Prefix{pool}) {
				v.report("link-pool", o, first, "%s is not in %s", a, pool)
			}
			if before := taken[a.Masked()]; before != nil {
				v.report("link-duplicate", o, first, "%s is that of %s", a.Masked(), other(before))
			} else {
				taken[a.Masked()] = o
			}
		}
	}
}
