package gitsync

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hedgehog-gitops/render/tree"
)

const (
	ownFolder = "fabrics/lab/base"
	overlay   = "fabrics/lab/overlays/patch.yaml"
	botBranch = "hedgehog-gitops/lab"
)

// site is a world with somebody who wants something in it: what a caller of Propose is.
type site struct {
	*world
	proposal Proposal
	// wanted are the generated files, by their names in the folder.
	wanted map[string]string
}

// newSite returns a site whose base branch has two generated files and what people keep
// beside them.
func newSite() *site {
	s := &site{
		world: newWorld(map[string]string{
			"README.md": "read me\n", overlay: "patches: []\n",
			ownFolder + "/a.yaml": "a1\n", ownFolder + "/b.yaml": "b1\n",
		}),
		proposal: Proposal{
			Stream: "lab", Branch: botBranch, Folders: []string{ownFolder}, Order: 1, Committer: botEmail,
			Title: "feat(lab): change", Message: "feat(lab): change",
			Trailers: []Trailer{{"Tool-Version", "1.0"}},
		},
	}
	s.want(map[string]string{"a.yaml": "a1\n", "b.yaml": "b1\n"})
	return s
}

// want is what makes a new proposal: other files, made from something newer.
func (s *site) want(files map[string]string) {
	s.wanted = files
	s.proposal.Order++
}

// made returns the proposal for the base branch as it is now.
func (s *site) made() Proposal {
	p := s.proposal
	p.From = s.branches[worldBase]
	var have, want tree.Tree
	for path, text := range s.texts(worldBase, ownFolder) {
		set(&have, path, text)
		if name := strings.TrimPrefix(path, ownFolder+"/"); strings.HasPrefix(name, "people") {
			set(&want, path, text) // not ours, though in our folder
		}
	}
	ids := files{}
	for name, text := range s.wanted {
		set(&want, ownFolder+"/"+name, text)
		ids[name] = BlobID([]byte(text))
	}
	p.Changes = tree.Diff(have, want)
	p.Digest = ids.digest()
	p.Body = fmt.Sprintf("files: %v\n", sortedKeys(s.wanted))
	return p
}

func set(t *tree.Tree, path, text string) {
	if err := t.Set(path, []byte(text)); err != nil {
		panic(err)
	}
}

// run makes the proposal and proposes it, in a new process.
func (s *site) run() (Result, error) {
	s.newProcess()
	return Propose(context.Background(), s.edges(), s.made())
}

// must runs and expects an operation.
func (s *site) must(t tester, want Operation) Result {
	t.Helper()
	got, err := s.run()
	if err != nil {
		t.Fatal(err)
	}
	if got.Operation != want {
		t.Fatalf("operation %q (%s), want %q; calls %q; warnings %q", got.Operation, got.Reason, want, got.Calls, got.Warnings)
	}
	return got
}

// rest expects that another run finds nothing to do.
func (s *site) rest(t tester) Result {
	t.Helper()
	got, err := s.run()
	if err != nil {
		t.Fatal(err)
	}
	if len(s.writes) > 0 || s.reads > 4 || got.Operation != None && got.Operation != Left {
		t.Fatalf("a second run wrote %q and read %d times, operation %q (%s)", s.writes, s.reads, got.Operation, got.Reason)
	}
	return got
}

// opened returns a site whose proposal is open: a.yaml changes, b.yaml goes, c.yaml comes.
func opened(t tester) *site {
	t.Helper()
	s := newSite()
	s.want(map[string]string{"a.yaml": "a2\n", "c.yaml": "c1\n"})
	s.must(t, Opened)
	s.rest(t)
	return s
}

// only returns the one open pull request.
func (s *site) only(t tester) *PullRequest {
	t.Helper()
	open := s.open()
	if len(open) != 1 {
		t.Fatalf("%d pull requests are open, want 1", len(open))
	}
	return open[0]
}

// have expects what generated files the branch has.
func (s *site) have(t tester, branch string, want map[string]string) {
	t.Helper()
	full := map[string]string{}
	for name, text := range want {
		full[ownFolder+"/"+name] = text
	}
	if d := cmp.Diff(full, s.texts(branch, ownFolder)); d != "" {
		t.Fatalf("the files of %s, -want +got:\n%s", branch, d)
	}
}

// reachable reports whether some branch has the commit.
func (s *site) reachable(commit Hash) bool {
	for _, head := range s.branches {
		if s.ancestors(head)[commit] {
			return true
		}
	}
	return false
}

