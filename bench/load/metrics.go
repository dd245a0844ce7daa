package load

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// Metrics of Go's collector and of the store, in Prometheus' text format.
const (
	metricAllocated  = "go_memstats_alloc_bytes_total"
	metricObjects    = "go_memstats_mallocs_total"
	metricHeap       = "go_memstats_heap_alloc_bytes"
	metricStacks     = "go_memstats_stack_inuse_bytes"
	metricGoroutines = "go_goroutines"
	metricEtcd       = "deltaplane_commit_etcd_seconds_sum"
)

// usage reads the control plane's metrics. Its own cost is in the next ones.
func (d *deltaplane) usage(ctx context.Context, collected bool) (u usage, err error) {
	if collected {
		// The page comes after a collection.
		if _, err := d.get(ctx, "/debug/pprof/heap?gc=1"); err != nil {
			return u, err
		}
	}
	return u, d.metrics(ctx, map[string]*float64{
		metricAllocated: &u.allocated, metricObjects: &u.objects, metricHeap: &u.heap, metricStacks: &u.stacks,
		metricGoroutines: &u.goroutines, metricEtcd: &u.etcd,
	})
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
