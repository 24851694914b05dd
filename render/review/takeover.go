package review

import (
	"maps"
	"net/netip"
	"slices"
	"strings"

	"hedgehog-gitops/render/hedgehog"
)

// judgeTakeovers finds what one object gives up and another gets. The cluster
// refuses the second while the first still has it.
func (d *differ) judgeTakeovers() {
	owners := map[hedgehog.Claim]*draft{} // of what is given up
	fields := map[hedgehog.Claim]string{} // by which it was claimed
	for _, dr := range d.drafts {
		if dr.Before == nil {
			continue
		}
		var kept map[hedgehog.Claim]string
		if dr.After != nil {
			kept = hedgehog.Claims(dr.After)
		}
		for c, field := range hedgehog.Claims(dr.Before) {
			if _, ok := kept[c]; !ok {
				owners[c], fields[c] = dr, field
			}
		}
	}
	wide := d.networks(owners)
	for _, dr := range d.drafts {
		if dr.After == nil {
			continue
		}
		var had map[hedgehog.Claim]string
		if dr.Before != nil {
			had = hedgehog.Claims(dr.Before)
		}
		taken := map[hedgehog.Key][]hedgehog.Claim{}
		mine := hedgehog.Claims(dr.After)
		wider := map[hedgehog.Claim]string{} // networks of others that overlap with a subnet
		for c := range mine {
			if _, ok := had[c]; ok {
				continue
			}
			if owner := owners[c]; owner != nil && owner != dr {
				taken[owner.Key] = append(taken[owner.Key], c)
			} else if c.Kind == hedgehog.ClaimNetwork && owner == nil {
				for _, other := range wide.overlapping(c) {
					if owner := owners[other]; owner != dr {
						taken[owner.Key] = append(taken[owner.Key], other)
						wider[other] = mine[c]
					}
				}
			}
		}
		maps.Copy(mine, wider)
		for _, owner := range slices.SortedFunc(maps.Keys(taken), hedgehog.Key.Compare) {
			d.takeover(dr, d.of[owner], taken[owner], mine, fields)
		}
	}
}

// takeover says that an object takes something over from another.
func (d *differ) takeover(to, from *draft, taken []hedgehog.Claim, mine, fields map[hedgehog.Claim]string) {
	if to.Class == ChangeInPlace {
		to.Class = Replace
	}
	if d.renamedTo[from.Key] == to.Key.Name && from.Key.Kind == to.Key.Kind {
		return // told as a renaming
	}
	slices.SortFunc(taken, func(a, b hedgehog.Claim) int {
		return strings.Compare(string(a.Kind)+a.What, string(b.Kind)+b.What)
	})
	if from.Key.Kind == hedgehog.KindConnection && to.Key.Kind == hedgehog.KindConnection {
		if from.Class == Delete {
			d.successors[from.Key.Name] = append(d.successors[from.Key.Name], to.Key.Name)
		}
		return // told with the links
	}
	var what []Words
	for _, c := range taken {
		switch c.Kind {
		case hedgehog.ClaimVLAN, hedgehog.ClaimNetwork:
			_, value, _ := cutLast(c.What)
			text := say(string(c.Kind)+" ", name(value), " of ", name(from.Key.Name+"/"+subnetOf(fields[c])))
			if part := subnetOf(mine[c]); part != "" {
				text = say(text, " (for ", name(to.Key.Name+"/"+part), ")")
			}
			what = append(what, text)
		case hedgehog.ClaimTag:
			what = append(what, say("the place of ", name(from.Key.Name)))
		default:
			what = append(what, say(string(c.Kind)+" ", name(c.What), " of ", name(from.Key.Name)))
		}
	}
	risk := High
	switch to.Key.Kind {
	case hedgehog.KindVPCAttachment, hedgehog.KindExternalAttachment:
		risk = Low // what happens to who is behind it is told
	}
	d.because(to.Key, Reason{
		Rule: "takeover " + string(to.Key.Kind), Risk: risk,
		Says: say(object(to.Key), " takes over ", and(what[:min(3, len(what))], ", "), ": the cluster refuses it while the other has it"),
		many: plural(noun(to.Key.Kind)) + " take over what others have",
	})
}

// subnetOf returns the subnet of a VPC that a field is about.
func subnetOf(field string) string {
	name, ok := strings.CutPrefix(field, "spec.subnets.")
	if !ok {
		return ""
	}
	return name[:strings.LastIndexByte(name, '.')]
}

// networkClaims finds networks that overlap.
type networkClaims struct {
	// exact are the networks that are given up, by namespace and network; around
	// has every network around one of them.
	exact, around map[string][]hedgehog.Claim
}

func (d *differ) networks(owners map[hedgehog.Claim]*draft) networkClaims {
	n := networkClaims{map[string][]hedgehog.Claim{}, map[string][]hedgehog.Claim{}}
	add := func(to map[string][]hedgehog.Claim, key string, c hedgehog.Claim) {
		if len(to[key]) < mostOverlaps {
			to[key] = append(to[key], c)
		}
	}
	for _, c := range slices.SortedFunc(maps.Keys(owners), func(a, b hedgehog.Claim) int { return strings.Compare(a.What, b.What) }) {
		if c.Kind != hedgehog.ClaimNetwork {
			continue
		}
		namespace, text, _ := cutLast(c.What)
		prefix := netip.MustParsePrefix(text)
		add(n.exact, c.What, c)
		for bits := range prefix.Bits() {
			wider, _ := prefix.Addr().Prefix(bits)
			add(n.around, namespace+" "+wider.String(), c)
		}
	}
	return n
}

// mostOverlaps is how many networks are told that one overlaps with.
const mostOverlaps = 3

// overlapping returns some of the networks that are given up and overlap with one
// that is claimed.
func (n networkClaims) overlapping(c hedgehog.Claim) []hedgehog.Claim {
	found := slices.Clone(n.around[c.What])
	namespace, text, _ := cutLast(c.What)
	prefix := netip.MustParsePrefix(text)
	for bits := range prefix.Bits() {
		wider, _ := prefix.Addr().Prefix(bits)
		found = append(found, n.exact[namespace+" "+wider.String()]...)
	}
	slices.SortFunc(found, func(a, b hedgehog.Claim) int { return strings.Compare(a.What, b.What) })
	return found[:min(mostOverlaps, len(found))]
}
