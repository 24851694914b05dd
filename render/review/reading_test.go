package review_test

import (
	"fmt"
	"strings"
	"testing"

	"hedgehog-gitops/render/hedgehog"
)

// pullRequest is one that a reviewer reads: a fabric, and what somebody did to it.
type pullRequest struct {
	fabric string
	edits  []edit
	// hazard is what a reviewer must find in the first 40 lines, as words in one
	// line; empty where there is nothing to find.
	hazard []string
}

const officeVPC = `apiVersion: vpc.githedgehog.com/v1beta1
kind: VPC
metadata: {name: shop}
spec:
  ipv4Namespace: default
  vlanNamespace: office
  subnets:
    front: {subnet: 10.10.20.0/24, vlan: 1020}
    back: {subnet: 10.10.21.0/24, vlan: 1021}
`

// everyday is the noise in which a hazard hides: new servers, texts, leases.
func everyday(t testing.TB, f *hedgehog.Fabric) {
	add(officeVPC)(t, f)
	for n := 10; n < 22; n++ {
		add(server(fmt.Sprintf("app-%d", n), fmt.Sprintf("leaf-1/E1/%d", n), fmt.Sprintf("leaf-2/E1/%d", n), "shop/front", "shop/back"))(t, f)
	}
	change(hedgehog.KindSwitch, "leaf-3", func(s *hedgehog.SwitchSpec) { s.Description = "border, row 7" })(t, f)
	change(hedgehog.KindVPC, "staff", func(s *hedgehog.VPCSpec) {
		s.Subnets["print"].DHCP.Static["0c:20:12:0f:0a:02"] = hedgehog.DHCPStatic{IP: "10.10.2.21"}
	})(t, f)
}

func readingCases() map[string]pullRequest {
	server07 := func(n int) string { return fmt.Sprintf("srv-%03d", n) }
	return map[string]pullRequest{
		// With a hazard.
		"a VPC is deleted": {"office", []edit{
			everyday, remove("VPC/staff", "VPCPeering/apps--staff", "ExternalPeering/staff--isp",
				"VPCAttachment/staff--desks--nas-1--unbundled--leaf-3", "VPCAttachment/staff--print--printer-1--unbundled--leaf-3"),
		}, []string{"delete", "VPC", "staff", "2 servers", "network"}},
		"a connection is replaced": {"office", []edit{
			everyday, change(hedgehog.KindConnection, "nas-1--unbundled--leaf-3", func(s *hedgehog.ConnectionSpec) { s.Unbundled.Link.Switch.Port = "leaf-3/E1/9" }),
		}, []string{"replace", "connection", "nas-1--unbundled--leaf-3", "link goes down"}},
		"a VLAN moves": {"office", []edit{
			everyday, change(hedgehog.KindVPC, "apps", func(s *hedgehog.VPCSpec) { s.Subnets["db"].VLAN = 1099 }),
		}, []string{"VLAN", "apps/db", "1011", "1099"}},
		"a server keeps one leg": {"office", []edit{
			everyday, change(hedgehog.KindConnection, "db-2--bundled--leaf-2", func(s *hedgehog.ConnectionSpec) { s.Bundled.Links = s.Bundled.Links[:1] }),
		}, []string{"db-2", "one leg only"}},
		"a peering is opened": {"north", []edit{
			add(vpcPeering("ai-train", "dmz")),
		}, []string{"open", "peering", "ai-train", "dmz", "everything"}},
		"a default route is opened": {"office", []edit{
			everyday, add(`apiVersion: vpc.githedgehog.com/v1beta1
kind: ExternalPeering
metadata: {name: apps--isp}
spec: {permit: {vpc: {name: apps, subnets: [db]}, external: {name: isp, prefixes: [{prefix: 0.0.0.0/0}]}}}
`),
		}, []string{"open", "apps", "isp", "default route"}},
		"a redundancy group changes": {"office", []edit{
			everyday, add("apiVersion: wiring.githedgehog.com/v1beta1\nkind: SwitchGroup\nmetadata: {name: pair-9}\nspec: {}\n"),
			change(hedgehog.KindSwitch, "leaf-2", func(s *hedgehog.SwitchSpec) { s.Groups, s.Redundancy.Group = nil, "pair-9" }),
		}, []string{"redundancy group", "leaf-2", "pair-1", "pair-9"}},
		"a gateway changes": {"office", []edit{
			everyday, change(hedgehog.KindVPC, "staff", func(s *hedgehog.VPCSpec) { s.Subnets["desks"].Gateway = "10.10.1.254" }),
		}, []string{"gateway", "staff/desks", "10.10.1.1", "10.10.1.254"}},

		// Without one.
		"a VPC with servers": {"office", []edit{
			add(officeVPC), add(attachment("shop/front", "web-1--eslag--leaf-1--leaf-2")[4:]),
			add(attachment("shop/front", "web-2--eslag--leaf-1--leaf-2")[4:]), add(attachment("shop/back", "nas-1--unbundled--leaf-3")[4:]),
		}, nil},
		"a server with two legs": {"office", []edit{add(server("web-3", "leaf-1/E1/3", "leaf-2/E1/3", "apps/web"))}, nil},
		"texts and labels": {"north", []edit{
			func(t testing.TB, f *hedgehog.Fabric) {
				for o := range f.All() {
					switch s := o.Spec.(type) {
					case *hedgehog.SwitchSpec:
						s.Description = "row 7, was \"" + s.Description + "\""
					case *hedgehog.VPCSpec:
						o.Labels = map[string]string{"example.com/owner": "platform"}
					}
				}
			},
		}, nil},
		"a leaf": {"office", []edit{add(`apiVersion: wiring.githedgehog.com/v1beta1
kind: Switch
metadata: {name: leaf-4}
spec:
  asn: 65104
  boot: {serial: OF-24, mac: "0c:20:12:0f:00:24"}
  ip: 172.30.0.24/21
  profile: dell-s5248f-on
  protocolIP: 172.30.8.24/32
  role: server-leaf
  vlanNamespaces: [office]
  vtepIP: 172.30.12.24/32
---
apiVersion: wiring.githedgehog.com/v1beta1
kind: Connection
metadata: {name: spine-1--fabric--leaf-4}
spec:
  fabric:
    links:
    - {spine: {port: spine-1/E1/4, ip: 172.30.128.12/31}, leaf: {port: leaf-4/E1/49, ip: 172.30.128.13/31}}
---
apiVersion: wiring.githedgehog.com/v1beta1
kind: Connection
metadata: {name: spine-2--fabric--leaf-4}
spec:
  fabric:
    links:
    - {spine: {port: spine-2/E1/4, ip: 172.30.128.14/31}, leaf: {port: leaf-4/E1/49, ip: 172.30.128.15/31}}
`), change(hedgehog.KindConnection, "spine-2--fabric--leaf-4", func(s *hedgehog.ConnectionSpec) { s.Fabric.Links[0].Leaf.Port = "leaf-4/E1/50" })}, nil},
		"leases": {"office", []edit{change(hedgehog.KindVPC, "staff", func(s *hedgehog.VPCSpec) {
			s.Subnets["print"].DHCP.Static["0c:20:12:0f:0a:02"] = hedgehog.DHCPStatic{IP: "10.10.2.21"}
			s.Subnets["desks"].DHCP.Options.LeaseTimeSeconds = 7200
			s.Subnets["desks"].DHCP.Options.TimeServers = []string{"10.10.1.123"}
			s.Subnets["phones"] = &hedgehog.VPCSubnet{Subnet: "10.10.3.0/24", VLAN: 1003}
		})}, nil},
		"wider namespaces": {"office", []edit{
			change(hedgehog.KindVLANNamespace, "office", func(s *hedgehog.VLANNamespaceSpec) { s.Ranges = []hedgehog.VLANRange{{From: 1000, To: 2499}} }),
			change(hedgehog.KindIPv4Namespace, "default", func(s *hedgehog.IPv4NamespaceSpec) { s.Subnets = []string{"10.10.0.0/15"} }),
		}, nil},
		"racks of servers": {"office", []edit{
			add(officeVPC), func(t testing.TB, f *hedgehog.Fabric) {
				for n := range 120 {
					port := fmt.Sprintf("/E1/%d/%d", n/4+10, n%4+1)
					add(server(server07(n), "leaf-1"+port, "leaf-2"+port, "shop/front"))(t, f)
				}
			},
		}, nil},
	}
}

