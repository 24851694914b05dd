package hedgehog

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// The bounds of one document, a part of a file between two lines "---". A
// document beyond them is an [Issue], never a panic and never a swollen process.
const (
	// MaxDocument is the size of a document in bytes. A Kubernetes API server
	// takes 3 MiB; this leaves room for a kind: List of thousands of objects.
	MaxDocument = 16 << 20
	// MaxDepth is how many mappings and lists may stand in each other.
	MaxDepth = 100
	// MaxKey is the length of a key in bytes, as YAML has it for plain keys.
	MaxKey = 1024
	// MaxAliased is how many values, and MaxAliasedBytes how much text, the
	// aliases of one document may repeat.
	MaxAliased      = 100_000
	MaxAliasedBytes = 4 << 20
	// maxMarks bounds how many values a document can hold, before it is parsed.
	maxMarks = 2 << 20
)

// node is a value of a document, with the line where it stands.
type node struct {
	line   int
	kind   nodeKind
	scalar any // nil, bool, int64, uint64, float64 or string
	fields []field
	items  []node
}

type field struct {
	key   string
	line  int
	value node
}

type nodeKind int

const (
	scalarNode nodeKind = iota
	mappingNode
	listNode
)

// get returns the field of that name, or nil.
func (n *node) get(key string) *node {
	if n == nil {
		return nil
	}
	for i := range n.fields {
		if n.fields[i].key == key {
			return &n.fields[i].value
		}
	}
	return nil
}

// text returns the scalar if it is a string.
func (n *node) text() string {
	if n == nil {
		return ""
	}
	s, _ := n.scalar.(string)
	return s
}

// plain returns a scalar as text, nothing for null.
func (n *node) plain() string {
	if n.isNull() {
		return ""
	}
	return fmt.Sprint(n.scalar)
}

// all iterates over the fields of a mapping.
func (n *node) all() iter.Seq2[string, *node] {
	return func(yield func(string, *node) bool) {
		if n == nil {
			return
		}
		for i := range n.fields {
			if !yield(n.fields[i].key, &n.fields[i].value) {
				return
			}
		}
	}
}

// isNull reports whether the node is absent or null.
func (n *node) isNull() bool { return n == nil || n.kind == scalarNode && n.scalar == nil }

// value returns the node as encoding/json holds it; an integer that float64
// cannot hold is a [json.Number].
func (n *node) value() any {
	switch n.kind {
	case mappingNode:
		m := make(map[string]any, len(n.fields))
		for i := range n.fields {
			m[n.fields[i].key] = n.fields[i].value.value()
		}
		return m
	case listNode:
		list := make([]any, len(n.items))
		for i := range n.items {
			list[i] = n.items[i].value()
		}
		return list
	}
	switch v := n.scalar.(type) {
	case int64:
		if v < -maxExact || v > maxExact {
			return json.Number(strconv.FormatInt(v, 10))
		}
		return float64(v)
	case uint64:
		if v > maxExact {
			return json.Number(strconv.FormatUint(v, 10))
		}
		return float64(v)
	}
	return n.scalar
}

// badDocument is why a document cannot be read, and where.
type badDocument struct {
	line          int
	rule          string
	summary, hint string
}

func (b *badDocument) Error() string { return b.summary }

// readDocuments splits the stream into documents and yields each that holds
// something, line numbers counted from the start of the stream. What cannot be
// read goes to bad; reading goes on with the next document, except after one
// that is too large. The error is the reader's.
func readDocuments(r io.Reader, yield func(*node), bad func(*badDocument)) error {
	in := bufio.NewReaderSize(r, 64<<10)
	var (
		doc     []byte
		line    = 1     // the line that is being read
		first   = 1     // the line where doc begins
		content = false // doc has more than comments and directives
		atStart = true  // the next bytes begin a line
	)
	if bom, _ := in.Peek(3); bytes.Equal(bom, []byte("\xef\xbb\xbf")) {
		_, _ = in.Discard(3)
	}
	flush := func() {
		if content {
			readDocument(doc, first, yield, bad)
		}
		doc, first, content = doc[:0], line, false
	}
	for {
		part, err := in.ReadSlice('\n')
		if atStart && isSeparator(part) && content {
			flush()
		}
		if !content && atStart {
			content = hasContent(part)
		} else if !atStart {
			content = content || len(bytes.TrimSpace(part)) > 0
		}
		if len(doc)+len(part) > MaxDocument {
			bad(&badDocument{first, "document-size",
				fmt.Sprintf("the document is larger than %d MiB", MaxDocument>>20),
				"split it: one object per document, or one list per kind"})
			return nil
		}
		doc = append(doc, part...)
		atStart = bytes.HasSuffix(part, []byte("\n"))
		if atStart {
			line++
		}
		switch {
		case errors.Is(err, io.EOF):
			flush()
			return nil
		case err != nil && !errors.Is(err, bufio.ErrBufferFull):
			return err
		}
	}
}

