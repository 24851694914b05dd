package review

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"hedgehog-gitops/render/hedgehog"
)

// The most that a picture shows.
const (
	mostEdges = 24
	mostNodes = 30
)

// pictureSection draws the part of the topology that changes, as Mermaid.
func (r Request) pictureSection() section {
	s := section{rank: 6, whole: true}
	p := picture{changes: r.Changes, ids: map[string]string{}, classes: map[hedgehog.Key]Class{}}
	p.draw()
	if len(p.edges) == 0 && !p.showsMore() {
		return s
	}
	s.heading = "### The part that changes\n\n"
	legend := "Green comes, red goes, yellow changes, grey stays."
	if p.drawn < r.Changes.Len() {
		legend += " Of " + count(r.Changes.Len(), "change") + " the picture shows " + number(p.drawn) + ", the riskiest first."
	}
	s.add(legend + "\n\n" + fenced("mermaid", p.lines()))
	return s
}

type picture struct {
	changes Changes
	ids     map[string]string // what a node stands for -> its id
	classes map[hedgehog.Key]Class
	nodes   []node
	edges   []edge
	drawn   int // changes
}

type node struct {
	id, label   string
	left, right string // the brackets that make its shape
	class       Class  // 0 for what stays
}

type edge struct {
	from, to, label string
	class           Class
}

// draw puts the changes into the picture, the riskiest first, as long as there is
// room.
func (p *picture) draw() {
	order := make([]*Change, len(p.changes.Objects))
	for i := range p.changes.Objects {
		c := &p.changes.Objects[i]
		order[i] = c
		p.classes[c.Key] = c.Class
	}
	slices.SortStableFunc(order, func(a, b *Change) int {
		return cmp.Or(cmp.Compare(b.Risk, a.Risk), cmp.Compare(drawnAs(a.Key.Kind), drawnAs(b.Key.Kind)))
	})
	for _, c := range order {
		if len(p.edges) >= mostEdges || len(p.nodes) >= mostNodes {
			return
		}
		if p.object(c) {
			p.drawn++
		}
	}
}

// showsMore reports whether nodes alone show more than a list of names: one comes
// or goes.
func (p *picture) showsMore() bool {
	return slices.ContainsFunc(p.nodes, func(n node) bool { return n.class == Add || n.class == Delete })
}

// How a kind is drawn: what joins others comes first, and brings them along.
const (
	asEdge = iota
	asNode
	notDrawn
)

func drawnAs(kind hedgehog.Kind) int {
	switch kind {
	case hedgehog.KindSwitch, hedgehog.KindServer, hedgehog.KindGateway, hedgehog.KindExternal, hedgehog.KindVPC:
		return asNode
	case hedgehog.KindConnection, hedgehog.KindVPCAttachment, hedgehog.KindVPCPeering, hedgehog.KindExternalPeering,
		hedgehog.KindExternalAttachment, hedgehog.KindGatewayPeering:
		return asEdge
	}
	return notDrawn
}

// object draws one change that joins others, or that nothing has brought along; it
// reports whether one more change is to be seen.
func (p *picture) object(c *Change) bool {
	o, x := c.After, p.changes.after
	if o == nil {
		o, x = c.Before, p.changes.before
	}
	switch spec := o.Spec.(type) {
	case *hedgehog.SwitchSpec, *hedgehog.ServerSpec, *hedgehog.GatewaySpec, *hedgehog.ExternalSpec, *hedgehog.VPCSpec:
		p.node(c.Key.Kind, c.Key.Name)
		return false // counted as a node
	case *hedgehog.ConnectionSpec:
		p.connection(c, spec)
	case *hedgehog.VPCAttachmentSpec:
		vpc, subnet, _ := strings.Cut(spec.Subnet, "/")
		for _, server := range x.servers(spec.Connection) {
			p.edge(p.node(hedgehog.KindServer, server), p.node(hedgehog.KindVPC, vpc), "in "+subnet, c.Class)
		}
	case *hedgehog.VPCPeeringSpec:
		for pair := range peeringPairs(spec) {
			p.edge(p.node(hedgehog.KindVPC, pair.a), p.node(hedgehog.KindVPC, pair.b), "peering", c.Class)
		}
	case *hedgehog.ExternalPeeringSpec:
		p.edge(p.node(hedgehog.KindVPC, spec.Permit.VPC.Name), p.node(hedgehog.KindExternal, spec.Permit.External.Name), "peering", c.Class)
	case *hedgehog.ExternalAttachmentSpec:
		for _, l := range x.links[spec.Connection] {
			p.edge(p.node(hedgehog.KindExternal, spec.External), p.node(hedgehog.KindSwitch, l.far.Device()), l.far.Name(), c.Class)
		}
	case *hedgehog.GatewayPeeringSpec:
		if pair, ok := gatewayPair(spec); ok {
			p.edge(p.side(pair.a), p.side(pair.b), "over "+spec.GatewayGroup, c.Class)
		}
	default:
		return false
	}
	return true
}

