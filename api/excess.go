package api

import (
	"errors"
	"io"
	"net/http"
	"time"
)

// What a request sends beyond its bound is read for so long and so far, and
// thrown away: most clients read no answer before they have sent all, and would
// be told of a broken connection instead of what is wrong.
const (
	excessTime   = 10 * time.Second
	excessBodies = 8 // times the largest body
)

// discardExcess throws away the rest of a body that err says is too large. A
// client that asked first whether to send any is not told to.
// Cost: no memory; the connection for excessTime at most.
func (s *Server) discardExcess(w http.ResponseWriter, r *http.Request, body io.Reader, err error) {
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); !tooLarge || r.Header.Get("Expect") != "" {
		return
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(excessTime)) // recorders in tests have none
	_, _ = io.CopyN(io.Discard, body, excessBodies*s.cfg.MaxBody)
}
