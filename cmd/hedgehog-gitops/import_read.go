package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"hedgehog-gitops/render"
	"hedgehog-gitops/render/hedgehog"
	"hedgehog-gitops/render/overlay"
	"hedgehog-gitops/render/tree"
)

// repository is a folder that holds the files of fabrics as the command render lays
// them out.
type repository struct {
	// path is the folder as it was given, top the folder in which fabrics/ stands.
	path, top string
	// conf is the configuration that stands in it; nil when there is none.
	conf *config
}

// repositoryAt returns the repository of the path; nil when there is none.
func (a *app) repositoryAt(name string) (*repository, error) {
	if name == "-" {
		return nil, nil
	}
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, nil
	}
	r := &repository{path: name, top: name}
	file := filepath.Join(name, configFile)
	if _, err := os.Stat(file); err == nil {
		if r.conf, err = loadConfig(file, a.getenv); err != nil {
			return nil, err
		}
		root, err := r.conf.rootFolder()
		if err != nil {
			return nil, err
		}
		r.top = filepath.Join(name, filepath.FromSlash(root))
		return r, nil
	}
	if len(r.fabrics()) == 0 {
		return nil, nil
	}
	return r, nil
}

// fabrics returns the names of the fabrics that the repository has files of, sorted.
func (r *repository) fabrics() []string {
	entries, err := os.ReadDir(filepath.Join(r.top, "fabrics"))
	if err != nil {
		return nil // there are none
	}
	var names []string
	for _, e := range entries {
		if r.has(e.Name()) {
			names = append(names, e.Name())
		}
	}
	return names
}

// has reports whether the repository has files of the fabric.
func (r *repository) has(fabric string) bool {
	info, err := os.Stat(filepath.Join(r.top, filepath.FromSlash(render.BaseFolder(fabric))))
	return err == nil && info.IsDir()
}

// missing is the error that a repository has no files of a fabric.
func (r *repository) missing(fabric string) error {
	advice := r.path + " has no fabric; hedgehog-gitops render writes its files"
	if names := r.fabrics(); len(names) > 0 {
		advice = r.path + " has: " + strings.Join(names, ", ")
	}
	return hint(fmt.Errorf("there are no files of a fabric %q in %s", fabric, r.path), advice)
}

// repositoriesAt returns the repositories among the paths, by path.
func (a *app) repositoriesAt(paths []string) (map[string]*repository, error) {
	found := map[string]*repository{}
	for _, name := range paths {
		r, err := a.repositoryAt(name)
		if err != nil {
			return nil, err
		}
		if r != nil {
			found[name] = r
		}
	}
	return found, nil
}

// configFor returns the configuration: that of --config or of the folder here, else
// the one that stands in a repository, when it is the only one.
func (a *app) configFor(c *common, repositories map[string]*repository) (*config, error) {
	conf, err := loadConfig(c.config, a.getenv)
	if err != nil || conf.file != "" {
		return conf, err
	}
	var own []*config
	for _, r := range repositories {
		if r.conf != nil {
			own = append(own, r.conf)
		}
	}
	if len(own) == 1 {
		return own[0], nil
	}
	return conf, nil
}

