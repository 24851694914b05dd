package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"hedgehog-gitops/gitsync"
	"hedgehog-gitops/gitsync/edge"
	"hedgehog-gitops/render"
	"hedgehog-gitops/render/hedgehog"
	"hedgehog-gitops/render/netbox"
	"hedgehog-gitops/render/netbox/rest"
	"hedgehog-gitops/render/review"
	"hedgehog-gitops/render/tree"
)

type publishOptions struct {
	app    *app
	common *common

	fabric         string
	snapshot       string
	repo           string
	base           string
	branch         string
	forge          string
	humanCommits   string
	dryRun         bool
	overwrite      bool
	reopen         bool
	allowOlder     bool
	allowDeletions int
	target         string
	fabricVersion  string
	pullRequest    pullRequestFlags
	format         formatFlags
}

func newPublishCommand(a *app, c *common) *cobra.Command {
	o := publishOptions{app: a, common: c}
	cmd := &cobra.Command{
		Use:   "publish",
		Short: "Render fabrics from NetBox and propose the change as a pull request",
		Long: `Renders what NetBox says a fabric should be against what is merged in the Git
repository, checks it, commits what differs to a branch of the fabric's own, and
opens, updates or closes its pull request. A run that finds nothing new writes
nothing.

Each fabric has one branch and one pull request, and one more, <branch>-upgrade,
for what a new version of this program alone would change; it is opened only
while the first is not. A fabric that fails does not stop the others.

Commits that people made on the branch are never lost: the run stops and says so
in a comment, unless --human-commits merge or overwrite was asked for.`,
		Example: `  hedgehog-gitops publish --dry-run
  hedgehog-gitops publish --fabric lab
  hedgehog-gitops publish --repo https://git.example.com/net/fabrics.git --forge none`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var result publishResult
			err := runPublish(cmd.Context(), o, &result)
			return errors.Join(err, a.tellActions(result, err))
		},
	}
	flags := cmd.Flags()
	addFabricFlag(cmd, &o.fabric)
	addSnapshotFlag(cmd, &o.snapshot)
	flags.BoolVar(&o.dryRun, "dry-run", false, "do all but what writes, and list that")
	flags.StringVar(&o.repo, "repo", "", "`URL` of the repository (default: the configuration, else the origin of the working copy here)")
	flags.StringVar(&o.base, "base", "", "`BRANCH` to propose to (default: the configuration, else the repository's default branch)")
	flags.StringVar(&o.branch, "branch", "", "`BRANCH` to commit to; {fabric} stands for the fabric's name (default: the configuration, else hedgehog-gitops/{fabric})")
	flags.StringVar(&o.forge, "forge", "", "where pull requests are: github, gitea or none (default: the configuration, else guessed from the host)")
	flags.StringVar(&o.humanCommits, "human-commits", "", "what to do about people's commits on the branch: stop, merge or overwrite (default: the configuration, else stop)")
	flags.IntVar(&o.allowDeletions, "allow-deletions", -1, "let this run delete up to `N` objects of a fabric, and no more (default: the configuration's limits)")
	flags.BoolVar(&o.overwrite, "overwrite", false, "replace files that were edited by hand")
	flags.BoolVar(&o.reopen, "reopen", false, "propose again what people closed or reverted")
	flags.BoolVar(&o.allowOlder, "allow-older", false, "propose what was read from NetBox before what is proposed or merged already")
	flags.StringVar(&o.target, "target", "", "who gets the manifests: cluster or installer (default: the configuration, else cluster)")
	flags.StringVar(&o.fabricVersion, "fabric-version", "", "release of Hedgehog `V` to render for: 26.03 or 26.02 (default: the configuration, else 26.03)")
	o.pullRequest.add(cmd)
	o.format.add(cmd)
	return cmd
}

// publishResult is what the command publish did.
type publishResult struct {
	Fabrics []publishedFabric
	// Issues are about NetBox as a whole.
	Issues    hedgehog.Issues
	Root      string
	NetBoxURL string
	Repo      string
	// Forge is how people call the forge, "" when there is none.
	Forge  string
	DryRun bool
	// Notices are about the credentials: what a pull request made with them will not
	// do.
	Notices []string
}

// publishedFabric is what became of one fabric.
type publishedFabric struct {
	fabricResult
	// Proposals are those that were looked at, in order: what NetBox changed, then
	// what the tool alone changes.
	Proposals []published
}

// published is what became of one proposal.
type published struct {
	Stream  string
	Result  gitsync.Result
	Changes review.Changes
	// Title, Body and Report are the texts; Report is never cut.
	Title, Body, Report string
}

