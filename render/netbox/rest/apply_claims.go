package rest

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"hedgehog-gitops/render/netbox"
)

// This file keeps changes out of each other's way while a plan is half done: NetBox
// gives a name, a VLAN id or an address to one object only, also for the moment
// between two requests. Who takes such a value waits for the one who leaves it; in a
// ring of them one steps aside to a spare value first. A run that is killed then leaves
// the spare value, which the next plan changes as it would any other.

// claim is what only one object of a model may have.
type claim struct {
	fields []string // that make it up
	aside  string   // the field that gets a spare value; empty if there is none
}

// claimsOf are the claims of a model's objects.
func claimsOf(model string) []claim {
	switch model {
	case modelSite, modelManufacturer:
		return []claim{{[]string{"name"}, "name"}, {[]string{"slug"}, "slug"}}
	case modelLocation:
		return []claim{{[]string{"name", "site", "parent"}, "name"}, {[]string{"slug", "site", "parent"}, "slug"}}
	case modelDeviceType:
		return []claim{{[]string{"model", "manufacturer"}, "model"}, {[]string{"slug", "manufacturer"}, "slug"}}
	case modelDeviceRole, modelRole:
		return []claim{{[]string{"slug"}, "slug"}}
	case modelASN:
		return []claim{{[]string{"asn"}, ""}}
	case modelVLANGroup:
		return []claim{{[]string{"name", "scope"}, "name"}, {[]string{"slug", "scope"}, "slug"}}
	case modelVLAN:
		return []claim{{[]string{"group", "vid"}, "vid"}, {[]string{"group", "name"}, "name"}}
	case modelTarget, modelProvider:
		return []claim{{[]string{"name"}, "name"}}
	case modelVRF:
		return []claim{{[]string{"rd"}, "rd"}}
	case modelPrefix:
		return []claim{{[]string{"prefix", "vrf"}, "prefix"}}
	case modelAddress:
		return []claim{{[]string{"address", "vrf"}, "address"}}
	case modelDevice:
		return []claim{{[]string{"name", "site"}, "name"}}
	case modelInterface:
		return []claim{{[]string{"name", "device"}, "name"}, {[]string{"parent", "channel_id"}, ""}}
	case modelFrontPort, modelRearPort:
		return []claim{{[]string{"name", "device"}, "name"}}
	case modelCircuit:
		return []claim{{[]string{"cid", "provider"}, "cid"}}
	}
	return nil
}

// text is the claim of a row, empty if it makes none: its first field says nothing.
func (c claim) text(row map[string]any) string {
	var text strings.Builder
	for n, field := range c.fields {
		v := row[field]
		if same(v, nil) {
			if v = ""; n == 0 {
				return ""
			}
		}
		s := fmt.Sprint(v)
		switch field {
		case "address":
			s, _, _ = strings.Cut(s, "/")
		case "name":
			s = strings.ToLower(s) // as NetBox does of devices; of others it costs a request at most
		}
		text.WriteString(s + "\x00")
	}
	return text.String()
}

// waiting is a change that must not be written before another object has left a value.
type waiting struct {
	holder *change
	aside  string // what the holder would change to make room
}

// room finds out who waits for whom, and which objects step aside. What cannot be done
// in any order is an error.
func (a *apply) room(late [][]*change) error {
	stays := map[*change]bool{} // until everything else is written
	for _, wave := range late {
		for _, n := range wave {
			stays[n] = true
		}
	}
	byModel := map[string][]*change{}
	for _, n := range a.changes {
		if n.Action != netbox.Delete || stays[n] {
			byModel[n.Model] = append(byModel[n.Model], n)
		}
	}
	for _, model := range sortedKeys(byModel) {
		changes := byModel[model]
		for _, c := range claimsOf(model) {
			a.contend(changes, c)
		}
		if model == modelRange {
			a.contendRanges(changes)
		}
		if err := a.stepAside(model, changes, stays); err != nil {
			return err
		}
	}
	return nil
}

