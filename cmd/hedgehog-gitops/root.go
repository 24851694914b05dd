package main

import (
	"errors"
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
)

// common are the flags of every command.
type common struct {
	config string
	quiet  bool
}

func newRootCommand(a *app) *cobra.Command {
	var c common
	root := &cobra.Command{
		Use:   "hedgehog-gitops",
		Short: "Render Hedgehog fabrics from NetBox into a Git repository",
		Long: `hedgehog-gitops renders the manifests of Hedgehog fabrics from what NetBox
documents, as files for a Git repository that Argo CD or Flux applies. The way
back documents the manifests of a running fabric in NetBox (import).

` + exitHelp() + `
Environment:
  NETBOX_URL    base address of NetBox, where the configuration says none
  NETBOX_TOKEN  API token; it never stands in a file
  GITHUB_TOKEN  token for the repository and its pull requests on GitHub
  GITEA_TOKEN   the same on Gitea or Forgejo
  GIT_TOKEN     password for a repository without a forge
  NO_COLOR      any value: no colours`,
		Version:           version(),
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
		Args:              knownCommand,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return cmd.Help()
		},
	}
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.SetVersionTemplate("hedgehog-gitops {{.Version}}\n")
	root.SetHelpCommand(&cobra.Command{Use: "no-help", Hidden: true})
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return hint(err, fmt.Sprintf("%s --help", cmd.CommandPath()))
	})
	flags := root.PersistentFlags()
	flags.StringVar(&c.config, "config", "", "configuration `FILE` (default: hedgehog-gitops.yaml here, if there is one)")
	flags.BoolVar(&c.quiet, "quiet", false, "say nothing but warnings and errors")
	root.AddCommand(
		newInitCommand(a, &c),
		newMigrateCommand(a, &c),
		newSnapshotCommand(a, &c),
		newRenderCommand(a, &c),
		newPublishCommand(a, &c),
		newBootstrapCommand(a, &c),
		newImportCommand(a, &c),
		newDiffCommand(a, &c),
		newValidateCommand(a, &c),
		newExplainCommand(a),
		newConfigCommand(a),
		newVersionCommand(a),
	)
	for _, cmd := range root.Commands() {
		cmd.DisableFlagsInUseLine = true
	}
	return root
}

// knownCommand refuses a command that there is not.
func knownCommand(root *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, cmd := range root.Commands() {
		if !cmd.Hidden {
			names = append(names, cmd.Name())
		}
	}
	advice := "hedgehog-gitops --help"
	if near := closest(args[0], names); near != "" {
		advice = fmt.Sprintf("did you mean hedgehog-gitops %s?", near)
	}
	return hint(fmt.Errorf("there is no command %q", args[0]), advice)
}

func addFabricFlag(cmd *cobra.Command, fabric *string) {
	cmd.Flags().StringVar(fabric, "fabric", "", "only the fabric `NAME` (default: all of the configuration)")
}

// exitHelp is the table of exit codes as --help shows it.
func exitHelp() string {
	var text strings.Builder
	text.WriteString("Exit codes:\n")
	for _, row := range exitCodes() {
		fmt.Fprintf(&text, "  %-3d  %s\n", row.Code, row.Meaning)
	}
	return text.String()
}

// format is how a result is printed.
type format string

const (
	formatText  format = "text"
	formatJSON  format = "json"
	formatHhfab format = "hhfab"
)

// formatFlags are --json and --format.
type formatFlags struct {
	json   bool
	format string
}

func (f *formatFlags) add(cmd *cobra.Command, also ...format) {
	names := []string{string(formatText), string(formatJSON)}
	for _, name := range also {
		names = append(names, string(name))
	}
	cmd.Flags().BoolVar(&f.json, "json", false, "same as --format json")
	cmd.Flags().StringVar(&f.format, "format", string(formatText), "`FORMAT` of the result: "+strings.Join(names, ", "))
}

// choose returns the format asked for; also are those beside text and json.
func (f *formatFlags) choose(also ...format) (format, error) {
	chosen := format(f.format)
	if f.json {
		if chosen != formatText && chosen != formatJSON {
			return "", fmt.Errorf("--json and --format %s exclude each other", chosen)
		}
		return formatJSON, nil
	}
	for _, known := range append([]format{formatText, formatJSON}, also...) {
		if chosen == known {
			return chosen, nil
		}
	}
	return "", fmt.Errorf("there is no format %q here", f.format)
}

func newVersionCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version of this program",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintf(a.stdout, "hedgehog-gitops %s\n", version())
			return err
		},
	}
}

// version is what the Go toolchain recorded when it built the program.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}

var errNoOutput = errors.New("nowhere to write to: -o is missing")
