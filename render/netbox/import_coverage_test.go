package netbox_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"hedgehog-gitops/render/hedgehog"
)

// specFields calls each with every field below the value and its path, in which the
// items of lists and maps have no name.
func specFields(v reflect.Value, path string, each func(path string, v reflect.Value)) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			specFields(v.Elem(), path, each)
		}
	case reflect.Slice:
		for i := range v.Len() {
			specFields(v.Index(i), path+"[]", each)
		}
	case reflect.Map:
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
		for _, k := range keys {
			specFields(v.MapIndex(k), path+"{}", each)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
			each(path+"."+name, v.Field(i))
			specFields(v.Field(i), path+"."+name, each)
		}
	}
}

// typeFields are the paths of every field of the type.
func typeFields(t reflect.Type, path string, found map[string]bool) {
	switch t.Kind() {
	case reflect.Pointer:
		typeFields(t.Elem(), path, found)
	case reflect.Slice:
		typeFields(t.Elem(), path+"[]", found)
	case reflect.Map:
		typeFields(t.Elem(), path+"{}", found)
	case reflect.Struct:
		for i := range t.NumField() {
			name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
			found[path+"."+name] = true
			typeFields(t.Field(i).Type, path+"."+name, found)
		}
	}
}

// TestTheManifestsHaveEveryField: the manifests that come back out of NetBox give
// every field of every kind a value that nothing but the manifest can tell.
func TestTheManifestsHaveEveryField(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join("testdata", "manifests", "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	missing := map[string]bool{}
	for _, kind := range hedgehog.Kinds() {
		typeFields(reflect.TypeOf(hedgehog.New(kind, "x").Spec), string(kind), missing)
		missing[string(kind)+" labels"], missing[string(kind)+" annotations"] = true, true
	}
	for _, never := range []string{
		"Switch.portLocators", // volatile: never read
		"VPCPeering.remote",   // no release takes it
	} {
		if !missing[never] {
			t.Errorf("no field %s", never)
		}
		delete(missing, never)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for o := range wanted(t, file, content).All() {
			if len(o.Labels) > 0 {
				delete(missing, string(o.Kind)+" labels")
			}
			if len(o.Annotations) > 0 {
				delete(missing, string(o.Kind)+" annotations")
			}
			n := 0
			specFields(reflect.ValueOf(o.Spec), string(o.Kind), func(path string, v reflect.Value) {
				if n++; missing[path] && !v.IsZero() && !isDefault(t, o, n) {
					delete(missing, path)
				}
			})
		}
	}
	if len(missing) > 0 {
		t.Errorf("no manifest says anything of its own in\n%s", strings.Join(slices.Sorted(maps.Keys(missing)), "\n"))
	}
}

// isDefault reports whether the object's n-th field comes back by itself when it is
// left out.
func isDefault(t *testing.T, o *hedgehog.Object, n int) bool {
	t.Helper()
	text, err := hedgehog.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	var was, is any
	without := wanted(t, o.Key().String(), text).Get(o.Kind, o.Name)
	at := 0
	specFields(reflect.ValueOf(without.Spec), "", func(_ string, v reflect.Value) {
		if at++; at == n && v.CanSet() {
			was = fmt.Sprintf("%+v", v.Interface())
			v.SetZero()
		}
	})
	if was == nil { // an item of a map of structs: no default reaches there
		return false
	}
	hedgehog.Default(without)
	at = 0
	specFields(reflect.ValueOf(without.Spec), "", func(_ string, v reflect.Value) {
		if at++; at == n {
			is = fmt.Sprintf("%+v", v.Interface())
		}
	})
	return was == is
}
