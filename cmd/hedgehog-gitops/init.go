package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"hedgehog-gitops/gitsync/git"
	"hedgehog-gitops/render"
	"hedgehog-gitops/render/hedgehog"
	"hedgehog-gitops/render/tree"
	"hedgehog-gitops/templates"
)

type initOptions struct {
	app    *app
	common *common

	fabric string
	repo   string
	argocd bool
	flux   bool
	// open are the flags that nobody gave: what is asked for on a terminal.
	open   map[string]bool
	format formatFlags
}

func newInitCommand(a *app, c *common) *cobra.Command {
	o := initOptions{app: a, common: c}
	cmd := &cobra.Command{
		Use:   "init [DIR]",
		Short: "Write what a repository of fabrics begins with",
		Long: `Writes into DIR, or here, what a repository of fabrics needs besides what is rendered:
the configuration with every key explained and its JSON Schema, an overlay for each
stage, what is applied once for Argo CD or Flux, workflows, attributes for Git, and a
README for those who run it.

A file that is there already is never overwritten, and is named when it says something
else. Run again, it writes nothing; run with another fabric, or a tool, it adds them.

On a terminal it asks for what no flag says.`,
		Example: `  hedgehog-gitops init
  hedgehog-gitops init --fabric lab --argocd
  hedgehog-gitops init --fabric west --flux network`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.open = map[string]bool{}
			for _, name := range []string{"fabric", "argocd", "flux"} {
				o.open[name] = !cmd.Flags().Changed(name)
			}
			return runInit(cmd.Context(), o, cmp.Or(strings.Join(args, ""), "."))
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.fabric, "fabric", "", "`NAME` of a fabric, and slug of its site in NetBox (default: those of the configuration)")
	flags.StringVar(&o.repo, "repo", "", "`URL` of the repository (default: the origin of the working copy)")
	flags.BoolVar(&o.argocd, "argocd", false, "apply it with Argo CD")
	flags.BoolVar(&o.flux, "flux", false, "apply it with Flux")
	o.format.add(cmd)
	return cmd
}

// initResult is what the command init did.
type initResult struct {
	Dir string
	// Files are all that init is about, in the order of their paths.
	Files []initFile
	// Issues name the files that were left and what could not be added.
	Issues hedgehog.Issues
}

// initFile is a file of init's.
type initFile struct {
	Path   string
	Result initOutcome
	// content is what init would write.
	content []byte
}

// initOutcome is what became of a file: written, changed (something was added to it),
// unchanged, or kept as people have it.
type initOutcome string

const (
	initWritten   initOutcome = "written"
	initChanged   initOutcome = "changed"
	initUnchanged initOutcome = "unchanged"
	initKept      initOutcome = "kept"
)

