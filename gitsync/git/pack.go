package git

import (
	"bufio"
	"compress/zlib"
	"crypto/sha1"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
)

// object is an object of Git: what it is, and its bytes.
type object struct {
	kind plumbing.ObjectType
	data []byte
}

// objects are objects by their id.
type objects map[plumbing.Hash]object

// add puts an object in and returns its id.
func (o objects) add(kind plumbing.ObjectType, data []byte) plumbing.Hash {
	id := plumbing.ComputeHash(kind, data)
	o[id] = object{kind, data}
	return id
}

// errTooLarge is an answer that holds more than is allowed.
var errTooLarge = errors.New("the answer is too large")

// errPack is a pack that is none.
var errPack = errors.New("the pack is damaged")

// overhead is about what an object costs besides its bytes.
const overhead = 128

// pack is a pack being read. The reader of go-git is not used because it reserves
// memory on the word of the sender: up to a gigabyte for five bytes.
type pack struct {
	in      *bufio.Reader
	offset  int64 // of the next byte
	left    int64 // how many bytes may still be unpacked
	inflate io.ReadCloser
	found   objects
	known   objects // may be bases of deltas too
	at      map[int64]plumbing.Hash
	waiting []delta
}

// delta is an object that says how it differs from another one.
type delta struct {
	offset     int64
	base       plumbing.Hash // or
	baseOffset int64
	data       []byte
}

// readPack returns the objects of a pack. More than most bytes, unpacked, are
// errTooLarge.
func readPack(r io.Reader, most int64, known objects) (objects, error) {
	p := &pack{
		in: bufio.NewReaderSize(r, 32<<10), left: most,
		found: objects{}, known: known, at: map[int64]plumbing.Hash{},
	}
	var head [12]byte
	if _, err := io.ReadFull(p, head[:]); err != nil {
		return nil, cutShort(err)
	}
	if string(head[:4]) != "PACK" || binary.BigEndian.Uint32(head[4:]) != 2 {
		return nil, fmt.Errorf("%w: it begins with %q", errPack, head[:8])
	}
	for range binary.BigEndian.Uint32(head[8:]) {
		if err := p.next(); err != nil {
			return nil, cutShort(err)
		}
	}
	if err := p.resolve(); err != nil {
		return nil, err
	}
	// The sum at the end says nothing that the ids of the objects do not say.
	if _, err := io.CopyN(io.Discard, p, sha1.Size); err != nil {
		return nil, cutShort(err)
	}
	return p.found, nil
}

