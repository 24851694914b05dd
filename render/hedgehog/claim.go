package hedgehog

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// Claim is something that only one object of a fabric can have at a time.
type Claim struct {
	Kind ClaimKind
	// What tells it from others of its kind: leaf-01/E1/1, 65101, 172.30.8.2,
	// default 1001 (a namespace and its VLAN), default 10.0.1.0/24.
	What string
}

// String returns what people call it: port leaf-01/E1/1, VLAN 1001.
func (c Claim) String() string {
	switch c.Kind {
	case ClaimVLAN, ClaimNetwork:
		_, what, _ := strings.Cut(c.What, " ")
		return string(c.Kind) + " " + what
	case ClaimTag:
		connection, what, _ := strings.Cut(c.What, " ")
		return "the place of " + what + " on " + connection
	}
	return string(c.Kind) + " " + c.What
}

// ClaimKind says what is claimed, as people call it.
type ClaimKind string

// The kinds of claims.
const (
	ClaimPort     ClaimKind = "port"
	ClaimASN      ClaimKind = "ASN"
	ClaimAddress  ClaimKind = "address"
	ClaimMAC      ClaimKind = "MAC"
	ClaimSerial   ClaimKind = "serial number"
	ClaimVLAN     ClaimKind = "VLAN"
	ClaimNetwork  ClaimKind = "network"
	ClaimTag      ClaimKind = "VLAN on a port"
	ClaimUntagged ClaimKind = "native VLAN of"
)

// Claims returns what an object claims, each with the field that does. The
// default namespace may be left out.
func Claims(o *Object) map[Claim]string {
	c := claimed{}
	switch s := o.Spec.(type) {
	case *SwitchSpec:
		if s.Role != "spine" && s.ASN != 0 { // spines share theirs
			c.add(ClaimASN, strconv.FormatUint(uint64(s.ASN), 10), "spec.asn")
		}
		c.address(s.IP, "spec.ip")
		c.address(s.ProtocolIP, "spec.protocolIP")
		c.address(s.VTEPIP, "spec.vtepIP")
		c.add(ClaimMAC, s.Boot.MAC, "spec.boot.mac")
		c.add(ClaimSerial, s.Boot.Serial, "spec.boot.serial")
	case *GatewaySpec:
		c.address(s.ProtocolIP, "spec.protocolIP")
		c.address(s.VTEPIP, "spec.vtepIP")
		c.add(ClaimMAC, s.VTEPMAC, "spec.vtepMAC")
	case *ConnectionSpec:
		for _, l := range s.links() {
			for i, end := range l.ends {
				c.add(ClaimPort, wholePort(end.Port), l.field+"."+l.names[i]+".port")
				c.address(end.IP, l.field+"."+l.names[i]+".ip")
			}
		}
	case *VPCSpec:
		for name, subnet := range s.Subnets {
			if subnet == nil {
				continue
			}
			field := "spec.subnets." + name
			if subnet.VLAN != 0 {
				c.add(ClaimVLAN, orDefault(s.VLANNamespace)+" "+strconv.Itoa(int(subnet.VLAN)), field+".vlan")
			}
			if p, ok := masked(subnet.Subnet); ok {
				c.add(ClaimNetwork, orDefault(s.IPv4Namespace)+" "+p.String(), field+".subnet")
			}
		}
	case *VPCAttachmentSpec:
		c.add(ClaimTag, s.Connection+" "+s.Subnet, "spec.subnet")
		if s.NativeVLAN {
			c.add(ClaimUntagged, s.Connection, "spec.nativeVLAN")
		}
	case *ExternalAttachmentSpec:
		vlan, field := s.Switch.VLAN, "spec.switch.vlan"
		if s.Static != nil {
			vlan, field = s.Static.VLAN, "spec.static.vlan"
		}
		c.add(ClaimTag, fmt.Sprint(s.Connection, " ", vlan), field)
	}
	return c
}

type claimed map[Claim]string

func (c claimed) add(kind ClaimKind, what, field string) {
	if what != "" {
		c[Claim{kind, what}] = field
	}
}

func (c claimed) address(text, field string) {
	if p, err := netip.ParsePrefix(text); err == nil {
		text = p.Addr().String()
	}
	c.add(ClaimAddress, text, field)
}

// wholePort returns leaf-01/E1/1 for its first lane leaf-01/E1/1/1: they are one
// port.
func wholePort(p Port) string {
	text := string(p)
	if whole, ok := strings.CutSuffix(text, "/1"); ok && strings.Count(whole, "/") == 2 {
		return whole
	}
	return text
}
