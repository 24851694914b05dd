package git

import (
	"bytes"
	"compress/zlib"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/google/go-cmp/cmp"
)

// gitPacks are packs as git writes them, and the text of all objects in them.
func gitPacks(t testing.TB) (packs map[string][]byte, want objects) {
	dir := t.TempDir()
	gitIn(t, dir, nil, "init", "--quiet", "--initial-branch=main", "--bare")
	var in strings.Builder
	for i := range 12 {
		fmt.Fprintf(&in, "commit refs/heads/main\ncommitter Ann <a@b> %d +0000\ndata 1\nx\n", 1_700_000_000+i)
		for f := range 20 {
			text := strings.Repeat(fmt.Sprintf("line of file %d\n", f), 30) + fmt.Sprint("change ", i*(f%3))
			fmt.Fprintf(&in, "M 100644 inline dir/file%d\ndata %d\n%s\n", f, len(text), text)
		}
	}
	in.WriteString("tag v1\nfrom refs/heads/main\ntagger Ann <a@b> 1700000000 +0000\ndata 3\nv1\n")
	gitIn(t, dir, []byte(in.String()), "fast-import", "--quiet")
	list := gitIn(t, dir, nil, "rev-list", "--objects", "--all", "--no-object-names")
	packs = map[string][]byte{
		"distances": []byte(gitIn(t, dir, []byte(list), "pack-objects", "--stdout", "-q", "--delta-base-offset")),
		"ids":       []byte(gitIn(t, dir, []byte(list), "pack-objects", "--stdout", "-q")),
		"whole":     []byte(gitIn(t, dir, []byte(list), "pack-objects", "--stdout", "-q", "--window=0")),
	}
	want = objects{}
	for out := gitIn(t, dir, []byte(list), "cat-file", "--batch"); out != ""; {
		var id, kind string
		var size int
		head, rest, _ := strings.Cut(out, "\n")
		if _, err := fmt.Sscan(head, &id, &kind, &size); err != nil {
			t.Fatal(err)
		}
		k, err := plumbing.ParseObjectType(kind)
		if err != nil {
			t.Fatal(err)
		}
		want[plumbing.NewHash(id)] = object{k, []byte(rest[:size])}
		out = rest[size+1:]
	}
	return packs, want
}

