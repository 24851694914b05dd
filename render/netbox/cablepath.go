package netbox

import (
	"fmt"
	"slices"
	"strings"
)

// farEnd is where the path from a port ends: at an interface or at a circuit.
type farEnd struct {
	port    *Interface          // nil when the path ends elsewhere
	circuit *CircuitTermination // nil when the path ends elsewhere
	cables  []*Cable            // the cables on the way, near end first
	panels  []row               // the pass-through ports on the way
}

// trouble is why a path cannot be followed: the record to change, what is the
// matter, and what to do.
type trouble struct {
	at            row
	field         string
	summary, hint string
}

// nearEnd returns the interface that a port's cable ends at: itself, or for a
// channel the port it is a channel of.
func (x *Index) nearEnd(i *Interface) *Interface {
	if i.ChannelID > 0 {
		if parent := x.interfaces[i.Parent]; parent != nil && parent.Channels > 0 {
			return parent
		}
	}
	return i
}

// cabled reports whether a cable ends at the port, or at the port that it is a
// channel of.
func (x *Index) cabled(i *Interface) bool {
	return x.termination[portRef{"dcim.interface", x.nearEnd(i).ID}] != nil
}

// follow walks from a port over its cable and every patch panel to the far
// end. It returns nil without trouble where nothing is connected: no cable, a
// cable on the way that is only planned or being removed, a panel port with no
// cable behind it, a channel of a breakout cable that leads nowhere.
func (x *Index) follow(i *Interface) (*farEnd, *trouble) {
	start := x.termination[portRef{"dcim.interface", x.nearEnd(i).ID}]
	if start == nil {
		return nil, nil
	}
	var positions []int
	switch {
	case i.ChannelID > 0:
		positions = []int{i.ChannelID}
	case i.Channels > 0:
		return nil, nil // its channels are the ports
	default:
		positions = start.Positions
	}
	if len(positions) == 0 {
		positions = []int{0}
	}
	var found *farEnd
	for _, position := range positions {
		w := walk{x: x}
		if position > 0 {
			w.stack = []int{position}
		}
		end, bad := w.from(start)
		if bad != nil {
			return nil, bad
		}
		if end == nil {
			continue
		}
		if found != nil && (found.port != end.port || found.circuit != end.circuit) {
			return nil, &trouble{end.cables[0], "profile",
				fmt.Sprintf("port %s reaches several ports over one cable", i.Name),
				"give the port `channels`, with a channel interface for each, or split the cable"}
		}
		if found == nil {
			found = end
		}
	}
	return found, nil
}

// walk is one way through cables and panels, of one position at a time.
type walk struct {
	x     *Index
	stack []int // positions to come out at, as NetBox's own tracing keeps them
	end   farEnd
}

func (w *walk) pop() (int, bool) {
	if len(w.stack) == 0 {
		return 0, false
	}
	last := w.stack[len(w.stack)-1]
	w.stack = w.stack[:len(w.stack)-1]
	return last, true
}

func (w *walk) from(near *CableTermination) (*farEnd, *trouble) {
	for near != nil {
		cable := w.x.cables[near.Cable]
		if cable == nil || cable.Status != "connected" {
			return nil, nil
		}
		if slices.Contains(w.end.cables, cable) {
			return nil, &trouble{cable, "terminations", "the cable leads back to itself", "correct where the cables of this path end"}
		}
		w.end.cables = append(w.end.cables, cable)
		far, bad := w.cross(cable, near)
		if far == nil {
			return nil, bad
		}
		switch far.Type {
		case "dcim.interface":
			port := w.x.interfaces[far.Port]
			if port == nil {
				return nil, nil
			}
			if port.Channels > 0 {
				position, ok := w.pop()
				if !ok || cable.Profile == "" {
					return nil, &trouble{cable, "profile",
						fmt.Sprintf("the cable ends at port %s, which has %d channels, and does not say at which", port.Name, port.Channels),
						fmt.Sprintf("give the cable a profile such as breakout-1c%dp-%dc1p: position N is channel N", port.Channels, port.Channels)}
				}
				parent := port
				port = nil
				for _, child := range w.x.childrenOf[parent.ID] {
					if child.ChannelID == position {
						port = child
					}
				}
				if port == nil {
					return nil, &trouble{parent, "channels",
						fmt.Sprintf("channel %d of port %s is cabled but has no interface", position, parent.Name),
						fmt.Sprintf("add an interface of type channel with parent %s and channel ID %d", parent.Name, position)}
				}
			}
			w.end.port = port
			return &w.end, nil
		case "circuits.circuittermination":
			w.end.circuit = w.x.circuitTerms[far.Port]
			return &w.end, nil
		case "dcim.frontport":
			near, bad = w.frontToRear(w.x.frontPorts[far.Port])
		case "dcim.rearport":
			near, bad = w.rearToFront(w.x.rearPorts[far.Port])
		default:
			return &w.end, nil
		}
		if bad != nil {
			return nil, bad
		}
	}
	return nil, nil
}

