package git_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hedgehog-gitops/fixtures/githttp"
	"hedgehog-gitops/gitsync"
	"hedgehog-gitops/gitsync/edge"
	"hedgehog-gitops/gitsync/git"
)

func token(text string) func(context.Context) (string, error) {
	return func(context.Context) (string, error) { return text, nil }
}

// Who may not is told what is missing, and never the secret.
func TestCredentials(t *testing.T) {
	t.Parallel()
	const secret = "ghs_S3cretS3cret"
	server := githttp.Start(t, githttp.Options{TLS: true, User: "x-access-token", Password: secret, Wrap: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch {
			case strings.HasPrefix(r.URL.Path, "/reader"):
				r.URL.Path = strings.Replace(r.URL.Path, "/reader", "/fabrics", 1)
				if strings.Contains(r.RequestURI, "git-receive-pack") {
					http.Error(w, "Write access to repository not granted for "+secret, http.StatusForbidden)
					return
				}
			case strings.HasPrefix(r.URL.Path, "/closed"):
				http.Error(w, "no", http.StatusForbidden)
				return
			case strings.HasPrefix(r.URL.Path, "/late"):
				r.URL.Path = strings.Replace(r.URL.Path, "/late", "/fabrics", 1)
				if pushes(r) {
					http.Error(w, "Permission denied", http.StatusForbidden)
					return
				}
			}
			next.ServeHTTP(w, r)
		})
	}})
	bare := server.Init(t, "fabrics")
	base := bare.Commit(t, "main", map[string]string{"fabrics/a/one.yaml": "one\n"})
	for name, test := range map[string]struct {
		change func(*git.Options)
		kind   error
		want   string
		hint   string
		writes bool
	}{
		"no token":       {func(o *git.Options) { o.Token = nil }, gitsync.ErrDenied, "who are you? (HTTP 401)", "give a token", false},
		"an empty token": {func(o *git.Options) { o.Token = token("") }, gitsync.ErrDenied, "(HTTP 401)", "give a token", false},
		"another token":  {func(o *git.Options) { o.Token = token("wrong") }, gitsync.ErrDenied, "(HTTP 401)", "does not accept the token", false},
		"another user":   {func(o *git.Options) { o.User = "somebody" }, gitsync.ErrDenied, "(HTTP 401)", "does not accept the token", false},
		"as a bearer":    {func(o *git.Options) { o.Bearer = true }, gitsync.ErrDenied, "(HTTP 401)", "does not accept the token", false},
		"a token of two": {func(o *git.Options) { o.Token = token(secret + "\n") }, nil, "the token has a character that no token has", "as the server showed it", false},
		"a token that fails": {func(o *git.Options) {
			o.Token = func(context.Context) (string, error) { return "", errors.New("no app") }
		}, nil, "there is no token: no app", "", false},
		"may only read":        {func(o *git.Options) { o.URL = server.URL + "/reader.git" }, gitsync.ErrDenied, "Write access to repository not granted for *** (HTTP 403)", "Contents: read and write", true},
		"told when it pushes":  {func(o *git.Options) { o.URL = server.URL + "/late.git" }, gitsync.ErrDenied, "Permission denied (HTTP 403)", "Contents: read and write", true},
		"may not read":         {func(o *git.Options) { o.URL = server.URL + "/closed.git" }, gitsync.ErrDenied, "no (HTTP 403)", "Contents: read of this repository", false},
		"no such repository":   {func(o *git.Options) { o.URL = server.URL + "/none.git" }, gitsync.ErrNotFound, "(HTTP 404)", "a token that may not see a repository gets the same answer", false},
		"an unknown authority": {func(o *git.Options) { o.CA, o.Tries = nil, 1 }, nil, "the server's certificate is signed by an unknown authority", "as the CA file", false},
		"no TLS there": {func(o *git.Options) {
			o.URL = strings.Replace(githttp.Start(t, githttp.Options{}).URL, "http:", "https:", 1) + "/x"
		}, nil, "the server does not speak TLS on this port", "http:// instead", false},
		"in the address": {func(o *git.Options) {
			o.Token = nil
			o.URL = strings.Replace(server.URL, "://", "://x-access-token:wrong-"+secret+"@", 1) + "/fabrics.git"
		}, gitsync.ErrDenied, "(HTTP 401)", "does not accept the token", false},
		"an address that is broken": {func(o *git.Options) {
			o.URL = strings.Replace(server.URL, "://", "://x:"+secret+"@", 1) + ":port/\x7f"
		}, nil, "the repository's address is not one", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := options(bare.URL)
			o.CA, o.Token = server.CA, token(secret)
			test.change(&o)
			repo, err := git.Open(o)
			if err == nil {
				defer repo.Close()
				if test.writes {
					_, err = repo.Write(t.Context(), one("", base))
				} else {
					_, err = repo.Head(t.Context(), "main")
				}
			}
			wantError(t, err, test.kind, test.want)
			var e *edge.Error
			if errors.As(err, &e) && !strings.Contains(e.Hint, test.hint) {
				t.Errorf("hint %q, want one that says %q", e.Hint, test.hint)
			}
			for ; err != nil; err = errors.Unwrap(err) {
				if text := fmt.Sprintf("%v %+v", err, err); strings.Contains(text, secret) {
					t.Errorf("an error shows the secret: %s", text)
				}
			}
		})
	}
	// In an address that is right it works.
	o := options(strings.Replace(bare.URL, "://", "://x-access-token:"+secret+"@", 1))
	o.CA = server.CA
	if head, err := open(t, o).Head(t.Context(), "main"); err != nil || string(head) != base {
		t.Errorf("it stands at %q, %v", head, err)
	}
}

