package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"hedgehog-gitops/gitsync"
	"hedgehog-gitops/render/hedgehog"
	"hedgehog-gitops/render/review"
)

// inActions reports whether GitHub Actions, or a runner that says it is like it,
// reads what the program prints.
func inActions(getenv func(string) string) bool { return getenv("GITHUB_ACTIONS") == "true" }

// calm is where text goes that a runner reads for commands: none is left in it.
// Names in NetBox are anybody's, and a command can set the outputs of a step.
type calm struct{ to io.Writer }

func (c calm) Write(text []byte) (int, error) {
	if _, err := c.to.Write(calmed(text)); err != nil {
		return 0, err
	}
	return len(text), nil
}

// people is where an answer goes that people read.
func (a *app) people() io.Writer {
	if inActions(a.getenv) {
		return calm{a.stdout}
	}
	return a.stdout
}

// commandLine is the start of a line that a runner takes for a command; the older
// form, ##[command], counts anywhere in a line.
var commandLine = regexp.MustCompile(`(^|[\r\n])([\s\v\x{85}\p{Z}]*)::`)

func calmed(text []byte) []byte {
	text = commandLine.ReplaceAll(text, []byte("$1$2: :"))
	return []byte(strings.ReplaceAll(string(text), "##[", "## ["))
}

// tellActions tells GitHub Actions what a run came to: annotations in its log, the
// outputs and the summary of the step, and the whole report as a file. Elsewhere it
// does nothing. Failure is what ended the run, nil when all is well.
func (a *app) tellActions(r publishResult, failure error) error {
	issues := r.allIssues(failure)
	if inActions(a.getenv) {
		for _, line := range review.Annotations(issues, r.links()) {
			fmt.Fprintln(a.commands, a.redact(line))
		}
	}
	told := actionsPage{result: r, issues: issues, failure: failure, redact: a.redact}
	if name := a.getenv("GITHUB_STEP_SUMMARY"); name != "" {
		if err := told.appendSummary(name); err != nil {
			return fmt.Errorf("writing the summary of the step: %w", err)
		}
	}
	name := a.getenv("GITHUB_OUTPUT")
	if name == "" {
		return nil
	}
	report, err := told.writeReport(a.getenv("RUNNER_TEMP"))
	if err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	outputs, err := r.outputs(a.redact)
	if err != nil {
		return err
	}
	outputs = append(outputs, output{"report", report})
	if err := appendFile(name, a.redact(outputFile(outputs))); err != nil {
		return fmt.Errorf("writing the outputs of the step: %w", err)
	}
	return nil
}

// links are where texts about the run lead to.
func (r publishResult) links() review.Links {
	return review.Links{NetBox: strings.TrimSuffix(r.NetBoxURL, "/")}
}

// allIssues returns all that people should know of: the issues, what was broken,
// and what did not work on the forge.
func (r publishResult) allIssues(failure error) hedgehog.Issues {
	all := append(hedgehog.Issues(nil), r.Issues...)
	for _, f := range r.Fabrics {
		all = append(all, f.allIssues()...)
	}
	if failure != nil && r.err() == nil { // else the fabrics say it
		all = append(all, issuesOf(failure, "failed")...)
	}
	all.Sort()
	return all
}

func (f publishedFabric) allIssues() hedgehog.Issues {
	all := append(hedgehog.Issues(nil), f.Issues...)
	if f.Err != nil {
		all = append(all, issuesOf(f.Err, "fabric "+f.Name)...)
	}
	for _, p := range f.Proposals {
		if p.Result.Operation == gitsync.Left {
			all = append(all, hedgehog.Issue{
				Rule: "left", Severity: hedgehog.Warning,
				Summary: fmt.Sprintf("%s was left as it is: %s", p.subject(), p.Result.Reason),
			})
		}
		for _, w := range p.Result.Warnings {
			all = append(all, hedgehog.Issue{Rule: "pull-request", Severity: hedgehog.Warning, Summary: p.subject() + ": " + w})
		}
	}
	all.Sort()
	return all
}

