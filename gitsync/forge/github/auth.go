package github

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"time"

	gh "github.com/google/go-github/v62/github"

	"hedgehog-gitops/gitsync"
	"hedgehog-gitops/gitsync/edge"
)

// margin is how long before its end a token is replaced: no request takes longer.
const margin = 5 * time.Minute

// credentials looks at what the options say of who we are.
func (f *Forge) credentials() error {
	wrong := func(detail, hint string) error {
		return &edge.Error{Doing: connecting, Detail: detail, Hint: hint, Kind: gitsync.ErrDenied}
	}
	o := f.options
	switch {
	case o.Token != "" && strings.ContainsFunc(o.Token, func(r rune) bool { return r <= ' ' || r > '~' }):
		return wrong("the token has a character that no token has", "give the token alone, as GitHub showed it")
	case o.Token != "":
		return nil
	case o.App.ID == 0 && len(o.App.Key) == 0:
		return wrong("there is no token", "set GITHUB_TOKEN, or give a GitHub App's id and key")
	case o.App.ID <= 0:
		return wrong("the App has a key and no id", "its id stands on the App's page, under About")
	}
	key, err := privateKey(o.App.Key)
	if err != nil {
		return wrong("the App's key "+err.Error(), "give the whole .pem file that GitHub made for the App")
	}
	f.key = key
	return nil
}

// privateKey reads the key as GitHub gives it, or as tools rewrite it.
func privateKey(text []byte) (*rsa.PrivateKey, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("is not PEM")
	}
	if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return key, nil
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errors.New("cannot be read") // why may show some of it
	}
	key, ok := parsed.(*rsa.PrivateKey)
	if !ok {
		return nil, errors.New("is not an RSA key")
	}
	return key, nil
}

// Token returns what requests are made with, for git too: its user is
// x-access-token. An App's is made anew before it ends.
func (f *Forge) Token(ctx context.Context) (string, error) {
	f.tokens.Lock()
	defer f.tokens.Unlock()
	if f.key == nil || f.token != "" && f.options.Now().Add(margin).Before(f.expires) {
		return f.token, nil
	}
	jwt, err := f.assertion()
	if err != nil {
		return "", &edge.Error{Doing: "signing for the App", Detail: err.Error(), Err: err}
	}
	ctx = f.task(ctx, task{doing: fmt.Sprintf("being App %d", f.options.App.ID), harmless: true, bearer: jwt})
	if f.options.App.Installation == 0 {
		found, _, err := f.client.Apps.FindRepositoryInstallation(ctx, f.owner, f.name)
		if err != nil {
			e := f.explain(ctx, err)
			if errors.Is(e, gitsync.ErrNotFound) {
				f.notInstalled(e)
			}
			return "", e
		}
		f.options.App.Installation = found.GetID()
	}
	made, _, err := f.client.Apps.CreateInstallationToken(ctx, f.options.App.Installation, &gh.InstallationTokenOptions{Repositories: []string{f.name}})
	if err != nil {
		e := f.explain(ctx, err)
		if errors.Is(e, gitsync.ErrNotFound) || strings.Contains(e.Detail, "not accessible") {
			f.notInstalled(e)
		}
		return "", e
	}
	f.token, f.expires = made.GetToken(), made.GetExpiresAt().Time
	token := f.token
	f.secret.Store(&token)
	return f.token, nil
}

// notInstalled explains that the App has nothing to do with the repository.
func (f *Forge) notInstalled(e *edge.Error) {
	e.Kind = gitsync.ErrNotFound
	e.Detail = fmt.Sprintf("it is not installed on %s/%s, or there is no such repository", f.owner, f.name)
	e.Hint = "install it on the repository: the App's page, Install App"
}

// assertion is the App's word that it is the App: a JSON Web Token, good for minutes.
// It begins a minute ago, for clocks that differ.
func (f *Forge) assertion() (string, error) {
	now := f.options.Now().Unix()
	part := base64.RawURLEncoding.EncodeToString
	text := part([]byte(`{"alg":"RS256","typ":"JWT"}`)) + "." +
		part(fmt.Appendf(nil, `{"iat":%d,"exp":%d,"iss":"%d"}`, now-60, now+8*60, f.options.App.ID))
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, f.key, crypto.SHA256, sum[:])
	if err != nil {
		return "", err
	}
	return text + "." + part(signature), nil
}
