package review_test

import (
	"strings"
	"testing"

	"hedgehog-gitops/render/hedgehog"
	"hedgehog-gitops/render/review"
)

const (
	kConnection         = hedgehog.KindConnection
	kVPC                = hedgehog.KindVPC
	kSwitch             = hedgehog.KindSwitch
	kExternal           = hedgehog.KindExternal
	kExternalAttachment = hedgehog.KindExternalAttachment
	kExternalPeering    = hedgehog.KindExternalPeering
	kVPCAttachment      = hedgehog.KindVPCAttachment
	kVPCPeering         = hedgehog.KindVPCPeering
	kGateway            = hedgehog.KindGateway
	kGatewayPeering     = hedgehog.KindGatewayPeering
)

type hazardCase struct {
	fabric string
	edits  []edit
	// says are what a hazard each says, word by word; none, when there is no hazard.
	says []string
	// risk is the highest.
	risk review.Level
	// object and class are of one that changes; empty for whatever.
	object string
	class  review.Class
}

func vpc(name string, how func(*hedgehog.VPCSpec)) edit   { return change(kVPC, name, how) }
func sw(name string, how func(*hedgehog.SwitchSpec)) edit { return change(kSwitch, name, how) }
func conn(name string, how func(*hedgehog.ConnectionSpec)) edit {
	return change(kConnection, name, how)
}

