package shape

import (
	"sync"

	"github.com/deltaplane/deltaplane/resource"
)

// memory keeps what was read of the segments of large hosts, so that a change
// in one of them does not make the others be read again. It holds as much as
// was needed last, up to a limit: what has not been asked for since half of
// that was filled is forgotten.
type memory struct {
	limit int // routes of a generation

	mu     sync.Mutex // guards all below
	young  map[resource.Digest]*run
	old    map[resource.Digest]*run
	filled int // routes in young
	routes int // read so far
}

// keptBytes is from what size on segments are remembered: the hosts of most
// tables are small, and read again in no time.
const keptBytes = 2 << 10

// remembered is shared by all splits: segments are known by their content.
var remembered = &memory{limit: 256 << 10}

// runs is what is known of a VirtualHost.
func (m *memory) runs(host *resource.Resource) []*run {
	if host == nil {
		return nil
	}
	segments := host.Segments()
	runs := make([]*run, len(segments))
	for i, s := range segments {
		runs[i] = m.run(s)
	}
	return runs
}

func (m *memory) run(s resource.Segment) *run {
	if len(s.Bytes) < keptBytes {
		return m.read(s.Bytes)
	}
	if r := m.recall(s.Digest); r != nil {
		return r
	}
	r := m.read(s.Bytes)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.put(s.Digest, r)
	return r
}

// read is what is in a segment, or in a part of one.
func (m *memory) read(b []byte) *run {
	r := readRun(b)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.routes += len(r.routes)
	return r
}

func (m *memory) recall(d resource.Digest) *run {
	m.mu.Lock()
	defer m.mu.Unlock()
	if r := m.young[d]; r != nil {
		return r
	}
	r := m.old[d]
	if r != nil {
		m.put(d, r)
	}
	return r
}

// put keeps r. m.mu is held.
func (m *memory) put(d resource.Digest, r *run) {
	if m.young == nil || m.filled >= m.limit {
		m.young, m.old, m.filled = map[resource.Digest]*run{}, m.young, 0
	}
	m.young[d] = r
	m.filled += len(r.routes) + 1
}
