package git

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/pktline"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/sideband"
	"github.com/go-git/go-git/v5/plumbing/transport"
)

// The two services of a server.
const (
	uploadPack  = transport.UploadPackServiceName  // gives
	receivePack = transport.ReceivePackServiceName // takes
)

// userAgent is how the tool introduces itself. Some servers look for "git/".
const userAgent = "git/hedgehog-gitops"

// wire reaches the services of one repository: over HTTP, over SSH, or as programs
// on this machine. It speaks version 0 of the protocol, which all servers know.
//
// The transports of go-git are not used: theirs know a context only in part, read
// as much as a server sends, and hide what it said when it refused.
type wire interface {
	// refs asks the service anew what branches there are and what it can do.
	refs(ctx context.Context, service string) (*packp.AdvRefs, error)
	// call sends the service a request and returns the answer. The request may
	// depend on what the service says of itself; an error of ask ends the call.
	call(ctx context.Context, service string, ask func(*packp.AdvRefs) ([]byte, error)) (*answer, error)
	close() error
}

// answer is what a service answers. Whoever has it closes it.
type answer struct {
	io.Reader
	// close returns what the service complained about, if it did.
	close func() error
}

// mostRefs bounds what a service says of itself, in bytes: some half a million
// branches and tags.
const mostRefs = 32 << 20

var (
	errNotGit = errors.New("the answer is not one of a Git server")
	errSHA256 = errors.New("the repository is one of SHA-256 ids, which is not supported")
)

// decodeRefs reads what a service says first.
func decodeRefs(r io.Reader) (*packp.AdvRefs, error) {
	var start bytes.Buffer
	limited := &limit{r: r, left: mostRefs}
	refs := packp.NewAdvRefs()
	err := refs.Decode(io.TeeReader(limited, &headOnly{&start}))
	var unexpected *packp.ErrUnexpectedData
	switch {
	case errors.Is(err, packp.ErrEmptyAdvRefs): // an empty repository, as older servers say it
	case strings.Contains(start.String(), "object-format=sha256"):
		return nil, errSHA256
	case errors.Is(err, packp.ErrEmptyInput):
		return nil, io.ErrUnexpectedEOF
	case errors.As(err, &unexpected), errors.Is(err, pktline.ErrInvalidPktLen):
		if limited.ended {
			return nil, io.ErrUnexpectedEOF
		}
		return nil, errNotGit
	case err != nil:
		return nil, err
	}
	return refs, nil
}

// headOnly keeps the beginning of what is written.
type headOnly struct{ *bytes.Buffer }

