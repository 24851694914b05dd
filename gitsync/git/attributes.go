package git

import (
	"context"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"

	"hedgehog-gitops/gitsync"
	"hedgehog-gitops/gitsync/edge"
	"hedgehog-gitops/render/tree"
)

// attributesFile is where a repository says what Git does with its files.
const attributesFile = ".gitattributes"

// Rewrite is a file that Git would not hand out as it is stored, and the line of a
// .gitattributes that says so.
type Rewrite struct {
	Path      string
	Attribute string // filter=lfs
	File      string // fabrics/.gitattributes
	Line      int
}

func (w Rewrite) String() string {
	return fmt.Sprintf("%s:%d: %s rewrites %s", w.File, w.Line, w.Attribute, w.Path)
}

// Rewrites returns those of the paths that Git would not hand out as they are stored
// because the .gitattributes among the files say so: with a filter (LFS stores a
// pointer in the place of the file), other ends of lines or another encoding, or with
// words replaced in it.
func Rewrites(files tree.Tree, paths []string) []Rewrite {
	rules := map[string][]rule{} // by folder
	macros := map[string][]setting{"binary": {{name: "diff", value: no}, {name: "merge", value: no}, {name: "text", value: no}}}
	for _, name := range slices.SortedFunc(maps.Keys(maps.Collect(files.All())), func(a, b string) int { return strings.Compare(path.Dir(a), path.Dir(b)) }) {
		if content, found := files.Get(name); found && path.Base(name) == attributesFile {
			folder := strings.TrimSuffix(name, attributesFile)
			rules[folder] = parseAttributes(name, string(content), macros)
		}
	}
	var all []Rewrite
	for _, p := range paths {
		var matching []rule
		for i := range p { // the root first, the file's own folder last
			if folder := p[:i]; i == 0 || p[i-1] == '/' {
				matching = append(matching, matches(rules[folder], p[i:])...)
			}
		}
		d := decisions{macros, map[string]Rewrite{}}
		for _, r := range slices.Backward(matching) {
			d.add(r.settings, Rewrite{Path: p, File: r.file, Line: r.line})
		}
		for _, name := range slices.Sorted(maps.Keys(d.made)) {
			w := d.made[name]
			if name == "eol" && d.made["text"].Attribute == no {
				continue // no line of it ends
			}
			if rewrites(name, w.Attribute) {
				w.Attribute = strings.TrimSuffix(name+"="+w.Attribute, "="+yes)
				all = append(all, w)
			}
		}
	}
	return all
}

// The values of an attribute that is set without one, unset, and not mentioned.
const (
	yes    = "true"
	no     = "false"
	nought = ""
)

// rewrites reports whether a value of an attribute makes Git rewrite files.
func rewrites(name, value string) bool {
	switch name {
	case "filter", "working-tree-encoding":
		return value != no && value != nought && value != yes
	case "ident", "export-subst":
		return value == yes
	case "eol":
		return value == "crlf"
	}
	return false
}

// setting is one attribute of a line.
type setting struct{ name, value string }

// rule is a line of a .gitattributes.
type rule struct {
	file     string
	line     int
	pattern  *regexp.Regexp // of the path below the folder
	settings []setting
}

// matches returns the rules for a path below their folder.
func matches(rules []rule, path string) []rule {
	return slices.DeleteFunc(slices.Clone(rules), func(r rule) bool { return !r.pattern.MatchString(path) })
}

// decisions are the attributes of a file, with their values. The last line that says
// something of an attribute decides, so lines are added from the last one on.
type decisions struct {
	macros map[string][]setting
	made   map[string]Rewrite
}

func (d decisions) add(settings []setting, where Rewrite) {
	for _, s := range slices.Backward(settings) {
		if _, decided := d.made[s.name]; decided {
			continue
		}
		where.Attribute = s.value
		d.made[s.name] = where
		if s.value == yes {
			d.add(d.macros[s.name], where) // ends, since nothing is decided twice
		}
	}
}

// parseAttributes reads a file's lines. What Git ignores is ignored: lines that begin
// with "!", macros outside of the root.
func parseAttributes(file, text string, macros map[string][]setting) []rule {
	var rules []rule
	for i, line := range strings.Split(strings.TrimPrefix(text, "\ufeff"), "\n") {
		line = strings.Trim(line, " \t\r")
		if line == "" || line[0] == '#' {
			continue
		}
		pattern, rest := cutPattern(line)
		var settings []setting
		for word := range strings.FieldsSeq(rest) {
			s := setting{word, yes}
			name, value, valued := strings.Cut(word, "=")
			switch {
			case valued:
				s = setting{name, value}
			case word[0] == '-':
				s = setting{word[1:], no}
			case word[0] == '!':
				s = setting{word[1:], nought}
			}
			settings = append(settings, s)
		}
		if macro, found := strings.CutPrefix(pattern, "[attr]"); found {
			if file == attributesFile {
				macros[macro] = settings
			}
			continue
		}
		if matcher := glob(pattern); matcher != nil {
			rules = append(rules, rule{file, i + 1, matcher, settings})
		}
	}
	return rules
}

// cutPattern cuts the pattern off a line; it may stand in quotes.
func cutPattern(line string) (pattern, rest string) {
	if line[0] == '"' {
		for i := 1; i < len(line); i++ {
			switch line[i] {
			case '\\':
				i++
			case '"':
				return unquote(line[1:i]), line[i+1:]
			}
		}
	}
	i := strings.IndexAny(line, " \t\r")
	if i < 0 {
		return line, ""
	}
	return line[:i], line[i:]
}

