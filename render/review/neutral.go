package review

import (
	"html"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The longest texts of others, in characters. What is longer ends in "...".
const (
	longestName  = 253
	longestValue = 300
	longestText  = 600
)

// Code returns the text as a Markdown code span that holds nothing else, on one
// line. It must not stand in a table, where a bar ends a cell even in code.
func Code(text string) string { return codeSpan(clean(text, longestName)) }

func codeSpan(text string) string {
	if text == "" {
		text = `""`
	}
	fence := strings.Repeat("`", longestRun(text, '`')+1)
	if text[0] == '`' || text[len(text)-1] == '`' {
		text = " " + text + " "
	}
	return fence + text + fence
}

// Plain returns the text as Markdown that shows it and does nothing else, on one
// line: no link, no emphasis, no mention.
func Plain(text string) string {
	text = breakLinks(clean(text, longestText))
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case c == '&':
			b.WriteString("&amp;")
			continue
		case c == '<':
			b.WriteString("&lt;")
			continue
		case strings.IndexByte("\\`*_[]>#|~$", c) >= 0, i == 0 && strings.IndexByte("+-=", c) >= 0, isMarker(text, i):
			b.WriteByte('\\')
		}
		b.WriteByte(c)
	}
	return b.String()
}

// isMarker reports whether the byte ends the number of a list item: "1." and
// "1)" at the start of a text.
func isMarker(text string, i int) bool {
	if text[i] != '.' && text[i] != ')' || i == 0 || i+1 < len(text) && text[i+1] != ' ' {
		return false
	}
	for _, c := range []byte(text[:i]) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// Line returns the text for a place that is not Markdown, such as the title of a
// pull request or the inside of a line of a commit message. It ends no line, asks
// no CI to skip anything and refers to nothing.
func Line(text string) string {
	return strings.NewReplacer("[", "(", "]", ")", "`", "'", "***", "+++", "<", "(", ">", ")").
		Replace(breakLinks(clean(text, longestText)))
}

// element returns the text for the inside of an HTML element.
func element(text string) string { return html.EscapeString(clean(text, longestName)) }

// linked returns a Markdown link, or the text alone when the address is none. The
// text is Markdown already.
func linked(text, address string) string {
	if address = safeURL(address); address == "" {
		return text
	}
	return "[" + text + "](<" + address + ">)"
}

// safeURL returns the web address with everything escaped that could mean
// something outside of it; "" when it is no web address.
func safeURL(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || len(address) > 2000 {
		return ""
	}
	u.User, u.Fragment = nil, ""
	text := u.String()
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("/:._~%?&=+,;-[]", c) >= 0 {
			b.WriteByte(c)
			continue
		}
		b.WriteString("%" + strings.ToUpper(strconv.FormatUint(uint64(c)|0x100, 16)[1:]))
	}
	return issueName.ReplaceAllString(b.String(), "$1%2D$2")
}

// issueName is the name of an issue as some write it: GH-1.
var issueName = regexp.MustCompile(`(?i)\b(gh)-([0-9])`)

// clean returns the text as one printable line of at most so many characters,
// without secrets, in which nothing refers to a person, an issue or HTML. It is
// what every text of others goes through, wherever it is shown: a code span is no
// protection in a commit message that a forge makes of a pull request's text.
func clean(text string, limit int) string {
	if len(text) > 8*limit {
		text = text[:8*limit] // whatever is left is cut below
	}
	if isTame(text) && len(text) <= limit {
		return text
	}
	text = redact(text)
	text = strings.Join(strings.FieldsFunc(strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case r == utf8.RuneError || !unicode.IsPrint(r):
			return unicode.ReplacementChar
		}
		return r
	}, strings.ToValidUTF8(text, "\ufffd")), func(r rune) bool { return r == ' ' }), " ")
	if utf8.RuneCountInString(text) > limit {
		text = string([]rune(text)[:limit]) + "..."
	}
	return breakReferences(text)
}

// isTame reports whether the text is what most names are: lower-case letters,
// digits and a few signs, with nothing to look after.
func isTame(text string) bool {
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case c >= 'a' && c <= 'z' && c != 'g', c >= '0' && c <= '9', c == '.', c == '/', c == '-', c == ',':
		case c == ':':
			if strings.HasPrefix(text[i:], "://") {
				return false
			}
		case c == 'g': // gh-1 is an issue, ghp_ the start of a token
			if strings.HasPrefix(text[i:], "gh") {
				return false
			}
		default:
			return false
		}
	}
	return len(text) < 40
}

// breakReferences puts a space into what forges make references of: @name, #1,
// !1, GH-1, the address of an issue, and the start of an HTML tag.
func breakReferences(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		b.WriteByte(text[i])
		if i+1 == len(text) {
			break
		}
		next := text[i+1]
		var cut bool
		switch text[i] {
		case '@':
			cut = isWordByte(next) || next == '-'
		case '#', '!':
			cut = isDigit(next)
		case '-':
			cut = isDigit(next) && i >= 2 && strings.EqualFold(text[i-2:i], "gh") && (i == 2 || text[i-3] >= utf8.RuneSelf || !isWordByte(text[i-3]))
		case '<':
			cut = isLetter(next) || next == '/' || next == '!' || next == '?'
		case ':':
			cut = strings.HasPrefix(text[i:], "://") && isIssueAddress(text[i:])
		}
		if cut {
			b.WriteByte(' ')
		}
	}
	return b.String()
}

// isIssueAddress reports whether the rest of an address leads to an issue or a
// pull request.
func isIssueAddress(rest string) bool {
	address, _, _ := strings.Cut(rest, " ")
	for _, folder := range []string{"/issues/", "/pull/", "/pulls/", "/merge_requests/", "/commit/"} {
		if strings.Contains(strings.ToLower(address), folder) {
			return true
		}
	}
	return false
}

// breakLinks puts a space into what becomes a link by itself.
func breakLinks(text string) string {
	text = strings.ReplaceAll(text, "://", ": //")
	return bareHost.ReplaceAllString(text, "$1 .")
}

var bareHost = regexp.MustCompile(`(?i)\b(www)\.`)

func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// isWordByte reports whether the byte can be part of a name; of letters beyond
// ASCII it is said too.
func isWordByte(c byte) bool { return isDigit(c) || isLetter(c) || c == '_' || c >= utf8.RuneSelf }

// longestRun returns how often the byte follows itself at most.
func longestRun(text string, c byte) int {
	longest, run := 0, 0
	for i := 0; i < len(text); i++ {
		if text[i] != c {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	return longest
}

// fenced returns the lines as a fenced block of the language; the fence is longer
// than any in them.
func fenced(language string, lines []string) string {
	fence := 3
	for _, line := range lines {
		fence = max(fence, longestRun(line, '`')+1)
	}
	marks := strings.Repeat("`", fence)
	return marks + language + "\n" + strings.Join(lines, "\n") + "\n" + marks + "\n"
}