// cutShort makes an end that comes too early an unexpected one.
func cutShort(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// Read and ReadByte count what is read. With a ByteReader the inflater takes not
// one byte more than its own.
func (p *pack) Read(b []byte) (int, error) {
	n, err := p.in.Read(b)
	p.offset += int64(n)
	return n, err
}

func (p *pack) ReadByte() (byte, error) {
	b, err := p.in.ReadByte()
	if err == nil {
		p.offset++
	}
	return b, err
}

// take counts what is about to be kept.
func (p *pack) take(n uint64) error {
	if n > uint64(p.left) {
		return errTooLarge
	}
	p.left -= int64(n)
	return nil
}

// next reads one object.
func (p *pack) next() error {
	offset := p.offset
	kind, size, err := p.header()
	if err != nil {
		return err
	}
	d := delta{offset: offset}
	switch kind {
	case plumbing.CommitObject, plumbing.TreeObject, plumbing.BlobObject, plumbing.TagObject:
		data, err := p.content(size)
		if err == nil {
			p.at[offset] = p.found.add(kind, data)
		}
		return err
	case plumbing.OFSDeltaObject:
		back, err := p.distance()
		if err != nil {
			return err
		}
		if d.baseOffset = offset - back; back <= 0 || d.baseOffset < 0 {
			return fmt.Errorf("%w: an object is based on nothing", errPack)
		}
	case plumbing.REFDeltaObject:
		if _, err := io.ReadFull(p, d.base[:]); err != nil {
			return err
		}
	default:
		return fmt.Errorf("%w: there is no object of type %d", errPack, kind)
	}
	if d.data, err = p.content(size); err != nil {
		return err
	}
	done, err := p.apply(d)
	if !done && err == nil {
		p.waiting = append(p.waiting, d)
	}
	return err
}

// apply makes the object of a delta if its base is there.
func (p *pack) apply(d delta) (bool, error) {
	id := d.base
	if id.IsZero() {
		id = p.at[d.baseOffset]
	}
	base, found := p.found[id]
	if !found {
		base, found = p.known[id]
	}
	if !found {
		return false, nil
	}
	// Two sizes come first: of the base, and of what is made.
	_, n := binary.Uvarint(d.data)
	if n <= 0 {
		return false, fmt.Errorf("%w: a difference has no size", errPack)
	}
	size, n := binary.Uvarint(d.data[n:])
	if n <= 0 {
		return false, fmt.Errorf("%w: a difference has no size", errPack)
	}
	if err := p.take(size); err != nil {
		return false, err
	}
	data, err := packfile.PatchDelta(base.data, d.data)
	if err != nil {
		return false, fmt.Errorf("%w: %w", errPack, err)
	}
	p.left += int64(len(d.data)) // it is not kept
	p.at[d.offset] = p.found.add(base.kind, data)
	return true, nil
}

// resolve makes the objects whose bases came after them.
func (p *pack) resolve() error {
	for len(p.waiting) > 0 {
		var still []delta
		for _, d := range p.waiting {
			done, err := p.apply(d)
			if err != nil {
				return err
			}
			if !done {
				still = append(still, d)
			}
		}
		if len(still) == len(p.waiting) {
			return fmt.Errorf("%w: an object is based on one that is not there", errPack)
		}
		p.waiting = still
	}
	return nil
}

// header reads the type and size before an object.
func (p *pack) header() (plumbing.ObjectType, uint64, error) {
	b, err := p.ReadByte()
	if err != nil {
		return 0, 0, err
	}
	kind, size := plumbing.ObjectType(b>>4&7), uint64(b&15)
	for shift := 4; b&0x80 != 0; shift += 7 {
		if shift > 56 {
			return 0, 0, errTooLarge
		}
		if b, err = p.ReadByte(); err != nil {
			return 0, 0, err
		}
		size |= uint64(b&0x7f) << shift
	}
	return kind, size, nil
}

// distance reads how far before an object its base begins.
func (p *pack) distance() (int64, error) {
	b, err := p.ReadByte()
	n := int64(b & 0x7f)
	for i := 0; err == nil && b&0x80 != 0; i++ {
		if i > 7 {
			return 0, fmt.Errorf("%w: a distance is too large", errPack)
		}
		b, err = p.ReadByte()
		n = (n+1)<<7 | int64(b&0x7f)
	}
	return n, err
}

// content inflates what follows; it must be as long as it was said to be.
func (p *pack) content(size uint64) ([]byte, error) {
	if err := p.take(size); err != nil {
		return nil, err
	}
	if err := p.take(overhead); err != nil {
		return nil, err
	}
	var err error
	if p.inflate == nil {
		p.inflate, err = zlib.NewReader(p)
	} else {
		err = p.inflate.(zlib.Resetter).Reset(p, nil)
	}
	if err != nil {
		return nil, err
	}
	// Memory grows with what arrives, not with what is announced.
	const step = 1 << 20
	data := make([]byte, 0, min(size, step))
	for have := uint64(0); have < size; have = uint64(len(data)) {
		n := int(min(size-have, step))
		data = slices.Grow(data, n)
		if _, err := io.ReadFull(p.inflate, data[have:have+uint64(n)]); err != nil {
			return nil, err
		}
		data = data[:have+uint64(n)]
	}
	if n, err := p.inflate.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) {
		if err == nil || errors.Is(err, io.EOF) {
			err = fmt.Errorf("%w: an object is longer than it says", errPack)
		}
		return nil, err
	}
	return data, nil
}

// outgoing is an object to be sent. Where the server has an object like it, the
// difference is sent alone.
type outgoing struct {
	object
	id   plumbing.Hash
	base plumbing.Hash // on the server; zero for none
	diff []byte
}

// writePack writes a pack of the objects. A thin one has differences from objects
// that are not in it.
func writePack(w io.Writer, all []outgoing, thin bool) error {
	sum := sha1.New()
	out := io.MultiWriter(w, sum)
	head := binary.BigEndian.AppendUint32([]byte("PACK\x00\x00\x00\x02"), uint32(len(all)))
	if _, err := out.Write(head); err != nil {
		return err
	}
	deflate := zlib.NewWriter(out)
	for _, o := range all {
		kind, data := o.kind, o.data
		if thin && o.diff != nil {
			kind, data = plumbing.REFDeltaObject, o.diff
		}
		size := len(data)
		head := []byte{byte(kind)<<4 | byte(size&15)}
		for size >>= 4; size > 0; size >>= 7 {
			head[len(head)-1] |= 0x80
			head = append(head, byte(size&0x7f))
		}
		if kind == plumbing.REFDeltaObject {
			head = append(head, o.base[:]...)
		}
		if _, err := out.Write(head); err != nil {
			return err
		}
		deflate.Reset(out)
		if _, err := deflate.Write(data); err != nil {
			return err
		}
		if err := deflate.Close(); err != nil {
			return err
		}
	}
	_, err := w.Write(sum.Sum(nil))
	return err
}
