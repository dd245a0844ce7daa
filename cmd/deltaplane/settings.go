package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/env/v2"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/providers/posflag"
	"github.com/knadh/koanf/v2"
	"github.com/spf13/pflag"

	"github.com/deltaplane/deltaplane/api"
	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/shape"
)

// settings are what serve can be told. Each is a flag, an environment variable
// (DELTAPLANE_XDS_ADDRESS) and a key of the YAML file (xds-address); a flag
// beats the environment, which beats the file.
type settings struct {
	XDSAddress         string        `koanf:"xds-address"`
	APIAddress         string        `koanf:"api-address"`
	DataDir            string        `koanf:"data-dir"`
	EtcdEndpoints      []string      `koanf:"etcd-endpoints"`
	EtcdCA             string        `koanf:"etcd-ca"`
	EtcdCert           string        `koanf:"etcd-cert"`
	EtcdKey            string        `koanf:"etcd-key"`
	EtcdPrefix         string        `koanf:"etcd-prefix"`
	EtcdQuotaBytes     int64         `koanf:"etcd-quota-bytes"`
	HistoryCommits     int           `koanf:"history-commits"`
	HistoryAge         time.Duration `koanf:"history-age"`
	TLSCert            string        `koanf:"tls-cert"`
	TLSKey             string        `koanf:"tls-key"`
	TLSClientCA        string        `koanf:"tls-client-ca"`
	NodeIdentities     []string      `koanf:"node-identity"`
	Insecure           bool          `koanf:"insecure"`
	TokenFile          string        `koanf:"token-file"`
	LogFormat          string        `koanf:"log-format"`
	LogLevel           string        `koanf:"log-level"`
	OTLPEndpoint       string        `koanf:"otlp-endpoint"`
	DrainTimeout       time.Duration `koanf:"drain-timeout"`
	EnvoyDrain         time.Duration `koanf:"envoy-drain"`
	LeafDrain          time.Duration `koanf:"leaf-drain"`
	LoadReportInterval time.Duration `koanf:"load-report-interval"`
	MaxResourceBytes   int           `koanf:"max-resource-bytes"`
	AllowOpaqueTypes   bool          `koanf:"allow-opaque-types"`
	AllowUnknown       bool          `koanf:"allow-unknown"`
	Watch              []string      `koanf:"watch"`
	WatchSettle        time.Duration `koanf:"watch-settle"`
	WatchEtcd          []string      `koanf:"watch-etcd"`
	WatchEtcdServers   []string      `koanf:"watch-etcd-endpoints"`
}

// settingFlags adds serve's flags, with the defaults.
func settingFlags(f *pflag.FlagSet) {
	f.String("xds-address", "127.0.0.1:18000", "where xDS listens (gRPC); port 0 takes a free one")
	f.String("api-address", "127.0.0.1:18001", "where the API listens, with /metrics, /healthz, /readyz and /debug/pprof")
	f.String("data-dir", "deltaplane-data", "embedded etcd and the snapshot on disk")
	f.StringSlice("etcd-endpoints", nil, "an external etcd cluster instead of the embedded one")
	f.String("etcd-ca", "", "certificate authority of the external etcd")
	f.String("etcd-cert", "", "client certificate for the external etcd")
	f.String("etcd-key", "", "its key")
	f.String("etcd-prefix", "/deltaplane/", "of all keys in etcd")
	f.Int64("etcd-quota-bytes", 2<<30, "space that etcd may take; history takes at most a quarter of it")
	f.Int("history-commits", 1000, "commits kept at most")
	f.Duration("history-age", 30*24*time.Hour, "age of commits kept at most")
	f.String("tls-cert", "", "certificate of both listeners, PEM; read again when it changes")
	f.String("tls-key", "", "its key")
	f.String("tls-client-ca", "", "proxies need a certificate of this authority")
	f.StringSlice("node-identity", nil, "SAN=NODE: whose certificate has this name may be this node; a * in SAN is what a * in NODE stands for; default: any proxy may be any node")
	f.Bool("insecure", false, "allow addresses other than loopback without TLS, client certificates or API tokens")
	f.String("token-file", "", "API tokens, one per line: SECRET or NAME:SECRET; the name becomes the author of commits")
	f.String("log-format", "text", "text or json")
	f.String("log-level", "info", "debug, info, warn or error")
	f.String("otlp-endpoint", "", "URL of an OpenTelemetry receiver (OTLP) for traces of commits; the OTEL_… environment works as well; default: no traces")
	f.Duration("drain-timeout", 10*time.Second, "how long open streams and requests may take at the end")
	f.Duration("envoy-drain", 5*time.Second, "how long at most clusters outlive the listeners and routes that lead to them, for connections that Envoy drains; its own --drain-time-s, if those may be slow")
	f.Duration("leaf-drain", shape.DefaultDrain, "how long parts of split tables outlive the listeners that lead to them: more than Envoys' --drain-time-s")
	f.Duration("load-report-interval", 10*time.Second, "how often Envoys report the load of their upstreams, those whose bootstrap says so (bootstrap --load-reports)")
	f.Int("max-resource-bytes", 4<<20, "largest resource, in bytes of its canonical form")
	f.Bool("allow-opaque-types", false, "keep Any values of types that this build does not know, unchecked")
	f.Bool("allow-unknown", false, "keep fields that this build does not know, unchecked")
	f.StringArray("watch", nil, "a directory whose *.yaml, *.yml and *.json are kept in the store: DIR[,namespace=NAME][,owner=NAME][,allow-shrink]; may be repeated")
	f.StringArray("watch-etcd", nil, "a prefix of etcd keys whose values are kept in the store: PREFIX[,namespace=NAME][,owner=NAME][,allow-shrink]; may be repeated")
	f.StringSlice("watch-etcd-endpoints", nil, "the etcd cluster of --watch-etcd, with the files of --etcd-ca, --etcd-cert and --etcd-key; default: the store's own")
	f.Duration("watch-settle", 200*time.Millisecond, "how long a watched directory must be left alone before it is read")
}

