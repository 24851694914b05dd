package gitsync

import (
	"os/exec"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestMarkersAreFoundAgain(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := marker{
			Version: markerVersion,
			Stream:  "s" + rapid.String().Draw(t, "stream"),
			Digest:  rapid.String().Draw(t, "digest"),
			Head:    Hash(strings.Repeat(rapid.SampledFrom([]string{"a", "0"}).Draw(t, "head"), 40)),
			Order:   rapid.Int64().Draw(t, "order"),
			Labels:  rapid.SliceOfN(rapid.String(), 1, 3).Draw(t, "labels"),
			Closed:  rapid.Bool().Draw(t, "closed"),
		}
		text := rapid.StringOf(rapid.SampledFrom([]rune("a<!-- gitsync {}>\nö"))).Draw(t, "text")
		limit := rapid.SampledFrom([]int{0, MarkerRoom + 100}).Draw(t, "limit")
		body, cut := composeBody(m, text, limit)
		got, ok := parseMarker(body)
		if d := cmp.Diff(m, got); !ok || d != "" {
			t.Fatalf("found %v, -wrote +read:\n%s\n%q", ok, d, body)
		}
		if first, _, _ := strings.Cut(body, "\n"); strings.Count(first, "--") != 2 || strings.Count(first, ">") != 1 || strings.Count(body, markerStart) != 1 {
			t.Fatalf("the hidden line can be ended by what is in it: %q", first)
		}
		if !utf8.ValidString(body) || limit > 0 && len(body) > limit {
			t.Fatalf("%d bytes", len(body))
		}
		if again, _ := composeBody(m, splitBody(body), limit); !cut && again != body {
			t.Fatalf("split and composed again: %q, was %q", again, body)
		}
	})
}

func TestMarkersOfAnyTextAreReadOrNot(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		text string
		ok   bool
	}{
		"none":                        {"a text", false},
		"not ended":                   {`<!-- gitsync {"stream":"a"}`, false},
		"no JSON":                     {"<!-- gitsync stream=a -->", false},
		"no stream":                   {`<!-- gitsync {"digest":"a"} -->`, false},
		"of another type":             {`<!-- gitsync {"stream":7} -->`, false},
		"too long":                    {`<!-- gitsync {"stream":"` + strings.Repeat("a", maxMarker) + `"} -->`, false},
		"from a later version":        {`<!-- gitsync {"v":9,"stream":"a","new":{"x":[1]}} -->`, true},
		"with people's text before":   {"NB: careful\r\n\r\n" + `<!-- gitsync {"stream":"a"} -->` + "\r\ntext", true},
		"with a head that is no hash": {`<!-- gitsync {"stream":"a","head":"HEAD"} -->`, true},
		"the first of two":            {`<!-- gitsync {"stream":"a"} --><!-- gitsync {"stream":"b"} -->`, true},
	} {
		got, ok := parseMarker(test.text)
		if ok != test.ok || ok && (got.Stream != "a" || got.Head != "") {
			t.Errorf("%s: %+v, %v", name, got, ok)
		}
	}
}

func TestRecordsOfMessages(t *testing.T) {
	t.Parallel()
	base := Hash(strings.Repeat("ab", 20))
	p := Proposal{Stream: "lab", Digest: "d2", Order: 9, From: base, Message: "feat: x\r\n\r\nmore\n", Trailers: []Trailer{{"Step", "1/2"}}}
	message := p.commitMessage(files{"a": "b"})
	if strings.Contains(message, "\r") || !strings.HasPrefix(message, "feat: x\n\nmore\n\nProposal: lab\n") {
		t.Errorf("the message is %q", message)
	}
	for name, test := range map[string]struct {
		message string
		want    string // the digest, "" for none
	}{
		"ours":                        {message, "d2"},
		"with CRLF":                   {strings.ReplaceAll(message, "\n", "\r\n"), "d2"},
		"squashed with a later one":   {"feat (#1)\n\n* feat: x\n\nProposal: lab\nProposal-Digest: d1\n\n* " + message + "\n---------\n\nCo-authored-by: Ann <ann@example.com>\n", "d2"},
		"another stream's":            {"feat\n\nProposal: lab/upgrade\nProposal-Digest: d2\n", ""},
		"both streams'":               {message + "\nProposal: other\nProposal-Digest: d3\n", "d2"},
		"in a sentence":               {"feat\n\nour Proposal: lab is fine\nProposal-Digest: d2\n", ""},
		"a digest without its stream": {"feat\n\nProposal-Digest: d2\n", ""},
	} {
		r, ok := recordOf(test.message, "lab")
		if ok != (test.want != "") || r.digest != test.want {
			t.Errorf("%s: %+v, %v", name, r, ok)
		}
	}
	r, _ := recordOf(message, "lab")
	want := []Trailer{{"Proposal", "lab"}, {"Proposal-Digest", "d2"}, {"Proposal-Order", "9"}, {"Proposal-Base", string(base)},
		{"Proposal-Changes", files{"a": "b"}.digest()}, {"Step", "1/2"}}
	if d := cmp.Diff(want, r.trailers); d != "" || r.order != 9 || r.base != base {
		t.Errorf("%+v, -want +got:\n%s", r, d)
	}
}