// publisher is what all fabrics of a run share.
type publisher struct {
	options publishOptions
	conf    publishConfig
	root    string
	netbox  string // the address, "" when it is not known
	repo    string // the address, without what is secret in it
	target  gitsync.Target
	// committer is the address that commits get, "" when the forge decides it.
	committer string
	client    *rest.Client // nil when NetBox is not asked
	index     *netbox.Index
	// change is the highest id of NetBox's change log, digest that of the snapshot.
	change int64
	digest string
}

// runPublish publishes; result holds how far it came, also when it fails.
func runPublish(ctx context.Context, o publishOptions, result *publishResult) error {
	format, err := o.format.choose()
	if err != nil {
		return err
	}
	if err := checkTarget(o.target, o.fabricVersion); err != nil {
		return err
	}
	conf, err := loadConfig(o.common.config, o.app.getenv)
	if err != nil {
		return err
	}
	chosen, err := conf.chosenFabrics(o.fabric, "hedgehog-gitops publish")
	if err != nil {
		return err
	}
	conf.deployChosen(chosen)
	p := publisher{options: o}
	if p.conf, err = o.configured(conf); err != nil {
		return err
	}
	if p.root, err = conf.rootFolder(); err != nil {
		return err
	}
	p.netbox, _ = conf.netboxURL() // only links need it here
	if len(chosen) > 1 && !strings.Contains(string(p.conf.PullRequest.Branch), "{fabric}") {
		return hint(fmt.Errorf("several fabrics cannot share the branch %s", p.conf.PullRequest.Branch), "put {fabric} into it, or choose one: --fabric "+chosen[0].name)
	}
	remote, err := o.app.openRemote(ctx, conf, p.conf)
	if err != nil {
		return err
	}
	defer remote.close()
	p.target, p.committer, p.repo = remote.target, remote.committer, remote.name
	p.target.DryRun = o.dryRun

	*result = publishResult{Root: p.root, NetBoxURL: p.netbox, Repo: remote.name, DryRun: o.dryRun}
	if p.target.Forge != nil {
		traits := p.target.Forge.Traits()
		result.Forge, result.Notices = traits.Name, traits.Notices
	}
	snapshot := &netbox.Snapshot{}
	if fabrics := usable(chosen); len(fabrics) > 0 {
		if o.snapshot == "" {
			client, done, err := o.app.netboxClient(o.common, conf)
			if err != nil {
				return err
			}
			defer done()
			p.client = client
			snapshot, result.Issues, err = rest.Read(ctx, client, fabrics)
			if err != nil {
				return err
			}
		} else if snapshot, result.Issues, err = o.app.snapshot(ctx, o.common, conf, o.snapshot, fabrics); err != nil {
			return err
		}
	}
	p.index, p.change = netbox.NewIndex(snapshot), snapshot.ChangeID
	if p.digest, err = snapshot.Digest(); err != nil {
		return err
	}
	for _, f := range chosen {
		one := publishedFabric{}
		one.fabricResult, result.Issues = mapFabric(p.index, f, result.Issues, o.override)
		if one.Rendered {
			one.Err = p.publish(ctx, f, &one)
		}
		one.Issues.Sort()
		one.Rendered = one.Rendered && one.Err == nil && one.Issues.Worst() < hedgehog.Error
		result.Fabrics = append(result.Fabrics, one)
		if ctx.Err() != nil {
			break
		}
	}
	if err := o.app.showPublish(*result, format, o.common.quiet); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return result.err()
}

// configured returns the configuration with what flags replace.
func (o publishOptions) configured(conf *config) (publishConfig, error) {
	p, err := conf.publishing()
	if err != nil {
		return p, err
	}
	for _, flag := range []struct {
		name, value string
		into        interface{ UnmarshalText([]byte) error }
	}{
		{"base", o.base, &p.PullRequest.Base},
		{"branch", o.branch, &p.PullRequest.Branch},
		{"forge", o.forge, &p.Forge.Kind},
		{"human-commits", o.humanCommits, &p.PullRequest.HumanCommits},
	} {
		if flag.value == "" {
			continue
		}
		if err := flag.into.UnmarshalText([]byte(flag.value)); err != nil {
			return p, fmt.Errorf("--%s %q %w", flag.name, flag.value, err)
		}
	}
	if o.repo != "" {
		p.Git.URL = o.repo
	}
	return p, o.pullRequest.replace(&p)
}

