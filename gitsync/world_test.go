package gitsync

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"
	"time"

	"hedgehog-gitops/render/tree"
)

// world is a repository and a forge in memory: the three edges, and the people. It is
// for what needs thousands of runs; the same stories run on real servers next door.
type world struct {
	clock    int
	commits  map[Hash]*worldCommit
	blobs    map[Hash][]byte
	branches map[string]Hash
	pulls    []*PullRequest // oldest first
	comments map[int][]Comment
	ids      int64

	// following is a forge that shows of any pull request where its branch stands now,
	// as Gitea does; others keep where it stood when it was closed or merged.
	following bool
	// drafts and arms are whether the forge has drafts and auto-merge; limit is that of
	// a text.
	drafts, arms bool
	limit        int
	// refused are labels and users that the forge does not take.
	refused []string
	// moderated says that nobody may open pull requests.
	moderated bool

	// calls are those of the running process, writes those among them that write, reads
	// the number of those that ask the forge.
	calls, writes []string
	reads         int
	// fault is asked before and after each call that writes, and kills the process with
	// an error; every call after that fails as well.
	fault func(call int, done bool) bool
	dead  bool
	// meanwhile runs once, before the call of that number, reads counted too.
	meanwhile   func()
	meanwhileAt int
}

type worldCommit struct {
	Commit
	files map[string]File
}

const (
	worldBase = "main"
	botEmail  = "bot@example.com"
)

// errKilled is what a dead process gets.
var errKilled = errors.New("the process was killed")

// newWorld returns a world whose base branch has the files.
func newWorld(content map[string]string) *world {
	w := &world{
		commits: map[Hash]*worldCommit{}, blobs: map[Hash][]byte{}, branches: map[string]Hash{},
		comments: map[int][]Comment{}, drafts: true, arms: true, limit: 65536,
	}
	w.commitFiles(worldBase, "Ann", "the first commit", content)
	return w
}

// edges returns the world as a target.
func (w *world) edges() Target {
	return Target{Repo: worldRepo{w}, Writer: worldWriter{w}, Forge: worldForge{w}, Pauses: []time.Duration{0, 0, 0}}
}

// newProcess forgets the calls and brings a dead process back.
func (w *world) newProcess() {
	w.calls, w.writes, w.reads, w.fault, w.dead, w.meanwhile = nil, nil, 0, nil, false, nil
}

// call notes a call, and runs it unless the process is or gets killed.
func (w *world) call(name string, writes bool, do func() error) error {
	if f := w.meanwhile; f != nil && len(w.calls) == w.meanwhileAt {
		w.meanwhile = nil
		calls, writesBefore, reads := w.calls, w.writes, w.reads
		f()
		w.calls, w.writes, w.reads = calls, writesBefore, reads
	}
	if w.dead {
		return errKilled
	}
	w.calls = append(w.calls, name)
	if !writes {
		if !strings.HasPrefix(name, "git ") {
			w.reads++
		}
		return do()
	}
	n := len(w.writes)
	w.writes = append(w.writes, name)
	if w.fault != nil && w.fault(n, false) {
		w.dead = true
		return errKilled
	}
	err := do()
	if w.fault != nil && w.fault(n, true) {
		w.dead = true
		return errKilled
	}
	return err
}

// --- the repository

type worldRepo struct{ w *world }

func (r worldRepo) DefaultBranch(context.Context) (string, error) { return worldBase, nil }

func (r worldRepo) Head(_ context.Context, branch string) (head Hash, err error) {
	err = r.w.call("git head "+branch, false, func() error {
		head = r.w.branches[branch]
		return nil
	})
	return head, err
}

func (w *world) find(commit Hash) (*worldCommit, error) {
	c, ok := w.commits[commit]
	if !ok {
		return nil, fmt.Errorf("commit %s: %w", commit, ErrNotFound)
	}
	return c, nil
}

