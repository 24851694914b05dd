package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hedgehog-gitops/gitsync"
	"hedgehog-gitops/render/hedgehog"
	"hedgehog-gitops/render/review"
)

// runner is where a step of GitHub Actions runs: its files, and what it logs.
type runner struct {
	folder string
	env    map[string]string
	log    bytes.Buffer
}

func newRunner(t *testing.T) *runner {
	t.Helper()
	folder := t.TempDir()
	return &runner{folder: folder, env: map[string]string{
		"GITHUB_ACTIONS": "true", "RUNNER_TEMP": folder,
		"GITHUB_OUTPUT": filepath.Join(folder, "output"), "GITHUB_STEP_SUMMARY": filepath.Join(folder, "summary"),
	}}
}

func (r *runner) app() *app {
	return newApp(strings.NewReader(""), &bytes.Buffer{}, &r.log, func(name string) string { return r.env[name] })
}

func (r *runner) read(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(r.folder, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// outputs reads the outputs as a runner does: name<<END, lines up to END.
func (r *runner) outputs(t *testing.T) map[string]string {
	t.Helper()
	outputs := map[string]string{}
	lines := bufio.NewScanner(strings.NewReader(r.read(t, "output")))
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		name, end, ok := strings.Cut(lines.Text(), "<<")
		if !ok {
			t.Fatalf("%q begins no output", lines.Text())
		}
		var value []string
		for lines.Scan() && lines.Text() != end {
			value = append(value, lines.Text())
		}
		outputs[name] = strings.Join(value, "\n")
	}
	return outputs
}

// proposed is a fabric for which something was proposed.
func proposed(name string, proposals ...published) publishedFabric {
	return publishedFabric{fabricResult: fabricResult{Name: name, Rendered: true, Objects: 40}, Proposals: proposals}
}

// proposal is one of the fabric lab that adds a VPC.
func proposal(operation gitsync.Operation, number int) published {
	after := &hedgehog.Fabric{}
	vpc := &hedgehog.Object{Kind: hedgehog.KindVPC, Name: "web", Spec: &hedgehog.VPCSpec{}}
	if err := after.Add(vpc); err != nil {
		panic(err)
	}
	p := published{
		Stream: "lab", Changes: review.Diff(nil, after), Title: "feat(lab): add VPC web", Body: "The short text.", Report: "The whole text.",
		Result: gitsync.Result{Operation: operation, Number: number, Base: "main", Branch: "hedgehog-gitops/lab", Head: "c0ffee", Verified: true, Digest: "sha256:1"},
	}
	if number != 0 {
		p.Result.URL = fmt.Sprintf("https://github.com/net/fabrics/pull/%d", number)
	}
	return p
}

// failedFabric is one that an issue kept from being published.
func failedFabric(name string) publishedFabric {
	return publishedFabric{fabricResult: fabricResult{Name: name, Issues: hedgehog.Issues{
		{Rule: "vlan-missing", Severity: hedgehog.Error, Summary: "the prefix has no VLAN", Origin: hedgehog.Origin{Path: "/ipam/prefixes/7/"}, Hint: "give it one"},
	}}}
}

// P34: every output is set, whatever became of the pull request.
func TestOutputsAreSetForEveryOperation(t *testing.T) {
	t.Parallel()
	none := proposal(gitsync.None, 0)
	none.Changes = review.Changes{}
	none.Result.Head, none.Result.Verified = "", false
	broken := proposed("lab", proposal(gitsync.Opened, 12))
	broken.Rendered, broken.Err = false, errors.New("pushing: refused")
	for name, test := range map[string]struct {
		fabrics []publishedFabric
		failure error
		want    map[string]string // beside results and report
	}{
		"opened": {
			fabrics: []publishedFabric{proposed("lab", proposal(gitsync.Opened, 12))},
			want: map[string]string{
				"pull-request-number": "12", "pull-request-url": "https://github.com/net/fabrics/pull/12", "pull-request-operation": "created",
				"pull-request-head-sha": "c0ffee", "pull-request-branch": "hedgehog-gitops/lab", "pull-request-commits-verified": "true",
				"digest": "sha256:1", "risk": "low", "counts": `{"add":1}`,
			},
		},
		"updated": {
			fabrics: []publishedFabric{proposed("lab", proposal(gitsync.Updated, 12))},
			want:    map[string]string{"pull-request-operation": "updated", "pull-request-number": "12"},
		},
		"closed": {
			fabrics: []publishedFabric{proposed("lab", proposal(gitsync.ClosedObsolete, 12))},
			want:    map[string]string{"pull-request-operation": "closed", "pull-request-number": "12"},
		},
		"left": {
			fabrics: []publishedFabric{proposed("lab", proposal(gitsync.Left, 12))},
			want:    map[string]string{"pull-request-operation": "left", "pull-request-number": "12"},
		},
		"nothing to do": {
			fabrics: []publishedFabric{proposed("lab", none)},
			want: map[string]string{
				"pull-request-operation": "none", "pull-request-number": "", "pull-request-url": "", "pull-request-head-sha": "",
				"pull-request-branch": "hedgehog-gitops/lab", "pull-request-commits-verified": "false", "risk": "low", "counts": "{}",
			},
		},
		"up to date": {
			fabrics: []publishedFabric{proposed("lab", proposal(gitsync.None, 12))},
			want:    map[string]string{"pull-request-operation": "none", "pull-request-number": "12"},
		},
		"no forge": {
			fabrics: []publishedFabric{proposed("lab", proposal(gitsync.Opened, 0))},
			want:    map[string]string{"pull-request-operation": "created", "pull-request-number": "", "pull-request-url": ""},
		},
		"the first that is not none": {
			fabrics: []publishedFabric{proposed("west", none), proposed("lab", none, proposal(gitsync.Updated, 7)), proposed("east", proposal(gitsync.Opened, 8))},
			want:    map[string]string{"pull-request-operation": "updated", "pull-request-number": "7"},
		},
		"a fabric with an error": {
			fabrics: []publishedFabric{failedFabric("lab")},
			want:    map[string]string{"pull-request-operation": "failed", "pull-request-number": "", "counts": "{}", "risk": "low"},
		},
		"a fabric that broke after its pull request": {
			fabrics: []publishedFabric{broken},
			want:    map[string]string{"pull-request-operation": "failed", "pull-request-number": "12"},
		},
		"a run that came to no fabric": {
			failure: hint(errors.New("no token for NetBox"), "export NETBOX_TOKEN=..."),
			want: map[string]string{
				"pull-request-operation": "failed", "pull-request-number": "", "pull-request-url": "", "pull-request-head-sha": "",
				"pull-request-branch": "", "pull-request-commits-verified": "false", "digest": "", "risk": "low", "counts": "{}", "results": "[]",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			runner := newRunner(t)
			result := publishResult{Fabrics: test.fabrics}
			failure := test.failure
			if failure == nil {
				failure = result.err()
			}
			if err := runner.app().tellActions(result, failure); err != nil {
				t.Fatal(err)
			}
			got := runner.outputs(t)
			for _, name := range []string{
				"pull-request-number", "pull-request-url", "pull-request-operation", "pull-request-head-sha", "pull-request-branch",
				"pull-request-commits-verified", "digest", "risk", "counts", "results", "report",
			} {
				if _, ok := got[name]; !ok {
					t.Errorf("no output %s", name)
				}
			}
			for name, want := range test.want {
				if got[name] != want {
					t.Errorf("%s is %q, want %q", name, got[name], want)
				}
			}
			var results []actionsResult
			if err := json.Unmarshal([]byte(got["results"]), &results); err != nil {
				t.Fatal(err)
			}
			proposals := 0
			for _, f := range test.fabrics {
				proposals += max(len(f.Proposals), 1)
			}
			if len(results) != proposals {
				t.Errorf("%d results, want %d", len(results), proposals)
			}
			if report, err := os.ReadFile(got["report"]); err != nil || !bytes.HasPrefix(report, []byte("# hedgehog-gitops")) {
				t.Errorf("report %q: %v", report, err)
			}
			if summary := runner.read(t, "summary"); !strings.Contains(summary, "# hedgehog-gitops") {
				t.Errorf("summary %q", summary)
			}
		})
	}
}

// The outputs of action.yml are those that the program sets.
func TestOutputsAreThoseOfTheAction(t *testing.T) {
	t.Parallel()
	action, err := os.ReadFile(filepath.Join(topPath, "action.yml"))
	if err != nil {
		t.Fatal(err)
	}
	runner := newRunner(t)
	if err := runner.app().tellActions(publishResult{}, errors.New("x")); err != nil {
		t.Fatal(err)
	}
	_, declared, _ := strings.Cut(string(action), "\noutputs:\n")
	declared, _, _ = strings.Cut(declared, "\nruns:\n")
	names := map[string]bool{}
	for line := range strings.SplitSeq(declared, "\n") {
		if name, ok := strings.CutSuffix(strings.TrimPrefix(line, "  "), ":"); ok && !strings.HasPrefix(name, " ") {
			names[name] = true
			if !strings.Contains(declared, "steps.publish.outputs."+name+" }}") {
				t.Errorf("action.yml takes the output %s from elsewhere", name)
			}
		}
	}
	set := map[string]bool{}
	for name := range runner.outputs(t) {
		set[name] = true
	}
	if diff := cmp.Diff(set, names); diff != "" {
		t.Errorf("action.yml declares other outputs (-program +action.yml):\n%s", diff)
	}
}

// No value ends early, and none begins another output.
func TestOutputsCannotBeForged(t *testing.T) {
	t.Parallel()
	for _, value := range []string{
		"", "one line", "two\nlines", "end-of-value", "end-of-value\nrisk<<x\nlow\nx", "end-of-value-\nend-of-value", "a\n\nb\n",
	} {
		runner := newRunner(t)
		want := map[string]string{"digest": value, "risk": "high"}
		if err := appendFile(runner.env["GITHUB_OUTPUT"], outputFile([]output{{"digest", value}, {"risk", "high"}})); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, runner.outputs(t)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", value, diff)
		}
	}
}

