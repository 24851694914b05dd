package git_test

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"path"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hedgehog-gitops/fixtures/githttp"
	"hedgehog-gitops/gitsync"
	"hedgehog-gitops/gitsync/edge"
	"hedgehog-gitops/gitsync/git"
)

const branch = "hedgehog-gitops/fabric-a"

// served is a repository with one commit behind a handler of the test's.
func served(t *testing.T, wrap func(http.Handler) http.Handler) (*githttp.Server, githttp.Repo, string) {
	t.Helper()
	server := githttp.Start(t, githttp.Options{Wrap: wrap})
	bare := server.Init(t, "fabrics")
	return server, bare, bare.Commit(t, "main", map[string]string{"README.md": "hello\n", "fabrics/a/one.yaml": "one\n", "fabrics/a/two.yaml": "two\n"})
}

// one is a commit with a small change.
func one(old string, parents ...string) gitsync.Write {
	return gitsync.Write{Branch: branch, Old: gitsync.Hash(old), Parents: hashes(parents...), Message: "feat: one\n",
		Changes: map[string][]byte{"fabrics/a/one.yaml": []byte("changed\n")}}
}

// What is not changed stays what it is, to the bit, and exactly what is changed
// differs.
func TestWriteKeepsTheRest(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, p place) {
		files := map[string]string{
			"bin/run*": "#!/bin/sh\n", "bin/link@": "run", "bin/sub^": strings.Repeat("cd", 20), ".gitmodules": "[submodule]\n",
			"fabrics/a/one.yaml": "one\n", "fabrics/a/deep/er/two.yaml": "two\n", "fabrics/a/tool*": "#!/bin/sh\n", "fabrics/a/link@": "one.yaml",
			"größe/漢字 \"x\".yaml": "ü\n", "fabrics/b/only": "1\n", "fabrics.txt": "sorted between fabrics and fabrics/\n", "fabrics-x/y": "",
		}
		base := p.bare.Commit(t, "main", files)
		before := listed(t, p.bare, gitsync.Hash(base))
		repo := open(t, p.options)
		commit := write(t, repo, gitsync.Write{Branch: branch, Parents: hashes(base), Message: "m", Changes: map[string][]byte{
			"fabrics/a/one.yaml":   []byte("changed\n"),
			"fabrics/a/tool":       []byte("#!/bin/bash\n"),
			"fabrics/a/link":       nil,
			"fabrics/b/only":       nil,
			"fabrics/c/d/new.yaml": []byte("new\n"),
			"none/at/all":          nil,
		}})
		after := listed(t, p.bare, gitsync.Hash(commit))
		var changed []string
		for _, name := range slices.Sorted(maps.Keys(before)) {
			if got, found := after[name]; !found || got != before[name] {
				changed = append(changed, name)
			}
			delete(after, name)
		}
		changed = append(changed, slices.Sorted(maps.Keys(after))...)
		want := []string{"fabrics/a/link", "fabrics/a/one.yaml", "fabrics/a/tool", "fabrics/b/only", "fabrics/c/d/new.yaml"}
		if diff := cmp.Diff(want, changed); diff != "" {
			t.Errorf("changed files (-want +got):\n%s", diff)
		}
		if got := p.bare.Git(t, "diff-tree", "-r", "--name-only", base, commit); got != strings.Join(want, "\n") {
			t.Errorf("git says that these differ:\n%s", got)
		}
		if got := p.bare.Git(t, "ls-tree", commit, "fabrics/a/tool"); !strings.HasPrefix(got, "100755 ") {
			t.Errorf("the tool is %s", got)
		}
		if got := p.bare.Git(t, "rev-parse", commit+"^"); got != base {
			t.Errorf("its parent is %s, want %s", got, base)
		}
		p.bare.Git(t, "fsck", "--strict")

		// What was written is there to be read and to go on from, without a question.
		files2, err := repo.Files(t.Context(), gitsync.Hash(commit))
		if diff := cmp.Diff(listed(t, p.bare, gitsync.Hash(commit)), files2); err != nil || diff != "" {
			t.Errorf("%v; files (-want +got):\n%s", err, diff)
		}
		if err := repo.Delete(t.Context(), branch, gitsync.Hash(commit)); err != nil {
			t.Error(err)
		}
		if head := p.bare.Head(t, branch); head != "" {
			t.Errorf("the branch stands at %s after it was deleted", head)
		}
	})
}