func (r worldRepo) Files(_ context.Context, commit Hash, folders ...string) (map[string]File, error) {
	c, err := r.w.find(commit)
	if err != nil {
		return nil, err
	}
	got := map[string]File{}
	for path, file := range c.files {
		if len(folders) == 0 || slices.ContainsFunc(folders, func(folder string) bool { return tree.Inside(path, folder) }) {
			got[path] = file
		}
	}
	return got, nil
}

func (r worldRepo) Read(_ context.Context, commit Hash, paths []string) (tree.Tree, error) {
	var t tree.Tree
	c, err := r.w.find(commit)
	if err != nil {
		return t, err
	}
	for _, path := range paths {
		file, ok := c.files[path]
		if !ok || file.Mode != ModeFile {
			return t, fmt.Errorf("%s is no file in %s", path, commit)
		}
		if err := t.Set(path, r.w.blobs[file.Blob]); err != nil {
			return t, err
		}
	}
	return t, nil
}

func (r worldRepo) Log(_ context.Context, commit Hash, limit int, stop func(Commit) bool) ([]Commit, error) {
	var log []Commit
	for commit != "" && len(log) < limit {
		c, err := r.w.find(commit)
		if err != nil {
			return nil, err
		}
		if stop(c.Commit) {
			break
		}
		log = append(log, c.Commit)
		if commit = ""; len(c.Parents) > 0 {
			commit = c.Parents[0]
		}
	}
	return log, nil
}

type worldWriter struct{ w *world }

func (r worldWriter) Write(_ context.Context, write Write) (written Written, err error) {
	w := r.w
	err = w.call("write "+write.Branch, true, func() error {
		if w.branches[write.Branch] != write.Old {
			return fmt.Errorf("pushing: %w", ErrMoved)
		}
		parent, err := w.find(write.Parents[0])
		if err != nil {
			return err
		}
		content := maps.Clone(parent.files)
		for path, c := range write.Changes {
			if c == nil {
				if _, ok := content[path]; !ok {
					return fmt.Errorf("%s is not there to be removed", path)
				}
				delete(content, path)
				continue
			}
			content[path] = w.blob(c)
		}
		bot := w.person("Bot", botEmail)
		written = Written{Commit: w.add(write.Branch, worldCommit{files: content, Commit: Commit{
			Parents: write.Parents, Author: bot, Committer: bot, Message: write.Message,
		}}), Verified: true}
		return nil
	})
	return written, err
}

func (r worldWriter) Delete(_ context.Context, branch string, old Hash) error {
	return r.w.call("delete "+branch, true, func() error {
		switch r.w.branches[branch] {
		case "":
			return nil
		case old:
			r.w.deleteBranch(branch)
			return nil
		}
		return fmt.Errorf("deleting %s: %w", branch, ErrMoved)
	})
}

func (w *world) person(name, email string) Person {
	w.clock++
	return Person{Name: name, Email: email, When: time.Unix(int64(w.clock), 0)}
}

func (w *world) blob(content []byte) File {
	id := BlobID(content)
	w.blobs[id] = content
	return File{Blob: id, Mode: ModeFile}
}

// add puts a commit at the end of the branch.
func (w *world) add(branch string, c worldCommit) Hash {
	h := sha1.New()
	fmt.Fprintf(h, "%v %v %v %q", c.Parents, c.Author, c.Committer, c.Message)
	for _, path := range sortedKeys(c.files) {
		fmt.Fprintf(h, "%s %v\n", path, c.files[path])
	}
	c.Hash = Hash(hex.EncodeToString(h.Sum(nil)))
	w.commits[c.Hash] = &c
	w.branches[branch] = c.Hash
	w.follow(branch)
	return c.Hash
}

// follow shows in the pull requests where the branch stands.
func (w *world) follow(branch string) {
	for _, pr := range w.pulls {
		if pr.Head == branch && w.branches[branch] != "" && (pr.State == Open || w.following) {
			pr.HeadCommit = w.branches[branch]
		}
	}
}

