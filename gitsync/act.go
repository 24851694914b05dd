package gitsync

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"hedgehog-gitops/render/tree"
)

// actor carries a plan out, or in a dry run lists it.
type actor struct {
	*run
	state state
	// pr is the pull request, stored what its text remembers and text the rest of it.
	pr     PullRequest
	stored marker
	text   string
	// fresh says that the pull request was opened a moment ago.
	fresh bool
	// head is the commit that was made, "" when none was.
	head Hash
	// failed are the names that could not be added, armed whether the forge did not
	// take auto-merge.
	failed  []string
	unarmed bool
}

// act does one after the other. What matters ends it with an error; what does not is
// a warning, and is tried again by the next run.
func (a *actor) act(ctx context.Context, actions []action) error {
	for _, step := range actions {
		if a.target.DryRun {
			a.list(step)
			if err := a.check(ctx, step); err != nil {
				return err
			}
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := a.do(ctx, step); err != nil {
			return err
		}
	}
	return nil
}

// check finds out what a dry run can of whether an action would work.
func (a *actor) check(ctx context.Context, step action) error {
	push, ok := step.(doPush)
	if !ok {
		return nil
	}
	write, err := a.write(ctx, push)
	if err != nil {
		return err
	}
	for _, edge := range []any{a.target.Writer, a.target.Repo} {
		if checker, ok := edge.(checker); ok {
			return checker.Check(ctx, write)
		}
	}
	return nil
}

// checker is a [Writer] that can say beforehand what is wrong with a commit.
type checker interface {
	Check(context.Context, Write) error
}

// list notes the call that an action makes.
func (a *actor) list(step action) {
	a.result.Calls = append(a.result.Calls, a.describe(step))
}

// number returns how the pull request is called, before it has a number too.
func (a *actor) number() string {
	if a.pr.Number == 0 {
		return "the pull request"
	}
	return fmt.Sprintf("pull request #%d", a.pr.Number)
}

// describe returns the action on one line.
func (a *actor) describe(step action) string {
	p := a.proposal
	switch step := step.(type) {
	case doPush:
		verb := "create"
		if step.push.old != "" {
			verb = "move"
		}
		return fmt.Sprintf("%s the branch %s: a commit of %d files", verb, p.Branch, len(step.push.changes))
	case doDelete:
		return fmt.Sprintf("delete the branch %s", p.Branch)
	case doOpen:
		kind := "a pull request"
		if step.draft {
			kind = "a draft pull request"
		}
		return fmt.Sprintf("open %s from %s into %s: %s", kind, p.Branch, a.base, p.Title)
	case doRecord:
		if step.text {
			return fmt.Sprintf("edit title and text of %s", a.number())
		}
		return fmt.Sprintf("edit the hidden line of %s", a.number())
	case doClose:
		return fmt.Sprintf("close %s", a.number())
	case doComment:
		return fmt.Sprintf("comment on %s (%s)", a.number(), step.kind)
	case doReword:
		return fmt.Sprintf("edit the comment %d of %s", step.comment.ID, a.number())
	case doLabels:
		return fmt.Sprintf("add labels to %s: %s", a.number(), strings.Join(step.names, ", "))
	case doAssign:
		return fmt.Sprintf("assign %s to %s", a.number(), strings.Join(step.names, ", "))
	case doReview:
		return fmt.Sprintf("ask for reviews of %s: %s", a.number(), strings.Join(step.names, ", "))
	case doDraft:
		return fmt.Sprintf("make %s a draft", a.number())
	case doAutoMerge:
		if step.method == "" {
			return fmt.Sprintf("take back the auto-merge of %s", a.number())
		}
		return fmt.Sprintf("auto-merge %s (%s)", a.number(), step.method)
	}
	panic(fmt.Sprintf("an action of type %T", step))
}

// do carries out one action.
func (a *actor) do(ctx context.Context, step action) error {
	forge := a.target.Forge
	switch step := step.(type) {
	case doPush:
		return a.push(ctx, step)
	case doDelete:
		a.list(step)
		if err := a.target.Writer.Delete(ctx, a.proposal.Branch, step.head); err != nil {
			return a.excuse(ctx, "the branch %s could not be deleted: %v", a.proposal.Branch, err)
		}
		a.result.Head = ""
		return nil
	case doOpen:
		return a.open(ctx, step)
	case doRecord:
		return a.record(ctx, step)
	case doClose:
		return a.close(ctx, step)
	case doComment:
		a.list(step)
		if err := a.comment(ctx, step); err != nil {
			return a.excuse(ctx, "%s could not be commented on: %v", a.number(), err)
		}
		return nil
	case doReword:
		a.list(step)
		if err := a.reword(ctx, step); err != nil {
			return a.excuse(ctx, "a comment of %s could not be edited: %v", a.number(), err)
		}
		return nil
	case doLabels:
		return a.add(ctx, step, step.names, forge.AddLabels)
	case doAssign:
		return a.add(ctx, step, step.names, forge.AddAssignees)
	case doReview:
		return a.add(ctx, step, step.names, forge.RequestReviewers)
	case doDraft:
		a.list(step)
		if err := forge.SetDraft(ctx, a.pr, true); err != nil {
			return a.excuse(ctx, "%s could not be made a draft: %v", a.number(), err)
		}
		return nil
	case doAutoMerge:
		return a.autoMerge(ctx, step)
	}
	panic(fmt.Sprintf("an action of type %T", step))
}

// excuse makes a warning of what failed, unless the whole run was ended.
func (a *actor) excuse(ctx context.Context, format string, args ...any) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	a.result.Warnings = append(a.result.Warnings, fmt.Sprintf(format, args...))
	return nil
}

