package hedgehog

import "strings"

// VLANNamespaceSpec is a set of VLAN ids that the VPCs of a fabric may use.
type VLANNamespaceSpec struct {
	// Ranges are the VLAN ids, 1..4094; at least one, at most 20, none
	// overlapping. Ids 3000-3999 belong to the fabric by default.
	// +required
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=20
	Ranges []VLANRange `json:"ranges,omitempty"`
}

// VLANRange is an inclusive range of VLAN ids.
type VLANRange struct {
	// From is the first id.
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=4094
	From uint16 `json:"from,omitempty"`
	// To is the last id; it equals From when it is left out.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=4094
	To uint16 `json:"to,omitempty"`
}

// SwitchGroupSpec marks a group of switches; it has no fields.
type SwitchGroupSpec struct{}

// SwitchSpec is a switch of the fabric.
type SwitchSpec struct {
	// Role is spine, server-leaf, border-leaf or mixed-leaf (the CRD also lists
	// virtual-edge, which no code supports).
	// +required
	// +kubebuilder:validation:Enum=spine;server-leaf;border-leaf;mixed-leaf;virtual-edge
	Role string `json:"role,omitempty"`
	// Description is free text.
	Description string `json:"description,omitempty"`
	// Profile names a switch profile, see [ProfileByName].
	// +required
	// +kubebuilder:validation:MinLength=1
	Profile string `json:"profile,omitempty"`
	// Groups are names of SwitchGroups, sorted; the redundancy group is one of them.
	// +kubebuilder:validation:items:MinLength=1
	Groups []string `json:"groups,omitempty"`
	// +optional
	Redundancy SwitchRedundancy `json:"redundancy"`
	// VLANNamespaces are sorted; empty means default.
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:default={"default"}
	VLANNamespaces []string `json:"vlanNamespaces,omitempty"`
	// ASN is the spines' own number on every spine, and one of its own on each
	// leaf.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=4294967295
	ASN uint32 `json:"asn,omitempty"`
	// IP is the management address with its prefix length, as 172.30.0.6/21.
	// +kubebuilder:validation:Pattern=`^([0-9]{1,3}\.){3}[0-9]{1,3}/[0-9]{1,2}$`
	IP string `json:"ip,omitempty"`
	// VTEPIP is a /32; leaves only.
	// +kubebuilder:validation:Pattern=`^([0-9]{1,3}\.){3}[0-9]{1,3}/32$`
	VTEPIP string `json:"vtepIP,omitempty"`
	// ProtocolIP is a /32, the BGP router id.
	// +kubebuilder:validation:Pattern=`^([0-9]{1,3}\.){3}[0-9]{1,3}/32$`
	ProtocolIP string `json:"protocolIP,omitempty"`
	// PortGroupSpeeds maps a port group of the profile, such as "1", to a speed, such as 10G.
	// +hedgehog:validation:Values:pattern=`^(SPEED_)*[0-9]+(\.[0-9]+)?G$`
	PortGroupSpeeds map[string]string `json:"portGroupSpeeds,omitempty"`
	// PortSpeeds maps a port to a speed.
	// +hedgehog:validation:Values:pattern=`^(SPEED_)*[0-9]+(\.[0-9]+)?G$`
	PortSpeeds map[string]string `json:"portSpeeds,omitempty"`
	// PortBreakouts maps a port to a mode, such as 4x25G.
	// +hedgehog:validation:Values:pattern=`^[1-9][0-9]?x[0-9]+(\.[0-9]+)?G$`
	PortBreakouts map[string]string `json:"portBreakouts,omitempty"`
	// PortAutoNegs maps a port, or a lane of a port that is broken out, to whether
	// it negotiates.
	PortAutoNegs map[string]bool `json:"portAutoNegs,omitempty"`
	// PortFECs maps a port to rs, fc, auto or disabled. Since 26.03.
	// +hedgehog:validation:Values:enum=rs;fc;auto;disabled
	PortFECs map[string]string `json:"portFECs,omitempty"`
	// PortLocators are LEDs that blink until a time: volatile, never written.
	// Since 26.03.
	PortLocators map[string]string `json:"portLocators,omitempty"`
	// +optional
	Boot SwitchBoot `json:"boot"`
	// EnableAllPorts brings up the ports that nothing uses, too.
	EnableAllPorts bool `json:"enableAllPorts,omitempty"`
	// RoCE switches lossless Ethernet on; the switch reboots.
	RoCE bool `json:"roce,omitempty"`
	// +optional
	ECMP SwitchECMP `json:"ecmp"`
	// LinkFlapErrDisable switches the protection on by being there. Since 26.03.
	LinkFlapErrDisable *LinkFlapErrDisable `json:"linkFlapErrDisable,omitempty"`
}