func (w *world) deleteBranch(branch string) {
	delete(w.branches, branch)
	for _, pr := range w.pulls {
		if pr.Head == branch && pr.State == Open {
			pr.State = Closed
		}
	}
}

// --- people

// commitFiles puts a commit of a person on the branch; "" removes a file.
func (w *world) commitFiles(branch, name, message string, content map[string]string) Hash {
	c := worldCommit{files: map[string]File{}}
	if head := w.branches[branch]; head != "" {
		c.Parents = []Hash{head}
		c.files = maps.Clone(w.commits[head].files)
	}
	for path, text := range content {
		if text == "" {
			delete(c.files, path)
		} else {
			c.files[path] = w.blob([]byte(text))
		}
	}
	c.Author = w.person(name, strings.ToLower(name)+"@example.com")
	c.Committer, c.Message = c.Author, message
	return w.add(branch, c)
}

// rewrite replaces the branch's last commit by one of the same message with another
// committer, other files or another parent, as "git commit --amend" or a rebase do.
func (w *world) rewrite(branch, name string, parents []Hash, content map[string]string) Hash {
	old := w.commits[w.branches[branch]]
	c := worldCommit{Commit: old.Commit, files: maps.Clone(old.files)}
	if parents != nil {
		merged, _ := w.mergeFiles(old.Parents[0], w.branches[branch], parents[0])
		c.Parents, c.files = parents, merged
	}
	for path, text := range content {
		c.files[path] = w.blob([]byte(text))
	}
	c.Committer = w.person(name, strings.ToLower(name)+"@example.com")
	return w.add(branch, c)
}

// ancestors returns the commit and all before it.
func (w *world) ancestors(commit Hash) map[Hash]bool {
	seen := map[Hash]bool{}
	for todo := []Hash{commit}; len(todo) > 0; todo = todo[1:] {
		if c := w.commits[todo[0]]; c != nil && !seen[c.Hash] {
			seen[c.Hash] = true
			todo = append(todo, c.Parents...)
		}
	}
	return seen
}

// mergeBase returns the newest commit that both have.
func (w *world) mergeBase(a, b Hash) Hash {
	inA, inB := w.ancestors(a), w.ancestors(b)
	var both []*worldCommit
	for h := range inA {
		if inB[h] {
			both = append(both, w.commits[h])
		}
	}
	// The best has all others among its ancestors.
	sort.Slice(both, func(i, j int) bool { return len(w.ancestors(both[i].Hash)) > len(w.ancestors(both[j].Hash)) })
	if len(both) == 0 {
		return ""
	}
	return both[0].Hash
}

// mergeFiles merges two commits whose last common one is base, file by file, and
// returns the paths that both changed.
func (w *world) mergeFiles(base, a, b Hash) (merged map[string]File, conflicts []string) {
	before, ours, theirs := map[string]File{}, w.commits[a].files, w.commits[b].files
	if base != "" {
		before = w.commits[base].files
	}
	merged = maps.Clone(ours)
	for path := range difference(before, theirs) {
		switch file, there := theirs[path]; {
		case ours[path] == file:
		case ours[path] != before[path]:
			conflicts = append(conflicts, path)
		case there:
			merged[path] = file
		default:
			delete(merged, path)
		}
	}
	return merged, conflicts
}

// merge merges one branch into another, as a person does it; it reports whether that
// was possible.
func (w *world) merge(from, into, name, message, method string) (Hash, bool) {
	head, base := w.branches[from], w.branches[into]
	files, conflicts := w.mergeFiles(w.mergeBase(head, base), base, head)
	if len(conflicts) > 0 || len(difference(w.commits[base].files, files)) == 0 && method != "merge" {
		return "", false
	}
	person := w.person(name, strings.ToLower(name)+"@example.com")
	c := worldCommit{files: files, Commit: Commit{Parents: []Hash{base, head}, Author: person, Committer: person, Message: message}}
	switch method {
	case "squash":
		c.Parents = c.Parents[:1]
	case "rebase":
		c.Parents = c.Parents[:1]
		c.Message = w.commits[head].Message // of the last of them
	}
	return w.add(into, c), true
}

