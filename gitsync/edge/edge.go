// Package edge is what every edge to a server needs, so that all of them say the
// same of the same: an error that tells people what was being done, what went wrong
// and what to do next.
//
//	error of a request  -> [From] -> [Error.Explain] -> *Error, Fault
//	answer that refuses -> [Refused]                 -> *Error
//
// What it is about, such as the rights that a token lacks or the address that a
// forge has, each edge adds in its own words. Sending requests is theirs too; here is
// how to connect ([Transport], [Trust]), how far to follow ([SameServer]) and how much
// to read ([Exchange]).
package edge

import (
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Error is a failure of the conversation with a server. No text in it holds a token
// or a password: the edge takes them out. What the server said stands in it as one
// short line without control characters.
type Error struct {
	// Doing is what was being done: "opening a pull request".
	Doing string
	// Status is the HTTP status of the answer; 0 when there was none.
	Status int
	// Detail says what went wrong.
	Detail string
	// Hint says what to do next; empty when nobody can know.
	Hint string
	// Kind is what programs tell errors apart by, such as gitsync.ErrDenied; it can
	// be nil.
	Kind error
	// Err is the cause, such as context.Canceled; it can be nil.
	Err error
	// Again says that the same request may succeed later, Wait for how long the
	// server asks to wait until then; 0 when it does not say.
	Again bool
	Wait  time.Duration
}

// Error returns what was being done and what went wrong, on one line.
func (e *Error) Error() string {
	text := e.Detail
	if e.Doing != "" {
		text = e.Doing + ": " + text
	}
	if e.Status >= 300 {
		text += " (HTTP " + strconv.Itoa(e.Status) + ")"
	}
	return text
}

// Unwrap returns the kind and the cause.
func (e *Error) Unwrap() []error {
	var all []error
	for _, err := range []error{e.Kind, e.Err} {
		if err != nil {
			all = append(all, err)
		}
	}
	return all
}

// longest is how much of what a server says is repeated, in characters.
const longest = 400

// Neutral makes one line of bounded length of what a server said, with nothing in it
// that a terminal obeys.
func Neutral(text string) string {
	words := strings.FieldsFunc(strings.ToValidUTF8(text, "?"), func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r)
	})
	text = strings.Join(words, " ")
	if runes := []rune(text); len(runes) > longest {
		text = string(runes[:longest]) + " ..."
	}
	return text
}
