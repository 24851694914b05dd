package hedgehog

// GatewayGroupSpec marks a group of gateways; it has no fields.
type GatewayGroupSpec struct{}

// GatewaySpec is a gateway node.
type GatewaySpec struct {
	// ProtocolIP is a /32, the BGP router id.
	// +kubebuilder:validation:Pattern=`^([0-9]{1,3}\.){3}[0-9]{1,3}/32$`
	ProtocolIP string `json:"protocolIP,omitempty"`
	// VTEPIP is a /32.
	// +kubebuilder:validation:Pattern=`^([0-9]{1,3}\.){3}[0-9]{1,3}/32$`
	VTEPIP string `json:"vtepIP,omitempty"`
	// VTEPMAC is unicast; its case is kept.
	// +kubebuilder:validation:Format=mac
	VTEPMAC string `json:"vtepMAC,omitempty"`
	// ASN is the gateways' own number.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=4294967295
	ASN uint32 `json:"asn,omitempty"`
	// VTEPMTU is that of the packets inside the tunnel.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=4294967295
	VTEPMTU uint32 `json:"vtepMTU,omitempty"`
	// Interfaces are the ports towards the fabric, by name: 2 to 10 letters,
	// digits, dots, hyphens and underscores.
	// +required
	// +kubebuilder:validation:MinProperties=1
	Interfaces map[string]GatewayInterface `json:"interfaces,omitempty"`
	// Neighbors are the switches at the other ends.
	Neighbors []GatewayNeighbor `json:"neighbors,omitempty"`
	// +optional
	Logs GatewayLogs `json:"logs"`
	// +optional
	Profiling GatewayProfiling `json:"profiling"`
	// Workers is 1..64, 4 by default.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=64
	// +kubebuilder:default=4
	Workers uint8 `json:"workers,omitempty"`
	// Groups are sorted by name; the group default with priority 0 by default.
	// +kubebuilder:default={{name: "default"}}
	Groups []GatewayMembership `json:"groups,omitempty"`
	// FlowTableCapacity is since 26.02.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=4294967295
	FlowTableCapacity uint32 `json:"flowTableCapacity,omitempty"`
}

// GatewayInterface is a port of a gateway; PCI and Kernel exclude each other.
type GatewayInterface struct {
	// PCI is an address such as 0000:02:00.0; it and Kernel exclude each other.
	PCI string `json:"pci,omitempty"`
	// Kernel is the name of an interface of the kernel; it and PCI exclude each
	// other.
	Kernel string `json:"kernel,omitempty"`
	// IPs are CIDRs.
	// +kubebuilder:validation:items:Format=cidr
	IPs []string `json:"ips,omitempty"`
	// MTU is that of the link.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=4294967295
	MTU uint32 `json:"mtu,omitempty"`
}

// GatewayNeighbor is a BGP neighbour of a gateway.
type GatewayNeighbor struct {
	// Source is the name of the interface.
	Source string `json:"source,omitempty"`
	// IP is the neighbour's address, without a prefix length.
	// +required
	// +kubebuilder:validation:Pattern=`^[0-9A-Fa-f.:]+$`
	IP string `json:"ip,omitempty"`
	// ASN is the neighbour's.
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=4294967295
	ASN uint32 `json:"asn,omitempty"`
}

// GatewayLogs are log levels: off, error, warning, info, debug or trace.
type GatewayLogs struct {
	// Default is the level of what Tags do not name; info by default.
	// +kubebuilder:validation:Enum=off;error;warning;info;debug;trace
	// +kubebuilder:default=info
	Default string `json:"default,omitempty"`
	// Tags map a part of the gateway to its level; all: info by default.
	// +hedgehog:validation:Values:enum=off;error;warning;info;debug;trace
	// +kubebuilder:default={all: "info"}
	Tags map[string]string `json:"tags,omitempty"`
	// RateLimit is since 26.03; its fields are kept as they come.
	// +kubebuilder:pruning:PreserveUnknownFields
	// +kubebuilder:validation:Schemaless
	// +kubebuilder:validation:Type=object
	RateLimit map[string]any `json:"rateLimit,omitempty"`
}

// GatewayProfiling switches profiling on.
type GatewayProfiling struct {
	// Enabled switches it on.
	Enabled bool `json:"enabled,omitempty"`
}

// GatewayMembership is a gateway's place in a group.
type GatewayMembership struct {
	// Name names the GatewayGroup.
	// +required
	// +kubebuilder:validation:MinLength=1
	Name string `json:"name,omitempty"`
	// Priority orders the gateways of the group.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=4294967295
	Priority uint32 `json:"priority,omitempty"`
}

// GatewayPeeringSpec lets two VPCs, or a VPC and an external, talk through a
// gateway.
type GatewayPeeringSpec struct {
	// GatewayGroup is default by default.
	// +kubebuilder:default="default"
	GatewayGroup string `json:"gatewayGroup,omitempty"`
	// Peering has exactly two keys: a VPC, or ext.<external>.
	// +required
	// +kubebuilder:validation:MinProperties=2
	// +kubebuilder:validation:MaxProperties=2
	Peering map[string]*PeeringSide `json:"peering,omitempty"`
	// ACL is since 26.03.
	ACL *PeeringACL `json:"acl,omitempty"`
}