func (p *picture) side(name string) string {
	if external, ok := strings.CutPrefix(name, "ext."); ok {
		return p.node(hedgehog.KindExternal, external)
	}
	return p.node(hedgehog.KindVPC, name)
}

// connection draws the links of a connection: those that came, those that went, and
// those between which it changes.
func (p *picture) connection(c *Change, spec *hedgehog.ConnectionSpec) {
	near, far := hedgehog.KindServer, hedgehog.KindSwitch
	switch {
	case spec.Fabric != nil, spec.Mesh != nil, spec.VPCLoopback != nil, spec.MCLAGDomain != nil:
		near = hedgehog.KindSwitch
	case spec.Gateway != nil:
		near, far = hedgehog.KindSwitch, hedgehog.KindGateway
	}
	before, after := map[link]bool{}, map[link]bool{}
	var all []link
	for _, l := range p.changes.before.links[c.Key.Name] {
		before[l] = true
		all = append(all, l)
	}
	for _, l := range p.changes.after.links[c.Key.Name] {
		after[l] = true
		if !before[l] {
			all = append(all, l)
		}
	}
	for _, l := range all {
		class := Class(0)
		switch {
		case !before[l]:
			class = Add
		case !after[l]:
			class = Delete
		case c.Risk > Low && len(before) == len(after):
			class = c.Class
		}
		if l.near == "" {
			p.node(far, l.far.Device())
			continue
		}
		p.edge(p.node(near, l.near.Device()), p.node(far, l.far.Device()), l.near.Name()+" - "+l.far.Name(), class)
		if len(p.edges) >= mostEdges {
			return
		}
	}
}

// node returns the id of the node for an object, "" when there is no room for it.
func (p *picture) node(kind hedgehog.Kind, name string) string {
	key := string(kind) + "/" + name
	if id, ok := p.ids[key]; ok {
		return id
	}
	if len(p.nodes) >= mostNodes {
		return ""
	}
	n := node{id: "n" + strconv.Itoa(len(p.nodes)+1), label: noun(kind) + " " + name, left: "[", right: "]"}
	switch kind {
	case hedgehog.KindServer:
		n.left, n.right = "(", ")"
	case hedgehog.KindVPC:
		n.left, n.right = "([", "])"
	case hedgehog.KindExternal:
		n.left, n.right = "((", "))"
	case hedgehog.KindGateway:
		n.left, n.right = "{{", "}}"
	}
	if n.class = p.classes[hedgehog.Key{Kind: kind, Name: name}]; n.class != 0 {
		p.drawn++
	}
	p.ids[key] = n.id
	p.nodes = append(p.nodes, n)
	return n.id
}

func (p *picture) edge(from, to, label string, class Class) {
	if from != "" && to != "" && len(p.edges) < mostEdges {
		p.edges = append(p.edges, edge{from, to, label, class})
	}
}

// lines returns the picture as Mermaid. No name stands in it but in quotes, with
// everything escaped that is not a letter or a digit.
func (p *picture) lines() []string {
	lines := []string{"flowchart LR"}
	for _, n := range p.nodes {
		line := "  " + n.id + n.left + `"` + mermaidText(n.label) + `"` + n.right
		if class := className(n.class); class != "" {
			line += ":::" + class
		}
		lines = append(lines, line)
	}
	byClass := map[string][]string{}
	for i, e := range p.edges {
		lines = append(lines, "  "+e.from+` ---|"`+mermaidText(e.label)+`"| `+e.to)
		if class := className(e.class); class != "" {
			byClass[class] = append(byClass[class], strconv.Itoa(i))
		}
	}
	colors := []struct{ class, line string }{
		{"comes", "stroke:green,stroke-width:3px"},
		{"goes", "stroke:red,stroke-width:3px,stroke-dasharray:5"},
		{"changes", "stroke:orange,stroke-width:3px"},
	}
	for _, color := range colors {
		if slices.ContainsFunc(p.nodes, func(n node) bool { return className(n.class) == color.class }) {
			lines = append(lines, "  classDef "+color.class+" "+color.line)
		}
		if list := byClass[color.class]; len(list) > 0 {
			lines = append(lines, "  linkStyle "+strings.Join(list, ",")+" "+color.line)
		}
	}
	return lines
}

func className(c Class) string {
	switch c {
	case Add:
		return "comes"
	case Delete:
		return "goes"
	case ChangeInPlace, Replace:
		return "changes"
	}
	return ""
}

// mermaidText returns the text for a place between quotes in Mermaid.
func mermaidText(text string) string {
	var b strings.Builder
	for _, r := range clean(text, 40) {
		if r < 0x80 && (isDigit(byte(r)) || isLetter(byte(r)) || strings.ContainsRune(" ._/-", r)) {
			b.WriteRune(r)
		} else {
			b.WriteString("#" + strconv.Itoa(int(r)) + ";")
		}
	}
	return b.String()
}