// P1, P2, P5: what is wanted comes to a pull request once, and then nothing happens.
func TestANewProposalIsOpenedAndThenLeftInPeace(t *testing.T) {
	t.Parallel()
	s := newSite()
	got := s.rest(t)
	if got.Operation != None || s.branches[botBranch] != "" || len(s.pulls) > 0 {
		t.Fatalf("nothing was wanted, and the operation is %q with the branches %v", got.Operation, s.branches)
	}
	s.want(map[string]string{"a.yaml": "a2\n", "c.yaml": "c1\n"})
	got = s.must(t, Opened)
	s.have(t, botBranch, s.wanted)
	pr := s.only(t)
	want := Result{
		Operation: Opened, Number: 1, URL: pr.URL, Base: worldBase, Branch: botBranch,
		Head: s.branches[botBranch], Verified: true, Digest: s.made().Digest,
		Calls: []string{"create the branch hedgehog-gitops/lab: a commit of 3 files", "open a pull request from hedgehog-gitops/lab into main: feat(lab): change"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	if s.text(botBranch, "README.md") != "read me\n" || s.text(botBranch, overlay) != "patches: []\n" {
		t.Error("a file that is not ours has changed")
	}
	if len(s.writes) != 2 || s.reads != 1 {
		t.Errorf("it took the writes %q and %d reads", s.writes, s.reads)
	}
	got = s.rest(t)
	if got.Number != 1 || got.Head != s.branches[botBranch] || got.URL == "" {
		t.Errorf("a run that does nothing says %+v", got)
	}
	if s.reads != 1 {
		t.Errorf("a run that does nothing asks the forge %d times", s.reads)
	}
}

// P12, P26 are read from it: every commit says what it was made from.
func TestACommitSaysWhatItIs(t *testing.T) {
	t.Parallel()
	s := opened(t)
	c := s.commits[s.branches[botBranch]]
	p := s.made()
	want := "feat(lab): change\n\nProposal: lab\nProposal-Digest: " + p.Digest + "\nProposal-Order: 3\nProposal-Base: " + string(p.From) +
		"\nProposal-Changes: " + difference(s.commits[p.From].files, c.files).digest() + "\nTool-Version: 1.0\n"
	if d := cmp.Diff(want, c.Message); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

// P2: how the wanted state was reached does not show in it.
func TestCreateAndUpdateEndInTheSame(t *testing.T) {
	t.Parallel()
	direct, detour := newSite(), opened(t)
	last := map[string]string{"a.yaml": "a3\n", "b.yaml": "b3\n"}
	direct.want(last)
	direct.must(t, Opened)
	detour.want(last)
	detour.must(t, Updated)
	direct.proposal.Order = detour.proposal.Order
	if d := cmp.Diff(direct.texts(botBranch, ""), detour.texts(botBranch, "")); d != "" {
		t.Errorf("files, -created +updated:\n%s", d)
	}
	a, b := direct.only(t), detour.only(t)
	if a.Title != b.Title || splitBody(a.Body) != splitBody(b.Body) {
		t.Errorf("text, created %q and updated %q", a.Body, b.Body)
	}
	for _, s := range []*site{direct, detour} {
		c := s.commits[s.branches[botBranch]]
		if len(c.Parents) != 1 || c.Parents[0] != s.branches[worldBase] {
			t.Errorf("the branch is not one commit on top of base: %v", c.Parents)
		}
	}
}

// P5: only the text changes, so the branch keeps its commit and its approvals.
func TestTextAloneIsEditedWithoutACommit(t *testing.T) {
	t.Parallel()
	s := opened(t)
	head := s.branches[botBranch]
	s.proposal.Title = "feat(lab): said better"
	s.must(t, Updated)
	if s.branches[botBranch] != head {
		t.Error("the branch has moved")
	}
	if pr := s.only(t); pr.Title != "feat(lab): said better" {
		t.Errorf("the title is %q", pr.Title)
	}
	if d := cmp.Diff([]string{"edit"}, s.writes); d != "" {
		t.Error(d)
	}
	s.rest(t)
}

// What people write into the text stays as long as ours is the same.
func TestPeoplesWordsInTheTextStay(t *testing.T) {
	t.Parallel()
	s := opened(t)
	pr := s.only(t)
	pr.Body = strings.ReplaceAll(pr.Body, "\n", "\r\n") + "- [x] looked at by Ann\r\n"
	pr.Title = "Ann's title"
	s.rest(t)
	if pr := s.only(t); !strings.Contains(pr.Body, "looked at by Ann") || pr.Title != "Ann's title" {
		t.Errorf("title %q, body %q", pr.Title, pr.Body)
	}
	// A commit alone, here because base moved below it, does not touch them either.
	s.commitFiles(worldBase, "Ann", "by hand", map[string]string{ownFolder + "/a.yaml": "by hand\n"})
	s.must(t, Updated)
	if pr := s.only(t); !strings.Contains(pr.Body, "looked at by Ann") {
		t.Errorf("body %q", pr.Body)
	}
	s.rest(t)
	s.want(map[string]string{"a.yaml": "a9\n"})
	s.must(t, Updated)
	if pr := s.only(t); strings.Contains(pr.Body, "looked at by Ann") || pr.Title != s.proposal.Title {
		t.Errorf("a new text is not there: title %q, body %q", pr.Title, pr.Body)
	}
	s.rest(t)
}

// P6
func TestAnObsoleteProposalIsClosedWithAWord(t *testing.T) {
	t.Parallel()
	s := opened(t)
	s.proposal.Obsolete = "Change 77 by ann took it back."
	s.want(map[string]string{"a.yaml": "a1\n", "b.yaml": "b1\n"})
	got := s.must(t, ClosedObsolete)
	if d := cmp.Diff([]string{"comment", "edit", "delete " + botBranch}, s.writes); d != "" {
		t.Error(d)
	}
	if got.Number != 1 || got.Head != "" || got.Reason == "" || s.pulls[0].State != Closed || s.branches[botBranch] != "" {
		t.Errorf("result %+v, pull request %+v", got, s.pulls[0])
	}
	if c := s.comments[1]; len(c) != 1 || !strings.Contains(c[0].Body, "Change 77 by ann took it back.") {
		t.Errorf("comments %+v", c)
	}
	s.rest(t)
	// We closed it, not people: the same content is proposed again.
	s.want(map[string]string{"a.yaml": "a2\n", "c.yaml": "c1\n"})
	s.must(t, Opened)
	s.rest(t)
	if s.only(t).Number != 2 {
		t.Errorf("open is %+v", s.only(t))
	}
}

func TestAnObsoleteProposalThatPeopleOpenAgainStays(t *testing.T) {
	t.Parallel()
	s := opened(t)
	head := s.branches[botBranch]
	s.want(map[string]string{"a.yaml": "a1\n", "b.yaml": "b1\n"})
	s.must(t, ClosedObsolete)
	s.branches[botBranch], s.pulls[0].State = head, Open
	if got := s.rest(t); got.Operation != Left || !strings.Contains(got.Reason, "opened the pull request again") {
		t.Errorf("got %+v", got)
	}
	// With something new to propose it is one like any other.
	s.want(map[string]string{"a.yaml": "a5\n"})
	s.must(t, Updated)
	s.rest(t)
	s.want(map[string]string{"a.yaml": "a1\n", "b.yaml": "b1\n"})
	s.must(t, ClosedObsolete)
}

// P7
func TestAClosedProposalIsNotPutAgain(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*site){
		"closed":                         func(s *site) { s.pulls[0].State = Closed },
		"closed, and the branch deleted": func(s *site) { s.pulls[0].State = Closed; s.deleteBranch(botBranch) },
		"closed by deleting the branch":  func(s *site) { s.deleteBranch(botBranch) },
		"closed, and base moved": func(s *site) {
			s.pulls[0].State = Closed
			s.commitFiles(worldBase, "Ann", "x", map[string]string{"x": "x"})
		},
		"closed, and its text was edited": func(s *site) { s.pulls[0].State = Closed; s.pulls[0].Body += "no\n" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := opened(t)
			end(s)
			if got := s.rest(t); got.Operation != Left || got.Number != 1 || !strings.Contains(got.Reason, "#1") {
				t.Errorf("got %+v", got)
			}
			s.proposal.Anew = true
			if got, err := Propose(t.Context(), dry(s), s.made()); err != nil || got.Operation != Opened {
				t.Errorf("though asked for anew: %+v, %v", got, err)
			}
			s.proposal.Anew = false
			s.want(map[string]string{"a.yaml": "a3\n"})
			s.must(t, Opened)
			if s.only(t).Number != 2 {
				t.Errorf("open is #%d", s.only(t).Number)
			}
			s.have(t, botBranch, s.wanted)
			s.rest(t)
		})
	}
}

func dry(s *site) Target {
	target := s.edges()
	target.DryRun = true
	s.newProcess()
	return target
}

// P7
func TestTheHoldLabelStopsEverything(t *testing.T) {
	t.Parallel()
	s := opened(t)
	head := s.branches[botBranch]
	s.only(t).Labels = []string{"Hold"}
	s.want(map[string]string{"a.yaml": "a3\n"})
	if got := s.rest(t); got.Operation != Left || !strings.Contains(got.Reason, "hold") || s.branches[botBranch] != head {
		t.Errorf("got %+v", got)
	}
	s.want(map[string]string{"a.yaml": "a1\n", "b.yaml": "b1\n"})
	s.rest(t)
	s.only(t).State = Closed
	s.want(map[string]string{"a.yaml": "a3\n"})
	if got := s.rest(t); got.Operation != Left {
		t.Errorf("closed with the label: %+v", got)
	}
	s.pulls[0].Labels = nil
	s.must(t, Opened)
	s.rest(t)
}

// P8: a reviewer changes a file of people's in the branch.
func TestAReviewersOverlayStays(t *testing.T) {
	t.Parallel()
	s := opened(t)
	human := s.commitFiles(botBranch, "Ann", "a patch", map[string]string{overlay: "patches: [ann]\n"})
	// Nothing else is wanted: nothing is in the way, so nobody is told anything.
	if got := s.rest(t); got.Operation != None || len(s.comments[1]) > 0 {
		t.Fatalf("got %+v, comments %+v", got, s.comments[1])
	}
	s.want(map[string]string{"a.yaml": "a3\n", "c.yaml": "c1\n"})
	s.proposal.Choices = "Set `people` in the configuration."
	got := s.must(t, Left)
	if s.branches[botBranch] != human || got.Head != human || got.Number != 1 {
		t.Fatalf("the branch is not where Ann left it: %+v", got)
	}
	body := s.comments[1][0].Body
	for _, part := range []string{string(human), "`Ann`", "`a patch`", "`merge`", "`overwrite`", "Set `people` in the configuration."} {
		if !strings.Contains(body, part) {
			t.Errorf("the comment does not say %q:\n%s", part, body)
		}
	}
	s.rest(t) // told once
	// People merge it all the same; the next run brings the rest.
	if !s.mergePull(s.only(t), "merge") {
		t.Fatal("cannot be merged")
	}
	s.must(t, Opened)
	s.have(t, botBranch, s.wanted)
	if s.text(botBranch, overlay) != "patches: [ann]\n" || !s.reachable(human) {
		t.Error("Ann's overlay is lost")
	}
	s.rest(t)
}

// P8, P11
func TestPoliciesForPeoplesCommits(t *testing.T) {
	t.Parallel()
	merged := map[string]string{"a.yaml": "a3\n", "d.yaml": "d1\n"}
	for name, test := range map[string]struct {
		people string
		edit   map[string]string
		want   map[string]string // generated files and people's among them
		notes  string            // of the overlay
		kept   bool              // Ann's commit is still on the branch
	}{
		"merge keeps an overlay": {PeopleMerge, map[string]string{overlay: "patches: [ann]\n"}, merged, "patches: [ann]\n", true},
		"merge makes a generated file as it should be": {PeopleMerge, map[string]string{ownFolder + "/a.yaml": "ann\n"}, merged,
			"patches: []\n", true},
		"merge keeps a file of people's in our folder": {PeopleMerge, map[string]string{ownFolder + "/people.yaml": "ann\n"},
			map[string]string{"a.yaml": "a3\n", "d.yaml": "d1\n", "people.yaml": "ann\n"}, "patches: []\n", true},
		"merge brings a deleted file back":                {PeopleMerge, map[string]string{ownFolder + "/a.yaml": ""}, merged, "patches: []\n", true},
		"merge removes what is not wanted any more":       {PeopleMerge, map[string]string{ownFolder + "/c.yaml": "ann\n"}, merged, "patches: []\n", true},
		"merge does not bring back what was taken away":   {PeopleMerge, map[string]string{ownFolder + "/b.yaml": "ann\n"}, merged, "patches: []\n", true},
		"overwrite replaces an overlay":                   {PeopleOverwrite, map[string]string{overlay: "patches: [ann]\n"}, merged, "patches: []\n", false},
		"overwrite replaces a change of a generated file": {PeopleOverwrite, map[string]string{ownFolder + "/a.yaml": "ann\n"}, merged, "patches: []\n", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := opened(t)
			human := s.commitFiles(botBranch, "Ann", "mine", test.edit)
			s.want(map[string]string{"a.yaml": "a3\n", "d.yaml": "d1\n"})
			s.must(t, Left)
			s.proposal.People = test.people
			s.must(t, Updated)
			s.have(t, botBranch, test.want)
			if got := s.text(botBranch, overlay); got != test.notes {
				t.Errorf("the overlay is %q", got)
			}
			if s.reachable(human) != test.kept {
				t.Errorf("Ann's commit is there: %v, want %v", !test.kept, test.kept)
			}
			for _, c := range s.comments[1] {
				if c, ok := findComment([]Comment{c}, "lab", talkPeople); ok && strings.Contains(c.Body, "left as it is") {
					t.Error("the comment still says that the branch is left as it is")
				}
			}
			if _, ok := findComment(s.comments[1], "lab", talkReplaced); ok == test.kept {
				t.Errorf("comments %+v", s.comments[1])
			}
			s.rest(t)
			s.want(map[string]string{"a.yaml": "a4\n"})
			s.must(t, Updated)
			if s.reachable(human) != test.kept {
				t.Error("Ann's commit is lost in the update after")
			}
			s.rest(t)
			// The proposal is mergeable, and brings what was wanted.
			if !s.mergePull(s.only(t), "squash") || s.text(worldBase, ownFolder+"/a.yaml") != "a4\n" || s.text(worldBase, ownFolder+"/d.yaml") != "" {
				t.Errorf("merged: %v", s.texts(worldBase, ""))
			}
			s.must(t, None)
			s.rest(t)
		})
	}
}

