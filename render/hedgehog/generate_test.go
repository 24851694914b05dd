package hedgehog_test

import (
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"hedgehog-gitops/render/hedgehog"
)

// hostileStrings are what YAML readers disagree about, or lose.
func hostileStrings() []string {
	return []string{
		"", " ", "  ", "a", "default", "10.0.1.0/24", "leaf-01/E1/1",
		"no", "No", "NO", "n", "N", "y", "Y", "yes", "on", "Off", "true", "False", "null", "Null", "~", "nil", "None",
		"0", "-0", "+1", "007", "08", "0o17", "0x1f", "0X1F", "0b1", "0b", "0x_", "0b_", "-0b1", "-0x_", "1_000", "_1", "1_", "._1", ".5_",
		"1e3", "12e03", "1e+3", "1.", ".5", "-.5", "+.5", "1.0e+21", ".inf", "-.Inf", "+.INF", ".nan", "NaN", "inf", "infinity", "1e999", "123456789012345678901234567890",
		"65102:10", "190:20:30", "190:20:30.15", "1:2", "12:34:56", "0c:20:12:01:01:00", "10:20:30:40:50:51", "50000:50001",
		"2026-11-23", "2026-1-2", "2026-11-23T10:00:00Z", "2026-11-23 10:00:00", "2001-12-14 21:59:43.10 -5", "2001-12-14t21:59:43.10-05:00",
		"=", "==", "<<", "<", ">", "|", "|-", "- a", "-", "--", "---", "--- a", "...", "? a", "?", ": a", ":", "a: b", "a:", "a :b", "a #b", "#", "# a",
		"&a", "*a", "!a", "!!int 1", "%a", "@a", "`a", "[", "]", "{", "}", "[a]", "{a: b}", ",", "a,b", "'", "''", "\"", "\"a\"", "a'b", "a\"b", "\\", "a\\nb",
		"a\nb", "a\n", "\na", "\n", "\n\n", "a\n\n\n", " \n a", "a \nb", "a\n b", "a\n\tb", "\ta", "a\tb", "a\t", "a\r\nb", "a\r", "\r", "--- \n---\n",
		" a", "a ", "\x00", "a\x00b", "\x1b[31m", "\x7f", "\u0080", "\u0085", "a\u0085b", "a\u0085", "\u0085a\n", "\u00a0", "\u200b", "\u2028", "a\u2028b", "\u2029",
		"\ufeff", "\ufeffa", "a\ufeffb", "\ufffd", "\ufffe", "\uffff", "é", "Köln", "日本", "😀", "\U0010ffff", "e\u0301", "x\u2028\ny",
		strings.Repeat("long text with spaces ", 12), strings.Repeat("x", 300), strings.Repeat("a\n", 60),
	}
}

func hostileString() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.SampledFrom(hostileStrings()),
		rapid.StringMatching(`[0-9._:+\-eExob ]{1,8}`),
		rapid.StringMatching(`[a-z0-9][a-z0-9-]{0,10}`),
		rapid.String(),
	)
}

// anyValue generates what encoding/json holds, in the form that decoding gives.
func anyValue(depth int) *rapid.Generator[any] {
	leaves := []*rapid.Generator[any]{
		rapid.Just[any](nil),
		rapid.Map(rapid.Bool(), func(b bool) any { return b }),
		rapid.Map(hostileString(), func(s string) any { return s }),
		rapid.Map(rapid.IntRange(-1<<53, 1<<53), func(i int) any { return float64(i) }),
		rapid.Map(rapid.Float64(), func(f float64) any {
			if math.IsInf(f, 0) || f == 0 {
				return 0.0
			}
			return f
		}),
		rapid.SampledFrom([]any{json.Number("9007199254740993"), json.Number("18446744073709551615"), json.Number("-9223372036854775808")}),
	}
	if depth == 0 {
		return rapid.OneOf(leaves...)
	}
	return rapid.OneOf(append(leaves,
		rapid.Map(rapid.SliceOfN(anyValue(depth-1), 0, 3), func(list []any) any {
			if list == nil {
				list = []any{}
			}
			return list
		}),
		rapid.Map(rapid.MapOfN(hostileString(), anyValue(depth-1), 0, 3), func(m map[string]any) any {
			if m == nil {
				m = map[string]any{}
			}
			return m
		}))...)
}