// contend finds the changes that take what others leave.
func (a *apply) contend(changes []*change, c claim) {
	holders := map[string][]*change{}
	takes := map[*change]string{}
	for _, n := range changes {
		if n.Action == netbox.Update && !slices.ContainsFunc(c.fields, func(field string) bool { _, ok := n.After[field]; return ok }) {
			continue
		}
		was, is := "", ""
		switch n.Action {
		case netbox.Create:
			is = c.text(n.After)
		case netbox.Update:
			was, is = c.text(a.row(n)), c.text(a.after(n))
		case netbox.Delete:
			was = c.text(n.Before)
		}
		if was == is {
			continue
		}
		if was != "" {
			holders[was] = append(holders[was], n)
		}
		if is != "" {
			takes[n] = is
		}
	}
	for _, n := range changes {
		for _, holder := range holders[takes[n]] {
			a.waits[n] = append(a.waits[n], waiting{holder, c.aside})
		}
	}
}

// contendRanges does the same for ranges of addresses, which must not overlap.
func (a *apply) contendRanges(changes []*change) {
	type span struct {
		n        *change
		from, to netip.Addr
	}
	parse := func(row map[string]any) (s span, ok bool) {
		at := func(field string) netip.Addr {
			text, _, _ := strings.Cut(fmt.Sprint(row[field]), "/")
			addr, _ := netip.ParseAddr(text)
			return addr
		}
		s.from, s.to = at("start_address"), at("end_address")
		return s, s.from.IsValid() && s.to.IsValid()
	}
	held := map[string][]span{} // by VRF
	for _, n := range changes {
		if n.Action == netbox.Create {
			continue
		}
		row := a.row(n)
		if s, ok := parse(row); ok {
			s.n = n
			vrf := fmt.Sprint(row["vrf"])
			held[vrf] = append(held[vrf], s)
		}
	}
	for _, n := range changes {
		if n.Action == netbox.Delete {
			continue
		}
		row := a.after(n)
		s, ok := parse(row)
		if !ok {
			continue
		}
		for _, other := range held[fmt.Sprint(row["vrf"])] {
			if other.n != n && !other.to.Less(s.from) && !s.to.Less(other.from) {
				a.waits[n] = append(a.waits[n], waiting{other.n, "start_address"})
			}
		}
	}
}

// stepAside finds the rings among the changes of a model, and lets one object of each
// step aside; so do those that are deleted when everything else is done.
func (a *apply) stepAside(model string, changes []*change, stays map[*change]bool) error {
	aside := func(n *change, w waiting) error {
		if w.aside == "" {
			return planError(fmt.Sprintf("%s (%s) takes what %s has and NetBox has no value that %s could have meanwhile", n.Name, model, w.holder.Name, w.holder.Name),
				"change one of them in NetBox, and import again; nothing was written", nil)
		}
		return a.spare(w.holder, w.aside)
	}
	for _, n := range changes {
		for _, w := range a.waits[n] {
			if stays[w.holder] {
				if err := aside(n, w); err != nil {
					return err
				}
			}
		}
	}
	needs := a.needs(changes)
	state := map[*change]int{} // 1 waits for others, 2 has its place
	var visit func(n *change) error
	visit = func(n *change) error {
		state[n] = 1
		for _, on := range needs[n] {
			if state[on] == 0 {
				if err := visit(on); err != nil {
					return err
				}
			}
		}
		for _, w := range a.waits[n] {
			switch {
			case a.away(w):
			case state[w.holder] == 0:
				if err := visit(w.holder); err != nil {
					return err
				}
			case state[w.holder] == 1:
				if err := aside(n, w); err != nil {
					return err
				}
			}
		}
		state[n] = 2
		return nil
	}
	for _, n := range changes {
		if state[n] == 0 {
			if err := visit(n); err != nil {
				return err
			}
		}
	}
	return nil
}

// away reports whether the holder has stepped aside, or will before anything else of
// its model is written.
func (a *apply) away(w waiting) bool {
	_, ok := a.asides[w.holder][w.aside]
	return ok && w.aside != ""
}

