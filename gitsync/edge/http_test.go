package edge_test

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hedgehog-gitops/gitsync/edge"
)

func quiet() *log.Logger { return log.New(io.Discard, "", 0) }

func TestTrust(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	server.Config.ErrorLog = quiet()
	server.StartTLS()
	t.Cleanup(server.Close)
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	folder := t.TempDir()
	file := func(name string, content []byte) string {
		name = filepath.Join(folder, name)
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	mine := x509.NewCertPool()
	for name, test := range map[string]struct {
		before *x509.CertPool
		file   string
		want   string // of the error
		trusts bool
	}{
		"the system's":           {nil, "", "", false},
		"none":                   {mine, "", "", false},
		"the system's and a CA":  {nil, file("ca.pem", ca), "", true},
		"mine and a CA":          {mine, file("other.pem", append([]byte("# ours\n"), ca...)), "", true},
		"a file of nothing":      {nil, file("empty.pem", nil), "there is no certificate in the CA file " + folder, false},
		"a file of something":    {mine, file("text.pem", []byte("hello")), "there is no certificate in the CA file " + folder, false},
		"a file that is not":     {nil, filepath.Join(folder, "none.pem"), "the CA file cannot be read: open " + folder, false},
		"a folder for the file:": {nil, folder, "the CA file cannot be read: ", false},
	} {
		authorities, e := edge.TrustFile(test.before, test.file)
		if e != nil {
			if test.want == "" || !strings.HasPrefix(e.Detail, test.want) || authorities != nil {
				t.Errorf("%s: %v, want %q", name, e, test.want)
			}
			continue
		}
		resp, err := (&http.Client{Transport: edge.Transport(nil, authorities)}).Get(server.URL)
		if err == nil {
			resp.Body.Close()
		}
		if test.want != "" || (err == nil) != test.trusts {
			t.Errorf("%s: %v, want the server trusted: %v", name, err, test.trusts)
		}
	}
	if !mine.Equal(x509.NewCertPool()) {
		t.Error("the authorities that were given have changed")
	}
	if _, e := edge.TrustFile(nil, filepath.Join(folder, "none.pem")); !errors.Is(e, os.ErrNotExist) {
		t.Errorf("%v is not of a file that is not there", e)
	}
	if _, e := edge.Trust(nil, nil); e == nil || !strings.Contains(e.Hint, "PEM") {
		t.Errorf("of no text: %v", e)
	}
}

func TestSameServer(t *testing.T) {
	t.Parallel()
	request := func(method, address string) *http.Request {
		return httptest.NewRequest(method, address, nil)
	}
	first := request(http.MethodPatch, "https://a.example.com/old")
	for name, test := range map[string]struct {
		to    *http.Request
		after int
		want  string
	}{
		"another path":          {request("PATCH", "https://a.example.com/new"), 1, ""},
		"the third time":        {request("PATCH", "https://a.example.com/new"), 3, ""},
		"the fourth time":       {request("PATCH", "https://a.example.com/new"), 4, "the server redirects to https://a.example.com/new"},
		"another server":        {request("PATCH", "https://b.example.com/x?token=SECRET"), 1, "the server redirects to https://b.example.com/x"},
		"another port":          {request("PATCH", "https://a.example.com:8443/old"), 1, "the server redirects to https://a.example.com:8443/old"},
		"in the clear":          {request("PATCH", "http://a.example.com/old"), 1, "the server redirects to http://a.example.com/old"},
		"with another method":   {request("GET", "https://a.example.com/new"), 1, "the server redirects to https://a.example.com/new"},
		"with a name in it":     {&http.Request{Method: "PATCH", URL: &url.URL{Scheme: "https", User: url.User("SECRET"), Host: "b", Path: "/"}}, 1, "the server redirects to https://b/"},
		"with a letter of ours": {request("PATCH", "https://A.example.com/old"), 1, "the server redirects to https://A.example.com/old"},
	} {
		via := make([]*http.Request, test.after)
		for i := range via {
			via[i] = first
		}
		got := ""
		if err := edge.SameServer(test.to, via); err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

func TestExchange(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		status      int
		kind, body  string
		want, fault string
	}{
		"an answer":            {200, "application/json", "0123456789", "0123456789", ""},
		"one byte too long":    {200, "application/json", "0123456789a", "", "larger than"},
		"a page":               {200, "text/html", "<html>", "", "a web page"},
		"a page that refuses":  {502, "text/html", "<html>", "<html>", ""},
		"a refusal of an epic": {403, "application/json", "0123456789abcdef", "0123456789a", ""},
		"a redirection's page": {302, "text/html", "<html>", "<html>", ""},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", test.kind)
			w.WriteHeader(test.status)
			io.WriteString(w, test.body)
		}))
		t.Cleanup(server.Close)
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, body, err := edge.Exchange(edge.Transport(nil, nil), req, 10)
		if resp == nil || resp.StatusCode != test.status {
			t.Fatalf("%s: %v, %v", name, resp, err)
		}
		defer resp.Body.Close()
		if test.fault != "" {
			if err == nil || !strings.Contains(err.Error(), test.fault) {
				t.Errorf("%s: %v, want %q", name, err, test.fault)
			}
			continue
		}
		again, readErr := io.ReadAll(resp.Body)
		if err != nil || readErr != nil || string(body) != test.want || string(again) != test.want || resp.ContentLength != int64(len(again)) {
			t.Errorf("%s: %q and again %q of %d bytes, %v, %v; want %q", name, body, again, resp.ContentLength, err, readErr, test.want)
		}
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for name, test := range map[string]struct {
		status     int
		said, wait string // Retry-After
		want       edge.Error
	}{
		"what the server said":   {422, "no\x1b[1m way", "", edge.Error{Detail: "no [1m way"}},
		"nothing":                {404, "", "", edge.Error{Detail: "Not Found"}},
		"nothing but spaces":     {403, " \n", "", edge.Error{Detail: "Forbidden"}},
		"a status of nobody's":   {499, "", "", edge.Error{}},
		"the proxy's":            {407, "", "", edge.Error{Detail: "Proxy Authentication Required", Hint: "the proxy wants a user and a password in its address"}},
		"too many":               {429, "", "7", edge.Error{Detail: "Too Many Requests", Hint: "the server has had too many requests; try later", Again: true, Wait: 7 * time.Second}},
		"too slow":               {408, "", "", edge.Error{Detail: "Request Timeout", Hint: "the server failed; its log says why", Again: true}},
		"until a date":           {503, "", "Mon, 23 Nov 2026 12:01:30 GMT", edge.Error{Detail: "Service Unavailable", Hint: "the server failed; its log says why", Again: true, Wait: 90 * time.Second}},
		"until a date long past": {500, "broken", "Mon, 23 Nov 2026 11:00:00 GMT", edge.Error{Detail: "broken", Hint: "the server failed; its log says why", Again: true}},
		"for less than nothing":  {502, "", "-5", edge.Error{Detail: "Bad Gateway", Hint: "the server failed; its log says why", Again: true}},
		"for a word":             {403, "", "soon", edge.Error{Detail: "Forbidden"}},
		"for a while, forbidden": {403, "", " 60 ", edge.Error{Detail: "Forbidden", Wait: time.Minute}},
	} {
		resp := &http.Response{StatusCode: test.status, Header: http.Header{"Retry-After": {test.wait}}}
		test.want.Status = test.status
		if got := edge.Refused(resp, test.said, now); *got != test.want {
			t.Errorf("%s: %#v, want %#v", name, *got, test.want)
		}
	}
}
