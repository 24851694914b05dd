package rollout

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"hedgehog-gitops/render/hedgehog"
)

// spares finds values that nobody has, neither before nor after.
type spares struct {
	graph    *graph
	settings hedgehog.Settings
	taken    map[hedgehog.Claim]bool
	networks map[string][]netip.Prefix // by IPv4 namespace
}

func newSpares(g *graph, settings hedgehog.Settings) *spares {
	s := &spares{graph: g, settings: settings, taken: map[hedgehog.Claim]bool{}, networks: map[string][]netip.Prefix{}}
	for _, fabric := range []*hedgehog.Fabric{g.merged.Objects, g.wanted.Objects} {
		for o := range fabric.All() {
			for c := range hedgehog.Claims(o) {
				if s.taken[c] {
					continue
				}
				s.taken[c] = true
				if c.Kind == hedgehog.ClaimNetwork {
					namespace, text, _ := strings.Cut(c.What, " ")
					if p, err := netip.ParsePrefix(text); err == nil {
						s.networks[namespace] = append(s.networks[namespace], p)
					}
				}
			}
		}
	}
	return s
}

// field is where an object has what it gives up.
func (s *spares) field(c *change, claim hedgehog.Claim) string {
	return hedgehog.Claims(c.before)[claim]
}

// instead returns a free value of the kind that an object gives up, with what people call
// it, and takes it.
func (s *spares) instead(c *change, claim hedgehog.Claim) string {
	found := ""
	switch claim.Kind {
	case hedgehog.ClaimASN:
		found = s.number(hedgehog.ClaimASN, "", s.settings.Pools.LeafASNStart, s.settings.Pools.LeafASNEnd)
	case hedgehog.ClaimVLAN:
		namespace, _, _ := strings.Cut(claim.What, " ")
		if o := s.graph.wanted.Objects.Get(hedgehog.KindVLANNamespace, namespace); o != nil {
			if v, ok := o.Spec.(*hedgehog.VLANNamespaceSpec); ok {
				for _, r := range v.Ranges {
					if found = s.number(hedgehog.ClaimVLAN, namespace+" ", uint32(r.From), uint32(max(r.From, r.To))); found != "" {
						break
					}
				}
			}
		}
	case hedgehog.ClaimTag:
		if c.key.Kind == hedgehog.KindExternalAttachment {
			connection, _, _ := strings.Cut(claim.What, " ")
			if found = s.number(hedgehog.ClaimTag, connection+" ", 1, 4094); found != "" {
				return "VLAN " + found + " on " + connection
			}
		}
		return "another subnet than " + claim.String()
	case hedgehog.ClaimAddress:
		found = s.address(c, claim)
	case hedgehog.ClaimNetwork:
		found = s.network(claim)
	case hedgehog.ClaimPort:
		found = s.port(claim)
	}
	if found == "" {
		return "another " + string(claim.Kind) + " than " + strings.TrimPrefix(claim.String(), string(claim.Kind)+" ") + " and what others have"
	}
	return string(claim.Kind) + " " + found + ", which is free,"
}

// number returns the first free number from one to another.
func (s *spares) number(kind hedgehog.ClaimKind, prefix string, from, to uint32) string {
	for n := from; n > 0 && n <= to; n++ {
		text := strconv.FormatUint(uint64(n), 10)
		if c := (hedgehog.Claim{Kind: kind, What: prefix + text}); !s.taken[c] {
			s.taken[c] = true
			return text
		}
	}
	return ""
}

// address returns a free address of the pool that the field is filled from.
func (s *spares) address(c *change, claim hedgehog.Claim) string {
	pools := s.settings.Pools
	field := s.field(c, claim)
	pool, bits, end := netip.Prefix{}, "", netip.Addr{}
	switch {
	case field == "spec.ip":
		pool, end = pools.ManagementSubnet, pools.ManagementDHCPStart
		bits = "/" + strconv.Itoa(pool.Bits())
	case field == "spec.protocolIP":
		pool, bits = pools.ProtocolSubnet, "/32"
	case field == "spec.vtepIP":
		pool, bits = pools.VTEPSubnet, "/32"
	case strings.HasSuffix(field, ".ip"):
		return s.link()
	}
	if !pool.IsValid() {
		return ""
	}
	for a := pool.Masked().Addr().Next().Next(); pool.Contains(a) && (!end.IsValid() || a.Less(end)); a = a.Next() {
		if s.take(a) {
			return a.String() + bits
		}
	}
	return ""
}