// Outside of GitHub Actions nothing is written and nothing said.
func TestElsewhereNothingIsTold(t *testing.T) {
	t.Parallel()
	runner := newRunner(t)
	runner.env = map[string]string{"RUNNER_TEMP": runner.folder}
	if err := runner.app().tellActions(publishResult{Fabrics: []publishedFabric{failedFabric("lab")}}, errors.New("x")); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(runner.folder)
	if err != nil || len(entries) != 0 || runner.log.Len() != 0 {
		t.Errorf("wrote %v, said %q, %v", entries, &runner.log, err)
	}
}

// P35: GitHub drops a summary of more than a mebibyte whole, so it never is.
func TestSummaryFits(t *testing.T) {
	t.Parallel()
	const most = 1 << 20
	long := strings.Repeat("A line of the text.\n", 3_000) // 60 kB, as a pull request's
	many := make([]publishedFabric, 40)
	for i := range many {
		p := proposal(gitsync.Opened, i+1)
		p.Body, p.Report = long, strings.Repeat(long, 5)
		many[i] = proposed(fmt.Sprintf("fabric-%d", i), p)
	}
	crowd := make([]publishedFabric, 12_000)
	member := proposal(gitsync.Opened, 1)
	for i := range crowd {
		crowd[i] = proposed(fmt.Sprintf("fabric-%d", i), member)
	}
	faults := failedFabric("lab")
	for range 5_000 {
		faults.Issues = append(faults.Issues, faults.Issues[0])
	}
	one := proposal(gitsync.Opened, 1)
	one.Body, one.Report = "cut", long
	for name, test := range map[string]struct {
		fabrics  []publishedFabric
		there    int // bytes that the summary has already
		wants    []string
		mustLack string
	}{
		"one with room for all of it":  {fabrics: []publishedFabric{proposed("lab", one)}, wants: []string{long}, mustLack: "left out"},
		"long texts":                   {fabrics: many, wants: []string{"pull request #40", long, "parts left out here: see the report."}},
		"more fabrics than rows":       {fabrics: crowd, wants: []string{"pull request #1]", "parts left out here: see the report."}},
		"many issues":                  {fabrics: []publishedFabric{faults}, wants: []string{"the prefix has no VLAN", "- 4951 more in the report"}},
		"after what somebody else had": {fabrics: many, there: 900_000, wants: []string{"| fabric |", "parts left out here"}},
		"no room at all":               {fabrics: many, there: 1_040_000},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			runner := newRunner(t)
			if err := appendFile(runner.env["GITHUB_STEP_SUMMARY"], strings.Repeat("x", test.there)); err != nil {
				t.Fatal(err)
			}
			if err := runner.app().tellActions(publishResult{Fabrics: test.fabrics}, nil); err != nil {
				t.Fatal(err)
			}
			summary := runner.read(t, "summary")
			if len(summary) > most-1024 {
				t.Errorf("%d bytes", len(summary))
			}
			for _, want := range test.wants {
				if !strings.Contains(summary, want) {
					t.Errorf("lacks %.80q", want)
				}
			}
			if test.mustLack != "" && strings.Contains(summary, test.mustLack) {
				t.Errorf("has %q", test.mustLack)
			}
			// The report has everything.
			report, err := os.ReadFile(runner.outputs(t)["report"])
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range test.fabrics {
				for _, p := range f.Proposals {
					if !bytes.Contains(report, []byte(p.Report)) {
						t.Fatalf("the report lacks %s", f.Name)
					}
				}
			}
			if got, want := bytes.Count(report, []byte("the prefix has no VLAN")), strings.Count(name, "many issues")*5_001; got != want {
				t.Errorf("the report has %d issues, want %d", got, want)
			}
		})
	}
}

