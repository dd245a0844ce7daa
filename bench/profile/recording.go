package profile

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/pprof/profile"
	"golang.org/x/sync/errgroup"
)

// Config says what to record. The first three fields are required.
type Config struct {
	URL    string // of the process's HTTP server, which has /debug/pprof
	Client *http.Client
	Dir    string // for the files; it is made, and files of former recordings in it are replaced
	// Round is for how many seconds each profile is asked for at a time, and
	// the trace is. So long, at most, Stop waits; some tenths of a second
	// between two rounds are not profiled. Default 2.
	Round int
}

// defaultRound is short enough to wait for, and a trace of it is of some 10 MB.
const defaultRound = 2

// The names of a recording's files in its directory.
const (
	CPUFile    = "cpu.pprof"
	AllocsFile = "allocs.pprof" // what was allocated meanwhile, also what was freed again
	HeapFile   = "heap.pprof"   // what was in use at the end
	MutexFile  = "mutex.pprof"
	BlockFile  = "block.pprof"
	TraceFile  = "trace.out" // of the first seconds
)

// Recording is one under way. Profiling slows the process down, by a few
// percent as a rule: do not compare its figures with those of others.
type Recording struct {
	cfg    Config
	stop   chan struct{}
	rounds errgroup.Group
	sums   [3]*profile.Profile // of the rounds, in the order of sampled; each of its own goroutine until rounds has ended
	before *profile.Profile    // allocations
}

// sampled are the profiles that are taken in rounds, and their files.
var sampled = [3]struct{ name, file string }{{"profile", CPUFile}, {"mutex", MutexFile}, {"block", BlockFile}}

// Start begins to record, until ctx is done or Stop is called, which the
// caller must do in either case.
func Start(ctx context.Context, cfg Config) (*Recording, error) {
	if cfg.Round == 0 {
		cfg.Round = defaultRound
	}
	if err := os.MkdirAll(cfg.Dir, 0o755); err != nil {
		return nil, fmt.Errorf("profiles: %w", err)
	}
	r := &Recording{cfg: cfg, stop: make(chan struct{})}
	var err error
	if r.before, err = r.fetch(ctx, "allocs"); err != nil {
		return nil, err
	}
	for i, s := range sampled {
		r.rounds.Go(func() error { return r.sample(ctx, s.name, &r.sums[i]) })
	}
	r.rounds.Go(func() error { return r.trace(ctx) })
	return r, nil
}

// sample adds up one profile, round after round, until Stop.
func (r *Recording) sample(ctx context.Context, name string, sum **profile.Profile) error {
	for {
		p, err := r.fetch(ctx, fmt.Sprintf("%s?seconds=%d", name, r.cfg.Round))
		if err != nil {
			return err
		}
		if *sum == nil {
			*sum = p
		} else if *sum, err = profile.Merge([]*profile.Profile{*sum, p}); err != nil {
			return fmt.Errorf("profile %s: %w", name, err)
		}
		select {
		case <-r.stop:
			return nil
		default:
		}
	}
}

// trace writes the execution trace, as it comes.
func (r *Recording) trace(ctx context.Context) error {
	body, err := r.open(ctx, fmt.Sprintf("trace?seconds=%d", r.cfg.Round))
	if err != nil {
		return err
	}
	defer body.Close()
	file, err := os.Create(r.file(TraceFile))
	if err != nil {
		return err
	}
	defer file.Close()
	if _, err := io.Copy(file, body); err != nil {
		return fmt.Errorf("profile trace: %w", err)
	}
	return file.Close()
}

// Stop ends the recording, writes its files and sums them up. It waits for the
// round that is under way.
func (r *Recording) Stop(ctx context.Context) (*Summary, error) {
	close(r.stop)
	if err := r.rounds.Wait(); err != nil {
		return nil, err
	}
	for i, s := range sampled {
		if err := r.write(s.file, r.sums[i]); err != nil {
			return nil, err
		}
	}
	heap, err := r.fetch(ctx, "heap?gc=1")
	if err != nil {
		return nil, err
	}
	if err := r.write(HeapFile, heap); err != nil {
		return nil, err
	}
	after, err := r.fetch(ctx, "allocs")
	if err != nil {
		return nil, err
	}
	r.before.Scale(-1)
	allocated, err := profile.Merge([]*profile.Profile{r.before, after})
	if err != nil {
		return nil, fmt.Errorf("profile allocs: %w", err)
	}
	if err := r.write(AllocsFile, allocated); err != nil {
		return nil, err
	}
	return &Summary{
		Dir: r.cfg.Dir,
		Tops: []Top{
			topOf(r.sums[0], "CPU", "cpu", Seconds), topOf(allocated, "allocated", "alloc_space", Bytes),
			topOf(unlockers(r.sums[1]), "waited for locks", "delay", Seconds),
		},
	}, nil
}

func (r *Recording) file(name string) string { return filepath.Join(r.cfg.Dir, name) }

func (r *Recording) write(name string, p *profile.Profile) error {
	file, err := os.Create(r.file(name))
	if err != nil {
		return err
	}
	defer file.Close()
	if err := p.Write(file); err != nil {
		return fmt.Errorf("%s: %w", file.Name(), err)
	}
	return file.Close()
}

// fetch asks for a profile.
func (r *Recording) fetch(ctx context.Context, query string) (*profile.Profile, error) {
	body, err := r.open(ctx, query)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	p, err := profile.Parse(body)
	if err != nil {
		return nil, fmt.Errorf("profile %s: %w", query, err)
	}
	return p, nil
}

// open is the answer to one request, which the caller closes.
func (r *Recording) open(ctx context.Context, query string) (io.ReadCloser, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.cfg.URL+"/debug/pprof/"+query, nil)
	if err != nil {
		return nil, err
	}
	resp, err := r.cfg.Client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("profiles: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		defer resp.Body.Close()
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 500)) // what came is better than nothing
		return nil, fmt.Errorf("profile %s: %s: %s", query, resp.Status, strings.TrimSpace(string(text)))
	}
	return resp.Body, nil
}
