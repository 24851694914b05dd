package rest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hedgehog-gitops/render/hedgehog"
	"hedgehog-gitops/render/netbox"
	"hedgehog-gitops/render/netbox/rest"
)

const (
	tokenV2 = "nbt_0123456789ab.SECRETsecretSECRETsecretSECRETsecret1234"
	tokenV1 = "0123456789abcdef0123456789abcdef01234567"
)

// script is a NetBox with one site and n route targets that answers as NetBox
// does, unless trouble says otherwise: it reports whether it answered itself.
type script struct {
	*httptest.Server
	mu       sync.Mutex
	version  string
	targets  int
	trouble  func(w http.ResponseWriter, r *http.Request, n int) bool
	requests []*http.Request
}

func scripted(t *testing.T, trouble func(w http.ResponseWriter, r *http.Request, n int) bool) *script {
	s := &script{version: "4.7.3", targets: 2500, trouble: trouble}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.requests = append(s.requests, r)
	n := len(s.requests)
	s.mu.Unlock()
	if s.trouble != nil && s.trouble(w, r, n) {
		return
	}
	s.answer(w, r)
}

func (s *script) answer(w http.ResponseWriter, r *http.Request) {
	send := func(status int, v any) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		json.NewEncoder(w).Encode(v)
	}
	q := r.URL.Query()
	for parameter, values := range q {
		if slices.Contains(values, "-") {
			send(400, map[string]any{parameter: []string{"“-” is not a valid value."}})
			return
		}
	}
	var rows []map[string]any
	switch r.URL.Path {
	case "/api/status/":
		send(200, map[string]any{"netbox-version": s.version})
		return
	case "/api/dcim/sites/":
		rows = append(rows, map[string]any{"id": 1, "name": "Lab", "slug": "lab", "region": nil, "group": nil, "custom_fields": map[string]any{}, "device_count": 0})
	case "/api/ipam/route-targets/":
		for id := range s.targets {
			rows = append(rows, map[string]any{"id": id + 1, "name": fmt.Sprint("t", id), "tags": []any{}, "custom_fields": map[string]any{}})
		}
	}
	from, _ := strconv.Atoi(q.Get("start") + q.Get("id__gte"))
	to, _ := strconv.Atoi(q.Get("id__lt"))
	rows = slices.DeleteFunc(rows, func(row map[string]any) bool { return row["id"].(int) < from || to > 0 && row["id"].(int) >= to })
	if q.Get("ordering") == "-id" {
		slices.Reverse(rows)
	}
	answer := map[string]any{"count": len(rows), "next": nil, "previous": nil}
	if q.Has("start") {
		answer["count"] = nil
	}
	if limit, _ := strconv.Atoi(q.Get("limit")); len(rows) > limit {
		rows = rows[:limit]
		answer["next"] = "more"
	}
	answer["results"] = append([]map[string]any{}, rows...)
	send(200, answer)
}

func (s *script) read(t *testing.T, more ...func(*rest.Options)) (*netbox.Snapshot, hedgehog.Issues, error) {
	t.Helper()
	return rest.Read(t.Context(), client(t, s.URL, tokenV2, more...), []netbox.Config{netbox.DefaultConfig("lab")})
}

func targets(r *http.Request) bool { return r.URL.Path == "/api/ipam/route-targets/" }

// Trouble that passes is waited out, and the snapshot is whole.
func TestReadWaitsTroubleOut(t *testing.T) {
	t.Parallel()
	plain := func(status int, header ...string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) {
			for i := 0; i+1 < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			w.WriteHeader(status)
			fmt.Fprint(w, "<html>proxy</html>")
		}
	}
	for name, trouble := range map[string]func(http.ResponseWriter){
		"429 with seconds": plain(429, "Retry-After", "1"),
		"503 with a date": func(w http.ResponseWriter) {
			plain(503, "Retry-After", time.Now().Add(2*time.Second).UTC().Format(http.TimeFormat))(w)
		},
		"502": plain(502),
		"504": plain(504),
		"500 of NetBox": func(w http.ResponseWriter) {
			w.WriteHeader(500)
			fmt.Fprint(w, `{"error": "deadlock", "exception": "OperationalError"}`)
		},
		"reset": func(http.ResponseWriter) { panic(http.ErrAbortHandler) },
		"stop in the middle": func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", "100000")
			fmt.Fprint(w, `{"count": null, "next": null, "results": [{"id": 1, "na`)
		},
		"all but the end": func(w http.ResponseWriter) { fmt.Fprint(w, `{"count": null, "next": null, "results": []`) },
		"half a page": func(w http.ResponseWriter) {
			fmt.Fprint(w, `{"count": null, "next": null, "results": [{"id": 1, "name": "x", "tags": [], "custom_fields": {}},`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			bad := 0
			var first time.Time
			var waited time.Duration
			s := scripted(t, func(w http.ResponseWriter, r *http.Request, _ int) bool {
				if !targets(r) {
					return false
				}
				mu.Lock()
				defer mu.Unlock()
				if bad++; bad > 1 {
					if bad == 2 {
						waited = time.Since(first)
					}
					return false
				}
				first = time.Now()
				trouble(w)
				return true
			})
			got, issues, err := s.read(t)
			if err != nil || len(issues) > 0 {
				t.Fatal(issues, err)
			}
			if len(got.Rows.RouteTargets) != s.targets {
				t.Errorf("%d of %d rows", len(got.Rows.RouteTargets), s.targets)
			}
			if strings.Contains(name, "with") && waited < 900*time.Millisecond {
				t.Errorf("waited %v only", waited)
			}
		})
	}
}

