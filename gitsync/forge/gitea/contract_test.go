package gitea_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	server "hedgehog-gitops/fixtures/gitea"
	"hedgehog-gitops/gitsync/forge/forgetest"
	"hedgehog-gitops/gitsync/forge/gitea"
)

// connect makes a forge for the repository, with short waits.
func connect(t *testing.T, o gitea.Options) *gitea.Forge {
	t.Helper()
	o.FirstWait = 10 * time.Millisecond
	f, err := gitea.Connect(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func options(s *server.Server, r *server.Repository, token string) gitea.Options {
	return gitea.Options{URL: s.URL, Repository: r.String(), Token: token}
}

// approve has the user approve the pull request.
func approve(t testing.TB, r *server.Repository, number int, as server.User) {
	t.Helper()
	in := map[string]any{"event": "APPROVED", "body": "fine"}
	if status := r.Do(t, as, http.MethodPost, fmt.Sprintf("/pulls/%d/reviews", number), in, nil); status != http.StatusOK {
		t.Fatalf("approving #%d as %s: status %d", number, as.Name, status)
	}
}

// protect makes the branch's pull requests want an approval.
func protect(t testing.TB, s *server.Server, r *server.Repository, branch string) {
	t.Helper()
	in := map[string]any{"rule_name": branch, "required_approvals": 1, "enable_push": false}
	if status := r.Do(t, s.Admin, http.MethodPost, "/branch_protections", in, nil); status != http.StatusCreated {
		t.Fatalf("protecting %s: status %d", branch, status)
	}
}

func TestContract(t *testing.T) {
	t.Parallel()
	s := server.Start(t)
	forgetest.Run(t, func(t *testing.T) forgetest.Setup {
		r := s.Repository(t)
		second, stranger := s.User(t), s.User(t)
		r.Team(t, "second", "write", second)
		protect(t, s, r, "main")
		people := map[string]server.User{s.Human.Name: s.Human, second.Name: second}
		reader := s.Token(t, s.Bot, "read:repository", "read:issue", "read:user")
		missing := options(s, r, s.Bot.Token)
		missing.Repository = r.Owner + "/missing"
		return forgetest.Setup{
			Forge:    connect(t, options(s, r, s.Bot.Token)),
			Remote:   r.CloneURL(s.Bot),
			Base:     "main",
			Users:    [2]string{s.Human.Name, second.Name},
			Stranger: stranger.Name,
			Review:   func(t testing.TB, number int, user string) { approve(t, r, number, people[user]) },
			Merge: func(t testing.TB, number int, method string) {
				approve(t, r, number, second)
				r.Merge(t, number, method)
			},
			Drafts:    true,
			AutoMerge: true,
			ReadOnly:  connect(t, options(s, r, reader)),
			Missing:   connect(t, missing),
			Secrets:   []string{s.Bot.Token, reader},
		}
	})
}
