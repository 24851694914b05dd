package review_test

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"hedgehog-gitops/render/hedgehog"
	"hedgehog-gitops/render/review"
)

func asJSON(t testing.TB, v any) string {
	t.Helper()
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text) + "\n"
}

// A subnet gets another VLAN: what tells it, and how a program reads it.
func Example() {
	read := func(manifest string) *hedgehog.Fabric {
		d, err := hedgehog.Decode("web.yaml", strings.NewReader(manifest))
		if err != nil {
			panic(err)
		}
		return d.Fabric
	}
	const web = `apiVersion: vpc.githedgehog.com/v1beta1
kind: VPC
metadata: {name: web}
spec: {subnets: {db: {subnet: 10.0.1.0/24, vlan: 1010}}}
`
	changes := review.Diff(read(web), read(strings.Replace(web, "1010", "1020", 1)))
	fmt.Println(review.Request{Fabric: "lab", Changes: changes}.Title())
	if err := review.WriteText(os.Stdout, changes); err != nil {
		panic(err)
	}
	// Output:
	// fix(lab): move VLAN of web/db to 1020
	// medium risk: VLAN of web/db moves 1010 -> 1020: servers must tag another VLAN, or lose their network
	//
	// ! VPC/web replace, medium risk
	//     subnet db: VLAN: 1010 -> 1020
	// replace: 1 object (1 VPC)
}

// What programs read is a contract.
func TestJSON(t *testing.T) {
	t.Parallel()
	before := scenario(t, "office")
	after := apply(t, before,
		conn("db-2--bundled--leaf-2", func(s *hedgehog.ConnectionSpec) { s.Bundled.Links = s.Bundled.Links[:1] }),
		rename(hedgehog.KindVPCPeering, "apps--staff", "staff--apps"),
		add("apiVersion: wiring.githedgehog.com/v1beta1\nkind: Server\nmetadata: {name: db-3}\nspec: {}\n"),
	)
	golden(t, "changes.json", asJSON(t, review.Diff(decode(t, before), after)))
	golden(t, "nothing.json", asJSON(t, review.Diff(after, after)))
}

// nil is an empty fabric: the first render of one adds everything, and the last
// deletes it.
func TestNoFabric(t *testing.T) {
	t.Parallel()
	f := decode(t, scenario(t, "office"))
	first := review.Diff(nil, f)
	if counts := first.Counts(); len(counts) != 1 || counts[0].Class != review.Add || counts[0].Objects != f.Len() {
		t.Errorf("the first render: %+v", counts)
	}
	last := review.Diff(f, nil)
	if counts := last.Counts(); len(counts) != 1 || counts[0].Class != review.Delete || counts[0].Objects != f.Len() {
		t.Errorf("the last: %+v", counts)
	}
	if got := last.Hazards[0].Says.String(); got != "deletes all that there is: 40 objects" {
		t.Errorf("the worst of deleting everything is %q", got)
	}
	if nothing := review.Diff(nil, nil); nothing.Len() != 0 || nothing.Risk() != review.Low {
		t.Errorf("nothing differs from nothing: %+v", nothing)
	}
}