func runInit(ctx context.Context, o initOptions, dir string) error {
	format, err := o.format.choose()
	if err != nil {
		return err
	}
	if o.common.config != "" {
		return hint(errors.New("init writes "+configFile+" into DIR: --config has no use here"), "hedgehog-gitops init DIR")
	}
	before, err := readConfig(filepath.Join(dir, configFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("reading the configuration: %w", err)
	}
	exists := err == nil
	if err := o.ask(ctx, dir, exists); err != nil {
		return err
	}
	result := initResult{Dir: dir}
	var text []byte
	if exists {
		if _, err := parseConfig(filepath.Join(dir, configFile), before, o.app.getenv); err != nil {
			return err
		}
		text = o.added(&result, before)
	} else if text, err = o.firstConfig(dir); err != nil {
		return err
	}
	conf, err := parseConfig(filepath.Join(dir, configFile), text, o.app.getenv)
	if err != nil {
		return err
	}
	if err := o.files(&result, conf, dir); err != nil {
		return err
	}
	if err := result.write(dir, before, text); err != nil {
		return err
	}
	result.Issues.Sort()
	if err := o.app.showInit(result, format, o.common.quiet); err != nil {
		return err
	}
	if result.Issues.Worst() == hedgehog.Error {
		return errors.New("not all of it could be added")
	}
	return ctx.Err()
}

// ask asks on a terminal for what no flag says, as far as the configuration does not
// say it either.
func (o *initOptions) ask(ctx context.Context, dir string, exists bool) error {
	if exists && o.open["fabric"] {
		return nil // its fabrics, and its tools
	}
	file, ok := o.app.stdin.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		if o.fabric == "" {
			return hint(errors.New("no fabric: --fabric is missing"), "hedgehog-gitops init --fabric NAME: the slug of its site in NetBox")
		}
		return nil
	}
	in := bufio.NewReader(file)
	for o.open["fabric"] && o.fabric == "" {
		answer, err := o.app.answer(ctx, in, "The fabric, by the slug of its site in NetBox: ")
		if err != nil {
			return err
		}
		if err := checkFabricFlag(answer); err != nil {
			o.app.say("%v", err)
			continue
		}
		o.fabric = answer
	}
	if exists {
		return nil
	}
	for _, tool := range []struct {
		flag, name string
		wanted     *bool
	}{{"argocd", "Argo CD", &o.argocd}, {"flux", "Flux", &o.flux}} {
		for o.open[tool.flag] {
			answer, err := o.app.answer(ctx, in, "Is it applied with "+tool.name+"? [y/N] ")
			if err != nil {
				return err
			}
			switch strings.ToLower(answer) {
			case "y", "yes":
				*tool.wanted = true
			case "", "n", "no":
			default:
				continue
			}
			break
		}
	}
	if (o.argocd || o.flux) && o.repo == "" && originOf(dir) == "" {
		answer, err := o.app.answer(ctx, in, "The address of the repository: ")
		if err != nil {
			return err
		}
		o.repo = answer
	}
	return nil
}

// answer asks a question and returns the line that a person types.
func (a *app) answer(ctx context.Context, in *bufio.Reader, question string) (string, error) {
	fmt.Fprint(a.stderr, question)
	var line string
	var err error
	read := make(chan struct{})
	go func() {
		defer close(read)
		line, err = in.ReadString('\n')
	}()
	select {
	case <-read:
	case <-ctx.Done():
		return "", ctx.Err()
	}
	if errors.Is(err, io.EOF) {
		return "", errors.New("the input ended before every question was answered")
	}
	return strings.TrimSpace(line), err
}

// checkFabricFlag refuses what cannot be both a fabric's name and a slug.
func checkFabricFlag(name string) error {
	if err := new(fabricName).UnmarshalText([]byte(name)); err != nil {
		return fmt.Errorf("the fabric name %q %w", name, err)
	}
	if err := new(slug).UnmarshalText([]byte(name)); err != nil {
		return hint(fmt.Errorf("the fabric name %q is the slug of its site, too, and %w", name, err),
			"take the slug here, and change fabrics[0].name in "+configFile+" afterwards")
	}
	return nil
}

// originOf returns the address of the repository that the folder is a working copy of,
// without what is secret in it; "" when there is none.
func originOf(dir string) string {
	origin, err := git.Origin(dir)
	if err != nil {
		return ""
	}
	if u, err := url.Parse(origin); err == nil && u.User != nil && (u.Scheme == "http" || u.Scheme == "https") {
		u.User = nil
		return u.String()
	}
	return origin
}

// firstConfig returns the configuration of a repository that has none.
func (o initOptions) firstConfig(dir string) ([]byte, error) {
	if err := checkFabricFlag(o.fabric); err != nil {
		return nil, err
	}
	set := map[string]string{"fabrics.name": o.fabric, "fabrics.site": o.fabric}
	if address := cmp.Or(o.repo, originOf(dir)); address != "" {
		set["git.url"] = yamlText(address)
	} else if o.argocd || o.flux {
		return nil, hint(errors.New("nothing says where the repository is, which Argo CD and Flux must read"),
			"--repo URL names it", "or: git remote add origin URL")
	}
	if o.argocd {
		set["deploy.argocd.enabled"] = "true"
	}
	if o.flux {
		set["deploy.flux.enabled"] = "true"
	}
	return []byte(configHead + configText(set)), nil
}

