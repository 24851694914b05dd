package git_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hedgehog-gitops/fixtures/githttp"
	"hedgehog-gitops/gitsync"
	"hedgehog-gitops/gitsync/edge"
	"hedgehog-gitops/gitsync/forge/forgetest"
	"hedgehog-gitops/gitsync/git"
)

// options are those of a bot in a hurry.
func options(url string) git.Options {
	return git.Options{
		URL: url, Name: "Bot", Email: "bot@example.com", Now: func() time.Time { return time.Unix(1_800_000_000, 0).UTC() },
		FirstWait: time.Millisecond, MaxWait: 20 * time.Millisecond,
	}
}

func open(t *testing.T, o git.Options) *git.Repo {
	t.Helper()
	repo, err := git.Open(o)
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

func hashes(all ...string) []gitsync.Hash {
	var out []gitsync.Hash
	for _, h := range all {
		out = append(out, gitsync.Hash(h))
	}
	return out
}

func write(t *testing.T, w gitsync.Writer, what gitsync.Write) string {
	t.Helper()
	written, err := w.Write(t.Context(), what)
	if err != nil {
		t.Fatal(err)
	}
	return string(written.Commit)
}

// wantError fails unless the error is of the kind, says what is wanted, on one line.
func wantError(t *testing.T, err, kind error, want string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one that says %q", want)
	}
	if kind != nil && !errors.Is(err, kind) {
		t.Errorf("error %v, want one that is %q", err, kind)
	}
	if !strings.Contains(err.Error(), want) {
		t.Errorf("error %q, want one that says %q", err, want)
	}
	if strings.ContainsAny(err.Error(), "\n\x1b") {
		t.Errorf("error %q has more than one line, or orders for a terminal", err)
	}
	if !errors.As(err, new(*edge.Error)) {
		t.Errorf("error of type %T, want an edge.Error", err)
	}
}

// place is a way to a repository.
type place struct {
	options git.Options
	bare    githttp.Repo
}

// places are all ways, each to an empty repository of its own.
func places() map[string]func(*testing.T) place {
	return map[string]func(*testing.T) place{
		"http": func(t *testing.T) place {
			bare := githttp.Start(t, githttp.Options{}).Init(t, "org/fabrics")
			return place{options(bare.URL), bare}
		},
		"https with a password": func(t *testing.T) place {
			server := githttp.Start(t, githttp.Options{TLS: true, User: "x-access-token", Password: "s3cret"})
			bare := server.Init(t, "org/fabrics")
			o := options(bare.URL)
			o.CA = server.CA
			o.Token = func(context.Context) (string, error) { return "s3cret", nil }
			return place{o, bare}
		},
		"https with a bearer token": func(t *testing.T) place {
			server := githttp.Start(t, githttp.Options{TLS: true, Token: "s3cret"})
			bare := server.Init(t, "org/fabrics")
			o := options(bare.URL)
			o.RootCAs, o.Bearer = server.Pool(), true
			o.Token = func(context.Context) (string, error) { return "s3cret", nil }
			return place{o, bare}
		},
		"ssh": func(t *testing.T) place {
			bare := githttp.Init(t, t.TempDir())
			return place{startSSH(t).options(bare), bare}
		},
		"file": func(t *testing.T) place {
			bare := githttp.Init(t, t.TempDir())
			return place{options(bare.URL), bare}
		},
		"a path": func(t *testing.T) place {
			bare := githttp.Init(t, t.TempDir())
			return place{options(bare.Dir), bare}
		},
		"no filter": func(t *testing.T) place {
			bare := githttp.Start(t, githttp.Options{}).Init(t, "org/fabrics")
			bare.Git(t, "config", "uploadpack.allowFilter", "false")
			return place{options(bare.URL), bare}
		},
		"no filter of trees": func(t *testing.T) place {
			bare := githttp.Start(t, githttp.Options{}).Init(t, "org/fabrics")
			bare.Git(t, "config", "uploadpackfilter.tree.allow", "false")
			return place{options(bare.URL), bare}
		},
		"a filter that is refused": func(t *testing.T) place {
			bare := githttp.Start(t, githttp.Options{}).Init(t, "org/fabrics")
			bare.Git(t, "config", "uploadpackfilter.allow", "false")
			return place{options(bare.URL), bare}
		},
		"nothing by its id": func(t *testing.T) place {
			bare := githttp.Start(t, githttp.Options{}).Init(t, "org/fabrics")
			bare.Git(t, "config", "uploadpack.allowAnySHA1InWant", "false")
			return place{options(bare.URL), bare}
		},
		"only commits by their id": func(t *testing.T) place {
			bare := githttp.Start(t, githttp.Options{}).Init(t, "org/fabrics")
			bare.Git(t, "config", "uploadpack.allowAnySHA1InWant", "false")
			bare.Git(t, "config", "uploadpack.allowReachableSHA1InWant", "true")
			return place{options(bare.URL), bare}
		},
		"no filter and nothing by its id": func(t *testing.T) place {
			bare := githttp.Start(t, githttp.Options{}).Init(t, "org/fabrics")
			bare.Git(t, "config", "uploadpack.allowFilter", "false")
			bare.Git(t, "config", "uploadpack.allowAnySHA1InWant", "false")
			return place{options(bare.URL), bare}
		},
	}
}

