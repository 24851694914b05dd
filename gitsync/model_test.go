package gitsync

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// model is a site where anything may happen, in any order: what is wanted changes, runs
// are killed or meet each other, and people do what they do. It knows which commits
// of people's must still be there.
type model struct {
	*site
	// precious are people's commits that nobody but people may drop.
	precious map[Hash]bool
	files    int
}

var generated = []string{"a.yaml", "b.yaml", "c.yaml"}

// TestAnyHistory draws histories and expects, after every event: no commit of people's is
// lost, at most one pull request is open, no comment stands twice, our commits change
// our files alone. After every undisturbed run: what is wanted is proposed, can be
// merged and would then be there, and a second run writes nothing.
func TestAnyHistory(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := &model{site: newSite(), precious: map[Hash]bool{}}
		m.proposal.People = rapid.SampledFrom([]string{PeopleStop, PeopleMerge}).Draw(t, "people")
		m.following = rapid.Bool().Draw(t, "following")
		if rapid.Bool().Draw(t, "server commits") {
			m.proposal.Committer = ""
		}
		if rapid.Bool().Draw(t, "decorated") {
			m.proposal.Labels, m.proposal.Reviewers, m.proposal.AutoMerge = []string{"netbox"}, []string{"bob"}, "merge"
		}
		t.Repeat(map[string]func(*rapid.T){
			"want":                  m.wantOther,
			"run":                   m.runOnce,
			"run killed":            m.runKilled,
			"run with another":      m.runWithAnother,
			"run while people push": m.runWhilePeoplePush,
			"people edit the branch": func(t *rapid.T) {
				m.edit(t, botBranch)
			},
			"people edit base": func(t *rapid.T) {
				m.edit(t, worldBase)
			},
			"people amend":         m.amend,
			"people rebase":        m.rebase,
			"people update":        m.update,
			"people merge":         m.mergeOne,
			"people close":         m.close,
			"people reopen":        m.reopen,
			"people delete branch": m.deleteBot,
			"people decorate":      m.decorate,
			"":                     m.check,
		})
	})
}

func (m *model) wantOther(t *rapid.T) {
	wanted := map[string]string{}
	for _, name := range generated {
		if text := rapid.SampledFrom([]string{"", "1\n", "2\n"}).Draw(t, name); text != "" {
			wanted[name] = text
		}
	}
	m.want(wanted)
	m.proposal.ByHand = rapid.Bool().Draw(t, "by hand")
}

// runOnce runs undisturbed, and once more.
func (m *model) runOnce(t *rapid.T) {
	got, err := m.run()
	if err != nil {
		t.Fatalf("the run: %v", err)
	}
	t.Logf("%s %s %q", got.Operation, got.Reason, m.writes)
	if m.reads+len(m.writes) > 10 {
		t.Fatalf("%d calls: %q", m.reads+len(m.writes), m.calls)
	}
	m.expect(t, got)
	m.rest(t)
}

// expect checks what a run says against what is there.
func (m *model) expect(t *rapid.T, got Result) {
	if got.Head != m.branches[botBranch] {
		t.Fatalf("the result has the head %s, the branch stands at %s", got.Head, m.branches[botBranch])
	}
	if got.Operation == Left {
		if got.Reason == "" {
			t.Fatal("left without a reason")
		}
		return
	}
	proposed := len(m.open()) == 1
	if wanted := len(m.made().Changes) > 0; wanted != proposed {
		t.Fatalf("something is wanted: %v; proposed: %v", wanted, proposed)
	}
	if !proposed {
		return
	}
	if got.Number != m.only(t).Number {
		t.Fatalf("the result has #%d", got.Number)
	}
	m.expectWanted(t, botBranch)
	if slices.ContainsFunc(got.Warnings, func(w string) bool { return strings.Contains(w, "cannot be joined") }) {
		return
	}
	head, base := m.branches[botBranch], m.branches[worldBase]
	merged, conflicts := m.mergeFiles(m.mergeBase(head, base), base, head)
	for _, path := range conflicts {
		if m.proposal.isOurs(path) {
			t.Fatalf("it cannot be merged: %q", conflicts)
		}
	}
	m.branches["merged"] = m.add("merged", worldCommit{files: merged, Commit: Commit{Parents: []Hash{base}}})
	m.expectWanted(t, "merged")
	delete(m.branches, "merged")
}