// override lets flags replace what is configured.
func (o publishOptions) override(c netbox.Config) netbox.Config {
	return overridden(c, o.target, o.fabricVersion)
}

// publishTries is how often a proposal is made anew because base moved meanwhile.
const publishTries = 4

// publish proposes one fabric whose objects are known.
func (p publisher) publish(ctx context.Context, chosen chosenFabric, one *publishedFabric) error {
	issues := one.Issues
	for try := 1; ; try++ {
		one.Issues, one.Proposals, one.Changes = slices.Clone(issues), nil, nil
		err := p.propose(ctx, chosen, one)
		if !errors.Is(err, gitsync.ErrMoved) || try == publishTries {
			return err
		}
	}
}

// propose makes the proposals of a fabric against base as it is now.
func (p publisher) propose(ctx context.Context, chosen chosenFabric, one *publishedFabric) error {
	base, head, err := gitsync.FindBase(ctx, p.target.Repo, string(p.conf.PullRequest.Base))
	if err != nil {
		if unreachable := (*edge.Error)(nil); errors.As(err, &unreachable) {
			return fmt.Errorf("%s: %w", p.repo, err)
		}
		return hint(err, "--base BRANCH, or pullRequest.base in "+configFile+", names another branch")
	}
	branch, err := branchOf(p.conf.PullRequest.Branch, chosen.name)
	if err != nil {
		return err
	}
	s := &stream{
		publisher: p, fabric: one, name: chosen.name, base: base, from: head, branch: branch,
		prune: chosen.settings.Deploy.Prune, settings: p.options.override(chosen.settings.NetBox).Settings,
	}
	contents := marshalled(one.Fabric)
	s.known = make(map[gitsync.Hash][]byte, len(contents))
	for _, content := range contents {
		s.known[gitsync.BlobID(content)] = content
	}
	merged, err := s.merged(ctx)
	if err != nil {
		return err
	}
	in := render.Input{
		Fabric: chosen.name, Objects: one.Fabric, Settings: one.Settings, Merged: merged, Shards: chosen.settings.Shards, Deploy: chosen.deploy,
		Overwrite: p.options.overwrite, Later: true, Contents: contents,
	}
	laid, err := s.layOut(ctx, in)
	if err != nil {
		return err
	}
	if !one.add(laid.Issues) || !one.add(p.guard(chosen.name, laid.laidOut)) || !one.add(review.Secrets(laid.Checked.Objects)) {
		return nil
	}
	one.Changes = laid.Out.Changes
	first, err := s.send(ctx, laid, chosen.name, false)
	if err != nil {
		return err
	}
	// What the tool alone changes waits until nothing else is proposed.
	if first.Operation == gitsync.Left || first.Number != 0 || len(laid.Out.Changes) > 0 {
		return nil
	}
	s.branch += "-upgrade"
	if len(laid.Out.Later) > 0 {
		in = laid.In
		in.Later = false
		whole, err := layOut(p.index, in)
		if err != nil {
			return err
		}
		if laid, err = s.step(ctx, whole, nil); err != nil {
			return err
		}
		if !one.add(laid.Issues) {
			return nil
		}
	}
	_, err = s.send(ctx, laid, chosen.name+"/upgrade", true)
	return err
}

// guard refuses to delete more than is allowed, and to empty a fabric. What moves to
// another root is not deleted.
func (p publisher) guard(fabric string, laid laidOut) hedgehog.Issues {
	folder := render.BaseFolder(fabric)
	before, after := objectsOf(laid.In.Merged.Below(folder)), objectsOf(laid.Out.Tree)
	gone := 0
	for key := range before {
		if !after[key] {
			gone++
		}
	}
	limits, all := p.conf.Limits, len(after) == 0 && gone > 0
	few := gone <= int(limits.Deletions) && (gone < 2 || gone*100 <= int(limits.DeletionPercent)*len(before))
	if gone <= p.options.allowDeletions || p.options.allowDeletions < 0 && few && !all {
		return nil
	}
	issue := hedgehog.Issue{
		Rule: "too-many-deletions", Severity: hedgehog.Error, Field: "limits",
		Summary: fmt.Sprintf("this would delete %d of the fabric's %d objects", gone, len(before)),
		Hint:    fmt.Sprintf("if NetBox has it right, run once with --allow-deletions %d", gone),
	}
	if all {
		issue.Summary = fmt.Sprintf("NetBox holds nothing of the fabric any more: this would delete all of its %d objects", gone)
	}
	return hedgehog.Issues{issue}
}