// everywhere runs a test over all ways to a repository.
func everywhere(t *testing.T, test func(*testing.T, place)) {
	for name, at := range places() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, at(t))
		})
	}
}

func TestWriterContract(t *testing.T) {
	t.Parallel()
	protect := func(bare githttp.Repo) func(testing.TB, string) {
		return func(t testing.TB, branch string) {
			bare.Hook(t, "update", fmt.Sprintf(`[ "$1" != refs/heads/%s ] || { echo "%s is protected" >&2; exit 1; }`, branch, branch))
		}
	}
	t.Run("http", func(t *testing.T) {
		t.Parallel()
		forgetest.RunWriter(t, func(t *testing.T) forgetest.WriterSetup {
			server := githttp.Start(t, githttp.Options{Password: "s3cret", User: "writer", Wrap: func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if strings.Contains(r.RequestURI, "reader.git") && strings.Contains(r.RequestURI, "git-receive-pack") {
						http.Error(w, "Write access to repository not granted.", http.StatusForbidden)
						return
					}
					r.URL.Path = strings.Replace(r.URL.Path, "reader.git", "fabrics.git", 1)
					next.ServeHTTP(w, r)
				})
			}})
			bare := server.Init(t, "fabrics")
			bare.Commit(t, "main", map[string]string{"a": "b"})
			o := options(strings.Replace(bare.URL, "://", "://writer:s3cret@", 1))
			reader := o
			reader.URL = strings.Replace(o.URL, "fabrics.git", "reader.git", 1)
			return forgetest.WriterSetup{
				Writer: open(t, o), Remote: o.URL, Base: "main", Protect: protect(bare),
				ReadOnly: open(t, reader), Secrets: []string{"s3cret"},
			}
		})
	})
	t.Run("ssh", func(t *testing.T) {
		t.Parallel()
		forgetest.RunWriter(t, func(t *testing.T) forgetest.WriterSetup {
			server, bare := startSSH(t), githttp.Init(t, t.TempDir())
			bare.Commit(t, "main", map[string]string{"a": "b"})
			o := server.options(bare)
			reader := o
			reader.SSHKey = server.readOnly
			return forgetest.WriterSetup{
				Writer: open(t, o), Remote: bare.URL, Base: "main", Protect: protect(bare), ReadOnly: open(t, reader),
			}
		})
	})
}

