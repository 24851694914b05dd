package render_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"hedgehog-gitops/render"
	"hedgehog-gitops/render/hedgehog"
	"hedgehog-gitops/render/netbox"
	"hedgehog-gitops/render/tree"
)

// rendered is a fabric rendered into a repository.
type rendered struct {
	files   tree.Tree // empty when the fabric is not rendered
	changes []tree.Change
	origins map[string][]string // of the object in a file
	issues  hedgehog.Issues
}

func renderFabric(t interface{ Fatal(...any) }, s *netbox.Snapshot, c netbox.Config, merged tree.Tree) rendered {
	x := netbox.NewIndex(s)
	fabric, issues := x.Map(c)
	r := rendered{origins: map[string][]string{}, issues: issues}
	if fabric == nil {
		return r
	}
	digest := x.Digester()
	out := render.Plan(render.Input{Fabric: c.Name, Objects: fabric, Merged: merged, Rows: func(o []hedgehog.Origin) string {
		sum, err := digest(o)
		if err != nil {
			t.Fatal(err)
		}
		return sum
	}})
	if out.Issues.Worst() == hedgehog.Error {
		t.Fatal(out.Issues)
	}
	r.files, r.changes = out.Tree, out.Changes
	for o := range fabric.All() {
		for _, at := range o.Origins {
			r.origins[out.Places[o.Key()]] = append(r.origins[out.Places[o.Key()]], at.Path)
		}
	}
	return r
}

// replaced reports whether a file that is new takes the place of one that was
// made of the record and is gone: a connection that lost a leg changes its kind
// and name, and what is left was not made of the leg.
func (before rendered) replaced(after rendered, name, address string) bool {
	if before.files.Has(name) {
		return false
	}
	for gone, origins := range before.origins {
		if after.files.Has(gone) || path.Dir(gone) != path.Dir(name) || !slices.Contains(origins, address) {
			continue
		}
		for _, at := range after.origins[name] {
			if strings.HasPrefix(at, "/dcim/interfaces/") && slices.Contains(origins, at) {
				return true
			}
		}
	}
	return false
}

func readOffice(t testing.TB) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "fixtures", "scenarios", "office", "snapshot.json"))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// areas are the web addresses of the models whose rows an edit touches. Device
// roles are not among them: they say what a whole device is.
var areas = map[string]string{
	"dcim.device": "/dcim/devices/", "dcim.interface": "/dcim/interfaces/", "dcim.cable": "/dcim/cables/",
	"ipam.vlan": "/ipam/vlans/", "ipam.vrf": "/ipam/vrfs/", "ipam.prefix": "/ipam/prefixes/",
	"ipam.iprange": "/ipam/ip-ranges/", "ipam.ipaddress": "/ipam/ip-addresses/",
	"ipam.routetarget": "/ipam/route-targets/", "ipam.asn": "/ipam/asns/", "dcim.devicetype": "/dcim/device-types/",
	"ipam.vlangroup": "/ipam/vlan-groups/",
}

// edit deletes or changes one random row and returns the web address of the
// record that a person edited.
func edit(t *rapid.T, rows *netbox.Rows) string {
	v := reflect.ValueOf(rows).Elem()
	var models []int
	for i := range v.NumField() {
		if areas[v.Type().Field(i).Tag.Get("json")] != "" && v.Field(i).Len() > 0 {
			models = append(models, i)
		}
	}
	at := rapid.SampledFrom(models).Draw(t, "model")
	model, list := v.Type().Field(at).Tag.Get("json"), v.Field(at)
	n := rapid.IntRange(0, list.Len()-1).Draw(t, "row")
	row := list.Index(n)
	address := fmt.Sprintf("%s%d/", areas[model], row.FieldByName("ID").Int())
	id := netbox.ID(row.FieldByName("ID").Int())
	texts := []string{}
	for _, f := range []string{"Name", "Description", "Serial", "Status", "Slug", "MAC", "Mode", "Prefix", "Address"} {
		if row.FieldByName(f).IsValid() {
			texts = append(texts, f)
		}
	}
	what := rapid.SampledFrom(append([]string{"delete"}, texts...)).Draw(t, "edit")
	switch what {
	case "delete":
		list.Set(reflect.AppendSlice(list.Slice(0, n), list.Slice(n+1, list.Len())))
		if model == "dcim.cable" { // its ends go with it
			rows.CableTerminations = slices.DeleteFunc(rows.CableTerminations, func(e netbox.CableTermination) bool { return e.Cable == id })
		}
	case "Status":
		row.FieldByName(what).SetString(rapid.SampledFrom([]string{"active", "planned", "decommissioning", "reserved", "connected"}).Draw(t, "status"))
	case "Mode":
		row.FieldByName(what).SetString(rapid.SampledFrom([]string{"", "access", "tagged", "tagged-all"}).Draw(t, "mode"))
	case "Prefix", "Address":
		row.FieldByName(what).SetString(rapid.SampledFrom([]string{"10.99.1.0/24", "172.30.8.200/32", "198.51.100.1/30"}).Draw(t, "network"))
	case "MAC":
		row.FieldByName(what).SetString(rapid.SampledFrom([]string{"", "0C:20:12:AA:BB:CC"}).Draw(t, "mac"))
	default:
		row.FieldByName(what).SetString(rapid.SampledFrom([]string{"renamed", "Leaf 99", "../../x", "a\nb: c", "E1/7"}).Draw(t, "text"))
	}
	return address
}

