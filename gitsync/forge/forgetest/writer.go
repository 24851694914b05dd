package forgetest

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hedgehog-gitops/gitsync"
)

// WriterSetup is a writer to be tested and a repository that no other test uses.
type WriterSetup struct {
	Writer gitsync.Writer
	// Remote is what git pushes to and fetches from, with the credentials of
	// somebody who may do both.
	Remote string
	// Base is a branch with at least one commit.
	Base string
	// Protect makes the server refuse every change of the branch, through the
	// writer at least.
	Protect func(t testing.TB, branch string)
	// ReadOnly is the writer with credentials that may read and nothing else.
	ReadOnly gitsync.Writer
	// Verified is whether the server shows the writer's commits as signed.
	Verified bool
	// Secrets may stand in no error.
	Secrets []string
}

// RunWriter tests a writer; setup is called for each test.
func RunWriter(t *testing.T, setup func(*testing.T) WriterSetup) {
	for name, test := range map[string]func(*testing.T, desk){
		"a branch is created":                         writesFirst,
		"a branch goes on":                            writesNext,
		"a branch starts anew on another parent":      writesAnew,
		"two parents":                                 writesMerge,
		"files are added, changed and removed":        writesFiles,
		"a file keeps its mode":                       keepsModes,
		"content survives byte for byte":              keepsContent,
		"a message survives byte for byte":            keepsMessage,
		"nothing is committed where nothing changes":  leavesUnchanged,
		"many files":                                  writesMany,
		"a branch that has moved is left":             leavesMoved,
		"a branch that is there is not created":       leavesExisting,
		"a branch that is gone is not made again":     leavesGone,
		"a protected branch is left":                  leavesProtected,
		"who may only read is told so":                writerDenied,
		"a parent that does not exist is not found":   writesOrphan,
		"a branch is deleted only where it stood":     deletes,
		"a branch that is below another is no branch": leavesNested,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := setup(t)
			d := desk{WriterSetup: s, repository: clone(t, s.Remote)}
			d.base = d.push(t, s.Base, d.head(t, s.Base), map[string]string{
				"README.md": "people's\n", "fabrics/a/base/one.yaml": "one\n", "fabrics/a/base/two.yaml": "two\n",
				"fabrics/a/base/deep/down/three.yaml": "three\n", "bin/run*": "#!/bin/sh\n", "bin/link@": "run",
			})
			test(t, d)
		})
	}
}

// desk is a setup with the repository at hand; base is where its base stands.
type desk struct {
	WriterSetup
	repository
	base gitsync.Hash
}

// write writes and looks at what the server has then.
func (d desk) write(t *testing.T, w gitsync.Write) gitsync.Hash {
	t.Helper()
	written, err := d.Writer.Write(t.Context(), w)
	if err != nil {
		t.Fatalf("writing to %s: %v", w.Branch, err)
	}
	if head := d.head(t, w.Branch); written.Commit == "" || written.Commit != head {
		t.Errorf("it wrote %q, and %s stands at %q", written.Commit, w.Branch, head)
	}
	if written.Verified != d.Verified {
		t.Errorf("the commit is verified: %v, want %v", written.Verified, d.Verified)
	}
	var want []string
	for _, p := range w.Parents {
		want = append(want, string(p))
	}
	if diff := cmp.Diff(want, strings.Fields(d.git(t, nil, "log", "-1", "--format=%P", string(written.Commit)))); diff != "" {
		t.Errorf("parents (-want +got):\n%s", diff)
	}
	d.git(t, nil, "fsck", "--strict", "--no-dangling")
	return written.Commit
}

// refused fails unless the write ends in an error of the kind and nothing moved.
func (d desk) refused(t *testing.T, writer gitsync.Writer, w gitsync.Write, kind error) {
	t.Helper()
	before := d.head(t, w.Branch)
	written, err := writer.Write(t.Context(), w)
	if !errors.Is(err, kind) {
		t.Errorf("writing to %s: %+v, error %v, want one that is %q", w.Branch, written, err, kind)
	}
	d.noSecret(t, err)
	if head := d.head(t, w.Branch); head != before {
		t.Errorf("%s went from %q to %q", w.Branch, before, head)
	}
}

func (d desk) noSecret(t *testing.T, err error) {
	t.Helper()
	for _, secret := range d.Secrets {
		if err != nil && strings.Contains(fmt.Sprintf("%v %+v", err, err), secret) {
			t.Errorf("an error shows a secret: %v", err)
		}
	}
}

// on is a write of a small change to the usual branch.
func on(old gitsync.Hash, parents ...gitsync.Hash) gitsync.Write {
	return gitsync.Write{
		Branch: branch, Old: old, Parents: parents, Message: "feat: a change\n\nTrailer: one\n",
		Changes: map[string][]byte{"fabrics/a/base/one.yaml": []byte("changed\n")},
	}
}

