package git

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing/format/pktline"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"

	"hedgehog-gitops/gitsync/edge"
)

// program is a service that runs somewhere and is spoken to by its input and
// output.
type program struct {
	in   io.WriteCloser
	out  io.Reader
	said *tail        // its standard error
	wait func() error // until it has ended

	heard *silence
}

// programs is a wire whose services are programs.
type programs struct {
	options *Options
	// start starts a service; the end of the context ends it.
	start func(ctx context.Context, service string) (*program, error)
	end   func() error
}

func (w *programs) close() error { return w.end() }

// open starts a service and reads what it says of itself.
func (w *programs) open(ctx context.Context, service string) (*packp.AdvRefs, *program, *answer, error) {
	ctx, s := listen(ctx, w.options.Silence)
	p, err := w.start(ctx, service)
	if err != nil {
		err = heardError(ctx, err)
		s.stop()
		return nil, nil, nil, err
	}
	p.heard = s
	a := &answer{Reader: &heard{p.out, ctx, s}}
	a.close = func() error {
		stopped := ctx.Err() != nil
		p.in.Close()
		if !drain(a.Reader) {
			s.stop() // it would not end by itself
		}
		err := p.wait()
		s.stop()
		if err == nil || stopped {
			return nil
		}
		return complaint(p.said.String())
	}
	refs, err := decodeRefs(a.Reader)
	if err != nil {
		if complained := a.close(); complained != nil && !errors.Is(err, errTooLarge) {
			err = complained
		}
		return nil, nil, nil, err
	}
	return refs, p, a, nil
}

func (w *programs) refs(ctx context.Context, service string) (*packp.AdvRefs, error) {
	refs, p, a, err := w.open(ctx, service)
	if err != nil {
		return nil, err
	}
	_, _ = p.in.Write(pktline.FlushPkt) // that was all; how it ends says nothing about what it said
	_ = a.close()
	return refs, nil
}

func (w *programs) call(ctx context.Context, service string, ask func(*packp.AdvRefs) ([]byte, error)) (*answer, error) {
	refs, p, a, err := w.open(ctx, service)
	if err != nil {
		return nil, err
	}
	body, err := ask(refs)
	if err != nil {
		_, _ = p.in.Write(pktline.FlushPkt)
		_ = a.close()
		return nil, err
	}
	_, err = io.Copy(p.in, &heard{bytes.NewReader(body), ctx, p.heard})
	if err == nil && service == receivePack {
		err = p.in.Close()
	}
	if err != nil {
		if complained := a.close(); complained != nil {
			err = complained
		}
		return nil, err
	}
	return a, nil
}

// local starts the services of a repository on this machine. They are git's.
func local(o *Options, path string) *programs {
	start := func(ctx context.Context, service string) (*program, error) {
		cmd := exec.CommandContext(ctx, "git", strings.TrimPrefix(service, "git-"), path)
		cmd.Env = localEnvironment(os.Environ())
		cmd.WaitDelay = 10 * time.Second
		p := &program{said: &tail{}, wait: cmd.Wait}
		cmd.Stderr = p.said
		var err error
		if p.in, err = cmd.StdinPipe(); err != nil {
			return nil, err
		}
		if p.out, err = cmd.StdoutPipe(); err != nil {
			return nil, err
		}
		if err := cmd.Start(); err != nil {
			if errors.Is(err, exec.ErrNotFound) {
				return nil, &edge.Error{Detail: "there is no git on this machine", Err: err,
					Hint: "install git, or use an address that begins with https:// or ssh://"}
			}
			return nil, err
		}
		return p, nil
	}
	return &programs{o, start, func() error { return nil }}
}

// localEnvironment is the environment without what ties git to a repository: the
// tool may run in a hook of another one.
func localEnvironment(all []string) []string {
	ties := []string{
		"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR", "GIT_NAMESPACE", "GIT_PROTOCOL",
		"GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_QUARANTINE_PATH", "GIT_SHALLOW_FILE",
		"GIT_GRAFT_FILE", "GIT_REPLACE_REF_BASE", "GIT_NO_REPLACE_OBJECTS", "LC_ALL",
	}
	return append(slices.DeleteFunc(slices.Clone(all), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return slices.Contains(ties, name)
	}), "LC_ALL=C")
}
