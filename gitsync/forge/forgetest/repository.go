package forgetest

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"hedgehog-gitops/gitsync"
)

// repository is a mirror of the forge's, made and used with the real git.
type repository struct {
	dir, remote string
}

func clone(t *testing.T, remote string) repository {
	t.Helper()
	r := repository{t.TempDir(), remote}
	r.git(t, nil, "init", "--quiet", "--bare")
	r.fetch(t)
	return r
}

// git runs git in the mirror and returns what it prints, without the last newline.
func (r repository) git(t *testing.T, in []byte, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", args...)
	cmd.Dir, cmd.Stdin = r.dir, bytes.NewReader(in)
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=/nonexistent", "LC_ALL=C",
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=" + os.DevNull, "GIT_TERMINAL_PROMPT=0",
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, stderr.Bytes())
	}
	return strings.TrimSuffix(string(out), "\n")
}

// fetch makes the mirror's branches those of the forge.
func (r repository) fetch(t *testing.T) {
	t.Helper()
	r.git(t, nil, "fetch", "--quiet", "--prune", "--no-tags", r.remote, "+refs/heads/*:refs/heads/*")
}

// head returns where the forge's branch stands, "" when there is none.
func (r repository) head(t *testing.T, branch string) gitsync.Hash {
	t.Helper()
	r.fetch(t)
	return gitsync.Hash(r.git(t, nil, "for-each-ref", "--format=%(objectname)", "refs/heads/"+branch))
}

// push makes a commit with the files of the parent and these, puts it at the
// branch, whatever stood there, and returns it. A path that ends in "*" is that of
// an executable (without the star), one that ends in "@" a link to its content.
func (r repository) push(t *testing.T, branch string, parent gitsync.Hash, files map[string]string) gitsync.Hash {
	t.Helper()
	message := "a commit for " + branch
	var in bytes.Buffer
	fmt.Fprintf(&in, "commit refs/pushed/%s\ncommitter Ann <ann@example.com> 1700000000 +0000\ndata %d\n%s\nfrom %s\n",
		branch, len(message), message, parent)
	for _, path := range slices.Sorted(maps.Keys(files)) {
		mode, name := "100644", path
		if n, ok := strings.CutSuffix(path, "*"); ok {
			mode, name = "100755", n
		} else if n, ok := strings.CutSuffix(path, "@"); ok {
			mode, name = "120000", n
		}
		fmt.Fprintf(&in, "M %s inline %s\ndata %d\n%s\n", mode, name, len(files[path]), files[path])
	}
	r.git(t, in.Bytes(), "fast-import", "--quiet", "--force")
	commit := r.git(t, nil, "rev-parse", "refs/pushed/"+branch)
	r.git(t, nil, "push", "--quiet", "--force", r.remote, "refs/pushed/"+branch+":refs/heads/"+branch)
	return gitsync.Hash(commit)
}

// remove deletes the forge's branch.
func (r repository) remove(t *testing.T, branch string) {
	t.Helper()
	r.git(t, nil, "push", "--quiet", "--delete", r.remote, "refs/heads/"+branch)
}

// files returns the commit's files as "mode content" by their path.
func (r repository) files(t *testing.T, commit gitsync.Hash) map[string]string {
	t.Helper()
	r.fetch(t)
	files := map[string]string{}
	for line := range strings.SplitSeq(strings.TrimSuffix(r.git(t, nil, "ls-tree", "-r", "-z", string(commit)), "\x00"), "\x00") {
		entry, path, found := strings.Cut(line, "\t")
		fields := strings.Fields(entry)
		if !found || len(fields) != 3 {
			continue
		}
		content := ""
		if fields[1] == "blob" {
			content = r.blob(t, fields[2])
		}
		files[path] = cmp.Or(fields[0], "?") + " " + content
	}
	return files
}

// blob returns a content with all its newlines.
func (r repository) blob(t *testing.T, id string) string {
	t.Helper()
	out := r.git(t, []byte(id+"\n"), "cat-file", "--batch")
	_, content, _ := strings.Cut(out, "\n")
	return content // git ends it with a newline of its own, which is cut already
}
