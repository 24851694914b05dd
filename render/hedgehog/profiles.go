package hedgehog

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// profileRow is a profile in short: ports come in runs of neighbours that can
// do the same, and their names and numbers follow from counting.
type profileRow struct {
	name, display, others, model string
	silicon, nos, platform       string
	features                     feature
	runs                         []portRun
	maxPorts, pipelineMax        int
	maxPaths                     int
	onie                         string // of M1; empty means eth0
	notes                        string
}

// portRun is a number of neighbouring ports of one family.
type portRun struct {
	count  int
	family portFamily
	// groupsOf is how many ports make a group; 0 when they have speeds of
	// their own.
	groupsOf int
	// pipelines says how neighbours share pipelines: {1, 2, 2, 1} puts the
	// first and fourth port in one pipeline, the second and third in the next,
	// and starts over with two more. Empty when ports do not compete.
	pipelines []int
	// nosByLane says that breakout ports are 1/<first lane, from 1> in the
	// operating system, not 1/<port>.
	nosByLane bool
	// label is printed before a count from 1; empty when the label is the
	// number of the port.
	label string
}

// portFamily is a port profile in short.
type portFamily struct {
	name string
	// lanes is how many numbers a port takes in the operating system.
	lanes int
	// speeds or modes are separated by spaces, the default one marked by *.
	// The lanes of a mode are spread evenly over those of the port unless the
	// mode ends in /<n>: that many apart, as 2x50G/2.
	speeds, modes                  string
	autoNegAllowed, autoNegDefault bool
}

// feature is a set of the fields of [ProfileFeatures].
type feature uint16

const (
	hasACLs feature = 1 << iota
	hasECMPRoCEQPN
	hasESLAG
	hasL2VNI
	hasL3VNI
	hasMCLAG
	hasPortLocator
	hasRoCE
	hasSubinterfaces

	// hasVPCs is what every fully capable leaf has.
	hasVPCs = hasESLAG | hasL2VNI | hasL3VNI | hasSubinterfaces
)

const (
	sonicBase   = "sonic-bcm-base"
	sonicCampus = "sonic-bcm-campus"
	sonicCLSP   = "sonic-cls-plus-broadcom"

	noL2VNI         = "Doesn't support non-L3 VPC modes due to the lack of L2VNI support."
	noSubinterfaces = "Doesn't support StaticExternals and ExternalAttachments with VLANs due to the lack of subinterfaces support."
)

