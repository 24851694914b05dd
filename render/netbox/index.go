package netbox

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"hedgehog-gitops/render/hedgehog"
)

// Index holds the rows of a snapshot by what they are looked up by. It is built
// once and serves every fabric of the snapshot.
type Index struct {
	rows *Rows

	sites        map[ID]*Site
	locations    map[ID]*Location
	regions      map[ID]*Region
	siteGroups   map[ID]*SiteGroup
	makers       map[ID]*Manufacturer
	deviceTypes  map[ID]*DeviceType
	deviceRoles  map[ID]*DeviceRole
	devices      map[ID]*Device
	interfaces   map[ID]*Interface
	frontPorts   map[ID]*FrontPort
	rearPorts    map[ID]*RearPort
	cables       map[ID]*Cable
	circuits     map[ID]*Circuit
	circuitTerms map[ID]*CircuitTermination
	providers    map[ID]*Provider
	asns         map[ID]*ASN
	ipamRoles    map[ID]*IPAMRole
	vlanGroups   map[ID]*VLANGroup
	vlans        map[ID]*VLAN
	vrfs         map[ID]*VRF
	addresses    map[ID]*IPAddress

	interfacesOf   map[ID][]*Interface // of a device
	childrenOf     map[ID][]*Interface // sub-interfaces and channels of an interface
	termination    map[portRef]*CableTermination
	terminationsOf map[ID][]*CableTermination // of a cable
	frontsOf       map[ID][]*FrontPort        // of a rear port
	addressesOn    map[ID][]*IPAddress        // of an interface
	addressesIn    map[ID][]*IPAddress        // of a VRF; 0 is the global table
	rangesIn       map[ID][]*IPRange          // of a VRF
	prefixesIn     map[ID][]*Prefix           // of a VRF
}

// portRef is a port that a cable can end at: its model and id.
type portRef struct {
	kind string
	id   ID
}

// NewIndex builds the index of a snapshot, which must not change afterwards.
func NewIndex(s *Snapshot) *Index {
	r := &s.Rows
	x := &Index{
		rows:           r,
		sites:          byID(r.Sites, func(v *Site) ID { return v.ID }),
		locations:      byID(r.Locations, func(v *Location) ID { return v.ID }),
		regions:        byID(r.Regions, func(v *Region) ID { return v.ID }),
		siteGroups:     byID(r.SiteGroups, func(v *SiteGroup) ID { return v.ID }),
		makers:         byID(r.Manufacturers, func(v *Manufacturer) ID { return v.ID }),
		deviceTypes:    byID(r.DeviceTypes, func(v *DeviceType) ID { return v.ID }),
		deviceRoles:    byID(r.DeviceRoles, func(v *DeviceRole) ID { return v.ID }),
		devices:        byID(r.Devices, func(v *Device) ID { return v.ID }),
		interfaces:     byID(r.Interfaces, func(v *Interface) ID { return v.ID }),
		frontPorts:     byID(r.FrontPorts, func(v *FrontPort) ID { return v.ID }),
		rearPorts:      byID(r.RearPorts, func(v *RearPort) ID { return v.ID }),
		cables:         byID(r.Cables, func(v *Cable) ID { return v.ID }),
		circuits:       byID(r.Circuits, func(v *Circuit) ID { return v.ID }),
		circuitTerms:   byID(r.CircuitTerminations, func(v *CircuitTermination) ID { return v.ID }),
		providers:      byID(r.Providers, func(v *Provider) ID { return v.ID }),
		asns:           byID(r.ASNs, func(v *ASN) ID { return v.ID }),
		ipamRoles:      byID(r.IPAMRoles, func(v *IPAMRole) ID { return v.ID }),
		vlanGroups:     byID(r.VLANGroups, func(v *VLANGroup) ID { return v.ID }),
		vlans:          byID(r.VLANs, func(v *VLAN) ID { return v.ID }),
		vrfs:           byID(r.VRFs, func(v *VRF) ID { return v.ID }),
		addresses:      byID(r.IPAddresses, func(v *IPAddress) ID { return v.ID }),
		interfacesOf:   grouped(r.Interfaces, func(v *Interface) ID { return v.Device }),
		childrenOf:     grouped(r.Interfaces, func(v *Interface) ID { return v.Parent }),
		terminationsOf: grouped(r.CableTerminations, func(v *CableTermination) ID { return v.Cable }),
		addressesIn:    grouped(r.IPAddresses, func(v *IPAddress) ID { return v.VRF }),
		rangesIn:       grouped(r.IPRanges, func(v *IPRange) ID { return v.VRF }),
		prefixesIn:     grouped(r.Prefixes, func(v *Prefix) ID { return v.VRF }),
		termination:    make(map[portRef]*CableTermination, len(r.CableTerminations)),
		frontsOf:       map[ID][]*FrontPort{},
		addressesOn:    map[ID][]*IPAddress{},
	}
	delete(x.childrenOf, 0)
	for i := range r.CableTerminations {
		t := &r.CableTerminations[i]
		x.termination[portRef{t.Type, t.Port}] = t
	}
	for i := range r.FrontPorts {
		f := &r.FrontPorts[i]
		for _, m := range f.RearPorts {
			if !slices.Contains(x.frontsOf[m.RearPort], f) {
				x.frontsOf[m.RearPort] = append(x.frontsOf[m.RearPort], f)
			}
		}
	}
	for i := range r.IPAddresses {
		if a := &r.IPAddresses[i]; a.Type == "dcim.interface" {
			x.addressesOn[a.Object] = append(x.addressesOn[a.Object], a)
		}
	}
	return x
}