// P8: what is by others but brings nothing of theirs is no reason to stop, and still
// nothing is lost.
func TestAnUpdatedBranchIsKeptUp(t *testing.T) {
	t.Parallel()
	for name, update := range map[string]func(*testing.T, *site) Hash{
		"by a merge of base": func(t *testing.T, s *site) Hash {
			h, ok := s.merge(worldBase, botBranch, "Ann", "Merge branch 'main'", "merge")
			if !ok {
				t.Fatal("cannot be merged")
			}
			return h
		},
		"by a rebase": func(_ *testing.T, s *site) Hash {
			return s.rewrite(botBranch, "Ann", []Hash{s.branches[worldBase]}, nil)
		},
		"by rewriting the commit": func(_ *testing.T, s *site) Hash {
			return s.rewrite(botBranch, "Ann", nil, nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := opened(t)
			s.commitFiles(worldBase, "Bob", "another part", map[string]string{"other.txt": "1\n"})
			human := update(t, s)
			if got := s.rest(t); got.Operation != None {
				t.Fatalf("got %+v", got)
			}
			s.want(map[string]string{"a.yaml": "a3\n"})
			s.must(t, Updated)
			s.have(t, botBranch, s.wanted)
			if !s.reachable(human) || len(s.comments[1]) > 0 {
				t.Errorf("Ann's commit is there: %v; comments %v", s.reachable(human), s.comments[1])
			}
			s.rest(t)
		})
	}
}

// P8: a merge is people's when they decided something in it, or merged something of theirs.
func TestAMergeWithSomethingOfPeoplesIsTheirs(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]map[string]string{
		"an overlay":                {overlay: "ann\n"},
		"a generated file":          {ownFolder + "/a.yaml": "ann\n"},
		"a file of people's":        {ownFolder + "/people.yaml": "ann\n"},
		"what base has is kept out": {"other.txt": ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := opened(t)
			s.commitFiles(worldBase, "Bob", "another part", map[string]string{"other.txt": "1\n"})
			if _, ok := s.merge(worldBase, botBranch, "Ann", "Merge branch 'main'", "merge"); !ok {
				t.Fatal("cannot be merged")
			}
			clean := s.commits[s.branches[botBranch]]
			s.branches[botBranch] = clean.Parents[0]
			c := s.commits[s.commitFiles(botBranch, "Ann", "Merge branch 'main'", content)]
			for path, file := range clean.files {
				if _, ok := content[path]; !ok {
					c.files[path] = file
				}
			}
			c.Parents = clean.Parents
			s.want(map[string]string{"a.yaml": "a3\n"})
			s.must(t, Left)
			if s.branches[botBranch] != c.Hash {
				t.Error("the branch is not where Ann left it")
			}
		})
	}
	t.Run("another branch", func(t *testing.T) {
		t.Parallel()
		s := opened(t)
		s.branches["feature"] = s.branches[worldBase]
		s.commitFiles("feature", "Ann", "mine", map[string]string{overlay: "ann\n"})
		merge, ok := s.merge("feature", botBranch, "Ann", "Merge branch 'feature'", "merge")
		if !ok {
			t.Fatal("cannot be merged")
		}
		delete(s.branches, "feature")
		s.want(map[string]string{"a.yaml": "a3\n"})
		s.must(t, Left)
		if s.branches[botBranch] != merge {
			t.Error("the branch is not where Ann left it")
		}
	})
}