// configHead is what a configuration begins with.
const configHead = `# yaml-language-server: $schema=` + schemaName + `
#
# Which fabrics NetBox documents, how to find them there, and where the result goes.
# What is commented out is the default. ${NAME} is replaced by the environment variable
# NAME. Secrets never stand here: tokens come from NETBOX_TOKEN and GITHUB_TOKEN.
`

// added returns the configuration with the fabric and the tools that were asked for.
// What cannot be added without touching what people wrote is an issue.
func (o initOptions) added(result *initResult, text []byte) []byte {
	add := func(e configEdit) {
		changed, ok := e.apply(text)
		if ok {
			text = changed
			return
		}
		result.Issues = append(result.Issues, hedgehog.Issue{
			Rule: "init-config", Severity: hedgehog.Error, Field: e.field(), Origin: hedgehog.Origin{File: configFile},
			Summary: "this is not there, and cannot be added without changing what somebody wrote",
			Hint:    "add it: " + e.shown(),
		})
	}
	if o.fabric != "" {
		add(configEdit{fabric: o.fabric})
	}
	if o.argocd {
		add(configEdit{tool: "argocd"})
	}
	if o.flux {
		add(configEdit{tool: "flux"})
	}
	return text
}

// files adds to the result what belongs into the repository besides its configuration.
func (o initOptions) files(result *initResult, conf *config, dir string) error {
	root, err := conf.rootFolder()
	if err != nil {
		return err
	}
	about := templates.Repository{Stages: render.Stages()}
	if root != "" {
		about.Root = root + "/"
	}
	names, err := conf.fabricNames()
	if err != nil {
		return err
	}
	if o.fabric != "" && !slices.Contains(names, o.fabric) {
		names = append(names, o.fabric) // it could not be added, and is an issue
	}
	var settings []deployDoc
	for _, name := range names {
		fabric, doc, err := initFabric(conf, name)
		if err != nil {
			return err
		}
		about.Fabrics, settings = append(about.Fabrics, fabric), append(settings, doc)
		about.ArgoCD, about.Flux = about.ArgoCD || doc.ArgoCD.Enabled, about.Flux || doc.Flux.Enabled
	}
	add := func(name string, content []byte, err error) error {
		result.Files = append(result.Files, initFile{Path: name, content: content})
		return err
	}
	render := func(name, template string, about templates.Repository) error {
		content, err := templates.Render(template, about)
		return add(name, content, err)
	}
	errs := []error{
		add(schemaName, configSchema(), nil),
		render("README.md", "README.md", about),
		render(".gitattributes", "gitattributes", about),
		render(".github/CODEOWNERS.example", "codeowners", about),
	}
	for _, name := range []string{"publish.yaml", "validate.yaml"} {
		content, err := templates.Workflow(name)
		errs = append(errs, add(".github/workflows/"+name, content, err))
	}
	// One file for all fabrics: that of the first one that has the tool.
	first := map[string]bool{}
	for i, fabric := range about.Fabrics {
		one := about
		one.Fabrics = []templates.Fabric{fabric}
		for _, stage := range about.Stages {
			one.Fabrics[0].Stage = stage
			errs = append(errs, render(path.Join(root, overlayFile(fabric.Name, stage)), "overlay.yaml", one))
		}
		if settings[i].ArgoCD.Enabled {
			errs = append(errs, render(path.Join(root, "deploy/argocd", fabric.Name+".yaml"), "argocd/fabric.yaml", one))
			if name := path.Join(root, "deploy/argocd/settings/argocd-cm.yaml"); !first[name] {
				errs = append(errs, render(name, "argocd/argocd-cm.yaml", one))
				first[name] = true
			}
		}
		if settings[i].Flux.Enabled {
			errs = append(errs, render(path.Join(root, "deploy/flux", fabric.Name+".yaml"), "flux/fabric.yaml", one))
			if name := path.Join(root, "deploy/flux/source.yaml"); !first[name] {
				errs = append(errs, render(name, "flux/source.yaml", one))
				first[name] = true
			}
		}
	}
	return errors.Join(errs...)
}

