package main

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/deltaplane/deltaplane/bench"
	"github.com/deltaplane/deltaplane/bench/traffic"
)

// loadOptions are the flags of bench for a load of requests.
type loadOptions struct {
	load    bool
	of      bench.Load
	speaks  string
	body    string
	headers []string
}

func (o *loadOptions) flags(f *pflag.FlagSet) {
	f.BoolVar(&o.load, "load", false, "change under a load of requests, each labelled, instead of under single probes")
	f.IntVar(&o.of.Requests, "requests", 10000, "with --load, how many at least, on each side")
	f.IntVar(&o.of.Workers, "workers", 200, "with --load, how many make requests at once: each the next when it has its answer, or with --rate as it says")
	f.StringVar(&o.speaks, "protocol", "http", "with --load: http or grpc")
	f.StringVar(&o.of.Method, "method", "POST", "with --load, of HTTP requests")
	f.StringVar(&o.body, "body", "", "with --load, of each request; @FILE: what stands there")
	f.StringArrayVar(&o.headers, "header", nil, `with --load, a further one of each request, "name: value"; may be repeated`)
	f.BoolVar(&o.of.TLS, "tls", false, "with --load, from Envoy to the backends")
	f.DurationVar(&o.of.Timeout, "timeout", 15*time.Second, "with --load, of routes for their backends")
}

// loadFlags need --load.
var loadFlags = []string{"requests", "workers", "protocol", "method", "body", "header", "tls", "timeout"}

// complete puts the options into cfg, if there is to be a load. What it leaves
// unchecked, bench checks.
func (o *loadOptions) complete(cfg *bench.Config, given func(flag string) bool) error {
	if !o.load {
		for _, flag := range loadFlags {
			if given(flag) {
				return usageError{fmt.Sprintf("--%s is about a load: give --load, too", flag)}
			}
		}
		return nil
	}
	for _, flag := range []string{"files", "probe-every"} {
		if given(flag) {
			return usageError{fmt.Sprintf("--%s has no meaning with --load", flag)}
		}
	}
	if min(o.of.Requests, o.of.Workers) < 1 || o.of.Timeout <= 0 {
		return usageError{"--requests, --workers and --timeout must be more than 0"}
	}
	if given("rate") {
		o.of.Rate = float64(cfg.Rate)
	}
	o.of.Protocol, o.of.Body = traffic.Protocol(o.speaks), []byte(o.body)
	if path, file := strings.CutPrefix(o.body, "@"); file {
		text, err := os.ReadFile(path)
		if err != nil {
			return usageError{fmt.Sprintf("--body: %v", err)}
		}
		o.of.Body = text
	}
	o.of.Header = http.Header{}
	for _, one := range o.headers {
		name, value, found := strings.Cut(one, ":")
		if name = strings.TrimSpace(name); !found || name == "" {
			return usageError{fmt.Sprintf("--header %q: expected name: value", one)}
		}
		o.of.Header.Add(name, strings.TrimSpace(value))
	}
	cfg.Load = &o.of
	return nil
}
