package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/deltaplane/deltaplane/resource"
)

// bootstrapOptions say what Envoy's bootstrap should hold.
type bootstrapOptions struct {
	node, cluster         string
	region, zone, subZone string
	metadata              []string // key=value
	xds                   string   // host:port
	sotw                  bool
	adminPort             uint16
	tlsCA, tlsCert        string
	tlsKey, tlsName       string
	backoff, backoffMax   time.Duration
	loadReports           bool
	clusters, listeners   string // names of glob collections
}

func (t *terminal) bootstrapCommand() *cobra.Command {
	var o bootstrapOptions
	cmd := &cobra.Command{
		Use:   "bootstrap",
		Short: "Print an Envoy bootstrap for this control plane",
		Long: `Print an Envoy bootstrap for this control plane: everything over one ADS stream
(delta, or with --sotw state-of-the-world), keepalive, reconnect with backoff,
a runtime layer over RTDS named "rtds0", and Envoy's admin on loopback.`,
		Example: `  deltaplane bootstrap --node-id edge-1 --cluster edge > envoy.yaml
  deltaplane bootstrap --node-id edge-1 --xds cp.internal:18000 --tls-ca ca.pem --tls-cert edge.pem --tls-key edge.key
  envoy -c envoy.yaml`,
		Args: cobra.NoArgs,
	}
	f := cmd.Flags()
	f.StringVar(&o.node, "node-id", "envoy-1", "the proxy's own name; fleets select on it")
	f.StringVar(&o.cluster, "cluster", "envoy", "the group that the proxy belongs to; fleets select on it")
	f.StringVar(&o.region, "region", "", "locality: region")
	f.StringVar(&o.zone, "zone", "", "locality: zone")
	f.StringVar(&o.subZone, "sub-zone", "", "locality: sub-zone")
	f.StringArrayVar(&o.metadata, "metadata", nil, "node metadata as KEY=VALUE; JSON values keep their type; may be repeated")
	f.Uint16Var(&o.adminPort, "admin-port", 9901, "of Envoy's admin on 127.0.0.1; 0 takes a free one")
	f.StringVar(&o.clusters, "cluster-collection", "", "take the clusters of this xdstp:// collection rather than all")
	f.StringVar(&o.listeners, "listener-collection", "", "likewise for listeners")
	f.BoolVar(&o.loadReports, "load-reports", false, "report the load of upstream clusters to the control plane, for status and metrics")
	connectionFlags(f, &o)
	cmd.RunE = action(func(*cobra.Command, []string) error {
		if err := o.check(); err != nil {
			return err
		}
		text, err := o.yaml()
		if err != nil {
			return err
		}
		_, err = t.out.Write(text)
		return err
	})
	return cmd
}

// connectionFlags adds the flags that say how Envoy reaches the control plane.
func connectionFlags(f *pflag.FlagSet, o *bootstrapOptions) {
	f.StringVar(&o.xds, "xds", "127.0.0.1:18000", "HOST:PORT where deltaplane serves xDS")
	f.BoolVar(&o.sotw, "sotw", false, "state-of-the-world instead of delta")
	f.StringVar(&o.tlsCA, "tls-ca", "", "file with the authority of the control plane's certificate; turns on TLS")
	f.StringVar(&o.tlsCert, "tls-cert", "", "file with the proxy's certificate")
	f.StringVar(&o.tlsKey, "tls-key", "", "file with its key")
	f.StringVar(&o.tlsName, "tls-server-name", "", "name in the control plane's certificate (default the host of --xds)")
	f.DurationVar(&o.backoff, "backoff", 100*time.Millisecond, "reconnect: upper end of the first, random delay")
	f.DurationVar(&o.backoffMax, "backoff-max", 5*time.Second, "reconnect: upper end of the longest delay")
}

func (o *bootstrapOptions) check() error {
	if o.node == "" || o.cluster == "" {
		return usageError{"--node-id and --cluster must not be empty: Envoy refuses to start without them"}
	}
	if _, err := o.metadataStruct(); err != nil {
		return usageError{err.Error()}
	}
	if err := o.checkCollections(); err != nil {
		return usageError{err.Error()}
	}
	return o.checkConnection()
}

// checkCollections checks the names of collections, and makes them canonical.
func (o *bootstrapOptions) checkCollections() (err error) {
	if o.sotw && o.clusters+o.listeners != "" {
		return errors.New("--cluster-collection and --listener-collection need the incremental protocol: leave --sotw out")
	}
	if o.clusters != "" {
		if o.clusters, err = resource.ParseCollection(resource.Cluster, o.clusters); err != nil {
			return fmt.Errorf("--cluster-collection: %w", err)
		}
	}
	if o.listeners != "" {
		if o.listeners, err = resource.ParseCollection(resource.Listener, o.listeners); err != nil {
			return fmt.Errorf("--listener-collection: %w", err)
		}
	}
	return nil
}

func (o *bootstrapOptions) checkConnection() error {
	if _, _, err := o.address(); err != nil {
		return usageError{err.Error()}
	}
	if (o.tlsCert == "") != (o.tlsKey == "") {
		return usageError{"--tls-cert and --tls-key belong together"}
	}
	if o.tlsCert != "" && o.tlsCA == "" {
		return usageError{"--tls-cert needs --tls-ca: without it the proxy would trust any server"}
	}
	if o.backoff < time.Millisecond || o.backoffMax < o.backoff {
		return usageError{"--backoff must be at least 1ms, and --backoff-max not less"}
	}
	return nil
}

func (o *bootstrapOptions) address() (host string, port uint32, err error) {
	host, text, err := net.SplitHostPort(o.xds)
	if err != nil {
		return "", 0, fmt.Errorf("--xds %q: expected HOST:PORT", o.xds)
	}
	number, err := strconv.ParseUint(text, 10, 16)
	if err != nil || number == 0 || host == "" {
		return "", 0, fmt.Errorf("--xds %q: expected HOST:PORT with a port from 1 to 65535", o.xds)
	}
	return host, uint32(number), nil
}

// metadataStruct reads KEY=VALUE pairs. What parses as JSON keeps its type,
// anything else is a string.
func (o *bootstrapOptions) metadataStruct() (*structpb.Struct, error) {
	if len(o.metadata) == 0 {
		return nil, nil
	}
	fields := map[string]any{}
	for _, pair := range o.metadata {
		key, text, ok := strings.Cut(pair, "=")
		if !ok || key == "" {
			return nil, fmt.Errorf("--metadata %q: expected KEY=VALUE", pair)
		}
		var value any
		if json.Unmarshal([]byte(text), &value) != nil {
			value = text
		}
		fields[key] = value
	}
	return structpb.NewStruct(fields)
}