// PeeringSide is what one side shows to the other.
type PeeringSide struct {
	// Expose are sets of addresses.
	Expose []Expose `json:"expose,omitempty"`
}

// Expose is a set of addresses, translated or not. Default stands alone.
type Expose struct {
	// IPs are what is shown.
	IPs []ExposedIP `json:"ips,omitempty"`
	// As are the addresses that stand for IPs; they go with NAT.
	As  []ExposedAs `json:"as,omitempty"`
	NAT *NAT        `json:"nat,omitempty"`
	// Default shows everything; it stands alone.
	Default bool `json:"default,omitempty"`
}

// ExposedIP has exactly one field set.
//
// +kubebuilder:validation:MinProperties=1
// +kubebuilder:validation:MaxProperties=1
type ExposedIP struct {
	// CIDR is a network.
	// +kubebuilder:validation:Format=cidr
	CIDR string `json:"cidr,omitempty"`
	// Not is a network that is left out.
	// +kubebuilder:validation:Format=cidr
	Not string `json:"not,omitempty"`
	// VPCSubnet is the name of a subnet of the VPC.
	VPCSubnet string `json:"vpcSubnet,omitempty"`
}

// ExposedAs has exactly one field set.
//
// +kubebuilder:validation:MinProperties=1
// +kubebuilder:validation:MaxProperties=1
type ExposedAs struct {
	// CIDR is a network.
	// +kubebuilder:validation:Format=cidr
	CIDR string `json:"cidr,omitempty"`
	// Not is a network that is left out.
	// +kubebuilder:validation:Format=cidr
	Not string `json:"not,omitempty"`
}

// NAT has exactly one field set.
//
// +kubebuilder:validation:MinProperties=1
// +kubebuilder:validation:MaxProperties=1
type NAT struct {
	Masquerade  *Masquerade  `json:"masquerade,omitempty"`
	PortForward *PortForward `json:"portForward,omitempty"`
	Static      *StaticNAT   `json:"static,omitempty"`
}

// Masquerade hides many addresses behind few.
type Masquerade struct {
	// IdleTimeout is a Go duration, 2m0s by default.
	// +kubebuilder:default="2m0s"
	IdleTimeout string `json:"idleTimeout,omitempty"`
}

// PortForward leads ports inside.
type PortForward struct {
	// IdleTimeout is a Go duration, 2m0s by default.
	// +kubebuilder:default="2m0s"
	IdleTimeout string `json:"idleTimeout,omitempty"`
	// Ports are what is forwarded.
	Ports []ForwardedPort `json:"ports,omitempty"`
}

// ForwardedPort is one forwarded port or range of ports.
type ForwardedPort struct {
	// Proto is tcp, udp, or empty for both.
	// +kubebuilder:validation:Enum=tcp;udp
	Proto string `json:"proto,omitempty"`
	// Port is a port or a range of ports.
	Port string `json:"port,omitempty"`
	// As is the port, or the range, that stands for Port on the other side.
	As string `json:"as,omitempty"`
}

// StaticNAT translates addresses one to one; it has no fields.
type StaticNAT struct{}

// PeeringACL filters a gateway peering.
type PeeringACL struct {
	// Default is deny or deny-unless-exposed, the latter by default.
	// +kubebuilder:validation:Enum=deny;deny-unless-exposed
	// +kubebuilder:default=deny-unless-exposed
	Default string `json:"default"`
	// Rules come before Default.
	Rules []PeeringACLRule `json:"rules,omitempty"`
}

// PeeringACLRule is one row of a [PeeringACL].
type PeeringACLRule struct {
	// Name is for people.
	Name string `json:"name,omitempty"`
	// From is one of the two sides; From or To may be left out.
	From string `json:"from,omitempty"`
	// To is one of the two sides; From or To may be left out.
	To string `json:"to,omitempty"`
	// Action is allow or deny.
	// +required
	// +kubebuilder:validation:Enum=allow;deny
	Action string `json:"action"`
	// +optional
	Match PeeringACLMatch `json:"match"`
	// Scope is flow or packet, the former by default.
	// +kubebuilder:validation:Enum=flow;packet
	// +kubebuilder:default=flow
	Scope string `json:"scope,omitempty"`
	// Log writes down what matches.
	Log bool `json:"log,omitempty"`
}

// PeeringACLMatch is what a rule is about; empty matches all.
type PeeringACLMatch struct {
	// Src is where it comes from; empty matches all.
	Src []PeeringACLEndpoint `json:"src,omitempty"`
	// Dst is where it goes to; empty matches all.
	Dst []PeeringACLEndpoint `json:"dst,omitempty"`
	// Proto is tcp, udp, or empty for any.
	// +kubebuilder:validation:Enum=tcp;udp
	Proto string `json:"proto,omitempty"`
}

// PeeringACLEndpoint matches addresses and ports; CIDR and VPCSubnet exclude
// each other.
type PeeringACLEndpoint struct {
	// CIDR is a network.
	// +kubebuilder:validation:Format=cidr
	CIDR string `json:"cidr,omitempty"`
	// VPCSubnet is the name of a subnet of the VPC.
	VPCSubnet string `json:"vpcSubnet,omitempty"`
	// Ports are ports and ranges of ports.
	Ports []string `json:"ports,omitempty"`
}
