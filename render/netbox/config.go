package netbox

import "hedgehog-gitops/render/hedgehog"

// Config says which records of NetBox are one fabric, and how they are read.
// [DefaultConfig] gives every default.
type Config struct {
	// Name is the fabric's name.
	Name string
	// Site is the slug of the site that its devices stand in.
	Site string
	// Location is the slug of a location in that site; with those inside it.
	// Empty means the whole site.
	Location string
	// Statuses are the statuses of the devices that are rendered.
	Statuses []string
	// Roles maps a Hedgehog role ([RoleSpine] and so on) to slugs of NetBox device
	// roles; a role inside one of them counts too.
	Roles map[string][]string
	// VLANGroups are slugs of the VLAN groups that are VLAN namespaces. Nil means
	// those with the tag and a scope that touches the fabric.
	VLANGroups []string
	// Containers are the container prefixes that are IPv4 namespaces. Nil means
	// those with the tag and a scope that touches the fabric.
	Containers []string
	// Profiles maps "<manufacturer slug>/<device type slug>" to a switch profile.
	Profiles map[string]string
	// AttachmentName is how a VPCAttachment is called when nothing else says so,
	// with {vpc}, {subnet} and {connection} in it.
	AttachmentName string
	// UnderlayVRF is the name of the VRF in which import and allocate put the
	// addresses of the underlay. Reading takes any VRF.
	UnderlayVRF string
	// Tag is the slug of the tag on what is Hedgehog's. A device tagged
	// "<Tag>-ignore" is left out.
	Tag      string
	Settings hedgehog.Settings
}

// What a device can be to a fabric: a switch of one of four roles, a server, a
// gateway, or something beyond the fabric that an external connection leads to.
const (
	RoleSpine      = "spine"
	RoleServerLeaf = "server-leaf"
	RoleBorderLeaf = "border-leaf"
	RoleMixedLeaf  = "mixed-leaf"
	RoleServer     = "server"
	RoleGateway    = "gateway"
	RoleExternal   = "external"
)

// DefaultConfig returns the configuration of a fabric that is the whole site of
// the same slug.
func DefaultConfig(name string) Config {
	return Config{
		Name:     name,
		Site:     name,
		Statuses: []string{"active", "staged", "offline", "failed"},
		Roles: map[string][]string{
			RoleSpine:      {"spine"},
			RoleServerLeaf: {"leaf", "server-leaf"},
			RoleBorderLeaf: {"border-leaf"},
			RoleMixedLeaf:  {"mixed-leaf"},
			RoleServer:     {"server"},
			RoleGateway:    {"gateway"},
			RoleExternal:   {"router", "edge-router", "firewall"},
		},
		AttachmentName: "{vpc}--{subnet}--{connection}",
		Tag:            "hedgehog",
		Settings:       hedgehog.DefaultSettings(),
	}
}
