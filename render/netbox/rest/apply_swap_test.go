package rest_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"hedgehog-gitops/render/netbox"
	"hedgehog-gitops/render/netbox/rest"
)

// crowd is the network with more that can take each other's values.
func crowd() netbox.Rows {
	r := network()
	r.VLANs = append(r.VLANs, netbox.VLAN{ID: 3, VID: 1003, Name: "app", Group: 1, Status: "active"}, netbox.VLAN{ID: 4, VID: 1004, Name: "log", Group: 1, Status: "active"},
		netbox.VLAN{ID: 6, VID: 1005, Name: "mail", Group: 1, Status: "active"}, netbox.VLAN{ID: 5, VID: 3000, Name: "mail", Group: 2, Status: "active"})
	r.RouteTargets = append(r.RouteTargets, netbox.RouteTarget{ID: 3, Name: "65000:3"})
	r.VRFs[0].RD, r.VRFs[1].RD = "65000:101", "65000:102"
	r.Prefixes = append(r.Prefixes, netbox.Prefix{ID: 4, Prefix: "10.0.1.0/24", VRF: 2, Status: "active"}, netbox.Prefix{ID: 5, Prefix: "10.9.0.0/16", VRF: 1, Status: "active"})
	r.IPRanges = append(r.IPRanges, netbox.IPRange{ID: 2, Start: "10.0.1.100/24", End: "10.0.1.150/24", VRF: 1, Role: 1, Status: "active"},
		netbox.IPRange{ID: 3, Start: "10.0.1.160/24", End: "10.0.1.170/24", VRF: 1, Role: 1, Status: "active"})
	r.IPAddresses = append(r.IPAddresses,
		netbox.IPAddress{ID: 4, Address: "172.30.0.6/21", Status: "active", Type: "dcim.interface", Object: 91},
		netbox.IPAddress{ID: 5, Address: "192.168.0.5/31", Status: "active", VRF: 1, Type: "dcim.interface", Object: 3},
		netbox.IPAddress{ID: 6, Address: "192.168.0.7/31", Status: "active", VRF: 1, Type: "dcim.interface", Object: 13},
		netbox.IPAddress{ID: 7, Address: "192.168.0.9/31", Status: "active", VRF: 1})
	r.Interfaces = append(r.Interfaces, netbox.Interface{ID: 97, Device: 1, Name: "PortChannel2", Type: "lag", Enabled: true})
	r.Devices[1].OOBIP = 4
	r.Sites = append(r.Sites, netbox.Site{ID: 2, Name: "DC two", Slug: "dc-2"})
	return r
}

// pick is the row of a table that is told by a value.
func pick[T any](rows []T, is func(*T) bool) *T {
	for i := range rows {
		if is(&rows[i]) {
			return &rows[i]
		}
	}
	panic("there is no such row")
}

func device(r *netbox.Rows, name string) *netbox.Device {
	return pick(r.Devices, func(d *netbox.Device) bool { return d.Name == name })
}

func port(r *netbox.Rows, on, name string) *netbox.Interface {
	d := device(r, on).ID
	return pick(r.Interfaces, func(i *netbox.Interface) bool { return i.Device == d && i.Name == name })
}

func vlan(r *netbox.Rows, vid uint16) *netbox.VLAN {
	return pick(r.VLANs, func(v *netbox.VLAN) bool { return v.VID == vid })
}

func address(r *netbox.Rows, text string) *netbox.IPAddress {
	return pick(r.IPAddresses, func(a *netbox.IPAddress) bool { return strings.HasPrefix(a.Address, text+"/") })
}

func swap[T any](x, y *T) { *x, *y = *y, *x }

// editPlan plans what makes the rows of NetBox those that edit leaves, by their ids.
func editPlan(t testing.TB, have *netbox.Snapshot, edit func(*netbox.Rows)) (*netbox.Plan, netbox.Rows) {
	t.Helper()
	data, err := json.Marshal(have.Rows)
	if err != nil {
		t.Fatal(err)
	}
	var want netbox.Rows
	if err := json.Unmarshal(data, &want); err != nil {
		t.Fatal(err)
	}
	edit(&want)
	return planRows(t, have, want), want
}

func planRows(t testing.TB, have *netbox.Snapshot, want netbox.Rows) *netbox.Plan {
	t.Helper()
	digest, err := have.Digest()
	if err != nil {
		t.Fatal(err)
	}
	p := &netbox.Plan{Fabric: "north", Base: digest, ChangeID: have.ChangeID}
	was, is := rowsOf(t, have.Rows), rowsOf(t, want)
	id := func(row fields) netbox.ID { n, _ := row["id"].(json.Number).Int64(); return netbox.ID(n) }
	for _, m := range inOrder() {
		old := map[netbox.ID]fields{}
		for _, row := range was[m[0]] {
			old[id(row)] = row
		}
		for _, row := range is[m[0]] {
			c := netbox.Change{Action: netbox.Update, Model: m[0], ID: id(row), Name: fmt.Sprint(m[0], " ", id(row)), Before: fields{}, After: fields{}}
			if first := old[c.ID]; first != nil {
				differ(first, row, c.Before, c.After)
			} else {
				c.Action, c.After = netbox.Create, row
				delete(row, "id")
			}
			delete(old, c.ID)
			if len(c.After) > 0 {
				p.Changes = append(p.Changes, c)
			}
		}
		for n, row := range old {
			delete(row, "id")
			p.Changes = append(p.Changes, netbox.Change{Action: netbox.Delete, Model: m[0], ID: n, Name: fmt.Sprint(m[0], " ", n), Before: row, After: fields{}})
		}
	}
	return p
}

