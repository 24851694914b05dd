package gitsync_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hedgehog-gitops/fixtures/githttp"
	hub "hedgehog-gitops/fixtures/github"
	"hedgehog-gitops/gitsync"
	"hedgehog-gitops/gitsync/forge/github"
	"hedgehog-gitops/gitsync/git"
	"hedgehog-gitops/render/tree"
)

// The stories of this file are played on a real repository behind Git over HTTP, the
// stand-in for GitHub, and the real edges; people push with the real git.

const (
	folder  = "fabrics/lab/base"
	overlay = "fabrics/lab/overlays/patch.yaml"
	branch  = "hedgehog-gitops/lab"
	email   = "robot@example.com"
)

// place is a repository on a server, and somebody who wants something in it.
type place struct {
	hub      *hub.Server
	token    string
	api      bool // commits go over the API
	proposal gitsync.Proposal
	wanted   map[string]string
	ann      hub.Person
	rare     int // more requests than usual are all right
}

// newPlace returns a place whose base branch has two generated files and what people
// keep beside them. With api, commits are made by the API, as a workflow's.
func newPlace(t *testing.T, api bool, options hub.Options) *place {
	t.Helper()
	p := &place{
		hub: hub.Start(t, options), api: api, wanted: map[string]string{"a.yaml": "a1\n", "b.yaml": "b1\n"},
		proposal: gitsync.Proposal{
			Stream: "lab", Branch: branch, Folders: []string{folder}, Order: 1, Committer: email,
			Title: "feat(lab): change", Message: "feat(lab): change",
		},
	}
	p.hub.Invite("ann", "admin")
	p.ann = p.hub.Person("ann")
	if p.token = p.hub.Token("robot", hub.Write()); api {
		p.token, p.proposal.Committer = p.hub.ActionsToken(hub.Write()), ""
	}
	p.hub.Repo.Commit(t, "main", map[string]string{
		overlay: "patches: []\n", folder + "/a.yaml": "a1\n", folder + "/b.yaml": "b1\n",
	})
	return p
}