// mergePull merges a pull request by one of the forge's methods.
func (w *world) mergePull(pr *PullRequest, method string) bool {
	if w.branches[pr.Head] == "" {
		return false
	}
	var all string
	onBase := w.ancestors(w.branches[pr.Base])
	for h := w.branches[pr.Head]; h != "" && !onBase[h]; h = w.commits[h].Parents[0] {
		all = "* " + w.commits[h].Message + "\n" + all
		if len(w.commits[h].Parents) == 0 {
			break
		}
	}
	message := map[string]string{
		"merge":  fmt.Sprintf("Merge pull request #%d from org/%s\n\n%s", pr.Number, pr.Head, pr.Title),
		"squash": fmt.Sprintf("%s (#%d)\n\n%s", pr.Title, pr.Number, all),
	}[method]
	commit, ok := w.merge(pr.Head, pr.Base, "Ann", message, method)
	if !ok {
		return false
	}
	pr.State, pr.MergeCommit = Merged, commit
	return true
}

// open returns the open pull requests.
func (w *world) open() []*PullRequest {
	var open []*PullRequest
	for _, pr := range w.pulls {
		if pr.State == Open {
			open = append(open, pr)
		}
	}
	return open
}

// text returns the content of a file at the end of the branch, "" when there is none.
func (w *world) text(branch, path string) string {
	c := w.commits[w.branches[branch]]
	if c == nil {
		return ""
	}
	return string(w.blobs[c.files[path].Blob])
}

// texts returns all files of the branch in the folder.
func (w *world) texts(branch, folder string) map[string]string {
	got := map[string]string{}
	if c := w.commits[w.branches[branch]]; c != nil {
		for path := range c.files {
			if folder == "" || tree.Inside(path, folder) {
				got[path] = w.text(branch, path)
			}
		}
	}
	return got
}

// --- the forge

type worldForge struct{ w *world }

const worldLogin = "bot"

func (f worldForge) Traits() Traits {
	return Traits{Name: "world", Login: worldLogin, BodyLimit: f.w.limit}
}

func (f worldForge) PullRequests(_ context.Context, branch string) (got []PullRequest, err error) {
	err = f.w.call("pull requests", false, func() error {
		for _, pr := range slices.Backward(f.w.pulls) {
			if pr.Head == branch {
				got = append(got, *pr)
			}
		}
		return nil
	})
	return got, err
}

func (w *world) pull(number int) (*PullRequest, error) {
	if number < 1 || number > len(w.pulls) {
		return nil, fmt.Errorf("pull request %d: %w", number, ErrNotFound)
	}
	return w.pulls[number-1], nil
}

func (f worldForge) Open(_ context.Context, request NewPullRequest) (opened PullRequest, err error) {
	w := f.w
	err = w.call("open", true, func() error {
		switch head, base := w.branches[request.Head], w.branches[request.Base]; {
		case w.moderated:
			return fmt.Errorf("opening pull requests is not permitted: %w", ErrDenied)
		case head == "" || base == "":
			return fmt.Errorf("no such branch: %w", ErrNotFound)
		case w.ancestors(base)[head]:
			return fmt.Errorf("no commits between %s and %s", request.Base, request.Head)
		case request.Draft && !w.drafts:
			return fmt.Errorf("drafts: %w", ErrUnsupported)
		case w.limit > 0 && len(request.Body) > w.limit:
			return fmt.Errorf("the body is too long")
		case slices.ContainsFunc(w.open(), func(pr *PullRequest) bool { return pr.Head == request.Head && pr.Base == request.Base }):
			return fmt.Errorf("opening: %w", ErrExists)
		}
		pr := &PullRequest{
			Number: len(w.pulls) + 1, State: Open, Draft: request.Draft, Title: request.Title, Body: request.Body,
			Base: request.Base, Head: request.Head, HeadCommit: w.branches[request.Head], Author: worldLogin,
		}
		pr.URL = fmt.Sprintf("https://forge.example/pull/%d", pr.Number)
		w.pulls = append(w.pulls, pr)
		opened = *pr
		return nil
	})
	return opened, err
}