// cross returns the termination at the other end of the cable.
func (w *walk) cross(cable *Cable, near *CableTermination) (*CableTermination, *trouble) {
	if cable.Profile == "" {
		var far *CableTermination
		nears, fars := 0, 0
		for _, t := range w.x.terminationsOf[cable.ID] {
			if t.End == near.End {
				nears++
			} else {
				far = t
				fars++
			}
		}
		if nears > 1 || fars > 1 {
			return nil, &trouble{cable, "profile",
				"the cable has several ports at one end and does not say which leads to which",
				"give the cable a profile, or document it as several cables"}
		}
		return far, nil
	}
	position, ok := w.pop()
	if !ok {
		if len(near.Positions) != 1 {
			return nil, &trouble{cable, "profile",
				"the path enters the cable at a port with several positions and does not say at which",
				"map the positions of the panel ports on the way"}
		}
		position = near.Positions[0]
	}
	connector, position, ok := acrossProfile(cable.Profile, near.End, near.Connector, position)
	if !ok {
		return nil, &trouble{cable, "profile",
			fmt.Sprintf("cable profile %s is not known to lead from position %d anywhere", cable.Profile, position),
			"use one of NetBox's single, trunk or breakout profiles"}
	}
	w.stack = append(w.stack, position)
	for _, t := range w.x.terminationsOf[cable.ID] {
		if t.End != near.End && t.Connector == connector && slices.Contains(t.Positions, position) {
			return t, nil
		}
	}
	return nil, nil
}

func (w *walk) frontToRear(front *FrontPort) (*CableTermination, *trouble) {
	if front == nil {
		return nil, nil
	}
	var found *PortMapping
	if len(front.RearPorts) > 1 {
		position, ok := w.pop()
		if !ok {
			return nil, splitPanel(front, front.Name)
		}
		for i := range front.RearPorts {
			if front.RearPorts[i].Position == position {
				found = &front.RearPorts[i]
			}
		}
	} else if len(front.RearPorts) == 1 {
		found = &front.RearPorts[0]
	}
	if found == nil {
		return nil, nil
	}
	w.end.panels = append(w.end.panels, front)
	rear := w.x.rearPorts[found.RearPort]
	if rear == nil {
		return nil, nil
	}
	if rear.Positions > 1 {
		w.stack = append(w.stack, found.RearPortPosition)
	}
	w.end.panels = append(w.end.panels, rear)
	return w.x.termination[portRef{"dcim.rearport", rear.ID}], nil
}

func (w *walk) rearToFront(rear *RearPort) (*CableTermination, *trouble) {
	if rear == nil {
		return nil, nil
	}
	w.end.panels = append(w.end.panels, rear)
	position := 0
	if rear.Positions > 1 {
		var ok bool
		if position, ok = w.pop(); !ok {
			return nil, splitPanel(rear, rear.Name)
		}
	}
	var front *FrontPort
	frontPosition := 0
	for _, f := range w.x.frontsOf[rear.ID] {
		for _, m := range f.RearPorts {
			if m.RearPort != rear.ID || position > 0 && m.RearPortPosition != position {
				continue
			}
			if front != nil && front != f {
				return nil, splitPanel(rear, rear.Name)
			}
			front, frontPosition = f, m.Position
		}
	}
	if front == nil {
		return nil, nil
	}
	if len(front.RearPorts) > 1 {
		w.stack = append(w.stack, frontPosition)
	}
	w.end.panels = append(w.end.panels, front)
	return w.x.termination[portRef{"dcim.frontport", front.ID}], nil
}

func splitPanel(at row, name string) *trouble {
	return &trouble{at, "positions",
		fmt.Sprintf("the path splits at panel port %s", name),
		"map the positions of the panel's ports, or give the cables on the way a profile"}
}

// acrossProfile returns the connector and position at the other end of a cable
// with one of NetBox 4.7's profiles (dcim/cable_profiles.py).
func acrossProfile(profile, end string, connector, position int) (farConnector, farPosition int, ok bool) {
	switch kind, rest, _ := strings.Cut(profile, "-"); {
	case profile == "trunk-2c4p-shuffle":
		// Positions go by pairs: the first pair to connector 1, the second to 2.
		return (position-1)/2 + 1, (connector-1)*2 + (position-1)%2 + 1, true
	case profile == "trunk-4c4p-shuffle":
		return position, connector, true
	case profile == "breakout-2c4p-8c1p-shuffle":
		if end == "A" {
			return (position-1)/2*4 + (connector-1)*2 + (position-1)%2 + 1, 1, true
		}
		c := connector - 1
		return c%4/2 + 1, c/4*2 + c%2 + 1, true
	case strings.HasSuffix(profile, "-shuffle"):
		return 0, 0, false
	case kind == "single" || kind == "trunk":
		return connector, position, true
	case kind == "breakout" && strings.HasPrefix(rest, "1c"):
		if end == "A" {
			return position, 1, true
		}
		return 1, connector, true
	}
	return 0, 0, false
}
