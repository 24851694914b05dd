package tree

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

// Bounds of what [Read] takes in: far above any fabric, far below what would
// exhaust a machine.
const (
	maxFiles    = 500_000
	maxFileSize = 64 << 20
	maxReadSize = 2 << 30
)

// ErrTooLarge is what an error wraps when a directory is more than [Read] takes.
var ErrTooLarge = errors.New("more than a repository of manifests should hold")

// Read returns the files of a directory that lie at or below one of the
// prefixes; all of them when none is given. A directory or prefix that is not
// there gives an empty tree. Folders and files called .git are passed over.
//
// Only regular files are read. A symbolic link to a regular file inside the
// directory counts as that file; any other, and any device, pipe or socket, is
// an error: nothing is left out in silence.
func Read(dir string, prefixes ...string) (Tree, error) {
	root, err := os.OpenRoot(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return Tree{}, nil
	}
	if err != nil {
		return Tree{}, fmt.Errorf("reading %s: %w", dir, err)
	}
	defer root.Close()
	if len(prefixes) == 0 {
		prefixes = []string{"."}
	}
	r := reader{root: root}
	for _, prefix := range prefixes {
		if prefix != "." {
			if err := Check(prefix); err != nil {
				return Tree{}, err
			}
		}
		info, err := root.Lstat(prefix)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = r.add(root, prefix, prefix, info.Mode())
		}
		if err != nil {
			return Tree{}, fmt.Errorf("reading %s: %w", dir, err)
		}
	}
	return r.tree, nil
}

type reader struct {
	root *os.Root
	tree Tree
	size int64
}

// add reads the file or folder of that name; in is an open folder above it, and
// below the name from there. A root looks at every part of a name each time, so
// that long names are slow.
func (r *reader) add(in *os.Root, below, name string, mode fs.FileMode) error {
	switch {
	case mode.IsDir():
		return r.addFolder(in, below, name)
	case mode.IsRegular():
		return r.addFile(in, below, name)
	case mode&fs.ModeSymlink != 0:
		info, err := r.root.Stat(name)
		if err != nil {
			return fmt.Errorf("%s is a symbolic link that leads nowhere or out of the directory: %w", name, err)
		}
		if !info.Mode().IsRegular() {
			return fmt.Errorf("%s is a symbolic link to something else than a file", name)
		}
		return r.addFile(r.root, name, name) // it may lead out of the folder
	}
	return fmt.Errorf("%s is neither a file nor a folder", name)
}

func (r *reader) addFolder(in *os.Root, below, name string) error {
	folder, err := in.OpenRoot(below)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	defer folder.Close()
	list, err := folder.Open(".")
	if err != nil {
		return err
	}
	entries, err := list.ReadDir(-1)
	list.Close()
	if err != nil {
		return err
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	for _, entry := range entries {
		if isDotGit(entry.Name()) {
			continue
		}
		if err := r.add(folder, entry.Name(), path.Join(name, entry.Name()), entry.Type()); err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) addFile(in *os.Root, below, name string) error {
	// The path is checked first: nothing is read only to be refused.
	if err := Check(name); err != nil {
		return err
	}
	file, err := in.Open(below)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, maxFileSize+1))
	if err != nil {
		return err
	}
	r.size += int64(len(content))
	switch {
	case len(content) > maxFileSize:
		return fmt.Errorf("%s: %w: a file of more than %d MiB", name, ErrTooLarge, maxFileSize>>20)
	case r.size > maxReadSize:
		return fmt.Errorf("%s: %w: more than %d MiB in all", name, ErrTooLarge, maxReadSize>>20)
	case r.tree.Len() >= maxFiles:
		return fmt.Errorf("%s: %w: more than %d files", name, ErrTooLarge, maxFiles)
	}
	return r.tree.Set(name, content)
}

// WriteError says how far [Write] came.
type WriteError struct {
	// Done are the changes that were made, Left those that were not. Done is empty
	// when Write gave up before it touched a file, which is the usual case.
	Done, Left []Change
	Err        error
}

