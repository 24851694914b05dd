package git

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-git/go-git/v5/plumbing"
	gitobject "github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"

	"hedgehog-gitops/gitsync"
	"hedgehog-gitops/gitsync/edge"
)

// Write makes a commit and puts it at the end of its branch, reads the branch back,
// and returns the commit: see [gitsync.Writer]. Without parents it makes a first
// commit, which has the changes' files alone. A commit with one parent that would
// change nothing is [gitsync.ErrUnchanged]: nothing is sent.
//
// What is there keeps its mode; links, submodules and all that is not changed stay
// what they are. A change that a .gitattributes of the repository would rewrite is
// an error, and so is one of a path that is a link, a submodule or a folder, or in
// .github.
func (r *Repo) Write(ctx context.Context, w gitsync.Write) (gitsync.Written, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	written, err := r.write(ctx, w)
	if err != nil {
		return gitsync.Written{}, r.fail(ctx, "writing to "+edge.Neutral(w.Branch), err)
	}
	return written, nil
}

func (r *Repo) write(ctx context.Context, w gitsync.Write) (gitsync.Written, error) {
	none := gitsync.Written{}
	name, err := branchRef(w.Branch)
	if err != nil {
		return none, err
	}
	if err := r.options.mayCommit(w.Message); err != nil {
		return none, err
	}
	var old plumbing.Hash
	if w.Old != "" {
		if old, err = parseHash(w.Old); err != nil {
			return none, err
		}
	}
	d, err := r.draft(ctx, w)
	if err != nil {
		return none, err
	}
	if d.root == d.from && len(d.parents) == 1 {
		if now, err := r.head(ctx, w.Branch); err != nil {
			return none, err
		} else if now != old {
			return none, moved(push{old: old}, now)
		}
		return none, &edge.Error{Detail: "the commit would change nothing", Kind: gitsync.ErrUnchanged}
	}
	commit, err := r.options.commit(d.root, d.parents, w.Message)
	if err != nil {
		return none, err
	}
	d.made = append(d.made, commit)
	if err := r.push(ctx, push{w.Branch, name, old, commit.id, d.made}); err != nil {
		return none, err
	}
	for _, o := range d.made { // the next write may go on from here
		r.objects[o.id] = o.object
	}
	return gitsync.Written{Commit: gitsync.Hash(commit.id.String())}, nil
}

// Check returns the error that Write would return about what is to be changed: a
// parent that is not there, a path that cannot or may not be written, a .gitattributes
// in the way. It sends nothing. Use it where another Writer writes.
func (r *Repo) Check(ctx context.Context, w gitsync.Write) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, err := r.draft(ctx, w); err != nil {
		return r.fail(ctx, "looking at what is to be written to "+edge.Neutral(w.Branch), err)
	}
	return nil
}

// draft is a commit to be made: its root, that of its first parent, and the objects
// that are new.
type draft struct {
	root, from plumbing.Hash
	parents    []plumbing.Hash
	made       []outgoing
}

func (r *Repo) draft(ctx context.Context, w gitsync.Write) (d draft, err error) {
	changes, err := changesOf(w.Changes)
	if err != nil {
		return d, err
	}
	for _, p := range w.Parents {
		id, err := parseHash(p)
		if err != nil {
			return d, err
		}
		d.parents = append(d.parents, id)
	}
	if len(d.parents) > 0 {
		if d.from, err = r.load(ctx, w.Parents[0], changes.folders()); err != nil {
			return d, err
		}
	}
	if err := r.checkAttributes(ctx, w, d.from, changes); err != nil {
		return d, err
	}
	b := builder{have: r.objects, seen: map[plumbing.Hash]bool{}}
	d.root, err = b.build(d.from, changes)
	d.made = b.made
	return d, err
}

// mayCommit refuses what Git would not take.
func (o *Options) mayCommit(message string) error {
	for what, text := range map[string]string{"name": o.Name, "address": o.Email} {
		if strings.TrimSpace(text) == "" || strings.ContainsAny(text, "<>\n\r\x00") {
			return &edge.Error{Detail: fmt.Sprintf("%q is no %s of who commits", edge.Neutral(text), what)}
		}
	}
	if strings.TrimSpace(message) == "" || strings.Contains(message, "\x00") || !utf8.ValidString(message) {
		return &edge.Error{Detail: "the message of the commit is empty or no text"}
	}
	return nil
}

