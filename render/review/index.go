package review

import (
	"slices"
	"strings"

	"hedgehog-gitops/render/hedgehog"
)

// index is a fabric by who is connected to whom.
type index struct {
	fabric *hedgehog.Fabric
	// links are those of each connection, and of each device: a link is at both of
	// its ends.
	links   map[string][]link // by connection
	devices map[string][]link // by device
	// ports maps device/port to the connection that uses it. A broken-out port is
	// in it by its own name too.
	ports map[string]string
	// attached are the attachments of each connection, members those of each subnet,
	// by vpc/subnet.
	attached map[string][]attachment
	members  map[string][]attachment
	// ways are the external attachments of each external, exits those of each
	// connection.
	ways  map[string][]*hedgehog.Object
	exits map[string][]*hedgehog.Object
	// peerings, externalPeerings and gatewayPeerings are by the pair that they join;
	// byVPC are the pairs of a VPC or an external (ext.name).
	peerings         map[pair][]*hedgehog.Object
	externalPeerings map[pair][]*hedgehog.Object
	gatewayPeerings  map[pair][]*hedgehog.Object
	// outside are the VPCs that reach each external.
	outside map[string][]string
	// groups are the members of each redundancy group, gateways those of each
	// gateway group, tagged the switches of each switch group.
	groups   map[string][]string
	gateways map[string][]string
	tagged   map[string][]string
	// subnets are the VPCs of each VLAN namespace and IPv4 namespace.
	byVLANs    map[string][]*hedgehog.Object
	byNetworks map[string][]*hedgehog.Object

	// What was asked for once is kept.
	serversByConnection map[string][]string
	serversByNet        map[string][]string
	serversByVPC        map[string][]string
	stateByServer       map[string]*serverState
}

// serverState is how a server is connected.
type serverState struct {
	links    []link
	switches int
	// nets are the subnets that it is in, and over how many links.
	nets map[string]int
}

// link is one cable: near belongs to a server, a spine or the first of two equals,
// far to a switch or gateway. What leads out of the fabric has no near end.
type link struct {
	connection string
	near, far  hedgehog.Port
}

// attachment is a VPCAttachment.
type attachment struct {
	name, vpc, subnet, connection string
}

// net returns vpc/subnet.
func (a attachment) net() string { return a.vpc + "/" + a.subnet }

// pair is two names, in order where they are of one kind.
type pair struct{ a, b string }

func newPair(a, b string) pair { return pair{min(a, b), max(a, b)} }

func newIndex(f *hedgehog.Fabric) *index {
	x := &index{
		fabric: f, links: map[string][]link{}, devices: map[string][]link{}, ports: map[string]string{},
		attached: map[string][]attachment{}, members: map[string][]attachment{},
		ways: map[string][]*hedgehog.Object{}, exits: map[string][]*hedgehog.Object{},
		peerings: map[pair][]*hedgehog.Object{}, externalPeerings: map[pair][]*hedgehog.Object{}, gatewayPeerings: map[pair][]*hedgehog.Object{},
		outside: map[string][]string{},
		groups:  map[string][]string{}, gateways: map[string][]string{}, tagged: map[string][]string{},
		byVLANs: map[string][]*hedgehog.Object{}, byNetworks: map[string][]*hedgehog.Object{},
		serversByConnection: map[string][]string{}, serversByNet: map[string][]string{}, serversByVPC: map[string][]string{},
		stateByServer: map[string]*serverState{},
	}
	for o := range f.All() {
		x.add(o)
	}
	return x
}

