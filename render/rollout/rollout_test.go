package rollout_test

import (
	"strings"
	"testing"

	"hedgehog-gitops/render"
	"hedgehog-gitops/render/hedgehog"
	"hedgehog-gitops/render/rollout"
)

// fabric reads manifests, one a line, "Kind name: spec", after their defaults.
func fabric(t testing.TB, text string) *hedgehog.Fabric {
	t.Helper()
	var manifests strings.Builder
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		head, spec, _ := strings.Cut(line, ": ")
		kind, name, _ := strings.Cut(head, " ")
		manifests.WriteString("apiVersion: " + hedgehog.Kind(kind).APIVersion() + "\nkind: " + kind + "\nmetadata: {name: " + name + "}\nspec: " + spec + "\n---\n")
	}
	d, err := hedgehog.Decode("-", strings.NewReader(manifests.String()))
	if err != nil {
		t.Fatal(err)
	}
	if d.Issues.Worst() == hedgehog.Error {
		t.Fatal(d.Issues)
	}
	for o := range d.Fabric.All() {
		hedgehog.Default(o)
	}
	return d.Fabric
}

// byStage places every object in one root for each stage.
func byStage(f *hedgehog.Fabric) rollout.Placed {
	p := rollout.Placed{Objects: f, Roots: map[hedgehog.Key]string{}}
	for o := range f.All() {
		p.Roots[o.Key()] = render.StageOf(o) + "/all"
	}
	return p
}

// steps takes every step to its end and tells each: its objects that differ from what is
// wanted, and why.
func steps(t testing.TB, in rollout.Input) []rollout.Step {
	t.Helper()
	var all []rollout.Step
	for {
		step := rollout.Next(in)
		all = append(all, step)
		if step.Issues.Worst() == hedgehog.Error || len(all) > 9 {
			return all
		}
		if len(step.Forms) == 0 {
			return all
		}
		in.Earlier, in.Merged = []rollout.Placed{in.Merged}, step.Objects
	}
}

const basis = `
VLANNamespace default: {ranges: [{from: 1000, to: 1999}]}
IPv4Namespace default: {subnets: [10.0.0.0/16]}
Switch leaf-1: {role: server-leaf, profile: dell-s5248f-on, asn: 65101, ip: 172.30.0.8/21, protocolIP: 172.30.8.2/32, vtepIP: 172.30.12.0/32}
Switch leaf-2: {role: server-leaf, profile: dell-s5248f-on, asn: 65102, ip: 172.30.0.9/21, protocolIP: 172.30.8.3/32, vtepIP: 172.30.12.1/32}
Server s1: {}
Server s2: {}
VPC a: {subnets: {s: {subnet: 10.0.1.0/24, vlan: 1001}}}
VPC b: {subnets: {s: {subnet: 10.0.2.0/24, vlan: 1002}}}
`

