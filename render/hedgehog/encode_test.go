package hedgehog_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	yaml2 "go.yaml.in/yaml/v2"
	yaml3 "go.yaml.in/yaml/v3"
	"pgregory.net/rapid"
	"sigs.k8s.io/yaml"

	"hedgehog-gitops/render/hedgehog"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares got with the file, or rewrites it.
func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

func Example() {
	decoded, err := hedgehog.Decode("vpc.yaml", strings.NewReader(`
apiVersion: vpc.githedgehog.com/v1beta1
kind: VPC
metadata: {name: web}
spec:
  subnets:
    front: {subnet: 10.0.1.0/24, vlan: 1001, dhcp: {enable: yes}}
    back: {subnet: 10.0.2.0/24, vlam: 1002}
`))
	if err != nil {
		panic(err)
	}
	fmt.Println(decoded.Issues[0])
	fabric := decoded.Fabric
	for o := range fabric.All() {
		hedgehog.Default(o)
	}
	for _, issue := range hedgehog.Check(fabric) {
		fmt.Println(issue)
	}
	if err := hedgehog.Encode(os.Stdout, fabric.All()); err != nil {
		panic(err)
	}
	// Output:
	// error: VPC/web: release 26.03 has no field spec.subnets.back.vlam (vpc.yaml:8)
	// error: VPC/web: spec.subnets.back is without a VLAN: a subnet has a VLAN, except for one with hostBGP (vpc.yaml:2)
	// apiVersion: vpc.githedgehog.com/v1beta1
	// kind: VPC
	// metadata:
	//   name: web
	//   namespace: default
	// spec:
	//   ipv4Namespace: default
	//   subnets:
	//     back:
	//       dhcp: {}
	//       gateway: 10.0.2.1
	//       subnet: 10.0.2.0/24
	//       vlam: 1002
	//     front:
	//       dhcp:
	//         enable: true
	//         range:
	//           end: 10.0.1.255
	//           start: 10.0.1.2
	//       gateway: 10.0.1.1
	//       subnet: 10.0.1.0/24
	//       vlan: 1001
	//   vlanNamespace: default
}

// TestCanonicalForm pins the canonical form of our own manifests.
func TestCanonicalForm(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"all-kinds", "export", "wrong"} {
		text, err := os.ReadFile(filepath.Join("testdata", name+".yaml"))
		if err != nil {
			t.Fatal(err)
		}
		first := canonical(t, string(text))
		golden(t, filepath.Join("testdata", name+".golden.yaml"), first)
		if diff := gocmp.Diff(first, canonical(t, first)); diff != "" {
			t.Errorf("%s: the canonical form is no fixed point (-first +second):\n%s", name, diff)
		}
	}
}

// TestRoundTrip: reading what was written gives the object, of any kind, with
// any text in it.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := anyObject().Draw(t, "object")
		text, err := hedgehog.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		d, err := hedgehog.Decode("-", bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		got := d.Fabric.Get(want.Kind, want.Name)
		if got == nil {
			t.Fatalf("no %s in\n%s\n%v", want.Key(), text, d.Issues)
		}
		if diff := same(want, got); diff != "" {
			t.Fatalf("decoding what was encoded (-want +got):\n%s\n%s", diff, text)
		}
		again, err := hedgehog.Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(text, again) {
			t.Fatalf("first\n%s\nsecond\n%s", text, again)
		}
		for _, issue := range d.Issues {
			if issue.Severity == hedgehog.Error && issue.Rule != "field-unknown" && issue.Rule != "kind-unknown" {
				t.Fatalf("%v in\n%s", issue, text)
			}
		}
		readersAgree(t, text)
	})
}

// readersAgree fails when a reader of YAML takes the text for something else
// than another does.
func readersAgree(t interface{ Fatalf(string, ...any) }, text []byte) {
	asJSON := func(name string, value any, err error) string {
		if err != nil {
			t.Fatalf("%s: %v\n%s", name, err, text)
		}
		out, err := json.Marshal(value)
		if err != nil {
			t.Fatalf("%s: %v\n%s", name, err, text)
		}
		return string(out)
	}
	var with2 any
	err := yaml2.Unmarshal(text, &with2)
	want := asJSON("yaml v2", textKeys(with2), err)
	var with3 any
	err = yaml3.Unmarshal(text, &with3)
	if got := asJSON("yaml v3", textKeys(with3), err); got != want {
		t.Fatalf("yaml v2 and v3 differ (-v2 +v3):\n%s\n%s", gocmp.Diff(want, got), text)
	}
	var withKube any
	err = yaml.UnmarshalStrict(text, &withKube)
	if got := asJSON("sigs.k8s.io/yaml", withKube, err); got != asJSON("", throughJSON(want), nil) {
		t.Fatalf("yaml v2 and sigs.k8s.io/yaml differ (-v2 +sigs):\n%s\n%s", gocmp.Diff(want, got), text)
	}
}

