package load

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// Metrics of Go's collector and of the store, in Prometheus' text format.
const (
	metricAllocated  = "go_memstats_alloc_bytes_total"
	metricObjects    = "go_memstats_mallocs_total"
	metricGoroutines = "go_goroutines"
	metricEtcd       = "deltaplane_commit_etcd_seconds_sum"
)

// usage reads the control plane's metrics. Its own cost is in the next ones.
func (d *deltaplane) usage(ctx context.Context, collected bool) (u usage, err error) {
	if collected {
		return d.atRest(ctx)
	}
	return u, d.metrics(ctx, map[string]*float64{
		metricAllocated: &u.allocated, metricObjects: &u.objects, metricGoroutines: &u.goroutines, metricEtcd: &u.etcd,
	})
}

// atRest is the usage right after a collection: pprof reads the memory's
// figures before it makes its page, which takes megabytes.
func (d *deltaplane) atRest(ctx context.Context) (u usage, err error) {
	if err = d.metrics(ctx, map[string]*float64{metricGoroutines: &u.goroutines}); err != nil {
		return u, err
	}
	page, err := d.get(ctx, "/debug/pprof/heap?gc=1&debug=1")
	if err != nil {
		return u, err
	}
	for line := range strings.Lines(page) {
		if _, err := fmt.Sscanf(line, "# HeapAlloc = %f", &u.heap); err == nil {
			continue
		}
		_, _ = fmt.Sscanf(line, "# Stack = %f", &u.stacks) // most lines are no such
	}
	if u.heap == 0 || u.stacks == 0 {
		return u, errors.New("the control plane's page /debug/pprof/heap does not tell of its memory")
	}
	return u, nil
}

// metrics puts the values of metrics without labels where wanted says.
func (d *deltaplane) metrics(ctx context.Context, wanted map[string]*float64) error {
	text, err := d.get(ctx, "/metrics")
	if err != nil {
		return err
	}
	return readMetrics(text, wanted)
}

func (d *deltaplane) get(ctx context.Context, path string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.url+path, nil)
	if err != nil {
		return "", err
	}
	req.Header.Set("Accept-Encoding", "identity") // compression would cost more than the page
	_, body, err := answer(&d.http, req)
	return string(body), err
}

// readMetrics fails unless all are there that are wanted.
func readMetrics(text string, wanted map[string]*float64) error {
	found := 0
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		into, ok := wanted[name]
		if !ok {
			continue
		}
		number, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return fmt.Errorf("metric %s: %w", name, err)
		}
		*into = number
		found++
	}
	if found < len(wanted) {
		for name := range wanted {
			if !strings.Contains(text, "\n"+name+" ") {
				return fmt.Errorf("the control plane has no metric %s", name)
			}
		}
	}
	return nil
}
