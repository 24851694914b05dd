package tree

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
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
// All new content is first written to temporary files next to its place; only
// when that worked are they renamed and the removed files deleted, so that no
// file is ever half-written and a full disk changes nothing. Folders that a
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
	// made are the folders that this Write made, parents first.
	made []string
	// staged are the changes to carry out, each with the name of its temporary file
	// in the same folder ("" for deletions, and once it has been renamed).
	staged []stagedChange
	// temps counts the names tried for temporary files.
	temps int
}

type stagedChange struct {
	Change
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
		s := stagedChange{Change: c}
		if c.Op != Removed {
			if s.temp, err = w.stage(c); err != nil {
				return err
			}
		}
		w.staged = append(w.staged, s)
	}
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

// makeFolder makes the folder and those above it, and notes which it made.
func (w *writer) makeFolder(name string) error {
	err := w.checkFolder(name)
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := w.makeFolder(path.Dir(name)); err != nil {
		return err
	}
	if err := w.root.Mkdir(name, 0o755); err != nil {
		return err
	}
	w.made = append(w.made, name)
	w.plain[name] = true
	return nil
}

// stage writes the new content to a temporary file in the folder of its place,
// and returns the name that the file has there.
func (w *writer) stage(c Change) (temp string, err error) {
	if err := w.makeFolder(path.Dir(c.Path)); err != nil {
		return "", err
	}
	folder, err := w.enter(path.Dir(c.Path))
	if err != nil {
		return "", err
	}
	var file *os.File
	for {
		w.temps++
		temp = ".hedgehog-gitops-" + strconv.Itoa(w.temps) + ".tmp"
		file, err = folder.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if err == nil {
			break
		}
		if !errors.Is(err, fs.ErrExist) {
			return "", fmt.Errorf("%s: %w", c.Path, err)
		}
	}
	_, err = file.Write(c.New)
	// Some file systems report a full disk only here.
	err = errors.Join(err, file.Close())
	if err != nil {
		_ = folder.Remove(temp) // the error that matters is the first one
		return "", fmt.Errorf("%s: %w", c.Path, err)
	}
	return temp, nil
}

// commit puts the temporary files into their places and deletes what goes.
func (w *writer) commit() (done []Change, err error) {
	for i := range w.staged {
		s := &w.staged[i]
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

// undo removes the temporary files that were not renamed, and the folders that
// were made for nothing.
func (w *writer) undo() {
	w.leave()
	for _, s := range w.staged {
		if s.temp != "" {
			_ = w.root.Remove(path.Join(path.Dir(s.Path), s.temp)) // nothing better can be done
		}
	}
	for _, name := range slices.Backward(w.made) {
		_ = w.root.Remove(name) // stays when it holds a file that was written
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
