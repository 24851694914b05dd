package review_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"hedgehog-gitops/render/hedgehog"
	"hedgehog-gitops/render/review"
)

// The texts of one, of thirty and of five thousand changes are made to be read.
func TestGolden(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ before, after *hedgehog.Fabric }{
		"1":    {decode(t, scenario(t, "office")), apply(t, scenario(t, "office"), add(attachment("apps/db", "web-1--eslag--leaf-1--leaf-2")[4:]))},
		"30":   {decode(t, scenario(t, "office")), apply(t, scenario(t, "office"), thirty)},
		"5000": {generated(t, 2400), fiveThousand(t)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := request("fabric-a", test.before, test.after)
			r.Issues = hedgehog.Issues{
				{Rule: "server-unconnected", Severity: hedgehog.Warning, Object: hedgehog.Key{Kind: hedgehog.KindServer, Name: "spare-1"}, Origin: hedgehog.Origin{Path: "/dcim/devices/99/"},
					Summary: "the server is in no connection", Hint: "cable it, or take it out of the fabric"},
				{Rule: "file-edited", Severity: hedgehog.Warning, Origin: hedgehog.Origin{File: "fabrics/fabric-a/base/10-nodes/all/vpcs/staff.yaml", Line: 12}, Summary: "the file was edited by hand and is left as it is"},
			}
			body := r.Body(bodyLimit)
			checkText(t, "body", body, bodyLimit)
			golden(t, "changes-"+name+".md", r.Title()+"\n\n"+body)
			golden(t, "changes-"+name+".commit.txt", r.CommitMessage())
		})
	}
}

// thirty changes a little of everything.
func thirty(t testing.TB, f *hedgehog.Fabric) {
	add(officeVPC)(t, f)
	for n := 10; n < 15; n++ {
		add(server(fmt.Sprintf("app-%d", n), fmt.Sprintf("leaf-1/E1/%d", n), fmt.Sprintf("leaf-2/E1/%d", n), "shop/front", "shop/back"))(t, f)
	}
	add(vpcPeering("apps", "shop"))(t, f)
	sw("leaf-1", func(s *hedgehog.SwitchSpec) { s.Description = "row 1, left" })(t, f)
	sw("leaf-2", func(s *hedgehog.SwitchSpec) { s.Description = "row 1, right" })(t, f)
	sw("leaf-3", func(s *hedgehog.SwitchSpec) { s.PortBreakouts = map[string]string{"E1/53": "4x25G"} })(t, f)
	vpc("staff", func(s *hedgehog.VPCSpec) {
		s.Subnets["desks"].DHCP.Options.DNSServers = []string{"10.10.1.53", "10.10.1.54"}
		s.Subnets["print"].DHCP.Range.End = "10.10.2.199"
	})(t, f)
	conn("db-2--bundled--leaf-2", func(s *hedgehog.ConnectionSpec) { s.Bundled.Links = s.Bundled.Links[:1] })(t, f)
	conn("nas-1--unbundled--leaf-3", func(s *hedgehog.ConnectionSpec) { s.Unbundled.Link.Switch.Port = "leaf-3/E1/9" })(t, f)
	remove("VPCAttachment/staff--desks--nas-1--unbundled--leaf-3", "ExternalPeering/staff--isp")(t, f)
}

// fiveThousand grows a fabric, and breaks a few things in it.
func fiveThousand(t testing.TB) *hedgehog.Fabric {
	f := generated(t, 7350)
	n := 0
	for o := range f.All() {
		switch s := o.Spec.(type) {
		case *hedgehog.SwitchSpec:
			s.Description = "row " + o.Name
			if o.Name == "leaf-003" {
				s.ASN = 65533
			}
		case *hedgehog.VPCSpec:
			if o.Name == "vpc-0007" {
				s.Subnets["front"].VLAN = 2999
			}
		case *hedgehog.ConnectionSpec:
			if s.ESLAG != nil {
				if n++; n%50 == 0 && n < 500 {
					s.ESLAG.Links = s.ESLAG.Links[:1]
				}
			}
		case *hedgehog.VPCPeeringSpec:
			if o.Name == "vpc-0001--vpc-0002" {
				remove("VPCPeering/vpc-0001--vpc-0002")(t, f)
			}
		}
	}
	return f
}