func TestWriteOfNothing(t *testing.T) {
	t.Parallel()
	server, bare, base := served(t, nil)
	repo := open(t, options(bare.URL))
	same := gitsync.Write{Branch: branch, Parents: hashes(base), Message: "m",
		Changes: map[string][]byte{"fabrics/a/one.yaml": []byte("one\n"), "fabrics/none": nil}}
	_, err := repo.Write(t.Context(), same)
	wantError(t, err, gitsync.ErrUnchanged, "the commit would change nothing")
	for _, r := range server.Requests() {
		if r.Writes() {
			t.Errorf("it asked to push: %+v", r)
		}
	}
	if head := bare.Head(t, branch); head != "" {
		t.Errorf("the branch stands at %s", head)
	}
	// A merge may have the files of its first parent.
	other := bare.Commit(t, "other", map[string]string{"README.md": "other\n"})
	same.Parents = hashes(base, other)
	commit := write(t, repo, same)
	if got := bare.Git(t, "rev-parse", commit+"^1", commit+"^2", commit+"^{tree}"); got != strings.Join([]string{base, other, bare.Git(t, "rev-parse", base+"^{tree}")}, "\n") {
		t.Errorf("the merge has %s", got)
	}
	// A branch that has moved is told first.
	same.Parents = hashes(base)
	_, err = repo.Write(t.Context(), same)
	wantError(t, err, gitsync.ErrMoved, "the branch stands at "+commit[:12]+", not nowhere")
}

func TestWriteRefusesPaths(t *testing.T) {
	t.Parallel()
	server, bare, _ := served(t, nil)
	base := bare.Commit(t, "main", map[string]string{"a/link@": "target", "a/sub^": strings.Repeat("ab", 20), "a/file": "x", "a/folder/x": "x"})
	repo := open(t, options(bare.URL))
	text := []byte("x\n")
	for name, test := range map[string]struct {
		changes map[string][]byte
		want    string
	}{
		"over a link":            {map[string][]byte{"a/link": text}, "a/link is a symbolic link in the repository, not a file"},
		"below a link":           {map[string][]byte{"a/link/x": text}, "a/link is a symbolic link in the repository, not a folder"},
		"over a submodule":       {map[string][]byte{"a/sub": text}, "a/sub is a submodule in the repository, not a file"},
		"below a submodule":      {map[string][]byte{"a/sub/x": text}, "a/sub is a submodule in the repository, not a folder"},
		"over a folder":          {map[string][]byte{"a/folder": text}, "a/folder is a folder in the repository"},
		"a folder away":          {map[string][]byte{"a/folder": nil}, "a/folder is a folder in the repository"},
		"below a file":           {map[string][]byte{"a/file/x": text}, "a/file is a file in the repository, not a folder"},
		"both":                   {map[string][]byte{"a/new": text, "a/new/x": text}, "a/new is to be a file and a folder at once"},
		"workflows":              {map[string][]byte{".github/workflows/x.yaml": text}, ".github/workflows/x.yaml is not changed: workflows are people's"},
		"workflows, shouted":     {map[string][]byte{".GitHub/x": nil}, "workflows are people's"},
		"out of the repository":  {map[string][]byte{"../x": text}, "refused path"},
		"into git's own":         {map[string][]byte{"a/.git/config": text}, "refused path"},
		"an absolute one":        {map[string][]byte{"/x": text}, "refused path"},
		"a parent that is no id": {nil, `"x" is no id of a commit`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := gitsync.Write{Branch: branch, Parents: hashes(base), Message: "m", Changes: test.changes}
			if test.changes == nil {
				w.Parents = hashes("x")
			}
			_, err := repo.Write(t.Context(), w)
			wantError(t, err, nil, test.want)
			wantError(t, repo.Check(t.Context(), w), nil, test.want)
		})
	}
	t.Cleanup(func() {
		for _, r := range server.Requests() {
			if r.Writes() {
				t.Errorf("it asked to push: %+v", r)
			}
		}
	})
	// A file may become a folder, and a folder a file, when that is said.
	w := gitsync.Write{Branch: "allowed", Parents: hashes(base), Message: "m", Changes: map[string][]byte{
		"a/file": nil, "a/file/x": text, "a/link": nil, "a/sub": nil, "a/sub/x": nil, "a/folder": text, "a/folder/x": nil}}
	if err := repo.Check(t.Context(), w); err != nil {
		t.Error(err)
	}
}

