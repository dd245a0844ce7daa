package telemetry

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdk "go.opentelemetry.io/otel/sdk/trace"
)

// mortal is an exporter that gives up at once when its life ends: a batch
// that is being sent again and again would hold up the shutdown.
type mortal struct {
	sdk.SpanExporter
	life  context.Context // it is a life, not a call's context
	after func()          // nil, or to be called at the end
}

// ExportSpans sends spans unless the life has ended.
func (m mortal) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(m.life, func() { cancel(context.Cause(m.life)) })()
	return m.SpanExporter.ExportSpans(ctx, spans)
}

// Shutdown ends the exporter and what it holds open.
func (m mortal) Shutdown(ctx context.Context) error {
	err := m.SpanExporter.Shutdown(ctx)
	if m.after != nil {
		m.after()
	}
	return err
}

// newExporter makes the exporter for a protocol. It connects when there is
// something to send.
func newExporter(ctx, life context.Context, protocol string, cfg Config) (sdk.SpanExporter, error) {
	if protocol == overGRPC {
		var options []otlptracegrpc.Option
		if cfg.Endpoint != "" {
			options = append(options, otlptracegrpc.WithEndpointURL(cfg.Endpoint))
		}
		if cfg.Once {
			options = append(options, otlptracegrpc.WithRetry(otlptracegrpc.RetryConfig{}))
		}
		exporter, err := otlptracegrpc.New(ctx, options...)
		return mortal{exporter, life, nil}, err
	}
	client, err := httpClient()
	if err != nil {
		return nil, err
	}
	options := []otlptracehttp.Option{otlptracehttp.WithHTTPClient(client)}
	if cfg.Once {
		options = append(options, otlptracehttp.WithRetry(otlptracehttp.RetryConfig{}))
	}
	if cfg.Endpoint != "" {
		target, err := url.JoinPath(cfg.Endpoint, "v1", "traces")
		if err != nil {
			return nil, fmt.Errorf("OTLP endpoint %q: %w", cfg.Endpoint, err)
		}
		options = append(options, otlptracehttp.WithEndpointURL(target))
	}
	exporter, err := otlptrace.New(ctx, otlptracehttp.NewClient(options...))
	return mortal{exporter, life, client.CloseIdleConnections}, err
}

// httpClient is one of our own, since the exporter's leaves connections open
// when it is shut down. OpenTelemetry's variables say what it trusts.
func httpClient() (*http.Client, error) {
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, IdleConnTimeout: time.Minute}
	config, err := tlsConfig()
	if err != nil {
		return nil, err
	}
	transport.TLSClientConfig = config
	timeout := 10 * time.Second // as specified
	if text := first("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT"); text != "" {
		ms, err := strconv.Atoi(text)
		if err != nil || ms <= 0 {
			return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_TIMEOUT=%s: expected milliseconds", text)
		}
		timeout = time.Duration(ms) * time.Millisecond
	}
	return &http.Client{Transport: transport, Timeout: timeout}, nil
}

func tlsConfig() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if file := first("OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", "OTEL_EXPORTER_OTLP_CERTIFICATE"); file != "" {
		pem, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_CERTIFICATE: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_CERTIFICATE: no PEM certificate in %s", file)
		}
	}
	cert := first("OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE", "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE")
	key := first("OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY", "OTEL_EXPORTER_OTLP_CLIENT_KEY")
	if cert == "" && key == "" {
		return config, nil
	}
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: %w", err)
	}
	config.Certificates = []tls.Certificate{pair}
	return config, nil
}
