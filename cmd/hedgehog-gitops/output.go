package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// writeFile puts content into a file so that nobody ever sees half of it, and
// reports whether that changed anything. What is no regular file, such as a
// pipe, is written to as it is.
func writeFile(name string, content []byte) (changed bool, err error) {
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return false, err
	case info.IsDir():
		return false, &fs.PathError{Op: "write", Path: name, Err: errors.New("is a folder, not a file")}
	case !info.Mode().IsRegular():
		return true, os.WriteFile(name, content, 0o644)
	default:
		if have, err := os.ReadFile(name); err == nil && bytes.Equal(have, content) {
			return false, nil
		}
		// A link stays a link: what it leads to is replaced.
		if name, err = filepath.EvalSymlinks(name); err != nil {
			return false, err
		}
	}
	temp, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*.tmp")
	if err != nil {
		return false, fmt.Errorf("writing %s: %w", name, err)
	}
	_, err = temp.Write(content)
	err = errors.Join(err, temp.Chmod(0o644), temp.Close())
	if err == nil {
		err = os.Rename(temp.Name(), name)
	}
	if err != nil {
		_ = os.Remove(temp.Name()) // the first error is the one that matters
		return false, fmt.Errorf("writing %s: %w", name, err)
	}
	return true, nil
}
