package git_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
	"golang.org/x/crypto/ssh/knownhosts"

	"hedgehog-gitops/fixtures/githttp"
	"hedgehog-gitops/gitsync"
	"hedgehog-gitops/gitsync/git"
)

// sshServer serves repositories over SSH as servers do: it runs git's services.
type sshServer struct {
	address    string // host:port
	knownHosts string // a file that names it
	key        []byte // of somebody who may read and push, PEM
	readOnly   []byte // of somebody who may only read
	// connections counts them.
	connections atomic.Int32
	// mute makes it say nothing more once a service was asked for.
	mute atomic.Bool
}

// newKey returns a private key as ssh-keygen writes it, and its public half.
func newKey(t *testing.T, passphrase string) ([]byte, ssh.PublicKey) {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if passphrase != "" {
		block, err = ssh.MarshalPrivateKeyWithPassphrase(private, "", []byte(passphrase))
	}
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(block), signer.PublicKey()
}

func startSSH(t *testing.T) *sshServer {
	t.Helper()
	s := &sshServer{}
	hostKey, hostPublic := newKey(t, "")
	host, err := ssh.ParsePrivateKey(hostKey)
	if err != nil {
		t.Fatal(err)
	}
	var mayPush, mayRead ssh.PublicKey
	s.key, mayPush = newKey(t, "")
	s.readOnly, mayRead = newKey(t, "")
	config := &ssh.ServerConfig{PublicKeyCallback: func(_ ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
		switch {
		case bytes.Equal(key.Marshal(), mayPush.Marshal()):
			return &ssh.Permissions{Extensions: map[string]string{"push": "yes"}}, nil
		case bytes.Equal(key.Marshal(), mayRead.Marshal()):
			return &ssh.Permissions{}, nil
		}
		return nil, errors.New("who are you?")
	}}
	config.AddHostKey(host)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	s.address = listener.Addr().String()
	s.knownHosts = filepath.Join(t.TempDir(), "known_hosts")
	line := knownhosts.Line([]string{knownhosts.Normalize(s.address)}, hostPublic) + "\n"
	if err := os.WriteFile(s.knownHosts, []byte(line), 0o600); err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			s.connections.Add(1)
			go s.serve(t.Context(), conn, config)
		}
	}()
	return s
}

func (s *sshServer) serve(ctx context.Context, conn net.Conn, config *ssh.ServerConfig) {
	server, channels, requests, err := ssh.NewServerConn(conn, config)
	if err != nil {
		conn.Close()
		return
	}
	defer server.Close()
	go ssh.DiscardRequests(requests)
	for offered := range channels {
		channel, requests, err := offered.Accept()
		if err != nil {
			return
		}
		go func() {
			for request := range requests {
				if request.Type == "exec" {
					_ = request.Reply(true, nil)
					go s.run(ctx, channel, string(request.Payload[4:]), server.Permissions.Extensions["push"] != "")
				}
			}
		}()
	}
}

// run runs a service for a session.
func (s *sshServer) run(ctx context.Context, channel ssh.Channel, command string, mayPush bool) {
	defer channel.Close()
	if s.mute.Load() {
		_, _ = io.Copy(io.Discard, channel)
		return
	}
	service, path, _ := strings.Cut(command, " ")
	status := uint32(128)
	switch {
	case service != "git-upload-pack" && service != "git-receive-pack":
		fmt.Fprintf(channel.Stderr(), "ERROR: %s?\n", command)
	case service == "git-receive-pack" && !mayPush:
		fmt.Fprint(channel.Stderr(), "ERROR: The key you are authenticating with has been marked as read only.\n")
	default:
		cmd := exec.CommandContext(ctx, "sh", "-c", service+" "+path) // as sshd does: the shell reads the quotes
		cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1"}
		cmd.Stdout, cmd.Stderr = channel, channel.Stderr()
		in, err := cmd.StdinPipe()
		if err != nil {
			return
		}
		go func() { _, _ = io.Copy(in, channel); in.Close() }()
		if err := cmd.Run(); err == nil {
			status = 0
		}
	}
	_, _ = channel.SendRequest("exit-status", false, ssh.Marshal(struct{ Status uint32 }{status}))
}

// options are those that reach the repository over SSH.
func (s *sshServer) options(repo githttp.Repo) git.Options {
	o := options("ssh://git@" + s.address + repo.Dir)
	o.SSHKey, o.KnownHosts = s.key, []string{s.knownHosts}
	return o
}

func TestSSHKeepsOneConnection(t *testing.T) {
	t.Parallel()
	s, bare := startSSH(t), githttp.Init(t, t.TempDir())
	base := bare.Commit(t, "main", map[string]string{"a/b": "one\n"})
	repo := open(t, s.options(bare))
	write(t, repo, gitsync.Write{Branch: "x", Parents: hashes(base), Message: "m", Changes: map[string][]byte{"a/b": []byte("two\n")}})
	if n := s.connections.Load(); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
}

