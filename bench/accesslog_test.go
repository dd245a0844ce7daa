package bench

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/deltaplane/deltaplane/bench/probe"
	"github.com/deltaplane/deltaplane/bench/traffic"
)

func TestAnAccessLogIsReadForTheRequestsOfItsLoad(t *testing.T) {
	text := `[2026-01-01 00:00:00.000][1][warning] {not a line of it}
{"request_id":"run-probe-1","start":"5.000000"}
{"request_id":"other-0","benchmark_id":"other","start":"5.000000"}
{"request_id":"run-0","benchmark_id":"run","sla_target":"50ms","traceparent":"00-1","start":"1.000100","total_us":900,"upstream_us":700}
{"request_id":"run-1","benchmark_id":"run","sla_target":"50ms","start":"1.000300","total_us":500}
{"request_id":"run-2","benchmark_id":"run","sla_target":"50ms","traceparent":"00-1","start":"3.000000","total_us":100,"upstream_us":100}
{"request_id":"run-9","benchmark_id":"run","start":"1.000100"}
`
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "envoy.log"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	l := &load{requests: traffic.Config{Labels: probe.Labels{ID: "run", SLA: "50ms"}}, sent: []moments{{1000000, 1002000}, {1000000, 1002000}, {1000000, 1002000}}}
	log := newLogged()
	if err := l.readLog(dir, log); err != nil {
		t.Fatal(err)
	}
	if log.lines != 3 || log.foreign != 1 || log.untimely != 1 {
		t.Errorf("counted %d lines, %d without labels, %d untimely", log.lines, log.foreign, log.untimely)
	}
	if got := log.arrival.At(1); got.Round(time.Microsecond) != 100*time.Microsecond {
		t.Errorf("the first request arrived after %v", got)
	}
	if log.upstream.Count() != 2 || log.own.At(100).Round(10*time.Microsecond) != 200*time.Microsecond {
		t.Errorf("%d lines have a backend; Envoy took %v", log.upstream.Count(), log.own.At(100))
	}
	if err := os.WriteFile(filepath.Join(dir, "envoy.log"), []byte(`{"request_id":"run-0","start":"yesterday"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := l.readLog(dir, newLogged()); err == nil {
		t.Error("a start that is no time is read")
	}
}
