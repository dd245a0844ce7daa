package xds

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// gauge is the value of a metric without labels.
func gauge(t *testing.T, r *prometheus.Registry, name string) float64 {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			return f.Metric[0].GetGauge().GetValue()
		}
	}
	t.Fatalf("no metric %s", name)
	return 0
}

func TestASourceThatWakesNobodyIsNoticedAndForgottenWhenItDoesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var lines bytes.Buffer
		registry := prometheus.NewRegistry()
		var s store
		s.put(t, cluster("c", 0))
		s.commit()
		asleep := &drowsy{store: &s}
		server := NewServer(asleep, Config{Logger: slog.New(slog.NewTextHandler(&lines, nil)), Registerer: registry, StuckAfter: 8 * time.Second})
		defer server.Close()
		look := func(after time.Duration, want string) {
			t.Helper()
			time.Sleep(after) // of the bubble
			synctest.Wait()
			metric := 0.0
			if want != "" {
				metric = 1
			}
			if got := server.Stuck(); got != want || gauge(t, registry, "deltaplane_streams_stuck") != metric {
				t.Errorf("%q, metric %v, want %q", got, gauge(t, registry, "deltaplane_streams_stuck"), want)
			}
		}
		look(time.Hour, "")
		s.put(t, cluster("c", 1))
		newest := s.commit()
		look(7*time.Second, "")
		look(5*time.Second, "version 2 is out for 8s or more, and the streams were told of 1")
		asleep.silence.Publish(newest)
		look(3*time.Second, "")
		for _, want := range []string{"what is served grows old", "versions reach the streams again"} {
			if strings.Count(lines.String(), want) != 1 {
				t.Errorf("the log does not say once %q:\n%s", want, &lines)
			}
		}
	})
}

func TestASourceThatAlwaysHasSomethingNewerIsNotStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s store
		s.commit()
		asleep := &drowsy{store: &s}
		server := NewServer(asleep, Config{StuckAfter: 8 * time.Second})
		defer server.Close()
		for n := range 20 { // one version behind all the time, but moving
			late := s.Latest()
			s.put(t, cluster("c", n))
			s.commit()
			asleep.silence.Publish(late)
			time.Sleep(3 * time.Second)
			synctest.Wait()
			if got := server.Stuck(); got != "" {
				t.Fatalf("after %d versions: %s", n, got)
			}
		}
	})
}

func TestAStreamThatDoesNotTakeUpVersionsIsNoticed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s store
		s.commit()
		server := NewServer(&s, Config{StuckAfter: 8 * time.Second})
		defer server.Close()
		hung, fine := &stream{server: server, ads: true}, &stream{server: server, ads: true}
		for _, st := range []*stream{hung, fine} {
			server.enter(st)
			st.look()
			defer server.leave(st)
		}
		hung.mu.Lock()
		s.commit()
		time.Sleep(12 * time.Second)
		synctest.Wait()
		if got, want := server.Stuck(), "1 of 2 streams have not taken up version 2 for 8s or more"; got != want {
			t.Errorf("%q, want %q", got, want)
		}
		hung.unlock()
		time.Sleep(3 * time.Second)
		synctest.Wait()
		if got := server.Stuck(); got != "" {
			t.Errorf("afterwards: %s", got)
		}
	})
}

func TestAWatchdogThatHangsIsNoticed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s store
		s.commit()
		server := NewServer(&s, Config{StuckAfter: 8 * time.Second})
		server.cancel() // nobody looks any more
		time.Sleep(21 * time.Second)
		got := server.Stuck()
		server.Close()
		if !strings.Contains(got, "watchdog itself") {
			t.Errorf("%q", got)
		}
	})
}

func TestRefusalsAreLoggedOncePerReasonAndCounted(t *testing.T) {
	var p repeats
	start := time.Unix(0, 0)
	same := reason{"n", "cluster", "no"}
	for i := range 1000 {
		if log, _, _ := p.admit(same, start); log != (i == 0) {
			t.Fatalf("refusal %d: logged %v", i, log)
		}
	}
	if log, suppressed, _ := p.admit(same, start.Add(refusalPeriod)); !log || suppressed != 999 {
		t.Errorf("a minute later: logged %v with %d suppressed, want 999", log, suppressed)
	}
}

func TestNoNodeKeepsAnothersRefusalsOutOfTheLog(t *testing.T) {
	var p repeats
	start, logged := time.Unix(0, 0), 0
	for i := range 100_000 {
		if log, _, _ := p.admit(reason{"hostile", "cluster", fmt.Sprint(i)}, start); log {
			logged++
		}
	}
	if logged != reasonsPerNode {
		t.Errorf("%d lines of one node, want %d", logged, reasonsPerNode)
	}
	if log, _, others := p.admit(reason{"good", "cluster", "bad TLS context"}, start); !log || others != 100_000-reasonsPerNode {
		t.Errorf("another's refusal: logged %v, with %d others", log, others)
	}
	for i := range 100_000 { // node ids that are made up
		p.admit(reason{fmt.Sprint(i), "cluster", "no"}, start)
	}
	if len(p.reasons) > reasonsInAll || len(p.nodes) > reasonsInAll {
		t.Errorf("%d reasons of %d nodes are kept, at most %d should be", len(p.reasons), len(p.nodes), reasonsInAll)
	}
}
