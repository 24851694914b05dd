package edge_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"hedgehog-gitops/gitsync/edge"
)

func TestWhatAnErrorSays(t *testing.T) {
	t.Parallel()
	kind, cause := errors.New("denied"), errors.New("no route")
	for name, test := range map[string]struct {
		of   edge.Error
		want string
	}{
		"all of it":  {edge.Error{Doing: "reading", Status: 403, Detail: "no", Hint: "ask", Kind: kind, Err: cause}, "reading: no (HTTP 403)"},
		"no answer":  {edge.Error{Doing: "reading", Detail: "no", Err: cause}, "reading: no"},
		"no doing":   {edge.Error{Status: 500, Detail: "no", Kind: kind}, "no (HTTP 500)"},
		"a success":  {edge.Error{Status: 200, Detail: "no"}, "no"},
		"two causes": {edge.Error{Detail: "no", Kind: kind, Err: cause}, "no"},
	} {
		if got := test.of.Error(); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
		if errors.Is(&test.of, kind) != (test.of.Kind != nil) || errors.Is(&test.of, cause) != (test.of.Err != nil) {
			t.Errorf("%s: it is %v, want its kind and its cause alone", name, test.of.Unwrap())
		}
	}
}

func TestNeutral(t *testing.T) {
	t.Parallel()
	for said, want := range map[string]string{
		"":                              "",
		" \r\n\t":                       "",
		"not found":                     "not found",
		"no\x1b[31m\r\nway\u202e!":      "no [31m way !",
		"half\xffa letter":              "half?a letter",
		strings.Repeat("ü", 400):        strings.Repeat("ü", 400),
		strings.Repeat("ü", 401):        strings.Repeat("ü", 400) + " ...",
		"a\u0085b\u2028c\u200bd":        "a b c d",
		strings.Repeat("a\n", 300)[:10]: "a a a a a",
	} {
		if got := edge.Neutral(said); got != want {
			t.Errorf("of %q it leaves %q, want %q", said, got, want)
		}
	}
}

func FuzzNeutral(f *testing.F) {
	f.Add("no\x1b[31m\r\nway\u202e " + strings.Repeat("x", 1000) + "\xff")
	f.Fuzz(func(t *testing.T, said string) {
		got := edge.Neutral(said)
		if strings.ContainsAny(got, "\x00\x07\x1b\r\n\u202e\u009b") || !utf8.ValidString(got) || utf8.RuneCountInString(got) > 404 {
			t.Errorf("of %q it leaves %q", said, got)
		}
	})
}

func TestFrom(t *testing.T) {
	t.Parallel()
	cause := errors.New("cause")
	live := t.Context()
	stopped, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	late, cancelLate := context.WithTimeout(t.Context(), 0)
	defer cancelLate()
	for name, test := range map[string]struct {
		ctx   context.Context
		err   error
		said  bool
		want  string
		cause error
	}{
		"something new":         {live, cause, false, "", cause},
		"with the address":      {live, &url.Error{Op: "Get", URL: "https://SECRET@x", Err: cause}, false, "", cause},
		"an Error in another":   {live, &url.Error{Op: "Get", URL: "https://SECRET@x", Err: &edge.Error{Detail: "denied", Err: cause}}, true, "denied", cause},
		"an Error at the end":   {stopped, &edge.Error{Detail: "denied"}, true, "denied", nil},
		"the context was ended": {stopped, errors.New("anything"), true, "stopped", cause},
		"no time was left":      {late, errors.New("anything"), true, "out of time", context.DeadlineExceeded},
	} {
		e, said := edge.From(test.ctx, test.err)
		if said != test.said || e.Error() != test.want || !errors.Is(e.Err, test.cause) || e.Err != nil && strings.Contains(e.Err.Error(), "SECRET") {
			t.Errorf("%s: %q of %v, said: %v; want %q of %v, said: %v", name, e, e.Err, said, test.want, test.cause, test.said)
		}
	}
	before := &edge.Error{Detail: "denied"}
	e, _ := edge.From(live, fmt.Errorf("wrapped: %w", before))
	if e.Doing = "reading"; before.Doing != "" {
		t.Error("what is said of the copy is said of the first one")
	}
}

