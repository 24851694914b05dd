package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"hedgehog-gitops/render"
	"hedgehog-gitops/render/hedgehog"
	"hedgehog-gitops/render/overlay"
	"hedgehog-gitops/render/review"
	"hedgehog-gitops/render/tree"
)

type validateOptions struct {
	app    *app
	common *common

	fabric        string
	target        string
	fabricVersion string
	against       string
	strict        bool
	format        formatFlags
}

// The formats of validate beside text and json.
const (
	formatGitHub format = "github" // lines that GitHub shows beside the files
	formatSARIF  format = "sarif"
	formatJUnit  format = "junit"
)

func newValidateCommand(a *app, c *common) *cobra.Command {
	o := validateOptions{app: a, common: c}
	cmd := &cobra.Command{
		Use:   "validate PATH...",
		Short: "Find everything that a cluster would refuse in manifests",
		Long: `Judges the manifests of a fabric as the cluster would, but all of them at once: what
its schema, its admission webhooks and its agents refuse, and what they overlook and
then get wrong. No NetBox and no cluster is asked.

PATH is a file, a folder, a repository or - for standard input: YAML of any number of
documents, JSON, and lists such as kubectl get -o yaml gives. All of them together
are one fabric. A folder with a kustomization.yaml is built first. Of a repository, what the cluster gets is judged: its roots are built
with people's patches, fabric by fabric.

With --against, the step from what PATH was to what it is now is judged too: what the
cluster refuses of it though both are right by themselves.`,
		Example: `  hedgehog-gitops validate wiring.yaml vpcs/
  hedgehog-gitops validate --strict repository
  kubectl get -o yaml switches,connections,vpcs | hedgehog-gitops validate -
  hedgehog-gitops validate --against running.yaml wiring.yaml`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return hint(errors.New("no manifests: PATH is missing"), "hedgehog-gitops validate wiring.yaml")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return runValidate(cmd.Context(), o, args)
		},
	}
	flags := cmd.Flags()
	addFabricFlag(cmd, &o.fabric)
	flags.StringVar(&o.against, "against", "", "the manifests as they were: `PATH` of a file, folder or repository, or - for standard input")
	flags.BoolVar(&o.strict, "strict", false, "warnings are errors")
	flags.StringVar(&o.target, "target", "", "who the manifests are for: cluster or installer, which may lack addresses (default: the configuration, else installer)")
	flags.StringVar(&o.fabricVersion, "fabric-version", "", "release of Hedgehog `V` that the manifests are for: 26.03 or 26.02 (default: the configuration, else 26.03)")
	o.format.add(cmd, formatSARIF, formatGitHub, formatJUnit)
	return cmd
}

// validateResult is what the command validate found.
type validateResult struct {
	Fabrics []validatedFabric
	// sources are the texts that were judged and cannot be read again, lines those of
	// all files that were asked for.
	sources map[string][]byte
	lines   map[string][][]byte
	// last are the fields of the object that was asked for last: issues come by object.
	last *writtenObject
}

// validatedFabric is what was found of one fabric.
type validatedFabric struct {
	// Name is empty where manifests were judged that say none.
	Name    string
	Objects int
	Issues  hedgehog.Issues
	// Changes are those of --against; Compared is whether it was compared.
	Changes  review.Changes
	Compared bool
}

var errInvalid = errors.New("not valid")

func runValidate(ctx context.Context, o validateOptions, paths []string) error {
	format, err := o.format.choose(formatSARIF, formatGitHub, formatJUnit)
	if err != nil {
		return err
	}
	all := slices.Clone(paths)
	if o.against != "" {
		all = append(all, o.against)
	}
	stdin := slices.DeleteFunc(slices.Clone(all), func(name string) bool { return name != "-" })
	if len(stdin) > 1 {
		return errors.New("standard input can be read once only")
	}
	if err := checkTarget(o.target, o.fabricVersion); err != nil {
		return err
	}
	repositories, err := o.app.repositoriesAt(all)
	if err != nil {
		return notFound(err, "hedgehog-gitops validate")
	}
	conf, err := o.app.configFor(o.common, repositories)
	if err != nil {
		return err
	}
	names, err := o.fabrics(conf, all, repositories)
	if err != nil {
		return err
	}
	if len(names) == 0 && !o.common.quiet {
		o.app.say("nothing is rendered yet, so there is nothing to judge")
	}
	result := validateResult{sources: map[string][]byte{}, lines: map[string][][]byte{}, last: &writtenObject{}}
	if len(stdin) > 0 {
		if result.sources["-"], err = o.app.readInput(ctx, "-"); err != nil {
			return err
		}
	}
	for _, name := range names {
		one, err := o.judge(ctx, conf, name, paths, repositories, result.sources)
		if err != nil {
			return err
		}
		result.Fabrics = append(result.Fabrics, one)
	}
	if err := o.app.showValidate(result, format, o); err != nil {
		return err
	}
	for _, f := range result.Fabrics {
		if worst := f.Issues.Worst(); worst == hedgehog.Error || worst == hedgehog.Warning && o.strict {
			return errInvalid
		}
	}
	return nil
}

