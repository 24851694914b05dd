package hedgehog

import (
	"cmp"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strconv"
)

// Fabric is every object of one Hedgehog fabric, keyed by kind and name.
// The zero value is an empty fabric, ready to use.
type Fabric struct {
	objects map[Key]*Object
}

// Key identifies an object within a fabric: all Hedgehog objects of a fabric
// live in one Kubernetes namespace, so kind and name are enough.
type Key struct {
	Kind Kind
	Name string
}

// String returns the key as people write it: "VPC/web".
func (k Key) String() string { return string(k.Kind) + "/" + k.Name }

// Compare orders keys by kind, in the order of [Kinds] (unknown kinds last, by
// name), then by object name.
func (k Key) Compare(other Key) int {
	return cmp.Or(
		cmp.Compare(k.Kind.rank(), other.Kind.rank()),
		cmp.Compare(k.Kind, other.Kind),
		cmp.Compare(k.Name, other.Name),
	)
}

// Object is one Hedgehog object: its identity, the labels and annotations that
// people gave it, its spec, and where it came from. Status and everything else
// that only a cluster knows has no place here.
type Object struct {
	Kind Kind
	// APIVersion is empty for the kinds of [Kinds], whose group and version are
	// fixed. Only an object of a kind that this package does not know carries it,
	// and one that was read under another apiVersion than its kind's.
	APIVersion string
	// Name is metadata.name, a lower-case RFC 1123 subdomain.
	Name string
	// Namespace is metadata.namespace; empty means "default" and [Default] says so.
	Namespace string
	// Labels and Annotations are people's own. What webhooks and tools add is
	// dropped by [Decode].
	Labels      map[string]string
	Annotations map[string]string
	// Spec is a pointer to the spec of the object's kind (*VPCSpec for a VPC),
	// or [Raw] for a kind that this package does not know. Never nil in an
	// object that [Decode] or [New] returned.
	Spec Spec
	// Leftovers are the fields of a known kind that its type does not have,
	// kept so that writing the object loses nothing.
	Leftovers []Leftover

	// Origins says where the object came from: first its anchor (the NetBox
	// object that it is, or the file and line), then everything else it was
	// made of. Never part of what is written.
	Origins []Origin
}

// Key returns the identity of the object.
func (o *Object) Key() Key { return Key{o.Kind, o.Name} }

// Origin returns the anchor of the object, or the zero Origin.
func (o *Object) Origin() Origin {
	if len(o.Origins) == 0 {
		return Origin{}
	}
	return o.Origins[0]
}

// Leftover is a field that was read but that no type describes.
type Leftover struct {
	// Path leads from the object to the field: map keys, and list indexes in
	// decimal.
	Path []string
	// Value is the field's value as encoding/json holds it.
	Value any
}

// Origin is where something came from: an object of NetBox, or a line of a
// file. Exactly one of Path and File is set, but for a manifest that is compared with
// the record that documents it: then both are.
type Origin struct {
	// Path is the web address of a NetBox object without scheme and host, such
	// as /ipam/vrfs/12/.
	Path string
	// File is the name of a file, "-" for standard input.
	File string
	// Line is the line in File, from 1; 0 when it is not known.
	Line int
}

// IsZero reports whether nothing is known of the origin.
func (o Origin) IsZero() bool { return o == Origin{} }

// String returns the path or file:line.
func (o Origin) String() string {
	switch {
	case o.Path != "":
		return o.Path
	case o.Line > 0:
		return o.File + ":" + strconv.Itoa(o.Line)
	}
	return o.File
}

// New returns an object of the kind with an empty spec of its type.
func New(kind Kind, name string, origins ...Origin) *Object {
	o := &Object{Kind: kind, Name: name, Namespace: Namespace, Origins: origins}
	if info, ok := kind.info(); ok {
		o.Spec = info.newSpec()
	} else {
		o.Spec = Raw{}
	}
	return o
}

// Add puts the object into the fabric. It returns an [Issue] and leaves the
// fabric as it is when an object of the same kind and name is there already.
func (f *Fabric) Add(o *Object) *Issue {
	if first, ok := f.objects[o.Key()]; ok {
		return &Issue{
			Rule:     "object-duplicate",
			Severity: Error,
			Object:   o.Key(),
			Origin:   o.Origin(),
			Summary:  fmt.Sprintf("%s occurs twice; the first is at %s", o.Key(), first.Origin()),
			Hint:     "rename one of the two, or remove it",
		}
	}
	if f.objects == nil {
		f.objects = map[Key]*Object{}
	}
	f.objects[o.Key()] = o
	return nil
}

// Remove takes the object out of the fabric, if it is there.
func (f *Fabric) Remove(k Key) { delete(f.objects, k) }

// Get returns the object of that kind and name, or nil.
func (f *Fabric) Get(kind Kind, name string) *Object { return f.objects[Key{kind, name}] }

// Len returns the number of objects.
func (f *Fabric) Len() int { return len(f.objects) }

// All iterates over the objects in the order of [Key.Compare]: an object comes
// after those it may refer to.
func (f *Fabric) All() iter.Seq[*Object] {
	return func(yield func(*Object) bool) {
		byKind := map[Kind][]*Object{}
		for _, o := range f.objects {
			byKind[o.Kind] = append(byKind[o.Kind], o)
		}
		for _, kind := range slices.SortedFunc(maps.Keys(byKind), func(a, b Kind) int { return Key{Kind: a}.Compare(Key{Kind: b}) }) {
			objects := byKind[kind]
			slices.SortFunc(objects, func(a, b *Object) int { return cmp.Compare(a.Name, b.Name) })
			for _, o := range objects {
				if !yield(o) {
					return
				}
			}
		}
	}
}

// Each iterates over the specs of one kind, in the order of their names. S is
// the pointer type of the kind's spec:
//
//	for vpc, spec := range hedgehog.Each[*hedgehog.VPCSpec](fabric) { ... }
func Each[S Spec](f *Fabric) iter.Seq2[*Object, S] {
	return func(yield func(*Object, S) bool) {
		var found []*Object
		for _, o := range f.objects {
			if _, ok := o.Spec.(S); ok {
				found = append(found, o)
			}
		}
		slices.SortFunc(found, func(a, b *Object) int { return a.Key().Compare(b.Key()) })
		for _, o := range found {
			if !yield(o, o.Spec.(S)) {
				return
			}
		}
	}
}
