package gitsync

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// marker is what the hidden first line of a pull request's text remembers.
type marker struct {
	Version int    `json:"v"`
	Stream  string `json:"stream"`
	Digest  string `json:"digest"`
	// Head is the commit that we left the branch at.
	Head  Hash  `json:"head"`
	Order int64 `json:"order,omitempty"`
	// Text is a digest of the title and the text that we wrote: as long as ours is the
	// same, what people made of it stays.
	Text string `json:"text"`
	// Labels, Assignees and Reviewers are those that we have added: what people took away
	// since is not added again.
	Labels    []string `json:"labels,omitempty"`
	Assignees []string `json:"assignees,omitempty"`
	Reviewers []string `json:"reviewers,omitempty"`
	// AutoMerge is whether we have asked the forge to merge by itself.
	AutoMerge bool `json:"auto,omitempty"`
	// Closed is whether we closed the pull request, and not people.
	Closed bool `json:"closed,omitempty"`
	// Talk is whether there may be a comment of ours that can cease to hold.
	Talk bool `json:"talk,omitempty"`
}

const (
	markerVersion = 1
	markerStart   = "<!-- gitsync "
	markerEnd     = " -->"
	// maxMarker bounds what is read as a marker.
	maxMarker = 16 << 10
)

// MarkerRoom is how much shorter than the forge's limit [Proposal.Body] has to be.
const MarkerRoom = 2048

// hide returns what it is given as an HTML comment that nothing in it can end.
func hide(start string, v any) string {
	content, err := json.Marshal(v)
	if err != nil {
		panic(err) // strings and numbers: cannot fail
	}
	// json writes <, > and & as escapes. Two hyphens are left, which some readers of
	// HTML do not allow in a comment.
	return start + strings.ReplaceAll(string(content), "--", `-\u002d`) + markerEnd
}

// parseMarker returns the first marker in a text. It takes what it can read: people
// and forges edit texts.
func parseMarker(text string) (marker, bool) {
	_, rest, ok := strings.Cut(text, markerStart)
	if !ok {
		return marker{}, false
	}
	content, _, ok := strings.Cut(rest, markerEnd)
	if !ok || len(content) > maxMarker {
		return marker{}, false
	}
	var m marker
	if json.Unmarshal([]byte(content), &m) != nil || m.Stream == "" {
		return marker{}, false
	}
	m.Head = asHash(string(m.Head))
	return m, true
}

// equal reports whether both say the same but for the order, which alone is not worth
// a write.
func (m marker) equal(other marker) bool {
	return m.Stream == other.Stream && m.Digest == other.Digest && m.Head == other.Head && m.Text == other.Text &&
		m.AutoMerge == other.AutoMerge && m.Closed == other.Closed && m.Talk == other.Talk && slices.Equal(m.Labels, other.Labels) &&
		slices.Equal(m.Assignees, other.Assignees) && slices.Equal(m.Reviewers, other.Reviewers)
}

// textDigest returns what [marker.Text] holds.
func textDigest(title, body string) string {
	sum := sha256.Sum256([]byte(title + "\x00" + body))
	return hex.EncodeToString(sum[:8])
}

// composeBody returns the marker and the text, within the limit of characters and of
// bytes (0 is none), and whether the text had to be cut.
func composeBody(m marker, text string, limit int) (body string, cut bool) {
	head := hide(markerStart, m) + "\n"
	// A marker further down would be found if people deleted ours.
	text = strings.ReplaceAll(text, strings.TrimSpace(markerStart), "&lt;!-- gitsync")
	if limit == 0 || len(head)+len(text) <= limit {
		return head + text, false
	}
	const note = "\n\n(The text is longer than this page takes.)\n"
	text = text[:max(0, min(len(text), limit-len(head)-len(note)))]
	if at := strings.LastIndexByte(text, '\n'); at > 0 {
		text = text[:at]
	}
	for !utf8.ValidString(text) && len(text) > 0 {
		text = text[:len(text)-1]
	}
	return head + text + note, true
}

// splitBody returns the text without its marker.
func splitBody(body string) string {
	before, rest, ok := strings.Cut(body, markerStart)
	if !ok {
		return body
	}
	_, after, ok := strings.Cut(rest, markerEnd)
	if !ok {
		return body
	}
	return before + strings.TrimPrefix(strings.TrimPrefix(after, "\r"), "\n")
}