// P8: what a pull request says that we left is ours, whoever we were then.
func TestOurCommitStaysOursUnderANewName(t *testing.T) {
	t.Parallel()
	s := opened(t)
	s.proposal.Committer = "new-bot@example.com"
	s.want(map[string]string{"a.yaml": "a3\n"})
	s.must(t, Updated)
	if c := s.commits[s.branches[botBranch]]; c.Parents[0] != s.branches[worldBase] {
		t.Error("the old commit is kept as if it were people's")
	}
}

// P8: a commit with our message that somebody has put something of theirs into.
func TestAnAmendedCommitIsPeoples(t *testing.T) {
	t.Parallel()
	for name, edit := range map[string]map[string]string{
		"a generated file": {ownFolder + "/a.yaml": "ann\n"},
		"an overlay":       {overlay: "ann\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := opened(t)
			human := s.rewrite(botBranch, "Ann", nil, edit)
			got, err := s.run() // the same is wanted
			if err != nil || s.branches[botBranch] != human {
				t.Fatalf("got %+v, %v", got, err)
			}
			s.want(map[string]string{"a.yaml": "a3\n"})
			s.must(t, Left)
			if s.branches[botBranch] != human {
				t.Error("the branch is not where Ann left it")
			}
			s.rest(t)
		})
	}
}

// P8: with credentials whose commits the server signs, the committer is the server's for
// people too.
func TestAnAmendedCommitIsPeoplesWhoeverCommits(t *testing.T) {
	t.Parallel()
	s := opened(t)
	s.proposal.Committer = ""
	human := s.rewrite(botBranch, "Bot", nil, map[string]string{overlay: "ann\n"})
	if got := s.rest(t); got.Operation != None {
		t.Fatalf("got %+v", got)
	}
	s.want(map[string]string{"a.yaml": "a3\n"})
	s.must(t, Left)
	if s.branches[botBranch] != human {
		t.Error("the branch is not where Ann left it")
	}
}

// P43
func TestWhatWasMergedIsDone(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"merge", "squash", "rebase"} {
		for _, following := range []bool{false, true} {
			for _, deleted := range []bool{false, true} {
				for _, edited := range []bool{false, true} {
					t.Run(fmt.Sprintf("%s, following %v, deleted %v, edited %v", method, following, deleted, edited), func(t *testing.T) {
						t.Parallel()
						testMerged(t, method, following, deleted, edited)
					})
				}
			}
		}
	}
}

func testMerged(t *testing.T, method string, following, deleted, edited bool) {
	s := opened(t)
	s.following = following
	if edited {
		s.commitFiles(botBranch, "Ann", "a patch", map[string]string{overlay: "patches: [ann]\n"})
	}
	s.commitFiles(worldBase, "Bob", "another part", map[string]string{"other.txt": "1\n"})
	digest := s.made().Digest
	if !s.mergePull(s.only(t), method) {
		t.Fatal("cannot be merged")
	}
	merge, ok, err := LastMerge(t.Context(), Target{Repo: worldRepo{s.world}}, s.branches[worldBase], "lab", botBranch, 20)
	if err != nil || !ok && (method != "rebase" || !edited) {
		t.Fatalf("LastMerge: %v, %v", ok, err)
	}
	if ok && (merge.Digest != digest || merge.Commit.Hash != s.branches[worldBase] || merge.Order != 3) {
		t.Errorf("LastMerge says %+v", merge)
	}
	if deleted {
		s.deleteBranch(botBranch)
	}
	s.newProcess()
	got, err := s.run()
	if err != nil || got.Operation != None || s.branches[botBranch] != "" {
		t.Fatalf("got %+v, %v, branches %v", got, err, s.branches)
	}
	s.rest(t)
	s.want(map[string]string{"a.yaml": "a3\n"})
	s.must(t, Opened)
	s.have(t, botBranch, s.wanted)
	s.rest(t)
}

// P43: people go on committing to a branch that was merged.
func TestABranchThatLivesOnAfterItsMergeIsLeft(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"merge", "squash"} {
		for _, following := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, following %v", method, following), func(t *testing.T) {
				t.Parallel()
				s := opened(t)
				s.following = following
				if !s.mergePull(s.only(t), method) {
					t.Fatal("cannot be merged")
				}
				human := s.commitFiles(botBranch, "Ann", "more", map[string]string{overlay: "patches: [ann]\n"})
				if got := s.rest(t); got.Operation != None || s.branches[botBranch] != human || len(got.Warnings) == 0 {
					t.Errorf("got %+v", got)
				}
				s.want(map[string]string{"a.yaml": "a3\n"})
				if got := s.rest(t); got.Operation != Left || s.branches[botBranch] != human {
					t.Errorf("got %+v", got)
				}
			})
		}
	}
}

// P43: people's commits after a merge that change nothing, all in all.
func TestCommitsAfterAMergeStayWhateverTheyDo(t *testing.T) {
	t.Parallel()
	for name, commit := range map[string]func(*site) Hash{
		"one takes back the other": func(s *site) Hash {
			s.following = true
			s.commitFiles(botBranch, "Ann", "one", map[string]string{"x": "x"})
			return s.commitFiles(botBranch, "Ann", "two", map[string]string{"x": ""})
		},
		"an empty one with an old date": func(s *site) Hash {
			clock := s.clock
			s.clock = 0
			defer func() { s.clock = clock }()
			return s.commitFiles(botBranch, "Ann", "empty", nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := opened(t)
			s.commitFiles(botBranch, "Ann", "a patch", map[string]string{overlay: "ann\n"})
			if !s.mergePull(s.only(t), "squash") {
				t.Fatal("cannot be merged")
			}
			human := commit(s)
			s.rest(t)
			s.want(map[string]string{"a.yaml": "a3\n"})
			s.rest(t)
			if s.branches[botBranch] != human {
				t.Error("Ann's commit is lost")
			}
		})
	}
}

// P11: a branch that people go on with after its merge has left base there, not where it
// once began.
func TestABranchThatWasMergedBeforeIsJoined(t *testing.T) {
	t.Parallel()
	s := opened(t)
	s.proposal.People = PeopleMerge
	s.commitFiles(botBranch, "Ann", "a patch", map[string]string{overlay: "ann\n"})
	s.want(map[string]string{"a.yaml": "a3\n"})
	s.must(t, Updated)
	if !s.mergePull(s.only(t), "merge") {
		t.Fatal("cannot be merged")
	}
	s.commitFiles(botBranch, "Ann", "more", map[string]string{overlay: "more\n"})
	s.want(map[string]string{"a.yaml": "a3\n", "c.yaml": "c1\n"})
	s.must(t, Opened)
	s.rest(t)
	if !s.mergePull(s.only(t), "merge") {
		t.Fatal("cannot be merged")
	}
	s.have(t, worldBase, s.wanted)
}

