package hedgehog

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Profile is a model of switch that the fabric knows: its ports, what each can
// do, and what the switch as a whole supports. Facts are those of the
// SwitchProfile objects that release 26.03 registers; the table is in
// profiles.go.
//
// A profile does not say which roles a switch may have; that follows from its
// features.
type Profile struct {
	// Name is what Switch.profile holds, as edgecore-dcs203.
	Name string
	// DisplayName is for people, as "Edgecore DCS203". A preview profile
	// (-clsp) shares it with the profile it is a preview of.
	DisplayName string
	// OtherNames are what the same hardware is sold as, as "Edgecore AS7326-56X".
	OtherNames []string
	// Manufacturer and Model name a device type for the profile, as "Edgecore"
	// and "DCS203". Ours: unlike DisplayName no two profiles share them, and
	// [ProfileByDeviceType] leads from them back to the profile.
	Manufacturer, Model string
	// Silicon is the switching chip, as "Broadcom TD3-X7 3.2T", or vs.
	Silicon string
	// NOSType is the kind of operating system, as sonic-bcm-base.
	NOSType string
	// Platform is what the boot loader reports, as x86_64-accton_as7326_56x-r0.
	Platform string
	// Notes say what to know before ordering one; often empty.
	Notes    string
	Features ProfileFeatures
	// MaxPathsEBGP limits equal-cost paths; 0 means the fabric's own limit.
	MaxPathsEBGP int
	// MaxPorts limits the data ports of the switch, each counted by its lanes
	// (see [Profile.CountPorts]); 0 means no limit.
	MaxPorts int
	// Ports are in natural order: M1, E1/1, E1/2, ... E1/10.
	Ports []ProfilePort
	// Groups are in the order of their numbers; empty when every port has a
	// speed of its own.
	Groups []ProfileGroup
	// Pipelines are in the order of their numbers; empty when ports do not
	// compete.
	Pipelines []ProfilePipeline
}

// ProfileFeatures is what a switch supports.
type ProfileFeatures struct {
	ACLs          bool
	ECMPRoCEQPN   bool // Switch.ecmp.roceQPN
	ESLAG         bool // Switch.redundancy of type eslag
	L2VNI         bool // VPCs in mode l2vni
	L3VNI         bool // VPCs in mode l3vni
	MCLAG         bool // up to 26.02
	PortLocator   bool // Switch.portLocators
	RoCE          bool // Switch.roce
	Subinterfaces bool // VLANs on external attachments
}

// ProfilePort is one physical port of a switch.
type ProfilePort struct {
	// Name is what the API calls it: M1 or E1/<n>, n from 1.
	Name string
	// Label is what is printed beside the port; not a name to look a port up
	// by: on some switches the label M1 is on a data port. Empty for M1.
	Label string
	// NOSName is what the operating system calls it: Ethernet<k>, for a
	// breakout port 1/<k>, for M1 Management0.
	NOSName string
	// BaseNOSName is what the operating system calls the first lane of a
	// breakout port, Ethernet<k>; empty for the others.
	BaseNOSName string
	// ONIEName is what the boot loader calls M1, as eth0; empty for the others.
	ONIEName string
	// Management is true for M1 alone, which has no Type.
	Management bool
	// Group names the group that the speed of the port is set by; empty when
	// it has its own.
	Group string
	// Pipeline names the pipeline that the lanes of the port count in; empty
	// when none.
	Pipeline string
	// Type is what the port can do; for a port in a group, what its group can.
	Type PortProfile
}

// PortProfile is a family of ports that can do the same: either it has a speed
// (portSpeeds, portGroupSpeeds) or it breaks out into lanes (portBreakouts).
type PortProfile struct {
	// Name is as QSFP28-100G. Profiles of different switches may give one name
	// to ports that differ.
	Name string
	// DefaultSpeed and Speeds are as 25G, slowest first; empty for a breakout port.
	DefaultSpeed string
	Speeds       []string
	// DefaultBreakout and Breakouts are empty for a speed port.
	DefaultBreakout string
	Breakouts       []BreakoutMode
	// AutoNegAllowed says that portAutoNegs may name the port.
	AutoNegAllowed bool
	AutoNegDefault bool
}

// BreakoutMode is one way to split a port.
type BreakoutMode struct {
	// Name is <lanes>x<speed>, as 4x25G.
	Name string
	// Offsets has one entry for each lane: what to add to the number in
	// BaseNOSName for the operating system's name of the lane. Lanes of the
	// API are 1, 2, ... whatever the offsets.
	Offsets []int
}

