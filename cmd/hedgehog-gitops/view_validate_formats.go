package main

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"io"
	"net/url"
	"strings"

	"hedgehog-gitops/render/hedgehog"
)

// sarifLog is the answer in the Static Analysis Results Interchange Format 2.1.0, which
// code scanning reads.
type sarifLog struct {
	Schema  string     `json:"$schema"`
	Version string     `json:"version"`
	Runs    []sarifRun `json:"runs"`
}

type sarifRun struct {
	Tool    sarifTool     `json:"tool"`
	Results []sarifResult `json:"results"`
}

type sarifTool struct {
	Driver sarifDriver `json:"driver"`
}

type sarifDriver struct {
	Name    string      `json:"name"`
	Version string      `json:"version"`
	Rules   []sarifRule `json:"rules"`
}

type sarifRule struct {
	ID               string    `json:"id"`
	ShortDescription sarifText `json:"shortDescription"`
	FullDescription  sarifText `json:"fullDescription"`
	Help             sarifText `json:"help"`
}

type sarifText struct {
	Text string `json:"text"`
}

type sarifResult struct {
	RuleID    string    `json:"ruleId"`
	RuleIndex int       `json:"ruleIndex"`
	Level     string    `json:"level"`
	Message   sarifText `json:"message"`
	// Locations is empty for what was read from standard input.
	Locations           []sarifLocation   `json:"locations"`
	PartialFingerprints map[string]string `json:"partialFingerprints"`
}

type sarifLocation struct {
	PhysicalLocation sarifPlace `json:"physicalLocation"`
}

type sarifPlace struct {
	ArtifactLocation sarifArtifact `json:"artifactLocation"`
	Region           *sarifRegion  `json:"region,omitempty"`
}

type sarifArtifact struct {
	URI string `json:"uri"`
}

type sarifRegion struct {
	StartLine int `json:"startLine"`
}

// writeSARIF writes the issues of all fabrics as one run.
func (r validateResult) writeSARIF(out io.Writer) error {
	known := map[string]hedgehog.Rule{}
	for _, rule := range hedgehog.Rules() {
		known[rule.ID] = rule
	}
	one := sarifRun{Tool: sarifTool{sarifDriver{Name: "hedgehog-gitops", Version: version(), Rules: []sarifRule{}}}, Results: []sarifResult{}}
	index := map[string]int{}
	for _, f := range r.Fabrics {
		for _, i := range f.Issues {
			if _, ok := index[i.Rule]; !ok {
				index[i.Rule] = len(one.Tool.Driver.Rules)
				rule, ok := known[i.Rule]
				if !ok { // of reading, not of the rule book
					rule.Summary, rule.Hint = i.Rule, i.Hint
				}
				one.Tool.Driver.Rules = append(one.Tool.Driver.Rules, sarifRule{i.Rule, sarifText{rule.Summary}, sarifText{rule.Summary + ". Otherwise: " + cmp.Or(rule.Hint, "see the message")}, sarifText{cmp.Or(rule.Hint, rule.Summary)}})
			}
			one.Results = append(one.Results, r.sarif(f, i, index[i.Rule]))
		}
	}
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	return e.Encode(sarifLog{"https://json.schemastore.org/sarif-2.1.0.json", "2.1.0", []sarifRun{one}})
}

func (r validateResult) sarif(f validatedFabric, i hedgehog.Issue, rule int) sarifResult {
	level := i.Severity.String()
	if i.Severity == hedgehog.Notice {
		level = "note"
	}
	// What stays the same when lines move.
	sum := sha256.Sum256([]byte(strings.Join([]string{f.Name, i.Rule, i.Object.String(), i.Field}, "\x00")))
	result := sarifResult{
		RuleID: i.Rule, RuleIndex: rule, Level: level, Message: sarifText{said(i)}, Locations: []sarifLocation{},
		PartialFingerprints: map[string]string{"object/v1": hex.EncodeToString(sum[:16])},
	}
	if i.Origin.File != "" && i.Origin.File != "-" {
		line, _ := r.locate(i)
		place := sarifPlace{sarifArtifact{(&url.URL{Path: i.Origin.File}).String()}, &sarifRegion{max(line, 1)}} // code scanning wants a line
		result.Locations = append(result.Locations, sarifLocation{place})
	}
	return result
}

// said is an issue in one line of text.
func said(i hedgehog.Issue) string {
	text := i.Summary
	if i.Object != (hedgehog.Key{}) {
		text = i.Object.String() + ": " + text
	}
	if i.Hint != "" {
		text += ". " + i.Hint
	}
	return oneLine(text)
}

// junitSuites is the answer as test reports of JUnit, which continuous integration
// reads: a suite for each fabric, a case for each issue and one for the rest.
type junitSuites struct {
	XMLName xml.Name     `xml:"testsuites"`
	Suites  []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Class   string        `xml:"classname,attr"`
	Name    string        `xml:"name,attr"`
	Failure *junitFailure `xml:"failure"`
	Out     string        `xml:"system-out,omitempty"`
}

type junitFailure struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr"`
	Text    string `xml:",chardata"`
}

// writeJUnit writes what fails as failures: errors, and warnings when they are errors.
func (r validateResult) writeJUnit(out io.Writer, strict bool) error {
	suites := junitSuites{}
	for _, f := range r.Fabrics {
		suite := junitSuite{Name: printable(f.Name)}
		if suite.Name == "" {
			suite.Name = "hedgehog-gitops"
		}
		for _, i := range f.Issues {
			one := junitCase{Class: i.Rule, Name: oneLine(i.Object.String() + " " + i.Field)}
			at := i.Origin
			at.Line, _ = r.locate(i)
			if text := oneLine(at.String() + ": " + said(i)); i.Severity == hedgehog.Error || strict && i.Severity == hedgehog.Warning {
				one.Failure = &junitFailure{oneLine(i.Summary), i.Severity.String(), text}
				suite.Failures++
			} else {
				one.Out = text
			}
			suite.Cases = append(suite.Cases, one)
		}
		suite.Cases = append(suite.Cases, junitCase{Class: "validate", Name: plural(f.Objects, "object")})
		suite.Tests = len(suite.Cases)
		suites.Suites = append(suites.Suites, suite)
	}
	if _, err := io.WriteString(out, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(out)
	e.Indent("", "  ")
	if err := e.Encode(suites); err != nil {
		return err
	}
	_, err := io.WriteString(out, "\n")
	return err
}
