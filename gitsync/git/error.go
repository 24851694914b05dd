package git

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/go-git/go-git/v5/plumbing/format/pktline"

	"hedgehog-gitops/gitsync"
	"hedgehog-gitops/gitsync/edge"
)

// errSilent is a server that says nothing for too long.
var errSilent = errors.New("the server says nothing")

const (
	hintURL  = "check the repository's address"
	hintRead = "check the token: GitHub wants Contents: read of this repository, Gitea read:repository, GitLab read_repository"
	hintPush = "give the credentials the right to push: GitHub Contents: read and write (in a workflow: permissions: contents: write), " +
		"Gitea write:repository, GitLab write_repository and the role Developer; a deploy key must not be read-only"
)

// explain turns what an exchange came to into an Error. One that is an Error
// already stays as it is.
func explain(ctx context.Context, err error) *edge.Error {
	e, said := edge.From(ctx, err)
	if said {
		return e
	}
	var line *pktline.ErrorLine
	is := func(target error) bool { return errors.Is(e.Err, target) }
	switch {
	case errors.As(e.Err, &line):
		return complaint(line.Text)
	case is(errTooLarge):
		e.Detail = e.Err.Error()
		e.Hint = "a server that serves partial clones needs far less: set uploadpack.allowFilter and uploadpack.allowAnySHA1InWant there, or raise the limit"
		return e
	case is(errPack), is(errTree), is(errNotGit), is(errSHA256):
		e.Detail = e.Err.Error()
		return e
	case is(errSilent):
		e.Detail = e.Err.Error()
		e.Hint = "it is busy or out of reach"
		e.Again = true
		return e
	case is(syscall.ECONNRESET): // perhaps before there was an answer
		e.Detail = edge.Neutral(e.Err.Error())
		e.Again = true
		return e
	}
	switch e.Explain() {
	case edge.Redirected:
		e.Hint = "set the repository's address to where it redirects; the token is never sent to another server"
	case edge.NoHost:
		e.Hint = hintURL
	case edge.NoListener:
		e.Hint = hintURL + " and that the server runs"
	case edge.Unknown:
		denied := is(os.ErrPermission)
		if denied {
			e.Kind = gitsync.ErrDenied
		}
		e.Again = !denied && !is(os.ErrNotExist) && isNetwork(e.Err)
	}
	return e
}

func isNetwork(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) ||
		errors.Is(err, net.ErrClosed) || strings.Contains(err.Error(), "http2: ") || strings.Contains(err.Error(), "server closed idle connection")
}

// errNotOurs is a server that gives no object by its id.
var errNotOurs = errors.New("the server has no such object, or does not give it")

// errNoFilter is a server that does not leave out what it was asked to.
var errNoFilter = errors.New("the server does not serve such parts of a repository")

// complaint is what a service said when it gave up: an ERR line or what it wrote
// to its standard error.
func complaint(said string) *edge.Error {
	e := &edge.Error{Detail: edge.Neutral(said)}
	low := strings.ToLower(said)
	has := func(all ...string) bool {
		for _, s := range all {
			if strings.Contains(low, s) {
				return true
			}
		}
		return false
	}
	switch {
	case has("not our ref", "unadvertised object", "no such remote ref"):
		e.Err = errNotOurs
	case has("filter") && has("not supported", "not recognized", "not allowed", "unexpected"):
		e.Err = errNoFilter
	case has("repository not found", "does not appear to be a git repository", "not a git repository", "no such repository",
		"repository does not exist", "could not be found", "cannot find repository", "no such file or directory"):
		e.Kind, e.Hint = gitsync.ErrNotFound, hintURL+"; credentials that may not see a repository get the same answer"
	case has("dubious ownership"):
		e.Kind, e.Hint = gitsync.ErrDenied, "the folder belongs to another user: see safe.directory in the documentation of git"
	case has("read only", "read-only"):
		e.Kind, e.Hint = gitsync.ErrDenied, hintPush
	case has("denied", "permission", "not authorized", "unauthorized", "access rights"):
		e.Kind, e.Hint = gitsync.ErrDenied, "check the key, and what it may do in this repository"
	case low == "":
		e.Detail, e.Again = "the server ended the conversation without a word", true
	}
	return e
}

