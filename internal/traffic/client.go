package traffic

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// answerLimit bounds what is read of a response body.
const answerLimit = 64 << 10

// Request is what distinguishes one request from another.
type Request struct {
	Host   string // the authority
	Path   string
	Header http.Header
}

// Answer is what came back.
type Answer struct {
	Status int
	Body   string
	At     time.Time // when all of it was there
}

// Client makes GET requests to one address over connections that it keeps,
// like any service would: where a server ends an idle connection just as a
// request goes out, the request is made again on another one (RFC 9110, 9.2.2).
type Client struct {
	http   *http.Client
	scheme string
}

// NewClient makes a client whose connections all lead to address, host:port,
// and are at most conns. With config, they are TLS.
func NewClient(address string, conns int, config *tls.Config) *Client {
	dialer := &net.Dialer{Timeout: 5 * time.Second}
	transport := &http.Transport{
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, network, address)
		},
		TLSClientConfig:     config,
		MaxIdleConnsPerHost: conns,
		MaxConnsPerHost:     conns,
		IdleConnTimeout:     time.Minute,
	}
	c := &Client{http: &http.Client{Transport: transport, Timeout: 15 * time.Second}, scheme: "http"}
	c.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if config != nil {
		c.scheme = "https"
	}
	return c
}

// Do makes one request.
func (c *Client) Do(ctx context.Context, r Request) (Answer, error) {
	// The URL names the address's place alone, so that all hosts share the
	// connections; the authority goes into Host.
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.scheme+"://proxy"+r.Path, nil)
	if err != nil {
		return Answer{}, err
	}
	req.Host = r.Host
	if r.Header != nil {
		req.Header = r.Header.Clone()
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return Answer{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, answerLimit))
	if err != nil {
		return Answer{}, fmt.Errorf("response body: %w", err)
	}
	return Answer{Status: resp.StatusCode, Body: string(body), At: time.Now()}, nil
}

// Close ends the idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }
