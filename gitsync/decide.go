package gitsync

import (
	"fmt"
	"slices"
	"strings"
)

// state is all that decide goes by.
type state struct {
	// base is the branch to merge into.
	base string
	// head is where the proposal's branch stands, "" when there is none.
	head Hash
	lineage
	// spent says that all of the branch is in base, so that nothing on it can get lost.
	spent bool
	// reverted says that base had what is wanted, by the last pull request, and has it no
	// more.
	reverted bool
	// changed says that something else is wanted than what base has.
	changed bool
	// push is the commit to be made, nil when the branch has what is wanted.
	push *push
	// order is the highest that anything here was made from.
	order int64

	// forge says that there is one.
	forge  bool
	traits Traits
	// open is the open pull request from the branch to base, last the newest that is not
	// open any more; nil when there is none.
	open, last *pull
	// comments are those of the open pull request, once they were read.
	comments []Comment
	// warnings are about what was seen.
	warnings []string
}

// pull is a pull request and what its text remembers.
type pull struct {
	PullRequest
	marker marker
	marked bool
}

// push is a commit to be made on the branch.
type push struct {
	// old is where the branch stands.
	old     Hash
	parents []Hash
	// changes are relative to the first parent: path -> id, "" to remove.
	changes files
}

// plan is what decide came to.
type plan struct {
	operation Operation
	cause     Cause
	reason    string
	actions   []action
	warnings  []string
}

// talks reports whether the comments of the pull request have to be known: there is one
// to be made, or one may have to be taken back.
func (p plan) talks(open *pull) bool {
	return len(p.actions) > 0 && (!open.marked || open.marker.Talk ||
		slices.ContainsFunc(p.actions, func(a action) bool { _, ok := a.(doComment); return ok }))
}

// action is a call that writes.
type action interface{ isAction() }

type (
	doPush struct{ push push }
	// doOpen opens a pull request with the marker in its text.
	doOpen struct {
		draft  bool
		marker marker
	}
	// doRecord brings text and marker of the pull request up to date, the marker as it is
	// when everything before was done. It writes the text only when ours has changed.
	doRecord struct {
		text   bool
		marker marker
	}
	doClose   struct{ marker marker }
	doDelete  struct{ head Hash }
	doComment struct{ kind, body string }
	// doReword replaces the text of a comment, which people need not see any more when it
	// is settled.
	doReword struct {
		comment Comment
		settled bool
	}
	doLabels    struct{ names []string }
	doAssign    struct{ names []string }
	doReview    struct{ names []string }
	doDraft     struct{}
	doAutoMerge struct{ method string }
)

func (doPush) isAction()      {}
func (doOpen) isAction()      {}
func (doRecord) isAction()    {}
func (doClose) isAction()     {}
func (doDelete) isAction()    {}
func (doComment) isAction()   {}
func (doReword) isAction()    {}
func (doLabels) isAction()    {}
func (doAssign) isAction()    {}
func (doReview) isAction()    {}
func (doDraft) isAction()     {}
func (doAutoMerge) isAction() {}

// decide says what to do. It is a function of what was seen and nothing else.
func decide(p Proposal, s state) plan {
	d := decider{proposal: p, state: s}
	d.plan.warnings = slices.Clone(s.warnings)
	switch {
	case d.held():
		d.leave(CauseHold, fmt.Sprintf("pull request #%d has the label %s", d.newest().Number, d.holdLabel()))
	case p.Order != 0 && p.Order < s.order && !p.AnyOrder:
		d.leave(CauseOlder, fmt.Sprintf("what is there was made from something newer (%d) than this (%d)", s.order, p.Order))
	case !s.changed:
		d.withdraw()
	case s.open == nil && d.refused():
	case s.push != nil && len(s.people) > 0 && !s.spent && p.People != PeopleMerge && p.People != PeopleOverwrite:
		d.stop("the branch has commits that are not from the tool, and something else is wanted now")
	default:
		d.propose()
	}
	return d.plan
}

type decider struct {
	proposal Proposal
	state    state
	plan     plan
}

func (d *decider) do(a action) { d.plan.actions = append(d.plan.actions, a) }

func (d *decider) leave(cause Cause, reason string) {
	d.plan.operation, d.plan.cause, d.plan.reason = Left, cause, reason
}

// newest returns the pull request that counts, nil when there is none.
func (d *decider) newest() *pull {
	if d.state.open != nil {
		return d.state.open
	}
	return d.state.last
}