// swaps are changes of which one takes what another leaves.
func swaps() map[string]func(*netbox.Rows) {
	return map[string]func(*netbox.Rows){
		"VLAN ids": func(r *netbox.Rows) { swap(&vlan(r, 1001).VID, &vlan(r, 1002).VID) },
		"VLAN ids and names": func(r *netbox.Rows) {
			a, b := vlan(r, 1003), vlan(r, 1004)
			swap(&a.VID, &b.VID)
			swap(&a.Name, &b.Name)
		},
		"VLANs between groups": func(r *netbox.Rows) {
			a, b := vlan(r, 1005), vlan(r, 3000)
			g := pick(r.VLANGroups, func(g *netbox.VLANGroup) bool { return g.ID == b.Group })
			g.VIDRanges = [][2]uint16{{1000, 3100}}
			a.VID, b.VID = b.VID, 1500
			swap(&a.Group, &b.Group)
		},
		"device names": func(r *netbox.Rows) { swap(&device(r, "leaf-1").Name, &device(r, "leaf-2").Name) },
		"interface names in a ring of three": func(r *netbox.Rows) {
			a, b, c := port(r, "server-1", "eth1"), port(r, "server-1", "eth2"), port(r, "server-1", "eth3")
			a.Name, b.Name, c.Name = b.Name, c.Name, a.Name
		},
		"interface names in a row": func(r *netbox.Rows) {
			a, b := port(r, "server-1", "eth4"), port(r, "server-1", "eth5")
			a.Name, b.Name = "eth5", "eth6"
		},
		"LAGs, and a port that goes to the other": func(r *netbox.Rows) {
			a, b := port(r, "leaf-1", "PortChannel1"), port(r, "leaf-1", "PortChannel2")
			swap(&a.Name, &b.Name)
			port(r, "leaf-1", "E1/1").LAG = b.ID
		},
		"a name that a new interface takes": func(r *netbox.Rows) {
			p := port(r, "leaf-2", "E1/4")
			d := p.Device
			p.Name = "E1/44"
			r.Interfaces = append(r.Interfaces, netbox.Interface{ID: 99999, Device: d, Name: "E1/4", Type: "virtual", Enabled: true})
		},
		"addresses in the global table": func(r *netbox.Rows) { swap(&address(r, "172.30.0.5").Address, &address(r, "172.30.0.6").Address) },
		"addresses in a VRF, in a ring of three": func(r *netbox.Rows) {
			a, b, c := address(r, "192.168.0.5"), address(r, "192.168.0.7"), address(r, "192.168.0.9")
			a.Address, b.Address, c.Address = b.Address, c.Address, a.Address
		},
		"addresses by their interfaces": func(r *netbox.Rows) { swap(&address(r, "192.168.0.5").Object, &address(r, "192.168.0.7").Object) },
		"the VRFs of prefixes": func(r *netbox.Rows) {
			var two []*netbox.Prefix
			for i := range r.Prefixes {
				if r.Prefixes[i].Prefix == "10.0.1.0/24" {
					two = append(two, &r.Prefixes[i])
				}
			}
			two[0].Fields = nil
			swap(&two[0].VRF, &two[1].VRF)
		},
		"ranges that move up": func(r *netbox.Rows) {
			for i := range r.IPRanges {
				switch g := &r.IPRanges[i]; g.Start {
				case "10.0.1.10/24":
					g.Start, g.End = "10.0.1.120/24", "10.0.1.155/24"
				case "10.0.1.100/24":
					g.Start, g.End = "10.0.1.156/24", "10.0.1.165/24"
				case "10.0.1.160/24":
					g.Start, g.End = "10.0.1.10/24", "10.0.1.119/24"
				}
			}
		},
		"route distinguishers": func(r *netbox.Rows) { swap(&r.VRFs[0].RD, &r.VRFs[1].RD) },
		"route targets and who uses them": func(r *netbox.Rows) {
			swap(&r.RouteTargets[0].Name, &r.RouteTargets[1].Name)
			r.RouteTargets[2].Name, r.VRFs[1].ImportTargets = "65000:33", r.VRFs[0].ExportTargets
		},
	}
}

// Changes that take what others leave find an order, or somebody steps aside: all
// of them in one plan, and back again.
func TestApplySwaps(t *testing.T) {
	t.Parallel()
	s := bare(t)
	c := client(t, s.URL, s.Token)
	applied(t, c, crowd(), rest.ApplyOptions{})
	all := swaps()
	have := readDC(t, c)
	first := have.Rows
	for _, round := range []func(*netbox.Rows){
		func(r *netbox.Rows) {
			for _, name := range slices.Sorted(maps.Keys(all)) {
				all[name](r)
			}
		},
		func(r *netbox.Rows) { // what was created stays
			created := r.Interfaces[len(first.Interfaces):]
			for i := range created {
				created[i].Name = "new"
			}
			*r = first
			r.Interfaces = slices.Concat(first.Interfaces, created)
		},
	} {
		p, want := editPlan(t, have, round)
		done, err := rest.Apply(t.Context(), c, p, have, rest.ApplyOptions{Message: "swap"})
		if err != nil || done.Done != done.Total || done.Total == 0 {
			t.Fatalf("%d of %d: %v", done.Done, done.Total, err)
		}
		have = readDC(t, c)
		for _, n := range planRows(t, have, want).Changes {
			if n.Action == netbox.Update {
				t.Errorf("NetBox still needs: %s %s: %v -> %v", n.Action, n.Name, n.Before, n.After)
			}
		}
	}
}