func throughJSON(text string) any {
	var value any
	_ = json.Unmarshal([]byte(text), &value)
	return value
}

// textKeys turns the mappings of yaml v2 into those of JSON; a key that is no
// text shows in the result.
func textKeys(value any) any {
	switch v := value.(type) {
	case map[any]any:
		m := map[string]any{}
		for key, value := range v {
			name, ok := key.(string)
			if !ok {
				name = fmt.Sprintf("%T %v is no text", key, key)
			}
			m[name] = textKeys(value)
		}
		return m
	case map[string]any:
		m := map[string]any{}
		for key, value := range v {
			m[key] = textKeys(value)
		}
		return m
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = textKeys(v[i])
		}
		return list
	}
	return value
}

// TestHostileStrings: a text stays that text, as a value and as a key, for every
// reader.
func TestHostileStrings(t *testing.T) {
	t.Parallel()
	for _, text := range hostileStrings() {
		stringSurvives(t, text)
	}
}

// TestMarshalRefusesOtherEncodings: text that is not UTF-8 is an error wherever
// it stands, never something else in silence.
func TestMarshalRefusesOtherEncodings(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]*hedgehog.Object{
		"name":     {Kind: hedgehog.KindServer, Name: "a\xff", Spec: &hedgehog.ServerSpec{}},
		"label":    {Kind: hedgehog.KindServer, Name: "a", Labels: map[string]string{"a": "\xff"}, Spec: &hedgehog.ServerSpec{}},
		"spec":     {Kind: hedgehog.KindServer, Name: "a", Spec: &hedgehog.ServerSpec{Description: "\xc3"}},
		"key":      {Kind: hedgehog.KindSwitch, Name: "a", Spec: &hedgehog.SwitchSpec{PortSpeeds: map[string]string{"\xff": "25G"}}},
		"raw":      {Kind: "Rack", Name: "a", Spec: hedgehog.Raw{"a": []any{"\xff"}}},
		"leftover": {Kind: hedgehog.KindServer, Name: "a", Spec: &hedgehog.ServerSpec{}, Leftovers: []hedgehog.Leftover{{Path: []string{"\xff"}, Value: 1.0}}},
	} {
		if out, err := hedgehog.Marshal(o); err == nil || !strings.Contains(err.Error(), "UTF-8") {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}

func FuzzString(f *testing.F) {
	f.Add("\xff")
	for _, text := range hostileStrings() {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) { stringSurvives(t, text) })
}

func stringSurvives(t *testing.T, text string) {
	t.Helper()
	o := hedgehog.New(hedgehog.KindSwitch, "leaf-01")
	o.Annotations = map[string]string{"a": text, "b" + text: "value"}
	o.Spec = &hedgehog.SwitchSpec{Description: text, Groups: []string{text, "z"}, PortSpeeds: map[string]string{text: "25G"}}
	out, err := hedgehog.Marshal(o)
	if !isUTF8(text) {
		if err == nil {
			t.Fatalf("%q is not UTF-8 and was written:\n%s", text, out)
		}
		return
	}
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	if len(text) > hedgehog.MaxKey-1 {
		return
	}
	d := decode(t, "-", string(out))
	got := d.Fabric.Get(o.Kind, o.Name)
	if got == nil || len(d.Issues) > 0 {
		t.Fatalf("%q: %v\n%s", text, d.Issues, out)
	}
	if diff := same(o, got); diff != "" {
		t.Fatalf("%q (-want +got):\n%s\n%s", text, diff, out)
	}
	readersAgree(t, out)
	for name, unmarshal := range map[string]func([]byte, any) error{"yaml v2": yaml2.Unmarshal, "yaml v3": yaml3.Unmarshal} {
		var read struct {
			Metadata struct{ Annotations map[any]any }
			Spec     struct {
				Description any
				Groups      []any
				PortSpeeds  map[any]any `yaml:"portSpeeds"`
			}
		}
		if err := unmarshal(out, &read); err != nil {
			t.Fatalf("%s: %q: %v\n%s", name, text, err, out)
		}
		want := any(text)
		if text == "" {
			want = nil // left out
		}
		if read.Metadata.Annotations["a"] != any(text) || read.Metadata.Annotations["b"+text] != "value" ||
			read.Spec.Description != want || read.Spec.Groups[0] != any(text) || read.Spec.PortSpeeds[text] != "25G" {
			t.Fatalf("%s reads %q otherwise: %#v\n%s", name, text, read, out)
		}
	}
}

func isUTF8(text string) bool { return strings.ToValidUTF8(text, "") == text }

// TestLooksLikeKubectl: ordinary manifests look exactly as sigs.k8s.io/yaml, and
// so kubectl, writes them.
func TestLooksLikeKubectl(t *testing.T) {
	t.Parallel()
	files := append(shared(t, "hydrated", "*.yaml"), filepath.Join("testdata", "all-kinds.golden.yaml"))
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for o := range decode(t, file, string(text)).Fabric.All() {
			got, err := hedgehog.Marshal(o)
			if err != nil {
				t.Fatal(err)
			}
			var value any
			if err := yaml.Unmarshal(got, &value); err != nil {
				t.Fatal(err)
			}
			want, err := yaml.Marshal(value)
			if err != nil {
				t.Fatal(err)
			}
			if diff := gocmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("%s: %s (-kubectl +ours):\n%s", file, o.Key(), diff)
			}
		}
	}
}

