package main

import (
	"fmt"
	"strings"

	"github.com/fatih/color"

	"hedgehog-gitops/gitsync"
	"hedgehog-gitops/render/review"
)

type publishView struct {
	FormatVersion string `json:"format_version"`
	DryRun        bool   `json:"dry_run"`
	Repository    string `json:"repository"`
	// Notices are about the credentials.
	Notices []string `json:"notices"`
	// Issues are about NetBox as a whole; an error among them fails every fabric.
	Issues  []issueView           `json:"issues"`
	Fabrics []publishedFabricView `json:"fabrics"`
}

type publishedFabricView struct {
	Name string `json:"name"`
	// Result is published or failed.
	Result    string         `json:"result"`
	Objects   int            `json:"objects"`
	Proposals []proposalView `json:"proposals"`
	Issues    []issueView    `json:"issues"`
	// Error says what was broken when the issues do not, else it is empty.
	Error string `json:"error"`
}

type proposalView struct {
	Stream string `json:"stream"`
	// Operation is none, opened, updated, closed or left; Reason says why it was left
	// or closed, Cause is a word for why it was left: hold, older, people, refused or
	// reopened.
	Operation gitsync.Operation `json:"operation"`
	Cause     gitsync.Cause     `json:"cause"`
	Reason    string            `json:"reason"`
	// Number is 0 and URL empty where there is no pull request.
	Number   int          `json:"number"`
	URL      string       `json:"url"`
	Base     string       `json:"base"`
	Branch   string       `json:"branch"`
	Head     gitsync.Hash `json:"head"`
	Verified bool         `json:"verified"`
	Digest   string       `json:"digest"`
	// Counts are numbers of objects by class.
	Counts   map[string]int `json:"counts"`
	Risk     review.Level   `json:"risk"`
	Title    string         `json:"title"`
	Body     string         `json:"body"`
	Warnings []string       `json:"warnings"`
	// Calls are those that wrote, or in a dry run would.
	Calls []string `json:"calls"`
}

func (r publishResult) view(a *app) publishView {
	v := publishView{
		FormatVersion: jsonVersion, DryRun: r.DryRun, Repository: r.Repo, Notices: listed(r.Notices),
		Issues: newIssueViews(r.Issues, r.NetBoxURL), Fabrics: []publishedFabricView{},
	}
	for _, f := range r.Fabrics {
		view := publishedFabricView{
			Name: f.Name, Result: "published", Objects: f.Objects,
			Proposals: []proposalView{}, Issues: newIssueViews(f.Issues, r.NetBoxURL),
		}
		if !f.Rendered {
			view.Result = "failed"
		}
		if f.Err != nil {
			view.Error = a.redact(f.Err.Error())
		}
		for _, p := range f.Proposals {
			view.Proposals = append(view.Proposals, p.view())
		}
		v.Fabrics = append(v.Fabrics, view)
	}
	return v
}

func (p published) view() proposalView {
	v := proposalView{
		Stream: p.Stream, Operation: p.Result.Operation, Cause: p.Result.Cause, Reason: p.Result.Reason,
		Number: p.Result.Number, URL: p.Result.URL, Base: p.Result.Base, Branch: p.Result.Branch,
		Head: p.Result.Head, Verified: p.Result.Verified, Digest: p.Result.Digest,
		Counts: map[string]int{}, Risk: p.Changes.Risk(), Title: p.Title, Body: p.Body,
		Warnings: listed(p.Result.Warnings), Calls: listed(p.Result.Calls),
	}
	for _, n := range p.Changes.Counts() {
		class, err := n.Class.MarshalText()
		if err == nil {
			v.Counts[string(class)] = n.Objects
		}
	}
	return v
}

