package traffic

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/deltaplane/deltaplane/bench/probe"
)

// Answer is what came of one request.
type Answer struct {
	probe.Answer
	Labelled bool // the labels came back as headers, as a proxy's filter returns them
	Whole    bool // the backend has got as many bytes of the body as were sent
}

// Client makes requests to one address, one at a time, on a connection that it
// keeps. It is for one goroutine.
type Client struct {
	cfg       Config
	address   string
	transport *http.Transport
}

// defaultPatience is how long one request may take.
const defaultPatience = 10 * time.Second

// bodyLimit bounds what is read of an answer's body.
const bodyLimit = 64 << 10

// NewClient makes a client that opens its connection with its first request.
// The caller must call Close.
func NewClient(address string, cfg Config) *Client {
	if cfg.Patience == 0 {
		cfg.Patience = defaultPatience
	}
	var speaks http.Protocols
	speaks.SetHTTP1(cfg.Protocol != GRPC)
	speaks.SetUnencryptedHTTP2(cfg.Protocol == GRPC)
	dialer := net.Dialer{Timeout: cfg.Patience}
	return &Client{cfg: cfg, address: address, transport: &http.Transport{
		DialContext: dialer.DialContext, Protocols: &speaks, MaxIdleConnsPerHost: 1, DisableCompression: true,
	}}
}

// Do makes the n-th request of a load.
func (c *Client) Do(ctx context.Context, n int, t probe.Target) (a Answer, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, c.cfg.Patience, fmt.Errorf("no answer within %v", c.cfg.Patience))
	defer cancel()
	req, err := c.cfg.request(ctx, c.address, n, t)
	a.Sent = time.Now()
	if err != nil {
		return a, err
	}
	resp, err := c.transport.RoundTrip(req)
	if err != nil {
		a.Received = time.Now()
		return a, fmt.Errorf("no answer: %w", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, bodyLimit))
	a.Received = time.Now()
	if err != nil {
		return a, fmt.Errorf("answer's body: %w", err)
	}
	a.Status, a.Server = resp.StatusCode, resp.Header.Get("Server")
	a.Version, _ = strconv.ParseUint(resp.Header.Get(Version), 10, 64) // 0: it says none
	a.Labelled = resp.Header.Get(RequestID) == c.cfg.ID(n) && resp.Header.Get(SLATarget) == c.cfg.Labels.SLA && resp.Header.Get(BenchmarkID) == c.cfg.Labels.ID
	a.Whole = resp.Header.Get(Received) == strconv.Itoa(len(c.cfg.Body))
	if c.cfg.Protocol == GRPC && a.Status == http.StatusOK {
		if err := callError(resp); err != nil {
			return a, err
		}
		if body, err = unframe(body); err != nil {
			return a, fmt.Errorf("answer's body: %w", err)
		}
	}
	a.Body = strings.TrimSpace(string(body))
	return a, nil
}

// Close ends the connection.
func (c *Client) Close() { c.transport.CloseIdleConnections() }
