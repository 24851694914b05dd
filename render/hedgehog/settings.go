package hedgehog

import "net/netip"

// Settings are what an installation of Hedgehog was configured with, and what
// its manifests are judged against. [DefaultSettings] gives those of an
// installation that changed nothing.
type Settings struct {
	// FabricVersion is the release that the cluster runs: "26.03", or "26.02",
	// which still knows MCLAG.
	FabricVersion string
	// Target says who gets the manifests.
	Target Target
	// Gateway reports whether the installation has gateways enabled; the gateway
	// kinds are refused where it has not.
	Gateway bool
	// FabricMTU is that of the links between switches; servers have 64 less, for the
	// encapsulation. 0 is not checked.
	FabricMTU uint16
	Pools     Pools
}

// Target says who gets the manifests, which decides whether addresses must be
// in them.
type Target string

const (
	// TargetCluster is a running cluster: its webhooks demand all addresses.
	TargetCluster Target = "cluster"
	// TargetInstaller is hhfab, which allocates addresses where a wiring has none.
	TargetInstaller Target = "installer"
)

// Pools are the networks and numbers that an installation gave its fabric.
type Pools struct {
	ManagementSubnet netip.Prefix
	// ManagementDHCPStart bounds the addresses of switches from above.
	ManagementDHCPStart netip.Addr
	ProtocolSubnet      netip.Prefix
	VTEPSubnet          netip.Prefix
	FabricSubnet        netip.Prefix
	// ReservedSubnets are further networks that VPCs must avoid.
	ReservedSubnets []netip.Prefix
	SpineASN        uint32
	LeafASNStart    uint32
	LeafASNEnd      uint32
	GatewayASN      uint32
	// ReservedVLANs are ids that VLAN namespaces must avoid.
	ReservedVLANs []VLANRange
}

// encapsulation is what the fabric adds to a server's packet, in bytes.
const encapsulation = 64

// ServerMTU is the largest packet of a server in bytes; 0 when it is not known.
func (s Settings) ServerMTU() uint16 {
	if s.FabricMTU <= encapsulation {
		return 0
	}
	return s.FabricMTU - encapsulation
}

// DefaultSettings returns the settings of an installation that changed nothing:
// release 26.03, a running cluster, gateways enabled.
func DefaultSettings() Settings {
	return Settings{
		FabricVersion: "26.03",
		Target:        TargetCluster,
		Gateway:       true,
		FabricMTU:     9100,
		Pools: Pools{
			ManagementSubnet:    netip.MustParsePrefix("172.30.0.0/21"),
			ManagementDHCPStart: netip.MustParseAddr("172.30.4.0"),
			ProtocolSubnet:      netip.MustParsePrefix("172.30.8.0/22"),
			VTEPSubnet:          netip.MustParsePrefix("172.30.12.0/22"),
			FabricSubnet:        netip.MustParsePrefix("172.30.128.0/17"),
			ReservedSubnets: []netip.Prefix{
				netip.MustParsePrefix("172.30.16.0/22"), // proxied externals
				netip.MustParsePrefix("172.30.96.0/19"), // VPC workaround
				netip.MustParsePrefix("172.30.95.0/31"), // MCLAG sessions
			},
			SpineASN:      65100,
			LeafASNStart:  65101,
			LeafASNEnd:    65533,
			GatewayASN:    65534,
			ReservedVLANs: []VLANRange{{From: 3000, To: 3899}, {From: 3900, To: 3999}},
		},
	}
}
