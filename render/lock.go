package render

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"hedgehog-gitops/render/hedgehog"
)

// LockName is the name of a root's lock.
const LockName = ".hedgehog-gitops.json"

// Version is the version of what is rendered: it goes up with every release
// that writes other bytes for equal rows, so that a change of the tool can be
// told from a change of NetBox.
const Version = 1

// Lock is the file in every root that says which files are ours and what they
// were made of. It changes only when a file of its root does.
type Lock struct {
	// Files maps a path within the root to what was written there.
	Files map[string]LockedFile `json:"files"`
	// Render is the [Version] that wrote the root.
	Render int `json:"render"`
}

// LockedFile is what a [Lock] knows about a file.
type LockedFile struct {
	// Digest is that of the bytes that were last written, or would have been if
	// people had not changed or deleted the file; empty for a removal that they took
	// back.
	Digest string `json:"digest"`
	// Held says why the file is not what NetBox wants: [HeldDeleted] or [HeldReverted];
	// empty for all others.
	Held string `json:"held,omitempty"`
	// Stands is the digest of the file that stands there in place of one that was
	// taken back, empty when none does.
	Stands string `json:"stands,omitempty"`
	// Origins are the NetBox objects that the file was made of, as paths without
	// a host. The kustomization has none.
	Origins []string `json:"origins,omitempty"`
	// Rows is the digest of the rows of NetBox that the file was made of.
	Rows string `json:"rows,omitempty"`
}

// The reasons why a file is held.
const (
	// HeldDeleted: somebody deleted it by hand.
	HeldDeleted = "deleted"
	// HeldReverted: it was merged, and somebody took the merge back.
	HeldReverted = "reverted"
)

// isThere reports whether there is a file, be it another one than NetBox wants.
func (f LockedFile) isThere() bool { return f.Held == "" || f.Stands != "" }

// listed returns the paths that the root's kustomization lists, sorted.
func (l *Lock) listed() []string {
	var names []string
	for name, file := range l.Files {
		if name != kustomizationName && file.isThere() {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// ParseLock reads a lock.
func ParseLock(content []byte) (*Lock, error) {
	d := json.NewDecoder(bytes.NewReader(content))
	var lock Lock
	if err := d.Decode(&lock); err != nil {
		return nil, fmt.Errorf("reading a lock: %w", err)
	}
	if d.More() {
		return nil, errors.New("reading a lock: something follows it")
	}
	if lock.Files == nil || lock.Render < 1 {
		return nil, errors.New(`reading a lock: "files" or "render" is missing`)
	}
	return &lock, nil
}

// Bytes returns the lock as its file holds it: indented, keys in order.
func (l *Lock) Bytes() []byte {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(l); err != nil {
		panic(err) // strings and a number: cannot fail
	}
	return out.Bytes()
}

// sameFiles reports whether both locks stand for the same files: a lock that
// differs in nothing else is not written again.
func (l *Lock) sameFiles(other *Lock) bool {
	return maps.EqualFunc(l.Files, other.Files, func(a, b LockedFile) bool {
		return a.Digest == b.Digest && a.Held == b.Held && a.Stands == b.Stands
	})
}

// digestOrNone returns the digest of a file, "" when there is none.
func digestOrNone(content []byte) string {
	if content == nil {
		return ""
	}
	return digest(content)
}

// digest returns the digest of a file as locks write it.
func digest(content []byte) string {
	sum := sha256.Sum256(content)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// originPaths returns the NetBox objects among the origins, sorted.
func originPaths(origins []hedgehog.Origin) []string {
	var paths []string
	for _, o := range origins {
		if o.Path != "" {
			paths = append(paths, o.Path)
		}
	}
	slices.Sort(paths)
	return slices.Compact(paths)
}