// spare chooses the value that a field has meanwhile.
func (a *apply) spare(n *change, field string) error {
	if a.asides[n] == nil {
		a.asides[n] = map[string]any{}
	}
	fields := a.asides[n]
	if _, ok := fields[field]; ok {
		return nil
	}
	switch field {
	case "rd":
		fields[field] = nil
	case "vid":
		vid, err := a.spareVID(n)
		if err != nil {
			return err
		}
		fields[field] = jsonNumber(vid)
	case "address", "prefix":
		fields[field] = spareAddress(n.real)
	case "start_address":
		fields[field], fields["end_address"] = spareAddress(n.real), spareAddress(n.real)
	default:
		fields[field] = fmt.Sprintf("moving-%d", n.real)
	}
	return nil
}

// spareAddress is an address that nobody has: of the block that is kept for the future.
func spareAddress(id key) string {
	return fmt.Sprintf("%d.%d.%d.%d/32", 240+id>>24&7, id>>16&255, id>>8&255, id&255)
}

// spareVID finds a VLAN id that is free in the group of a VLAN, before and after.
func (a *apply) spareVID(n *change) (key, error) {
	group, _ := number64(a.row(n)["group"])
	taken := map[key]bool{}
	for _, v := range a.before.Rows.VLANs {
		if v.Group == group {
			taken[key(v.VID)] = true
		}
	}
	for _, c := range a.changes {
		if c.Model == modelVLAN {
			vid, _ := number64(c.After["vid"])
			taken[vid] = true
		}
	}
	for _, fields := range a.asides {
		vid, _ := number64(fields["vid"])
		taken[vid] = true
	}
	var g netbox.VLANGroup
	row := map[string]any{}
	if old := a.rows[modelVLANGroup][group]; old != nil {
		row = netbox.FieldsOf(old)
	}
	if c := a.updated[modelVLANGroup][group]; c != nil {
		row = a.after(c)
	}
	data, err := json.Marshal(row["vid_ranges"])
	if err != nil || json.Unmarshal(data, &g.VIDRanges) != nil || len(g.VIDRanges) == 0 {
		g.VIDRanges = [][2]uint16{{1, 4094}}
	}
	for _, r := range slices.Backward(g.VIDRanges) {
		for vid := key(r[1]); vid >= key(r[0]); vid-- {
			if !taken[vid] {
				return vid, nil
			}
		}
	}
	return 0, planError(fmt.Sprintf("VLANs take each other's ids, %s (VLAN %d) among them, and their group has no free one that a VLAN could have meanwhile", n.Name, n.real),
		"add an id to the VLAN group's ranges in NetBox, and import again; nothing was written", nil)
}

// makeRoom lets the objects of a model step aside.
func (a *apply) makeRoom(ctx context.Context, model string) error {
	var edits []edit
	for n, fields := range a.asides {
		if n.Model != model {
			continue
		}
		row := a.row(n)
		was := map[string]any{}
		for field := range fields {
			was[field] = row[field]
		}
		q := &change{Change: netbox.Change{Action: netbox.Update, Model: model, ID: n.ID, Name: n.Name, Before: was, After: fields}, real: n.real, extra: true}
		edits = append(edits, edit{n: q, was: was, will: fields, body: body(model, fields)})
	}
	slices.SortFunc(edits, func(x, y edit) int { return cmp.Compare(x.n.real, y.n.real) })
	if err := a.send(ctx, model, edits); err != nil {
		return err
	}
	for n, fields := range a.asides {
		if n.Model != model {
			continue
		}
		for field, v := range fields {
			if _, ok := n.After[field]; !ok && n.Action == netbox.Update {
				n.After[field] = a.row(n)[field] // and back
			}
			n.Before[field] = v
		}
	}
	return nil
}

// row is a row of the snapshot, as JSON has it.
func (a *apply) row(n *change) map[string]any {
	if old := a.rows[n.Model][n.ID]; old != nil {
		return netbox.FieldsOf(old)
	}
	return map[string]any{}
}
