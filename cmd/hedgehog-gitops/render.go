package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"hedgehog-gitops/render"
	"hedgehog-gitops/render/hedgehog"
	"hedgehog-gitops/render/netbox"
	"hedgehog-gitops/render/tree"
)

type renderOptions struct {
	app    *app
	common *common

	output        string
	fabric        string
	snapshot      string
	overwrite     bool
	target        string
	fabricVersion string
	format        formatFlags
}

func newRenderCommand(a *app, c *common) *cobra.Command {
	o := renderOptions{app: a, common: c}
	cmd := &cobra.Command{
		Use:   "render -o DIR",
		Short: "Render fabrics from NetBox into the files of a repository",
		Long: `Renders what NetBox says a fabric should be as manifests, checks them by the
rules of Hedgehog, builds them with kustomize and people's overlays, and writes
the files that differ into DIR, the root of the repository. A run that finds
nothing new writes nothing.

A fabric with an error is not rendered at all; the others are. Files that were
edited by hand, and files that are not ours, are left alone and named.

Without a configuration file, --fabric NAME is the NetBox site of that slug with
every default.`,
		Example: `  hedgehog-gitops render -o .
  hedgehog-gitops render --fabric lab -o - | kubectl diff -f -
  hedgehog-gitops render --fabric lab --format hhfab -o include/fabric.yaml
  hedgehog-gitops render --snapshot netbox.json -o .`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runRender(cmd.Context(), o)
		},
	}
	flags := cmd.Flags()
	flags.StringVarP(&o.output, "output", "o", "", "`DIR` to write to; - for one stream of YAML on standard output; with --format hhfab a file or -")
	addFabricFlag(cmd, &o.fabric)
	addSnapshotFlag(cmd, &o.snapshot)
	flags.BoolVar(&o.overwrite, "overwrite", false, "replace files that were edited by hand")
	flags.StringVar(&o.target, "target", "", "who gets the manifests: cluster or installer (default: the configuration, else cluster)")
	flags.StringVar(&o.fabricVersion, "fabric-version", "", "release of Hedgehog `V` to render for: 26.03 or 26.02 (default: the configuration, else 26.03)")
	o.format.add(cmd, formatHhfab)
	return cmd
}

// renderResult is what the command render did.
type renderResult struct {
	Fabrics []fabricResult
	// Issues are about NetBox as a whole.
	Issues    hedgehog.Issues
	Root      string // of the configuration
	NetBoxURL string // "" when it is not known
	Output    string
}

// fabricResult is what became of one fabric.
type fabricResult struct {
	Name string
	// Rendered is false when an error kept the fabric from being rendered.
	Rendered bool
	// Fabric is what NetBox gives, nil when an error kept it from being mapped.
	Fabric  *hedgehog.Fabric
	Objects int
	// Settings are those that the fabric is judged with.
	Settings hedgehog.Settings
	Changes  []tree.Change
	Issues   hedgehog.Issues
	// Stream is set when the fabric was written as one file, StreamChanged when
	// that file changed.
	Stream, StreamChanged bool
	// Err is broken machinery; nil when the issues say all.
	Err error
}

func runRender(ctx context.Context, o renderOptions) error {
	format, err := o.format.choose(formatHhfab)
	if err != nil {
		return err
	}
	if err := o.check(format); err != nil {
		return err
	}
	conf, err := loadConfig(o.common.config, o.app.getenv)
	if err != nil {
		return err
	}
	chosen, err := conf.chosenFabrics(o.fabric, "hedgehog-gitops render")
	if err != nil {
		return err
	}
	if o.output != "-" && format != formatHhfab {
		conf.deployChosen(chosen)
	}
	if len(chosen) > 1 && (o.output == "-" || format == formatHhfab) {
		return hint(fmt.Errorf("one stream holds one fabric, and %s has %d", conf.file, len(chosen)),
			"choose one: --fabric "+chosen[0].name, "or write all of them as files: -o DIR")
	}
	result := renderResult{Output: o.output}
	if result.Root, err = conf.rootFolder(); err != nil {
		return err
	}
	// Only links in messages need the address here.
	result.NetBoxURL, _ = conf.netboxURL()
	snapshot := &netbox.Snapshot{}
	if fabrics := usable(chosen); len(fabrics) > 0 {
		if snapshot, result.Issues, err = o.app.snapshot(ctx, o.common, conf, o.snapshot, fabrics); err != nil {
			return err
		}
	}
	index := netbox.NewIndex(snapshot)
	for _, f := range chosen {
		one := o.renderFabric(ctx, &result, index, f, format)
		if ctx.Err() != nil && errors.Is(one.Err, ctx.Err()) {
			break // nothing of it was written
		}
		result.Fabrics = append(result.Fabrics, one)
	}
	if len(result.Fabrics) == 0 {
		return ctx.Err()
	}
	if err := o.app.showRender(result, format, o.common.quiet); err != nil {
		return err
	}
	if len(result.Fabrics) < len(chosen) {
		return ctx.Err()
	}
	return result.err()
}