// Faults as real servers, and what is no server, make them.
func TestExplain(t *testing.T) {
	t.Parallel()
	handler := func(name string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			switch name {
			case "page":
				w.Header().Set("Content-Type", "text/html; charset=utf-8")
				fmt.Fprint(w, "<html>log in")
			case "large":
				fmt.Fprint(w, strings.Repeat("x", 2<<20))
			case "nonsense":
				fmt.Fprint(w, `{"name": `+"\x1b")
			case "another shape":
				fmt.Fprint(w, `{"name": 7}`)
			case "cut":
				w.Header().Set("Content-Length", "100")
				fmt.Fprint(w, "{")
			case "lost":
				conn, _, err := w.(http.Hijacker).Hijack()
				if err != nil {
					panic(err)
				}
				conn.Close()
			case "reset":
				conn, _, err := w.(http.Hijacker).Hijack()
				if err != nil {
					panic(err)
				}
				if err := conn.(*net.TCPConn).SetLinger(0); err != nil {
					panic(err)
				}
				conn.Close()
			case "silent":
				<-r.Context().Done()
			case "elsewhere":
				http.Redirect(w, r, "http://user:SECRET@elsewhere.example.com/x?SECRET", http.StatusFound)
			}
		}
	}
	plain := func(t *testing.T, name string) *httptest.Server {
		server := httptest.NewServer(handler(name))
		t.Cleanup(server.Close)
		return server
	}
	at := func(name string) func(*testing.T) string {
		return func(t *testing.T) string { return plain(t, name).URL }
	}
	secure := func(t *testing.T) *httptest.Server {
		server := httptest.NewUnstartedServer(handler(""))
		server.Config.ErrorLog = quiet()
		server.StartTLS()
		t.Cleanup(server.Close)
		return server
	}
	for name, test := range map[string]struct {
		url   func(*testing.T) string
		fault edge.Fault
		want  string // Detail, or its beginning
		hint  string // a part of it
		again bool
	}{
		"a login page":     {at("page"), edge.WebPage, "the answer is a web page", "login page", false},
		"without end":      {at("large"), edge.TooLarge, "the answer is larger than 1 MiB", "", false},
		"no JSON":          {at("nonsense"), edge.Nonsense, "the answer cannot be understood: invalid character", "", false},
		"other JSON":       {at("another shape"), edge.Nonsense, "the answer cannot be understood: json", "", false},
		"half an answer":   {at("cut"), edge.Cut, "the answer ends in the middle", "their logs", true},
		"a lost answer":    {at("lost"), edge.Cut, "the answer ends in the middle", "their logs", true},
		"a reset":          {at("reset"), edge.Cut, "the answer ends in the middle", "their logs", true},
		"no answer":        {at("silent"), edge.Late, "no answer in time", "", true},
		"a redirection":    {at("elsewhere"), edge.Redirected, "the server redirects to http://elsewhere.example.com/x", "never sent", false},
		"nothing there":    {func(*testing.T) string { return "http://127.0.0.1:1" }, edge.NoListener, "nothing listens there", "server runs", true},
		"no such protocol": {func(*testing.T) string { return "gopher://127.0.0.1" }, edge.Unknown, "unsupported protocol scheme", "", false},
		"an authority that nobody knows": {
			func(t *testing.T) string { return secure(t).URL },
			edge.Untrusted, "the server's certificate is signed by an unknown authority", "as the CA file", false,
		},
		"no TLS": {
			func(t *testing.T) string { return strings.Replace(plain(t, "").URL, "http:", "https:", 1) },
			edge.Untrusted, "the server does not speak TLS", "http:// instead", false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			timeout := time.Minute
			if name == "no answer" {
				timeout = 50 * time.Millisecond
			}
			client := &http.Client{CheckRedirect: edge.SameServer, Transport: reading{edge.Transport(nil, nil)}, Timeout: timeout}
			err := get(client, test.url(t))
			e, said := edge.From(t.Context(), err)
			if err == nil || said {
				t.Fatalf("got %v, which says all", err)
			}
			fault := e.Explain()
			if fault != test.fault || !strings.HasPrefix(e.Detail, test.want) || !strings.Contains(e.Hint, test.hint) || e.Again != test.again {
				t.Errorf("fault %d, %+v, hint %q, again: %v; want %d, %q, %q, %v", fault, e, e.Hint, e.Again, test.fault, test.want, test.hint, test.again)
			}
			if strings.Contains(e.Error()+e.Hint, "SECRET") || strings.Contains(e.Error(), "\x1b") {
				t.Errorf("it says %q", e)
			}
			if e.Unsent() != (fault == edge.NoListener) {
				t.Errorf("never sent: %v", e.Unsent())
			}
		})
	}
}

// A name that has no address cannot be asked for without a network.
func TestANameWithoutAnAddress(t *testing.T) {
	t.Parallel()
	e := edge.Error{Err: &net.OpError{Op: "dial", Err: &net.DNSError{Name: "none.example.com", IsNotFound: true}}}
	if fault := e.Explain(); fault != edge.NoHost || e.Detail != "there is no host none.example.com" || e.Again {
		t.Errorf("fault %d, %+v", fault, e)
	}
	e = edge.Error{Err: &net.OpError{Op: "dial", Err: &net.DNSError{Name: "none.example.com", IsTimeout: true}}}
	if fault := e.Explain(); fault != edge.Late || !e.Again {
		t.Errorf("fault %d, %+v", fault, e)
	}
	e = edge.Error{}
	if fault := e.Explain(); fault != edge.Unknown || e.Detail != "" {
		t.Errorf("of nothing: fault %d, %+v", fault, e)
	}
}

// reading reads answers as an edge does.
type reading struct{ next http.RoundTripper }

func (r reading) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, _, err := edge.Exchange(r.next, req, 1<<20)
	if err != nil {
		return nil, err
	}
	return resp, nil
}

// get asks for something with a name.
func get(client *http.Client, address string) error {
	resp, err := client.Get(address)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	var answer struct{ Name string }
	return json.NewDecoder(resp.Body).Decode(&answer)
}
