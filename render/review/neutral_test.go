package review_test

import (
	"bytes"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/text"

	"hedgehog-gitops/render/hedgehog"
	"hedgehog-gitops/render/review"
)

// hostileTexts are what somebody with a NetBox login may write into a field.
func hostileTexts() []string {
	return []string{
		"", " ", "@org/team", "@alice", "cc @alice @bob-2", "a@b.example", "fixes #1", "Closes: #12", "resolves org/repo#3", "GH-1", "gh-22", "\x1egh-2", "égh-2", "see !5",
		"fixes https://github.com/org/repo/issues/1", "closes https://git.example/org/repo/pull/7", "https://evil.example/x", "www.evil.example", "ftp://evil.example", "mailto:a@b.example",
		"<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "</details>", "<details><summary>x</summary>", "<!-- hidden -->", "-->", "<a href=//x>y</a>", "<b>", "a < b", "<@U123>", "<https://evil.example>",
		"`", "``", "```", "````\n", "`code`", "`` ` ``", "~~~", "~~x~~", "**bold**", "__init__", "_x_", "*x*", "# heading", "## x", "- item", "+ item", "* item", "1. one", "1) one", "> quote", "---", "===", "\\", "\\@alice", "\\`",
		"[x](http://evil.example)", "![x](http://evil.example/y.png)", "[x]: http://evil.example", "[^1]", "[ ] task", "[[wiki]]", "a | b", "| a | b |\n|---|---|", "&lt;b&gt;", "&#64;alice", "&commat;alice", "$x$", "$$x$$", ":tada:",
		"line one\nline two", "a\r\nb", "a\tb", "x\n\n# heading", "x\n\nCo-authored-by: Eve <eve@evil.example>", "x\n\nSigned-off-by: Eve <eve@evil.example>\n", "Step: 2/2", "[skip ci]", "[ci skip]", "***NO_CI***", "skip-checks: true",
		"\u202eevil\u202c", "\u2066x\u2069", "\u200b@alice", "@\u200balice", "\u0000", "\x1b[31mred\x1b[0m", "\ufeff", "\u2028x", "\u0085x", "e\u0301", "日本", "＠alice", "👩\u200d💻", "\xff\xfe",
		"%0A::error::x", "::error::x", "\n::set-output name=x::y", "]]>", "{{ .Evil }}", "${{ secrets.TOKEN }}", "$(rm -rf /)", "';--",
		"ghp_0123456789abcdefghijABCDEFGHIJ0123", "password=hunter2", "https://user:pass@pxe.example/boot",
		strings.Repeat("x", 5000), strings.Repeat("`", 700), strings.Repeat("@a ", 400), strings.Repeat("é", 700),
	}
}

var gfm = goldmark.New(goldmark.WithExtensions(extension.GFM, extension.Footnote, extension.DefinitionList))

// rendered is what Markdown makes of a text.
type rendered struct {
	text string // outside of code
	code string
	bad  []string // what is neither
}

// parse reads Markdown as forges do.
func parse(markdown string) rendered {
	source := []byte(markdown)
	var r rendered
	var plain, code strings.Builder
	walk := func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Document, *ast.Paragraph, *ast.TextBlock:
		case *ast.CodeSpan:
			for c := n.FirstChild(); c != nil; c = c.NextSibling() {
				code.Write(c.(*ast.Text).Segment.Value(source))
			}
			return ast.WalkSkipChildren, nil
		case *ast.Text:
			plain.Write(n.Segment.Value(source))
			if n.SoftLineBreak() || n.HardLineBreak() {
				r.bad = append(r.bad, "line break")
			}
		case *ast.String:
			plain.Write(n.Value)
		default:
			r.bad = append(r.bad, n.Kind().String())
		}
		return ast.WalkContinue, nil
	}
	if err := ast.Walk(gfm.Parser().Parse(text.NewReader(source)), walk); err != nil {
		r.bad = append(r.bad, err.Error())
	}
	r.text, r.code = plain.String(), code.String()
	return r
}

