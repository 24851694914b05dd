// Package templates holds the files that people get to keep: what the command init
// writes into a repository, and the workflows to copy.
//
//	[Render]   a template of repository/ and what it is about -> a file
//	[Workflow] a workflow as it is
package templates

import (
	"bytes"
	"embed"
	"fmt"
	"strings"
	"text/template"

	"go.yaml.in/yaml/v3"
)

//go:embed workflows repository
var files embed.FS

// Repository is what the files of a repository are about.
type Repository struct {
	// Fabrics are those of the repository, one for a file that is of one fabric.
	Fabrics []Fabric
	// Root is the folder in which fabrics/ and deploy/ stand, with a slash at its end, ""
	// for the top.
	Root string
	// ArgoCD and Flux are whether the tool applies a fabric.
	ArgoCD, Flux bool
	// Stages are the names of the stages, in order.
	Stages []string
}

// Fabric is one fabric as the files need it.
type Fabric struct {
	Name string
	// Parent is the name of what applies the objects that lead to the roots.
	Parent string
	// Stage is set for a file that is of one stage.
	Stage string
	// ArgoCD and Flux say where the tools are.
	ArgoCD ArgoCD
	Flux   Flux
}

// ArgoCD says where Argo CD is and where it reads the repository.
type ArgoCD struct{ Namespace, Project, RepoURL, Revision string }

// Flux says where Flux is, where it reads the repository, and how often.
type Flux struct{ Namespace, Source, URL, Branch, Interval, Timeout, RetryInterval string }

// Render returns a file made of the template of that name below repository/.
func Render(name string, about Repository) ([]byte, error) {
	text, err := files.ReadFile("repository/" + name + ".tmpl")
	if err != nil {
		return nil, fmt.Errorf("reading the template %s: %w", name, err)
	}
	parsed, err := template.New(name).Funcs(template.FuncMap{"yaml": scalar}).Option("missingkey=error").Parse(string(text))
	if err != nil {
		return nil, fmt.Errorf("reading the template %s: %w", name, err)
	}
	var out bytes.Buffer
	if err := parsed.Execute(&out, about); err != nil {
		return nil, fmt.Errorf("filling in the template %s: %w", name, err)
	}
	return out.Bytes(), nil
}

// scalar writes a text so that YAML reads it as that text.
func scalar(text string) (string, error) {
	out, err := yaml.Marshal(text)
	return strings.TrimSuffix(string(out), "\n"), err
}

// Workflow returns the workflow of that name, such as publish.yaml.
func Workflow(name string) ([]byte, error) {
	content, err := files.ReadFile("workflows/" + name)
	if err != nil {
		return nil, fmt.Errorf("reading the workflow %s: %w", name, err)
	}
	return content, nil
}
