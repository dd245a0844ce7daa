package main

import (
	"bytes"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/deltaplane/deltaplane/bench"
	"github.com/deltaplane/deltaplane/bench/traffic"
)

// benchArgs is what a bench command line becomes.
func benchArgs(args ...string) (bench.Config, error) {
	var cfg bench.Config
	var o benchOptions
	flags := pflag.NewFlagSet("bench", pflag.ContinueOnError)
	benchFlags(flags, &cfg, &o)
	o.load.flags(flags)
	o.server.flags(flags)
	if err := flags.Parse(args); err != nil {
		return cfg, err
	}
	if err := o.complete(&cfg); err != nil {
		return cfg, err
	}
	if err := o.load.complete(&cfg, flags.Changed); err != nil {
		return cfg, err
	}
	return cfg, o.server.complete(&cfg, flags.Changed)
}

func TestBenchFlagsBecomeItsConfig(t *testing.T) {
	for _, test := range []struct {
		args []string
		want []bench.Shape
	}{
		{nil, nil},
		{[]string{"--plain"}, []bench.Shape{bench.Plain}},
		{[]string{"--compare", "plain, split"}, []bench.Shape{bench.Plain, bench.Split}},
	} {
		cfg, err := benchArgs(test.args...)
		if err != nil || !reflect.DeepEqual(cfg.Shapes, test.want) {
			t.Errorf("%v: shapes %v, error %v; want %v", test.args, cfg.Shapes, err, test.want)
		}
	}
	cfg, err := benchArgs("--pattern=weight", "--files=0", "--probe-every=1ms")
	if err != nil || cfg.Pattern != bench.Weight || cfg.Files >= 0 || cfg.ProbeEvery != time.Millisecond || cfg.Command == "" {
		t.Errorf("config %+v, error %v", cfg, err)
	}
}

func TestBenchFlagsThatContradictAreWrongUsage(t *testing.T) {
	for _, args := range [][]string{
		{"--plain", "--compare=plain,split"}, {"--changes=0"}, {"--rate=-5"}, {"--sla=0s"}, {"--probe-every=-1s"}, {"-o=yaml"},
		{"--tls"}, {"--load", "--files=2"}, {"--load", "--header=x"}, {"--load", "--body=@/no/such/file"}, {"--load", "--workers=0"}, {"--load", "--timeout=-1s"},
	} {
		_, err := benchArgs(args...)
		if _, usage := errors.AsType[usageError](err); !usage {
			t.Errorf("%v: error is %v", args, err)
		}
	}
}

func TestTheOptionsOfALoadBecomeItsConfig(t *testing.T) {
	file := filepath.Join(t.TempDir(), "body")
	if err := os.WriteFile(file, []byte("from a file"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := benchArgs("--load", "--workers=3", "--protocol=grpc", "--tls", "--timeout=2s", "--body=@"+file, "--header=X-Own: a: b", "--header=x-own:c")
	want := &bench.Load{Requests: 10000, Workers: 3, Protocol: traffic.GRPC, Method: http.MethodPost, Body: []byte("from a file"), Header: http.Header{"X-Own": {"a: b", "c"}}, TLS: true, Timeout: 2 * time.Second}
	if err != nil || !reflect.DeepEqual(cfg.Load, want) {
		t.Errorf("load %+v, error %v; want %+v", cfg.Load, err, want)
	}
	if cfg, err = benchArgs("--load", "--rate=250"); err != nil || cfg.Load.Rate != 250 || cfg.Load.Workers != 200 {
		t.Errorf("load %+v, error %v", cfg.Load, err)
	}
	if cfg, err = benchArgs("--rate=250"); err != nil || cfg.Load != nil {
		t.Errorf("without --load: %+v, error %v", cfg.Load, err)
	}
}

func TestABenchShowsItsProgress(t *testing.T) {
	for _, test := range []struct {
		tty  bool
		want string
	}{
		{false, "plain: change\nsplit: change\nsplit: requests\n"},
		{true, "\r\x1b[Kplain: change 1 of 9\r\x1b[Kplain: change 2 of 9\r\x1b[Ksplit: change 1 of 9 · first request P50 1.5 ms, P99 20.0 ms\r\x1b[Ksplit: requests\r\x1b[K"},
	} {
		var out bytes.Buffer
		b := newBoard(&terminal{err: &out})
		b.tty = test.tty
		b.envoys(bench.Progress{Step: "change", Shape: bench.Plain, Total: 9})
		b.envoys(bench.Progress{Step: "change", Shape: bench.Plain, Done: 1, Total: 9})
		b.envoys(bench.Progress{Step: "change", Shape: bench.Split, Total: 9, P50: 1500 * time.Microsecond, P99: 20 * time.Millisecond})
		b.envoys(bench.Progress{Step: "requests", Shape: bench.Split})
		b.wipe()
		if out.String() != test.want {
			t.Errorf("on a terminal: %v: %q, want %q", test.tty, out.String(), test.want)
		}
	}
}

func TestAReportNamesItsCommandAsAShellTakesIt(t *testing.T) {
	got := commandLine([]string{"/usr/bin/deltaplane", "bench", "--compare", "plain, split", "--html=it's.html", ""})
	if want := `deltaplane bench --compare 'plain, split' '--html=it'\''s.html' ''`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestABenchWritesItsPage(t *testing.T) {
	side := bench.Side{Shape: bench.Split}
	r := &bench.Report{Pattern: bench.Route, Envoys: 1, Sides: []bench.Side{side}, SLA: bench.SLA{Met: true}}
	path := filepath.Join(t.TempDir(), "report.html")
	var out bytes.Buffer
	if err := (&terminal{out: &out}).printBench(r, benchOptions{output: "html", html: path}); err != nil {
		t.Fatal(err)
	}
	written, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(written, out.Bytes()) || !bytes.HasPrefix(written, []byte("<!doctype html>")) {
		t.Errorf("error %v; the file and the output differ, or are no page: %.80q, %.80q", err, written, out.Bytes())
	}
	if err := (&terminal{out: &out}).printBench(r, benchOptions{output: "html", html: filepath.Join(path, "no")}); err == nil || !strings.Contains(err.Error(), "--html") {
		t.Errorf("a file that cannot be written: error is %v", err)
	}
}