// objectsOf returns the objects that have a file in the tree.
func objectsOf(files tree.Tree) map[hedgehog.Key]bool {
	objects := map[hedgehog.Key]bool{}
	for file := range files.All() {
		if key, ok := objectOf(file); ok {
			objects[key] = true
		}
	}
	return objects
}

// marshalled returns the files of all objects, but for those that cannot be
// written: laying them out says why.
func marshalled(fabric *hedgehog.Fabric) map[hedgehog.Key][]byte {
	contents := make(map[hedgehog.Key][]byte, fabric.Len())
	for o := range fabric.All() {
		if content, err := hedgehog.Marshal(o); err == nil {
			contents[o.Key()] = content
		}
	}
	return contents
}

// strip takes the configured root off a path.
func (p publisher) strip(name string) string {
	if p.root == "" {
		return name
	}
	return strings.TrimPrefix(name, p.root+"/")
}

// stream is what is proposed on one branch.
type stream struct {
	publisher
	fabric *publishedFabric
	name   string
	base   string
	from   gitsync.Hash
	branch string
	// prune is whether controllers delete what leaves the repository, settings are those of
	// the installation.
	prune    bool
	settings hedgehog.Settings
	// known are the files of the fabric's objects by their ids in Git.
	known map[gitsync.Hash][]byte
	// merge is the last merge of what NetBox changed; zero when nobody looked, or there
	// was none for long.
	merge gitsync.Merge
}

// changes returns what the step changes in the repository.
func (s *stream) changes(next stepped) []tree.Change {
	changes := slices.Clone(next.Out.Changes)
	for i := range changes {
		changes[i].Path = path.Join(s.root, changes[i].Path)
	}
	return changes
}

// send proposes what is laid out, on the stream's branch.
func (s *stream) send(ctx context.Context, next stepped, name string, toolOnly bool) (gitsync.Result, error) {
	changes := s.changes(next)
	text, err := s.texts(ctx, next, toolOnly)
	if err != nil {
		return gitsync.Result{}, err
	}
	pr := s.conf.PullRequest
	result, err := gitsync.Propose(ctx, s.target, gitsync.Proposal{
		Stream: name, Base: s.base, From: s.from, Branch: s.branch,
		Folders: []string{path.Join(s.root, render.BaseFolder(s.name))},
		Changes: changes, Digest: digestOf(changes), Order: s.change,
		Title: text.title, Body: text.body, Message: text.message,
		Trailers: []gitsync.Trailer{
			{Key: "NetBox-Snapshot", Value: s.digest},
			{Key: trailerChange, Value: strconv.FormatInt(s.change, 10)},
			{Key: "Rendered-By", Value: "hedgehog-gitops " + version()},
			{Key: trailerStep, Value: fmt.Sprintf("%d/%d", next.Step.Number, next.Step.Of)},
		},
		Committer: s.committer,
		Labels:    pr.Labels, Assignees: pr.Assignees, Reviewers: pr.Reviewers,
		Draft: next.draft(string(pr.Draft)), AutoMerge: string(pr.AutoMerge), ByHand: text.byHand,
		People: string(pr.HumanCommits), Hold: pr.Hold, Obsolete: text.obsolete,
		Choices: "Run `hedgehog-gitops publish --human-commits merge` to put the new change on top of these commits, or `--human-commits overwrite` to drop them from the branch.",
		Anew:    s.options.reopen, AnyOrder: s.options.allowOlder,
	})
	s.fabric.Proposals = append(s.fabric.Proposals, published{
		Stream: name, Result: result, Changes: text.changes, Title: text.title, Body: text.body, Report: text.report,
	})
	return result, err
}

// digestOf is a digest of what changes: equal changes, equal digest.
func digestOf(changes []tree.Change) string {
	h := sha256.New()
	for _, c := range changes {
		id := gitsync.Hash("")
		if c.Op != tree.Removed {
			id = gitsync.BlobID(c.New)
		}
		fmt.Fprintf(h, "%s %s\n", id, c.Path)
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
}

// err says which fabrics were not published.
func (r publishResult) err() error {
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
		return fmt.Errorf("fabric %s was not published", failed[0])
	}
	return fmt.Errorf("%d of %d fabrics not published: %s", len(failed), len(r.Fabrics), strings.Join(failed, ", "))
}

// pauses are how long to wait before further attempts when another run is at work
// on the same branch; fraction, from 0 to 1, differs from run to run.
func pauses(fraction float64) []time.Duration {
	var list []time.Duration
	for _, base := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second} {
		list = append(list, base+time.Duration(fraction*float64(base)))
	}
	return list
}
