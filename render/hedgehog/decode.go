package hedgehog

import (
	"cmp"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Decoded is what was read from manifests.
type Decoded struct {
	// Fabric is every Hedgehog object that people write, each with file and
	// line as its origin. An object that occurs twice is in it once.
	Fabric *Fabric
	// Foreign are the objects of other API groups, in the order read.
	Foreign []Foreign
	// Issues is everything that was wrong or left out, sorted.
	Issues Issues
}

// Foreign is an object of an API group that is not Hedgehog's.
type Foreign struct {
	APIVersion, Kind, Namespace, Name string
	Origin                            Origin
	// Content is the whole object as encoding/json holds it.
	Content map[string]any
}

// Decode reads manifests from one stream: YAML of any number of documents, JSON,
// and lists of either. The name is what origins call the file, "-" for standard
// input. The error is the reader's; whatever is wrong in the text is an [Issue].
// See [Decoder] for what is understood.
func Decode(name string, r io.Reader) (Decoded, error) {
	var d Decoder
	if err := d.Decode(name, r); err != nil {
		return Decoded{}, err
	}
	return d.Result(), nil
}

// DecodeFS reads the manifests of a folder as [Decoder.DecodeFS] does.
func DecodeFS(prefix string, fsys fs.FS) (Decoded, error) {
	var d Decoder
	if err := d.DecodeFS(prefix, fsys); err != nil {
		return Decoded{}, err
	}
	return d.Result(), nil
}

// Decoder collects manifests from any number of files into one fabric. The zero
// value is ready to use.
//
// It reads what a Kubernetes API server would: YAML 1.1 as [sigs.k8s.io/yaml]
// reads it (no is false, 65102:10 is text), JSON, kind: List and lists of one
// kind, anchors, aliases and merge keys. It is strict where the API server is
// not: a key that occurs twice in a mapping, an unknown field and a value of the
// wrong type are errors with the line of the field, and names are
// case-sensitive. Fields that were not understood are kept in
// [Object.Leftovers].
//
// What only a cluster knows is dropped without a word: status, uid,
// resourceVersion, managedFields, owner references and finalizers, the labels
// and annotations that webhooks, kubectl, Argo CD and Flux add, and the
// portLocators of a switch. People's own labels and annotations stay.
//
// Objects that controllers make or the installation owns (VPCInfo, Agent,
// Catalog, Fabricator, built-in switch profiles ...) are left out, with one
// notice for each kind. A kind of a Hedgehog group that is none of these is kept
// as [Raw] with an error; ServerProfile, which Hedgehog itself does not use yet,
// with a warning. An object under an apiVersion that 26.03 does not serve is
// kept with that apiVersion and an error.
//
// Documents are bounded by [MaxDocument], [MaxDepth], [MaxKey] and
// [MaxAliased]. Of one object at most 100 wrong fields are told apart.
//
// [sigs.k8s.io/yaml]: https://pkg.go.dev/sigs.k8s.io/yaml
type Decoder struct {
	fabric  Fabric
	foreign []Foreign
	issues  Issues
	leftOut map[Kind]*leftOut
}

// leftOut counts the objects of one kind that belong in no repository.
type leftOut struct {
	count        int
	first        Origin
	rule, reason string
}

// Decode reads one stream, see the function [Decode].
func (d *Decoder) Decode(name string, r io.Reader) error {
	err := readDocuments(r,
		func(n *node) { d.document(name, n, nil, 0) },
		func(b *badDocument) {
			d.issues = append(d.issues, Issue{
				Rule: b.rule, Severity: Error, Origin: Origin{File: name, Line: b.line}, Summary: b.summary, Hint: b.hint})
		})
	if err != nil {
		return fmt.Errorf("reading %s: %w", name, err)
	}
	return nil
}

// DecodeFS reads every .yaml, .yml and .json file of the folder and the folders
// in it, in the order of their paths. Names with a leading dot,
// kustomization.yaml and hedgehog-gitops.yaml are passed over: they hold no
// manifests. Origins call a file by its path below prefix.
func (d *Decoder) DecodeFS(prefix string, fsys fs.FS) error {
	return fs.WalkDir(fsys, ".", func(name string, entry fs.DirEntry, err error) error {
		base := path.Base(name)
		switch {
		case err != nil:
			return err
		case name != "." && strings.HasPrefix(base, "."):
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		case entry.IsDir(), !isManifest(base):
			return nil
		}
		file, err := fsys.Open(name)
		if err != nil {
			return err
		}
		defer file.Close()
		return d.Decode(path.Join(prefix, name), file)
	})
}

// isManifest reports whether a file of that name holds manifests.
func isManifest(base string) bool {
	switch base {
	case "kustomization.yaml", "kustomization.yml", "hedgehog-gitops.yaml":
		return false
	}
	return slices.Contains([]string{".yaml", ".yml", ".json"}, path.Ext(base))
}

// Result returns what was read so far.
func (d *Decoder) Result() Decoded {
	issues := slices.Clone(d.issues)
	for _, kind := range slices.Sorted(maps.Keys(d.leftOut)) {
		l := d.leftOut[kind]
		objects := "objects"
		if l.count == 1 {
			objects = "object"
		}
		issues = append(issues, Issue{
			Rule: l.rule, Severity: Notice, Origin: l.first,
			Summary: fmt.Sprintf("%d %s of kind %s left out: %s", l.count, objects, kind, l.reason)})
	}
	issues.Sort()
	return Decoded{Fabric: &d.fabric, Foreign: slices.Clone(d.foreign), Issues: issues}
}

// document takes one document, or one item of a list. The list is the node that
// n is an item of, if any.
func (d *Decoder) document(name string, n, list *node, depth int) {
	if n.isNull() {
		return
	}
	origin := Origin{File: name, Line: n.line}
	issue := func(rule, summary, hint string) {
		d.issues = append(d.issues, Issue{Rule: rule, Severity: Error, Origin: origin, Summary: summary, Hint: hint})
	}
	if n.kind != mappingNode {
		issue("document-not-object", "the document is not a Kubernetes object", "an object is a mapping with apiVersion, kind, metadata and spec")
		return
	}
	apiVersion, kind := n.get("apiVersion").text(), Kind(n.get("kind").text())
	if list != nil {
		apiVersion = cmp.Or(apiVersion, list.get("apiVersion").text())
		kind = cmp.Or(kind, Kind(strings.TrimSuffix(list.get("kind").text(), "List")))
	}
	if items := n.get("items"); items != nil && strings.HasSuffix(string(kind), "List") {
		if items.kind != listNode && !items.isNull() {
			issue("document-not-object", "the items of the list are no list", "remove it")
		}
		for i := range items.items {
			d.document(name, &items.items[i], n, depth+1)
		}
		return
	}
	if apiVersion == "" || kind == "" {
		issue("document-not-object", "the document has no apiVersion and kind", "every Kubernetes object has both")
		return
	}
	group, _, _ := strings.Cut(apiVersion, "/")
	if group != "githedgehog.com" && !strings.HasSuffix(group, ".githedgehog.com") {
		d.takeForeign(n, apiVersion, kind, origin)
		return
	}
	if d.leaveOut(kind, group, n, origin) {
		return
	}
	d.take(newObjectReader(kind, apiVersion, n, origin))
}

// takeForeign keeps an object of another API group apart.
func (d *Decoder) takeForeign(n *node, apiVersion string, kind Kind, origin Origin) {
	f := Foreign{APIVersion: apiVersion, Kind: string(kind), Origin: origin}
	if metadata := n.get("metadata"); metadata != nil {
		f.Namespace, f.Name = metadata.get("namespace").text(), metadata.get("name").text()
	}
	f.Content, _ = n.value().(map[string]any)
	d.foreign = append(d.foreign, f)
	d.issues = append(d.issues, Issue{
		Rule: "kind-foreign", Severity: Notice, Origin: origin,
		Summary: fmt.Sprintf("%s/%s of %s is not Hedgehog's", kind, f.Name, apiVersion),
		Hint:    "it is passed over"})
}

// leaveOut reports whether the object belongs in no repository, and counts it.
func (d *Decoder) leaveOut(kind Kind, group string, n *node, origin Origin) bool {
	var rule, reason string
	switch {
	case kind.generated():
		rule, reason = "kind-generated", "controllers make them"
	case group == "fabricator.githedgehog.com":
		rule, reason = "kind-installation", "they belong to the installation"
	case kind == kindSwitchProfile && isBuiltin(n):
		rule, reason = "kind-generated", "they are built in"
	default:
		return false
	}
	if d.leftOut == nil {
		d.leftOut = map[Kind]*leftOut{}
	}
	if d.leftOut[kind] == nil {
		d.leftOut[kind] = &leftOut{first: origin, rule: rule, reason: reason}
	}
	d.leftOut[kind].count++
	return true
}

const (
	kindSwitchProfile Kind = "SwitchProfile"
	kindServerProfile Kind = "ServerProfile"
)

// take adds the object to the fabric.
func (d *Decoder) take(r *objectReader) {
	o := r.read()
	for i := range r.issues {
		r.issues[i].Object = o.Key() // the name may come last
	}
	d.issues = append(d.issues, r.issues...)
	if r.more > 0 {
		d.issues = append(d.issues, Issue{
			Rule: "field-issues", Severity: Error, Object: o.Key(), Origin: o.Origin(),
			Summary: fmt.Sprintf("%d more fields of the object are wrong", r.more), Hint: "is it the right kind?"})
	}
	if issue := d.fabric.Add(o); issue != nil {
		d.issues = append(d.issues, *issue)
	}
}

// objectReader turns one document into an object.
type objectReader struct {
	from   *node
	object *Object
	issues Issues
	more   int // issues that were too many to keep
	path   []step
}

// maxObjectIssues is how many wrong fields of one object are told apart.
const maxObjectIssues = 100

// step is one step of the path from the object to a field.
type step struct {
	name  string
	index bool
}

func newObjectReader(kind Kind, apiVersion string, from *node, origin Origin) *objectReader {
	r := &objectReader{from: from, object: &Object{Kind: kind, Origins: []Origin{origin}}}
	info, known := kind.info()
	if !known || apiVersion != info.apiVersion {
		r.object.APIVersion = apiVersion
	}
	if known {
		r.object.Spec = info.newSpec()
	}
	return r
}

func (r *objectReader) read() *Object {
	if metadata := r.from.get("metadata"); !metadata.isNull() {
		r.at("metadata", func() { r.metadata(metadata) })
	}
	o := r.object
	if o.Name == "" {
		r.issue("name-missing", Error, r.from.line, "the object has no metadata.name", "give it a name")
	}
	info, known := o.Kind.info()
	switch {
	case o.Kind == kindSwitchProfile:
		r.issue("switch-profile-custom", Error, r.from.line, "the switch profile is not one of the built-in ones",
			"Hedgehog's controllers delete it; use a built-in profile")
	case o.Kind == kindServerProfile:
		r.issue("kind-unused", Warning, r.from.line, "Hedgehog does not use server profiles", "it is kept as it is")
	case !known:
		r.issue("kind-unknown", Error, r.from.line, fmt.Sprintf("release 26.03 has no kind %s in %s", o.Kind, o.APIVersion),
			"check the spelling, or the release of the fabric")
	case o.APIVersion != "":
		r.issue("api-version-wrong", Error, r.line("apiVersion"),
			fmt.Sprintf("the apiVersion of a %s is %s, not %s", o.Kind, info.apiVersion, o.APIVersion), "change it")
	}
	if !known {
		raw := Raw{}
		for i := range r.from.fields {
			if f := &r.from.fields[i]; !slices.Contains([]string{"apiVersion", "kind", "metadata", "status"}, f.key) {
				raw[f.key] = f.value.value()
			}
		}
		o.Spec = raw
		return o
	}
	for i := range r.from.fields {
		switch f := &r.from.fields[i]; f.key {
		case "apiVersion", "kind", "metadata", "status":
		case "spec":
			r.at("spec", func() { r.into(reflect.ValueOf(o.Spec).Elem(), &f.value) })
		default:
			r.at(f.key, func() { r.unknown(f) })
		}
	}
	return o
}

// line returns the line of a top-level field.
func (r *objectReader) line(name string) int {
	for i := range r.from.fields {
		if r.from.fields[i].key == name {
			return r.from.fields[i].line
		}
	}
	return r.from.line
}

// ClusterMetadata returns the fields of metadata that only a cluster sets, and
// [Decode] drops.
func ClusterMetadata() []string {
	return []string{"creationTimestamp", "deletionGracePeriodSeconds", "deletionTimestamp", "finalizers", "generation",
		"managedFields", "ownerReferences", "resourceVersion", "selfLink", "uid"}
}

func (r *objectReader) metadata(n *node) {
	if n.kind != mappingNode {
		r.wrongType(n, "a mapping")
		return
	}
	for i := range n.fields {
		f := &n.fields[i]
		if slices.Contains(ClusterMetadata(), f.key) {
			continue
		}
		r.at(f.key, func() {
			switch f.key {
			case "name":
				r.object.Name = r.identity(&f.value)
			case "namespace":
				r.object.Namespace = r.identity(&f.value)
			case "labels":
				r.object.Labels = r.texts(&f.value, func(key string) bool { return managedLabel(key) })
			case "annotations":
				r.object.Annotations = r.texts(&f.value, func(key string) bool { return managedAnnotation(r.object.Kind, key) })
			default:
				r.unknown(f)
			}
		})
	}
}

// identity returns a name or namespace. One that is no text, such as a number
// without quotes, is an issue and kept as text.
func (r *objectReader) identity(n *node) string {
	switch v := n.scalar.(type) {
	case nil:
		if n.kind != scalarNode {
			r.wrongType(n, "text")
		}
	case string:
		return v
	default:
		r.issue("field-type", Error, n.line, fmt.Sprintf("%s is %s; want text", r.field(), describe(n)), "put the value in quotes")
		return fmt.Sprint(v)
	}
	return ""
}

// texts returns labels or annotations without the managed ones.
func (r *objectReader) texts(n *node, managed func(key string) bool) map[string]string {
	if n.isNull() {
		return nil
	}
	if n.kind != mappingNode {
		r.wrongType(n, "a mapping")
		return nil
	}
	var texts map[string]string
	for i := range n.fields {
		f := &n.fields[i]
		if managed(f.key) {
			continue
		}
		text, ok := f.value.scalar.(string)
		if !ok {
			r.at(f.key, func() { r.wrongType(&f.value, "text") })
			continue
		}
		if texts == nil {
			texts = make(map[string]string, len(n.fields))
		}
		texts[f.key] = text
	}
	return texts
}

// managedLabel reports whether the label is set by webhooks, Argo CD or Flux.
// Webhooks delete every label with the fabric's prefix, people's too.
func managedLabel(key string) bool {
	switch key {
	case "app.kubernetes.io/instance", "argocd.argoproj.io/instance", "argocd.argoproj.io/tracking-id",
		"kustomize.toolkit.fluxcd.io/name", "kustomize.toolkit.fluxcd.io/namespace",
		"helm.toolkit.fluxcd.io/name", "helm.toolkit.fluxcd.io/namespace":
		return true
	}
	return strings.Contains(key, "fabric.githedgehog.com/") || strings.Contains(key, "gateway.githedgehog.com/")
}

// managedAnnotation reports whether the annotation of an object of that kind is
// set by webhooks, kubectl or Argo CD.
func managedAnnotation(kind Kind, key string) bool {
	switch key {
	case "kubectl.kubernetes.io/last-applied-configuration",
		"argocd.argoproj.io/instance", "argocd.argoproj.io/tracking-id",
		"fabric.githedgehog.com/switches", "fabric.githedgehog.com/servers", "fabric.githedgehog.com/ports",
		"gateway.githedgehog.com/vpcs", "gateway.githedgehog.com/nat":
		return true
	}
	return kind == KindConnection && strings.Contains(key, "fabric.githedgehog.com/")
}

// at runs f one step further down the path.
func (r *objectReader) at(name string, f func()) {
	r.path = append(r.path, step{name: name})
	f()
	r.path = r.path[:len(r.path)-1]
}

// field returns the path as people write it: spec.links[0].server.port.
func (r *objectReader) field() string {
	var text strings.Builder
	for _, s := range r.path {
		switch {
		case s.index:
			text.WriteString("[" + s.name + "]")
		case text.Len() > 0:
			text.WriteString("." + s.name)
		default:
			text.WriteString(s.name)
		}
	}
	return text.String()
}

func (r *objectReader) issue(rule string, severity Severity, line int, summary, hint string) {
	if len(r.issues) >= maxObjectIssues {
		r.more++
		return
	}
	origin := r.object.Origin()
	origin.Line = line
	r.issues = append(r.issues, Issue{
		Rule: rule, Severity: severity, Field: r.field(), Origin: origin, Summary: summary, Hint: hint})
}

// keep adds the value at the path to the leftovers.
func (r *objectReader) keep(n *node) {
	leftover := Leftover{Path: make([]string, len(r.path)), Value: n.value()}
	for i, s := range r.path {
		leftover.Path[i] = s.name
	}
	r.object.Leftovers = append(r.object.Leftovers, leftover)
}

// unknown keeps a field that no type describes.
func (r *objectReader) unknown(f *field) {
	r.issue("field-unknown", Error, f.line, fmt.Sprintf("release 26.03 has no field %s", r.field()),
		"check the spelling, upper and lower case included, and the indentation")
	r.keep(&f.value)
}

// wrongType keeps a value that its field cannot hold.
func (r *objectReader) wrongType(n *node, want string) {
	hint := "change the value"
	_, isText := n.scalar.(string)
	switch {
	case want == "text" && n.kind == scalarNode && n.scalar != nil:
		hint = "put the value in quotes"
	case isText && (want == "true or false" || strings.HasPrefix(want, "a whole number")):
		hint = "remove the quotes, if any"
	}
	r.issue("field-type", Error, n.line, fmt.Sprintf("%s is %s; want %s", r.field(), describe(n), want), hint)
	r.keep(n)
}

// describe says what a value is, briefly.
func describe(n *node) string {
	switch n.kind {
	case mappingNode:
		return "a mapping"
	case listNode:
		return "a list"
	}
	switch v := n.scalar.(type) {
	case nil:
		return "null"
	case string:
		if len(v) > 40 {
			v = v[:40] + "..."
		}
		return "the text " + strconv.QuoteToGraphic(v)
	case bool:
		return strconv.FormatBool(v)
	}
	return fmt.Sprintf("the number %v", n.scalar)
}

// into reads the node into a part of the spec.
func (r *objectReader) into(v reflect.Value, n *node) {
	if n.isNull() {
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		before := len(r.object.Leftovers)
		r.into(v.Elem(), n)
		if len(r.object.Leftovers) > before && n.kind == scalarNode {
			v.SetZero() // nothing could be read: the leftover stands for it
		}
	case reflect.String:
		if text, ok := n.scalar.(string); ok {
			v.SetString(text)
		} else {
			r.wrongType(n, "text")
		}
	case reflect.Bool:
		if b, ok := n.scalar.(bool); ok {
			v.SetBool(b)
		} else {
			r.wrongType(n, "true or false")
		}
	case reflect.Uint8, reflect.Uint16, reflect.Uint32:
		if u, ok := unsigned(n); ok && !v.OverflowUint(u) {
			v.SetUint(u)
		} else {
			r.wrongType(n, fmt.Sprintf("a whole number from 0 to %d", uint64(1)<<v.Type().Bits()-1))
		}
	case reflect.Struct:
		r.intoStruct(v, n)
	case reflect.Map:
		r.intoMap(v, n)
	case reflect.Slice:
		r.intoList(v, n)
	}
}

// unsigned returns the whole number of a scalar, if it is one.
func unsigned(n *node) (uint64, bool) {
	switch v := n.scalar.(type) {
	case int64:
		return uint64(v), v >= 0
	case uint64:
		return v, true
	case float64: // 1e3 is a whole number as well
		u := uint64(v)
		return u, v >= 0 && v < maxExact && float64(u) == v
	}
	return 0, false
}

func (r *objectReader) intoStruct(v reflect.Value, n *node) {
	if n.kind != mappingNode {
		r.wrongType(n, "a mapping")
		return
	}
	s := specStructs()[v.Type()]
	for i := range n.fields {
		f := &n.fields[i]
		j, ok := s.byName[f.key]
		r.at(f.key, func() {
			switch {
			case !ok:
				r.unknown(f)
			case f.key == portLocators:
			case s.fields[j].omitEmpty && f.value.kind != scalarNode && len(f.value.fields)+len(f.value.items) == 0 && isList(v.Field(s.fields[j].index), &f.value):
				// An empty list or map is as good as none.
			default:
				r.into(v.Field(s.fields[j].index), &f.value)
			}
		})
	}
}

// isList reports whether v is a list and n too, or both are maps.
func isList(v reflect.Value, n *node) bool {
	return v.Kind() == reflect.Slice && n.kind == listNode || v.Kind() == reflect.Map && n.kind == mappingNode
}

func (r *objectReader) intoMap(v reflect.Value, n *node) {
	if n.kind != mappingNode {
		r.wrongType(n, "a mapping")
		return
	}
	t := v.Type()
	v.Set(reflect.MakeMapWithSize(t, len(n.fields)))
	for i := range n.fields {
		f := &n.fields[i]
		value := reflect.New(t.Elem()).Elem()
		r.at(f.key, func() {
			switch kind := t.Elem().Kind(); {
			case kind == reflect.Interface:
				if raw := f.value.value(); raw != nil {
					value.Set(reflect.ValueOf(raw))
				}
			case f.value.isNull() && kind != reflect.Pointer && kind != reflect.Struct:
				r.wrongType(&f.value, "a value")
			default:
				r.into(value, &f.value)
			}
		})
		v.SetMapIndex(reflect.ValueOf(f.key), value)
	}
}

func (r *objectReader) intoList(v reflect.Value, n *node) {
	if n.kind != listNode {
		r.wrongType(n, "a list")
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(n.items), len(n.items)))
	for i := range n.items {
		r.path = append(r.path, step{strconv.Itoa(i), true})
		if n.items[i].isNull() {
			r.wrongType(&n.items[i], "a value")
		} else {
			r.into(v.Index(i), &n.items[i])
		}
		r.path = r.path[:len(r.path)-1]
	}
}
