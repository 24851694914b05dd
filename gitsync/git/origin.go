package git

import (
	"errors"
	"fmt"

	gogit "github.com/go-git/go-git/v5"
)

// Origin returns the address of the remote origin of the working copy that the folder
// lies in.
func Origin(folder string) (string, error) {
	repo, err := gogit.PlainOpenWithOptions(folder, &gogit.PlainOpenOptions{DetectDotGit: true, EnableDotGitCommonDir: true})
	if errors.Is(err, gogit.ErrRepositoryNotExists) {
		return "", errors.New("there is no working copy here")
	} else if err != nil {
		return "", fmt.Errorf("reading the working copy: %w", err)
	}
	remote, err := repo.Remote("origin")
	if err != nil || len(remote.Config().URLs) == 0 {
		return "", errors.New("the working copy here has no remote called origin")
	}
	return remote.Config().URLs[0], nil
}