// Error returns the cause, and how far the writing came.
func (e *WriteError) Error() string {
	if len(e.Done) == 0 {
		return fmt.Sprintf("nothing was written: %v", e.Err)
	}
	return fmt.Sprintf("%d of %d files were written before this: %v; run again to write the others",
		len(e.Done), len(e.Done)+len(e.Left), e.Err)
}

// Unwrap returns the cause.
func (e *WriteError) Unwrap() error { return e.Err }

// Write makes the changes in a directory, and makes the directory if it is not
// there. Files get mode 0644 and folders 0755, less the umask.
//
// A file that already is what the change wants is not touched. One that is
// neither what the change wants nor what it was computed from is [ErrMoved].
// All new content is first written to temporary files next to its place, or to
// one temporary folder where a whole folder is new; only when that worked are
// they renamed and the removed files deleted, so that no file is ever
// half-written and a full disk changes nothing. Folders that a
// deletion empties go too. Nothing is forced to the disk (fsync): a
// working copy can be written again.
//
// Write never leaves the directory and never goes through a symbolic link to a
// folder. An error that is not about the directory itself is a [*WriteError].
func Write(dir string, changes []Change) error {
	for _, c := range changes {
		if err := Check(c.Path); err != nil {
			return &WriteError{Left: changes, Err: err}
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("writing to %s: %w", dir, err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("writing to %s: %w", dir, err)
	}
	defer root.Close()

	w := writer{root: root, plain: map[string]bool{".": true}}
	defer w.leave()
	if err := w.prepare(changes); err != nil {
		w.undo()
		return &WriteError{Left: changes, Err: fmt.Errorf("writing to %s: %w", dir, err)}
	}
	if done, err := w.commit(); err != nil {
		w.undo()
		return &WriteError{Done: done, Left: w.left(done), Err: fmt.Errorf("writing to %s: %w", dir, err)}
	}
	return nil
}

// writer carries out one Write.
type writer struct {
	root *os.Root
	// folder is the folder called at, held open because its files are looked at one
	// after the other and a root looks at every part of a name each time; nil when
	// none is.
	folder *os.Root
	at     string
	// plain holds the folders known to be folders and not links.
	plain map[string]bool
	// fresh are the folders that this Write makes, each with all that is in it.
	fresh []freshFolder
	// stages says where a folder in a fresh one is until then.
	stages map[string]stagedFolder
	// staged are the changes to carry out, those in fresh folders first.
	staged []stagedChange
	// temps counts the names tried for temporary files.
	temps atomic.Int64
}

// freshFolder is a folder that does not exist yet, and the temporary name that
// it has next to its place; "" once it is there.
type freshFolder struct{ name, temp string }

// stagedFolder is the path that a folder has for now, and the place in fresh of
// the one that it is in, -1 for none.
type stagedFolder struct {
	path  string
	fresh int
}

// stagedChange is a change with the folder and the name that its new content has
// until the end: "" for deletions, and once it is renamed. A file in a fresh
// folder has its own name from the beginning.
type stagedChange struct {
	Change
	in   stagedFolder
	temp string
}

// prepare does everything that can fail for want of room or rights: afterwards
// only renames and deletions are left.
func (w *writer) prepare(changes []Change) error {
	for _, c := range changes {
		have, ok, err := w.current(c.Path)
		switch {
		case err != nil:
			return err
		case c.Op == Removed && !ok, c.Op != Removed && ok && bytes.Equal(have, c.New):
			continue
		case c.Op == Added && ok, c.Op == Changed && !ok, ok && !bytes.Equal(have, c.Old):
			return fmt.Errorf("%s: %w", c.Path, ErrMoved)
		}
		s := stagedChange{Change: c, in: stagedFolder{path.Dir(c.Path), -1}}
		if c.Op != Removed {
			if s.in, err = w.makeFolder(path.Dir(c.Path)); err != nil {
				return err
			}
		}
		w.staged = append(w.staged, s)
	}
	w.leave()
	if err := w.stageAll(); err != nil {
		return err
	}
	slices.SortStableFunc(w.staged, func(a, b stagedChange) int {
		return cmp.Compare(uint(a.in.fresh), uint(b.in.fresh)) // -1, for none, comes last
	})
	return nil
}

// enter returns the folder, which [writer.checkFolder] knows.
func (w *writer) enter(name string) (*os.Root, error) {
	if w.folder != nil && w.at == name {
		return w.folder, nil
	}
	w.leave()
	folder, err := w.root.OpenRoot(name)
	if err != nil {
		return nil, err
	}
	w.folder, w.at = folder, name
	return folder, nil
}

// leave closes the folder that is open.
func (w *writer) leave() {
	if w.folder != nil {
		w.folder.Close()
		w.folder = nil
	}
}

// current returns what the directory holds at the path.
func (w *writer) current(name string) (content []byte, ok bool, err error) {
	if _, isFresh := w.stages[path.Dir(name)]; isFresh {
		return nil, false, nil
	}
	if err := w.checkFolder(path.Dir(name)); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, false, nil
		}
		return nil, false, err
	}
	folder, err := w.enter(path.Dir(name))
	if err != nil {
		return nil, false, err
	}
	info, err := folder.Lstat(path.Base(name))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, false, nil
	case err != nil:
		return nil, false, fmt.Errorf("%s: %w", name, err)
	case info.IsDir():
		return nil, false, fmt.Errorf("%s is a folder where a file should be", name)
	case info.Mode()&fs.ModeSymlink != 0: // it may lead out of the folder
		content, err = w.root.ReadFile(name)
		return content, err == nil, err
	}
	if content, err = folder.ReadFile(path.Base(name)); err != nil {
		return nil, false, fmt.Errorf("%s: %w", name, err)
	}
	return content, true, nil
}