// fabrics returns the names of the fabrics that are judged; one without a name where
// the manifests are of no fabric that is known.
func (o validateOptions) fabrics(conf *config, paths []string, repositories map[string]*repository) ([]string, error) {
	names, err := fabricsOf(conf, repositories, o.fabric)
	if err != nil {
		return nil, err
	}
	if len(repositories) == 0 {
		switch {
		case o.fabric != "":
			return []string{o.fabric}, nil
		case len(names) == 1:
			return names, nil
		}
		return []string{""}, nil
	}
	names = slices.DeleteFunc(names, func(name string) bool {
		for _, r := range repositories {
			if r.has(name) {
				return false
			}
		}
		return true
	})
	if len(names) == 0 {
		for _, path := range paths {
			// What init wrote is a repository before anything is rendered into it.
			if r := repositories[path]; r != nil && (o.fabric != "" || r.conf == nil || len(repositories) < len(paths)) {
				return nil, r.missing(o.fabric)
			}
		}
	}
	if len(names) > 1 && len(repositories) < len(paths) {
		return nil, tooMany("manifests are of one fabric", names)
	}
	return names, nil
}

// judge judges one fabric.
func (o validateOptions) judge(ctx context.Context, conf *config, name string, paths []string, repositories map[string]*repository, sources map[string][]byte) (validatedFabric, error) {
	result := validatedFabric{Name: name}
	settings, err := o.settings(conf, name)
	if err != nil {
		return result, err
	}
	now, err := readState(ctx, paths, repositories, name, sources)
	if err != nil {
		return result, err
	}
	result.Objects = now.Objects.Len()
	result.Issues = now.Issues
	if now.partial { // who misses what is in the rest cannot be blamed
		return result, nil
	}
	result.Issues = append(result.Issues, hedgehog.Validate(now.Objects, settings)...)
	if o.against != "" {
		before, err := readState(ctx, []string{o.against}, repositories, name, sources)
		if err != nil {
			return result, err
		}
		if fatal, _ := split(before.Issues, hopeless); before.partial || len(fatal) > 0 {
			fatal = append(fatal, before.Issues...)
			return result, hint(fmt.Errorf("--against: %v: %s", fatal[0].Origin, fatal[0].Summary), "hedgehog-gitops validate "+o.against+" tells all that is wrong with it")
		}
		result.Issues = append(result.Issues, hedgehog.ValidateUpdate(before.Objects, now.Objects, settings)...)
		result.Changes, result.Compared = review.Diff(defaulted(before.Objects), defaulted(now.Objects)), true // changes them: last
	}
	if result.Objects == 0 && result.Issues.Worst() < hedgehog.Error {
		return result, hint(fmt.Errorf("there is no object of Hedgehog in %s", strings.Join(paths, ", ")),
			"a manifest begins with apiVersion: wiring.githedgehog.com/v1beta1, or vpc. or gateway. in place of wiring.")
	}
	result.Issues.Sort()
	result.Issues = slices.Compact(result.Issues)
	return result, ctx.Err()
}

// defaulted returns the fabric with what the cluster fills in. It changes the objects.
func defaulted(f *hedgehog.Fabric) *hedgehog.Fabric {
	for o := range f.All() {
		hedgehog.Default(o)
	}
	return f
}

// settings returns those of the fabric's installation.
func (o validateOptions) settings(conf *config, name string) (hedgehog.Settings, error) {
	settings := hedgehog.DefaultSettings()
	to := o.target
	if name != "" {
		fabric, err := conf.fabric(name)
		if err != nil {
			return settings, err
		}
		settings = fabric.NetBox.Settings
		if to == "" {
			if to, err = conf.saidTarget(name); err != nil {
				return settings, err
			}
		}
	}
	settings.Target = hedgehog.Target(cmp.Or(to, string(hedgehog.TargetInstaller)))
	settings.FabricVersion = cmp.Or(o.fabricVersion, settings.FabricVersion)
	return settings, nil
}