// commit makes a commit, signed if there is a key.
func (o *Options) commit(root plumbing.Hash, parents []plumbing.Hash, message string) (outgoing, error) {
	now := o.Now().Truncate(time.Second)
	who := gitobject.Signature{Name: o.Name, Email: o.Email, When: now}
	c := gitobject.Commit{Author: who, Committer: who, Message: message, TreeHash: root, ParentHashes: parents}
	if !strings.HasSuffix(message, "\n") {
		c.Message += "\n"
	}
	data, err := encoded(c.EncodeWithoutSignature)
	if err == nil && o.Sign != nil {
		if c.PGPSignature, err = o.Sign(data, now); err != nil {
			return outgoing{}, fmt.Errorf("signing the commit: %w", err)
		}
		data, err = encoded(c.Encode)
	}
	return outgoing{object: object{plumbing.CommitObject, data}, id: plumbing.ComputeHash(plumbing.CommitObject, data)}, err
}

// encoded is what an object of go-git is encoded as.
func encoded(encode func(plumbing.EncodedObject) error) ([]byte, error) {
	o := &plumbing.MemoryObject{}
	if err := encode(o); err != nil {
		return nil, err
	}
	in, err := o.Reader()
	if err != nil {
		return nil, err
	}
	return io.ReadAll(in)
}

// push is a branch that is to go from one commit to another, and what the server
// needs for that. Zero is no commit: the branch is created or deleted.
type push struct {
	branch   string
	name     plumbing.ReferenceName
	old, new plumbing.Hash
	objects  []outgoing
}

// Delete removes the branch if it still stands at old; one that is gone already is no
// error.
func (r *Repo) Delete(ctx context.Context, branch string, old gitsync.Hash) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	doing := "deleting " + edge.Neutral(branch)
	name, err := branchRef(branch)
	if err != nil {
		return r.fail(ctx, doing, err)
	}
	id, err := parseHash(old)
	if err != nil {
		return r.fail(ctx, doing, err)
	}
	if err := r.push(ctx, push{branch: branch, name: name, old: id}); err != nil {
		return r.fail(ctx, doing, err)
	}
	return nil
}

// errDone is a branch that stands where it is to stand before anything was sent.
var errDone = errors.New("it is done already")

// push pushes, and reads back what came of it. An answer that was lost is no
// reason to push again: where the branch stands is. Only when it stands where it
// stood is the same push sent once more, which can do no harm: the server takes
// one of two.
func (r *Repo) push(ctx context.Context, p push) error {
	for try := 1; ; try++ {
		err := r.pushOnce(ctx, p)
		if errors.Is(err, errDone) {
			return nil
		}
		var sure *edge.Error
		if errors.As(err, &sure) && sure.Kind != nil && !errors.Is(err, errRefused) {
			return err // it was not even sent
		}
		now, lost := r.settled(ctx, p, err == nil)
		switch {
		case lost != nil && err != nil:
			e := explain(ctx, err)
			e.Detail += "; it is not known whether the push was done"
			e.Hint = "run again: it looks where the branch stands first"
			return e
		case lost != nil:
			return lost
		case now == p.new:
			return nil
		case now != p.old:
			return moved(p, now)
		}
		// It stands where it stood.
		if err == nil {
			return &edge.Error{Detail: "the server says that the push was done, and the branch stands where it stood", Hint: "run again; a copy of the server may lag behind"}
		}
		e := explain(ctx, err)
		if !e.Again || try >= r.options.Tries || e.Wait > r.options.MaxWait {
			return e
		}
		if err := r.pause(ctx, max(e.Wait, min(r.options.FirstWait<<min(try-1, 6), r.options.MaxWait))); err != nil {
			return err
		}
	}
}

// settled returns where the branch stands after a push. Where the push is said to
// be done, it asks more than once: not all copies of a server know it at once.
func (r *Repo) settled(ctx context.Context, p push, done bool) (now plumbing.Hash, err error) {
	for try := 1; ; try++ {
		now, err = r.head(ctx, p.branch)
		if err != nil || now == p.new || now != p.old || !done || try >= r.options.Tries {
			return now, err
		}
		if err := r.pause(ctx, min(r.options.FirstWait<<min(try-1, 6), r.options.MaxWait)); err != nil {
			return now, err
		}
	}
}

func (r *Repo) pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return explain(ctx, ctx.Err())
	}
}

// moved says where a branch stands instead.
func moved(p push, now plumbing.Hash) *edge.Error {
	place := func(h plumbing.Hash) string {
		if h.IsZero() {
			return "nowhere"
		}
		return "at " + short(gitsync.Hash(h.String()))
	}
	return &edge.Error{Detail: fmt.Sprintf("the branch stands %s, not %s: somebody else was faster", place(now), place(p.old)), Kind: gitsync.ErrMoved}
}