func (d *decider) holdLabel() string {
	if d.proposal.Hold == "" {
		return "hold"
	}
	return d.proposal.Hold
}

// held reports whether people want everything to stay as it is.
func (d *decider) held() bool {
	pr := d.newest()
	return pr != nil && pr.State != Merged && has(pr.Labels, d.holdLabel())
}

// refused reports whether people have already said no to what is wanted, and leaves it
// then.
func (d *decider) refused() bool {
	last := d.state.last
	if last == nil && d.state.reverted && !d.proposal.Anew {
		d.leave(CauseRefused, "the same content was merged before, and the base branch has it no more")
		return true
	}
	if last == nil || d.proposal.Anew || !last.marked || last.marker.Stream != d.proposal.Stream ||
		last.marker.Digest != d.proposal.Digest || last.marker.Closed {
		return false
	}
	switch {
	case last.State == Closed:
		d.leave(CauseRefused, fmt.Sprintf("pull request #%d, which people closed, had the same content", last.Number))
	case d.state.reverted:
		d.leave(CauseRefused, fmt.Sprintf("pull request #%d, which was merged, had the same content, and the base branch has it no more", last.Number))
	default:
		return false
	}
	return true
}

// stop leaves the branch to people, and tells them once.
func (d *decider) stop(reason string) {
	d.leave(CausePeople, reason)
	if open := d.state.open; open != nil {
		if m := open.marker; !m.Talk {
			// Written first: who comes after a killed run looks for the comment.
			m.Version, m.Stream, m.Talk = markerVersion, d.proposal.Stream, true
			d.do(doRecord{marker: m})
		}
		d.say(talkPeople, peopleComment(d.proposal, d.state))
	}
}

// say makes or renews the comment of the kind.
func (d *decider) say(kind, body string) {
	have, ok := findComment(d.state.comments, d.proposal.Stream, kind)
	switch {
	case !ok:
		d.do(doComment{kind: kind, body: body})
	case !sameText(have.Body, body):
		have.Body = body
		d.do(doReword{comment: have})
	}
}

// settle takes back the comments that no longer hold.
func (d *decider) settle(kinds ...string) {
	for _, kind := range kinds {
		if have, ok := findComment(d.state.comments, d.proposal.Stream, kind); ok {
			have.Body = settledComment(d.proposal.Stream, false)
			d.do(doReword{comment: have, settled: true})
		}
	}
}

// withdraw takes back what is proposed, because base has all that is wanted.
func (d *decider) withdraw() {
	s := &d.state
	d.plan.operation = None
	// Only what nobody else put a hand to is deleted.
	ours := s.own != nil && len(s.people)+len(s.kept) == 0 || s.spent && s.claimed
	replace := d.proposal.People == PeopleOverwrite
	if s.open != nil {
		switch {
		case s.open.marker.Closed:
			d.leave(CauseReopened, "nothing is left to propose, but people have opened the pull request again")
			return
		case len(s.people) > 0 && !s.spent && !replace:
			d.stop("nothing is left to propose, but the branch has commits that are not from the tool")
			return
		}
		d.plan.operation, d.plan.reason = ClosedObsolete, "nothing is left to propose"
		d.say(talkObsolete, obsoleteComment(d.proposal))
		m := s.open.marker
		m.Version, m.Stream, m.Closed, m.Talk = markerVersion, d.proposal.Stream, true, true
		d.do(doClose{marker: m})
	}
	if s.head == "" {
		return
	}
	if ours || s.open != nil && replace {
		d.do(doDelete{head: s.head})
		if !s.forge {
			d.plan.operation, d.plan.reason = ClosedObsolete, "nothing is left to propose"
		}
		return
	}
	if s.open != nil || len(s.people) > 0 {
		d.warn("the branch %s stays, because it has commits that are not from the tool", d.proposal.Branch)
	}
}

func (d *decider) warn(format string, args ...any) {
	d.plan.warnings = append(d.plan.warnings, fmt.Sprintf(format, args...))
}

