package fleet

import "sync"

// index finds streams by id. It is cut into parts with a lock each, so that
// events of different streams rarely meet. The zero index is empty.
type index struct {
	parts [64]struct {
		mu      sync.RWMutex // innermost lock
		streams map[uint64]*stream
	}
}

// get returns nil for a stream that is not there.
func (x *index) get(id uint64) *stream {
	p := &x.parts[id%uint64(len(x.parts))]
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.streams[id]
}

func (x *index) put(id uint64, s *stream) {
	p := &x.parts[id%uint64(len(x.parts))]
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.streams == nil {
		p.streams = map[uint64]*stream{}
	}
	p.streams[id] = s
}

func (x *index) remove(id uint64) {
	p := &x.parts[id%uint64(len(x.parts))]
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.streams, id)
}
