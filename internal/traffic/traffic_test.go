package traffic_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/deltaplane/deltaplane/internal/traffic"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func backend(t *testing.T) (*traffic.Backend, *traffic.Client) {
	t.Helper()
	b, err := traffic.NewBackend("back")
	if err != nil {
		t.Fatal(err)
	}
	c := traffic.NewClient(fmt.Sprintf("127.0.0.1:%d", b.Port()), 4, nil)
	t.Cleanup(func() {
		c.Close()
		if err := b.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return b, c
}

func TestEveryRequestThatIsMadeIsInTheReport(t *testing.T) {
	b, c := backend(t)
	enough := make(chan struct{})
	g := traffic.Start(t.Context(), traffic.Config{Client: c, Rate: 5000, Workers: 1, Next: func(n uint64) traffic.Request {
		if n == 100 {
			close(enough)
		}
		return traffic.Request{Host: "example.test", Path: "/"}
	}})
	<-enough
	r := g.Stop()
	if r.Failures != 0 || r.Requests != b.Hits() || r.Answers["back"] != r.Requests || r.Requests < 100 {
		t.Errorf("report is %+v; the backend saw %d requests", r, b.Hits())
	}
}

func TestAProbeGivesUpWithTheLastAnswer(t *testing.T) {
	_, c := backend(t)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err := c.Until(ctx, traffic.Request{Host: "example.test", Path: "/"}, "other")
	if err == nil || !strings.Contains(err.Error(), `200 "back"`) {
		t.Errorf("error is %v, want one with the last answer", err)
	}
}
