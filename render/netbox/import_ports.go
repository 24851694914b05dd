package netbox

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"hedgehog-gitops/render/hedgehog"
)

// nodeBook is where the devices of the wanted objects and their ports are found. It is
// made of one reading of the draft; what is created later is entered as it comes.
type nodeBook struct {
	seen     *mapper
	wiring   *wiring
	devices  map[hedgehog.Key]*Device
	switches map[ID]string // the names of those that are switches
	// named are a device's interfaces by name and by what portName makes of it.
	named map[ID]map[string]*Interface
	// ports are the ports of a switch by Hedgehog's names: E1/5, E1/5/2, M1.
	ports map[ID]map[string]*Interface
	// channels are the interfaces with a channel ID, by their parent.
	channels map[ID][]*Interface
	underlay ID
}

// nodeBook returns the book of the present reading.
func (w *writer) nodeBook() *nodeBook {
	if w.book != nil && w.book.seen == w.seen {
		return w.book
	}
	b := &nodeBook{
		seen: w.seen, devices: map[hedgehog.Key]*Device{}, switches: map[ID]string{},
		named: map[ID]map[string]*Interface{}, ports: map[ID]map[string]*Interface{}, channels: map[ID][]*Interface{},
	}
	if w.book != nil {
		b.wiring = w.book.wiring
	} else {
		b.wiring = wiringOf(w.want)
	}
	w.book = b
	for _, i := range w.interfaces.sorted() {
		b.enter(i)
	}
	for id, s := range w.seen.switches {
		b.devices[s.object.Key()], b.switches[id] = w.devices.get(id), s.name
		b.ports[id] = map[string]*Interface{}
		for _, i := range w.seen.interfacesOf[id] {
			port, ok := s.portOf[i.ID]
			if first := b.ports[id][port]; !ok || first != nil && first.ChannelID > 0 {
				continue
			}
			b.ports[id][port] = w.interfaces.get(i.ID)
		}
	}
	for id, s := range w.seen.servers {
		b.devices[s.object.Key()] = w.devices.get(id)
	}
	for id, g := range w.seen.gateways {
		b.devices[g.object.Key()] = w.devices.get(id)
	}
	maps.DeleteFunc(b.devices, func(_ hedgehog.Key, d *Device) bool { return d == nil })
	return b
}

// enter notes an interface by its name, and as a channel of its parent.
func (b *nodeBook) enter(i *Interface) {
	if b.named[i.Device] == nil {
		b.named[i.Device] = map[string]*Interface{}
	}
	b.named[i.Device][i.Name] = i
	if name := portName(i.Name); b.named[i.Device][name] == nil {
		b.named[i.Device][name] = i
	}
	if i.ChannelID > 0 && i.Parent != 0 {
		b.channels[i.Parent] = append(b.channels[i.Parent], i)
	}
}

// setPort notes which port of a switch an interface is.
func (b *nodeBook) setPort(i *Interface, port string) {
	ports := b.ports[i.Device]
	if ports == nil {
		ports = map[string]*Interface{}
		b.ports[i.Device] = ports
	}
	ports[port] = i
}

// device returns the draft's device that a Switch, Server or Gateway is: one that
// NetBox had, or one that was created for it. It is nil when there is none: no object of
// that kind and name is wanted or documented.
func (w *writer) device(kind hedgehog.Kind, name string) *Device {
	return w.nodeBook().devices[hedgehog.Key{Kind: kind, Name: name}]
}

// switchPort returns the draft's interface that is a port of a switch, given by
// Hedgehog's name (E1/5, E1/5/2, M1; without the switch), and makes it when there is
// none. It is one of:
//
//   - the port itself, an interface of a physical type: the cable ends at it;
//   - a channel (ChannelID > 0, Parent a port with Channels > 0): no cable ends at a
//     channel; one cable with the profile breakout-1c<n>p-<n>c1p ends at the parent (end
//     A, connector 1, positions 1..n), where n is the parent's Channels, and end B has
//     the far port of channel k with connector k and position 1. Unless NetBox had the
//     channels already, the lanes in use are 1..k without a gap, all with a far port,
//     none of which is a channel;
//   - a lane as an interface of its own (E1/5/2, no parent): a cable ends at it.
//
// It is nil when that cannot be made; an issue says why.
func (w *writer) switchPort(device *Device, port string) *Interface {
	if device == nil {
		return nil
	}
	b := w.nodeBook()
	if i := b.ports[device.ID][port]; i != nil {
		return i
	}
	base, lane, isLane := cutLane(port)
	if !isLane {
		return w.wholePort(device, port)
	}
	if w.profileOf(device) == nil {
		return w.newPort(device, port, "other")
	}
	return w.lane(device, base, lane)
}