func hazardCases() map[string]hazardCase {
	const unbundled = "nas-1--unbundled--leaf-3"
	const nic2 = `apiVersion: wiring.githedgehog.com/v1beta1
kind: Connection
metadata: {name: nas-1--bundled--leaf-3}
spec:
  bundled:
    links:
    - {server: {port: nas-1/eth0}, switch: {port: leaf-3/E1/1}}
    - {server: {port: nas-1/eth1}, switch: {port: leaf-3/E1/11}}
`
	return map[string]hazardCase{
		// Servers and their links.
		"a server loses its only link": {"office", []edit{remove("Connection/"+unbundled, "VPCAttachment/apps--web--"+unbundled, "VPCAttachment/staff--desks--"+unbundled)},
			[]string{"deletes connection nas-1--unbundled--leaf-3: server nas-1 loses its last link and has no network left"}, review.High, "Connection/" + unbundled, review.Delete},
		"a server leaves with all that is its own": {"office", []edit{remove("Server/nas-1", "Connection/"+unbundled, "VPCAttachment/apps--web--"+unbundled, "VPCAttachment/staff--desks--"+unbundled)},
			[]string{"deletes server nas-1: it leaves apps/web and staff/desks"}, review.Medium, "Server/nas-1", review.Delete},
		"a bond of four keeps three": {"north", []edit{conn("esx-08", func(s *hedgehog.ConnectionSpec) { s.ESLAG.Links = s.ESLAG.Links[:3] })},
			[]string{"takes link esx-08.prod/eth3 -- leaf-04/E1/5 out of connection esx-08: server esx-08.prod keeps 3 of 4 links"}, review.Medium, "Connection/esx-08", review.ChangeInPlace},
		"a bond keeps two links on one switch": {"north", []edit{conn("nas--eslag--leaf-01--leaf-02--leaf-01--leaf-02", func(s *hedgehog.ConnectionSpec) {
			s.ESLAG.Links = []hedgehog.ServerLink{s.ESLAG.Links[0], s.ESLAG.Links[2]}
		})}, []string{"server nas hangs on leaf-01 alone"}, review.High, "", 0},
		"a leg goes while another connection stays": {"north", []edit{remove("Connection/web-01--unbundled--leaf-04--2", "VPCAttachment/dev--test--web-01--unbundled--leaf-04--2")},
			[]string{"deletes connection web-01--unbundled--leaf-04--2: server web-01 keeps one leg only (leaf-04/E1/2)"}, review.High, "", 0},
		"one link of a bond in a subnet, with a third link elsewhere": {"office", []edit{
			// web-1 has a management link besides: two of three links stay, but the subnet has one.
			conn("web-1--eslag--leaf-1--leaf-2", func(s *hedgehog.ConnectionSpec) { s.ESLAG.Links = s.ESLAG.Links[:1] }),
			add("apiVersion: wiring.githedgehog.com/v1beta1\nkind: Connection\nmetadata: {name: web-1--unbundled--leaf-3}\nspec: {unbundled: {link: {server: {port: web-1/eth9}, switch: {port: leaf-3/E1/20}}}}\n"),
		}, []string{"server web-1 keeps one leg only in apps/web"}, review.High, "", 0},
		"a link is added": {"office", []edit{conn("db-1--bundled--leaf-1", func(s *hedgehog.ConnectionSpec) {
			s.Bundled.Links = append(s.Bundled.Links, hedgehog.ServerLink{Server: hedgehog.PortEnd{Port: "db-1/eth2"}, Switch: hedgehog.PortEnd{Port: "leaf-1/E1/30"}})
		})}, nil, review.Low, "Connection/db-1--bundled--leaf-1", review.ChangeInPlace},
		"links in another order": {"office", []edit{conn("db-1--bundled--leaf-1", func(s *hedgehog.ConnectionSpec) {
			s.Bundled.Links[0], s.Bundled.Links[1] = s.Bundled.Links[1], s.Bundled.Links[0]
		})}, nil, review.Low, "Connection/db-1--bundled--leaf-1", review.ChangeInPlace},
		"a server goes to another port": {"office", []edit{conn(unbundled, func(s *hedgehog.ConnectionSpec) { s.Unbundled.Link.Switch.Port = "leaf-2/E1/40" })},
			[]string{"replaces connection nas-1--unbundled--leaf-3: nas-1/eth0 moves leaf-3/E1/1 -> leaf-2/E1/40: the link goes down"}, review.High, "Connection/" + unbundled, review.Replace},
		"another server on the same port": {"office", []edit{conn(unbundled, func(s *hedgehog.ConnectionSpec) { s.Unbundled.Link.Server.Port = "printer-1/eth5" })},
			[]string{"replaces connection nas-1--unbundled--leaf-3: leaf-3/E1/1 gets printer-1/eth5 in place of nas-1/eth0: the link goes down", "server nas-1 loses its last link"}, review.High, "Connection/" + unbundled, review.Replace},
		"a connection of another name takes the ports": {"office", []edit{
			remove("Connection/"+unbundled, "VPCAttachment/apps--web--"+unbundled, "VPCAttachment/staff--desks--"+unbundled), add(nic2),
			add(attachment("apps/web", "nas-1--bundled--leaf-3")[4:] + attachment("staff/desks", "nas-1--bundled--leaf-3")),
		}, []string{"replaces connection nas-1--unbundled--leaf-3 by nas-1--bundled--leaf-3: the link goes down"}, review.High, "", 0},
		"a connection gets another type": {"office", []edit{conn("db-1--bundled--leaf-1", func(s *hedgehog.ConnectionSpec) { s.ESLAG, s.Bundled = s.Bundled, nil })},
			[]string{"replaces connection db-1--bundled--leaf-1 (bundled -> eslag)"}, review.High, "Connection/db-1--bundled--leaf-1", review.Replace},
		"two servers swap ports": {"office", []edit{
			conn(unbundled, func(s *hedgehog.ConnectionSpec) { s.Unbundled.Link.Switch.Port = "leaf-3/E1/2" }),
			conn("printer-1--unbundled--leaf-3", func(s *hedgehog.ConnectionSpec) { s.Unbundled.Link.Switch.Port = "leaf-3/E1/1" }),
		}, []string{"replaces connection nas-1--unbundled--leaf-3", "replaces connection printer-1--unbundled--leaf-3"}, review.High, "", 0},
		"the MTU of a link": {"office", []edit{conn(unbundled, func(s *hedgehog.ConnectionSpec) { s.Unbundled.MTU = 1500 })},
			[]string{"MTU of connection nas-1--unbundled--leaf-3 changes 9000 -> 1500"}, review.Medium, "Connection/" + unbundled, review.ChangeInPlace},
		"LACP fallback": {"north", []edit{conn("esx-08", func(s *hedgehog.ConnectionSpec) { s.ESLAG.Fallback = false })},
			[]string{"LACP fallback of connection esx-08 is switched off"}, review.Medium, "", 0},

		"a cable is pulled, and the mapping names the rest otherwise": {"office", []edit{
			remove("Connection/web-1--eslag--leaf-1--leaf-2", "VPCAttachment/apps--web--web-1--eslag--leaf-1--leaf-2"),
			add("apiVersion: wiring.githedgehog.com/v1beta1\nkind: Connection\nmetadata: {name: web-1--unbundled--leaf-1}\nspec: {unbundled: {link: {server: {port: web-1/eth0}, switch: {port: leaf-1/E1/1}}}}\n"),
			add(attachment("apps/web", "web-1--unbundled--leaf-1")[4:]),
		}, []string{"replaces connection web-1--eslag--leaf-1--leaf-2 by web-1--unbundled--leaf-1: the link goes down; server web-1 keeps one leg only (leaf-1/E1/1)"}, review.High, "", 0},
		"a server with one link gets a second": {"office", []edit{conn(unbundled, func(s *hedgehog.ConnectionSpec) {
			s.Bundled = &hedgehog.Bundled{Links: []hedgehog.ServerLink{s.Unbundled.Link, {Server: hedgehog.PortEnd{Port: "nas-1/eth1"}, Switch: hedgehog.PortEnd{Port: "leaf-3/E1/11"}}}}
			s.Unbundled = nil
		})}, []string{"replaces connection nas-1--unbundled--leaf-3 (unbundled -> bundled)"}, review.High, "", 0},

		// Attachments.
		"a server is detached": {"office", []edit{remove("VPCAttachment/staff--desks--" + unbundled)},
			[]string{"deletes VPC attachment staff--desks--nas-1--unbundled--leaf-3: server nas-1 leaves staff/desks"}, review.Medium, "", 0},
		"a server is detached from its only subnet": {"office", []edit{remove("VPCAttachment/apps--web--web-1--eslag--leaf-1--leaf-2")},
			[]string{"server web-1 leaves apps/web and has no network left"}, review.High, "", 0},
		"a server moves to another subnet": {"office", []edit{change(kVPCAttachment, "apps--web--web-1--eslag--leaf-1--leaf-2", func(s *hedgehog.VPCAttachmentSpec) { s.Subnet = "staff/desks" })},
			[]string{"moves VPC attachment apps--web--web-1--eslag--leaf-1--leaf-2 from apps/web to staff/desks: server web-1 moves from apps/web to staff/desks"}, review.High, "VPCAttachment/apps--web--web-1--eslag--leaf-1--leaf-2", review.Replace},
		"a server moves by another attachment": {"office", []edit{remove("VPCAttachment/apps--web--web-1--eslag--leaf-1--leaf-2"), add(attachment("apps/db", "web-1--eslag--leaf-1--leaf-2")[4:])},
			[]string{"server web-1 moves from apps/web to apps/db"}, review.High, "", 0},
		"a server is detached on one of two connections": {"north", []edit{remove("VPCAttachment/anycast-dns--hosts--ns1--unbundled--leaf-04")},
			[]string{"deletes VPC attachment anycast-dns--hosts--ns1--unbundled--leaf-04: server ns1 stays in anycast-dns/hosts over another connection"}, review.Medium, "", 0},
		"native VLAN": {"office", []edit{change(kVPCAttachment, "apps--web--web-1--eslag--leaf-1--leaf-2", func(s *hedgehog.VPCAttachmentSpec) { s.NativeVLAN = true })},
			[]string{"native VLAN of VPC attachment apps--web--web-1--eslag--leaf-1--leaf-2 is switched on"}, review.High, "", 0},

		// VPCs.
		"an empty VPC is deleted": {"north", []edit{remove("VPC/dmz", "GatewayPeering/corp-prod--dmz", "ExternalPeering/dmz--mpls"), removeOf(kVPCAttachment, "dmz/")},
			[]string{"deletes VPC dmz"}, review.High, "VPC/dmz", review.Delete},
		"a subnet is removed": {"office", []edit{vpc("staff", func(s *hedgehog.VPCSpec) { delete(s.Subnets, "print") }), remove("VPCAttachment/staff--print--printer-1--unbundled--leaf-3")},
			[]string{"removes subnet staff/print (10.10.2.0/24): 1 server loses it (printer-1)"}, review.High, "VPC/staff", review.ChangeInPlace},
		"a subnet is renamed": {"office", []edit{
			vpc("staff", func(s *hedgehog.VPCSpec) {
				s.Subnets["paper"] = s.Subnets["print"]
				delete(s.Subnets, "print")
			}),
			change(kVPCAttachment, "staff--print--printer-1--unbundled--leaf-3", func(s *hedgehog.VPCAttachmentSpec) { s.Subnet = "staff/paper" }),
		}, []string{"renames subnet staff/print to staff/paper"}, review.High, "VPC/staff", review.Replace},
		"a subnet gets another network": {"office", []edit{vpc("apps", func(s *hedgehog.VPCSpec) { s.Subnets["db"].Subnet, s.Subnets["db"].Gateway = "10.10.99.0/24", "" })},
			[]string{"network of apps/db changes 10.10.11.0/24 -> 10.10.99.0/24", "gateway of apps/db changes 10.10.11.1 -> 10.10.99.1"}, review.High, "VPC/apps", review.Replace},
		"two subnets swap VLANs": {"office", []edit{vpc("apps", func(s *hedgehog.VPCSpec) {
			s.Subnets["db"].VLAN, s.Subnets["web"].VLAN = s.Subnets["web"].VLAN, s.Subnets["db"].VLAN
		})}, []string{"VLAN of apps/db moves 1011 -> 1010", "VLAN of apps/web moves 1010 -> 1011"}, review.High, "VPC/apps", review.Replace},
		"a VPC takes the VLAN of another": {"office", []edit{vpc("apps", func(s *hedgehog.VPCSpec) { s.Subnets["db"].VLAN = 1500 }), vpc("staff", func(s *hedgehog.VPCSpec) {
			s.Subnets["lab"] = &hedgehog.VPCSubnet{Subnet: "10.10.5.0/24", VLAN: 1011}
		})}, []string{"VPC staff takes over VLAN 1011 of apps/db (for staff/lab)", "VLAN of apps/db moves 1011 -> 1500"}, review.High, "VPC/staff", review.Replace},
		"a VPC takes a part of the network of another": {"office", []edit{
			vpc("apps", func(s *hedgehog.VPCSpec) {
				s.Subnets["db"].Subnet, s.Subnets["db"].Gateway = "10.10.98.0/24", "10.10.98.1"
			}), vpc("staff", func(s *hedgehog.VPCSpec) {
				s.Subnets["lab"] = &hedgehog.VPCSubnet{Subnet: "10.10.11.128/25", VLAN: 1005}
			})}, []string{"VPC staff takes over network 10.10.11.0/24 of apps/db (for staff/lab)"}, review.High, "VPC/staff", review.Replace},
		"another mode": {"office", []edit{vpc("apps", func(s *hedgehog.VPCSpec) { s.Mode = "l3vni" })},
			[]string{"mode of VPC apps is set to l3vni"}, review.High, "VPC/apps", review.Replace},
		"DHCP is switched off": {"office", []edit{vpc("staff", func(s *hedgehog.VPCSpec) { s.Subnets["desks"].DHCP = hedgehog.DHCP{} })},
			[]string{"DHCP server of staff/desks is switched off"}, review.High, "", 0},
		"a relay instead of the server": {"office", []edit{vpc("staff", func(s *hedgehog.VPCSpec) { s.Subnets["desks"].DHCP = hedgehog.DHCP{Relay: "10.10.10.9/32"} })},
			[]string{"DHCP server of staff/desks is switched off", "DHCP relay of staff/desks is set to 10.10.10.9/32"}, review.High, "", 0},
		"a smaller DHCP range": {"office", []edit{vpc("staff", func(s *hedgehog.VPCSpec) { s.Subnets["desks"].DHCP.Range.End = "10.10.1.120" })},
			[]string{"end of the DHCP range of staff/desks changes 10.10.1.199 -> 10.10.1.120"}, review.Medium, "VPC/staff", review.ChangeInPlace},
		"no default route any more, hidden among new options": {"office", []edit{vpc("staff", func(s *hedgehog.VPCSpec) {
			s.Subnets["print"].DHCP.Options = &hedgehog.DHCPOptions{DNSServers: []string{"10.10.1.53"}, DisableDefaultRoute: true}
		})}, []string{"suppression of the default route in DHCP of staff/print is switched on"}, review.High, "", 0},
		"a fixed lease goes": {"office", []edit{vpc("staff", func(s *hedgehog.VPCSpec) { s.Subnets["print"].DHCP.Static = nil })},
			[]string{"fixed lease of 0c:20:12:0f:0a:01 of staff/print is removed"}, review.Medium, "", 0},
		"another PXE server": {"office", []edit{vpc("staff", func(s *hedgehog.VPCSpec) { s.Subnets["desks"].DHCP.Options.PXEURL = "http://10.10.1.66/x" })},
			[]string{"PXE address of staff/desks is set to http://10.10.1.66/x"}, review.Medium, "", 0},
		"a subnet without servers": {"office", []edit{
			vpc("staff", func(s *hedgehog.VPCSpec) { s.Subnets["print"].DHCP.Range.End = "10.10.2.99" })}, []string{"end of the DHCP range of staff/print"}, review.Medium, "", 0},
		"isolation is lifted": {"north", []edit{vpc("dev", func(s *hedgehog.VPCSpec) { s.DefaultIsolated = false })},
			[]string{"opens subnets to each other: dev/build and dev/test"}, review.High, "VPC/dev", review.ChangeInPlace},
		"isolation that a permit lifted before": {"office", []edit{vpc("apps", func(s *hedgehog.VPCSpec) { s.Subnets["db"].Isolated = nil })}, nil, review.Low, "VPC/apps", review.ChangeInPlace},
		"a permit goes": {"office", []edit{vpc("apps", func(s *hedgehog.VPCSpec) { s.Permit = nil })},
			[]string{"separates subnets that could talk: apps/db and apps/web"}, review.High, "", 0},
		"a restriction is lifted": {"north", []edit{vpc("corp-prod", func(s *hedgehog.VPCSpec) { s.Subnets["backup"].Restricted = nil })},
			[]string{"servers in corp-prod/backup may talk to each other from now on"}, review.Medium, "", 0},
		"a static default route": {"north", []edit{vpc("corp-prod", func(s *hedgehog.VPCSpec) {
			s.StaticRoutes = append(s.StaticRoutes, hedgehog.StaticRoute{Prefix: "0.0.0.0/0", NextHops: []string{"10.20.10.7"}})
		})}, []string{"static route 0.0.0.0/0 of VPC corp-prod is added: it is the default route"}, review.High, "", 0},
		"another next hop": {"north", []edit{vpc("corp-prod", func(s *hedgehog.VPCSpec) { s.StaticRoutes[0].NextHops = []string{"10.20.10.7", "10.20.10.66"} })},
			[]string{"next hop of static route 10.20.250.0/24 of VPC corp-prod changes 10.20.10.8 -> 10.20.10.66"}, review.Medium, "", 0},
		"servers may announce more": {"north", []edit{vpc("anycast-dns", func(s *hedgehog.VPCSpec) {
			s.Subnets["hosts"].HostBGPExtraPrefixes["0.0.0.0/0"] = hedgehog.HostBGPPrefix{}
			s.Subnets["hosts"].HostBGPMinPrefixLen = 26
		})}, []string{"announced prefix 0.0.0.0/0 of anycast-dns/hosts is added: it is the default route", "hostBGPMinPrefixLen of anycast-dns/hosts changes 28 -> 26"}, review.High, "", 0},

		// Peerings.
		"a peering to everything": {"north", []edit{add(vpcPeering("ai-train", "shared"))}, []string{"opens peering between ai-train and shared to everything"}, review.High, "", 0},
		"a peering is widened": {"north", []edit{change(kVPCPeering, "dns-for-prod", func(s *hedgehog.VPCPeeringSpec) { s.Permit[0]["corp-prod"] = hedgehog.VPCPeer{} })},
			[]string{"widens peering between anycast-dns and corp-prod to everything"}, review.High, "VPCPeering/dns-for-prod", review.ChangeInPlace},
		"a peering is narrowed": {"office", []edit{change(kVPCPeering, "apps--staff", func(s *hedgehog.VPCPeeringSpec) { s.Permit[0]["apps"] = hedgehog.VPCPeer{Subnets: []string{"web"}} })},
			[]string{"narrows peering between apps and staff: no longer apps/db with staff/desks and apps/db with staff/print"}, review.Medium, "", 0},
		"a peering is closed": {"office", []edit{remove("VPCPeering/apps--staff")}, []string{"closes peering between apps and staff (deletes VPC peering apps--staff): their servers no longer talk"}, review.High, "", 0},
		"a peering that another doubles": {"office", []edit{
			remove("VPCPeering/apps--staff"), add("apiVersion: vpc.githedgehog.com/v1beta1\nkind: VPCPeering\nmetadata: {name: other}\nspec: {permit: [{apps: {subnets: [db, web]}, staff: {subnets: [desks, print]}}]}\n"),
		}, []string{"deletes VPC peering apps--staff: another peering says the same"}, review.Low, "", 0},
		"a way out for one more subnet": {"office", []edit{change(kExternalPeering, "staff--isp", func(s *hedgehog.ExternalPeeringSpec) { s.Permit.VPC.Subnets = []string{"desks", "print"} })},
			[]string{"opens staff/print to external isp as well, with the default route"}, review.High, "", 0},
		"a way out for one more network": {"north", []edit{change(kExternalPeering, "corp-prod--legacy", func(s *hedgehog.ExternalPeeringSpec) {
			s.Permit.External.Prefixes = append(s.Permit.External.Prefixes, hedgehog.PermitPrefix{Prefix: "10.201.0.0/16"})
		})}, []string{"opens VPC corp-prod to more of external legacy: 10.201.0.0/16"}, review.Medium, "", 0},
		"a smaller network than the one that was open": {"north", []edit{change(kExternalPeering, "corp-prod--legacy", func(s *hedgehog.ExternalPeeringSpec) {
			s.Permit.External.Prefixes[0].Prefix = "10.200.1.0/24"
		})}, []string{"VPC corp-prod reaches less of external legacy: no longer 10.200.0.0/16"}, review.Medium, "", 0},
		"the default route in place of a network": {"north", []edit{change(kExternalPeering, "corp-prod--legacy", func(s *hedgehog.ExternalPeeringSpec) {
			s.Permit.External.Prefixes[0].Prefix = "0.0.0.0/0"
		})}, []string{"opens VPC corp-prod to external legacy with the default route 0.0.0.0/0"}, review.High, "", 0},
		"no way out any more": {"office", []edit{remove("ExternalPeering/staff--isp")}, []string{"closes VPC staff to external isp (deletes external peering staff--isp): 2 servers lose the way out"}, review.High, "", 0},
		"a peering for another VPC": {"office", []edit{change(kExternalPeering, "staff--isp", func(s *hedgehog.ExternalPeeringSpec) {
			s.Permit.VPC = hedgehog.ExternalPermitVPC{Name: "apps", Subnets: []string{"web"}}
		})}, []string{"opens VPC apps (web) to external isp with the default route", "closes VPC staff to external isp"}, review.High, "ExternalPeering/staff--isp", review.Replace},
		"a gateway peering": {"north", []edit{add(`apiVersion: gateway.githedgehog.com/v1alpha1
kind: GatewayPeering
metadata: {name: dev--internet}
spec: {peering: {dev: {expose: [{ips: [{cidr: 10.20.20.0/24}]}]}, ext.internet: {expose: [{default: true}]}}}
`)}, []string{"opens gateway peering between dev and ext.internet; dev shows 10.20.20.0/24; ext.internet shows default"}, review.High, "", 0},
		"a gateway peering shows more": {"north", []edit{change(kGatewayPeering, "corp-prod--dmz", func(s *hedgehog.GatewayPeeringSpec) {
			s.Peering["dmz"].Expose[0].IPs = append(s.Peering["dmz"].Expose[0].IPs, hedgehog.ExposedIP{CIDR: "10.99.0.0/16"})
		})}, []string{"widens gateway peering between corp-prod and dmz: dmz shows more to corp-prod (10.99.0.0/16)"}, review.Medium, "GatewayPeering/corp-prod--dmz", review.ChangeInPlace},
		"a gateway peering translates otherwise": {"north", []edit{change(kGatewayPeering, "corp-prod--dmz", func(s *hedgehog.GatewayPeeringSpec) {
			s.Peering["corp-prod"].Expose[0].NAT = &hedgehog.NAT{Static: &hedgehog.StaticNAT{}}
		})}, []string{"NAT (masquerade) of subnet web of side corp-prod of gateway peering corp-prod--dmz is removed", "NAT (static) of subnet web of side corp-prod of gateway peering corp-prod--dmz is added"}, review.High, "", 0},
		"a gateway peering gets a filter": {"north", []edit{change(kGatewayPeering, "corp-prod--dmz", func(s *hedgehog.GatewayPeeringSpec) { s.ACL = &hedgehog.PeeringACL{Default: "deny"} })},
			[]string{"puts in the filter of gateway peering corp-prod--dmz"}, review.Medium, "", 0},

		// Externals.
		"an external is deleted": {"office", []edit{remove("External/isp", "ExternalAttachment/leaf-3--isp", "ExternalPeering/staff--isp", "Connection/leaf-3--external")},
			[]string{"deletes external isp: 1 VPC loses its way to it (staff)"}, review.High, "", 0},
		"one of two ways out": {"north", []edit{remove("ExternalAttachment/border-01--internet--2", "ExternalAttachment/leaf.05--internet")},
			[]string{"external internet keeps one way out only"}, review.High, "", 0},
		"the port of a way out": {"office", []edit{conn("leaf-3--external", func(s *hedgehog.ConnectionSpec) { s.External.Link.Switch.Port = "leaf-3/E1/47" })},
			[]string{"replaces connection leaf-3--external: port moves leaf-3/E1/48 -> leaf-3/E1/47: the link goes down"}, review.High, "", 0},
		"another neighbour": {"office", []edit{change(kExternalAttachment, "leaf-3--isp", func(s *hedgehog.ExternalAttachmentSpec) { s.Neighbor.ASN, s.Switch.VLAN = 64513, 200 })},
			[]string{"ASN of the neighbor of external attachment leaf-3--isp changes 64512 -> 64513: the BGP session goes down", "VLAN of external attachment leaf-3--isp moves 100 -> 200"}, review.High, "ExternalAttachment/leaf-3--isp", review.Replace},
		"a community goes": {"office", []edit{change(kExternal, "isp", func(s *hedgehog.ExternalSpec) { s.InboundCommunity = "" })},
			[]string{"inbound community 64512:100 of external isp is removed: other routes are taken in: check for a route leak"}, review.High, "External/isp", review.ChangeInPlace},
		"a static external leads everywhere": {"north", []edit{change(kExternal, "legacy", func(s *hedgehog.ExternalSpec) { s.Static.Prefixes[0] = "0.0.0.0/0" })},
			[]string{"static prefix of external legacy changes 10.200.0.0/16 -> 0.0.0.0/0: it is the default route"}, review.High, "", 0},
		"a neighbour of another AS": {"office", []edit{
			add("apiVersion: wiring.githedgehog.com/v1beta1\nkind: Connection\nmetadata: {name: leaf-2--external}\nspec: {external: {link: {switch: {port: leaf-2/E1/48}}}}\n"),
			add("apiVersion: vpc.githedgehog.com/v1beta1\nkind: ExternalAttachment\nmetadata: {name: leaf-2--isp}\nspec: {connection: leaf-2--external, external: isp, neighbor: {asn: 64999, ip: 192.0.2.6}, switch: {ip: 192.0.2.5/30}}\n"),
		}, []string{"external isp gets a neighbor of another AS, 192.0.2.6 in AS 64999"}, review.Medium, "", 0},
		"a second way out to the same AS": {"office", []edit{
			add("apiVersion: wiring.githedgehog.com/v1beta1\nkind: Connection\nmetadata: {name: leaf-2--external}\nspec: {external: {link: {switch: {port: leaf-2/E1/48}}}}\n"),
			add("apiVersion: vpc.githedgehog.com/v1beta1\nkind: ExternalAttachment\nmetadata: {name: leaf-2--isp}\nspec: {connection: leaf-2--external, external: isp, neighbor: {asn: 64512, ip: 192.0.2.6}, switch: {ip: 192.0.2.5/30}}\n"),
		}, nil, review.Low, "", 0},
		"a filter goes": {"north", []edit{change(kExternalAttachment, "leaf.05--internet", func(s *hedgehog.ExternalAttachmentSpec) { s.InboundACL = nil })},
			[]string{"takes away the inbound filter of external internet (leaf.05--internet): everything is let through"}, review.High, "", 0},
		"a filter lets more in": {"north", []edit{change(kExternalAttachment, "leaf.05--internet", func(s *hedgehog.ExternalAttachmentSpec) {
			s.InboundACL.Statements = append(s.InboundACL.Statements, hedgehog.ACLStatement{Seq: 20, Action: "permit", Protocol: "tcp", SrcPrefix: "any", DstPrefix: "any", PortRangeBegin: 22, PortRangeEnd: 22})
		})}, []string{"inbound filter of external internet (leaf.05--internet) lets more through: 20 permit tcp any to any port 22"}, review.High, "", 0},
		"a filter lets less in": {"north", []edit{change(kExternalAttachment, "leaf.05--internet", func(s *hedgehog.ExternalAttachmentSpec) {
			s.InboundACL.Statements = append(s.InboundACL.Statements, hedgehog.ACLStatement{Seq: 11, Action: "deny", Protocol: "ip", SrcPrefix: "any", DstPrefix: "any"})
		})}, []string{"lets less through: 11 deny ip any to any"}, review.Medium, "", 0},
		"a static external within a VPC": {"north", []edit{conn("leaf-04--static-external", func(s *hedgehog.ConnectionSpec) {
			s.StaticExternal.Link.Switch.Subnets = append(s.StaticExternal.Link.Switch.Subnets, "0.0.0.0/0")
		})}, []string{"opens VPC corp-prod to 0.0.0.0/0 outside, over leaf-04/E1/48: it is the default route"}, review.High, "", 0},

		// Switches and the underlay.
		"a switch is deleted": {"office", []edit{remove("Switch/leaf-2"), removeOf(kConnection, "leaf-2")},
			[]string{"deletes switch leaf-2: 6 links end there", "redundancy group pair-1 keeps one switch only (leaf-1)", "server db-2 loses its last link"}, review.High, "", 0},
		"a spine is deleted": {"office", []edit{remove("Switch/spine-2"), removeOf(kConnection, "spine-2")},
			[]string{"switch leaf-3 keeps one uplink only (spine-1)", "switch leaf-1 keeps one uplink only (spine-1)"}, review.High, "", 0},
		"an uplink goes": {"north", []edit{conn("spine-01--fabric--leaf-02", func(s *hedgehog.ConnectionSpec) { s.Fabric.Links = s.Fabric.Links[:1] })},
			[]string{"switch leaf-02 keeps 2 of 3 uplinks"}, review.Medium, "", 0},
		"the underlay is renumbered": {"office", []edit{conn("spine-1--fabric--leaf-1", func(s *hedgehog.ConnectionSpec) {
			s.Fabric.Links[0].Spine.IP, s.Fabric.Links[0].Leaf.IP = "172.30.130.0/31", "172.30.130.1/31"
		})}, []string{"leaf address of link spine-1/E1/1 of connection spine-1--fabric--leaf-1 changes 172.30.128.1/31 -> 172.30.130.1/31: the underlay is renumbered"}, review.High, "Connection/spine-1--fabric--leaf-1", review.Replace},
		"a switch is renumbered": {"office", []edit{sw("leaf-1", func(s *hedgehog.SwitchSpec) {
			s.ASN, s.ProtocolIP, s.VTEPIP, s.IP = 65199, "172.30.8.99/32", "172.30.12.99/32", "172.30.0.99/21"
		})},
			[]string{"ASN of switch leaf-1 changes 65101 -> 65199", "protocol address of switch leaf-1 changes", "VTEP address of switch leaf-1 changes", "management address of switch leaf-1 changes"}, review.High, "Switch/leaf-1", review.Replace},
		"a switch takes the address of one that goes": {"office", []edit{
			sw("leaf-1", func(s *hedgehog.SwitchSpec) { s.ASN = 65103 }), sw("leaf-3", func(s *hedgehog.SwitchSpec) { s.ASN = 65105 }),
		}, []string{"switch leaf-1 takes over ASN 65103 of leaf-3: the cluster refuses it while the other has it"}, review.High, "Switch/leaf-1", review.Replace},
		"a port is split": {"office", []edit{sw("leaf-1", func(s *hedgehog.SwitchSpec) { s.PortBreakouts = map[string]string{"E1/49": "4x25G"} })},
			[]string{"breakout of port E1/49 of switch leaf-1 is set to 4x25G: all links of the port go down"}, review.High, "Switch/leaf-1", review.ChangeInPlace},
		"an unused port is split":           {"office", []edit{sw("leaf-1", func(s *hedgehog.SwitchSpec) { s.PortBreakouts = map[string]string{"E1/53": "4x25G"} })}, nil, review.Low, "Switch/leaf-1", review.ChangeInPlace},
		"the speed of a group with servers": {"office", []edit{sw("leaf-1", func(s *hedgehog.SwitchSpec) { s.PortGroupSpeeds = map[string]string{"1": "10G"} })}, []string{"speed of port group 1 of switch leaf-1 is set to 10G"}, review.Medium, "", 0},
		"the speed of an unused group":      {"office", []edit{sw("leaf-1", func(s *hedgehog.SwitchSpec) { s.PortGroupSpeeds = map[string]string{"9": "10G"} })}, nil, review.Low, "", 0},
		"RoCE":                              {"office", []edit{sw("leaf-1", func(s *hedgehog.SwitchSpec) { s.RoCE = true })}, []string{"RoCE of switch leaf-1 is switched on: the switch reboots"}, review.High, "", 0},
		"another device boots":              {"office", []edit{sw("leaf-1", func(s *hedgehog.SwitchSpec) { s.Boot.MAC = "0c:20:12:0f:00:99" })}, []string{"boot MAC of switch leaf-1 changes"}, review.High, "", 0},
		"another role":                      {"office", []edit{sw("leaf-3", func(s *hedgehog.SwitchSpec) { s.Role = "mixed-leaf" })}, []string{"role of switch leaf-3 changes border-leaf -> mixed-leaf"}, review.High, "Switch/leaf-3", review.Replace},
		"another profile":                   {"office", []edit{sw("leaf-3", func(s *hedgehog.SwitchSpec) { s.Profile = "edgecore-dcs204" })}, []string{"profile of switch leaf-3 changes"}, review.High, "Switch/leaf-3", review.Replace},
		"a VLAN namespace leaves a switch":  {"north", []edit{sw("border-01", func(s *hedgehog.SwitchSpec) { s.VLANNamespaces = []string{"north-prod", "shared-services"} })}, []string{"VLAN namespace lab of switch border-01 is removed"}, review.High, "", 0},
		"a locator LED":                     {"office", []edit{sw("leaf-3", func(s *hedgehog.SwitchSpec) { s.PortLocators = map[string]string{"*": "10m"} })}, nil, review.Low, "", 0},
		"VLANs in use leave": {"office", []edit{change(hedgehog.KindVLANNamespace, "office", func(s *hedgehog.VLANNamespaceSpec) { s.Ranges = []hedgehog.VLANRange{{From: 1000, To: 1009}} })},
			[]string{"VLANs 1010-1999 leave VLAN namespace office, and 2 subnets use them (apps/db and apps/web): the cluster refuses it"}, review.High, "", 0},
		"unused VLANs leave": {"office", []edit{change(hedgehog.KindVLANNamespace, "office", func(s *hedgehog.VLANNamespaceSpec) { s.Ranges = []hedgehog.VLANRange{{From: 1000, To: 1500}} })},
			[]string{"VLANs 1501-1999 leave VLAN namespace office"}, review.Medium, "", 0},
		"a network in use leaves": {"north", []edit{change(hedgehog.KindIPv4Namespace, "default", func(s *hedgehog.IPv4NamespaceSpec) { s.Subnets = []string{"10.20.0.0/16"} })},
			[]string{"networks 10.21.0.0/16 leave IPv4 namespace default, and 2 subnets use them (ai-train/gpu-fabric and infra/ntp)"}, review.High, "", 0},

		// Gateways.
		"a gateway is renumbered": {"north", []edit{change(kGateway, "gw-1", func(s *hedgehog.GatewaySpec) { s.ProtocolIP = "172.30.8.41/32" })},
			[]string{"protocol address of gateway gw-1 changes"}, review.High, "Gateway/gw-1", review.Replace},
		"a gateway loses a link and a neighbour": {"north", []edit{
			change(kGateway, "gw-1", func(s *hedgehog.GatewaySpec) { delete(s.Interfaces, "enp2s2"); s.Neighbors = s.Neighbors[:1] }), remove("Connection/spine-02--gateway--gw-1"),
		}, []string{"interface enp2s2 of gateway gw-1 is removed: the link goes down", "neighbor 172.30.128.34 of gateway gw-1 is removed: the BGP session goes down", "gateway gw-1 keeps one link only"}, review.High, "", 0},
		"a gateway leaves its group": {"north", []edit{change(kGateway, "gw-1", func(s *hedgehog.GatewaySpec) { s.Groups = s.Groups[:1] })},
			[]string{"group edge-gw of gateway gw-1 is removed", "gateway group edge-gw has no gateway left"}, review.High, "", 0},
		"logs of a gateway": {"north", []edit{change(kGateway, "gw-1", func(s *hedgehog.GatewaySpec) { s.Logs.Default = "debug" })}, nil, review.Low, "", 0},

		// Names, and what this version does not know.
		"a connection is renamed": {"office", []edit{
			rename(kConnection, "db-1--bundled--leaf-1", "db-1--lag"), change(kVPCAttachment, "apps--db--db-1--bundled--leaf-1", func(s *hedgehog.VPCAttachmentSpec) { s.Connection = "db-1--lag" }),
		}, []string{"renames connection db-1--bundled--leaf-1 to db-1--lag: the cluster deletes the one and creates the other; its links go down meanwhile"}, review.High, "", 0},
		"a VPC is renamed": {"office", []edit{renameVPC("staff", "office")},
			[]string{"renames VPC staff to office: the cluster deletes the one and creates the other; 2 servers lose their network meanwhile"}, review.High, "", 0},
		"a server is renamed": {"office", []edit{
			rename(hedgehog.KindServer, "nas-1", "filer-1"), conn(unbundled, func(s *hedgehog.ConnectionSpec) { s.Unbundled.Link.Server.Port = "filer-1/eth0" }),
		}, []string{"renames server nas-1 to filer-1"}, review.High, "", 0},
		"one spare server for another": {"office", []edit{add("apiVersion: wiring.githedgehog.com/v1beta1\nkind: Server\nmetadata: {name: spare-2}\nspec: {}\n"), remove("Server/db-1"), removeOf(kConnection, "db-1"), removeOf(kVPCAttachment, "db-1")},
			[]string{"deletes server db-1: it leaves apps/db"}, review.Medium, "Server/db-1", review.Delete},
		"a field that nobody knows": {"office", []edit{func(t testing.TB, f *hedgehog.Fabric) {
			f.Get(kSwitch, "leaf-1").Leftovers = []hedgehog.Leftover{{Path: []string{"spec", "turbo"}, Value: true}}
		}}, []string{"field spec.turbo of switch leaf-1 is set to true: this version does not know the field"}, review.Medium, "", 0},
		"a description": {"office", []edit{sw("leaf-1", func(s *hedgehog.SwitchSpec) { s.Description = "x" })}, nil, review.Low, "Switch/leaf-1", review.ChangeInPlace},
		"summed routes": {"office", []edit{func(t testing.TB, f *hedgehog.Fabric) {
			f.Get(kSwitch, "leaf-1").Annotations = map[string]string{"fabric.githedgehog.com/route-summ": "apps=10.10.0.0/16"}
		}}, []string{"annotation route-summ of switch leaf-1 is set to apps=10.10.0.0/16"}, review.Medium, "", 0},
		"a new subnet of a peered VPC": {"office", []edit{vpc("apps", func(s *hedgehog.VPCSpec) {
			s.Subnets["cache"] = &hedgehog.VPCSubnet{Subnet: "10.10.12.0/24", VLAN: 1012}
		})}, nil, review.Low, "VPC/apps", review.ChangeInPlace},
	}
}

