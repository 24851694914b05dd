package git_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	"golang.org/x/crypto/ssh"

	"hedgehog-gitops/gitsync"
	"hedgehog-gitops/gitsync/git"
)

// signed writes a signed commit and returns it with its repository.
func signed(t *testing.T, sign git.Signer) (dir, commit string) {
	t.Helper()
	_, bare, base := served(t, nil)
	o := options(bare.URL)
	o.Sign = sign
	w := one("", base)
	w.Message = "feat: größe\n\nTrailer: one\n"
	commit = write(t, open(t, o), w)
	bare.Git(t, "fsck", "--strict")
	return bare.Dir, commit
}

// verify runs git verify-commit.
func verify(dir, commit string, env []string, config ...string) (string, error) {
	cmd := exec.Command("git", append(config, "verify-commit", "--verbose", commit)...)
	cmd.Dir = dir
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=/nonexistent", "LC_ALL=C", "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=" + os.DevNull}, env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func TestSSHSignatureIsGoodForGit(t *testing.T) {
	t.Parallel()
	rsaKey, err := rsa.GenerateKey(rand.Reader, 3072)
	if err != nil {
		t.Fatal(err)
	}
	ecdsaKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, key := range map[string]crypto.Signer{"rsa": rsaKey, "ecdsa": ecdsaKey, "ed25519": nil, "with a passphrase": nil} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			passphrase := ""
			if strings.HasPrefix(name, "with") {
				passphrase = "a passphrase"
			}
			text, public := newKey(t, passphrase)
			if key != nil {
				block, err := ssh.MarshalPrivateKey(key, "")
				if err != nil {
					t.Fatal(err)
				}
				text = pem.EncodeToMemory(block)
				if public, err = ssh.NewPublicKey(key.Public()); err != nil {
					t.Fatal(err)
				}
			}
			sign, err := git.SSHSigner(text, []byte(passphrase))
			if err != nil {
				t.Fatal(err)
			}
			dir, commit := signed(t, sign)
			allowed := filepath.Join(t.TempDir(), "allowed")
			if err := os.WriteFile(allowed, []byte("bot@example.com namespaces=\"git\" "+string(ssh.MarshalAuthorizedKey(public))), 0o600); err != nil {
				t.Fatal(err)
			}
			out, err := verify(dir, commit, nil, "-c", "gpg.ssh.allowedSignersFile="+allowed)
			if err != nil || !strings.Contains(out, `Good "git" signature for bot@example.com`) {
				t.Errorf("git verify-commit: %v\n%s", err, out)
			}
			// Another key's signature is not good.
			_, other := newKey(t, "")
			if err := os.WriteFile(allowed, []byte("bot@example.com "+string(ssh.MarshalAuthorizedKey(other))), 0o600); err != nil {
				t.Fatal(err)
			}
			if out, err := verify(dir, commit, nil, "-c", "gpg.ssh.allowedSignersFile="+allowed); err == nil {
				t.Errorf("git verify-commit is content with another key:\n%s", out)
			}
		})
	}
}

func TestOpenPGPSignatureIsGoodForGit(t *testing.T) {
	t.Parallel()
	for name, passphrase := range map[string]string{"without a passphrase": "", "with a passphrase": "a passphrase"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			private, public := newPGPKey(t, passphrase)
			sign, err := git.OpenPGPSigner(private, []byte(passphrase))
			if err != nil {
				t.Fatal(err)
			}
			dir, commit := signed(t, sign)
			gpg, err := exec.LookPath("gpg")
			if err != nil {
				t.Log("there is no gpg here: go-crypto alone looks at the signature")
				looksGood(t, dir, commit, public)
				return
			}
			home := t.TempDir()
			imported := exec.Command(gpg, "--batch", "--quiet", "--import")
			imported.Env, imported.Stdin = []string{"GNUPGHOME=" + home, "PATH=" + os.Getenv("PATH")}, strings.NewReader(public)
			if out, err := imported.CombinedOutput(); err != nil {
				t.Fatalf("gpg --import: %v\n%s", err, out)
			}
			out, err := verify(dir, commit, []string{"GNUPGHOME=" + home})
			if err != nil || !strings.Contains(out, `Good signature from "Bot <bot@example.com>"`) {
				t.Errorf("git verify-commit: %v\n%s", err, out)
			}
			if out, err := verify(dir, commit, []string{"GNUPGHOME=" + t.TempDir()}); err == nil {
				t.Errorf("git verify-commit is content without the key:\n%s", out)
			}
			looksGood(t, dir, commit, public)
		})
	}
}