// unquote reads a C-style string.
func unquote(s string) string {
	escapes := map[byte]byte{'a': 7, 'b': 8, 't': 9, 'n': 10, 'v': 11, 'f': 12, 'r': 13, '"': '"', '\\': '\\'}
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] != '\\' || i+1 == len(s):
			out.WriteByte(s[i])
		case i+3 < len(s) && s[i+1] >= '0' && s[i+1] <= '3':
			out.WriteByte((s[i+1]-'0')<<6 | (s[i+2]-'0')<<3 | (s[i+3] - '0'))
			i += 3
		default:
			i++
			out.WriteByte(escapes[s[i]])
		}
	}
	return out.String()
}

// glob turns a pattern of a .gitattributes into one of paths below its folder; nil
// for one that matches nothing.
func glob(pattern string) *regexp.Regexp {
	if pattern == "" || pattern[0] == '!' || strings.HasSuffix(pattern, "/") {
		return nil
	}
	var out strings.Builder
	out.WriteString(`(?s)\A`)
	if !strings.Contains(pattern, "/") {
		out.WriteString(`(?:.*/)?`) // a name, in any folder below
	}
	pattern = strings.TrimPrefix(pattern, "/")
	for i := 0; i < len(pattern); {
		rest := pattern[i:]
		begins := i == 0 || pattern[i-1] == '/'
		switch {
		case begins && strings.HasPrefix(rest, "**/"):
			out.WriteString(`(?:.*/)?`)
			i += 3
		case begins && rest == "**":
			out.WriteString(`.*`)
			i += 2
		case rest[0] == '*':
			out.WriteString(`[^/]*`)
			i++
		case rest[0] == '?':
			out.WriteString(`[^/]`)
			i++
		case rest[0] == '[':
			class, n := globClass(rest)
			if n == 0 {
				return nil
			}
			out.WriteString(class)
			i += n
		case rest[0] == '\\':
			if len(rest) == 1 {
				return nil
			}
			out.WriteString(regexp.QuoteMeta(rest[1:2]))
			i += 2
		default:
			out.WriteString(regexp.QuoteMeta(rest[:1]))
			i++
		}
	}
	out.WriteString(`\z`)
	matcher, err := regexp.Compile(out.String())
	if err != nil {
		return nil
	}
	return matcher
}

// globClass turns [a-z] into what a regular expression calls it, and returns how long
// it is; 0 for one that does not end.
func globClass(s string) (string, int) {
	var out strings.Builder
	out.WriteByte('[')
	i := 1
	if i < len(s) && (s[i] == '!' || s[i] == '^') {
		out.WriteString("^/")
		i++
	}
	for first := true; i < len(s); first = false {
		switch {
		case s[i] == ']' && !first:
			out.WriteByte(']')
			return out.String(), i + 1
		case strings.HasPrefix(s[i:], "[:"):
			end := strings.Index(s[i:], ":]")
			if end < 0 {
				return "", 0
			}
			out.WriteString(s[i : i+end+2])
			i += end + 2
			continue
		case s[i] == '\\' && i+1 < len(s):
			i++
			out.WriteString(regexp.QuoteMeta(s[i : i+1]))
		case s[i] == '-':
			out.WriteByte('-')
		case s[i] == '[' || s[i] == ']' || s[i] == '^':
			out.WriteString(`\` + s[i:i+1])
		default:
			out.WriteString(regexp.QuoteMeta(s[i : i+1]))
		}
		i++
	}
	return "", 0
}

// checkAttributes refuses changes that Git would not hand out as they are written.
// The .gitattributes are those of the commit with the changes in it.
func (r *Repo) checkAttributes(ctx context.Context, w gitsync.Write, root plumbing.Hash, changes *change) error {
	ids := map[string]plumbing.Hash{}
	for _, n := range changes.folders() {
		name := path.Join(n.folder, attributesFile)
		e, err := r.objects.at(root, name)
		if err != nil {
			return err
		}
		if _, changed := w.Changes[name]; e.isFile() && !changed {
			ids[name] = e.id
		}
	}
	if len(ids) > 0 {
		if err := r.loadBlobs(ctx, w.Parents[0], slices.Collect(maps.Values(ids))); err != nil {
			return err
		}
	}
	var files tree.Tree
	for name, id := range ids {
		if err := files.Set(name, r.objects[id].data); err != nil {
			return err
		}
	}
	var written []string
	for name, content := range w.Changes {
		if content == nil {
			continue
		}
		written = append(written, name)
		if path.Base(name) == attributesFile {
			if err := files.Set(name, content); err != nil {
				return err
			}
		}
	}
	slices.Sort(written)
	all := Rewrites(files, written)
	if len(all) == 0 {
		return nil
	}
	detail := all[0].String()
	if len(all) > 1 {
		detail += fmt.Sprintf(" (and %d more)", len(all)-1)
	}
	return &edge.Error{Detail: edge.Neutral(detail), Hint: fmt.Sprintf("what is read from the branch would not be what was written: take the attribute back below it, with a line such as %q",
		commonFolder(all)+"** -"+strings.SplitN(all[0].Attribute, "=", 2)[0])}
}

// commonFolder returns the deepest folder that holds all of the files, with its slash.
func commonFolder(all []Rewrite) string {
	folder := all[0].Path
	for _, w := range all {
		for !strings.HasPrefix(w.Path, folder) || !strings.HasSuffix(folder, "/") && folder != "" {
			folder = folder[:strings.LastIndexByte(strings.TrimSuffix(folder, "/"), '/')+1]
		}
	}
	return folder
}
