package gitsync

import (
	"cmp"
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"hedgehog-gitops/render/tree"
)

// Target is where a proposal goes.
type Target struct {
	Repo   Repo
	Writer Writer
	// Forge is nil where there is none: then the branch alone is kept up, and the text
	// is the caller's to show.
	Forge Forge
	// DryRun leaves out every call that writes; [Result.Calls] lists them.
	DryRun bool
	// Pauses are how long to wait before each further attempt when somebody else was at
	// work at the same time; their number is that of the further attempts. With
	// several runs at once they should differ from run to run.
	Pauses []time.Duration
}

// Proposal is what should be in a repository, and how it is put to people. It is made
// for one commit of the base branch: when base has moved, it has to be made anew.
type Proposal struct {
	// Stream names what is proposed, the same in every run: a branch and its pull
	// request belong to one stream. It stands in commits and in the pull request.
	Stream string
	// Base is the branch to be merged into, "" for the repository's default branch;
	// From the commit of it that Changes start from.
	Base string
	From Hash
	// Branch is where the commit goes. It is nobody else's to commit to, and yet
	// people do.
	Branch string
	// Folders are those whose files are ours; nothing else is ever changed.
	Folders []string
	// Changes lead from the files of From to the wanted ones.
	Changes []tree.Change
	// Digest is that of all that is proposed: equal content, equal digest. A digest
	// that people have closed is not put to them again.
	Digest string
	// Order grows with the age of what the proposal was made from: one made from
	// something newer is not overwritten. 0 is not looked at.
	Order int64
	// Title and Body are those of the pull request. Body is at most the forge's limit
	// less [MarkerRoom].
	Title, Body string
	// Message is that of the commit, without trailers. Trailers follow those of this
	// package.
	Message  string
	Trailers []Trailer
	// Committer is the address that the Writer commits with, "" when the server decides
	// it. A commit with another committer is not ours.
	Committer string
	// Labels, Assignees and Reviewers are added once; what people take away again stays
	// away. A team is written org/team.
	Labels, Assignees, Reviewers []string
	// Draft is [DraftNo] ("" too), [DraftYes] or [DraftAlways].
	Draft string
	// AutoMerge is how the forge may merge by itself: merge, squash or rebase; "" when
	// it may not.
	AutoMerge string
	// ByHand says that what is proposed must be merged by a person, whatever AutoMerge
	// says.
	ByHand bool
	// People is what to do when people's commits on the branch are in the way:
	// [PeopleStop] ("" too), [PeopleMerge] or [PeopleOverwrite].
	People string
	// Hold is the label that stops everything, "hold" when it is "".
	Hold string
	// Obsolete says why nothing is left to propose; it goes into the comment before
	// the pull request is closed. Choices tells people how to choose another policy
	// for their commits. Both are Markdown and may be empty.
	Obsolete, Choices string
	// Anew proposes what people have closed or reverted before.
	Anew bool
	// AnyOrder proposes what was made from something older than what is there.
	AnyOrder bool
}

// What [Proposal.Draft] can be. [DraftNo] and [DraftYes] count when the pull request is
// opened, then people decide; [DraftAlways] makes it a draft again.
const (
	DraftNo     = "false"
	DraftYes    = "true"
	DraftAlways = "always"
)

// What [Proposal.People] can be.
const (
	// PeopleStop leaves the branch as it is and says so in a comment.
	PeopleStop = "stop"
	// PeopleMerge puts the commit on top of people's: our files become what is wanted,
	// theirs stay.
	PeopleMerge = "merge"
	// PeopleOverwrite replaces people's commits.
	PeopleOverwrite = "overwrite"
)

// Trailer is a line at the end of a commit's message.
type Trailer struct{ Key, Value string }

// Operation is what became of a proposal.
type Operation string

