// Package gitsync proposes files to a Git repository: it puts a commit on a branch
// of its own and keeps one pull request for it, without ever losing a commit that
// a person made there.
//
//	[Propose]  the merged commit + the wanted files -> Result{none, opened, updated, closed, left}
//
// It knows files and pull requests, nothing of what stands in them. What it needs
// of the world is stated here: a [Repo] and a [Writer] (gitsync/git has both; the
// forges' APIs may be Writers too) and a [Forge] (gitsync/forge).
package gitsync

import (
	"context"
	"errors"
	"time"

	"hedgehog-gitops/render/tree"
)

// Hash is the id of a Git object: 40 lower-case hex digits, or "" for none.
type Hash string

// The modes that a [File] can have.
const (
	ModeFile       = 0o100644
	ModeExecutable = 0o100755
	ModeLink       = 0o120000
	ModeSubmodule  = 0o160000
)

// File is an entry of a commit's tree.
type File struct {
	// Blob is the id of the content; of a submodule, that of its commit.
	Blob Hash
	Mode uint32
}

// Commit is a commit without its files.
type Commit struct {
	Hash              Hash
	Parents           []Hash
	Author, Committer Person
	Message           string
}

// Person is who made a commit, and when.
type Person struct {
	Name, Email string
	When        time.Time
}

// Repo reads a repository on a server. Everything that is read of one commit stays
// the same; only Head and DefaultBranch ask the server anew.
type Repo interface {
	// DefaultBranch returns the branch that the server calls HEAD, "" for an empty
	// repository.
	DefaultBranch(context.Context) (string, error)
	// Head returns where the branch stands now, "" when there is no such branch.
	Head(ctx context.Context, branch string) (Hash, error)
	// Files returns the files of the commit that lie in the folders, by their path;
	// all of them when no folder is given. No content is read for it.
	Files(ctx context.Context, commit Hash, folders ...string) (map[string]File, error)
	// Read returns the content of the files of the commit. A path that is no
	// regular file there is an error.
	Read(ctx context.Context, commit Hash, paths []string) (tree.Tree, error)
	// Log returns the commit and those before it along first parents, newest
	// first, up to and without one for which stop is true, at most limit.
	Log(ctx context.Context, commit Hash, limit int, stop func(Commit) bool) ([]Commit, error)
}

// Writer changes branches of a repository.
type Writer interface {
	// Write makes a commit and puts it at the end of its branch, reads the branch
	// back, and returns the commit. Nothing happens in halves: either the branch
	// ends in the new commit or it stands where it stood. ErrMoved when the branch
	// is not at Old, ErrProtected when the server refuses, ErrDenied when the
	// credentials do not suffice, ErrUnchanged when there is nothing to commit.
	Write(context.Context, Write) (Written, error)
	// Delete removes the branch if it still stands at old; one that is gone already
	// is no error.
	Delete(ctx context.Context, branch string, old Hash) error
}

// Write is a commit to be made.
type Write struct {
	Branch string
	// Old is where the branch stands, "" when it is to be created: the lease.
	Old Hash
	// Parents are those of the new commit. It has the files of the first one but
	// for the Changes.
	Parents []Hash
	// Changes maps a path to its new content; nil removes the file.
	Changes map[string][]byte
	// Message is complete, with its trailers.
	Message string
}

// Written is a commit that was made.
type Written struct {
	Commit Hash
	// Verified is whether the server shows the commit's signature as good; false
	// where it does not say.
	Verified bool
}

