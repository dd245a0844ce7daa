package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/resource"
)

func TestEachErrorHasItsStatusAndCode(t *testing.T) {
	for _, test := range []struct {
		err    error
		status int
		code   string
	}{
		{deltaplane.ErrConflict, 409, "conflict"},
		{deltaplane.ErrOwned, 409, "owned"},
		{deltaplane.ErrShrink, 409, "shrink"},
		{deltaplane.ErrNotFound, 404, "not_found"},
		{deltaplane.ErrVersionGone, 410, "version_gone"},
		{deltaplane.ErrDangling, 422, "dangling"},
		{errors.Join(deltaplane.ErrDangling, resource.Problems{{Message: "x"}}), 422, "dangling"},
		{resource.Problems{{Message: "x"}}, 422, "invalid"},
		{deltaplane.ErrUnavailable, 503, "unavailable"},
		{deltaplane.ErrClosed, 503, "unavailable"},
		{context.DeadlineExceeded, 504, "timeout"},
		{unacknowledged{&Plan{}, Acks{}}, 504, "unacknowledged"},
		{&http.MaxBytesError{Limit: 1}, 413, "too_large"},
		{badRequest("x"), 400, "bad_request"},
		{errors.New("x"), 500, "internal"},
	} {
		status, failure := failureOf(fmt.Errorf("wrapped: %w", test.err))
		if status != test.status || failure.Code != test.code || failure.Error == "" {
			t.Errorf("%v: %d %+v, want %d %s", test.err, status, failure, test.status, test.code)
		}
	}
}
