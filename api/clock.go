package api

import (
	"net/http"
	"time"
)

// Clock is the JSON of /v1/clock: by the server's wall clock, when it received
// the request and when it sent this answer. With the times at which a client
// sent the one and received the other, it knows how far apart both clocks are,
// as in RFC 5905, section 8.
type Clock struct {
	Received time.Time `json:"received"`
	Sent     time.Time `json:"sent"`
}

func (s *Server) clock(w http.ResponseWriter, _ *http.Request) error {
	received := time.Now()
	writeJSON(w, http.StatusOK, Clock{Received: received, Sent: time.Now()})
	return nil
}
