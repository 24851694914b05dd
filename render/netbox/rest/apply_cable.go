package rest

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"hedgehog-gitops/render/netbox"
)

// This file writes cables. What a plan says about terminations is part of the
// requests for their cables: NetBox makes the terminations itself.

// joinTerminations finds the cable of every termination that changes.
func (a *apply) joinTerminations() {
	stays := map[key]bool{}
	join := func(n *change, cable any) {
		id, ok := number64(cable)
		if !ok || slices.Contains(a.ends[id], n) {
			return
		}
		a.ends[id] = append(a.ends[id], n)
		if a.created[modelCable][id] == nil && a.deleted[modelCable][id] == nil {
			stays[id] = true
		}
	}
	for _, n := range a.changes {
		if n.Model != modelTermination {
			continue
		}
		if was, ok := a.rows[modelTermination][n.ID].(netbox.CableTermination); ok {
			join(n, jsonNumber(was.Cable))
		}
		join(n, n.After["cable"])
	}
	a.moves = sortedIDs(stays)
}

// terminationsOf are the ends that a cable is to have, as rows with NetBox's ids: A
// before B, in the order of their connectors.
func (a *apply) terminationsOf(cable key) []map[string]any {
	var rows []map[string]any
	changed := map[key]bool{}
	add := func(row map[string]any) {
		if id, _ := number64(row["cable"]); id == cable {
			row, _ = a.translated(modelTermination, row)
			kind, _ := row["termination_type"].(string)
			if id, ok := number64(row["termination_id"]); ok {
				real, _ := a.real(kind, id)
				row["termination_id"] = jsonNumber(real)
			}
			rows = append(rows, row)
		}
	}
	for _, n := range a.ends[cable] {
		changed[n.ID] = true
		if n.Action != netbox.Delete {
			add(a.after(n))
		}
	}
	if a.created[modelCable][cable] == nil {
		for _, t := range a.before.Rows.CableTerminations {
			if t.Cable == cable && !changed[t.ID] {
				add(netbox.FieldsOf(t))
			}
		}
	}
	text := func(row map[string]any) string { end, _ := row["cable_end"].(string); return end }
	slices.SortStableFunc(rows, func(x, y map[string]any) int {
		p, _ := number64(x["connector"])
		q, _ := number64(y["connector"])
		return cmp.Or(cmp.Compare(text(x), text(y)), cmp.Compare(p, q))
	})
	return rows
}

// terminate puts the ends into the request for a cable.
func (a *apply) terminate(n *change, body map[string]any) { a.terminations(n.ID, body) }

func (a *apply) terminations(cable key, body map[string]any) {
	ends := map[string][]any{"A": {}, "B": {}}
	for _, row := range a.terminationsOf(cable) {
		end, _ := row["cable_end"].(string)
		ends[end] = append(ends[end], map[string]any{"object_type": row["termination_type"], "object_id": row["termination_id"]})
	}
	body["a_terminations"], body["b_terminations"] = ends["A"], ends["B"]
}

// move changes the ends of cables that stay. What people say of the cable stays too.
func (a *apply) move(ctx context.Context) error {
	const doing = "moving the ends of cables"
	for _, id := range a.inTurn() {
		n := &change{Change: netbox.Change{Model: modelCable, ID: id, Name: a.ends[id][0].Name}, real: id}
		body := map[string]any{}
		a.terminations(id, body)
		for try := 1; ; try++ {
			there, err := a.look(ctx, modelCable, "id", []key{id}, byOwnID)
			if err != nil {
				return err
			}
			now, ok := there[id]
			if !ok {
				return stale(doing, n, "is not there any more")
			}
			ends, err := a.endsNow(ctx, id)
			if err != nil {
				return err
			}
			if !slices.Equal(ends, portsOf(a.terminationsOf(id))) {
				var was []map[string]any
				for _, t := range a.before.Rows.CableTerminations {
					if t.Cable == id {
						was = append(was, netbox.FieldsOf(t))
					}
				}
				if !slices.Equal(ends, portsOf(was)) {
					return stale(doing, n, "has other ends than when the plan was made")
				}
				body["id"], body["changelog_message"] = id, a.message()
				err = a.c.write(ctx, doing, nil, a.c.raw(http.MethodPatch, a.paths[modelCable], []any{body}, "If-Match", now.etag))
			}
			if err == nil {
				break
			}
			if try < a.c.options.Tries && (moved(err) || a.wait(ctx, err, try)) {
				continue
			}
			return explained(err, func(n *change) *change { return n }, []*change{n})
		}
		a.progress(a.endsOver(id))
	}
	return nil
}