// What was merged and taken back in Git stays so.
func TestAMergeThatPeopleRevertedIsNotPutAgain(t *testing.T) {
	t.Parallel()
	for _, deleted := range []bool{false, true} {
		for _, method := range []string{"merge", "squash"} {
			t.Run(fmt.Sprintf("%s, deleted %v", method, deleted), func(t *testing.T) {
				t.Parallel()
				s := opened(t)
				if !s.mergePull(s.only(t), method) {
					t.Fatal("cannot be merged")
				}
				if deleted {
					s.deleteBranch(botBranch)
				}
				s.commitFiles(worldBase, "Ann", "revert", map[string]string{ownFolder + "/a.yaml": "a1\n", ownFolder + "/b.yaml": "b1\n", ownFolder + "/c.yaml": ""})
				if got := s.rest(t); got.Operation != Left || got.Number != 1 {
					t.Fatalf("got %+v", got)
				}
				s.proposal.Anew = true
				s.must(t, Opened)
				s.have(t, botBranch, s.wanted)
				s.rest(t)
				if !s.mergePull(s.only(t), "merge") {
					t.Error("what is proposed anew cannot be merged")
				}
			})
		}
	}
}

// P10, P11
func TestWhenBaseMoves(t *testing.T) {
	t.Parallel()
	s := opened(t)
	head := s.branches[botBranch]
	p := s.made()
	s.commitFiles(worldBase, "Bob", "another part", map[string]string{"other.txt": "1\n"})
	s.newProcess()
	if _, err := Propose(t.Context(), s.edges(), p); !errors.Is(err, ErrMoved) || len(s.writes) > 0 {
		t.Fatalf("a proposal for another base: %v, %q", err, s.writes)
	}
	// Made anew it is the same: the commit stays, and its approvals.
	if got := s.rest(t); got.Operation != None || s.branches[botBranch] != head {
		t.Fatalf("got %+v", got)
	}
	// A file that the proposal changes was changed in base: Git could not merge the two,
	// so the commit moves on top of base.
	s.commitFiles(worldBase, "Bob", "by hand", map[string]string{ownFolder + "/a.yaml": "bob\n"})
	s.must(t, Updated)
	s.have(t, botBranch, s.wanted)
	if c := s.commits[s.branches[botBranch]]; c.Parents[0] != s.branches[worldBase] {
		t.Error("the commit is not on top of base")
	}
	s.rest(t)
	if !s.mergePull(s.only(t), "merge") {
		t.Error("it cannot be merged")
	}
}

// P11: the same below people's commits, where base has to be joined.
func TestWhenBaseMovesBelowPeoplesCommits(t *testing.T) {
	t.Parallel()
	s := opened(t)
	s.proposal.People = PeopleMerge
	human := s.commitFiles(botBranch, "Ann", "a patch", map[string]string{overlay: "patches: [ann]\n"})
	s.commitFiles(worldBase, "Bob", "by hand", map[string]string{ownFolder + "/a.yaml": "bob\n", "other.txt": "1\n", "README.md": ""})
	s.must(t, Updated)
	s.have(t, botBranch, s.wanted)
	if !s.reachable(human) || s.text(botBranch, overlay) != "patches: [ann]\n" || s.text(botBranch, "other.txt") != "1\n" || s.text(botBranch, "README.md") != "" {
		t.Errorf("the branch has %v", s.texts(botBranch, ""))
	}
	s.rest(t)
	if !s.mergePull(s.only(t), "merge") || s.text(worldBase, ownFolder+"/a.yaml") != "a2\n" || s.text(worldBase, "other.txt") != "1\n" {
		t.Errorf("merged: %v", s.texts(worldBase, ""))
	}
}

// P11
func TestABaseThatCannotBeJoinedIsNamed(t *testing.T) {
	t.Parallel()
	s := opened(t)
	s.proposal.People = PeopleMerge
	s.commitFiles(botBranch, "Ann", "a patch", map[string]string{overlay: "patches: [ann]\n"})
	s.commitFiles(worldBase, "Bob", "by hand", map[string]string{ownFolder + "/a.yaml": "bob\n", overlay: "patches: [bob]\n"})
	got := s.rest(t) // the branch has what is wanted, and more cannot be done
	if len(got.Warnings) != 1 || !strings.Contains(got.Warnings[0], overlay) {
		t.Errorf("warnings %q", got.Warnings)
	}
	s.want(map[string]string{"a.yaml": "a3\n"})
	s.must(t, Updated)
	s.have(t, botBranch, s.wanted)
	s.rest(t)
}

// P12
func TestAnOlderRunDoesNotOverwrite(t *testing.T) {
	t.Parallel()
	for name, forge := range map[string]bool{"with a forge": true, "without": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite()
			run := func() Result {
				t.Helper()
				s.newProcess()
				target := s.edges()
				if !forge {
					target.Forge = nil
				}
				got, err := Propose(t.Context(), target, s.made())
				if err != nil {
					t.Fatal(err)
				}
				return got
			}
			s.proposal.Order = 100
			s.want(map[string]string{"a.yaml": "new\n"})
			run()
			newest := s.proposal.Order
			s.proposal.Order = 50
			s.want(map[string]string{"a.yaml": "old\n"})
			if got := run(); got.Operation != Left || len(s.writes) > 0 || s.text(botBranch, ownFolder+"/a.yaml") != "new\n" {
				t.Errorf("got %+v", got)
			}
			// After the merge too.
			if forge {
				s.mergePull(s.only(t), "squash")
			} else {
				s.merge(botBranch, worldBase, "Ann", "Merge branch '"+botBranch+"'", "merge")
			}
			s.deleteBranch(botBranch)
			if got := run(); got.Operation != Left || len(s.writes) > 0 {
				t.Errorf("after the merge: %+v", got)
			}
			s.proposal.AnyOrder = true
			if got := run(); got.Operation != Opened {
				t.Errorf("though any order will do: %+v", got)
			}
			s.proposal.AnyOrder = false
			s.proposal.Order = newest + 1
			s.want(map[string]string{"a.yaml": "newer\n"})
			if got := run(); got.Operation != Updated {
				t.Errorf("newer: %+v", got)
			}
		})
	}
}

// P4
func TestSeveralPullRequests(t *testing.T) {
	t.Parallel()
	s := opened(t)
	s.commitFiles("release", "Ann", "release", map[string]string{"x": "x"})
	other := *s.pulls[0]
	other.Number, other.Base = 2, "release"
	twin := *s.pulls[0]
	twin.Number = 3
	s.pulls = append(s.pulls, &other, &twin)
	got := s.rest(t)
	if got.Number != 3 || len(got.Warnings) != 2 || !strings.Contains(strings.Join(got.Warnings, " "), "#2 into release") {
		t.Errorf("got %+v", got)
	}
	s.want(map[string]string{"a.yaml": "a3\n"})
	if got := s.must(t, Updated); got.Number != 3 {
		t.Errorf("got %+v", got)
	}
	if len(s.pulls) != 3 {
		t.Error("another one was opened")
	}
}

