package xds

import (
	"log/slog"
	"net"
	"sync"
	"time"
)

// room is the memory that requests may take in all until they are decoded. Who
// finds none waits, and gets it in the order of waiting; when nothing has moved
// for roomPatience, the connection that takes most of it is closed. Any
// goroutine may call.
type room struct {
	max    int // fixed at birth, as the others here
	limit  int // of one message
	most   int // messages on one connection
	log    *slog.Logger
	metric func() // counts a connection that was closed

	mu    sync.Mutex // guards what follows, and parts of each inbound
	used  int
	all   map[*inbound]struct{} // those that hold any
	queue []waiter
	moved time.Time // when some was given back last
}

// waiter is somebody who waits for room.
type waiter struct {
	in  *inbound
	n   int
	has chan struct{} // closes when it has it
}

// roomPatience is how long requests wait for room, of which none is given
// back, until somebody has to go.
const roomPatience = 3 * time.Second

// connect makes an inbound for conn.
func (r *room) connect(conn net.Conn) *inbound {
	return &inbound{
		room: r, conn: conn, limit: r.limit, most: r.most,
		closed: make(chan struct{}), preface: prefaceBytes, partial: map[uint32]*arriving{},
	}
}

// await waits for the room that in has asked for, or reports that in has been
// closed.
func (r *room) await(in *inbound, has <-chan struct{}) error {
	for wait := roomPatience; ; {
		patience := time.NewTimer(wait)
		select {
		case <-has:
			patience.Stop()
			return nil
		case <-in.closed:
			patience.Stop()
			return errNoRoom
		case <-patience.C:
		}
		r.mu.Lock()
		wait = roomPatience - time.Since(r.moved)
		r.mu.Unlock()
		if wait <= 0 {
			wait = roomPatience
			r.evict()
		}
	}
}

// ask takes n bytes, or returns what closes when in has them.
func (r *room) ask(in *inbound, n int) (has <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.queue) == 0 && r.fitsLocked(n) {
		r.takeLocked(in, n)
		return nil
	}
	w := waiter{in, n, make(chan struct{})}
	r.queue = append(r.queue, w)
	return w.has
}

// fitsLocked reports whether there is room for n more bytes. r.mu is held, here
// and below.
func (r *room) fitsLocked(n int) bool { return r.used+n <= r.max || r.used == 0 }

func (r *room) takeLocked(in *inbound, n int) {
	if in.gone {
		return
	}
	r.used += n
	in.held += n
	r.all[in] = struct{}{}
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

// arrived takes in that a message of in's, which has n bytes of room, is there
// as a whole: it keeps them until it is decoded. The only message of a call,
// with which its stream ends, is decoded at once.
func (r *room) arrived(in *inbound, stream uint32, n int, ends bool) {
	if ends {
		r.give(in, n)
		return
	}
	if n == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	in.unread += n
	if in.last == nil {
		in.last = map[uint32]int{}
	}
	in.last[stream] = n
}

// decoded gives back what a message of n bytes had.
func (r *room) decoded(in *inbound, n int) {
	if n <= small || n > r.limit {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.decodedLocked(in, n)
}

// forget gives back what the last message of a stream had that is over. If it
// was decoded, that may be another one's, which then counts too little.
func (r *room) forget(in *inbound, stream uint32) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := in.last[stream]; n > 0 {
		delete(in.last, stream)
		r.decodedLocked(in, n)
	}
}

func (r *room) decodedLocked(in *inbound, n int) {
	n = min(n, in.unread)
	if in.unread -= n; in.unread == 0 {
		in.last = nil
	}
	r.giveLocked(in, min(n, in.held))
}

// opened counts a stream in.
func (r *room) opened(in *inbound) {
	r.mu.Lock()
	defer r.mu.Unlock()
	in.streams++
}

// closed counts one out. After the last, nobody decodes what is there.
func (r *room) closed(in *inbound) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if in.streams--; in.streams == 0 {
		r.decodedLocked(in, in.unread)
	}
}

// leave gives back all that in has. It gets none any more.
func (r *room) leave(in *inbound) {
	r.mu.Lock()
	defer r.mu.Unlock()
	in.gone, in.unread, in.last = true, 0, nil
	r.giveLocked(in, in.held)
}

// giveLocked lets those in who have waited longest.
func (r *room) giveLocked(in *inbound, n int) {
	r.used -= n
	if in.held -= n; in.held == 0 {
		delete(r.all, in)
	}
	if n > 0 {
		r.moved = time.Now()
	}
	for len(r.queue) > 0 && (r.queue[0].in.gone || r.fitsLocked(r.queue[0].n)) {
		r.takeLocked(r.queue[0].in, r.queue[0].n)
		close(r.queue[0].has)
		r.queue[0] = waiter{}
		r.queue = r.queue[1:]
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

// taken is how many bytes requests take that are not decoded.
func (r *room) taken() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.used
}