// state is what was read of a fabric.
type state struct {
	manifests
	// partial is whether the issues say that a root could not be built, so that objects
	// are missing.
	partial bool
}

// readState reads manifests as they are written, without defaults; of repositories what
// the cluster gets of the fabric.
func readState(ctx context.Context, paths []string, repositories map[string]*repository, fabric string, sources map[string][]byte) (state, error) {
	var r manifestReader
	partial := false
	for _, name := range paths {
		if err := ctx.Err(); err != nil {
			return state{}, err
		}
		if repo := repositories[name]; repo != nil {
			files, err := tree.Read(repo.top, render.FabricFolder(fabric))
			if err != nil {
				return state{}, err
			}
			checked := render.CheckRepository(files, fabric)
			for i := range checked.Issues {
				checked.Issues[i].Origin = repo.origin(checked.Issues[i].Origin)
			}
			r.issues = append(r.issues, checked.Issues...)
			partial = partial || checked.Issues.Worst() == hedgehog.Error
			for o := range checked.Objects.All() {
				o.Origins = []hedgehog.Origin{repo.origin(o.Origin())}
				r.extra = append(r.extra, o)
			}
			continue
		}
		if name == "-" {
			if err := r.decoder.Decode(name, bytes.NewReader(sources["-"])); err != nil {
				return state{}, err
			}
			continue
		}
		built, err := r.kustomized(name)
		if err != nil {
			return state{}, err
		}
		if built != nil {
			partial = partial || built.Worst() == hedgehog.Error
			continue
		}
		if err := r.read(ctx, nil, name, nil, fabric); err != nil {
			return state{}, err
		}
	}
	return state{r.asWritten(), partial}, nil
}

// kustomized builds a folder that is a root of kustomize, with its bases and
// components, and returns what was wrong with it; nil for what is none.
func (r *manifestReader) kustomized(name string) (hedgehog.Issues, error) {
	if info, err := os.Stat(name); err != nil || !info.IsDir() {
		return nil, nil // for others to say
	}
	folder, err := filepath.Abs(name)
	if err != nil {
		return nil, err
	}
	// Bases stand beside the root: as far up as it refers to.
	top, up := filepath.Dir(folder), 0
	alone, err := tree.Read(top, filepath.Base(folder))
	if err != nil {
		return nil, err
	}
	if !overlay.IsKustomization(alone, filepath.Base(folder)) {
		return nil, nil
	}
	for file, content := range alone.All() {
		if path.Dir(file) == filepath.Base(folder) {
			for n := 1; strings.Contains(string(content), strings.Repeat("../", n)); n++ {
				up = max(up, n)
			}
		}
	}
	whole := alone
	if up > 0 {
		for range up - 1 {
			top = filepath.Dir(top)
		}
		if whole, err = tree.Read(top); err != nil {
			return nil, err
		}
	}
	root, err := filepath.Rel(top, folder)
	if err != nil {
		return nil, err
	}
	root = filepath.ToSlash(root)
	seen := func(o hedgehog.Origin) hedgehog.Origin {
		if o.File != "" { // as seen from here
			if from, err := filepath.Rel(root, o.File); err == nil {
				o.File = path.Join(filepath.ToSlash(name), filepath.ToSlash(from))
			}
		}
		return o
	}
	result := overlay.Build(whole, []overlay.Stage{{Roots: []string{root}}}, overlay.Options{})
	issues := hedgehog.Issues{}
	for _, i := range result.Issues {
		i.Origin = seen(i.Origin)
		issues = append(issues, i)
	}
	for _, b := range result.Built {
		for _, o := range b.Objects {
			o.Origins = []hedgehog.Origin{seen(o.Origin())}
			r.extra = append(r.extra, o)
		}
	}
	r.issues = append(r.issues, issues...)
	return issues, nil
}

// source returns the lines of a file that was judged; none when it cannot be read.
func (r validateResult) source(file string) [][]byte {
	if lines, ok := r.lines[file]; ok {
		return lines
	}
	content, ok := r.sources[file]
	if !ok {
		var err error
		if content, err = os.ReadFile(filepath.FromSlash(file)); err != nil {
			content = nil // it only illustrates
		}
	}
	r.lines[file] = bytes.Split(content, []byte("\n"))
	return r.lines[file]
}
