package hedgehog_test

import (
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"testing/iotest"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"hedgehog-gitops/render/hedgehog"
)

// shared returns real manifests kept beside the repository, if they are there.
func shared(t testing.TB, folder, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "..", "..", "shared", "hedgehog", folder, pattern))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Skip("no real manifests beside the repository")
	}
	return files
}

func readFile(t testing.TB, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestDecodeIssues pins every complaint with its line.
func TestDecodeIssues(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"all-kinds", "export", "wrong"} {
		d := decode(t, name+".yaml", readFile(t, filepath.Join("testdata", name+".yaml")))
		var lines strings.Builder
		for _, issue := range d.Issues {
			fmt.Fprintf(&lines, "%s\n    %s, %q; %s\n", issue, issue.Rule, issue.Field, issue.Hint)
		}
		golden(t, filepath.Join("testdata", name+".issues.txt"), lines.String())
	}
}

// TestDecodeRealManifests: what hhfab and clusters write is understood whole.
func TestDecodeRealManifests(t *testing.T) {
	t.Parallel()
	for _, folder := range []string{"wiring", "hydrated", "export", "legacy"} {
		for _, file := range shared(t, folder, "*.yaml") {
			d := decode(t, file, readFile(t, file))
			if d.Fabric.Len() == 0 {
				t.Errorf("%s: no objects", file)
			}
			for _, issue := range d.Issues {
				if issue.Severity == hedgehog.Error {
					t.Errorf("%s: %s", file, issue)
				}
			}
			for o := range d.Fabric.All() {
				if len(o.Leftovers) > 0 {
					t.Errorf("%s: %s: left over: %v", file, o.Key(), o.Leftovers)
				}
				if o.Origin().Line == 0 {
					t.Errorf("%s: %s: no line", file, o.Key())
				}
			}
		}
	}
}

// TestDecodeExports: an export of a cluster reads as the manifests it was made of.
func TestDecodeExports(t *testing.T) {
	t.Parallel()
	for _, file := range shared(t, "export", "*.list.yaml") {
		name := strings.TrimSuffix(filepath.Base(file), ".list.yaml") + ".yaml"
		want := canonical(t, readFile(t, filepath.Join(filepath.Dir(file), "..", "hydrated", name)))
		if diff := gocmp.Diff(want, canonical(t, readFile(t, file))); diff != "" {
			t.Errorf("%s (-hydrated +export):\n%s", file, diff)
		}
	}
}

// TestDecodeBrokenManifests: wrong manifests are read, too, and stay as they are.
func TestDecodeBrokenManifests(t *testing.T) {
	t.Parallel()
	for _, file := range shared(t, "broken", "*.yaml") {
		first := canonical(t, readFile(t, file))
		if second := canonical(t, first); first != second {
			t.Errorf("%s: the canonical form is no fixed point", file)
		}
	}
}

const server = "apiVersion: wiring.githedgehog.com/v1beta1\nkind: Server\nmetadata:\n  name: a\nspec:\n  description: text\n"

