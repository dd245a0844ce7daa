package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"sync"

	"github.com/spf13/cobra"

	"github.com/deltaplane/deltaplane/internal/footprint"
)

func (t *terminal) serveCommand() *cobra.Command {
	var config string
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the control plane",
		Long: `Run the control plane: xDS for the proxies, and the API for deltaplane's other
commands. Without any option it keeps its own etcd in ./deltaplane-data and
listens on loopback.

Every option may also be given in the environment (DELTAPLANE_XDS_ADDRESS) or
in a YAML file (xds-address: …); flags beat the environment, which beats the
file. The first Ctrl-C drains the streams, a second one ends at once. GOGC and
GOMEMLIMIT are heard; without them memory is kept small at some cost of CPU.`,
		Example: `  deltaplane serve
  deltaplane serve --config deltaplane.yaml --log-format json
  deltaplane serve --xds-address :18000 --tls-cert cp.pem --tls-key cp.key --tls-client-ca proxies.pem`,
		Args: cobra.NoArgs,
	}
	settingFlags(cmd.Flags())
	cmd.Flags().StringVar(&config, "config", envOr("DELTAPLANE_CONFIG", ""), "YAML file with these options (DELTAPLANE_CONFIG)")
	cmd.RunE = action(func(cmd *cobra.Command, _ []string) error {
		s, err := readSettings(cmd.Flags(), config)
		if err != nil {
			return err
		}
		log, err := newLogger(t.err, s.LogFormat, s.LogLevel)
		if err != nil {
			return err
		}
		return serve(cmd.Context(), s, log)
	})
	return cmd
}

// serve runs until ctx ends or a listener fails.
func serve(ctx context.Context, s settings, log *slog.Logger) error {
	whole, cancel := context.WithCancel(context.WithoutCancel(ctx)) // it drains after ctx
	var keeping sync.WaitGroup
	keeping.Go(func() { footprint.Keep(whole) })
	defer keeping.Wait()
	defer cancel()
	srv, err := startServer(ctx, s, log)
	if err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		log.Info("draining; interrupt again to end at once", "timeout", s.DrainTimeout)
		err = nil
	case err = <-srv.failed:
	}
	if closing := srv.Close(); err == nil {
		err = closing
	}
	log.Info("stopped")
	return err
}

func newLogger(w io.Writer, format, level string) (*slog.Logger, error) {
	var least slog.Level
	if err := least.UnmarshalText([]byte(level)); err != nil {
		return nil, usageError{fmt.Sprintf("--log-level %q: expected debug, info, warn or error", level)}
	}
	options := &slog.HandlerOptions{Level: least}
	switch format {
	case "text":
		return slog.New(slog.NewTextHandler(w, options)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(w, options)), nil
	}
	return nil, usageError{fmt.Sprintf("--log-format %q: expected text or json", format)}
}
