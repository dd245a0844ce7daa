package probe

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// patience is how long one request may take.
const patience = 10 * time.Second

// bodyLimit bounds what is read of an answer's body.
const bodyLimit = 4 << 10

// Target is what to ask for.
type Target struct {
	Host string // the authority
	Path string
}

// Answer is what came of one request.
type Answer struct {
	Status         int
	Body           string
	Server         string // of the header
	Version        uint64 // of the configuration that sent the request, where the backend says it
	Sent, Received time.Time
}

// Conn makes requests to one address, one at a time, on a connection that it
// keeps. It is for one goroutine.
type Conn struct {
	address string
	labels  Labels
	count   uint64

	conn net.Conn // nil: none is open
	in   *bufio.Reader
	out  []byte
}

// Labels say in headers what a request is for.
type Labels struct {
	ID  string // x-benchmark-id, and the start of x-request-id
	SLA string // x-sla-target, like 50ms
}

// NewConn makes a Conn that opens its connection with its first request. The
// caller must call Close.
func NewConn(address string, l Labels) *Conn { return &Conn{address: address, labels: l} }

// Do makes a GET request. A connection that the proxy closed before it took
// the request is no failure: the request goes out again on a new one (RFC
// 9110, 9.2.2).
func (c *Conn) Do(t Target) (Answer, error) {
	kept := c.conn != nil
	a, begun, err := c.try(t)
	if err != nil {
		c.Close()
		if kept && !begun {
			if a, _, err = c.try(t); err != nil {
				c.Close()
			}
		}
	}
	return a, err
}

// try makes the request on the open connection, or a new one. begun says that
// some of an answer came.
func (c *Conn) try(t Target) (a Answer, begun bool, err error) {
	a.Sent = time.Now()
	if c.conn == nil {
		if err := c.open(); err != nil {
			return a, false, err
		}
	}
	c.count++
	c.out = fmt.Appendf(c.out[:0], "GET %s HTTP/1.1\r\nHost: %s\r\nx-request-id: %s-%d\r\nx-sla-target: %s\r\nx-benchmark-id: %s\r\n\r\n",
		t.Path, t.Host, c.labels.ID, c.count, c.labels.SLA, c.labels.ID)
	if err := c.conn.SetDeadline(a.Sent.Add(patience)); err != nil {
		return a, false, err
	}
	if _, err := c.conn.Write(c.out); err != nil {
		return a, false, err
	}
	if _, err := c.in.Peek(1); err != nil {
		var slow net.Error
		return a, errors.As(err, &slow) && slow.Timeout(), fmt.Errorf("no answer: %w", err)
	}
	resp, err := http.ReadResponse(c.in, nil)
	if err != nil {
		return a, true, fmt.Errorf("answer: %w", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, bodyLimit))
	if err != nil {
		return a, true, fmt.Errorf("answer's body: %w", err)
	}
	a.Status, a.Body, a.Server, a.Received = resp.StatusCode, string(body), resp.Header.Get("Server"), time.Now()
	if resp.Close {
		c.Close()
	}
	return a, true, nil
}

func (c *Conn) open() error {
	conn, err := net.DialTimeout("tcp", c.address, patience)
	if err != nil {
		return err
	}
	// Ended by a reset: a probe opens thousands of connections, and none
	// should occupy its port for a minute.
	if err := conn.(*net.TCPConn).SetLinger(0); err != nil {
		conn.Close()
		return err
	}
	c.conn = conn
	if c.in == nil {
		c.in = bufio.NewReaderSize(nil, 4<<10)
	}
	c.in.Reset(conn)
	return nil
}

// Close ends the connection. The next request opens another one.
func (c *Conn) Close() {
	if c.conn != nil {
		c.conn.Close()
		c.conn = nil
	}
}
