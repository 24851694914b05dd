package netbox_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"hedgehog-gitops/fixtures/generate"
	"hedgehog-gitops/render/hedgehog"
	"hedgehog-gitops/render/netbox"
)

// What the scenarios render comes back out of a NetBox that was empty.
func TestScenariosComeBackOutOfAnEmptyNetBox(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../fixtures/scenarios/*/expected/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			plan, _ := roundTrip(t, wanted(t, file, content), &netbox.Snapshot{}, netbox.DefaultConfig(name))
			t.Logf("%d changes, %+v", len(plan.Changes), plan.Shares)
		})
	}
}

// generatedFabric is a fabric of so many objects, its NetBox and how it is read.
func generatedFabric(t testing.TB, objects int) (*hedgehog.Fabric, *netbox.Snapshot, netbox.Config) {
	t.Helper()
	s, c := generate.Fabric(objects)
	f, issues := netbox.Map(s, c)
	if f == nil {
		t.Fatal(lines(issues))
	}
	return f, s, c
}

// A plain fabric of leaves and spines needs no hedgehog_spec, and importing what NetBox
// says is nothing to do.
func TestAPlainFabricIsNative(t *testing.T) {
	t.Parallel()
	f, s, c := generatedFabric(t, 400)
	plan, issues := netbox.Import(f, s, c, netbox.ImportOptions{})
	if plan == nil || !plan.Empty() {
		t.Errorf("importing what NetBox says: %+v\n%s", plan, lines(issues))
	}
	plan, _ = roundTrip(t, f, &netbox.Snapshot{}, c)
	if plan.Shares.Spec > 0 || plan.Shares.Objects > 0 {
		t.Errorf("hedgehog_spec is in use: %+v", plan.Shares)
	}
}

// thinned removes random objects of a fabric with what refers to them, and changes
// others at random.
func thinned(t *rapid.T, label string, full *hedgehog.Fabric) *hedgehog.Fabric {
	gone := map[string]bool{}
	f := &hedgehog.Fabric{}
	chance := rapid.IntRange(0, 9)
	copied := func(o *hedgehog.Object) *hedgehog.Object {
		text, err := hedgehog.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		d, err := hedgehog.Decode("copy", strings.NewReader(string(text)))
		if err != nil {
			t.Fatal(err)
		}
		for c := range d.Fabric.All() {
			hedgehog.Default(c)
			return c
		}
		return nil
	}
	for o := range full.All() {
		drop := false
		dropKinds := []hedgehog.Kind{hedgehog.KindServer, hedgehog.KindVPC, hedgehog.KindVPCAttachment, hedgehog.KindVPCPeering, hedgehog.KindExternalPeering, hedgehog.KindExternalAttachment, hedgehog.KindConnection}
		if slices.Contains(dropKinds, o.Kind) {
			drop = chance.Draw(t, label+" drop "+o.Key().String()) == 0
		}
		o = copied(o)
		switch spec := o.Spec.(type) {
		case *hedgehog.ConnectionSpec:
			if u := spec.Unbundled; u != nil {
				drop = drop || gone["Server/"+u.Link.Server.Port.Device()]
			}
			for _, b := range []*hedgehog.Bundled{spec.Bundled, spec.ESLAG} {
				if b != nil {
					drop = drop || gone["Server/"+b.Links[0].Server.Port.Device()]
				}
			}
		case *hedgehog.VPCAttachmentSpec:
			vpc, _, _ := strings.Cut(spec.Subnet, "/")
			drop = drop || gone["VPC/"+vpc] || gone["Connection/"+spec.Connection]
		case *hedgehog.ExternalAttachmentSpec:
			drop = drop || gone["Connection/"+spec.Connection]
		case *hedgehog.VPCPeeringSpec:
			for _, p := range spec.Permit {
				for vpc := range p {
					drop = drop || gone["VPC/"+vpc]
				}
			}
		case *hedgehog.ExternalPeeringSpec:
			drop = drop || gone["VPC/"+spec.Permit.VPC.Name]
		}
		if drop {
			gone[o.Key().String()] = true
			continue
		}
		if chance.Draw(t, label+" change "+o.Key().String()) == 0 {
			disturb(t, label, o)
		}
		hedgehog.Default(o)
		f.Add(o)
	}
	return f
}

// disturb changes something of an object.
func disturb(t *rapid.T, label string, o *hedgehog.Object) {
	pick := func(n int) int { return rapid.IntRange(0, n-1).Draw(t, label+" what of "+o.Key().String()) }
	switch spec := o.Spec.(type) {
	case *hedgehog.ServerSpec:
		spec.Description = []string{"", "a hypervisor", "@x `y`"}[pick(3)]
	case *hedgehog.SwitchSpec:
		switch pick(3) {
		case 0:
			spec.Description = "Row A"
		case 1:
			spec.EnableAllPorts = true
		case 2:
			o.Annotations = map[string]string{"example.com/row": "a"}
		}
	case *hedgehog.VPCSpec:
		for key, s := range spec.Subnets {
			switch yes := true; pick(4) {
			case 0:
				s.Isolated = &yes
			case 1:
				s.Restricted = &yes
			case 2:
				s.DHCP.Enable = !s.DHCP.Enable && s.DHCP.Relay == ""
				s.DHCP.Range, s.DHCP.Options, s.DHCP.Static = nil, nil, nil
			}
			if pick(2) == 0 {
				delete(spec.Subnets, key)
				spec.Subnets[key+"2"] = s
			}
			break
		}
	case *hedgehog.ConnectionSpec:
		if u := spec.Unbundled; u != nil {
			u.MTU = []uint16{0, 1500, 9000}[pick(3)]
		}
		if b := spec.ESLAG; b != nil {
			b.MTU, b.Fallback = []uint16{0, 1500, 9000}[pick(3)], pick(2) == 0
		}
	case *hedgehog.VPCAttachmentSpec:
		spec.NativeVLAN = false // two native ones on a port are no fabric
	default:
		o.Labels = map[string]string{"example.com/zone": fmt.Sprint(pick(3))}
	}
}

// Whatever NetBox documents, importing a fabric makes it say exactly that fabric, and
// nothing that was there before matters.
func TestImportSettles(t *testing.T) {
	full, s, c := generatedFabric(t, 130)
	rapid.Check(t, func(t *rapid.T) {
		a, b := thinned(t, "a", full), thinned(t, "b", full)
		all := netbox.ImportOptions{Prune: true, PruneDevices: true, Kinds: hedgehog.Kinds()}
		start := s
		if rapid.Bool().Draw(t, "empty") {
			start = &netbox.Snapshot{}
		}
		for _, want := range []*hedgehog.Fabric{a, b} {
			plan, issues := netbox.Import(want, start, c, all)
			if plan == nil {
				t.Fatalf("no plan:\n%s", lines(issues))
			}
			after, err := plan.Apply(start)
			if err != nil {
				t.Fatal(err)
			}
			got, issues := netbox.Map(after, c)
			if got == nil {
				t.Fatalf("what was imported cannot be rendered:\n%s", lines(issues))
			}
			if x, y := text(t, want), text(t, got); x != y {
				t.Fatalf("rendered otherwise (want, got):\n%s", firstDifference(x, y))
			}
			if again, issues := netbox.Import(want, after, c, all); again == nil || !again.Empty() {
				t.Fatalf("the second plan is not empty: %+v\n%s", again, lines(issues))
			}
			start = after
		}
	})
}

func text(t *rapid.T, f *hedgehog.Fabric) string {
	var out strings.Builder
	if err := hedgehog.Encode(&out, f.All()); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// firstDifference returns the lines around the first one that differs.
func firstDifference(a, b string) string {
	x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
	n := 0
	for n < len(x) && n < len(y) && x[n] == y[n] {
		n++
	}
	from := max(0, n-12)
	return strings.Join(x[from:min(len(x), n+4)], "\n") + "\n---\n" + strings.Join(y[from:min(len(y), n+4)], "\n")
}
