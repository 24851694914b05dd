package review

import (
	"cmp"
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"hedgehog-gitops/render/hedgehog"
)

// fact is one value of an object, by the way that leads to it. Items of lists are
// known by what they are about (a link by its near port, a route by its prefix),
// so that one that is put in between moves no other.
type fact struct {
	// pattern is the way with * for the keys of maps and [] for the items of lists:
	// spec.subnets.*.vlan.
	pattern string
	// path is the way with the keys and the items' names: spec.subnets.web.vlan.
	path string
	// keys are the keys and items on the way.
	keys []string
	// text is the value as people read it.
	text string
	// flag is whether the value is a truth value, so that none is no.
	flag bool
	// there says that nothing stands here but that the thing is there: an item, an
	// entry, a group of fields.
	there bool
	// secret is whether nobody may see the text.
	secret bool
}

const yes, no = "yes", "no"

// id tells the facts of an object apart. A path does not: keys may hold dots.
func (f *fact) id() string { return f.pattern + "\x00" + strings.Join(f.keys, "\x00") }

// renamer returns the new name of an object; nil where names do not matter.
type renamer func(kind hedgehog.Kind, name string) string

// flatten returns the facts of an object. With a renamer the objects that it
// refers to go by their new names.
func flatten(o *hedgehog.Object, renamed renamer) []fact {
	f := flattener{kind: o.Kind, renamed: renamed}
	f.texts("metadata.annotations", o.Annotations)
	f.texts("metadata.labels", o.Labels)
	if o.Namespace != "" && o.Namespace != hedgehog.Namespace {
		f.add(place{"metadata.namespace", "metadata.namespace", nil}, legible(o.Namespace))
	}
	if o.APIVersion != "" {
		f.add(place{"apiVersion", "apiVersion", nil}, legible(o.APIVersion))
	}
	if raw, ok := o.Spec.(hedgehog.Raw); ok {
		for _, key := range sortedKeys(raw) {
			f.loose(place{anyField, key, []string{key}}, raw[key])
		}
	} else if o.Spec != nil {
		f.value(place{"spec", "spec", nil}, reflect.ValueOf(o.Spec).Elem())
	}
	for _, leftover := range o.Leftovers {
		f.loose(place{anyField, strings.Join(leftover.Path, "."), leftover.Path}, leftover.Value)
	}
	return f.facts
}

// anyField is the pattern of what no type describes.
const anyField = "?"

// place is where in an object a value stands.
type place struct {
	pattern, path string
	keys          []string
}

func (p place) field(name string) place {
	return place{p.pattern + "." + name, p.path + "." + name, p.keys}
}

func (p place) key(key string) place {
	return place{p.pattern + ".*", p.path + "." + key, append(slices.Clip(p.keys), key)}
}

func (p place) item(id string) place {
	return place{p.pattern + "[]", p.path + "[" + id + "]", append(slices.Clip(p.keys), id)}
}

type flattener struct {
	kind    hedgehog.Kind
	renamed renamer
	facts   []fact
}

func (f *flattener) add(at place, text string) {
	f.facts = append(f.facts, fact{pattern: at.pattern, path: at.path, keys: at.keys, text: text})
}

// addThere says that the thing is there.
func (f *flattener) addThere(at place) {
	f.facts = append(f.facts, fact{pattern: at.pattern, path: at.path, keys: at.keys, text: yes, flag: true, there: true})
}

func (f *flattener) texts(path string, texts map[string]string) {
	for _, key := range sortedKeys(texts) {
		at := place{path, path, nil}.key(key)
		f.facts = append(f.facts, fact{pattern: at.pattern, path: at.path, keys: at.keys, text: legible(texts[key]), secret: isSecret(key)})
	}
}

// value adds the facts of a value of the model. What is left out of a manifest is
// no fact.
func (f *flattener) value(at place, v reflect.Value) {
	if list, ok := f.atoms(at.pattern, v); ok {
		seen := map[string]int{}
		for _, text := range list {
			f.add(at.item(unique(seen, text)), text)
		}
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return
		}
		if v.Elem().Kind() == reflect.Struct {
			f.addThere(at)
		}
		f.value(at, v.Elem())
		if v.Elem().Kind() == reflect.Bool { // none is neither yes nor no
			f.facts[len(f.facts)-1].flag = false
		}
	case reflect.Struct:
		f.fields(at, v)
	case reflect.Map:
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return cmp.Compare(a.String(), b.String()) })
		for _, key := range keys {
			f.entry(at.key(f.mapKey(at.pattern, key.String())), v.MapIndex(key))
		}
	case reflect.Slice:
		f.list(at, v)
	case reflect.Interface:
		f.loose(at, v.Interface())
	default:
		f.scalar(at, v)
	}
}