// P4
func TestAStreamHasItsBranchAlone(t *testing.T) {
	t.Parallel()
	s := opened(t)
	s.proposal.Stream = "another"
	if _, err := s.run(); !errors.Is(err, ErrProposal) || len(s.writes) > 0 || !strings.Contains(err.Error(), "belongs to lab") {
		t.Errorf("got %v", err)
	}
	// Without the pull request its commits are those of others.
	s.pulls = nil
	s.want(map[string]string{"a.yaml": "a3\n"})
	if got := s.rest(t); got.Operation != None && got.Operation != Left || s.text(botBranch, ownFolder+"/a.yaml") != "a2\n" {
		t.Errorf("got %+v", got)
	}
}

// A pull request that people opened from the branch, or whose hidden line they deleted.
func TestAPullRequestWithoutItsMarkIsTaken(t *testing.T) {
	t.Parallel()
	s := opened(t)
	s.only(t).Body = "people's words\n"
	got := s.must(t, Updated)
	if _, ok := parseMarker(s.only(t).Body); !ok || len(got.Warnings) != 1 {
		t.Errorf("got %+v, body %q", got, s.only(t).Body)
	}
	s.rest(t)
	s.want(map[string]string{"a.yaml": "a3\n"})
	s.only(t).Body = ""
	s.must(t, Updated)
	s.rest(t)
}

// P17, P19
func TestLabelsAndPeople(t *testing.T) {
	t.Parallel()
	s := newSite()
	s.proposal.Labels, s.proposal.Assignees = []string{"netbox", "netbox", "fabric"}, []string{"ann"}
	s.proposal.Reviewers = []string{"bob", worldLogin, "org/net"}
	s.refused = []string{"fabric"}
	s.want(map[string]string{"a.yaml": "a2\n"})
	got := s.must(t, Opened)
	pr := s.only(t)
	if d := cmp.Diff([]any{[]string{"netbox"}, []string{"ann"}, []string{"bob", "org/net"}}, []any{pr.Labels, pr.Assignees, pr.Reviewers}); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	if len(got.Warnings) != 1 || !strings.Contains(got.Warnings[0], "fabric") {
		t.Errorf("warnings %q", got.Warnings)
	}
	// It is asked again, with a warning, until the forge takes it.
	s.must(t, Updated)
	s.must(t, Updated)
	if d := cmp.Diff([]string{"labels"}, s.writes); d != "" {
		t.Error(d)
	}
	s.refused = nil
	s.must(t, Updated)
	s.rest(t)
	if !has(pr.Labels, "fabric") {
		t.Errorf("labels %q", pr.Labels)
	}
	// What people add and take away is theirs.
	pr.Labels, pr.Assignees, pr.Reviewers = []string{"fabric", "urgent"}, nil, []string{"carol"}
	s.rest(t)
	s.want(map[string]string{"a.yaml": "a3\n"})
	s.must(t, Updated)
	if d := cmp.Diff([]any{[]string{"fabric", "urgent"}, []string{"carol"}}, []any{pr.Labels, pr.Reviewers}); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	// Who has reviewed is asked again for other content, and not for the same.
	pr.Reviewers, pr.Reviewed = nil, []string{"bob"}
	s.rest(t)
	s.want(map[string]string{"a.yaml": "a4\n"})
	s.must(t, Updated)
	if d := cmp.Diff([]string{"bob"}, pr.Reviewers); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	s.rest(t)
}

// P17: a forge that does not know yet what it has just opened.
func TestLabelsOfANewPullRequestAreTriedAgain(t *testing.T) {
	t.Parallel()
	s := newSite()
	s.proposal.Labels = []string{"netbox"}
	s.want(map[string]string{"a.yaml": "a2\n"})
	s.newProcess()
	slow := &slowForge{worldForge: worldForge{s.world}, failures: 1}
	target := s.edges()
	target.Forge = slow
	got, err := Propose(t.Context(), target, s.made())
	if err != nil || len(got.Warnings) > 0 || !has(s.only(t).Labels, "netbox") {
		t.Errorf("got %+v, %v", got, err)
	}
	s.rest(t)
}

type slowForge struct {
	worldForge
	failures int
}

func (f *slowForge) AddLabels(ctx context.Context, number int, names []string) error {
	if f.failures--; f.failures >= 0 {
		return errors.New("422: not there yet")
	}
	return f.worldForge.AddLabels(ctx, number, names)
}

// P20
func TestDrafts(t *testing.T) {
	t.Parallel()
	s := newSite()
	s.proposal.Draft = DraftYes
	s.want(map[string]string{"a.yaml": "a2\n"})
	s.must(t, Opened)
	pr := s.only(t)
	if !pr.Draft {
		t.Error("it is no draft")
	}
	s.rest(t)
	pr.Draft = false // people say it is ready
	s.rest(t)
	s.want(map[string]string{"a.yaml": "a3\n"})
	s.must(t, Updated)
	if pr.Draft {
		t.Error("it was made a draft again")
	}
	s.proposal.Draft = DraftAlways
	s.must(t, Updated)
	if !pr.Draft {
		t.Error("it was not made a draft again")
	}
	s.rest(t)

	none := newSite()
	none.drafts = false
	none.proposal.Draft = DraftYes
	none.want(map[string]string{"a.yaml": "a2\n"})
	if got := none.must(t, Opened); len(got.Warnings) != 1 || none.only(t).Draft {
		t.Errorf("without drafts: %+v", got)
	}
	none.rest(t)
}

// P21
func TestAutoMerge(t *testing.T) {
	t.Parallel()
	s := newSite()
	s.proposal.AutoMerge = "squash"
	s.want(map[string]string{"a.yaml": "a2\n"})
	s.must(t, Opened)
	pr := s.only(t)
	if !pr.AutoMerge {
		t.Fatal("it does not wait to be merged")
	}
	s.rest(t)
	// People take it back, and it stays so.
	pr.AutoMerge = false
	s.rest(t)
	pr.AutoMerge = true
	// What comes must be merged by a person: it is disarmed before the push.
	s.proposal.ByHand = true
	s.want(map[string]string{"b.yaml": "b1\n"})
	s.must(t, Updated)
	if d := cmp.Diff([]string{"auto-merge ", "write " + botBranch, "edit"}, s.writes); d != "" || pr.AutoMerge {
		t.Errorf("waits %v, %s", pr.AutoMerge, d)
	}
	s.rest(t)
	// People arm it, knowing what it is.
	pr.AutoMerge = true
	s.rest(t)

	byHand := newSite()
	byHand.proposal.AutoMerge, byHand.proposal.ByHand = "squash", true
	byHand.want(map[string]string{"b.yaml": "b1\n"})
	byHand.must(t, Opened)
	if byHand.only(t).AutoMerge {
		t.Error("it waits to be merged, though a person must")
	}

	stuck := opened(t)
	stuck.only(t).AutoMerge, stuck.arms = true, false
	head := stuck.branches[botBranch]
	stuck.proposal.ByHand = true
	stuck.want(map[string]string{"b.yaml": "b1\n"})
	if _, err := stuck.run(); err == nil || stuck.branches[botBranch] != head {
		t.Errorf("auto-merge could not be taken back, and it pushed all the same: %v", err)
	}

	unable := newSite()
	unable.arms = false
	unable.proposal.AutoMerge = "merge"
	unable.want(map[string]string{"a.yaml": "a2\n"})
	if got := unable.must(t, Opened); len(got.Warnings) != 1 {
		t.Errorf("got %+v", got)
	}
}

