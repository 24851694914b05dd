package rest

import (
	"context"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"hedgehog-gitops/render/netbox"
)

// This file deals with the ports of devices that are created: NetBox makes the
// interfaces of a device from the templates of its type.

// port is what a template says of an interface.
type port struct {
	Type string
	Mgmt bool
}

// portsByType are the ports that all devices have which the plan creates of a type, by
// the type's id in the plan.
func (a *apply) portsByType() map[key]map[string]port {
	isPort := regexp.MustCompile(`^(E\d+/\d+|M\d+)$`)
	ports := map[key]map[string]port{}
	for _, n := range a.changes {
		name, _ := n.After["name"].(string)
		if n.Model != modelInterface || n.Action != netbox.Create || !isPort.MatchString(name) {
			continue
		}
		device, _ := number64(n.After["device"])
		if ports[device] == nil {
			ports[device] = map[string]port{}
		}
		kind, _ := n.After["type"].(string)
		mgmt, _ := n.After["mgmt_only"].(bool)
		ports[device][name] = port{kind, mgmt}
	}
	common := map[key]map[string]port{}
	for _, n := range a.changes {
		if n.Model != modelDevice || n.Action != netbox.Create {
			continue
		}
		of, _ := number64(n.After["device_type"])
		if common[of] == nil {
			common[of] = ports[n.ID]
			if common[of] == nil {
				common[of] = map[string]port{}
			}
			continue
		}
		for name, p := range common[of] {
			if ports[n.ID][name] != p {
				delete(common[of], name)
			}
		}
	}
	for of, ports := range common {
		if len(ports) == 0 {
			delete(common, of)
		}
	}
	return common
}

// templates gives interface templates to the device types that the plan creates, and
// to those that nobody has used yet.
func (a *apply) templates(ctx context.Context) error {
	byType := a.portsByType()
	types := map[key]bool{}
	for of := range byType {
		types[of] = true
	}
	bare, err := a.bareTypes(ctx, types)
	if err != nil {
		return err
	}
	var bodies []map[string]any
	var names []string
	for _, of := range sortedIDs(types) {
		real, _ := a.real(modelDeviceType, of)
		if !bare[real] {
			continue
		}
		ports := sortedKeys(byType[of])
		slices.SortFunc(ports, naturally)
		for _, name := range ports {
			p := byType[of][name]
			bodies = append(bodies, map[string]any{"device_type": real, "name": name, "type": p.Type, "mgmt_only": p.Mgmt})
			names = append(names, name)
		}
	}
	return a.inBatches(ctx, modelTemplate, bodies, func(ctx context.Context, from, to int) error {
		_, err := a.post(ctx, modelTemplate, bodies[from:to], func(i int) string { return "template " + names[from+i] })
		return err
	})
}

// bareTypes are the device types, by NetBox's ids, that have no interface templates
// and no devices.
func (a *apply) bareTypes(ctx context.Context, types map[key]bool) (map[key]bool, error) {
	bare := map[key]bool{}
	var ask []key
	for _, of := range sortedIDs(types) {
		if n := a.created[modelDeviceType][of]; n != nil {
			bare[n.real] = true
		} else {
			ask = append(ask, of)
		}
	}
	s := *a.r.sources[modelDeviceType]
	s.fields = []string{"id", "device_count", "interface_template_count"}
	for ids := range slices.Chunk(ask, 100) {
		query := url.Values{"limit": {"1000"}}
		for _, id := range ids {
			query.Add("id", strconv.FormatInt(int64(id), 10))
		}
		rows, _, err := fetch[struct {
			keyed
			Devices   number `json:"device_count"`
			Templates number `json:"interface_template_count"`
		}](ctx, a.c, &s, query)
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			bare[row.ID] = row.Devices == 0 && row.Templates == 0
		}
	}
	return bare, nil
}

// naturally orders E1/5 before E1/11.
func naturally(x, y string) int {
	if len(x) != len(y) {
		return len(x) - len(y)
	}
	return strings.Compare(x, y)
}

// adoptable finds the interfaces that NetBox made with the devices.
func (a *apply) adoptable(ctx context.Context) error {
	var devices []key
	for _, n := range a.created[modelDevice] {
		devices = append(devices, n.real)
	}
	if len(devices) == 0 {
		return nil
	}
	slices.Sort(devices)
	found, err := a.look(ctx, modelInterface, "device_id", devices, func(w *rawRow) key { return w.Device.ID })
	if err != nil {
		return err
	}
	for _, p := range found {
		device, _ := number64(p.fields["device"])
		name, _ := p.fields["name"].(string)
		if a.there[device] == nil {
			a.there[device] = map[string]present{}
		}
		a.there[device][name] = p
	}
	return nil
}

// adopts returns the interface that the plan creates, when NetBox made it already.
func (a *apply) adopts(n *change) (present, bool) {
	if n.Model != modelInterface || len(a.there) == 0 {
		return present{}, false
	}
	device, _ := number64(n.After["device"])
	real, _ := a.real(modelDevice, device)
	name, _ := n.After["name"].(string)
	p, ok := a.there[real][name]
	return p, ok
}

// adopted prepares what such an interface lacks.
func (a *apply) adopted(n *change, made present) (edit, error) {
	n.real = made.id
	e := edit{n: n}
	e.will, n.left = a.translated(n.Model, n.After)
	for field := range made.fields {
		_, later := n.left[field]
		if _, ok := e.will[field]; !ok && !later && field != "custom_fields" {
			e.will[field] = nil
		}
	}
	for field, v := range e.will {
		if field != "custom_fields" && same(made.fields[field], v) {
			delete(e.will, field)
		}
	}
	e.body = body(n.Model, e.will)
	return e, nil
}
