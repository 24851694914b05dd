// Package git reads and changes a Git repository on a server, over https, http, ssh
// or in a folder of this machine, without a working copy and without the git
// program (a folder is served by git itself).
//
//	[Open]         an address -> Repo
//	[Repo.Files]   a commit -> its files, no content
//	[Repo.Read]    a commit, paths -> their content
//	[Repo.Write]   a commit to be made -> a branch that ends in it
//
// Only what is needed crosses the network. A read asks for the trees of the folders
// in question and no content, or content by its id; a write sends the changed files,
// the folders above them (as differences where that is shorter) and one commit.
// Where a server cannot leave out what is not wanted, or gives no object by its id,
// more is fetched, and all works the same.
//
// A push names the commit that the branch has to stand at, so the server itself
// compares and swaps; afterwards the branch is read back.
package git

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
	"github.com/go-git/go-git/v5/plumbing/transport"

	"hedgehog-gitops/gitsync"
	"hedgehog-gitops/gitsync/edge"
	"hedgehog-gitops/render/tree"
)

// Options say which repository, and how to reach and change it. Only URL is needed,
// and Name and Email to write.
type Options struct {
	// URL is https://host/path, http://, ssh://user@host:port/path, user@host:path,
	// file:///path or a path. A user and password in it are taken as User and Token.
	URL string

	// Name and Email are who commits.
	Name, Email string
	// Now is the time of a commit; time.Now by default.
	Now func() time.Time
	// Sign signs commits; nil for none: see [SSHSigner] and [OpenPGPSigner].
	Sign Signer

	// Token returns the password for HTTP, anew for each request: it may expire. Nil
	// for none. User goes with it, "x-access-token" by default, which GitHub and
	// Gitea take for any token; GitLab takes any name. Bearer sends it as a bearer
	// token instead.
	Token  func(context.Context) (string, error)
	User   string
	Bearer bool
	// CA are certificates of authorities that are trusted besides the system's, PEM.
	CA []byte
	// RootCAs are the authorities that are trusted, in place of the system's.
	RootCAs *x509.CertPool
	// Proxy says which proxy a request over HTTP takes; nil asks the environment.
	Proxy func(*http.Request) (*url.URL, error)

	// SSHKey is a private key, PEM, with its passphrase if it has one; without it
	// the agent that listens at SSHAgent is asked. KnownHosts are files of the keys
	// of servers; others are not talked to.
	SSHKey, SSHPassphrase []byte
	SSHAgent              string
	KnownHosts            []string

	// Limit is how much one answer may hold, unpacked, in bytes; 256 MiB by default.
	Limit int64
	// Silence is how long the server may say nothing; two minutes by default.
	Silence time.Duration
	// Tries is how often a read is tried in all, and a push whose answer was lost;
	// 5 by default. FirstWait is the pause before the second try, half a second by
	// default; it doubles each time up to MaxWait, 30 s by default.
	Tries              int
	FirstWait, MaxWait time.Duration
}

// Repo is a repository on a server. Make one with [Open]; it is safe for several
// goroutines, which take turns. It keeps in memory what it has read: close it when
// the work is done.
type Repo struct {
	options Options
	wire    wire
	where   string // the address without credentials

	secrets struct {
		sync.Mutex
		all []string
	}

	mu      sync.Mutex
	objects objects
	// loaded are the commits that were read, and whether all their folders are here:
	// what they have need not be sent again.
	loaded map[plumbing.Hash]bool
	// complete are the trees below which all trees are here.
	complete map[plumbing.Hash]bool
	// routes lead to commits that the server does not give by their id.
	routes map[plumbing.Hash]route
	// can is what the server does; nil until it was asked.
	can *abilities
}

// route is a commit that a branch stands at, and how many generations before it
// another one is.
type route struct {
	from  plumbing.Hash
	depth int
}

// abilities are what a server does for those who read.
type abilities struct {
	// byID is to give any object by its id, filter to leave objects out, trees to
	// leave trees out as well, shallow to cut the history off.
	byID, filter, trees, shallow bool
}

var (
	_ gitsync.Repo   = (*Repo)(nil)
	_ gitsync.Writer = (*Repo)(nil)
)

