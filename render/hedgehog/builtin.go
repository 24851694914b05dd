package hedgehog

import (
	"maps"
	"reflect"
	"slices"
	"strconv"
)

// isBuiltin reports whether a SwitchProfile is what the fabric's controllers
// create themselves: of the name of a built-in profile, with its platform,
// features and ports. Texts for people (display names, notes) may differ.
func isBuiltin(n *node) bool {
	p, ok := ProfileByName(n.get("metadata").get("name").text())
	return ok && reflect.DeepEqual(shapeOf(n.get("spec")), shapeOfProfile(p))
}

// profileShape is what makes two switch profiles the same hardware.
type profileShape struct {
	platform, nos string
	maxPorts      string
	features      []string
	ports         map[string]portShape
}

// portShape is what one port can do.
type portShape struct {
	nos, group, pipeline, normal string
	can                          []string
}

func shapeOf(spec *node) profileShape {
	shape := profileShape{
		platform: spec.get("platform").text(), nos: spec.get("nosType").text(),
		maxPorts: spec.get("maxPorts").plain(), ports: map[string]portShape{}}
	for name, value := range spec.get("features").all() {
		if value.scalar == true {
			shape.features = append(shape.features, name)
		}
	}
	slices.Sort(shape.features)
	profiles := spec.get("portProfiles")
	for name, port := range spec.get("ports").all() {
		kind := port.get("profile").text()
		if group := spec.get("portGroups").get(port.get("group").text()); group != nil {
			kind = group.get("profile").text()
		}
		speed, breakout := profiles.get(kind).get("speed"), profiles.get(kind).get("breakout")
		s := portShape{nos: port.get("nos").text(), group: port.get("group").text(), pipeline: port.get("pipeline").text(),
			normal: speed.get("default").text() + breakout.get("default").text()}
		if supported := speed.get("supported"); supported != nil {
			for i := range supported.items {
				s.can = append(s.can, supported.items[i].text())
			}
		}
		for mode := range breakout.get("supported").all() {
			s.can = append(s.can, mode)
		}
		slices.Sort(s.can)
		shape.ports[name] = s
	}
	return shape
}

func shapeOfProfile(p Profile) profileShape {
	shape := profileShape{platform: p.Platform, nos: p.NOSType, ports: map[string]portShape{}}
	if p.MaxPorts != 0 {
		shape.maxPorts = strconv.Itoa(p.MaxPorts)
	}
	features := map[string]bool{"acls": p.Features.ACLs, "ecmpRoCEQPN": p.Features.ECMPRoCEQPN, "eslag": p.Features.ESLAG,
		"l2vni": p.Features.L2VNI, "l3vni": p.Features.L3VNI, "mclag": p.Features.MCLAG, "portLocator": p.Features.PortLocator,
		"roce": p.Features.RoCE, "subinterfaces": p.Features.Subinterfaces}
	maps.DeleteFunc(features, func(_ string, has bool) bool { return !has })
	shape.features = slices.Sorted(maps.Keys(features))
	for _, port := range p.Ports {
		s := portShape{nos: port.NOSName, group: port.Group, pipeline: port.Pipeline, normal: port.Type.DefaultSpeed + port.Type.DefaultBreakout}
		s.can = append(s.can, port.Type.Speeds...)
		for _, mode := range port.Type.Breakouts {
			s.can = append(s.can, mode.Name)
		}
		slices.Sort(s.can)
		shape.ports[port.Name] = s
	}
	return shape
}
