package main

import (
	"bytes"
	"context"
	"errors"

	"github.com/spf13/cobra"

	"hedgehog-gitops/render/hedgehog"
)

type snapshotOptions struct {
	app    *app
	common *common

	output string
	fabric string
	format formatFlags
}

func newSnapshotCommand(a *app, c *common) *cobra.Command {
	o := snapshotOptions{app: a, common: c}
	cmd := &cobra.Command{
		Use:   "snapshot -o FILE",
		Short: "Read NetBox and save what matters as one file",
		Long: `Reads from NetBox what the fabrics need and saves it as one JSON file, sealed by a
digest of its rows. Every command that reads NetBox reads such a file instead
with --snapshot FILE: a render can be repeated without NetBox, byte for byte.

The file holds names and addresses of devices, and no secret.`,
		Example: `  hedgehog-gitops snapshot -o netbox.json
  hedgehog-gitops snapshot -o - | gzip > netbox.json.gz`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runSnapshot(cmd.Context(), o)
		},
	}
	cmd.Flags().StringVarP(&o.output, "output", "o", "", "`FILE` to write, - for standard output")
	addFabricFlag(cmd, &o.fabric)
	o.format.add(cmd)
	return cmd
}

// snapshotResult is what the command snapshot did.
type snapshotResult struct {
	File string
	// Read is false when an issue kept the snapshot from being written.
	Read      bool
	Changed   bool
	Digest    string
	ChangeID  int64
	Rows      int
	Issues    hedgehog.Issues
	NetBoxURL string
}

func runSnapshot(ctx context.Context, o snapshotOptions) error {
	format, err := o.format.choose()
	if err != nil {
		return err
	}
	if o.output == "" {
		return hint(errNoOutput, "hedgehog-gitops snapshot -o netbox.json")
	}
	if o.output == "-" && format == formatJSON {
		return errors.New("-o - and --json exclude each other: both write to standard output")
	}
	conf, err := loadConfig(o.common.config, o.app.getenv)
	if err != nil {
		return err
	}
	chosen, err := conf.chosenFabrics(o.fabric, "hedgehog-gitops snapshot")
	if err != nil {
		return err
	}
	for _, f := range chosen {
		if f.err != nil {
			return f.err
		}
	}
	snapshot, issues, err := o.app.snapshot(ctx, o.common, conf, "", usable(chosen))
	if err != nil {
		return err
	}
	result := snapshotResult{File: o.output, Issues: issues}
	result.NetBoxURL, _ = conf.netboxURL()
	if issues.Worst() == hedgehog.Error {
		if err := o.app.showSnapshot(result, format, o.common.quiet); err != nil {
			return err
		}
		return errors.New("no snapshot was written")
	}
	var content bytes.Buffer
	if _, err := snapshot.WriteTo(&content); err != nil {
		return err
	}
	result.Read, result.ChangeID, result.Rows = true, snapshot.ChangeID, snapshot.Rows.Len()
	if result.Digest, err = snapshot.Digest(); err != nil {
		return err
	}
	if o.output == "-" {
		result.File, result.Changed = "standard output", true
		_, err = o.app.stdout.Write(content.Bytes())
	} else {
		result.Changed, err = writeFile(o.output, content.Bytes())
	}
	if err != nil {
		return err
	}
	return o.app.showSnapshot(result, format, o.common.quiet)
}
