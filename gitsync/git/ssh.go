package git

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/skeema/knownhosts"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"hedgehog-gitops/gitsync"
	"hedgehog-gitops/gitsync/edge"
)

// sshWire keeps one connection; each service is a session of it.
type sshWire struct {
	options          *Options
	user, host, path string // host with its port

	mu     sync.Mutex
	client *ssh.Client
}

// remote starts the services of a repository behind SSH.
func remote(o *Options, user, host, path string) *programs {
	w := &sshWire{options: o, user: cmp.Or(user, "git"), host: host, path: path}
	return &programs{o, w.start, w.close}
}

func (w *sshWire) close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.client == nil {
		return nil
	}
	err := w.client.Close()
	w.client = nil
	return err
}

// start runs a service in a session of its own.
func (w *sshWire) start(ctx context.Context, service string) (*program, error) {
	session, stop, err := w.session(ctx)
	if err != nil {
		return nil, err
	}
	p := &program{said: &tail{}}
	session.Stderr = p.said
	p.in, err = session.StdinPipe()
	if err == nil {
		p.out, err = session.StdoutPipe()
	}
	if err == nil {
		err = session.Start(service + " " + quoted(w.path))
	}
	if err != nil {
		stop()
		session.Close()
		return nil, err
	}
	p.wait = func() error {
		err := session.Wait()
		stop()
		session.Close()
		return err
	}
	return p, nil
}

// quoted is the path as a shell reads one word.
func quoted(path string) string { return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'" }

// session opens a session on the connection, or on a new one when there is none or
// the old one has ended. Until stop is called, the end of the context ends the
// connection: a server that hears nothing any more does not close a session.
func (w *sshWire) session(ctx context.Context) (session *ssh.Session, stop func() bool, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for {
		old := w.client != nil
		if !old {
			if w.client, err = w.connect(ctx); err != nil {
				w.client = nil
				return nil, nil, err
			}
		}
		client := w.client
		stop = context.AfterFunc(ctx, func() { client.Close() })
		if session, err = client.NewSession(); err == nil {
			return session, stop, nil
		}
		stop()
		client.Close()
		w.client = nil
		if !old || ctx.Err() != nil {
			return nil, nil, err
		}
	}
}

func (w *sshWire) connect(ctx context.Context) (*ssh.Client, error) {
	config, hangUp, err := w.config()
	if err != nil {
		return nil, err
	}
	defer hangUp()
	dialer := net.Dialer{Timeout: 15 * time.Second}
	conn, err := dialer.DialContext(ctx, "tcp", w.host)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	made, channels, requests, err := ssh.NewClientConn(conn, w.host, config)
	if err != nil {
		conn.Close()
		return nil, w.explain(heardError(ctx, err))
	}
	return ssh.NewClient(made, channels, requests), nil
}

// config says who we are and whom we trust. The agent, if one is asked, is hung up
// afterwards.
func (w *sshWire) config() (config *ssh.ClientConfig, hangUp func(), err error) {
	o := w.options
	hangUp = func() {}
	var auth ssh.AuthMethod
	switch {
	case len(o.SSHKey) > 0:
		signer, err := sshSigner(o.SSHKey, o.SSHPassphrase)
		if err != nil {
			return nil, nil, err
		}
		auth = ssh.PublicKeys(signer)
	case o.SSHAgent != "":
		conn, err := net.Dial("unix", o.SSHAgent)
		if err != nil {
			return nil, nil, &edge.Error{Detail: "the SSH agent does not answer: " + edge.Neutral(err.Error()), Err: err,
				Hint: "start one and set SSH_AUTH_SOCK, or give a key"}
		}
		hangUp = func() { conn.Close() }
		auth = ssh.PublicKeysCallback(agent.NewClient(conn).Signers)
	default:
		return nil, nil, &edge.Error{Detail: "there is no SSH key", Kind: gitsync.ErrDenied, Hint: "give a key file, or run an SSH agent"}
	}
	if len(o.KnownHosts) == 0 {
		return nil, nil, &edge.Error{Detail: "there is no file of known hosts", Hint: fmt.Sprintf("give one that names %s: see ssh-keyscan(1)", w.host)}
	}
	known, err := knownhosts.NewDB(o.KnownHosts...)
	if err != nil {
		hangUp()
		return nil, nil, &edge.Error{Detail: "reading the known hosts: " + edge.Neutral(err.Error()), Err: err}
	}
	return &ssh.ClientConfig{
		User:              w.user,
		Auth:              []ssh.AuthMethod{auth},
		HostKeyCallback:   known.HostKeyCallback(),
		HostKeyAlgorithms: known.HostKeyAlgorithms(w.host),
		ClientVersion:     "SSH-2.0-hedgehog-gitops",
	}, hangUp, nil
}

// explain says what a failed handshake means.
func (w *sshWire) explain(err error) error {
	switch {
	case knownhosts.IsHostKeyChanged(err):
		return &edge.Error{Detail: fmt.Sprintf("%s shows another key than the known hosts have for it", w.host), Kind: gitsync.ErrDenied, Err: err,
			Hint: "somebody may stand in between; if its key was changed on purpose, correct the known hosts"}
	case knownhosts.IsHostUnknown(err):
		return &edge.Error{Detail: fmt.Sprintf("the known hosts have no key for %s", w.host), Kind: gitsync.ErrDenied, Err: err,
			Hint: "add it: see ssh-keyscan(1), and compare it with what the server's owner publishes"}
	case strings.Contains(err.Error(), "unable to authenticate"):
		return &edge.Error{Detail: fmt.Sprintf("%s does not accept the key for the user %s", w.host, w.user), Kind: gitsync.ErrDenied, Err: err,
			Hint: "add the public key at the server, as a deploy key that may write or as one of the bot's"}
	}
	return err
}

// sshSigner reads a private key.
func sshSigner(key, passphrase []byte) (ssh.Signer, error) {
	signer, err := ssh.ParsePrivateKey(key)
	if errors.As(err, new(*ssh.PassphraseMissingError)) && len(passphrase) > 0 {
		signer, err = ssh.ParsePrivateKeyWithPassphrase(key, passphrase)
	}
	switch {
	case errors.As(err, new(*ssh.PassphraseMissingError)):
		return nil, &edge.Error{Detail: "the SSH key has a passphrase, and none is given", Err: err}
	case err != nil:
		return nil, &edge.Error{Detail: "the SSH key cannot be read: " + edge.Neutral(err.Error()), Err: err,
			Hint: "it has to be a private key as ssh-keygen writes it, and the passphrase that of the key"}
	}
	return signer, nil
}
