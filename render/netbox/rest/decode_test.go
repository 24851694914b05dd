package rest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"hedgehog-gitops/render/netbox"
)

func TestFieldsBecomeWhatPeopleSee(t *testing.T) {
	t.Parallel()
	types := fieldTypes{
		"hedgehog_dhcp": {Type: "select"}, "hedgehog_isolated": {Type: "boolean"}, "hedgehog_restricted": {Type: "boolean"},
		"hedgehog_asn": {Type: "object", Related: modelASN}, "hedgehog_vlan_namespaces": {Type: "multiobject", Related: modelVLANGroup},
		"hedgehog_spec": {Type: "json"}, "hedgehog_name": {Type: "text"}, "hedgehog_own": {Type: "multiselect"},
	}
	for name, test := range map[string]struct {
		in   string
		want netbox.Fields
	}{
		"others and nulls are left out": {`{"site_code": "x", "hedgehog_name": null}`, nil},
		"a selection":                   {`{"hedgehog_dhcp": {"value": "server", "label": "Server"}}`, netbox.Fields{"hedgehog_dhcp": "server"}},
		"a plain selection":             {`{"hedgehog_dhcp": "server"}`, netbox.Fields{"hedgehog_dhcp": "server"}},
		"selections":                    {`{"hedgehog_own": [{"value": "b", "label": "B"}, "a"]}`, netbox.Fields{"hedgehog_own": []any{"b", "a"}}},
		"booleans":                      {`{"hedgehog_isolated": 1, "hedgehog_restricted": 0}`, netbox.Fields{"hedgehog_isolated": true, "hedgehog_restricted": false}},
		"an object":                     {`{"hedgehog_asn": {"id": 7, "asn": 65100, "display": "AS65100"}}`, netbox.Fields{"hedgehog_asn": map[string]any{"id": json.Number("7")}}},
		"objects in any order": {`{"hedgehog_vlan_namespaces": [{"id": 10}, {"id": 9}]}`,
			netbox.Fields{"hedgehog_vlan_namespaces": []any{map[string]any{"id": json.Number("9")}, map[string]any{"id": json.Number("10")}}}},
		"no objects":   {`{"hedgehog_vlan_namespaces": []}`, netbox.Fields{"hedgehog_vlan_namespaces": []any{}}},
		"JSON":         {`{"hedgehog_spec": {"value": {"a": null}, "n": 12345678901234567890, "f": 1.0}}`, netbox.Fields{"hedgehog_spec": map[string]any{"value": map[string]any{"a": nil}, "n": json.Number("12345678901234567890"), "f": json.Number("1.0")}}},
		"empty text":   {`{"hedgehog_name": ""}`, netbox.Fields{"hedgehog_name": ""}},
		"a JSON value": {`{"hedgehog_spec": false}`, netbox.Fields{"hedgehog_spec": false}},
	} {
		var in customFields
		if err := json.Unmarshal([]byte(test.in), &in); err != nil {
			t.Fatal(err)
		}
		got, _, err := types.normal(in)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	for _, in := range []string{`{"hedgehog_unknown": 1}`, `{"hedgehog_asn": "x"}`, `{"hedgehog_vlan_namespaces": {"id": 1}}`} {
		var fields customFields
		if err := json.Unmarshal([]byte(in), &fields); err != nil {
			t.Fatal(err)
		}
		if _, _, err := types.normal(fields); err == nil {
			t.Errorf("%s is taken", in)
		}
	}
}

// A page cut anywhere is an error, never fewer rows.
func TestACutPageIsAnError(t *testing.T) {
	t.Parallel()
	whole := `{"count": null, "next": null, "previous": null, "results": [{"id": 1, "asn": 65100}, {"id": 2, "asn": 65101}]}`
	if rows, _, err := readPage[asnWire](iotest.OneByteReader(bytes.NewReader([]byte(whole))), []string{"id", "asn"}); err != nil || len(rows) != 2 {
		t.Fatal(rows, err)
	}
	for n := range len(whole) {
		if rows, _, err := readPage[asnWire](bytes.NewReader([]byte(whole[:n])), []string{"id", "asn"}); err == nil {
			t.Errorf("%s: %d rows and no error", whole[:n], len(rows))
		}
	}
}

func FuzzReadPage(f *testing.F) {
	f.Add([]byte(`{"count": 1, "next": "x", "results": [{"id": 1, "device": {"id": 2}, "tagged_vlans": [3], "mode": {"value": "access"}}]}`))
	f.Add([]byte(`{"results": [{"id": null, "custom_fields": {"hedgehog_a": [1]}}]}`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, body []byte) {
		rows, _, err := readPage[interfaceWire](bytes.NewReader(body), []string{"id"})
		if err != nil {
			return
		}
		for _, w := range rows {
			w.row(fieldTypes{"hedgehog_a": {Type: "multiobject"}})
		}
	})
}

// BenchmarkPage is what a page of interfaces costs besides NetBox's own time.
func BenchmarkPage(b *testing.B) {
	var body bytes.Buffer
	body.WriteString(`{"count": null, "next": null, "previous": null, "results": [`)
	for i := range 1000 {
		if i > 0 {
			body.WriteString(",")
		}
		fmt.Fprintf(&body, `{"id":%d,"device":{"id":8,"url":"http://127.0.0.1/api/dcim/devices/8/","display":"server-01","name":"server-01","description":""},"name":"enp2s1","label":"","type":{"value":"25gbase-x-sfp28","label":"SFP28 (25GE)"},"channels":null,"channel_id":null,"enabled":true,"parent":null,"lag":{"id":430,"url":"http://127.0.0.1/api/dcim/interfaces/430/","display":"bond0","device":{"id":8,"display":"server-01","name":"server-01"},"name":"bond0","cable":null,"_occupied":false},"mtu":null,"mac_address":null,"speed":null,"mgmt_only":false,"mode":{"value":"tagged","label":"Tagged"},"untagged_vlan":null,"tagged_vlans":[{"id":3,"vid":5,"name":"x"}],"cable":{"id":15,"display":"#15","label":"","description":""},"vrf":null,"custom_fields":{"hedgehog_lacp_fallback":null,"hedgehog_name":null,"hedgehog_port":null,"hedgehog_fec":null,"hedgehog_spec":null,"hedgehog_breakout":null,"hedgehog_autoneg":true,"hedgehog_attachments":null}}`, i+1)
	}
	body.WriteString("]}")
	types := fieldTypes{"hedgehog_autoneg": {Type: "boolean"}}
	required := sources()[modelInterface].fields
	b.SetBytes(int64(body.Len()))
	for b.Loop() {
		rows, _, err := readPage[interfaceWire](bytes.NewReader(body.Bytes()), required)
		if err != nil || len(rows) != 1000 {
			b.Fatal(len(rows), err)
		}
		for _, w := range rows {
			if _, _, err := w.row(types); err != nil {
				b.Fatal(err)
			}
		}
	}
}
