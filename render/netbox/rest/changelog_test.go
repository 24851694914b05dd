package rest_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"hedgehog-gitops/render/netbox/rest"
)

// TestChangesSince: who changed a device and a VLAN, and no more.
func TestChangesSince(t *testing.T) {
	t.Parallel()
	server := filled(t)
	c := client(t, server.URL, server.Token)
	since := read(t, c).ChangeID
	began := time.Now().Add(-time.Minute)

	leaf := find(t, server, "/api/dcim/devices/?name=Leaf%2001&limit=1&fields=id")
	other := find(t, server, "/api/dcim/devices/?name=Leaf%2002&limit=1&fields=id")
	path := fmt.Sprintf("/dcim/devices/%d/", leaf)
	for _, text := range []string{"first", "second"} {
		must(t, server, http.MethodPatch, "/api"+path, map[string]any{"description": text, "changelog_message": "because of the " + text}, nil)
	}
	must(t, server, http.MethodPatch, fmt.Sprintf("/api/dcim/devices/%d/", other), map[string]any{"description": "not asked for"}, nil)
	var vlan struct{ ID int }
	must(t, server, http.MethodPost, "/api/ipam/vlans/", map[string]any{"vid": 77, "name": "late"}, &vlan)
	late := fmt.Sprintf("/ipam/vlans/%d/", vlan.ID)
	must(t, server, http.MethodDelete, "/api"+late, nil, nil)

	changes, all, err := rest.ChangesSince(t.Context(), c, since, map[string]bool{path: true, late: true})
	if err != nil || !all {
		t.Fatal(all, err)
	}
	var got []string
	for _, c := range changes {
		if c.ID <= since || c.Time.Before(began) || c.User != "admin" {
			t.Errorf("%+v", c)
		}
		got = append(got, fmt.Sprintf("%s %s %s: %s", c.Action, c.Object, c.Name, c.Message))
	}
	want := []string{
		"delete " + late + " late (77): ",
		"create " + late + " late (77): ",
		"update " + path + " Leaf 01: because of the second",
		"update " + path + " Leaf 01: because of the first",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// TestChangesSinceKnowsEveryModel: the paths are those of NetBox's own addresses.
func TestChangesSinceKnowsEveryModel(t *testing.T) {
	t.Parallel()
	server := filled(t)
	s := read(t, client(t, server.URL, server.Token))
	paths := map[string]bool{}
	for _, area := range []string{
		"dcim/sites", "dcim/locations", "dcim/manufacturers", "dcim/device-types", "dcim/device-roles", "dcim/devices", "dcim/interfaces",
		"dcim/front-ports", "dcim/rear-ports", "dcim/cables", "circuits/providers", "circuits/circuits", "circuits/circuit-terminations",
		"ipam/asns", "ipam/roles", "ipam/vlan-groups", "ipam/vlans", "ipam/route-targets", "ipam/vrfs", "ipam/prefixes", "ipam/ip-ranges", "ipam/ip-addresses",
	} {
		var list struct{ Results []struct{ ID int } }
		must(t, server, http.MethodGet, "/api/"+area+"/?limit=1&fields=id", nil, &list)
		if len(list.Results) == 0 {
			t.Fatalf("the scenario has no %s", area)
		}
		paths[fmt.Sprintf("/%s/%d/", area, list.Results[0].ID)] = true
	}
	changes, all, err := rest.ChangesSince(t.Context(), client(t, server.URL, server.Token), 0, paths)
	if err != nil || !all {
		t.Fatal(all, err)
	}
	for _, c := range changes {
		delete(paths, c.Object)
	}
	if len(paths) > 0 {
		t.Errorf("the change log of %d says nothing about %v", s.ChangeID, paths)
	}
}
