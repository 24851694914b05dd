package review

import (
	"strconv"
	"strings"

	"hedgehog-gitops/render/hedgehog"
)

// mostAnnotations is how many annotations of a severity GitHub shows for a step.
const mostAnnotations = 10

// Annotations returns lines which, printed to the log of a GitHub workflow, show
// the worst issues beside their files: at most ten errors and ten warnings, and a
// line that says how many more there are. Where NetBox is at fault, its address
// stands in the text.
func Annotations(issues hedgehog.Issues, links Links) []string {
	sorted := append(hedgehog.Issues(nil), issues...)
	sorted.Sort()
	var lines []string
	counts := map[hedgehog.Severity]int{}
	for _, i := range sorted {
		if i.Severity == hedgehog.Notice {
			continue
		}
		if counts[i.Severity]++; counts[i.Severity] <= mostAnnotations {
			lines = append(lines, annotation(i, links))
		}
	}
	var more []string
	for _, severity := range []hedgehog.Severity{hedgehog.Error, hedgehog.Warning} {
		if n := counts[severity] - mostAnnotations; n > 0 {
			more = append(more, number(n)+" more "+plural(severity.String()))
			if n == 1 {
				more[len(more)-1] = "1 more " + severity.String()
			}
		}
	}
	if len(more) > 0 {
		lines = append(lines, "::notice title=hedgehog-gitops::"+strings.Join(more, " and ")+" in the report")
	}
	return lines
}

func annotation(i hedgehog.Issue, links Links) string {
	properties := ""
	if i.Origin.File != "" && i.Origin.File != "-" {
		properties = "file=" + workflowProperty(i.Origin.File) + ","
		if i.Origin.Line > 0 {
			properties += "line=" + strconv.Itoa(i.Origin.Line) + ","
		}
	}
	text := i.Summary
	if i.Object != (hedgehog.Key{}) {
		text = i.Object.String() + ": " + text
	}
	if i.Origin.Path != "" {
		text += " (" + (Request{Links: links}).netbox(i.Origin.Path) + ")"
	}
	if i.Hint != "" {
		text += ". Hint: " + i.Hint
	}
	return "::" + i.Severity.String() + " " + properties + "title=" + workflowProperty(i.Rule) + "::" + workflowText(text)
}

// workflowText returns the text for the message of a workflow command, on one line.
func workflowText(text string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(clean(text, longestText))
}

// workflowProperty returns the text for a property of a workflow command.
func workflowProperty(text string) string {
	return strings.NewReplacer(":", "%3A", ",", "%2C").Replace(workflowText(text))
}
