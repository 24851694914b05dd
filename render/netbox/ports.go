package netbox

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"hedgehog-gitops/render/hedgehog"
)

// isPort reports whether an interface can be a port: neither a LAG, a bridge,
// nor anything that exists in software only.
func isPort(i *Interface) bool {
	return i.Type != "virtual" && i.Type != "lag" && i.Type != "bridge"
}

// ports finds out which interface of a switch is which port, and reads
// breakouts, speeds, auto-negotiation and FEC from them.
func (m *mapper) ports(s *switchNode) {
	list := slices.Clone(m.interfacesOf[s.device.ID])
	slices.SortStableFunc(list, func(a, b *Interface) int { return natural(a.Name, b.Name) })
	byPort := map[string]*Interface{}
	var children []*Interface
	for _, i := range list {
		if !isPort(i) {
			continue
		}
		if i.ChannelID > 0 && i.Parent != 0 {
			children = append(children, i)
			continue
		}
		port, ok := s.portName(i)
		if !ok {
			continue
		}
		if first := byPort[port]; first != nil {
			// Templates list a port more than once now and then; only one that is
			// in use makes it a question.
			if m.cabled(first) && m.cabled(i) {
				m.fail("port-twice", s.object.Key(), i, "name",
					fmt.Sprintf("interfaces %s and %s of %s are both port %s", first.Name, i.Name, s.device.Name, port),
					"set "+cf("port")+" on one of them")
				continue
			}
			if !m.cabled(i) {
				continue
			}
			delete(s.portOf, first.ID)
		}
		byPort[port] = i
		s.portOf[i.ID] = port
		if port == "M1" {
			s.management = i
		}
	}
	if s.management == nil {
		// The boot loader's names of the management port hold on every switch.
		for _, i := range list {
			if _, known := s.portOf[i.ID]; !known && isPort(i) && slices.Contains([]string{"eth0", "management0"}, strings.ToLower(i.Name)) {
				s.management, s.portOf[i.ID] = i, "M1"
				break
			}
		}
	}
	for _, i := range children {
		port := i.Fields.text("port")
		if port == "" {
			if parent, ok := s.portOf[i.Parent]; ok {
				port = parent + "/" + strconv.Itoa(i.ChannelID)
			}
		}
		if port != "" {
			s.portOf[i.ID] = port
		}
	}
	m.breakouts(s, list, byPort)
	m.speeds(s, list)
	m.signalling(s, list)
}

// portName is the Hedgehog name of a port that is no channel.
func (s *switchNode) portName(i *Interface) (string, bool) {
	if pinned := i.Fields.text("port"); pinned != "" {
		return pinned, true
	}
	if isHedgehogPort(i.Name) {
		return i.Name, true
	}
	return s.profile.PortFromInterface(i.Name)
}

// isHedgehogPort reports whether a name is M1, E1/n or E1/n/m.
func isHedgehogPort(name string) bool {
	if name == "M1" {
		return true
	}
	rest, ok := strings.CutPrefix(name, "E1/")
	port, lane, hasLane := strings.Cut(rest, "/")
	return ok && isNumber(port) && (!hasLane || isNumber(lane))
}

func isNumber(s string) bool {
	return s != "" && s[0] != '0' && digits(s) == s
}

// breakouts reads how ports are split: channels, or a field, or lanes that
// stand beside each other as plain interfaces.
func (m *mapper) breakouts(s *switchNode, list []*Interface, byPort map[string]*Interface) {
	lanes := map[string][]*Interface{} // by the port that they are lanes of
	for _, i := range list {
		if port, ok := s.portOf[i.ID]; ok && i.ChannelID == 0 {
			if base, _, isLane := cutLane(port); isLane {
				lanes[base] = append(lanes[base], i)
			}
		}
	}
	set := func(port, mode string, at *Interface, field string) {
		if known, ok := s.profile.Port(port); !ok {
			m.fail("port-unknown", s.object.Key(), at, "name",
				fmt.Sprintf("switch profile %s has no port %s", s.profile.Name, port), "set "+cf("port")+" to a port of the profile")
			return
		} else if _, ok := known.Type.Breakout(mode); !ok {
			m.fail("switch-breakout-unsupported", s.object.Key(), at, field,
				fmt.Sprintf("port %s of a %s cannot be split as %s", port, s.profile.Name, mode),
				"use one of: "+orNone(modes(known.Type)))
			return
		}
		put(&s.spec.PortBreakouts, port, mode)
		from(s.object, at)
	}
	for _, i := range list {
		port, ok := s.portOf[i.ID]
		if !ok || i.ChannelID > 0 {
			continue
		}
		if _, _, isLane := cutLane(port); isLane {
			continue
		}
		mode := i.Fields.text("breakout")
		if i.Channels > 0 {
			var channels []*Interface
			for _, child := range m.childrenOf[i.ID] {
				if child.ChannelID > 0 {
					channels = append(channels, child)
				}
			}
			split, ok := m.splitMode(s, i, port, i.Channels, channels, "channels")
			if !ok {
				continue
			}
			if mode != "" && mode != split {
				m.fail("switch-breakout-twice", s.object.Key(), i, cf("breakout"),
					fmt.Sprintf("port %s says %s with its channels and %s with %s", port, split, mode, cf("breakout")), "clear "+cf("breakout"))
				continue
			}
			for _, child := range channels {
				from(s.object, child)
			}
			set(port, split, i, "channels")
			continue
		}
		if mode != "" {
			set(port, mode, i, cf("breakout"))
			delete(lanes, port)
			continue
		}
		if beside := lanes[port]; len(beside) > 0 {
			m.plainLanes(s, i, port, beside, set)
			delete(lanes, port)
		}
	}
	for _, port := range sortedKeys(lanes) {
		m.plainLanes(s, lanes[port][0], port, lanes[port], set)
	}
}