// What a run can come to.
const (
	// None: there was nothing to do.
	None Operation = "none"
	// Opened, Updated and ClosedObsolete are about the pull request; without a forge,
	// about the branch.
	Opened         Operation = "opened"
	Updated        Operation = "updated"
	ClosedObsolete Operation = "closed"
	// Left: something is proposed that is not what is wanted, and [Result.Reason] says
	// why it was left as it is.
	Left Operation = "left"
)

// Cause is why a proposal was left.
type Cause string

// The causes.
const (
	// CauseHold: people want everything to stay as it is, by the label for it.
	CauseHold Cause = "hold"
	// CauseOlder: what is there was made from something newer; see [Proposal.AnyOrder].
	CauseOlder Cause = "older"
	// CausePeople: the branch has people's commits; see [Proposal.People].
	CausePeople Cause = "people"
	// CauseRefused: people have closed or reverted the same content; see [Proposal.Anew].
	CauseRefused Cause = "refused"
	// CauseReopened: nothing is left to propose, but people opened it again.
	CauseReopened Cause = "reopened"
)

// Result is what Propose did, or in a dry run would do.
type Result struct {
	Operation Operation
	// Cause is "" for all that was not left.
	Cause Cause
	// Reason says why the proposal was left, or closed; one line.
	Reason string
	// Number and URL are those of the pull request, 0 and "" when there is none.
	Number int
	URL    string
	Base   string
	Branch string
	// Head is where the branch stands, "" when there is none. In a dry run, where it
	// stood.
	Head Hash
	// Verified is whether the server shows the signature of the commit that was made as
	// good.
	Verified bool
	Digest   string
	// Warnings are what did not work and does not matter enough to fail, and what people
	// should look at.
	Warnings []string
	// Calls are those that wrote, in order; in a dry run, those that would.
	Calls []string
}

// FindBase returns the branch and where it stands; the default branch for the name "".
// The error says what is wrong with a repository that has no such branch.
func FindBase(ctx context.Context, repo Repo, name string) (branch string, head Hash, err error) {
	branch = name
	if branch == "" {
		if branch, err = repo.DefaultBranch(ctx); err != nil {
			return "", "", fmt.Errorf("asking for the default branch: %w", err)
		}
		if branch == "" {
			return "", "", fmt.Errorf("the repository is empty, so there is no branch to merge into: push a first commit: %w", ErrNotFound)
		}
	}
	head, err = repo.Head(ctx, branch)
	switch {
	case err != nil:
		return "", "", fmt.Errorf("asking where the branch %s stands: %w", branch, err)
	case head == "" && name == "":
		return "", "", fmt.Errorf("the default branch %s has no commit: push a first one, or name another branch as base: %w", branch, ErrNotFound)
	case head == "":
		return "", "", fmt.Errorf("there is no branch %s to merge into: %w", branch, ErrNotFound)
	}
	return branch, head, nil
}

// maxBranchName keeps a branch's file below refs/heads within what file systems hold.
const maxBranchName = 200

// BranchName returns the parts, joined with slashes, as the name of a branch. What a
// branch cannot be called is replaced, and then the name ends in a digest of the
// original, so that different parts never meet in one branch.
func BranchName(parts ...string) string {
	var names []string
	for _, part := range parts {
		var b strings.Builder
		for _, r := range part {
			switch {
			case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune("/_.-", r):
				b.WriteRune(r)
			default:
				b.WriteByte('-')
			}
		}
		for name := range strings.SplitSeq(b.String(), "/") {
			for strings.Contains(name, "..") {
				name = strings.ReplaceAll(name, "..", ".")
			}
			name = strings.Trim(name, ".-")
			for strings.HasSuffix(name, ".lock") {
				name = strings.TrimRight(strings.TrimSuffix(name, ".lock"), ".-")
			}
			if name != "" {
				names = append(names, name)
			}
		}
	}
	original, name := strings.Join(parts, "/"), strings.Join(names, "/")
	if name == original && CheckBranch(name) == nil {
		return name
	}
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	end := hex.EncodeToString(sum[:4])
	if limit := maxBranchName - len("branch-") - len(end) - 1; len(name) > limit {
		name = strings.TrimRight(name[:limit], "/.-")
	}
	if name == "" {
		return "branch-" + end
	}
	if CheckBranch(name) != nil { // it means something to git
		name = "branch-" + name
	}
	return name + "-" + end
}

