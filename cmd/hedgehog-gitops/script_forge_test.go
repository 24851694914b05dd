package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"hedgehog-gitops/fixtures/github"
	"hedgehog-gitops/render"
	"hedgehog-gitops/render/netbox"
)

// Commands of scripts that work with a GitHub and with people.
//
//	hub [OPTION=VALUE]...                 starts one for the script: $HUB is the repository, GITHUB_TOKEN that of the user netbot
//	token LOGIN RIGHT=LEVEL...            makes GITHUB_TOKEN another one; the login "actions" is a workflow
//	protect BRANCH APPROVALS              protects a branch; 0 approvals: nobody may change it
//	person NAME merge N [METHOD]          what people do there; METHOD is merge, squash or rebase
//	person NAME close|reopen|approve|ready N
//	person NAME label|unlabel|comment N TEXT
//	person NAME delete-branch BRANCH
//	person NAME commit BRANCH PATH FILE   puts the FILE of the script there
//	person NAME remove BRANCH PATH
//	person NAME link BRANCH PATH TARGET   puts a symbolic link there
//	person NAME submodule BRANCH PATH
//	person NAME revert BRANCH             takes the last commit of the branch back
//	older BRANCH PATH OLD NEW             a merged file as an earlier version of the program wrote it, and its lock
//	pull N FILE                           writes what the server knows of a pull request
//	calls FILE                            writes what was asked of the server since the last time, a line each
//	netbox FILE OLD NEW                   an edit in NetBox: replaces a text in a snapshot, which is then a newer one
func forgeCommands() map[string]func(*testscript.TestScript, bool, []string) {
	return map[string]func(*testscript.TestScript, bool, []string){
		"hub": usage("hub [OPTION=VALUE]...", 0, startHub), "token": usage("token LOGIN RIGHT=LEVEL...", 1, scriptToken),
		"protect": usage("protect BRANCH APPROVALS", 2, scriptProtect),
		"person":  usage("person NAME DOES WHAT...", 3, scriptPerson),
		"older":   usage("older BRANCH PATH OLD NEW", 4, scriptOlder),
		"pull":    usage("pull N FILE", 2, scriptPull), "calls": usage("calls FILE", 1, scriptCalls),
		"netbox": usage("netbox FILE OLD NEW", 3, scriptNetBox),
	}
}

// usage is a command of at least so many arguments.
func usage(text string, least int, do func(*testscript.TestScript, []string)) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if neg || len(args) < least {
			ts.Fatalf("usage: %s", text)
		}
		do(ts, args)
	}
}

// scriptWorld is what the commands of one script share.
type scriptWorld struct {
	t   testing.TB
	hub *github.Server
}

type scriptWorldKey struct{}

// setUpForge lets a script have a GitHub. Git commits as Ann there.
func setUpForge(e *testscript.Env) {
	t, ok := e.T().(testing.TB)
	if !ok {
		panic("a script outside of a test")
	}
	e.Values[scriptWorldKey{}] = &scriptWorld{t: t}
	for _, who := range []string{"AUTHOR", "COMMITTER"} {
		e.Setenv("GIT_"+who+"_NAME", "Ann")
		e.Setenv("GIT_"+who+"_EMAIL", "ann@example.com")
	}
	e.Setenv("GIT_CONFIG_NOSYSTEM", "1")
	e.Setenv("GIT_CONFIG_GLOBAL", os.DevNull)
}

func worldOf(ts *testscript.TestScript) *scriptWorld {
	return ts.Value(scriptWorldKey{}).(*scriptWorld)
}

// hubOf returns the script's GitHub.
func hubOf(ts *testscript.TestScript) *github.Server {
	hub := worldOf(ts).hub
	if hub == nil {
		ts.Fatalf("there is no GitHub: the command hub starts one")
	}
	return hub
}

func startHub(ts *testscript.TestScript, args []string) {
	var options github.Options
	for _, arg := range args {
		switch arg {
		case "private":
			options.Private = true
		case "no-drafts":
			options.NoDrafts = true
		case "no-auto-merge":
			options.NoAutoMerge = true
		case "squash=PR_BODY", "squash=BLANK":
			_, options.SquashMessage, _ = strings.Cut(arg, "=")
		default:
			ts.Fatalf("hub knows no %s", arg)
		}
	}
	world := worldOf(ts)
	world.hub = github.Start(world.t, options)
	ts.Setenv("GITHUB_SERVER_URL", world.hub.WebURL)
	ts.Setenv("GITHUB_API_URL", world.hub.URL)
	ts.Setenv("GITHUB_GRAPHQL_URL", world.hub.GraphQLURL)
	ts.Setenv("GITHUB_TOKEN", world.hub.Token("netbot", github.Write()))
	ts.Setenv("HUB", world.hub.Repo.URL)
	ts.Setenv("BARE", world.hub.Repo.Dir)
}

