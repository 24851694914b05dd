package gitea_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	server "hedgehog-gitops/fixtures/gitea"
	"hedgehog-gitops/gitsync"
	"hedgehog-gitops/gitsync/edge"
	"hedgehog-gitops/gitsync/forge/forgetest"
	"hedgehog-gitops/gitsync/git"
	"hedgehog-gitops/render/tree"
)

// remote is the repository as git sees it, with the token.
func remote(t *testing.T, r *server.Repository, token string) *git.Repo {
	t.Helper()
	repo, err := git.Open(git.Options{
		URL: r.URL(), Name: "Bot", Email: "bot@example.org", FirstWait: 10 * time.Millisecond,
		Token: func(context.Context) (string, error) { return token, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := repo.Close(); err != nil {
			t.Error(err)
		}
	})
	return repo
}

// forbid makes the server refuse every push to the branch.
func forbid(t testing.TB, s *server.Server, r *server.Repository, branch string) {
	t.Helper()
	in := map[string]any{"rule_name": branch, "enable_push": false}
	if status := r.Do(t, s.Admin, http.MethodPost, "/branch_protections", in, nil); status != http.StatusCreated {
		t.Fatalf("protecting %s: status %d", branch, status)
	}
}

func TestGitKeepsTheContractOfAWriter(t *testing.T) {
	t.Parallel()
	s := server.Start(t)
	forgetest.RunWriter(t, func(t *testing.T) forgetest.WriterSetup {
		r := s.Repository(t)
		reader := s.Token(t, s.Bot, "read:repository")
		return forgetest.WriterSetup{
			Writer:   remote(t, r, s.Bot.Token),
			Remote:   r.CloneURL(s.Bot),
			Base:     "main",
			Protect:  func(t testing.TB, branch string) { forbid(t, s, r, branch) },
			ReadOnly: remote(t, r, reader),
			Secrets:  []string{s.Bot.Token, reader},
		}
	})
}

// The text is what people read: it says which rule it was and what to do.
func TestAProtectedBranchIsExplained(t *testing.T) {
	t.Parallel()
	s := server.Start(t)
	r := s.Repository(t)
	forbid(t, s, r, "proposals/*")
	repo := remote(t, r, s.Bot.Token)
	base, err := repo.Head(t.Context(), "main")
	if err != nil {
		t.Fatal(err)
	}
	_, err = repo.Write(t.Context(), gitsync.Write{
		Branch: "proposals/a", Parents: []gitsync.Hash{base}, Changes: map[string][]byte{"a.yaml": []byte("a\n")}, Message: "a",
	})
	var e *edge.Error
	if !errors.As(err, &e) || !errors.Is(err, gitsync.ErrProtected) ||
		!strings.Contains(err.Error(), "proposals/a") || !strings.Contains(err.Error(), "protected") || e.Hint == "" {
		t.Fatalf("got %v, with the hint %q", err, e.Hint)
	}
	t.Logf("error: %v", err)
	t.Logf("hint: %s", e.Hint)
}

// run proposes content, once, and returns what came of it and what it asked the forge.
type run struct {
	desk
	repo *git.Repo
}

const path = "fabrics/fabric-a/base/vlan.yaml"

func (r run) propose(t *testing.T, content string, order int64) (result gitsync.Result, reads, writes int) {
	t.Helper()
	ctx := t.Context()
	base, err := r.repo.Head(ctx, "main")
	if err != nil {
		t.Fatal(err)
	}
	var have, want tree.Tree
	files, err := r.repo.Files(ctx, base, "fabrics")
	if err != nil {
		t.Fatal(err)
	}
	if _, there := files[path]; there {
		if have, err = r.repo.Read(ctx, base, []string{path}); err != nil {
			t.Fatal(err)
		}
	}
	if err := want.Set(path, []byte(content)); err != nil {
		t.Fatal(err)
	}
	p := gitsync.Proposal{
		Stream: "fabric-a", From: base, Changes: tree.Diff(have, want), Branch: "hedgehog-gitops/fabric-a", Folders: []string{"fabrics/fabric-a/base"},
		Digest: "digest of " + strings.TrimSpace(content), Order: order, Title: "feat(fabric-a): " + strings.TrimSpace(content), Body: "It is " + content + ".",
		Message: "feat(fabric-a): " + content, Committer: "bot@example.org",
		Labels: []string{"netbox"}, Assignees: []string{"human"}, Reviewers: []string{r.desk.repo.Owner + "/network"},
	}
	*r.calls = nil
	result, err = gitsync.Propose(ctx, gitsync.Target{Repo: r.repo, Writer: r.repo, Forge: r.Forge}, p)
	if err != nil {
		t.Fatalf("proposing %q: %v", content, err)
	}
	for _, w := range result.Warnings {
		t.Errorf("proposing %q: warning: %s", content, w)
	}
	for _, call := range *r.calls {
		if strings.HasPrefix(call, "GET ") {
			reads++
		} else {
			writes++
		}
	}
	return result, reads, writes
}

// expect proposes and fails unless the operation is the wanted one, with few calls.
func (r run) expect(t *testing.T, content string, order int64, want gitsync.Operation) gitsync.Result {
	t.Helper()
	result, reads, writes := r.propose(t, content, order)
	t.Logf("%q: %s, %d reads and %d writes over the API", content, result.Operation, reads, writes)
	if result.Operation != want {
		t.Fatalf("proposing %q: %s (%s), want %s", content, result.Operation, result.Reason, want)
	}
	if reads+writes > 9 { // and one to connect
		t.Errorf("proposing %q: %d calls, want at most 9: %q", content, reads+writes, *r.calls)
	}
	return result
}

// quiet is expect for a run that has nothing to write.
func (r run) quiet(t *testing.T, content string, order int64, want gitsync.Operation) gitsync.Result {
	t.Helper()
	result := r.expect(t, content, order, want)
	for _, call := range *r.calls {
		if !strings.HasPrefix(call, "GET ") {
			t.Errorf("proposing %q: %s", content, call)
		}
	}
	if n := len(*r.calls); n > 3 { // and one to connect
		t.Errorf("proposing %q: %d reads, want at most 3: %q", content, n, *r.calls)
	}
	return result
}

func TestAProposalsLife(t *testing.T) {
	t.Parallel()
	for style, deleted := range map[string]bool{"merge": true, "squash": false, "rebase": true} {
		t.Run(fmt.Sprintf("%s, the branch deleted: %v", style, deleted), func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			r := run{d, remote(t, d.repo, d.server.Bot.Token)}
			first := r.expect(t, "vlan: 1010\n", 1, gitsync.Opened)
			if again := r.quiet(t, "vlan: 1010\n", 1, gitsync.None); again.Head != first.Head || again.Number != first.Number {
				t.Errorf("the second run came to %+v", again)
			}
			second := r.expect(t, "vlan: 1011\n", 2, gitsync.Updated)
			if second.Number != first.Number || second.Head == first.Head {
				t.Errorf("the change came to %+v", second)
			}
			r.quiet(t, "vlan: 1011\n", 2, gitsync.None)
			r.quiet(t, "vlan: 1010\n", 1, gitsync.Left) // an older run that ends last

			d.repo.Merge(t, second.Number, style)
			if deleted {
				path := "/branches/" + url.PathEscape("hedgehog-gitops/fabric-a")
				if status := d.repo.Do(t, d.server.Human, http.MethodDelete, path, nil, nil); status != http.StatusNoContent {
					t.Fatalf("deleting the branch: status %d", status)
				}
			}
			r.quiet(t, "vlan: 1011\n", 2, gitsync.None)
			third := r.expect(t, "vlan: 1012\n", 3, gitsync.Opened)
			if third.Number == second.Number {
				t.Errorf("after the merge it is still #%d", third.Number)
			}

			in := map[string]any{"state": "closed"}
			d.repo.Do(t, d.server.Human, http.MethodPatch, fmt.Sprintf("/pulls/%d", third.Number), in, nil)
			r.quiet(t, "vlan: 1012\n", 3, gitsync.Left)
		})
	}
}

// A commit of a person on the branch stays, and the next run says so.
func TestAPersonsCommitStays(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	r := run{d, remote(t, d.repo, d.server.Bot.Token)}
	first := r.expect(t, "vlan: 1010\n", 1, gitsync.Opened)
	theirs := d.repo.Commit(t, d.server.Human, "hedgehog-gitops/fabric-a", "overlays/people.yaml", "theirs\n")
	result := r.expect(t, "vlan: 1011\n", 2, gitsync.Left)
	if got := d.repo.Head(t, "hedgehog-gitops/fabric-a"); got != theirs || result.Number != first.Number {
		t.Errorf("the branch stands at %s, want the person's commit %s; %+v", got, theirs, result)
	}
	comments, err := d.Comments(t.Context(), first.Number)
	if err != nil || len(comments) != 1 {
		t.Fatalf("comments: %+v, %v; want one", comments, err)
	}
	r.expect(t, "vlan: 1011\n", 2, gitsync.Left)
	if comments, err = d.Comments(t.Context(), first.Number); err != nil || len(comments) != 1 {
		t.Errorf("after one more run: %+v, %v; want no second comment", comments, err)
	}
}
