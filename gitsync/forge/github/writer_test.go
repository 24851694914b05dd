package github_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	hub "hedgehog-gitops/fixtures/github"
	"hedgehog-gitops/gitsync"
)

// ourWrite goes on from where the usual branch stands.
func (f fixture) ourWrite(t *testing.T) gitsync.Write {
	t.Helper()
	head := gitsync.Hash(f.Repo.Head(t, branch))
	return gitsync.Write{
		Branch: branch, Old: head, Parents: []gitsync.Hash{head}, Message: "feat: a change\n\nTrailer: x\n",
		Changes: map[string][]byte{"fabrics/b.yaml": []byte("b\n"), "fabrics/bin": {0xff, 0xfe}},
	}
}

// Each request of a write, killed once before and once after GitHub did it: the
// branch stands at the new commit or where it stood, and what is reported is true.
func TestAWriteSurvivesWhatGetsLost(t *testing.T) {
	t.Parallel()
	operations := []string{"git/get-commit", "git/get-tree", "git/create-blob", "git/create-tree", "git/create-commit", "git/get-ref", "git/update-ref", "git/create-ref"}
	faults := map[string]func(string) hub.Fault{
		"a gateway that failed": hub.BadGateway, "a gateway that failed later": hub.BadGatewayAfter, "cut before": hub.CutBefore, "cut after": hub.Lost,
		"a limit": func(operation string) hub.Fault { return hub.Secondary(operation, 3) },
	}
	for _, operation := range operations {
		for how, fault := range faults {
			t.Run(operation+", "+how, func(t *testing.T) {
				t.Parallel()
				f := newFixture(t, hub.Options{}, "an App", nil)
				w := f.ourWrite(t)
				if operation == "git/create-ref" {
					w.Branch, w.Old = "new", ""
				}
				f.Fail(fault(operation))
				written, err := f.forge.Writer().Write(t.Context(), w)
				if err != nil || !written.Verified || gitsync.Hash(f.Repo.Head(t, w.Branch)) != written.Commit {
					t.Errorf("wrote %+v, %v; the branch stands at %s", written, err, f.Repo.Head(t, w.Branch))
				}
				if got := f.Repo.Files(t, w.Branch)["fabrics/b.yaml"]; got != "b\n" {
					t.Errorf("the file has %q", got)
				}
				if f.Left() != 0 {
					t.Error("nothing went wrong")
				}
			})
		}
	}
}

// The same for good: nothing is reported that is not so.
func TestAWriteThatFailsLeavesTheBranch(t *testing.T) {
	t.Parallel()
	for _, operation := range []string{"git/get-commit", "git/get-tree", "git/create-blob", "git/create-tree", "git/create-commit", "git/get-ref", "git/update-ref"} {
		t.Run(operation, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, hub.Options{}, "an App", nil)
			w := f.ourWrite(t)
			fault := hub.BadGateway(operation)
			fault.Times = 100
			f.Fail(fault)
			written, err := f.forge.Writer().Write(t.Context(), w)
			if err == nil || written != (gitsync.Written{}) {
				t.Errorf("wrote %+v, %v", written, err)
			}
			wantError(t, err, nil, "writing to "+branch)
			if head := f.Repo.Head(t, branch); head != string(w.Old) {
				t.Errorf("the branch went to %s", head)
			}
		})
	}
}