// ProfileGroup is a set of neighbouring ports that share one speed.
type ProfileGroup struct {
	// Name is what portGroupSpeeds calls it: "1", "2", ...
	Name    string
	NOSName string
	Type    PortProfile
	// Ports are the names of the members, in natural order.
	Ports []string
}

// ProfilePipeline is a part of the switching chip that serves some of the ports.
type ProfilePipeline struct {
	Name string
	// MaxPorts limits the ports of the pipeline, each counted by its lanes.
	MaxPorts int
	// Ports are the names of the ports served, in natural order.
	Ports []string
}

// Profiles returns every known profile, sorted by name. The values are the
// caller's own.
func Profiles() []Profile {
	var ps []Profile
	for _, row := range profileRows() {
		ps = append(ps, row.profile())
	}
	slices.SortFunc(ps, func(a, b Profile) int { return strings.Compare(a.Name, b.Name) })
	return ps
}

// ProfileByName returns the profile that Switch.profile names.
func ProfileByName(name string) (Profile, bool) {
	for _, row := range profileRows() {
		if row.name == name {
			return row.profile(), true
		}
	}
	return Profile{}, false
}

// IsBreakout reports whether the ports break out into lanes rather than having
// a speed.
func (t PortProfile) IsBreakout() bool { return len(t.Breakouts) > 0 }

// Breakout returns a supported mode by its name, as 4x25G.
func (t PortProfile) Breakout(mode string) (BreakoutMode, bool) {
	for _, b := range t.Breakouts {
		if b.Name == mode {
			return b, true
		}
	}
	return BreakoutMode{}, false
}

// SupportsSpeed reports whether a speed, as 25G, may be set on the ports; never
// on breakout ports.
func (t PortProfile) SupportsSpeed(speed string) bool { return slices.Contains(t.Speeds, speed) }

// maxLanes is the number of lanes of the mode that has most.
func (t PortProfile) maxLanes() int {
	n := 0
	for _, b := range t.Breakouts {
		n = max(n, len(b.Offsets))
	}
	return n
}

// Breakout returns the mode that the port is in on a switch with these
// portBreakouts: the one given, else the default. A mode given that the port
// does not support counts as not given; finding fault with it is the
// validator's business. It is not ok for a port that does not break out.
func (port ProfilePort) Breakout(breakouts map[string]string) (BreakoutMode, bool) {
	if b, ok := port.Type.Breakout(breakouts[port.Name]); ok {
		return b, true
	}
	return port.Type.Breakout(port.Type.DefaultBreakout)
}

// lanes names the lanes of a breakout port; none for other ports.
func (port ProfilePort) lanes(breakouts map[string]string) []string {
	mode, _ := port.Breakout(breakouts)
	names := make([]string, len(mode.Offsets))
	for i := range mode.Offsets {
		names[i] = port.Name + "/" + strconv.Itoa(i+1)
	}
	return names
}

// nosLane names the lane of a breakout port at an offset.
func (port ProfilePort) nosLane(offset int) string {
	base, _ := ordinal(strings.TrimPrefix(port.BaseNOSName, "Ethernet"))
	return fmt.Sprintf("Ethernet%d", base+offset)
}

// Port returns a physical port by the API's name, M1 or E1/<n>. For a name that
// may be a lane see [Profile.PortOf].
func (p Profile) Port(name string) (ProfilePort, bool) {
	for _, port := range p.Ports {
		if port.Name == name {
			return port, true
		}
	}
	return ProfilePort{}, false
}

// PortOf returns the physical port that an API name belongs to and the lane it
// names, from 1: lane 3 of E1/5 for E1/5/3. The lane is 0 for the name of the
// port itself. It is not ok when the profile has no such port, or no mode of it
// has so many lanes; whether the mode in use has is for [Profile.HasPort].
func (p Profile) PortOf(name string) (port ProfilePort, lane int, ok bool) {
	if port, ok := p.Port(name); ok {
		return port, 0, true
	}
	i := strings.LastIndexByte(name, '/')
	if i < 0 {
		return ProfilePort{}, 0, false
	}
	lane, ok = ordinal(name[i+1:])
	if !ok || lane < 1 {
		return ProfilePort{}, 0, false
	}
	port, ok = p.Port(name[:i])
	if !ok || lane > port.Type.maxLanes() {
		return ProfilePort{}, 0, false
	}
	return port, lane, true
}

