package github

import (
	"cmp"
	"context"
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	gh "github.com/google/go-github/v62/github"

	"hedgehog-gitops/gitsync"
	"hedgehog-gitops/gitsync/edge"
	"hedgehog-gitops/render/tree"
)

// Writer makes commits over GitHub's Git Data API. GitHub signs those of bots, of
// Apps and workflows that is, and shows them as verified. It reads the modes of
// files, writes a tree and a commit, and moves the branch; however many files, these
// are a handful of requests.
//
// Its lease is weaker than that of a push: GitHub's API cannot compare and change a
// branch in one step. The branch is read right before it is changed, and it is only
// forced where it stood then at the old commit; whoever pushes in the moment between
// is overwritten. Where the new commit goes on from the old one nothing is forced,
// and no commit can get lost.
type Writer struct{ forge *Forge }

var _ gitsync.Writer = (*Writer)(nil)

// Writer returns the writer for the repository.
func (f *Forge) Writer() *Writer { return &Writer{f} }

// What the API is used for at most: a change of so many files, and bytes. More is for
// a push.
const (
	mostFiles = 1000
	mostBytes = 8 << 20
)

// contentsRight is what it takes to write.
const contentsRight = "contents: write"

// Suits reports whether the API is the better way for the commit: it is signed, and
// not too large. On servers other than GitHub's own nobody can know what they take.
func (w *Writer) Suits(write gitsync.Write) bool {
	f := w.forge
	if !f.cloud() || !f.bot() || len(write.Parents) == 0 || len(write.Changes) > mostFiles {
		return false
	}
	size := 0
	for name, content := range write.Changes {
		size += len(name) + len(content)
		for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
			if _, found := write.Changes[dir]; found {
				return false // a file becomes a folder: what the API makes of it is nowhere written
			}
		}
	}
	return size <= mostBytes
}

// Either returns a writer that takes the API for what suits it, and git for all else
// and for deleting. A git that can say beforehand what is wrong with a commit, by a
// method Check, is asked in either case.
func Either(api *Writer, git gitsync.Writer) gitsync.Writer { return either{api, git, false} }

// Always returns a writer that takes the API for everything. git says beforehand what
// is wrong with a commit, as in [Either], and writes nothing.
func Always(api *Writer, git gitsync.Writer) gitsync.Writer { return either{api, git, true} }

type either struct {
	api    *Writer
	git    gitsync.Writer
	always bool
}

// Write implements [gitsync.Writer].
func (e either) Write(ctx context.Context, w gitsync.Write) (gitsync.Written, error) {
	if !e.always && !e.api.Suits(w) {
		return e.git.Write(ctx, w)
	}
	if checks, ok := e.git.(interface {
		Check(context.Context, gitsync.Write) error
	}); ok {
		if err := checks.Check(ctx, w); err != nil {
			return gitsync.Written{}, err
		}
	}
	return e.api.Write(ctx, w)
}

// Delete implements [gitsync.Writer].
func (e either) Delete(ctx context.Context, branch string, old gitsync.Hash) error {
	if e.always {
		return e.api.Delete(ctx, branch, old)
	}
	return e.git.Delete(ctx, branch, old)
}

// Write makes a commit and puts it at the end of its branch: see [gitsync.Writer].
// What is there keeps its mode. A change in .github, and one of a path that is a
// link, a submodule or a folder, is an error.
func (w *Writer) Write(ctx context.Context, write gitsync.Write) (gitsync.Written, error) {
	doing := "writing to " + edge.Neutral(write.Branch)
	ctx = w.forge.task(ctx, task{doing: doing, right: contentsRight, harmless: true})
	written, err := w.write(ctx, write)
	if err != nil {
		return gitsync.Written{}, w.forge.fail(ctx, doing, err)
	}
	return written, nil
}

func (w *Writer) write(ctx context.Context, write gitsync.Write) (gitsync.Written, error) {
	f, none := w.forge, gitsync.Written{}
	if err := check(write); err != nil {
		return none, err
	}
	parent, _, err := f.client.Git.GetCommit(ctx, f.owner, f.name, string(write.Parents[0]))
	if err != nil {
		return none, lacks(f.explain(ctx, err), "there is no commit "+edge.Neutral(string(write.Parents[0])))
	}
	from := parent.GetTree().GetSHA()
	there, err := w.entries(ctx, from, slices.Sorted(maps.Keys(write.Changes)))
	if err != nil {
		return none, err
	}
	entries, err := w.changed(ctx, there, write.Changes)
	if err != nil {
		return none, err
	}
	root := from
	if len(entries) > 0 {
		made, _, err := f.client.Git.CreateTree(ctx, f.owner, f.name, from, entries)
		if err != nil {
			return none, err
		}
		root = made.GetSHA()
	}
	if root == from && len(write.Parents) == 1 {
		now, err := w.head(ctx, write.Branch)
		if err == nil && now != write.Old {
			err = moved(write, now)
		}
		return none, cmp.Or[error](err, &edge.Error{Detail: "the commit would change nothing", Kind: gitsync.ErrUnchanged})
	}
	commit := &gh.Commit{Message: &write.Message, Tree: &gh.Tree{SHA: &root}}
	for _, p := range write.Parents {
		commit.Parents = append(commit.Parents, &gh.Commit{SHA: gh.String(string(p))})
	}
	made, _, err := f.client.Git.CreateCommit(ctx, f.owner, f.name, commit, nil)
	if err != nil {
		return none, err
	}
	written := gitsync.Written{Commit: gitsync.Hash(made.GetSHA()), Verified: made.GetVerification().GetVerified()}
	return written, w.move(ctx, write, written.Commit)
}

