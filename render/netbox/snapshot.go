package netbox

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Snapshot is the NetBox records that matter, as plain data. Any render can be
// replayed from it without NetBox, byte for byte.
type Snapshot struct {
	// ChangeID is the highest id of NetBox's change log when the records were
	// read; 0 when it is not known. Not part of the digest.
	ChangeID int64
	Rows     Rows
}

// FormatVersion is the version of the snapshot's JSON document.
const FormatVersion = "1"

// ID is the primary key of a NetBox object; 0 stands for none.
type ID int64

// Rows holds the records by model, each list sorted by id. JSON names are
// NetBox's own: application, dot, model.
type Rows struct {
	Regions             []Region             `json:"dcim.region"`
	SiteGroups          []SiteGroup          `json:"dcim.sitegroup"`
	Sites               []Site               `json:"dcim.site"`
	Locations           []Location           `json:"dcim.location"`
	Manufacturers       []Manufacturer       `json:"dcim.manufacturer"`
	DeviceTypes         []DeviceType         `json:"dcim.devicetype"`
	DeviceRoles         []DeviceRole         `json:"dcim.devicerole"`
	Devices             []Device             `json:"dcim.device"`
	Interfaces          []Interface          `json:"dcim.interface"`
	FrontPorts          []FrontPort          `json:"dcim.frontport"`
	RearPorts           []RearPort           `json:"dcim.rearport"`
	Cables              []Cable              `json:"dcim.cable"`
	CableTerminations   []CableTermination   `json:"dcim.cabletermination"`
	Providers           []Provider           `json:"circuits.provider"`
	Circuits            []Circuit            `json:"circuits.circuit"`
	CircuitTerminations []CircuitTermination `json:"circuits.circuittermination"`
	ASNs                []ASN                `json:"ipam.asn"`
	IPAMRoles           []IPAMRole           `json:"ipam.role"`
	VLANGroups          []VLANGroup          `json:"ipam.vlangroup"`
	VLANs               []VLAN               `json:"ipam.vlan"`
	RouteTargets        []RouteTarget        `json:"ipam.routetarget"`
	VRFs                []VRF                `json:"ipam.vrf"`
	Prefixes            []Prefix             `json:"ipam.prefix"`
	IPRanges            []IPRange            `json:"ipam.iprange"`
	IPAddresses         []IPAddress          `json:"ipam.ipaddress"`
}

// Fields are the custom fields of a record whose names begin with hedgehog_,
// those that are null left out. Values are as a person sees them: a selection
// is its value; an object is {"id": N}, several are a list of these by id; JSON
// is as it stands, numbers as json.Number.
type Fields map[string]any

// Scope says where in the world a record belongs: Type is dcim.region,
// dcim.sitegroup, dcim.site or dcim.location, or empty.
type Scope struct {
	Type string `json:"type"`
	ID   ID     `json:"id"`
}

// Region is a region; Parent is the one that it lies in.
type Region struct {
	ID     ID `json:"id"`
	Parent ID `json:"parent,omitempty"`
}

// SiteGroup is a group of sites; Parent is the one that it belongs to.
type SiteGroup struct {
	ID     ID `json:"id"`
	Parent ID `json:"parent,omitempty"`
}

// Site is a site.
type Site struct {
	ID     ID     `json:"id"`
	Name   string `json:"name"`
	Slug   string `json:"slug"`
	Region ID     `json:"region,omitempty"`
	Group  ID     `json:"group,omitempty"`
	Fields Fields `json:"custom_fields,omitempty"`
}

// Location is a place in a site; Parent is the location that it lies in.
type Location struct {
	ID     ID     `json:"id"`
	Name   string `json:"name"`
	Slug   string `json:"slug"`
	Site   ID     `json:"site"`
	Parent ID     `json:"parent,omitempty"`
	Fields Fields `json:"custom_fields,omitempty"`
}

// Manufacturer is a maker of device types.
type Manufacturer struct {
	ID   ID     `json:"id"`
	Name string `json:"name"`
	Slug string `json:"slug"`
}

// DeviceType is a model of hardware.
type DeviceType struct {
	ID           ID     `json:"id"`
	Manufacturer ID     `json:"manufacturer"`
	Model        string `json:"model"`
	Slug         string `json:"slug"`
	PartNumber   string `json:"part_number,omitempty"`
	Fields       Fields `json:"custom_fields,omitempty"`
}

// DeviceRole is a role of devices; Parent is the role that it refines.
type DeviceRole struct {
	ID     ID     `json:"id"`
	Slug   string `json:"slug"`
	Parent ID     `json:"parent,omitempty"`
}