func (x *index) add(o *hedgehog.Object) {
	switch spec := o.Spec.(type) {
	case *hedgehog.SwitchSpec:
		if spec.Redundancy.Group != "" {
			x.groups[spec.Redundancy.Group] = append(x.groups[spec.Redundancy.Group], o.Name)
		}
		for _, group := range spec.Groups {
			x.tagged[group] = append(x.tagged[group], o.Name)
		}
	case *hedgehog.GatewaySpec:
		for _, group := range spec.Groups {
			x.gateways[group.Name] = append(x.gateways[group.Name], o.Name)
		}
	case *hedgehog.VPCSpec:
		x.byVLANs[spec.VLANNamespace] = append(x.byVLANs[spec.VLANNamespace], o)
		x.byNetworks[spec.IPv4Namespace] = append(x.byNetworks[spec.IPv4Namespace], o)
	case *hedgehog.ConnectionSpec:
		for _, l := range linksOf(spec) {
			l.connection = o.Name
			x.links[o.Name] = append(x.links[o.Name], l)
			for _, end := range []hedgehog.Port{l.near, l.far} {
				if end == "" {
					continue
				}
				x.devices[end.Device()] = append(x.devices[end.Device()], l)
				x.ports[string(end)] = o.Name
				if whole, ok := wholePort(string(end)); ok {
					x.ports[whole] = o.Name
				}
			}
		}
	case *hedgehog.VPCAttachmentSpec:
		vpc, subnet, _ := strings.Cut(spec.Subnet, "/")
		a := attachment{o.Name, vpc, subnet, spec.Connection}
		x.attached[a.connection] = append(x.attached[a.connection], a)
		x.members[a.net()] = append(x.members[a.net()], a)
	case *hedgehog.VPCPeeringSpec:
		for p := range peeringPairs(spec) {
			x.peerings[p] = append(x.peerings[p], o)
		}
	case *hedgehog.ExternalAttachmentSpec:
		x.ways[spec.External] = append(x.ways[spec.External], o)
		x.exits[spec.Connection] = append(x.exits[spec.Connection], o)
	case *hedgehog.ExternalPeeringSpec:
		p := pair{spec.Permit.VPC.Name, spec.Permit.External.Name}
		x.externalPeerings[p] = append(x.externalPeerings[p], o)
		x.outside[p.b] = append(x.outside[p.b], p.a)
	case *hedgehog.GatewayPeeringSpec:
		if p, ok := gatewayPair(spec); ok {
			x.gatewayPeerings[p] = append(x.gatewayPeerings[p], o)
		}
	}
}

// wholePort returns leaf-1/E1/49 for the lane leaf-1/E1/49/2.
func wholePort(port string) (string, bool) {
	if strings.Count(port, "/") < 3 {
		return "", false
	}
	return port[:strings.LastIndexByte(port, '/')], true
}

// linksOf returns the links of a connection.
func linksOf(spec *hedgehog.ConnectionSpec) []link {
	var links []link
	add := func(near, far hedgehog.Port) { links = append(links, link{near: near, far: far}) }
	if u := spec.Unbundled; u != nil {
		add(u.Link.Server.Port, u.Link.Switch.Port)
	}
	for _, lag := range []*hedgehog.Bundled{spec.Bundled, spec.ESLAG, spec.MCLAG} {
		if lag != nil {
			for _, l := range lag.Links {
				add(l.Server.Port, l.Switch.Port)
			}
		}
	}
	if spec.Fabric != nil {
		for _, l := range spec.Fabric.Links {
			add(l.Spine.Port, l.Leaf.Port)
		}
	}
	if spec.Mesh != nil {
		for _, l := range spec.Mesh.Links {
			add(l.Leaf1.Port, l.Leaf2.Port)
		}
	}
	if spec.Gateway != nil {
		for _, l := range spec.Gateway.Links {
			add(l.Switch.Port, l.Gateway.Port)
		}
	}
	var joined []hedgehog.SwitchPairLink
	if spec.VPCLoopback != nil {
		joined = append(joined, spec.VPCLoopback.Links...)
	}
	if spec.MCLAGDomain != nil {
		joined = slices.Concat(joined, spec.MCLAGDomain.PeerLinks, spec.MCLAGDomain.SessionLinks)
	}
	for _, l := range joined {
		add(l.Switch1.Port, l.Switch2.Port)
	}
	if spec.External != nil {
		add("", spec.External.Link.Switch.Port)
	}
	if spec.StaticExternal != nil {
		add("", spec.StaticExternal.Link.Switch.Port)
	}
	return links
}

// mostPermits bounds what is looked at of one peering. The cluster allows 10.
const mostPermits = 64

// peeringPairs returns the pairs of VPCs that a peering joins: one, in a good one.
func peeringPairs(spec *hedgehog.VPCPeeringSpec) map[pair]bool {
	found := map[pair]bool{}
	for _, permit := range spec.Permit[:min(mostPermits, len(spec.Permit))] {
		if vpcs := sortedKeys(permit); len(vpcs) == 2 {
			found[pair{vpcs[0], vpcs[1]}] = true
		}
	}
	return found
}

