package rest

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	nb "github.com/netbox-community/go-netbox/v4"

	"hedgehog-gitops/render/netbox"
)

// This file says what of NetBox's models is read, and how a row of an answer
// becomes a row of the snapshot. Answers are taken as they come: unknown keys
// are passed over, and a value may be nested or plain where NetBox's versions
// differ.

type key = netbox.ID

// ref is a reference to another record: nested, a plain id, or null.
type ref struct{ ID key }

func (r *ref) UnmarshalJSON(data []byte) error {
	*r = ref{}
	switch {
	case data[0] == 'n':
		return nil
	case data[0] == '{':
		var nested struct {
			ID key `json:"id"`
		}
		err := json.Unmarshal(data, &nested)
		r.ID = nested.ID
		return err
	}
	return json.Unmarshal(data, &r.ID)
}

// choice is a value out of a list: {"value": .., "label": ..}, plain, or null.
type choice string

func (c *choice) UnmarshalJSON(data []byte) error {
	*c = ""
	switch {
	case data[0] == 'n':
		return nil
	case data[0] == '{':
		var nested struct {
			Value *string `json:"value"`
		}
		err := json.Unmarshal(data, &nested)
		if nested.Value != nil {
			*c = choice(*nested.Value)
		}
		return err
	}
	return json.Unmarshal(data, (*string)(c))
}

// text is a string or null.
type text string

func (t *text) UnmarshalJSON(data []byte) error {
	*t = ""
	if data[0] == 'n' {
		return nil
	}
	return json.Unmarshal(data, (*string)(t))
}

// number is a whole number or null.
type number int64

func (n *number) UnmarshalJSON(data []byte) error {
	*n = 0
	if data[0] == 'n' {
		return nil
	}
	return json.Unmarshal(data, (*int64)(n))
}

type refs []ref

func (r refs) ids() []key {
	if len(r) == 0 {
		return nil
	}
	ids := make([]key, len(r))
	for i := range r {
		ids[i] = r[i].ID
	}
	slices.Sort(ids)
	return ids
}

type tags []struct {
	Slug string `json:"slug"`
}

func (t tags) slugs() []string {
	if len(t) == 0 {
		return nil
	}
	slugs := make([]string, len(t))
	for i := range t {
		slugs[i] = t[i].Slug
	}
	slices.Sort(slugs)
	return slugs
}

// customFields are the fields of a record as they came; only those of the
// mapping are kept.
type customFields map[string]json.RawMessage

const fieldPrefix = "hedgehog_"

// fieldTypes is the type of every custom field whose name begins with hedgehog_,
// as NetBox defines it.
type fieldTypes map[string]fieldType

type fieldType struct {
	Type    string
	Related string
}

// normal returns the fields as the snapshot has them, and what they refer to.
func (t fieldTypes) normal(c customFields) (netbox.Fields, []link, error) {
	var fields netbox.Fields
	var links []link
	for name, raw := range c {
		if !strings.HasPrefix(name, fieldPrefix) || bytes.Equal(raw, []byte("null")) {
			continue
		}
		kind, known := t[name]
		if !known {
			return nil, nil, fmt.Errorf("%w: a custom field %s that NetBox does not define", errShape, name)
		}
		var value any
		d := json.NewDecoder(bytes.NewReader(raw))
		d.UseNumber()
		if err := d.Decode(&value); err != nil {
			return nil, nil, err
		}
		object := func(item any) (any, error) {
			id := item
			if nested, ok := item.(map[string]any); ok {
				id = nested["id"]
			}
			n, ok := id.(json.Number)
			if !ok {
				return nil, fmt.Errorf("%w: the custom field %s refers to nothing", errShape, name)
			}
			to, err := n.Int64()
			if err != nil {
				return nil, err
			}
			links = append(links, link{model: kind.Related, id: key(to), field: name})
			return map[string]any{"id": n}, nil
		}
		var err error
		switch kind.Type {
		case netbox.FieldSelect:
			if nested, ok := value.(map[string]any); ok {
				value = nested["value"]
			}
		case netbox.FieldBoolean:
			if n, ok := value.(json.Number); ok {
				value = n != "0"
			}
		case netbox.FieldObject:
			value, err = object(value)
		case netbox.FieldObjects:
			items, ok := value.([]any)
			if !ok {
				return nil, nil, fmt.Errorf("%w: the custom field %s is no list", errShape, name)
			}
			for i := range items {
				if items[i], err = object(items[i]); err != nil {
					break
				}
			}
			slices.SortFunc(items, func(a, b any) int {
				return compareNumbers(a.(map[string]any)["id"], b.(map[string]any)["id"])
			})
		case "multiselect":
			if items, ok := value.([]any); ok {
				for i := range items {
					if nested, ok := items[i].(map[string]any); ok {
						items[i] = nested["value"]
					}
				}
			}
		}
		if err != nil {
			return nil, nil, err
		}
		if value == nil {
			continue
		}
		if fields == nil {
			fields = netbox.Fields{}
		}
		fields[name] = value
	}
	return fields, links, nil
}