// SwitchRedundancy joins a switch to a redundancy group; both fields or neither.
type SwitchRedundancy struct {
	// Group names a SwitchGroup.
	Group string `json:"group,omitempty"`
	// Type is eslag, or mclag up to 26.02.
	// +kubebuilder:validation:Enum="";mclag;eslag
	Type string `json:"type,omitempty"`
}

// SwitchBoot is what a switch is recognised by when it boots.
type SwitchBoot struct {
	// Serial is the serial number of the switch.
	Serial string `json:"serial,omitempty"`
	// MAC is the address of the management port, lower case with colons.
	// +kubebuilder:validation:Format=mac
	MAC string `json:"mac,omitempty"`
}

// SwitchECMP tunes how a switch spreads traffic.
type SwitchECMP struct {
	// RoCEQPN hashes by the queue pairs of RoCE.
	RoCEQPN bool `json:"roceQPN,omitempty"`
}

// LinkFlapErrDisable disables a port that flaps.
type LinkFlapErrDisable struct {
	// FlapThreshold is 1..50 link-down events; 3 by default.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=50
	// +kubebuilder:default=3
	FlapThreshold *uint8 `json:"flapThreshold,omitempty"`
	// SamplingInterval is 1..65535 seconds; 30 by default.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	// +kubebuilder:default=30
	SamplingInterval *uint32 `json:"samplingInterval,omitempty"`
	// RecoveryInterval is 0..65534 seconds, 0 for never; 300 by default.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=65534
	// +kubebuilder:default=300
	RecoveryInterval *uint32 `json:"recoveryInterval,omitempty"`
}

// ServerSpec is a server.
type ServerSpec struct {
	// Description is free text.
	Description string `json:"description,omitempty"`
	// Profile is not used by Hedgehog yet.
	Profile string `json:"profile,omitempty"`
}

// Port is one end of a link, as device/port: split at the first slash, so that
// leaf-01/E1/49 is port E1/49 of leaf-01.
//
// +kubebuilder:validation:Pattern=`^[^/]+/.+$`
type Port string

// Device returns the part before the first slash.
func (p Port) Device() string {
	device, _, _ := strings.Cut(string(p), "/")
	return device
}

// Name returns the part after the first slash.
func (p Port) Name() string {
	_, name, _ := strings.Cut(string(p), "/")
	return name
}

// ConnectionSpec is a connection; exactly one of its fields is set.
//
// +kubebuilder:validation:MinProperties=1
// +kubebuilder:validation:MaxProperties=1
type ConnectionSpec struct {
	Unbundled *Unbundled `json:"unbundled,omitempty"`
	Bundled   *Bundled   `json:"bundled,omitempty"`
	// MCLAG and MCLAGDomain work up to 26.02 and stay readable.
	MCLAG *Bundled `json:"mclag,omitempty"`
	// +hedgehog:validation:Property:name=links,minItems=2
	ESLAG          *Bundled        `json:"eslag,omitempty"`
	MCLAGDomain    *MCLAGDomain    `json:"mclagDomain,omitempty"`
	Fabric         *FabricLinks    `json:"fabric,omitempty"`
	Mesh           *MeshLinks      `json:"mesh,omitempty"`
	Gateway        *GatewayLinks   `json:"gateway,omitempty"`
	VPCLoopback    *VPCLoopback    `json:"vpcLoopback,omitempty"`
	External       *ExternalLink   `json:"external,omitempty"`
	StaticExternal *StaticExternal `json:"staticExternal,omitempty"`
}

// PortEnd is an end of a link that has no address.
type PortEnd struct {
	// +required
	Port Port `json:"port,omitempty"`
}

// AddressedEnd is an end of a link between devices of the fabric.
type AddressedEnd struct {
	// +required
	Port Port `json:"port,omitempty"`
	// IP is the end's address in the link's /31, with the length: 172.30.128.0/31.
	// +kubebuilder:validation:Pattern=`^([0-9]{1,3}\.){3}[0-9]{1,3}/31$`
	IP string `json:"ip,omitempty"`
}

// ServerLink joins a server's port and a switch's.
type ServerLink struct {
	Server PortEnd `json:"server"`
	Switch PortEnd `json:"switch"`
}