// isOurs reports whether the file is a generated one.
func (p Proposal) isOurs(path string) bool {
	return p.owns(path) && !strings.Contains(path, "people")
}

// expectWanted expects the generated files on the branch.
func (m *model) expectWanted(t *rapid.T, branch string) {
	want := map[string]string{}
	for name, text := range m.wanted {
		want[ownFolder+"/"+name] = text
	}
	have, base := m.texts(branch, ownFolder), m.texts(worldBase, ownFolder)
	maps.DeleteFunc(have, func(path, text string) bool {
		// What people put where nothing was and nothing is wanted stays.
		_, wanted := want[path]
		_, inBase := base[path]
		return !m.proposal.isOurs(path) || !wanted && !inBase && strings.HasPrefix(text, "people")
	})
	if !maps.Equal(have, want) {
		t.Fatalf("%s has %v, want %v", branch, have, want)
	}
}

func (m *model) runKilled(t *rapid.T) {
	m.newProcess()
	at, done := rapid.IntRange(0, 5).Draw(t, "at"), rapid.Bool().Draw(t, "done")
	m.fault = func(call int, after bool) bool { return call == at && after == done }
	if _, err := Propose(context.Background(), m.edges(), m.made()); err != nil && !errors.Is(err, errKilled) {
		t.Fatal(err)
	}
	t.Logf("killed: %q", m.writes)
}

func (m *model) runWithAnother(t *rapid.T) {
	first := m.made()
	if rapid.Bool().Draw(t, "newer") {
		m.wantOther(t)
	}
	m.newProcess()
	m.meanwhileAt = rapid.IntRange(0, 10).Draw(t, "at")
	m.meanwhile = func() {
		if _, err := Propose(context.Background(), m.edges(), m.made()); err != nil {
			t.Fatalf("the other run: %v", err)
		}
	}
	if _, err := Propose(context.Background(), m.edges(), first); err != nil && !errors.Is(err, ErrMoved) {
		t.Fatal(err)
	}
}

func (m *model) runWhilePeoplePush(t *rapid.T) {
	p := m.made()
	m.newProcess()
	m.meanwhileAt = rapid.IntRange(0, 10).Draw(t, "at")
	m.meanwhile = func() {
		if m.branches[botBranch] != "" {
			m.edit(t, botBranch)
		}
	}
	if _, err := Propose(context.Background(), m.edges(), p); err != nil {
		t.Fatal(err)
	}
}

// edit is a commit of a person.
func (m *model) edit(t *rapid.T, branch string) {
	if m.branches[branch] == "" {
		t.Skip("no branch")
	}
	path := rapid.SampledFrom([]string{overlay, "other.txt", ownFolder + "/a.yaml", ownFolder + "/c.yaml", ownFolder + "/people.yaml"}).Draw(t, "path")
	m.files++
	text := fmt.Sprintf("people %d\n", m.files)
	if rapid.IntRange(0, 4).Draw(t, "delete") == 0 {
		text = ""
	}
	before := m.branches[branch]
	after := m.commitFiles(branch, "Ann", "mine", map[string]string{path: text})
	if branch == botBranch && len(difference(m.commits[before].files, m.commits[after].files)) > 0 {
		m.precious[after] = true
	}
}

// own skips unless the branch ends in a commit of ours.
func (m *model) own(t *rapid.T) *worldCommit {
	c := m.commits[m.branches[botBranch]]
	if c == nil {
		t.Skip("no branch")
	}
	if _, ok := recordOf(c.Message, m.proposal.Stream); !ok || len(c.Parents) != 1 {
		t.Skip("no commit of ours")
	}
	return c
}