// What the credentials cannot do is said where people look (P14), and what was left
// or refused with it.
func TestSummarySaysWhatPeopleShouldKnow(t *testing.T) {
	t.Parallel()
	left := proposal(gitsync.Left, 12)
	left.Result.Reason = "people committed to the branch | since"
	left.Result.Warnings = []string{"no label net: refused"}
	runner := newRunner(t)
	result := publishResult{
		NetBoxURL: "https://netbox.example.com/", DryRun: true, Fabrics: []publishedFabric{proposed("lab", left), failedFabric("west")},
		Notices: []string{"Checks of pull requests made with this token wait for approval."},
	}
	if err := runner.app().tellActions(result, result.err()); err != nil {
		t.Fatal(err)
	}
	summary := runner.read(t, "summary")
	for _, want := range []string{
		"dry run, nothing was written",
		"> Checks of pull requests made with this token wait for approval.",
		`| lab | would be: [pull request #12](<https://github.com/net/fabrics/pull/12>) **left as it is**: people committed to the branch \| since | add 1 | low |`,
		"| west | **failed**: 1 error |  |  |",
		"- **warning** lab: pull request \\# 12: no label net: refused",
		"- **error** the prefix has no VLAN `https://netbox.example.com/ipam/prefixes/7/`. give it one",
		"The whole text.",
	} {
		if !strings.Contains(summary, want) {
			t.Errorf("lacks %q:\n%s", want, summary)
		}
	}
}