func profileRows() []profileRow {
	var (
		rj45at1   = portFamily{name: "RJ45-1G", lanes: 1, speeds: "*1G", autoNegAllowed: true, autoNegDefault: true}
		rj45at2g5 = portFamily{name: "RJ45-2.5G", lanes: 1, speeds: "1G *2.5G", autoNegAllowed: true, autoNegDefault: true}
		rj45at10  = portFamily{name: "RJ45-10G", lanes: 1, speeds: "1G *10G", autoNegAllowed: true, autoNegDefault: true}
		sfp10     = portFamily{name: "SFP28-10G", lanes: 1, speeds: "1G *10G"}
		sfp25     = portFamily{name: "SFP28-25G", lanes: 1, speeds: "10G *25G"}
		sfp25from = portFamily{name: "SFP28-25G", lanes: 1, speeds: "1G 10G *25G"}

		qsfp28      = portFamily{name: "QSFP28-100G", lanes: 4, modes: "1x40G *1x100G 4x10G 4x25G"}
		qsfp28an    = portFamily{name: "QSFP28-100G", lanes: 4, modes: "1x40G 1x50G *1x100G 2x50G 4x10G 4x25G", autoNegAllowed: true}
		qsfp28any   = portFamily{name: "QSFP28-100G", lanes: 4, modes: "1x10G 1x25G 1x40G 1x50G *1x100G 2x50G 4x10G 4x25G"}
		qsfp28fixed = portFamily{name: "QSFP28-100G-nb", lanes: 4, speeds: "40G *100G"}
		qsfp28vx    = portFamily{name: "QSFP28-100G", lanes: 1, speeds: "10G 25G 50G *100G"}

		qsfpdd = portFamily{name: "QSFPDD-400G", lanes: 8,
			modes: "1x10G 1x25G 1x40G 1x100G *1x400G 2x40G 2x100G 2x200G 4x10G/1 4x25G/1 4x100G 8x10G 8x25G 8x50G"}
		qsfpddDell = portFamily{name: "QSFPDD-400G", lanes: 8,
			modes: "1x10G 1x25G 1x40G 1x50G 1x100G 1x200G *1x400G 2x40G 2x100G 2x200G 4x10G/1 4x25G/1 4x100G 8x10G 8x25G 8x50G"}
		qsfp56dd = portFamily{name: "QSFP56DD-400G", lanes: 8, autoNegAllowed: true,
			modes: "1x10G 1x25G 1x40G 1x50G 1x100G *1x400G 2x40G 2x50G/2 2x100G 2x200G 4x10G/1 4x100G 8x10G 8x25G 8x50G"}
		osfp2x400 = portFamily{name: "OSFP-2x400G", lanes: 8, autoNegAllowed: true,
			modes: "1x100G 1x200G 1x400G 2x40G 2x100G 2x200G *2x400G 4x50G 4x100G 4x200G 8x10G 8x25G 8x50G 8x100G"}
		osfp800 = portFamily{name: "OSFP-800G", lanes: 8, autoNegAllowed: true,
			modes: "1x50G 1x100G 1x400G *1x800G 2x50G/2 2x100G 2x200G 2x400G 4x100G 4x200G 8x100G"}
		osfp800CLSP = portFamily{name: "OSFP-800G", lanes: 8, autoNegAllowed: true,
			modes: "1x50G 1x100G 1x200G 1x400G *1x800G 2x50G/2 2x100G 2x200G 2x400G 4x100G 4x200G 8x100G"}
	)
	var (
		fours = []int{1, 1, 1, 1}
		twos  = []int{1, 1}
		outer = []int{1, 2, 2, 1}

		ds2000  = []portRun{{count: 48, family: sfp25}, {count: 1, family: qsfp28}, {count: 6, family: qsfp28fixed}, {count: 1, family: qsfp28}}
		virtual = []portRun{{count: 48, family: sfp25, groupsOf: 4}}
	)
	return []profileRow{
		{
			name: "celestica-ds2000", display: "Celestica DS2000", others: "Celestica Questone 2a",
			silicon: "Broadcom TD3-X5 2.0T", nos: sonicBase, platform: "x86_64-cel_ds2000-r0",
			features: hasVPCs | hasACLs | hasMCLAG | hasPortLocator,
			runs:     ds2000,
		},
		{
			name: "celestica-ds2000-clsp", display: "Celestica DS2000", others: "Celestica Questone 2a", model: "DS2000-CLSP",
			silicon: "Broadcom TD3-X5 2.0T", nos: sonicCLSP, platform: "x86_64-cel_ds2000-r0",
			features: hasVPCs | hasACLs | hasMCLAG,
			runs:     ds2000,
		},
		{
			name: "celestica-ds3000", display: "Celestica DS3000", others: "Celestica Seastone2",
			silicon: "Broadcom TD3-X7 3.2T", nos: sonicBase, platform: "x86_64-cel_seastone_2-r0",
			features: hasVPCs | hasACLs | hasMCLAG | hasPortLocator | hasRoCE,
			runs:     []portRun{{count: 32, family: qsfp28an}, {count: 1, family: sfp10}},
		},
		{
			name: "celestica-ds3000-clsp", display: "Celestica DS3000", others: "Celestica Seastone2", model: "DS3000-CLSP",
			silicon: "Broadcom TD3-X7 3.2T", nos: sonicCLSP, platform: "x86_64-cel_seastone_2-r0",
			features: hasVPCs | hasACLs | hasMCLAG | hasRoCE,
			runs:     []portRun{{count: 32, family: qsfp28}, {count: 1, family: sfp10}},
		},
		{
			name: "celestica-ds4000", display: "Celestica DS4000", others: "Celestica Silverstone2",
			silicon: "Broadcom TH3", nos: sonicBase, platform: "x86_64-cel_silverstone-r0",
			features: hasACLs | hasPortLocator | hasRoCE,
			runs:     []portRun{{count: 32, family: qsfpdd, pipelines: fours}, {count: 1, family: sfp10}},
			maxPorts: 144, pipelineMax: 18,
		},
		{
			name: "celestica-ds4000-clsp", display: "Celestica DS4000", others: "Celestica Silverstone2", model: "DS4000-CLSP",
			silicon: "Broadcom TH3", nos: sonicCLSP, platform: "x86_64-cel_silverstone-r0",
			features: hasACLs | hasRoCE,
			runs:     []portRun{{count: 32, family: qsfpdd}, {count: 1, family: sfp10}},
		},
		{
			name: "celestica-ds4101", display: "Celestica DS4101", others: "Celestica Greystone",
			silicon: "Broadcom TH4G", nos: sonicBase, platform: "x86_64-cel_ds4101-r0",
			features: hasACLs | hasECMPRoCEQPN | hasRoCE,
			runs:     []portRun{{count: 32, family: osfp2x400, pipelines: twos}, {count: 2, family: sfp10, label: "M"}},
			maxPorts: 272, pipelineMax: 16,
		},
		{
			name: "celestica-ds4101-clsp", display: "Celestica DS4101", others: "Celestica Greystone", model: "DS4101-CLSP",
			silicon: "Broadcom TH4G", nos: sonicCLSP, platform: "x86_64-cel_ds4101-r0",
			features: hasACLs | hasECMPRoCEQPN | hasRoCE,
			runs:     []portRun{{count: 32, family: osfp2x400}, {count: 2, family: sfp10, label: "M"}},
		},
		{
			name: "celestica-ds5000", display: "Celestica DS5000", others: "Celestica Moonstone",
			silicon: "Broadcom TH5", nos: sonicBase, platform: "x86-64-cls-ds5000-r0",
			features: hasACLs | hasECMPRoCEQPN | hasL3VNI | hasPortLocator | hasRoCE | hasSubinterfaces,
			runs:     []portRun{{count: 64, family: osfp800, pipelines: outer}, {count: 2, family: sfp25from}},
			maxPorts: 320, pipelineMax: 10, notes: noL2VNI,
		},
		{
			name: "celestica-ds5000-clsp", display: "Celestica DS5000", others: "Celestica Moonstone", model: "DS5000-CLSP",
			silicon: "Broadcom TH5", nos: sonicCLSP, platform: "x86-64-cls-ds5000-r0",
			features: hasACLs | hasECMPRoCEQPN | hasL3VNI | hasRoCE | hasSubinterfaces,
			runs:     []portRun{{count: 64, family: osfp800CLSP}, {count: 2, family: sfp25from}},
			notes:    noL2VNI,
		},
		{
			name: "cumulus-vx", display: "Cumulus VX",
			silicon: "vs", nos: "cumulus-vx", platform: "x86_64-kvm_x86_64-r0",
			features: hasVPCs | hasMCLAG | hasRoCE,
			runs:     []portRun{{count: 32, family: qsfp28vx}, {count: 1, family: sfp10}},
		},
		{
			name: "dell-s5232f-on", display: "Dell S5232F-ON",
			silicon: "Broadcom TD3-X7 3.2T", nos: sonicBase, platform: "x86_64-dellemc_s5232f_c3538-r0",
			features: hasVPCs | hasACLs | hasMCLAG | hasPortLocator | hasRoCE,
			runs:     []portRun{{count: 31, family: qsfp28any}, {count: 1, family: qsfp28fixed}, {count: 2, family: sfp10}},
		},
		{
			name: "dell-s5248f-on", display: "Dell S5248F-ON",
			silicon: "Broadcom TD3-X7 3.2T", nos: sonicBase, platform: "x86_64-dellemc_s5248f_c3538-r0",
			features: hasVPCs | hasACLs | hasMCLAG | hasPortLocator | hasRoCE,
			runs:     []portRun{{count: 48, family: sfp25, groupsOf: 4}, {count: 8, family: qsfp28any}},
		},
		{
			name: "dell-z9332f-on", display: "Dell Z9332F-ON",
			silicon: "Broadcom TH3", nos: sonicBase, platform: "x86_64-dellemc_z9332f_d1508-r0",
			features: hasACLs | hasRoCE,
			runs:     []portRun{{count: 32, family: qsfpddDell, pipelines: fours}, {count: 2, family: sfp10, label: "M"}},
			maxPorts: 144, pipelineMax: 18,
		},
		{
			name: "edgecore-dcs203", display: "Edgecore DCS203", others: "Edgecore AS7326-56X",
			silicon: "Broadcom TD3-X7 2.0T", nos: sonicBase, platform: "x86_64-accton_as7326_56x-r0",
			features: hasVPCs | hasACLs | hasMCLAG | hasPortLocator | hasRoCE,
			runs: []portRun{
				{count: 48, family: sfp25, groupsOf: 12},
				{count: 7, family: qsfp28, nosByLane: true}, {count: 1, family: qsfp28fixed}, {count: 2, family: sfp10},
			},
		},
		{
			name: "edgecore-dcs204", display: "Edgecore DCS204", others: "Edgecore AS7726-32X",
			silicon: "Broadcom TD3-X7 3.2T", nos: sonicBase, platform: "x86_64-accton_as7726_32x-r0",
			features: hasVPCs | hasACLs | hasMCLAG | hasRoCE,
			runs:     []portRun{{count: 31, family: qsfp28any}, {count: 1, family: qsfp28fixed}, {count: 2, family: sfp10}},
		},
		{
			name: "edgecore-dcs240", display: "Edgecore DCS240", others: "Edgecore AS9726",
			silicon: "Broadcom TD4", nos: sonicBase, platform: "x86_64-accton_as9726_32d-r0",
			features:    hasVPCs | hasACLs | hasRoCE,
			runs:        []portRun{{count: 32, family: qsfp56dd, pipelines: fours}, {count: 2, family: sfp10}},
			pipelineMax: 18,
			notes:       "Upper 16 ports supply maximum of 24W, lower 16 ports supply maximum of 14W",
		},
		{
			name: "edgecore-dcs501", display: "Edgecore DCS501", others: "Edgecore AS7712-32X",
			silicon: "Broadcom TH", nos: sonicBase, platform: "x86_64-accton_as7712_32x-r0",
			features: hasACLs,
			runs:     []portRun{{count: 32, family: qsfp28}},
		},
		{
			name: "edgecore-eps202", display: "Edgecore EPS202", others: "Edgecore AS4630-54PE",
			silicon: "Broadcom TD3-X3", nos: sonicCampus, platform: "x86_64-accton_as4630_54pe-r0",
			features: hasACLs | hasESLAG | hasL2VNI | hasL3VNI,
			runs:     []portRun{{count: 48, family: rj45at1}, {count: 4, family: sfp25from}, {count: 2, family: qsfp28}},
			maxPaths: 16, onie: "eth2", notes: noSubinterfaces,
		},
		{
			name: "edgecore-eps203", display: "Edgecore EPS203", others: "Edgecore AS4630-54NPE",
			silicon: "Broadcom TD3-X3", nos: sonicCampus, platform: "x86_64-accton_as4630_54npe-r0",
			features: hasACLs | hasESLAG | hasL2VNI | hasL3VNI | hasMCLAG | hasPortLocator,
			runs: []portRun{
				{count: 36, family: rj45at2g5}, {count: 12, family: rj45at10},
				{count: 4, family: sfp25from}, {count: 2, family: qsfp28},
			},
			maxPaths: 16, notes: noSubinterfaces,
		},
		{
			name: "supermicro-sse-c4632sb", display: "Supermicro SSE-C4632SB",
			silicon: "Broadcom TD3-X7 3.2T", nos: sonicBase, platform: "x86_64-cel_seastone_2-r0",
			features: hasVPCs | hasACLs | hasMCLAG | hasPortLocator | hasRoCE,
			runs:     []portRun{{count: 32, family: qsfp28an}, {count: 1, family: sfp10}},
		},
		{
			name: "vs", display: "Virtual Switch", model: "VS",
			silicon: "vs", nos: "sonic-bcm-vs", platform: "x86_64-kvm_x86_64-r0",
			features: hasVPCs | hasMCLAG | hasRoCE,
			runs:     virtual,
			maxPaths: 16,
		},
		{
			name: "vs-clsp", display: "Virtual Switch CLS+", model: "VS-CLSP",
			silicon: "vs", nos: "sonic-cls-plus-vs", platform: "x86_64-kvm_x86_64-r0",
			features: hasVPCs | hasMCLAG | hasRoCE,
			runs:     virtual,
			maxPaths: 16,
		},
	}
}

