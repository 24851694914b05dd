package hedgehog

// IPv4NamespaceSpec is a set of networks that the subnets of VPCs come from.
type IPv4NamespaceSpec struct {
	// Subnets are CIDRs, sorted as text; 1..10, none overlapping.
	// +required
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=20
	// +kubebuilder:validation:items:Format=cidr
	Subnets []string `json:"subnets,omitempty"`
}

// VPCSpec is a private network: a VRF and its subnets.
type VPCSpec struct {
	// Mode is empty for L2VNI, or l3vni.
	// +kubebuilder:validation:Enum="";l3vni
	Mode string `json:"mode,omitempty"`
	// Subnets are keyed by name; 1..20.
	// +required
	// +kubebuilder:validation:MinProperties=1
	// +kubebuilder:validation:MaxProperties=20
	Subnets map[string]*VPCSubnet `json:"subnets,omitempty"`
	// IPv4Namespace names the IPv4Namespace that the subnets come from.
	// +kubebuilder:default="default"
	IPv4Namespace string `json:"ipv4Namespace,omitempty"`
	// VLANNamespace names the VLANNamespace that the VLANs come from.
	// +kubebuilder:default="default"
	VLANNamespace string `json:"vlanNamespace,omitempty"`
	// DefaultIsolated keeps each subnet from the others, unless it says otherwise.
	DefaultIsolated bool `json:"defaultIsolated,omitempty"`
	// DefaultRestricted keeps the hosts of a subnet from each other, unless it says
	// otherwise.
	DefaultRestricted bool `json:"defaultRestricted,omitempty"`
	// Permit are lists of subnets that may talk although they are isolated.
	// +kubebuilder:validation:items:MinItems=2
	Permit [][]string `json:"permit,omitempty"`
	// StaticRoutes are routes to networks behind hosts of the VPC.
	StaticRoutes []StaticRoute `json:"staticRoutes,omitempty"`
}

// VPCSubnet is one subnet of a VPC.
type VPCSubnet struct {
	// Subnet is a CIDR of at most 30 bits inside the IPv4 namespace.
	// +required
	// +kubebuilder:validation:Pattern=`^[0-9A-Fa-f.:]+/([0-9]|[12][0-9]|30)$`
	Subnet string `json:"subnet,omitempty"`
	// Gateway is an address in Subnet, the first host by default; empty with HostBGP.
	// +kubebuilder:validation:Pattern=`^[0-9A-Fa-f.:]+$`
	Gateway string `json:"gateway,omitempty"`
	// +optional
	DHCP DHCP `json:"dhcp"`
	// VLAN is an id of the VLAN namespace; 0 only with HostBGP.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=4094
	VLAN uint16 `json:"vlan,omitempty"`
	// Isolated keeps the subnet from the others of the VPC; nil inherits the VPC's
	// default.
	Isolated *bool `json:"isolated,omitempty"`
	// Restricted keeps the hosts of the subnet from each other; nil inherits the
	// VPC's default.
	Restricted *bool `json:"restricted,omitempty"`
	// HostBGP gives the subnet to hosts that speak BGP.
	HostBGP bool `json:"hostBGP,omitempty"`
	// HostBGPMinPrefixLen is the least length of a prefix that hosts may announce,
	// 1..32. Since 26.03.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=32
	HostBGPMinPrefixLen uint8 `json:"hostBGPMinPrefixLen,omitempty"`
	// HostBGPMaxPrefixLen is the greatest length of a prefix that hosts may
	// announce, 1..32. Since 26.03.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=32
	HostBGPMaxPrefixLen uint8 `json:"hostBGPMaxPrefixLen,omitempty"`
	// HostBGPExtraPrefixes are further networks that hosts may announce prefixes
	// of, by CIDR; at most 100. Since 26.03.
	// +kubebuilder:validation:MaxProperties=100
	HostBGPExtraPrefixes map[string]HostBGPPrefix `json:"hostBGPExtraPrefixes,omitempty"`
}

// HostBGPPrefix bounds the lengths accepted within an extra prefix; 0 inherits.
type HostBGPPrefix struct {
	// MinPrefixLen is the least length of a prefix.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=32
	MinPrefixLen uint8 `json:"minPrefixLen,omitempty"`
	// MaxPrefixLen is the greatest length of a prefix.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=32
	MaxPrefixLen uint8 `json:"maxPrefixLen,omitempty"`
}