// Open returns the repository. It does not talk to the server yet.
func Open(o Options) (*Repo, error) {
	o.Tries = max(cmp.Or(o.Tries, 5), 1)
	o.FirstWait = cmp.Or(o.FirstWait, 500*time.Millisecond)
	o.MaxWait = cmp.Or(o.MaxWait, 30*time.Second)
	o.Silence = cmp.Or(o.Silence, 2*time.Minute)
	o.Limit = cmp.Or(o.Limit, 256<<20)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Proxy == nil {
		o.Proxy = http.ProxyFromEnvironment
	}
	r := &Repo{objects: objects{}, loaded: map[plumbing.Hash]bool{}, complete: map[plumbing.Hash]bool{}, routes: map[plumbing.Hash]route{}}
	wrong := func(detail, hint string) (*Repo, error) {
		return nil, &edge.Error{Doing: "opening the repository", Detail: detail, Hint: hint}
	}
	const hint = "such as https://github.com/org/fabrics.git or git@github.com:org/fabrics.git"
	scheme, _, found := strings.Cut(o.URL, "://")
	if !found {
		return r.openPath(o, wrong, hint)
	}
	address, err := url.Parse(o.URL)
	if err != nil { // the error repeats the address, perhaps with a password
		return wrong("the repository's address is not one", hint)
	}
	user := address.User
	address.User = nil
	r.where = address.String()
	switch scheme = strings.ToLower(scheme); scheme {
	case "https", "http":
		if address.Host == "" {
			return wrong("the repository's address has no host", hint)
		}
		if password, set := user.Password(); set && o.Token == nil {
			o.Token = func(context.Context) (string, error) { return password, nil }
			o.User = cmp.Or(o.User, user.Username())
		}
		o.User = cmp.Or(o.User, "x-access-token")
		authorities := o.RootCAs
		if len(o.CA) > 0 {
			var e *edge.Error
			if authorities, e = edge.Trust(authorities, o.CA); e != nil {
				return wrong(e.Detail, e.Hint)
			}
		}
		address.RawQuery, address.Fragment = "", ""
		r.options = o
		r.wire = newHTTPWire(address, &r.options, authorities, r.secret)
	case "ssh", "git+ssh", "ssh+git":
		if address.Hostname() == "" || address.Path == "" {
			return wrong("the repository's address has no host or no path", hint)
		}
		where := address.Path
		if strings.HasPrefix(where, "/~") { // of a home
			where = where[1:]
		}
		r.options = o
		r.wire = remote(&r.options, user.Username(), net.JoinHostPort(address.Hostname(), cmp.Or(address.Port(), "22")), where)
	case "file":
		if address.Host != "" && address.Host != "localhost" || address.Path == "" {
			return wrong("the repository's address names no folder of this machine", "three slashes and the path: file:///srv/git/fabrics.git")
		}
		r.options = o
		r.wire = local(&r.options, address.Path)
	default:
		return wrong(fmt.Sprintf("an address that begins with %s:// is not supported", edge.Neutral(scheme)), hint)
	}
	return r, nil
}

// openPath opens what is no URL: user@host:path, or a path.
func (r *Repo) openPath(o Options, wrong func(string, string) (*Repo, error), hint string) (*Repo, error) {
	if strings.TrimSpace(o.URL) == "" {
		return wrong("there is no address of the repository", hint)
	}
	end, err := transport.NewEndpoint(o.URL)
	if err != nil {
		return wrong("the repository's address is not one", hint)
	}
	r.options = o
	if end.Protocol == "ssh" {
		r.where = end.Host + ":" + end.Path
		r.wire = remote(&r.options, end.User, net.JoinHostPort(strings.Trim(end.Host, "[]"), fmt.Sprint(end.Port)), end.Path)
		return r, nil
	}
	r.where = end.Path
	r.wire = local(&r.options, end.Path)
	return r, nil
}

// Close ends the connections.
func (r *Repo) Close() error {
	if err := r.wire.close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return r.fail(context.Background(), "closing the repository", err)
	}
	return nil
}

// secret remembers a token, so that none is printed.
func (r *Repo) secret(token string) {
	r.secrets.Lock()
	defer r.secrets.Unlock()
	if token != "" && !slices.Contains(r.secrets.all, token) {
		r.secrets.all = append(r.secrets.all, token)
	}
}

// scrub takes secrets out of a text.
func (r *Repo) scrub(text string) string {
	r.secrets.Lock()
	defer r.secrets.Unlock()
	for _, secret := range r.secrets.all {
		text = strings.ReplaceAll(text, secret, "***")
	}
	return text
}

// fail says what was being done when something went wrong.
func (r *Repo) fail(ctx context.Context, doing string, err error) error {
	e := explain(ctx, err)
	e.Doing = doing
	e.Detail, e.Hint = r.scrub(e.Detail), r.scrub(e.Hint)
	return e
}