func compareNumbers(a, b any) int {
	x, _ := a.(json.Number).Int64()
	y, _ := b.(json.Number).Int64()
	return cmp.Compare(x, y)
}

// link is a reference from a row to a record of another model.
type link struct {
	model string
	id    key
	field string
}

// extra is what the reader needs of a row besides what the snapshot keeps.
type extra struct {
	links []link
	cable key   // of a port
	ports []key // that a panel's port leads to
}

func (x *extra) to(model string, id key, field string) key {
	if id != 0 {
		x.links = append(x.links, link{model, id, field})
	}
	return id
}

func (x *extra) toAll(model string, ids []key, field string) []key {
	for _, id := range ids {
		x.to(model, id, field)
	}
	return ids
}

func (x *extra) fields(t fieldTypes, c customFields) (netbox.Fields, error) {
	fields, links, err := t.normal(c)
	x.links = append(x.links, links...)
	return fields, err
}

// wire is a row as NetBox sends it. Row returns it as the snapshot has it.
type wire[R any] interface {
	id() key
	row(fieldTypes) (R, extra, error)
}

const (
	modelRegion, modelSiteGroup, modelSite, modelLocation              = "dcim.region", "dcim.sitegroup", "dcim.site", "dcim.location"
	modelManufacturer, modelDeviceType, modelDeviceRole, modelDevice   = "dcim.manufacturer", "dcim.devicetype", "dcim.devicerole", "dcim.device"
	modelInterface, modelFrontPort, modelRearPort                      = "dcim.interface", "dcim.frontport", "dcim.rearport"
	modelCable, modelTermination                                       = "dcim.cable", "dcim.cabletermination"
	modelProvider, modelCircuit, modelCircuitTermination               = "circuits.provider", "circuits.circuit", "circuits.circuittermination"
	modelASN, modelRole, modelVLANGroup, modelVLAN                     = "ipam.asn", "ipam.role", "ipam.vlangroup", "ipam.vlan"
	modelTarget, modelVRF, modelPrefix, modelRange, modelAddress       = "ipam.routetarget", "ipam.vrf", "ipam.prefix", "ipam.iprange", "ipam.ipaddress"
	modelField, modelChoiceSet, modelTag, modelChange, modelMACAddress = "extras.customfield", "extras.customfieldchoiceset", "extras.tag", "core.objectchange", "dcim.macaddress"
)