// One edit in NetBox changes the files of the objects that were, or are now,
// made of the edited record, and beside them only the kustomization and the
// lock of their roots. Or it makes the fabric ambiguous, and nothing changes.
func TestAnEditChangesTheFilesItShould(t *testing.T) {
	t.Parallel()
	data := readOffice(t)
	config := netbox.DefaultConfig("office")
	load := func(t interface{ Fatal(...any) }) *netbox.Snapshot {
		s, _, err := netbox.ReadSnapshot(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	before := renderFabric(t, load(t), config, tree.Tree{})
	if before.files.Len() == 0 {
		t.Fatal(before.issues)
	}
	changed, refused := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		s := load(t)
		address := edit(t, &s.Rows)
		after := renderFabric(t, s, config, before.files)
		if after.files.Len() == 0 {
			if after.issues.Worst() != hedgehog.Error {
				t.Errorf("editing %s left nothing, without an error", address)
			}
			refused++
			return
		}
		for _, i := range after.issues {
			if i.Rule == "name-repeated" {
				return // a number in a name depends on its neighbour, and a notice says so
			}
		}
		roots := map[string]bool{}
		var meta []string
		for _, c := range after.changes {
			changed++
			if base := path.Base(c.Path); base == "kustomization.yaml" || base == render.LockName {
				meta = append(meta, c.Path)
				continue
			}
			roots[path.Dir(path.Dir(c.Path))] = true
			if !slices.Contains(before.origins[c.Path], address) && !slices.Contains(after.origins[c.Path], address) && !before.replaced(after, c.Path, address) {
				t.Errorf("editing %s changed %s, which is made of %v and %v", address, c.Path, before.origins[c.Path], after.origins[c.Path])
			}
		}
		for _, name := range meta {
			if !roots[path.Dir(name)] {
				t.Errorf("editing %s changed %s, in a root with no other change", address, name)
			}
		}
	})
	if changed == 0 || refused == 0 {
		t.Errorf("%d changes and %d refusals: the edits do not try both", changed, refused)
	}
}

// A record renamed and renamed back leaves no trace, and hostile text stays
// inside its scalar: the paths are those of proper names only.
func TestNamesFromNetBoxStayInTheirPlace(t *testing.T) {
	t.Parallel()
	data := readOffice(t)
	config := netbox.DefaultConfig("office")
	rapid.Check(t, func(t *rapid.T) {
		s, _, err := netbox.ReadSnapshot(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		hostile := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"../../etc/x", "a\n---\nkind: VPC", "x: {y: [", "\u0000", "no", "1e3", "\u2028", "@org/team fixes #1"}))
		for i := range s.Rows.Devices {
			if rapid.IntRange(0, 3).Draw(t, "hit") == 0 {
				s.Rows.Devices[i].Name += hostile.Draw(t, "name")
				s.Rows.Devices[i].Description = hostile.Draw(t, "description")
			}
		}
		for i := range s.Rows.VLANs {
			s.Rows.VLANs[i].Name += hostile.Draw(t, "vlan")
		}
		r := renderFabric(t, s, config, tree.Tree{})
		for name, content := range r.files.All() {
			if !strings.HasPrefix(name, "fabrics/office/base/") || strings.Contains(name, "..") {
				t.Errorf("a file leaves its folder: %q", name)
			}
			if path.Base(name) == render.LockName && !json.Valid(content) {
				t.Errorf("%s is no JSON", name)
			}
			if strings.HasSuffix(name, ".yaml") && path.Base(name) != "kustomization.yaml" {
				decoded, err := hedgehog.Decode(name, bytes.NewReader(content))
				if err != nil || decoded.Fabric.Len() != 1 {
					t.Errorf("%s does not hold one object: %v %v", name, err, decoded.Issues)
				}
			}
		}
	})
}
