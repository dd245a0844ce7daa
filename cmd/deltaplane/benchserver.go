package main

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"time"

	"github.com/spf13/pflag"

	"github.com/deltaplane/deltaplane/bench"
	"github.com/deltaplane/deltaplane/bench/plane"
)

// serverOptions are the flags of bench for a control plane that runs already.
type serverOptions struct {
	api       client
	xds       string
	namespace string
	tls       bootstrapOptions // of its xDS
}

func (o *serverOptions) flags(f *pflag.FlagSet) {
	// DELTAPLANE_SERVER is not its default: a bench should not get there by accident.
	f.StringVar(&o.api.server, "server", "", "URL of the API of a running control plane, to measure it (default: one is started); what is put there stands in namespaces of its own, and is removed")
	f.StringVar(&o.xds, "xds", "", "with --server, HOST:PORT of its xDS")
	f.StringVar(&o.namespace, "namespace", "", "with --server, of the bench's resources, empty before and after; of several sides, each has one that begins so (default: deltaplane-bench-envoys)")
	f.StringVar(&o.api.ca, "ca", envOr("DELTAPLANE_CA", ""), "with --server, certificate authority of the API, PEM (DELTAPLANE_CA)")
	f.StringVar(&o.api.tokenFile, "token-file", envOr("DELTAPLANE_TOKEN_FILE", ""), "with --server, file with an API token; DELTAPLANE_TOKEN holds one itself")
	f.StringVar(&o.tls.tlsCA, "tls-ca", "", "with --server, file with the authority of the certificate that its xDS has; turns on TLS there")
	f.StringVar(&o.tls.tlsCert, "tls-cert", "", "with --server, file with the certificate of the bench's Envoys")
	f.StringVar(&o.tls.tlsKey, "tls-key", "", "with --server, file with its key")
	f.StringVar(&o.tls.tlsName, "tls-server-name", "", "with --server, name in the certificate of its xDS (default the host of --xds)")
}

// serverFlags need --server; those from the environment do not count.
var serverFlags = []string{"xds", "namespace", "ca", "token-file", "tls-ca", "tls-cert", "tls-key", "tls-server-name"}

// check is about what needs --server.
func (o *serverOptions) check(given func(flag string) bool) error {
	if given("server") {
		if o.xds == "" {
			return usageError{"--server needs --xds: HOST:PORT where that control plane serves xDS"}
		}
		return nil
	}
	for _, flag := range serverFlags {
		if given(flag) {
			return usageError{fmt.Sprintf("--%s is of a running control plane: name it with --server, too", flag)}
		}
	}
	return nil
}

// transport leads to the API. Of --server alone something is read.
func (o *serverOptions) transport() (http.RoundTripper, error) {
	token, err := o.api.token()
	if err != nil {
		return nil, err
	}
	var secure *tls.Config
	over, err := o.api.transport()
	if err == nil {
		secure = over.TLSClientConfig
	}
	return plane.Transport(token, secure), err
}

// complete puts the options into cfg, and says how its Envoys begin.
func (o *serverOptions) complete(cfg *bench.Config, given func(flag string) bool) error {
	cfg.Bootstrap = o.bootstrap
	if err := o.check(given); err != nil || !given("server") {
		return err
	}
	transport, err := o.transport()
	if err != nil {
		return err
	}
	o.tls.xds, o.tls.backoff, o.tls.backoffMax = o.xds, benchBackoff, benchBackoffMost
	if err := o.tls.checkConnection(); err != nil {
		return err
	}
	if cfg.Relay && o.tls.tlsCA != "" {
		return usageError{"--relay reads what passes: it cannot with --tls-ca"}
	}
	cfg.Server = &bench.Server{URL: o.api.server, XDS: o.xds, Transport: transport, Namespace: o.namespace}
	return nil
}

// How soon a bench's Envoys come back.
const (
	benchBackoff     = 100 * time.Millisecond
	benchBackoffMost = time.Second
)

// bootstrap is what an Envoy of the bench starts with.
func (o *serverOptions) bootstrap(xds, node, cluster string) (string, error) {
	b := o.tls
	b.node, b.cluster, b.xds, b.backoff, b.backoffMax = node, cluster, xds, benchBackoff, benchBackoffMost
	text, err := b.yaml()
	return string(text), err
}
