package api

import (
	"net/http"

	"github.com/deltaplane/deltaplane/source"
)

// Sources tells how the watched sources stand: a *source.Board. Its methods
// are called from any goroutine and do not block.
type Sources interface {
	Statuses() []source.Status
	// Changed closes when any status changes.
	Changed() <-chan struct{}
}

// SourceList is the JSON of all sources.
type SourceList struct {
	Sources []source.Status `json:"sources"` // in the order of the server's options
}

func (s *Server) listSources(w http.ResponseWriter, _ *http.Request) error {
	writeJSON(w, http.StatusOK, SourceList{append([]source.Status{}, s.cfg.Sources.Statuses()...)})
	return nil
}
