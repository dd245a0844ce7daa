package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/deltaplane/deltaplane/api"
	"github.com/deltaplane/deltaplane/internal/telemetry"
)

// client calls a server's API. Its fields are set by flags.
type client struct {
	server    string
	tokenFile string
	ca        string
}

// clientFlags adds the flags that all commands have which talk to a server.
func clientFlags(cmd *cobra.Command) *client {
	c := &client{}
	cmd.Flags().StringVar(&c.server, "server", envOr("DELTAPLANE_SERVER", "http://127.0.0.1:18001"), "the API's URL (DELTAPLANE_SERVER)")
	cmd.Flags().StringVar(&c.tokenFile, "token-file", envOr("DELTAPLANE_TOKEN_FILE", ""), "file with an API token; DELTAPLANE_TOKEN holds one itself")
	cmd.Flags().StringVar(&c.ca, "ca", envOr("DELTAPLANE_CA", ""), "certificate authority of the server, PEM (DELTAPLANE_CA)")
	return c
}

func envOr(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}

// serverError is an answer with a status of 400 or more.
type serverError struct {
	api.Failure
	status int
}

func (e *serverError) Error() string { return e.Failure.Error }

// request is one call. Empty query values are left out.
type request struct {
	method      string
	path        []string // segments, escaped here
	query       map[string]string
	body        io.Reader
	contentType string
}

// longestAnswer is for how long an answer is awaited, beyond what the request
// itself waits for: the server gives up after half of it.
const longestAnswer = time.Minute

// largeBody is from where on the server is asked before a body is sent.
const largeBody = 1 << 20

// call sends req and decodes the answer into v: JSON, or as it is into a *[]byte.
func (c *client) call(ctx context.Context, req request, v any) error {
	limit := longestAnswer
	if wait, err := time.ParseDuration(req.query["wait"]); err == nil {
		limit += wait
	}
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("no answer from %s within %s", c.server, limit))
	defer cancel()
	answer, err := c.send(ctx, req)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	if err != nil {
		return fmt.Errorf("answer of %s: %w", c.server, err)
	}
	if raw, ok := v.(*[]byte); ok {
		*raw = data
		return nil
	}
	if err := json.Unmarshal(data, v); err != nil {
		return fmt.Errorf("answer of %s is not what deltaplane sends (is it another server?): %w", c.server, err)
	}
	return nil
}

// send returns an answer below 400, whose body the caller closes.
func (c *client) send(ctx context.Context, req request) (*http.Response, error) {
	hr, err := c.httpRequest(ctx, req)
	if err != nil {
		return nil, err
	}
	transport, err := c.transport()
	if err != nil {
		return nil, err
	}
	answer, err := (&http.Client{Transport: transport}).Do(hr)
	if err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if unwrapped, ok := errors.AsType[*url.Error](err); ok {
			err = unwrapped.Err
		}
		return nil, fmt.Errorf("no answer from %s: start it with \"deltaplane serve\", or name another with --server: %w", c.server, err)
	}
	if answer.StatusCode < 400 {
		return answer, nil
	}
	defer answer.Body.Close()
	failure := &serverError{status: answer.StatusCode}
	data, _ := io.ReadAll(io.LimitReader(answer.Body, 64<<20)) // what came is better than nothing
	if json.Unmarshal(data, &failure.Failure) != nil || failure.Failure.Error == "" {
		failure.Failure.Error = fmt.Sprintf("%s answers %s: %.200s", c.server, answer.Status, data)
	}
	return nil, failure
}

func (c *client) httpRequest(ctx context.Context, req request) (*http.Request, error) {
	base, err := url.Parse(c.server)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, usageError{fmt.Sprintf("--server %q: expected http://HOST:PORT or https://HOST:PORT", c.server)}
	}
	segments := make([]string, len(req.path))
	for i, s := range req.path {
		segments[i] = url.PathEscape(s)
		if s == "." || s == ".." { // a name, not a step in the path
			segments[i] = strings.ReplaceAll(s, ".", "%2E")
		}
	}
	query := url.Values{}
	for name, value := range req.query {
		if value != "" {
			query.Set(name, value)
		}
	}
	target := strings.TrimRight(c.server, "/") + "/v1/" + strings.Join(segments, "/")
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	hr, err := http.NewRequestWithContext(ctx, req.method, target, req.body)
	if err != nil {
		return nil, err
	}
	if req.contentType != "" {
		hr.Header.Set("Content-Type", req.contentType)
	}
	if hr.ContentLength > largeBody {
		hr.Header.Set("Expect", "100-continue") // or the answer to a body that is too large is lost while it is written
	}
	telemetry.Inject(ctx, hr.Header)
	hr.Header.Set("User-Agent", "deltaplane/"+version)
	token, err := c.token()
	if err != nil {
		return nil, err
	}
	if token != "" {
		hr.Header.Set("Authorization", "Bearer "+token)
	}
	return hr, nil
}

func (c *client) transport() (*http.Transport, error) {
	// One request per process: nothing must stay behind.
	transport := &http.Transport{DisableKeepAlives: true, Proxy: http.ProxyFromEnvironment, ExpectContinueTimeout: time.Second}
	if c.ca == "" {
		return transport, nil
	}
	pem, err := os.ReadFile(c.ca)
	if err != nil {
		return nil, fmt.Errorf("--ca: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("--ca %s: no PEM certificate in it", c.ca)
	}
	transport.TLSClientConfig = &tls.Config{RootCAs: pool}
	return transport, nil
}

// token is the first one of the token file, or DELTAPLANE_TOKEN.
func (c *client) token() (string, error) {
	if c.tokenFile == "" {
		return os.Getenv("DELTAPLANE_TOKEN"), nil
	}
	data, err := os.ReadFile(c.tokenFile)
	if err != nil {
		return "", fmt.Errorf("--token-file: %w", err)
	}
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if _, secret, named := strings.Cut(line, ":"); named {
			return strings.TrimSpace(secret), nil
		}
		return line, nil
	}
	return "", fmt.Errorf("--token-file %s: no token in it", c.tokenFile)
}
