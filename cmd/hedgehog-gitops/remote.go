package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"

	"hedgehog-gitops/gitsync"
	"hedgehog-gitops/gitsync/forge/gitea"
	"hedgehog-gitops/gitsync/forge/github"
	"hedgehog-gitops/gitsync/git"
)

// remote is where proposals go.
type remote struct {
	// name is the repository's address without what is secret in it.
	name   string
	target gitsync.Target
	// committer is the address that commits get, "" when the forge decides it.
	committer string
	close     func()
}

// openRemote opens the repository and its forge as they are configured.
func (a *app) openRemote(ctx context.Context, conf *config, p publishConfig) (remote, error) {
	address := p.Git.URL
	if address == "" {
		origin, err := git.Origin(filepath.Dir(filepath.Join(".", conf.file)))
		if err != nil {
			return remote{}, hint(fmt.Errorf("%w: %w", errNoRepository, err),
				"--repo URL names it", "or write it into "+configFile+" as git.url")
		}
		address = origin
	}
	place, err := locate(address)
	if err != nil {
		return remote{}, err
	}
	kind, err := a.forgeKind(p.Forge, place)
	if err != nil {
		return remote{}, err
	}
	options := git.Options{
		URL: address, Name: p.Git.Name, Email: p.Git.Email,
		SSHAgent: a.getenv("SSH_AUTH_SOCK"), SSHPassphrase: []byte(a.getenv("HEDGEHOG_GITOPS_SSH_PASSPHRASE")),
	}
	if err := a.gitFiles(&options, p); err != nil {
		return remote{}, err
	}
	r := remote{name: place.String(), close: func() {}}
	var api *github.Writer
	switch kind {
	case forgeGitHub:
		client, err := a.openGitHub(ctx, p, place)
		if err != nil {
			return remote{}, err
		}
		options.Token = client.Token
		r.target.Forge = client
		api = client.Writer()
	case forgeGitea:
		token := strings.TrimSpace(a.getenv("GITEA_TOKEN"))
		if token == "" {
			return remote{}, hint(errors.New("no token for Gitea"), "export GITEA_TOKEN=... (repository: read and write; issue: read and write)")
		}
		client, err := gitea.Connect(ctx, gitea.Options{
			URL: serverOf(p.Forge, place), Repository: place.repository, Token: token,
			CAFile: p.Forge.CAFile, UserAgent: "hedgehog-gitops/" + version(),
		})
		if err != nil {
			return remote{}, err
		}
		options.Token = func(context.Context) (string, error) { return token, nil }
		r.target.Forge = client
	case forgeNone:
		if token := strings.TrimSpace(a.getenv("GIT_TOKEN")); token != "" {
			options.Token = func(context.Context) (string, error) { return token, nil }
		}
	}
	if !place.web {
		options.Token = nil
	}
	repo, err := git.Open(options)
	if err != nil {
		return remote{}, err
	}
	r.close = func() { _ = repo.Close() }
	r.target.Repo, r.target.Writer, r.target.Pauses, r.committer = repo, repo, pauses(rand.Float64()), p.Git.Email
	switch w := p.Forge.Writer; {
	case api == nil || w == writerGit:
	case w == writerAPI:
		r.target.Writer, r.committer = github.Always(api, repo), ""
	case options.Sign == nil && place.host == "github.com":
		// GitHub signs what comes over its API.
		r.target.Writer, r.committer = github.Either(api, repo), ""
	}
	return r, nil
}

// gitFiles reads the files that the options of a repository name.
func (a *app) gitFiles(o *git.Options, p publishConfig) error {
	read := func(what, name string) ([]byte, error) {
		if name == "" {
			return nil, nil
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", what, err)
		}
		return data, nil
	}
	var err error
	if o.CA, err = read("git.caFile", p.Git.CAFile); err != nil {
		return err
	}
	if o.SSHKey, err = read("git.keyFile", p.Git.KeyFile); err != nil {
		return err
	}
	switch home := a.getenv("HOME"); {
	case p.Git.KnownHosts != "":
		o.KnownHosts = []string{p.Git.KnownHosts}
	case home != "":
		o.KnownHosts = []string{filepath.Join(home, ".ssh", "known_hosts")}
	}
	key, err := read("signing.keyFile", p.Signing.KeyFile)
	if err != nil || key == nil {
		return err
	}
	passphrase := []byte(a.getenv("HEDGEHOG_GITOPS_SIGNING_PASSPHRASE"))
	if p.Signing.Format == signingOpenPGP {
		o.Sign, err = git.OpenPGPSigner(string(key), passphrase)
	} else {
		o.Sign, err = git.SSHSigner(key, passphrase)
	}
	if err != nil {
		return fmt.Errorf("reading the signing key %s: %w", p.Signing.KeyFile, err)
	}
	return nil
}

