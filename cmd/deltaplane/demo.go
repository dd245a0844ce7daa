package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/knadh/koanf/v2"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/internal/demo"
	"github.com/deltaplane/deltaplane/internal/envoy"
)

func (t *terminal) demoCommand() *cobra.Command {
	var cfg demo.Config
	var dataDir string
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Run a real Envoy under 10,000 routes that flip",
		Long: `Run a control plane, two small backends, a real Envoy and steady traffic under a
gateway with 10,000 routes. One route after the other goes to another backend,
and each change is timed: until it is stored, until Envoy has acknowledged it,
and until the first request takes it.

Envoy is $ENVOY, or the one that "make envoy" installs, or the one on PATH.
With --once, exit code 0 says that every flip arrived and no request failed.`,
		Example: `  deltaplane demo
  deltaplane demo --once
  deltaplane demo --once --plain`,
		Args: cobra.NoArgs,
	}
	f := cmd.Flags()
	f.BoolVar(&cfg.Once, "once", false, "make --flips flips, print a summary, and end")
	f.IntVar(&cfg.Flips, "flips", 50, "with --once: how many")
	f.DurationVar(&cfg.Every, "every", 0, "from flip to flip, if each is seen by then (default 1s, with --once 20ms)")
	f.IntVar(&cfg.Rate, "rate", 300, "requests per second")
	f.IntVar(&cfg.Hosts, "hosts", 1000, "virtual hosts of the gateway")
	f.IntVar(&cfg.Routes, "routes", 10, "routes of each host")
	f.BoolVar(&cfg.Plain, "plain", false, "have the table go out as it is written, and Envoy rebuild all of it for one changed route")
	f.StringVar(&dataDir, "data-dir", "", "keep the control plane's data there (default: a temporary directory)")
	cmd.RunE = action(func(cmd *cobra.Command, _ []string) error {
		if min(cfg.Flips, cfg.Rate, cfg.Hosts, cfg.Routes) < 1 || cfg.Every < 0 {
			return usageError{"--flips, --rate, --hosts and --routes must be more than 0, and --every not less"}
		}
		cfg.Out, cfg.TTY = t.out, isTTY(t.out)
		return t.runDemo(cmd.Context(), cfg, dataDir)
	})
	return cmd
}

// runDemo starts a control plane in this process and shows the demo on it.
func (t *terminal) runDemo(ctx context.Context, cfg demo.Config, dataDir string) (err error) {
	// Before anything is started: without an Envoy there is no demo.
	if _, err := envoy.Find(); err != nil {
		return err
	}
	if dataDir == "" {
		if dataDir, err = os.MkdirTemp("", "deltaplane-demo-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dataDir)) }()
	}
	settings, err := demoSettings(dataDir)
	if err != nil {
		return err
	}
	srv, err := startServer(ctx, settings, slog.New(slog.NewTextHandler(t.err, &slog.HandlerOptions{Level: slog.LevelWarn})))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, srv.Close()) }()
	bootstrap := bootstrapOptions{node: "demo-1", cluster: "demo", xds: srv.xdsAddress, backoff: 100 * time.Millisecond, backoffMax: time.Second}
	text, err := bootstrap.yaml()
	if err != nil {
		return err
	}
	cfg.API, cfg.Bootstrap = srv.apiURL, string(text)
	cfg.Acknowledged = func(ctx context.Context, v deltaplane.Version) error { return acknowledged(ctx, srv, v) }
	return demo.Run(ctx, cfg)
}

// demoSettings are serve's defaults on free ports, whatever the environment
// says: it may be that of a real server, which a demo must not touch.
func demoSettings(dataDir string) (settings, error) {
	flags := pflag.NewFlagSet("demo", pflag.ContinueOnError)
	settingFlags(flags)
	args := []string{"--xds-address=127.0.0.1:0", "--api-address=127.0.0.1:0", "--data-dir=" + dataDir, "--drain-timeout=2s"}
	if err := flags.Parse(args); err != nil {
		return settings{}, err
	}
	return flagSettings(flags, koanf.New("."))
}

// acknowledged waits until every connected Envoy has accepted v.
func acknowledged(ctx context.Context, srv *server, v deltaplane.Version) error {
	missing, err := srv.fleet.Wait(ctx, v)
	for _, node := range missing {
		for _, t := range node.Types {
			if t.Refusal != nil {
				return fmt.Errorf("%s refused a %s (%w): %s", node.Node, t.Type.Short(), err, t.Refusal.Detail)
			}
		}
	}
	return err
}