// Group returns a port group by its name, as "1".
func (p Profile) Group(name string) (ProfileGroup, bool) {
	for _, g := range p.Groups {
		if g.Name == name {
			return g, true
		}
	}
	return ProfileGroup{}, false
}

// PortNames returns every name that a Connection may use for a port of a switch
// with these portBreakouts, in natural order: M1, the ports, and after each
// breakout port its lanes. E1/1 and E1/1/1 of a breakout port are the same
// port, see [Profile.Canonical].
func (p Profile) PortNames(breakouts map[string]string) []string {
	var names []string
	for _, port := range p.Ports {
		names = append(names, port.Name)
		names = append(names, port.lanes(breakouts)...)
	}
	return names
}

// AvailablePorts returns the names that portFECs and portAutoNegs are keyed by
// on a switch with these portBreakouts, in natural order: the data ports, a
// breakout port by its lanes even when there is only one.
func (p Profile) AvailablePorts(breakouts map[string]string) []string {
	var names []string
	for _, port := range p.Ports {
		switch {
		case port.Management:
		case port.Type.IsBreakout():
			names = append(names, port.lanes(breakouts)...)
		default:
			names = append(names, port.Name)
		}
	}
	return names
}

// HasPort reports whether name is one of [Profile.PortNames].
func (p Profile) HasPort(name string, breakouts map[string]string) bool {
	port, lane, ok := p.PortOf(name)
	if !ok || lane == 0 {
		return ok
	}
	mode, _ := port.Breakout(breakouts)
	return lane <= len(mode.Offsets)
}

// Canonical returns the one name among those for the same port by which to
// compare: E1/1/1 for E1/1 where that is a breakout port, else the name itself.
func (p Profile) Canonical(name string) string {
	if port, ok := p.Port(name); ok && port.Type.IsBreakout() {
		return name + "/1"
	}
	return name
}

// NOSName returns what the operating system calls a port or lane of a switch
// with these portBreakouts: Ethernet50 for E1/49/3. It is not ok unless
// [Profile.HasPort].
func (p Profile) NOSName(name string, breakouts map[string]string) (string, bool) {
	if !p.HasPort(name, breakouts) {
		return "", false
	}
	port, lane, _ := p.PortOf(name)
	mode, ok := port.Breakout(breakouts)
	if !ok {
		return port.NOSName, true
	}
	return port.nosLane(mode.Offsets[max(lane, 1)-1]), true
}

// PortCount is how many ports a switch has when every lane counts as one.
type PortCount struct {
	// Total counts all data ports. It must not exceed Profile.MaxPorts.
	Total int
	// Pipelines counts by the name of the pipeline. None may exceed
	// ProfilePipeline.MaxPorts. Ports in no pipeline count in Total only.
	Pipelines map[string]int
}

// CountPorts counts the data ports of a switch with these portBreakouts.
func (p Profile) CountPorts(breakouts map[string]string) PortCount {
	count := PortCount{Pipelines: map[string]int{}}
	for _, port := range p.Ports {
		if port.Management {
			continue
		}
		n := 1
		if mode, ok := port.Breakout(breakouts); ok {
			n = len(mode.Offsets)
		}
		count.Total += n
		if port.Pipeline != "" {
			count.Pipelines[port.Pipeline] += n
		}
	}
	return count
}

// AutoNeg reports whether portAutoNegs may name the port on a switch with these
// portBreakouts, and whether auto-negotiation is on when it does not. A
// breakout port is named by its lanes (E1/1/1, not E1/1); ports of a group and
// M1 cannot be named.
func (p Profile) AutoNeg(name string, breakouts map[string]string) (allowed, byDefault bool) {
	port, lane, ok := p.PortOf(name)
	if !ok || port.Group != "" || !p.HasPort(name, breakouts) || port.Type.IsBreakout() != (lane > 0) {
		return false, false
	}
	return port.Type.AutoNegAllowed, port.Type.AutoNegDefault
}

// Breakout is the meaning of a breakout mode.
type Breakout struct {
	// Lanes is 1, 2, 4 or 8.
	Lanes int
	// Speed is that of each lane, as 25G.
	Speed string
}