// place is where a repository is.
type place struct {
	// host is "" for a folder; web whether it is reached by http or https.
	scheme, host string
	web          bool
	// repository is owner/name, or the folder.
	repository string
}

// String returns the address without a user or password.
func (p place) String() string {
	if p.host == "" {
		return p.repository
	}
	return p.scheme + "://" + p.host + "/" + p.repository
}

// locate takes the address of a repository apart.
func locate(address string) (place, error) {
	// host:path is ssh, as git has it.
	if before, after, ok := strings.Cut(address, ":"); ok && !strings.Contains(address, "://") && !strings.Contains(before, "/") {
		host := before[strings.LastIndexByte(before, '@')+1:]
		return place{scheme: "ssh", host: host, repository: cleanRepository(after)}, nil
	}
	if !strings.Contains(address, "://") {
		return place{repository: address}, nil
	}
	u, err := url.Parse(address)
	if err != nil {
		return place{}, errors.New("the address of the repository is no URL") // which may hold a password
	}
	switch u.Scheme {
	case "http", "https":
		return place{scheme: u.Scheme, host: u.Host, web: true, repository: cleanRepository(u.Path)}, nil
	case "ssh":
		return place{scheme: "ssh", host: u.Hostname(), repository: cleanRepository(u.Path)}, nil
	case "file":
		return place{repository: u.Path}, nil
	}
	return place{}, hint(fmt.Errorf("a repository is not reached by %s://", u.Scheme), "use https, ssh or file")
}

func cleanRepository(p string) string {
	return strings.TrimSuffix(strings.Trim(path.Clean("/"+p), "/"), ".git")
}

// forgeKind returns the forge that is configured, else the one that the host is
// known for.
func (a *app) forgeKind(f forgeDoc, p place) (forgeKind, error) {
	switch {
	case f.Kind != "":
		if f.Kind != forgeNone && p.host == "" && f.URL == "" {
			return "", hint(fmt.Errorf("a folder has no pull requests on %s", f.Kind), "--forge none")
		}
		return f.Kind, nil
	case p.host == "":
		return forgeNone, nil
	}
	host := strings.ToLower(p.host)
	enterprise, _ := url.Parse(a.getenv("GITHUB_SERVER_URL"))
	switch {
	case ofGitHub(host), enterprise != nil && enterprise.Host == host:
		return forgeGitHub, nil
	case host == "gitea.com", host == "codeberg.org":
		return forgeGitea, nil
	}
	return "", hint(fmt.Errorf("nothing says which forge %s is", p.host),
		"--forge github, gitea or none", "or write it into "+configFile+" as forge.kind")
}

// ofGitHub reports whether the host is one of GitHub's own service.
func ofGitHub(host string) bool {
	host = strings.ToLower(host)
	return host == "github.com" || strings.HasSuffix(host, ".ghe.com")
}

// serverOf returns the address of the forge.
func serverOf(f forgeDoc, p place) string {
	if f.URL != "" {
		return string(f.URL)
	}
	scheme := "https"
	if p.web {
		scheme = p.scheme
	}
	return scheme + "://" + p.host
}

// openGitHub opens GitHub or an Enterprise server.
func (a *app) openGitHub(ctx context.Context, p publishConfig, where place) (*github.Forge, error) {
	o := github.Options{
		Repository: where.repository, ServerURL: serverOf(p.Forge, where),
		Token: strings.TrimSpace(a.getenv("GITHUB_TOKEN")), CAFile: p.Forge.CAFile,
		UserAgent: "hedgehog-gitops/" + version(),
	}
	if !ofGitHub(where.host) {
		// The limits that ask for a pause between writes are off on an Enterprise server,
		// unless its owners say otherwise; then it says how long to wait.
		o.Pace = -1
	}
	if strings.TrimSuffix(a.getenv("GITHUB_SERVER_URL"), "/") == o.ServerURL {
		o.APIURL, o.GraphQLURL = a.getenv("GITHUB_API_URL"), a.getenv("GITHUB_GRAPHQL_URL")
	}
	if app := p.Forge.App; app.ID != 0 {
		o.Token = ""
		o.App = github.App{ID: int64(app.ID), Installation: int64(app.Installation), Key: []byte(a.getenv("HEDGEHOG_GITOPS_APP_KEY"))}
		if app.KeyFile != "" {
			var err error
			if o.App.Key, err = os.ReadFile(app.KeyFile); err != nil {
				return nil, fmt.Errorf("reading forge.app.keyFile: %w", err)
			}
		}
		if len(o.App.Key) == 0 {
			return nil, hint(errors.New("no key for the GitHub App"), "forge.app.keyFile names its file, or export HEDGEHOG_GITOPS_APP_KEY=...")
		}
	} else if o.Token == "" {
		return nil, hint(errors.New("no token for GitHub"), "export GITHUB_TOKEN=... (contents: write, pull requests: write)")
	}
	return github.Connect(ctx, o)
}