func (m *model) amend(t *rapid.T) {
	old := m.own(t)
	m.files++
	path := rapid.SampledFrom([]string{overlay, ownFolder + "/a.yaml"}).Draw(t, "path")
	delete(m.precious, old.Hash)
	m.precious[m.rewrite(botBranch, "Ann", nil, map[string]string{path: fmt.Sprintf("people %d\n", m.files)})] = true
}

func (m *model) rebase(t *rapid.T) {
	old := m.own(t)
	if len(m.open()) == 0 {
		t.Skip("nobody has to")
	}
	if _, conflicts := m.mergeFiles(old.Parents[0], old.Hash, m.branches[worldBase]); len(conflicts) > 0 || !m.ancestors(m.branches[worldBase])[old.Parents[0]] {
		t.Skip("not possible")
	}
	delete(m.precious, old.Hash)
	rebased := m.rewrite(botBranch, "Ann", []Hash{m.branches[worldBase]}, nil)
	// Where everything has the server's committer, ours on another base is ours.
	m.precious[rebased] = m.proposal.Committer != ""
}

// update is what a forge offers for an open pull request.
func (m *model) update(t *rapid.T) {
	if len(m.open()) == 0 || m.branches[botBranch] == "" || m.ancestors(m.branches[botBranch])[m.branches[worldBase]] {
		t.Skip("nothing to update")
	}
	commit, ok := m.merge(worldBase, botBranch, "Ann", "Merge branch 'main' into "+botBranch, "merge")
	if !ok {
		t.Skip("not possible")
	}
	m.precious[commit] = true
}

func (m *model) mergeOne(t *rapid.T) {
	open := m.open()
	if len(open) == 0 || !m.mergePull(open[0], rapid.SampledFrom([]string{"merge", "squash", "rebase"}).Draw(t, "method")) {
		t.Skip("nothing to merge")
	}
	m.drop(botBranch)
	if rapid.Bool().Draw(t, "delete") {
		m.deleteBranch(botBranch)
	}
}

// drop says that people have done with the commits of the branch.
func (m *model) drop(branch string) {
	for commit := range m.ancestors(m.branches[branch]) {
		delete(m.precious, commit)
	}
}

func (m *model) close(t *rapid.T) {
	open := m.open()
	if len(open) == 0 {
		t.Skip("none is open")
	}
	open[0].State = Closed
}

func (m *model) reopen(t *rapid.T) {
	if len(m.pulls) == 0 || len(m.open()) > 0 || m.branches[botBranch] == "" || m.ancestors(m.branches[worldBase])[m.branches[botBranch]] {
		t.Skip("none to open")
	}
	if last := m.pulls[len(m.pulls)-1]; last.State == Closed {
		last.State = Open
		m.follow(botBranch)
	}
}

func (m *model) deleteBot(t *rapid.T) {
	if m.branches[botBranch] == "" {
		t.Skip("no branch")
	}
	m.drop(botBranch)
	m.deleteBranch(botBranch)
}

func (m *model) decorate(t *rapid.T) {
	if len(m.pulls) == 0 {
		t.Skip("none")
	}
	pr := m.pulls[len(m.pulls)-1]
	switch rapid.SampledFrom([]string{"labels", "hold", "text", "mark", "review", "disarm", "comments"}).Draw(t, "what") {
	case "labels":
		pr.Labels = nil
	case "hold":
		pr.Labels = append(slices.Clone(pr.Labels), "hold")
	case "text":
		pr.Body += "people's words\n"
	case "mark":
		pr.Body = splitBody(pr.Body)
	case "review":
		pr.Reviewed, pr.Reviewers = pr.Reviewers, nil
	case "disarm":
		pr.AutoMerge = false
	case "comments":
		delete(m.comments, pr.Number)
	}
}

func (m *model) check(t *rapid.T) {
	checkSite(t, m.site)
	for commit, precious := range m.precious {
		if precious && !m.reachable(commit) {
			t.Fatalf("a commit of people's is lost: %q", m.commits[commit].Message)
		}
	}
}