func TestWriteRefusesWhatGitWouldNotTake(t *testing.T) {
	t.Parallel()
	_, bare, base := served(t, nil)
	for name, test := range map[string]struct {
		change func(*git.Options, *gitsync.Write)
		want   string
	}{
		"no name":                  {func(o *git.Options, _ *gitsync.Write) { o.Name = " " }, `"" is no name of who commits`},
		"no address":               {func(o *git.Options, _ *gitsync.Write) { o.Email = "" }, `"" is no address of who commits`},
		"a name of two lines":      {func(o *git.Options, _ *gitsync.Write) { o.Name = "a\nparent x" }, "is no name of who commits"},
		"an address in an address": {func(o *git.Options, _ *gitsync.Write) { o.Email = "a> 0 +0000" }, "is no address of who commits"},
		"no message":               {func(_ *git.Options, w *gitsync.Write) { w.Message = "\n" }, "the message of the commit is empty"},
		"a message with a zero":    {func(_ *git.Options, w *gitsync.Write) { w.Message = "a\x00b" }, "the message of the commit is empty or no text"},
		"no branch":                {func(_ *git.Options, w *gitsync.Write) { w.Branch = "" }, `"" is no name of a branch`},
		"a branch that is none":    {func(_ *git.Options, w *gitsync.Write) { w.Branch = "a..b" }, `"a..b" is no name of a branch`},
		"a branch of two lines":    {func(_ *git.Options, w *gitsync.Write) { w.Branch = "a\nb" }, `"a b" is no name of a branch`},
		"no id":                    {func(_ *git.Options, w *gitsync.Write) { w.Old = "main" }, `"main" is no id of a commit`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o, w := options(bare.URL), one("", base)
			test.change(&o, &w)
			_, err := open(t, o).Write(t.Context(), w)
			wantError(t, err, nil, test.want)
		})
	}
}

// Nobody's push is lost when two are at work: the server compares and swaps.
func TestOnlyOneOfManyWrites(t *testing.T) {
	t.Parallel()
	_, bare, base := served(t, nil)
	var wins atomic.Int32
	var winner atomic.Value
	var wait sync.WaitGroup
	for i := range 8 {
		repo := open(t, options(bare.URL))
		wait.Go(func() {
			w := one("", base)
			w.Changes["fabrics/a/one.yaml"] = fmt.Append(nil, i)
			written, err := repo.Write(t.Context(), w)
			if err == nil {
				wins.Add(1)
				winner.Store(string(written.Commit))
			} else if !errors.Is(err, gitsync.ErrMoved) {
				t.Errorf("error %v, want one that is %q", err, gitsync.ErrMoved)
			}
		})
	}
	wait.Wait()
	if head := bare.Head(t, branch); wins.Load() != 1 || head != winner.Load() {
		t.Errorf("%d writes won; the branch stands at %s, the winner wrote %v", wins.Load(), head, winner.Load())
	}
}

// fault is a wrong that a test does to the requests of a push or of a read.
type fault struct {
	// of is whether the request is one of those; the first few are hit.
	of    func(*http.Request) bool
	times int32
	// hit answers; next is git.
	hit func(w http.ResponseWriter, r *http.Request, next http.Handler)
}

