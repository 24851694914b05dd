package gitsync

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// steps returns a plan on one line: the operation and what is done, in order.
func (p plan) steps() string {
	steps := []string{string(p.operation)}
	for _, a := range p.actions {
		step := strings.TrimPrefix(reflect.TypeOf(a).Name(), "do")
		switch a := a.(type) {
		case doComment:
			step += " " + a.kind
		case doAutoMerge:
			step += " " + a.method
		case doRecord:
			if !a.text {
				step += " marker"
			}
		case doOpen:
			if a.draft {
				step += " draft"
			}
		case doPush:
			if a.push.old == "" {
				step += " new"
			}
		}
		steps = append(steps, strings.TrimSpace(step))
	}
	return strings.Join(steps, ", ")
}

// What is decided, for what is seen. Every row starts from an open pull request that is
// as it should be.
func TestDecide(t *testing.T) {
	t.Parallel()
	const ours, theirs = Hash("ours"), Hash("theirs")
	proposal := Proposal{Stream: "lab", Branch: "b", Digest: "d1", Order: 7, Title: "title", Body: "body"}
	settled := marker{Version: 1, Stream: "lab", Digest: "d1", Head: ours, Order: 7, Text: textDigest("title", "body")}
	type row struct {
		proposal Proposal
		state    state
	}
	human := []Commit{{Hash: theirs, Message: "mine"}}
	closed := func(r *row) {
		r.state.last, r.state.open = r.state.open, nil
		r.state.last.State = Closed
	}
	merged := func(r *row) {
		closed(r)
		r.state.last.State = Merged
	}
	pushing := func(r *row) { r.state.push = &push{old: r.state.head} }
	gone := func(r *row) { r.state.head, r.state.lineage = "", lineage{}; pushing(r) }
	other := func(r *row) { r.proposal.Digest = "d2"; pushing(r) }
	people := func(r *row) {
		r.state.head, r.state.people = theirs, human
		if r.state.push != nil {
			pushing(r)
		}
	}
	updated := func(r *row) { r.state.head, r.state.kept = theirs, human }
	same := func(r *row) { r.state.changed = false }
	noForge := func(r *row) { r.state.forge, r.state.open, r.state.last = false, nil, nil }
	first := func(r *row) { r.state.open = nil; gone(r) }
	held := func(r *row) { r.state.open.Labels = []string{"HOLD"} }
	for name, test := range map[string]struct {
		given []func(*row)
		want  string
	}{
		"all is as it should be":   {nil, "none"},
		"a first proposal":         {[]func(*row){first}, "opened, Push new, Open"},
		"a draft":                  {[]func(*row){first, func(r *row) { r.proposal.Draft = DraftYes }}, "opened, Push new, Open draft"},
		"decorated":                {[]func(*row){first, func(r *row) { r.proposal.Labels, r.proposal.Assignees = []string{"l"}, []string{"a"} }}, "opened, Push new, Open, Labels, Assign, Record marker"},
		"reviewers but the author": {[]func(*row){first, func(r *row) { r.proposal.Reviewers = []string{"ME", "you"} }}, "opened, Push new, Open, Review, Record marker"},
		"auto-merge":               {[]func(*row){first, func(r *row) { r.proposal.AutoMerge = "squash" }}, "opened, Push new, Open, AutoMerge squash, Record marker"},
		"no auto-merge of a draft": {[]func(*row){first, func(r *row) { r.proposal.AutoMerge, r.proposal.Draft = "squash", DraftYes }}, "opened, Push new, Open draft"},
		"no auto-merge of what a person must merge":   {[]func(*row){first, func(r *row) { r.proposal.AutoMerge, r.proposal.ByHand = "squash", true }}, "opened, Push new, Open"},
		"pushed, but not opened":                      {[]func(*row){func(r *row) { r.state.open = nil }}, "opened, Open"},
		"the digest alone is other":                   {[]func(*row){func(r *row) { r.proposal.Digest = "d2" }}, "updated, Record marker"},
		"the order alone is newer":                    {[]func(*row){func(r *row) { r.proposal.Order = 8 }}, "none"},
		"the text is other":                           {[]func(*row){func(r *row) { r.proposal.Body = "b2" }}, "updated, Record"},
		"other content":                               {[]func(*row){other}, "updated, Push, Record marker"},
		"another commit for the same content":         {[]func(*row){pushing}, "updated, Push, Record marker"},
		"no mark":                                     {[]func(*row){func(r *row) { r.state.open.marked, r.state.open.marker = false, marker{} }}, "updated, Record"},
		"open without its branch":                     {[]func(*row){gone}, "updated, Push new, Record marker"},
		"something older":                             {[]func(*row){other, func(r *row) { r.state.order = 8 }}, "left"},
		"something older, though asked for":           {[]func(*row){other, func(r *row) { r.state.order, r.proposal.AnyOrder = 8, true }}, "updated, Push, Record marker"},
		"something without an order":                  {[]func(*row){other, func(r *row) { r.state.order, r.proposal.Order = 8, 0 }}, "updated, Push, Record marker"},
		"something older and obsolete":                {[]func(*row){same, func(r *row) { r.state.order = 8 }}, "left"},
		"held":                                        {[]func(*row){other, held}, "left"},
		"held and obsolete":                           {[]func(*row){same, held}, "left"},
		"held, closed":                                {[]func(*row){held, closed, other}, "left"},
		"held, merged":                                {[]func(*row){held, merged, gone, other}, "opened, Push new, Open"},
		"held by another label":                       {[]func(*row){other, held, func(r *row) { r.proposal.Hold = "wait" }}, "updated, Push, Record marker"},
		"obsolete":                                    {[]func(*row){same}, "closed, Comment obsolete, Close, Delete"},
		"obsolete without its branch":                 {[]func(*row){same, func(r *row) { r.state.head, r.state.lineage = "", lineage{} }}, "closed, Comment obsolete, Close"},
		"obsolete with people's commits":              {[]func(*row){same, people}, "left, Record marker, Comment people"},
		"obsolete with people's commits, overwritten": {[]func(*row){same, people, func(r *row) { r.proposal.People = PeopleOverwrite }}, "closed, Comment obsolete, Close, Delete"},
		"obsolete with what others updated":           {[]func(*row){same, updated}, "closed, Comment obsolete, Close"},
		"obsolete, opened again by people":            {[]func(*row){same, func(r *row) { r.state.open.marker.Closed = true }}, "left"},
		"closed by people":                            {[]func(*row){closed}, "left"},
		"closed by people, no branch":                 {[]func(*row){closed, gone}, "left"},
		"closed by people, asked for anew":            {[]func(*row){closed, func(r *row) { r.proposal.Anew = true }}, "opened, Open"},
		"closed by people, other content":             {[]func(*row){closed, other}, "opened, Push, Open"},
		"closed by people, nothing wanted":            {[]func(*row){closed, same}, "none, Delete"},
		"closed by us":                                {[]func(*row){closed, gone, func(r *row) { r.state.last.marker.Closed = true }}, "opened, Push new, Open"},
		"closed, another stream's":                    {[]func(*row){closed, gone, func(r *row) { r.state.last.marker.Stream = "x" }}, "opened, Push new, Open"},
		"closed, with a mark that is gone":            {[]func(*row){closed, gone, func(r *row) { r.state.last.marked = false }}, "opened, Push new, Open"},
		"merged":                                      {[]func(*row){merged, same}, "none, Delete"},
		"merged, people went on":                      {[]func(*row){merged, same, people}, "none"},
		"merged with people's commits":                {[]func(*row){merged, same, people, func(r *row) { r.state.spent = true }}, "none, Delete"},
		"merged with people's commits, the next":      {[]func(*row){merged, people, other, func(r *row) { r.state.spent = true }}, "opened, Push, Open"},
		"merged and reverted":                         {[]func(*row){merged, gone, func(r *row) { r.state.reverted = true }}, "left"},
		"merged and reverted, asked for anew":         {[]func(*row){merged, gone, func(r *row) { r.state.reverted, r.proposal.Anew = true, true }}, "opened, Push new, Open"},
		"merged, and not yet to be seen in base":      {[]func(*row){merged, gone}, "opened, Push new, Open"},
		"people's commits beside":                     {[]func(*row){people}, "none"},
		"people's commits in the way":                 {[]func(*row){other, people}, "left, Record marker, Comment people"},
		"people's commits in the way, merged":         {[]func(*row){other, people, func(r *row) { r.proposal.People = PeopleMerge }}, "updated, Push, Record marker"},
		"people's commits in the way, overwritten":    {[]func(*row){other, people, func(r *row) { r.proposal.People = PeopleOverwrite }}, "updated, Comment replaced, Push, Record marker"},
		"people's commits in the way of a closed one": {[]func(*row){closed, other, people}, "left"},
		"updated by others":                           {[]func(*row){other, updated}, "updated, Push, Record marker"},
		"a branch of people's":                        {[]func(*row){people, pushing, func(r *row) { r.state.open, r.state.own = nil, nil }}, "left"},
		"a branch of people's, nothing wanted":        {[]func(*row){people, same, func(r *row) { r.state.open, r.state.own = nil, nil }}, "none"},
		"a branch without commits, nothing wanted":    {[]func(*row){same, func(r *row) { r.state.open, r.state.lineage, r.state.spent = nil, lineage{}, true }}, "none"},
		"no forge":                                      {[]func(*row){noForge}, "none"},
		"no forge, a first proposal":                    {[]func(*row){noForge, gone}, "opened, Push new"},
		"no forge, other content":                       {[]func(*row){noForge, other}, "updated, Push"},
		"no forge, obsolete":                            {[]func(*row){noForge, same}, "closed, Delete"},
		"no forge, people's commits":                    {[]func(*row){noForge, other, people}, "left"},
		"a label that is missing":                       {[]func(*row){func(r *row) { r.proposal.Labels = []string{"l"} }}, "updated, Labels, Record marker"},
		"a label that people set":                       {[]func(*row){func(r *row) { r.proposal.Labels, r.state.open.Labels = []string{"l"}, []string{"L"} }}, "updated, Record marker"},
		"a label that people removed":                   {[]func(*row){func(r *row) { r.proposal.Labels, r.state.open.marker.Labels = []string{"l"}, []string{"l"} }}, "none"},
		"a reviewer who has reviewed":                   {[]func(*row){func(r *row) { reviewers(&r.proposal, r.state.open); r.state.open.Reviewed = []string{"you"} }}, "none"},
		"a reviewer who has reviewed, other content":    {[]func(*row){other, func(r *row) { reviewers(&r.proposal, r.state.open); r.state.open.Reviewed = []string{"you"} }}, "updated, Push, Review, Record marker"},
		"a reviewer whom people took away":              {[]func(*row){other, func(r *row) { reviewers(&r.proposal, r.state.open) }}, "updated, Push, Record marker"},
		"a reviewer who is still asked":                 {[]func(*row){other, func(r *row) { reviewers(&r.proposal, r.state.open); r.state.open.Reviewers = []string{"You"} }}, "updated, Push, Record marker"},
		"ready, and a draft at first":                   {[]func(*row){func(r *row) { r.proposal.Draft = DraftYes }}, "none"},
		"ready, and always a draft":                     {[]func(*row){func(r *row) { r.proposal.Draft = DraftAlways }}, "updated, Draft"},
		"armed by people":                               {[]func(*row){other, func(r *row) { r.state.open.AutoMerge = true }}, "updated, Push, Record marker"},
		"armed by people, and a person must merge":      {[]func(*row){other, func(r *row) { r.state.open.AutoMerge, r.proposal.ByHand = true, true }}, "updated, AutoMerge, Push, Record marker"},
		"armed by us, where the forge does not tell":    {[]func(*row){other, func(r *row) { r.state.open.marker.AutoMerge, r.proposal.ByHand = true, true }}, "updated, AutoMerge, Push, Record marker"},
		"armed by people who know that they must merge": {[]func(*row){func(r *row) { r.state.open.AutoMerge, r.proposal.ByHand = true, true }}, "none"},
		"disarmed by people":                            {[]func(*row){other, func(r *row) { r.proposal.AutoMerge, r.state.open.marker.AutoMerge = "merge", true }}, "updated, Push, Record marker"},
		"a comment that does not hold any more": {[]func(*row){other, func(r *row) {
			r.state.comments = []Comment{{ID: 1, Body: peopleComment(r.proposal, r.state)}}
		}}, "updated, Push, Reword, Record marker"},
		"a comment that was taken back by people": {[]func(*row){other, func(r *row) { r.state.open.marker.Talk = true }}, "updated, Push, Record marker"},
		"a comment that was not made":             {[]func(*row){other, people, func(r *row) { r.state.open.marker.Talk = true }}, "left, Comment people"},
		"a comment that holds": {[]func(*row){other, people, func(r *row) {
			r.state.open.marker.Talk = true
			r.state.comments = []Comment{{ID: 1, Body: peopleComment(r.proposal, r.state)}}
		}}, "left"},
		"a comment that says too little": {[]func(*row){other, people, func(r *row) {
			r.state.comments = []Comment{{ID: 1, Body: commentMarker("lab", talkPeople)}}
		}}, "left, Record marker, Reword"},
		"another stream's comment": {[]func(*row){other, people, func(r *row) {
			r.state.comments = []Comment{{ID: 1, Body: commentMarker("lab-upgrade", talkPeople)}}
		}}, "left, Record marker, Comment people"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := row{proposal: proposal, state: state{
				base: "main", head: ours, forge: true, changed: true, order: 7,
				traits:  Traits{Login: "me"},
				lineage: lineage{own: &Commit{Hash: ours}, claimed: true},
				open:    &pull{PullRequest: PullRequest{Number: 1, State: Open, Author: "me"}, marker: settled, marked: true},
			}}
			for _, given := range test.given {
				given(&r)
			}
			got := decide(r.proposal, r.state)
			if d := cmp.Diff(test.want, got.steps()); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
			if (got.operation == Left) != (got.reason != "" && got.operation != ClosedObsolete) {
				t.Errorf("operation %s, reason %q", got.operation, got.reason)
			}
			if (got.operation == Left) != (got.cause != "") {
				t.Errorf("operation %s, cause %q", got.operation, got.cause)
			}
			if again := decide(r.proposal, r.state); fmt.Sprintf("%+v", again) != fmt.Sprintf("%+v", got) {
				t.Error("the same is decided otherwise a second time")
			}
		})
	}
}

func reviewers(p *Proposal, pr *pull) {
	p.Reviewers, pr.marker.Reviewers = []string{"you"}, []string{"you"}
}
