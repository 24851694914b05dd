package review

import (
	"maps"
	"slices"
	"strings"

	"hedgehog-gitops/render/hedgehog"
)

// phrases says in the imperative what the changes do, the most telling first:
// "delete VPC web", "attach 3 servers".
func (c Changes) phrases() []Words {
	var list []Words
	renamed := map[hedgehog.Key]bool{}
	for _, r := range c.Renames {
		renamed[r.From], renamed[r.To] = true, true
	}
	groups := map[Class]map[hedgehog.Kind][]*Change{}
	for i := range c.Objects {
		change := &c.Objects[i]
		if renamed[change.Key] || change.goesWithAnother() || c.succeeding[change.Key] || c.staysAttached(change) {
			continue
		}
		class := change.Class
		if class == Delete && change.isReplaced() {
			class = Replace
		}
		if groups[class] == nil {
			groups[class] = map[hedgehog.Kind][]*Change{}
		}
		groups[class][change.Key.Kind] = append(groups[class][change.Key.Kind], change)
	}
	for _, class := range []Class{Delete, Replace, Add, ChangeInPlace} {
		kinds := slices.SortedFunc(maps.Keys(groups[class]), func(a, b hedgehog.Kind) int {
			return hedgehog.Key{Kind: a}.Compare(hedgehog.Key{Kind: b})
		})
		slices.SortStableFunc(kinds, func(a, b hedgehog.Kind) int { return telling(b) - telling(a) })
		for _, kind := range kinds {
			if words := c.phrase(class, kind, groups[class][kind], groups); words != nil {
				list = append(list, words)
			}
		}
	}
	return append(list, c.renamePhrases()...)
}

// goesWithAnother reports whether the object goes because another does, which is
// told.
func (c *Change) goesWithAnother() bool {
	return slices.ContainsFunc(c.Reasons, func(r Reason) bool { return strings.HasPrefix(r.Rule, "goes with ") })
}

// isReplaced reports whether another connection takes the ports of this one.
func (c *Change) isReplaced() bool {
	return slices.ContainsFunc(c.Reasons, func(r Reason) bool { return r.Rule == ruleReplaced })
}

// staysAttached reports whether the change is a new attachment of servers that were
// in the subnet already.
func (c Changes) staysAttached(change *Change) bool {
	if change.Class != Add || change.Key.Kind != hedgehog.KindVPCAttachment {
		return false
	}
	spec, ok := change.After.Spec.(*hedgehog.VPCAttachmentSpec)
	if !ok {
		return false
	}
	servers := c.after.servers(spec.Connection)
	return len(servers) > 0 && !slices.ContainsFunc(servers, func(s string) bool { return c.before.nets(s)[spec.Subnet] == 0 })
}

// telling returns how much objects of a kind say about a change.
func telling(kind hedgehog.Kind) int {
	return slices.Index([]hedgehog.Kind{
		hedgehog.KindServer, hedgehog.KindConnection, hedgehog.KindExternalAttachment, hedgehog.KindGateway, hedgehog.KindSwitch,
		hedgehog.KindGatewayPeering, hedgehog.KindExternalPeering, hedgehog.KindVPCPeering, hedgehog.KindExternal, hedgehog.KindVPCAttachment, hedgehog.KindVPC,
	}, kind)
}

func (c Changes) renamePhrases() []Words {
	byKind := map[hedgehog.Kind][]Rename{}
	var kinds []hedgehog.Kind
	for _, r := range c.Renames {
		if byKind[r.From.Kind] == nil {
			kinds = append(kinds, r.From.Kind)
		}
		byKind[r.From.Kind] = append(byKind[r.From.Kind], r)
	}
	var list []Words
	for _, kind := range kinds {
		if r := byKind[kind]; len(r) == 1 {
			list = append(list, say("rename ", object(r[0].From), " to ", name(r[0].To.Name)))
		} else {
			list = append(list, say("rename "+count(len(r), noun(kind))))
		}
	}
	return list
}

