package netbox_test

import (
	"encoding/json"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"hedgehog-gitops/render/hedgehog"
	"hedgehog-gitops/render/netbox"
)

// copyOf returns the snapshot with rows of its own.
func copyOf(t *rapid.T, s *netbox.Snapshot) *netbox.Snapshot {
	data, err := json.Marshal(s.Rows)
	if err != nil {
		t.Fatal(err)
	}
	var c netbox.Snapshot
	if err := json.Unmarshal(data, &c.Rows); err != nil {
		t.Fatal(err)
	}
	c.ChangeID = s.ChangeID
	return &c
}

// editOf edits rows as people do in NetBox's forms, and says what it did.
func editOf(t *rapid.T, s *netbox.Snapshot, label string) string {
	r := &s.Rows
	pick := func(what string, n int) int { return rapid.IntRange(0, n-1).Draw(t, label+" "+what) }
	uncable := func(cable netbox.ID) {
		r.Cables = slices.DeleteFunc(r.Cables, func(c netbox.Cable) bool { return c.ID == cable })
		r.CableTerminations = slices.DeleteFunc(r.CableTerminations, func(e netbox.CableTermination) bool { return e.Cable == cable })
	}
	switch edit := pick("edit", 16); edit {
	case 0:
		d := &r.Devices[pick("device", len(r.Devices))]
		d.Description, d.Serial = "seen by hand", "BY-HAND"
		return "a description of " + d.Name
	case 1:
		d := &r.Devices[pick("device", len(r.Devices))]
		d.Status = []string{"active", "planned", "offline", "decommissioning"}[pick("status", 4)]
		return "the status of " + d.Name
	case 2:
		v := &r.VLANs[pick("vlan", len(r.VLANs))]
		v.Name = "by-hand"
		return "the name of a VLAN"
	case 3:
		v := &r.VLANs[pick("vlan", len(r.VLANs))]
		v.VID = 2900
		return "the id of a VLAN"
	case 4:
		if len(r.Cables) == 0 {
			return "nothing"
		}
		uncable(r.Cables[pick("cable", len(r.Cables))].ID)
		return "a cable is gone"
	case 5:
		i := &r.Interfaces[pick("interface", len(r.Interfaces))]
		i.TaggedVLANs, i.UntaggedVLAN, i.Mode = nil, 0, ""
		return "an interface without VLANs"
	case 6:
		i := &r.Interfaces[pick("interface", len(r.Interfaces))]
		if i.Type == "virtual" || i.Type == "lag" {
			return "nothing"
		}
		i.Mode = "tagged"
		i.TaggedVLANs = []netbox.ID{r.VLANs[pick("vlan", len(r.VLANs))].ID}
		return "a VLAN on an interface"
	case 7:
		i := &r.Interfaces[pick("interface", len(r.Interfaces))]
		i.LAG = 0
		return "an interface leaves its LAG"
	case 8:
		i := &r.Interfaces[pick("interface", len(r.Interfaces))]
		i.MTU, i.Label, i.Enabled = 1400, "by hand", false
		return "the form of an interface"
	case 9:
		v := &r.VRFs[pick("vrf", len(r.VRFs))]
		v.RD = "65000:999"
		return "the RD of a VRF"
	case 10:
		v := &r.VRFs[pick("vrf", len(r.VRFs))]
		v.ImportTargets = nil
		return "a VRF imports nothing"
	case 11:
		p := &r.Prefixes[pick("prefix", len(r.Prefixes))]
		p.VLAN = 0
		return "a prefix without its VLAN"
	case 12:
		p := &r.Prefixes[pick("prefix", len(r.Prefixes))]
		p.Fields = nil
		return "a prefix without custom fields"
	case 13:
		if len(r.IPRanges) == 0 {
			return "nothing"
		}
		r.IPRanges = slices.Delete(r.IPRanges, 0, 1)
		return "a range is gone"
	case 14:
		if len(r.IPAddresses) == 0 {
			return "nothing"
		}
		n := pick("address", len(r.IPAddresses))
		gone := r.IPAddresses[n].ID
		r.IPAddresses = slices.Delete(r.IPAddresses, n, n+1)
		for i := range r.Devices {
			if r.Devices[i].OOBIP == gone {
				r.Devices[i].OOBIP = 0
			}
		}
		return "an address is gone"
	default:
		if len(r.RouteTargets) == 0 {
			return "nothing"
		}
		n := pick("target", len(r.RouteTargets))
		gone := r.RouteTargets[n].ID
		r.RouteTargets = slices.Delete(r.RouteTargets, n, n+1)
		for i := range r.VRFs {
			without := func(list []netbox.ID) []netbox.ID {
				return slices.DeleteFunc(list, func(id netbox.ID) bool { return id == gone })
			}
			r.VRFs[i].ImportTargets, r.VRFs[i].ExportTargets = without(r.VRFs[i].ImportTargets), without(r.VRFs[i].ExportTargets)
		}
		return "a route target is gone"
	}
}

// People edit NetBox while others edit manifests: an import either says who contradicts
// whom, or makes NetBox say the manifests at once, and the next one finds nothing to do.
func TestEditsOnBothSidesSettle(t *testing.T) {
	full, filled, c := generatedFabric(t, 130)
	runs, refused := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		// What NetBox holds at first: its owners' records, or what an import wrote of a part.
		start := filled
		if rapid.Bool().Draw(t, "imported") {
			plan, issues := netbox.Import(thinned(t, "first", full), &netbox.Snapshot{}, c, netbox.ImportOptions{})
			if plan == nil {
				t.Fatalf("no plan:\n%s", lines(issues))
			}
			var err error
			if start, err = plan.Apply(&netbox.Snapshot{}); err != nil {
				t.Fatal(err)
			}
		}
		start = copyOf(t, start)
		var edits []string
		for range rapid.IntRange(1, 4).Draw(t, "edits") {
			edits = append(edits, editOf(t, start, "by hand"))
		}
		want := thinned(t, "manifests", full)
		all := netbox.ImportOptions{Prune: true, PruneDevices: true, Kinds: hedgehog.Kinds()}
		runs++
		plan, issues := netbox.Import(want, start, c, all)
		if plan == nil {
			refused++
			for _, i := range issues {
				if i.Severity == hedgehog.Error && (i.Rule == "import-inexact" || i.Hint == "" || i.Origin.IsZero()) {
					t.Fatalf("after %q an import is refused without a reason: %v: %s", edits, i, i.Hint)
				}
			}
			return
		}
		after, err := plan.Apply(start)
		if err != nil {
			t.Fatal(err)
		}
		got, issues := netbox.Map(after, c)
		if got == nil {
			t.Fatalf("after %q, what was imported cannot be rendered:\n%s", edits, lines(issues))
		}
		if x, y := text(t, want), text(t, got); x != y {
			t.Fatalf("after %q, rendered otherwise (want, got):\n%s", edits, firstDifference(x, y))
		}
		if again, issues := netbox.Import(got, after, c, all); again == nil || !again.Empty() {
			t.Fatalf("after %q the second plan is not empty: %+v\n%s", edits, again, lines(issues))
		}
	})
	t.Logf("%d of %d imports were refused", refused, runs)
	if refused > runs/2 {
		t.Errorf("%d of %d imports were refused", refused, runs)
	}
}