// isSeparator reports whether the line is "---", with or without more on it.
func isSeparator(line []byte) bool {
	rest, ok := bytes.CutPrefix(line, []byte("---"))
	return ok && (len(rest) == 0 || strings.IndexByte(" \t\r\n", rest[0]) >= 0)
}

// hasContent reports whether the line is more than a comment, a directive or a
// bare separator.
func hasContent(line []byte) bool {
	if isSeparator(line) {
		line = line[3:]
	}
	line = bytes.TrimSpace(line)
	return len(line) > 0 && line[0] != '#' && line[0] != '%'
}

// readDocument reads one part of a stream, JSON or YAML. It may hold more than
// one document: JSON objects one after another, or YAML ended by "...".
func readDocument(text []byte, first int, yield func(*node), bad func(*badDocument)) {
	if i := badByte(text); i >= 0 {
		what, hint := "is not UTF-8", "save the file as UTF-8"
		if text[i] == 0 {
			what, hint = "has a NUL byte", "is it a text file?"
		}
		bad(&badDocument{first + bytes.Count(text[:i], []byte("\n")), "document-encoding", "the document " + what, hint})
		return
	}
	start := text
	if isSeparator(start) {
		start = start[3:]
	}
	if start = bytes.TrimLeft(start, " \t\r\n"); len(start) > 0 && (start[0] == '{' || start[0] == '[') {
		j := jsonReader{text: start, line: first + bytes.Count(text[:len(text)-len(start)], []byte("\n"))}
		nodes, err := j.all()
		var b *badDocument
		switch {
		case err == nil:
			for i := range nodes {
				yield(&nodes[i])
			}
			return
		case errors.As(err, &b):
			bad(b)
			return
		}
		// Not JSON, then: YAML may begin with a brace as well.
	}
	y := yamlReader{first: first}
	if err := y.all(text, yield); err != nil {
		bad(err)
	}
}

// badByte returns the place of the first byte that no document may hold, or -1.
func badByte(text []byte) int {
	nul := bytes.IndexByte(text, 0)
	if utf8.Valid(text) {
		return nul
	}
	i := 0
	for i < len(text) {
		r, size := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && size == 1 {
			break
		}
		i += size
	}
	if nul >= 0 && nul < i {
		return nul
	}
	return i
}

func tooDeep(line int) *badDocument {
	return &badDocument{line, "document-depth",
		fmt.Sprintf("more than %d mappings and lists stand in each other", MaxDepth), "no manifest is that deep"}
}

func duplicateKey(line int, key string, before int) *badDocument {
	return &badDocument{line, "key-duplicate",
		fmt.Sprintf("the key %q occurs twice in one mapping; the first is on line %d", key, before), "remove one of the two"}
}

func longKey(line int) *badDocument {
	return &badDocument{line, "document-key", fmt.Sprintf("a key is longer than %d bytes", MaxKey), "is it a value?"}
}

// seenKeys finds the fields of a mapping by name; small ones without a map.
type seenKeys struct{ index map[string]int }

func (s *seenKeys) find(fields []field, key string) int {
	if len(fields) < 16 {
		for i := range fields {
			if fields[i].key == key {
				return i
			}
		}
		return -1
	}
	if s.index == nil {
		s.index = make(map[string]int, 2*len(fields))
		for i := range fields {
			s.index[fields[i].key] = i
		}
	}
	if i, ok := s.index[key]; ok {
		return i
	}
	return -1
}

func (s *seenKeys) add(key string, i int) {
	if s.index != nil {
		s.index[key] = i
	}
}

// yamlReader reads the YAML documents of one part of a stream.
type yamlReader struct {
	first        int             // the line of the stream where the text begins
	bareTags     map[[2]int]bool // line and column of each "!" that stands alone, if any
	aliased      int
	aliasedBytes int
	inAlias      bool
}

