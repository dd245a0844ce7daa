package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/deltaplane/deltaplane/api"
	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/source"
)

const watchedCluster = "\"@type\": type.googleapis.com/envoy.config.cluster.v3.Cluster\nname: pay\nconnect_timeout: 1s\n"

// waitSource returns when the server's first source is as accept wants it.
func waitSource(t *testing.T, srv *server, accept func(source.Status) bool) {
	t.Helper()
	for {
		changed := srv.sources.board.Changed()
		if accept(srv.sources.board.Statuses()[0]) {
			return
		}
		select {
		case <-changed:
		case <-t.Context().Done():
			t.Fatal("the source is not what it should be")
		}
	}
}

// runAgainst runs one command and returns its exit code and what it prints.
func runAgainst(t *testing.T, srv *server, args ...string) (code int, out string) {
	t.Helper()
	var b bytes.Buffer
	term := &terminal{in: strings.NewReader(""), out: &b, err: &b}
	code = term.run(t.Context(), append(args, "--server", srv.apiURL))
	return code, b.String()
}

func TestStatusTellsHowTheSourcesStand(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "pay.yaml")
	write := func(content string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(watchedCluster)
	srv := start(t, "--watch="+dir+",owner=files,namespace=shop", "--watch-settle=1ms")
	waitSource(t, srv, func(s source.Status) bool { return s.State == source.InSync })
	code, out := runAgainst(t, srv, "status")
	if code != exitFine || !strings.Contains(out, "SOURCE") || !strings.Contains(out, "dir:"+dir+"  shop       in_sync") {
		t.Errorf("exit code %d:\n%s", code, out)
	}

	// A user's change is refused, and who owns it is told.
	code, out = runAgainst(t, srv, "apply", "-f", file, "--namespace", "shop", "--dry-run")
	if code != exitFine || !strings.Contains(out, "1 unchanged") {
		t.Errorf("equal content is no conflict, but: %d\n%s", code, out)
	}
	code, out = runAgainst(t, srv, "delete", "cluster", "pay", "--namespace", "shop")
	if code != exitDiffer || !strings.Contains(out, `shop/Cluster/pay belongs to "files"`) || !strings.Contains(out, "--take-ownership") {
		t.Errorf("exit code %d:\n%s", code, out)
	}

	// What is wrong has a file, a line and a column.
	write(watchedCluster + "conect_timeout: 1s\n")
	waitSource(t, srv, func(s source.Status) bool { return s.State == source.Broken })
	code, out = runAgainst(t, srv, "status")
	if code != exitDiffer || !strings.Contains(out, "! "+file+`:4:1: Cluster "pay": unknown field "conect_timeout"`) {
		t.Errorf("exit code %d:\n%s", code, out)
	}
	if _, page := get(t, srv.apiURL+"/v1/sources"); !strings.Contains(page, `"state":"broken"`) || !strings.Contains(page, `"line":4`) {
		t.Errorf("/v1/sources: %s", page)
	}
	if _, page := get(t, srv.apiURL+"/metrics"); !strings.Contains(page, `deltaplane_source_state{source="dir:`+dir+`",state="broken"} 1`) {
		t.Error("the metrics do not tell that the source is broken")
	}
}

func TestASourceThatNeverComesToRestIsNotHealthy(t *testing.T) {
	for state, want := range map[source.State]bool{source.InSync: false, source.Waiting: true, source.Conflict: true} {
		s := source.Status{State: state, Since: time.Now().Add(-time.Hour)}
		if got := unhealthy([]source.Status{{State: source.Waiting, Since: time.Now()}, s}); got != want {
			t.Errorf("%s for an hour is unhealthy: %v", state, got)
		}
	}
}

func TestAWatchOfTheStatusPrintsALineForEachStateOfASource(t *testing.T) {
	var out bytes.Buffer
	term := &terminal{in: strings.NewReader(""), out: &out, err: io.Discard}
	broken := source.Status{Identity: source.Identity{Kind: "dir", From: "/conf"}, State: source.Broken, Version: 3}
	broken.Problems = resource.Problems{{File: "/conf/a.yaml", Line: 7, Message: "no"}}
	before := &api.Status{Version: 3, Sources: []source.Status{{Identity: broken.Identity, State: source.InSync, Version: 3}}}
	now := &api.Status{Version: 3, Sources: []source.Status{broken}}
	term.printSourceEvents("12:00:00", before, now)
	term.printSourceEvents("12:00:01", now, now)
	if got, want := out.String(), "12:00:00 dir:/conf broken version 3\n! /conf/a.yaml:7: no\n"; got != want {
		t.Errorf("it prints %q, want %q", got, want)
	}
}