// entry adds the facts of an entry of a map.
func (f *flattener) entry(at place, v reflect.Value) {
	switch {
	case v.Kind() == reflect.Struct:
		f.addThere(at)
	case v.Kind() == reflect.Pointer && v.IsNil():
		f.add(at, "null")
		return
	}
	f.value(at, v)
}

func (f *flattener) fields(at place, v reflect.Value) {
	t := v.Type()
	for i := range t.NumField() {
		tag, options, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		field := v.Field(i)
		if tag == "portLocators" { // never written
			continue
		}
		if field.IsZero() && (options == "omitempty" || field.Kind() == reflect.String) || field.Kind() == reflect.Bool && !field.Bool() {
			continue
		}
		f.value(at.field(tag), field)
	}
}

// list adds the facts of a list of structs.
func (f *flattener) list(at place, v reflect.Value) {
	seen := map[string]int{}
	var order []string
	for i := range v.Len() {
		id, field := itemName(v.Index(i))
		if id == "" {
			id = strconv.Itoa(i + 1)
		}
		if ref, ok := refField(f.kind, at.pattern+"[]."+field); ok {
			id = f.newName(ref, id)
		}
		id = unique(seen, id)
		order = append(order, id)
		item := at.item(id)
		f.addThere(item)
		first := len(f.facts)
		f.value(item, v.Index(i))
		if field != "" { // the item's name says it
			f.facts = append(f.facts[:first], slices.DeleteFunc(f.facts[first:], func(x fact) bool { return x.pattern == item.pattern+"."+field && x.text == id })...)
		}
	}
	if at.pattern == "spec.acl.rules" && len(order) > 1 { // the first that fits counts
		f.add(at.field("order"), strings.Join(order, ", "))
	}
}

func (f *flattener) scalar(at place, v reflect.Value) {
	switch v.Kind() {
	case reflect.Bool:
		text := no
		if v.Bool() {
			text = yes
		}
		f.add(at, text)
		f.facts[len(f.facts)-1].flag = true
	case reflect.String:
		text := v.String()
		if ref, ok := refField(f.kind, at.pattern); ok {
			text = f.newName(ref, text)
		}
		f.add(at, legible(text))
	default:
		f.add(at, strconv.FormatUint(v.Uint(), 10))
	}
}

// loose adds the facts of a value that no type describes. All of them have the
// pattern of the place.
func (f *flattener) loose(at place, value any) {
	below := func(step string) place {
		return place{at.pattern, at.path + "." + step, append(slices.Clip(at.keys), step)}
	}
	text := "null"
	switch v := value.(type) {
	case map[string]any:
		for _, key := range sortedKeys(v) {
			f.loose(below(key), v[key])
		}
		if len(v) > 0 {
			return
		}
		text = "{}"
	case []any:
		for i, item := range v {
			f.loose(below(strconv.Itoa(i)), item)
		}
		if len(v) > 0 {
			return
		}
		text = "[]"
	case string:
		text = legible(v)
	case nil:
	default:
		if b, err := json.Marshal(v); err == nil {
			text = string(b)
		}
	}
	f.facts = append(f.facts, fact{pattern: at.pattern, path: at.path, keys: at.keys, text: text, secret: isSecret(at.keys...)})
}