// check refuses flags that do not go together.
func (o renderOptions) check(format format) error {
	if o.output == "" {
		return hint(errNoOutput, "hedgehog-gitops render -o . writes into the repository here", "hedgehog-gitops render -o - prints one fabric")
	}
	if o.output == "-" && format == formatJSON {
		return errors.New("-o - and --json exclude each other: both write to standard output")
	}
	if o.overwrite && (o.output == "-" || format == formatHhfab) {
		return errors.New("--overwrite is for the files of a repository: -o DIR")
	}
	return checkTarget(o.target, o.fabricVersion)
}

// renderFabric renders one fabric and writes it. Issues of the whole that are
// this fabric's alone become its own.
func (o renderOptions) renderFabric(ctx context.Context, whole *renderResult, index *netbox.Index, chosen chosenFabric, format format) fabricResult {
	result, rest := mapFabric(index, chosen, whole.Issues, o.override)
	whole.Issues = rest
	if !result.Rendered {
		return result
	}
	if o.output != "-" && format != formatHhfab {
		result.Err = o.writeFiles(ctx, &result, index, chosen, filepath.Join(o.output, filepath.FromSlash(whole.Root)))
	} else if result.add(hedgehog.Validate(result.Fabric, result.Settings)) {
		result.Err = o.writeStream(ctx, &result, format)
	}
	result.Issues.Sort()
	result.Rendered = result.Err == nil && result.Issues.Worst() < hedgehog.Error
	return result
}

// mapFabric returns the objects of a fabric, and the issues about NetBox that are
// not this fabric's alone. It is rendered so far when there is no error.
func mapFabric(index *netbox.Index, chosen chosenFabric, whole hedgehog.Issues, override func(netbox.Config) netbox.Config) (result fabricResult, rest hedgehog.Issues) {
	result.Name = chosen.name
	if chosen.err != nil {
		var f *faulty
		if errors.As(chosen.err, &f) {
			result.Issues = f.issues
		} else {
			result.Err = chosen.err
		}
		return result, whole
	}
	result.Issues, rest = split(whole, func(i hedgehog.Issue) bool {
		return strings.HasPrefix(i.Field, "fabrics."+chosen.name+".")
	})
	if result.Issues.Worst() == hedgehog.Error || rest.Worst() == hedgehog.Error {
		return result, rest
	}
	config := override(chosen.settings.NetBox)
	result.Settings = config.Settings
	fabric, issues := index.Map(config)
	if result.add(issues) {
		result.Fabric, result.Objects, result.Rendered = fabric, fabric.Len(), true
	}
	result.Issues.Sort()
	return result, rest
}

// override lets flags replace what is configured.
func (o renderOptions) override(c netbox.Config) netbox.Config {
	return overridden(c, o.target, o.fabricVersion)
}

// overridden returns the settings with those that flags replace.
func overridden(c netbox.Config, target, fabricVersion string) netbox.Config {
	if target != "" {
		c.Settings.Target = hedgehog.Target(target)
	}
	if fabricVersion != "" {
		c.Settings.FabricVersion = fabricVersion
	}
	return c
}

// checkTarget refuses flags with values that the configuration would refuse.
func checkTarget(to, release string) error {
	if to != "" {
		if err := new(target).UnmarshalText([]byte(to)); err != nil {
			return fmt.Errorf("--target %q %w", to, err)
		}
	}
	if release != "" {
		if err := new(fabricVersion).UnmarshalText([]byte(release)); err != nil {
			return fmt.Errorf("--fabric-version %q %w", release, err)
		}
	}
	return nil
}