// P36: GitHub shows ten annotations of a severity for a step, so the worst come
// first, and the rest is counted.
func TestAnnotationsAreTheWorst(t *testing.T) {
	t.Parallel()
	fabric := failedFabric("lab")
	for range 30 {
		fabric.Issues = append(fabric.Issues, hedgehog.Issue{Rule: "odd", Severity: hedgehog.Warning, Summary: "odd"}, fabric.Issues[0])
	}
	fabric.Err = hint(errors.New("100% broken\n::set-output name=digest::x"), "try again")
	runner := newRunner(t)
	if err := runner.app().tellActions(publishResult{NetBoxURL: "https://netbox.example.com", Fabrics: []publishedFabric{fabric}}, nil); err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for line := range strings.Lines(runner.log.String()) {
		kind, _, _ := strings.Cut(strings.TrimPrefix(line, "::"), " ")
		counts[kind]++
	}
	if diff := cmp.Diff(map[string]int{"error": 10, "warning": 10, "notice": 1}, counts); diff != "" {
		t.Errorf("annotations (-want +got):\n%s\n%s", diff, &runner.log)
	}
	for _, want := range []string{
		"::error title=vlan-missing::the prefix has no VLAN (https://netbox.example.com/ipam/prefixes/7/). Hint: give it one\n",
		"::error title=fabric lab::100%25 broken ::set-output name=digest::x. Hint: try again\n",
		"::notice title=hedgehog-gitops::22 more errors and 20 more warnings in the report\n",
	} {
		if !strings.Contains(runner.log.String(), want) {
			t.Errorf("lacks %q:\n%s", want, &runner.log)
		}
	}
}

