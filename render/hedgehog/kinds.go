package hedgehog

import (
	"slices"
	"strings"
)

// Kind is the kind of a Hedgehog object as its manifests write it, such as VPC.
type Kind string

// The kinds that people write: the twelve of the fabric, and those of the
// gateway. API 26.03.
const (
	KindVLANNamespace      Kind = "VLANNamespace"
	KindIPv4Namespace      Kind = "IPv4Namespace"
	KindSwitchGroup        Kind = "SwitchGroup"
	KindGatewayGroup       Kind = "GatewayGroup"
	KindSwitch             Kind = "Switch"
	KindServer             Kind = "Server"
	KindGateway            Kind = "Gateway"
	KindVPC                Kind = "VPC"
	KindExternal           Kind = "External"
	KindConnection         Kind = "Connection"
	KindVPCAttachment      Kind = "VPCAttachment"
	KindVPCPeering         Kind = "VPCPeering"
	KindExternalAttachment Kind = "ExternalAttachment"
	KindExternalPeering    Kind = "ExternalPeering"
	KindGatewayPeering     Kind = "GatewayPeering"
)

// The API groups of Hedgehog, with the version that release 26.03 serves.
const (
	GroupWiring  = "wiring.githedgehog.com"
	GroupVPC     = "vpc.githedgehog.com"
	GroupGateway = "gateway.githedgehog.com"

	wiringVersion  = GroupWiring + "/v1beta1"
	vpcVersion     = GroupVPC + "/v1beta1"
	gatewayVersion = GroupGateway + "/v1alpha1"
)

// Namespace is the only Kubernetes namespace that Hedgehog's webhooks accept.
const Namespace = "default"

// kindInfo is one row of the table of kinds.
type kindInfo struct {
	kind       Kind
	apiVersion string
	plural     string
	nameLimit  int
	newSpec    func() Spec
}

// How long a name may be: Kubernetes' own limit, that of a label, which the
// cluster makes of some names, and that of what Hedgehog derives from others.
const (
	anyName   = 253
	labelName = 63
	shortName = 11
)

// kindTable lists the kinds in the order in which they can be created: an
// object refers only to objects of kinds above its own, or of its own
// (a VPC that relays DHCP, a Connection within a VPC comes after VPCs).
func kindTable() []kindInfo {
	return []kindInfo{
		{KindVLANNamespace, wiringVersion, "vlannamespaces", labelName, func() Spec { return &VLANNamespaceSpec{} }},
		{KindIPv4Namespace, vpcVersion, "ipv4namespaces", shortName, func() Spec { return &IPv4NamespaceSpec{} }},
		{KindSwitchGroup, wiringVersion, "switchgroups", labelName, func() Spec { return &SwitchGroupSpec{} }},
		{KindGatewayGroup, gatewayVersion, "gatewaygroups", anyName, func() Spec { return &GatewayGroupSpec{} }},
		{KindSwitch, wiringVersion, "switches", labelName, func() Spec { return &SwitchSpec{} }},
		{KindServer, wiringVersion, "servers", labelName, func() Spec { return &ServerSpec{} }},
		{KindGateway, gatewayVersion, "gateways", anyName, func() Spec { return &GatewaySpec{} }},
		{KindVPC, vpcVersion, "vpcs", shortName, func() Spec { return &VPCSpec{} }},
		{KindExternal, vpcVersion, "externals", shortName, func() Spec { return &ExternalSpec{} }},
		{KindConnection, wiringVersion, "connections", anyName, func() Spec { return &ConnectionSpec{} }},
		{KindVPCAttachment, vpcVersion, "vpcattachments", anyName, func() Spec { return &VPCAttachmentSpec{} }},
		{KindVPCPeering, vpcVersion, "vpcpeerings", anyName, func() Spec { return &VPCPeeringSpec{} }},
		{KindExternalAttachment, vpcVersion, "externalattachments", anyName, func() Spec { return &ExternalAttachmentSpec{} }},
		{KindExternalPeering, vpcVersion, "externalpeerings", anyName, func() Spec { return &ExternalPeeringSpec{} }},
		{KindGatewayPeering, gatewayVersion, "gatewaypeerings", anyName, func() Spec { return &GatewayPeeringSpec{} }},
	}
}

var kinds = kindTable()

// Kinds returns the kinds in the order in which a cluster can create their
// objects.
func Kinds() []Kind {
	list := make([]Kind, len(kinds))
	for i, info := range kinds {
		list[i] = info.kind
	}
	return list
}

// APIVersion returns the apiVersion of the kind's manifests, such as
// vpc.githedgehog.com/v1beta1; empty for a kind that this package does not know.
func (k Kind) APIVersion() string {
	info, _ := k.info()
	return info.apiVersion
}

// Plural returns the name of the kind's resource, such as vpcattachments: the
// name of its folder in a repository. A kind that this package does not know
// gives its own name in lower case.
func (k Kind) Plural() string {
	if info, ok := k.info(); ok {
		return info.plural
	}
	return strings.ToLower(string(k))
}

// NameLimit returns how many characters the name of an object of the kind may
// have. A name may be bounded further by what refers to it, see [Rules].
func (k Kind) NameLimit() int {
	if info, ok := k.info(); ok {
		return info.nameLimit
	}
	return anyName
}

// Known reports whether this package has a type for the kind.
func (k Kind) Known() bool {
	_, ok := k.info()
	return ok
}

// generatedKinds are made by Hedgehog's controllers and belong in no
// repository. SwitchProfile is apart: see [Decode].
func (k Kind) generated() bool {
	return slices.Contains([]Kind{"VPCInfo", "Agent", "GatewayAgent", "Catalog", "DHCPSubnet"}, k)
}

func (k Kind) info() (kindInfo, bool) {
	i := k.rank()
	if i == len(kinds) {
		return kindInfo{}, false
	}
	return kinds[i], true
}

// rank is the kind's place in the order of creation; unknown kinds come last.
func (k Kind) rank() int {
	for i, info := range kinds {
		if info.kind == k {
			return i
		}
	}
	return len(kinds)
}

// Spec is the spec of one kind.
type Spec interface{ isSpec() }

// Raw is the whole of an object of an unknown kind but for apiVersion, kind and
// metadata, as encoding/json holds it.
type Raw map[string]any

func (Raw) isSpec()                     {}
func (*VLANNamespaceSpec) isSpec()      {}
func (*IPv4NamespaceSpec) isSpec()      {}
func (*SwitchGroupSpec) isSpec()        {}
func (*GatewayGroupSpec) isSpec()       {}
func (*SwitchSpec) isSpec()             {}
func (*ServerSpec) isSpec()             {}
func (*GatewaySpec) isSpec()            {}
func (*VPCSpec) isSpec()                {}
func (*ExternalSpec) isSpec()           {}
func (*ConnectionSpec) isSpec()         {}
func (*VPCAttachmentSpec) isSpec()      {}
func (*VPCPeeringSpec) isSpec()         {}
func (*ExternalAttachmentSpec) isSpec() {}
func (*ExternalPeeringSpec) isSpec()    {}
func (*GatewayPeeringSpec) isSpec()     {}