// Somebody pushes in the moment before the branch is moved. What goes on from the
// old commit is never forced, so nobody's commit is lost.
func TestAPushInBetweenIsKept(t *testing.T) {
	t.Parallel()
	push := func(t *testing.T, f fixture) func() {
		return func() { f.Repo.Commit(t, branch, map[string]string{"overlay.yaml": "people's\n"}) }
	}
	for name, test := range map[string]struct {
		operation string
		change    func(*testing.T, fixture, *gitsync.Write)
	}{
		"before the branch is read": {"git/get-ref", func(*testing.T, fixture, *gitsync.Write) {}},
		"after the branch is read":  {"git/update-ref", func(*testing.T, fixture, *gitsync.Write) {}},
		"before a branch is made anew": {"git/get-ref", func(t *testing.T, f fixture, w *gitsync.Write) {
			w.Parents = []gitsync.Hash{gitsync.Hash(f.Repo.Head(t, "main"))}
		}},
		"before a branch is made at all": {"git/create-ref", func(t *testing.T, f fixture, w *gitsync.Write) {
			f.Repo.Git(t, "update-ref", "-d", "refs/heads/"+branch)
			w.Old = ""
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, hub.Options{}, "an App", nil)
			w := f.ourWrite(t)
			test.change(t, f, &w)
			f.Fail(hub.Fault{Operation: test.operation, Act: true, Status: 502, HTML: true, Meanwhile: push(t, f)})
			written, err := f.forge.Writer().Write(t.Context(), w)
			if !errors.Is(err, gitsync.ErrMoved) {
				t.Errorf("wrote %+v, %v; want an error that is %q", written, err, gitsync.ErrMoved)
			}
			if got := f.Repo.Files(t, branch)["overlay.yaml"]; got != "people's\n" {
				t.Errorf("the person's commit is gone: %v", f.Repo.Files(t, branch))
			}
		})
	}
}

func TestDeletingSurvivesWhatGetsLost(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]hub.Fault{
		"a gateway that failed":       hub.BadGateway("git/delete-ref"),
		"a gateway that failed later": hub.BadGatewayAfter("git/delete-ref"),
		"cut before":                  hub.CutBefore("git/delete-ref"),
		"cut after":                   hub.Lost("git/delete-ref"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, hub.Options{}, "an App", nil)
			f.Fail(fault)
			if err := f.forge.Writer().Delete(t.Context(), branch, f.ourWrite(t).Old); err != nil || f.Repo.Head(t, branch) != "" {
				t.Errorf("deleting: %v; it stands at %q", err, f.Repo.Head(t, branch))
			}
		})
	}
	t.Run("what is hidden is not asked for ever", func(t *testing.T) {
		t.Parallel()
		f := newFixture(t, hub.Options{}, "an App", nil)
		fault := hub.Missing("git/delete-ref")
		fault.Times = 1000
		f.Fail(fault)
		wantError(t, f.forge.Writer().Delete(t.Context(), branch, f.ourWrite(t).Old), gitsync.ErrNotFound)
	})
}

func TestNothingIsWrittenWhenNothingChanges(t *testing.T) {
	t.Parallel()
	f := newFixture(t, hub.Options{}, "an App", nil)
	w := f.ourWrite(t)
	w.Changes = map[string][]byte{"fabrics/a.yaml": []byte("a\n"), "fabrics/gone.yaml": nil}
	_, err := f.forge.Writer().Write(t.Context(), w)
	wantError(t, err, gitsync.ErrUnchanged)
	for _, r := range f.Requests() {
		if r.Writes {
			t.Errorf("it asked for %s", r.Operation)
		}
	}
	w.Old = gitsync.Hash(f.Repo.Head(t, "main"))
	_, err = f.forge.Writer().Write(t.Context(), w)
	wantError(t, err, gitsync.ErrMoved)
	// A merge is something, even with the same files.
	w = f.ourWrite(t)
	w.Parents, w.Changes = append(w.Parents, gitsync.Hash(f.Repo.Head(t, "main"))), nil
	if _, err := f.forge.Writer().Write(t.Context(), w); err != nil {
		t.Error(err)
	}
}