// A blind reading test: whoever turns no page finds what interrupts or opens
// something, and is told of nothing that does not.
func TestHazardsStandInTheFirstLines(t *testing.T) {
	t.Parallel()
	cases := readingCases()
	planted := 0
	for name, pr := range cases {
		if pr.hazard != nil {
			planted++
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			manifests := scenario(t, pr.fabric)
			r := request(pr.fabric, apply(t, manifests), apply(t, manifests, pr.edits...))
			// Whoever opens the pull request may put a line before the text.
			body := "<!-- hidden -->\n" + r.Body(bodyLimit)
			golden(t, "reading/"+strings.ReplaceAll(name, " ", "-")+".md", r.Title()+"\n\n"+body)
			if pr.hazard == nil {
				for _, claim := range []string{"Look at these", "**high**", "**medium**", "high risk", "medium risk", "goes down", "loses ", "lose "} {
					if strings.Contains(opening(body), claim) {
						t.Errorf("the text claims a hazard, %q:\n%s", claim, opening(body))
					}
				}
				if !strings.Contains(opening(body), "risk is **low**") {
					t.Errorf("the text does not say that the risk is low:\n%s", opening(body))
				}
				return
			}
			if !hasLine(opening(body), pr.hazard) {
				t.Errorf("no line of the first 40 has %q:\n%s", pr.hazard, opening(body))
			}
		})
	}
	if len(cases) != 15 || planted != 8 {
		t.Errorf("%d pull requests, %d of them with a hazard", len(cases), planted)
	}
}

// hasLine reports whether all words stand in one line of a list: what the summary
// says above is no warning.
func hasLine(text string, words []string) bool {
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "- **") {
			continue
		}
		all := true
		for _, word := range words {
			all = all && strings.Contains(line, word)
		}
		if all {
			return true
		}
	}
	return false
}