// again repeats what only reads until it succeeds, cannot succeed, or has been
// tried often enough.
func (r *Repo) again(ctx context.Context, read func() error) error {
	pauses := backoff.NewExponentialBackOff()
	pauses.InitialInterval, pauses.MaxInterval, pauses.Multiplier = r.options.FirstWait, r.options.MaxWait, 2
	tries := 0
	var last *edge.Error
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		tries++
		err := read()
		if err == nil {
			return struct{}{}, nil
		}
		switch last = explain(ctx, err); {
		case !last.Again:
			return struct{}{}, backoff.Permanent(last)
		case last.Wait > r.options.MaxWait:
			last.Detail += "; the server asks to wait for " + last.Wait.Round(time.Second).String()
			return struct{}{}, backoff.Permanent(last)
		case last.Wait > 0:
			return struct{}{}, &backoff.RetryAfterError{Duration: last.Wait}
		}
		return struct{}{}, last
	}, backoff.WithBackOff(pauses), backoff.WithMaxTries(uint(r.options.Tries)), backoff.WithMaxElapsedTime(0))
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return explain(ctx, err)
	case last.Again && tries > 1:
		last.Detail += fmt.Sprintf("; tried %d times", tries)
	}
	return last
}

// refs asks anew where the branches stand.
func (r *Repo) refs(ctx context.Context) (refs *packp.AdvRefs, err error) {
	err = r.again(ctx, func() error {
		refs, err = r.wire.refs(ctx, uploadPack)
		return err
	})
	return refs, err
}

// ask learns what the server does, unless that is known.
func (r *Repo) ask(ctx context.Context) error {
	if r.can != nil {
		return nil
	}
	refs, err := r.refs(ctx)
	if err == nil {
		r.learn(refs)
	}
	return err
}

func (r *Repo) learn(refs *packp.AdvRefs) {
	if r.can != nil {
		return // and perhaps knows better by now
	}
	has := refs.Capabilities.Supports
	r.can = &abilities{
		byID:   has(capability.AllowReachableSHA1InWant), // servers that give trees and files say this too
		filter: has(capability.Filter), trees: has(capability.Filter),
		shallow: has(capability.Shallow),
	}
}

// branchRef is the full name of a branch.
func branchRef(branch string) (plumbing.ReferenceName, error) {
	name := plumbing.NewBranchReferenceName(branch)
	if err := name.Validate(); err != nil {
		return "", &edge.Error{Detail: fmt.Sprintf("%q is no name of a branch", edge.Neutral(branch)), Hint: "letters, digits, . _ - and / between them"}
	}
	return name, nil
}

// DefaultBranch returns the branch that the server calls HEAD, "" for an empty
// repository.
func (r *Repo) DefaultBranch(ctx context.Context) (string, error) {
	const doing = "asking the repository for its default branch"
	r.mu.Lock()
	defer r.mu.Unlock()
	refs, err := r.refs(ctx)
	if err != nil {
		return "", r.fail(ctx, doing, err)
	}
	r.learn(refs)
	for _, link := range refs.Capabilities.Get(capability.SymRef) {
		if branch, ok := strings.CutPrefix(link, "HEAD:refs/heads/"); ok {
			return branch, nil
		}
	}
	if refs.Head == nil && len(refs.References) == 0 {
		return "", nil
	}
	e := &edge.Error{Detail: "its HEAD is no branch that exists", Kind: gitsync.ErrNotFound, Hint: "name the base branch"}
	return "", r.fail(ctx, doing, e)
}

// Head returns where the branch stands now, "" when there is no such branch.
func (r *Repo) Head(ctx context.Context, branch string) (gitsync.Hash, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	h, err := r.head(ctx, branch)
	if err != nil {
		return "", r.fail(ctx, fmt.Sprintf("asking where %s stands", edge.Neutral(branch)), err)
	}
	if h.IsZero() {
		return "", nil
	}
	return gitsync.Hash(h.String()), nil
}

// head returns zero for no branch.
func (r *Repo) head(ctx context.Context, branch string) (plumbing.Hash, error) {
	name, err := branchRef(branch)
	if err != nil {
		return plumbing.ZeroHash, err
	}
	refs, err := r.refs(ctx)
	if err != nil {
		return plumbing.ZeroHash, err
	}
	r.learn(refs)
	return refs.References[name.String()], nil
}

// listed is about what a file costs in a list, besides its path.
const listed = 150

// deepest is how many folders may lie in each other.
const deepest = 200

// Files returns the files of the commit that lie in the folders, by their path; all
// of them when no folder is given. No content is read for it.
func (r *Repo) Files(ctx context.Context, commit gitsync.Hash, folders ...string) (map[string]gitsync.File, error) {
	doing := fmt.Sprintf("listing the files of %s", short(commit))
	r.mu.Lock()
	defer r.mu.Unlock()
	needs := []need{{whole: true}}
	if len(folders) > 0 {
		needs = nil
	}
	for _, folder := range folders {
		folder = strings.TrimSuffix(folder, "/")
		if folder == "" || folder == "." {
			needs = []need{{whole: true}}
			break
		}
		if !fs.ValidPath(folder) {
			return nil, r.fail(ctx, doing, fmt.Errorf("%q is no folder", folder))
		}
		needs = append(needs, need{folder, true})
	}
	root, err := r.load(ctx, commit, needs)
	if err != nil {
		return nil, r.fail(ctx, doing, err)
	}
	files, room := map[string]gitsync.File{}, r.options.Limit
	for _, n := range needs {
		e, err := r.objects.at(root, n.folder)
		if err != nil {
			return nil, r.fail(ctx, doing, err)
		}
		if !e.isTree() {
			continue
		}
		if err := r.objects.list(e.id, n.folder, files, &room); err != nil {
			return nil, r.fail(ctx, doing, err)
		}
	}
	return files, nil
}

