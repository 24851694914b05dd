package netbox

import (
	"fmt"

	"hedgehog-gitops/render/hedgehog"
)

// complete reports rows that refer to a row which the snapshot does not have: a
// fabric made from the rest would be smaller than the one in NetBox. What is
// assigned to, or cabled to, a device that was not read is no such gap.
func (m *mapper) complete() bool {
	before := len(m.issues)
	gap := func(at row, field, model string, id ID) {
		m.fail("snapshot-incomplete", hedgehog.Key{}, at, field,
			fmt.Sprintf("the record refers to %s %d, which is not in the snapshot", model, id),
			"take the snapshot again, with a token that may view every model the tool reads")
	}
	for i := range m.rows.Devices {
		d := &m.rows.Devices[i]
		if m.deviceTypes[d.DeviceType] == nil {
			gap(d, "device_type", "device type", d.DeviceType)
		}
		if m.deviceRoles[d.Role] == nil {
			gap(d, "role", "device role", d.Role)
		}
		if d.Location != 0 && m.locations[d.Location] == nil {
			gap(d, "location", "location", d.Location)
		}
	}
	for i := range m.rows.Interfaces {
		p := &m.rows.Interfaces[i]
		if m.devices[p.Device] == nil {
			gap(p, "device", "device", p.Device)
		}
		if p.LAG != 0 && m.interfaces[p.LAG] == nil {
			gap(p, "lag", "interface", p.LAG)
		}
		if p.Parent != 0 && m.interfaces[p.Parent] == nil {
			gap(p, "parent", "interface", p.Parent)
		}
		if p.UntaggedVLAN != 0 && m.vlans[p.UntaggedVLAN] == nil {
			gap(p, "untagged_vlan", "VLAN", p.UntaggedVLAN)
		}
		for _, id := range p.TaggedVLANs {
			if m.vlans[id] == nil {
				gap(p, "tagged_vlans", "VLAN", id)
			}
		}
		if p.VRF != 0 && m.vrfs[p.VRF] == nil {
			gap(p, "vrf", "VRF", p.VRF)
		}
		if t := m.termination[portRef{"dcim.interface", p.ID}]; t != nil && m.cables[t.Cable] == nil {
			gap(p, "cable", "cable", t.Cable)
		}
	}
	for i := range m.rows.Prefixes {
		p := &m.rows.Prefixes[i]
		if p.VRF != 0 && m.vrfs[p.VRF] == nil {
			gap(p, "vrf", "VRF", p.VRF)
		}
		if p.VLAN != 0 && m.vlans[p.VLAN] == nil {
			gap(p, "vlan", "VLAN", p.VLAN)
		}
	}
	for i := range m.rows.VLANs {
		if v := &m.rows.VLANs[i]; v.Group != 0 && m.vlanGroups[v.Group] == nil {
			gap(v, "group", "VLAN group", v.Group)
		}
	}
	for i := range m.rows.DeviceTypes {
		if t := &m.rows.DeviceTypes[i]; m.makers[t.Manufacturer] == nil {
			gap(t, "manufacturer", "manufacturer", t.Manufacturer)
		}
	}
	for i := range m.rows.IPRanges {
		if r := &m.rows.IPRanges[i]; r.Role != 0 && m.ipamRoles[r.Role] == nil {
			gap(r, "role", "IPAM role", r.Role)
		}
	}
	return len(m.issues) == before
}
