package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/fatih/color"
	"golang.org/x/term"
)

// app is what every command is given: where to read and write, and what the
// environment says. It holds no result and no flag.
type app struct {
	stdin  io.Reader
	stdout io.Writer // the answer
	stderr io.Writer // the conversation
	// commands is where a runner of workflows reads commands; all else that goes
	// there goes through stderr.
	commands io.Writer
	getenv   func(string) string

	// errTTY reports whether a person watches stderr.
	errTTY bool
	// color reports whether the conversation is coloured.
	color bool
	// outTTY reports whether a person reads stdout.
	outTTY bool
	// width is the number of columns of the terminal, or defaultWidth.
	width int
}

// defaultWidth is the width of what goes to no terminal.
const defaultWidth = 100

func newApp(stdin io.Reader, stdout, stderr io.Writer, getenv func(string) string) *app {
	a := &app{stdin: stdin, stdout: stdout, stderr: stderr, commands: stderr, getenv: getenv, width: defaultWidth}
	if inActions(getenv) {
		a.stderr = calm{stderr}
	}
	if f, ok := stdout.(*os.File); ok {
		a.outTTY = term.IsTerminal(int(f.Fd()))
	}
	if f, ok := stderr.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		a.errTTY = true
		if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
			a.width = width
		}
	}
	if columns, err := strconv.Atoi(getenv("COLUMNS")); err == nil && columns > 0 {
		a.width = columns
	}
	a.color = a.errTTY && getenv("NO_COLOR") == "" && getenv("TERM") != "dumb"
	return a
}

// paint returns the text in the colours when the conversation is coloured.
func (a *app) paint(text string, attributes ...color.Attribute) string {
	c := color.New(attributes...)
	if a.color {
		c.EnableColor()
	} else {
		c.DisableColor()
	}
	return c.Sprint(text)
}

// say writes a line of conversation.
func (a *app) say(format string, args ...any) {
	fmt.Fprintln(a.stderr, a.redact(fmt.Sprintf(format, args...)))
}

// warn writes a warning, and what to do about it.
func (a *app) warn(text string, hints ...string) {
	a.say("%s %s", a.paint("warning:", color.FgYellow, color.Bold), printable(text))
	for _, hint := range hints {
		a.say("%s %s", a.paint("hint:", color.FgCyan), printable(hint))
	}
}

// redact takes the secrets of the environment out of a text. What is too short
// to be one may be part of any word.
func (a *app) redact(text string) string {
	for _, name := range []string{
		"NETBOX_TOKEN", "GITHUB_TOKEN", "GITEA_TOKEN", "GIT_TOKEN",
		"HEDGEHOG_GITOPS_APP_KEY", "HEDGEHOG_GITOPS_SSH_PASSPHRASE", "HEDGEHOG_GITOPS_SIGNING_PASSPHRASE",
	} {
		if secret := strings.TrimSpace(a.getenv(name)); len(secret) >= 8 {
			text = strings.ReplaceAll(text, secret, "<"+name+">")
		}
	}
	return text
}
