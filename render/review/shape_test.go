//go:build unix

package review_test

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"hedgehog-gitops/render/hedgehog"
)

// shapes are fabrics in which one thing has very many of another: what takes a
// square of time shows. The salt makes two fabrics of which all objects differ.
func shapes() map[string]func(n, salt int) *hedgehog.Fabric {
	fabric := func(objects ...*hedgehog.Object) *hedgehog.Fabric {
		f := &hedgehog.Fabric{}
		for _, o := range objects {
			f.Add(o)
		}
		return f
	}
	each := func(n int, kind hedgehog.Kind, set func(i int, spec hedgehog.Spec)) *hedgehog.Fabric {
		f := &hedgehog.Fabric{}
		for i := range n {
			o := hedgehog.New(kind, fmt.Sprintf("o-%d", i))
			set(i, o.Spec)
			f.Add(o)
		}
		return f
	}
	port := func(device string, n int) hedgehog.PortEnd {
		return hedgehog.PortEnd{Port: hedgehog.Port(fmt.Sprintf("%s/E1/%d", device, n))}
	}
	return map[string]func(n, salt int) *hedgehog.Fabric{
		"a server with many connections, each in a subnet of its own": func(n, salt int) *hedgehog.Fabric {
			f := each(n, hedgehog.KindConnection, func(i int, spec hedgehog.Spec) {
				spec.(*hedgehog.ConnectionSpec).Unbundled = &hedgehog.Unbundled{Link: hedgehog.ServerLink{Server: port("srv", i), Switch: port("leaf", i*2+salt)}}
			})
			for i := range n {
				o := hedgehog.New(hedgehog.KindVPCAttachment, fmt.Sprintf("a-%d", i))
				*o.Spec.(*hedgehog.VPCAttachmentSpec) = hedgehog.VPCAttachmentSpec{Connection: fmt.Sprintf("o-%d", i), Subnet: fmt.Sprintf("vpc/s%d-%d", i, salt)}
				f.Add(o)
			}
			f.Add(hedgehog.New(hedgehog.KindServer, "srv"))
			return f
		},
		"a connection with many servers and attachments": func(n, salt int) *hedgehog.Fabric {
			o := hedgehog.New(hedgehog.KindConnection, "c")
			lag := &hedgehog.Bundled{}
			for i := range n {
				lag.Links = append(lag.Links, hedgehog.ServerLink{Server: port(fmt.Sprintf("srv-%d", i), 0), Switch: port("leaf", i*2+salt)})
			}
			o.Spec.(*hedgehog.ConnectionSpec).ESLAG = lag
			f := fabric(o)
			for i := range n {
				a := hedgehog.New(hedgehog.KindVPCAttachment, fmt.Sprintf("a-%d-%d", i, salt))
				*a.Spec.(*hedgehog.VPCAttachmentSpec) = hedgehog.VPCAttachmentSpec{Connection: "c", Subnet: fmt.Sprintf("vpc/s%d", i)}
				f.Add(a)
			}
			return f
		},
		"a leaf with many uplinks": func(n, salt int) *hedgehog.Fabric {
			return each(n, hedgehog.KindConnection, func(i int, spec hedgehog.Spec) {
				l := hedgehog.FabricLink{Spine: hedgehog.AddressedEnd{Port: port(fmt.Sprintf("spine-%d", i), 1).Port}, Leaf: hedgehog.AddressedEnd{Port: port("leaf", i*2+salt).Port}}
				spec.(*hedgehog.ConnectionSpec).Fabric = &hedgehog.FabricLinks{Links: []hedgehog.FabricLink{l}}
			})
		},
		"an external with many ways out and VPCs": func(n, salt int) *hedgehog.Fabric {
			f := each(n, hedgehog.KindConnection, func(i int, spec hedgehog.Spec) {
				spec.(*hedgehog.ConnectionSpec).External = &hedgehog.ExternalLink{Link: hedgehog.ExternalEnd{Switch: port("leaf", i*2+salt)}}
			})
			for i := range n {
				a := hedgehog.New(hedgehog.KindExternalAttachment, fmt.Sprintf("a-%d", i))
				*a.Spec.(*hedgehog.ExternalAttachmentSpec) = hedgehog.ExternalAttachmentSpec{External: "e", Connection: fmt.Sprintf("o-%d", i), Neighbor: hedgehog.AttachmentNeighbor{ASN: uint32(i + salt), IP: "192.0.2.1"}}
				f.Add(a)
				p := hedgehog.New(hedgehog.KindExternalPeering, fmt.Sprintf("p-%d", i))
				p.Spec.(*hedgehog.ExternalPeeringSpec).Permit = hedgehog.ExternalPermit{VPC: hedgehog.ExternalPermitVPC{Name: fmt.Sprintf("v-%d", i+salt)}, External: hedgehog.ExternalPermitExternal{Name: "e"}}
				f.Add(p)
			}
			f.Add(hedgehog.New(hedgehog.KindExternal, "e"))
			return f
		},
		"a VPC with many subnets, permits, routes and leases": func(n, salt int) *hedgehog.Fabric {
			o := hedgehog.New(hedgehog.KindVPC, "v")
			s := o.Spec.(*hedgehog.VPCSpec)
			s.Subnets = map[string]*hedgehog.VPCSubnet{}
			lease := map[string]hedgehog.DHCPStatic{}
			for i := range n {
				s.Subnets[fmt.Sprintf("s%d", i)] = &hedgehog.VPCSubnet{Subnet: fmt.Sprintf("10.%d.%d.0/24", i/256%256, i%256), VLAN: uint16(i + salt)}
				s.StaticRoutes = append(s.StaticRoutes, hedgehog.StaticRoute{Prefix: fmt.Sprintf("10.%d.%d.0/24", i/256%256, i%256), NextHops: []string{fmt.Sprint(salt)}})
				lease[fmt.Sprintf("m%d", i)] = hedgehog.DHCPStatic{IP: fmt.Sprint(salt)}
			}
			s.Subnets["s0"].DHCP.Static = lease
			list := []string{}
			for i := range n {
				list = append(list, fmt.Sprintf("s%d", i))
			}
			s.Permit = [][]string{list[salt:]}
			return fabric(o)
		},
		"many networks that lie in each other's": func(n, salt int) *hedgehog.Fabric {
			return each(n, hedgehog.KindVPC, func(i int, spec hedgehog.Spec) {
				spec.(*hedgehog.VPCSpec).Subnets = map[string]*hedgehog.VPCSubnet{"s": {Subnet: fmt.Sprintf("10.0.0.0/%d", (i+salt)%30+1), VLAN: uint16(i + salt)}}
			})
		},
		"many switches in one group": func(n, salt int) *hedgehog.Fabric {
			return each(n, hedgehog.KindSwitch, func(i int, spec hedgehog.Spec) {
				s := spec.(*hedgehog.SwitchSpec)
				s.ASN, s.IP = uint32(i+salt), fmt.Sprintf("10.0.%d.%d/21", i/256, i%256)
				if salt == 0 || i%2 == 0 {
					s.Redundancy.Group = "g"
				}
			})
		},
		"many peerings of one pair": func(n, salt int) *hedgehog.Fabric {
			return each(n, hedgehog.KindVPCPeering, func(i int, spec hedgehog.Spec) {
				spec.(*hedgehog.VPCPeeringSpec).Permit = []map[string]hedgehog.VPCPeer{{"a": {Subnets: []string{fmt.Sprint(i + salt)}}, "b": {}}}
			})
		},
		"a peering with many permits": func(n, salt int) *hedgehog.Fabric {
			o := hedgehog.New(hedgehog.KindVPCPeering, "p")
			for i := range n {
				o.Spec.(*hedgehog.VPCPeeringSpec).Permit = append(o.Spec.(*hedgehog.VPCPeeringSpec).Permit, map[string]hedgehog.VPCPeer{fmt.Sprint(i): {}, fmt.Sprint(i + salt + 1): {}})
			}
			return fabric(o)
		},
		"a gateway peering that shows much, with many rules": func(n, salt int) *hedgehog.Fabric {
			o := hedgehog.New(hedgehog.KindGatewayPeering, "p")
			e := hedgehog.Expose{}
			acl := &hedgehog.PeeringACL{Default: "deny"}
			for i := range n {
				e.IPs = append(e.IPs, hedgehog.ExposedIP{CIDR: fmt.Sprintf("10.%d.%d.%d/32", i/65536%256, i/256%256, i%256)}, hedgehog.ExposedIP{Not: fmt.Sprintf("no network %d", i+salt)})
				acl.Rules = append(acl.Rules, hedgehog.PeeringACLRule{Name: fmt.Sprintf("r%d", i), Action: "allow", From: fmt.Sprint(salt)})
			}
			*o.Spec.(*hedgehog.GatewayPeeringSpec) = hedgehog.GatewayPeeringSpec{Peering: map[string]*hedgehog.PeeringSide{"a": {Expose: []hedgehog.Expose{e}}, "b": {}}, ACL: acl}
			return fabric(o)
		},
		"a namespace with many networks, used by many": func(n, salt int) *hedgehog.Fabric {
			f := each(n, hedgehog.KindVPC, func(i int, spec hedgehog.Spec) {
				*spec.(*hedgehog.VPCSpec) = hedgehog.VPCSpec{IPv4Namespace: "d", Subnets: map[string]*hedgehog.VPCSubnet{"s": {Subnet: fmt.Sprintf("10.%d.%d.0/24", i/256%256, i%256)}}}
			})
			ns := hedgehog.New(hedgehog.KindIPv4Namespace, "d")
			for i := range n {
				ns.Spec.(*hedgehog.IPv4NamespaceSpec).Subnets = append(ns.Spec.(*hedgehog.IPv4NamespaceSpec).Subnets, fmt.Sprintf("%d.%d.%d.0/24", 10+salt, i/256%256, i%256))
			}
			f.Add(ns)
			return f
		},
		"all objects renamed": func(n, salt int) *hedgehog.Fabric {
			f := &hedgehog.Fabric{}
			for i := range n {
				o := hedgehog.New(hedgehog.KindVPC, fmt.Sprintf("o-%d-%d", i, salt))
				*o.Spec.(*hedgehog.VPCSpec) = hedgehog.VPCSpec{Subnets: map[string]*hedgehog.VPCSubnet{"s": {Subnet: fmt.Sprintf("10.%d.%d.0/24", i/256%256, i%256), VLAN: uint16(i)}}}
				f.Add(o)
			}
			return f
		},
		"all objects of an unknown kind": func(n, salt int) *hedgehog.Fabric {
			f := &hedgehog.Fabric{}
			for i := range n {
				o := hedgehog.New("Novelty", fmt.Sprintf("o-%d", i))
				o.Spec = hedgehog.Raw{"spec": map[string]any{"a": float64(salt)}}
				f.Add(o)
			}
			return f
		},
	}
}

// Time grows with the number of objects, however they hang together. It counts what
// this process computes, so that a busy machine does not matter; for that reason
// the test does not run beside others.
func TestTimeIsLinear(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED, it takes a while")
	}
	const small, factor = 2000, 4
	for name, shape := range shapes() {
		t.Run(name, func(t *testing.T) {
			cost := func(n int) time.Duration {
				before, after := shape(n, 0), shape(n, 1)
				best := time.Hour
				for range 2 {
					start := computed(t)
					r := request("f", before, after)
					r.Body(bodyLimit)
					r.StepSummary()
					best = min(best, computed(t)-start)
					if r.Changes.Len() == 0 {
						t.Fatal("nothing differs")
					}
				}
				return best
			}
			one, many := cost(small), cost(factor*small)
			t.Logf("%d: %s, %d: %s", small, one, factor*small, many)
			// A square would be 16 times; what does not grow hides some of that.
			if many > 50*time.Millisecond+10*one {
				t.Errorf("%d take %s, %d take %s", small, one, factor*small, many)
			}
		})
	}
}

// computed returns how long this process has computed so far.
func computed(t *testing.T) time.Duration {
	t.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		t.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano())
}