// sources returns what is read of each model.
func sources() map[string]*source {
	all := map[string]*source{}
	add := func(model, noun, fields string, list func(context.Context, *nb.APIClient) error) *source {
		s := &source{model: model, noun: noun, fields: strings.Split(fields, ","), list: list}
		all[model] = s
		return s
	}
	add(modelRegion, "regions", "id,parent", func(ctx context.Context, api *nb.APIClient) error {
		_, _, err := api.DcimAPI.DcimRegionsList(ctx).Execute()
		return err
	})
	add(modelSiteGroup, "site groups", "id,parent", func(ctx context.Context, api *nb.APIClient) error {
		_, _, err := api.DcimAPI.DcimSiteGroupsList(ctx).Execute()
		return err
	})
	add(modelSite, "sites", "id,name,slug,region,group,custom_fields", func(ctx context.Context, api *nb.APIClient) error {
		_, _, err := api.DcimAPI.DcimSitesList(ctx).Execute()
		return err
	})
	add(modelLocation, "locations", "id,name,slug,site,parent,custom_fields", func(ctx context.Context, api *nb.APIClient) error {
		_, _, err := api.DcimAPI.DcimLocationsList(ctx).Execute()
		return err
	})
	add(modelManufacturer, "manufacturers", "id,name,slug", func(ctx context.Context, api *nb.APIClient) error {
		_, _, err := api.DcimAPI.DcimManufacturersList(ctx).Execute()
		return err
	})
	add(modelDeviceType, "device types", "id,manufacturer,model,slug,part_number,custom_fields", func(ctx context.Context, api *nb.APIClient) error {
		_, _, err := api.DcimAPI.DcimDeviceTypesList(ctx).Execute()
		return err
	})
	add(modelDeviceRole, "device roles", "id,slug,parent", func(ctx context.Context, api *nb.APIClient) error {
		_, _, err := api.DcimAPI.DcimDeviceRolesList(ctx).Execute()
		return err
	})
	add(modelDevice, "devices", "id,name,device_type,role,site,location,status,serial,description,oob_ip,primary_ip4,config_context,tags,custom_fields", func(ctx context.Context, api *nb.APIClient) error {
		_, _, err := api.DcimAPI.DcimDevicesList(ctx).Execute()
		return err
	})
	add(modelInterface, "interfaces", "id,device,name,label,type,enabled,parent,lag,mtu,speed,mode,untagged_vlan,tagged_vlans,vrf,mac_address,mgmt_only,custom_fields,cable", func(ctx context.Context, api *nb.APIClient) error {
		_, _, err := api.DcimAPI.DcimInterfacesList(ctx).Execute()
		return err
	}).optional = []string{"channels", "channel_id"}
	add(modelFrontPort, "front ports", "id,device,name,rear_ports,cable", func(ctx context.Context, api *nb.APIClient) error {
		_, _, err := api.DcimAPI.DcimFrontPortsList(ctx).Execute()
		return err
	})
	add(modelRearPort, "rear ports", "id,device,name,positions,front_ports,cable", func(ctx context.Context, api *nb.APIClient) error {
		_, _, err := api.DcimAPI.DcimRearPortsList(ctx).Execute()
		return err
	})
	add(modelCable, "cables", "id,status,profile,label,custom_fields", func(ctx context.Context, api *nb.APIClient) error {
		_, _, err := api.DcimAPI.DcimCablesList(ctx).Execute()
		return err
	})
	add(modelTermination, "cable terminations", "id,cable,cable_end,termination_type,termination_id,connector,positions", func(ctx context.Context, api *nb.APIClient) error {
		_, _, err := api.DcimAPI.DcimCableTerminationsList(ctx).Execute()
		return err
	})
	add(modelProvider, "providers", "id,name,asns", func(ctx context.Context, api *nb.APIClient) error {
		_, _, err := api.CircuitsAPI.CircuitsProvidersList(ctx).Execute()
		return err
	})
	add(modelCircuit, "circuits", "id,cid,provider", func(ctx context.Context, api *nb.APIClient) error {
		_, _, err := api.CircuitsAPI.CircuitsCircuitsList(ctx).Execute()
		return err
	})
	add(modelCircuitTermination, "circuit terminations", "id,circuit,term_side", func(ctx context.Context, api *nb.APIClient) error {
		_, _, err := api.CircuitsAPI.CircuitsCircuitTerminationsList(ctx).Execute()
		return err
	})
	add(modelASN, "AS numbers", "id,asn", func(ctx context.Context, api *nb.APIClient) error {
		_, _, err := api.IpamAPI.IpamAsnsList(ctx).Execute()
		return err
	})
	add(modelRole, "IPAM roles", "id,slug", func(ctx context.Context, api *nb.APIClient) error {
		_, _, err := api.IpamAPI.IpamRolesList(ctx).Execute()
		return err
	})
	add(modelVLANGroup, "VLAN groups", "id,name,slug,scope_type,scope_id,vid_ranges,tags,custom_fields", func(ctx context.Context, api *nb.APIClient) error {
		_, _, err := api.IpamAPI.IpamVlanGroupsList(ctx).Execute()
		return err
	})
	add(modelVLAN, "VLANs", "id,vid,name,group,status", func(ctx context.Context, api *nb.APIClient) error {
		_, _, err := api.IpamAPI.IpamVlansList(ctx).Execute()
		return err
	})
	add(modelTarget, "route targets", "id,name,tags,custom_fields", func(ctx context.Context, api *nb.APIClient) error {
		_, _, err := api.IpamAPI.IpamRouteTargetsList(ctx).Execute()
		return err
	})
	add(modelVRF, "VRFs", "id,name,rd,import_targets,export_targets,custom_fields", func(ctx context.Context, api *nb.APIClient) error {
		_, _, err := api.IpamAPI.IpamVrfsList(ctx).Execute()
		return err
	})
	add(modelPrefix, "prefixes", "id,prefix,vrf,vlan,status,scope_type,scope_id,tags,custom_fields", func(ctx context.Context, api *nb.APIClient) error {
		_, _, err := api.IpamAPI.IpamPrefixesList(ctx).Execute()
		return err
	})
	add(modelRange, "IP ranges", "id,start_address,end_address,vrf,role,status", func(ctx context.Context, api *nb.APIClient) error {
		_, _, err := api.IpamAPI.IpamIpRangesList(ctx).Execute()
		return err
	})
	add(modelAddress, "IP addresses", "id,address,vrf,status,role,assigned_object_type,assigned_object_id", func(ctx context.Context, api *nb.APIClient) error {
		_, _, err := api.IpamAPI.IpamIpAddressesList(ctx).Execute()
		return err
	})

	add(modelField, "custom fields", "id,name,label,type,object_types,related_object_type,choice_set", func(ctx context.Context, api *nb.APIClient) error {
		_, _, err := api.ExtrasAPI.ExtrasCustomFieldsList(ctx).Execute()
		return err
	}).optional = []string{"status"}
	add(modelChoiceSet, "choice sets", "id,name,extra_choices", func(ctx context.Context, api *nb.APIClient) error {
		_, _, err := api.ExtrasAPI.ExtrasCustomFieldChoiceSetsList(ctx).Execute()
		return err
	})
	add(modelTag, "tags", "id,name,slug,object_types", func(ctx context.Context, api *nb.APIClient) error {
		_, _, err := api.ExtrasAPI.ExtrasTagsList(ctx).Execute()
		return err
	})
	add(modelChange, "the change log", "id,action,changed_object_type,changed_object_id", func(ctx context.Context, api *nb.APIClient) error {
		_, _, err := api.CoreAPI.CoreObjectChangesList(ctx).Execute()
		return err
	})
	add(modelMACAddress, "MAC addresses", "id,assigned_object_type,assigned_object_id", func(ctx context.Context, api *nb.APIClient) error {
		_, _, err := api.DcimAPI.DcimMacAddressesList(ctx).Execute()
		return err
	})
	return all
}