// atoms returns the items of a list that are one value each.
func (f *flattener) atoms(pattern string, v reflect.Value) ([]string, bool) {
	if v.Kind() != reflect.Slice {
		return nil, false
	}
	var of func(i int) string
	switch list := v.Interface().(type) {
	case []string:
		ref, refers := refField(f.kind, pattern+"[]")
		of = func(i int) string {
			if refers {
				return legible(f.newName(ref, list[i]))
			}
			return legible(list[i])
		}
	case []hedgehog.VLANRange:
		of = func(i int) string { return vlanRange(list[i]) }
	case [][]string:
		of = func(i int) string { return strings.Join(sortedSet(slices.Clone(list[i])), " with ") }
	case []map[string]hedgehog.VPCPeer:
		of = func(i int) string { return f.permit(list[i]) }
	case []hedgehog.PermitPrefix:
		of = func(i int) string { return legible(list[i].Prefix) }
	case []hedgehog.ExposedIP:
		of = func(i int) string { return exposedIP(list[i]) }
	case []hedgehog.ExposedAs:
		of = func(i int) string { return exposedIP(hedgehog.ExposedIP{CIDR: list[i].CIDR, Not: list[i].Not}) }
	case []hedgehog.ForwardedPort:
		of = func(i int) string { return cmp.Or(list[i].Proto, "any") + " " + list[i].Port + " to " + list[i].As }
	case []hedgehog.PeeringACLEndpoint:
		of = func(i int) string { return aclEndpoint(list[i]) }
	default:
		return nil, false
	}
	texts := make([]string, v.Len())
	for i := range texts {
		texts[i] = of(i)
	}
	return texts, true
}

func vlanRange(r hedgehog.VLANRange) string {
	if r.To == r.From || r.To == 0 {
		return strconv.Itoa(int(r.From))
	}
	return strconv.Itoa(int(r.From)) + "-" + strconv.Itoa(int(r.To))
}

// permit returns one permit of a VPC peering: "apps (web), staff (all)".
func (f *flattener) permit(sides map[string]hedgehog.VPCPeer) string {
	var parts []string
	for vpc, side := range sides {
		subnets := "all"
		if len(side.Subnets) > 0 {
			subnets = strings.Join(sortedSet(slices.Clone(side.Subnets)), ", ")
		}
		parts = append(parts, f.newName(hedgehog.KindVPC, vpc)+" ("+subnets+")")
	}
	slices.Sort(parts)
	return legible(strings.Join(parts, ", "))
}

func exposedIP(ip hedgehog.ExposedIP) string {
	var parts []string
	for _, p := range [][2]string{{"", ip.CIDR}, {"subnet ", ip.VPCSubnet}, {"not ", ip.Not}} {
		if p[1] != "" {
			parts = append(parts, p[0]+p[1])
		}
	}
	return legible(strings.Join(parts, " and "))
}

func aclEndpoint(e hedgehog.PeeringACLEndpoint) string {
	text := exposedIP(hedgehog.ExposedIP{CIDR: e.CIDR, VPCSubnet: e.VPCSubnet})
	if len(e.Ports) > 0 {
		text += " ports " + strings.Join(e.Ports, ",")
	}
	return text
}

// itemName returns what an item of a list is known by, and the field that says it.
func itemName(v reflect.Value) (id, field string) {
	switch item := v.Interface().(type) {
	case hedgehog.ServerLink:
		return string(item.Server.Port), "server.port"
	case hedgehog.FabricLink:
		return string(item.Spine.Port), "spine.port"
	case hedgehog.MeshLink:
		return string(item.Leaf1.Port), "leaf1.port"
	case hedgehog.GatewayLink:
		return string(item.Switch.Port), "switch.port"
	case hedgehog.SwitchPairLink:
		return string(item.Switch1.Port), "switch1.port"
	case hedgehog.StaticRoute:
		return item.Prefix, "prefix"
	case hedgehog.DHCPRoute:
		return item.Destination, "destination"
	case hedgehog.ACLStatement:
		return strconv.Itoa(int(item.Seq)), "seq"
	case hedgehog.GatewayNeighbor:
		return item.IP, "ip"
	case hedgehog.GatewayMembership:
		return item.Name, "name"
	case hedgehog.PeeringACLRule:
		return item.Name, "name"
	case hedgehog.Expose:
		return exposeName(item), ""
	}
	return "", ""
}

// exposeName returns the first of what an expose shows.
func exposeName(e hedgehog.Expose) string {
	switch {
	case e.Default:
		return "default"
	case len(e.IPs) > 0:
		return exposedIP(e.IPs[0])
	}
	return ""
}

// unique tells items of one name apart.
func unique(seen map[string]int, id string) string {
	seen[id]++
	if n := seen[id]; n > 1 {
		return id + " #" + strconv.Itoa(n)
	}
	return id
}

