package gitsync

import (
	"strconv"
	"strings"
)

// The trailers of every commit of ours, in their order. The first names the stream;
// the others, and those of the proposal, follow it without an empty line between, so
// that they are found again in what a forge makes of several messages when it
// squashes.
const (
	trailerStream  = "Proposal"
	trailerDigest  = "Proposal-Digest"
	trailerOrder   = "Proposal-Order"
	trailerBase    = "Proposal-Base"
	trailerChanges = "Proposal-Changes"
)

// commitMessage returns the message of a commit that makes the changes to its first
// parent.
func (p Proposal) commitMessage(changes files) string {
	var b strings.Builder
	b.WriteString(strings.TrimSpace(strings.ReplaceAll(p.Message, "\r\n", "\n")))
	b.WriteString("\n\n")
	add := func(key, value string) { b.WriteString(key + ": " + value + "\n") }
	add(trailerStream, p.Stream)
	add(trailerDigest, p.Digest)
	if p.Order != 0 {
		add(trailerOrder, strconv.FormatInt(p.Order, 10))
	}
	add(trailerBase, string(p.From))
	add(trailerChanges, changes.digest())
	for _, t := range p.Trailers {
		add(t.Key, t.Value)
	}
	return b.String()
}

// record is what a message says of a proposal.
type record struct {
	digest string
	order  int64
	// base is the commit of base that the proposal was made for, changes the digest of
	// what its commit changes.
	base    Hash
	changes string
	// trailers are all, ours too.
	trailers []Trailer
}

// recordOf returns what the message says of the stream's proposal: the last one, when
// it was put together of several.
func recordOf(message, stream string) (record, bool) {
	var found record
	var ok, inside bool
	for line := range strings.SplitSeq(message, "\n") {
		key, value, isTrailer := strings.Cut(strings.TrimRight(line, " \r"), ": ")
		if !isTrailer || !isTrailerKey(key) {
			inside = false
			continue
		}
		if key == trailerStream {
			inside = value == stream
			if inside {
				found, ok = record{}, true
			}
		}
		if !inside {
			continue
		}
		found.trailers = append(found.trailers, Trailer{Key: key, Value: value})
		switch key {
		case trailerDigest:
			found.digest = value
		case trailerOrder:
			found.order, _ = strconv.ParseInt(value, 10, 64)
		case trailerBase:
			found.base = asHash(value)
		case trailerChanges:
			found.changes = value
		}
	}
	return found, ok
}

// isTrailerKey reports whether git takes the word for the key of a trailer.
func isTrailerKey(key string) bool {
	return key != "" && !strings.ContainsFunc(key, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-'
	})
}

// asHash returns the text if it can be the id of an object, "" otherwise.
func asHash(s string) Hash {
	if len(s) != 40 || strings.Trim(s, "0123456789abcdef") != "" {
		return ""
	}
	return Hash(s)
}

// TrailersOf returns the trailers that the message of a commit has of the stream's
// proposal, those of the package and the proposal's own; nil for a commit that is not
// of the stream. A merge or a squash on a forge keeps them.
func TrailersOf(message, stream string) []Trailer {
	r, _ := recordOf(message, stream)
	return r.trailers
}