func TestReadsPacksOfGit(t *testing.T) {
	t.Parallel()
	packs, want := gitPacks(t)
	for name, pack := range packs {
		got, err := readPack(iotest.HalfReader(bytes.NewReader(pack)), 1<<20, nil)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(object{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		for _, n := range []int{0, 5, 13, len(pack) / 2, len(pack) - 21, len(pack) - 1} {
			if _, err := readPack(bytes.NewReader(pack[:n]), 1<<20, nil); !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%s, cut after %d bytes: %v", name, n, err)
			}
		}
		if _, err := readPack(bytes.NewReader(pack), 5000, nil); !errors.Is(err, errTooLarge) {
			t.Errorf("%s, more than is allowed: %v", name, err)
		}
	}
}

func TestGitReadsOurPacks(t *testing.T) {
	t.Parallel()
	_, all := gitPacks(t)
	noise := make([]byte, 3<<20)
	_, _ = rand.Read(noise)
	all.add(plumbing.BlobObject, noise)
	all.add(plumbing.BlobObject, nil)
	var sent []outgoing
	for id, o := range all {
		sent = append(sent, outgoing{object: o, id: id})
	}
	var pack bytes.Buffer
	if err := writePack(&pack, sent, true); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	gitIn(t, dir, nil, "init", "--quiet", "--bare")
	gitIn(t, dir, pack.Bytes(), "index-pack", "--stdin", "--strict")
	ids := slices.Sorted(maps.Keys(maps.Collect(func(yield func(string, bool) bool) {
		for id := range all {
			if !yield(id.String(), true) {
				return
			}
		}
	})))
	out := gitIn(t, dir, []byte(strings.Join(ids, "\n")), "cat-file", "--batch-check=%(objectname)")
	if diff := cmp.Diff(ids, strings.Fields(out)); diff != "" {
		t.Errorf("objects (-want +got):\n%s", diff)
	}
	got, err := readPack(&pack, 10<<20, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != len(all) {
		t.Errorf("%d objects, want %d", len(got), len(all))
	}
}

// A thin pack has the difference alone, and git completes it.
func TestThinPacks(t *testing.T) {
	t.Parallel()
	var entries []entry
	for i := range 3000 {
		entries = append(entries, entry{fileMode, fmt.Sprintf("object-%04d.yaml", i), plumbing.ComputeHash(plumbing.BlobObject, fmt.Append(nil, i))})
	}
	have := objects{}
	from := have.add(plumbing.TreeObject, formatTree(entries))
	root, made := built(t, from, map[string][]byte{"object-0815.yaml": []byte("new\n"), "object-2999.yaml": nil, "z": []byte("z")}, have)
	var thin, whole bytes.Buffer
	if err := errors.Join(writePack(&thin, made, true), writePack(&whole, made, false)); err != nil {
		t.Fatal(err)
	}
	if thin.Len() > 500 || whole.Len() < 50_000 {
		t.Errorf("%d bytes, %d when whole", thin.Len(), whole.Len())
	}
	dir := t.TempDir()
	gitIn(t, dir, nil, "init", "--quiet", "--bare")
	gitIn(t, dir, have[from].data, "hash-object", "-t", "tree", "-w", "--stdin", "--literally")
	gitIn(t, dir, thin.Bytes(), "index-pack", "--stdin", "--fix-thin")
	if got := gitIn(t, dir, nil, "ls-tree", root.String(), "object-0815.yaml", "object-2999.yaml", "z"); strings.Count(got, "\n") != 2 {
		t.Errorf("git lists %q", got)
	}
	if _, err := readPack(bytes.NewReader(thin.Bytes()), 1<<20, nil); !errors.Is(err, errPack) {
		t.Errorf("a thin pack without what it is based on: %v", err)
	}
	got, err := readPack(bytes.NewReader(thin.Bytes()), 1<<20, have)
	if err != nil || !bytes.Equal(got[root].data, have[root].data) {
		t.Errorf("a thin pack with what it is based on: %v", err)
	}
}

// entryOf is an object of a pack as it is written.
func entryOf(kind plumbing.ObjectType, size int, before, data []byte) []byte {
	out := []byte{byte(kind)<<4 | byte(size&15)}
	for size >>= 4; size > 0; size >>= 7 {
		out[len(out)-1] |= 0x80
		out = append(out, byte(size&0x7f))
	}
	var deflated bytes.Buffer
	z := zlib.NewWriter(&deflated)
	_, _ = z.Write(data)
	_ = z.Close()
	return append(append(out, before...), deflated.Bytes()...)
}

func packOf(entries ...[]byte) []byte {
	out := binary.BigEndian.AppendUint32([]byte("PACK\x00\x00\x00\x02"), uint32(len(entries)))
	for _, e := range entries {
		out = append(out, e...)
	}
	return append(out, make([]byte, 20)...)
}

// A server that lies fills no memory.
func TestHostilePacks(t *testing.T) {
	t.Parallel()
	const most = 8 << 20
	base := bytes.Repeat([]byte("x"), 1<<16)
	id := plumbing.ComputeHash(plumbing.BlobObject, base)
	// Each copy takes four bytes and makes 65,536.
	copies := func(n int) []byte {
		d := binary.AppendUvarint(nil, uint64(len(base)))
		d = binary.AppendUvarint(d, uint64(n)*(1<<16))
		return append(d, bytes.Repeat([]byte{0x80}, n)...)
	}
	small := copies(10)
	for name, test := range map[string]struct {
		pack []byte
		want error
	}{
		"a size that nothing has":          {packOf(append([]byte{0xbf}, bytes.Repeat([]byte{0xff}, 12)...)), errTooLarge},
		"a size and nothing behind":        {packOf([]byte{0xb0 | 15, 0xff, 0xff, 0xff, 0x0f}), nil},
		"a gigabyte of zeros":              {packOf(entryOf(plumbing.BlobObject, 1<<30, nil, make([]byte, 1<<20))), errTooLarge},
		"longer than it says":              {packOf(entryOf(plumbing.BlobObject, 5, nil, make([]byte, 1<<20))), errPack},
		"shorter than it says":             {packOf(entryOf(plumbing.BlobObject, 1<<20, nil, make([]byte, 5))), nil},
		"four gigabytes of differences":    {packOf(entryOf(plumbing.BlobObject, len(base), nil, base), entryOf(plumbing.REFDeltaObject, len(copies(1<<16)), id[:], copies(1<<16))), errTooLarge},
		"many small differences":           {packOf(append([][]byte{entryOf(plumbing.BlobObject, len(base), nil, base)}, slices.Repeat([][]byte{entryOf(plumbing.REFDeltaObject, len(small), id[:], small)}, 1000)...)...), errTooLarge},
		"four billion objects":             {append(binary.BigEndian.AppendUint32([]byte("PACK\x00\x00\x00\x02"), 1<<32-1), bytes.Repeat(entryOf(plumbing.BlobObject, 0, nil, nil), 100_000)...), errTooLarge},
		"a distance to before the start":   {packOf(entryOf(plumbing.OFSDeltaObject, 3, []byte{0x7f}, []byte{1, 1, 1})), errPack},
		"no distance":                      {packOf(entryOf(plumbing.OFSDeltaObject, 3, []byte{0}, []byte{1, 1, 1})), errPack},
		"a distance without end":           {packOf(entryOf(plumbing.OFSDeltaObject, 3, bytes.Repeat([]byte{0xff}, 40), nil)), errPack},
		"a distance to between objects":    {packOf(entryOf(plumbing.BlobObject, 3, nil, []byte("abc")), entryOf(plumbing.OFSDeltaObject, 3, []byte{1}, []byte{1, 1, 1})), errPack},
		"a difference of itself":           {packOf(entryOf(plumbing.REFDeltaObject, 3, id[:], []byte{1, 1, 1})), errPack},
		"a difference that says nothing":   {packOf(entryOf(plumbing.BlobObject, len(base), nil, base), entryOf(plumbing.REFDeltaObject, 0, id[:], nil)), errPack},
		"a difference from something else": {packOf(entryOf(plumbing.BlobObject, len(base), nil, base), entryOf(plumbing.REFDeltaObject, 3, id[:], []byte{1, 1, 0x80})), errPack},
		"an object of no type":             {packOf(entryOf(5, 0, nil, nil)), errPack},
		"another version":                  {[]byte("PACK\x00\x00\x00\x03\x00\x00\x00\x00"), errPack},
		"no pack":                          {[]byte("<html><body>hello"), errPack},
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := readPack(bytes.NewReader(test.pack), most, nil)
			runtime.ReadMemStats(&after)
			if err == nil || test.want != nil && !errors.Is(err, test.want) {
				t.Errorf("error %v, want one that is %v", err, test.want)
			}
			if used := after.TotalAlloc - before.TotalAlloc; used > 10*most {
				t.Errorf("it took %d MB", used>>20)
			}
		})
	}
}