// A token that changes is asked for anew.
func TestTokenIsAskedForEachTime(t *testing.T) {
	t.Parallel()
	var valid atomic.Value
	valid.Store("")
	_, bare, base := served(t, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if _, password, _ := r.BasicAuth(); password != valid.Load() {
				http.Error(w, "expired", http.StatusUnauthorized)
				return
			}
			next.ServeHTTP(w, r)
		})
	})
	n := 0
	o := options(bare.URL)
	o.Token = func(context.Context) (string, error) {
		n++
		valid.Store(fmt.Sprint("token-", n))
		return fmt.Sprint("token-", n), nil
	}
	write(t, open(t, o), one("", base))
	if n < 4 {
		t.Errorf("the token was asked for %d times", n)
	}
}

// A token is sent to nobody but the server it is for.
func TestRedirects(t *testing.T) {
	t.Parallel()
	var leaked atomic.Bool
	stranger := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		leaked.Store(true)
	}))
	t.Cleanup(stranger.Close)
	_, bare, base := served(t, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch rest, _ := strings.CutPrefix(r.URL.RequestURI(), "/old/name.git"); {
			case strings.HasPrefix(r.URL.Path, "/old/"):
				http.Redirect(w, r, "/fabrics.git"+rest, http.StatusMovedPermanently)
			case strings.HasPrefix(r.URL.Path, "/away"):
				http.Redirect(w, r, stranger.URL+"/x?token=1", http.StatusFound)
			case strings.HasPrefix(r.URL.Path, "/login"):
				http.Redirect(w, r, "/sign_in", http.StatusFound)
			case strings.HasPrefix(r.URL.Path, "/loop"):
				http.Redirect(w, r, r.URL.RequestURI(), http.StatusFound)
			default:
				next.ServeHTTP(w, r)
			}
		})
	})
	at := func(path string) *git.Repo {
		o := options(strings.TrimSuffix(bare.URL, "/fabrics.git") + path)
		o.Token = token("s3cret")
		return open(t, o)
	}
	renamed := at("/old/name.git")
	if head, err := renamed.Head(t.Context(), "main"); err != nil || string(head) != base {
		t.Errorf("of a renamed one: %q, %v", head, err)
	}
	write(t, renamed, one("", base)) // goes to the new name at once
	_, err := at("/away.git").Head(t.Context(), "main")
	wantError(t, err, nil, "the server redirects to "+stranger.URL+"/x")
	_, err = at("/login.git").Head(t.Context(), "main")
	wantError(t, err, nil, "the server redirects to ")
	_, err = at("/loop.git").Head(t.Context(), "main")
	wantError(t, err, nil, "the server redirects to ")
	if leaked.Load() {
		t.Error("another server was asked")
	}
}

func TestProxy(t *testing.T) {
	t.Parallel()
	var seen atomic.Int32
	_, bare, base := served(t, nil)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen.Add(1)
		r.RequestURI = ""
		resp, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer resp.Body.Close()
		w.Header().Set("Content-Type", resp.Header.Get("Content-Type"))
		w.WriteHeader(resp.StatusCode)
		_, _ = io.Copy(w, resp.Body)
	}))
	t.Cleanup(proxy.Close)
	o := options(bare.URL)
	o.Proxy = func(*http.Request) (*url.URL, error) { return url.Parse(proxy.URL) }
	write(t, open(t, o), one("", base))
	if seen.Load() == 0 {
		t.Error("the proxy saw nothing")
	}
}

