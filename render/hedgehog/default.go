package hedgehog

import (
	"cmp"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The values that the cluster's webhooks fill in where a spec says nothing.
const (
	defaultIdleTimeout = 2 * time.Minute
	defaultMTU         = 9036
	defaultLease       = 3600
	defaultWorkers     = 4
)

// Default fills and normalises the object as the mutating webhooks of release
// 26.03 do when it is stored, so that what stands in Git is what the cluster
// holds. It is idempotent, keeps what it cannot parse as it is, and leaves
// leftovers beside the list items that they belong to. Objects of an unknown
// kind are not touched but for their namespace.
//
// Labels and annotations that webhooks would set are not added: see [Decoder].
func Default(o *Object) {
	if o.Namespace == "" {
		o.Namespace = Namespace
	}
	d := newDefaulter(o)
	switch spec := o.Spec.(type) {
	case *VLANNamespaceSpec:
		for i := range spec.Ranges {
			if r := &spec.Ranges[i]; r.To == 0 {
				r.To = r.From
			}
		}
	case *IPv4NamespaceSpec:
		sortList(d, spec.Subnets, strings.Compare, "spec", "subnets")
	case *SwitchSpec:
		d.defaultSwitch(spec)
	case *VPCSpec:
		d.defaultVPC(spec)
	case *VPCAttachmentSpec:
		if spec.Subnet != "" && !strings.Contains(spec.Subnet, "/") {
			spec.Subnet += "/default"
		}
	case *ExternalSpec:
		spec.IPv4Namespace = cmp.Or(spec.IPv4Namespace, "default")
	case *ExternalPeeringSpec:
		sortList(d, spec.Permit.VPC.Subnets, strings.Compare, "spec", "permit", "vpc", "subnets")
		sortList(d, spec.Permit.External.Prefixes,
			func(a, b PermitPrefix) int { return cmp.Compare(a.Prefix, b.Prefix) }, "spec", "permit", "external", "prefixes")
	case *GatewaySpec:
		d.defaultGateway(spec)
	case *GatewayPeeringSpec:
		defaultGatewayPeering(spec)
	}
}

// defaulter sorts the lists of an object; its leftovers follow their items.
type defaulter struct {
	leftovers []Leftover
	below     map[string][]int // path of a list or map -> the leftovers in its items
}

func newDefaulter(o *Object) defaulter {
	d := defaulter{o.Leftovers, map[string][]int{}}
	for i, leftover := range o.Leftovers {
		for n := 1; n < len(leftover.Path); n++ {
			path := pathKey(leftover.Path[:n])
			d.below[path] = append(d.below[path], i)
		}
	}
	return d
}

func pathKey(path []string) string { return strings.Join(path, "\x00") }

// move changes one step of the leftovers' paths, the one after path.
func (d defaulter) move(path []string, place func(step string) string) {
	for _, i := range d.below[pathKey(path)] {
		moved := slices.Clone(d.leftovers[i].Path)
		moved[len(path)] = place(moved[len(path)])
		d.leftovers[i].Path = moved
	}
}

// sortList sorts the list at the path; equal items keep their order.
func sortList[T any](d defaulter, list []T, compare func(a, b T) int, path ...string) {
	if slices.IsSortedFunc(list, compare) {
		return
	}
	order := make([]int, len(list))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return compare(list[a], list[b]) })
	before := slices.Clone(list)
	place := make([]int, len(list)) // of each item, after sorting
	for i, j := range order {
		list[i], place[j] = before[j], i
	}
	d.move(path, func(step string) string {
		if i, err := strconv.Atoi(step); err == nil && i >= 0 && i < len(place) {
			return strconv.Itoa(place[i])
		}
		return step
	})
}

func (d defaulter) defaultSwitch(spec *SwitchSpec) {
	if group := spec.Redundancy.Group; group != "" && !slices.Contains(spec.Groups, group) {
		spec.Groups = append(spec.Groups, group)
	}
	sortList(d, spec.Groups, strings.Compare, "spec", "groups")
	if len(spec.VLANNamespaces) == 0 {
		spec.VLANNamespaces = []string{"default"}
	}
	sortList(d, spec.VLANNamespaces, strings.Compare, "spec", "vlanNamespaces")
	for _, speeds := range []map[string]string{spec.PortGroupSpeeds, spec.PortSpeeds} {
		for port, speed := range speeds {
			for strings.HasPrefix(speed, "SPEED_") {
				speed = strings.TrimPrefix(speed, "SPEED_")
			}
			speeds[port] = speed
		}
	}
	if flap := spec.LinkFlapErrDisable; flap != nil {
		if flap.FlapThreshold == nil {
			flap.FlapThreshold = new(uint8(3))
		}
		if flap.SamplingInterval == nil {
			flap.SamplingInterval = new(uint32(30))
		}
		if flap.RecoveryInterval == nil {
			flap.RecoveryInterval = new(uint32(300))
		}
	}
}

func (d defaulter) defaultVPC(spec *VPCSpec) {
	spec.IPv4Namespace = cmp.Or(spec.IPv4Namespace, "default")
	spec.VLANNamespace = cmp.Or(spec.VLANNamespace, "default")
	for name, subnet := range spec.Subnets {
		if subnet != nil {
			d.defaultSubnet(subnet, "spec", "subnets", name)
		}
	}
}

