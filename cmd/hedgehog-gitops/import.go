package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"hedgehog-gitops/render/hedgehog"
	"hedgehog-gitops/render/netbox"
)

type importOptions struct {
	app    *app
	common *common

	fabric        string
	snapshot      string
	toSnapshot    string
	planOut       string
	plan          string
	write         bool // --apply
	prune         bool
	pruneDevices  bool
	allowInvalid  bool
	exitCode      bool
	target        string
	fabricVersion string
	format        formatFlags
}

func newImportCommand(a *app, c *common) *cobra.Command {
	o := importOptions{app: a, common: c}
	cmd := &cobra.Command{
		Use:   "import PATH...",
		Short: "Document manifests in NetBox: show the plan, save it, apply it",
		Long: `Compares the manifests of one fabric with what NetBox documents and plans what has
to change in NetBox so that it renders exactly these manifests: devices, cables,
LAGs, VLANs, VRFs, prefixes. What is documented already is adopted, and what people
wrote besides is not touched. Nothing is written without --apply or --to-snapshot.

PATH is a file, a folder, a repository (what its base and extra folders hold of the
fabric) or - for standard input: YAML of any number of documents, JSON, and lists
such as kubectl get -o yaml gives.

What only NetBox has is listed and stays, unless --prune says otherwise; devices
stay unless --prune-devices does. Manifests of some kinds alone say nothing about
objects of other kinds.`,
		Example: `  hedgehog-gitops import --fabric lab wiring.yaml
  kubectl get vpcs,vpcattachments -o yaml | hedgehog-gitops import --fabric lab -
  hedgehog-gitops import --fabric lab wiring.yaml --plan-out plan.json
  hedgehog-gitops import --plan plan.json --apply
  hedgehog-gitops import --fabric lab wiring.yaml --snapshot empty --to-snapshot netbox.json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return runImport(cmd.Context(), o, args)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.fabric, "fabric", "", "the fabric `NAME` (needed where there are several)")
	addSnapshotFlag(cmd, &o.snapshot)
	flags.StringVar(&o.toSnapshot, "to-snapshot", "", "write NetBox as it would be into the snapshot `FILE`, - for standard output")
	flags.StringVar(&o.planOut, "plan-out", "", "save the plan as `FILE`, - for standard output")
	flags.StringVar(&o.plan, "plan", "", "take the plan from `FILE`, which --plan-out saved, in place of manifests")
	flags.BoolVar(&o.write, "apply", false, "write the plan into NetBox")
	flags.BoolVar(&o.prune, "prune", false, "delete from NetBox what the manifests do not have, but for devices")
	flags.BoolVar(&o.pruneDevices, "prune-devices", false, "with --prune: delete devices too")
	flags.BoolVar(&o.allowInvalid, "allow-invalid", false, "import manifests although they break rules of Hedgehog")
	addExitCodeFlag(cmd, &o.exitCode, "there is something to change")
	flags.StringVar(&o.target, "target", "", "who the manifests are for: cluster or installer, which may lack addresses (default: the configuration, else installer)")
	flags.StringVar(&o.fabricVersion, "fabric-version", "", "release of Hedgehog `V` that the manifests are for: 26.03 or 26.02 (default: the configuration, else 26.03)")
	o.format.add(cmd)
	return cmd
}

// importResult is what the command import found out and did.
type importResult struct {
	// Fabric is the fabric's name, Objects how many objects the manifests hold.
	Fabric  string
	Objects int
	// Saved is whether the plan was made before, by another run.
	Saved bool
	// Plan is nil when an issue kept it from being made.
	Plan   *netbox.Plan
	Issues hedgehog.Issues
	// Before is what the plan was made against; nil when that was not read.
	Before *netbox.Snapshot
	// NetBoxURL is "" when it is not known.
	NetBoxURL string
	// PlanFile and SnapshotFile are what was written, SnapshotChanged and PlanChanged
	// whether that changed the file.
	PlanFile, SnapshotFile       string
	PlanChanged, SnapshotChanged bool
	// Applied is whether NetBox holds all that the plan says, Done how many of its changes
	// NetBox holds.
	Applied bool
	Done    int
	// Err is what stopped it after the plan was made.
	Err error
}

var errNoPlan = errors.New("nothing was imported")

func runImport(ctx context.Context, o importOptions, paths []string) error {
	format, err := o.format.choose()
	if err != nil {
		return err
	}
	if err := o.check(paths, format); err != nil {
		return err
	}
	var conf *config
	var result importResult
	if o.plan != "" {
		conf, result, err = o.savedPlan(ctx)
	} else {
		conf, result, err = o.newPlan(ctx, paths)
	}
	if err != nil {
		return err
	}
	if result.Plan == nil {
		if err := o.app.showImport(result, format, o); err != nil {
			return err
		}
		return o.refused(result)
	}
	if format == formatText {
		o.app.printIssues(heard(result.Issues, o.common.quiet), result.NetBoxURL)
		if err := o.app.printPlan(result, o); err != nil {
			return err
		}
	}
	failure := o.deliver(ctx, conf, &result)
	result.Err = failure
	if format == formatJSON {
		if err := o.app.showImport(result, format, o); err != nil {
			return err
		}
	}
	if failure != nil {
		return failure
	}
	if format == formatText && !o.common.quiet {
		o.app.sayImported(result, o)
	}
	if o.exitCode && !result.Plan.Empty() {
		return errDifferences
	}
	return nil
}

// refused is the error that there is no plan.
func (o importOptions) refused(result importResult) error {
	err := fmt.Errorf("fabric %s: %w", result.Fabric, errNoPlan)
	bad, fatal := split(result.Issues, func(i hedgehog.Issue) bool { return !hopeless(i) })
	if o.allowInvalid || o.plan != "" || result.Before != nil || len(fatal) > 0 || bad.Worst() < hedgehog.Error {
		return err
	}
	return hint(err, "--allow-invalid imports them as they are, where a running fabric is to be documented")
}

// check refuses flags that do not go together.
func (o importOptions) check(paths []string, format format) error {
	stdin := 0
	for _, name := range append(slices.Clone(paths), o.snapshot, o.plan) {
		if name == "-" {
			stdin++
		}
	}
	var stdout []string
	for _, to := range []struct {
		flag string
		is   bool
	}{{"--json", format == formatJSON}, {"--to-snapshot -", o.toSnapshot == "-"}, {"--plan-out -", o.planOut == "-"}} {
		if to.is {
			stdout = append(stdout, to.flag)
		}
	}
	switch {
	case o.plan == "" && len(paths) == 0:
		return hint(errors.New("no manifests: PATH is missing"),
			"hedgehog-gitops import wiring.yaml shows what would change in NetBox",
			"kubectl get ... -o yaml | hedgehog-gitops import - takes what a cluster has")
	case o.plan != "" && (len(paths) > 0 || o.prune || o.pruneDevices || o.allowInvalid || o.planOut != "" || o.target != "" || o.fabricVersion != ""):
		return hint(errors.New("--plan FILE is a plan that is made already: it goes with neither manifests nor what decides about them"),
			"hedgehog-gitops import --plan "+o.plan+" --apply")
	case o.write && (o.snapshot != "" || o.toSnapshot != ""):
		return hint(errors.New("--apply writes to NetBox: it goes with neither --snapshot nor --to-snapshot"),
			"--plan-out FILE saves a plan that --plan FILE --apply applies")
	case o.pruneDevices && !o.prune:
		return errors.New("--prune-devices goes with --prune: the cables of a device go with it")
	case stdin > 1:
		return errors.New("standard input can be read once only")
	case len(stdout) > 1:
		return fmt.Errorf("%s exclude each other: all write to standard output", strings.Join(stdout, " and "))
	}
	return checkTarget(o.target, o.fabricVersion)
}

// newPlan reads manifests and NetBox, and plans. What is wrong with people's input
// are issues of the result.
func (o importOptions) newPlan(ctx context.Context, paths []string) (conf *config, result importResult, err error) {
	repositories, err := o.app.repositoriesAt(paths)
	if err != nil {
		return nil, result, notFound(err, "hedgehog-gitops import")
	}
	if conf, err = o.app.configFor(o.common, repositories); err != nil {
		return nil, result, err
	}
	settings, err := o.settings(conf, repositories)
	if err != nil {
		return nil, result, err
	}
	result.Fabric = settings.Name
	result.NetBoxURL, _ = conf.netboxURL() // only links in messages need it
	wanted, err := o.app.readManifests(ctx, paths, repositories, settings.Name)
	if err != nil {
		return nil, result, err
	}
	result.Objects, result.Issues = wanted.Objects.Len(), o.lenient(wanted.Issues)
	if result.Objects == 0 && result.Issues.Worst() < hedgehog.Error {
		return nil, result, hint(fmt.Errorf("there is no object of Hedgehog in %s", strings.Join(paths, ", ")),
			"a manifest begins with apiVersion: wiring.githedgehog.com/v1beta1, or vpc. or gateway. in place of wiring.")
	}
	if fatal, _ := split(result.Issues, hopeless); len(fatal) > 0 {
		return conf, result, nil
	}
	snapshot, issues, err := o.app.snapshot(ctx, o.common, conf, o.snapshot, []netbox.Config{settings})
	if err != nil {
		return nil, result, err
	}
	issues = placed(issues)
	options := netbox.ImportOptions{Prune: o.prune, PruneDevices: o.pruneDevices}
	if issues.Worst() < hedgehog.Error {
		result.Issues = o.lenient(append(result.Issues, netbox.Judge(wanted.Objects, snapshot, settings, options)...))
		if result.Issues.Worst() == hedgehog.Error {
			return conf, result, ctx.Err()
		}
	}
	result.Before, result.Issues = snapshot, append(result.Issues, issues...)
	if issues.Worst() < hedgehog.Error {
		result.Plan, issues = netbox.Import(wanted.Objects, snapshot, settings, options)
		result.Issues = append(result.Issues, issues...)
	}
	result.Issues.Sort()
	return conf, result, ctx.Err()
}

// placed returns the issues about NetBox for one to which a fabric is new: a site or
// location that is not there yet is made, and it is said.
func placed(issues hedgehog.Issues) hedgehog.Issues {
	issues = slices.Clone(issues)
	for i := range issues {
		if rule := issues[i].Rule; rule == "netbox-site-unknown" || rule == "netbox-location-unknown" {
			issues[i].Severity = hedgehog.Warning
			issues[i].Hint = "the plan creates it; " + issues[i].Hint
		}
	}
	return issues
}

// settings returns how the one fabric that is imported is configured.
func (o importOptions) settings(conf *config, repositories map[string]*repository) (netbox.Config, error) {
	names, err := fabricsOf(conf, repositories, o.fabric)
	if err != nil {
		return netbox.Config{}, err
	}
	if len(names) > 1 {
		return netbox.Config{}, tooMany("one fabric is imported at a time", names)
	}
	if len(names) == 0 {
		_, err := conf.chosenFabrics("", "hedgehog-gitops import")
		return netbox.Config{}, err
	}
	fabric, err := conf.fabric(names[0])
	if err != nil {
		return netbox.Config{}, err
	}
	to := o.target
	if to == "" {
		if to, err = conf.saidTarget(names[0]); err != nil {
			return netbox.Config{}, err
		}
	}
	if to == "" {
		to = string(hedgehog.TargetInstaller)
	}
	return overridden(fabric.NetBox, to, o.fabricVersion), nil
}

// saidTarget returns the target that the configuration says for the fabric, "" when it
// says none.
func (c *config) saidTarget(fabric string) (string, error) {
	names, err := c.fabricNames()
	if err != nil {
		return "", err
	}
	i := slices.Index(names, fabric)
	if i < 0 {
		return "", nil
	}
	var said target
	err = c.use(&said, "fabrics", strconv.Itoa(i), "target")
	return string(said), err
}

// lenient returns the issues of manifests. With --allow-invalid only that remains an
// error with which nobody can say what they want.
func (o importOptions) lenient(issues hedgehog.Issues) hedgehog.Issues {
	issues = slices.Clone(issues)
	issues.Sort()
	issues = slices.Compact(issues)
	if !o.allowInvalid {
		return issues
	}
	fatal, others := split(issues, hopeless)
	issues = append(fatal, tolerated(others)...)
	issues.Sort()
	return issues
}

// savedPlan reads a plan that another run made.
func (o importOptions) savedPlan(ctx context.Context) (conf *config, result importResult, err error) {
	if conf, err = loadConfig(o.common.config, o.app.getenv); err != nil {
		return nil, result, err
	}
	plan, err := o.app.readPlan(ctx, o.plan)
	if err != nil {
		return nil, result, err
	}
	if o.fabric != "" && o.fabric != plan.Fabric {
		return nil, result, fmt.Errorf("%s is a plan for the fabric %s, not %s", o.plan, printable(plan.Fabric), o.fabric)
	}
	result.Fabric, result.Plan, result.Saved = plan.Fabric, plan, true
	result.NetBoxURL, _ = conf.netboxURL()
	if o.snapshot == "" && !o.write && o.toSnapshot == "" {
		return conf, result, nil // it is only shown
	}
	fabric, err := conf.fabric(plan.Fabric)
	if err != nil {
		return nil, result, err
	}
	snapshot, issues, err := o.app.snapshot(ctx, o.common, conf, o.snapshot, []netbox.Config{fabric.NetBox})
	if err != nil {
		return nil, result, err
	}
	result.Issues = placed(issues)
	if result.Issues.Worst() == hedgehog.Error {
		result.Plan = nil
		return conf, result, nil
	}
	result.Before = snapshot
	digest, err := snapshot.Digest()
	if err != nil {
		return nil, result, err
	}
	if digest != plan.Base {
		return nil, result, stale(netbox.ErrStale)
	}
	return conf, result, nil
}

// stale adds advice to the error that a plan is too old.
func stale(err error) error {
	if !errors.Is(err, netbox.ErrStale) {
		return err
	}
	return hint(err, "make the plan again from the manifests, and look at it again")
}

// deliver does with the plan what was asked for.
func (o importOptions) deliver(ctx context.Context, conf *config, result *importResult) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if o.planOut != "" {
		content, err := encodePlan(result.Plan)
		if err != nil {
			return err
		}
		if result.PlanFile, result.PlanChanged, err = o.app.writeOut(o.planOut, content); err != nil {
			return err
		}
	}
	if o.toSnapshot != "" {
		after, err := result.Plan.Apply(result.Before)
		if err != nil {
			return stale(err)
		}
		var content bytes.Buffer
		if _, err := after.WriteTo(&content); err != nil {
			return err
		}
		if result.SnapshotFile, result.SnapshotChanged, err = o.app.writeOut(o.toSnapshot, content.Bytes()); err != nil {
			return err
		}
	}
	if o.write && !result.Plan.Empty() {
		return o.apply(ctx, conf, result)
	}
	return nil
}

// writeOut writes a file, - for standard output, and returns what it is called.
func (a *app) writeOut(name string, content []byte) (called string, changed bool, err error) {
	if name == "-" {
		_, err = a.stdout.Write(content)
		return "standard output", true, err
	}
	changed, err = writeFile(name, content)
	return name, changed, err
}