// A token does not get into anything that GitHub keeps.
func TestActionsAreToldNoToken(t *testing.T) {
	t.Parallel()
	runner := newRunner(t)
	runner.env["NETBOX_TOKEN"] = "0123456789abcdef"
	broken := proposed("lab", proposal(gitsync.Opened, 12))
	broken.Err = errors.New("asking with 0123456789abcdef")
	broken.Proposals[0].Report += "0123456789abcdef"
	broken.Proposals[0].Result.Warnings = []string{"0123456789abcdef"}
	if err := runner.app().tellActions(publishResult{Fabrics: []publishedFabric{broken}}, nil); err != nil {
		t.Fatal(err)
	}
	report, err := os.ReadFile(runner.outputs(t)["report"])
	if err != nil {
		t.Fatal(err)
	}
	for where, text := range map[string]string{
		"log": runner.log.String(), "output": runner.read(t, "output"), "summary": runner.read(t, "summary"), "report": string(report),
	} {
		if strings.Contains(text, "0123456789abcdef") {
			t.Errorf("the %s has the token", where)
		} else if !strings.Contains(text, "<NETBOX_TOKEN>") && where != "output" {
			t.Errorf("the %s has not even what stands for it:\n%s", where, text)
		}
	}
}

// isCommand reports whether a runner takes the line for a command: its two forms,
// the older of which counts anywhere.
func isCommand(line string) bool {
	trimmed := strings.TrimSpace(line)
	if rest, ok := strings.CutPrefix(trimmed, "::"); ok && strings.Contains(rest, "::") {
		return true
	}
	_, rest, ok := strings.Cut(line, "##[")
	return ok && strings.Contains(rest, "]")
}

func commandsIn(text string) []string {
	var found []string
	for _, line := range strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' }) {
		if isCommand(line) {
			found = append(found, line)
		}
	}
	return found
}

func FuzzCalm(f *testing.F) {
	for _, text := range []string{
		"error: VPC/web", "::set-output name=digest::x", " \t\u00a0\u2003::add-mask::x", "a ##[set-output name=digest;]x", "a\r::error::x",
		"\n\n::error::x\n::error::y\n", "fe80::1 and ::1", "###[error]", ":::error::", "\x0b::error::x", "\x85::error::x",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var out bytes.Buffer
		if n, err := (calm{&out}).Write([]byte(text)); n != len(text) || err != nil {
			t.Errorf("wrote %d of %d, %v", n, len(text), err)
		}
		if found := commandsIn(out.String()); len(found) > 0 {
			t.Errorf("commands in what became of %q: %q", text, found)
		}
		if len(commandsIn(text)) == 0 && !strings.Contains(text, "::") && !strings.Contains(text, "##[") && out.String() != text {
			t.Errorf("%q became %q", text, out.String())
		}
	})
}

// A name in NetBox that is a command to the runner stays a name in the log.
func TestNamesAreNoCommands(t *testing.T) {
	t.Parallel()
	snapshot, err := os.ReadFile(filepath.Join(topPath, "fixtures/scenarios/office/snapshot.json"))
	if err != nil {
		t.Fatal(err)
	}
	edited := strings.Replace(string(snapshot), `"prefix":"10.10.10.0/24"`, `"prefix":"none"`, 1)
	edited = strings.Replace(edited, `"name":"apps-web"`, `"name":"##[set-output name=digest;]x"`, 1)
	file := filepath.Join(t.TempDir(), "netbox.json")
	if err := os.WriteFile(file, []byte(edited), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, inActions := range map[string]bool{"in Actions": true, "elsewhere": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			runner := newRunner(t)
			if !inActions {
				runner.env = nil
			}
			args := []string{"render", "--fabric", "office", "--snapshot", file, "-o", t.TempDir()}
			if code := run(t.Context(), args, strings.NewReader(""), &bytes.Buffer{}, &runner.log, runner.app().getenv); code != exitFailed {
				t.Errorf("exit code %d", code)
			}
			if found := commandsIn(runner.log.String()); len(found) > 0 == inActions {
				t.Errorf("commands %q in\n%s", found, &runner.log)
			}
		})
	}
}