func scriptToken(ts *testscript.TestScript, args []string) {
	may := github.Permissions{}
	for _, arg := range args[1:] {
		right, level, _ := strings.Cut(arg, "=")
		may[right] = level
	}
	if args[0] == "actions" {
		ts.Setenv("GITHUB_TOKEN", hubOf(ts).ActionsToken(may))
		return
	}
	ts.Setenv("GITHUB_TOKEN", hubOf(ts).Token(args[0], may))
}

func scriptProtect(ts *testscript.TestScript, args []string) {
	approvals, err := strconv.Atoi(args[1])
	ts.Check(err)
	hubOf(ts).Protect(args[0], approvals)
}

func scriptPerson(ts *testscript.TestScript, args []string) {
	name, does, args := args[0], args[1], args[2:]
	p := hubOf(ts).Person(name)
	number := func() int {
		n, err := strconv.Atoi(args[0])
		ts.Check(err)
		return n
	}
	rest := func(i int) string {
		if len(args) <= i {
			ts.Fatalf("person %s %s needs %d arguments", name, does, i+1)
		}
		return args[i]
	}
	switch does {
	case "merge":
		method := "merge"
		if len(args) > 1 {
			method = args[1]
		}
		p.Merge(number(), method)
	case "ready":
		p.Ready(number())
	case "close":
		p.Close(number())
	case "reopen":
		p.Reopen(number())
	case "approve":
		p.Approve(number())
	case "label":
		p.Label(number(), rest(1))
	case "unlabel":
		p.Unlabel(number(), rest(1))
	case "comment":
		p.Comment(number(), rest(1))
	case "delete-branch":
		p.DeleteBranch(args[0])
	case "commit":
		person{name, p}.commit(ts, args[0], rest(1), ts.ReadFile(rest(2)))
	case "remove":
		person{name, p}.remove(ts, args[0], rest(1))
	case "link":
		person{name, p}.put(ts, args[0], rest(1), modeLink, rest(2))
	case "submodule":
		person{name, p}.put(ts, args[0], rest(1), modeSubmodule, "")
	case "revert":
		person{name, p}.revert(ts, args[0])
	default:
		ts.Fatalf("people don't %s", does)
	}
}

// person is somebody with a working copy.
type person struct {
	name string
	github.Person
}

// work does something in a clone of a branch, and pushes what comes of it.
func (p person) work(ts *testscript.TestScript, branch string, do func(dir string, git func(...string) string)) {
	dir, err := os.MkdirTemp("", "clone-")
	ts.Check(err)
	defer os.RemoveAll(dir)
	git := func(args ...string) string {
		cmd := exec.Command("git", args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL="+os.DevNull, "LC_ALL=C",
			"GIT_AUTHOR_NAME="+p.name, "GIT_AUTHOR_EMAIL="+p.name+"@example.com",
			"GIT_COMMITTER_NAME="+p.name, "GIT_COMMITTER_EMAIL="+p.name+"@example.com")
		out, err := cmd.CombinedOutput()
		if err != nil {
			ts.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
		}
		return strings.TrimSpace(string(out))
	}
	git("clone", "--quiet", "--branch", branch, p.CloneURL(), ".")
	do(dir, git)
	git("push", "--quiet", "origin", "HEAD:"+branch)
}

// commit puts the content at a path of the branch.
func (p person) commit(ts *testscript.TestScript, branch, path, content string) {
	p.work(ts, branch, func(dir string, git func(...string) string) {
		name := filepath.Join(dir, filepath.FromSlash(path))
		ts.Check(os.MkdirAll(filepath.Dir(name), 0o755))
		ts.Check(os.WriteFile(name, []byte(content), 0o644))
		git("add", "--", path)
		git("commit", "--quiet", "-m", p.name+" writes "+path)
	})
}

// remove removes a file or a folder from the branch.
func (p person) remove(ts *testscript.TestScript, branch, path string) {
	p.work(ts, branch, func(_ string, git func(...string) string) {
		git("rm", "--quiet", "-r", "--", path)
		git("commit", "--quiet", "-m", p.name+" removes "+path)
	})
}

