package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"hedgehog-gitops/render/hedgehog"
)

func newExplainCommand(a *app) *cobra.Command {
	var asked formatFlags
	cmd := &cobra.Command{
		Use:   "explain [RULE]",
		Short: "Explain a rule that manifests are judged by",
		Long: `Says what a rule of validate wants, why the cluster wants it, what to do, and shows
manifests that break it and manifests that keep it. RULE is the word in brackets that
ends an error or a warning.

Without RULE it lists all of them.`,
		Example: `  hedgehog-gitops explain vpc-name-ext
  hedgehog-gitops explain`,
		Args: cobra.MaximumNArgs(1),
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return ruleIDs(), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error {
			format, err := asked.choose()
			if err != nil {
				return err
			}
			if len(args) == 0 {
				return a.showRules(hedgehog.Rules(), format)
			}
			id := strings.Trim(args[0], "[]")
			e, ok, err := hedgehog.Explain(id)
			switch {
			case err != nil:
				return err
			case !ok:
				advice := "hedgehog-gitops explain lists the rules"
				if near := closest(id, ruleIDs()); near != "" {
					advice = fmt.Sprintf("did you mean %s?", near)
				}
				return hint(fmt.Errorf("there is no rule %q", id), advice)
			}
			return a.showExplanation(e, format)
		},
	}
	asked.add(cmd)
	return cmd
}

// ruleIDs returns the ids of all rules, sorted.
func ruleIDs() []string {
	var ids []string
	for _, r := range hedgehog.Rules() {
		ids = append(ids, r.ID)
	}
	slices.Sort(ids)
	return ids
}
