package main

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/deltaplane/deltaplane/bench"
	"github.com/deltaplane/deltaplane/bench/load"
)

// fleetArgs is what a bench command line for simulated proxies becomes.
func fleetArgs(t *testing.T, args ...string) (load.Config, error) {
	t.Helper()
	var envoys bench.Config
	var cfg load.Config
	var o benchOptions
	flags := pflag.NewFlagSet("bench", pflag.ContinueOnError)
	benchFlags(flags, &envoys, &o)
	o.server.flags(flags)
	fleetFlags(flags, &cfg)
	if err := flags.Parse(append(args, "--proxies=9")); err != nil {
		t.Fatal(err)
	}
	return fleetConfig(flags.Changed, &o, envoys, cfg)
}

func TestBenchFlagsForSimulatedProxiesBecomeTheirConfig(t *testing.T) {
	cfg, err := fleetArgs(t)
	if err != nil || cfg.Proxies != 9 || cfg.Pattern != "" || cfg.Changes != 0 || cfg.Rate != 0 || cfg.Sides != nil || cfg.Command == "" {
		t.Errorf("config %+v, error %v; want the defaults of simulated proxies", cfg, err)
	}
	cfg, err = fleetArgs(t, "--pattern=mixed", "--changes=7", "--rate=50", "--duration=5s", "--sla=1s", "--resources=100,200", "--compare=go-control-plane, floor", "--rivals=r")
	if err != nil || cfg.Pattern != load.Mixed || cfg.Changes != 7 || cfg.Rate != 50 || cfg.Duration != 5*time.Second || cfg.SLA != time.Second || cfg.Rivals != "r" ||
		!slices.Equal(cfg.Resources, []int{100, 200}) || !slices.Equal(cfg.Sides, []load.Kind{load.Deltaplane, load.Shared, load.Floor}) {
		t.Errorf("config %+v, error %v", cfg, err)
	}
}

func TestBenchFlagsForEnvoysAreWrongForSimulatedProxies(t *testing.T) {
	for _, arg := range []string{"--envoys=2", "--plain", "--probe-every=1ms", "--namespace=n", "--tls-ca=ca.pem"} {
		_, err := fleetArgs(t, arg)
		if _, usage := errors.AsType[usageError](err); !usage {
			t.Errorf("%s: error is %v", arg, err)
		}
	}
}
