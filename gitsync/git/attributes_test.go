package git

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"hedgehog-gitops/render/tree"
)

func attributes(t rapid.TB, files map[string]string) tree.Tree {
	t.Helper()
	var all tree.Tree
	for name, text := range files {
		if err := all.Set(name, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func TestRewrites(t *testing.T) {
	t.Parallel()
	const file = "fabrics/a/base/vpc/web.yaml"
	for name, test := range map[string]struct {
		files map[string]string
		want  []string
	}{
		"nothing":      {nil, nil},
		"what we ship": {map[string]string{".gitattributes": "fabrics/** text eol=lf linguist-generated\n"}, nil},
		"LFS":          {map[string]string{".gitattributes": "# a comment\n\n*.yaml filter=lfs diff=lfs merge=lfs -text\n"}, []string{".gitattributes:3: filter=lfs rewrites " + file}},
		"ends of lines, in the folder": {map[string]string{"fabrics/.gitattributes": "a/** text eol=crlf\n"},
			[]string{"fabrics/.gitattributes:1: eol=crlf rewrites " + file}},
		"ends of lines of a binary": {map[string]string{".gitattributes": "*.yaml -text eol=crlf\n"}, nil},
		"an encoding":               {map[string]string{".gitattributes": "*.yaml working-tree-encoding=UTF-16\n"}, []string{".gitattributes:1: working-tree-encoding=UTF-16 rewrites " + file}},
		"words replaced":            {map[string]string{".gitattributes": "* ident export-subst\r\n"}, []string{".gitattributes:1: export-subst rewrites " + file, ".gitattributes:1: ident rewrites " + file}},
		"taken back below":          {map[string]string{".gitattributes": "* filter=lfs\n", "fabrics/.gitattributes": "* -filter\n"}, nil},
		"taken back behind":         {map[string]string{".gitattributes": "* filter=lfs\nfabrics/** !filter\n"}, nil},
		"taken back before":         {map[string]string{".gitattributes": "fabrics/** -filter\n* filter=lfs\n"}, []string{".gitattributes:2: filter=lfs rewrites " + file}},
		"a macro":                   {map[string]string{".gitattributes": "[attr]big filter=lfs -text\n*.yaml big\n"}, []string{".gitattributes:2: filter=lfs rewrites " + file}},
		"a macro taken back":        {map[string]string{".gitattributes": "[attr]big filter=lfs -text\n*.yaml big\nweb.* -big\n"}, nil},
		"other files":               {map[string]string{".gitattributes": "*.png filter=lfs\n/web.yaml filter=lfs\nbase/*.yaml filter=lfs\nfabrics/ filter=lfs\n"}, nil},
		"another folder's":          {map[string]string{"fabrics/b/.gitattributes": "* filter=lfs\n"}, nil},
		"in quotes":                 {map[string]string{".gitattributes": `"web.\171aml" filter=git-crypt` + "\n"}, []string{".gitattributes:1: filter=git-crypt rewrites " + file}},
	} {
		var got []string
		for _, w := range Rewrites(attributes(t, test.files), []string{file}) {
			got = append(got, w.String())
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// What git says of attributes is what we say.
func TestAttributesAsGitReadsThem(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	gitIn(t, dir, nil, "init", "--quiet")
	paths := []string{"x.yaml", "a/x.yaml", "a/b/x.yaml", "a/b/c/x.yaml", "a/b/c/y z.yml", "a/[x].yaml", "a/b/x-1.yaml"}
	pattern := rapid.SampledFrom([]string{
		"*", "*.yaml", "x.yaml", "/x.yaml", "a/*", "a/**", "**/x.yaml", "**/b/**", "a/**/x.yaml", "**", "b/", "a/b", "[xy].yaml", "[!x]*", "?.yaml",
		"x[-_]1.yaml", "[[:alpha:]].yaml", `"y z.yml"`, `\[x\].yaml`, `a\/x.yaml`, "!x.yaml", "x*", "a/b/c/x.yaml", "b/*.yaml", "c/**", "*/x.yaml", "a**", "[", "[]x].yaml", "x.[^a-w]aml",
	})
	attribute := rapid.SampledFrom([]string{"filter=lfs", "-filter", "!filter", "filter", "eol=crlf", "eol=lf", "-text", "text", "!text", "text=auto", "ident", "-ident", "binary", "-binary", "big", "-big", "!big", "working-tree-encoding=UTF-16"})
	line := rapid.Custom(func(t *rapid.T) string {
		if rapid.IntRange(0, 9).Draw(t, "kind") == 0 {
			return "[attr]big " + strings.Join(rapid.SliceOfN(attribute, 1, 3).Draw(t, "macro"), " ")
		}
		return pattern.Draw(t, "pattern") + " " + strings.Join(rapid.SliceOfN(attribute, 0, 3).Draw(t, "attributes"), " ")
	})
	rapid.Check(t, func(t *rapid.T) {
		files := map[string]string{}
		for _, folder := range []string{"", "a/", "a/b/"} {
			files[folder+attributesFile] = strings.Join(rapid.SliceOfN(line, 0, 4).Draw(t, "lines"), "\n") + "\n"
		}
		for name, text := range files {
			full := filepath.Join(dir, filepath.FromSlash(name))
			if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(full, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		names := []string{"filter", "eol", "ident", "working-tree-encoding", "text"}
		values := map[string]string{}
		out := strings.Split(gitIn2(t, dir, slices.Concat([]string{"check-attr", "-z"}, names, []string{"--"}, paths)...), "\x00")
		for i := 0; i+2 < len(out); i += 3 {
			value := out[i+2]
			switch value {
			case "set":
				value = yes
			case "unset":
				value = no
			case "unspecified":
				value = nought
			}
			values[out[i]+" "+out[i+1]] = value
		}
		var want []string
		for _, p := range paths {
			for _, name := range slices.Sorted(slices.Values(names)) {
				value := values[p+" "+name]
				if rewrites(name, value) && (name != "eol" || values[p+" text"] != no) {
					want = append(want, strings.TrimSuffix(name+"="+value, "="+yes)+" "+p)
				}
			}
		}
		var got []string
		for _, w := range Rewrites(attributes(t, files), paths) {
			got = append(got, w.Attribute+" "+w.Path)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%q\n(-want +got):\n%s", files, diff)
		}
	})
}