func (h *headOnly) Write(p []byte) (int, error) {
	if room := 4096 - h.Len(); room > 0 {
		h.Buffer.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}

// limit ends what is longer than it may be.
type limit struct {
	r     io.Reader
	left  int64
	ended bool
}

func (l *limit) Read(p []byte) (int, error) {
	if l.left <= 0 {
		return 0, errTooLarge
	}
	n, err := l.r.Read(p[:min(int64(len(p)), l.left)])
	l.left -= int64(n)
	l.ended = l.ended || errors.Is(err, io.EOF)
	return n, err
}

// silence ends a context when touch is not called for some time.
type silence struct {
	after  time.Duration
	timer  *time.Timer
	cancel context.CancelCauseFunc
}

// listen returns a context that ends when the server says nothing for so long.
// Somebody has to call stop.
func listen(ctx context.Context, after time.Duration) (context.Context, *silence) {
	ctx, cancel := context.WithCancelCause(ctx)
	err := fmt.Errorf("%w for %v", errSilent, after)
	return ctx, &silence{after, time.AfterFunc(after, func() { cancel(err) }), cancel}
}

func (s *silence) stop() {
	s.timer.Stop()
	s.cancel(nil)
}

// heard is a reader that tells when something arrives, and why nothing more does.
type heard struct {
	r   io.Reader
	ctx context.Context
	s   *silence
}

func (h *heard) Read(p []byte) (int, error) {
	n, err := h.r.Read(p)
	if n > 0 {
		h.s.timer.Reset(h.s.after)
	}
	if err != nil && h.ctx.Err() != nil {
		err = context.Cause(h.ctx)
	}
	return n, err
}

// request says which objects are wanted.
type request struct {
	wants []plumbing.Hash
	// haves are commits whose objects need not be sent. Nothing before them is here.
	haves []plumbing.Hash
	// depth is how many generations of commits; 0 for no limit.
	depth int
	// filter leaves objects out: tree:0, blob:none, or nothing.
	filter packp.Filter
}

// encode writes the request as the service wants to read it.
func (q request) encode(refs *packp.AdvRefs) (*packp.UploadPackRequest, []byte, error) {
	req := packp.NewUploadPackRequest()
	use := []capability.Capability{capability.Sideband64k, capability.OFSDelta, capability.NoProgress, capability.Shallow}
	if !refs.Capabilities.Supports(capability.Sideband64k) {
		use[0] = capability.Sideband
	}
	if len(q.haves) > 0 { // without it, a server that cuts the history off sends what they have
		use = append(use, capability.ThinPack)
	}
	var errs []error
	for _, c := range use {
		if refs.Capabilities.Supports(c) {
			errs = append(errs, req.Capabilities.Set(c))
		}
	}
	if refs.Capabilities.Supports(capability.Agent) {
		errs = append(errs, req.Capabilities.Set(capability.Agent, userAgent))
	}
	if q.filter != "" {
		errs = append(errs, req.Capabilities.Set(capability.Filter))
	}
	req.Wants, req.Haves, req.Filter = q.wants, q.haves, q.filter
	if refs.Capabilities.Supports(capability.Shallow) {
		req.Shallows, req.Depth = q.haves, packp.DepthCommits(q.depth)
	}
	var out bytes.Buffer
	errs = append(errs, req.UploadRequest.Encode(&out), req.UploadHaves.Encode(&out, false), pktline.NewEncoder(&out).EncodeString("done\n"))
	return req, out.Bytes(), errors.Join(errs...)
}

// fetch asks for objects and returns those that are sent, at most so many bytes.
func fetch(ctx context.Context, w wire, q request, most int64, known objects) (objects, error) {
	var req *packp.UploadPackRequest
	a, err := w.call(ctx, uploadPack, func(refs *packp.AdvRefs) (body []byte, err error) {
		req, body, err = q.encode(refs)
		return body, err
	})
	if err != nil {
		return nil, err
	}
	found, err := readAnswer(a, req, most, known)
	if complained := a.close(); err != nil && complained != nil && !errors.Is(err, errTooLarge) {
		err = complained
	}
	return found, err
}

func readAnswer(a *answer, req *packp.UploadPackRequest, most int64, known objects) (objects, error) {
	resp := packp.NewUploadPackResponse(req)
	if err := resp.Decode(io.NopCloser(&limit{r: a, left: 2 * most})); err != nil {
		if !errors.As(err, new(*pktline.ErrorLine)) && !isRead(err) {
			err = fmt.Errorf("%w: %w", errNotGit, err)
		}
		return nil, err
	}
	return readPack(unband(resp, req.Capabilities, nil), most, known)
}

// isRead reports whether the error is one of reading, not of what was read.
func isRead(err error) bool {
	return isNetwork(err) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, errSilent) || errors.Is(err, errTooLarge) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// unband takes the data out of the bands that were asked for; what is said beside
// goes to said.
func unband(r io.Reader, asked *capability.List, said io.Writer) io.Reader {
	kind := sideband.Sideband64k
	switch {
	case asked.Supports(capability.Sideband64k):
	case asked.Supports(capability.Sideband):
		kind = sideband.Sideband
	default:
		return r
	}
	d := sideband.NewDemuxer(kind, r)
	d.Progress = said
	return d
}

// tail keeps the end of what is written to it. It may be written to by others
// while it is read.
type tail struct {
	mu   sync.Mutex
	text []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	if over := len(t.text) - 4096; over > 0 {
		t.text = append(t.text[:0], t.text[over:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.text)
}

// drain reads what little is left, so that the server comes to its end: it may run
// hooks after it has reported. It returns whether that was all.
func drain(r io.Reader) bool {
	_, err := io.CopyN(io.Discard, r, 1<<20)
	return errors.Is(err, io.EOF)
}
