package envoytest

import (
	"crypto/tls"
	"testing"

	"github.com/deltaplane/deltaplane/internal/traffic"
)

// Client makes requests to one address; with config, over TLS.
func Client(t testing.TB, address string, config *tls.Config) *traffic.Client {
	t.Helper()
	c := traffic.NewClient(address, 4, config)
	t.Cleanup(c.Close)
	return c
}

// Traffic sends requests to address at a steady rate while the test runs. The
// test fails if any of them does. Call Stop for the report; requests that are
// under way when the test ends are cut off and not counted.
func Traffic(t testing.TB, address string, rate int, next func(n uint64) traffic.Request) *traffic.Generator {
	t.Helper()
	c := traffic.NewClient(address, 8, nil)
	g := traffic.Start(t.Context(), traffic.Config{Client: c, Rate: rate, Next: next})
	t.Cleanup(func() {
		report := g.Stop()
		c.Close()
		if report.Requests == 0 {
			t.Error("no request was made")
		}
		if report.Failures > 0 {
			t.Errorf("%d of %d requests failed: %v", report.Failures, report.Requests, report.Reasons)
		}
	})
	return g
}