// issuesOf returns the issues that an error is made of, or the error as one.
func issuesOf(err error, rule string) hedgehog.Issues {
	var f *faulty
	if errors.As(err, &f) {
		return f.issues
	}
	issue := hedgehog.Issue{Rule: rule, Severity: hedgehog.Error, Summary: err.Error()}
	var h *hinted
	if errors.As(err, &h) {
		issue.Hint = strings.Join(h.hints, "; ")
	}
	return hedgehog.Issues{issue}
}

// subject is what a proposal is about: the pull request, else the branch.
func (p published) subject() string {
	if p.Result.Number != 0 {
		return fmt.Sprintf("%s: pull request #%d", p.Stream, p.Result.Number)
	}
	return p.Stream + ": branch " + p.Result.Branch
}

// operationFailed is what became of a fabric that could not be proposed.
const operationFailed = "failed"

// operationName is what the action create-pull-request calls the operation, where
// it has it.
func operationName(o gitsync.Operation) string {
	if o == gitsync.Opened {
		return "created"
	}
	return string(o)
}

// actionsResult is an element of the output results.
type actionsResult struct {
	Fabric string `json:"fabric"`
	// Stream is "" for a fabric that nothing was proposed for.
	Stream string `json:"stream"`
	// Operation is created, updated, closed, none, left or failed; Reason says why.
	Operation string         `json:"operation"`
	Reason    string         `json:"reason"`
	Number    int            `json:"number"`
	URL       string         `json:"url"`
	Base      string         `json:"base"`
	Branch    string         `json:"branch"`
	Head      gitsync.Hash   `json:"head"`
	Verified  bool           `json:"verified"`
	Digest    string         `json:"digest"`
	Risk      string         `json:"risk"`
	Counts    map[string]int `json:"counts"`
	// Errors and Warnings are numbers of issues of the fabric.
	Errors   int `json:"errors"`
	Warnings int `json:"warnings"`
}

// actionsResults returns what became of every proposal, and of every fabric without
// one. A fabric that failed is failed whatever was proposed before it did.
func (r publishResult) actionsResults(redact func(string) string) []actionsResult {
	results := []actionsResult{}
	for _, f := range r.Fabrics {
		base := actionsResult{Fabric: f.Name, Operation: operationFailed, Counts: map[string]int{}, Risk: review.Low.String()}
		for _, i := range f.allIssues() {
			switch i.Severity {
			case hedgehog.Error:
				base.Errors++
			case hedgehog.Warning:
				base.Warnings++
			}
		}
		if f.Err != nil {
			base.Reason = oneLine(redact(f.Err.Error()))
		} else if !f.Rendered {
			base.Reason = countIssues(f.Issues)
		}
		for _, p := range f.Proposals {
			one, v := base, p.view()
			one.Stream, one.Number, one.URL, one.Base, one.Branch, one.Head = p.Stream, v.Number, v.URL, v.Base, v.Branch, v.Head
			one.Verified, one.Digest, one.Risk, one.Counts = v.Verified, v.Digest, v.Risk.String(), v.Counts
			if f.Rendered {
				one.Operation, one.Reason = operationName(v.Operation), oneLine(redact(v.Reason))
			}
			results = append(results, one)
		}
		if len(f.Proposals) == 0 {
			results = append(results, base)
		}
	}
	return results
}

// plainResult is the one that the outputs without a list speak of: the first that
// is not none, else the first.
func plainResult(results []actionsResult) actionsResult {
	for _, r := range results {
		if r.Operation != string(gitsync.None) {
			return r
		}
	}
	if len(results) > 0 {
		return results[0]
	}
	return actionsResult{Operation: operationFailed, Counts: map[string]int{}, Risk: review.Low.String()}
}

// output is one of a step.
type output struct{ name, value string }