// target connects as a new process does.
func (p *place) target(t testing.TB) gitsync.Target {
	t.Helper()
	forge, err := github.Connect(t.Context(), github.Options{
		Repository: p.hub.Owner + "/" + p.hub.Name, ServerURL: p.hub.WebURL, APIURL: p.hub.URL, GraphQLURL: p.hub.GraphQLURL,
		Token: p.token, FirstWait: 1, Pace: -1,
	})
	if err != nil {
		t.Fatal(err)
	}
	repo, err := git.Open(git.Options{URL: p.hub.CloneURL(p.token), Name: "Robot", Email: email, FirstWait: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { repo.Close() })
	target := gitsync.Target{Repo: repo, Writer: repo, Forge: forge, Pauses: []time.Duration{0, 0, 0}}
	if p.api {
		target.Writer = forge.Writer()
	}
	return target
}

func (p *place) want(files map[string]string) {
	p.wanted = files
	p.proposal.Order++
}

// made returns the proposal for the base branch as it is now.
func (p *place) made(t testing.TB) gitsync.Proposal {
	t.Helper()
	proposal := p.proposal
	proposal.From = gitsync.Hash(p.hub.Repo.Head(t, "main"))
	var have, want tree.Tree
	for path, text := range p.hub.Repo.Files(t, string(proposal.From)) {
		if tree.Inside(path, folder) {
			set(t, &have, path, text)
		}
	}
	for name, text := range p.wanted {
		set(t, &want, folder+"/"+name, text)
	}
	proposal.Changes = tree.Diff(have, want)
	for _, path := range want.Paths() {
		content, _ := want.Get(path)
		proposal.Digest += string(gitsync.BlobID(content))[:4] + path[len(folder)+1:]
	}
	proposal.Digest = "d" + proposal.Digest
	proposal.Body = fmt.Sprintf("files: %v\n", want.Paths())
	return proposal
}

func set(t testing.TB, to *tree.Tree, path, text string) {
	t.Helper()
	if err := to.Set(path, []byte(text)); err != nil {
		t.Fatal(err)
	}
}

// must runs and expects an operation; the requests of the run are counted.
func (p *place) must(t testing.TB, want gitsync.Operation) gitsync.Result {
	t.Helper()
	target := p.target(t)
	proposal := p.made(t)
	p.hub.Requests()
	got, err := gitsync.Propose(t.Context(), target, proposal)
	if err != nil {
		t.Fatal(err)
	}
	if got.Operation != want {
		t.Fatalf("operation %q (%s), want %q; calls %q; warnings %q", got.Operation, got.Reason, want, got.Calls, got.Warnings)
	}
	requests := hub.API(p.hub.Requests())
	// The API takes five or six for a commit, and what is rare takes some more: people's
	// commits, or labels, assignees and reviewers at once.
	if most := 10 + p.rare; len(requests) > most {
		t.Errorf("%d requests: %q", len(requests), hub.Operations(requests))
	}
	return got
}

// rest expects a run that writes nothing and asks little.
func (p *place) rest(t testing.TB, want gitsync.Operation) gitsync.Result {
	t.Helper()
	target := p.target(t)
	proposal := p.made(t)
	p.hub.Requests()
	got, err := gitsync.Propose(t.Context(), target, proposal)
	if err != nil || got.Operation != want {
		t.Fatalf("got %+v, %v, want %s", got, err, want)
	}
	all := p.hub.Requests()
	for _, r := range all {
		if r.Writes {
			t.Errorf("a run with nothing to do writes: %s %s", r.Method, r.Path)
		}
	}
	if requests := hub.API(all); len(requests) > 4 {
		t.Errorf("%d requests: %q", len(requests), hub.Operations(requests))
	}
	return got
}

// opened returns a place whose proposal is open: a.yaml changes, b.yaml goes, c.yaml
// comes.
func opened(t *testing.T, api bool) *place {
	t.Helper()
	p := newPlace(t, api, hub.Options{})
	p.want(map[string]string{"a.yaml": "a2\n", "c.yaml": "c1\n"})
	p.must(t, gitsync.Opened)
	p.rest(t, gitsync.None)
	return p
}

// have expects the generated files of a branch.
func (p *place) have(t testing.TB, branch string, want map[string]string) {
	t.Helper()
	got := map[string]string{}
	for path, text := range p.hub.Repo.Files(t, branch) {
		if tree.Inside(path, folder) {
			got[path[len(folder)+1:]] = text
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Fatalf("the files of %s, -want +got:\n%s", branch, d)
	}
}

// only returns the one open pull request.
func (p *place) only(t testing.TB) hub.PullRequest {
	t.Helper()
	open := slices.DeleteFunc(p.hub.PullRequests(), func(pr hub.PullRequest) bool { return pr.State != "open" })
	if len(open) != 1 {
		t.Fatalf("%d pull requests are open", len(open))
	}
	return open[0]
}

// reachable reports whether a branch or a pull request has the commit.
func (p *place) reachable(t testing.TB, commit string) bool {
	t.Helper()
	return strings.Contains(p.hub.Repo.Git(t, "for-each-ref", "--contains", commit, "refs/heads"), "refs/heads/")
}

// both plays a story with commits that are pushed and with those that the API makes.
func both(t *testing.T, story func(t *testing.T, api bool)) {
	t.Parallel()
	for name, api := range map[string]bool{"pushed": false, "by the API": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			story(t, api)
		})
	}
}

func TestStoryOfAProposal(t *testing.T) {
	both(t, func(t *testing.T, api bool) {
		p := newPlace(t, api, hub.Options{})
		p.proposal.Labels, p.proposal.Assignees, p.proposal.Reviewers = []string{"netbox"}, []string{"ann"}, []string{"ann"}
		p.rare = 1
		p.rest(t, gitsync.None)
		p.want(map[string]string{"a.yaml": "a2\n", "c.yaml": "c1\n"})
		got := p.must(t, gitsync.Opened)
		if got.Number != 1 || got.URL == "" || string(got.Head) != p.hub.Repo.Head(t, branch) || got.Verified != api || len(got.Warnings) > 0 {
			t.Errorf("got %+v", got)
		}
		p.have(t, branch, p.wanted)
		pr := p.only(t)
		if d := cmp.Diff([][]string{{"netbox"}, {"ann"}, {"ann"}}, [][]string{pr.Labels, pr.Assignees, pr.Reviewers}); d != "" {
			t.Errorf("-want +got:\n%s", d)
		}
		p.rest(t, gitsync.None)
		p.want(map[string]string{"a.yaml": "a3\n"})
		p.must(t, gitsync.Updated)
		p.have(t, branch, p.wanted)
		p.rest(t, gitsync.None)
		if out := p.hub.Repo.Git(t, "rev-list", "--count", "main.."+branch); out != "1" {
			t.Errorf("the branch has %s commits", out)
		}
		p.want(map[string]string{"a.yaml": "a1\n", "b.yaml": "b1\n"})
		p.must(t, gitsync.ClosedObsolete)
		if pr := p.hub.PullRequests()[0]; pr.State != "closed" || len(pr.Comments) != 1 || p.hub.Repo.Head(t, branch) != "" {
			t.Errorf("the pull request is %+v", pr)
		}
		p.rest(t, gitsync.None)
	})
}

