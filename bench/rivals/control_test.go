package main

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"google.golang.org/protobuf/types/known/durationpb"
)

func TestWhatASideCannotServeIsRefusedWithItsName(t *testing.T) {
	s := startProcess(t, "linear")
	for _, c := range []struct {
		path string
		want string
	}{
		{"/change?remove=nothing", `"nothing" is no TYPE_URL/NAME`},
		{"/change?remove=type.googleapis.com/x.Y/a/b", "type.googleapis.com/x.Y are not served"},
	} {
		status := http.StatusBadRequest
		if strings.Contains(c.want, "served") {
			status = http.StatusUnprocessableEntity
		}
		if got := string(s.ask(status, "POST", c.path)); !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", c.path, got, c.want)
		}
	}
	if got := string(s.ask(http.StatusBadRequest, "PUT", "/resources", &durationpb.Duration{Nanos: 1})); !strings.Contains(got, "resource 0, a type.googleapis.com/google.protobuf.Duration: it has no name") {
		t.Errorf("a nameless resource: %q", got)
	}
}

func TestAnUnknownKindIsRefusedWithThoseThereAre(t *testing.T) {
	err := run([]string{"--kind", "envoy"}, strings.NewReader(""), io.Discard)
	if err == nil || !strings.Contains(err.Error(), "delta, delta-per-node, floor, floor-tuned, linear, snapshot, tcp") {
		t.Errorf("run said %v", err)
	}
}