// syntaxError finds the line in a message of the parser.
var syntaxError = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)

func (y *yamlReader) all(text []byte, yield func(*node)) *badDocument {
	if marks(text) > maxMarks {
		return &badDocument{y.first, "document-size",
			fmt.Sprintf("the document holds more than %d values", maxMarks), "split it: one object per document, or one list per kind"}
	}
	y.bareTags = bareTags(text)
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	for {
		var root yaml.Node
		err := decoder.Decode(&root)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			b := &badDocument{y.first, "document-syntax", err.Error(), "check the indentation and the quotes there"}
			if m := syntaxError.FindStringSubmatch(err.Error()); m != nil {
				b.summary = "not YAML: " + m[2]
				if line, err := strconv.Atoi(m[1]); err == nil {
					b.line += line - 1
				}
			}
			return b
		}
		n, bad := y.node(&root, 0)
		if bad != nil {
			return bad
		}
		if !n.isNull() {
			yield(&n)
		}
	}
}

// marks counts what must stand before a value: no document holds more than
// about twice as many values.
func marks(text []byte) int {
	n := 0
	for i, c := range text {
		switch c {
		case '\n', ',', '[', '{':
			n++
		case ' ', '\t':
			if i > 0 && strings.IndexByte(":-?", text[i-1]) >= 0 {
				n++
			}
		}
	}
	return n
}

func (y *yamlReader) node(from *yaml.Node, depth int) (node, *badDocument) {
	n := node{line: y.first + max(from.Line, 1) - 1}
	if depth > MaxDepth {
		return n, tooDeep(n.line)
	}
	if y.inAlias {
		y.aliased++
		y.aliasedBytes += len(from.Value)
		if y.aliased > MaxAliased || y.aliasedBytes > MaxAliasedBytes {
			return n, &badDocument{n.line, "document-aliases", "the document's aliases repeat too much", "write the values out"}
		}
	}
	switch from.Kind {
	case yaml.DocumentNode:
		if len(from.Content) == 0 {
			return n, nil
		}
		return y.node(from.Content[0], depth)
	case yaml.AliasNode:
		before := y.inAlias
		y.inAlias = true
		value, bad := y.node(from.Alias, depth+1)
		y.inAlias = before
		value.line = n.line
		if bad != nil {
			bad.line = n.line
		}
		return value, bad
	case yaml.ScalarNode:
		return y.scalar(n, from)
	case yaml.SequenceNode:
		if tagged(from) && from.ShortTag() != "!!seq" {
			return n, badTag(n.line, from.Tag)
		}
		n.kind = listNode
		n.items = make([]node, len(from.Content))
		for i, child := range from.Content {
			var bad *badDocument
			if n.items[i], bad = y.node(child, depth+1); bad != nil {
				return n, bad
			}
		}
		return n, nil
	case yaml.MappingNode:
		if tagged(from) && from.ShortTag() != "!!map" {
			return n, badTag(n.line, from.Tag)
		}
		n.kind = mappingNode
		return n, y.mapping(&n, from, depth)
	}
	return n, nil
}

// mapping reads the fields in order: a merge key overrides what stands before
// it, as it does for the API server, and a field what was merged before.
func (y *yamlReader) mapping(n *node, from *yaml.Node, depth int) *badDocument {
	n.fields = make([]field, 0, len(from.Content)/2)
	var seen seenKeys
	var own map[string]int // lines of the keys that are not merged, once something is
	set := func(f field) {
		if i := seen.find(n.fields, f.key); i >= 0 {
			n.fields[i] = f
			return
		}
		seen.add(f.key, len(n.fields))
		n.fields = append(n.fields, f)
	}
	for i := 0; i < len(from.Content); i += 2 {
		k := from.Content[i]
		line := y.first + k.Line - 1
		value, bad := y.node(from.Content[i+1], depth+1)
		if bad != nil {
			return bad
		}
		if isMerge(k) {
			if own == nil {
				own = map[string]int{}
				for _, f := range n.fields {
					own[f.key] = f.line
				}
			}
			maps := []node{value}
			if value.kind == listNode {
				maps = value.items
			}
			for j := len(maps) - 1; j >= 0; j-- {
				if maps[j].kind != mappingNode {
					return &badDocument{line, "document-syntax", "the merge key << has a value that is no mapping", "merge mappings only"}
				}
				for _, f := range maps[j].fields {
					set(f)
				}
			}
			continue
		}
		key, bad := y.key(k)
		if bad != nil {
			return bad
		}
		if len(key) > MaxKey {
			return longKey(line)
		}
		if own != nil {
			if before, ok := own[key]; ok {
				return duplicateKey(line, key, before)
			}
			own[key] = line
		} else if j := seen.find(n.fields, key); j >= 0 {
			return duplicateKey(line, key, n.fields[j].line)
		}
		set(field{key, line, value})
	}
	return nil
}