// gatewayPair returns the two sides of a gateway peering.
func gatewayPair(spec *hedgehog.GatewayPeeringSpec) (pair, bool) {
	sides := sortedKeys(spec.Peering)
	if len(sides) != 2 {
		return pair{}, false
	}
	return pair{sides[0], sides[1]}, true
}

// has reports whether the fabric has the object.
func (x *index) has(kind hedgehog.Kind, name string) bool { return x.fabric.Get(kind, name) != nil }

// isServerConnection reports whether VPCs can be attached to the connection.
func (x *index) isServerConnection(name string) bool {
	o := x.fabric.Get(hedgehog.KindConnection, name)
	if o == nil {
		return false
	}
	spec, ok := o.Spec.(*hedgehog.ConnectionSpec)
	return ok && (spec.Unbundled != nil || spec.Bundled != nil || spec.ESLAG != nil || spec.MCLAG != nil)
}

// mostServers is how many servers of one connection are looked at. A good one has
// one.
const mostServers = 64

// servers returns the servers of a connection.
func (x *index) servers(connection string) []string {
	return remember(x.serversByConnection, connection, func() []string {
		if !x.isServerConnection(connection) {
			return nil
		}
		var servers []string
		for _, l := range x.links[connection] {
			if l.near != "" {
				servers = append(servers, l.near.Device())
			}
		}
		servers = sortedSet(servers)
		return servers[:min(mostServers, len(servers))]
	})
}

// remember returns what is known under the key, or finds it out.
func remember[V any](known map[string]V, key string, find func() V) V {
	if v, ok := known[key]; ok {
		return v
	}
	v := find()
	known[key] = v
	return v
}

// serversIn returns the servers in a subnet, by vpc/subnet.
func (x *index) serversIn(net string) []string {
	return remember(x.serversByNet, net, func() []string {
		var servers []string
		for _, a := range x.members[net] {
			servers = append(servers, x.servers(a.connection)...)
		}
		return sortedSet(servers)
	})
}

// serversOf returns the servers in any subnet of a VPC.
func (x *index) serversOf(vpc string) []string {
	return remember(x.serversByVPC, vpc, func() []string {
		var servers []string
		for _, subnet := range x.subnets(vpc) {
			servers = append(servers, x.serversIn(vpc+"/"+subnet)...)
		}
		return sortedSet(servers)
	})
}

// subnets returns the names of a VPC's subnets.
func (x *index) subnets(vpc string) []string {
	if spec := x.vpc(vpc); spec != nil {
		return sortedKeys(spec.Subnets)
	}
	return nil
}

func (x *index) vpc(name string) *hedgehog.VPCSpec {
	if o := x.fabric.Get(hedgehog.KindVPC, name); o != nil {
		spec, _ := o.Spec.(*hedgehog.VPCSpec)
		return spec
	}
	return nil
}

// server returns how a server is connected.
func (x *index) server(name string) *serverState {
	return remember(x.stateByServer, name, func() *serverState {
		state := &serverState{nets: map[string]int{}}
		for _, l := range x.devices[name] {
			if l.near.Device() != name || !x.isServerConnection(l.connection) {
				continue
			}
			state.links = append(state.links, l)
			for _, a := range x.attached[l.connection] {
				state.nets[a.net()]++
			}
		}
		state.switches = len(farDevices(state.links))
		return state
	})
}

// nets returns the subnets that a server is in, and over how many links.
func (x *index) nets(server string) map[string]int { return x.server(server).nets }

// uplinks returns the links of a switch to other switches of the fabric.
func (x *index) uplinks(device string) []link {
	var links []link
	for _, l := range x.devices[device] {
		if o := x.fabric.Get(hedgehog.KindConnection, l.connection); o != nil {
			if spec, ok := o.Spec.(*hedgehog.ConnectionSpec); ok && (spec.Fabric != nil || spec.Mesh != nil) {
				links = append(links, l)
			}
		}
	}
	return links
}

// peer returns the device at the other end of a link.
func (l link) peer(device string) string {
	if l.near.Device() == device {
		return l.far.Device()
	}
	return l.near.Device()
}