func (f *fault) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if f.of != nil && f.of(r) && atomic.AddInt32(&f.times, -1) >= 0 {
			f.hit(w, r, next)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func pushes(r *http.Request) bool {
	return r.Method == http.MethodPost && path.Base(r.URL.Path) == "git-receive-pack"
}
func fetches(r *http.Request) bool {
	return r.Method == http.MethodPost && path.Base(r.URL.Path) == "git-upload-pack"
}
func asks(r *http.Request) bool {
	return r.Method == http.MethodGet && strings.HasSuffix(r.URL.RawQuery, "git-upload-pack")
}

// hangUp ends the connection.
func hangUp(http.ResponseWriter, *http.Request, http.Handler) { panic(http.ErrAbortHandler) }

// hangUpDone lets git do what was asked and ends the connection.
func hangUpDone(_ http.ResponseWriter, r *http.Request, next http.Handler) {
	next.ServeHTTP(httptest.NewRecorder(), r)
	panic(http.ErrAbortHandler)
}

// hangUpHalfway ends the connection in the middle of the answer.
func hangUpHalfway(w http.ResponseWriter, r *http.Request, next http.Handler) {
	answer := httptest.NewRecorder()
	next.ServeHTTP(answer, r)
	maps.Copy(w.Header(), answer.Header())
	body := answer.Body.Bytes()
	_, _ = w.Write(body[:len(body)/2])
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

// status answers with a status.
func status(code int, header ...string) func(http.ResponseWriter, *http.Request, http.Handler) {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		http.Error(w, "something\x1b[31m is\nwrong", code)
	}
}

// badGatewayDone lets git do what was asked and tells nobody.
func badGatewayDone(w http.ResponseWriter, r *http.Request, next http.Handler) {
	next.ServeHTTP(httptest.NewRecorder(), r)
	http.Error(w, "bad gateway", http.StatusBadGateway)
}

// However the answer of a push is lost, the branch ends in the new commit, and the
// push is sent again only where it was not done.
func TestPushWhoseAnswerIsLost(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		fault  fault
		pushes int
	}{
		"before it was done":              {fault{times: 1, hit: hangUp}, 2},
		"before it was done, three times": {fault{times: 3, hit: hangUp}, 4},
		"after it was done":               {fault{times: 1, hit: hangUpDone}, 1},
		"in the middle of the answer":     {fault{times: 1, hit: hangUpHalfway}, 1},
		"a gateway fails before":          {fault{times: 1, hit: status(http.StatusBadGateway)}, 2},
		"a gateway fails after":           {fault{times: 1, hit: badGatewayDone}, 1},
		"the server asks to wait":         {fault{times: 1, hit: status(http.StatusTooManyRequests)}, 2},
		"it is done and the answer is odd": {fault{times: 1, hit: func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			badGatewayDone(httptest.NewRecorder(), r, next)
			status(http.StatusOK)(w, r, next)
		}}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.fault.of = pushes
			server, bare, base := served(t, test.fault.wrap)
			written, err := open(t, options(bare.URL)).Write(t.Context(), one("", base))
			count := 0
			for _, r := range server.Requests() {
				if r.Writes() && r.Method == http.MethodPost {
					count++
				}
			}
			if count != test.pushes {
				t.Errorf("%d pushes were sent, want %d", count, test.pushes)
			}
			if head := bare.Head(t, branch); err != nil || head != string(written.Commit) || head == "" {
				t.Errorf("it wrote %q, %v; the branch stands at %q", written.Commit, err, head)
			}
			if log := bare.Git(t, "rev-list", "--all", "--count"); log != "2" {
				t.Errorf("%s commits, want 2", log)
			}
			bare.Git(t, "fsck", "--strict")
		})
	}
}

// The same for a branch that is deleted.
func TestDeleteWhoseAnswerIsLost(t *testing.T) {
	t.Parallel()
	for name, hit := range map[string]func(http.ResponseWriter, *http.Request, http.Handler){"before": hangUp, "after": hangUpDone, "halfway": hangUpHalfway} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, bare, base := served(t, (&fault{of: pushes, times: 1, hit: hit}).wrap)
			bare.Git(t, "branch", branch, base)
			if err := open(t, options(bare.URL)).Delete(t.Context(), branch, gitsync.Hash(base)); err != nil {
				t.Error(err)
			}
			if head := bare.Head(t, branch); head != "" {
				t.Errorf("the branch stands at %s", head)
			}
		})
	}
}