func isMerge(k *yaml.Node) bool {
	if k.Kind != yaml.ScalarNode || k.Value != "<<" {
		return false
	}
	return k.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.TaggedStyle) == 0 || k.Style&yaml.TaggedStyle != 0 && k.ShortTag() == "!!merge"
}

// key returns a key as JSON has it: text.
func (y *yamlReader) key(k *yaml.Node) (string, *badDocument) {
	line := y.first + k.Line - 1
	if k.Kind == yaml.AliasNode {
		k = k.Alias
	}
	if k.Kind != yaml.ScalarNode {
		return "", &badDocument{line, "document-syntax", "a mapping or a list stands where a key must", "a key is text"}
	}
	if k.Style&quoted == 0 && !tagged(k) && !y.bareTags[[2]int{k.Line, k.Column}] {
		if key, ok := resolveKey(k.Value); ok {
			return key, nil
		}
		return "", &badDocument{line, "document-syntax", fmt.Sprintf("the key %q is no text", k.Value), "put it in quotes"}
	}
	n, bad := y.scalar(node{line: line}, k)
	if bad != nil {
		return "", bad
	}
	switch v := n.scalar.(type) {
	case string:
		return v, nil
	case bool, int64:
		return fmt.Sprint(v), nil
	}
	return "", &badDocument{line, "document-syntax", fmt.Sprintf("the key %q is no text", k.Value), "put it in quotes"}
}

const quoted = yaml.SingleQuotedStyle | yaml.DoubleQuotedStyle | yaml.LiteralStyle | yaml.FoldedStyle

// bareTags finds every "!" that stands alone: yaml.Node does not tell of it,
// though it makes text of what follows. Most are in comments or in texts.
func bareTags(text []byte) map[[2]int]bool {
	var found map[[2]int]bool
	line, start := 1, 0
	for i, c := range text {
		switch {
		case c == '\n', c == '\r' && !bytes.HasPrefix(text[i+1:], []byte("\n")):
			line, start = line+1, i+1
		case c == '!' && (i+1 == len(text) || strings.IndexByte(" \t\r\n,]}", text[i+1]) >= 0):
			if found == nil {
				found = map[[2]int]bool{}
			}
			found[[2]int{line, 1 + utf8.RuneCount(text[start:i])}] = true
		}
	}
	return found
}

func tagged(n *yaml.Node) bool { return n.Style&yaml.TaggedStyle != 0 }

func badTag(line int, tag string) *badDocument {
	return &badDocument{line, "document-tag", fmt.Sprintf("the tag %q has no meaning in a manifest", tag), "remove the tag"}
}

func (y *yamlReader) scalar(n node, from *yaml.Node) (node, *badDocument) {
	switch {
	case y.bareTags[[2]int{from.Line, from.Column}]:
		return n, badTag(n.line, "!")
	case tagged(from):
		ok := true
		tag := from.ShortTag()
		switch tag {
		case "!!str", "!!timestamp", "!":
			n.scalar = from.Value
			return n, nil
		case "!!binary":
			data, err := base64.StdEncoding.DecodeString(from.Value)
			if err != nil || !utf8.Valid(data) {
				return n, &badDocument{n.line, "document-encoding", "a !!binary value is not text in base64", "write the text itself"}
			}
			n.scalar = string(data)
			return n, nil
		case "!!int":
			n.scalar = resolveScalar(from.Value)
			switch n.scalar.(type) {
			case int64, uint64:
			default:
				ok = false
			}
		case "!!float":
			switch v := resolveScalar(from.Value).(type) {
			case int64:
				n.scalar = float64(v)
			case float64:
				n.scalar = v
			default:
				ok = false
			}
		case "!!bool":
			n.scalar, ok = resolveScalar(from.Value).(bool)
		case "!!null":
			ok = resolveScalar(from.Value) == nil
		default:
			return n, badTag(n.line, from.Tag)
		}
		if !ok {
			return n, &badDocument{n.line, "document-tag", fmt.Sprintf("%q is not a value of tag %s", from.Value, tag), "remove the tag"}
		}
	case from.Style&quoted != 0:
		n.scalar = from.Value
	default:
		n.scalar = resolveScalar(from.Value)
	}
	if n.scalar == 0.0 {
		n.scalar = 0.0 // not the negative zero: it has no place in a manifest
	}
	if f, ok := n.scalar.(float64); ok && (math.IsNaN(f) || math.IsInf(f, 0)) {
		return n, &badDocument{n.line, "document-syntax", fmt.Sprintf("%s is not a number that JSON can hold", from.Value), "put it in quotes if it is text"}
	}
	return n, nil
}