// wholePort finds or makes a port that is no lane.
func (w *writer) wholePort(device *Device, port string) *Interface {
	b, profile := w.nodeBook(), w.profileOf(device)
	if i := b.ports[device.ID][port]; i != nil {
		return i
	}
	if i := w.onlyLane(device, port); i != nil {
		var pin any = port
		if profile != nil {
			if name, ok := profile.PortFromInterface(i.Name); ok && name == port {
				pin = nil
			}
		}
		i.Fields.set("port", pin)
		delete(b.ports[device.ID], port+"/1")
		b.setPort(i, port)
		return i
	}
	kind := "other"
	if profile != nil {
		if known, ok := profile.Port(port); ok {
			kind = interfaceType(known)
		}
	}
	return w.newPort(device, port, kind)
}

// onlyLane returns the interface that is a port and is called by the port's only lane:
// E1/5/1 of a port that is not split.
func (w *writer) onlyLane(device *Device, port string) *Interface {
	if i := w.nodeBook().ports[device.ID][port+"/1"]; i != nil && i.ChannelID == 0 && i.Fields.text("port") == port+"/1" {
		return i
	}
	return nil
}

// newPort makes an interface for a port of a switch.
func (w *writer) newPort(device *Device, port, kind string) *Interface {
	b := w.nodeBook()
	if other := b.named[device.ID][port]; other != nil {
		what := "type " + other.Type
		if isPort(other) {
			what = cf("port") + " " + other.Fields.text("port")
		}
		w.fail("import-interface-other", w.want.Get(hedgehog.KindSwitch, b.switches[device.ID]), other, "name",
			fmt.Sprintf("%s needs an interface for port %s, and the one that is called so has %s", device.Name, port, what),
			"rename the interface, or set "+cf("port")+" of the one that is the port")
		return nil
	}
	i := w.interfaces.add(Interface{Device: device.ID, Name: port, Type: kind, Enabled: true, MgmtOnly: port == "M1"})
	b.enter(i)
	b.setPort(i, port)
	return i
}

// lane finds or makes a lane of a port: see [writer.switchPort].
func (w *writer) lane(device *Device, port string, n int) *Interface {
	b := w.nodeBook()
	name := port + "/" + strconv.Itoa(n)
	split, explicit := w.splitOf(device, port)
	base := b.ports[device.ID][port]
	switch {
	case base != nil && base.Channels > 0:
		return w.channel(device, base, port, n, split.Speed)
	case split.Lanes == 1 && base != nil && base.Fields.text("breakout") == "" && base.Fields.text("fec") == "":
		// The port has but this lane: it is the port, by another name.
		base.Fields.set("port", name)
		delete(b.ports[device.ID], port)
		b.setPort(base, name)
		return base
	case split.Lanes > 1 && explicit && !w.hasPlainLanes(device, port) && w.wiring().inOrder(b.switches[device.ID], port):
		if base = w.wholePort(device, port); base == nil {
			return nil
		}
		w.makeChannels(device, base, port, split)
		return w.channel(device, base, port, n, split.Speed)
	}
	return w.newPort(device, name, laneType(split.Speed))
}

// wiring is what is cabled to what in the wanted fabric.
func (w *writer) wiring() *wiring { return w.nodeBook().wiring }

// hasPlainLanes reports whether lanes of the port are interfaces of their own.
func (w *writer) hasPlainLanes(device *Device, port string) bool {
	for n := 1; n <= 8; n++ {
		if i := w.nodeBook().ports[device.ID][port+"/"+strconv.Itoa(n)]; i != nil && i.ChannelID == 0 {
			return true
		}
	}
	return false
}