// keyed is the id that every row has.
type keyed struct {
	ID key `json:"id"`
}

func (k keyed) id() key { return k.ID }

type regionWire struct {
	keyed
	Parent ref `json:"parent"`
}

func (w regionWire) row(fieldTypes) (netbox.Region, extra, error) {
	var x extra
	return netbox.Region{ID: w.ID, Parent: x.to(modelRegion, w.Parent.ID, "parent")}, x, nil
}

type siteGroupWire struct {
	keyed
	Parent ref `json:"parent"`
}

func (w siteGroupWire) row(fieldTypes) (netbox.SiteGroup, extra, error) {
	var x extra
	row := netbox.SiteGroup{ID: w.ID, Parent: x.to(modelSiteGroup, w.Parent.ID, "parent")}
	return row, x, nil
}

type siteWire struct {
	keyed
	Name   string       `json:"name"`
	Slug   string       `json:"slug"`
	Region ref          `json:"region"`
	Group  ref          `json:"group"`
	Fields customFields `json:"custom_fields"`
}

func (w siteWire) row(t fieldTypes) (row netbox.Site, x extra, err error) {
	row = netbox.Site{
		ID: w.ID, Name: w.Name, Slug: w.Slug,
		Region: x.to(modelRegion, w.Region.ID, "region"),
		Group:  x.to(modelSiteGroup, w.Group.ID, "group"),
	}
	row.Fields, err = x.fields(t, w.Fields)
	return row, x, err
}

type locationWire struct {
	keyed
	Name   string       `json:"name"`
	Slug   string       `json:"slug"`
	Site   ref          `json:"site"`
	Parent ref          `json:"parent"`
	Fields customFields `json:"custom_fields"`
}

