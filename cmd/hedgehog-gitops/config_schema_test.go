package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

//go:generate go test . -run ^TestConfigurationIsDocumented$ -update

var keysBlock = regexp.MustCompile(`(?s)<!-- keys -->\n.*<!-- end -->`)

// The page and the schema in docs/ are what the program reads.
func TestConfigurationIsDocumented(t *testing.T) {
	t.Parallel()
	for name, made := range map[string]func(have []byte) []byte{
		"docs/schemas/config.json": func([]byte) []byte { return configSchema() },
		"docs/configuration.md": func(have []byte) []byte {
			return keysBlock.ReplaceAllLiteral(have, []byte("<!-- keys -->\n"+keyTables()+"<!-- end -->"))
		},
	} {
		file := filepath.Join(topPath, name)
		have, err := os.ReadFile(file)
		if err != nil && !*update {
			t.Fatal(err)
		}
		want := made(have)
		if bytes.Equal(have, want) {
			continue
		}
		if !*update {
			t.Errorf("%s is not what the program says; make generate rewrites it", name)
		} else if err := os.WriteFile(file, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// keyTables describes every key, a table for each part of the file.
func keyTables() string {
	var text strings.Builder
	text.WriteString("## The file\n\n| key | default | |\n|---|---|---|\n")
	keys := configKeys()
	row := func(name string, k configKey) {
		value := ""
		if k.Keys == nil && k.Items == nil {
			value = written(k.Default)
		}
		if value != "" {
			value = "`" + value + "`"
		}
		fmt.Fprintf(&text, "| `%s` | %s | %s |\n", name, value, strings.NewReplacer("<", "&lt;", "|", `\|`).Replace(k.Doc))
	}
	for _, k := range keys {
		row(k.Name, k)
	}
	var below func(keys []configKey, at string)
	below = func(keys []configKey, at string) {
		for _, k := range keys {
			name := join(at, k.Name)
			row(name, k)
			if at+name != "deploy" { // of a fabric: the table of its own says it
				below(k.Keys, name)
			}
		}
	}
	for _, k := range keys {
		if inner := append(slices.Clone(k.Keys), k.Items...); len(inner) > 0 {
			fmt.Fprintf(&text, "\n## %s\n\n| key | default | |\n|---|---|---|\n", k.Name)
			below(inner, "")
		}
	}
	return text.String()
}

// Every key has a sentence that explains it, and the schema has the decoder's keys and
// no others.
func TestSchemaHasTheKeysOfTheDecoder(t *testing.T) {
	t.Parallel()
	var got map[string]any
	if err := json.Unmarshal(configSchema(), &got); err != nil {
		t.Fatal(err)
	}
	var check func(of reflect.Type, schema map[string]any, at string)
	check = func(of reflect.Type, schema map[string]any, at string) {
		switch {
		case isText(of):
		case of.Kind() == reflect.Slice:
			check(of.Elem(), schema["items"].(map[string]any), at+"[]")
		case of.Kind() == reflect.Map:
			check(of.Elem(), schema["additionalProperties"].(map[string]any), at+".*")
		case isMapping(of):
			properties, _ := schema["properties"].(map[string]any)
			if schema["additionalProperties"] != false {
				t.Errorf("%s takes keys that the decoder refuses", at)
			}
			if of.NumField() != len(properties) {
				t.Errorf("%s has %d keys, the decoder %d", at, len(properties), of.NumField())
			}
			for i := range of.NumField() {
				field := of.Field(i)
				if field.Tag.Get("doc") == "" {
					t.Errorf("%s.%s is not explained", at, field.Tag.Get("yaml"))
				}
				property, ok := properties[field.Tag.Get("yaml")].(map[string]any)
				if !ok {
					t.Errorf("%s lacks %s", at, field.Tag.Get("yaml"))
					continue
				}
				check(field.Type, property, at+"."+field.Tag.Get("yaml"))
			}
		}
	}
	check(reflect.TypeFor[configDoc](), got, "")
}

// compiledSchema returns the schema as validators read it.
func compiledSchema(t testing.TB) *jsonschema.Schema {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(configSchema()))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("config.json", document); err != nil {
		t.Fatal(err)
	}
	compiled, err := compiler.Compile("config.json")
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

// schemaSays returns what the schema has against a configuration.
func schemaSays(t testing.TB, compiled *jsonschema.Schema, text string) error {
	t.Helper()
	var value any
	if err := yaml.Unmarshal([]byte(text), &value); err != nil {
		t.Fatal(err)
	}
	plain, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(plain))
	if err != nil {
		t.Fatal(err)
	}
	return compiled.Validate(document)
}

func TestSchemaTakesWhatTheDecoderTakes(t *testing.T) {
	t.Parallel()
	compiled := compiledSchema(t)
	full, err := os.ReadFile("testdata/config/full.yaml")
	if err != nil {
		t.Fatal(err)
	}
	first := configText(map[string]string{"fabrics.name": "lab", "fabrics.site": "lab", "deploy.argocd.enabled": "true"})
	for name, text := range map[string]string{
		"every key": string(full), "what init writes": first, "what init writes, with every default": uncommented(first),
		"nothing": "", "a key without a value": "pullRequest:\nfabrics: [{name: a, site: a, pools: }]",
		"words that look like others": "fabrics: [{name: 7, site: 12, fabricVersion: 26.02}]\npullRequest: {labels: [1, true], draft: always}",
		"variables":                   "limits: {deletions: \"${N}\"}\ndeploy: {prune: \"${P}\", flux: {interval: \"${T}\"}}\nfabrics: [{name: \"${A}\", site: \"${B}\"}]",
	} {
		if _, err := parseConfig("f.yaml", []byte(text), env()); err != nil {
			t.Errorf("%s: the decoder says %v\n%s", name, err, text)
		}
		if err := schemaSays(t, compiled, text); err != nil {
			t.Errorf("%s: the schema says %v", name, err)
		}
	}
}

func TestSchemaRefusesWhatTheDecoderRefuses(t *testing.T) {
	t.Parallel()
	compiled := compiledSchema(t)
	for name, text := range map[string]string{
		"an unknown key": "fabric: []", "an unknown key inside": "fabrics: [{name: a, site: a, rolls: {}}]",
		"a fabric without a site": "fabrics: [{name: a}]", "a name that leaves its folder": "fabrics: [{name: ../x, site: a}]",
		"no list": "fabrics: {name: a}", "an unknown role": "fabrics: [{name: a, site: a, roles: {leaf: [a]}}]",
		"an unknown stage": "fabrics: [{name: a, site: a, shards: {40-x: 1}}]", "too many digits": "fabrics: [{name: a, site: a, shards: {10-nodes: 9}}]",
		"no network": "fabrics: [{name: a, site: a, containers: [x]}]", "an AS number out of range": "fabrics: [{name: a, site: a, pools: {spineASN: 4294967296}}]",
		"no truth value": "fabrics: [{name: a, site: a, gateway: maybe}]", "an unknown release": "fabrics: [{name: a, site: a, fabricVersion: 25.01}]",
		"an unknown target": "fabrics: [{name: a, site: a, target: moon}]", "a pattern without VPC": "fabrics: [{name: a, site: a, names: {attachment: \"{connection}\"}}]",
		"no web address": "netbox: {url: netbox.example.com}", "an absolute root": "root: /etc", "a branch with a space": "pullRequest: {branch: a b}",
		"an unknown forge": "forge: {kind: x}", "a draft that is none": "pullRequest: {draft: maybe}", "an unknown format": "signing: {format: pgp}",
		"no time span": "deploy: {flux: {interval: often}}", "a namespace that is none": "deploy: {argocd: {namespace: A_B}}",
	} {
		if _, err := parseConfig("f.yaml", []byte(text), env()); err == nil {
			t.Errorf("%s: the decoder takes it", name)
		}
		if err := schemaSays(t, compiled, text); err == nil {
			t.Errorf("%s: the schema takes it", name)
		}
	}
}

// uncommented returns a configuration with every key that is commented out.
func uncommented(text string) string {
	return regexp.MustCompile(`(?m)^( *)# ( *[A-Za-z-]+:)`).ReplaceAllString(text, "$1$2")
}

// What init shows as the default is the default: with every comment sign gone, the file
// says the same.
func TestCommentedKeysShowTheDefaults(t *testing.T) {
	t.Parallel()
	text := uncommented(configText(map[string]string{"fabrics.name": "lab", "fabrics.site": "lab"}))
	d := &yamlDecoder{file: "f.yaml", getenv: env()}
	var got configDoc
	d.decode(d.parse([]byte(text)), &got)
	if err := d.err(); err != nil {
		t.Fatalf("%v\n%s", d.issues, text)
	}
	want := configDefaults()
	want.Fabrics[0].Name, want.Fabrics[0].Site = "lab", "lab"
	want.Fabrics[0].Deploy = deployDoc{} // nothing of its own
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmpopts.EquateComparable(netip.Prefix{}, netip.Addr{})); diff != "" {
		t.Errorf("-default +shown:\n%s", diff)
	}
	if strings.Contains(text, "# name:") || !strings.Contains(text, "\n    retryInterval: 30s") && !strings.Contains(text, "\n  retryInterval: 30s") {
		t.Errorf("not every key is there:\n%s", text)
	}
}
