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

	controlapi "github.com/deltaplane/deltaplane/api"
	"github.com/deltaplane/deltaplane/bench/clock"
	"github.com/deltaplane/deltaplane/bench/hops"
)

// ackPatience is how long the Envoys may take to acknowledge a change.
const ackPatience = 60 * time.Second

// api is a control plane's HTTP API.
type api struct {
	url  string
	http http.Client

	// Of one that others use, too.
	namespace string         // that changes are made in; "": its default
	owner     string         // begins that of each change
	clock     *clock.Reading // nil: it has this machine's
}

// done is when a change was stored, and when every Envoy had acknowledged it.
// Both are upper bounds by this process's clock: the answer came then, less
// what the control plane says went on in between. acked is zero if another
// proxy of that control plane keeps it from being told.
type done struct {
	stored, acked time.Time
	version       uint64    // that it made
	committed     time.Time // by the clock of a control plane elsewhere, corrected
}

// commit makes a change, as a part of t, and waits for its acknowledgements.
func (a *api) commit(ctx context.Context, c call, t hops.Trace) (done, error) {
	c.query.Set("wait", ackPatience.String())
	c.query.Set("author", "bench")
	if a.namespace != "" {
		c.query.Set("namespace", a.namespace)
		c.query.Set("owner", a.owner+c.query.Get("owner"))
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, a.url+c.path+"?"+c.query.Encode(), bytes.NewReader(c.body))
	if err != nil {
		return done{}, err
	}
	req.Header.Set("Content-Type", "application/yaml")
	if parent := t.Parent(); parent != "" {
		req.Header.Set("traceparent", parent)
	}
	header, body, err := a.do(req)
	now := time.Now()
	refused, unacked := errors.AsType[*refusal](err)
	if unacked = unacked && a.namespace != "" && refused.status == http.StatusGatewayTimeout && refused.failure.Plan != nil; unacked {
		body, err = json.Marshal(refused.failure.Plan)
	}
	if err != nil {
		return done{}, err
	}
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
	made := done{stored: now.Add(-ack), acked: now, version: plan.Version}
	if unacked {
		made.acked = time.Time{}
	}
	if err == nil && a.clock != nil {
		made.committed, err = a.committedAt(header)
	}
	return made, err
}

// committedAt is when a change was stored, as its answer says it by the clock
// of the control plane.
func (a *api) committedAt(h http.Header) (time.Time, error) {
	text := h.Get(controlapi.CommittedAt)
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return at, fmt.Errorf("the control plane does not tell when it stored a change: %s is %q; is it older than this program?", controlapi.CommittedAt, text)
	}
	return a.clock.Here(at), nil
}

// refusal is an answer that is not 200.
type refusal struct {
	path    string
	status  int
	body    []byte
	failure controlapi.Failure // the zero one, if the body is none
}

func (r *refusal) Error() string {
	return fmt.Sprintf("%s: %d %s: %.1000s", r.path, r.status, http.StatusText(r.status), bytes.TrimSpace(r.body))
}

// get reads a page.
func (a *api) get(ctx context.Context, path string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.url+path, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept-Encoding", "identity") // compression would cost the control plane more than the page
	_, body, err := a.do(req)
	return body, err
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
		refused := &refusal{path: req.URL.Path, status: resp.StatusCode, body: body}
		_ = json.Unmarshal(body, &refused.failure) // what is no JSON is told as it is
		return resp.Header, nil, refused
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

// counters are the control plane's metrics that a change adds to, and its
// memory.
type counters struct {
	bytes   float64 // of responses
	etcd    float64 // seconds in transactions of etcd
	commits float64 // that these were
	cpu     float64 // seconds of the process; 0: not told
	rss     float64 // bytes; 0: not told
}

// counters reads /metrics.
func (a *api) counters(ctx context.Context) (counters, error) {
	body, err := a.get(ctx, "/metrics")
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
		case name == "deltaplane_commit_etcd_seconds_count":
			sum = &c.commits
		case name == "process_cpu_seconds_total":
			sum = &c.cpu
		case name == "process_resident_memory_bytes":
			sum = &c.rss
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
