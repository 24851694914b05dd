package review

import (
	"regexp"
	"slices"
	"strings"

	"hedgehog-gitops/render/hedgehog"
)

// redacted stands where a secret stood.
const redacted = "(redacted)"

// secretName matches the names of fields, labels and annotations that hold
// secrets. The kinds themselves have no such field; what this version does not
// know, and what people add, may.
var secretName = regexp.MustCompile(`(?i)(passwords?|passwd|passphrase|secrets?|tokens?|psk|credentials?|(api|auth|private|md5|ssh|secret|access|shared)[-_.]?keys?)$`)

// isSecret reports whether one of the steps to a value says that it is secret.
func isSecret(steps ...string) bool { return slices.ContainsFunc(steps, secretName.MatchString) }

// sureSecret matches what is a secret wherever it stands, and likelySecret what
// looks like one. What their groups match is kept.
var (
	sureSecret = regexp.MustCompile(`(?is)` + strings.Join([]string{
		`-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,20}PRIVATE KEY-----|$)`,
		`\bgh[pousr]_[a-z0-9]{20,}`,
		`\bgithub_pat_[a-z0-9_]{20,}`,
		`\bglpat-[a-z0-9_-]{16,}`,
		`\bakia[0-9a-z]{16}\b`,
		`\bxox[abprs]-[a-z0-9-]{10,}`,
		`\bnbt_[a-z0-9]{8,}\.[a-z0-9]{16,}`,
		`\beyj[a-z0-9_-]{10,}\.[a-z0-9_-]{10,}\.[a-z0-9_-]*`,
		`\$(?:1|2[aby]?|5|6|7|8|9|y|gy)\$[./a-z0-9$,=]{16,}`,
		`(://)[^/\s:@]*:[^/\s@]+@`,
	}, "|"))
	likelySecret = regexp.MustCompile(`(?is)` + strings.Join([]string{
		`(\b(?:bearer|token)\s{1,3})[a-z0-9._~+/-]{20,}=*`,
		`(\b(?:[a-z0-9]{1,20}[-_])?(?:password|passwd|passphrase|secret|token|psk|api[-_]?key)["']?\s{0,3}[=:]\s{0,3})[^\s,;]+`,
	}, "|"))
)

// secretHints are short: what contains none of them is not looked at closely.
var secretHints = []string{"-----begin", "gh", "glpat", "akia", "xox", "nbt_", "eyj", "$", "://", "pass", "secret", "token", "psk", "key", "bearer"}

// redact takes out what looks like a secret.
func redact(text string) string {
	lower := strings.ToLower(text)
	if !slices.ContainsFunc(secretHints, func(hint string) bool { return strings.Contains(lower, hint) }) {
		return text
	}
	for _, secret := range []*regexp.Regexp{sureSecret, likelySecret} {
		text = secret.ReplaceAllStringFunc(text, func(found string) string {
			for _, kept := range secret.FindStringSubmatch(found)[1:] {
				if kept == "://" {
					return kept + redacted + "@"
				}
				if kept != "" {
					return kept + redacted
				}
			}
			return redacted
		})
	}
	return text
}

// Secrets returns an issue for every secret in a fabric: an error, because nothing
// of it may be written to Git, where it would stay for ever; a warning for a text
// that only looks like one.
func Secrets(f *hedgehog.Fabric) hedgehog.Issues {
	var issues hedgehog.Issues
	if f == nil {
		return nil
	}
	for o := range f.All() {
		for _, fact := range flatten(o, nil) {
			issue := hedgehog.Issue{
				Rule: "secret", Severity: hedgehog.Error, Object: o.Key(), Field: fact.path, Origin: o.Origin(),
				Summary: fact.path + " is a secret: everybody who can read the repository could read it, for ever",
				Hint:    "take it out of the record in NetBox, and replace the secret",
			}
			switch {
			case fact.secret && !slices.Contains([]string{"null", "true", "false", "{}", "[]", `""`}, fact.text), sureSecret.MatchString(fact.text):
			case redact(fact.text) != fact.text:
				issue.Severity = hedgehog.Warning
				issue.Summary = fact.path + " looks like a secret, which everybody who can read the repository will read"
			default:
				continue
			}
			issues = append(issues, issue)
		}
	}
	issues.Sort()
	return issues
}