// interfaceRules are the names of ports in the community device type library
// that are neither the API's nor the operating system's.
func interfaceRules(profile string) []interfaceRule {
	switch profile {
	case "dell-z9332f-on":
		return []interfaceRule{
			{prefix: "ethernet1/1/", first: 1, last: 34, to: 1},
			{prefix: "mgmt1/1/", first: 1, last: 1, to: 0},
		}
	case "edgecore-dcs203":
		return []interfaceRule{
			{prefix: "xe", first: 1, last: 48, to: 1},
			{prefix: "ce", first: 49, last: 56, to: 49},
			{prefix: "xe", first: 57, last: 58, to: 57},
		}
	case "edgecore-dcs204":
		return []interfaceRule{{prefix: "eth", first: 1, last: 2, to: 33}}
	}
	return nil
}

// deviceTypeAlias says that device types of a manufacturer are a profile.
type deviceTypeAlias struct {
	profile string
	makers  []string // slugs of the manufacturer
	slugs   []string // without the manufacturer in front
}

func deviceTypeAliases() []deviceTypeAlias {
	var (
		celestica = []string{"celestica"}
		dell      = []string{"dell", "dell-emc"}
		edgecore  = []string{"edgecore", "edge-core"}
	)
	return []deviceTypeAlias{
		{"celestica-ds2000", celestica, []string{"questone-2a", "questone2a"}},
		{"celestica-ds3000", celestica, []string{"seastone2", "seastone-2"}},
		{"celestica-ds4000", celestica, []string{"silverstone2", "silverstone-2"}},
		{"celestica-ds4101", celestica, []string{"greystone"}},
		{"celestica-ds5000", celestica, []string{"moonstone"}},
		{"dell-s5232f-on", dell, []string{"s5232f", "s5232f-on", "powerswitch-s5232f-on", "networking-s5232f-on"}},
		{"dell-s5248f-on", dell, []string{"s5248f", "s5248f-on", "powerswitch-s5248f-on", "networking-s5248f-on"}},
		{"dell-z9332f-on", dell, []string{"z9332-on", "z9332f", "z9332f-on", "powerswitch-z9332f-on", "networking-z9332f-on"}},
		{"edgecore-dcs203", edgecore, edgecoreModels("7326-56x")},
		{"edgecore-dcs204", edgecore, edgecoreModels("7726-32x")},
		{"edgecore-dcs240", edgecore, append(edgecoreModels("9726-32d", "9726-32db"), "as9726")},
		{"edgecore-dcs501", edgecore, edgecoreModels("7712-32x")},
		{"edgecore-eps202", edgecore, edgecoreModels("4630-54pe")},
		{"edgecore-eps203", edgecore, edgecoreModels("4630-54npe")},
	}
}

