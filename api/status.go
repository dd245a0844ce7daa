package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/source"
)

// Status is the JSON of the whole: the store, and a page of the proxies.
type Status struct {
	Version deltaplane.Version `json:"version"`
	Store   deltaplane.Health  `json:"store"`
	Summary Summary            `json:"summary"`
	Sources []source.Status    `json:"sources,omitempty"` // what is watched
	Proxies []Proxy            `json:"proxies"`           // by node id
	Next    string             `json:"next,omitempty"`
}

// Summary counts all proxies by state, not only those of the page.
type Summary struct {
	InSync       int `json:"in_sync"`
	Behind       int `json:"behind"`
	Refused      int `json:"refused"`
	Disconnected int `json:"disconnected"`
}

// status answers once, or with ?watch as a stream of server-sent events.
func (s *Server) status(w http.ResponseWriter, r *http.Request) error {
	q := &query{values: r.URL.Query()}
	after, limit, watch := q.text("after", ""), q.limit(), q.flag("watch")
	if q.err != nil {
		return q.err
	}
	if watch {
		return s.watchStatus(w, r, after, limit)
	}
	writeJSON(w, http.StatusOK, s.statusPage(after, limit))
	return nil
}

func (s *Server) statusPage(after string, limit int) Status {
	status := Status{Version: s.cfg.Store.Latest().Version(), Store: s.cfg.Store.Health(), Sources: s.cfg.Sources.Statuses(), Proxies: []Proxy{}}
	for _, p := range s.cfg.Proxies.Proxies() {
		status.Summary.count(p.State)
		switch {
		case p.Node <= after && after != "":
		case len(status.Proxies) < limit:
			status.Proxies = append(status.Proxies, p)
		case status.Next == "":
			status.Next = status.Proxies[limit-1].Node
		}
	}
	return status
}

func (s *Summary) count(state State) {
	switch state {
	case InSync:
		s.InSync++
	case Behind:
		s.Behind++
	case Refused:
		s.Refused++
	case Disconnected:
		s.Disconnected++
	}
}

// watchPace is the least time between two events of a watch: what happens
// meanwhile is merged, so a slow reader costs one status.
const watchPace = 200 * time.Millisecond

// watchStatus sends the status now and after each change, until the client
// goes, the deadline (30 s, or ?timeout more) comes, or the server closes.
func (s *Server) watchStatus(w http.ResponseWriter, r *http.Request, after string, limit int) error {
	finishBody(r)
	defer s.hurry(w) // over the end
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	commits := s.cfg.Store.Watch()
	for {
		changed, moved := s.cfg.Proxies.Changed(), s.cfg.Sources.Changed()
		data, err := json.Marshal(s.statusPage(after, limit))
		if err != nil {
			return err
		}
		if !s.sendEvent(w, data) {
			return nil
		}
		select {
		case <-changed:
		case <-moved:
		case <-commits.Changed():
			if _, err := commits.Next(r.Context()); err != nil {
				return err
			}
		case <-r.Context().Done():
			return nil
		case <-s.closing:
			return nil
		}
		if !s.pause(r) {
			return nil
		}
	}
}

// sendEvent reports whether the client is still there. One that takes nothing
// of an event for as long as a request may take is not, however long it asked
// to watch.
func (s *Server) sendEvent(w http.ResponseWriter, data []byte) bool {
	s.hurry(w)
	_, err := fmt.Fprintf(w, "event: status\ndata: %s\n\n", data)
	return err == nil && http.NewResponseController(w).Flush() == nil
}

// hurry bounds how long the client may take over what is written next.
func (s *Server) hurry(w http.ResponseWriter) {
	// Recorders in tests have no deadlines.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(s.cfg.Timeout + time.Second))
}

// pause lets changes gather; false when the watch is over.
func (s *Server) pause(r *http.Request) bool {
	pace := time.NewTimer(watchPace)
	defer pace.Stop()
	select {
	case <-pace.C:
		return true
	case <-r.Context().Done():
	case <-s.closing:
	}
	return false
}

func (s *Server) nodeStatus(w http.ResponseWriter, r *http.Request) error {
	p, ok := s.cfg.Proxies.Proxy(r.PathValue("node"))
	if !ok {
		return fmt.Errorf("node %q: %w", r.PathValue("node"), deltaplane.ErrNotFound)
	}
	writeJSON(w, http.StatusOK, p)
	return nil
}

// resync has what a node refused sent again, although it has not changed.
func (s *Server) resync(w http.ResponseWriter, r *http.Request) error {
	node := r.PathValue("node")
	if !s.cfg.Resync(node) {
		return fmt.Errorf("node %q is not connected: %w", node, deltaplane.ErrNotFound)
	}
	return s.nodeStatus(w, r)
}
