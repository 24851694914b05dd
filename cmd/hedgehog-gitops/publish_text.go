package main

import (
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"hedgehog-gitops/gitsync"
	"hedgehog-gitops/render"
	"hedgehog-gitops/render/hedgehog"
	"hedgehog-gitops/render/netbox/rest"
	"hedgehog-gitops/render/review"
	"hedgehog-gitops/render/tree"
)

// texts are what people read about a proposal.
type texts struct {
	title, body, message, report string
	// obsolete says why nothing is left to propose.
	obsolete string
	// byHand is whether a person has to merge it: something is deleted or replaced.
	byHand  bool
	changes review.Changes
}

// defaultLimit is how long a text is where no forge says so.
const defaultLimit = 65536

// texts writes what people read about what is laid out.
func (s *stream) texts(ctx context.Context, laid stepped, toolOnly bool) (texts, error) {
	asked, err := s.asked(ctx, laid.laidOut)
	if err != nil {
		return texts{}, err
	}
	request := review.Request{
		Fabric: s.name, Changes: review.Diff(laid.Before, laid.Checked.Objects),
		Tool: "hedgehog-gitops " + version(), ToolOnly: toolOnly, Asked: asked,
		// What is merged and cannot be built is about to be replaced: worth knowing.
		Issues: append(lowered(laid.Broken), s.fabric.Issues...), Held: held(laid.laidOut),
		Merge: review.Merge{StageOf: render.StageOf, Pruning: s.pruning()},
		Step:  s.stepText(laid),
		Links: s.links(),
	}
	request.Issues.Sort()
	limit := defaultLimit
	if s.target.Forge != nil {
		limit = s.target.Forge.Traits().BodyLimit
	}
	t := texts{
		title: request.Title(), body: request.Body(limit - gitsync.MarkerRoom), message: request.CommitMessage(),
		report: request.Report(), changes: request.Changes,
	}
	if len(laid.Out.Changes) == 0 {
		if t.obsolete, err = s.obsolete(ctx); err != nil {
			return texts{}, err
		}
	}
	t.byHand = laid.waits()
	for _, n := range request.Changes.Counts() {
		t.byHand = t.byHand || n.Class == review.Delete || n.Class == review.Replace
	}
	return t, nil
}

// lowered returns the issues as warnings.
func lowered(issues hedgehog.Issues) hedgehog.Issues {
	var list hedgehog.Issues
	for _, i := range issues {
		i.Severity = min(i.Severity, hedgehog.Warning)
		list = append(list, i)
	}
	return list
}

// held returns the objects that people took out of the files.
func held(laid laidOut) []review.Held {
	places := map[string]hedgehog.Key{}
	for key, place := range laid.Out.Places {
		places[place] = key
	}
	var list []review.Held
	for _, file := range laid.Out.Held {
		if key, ok := places[file]; ok { // not what leads a tool to a root
			list = append(list, review.Held{Key: key, File: file})
		}
	}
	return list
}

// links are where the texts lead to.
func (s *stream) links() review.Links {
	return review.Links{NetBox: strings.TrimSuffix(s.netbox, "/")}
}

// asked returns what NetBox's change log says about the objects that the changed
// files were or are made of, since the last merge. Nil when NetBox is not asked.
func (s *stream) asked(ctx context.Context, laid laidOut) ([]review.Asked, error) {
	if s.client == nil || len(laid.Out.Changes) == 0 {
		return nil, nil
	}
	return s.changesSince(ctx, s.merge.Order, originsOf(laid.Out.Changes, laid.In.Merged, laid.Out.Tree))
}

// changesSince returns what NetBox's change log says about the objects after an entry
// of it. It is never nil.
func (s *stream) changesSince(ctx context.Context, since int64, objects map[string]bool) ([]review.Asked, error) {
	changes, _, err := rest.ChangesSince(ctx, s.client, since, objects)
	if err != nil {
		return nil, err
	}
	asked := []review.Asked{}
	words := map[string]string{"create": "created", "update": "updated", "delete": "deleted"}
	for _, c := range changes {
		asked = append(asked, review.Asked{
			User: c.User, Time: c.Time, Message: c.Message, Action: words[c.Action], Object: c.Name,
			ObjectURL: "/core/changelog/" + strconv.FormatInt(c.ID, 10) + "/",
		})
	}
	return asked, nil
}