const environment = "DELTAPLANE_"

// readSettings merges defaults, the file at path (if any), the environment and
// the flags. Keys of the file that no flag has are errors.
func readSettings(flags *pflag.FlagSet, path string) (settings, error) {
	var s settings
	k := koanf.New(".")
	if path != "" {
		if err := k.Load(file.Provider(path), yaml.Parser()); err != nil {
			return s, fmt.Errorf("--config %s: %w", path, err)
		}
		if err := knownKeys(k, flags); err != nil {
			return s, fmt.Errorf("--config %s: %w", path, err)
		}
	}
	fromEnv := env.Provider(".", env.Opt{Prefix: environment, TransformFunc: func(name, value string) (string, any) {
		key := strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(name, environment)), "_", "-")
		if flags.Lookup(key) == nil || value == "" {
			return "", nil
		}
		return key, value
	}})
	if err := k.Load(fromEnv, nil); err != nil {
		return s, fmt.Errorf("environment: %w", err)
	}
	return flagSettings(flags, k)
}

// flagSettings merges defaults, what k has, and the flags.
func flagSettings(flags *pflag.FlagSet, k *koanf.Koanf) (s settings, err error) {
	if err := k.Load(posflag.Provider(flags, ".", k), nil); err != nil {
		return s, err
	}
	if err := k.Unmarshal("", &s); err != nil {
		return s, usageError{strings.Join(strings.Fields(err.Error()), " ")}
	}
	s.EtcdEndpoints, s.WatchEtcdServers = separate(s.EtcdEndpoints, ","), separate(s.WatchEtcdServers, ",")
	s.NodeIdentities = separate(s.NodeIdentities, ",")
	s.Watch, s.WatchEtcd = separate(s.Watch, ";"), separate(s.WatchEtcd, ";")
	return s, s.check()
}

// separate takes apart what a variable has in one string.
func separate(list []string, separator string) []string {
	if all := strings.Join(list, separator); all != "" {
		return strings.Split(all, separator)
	}
	return nil
}

func knownKeys(k *koanf.Koanf, flags *pflag.FlagSet) error {
	var unknown []string
	for _, key := range k.Keys() {
		if flags.Lookup(key) == nil || key == "config" || key == "help" {
			unknown = append(unknown, key)
		}
	}
	if unknown == nil {
		return nil
	}
	slices.Sort(unknown)
	return usageError{fmt.Sprintf("unknown keys: %s; the keys are the names of the flags of deltaplane serve", strings.Join(unknown, ", "))}
}

