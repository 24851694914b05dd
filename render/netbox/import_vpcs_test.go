package netbox_test

import (
	"os"
	"testing"

	"hedgehog-gitops/render/hedgehog"
	"hedgehog-gitops/render/netbox"
)

// theOffice is the snapshot of the scenario and the fabric that it gives.
func theOffice(t *testing.T) (*hedgehog.Fabric, *netbox.Snapshot, netbox.Config) {
	t.Helper()
	file, err := os.Open("../../fixtures/scenarios/office/snapshot.json")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	s, _, err := netbox.ReadSnapshot(file)
	if err != nil {
		t.Fatal(err)
	}
	c := netbox.DefaultConfig("office")
	f, issues := netbox.Map(s, c)
	if f == nil {
		t.Fatal(lines(issues))
	}
	return f, s, c
}

// Changing one thing of a VPC changes what a network engineer would change by hand.
func TestAChangedVPCChangesItsRecordsAlone(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(*hedgehog.VPCSpec)
		want   string // action, model and name of the one change
	}{
		"nothing":            {func(*hedgehog.VPCSpec) {}, ""},
		"another VLAN":       {func(s *hedgehog.VPCSpec) { s.Subnets["desks"].VLAN = 1012 }, "update ipam.vlan 1012 staff-desks"},
		"a second VLAN":      {func(s *hedgehog.VPCSpec) { s.Subnets["print"].VLAN = 1100 }, "update ipam.vlan 1100 staff-print"},
		"another gateway":    {func(s *hedgehog.VPCSpec) { s.Subnets["print"].Gateway = "10.10.2.253" }, "update ipam.ipaddress 10.10.2.253/24"},
		"another range":      {func(s *hedgehog.VPCSpec) { s.Subnets["desks"].DHCP.Range.End = "10.10.1.150" }, "update ipam.iprange 10.10.1.100/24 - 10.10.1.150/24"},
		"isolated":           {func(s *hedgehog.VPCSpec) { s.Subnets["desks"].Isolated = new(true) }, "update ipam.prefix 10.10.1.0/24"},
		"isolated by itself": {func(s *hedgehog.VPCSpec) { s.DefaultIsolated = true }, "update ipam.vrf staff"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, s, c := theOffice(t)
			test.change(f.Get(hedgehog.KindVPC, "staff").Spec.(*hedgehog.VPCSpec))
			plan, _ := roundTrip(t, f, s, c)
			var got string
			for _, change := range plan.Changes {
				got += change.Action + " " + change.Model + " " + change.Name
			}
			if got != test.want {
				t.Errorf("changes %q, not %q", got, test.want)
			}
		})
	}
}

// A subnet that only NetBox has stays without pruning, and is said to.
func TestASubnetThatOnlyNetBoxHasStays(t *testing.T) {
	t.Parallel()
	f, s, c := theOffice(t)
	f.Remove(hedgehog.Key{Kind: hedgehog.KindVPCAttachment, Name: "staff--print--printer-1--unbundled--leaf-3"})
	delete(f.Get(hedgehog.KindVPC, "staff").Spec.(*hedgehog.VPCSpec).Subnets, "print")
	plan, issues := netbox.Import(f, s, c, netbox.ImportOptions{})
	if plan == nil || !plan.Empty() {
		t.Fatalf("the plan is %+v\n%s", plan, lines(issues))
	}
	listed := false
	for _, only := range plan.OnlyInNetBox {
		listed = listed || only.Name == "staff/print"
	}
	if !listed {
		t.Errorf("staff/print is not listed: %+v", plan.OnlyInNetBox)
	}
	plan, issues = netbox.Import(f, s, c, netbox.ImportOptions{Prune: true})
	if plan == nil || plan.Empty() {
		t.Fatalf("pruning does nothing: %+v\n%s", plan, lines(issues))
	}
	after, err := plan.Apply(s)
	if err != nil {
		t.Fatal(err)
	}
	got, _ := netbox.Map(after, c)
	if got == nil || got.Get(hedgehog.KindVPC, "staff").Spec.(*hedgehog.VPCSpec).Subnets["print"] != nil {
		t.Error("the subnet is still there")
	}
}
