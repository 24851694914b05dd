package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"hedgehog-gitops/gitsync"
)

// gitDoc says where the repository is, and who commits.
type gitDoc struct {
	URL    string `yaml:"url" doc:"address of the repository, without a password; by default the origin of the working copy"`
	CAFile string `yaml:"caFile" doc:"file of authorities to trust, counted from this file's folder"`
	Name   string `yaml:"name" doc:"name of the committer"`
	Email  string `yaml:"email" doc:"address of the committer"`
	// KeyFile and KnownHosts are for ssh.
	KeyFile    string `yaml:"keyFile" doc:"private key for ssh; by default the agent's"`
	KnownHosts string `yaml:"knownHosts" doc:"file of known hosts for ssh; by default that of the user"`
}

// signingDoc says how commits are signed; a key without a format is an ssh one.
type signingDoc struct {
	Format  signingFormat `yaml:"format" doc:"ssh or openpgp; ssh where only a key is set"`
	KeyFile string        `yaml:"keyFile" doc:"private key to sign with"`
}

// forgeDoc says where pull requests are.
type forgeDoc struct {
	Kind forgeKind `yaml:"kind" doc:"github, gitea or none; by default guessed from the host"`
	// URL is the forge's own address where it is not that of the repository's host.
	URL    webAddress `yaml:"url" doc:"address of the forge where it is not that of the repository's host"`
	CAFile string     `yaml:"caFile" doc:"file of authorities to trust, counted from this file's folder"`
	Writer writerKind `yaml:"writer" doc:"how commits get there: auto, git or api"`
	App    appDoc     `yaml:"app" doc:"a GitHub App that writes in place of a token"`
}

// appDoc is a GitHub App.
type appDoc struct {
	ID           uint32 `yaml:"id" doc:"its id; 0 for none"`
	Installation uint32 `yaml:"installation" doc:"id of its installation; by default found by the repository"`
	KeyFile      string `yaml:"keyFile" doc:"its private key; by default HEDGEHOG_GITOPS_APP_KEY"`
}

// pullRequestDoc says how changes are proposed.
type pullRequestDoc struct {
	Base         branchPattern `yaml:"base" doc:"branch to propose to; by default the repository's default branch"`
	Branch       branchPattern `yaml:"branch" doc:"branch to commit to"`
	Labels       []string      `yaml:"labels" doc:"labels to add"`
	Assignees    []string      `yaml:"assignees" doc:"users to assign"`
	Reviewers    []string      `yaml:"reviewers" doc:"users, or teams as organisation/team, to ask for a review"`
	Draft        draftPolicy   `yaml:"draft" doc:"false, true, or always: made a draft again when a person made it ready"`
	AutoMerge    mergeMethod   `yaml:"autoMerge" doc:"merge, squash or rebase: merged by the forge once it may be; by default by people"`
	HumanCommits peoplePolicy  `yaml:"humanCommits" doc:"what to do about people's commits on the branch: stop, merge or overwrite"`
	Hold         string        `yaml:"hold" doc:"label that keeps a pull request as it is"`
}

// limitsDoc says what needs somebody to say so: more deletions than so many objects,
// or than so many of a hundred. One object alone never does.
type limitsDoc struct {
	Deletions       uint32 `yaml:"deletions" doc:"so many objects"`
	DeletionPercent uint32 `yaml:"deletionPercent" doc:"or so many of a hundred; a single object is never too many"`
}

// publishConfig is all that is configured about publishing.
type publishConfig struct {
	Git         gitDoc
	Signing     signingDoc
	Forge       forgeDoc
	PullRequest pullRequestDoc
	Limits      limitsDoc
}

// publishDefaults returns how it is published where the file says nothing.
func publishDefaults() publishConfig {
	return publishConfig{
		Git:         gitDoc{Name: "hedgehog-gitops", Email: "hedgehog-gitops@localhost"},
		Forge:       forgeDoc{Writer: writerAuto},
		PullRequest: pullRequestDoc{Branch: "hedgehog-gitops/{fabric}", Draft: gitsync.DraftNo, HumanCommits: gitsync.PeopleStop, Hold: "hold"},
		Limits:      limitsDoc{Deletions: 20, DeletionPercent: 10},
	}
}

// publishing returns what is configured about publishing, with its defaults. File
// names count from the configuration's folder.
func (c *config) publishing() (publishConfig, error) {
	p := publishDefaults()
	for _, part := range []struct {
		key  string
		into any
	}{{"git", &p.Git}, {"signing", &p.Signing}, {"forge", &p.Forge}, {"pullRequest", &p.PullRequest}, {"limits", &p.Limits}} {
		if err := c.use(part.into, part.key); err != nil {
			return publishConfig{}, err
		}
	}
	for _, name := range []*string{&p.Git.CAFile, &p.Git.KeyFile, &p.Git.KnownHosts, &p.Signing.KeyFile, &p.Forge.CAFile, &p.Forge.App.KeyFile} {
		if *name != "" && !filepath.IsAbs(*name) {
			*name = filepath.Join(filepath.Dir(c.file), *name)
		}
	}
	return p, nil
}

type (
	// forgeKind is a forge that the program knows.
	forgeKind string
	// writerKind says how commits get to the forge.
	writerKind string
	// signingFormat is the form of a signing key.
	signingFormat string
	// draftPolicy is one of gitsync's.
	draftPolicy string
	// mergeMethod is how a forge merges.
	mergeMethod string
	// peoplePolicy is one of gitsync's.
	peoplePolicy string
)

const (
	forgeGitHub forgeKind = "github"
	forgeGitea  forgeKind = "gitea"
	forgeNone   forgeKind = "none"

	writerAuto writerKind = "auto"
	writerGit  writerKind = "git"
	writerAPI  writerKind = "api"

	signingSSH     signingFormat = "ssh"
	signingOpenPGP signingFormat = "openpgp"
)

// oneOf sets a value of a fixed set. The error completes "the value ...".
func oneOf[T ~string](into *T, text []byte, known ...T) error {
	if value := T(text); slices.Contains(known, value) {
		*into = value
		return nil
	}
	var names []string
	for _, name := range known {
		names = append(names, string(name))
	}
	return fmt.Errorf("is not one of %s", strings.Join(names, ", "))
}

func (f *forgeKind) UnmarshalText(text []byte) error {
	return oneOf(f, text, forgeGitHub, forgeGitea, forgeNone)
}

func (w *writerKind) UnmarshalText(text []byte) error {
	return oneOf(w, text, writerAuto, writerGit, writerAPI)
}

func (s *signingFormat) UnmarshalText(text []byte) error {
	return oneOf(s, text, signingSSH, signingOpenPGP)
}

func (d *draftPolicy) UnmarshalText(text []byte) error {
	return oneOf(d, text, gitsync.DraftNo, gitsync.DraftYes, gitsync.DraftAlways)
}

func (m *mergeMethod) UnmarshalText(text []byte) error {
	return oneOf(m, text, "merge", "squash", "rebase")
}

func (p *peoplePolicy) UnmarshalText(text []byte) error {
	return oneOf(p, text, gitsync.PeopleStop, gitsync.PeopleMerge, gitsync.PeopleOverwrite)
}

// branchOf returns the name of a fabric's branch.
func branchOf(pattern branchPattern, fabric string) (string, error) {
	name := gitsync.BranchName(strings.ReplaceAll(string(pattern), "{fabric}", fabric))
	if err := gitsync.CheckBranch(name); err != nil {
		return "", err
	}
	return name, nil
}

var errNoRepository = errors.New("nothing says which repository to publish to")
