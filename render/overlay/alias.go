package overlay

import (
	"bytes"
	"strings"

	"go.yaml.in/yaml/v3"

	"hedgehog-gitops/render/hedgehog"
)

// checkAliases refuses the files of a scan whose aliases stand for more than a
// document should hold: kustomize writes all of it out, and ends the process
// when that is too much.
func (s *scanner) checkAliases(r *scan) {
	for _, file := range sortedKeys(r.inputs) {
		line, ok := s.aliases[file]
		if !ok {
			content, _ := s.tree.Get(file)
			line = swollen(content)
			s.aliases[file] = line
		}
		if line > 0 {
			r.issues = append(r.issues, hedgehog.Issue{
				Rule: "document-aliases", Severity: hedgehog.Error, Origin: hedgehog.Origin{File: file, Line: line},
				Summary: "the aliases of the document repeat too much", Hint: "write the values out",
			})
		}
	}
}

// swollen returns the line of the first value with aliases that repeat too much,
// in the text or in a text within it, 0 when there is none. What is no YAML is
// not its business.
func swollen(text []byte) int {
	// Hardly any file has an alias, and every file is looked at.
	if bytes.IndexByte(text, '&') < 0 || bytes.IndexByte(text, '*') < 0 {
		return 0
	}
	m := measure{sizes: map[*yaml.Node]int{}}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	for {
		var document yaml.Node
		if decoder.Decode(&document) != nil {
			return m.line
		}
		if m.size(&document); m.line > 0 {
			return m.line
		}
	}
}

// measure finds out how much a document holds when its aliases are written out.
type measure struct {
	// sizes are in bytes, as far as they are known; 0 while a value is looked at.
	sizes map[*yaml.Node]int
	// aliased is how much the aliases stand for.
	aliased int
	// line is that of the first value that is too much.
	line int
}

// valueSize is about what a value takes beside its text.
const valueSize = hedgehog.MaxAliasedBytes / hedgehog.MaxAliased

func (m *measure) size(node *yaml.Node) int {
	if m.line > 0 {
		return 0
	}
	if size, ok := m.sizes[node]; ok {
		if size == 0 { // it stands for itself
			m.line = max(node.Line, 1)
		}
		return size
	}
	m.sizes[node] = 0
	size := valueSize + len(node.Value)
	switch node.Kind {
	case yaml.AliasNode:
		size = m.size(node.Alias)
		if m.aliased += size; m.aliased > hedgehog.MaxAliasedBytes && m.line == 0 {
			m.line = max(node.Line, 1)
		}
	case yaml.ScalarNode: // such as a patch written in place
		if strings.Contains(node.Value, "\n") && swollen([]byte(node.Value)) > 0 {
			m.line = max(node.Line, 1)
		}
	default:
		for _, child := range node.Content {
			size += m.size(child)
		}
	}
	m.sizes[node] = size
	return size
}