// makeChannels splits a port into channels.
func (w *writer) makeChannels(device *Device, base *Interface, port string, split hedgehog.Breakout) {
	base.Channels = split.Lanes
	base.Fields.set("breakout", nil)
	for n := 1; n <= split.Lanes; n++ {
		w.channel(device, base, port, n, split.Speed)
	}
}

// channel finds or makes a channel of a port.
func (w *writer) channel(device *Device, base *Interface, port string, n int, speed string) *Interface {
	b := w.nodeBook()
	name := port + "/" + strconv.Itoa(n)
	for _, i := range b.channels[base.ID] {
		if i.ChannelID == n {
			b.setPort(i, name)
			return i
		}
	}
	if other := b.named[device.ID][name]; other != nil {
		w.fail("import-interface-other", w.want.Get(hedgehog.KindSwitch, b.switches[device.ID]), other, "channel_id",
			fmt.Sprintf("%s needs an interface for channel %d of port %s, and the one that is called so is no channel of it", device.Name, n, port),
			"make it a channel of the port, or rename it")
		return nil
	}
	i := Interface{Device: device.ID, Name: name, Type: "channel", Enabled: true, Parent: base.ID, ChannelID: n}
	if kbps, ok := hedgehog.SpeedKbps(speed); ok {
		i.Speed = int64(kbps)
	}
	made := w.interfaces.add(i)
	b.enter(made)
	b.setPort(made, name)
	return made
}

// serverPort returns the draft's interface that is a port of a server or gateway, given
// by its name in the manifest (the interface's name with hyphens for blanks), and makes
// it when there is none. It is always of a physical type. It is nil when an interface of
// that name is a LAG or virtual; an issue says so.
func (w *writer) serverPort(device *Device, name string) *Interface {
	if device == nil {
		return nil
	}
	b := w.nodeBook()
	if i := b.named[device.ID][name]; i != nil {
		if !isPort(i) {
			w.fail("import-interface-other", nil, i, "type",
				fmt.Sprintf("%s needs a port %s that a cable can end at, and the interface that is called so has type %s", device.Name, name, i.Type),
				"give the interface the type of its port, or another name")
			return nil
		}
		return i
	}
	kind := "other"
	for _, owner := range []hedgehog.Kind{hedgehog.KindServer, hedgehog.KindGateway} {
		if near, ok := b.wiring.far[end{owner, slugOf(device), name}]; ok {
			kind = b.wiring.portType(near)
		}
	}
	i := w.interfaces.add(Interface{Device: device.ID, Name: name, Type: kind, Enabled: true})
	b.enter(i)
	return i
}

// slugOf is the name that a device has in the fabric.
func slugOf(d *Device) string {
	if name := d.Fields.text("name"); name != "" {
		return name
	}
	return slug(d.Name)
}

// profileOf is the profile that a switch is wanted to have, or has.
func (w *writer) profileOf(device *Device) *hedgehog.Profile {
	if spec := w.switchSpec(device); spec != nil {
		return w.wiring().profile(spec.Profile)
	}
	return nil
}

// switchSpec is the spec that a switch is wanted to have, or has where it is not among
// what is wanted.
func (w *writer) switchSpec(device *Device) *hedgehog.SwitchSpec {
	b := w.nodeBook()
	if o := w.want.Get(hedgehog.KindSwitch, b.switches[device.ID]); o != nil {
		spec, _ := o.Spec.(*hedgehog.SwitchSpec)
		return spec
	}
	if s := w.seen.switches[device.ID]; s != nil {
		return s.spec
	}
	return nil
}

// splitOf is how a port of a switch is to be split, and whether the spec says so rather
// than the profile.
func (w *writer) splitOf(device *Device, port string) (split hedgehog.Breakout, explicit bool) {
	spec, profile := w.switchSpec(device), w.profileOf(device)
	if spec == nil || profile == nil {
		return hedgehog.Breakout{Lanes: 1}, false
	}
	_, explicit = spec.PortBreakouts[port]
	return profileSplit(profile, port, spec.PortBreakouts), explicit
}