// jsonReader reads the JSON values of one part of a stream.
type jsonReader struct {
	text    []byte
	decoder *json.Decoder
	line    int // the line of the stream at offset
	offset  int
}

// all returns the values. A *badDocument is JSON that is refused; any other
// error means that the text is not JSON.
func (j *jsonReader) all() ([]node, error) {
	j.decoder = json.NewDecoder(bytes.NewReader(j.text))
	j.decoder.UseNumber()
	var nodes []node
	for {
		token, err := j.decoder.Token()
		if errors.Is(err, io.EOF) {
			return nodes, nil
		}
		if err != nil {
			return nil, err
		}
		n, err := j.value(token, 0)
		if err != nil {
			return nil, err
		}
		nodes = append(nodes, n)
	}
}

// here advances to the token that was just read and returns its line. No token
// spans lines, so its end is as good as its start.
func (j *jsonReader) here() int {
	end := int(j.decoder.InputOffset())
	j.line += bytes.Count(j.text[j.offset:end], []byte("\n"))
	j.offset = end
	return j.line
}

func (j *jsonReader) value(token json.Token, depth int) (node, error) {
	before := j.offset
	n := node{line: j.here()}
	if depth > MaxDepth {
		return n, tooDeep(n.line)
	}
	switch v := token.(type) {
	case json.Delim:
		if v == '{' {
			n.kind = mappingNode
			return n, j.mapping(&n, depth)
		}
		n.kind = listNode
		for j.decoder.More() {
			token, err := j.decoder.Token()
			if err != nil {
				return n, err
			}
			item, err := j.value(token, depth+1)
			if err != nil {
				return n, err
			}
			n.items = append(n.items, item)
		}
		_, err := j.decoder.Token()
		j.here()
		return n, err
	case json.Number:
		if i, err := strconv.ParseInt(string(v), 10, 64); err == nil {
			n.scalar = i
		} else if u, err := strconv.ParseUint(string(v), 10, 64); err == nil {
			n.scalar = u
		} else if f, err := v.Float64(); err == nil {
			n.scalar = f
			if f == 0 {
				n.scalar = 0.0 // not the negative zero, either
			}
		} else {
			return n, &badDocument{n.line, "document-syntax", fmt.Sprintf("%s is too large for a number", v), "put it in quotes if it is text"}
		}
	case string:
		n.scalar = v
		return n, j.surrogates(v, before, n.line)
	default:
		n.scalar = v
	}
	return n, nil
}

// surrogates refuses half a surrogate pair, which encoding/json replaces in
// silence.
func (j *jsonReader) surrogates(text string, before, line int) error {
	if strings.ContainsRune(text, utf8.RuneError) && bytes.Contains(bytes.ToLower(j.text[before:j.offset]), []byte(`\ud`)) {
		return &badDocument{line, "document-encoding", "a string holds half of a surrogate pair", "write the character itself"}
	}
	return nil
}

func (j *jsonReader) mapping(n *node, depth int) error {
	var seen seenKeys
	for j.decoder.More() {
		token, err := j.decoder.Token()
		if err != nil {
			return err
		}
		before := j.offset
		line := j.here()
		key, _ := token.(string)
		if err := j.surrogates(key, before, line); err != nil {
			return err
		}
		if len(key) > MaxKey {
			return longKey(line)
		}
		if token, err = j.decoder.Token(); err != nil {
			return err
		}
		value, err := j.value(token, depth+1)
		if err != nil {
			return err
		}
		if i := seen.find(n.fields, key); i >= 0 {
			return duplicateKey(line, key, n.fields[i].line)
		}
		seen.add(key, len(n.fields))
		n.fields = append(n.fields, field{key, line, value})
	}
	_, err := j.decoder.Token()
	j.here()
	return err
}
