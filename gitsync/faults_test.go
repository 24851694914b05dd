package gitsync

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// shape is all that people see of a site, without the ids of commits.
func (s *site) shape() map[string]any {
	shape := map[string]any{"branches": sortedKeys(s.branches), "files": s.texts(botBranch, "")}
	if c := s.commits[s.branches[botBranch]]; c != nil {
		record, _ := recordOf(c.Message, s.proposal.Stream)
		shape["digest"] = record.digest
	}
	for _, pr := range s.pulls {
		m, marked := parseMarker(pr.Body)
		atHead := m.Head == s.branches[pr.Head]
		m.Head = ""
		shape[fmt.Sprintf("#%d", pr.Number)] = []any{
			pr.State, pr.Title, splitBody(pr.Body), pr.Draft, pr.AutoMerge, pr.Labels, pr.Assignees, pr.Reviewers,
			fmt.Sprintf("%+v", m), marked, atHead,
		}
		var texts []string
		for _, c := range s.comments[pr.Number] {
			texts = append(texts, c.Body)
		}
		shape[fmt.Sprintf("#%d comments", pr.Number)] = texts
	}
	return shape
}

// scenes are runs that write, of every kind. Each start gives an equal site every time.
func scenes() map[string]func(tester) *site {
	decorate := func(s *site) {
		s.proposal.Labels, s.proposal.Assignees, s.proposal.Reviewers = []string{"netbox"}, []string{"ann"}, []string{"bob"}
		s.proposal.AutoMerge = "squash"
	}
	return map[string]func(tester) *site{
		"a proposal is opened": func(tester) *site {
			s := newSite()
			decorate(s)
			s.want(map[string]string{"a.yaml": "a2\n"})
			return s
		},
		"it is updated": func(t tester) *site {
			s := opened(t)
			decorate(s)
			s.only(t).Reviewed = []string{"bob"}
			s.want(map[string]string{"a.yaml": "a3\n"})
			return s
		},
		"its text is edited": func(t tester) *site {
			s := opened(t)
			s.proposal.Title = "better"
			return s
		},
		"it is closed": func(t tester) *site {
			s := opened(t)
			s.want(map[string]string{"a.yaml": "a1\n", "b.yaml": "b1\n"})
			return s
		},
		"people's commits are in the way": func(t tester) *site {
			s := opened(t)
			s.commitFiles(botBranch, "Ann", "mine", map[string]string{overlay: "ann\n"})
			s.want(map[string]string{"a.yaml": "a3\n"})
			return s
		},
		"people's commits are kept": func(t tester) *site {
			s := opened(t)
			s.commitFiles(botBranch, "Ann", "mine", map[string]string{overlay: "ann\n"})
			s.want(map[string]string{"a.yaml": "a3\n"})
			s.must(t, Left)
			s.proposal.People = PeopleMerge
			return s
		},
		"people's commits are replaced": func(t tester) *site {
			s := opened(t)
			s.commitFiles(botBranch, "Ann", "mine", map[string]string{overlay: "ann\n"})
			s.want(map[string]string{"a.yaml": "a3\n"})
			s.must(t, Left)
			s.proposal.People = PeopleOverwrite
			return s
		},
		"it is disarmed": func(t tester) *site {
			s := opened(t)
			s.proposal.AutoMerge = "merge"
			s.must(t, Updated)
			s.proposal.ByHand = true
			s.want(map[string]string{"a.yaml": "a3\n"})
			return s
		},
		"a merged branch is deleted": func(t tester) *site {
			s := opened(t)
			s.mergePull(s.only(t), "squash")
			return s
		},
		"after a merge comes the next": func(t tester) *site {
			s := opened(t)
			s.mergePull(s.only(t), "merge")
			s.want(map[string]string{"a.yaml": "a3\n"})
			return s
		},
		"after a refusal comes the next": func(t tester) *site {
			s := opened(t)
			s.only(t).State = Closed
			s.want(map[string]string{"a.yaml": "a3\n"})
			return s
		},
		"what was reverted comes anew": func(t tester) *site {
			s := opened(t)
			s.mergePull(s.only(t), "merge")
			s.commitFiles(worldBase, "Ann", "revert", map[string]string{ownFolder + "/a.yaml": "a1\n"})
			s.proposal.Anew = true
			return s
		},
	}
}