func TestStoryOfAReviewerWhoEditsAnOverlay(t *testing.T) {
	both(t, func(t *testing.T, api bool) {
		p := opened(t, api)
		human := p.hub.Repo.CommitWith(t, branch, "a patch", map[string]string{overlay: "patches: [ann]\n"})
		p.rest(t, gitsync.None)
		p.want(map[string]string{"a.yaml": "a3\n"})
		p.must(t, gitsync.Left)
		if comments := p.only(t).Comments; len(comments) != 1 || !strings.Contains(comments[0], human) {
			t.Errorf("comments %q", comments)
		}
		p.rest(t, gitsync.Left)
		p.ann.Merge(1, "merge")
		p.must(t, gitsync.Opened)
		p.have(t, branch, p.wanted)
		if !p.reachable(t, human) || p.hub.Repo.Files(t, branch)[overlay] != "patches: [ann]\n" {
			t.Error("Ann's overlay is lost")
		}
		p.rest(t, gitsync.None)
	})
}

func TestStoryOfAReviewerWhoEditsAGeneratedFile(t *testing.T) {
	both(t, func(t *testing.T, api bool) {
		p := opened(t, api)
		human := p.hub.Repo.CommitWith(t, branch, "better", map[string]string{folder + "/a.yaml": "ann\n", overlay: "patches: [ann]\n"})
		p.must(t, gitsync.Left)
		p.rest(t, gitsync.Left)
		p.proposal.People, p.rare = gitsync.PeopleMerge, 3
		p.must(t, gitsync.Updated)
		p.have(t, branch, p.wanted)
		if !p.reachable(t, human) || p.hub.Repo.Files(t, branch)[overlay] != "patches: [ann]\n" {
			t.Error("Ann's commit is lost")
		}
		if pr := p.only(t); pr.MinimizedReason[0] == "" || strings.Contains(pr.Comments[0], "left as it is") {
			t.Errorf("the comment still stands: %+v", pr)
		}
		p.rest(t, gitsync.None)
		p.ann.Merge(1, "squash")
		p.must(t, gitsync.None)
		p.have(t, "main", p.wanted)
		p.rest(t, gitsync.None)
	})
}

func TestStoryOfAnOverwrittenCommit(t *testing.T) {
	both(t, func(t *testing.T, api bool) {
		p := opened(t, api)
		human := p.hub.Repo.CommitWith(t, branch, "better", map[string]string{folder + "/a.yaml": "ann\n"})
		p.proposal.People, p.rare = gitsync.PeopleOverwrite, 2
		p.must(t, gitsync.Updated)
		p.have(t, branch, p.wanted)
		if comments := p.only(t).Comments; len(comments) != 1 || !strings.Contains(comments[0], human) {
			t.Errorf("comments %q", comments)
		}
		p.rest(t, gitsync.None)
	})
}

func TestStoryOfAClosedPullRequest(t *testing.T) {
	both(t, func(t *testing.T, api bool) {
		p := opened(t, api)
		p.ann.Close(1)
		p.rest(t, gitsync.Left)
		p.ann.DeleteBranch(branch)
		p.rest(t, gitsync.Left)
		p.want(map[string]string{"a.yaml": "a3\n"})
		if got := p.must(t, gitsync.Opened); got.Number != 2 {
			t.Errorf("got %+v", got)
		}
		p.rest(t, gitsync.None)
	})
}