func profileSplit(profile *hedgehog.Profile, port string, breakouts map[string]string) hedgehog.Breakout {
	known, _ := profile.Port(port)
	mode, _ := known.Breakout(breakouts)
	split, err := hedgehog.ParseBreakout(mode.Name)
	if err != nil {
		return hedgehog.Breakout{Lanes: 1, Speed: known.Type.DefaultSpeed}
	}
	return split
}

// portChanges writes what a switch's spec says of its ports, where NetBox says
// something else.
type portChanges struct {
	w       *writer
	device  *Device
	profile *hedgehog.Profile
	want    *hedgehog.SwitchSpec
	got     *hedgehog.SwitchSpec
}

func (c *portChanges) write() {
	c.unsplit()
	for _, port := range changedKeys(c.got.PortBreakouts, c.want.PortBreakouts) {
		c.breakout(port, c.want.PortBreakouts[port])
	}
	for _, port := range changedKeys(c.got.PortSpeeds, c.want.PortSpeeds) {
		c.speed(port, c.want.PortSpeeds[port])
	}
	for _, group := range changedKeys(c.got.PortGroupSpeeds, c.want.PortGroupSpeeds) {
		c.groupSpeed(group, c.want.PortGroupSpeeds[group])
	}
	for _, key := range changedKeys(c.got.PortAutoNegs, c.want.PortAutoNegs) {
		if i := c.signalled(key, true); i != nil {
			if on, ok := c.want.PortAutoNegs[key]; ok {
				i.Fields.set("autoneg", on)
			} else {
				i.Fields.set("autoneg", nil)
			}
		}
	}
	for _, key := range changedKeys(c.got.PortFECs, c.want.PortFECs) {
		mode, wanted := c.want.PortFECs[key]
		if wanted && !slices.Contains([]string{"rs", "fc", "auto", "disabled"}, mode) {
			continue // no choice of the field
		}
		if i := c.signalled(key, false); i != nil {
			if wanted {
				i.Fields.set("fec", mode)
			} else {
				i.Fields.set("fec", nil)
			}
		}
	}
}

// unsplit makes ports whole that are split as nobody wants and as their switch cannot be:
// it was of another model.
func (c *portChanges) unsplit() {
	b := c.w.nodeBook()
	profile := c.profile
	if known, ok := hedgehog.ProfileByName(c.want.Profile); ok {
		profile = &known
	}
	for _, port := range sortedKeys(b.ports[c.device.ID]) {
		i := b.ports[c.device.ID][port]
		if i == nil || i.ChannelID != 0 || i.Channels == 0 && i.Fields.value("breakout") == nil ||
			c.want.PortBreakouts[port] != "" || c.got.PortBreakouts[port] != "" || profileSplit(profile, port, nil).Lanes > 1 {
			continue
		}
		if c.dropChannels(i, port, 0) {
			i.Fields.set("breakout", nil)
			i.Speed = 0
		}
	}
}