// inTurn orders the cables that move: one that leaves a port before the one that takes
// it.
func (a *apply) inTurn() []key {
	held := map[string]key{} // by whom, as NetBox is
	for _, t := range a.before.Rows.CableTerminations {
		held[fmt.Sprint(t.Type, t.Port)] = t.Cable
	}
	var order []key
	state := map[key]int{} // 1 waits, 2 is done
	moving := map[key]bool{}
	for _, id := range a.moves {
		moving[id] = true
	}
	var take func(id key)
	take = func(id key) {
		if !moving[id] || state[id] != 0 {
			return
		}
		state[id] = 1
		for _, row := range a.terminationsOf(id) {
			if other := held[fmt.Sprint(row["termination_type"], row["termination_id"])]; other != id {
				take(other)
			}
		}
		state[id] = 2
		order = append(order, id)
	}
	for _, id := range a.moves {
		take(id)
	}
	return order
}

// portsOf says which ports are at which end of a cable, and in which connector.
func portsOf(rows []map[string]any) []string {
	var ports []string
	for _, row := range rows {
		connector, _ := number64(row["connector"])
		ports = append(ports, fmt.Sprint(row["cable_end"], connector, row["termination_type"], row["termination_id"]))
	}
	slices.Sort(ports)
	return ports
}

// endsNow reads the ends of a cable.
func (a *apply) endsNow(ctx context.Context, cable key) ([]string, error) {
	rows, _, err := fetch[terminationWire](ctx, a.c, a.r.sources[modelTermination], url.Values{"cable_id": {strconv.FormatInt(int64(cable), 10)}, "limit": {"200"}})
	if err != nil {
		return nil, err
	}
	var list []map[string]any
	for _, w := range rows {
		row, _, err := w.row(nil)
		if err != nil {
			return nil, err
		}
		list = append(list, netbox.FieldsOf(row))
	}
	return portsOf(list), nil
}

// fits reports what NetBox answers to a cable with a server error, before it does:
// an end that is not there.
func (a *apply) fits(n *change) string {
	ends := map[string]int{}
	for _, t := range a.ends[n.ID] {
		if t.Action == netbox.Delete {
			continue
		}
		row := a.after(t)
		kind, _ := row["termination_type"].(string)
		id, _ := number64(row["termination_id"])
		end, _ := row["cable_end"].(string)
		ends[end]++
		if a.created[kind][id] == nil && a.rows[kind][id] == nil {
			return fmt.Sprintf("ends at %s %d, which is not there", kind, id)
		}
	}
	if n.Action == netbox.Create && (ends["A"] == 0 || ends["B"] == 0) {
		return "has an end that leads nowhere"
	}
	if profile, ok := n.After["profile"]; ok && profile == nil && n.Action == netbox.Update {
		return "loses its profile, which NetBox does not do"
	}
	return ""
}

// staleMACs deletes the MAC addresses that the plan replaced: NetBox keeps them
// assigned to their interfaces.
func (a *apply) staleMACs(ctx context.Context, batch []edit) error {
	old := map[key]string{}
	for _, e := range batch {
		was, _ := e.was["mac_address"].(string)
		if _, changes := e.will["mac_address"]; changes && was != "" && e.n.Model == modelInterface && e.n.Action == netbox.Update {
			old[e.n.real] = was
		}
	}
	if len(old) == 0 {
		return nil
	}
	for try := 1; ; try++ {
		err := a.deleteMACs(ctx, old)
		if err == nil || try == a.c.options.Tries || !a.wait(ctx, err, try) {
			return err
		}
	}
}

// deleteMACs deletes these MAC addresses of these interfaces, if they are there.
func (a *apply) deleteMACs(ctx context.Context, old map[key]string) error {
	type wire struct {
		keyed
		MAC    text   `json:"mac_address"`
		Object number `json:"assigned_object_id"`
		Kind   text   `json:"assigned_object_type"`
	}
	s := *a.r.sources[modelMACAddress]
	s.fields = []string{"id", "mac_address", "assigned_object_type", "assigned_object_id"}
	message := a.message()
	var gone []map[string]any
	for ids := range slices.Chunk(slices.Sorted(maps.Keys(old)), 50) {
		query := url.Values{"limit": {"1000"}}
		for _, id := range ids {
			query.Add("interface_id", strconv.FormatInt(int64(id), 10))
		}
		rows, _, err := fetch[wire](ctx, a.c, &s, query)
		if err != nil {
			return err
		}
		for _, row := range rows {
			if string(row.Kind) == modelInterface && old[key(row.Object)] == string(row.MAC) {
				gone = append(gone, map[string]any{"id": row.ID, "changelog_message": message})
			}
		}
	}
	if len(gone) == 0 {
		return nil
	}
	return a.c.write(ctx, "deleting MAC addresses that were replaced", nil, a.c.raw(http.MethodDelete, a.paths[modelMACAddress], gone))
}
