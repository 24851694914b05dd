package netbox

import (
	"fmt"
	"testing"
)

// plant builds the rows of a cable plant. Interfaces and panel ports get ids in
// the order in which they are added, each model from its own hundred.
type plant struct {
	rows Rows
}

func (p *plant) port(name string, channels int) ID {
	id := ID(100 + len(p.rows.Interfaces))
	p.rows.Interfaces = append(p.rows.Interfaces, Interface{ID: id, Device: 1, Name: name, Type: "25gbase-x-sfp28", Channels: channels})
	return id
}

func (p *plant) channel(parent ID, n int) ID {
	id := p.port(fmt.Sprintf("ch%d", n), 0)
	last := &p.rows.Interfaces[len(p.rows.Interfaces)-1]
	last.Parent, last.ChannelID, last.Type = parent, n, "channel"
	return id
}

func (p *plant) rear(positions int) ID {
	id := ID(300 + len(p.rows.RearPorts))
	p.rows.RearPorts = append(p.rows.RearPorts, RearPort{ID: id, Device: 2, Name: fmt.Sprintf("rear%d", id), Positions: positions})
	return id
}

func (p *plant) front(mappings ...PortMapping) ID {
	id := ID(400 + len(p.rows.FrontPorts))
	p.rows.FrontPorts = append(p.rows.FrontPorts, FrontPort{ID: id, Device: 2, Name: fmt.Sprintf("front%d", id), RearPorts: mappings})
	return id
}

// at is a port with the connector and positions that a cable profile gives it.
type at struct {
	id        ID
	connector int
	positions []int
}

func (p *plant) cable(profile string, a, b []at) *Cable {
	id := ID(500 + len(p.rows.Cables))
	p.rows.Cables = append(p.rows.Cables, Cable{ID: id, Status: "connected", Profile: profile})
	for end, list := range map[string][]at{"A": a, "B": b} {
		for _, t := range list {
			kind := "dcim.interface"
			switch t.id / 100 {
			case 3:
				kind = "dcim.rearport"
			case 4:
				kind = "dcim.frontport"
			case 6:
				kind = "circuits.circuittermination"
			}
			p.rows.CableTerminations = append(p.rows.CableTerminations, CableTermination{
				ID: ID(1000 + len(p.rows.CableTerminations)), Cable: id, End: end, Type: kind, Port: t.id, Connector: t.connector, Positions: t.positions})
		}
	}
	return &p.rows.Cables[len(p.rows.Cables)-1]
}

func ends(ids ...ID) []at {
	var list []at
	for _, id := range ids {
		list = append(list, at{id: id})
	}
	return list
}

// follow returns what a path leads to, as "port 104" or the trouble.
func (p *plant) follow(id ID) string {
	x := NewIndex(&Snapshot{Rows: p.rows})
	end, bad := x.follow(x.interfaces[id])
	switch {
	case bad != nil:
		return "trouble: " + bad.summary
	case end == nil:
		return "nothing"
	case end.port != nil:
		return fmt.Sprintf("port %d over %d cables", end.port.ID, len(end.cables))
	case end.circuit != nil:
		return fmt.Sprintf("circuit termination %d over %d cables", end.circuit.ID, len(end.cables))
	}
	return "something else"
}