// What the errors of a Repo, a Writer or a Forge wrap when Propose, or the person
// who reads them, has to tell them apart.
var (
	// ErrMoved: the branch is not where the lease says it is.
	ErrMoved = errors.New("the branch has moved")
	// ErrProtected: the server's rules forbid the change.
	ErrProtected = errors.New("the branch is protected")
	// ErrDenied: the credentials do not allow it, or are none.
	ErrDenied = errors.New("permission denied")
	// ErrNotFound: there is no such repository, commit or pull request, or the
	// credentials hide it.
	ErrNotFound = errors.New("not found")
	// ErrUnchanged: the commit would have the files of its only parent.
	ErrUnchanged = errors.New("nothing would change")
	// ErrExists: there is one already.
	ErrExists = errors.New("it exists already")
	// ErrUnsupported: this forge has no such thing.
	ErrUnsupported = errors.New("not supported by this forge")
)

// Forge is where pull requests are: GitHub, or Gitea and Forgejo. Its methods make
// one request each, or as many as there are pages, and repeat them only where that
// is harmless.
type Forge interface {
	// Traits says what the forge can do.
	Traits() Traits
	// PullRequests returns those whose head is the branch of this same repository,
	// open ones and others, newest first.
	PullRequests(ctx context.Context, branch string) ([]PullRequest, error)
	// Open opens a pull request; ErrExists when one is open for the branches.
	Open(context.Context, NewPullRequest) (PullRequest, error)
	// Edit changes what is not nil.
	Edit(ctx context.Context, number int, edit Edit) error
	// Comments returns the comments of the pull request, oldest first.
	Comments(ctx context.Context, number int) ([]Comment, error)
	// Comment adds a comment.
	Comment(ctx context.Context, number int, body string) (Comment, error)
	// EditComment replaces the text of a comment.
	EditComment(ctx context.Context, id int64, body string) error
	// AddLabels, AddAssignees and RequestReviewers add to what is there. A team is
	// written org/team. What the forge refuses is an error that names it; the others
	// are added.
	AddLabels(ctx context.Context, number int, labels []string) error
	AddAssignees(ctx context.Context, number int, users []string) error
	RequestReviewers(ctx context.Context, number int, reviewers []string) error
	// SetDraft makes the pull request a draft, or ready.
	SetDraft(ctx context.Context, pr PullRequest, draft bool) error
	// AutoMerge asks the forge to merge when all that it requires is there.
	// Method is merge, squash or rebase; "" takes back what was asked before, and is
	// no error when nothing was.
	AutoMerge(ctx context.Context, pr PullRequest, method string) error
}

// Traits is what a [Forge] can do.
type Traits struct {
	// Name is how people call it: GitHub, Gitea.
	Name string
	// Login is who the credentials belong to, "" where the forge does not tell.
	Login string
	// BodyLimit is the size of the text of a pull request or comment: not more
	// characters and not more bytes than this.
	BodyLimit int
	// Notices are about the credentials: what a pull request made with them will
	// not do.
	Notices []string
}

// The states of a pull request.
const (
	Open   = "open"
	Closed = "closed"
	Merged = "merged"
)

// PullRequest is what is known of one.
type PullRequest struct {
	Number int
	// ID is how the forge's other interfaces call it, where it has some.
	ID    string
	URL   string
	State string // [Open], [Closed] or [Merged]
	Draft bool
	Title string
	Body  string
	Base  string
	// Head is the branch, HeadCommit where it stood when it was last looked at.
	Head       string
	HeadCommit Hash
	// Author is who opened it.
	Author string
	// Labels, Assignees and Reviewers are what is set now; Reviewed are those
	// who have reviewed it. Teams are written org/team.
	Labels, Assignees, Reviewers, Reviewed []string
	// MergeCommit is the commit that it became, "" while it is not merged.
	MergeCommit Hash
	// AutoMerge is whether it waits to be merged by the forge.
	AutoMerge bool
}

// NewPullRequest is a pull request to be opened.
type NewPullRequest struct {
	Base, Head  string
	Title, Body string
	Draft       bool
}

// Edit is a change of a pull request. What is nil stays.
type Edit struct {
	Title, Body *string
	// State is [Open] or [Closed].
	State *string
}

// Comment is a comment on a pull request.
type Comment struct {
	ID     int64
	Author string
	Body   string
}
