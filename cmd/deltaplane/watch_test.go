package main

import (
	"context"
	"io"
	"regexp"
	"strings"
	"testing"
)

func TestAWatchPrintsALinePerChangeUntilInterrupted(t *testing.T) {
	srv := start(t)
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	l := &log{lines: make(chan string, 1000)}
	code := make(chan int, 1)
	go func() {
		term := &terminal{in: strings.NewReader(""), out: l, err: io.Discard}
		code <- term.run(ctx, []string{"status", "--watch", "--server=" + srv.apiURL})
	}()
	expect := func(pattern string) {
		t.Helper()
		for line := range l.lines {
			if regexp.MustCompile(pattern).MatchString(line) {
				return
			}
		}
	}
	expect(`^\d\d:\d\d:\d\d version 0$`)
	leave, gone := context.WithCancel(t.Context())
	p, err := dialProxy(leave, srv.xdsAddress, "edge-1", false)
	if err != nil {
		t.Fatal(err)
	}
	expect(`^\d\d:\d\d:\d\d edge-1 in_sync version 0$`)
	gone()
	p.wait()
	expect(`^\d\d:\d\d:\d\d edge-1 disconnected version 0$`)
	interrupt()
	if got := <-code; got != exitFine {
		t.Errorf("exit code %d, want 0", got)
	}
}