// CheckBranch returns an error when no branch can have the name.
func CheckBranch(name string) error {
	refuse := func(why string) error { return fmt.Errorf("%q cannot be the name of a branch: %s", name, why) }
	switch {
	case name == "":
		return refuse("it is empty")
	case len(name) > maxBranchName:
		return refuse(fmt.Sprintf("it is longer than %d bytes", maxBranchName))
	case !utf8.ValidString(name):
		return refuse("it is not valid UTF-8")
	case strings.EqualFold(name, "head"), name == "@":
		return refuse("it means something else to git")
	case name[0] == '-':
		return refuse("it begins with a hyphen")
	case strings.HasPrefix(name, "refs/"):
		return refuse("it begins with refs/, and branches are named without it")
	case strings.HasSuffix(name, "."):
		return refuse("it ends with a dot")
	case strings.Contains(name, "..") || strings.Contains(name, "@{"):
		return refuse("it contains .. or @{")
	case strings.ContainsFunc(name, func(r rune) bool {
		return unicode.IsControl(r) || unicode.IsSpace(r) || strings.ContainsRune(`~^:?*[\`, r)
	}):
		return refuse(`it contains a space, a control character or one of ~^:?*[\`)
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == "" || part[0] == '.' || strings.HasSuffix(part, ".lock") {
			return refuse("a part of it is empty, begins with a dot or ends with .lock")
		}
	}
	return nil
}

// ErrProposal is what the error about a proposal wraps that no repository could take.
var ErrProposal = errors.New("the proposal is refused")

// check returns what is wrong with the proposal, whatever the repository holds.
func (p Proposal) check() error {
	refuse := func(format string, args ...any) error {
		return fmt.Errorf("%w: %w", ErrProposal, fmt.Errorf(format, args...))
	}
	switch {
	case p.Stream == "" || len(p.Stream) > 200 || p.Stream != oneLine(p.Stream):
		return refuse("the name of the stream, %q, is not one line of at most 200 bytes", p.Stream)
	case p.From == "":
		return refuse("the commit that it starts from is missing")
	case p.Digest == "" || len(p.Digest) > 200 || p.Digest != oneLine(p.Digest):
		return refuse("the digest, %q, is not one line of at most 200 bytes", p.Digest)
	case p.Title != oneLine(p.Title) || p.Title == "":
		return refuse("the title, %q, is not one line", p.Title)
	case strings.TrimSpace(p.Message) == "":
		return refuse("the commit has no message")
	case !slices.Contains([]string{"", DraftNo, DraftYes, DraftAlways}, p.Draft):
		return refuse("draft is %q: it must be %s, %s or %s", p.Draft, DraftNo, DraftYes, DraftAlways)
	case !slices.Contains([]string{"", PeopleStop, PeopleMerge, PeopleOverwrite}, p.People):
		return refuse("people's commits are answered with %q: it must be %s, %s or %s", p.People, PeopleStop, PeopleMerge, PeopleOverwrite)
	case !slices.Contains([]string{"", "merge", "squash", "rebase"}, p.AutoMerge):
		return refuse("auto-merge is %q: it must be merge, squash or rebase", p.AutoMerge)
	case len(p.Folders) == 0:
		return refuse("it owns no folder")
	}
	if err := CheckBranch(p.Branch); err != nil {
		return refuse("%w", err)
	}
	for _, t := range p.Trailers {
		if !isTrailerKey(t.Key) || t.Value == "" || t.Value != oneLine(t.Value) || strings.HasPrefix(t.Key, trailerStream) {
			return refuse("%q: %q cannot be a trailer", t.Key, t.Value)
		}
	}
	for _, folder := range p.Folders {
		if err := tree.Check(folder); err != nil {
			return refuse("the folder: %w", err)
		}
		if isWorkflow(folder) {
			return refuse("the folder %s holds workflows, which are people's alone", folder)
		}
	}
	for _, c := range p.Changes {
		if err := tree.Check(c.Path); err != nil {
			return refuse("%w", err)
		}
		if !p.owns(c.Path) || isWorkflow(c.Path) {
			return refuse("%s is outside of %s", c.Path, strings.Join(p.Folders, ", "))
		}
	}
	return nil
}

// owns reports whether the file is in one of the proposal's folders.
func (p Proposal) owns(path string) bool {
	return slices.ContainsFunc(p.Folders, func(folder string) bool { return tree.Inside(path, folder) })
}

// isWorkflow reports whether the path is in the folder whose files forges run.
func isWorkflow(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return slices.ContainsFunc([]string{".github", ".gitea", ".forgejo"}, func(name string) bool { return strings.EqualFold(first, name) })
}

// files maps paths to the ids of their contents.
type files map[string]Hash

// wanted returns the files of the proposal's folders as they should be, and those of
// its changes that change something: path -> id, "" for one to be removed. It refuses
// changes that do not start from the files of base.
func (p Proposal) wanted(base map[string]File) (wanted, changed files, err error) {
	wanted, changed = make(files, len(base)+len(p.Changes)), files{}
	for path, file := range base {
		wanted[path] = file.Blob
	}
	for _, c := range p.Changes {
		have, exists := base[c.Path]
		switch {
		case exists && have.Mode != ModeFile && have.Mode != ModeExecutable:
			return nil, nil, fmt.Errorf("%s is %s in the repository, and would have to become a file: remove it there first", c.Path, modeName(have.Mode))
		case exists != (c.Op != tree.Added), exists && have.Blob != BlobID(c.Old):
			return nil, nil, fmt.Errorf("%w: %s is not what %s has", ErrProposal, c, p.From)
		}
		for at, r := range c.Path {
			if above := c.Path[:at]; r == '/' {
				if file, ok := base[above]; ok {
					return nil, nil, fmt.Errorf("%s cannot be written: %s is %s in the repository, no folder: remove it there first", c.Path, above, modeName(file.Mode))
				}
			}
		}
		if c.Op == tree.Removed {
			delete(wanted, c.Path)
			changed[c.Path] = ""
			continue
		}
		if id := BlobID(c.New); !exists || id != have.Blob {
			wanted[c.Path] = id
			changed[c.Path] = id
		}
	}
	return wanted, changed, nil
}

func modeName(mode uint32) string {
	switch mode {
	case ModeLink:
		return "a symbolic link"
	case ModeSubmodule:
		return "a submodule"
	}
	return "a file"
}

// BlobID returns the id that Git gives the content.
func BlobID(content []byte) Hash {
	h := sha1.New()
	fmt.Fprintf(h, "blob %d\x00", len(content))
	h.Write(content)
	return Hash(hex.EncodeToString(h.Sum(nil)))
}

// digest returns a short digest of changes: equal changes, equal digest.
func (f files) digest() string {
	h := sha256.New()
	for _, path := range sortedKeys(f) {
		fmt.Fprintf(h, "%s\x00%s\n", path, f[path])
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// difference returns what leads from one commit's files to another's.
func difference(from, to map[string]File) files {
	changes := files{}
	for path := range from {
		if _, ok := to[path]; !ok {
			changes[path] = ""
		}
	}
	for path, file := range to {
		if have, ok := from[path]; !ok || have != file {
			changes[path] = file.Blob
		}
	}
	return changes
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// oneLine returns the text with every run of spaces and control characters as one
// space, and none at the ends.
func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, "\uFFFD"), func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r)
	}), " ")
}