func TestStoryOfMerges(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"merge", "squash", "rebase"} {
		for _, message := range []string{"COMMIT_MESSAGES", "PR_BODY", "BLANK"} {
			if method != "squash" && message != "COMMIT_MESSAGES" {
				continue
			}
			for _, deleted := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s, %s, deleted %v", method, message, deleted), func(t *testing.T) {
					t.Parallel()
					p := newPlace(t, false, hub.Options{SquashMessage: message})
					p.want(map[string]string{"a.yaml": "a2\n", "c.yaml": "c1\n"})
					p.must(t, gitsync.Opened)
					p.hub.Repo.CommitWith(t, branch, "a patch", map[string]string{overlay: "patches: [ann]\n"})
					digest := p.made(t).Digest
					p.hub.Repo.CommitWith(t, "main", "another part", map[string]string{"other.txt": "1\n"})
					p.ann.Merge(1, method)
					base := gitsync.Hash(p.hub.Repo.Head(t, "main"))
					merge, ok, err := gitsync.LastMerge(t.Context(), p.target(t), base, "lab", branch, 10)
					if err != nil || !ok || merge.Digest != digest {
						t.Errorf("LastMerge says %+v, %v, %v", merge, ok, err)
					}
					// Without a forge the commits alone say it.
					merge, ok, err = gitsync.LastMerge(t.Context(), gitsync.Target{Repo: p.target(t).Repo}, base, "lab", branch, 10)
					if err != nil || ok != (message != "BLANK") || ok && merge.Digest != digest {
						t.Errorf("without a forge LastMerge says %+v, %v, %v", merge, ok, err)
					}
					if deleted {
						p.ann.DeleteBranch(branch)
					}
					if got := p.must(t, gitsync.None); got.Head != "" || p.hub.Repo.Head(t, branch) != "" {
						t.Errorf("the branch is still there: %+v", got)
					}
					p.rest(t, gitsync.None)
					p.want(map[string]string{"a.yaml": "a3\n"})
					if got := p.must(t, gitsync.Opened); got.Number != 2 {
						t.Errorf("got %+v", got)
					}
					p.have(t, branch, p.wanted)
					p.rest(t, gitsync.None)
				})
			}
		}
	}
}

func TestStoryOfARevertedMerge(t *testing.T) {
	both(t, func(t *testing.T, api bool) {
		p := opened(t, api)
		p.ann.Merge(1, "merge")
		p.ann.DeleteBranch(branch)
		p.hub.Repo.CommitWith(t, "main", "revert", map[string]string{folder + "/a.yaml": "a1\n", folder + "/b.yaml": "b1\n", folder + "/c.yaml-": ""})
		if got := p.rest(t, gitsync.Left); got.Number != 1 {
			t.Errorf("got %+v", got)
		}
		p.want(map[string]string{"a.yaml": "a3\n"})
		p.must(t, gitsync.Opened)
		p.rest(t, gitsync.None)
	})
}

func TestStoryOfABaseThatMoves(t *testing.T) {
	both(t, func(t *testing.T, api bool) {
		p := opened(t, api)
		head := p.hub.Repo.Head(t, branch)
		old := p.made(t)
		p.hub.Repo.CommitWith(t, "main", "another part", map[string]string{"other.txt": "1\n"})
		if _, err := gitsync.Propose(t.Context(), p.target(t), old); !errors.Is(err, gitsync.ErrMoved) {
			t.Errorf("a proposal for the old base: %v", err)
		}
		p.rest(t, gitsync.None)
		if p.hub.Repo.Head(t, branch) != head {
			t.Error("the branch has moved")
		}
		p.hub.Repo.CommitWith(t, "main", "by hand", map[string]string{folder + "/a.yaml": "bob\n"})
		p.must(t, gitsync.Updated)
		p.have(t, branch, p.wanted)
		p.rest(t, gitsync.None)
		p.ann.Merge(1, "merge") // and Git finds no conflict
		p.have(t, "main", p.wanted)
	})
}