// check refuses what the API would take and nobody wants.
func check(write gitsync.Write) error {
	if len(write.Parents) == 0 {
		return &edge.Error{Detail: "GitHub's API makes no first commit", Kind: gitsync.ErrUnsupported, Hint: "push it"}
	}
	if strings.TrimSpace(write.Message) == "" || !utf8.ValidString(write.Message) {
		return &edge.Error{Detail: "the message of the commit is empty or no text"}
	}
	for _, name := range slices.Sorted(maps.Keys(write.Changes)) {
		if err := tree.Check(name); err != nil {
			return err
		}
		if first, _, _ := strings.Cut(name, "/"); strings.EqualFold(first, ".github") {
			return &edge.Error{Detail: edge.Neutral(name) + " is not changed: workflows are people's"}
		}
	}
	return nil
}

// lacks says what is missing where GitHub found nothing.
func lacks(e *edge.Error, what string) *edge.Error {
	if errors.Is(e, gitsync.ErrNotFound) {
		e.Detail = what
	}
	return e
}

// entry is what stands at a path of a tree.
type entry struct{ kind, mode, id string }

// entries returns what stands at the paths and at the folders above them. A tree too
// large for one answer is read folder by folder.
func (w *Writer) entries(ctx context.Context, root string, paths []string) (map[string]entry, error) {
	f, found := w.forge, map[string]entry{}
	wanted := map[string]bool{}
	for _, name := range paths {
		for ; name != "."; name = path.Dir(name) {
			wanted[name] = true
		}
	}
	take := func(folder, id string, recursive bool) (truncated bool, err error) {
		t, _, err := f.client.Git.GetTree(ctx, f.owner, f.name, id, recursive)
		if err != nil {
			return false, err
		}
		for _, e := range t.Entries {
			if name := path.Join(folder, e.GetPath()); wanted[name] {
				found[name] = entry{e.GetType(), e.GetMode(), e.GetSHA()}
			}
		}
		return t.GetTruncated(), nil
	}
	if truncated, err := take("", root, true); err != nil || !truncated {
		return found, err
	}
	found = map[string]entry{}
	folders := map[string]bool{"": true}
	for name := range wanted {
		if dir := path.Dir(name); dir != "." {
			folders[dir] = true
		}
	}
	for _, folder := range slices.Sorted(maps.Keys(folders)) { // a folder comes after the one it is in
		id := root
		if folder != "" {
			e := found[folder]
			if e.kind != "tree" {
				continue
			}
			id = e.id
		}
		truncated, err := take(folder, id, false)
		if err != nil {
			return nil, err
		}
		if truncated {
			return nil, &edge.Error{Detail: "GitHub does not tell all files of the folder " + cmp.Or(folder, "/"), Kind: gitsync.ErrUnsupported, Hint: "push instead"}
		}
	}
	return found, nil
}

