package review

import (
	"fmt"
	"html"
	"slices"
	"strconv"
	"strings"

	"hedgehog-gitops/render/hedgehog"
)

// Words is a sentence, or a part of one, in which what comes from people's records
// is kept apart from our own words.
type Words []Word

// Word is a run of text.
type Word struct {
	Text string
	// Name is whether the text is not ours: a name, an address, a value.
	Name bool
}

// name is a text that is not ours.
type name string

// say joins our own words (string), other people's (name), and Words.
func say(parts ...any) Words {
	var words Words
	for _, part := range parts {
		switch p := part.(type) {
		case string:
			words = append(words, Word{Text: p})
		case name:
			words = append(words, Word{string(p), true})
		case Words:
			words = append(words, p...)
		case int:
			words = append(words, Word{Text: number(p)})
		default:
			panic(fmt.Sprintf("review: say %T", part))
		}
	}
	return words
}

// String returns the sentence for a terminal or a log: one printable line.
func (w Words) String() string {
	return w.text(func(text string) string { return clean(text, longestName) })
}

// MarshalText returns the sentence as JSON holds it.
func (w Words) MarshalText() ([]byte, error) { return []byte(w.String()), nil }

func (w Words) markdown() string { return w.text(Code) }

// line returns the sentence for a title or a commit message.
func (w Words) line() string { return w.text(Line) }

// element returns the sentence for the inside of an HTML element.
func (w Words) element() string {
	var b strings.Builder
	for _, word := range w {
		if word.Name {
			b.WriteString("<code>" + element(word.Text) + "</code>")
		} else {
			b.WriteString(html.EscapeString(word.Text))
		}
	}
	return b.String()
}

func (w Words) text(of func(string) string) string {
	var b strings.Builder
	for _, word := range w {
		if word.Name {
			b.WriteString(of(word.Text))
		} else {
			b.WriteString(word.Text)
		}
	}
	return b.String()
}

// names returns the names as a list of which at most so many are spelt out:
// "a, b and 3 more".
func names(list []string, most int) Words {
	var words Words
	for i, n := range list {
		switch {
		case i == most && i > 0:
			return append(words, Word{Text: " and " + number(len(list)-most) + " more"})
		case i > 0 && i == len(list)-1:
			words = append(words, Word{Text: " and "})
		case i > 0:
			words = append(words, Word{Text: ", "})
		}
		words = append(words, Word{n, true})
	}
	return words
}

// and joins sentences: "a, b and c".
func and(list []Words, comma string) Words {
	var words Words
	for i, w := range list {
		switch {
		case i > 0 && i == len(list)-1:
			words = append(words, Word{Text: " and "})
		case i > 0:
			words = append(words, Word{Text: comma})
		}
		words = append(words, w...)
	}
	return words
}

// number returns the number with its thousands set off: 70,000.
func number(n int) string {
	digits := strconv.Itoa(n)
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// count returns "1 server", "3 servers".
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return number(n) + " " + plural(noun)
}

// is returns the verb that goes with a count.
func is(n int) string {
	if n == 1 {
		return " is"
	}
	return " are"
}

// does returns the verb that goes with a count: loses, lose.
func does(n int, one, many string) string {
	if n == 1 {
		return " " + one
	}
	return " " + many
}

func plural(noun string) string {
	switch {
	case strings.HasSuffix(noun, "ch"):
		return noun + "es"
	case strings.HasSuffix(noun, "ity"), strings.HasSuffix(noun, "cy"):
		return strings.TrimSuffix(noun, "y") + "ies"
	}
	return noun + "s"
}

// noun returns what people call an object of the kind.
func noun(kind hedgehog.Kind) string {
	switch kind {
	case hedgehog.KindVLANNamespace:
		return "VLAN namespace"
	case hedgehog.KindIPv4Namespace:
		return "IPv4 namespace"
	case hedgehog.KindSwitchGroup:
		return "switch group"
	case hedgehog.KindGatewayGroup:
		return "gateway group"
	case hedgehog.KindSwitch:
		return "switch"
	case hedgehog.KindServer:
		return "server"
	case hedgehog.KindGateway:
		return "gateway"
	case hedgehog.KindVPC:
		return "VPC"
	case hedgehog.KindExternal:
		return "external"
	case hedgehog.KindConnection:
		return "connection"
	case hedgehog.KindVPCAttachment:
		return "VPC attachment"
	case hedgehog.KindVPCPeering:
		return "VPC peering"
	case hedgehog.KindExternalAttachment:
		return "external attachment"
	case hedgehog.KindExternalPeering:
		return "external peering"
	case hedgehog.KindGatewayPeering:
		return "gateway peering"
	}
	return "other object" // its kind is anybody's text
}

// Object returns what people call an object: "VPC web".
func Object(key hedgehog.Key) Words { return object(key) }

// object returns "VPC web".
func object(key hedgehog.Key) Words {
	if !key.Kind.Known() {
		return say(name(key.Kind), " ", name(key.Name))
	}
	return say(noun(key.Kind), " ", name(key.Name))
}

// sortedSet returns the members in order, each once.
func sortedSet(list []string) []string {
	slices.Sort(list)
	return slices.Compact(list)
}

// cutLast cuts the text at its last space.
func cutLast(text string) (before, after string, ok bool) {
	i := strings.LastIndexByte(text, ' ')
	if i < 0 {
		return "", text, false
	}
	return text[:i], text[i+1:], true
}
