package main

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"hedgehog-gitops/render/hedgehog"
)

func TestTokensAreNeverPrinted(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	a := newApp(nil, nil, &out, env("NETBOX_TOKEN", "nbt_secret.value"))
	a.printError(hint(&faulty{"nbt_secret.value", hedgehog.Issues{{Summary: "the token nbt_secret.value"}}}, "use nbt_secret.value"))
	if strings.Contains(out.String(), "secret") || strings.Count(out.String(), "<NETBOX_TOKEN>") != 3 {
		t.Errorf("printed\n%s", &out)
	}
}

func TestNamesDoNotCommandTheTerminal(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	a := newApp(nil, nil, &out, env())
	a.printIssues(hedgehog.Issues{{
		Object:  hedgehog.Key{Kind: "VPC", Name: "\x1b[31ma"},
		Origin:  hedgehog.Origin{File: "\x1b]0;b\x07"},
		Field:   "\u009bc",
		Summary: "\u202ed", Hint: "\x7fe",
	}}, "")
	if i := strings.IndexFunc(out.String(), func(r rune) bool { return r != '\n' && (r < ' ' || r == 0x7f || r == 0x9b || r == 0x202e) }); i >= 0 {
		t.Errorf("printed %q", out.String()[i:])
	}
}

func TestColoursAreForTerminalsAlone(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	a := newApp(nil, nil, &out, env())
	a.warn("x")
	if out.String() != "warning: x\n" {
		t.Errorf("to no terminal: %q", out.String())
	}
	out.Reset()
	a.color = true
	a.warn("x")
	if !strings.HasPrefix(out.String(), "\x1b[") {
		t.Errorf("to a terminal: %q", out.String())
	}
}

func TestATableFitsTheTerminal(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		tty  bool
		want string
	}{
		"on a terminal": {true, "" +
			"  verb    name  detail\n" +
			"  create  a     twelve of\n" +
			"                something\n" +
			"  create  界    none\n"},
		"elsewhere": {false, "" +
			"  create  a   twelve of something\n" +
			"  create  界  none\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			a := &app{width: 30}
			header := []string{"verb", "name", "detail"}
			if !test.tty {
				header = nil
			}
			a.printTable(&out, test.tty, header, [][]string{{"create", "a", "twelve of something"}, {"create", "界", "none"}})
			if out.String() != test.want {
				t.Errorf("got\n%s\nwant\n%s", &out, test.want)
			}
		})
	}
}

// A name in NetBox cannot make a line of its own, which a build server may take
// for a command, nor fill the screen.
func TestIssuesOfHostileNames(t *testing.T) {
	t.Parallel()
	var stderr bytes.Buffer
	a := newApp(nil, nil, &stderr, env())
	a.printIssues(hedgehog.Issues{{
		Severity: hedgehog.Notice, Field: "f\nx", Hint: "h\n::error::x",
		Summary: "leads to a\r\n::error::x " + strings.Repeat("ä", 1_000_000),
	}}, "")
	got := stderr.String()
	if strings.Count(got, "\n") != 3 || strings.Contains(got, "\r") {
		t.Errorf("said %q", got[:200])
	}
	if len(got) > 10_000 || !utf8.ValidString(got) {
		t.Errorf("said %d bytes", len(got))
	}
}