// legible returns the text as it can be shown so that two texts that differ look
// different: spaces at the ends and what cannot be printed are written out.
func legible(text string) string {
	odd := text == "" || text[0] == ' ' || text[len(text)-1] == ' ' || strings.Contains(text, "  ") || !utf8.ValidString(text)
	if odd || strings.ContainsFunc(text, func(r rune) bool { return r != ' ' && !unicode.IsPrint(r) || r == unicode.ReplacementChar }) {
		return strconv.Quote(text)
	}
	return text
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// newName returns the name that an object goes by now. A port is device/port, a
// subnet vpc/subnet: only what stands before the slash is a name.
func (f *flattener) newName(kind hedgehog.Kind, text string) string {
	if f.renamed == nil {
		return text
	}
	switch kind {
	case anyDevice:
		device, port, ok := strings.Cut(text, "/")
		if !ok {
			return text
		}
		for _, k := range []hedgehog.Kind{hedgehog.KindServer, hedgehog.KindSwitch, hedgehog.KindGateway} {
			if other := f.renamed(k, device); other != device {
				return other + "/" + port
			}
		}
		return text
	case vpcOrExternal:
		if external, ok := strings.CutPrefix(text, "ext."); ok {
			return "ext." + f.renamed(hedgehog.KindExternal, external)
		}
		return f.renamed(hedgehog.KindVPC, text)
	case hedgehog.KindVPC:
		vpc, subnet, ok := strings.Cut(text, "/")
		if ok {
			return f.renamed(kind, vpc) + "/" + subnet
		}
	}
	return f.renamed(kind, text)
}

func (f *flattener) mapKey(pattern, key string) string {
	if f.kind == hedgehog.KindGatewayPeering && pattern == "spec.peering" {
		return f.newName(vpcOrExternal, key)
	}
	return key
}

// What a reference can lead to beside an object of one kind.
const (
	anyDevice     hedgehog.Kind = "device/port"
	vpcOrExternal hedgehog.Kind = "VPC or ext.external"
)

// refField returns what kind of object the field names.
func refField(kind hedgehog.Kind, pattern string) (hedgehog.Kind, bool) {
	switch kind {
	case hedgehog.KindConnection:
		switch {
		case strings.HasSuffix(pattern, ".port"):
			return anyDevice, true
		case pattern == "spec.staticExternal.withinVPC":
			return hedgehog.KindVPC, true
		}
	case hedgehog.KindSwitch:
		switch pattern {
		case "spec.redundancy.group", "spec.groups[]":
			return hedgehog.KindSwitchGroup, true
		case "spec.vlanNamespaces[]":
			return hedgehog.KindVLANNamespace, true
		}
	case hedgehog.KindGateway:
		if pattern == "spec.groups[].name" {
			return hedgehog.KindGatewayGroup, true
		}
	case hedgehog.KindVPC:
		switch pattern {
		case "spec.ipv4Namespace":
			return hedgehog.KindIPv4Namespace, true
		case "spec.vlanNamespace":
			return hedgehog.KindVLANNamespace, true
		case "spec.subnets.*.dhcp.relayVPC":
			return hedgehog.KindVPC, true
		}
	case hedgehog.KindExternal:
		if pattern == "spec.ipv4Namespace" {
			return hedgehog.KindIPv4Namespace, true
		}
	case hedgehog.KindVPCAttachment:
		switch pattern {
		case "spec.subnet":
			return hedgehog.KindVPC, true
		case "spec.connection":
			return hedgehog.KindConnection, true
		}
	case hedgehog.KindExternalAttachment:
		switch pattern {
		case "spec.external":
			return hedgehog.KindExternal, true
		case "spec.connection":
			return hedgehog.KindConnection, true
		}
	case hedgehog.KindExternalPeering:
		switch pattern {
		case "spec.permit.vpc.name":
			return hedgehog.KindVPC, true
		case "spec.permit.external.name":
			return hedgehog.KindExternal, true
		}
	case hedgehog.KindGatewayPeering:
		switch pattern {
		case "spec.gatewayGroup":
			return hedgehog.KindGatewayGroup, true
		case "spec.acl.rules[].from", "spec.acl.rules[].to":
			return vpcOrExternal, true
		}
	}
	return "", false
}