// outputs returns those of the step, in the order of action.yml, but for the report.
func (r publishResult) outputs(redact func(string) string) ([]output, error) {
	results := r.actionsResults(redact)
	list, err := json.Marshal(results)
	if err != nil {
		return nil, err
	}
	plain := plainResult(results)
	counts, err := json.Marshal(plain.Counts)
	if err != nil {
		return nil, err
	}
	number := ""
	if plain.Number != 0 {
		number = strconv.Itoa(plain.Number)
	}
	return []output{
		{"pull-request-number", number},
		{"pull-request-url", plain.URL},
		{"pull-request-operation", plain.Operation},
		{"pull-request-head-sha", string(plain.Head)},
		{"pull-request-branch", plain.Branch},
		{"pull-request-commits-verified", strconv.FormatBool(plain.Verified)},
		{"digest", plain.Digest},
		{"risk", plain.Risk},
		{"counts", string(counts)},
		{"results", string(list)},
	}, nil
}

// outputFile is what is appended to the file that GITHUB_OUTPUT names. A value ends
// at a line that no line of it is.
func outputFile(outputs []output) string {
	var b strings.Builder
	for _, o := range outputs {
		end := "end-of-value"
		for strings.Contains(o.value, end) {
			end += "-"
		}
		fmt.Fprintf(&b, "%s<<%s\n%s\n%s\n", o.name, end, o.value, end)
	}
	return b.String()
}

// appendFile adds the text to the end of the file.
func appendFile(name, text string) error {
	file, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = file.WriteString(text)
	return errors.Join(err, file.Close())
}

// summaryLimit is how long the summary of a step may be; of one longer than a
// mebibyte nothing at all is shown.
const summaryLimit = 1_000_000

// issuesShown is how many issues of a fabric the summary lists; the report has all.
const issuesShown = 50

// actionsPage writes what became of a run as Markdown.
type actionsPage struct {
	result  publishResult
	issues  hedgehog.Issues
	failure error
	redact  func(string) string
}

// appendSummary adds the summary to the file, which may hold something already.
func (p actionsPage) appendSummary(name string) error {
	room := summaryLimit
	if info, err := os.Stat(name); err == nil {
		room -= int(min(info.Size(), summaryLimit))
	}
	if room < 2*closing {
		return nil
	}
	return appendFile(name, p.text(room))
}

// writeReport writes the report into a folder of its own, and returns its name.
func (p actionsPage) writeReport(temp string) (string, error) {
	folder, err := os.MkdirTemp(temp, "hedgehog-gitops-report.")
	if err != nil {
		return "", err
	}
	name := filepath.Join(folder, "report.md")
	return name, os.WriteFile(name, []byte(p.text(0)), 0o644)
}

// closing is how much room is kept for the line that says what was left out.
const closing = 200

// text returns the page, of at most so many bytes; 0 is no limit. Parts that do not
// fit are left out whole.
func (p actionsPage) text(limit int) string {
	var b strings.Builder
	left := 0
	fits := func(part string) bool { return limit == 0 || b.Len()+len(part)+closing <= limit }
	add := func(parts ...string) {
		for _, part := range parts { // the first that fits
			if part = p.redact(part); fits(part) {
				b.WriteString(part)
				return
			}
		}
		left++
	}
	add(p.head())
	for _, row := range p.rows() {
		add(row)
	}
	add("\n")
	for _, notice := range p.result.Notices {
		add("> [!NOTE]\n> " + review.Plain(notice) + "\n\n")
	}
	add(p.issueList("NetBox", p.result.Issues, limit))
	if p.failure != nil && p.result.err() == nil {
		add(p.issueList("This run", issuesOf(p.failure, "failed"), limit))
	}
	shown := 0
	for _, f := range p.result.Fabrics {
		shown += len(f.Proposals)
	}
	for _, f := range p.result.Fabrics {
		add(p.issueList("Fabric "+f.Name, f.allIssues(), limit))
		for _, one := range f.Proposals {
			if one.Result.Operation == gitsync.None {
				continue
			}
			heading := "\n## " + review.Plain(one.Title) + "\n\n"
			whole, short := heading+strings.TrimSpace(one.Report)+"\n", heading+strings.TrimSpace(one.Body)+"\n"
			if limit == 0 {
				add(whole)
			} else if len(whole) <= limit/shown {
				add(whole, short)
			} else {
				add(short)
			}
		}
	}
	if left > 0 {
		fmt.Fprintf(&b, "\n%s left out here: see the report.\n", plural(left, "part"))
	}
	return b.String()
}

