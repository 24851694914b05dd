package hedgehog

import (
	"reflect"
	"strings"
	"sync"
)

// specField is one field of a struct of the model, as its json tag names it.
type specField struct {
	name      string
	index     int
	omitEmpty bool
}

// specStruct is the fields of one struct of the model.
type specStruct struct {
	fields []specField
	byName map[string]int
}

// specStructs returns the structs of all specs by type; it never changes.
var specStructs = sync.OnceValue(func() map[reflect.Type]*specStruct {
	found := map[reflect.Type]*specStruct{}
	var visit func(reflect.Type)
	visit = func(t reflect.Type) {
		switch t.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Map:
			visit(t.Elem())
		case reflect.Struct:
			if found[t] != nil {
				return
			}
			s := &specStruct{byName: map[string]int{}}
			found[t] = s
			for i := range t.NumField() {
				name, rest, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
				s.byName[name] = len(s.fields)
				s.fields = append(s.fields, specField{name, i, rest == "omitempty"})
				visit(t.Field(i).Type)
			}
		}
	}
	for _, info := range kinds {
		visit(reflect.TypeOf(info.newSpec()))
	}
	return found
})

// isEmpty reports whether a field with omitempty is left out.
func isEmpty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Slice, reflect.Map:
		return v.Len() == 0
	case reflect.Struct:
		return false
	}
	return v.IsZero()
}

// portLocators is the one field that is never read and never written: LEDs that
// blink for minutes have no place in Git.
const portLocators = "portLocators"