// A server that is none, is broken, or wishes us ill.
func TestServersThatAreNone(t *testing.T) {
	t.Parallel()
	line := func(text string) string { return fmt.Sprintf("%04x%s", len(text)+4, text) }
	const id = "1234567890123456789012345678901234567890"
	begin := line("# service=git-upload-pack\n") + "0000"
	refs := begin + line(id+" HEAD\x00side-band-64k shallow filter allow-tip-sha1-in-want allow-reachable-sha1-in-want symref=HEAD:refs/heads/main\n") + line(id+" refs/heads/main\n") + "0000"
	forever := func(w io.Writer, text string) {
		for range 1 << 22 {
			if _, err := io.WriteString(w, text); err != nil {
				return
			}
		}
	}
	for name, test := range map[string]struct {
		advert, answer func(io.Writer)
		kind           string
		want           string
	}{
		"a login page":             {func(w io.Writer) { io.WriteString(w, "<html>log in") }, nil, "text/html", "the answer is not one of a Git server"},
		"a page of the right type": {func(w io.Writer) { io.WriteString(w, "<html>log in") }, nil, "", "the answer is not one of a Git server"},
		"nothing":                  {func(io.Writer) {}, nil, "", "the answer ends in the middle"},
		"half of it":               {func(w io.Writer) { io.WriteString(w, refs[:len(refs)/2]) }, nil, "", "the answer ends in the middle"},
		"an error":                 {func(w io.Writer) { io.WriteString(w, line("ERR access\x1b[1m denied\n")) }, nil, "", "access [1m denied"},
		"other ids": {func(w io.Writer) {
			io.WriteString(w, begin+line(id+"123456789012345678901234 HEAD\x00object-format=sha256\n")+"0000")
		}, nil, "", "the repository is one of SHA-256 ids"},
		"branches without end":      {func(w io.Writer) { io.WriteString(w, refs[:len(refs)-4]); forever(w, line(id+" refs/heads/x\n")) }, nil, "", "the answer is too large"},
		"no pack":                   {nil, func(w io.Writer) { io.WriteString(w, "<html>") }, "", "the answer is not one of a Git server"},
		"an answer that is cut":     {nil, func(w io.Writer) { io.WriteString(w, "0000"+line("NAK\n")+line("\x01PACK")) }, "", "the answer ends in the middle"},
		"an error in the answer":    {nil, func(w io.Writer) { io.WriteString(w, "0000"+line("NAK\n")+line("\x03out of memory\n")) }, "", "out of memory"},
		"progress without end":      {nil, func(w io.Writer) { io.WriteString(w, "0000"+line("NAK\n")); forever(w, line("\x02Counting objects\n")) }, "", "the answer is too large"},
		"shallow lines without end": {nil, func(w io.Writer) { forever(w, line("shallow "+id+"\n")) }, "", "the answer is too large"},
		"another object": {nil, func(w io.Writer) {
			io.WriteString(w, "0000"+line("NAK\n")+line("\x01PACK\x00\x00\x00\x02\x00\x00\x00\x00"+strings.Repeat("x", 20))+"0000")
		}, "", "the server does not send what it was asked for"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodGet {
					w.Header().Set("Content-Type", "application/x-git-upload-pack-advertisement")
					if test.kind != "" {
						w.Header().Set("Content-Type", test.kind)
					}
					if test.advert != nil {
						test.advert(w)
					} else {
						io.WriteString(w, refs)
					}
					return
				}
				w.Header().Set("Content-Type", "application/x-git-upload-pack-result")
				test.answer(w)
			}))
			t.Cleanup(server.Close)
			o := options(server.URL + "/x.git")
			o.Limit, o.Tries = 1<<20, 2
			repo := open(t, o)
			_, err := repo.Head(t.Context(), "main")
			if test.answer != nil && err == nil {
				_, err = repo.Files(t.Context(), id)
			}
			wantError(t, err, nil, test.want)
		})
	}
}

// A limit is a limit, and says so.
func TestLimit(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, p place) {
		base := p.bare.Commit(t, "main", map[string]string{"big": strings.Repeat("0", 1<<20), "small": "x"})
		o := p.options
		o.Limit = 100_000
		_, err := open(t, o).Read(t.Context(), gitsync.Hash(base), []string{"big"})
		wantError(t, err, nil, "the answer is too large")
	})
}

