package hedgehog

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

// plainScalars are texts that mean something else than themselves, or look so.
func plainScalars() []string {
	return []string{"", "~", "null", "Null", "NULL", "nULL", "y", "Y", "n", "N", "yes", "YES", "yEs", "no", "on", "ON", "oN", "off", "true", "TRUE", "tRUE", "False",
		"0", "-0", "+0", "7", "-7", "+7", "007", "08", "0o17", "0O17", "-0o17", "0x1F", "0XfF", "-0x1", "+0x1", "0b101", "-0b1", "+0b1", "0b-1", "0b+1", "-0b-1", "0b2", "0x", "0b", "0_", "1_000", "1__0", "_1", "0x_f",
		"9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "18446744073709551615", "18446744073709551616", "123456789012345678901234567890",
		".5", "-.5", "+.5", "5.", "1.5", "-1.5e3", "1e3", "1E3", "1e+3", "1e-3", "12e03", "1e", "1e+", ".e3", ".", "..", "1.2.3", "1_0.5", "1e400", "-1e400", ".5_", "._5", "+.", "-", "+", "0.0", "-0.0", "-0e0",
		".0x1p-2", ".1e1", ".Inf", ".inf", "-.inf", "+.INF", ".nan", "NaN", "Inf", "+Inf", "infinity",
		"65102:10", "190:20:30", "1:30", "2026-11-23", "2026-1-2", "2026-11-23T10:00:00Z", "2026-11-23 10:00:00", "2001-12-14 21:59:43.10 -5", "=", "<<", "a"}
}

// kubernetesReads returns what an API server's YAML reader makes of a text.
func kubernetesReads(text string) (any, error) {
	out, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(out))
	d.UseNumber()
	var value any
	err = d.Decode(&value)
	return value, err
}

// normal makes numbers comparable: JSON writes 1e3 as 1000, and we hold an
// integer beyond 2^53 as its digits.
func normal(value any) any {
	switch v := value.(type) {
	case json.Number:
		f, _ := v.Float64()
		return f
	case map[string]any:
		m := map[string]any{}
		for key, value := range v {
			m[key] = normal(value)
		}
		return m
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = normal(v[i])
		}
		return list
	}
	return value
}

func TestResolveScalar(t *testing.T) {
	t.Parallel()
	for _, text := range plainScalars() {
		readsAlike(t, "a: "+text)
		readsAlike(t, text+": a")
		readsAlike(t, "[a, "+text+", b]")
	}
}

// FuzzReading: what we read from a document is what a Kubernetes API server
// reads. We may refuse more, never read otherwise.
func FuzzReading(f *testing.F) {
	for _, text := range plainScalars() {
		f.Add("a: " + text)
	}
	for _, text := range []string{
		"a: &a {b: c}\nd: {<<: *a, b: e}", "a: &a {b: c}\nd: {b: e, <<: *a}", "a: &a {b: c}\nb: &b {b: d, e: f}\nd: {<<: [*a, *b]}", "{a: 1, 1: 2, 1.5: x, true: y}",
		"a: |\n  b\n  c\n", "a: >-\n  b\n  c\n", "- a\n- - b\n  - c", "'a': \"b\\u0041\"", "a: !!str 5", "a: !!int '5'", "a: !!float 5", "a: !!binary YQ==", "a: !!null ''", "!!int 5: a", "!!bool yes: a", "? a\n: b",
		`{"a": [1, 2.5, "\u00e9\ud83d\ude00", null, true]}`, "\ufeffa: b", "a: b # c", "%YAML 1.1\n---\na: b", "{\"a\":1e3,\"b\":-0,\"c\":18446744073709551615}", "a:\tb", "a: 'b\n\n  c'",
	} {
		f.Add(text)
	}
	f.Fuzz(readsAlike)
}

func readsAlike(t *testing.T, text string) {
	t.Helper()
	var nodes []node
	refused := false
	err := readDocuments(strings.NewReader(text), func(n *node) { nodes = append(nodes, *n) }, func(*badDocument) { refused = true })
	if err != nil {
		t.Fatal(err)
	}
	if refused || len(nodes) != 1 || strings.Contains(text, "---") || strings.Contains(text, "...") {
		return // refused, or not one document: the API server reads the first alone
	}
	want, err := kubernetesReads(text)
	if err != nil {
		return // not for the API server
	}
	if diff := gocmp.Diff(normal(want), normal(nodes[0].value())); diff != "" {
		t.Fatalf("%q (-kubernetes +ours):\n%s", text, diff)
	}
}

// TestCompareKeysIsAnOrder: no two keys are equal, and no three go in a circle,
// as they do where only neighbouring characters are looked at.
func TestCompareKeysIsAnOrder(t *testing.T) {
	t.Parallel()
	keys := append(plainScalars(), "a2", "a10", "a1b", "a01", "a1", "0-", "00-", "0x", "00x", "E1/1", "E1/10", "E1/1/1", "E1/2", "é1", "é10", "日", "A", "_", "a", "a_", "1a", "01a", "a\x80", "a\xc3")
	for _, a := range keys {
		for _, b := range keys {
			if got, back := compareKeys(a, b), compareKeys(b, a); got != -back || (got == 0) != (a == b) {
				t.Fatalf("%q and %q: %d and %d", a, b, got, back)
			}
			for _, c := range keys {
				if compareKeys(a, b) < 0 && compareKeys(b, c) < 0 && compareKeys(a, c) >= 0 {
					t.Fatalf("%q < %q < %q, and yet not", a, b, c)
				}
			}
		}
	}
}