// At five thousand changes the few that matter still stand in the first lines.
func TestHazardsAreFoundAmongFiveThousand(t *testing.T) {
	t.Parallel()
	r := request("fabric-a", generated(t, 2400), fiveThousand(t))
	if n := r.Changes.Len(); n < 4900 || n > 5100 {
		t.Errorf("%d changes", n)
	}
	first := opening("<!-- -->\n" + r.Body(bodyLimit))
	if !strings.Contains(first, "### Who asked") {
		t.Errorf("the hazards do not end in the first 40 lines:\n%s", first)
	}
	for _, want := range [][]string{
		{"VLAN", "vpc-0007/front", "2999"}, {"ASN", "leaf-003", "65533"}, {"closes peering", "vpc-0001", "vpc-0002"}, {"keeps one leg only", "server-002-13"},
	} {
		if !hasLine(first, want) {
			t.Errorf("no line of the first 40 has %q:\n%s", want, first)
		}
	}
}

// hostileFabric has names, texts and values that want to do something, in every
// object.
func hostileFabric(objects, salt int) *hedgehog.Fabric {
	hostile := slices.DeleteFunc(hostileTexts(), func(s string) bool { return len(s) > 300 })
	f := &hedgehog.Fabric{}
	for n := range objects {
		text := hostile[(n+salt)%len(hostile)]
		kind := hedgehog.Kinds()[n%len(hedgehog.Kinds())]
		o := hedgehog.New(kind, fmt.Sprintf("%s %d", hostile[n%len(hostile)], n), hedgehog.Origin{Path: "/ipam/vrfs/" + text + "/"})
		o.Labels = map[string]string{text: text}
		o.Annotations = map[string]string{"note": text}
		switch s := o.Spec.(type) {
		case *hedgehog.SwitchSpec:
			s.Description, s.Profile, s.Boot.Serial, s.ASN = text, text, text, uint32(n+salt)
		case *hedgehog.ServerSpec:
			s.Description = text
		case *hedgehog.VPCSpec:
			s.Subnets = map[string]*hedgehog.VPCSubnet{text: {Subnet: text, VLAN: uint16(n + salt), DHCP: hedgehog.DHCP{Enable: true, Options: &hedgehog.DHCPOptions{PXEURL: text, DNSServers: []string{text}}}}}
			s.Permit = [][]string{{text, "x"}}
		case *hedgehog.ConnectionSpec:
			port := hedgehog.Port(fmt.Sprintf("%s/%d", text, n+salt))
			s.Unbundled = &hedgehog.Unbundled{Link: hedgehog.ServerLink{Server: hedgehog.PortEnd{Port: port}, Switch: hedgehog.PortEnd{Port: port + "/1"}}}
		case *hedgehog.VPCAttachmentSpec:
			s.Subnet, s.Connection = text+"/"+text, text
		case *hedgehog.VPCPeeringSpec:
			s.Permit = []map[string]hedgehog.VPCPeer{{text: {Subnets: []string{text}}, fmt.Sprint(n + salt): {}}}
		case *hedgehog.ExternalPeeringSpec:
			s.Permit.VPC = hedgehog.ExternalPermitVPC{Name: text, Subnets: []string{text}}
			s.Permit.External = hedgehog.ExternalPermitExternal{Name: text, Prefixes: []hedgehog.PermitPrefix{{Prefix: fmt.Sprint(text, salt)}}}
		case *hedgehog.GatewayPeeringSpec:
			s.Peering = map[string]*hedgehog.PeeringSide{text: {Expose: []hedgehog.Expose{{IPs: []hedgehog.ExposedIP{{CIDR: text}}}}}, "ext." + fmt.Sprint(n+salt): {}}
			s.ACL = &hedgehog.PeeringACL{Default: "deny", Rules: []hedgehog.PeeringACLRule{{Name: text, From: text, Action: "allow"}}}
		}
		f.Add(o)
	}
	return f
}