func TestStoryOfABaseThatMovesBelowPeople(t *testing.T) {
	both(t, func(t *testing.T, api bool) {
		p := opened(t, api)
		p.proposal.People = gitsync.PeopleMerge
		human := p.hub.Repo.CommitWith(t, branch, "a patch", map[string]string{overlay: "patches: [ann]\n"})
		p.hub.Repo.CommitWith(t, "main", "by hand", map[string]string{folder + "/a.yaml": "bob\n", "other.txt": "1\n"})
		p.must(t, gitsync.Updated)
		p.rest(t, gitsync.None)
		p.ann.Merge(1, "merge")
		p.have(t, "main", p.wanted)
		if files := p.hub.Repo.Files(t, "main"); !p.reachable(t, human) || files[overlay] != "patches: [ann]\n" || files["other.txt"] != "1\n" {
			t.Errorf("main has %v", files)
		}
		p.must(t, gitsync.None)
		p.rest(t, gitsync.None)
	})
}

func TestStoryOfADeletedBranch(t *testing.T) {
	both(t, func(t *testing.T, api bool) {
		p := opened(t, api)
		p.ann.DeleteBranch(branch) // which closes the pull request
		p.rest(t, gitsync.Left)
		p.want(map[string]string{"a.yaml": "a3\n"})
		p.must(t, gitsync.Opened)
		p.rest(t, gitsync.None)
	})
}

func TestStoryOfLabels(t *testing.T) {
	both(t, func(t *testing.T, api bool) {
		p := newPlace(t, api, hub.Options{})
		p.proposal.Labels = []string{"netbox", "fabric"}
		p.want(map[string]string{"a.yaml": "a2\n"})
		p.must(t, gitsync.Opened)
		p.ann.Unlabel(1, "netbox")
		p.ann.Label(1, "urgent")
		p.rest(t, gitsync.None)
		p.want(map[string]string{"a.yaml": "a3\n"})
		p.must(t, gitsync.Updated)
		if d := cmp.Diff([]string{"fabric", "urgent"}, slices.Sorted(slices.Values(p.only(t).Labels))); d != "" {
			t.Errorf("-want +got:\n%s", d)
		}
		p.ann.Label(1, "hold")
		p.want(map[string]string{"a.yaml": "a4\n"})
		p.rest(t, gitsync.Left)
		p.ann.Unlabel(1, "hold")
		p.must(t, gitsync.Updated)
		p.rest(t, gitsync.None)
	})
}

func TestStoryOfAReview(t *testing.T) {
	both(t, func(t *testing.T, api bool) {
		p := newPlace(t, api, hub.Options{})
		p.proposal.Reviewers = []string{"ann", map[bool]string{false: "robot", true: "github-actions[bot]"}[api]}
		p.want(map[string]string{"a.yaml": "a2\n"})
		p.must(t, gitsync.Opened)
		p.ann.Approve(1)
		p.rest(t, gitsync.None)
		p.want(map[string]string{"a.yaml": "a3\n"})
		p.must(t, gitsync.Updated)
		if reviewers := p.only(t).Reviewers; !slices.Contains(reviewers, "ann") {
			t.Errorf("asked are %q", reviewers)
		}
		p.rest(t, gitsync.None)
	})
}

func TestStoryOfAnUpdatedBranch(t *testing.T) {
	both(t, func(t *testing.T, api bool) {
		p := opened(t, api)
		p.hub.Repo.CommitWith(t, "main", "another part", map[string]string{"other.txt": "1\n"})
		clone := t.TempDir()
		p.hub.Repo.Git(t, "worktree", "add", "-q", clone, branch)
		p.hub.Repo.Git(t, "-C", clone, "-c", "user.name=Ann", "-c", "user.email=ann@example.com", "merge", "-q", "--no-edit", "main")
		human := p.hub.Repo.Head(t, branch)
		p.hub.Repo.Git(t, "worktree", "remove", "--force", clone)
		p.rest(t, gitsync.None)
		p.want(map[string]string{"a.yaml": "a3\n"})
		p.must(t, gitsync.Updated)
		if !p.reachable(t, human) || len(p.only(t).Comments) > 0 {
			t.Errorf("the merge is lost, or somebody was bothered: %q", p.only(t).Comments)
		}
		p.have(t, branch, p.wanted)
		p.rest(t, gitsync.None)
	})
}