// Whatever arrives, reading it ends, within the limit.
func FuzzReadPack(f *testing.F) {
	packs, _ := gitPacks(f)
	for _, pack := range packs {
		f.Add(pack)
	}
	f.Add(packOf(entryOf(plumbing.BlobObject, 3, nil, []byte("abc")), entryOf(plumbing.OFSDeltaObject, 3, []byte{12}, []byte{3, 3, 0x90, 3})))
	f.Fuzz(func(t *testing.T, pack []byte) {
		const most = 1 << 20
		found, err := readPack(bytes.NewReader(pack), most, nil)
		total := 0
		for id, o := range found {
			total += len(o.data)
			if plumbing.ComputeHash(o.kind, o.data) != id {
				t.Errorf("an object has another id")
			}
		}
		if total > most || err != nil && found != nil {
			t.Errorf("%d bytes, error %v", total, err)
		}
		if err != nil {
			return
		}
		var sent []outgoing
		for id, o := range found {
			sent = append(sent, outgoing{object: o, id: id})
		}
		var again bytes.Buffer
		if err := writePack(&again, sent, false); err != nil {
			t.Fatal(err)
		}
		back, err := readPack(&again, 2*most, nil)
		if diff := cmp.Diff(found, back, cmp.AllowUnexported(object{})); err != nil || diff != "" {
			t.Errorf("%v; written and read again (-want +got):\n%s", err, diff)
		}
	})
}

// Whatever stands in a tree, what is read of it is what is written again.
func FuzzTree(f *testing.F) {
	id := strings.Repeat("x", 20)
	f.Add([]byte("100644 a\x00" + id + "40000 a.b\x00" + id + "120000 a0\x00" + id))
	f.Add([]byte("40000 a\x00" + id + "100644 a.b\x00" + id))
	f.Fuzz(func(t *testing.T, data []byte) {
		entries, err := parseTree(data)
		if err != nil {
			return
		}
		var again bytes.Buffer
		for _, e := range entries {
			fmt.Fprintf(&again, "%s %s\x00%s", e.mode, e.name, e.id[:])
		}
		if !bytes.Equal(again.Bytes(), data) {
			t.Errorf("%q was read as %v", data, entries)
		}
		sorted := formatTree(slices.Clone(entries))
		if back, err := parseTree(sorted); err != nil || len(back) != len(entries) {
			t.Errorf("%q cannot be read: %v", sorted, err)
		}
	})
}