func (s *spares) take(a netip.Addr) bool {
	c := hedgehog.Claim{Kind: hedgehog.ClaimAddress, What: a.String()}
	if s.taken[c] {
		return false
	}
	s.taken[c] = true
	return true
}

// link returns a free /31 of the links between switches.
func (s *spares) link() string {
	pool := s.settings.Pools.FabricSubnet
	if !pool.IsValid() {
		return ""
	}
	for a := pool.Masked().Addr(); pool.Contains(a); a = a.Next().Next() {
		other := hedgehog.Claim{Kind: hedgehog.ClaimAddress, What: a.Next().String()}
		if !s.taken[other] && s.take(a) {
			s.taken[other] = true
			return netip.PrefixFrom(a, 31).String() + " of a link"
		}
	}
	return ""
}

// mostNetworks is how many networks of a pool are tried.
const mostNetworks = 1 << 16

// network returns a free network of the same size.
func (s *spares) network(claim hedgehog.Claim) string {
	namespace, text, _ := strings.Cut(claim.What, " ")
	like, err := netip.ParsePrefix(text)
	o := s.graph.wanted.Objects.Get(hedgehog.KindIPv4Namespace, namespace)
	if err != nil || o == nil {
		return ""
	}
	spec, ok := o.Spec.(*hedgehog.IPv4NamespaceSpec)
	if !ok {
		return ""
	}
	for _, pool := range spec.Subnets {
		in, err := netip.ParsePrefix(pool)
		if err != nil || !like.Addr().Is4() || !in.Addr().Is4() || in.Bits() > like.Bits() {
			continue
		}
		start := in.Masked().Addr().As4()
		first := uint64(start[0])<<24 | uint64(start[1])<<16 | uint64(start[2])<<8 | uint64(start[3])
		step := uint64(1) << (32 - like.Bits())
		for i := range uint64(min(mostNetworks, 1<<(like.Bits()-in.Bits()))) {
			n := first + i*step
			p := netip.PrefixFrom(netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}), like.Bits())
			if !slices.ContainsFunc(s.networks[namespace], p.Overlaps) && !slices.ContainsFunc(s.settings.Pools.ReservedSubnets, p.Overlaps) {
				s.networks[namespace] = append(s.networks[namespace], p)
				return p.String()
			}
		}
	}
	return ""
}

// port returns a free port of the same switch.
func (s *spares) port(claim hedgehog.Claim) string {
	device, name, _ := strings.Cut(claim.What, "/")
	o := s.graph.wanted.Objects.Get(hedgehog.KindSwitch, device)
	if o == nil {
		return ""
	}
	sw, ok := o.Spec.(*hedgehog.SwitchSpec)
	if !ok {
		return ""
	}
	profile, ok := hedgehog.ProfileByName(sw.Profile)
	if !ok {
		return ""
	}
	names := profile.PortNames(sw.PortBreakouts)
	taken := func(port string) bool {
		if strings.Count(port, "/") == 2 {
			port = strings.TrimSuffix(port, "/1")
		}
		return s.taken[hedgehog.Claim{Kind: hedgehog.ClaimPort, What: device + "/" + port}]
	}
	for _, port := range names {
		p, _, ok := profile.PortOf(port)
		if !ok || p.Management || strings.Count(port, "/") != strings.Count(name, "/") || taken(port) ||
			slices.ContainsFunc(names, func(lane string) bool { return strings.HasPrefix(lane, port+"/") && taken(lane) }) {
			continue
		}
		s.taken[hedgehog.Claim{Kind: hedgehog.ClaimPort, What: device + "/" + port}] = true
		return device + "/" + port
	}
	return ""
}
