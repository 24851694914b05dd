package netbox

import (
	"cmp"
	"strings"
)

// slug turns a name as people type it into one that Kubernetes takes: lower
// case, what is not a letter, digit, dot or hyphen becomes a hyphen (several in
// a row one), and no hyphen or dot at either end. A name that is fine stays as
// it is. Empty when nothing is left.
func slug(name string) string {
	var out strings.Builder
	lower := strings.ToLower(name)
	for i := 0; i < len(lower); {
		if c := lower[i]; c == '.' || isWord(c) {
			out.WriteByte(c)
			i++
			continue
		}
		// A run of hyphens stays, a run with anything else in it becomes one.
		end := i
		for end < len(lower) && lower[end] != '.' && !isWord(lower[end]) {
			end++
		}
		if run := lower[i:end]; strings.Trim(run, "-") == "" {
			out.WriteString(run)
		} else {
			out.WriteByte('-')
		}
		i = end
	}
	return strings.Trim(out.String(), "-.")
}

func isWord(c byte) bool { return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' }

// portName is the name of a server's or gateway's port: unchanged but for
// blanks, which become hyphens.
func portName(name string) string {
	return strings.Join(strings.Fields(name), "-")
}

// natural orders names with runs of digits as numbers: E1/5 before E1/11.
func natural(a, b string) int {
	i, j := 0, 0
	for i < len(a) && j < len(b) {
		if isDigit(a[i]) && isDigit(b[j]) {
			x, y := digits(a[i:]), digits(b[j:])
			i, j = i+len(x), j+len(y)
			x, y = strings.TrimLeft(x, "0"), strings.TrimLeft(y, "0")
			if c := cmp.Or(cmp.Compare(len(x), len(y)), strings.Compare(x, y)); c != 0 {
				return c
			}
			continue
		}
		if a[i] != b[j] {
			return cmp.Compare(a[i], b[j])
		}
		i, j = i+1, j+1
	}
	// Equal but for leading zeros, or one is the beginning of the other.
	return cmp.Or(cmp.Compare(len(a)-i, len(b)-j), strings.Compare(a, b))
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func digits(s string) string {
	n := 0
	for n < len(s) && isDigit(s[n]) {
		n++
	}
	return s[:n]
}
