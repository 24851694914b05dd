package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"hedgehog-gitops/render/netbox"
)

// planDocument is a plan as a file and in --json.
type planDocument struct {
	FormatVersion string `json:"format_version"`
	// Digest is that of the plan: what people looked at is what is applied.
	Digest string      `json:"digest"`
	Plan   netbox.Plan `json:"plan"`
}

// listedPlan returns the plan in the form in which it is written: no list in it is
// null.
func listedPlan(p *netbox.Plan) netbox.Plan {
	whole := *p
	whole.Changes = append([]netbox.Change{}, p.Changes...)
	whole.OnlyInNetBox = append([]netbox.OnlyThere{}, p.OnlyInNetBox...)
	for i := range whole.Changes {
		c := &whole.Changes[i]
		c.For = append([]netbox.Cause{}, c.For...)
		if c.Before == nil {
			c.Before = map[string]any{}
		}
		if c.After == nil {
			c.After = map[string]any{}
		}
	}
	return whole
}

// planDigest returns the SHA-256 of a plan in the form in which it is written.
func planDigest(p netbox.Plan) (string, error) {
	content, err := json.Marshal(p)
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:]), err
}

// encodePlan returns the plan as a file.
func encodePlan(p *netbox.Plan) ([]byte, error) {
	document := planDocument{FormatVersion: jsonVersion, Plan: listedPlan(p)}
	var err error
	if document.Digest, err = planDigest(document.Plan); err != nil {
		return nil, fmt.Errorf("writing the plan: %w", err)
	}
	var content bytes.Buffer
	e := json.NewEncoder(&content)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	err = e.Encode(document)
	return content.Bytes(), err
}

// readPlan reads a file that encodePlan made, or what --json printed; - for standard
// input.
func (a *app) readPlan(ctx context.Context, name string) (*netbox.Plan, error) {
	const advice = "a plan comes from: hedgehog-gitops import PATH --plan-out FILE"
	content, err := a.readInput(ctx, name)
	if err != nil {
		return nil, hint(fmt.Errorf("reading a plan: %w", err), advice)
	}
	plan, err := decodePlan(content)
	if err != nil {
		return nil, hint(fmt.Errorf("reading the plan from %s: %w", name, err), advice)
	}
	return plan, nil
}

func decodePlan(content []byte) (*netbox.Plan, error) {
	var document struct {
		FormatVersion string       `json:"format_version"`
		Digest        string       `json:"digest"`
		Plan          *netbox.Plan `json:"plan"`
	}
	d := json.NewDecoder(bytes.NewReader(content))
	d.UseNumber() // ids are whole
	if err := d.Decode(&document); err != nil {
		return nil, fmt.Errorf("no plan: %w", err)
	}
	switch {
	case document.FormatVersion == "" || document.Plan == nil || document.Plan.Base == "":
		return nil, errors.New("no plan: it has no format_version or no plan")
	case document.FormatVersion != jsonVersion:
		return nil, fmt.Errorf("the plan has format version %q; this version of the tool reads %q", document.FormatVersion, jsonVersion)
	}
	digest, err := planDigest(listedPlan(document.Plan))
	if err != nil {
		return nil, err
	}
	if digest != document.Digest {
		return nil, errors.New("the plan is not what was made: it does not fit its digest, somebody edited it")
	}
	return document.Plan, nil
}