// changedKeys are the keys of two maps whose values differ, in natural order.
func changedKeys[V comparable](a, b map[string]V) []string {
	var keys []string
	for k, v := range a {
		if other, ok := b[k]; !ok || other != v {
			keys = append(keys, k)
		}
	}
	for k := range b {
		if _, ok := a[k]; !ok {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, natural)
	return keys
}

// breakout makes a port split in the mode; empty is the profile's own.
func (c *portChanges) breakout(port, mode string) {
	w := c.w
	known, ok := c.profile.Port(port)
	if !ok || !known.Type.IsBreakout() {
		return
	}
	if _, ok := known.Type.Breakout(mode); mode != "" && !ok {
		return
	}
	split, err := hedgehog.ParseBreakout(mode)
	if err != nil {
		split = hedgehog.Breakout{}
	}
	kbps, _ := hedgehog.SpeedKbps(split.Speed)
	if i := w.onlyLane(c.device, port); i != nil && split.Lanes <= 1 {
		if i.Speed = int64(kbps); mode == known.Type.DefaultBreakout {
			i.Speed = 0
		}
		return
	}
	base := w.wholePort(c.device, port)
	if base == nil {
		return
	}
	switch {
	case split.Lanes > 1 && (base.Channels > 0 || w.wiring().inOrder(w.nodeBook().switches[c.device.ID], port) && !w.hasPlainLanes(c.device, port)):
		if !c.dropChannels(base, port, split.Lanes) {
			return
		}
		w.makeChannels(c.device, base, port, split)
		for _, i := range w.nodeBook().channels[base.ID] {
			i.Speed = int64(kbps)
		}
	case split.Lanes > 1 || mode != "" && mode == known.Type.DefaultBreakout:
		if !c.dropChannels(base, port, 0) {
			return
		}
		base.Fields.set("breakout", mode)
		c.laneSpeeds(port, int64(kbps))
	case split.Lanes == 1:
		if !c.dropChannels(base, port, 0) {
			return
		}
		base.Fields.set("breakout", nil)
		base.Speed = int64(kbps)
		c.laneSpeeds(port, 0)
	default:
		if !c.dropChannels(base, port, 0) {
			return
		}
		base.Fields.set("breakout", nil)
		base.Speed = 0
		c.laneSpeeds(port, 0)
	}
}

// laneSpeeds corrects the speeds that lanes of a port say.
func (c *portChanges) laneSpeeds(port string, kbps int64) {
	for n := 1; n <= 8; n++ {
		if i := c.w.nodeBook().ports[c.device.ID][port+"/"+strconv.Itoa(n)]; i != nil && i.ChannelID == 0 && i.Speed != 0 {
			i.Speed = kbps
		}
	}
}

// dropChannels takes the channels of a port away but for the first ones. A channel that
// holds addresses or sub-interfaces of its own is in the way.
func (c *portChanges) dropChannels(base *Interface, port string, keep int) bool {
	w := c.w
	b := w.nodeBook()
	if base.Channels <= keep {
		return true
	}
	for _, i := range b.channels[base.ID] {
		if i.ChannelID > keep && len(w.seen.addressesOn[i.ID])+len(w.seen.childrenOf[i.ID]) > 0 {
			w.fail("import-channel-in-use", w.want.Get(hedgehog.KindSwitch, b.switches[c.device.ID]), i, "channel_id",
				fmt.Sprintf("port %s of %s is to be split otherwise, and its channel %s holds addresses or sub-interfaces", port, c.device.Name, i.Name),
				"remove them, if the port is really to be split otherwise")
			return false
		}
	}
	b.channels[base.ID] = slices.DeleteFunc(b.channels[base.ID], func(i *Interface) bool {
		if i.ChannelID <= keep {
			return false
		}
		w.interfaces.remove(i.ID)
		maps.DeleteFunc(b.ports[i.Device], func(_ string, p *Interface) bool { return p == i })
		maps.DeleteFunc(b.named[i.Device], func(_ string, p *Interface) bool { return p == i })
		return true
	})
	base.Channels = keep
	return true
}

// speed makes a port that has a speed of its own run at it; empty is the profile's.
func (c *portChanges) speed(port, speed string) {
	known, ok := c.profile.Port(port)
	if !ok || known.Group != "" || known.Management || known.Type.IsBreakout() || speed != "" && !known.Type.SupportsSpeed(speed) {
		return
	}
	if i := c.w.wholePort(c.device, port); i != nil {
		kbps, _ := hedgehog.SpeedKbps(speed)
		i.Speed = int64(kbps)
	}
}

// groupSpeed makes a port group run at a speed; empty is the profile's. Its ports that
// say a speed say the new one; where none does, the first one does.
func (c *portChanges) groupSpeed(name, speed string) {
	group, ok := c.profile.Group(name)
	if !ok || speed != "" && !group.Type.SupportsSpeed(speed) {
		return
	}
	kbps, _ := hedgehog.SpeedKbps(speed)
	says := false
	for _, port := range group.Ports {
		if i := c.w.nodeBook().ports[c.device.ID][port]; i != nil && i.Speed != 0 {
			i.Speed, says = int64(kbps), true
		}
	}
	if !says && speed != "" {
		if i := c.w.wholePort(c.device, group.Ports[0]); i != nil {
			i.Speed = int64(kbps)
		}
	}
}

// signalled returns the interface whose fields give the key of portAutoNegs or portFECs;
// nil when no interface would.
func (c *portChanges) signalled(key string, autoNeg bool) *Interface {
	known, lane, ok := c.profile.PortOf(key)
	if !ok || known.Management {
		return nil
	}
	if !known.Type.IsBreakout() {
		return c.w.wholePort(c.device, key)
	}
	if i := c.w.nodeBook().ports[c.device.ID][key]; i != nil && lane > 0 {
		return i
	}
	lanes := profileSplit(c.profile, known.Name, c.want.PortBreakouts).Lanes
	switch {
	case lane > lanes:
		return nil
	case lanes > 1 && lane > 0:
		return c.w.switchPort(c.device, key)
	case lanes > 1:
		return nil // upstream knows the lanes alone
	case autoNeg == (lane == 1) && c.w.onlyLane(c.device, known.Name) == nil:
		return c.w.wholePort(c.device, known.Name)
	}
	return nil
}

// interfaceType is NetBox's type for a port of a switch.
func interfaceType(port hedgehog.ProfilePort) string {
	if port.Management {
		return "1000base-t"
	}
	family, _, _ := strings.Cut(port.Type.Name, "-")
	switch fastest := fastestSpeed(port.Type); {
	case family == "RJ45" && fastest == "1G":
		return "1000base-t"
	case family == "RJ45" && fastest == "2.5G":
		return "2.5gbase-t"
	case family == "RJ45":
		return "10gbase-t"
	case family == "OSFP":
		return "800gbase-x-osfp"
	default:
		return laneType(fastest)
	}
}

// fastestSpeed is the speed of the port as a whole: that of its fastest single lane.
func fastestSpeed(t hedgehog.PortProfile) string {
	best, speed := 0, ""
	try := func(s string) {
		if kbps, ok := hedgehog.SpeedKbps(s); ok && kbps > best {
			best, speed = kbps, s
		}
	}
	for _, s := range t.Speeds {
		try(s)
	}
	for _, mode := range t.Breakouts {
		if b, err := hedgehog.ParseBreakout(mode.Name); err == nil {
			try(b.Speed)
		}
	}
	return speed
}

// laneType is NetBox's type for a port or lane of a speed.
func laneType(speed string) string {
	switch speed {
	case "1G":
		return "1000base-x-sfp"
	case "2.5G":
		return "2.5gbase-t"
	case "5G":
		return "5gbase-t"
	case "10G":
		return "10gbase-x-sfpp"
	case "25G":
		return "25gbase-x-sfp28"
	case "40G":
		return "40gbase-x-qsfpp"
	case "50G":
		return "50gbase-x-sfp56"
	case "100G":
		return "100gbase-x-qsfp28"
	case "200G":
		return "200gbase-x-qsfp56"
	case "400G":
		return "400gbase-x-qsfpdd"
	case "800G":
		return "800gbase-x-osfp"
	}
	return "other"
}

// end is a port of a device of the fabric.
type end struct {
	kind         hedgehog.Kind
	device, port string
}

// wiring is what the connections of a fabric join.
type wiring struct {
	fabric   *hedgehog.Fabric
	far      map[end]end
	lanes    map[end][]int // the lanes in use, by the port of the switch that is split
	profiles map[string]*hedgehog.Profile
}

func wiringOf(f *hedgehog.Fabric) *wiring {
	wi := &wiring{fabric: f, far: map[end]end{}, lanes: map[end][]int{}, profiles: map[string]*hedgehog.Profile{}}
	for _, spec := range hedgehog.Each[*hedgehog.ConnectionSpec](f) {
		wi.connection(spec)
	}
	return wi
}

// connection enters the links of a connection.
func (wi *wiring) connection(spec *hedgehog.ConnectionSpec) {
	join := func(a, b hedgehog.Port, kind hedgehog.Kind) {
		x, y := end{hedgehog.KindSwitch, a.Device(), a.Name()}, end{kind, b.Device(), b.Name()}
		wi.use(x)
		if b == "" {
			return
		}
		wi.use(y)
		wi.far[x], wi.far[y] = y, x
	}
	servers := func(links []hedgehog.ServerLink) {
		for _, l := range links {
			join(l.Switch.Port, l.Server.Port, hedgehog.KindServer)
		}
	}
	pairs := func(links []hedgehog.SwitchPairLink) {
		for _, l := range links {
			join(l.Switch1.Port, l.Switch2.Port, hedgehog.KindSwitch)
		}
	}
	if spec.Unbundled != nil {
		servers([]hedgehog.ServerLink{spec.Unbundled.Link})
	}
	for _, b := range []*hedgehog.Bundled{spec.Bundled, spec.MCLAG, spec.ESLAG} {
		if b != nil {
			servers(b.Links)
		}
	}
	if spec.MCLAGDomain != nil {
		pairs(spec.MCLAGDomain.PeerLinks)
		pairs(spec.MCLAGDomain.SessionLinks)
	}
	if spec.VPCLoopback != nil {
		pairs(spec.VPCLoopback.Links)
	}
	if spec.Fabric != nil {
		for _, l := range spec.Fabric.Links {
			join(l.Spine.Port, l.Leaf.Port, hedgehog.KindSwitch)
		}
	}
	if spec.Mesh != nil {
		for _, l := range spec.Mesh.Links {
			join(l.Leaf1.Port, l.Leaf2.Port, hedgehog.KindSwitch)
		}
	}
	if spec.Gateway != nil {
		for _, l := range spec.Gateway.Links {
			join(l.Switch.Port, l.Gateway.Port, hedgehog.KindGateway)
		}
	}
	if spec.External != nil {
		join(spec.External.Link.Switch.Port, "", "")
	}
	if spec.StaticExternal != nil {
		join(spec.StaticExternal.Link.Switch.Port, "", "")
	}
}

// use notes a lane that is in use.
func (wi *wiring) use(e end) {
	if base, lane, ok := cutLane(e.port); ok && e.kind == hedgehog.KindSwitch {
		at := end{e.kind, e.device, base}
		wi.lanes[at] = append(wi.lanes[at], lane)
	}
}

// inOrder reports whether one cable with a profile says what the lanes of a port lead
// to: they are in use from the first on without a gap, and each leads to a port that is
// not split itself.
func (wi *wiring) inOrder(device, port string) bool {
	base := end{hedgehog.KindSwitch, device, port}
	lanes := wi.lanes[base]
	if len(lanes) == 0 {
		return false
	}
	seen := make([]bool, len(lanes)+1)
	for _, n := range lanes {
		if n < 1 || n > len(lanes) || seen[n] {
			return false
		}
		seen[n] = true
		far, ok := wi.far[end{base.kind, device, port + "/" + strconv.Itoa(n)}]
		if !ok || wi.isSplit(far) {
			return false
		}
	}
	return true
}

// isSplit reports whether a port is one of several lanes.
func (wi *wiring) isSplit(e end) bool {
	base, _, isLane := cutLane(e.port)
	return e.kind == hedgehog.KindSwitch && isLane && wi.split(e.device, base).Lanes != 1
}

// split is how a port of a wanted switch is split.
func (wi *wiring) split(device, port string) hedgehog.Breakout {
	o := wi.fabric.Get(hedgehog.KindSwitch, device)
	if o == nil {
		return hedgehog.Breakout{}
	}
	spec, _ := o.Spec.(*hedgehog.SwitchSpec)
	if spec == nil {
		return hedgehog.Breakout{}
	}
	profile := wi.profile(spec.Profile)
	if profile == nil {
		return hedgehog.Breakout{}
	}
	return profileSplit(profile, port, spec.PortBreakouts)
}

// portType is NetBox's type for the port at the other end of a switch's port.
func (wi *wiring) portType(e end) string {
	base, _, isLane := cutLane(e.port)
	o := wi.fabric.Get(hedgehog.KindSwitch, e.device)
	if o == nil {
		return "other"
	}
	spec, _ := o.Spec.(*hedgehog.SwitchSpec)
	if spec == nil {
		return "other"
	}
	if profile := wi.profile(spec.Profile); profile != nil {
		if known, ok := profile.Port(base); ok && !isLane && !known.Type.IsBreakout() {
			return interfaceType(known)
		}
	}
	return laneType(wi.split(e.device, base).Speed)
}

// profile returns a built-in switch profile, or nil.
func (wi *wiring) profile(name string) *hedgehog.Profile {
	p, known := wi.profiles[name]
	if !known {
		if found, ok := hedgehog.ProfileByName(name); ok {
			p = &found
		}
		wi.profiles[name] = p
	}
	return p
}
