package netbox_test

import (
	"strings"
	"testing"

	"hedgehog-gitops/render/hedgehog"
	"hedgehog-gitops/render/netbox"
)

// TestTwoFabricsOfOneNetBox: two fabrics with the same pools, addresses, AS
// numbers and VLANs, each in its site and underlay VRF, come out of one NetBox as
// they went in; documenting the second leaves the first alone.
func TestTwoFabricsOfOneNetBox(t *testing.T) {
	t.Parallel()
	first, second := netbox.DefaultConfig("one"), netbox.DefaultConfig("two")
	first.UnderlayVRF, second.UnderlayVRF = "underlay-one", "underlay-two"
	second.Containers = []string{"10.0.0.0/16"} // which the first has: it serves both
	manifests := rows(spineLeaf(2, 4)...)
	want := wanted(t, "fabric", manifests)
	_, after := roundTrip(t, want, &netbox.Snapshot{}, first)
	_, both := roundTrip(t, want, after, second)
	for _, c := range []netbox.Config{first, second} {
		got, issues := netbox.Map(both, c)
		if got == nil {
			t.Fatalf("%s cannot be rendered:\n%s", c.Name, lines(issues))
		}
		if a, b := encoded(t, want), encoded(t, got); a != b {
			t.Errorf("%s is rendered otherwise:\n%s", c.Name, difference(t, a, b))
		}
		again, issues := netbox.Import(want, both, c, netbox.ImportOptions{})
		if again == nil || !again.Empty() {
			t.Errorf("%s again: %v %s", c.Name, again, lines(issues))
		}
	}
}

// TestAContainerOfAnotherFabric: NetBox takes a container once in the global
// table; the second fabric is told how to share it.
func TestAContainerOfAnotherFabric(t *testing.T) {
	t.Parallel()
	want := wanted(t, "fabric", rows(foundation()...))
	_, after := roundTrip(t, want, &netbox.Snapshot{}, netbox.DefaultConfig("one"))
	plan, issues := netbox.Import(want, after, netbox.DefaultConfig("two"), netbox.ImportOptions{})
	if plan != nil || len(issues) != 1 || issues[0].Rule != "import-container-twice" || !strings.Contains(issues[0].Hint, "containers") {
		t.Errorf("%v, %v", plan, issues)
	}
}

// TestTwoFabricsWithoutUnderlayVRFs: addresses that another fabric has in the
// global table are not taken from it.
func TestTwoFabricsWithoutUnderlayVRFs(t *testing.T) {
	t.Parallel()
	want := wanted(t, "fabric", rows(spineLeaf(1, 2)...))
	_, after := roundTrip(t, want, &netbox.Snapshot{}, netbox.DefaultConfig("one"))
	second := netbox.DefaultConfig("two")
	second.Containers = []string{"10.0.0.0/16"}
	plan, issues := netbox.Import(want, after, second, netbox.ImportOptions{})
	if plan != nil {
		t.Fatalf("a plan of %d changes", len(plan.Changes))
	}
	taken := 0
	for _, issue := range issues {
		if issue.Rule == "import-address-taken" {
			taken++
		}
		if issue.Severity == hedgehog.Error && (issue.Hint == "" || !strings.Contains(issue.Summary, "has")) {
			t.Errorf("says too little: %+v", issue)
		}
	}
	if want := 2*3 + 2; taken != want { // leaves have three addresses, spines two
		t.Errorf("%d addresses are taken, not %d: %s", taken, want, lines(issues))
	}
}