// checkFolder returns an error unless every part of the path is a folder.
func (w *writer) checkFolder(name string) error {
	if w.plain[name] {
		return nil
	}
	if err := w.checkFolder(path.Dir(name)); err != nil {
		return err
	}
	info, err := w.root.Lstat(name)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%s is not a folder", name)
	}
	w.plain[name] = true
	return nil
}

// makeFolder sees to it that the folder is there, and returns where it is until
// the end. One that does not exist is made under a temporary name, together with
// those above it that do not exist either.
func (w *writer) makeFolder(name string) (stagedFolder, error) {
	if s, ok := w.stages[name]; ok {
		return s, nil
	}
	err := w.checkFolder(name)
	if err == nil {
		return stagedFolder{name, -1}, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return stagedFolder{}, err
	}
	above, err := w.makeFolder(path.Dir(name))
	if err != nil {
		return stagedFolder{}, err
	}
	s := stagedFolder{path.Join(above.path, path.Base(name)), above.fresh}
	if above.fresh >= 0 {
		err = w.root.Mkdir(s.path, 0o755)
	} else {
		s.fresh = len(w.fresh)
		for {
			s.path = path.Join(above.path, w.tempName())
			if err = w.root.Mkdir(s.path, 0o755); !errors.Is(err, fs.ErrExist) {
				break
			}
		}
		if err == nil {
			w.fresh = append(w.fresh, freshFolder{name, s.path})
		}
	}
	if err != nil {
		return stagedFolder{}, err
	}
	if w.stages == nil {
		w.stages = map[string]stagedFolder{}
	}
	w.stages[name] = s
	return s, nil
}

// tempName returns a name for a temporary file or folder that was not tried yet.
func (w *writer) tempName() string {
	return ".hedgehog-gitops-" + strconv.FormatInt(w.temps.Add(1), 10) + ".tmp"
}