// edgecoreModels spells out how Edgecore's models are sold: with or without AS
// in front, and behind, -O for an open switch, its power supply and the
// direction of its air, none of which matters to the fabric.
func edgecoreModels(numbers ...string) []string {
	var slugs []string
	for _, number := range numbers {
		for _, variant := range []string{"", "-o", "-o-ac-f", "-o-ac-b", "-o-48v-f", "-o-48v-b"} {
			slugs = append(slugs, number+variant, "as"+number+variant)
		}
	}
	return slugs
}

// profile spells the row out.
func (r profileRow) profile() Profile {
	p := Profile{
		Name:         r.name,
		DisplayName:  r.display,
		Silicon:      r.silicon,
		NOSType:      r.nos,
		Platform:     r.platform,
		Notes:        r.notes,
		Features:     r.features.fields(),
		MaxPathsEBGP: r.maxPaths,
		MaxPorts:     r.maxPorts,
	}
	if r.others != "" {
		p.OtherNames = []string{r.others}
	}
	p.Manufacturer, p.Model, _ = strings.Cut(r.display, " ")
	if r.model != "" {
		p.Model = r.model
	}
	if p.Manufacturer == "Virtual" {
		p.Manufacturer = "Hedgehog"
	}

	onie := r.onie
	if onie == "" {
		onie = "eth0"
	}
	p.Ports = []ProfilePort{{Name: "M1", NOSName: "Management0", ONIEName: onie, Management: true}}
	number, nos := 1, 0
	for _, run := range r.runs {
		typ := run.family.portProfile()
		for i := range run.count {
			port := ProfilePort{Name: dataPort(number), Label: strconv.Itoa(number), Type: typ}
			if run.label != "" {
				port.Label = run.label + strconv.Itoa(i+1)
			}
			port.NOSName = fmt.Sprintf("Ethernet%d", nos)
			if typ.IsBreakout() {
				port.BaseNOSName = port.NOSName
				port.NOSName = fmt.Sprintf("1/%d", number)
				if run.nosByLane {
					port.NOSName = fmt.Sprintf("1/%d", nos+1)
				}
			}
			if run.groupsOf > 0 {
				port.Group = strconv.Itoa(i/run.groupsOf + 1)
				p.join(port)
			}
			if n := len(run.pipelines); n > 0 {
				port.Pipeline = strconv.Itoa(i/n*slices.Max(run.pipelines) + run.pipelines[i%n])
			}
			p.Ports = append(p.Ports, port)
			number++
			nos += run.family.lanes
		}
	}
	p.Pipelines = pipelinesOf(p.Ports, r.pipelineMax)
	return p
}

