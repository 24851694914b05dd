package git

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/sha512"
	"encoding/base64"
	"strings"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	"golang.org/x/crypto/ssh"

	"hedgehog-gitops/gitsync/edge"
)

// Signer signs a commit: it returns an armored signature of the bytes.
type Signer func(commit []byte, when time.Time) (string, error)

// sshNamespace is what Git's signatures are for: one of another kind does not pass.
const sshNamespace = "git"

// SSHSigner signs with a private SSH key. Git verifies it with gpg.format ssh and a
// file of allowed signers.
func SSHSigner(key, passphrase []byte) (Signer, error) {
	signer, err := sshSigner(key, passphrase)
	if err != nil {
		return nil, err
	}
	return func(commit []byte, _ time.Time) (string, error) {
		sum := sha512.Sum512(commit)
		algorithm, format := "sha512", signer.PublicKey().Type()
		message := append([]byte("SSHSIG"), ssh.Marshal(struct{ Namespace, Reserved, Hash, Sum string }{
			sshNamespace, "", algorithm, string(sum[:])})...)
		if format == ssh.KeyAlgoRSA { // its old signatures use SHA-1
			format = ssh.KeyAlgoRSASHA512
		}
		var signature *ssh.Signature
		if s, ok := signer.(ssh.AlgorithmSigner); ok {
			signature, err = s.SignWithAlgorithm(rand.Reader, message, format)
		} else {
			signature, err = signer.Sign(rand.Reader, message)
		}
		if err != nil {
			return "", err
		}
		blob := append([]byte("SSHSIG"), ssh.Marshal(struct {
			Version                                     uint32
			PublicKey                                   []byte
			Namespace, Reserved, HashAlgorithm, Content string
		}{1, signer.PublicKey().Marshal(), sshNamespace, "", algorithm, string(ssh.Marshal(signature))})...)
		var out strings.Builder
		out.WriteString("-----BEGIN SSH SIGNATURE-----\n")
		for text := base64.StdEncoding.EncodeToString(blob); text != ""; {
			line := text[:min(70, len(text))]
			out.WriteString(line + "\n")
			text = text[len(line):]
		}
		out.WriteString("-----END SSH SIGNATURE-----\n")
		return out.String(), nil
	}, nil
}

// OpenPGPSigner signs with an armored private OpenPGP key.
func OpenPGPSigner(armored string, passphrase []byte) (Signer, error) {
	wrong := func(detail string, err error) (Signer, error) {
		if err != nil {
			detail += ": " + edge.Neutral(err.Error())
		}
		return nil, &edge.Error{Detail: detail, Err: err, Hint: "give an armored private key: gpg --armor --export-secret-keys"}
	}
	keys, err := openpgp.ReadArmoredKeyRing(strings.NewReader(armored))
	if err != nil {
		return wrong("the OpenPGP key cannot be read", err)
	}
	if len(keys) != 1 || keys[0].PrivateKey == nil {
		return wrong("it is not one private OpenPGP key", nil)
	}
	key := keys[0]
	if key.PrivateKey.Encrypted {
		if len(passphrase) == 0 {
			return wrong("the OpenPGP key has a passphrase, and none is given", nil)
		}
		if err := key.DecryptPrivateKeys(passphrase); err != nil {
			return wrong("the passphrase is not that of the OpenPGP key", nil)
		}
	}
	return func(commit []byte, when time.Time) (string, error) {
		plain := false
		config := &packet.Config{
			DefaultHash:                           crypto.SHA512,
			Time:                                  func() time.Time { return when },
			NonDeterministicSignaturesViaNotation: &plain, // same input, same commit
		}
		var out bytes.Buffer
		if err := openpgp.ArmoredDetachSign(&out, key, bytes.NewReader(commit), config); err != nil {
			return "", err
		}
		return out.String() + "\n", nil
	}, nil
}
