package main

import (
	"context"
	"path"
	"strconv"
	"strings"

	"hedgehog-gitops/gitsync"
	"hedgehog-gitops/render"
	"hedgehog-gitops/render/hedgehog"
	"hedgehog-gitops/render/netbox/rest"
	"hedgehog-gitops/render/review"
	"hedgehog-gitops/render/rollout"
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
func (s *stream) texts(ctx context.Context, laid laidOut, step rollout.Step, toolOnly bool) (texts, error) {
	before, issues := laid.Checked.Before(laid.In, laid.Out)
	asked, err := s.asked(ctx, laid)
	if err != nil {
		return texts{}, err
	}
	request := review.Request{
		Fabric: s.name, Changes: review.Diff(before, laid.Checked.Objects),
		Tool: "hedgehog-gitops " + version(), ToolOnly: toolOnly, Asked: asked,
		// What is merged and cannot be built is about to be replaced: worth knowing.
		Issues: append(lowered(issues), s.fabric.Issues...), Held: held(laid),
		Merge: review.Merge{StageOf: render.StageOf},
		Step:  review.Step{Number: step.Number, Of: step.Of, Gone: step.Gone, Present: step.Present},
		Links: s.links(),
	}
	if step.Of == 1 {
		request.Step = review.Step{}
	}
	request.Issues.Sort()
	limit := defaultLimit
	if s.target.Forge != nil {
		limit = s.target.Forge.Traits().BodyLimit
	}
	t := texts{
		title: request.Title(), body: request.Body(limit - gitsync.MarkerRoom), message: request.CommitMessage(),
		report: request.Report(), changes: request.Changes,
		obsolete: "NetBox and the merged files agree again, so nothing is left to merge.",
	}
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
		list = append(list, review.Held{Key: places[file], File: file})
	}
	return list
}

// links are where the texts lead to.
func (s *stream) links() review.Links {
	return review.Links{NetBox: strings.TrimSuffix(s.netbox, "/")}
}

// trailerChange is the trailer of a commit with the highest id of NetBox's change
// log when the commit was made.
const trailerChange = "NetBox-Change"

// asked returns what NetBox's change log says about the objects that the changed
// files were or are made of, since the last merge. Nil when NetBox is not asked.
func (s *stream) asked(ctx context.Context, laid laidOut) ([]review.Asked, error) {
	if s.client == nil || len(laid.Out.Changes) == 0 {
		return nil, nil
	}
	since, err := s.lastMerged(ctx)
	if err != nil {
		return nil, err
	}
	changes, _, err := rest.ChangesSince(ctx, s.client, since, originsOf(laid))
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

// mergesLooked is how many commits of base are looked at for the last merge.
const mergesLooked = 50

// lastMerged returns the highest id of NetBox's change log that the last merged
// commit of this fabric knew of, 0 when there is none.
func (s *stream) lastMerged(ctx context.Context) (int64, error) {
	last := int64(0)
	_, err := s.target.Repo.Log(ctx, s.from, mergesLooked, func(c gitsync.Commit) bool {
		for _, t := range gitsync.TrailersOf(c.Message, s.name) {
			if t.Key == trailerChange {
				last, _ = strconv.ParseInt(t.Value, 10, 64)
			}
		}
		return last > 0
	})
	return last, err
}

// originsOf returns the NetBox objects that the changed files were, or are now,
// made of, as paths without a host.
func originsOf(laid laidOut) map[string]bool {
	origins := map[string]bool{}
	locks := map[string][]*render.Lock{}
	for _, c := range laid.Out.Changes {
		root := path.Dir(path.Dir(c.Path))
		if _, ok := objectOf(c.Path); !ok {
			continue
		}
		if _, ok := locks[root]; !ok {
			locks[root] = nil
			for _, t := range []tree.Tree{laid.In.Merged, laid.Out.Tree} {
				content, ok := t.Get(path.Join(root, render.LockName))
				if !ok {
					continue
				}
				if lock, err := render.ParseLock(content); err == nil {
					locks[root] = append(locks[root], lock)
				}
			}
		}
		for _, lock := range locks[root] {
			for _, origin := range lock.Files[path.Join(path.Base(path.Dir(c.Path)), path.Base(c.Path))].Origins {
				origins[origin] = true
			}
		}
	}
	return origins
}
