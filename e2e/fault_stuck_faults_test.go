//go:build faults

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/deltaplane/deltaplane/internal/envoytest"
	"github.com/deltaplane/deltaplane/internal/fault"
)

// TestReadinessTurnsWhileAPublisherIsStuck has whoever tells the streams of
// versions stop for 20 s, while etcd, the API and the streams go on.
func TestReadinessTurnsWhileAPublisherIsStuck(t *testing.T) {
	s := newScene(t, seeded(t))
	s.plane.Kill()
	s.plane.Env = []string{fault.Variable + "=xds.views-derived:pause=20s"}
	s.plane.Start()
	s.settle()
	s.readiness(http.StatusOK, "")
	before := s.target()
	s.commit(s.change())
	s.readiness(http.StatusServiceUnavailable, fmt.Sprintf("version %d is out for 10s or more, and the streams were told of %d", s.version, s.version-1))
	s.plane.WaitLog("what is served grows old")
	if n, err := s.plane.Metric(envoytest.Context(t), "deltaplane_streams_stuck"); err != nil || n != 1 {
		t.Errorf("deltaplane_streams_stuck is %v, %v", n, err)
	}
	if status, _, err := s.plane.Page(envoytest.Context(t), "/healthz"); err != nil || status != http.StatusOK {
		t.Errorf("/healthz answers %d, %v", status, err)
	}
	answer(t, s.envoy, "web", root, before) // which Envoy goes on with
	s.readiness(http.StatusOK, "")
	s.plane.WaitLog("versions reach the streams again")
	s.end()
}

// readiness waits until /readyz answers with a status, and says why.
func (s *scene) readiness(status int, stuck string) {
	s.t.Helper()
	envoytest.Eventually(s.t, fmt.Sprintf("/readyz to answer %d", status), func(ctx context.Context) error {
		got, body, err := s.plane.Page(ctx, "/readyz")
		if err != nil {
			return err
		}
		var answer struct {
			Ready bool
			Stuck string
		}
		if err := json.Unmarshal(body, &answer); err != nil {
			return err
		}
		if got != status || answer.Ready != (status == http.StatusOK) || !strings.HasPrefix(answer.Stuck, stuck) || (stuck == "") != (answer.Stuck == "") {
			return fmt.Errorf("it answers %d: %s", got, body)
		}
		return nil
	})
}