// Unbundled is a single link between a server and a leaf.
type Unbundled struct {
	Link ServerLink `json:"link"`
	// MTU is at most 9036 with the fabric's defaults; 0 leaves it to the switch.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=9036
	MTU uint16 `json:"mtu,omitempty"`
}

// Bundled is a LAG of a server: to one leaf (bundled), or to several (eslag,
// mclag).
type Bundled struct {
	// Links are the members of the LAG.
	// +required
	Links []ServerLink `json:"links,omitempty"`
	// MTU is at most 9036 with the fabric's defaults; 0 leaves it to the switch.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=9036
	MTU uint16 `json:"mtu,omitempty"`
	// Fallback is LACP fallback.
	Fallback bool `json:"fallback,omitempty"`
}

// SwitchPairLink joins two switches' ports, or two ports of one switch.
type SwitchPairLink struct {
	Switch1 PortEnd `json:"switch1"`
	Switch2 PortEnd `json:"switch2"`
}

// MCLAGDomain makes two leaves one; up to 26.02.
type MCLAGDomain struct {
	// PeerLinks carry traffic between the two.
	// +required
	// +kubebuilder:validation:MinItems=1
	PeerLinks []SwitchPairLink `json:"peerLinks,omitempty"`
	// SessionLinks tell each that the other is there.
	// +required
	// +kubebuilder:validation:MinItems=1
	SessionLinks []SwitchPairLink `json:"sessionLinks,omitempty"`
}

// FabricLinks are the links between one spine and one leaf.
type FabricLinks struct {
	// Links are at least one.
	// +required
	// +kubebuilder:validation:MinItems=1
	Links []FabricLink `json:"links,omitempty"`
}

// FabricLink joins a spine and a leaf.
type FabricLink struct {
	Spine AddressedEnd `json:"spine"`
	Leaf  AddressedEnd `json:"leaf"`
}

// MeshLinks are the links between two leaves.
type MeshLinks struct {
	// Links are at least one.
	// +required
	// +kubebuilder:validation:MinItems=1
	Links []MeshLink `json:"links,omitempty"`
}

// MeshLink joins two leaves.
type MeshLink struct {
	Leaf1 AddressedEnd `json:"leaf1"`
	Leaf2 AddressedEnd `json:"leaf2"`
}

// GatewayLinks are the links between one switch and one gateway.
type GatewayLinks struct {
	// Links are at least one.
	// +required
	// +kubebuilder:validation:MinItems=1
	Links []GatewayLink `json:"links,omitempty"`
}

// GatewayLink joins a switch and a gateway.
type GatewayLink struct {
	Switch  AddressedEnd `json:"switch"`
	Gateway AddressedEnd `json:"gateway"`
}

// VPCLoopback joins ports of one switch; not needed since 25.03.
type VPCLoopback struct {
	// Links are at least one.
	// +required
	// +kubebuilder:validation:MinItems=1
	Links []SwitchPairLink `json:"links,omitempty"`
}

// ExternalLink is a switch port that leads out of the fabric.
type ExternalLink struct {
	Link ExternalEnd `json:"link"`
}

// ExternalEnd is the fabric's end of an external connection.
type ExternalEnd struct {
	Switch PortEnd `json:"switch"`
}

// StaticExternal is a switch port that leads out of the fabric by static routes;
// a static External has taken its place.
type StaticExternal struct {
	Link StaticExternalLink `json:"link"`
	// WithinVPC names the VPC in which the routes stand.
	WithinVPC string `json:"withinVPC,omitempty"`
}

// StaticExternalLink is the link of a static external connection.
type StaticExternalLink struct {
	Switch StaticExternalEnd `json:"switch"`
}

// StaticExternalEnd is the fabric's end of a static external connection.
type StaticExternalEnd struct {
	// +required
	Port Port `json:"port,omitempty"`
	// IP is the port's address with its prefix length.
	// +required
	// +kubebuilder:validation:Format=cidr
	IP string `json:"ip,omitempty"`
	// NextHop is an address inside the network of IP.
	// +required
	// +kubebuilder:validation:Pattern=`^[0-9A-Fa-f.:]+$`
	NextHop string `json:"nextHop,omitempty"`
	// Subnets are the networks behind NextHop; 0.0.0.0/0 stands alone.
	// +kubebuilder:validation:items:Format=cidr
	Subnets []string `json:"subnets,omitempty"`
	// VLAN is 0 for an untagged port.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=4094
	VLAN uint16 `json:"vlan,omitempty"`
}
