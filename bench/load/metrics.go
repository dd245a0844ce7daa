package load

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// Metrics of Go's collector, in Prometheus' text format.
const (
	metricAllocated  = "go_memstats_alloc_bytes_total"
	metricObjects    = "go_memstats_mallocs_total"
	metricHeap       = "go_memstats_heap_alloc_bytes"
	metricGoroutines = "go_goroutines"
)

// usage reads the control plane's metrics. Its own cost is in the next ones.
func (d *deltaplane) usage(ctx context.Context, collected bool) (usage, error) {
	if collected {
		// The page is small, and comes after a collection.
		if _, err := d.get(ctx, "/debug/pprof/heap?gc=1"); err != nil {
			return usage{}, err
		}
	}
	text, err := d.get(ctx, "/metrics")
	if err != nil {
		return usage{}, err
	}
	return readUsage(text)
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

// readUsage finds the collector's metrics, which must all be there.
func readUsage(text string) (u usage, err error) {
	missing := map[string]*float64{metricAllocated: &u.allocated, metricObjects: &u.objects, metricHeap: &u.heap, metricGoroutines: &u.goroutines}
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		into, ok := missing[name]
		if !ok {
			continue
		}
		if *into, err = strconv.ParseFloat(value, 64); err != nil {
			return u, fmt.Errorf("metric %s: %w", name, err)
		}
		delete(missing, name)
	}
	for name := range missing {
		return u, fmt.Errorf("the control plane has no metric %s", name)
	}
	return u, nil
}
