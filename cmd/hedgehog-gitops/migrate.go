package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"hedgehog-gitops/render"
	"hedgehog-gitops/render/hedgehog"
	"hedgehog-gitops/render/tree"
	"hedgehog-gitops/templates"
)

type migrateOptions struct {
	app    *app
	common *common

	dryRun bool
	format formatFlags
}

func newMigrateCommand(a *app, c *common) *cobra.Command {
	o := migrateOptions{app: a, common: c}
	cmd := &cobra.Command{
		Use:   "migrate [DIR]",
		Short: "Move a repository to the layout of this version",
		Long: `Moves the repository in DIR, or here, to the layout that this version writes, without
NetBox, so that it can be merged as one commit: an overlay for each stage, which the
roots use, the objects of Argo CD and Flux that the configuration asks for, and what
init writes. Files that people wrote or edited stay.

Every root is built before and after. Unless each gives a cluster the same objects,
nothing is written. Run again, it changes nothing.`,
		Example: `  hedgehog-gitops migrate --dry-run
  hedgehog-gitops migrate && git add --all && git commit -m "Layout of hedgehog-gitops"`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runMigrate(cmd.Context(), o, cmp.Or(strings.Join(args, ""), "."))
		},
	}
	cmd.Flags().BoolVar(&o.dryRun, "dry-run", false, "do all but write, and list that")
	o.format.add(cmd)
	return cmd
}

// migrateResult is what the command migrate did.
type migrateResult struct {
	Dir    string
	DryRun bool
	// Fabrics are those of the repository.
	Fabrics []migratedFabric
	// Changes are what was written, by path in the repository.
	Changes []tree.Change
	Issues  hedgehog.Issues
}

// migratedFabric is a fabric whose roots were built before and after.
type migratedFabric struct {
	Name           string
	Roots, Objects int
}

var errNotMigrated = errors.New("not migrated: nothing was written")

func runMigrate(ctx context.Context, o migrateOptions, dir string) error {
	format, err := o.format.choose()
	if err != nil {
		return err
	}
	repo, err := o.app.repositoryAt(dir)
	if err != nil {
		return err
	}
	if repo == nil {
		return hint(fmt.Errorf("there is no repository of fabrics in %s", dir), "hedgehog-gitops init begins one")
	}
	conf, err := o.app.configFor(o.common, map[string]*repository{dir: repo})
	if err != nil {
		return err
	}
	result := migrateResult{Dir: dir, DryRun: o.dryRun}
	root, err := filepath.Rel(dir, repo.top)
	if err != nil {
		return err
	}
	for _, name := range repo.fabrics() {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := o.migrate(&result, conf, repo, filepath.ToSlash(root), name); err != nil {
			return err
		}
	}
	if err := o.scaffold(&result, conf, repo, dir); err != nil {
		return err
	}
	result.Issues.Sort()
	failed := result.Issues.Worst() == hedgehog.Error
	if !failed && !o.dryRun {
		if err := tree.Write(dir, result.Changes); err != nil {
			return err
		}
	}
	if err := o.app.showMigrate(result, format, o.common.quiet); err != nil {
		return err
	}
	if failed {
		return errNotMigrated
	}
	return nil
}

// migrate adds to the result what changes in one fabric's folder.
func (o migrateOptions) migrate(result *migrateResult, conf *config, repo *repository, root, name string) error {
	names, err := conf.fabricNames()
	if err != nil {
		return err
	}
	if len(names) > 0 && !slices.Contains(names, name) {
		result.Issues = append(result.Issues, hedgehog.Issue{
			Rule: "migrate-unknown", Severity: hedgehog.Notice, Origin: repo.origin(hedgehog.Origin{File: render.FabricFolder(name)}),
			Summary: fmt.Sprintf("%s does not list the fabric %s, so its files are left as they are", conf.file, name),
			Hint:    "remove the folder, or list the fabric",
		})
		return nil
	}
	settings, err := conf.fabric(name)
	if err != nil {
		return err
	}
	before, err := tree.Read(repo.top, render.FabricFolder(name))
	if err != nil {
		return err
	}
	after := before.Clone()
	for _, stage := range render.Stages() {
		if len(after.Below(render.OverlayFolder(name, stage)).Paths()) > 0 {
			continue // people's
		}
		content, err := templates.Render("overlay.yaml", templates.Repository{Fabrics: []templates.Fabric{{Name: name, Stage: stage}}})
		if err != nil {
			return err
		}
		if err := after.Set(overlayFile(name, stage), content); err != nil {
			return err
		}
	}
	in := render.Input{Fabric: name, Merged: after}
	if in.Deploy, err = conf.deployed(settings.Deploy); err != nil {
		return err
	}
	out := render.Migrate(in)
	issues := out.Issues
	if after, err = after.Apply(out.Changes); err != nil {
		return err
	}
	if issues.Worst() < hedgehog.Error {
		fabric := migratedFabric{Name: name}
		var differs hedgehog.Issues
		if fabric.Roots, fabric.Objects, differs, err = render.SameBuild(before, after, name); err != nil {
			return err
		}
		issues = append(issues, differs...)
		result.Fabrics = append(result.Fabrics, fabric)
	}
	for _, i := range issues {
		i.Origin = repo.origin(i.Origin)
		result.Issues = append(result.Issues, i)
	}
	for _, c := range tree.Diff(before, after) {
		c.Path = path.Join(root, c.Path)
		result.Changes = append(result.Changes, c)
	}
	return nil
}

// scaffold adds what init would write into a repository with a configuration, and the
// schema of this version's configuration.
func (o migrateOptions) scaffold(result *migrateResult, conf *config, repo *repository, dir string) error {
	if repo.conf == nil {
		return nil
	}
	var scaffold initResult
	if err := (initOptions{app: o.app, common: o.common}).files(&scaffold, conf, dir); err != nil {
		return err
	}
	written := map[string]bool{}
	for _, c := range result.Changes {
		written[c.Path] = true
	}
	for _, f := range scaffold.Files {
		if written[f.Path] {
			continue
		}
		have, err := tree.Read(dir, f.Path)
		if err != nil {
			return err
		}
		was, there := have.Get(f.Path)
		switch {
		case !there:
			result.Changes = append(result.Changes, tree.Change{Op: tree.Added, Path: f.Path, New: f.content})
		case f.Path == schemaName && string(was) != string(f.content):
			result.Changes = append(result.Changes, tree.Change{Op: tree.Changed, Path: f.Path, Old: was, New: f.content})
		}
	}
	return nil
}