// Trouble that stays is an error that says what was being done, what went wrong
// and what to do, and that holds no secret.
func TestReadSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			t.Error("the token went to another server")
		}
	}))
	t.Cleanup(other.Close)
	always := func(f func(w http.ResponseWriter, r *http.Request)) func(http.ResponseWriter, *http.Request, int) bool {
		return func(w http.ResponseWriter, r *http.Request, _ int) bool { f(w, r); return true }
	}
	status := func(code int, body string) func(http.ResponseWriter, *http.Request, int) bool {
		return always(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(code); fmt.Fprint(w, body) })
	}
	onTargets := func(f func(w http.ResponseWriter, r *http.Request)) func(http.ResponseWriter, *http.Request, int) bool {
		return func(w http.ResponseWriter, r *http.Request, _ int) bool {
			if !targets(r) {
				return false
			}
			f(w, r)
			return true
		}
	}
	for name, test := range map[string]struct {
		trouble func(http.ResponseWriter, *http.Request, int) bool
		want    []string // in the error or its hint
	}{
		"a login page": {always(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			fmt.Fprint(w, "<html>log in</html>")
		}), []string{"version", "web page", "without /api"}},
		"a token that echoes": {status(403, `{"detail": "Invalid token `+tokenV2+`"}`), []string{"Invalid token", "NETBOX_TOKEN"}},
		"half a token":        {status(403, `{"detail": "Invalid v2 token SECRETsecretSECRETsecretSECRETsecret1234"}`), []string{"Invalid v2 token"}},
		"an expired token":    {status(403, `{"detail": "Token expired"}`), []string{"expired", "new token"}},
		"no permission": {onTargets(func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(403)
			fmt.Fprint(w, `{"detail": "You do not have permission to perform this action."}`)
		}), []string{"route targets", "ipam.routetarget", "permission"}},
		"not NetBox":        {status(404, "<html>nothing here</html>"), []string{"does not know this address", "check the address"}},
		"JSON of another":   {status(200, `{"hello": "world"}`), []string{"netbox-version", "NetBox"}},
		"a list of another": {onTargets(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, `[1, 2]`) }), []string{"route targets", "not a list of records"}},
		"a field is missing": {onTargets(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, `{"count": 1, "next": null, "results": [{"id": 1, "name": "x", "custom_fields": {}}]}`)
		}), []string{"no tags"}},
		"moved": {always(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other.URL+r.URL.Path, 301) }), []string{"redirects to " + other.URL, "never sent to another"}},
		"busy":  {status(503, ""), []string{"tried 3 times", "overloaded"}},
		"very busy": {always(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Retry-After", "3600")
			w.WriteHeader(429)
		}), []string{"1h0m0s"}},
		"down": {always(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }), []string{"tried 3 times", "network"}},
		"hanging": {always(func(w http.ResponseWriter, r *http.Request) {
			select {
			case <-r.Context().Done():
			case <-time.After(5 * time.Second):
			}
		}), []string{"no answer within"}},
		"a filter is passed over": {func(w http.ResponseWriter, r *http.Request, _ int) bool {
			if r.URL.Query().Get("site_id") != "-" {
				return false
			}
			fmt.Fprint(w, `{"count": 0, "next": null, "results": []}`)
			return true
		}, []string{"passes over the filter site_id", "too small"}},
		"the cursor is passed over": {onTargets(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Get("ordering") != "" {
				fmt.Fprint(w, `{"count": 9000, "next": null, "results": [{"id": 9000}]}`)
				return
			}
			fmt.Fprint(w, `{"count": 9000, "next": "more", "results": [{"id": 1, "name": "x", "tags": [], "custom_fields": {}}]}`)
		}), []string{"did not keep to the ids"}},
		"rows are missing": {func(w http.ResponseWriter, r *http.Request, _ int) bool {
			if !targets(r) || r.URL.Query().Get("ordering") == "" {
				return false
			}
			fmt.Fprint(w, `{"count": 2501, "next": null, "results": [{"id": 2501}]}`)
			return true
		}, []string{"counts 2501 route targets and sent 2500", "permission"}},
		"an old NetBox": {always(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, `{"netbox-version": "4.4.9"}`) }), []string{"4.4.9", "4.5"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := scripted(t, test.trouble)
			_, _, err := s.read(t, func(o *rest.Options) { o.Tries, o.Timeout = 3, 300*time.Millisecond })
			var e *rest.Error
			if !errors.As(err, &e) {
				t.Fatalf("error: %v", err)
			}
			for _, want := range test.want {
				if !strings.Contains(e.Error()+"\n"+e.Hint, want) {
					t.Errorf("no %q in: %v\nhint: %s", want, e, e.Hint)
				}
			}
			if e.Doing == "" || e.Hint == "" {
				t.Errorf("says too little: %#v", e)
			}
			noSecret(t, err)
		})
	}
}