// fabricsOf returns the names of the fabrics that a command is about: the one asked
// for, else those of the configuration, else those of the repositories.
func fabricsOf(conf *config, repositories map[string]*repository, asked string) ([]string, error) {
	if asked != "" {
		return []string{asked}, nil
	}
	names, err := conf.fabricNames()
	if err != nil || len(names) > 0 {
		return names, err
	}
	for _, r := range repositories {
		names = append(names, r.fabrics()...)
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// manifests are what was read from the paths of a command line.
type manifests struct {
	// Objects are in the form that the cluster stores.
	Objects *hedgehog.Fabric
	// Issues are sorted.
	Issues hedgehog.Issues
}

// readManifests reads files, folders, standard input, and the fabric's part of
// repositories: what its base folder holds, without people's patches, which stay
// where they are, and what they add in its extra folder.
func (a *app) readManifests(ctx context.Context, paths []string, repositories map[string]*repository, fabric string) (manifests, error) {
	var m manifests
	var err error
	read := make(chan struct{})
	go func() {
		defer close(read)
		var r manifestReader
		for _, name := range paths {
			if err = r.read(ctx, a.stdin, name, repositories[name], fabric); err != nil {
				return
			}
		}
		m = r.result()
	}()
	select { // who writes into a pipe may take their time
	case <-read:
		return m, err
	case <-ctx.Done():
		return manifests{}, ctx.Err()
	}
}

// readInput reads a file as a whole, - for standard input.
func (a *app) readInput(ctx context.Context, name string) ([]byte, error) {
	var content []byte
	var err error
	read := make(chan struct{})
	go func() {
		defer close(read)
		if name == "-" {
			content, err = io.ReadAll(a.stdin)
		} else {
			content, err = os.ReadFile(name)
		}
	}()
	select { // who writes into a pipe may take their time
	case <-read:
		return content, err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// manifestReader collects manifests from any number of places.
type manifestReader struct {
	decoder hedgehog.Decoder
	// extra are objects that kustomize built.
	extra  []*hedgehog.Object
	issues hedgehog.Issues
}

func (r *manifestReader) read(ctx context.Context, stdin io.Reader, name string, repo *repository, fabric string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if name == "-" {
		return r.decoder.Decode("-", stdin)
	}
	if repo != nil {
		return r.repository(repo, fabric)
	}
	info, err := os.Stat(name)
	if err != nil {
		return err
	}
	if info.IsDir() {
		return r.decoder.DecodeFS(filepath.ToSlash(name), os.DirFS(name))
	}
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	return r.decoder.Decode(filepath.ToSlash(name), file)
}

// repository reads the fabric's part of a repository.
func (r *manifestReader) repository(repo *repository, fabric string) error {
	if !repo.has(fabric) {
		return repo.missing(fabric)
	}
	base := filepath.Join(repo.top, filepath.FromSlash(render.BaseFolder(fabric)))
	stages, err := os.ReadDir(base)
	if err != nil {
		return err
	}
	for _, stage := range stages {
		if !stage.IsDir() || !slices.Contains(render.Stages(), stage.Name()) {
			continue // what deploys it
		}
		folder := filepath.Join(base, stage.Name())
		if err := r.decoder.DecodeFS(filepath.ToSlash(folder), os.DirFS(folder)); err != nil {
			return err
		}
	}
	return r.people(repo, fabric)
}

// people reads what people add to the fabric, and says what of theirs stays where it
// is.
func (r *manifestReader) people(repo *repository, fabric string) error {
	folder := render.FabricFolder(fabric)
	extra, overlays := path.Join(folder, "extra"), path.Join(folder, "overlays")
	files, err := tree.Read(repo.top, extra, overlays)
	if err != nil {
		return err
	}
	var stages []overlay.Stage
	for _, stage := range render.Roots(files.Below(extra), fabric) {
		stages = append(stages, overlay.Stage{Roots: stage.Roots})
	}
	built := overlay.Build(files.Below(extra), stages, overlay.Options{})
	for i := range built.Issues {
		built.Issues[i].Origin = repo.origin(built.Issues[i].Origin)
	}
	r.issues = append(r.issues, built.Issues...)
	objects := 0
	for _, b := range built.Built {
		for _, o := range b.Objects {
			o.Origins = []hedgehog.Origin{repo.origin(o.Origin())}
			r.extra = append(r.extra, o)
			objects++
		}
	}
	if objects > 0 {
		r.issues = append(r.issues, hedgehog.Issue{Rule: "import-extra", Severity: hedgehog.Warning,
			Origin:  repo.origin(hedgehog.Origin{File: extra}),
			Summary: plural(objects, "object") + " of people's own will be rendered from NetBox too, and two roots cannot have the same object",
			Hint:    "remove what NetBox documents then from the folder before the next render"})
	}
	for _, stage := range render.Stages() {
		name := path.Join(render.OverlayFolder(fabric, stage), "kustomization.yaml")
		if content, ok := files.Get(name); ok && strings.Contains(string(content), "target:") {
			r.issues = append(r.issues, hedgehog.Issue{Rule: "import-overlay", Severity: hedgehog.Notice,
				Origin:  repo.origin(hedgehog.Origin{File: name}),
				Summary: "people's patches stay in the repository: they are laid over what NetBox gives",
			})
		}
	}
	return nil
}

// origin returns where something of the repository stands as seen from here.
func (r *repository) origin(o hedgehog.Origin) hedgehog.Origin {
	if o.File != "" {
		o.File = path.Join(filepath.ToSlash(r.top), o.File)
	}
	return o
}

// result returns what was read so far, in the form that the cluster stores.
func (r *manifestReader) result() manifests {
	m := r.asWritten()
	for o := range m.Objects.All() {
		hedgehog.Default(o)
	}
	return m
}

// asWritten returns what was read so far.
func (r *manifestReader) asWritten() manifests {
	decoded := r.decoder.Result()
	m := manifests{decoded.Fabric, append(decoded.Issues, r.issues...)}
	for _, o := range r.extra {
		if issue := m.Objects.Add(o); issue != nil {
			m.Issues = append(m.Issues, *issue)
		}
	}
	m.Issues.Sort()
	return m
}

// hopeless reports whether the issue means that nobody can say what the manifests
// want: a document that cannot be read, an object that occurs twice or has no name.
func hopeless(i hedgehog.Issue) bool {
	return i.Severity == hedgehog.Error && (i.Object.Name == "" || i.Rule == "object-duplicate")
}

// tolerated returns the issues of an input that is used in spite of them: none is an
// error any more.
func tolerated(issues hedgehog.Issues) hedgehog.Issues {
	calm := slices.Clone(issues)
	for i := range calm {
		calm[i].Severity = min(calm[i].Severity, hedgehog.Warning)
	}
	calm.Sort()
	return calm
}

// notFound adds advice to the error that a path is not there.
func notFound(err error, command string) error {
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return hint(err, command+" takes files, folders and - for standard input")
}
