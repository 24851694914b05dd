package review

import (
	"cmp"
	"slices"
	"strings"

	"hedgehog-gitops/render/hedgehog"
)

// findRenames finds pairs of a deleted and an added object that differ in nothing
// but their names, and in the names of what they refer to where that was renamed
// too. Only where exactly one fits exactly one.
func (d *differ) findRenames() {
	d.renamedTo, d.renamedFrom = map[hedgehog.Key]string{}, map[hedgehog.Key]string{}
	type candidates struct{ gone, new []*draft }
	newName := func(kind hedgehog.Kind, name string) string {
		return cmp.Or(d.renamedTo[hedgehog.Key{Kind: kind, Name: name}], name)
	}
	byKind := map[hedgehog.Kind][]*draft{}
	for _, dr := range d.drafts {
		if dr.Class == Add || dr.Class == Delete {
			byKind[dr.Key.Kind] = append(byKind[dr.Key.Kind], dr)
		}
	}
	for _, kind := range hedgehog.Kinds() { // what is referred to comes first
		same := map[string]*candidates{}
		for _, dr := range byKind[kind] {
			object, x, names := dr.After, d.after, renamer(nil)
			if dr.Class == Delete {
				object, x, names = dr.Before, d.before, newName
			}
			identity, ok := x.identity(object, names)
			if !ok {
				continue
			}
			if same[identity] == nil {
				same[identity] = &candidates{}
			}
			if c := same[identity]; dr.Class == Delete {
				c.gone = append(c.gone, dr)
			} else {
				c.new = append(c.new, dr)
			}
		}
		for _, c := range same {
			if len(c.gone) == 1 && len(c.new) == 1 {
				from, to := c.gone[0].Key, c.new[0].Key
				d.renamedTo[from], d.renamedFrom[to] = to.Name, from.Name
				d.renames = append(d.renames, Rename{from, to})
			}
		}
	}
	slices.SortFunc(d.renames, func(a, b Rename) int { return a.From.Compare(b.From) })
}

// identity returns all that makes an object what it is but for its name; not ok
// when nothing does: two empty servers are not one renamed.
func (x *index) identity(o *hedgehog.Object, renamed renamer) (string, bool) {
	var lines []string
	facts := flatten(o, renamed)
	for i := range facts {
		lines = append(lines, facts[i].id()+"\x01"+facts[i].text)
	}
	var by []string // others that tell it apart
	switch spec := o.Spec.(type) {
	case *hedgehog.ServerSpec:
		for _, l := range x.server(o.Name).links {
			by = append(by, l.near.Name()+" "+string(l.far))
		}
	case *hedgehog.SwitchGroupSpec:
		by = x.tagged[o.Name]
	case *hedgehog.GatewayGroupSpec:
		by = x.gateways[o.Name]
	case *hedgehog.ExternalSpec:
		if spec.Static != nil || spec.InboundCommunity != "" || spec.OutboundCommunity != "" {
			by = []string{"routes"}
		}
	default:
		by = []string{"spec"}
	}
	slices.Sort(lines)
	by = slices.Sorted(slices.Values(by))
	return strings.Join(lines, "\x02") + "\x03" + strings.Join(by, "\x02"), len(by) > 0
}

// judgeRenames says that the cluster knows no renaming.
func (d *differ) judgeRenames() {
	for _, r := range d.renames {
		says := say("renames ", object(r.From), " to ", name(r.To.Name), ": the cluster deletes the one and creates the other")
		risk, weight := Medium, 0
		switch r.From.Kind {
		case hedgehog.KindVPC:
			if n := len(d.before.serversOf(r.From.Name)); n > 0 {
				risk, weight = High, n
				says = say(says, "; "+count(n, "server")+does(n, "loses its", "lose their")+" network meanwhile")
			}
		case hedgehog.KindConnection:
			risk = High
			says = say(says, "; its links go down meanwhile")
		case hedgehog.KindSwitch:
			risk = High
			says = say(says, "; everything behind it goes down meanwhile")
		case hedgehog.KindExternal, hedgehog.KindGateway:
			risk = High
			says = say(says, "; what goes through it stops meanwhile")
		case hedgehog.KindVPCAttachment:
			risk = High
			spec := d.before.fabric.Get(r.From.Kind, r.From.Name).Spec.(*hedgehog.VPCAttachmentSpec)
			if servers := d.before.servers(spec.Connection); len(servers) > 0 {
				says = say(says, "; ", names(servers, 3), does(len(servers), "loses", "lose"), " ", name(spec.Subnet), " meanwhile")
			}
		case hedgehog.KindVPCPeering, hedgehog.KindExternalPeering, hedgehog.KindGatewayPeering, hedgehog.KindExternalAttachment:
			says = say(says, "; traffic over it stops meanwhile")
		}
		noted := Reason{
			Rule: "rename " + string(r.From.Kind), Risk: risk, Says: says, weight: weight, hazard: true,
			many: plural(noun(r.From.Kind)) + " get another name, which the cluster does by deleting and creating",
		}
		d.because(r.From, noted)
		d.because(r.To, Reason{Rule: "renamed " + string(r.From.Kind), Risk: Low, Says: say("was ", name(r.From.Name), " before, and is otherwise the same")})
	}
}

// nowCalled returns the name that an object of before has in after.
func (d *differ) nowCalled(kind hedgehog.Kind, name string) string {
	return cmp.Or(d.renamedTo[hedgehog.Key{Kind: kind, Name: name}], name)
}