// plainLanes reads a breakout from lanes that are interfaces of their own.
func (m *mapper) plainLanes(s *switchNode, at *Interface, port string, lanes []*Interface, set func(port, mode string, at *Interface, field string)) {
	count, used := 0, false
	for _, lane := range lanes {
		_, n, _ := cutLane(s.portOf[lane.ID])
		count = max(count, n)
		used = used || m.cabled(lane) || lane.Speed != 0
	}
	known, ok := s.profile.Port(port)
	if !ok || !used {
		return
	}
	if byDefault, err := hedgehog.ParseBreakout(known.Type.DefaultBreakout); err == nil && count <= byDefault.Lanes {
		fits := true
		for _, lane := range lanes {
			if speed, ok := hedgehog.SpeedFromKbps(int(lane.Speed)); lane.Speed != 0 && (!ok || speed != byDefault.Speed) {
				fits = false
			}
		}
		if fits {
			return // the port's default has these lanes
		}
	}
	if mode, ok := m.splitMode(s, at, port, count, lanes, cf("breakout")); ok {
		for _, lane := range lanes {
			from(s.object, lane)
		}
		set(port, mode, at, cf("breakout"))
	}
}

// splitMode is the breakout mode of n lanes with the speed that the lanes have;
// where they say none, the only mode of n lanes that the port has.
func (m *mapper) splitMode(s *switchNode, at *Interface, port string, n int, lanes []*Interface, field string) (string, bool) {
	var speed int64
	for _, lane := range lanes {
		switch {
		case lane.Speed == 0:
		case speed == 0:
			speed = lane.Speed
		case speed != lane.Speed:
			m.fail("switch-breakout-speeds", s.object.Key(), lane, "speed",
				fmt.Sprintf("the channels of port %s have different speeds", port), "give all channels of a port one speed")
			return "", false
		}
	}
	if speed != 0 {
		name, ok := hedgehog.SpeedFromKbps(int(speed))
		if !ok {
			m.fail("speed-unknown", s.object.Key(), lanes[0], "speed", fmt.Sprintf("%d Kbps is no speed that a switch port has", speed), "use a speed such as 25000000 for 25G")
			return "", false
		}
		return fmt.Sprintf("%dx%s", n, name), true
	}
	known, _ := s.profile.Port(port)
	var fit []string
	for _, mode := range known.Type.Breakouts {
		if b, err := hedgehog.ParseBreakout(mode.Name); err == nil && b.Lanes == n {
			fit = append(fit, mode.Name)
		}
	}
	if len(fit) == 1 {
		return fit[0], true
	}
	m.fail("switch-breakout-speed-missing", s.object.Key(), at, field,
		fmt.Sprintf("port %s is split into %d, and nothing says at which speed", port, n),
		"set the speed of its channels; the port has: "+orNone(modes(known.Type)))
	return "", false
}

func modes(t hedgehog.PortProfile) []string {
	var names []string
	for _, mode := range t.Breakouts {
		names = append(names, mode.Name)
	}
	return names
}

func orNone(list []string) string {
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, ", ")
}

// cutLane splits E1/5/2 into E1/5 and 2.
func cutLane(port string) (base string, lane int, ok bool) {
	cut := strings.LastIndexByte(port, '/')
	if strings.Count(port, "/") != 2 {
		return port, 0, false
	}
	lane, err := strconv.Atoi(port[cut+1:])
	return port[:cut], lane, err == nil
}