// overlayFile returns the kustomization of people's patches for a stage.
func overlayFile(fabric, stage string) string {
	return path.Join(render.OverlayFolder(fabric, stage), "kustomization.yaml")
}

// initFabric returns a fabric as the templates need it.
func initFabric(conf *config, name string) (templates.Fabric, deployDoc, error) {
	fabric := templates.Fabric{Name: name, Parent: render.DeployName(name, "base/deploy")}
	names, err := conf.fabricNames()
	if err != nil {
		return fabric, deployDoc{}, err
	}
	doc := deployDoc{}
	if slices.Contains(names, name) {
		settings, err := conf.fabric(name)
		if err != nil {
			return fabric, doc, err
		}
		doc = settings.Deploy
	} else if doc, err = conf.deploy(); err != nil {
		return fabric, doc, err
	}
	if doc.ArgoCD.Enabled {
		address, revision, err := conf.repository(doc.ArgoCD)
		if err != nil {
			return fabric, doc, err
		}
		fabric.ArgoCD = templates.ArgoCD{
			Namespace: string(doc.ArgoCD.Namespace), Project: string(doc.ArgoCD.Project), RepoURL: address, Revision: revision,
		}
	}
	if doc.Flux.Enabled {
		address, _, err := conf.repository(argoCDDoc{})
		if err != nil {
			return fabric, doc, err
		}
		p, err := conf.publishing()
		if err != nil {
			return fabric, doc, err
		}
		fabric.Flux = templates.Flux{
			Namespace: string(doc.Flux.Namespace), Source: string(doc.Flux.Source),
			URL: fluxAddress(address), Branch: cmp.Or(string(p.PullRequest.Base), "main"),
			Interval: string(doc.Flux.Interval), Timeout: string(doc.Flux.Timeout), RetryInterval: string(doc.Flux.RetryInterval),
		}
	}
	return fabric, doc, nil
}

// fluxAddress returns the address of a repository as Flux takes it, which knows no
// user@host:path.
func fluxAddress(address string) string {
	before, after, ok := strings.Cut(address, ":")
	if !ok || strings.Contains(address, "://") || strings.Contains(before, "/") {
		return address
	}
	return "ssh://" + before + "/" + strings.TrimPrefix(after, "/")
}

// write writes the files that are not there, and the configuration; it notes what became
// of each.
func (r *initResult) write(dir string, before, config []byte) error {
	slices.SortFunc(r.Files, func(a, b initFile) int { return strings.Compare(a.Path, b.Path) })
	var paths []string
	for _, f := range r.Files {
		paths = append(paths, f.Path)
	}
	have, err := tree.Read(dir, paths...)
	if err != nil {
		return err
	}
	var changes []tree.Change
	note := func(f *initFile, was []byte, there bool) {
		switch {
		case !there:
			f.Result = initWritten
			changes = append(changes, tree.Change{Op: tree.Added, Path: f.Path, New: f.content})
		case bytes.Equal(was, f.content):
			f.Result = initUnchanged
		default:
			f.Result = initKept
			r.Issues = append(r.Issues, hedgehog.Issue{
				Rule: "init-kept", Severity: hedgehog.Notice, Origin: hedgehog.Origin{File: f.Path},
				Summary: f.Path + " says something else than init would write, and is left as it is",
				Hint:    "if that is not meant, move it away and run init again",
			})
		}
	}
	for i := range r.Files {
		was, there := have.Get(r.Files[i].Path)
		note(&r.Files[i], was, there)
	}
	conf := initFile{Path: configFile, Result: initUnchanged, content: config}
	switch {
	case before == nil:
		note(&conf, nil, false)
	case !bytes.Equal(before, config):
		conf.Result = initChanged
		changes = append(changes, tree.Change{Op: tree.Changed, Path: configFile, Old: before, New: config})
	}
	r.Files = append([]initFile{conf}, r.Files...)
	return tree.Write(dir, changes)
}