func (w locationWire) row(t fieldTypes) (row netbox.Location, x extra, err error) {
	row = netbox.Location{
		ID: w.ID, Name: w.Name, Slug: w.Slug,
		Site:   x.to(modelSite, w.Site.ID, "site"),
		Parent: x.to(modelLocation, w.Parent.ID, "parent"),
	}
	row.Fields, err = x.fields(t, w.Fields)
	return row, x, err
}

type manufacturerWire struct {
	keyed
	Name string `json:"name"`
	Slug string `json:"slug"`
}

func (w manufacturerWire) row(fieldTypes) (netbox.Manufacturer, extra, error) {
	return netbox.Manufacturer{ID: w.ID, Name: w.Name, Slug: w.Slug}, extra{}, nil
}

type deviceTypeWire struct {
	keyed
	Manufacturer ref          `json:"manufacturer"`
	Model        string       `json:"model"`
	Slug         string       `json:"slug"`
	PartNumber   text         `json:"part_number"`
	Fields       customFields `json:"custom_fields"`
}

func (w deviceTypeWire) row(t fieldTypes) (row netbox.DeviceType, x extra, err error) {
	row = netbox.DeviceType{
		ID: w.ID, Model: w.Model, Slug: w.Slug, PartNumber: string(w.PartNumber),
		Manufacturer: x.to(modelManufacturer, w.Manufacturer.ID, "manufacturer"),
	}
	row.Fields, err = x.fields(t, w.Fields)
	return row, x, err
}

type deviceRoleWire struct {
	keyed
	Slug   string `json:"slug"`
	Parent ref    `json:"parent"`
}

func (w deviceRoleWire) row(fieldTypes) (netbox.DeviceRole, extra, error) {
	var x extra
	row := netbox.DeviceRole{ID: w.ID, Slug: w.Slug, Parent: x.to(modelDeviceRole, w.Parent.ID, "parent")}
	return row, x, nil
}

type deviceWire struct {
	keyed
	Name        text            `json:"name"`
	DeviceType  ref             `json:"device_type"`
	Role        ref             `json:"role"`
	Site        ref             `json:"site"`
	Location    ref             `json:"location"`
	Status      choice          `json:"status"`
	Serial      text            `json:"serial"`
	Description text            `json:"description"`
	OOBIP       ref             `json:"oob_ip"`
	PrimaryIP4  ref             `json:"primary_ip4"`
	Context     json.RawMessage `json:"config_context"`
	Tags        tags            `json:"tags"`
	Fields      customFields    `json:"custom_fields"`
}

func (w deviceWire) row(t fieldTypes) (row netbox.Device, x extra, err error) {
	row = netbox.Device{
		ID: w.ID, Name: string(w.Name), Status: string(w.Status), Serial: string(w.Serial),
		Description: string(w.Description), Tags: w.Tags.slugs(),
		DeviceType: x.to(modelDeviceType, w.DeviceType.ID, "device_type"),
		Role:       x.to(modelDeviceRole, w.Role.ID, "role"),
		Site:       x.to(modelSite, w.Site.ID, "site"),
		Location:   x.to(modelLocation, w.Location.ID, "location"),
		OOBIP:      x.to(modelAddress, w.OOBIP.ID, "oob_ip"),
		PrimaryIP4: x.to(modelAddress, w.PrimaryIP4.ID, "primary_ip4"),
	}
	if len(w.Context) > 0 && w.Context[0] == '{' && bytes.Contains(w.Context, []byte(`"hedgehog"`)) {
		var context map[string]json.RawMessage
		if err := json.Unmarshal(w.Context, &context); err != nil {
			return row, x, err
		}
		if own, ok := context["hedgehog"]; ok {
			d := json.NewDecoder(bytes.NewReader(own))
			d.UseNumber()
			if err := d.Decode(&row.Context); err != nil {
				return row, x, err
			}
		}
	}
	row.Fields, err = x.fields(t, w.Fields)
	return row, x, err
}