// Each call that writes is killed once, before and after the server did it. The next
// run ends where an undisturbed one does.
func TestKilledRunsAreCompletedByTheNext(t *testing.T) {
	t.Parallel()
	for name, start := range scenes() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			calm := start(t)
			if _, err := calm.run(); err != nil {
				t.Fatal(err)
			}
			writes := calm.writes
			calm.rest(t)
			want := calm.shape()
			if len(writes) == 0 || len(writes) > 9 {
				t.Fatalf("the run writes %q", writes)
			}
			for i := range writes {
				for _, done := range []bool{false, true} {
					s := start(t)
					s.newProcess()
					s.fault = func(call int, after bool) bool { return call == i && after == done }
					got, err := Propose(t.Context(), s.edges(), s.made())
					// What does not matter enough is a warning, and then the next call fails.
					if err == nil && (len(got.Warnings) == 0 || !strings.Contains(got.Warnings[0], errKilled.Error())) || err != nil && !errors.Is(err, errKilled) {
						t.Fatalf("killed at %q: %v", writes[i], err)
					}
					if _, err := s.run(); err != nil {
						t.Fatalf("after being killed at %q (done: %v): %v", writes[i], done, err)
					}
					s.rest(t)
					if d := cmp.Diff(want, s.shape()); d != "" {
						t.Errorf("killed at %q (done: %v), -undisturbed +completed:\n%s", writes[i], done, d)
					}
				}
			}
		})
	}
}

// Every run that writes takes at most ten calls of the forge, those for a push aside.
func TestRunsAreCheap(t *testing.T) {
	t.Parallel()
	for name, start := range scenes() {
		s := start(t)
		if _, err := s.run(); err != nil {
			t.Fatal(err)
		}
		calls := s.reads
		for _, call := range s.writes {
			if !strings.HasPrefix(call, "write ") {
				calls++
			}
		}
		t.Logf("%s: %d calls", name, calls)
		if calls > 8 {
			t.Errorf("%s: %d calls of the forge: %d reads, %q", name, calls, s.reads, s.writes)
		}
		s.rest(t)
	}
}

// P9, P13: another run comes in between, at every point, and both end in one pull
// request; a run after them finds nothing to do.
func TestTwoRunsAtOnce(t *testing.T) {
	t.Parallel()
	for name, start := range scenes() {
		for _, newer := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, the other newer: %v", name, newer), func(t *testing.T) {
				t.Parallel()
				for at := 0; ; at++ {
					s := start(t)
					first := s.made()
					if newer {
						// The other run sees what the first does not know of yet.
						s.want(map[string]string{"a.yaml": "newest\n"})
					}
					ran := false
					s.newProcess()
					s.meanwhileAt = at
					s.meanwhile = func() {
						ran = true
						if _, err := Propose(t.Context(), s.edges(), s.made()); err != nil {
							t.Errorf("the run in between: %v", err)
						}
					}
					_, err := Propose(t.Context(), s.edges(), first)
					if err != nil && !errors.Is(err, ErrMoved) {
						t.Fatalf("with a run before call %d: %v", at, err)
					}
					if !ran {
						if at < 3 {
							t.Fatalf("there were only %d calls", at)
						}
						return
					}
					// The next one settles what both left.
					if _, err := s.run(); err != nil {
						t.Fatal(err)
					}
					s.rest(t)
					checkSite(t, s)
				}
			})
		}
	}
}