// ParseBreakout reads a mode as portBreakouts has it: 4x25G. Whether a port
// supports it is for [PortProfile.Breakout].
func ParseBreakout(mode string) (Breakout, error) {
	lanes, speed, _ := strings.Cut(mode, "x")
	if !slices.Contains([]string{"1", "2", "4", "8"}, lanes) {
		return Breakout{}, fmt.Errorf("breakout mode %q does not begin with 1x, 2x, 4x or 8x", mode)
	}
	if _, ok := SpeedKbps(speed); !ok {
		return Breakout{}, fmt.Errorf("breakout mode %q does not end in a speed such as 25G", mode)
	}
	n, _ := ordinal(lanes)
	return Breakout{Lanes: n, Speed: speed}, nil
}

// String returns the mode as portBreakouts has it: 4x25G.
func (b Breakout) String() string { return strconv.Itoa(b.Lanes) + "x" + b.Speed }

// apiSpeed is a speed that the API knows and its value in Kbps, the unit of
// NetBox's Interface.speed.
type apiSpeed struct {
	name string
	kbps int
}

func apiSpeeds() []apiSpeed {
	return []apiSpeed{
		{"1G", 1_000_000},
		{"2.5G", 2_500_000},
		{"5G", 5_000_000},
		{"10G", 10_000_000},
		{"20G", 20_000_000},
		{"25G", 25_000_000},
		{"40G", 40_000_000},
		{"50G", 50_000_000},
		{"100G", 100_000_000},
		{"200G", 200_000_000},
		{"400G", 400_000_000},
		{"800G", 800_000_000},
	}
}

// SpeedKbps returns a speed of the API in Kbps: 25000000 for 25G. It is not ok
// for anything but 1G, 2.5G, 5G, 10G, 20G, 25G, 40G, 50G, 100G, 200G, 400G and
// 800G.
func SpeedKbps(name string) (kbps int, ok bool) {
	for _, s := range apiSpeeds() {
		if s.name == name {
			return s.kbps, true
		}
	}
	return 0, false
}

// SpeedFromKbps returns the API's name of a speed in Kbps: 25G for 25000000. It
// is not ok for a speed that the API has no name for.
func SpeedFromKbps(kbps int) (name string, ok bool) {
	for _, s := range apiSpeeds() {
		if s.kbps == kbps {
			return s.name, true
		}
	}
	return "", false
}

// PortFromInterface returns the port that an interface of a device is, by the
// interface's name in any of these forms, in upper or lower case:
//
//   - the API's own: M1, E1/5, or E1/5/2 where some mode of the port has so many
//     lanes;
//   - what the device types of the community library call it (xe5, ce49, eth1,
//     Ethernet 1/1/5), for the profiles where that differs from what follows;
//   - the operating system's: Ethernet48, 1/49, Management0;
//   - its alias Eth1/5 or Ethernet1/5, numbered as on the front;
//   - for M1 also mgmt0 and what the boot loader calls it (eth0, on some eth2).
//
// It is not ok where a name could be two ports or none. The operating system's
// names of further lanes (Ethernet49 between the ports Ethernet48 and
// Ethernet52) are not ports as such: device types list them whether or not the
// port is broken out, and which lane they are depends on the mode. For those
// see [Profile.LaneFromInterface].
func (p Profile) PortFromInterface(name string) (port string, ok bool) {
	name = strings.ToUpper(strings.TrimSpace(name))
	if _, _, ok := p.PortOf(name); ok {
		return name, true
	}
	// "Ethernet 1/1/5" and "mgmt 1/1/1" are also written without the space.
	name = strings.ReplaceAll(strings.ToLower(name), " ", "")
	for _, rule := range interfaceRules(p.Name) {
		if n, ok := rule.port(name); ok {
			return n, true
		}
	}

	for _, port := range p.Ports {
		var names []string
		switch {
		case port.Management:
			names = []string{port.NOSName, port.ONIEName, "mgmt0"}
		case port.Type.IsBreakout():
			names = []string{port.BaseNOSName}
		default:
			names = []string{port.NOSName}
		}
		if slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, name) }) {
			return port.Name, true
		}
	}

	// Some operating systems count 1/49, 1/53, 1/57 where the front counts 49,
	// 50, 51. Then 1/53 may be meant either way, and so may Eth1/53.
	number, alias := strings.CutPrefix(name, "ethernet")
	if !alias {
		number, alias = strings.CutPrefix(name, "eth")
	}
	front, onFront := p.Port("E" + number)
	inNOS := slices.IndexFunc(p.Ports, func(port ProfilePort) bool { return port.NOSName == number })
	switch {
	case onFront && inNOS >= 0 && p.Ports[inNOS].Name != front.Name:
		return "", false
	case !alias && inNOS >= 0:
		return p.Ports[inNOS].Name, true
	case alias && onFront:
		return front.Name, true
	}
	return "", false
}