// TestMarshalIsDeterministic: map order shows nowhere, not even for keys that
// only differ in how their numbers are written.
func TestMarshalIsDeterministic(t *testing.T) {
	t.Parallel()
	speeds := map[string]string{}
	keys := []string{"E1/1", "E1/2", "E1/10", "E1/010", "E1/1/1", "E1/1a", "a2", "a10", "a1b", "a01", "a1", "0", "00", "0-", "0x", "-", "A", "a", "_", "é", "日", "", " "}
	for _, key := range keys {
		speeds[key] = "25G"
	}
	o := hedgehog.New(hedgehog.KindSwitch, "leaf-01")
	o.Spec.(*hedgehog.SwitchSpec).PortSpeeds = speeds
	want, err := hedgehog.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	for range 50 {
		if got, _ := hedgehog.Marshal(o); !bytes.Equal(want, got) {
			t.Fatalf("first\n%s\nthen\n%s", want, got)
		}
	}
	order := func(a, b string) bool {
		return bytes.Index(want, []byte("    "+a+": 25G")) < bytes.Index(want, []byte("    "+b+": 25G"))
	}
	if !order("E1/2", "E1/10") || !order("a2", "a10") || !order("A", "a") {
		t.Errorf("keys are not in the order that people count in:\n%s", want)
	}
}

func TestMarshalLeavesOutPortLocators(t *testing.T) {
	t.Parallel()
	o := hedgehog.New(hedgehog.KindSwitch, "leaf-01")
	o.Spec.(*hedgehog.SwitchSpec).PortLocators = map[string]string{"E1/1": "10m"}
	out, err := hedgehog.Marshal(o)
	if err != nil || bytes.Contains(out, []byte("portLocators")) {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestMarshalPutsLeftoversBack(t *testing.T) {
	t.Parallel()
	text := `apiVersion: wiring.githedgehog.com/v1beta1
kind: Connection
metadata:
  name: a
  namespace: default
spec:
  eslag:
    links:
    - server:
        port: server-01/eth0
      switch:
        port: leaf-01/E1/1
    - extra:
        deep:
        - 1
        - two: 3.5
      server:
        port: server-01/eth1
        tag: 1.0e+300
      switch:
        port: leaf-02/E1/1
    mtu: high
  future: null
top:
- level
`
	d := decode(t, "-", text)
	if got := encode(t, d.Fabric); got != text {
		t.Errorf("(-want +got):\n%s", gocmp.Diff(text, got))
	}
}

func TestEncodeJoinsDocuments(t *testing.T) {
	t.Parallel()
	objects := []*hedgehog.Object{hedgehog.New(hedgehog.KindServer, "b"), hedgehog.New(hedgehog.KindServer, "a")}
	var out strings.Builder
	if err := hedgehog.Encode(&out, slices.Values(objects)); err != nil {
		t.Fatal(err)
	}
	document := func(name string) string {
		return "apiVersion: wiring.githedgehog.com/v1beta1\nkind: Server\nmetadata:\n  name: " + name + "\n  namespace: default\nspec: {}\n"
	}
	if diff := gocmp.Diff(document("b")+"---\n"+document("a"), out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func BenchmarkMarshal(b *testing.B) {
	text, err := os.ReadFile(filepath.Join("testdata", "all-kinds.golden.yaml"))
	if err != nil {
		b.Fatal(err)
	}
	objects := slices.Collect(decode(b, "-", string(text)).Fabric.All())
	b.Run("ours", func(b *testing.B) {
		for b.Loop() {
			for _, o := range objects {
				if _, err := hedgehog.Marshal(o); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
	b.Run("sigs.k8s.io/yaml", func(b *testing.B) {
		for b.Loop() {
			for _, o := range objects {
				whole := map[string]any{"apiVersion": o.Kind.APIVersion(), "kind": o.Kind,
					"metadata": map[string]any{"name": o.Name, "namespace": o.Namespace, "labels": o.Labels, "annotations": o.Annotations}, "spec": o.Spec}
				if _, err := yaml.Marshal(whole); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	text, err := os.ReadFile(filepath.Join("testdata", "all-kinds.golden.yaml"))
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(text)))
	b.Run("ours", func(b *testing.B) {
		for b.Loop() {
			decode(b, "-", string(text))
		}
	})
	b.Run("sigs.k8s.io/yaml", func(b *testing.B) {
		documents := bytes.Split(text, []byte("---\n"))
		for b.Loop() {
			for _, document := range documents {
				var value any
				if err := yaml.UnmarshalStrict(document, &value); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}