// checkSite expects what holds of every site.
func checkSite(t tester, s *site) {
	t.Helper()
	if open := s.open(); len(open) > 1 {
		t.Errorf("%d pull requests are open", len(open))
	}
	for number, comments := range s.comments {
		for _, kind := range []string{talkPeople, talkReplaced, talkObsolete} {
			marked := slices.DeleteFunc(slices.Clone(comments), func(c Comment) bool {
				return !strings.HasPrefix(c.Body, commentMarker(s.proposal.Stream, kind))
			})
			if len(marked) > 1 {
				t.Errorf("#%d has %d comments of the kind %s", number, len(marked), kind)
			}
		}
	}
	for _, c := range s.commits {
		r, ok := recordOf(c.Message, s.proposal.Stream)
		if !ok || c.Committer.Email != botEmail {
			continue
		}
		for path := range difference(s.commits[c.Parents[0]].files, c.files) {
			if !s.made().owns(path) && (len(c.Parents) < 2 || c.files[path] != s.commits[r.base].files[path]) {
				t.Errorf("a commit of ours changes %s", path)
			}
		}
	}
}

// P9: somebody pushes between the look and the push.
func TestACommitThatComesInBetweenIsKept(t *testing.T) {
	t.Parallel()
	for _, people := range []string{PeopleStop, PeopleMerge} {
		for at := range 12 {
			s := opened(t)
			s.proposal.People = people
			s.want(map[string]string{"a.yaml": "a3\n"})
			p := s.made()
			var human Hash
			s.newProcess()
			s.meanwhileAt = at
			s.meanwhile = func() {
				human = s.commitFiles(botBranch, "Ann", "mine", map[string]string{overlay: "ann\n"})
			}
			if _, err := Propose(t.Context(), s.edges(), p); err != nil {
				t.Fatalf("%s, at %d: %v", people, at, err)
			}
			if human == "" {
				if at < 5 {
					t.Errorf("%s: there were only %d calls", people, at)
				}
				break
			}
			if !s.reachable(human) {
				t.Errorf("%s: a commit that came before call %d is lost", people, at)
			}
			s.run()
			s.rest(t)
			if !s.reachable(human) {
				t.Errorf("%s: a commit that came before call %d is lost by the next run", people, at)
			}
		}
	}
}

// P13: somebody who is always faster wins, and the caller is told.
func TestARunThatAlwaysComesLateGivesUp(t *testing.T) {
	t.Parallel()
	s := opened(t)
	s.want(map[string]string{"a.yaml": "a3\n"})
	target := s.edges()
	target.Writer = lateWriter{}
	_, err := Propose(t.Context(), target, s.made())
	if !errors.Is(err, ErrMoved) {
		t.Errorf("got %v", err)
	}
}

// P13: a branch that is replaced between the question where it stands and the fetch.
func TestABranchThatIsGoneWhenItIsReadIsLookedAtAgain(t *testing.T) {
	t.Parallel()
	s := opened(t)
	s.want(map[string]string{"a.yaml": "a3\n"})
	s.newProcess()
	target := s.edges()
	target.Repo = &goneRepo{worldRepo: worldRepo{s.world}, gone: s.branches[botBranch]}
	if got, err := Propose(t.Context(), target, s.made()); err != nil || got.Operation != Updated {
		t.Errorf("got %+v, %v", got, err)
	}
}

// goneRepo does not find a commit once.
type goneRepo struct {
	worldRepo
	gone Hash
}

func (r *goneRepo) Log(ctx context.Context, commit Hash, limit int, stop func(Commit) bool) ([]Commit, error) {
	if commit == r.gone {
		r.gone = ""
		return nil, fmt.Errorf("fetching %s: %w", commit, ErrNotFound)
	}
	return r.worldRepo.Log(ctx, commit, limit, stop)
}

type lateWriter struct{ worldWriter }

func (lateWriter) Write(context.Context, Write) (Written, error) {
	return Written{}, fmt.Errorf("pushing: %w", ErrMoved)
}