// A first commit is written to a repository in which nothing is, then one after it.
func TestEmptyRepository(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, p place) {
		repo := open(t, p.options)
		if branch, err := repo.DefaultBranch(t.Context()); branch != "" || err != nil {
			t.Errorf("its default branch is %q, %v; want none", branch, err)
		}
		if head, err := repo.Head(t.Context(), "main"); head != "" || err != nil {
			t.Errorf("main stands at %q, %v; want nowhere", head, err)
		}
		first := write(t, repo, gitsync.Write{Branch: "main", Message: "first\n", Changes: map[string][]byte{"a/b.yaml": []byte("1\n"), "c": {}}})
		if diff := cmp.Diff(map[string]string{"a/b.yaml": "1\n", "c": ""}, p.bare.Files(t, "main")); diff != "" {
			t.Errorf("files (-want +got):\n%s", diff)
		}
		if branch, err := repo.DefaultBranch(t.Context()); branch != "main" || err != nil {
			t.Errorf("its default branch is %q, %v; want main", branch, err)
		}
		second := write(t, repo, gitsync.Write{Branch: "main", Old: gitsync.Hash(first), Parents: hashes(first), Message: "second",
			Changes: map[string][]byte{"c": nil, "d": []byte("d")}})
		if diff := cmp.Diff(map[string]string{"a/b.yaml": "1\n", "d": "d"}, p.bare.Files(t, "main")); diff != "" {
			t.Errorf("files (-want +got):\n%s", diff)
		}
		if got := p.bare.Git(t, "log", "--format=%H %P|%an|%ae|%at|%cn|%ce|%ct|%s", "main"); got != second+" "+first+
			"|Bot|bot@example.com|1800000000|Bot|bot@example.com|1800000000|second\n"+first+
			" |Bot|bot@example.com|1800000000|Bot|bot@example.com|1800000000|first" {
			t.Errorf("log:\n%s", got)
		}
		p.bare.Git(t, "fsck", "--strict")
	})
}