func TestStoryOfTheUpgradeStream(t *testing.T) {
	both(t, func(t *testing.T, api bool) {
		p := opened(t, api)
		upgrade := *p
		upgrade.proposal.Stream, upgrade.proposal.Branch = "lab/upgrade", branch+"-upgrade"
		upgrade.want(map[string]string{"a.yaml": "A1\n", "b.yaml": "B1\n"})
		if got := upgrade.must(t, gitsync.Opened); got.Number != 2 {
			t.Errorf("got %+v", got)
		}
		p.rest(t, gitsync.None)
		upgrade.rest(t, gitsync.None)
		p.ann.Merge(2, "squash")
		// The first is in its way now: it is put on top of what was merged.
		p.must(t, gitsync.Updated)
		p.rest(t, gitsync.None)
		p.ann.Merge(1, "merge")
		p.have(t, "main", p.wanted)
		p.must(t, gitsync.None)
		upgrade.wanted = p.wanted
		upgrade.must(t, gitsync.None)
		p.rest(t, gitsync.None)
	})
}

func TestStoryWithoutAForge(t *testing.T) {
	t.Parallel()
	repo := githttp.Init(t, t.TempDir())
	repo.Commit(t, "main", map[string]string{"README.md": "hello\n", folder + "/a.yaml": "a1\n"})
	run := func(text string, want gitsync.Operation) {
		t.Helper()
		r, err := git.Open(git.Options{URL: repo.URL, Name: "Robot", Email: email})
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		from := gitsync.Hash(repo.Head(t, "main"))
		var have, wanted tree.Tree
		set(t, &have, folder+"/a.yaml", repo.Files(t, "main")[folder+"/a.yaml"])
		set(t, &wanted, folder+"/a.yaml", text)
		got, err := gitsync.Propose(t.Context(), gitsync.Target{Repo: r, Writer: r}, gitsync.Proposal{
			Stream: "lab", Branch: branch, Folders: []string{folder}, Committer: email, From: from,
			Title: "feat", Message: "feat", Digest: text[:1] + text[1:2], Changes: tree.Diff(have, wanted),
		})
		if err != nil || got.Operation != want {
			t.Fatalf("got %+v, %v, want %s", got, err, want)
		}
	}
	run("a1\n", gitsync.None)
	run("a2\n", gitsync.Opened)
	run("a2\n", gitsync.None)
	run("a3\n", gitsync.Updated)
	repo.CommitWith(t, branch, "mine", map[string]string{overlay: "ann\n"})
	run("a3\n", gitsync.None)
	run("a4\n", gitsync.Left)
	repo.Git(t, "update-ref", "refs/heads/main", "refs/heads/"+branch)
	run("a4\n", gitsync.Opened)
	run("a3\n", gitsync.ClosedObsolete)
	run("a3\n", gitsync.None)
	repo.Git(t, "fsck", "--strict")
}

// killer ends a process at one of its calls that write, before or after the server did
// what was asked.
type killer struct {
	at    int
	after bool
	calls []string
	dead  bool
}

var errKilled = errors.New("the process was killed")

func (k *killer) call(name string, do func() error) error {
	if k.dead {
		return errKilled
	}
	n := len(k.calls)
	k.calls = append(k.calls, name)
	if n == k.at && !k.after {
		k.dead = true
		return errKilled
	}
	err := do()
	if n == k.at {
		k.dead = true
		return errKilled
	}
	return err
}

type killedWriter struct {
	gitsync.Writer
	*killer
}

func (k killedWriter) Write(ctx context.Context, write gitsync.Write) (written gitsync.Written, err error) {
	err = k.call("write", func() error { written, err = k.Writer.Write(ctx, write); return err })
	return written, err
}

func (k killedWriter) Delete(ctx context.Context, branch string, old gitsync.Hash) error {
	return k.call("delete", func() error { return k.Writer.Delete(ctx, branch, old) })
}

type killedForge struct {
	gitsync.Forge
	*killer
}

func (k killedForge) Open(ctx context.Context, n gitsync.NewPullRequest) (pr gitsync.PullRequest, err error) {
	err = k.call("open", func() error { pr, err = k.Forge.Open(ctx, n); return err })
	return pr, err
}