// add notes issues and reports whether none of them is an error.
func (r *fabricResult) add(issues hedgehog.Issues) bool {
	r.Issues = append(r.Issues, issues...)
	return issues.Worst() < hedgehog.Error
}

// split returns the issues that are meant, and the others.
func split(issues hedgehog.Issues, meant func(hedgehog.Issue) bool) (these, others hedgehog.Issues) {
	for _, i := range issues {
		if meant(i) {
			these = append(these, i)
		} else {
			others = append(others, i)
		}
	}
	return these, others
}

// writeFiles writes the files of the fabric that differ from those in dir.
// Nothing is written while there is an error among the issues.
func (o renderOptions) writeFiles(ctx context.Context, result *fabricResult, index *netbox.Index, chosen chosenFabric, dir string) error {
	merged, err := tree.Read(dir, render.FabricFolder(result.Name))
	if err != nil {
		return err
	}
	laid, err := layOut(index, render.Input{
		Fabric: result.Name, Objects: result.Fabric, Settings: result.Settings, Merged: merged, Shards: chosen.settings.Shards, Deploy: chosen.deploy,
		Overwrite: o.overwrite,
	})
	if err != nil || !result.add(laid.Issues) {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := tree.Write(dir, laid.Out.Changes); err != nil {
		return err
	}
	result.Changes = laid.Out.Changes
	return nil
}

// laidOut is a fabric as the files of a repository, and what the cluster then gets.
type laidOut struct {
	In      render.Input
	Out     render.Output
	Checked render.Checked
	// Issues are all of them. With an error among them Checked may be empty.
	Issues hedgehog.Issues
}

// layOut lays a fabric out and checks what the cluster then gets: with people's
// patches. The digests of rows are the index's.
func layOut(index *netbox.Index, in render.Input) (laidOut, error) {
	rows, rowsErr := index.Digester(), error(nil)
	in.Rows = func(origins []hedgehog.Origin) string {
		digest, err := rows(origins)
		rowsErr = errors.Join(rowsErr, err)
		return digest
	}
	laid := laidOut{In: in, Out: render.Plan(in)}
	laid.Issues = laid.Out.Issues
	if rowsErr != nil || laid.Issues.Worst() == hedgehog.Error {
		return laid, rowsErr
	}
	var err error
	if laid.Checked, err = render.Check(in, laid.Out); err != nil {
		return laid, err
	}
	laid.Issues = append(slices.Clone(laid.Issues), laid.Checked.Issues...)
	if laid.Issues.Worst() < hedgehog.Error {
		laid.Issues = append(laid.Issues, laid.Checked.Validate(in)...)
	}
	return laid, nil
}

// hedgehogStream is the fabric as one canonical stream.
func hedgehogStream(fabric *hedgehog.Fabric) ([]byte, error) {
	var out bytes.Buffer
	err := hedgehog.Encode(&out, fabric.All())
	return out.Bytes(), err
}

// hhfabStream makes an include file of hhfab of the stream. Its comment stands
// inside the first document: hhfab refuses a document that is only a comment.
func hhfabStream(stream []byte) []byte {
	first, rest, ok := bytes.Cut(stream, []byte("\n"))
	if !ok {
		return stream
	}
	return fmt.Appendf(nil, "%s\n# Generated by hedgehog-gitops from NetBox, do not edit.\n%s", first, rest)
}

// writeStream writes the fabric as one file, or to standard output.
func (o renderOptions) writeStream(ctx context.Context, result *fabricResult, format format) error {
	stream, err := hedgehogStream(result.Fabric)
	if err != nil {
		return err
	}
	if format == formatHhfab {
		stream = hhfabStream(stream)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if o.output == "-" {
		_, err = o.app.stdout.Write(stream)
		return err
	}
	result.Stream = true
	result.StreamChanged, err = writeFile(o.output, stream)
	return err
}

// err says which fabrics were not rendered.
func (r renderResult) err() error {
	var failed []string
	for _, f := range r.Fabrics {
		if !f.Rendered {
			failed = append(failed, f.Name)
		}
	}
	switch {
	case len(failed) == 0:
		return nil
	case len(r.Fabrics) == 1:
		return fmt.Errorf("fabric %s was not rendered", failed[0])
	default:
		return fmt.Errorf("%d of %d fabrics not rendered: %s", len(failed), len(r.Fabrics), strings.Join(failed, ", "))
	}
}