// What is read is what git says, whatever the server can do.
func TestReads(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, p place) {
		files := map[string]string{
			"README.md": "hello\n", "bin/run*": "#!/bin/sh\n", "bin/link@": "run", "modules/sub^": strings.Repeat("ab", 20),
			"fabrics/a/base/one.yaml": "one\n", "fabrics/a/base/deep/down/größe 漢字.yaml": "two\n", "fabrics/b/base/x.yaml": "x\n",
		}
		p.bare.CommitWith(t, "main", "first\n\nTrailer: 1\n", files)
		var in strings.Builder
		for i := range 60 {
			from := ""
			if i == 0 {
				from = "from refs/heads/main^0\n"
			}
			fmt.Fprintf(&in, "commit refs/heads/main\ncommitter Ann <ann@example.com> 1700000000 +0000\ndata 1\nx\n%sM 100644 inline fabrics/a/base/n%d.yaml\ndata 2\n%02d\n", from, i, i)
		}
		p.bare.GitIn(t, []byte(in.String()), "fast-import", "--quiet", "--date-format=raw")
		commits := strings.Fields(p.bare.Git(t, "rev-list", "--reverse", "main"))
		head := gitsync.Hash(commits[len(commits)-1])
		other := p.bare.CommitWith(t, "other", "unrelated", map[string]string{"fabrics/a/base/one.yaml": "other\n"})

		repo := open(t, p.options)
		if branch, err := repo.DefaultBranch(t.Context()); branch != "main" || err != nil {
			t.Errorf("its default branch is %q, %v; want main", branch, err)
		}
		for branch, want := range map[string]string{"main": string(head), "other": other, "none": ""} {
			if got, err := repo.Head(t.Context(), branch); string(got) != want || err != nil {
				t.Errorf("%s stands at %q, %v; want %q", branch, got, err, want)
			}
		}

		log, err := repo.Log(t.Context(), head, 1000, func(c gitsync.Commit) bool { return c.Hash == gitsync.Hash(commits[5]) })
		if err != nil {
			t.Fatal(err)
		}
		if len(log) != 55 || log[0].Hash != head || log[54].Hash != gitsync.Hash(commits[6]) {
			t.Errorf("a log of %d commits", len(log))
		}
		log, err = repo.Log(t.Context(), head, 1000, nil)
		if err != nil || len(log) != 61 {
			t.Fatalf("a log of %d commits, %v; want 61", len(log), err)
		}
		ann := gitsync.Person{Name: "Ann", Email: "ann@example.com", When: time.Unix(1_700_000_000, 0).UTC()}
		if diff := cmp.Diff(gitsync.Commit{Hash: gitsync.Hash(commits[0]), Author: ann, Committer: ann, Message: "first\n\nTrailer: 1\n"}, log[60],
			cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) })); diff != "" {
			t.Errorf("the first commit (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(hashes(commits[0]), log[59].Parents); diff != "" {
			t.Errorf("parents (-want +got):\n%s", diff)
		}
		if few, err := repo.Log(t.Context(), head, 3, nil); err != nil || len(few) != 3 {
			t.Errorf("a log of %d commits, %v; want 3", len(few), err)
		}

		for _, test := range []struct {
			commit  gitsync.Hash
			folders []string
		}{
			{head, []string{"fabrics/a/base"}},
			{head, []string{"fabrics/b", "fabrics/a/base/deep"}},
			{gitsync.Hash(commits[0]), nil},
			{head, nil},
			{gitsync.Hash(commits[30]), []string{"fabrics"}},
			{gitsync.Hash(other), nil},
			{head, []string{"none", "README.md", "bin/run/x"}},
			{head, []string{"bin/"}},
		} {
			got, err := repo.Files(t.Context(), test.commit, test.folders...)
			if err != nil {
				t.Errorf("files of %s in %q: %v", test.commit, test.folders, err)
				continue
			}
			if diff := cmp.Diff(listed(t, p.bare, test.commit, test.folders...), got); diff != "" {
				t.Errorf("files of %s in %q (-want +got):\n%s", test.commit, test.folders, diff)
			}
		}

		for _, commit := range []gitsync.Hash{gitsync.Hash(commits[0]), head} {
			got, err := repo.Read(t.Context(), commit, []string{"fabrics/a/base/deep/down/größe 漢字.yaml", "bin/run", "README.md"})
			if err != nil {
				t.Fatal(err)
			}
			for path, want := range map[string]string{"fabrics/a/base/deep/down/größe 漢字.yaml": "two\n", "bin/run": "#!/bin/sh\n", "README.md": "hello\n"} {
				if content, _ := got.Get(path); string(content) != want {
					t.Errorf("%s is %q, want %q", path, content, want)
				}
			}
		}
		for path, want := range map[string]string{
			"bin/link":          "bin/link is a symbolic link, not a regular file",
			"bin":               "bin is a folder, not a regular file",
			"modules/sub":       "modules/sub is a submodule, not a regular file",
			"modules/sub/x":     "there is no file modules/sub/x",
			"fabrics/a/nothing": "there is no file fabrics/a/nothing",
			"../x":              "refused path",
		} {
			_, err := repo.Read(t.Context(), head, []string{"README.md", path})
			wantError(t, err, nil, want)
		}
		_, err = repo.Files(t.Context(), gitsync.Hash(strings.Repeat("12", 20)))
		wantError(t, err, gitsync.ErrNotFound, "listing the files of 121212121212: the server has no such commit")
	})
}

// listed are the files as git lists them.
func listed(t *testing.T, bare githttp.Repo, commit gitsync.Hash, folders ...string) map[string]gitsync.File {
	t.Helper()
	files := map[string]gitsync.File{}
	for line := range strings.SplitSeq(bare.Git(t, "ls-tree", "-r", "-z", string(commit)), "\x00") {
		entry, path, found := strings.Cut(line, "\t")
		inside := len(folders) == 0
		for _, folder := range folders {
			inside = inside || strings.HasPrefix(path, strings.TrimSuffix(folder, "/")+"/")
		}
		if !found || !inside {
			continue
		}
		var mode uint32
		var kind, id string
		if _, err := fmt.Sscanf(entry, "%o %s %s", &mode, &kind, &id); err != nil {
			t.Fatal(err)
		}
		files[path] = gitsync.File{Blob: gitsync.Hash(id), Mode: mode}
	}
	return files
}
