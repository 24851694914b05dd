// Command hedgehog-gitops renders the manifests of Hedgehog fabrics from what
// NetBox documents, and documents manifests in NetBox.
//
//	snapshot   NetBox -> file
//	render     NetBox or file -> the files of a repository
//	publish    NetBox or file -> a branch and its pull request
//	import     manifests -> what has to change in NetBox
//	diff       two states of a fabric -> what differs, in words
//	validate   manifests -> everything that a cluster would refuse
//	init       -> what a repository begins with
//	migrate    a repository of an older layout -> this one's
//	bootstrap  custom fields, tag and role -> NetBox
//
// One file per command: it declares flags, calls the packages under render/
// and hands a result value to a view. Views (view_*.go) only print.
package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.Getenv))
}

// run is the whole program but for the process around it; it returns the exit
// code.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer, getenv func(string) string) int {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	// The second Ctrl-C ends the process as if nobody listened.
	defer context.AfterFunc(ctx, stop)()

	a := newApp(stdin, stdout, stderr, getenv)
	root := newRootCommand(a)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	code := exitCode(ctx, err)
	a.printEnd(code, err)
	return code
}

// errDifferences is what a command returns that was asked by --exit-code to
// say so when it found differences.
var errDifferences = errors.New("differences found")

// exitCode maps how a command ended to what the shell sees: the one place that
// knows the numbers of [exitCodes].
func exitCode(ctx context.Context, err error) int {
	switch {
	case err == nil:
		return exitDone
	case ctx.Err() != nil:
		return exitInterrupted
	case errors.Is(err, errDifferences):
		return exitDifferences
	default:
		return exitFailed
	}
}

const (
	exitDone        = 0
	exitFailed      = 1
	exitDifferences = 2
	exitInterrupted = 130
)

// exitRow explains one exit code to people: in --help and in docs/commands.md.
type exitRow struct {
	Code    int
	Meaning string
}

func exitCodes() []exitRow {
	return []exitRow{
		{exitDone, "done, whether or not anything changed"},
		{exitFailed, "failed, or a fabric could not be rendered"},
		{exitDifferences, "differences found, only when asked for by --exit-code"},
		{exitInterrupted, "interrupted"},
	}
}