func TestSSHPathIsOneWord(t *testing.T) {
	t.Parallel()
	s, bare := startSSH(t), githttp.Init(t, filepath.Join(t.TempDir(), `it's a "path" $(false)`))
	base := bare.Commit(t, "main", map[string]string{"a": "one\n"})
	o := s.options(bare)
	o.URL = "ssh://git@" + s.address + strings.ReplaceAll(bare.Dir, " ", "%20")
	head, err := open(t, o).Head(t.Context(), "main")
	if err != nil || string(head) != base {
		t.Errorf("it stands at %q, %v; want %s", head, err, base)
	}
}

func TestSSHAgent(t *testing.T) {
	t.Parallel()
	s, bare := startSSH(t), githttp.Init(t, t.TempDir())
	base := bare.Commit(t, "main", map[string]string{"a": "one\n"})
	keys := agent.NewKeyring()
	private, err := ssh.ParseRawPrivateKey(s.key)
	if err != nil {
		t.Fatal(err)
	}
	if err := keys.Add(agent.AddedKey{PrivateKey: private}); err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(t.TempDir(), "agent")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() { _ = agent.ServeAgent(keys, conn) }()
		}
	}()
	o := s.options(bare)
	o.SSHKey, o.SSHAgent = nil, socket
	if head, err := open(t, o).Head(t.Context(), "main"); err != nil || string(head) != base {
		t.Errorf("it stands at %q, %v; want %s", head, err, base)
	}
}

func TestSSHRefusals(t *testing.T) {
	t.Parallel()
	s, bare := startSSH(t), githttp.Init(t, t.TempDir())
	bare.Commit(t, "main", map[string]string{"a": "one\n"})
	stranger, strangerPublic := newKey(t, "")
	locked, _ := newKey(t, "a passphrase")
	empty, other := filepath.Join(t.TempDir(), "empty"), filepath.Join(t.TempDir(), "other")
	for name, line := range map[string]string{
		empty: "",
		other: knownhosts.Line([]string{knownhosts.Normalize(s.address)}, strangerPublic) + "\n",
	} {
		if err := os.WriteFile(name, []byte(line), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, test := range map[string]struct {
		change func(*git.Options)
		kind   error
		want   string
	}{
		"a key that nobody knows":      {func(o *git.Options) { o.SSHKey = stranger }, gitsync.ErrDenied, "does not accept the key for the user git"},
		"no key":                       {func(o *git.Options) { o.SSHKey = nil }, gitsync.ErrDenied, "there is no SSH key"},
		"no key file":                  {func(o *git.Options) { o.SSHKey = []byte("x") }, nil, "the SSH key cannot be read"},
		"a key without its passphrase": {func(o *git.Options) { o.SSHKey = locked }, nil, "has a passphrase, and none is given"},
		"a passphrase of another key":  {func(o *git.Options) { o.SSHKey, o.SSHPassphrase = locked, []byte("wrong") }, nil, "the SSH key cannot be read"},
		"no agent":                     {func(o *git.Options) { o.SSHKey, o.SSHAgent = nil, "/nonexistent" }, nil, "the SSH agent does not answer"},
		"an unknown server":            {func(o *git.Options) { o.KnownHosts = []string{empty} }, gitsync.ErrDenied, "the known hosts have no key for 127.0.0.1"},
		"a server with another key":    {func(o *git.Options) { o.KnownHosts = []string{other} }, gitsync.ErrDenied, "shows another key"},
		"no known hosts":               {func(o *git.Options) { o.KnownHosts = nil }, nil, "no file of known hosts"},
		"no repository there":          {func(o *git.Options) { o.URL += "x" }, gitsync.ErrNotFound, "does not appear to be a git repository"},
		"nobody listens":               {func(o *git.Options) { o.URL = "ssh://git@127.0.0.1:1/x" }, nil, "nothing listens there"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := s.options(bare)
			test.change(&o)
			_, err := open(t, o).Head(t.Context(), "main")
			wantError(t, err, test.kind, test.want)
		})
	}
}

func TestSSHServerThatFallsSilent(t *testing.T) {
	t.Parallel()
	s, bare := startSSH(t), githttp.Init(t, t.TempDir())
	base := bare.Commit(t, "main", map[string]string{"a": "one\n"})
	o := s.options(bare)
	o.Silence, o.Tries = 5*time.Second, 1
	repo := open(t, o)
	s.mute.Store(true)
	_, err := repo.Head(t.Context(), "main")
	wantError(t, err, nil, "the server says nothing for 5s")
	s.mute.Store(false)
	if head, err := repo.Head(t.Context(), "main"); err != nil || string(head) != base {
		t.Errorf("afterwards it stands at %q, %v; want %s", head, err, base)
	}
}
