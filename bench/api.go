package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// ackPatience is how long the Envoys may take to acknowledge a change.
const ackPatience = 60 * time.Second

// api is a control plane's HTTP API.
type api struct {
	url  string
	http http.Client
}

// done is when a change was stored, and when every Envoy had acknowledged it.
// Both are upper bounds by this process's clock: the answer came then, less
// what the control plane says went on in between.
type done struct {
	stored, acked time.Time
	version       uint64 // that it made
}

// commit makes a change, as a part of t, and waits for its acknowledgements.
func (a *api) commit(ctx context.Context, c call, t trace) (done, error) {
	c.query.Set("wait", ackPatience.String())
	c.query.Set("author", "bench")
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, a.url+c.path+"?"+c.query.Encode(), bytes.NewReader(c.body))
	if err != nil {
		return done{}, err
	}
	req.Header.Set("Content-Type", "application/yaml")
	if parent := t.parent(); parent != "" {
		req.Header.Set("traceparent", parent)
	}
	header, body, err := a.do(req)
	if err != nil {
		return done{}, err
	}
	now := time.Now()
	if len(body) == 0 {
		return done{}, fmt.Errorf("%s: empty answer", c.path)
	}
	var plan struct {
		Version uint64 `json:"version"`
	}
	if err := json.Unmarshal(body, &plan); err != nil {
		return done{}, fmt.Errorf("%s: answer: %w", c.path, err)
	}
	ack, err := spanOf(header.Get("Server-Timing"), "ack")
	return done{stored: now.Add(-ack), acked: now, version: plan.Version}, err
}

// do sends a request and reads all of its answer.
func (a *api) do(req *http.Request) (http.Header, []byte, error) {
	resp, err := a.http.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", req.URL.Path, err)
	}
	if resp.StatusCode != http.StatusOK {
		return nil, nil, fmt.Errorf("%s: %s: %.1000s", req.URL.Path, resp.Status, bytes.TrimSpace(body))
	}
	return resp.Header, body, nil
}

// spanOf is one part of a Server-Timing header.
func spanOf(header, part string) (time.Duration, error) {
	for one := range strings.SplitSeq(header, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(one), ";dur=")
		if name != part {
			continue
		}
		milliseconds, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return 0, fmt.Errorf("header Server-Timing %q: %w", header, err)
		}
		return time.Duration(milliseconds * float64(time.Millisecond)), nil
	}
	return 0, fmt.Errorf("the control plane does not tell its %s time: Server-Timing is %q", part, header)
}

// counters are sums of the control plane's metrics that a change adds to.
type counters struct {
	bytes float64 // of responses
	etcd  float64 // seconds in transactions of etcd
}

// counters reads /metrics.
func (a *api) counters(ctx context.Context) (counters, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.url+"/metrics", nil)
	if err != nil {
		return counters{}, err
	}
	req.Header.Set("Accept-Encoding", "identity") // compression would cost the control plane more than the metrics
	_, body, err := a.do(req)
	if err != nil {
		return counters{}, err
	}
	return readCounters(string(body))
}

// readCounters takes the sums out of Prometheus' text format.
func readCounters(text string) (c counters, err error) {
	found := false
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		sum := &c.bytes
		switch {
		case strings.HasPrefix(name, "deltaplane_response_bytes_total"):
		case name == "deltaplane_commit_etcd_seconds_sum":
			sum, found = &c.etcd, true
		default:
			continue
		}
		number, bad := strconv.ParseFloat(value, 64)
		if bad != nil {
			err = errors.Join(err, fmt.Errorf("metric %s: %w", name, bad))
		}
		*sum += number
	}
	if !found {
		err = errors.Join(err, errors.New("the control plane has no metric deltaplane_commit_etcd_seconds"))
	}
	return c, err
}

// close ends the idle connections.
func (a *api) close() { a.http.CloseIdleConnections() }
