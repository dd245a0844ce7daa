package api

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// watch opens a stream of server-sent events over a real connection.
func (w *world) watch(ctx context.Context, query string) (events <-chan Status, ended <-chan error) {
	w.t.Helper()
	server := httptest.NewServer(w)
	w.t.Cleanup(server.Close)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/v1/status?watch=true"+query, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	answer, err := server.Client().Do(r) //nolint:bodyclose // the goroutine below closes it
	if err != nil {
		w.t.Fatal(err)
	}
	if got := answer.Header.Get("Content-Type"); answer.StatusCode != http.StatusOK || got != "text/event-stream" {
		w.t.Fatalf("%s as %s", answer.Status, got)
	}
	statuses, done := make(chan Status), make(chan error, 1)
	go func() {
		defer close(statuses)
		defer answer.Body.Close()
		lines := bufio.NewScanner(answer.Body)
		for lines.Scan() {
			data, ok := strings.CutPrefix(lines.Text(), "data: ")
			if !ok {
				continue
			}
			var s Status
			if err := json.Unmarshal([]byte(data), &s); err != nil {
				done <- err
				return
			}
			statuses <- s
		}
		done <- lines.Err()
	}()
	return statuses, done
}

func TestAWatchTellsEachChangeAndEndsWithTheServer(t *testing.T) {
	w := newWorld(t)
	events, ended := w.watch(t.Context(), "")
	if first := <-events; len(first.Proxies) != 0 || first.Version != 0 {
		t.Errorf("first event %+v, want the empty state", first)
	}
	w.proxies.set(Proxy{Node: "edge-1", Connected: true, State: InSync})
	if next := <-events; len(next.Proxies) != 1 || next.Summary.InSync != 1 {
		t.Errorf("event %+v, want edge-1", next)
	}
	w.applied("", webCluster)
	if next := <-events; next.Version != 1 {
		t.Errorf("event %+v, want version 1", next)
	}
	w.Close()
	for range events {
	}
	if err := <-ended; err != nil {
		t.Errorf("the watch ended with %v, want a clean end", err)
	}
}

func TestAWatchEndsAtItsDeadline(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Timeout = 1 })
	events, ended := w.watch(t.Context(), "&timeout=50ms")
	for range events {
	}
	if err := <-ended; err != nil {
		t.Errorf("the watch ended with %v, want a clean end", err)
	}
}

func TestAWatchEndsWhenTheClientGoes(t *testing.T) {
	w := newWorld(t)
	ctx, leave := context.WithCancel(t.Context())
	events, ended := w.watch(ctx, "")
	<-events
	leave()
	for range events {
	}
	if err := <-ended; !errors.Is(err, context.Canceled) && !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("ended with %v", err)
	}
	// httptest.Server.Close, in the cleanup, blocks until the handler is back.
}

func TestStatusComesInPagesWithASummaryOfAll(t *testing.T) {
	w := newWorld(t)
	w.proxies.set(Proxy{Node: "a", State: InSync}, Proxy{Node: "b", State: Refused}, Proxy{Node: "c/d", State: Behind})
	var page Status
	w.ask(200, "GET", "/v1/status?limit=2", "", &page)
	if len(page.Proxies) != 2 || page.Next != "b" || page.Summary != (Summary{InSync: 1, Behind: 1, Refused: 1}) {
		t.Errorf("first page %+v", page)
	}
	page = Status{}
	w.ask(200, "GET", "/v1/status?limit=2&after=b", "", &page)
	if len(page.Proxies) != 1 || page.Next != "" {
		t.Errorf("second page %+v", page)
	}
	var one Proxy
	w.ask(200, "GET", "/v1/status/c/d", "", &one)
	if one.Node != "c/d" {
		t.Errorf("node %+v, want c/d", one)
	}
}