// LaneFromInterface is [Profile.PortFromInterface] for a switch whose
// portBreakouts are known: it also resolves the operating system's names of the
// lanes in use, as Ethernet49 to E1/49/2 where E1/49 is in mode 4x25G.
func (p Profile) LaneFromInterface(name string, breakouts map[string]string) (port string, ok bool) {
	if port, ok := p.PortFromInterface(name); ok {
		return port, p.HasPort(port, breakouts)
	}
	name = strings.ReplaceAll(name, " ", "")
	for _, port := range p.Ports {
		mode, _ := port.Breakout(breakouts)
		for i, offset := range mode.Offsets {
			if strings.EqualFold(port.nosLane(offset), name) {
				return port.Name + "/" + strconv.Itoa(i+1), true
			}
		}
	}
	return "", false
}

// interfaceRule turns interface names made of a prefix and a number, first to
// last, into ports.
type interfaceRule struct {
	prefix      string // lower case, without spaces
	first, last int
	to          int // the port that first is, 17 for E1/17; 0 for M1
}

// port applies the rule to a name in lower case, without spaces.
func (r interfaceRule) port(name string) (string, bool) {
	number, ok := strings.CutPrefix(name, r.prefix)
	if !ok {
		return "", false
	}
	n, ok := ordinal(number)
	if !ok || n < r.first || n > r.last {
		return "", false
	}
	if r.to == 0 {
		return "M1", true
	}
	return dataPort(n - r.first + r.to), true
}

// dataPort names the n-th data port.
func dataPort(n int) string { return "E1/" + strconv.Itoa(n) }

// ordinal reads a decimal number that is written the one usual way: digits
// only, no leading zeros.
func ordinal(s string) (int, bool) {
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 || strconv.Itoa(n) != s {
		return 0, false
	}
	return n, true
}

// ProfileByDeviceType returns the name of the profile for a NetBox device type,
// given by the slug of its manufacturer, its own slug, its model and its part
// number. Any but the first may be empty. Case does not matter.
//
// A type slug that is the name of a profile, alone or behind the manufacturer's
// slug (celestica, ds2000), decides. Otherwise the slug and the slugs of model
// and part number are looked up among the names by which the manufacturer and
// the community device type library know the hardware. It is not ok when none
// is known, or when they lead to different profiles.
func ProfileByDeviceType(manufacturerSlug, typeSlug, model, partNumber string) (name string, ok bool) {
	maker := deviceTypeSlug(manufacturerSlug)
	if name, ok := profileBySlug(maker, deviceTypeSlug(typeSlug)); ok {
		return name, true
	}
	for _, s := range []string{typeSlug, model, partNumber} {
		slug := deviceTypeSlug(s)
		found, ok := profileBySlug(maker, slug)
		if !ok {
			found, ok = profileByAlias(maker, slug)
		}
		switch {
		case !ok:
		case name != "" && name != found:
			return "", false
		default:
			name = found
		}
	}
	return name, name != ""
}

// profileBySlug finds a profile of that very name, with or without the
// manufacturer in front.
func profileBySlug(maker, slug string) (string, bool) {
	for _, row := range profileRows() {
		if slug == row.name || maker+"-"+slug == row.name {
			return row.name, true
		}
	}
	return "", false
}

// profileByAlias finds a profile by another name of its manufacturer's, with or
// without the manufacturer in front.
func profileByAlias(maker, slug string) (string, bool) {
	for _, a := range deviceTypeAliases() {
		if !slices.Contains(a.makers, maker) {
			continue
		}
		for _, m := range append([]string{""}, a.makers...) {
			rest, ok := strings.CutPrefix(slug, strings.TrimPrefix(m+"-", "-"))
			if ok && slices.Contains(a.slugs, rest) {
				return a.profile, true
			}
		}
	}
	return "", false
}

// deviceTypeSlug writes a name the way NetBox makes slugs of names: lower case, a dash
// for every run of spaces, underscores and dashes, other punctuation dropped.
func deviceTypeSlug(name string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(name) {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			b.WriteRune(r)
		case (r == ' ' || r == '_' || r == '-') && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	return strings.Trim(b.String(), "-")
}