// again makes an error of one that another look may help with.
func again(err error, when ...error) error {
	if slices.ContainsFunc(when, func(kind error) bool { return errors.Is(err, kind) }) {
		return fmt.Errorf("%w: %w", errAgain, err)
	}
	return err
}

// write returns the commit to be made.
func (a *actor) write(ctx context.Context, step doPush) (Write, error) {
	changes, err := a.contents(ctx, step.push.changes)
	return Write{
		Branch:  a.proposal.Branch,
		Old:     step.push.old,
		Parents: step.push.parents,
		Changes: changes,
		Message: a.proposal.commitMessage(step.push.changes),
	}, err
}

func (a *actor) push(ctx context.Context, step doPush) error {
	write, err := a.write(ctx, step)
	if err != nil {
		return err
	}
	a.list(step)
	written, err := a.target.Writer.Write(ctx, write)
	if err != nil {
		return again(fmt.Errorf("writing the branch %s: %w", a.proposal.Branch, err), ErrMoved)
	}
	a.pushed, a.head = true, written.Commit
	a.result.Head, a.result.Verified = written.Commit, written.Verified
	return nil
}

// contents returns the contents of the changes.
func (a *actor) contents(ctx context.Context, changes files) (map[string][]byte, error) {
	known := map[string][]byte{}
	for _, c := range a.proposal.Changes {
		if c.Op != tree.Removed {
			known[c.Path] = c.New
		}
	}
	contents := make(map[string][]byte, len(changes))
	var unknown []string
	for path, id := range changes {
		switch content, ok := known[path]; {
		case id == "":
			contents[path] = nil
		case ok:
			contents[path] = append([]byte{}, content...) // nil would remove the file
		default:
			unknown = append(unknown, path)
		}
	}
	if len(unknown) == 0 {
		return contents, nil
	}
	slices.Sort(unknown)
	read, err := a.target.Repo.Read(ctx, a.proposal.From, unknown)
	if err != nil {
		return nil, fmt.Errorf("reading files of %s: %w", a.base, err)
	}
	maps.Insert(contents, read.All())
	return contents, nil
}

// limit is the room for a text.
func (a *actor) limit() int { return a.state.traits.BodyLimit }

func (a *actor) compose(m marker, text string) string {
	body, cut := composeBody(m, text, a.limit())
	const warning = "the text of the pull request is longer than the forge takes, and was cut"
	if cut && !slices.Contains(a.result.Warnings, warning) {
		a.result.Warnings = append(a.result.Warnings, warning)
	}
	return body
}

func (a *actor) open(ctx context.Context, step doOpen) error {
	m := step.marker
	m.Head = cmp.Or(a.head, m.Head)
	request := NewPullRequest{
		Base: a.base, Head: a.proposal.Branch,
		Title: a.proposal.Title, Body: a.compose(m, a.proposal.Body),
		Draft: step.draft,
	}
	a.list(step)
	pr, err := a.target.Forge.Open(ctx, request)
	if step.draft && errors.Is(err, ErrUnsupported) {
		a.result.Warnings = append(a.result.Warnings, fmt.Sprintf("the pull request is no draft: %v", err))
		request.Draft = false
		a.list(doOpen{marker: step.marker})
		pr, err = a.target.Forge.Open(ctx, request)
	}
	if err != nil {
		return again(fmt.Errorf("opening a pull request from %s into %s: %w", a.proposal.Branch, a.base, err), ErrExists, ErrNotFound)
	}
	a.pr, a.stored, a.text, a.fresh, a.opened = pr, m, a.proposal.Body, true, true
	a.result.Number, a.result.URL = pr.Number, pr.URL
	return nil
}

