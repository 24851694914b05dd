package netbox_test

import (
	"fmt"
	"os"

	"hedgehog-gitops/render/hedgehog"
	"hedgehog-gitops/render/netbox"
)

// A VRF with one prefix is a VPC: the prefix lies in a container that is tagged,
// and its VLAN is in a group that is.
func ExampleMap() {
	here := netbox.Scope{Type: "dcim.site", ID: 1}
	tagged := []string{"hedgehog"}
	snapshot := &netbox.Snapshot{Rows: netbox.Rows{
		Sites:      []netbox.Site{{ID: 1, Name: "Lab", Slug: "lab"}},
		VLANGroups: []netbox.VLANGroup{{ID: 1, Name: "Lab", Slug: "lab", Scope: here, VIDRanges: [][2]uint16{{1000, 1999}}, Tags: tagged}},
		VLANs:      []netbox.VLAN{{ID: 1, VID: 1010, Name: "Web", Group: 1, Status: "active"}},
		VRFs:       []netbox.VRF{{ID: 1, Name: "Web"}},
		Prefixes: []netbox.Prefix{
			{ID: 1, Prefix: "10.0.0.0/16", Status: "container", Scope: here, Tags: tagged},
			{ID: 2, Prefix: "10.0.10.0/24", Status: "active", VRF: 1, VLAN: 1},
		},
	}}
	fabric, issues := netbox.Map(snapshot, netbox.DefaultConfig("lab"))
	fmt.Println(len(issues), "issues")
	for vpc := range hedgehog.Each[*hedgehog.VPCSpec](fabric) {
		text, err := hedgehog.Marshal(vpc)
		if err != nil {
			fmt.Println(err)
		}
		os.Stdout.Write(text)
		fmt.Println("from", vpc.Origin())
	}
	// Output:
	// 0 issues
	// apiVersion: vpc.githedgehog.com/v1beta1
	// kind: VPC
	// metadata:
	//   name: web
	//   namespace: default
	// spec:
	//   ipv4Namespace: default
	//   subnets:
	//     default:
	//       dhcp: {}
	//       gateway: 10.0.10.1
	//       subnet: 10.0.10.0/24
	//       vlan: 1010
	//   vlanNamespace: lab
	// from /ipam/vrfs/1/
}