// propose brings the branch and its pull request to what is wanted.
func (d *decider) propose() {
	s := &d.state
	d.plan.operation = None
	m := marker{
		Version: markerVersion, Stream: d.proposal.Stream, Digest: d.proposal.Digest,
		Order: d.proposal.Order, Text: textDigest(d.proposal.Title, d.proposal.Body),
	}
	if s.open != nil {
		m.Head, m.AutoMerge = s.open.marker.Head, s.open.marker.AutoMerge && !d.proposal.ByHand
		d.disarm()
	}
	// Only a commit of ours is recorded: what stands in a marker counts as ours later.
	if s.own != nil && s.own.Hash == s.head {
		m.Head = s.head
	}
	if s.push != nil {
		if s.open != nil && len(s.people) > 0 && !s.spent && d.proposal.People == PeopleOverwrite {
			d.say(talkReplaced, replacedComment(d.proposal, *s))
		}
		d.do(doPush{push: *s.push})
		if d.plan.operation = Updated; s.head == "" || s.spent {
			d.plan.operation = Opened
		}
	}
	if !s.forge {
		return
	}
	if s.open == nil {
		d.plan.operation = Opened
		draft := d.proposal.Draft == DraftYes || d.proposal.Draft == DraftAlways
		d.do(doOpen{draft: draft, marker: m})
		d.decorate(PullRequest{Draft: draft, Author: s.traits.Login}, marker{Digest: d.proposal.Digest}, &m)
		if len(m.Labels)+len(m.Assignees)+len(m.Reviewers) > 0 || m.AutoMerge {
			d.do(doRecord{marker: m})
		}
		return
	}
	d.update(m)
}

// update brings an open pull request up to date.
func (d *decider) update(m marker) {
	open := d.state.open
	d.plan.operation = None
	d.settle(talkPeople, talkObsolete)
	d.decorate(open.PullRequest, open.marker, &m)
	if !open.marked {
		d.warn("pull request #%d had no mark of ours, and is kept up from now on", open.Number)
	}
	if text := !open.marked || open.marker.Text != m.Text; text || d.state.push != nil || !open.marker.equal(m) {
		d.do(doRecord{text: text, marker: m})
	}
	if len(d.plan.actions) > 0 {
		d.plan.operation = Updated
	}
}

// disarm takes back that the forge merges by itself, before something is pushed that a
// person must merge.
func (d *decider) disarm() {
	s := &d.state
	// Not every forge tells whether it waits.
	armed := s.open.AutoMerge || s.open.marker.AutoMerge
	if s.push != nil && armed && d.proposal.ByHand && s.open.marker.Digest != d.proposal.Digest {
		d.do(doAutoMerge{})
	}
}

// decorate adds what is missing of labels, people and settings, and puts into the
// marker what will then have been added. What people took away stays away.
func (d *decider) decorate(pr PullRequest, old marker, m *marker) {
	p := d.proposal
	labels := missing(p.Labels, pr.Labels, old.Labels)
	if len(labels) > 0 {
		d.do(doLabels{labels})
	}
	assignees := missing(p.Assignees, pr.Assignees, old.Assignees)
	if len(assignees) > 0 {
		d.do(doAssign{assignees})
	}
	reviewers := d.reviewers(pr, old)
	if len(reviewers) > 0 {
		d.do(doReview{reviewers})
	}
	m.Labels, m.Assignees, m.Reviewers = unique(p.Labels), unique(p.Assignees), unique(p.Reviewers)
	if p.Draft == DraftAlways && !pr.Draft {
		d.do(doDraft{})
		pr.Draft = true
	}
	if p.AutoMerge == "" || p.ByHand || pr.Draft || m.AutoMerge {
		return
	}
	if !pr.AutoMerge {
		d.do(doAutoMerge{method: p.AutoMerge})
	}
	m.AutoMerge = true
}

// reviewers returns whom to ask: nobody twice for the same content, and not the author.
func (d *decider) reviewers(pr PullRequest, old marker) []string {
	var ask []string
	for _, name := range unique(d.proposal.Reviewers) {
		switch {
		case strings.EqualFold(name, pr.Author), has(pr.Reviewers, name):
		case has(pr.Reviewed, name):
			if old.Digest != d.proposal.Digest {
				ask = append(ask, name)
			}
		case !has(old.Reviewers, name):
			ask = append(ask, name)
		}
	}
	return ask
}

// missing returns the wanted names that are neither there nor were added before.
func missing(wanted, there, added []string) []string {
	var names []string
	for _, name := range unique(wanted) {
		if !has(there, name) && !has(added, name) {
			names = append(names, name)
		}
	}
	return names
}

// unique returns the names sorted, each once and none empty. Forges don't tell upper
// from lower case in names.
func unique(names []string) []string {
	var out []string
	for _, name := range names {
		if name = strings.TrimSpace(name); name != "" && !has(out, name) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

func has(names []string, name string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, name) })
}
