package cost

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/deltaplane/deltaplane/bench/plane"
	"github.com/deltaplane/deltaplane/bench/proc"
)

// sample is what the server is at one moment.
type sample struct {
	at                 time.Duration
	heap, stacks       int64 // bytes, after a collection
	rss                int64 // bytes
	goroutines         int64
	commits, responses int64 // so far
}

const sampleHeader = "     time   heap MB  stacks MB    RSS MB  goroutines   commits   responses"

// String is a line under sampleHeader.
func (s sample) String() string {
	mb := func(n int64) float64 { return float64(n) / (1 << 20) }
	return fmt.Sprintf("%9s %9.1f %10.1f %9.1f %11d %9d %11d", s.at.Round(100*time.Millisecond), mb(s.heap), mb(s.stacks), mb(s.rss), s.goroutines, s.commits, s.responses)
}

// take samples a control plane by its own profiles, whose text ends with the
// statistics of its memory.
func take(ctx context.Context, server *plane.Plane, at time.Duration) (s sample, err error) {
	s.at = at
	if s.goroutines, err = numberIn(ctx, server.API+"/debug/pprof/goroutine?debug=1", "goroutine profile: total "); err != nil {
		return s, err
	}
	if s.heap, err = numberIn(ctx, server.API+"/debug/pprof/heap?gc=1&debug=1", "# HeapAlloc = "); err != nil {
		return s, err
	}
	if s.stacks, err = numberIn(ctx, server.API+"/debug/pprof/heap?debug=1", "# Stack = "); err != nil {
		return s, err
	}
	s.rss, err = proc.RSS(server.Process.Pid())
	return s, err
}

// numberIn is the number after a text at the beginning of a line of a page.
func numberIn(ctx context.Context, url, text string) (int64, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	lines := bufio.NewReader(resp.Body)
	for {
		line, err := lines.ReadString('\n')
		if value, ok := strings.CutPrefix(line, text); ok {
			value, _, _ = strings.Cut(strings.TrimSpace(value), " ")
			_, _ = io.Copy(io.Discard, lines) // so that the connection serves again
			return strconv.ParseInt(value, 10, 64)
		}
		if err != nil {
			return 0, fmt.Errorf("%s has no %q: %w", url, text, err)
		}
	}
}