// Whoever ends the context gets an answer at once.
func TestStop(t *testing.T) {
	t.Parallel()
	t.Run("http", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		_, bare, _ := served(t, func(http.Handler) http.Handler {
			return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				cancel()
				<-r.Context().Done()
			})
		})
		_, err := open(t, options(bare.URL)).Head(ctx, "main")
		wantError(t, err, context.Canceled, "asking where main stands: stopped")
	})
	t.Run("while it pushes", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		_, bare, base := served(t, (&fault{of: pushes, times: 1, hit: func(_ http.ResponseWriter, r *http.Request, next http.Handler) {
			_, _ = io.Copy(io.Discard, r.Body)
			cancel()
			<-r.Context().Done()
		}}).wrap)
		_, err := open(t, options(bare.URL)).Write(ctx, one("", base))
		wantError(t, err, context.Canceled, "stopped; it is not known whether the push was done")
	})
	t.Run("between tries", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		_, bare, _ := served(t, (&fault{of: asks, times: 9, hit: func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			time.AfterFunc(50*time.Millisecond, cancel)
			status(http.StatusServiceUnavailable)(w, r, next)
		}}).wrap)
		o := options(bare.URL)
		o.FirstWait, o.MaxWait = time.Hour, time.Hour
		_, err := open(t, o).Head(ctx, "main")
		wantError(t, err, context.Canceled, "stopped")
	})
	t.Run("ssh", func(t *testing.T) {
		t.Parallel()
		s, bare := startSSH(t), githttp.Init(t, t.TempDir())
		s.mute.Store(true)
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		_, err := open(t, s.options(bare)).Head(ctx, "main")
		wantError(t, err, context.DeadlineExceeded, "out of time")
	})
	t.Run("file", func(t *testing.T) {
		t.Parallel()
		bare := githttp.Init(t, t.TempDir())
		base := bare.Commit(t, "main", map[string]string{"fabrics/a/one.yaml": "one\n"})
		bare.Hook(t, "pre-receive", "exec sleep 60")
		o := options(bare.URL)
		o.Silence, o.Tries = 200*time.Millisecond, 1
		_, err := open(t, o).Write(t.Context(), one("", base))
		wantError(t, err, nil, "the server says nothing for 200ms")
	})
}

// A server that says nothing is given up, one that is slow is not.
func TestSilence(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		pause, silence time.Duration
		want           string
	}{
		"slow": {40 * time.Millisecond, 5 * time.Second, ""}, // 6 s in all
		"mute": {time.Hour, 300 * time.Millisecond, "the server says nothing for 300ms"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, bare, base := served(t, func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					answer := httptest.NewRecorder()
					next.ServeHTTP(answer, r)
					w.Header().Set("Content-Type", answer.Header().Get("Content-Type"))
					for body := answer.Body.Bytes(); len(body) > 0; {
						n := min(4, len(body))
						_, _ = w.Write(body[:n])
						_ = http.NewResponseController(w).Flush()
						body = body[n:]
						timer := time.NewTimer(test.pause)
						select {
						case <-timer.C:
						case <-r.Context().Done():
							return
						}
					}
				})
			})
			o := options(bare.URL)
			o.Silence, o.Tries = test.silence, 1
			_, err := open(t, o).Files(t.Context(), gitsync.Hash(base))
			if test.want == "" && err != nil {
				t.Error(err)
			} else if test.want != "" {
				wantError(t, err, nil, test.want)
			}
		})
	}
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"":                         "there is no address of the repository",
		"ftp://example.com/x":      "an address that begins with ftp:// is not supported",
		"https://":                 "the repository's address has no host",
		"ssh://example.com":        "the repository's address has no host or no path",
		"file://elsewhere/x":       "the repository's address names no folder of this machine",
		"https://exa mple.com/x":   "the repository's address is not one",
		"https://u:s3cret@a:b/%zz": "the repository's address is not one",
	} {
		_, err := git.Open(git.Options{URL: url})
		wantError(t, err, nil, want)
		if strings.Contains(fmt.Sprint(err), "s3cret") {
			t.Errorf("%v", err)
		}
	}
	_, err := git.Open(git.Options{URL: "https://example.com/x", CA: []byte("x")})
	wantError(t, err, nil, "there is no certificate in the CA file")
	none := filepath.Join(t.TempDir(), "none")
	_, err = open(t, options(none)).Head(t.Context(), "main")
	wantError(t, err, gitsync.ErrNotFound, "does not appear to be a git repository")
}

// Where git's services find nothing of a repository that the tool may run in.
func TestFolderOfAnotherRepository(t *testing.T) {
	bare := githttp.Init(t, t.TempDir())
	base := bare.Commit(t, "main", map[string]string{"a": "b"})
	other := githttp.Init(t, t.TempDir())
	t.Setenv("GIT_DIR", other.Dir)
	t.Setenv("GIT_PROTOCOL", "version=2")
	if head, err := open(t, options(bare.URL)).Head(t.Context(), "main"); err != nil || string(head) != base {
		t.Errorf("it stands at %q, %v; want %s", head, err, base)
	}
	t.Setenv("PATH", os.TempDir())
	_, err := open(t, options(bare.URL)).Head(t.Context(), "main")
	wantError(t, err, nil, "there is no git on this machine")
}