// removeOf takes out all objects of the kind whose name, subnet or ports have the
// text in them.
func removeOf(kind hedgehog.Kind, text string) edit {
	return func(t testing.TB, f *hedgehog.Fabric) {
		t.Helper()
		var keys []hedgehog.Key
		for o := range f.All() {
			content, err := hedgehog.Marshal(o)
			if err != nil {
				t.Fatal(err)
			}
			if o.Kind == kind && strings.Contains(string(content), text) {
				keys = append(keys, o.Key())
			}
		}
		if len(keys) == 0 {
			t.Fatalf("no %s has %s in it", kind, text)
		}
		for _, key := range keys {
			f.Remove(key)
		}
	}
}

// renameVPC renames a VPC in everything that refers to it.
func renameVPC(from, to string) edit {
	return func(t testing.TB, f *hedgehog.Fabric) {
		rename(kVPC, from, to)(t, f)
		for o := range f.All() {
			switch s := o.Spec.(type) {
			case *hedgehog.VPCAttachmentSpec:
				if vpc, subnet, _ := strings.Cut(s.Subnet, "/"); vpc == from {
					s.Subnet = to + "/" + subnet
				}
			case *hedgehog.VPCPeeringSpec:
				for _, permit := range s.Permit {
					if side, ok := permit[from]; ok {
						permit[to] = side
						delete(permit, from)
					}
				}
			case *hedgehog.ExternalPeeringSpec:
				if s.Permit.VPC.Name == from {
					s.Permit.VPC.Name = to
				}
			}
		}
	}
}