func TestPathsThroughCables(t *testing.T) {
	t.Parallel()
	breakout := func(p *plant, connectors ...int) (parent ID, channels, far []ID) {
		parent = p.port("E1/1", 4)
		for n := 1; n <= 4; n++ {
			channels = append(channels, p.channel(parent, n))
		}
		var b []at
		for _, n := range connectors {
			id := p.port(fmt.Sprintf("server%d", n), 0)
			far = append(far, id)
			b = append(b, at{id, n, []int{1}})
		}
		p.cable("breakout-1c4p-4c1p", []at{{parent, 1, []int{1, 2, 3, 4}}}, b)
		return parent, channels, far
	}
	for name, test := range map[string]func(p *plant) (from ID, want string){
		"a cable from port to port": func(p *plant) (ID, string) {
			a, b := p.port("a", 0), p.port("b", 0)
			p.cable("", ends(a), ends(b))
			return a, fmt.Sprintf("port %d over 1 cables", b)
		},
		"a cable with the profile of one pair": func(p *plant) (ID, string) {
			a, b := p.port("a", 0), p.port("b", 0)
			p.cable("single-1c1p", []at{{a, 1, []int{1}}}, []at{{b, 1, []int{1}}})
			return a, fmt.Sprintf("port %d over 1 cables", b)
		},
		"no cable": func(p *plant) (ID, string) { return p.port("a", 0), "nothing" },
		"a planned cable": func(p *plant) (ID, string) {
			a, b := p.port("a", 0), p.port("b", 0)
			p.cable("", ends(a), ends(b)).Status = "planned"
			return a, "nothing"
		},
		"a cable with an open end": func(p *plant) (ID, string) {
			a := p.port("a", 0)
			p.cable("", ends(a), nil)
			return a, "nothing"
		},
		"a channel reaches the far port of its connector": func(p *plant) (ID, string) {
			_, channels, far := breakout(p, 1, 2, 3, 4)
			return channels[2], fmt.Sprintf("port %d over 1 cables", far[2])
		},
		"the far port of a connector reaches its channel": func(p *plant) (ID, string) {
			_, channels, far := breakout(p, 1, 2, 3, 4)
			return far[3], fmt.Sprintf("port %d over 1 cables", channels[3])
		},
		"a channel whose connector is not used": func(p *plant) (ID, string) {
			_, channels, _ := breakout(p, 1, 2, 3)
			return channels[3], "nothing"
		},
		"a parent with channels is no port itself": func(p *plant) (ID, string) {
			parent, _, _ := breakout(p, 1, 2)
			return parent, "nothing"
		},
		"a channel over a cable without profile": func(p *plant) (ID, string) {
			parent := p.port("E1/1", 4)
			child := p.channel(parent, 1)
			p.channel(parent, 2)
			p.cable("", ends(parent), ends(p.port("a", 0), p.port("b", 0)))
			return child, "trouble: the cable has several ports at one end and does not say which leads to which"
		},
		"into a parent over a cable without profile": func(p *plant) (ID, string) {
			parent := p.port("E1/1", 4)
			p.channel(parent, 1)
			a := p.port("a", 0)
			p.cable("", ends(a), ends(parent))
			return a, "trouble: the cable ends at port E1/1, which has 4 channels, and does not say at which"
		},
		"into a position that has no channel": func(p *plant) (ID, string) {
			parent := p.port("E1/1", 4)
			p.channel(parent, 1)
			a := p.port("a", 0)
			p.cable("breakout-1c4p-4c1p", []at{{parent, 1, []int{1, 2, 3, 4}}}, []at{{a, 2, []int{1}}})
			return a, "trouble: channel 2 of port E1/1 is cabled but has no interface"
		},
		"several ports at the far end without profile": func(p *plant) (ID, string) {
			a := p.port("a", 0)
			p.cable("", ends(a), ends(p.port("b", 0), p.port("c", 0)))
			return a, "trouble: the cable has several ports at one end and does not say which leads to which"
		},
		"several ports at the near end without profile": func(p *plant) (ID, string) {
			a := p.port("a", 0)
			p.cable("", ends(a, p.port("b", 0)), ends(p.port("c", 0)))
			return a, "trouble: the cable has several ports at one end and does not say which leads to which"
		},
		"channel to channel over parallel strands": func(p *plant) (ID, string) {
			one, two := p.port("E1/1", 4), p.port("E1/2", 4)
			var a, b []ID
			for n := 1; n <= 4; n++ {
				a, b = append(a, p.channel(one, n)), append(b, p.channel(two, n))
			}
			p.cable("single-1c4p", []at{{one, 1, []int{1, 2, 3, 4}}}, []at{{two, 1, []int{1, 2, 3, 4}}})
			return a[1], fmt.Sprintf("port %d over 1 cables", b[1])
		},
		"through two panels of single ports": func(p *plant) (ID, string) {
			a, b := p.port("a", 0), p.port("b", 0)
			r1, r2 := p.rear(1), p.rear(1)
			f1, f2 := p.front(PortMapping{1, r1, 1}), p.front(PortMapping{1, r2, 1})
			p.cable("", ends(a), ends(f1))
			p.cable("", ends(r1), ends(r2))
			p.cable("", ends(f2), ends(b))
			return a, fmt.Sprintf("port %d over 3 cables", b)
		},
		"through cassettes: the same position comes out": func(p *plant) (ID, string) {
			a, b, c := p.port("a", 0), p.port("b", 0), p.port("c", 0)
			r1, r2 := p.rear(12), p.rear(12)
			f1 := p.front(PortMapping{1, r1, 3})
			f2, f3 := p.front(PortMapping{1, r2, 3}), p.front(PortMapping{1, r2, 4})
			p.cable("", ends(a), ends(f1))
			p.cable("", ends(r1), ends(r2))
			p.cable("", ends(f2), ends(b))
			p.cable("", ends(f3), ends(c))
			return a, fmt.Sprintf("port %d over 3 cables", b)
		},
		"through cassettes with a profiled trunk": func(p *plant) (ID, string) {
			a, b := p.port("a", 0), p.port("b", 0)
			r1, r2 := p.rear(4), p.rear(4)
			f1, f2 := p.front(PortMapping{1, r1, 2}), p.front(PortMapping{1, r2, 2})
			p.cable("", ends(a), ends(f1))
			p.cable("single-1c4p", []at{{r1, 1, []int{1, 2, 3, 4}}}, []at{{r2, 1, []int{1, 2, 3, 4}}})
			p.cable("", ends(f2), ends(b))
			return a, fmt.Sprintf("port %d over 3 cables", b)
		},
		"a panel port with no cable behind it": func(p *plant) (ID, string) {
			a := p.port("a", 0)
			r := p.rear(1)
			p.cable("", ends(a), ends(p.front(PortMapping{1, r, 1})))
			return a, "nothing"
		},
		"a planned cable behind a panel": func(p *plant) (ID, string) {
			a, b := p.port("a", 0), p.port("b", 0)
			r := p.rear(1)
			p.cable("", ends(a), ends(p.front(PortMapping{1, r, 1})))
			p.cable("", ends(r), ends(b)).Status = "planned"
			return a, "nothing"
		},
		"a path that splits in a panel": func(p *plant) (ID, string) {
			a := p.port("a", 0)
			r := p.rear(4)
			p.front(PortMapping{1, r, 1})
			p.front(PortMapping{1, r, 2})
			p.cable("", ends(a), ends(r))
			return a, "trouble: the path splits at panel port rear300"
		},
		"a circuit at the end": func(p *plant) (ID, string) {
			a := p.port("a", 0)
			p.rows.CircuitTerminations = []CircuitTermination{{ID: 600, Circuit: 1, Side: "A"}}
			p.cable("", ends(a), ends(600))
			return a, "circuit termination 600 over 1 cables"
		},
		"a ring of panels": func(p *plant) (ID, string) {
			a := p.port("a", 0)
			r1, r2 := p.rear(1), p.rear(1)
			f1, f2 := p.front(PortMapping{1, r1, 1}), p.front(PortMapping{1, r2, 1})
			p.cable("", ends(a), ends(r1))
			p.cable("", ends(f1), ends(r2))
			p.cable("", ends(f2), ends(f1)) // a port in two cables: NetBox refuses it, a snapshot may not
			return a, "trouble: the cable leads back to itself"
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var p plant
			from, want := test(&p)
			got := p.follow(from)
			if got != want {
				t.Errorf("the path leads to %s, want %s", got, want)
			}
		})
	}
}