// record writes into the pull request what has become of it.
func (a *actor) record(ctx context.Context, step doRecord) error {
	m := step.marker
	m.Head = cmp.Or(a.head, m.Head)
	m.Labels, m.Assignees, m.Reviewers = a.added(m.Labels), a.added(m.Assignees), a.added(m.Reviewers)
	m.AutoMerge = m.AutoMerge && !a.unarmed
	if !step.text && m.equal(a.stored) {
		return nil // all that was to be recorded has failed
	}
	text := a.text
	var edit Edit
	if step.text {
		text = a.proposal.Body
		edit.Title = &a.proposal.Title
	}
	body := a.compose(m, text)
	edit.Body = &body
	a.list(step)
	if err := a.target.Forge.Edit(ctx, a.pr.Number, edit); err != nil {
		return fmt.Errorf("editing %s: %w", a.number(), err)
	}
	return nil
}

// added returns the names without those that could not be added.
func (a *actor) added(names []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return has(a.failed, name) })
}

func (a *actor) close(ctx context.Context, step doClose) error {
	state, body := Closed, a.compose(step.marker, a.text)
	a.list(step)
	if err := a.target.Forge.Edit(ctx, a.pr.Number, Edit{State: &state, Body: &body}); err != nil {
		return fmt.Errorf("closing %s: %w", a.number(), err)
	}
	return nil
}

// add adds names to the pull request. A forge may not know yet of one that it has just
// opened, so that is tried twice.
func (a *actor) add(ctx context.Context, step action, names []string, call func(context.Context, int, []string) error) error {
	a.list(step)
	err := call(ctx, a.pr.Number, names)
	if a.fresh && len(a.target.Pauses) > 0 && worthRepeating(err) {
		if err := pause(ctx, a.target.Pauses[0]); err != nil {
			return err
		}
		a.list(step)
		err = call(ctx, a.pr.Number, names)
	}
	if err != nil {
		a.failed = append(a.failed, names...)
		return a.excuse(ctx, "%s: %v", a.describe(step), err)
	}
	return nil
}

func worthRepeating(err error) bool {
	return err != nil && !errors.Is(err, ErrDenied) && !errors.Is(err, ErrUnsupported)
}

// comment adds a comment. Another run may do so at the same moment, so that one looks
// again: of two comments of a kind the later one is taken back.
func (a *actor) comment(ctx context.Context, step doComment) error {
	forge, stream := a.target.Forge, a.proposal.Stream
	made, err := forge.Comment(ctx, a.pr.Number, step.body)
	if err != nil {
		return err
	}
	comments, err := forge.Comments(ctx, a.pr.Number)
	if err != nil {
		return err
	}
	if first, ok := findComment(comments, stream, step.kind); !ok || first.ID >= made.ID {
		return nil
	}
	made.Body = settledComment(stream, true)
	again := doReword{comment: made, settled: true}
	a.list(again)
	return a.reword(ctx, again)
}

// reword replaces the text of a comment. One that is settled is folded away first, where
// the forge can: a text that is as it should be is not looked at again.
func (a *actor) reword(ctx context.Context, step doReword) error {
	if folder, ok := a.target.Forge.(minimizer); ok && step.settled {
		if err := folder.Minimize(ctx, step.comment.ID); err != nil && !errors.Is(err, ErrUnsupported) {
			return err
		}
	}
	return a.target.Forge.EditComment(ctx, step.comment.ID, step.comment.Body)
}

// minimizer is a [Forge] that can fold comments away.
type minimizer interface {
	Minimize(ctx context.Context, id int64) error
}

func (a *actor) autoMerge(ctx context.Context, step doAutoMerge) error {
	a.list(step)
	err := a.target.Forge.AutoMerge(ctx, a.pr, step.method)
	switch {
	case err == nil:
		return nil
	case step.method == "":
		// What comes next must not be merged by nobody.
		return fmt.Errorf("taking back the auto-merge of %s, because what comes next must be merged by a person: %w", a.number(), err)
	}
	a.unarmed = true
	return a.excuse(ctx, "%s is not set to merge by itself: %v", a.number(), err)
}