func (k killedForge) Edit(ctx context.Context, number int, edit gitsync.Edit) error {
	return k.call("edit", func() error { return k.Forge.Edit(ctx, number, edit) })
}

func (k killedForge) Comment(ctx context.Context, number int, body string) (c gitsync.Comment, err error) {
	err = k.call("comment", func() error { c, err = k.Forge.Comment(ctx, number, body); return err })
	return c, err
}

func (k killedForge) EditComment(ctx context.Context, id int64, body string) error {
	return k.call("edit comment", func() error { return k.Forge.EditComment(ctx, id, body) })
}

func (k killedForge) Minimize(ctx context.Context, id int64) error {
	return k.call("minimize", func() error { return k.Forge.(*github.Forge).Minimize(ctx, id) })
}

func (k killedForge) AddLabels(ctx context.Context, number int, names []string) error {
	return k.call("labels", func() error { return k.Forge.AddLabels(ctx, number, names) })
}

func (k killedForge) AddAssignees(ctx context.Context, number int, names []string) error {
	return k.call("assignees", func() error { return k.Forge.AddAssignees(ctx, number, names) })
}

func (k killedForge) RequestReviewers(ctx context.Context, number int, names []string) error {
	return k.call("reviewers", func() error { return k.Forge.RequestReviewers(ctx, number, names) })
}

// Each call that writes is killed once, before and after the server did it; the next run
// ends where an undisturbed one does.
func TestStoryOfKilledRuns(t *testing.T) {
	t.Parallel()
	decorate := func(p *place) {
		p.proposal.Labels, p.proposal.Assignees, p.proposal.Reviewers = []string{"netbox"}, []string{"ann"}, []string{"ann"}
	}
	for name, start := range map[string]func(*testing.T, bool) *place{
		"opening": func(t *testing.T, api bool) *place {
			p := newPlace(t, api, hub.Options{})
			decorate(p)
			p.want(map[string]string{"a.yaml": "a2\n"})
			return p
		},
		"updating": func(t *testing.T, api bool) *place {
			p := opened(t, api)
			decorate(p)
			p.want(map[string]string{"a.yaml": "a3\n"})
			return p
		},
		"closing": func(t *testing.T, api bool) *place {
			p := opened(t, api)
			p.want(map[string]string{"a.yaml": "a1\n", "b.yaml": "b1\n"})
			return p
		},
		"people's commits, left": func(t *testing.T, api bool) *place {
			p := opened(t, api)
			p.hub.Repo.CommitWith(t, branch, "mine", map[string]string{folder + "/a.yaml": "ann\n"})
			return p
		},
		"people's commits, merged": func(t *testing.T, api bool) *place {
			p := opened(t, api)
			p.hub.Repo.CommitWith(t, branch, "mine", map[string]string{folder + "/a.yaml": "ann\n"})
			p.must(t, gitsync.Left)
			p.proposal.People = gitsync.PeopleMerge
			return p
		},
	} {
		for _, api := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, api %v", name, api), func(t *testing.T) {
				t.Parallel()
				state := gitsync.None
				if strings.Contains(name, "left") {
					state = gitsync.Left
				}
				run := func(at int, after bool) (*place, *killer) {
					p := start(t, api)
					k := &killer{at: at, after: after}
					target := p.target(t)
					target.Writer, target.Forge = killedWriter{target.Writer, k}, killedForge{target.Forge, k}
					if _, err := gitsync.Propose(t.Context(), target, p.made(t)); err != nil && !errors.Is(err, errKilled) {
						t.Fatal(err)
					}
					return p, k
				}
				calm, k := run(-1, false)
				want, calls := calm.shape(t), k.calls
				calm.rest(t, state)
				for at := range calls {
					for _, after := range []bool{false, true} {
						p, k := run(at, after)
						if !k.dead {
							t.Fatalf("there was no call %d: %q", at, k.calls)
						}
						if _, err := gitsync.Propose(t.Context(), p.target(t), p.made(t)); err != nil {
							t.Fatalf("after being killed at %q: %v", k.calls, err)
						}
						if d := cmp.Diff(want, p.shape(t)); d != "" {
							t.Errorf("killed at %q (after: %v), -undisturbed +completed:\n%s", k.calls, after, d)
						}
						p.rest(t, state)
					}
				}
			})
		}
	}
}