// stageAll writes the new contents, folder by folder, several folders at a time:
// making a file keeps the disk waiting more than the processor.
func (w *writer) stageAll() error {
	var folders [][]*stagedChange
	known := map[string]int{}
	for i := range w.staged {
		s := &w.staged[i]
		if s.Op == Removed {
			continue
		}
		n, ok := known[s.in.path]
		if !ok {
			n = len(folders)
			known[s.in.path] = n
			folders = append(folders, nil)
		}
		folders[n] = append(folders[n], s)
	}
	failed := make([]error, len(folders))
	var next atomic.Int64
	var stop atomic.Bool
	var workers sync.WaitGroup
	for range min(len(folders), max(2, runtime.GOMAXPROCS(0))) {
		workers.Go(func() {
			for !stop.Load() {
				n := int(next.Add(1)) - 1
				if n >= len(folders) {
					return
				}
				if failed[n] = w.stageFolder(folders[n]); failed[n] != nil {
					stop.Store(true)
				}
			}
		})
	}
	workers.Wait()
	return cmp.Or(failed...)
}

// stageFolder writes the new contents of the files of one folder.
func (w *writer) stageFolder(files []*stagedChange) error {
	folder, err := w.root.OpenRoot(files[0].in.path)
	if err != nil {
		return err
	}
	defer folder.Close()
	for _, s := range files {
		if err := w.stage(folder, s); err != nil {
			return fmt.Errorf("%s: %w", s.Path, err)
		}
	}
	return nil
}

// stage writes the new content of a file into the folder.
func (w *writer) stage(folder *os.Root, s *stagedChange) error {
	name := path.Base(s.Path)
	for {
		if s.in.fresh < 0 {
			name = w.tempName()
		}
		file, err := folder.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if errors.Is(err, fs.ErrExist) && s.in.fresh < 0 {
			continue
		}
		if err != nil {
			return err
		}
		s.temp = name
		_, err = file.Write(s.New)
		// Some file systems report a full disk only here.
		return errors.Join(err, file.Close())
	}
}

// commit puts the temporary files into their places and deletes what goes.
func (w *writer) commit() (done []Change, err error) {
	w.leave()
	for i := range w.staged {
		s := &w.staged[i]
		if s.in.fresh >= 0 {
			if f := &w.fresh[s.in.fresh]; f.temp != "" {
				err := w.root.Rename(f.temp, f.name)
				if errors.Is(err, fs.ErrExist) {
					err = ErrMoved // somebody else made it meanwhile
				}
				if err != nil {
					return done, fmt.Errorf("%s: %w", f.name, err)
				}
				f.temp = ""
			}
			s.temp = ""
			done = append(done, s.Change)
			continue
		}
		folder, err := w.enter(path.Dir(s.Path))
		if err == nil && s.Op == Removed {
			err = folder.Remove(path.Base(s.Path))
		} else if err == nil {
			err = folder.Rename(s.temp, path.Base(s.Path))
		}
		if err != nil {
			return done, fmt.Errorf("%s: %w", s.Path, err)
		}
		s.temp = ""
		done = append(done, s.Change)
	}
	w.leave() // some systems keep a folder that is open
	for _, c := range done {
		if c.Op == Removed {
			w.removeEmpty(path.Dir(c.Path))
		}
	}
	return done, nil
}

// removeEmpty removes the folder, and those above it, as far as they are empty.
func (w *writer) removeEmpty(name string) {
	for ; name != "."; name = path.Dir(name) {
		if w.root.Remove(name) != nil {
			return // it holds something
		}
	}
}

// undo removes the temporary files and folders that were not renamed.
func (w *writer) undo() {
	w.leave()
	for _, s := range w.staged {
		if s.temp != "" && s.in.fresh < 0 {
			_ = w.root.Remove(path.Join(s.in.path, s.temp)) // nothing better can be done
		}
	}
	for _, f := range w.fresh {
		if f.temp != "" {
			_ = w.root.RemoveAll(f.temp)
		}
	}
}

// left returns the staged changes that come after those done.
func (w *writer) left(done []Change) []Change {
	var left []Change
	for _, s := range w.staged[len(done):] {
		left = append(left, s.Change)
	}
	return left
}
