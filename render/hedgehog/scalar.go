package hedgehog

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// resolveScalar returns what a plain scalar means to a Kubernetes API server,
// whose YAML is version 1.1 without numbers to the base of sixty and without
// dates: nil, a bool, int64, uint64, float64 or string.
//
// Source: sigs.k8s.io/yaml, which kubectl, Argo CD and Flux all read with; a
// fuzz test compares the two.
func resolveScalar(text string) any {
	if text == "" {
		return nil
	}
	switch first := text[0]; {
	case strings.IndexByte("yYnNtTfFoO~.+-0123456789", first) < 0:
		return text
	case first < '0' || first > '9':
		switch text {
		case "~", "null", "Null", "NULL":
			return nil
		case "y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON":
			return true
		case "n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF":
			return false
		case ".nan", ".NaN", ".NAN":
			return math.NaN()
		case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF":
			return math.Inf(1)
		case "-.inf", "-.Inf", "-.INF":
			return math.Inf(-1)
		}
		if first == '.' {
			if f, err := strconv.ParseFloat(text, 64); err == nil {
				return f
			}
			return text
		}
		if first != '+' && first != '-' {
			return text
		}
	}
	return resolveNumber(text)
}

// resolveNumber reads a scalar that begins with a digit or a sign.
func resolveNumber(text string) any {
	plain := strings.ReplaceAll(text, "_", "")
	if i, err := strconv.ParseInt(plain, 0, 64); err == nil {
		return i
	}
	if u, err := strconv.ParseUint(plain, 0, 64); err == nil {
		return u
	}
	if isFloat(plain) {
		if f, err := strconv.ParseFloat(plain, 64); err == nil {
			return f
		}
	}
	// "-0b-1" is the reader's own slip: it takes the sign twice.
	if digits, ok := strings.CutPrefix(plain, "0b"); ok {
		if i, err := strconv.ParseInt(digits, 2, 64); err == nil {
			return i
		}
	}
	return text
}

// isFloat reports whether text is decimal digits with a point or an exponent.
func isFloat(text string) bool {
	digits := func() int {
		n := 0
		for n < len(text) && text[n] >= '0' && text[n] <= '9' {
			n++
		}
		text = text[n:]
		return n
	}
	sign := func() {
		if text != "" && (text[0] == '+' || text[0] == '-') {
			text = text[1:]
		}
	}
	sign()
	whole, part := digits(), 0
	if strings.HasPrefix(text, ".") {
		text = text[1:]
		part = digits()
	}
	if whole+part == 0 {
		return false
	}
	if text == "" {
		return true
	}
	if text[0] != 'e' && text[0] != 'E' {
		return false
	}
	text = text[1:]
	sign()
	return digits() > 0 && text == ""
}

// resolveKey returns what a plain scalar means as a key of a mapping, which is
// always text in JSON: on is "true", 1_000 is "1000". A null is no key.
func resolveKey(text string) (string, bool) {
	switch v := resolveScalar(text).(type) {
	case string:
		return v, true
	case bool:
		return strconv.FormatBool(v), true
	case int64:
		return strconv.FormatInt(v, 10), true
	case float64:
		switch {
		case math.IsNaN(v):
			return ".nan", true
		case math.IsInf(v, 1):
			return ".inf", true
		case math.IsInf(v, -1):
			return "-.inf", true
		}
		return strconv.FormatFloat(v, 'g', -1, 32), true
	}
	return "", false
}

var (
	base60    = regexp.MustCompile(`^[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?$`)
	timestamp = regexp.MustCompile(`^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt \t]|$)`)
)

// mustQuote reports whether some YAML reader takes the text, left plain, for
// something other than itself: a number, a date, a truth value, null, a merge
// key, or with a character lost. It knows the readers of Go (yaml v2 and v3),
// Python (PyYAML) and YAML 1.2.
func mustQuote(text string) bool {
	if text == "" || text == "=" || text == "<<" {
		return true
	}
	for i := 0; i < len(text); i++ {
		if c := text[i]; c < ' ' || c >= 0x7f {
			return !printable(text) || looksTyped(text)
		}
	}
	return looksTyped(text)
}

// looksTyped reports whether text is not a string to some reader.
func looksTyped(text string) bool {
	if _, ok := resolveScalar(text).(string); !ok {
		return true
	}
	first := text[0]
	if first != '.' && first != '+' && first != '-' && (first < '0' || first > '9') {
		return false
	}
	return base60.MatchString(text) || timestamp.MatchString(text) || strings.IndexByte(text, '_') >= 0
}

// printable reports whether every character of text is one that a line of a
// text file may hold and that all readers agree on.
func printable(text string) bool {
	for _, r := range text {
		if !unicode.IsPrint(r) {
			return false
		}
	}
	return utf8.ValidString(text)
}
