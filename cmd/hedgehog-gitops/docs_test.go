package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

//go:generate go test . -run ^TestCommandsDocumentShowsWhatTheProgramSays$ -update

var (
	helpBlock = regexp.MustCompile("(?s)```text\n\\$ hedgehog-gitops ([^\n]+)\n.*?```")
	exitBlock = regexp.MustCompile("(?s)<!-- exit codes -->\n.*?<!-- end -->")
)

func TestCommandsDocumentShowsWhatTheProgramSays(t *testing.T) {
	t.Parallel()
	file := filepath.Join(topPath, "docs/commands.md")
	have, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]bool{}
	want := helpBlock.ReplaceAllFunc(have, func(block []byte) []byte {
		line := string(helpBlock.FindSubmatch(block)[1])
		documented[strings.Fields(line)[0]] = true
		var out bytes.Buffer
		if code := run(t.Context(), strings.Fields(line), strings.NewReader(""), &out, &out, env()); code != exitDone {
			t.Errorf("%s: exit code %d\n%s", line, code, out.Bytes())
		}
		return fmt.Appendf(nil, "```text\n$ hedgehog-gitops %s\n%s```", line, out.Bytes())
	})
	var table strings.Builder
	table.WriteString("<!-- exit codes -->\n| code | meaning |\n|---|---|\n")
	for _, row := range exitCodes() {
		fmt.Fprintf(&table, "| %d | %s |\n", row.Code, row.Meaning)
	}
	table.WriteString("<!-- end -->")
	want = exitBlock.ReplaceAllLiteral(want, []byte(table.String()))

	for _, cmd := range newRootCommand(newApp(nil, nil, nil, env())).Commands() {
		if !cmd.Hidden && !documented[cmd.Name()] {
			t.Errorf("docs/commands.md has no block with: $ hedgehog-gitops %s --help", cmd.Name())
		}
	}
	if bytes.Equal(have, want) {
		return
	}
	if !*update {
		t.Fatal("docs/commands.md is not what the program says; make generate rewrites it")
	}
	if err := os.WriteFile(file, want, 0o644); err != nil {
		t.Fatal(err)
	}
}
