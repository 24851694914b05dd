package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// pullRequestFlags replace what is configured of a pull request and its people.
type pullRequestFlags struct {
	labels, assignees, reviewers string
	draft, autoMerge, writer     string
}

func (f *pullRequestFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.labels, "labels", "", "`LABELS` to add, separated by commas (default: the configuration)")
	flags.StringVar(&f.assignees, "assignees", "", "`USERS` to assign, separated by commas (default: the configuration)")
	flags.StringVar(&f.reviewers, "reviewers", "", "`USERS` to ask for a review, or teams as org/team, separated by commas (default: the configuration)")
	flags.StringVar(&f.draft, "draft", "", "whether it is a draft: false, true or always (default: the configuration, else false)")
	flags.StringVar(&f.autoMerge, "auto-merge", "", "let the forge merge by itself once it may: merge, squash or rebase (default: the configuration, else never)")
	flags.StringVar(&f.writer, "writer", "", "how commits get to GitHub: auto, git or api (default: the configuration, else auto)")
}

// replace puts what flags say in the place of what is configured.
func (f pullRequestFlags) replace(p *publishConfig) error {
	for _, list := range []struct {
		value string
		into  *[]string
	}{
		{f.labels, &p.PullRequest.Labels},
		{f.assignees, &p.PullRequest.Assignees},
		{f.reviewers, &p.PullRequest.Reviewers},
	} {
		if list.value != "" {
			*list.into = listOf(list.value)
		}
	}
	for _, one := range []struct {
		name, value string
		into        interface{ UnmarshalText([]byte) error }
	}{
		{"draft", f.draft, &p.PullRequest.Draft},
		{"auto-merge", f.autoMerge, &p.PullRequest.AutoMerge},
		{"writer", f.writer, &p.Forge.Writer},
	} {
		if one.value == "" {
			continue
		}
		if err := one.into.UnmarshalText([]byte(one.value)); err != nil {
			return fmt.Errorf("--%s %q %w", one.name, one.value, err)
		}
	}
	return nil
}

// listOf returns the items of a list that commas or line ends separate, each once.
func listOf(text string) []string {
	var list []string
	for item := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == ',' || r == '\n' || r == '\r' }) {
		if item = strings.TrimSpace(item); item != "" && !slices.Contains(list, item) {
			list = append(list, item)
		}
	}
	return list
}
