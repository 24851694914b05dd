package rest_test

import (
	"net/http"
	"strings"
	"testing"

	"hedgehog-gitops/render/netbox"
	"hedgehog-gitops/render/netbox/rest"
)

// An answer that does not end is given up before it fills the memory, and not
// asked for again.
func TestAnAnswerThatDoesNotEnd(t *testing.T) {
	t.Parallel()
	chunk := strings.Repeat("a", 1<<20)
	asked := 0
	server := scripted(t, func(w http.ResponseWriter, r *http.Request, n int) bool {
		asked = n
		w.Header().Set("Content-Type", "application/json")
		for part := `{"netbox-version":"`; ; part = chunk {
			if _, err := w.Write([]byte(part)); err != nil {
				return true
			}
		}
	})
	client, err := rest.New(rest.Options{URL: server.URL, Token: tokenV2})
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = rest.Read(t.Context(), client, []netbox.Config{netbox.DefaultConfig("lab")})
	if err == nil || !strings.Contains(err.Error(), "the answer is larger than 128 MiB") {
		t.Errorf("got %v", err)
	}
	server.Close() // waits for the handler
	if asked != 1 {
		t.Errorf("asked %d times", asked)
	}
}