// P22
func TestATextThatIsTooLongIsCut(t *testing.T) {
	t.Parallel()
	s := newSite()
	s.limit = 3000
	s.want(map[string]string{"a.yaml": "a2\n"})
	p := s.made()
	p.Body = strings.Repeat("wörter\n", 1000)
	got, err := Propose(t.Context(), s.edges(), p)
	if err != nil {
		t.Fatal(err)
	}
	body := s.only(t).Body
	if _, ok := parseMarker(body); !ok || len(body) > 3000 || len(body) < 2900 || !strings.HasPrefix(body, markerStart) {
		t.Errorf("the body has %d bytes and begins %.80q", len(body), body)
	}
	if len(got.Warnings) != 1 {
		t.Errorf("warnings %q", got.Warnings)
	}
	s.newProcess()
	if got, err := Propose(t.Context(), s.edges(), p); err != nil || len(s.writes) > 0 {
		t.Errorf("a second run wrote %q: %+v, %v", s.writes, got, err)
	}
}

// P23
func TestACommentThatPeopleDeleteIsNotMissed(t *testing.T) {
	t.Parallel()
	s := opened(t)
	s.commitFiles(botBranch, "Ann", "one", map[string]string{overlay: "1\n"})
	s.want(map[string]string{"a.yaml": "a3\n"})
	s.must(t, Left)
	s.comments[1] = append([]Comment{{ID: 99, Author: "ann", Body: "> " + s.comments[1][0].Body}}, s.comments[1]...)
	s.rest(t)
	s.commitFiles(botBranch, "Ann", "two", map[string]string{overlay: "2\n"})
	s.must(t, Left)
	if d := cmp.Diff([]string{"edit comment"}, s.writes); d != "" || len(s.comments[1]) != 2 {
		t.Errorf("%s, comments %+v", d, s.comments[1])
	}
	s.comments[1] = nil
	s.must(t, Left)
	if len(s.comments[1]) != 1 {
		t.Errorf("comments %+v", s.comments[1])
	}
	s.rest(t)
}

// P23: what no longer holds is folded away, and said anew when it holds again.
func TestACommentThatNoLongerHoldsIsFoldedAway(t *testing.T) {
	t.Parallel()
	s := opened(t)
	folder := &foldingForge{worldForge: worldForge{s.world}}
	run := func(want Operation) {
		t.Helper()
		s.newProcess()
		target := s.edges()
		target.Forge = folder
		if got, err := Propose(t.Context(), target, s.made()); err != nil || got.Operation != want {
			t.Fatalf("got %+v, %v", got, err)
		}
	}
	ours := s.branches[botBranch]
	s.commitFiles(botBranch, "Ann", "one", map[string]string{overlay: "1\n"})
	s.want(map[string]string{"a.yaml": "a3\n"})
	run(Left)
	s.branches[botBranch] = ours // Ann takes it back
	run(Updated)
	if d := cmp.Diff([]int64{1}, folder.folded); d != "" || len(s.comments[1]) != 1 || !strings.Contains(s.comments[1][0].Body, "no longer holds") {
		t.Fatalf("%s, comments %+v", d, s.comments[1])
	}
	s.commitFiles(botBranch, "Ann", "two", map[string]string{overlay: "2\n"})
	s.want(map[string]string{"a.yaml": "a4\n"})
	run(Left)
	if len(s.comments[1]) != 2 || len(folder.folded) != 1 {
		t.Fatalf("comments %+v", s.comments[1])
	}
}

type foldingForge struct {
	worldForge
	folded []int64
}

func (f *foldingForge) Minimize(_ context.Context, id int64) error {
	f.folded = append(f.folded, id)
	return nil
}

// P24
func TestPeoplesWordsInACommentAreCode(t *testing.T) {
	t.Parallel()
	s := opened(t)
	s.commitFiles(botBranch, "@org/team `x`", "fixes #1 ` @ann <img src=x>\n\nand more", map[string]string{overlay: "1\n"})
	s.want(map[string]string{"a.yaml": "a3\n"})
	s.must(t, Left)
	body := s.comments[1][0].Body
	if !strings.Contains(body, "by `@org/team 'x'`: `fixes #1 ' @ann <img src=x>`\n") {
		t.Errorf("the comment says\n%s", body)
	}
}

// P39
func TestADryRunListsWhatItWouldDo(t *testing.T) {
	t.Parallel()
	decorated := func(t *testing.T) *site {
		s := newSite()
		s.proposal.Labels, s.proposal.Reviewers, s.proposal.AutoMerge = []string{"netbox"}, []string{"bob"}, "merge"
		s.want(map[string]string{"a.yaml": "a2\n"})
		return s
	}
	for name, start := range map[string]func(t *testing.T) *site{
		"opening": decorated,
		"updating": func(t *testing.T) *site {
			s := opened(t)
			s.want(map[string]string{"a.yaml": "a3\n"})
			return s
		},
		"closing": func(t *testing.T) *site {
			s := opened(t)
			s.want(map[string]string{"a.yaml": "a1\n", "b.yaml": "b1\n"})
			return s
		},
		"people's commits": func(t *testing.T) *site {
			s := opened(t)
			s.commitFiles(botBranch, "Ann", "one", map[string]string{overlay: "1\n"})
			s.want(map[string]string{"a.yaml": "a3\n"})
			return s
		},
		"nothing": func(t *testing.T) *site { return opened(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t)
			dryResult, err := Propose(t.Context(), dry(s), s.made())
			if err != nil || len(s.writes) > 0 {
				t.Fatalf("it wrote %q: %v", s.writes, err)
			}
			got, err := s.run()
			if err != nil {
				t.Fatal(err)
			}
			if len(dryResult.Calls) != len(s.writes) {
				t.Errorf("%d calls listed, %d made: %q, %q", len(dryResult.Calls), len(s.writes), dryResult.Calls, s.writes)
			}
			number := fmt.Sprintf("pull request #%d", got.Number)
			for i, call := range got.Calls {
				if strings.ReplaceAll(call, number, "the pull request") != strings.ReplaceAll(dryResult.Calls[i], number, "the pull request") {
					t.Errorf("listed %q, made %q", dryResult.Calls[i], call)
				}
			}
			if dryResult.Operation != got.Operation || dryResult.Reason != got.Reason {
				t.Errorf("dry %q, done %q", dryResult.Operation, got.Operation)
			}
			if len(s.writes)+s.reads > 10 {
				t.Errorf("%d calls", len(s.writes)+s.reads)
			}
		})
	}
	bad := decorated(t)
	bad.proposal.Branch = "a..b"
	if _, err := Propose(t.Context(), dry(bad), bad.made()); !errors.Is(err, ErrProposal) {
		t.Errorf("a dry run takes what a run refuses: %v", err)
	}
}