// looksGood checks the signature with go-crypto.
func looksGood(t *testing.T, dir, commit, public string) {
	t.Helper()
	cmd := exec.Command("git", "cat-file", "commit", commit)
	cmd.Dir = dir
	raw, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	head, rest, _ := strings.Cut(string(raw), "gpgsig ")
	signature, rest, _ := strings.Cut(rest, "\n\n")
	keys, err := openpgp.ReadArmoredKeyRing(strings.NewReader(public))
	if err != nil {
		t.Fatal(err)
	}
	_, err = openpgp.CheckArmoredDetachedSignature(keys, strings.NewReader(head+"\n"+rest), strings.NewReader(strings.ReplaceAll(signature, "\n ", "\n")),
		&packet.Config{Time: options("").Now})
	if err != nil {
		t.Error(err)
	}
}

// newPGPKey returns both halves of a key, armored.
func newPGPKey(t *testing.T, passphrase string) (private, public string) {
	t.Helper()
	key, err := openpgp.NewEntity("Bot", "", "bot@example.com", &packet.Config{Algorithm: packet.PubKeyAlgoEdDSA, Time: func() time.Time { return time.Unix(1_700_000_000, 0) }})
	if err != nil {
		t.Fatal(err)
	}
	armored := func(kind string, write func(*bytes.Buffer) error) string {
		var raw, out bytes.Buffer
		if err := write(&raw); err != nil {
			t.Fatal(err)
		}
		w, err := armor.Encode(&out, kind, nil)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = w.Write(raw.Bytes())
		_ = w.Close()
		return out.String()
	}
	public = armored(openpgp.PublicKeyType, func(b *bytes.Buffer) error { return key.Serialize(b) })
	if passphrase != "" {
		if err := key.EncryptPrivateKeys([]byte(passphrase), nil); err != nil {
			t.Fatal(err)
		}
	}
	private = armored(openpgp.PrivateKeyType, func(b *bytes.Buffer) error { return key.SerializePrivateWithoutSigning(b, nil) })
	return private, public
}

// The same input is the same commit, signed or not.
func TestSameInputSameCommit(t *testing.T) {
	t.Parallel()
	key, _ := newKey(t, "")
	bySSH, err := git.SSHSigner(key, nil)
	if err != nil {
		t.Fatal(err)
	}
	private, _ := newPGPKey(t, "")
	byPGP, err := git.OpenPGPSigner(private, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, bare, base := served(t, nil)
	for name, sign := range map[string]git.Signer{"unsigned": nil, "SSH": bySSH, "OpenPGP": byPGP} {
		var commits []string
		for range 2 {
			o := options(bare.URL)
			o.Sign = sign
			repo := open(t, o)
			commit := write(t, repo, one("", base))
			commits = append(commits, commit)
			if err := repo.Delete(t.Context(), branch, gitsync.Hash(commit)); err != nil {
				t.Fatal(err)
			}
		}
		if commits[0] != commits[1] {
			t.Errorf("%s: %s, then %s", name, commits[0], commits[1])
		}
	}
}

func TestSigningKeysThatAreNone(t *testing.T) {
	t.Parallel()
	locked, _ := newKey(t, "a passphrase")
	private, public := newPGPKey(t, "a passphrase")
	for name, test := range map[string]struct {
		make func() (git.Signer, error)
		want string
	}{
		"SSH, no key":                 {func() (git.Signer, error) { return git.SSHSigner([]byte("x"), nil) }, "the SSH key cannot be read"},
		"SSH, no passphrase":          {func() (git.Signer, error) { return git.SSHSigner(locked, nil) }, "has a passphrase, and none is given"},
		"SSH, another passphrase":     {func() (git.Signer, error) { return git.SSHSigner(locked, []byte("x")) }, "the SSH key cannot be read"},
		"OpenPGP, no key":             {func() (git.Signer, error) { return git.OpenPGPSigner("x", nil) }, "the OpenPGP key cannot be read"},
		"OpenPGP, the public half":    {func() (git.Signer, error) { return git.OpenPGPSigner(public, nil) }, "it is not one private OpenPGP key"},
		"OpenPGP, no passphrase":      {func() (git.Signer, error) { return git.OpenPGPSigner(private, nil) }, "has a passphrase, and none is given"},
		"OpenPGP, another passphrase": {func() (git.Signer, error) { return git.OpenPGPSigner(private, []byte("x")) }, "the passphrase is not that of the OpenPGP key"},
	} {
		_, err := test.make()
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		wantError(t, err, nil, test.want)
	}
}