// refused explains an answer of HTTP that is no success.
func refused(service string, resp *http.Response, body []byte, authorized bool) *edge.Error {
	said := string(body)
	if strings.HasPrefix(edge.Neutral(said), "<") {
		said = ""
	}
	e := edge.Refused(resp, said, time.Now())
	push := service == receivePack
	switch {
	case resp.StatusCode == http.StatusUnauthorized && !authorized:
		e.Kind = gitsync.ErrDenied
		e.Hint = "the server wants to know who asks: give a token"
	case resp.StatusCode == http.StatusUnauthorized:
		e.Kind = gitsync.ErrDenied
		e.Hint = "the server does not accept the token: check that it is whole, not expired, and of this server"
	case resp.StatusCode == http.StatusForbidden && e.Wait > 0:
		e.Again = true
		e.Hint = "the server has had too many requests; try later"
	case resp.StatusCode == http.StatusForbidden && push:
		e.Kind, e.Hint = gitsync.ErrDenied, hintPush
	case resp.StatusCode == http.StatusForbidden:
		e.Kind, e.Hint = gitsync.ErrDenied, hintRead
	case resp.StatusCode == http.StatusNotFound, resp.StatusCode == http.StatusGone:
		e.Kind, e.Hint = gitsync.ErrNotFound, hintURL+"; a token that may not see a repository gets the same answer"
	case resp.StatusCode == http.StatusRequestEntityTooLarge:
		e.Hint = "the server, or a proxy in front of it, takes no push of this size"
	}
	return e
}

// refusal is why a server did not take a push: its rules, or the credentials.
func refusal(branch, reason, said string) *edge.Error {
	text := edge.Neutral(reason)
	if said = edge.Neutral(said); said != "" && !strings.Contains(said, text) {
		text += ": " + said
	} else if said != "" {
		text = said
	}
	e := &edge.Error{Detail: "the server refuses it: " + text, Kind: gitsync.ErrProtected}
	low := strings.ToLower(reason + " " + said)
	has := func(s string) bool { return strings.Contains(low, s) }
	switch {
	case has("workflow") && (has("scope") || has("permission")):
		e.Kind, e.Hint = gitsync.ErrDenied, "the credentials may not change workflows: this needs Workflows: write"
	case has("permission to ") && has("denied"), has("not allowed to push code to this project"), has("write access"),
		has("not have permission"), has("not permitted to push"):
		e.Kind, e.Hint = gitsync.ErrDenied, hintPush
	case has("checked out"):
		e.Hint = fmt.Sprintf("the repository has a working copy of %s: use a bare repository, or another branch", branch)
	case has("protected"), has("gh006"), has("gh013"), has("rule violations"):
		e.Hint = fmt.Sprintf("let who pushes pass the rules of %s, or choose a branch without such rules", branch)
	case has("non-fast-forward"):
		e.Hint = fmt.Sprintf("the server forbids to rewrite %s: see receive.denyNonFastForwards, or delete the branch", branch)
	case has("hook declined"):
		e.Hint = "a hook of the server refuses it; what it says, or the server's log, tells why"
	case has("deletion prohibited"), has("deletion of"), has("denying ref deletion"), has("refusing to delete"):
		e.Hint = fmt.Sprintf("allow to delete %s, or delete it there", branch)
	}
	return e
}

// isContention reports whether a push was refused because of the moment alone.
func isContention(reason string) bool {
	low := strings.ToLower(reason)
	for _, s := range []string{"cannot lock", "failed to lock", "failed to update ref", "incorrect old value"} {
		if strings.Contains(low, s) {
			return true
		}
	}
	return false
}