// Without a forge the branch is all there is.
func TestWithoutAForge(t *testing.T) {
	t.Parallel()
	s := newSite()
	run := func(want Operation) Result {
		t.Helper()
		s.newProcess()
		target := s.edges()
		target.Forge = nil
		got, err := Propose(t.Context(), target, s.made())
		if err != nil || got.Operation != want {
			t.Fatalf("got %+v, %v, want %s", got, err, want)
		}
		return got
	}
	run(None)
	s.want(map[string]string{"a.yaml": "a2\n"})
	run(Opened)
	head := s.branches[botBranch]
	run(None)
	s.want(map[string]string{"a.yaml": "a3\n"})
	run(Updated)
	if s.branches[botBranch] == head {
		t.Error("the branch has not moved")
	}
	human := s.commitFiles(botBranch, "Ann", "one", map[string]string{overlay: "1\n"})
	run(None)
	s.want(map[string]string{"a.yaml": "a4\n"})
	if got := run(Left); got.Head != human {
		t.Errorf("got %+v", got)
	}
	s.proposal.People = PeopleMerge
	run(Updated)
	run(None)
	s.merge(botBranch, worldBase, "Ann", "Merge branch '"+botBranch+"'", "merge")
	run(ClosedObsolete)
	if s.branches[botBranch] != "" {
		t.Error("the merged branch is still there")
	}
	run(None)
	s.want(map[string]string{"a.yaml": "a5\n"})
	run(Opened)
	s.want(map[string]string{"a.yaml": "a4\n"})
	run(ClosedObsolete)
	run(None)

	// What was merged and reverted is not put again here either.
	s.want(map[string]string{"a.yaml": "a6\n"})
	run(Opened)
	s.merge(botBranch, worldBase, "Ann", "Merge branch '"+botBranch+"'", "merge")
	s.commitFiles(worldBase, "Ann", "revert", map[string]string{ownFolder + "/a.yaml": "a4\n"})
	if got := run(Left); got.Cause != CauseRefused {
		t.Errorf("got %+v", got)
	}
	s.proposal.Anew = true
	run(Updated)
	run(None)
}

func TestABranchOfPeoplesIsLeft(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]func(*site){
		"with a commit": func(s *site) {
			s.branches[botBranch] = s.branches[worldBase]
			s.commitFiles(botBranch, "Ann", "mine", map[string]string{"x": "x"})
		},
		"with a history of its own": func(s *site) { s.commitFiles(botBranch, "Ann", "mine", map[string]string{"x": "x"}) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite()
			start(s)
			head := s.branches[botBranch]
			s.rest(t)
			s.want(map[string]string{"a.yaml": "a2\n"})
			if got := s.rest(t); got.Operation != Left || s.branches[botBranch] != head {
				t.Errorf("got %+v", got)
			}
		})
	}
	t.Run("without one", func(t *testing.T) {
		t.Parallel()
		s := newSite()
		s.branches[botBranch] = s.branches[worldBase]
		s.rest(t)
		if s.branches[botBranch] == "" {
			t.Error("it was deleted")
		}
		s.want(map[string]string{"a.yaml": "a2\n"})
		s.must(t, Opened)
		s.rest(t)
	})
}

// P3, P44 and what else no repository could take.
func TestProposalsThatAreRefused(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		spoil func(*Proposal)
		says  string
	}{
		"the base branch":            {func(p *Proposal) { p.Branch = worldBase }, "cannot be the one that is merged"},
		"no branch":                  {func(p *Proposal) { p.Branch = "" }, "it is empty"},
		"no name for a branch":       {func(p *Proposal) { p.Branch = "a b" }, "a space"},
		"no folder":                  {func(p *Proposal) { p.Folders = nil }, "owns no folder"},
		"workflows":                  {func(p *Proposal) { p.Folders = []string{".github"} }, "workflows"},
		"workflows in capitals":      {func(p *Proposal) { p.Folders = []string{".GitHub/workflows"} }, "workflows"},
		"a folder outside":           {func(p *Proposal) { p.Folders = []string{"../x"} }, "refused path"},
		"a file outside":             {func(p *Proposal) { p.Changes[0].Path = overlay }, "is outside of"},
		"a file beside":              {func(p *Proposal) { p.Changes[0].Path = ownFolder + "-2/x" }, "is outside of"},
		"a file in .git":             {func(p *Proposal) { p.Changes[0].Path = ownFolder + "/.git/x" }, "refused path"},
		"no stream":                  {func(p *Proposal) { p.Stream = "" }, "stream"},
		"a stream of two lines":      {func(p *Proposal) { p.Stream = "a\nb" }, "stream"},
		"no digest":                  {func(p *Proposal) { p.Digest = "" }, "digest"},
		"a title of two lines":       {func(p *Proposal) { p.Title = "a\nb" }, "title"},
		"no message":                 {func(p *Proposal) { p.Message = "\n" }, "message"},
		"no commit":                  {func(p *Proposal) { p.From = "" }, "commit"},
		"a trailer of ours":          {func(p *Proposal) { p.Trailers = []Trailer{{"Proposal-Digest", "x"}} }, "trailer"},
		"a trailer of two lines":     {func(p *Proposal) { p.Trailers = []Trailer{{"Step", "1\nProposal: x"}} }, "trailer"},
		"an unknown draft":           {func(p *Proposal) { p.Draft = "maybe" }, "draft"},
		"an unknown auto-merge":      {func(p *Proposal) { p.AutoMerge = "maybe" }, "auto-merge"},
		"an unknown policy":          {func(p *Proposal) { p.People = "maybe" }, "maybe"},
		"changes from another file":  {func(p *Proposal) { p.Changes[0].Old = []byte("x") }, "is not what"},
		"a new file that is there":   {func(p *Proposal) { p.Changes[0].Op, p.Changes[0].Old = tree.Added, nil }, "is not what"},
		"an old file that is absent": {func(p *Proposal) { p.Changes[0].Path += "2" }, "is not what"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite()
			s.want(map[string]string{"a.yaml": "a2\n", "b.yaml": "b1\n"})
			p := s.made()
			p.Changes = slices.Clone(p.Changes)
			test.spoil(&p)
			_, err := Propose(t.Context(), s.edges(), p)
			if !errors.Is(err, ErrProposal) || !strings.Contains(err.Error(), test.says) || len(s.writes) > 0 {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestPathsThatHoldSomethingElse(t *testing.T) {
	t.Parallel()
	for name, mode := range map[string]uint32{"a symbolic link": ModeLink, "a submodule": ModeSubmodule} {
		s := newSite()
		c := s.commits[s.branches[worldBase]]
		c.files[ownFolder+"/a.yaml"] = File{Blob: c.files[ownFolder+"/a.yaml"].Blob, Mode: mode}
		s.want(map[string]string{"a.yaml": "a2\n", "b.yaml": "b1\n"})
		if _, err := s.run(); err == nil || !strings.Contains(err.Error(), name) || len(s.writes) > 0 {
			t.Errorf("%s: got %v", name, err)
		}
		p := s.made()
		p.Changes = []tree.Change{{Path: ownFolder + "/a.yaml/x", Op: tree.Added}}
		if _, err := Propose(t.Context(), s.edges(), p); err == nil || !strings.Contains(err.Error(), name) || len(s.writes) > 0 {
			t.Errorf("below %s: got %v", name, err)
		}
	}
}

func TestRepositoriesWithoutABase(t *testing.T) {
	t.Parallel()
	s := newSite()
	s.want(map[string]string{"a.yaml": "a2\n"})
	p := s.made()
	p.Base = "missing"
	if _, err := Propose(t.Context(), s.edges(), p); !errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), "no branch missing") {
		t.Errorf("got %v", err)
	}
	delete(s.branches, worldBase)
	p.Base = ""
	if _, err := Propose(t.Context(), s.edges(), p); !errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), "push a first") {
		t.Errorf("got %v", err)
	}
}
