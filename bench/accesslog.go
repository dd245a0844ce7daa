package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/deltaplane/deltaplane/bench/histogram"
)

// AccessLog is what Envoys' access logs say of a load; times are in
// microseconds.
type AccessLog struct {
	Lines      int `json:"lines"`      // of its requests
	Unlabelled int `json:"unlabelled"` // of these without all labels
	// Untimely are lines with a start, by Envoy's wall clock, before their
	// request was sent or after it was answered.
	Untimely int `json:"untimely"`
	// Counted are the requests that Envoys' metrics have under the load's label.
	Counted int `json:"counted_by_metric"`
	// Arrival is from sending a request until Envoy begins with it, Upstream
	// from the first byte to the backend until the last one back, and Own the
	// rest of the time in Envoy.
	Arrival  histogram.Distribution `json:"until_envoy_us"`
	Own      histogram.Distribution `json:"envoy_us"`
	Upstream histogram.Distribution `json:"envoy_upstream_us"`
}

func newLogged() *logged {
	return &logged{arrival: histogram.New(), upstream: histogram.New(), own: histogram.New()}
}

func (l *logged) report() AccessLog {
	return AccessLog{Lines: l.lines, Unlabelled: l.foreign, Untimely: l.untimely, Counted: l.counted, Arrival: l.arrival.Microseconds(), Own: l.own.Microseconds(), Upstream: l.upstream.Microseconds()}
}

// hops adds to a report what is known once control planes and Envoys have
// ended: it ends them.
func (r *run) hops(ctx context.Context, report *Report) (err error) {
	for i, s := range r.sides {
		log := newLogged()
		for _, p := range s.proxies {
			counted, failed := p.counted(ctx, s.load.requests.Labels.ID)
			log.counted += counted
			err = errors.Join(err, failed, p.process.Stop(), s.load.readLog(p.dir, log))
			p.process = nil
		}
		into := report.Sides[i].Load
		into.Log = log.report()
		if s.plane != nil { // elsewhere its traces are not ours
			err = errors.Join(err, s.plane.Stop())
			s.plane = nil
			into.Hops = s.spans.Since(s.load.began)
		}
	}
	return err
}

// counted is how many requests an Envoy's metric has under the label of a run.
func (p *proxy) counted(ctx context.Context, run string) (int, error) {
	text, err := p.process.Get(ctx, "/stats/prometheus?filter="+requestsMetric)
	if err != nil {
		return 0, err
	}
	for metric := range strings.Lines(string(text)) {
		if strings.Contains(metric, fmt.Sprintf("benchmark_id=%q", run)) {
			return strconv.Atoi(strings.TrimSpace(metric[strings.LastIndex(metric, " ")+1:]))
		}
	}
	return 0, nil
}

// logged is what Envoys' access logs say of a load.
type logged struct {
	lines    int
	counted  int                 // requests, by the metric
	foreign  int                 // lines without the load's labels
	untimely int                 // that began before their request was sent, or after it was answered
	arrival  histogram.Histogram // from sending a request until Envoy began with it
	upstream histogram.Histogram // in the backend, and on the way there and back
	own      histogram.Histogram // in Envoy, less that
}

// line is one of an access log, as labels.ofManager has it.
type line struct {
	ID       string   `json:"request_id"`
	Run      string   `json:"benchmark_id"`
	SLA      string   `json:"sla_target"`
	Trace    string   `json:"traceparent"`
	Start    string   `json:"start"` // by the wall clock, in seconds
	Total    *float64 `json:"total_us"`
	Upstream *float64 `json:"upstream_us"`
}

// clockGrain is how far times may be apart that two processes round to
// microseconds.
const clockGrain = 2 * time.Microsecond

// readLog takes in what an Envoy wrote into its log in dir. Call it when that
// Envoy has ended: it writes its last lines then.
func (l *load) readLog(dir string, into *logged) error {
	file, err := os.Open(filepath.Join(dir, "envoy.log"))
	if err != nil {
		return err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		var one line
		if !strings.HasPrefix(lines.Text(), "{") || json.Unmarshal(lines.Bytes(), &one) != nil {
			continue // Envoy's own
		}
		if err := l.readLine(one, into); err != nil {
			return err
		}
	}
	return lines.Err()
}

// numberOf is the number of the request that has an id.
func (l *load) numberOf(id string) (n int, ours bool) {
	text, ours := strings.CutPrefix(id, l.requests.Labels.ID+"-")
	n, err := strconv.Atoi(text)
	return n, ours && err == nil && n >= 0 && n < len(l.sent)
}

func (l *load) readLine(one line, into *logged) error {
	number, ours := l.numberOf(one.ID)
	if !ours {
		return nil // of a probe, at the start
	}
	into.lines++
	if one.Run != l.requests.Labels.ID || one.SLA != l.requests.Labels.SLA || one.Trace == "" {
		into.foreign++
	}
	seconds, micros, _ := strings.Cut(one.Start, ".")
	start, err := strconv.ParseInt(seconds+micros, 10, 64)
	if err != nil || len(micros) != 6 {
		return fmt.Errorf("envoy's access log: start %q is no time in microseconds", one.Start)
	}
	if at := l.sent[number]; at.received > 0 {
		grain := clockGrain.Microseconds()
		if start+grain < at.sent || start > at.received+grain {
			into.untimely++
		}
		into.arrival.Record(time.Duration(start-at.sent) * time.Microsecond)
	}
	if one.Total != nil && one.Upstream != nil {
		into.upstream.Record(time.Duration(*one.Upstream * float64(time.Microsecond)))
		into.own.Record(time.Duration((*one.Total - *one.Upstream) * float64(time.Microsecond)))
	}
	return nil
}