// DHCP is the DHCP service of a subnet: the built-in server, a relay, or none.
type DHCP struct {
	// Relay is the address of a DHCP server as a CIDR, such as 10.0.0.9/32.
	// +kubebuilder:validation:Format=cidr
	Relay string `json:"relay,omitempty"`
	// RelayVPC names the VPC in which Relay is reached. Since 26.02.
	RelayVPC string `json:"relayVPC,omitempty"`
	// Enable switches the built-in server on; it excludes Relay.
	Enable  bool         `json:"enable,omitempty"`
	Range   *DHCPRange   `json:"range,omitempty"`
	Options *DHCPOptions `json:"options,omitempty"`
	// Static maps a MAC, lower case with colons, to its address.
	Static map[string]DHCPStatic `json:"static,omitempty"`
}

// DHCPRange is the first and the last address that is handed out.
type DHCPRange struct {
	// Start is the third address of the subnet by default.
	// +kubebuilder:validation:Pattern=`^[0-9A-Fa-f.:]+$`
	Start string `json:"start,omitempty"`
	// End is the last address of the subnet by default.
	// +kubebuilder:validation:Pattern=`^[0-9A-Fa-f.:]+$`
	End string `json:"end,omitempty"`
}

// DHCPOptions are sent with a lease.
type DHCPOptions struct {
	// PXEURL is what a host boots from over the network.
	PXEURL string `json:"pxeURL,omitempty"`
	// DNSServers are addresses, sorted; never null once stored.
	// +kubebuilder:validation:items:Pattern=`^[0-9A-Fa-f.:]+$`
	// +kubebuilder:default={}
	DNSServers []string `json:"dnsServers"`
	// TimeServers are addresses, sorted; never null once stored.
	// +kubebuilder:validation:items:Pattern=`^[0-9A-Fa-f.:]+$`
	// +kubebuilder:default={}
	TimeServers []string `json:"timeServers"`
	// InterfaceMTU is 96..9036, the latter by default.
	// +kubebuilder:validation:Minimum=96
	// +kubebuilder:validation:Maximum=9036
	// +kubebuilder:default=9036
	InterfaceMTU uint16 `json:"interfaceMTU"`
	// LeaseTimeSeconds is at least 1, 3600 by default.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=4294967295
	// +kubebuilder:default=3600
	LeaseTimeSeconds uint32 `json:"leaseTimeSeconds"`
	// DisableDefaultRoute keeps the gateway from being the hosts' default route.
	DisableDefaultRoute bool `json:"disableDefaultRoute,omitempty"`
	// AdvertisedRoutes are further routes of the hosts, sorted.
	AdvertisedRoutes []DHCPRoute `json:"advertisedRoutes,omitempty"`
}

// DHCPRoute is a classless static route (DHCP option 121).
type DHCPRoute struct {
	// Destination is a CIDR.
	// +required
	// +kubebuilder:validation:Format=cidr
	Destination string `json:"destination,omitempty"`
	// Gateway is an address in the subnet.
	// +required
	// +kubebuilder:validation:Pattern=`^[0-9A-Fa-f.:]+$`
	Gateway string `json:"gateway,omitempty"`
}

// DHCPStatic is a lease that never changes.
type DHCPStatic struct {
	// IP is an address in the subnet.
	// +required
	// +kubebuilder:validation:Pattern=`^[0-9A-Fa-f.:]+$`
	IP string `json:"ip"`
}

// StaticRoute is a route in a VPC.
type StaticRoute struct {
	// Prefix is a CIDR without host bits.
	// +required
	// +kubebuilder:validation:Format=cidr
	Prefix string `json:"prefix,omitempty"`
	// NextHops are addresses, at least one.
	// +required
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:items:Pattern=`^[0-9A-Fa-f.:]+$`
	NextHops []string `json:"nextHops,omitempty"`
}

// VPCAttachmentSpec puts a server's connection into a subnet.
type VPCAttachmentSpec struct {
	// Subnet is vpc/subnet.
	// +required
	// +kubebuilder:validation:Pattern=`^[^/]+(/[^/]+)?$`
	Subnet string `json:"subnet,omitempty"`
	// Connection names an unbundled, bundled or eslag connection.
	// +required
	// +kubebuilder:validation:MinLength=1
	Connection string `json:"connection,omitempty"`
	// NativeVLAN sends the subnet untagged.
	NativeVLAN bool `json:"nativeVLAN,omitempty"`
}