// put puts what is no file at a path of the branch: a link to the target, or a
// submodule.
func (p person) put(ts *testscript.TestScript, branch, path, mode, target string) {
	p.work(ts, branch, func(dir string, git func(...string) string) {
		id := git("rev-parse", "HEAD")
		if mode == modeLink {
			name := filepath.Join(dir, "target-of-a-link")
			ts.Check(os.WriteFile(name, []byte(target), 0o644))
			id = git("hash-object", "-w", "--no-filters", "--", name)
		}
		git("rm", "--quiet", "-r", "--cached", "--ignore-unmatch", "--", path)
		git("update-index", "--add", "--cacheinfo", mode+","+id+","+path)
		git("commit", "--quiet", "-m", p.name+" puts "+path)
	})
}

const (
	modeLink      = "120000"
	modeSubmodule = "160000"
)

// revert takes back what the last commit of the branch did to its first parent.
func (p person) revert(ts *testscript.TestScript, branch string) {
	p.work(ts, branch, func(_ string, git func(...string) string) {
		args := []string{"revert", "--no-edit", "HEAD"}
		if len(strings.Fields(git("rev-list", "--parents", "--max-count=1", "HEAD"))) > 2 { // a merge
			args = append(args, "--mainline=1")
		}
		git(args...)
	})
}

// scriptOlder replaces a text in a generated file and the file's digest in the lock of
// its root.
func scriptOlder(ts *testscript.TestScript, args []string) {
	branch, name := args[0], args[1]
	releaser := person{"releaser", hubOf(ts).Person("releaser")}
	releaser.work(ts, branch, func(dir string, git func(...string) string) {
		digest := func(content string) string { return fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(content))) }
		replace := func(name, old, next string) (before, after string) {
			content, err := os.ReadFile(filepath.Join(dir, name))
			ts.Check(err)
			before = string(content)
			if strings.Count(before, old) != 1 {
				ts.Fatalf("%s has %q %d times", name, old, strings.Count(before, old))
			}
			after = strings.Replace(before, old, next, 1)
			ts.Check(os.WriteFile(filepath.Join(dir, name), []byte(after), 0o644))
			return before, after
		}
		before, after := replace(name, args[2], args[3])
		replace(path.Join(path.Dir(path.Dir(name)), render.LockName), digest(before), digest(after))
		git("commit", "--quiet", "--all", "-m", "As it was written before")
	})
}

func scriptPull(ts *testscript.TestScript, args []string) {
	for _, pr := range hubOf(ts).PullRequests() {
		if strconv.Itoa(pr.Number) != args[0] {
			continue
		}
		var b strings.Builder
		fmt.Fprintf(&b, "#%d %s: %s\nfrom %s into %s by %s\n", pr.Number, pr.State, pr.Title, pr.Head, pr.Base, pr.Author)
		for _, list := range []struct {
			name  string
			items []string
		}{{"labels", pr.Labels}, {"assignees", pr.Assignees}, {"reviewers", slices.Concat(pr.Reviewers, pr.Teams)}} {
			if len(list.items) > 0 {
				fmt.Fprintf(&b, "%s: %s\n", list.name, strings.Join(list.items, ", "))
			}
		}
		if pr.Draft {
			b.WriteString("draft\n")
		}
		if pr.AutoMerge != "" {
			fmt.Fprintf(&b, "auto-merge: %s\n", pr.AutoMerge)
		}
		fmt.Fprintf(&b, "\n%s\n", pr.Body)
		for i, comment := range pr.Comments {
			fmt.Fprintf(&b, "\n--- comment %d %s\n%s\n", i+1, pr.MinimizedReason[i], comment)
		}
		ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(b.String()), 0o644))
		return
	}
	ts.Fatalf("there is no pull request #%s", args[0])
}

func scriptCalls(ts *testscript.TestScript, args []string) {
	var b strings.Builder
	for _, r := range hubOf(ts).Requests() {
		does := "reads"
		if r.Writes {
			does = "writes"
		}
		where := r.Operation
		if where == "git" {
			where += " " + r.Path[strings.LastIndexByte(r.Path, '/')+1:]
		}
		fmt.Fprintf(&b, "%s %s %d\n", does, where, r.Status)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(b.String()), 0o644))
}

// scriptNetBox makes a snapshot the one that is read after somebody's edit.
func scriptNetBox(ts *testscript.TestScript, args []string) {
	edit(ts, false, args)
	snapshot, _, err := netbox.ReadSnapshot(strings.NewReader(ts.ReadFile(args[0])))
	ts.Check(err)
	snapshot.ChangeID++
	var out bytes.Buffer
	_, err = snapshot.WriteTo(&out)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), out.Bytes(), 0o644))
}
