package profile

import (
	"net/http"
	"net/http/httptest"
	"net/http/pprof"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/pprof/profile"
)

// burn keeps a CPU busy, and allocates, until stop.
//
//go:noinline
func burn(stop <-chan struct{}) (sum int) {
	for {
		select {
		case <-stop:
			return sum
		default:
			for _, b := range make([]byte, 1<<20) {
				sum += int(b) + 1
			}
		}
	}
}

func TestARecordingNamesWhatKeptTheProcessBusy(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	server := httptest.NewServer(mux)
	defer server.Close()
	var busy sync.WaitGroup
	quit := make(chan struct{})
	busy.Go(func() { burn(quit) })

	dir := filepath.Join(t.TempDir(), "profiles")
	r, err := Start(t.Context(), Config{URL: server.URL, Client: server.Client(), Dir: dir, Round: 1})
	if err != nil {
		t.Fatal(err)
	}
	got, err := r.Stop(t.Context())
	close(quit)
	busy.Wait()
	if err != nil {
		t.Fatal(err)
	}
	for _, top := range got.Tops[:2] {
		for order, list := range map[string][]Function{"flat": top.Flat, "cumulative": top.Cumulative} {
			if !slices.ContainsFunc(list, func(f Function) bool { return strings.HasSuffix(f.Name, "bench/profile.burn") && f.Cumulative > 0.3 }) {
				t.Errorf("%s, %s: burn is not among %v", top.Of, order, list)
			}
		}
		if top.Total <= 0 {
			t.Errorf("%s: %v %s in all", top.Of, top.Total, top.Unit)
		}
	}
	for _, name := range []string{CPUFile, AllocsFile, HeapFile, MutexFile, BlockFile} {
		file, err := os.Open(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := profile.Parse(file); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		file.Close()
	}
	if text, err := os.ReadFile(filepath.Join(dir, TraceFile)); err != nil || !strings.HasPrefix(string(text), "go 1.") {
		t.Errorf("the trace begins with %.20q, error %v", text, err)
	}
}

func TestAProcessThatCannotBeProfiledIsAnError(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/allocs", pprof.Index)
	server := httptest.NewServer(mux)
	defer server.Close()
	r, err := Start(t.Context(), Config{URL: server.URL, Client: server.Client(), Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := r.Stop(t.Context()); err == nil || !strings.Contains(err.Error(), "404") || !strings.Contains(err.Error(), "profile") {
		t.Errorf("%+v, error %v", got, err)
	}
	if _, err := Start(t.Context(), Config{URL: server.URL + "/no", Client: server.Client(), Dir: t.TempDir()}); err == nil {
		t.Error("a process without profiles is no error")
	}
}
