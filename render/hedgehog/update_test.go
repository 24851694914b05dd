package hedgehog_test

import (
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"hedgehog-gitops/render/hedgehog"
)

// step is a change of the fabric of testdata/valid.yaml; pairs of what is replaced
// and by what, the first time; an empty first appends a row.
type step struct {
	before, after []string
	// issues are what must be said of the step, each "rule Kind/name field".
	issues []string
}

func steps() map[string]step {
	replace := func(pairs ...string) []string { return pairs }
	is := func(issues ...string) []string { return issues }
	return map[string]step{
		"nothing":                           {nil, nil, nil},
		"a VPC more":                        {nil, replace("", "\nVPC: {name: vpc-9}, spec: {subnets: {a: {subnet: 10.1.90.0/24, vlan: 1990}}}"), nil},
		"a static external changes its VPC": {nil, replace("withinVPC: vpc-1", "withinVPC: vpc-2"), is("update-within-vpc Connection/static spec.staticExternal.withinVPC")},
		"a VPC goes, its attachment stays":  {replace("", vpc("a", "10.1.90.0/24", 1990)+attachment), replace("", attachment), is("update-delete-used VPC/a metadata.name")},
		"a VPC goes with its attachment":    {replace("", vpc("a", "10.1.90.0/24", 1990)+attachment), nil, nil},
		"a server goes, its port stays":     {nil, replace("Server: {name: s1}\n", ""), is("update-delete-used Server/s1 metadata.name")},
		"a VPC less, with nothing of it":    {replace("", "\nVPC: {name: vpc-9}, spec: {subnets: {a: {subnet: 10.1.90.0/24, vlan: 1990}}}"), nil, nil},
		"another type":                      {replace("", serverOf("a", "unbundled: {link: {server: {port: s9/a}, switch: {port: leaf-03/E1/20}}}")), replace("", serverOf("a", "bundled: {links: [{server: {port: s9/a}, switch: {port: leaf-03/E1/20}}]}")), is("update-connection-type Connection/a spec")},
		"a VPC is renamed":                  {replace("", vpc("old", "10.1.90.0/24", 1990)), replace("", vpc("new", "10.1.90.0/24", 1990)), is("update-vpc-recreated VPC/new spec.subnets.a.subnet")},
		"a VPC is renamed, smaller":         {replace("", vpc("old", "10.1.90.0/24", 1990)), replace("", vpc("new", "10.1.90.0/25", 1991)), is("update-vpc-recreated VPC/new spec.subnets.a.subnet")},
		"a VLAN goes to a VPC that stays":   {replace("", vpc("a", "10.1.90.0/24", 1990)+vpc("b", "10.1.91.0/24", 1991)), replace("", vpc("b", "10.1.91.0/24", 1990)), is("update-taken VPC/b spec.subnets.a.vlan")},
		"two VPCs swap their VLANs":         {replace("", vpc("a", "10.1.90.0/24", 1990)+vpc("b", "10.1.91.0/24", 1991)), replace("", vpc("a", "10.1.90.0/24", 1991)+vpc("b", "10.1.91.0/24", 1990)), is("update-taken VPC/a spec.subnets.a.vlan", "update-taken VPC/b spec.subnets.a.vlan")},
		"a VPC of another namespace":        {replace("", vpc("old", "10.1.90.0/24", 1990)), replace("", "\nVPC: {name: new}, spec: {ipv4Namespace: other, vlanNamespace: other, subnets: {a: {subnet: 10.2.90.0/24, vlan: 590}}}"), is("update-vpc-vni VPC/new metadata.name")},
		"a port goes to another":            {replace("", serverOf("a", "unbundled: {link: {server: {port: s9/a}, switch: {port: leaf-03/E1/20}}}")), replace("", serverOf("b", "unbundled: {link: {server: {port: s9/b}, switch: {port: leaf-03/E1/20}}}")), is("update-taken Connection/b spec.unbundled.link.switch.port")},
		"RoCE and breakouts, switched on":   {nil, replace("", switchOf("roce: true, portBreakouts: {E1/1: 2x400G}")), nil},
		"RoCE on, breakouts changed":        {replace("", switchOf("roce: true, portBreakouts: {E1/1: 2x400G}")), replace("", switchOf("roce: true, portBreakouts: {E1/2: 2x400G}")), is("update-roce-breakouts Switch/x spec.portBreakouts")},
		"RoCE off and breakouts changed":    {replace("", switchOf("roce: true, portBreakouts: {E1/1: 2x400G}")), replace("", switchOf("portBreakouts: {E1/1: 4x200G}")), is("update-roce-breakouts Switch/x spec.portBreakouts")},
		"RoCE off":                          {replace("", switchOf("roce: true, portBreakouts: {E1/1: 2x400G}")), replace("", switchOf("portBreakouts: {E1/1: 2x400G}")), nil},
		"breakouts without RoCE":            {replace("", switchOf("portBreakouts: {E1/1: 2x400G}")), replace("", switchOf("portBreakouts: {E1/1: 4x200G}")), nil},
		"a pool shrinks under a VPC":        {replace("10.1.0.0/16]", "10.1.0.0/16, 10.77.0.0/16]", "", vpc("a", "10.77.1.0/24", 1990)), replace("", vpc("a", "10.1.90.0/24", 1990)), is("update-ipv4-namespace IPv4Namespace/default spec.subnets")},
		"a pool shrinks beside the VPCs":    {replace("10.1.0.0/16]", "10.1.0.0/16, 10.77.0.0/16]"), nil, nil},
		"VLANs shrink under a VPC":          {replace("", "\nVLANNamespace: {name: third}, spec: {ranges: [{from: 700, to: 800}]}\nIPv4Namespace: {name: third}, spec: {subnets: [10.78.0.0/16]}\nVPC: {name: a}, spec: {ipv4Namespace: third, vlanNamespace: third, subnets: {a: {subnet: 10.78.1.0/24, vlan: 790}}}"), replace("", "\nVLANNamespace: {name: third}, spec: {ranges: [{from: 700, to: 780}]}\nIPv4Namespace: {name: third}, spec: {subnets: [10.78.0.0/16]}\nVPC: {name: a}, spec: {ipv4Namespace: third, vlanNamespace: third, subnets: {a: {subnet: 10.78.1.0/24, vlan: 710}}}"), is("update-vlan-namespace VLANNamespace/third spec.ranges")},
		"an address goes to another switch": {replace("", strings.ReplaceAll(switchOf(""), "name: x", "name: z")), replace("", switchOf("")), is("update-taken Switch/x spec.asn")},
	}
}