func TestPushThatNeverSucceeds(t *testing.T) {
	t.Parallel()
	t.Run("the server always hangs up", func(t *testing.T) {
		t.Parallel()
		server, bare, base := served(t, (&fault{of: pushes, times: 1000, hit: hangUp}).wrap)
		o := options(bare.URL)
		o.Tries = 3
		_, err := open(t, o).Write(t.Context(), one("", base))
		wantError(t, err, nil, "writing to hedgehog-gitops/fabric-a: the answer ends in the middle")
		n := 0
		for _, r := range server.Requests() {
			if r.Writes() && r.Method == http.MethodPost {
				n++
			}
		}
		if n != 3 {
			t.Errorf("%d pushes were sent, want 3", n)
		}
	})
	t.Run("nobody can say what came of it", func(t *testing.T) {
		t.Parallel()
		var gone atomic.Bool
		_, bare, base := served(t, func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if gone.Load() {
					status(http.StatusServiceUnavailable)(w, r, next)
				} else if pushes(r) {
					gone.Store(true)
					hangUpDone(w, r, next)
				} else {
					next.ServeHTTP(w, r)
				}
			})
		})
		_, err := open(t, options(bare.URL)).Write(t.Context(), one("", base))
		wantError(t, err, nil, "it is not known whether the push was done")
	})
	t.Run("the branch is moved after the push", func(t *testing.T) {
		t.Parallel()
		var bare githttp.Repo
		var base string
		f := fault{of: pushes, times: 1, hit: func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			next.ServeHTTP(w, r)
			bare.Git(t, "update-ref", "refs/heads/"+branch, base)
		}}
		_, bare, base = served(t, f.wrap)
		_, err := open(t, options(bare.URL)).Write(t.Context(), one("", base))
		wantError(t, err, gitsync.ErrMoved, "the branch stands at "+base[:12])
	})
	t.Run("it says done and is not", func(t *testing.T) {
		t.Parallel()
		var bare githttp.Repo
		f := fault{of: pushes, times: 1000, hit: func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			next.ServeHTTP(w, r)
			bare.Git(t, "update-ref", "-d", "refs/heads/"+branch)
		}}
		var base string
		_, bare, base = served(t, f.wrap)
		_, err := open(t, options(bare.URL)).Write(t.Context(), one("", base))
		wantError(t, err, nil, "the server says that the push was done, and the branch stands where it stood")
	})
}

// Somebody else pushes while ours is on its way.
func TestLeaseIsLostOnTheWay(t *testing.T) {
	t.Parallel()
	for name, lost := range map[string]bool{"and the answer arrives": false, "and the answer is lost": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var bare githttp.Repo
			var human string
			f := fault{of: pushes, times: 1, hit: func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				human = bare.Commit(t, branch, map[string]string{"overlay.yaml": "people's\n"})
				if lost {
					hangUpDone(w, r, next)
				}
				next.ServeHTTP(w, r)
			}}
			var base string
			_, bare, base = served(t, f.wrap)
			first := bare.Commit(t, branch, map[string]string{"x": "x"})
			_, err := open(t, options(bare.URL)).Write(t.Context(), one(first, base))
			wantError(t, err, gitsync.ErrMoved, "not at "+first[:12]+": somebody else was faster")
			if head := bare.Head(t, branch); head != human {
				t.Errorf("the branch stands at %s, want %s", head, human)
			}
		})
	}
}

