package gitsync_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"

	"hedgehog-gitops/gitsync"
	"hedgehog-gitops/gitsync/git"
	"hedgehog-gitops/render/tree"
)

// A new file comes to a branch of its own; there is no forge to open a pull request.
func ExamplePropose() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	script := `git init -q --bare -b main && git update-ref refs/heads/main $(
		git -c user.name=Ann -c user.email=ann@example.com commit-tree -m first $(git mktree </dev/null))`
	cmd := exec.Command("sh", "-c", script)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		panic(fmt.Sprintf("%v: %s", err, out))
	}

	ctx := context.Background()
	repo, err := git.Open(git.Options{URL: dir, Name: "Robot", Email: "robot@example.com"})
	if err != nil {
		panic(err)
	}
	defer repo.Close()
	base, from, err := gitsync.FindBase(ctx, repo, "")
	if err != nil {
		panic(err)
	}
	proposal := gitsync.Proposal{
		Stream: "lab", Base: base, From: from, Branch: gitsync.BranchName("hedgehog-gitops", "lab"),
		Folders: []string{"fabrics/lab/base"}, Digest: "1",
		Changes: []tree.Change{{Path: "fabrics/lab/base/web.yaml", Op: tree.Added, New: []byte("kind: VPC\n")}},
		Title:   "feat(lab): add VPC web", Message: "feat(lab): add VPC web",
	}
	for range 2 {
		result, err := gitsync.Propose(ctx, gitsync.Target{Repo: repo, Writer: repo}, proposal)
		if err != nil {
			panic(err)
		}
		fmt.Println(result.Operation, result.Calls)
	}
	// Output:
	// opened [create the branch hedgehog-gitops/lab: a commit of 1 files]
	// none []
}
