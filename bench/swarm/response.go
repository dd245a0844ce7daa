package swarm

import (
	"encoding/binary"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/deltaplane/deltaplane/bench/swarm/fixture"
)

// Field numbers that DiscoveryResponse and DeltaDiscoveryResponse have in
// common.
const (
	responseVersion   protowire.Number = 1
	responseResources protowire.Number = 2
	responseTypeURL   protowire.Number = 4
	responseNonce     protowire.Number = 5
	responseRemoved   protowire.Number = 6 // of a delta response
)

// response is what is kept of one. Its slices are used again for the next.
type response struct {
	version, typeURL, nonce []byte
	got, removed            int
	newest                  int // change in it
}

// decoder takes a response in pieces, as they come from the connection, and
// keeps none of its resources.
// Cost: O(bytes) of bytes.Index, and a few steps per resource.
type decoder struct {
	response

	tag     [2 * binary.MaxVarintLen64]byte // tag and length of the field that begins
	tagLen  int
	keep    *[]byte // where the content of the field goes; nil: nowhere
	left    int     // of the field's content
	varint  bool    // the field is a varint that goes on
	carried [fixture.MarkBytes - 1]byte
	carry   int // bytes in it: the end of the piece before
}

// begin is for the start of a message.
func (d *decoder) begin() {
	d.response = response{version: d.version[:0], typeURL: d.typeURL[:0], nonce: d.nonce[:0]}
	d.tagLen, d.left, d.carry, d.keep, d.varint = 0, 0, 0, nil, false
}

// feed takes the next piece; false if it is no response.
func (d *decoder) feed(piece []byte) bool {
	d.scan(piece)
	for len(piece) > 0 {
		if d.left > 0 {
			n := min(d.left, len(piece))
			if d.keep != nil {
				*d.keep = append(*d.keep, piece[:n]...)
			}
			d.left, piece = d.left-n, piece[n:]
			continue
		}
		if d.varint {
			d.varint, piece = piece[0] >= 0x80, piece[1:]
			continue
		}
		if d.tagLen == len(d.tag) {
			return false
		}
		d.tag[d.tagLen], piece = piece[0], piece[1:]
		d.tagLen++
		if !d.field() {
			return false
		}
	}
	return true
}

// field looks whether the tag and length of a field are there, and begins it;
// false if they are wrong.
func (d *decoder) field() bool {
	number, kind, n := protowire.ConsumeTag(d.tag[:d.tagLen])
	if n < 0 {
		return d.tagLen < binary.MaxVarintLen64
	}
	switch kind {
	case protowire.VarintType:
		d.varint, d.tagLen = true, 0
		return true
	case protowire.BytesType:
	default:
		return false // responses have no others
	}
	length, m := protowire.ConsumeVarint(d.tag[n:d.tagLen])
	if m < 0 {
		return d.tagLen-n < binary.MaxVarintLen64
	}
	const most = 1 << 30
	if length > most {
		return false
	}
	d.left, d.keep, d.tagLen = int(length), nil, 0
	switch number {
	case responseVersion:
		d.keep = &d.version
	case responseTypeURL:
		d.keep = &d.typeURL
	case responseNonce:
		d.keep = &d.nonce
	case responseResources:
		d.got++
	case responseRemoved:
		d.removed++
	}
	return true
}

// ended reports whether a message may end here.
func (d *decoder) ended() bool { return d.left == 0 && d.tagLen == 0 && !d.varint }

// scan looks for changes' marks, also for one that began in the piece before.
func (d *decoder) scan(piece []byte) {
	if d.carry > 0 {
		var seam [2 * (fixture.MarkBytes - 1)]byte
		n := copy(seam[:], d.carried[:d.carry])
		n += copy(seam[n:], piece[:min(len(piece), fixture.MarkBytes-1)])
		d.newest = max(d.newest, fixture.Newest(seam[:n]))
	}
	d.newest = max(d.newest, fixture.Newest(piece))
	if len(piece) >= len(d.carried) {
		d.carry = copy(d.carried[:], piece[len(piece)-len(d.carried):])
		return
	}
	if over := d.carry + len(piece) - len(d.carried); over > 0 {
		d.carry = copy(d.carried[:], d.carried[over:d.carry])
	}
	d.carry += copy(d.carried[d.carry:], piece)
}