// What the server's rules say arrives as one line, and nothing moves.
func TestServerRefusesPush(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		set    func(*testing.T, githttp.Repo)
		delete bool
		kind   error
		want   string
		hint   string
	}{
		"pre-receive": {func(t *testing.T, bare githttp.Repo) {
			bare.Hook(t, "pre-receive", `printf 'GH006: Protected branch update failed\n\033[31mfor %s.\033[0m' "$(head -c 3000 /dev/zero | tr '\0' x)" >&2; exit 1`)
		}, false, gitsync.ErrProtected, "the server refuses it: pre-receive hook declined: GH006: Protected branch update failed [31mfor xxx", "let who pushes pass the rules"},
		"update": {func(t *testing.T, bare githttp.Repo) { bare.Hook(t, "update", "exit 1") }, false, gitsync.ErrProtected,
			"the server refuses it: error: hook declined to update refs/heads/hedgehog-gitops/fabric-a", "a hook of the server refuses it"},
		"no right, as a hook says it": {func(t *testing.T, bare githttp.Repo) {
			bare.Hook(t, "pre-receive", `echo 'GitLab: You are not allowed to push code to this project.' >&2; exit 1`)
		}, false, gitsync.ErrDenied, "You are not allowed to push code to this project", "give the credentials the right to push"},
		"no right to workflows": {func(t *testing.T, bare githttp.Repo) {
			bare.Hook(t, "update", `echo 'refusing to allow a GitHub App to create or update workflow without workflows permission' >&2; exit 1`)
		}, false, gitsync.ErrDenied, "refusing to allow", "Workflows: write"},
		"no going back": {func(t *testing.T, bare githttp.Repo) { bare.Git(t, "config", "receive.denyNonFastForwards", "true") }, false,
			gitsync.ErrProtected, "non-fast-forward", "the server forbids to rewrite"},
		"a working copy": {func(t *testing.T, bare githttp.Repo) {
			bare.Git(t, "config", "core.bare", "false")
			bare.Git(t, "symbolic-ref", "HEAD", "refs/heads/"+branch)
		}, false, gitsync.ErrProtected, "branch is currently checked out", "use a bare repository"},
		"no deleting": {func(t *testing.T, bare githttp.Repo) { bare.Git(t, "config", "receive.denyDeletes", "true") }, true,
			gitsync.ErrProtected, "deletion prohibited", "allow to delete"},
		"no deleting what HEAD is": {func(t *testing.T, bare githttp.Repo) {
			bare.Git(t, "config", "receive.denyDeleteCurrent", "refuse")
			bare.Git(t, "symbolic-ref", "HEAD", "refs/heads/"+branch)
		}, true, gitsync.ErrProtected, "deletion of the current branch prohibited", "allow to delete"},
		"what it cannot take": {func(t *testing.T, bare githttp.Repo) { bare.Git(t, "config", "receive.maxInputSize", "50") }, false,
			nil, "the server cannot take what was sent", "its log says why"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, bare, base := served(t, nil)
			first := bare.Commit(t, branch, map[string]string{"x": "x"})
			test.set(t, bare)
			repo := open(t, options(bare.URL))
			var err error
			if test.delete {
				err = repo.Delete(t.Context(), branch, gitsync.Hash(first))
			} else {
				_, err = repo.Write(t.Context(), one(first, base))
			}
			wantError(t, err, test.kind, test.want)
			var e *edge.Error
			if errors.As(err, &e) && !strings.Contains(e.Hint, test.hint) {
				t.Errorf("hint %q, want one that says %q", e.Hint, test.hint)
			}
			if len(err.Error()) > 700 {
				t.Errorf("an error of %d bytes", len(err.Error()))
			}
			if head := bare.Head(t, branch); head != first {
				t.Errorf("the branch went to %s", head)
			}
		})
	}
}

// Reads are repeated where that may help, with the pauses that the server asks for.
func TestReadsAreRepeated(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		fault fault
		want  string // the error; "" for none
	}{
		"asked, hung up":                {fault{of: asks, times: 4, hit: hangUp}, ""},
		"asked, hung up too often":      {fault{of: asks, times: 5, hit: hangUp}, "the answer ends in the middle; tried 5 times"},
		"asked, cut":                    {fault{of: asks, times: 2, hit: hangUpHalfway}, ""},
		"asked, overloaded":             {fault{of: asks, times: 2, hit: status(http.StatusServiceUnavailable)}, ""},
		"asked, too many requests":      {fault{of: asks, times: 2, hit: status(http.StatusTooManyRequests)}, ""},
		"asked, told to wait for long":  {fault{of: asks, times: 2, hit: status(http.StatusTooManyRequests, "Retry-After", "3600")}, "the server asks to wait for 1h0m0s"},
		"asked, GitHub's other limit":   {fault{of: asks, times: 2, hit: status(http.StatusForbidden, "Retry-After", "3600")}, "the server asks to wait for 1h0m0s"},
		"asked, a request that is none": {fault{of: asks, times: 1, hit: status(http.StatusBadRequest)}, "something [31m is wrong (HTTP 400)"},
		"fetched, hung up":              {fault{of: fetches, times: 4, hit: hangUp}, ""},
		"fetched, cut":                  {fault{of: fetches, times: 3, hit: hangUpHalfway}, ""},
		"fetched, bad gateway":          {fault{of: fetches, times: 2, hit: status(http.StatusBadGateway)}, ""},
		"fetched, always bad gateway":   {fault{of: fetches, times: 99, hit: status(http.StatusBadGateway)}, "something [31m is wrong; tried 5 times (HTTP 502)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, bare, base := served(t, test.fault.wrap)
			repo := open(t, options(bare.URL))
			_, err := repo.Head(t.Context(), "main")
			if err == nil {
				_, err = repo.Read(t.Context(), gitsync.Hash(base), []string{"fabrics/a/one.yaml"})
			}
			if test.want == "" && err != nil {
				t.Error(err)
			} else if test.want != "" {
				wantError(t, err, nil, test.want)
			}
		})
	}
}