// Device is a switch, server, gateway, patch panel or anything else with ports.
type Device struct {
	ID          ID     `json:"id"`
	Name        string `json:"name"`
	DeviceType  ID     `json:"device_type"`
	Role        ID     `json:"role"`
	Site        ID     `json:"site"`
	Location    ID     `json:"location,omitempty"`
	Status      string `json:"status"`
	Serial      string `json:"serial,omitempty"`
	Description string `json:"description,omitempty"`
	OOBIP       ID     `json:"oob_ip,omitempty"`
	PrimaryIP4  ID     `json:"primary_ip4,omitempty"`
	// Context is the value of hedgehog in the device's rendered config context.
	Context any      `json:"hedgehog_context,omitempty"`
	Tags    []string `json:"tags,omitempty"`
	Fields  Fields   `json:"custom_fields,omitempty"`
}

// Interface is a port, a LAG, a loopback or a sub-interface of a device.
type Interface struct {
	ID      ID     `json:"id"`
	Device  ID     `json:"device"`
	Name    string `json:"name"`
	Label   string `json:"label,omitempty"`
	Type    string `json:"type"`
	Enabled bool   `json:"enabled"`
	// Parent is the interface of which this is a sub-interface or a channel.
	Parent ID `json:"parent,omitempty"`
	// LAG is the interface that bundles this one.
	LAG ID `json:"lag,omitempty"`
	// Channels is the number of channels a port is broken out into; ChannelID is
	// 1..Channels of the parent. NetBox 4.7.
	Channels  int `json:"channels,omitempty"`
	ChannelID int `json:"channel_id,omitempty"`
	MTU       int `json:"mtu,omitempty"`
	// Speed is in Kbps.
	Speed int64 `json:"speed,omitempty"`
	// Mode is access, tagged, tagged-all or q-in-q; empty when nothing is said.
	Mode         string `json:"mode,omitempty"`
	UntaggedVLAN ID     `json:"untagged_vlan,omitempty"`
	TaggedVLANs  []ID   `json:"tagged_vlans,omitempty"`
	VRF          ID     `json:"vrf,omitempty"`
	// MAC is the primary MAC address as NetBox writes it: upper case, colons.
	MAC      string `json:"mac_address,omitempty"`
	MgmtOnly bool   `json:"mgmt_only,omitempty"`
	Fields   Fields `json:"custom_fields,omitempty"`
}

// FrontPort is a port on the front of a patch panel.
type FrontPort struct {
	ID        ID            `json:"id"`
	Device    ID            `json:"device"`
	Name      string        `json:"name"`
	RearPorts []PortMapping `json:"rear_ports"`
}

// PortMapping leads from a position of a front port to one of a rear port.
// Positions count from 1.
type PortMapping struct {
	Position         int `json:"position"`
	RearPort         ID  `json:"rear_port"`
	RearPortPosition int `json:"rear_port_position"`
}

// RearPort is a port on the back of a patch panel.
type RearPort struct {
	ID        ID     `json:"id"`
	Device    ID     `json:"device"`
	Name      string `json:"name"`
	Positions int    `json:"positions"`
}

// Cable is a cable; its ends are in [CableTermination].
type Cable struct {
	ID ID `json:"id"`
	// Status is connected, planned or decommissioning.
	Status string `json:"status"`
	// Profile is one of NetBox's cable profiles, such as breakout-1c4p-4c1p; empty
	// when the pairing of several ends is not said. NetBox 4.5.
	Profile string `json:"profile,omitempty"`
	Label   string `json:"label,omitempty"`
	Fields  Fields `json:"custom_fields,omitempty"`
}

// CableTermination joins an end of a cable and a port.
type CableTermination struct {
	ID    ID `json:"id"`
	Cable ID `json:"cable"`
	// End is A or B.
	End string `json:"cable_end"`
	// Type is the model of the port: dcim.interface, dcim.frontport,
	// dcim.rearport, circuits.circuittermination and others.
	Type string `json:"termination_type"`
	Port ID     `json:"termination_id"`
	// Connector and Positions count from 1; zero and empty without a profile.
	Connector int   `json:"connector,omitempty"`
	Positions []int `json:"positions,omitempty"`
}

// Provider is a provider of circuits.
type Provider struct {
	ID   ID     `json:"id"`
	Name string `json:"name"`
	ASNs []ID   `json:"asns,omitempty"`
}

// Circuit is a provider's circuit.
type Circuit struct {
	ID       ID     `json:"id"`
	CID      string `json:"cid"`
	Provider ID     `json:"provider"`
}

// CircuitTermination is the A or the Z end of a circuit.
type CircuitTermination struct {
	ID      ID     `json:"id"`
	Circuit ID     `json:"circuit"`
	Side    string `json:"term_side"`
}

// ASN is an autonomous system number.
type ASN struct {
	ID  ID     `json:"id"`
	ASN uint32 `json:"asn"`
}

// IPAMRole is a role of prefixes, ranges and VLANs.
type IPAMRole struct {
	ID   ID     `json:"id"`
	Slug string `json:"slug"`
}

