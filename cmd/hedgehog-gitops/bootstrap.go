package main

import (
	"context"

	"github.com/spf13/cobra"

	"hedgehog-gitops/render/netbox/rest"
)

type bootstrapOptions struct {
	app    *app
	common *common

	dryRun bool
	format formatFlags
}

func newBootstrapCommand(a *app, c *common) *cobra.Command {
	o := bootstrapOptions{app: a, common: c}
	cmd := &cobra.Command{
		Use:   "bootstrap",
		Short: "Create in NetBox what the mapping needs",
		Long: `Creates in NetBox what it has no place for by itself: custom fields in one group,
the choices of the selections, the tag, and the IPAM role of DHCP ranges. What is
there already stays as people have it; a second run does nothing. The token
needs the right to write.`,
		Example: `  hedgehog-gitops bootstrap --dry-run
  hedgehog-gitops bootstrap`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runBootstrap(cmd.Context(), o)
		},
	}
	cmd.Flags().BoolVar(&o.dryRun, "dry-run", false, "show what there is to do, and write nothing")
	o.format.add(cmd)
	return cmd
}

// bootstrapResult is what the command bootstrap did, or would do.
type bootstrapResult struct {
	DryRun  bool
	Actions []rest.Action
	// Complete is false when an error stopped it on the way.
	Complete bool
}

func runBootstrap(ctx context.Context, o bootstrapOptions) error {
	format, err := o.format.choose()
	if err != nil {
		return err
	}
	conf, err := loadConfig(o.common.config, o.app.getenv)
	if err != nil {
		return err
	}
	tag, err := conf.tag()
	if err != nil {
		return err
	}
	client, done, err := o.app.netboxClient(o.common, conf)
	if err != nil {
		return err
	}
	actions, failure := rest.Bootstrap(ctx, client, rest.BootstrapOptions{Tag: tag, DryRun: o.dryRun})
	done()
	result := bootstrapResult{DryRun: o.dryRun, Actions: actions, Complete: failure == nil}
	if err := o.app.showBootstrap(result, format, o.common.quiet); err != nil {
		return err
	}
	return failure
}