// head is the title, and the head of the table.
func (p actionsPage) head() string {
	title := "# hedgehog-gitops"
	if p.result.DryRun {
		title += ": dry run, nothing was written"
	}
	if len(p.result.Fabrics) == 0 {
		return title + "\n\nNo fabric was looked at.\n"
	}
	return title + "\n\n| fabric | outcome | objects | risk |\n|---|---|---|---|\n"
}

// rows are those of the table, one for each proposal.
func (p actionsPage) rows() []string {
	var rows []string
	for _, r := range p.result.actionsResults(p.redact) {
		if r.Operation == string(gitsync.None) && r.Stream != r.Fabric && r.Number == 0 {
			continue // nothing is the usual thing for what the tool alone changes
		}
		name := r.Stream
		if name == "" {
			name = r.Fabric
		}
		var counts []string
		for _, class := range review.Classes() {
			word, err := class.MarshalText()
			if n := r.Counts[string(word)]; err == nil && n > 0 {
				counts = append(counts, fmt.Sprintf("%s %d", word, n))
			}
		}
		risk := r.Risk
		if len(counts) == 0 {
			risk = ""
		}
		rows = append(rows, fmt.Sprintf("| %s | %s | %s | %s |\n", review.Plain(name), p.outcome(r), strings.Join(counts, ", "), risk))
	}
	return rows
}

// outcome is what became of a proposal, for a cell of the table.
func (p actionsPage) outcome(r actionsResult) string {
	what := "branch " + review.Plain(r.Branch)
	if r.Number != 0 {
		what = fmt.Sprintf("pull request #%d", r.Number)
		if isPlainURL(r.URL) {
			what = fmt.Sprintf("[pull request #%d](<%s>)", r.Number, r.URL)
		}
	}
	if p.result.DryRun && r.Operation != operationFailed && r.Operation != string(gitsync.None) {
		what = "would be: " + what
	}
	switch r.Operation {
	case operationFailed:
		what = "**failed**"
	case string(gitsync.None):
		if r.Number == 0 {
			what = "nothing to do"
		} else {
			what += " is up to date"
		}
	case string(gitsync.Left):
		what += " **left as it is**"
	default:
		what += " " + r.Operation
	}
	if r.Reason != "" {
		what += ": " + review.Plain(r.Reason)
	}
	return what
}

// isPlainURL reports whether the address can stand in a link as it is.
func isPlainURL(address string) bool {
	return strings.HasPrefix(address, "http") && !strings.ContainsAny(address, "<>|\\\"'` \t\r\n")
}

// issueList lists issues, "" when there is none but notices. With a limit it is cut.
func (p actionsPage) issueList(title string, issues hedgehog.Issues, limit int) string {
	var b strings.Builder
	n := 0
	for _, i := range issues {
		if i.Severity == hedgehog.Notice && limit != 0 {
			continue
		}
		if n++; limit != 0 && n > issuesShown {
			continue
		}
		text := i.Summary
		if i.Object != (hedgehog.Key{}) {
			text = i.Object.String() + ": " + text
		}
		fmt.Fprintf(&b, "- **%s** %s", i.Severity, review.Plain(text))
		if !i.Origin.IsZero() {
			b.WriteString(" " + review.Code(originText(i.Origin, p.result.links().NetBox)))
		}
		if i.Hint != "" {
			b.WriteString(". " + review.Plain(i.Hint))
		}
		b.WriteString("\n")
	}
	if n == 0 {
		return ""
	}
	if limit != 0 && n > issuesShown {
		fmt.Fprintf(&b, "- %d more in the report\n", n-issuesShown)
	}
	return "\n## " + review.Plain(title) + "\n\n" + b.String()
}