type interfaceWire struct {
	keyed
	Device       ref          `json:"device"`
	Name         string       `json:"name"`
	Label        text         `json:"label"`
	Type         choice       `json:"type"`
	Enabled      bool         `json:"enabled"`
	Parent       ref          `json:"parent"`
	LAG          ref          `json:"lag"`
	Channels     number       `json:"channels"`
	ChannelID    number       `json:"channel_id"`
	MTU          number       `json:"mtu"`
	Speed        number       `json:"speed"`
	Mode         choice       `json:"mode"`
	UntaggedVLAN ref          `json:"untagged_vlan"`
	TaggedVLANs  refs         `json:"tagged_vlans"`
	VRF          ref          `json:"vrf"`
	MAC          text         `json:"mac_address"`
	MgmtOnly     bool         `json:"mgmt_only"`
	Fields       customFields `json:"custom_fields"`
	Cable        ref          `json:"cable"`
}

func (w interfaceWire) row(t fieldTypes) (row netbox.Interface, x extra, err error) {
	row = netbox.Interface{
		ID: w.ID, Name: w.Name, Label: string(w.Label), Type: string(w.Type), Enabled: w.Enabled,
		Channels: int(w.Channels), ChannelID: int(w.ChannelID), MTU: int(w.MTU), Speed: int64(w.Speed),
		Mode: string(w.Mode), MAC: strings.ToUpper(string(w.MAC)), MgmtOnly: w.MgmtOnly,
		Device:       x.to(modelDevice, w.Device.ID, "device"),
		Parent:       x.to(modelInterface, w.Parent.ID, "parent"),
		LAG:          x.to(modelInterface, w.LAG.ID, "lag"),
		UntaggedVLAN: x.to(modelVLAN, w.UntaggedVLAN.ID, "untagged_vlan"),
		TaggedVLANs:  x.toAll(modelVLAN, w.TaggedVLANs.ids(), "tagged_vlans"),
		VRF:          x.to(modelVRF, w.VRF.ID, "vrf"),
	}
	x.cable = x.to(modelCable, w.Cable.ID, "cable")
	row.Fields, err = x.fields(t, w.Fields)
	return row, x, err
}

type frontPortWire struct {
	keyed
	Device    ref    `json:"device"`
	Name      string `json:"name"`
	RearPorts []struct {
		Position         number `json:"position"`
		RearPort         ref    `json:"rear_port"`
		RearPortPosition number `json:"rear_port_position"`
	} `json:"rear_ports"`
	Cable ref `json:"cable"`
}

func (w frontPortWire) row(fieldTypes) (netbox.FrontPort, extra, error) {
	var x extra
	row := netbox.FrontPort{ID: w.ID, Name: w.Name, Device: x.to(modelDevice, w.Device.ID, "device"), RearPorts: []netbox.PortMapping{}}
	for _, m := range w.RearPorts {
		row.RearPorts = append(row.RearPorts, netbox.PortMapping{
			Position: int(m.Position), RearPort: x.to(modelRearPort, m.RearPort.ID, "rear_ports"), RearPortPosition: int(m.RearPortPosition)})
		x.ports = append(x.ports, m.RearPort.ID)
	}
	slices.SortFunc(row.RearPorts, func(a, b netbox.PortMapping) int {
		return cmp.Or(cmp.Compare(a.Position, b.Position), cmp.Compare(a.RearPort, b.RearPort), cmp.Compare(a.RearPortPosition, b.RearPortPosition))
	})
	x.cable = x.to(modelCable, w.Cable.ID, "cable")
	return row, x, nil
}

type rearPortWire struct {
	keyed
	Device     ref    `json:"device"`
	Name       string `json:"name"`
	Positions  number `json:"positions"`
	FrontPorts []struct {
		FrontPort ref `json:"front_port"`
	} `json:"front_ports"`
	Cable ref `json:"cable"`
}

func (w rearPortWire) row(fieldTypes) (netbox.RearPort, extra, error) {
	var x extra
	row := netbox.RearPort{ID: w.ID, Name: w.Name, Positions: int(w.Positions), Device: x.to(modelDevice, w.Device.ID, "device")}
	for _, m := range w.FrontPorts {
		x.ports = append(x.ports, x.to(modelFrontPort, m.FrontPort.ID, "front_ports"))
	}
	x.cable = x.to(modelCable, w.Cable.ID, "cable")
	return row, x, nil
}

type cableWire struct {
	keyed
	Status  choice       `json:"status"`
	Profile choice       `json:"profile"`
	Label   text         `json:"label"`
	Fields  customFields `json:"custom_fields"`
}