func byID[T any](rows []T, id func(*T) ID) map[ID]*T {
	m := make(map[ID]*T, len(rows))
	for i := range rows {
		m[id(&rows[i])] = &rows[i]
	}
	return m
}

func grouped[T any](rows []T, id func(*T) ID) map[ID][]*T {
	m := map[ID][]*T{}
	for i := range rows {
		k := id(&rows[i])
		m[k] = append(m[k], &rows[i])
	}
	return m
}

// deviceOf returns the device that an interface belongs to, or nil.
func (x *Index) deviceOf(i *Interface) *Device { return x.devices[i.Device] }

// row is a row of the snapshot with a web address of its own.
type row interface{ path() string }

func path(area string, id ID) string { return area + strconv.FormatInt(int64(id), 10) + "/" }

func (v *Site) path() string               { return path("/dcim/sites/", v.ID) }
func (v *Location) path() string           { return path("/dcim/locations/", v.ID) }
func (v *DeviceType) path() string         { return path("/dcim/device-types/", v.ID) }
func (v *Manufacturer) path() string       { return path("/dcim/manufacturers/", v.ID) }
func (v *DeviceRole) path() string         { return path("/dcim/device-roles/", v.ID) }
func (v *Device) path() string             { return path("/dcim/devices/", v.ID) }
func (v *Interface) path() string          { return path("/dcim/interfaces/", v.ID) }
func (v *Cable) path() string              { return path("/dcim/cables/", v.ID) }
func (v *FrontPort) path() string          { return path("/dcim/front-ports/", v.ID) }
func (v *RearPort) path() string           { return path("/dcim/rear-ports/", v.ID) }
func (v *Circuit) path() string            { return path("/circuits/circuits/", v.ID) }
func (v *CircuitTermination) path() string { return path("/circuits/circuit-terminations/", v.ID) }
func (v *Provider) path() string           { return path("/circuits/providers/", v.ID) }
func (v *ASN) path() string                { return path("/ipam/asns/", v.ID) }
func (v *VLANGroup) path() string          { return path("/ipam/vlan-groups/", v.ID) }
func (v *VLAN) path() string               { return path("/ipam/vlans/", v.ID) }
func (v *VRF) path() string                { return path("/ipam/vrfs/", v.ID) }
func (v *RouteTarget) path() string        { return path("/ipam/route-targets/", v.ID) }
func (v *Prefix) path() string             { return path("/ipam/prefixes/", v.ID) }
func (v *IPRange) path() string            { return path("/ipam/ip-ranges/", v.ID) }
func (v *IPAddress) path() string          { return path("/ipam/ip-addresses/", v.ID) }

func origin(r row) hedgehog.Origin { return hedgehog.Origin{Path: r.path()} }

// Digester returns a function that gives the SHA-256, in hexadecimal, of the
// rows that an object was made of. The function remembers the rows it has seen
// and may not be called from several goroutines.
func (x *Index) Digester() func([]hedgehog.Origin) (string, error) {
	byArea := map[string]func(ID) (any, bool){
		"/dcim/sites/":                    finder(x.sites),
		"/dcim/locations/":                finder(x.locations),
		"/dcim/device-types/":             finder(x.deviceTypes),
		"/dcim/manufacturers/":            finder(x.makers),
		"/dcim/device-roles/":             finder(x.deviceRoles),
		"/dcim/devices/":                  finder(x.devices),
		"/dcim/interfaces/":               finder(x.interfaces),
		"/dcim/cables/":                   finder(x.cables),
		"/dcim/front-ports/":              finder(x.frontPorts),
		"/dcim/rear-ports/":               finder(x.rearPorts),
		"/circuits/circuits/":             finder(x.circuits),
		"/circuits/circuit-terminations/": finder(x.circuitTerms),
		"/circuits/providers/":            finder(x.providers),
		"/ipam/asns/":                     finder(x.asns),
		"/ipam/vlan-groups/":              finder(x.vlanGroups),
		"/ipam/vlans/":                    finder(x.vlans),
		"/ipam/vrfs/":                     finder(x.vrfs),
		"/ipam/route-targets/":            finder(byID(x.rows.RouteTargets, func(v *RouteTarget) ID { return v.ID })),
		"/ipam/prefixes/":                 finder(byID(x.rows.Prefixes, func(v *Prefix) ID { return v.ID })),
		"/ipam/ip-ranges/":                finder(byID(x.rows.IPRanges, func(v *IPRange) ID { return v.ID })),
		"/ipam/ip-addresses/":             finder(x.addresses),
	}
	seen := map[string][sha256.Size]byte{}
	return func(origins []hedgehog.Origin) (string, error) {
		all := sha256.New()
		for _, o := range origins {
			sum, ok := seen[o.Path]
			if !ok {
				cut := strings.LastIndexByte(strings.TrimSuffix(o.Path, "/"), '/') + 1
				id, err := strconv.ParseInt(strings.TrimSuffix(o.Path[cut:], "/"), 10, 64)
				find := byArea[o.Path[:cut]]
				if err != nil || find == nil {
					return "", fmt.Errorf("%s is no row of a snapshot", o.Path)
				}
				row, ok := find(ID(id))
				if !ok {
					return "", fmt.Errorf("%s is not in the snapshot", o.Path)
				}
				data, err := json.Marshal(row)
				if err != nil {
					return "", fmt.Errorf("encoding %s: %w", o.Path, err)
				}
				sum = sha256.Sum256(data)
				seen[o.Path] = sum
			}
			all.Write([]byte(o.Path))
			all.Write(sum[:])
		}
		return hex.EncodeToString(all.Sum(nil)), nil
	}
}

func finder[T any](rows map[ID]*T) func(ID) (any, bool) {
	return func(id ID) (any, bool) {
		row, ok := rows[id]
		return row, ok
	}
}
