package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/resource"
)

// Failure is the JSON of every answer with a status of 400 or more.
type Failure struct {
	Error    string            `json:"error"`
	Code     string            `json:"code"` // for programs: "conflict", "invalid", "not_found", …
	Problems resource.Problems `json:"problems,omitempty"`
	Plan     *Plan             `json:"plan,omitempty"` // what is stored although the wait failed
	Acks     *Acks             `json:"acks,omitempty"` // who has not acknowledged it
}

// refusal is an error with a status of its own.
type refusal struct {
	status  int
	code    string
	message string
}

func (r refusal) Error() string { return r.message }

// badRequest is an error in the request's form rather than in its content.
func badRequest(message string) error { return refusal{http.StatusBadRequest, "bad_request", message} }

// unacknowledged is the failure of a wait: the commit is stored.
type unacknowledged struct {
	plan *Plan
	acks Acks
}

func (u unacknowledged) Error() string {
	return fmt.Sprintf("stored as version %d, but not every proxy has acknowledged it: %s", u.acks.Version, u.acks.Reason)
}

var statuses = []struct {
	err    error
	status int
	code   string
}{
	{deltaplane.ErrConflict, http.StatusConflict, "conflict"},
	{deltaplane.ErrOwned, http.StatusConflict, "owned"},
	{deltaplane.ErrShrink, http.StatusConflict, "shrink"},
	{deltaplane.ErrNotFound, http.StatusNotFound, "not_found"},
	{deltaplane.ErrVersionGone, http.StatusGone, "version_gone"},
	{deltaplane.ErrDangling, http.StatusUnprocessableEntity, "dangling"},
	{deltaplane.ErrUnavailable, http.StatusServiceUnavailable, "unavailable"},
	{deltaplane.ErrClosed, http.StatusServiceUnavailable, "unavailable"},
	{context.DeadlineExceeded, http.StatusGatewayTimeout, "timeout"},
	{context.Canceled, http.StatusServiceUnavailable, "canceled"},
}

// An answer repeats no more of what a caller wrote than so many bytes, in a
// text of a problem and in the text of all.
const (
	maxProblemText = 1 << 10
	maxErrorText   = 64 << 10
)

// clipped is a text of at most about so many bytes.
func clipped(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	return fmt.Sprintf("%s… (%d bytes)", strings.ToValidUTF8(text[:limit], ""), len(text))
}

// brief is problems with their texts clipped, and whether any was.
func brief(problems resource.Problems) (all resource.Problems, cut bool) {
	all = slices.Clone(problems)
	for i := range all {
		for _, text := range []*string{&all[i].File, &all[i].Type, &all[i].Name, &all[i].Path, &all[i].Message} {
			cut = cut || len(*text) > maxProblemText
			*text = clipped(*text, maxProblemText)
		}
	}
	return all, cut
}

// failureOf decides how an error is told to the caller.
func failureOf(err error) (int, Failure) {
	f := Failure{Error: err.Error()}
	if problems, ok := errors.AsType[resource.Problems](err); ok {
		var cut bool
		if f.Problems, cut = brief(problems); cut {
			f.Error = f.Problems.Error()
		}
	}
	f.Error = clipped(f.Error, maxErrorText)
	if own, ok := errors.AsType[refusal](err); ok {
		f.Code = own.code
		return own.status, f
	}
	if u, ok := errors.AsType[unacknowledged](err); ok {
		f.Code, f.Plan, f.Acks = "unacknowledged", u.plan, &u.acks
		return http.StatusGatewayTimeout, f
	}
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		f.Code, f.Error = "too_large", bodyTooLarge(tooLarge.Limit)
		return http.StatusRequestEntityTooLarge, f
	}
	for _, known := range statuses {
		if errors.Is(err, known.err) {
			f.Code = known.code
			return known.status, f
		}
	}
	if f.Problems != nil {
		f.Code = "invalid"
		return http.StatusUnprocessableEntity, f
	}
	f.Code = "internal"
	return http.StatusInternalServerError, f
}

func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	status, failure := failureOf(err)
	if a, ok := w.(*answer); ok && a.started {
		return // the answer is half out: there is no telling any more
	}
	if status == http.StatusInternalServerError {
		s.cfg.Logger.ErrorContext(r.Context(), "request failed", "method", r.Method, "path", r.URL.Path, "error", err)
	}
	writeJSON(w, status, failure)
}

// writeJSON sends v. An error means that the client is gone: nobody is left to
// tell.
func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}
