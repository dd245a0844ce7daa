package cost

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/deltaplane/deltaplane/bench/plane"
)

// By itself the soak is short, and finds what grows with every response, change
// or stream. A slow leak takes minutes to stand out: `make soak`.
var (
	soakFor    = flag.Duration("for", 8*time.Second, "how long the soak lasts")
	soakSize   = flag.Int("streams", 100, "how many proxies there are in the soak")
	soakMargin = flag.Int64("margin", 50, "percent that memory may grow by in the soak")
)

// A soak's world. A third of its time goes by before it is looked at.
const (
	soakResources = 1000
	soakRate      = 100 // commits a second
	soakWriters   = 16
	soakHistory   = 200 // commits kept: reached long before the soak is looked at
	soakChurn     = 40  // proxies that leave and join a second
	soakThreads   = 5   // percent that goroutines may grow by
)

// TestTheServerStaysFlatWhileProxiesComeAndGoAndChangesGoOn runs the real
// binary under a hundred commits a second, with proxies that are quick, slow
// and deaf, and that leave and join. What it holds after a collection, and its
// goroutines, must not grow.
func TestTheServerStaysFlatWhileProxiesComeAndGoAndChangesGoOn(t *testing.T) {
	starting, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	server, err := plane.Start(starting, builtBinary(t), t.TempDir(), "--history-commits", fmt.Sprint(soakHistory))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	commits := &committer{api: server.API, resources: soakResources}
	if err := commits.call(t.Context(), "/v1/apply", mixture(soakResources)...); err != nil {
		t.Fatal(err)
	}
	proxies, err := gather(server.XDS, 1, *soakSize)
	defer func() {
		if err := proxies.disperse(func(member) bool { return true }); err != nil {
			t.Error(err)
		}
	}()
	if err != nil {
		t.Fatal(err)
	}
	samples, err := soak(t, server, commits, proxies)
	if err != nil {
		t.Fatal(err)
	}
	checkFlat(t, samples)

	// Whoever reads must have everything.
	if err := proxies.disperse(func(m member) bool { return m.pace != nil }); err != nil {
		t.Error(err)
	}
	if err := gone(t.Context(), server, len(proxies.members)); err != nil {
		t.Fatal(err)
	}
	if err := commits.call(t.Context(), "/v1/apply?wait=60s", cluster(0, 1<<20)); err != nil {
		t.Error(err)
	}
}

// gone waits until the server has noticed who has left: so many streams are
// open then.
func gone(ctx context.Context, server *plane.Plane, left int) error {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, errors.New("the server has not noticed that proxies have gone"))
	defer cancel()
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for {
		open, err := numberIn(ctx, server.API+"/metrics", `deltaplane_streams{api="ads",variant="delta"} `)
		if err != nil || open == int64(left) {
			return err
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// soak lets changes and proxies run and samples the server.
func soak(t *testing.T, server *plane.Plane, commits *committer, proxies *crowd) ([]sample, error) {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	running, ctx := errgroup.WithContext(ctx)
	changes, comings := time.NewTicker(time.Second/soakRate), time.NewTicker(time.Second/soakChurn)
	defer changes.Stop()
	defer comings.Stop()
	for range soakWriters {
		running.Go(func() error { return commits.run(ctx, changes.C) })
	}
	running.Go(func() error { return proxies.mill(ctx, comings.C) })
	var samples []sample
	running.Go(func() (err error) {
		defer stop()
		samples, err = watch(ctx, t, server, commits, proxies)
		return err
	})
	return samples, running.Wait()
}

// watch samples the server, at least every twenty seconds. Where the machine is
// slow it takes longer, but not fewer samples.
func watch(ctx context.Context, t *testing.T, server *plane.Plane, commits *committer, proxies *crowd) (samples []sample, err error) {
	count := max(12, int(*soakFor/(20*time.Second)))
	looks := time.NewTicker(*soakFor / time.Duration(count))
	defer looks.Stop()
	began := time.Now()
	t.Log(sampleHeader)
	for len(samples) < count {
		select {
		case <-looks.C:
		case <-ctx.Done():
			return nil, nil // somebody else says why
		}
		s, err := take(ctx, server, time.Since(began))
		if err != nil {
			return nil, err
		}
		s.commits, s.responses = commits.count.Load(), proxies.heard.responses.Load()
		samples = append(samples, s)
		t.Log(s)
	}
	return samples, nil
}

// checkFlat compares the last third of the samples with the third after the
// warm-up.
func checkFlat(t *testing.T, samples []sample) {
	t.Helper()
	third := len(samples) / 3
	for _, figure := range []struct {
		name   string
		margin int64 // percent
		of     func(sample) int64
	}{
		{"bytes of heap", *soakMargin, func(s sample) int64 { return s.heap }},
		{"bytes of stacks", *soakMargin, func(s sample) int64 { return s.stacks }},
		{"goroutines", soakThreads, func(s sample) int64 { return s.goroutines }},
	} {
		before, after := median(samples[third:2*third], figure.of), median(samples[2*third:], figure.of)
		t.Logf("%s: %d after the warm-up, %d in the end", figure.name, before, after)
		if allowed := before + before*figure.margin/100; after > allowed {
			t.Errorf("%s grew from %d to %d, at most %d are allowed", figure.name, before, after, allowed)
		}
	}
}

func median(samples []sample, of func(sample) int64) int64 {
	var values []int64
	for _, s := range samples {
		values = append(values, of(s))
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// builtBinary builds what users run, without the checks that tests have.
func builtBinary(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "deltaplane")
	if output, err := exec.Command("go", "build", "-o", path, "github.com/deltaplane/deltaplane/cmd/deltaplane").CombinedOutput(); err != nil {
		t.Fatalf("build of cmd/deltaplane: %v\n%s", err, output)
	}
	return path
}
