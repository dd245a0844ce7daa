package deltaplane

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/deltaplane/deltaplane/internal/storepb"
	"github.com/deltaplane/deltaplane/resource"
)

// What the store keeps in etcd, under Config.Prefix. Values are messages of
// internal/storepb unless said otherwise.
//
//	head                        Head: the newest commit
//	epoch                       Epoch: the garbage collector's last run
//	commit/<version>            Record: one commit, what it changed
//	checkpoint/<version>        Checkpoint: the whole tree at that version
//	value/<digest>              bytes, by their SHA-256: a segment of a resource,
//	                            or a part of a record or checkpoint that is large
//	value/<digest>/<n>          their further chunks, n = 1, 2, …
//
// Versions have 16 hexadecimal digits, so that they sort. Records, checkpoints
// and values never change once written.
//
// INVARIANT: whoever sees a head finds its record, the records since the
// newest checkpoint, and every value that the tree refers to. A commit writes
// its values first, or in the same transaction as record and head, and that
// transaction holds only while the collector's epoch is the one under which
// the values were written.

// layoutFormat is the Head.format that this build writes, and the highest
// that it reads. Format 2 has Item.split, format 3 Item.other_splits and
// Item.past: these count for an entry's sum.
const layoutFormat = 3

// Limits that keep every request within those of an unconfigured etcd:
// 1.5 MiB and 128 operations.
const (
	chunkBytes = 512 << 10 // of one key's value
	txnBytes   = 1 << 20   // of one transaction's values
	txnOps     = 120       // of one transaction
	partBytes  = 64 << 10  // of a Changes or Placements value
)

// layout makes the keys below one prefix.
type layout struct{ prefix string }

func (l layout) head() string                { return l.prefix + "head" }
func (l layout) epoch() string               { return l.prefix + "epoch" }
func (l layout) commits() string             { return l.prefix + "commit/" }
func (l layout) commit(v Version) string     { return l.commits() + versionKey(v) }
func (l layout) checkpoints() string         { return l.prefix + "checkpoint/" }
func (l layout) checkpoint(v Version) string { return l.checkpoints() + versionKey(v) }
func (l layout) values() string              { return l.prefix + "value/" }

// chunk is the key of a value's i-th chunk, from 0.
func (l layout) chunk(d resource.Digest, i int) string {
	if i == 0 {
		return l.values() + d.String()
	}
	return l.values() + d.String() + "/" + strconv.Itoa(i)
}

// chunkOf is the inverse of chunk.
func (l layout) chunkOf(key string) (d resource.Digest, i int, ok bool) {
	rest, ok := strings.CutPrefix(key, l.values())
	if !ok {
		return d, 0, false
	}
	name, number, more := strings.Cut(rest, "/")
	if n, err := hex.Decode(d[:], []byte(name)); err != nil || n != len(d) {
		return d, 0, false
	}
	if more {
		if i, _ = strconv.Atoi(number); i < 1 {
			return d, 0, false
		}
	}
	return d, i, true
}

// versionOf is the version that a commit's or checkpoint's key ends with.
func versionOf(key string) (Version, bool) {
	v, err := strconv.ParseUint(key[strings.LastIndexByte(key, '/')+1:], 16, 64)
	return Version(v), err == nil
}

func versionKey(v Version) string { return fmt.Sprintf("%016x", uint64(v)) }

// blob is a value on its way into etcd.
type blob struct {
	digest resource.Digest
	bytes  []byte
}

// chunks is the number of keys that n bytes take.
func chunks(n int) int { return max(1, (n+chunkBytes-1)/chunkBytes) }

// chunk is the i-th part of b.
func (b blob) chunk(i int) []byte {
	return b.bytes[i*chunkBytes : min(len(b.bytes), (i+1)*chunkBytes)]
}

func (b blob) ref() *storepb.Ref {
	return &storepb.Ref{Digest: b.digest[:], Size: uint32(len(b.bytes))}
}