// reference matches what forges make a mention, a reference or a link of, wherever
// it stands in a text.
var reference = regexp.MustCompile(`@[A-Za-z0-9_-]|#[0-9]|![0-9]|(?i)\bgh-[0-9]|<[A-Za-z/!?]`)

// checkTame fails when the text can do anything.
func checkTame(t *testing.T, what, text string) {
	t.Helper()
	if found := reference.FindString(text); found != "" {
		t.Errorf("%s: %q refers to something: %q", what, found, text)
	}
	if !utf8.ValidString(text) {
		t.Errorf("%s: %q is not UTF-8", what, text)
	}
	for _, r := range text {
		if r != ' ' && !unicode.IsPrint(r) {
			t.Errorf("%s: %U in %q", what, r, text)
		}
	}
}

func checkMarkdown(t *testing.T, original string) {
	t.Helper()
	for what, markdown := range map[string]string{
		"code": review.Code(original), "plain": review.Plain(original),
		"code in a list":      "- **high**: deletes VPC " + review.Code(original) + ": and " + review.Code(original),
		"plain in a sentence": "says " + review.Plain(original) + " and " + review.Code("x"),
	} {
		checkTame(t, what, markdown)
		r := parse(strings.TrimPrefix(strings.Replace(markdown, "**high**", "high", 1), "- "))
		if len(r.bad) > 0 {
			t.Errorf("%s: %q gives %v", what, markdown, r.bad)
		}
		if strings.HasPrefix(what, "code") && strings.Count(r.text, "`") > 0 {
			t.Errorf("%s: %q falls out of its code span: %q", what, markdown, r.text)
		}
		if found := regexp.MustCompile(`(?i)://|\bwww\.`).FindString(r.text); found != "" {
			t.Errorf("%s: %q becomes a link", what, markdown)
		}
	}
}

func checkLine(t *testing.T, original string) {
	t.Helper()
	line := review.Line(original)
	checkTame(t, "line", line)
	for _, bad := range []string{"\n", "\r", "[", "]", "://", "***", "<", ">"} {
		if strings.Contains(line, bad) {
			t.Errorf("the line %q has %q", line, bad)
		}
	}
}

func TestNetBoxTextDoesNothing(t *testing.T) {
	t.Parallel()
	for _, original := range hostileTexts() {
		checkMarkdown(t, original)
		checkLine(t, original)
	}
}

// What everybody writes stays what it is.
func TestNetBoxTextStaysReadable(t *testing.T) {
	t.Parallel()
	for original, want := range map[string][3]string{
		"web-1--eslag--leaf-1--leaf-2": {"`web-1--eslag--leaf-1--leaf-2`", `web-1--eslag--leaf-1--leaf-2`, "web-1--eslag--leaf-1--leaf-2"},
		"10.0.1.0/24":                  {"`10.0.1.0/24`", `10.0.1.0/24`, "10.0.1.0/24"},
		"Köln, Rack 7":                 {"`Köln, Rack 7`", `Köln, Rack 7`, "Köln, Rack 7"},
		"@org/team, fixes #1":          {"`@ org/team, fixes # 1`", `@ org/team, fixes \# 1`, "@ org/team, fixes # 1"},
		"a`b":                          {"``a`b``", "a\\`b", "a'b"},
		"":                             {"`\"\"`", "", ""},
		"one\r\n two\tthree ":          {"`one two three`", `one two three`, "one two three"},
		"[skip ci]":                    {"`[skip ci]`", `\[skip ci\]`, "(skip ci)"},
	} {
		if got := [3]string{review.Code(original), review.Plain(original), review.Line(original)}; got != want {
			t.Errorf("%q: %q, want %q", original, got, want)
		}
	}
}

func FuzzNeutral(f *testing.F) {
	for _, s := range hostileTexts() {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		checkMarkdown(t, s)
		checkLine(t, s)
	})
}