// noSecret fails when the token, or its secret half, is anywhere in an error.
func noSecret(t *testing.T, err error) {
	t.Helper()
	for at := err; at != nil; at = errors.Unwrap(at) {
		for _, text := range []string{at.Error(), fmt.Sprintf("%+v", at)} {
			for _, secret := range []string{tokenV1, tokenV2, "SECRETsecretSECRET"} {
				if strings.Contains(text, secret) {
					t.Errorf("the token is in the error: %s", text)
				}
			}
		}
	}
	var e *rest.Error
	if errors.As(err, &e) && strings.Contains(e.Hint, "SECRETsecretSECRET") {
		t.Errorf("the token is in the hint: %s", e.Hint)
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	pem := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(pem, []byte("no certificate"), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, o := range map[string]rest.Options{
		"no token":            {URL: "https://netbox.example.com"},
		"no address":          {Token: tokenV2},
		"a bare host":         {URL: "netbox.example.com", Token: tokenV2},
		"a password":          {URL: "https://me:SECRETsecretSECRET@netbox.example.com", Token: tokenV2},
		"a broken address":    {URL: "https://me:SECRETsecretSECRET@netbox.example.com:x", Token: tokenV2},
		"two lines of token":  {URL: "https://netbox.example.com", Token: tokenV2 + "\nx"},
		"no CA file":          {URL: "https://netbox.example.com", Token: tokenV2, CAFile: pem + "x"},
		"a CA file of no use": {URL: "https://netbox.example.com", Token: tokenV2, CAFile: pem},
	} {
		_, err := rest.New(o)
		if err == nil {
			t.Errorf("%s: no error", name)
		}
		noSecret(t, err)
	}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	s := &script{version: "4.7.3"}
	server := httptest.NewUnstartedServer(s)
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // it complains about handshakes that are meant to fail
	server.StartTLS()
	t.Cleanup(server.Close)
	config := []netbox.Config{netbox.DefaultConfig("lab")}

	_, _, err := rest.Read(t.Context(), client(t, server.URL, tokenV1), config)
	var e *rest.Error
	if !errors.As(err, &e) || !strings.Contains(e.Error(), "unknown authority") || !strings.Contains(e.Hint, "CA file") {
		t.Errorf("an unknown authority: %v", err)
	}
	if len(s.requests) > 0 {
		t.Error("a request reached the server")
	}
	roots := server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	if _, _, err := rest.Read(t.Context(), client(t, server.URL, tokenV1, func(o *rest.Options) { o.RootCAs = roots }), config); err != nil {
		t.Errorf("a known authority: %v", err)
	}
	plain := scripted(t, nil)
	_, _, err = rest.Read(t.Context(), client(t, strings.Replace(plain.URL, "http:", "https:", 1), tokenV1), config)
	if !errors.As(err, &e) || !strings.Contains(e.Error(), "does not speak TLS") {
		t.Errorf("no TLS: %v", err)
	}
}

func TestTokensAreSentAsTheirKindNeeds(t *testing.T) {
	t.Parallel()
	for token, want := range map[string]string{tokenV1: "Token " + tokenV1, tokenV2: "Bearer " + tokenV2} {
		s := scripted(t, nil)
		s.targets = 3
		if _, _, err := s.read(t, func(o *rest.Options) { o.Token = token + "\n" }); err != nil {
			t.Fatal(err)
		}
		for _, r := range s.requests {
			if got := r.Header.Get("Authorization"); got != want {
				t.Fatalf("%s is sent as %q", token, got)
			}
			if len(r.RequestURI)+len("GET  HTTP/1.1") > 4094 {
				t.Errorf("a request line of %d bytes", len(r.RequestURI))
			}
		}
	}
}

func TestAProxyIsUsed(t *testing.T) {
	t.Parallel()
	s := scripted(t, nil)
	s.targets = 3
	var used atomic.Bool
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		used.Store(true)
		s.answer(w, r)
	}))
	t.Cleanup(proxy.Close)
	address, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = s.read(t, func(o *rest.Options) { o.URL, o.Proxy = "http://netbox.invalid", http.ProxyURL(address) })
	if err != nil || !used.Load() {
		t.Errorf("used: %v, %v", used.Load(), err)
	}
}