// VPCPeeringSpec lets two VPCs talk.
type VPCPeeringSpec struct {
	// Remote was removed before 26.03 and is refused; kept readable.
	Remote string `json:"remote,omitempty"`
	// Permit has 1..10 entries, each with the same two VPCs as keys.
	// +required
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=10
	// +kubebuilder:validation:items:MinProperties=2
	// +kubebuilder:validation:items:MaxProperties=2
	Permit []map[string]VPCPeer `json:"permit,omitempty"`
}

// VPCPeer is one side of a peering; no subnets means all.
type VPCPeer struct {
	// Subnets are names of subnets of the VPC, at most 10.
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=10
	Subnets []string `json:"subnets,omitempty"`
}

// ExternalSpec is a network outside the fabric, reached by BGP or statically.
type ExternalSpec struct {
	// IPv4Namespace names the IPv4Namespace of the VPCs that may reach it.
	// +kubebuilder:default="default"
	IPv4Namespace string `json:"ipv4Namespace,omitempty"`
	// InboundCommunity marks what comes in; two numbers 0..65535 with a colon,
	// empty with Static.
	// +kubebuilder:validation:Pattern=`^(0|[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]):(0|[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])$`
	InboundCommunity string `json:"inboundCommunity,omitempty"`
	// OutboundCommunity marks what goes out; two numbers 0..65535 with a colon,
	// empty with Static.
	// +kubebuilder:validation:Pattern=`^(0|[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]):(0|[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])$`
	OutboundCommunity string `json:"outboundCommunity,omitempty"`
	// Static makes it an external without BGP.
	Static *StaticRoutes `json:"static,omitempty"`
}

// StaticRoutes are the prefixes behind a static external.
type StaticRoutes struct {
	// Prefixes are CIDRs, at least one.
	// +required
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:items:Format=cidr
	Prefixes []string `json:"prefixes,omitempty"`
}

// ExternalAttachmentSpec is where an external meets the fabric.
type ExternalAttachmentSpec struct {
	// External names the External.
	// +required
	// +kubebuilder:validation:MinLength=1
	External string `json:"external,omitempty"`
	// Connection names an external connection.
	// +required
	// +kubebuilder:validation:MinLength=1
	Connection string `json:"connection,omitempty"`
	// Switch is empty with Static.
	// +kubebuilder:default={}
	Switch AttachmentSwitch `json:"switch"`
	// Neighbor is empty with Static.
	// +kubebuilder:default={}
	Neighbor   AttachmentNeighbor `json:"neighbor"`
	Static     *AttachmentStatic  `json:"static,omitempty"`
	InboundACL *ACL               `json:"inboundACL,omitempty"`
}

// AttachmentSwitch is the fabric's side of a BGP external.
type AttachmentSwitch struct {
	// VLAN is 0 for the port itself.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=4094
	VLAN uint16 `json:"vlan,omitempty"`
	// IP is a CIDR.
	// +kubebuilder:validation:Format=cidr
	IP string `json:"ip,omitempty"`
}

// AttachmentNeighbor is the far side of a BGP external.
type AttachmentNeighbor struct {
	// ASN is the neighbour's.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=4294967295
	ASN uint32 `json:"asn,omitempty"`
	// IP is an address without a prefix length.
	// +kubebuilder:validation:Pattern=`^[0-9A-Fa-f.:]+$`
	IP string `json:"ip,omitempty"`
}

// AttachmentStatic is where a static external meets the fabric.
type AttachmentStatic struct {
	// RemoteIP is the address of the far side.
	// +required
	// +kubebuilder:validation:Pattern=`^[0-9A-Fa-f.:]+$`
	RemoteIP string `json:"remoteIP"`
	// VLAN is 0 for the port itself.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=4094
	VLAN uint16 `json:"vlan,omitempty"`
	// IP is the fabric's side as a CIDR; it and Proxy exclude each other.
	// +kubebuilder:validation:Format=cidr
	IP string `json:"ip,omitempty"`
	// Proxy is instead of IP.
	Proxy bool `json:"proxy,omitempty"`
}

// ACL filters what comes in from an external. Since 26.02.
type ACL struct {
	// Statements are tried in the order of their numbers.
	Statements []ACLStatement `json:"statements,omitempty"`
}