func TestDefaultBranchThatIsNone(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, p place) {
		base := p.bare.Commit(t, "trunk", map[string]string{"a": "b"})
		_, err := open(t, p.options).DefaultBranch(t.Context())
		wantError(t, err, gitsync.ErrNotFound, "its HEAD is no branch that exists")
		p.bare.Git(t, "update-ref", "--no-deref", "HEAD", base) // detached
		_, err = open(t, p.options).DefaultBranch(t.Context())
		wantError(t, err, gitsync.ErrNotFound, "its HEAD is no branch that exists")
		p.bare.Git(t, "symbolic-ref", "HEAD", "refs/heads/trunk")
		if branch, err := open(t, p.options).DefaultBranch(t.Context()); err != nil || branch != "trunk" {
			t.Errorf("its default branch is %q, %v", branch, err)
		}
	})
}

// A .gitattributes that would rewrite what we write is found before anything is sent.
func TestAttributesInTheWay(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, p place) {
		base := p.bare.Commit(t, "main", map[string]string{"fabrics/a/one.yaml": "one\n", "fabrics/.gitattributes": "\n*.yaml filter=lfs -text\n"})
		repo := open(t, p.options)
		w := one("", base)
		w.Changes["fabrics/a/two.yaml"] = []byte("two\n")
		_, err := repo.Write(t.Context(), w)
		wantError(t, err, nil, "fabrics/.gitattributes:2: filter=lfs rewrites fabrics/a/one.yaml (and 1 more)")
		w.Changes["fabrics/a/.gitattributes"] = []byte("* -filter\n")
		write(t, repo, w)
		delete(w.Changes, "fabrics/a/two.yaml")
		w.Changes = map[string][]byte{"fabrics/a/one.yaml": nil} // what goes away is not rewritten
		w.Branch = "other"
		write(t, repo, w)
	})
}

// Several goroutines may use one repository.
func TestAtTheSameTime(t *testing.T) {
	t.Parallel()
	_, bare, base := served(t, nil)
	repo := open(t, options(bare.URL))
	var wait sync.WaitGroup
	for i := range 6 {
		wait.Go(func() {
			w := one("", base)
			w.Branch = fmt.Sprint("branch-", i)
			if _, err := repo.Files(t.Context(), gitsync.Hash(base)); err != nil {
				t.Error(err)
			}
			if _, err := repo.Write(t.Context(), w); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if got := bare.Git(t, "for-each-ref", "--format=%(refname:short)", "refs/heads/branch-*"); strings.Count(got, "\n") != 5 {
		t.Errorf("branches:\n%s", got)
	}
}

// What one commit has brought is not sent again for the next.
func TestNextCommitIsCheap(t *testing.T) {
	t.Parallel()
	for name, folders := range map[string][]string{"a folder": {"fabrics/a"}, "everything": nil} {
		for _, byID := range []string{"true", "false"} {
			t.Run(name+", by id "+byID, func(t *testing.T) {
				t.Parallel()
				server := githttp.Start(t, githttp.Options{})
				bare := server.Init(t, "fabrics")
				bare.Git(t, "config", "uploadpack.allowAnySHA1InWant", byID)
				files := map[string]string{}
				for i := range 2000 {
					files[fmt.Sprintf("fabrics/a/%02d/object-%04d.yaml", i%40, i)] = fmt.Sprint(i)
				}
				base := bare.Commit(t, "main", files)
				bare.Git(t, "branch", "other", base)
				next := bare.Commit(t, "other", map[string]string{"fabrics/a/07/object-0007.yaml": "changed"})
				repo := open(t, options(bare.URL))
				if _, err := repo.Files(t.Context(), gitsync.Hash(base), folders...); err != nil {
					t.Fatal(err)
				}
				server.Requests()
				got, err := repo.Files(t.Context(), gitsync.Hash(next), folders...)
				if err != nil || len(got) != 2000 {
					t.Fatalf("%d files, %v", len(got), err)
				}
				var sent int64
				requests := server.Requests()
				for _, r := range requests {
					sent += r.Sent
				}
				if sent > 6000 || len(requests) > 2 { // two trees of 40 and 50 entries
					t.Errorf("%d bytes in %d requests", sent, len(requests))
				}
			})
		}
	}
}
