package netbox

import (
	"maps"

	"hedgehog-gitops/render/hedgehog"
)

// nodeBook is where the devices of the wanted objects and their ports are found. It is
// made of one reading of the draft; what is created later is entered as it comes.
type nodeBook struct {
	seen    *mapper
	devices map[hedgehog.Key]*Device
	// named are a device's interfaces by name; for servers and gateways by what
	// portName makes of it.
	named map[ID]map[string]*Interface
	// ports are the ports of a switch by Hedgehog's names: E1/5, E1/5/2, M1.
	ports map[ID]map[string]*Interface
}

// nodeBook returns the book of the present reading.
func (w *writer) nodeBook() *nodeBook {
	if w.book != nil && w.book.seen == w.seen {
		return w.book
	}
	b := &nodeBook{seen: w.seen, devices: map[hedgehog.Key]*Device{}, named: map[ID]map[string]*Interface{}, ports: map[ID]map[string]*Interface{}}
	for _, i := range w.interfaces.sorted() {
		b.enter(i)
	}
	for id, s := range w.seen.switches {
		b.devices[s.object.Key()] = w.devices.get(id)
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
	w.book = b
	return b
}

// enter notes an interface by its name.
func (b *nodeBook) enter(i *Interface) {
	if b.named[i.Device] == nil {
		b.named[i.Device] = map[string]*Interface{}
	}
	b.named[i.Device][i.Name] = i
	if name := portName(i.Name); b.named[i.Device][name] == nil {
		b.named[i.Device][name] = i
	}
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
//     channels already, all lanes in use are 1..k without a gap, and no far port is a
//     channel;
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
	i := w.interfaces.add(Interface{Device: device.ID, Name: port, Type: "other", Enabled: true})
	b.enter(i)
	if b.ports[device.ID] == nil {
		b.ports[device.ID] = map[string]*Interface{}
	}
	b.ports[device.ID][port] = i
	return i
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
		return i
	}
	i := w.interfaces.add(Interface{Device: device.ID, Name: name, Type: "other", Enabled: true})
	b.enter(i)
	return i
}