// changed returns the entries of the new tree that differ from those that are there.
func (w *Writer) changed(ctx context.Context, there map[string]entry, changes map[string][]byte) ([]*gh.TreeEntry, error) {
	var entries []*gh.TreeEntry
	for _, name := range slices.Sorted(maps.Keys(changes)) {
		content, old := changes[name], there[name]
		if old.kind == "tree" {
			return nil, &edge.Error{Detail: edge.Neutral(name) + " is a folder in the repository", Hint: "move it away, or choose another name"}
		}
		e := &gh.TreeEntry{Path: gh.String(name), Type: gh.String("blob"), Mode: gh.String("100644")}
		if content == nil {
			if old.kind != "" { // GitHub refuses to remove what is not there
				e.Type, e.Mode = gh.String(old.kind), gh.String(old.mode)
				entries = append(entries, e)
			}
			continue
		}
		for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
			if at, found := there[dir]; found && at.kind != "tree" {
				return nil, &edge.Error{Detail: edge.Neutral(dir) + " is no folder in the repository", Hint: "remove it there first"}
			}
		}
		switch old.mode {
		case "", "100644", "100755":
		default:
			return nil, &edge.Error{Detail: edge.Neutral(name) + " is a link or a submodule in the repository, not a file", Hint: "remove it there first"}
		}
		if old.id == blobID(content) {
			continue
		}
		e.Mode = gh.String(cmp.Or(old.mode, "100644"))
		if err := w.fill(ctx, e, content); err != nil {
			return nil, err
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// fill puts the content into the entry. What is no text is sent by itself: JSON
// cannot hold it.
func (w *Writer) fill(ctx context.Context, e *gh.TreeEntry, content []byte) error {
	if utf8.Valid(content) {
		e.Content = gh.String(string(content))
		return nil
	}
	f := w.forge
	blob, _, err := f.client.Git.CreateBlob(ctx, f.owner, f.name, &gh.Blob{
		Content: gh.String(base64.StdEncoding.EncodeToString(content)), Encoding: gh.String("base64"),
	})
	if err != nil {
		return err
	}
	e.SHA = blob.SHA
	return nil
}

// blobID is how Git calls the content.
func blobID(content []byte) string {
	h := sha1.New()
	fmt.Fprintf(h, "blob %d\x00", len(content))
	_, _ = h.Write(content)
	return hex.EncodeToString(h.Sum(nil))
}

// head returns where the branch stands now, "" when there is no such branch.
func (w *Writer) head(ctx context.Context, branch string) (gitsync.Hash, error) {
	f := w.forge
	ref, _, err := f.client.Git.GetRef(ctx, f.owner, f.name, "heads/"+branch)
	switch {
	case err == nil && ref.GetRef() == "refs/heads/"+branch:
		return gitsync.Hash(ref.GetObject().GetSHA()), nil
	case err == nil, errors.Is(err, gitsync.ErrNotFound):
		return "", nil
	}
	return "", f.explain(ctx, err)
}

// moved says that the branch is not where it should be.
func moved(write gitsync.Write, now gitsync.Hash) *edge.Error {
	e := &edge.Error{Kind: gitsync.ErrMoved}
	switch {
	case now == "":
		e.Detail = "the branch is gone"
	case write.Old == "":
		e.Detail = fmt.Sprintf("the branch exists already, at %.12s", now)
	default:
		e.Detail = fmt.Sprintf("the branch has moved from %.12s to %.12s", write.Old, now)
	}
	return e
}

// move puts the branch at the commit, if it stands at the old one. A lost answer is
// settled by reading the branch.
func (w *Writer) move(ctx context.Context, write gitsync.Write, commit gitsync.Hash) error {
	f := w.forge
	ref := &gh.Reference{Ref: gh.String("refs/heads/" + write.Branch), Object: &gh.GitObject{SHA: gh.String(string(commit))}}
	force := !slices.Contains(write.Parents, write.Old)
	ctx = f.task(ctx, task{doing: taskOf(ctx).doing, right: contentsRight}) // once: others may move it meanwhile
	for try := 1; ; try++ {
		var got *gh.Reference
		var err error
		if write.Old == "" {
			got, _, err = f.client.Git.CreateRef(ctx, f.owner, f.name, ref)
		} else {
			now, readErr := w.head(ctx, write.Branch)
			switch {
			case readErr != nil:
				return readErr
			case now != write.Old:
				return moved(write, now)
			}
			got, _, err = f.client.Git.UpdateRef(ctx, f.owner, f.name, ref, force)
		}
		if err == nil { // GitHub tells where the branch stands now
			if at := gitsync.Hash(got.GetObject().GetSHA()); at != commit {
				return moved(write, at)
			}
			return nil
		}
		e := f.explain(ctx, err)
		unknown := e.Again && !refusalOf(e).limited
		if !unknown && !errors.Is(e, gitsync.ErrExists) && !errors.Is(e, gitsync.ErrMoved) && !errors.Is(e, gitsync.ErrNotFound) {
			return e
		}
		now, readErr := w.head(ctx, write.Branch)
		switch {
		case readErr != nil:
			return e
		case now == commit:
			return nil
		case now != write.Old:
			return moved(write, now)
		case !unknown || try >= f.options.Tries:
			return e
		}
	}
}

// Delete removes the branch if it still stands at old.
func (w *Writer) Delete(ctx context.Context, branch string, old gitsync.Hash) error {
	f, doing := w.forge, "deleting "+edge.Neutral(branch)
	ctx = f.task(ctx, task{doing: doing, right: contentsRight})
	for try := 1; ; try++ {
		now, err := w.head(ctx, branch)
		switch {
		case err != nil:
			return f.fail(ctx, doing, err)
		case now == "":
			return nil
		case now != old:
			return f.fail(ctx, doing, moved(gitsync.Write{Old: old}, now))
		}
		if _, err := f.client.Git.DeleteRef(ctx, f.owner, f.name, "heads/"+branch); err != nil {
			e := f.fail(ctx, doing, err)
			if try >= f.options.Tries || !errors.Is(e, gitsync.ErrNotFound) && (!e.Again || refusalOf(e).limited) {
				return e
			}
			continue // it may be gone, or stand where it stood
		}
		return nil
	}
}