// changed are the files of the commit but for some: "" stands for none.
func (d desk) changed(t *testing.T, commit gitsync.Hash, changes map[string]string) map[string]string {
	t.Helper()
	files := d.files(t, commit)
	for path, file := range changes {
		if file == "" {
			delete(files, path)
		} else {
			files[path] = file
		}
	}
	return files
}

func writesFirst(t *testing.T, d desk) {
	got := d.write(t, on("", d.base))
	want := d.changed(t, d.base, map[string]string{"fabrics/a/base/one.yaml": "100644 changed\n"})
	if diff := cmp.Diff(want, d.files(t, got)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if head := d.head(t, d.Base); head != d.base {
		t.Errorf("%s went to %s", d.Base, head)
	}
}

func writesNext(t *testing.T, d desk) {
	first := d.write(t, on("", d.base))
	next := on(first, first)
	next.Changes = map[string][]byte{"fabrics/a/base/new.yaml": []byte("new\n")}
	want := d.changed(t, first, map[string]string{"fabrics/a/base/new.yaml": "100644 new\n"})
	if diff := cmp.Diff(want, d.files(t, d.write(t, next))); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

func writesAnew(t *testing.T, d desk) {
	first := d.write(t, on("", d.base))
	moved := d.push(t, d.Base, d.base, map[string]string{"README.md": "newer\n"})
	want := d.changed(t, moved, map[string]string{"fabrics/a/base/one.yaml": "100644 changed\n"})
	if diff := cmp.Diff(want, d.files(t, d.write(t, on(first, moved)))); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

func writesMerge(t *testing.T, d desk) {
	human := d.push(t, branch, d.base, map[string]string{"overlay.yaml": "people's\n"})
	moved := d.push(t, d.Base, d.base, map[string]string{"README.md": "newer\n"})
	want := d.changed(t, human, map[string]string{"fabrics/a/base/one.yaml": "100644 changed\n"})
	if diff := cmp.Diff(want, d.files(t, d.write(t, on(human, human, moved)))); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

func writesFiles(t *testing.T, d desk) {
	w := on("", d.base)
	w.Changes = map[string][]byte{
		"fabrics/a/base/one.yaml":              []byte("changed\n"),
		"fabrics/a/base/two.yaml":              nil,
		"fabrics/a/base/deep/down/three.yaml":  nil, // the last of its folder
		"fabrics/a/base/new/folder/x.yaml":     []byte("x\n"),
		"fabrics/a/base/empty":                 {},
		"fabrics/a/base/never.yaml":            nil, // is not there
		"fabrics/b/base/größe 漢字 🦔 \"x\".yaml": []byte("ü\n"),
	}
	want := d.changed(t, d.base, map[string]string{
		"fabrics/a/base/one.yaml":              "100644 changed\n",
		"fabrics/a/base/two.yaml":              "",
		"fabrics/a/base/deep/down/three.yaml":  "",
		"fabrics/a/base/new/folder/x.yaml":     "100644 x\n",
		"fabrics/a/base/empty":                 "100644 ",
		"fabrics/b/base/größe 漢字 🦔 \"x\".yaml": "100644 ü\n",
	})
	if diff := cmp.Diff(want, d.files(t, d.write(t, w))); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

func keepsModes(t *testing.T, d desk) {
	w := on("", d.base)
	w.Changes = map[string][]byte{"bin/run": []byte("#!/bin/bash\n"), "fabrics/a/base/one.yaml": []byte("1\n")}
	want := d.changed(t, d.base, map[string]string{"bin/run": "100755 #!/bin/bash\n", "fabrics/a/base/one.yaml": "100644 1\n"})
	if diff := cmp.Diff(want, d.files(t, d.write(t, w))); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

func keepsContent(t *testing.T, d desk) {
	w := on("", d.base)
	w.Changes = map[string][]byte{}
	changes := map[string]string{}
	for name, content := range map[string]string{
		"text":      text,
		"crlf":      "a\r\nb\r\n",
		"no end":    "a",
		"newlines":  "\n\n\n",
		"bytes":     "\x00\x01\xfe\xff\n",
		"latin":     "gr\xf6\xdfe\n",
		"mark":      "\ufeffa\n",
		"separator": "\u2028\u2029\n",
	} {
		w.Changes["fabrics/a/base/"+name], changes["fabrics/a/base/"+name] = []byte(content), "100644 "+content
	}
	if diff := cmp.Diff(d.changed(t, d.base, changes), d.files(t, d.write(t, w))); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

func keepsMessage(t *testing.T, d desk) {
	w := on("", d.base)
	w.Message = "feat(größe): \"漢字\" 🦔 @org/team fixes #1\n\n# no comment\n  two spaces, a tab\t.\n\n<b> & &amp; %s `x` $(id)\n\n" +
		"Hedgehog-Digest: 0a1b\nHedgehog-Step: 1/2\n"
	got := d.git(t, nil, "cat-file", "commit", string(d.write(t, w)))
	_, message, _ := strings.Cut(got, "\n\n")
	if diff := cmp.Diff(strings.TrimSuffix(w.Message, "\n"), strings.TrimSuffix(message, "\n")); diff != "" {
		t.Errorf("message (-want +got):\n%s", diff)
	}
}

func writesMany(t *testing.T, d desk) {
	w, want := on("", d.base), map[string]string{}
	w.Changes = map[string][]byte{}
	for i := range 500 {
		path := fmt.Sprintf("fabrics/a/base/stage/%02x/object-%d.yaml", i%7, i)
		w.Changes[path], want[path] = fmt.Appendf(nil, "object: %d\n", i), fmt.Sprintf("100644 object: %d\n", i)
	}
	if diff := cmp.Diff(d.changed(t, d.base, want), d.files(t, d.write(t, w))); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

func leavesUnchanged(t *testing.T, d desk) {
	first := d.write(t, on("", d.base))
	d.refused(t, d.Writer, on(first, first), gitsync.ErrUnchanged)
	same := on(first, first)
	same.Changes = map[string][]byte{"fabrics/a/base/never.yaml": nil, "fabrics/a/base/two.yaml": []byte("two\n")}
	d.refused(t, d.Writer, same, gitsync.ErrUnchanged)
	d.push(t, branch, first, map[string]string{"overlay.yaml": "people's\n"})
	d.refused(t, d.Writer, same, gitsync.ErrMoved)
}

func leavesMoved(t *testing.T, d desk) {
	first := d.write(t, on("", d.base))
	d.push(t, branch, first, map[string]string{"overlay.yaml": "people's\n"})
	d.refused(t, d.Writer, on(first, first), gitsync.ErrMoved)
	d.push(t, branch, d.base, map[string]string{"overlay.yaml": "people's, forced\n"})
	d.refused(t, d.Writer, on(first, d.base), gitsync.ErrMoved)
}

func leavesExisting(t *testing.T, d desk) {
	d.push(t, branch, d.base, map[string]string{"overlay.yaml": "people's\n"})
	d.refused(t, d.Writer, on("", d.base), gitsync.ErrMoved)
}

func leavesGone(t *testing.T, d desk) {
	first := d.write(t, on("", d.base))
	d.remove(t, branch)
	d.refused(t, d.Writer, on(first, first), gitsync.ErrMoved)
}

func leavesProtected(t *testing.T, d desk) {
	first := d.write(t, on("", d.base))
	d.Protect(t, branch)
	next := on(first, first)
	next.Changes = map[string][]byte{"fabrics/a/base/two.yaml": []byte("changed too\n")}
	d.refused(t, d.Writer, next, gitsync.ErrProtected)
	if err := d.Writer.Delete(t.Context(), branch, first); !errors.Is(err, gitsync.ErrProtected) || d.head(t, branch) != first {
		t.Errorf("deleting it: %v, want one that is %q; it stands at %q", err, gitsync.ErrProtected, d.head(t, branch))
	}
}

func writerDenied(t *testing.T, d desk) {
	d.refused(t, d.ReadOnly, on("", d.base), gitsync.ErrDenied)
	head := d.push(t, branch, d.base, map[string]string{"a": "a"})
	d.refused(t, d.ReadOnly, on(head, head), gitsync.ErrDenied)
	err := d.ReadOnly.Delete(t.Context(), branch, head)
	if !errors.Is(err, gitsync.ErrDenied) || d.head(t, branch) != head {
		t.Errorf("deleting it: %v, want one that is %q; it stands at %q", err, gitsync.ErrDenied, d.head(t, branch))
	}
	d.noSecret(t, err)
}

func writesOrphan(t *testing.T, d desk) {
	d.refused(t, d.Writer, on("", gitsync.Hash(strings.Repeat("12", 20))), gitsync.ErrNotFound)
}

func deletes(t *testing.T, d desk) {
	first := d.write(t, on("", d.base))
	other := d.push(t, branch+"-upgrade", d.base, map[string]string{"a": "a"})
	second := d.push(t, branch, first, map[string]string{"overlay.yaml": "people's\n"})
	if err := d.Writer.Delete(t.Context(), branch, first); !errors.Is(err, gitsync.ErrMoved) || d.head(t, branch) != second {
		t.Errorf("deleting a branch that moved: %v, want one that is %q; it stands at %q", err, gitsync.ErrMoved, d.head(t, branch))
	}
	for range 2 { // the second time it is gone
		if err := d.Writer.Delete(t.Context(), branch, second); err != nil {
			t.Errorf("deleting it: %v", err)
		}
		if head := d.head(t, branch); head != "" {
			t.Errorf("it still stands at %s", head)
		}
	}
	if head := d.head(t, branch+"-upgrade"); head != other {
		t.Errorf("another branch went to %q", head)
	}
}

func leavesNested(t *testing.T, d desk) {
	d.push(t, "hedgehog-gitops", d.base, map[string]string{"a": "a"}) // so hedgehog-gitops/fabric-a cannot be
	written, err := d.Writer.Write(t.Context(), on("", d.base))
	if err == nil {
		t.Errorf("it wrote %+v", written)
	}
	if head := d.head(t, branch); head != "" {
		t.Errorf("it stands at %s", head)
	}
}