// VLANGroup is a group of VLANs with the ids that may be in it.
type VLANGroup struct {
	ID    ID     `json:"id"`
	Name  string `json:"name"`
	Slug  string `json:"slug"`
	Scope Scope  `json:"scope"`
	// VIDRanges are inclusive.
	VIDRanges [][2]uint16 `json:"vid_ranges"`
	Tags      []string    `json:"tags,omitempty"`
	Fields    Fields      `json:"custom_fields,omitempty"`
}

// VLAN is a VLAN.
type VLAN struct {
	ID     ID     `json:"id"`
	VID    uint16 `json:"vid"`
	Name   string `json:"name"`
	Group  ID     `json:"group,omitempty"`
	Status string `json:"status"`
}

// RouteTarget is a route target.
type RouteTarget struct {
	ID     ID       `json:"id"`
	Name   string   `json:"name"`
	Tags   []string `json:"tags,omitempty"`
	Fields Fields   `json:"custom_fields,omitempty"`
}

// VRF is a routing table.
type VRF struct {
	ID            ID     `json:"id"`
	Name          string `json:"name"`
	RD            string `json:"rd,omitempty"`
	ImportTargets []ID   `json:"import_targets,omitempty"`
	ExportTargets []ID   `json:"export_targets,omitempty"`
	Fields        Fields `json:"custom_fields,omitempty"`
}

// Prefix is a network.
type Prefix struct {
	ID     ID     `json:"id"`
	Prefix string `json:"prefix"`
	VRF    ID     `json:"vrf,omitempty"`
	VLAN   ID     `json:"vlan,omitempty"`
	// Status is container, active, reserved or deprecated.
	Status string   `json:"status"`
	Scope  Scope    `json:"scope"`
	Tags   []string `json:"tags,omitempty"`
	Fields Fields   `json:"custom_fields,omitempty"`
}

// IPRange is a run of addresses; both ends carry the mask.
type IPRange struct {
	ID     ID     `json:"id"`
	Start  string `json:"start_address"`
	End    string `json:"end_address"`
	VRF    ID     `json:"vrf,omitempty"`
	Role   ID     `json:"role,omitempty"`
	Status string `json:"status"`
}

// IPAddress is an address with its mask.
type IPAddress struct {
	ID      ID     `json:"id"`
	Address string `json:"address"`
	VRF     ID     `json:"vrf,omitempty"`
	// Status is active, reserved, deprecated, dhcp or slaac.
	Status string `json:"status"`
	// Role is loopback, anycast, vip, vrrp, hsrp, glbp, carp, secondary or empty.
	Role string `json:"role,omitempty"`
	// Type and Object are what the address is assigned to: dcim.interface,
	// ipam.fhrpgroup or virtualization.vminterface.
	Type   string `json:"assigned_object_type,omitempty"`
	Object ID     `json:"assigned_object_id,omitempty"`
}

// Sort puts every list in the order of its ids, as [Snapshot.WriteTo] and [Map]
// need them.
func (r *Rows) Sort() {
	r.lists(func(_ string, list reflect.Value) {
		rows := make([]reflect.Value, list.Len())
		for i := range rows {
			rows[i] = reflect.New(list.Type().Elem()).Elem()
			rows[i].Set(list.Index(i))
		}
		byID := func(a, b reflect.Value) int { return cmp.Compare(a.FieldByName("ID").Int(), b.FieldByName("ID").Int()) }
		if slices.IsSortedFunc(rows, byID) {
			return
		}
		slices.SortStableFunc(rows, byID)
		for i := range rows {
			list.Index(i).Set(rows[i])
		}
	})
}

// lists calls f with the name and the slice of every model.
func (r *Rows) lists(f func(model string, list reflect.Value)) {
	v := reflect.ValueOf(r).Elem()
	for i := range v.NumField() {
		f(v.Type().Field(i).Tag.Get("json"), v.Field(i))
	}
}

// Len returns the number of rows.
func (r *Rows) Len() int {
	n := 0
	r.lists(func(_ string, list reflect.Value) { n += list.Len() })
	return n
}

// Digest returns the SHA-256 of the rows in hexadecimal: equal rows, equal
// digest.
func (s *Snapshot) Digest() (string, error) {
	rows, err := s.Rows.encode()
	if err != nil {
		return "", err
	}
	return digest(rows), nil
}

func digest(rows []byte) string {
	sum := sha256.Sum256(rows)
	return hex.EncodeToString(sum[:])
}