// phrase says what happens to the objects of one class and kind.
func (c Changes) phrase(class Class, kind hedgehog.Kind, changes []*Change, groups map[Class]map[hedgehog.Kind][]*Change) Words {
	first := changes[0]
	one := len(changes) == 1
	many := func(verb string) Words {
		if one {
			return say(verb+" ", object(first.Key))
		}
		return say(verb + " " + count(len(changes), noun(kind)))
	}
	switch class {
	case Add:
		switch {
		case kind == hedgehog.KindVPC:
			subnets := 0
			for _, change := range changes {
				if spec, ok := change.After.Spec.(*hedgehog.VPCSpec); ok {
					subnets += len(spec.Subnets)
				}
			}
			return say(many("add"), " ("+count(subnets, "subnet")+")")
		case kind == hedgehog.KindVPCAttachment:
			return c.attached("attach", "to", c.after, changes)
		case kind == hedgehog.KindVPCPeering && one:
			if p := peeringOf(first.After); p != nil {
				return say("peer ", name(p.a), " with ", name(p.b))
			}
		case kind == hedgehog.KindExternalPeering && one:
			permit := first.After.Spec.(*hedgehog.ExternalPeeringSpec).Permit
			return say("open VPC ", name(permit.VPC.Name), " to ", name(permit.External.Name))
		case kind == hedgehog.KindConnection:
			if c.onlyNewServers(changes, groups) {
				return nil // told with the servers
			}
		}
		return many("add")
	case Delete:
		if kind == hedgehog.KindVPCAttachment {
			return c.attached("detach", "from", c.before, changes)
		}
		return many("delete")
	case Replace:
		return fieldPhrase("move", first, many("replace"), one)
	}
	return fieldPhrase("change", first, many("change"), one)
}

// fieldPhrase names the field when one alone of one object differs.
func fieldPhrase(verb string, change *Change, otherwise Words, one bool) Words {
	if !one || len(change.Fields) != 1 {
		return otherwise
	}
	switch change.Key.Kind {
	case hedgehog.KindConnection, hedgehog.KindVPCAttachment, hedgehog.KindVPCPeering, hedgehog.KindExternalPeering, hedgehog.KindGatewayPeering:
		return otherwise // their fields say less than their names
	}
	f := change.Fields[0]
	of, what := object(change.Key), f.what
	if len(f.part) > 0 {
		of = say(f.part, " of ", of)
		if change.Key.Kind == hedgehog.KindVPC && len(f.part) == 2 && f.part[0].Text == "subnet " {
			of = say(name(change.Key.Name + "/" + f.part[1].Text))
		}
	}
	if len(what) == 0 {
		what, of = f.part, object(change.Key)
	}
	switch {
	case f.Before == "":
		return say("set ", what, " of ", of)
	case f.After == "":
		return say("remove ", what, " of ", of)
	case len(f.After) > 20 || f.Path == "":
		return say("change ", what, " of ", of)
	}
	return say(verb+" ", what, " of ", of, " to ", name(f.After))
}

// attached says which servers are attached or detached.
func (c Changes) attached(verb, where string, x *index, changes []*Change) Words {
	var servers, nets []string
	for _, change := range changes {
		o := change.After
		if o == nil {
			o = change.Before
		}
		spec, ok := o.Spec.(*hedgehog.VPCAttachmentSpec)
		if !ok {
			continue
		}
		servers = append(servers, x.servers(spec.Connection)...)
		nets = append(nets, spec.Subnet)
	}
	servers, nets = sortedSet(servers), sortedSet(nets)
	words := say(verb + " " + count(len(changes), "connection"))
	switch {
	case len(servers) == 1:
		words = say(verb+" ", name(servers[0]))
	case len(servers) > 1:
		words = say(verb + " " + count(len(servers), "server"))
	}
	if len(nets) == 1 && len(servers) == 1 {
		words = say(words, " "+where+" ", name(nets[0]))
	}
	return words
}

func peeringOf(o *hedgehog.Object) *pair {
	spec, ok := o.Spec.(*hedgehog.VPCPeeringSpec)
	if !ok {
		return nil
	}
	for p := range peeringPairs(spec) {
		return &p
	}
	return nil
}

// onlyNewServers reports whether the connections are those of servers that are new
// too.
func (c Changes) onlyNewServers(changes []*Change, groups map[Class]map[hedgehog.Kind][]*Change) bool {
	added := map[string]bool{}
	for _, change := range groups[Add][hedgehog.KindServer] {
		added[change.Key.Name] = true
	}
	for _, change := range changes {
		servers := c.after.servers(change.Key.Name)
		if len(servers) == 0 || slices.ContainsFunc(servers, func(s string) bool { return !added[s] }) {
			return false
		}
	}
	return true
}

// commitType returns the type of the Conventional Commit: feat when something comes
// or goes, fix when what is there gets other values, refactor when the network stays
// as it is, with other names, texts or labels.
func (c Changes) commitType() string {
	kind := "refactor"
	renamed := map[hedgehog.Key]bool{}
	for _, r := range c.Renames {
		renamed[r.From], renamed[r.To] = true, true
	}
	for i := range c.Objects {
		change := &c.Objects[i]
		switch {
		case renamed[change.Key]:
		case change.Class == Add || change.Class == Delete:
			return "feat"
		case !change.isText():
			kind = "fix"
		}
	}
	return kind
}

// isText reports whether nothing of the object differs that the network knows.
func (c *Change) isText() bool {
	return c.Risk == Low && !slices.ContainsFunc(c.Fields, func(f Field) bool {
		return f.Path != "" && f.Path != "spec.description" && !strings.HasPrefix(f.Path, "metadata.")
	})
}