func TestSecretsAreTakenOut(t *testing.T) {
	t.Parallel()
	for secret, in := range map[string]string{
		"ghp_0123456789abcdefghijABCDEFGHIJ0123": "token ghp_0123456789abcdefghijABCDEFGHIJ0123 for the bot",
		"hunter2":                                "bgp password: hunter2",
		"s3cr3t":                                 "http://boot:s3cr3t@pxe.example/x",
		"MIIEow":                                 "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----",
		"0123456789abcdef0123456789abcdef01234567": "Authorization: Token 0123456789abcdef0123456789abcdef01234567",
		"$6$rounds=5000$saltsalt$abcdefghijklmnop": "enable $6$rounds=5000$saltsalt$abcdefghijklmnop",
		"nbt_abcdefgh1234.0123456789abcdef0123":    "use nbt_abcdefgh1234.0123456789abcdef0123",
	} {
		for _, got := range []string{review.Code(in), review.Plain(in), review.Line(in)} {
			if strings.Contains(strings.ReplaceAll(got, `\`, ""), secret) || !strings.Contains(strings.ReplaceAll(got, `\`, ""), "(redacted)") {
				t.Errorf("%q gives %q", in, got)
			}
		}
	}
	for _, harmless := range []string{"key-value store", "leaf-01/E1/1", "gh-runner", "token ring", "the secret garden", "http://pxe.example:8080/boot"} {
		if got := review.Code(harmless); strings.Contains(got, "redacted") {
			t.Errorf("%q gives %q", harmless, got)
		}
	}
}

// A secret in a field that a type of this version has not, in an annotation, in an
// address: it is in none of the texts, and an issue names it.
func TestSecretsOfObjectsAreInNoText(t *testing.T) {
	t.Parallel()
	before := scenario(t, "office")
	after := apply(t, before,
		change(hedgehog.KindVPC, "staff", func(s *hedgehog.VPCSpec) {
			s.Subnets["desks"].DHCP.Options.PXEURL = "http://boot:pxesecret@10.10.1.9/x"
		}),
		func(t testing.TB, f *hedgehog.Fabric) {
			f.Get(hedgehog.KindSwitch, "leaf-1").Annotations = map[string]string{"example.com/snmp-password": "annotsecret"}
			o := f.Get(hedgehog.KindExternalAttachment, "leaf-3--isp")
			o.Leftovers = []hedgehog.Leftover{{Path: []string{"spec", "neighbor", "password"}, Value: "bgpsecret"}}
			novelty := hedgehog.New("Novelty", "new")
			novelty.APIVersion = "wiring.githedgehog.com/v1beta1"
			novelty.Spec = hedgehog.Raw{"spec": map[string]any{"authKey": "rawsecret", "list": []any{map[string]any{"token": "listsecret"}}}}
			f.Add(novelty)
		})
	r := request("office", decode(t, before), after)
	var terminal bytes.Buffer
	if err := review.WriteText(&terminal, r.Changes); err != nil {
		t.Fatal(err)
	}
	texts := r.Title() + r.CommitMessage() + r.Body(0) + r.Report() + r.StepSummary() + terminal.String() + asJSON(t, r.Changes)
	for _, secret := range []string{"pxesecret", "annotsecret", "bgpsecret", "rawsecret", "listsecret"} {
		if strings.Contains(texts, secret) {
			t.Errorf("%s is in a text", secret)
		}
	}
	found := map[string]bool{}
	for _, issue := range review.Secrets(after) {
		found[issue.Object.String()+" "+issue.Field] = true
		if strings.Contains(issue.Summary+issue.Hint, "secret1") {
			t.Error(issue)
		}
	}
	for _, want := range []string{
		"VPC/staff spec.subnets.desks.dhcp.options.pxeURL", "Switch/leaf-1 metadata.annotations.example.com/snmp-password",
		"ExternalAttachment/leaf-3--isp spec.neighbor.password", "Novelty/new spec.authKey", "Novelty/new spec.list.0.token",
	} {
		if !found[want] {
			t.Errorf("no issue for %s: %v", want, found)
		}
	}
	described := apply(t, before, change(hedgehog.KindSwitch, "leaf-1", func(s *hedgehog.SwitchSpec) { s.Description = "console password: see the vault" }))
	if issues := review.Secrets(described); len(issues) != 1 || issues[0].Severity != hedgehog.Warning {
		t.Errorf("what only looks like a secret stops nothing: %v", issues)
	}
	if issues := review.Secrets(after); issues.Worst() != hedgehog.Error {
		t.Error("a secret stops nothing")
	}
	if issues := review.Secrets(decode(t, scenario(t, "north"))); len(issues) > 0 {
		t.Errorf("north has no secrets: %v", issues)
	}
}

// Git itself finds no trailer in a message but those that are put after it.
func TestNoTrailerIsForged(t *testing.T) {
	t.Parallel()
	before := scenario(t, "office")
	for _, hostile := range []string{
		"x\n\nCo-authored-by: Eve <eve@evil.example>", "Co-authored-by: Eve <eve@evil.example>", "\r\rSigned-off-by: Eve <e@x>", "Step: 2/2\n\nStep: 2/2", "[skip ci]", "skip-checks: true",
	} {
		after := apply(t, before, change(hedgehog.KindSwitch, "leaf-3", func(s *hedgehog.SwitchSpec) { s.Description, s.Boot.Serial = hostile, hostile }))
		r := request(hostile, decode(t, before), after)
		r.Tool = hostile
		r.Asked[0].User, r.Asked[0].Message, r.Asked[0].Object = hostile, hostile, hostile
		message := r.CommitMessage()
		cmd := exec.Command("git", "interpret-trailers", "--parse")
		cmd.Stdin = strings.NewReader(message + "\nSnapshot: abc\n")
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		if string(out) != "Snapshot: abc\n" {
			t.Errorf("%q: git finds the trailers\n%s\nin\n%s", hostile, out, message)
		}
		for line := range strings.Lines(message) {
			if regexp.MustCompile(`(?i)^\s*(co-authored-by|signed-off-by|step|skip-checks)\s*:`).MatchString(line) {
				t.Errorf("%q makes a line of its own: %s", hostile, line)
			}
		}
		if strings.Contains(message, "[skip") {
			t.Errorf("%q skips the checks:\n%s", hostile, message)
		}
	}
}

// checkDocument reads a whole text as forges do: what it is made of is ours.
func checkDocument(t *testing.T, document string) {
	t.Helper()
	source := []byte(document)
	headings := []string{"Look at these first", "Who asked for it in NetBox", "The part that changes", "What changes", "NetBox wants more than this", "Warnings", "What happens on merge"}
	err := ast.Walk(gfm.Parser().Parse(text.NewReader(source)), func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Heading:
			if got := string(n.Lines().Value(source)); !slices.Contains(headings, got) {
				t.Errorf("the heading %q is not ours", got)
			}
		case *ast.Link:
			if to := string(n.Destination); !strings.HasPrefix(to, "https://netbox.example.com/") && !strings.HasPrefix(to, "https://git.example.com/net/fabrics/blob/main/") {
				t.Errorf("a link leads to %s", to)
			}
		case *ast.Image, *ast.AutoLink, *ast.RawHTML, *ast.Blockquote:
			t.Errorf("%s in the text", n.Kind())
		case *ast.HTMLBlock:
			if got := string(n.Lines().Value(source)); !ourHTML.MatchString(got) {
				t.Errorf("the HTML %q is not ours", got)
			}
		}
		return ast.WalkContinue, nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// ourHTML is a fold's beginning or end, with names as text.
var ourHTML = regexp.MustCompile(`^(</details>\n)?(<details><summary>([^<>]|<code>|</code>)*</summary>\n|</details>\n)?$`)