// Seventy thousand objects that all want to do something make a text that does
// nothing, soon, and within the forge's limit.
func TestHostileFabric(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("SKIPPED, it takes a while")
	}
	before, after := hostileFabric(70_000, 0), hostileFabric(70_000, 1)
	start := time.Now()
	r := request("fabric @org/team", before, after)
	for _, text := range hostileTexts() {
		r.Asked = append(r.Asked, review.Asked{User: text, Message: text, Action: text, Object: text, ObjectURL: "https://netbox.example.com/" + text})
		r.Issues = append(r.Issues, hedgehog.Issue{Rule: text, Severity: hedgehog.Warning, Summary: text, Hint: text, Object: hedgehog.Key{Kind: hedgehog.Kind(text), Name: text}, Origin: hedgehog.Origin{File: text, Line: 3}})
		r.Held = append(r.Held, review.Held{Key: hedgehog.Key{Kind: hedgehog.Kind(text), Name: text}, File: text})
		r.Step = review.Step{Number: 2, Of: 2, Gone: append(r.Step.Gone, hedgehog.Key{Kind: hedgehog.KindVPC, Name: text}), Present: r.Step.Gone}
	}
	r.Merge.Pruning = review.PruningOff
	if r.Changes.Len() < 70_000 {
		t.Errorf("%d changes", r.Changes.Len())
	}
	body, summary, title, message := r.Body(bodyLimit), r.StepSummary(), r.Title(), r.CommitMessage()
	t.Logf("%d changes: %s, a body of %d bytes, a summary of %d", r.Changes.Len(), time.Since(start).Round(time.Millisecond), len(body), len(summary))
	checkText(t, "body", body, bodyLimit)
	checkText(t, "summary", summary, 1<<20-1<<16)
	checkText(t, "title", title, 400)
	if len(message) > 20_000 {
		t.Errorf("a commit message of %d bytes", len(message))
	}
	checkTame(t, "message", strings.ReplaceAll(message, "\n", " "))
	for _, line := range review.Annotations(r.Issues, r.Links) {
		checkTame(t, "annotation", line)
	}
	checkDocument(t, body)
	// The limit is met wherever it lies.
	for _, limit := range []int{10, 100, 500, 1000, 5000, 20_000} {
		checkText(t, "body", r.Body(limit), limit)
	}
}

// A report is whole: every object that changes is in it.
func TestReportLeavesNothingOut(t *testing.T) {
	t.Parallel()
	r := request("fabric-a", generated(t, 2400), fiveThousand(t))
	report := r.Report()
	checkText(t, "report", report, 1<<40)
	if n := strings.Count(report, "<details>"); n != r.Changes.Len() {
		t.Errorf("%d folds for %d changes", n, r.Changes.Len())
	}
	for i := range r.Changes.Objects {
		if name := r.Changes.Objects[i].Key.Name; !strings.Contains(report, "<code>"+name+"</code>") {
			t.Errorf("%s is not in the report", name)
		}
	}
	if strings.Contains(report, " more in ") {
		t.Error("the report says that something is left out")
	}
}

func BenchmarkDiff(b *testing.B) {
	for _, objects := range []int{1000, 4000, 16000} {
		before, after := generated(b, objects), generated(b, objects)
		for o := range after.All() {
			o.Labels = map[string]string{"a": "b"}
		}
		b.Run(fmt.Sprint(objects), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				review.Diff(before, after)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(objects), "ns/object")
		})
	}
}