// errRefused marks the Error of a push that the server refused.
var errRefused = errors.New("the server refuses the push")

// pushOnce sends one push.
func (r *Repo) pushOnce(ctx context.Context, p push) error {
	var asked *capability.List
	a, err := r.wire.call(ctx, receivePack, func(refs *packp.AdvRefs) (body []byte, err error) {
		asked, body, err = p.encode(refs)
		return body, err
	})
	if err != nil {
		return err
	}
	var said tail
	report, err := p.readReport(a, asked, &said)
	if complained := a.close(); err != nil && complained != nil {
		err = complained
	}
	if err != nil {
		return err
	}
	return p.judge(report, said.String())
}

// encode writes the request: what the branch has to stand at, what it is to stand at,
// and a pack. A branch that stands elsewhere is found out before anything is sent.
func (p push) encode(refs *packp.AdvRefs) (*capability.List, []byte, error) {
	now := refs.References[p.name.String()]
	switch {
	case now == p.new:
		return nil, nil, errDone
	case now != p.old:
		return nil, nil, moved(p, now)
	case p.new.IsZero() && !refs.Capabilities.Supports(capability.DeleteRefs):
		return nil, nil, &edge.Error{Detail: "the server lets nobody delete branches", Kind: gitsync.ErrProtected}
	}
	for other := range refs.References {
		if p.old.IsZero() && (strings.HasPrefix(other, p.name.String()+"/") || strings.HasPrefix(p.name.String(), other+"/")) {
			return nil, nil, &edge.Error{Detail: fmt.Sprintf("there is a branch %s, so there can be none of this name", edge.Neutral(strings.TrimPrefix(other, "refs/heads/"))),
				Kind: gitsync.ErrProtected, Hint: "delete it, or choose another name for the branch"}
		}
	}
	req := packp.NewReferenceUpdateRequest()
	req.Commands = []*packp.Command{{Name: p.name, Old: p.old, New: p.new}}
	for _, c := range []capability.Capability{capability.ReportStatus, capability.Sideband64k, capability.Quiet} {
		if refs.Capabilities.Supports(c) {
			if err := req.Capabilities.Set(c); err != nil {
				return nil, nil, err
			}
		}
	}
	if refs.Capabilities.Supports(capability.Agent) {
		if err := req.Capabilities.Set(capability.Agent, userAgent); err != nil {
			return nil, nil, err
		}
	}
	var body bytes.Buffer
	if err := req.Encode(&body); err != nil {
		return nil, nil, err
	}
	if !p.new.IsZero() {
		thin := !refs.Capabilities.Supports("no-thin")
		if err := writePack(&body, p.objects, thin); err != nil {
			return nil, nil, err
		}
	}
	return req.Capabilities, body.Bytes(), nil
}

// readReport reads what the server says came of the push; nil when it does not say.
func (p push) readReport(a *answer, asked *capability.List, said *tail) (*packp.ReportStatus, error) {
	if !asked.Supports(capability.ReportStatus) {
		return nil, nil
	}
	report := packp.NewReportStatus()
	err := report.Decode(unband(&limit{r: a, left: 16 << 20}, asked, said))
	if err != nil && strings.HasPrefix(err.Error(), "unexpected error: ") { // the third band
		return nil, complaint(strings.TrimPrefix(err.Error(), "unexpected error: "))
	}
	return report, err
}

// judge says what the report means.
func (p push) judge(report *packp.ReportStatus, said string) error {
	if report == nil {
		return nil
	}
	i := slices.IndexFunc(report.CommandStatuses, func(s *packp.CommandStatus) bool { return s.ReferenceName == p.name })
	switch {
	case i >= 0 && report.CommandStatuses[i].Status == "ok":
		return nil
	case report.UnpackStatus != "ok":
		return &edge.Error{Detail: "the server cannot take what was sent: " + edge.Neutral(report.UnpackStatus+": "+said), Err: errRefused,
			Hint: "its log says why; it may be out of space, or check more than git does"}
	case i < 0:
		return &edge.Error{Detail: "the server does not say what came of the push", Err: errRefused}
	}
	reason := report.CommandStatuses[i].Status
	if isContention(reason) {
		return &edge.Error{Detail: "the server could not move the branch: " + edge.Neutral(reason+" "+said), Err: errRefused, Again: true}
	}
	e := refusal(p.branch, reason, said)
	e.Err = errRefused
	return e
}