// git itself finds our trailers.
func TestGitReadsTheTrailers(t *testing.T) {
	t.Parallel()
	p := Proposal{Stream: "lab", Digest: "d", Order: 9, From: Hash(strings.Repeat("a", 40)), Message: "feat: x", Trailers: []Trailer{{"Tool-Version", "1.0 (abc)"}}}
	cmd := exec.Command("git", "interpret-trailers", "--parse")
	cmd.Stdin = strings.NewReader(p.commitMessage(nil))
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	want := "Proposal: lab\nProposal-Digest: d\nProposal-Order: 9\nProposal-Base: " + string(p.From) +
		"\nProposal-Changes: " + files(nil).digest() + "\nTool-Version: 1.0 (abc)\n"
	if d := cmp.Diff(want, string(out)); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

func TestBlobID(t *testing.T) {
	t.Parallel()
	cmd := exec.Command("git", "hash-object", "--stdin")
	cmd.Stdin = strings.NewReader("a\nb\n")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if got := BlobID([]byte("a\nb\n")); string(got)+"\n" != string(out) {
		t.Errorf("BlobID says %s, git %s", got, out)
	}
}

// P3
func TestBranchNames(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"lab": "hedgehog-gitops/lab", "DC-1.fabric_a": "hedgehog-gitops/DC-1.fabric_a", "eu/lab": "hedgehog-gitops/eu/lab",
	} {
		if got := BranchName("hedgehog-gitops", name); got != want {
			t.Errorf("BranchName(%q) = %q, want %q", name, got, want)
		}
	}
	seen := map[string]string{}
	for _, part := range []string{"lab a", "lab-a", "lab  a", "lab/a", "lab//a", "lab", "Läb", "../x", "x", ".x", "x.lock", "x..y", "-", "", "@", "HEAD", "@{-1}",
		"a~1", "a^", "a:b", "a?", "a*", "a[b", `a\b`, "a\nb", "a\x00", "a.", "refs/heads/x", strings.Repeat("long", 100), strings.Repeat("long", 101), "ü", "日本"} {
		for _, parts := range [][]string{{part}, {"hedgehog-gitops", part}} {
			got, all := BranchName(parts...), strings.Join(parts, "\x00")
			if other, ok := seen[got]; ok && other != all {
				t.Errorf("%q and %q have the same branch %q", other, all, got)
			}
			seen[got] = all
			if err := CheckBranch(got); err != nil {
				t.Errorf("%q: %v", parts, err)
			}
		}
	}
}

// P3: git takes every name that CheckBranch takes.
func TestGitTakesTheBranches(t *testing.T) {
	t.Parallel()
	names := []string{"a", "a/b", "a.b", "a-b", "a@b", "ö", "a/", "/a", "a//b", ".a", "a/.b", "a.", "a.lock", "a.lock/b", "a..b", "a b", "a~", "a^", "a:",
		"a?", "a*", "a[", `a\b`, "a\tb", "a\x7f", "@", "a@{b", "-a", "", "HEAD", "a-", "a/-b"}
	for _, name := range names {
		git := exec.Command("git", "check-ref-format", "--branch", name).Run() == nil
		// Some that git takes would be read as something else.
		if ours := CheckBranch(name) == nil; ours && !git || git && !ours && name != "HEAD" && name != "@" {
			t.Errorf("%q: git takes it: %v, CheckBranch: %v", name, git, ours)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringOf(rapid.SampledFrom([]rune("ab./-@{~ ö\x00\nlock"))).Draw(t, "name")
		if err := CheckBranch(BranchName(name)); err != nil {
			t.Fatal(err)
		}
	})
}