func TestHazards(t *testing.T) {
	t.Parallel()
	for name, test := range hazardCases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			manifests := scenario(t, test.fabric)
			before, after := apply(t, manifests), apply(t, manifests, test.edits...)
			changes := review.Diff(before, after)
			var all []string
			for _, h := range changes.Hazards {
				all = append(all, h.Says.String())
			}
			told := strings.Join(all, "\n")
			for _, want := range test.says {
				if !strings.Contains(told, want) {
					t.Errorf("no hazard says %q:\n%s", want, told)
				}
			}
			if test.says == nil && told != "" {
				t.Errorf("hazards where there is none:\n%s", told)
			}
			if changes.Risk() != test.risk {
				t.Errorf("the risk is %s, want %s:\n%s", changes.Risk(), test.risk, told)
			}
			for i := range changes.Objects {
				c := &changes.Objects[i]
				if c.Key.String() == test.object && c.Class != test.class {
					t.Errorf("%s is in class %s, want %s", c.Key, c.Class, test.class)
				}
			}
			if test.object != "" && !hasObject(changes, test.object) {
				t.Errorf("%s does not change", test.object)
			}
			// Both halves of a change tell of it: nothing is lost on the way back.
			if back := review.Diff(after, before); back.Len() != changes.Len() {
				t.Errorf("%d objects change on the way there, %d on the way back", changes.Len(), back.Len())
			}
		})
	}
}

func hasObject(c review.Changes, key string) bool {
	for i := range c.Objects {
		if c.Objects[i].Key.String() == key {
			return true
		}
	}
	return false
}

// Two peerings of one pair say what one does: both are told of when both go.
func TestEveryDeletionIsTold(t *testing.T) {
	t.Parallel()
	manifests := scenario(t, "office")
	double := rename(kVPCPeering, "apps--staff", "double")
	before := apply(t, manifests, double, add(vpcPeering("apps", "staff")))
	changes := review.Diff(before, apply(t, manifests, remove("VPCPeering/apps--staff")))
	told := map[string]bool{}
	for _, h := range changes.Hazards {
		told[h.Object.Name] = true
	}
	if !told["apps--staff"] || !told["double"] {
		t.Errorf("told of are %v", told)
	}
}