// obsolete says why nothing is left to propose, and what was done in NetBox to the
// objects in question since the branch was made.
func (s *stream) obsolete(ctx context.Context) (string, error) {
	text := "NetBox and the merged files agree again, so nothing is left to merge."
	if s.client == nil {
		return text, nil
	}
	head, err := s.target.Repo.Head(ctx, s.branch)
	if err != nil || head == "" || head == s.from {
		return text, err
	}
	since, changes, trees, err := s.proposed(ctx, head)
	if err != nil || len(changes) == 0 {
		return text, err
	}
	asked, err := s.changesSince(ctx, since, originsOf(changes, trees...))
	if err != nil || len(asked) == 0 {
		return text, err
	}
	text += " In NetBox, since it was proposed:\n"
	const most = 5
	for _, a := range asked[:min(most, len(asked))] {
		text += "\n- " + review.Code(a.User) + " " + a.Action + " " + review.Code(a.Object) + ", " + a.Time.UTC().Format("2006-01-02 15:04") + " UTC"
		if a.Message != "" {
			text += ", \"" + review.Plain(a.Message) + "\""
		}
	}
	if left := len(asked) - most; left > 0 {
		text += fmt.Sprintf("\n- and %d more", left)
	}
	return text, nil
}

// branchLooked is how many commits of a branch are looked at for one of ours.
const branchLooked = 20

// proposed returns what the branch that ends in head changes of base, the trees with
// the locks that tell what it is made of, and the highest id of NetBox's change log
// that its newest commit of ours knew of.
func (s *stream) proposed(ctx context.Context, head gitsync.Hash) (since int64, changes []tree.Change, trees []tree.Tree, err error) {
	if _, err := s.target.Repo.Log(ctx, head, branchLooked, func(c gitsync.Commit) bool {
		for _, t := range gitsync.TrailersOf(c.Message, s.name) {
			if t.Key == trailerChange {
				since, _ = strconv.ParseInt(t.Value, 10, 64)
			}
		}
		return since > 0
	}); err != nil || since == 0 {
		return 0, nil, nil, err
	}
	folder := path.Join(s.root, render.BaseFolder(s.name))
	var sides [2]map[string]gitsync.File
	for i, commit := range []gitsync.Hash{s.from, head} {
		if sides[i], err = s.target.Repo.Files(ctx, commit, folder); err != nil {
			return 0, nil, nil, err
		}
	}
	locks := map[string]bool{}
	for _, side := range sides {
		for name := range side {
			if sides[0][name] == sides[1][name] {
				continue
			}
			if _, ok := objectOf(name); ok {
				changes = append(changes, tree.Change{Path: s.strip(name)})
				locks[path.Join(path.Dir(path.Dir(name)), render.LockName)] = true
			}
		}
	}
	for i, commit := range []gitsync.Hash{s.from, head} {
		there := slices.DeleteFunc(slices.Sorted(maps.Keys(locks)), func(name string) bool { _, ok := sides[i][name]; return !ok })
		read, err := s.target.Repo.Read(ctx, commit, there)
		if err != nil {
			return 0, nil, nil, err
		}
		var stripped tree.Tree
		for name, content := range read.All() {
			if err := stripped.Set(s.strip(name), content); err != nil {
				return 0, nil, nil, err
			}
		}
		trees = append(trees, stripped)
	}
	return since, changes, trees, nil
}

// trailerChange is the trailer of a commit with the highest id of NetBox's change
// log when the commit was made.
const trailerChange = "NetBox-Change"

// originsOf returns the NetBox objects that the changed files are made of, by the
// locks in the trees, as paths without a host.
func originsOf(changes []tree.Change, trees ...tree.Tree) map[string]bool {
	origins := map[string]bool{}
	locks := map[string][]*render.Lock{}
	for _, c := range changes {
		root := path.Dir(path.Dir(c.Path))
		if _, ok := objectOf(c.Path); !ok {
			continue
		}
		if _, ok := locks[root]; !ok {
			locks[root] = locksOf(root, trees)
		}
		for _, lock := range locks[root] {
			for _, origin := range lock.Files[path.Join(path.Base(path.Dir(c.Path)), path.Base(c.Path))].Origins {
				origins[origin] = true
			}
		}
	}
	return origins
}

// locksOf returns the locks of a root in the trees, as far as there are some.
func locksOf(root string, trees []tree.Tree) []*render.Lock {
	var locks []*render.Lock
	for _, t := range trees {
		content, ok := t.Get(path.Join(root, render.LockName))
		if !ok {
			continue
		}
		if lock, err := render.ParseLock(content); err == nil {
			locks = append(locks, lock)
		}
	}
	return locks
}
