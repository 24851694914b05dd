package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hedgehog-gitops/render/netbox"
)

func TestExitCodes(t *testing.T) {
	t.Parallel()
	over, cancel := context.WithCancel(t.Context())
	cancel()
	for name, test := range map[string]struct {
		ctx  context.Context
		err  error
		want int
	}{
		"done":                   {t.Context(), nil, 0},
		"failed":                 {t.Context(), errors.New("x"), 1},
		"differences":            {t.Context(), fmt.Errorf("x: %w", errDifferences), 2},
		"interrupted":            {over, errors.New("x"), 130},
		"done when interrupted":  {over, nil, 0},
		"somebody else's cancel": {t.Context(), context.Canceled, 1},
	} {
		if got := exitCode(test.ctx, test.err); got != test.want {
			t.Errorf("%s: exit code %d, want %d", name, got, test.want)
		}
	}
}

// Ctrl-C ends the wait for a snapshot that somebody is still to write.
func TestAnInterruptEndsTheWaitForAPipe(t *testing.T) {
	t.Parallel()
	in, out := io.Pipe()
	defer out.Close()
	ctx, cancel := context.WithCancel(t.Context())
	var stderr bytes.Buffer
	ended := make(chan int)
	go func() {
		args := []string{"render", "--fabric", "lab", "--snapshot", "-", "-o", t.TempDir()}
		ended <- run(ctx, args, in, io.Discard, &stderr, func(string) string { return "" })
	}()
	if _, err := io.WriteString(out, "{"); err != nil { // it reads
		t.Fatal(err)
	}
	cancel()
	select {
	case code := <-ended:
		if code != exitInterrupted || stderr.String() != "error: interrupted\n" {
			t.Errorf("ended with %d and said\n%s", code, &stderr)
		}
	case <-time.After(time.Minute):
		t.Fatal("goes on waiting")
	}
}

// Nothing is written after Ctrl-C, although all of it is at hand.
func TestAnInterruptBeforeTheFilesAreWritten(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir := filepath.Join(t.TempDir(), "out")
	o := renderOptions{output: dir}
	config := netbox.DefaultConfig("lab")
	index := netbox.NewIndex(&netbox.Snapshot{Rows: netbox.Rows{Sites: []netbox.Site{{ID: 1, Name: "lab", Slug: "lab"}}}})
	got := o.renderFabric(ctx, &renderResult{}, index, chosenFabric{name: "lab", settings: fabricConfig{NetBox: config}}, formatText)
	if !errors.Is(got.Err, context.Canceled) || got.Rendered {
		t.Errorf("got %+v", got)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("something was written")
	}
}

// Ctrl-C ends a read of NetBox at once, whole and with its own exit code.
func TestAnInterruptEndsTheProgram(t *testing.T) {
	t.Parallel()
	asked := make(chan struct{}, 100)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		<-r.Context().Done() // never answers
	}))
	defer server.Close()
	program, err := os.Executable() // which is this program too: see TestMain
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), program)
	cmd.Args = []string{"hedgehog-gitops", "render", "--fabric", "lab", "-o", t.TempDir()}
	cmd.Env = append(os.Environ(), "NETBOX_URL="+server.URL, "NETBOX_TOKEN=nbt_secret-of-mine")
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-asked:
	case <-time.After(time.Minute):
		t.Error("NetBox was not asked")
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	err = cmd.Wait()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != exitInterrupted || strings.TrimSpace(stderr.String()) != "error: interrupted" {
		t.Errorf("ended with %v and said\n%s", err, &stderr)
	}
}
