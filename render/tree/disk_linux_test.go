package tree_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"hedgehog-gitops/render/tree"
)

// TestWriteToAFullDisk fills a file system of its own.
func TestWriteToAFullDisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=256k"); err != nil {
		t.Skipf("needs the right to mount: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, 0) })
	first := of(t, map[string]string{"a/one": "1", "a/two": "2"})
	write(t, dir, first)
	before := entries(t, dir)
	second := of(t, map[string]string{"a/one": "1 changed", "b/c/big": strings.Repeat("x", 1<<20)})
	err := tree.Write(dir, tree.Diff(first, second))
	// Folders are written side by side: the disk may be full for the small one first.
	named := err != nil && (strings.Contains(err.Error(), "b/c/big") || strings.Contains(err.Error(), "a/one"))
	if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "nothing was written") || !named {
		t.Fatalf("got %v, want ENOSPC for a file, and that nothing was written", err)
	}
	if after := entries(t, dir); after != before {
		t.Errorf("left %s, want %s", after, before)
	}
	if got := read(t, dir); !got.Equal(first) {
		t.Error("old content is gone")
	}
}

func TestWriteToAReadOnlyDirectory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := of(t, map[string]string{"a/one": "1"})
	if os.Geteuid() == 0 { // root writes to any directory that is not mounted read-only
		if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=256k"); err != nil {
			t.Skipf("needs the right to mount: %v", err)
		}
		t.Cleanup(func() { _ = syscall.Unmount(dir, 0) })
		write(t, dir, first)
		if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
			t.Skipf("needs the right to mount: %v", err)
		}
	} else {
		write(t, dir, first)
		if err := os.Chmod(filepath.Join(dir, "a"), 0o555); err != nil {
			t.Fatal(err)
		}
	}
	err := tree.Write(dir, tree.Diff(first, of(t, map[string]string{"a/one": "2"})))
	var werr *tree.WriteError
	if !errors.As(err, &werr) || len(werr.Done) != 0 {
		t.Fatalf("got %v, want a WriteError with nothing done", err)
	}
	if got := read(t, dir); !got.Equal(first) {
		t.Error("old content is gone")
	}
}

// TestWriteFailsHalfWay makes a rename fail after another has worked: b is a
// mount point, which nothing can be renamed over.
func TestWriteFailsHalfWay(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := of(t, map[string]string{"a": "1", "b": "1", "c": "1"})
	write(t, dir, first)
	busy := filepath.Join(dir, "b")
	if err := syscall.Mount(busy, busy, "", syscall.MS_BIND, ""); err != nil {
		t.Skipf("needs the right to mount: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(busy, 0) })
	err := tree.Write(dir, tree.Diff(first, of(t, map[string]string{"a": "2", "b": "2", "c": "2"})))
	var werr *tree.WriteError
	if !errors.As(err, &werr) || len(werr.Done) != 1 || len(werr.Left) != 2 || !strings.Contains(err.Error(), "1 of 3 files") {
		t.Fatalf("got %v, want a WriteError with one of three done", err)
	}
	if got, want := read(t, dir), of(t, map[string]string{"a": "2", "b": "1", "c": "1"}); !got.Equal(want) {
		t.Errorf("got %v, want whole files, old or new, and no temporary ones", got.Paths())
	}
}