// speeds reads the speeds of ports that are not split.
func (m *mapper) speeds(s *switchNode, list []*Interface) {
	type said struct {
		speed string
		by    *Interface
	}
	groups := map[string]said{}
	for _, i := range list {
		port, ok := s.portOf[i.ID]
		if !ok || i.Speed == 0 || i.Channels > 0 || i.ChannelID > 0 || port == "M1" {
			continue
		}
		known, ok := s.profile.Port(port)
		if !ok || known.Management {
			continue
		}
		speed, ok := hedgehog.SpeedFromKbps(int(i.Speed))
		if !ok {
			m.fail("speed-unknown", s.object.Key(), i, "speed", fmt.Sprintf("%d Kbps is no speed that a switch port has", i.Speed), "use a speed such as 25000000 for 25G")
			continue
		}
		unsupported := func(have string) {
			m.fail("switch-speed-unsupported", s.object.Key(), i, "speed",
				fmt.Sprintf("port %s of a %s cannot run at %s", port, s.profile.Name, speed), "use one of: "+have)
		}
		switch {
		case known.Group != "":
			group, _ := s.profile.Group(known.Group)
			if !group.Type.SupportsSpeed(speed) {
				unsupported(orNone(group.Type.Speeds))
				continue
			}
			if before, ok := groups[known.Group]; ok && before.speed != speed {
				m.fail("switch-group-speeds", s.object.Key(), i, "speed",
					fmt.Sprintf("ports %s and %s of %s share a port group and have different speeds", before.by.Name, i.Name, s.device.Name),
					fmt.Sprintf("give the ports %s one speed", orNone(group.Ports)))
				continue
			}
			groups[known.Group] = said{speed, i}
			if speed != group.Type.DefaultSpeed {
				put(&s.spec.PortGroupSpeeds, known.Group, speed)
			}
		case known.Type.IsBreakout():
			if _, split := s.spec.PortBreakouts[port]; split {
				continue
			}
			mode := "1x" + speed
			if _, ok := known.Type.Breakout(mode); !ok {
				unsupported(orNone(modes(known.Type)))
				continue
			}
			if mode != known.Type.DefaultBreakout {
				put(&s.spec.PortBreakouts, port, mode)
			}
		default:
			if !known.Type.SupportsSpeed(speed) {
				unsupported(orNone(known.Type.Speeds))
				continue
			}
			if speed != known.Type.DefaultSpeed {
				put(&s.spec.PortSpeeds, port, speed)
			}
		}
		from(s.object, i)
	}
}

// signalling reads auto-negotiation and FEC.
func (m *mapper) signalling(s *switchNode, list []*Interface) {
	for _, i := range list {
		port, ok := s.portOf[i.ID]
		if !ok {
			continue
		}
		if on := i.Fields.flag("autoneg"); on != nil {
			key := port
			if known, ok := s.profile.Port(port); ok && known.Type.IsBreakout() {
				if n := s.lanes(known); n > 1 {
					m.splitSignal(s, i, port, "autoneg")
					continue
				}
				key = port + "/1"
			}
			put(&s.spec.PortAutoNegs, key, *on)
			from(s.object, i)
		}
		if mode := i.Fields.text("fec"); mode != "" {
			if known, ok := s.profile.Port(port); ok && known.Type.IsBreakout() && s.lanes(known) > 1 {
				m.splitSignal(s, i, port, "fec")
				continue
			}
			put(&s.spec.PortFECs, port, mode)
			from(s.object, i)
		}
	}
}

// splitSignal reports a field that stands on a port which is split: it is one of
// the lanes.
func (m *mapper) splitSignal(s *switchNode, i *Interface, port, field string) {
	m.fail("port-split-signal", s.object.Key(), i, cf(field),
		fmt.Sprintf("port %s of %s is split, and %s is a matter of each lane", port, s.name, cf(field)), "clear the field here and set it on the channels")
}

// lanes is the number of lanes that a breakout port is split into.
func (s *switchNode) lanes(port hedgehog.ProfilePort) int {
	mode, ok := port.Breakout(s.spec.PortBreakouts)
	if !ok {
		return 1
	}
	b, err := hedgehog.ParseBreakout(mode.Name)
	if err != nil {
		return 1
	}
	return b.Lanes
}

// put sets a key of a map that may not be there yet.
func put[V any](m *map[string]V, key string, value V) {
	if *m == nil {
		*m = map[string]V{}
	}
	(*m)[key] = value
}