// listed returns the list, which is never null in JSON.
func listed(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

func (a *app) showPublish(r publishResult, f format, quiet bool) error {
	if f == formatJSON {
		return a.printJSON(r.view(a))
	}
	a.printIssues(heard(r.Issues, quiet), r.NetBoxURL)
	if !quiet {
		for _, notice := range r.Notices {
			a.say("%s %s", a.paint("notice:", color.FgCyan, color.Bold), oneLine(notice))
		}
	}
	for _, fabric := range r.Fabrics {
		if err := a.printPublished(r, fabric, quiet); err != nil {
			return err
		}
	}
	return nil
}

// printPublished tells people what became of a fabric. The text of a pull request
// is the answer where no forge shows it.
func (a *app) printPublished(r publishResult, f publishedFabric, quiet bool) error {
	a.printIssues(heard(f.Issues, quiet), r.NetBoxURL)
	if f.Err != nil {
		a.printError(f.Err)
	}
	name := a.paint(f.Name, color.Bold)
	if !f.Rendered && !quiet {
		a.say("%s: not published", name)
	}
	for i, p := range f.Proposals {
		for _, w := range p.Result.Warnings {
			a.say("%s %s", a.paint("warning:", color.FgYellow, color.Bold), oneLine(w))
		}
		idle := p.Result.Operation == gitsync.None && p.Result.Number == 0 && len(p.Result.Calls) == 0
		if i > 0 && idle || !f.Rendered && p.Result.Operation == gitsync.None {
			continue // nothing is the usual thing for a second one, and for one that failed
		}
		left := p.Result.Operation == gitsync.Left
		switch {
		case !quiet:
			a.say("%s: %s", name, p.told(r, f))
			for _, call := range p.Result.Calls {
				a.say("  %s", oneLine(call))
			}
		case left:
			a.say("%s %s: %s", a.paint("warning:", color.FgYellow, color.Bold), name, p.told(r, f))
		}
		if left {
			a.say("%s %s", a.paint("hint:", color.FgCyan), p.next())
		}
		shown := f.Rendered && (p.Result.Operation == gitsync.Opened || p.Result.Operation == gitsync.Updated)
		if shown && (p.Result.Number == 0 || r.DryRun) {
			if _, err := fmt.Fprintf(a.people(), "# %s\n\n%s\n", p.Title, strings.TrimSpace(p.Body)); err != nil {
				return err
			}
		}
	}
	return nil
}

// told says in one line what became of the proposal.
func (p published) told(r publishResult, f publishedFabric) string {
	what := "the branch " + p.Result.Branch
	switch {
	case p.Result.Number != 0:
		what = fmt.Sprintf("pull request #%d", p.Result.Number)
	case r.Forge != "" && p.Result.Operation == gitsync.Opened:
		what = "a pull request from " + p.Result.Branch
	}
	text := plural(f.Objects, "object") + ": "
	verb := map[gitsync.Operation]string{gitsync.Opened: "opened", gitsync.Updated: "updated", gitsync.ClosedObsolete: "closed", gitsync.Left: "left as it is:"}[p.Result.Operation]
	switch {
	case p.Result.Operation == gitsync.None && p.Result.Number != 0:
		text += "nothing to do, " + what + " is up to date"
	case p.Result.Operation == gitsync.None && len(p.Result.Calls) > 0:
		text += "nothing left to propose"
	case p.Result.Operation == gitsync.None:
		text += "nothing to do"
	case r.DryRun && p.Result.Operation != gitsync.Left:
		text += "would have " + verb + " " + what
	default:
		text += verb + " " + what
	}
	if p.Result.URL != "" {
		text += " " + p.Result.URL
	}
	if p.Result.Reason != "" {
		text += ": " + oneLine(p.Result.Reason)
	}
	return text
}

// next says what people can do about a proposal that was left, "" when nothing was.
func (p published) next() string {
	switch p.Result.Cause {
	case gitsync.CauseHold:
		return "remove the label when it may go on"
	case gitsync.CauseOlder:
		return "read NetBox anew; where its change log began anew: --allow-older"
	case gitsync.CausePeople:
		return "--human-commits merge puts what is wanted on top of them, --human-commits overwrite drops them"
	case gitsync.CauseRefused:
		return "--reopen proposes it again"
	case gitsync.CauseReopened:
		return "close it, or change NetBox"
	}
	return ""
}