func (d defaulter) defaultSubnet(subnet *VPCSubnet, path ...string) {
	prefix, err := netip.ParsePrefix(subnet.Subnet)
	if err != nil {
		return
	}
	network := prefix.Masked().Addr()
	if subnet.Gateway == "" && !subnet.HostBGP {
		subnet.Gateway = network.Next().String()
	}
	if prefix.Bits() > 30 {
		return // no room for anybody else
	}
	dhcp := &subnet.DHCP
	at := func(steps ...string) []string { return append(slices.Clone(path), steps...) }
	d.normalMACs(dhcp.Static, at("dhcp", "static")...)
	if !dhcp.Enable {
		dhcp.Range, dhcp.Options = nil, nil
		return
	}
	if dhcp.Range == nil {
		dhcp.Range = &DHCPRange{}
	}
	dhcp.Range.Start = cmp.Or(dhcp.Range.Start, network.Next().Next().String())
	dhcp.Range.End = cmp.Or(dhcp.Range.End, lastAddress(prefix).String())
	options := dhcp.Options
	if options == nil {
		return
	}
	if options.isEmpty() {
		dhcp.Options = nil
		return
	}
	options.InterfaceMTU = cmp.Or(options.InterfaceMTU, defaultMTU)
	options.LeaseTimeSeconds = cmp.Or(options.LeaseTimeSeconds, defaultLease)
	if options.DNSServers == nil {
		options.DNSServers = []string{}
	}
	if options.TimeServers == nil {
		options.TimeServers = []string{}
	}
	sortList(d, options.DNSServers, strings.Compare, at("dhcp", "options", "dnsServers")...)
	sortList(d, options.TimeServers, strings.Compare, at("dhcp", "options", "timeServers")...)
	sortList(d, options.AdvertisedRoutes, func(a, b DHCPRoute) int {
		return cmp.Or(cmp.Compare(a.Destination, b.Destination), cmp.Compare(a.Gateway, b.Gateway))
	}, at("dhcp", "options", "advertisedRoutes")...)
}

// isEmpty reports whether nothing is asked for.
func (o *DHCPOptions) isEmpty() bool {
	return o.PXEURL == "" && len(o.DNSServers) == 0 && len(o.TimeServers) == 0 && o.InterfaceMTU == 0 &&
		o.LeaseTimeSeconds == 0 && !o.DisableDefaultRoute && len(o.AdvertisedRoutes) == 0
}

// lastAddress returns the last address of the network: for IPv4 its broadcast.
func lastAddress(prefix netip.Prefix) netip.Addr {
	bytes := prefix.Masked().Addr().AsSlice()
	for bit := prefix.Bits(); bit < 8*len(bytes); bit++ {
		bytes[bit/8] |= 0x80 >> (bit % 8)
	}
	last, _ := netip.AddrFromSlice(bytes)
	return last
}

// normalMACs writes the keys of the map at the path in lower case with colons.
// Two spellings of one MAC both stay as they are.
func (d defaulter) normalMACs(static map[string]DHCPStatic, path ...string) {
	spellings := map[string][]string{}
	for key := range static {
		if mac, err := net.ParseMAC(key); err == nil {
			spellings[mac.String()] = append(spellings[mac.String()], key)
		}
	}
	renamed := map[string]string{}
	for normal, keys := range spellings {
		if key := keys[0]; len(keys) == 1 && key != normal {
			static[normal] = static[key]
			delete(static, key)
			renamed[key] = normal
		}
	}
	d.move(path, func(step string) string { return cmp.Or(renamed[step], step) })
}

func (d defaulter) defaultGateway(spec *GatewaySpec) {
	spec.Logs.Default = cmp.Or(spec.Logs.Default, "info")
	if len(spec.Logs.Tags) == 0 {
		spec.Logs.Tags = map[string]string{"all": "info"}
	}
	spec.Workers = cmp.Or(spec.Workers, defaultWorkers)
	if len(spec.Groups) == 0 {
		spec.Groups = []GatewayMembership{{Name: "default"}}
	}
	sortList(d, spec.Groups, func(a, b GatewayMembership) int { return cmp.Compare(a.Name, b.Name) }, "spec", "groups")
}

func defaultGatewayPeering(spec *GatewayPeeringSpec) {
	if len(spec.Peering) != 2 {
		return // webhooks do not go further, either
	}
	spec.GatewayGroup = cmp.Or(spec.GatewayGroup, "default")
	for _, side := range spec.Peering {
		if side == nil {
			continue
		}
		for i := range side.Expose {
			nat := side.Expose[i].NAT
			if nat == nil {
				continue
			}
			if nat.Masquerade != nil {
				nat.Masquerade.IdleTimeout = idleTimeout(nat.Masquerade.IdleTimeout)
			}
			if nat.PortForward != nil {
				nat.PortForward.IdleTimeout = idleTimeout(nat.PortForward.IdleTimeout)
			}
		}
	}
	if acl := spec.ACL; acl != nil {
		acl.Default = cmp.Or(acl.Default, "deny-unless-exposed")
		for i := range acl.Rules {
			acl.Rules[i].Scope = cmp.Or(acl.Rules[i].Scope, "flow")
		}
	}
}

// idleTimeout returns the duration as Kubernetes writes it: 90s is 1m30s. None,
// and none at all, is two minutes.
func idleTimeout(text string) string {
	duration, err := time.ParseDuration(text)
	switch {
	case text == "" || err == nil && duration == 0:
		return defaultIdleTimeout.String()
	case err != nil:
		return text
	}
	return duration.String()
}
