package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"hedgehog-gitops/render"
	"hedgehog-gitops/render/hedgehog"
	"hedgehog-gitops/render/netbox"
	"hedgehog-gitops/render/review"
	"hedgehog-gitops/render/tree"
)

type diffOptions struct {
	app    *app
	common *common

	fabric        string
	fabricVersion string
	exitCode      bool
	format        formatFlags
}

func newDiffCommand(a *app, c *common) *cobra.Command {
	o := diffOptions{app: a, common: c}
	cmd := &cobra.Command{
		Use:   "diff OLD NEW",
		Short: "Show what differs between two states of a fabric",
		Long: `Compares two states of a fabric and says what differs, object by object and field
by field, in the words of a network engineer. The order of documents, comments and
defaults that the cluster fills in are no differences.

OLD and NEW are each a file or folder of manifests, an export of a cluster
(kubectl get -o yaml), a repository, a snapshot of NetBox, or - for standard
input. Of a repository, what the cluster gets counts: with people's patches.`,
		Example: `  hedgehog-gitops diff before.yaml after.yaml
  kubectl get vpcs,connections -o yaml | hedgehog-gitops diff - repository
  hedgehog-gitops diff --fabric lab monday.json friday.json`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 2 {
				return hint(fmt.Errorf("diff compares two states, and was given %d", len(args)), "hedgehog-gitops diff OLD NEW")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return runDiff(cmd.Context(), o, args[0], args[1])
		},
	}
	flags := cmd.Flags()
	addFabricFlag(cmd, &o.fabric)
	flags.StringVar(&o.fabricVersion, "fabric-version", "", "release of Hedgehog `V` that snapshots are read for: 26.03 or 26.02 (default: the configuration, else 26.03)")
	addExitCodeFlag(cmd, &o.exitCode, "something differs")
	o.format.add(cmd)
	return cmd
}

func addExitCodeFlag(cmd *cobra.Command, exitCode *bool, when string) {
	cmd.Flags().BoolVar(exitCode, "exit-code", false, "end with 2 when "+when)
}

// diffResult is what the command diff found.
type diffResult struct {
	Fabrics []fabricDiff
	// NetBoxURL is "" when it is not known.
	NetBoxURL string
}

// fabricDiff is what differs of one fabric.
type fabricDiff struct {
	// Name is empty when manifests were compared that say none.
	Name string
	// Compared is false when an issue kept it from being.
	Compared bool
	Changes  review.Changes
	Issues   hedgehog.Issues
}