// identities are the rules of --node-identity; nil without any.
func (s *settings) identities() (identities, error) {
	var rules identities
	for _, text := range s.NodeIdentities {
		rule, err := parseIdentityRule(text)
		if err != nil {
			return nil, err
		}
		rules = append(rules, rule)
	}
	return rules, nil
}

// check refuses combinations that would be unsafe, or mean nothing.
func (s *settings) check() error {
	if (s.TLSCert == "") != (s.TLSKey == "") {
		return usageError{"--tls-cert and --tls-key belong together"}
	}
	if s.TLSClientCA != "" && s.TLSCert == "" {
		return usageError{"--tls-client-ca needs --tls-cert and --tls-key"}
	}
	if _, err := s.identities(); err != nil {
		return err
	}
	if len(s.NodeIdentities) > 0 && s.TLSClientCA == "" {
		return usageError{"--node-identity needs --tls-client-ca"}
	}
	if (s.EtcdCert == "") != (s.EtcdKey == "") {
		return usageError{"--etcd-cert and --etcd-key belong together"}
	}
	for _, listener := range []struct{ flag, address string }{{"--xds-address", s.XDSAddress}, {"--api-address", s.APIAddress}} {
		if _, _, err := net.SplitHostPort(listener.address); err != nil {
			return usageError{fmt.Sprintf("%s %q: expected HOST:PORT", listener.flag, listener.address)}
		}
	}
	for _, amount := range []struct {
		flag  string
		value int64
	}{
		{"--etcd-quota-bytes", s.EtcdQuotaBytes}, {"--history-commits", int64(s.HistoryCommits)},
		{"--history-age", int64(s.HistoryAge)}, {"--max-resource-bytes", int64(s.MaxResourceBytes)},
		{"--watch-settle", int64(s.WatchSettle)}, {"--envoy-drain", int64(s.EnvoyDrain)}, {"--leaf-drain", int64(s.LeafDrain)},
	} {
		if amount.value <= 0 {
			return usageError{amount.flag + ": expected more than 0"}
		}
	}
	if s.LoadReportInterval < 100*time.Millisecond {
		return usageError{"--load-report-interval: expected at least 100ms"}
	}
	if _, err := s.watches(); err != nil {
		return err
	}
	if s.Insecure {
		return nil
	}
	if !api.LoopbackHost(s.XDSAddress) && s.TLSClientCA == "" {
		return usageError{fmt.Sprintf("--xds-address %s is not loopback: it needs --tls-cert, --tls-key and --tls-client-ca, or --insecure if anybody may read the configuration with its secrets", s.XDSAddress)}
	}
	if !api.LoopbackHost(s.APIAddress) && (s.TLSCert == "" || s.TokenFile == "") {
		return usageError{fmt.Sprintf("--api-address %s is not loopback: it needs --tls-cert, --tls-key and --token-file, or --insecure if anybody may change the configuration", s.APIAddress)}
	}
	return nil
}

func (s *settings) decoder() resource.Decoder {
	return resource.Decoder{MaxResourceBytes: s.MaxResourceBytes, AllowOpaqueTypes: s.AllowOpaqueTypes, AllowUnknown: s.AllowUnknown}
}

// tokens reads the token file; none without one.
func (s *settings) tokens() (api.Tokens, error) {
	if s.TokenFile == "" {
		return nil, nil
	}
	data, err := os.ReadFile(s.TokenFile)
	if err != nil {
		return nil, fmt.Errorf("--token-file: %w", err)
	}
	tokens, err := api.ParseTokens(data)
	if err != nil {
		return nil, fmt.Errorf("--token-file %s: %w", s.TokenFile, err)
	}
	return tokens, nil
}

// etcdTLS is for an external etcd; nil when no file is named.
func (s *settings) etcdTLS() (*tls.Config, error) {
	if s.EtcdCA == "" && s.EtcdCert == "" {
		return nil, nil
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if s.EtcdCA != "" {
		pool, err := readPool(s.EtcdCA)
		if err != nil {
			return nil, fmt.Errorf("--etcd-ca: %w", err)
		}
		config.RootCAs = pool
	}
	if s.EtcdCert != "" {
		pair, err := tls.LoadX509KeyPair(s.EtcdCert, s.EtcdKey)
		if err != nil {
			return nil, fmt.Errorf("--etcd-cert: %w", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}

func readPool(path string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, errors.New(path + ": no PEM certificate in it")
	}
	return pool, nil
}
