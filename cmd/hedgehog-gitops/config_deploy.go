package main

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"

	"hedgehog-gitops/render"
	"hedgehog-gitops/render/hedgehog"
)

// deployDoc says how a cluster gets what is merged. Under a fabric it replaces, key by
// key, what stands at the top.
type deployDoc struct {
	// Prune is whether what leaves the repository is deleted from the cluster.
	Prune  bool      `yaml:"prune" doc:"whether what leaves the repository is deleted from the cluster; read docs/deploy.md first"`
	ArgoCD argoCDDoc `yaml:"argocd" doc:"an Application of Argo CD for every root"`
	Flux   fluxDoc   `yaml:"flux" doc:"a Kustomization of Flux for every root"`
}

// argoCDDoc says where Argo CD reads the repository and where it applies it.
type argoCDDoc struct {
	Enabled     bool           `yaml:"enabled" doc:"whether to write them"`
	RepoURL     string         `yaml:"repoURL" doc:"address of the repository as Argo CD reaches it; by default git.url"`
	Revision    string         `yaml:"revision" doc:"branch to apply; by default pullRequest.base, else HEAD"`
	Namespace   dnsLabel       `yaml:"namespace" doc:"namespace of Argo CD"`
	Project     dnsSubdomain   `yaml:"project" doc:"project of Argo CD"`
	Destination destinationDoc `yaml:"destination" doc:"the cluster of the fabric"`
}

// destinationDoc is a cluster as Argo CD knows it: by its name, else by its address.
type destinationDoc struct {
	Name      string     `yaml:"name" doc:"its name in Argo CD, in place of server"`
	Server    webAddress `yaml:"server" doc:"its address"`
	Namespace dnsLabel   `yaml:"namespace" doc:"for people's own objects that name no namespace"`
}

// fluxDoc says where Flux reads the repository and how it applies it.
type fluxDoc struct {
	Enabled       bool         `yaml:"enabled" doc:"whether to write them"`
	Namespace     dnsLabel     `yaml:"namespace" doc:"namespace of the Kustomizations and of their GitRepository"`
	Source        dnsSubdomain `yaml:"source" doc:"name of the GitRepository"`
	KubeConfig    dnsSubdomain `yaml:"kubeConfig" doc:"Secret with the kubeconfig of the fabric's cluster; by default the cluster that Flux runs in"`
	Interval      duration     `yaml:"interval" doc:"how often the cluster is put right without a commit"`
	Timeout       duration     `yaml:"timeout" doc:"how long an apply waits until everything is ready"`
	RetryInterval duration     `yaml:"retryInterval" doc:"how soon a refused apply is tried again: objects that need those of another root find their order so"`
}

// deployDefaults returns how fabrics are deployed of which the file says nothing.
func deployDefaults() deployDoc {
	return deployDoc{
		ArgoCD: argoCDDoc{
			Namespace: "argocd", Project: "default",
			Destination: destinationDoc{Server: "https://kubernetes.default.svc", Namespace: hedgehog.Namespace},
		},
		Flux: fluxDoc{
			Namespace: "flux-system", Source: "hedgehog-gitops",
			Interval: "10m", Timeout: "5m", RetryInterval: "30s",
		},
	}
}

// deploy returns what is configured of deploying every fabric.
func (c *config) deploy() (deployDoc, error) {
	doc := deployDefaults()
	err := c.use(&doc, "deploy")
	return doc, err
}

// deployChosen adds to the fabrics which objects of Argo CD and Flux they are to have,
// for the commands that write these: all others do without what is needed for it.
func (c *config) deployChosen(chosen []chosenFabric) {
	for i, f := range chosen {
		if f.err == nil {
			chosen[i].deploy, chosen[i].err = c.deployed(f.settings.Deploy)
		}
	}
}

// deployed returns the objects of Argo CD and Flux that a fabric is to have.
func (c *config) deployed(doc deployDoc) (render.Deploy, error) {
	d := render.Deploy{Prune: doc.Prune}
	var err error
	if d.Root, err = c.rootFolder(); err != nil {
		return d, err
	}
	if doc.ArgoCD.Enabled {
		address, revision, err := c.repository(doc.ArgoCD)
		if err != nil {
			return d, err
		}
		d.ArgoCD = &render.ArgoCD{
			RepoURL: address, Revision: revision,
			Namespace: string(doc.ArgoCD.Namespace), Project: string(doc.ArgoCD.Project),
			Destination: render.Destination{Name: doc.ArgoCD.Destination.Name, Namespace: string(doc.ArgoCD.Destination.Namespace)},
		}
		if d.ArgoCD.Destination.Name == "" {
			d.ArgoCD.Destination.Server = string(doc.ArgoCD.Destination.Server)
		}
	}
	if doc.Flux.Enabled {
		d.Flux = &render.Flux{
			Namespace: string(doc.Flux.Namespace), Source: string(doc.Flux.Source), KubeConfig: string(doc.Flux.KubeConfig),
			Interval: string(doc.Flux.Interval), Timeout: string(doc.Flux.Timeout), RetryInterval: string(doc.Flux.RetryInterval),
		}
	}
	return d, nil
}

// repository returns the address of the repository as Argo CD reaches it, and its
// branch: what deploy says, else where publish pushes to.
func (c *config) repository(doc argoCDDoc) (address, revision string, err error) {
	p, err := c.publishing()
	if err != nil {
		return "", "", err
	}
	address = cmp.Or(doc.RepoURL, p.Git.URL)
	key := "git.url"
	if doc.RepoURL != "" {
		key = "deploy.argocd.repoURL"
	}
	if address == "" {
		return "", "", hint(errors.New("nothing says where Argo CD reads the repository"),
			"write its address into "+cmp.Or(c.file, configFile)+" as git.url, or as deploy.argocd.repoURL where Argo CD reaches it at another one")
	}
	if u, err := url.Parse(address); err == nil && u.User != nil {
		if _, secret := u.User.Password(); secret || u.Scheme == "http" || u.Scheme == "https" {
			return "", "", hint(fmt.Errorf("%s has credentials in it, which would stand in the repository", key),
				"take them out of the address, and give Argo CD a Secret for the repository")
		}
	}
	return address, cmp.Or(doc.Revision, string(p.PullRequest.Base), "HEAD"), nil
}

type (
	// dnsLabel is the name of a namespace.
	dnsLabel string
	// dnsSubdomain is the name of an object in a cluster.
	dnsSubdomain string
	// duration is a time span such as 10m.
	duration string
)

var (
	dnsLabelForm     = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)
	dnsSubdomainForm = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`)
	durationForm     = regexp.MustCompile(`^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$`)
)

func (n *dnsLabel) UnmarshalText(text []byte) error {
	if !dnsLabelForm.Match(text) {
		return errors.New("cannot name a namespace: use at most 63 lower-case letters, digits and -")
	}
	*n = dnsLabel(text)
	return nil
}

func (n *dnsSubdomain) UnmarshalText(text []byte) error {
	if len(text) > 0 && (len(text) > 253 || !dnsSubdomainForm.Match(text)) {
		return errors.New("cannot name an object in a cluster: use lower-case letters, digits, - and .")
	}
	*n = dnsSubdomain(text)
	return nil
}

func (d *duration) UnmarshalText(text []byte) error {
	span, err := time.ParseDuration(string(text))
	if err != nil || span <= 0 || !durationForm.Match(text) {
		return errors.New("is no time span such as 10m or 30s")
	}
	*d = duration(strings.TrimSpace(string(text)))
	return nil
}