// ACLStatement is one row of an [ACL].
type ACLStatement struct {
	// Seq is at least 10 and unique.
	// +required
	// +kubebuilder:validation:Minimum=10
	// +kubebuilder:validation:Maximum=65535
	Seq uint16 `json:"seq"`
	// Action is permit, deny, discard or transit.
	// +required
	// +kubebuilder:validation:Enum=permit;deny;discard;transit
	Action string `json:"action"`
	// Protocol is ip, tcp, udp or icmp.
	// +required
	// +kubebuilder:validation:Enum=ip;tcp;udp;icmp
	Protocol string `json:"protocol"`
	// SrcPrefix is a CIDR or any.
	// +required
	// +kubebuilder:validation:Pattern=`^(any|[0-9A-Fa-f.:]+/[0-9]{1,3})$`
	SrcPrefix string `json:"srcPrefix"`
	// DstPrefix is a CIDR or any.
	// +required
	// +kubebuilder:validation:Pattern=`^(any|[0-9A-Fa-f.:]+/[0-9]{1,3})$`
	DstPrefix string `json:"dstPrefix"`
	// PortRangeBegin is the first port, of tcp and udp.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=65535
	PortRangeBegin uint16 `json:"portRangeBegin,omitempty"`
	// PortRangeEnd is the last port, of tcp and udp.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=65535
	PortRangeEnd uint16      `json:"portRangeEnd,omitempty"`
	TCPFilters   *TCPFilters `json:"tcpFilters,omitempty"`
	// ICMPType is a type of icmp.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=255
	ICMPType *uint8 `json:"icmpType,omitempty"`
	// ICMPCode is a code of icmp.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=255
	ICMPCode *uint8 `json:"icmpCode,omitempty"`
}

// TCPFilters match TCP flags; Established excludes the others.
type TCPFilters struct {
	// Established matches answers; it stands alone.
	Established bool `json:"established,omitempty"`
	// Fin wants the flag set.
	Fin bool `json:"fin,omitempty"`
	// NotFin wants the flag not set.
	NotFin bool `json:"notFin,omitempty"`
	// Syn wants the flag set.
	Syn bool `json:"syn,omitempty"`
	// NotSyn wants the flag not set.
	NotSyn bool `json:"notSyn,omitempty"`
	// Rst wants the flag set.
	Rst bool `json:"rst,omitempty"`
	// NotRst wants the flag not set.
	NotRst bool `json:"notRst,omitempty"`
	// Psh wants the flag set.
	Psh bool `json:"psh,omitempty"`
	// NotPsh wants the flag not set.
	NotPsh bool `json:"notPsh,omitempty"`
	// Ack wants the flag set.
	Ack bool `json:"ack,omitempty"`
	// NotAck wants the flag not set.
	NotAck bool `json:"notAck,omitempty"`
	// Urg wants the flag set.
	Urg bool `json:"urg,omitempty"`
	// NotUrg wants the flag not set.
	NotUrg bool `json:"notUrg,omitempty"`
}

// ExternalPeeringSpec lets a VPC and an external talk.
type ExternalPeeringSpec struct {
	Permit ExternalPermit `json:"permit"`
}

// ExternalPermit is what may talk in an external peering.
type ExternalPermit struct {
	VPC      ExternalPermitVPC      `json:"vpc"`
	External ExternalPermitExternal `json:"external"`
}

// ExternalPermitVPC is the VPC's side of an external peering.
type ExternalPermitVPC struct {
	// Name names the VPC.
	// +required
	// +kubebuilder:validation:MinLength=1
	Name string `json:"name,omitempty"`
	// Subnets are names, sorted.
	Subnets []string `json:"subnets,omitempty"`
}

// ExternalPermitExternal is the external's side of an external peering.
type ExternalPermitExternal struct {
	// Name names the External.
	// +required
	// +kubebuilder:validation:MinLength=1
	Name string `json:"name,omitempty"`
	// Prefixes are sorted.
	Prefixes []PermitPrefix `json:"prefixes,omitempty"`
}

// PermitPrefix is a CIDR that a VPC may reach.
type PermitPrefix struct {
	// Prefix is a CIDR.
	// +required
	// +kubebuilder:validation:Format=cidr
	Prefix string `json:"prefix,omitempty"`
}