// list adds the files below a tree. Room is what they may still take: some trees of a
// few kilobytes name more files than fit into any memory.
func (o objects) list(id plumbing.Hash, folder string, files map[string]gitsync.File, room *int64) error {
	if strings.Count(folder, "/") > deepest {
		return fmt.Errorf("%w: there are more than %d folders in each other", errTree, deepest)
	}
	entries, err := o.tree(id)
	if err != nil {
		return err
	}
	if folder != "" {
		folder += "/"
	}
	for _, e := range entries {
		name := folder + e.name
		if e.isTree() {
			if err := o.list(e.id, name, files, room); err != nil {
				return err
			}
			continue
		}
		if *room -= listed + int64(len(name)); *room < 0 {
			return fmt.Errorf("%w: there are more than %d files", errTooLarge, len(files))
		}
		files[name] = e.file()
	}
	return nil
}

// Read returns the content of the files of the commit. A path that is no regular
// file there is an error.
func (r *Repo) Read(ctx context.Context, commit gitsync.Hash, paths []string) (tree.Tree, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	files, err := r.read(ctx, commit, paths)
	if err != nil {
		return tree.Tree{}, r.fail(ctx, fmt.Sprintf("reading files of %s", short(commit)), err)
	}
	return files, nil
}

func (r *Repo) read(ctx context.Context, commit gitsync.Hash, paths []string) (tree.Tree, error) {
	var files tree.Tree
	if len(paths) == 0 {
		return files, nil
	}
	for _, p := range paths {
		if err := tree.Check(p); err != nil {
			return files, err
		}
	}
	root, err := r.load(ctx, commit, parentFolders(paths))
	if err != nil {
		return files, err
	}
	ids := map[string]plumbing.Hash{}
	for _, p := range paths {
		e, err := r.objects.at(root, p)
		switch {
		case err != nil:
			return files, err
		case e == entry{}:
			return files, &edge.Error{Detail: fmt.Sprintf("there is no file %s", p), Kind: gitsync.ErrNotFound}
		case !e.isFile():
			return files, &edge.Error{Detail: fmt.Sprintf("%s is %s, not a regular file", p, e.what())}
		}
		ids[p] = e.id
	}
	if err := r.loadBlobs(ctx, commit, slices.Collect(maps.Values(ids))); err != nil {
		return files, err
	}
	for p, id := range ids {
		if err := files.Set(p, r.objects[id].data); err != nil {
			return files, err
		}
	}
	return files, nil
}

// parentFolders are the folders that the paths are directly in.
func parentFolders(paths []string) []need {
	folders := map[string]bool{}
	for _, p := range paths {
		folder, _ := path.Split(p)
		folders[strings.TrimSuffix(folder, "/")] = true
	}
	var needs []need
	for _, folder := range slices.Sorted(maps.Keys(folders)) {
		needs = append(needs, need{folder: folder})
	}
	return needs
}

// Log returns the commit and those before it along first parents, newest first, up
// to and without one for which stop is true, at most limit.
func (r *Repo) Log(ctx context.Context, commit gitsync.Hash, limit int, stop func(gitsync.Commit) bool) ([]gitsync.Commit, error) {
	doing := fmt.Sprintf("reading the history of %s", short(commit))
	r.mu.Lock()
	defer r.mu.Unlock()
	start, err := parseHash(commit)
	if err != nil {
		return nil, r.fail(ctx, doing, err)
	}
	var log []gitsync.Commit
	for id := start; len(log) < limit; {
		if _, found := r.objects[id]; !found {
			if err := r.deepen(ctx, start, id, len(log), limit); err != nil {
				return nil, r.fail(ctx, doing, err)
			}
		}
		c, err := r.objects.commit(id)
		if err != nil {
			return nil, r.fail(ctx, doing, err)
		}
		r.remember(start, id, len(log))
		for _, parent := range c.ParentHashes {
			r.remember(start, parent, len(log)+1)
		}
		d := described(c)
		if stop != nil && stop(d) {
			break
		}
		log = append(log, d)
		if len(c.ParentHashes) == 0 {
			break
		}
		id = c.ParentHashes[0]
	}
	return log, nil
}

// short is how people call a commit.
func short(h gitsync.Hash) string { return edge.Neutral(string(h[:min(12, len(h))])) }
