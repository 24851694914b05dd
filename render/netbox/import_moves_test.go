package netbox_test

import (
	"fmt"
	"strings"
	"testing"

	"hedgehog-gitops/render/netbox"
)

// TestCablesMove: a link that keeps one of its ports keeps its cable, with all that
// people say of it; only cables that take each other's ports in a ring need one laid
// anew.
func TestCablesMove(t *testing.T) {
	t.Parallel()
	server := func(name, port string) string {
		return fmt.Sprintf("Connection: {name: %s--leaf-01}, spec: {unbundled: {link: {server: {port: %s/eth0}, switch: {port: leaf-01/%s}}}}", name, name, port)
	}
	fabric := func(s1, s2, s3 string) []byte {
		return rows(append(foundation(), addressed("leaf-01", "server-leaf", "dell-s5248f-on", 0, ""), "Server: {name: s1}", "Server: {name: s2}", "Server: {name: s3}",
			server("s1", s1), server("s2", s2), server("s3", s3))...)
	}
	c := netbox.DefaultConfig("lab")
	_, before := roundTrip(t, wanted(t, "before", fabric("E1/1", "E1/2", "E1/3")), &netbox.Snapshot{}, c)
	for i := range before.Rows.Cables {
		before.Rows.Cables[i].Label = fmt.Sprintf("W%d", i)
	}
	for name, test := range map[string]struct {
		s1, s2, s3 string
		want       string // actions and models
	}{
		"to a free port":   {"E1/9", "E1/2", "E1/3", "update dcim.cabletermination"},
		"one after one":    {"E1/2", "E1/3", "E1/4", "update dcim.cabletermination, update dcim.cabletermination, update dcim.cabletermination"},
		"two in a ring":    {"E1/2", "E1/1", "E1/3", "delete dcim.cabletermination, delete dcim.cabletermination, delete dcim.cable, create dcim.cable, create dcim.cabletermination, create dcim.cabletermination, update dcim.cabletermination"},
		"three in a ring":  {"E1/2", "E1/3", "E1/1", "delete dcim.cabletermination, delete dcim.cabletermination, delete dcim.cable, create dcim.cable, create dcim.cabletermination, create dcim.cabletermination, update dcim.cabletermination, update dcim.cabletermination"},
		"a ring, and more": {"E1/2", "E1/1", "E1/7", "delete dcim.cabletermination, delete dcim.cabletermination, delete dcim.cable, create dcim.cable, create dcim.cabletermination, create dcim.cabletermination, update dcim.cabletermination, update dcim.cabletermination"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			plan, after := roundTrip(t, wanted(t, "after", fabric(test.s1, test.s2, test.s3)), before, c)
			var got []string
			for _, change := range plan.Changes {
				got = append(got, change.Action+" "+change.Model)
			}
			if text := strings.Join(got, ", "); text != test.want {
				t.Errorf("changes %q", text)
			}
			labels := map[string]bool{}
			for _, cable := range after.Rows.Cables {
				labels[cable.Label] = true
			}
			if len(labels) != 3 || labels[""] {
				t.Errorf("labels %v", labels)
			}
		})
	}
}