// ids are those of commits, which differ from run to run.
var ids = regexp.MustCompile(`[0-9a-f]{40}`)

// shape is all that people see, without the ids of commits.
func (p *place) shape(t testing.TB) string {
	t.Helper()
	var b strings.Builder
	head := p.hub.Repo.Head(t, branch)
	for _, pr := range p.hub.PullRequests() {
		pr.HeadCommit = fmt.Sprint(pr.HeadCommit == head)
		atHead := head != "" && strings.Contains(pr.Body, head)
		pr.Body = fmt.Sprintf("%s, at head: %v", ids.ReplaceAllString(pr.Body, "ID"), atHead)
		for i, c := range pr.Comments {
			pr.Comments[i] = ids.ReplaceAllString(c, "ID")
		}
		fmt.Fprintf(&b, "%+v\n", pr)
	}
	if head != "" {
		files := p.hub.Repo.Files(t, branch)
		for _, path := range slices.Sorted(maps.Keys(files)) {
			fmt.Fprintf(&b, "%s: %q\n", path, files[path])
		}
	}
	return b.String()
}

// P13: two runs at the same moment, and somebody who pushes meanwhile.
func TestStoryOfTwoRunsAtOnce(t *testing.T) {
	both(t, func(t *testing.T, api bool) {
		p := newPlace(t, api, hub.Options{})
		p.proposal.People = gitsync.PeopleMerge
		var humans []string
		for round := range 20 {
			p.want(map[string]string{"a.yaml": fmt.Sprintf("round %d\n", round)})
			proposal := p.made(t)
			targets := []gitsync.Target{p.target(t), p.target(t)}
			var wg sync.WaitGroup
			var failed atomic.Int64
			for i := range targets {
				targets[i].Pauses = []time.Duration{0, time.Millisecond, time.Millisecond, 2 * time.Millisecond, 5 * time.Millisecond}
				wg.Go(func() {
					if _, err := gitsync.Propose(t.Context(), targets[i], proposal); err != nil {
						failed.Add(1)
						if !errors.Is(err, gitsync.ErrMoved) && !errors.Is(err, gitsync.ErrExists) {
							t.Errorf("round %d: %v", round, err)
						}
					}
				})
			}
			// The API moves a branch in two requests, and what comes between is lost.
			if round%3 == 1 && !api {
				wg.Go(func() {
					if human := p.pushByHand(t, round); human != "" {
						humans = append(humans, human)
					}
				})
			}
			wg.Wait()
			if failed.Load() == 2 {
				t.Errorf("round %d: both runs failed", round)
			}
			p.only(t)
			if _, err := gitsync.Propose(t.Context(), p.target(t), p.made(t)); err != nil {
				t.Fatal(err)
			}
			p.rest(t, gitsync.None)
			p.have(t, branch, p.wanted)
			for _, human := range humans {
				if !p.reachable(t, human) {
					t.Fatalf("round %d: a commit of people's is lost", round)
				}
			}
		}
		if len(humans) < 3 && !api {
			t.Errorf("people pushed only %d times", len(humans))
		}
		if all := p.hub.PullRequests(); len(all) != 1 {
			t.Errorf("there are %d pull requests", len(all))
		}
	})
}

// pushByHand commits to the branch as a person does, with a push that must be a fast
// forward; it returns "" when somebody was faster.
func (p *place) pushByHand(t testing.TB, n int) string {
	head := p.hub.Repo.Head(t, branch)
	if head == "" {
		return ""
	}
	p.hub.Repo.GitIn(t, fmt.Appendf(nil, `commit refs/heads/tmp-%d
committer Ann <ann@example.com> 1700000000 +0000
data 4
mine
from %s
M 644 inline notes-%d.txt
data 2
x

done
`, n, head, n), "fast-import", "--quiet", "--force", "--done")
	human := p.hub.Repo.Head(t, fmt.Sprintf("tmp-%d", n))
	p.hub.Repo.Git(t, "update-ref", "-d", fmt.Sprintf("refs/heads/tmp-%d", n))
	if exec.CommandContext(t.Context(), "git", "-C", p.hub.Repo.Dir, "update-ref", "refs/heads/"+branch, human, head).Run() != nil {
		return ""
	}
	return human
}