// Many files at once, and 5,000 others that are left alone.
func TestLargeTree(t *testing.T) {
	t.Parallel()
	files := map[string]string{}
	for i := range 5000 {
		files[fmt.Sprintf("fabrics/a/base/%02d/object-%04d.yaml", i%50, i)] = fmt.Sprintf("object: %d\n", i)
	}
	server := githttp.Start(t, githttp.Options{})
	bare := server.Init(t, "fabrics")
	base := bare.Commit(t, "main", files)
	repo := open(t, options(bare.URL))
	if got, err := repo.Files(t.Context(), gitsync.Hash(base), "fabrics/a/base"); err != nil || len(got) != 5000 {
		t.Fatalf("%d files, %v", len(got), err)
	}
	w := gitsync.Write{Branch: branch, Parents: hashes(base), Message: "m", Changes: map[string][]byte{}}
	for i := range 5000 {
		name := fmt.Sprintf("fabrics/a/base/%02d/object-%04d.yaml", i%50, i)
		switch {
		case i%100 == 7:
			w.Changes[name] = fmt.Appendf(nil, "object: %d changed\n", i)
			files[name] = string(w.Changes[name])
		case i%1000 == 0:
			w.Changes[name] = nil
			delete(files, name)
		}
	}
	server.Requests()
	write(t, repo, w)
	if diff := cmp.Diff(files, bare.Files(t, branch)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	bare.Git(t, "fsck", "--strict")
	var sent int64
	for _, r := range server.Requests() {
		sent += r.Received
	}
	// 55 changed files; whole trees would be another 50 times 3 kB.
	if sent > 30_000 {
		t.Errorf("%d bytes were sent for %d changed files", sent, len(w.Changes))
	}
}

// What crosses the network is what is needed.
func TestFewRequests(t *testing.T) {
	t.Parallel()
	server, bare, _ := served(t, nil)
	big := strings.Repeat("an incompressible text? no\n", 10000)
	base := bare.Commit(t, "main", map[string]string{"other/big": big, "fabrics/a/big": big, "fabrics/b/c/d/e": "x"})
	repo := open(t, options(bare.URL))
	steps := []struct {
		name     string
		do       func() error
		requests int
	}{
		{"head", func() error { _, err := repo.Head(t.Context(), "main"); return err }, 1},
		{"files", func() error { _, err := repo.Files(t.Context(), gitsync.Hash(base), "fabrics/a"); return err }, 2},
		{"files again", func() error { _, err := repo.Files(t.Context(), gitsync.Hash(base), "fabrics/a"); return err }, 0},
		{"read", func() error {
			_, err := repo.Read(t.Context(), gitsync.Hash(base), []string{"fabrics/a/one.yaml", "fabrics/a/two.yaml"})
			return err
		}, 1},
		{"read again", func() error {
			_, err := repo.Read(t.Context(), gitsync.Hash(base), []string{"fabrics/a/two.yaml"})
			return err
		}, 0},
		{"write", func() error { _, err := repo.Write(t.Context(), one("", base)); return err }, 3},
		{"log", func() error { _, err := repo.Log(t.Context(), gitsync.Hash(base), 1, nil); return err }, 0},
		{"longer log", func() error { _, err := repo.Log(t.Context(), gitsync.Hash(base), 100, nil); return err }, 1},
	}
	var down int64
	for _, step := range steps {
		server.Requests()
		if err := step.do(); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		requests := server.Requests()
		if len(requests) != step.requests {
			t.Errorf("%s: %d requests, want %d: %v", step.name, len(requests), step.requests, requests)
		}
		for _, r := range requests {
			down += r.Sent
		}
	}
	if down > 6000 {
		t.Errorf("%d bytes were read", down)
	}
}