// A page that NetBox cannot make in time is asked for in smaller pieces.
func TestPagesShrinkAndGrow(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var limits []int
	s := scripted(t, func(w http.ResponseWriter, r *http.Request, _ int) bool {
		if !targets(r) || r.URL.Query().Get("ordering") != "" {
			return false
		}
		limit, _ := strconv.Atoi(r.URL.Query().Get("limit"))
		mu.Lock()
		limits = append(limits, limit)
		early := len(limits) < 10
		mu.Unlock()
		if limit > 300 && early {
			time.Sleep(400 * time.Millisecond) // longer than the timeout
		}
		return false
	})
	got, _, err := s.read(t, func(o *rest.Options) { o.Timeout, o.Streams = 200*time.Millisecond, 1 })
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Rows.RouteTargets) != s.targets {
		t.Errorf("%d of %d rows", len(got.Rows.RouteTargets), s.targets)
	}
	if len(limits) < 4 || limits[0] != 1000 || limits[1] != 500 || limits[2] != 250 || slices.Max(limits[3:]) <= 250 {
		t.Errorf("the pages asked for: %v", limits)
	}
}

func TestCancelling(t *testing.T) {
	t.Parallel()
	for name, trouble := range map[string]func(http.ResponseWriter, *http.Request, int) bool{
		"in a request": func(w http.ResponseWriter, r *http.Request, n int) bool {
			if n > 10 {
				<-r.Context().Done()
			}
			return false
		},
		"in a pause": func(w http.ResponseWriter, r *http.Request, n int) bool {
			if n > 10 {
				w.Header().Set("Retry-After", "20")
				w.WriteHeader(429)
			}
			return n > 10
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := scripted(t, trouble)
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(100*time.Millisecond, cancel)
			began := time.Now()
			_, _, err := rest.Read(ctx, client(t, s.URL, tokenV2), []netbox.Config{netbox.DefaultConfig("lab")})
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%v", err)
			}
			if took := time.Since(began); took > 3*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}

func TestVersions(t *testing.T) {
	t.Parallel()
	for version, notice := range map[string]bool{"4.7.0": false, "4.7.3-Docker-3.4": false, "4.6.8": true, "4.5.2": true, "4.8.0-beta1": true, "5.0.0": true} {
		s := scripted(t, nil)
		s.version = version
		_, issues, err := s.read(t)
		if err != nil || (len(issues) == 1 && issues[0].Severity == hedgehog.Notice) != notice {
			t.Errorf("%s: %v, %v", version, issues, err)
		}
		for _, r := range s.requests {
			q := r.URL.Query()
			if version == "4.5.2" && q.Has("start") || version == "4.7.0" && q.Has("id__gte") || q.Has("start") && q.Has("ordering") {
				t.Errorf("%s is asked for %s", version, r.URL)
			}
		}
	}
}

// A write is not repeated when nobody knows whether it was done.
func TestWritesAreNotRepeated(t *testing.T) {
	t.Parallel()
	for status, tries := range map[int]int{502: 1, 504: 1, 500: 1, 429: 3} {
		posts := 0
		s := scripted(t, func(w http.ResponseWriter, r *http.Request, _ int) bool {
			if r.Method != http.MethodPost {
				return false
			}
			posts++
			w.WriteHeader(status)
			return true
		})
		s.targets = 3
		_, err := rest.Bootstrap(t.Context(), client(t, s.URL, tokenV2, func(o *rest.Options) { o.Tries = 3 }), rest.BootstrapOptions{})
		var e *rest.Error
		if !errors.As(err, &e) || e.Status != status || posts != tries {
			t.Errorf("%d: %d tries, %v", status, posts, err)
		}
	}
}

// This package is the only one that knows go-netbox.
func TestOnlyThisPackageImportsGoNetBox(t *testing.T) {
	t.Parallel()
	out, err := exec.Command("go", "list", "-f", "{{.ImportPath}} {{join .Imports \",\"}},{{join .TestImports \",\"}},{{join .XTestImports \",\"}}", "hedgehog-gitops/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for line := range strings.Lines(string(out)) {
		path, imports, _ := strings.Cut(strings.TrimSpace(line), " ")
		if strings.Contains(imports, "netbox-community/go-netbox") {
			found = true
			if path != "hedgehog-gitops/render/netbox/rest" {
				t.Errorf("%s imports go-netbox", path)
			}
		}
	}
	if !found {
		t.Error("nothing imports go-netbox: the test looks in the wrong place")
	}
}