func TestTitle(t *testing.T) {
	t.Parallel()
	manifests := scenario(t, "office")
	long := "a-name-that-is-much-longer-than-anybody-would-like-to-read-in-a-title-of-a-pull-request--and-goes-on-for-ever"
	for name, test := range map[string]struct {
		request review.Request
		edits   []edit
		want    string
	}{
		"added": {review.Request{Fabric: "fabric-a"}, []edit{
			add(officeVPC), add(attachment("shop/front", "web-1--eslag--leaf-1--leaf-2")[4:]), add(attachment("shop/front", "web-2--eslag--leaf-1--leaf-2")[4:]),
			add(attachment("shop/front", "nas-1--unbundled--leaf-3")[4:]),
		}, "feat(fabric-a): add VPC shop (2 subnets), attach 3 servers"},
		"one server attached": {review.Request{Fabric: "f"}, []edit{add(attachment("apps/db", "web-1--eslag--leaf-1--leaf-2")[4:])}, "feat(f): attach web-1 to apps/db"},
		"one server detached": {review.Request{Fabric: "f"}, []edit{remove("VPCAttachment/apps--web--web-1--eslag--leaf-1--leaf-2")}, "feat(f): detach web-1 from apps/web"},
		"a deletion first": {review.Request{Fabric: "f"}, []edit{add(officeVPC), remove("ExternalPeering/staff--isp")},
			"feat(f): delete external peering staff--isp, add VPC shop (2 subnets)"},
		"a replaced connection": {review.Request{Fabric: "f"}, []edit{
			remove("Connection/web-1--eslag--leaf-1--leaf-2", "VPCAttachment/apps--web--web-1--eslag--leaf-1--leaf-2"),
			add("apiVersion: wiring.githedgehog.com/v1beta1\nkind: Connection\nmetadata: {name: web-1--unbundled--leaf-1}\nspec: {unbundled: {link: {server: {port: web-1/eth0}, switch: {port: leaf-1/E1/1}}}}\n"),
			add(attachment("apps/web", "web-1--unbundled--leaf-1")[4:]),
		}, "feat(f): replace connection web-1--eslag--leaf-1--leaf-2"},
		"another value":  {review.Request{Fabric: "f"}, []edit{vpc("apps", func(s *hedgehog.VPCSpec) { s.Subnets["db"].VLAN = 1099 })}, "fix(f): move VLAN of apps/db to 1099"},
		"a description":  {review.Request{Fabric: "f"}, []edit{sw("leaf-1", func(s *hedgehog.SwitchSpec) { s.Description = "x" })}, "refactor(f): change description of switch leaf-1 to x"},
		"another name":   {review.Request{Fabric: "f"}, []edit{rename(kVPCPeering, "apps--staff", "x")}, "refactor(f): rename VPC peering apps--staff to x"},
		"the tool alone": {review.Request{Fabric: "f", ToolOnly: true, Tool: "hedgehog-gitops 1.2.0"}, []edit{sw("leaf-1", func(s *hedgehog.SwitchSpec) { s.Description = "x" })}, "chore(f): render with hedgehog-gitops 1.2.0, no intent change"},
		"no objects":     {review.Request{Fabric: "f"}, nil, "refactor(f): bring the files up to date"},
		"a step":         {review.Request{Fabric: "f", Step: review.Step{Number: 1, Of: 2}}, []edit{remove("ExternalPeering/staff--isp")}, "feat(f): delete external peering staff--isp (step 1 of 2)"},
		"a peering":      {review.Request{Fabric: "f"}, []edit{remove("VPCPeering/apps--staff"), add(vpcPeering("staff", "apps"))}, "refactor(f): rename VPC peering apps--staff to staff--apps"},
		"what is long is cut": {review.Request{Fabric: "f"}, []edit{rename(kVPC, "staff", long), sw("leaf-1", func(s *hedgehog.SwitchSpec) { s.ASN = 65199 })},
			"fix(f): move ASN of switch leaf-1 to 65199, and 1 more"},
		"what is long alone is cut": {review.Request{Fabric: "f"}, []edit{rename(kVPCPeering, "apps--staff", long)}, "refactor(f): rename VPC peering apps--staff to a-name-that-is-much-longer-than-anybody-would-like..."},
		"hostile names":             {review.Request{Fabric: "@org/x [skip ci]"}, []edit{sw("leaf-1", func(s *hedgehog.SwitchSpec) { s.Description = "fixes #1 `x`" })}, "refactor(@ org/x (skip ci)): change description of switch leaf-1 to fixes # 1 'x'"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.request.Changes = review.Diff(decode(t, manifests), apply(t, manifests, test.edits...))
			if got := test.request.Title(); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

// A step says first what must be true of the cluster, and how to see it.
func TestSteps(t *testing.T) {
	t.Parallel()
	manifests := scenario(t, "office")
	r := request("office", decode(t, manifests), apply(t, manifests, conn("nas-1--unbundled--leaf-3", func(s *hedgehog.ConnectionSpec) { s.Unbundled.Link.Switch.Port = "leaf-3/E1/9" })))
	r.Step = review.Step{Number: 2, Of: 2, Gone: []hedgehog.Key{{Kind: kConnection, Name: "nas-1--unbundled--leaf-3"}, {Kind: kVPCAttachment, Name: "apps--web--nas-1--unbundled--leaf-3"}, {Kind: kVPC, Name: "; rm -rf /"}},
		Present: []hedgehog.Key{{Kind: kVPC, Name: "apps"}}, Roots: map[hedgehog.Key]string{{Kind: kVPC, Name: "apps"}: "fabrics/office/base/10-nodes/all"},
		Protected: []hedgehog.Key{{Kind: hedgehog.KindServer, Name: "web-1"}}}
	golden(t, "step-2.md", r.Body(bodyLimit))
	r.Merge.Pruning = review.PruningOff
	golden(t, "step-2-pruning-off.md", opening(r.Body(bodyLimit)))
	r.Step = review.Step{Number: 1, Of: 3, Because: []review.Because{
		{Rule: "takes", Object: hedgehog.Key{Kind: kConnection, Name: "new"}, Other: hedgehog.Key{Kind: kConnection, Name: "old"}, What: "port leaf-1/E1/1, port @org/x"},
		{Rule: "moves", Object: hedgehog.Key{Kind: kVPC, Name: "apps"}, More: 12},
		{Rule: "needs", Object: hedgehog.Key{Kind: kVPC, Name: "a"}, Other: hedgehog.Key{Kind: kVPC, Name: "b"}},
		{Rule: "roce", Object: hedgehog.Key{Kind: kSwitch, Name: "leaf-1"}},
	}}
	golden(t, "step-1.md", opening(r.Body(bodyLimit)))
}

// What the tool alone changes, what people took out, and pruning that is off.
func TestOtherSections(t *testing.T) {
	t.Parallel()
	manifests := scenario(t, "office")
	r := request("office", decode(t, manifests), apply(t, manifests, remove("ExternalPeering/staff--isp", "VPCPeering/apps--staff")))
	r.Merge.Pruning = review.PruningOff
	r.Asked = []review.Asked{}
	r.Held = []review.Held{{Key: hedgehog.Key{Kind: kVPC, Name: "lab"}, File: "fabrics/office/base/10-nodes/all/vpcs/lab.yaml"}, {File: "fabrics/office/base/20-connections/all/connections/x.yaml"}}
	golden(t, "held.md", r.Body(bodyLimit))
	tool := review.Request{Fabric: "office", Tool: "hedgehog-gitops 1.2.0", ToolOnly: true}
	golden(t, "tool-only.md", tool.Title()+"\n\n"+tool.Body(bodyLimit))
}

func TestAnnotations(t *testing.T) {
	t.Parallel()
	var issues hedgehog.Issues
	for n := range 25 {
		issues = append(issues, hedgehog.Issue{Rule: "rule-a", Severity: hedgehog.Warning, Summary: fmt.Sprintf("warning %d", n), Origin: hedgehog.Origin{File: "a.yaml", Line: n + 1}})
	}
	for n := range 11 {
		issues = append(issues, hedgehog.Issue{Rule: "rule-b", Severity: hedgehog.Error, Object: hedgehog.Key{Kind: kVPC, Name: "web"},
			Summary: fmt.Sprintf("100%% of %d\n::error::forged", n), Hint: "do it", Origin: hedgehog.Origin{Path: fmt.Sprintf("/ipam/vrfs/%d/", n)}})
	}
	issues = append(issues, hedgehog.Issue{Rule: "rule-c", Severity: hedgehog.Notice, Summary: "nothing"},
		hedgehog.Issue{Rule: "rule:d,e", Severity: hedgehog.Error, Object: hedgehog.Key{Kind: hedgehog.KindVLANNamespace, Name: "a"}, Summary: "in an odd file", Origin: hedgehog.Origin{File: "a,b:c%.yaml", Line: 7}})
	lines := review.Annotations(issues, review.Links{NetBox: "https://netbox.example.com/"})
	counts := map[string]int{}
	for _, line := range lines {
		if strings.ContainsAny(line, "\r\n") || strings.Count(line, "::error") > 1 && !strings.Contains(line, "forged") {
			t.Errorf("the line %q", line)
		}
		kind, _, _ := strings.Cut(strings.TrimPrefix(line, "::"), " ")
		counts[kind]++
	}
	if counts["error"] != 10 || counts["warning"] != 10 || counts["notice"] != 1 {
		t.Errorf("%v", counts)
	}
	for _, want := range []string{
		"::error title=rule-b::VPC/web: 100%25 of 3 ::error::forged (https://netbox.example.com/ipam/vrfs/3/). Hint: do it",
		"::error file=a%2Cb%3Ac%25.yaml,line=7,title=rule%3Ad%2Ce::VLANNamespace/a: in an odd file",
		"::warning file=a.yaml,line=3,title=rule-a::warning 2",
		"::notice title=hedgehog-gitops::2 more errors and 15 more warnings in the report",
	} {
		if !slices.Contains(lines, want) {
			t.Errorf("no line %s in\n%s", want, strings.Join(lines, "\n"))
		}
	}
	if lines[0][:7] != "::error" || lines[len(lines)-1] != "::notice title=hedgehog-gitops::2 more errors and 15 more warnings in the report" {
		t.Errorf("errors come first, what is left out last: %q, %q", lines[0], lines[len(lines)-1])
	}
	if lines := review.Annotations(issues[:3], review.Links{}); len(lines) != 3 {
		t.Errorf("three warnings: %q", lines)
	}
}

// A megabyte makes GitHub drop a summary as a whole.
func TestStepSummaryIsBelowAMegabyte(t *testing.T) {
	t.Parallel()
	r := request("fabric-a", nil, generated(t, 9000))
	summary := r.StepSummary()
	checkText(t, "summary", summary, 1<<20-1)
	if len(summary) < 500_000 {
		t.Errorf("only %d bytes of the summary are used", len(summary))
	}
}
