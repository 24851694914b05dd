package hedgehog

import (
	"bytes"
	"cmp"
	_ "embed" // the examples
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Explanation is what there is to say about one of the [Rules], beside the rule
// itself.
type Explanation struct {
	Rule Rule
	// Why says what the cluster would do, in one or two sentences.
	Why string
	// Version, Gateway and Target are what the examples are judged with.
	Version string
	Gateway bool
	Target  Target
	// Before is what an update begins with, which the two examples are to follow;
	// nil for the rules of [Validate].
	Before *Example
	// Fails breaks the rule, and Passes keeps it.
	Fails, Passes Example
	// Also are the rules that say the mistake of Fails with other words.
	Also []string
}

// Example is a fabric that breaks a rule or keeps it.
type Example struct {
	// Excerpt is the YAML of what matters in it.
	Excerpt string
	// Manifests is the whole fabric, as YAML.
	Manifests string
}

var (
	//go:embed examples/fabric.yaml
	exampleFabric []byte
	//go:embed examples/rules.yaml
	exampleRules []byte
)

// example is a row of examples/rules.yaml; the head of that file says what its
// fields are.
type example struct {
	Why     string
	Version string
	Gateway *bool
	Target  Target
	Alone   bool
	Also    []string
	Given   map[string]any
	Before  map[string]any
	Fails   any
	Passes  any
}

// exampleData are the rows of examples/rules.yaml and the fabric they change.
type exampleData struct {
	rules  map[string]example
	fabric map[string]any
}

// readExamples reads the examples.
func readExamples() (data exampleData, err error) {
	if err := yaml.Unmarshal(exampleRules, &data.rules); err != nil {
		return data, fmt.Errorf("reading the examples: %w", err)
	}
	if err := yaml.Unmarshal(exampleFabric, &data.fabric); err != nil {
		return data, fmt.Errorf("reading the fabric of the examples: %w", err)
	}
	return data, nil
}

// Explain returns what there is to say about a rule; it is not ok for one that
// there is not.
func Explain(id string) (Explanation, bool, error) {
	i := slices.IndexFunc(Rules(), func(r Rule) bool { return r.ID == id })
	if i < 0 {
		return Explanation{}, false, nil
	}
	data, err := readExamples()
	if err != nil {
		return Explanation{}, true, err
	}
	row := data.rules[id]
	e := Explanation{Rule: Rules()[i], Why: row.Why, Also: row.Also, Gateway: row.Gateway == nil || *row.Gateway}
	usual := DefaultSettings()
	e.Version, e.Target = cmp.Or(row.Version, usual.FabricVersion), cmp.Or(row.Target, usual.Target)
	base := map[string]any{}
	if !row.Alone {
		base = data.fabric
	}
	base = merged(merged(base, row.Given), row.Before)
	shown := row.Fails
	if row.Passes == nil {
		row.Passes = map[string]any{}
	} else {
		shown = row.Passes
	}
	if e.Fails, err = newExample(base, row.Fails, row.Fails); err != nil {
		return Explanation{}, true, err
	}
	if e.Passes, err = newExample(base, row.Passes, shown); err != nil {
		return Explanation{}, true, err
	}
	if slices.ContainsFunc(updateTable(), func(r Rule) bool { return r.ID == id }) {
		before, err := newExample(base, map[string]any{}, row.Fails)
		if err != nil {
			return Explanation{}, true, err
		}
		e.Before = &before
	}
	return e, true, nil
}

// newExample makes an example of a fabric and what is changed in it; of that is
// shown what another change, most times the same, speaks of.
func newExample(base map[string]any, change, shown any) (Example, error) {
	text, plain := change.(string)
	patch, _ := change.(map[string]any)
	whole := merged(base, patch)
	manifests, err := manifests(whole)
	if err != nil {
		return Example{}, err
	}
	if plain {
		return Example{Excerpt: text, Manifests: manifests + "---\n" + text}, nil
	}
	parts := map[string]any{}
	var gone []string
	speaks, _ := shown.(map[string]any)
	for _, key := range slices.Sorted(maps.Keys(speaks)) {
		if object, ok := whole[key]; ok {
			parts[key] = excerpt(object, speaks[key])
		} else if _, ok := base[key]; ok {
			gone = append(gone, "# "+key+" is deleted\n")
		}
	}
	text, err = excerpts(parts)
	return Example{Excerpt: text + strings.Join(gone, ""), Manifests: manifests}, err
}

// merged is RFC 7396: what a JSON merge patch makes of a value.
func merged(value, patch map[string]any) map[string]any {
	result := maps.Clone(value)
	if result == nil {
		result = map[string]any{}
	}
	for key, change := range patch {
		inner, isMap := change.(map[string]any)
		switch {
		case change == nil:
			delete(result, key)
		case isMap:
			was, _ := result[key].(map[string]any)
			result[key] = merged(was, inner)
		default:
			result[key] = change
		}
	}
	return result
}

// excerpt is what of a value a patch speaks of: all that is in a map of which it
// names nothing.
func excerpt(value, patch any) any {
	have, ok := value.(map[string]any)
	speaks, isMap := patch.(map[string]any)
	if !ok || !isMap || len(speaks) == 0 {
		return value
	}
	part := map[string]any{}
	for key, inner := range speaks {
		if v, ok := have[key]; ok {
			part[key] = excerpt(v, inner)
		}
	}
	return part
}

func manifests(objects map[string]any) (string, error) { return documents(objects, true) }
func excerpts(objects map[string]any) (string, error)  { return documents(objects, false) }

// documents writes objects as YAML, in the order of their kinds.
func documents(objects map[string]any, whole bool) (string, error) {
	keys := slices.SortedFunc(maps.Keys(objects), func(a, b string) int {
		kindA, nameA, _ := strings.Cut(a, "/")
		kindB, nameB, _ := strings.Cut(b, "/")
		return Key{Kind(kindA), nameA}.Compare(Key{Kind(kindB), nameB})
	})
	var text bytes.Buffer
	for i, key := range keys {
		kind, name, _ := strings.Cut(key, "/")
		object := map[string]any{"kind": kind, "metadata": map[string]any{"name": name}}
		if whole {
			object["apiVersion"] = Kind(kind).APIVersion()
		}
		content, _ := objects[key].(map[string]any)
		out, err := indented(merged(object, content))
		if err != nil {
			return "", fmt.Errorf("writing the example %s: %w", key, err)
		}
		if i > 0 {
			text.WriteString("---\n")
		}
		text.Write(out)
	}
	return text.String(), nil
}

func indented(value any) ([]byte, error) {
	var text bytes.Buffer
	e := yaml.NewEncoder(&text)
	e.SetIndent(2)
	if err := e.Encode(value); err != nil {
		return nil, err
	}
	return text.Bytes(), e.Close()
}