const attachment = "\nVPCAttachment: {name: x9}, spec: {subnet: a/a, connection: s3--leaf-03}"

// vpc is a VPC of one subnet, a.
func vpc(name, subnet string, vlan int) string {
	return "\nVPC: {name: " + name + "}, spec: {subnets: {a: {subnet: " + subnet + ", vlan: " + strconv.Itoa(vlan) + "}}}"
}

// serverOf is server s9 and a connection of it.
func serverOf(name, spec string) string {
	return "\nServer: {name: s9}\nConnection: {name: " + name + "}, spec: {" + spec + "}"
}

// switchOf is a leaf with RoCE and ports that break out.
func switchOf(more string) string {
	if more != "" {
		more += ", "
	}
	return "\nSwitch: {name: x}, spec: {" + more + "role: server-leaf, profile: celestica-ds5000, boot: {serial: X}, asn: 65177, ip: 172.30.0.77/21, protocolIP: 172.30.8.77/32, vtepIP: 172.30.12.77/32}"
}

// TestUpdates: a step from one right fabric to another is refused for its own
// reasons only.
func TestUpdates(t *testing.T) {
	t.Parallel()
	rows := readFile(t, filepath.Join("testdata", "valid.yaml"))
	fabric := func(t *testing.T, pairs []string, valid bool) *hedgehog.Fabric {
		rows := rows
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == "" {
				rows += pairs[i+1]
				continue
			}
			if !strings.Contains(rows, pairs[i]) {
				t.Fatalf("the fabric has no %q", pairs[i])
			}
			rows = strings.Replace(rows, pairs[i], pairs[i+1], 1)
		}
		d := decode(t, "-", validRows(rows))
		for _, issue := range append(d.Issues, hedgehog.Validate(d.Fabric, hedgehog.DefaultSettings())...) {
			if issue.Severity == hedgehog.Error && valid {
				t.Fatalf("the fabric itself: %v", issue)
			}
		}
		return d.Fabric
	}
	for name, test := range steps() {
		t.Run(name, func(t *testing.T) {
			found := []string{}
			// Who deletes what is used leaves a wrong fabric behind.
			valid := !slices.ContainsFunc(test.issues, func(issue string) bool { return strings.HasPrefix(issue, "update-delete-used") })
			for _, issue := range hedgehog.ValidateUpdate(fabric(t, test.before, true), fabric(t, test.after, valid), hedgehog.DefaultSettings()) {
				found = append(found, issue.Rule+" "+issue.Object.String()+" "+issue.Field)
			}
			slices.Sort(found)
			if want := append([]string{}, test.issues...); !reflect.DeepEqual(want, found) {
				t.Errorf("want %q\ngot %q", want, found)
			}
		})
	}
}