// The comments that we make, each at most once on a pull request.
const (
	talkPeople   = "people"
	talkReplaced = "replaced"
	talkObsolete = "obsolete"
	// talkSettled was one of these.
	talkSettled = "settled"
)

const commentStart = "<!-- gitsync-comment "

// commentMarker returns the hidden first line of a comment of the kind.
func commentMarker(stream, kind string) string {
	return hide(commentStart, struct {
		Stream string `json:"stream"`
		Kind   string `json:"kind"`
	}{stream, kind})
}

// findComment returns our comment of the kind, and whether there is one: the oldest.
func findComment(comments []Comment, stream, kind string) (Comment, bool) {
	want := commentMarker(stream, kind)
	for _, c := range comments {
		if strings.HasPrefix(strings.TrimSpace(c.Body), want) {
			return c, true
		}
	}
	return Comment{}, false
}

// sameText reports whether a forge would show both texts alike.
func sameText(a, b string) bool {
	plain := func(s string) string { return strings.TrimSpace(strings.ReplaceAll(s, "\r\n", "\n")) }
	return plain(a) == plain(b)
}

// Limits of what is repeated of people's commits in a comment.
const (
	maxListed = 20
	maxQuoted = 72
)

// listCommits returns the commits as a Markdown list. What people wrote stands as code,
// which no forge reads mentions or closing words in.
func listCommits(commits []Commit) string {
	var b strings.Builder
	for i, c := range commits {
		if i == maxListed {
			fmt.Fprintf(&b, "- and %d more\n", len(commits)-maxListed)
			break
		}
		subject, _, _ := strings.Cut(strings.TrimSpace(c.Message), "\n")
		fmt.Fprintf(&b, "- %s by %s: %s\n", c.Hash, quote(c.Author.Name), quote(subject))
	}
	return b.String()
}

// quote returns the text as code on one line.
func quote(s string) string {
	s = oneLine(strings.ReplaceAll(s, "`", "'"))
	if r := []rune(s); len(r) > maxQuoted {
		s = string(r[:maxQuoted-1]) + "…"
	}
	if s == "" {
		s = "?"
	}
	return "`" + s + "`"
}

func peopleComment(p Proposal, s state) string {
	var b strings.Builder
	b.WriteString(commentMarker(p.Stream, talkPeople) + "\n")
	if s.changed {
		b.WriteString("**This branch is left as it is.** What is wanted has changed, but the branch has commits that are not from the tool:\n\n")
	} else {
		b.WriteString("**Nothing is left to propose here,** but the branch has commits that are not from the tool, so the pull request stays open:\n\n")
	}
	b.WriteString(listCommits(s.people))
	if s.changed {
		b.WriteString("\nThe branch is kept up again when this pull request is merged or closed, when the commits are gone, or when one of these is chosen: `merge` puts the wanted files on top of these commits, `overwrite` replaces the commits.\n")
	}
	addSection(&b, p.Choices)
	return b.String()
}

func replacedComment(p Proposal, s state) string {
	return commentMarker(p.Stream, talkReplaced) + "\n" +
		"These commits on the branch are replaced, as `overwrite` asks for. They can be fetched by their ids as long as the server keeps them:\n\n" +
		listCommits(s.people)
}

func obsoleteComment(p Proposal) string {
	var b strings.Builder
	b.WriteString(commentMarker(p.Stream, talkObsolete) + "\n")
	b.WriteString("Closed: what is wanted is what the base branch has, so nothing is left to propose. The next difference comes as a new pull request.\n")
	addSection(&b, p.Obsolete)
	return b.String()
}

// settledComment takes the place of a comment that no longer holds, or that another run
// has made too. What holds later is a new comment, which people are told of.
func settledComment(stream string, repeated bool) string {
	if repeated {
		return commentMarker(stream, talkSettled) + "\nSaid above.\n"
	}
	return commentMarker(stream, talkSettled) + "\nWhat was said here no longer holds: the branch is kept up again.\n"
}

func addSection(b *strings.Builder, text string) {
	if text = strings.TrimSpace(text); text != "" {
		b.WriteString("\n" + text + "\n")
	}
}