func runDiff(ctx context.Context, o diffOptions, before, after string) error {
	format, err := o.format.choose()
	if err != nil {
		return err
	}
	if err := checkTarget("", o.fabricVersion); err != nil {
		return err
	}
	if before == "-" && after == "-" {
		return errors.New("OLD and NEW cannot both be standard input")
	}
	repositories, err := o.app.repositoriesAt([]string{before, after})
	if err != nil {
		return notFound(err, "hedgehog-gitops diff")
	}
	conf, err := o.app.configFor(o.common, repositories)
	if err != nil {
		return err
	}
	var sides [2]diffSide
	for i, name := range []string{before, after} {
		if sides[i], err = o.app.diffSide(ctx, name, repositories[name]); err != nil {
			return err
		}
	}
	chosen, err := o.fabrics(conf, repositories, sides)
	if err != nil {
		return err
	}
	result := diffResult{}
	result.NetBoxURL, _ = conf.netboxURL() // only links in messages need it
	for _, f := range chosen {
		one, err := o.compare(sides, f)
		if err != nil {
			return err
		}
		result.Fabrics = append(result.Fabrics, one)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := o.app.showDiff(result, format, o.common.quiet); err != nil {
		return err
	}
	differs := false
	for _, f := range result.Fabrics {
		if !f.Compared {
			return errors.New("not compared: the one or the other cannot be read")
		}
		differs = differs || f.Changes.Len() > 0
	}
	if differs && o.exitCode {
		return errDifferences
	}
	return nil
}

// diffSide is one of the two states that are compared. Exactly one of repo, index
// and objects is set.
type diffSide struct {
	repo    *repository
	index   *netbox.Index
	objects *manifests
}

// hasFabrics reports whether the side is divided into fabrics.
func (s diffSide) hasFabrics() bool { return s.objects == nil }

// diffSide reads one of the two states.
func (a *app) diffSide(ctx context.Context, name string, repo *repository) (diffSide, error) {
	s := diffSide{repo: repo}
	if repo != nil {
		return s, nil
	}
	if info, err := os.Stat(name); name != "-" && err == nil && info.IsDir() {
		read, err := a.readManifests(ctx, []string{name}, nil, "")
		s.objects = &read
		return s, err
	}
	content, err := a.readInput(ctx, name)
	if err != nil {
		return s, err
	}
	if isSnapshot(content) {
		called := name
		if name == "-" {
			called = "standard input"
		}
		snapshot, sealed, err := netbox.ReadSnapshot(bytes.NewReader(content))
		if err != nil {
			return s, badSnapshot(called, err)
		}
		if !sealed {
			a.warnUnsealed(called)
		}
		s.index = netbox.NewIndex(snapshot)
		return s, nil
	}
	var r manifestReader
	if err := r.decoder.Decode(filepath.ToSlash(name), bytes.NewReader(content)); err != nil {
		return s, err
	}
	read := r.result()
	s.objects = &read
	return s, nil
}

// isSnapshot reports whether the content is a snapshot, if a broken one: a JSON
// document with rows.
func isSnapshot(content []byte) bool {
	in := json.NewDecoder(bytes.NewReader(content))
	if t, err := in.Token(); err != nil || t != json.Delim('{') {
		return false
	}
	for in.More() {
		key, err := in.Token()
		if err != nil {
			return false
		}
		switch key {
		case "rows", "format_version":
			return true
		case "kind", "apiVersion", "items", "metadata":
			return false
		}
		var value json.RawMessage
		if in.Decode(&value) != nil {
			return false
		}
	}
	return false
}

// fabrics returns the fabrics that are compared; a nameless one where manifests are
// compared that say no name.
func (o diffOptions) fabrics(conf *config, repositories map[string]*repository, sides [2]diffSide) ([]chosenFabric, error) {
	if !sides[0].hasFabrics() && !sides[1].hasFabrics() {
		return []chosenFabric{{name: o.fabric}}, nil
	}
	names, err := fabricsOf(conf, repositories, o.fabric)
	if err != nil {
		return nil, err
	}
	if len(names) > 1 && (!sides[0].hasFabrics() || !sides[1].hasFabrics()) {
		return nil, tooMany("manifests are of one fabric", names)
	}
	if len(names) == 0 {
		return conf.chosenFabrics("", "hedgehog-gitops diff")
	}
	var chosen []chosenFabric
	for _, name := range names {
		settings, err := conf.fabric(name)
		if err != nil {
			return nil, err
		}
		there := sides[0].index != nil || sides[1].index != nil
		for _, r := range repositories {
			there = there || r.has(name)
		}
		if there {
			chosen = append(chosen, chosenFabric{name: name, settings: settings})
		}
	}
	if len(chosen) == 0 {
		for _, s := range sides {
			if s.repo != nil {
				return nil, s.repo.missing(names[0])
			}
		}
	}
	return chosen, nil
}

// tooMany is the error that one fabric must be chosen.
func tooMany(why string, names []string) error {
	return hint(fmt.Errorf("%s, and there are %d: %s", why, len(names), strings.Join(names, ", ")), "choose one: --fabric "+names[0])
}

// compare compares one fabric.
func (o diffOptions) compare(sides [2]diffSide, f chosenFabric) (fabricDiff, error) {
	result := fabricDiff{Name: f.name, Compared: true}
	var states [2]*hedgehog.Fabric
	for i, s := range sides {
		state, issues, err := o.state(s, f)
		if err != nil {
			return result, err
		}
		result.Issues = append(result.Issues, issues...)
		states[i] = state
		result.Compared = result.Compared && state != nil
	}
	result.Issues.Sort()
	result.Issues = slices.Compact(result.Issues)
	if result.Compared {
		result.Changes = review.Diff(states[0], states[1])
	}
	return result, nil
}

// state returns what the side says of the fabric; nil when the issues say why it
// cannot be known.
func (o diffOptions) state(s diffSide, f chosenFabric) (*hedgehog.Fabric, hedgehog.Issues, error) {
	switch {
	case s.repo != nil:
		files, err := tree.Read(s.repo.top, render.FabricFolder(f.name))
		if err != nil {
			return nil, nil, err
		}
		checked := render.CheckRepository(files, f.name)
		for i := range checked.Issues {
			checked.Issues[i].Origin = s.repo.origin(checked.Issues[i].Origin)
		}
		return usableState(checked.Objects, checked.Issues, checked.Issues)
	case s.index != nil:
		// Addresses that are missing make no difference here.
		objects, issues := s.index.Map(overridden(f.settings.NetBox, string(hedgehog.TargetInstaller), o.fabricVersion))
		return usableState(objects, issues, issues)
	default:
		fatal, _ := split(s.objects.Issues, hopeless)
		return usableState(s.objects.Objects, s.objects.Issues, fatal)
	}
}

// usableState returns the objects with their issues, none of them an error any more;
// no objects when one of those that count is.
func usableState(objects *hedgehog.Fabric, issues, counting hedgehog.Issues) (*hedgehog.Fabric, hedgehog.Issues, error) {
	if counting.Worst() == hedgehog.Error {
		return nil, issues, nil
	}
	return objects, tolerated(issues), nil
}
