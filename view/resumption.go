package view

import (
	"encoding/hex"
	"hash/maphash"
	"iter"
	"sync"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/deltaplane/deltaplane/resource"
)

// Resumptions keeps what clients that came back said they held, so that all
// who say the same share one Held, and whatever follows from it is decided
// once: after a restart of a control plane, that is nearly all of its clients.
// They are recognised without decoding what they say. The zero Resumptions is
// ready. Any goroutine may call.
type Resumptions struct {
	once  sync.Once
	seeds [2]maphash.Seed // set by once

	mu         sync.Mutex
	young, old map[resumptionKey]kept
	bytes      int // about what young takes
}

// kept is a Held, and about how many bytes it takes.
type kept struct {
	held Held
	size int
}

// resumptionKey finds a list in whatever order it stands.
type resumptionKey struct {
	sums [2]uint64 // of the entries' hashes
	n    int
}

// What the lists of a generation may take. Strangers send them: neither few
// huge names nor many lists may take more.
const (
	maxResumedBytes = 40 << 20
	resumedBytes    = 200 // of a list or name, about, besides its text
)

// Of is Resumed of a list, as its entries stand in a request: the messages of
// a protobuf map of strings (DeltaDiscoveryRequest, initial_resource_versions).
// A hash finds a list that may be equal; it counts once each entry has been
// compared. The entries may change afterwards. ok is false where somebody else
// has to look: at lists with xdstp:// names, which have many forms, and at what
// is no such map.
// Cost: O(entries); nothing is allocated for a list that is known.
func (r *Resumptions) Of(entries iter.Seq[[]byte]) (held Held, ok bool) {
	key := r.keyOf(entries)
	if k, old, ok := r.find(key); ok && k.held.saysTheSame(entries) {
		if old {
			r.keep(key, k)
		}
		return k.held, true
	}
	versions, size := make(map[string]string, key.n), resumedBytes
	for e := range entries {
		name, version, ok := entryOf(e)
		if !ok || !utf8.Valid(name) || !utf8.Valid(version) {
			return Held{}, false
		}
		if resource.IsURN(string(name)) {
			return Held{}, false
		}
		versions[string(name)] = string(version)
		size += resumedBytes + len(name)
	}
	held = Resumed(versions)
	if len(versions) == key.n {
		if first, ok := r.keep(key, kept{held, size}); ok && first.saysTheSame(entries) {
			return first, true // somebody has just kept it
		}
	}
	return held, true
}

func (r *Resumptions) keyOf(entries iter.Seq[[]byte]) resumptionKey {
	r.once.Do(func() { r.seeds = [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()} })
	var key resumptionKey
	for e := range entries {
		key.sums[0] += maphash.Bytes(r.seeds[0], e)
		key.sums[1] += maphash.Bytes(r.seeds[1], e)
		key.n++
	}
	return key
}

// find is what is kept for key, and whether the next Age would forget it.
func (r *Resumptions) find(key resumptionKey) (k kept, old, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if k, ok := r.young[key]; ok {
		return k, false, true
	}
	k, ok = r.old[key]
	return k, ok, ok
}

// keep keeps k for key, unless it is too large or there is one already, whose
// Held it returns.
func (r *Resumptions) keep(key resumptionKey, k kept) (first Held, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if first, ok := r.young[key]; ok || k.size > maxResumedBytes {
		return first.held, ok
	}
	if r.young == nil || r.bytes+k.size > maxResumedBytes {
		r.old, r.young, r.bytes = r.young, map[resumptionKey]kept{}, 0
	}
	r.young[key] = k
	r.bytes += k.size
	return Held{}, false
}

// Age forgets what nobody has said since the last Age.
func (r *Resumptions) Age() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.old, r.young, r.bytes = r.young, nil, 0
}

// saysTheSame reports whether h is what Resumed makes of entries, of which
// there are as many. That no name stands there twice, the hash has told.
func (h Held) saysTheSame(entries iter.Seq[[]byte]) bool {
	for e := range entries {
		name, version, ok := entryOf(e)
		if !ok {
			return false
		}
		m, ok := h.marks.byName[string(name)]
		if !ok || m != resumedMark(version) {
			return false
		}
	}
	return true
}

// resumedMark is what a client holds that names this version of it: one that is
// no digest of ours is opaque, something that equals nothing.
func resumedMark[T string | []byte](version T) mark {
	m := mark{kind: unknown}
	if len(version) != hex.EncodedLen(len(m.digest)) {
		return m
	}
	var text [2 * len(m.digest)]byte
	copy(text[:], version)
	if _, err := hex.Decode(m.digest[:], text[:]); err != nil {
		return mark{kind: unknown}
	}
	m.kind = holds
	return m
}

// entryOf reads an entry of a map of strings; ok is false for what is none.
func entryOf(e []byte) (name, version []byte, ok bool) {
	for len(e) > 0 {
		number, kind, n := protowire.ConsumeTag(e)
		if n < 0 {
			return nil, nil, false
		}
		value := e[n:]
		if n = protowire.ConsumeFieldValue(number, kind, value); n < 0 {
			return nil, nil, false
		}
		e = value[n:]
		if kind != protowire.BytesType {
			continue
		}
		switch number {
		case 1:
			name, _ = protowire.ConsumeBytes(value)
		case 2:
			version, _ = protowire.ConsumeBytes(value)
		}
	}
	return name, version, true
}