func (w cableWire) row(t fieldTypes) (row netbox.Cable, x extra, err error) {
	row = netbox.Cable{ID: w.ID, Status: string(w.Status), Profile: string(w.Profile), Label: string(w.Label)}
	row.Fields, err = x.fields(t, w.Fields)
	return row, x, err
}

type terminationWire struct {
	keyed
	Cable     ref    `json:"cable"`
	End       choice `json:"cable_end"`
	Type      string `json:"termination_type"`
	Port      key    `json:"termination_id"`
	Connector number `json:"connector"`
	Positions []int  `json:"positions"`
}

func (w terminationWire) row(fieldTypes) (netbox.CableTermination, extra, error) {
	var x extra
	row := netbox.CableTermination{
		ID: w.ID, End: string(w.End), Type: w.Type, Port: w.Port, Connector: int(w.Connector), Positions: w.Positions,
		Cable: x.to(modelCable, w.Cable.ID, "cable"),
	}
	if len(row.Positions) == 0 {
		row.Positions = nil
	}
	switch w.Type {
	case modelInterface, modelFrontPort, modelRearPort, modelCircuitTermination:
		x.to(w.Type, w.Port, "termination")
	}
	return row, x, nil
}

type providerWire struct {
	keyed
	Name string `json:"name"`
	ASNs refs   `json:"asns"`
}

func (w providerWire) row(fieldTypes) (netbox.Provider, extra, error) {
	var x extra
	row := netbox.Provider{ID: w.ID, Name: w.Name, ASNs: x.toAll(modelASN, w.ASNs.ids(), "asns")}
	return row, x, nil
}

type circuitWire struct {
	keyed
	CID      string `json:"cid"`
	Provider ref    `json:"provider"`
}

func (w circuitWire) row(fieldTypes) (netbox.Circuit, extra, error) {
	var x extra
	row := netbox.Circuit{ID: w.ID, CID: w.CID, Provider: x.to(modelProvider, w.Provider.ID, "provider")}
	return row, x, nil
}

type circuitTerminationWire struct {
	keyed
	Circuit ref    `json:"circuit"`
	Side    choice `json:"term_side"`
}

func (w circuitTerminationWire) row(fieldTypes) (netbox.CircuitTermination, extra, error) {
	var x extra
	row := netbox.CircuitTermination{ID: w.ID, Side: string(w.Side), Circuit: x.to(modelCircuit, w.Circuit.ID, "circuit")}
	return row, x, nil
}

type asnWire struct {
	keyed
	ASN uint32 `json:"asn"`
}

func (w asnWire) row(fieldTypes) (netbox.ASN, extra, error) {
	return netbox.ASN{ID: w.ID, ASN: w.ASN}, extra{}, nil
}

type roleWire struct {
	keyed
	Slug string `json:"slug"`
}

func (w roleWire) row(fieldTypes) (netbox.IPAMRole, extra, error) {
	return netbox.IPAMRole{ID: w.ID, Slug: w.Slug}, extra{}, nil
}

// scope reads where a record belongs. What may be there besides regions, groups
// of sites, sites and locations (racks, clusters) is kept as it is.
func (x *extra) scope(kind text, id number) netbox.Scope {
	scope := netbox.Scope{Type: string(kind), ID: key(id)}
	switch scope.Type {
	case modelRegion, modelSiteGroup, modelSite, modelLocation:
		x.to(scope.Type, scope.ID, "scope")
	}
	return scope
}

type vlanGroupWire struct {
	keyed
	Name      string       `json:"name"`
	Slug      string       `json:"slug"`
	ScopeType text         `json:"scope_type"`
	ScopeID   number       `json:"scope_id"`
	VIDRanges [][2]uint16  `json:"vid_ranges"`
	Tags      tags         `json:"tags"`
	Fields    customFields `json:"custom_fields"`
}

func (w vlanGroupWire) row(t fieldTypes) (row netbox.VLANGroup, x extra, err error) {
	row = netbox.VLANGroup{ID: w.ID, Name: w.Name, Slug: w.Slug, Scope: x.scope(w.ScopeType, w.ScopeID), VIDRanges: w.VIDRanges, Tags: w.Tags.slugs()}
	if row.VIDRanges == nil {
		row.VIDRanges = [][2]uint16{}
	}
	slices.SortFunc(row.VIDRanges, func(a, b [2]uint16) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1])) })
	row.Fields, err = x.fields(t, w.Fields)
	return row, x, err
}