// The tables are those of NetBox 4.7.3, dcim/cable_profiles.py.
func TestAcrossProfile(t *testing.T) {
	t.Parallel()
	type place struct{ connector, position int }
	tables := map[string]map[place]place{
		"trunk-2c4p-shuffle": {
			{1, 1}: {1, 1}, {1, 2}: {1, 2}, {1, 3}: {2, 1}, {1, 4}: {2, 2},
			{2, 1}: {1, 3}, {2, 2}: {1, 4}, {2, 3}: {2, 3}, {2, 4}: {2, 4},
		},
		"breakout-2c4p-8c1p-shuffle": {
			{1, 1}: {1, 1}, {1, 2}: {2, 1}, {1, 3}: {5, 1}, {1, 4}: {6, 1},
			{2, 1}: {3, 1}, {2, 2}: {4, 1}, {2, 3}: {7, 1}, {2, 4}: {8, 1},
		},
		"trunk-4c4p-shuffle": {{1, 1}: {1, 1}, {1, 4}: {4, 1}, {3, 2}: {2, 3}, {4, 3}: {3, 4}},
		"breakout-1c8p-8c1p": {{1, 1}: {1, 1}, {1, 8}: {8, 1}},
		"trunk-8c4p":         {{7, 3}: {7, 3}},
		"single-1c16p":       {{1, 16}: {1, 16}},
	}
	for profile, table := range tables {
		for near, far := range table {
			c, p, ok := acrossProfile(profile, "A", near.connector, near.position)
			if !ok || (place{c, p}) != far {
				t.Errorf("%s: A %v leads to %d, %d, %v; want %v", profile, near, c, p, ok, far)
			}
			c, p, ok = acrossProfile(profile, "B", far.connector, far.position)
			if !ok || (place{c, p}) != near {
				t.Errorf("%s: B %v leads to %d, %d, %v; want %v", profile, far, c, p, ok, near)
			}
		}
	}
	for _, unknown := range []string{"trunk-9c9p-shuffle", "octopus", ""} {
		if _, _, ok := acrossProfile(unknown, "A", 1, 1); ok {
			t.Errorf("%q is not known and leads somewhere", unknown)
		}
	}
}
