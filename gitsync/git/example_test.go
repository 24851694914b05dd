package git_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/exec"
	"time"

	"hedgehog-gitops/gitsync"
	"hedgehog-gitops/gitsync/git"
)

func Example() {
	folder, err := os.MkdirTemp("", "fabrics")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder)
	if err := exec.Command("git", "init", "--quiet", "--bare", "--initial-branch=main", folder).Run(); err != nil {
		log.Fatal(err)
	}

	repo, err := git.Open(git.Options{
		URL: folder, Name: "Bot", Email: "bot@example.com",
		Now: func() time.Time { return time.Unix(1_800_000_000, 0).UTC() },
	})
	if err != nil {
		log.Fatal(err)
	}
	defer repo.Close()
	ctx := context.Background()
	written, err := repo.Write(ctx, gitsync.Write{
		Branch: "main", Message: "feat: a first VLAN\n",
		Changes: map[string][]byte{"fabrics/lab/base/vlan.yaml": []byte("vlan: 1010\n")},
	})
	if err != nil {
		log.Fatal(err)
	}
	files, err := repo.Files(ctx, written.Commit, "fabrics/lab/base")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(written.Commit, files["fabrics/lab/base/vlan.yaml"].Blob)
	_, err = repo.Write(ctx, gitsync.Write{
		Branch: "main", Message: "feat: another first VLAN\n", // and no Old: there must be no such branch
		Changes: map[string][]byte{"fabrics/lab/base/vlan.yaml": []byte("vlan: 1011\n")},
	})
	fmt.Println(err)
	// Output:
	// 2e9bf033119cc705f8c4f58ef57c07fab9c5a828 354d287a7de3df534db69949cc6cc77bc873bdc8
	// writing to main: the branch stands at 2e9bf033119c, not nowhere: somebody else was faster
}
