package git_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"hedgehog-gitops/gitsync/git"
)

func TestOrigin(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	if _, err := git.Origin(folder); err == nil {
		t.Error("a folder outside of any working copy has an origin")
	}
	run := func(args ...string) {
		t.Helper()
		cmd := exec.Command("git", args...)
		cmd.Dir = folder
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	run("init", "-q")
	if _, err := git.Origin(folder); err == nil {
		t.Error("a working copy without a remote has an origin")
	}
	const want = "https://git.example.com/net/fabrics.git"
	run("remote", "add", "origin", want)
	inside := filepath.Join(folder, "fabrics", "lab")
	if err := os.MkdirAll(inside, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, at := range []string{folder, inside} {
		if got, err := git.Origin(at); err != nil || got != want {
			t.Errorf("%q, %v", got, err)
		}
	}
}
