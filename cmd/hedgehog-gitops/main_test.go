package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
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
