package deltaplane

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"google.golang.org/grpc/connectivity"

	"github.com/deltaplane/deltaplane/internal/embedetcd"
)

// Health is what readiness and metrics tell of the store.
type Health struct {
	Connected bool      `json:"connected"`        // etcd answers
	Since     time.Time `json:"since"`            // when Connected last changed
	FromDisk  bool      `json:"from_disk"`        // serving the disk snapshot, etcd not seen yet
	Detail    string    `json:"detail,omitempty"` // the last error
	Version   Version   `json:"version"`
}

// Health reports the store's state without asking etcd.
func (s *Store) Health() Health {
	h := s.health.now()
	h.Version = s.Latest().version
	return h
}

// connected notes what became of a request to etcd: an answer that says no,
// or makes no sense, is an answer.
func (s *Store) connected(err error) {
	answered := err == nil || refused(err) || errors.Is(err, errMissing) || errors.Is(err, errWentBack) ||
		errors.Is(err, embedetcd.ErrFull)
	s.health.note(answered, err, func(was Health) {
		switch {
		case s.ending():
		case !answered:
			s.log.Warn("etcd is away: what is known is served, and nothing can be stored", "error", err)
		case !was.Since.IsZero():
			s.log.Info("etcd is back", "away", time.Since(was.Since).Round(time.Millisecond))
		}
	})
}

// ending reports whether Close has begun: then etcd is not away, but left.
func (s *Store) ending() bool {
	select {
	case <-s.closing:
		return true
	default:
		return false
	}
}

// awayRest paces the questions to an etcd that did not answer others but keeps
// its connections, as one that is paused: there is no event to wait for.
const awayRest = time.Second

// observe is the goroutine that notes when the connection to etcd breaks and
// when it is back, while nobody asks anything of it.
func (s *Store) observe(ctx context.Context) {
	if s.etcd.embedded != nil {
		select {
		case <-s.etcd.embedded.Stopped():
			s.connected(errors.New("the embedded etcd has stopped; see the log"))
		case <-s.etcd.embedded.Failed():
			s.connected(s.etcd.broken())
		case <-ctx.Done():
		}
		return
	}
	conn := s.etcd.client.ActiveConnection()
	for ask := true; ctx.Err() == nil; {
		state := conn.GetState()
		switch {
		case state != connectivity.Ready:
			// Again and again: a late answer may have told otherwise since, and a
			// connection that has failed stays in that state while it tries.
			s.connected(fmt.Errorf("the connection to etcd at %v is %s", s.cfg.Endpoints, state))
		case ask:
			_, err := s.look(ctx)
			s.connected(err)
		}
		wait, cancel := context.WithTimeout(ctx, awayRest)
		ask = conn.WaitForStateChange(wait, state) || !s.health.now().Connected
		cancel()
	}
}

// health is what is known of etcd.
type health struct {
	mu    sync.Mutex // guards state; innermost lock
	state Health
}

func (h *health) now() Health {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.state
}

// fromDisk notes that what is served is from disk, until etcd answers.
func (h *health) fromDisk() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.state.FromDisk = true
}

// note keeps what became of a request. When Connected changes it calls tell
// with the state before, under the lock: the log has the changes in their
// order, and whoever sees a change in now finds its line there.
func (h *health) note(answered bool, err error, tell func(was Health)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	was := h.state
	h.state.Detail = ""
	if err != nil {
		h.state.Detail = err.Error()
	}
	if !was.Since.IsZero() && answered == was.Connected {
		return
	}
	h.state.Connected, h.state.Since = answered, time.Now()
	tell(was)
}

// fromEtcd notes that what is served is what etcd has.
func (h *health) fromEtcd() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.state.FromDisk = false
}