// change changes a pull request.
func (f worldForge) change(name string, number int, do func(*PullRequest) error) error {
	return f.w.call(name, true, func() error {
		pr, err := f.w.pull(number)
		if err != nil {
			return err
		}
		return do(pr)
	})
}

func (f worldForge) Edit(_ context.Context, number int, edit Edit) error {
	return f.change("edit", number, func(pr *PullRequest) error {
		if edit.Body != nil && f.w.limit > 0 && len(*edit.Body) > f.w.limit {
			return fmt.Errorf("the body is too long")
		}
		if edit.State != nil && pr.State == Merged {
			return fmt.Errorf("it is merged")
		}
		if edit.Title != nil {
			pr.Title = *edit.Title
		}
		if edit.Body != nil {
			pr.Body = *edit.Body
		}
		if edit.State != nil {
			pr.State = *edit.State
		}
		return nil
	})
}

func (f worldForge) Comments(_ context.Context, number int) (got []Comment, err error) {
	err = f.w.call("comments", false, func() error {
		got = slices.Clone(f.w.comments[number])
		return nil
	})
	return got, err
}

func (f worldForge) Comment(_ context.Context, number int, body string) (made Comment, err error) {
	err = f.change("comment", number, func(*PullRequest) error {
		f.w.ids++
		made = Comment{ID: f.w.ids, Author: worldLogin, Body: body}
		f.w.comments[number] = append(f.w.comments[number], made)
		return nil
	})
	return made, err
}

func (f worldForge) EditComment(_ context.Context, id int64, body string) error {
	return f.w.call("edit comment", true, func() error {
		for _, list := range f.w.comments {
			for i := range list {
				if list[i].ID == id {
					list[i].Body = body
					return nil
				}
			}
		}
		return fmt.Errorf("comment %d: %w", id, ErrNotFound)
	})
}

// extend adds those names that the forge takes.
func (f worldForge) extend(to *[]string, names []string) error {
	var refused []string
	for _, name := range names {
		switch {
		case slices.Contains(f.w.refused, name):
			refused = append(refused, name)
		case !has(*to, name):
			*to = append(*to, name)
		}
	}
	if len(refused) > 0 {
		return fmt.Errorf("the forge does not take %s", strings.Join(refused, ", "))
	}
	return nil
}

func (f worldForge) AddLabels(_ context.Context, number int, names []string) error {
	return f.change("labels", number, func(pr *PullRequest) error { return f.extend(&pr.Labels, names) })
}

func (f worldForge) AddAssignees(_ context.Context, number int, names []string) error {
	return f.change("assignees", number, func(pr *PullRequest) error { return f.extend(&pr.Assignees, names) })
}

func (f worldForge) RequestReviewers(_ context.Context, number int, names []string) error {
	return f.change("reviewers", number, func(pr *PullRequest) error {
		if has(names, pr.Author) {
			return fmt.Errorf("the author cannot review")
		}
		return f.extend(&pr.Reviewers, names)
	})
}

func (f worldForge) SetDraft(_ context.Context, pr PullRequest, draft bool) error {
	return f.change("draft", pr.Number, func(pr *PullRequest) error {
		if !f.w.drafts {
			return fmt.Errorf("drafts: %w", ErrUnsupported)
		}
		pr.Draft = draft
		return nil
	})
}

func (f worldForge) AutoMerge(_ context.Context, pr PullRequest, method string) error {
	return f.change("auto-merge "+method, pr.Number, func(pr *PullRequest) error {
		if !f.w.arms {
			return fmt.Errorf("auto-merge: %w", ErrUnsupported)
		}
		pr.AutoMerge = method != ""
		return nil
	})
}

// tester is what testing.TB and rapid.T have in common.
type tester interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
	Errorf(string, ...any)
}
