package hedgehog_test

import (
	"slices"
	"strings"
	"testing"

	"hedgehog-gitops/render/hedgehog"
)

// TestEveryRuleIsExplained: every rule has a reason, an example that it refuses,
// for nothing else, and one that nothing refuses.
func TestEveryRuleIsExplained(t *testing.T) {
	t.Parallel()
	for _, rule := range hedgehog.Rules() {
		t.Run(rule.ID, func(t *testing.T) {
			t.Parallel()
			e, ok, err := hedgehog.Explain(rule.ID)
			if !ok || err != nil {
				t.Fatal(ok, err)
			}
			if e.Why == "" || e.Fails.Excerpt == "" || e.Passes.Excerpt == "" {
				t.Errorf("something is not said: %+v", e)
			}
			if e.Fails.Excerpt == e.Passes.Excerpt {
				t.Error("both examples show the same")
			}
			for name, example := range map[string]hedgehog.Example{"fails": e.Fails, "passes": e.Passes} {
				hit := false
				for _, issue := range judged(t, e, example) {
					hit = hit || issue.Rule == rule.ID
					if wanted := name == "fails" && (issue.Rule == rule.ID || slices.Contains(e.Also, issue.Rule)); !wanted && (issue.Severity == hedgehog.Error || issue.Rule == rule.ID) {
						t.Errorf("%s: %s: %s", name, issue.Rule, issue)
					}
				}
				if hit != (name == "fails") {
					t.Errorf("%s: the rule says something: %v\n%s", name, hit, example.Excerpt)
				}
			}
		})
	}
}

// judged returns what is said of an example: of the step to it, when it is one.
func judged(t *testing.T, e hedgehog.Explanation, example hedgehog.Example) hedgehog.Issues {
	settings := hedgehog.DefaultSettings()
	settings.FabricVersion, settings.Gateway, settings.Target = e.Version, e.Gateway, e.Target
	after := decode(t, "-", example.Manifests)
	if e.Before != nil {
		return append(after.Issues, hedgehog.ValidateUpdate(decode(t, "-", e.Before.Manifests).Fabric, after.Fabric, settings)...)
	}
	return append(after.Issues, hedgehog.Validate(after.Fabric, settings)...)
}

// TestNoRuleNoExplanation: nothing is said of a rule that there is not.
func TestNoRuleNoExplanation(t *testing.T) {
	t.Parallel()
	if _, ok, err := hedgehog.Explain("vpc-nam-length"); ok || err != nil {
		t.Error(ok, err)
	}
}

// TestExamplesSpeakOfRules: no row is of a rule that is gone.
func TestExamplesSpeakOfRules(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	for _, rule := range hedgehog.Rules() {
		known[rule.ID] = true
	}
	for line := range strings.Lines(readFile(t, "examples/rules.yaml")) {
		id, _, ok := strings.Cut(line, ": ")
		if ok && !strings.HasPrefix(line, "#") && !known[id] {
			t.Errorf("there is no rule %s", id)
		}
	}
}