func TestWhatIsNotWritten(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(*gitsync.Write)
		want   string
	}{
		"workflows":                  {func(w *gitsync.Write) { w.Changes = map[string][]byte{".github/workflows/x.yaml": nil} }, "workflows are people's"},
		"workflows, spelt otherwise": {func(w *gitsync.Write) { w.Changes = map[string][]byte{".GitHub/x": []byte("x")} }, "workflows are people's"},
		"a path that leads out":      {func(w *gitsync.Write) { w.Changes = map[string][]byte{"fabrics/../../x": nil} }, "refused path"},
		"no message":                 {func(w *gitsync.Write) { w.Message = " \n" }, "message"},
		"a message that is no text":  {func(w *gitsync.Write) { w.Message = "a\xff" }, "message"},
		"a first commit":             {func(w *gitsync.Write) { w.Parents = nil }, "no first commit"},
		"a folder":                   {func(w *gitsync.Write) { w.Changes = map[string][]byte{"fabrics": []byte("x")} }, "fabrics is a folder"},
		"below a file":               {func(w *gitsync.Write) { w.Changes = map[string][]byte{"fabrics/a.yaml/b": []byte("x")} }, "fabrics/a.yaml is no folder"},
		"a link":                     {func(w *gitsync.Write) { w.Changes = map[string][]byte{"fabrics/link": []byte("x")} }, "fabrics/link is a link"},
		"a submodule":                {func(w *gitsync.Write) { w.Changes = map[string][]byte{"fabrics/sub": []byte("x")} }, "fabrics/sub is a link or a submodule"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, hub.Options{}, "an App", nil)
			f.Repo.Commit(t, branch, map[string]string{"fabrics/link@": "a.yaml", "fabrics/sub^": strings.Repeat("1", 40)})
			w := f.ourWrite(t)
			test.change(&w)
			if _, err := f.forge.Writer().Write(t.Context(), w); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one with %q", err, test.want)
			}
			for _, r := range f.Requests() {
				if r.Writes {
					t.Errorf("it asked for %s", r.Operation)
				}
			}
		})
	}
	t.Run("links and submodules can be removed", func(t *testing.T) {
		t.Parallel()
		f := newFixture(t, hub.Options{}, "an App", nil)
		f.Repo.Commit(t, branch, map[string]string{"fabrics/link@": "a.yaml", "fabrics/sub^": strings.Repeat("1", 40)})
		w := f.ourWrite(t)
		w.Changes = map[string][]byte{"fabrics/link": nil, "fabrics/sub": nil, "fabrics/a.yaml/below": nil}
		if _, err := f.forge.Writer().Write(t.Context(), w); err != nil {
			t.Fatal(err)
		}
		want := map[string]string{"fabrics/a.yaml": "a\n", "README.md": "# fabrics\n"}
		if diff := cmp.Diff(want, f.Repo.Files(t, branch)); diff != "" {
			t.Errorf("files (-want +got):\n%s", diff)
		}
	})
}

// A tree that is cut is read folder by folder, and only where something changes.
func TestALargeRepositoryCostsFewRequests(t *testing.T) {
	t.Parallel()
	f := newFixture(t, hub.Options{TreeLimit: 50}, "an App", nil)
	files := map[string]string{}
	for i := range 300 {
		files[fmt.Sprintf("fabrics/a/base/%d/%d.yaml", i%10, i)] = "x\n"
	}
	f.Repo.Commit(t, branch, files)
	w := f.ourWrite(t)
	w.Changes = map[string][]byte{"fabrics/a/base/3/3.yaml": []byte("changed\n"), "fabrics/a/base/3/13.yaml": nil, "fabrics/a/base/3/never.yaml": nil}
	if _, err := f.forge.Writer().Write(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	trees := 0
	for _, r := range f.Requests() {
		if r.Operation == "git/get-tree" {
			trees++
		}
	}
	if trees != 1+5 { // the cut one, then fabrics/a/base/3 from the root
		t.Errorf("it read %d trees", trees)
	}
	if got := f.Repo.Files(t, branch); got["fabrics/a/base/3/3.yaml"] != "changed\n" || len(got) != 300+2-1 {
		t.Errorf("there are %d files now", len(got))
	}
}
