package xds

import (
	"log/slog"
	"net"
	"sync"
	"time"
)

// room is the memory that requests may take in all while they arrive. Who
// finds none waits; when nothing has moved for roomPatience, the connection
// that takes most of it is closed. Any goroutine may call.
type room struct {
	max    int // fixed at birth, as the others here
	limit  int // of one message
	most   int // messages on one connection
	log    *slog.Logger
	metric func() // counts a connection that was closed

	mu    sync.Mutex // guards what follows, and held of each inbound
	used  int
	all   map[*inbound]struct{} // those that hold any
	freed chan struct{}         // closes when some is given back; nil: nobody waits
}

// roomPatience is how long a request waits for room until somebody has to go.
const roomPatience = 3 * time.Second

// connect makes an inbound for conn.
func (r *room) connect(conn net.Conn) *inbound {
	return &inbound{
		room: r, conn: conn, limit: r.limit, most: r.most,
		closed: make(chan struct{}), preface: prefaceBytes, partial: map[uint32]*arriving{},
	}
}

// take takes n bytes for in, or reports that in has been closed.
func (r *room) take(in *inbound, n int) error {
	for {
		freed := r.try(in, n)
		if freed == nil {
			return nil
		}
		patience := time.NewTimer(roomPatience)
		select {
		case <-freed:
		case <-in.closed:
			patience.Stop()
			return errNoRoom
		case <-patience.C:
			r.evict()
		}
		patience.Stop()
	}
}

// try takes n bytes, or returns what closes when it is worth trying again.
func (r *room) try(in *inbound, n int) (freed <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.used+n <= r.max || r.used == 0 {
		r.used += n
		in.held += n
		r.all[in] = struct{}{}
		return nil
	}
	if r.freed == nil {
		r.freed = make(chan struct{})
	}
	return r.freed
}

// give gives back n bytes of in's.
func (r *room) give(in *inbound, n int) {
	if n == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.giveLocked(in, min(n, in.held))
}

// leave gives back all that in has.
func (r *room) leave(in *inbound) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.giveLocked(in, in.held)
}

// giveLocked wakes those who wait. r.mu is held.
func (r *room) giveLocked(in *inbound, n int) {
	r.used -= n
	if in.held -= n; in.held == 0 {
		delete(r.all, in)
	}
	if n > 0 && r.freed != nil {
		close(r.freed)
		r.freed = nil
	}
}

// evict closes the connection that takes most.
func (r *room) evict() {
	r.mu.Lock()
	var worst *inbound
	for in := range r.all {
		if worst == nil || in.held > worst.held {
			worst = in
		}
	}
	held := 0
	if worst != nil {
		held = worst.held
	}
	r.mu.Unlock()
	if worst == nil {
		return
	}
	r.log.Warn("connection closed: requests that are arriving take too much memory", "peer", worst.conn.RemoteAddr().String(),
		"bytes", held, "max_in_all", r.max)
	r.metric()
	worst.close()
	_ = worst.conn.Close() // whatever it says, the room is free
}

// taken is how many bytes requests take that are arriving.
func (r *room) taken() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.used
}