// encode returns the rows as JSON with one row a line, so that two snapshots
// can be compared with ordinary tools.
func (r *Rows) encode() ([]byte, error) {
	var out bytes.Buffer
	var failed error
	row := json.NewEncoder(&out)
	row.SetEscapeHTML(false)
	out.WriteString("{")
	first := true
	r.lists(func(model string, list reflect.Value) {
		if !first {
			out.WriteString(",")
		}
		first = false
		out.WriteString("\n" + strconv.Quote(model) + ": [")
		for i := range list.Len() {
			if i > 0 {
				out.WriteString(",")
			}
			out.WriteString("\n")
			if err := row.Encode(list.Index(i).Interface()); err != nil && failed == nil {
				failed = fmt.Errorf("encoding %s %d: %w", model, list.Index(i).FieldByName("ID").Int(), err)
			}
			out.Truncate(out.Len() - 1)
		}
		out.WriteString("]")
	})
	out.WriteString("\n}")
	return out.Bytes(), failed
}

// WriteTo writes the snapshot as one JSON document. Equal rows and change id
// give equal bytes.
func (s *Snapshot) WriteTo(w io.Writer) (int64, error) {
	rows, err := s.Rows.encode()
	if err != nil {
		return 0, err
	}
	head := fmt.Sprintf("{\"format_version\": %q,\n\"digest\": %q,\n\"change_id\": %d,\n\"rows\": ", FormatVersion, digest(rows), s.ChangeID)
	n, err := io.WriteString(w, head)
	total := int64(n)
	for _, part := range [][]byte{rows, []byte("}\n")} {
		if err != nil {
			break
		}
		n, err = w.Write(part)
		total += int64(n)
	}
	return total, err
}

// ReadSnapshot reads a document that [Snapshot.WriteTo] wrote. Sealed is false
// when the rows are not those that were written: somebody edited the file.
func ReadSnapshot(r io.Reader) (s *Snapshot, sealed bool, err error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, false, err
	}
	var doc struct {
		FormatVersion string          `json:"format_version"`
		Digest        string          `json:"digest"`
		ChangeID      int64           `json:"change_id"`
		Rows          json.RawMessage `json:"rows"`
	}
	if err := json.Unmarshal(data, &doc); err != nil {
		return nil, false, badJSON(data, data, err)
	}
	switch {
	case doc.FormatVersion == "" || doc.Rows == nil:
		return nil, false, &SnapshotError{Reason: "not a snapshot: it has no format_version or no rows"}
	case doc.FormatVersion != FormatVersion:
		return nil, false, &SnapshotError{Reason: fmt.Sprintf("snapshot has format version %q; this version of the tool reads %q", doc.FormatVersion, FormatVersion)}
	}
	s = &Snapshot{ChangeID: doc.ChangeID}
	rows := json.NewDecoder(bytes.NewReader(doc.Rows))
	rows.UseNumber()
	rows.DisallowUnknownFields()
	if err := rows.Decode(&s.Rows); err != nil {
		return nil, false, badJSON(data, doc.Rows, err)
	}
	s.Rows.Sort()
	if err := s.Rows.checkIDs(); err != nil {
		return nil, false, err
	}
	return s, digest(doc.Rows) == doc.Digest, nil
}

// SnapshotError says why a file is no snapshot.
type SnapshotError struct {
	// Line is where in the file it shows, from 1; 0 when that is not known.
	Line   int
	Reason string
}

// Error returns the reason.
func (e *SnapshotError) Error() string { return e.Reason }

// badJSON says in words of the file what was wrong with a part of it.
func badJSON(data, part []byte, err error) error {
	reason, offset := err.Error(), -1
	var syntax *json.SyntaxError
	var form *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		offset = int(syntax.Offset)
	case errors.As(err, &form) && form.Field == "":
		reason, offset = "the document is no mapping but "+form.Value, int(form.Offset)
	case errors.As(err, &form):
		reason, offset = fmt.Sprintf("%s cannot be %s", form.Field, form.Value), int(form.Offset)
	default:
		reason = strings.TrimPrefix(reason, "json: ")
		if key, ok := strings.CutPrefix(reason, "unknown field "); ok {
			offset = bytes.Index(part, []byte(key+":"))
		}
	}
	bad := &SnapshotError{Reason: "not a snapshot: " + reason}
	if start := bytes.Index(data, part); offset >= 0 && start >= 0 {
		bad.Line = 1 + bytes.Count(data[:min(start+offset, len(data))], []byte("\n"))
	}
	return bad
}

// checkIDs refuses two rows with one id: which of them NetBox has is not known.
// The rows are sorted.
func (r *Rows) checkIDs() error {
	var err error
	r.lists(func(model string, list reflect.Value) {
		for i := 1; i < list.Len() && err == nil; i++ {
			if id := list.Index(i).FieldByName("ID").Int(); id == list.Index(i-1).FieldByName("ID").Int() {
				err = &SnapshotError{Reason: fmt.Sprintf("not a snapshot: %s has two rows with the id %d", model, id)}
			}
		}
	})
	return err
}