// TestDecodeForms: one object, written in many ways.
func TestDecodeForms(t *testing.T) {
	t.Parallel()
	const object = `{"apiVersion":"wiring.githedgehog.com/v1beta1","kind":"Server","metadata":{"name":"a"},"spec":{"description":"text"}}`
	tests := map[string]struct {
		text string
		line int
	}{
		"YAML":                               {server, 1},
		"no line at the end":                 {strings.TrimSuffix(server, "\n"), 1},
		"a separator before and after":       {"---\n" + server + "---\n", 2},
		"comments alone in documents":        {"# one\n---\n# two\n---\n" + server + "---\n# three\n", 5},
		"empty documents":                    {"---\n---\n\n---\n" + server + "---\n---\n", 5},
		"null documents":                     {"null\n---\n~\n---\n" + server, 5},
		"a directive":                        {"%YAML 1.1\n---\n" + server, 3},
		"a document on the separator's line": {"--- " + object, 1},
		"documents that end with dots":       {"null\n...\n---\n" + server + "...\n", 4},
		"CRLF":                               {strings.ReplaceAll("# c\n---\n"+server, "\n", "\r\n"), 3},
		"CR alone":                           {strings.ReplaceAll(server, "\n", "\r"), 1},
		"a byte order mark":                  {"\ufeff" + server, 1},
		"a byte order mark before JSON":      {"\ufeff" + object, 1},
		"JSON":                               {object, 1},
		"JSON over lines, with tabs":         {"\n" + strings.ReplaceAll(object, ",", ",\n\t"), 2},
		"JSON as a document of YAML":         {"---\n" + object + "\n---\n", 2},
		"flow YAML":                          {"{apiVersion: wiring.githedgehog.com/v1beta1, kind: Server, metadata: {name: a}, spec: {description: text}}", 1},
		"kind: List":                         {"apiVersion: v1\nkind: List\nitems:\n- " + strings.ReplaceAll(strings.TrimSuffix(server, "\n"), "\n", "\n  ") + "\n", 4},
		"a JSON list":                        {`{"apiVersion":"v1","kind":"List","items":[` + "\n" + object + "]}", 2},
		"a list of lists":                    {`{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"List","items":[` + object + "]}]}", 1},
		"a list of the kind":                 {`{"apiVersion":"wiring.githedgehog.com/v1beta1","kind":"ServerList","metadata":{},"items":[{"metadata":{"name":"a"},"spec":{"description":"text"}}]}`, 1},
		"anchors":                            {"apiVersion: wiring.githedgehog.com/v1beta1\nkind: &k Server\nmetadata: {name: a}\nspec: {description: &d text, profile: null}\n", 1},
		"a merge key":                        {"apiVersion: wiring.githedgehog.com/v1beta1\nkind: Server\nmetadata: &m {name: a}\nspec: {<<: {description: text}}\n", 1},
		"a merge key that is overridden":     {"apiVersion: wiring.githedgehog.com/v1beta1\nkind: Server\nmetadata: {name: a}\nspec: {<<: [{description: text}, {description: no}]}\n", 1},
		"tags of YAML":                       {"apiVersion: !!str wiring.githedgehog.com/v1beta1\nkind: !!binary U2VydmVy\nmetadata: !!map {name: a}\nspec: {description: !!str text}\n", 1},
		"empty and null fields":              {server + "  profile:\nstatus: {x: 1}\n", 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := decode(t, "f.yaml", test.text)
			for _, issue := range d.Issues {
				t.Errorf("%s", issue)
			}
			want := hedgehog.New(hedgehog.KindServer, "a", hedgehog.Origin{File: "f.yaml", Line: test.line})
			want.Namespace = ""
			want.Spec.(*hedgehog.ServerSpec).Description = "text"
			if diff := gocmp.Diff([]*hedgehog.Object{want}, slices.Collect(d.Fabric.All())); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestDecodeHostile: nothing that a file can hold stops or fools the reader.
func TestDecodeHostile(t *testing.T) {
	t.Parallel()
	bomb := "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
	for c := 'b'; c < 'k'; c++ {
		bomb += fmt.Sprintf("%c: &%c [%s]\n", c, c, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*%c, ", c-1), 10), ", "))
	}
	spec := func(text string) string {
		return "apiVersion: wiring.githedgehog.com/v1beta1\nkind: Switch\nmetadata: {name: a}\nspec:\n  " + text + "\n"
	}
	tests := map[string]struct {
		text string
		rule string
		line int
	}{
		"an alias bomb":                   {bomb, "document-aliases", 5},
		"an alias of long text":           {"a: &a " + strings.Repeat("x", 1<<20) + "\nb: [" + strings.Repeat("*a, ", 50) + "]\n", "document-aliases", 2},
		"an alias in itself":              {"a: &a [*a]\n", "document-depth", 1},
		"an alias of nothing":             {"a: *b\n", "document-syntax", 1},
		"a key twice":                     {spec("asn: 1\n  role: spine\n  asn: 2"), "key-duplicate", 7},
		"a key twice, spelt differently":  {spec("portSpeeds: {1: a, \"1\": b}"), "key-duplicate", 5},
		"a key twice in JSON":             {"{\"a\": 1,\n\"b\": {\"c\": 1,\n\"c\": 2}}", "key-duplicate", 3},
		"a key twice among many":          {spec("portSpeeds: {" + manyKeys(1000) + ", k7: x}"), "key-duplicate", 5},
		"NUL":                             {server + "\x00", "document-encoding", 7},
		"UTF-8 that is none":              {server + "  profile: \xff\n", "document-encoding", 7},
		"UTF-16":                          {"\xff\xfea\x00:\x00", "document-encoding", 1},
		"half a surrogate pair":           {"{\"a\":\n\"\\ud800\"}", "document-encoding", 2},
		"a control character":             {"a: \x01\n", "document-syntax", 1},
		"tabs for indentation":            {"a:\n\tb: 1\n", "document-syntax", 2},
		"lists in lists in lists":         {strings.Repeat("[", 500) + strings.Repeat("]", 500), "document-depth", 1},
		"lists in lists, without end":     {strings.Repeat("[", 1<<20), "document-depth", 1},
		"mappings in mappings in JSON":    {strings.Repeat("{\"a\":", 100_000) + "1" + strings.Repeat("}", 100_000), "document-depth", 1},
		"mappings in mappings, by blocks": {strings.Repeat("- ", 5000) + "a", "document-depth", 1},
		"more values than fit":            {"[" + strings.Repeat("a,", 3<<20) + "a]", "document-size", 1},
		"a long key":                      {"{\"" + strings.Repeat("k", 2000) + "\": 1}", "document-key", 1},
		"a huge integer":                  {spec("asn: 123456789012345678901234567890"), "field-type", 5},
		"an integer beyond its field":     {spec("asn: 4294967296"), "field-type", 5},
		"a negative integer":              {spec("asn: -1"), "field-type", 5},
		"a fraction for an integer":       {spec("asn: 65101.5"), "field-type", 5},
		"text for an integer":             {spec("asn: \"65101\""), "field-type", 5},
		"an integer for text":             {spec("description: 5"), "field-type", 5},
		"a truth value for text":          {spec("description: no"), "field-type", 5},
		"text for a truth value":          {spec("roce: \"yes\""), "field-type", 5},
		"a list for a mapping":            {spec("boot: []"), "field-type", 5},
		"a mapping for a list":            {spec("groups: {}"), "field-type", 5},
		"null in a list":                  {spec("groups: [null]"), "field-type", 5},
		"null in a mapping of text":       {spec("portSpeeds: {E1/1: null}"), "field-type", 5},
		"a number beyond all":             {"{\"a\": 1e999}", "document-syntax", 1},
		"infinity":                        {"a: .inf\n", "document-syntax", 1},
		"a tag of one's own":              {"a: !mine x\n", "document-tag", 1},
		"a tag that stands alone":         {"a: \"é! \" # !\nb: [é, ! 5]\n", "document-tag", 2},
		"a tag of Python":                 {"a: !!python/object:os.system x\n", "document-tag", 1},
		"a tag that is wrong":             {"a: !!int x\n", "document-tag", 1},
		"binary that is no text":          {"a: !!binary /////w==\n", "document-encoding", 1},
		"a null key":                      {"~: a\n", "document-syntax", 1},
		"a mapping as a key":              {"{a: b}: c\n", "document-syntax", 1},
		"a merge of text":                 {"<<: text\n", "document-syntax", 1},
		"text":                            {"hello\n", "document-not-object", 1},
		"a number":                        {"\n\n5\n", "document-not-object", 3},
		"nothing a Kubernetes object has": {"a: b\n", "document-not-object", 1},
		"a list whose items are none":     {"apiVersion: v1\nkind: List\nitems: text\n", "document-not-object", 1},
		"an object without a name":        {strings.Replace(server, "name: a", "labels: {}", 1), "name-missing", 1},
		"a field spelt in the wrong case": {spec("ASN: 5"), "field-unknown", 5},
		"a kind of another release":       {strings.Replace(server, "kind: Server", "kind: Rack", 1), "kind-unknown", 1},
		"a kind in the wrong group":       {strings.Replace(server, "kind: Server", "kind: VPC", 1), "api-version-wrong", 1},
		"a profile that is not built in":  {strings.Replace(server, "kind: Server", "kind: SwitchProfile", 1), "switch-profile-custom", 1},
		"JSON that stops":                 {"{\"a\": [1, 2", "document-syntax", 1},
		"a second object in JSON, wrong":  {"{\"a\": 1}\n{\"a\" 1}", "document-syntax", 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			start := time.Now()
			d := decode(t, "f.yaml", test.text)
			if took := time.Since(start); took > 20*time.Second {
				t.Errorf("took %s", took)
			}
			var found bool
			for _, issue := range d.Issues {
				found = found || issue.Rule == test.rule && issue.Origin.Line == test.line
			}
			if !found {
				t.Errorf("no issue of rule %s on line %d in %v", test.rule, test.line, d.Issues)
			}
			canonical(t, test.text)
		})
	}
}

func manyKeys(n int) string {
	keys := make([]string, n)
	for i := range keys {
		keys[i] = fmt.Sprintf("k%d: x", i)
	}
	return strings.Join(keys, ", ")
}

// TestDecodeEndlessLine: 100 MB without an end are refused at the bound, and
// never held in memory.
func TestDecodeEndlessLine(t *testing.T) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	r := &counter{from: io.LimitReader(endless{}, 100<<20)}
	d, err := hedgehog.Decode("-", r)
	runtime.ReadMemStats(&after)
	if err != nil || len(d.Issues) != 1 || d.Issues[0].Rule != "document-size" {
		t.Errorf("got %v, %v", d.Issues, err)
	}
	if r.n > hedgehog.MaxDocument+1<<20 {
		t.Errorf("read %d bytes", r.n)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > 8*hedgehog.MaxDocument {
		t.Errorf("allocated %d bytes", used)
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

type counter struct {
	from io.Reader
	n    int
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	c.n += n
	return n, err
}

// TestDecodeManyDocuments: the bounds are those of a document, not of a file.
func TestDecodeManyDocuments(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	for i := range 300 {
		fmt.Fprintf(&text, "---\n%s", strings.Replace(server, "name: a", fmt.Sprintf("name: a%d\n  annotations: {x: %q}", i, strings.Repeat("x", 64<<10)), 1))
	}
	if text.Len() < hedgehog.MaxDocument {
		t.Fatal("the text is too short to show anything")
	}
	d := decode(t, "-", text.String())
	if d.Fabric.Len() != 300 || len(d.Issues) != 0 {
		t.Errorf("%d objects, %v", d.Fabric.Len(), d.Issues)
	}
}

func TestDecodeReportsTheReader(t *testing.T) {
	t.Parallel()
	if _, err := hedgehog.Decode("f.yaml", iotest.ErrReader(io.ErrUnexpectedEOF)); err == nil || !strings.Contains(err.Error(), "f.yaml") {
		t.Errorf("got %v", err)
	}
}

// TestDecodeKeepsWhatItDoesNotKnow: nothing is dropped, whatever the issue.
func TestDecodeKeepsWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	d := decode(t, "f.yaml", readFile(t, filepath.Join("testdata", "wrong.yaml")))
	if raw, ok := d.Fabric.Get("Swich", "typo").Spec.(hedgehog.Raw); !ok || fmt.Sprint(raw) != "map[spec:map[role:spine]]" {
		t.Errorf("got %v", raw)
	}
	if old := d.Fabric.Get(hedgehog.KindVPC, "old"); old.APIVersion != "vpc.githedgehog.com/v1alpha2" || old.Spec.(*hedgehog.VPCSpec).Subnets["main"].VLAN != 1002 {
		t.Errorf("got %+v", old)
	}
	want := []hedgehog.Leftover{
		{Path: []string{"metadata", "colour"}, Value: "blue"},
		{Path: []string{"spec", "vlanNamespace"}, Value: 12.0},
		{Path: []string{"spec", "mtu"}, Value: 9000.0},
		{Path: []string{"spec", "subnets", "main", "vlan"}, Value: 70000.0},
		{Path: []string{"spec", "subnets", "main", "Gateway"}, Value: "10.10.1.1"},
		{Path: []string{"spec", "subnets", "main", "dhcp", "enable"}, Value: "true"},
		{Path: []string{"spec", "subnets", "main", "dhcp", "options", "interfaceMTU"}, Value: 1500.5},
		{Path: []string{"spec", "subnets", "main", "dhcp", "options", "dnsServers"}, Value: "10.1.1.1"},
		{Path: []string{"spec", "permit", "0", "1"}, Value: 5.0},
		{Path: []string{"extra"}, Value: true},
	}
	if diff := gocmp.Diff(want, d.Fabric.Get(hedgehog.KindVPC, "web").Leftovers); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestDecodeSwitchProfiles: built-in profiles are left out, a changed one is not.
func TestDecodeSwitchProfiles(t *testing.T) {
	t.Parallel()
	text := readFile(t, shared(t, ".", "switchprofiles.yaml")[0])
	d := decode(t, "-", text)
	if d.Fabric.Len() != 0 || len(d.Issues) != 1 || d.Issues[0].Severity != hedgehog.Notice {
		t.Errorf("%d objects, %v", d.Fabric.Len(), d.Issues)
	}
	for name, change := range map[string][2]string{
		"a port more":        {"    E1/7:\n", "    E1/99:\n"},
		"a feature less":     {"    eslag: true\n", "    eslag: false\n"},
		"another speed":      {"        - 40G\n", "        - 41G\n"},
		"another name":       {"  name: celestica-ds2000\n", "  name: my-ds2000\n"},
		"another way to say": {"      label: \"1\"\n", "      label: \"one\"\n"},
	} {
		d := decode(t, "-", strings.Replace(text, change[0], change[1], 1))
		want := 1
		if name == "another way to say" {
			want = 0
		}
		if d.Fabric.Len() != want {
			t.Errorf("%s: %d objects, %v", name, d.Fabric.Len(), d.Issues)
		}
	}
}

// TestDecodeDropsPortLocators: LEDs that blink for minutes have no place here.
func TestDecodeDropsPortLocators(t *testing.T) {
	t.Parallel()
	d := decode(t, "-", readFile(t, filepath.Join("testdata", "all-kinds.yaml")))
	if spec := d.Fabric.Get(hedgehog.KindSwitch, "leaf-01").Spec.(*hedgehog.SwitchSpec); spec.PortLocators != nil {
		t.Errorf("got %v", spec.PortLocators)
	}
}

func TestDecodeForeign(t *testing.T) {
	t.Parallel()
	d := decode(t, "f.yaml", readFile(t, filepath.Join("testdata", "export.yaml")))
	want := []hedgehog.Foreign{{APIVersion: "v1", Kind: "ConfigMap", Namespace: "default", Name: "theirs",
		Origin: hedgehog.Origin{File: "f.yaml", Line: 77},
		Content: map[string]any{"apiVersion": "v1", "kind": "ConfigMap",
			"metadata": map[string]any{"name": "theirs", "namespace": "default"}}}}
	if diff := gocmp.Diff(want, d.Foreign); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestDecodeStopsCountingIssues: an object with a million wrong fields does not
// become a million issues.
func TestDecodeStopsCountingIssues(t *testing.T) {
	t.Parallel()
	d := decode(t, "f.yaml", strings.Replace(server, "  description: text", "  "+strings.ReplaceAll(manyKeys(1000), ", ", "\n  "), 1))
	if len(d.Issues) != 101 || !slices.ContainsFunc(d.Issues, func(i hedgehog.Issue) bool { return i.Rule == "field-issues" }) {
		t.Errorf("%d issues", len(d.Issues))
	}
	if o := d.Fabric.Get(hedgehog.KindServer, "a"); len(o.Leftovers) != 1000 {
		t.Errorf("%d leftovers", len(o.Leftovers))
	}
}

// TestDecodeFS: a folder is read in the order of its paths, without what holds
// no manifests, and one object may be in it once.
func TestDecodeFS(t *testing.T) {
	t.Parallel()
	file := func(name string) *fstest.MapFile {
		return &fstest.MapFile{Data: []byte(strings.Replace(server, "name: a", "name: "+name, 1))}
	}
	d, err := hedgehog.DecodeFS("fabrics/lab", fstest.MapFS{
		"base/servers/b.yaml":        file("b"),
		"base/servers/a.yml":         file("a"),
		"base/servers/c.json":        file("b"),
		"base/kustomization.yaml":    {Data: []byte("resources: [a.yaml]\n")},
		"base/.hidden.yaml":          {Data: []byte("x")},
		".git/config.yaml":           {Data: []byte("x")},
		"README.md":                  {Data: []byte("# read me")},
		"hedgehog-gitops.yaml":       {Data: []byte("netbox: {}")},
		"base/.hedgehog-gitops.json": {Data: []byte("{}")},
	})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for o := range d.Fabric.All() {
		names = append(names, o.Name+" "+o.Origin().String())
	}
	if diff := gocmp.Diff([]string{"a fabrics/lab/base/servers/a.yml:1", "b fabrics/lab/base/servers/b.yaml:1"}, names); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(d.Issues) != 1 || d.Issues[0].String() !=
		"error: Server/b: Server/b occurs twice; the first is at fabrics/lab/base/servers/b.yaml:1 (fabrics/lab/base/servers/c.json:1)" {
		t.Errorf("got %v", d.Issues)
	}
}

// TestDecodeManagedMetadata: what a cluster and its tools add goes, what people
// write stays.
func TestDecodeManagedMetadata(t *testing.T) {
	t.Parallel()
	kept := func(kind hedgehog.Kind, field, key string) bool {
		d := decode(t, "-", fmt.Sprintf("{apiVersion: %s, kind: %s, metadata: {name: a, %s: {%q: x}}}", kind.APIVersion(), kind, field, key))
		o := d.Fabric.Get(kind, "a")
		all := maps.Clone(o.Labels)
		if field == "annotations" {
			all = maps.Clone(o.Annotations)
		}
		return all[key] == "x"
	}
	for _, test := range []struct {
		kind       hedgehog.Kind
		field, key string
		want       bool
	}{
		{hedgehog.KindSwitch, "annotations", "fabric.githedgehog.com/route-summ", true},
		{hedgehog.KindVPCAttachment, "annotations", "fabric.githedgehog.com/p2p-link", true},
		{hedgehog.KindConnection, "annotations", "link.hhfab.githedgehog.com/leaf-01", true},
		{hedgehog.KindServer, "labels", "hhfab.githedgehog.com/vlab", true},
		{hedgehog.KindServer, "labels", "app.kubernetes.io/name", true},
		{hedgehog.KindServer, "annotations", "argocd.argoproj.io/sync-wave", true},
		{hedgehog.KindServer, "annotations", "kustomize.toolkit.fluxcd.io/prune", true},
		{hedgehog.KindConnection, "annotations", "fabric.githedgehog.com/switches", false},
		{hedgehog.KindConnection, "annotations", "fabric.githedgehog.com/anything", false},
		{hedgehog.KindGatewayPeering, "annotations", "gateway.githedgehog.com/vpcs", false},
		{hedgehog.KindGatewayPeering, "labels", "vpc.gateway.githedgehog.com/web", false},
		{hedgehog.KindVPC, "labels", "fabric.githedgehog.com/ipv4ns", false},
		{hedgehog.KindVPCPeering, "labels", "vpc.fabric.githedgehog.com/web", false},
		{hedgehog.KindServer, "labels", "app.kubernetes.io/instance", false},
		{hedgehog.KindServer, "labels", "kustomize.toolkit.fluxcd.io/namespace", false},
		{hedgehog.KindServer, "annotations", "kubectl.kubernetes.io/last-applied-configuration", false},
		{hedgehog.KindServer, "annotations", "argocd.argoproj.io/tracking-id", false},
	} {
		if got := kept(test.kind, test.field, test.key); got != test.want {
			t.Errorf("%s %s %s: kept %v, want %v", test.kind, test.field, test.key, got, test.want)
		}
	}
}

func addSeeds(f *testing.F) {
	f.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "*.yaml"))
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		text := readFile(f, file)
		f.Add([]byte(text))
		for document := range strings.SplitSeq(text, "\n---\n") {
			f.Add([]byte(document))
		}
	}
	f.Add([]byte(`{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"vpc.githedgehog.com/v1beta1","kind":"VPC","metadata":{"name":"a"},"spec":{"subnets":{"a":null}}}]}`))
	f.Add([]byte("a: &a {b: c}\nd: {<<: *a, e: !!str 5}\n...\n--- |\n  x\n"))
}

// FuzzDecode: no text stops the reader, and the canonical form is a fixed point.
func FuzzDecode(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		first := canonical(t, string(text))
		if second := canonical(t, first); first != second {
			t.Fatalf("canonical once\n%s\ntwice\n%s", first, second)
		}
	})
}