// fill generates a part of a spec, in the form that decoding gives: an empty
// list or map that would not be written is nil.
func fill(t *rapid.T, v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if rapid.IntRange(0, 3).Draw(t, "nil") > 0 {
			v.Set(reflect.New(v.Type().Elem()))
			fill(t, v.Elem())
		}
	case reflect.String:
		v.SetString(hostileString().Draw(t, "text"))
	case reflect.Bool:
		v.SetBool(rapid.Bool().Draw(t, "bool"))
	case reflect.Uint8, reflect.Uint16, reflect.Uint32:
		v.SetUint(rapid.Uint64Range(0, 1<<v.Type().Bits()-1).Draw(t, "number"))
	case reflect.Interface:
		if value := anyValue(2).Draw(t, "any"); value != nil {
			v.Set(reflect.ValueOf(value))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			name, rest, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
			field := v.Field(i)
			if name == "portLocators" {
				continue
			}
			fill(t, field)
			if k := field.Kind(); rest == "omitempty" && (k == reflect.Slice || k == reflect.Map) && field.Len() == 0 {
				field.SetZero()
			}
		}
	case reflect.Slice:
		if n := rapid.IntRange(-1, 3).Draw(t, "length"); n >= 0 {
			v.Set(reflect.MakeSlice(v.Type(), n, n))
			for i := range n {
				fill(t, v.Index(i))
				if item := v.Index(i); item.Kind() == reflect.Slice && item.IsNil() {
					item.Set(reflect.MakeSlice(item.Type(), 0, 0))
				}
			}
		}
	case reflect.Map:
		n := rapid.IntRange(0, 3).Draw(t, "length")
		v.Set(reflect.MakeMap(v.Type()))
		for range n {
			value := reflect.New(v.Type().Elem()).Elem()
			fill(t, value)
			v.SetMapIndex(reflect.ValueOf(hostileString().Draw(t, "key")), value)
		}
	}
}

// anyObject generates an object of any kind, well-formed or not, with leftovers.
func anyObject() *rapid.Generator[*hedgehog.Object] {
	return rapid.Custom(func(t *rapid.T) *hedgehog.Object {
		name := rapid.OneOf(rapid.StringMatching(`[a-z][a-z0-9-]{0,10}`), hostileString().Filter(func(s string) bool { return s != "" })).Draw(t, "name")
		kind := rapid.SampledFrom(append(hedgehog.Kinds(), "Novelty")).Draw(t, "kind")
		o := hedgehog.New(kind, name)
		o.Namespace = rapid.SampledFrom([]string{"", "default", "fab", "no"}).Draw(t, "namespace")
		for _, texts := range []*map[string]string{&o.Labels, &o.Annotations} {
			if m := rapid.MapOfN(hostileString(), hostileString(), 0, 3).Draw(t, "texts"); len(m) > 0 {
				*texts = m
			}
		}
		if !kind.Known() {
			o.APIVersion = "wiring.githedgehog.com/v1beta1"
			raw := rapid.MapOfN(rapid.StringMatching(`[a-z]{1,5}`), anyValue(3), 0, 4).Draw(t, "raw")
			for _, taken := range []string{"kind", "status", "metadata", "items"} {
				delete(raw, taken)
			}
			o.Spec = hedgehog.Raw(raw)
			if raw == nil {
				o.Spec = hedgehog.Raw{}
			}
			return o
		}
		fill(t, reflect.ValueOf(o.Spec).Elem())
		for _, path := range [][]string{{"spec", "zzNew"}, {"zzTop"}, {"metadata", "zzNote"}} {
			if rapid.IntRange(0, 3).Draw(t, "leftover") == 0 {
				o.Leftovers = append(o.Leftovers, hedgehog.Leftover{Path: path, Value: anyValue(2).Draw(t, "value")})
			}
		}
		return o
	})
}

// same compares two objects but for where they came from.
func same(want, got *hedgehog.Object) string {
	return gocmp.Diff(want, got, cmpopts.IgnoreFields(hedgehog.Object{}, "Origins"),
		cmpopts.SortSlices(func(a, b hedgehog.Leftover) bool { return strings.Join(a.Path, "/") < strings.Join(b.Path, "/") }))
}

// decode reads one stream that must be readable.
func decode(t testing.TB, name, text string) hedgehog.Decoded {
	t.Helper()
	d, err := hedgehog.Decode(name, strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// encode writes a fabric that must be writable.
func encode(t testing.TB, f *hedgehog.Fabric) string {
	t.Helper()
	var out strings.Builder
	if err := hedgehog.Encode(&out, f.All()); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// canonical returns the canonical form of a text.
func canonical(t testing.TB, text string) string {
	t.Helper()
	d := decode(t, "-", text)
	for o := range d.Fabric.All() {
		hedgehog.Default(o)
	}
	return encode(t, d.Fabric)
}