type vlanWire struct {
	keyed
	VID    uint16 `json:"vid"`
	Name   string `json:"name"`
	Group  ref    `json:"group"`
	Status choice `json:"status"`
}

func (w vlanWire) row(fieldTypes) (netbox.VLAN, extra, error) {
	var x extra
	row := netbox.VLAN{ID: w.ID, VID: w.VID, Name: w.Name, Status: string(w.Status), Group: x.to(modelVLANGroup, w.Group.ID, "group")}
	return row, x, nil
}

type targetWire struct {
	keyed
	Name   string       `json:"name"`
	Tags   tags         `json:"tags"`
	Fields customFields `json:"custom_fields"`
}

func (w targetWire) row(t fieldTypes) (row netbox.RouteTarget, x extra, err error) {
	row = netbox.RouteTarget{ID: w.ID, Name: w.Name, Tags: w.Tags.slugs()}
	row.Fields, err = x.fields(t, w.Fields)
	return row, x, err
}

type vrfWire struct {
	keyed
	Name          string       `json:"name"`
	RD            text         `json:"rd"`
	ImportTargets refs         `json:"import_targets"`
	ExportTargets refs         `json:"export_targets"`
	Fields        customFields `json:"custom_fields"`
}

func (w vrfWire) row(t fieldTypes) (row netbox.VRF, x extra, err error) {
	row = netbox.VRF{
		ID: w.ID, Name: w.Name, RD: string(w.RD),
		ImportTargets: x.toAll(modelTarget, w.ImportTargets.ids(), "import_targets"),
		ExportTargets: x.toAll(modelTarget, w.ExportTargets.ids(), "export_targets"),
	}
	row.Fields, err = x.fields(t, w.Fields)
	return row, x, err
}

type prefixWire struct {
	keyed
	Prefix    string       `json:"prefix"`
	VRF       ref          `json:"vrf"`
	VLAN      ref          `json:"vlan"`
	Status    choice       `json:"status"`
	ScopeType text         `json:"scope_type"`
	ScopeID   number       `json:"scope_id"`
	Tags      tags         `json:"tags"`
	Fields    customFields `json:"custom_fields"`
}

func (w prefixWire) row(t fieldTypes) (row netbox.Prefix, x extra, err error) {
	row = netbox.Prefix{
		ID: w.ID, Prefix: w.Prefix, Status: string(w.Status), Scope: x.scope(w.ScopeType, w.ScopeID), Tags: w.Tags.slugs(),
		VRF:  x.to(modelVRF, w.VRF.ID, "vrf"),
		VLAN: x.to(modelVLAN, w.VLAN.ID, "vlan"),
	}
	row.Fields, err = x.fields(t, w.Fields)
	return row, x, err
}

type rangeWire struct {
	keyed
	Start  string `json:"start_address"`
	End    string `json:"end_address"`
	VRF    ref    `json:"vrf"`
	Role   ref    `json:"role"`
	Status choice `json:"status"`
}

func (w rangeWire) row(fieldTypes) (netbox.IPRange, extra, error) {
	var x extra
	row := netbox.IPRange{
		ID: w.ID, Start: w.Start, End: w.End, Status: string(w.Status),
		VRF:  x.to(modelVRF, w.VRF.ID, "vrf"),
		Role: x.to(modelRole, w.Role.ID, "role"),
	}
	return row, x, nil
}

type addressWire struct {
	keyed
	Address string `json:"address"`
	VRF     ref    `json:"vrf"`
	Status  choice `json:"status"`
	Role    choice `json:"role"`
	Type    text   `json:"assigned_object_type"`
	Object  number `json:"assigned_object_id"`
}

// Most addresses belong to interfaces of other sites, so what an address is
// assigned to is no link.
func (w addressWire) row(fieldTypes) (netbox.IPAddress, extra, error) {
	var x extra
	row := netbox.IPAddress{
		ID: w.ID, Address: w.Address, Status: string(w.Status), Role: string(w.Role), Type: string(w.Type), Object: key(w.Object),
		VRF: x.to(modelVRF, w.VRF.ID, "vrf"),
	}
	return row, x, nil
}