func TestNext(t *testing.T) {
	t.Parallel()
	const c1 = "\nConnection s1--unbundled--leaf-1: {unbundled: {link: {server: {port: s1/a}, switch: {port: leaf-1/E1/1}}}}\nVPCAttachment a--s--c1: {subnet: a/s, connection: s1--unbundled--leaf-1}"
	edit := func(pairs ...string) string { return strings.NewReplacer(pairs...).Replace(basis + c1) }
	tests := map[string]struct {
		before, after string
		prune         bool
		steps         int
		reasons       string // of the first step
		issue         string
	}{
		"nothing":                        {basis, basis, true, 1, "", ""},
		"all is new":                     {"", basis + c1, true, 1, "", ""},
		"all goes":                       {basis + c1, "", true, 1, "", ""},
		"a server moves to another leaf": {basis + c1, edit("leaf-1/E1/1", "leaf-2/E1/1", "unbundled--leaf-1", "unbundled--leaf-2", "a--s--c1", "a--s--c2"), true, 2, "takes", ""},
		"... and pruning is off":         {basis + c1, edit("leaf-1/E1/1", "leaf-2/E1/1", "unbundled--leaf-1", "unbundled--leaf-2", "a--s--c1", "a--s--c2"), false, 2, "takes", ""},
		"a connection changes its type under its name":  {basis + c1, edit("{unbundled: {link: {server: {port: s1/a}, switch: {port: leaf-1/E1/1}}}}", "{bundled: {links: [{server: {port: s1/a}, switch: {port: leaf-1/E1/1}}]}}"), true, 2, "fixed stands", ""},
		"a switch is renamed":                           {basis + c1, edit("Switch leaf-1", "Switch leaf-9", "leaf-1/E1/1", "leaf-9/E1/1", "unbundled--leaf-1", "unbundled--leaf-9", "a--s--c1", "a--s--c9"), true, 2, "takes takes", ""},
		"a switch is renamed under what keeps its name": {basis + c1, edit("Switch leaf-1", "Switch leaf-9", "leaf-1/E1/1", "leaf-9/E1/1"), true, 2, "takes stands stands", ""},
		"a VPC is renamed":                              {basis, edit("VPC b", "VPC z"), true, 2, "recreated", ""},
		"two switches swap their ASNs":                  {basis, edit("asn: 65101", "asn: 65102", "asn: 65102", "asn: 65101"), true, 1, "", "give Switch/leaf-2 ASN 65103"},
		"two VPCs swap their VLANs":                     {basis, edit("vlan: 1001", "vlan: 1002", "vlan: 1002", "vlan: 1001"), true, 1, "", "give VPC/b VLAN 1000"},
		"a VLAN changes hands":                          {basis, edit("vlan: 1001", "vlan: 1002", "vlan: 1002", "vlan: 1003"), true, 2, "takes", ""},
		"VLANs change hands down a chain":               {basis + "VPC c: {subnets: {s: {subnet: 10.0.3.0/24, vlan: 1003}}}", edit("vlan: 1001", "vlan: 1002", "vlan: 1002", "vlan: 1003") + "\nVPC c: {subnets: {s: {subnet: 10.0.3.0/24, vlan: 1004}}}", true, 3, "takes", ""},
		"a namespace moves away under a VPC":            {basis, edit("10.0.0.0/16", "10.1.0.0/16", "10.0.1.0/24", "10.1.1.0/24", "10.0.2.0/24", "10.1.2.0/24"), true, 2, "widens", ""},
		"a namespace shrinks while the VPC goes":        {basis, strings.ReplaceAll(edit("10.0.0.0/16", "10.0.0.0/23"), "VPC b: {subnets: {s: {subnet: 10.0.2.0/24, vlan: 1002}}}", ""), true, 1, "", ""},
		"RoCE and breakouts at once":                    {basis, strings.ReplaceAll(basis, "asn: 65102", "asn: 65102, roce: true, portBreakouts: {E1/49: 4x25G}"), true, 2, "roce", ""},
		"a VPC goes while its attachment stays":         {basis + c1, strings.ReplaceAll(basis+c1, "VPC a: {subnets: {s: {subnet: 10.0.1.0/24, vlan: 1001}}}", ""), true, 1, "", "delete what uses it"},
		"a connection is renamed under its attachment":  {basis + c1, strings.ReplaceAll(basis+c1, "s1--unbundled--leaf-1", "s2--unbundled--leaf-1") + "", true, 2, "takes stands", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := rollout.Input{Merged: byStage(fabric(t, test.before)), Wanted: byStage(fabric(t, test.after)), Prune: test.prune, Settings: hedgehog.DefaultSettings()}
			all := steps(t, in)
			if test.issue != "" {
				found := false
				for _, i := range all[0].Issues {
					found = found || strings.Contains(i.Summary+"\n"+i.Hint, test.issue)
				}
				if !found {
					t.Errorf("the issues are %v, want one with %q", all[0].Issues, test.issue)
				}
				return
			}
			if len(all[0].Issues) > 0 {
				t.Errorf("there are issues: %v", all[0].Issues)
			}
			if len(all) != test.steps || all[0].Of != test.steps {
				t.Errorf("it takes %d steps and says %d, want %d", len(all), all[0].Of, test.steps)
			}
			var rules []string
			for _, r := range all[0].Reasons {
				rules = append(rules, string(r.Rule))
			}
			if got := strings.Join(rules, " "); got != test.reasons {
				t.Errorf("the reasons are %q (%v), want %q", got, all[0].Reasons, test.reasons)
			}
		})
	}
}