// join adds a port to its group, which is the last one or the next.
func (p *Profile) join(port ProfilePort) {
	if n := len(p.Groups); n == 0 || p.Groups[n-1].Name != port.Group {
		p.Groups = append(p.Groups, ProfileGroup{Name: port.Group, NOSName: port.Group, Type: port.Type})
	}
	last := &p.Groups[len(p.Groups)-1]
	last.Ports = append(last.Ports, port.Name)
}

// pipelinesOf collects the pipelines that the ports name.
func pipelinesOf(ports []ProfilePort, limit int) []ProfilePipeline {
	var pipelines []ProfilePipeline
	for _, port := range ports {
		n, ok := ordinal(port.Pipeline)
		if !ok {
			continue
		}
		for len(pipelines) < n {
			pipelines = append(pipelines, ProfilePipeline{Name: strconv.Itoa(len(pipelines) + 1), MaxPorts: limit})
		}
		pipelines[n-1].Ports = append(pipelines[n-1].Ports, port.Name)
	}
	return pipelines
}

// portProfile spells the family out.
func (f portFamily) portProfile() PortProfile {
	t := PortProfile{Name: f.name, AutoNegAllowed: f.autoNegAllowed, AutoNegDefault: f.autoNegDefault}
	for _, word := range strings.Fields(f.speeds) {
		speed, isDefault := strings.CutPrefix(word, "*")
		t.Speeds = append(t.Speeds, speed)
		if isDefault {
			t.DefaultSpeed = speed
		}
	}
	for _, word := range strings.Fields(f.modes) {
		word, isDefault := strings.CutPrefix(word, "*")
		name, apart, _ := strings.Cut(word, "/")
		if isDefault {
			t.DefaultBreakout = name
		}
		lanes := int(name[0] - '0')
		step, ok := ordinal(apart)
		if !ok {
			step = f.lanes / lanes
		}
		mode := BreakoutMode{Name: name}
		for i := range lanes {
			mode.Offsets = append(mode.Offsets, i*step)
		}
		t.Breakouts = append(t.Breakouts, mode)
	}
	return t
}

// fields spells the set out.
func (f feature) fields() ProfileFeatures {
	has := func(one feature) bool { return f&one != 0 }
	return ProfileFeatures{
		ACLs:          has(hasACLs),
		ECMPRoCEQPN:   has(hasECMPRoCEQPN),
		ESLAG:         has(hasESLAG),
		L2VNI:         has(hasL2VNI),
		L3VNI:         has(hasL3VNI),
		MCLAG:         has(hasMCLAG),
		PortLocator:   has(hasPortLocator),
		RoCE:          has(hasRoCE),
		Subinterfaces: has(hasSubinterfaces),
	}
}
