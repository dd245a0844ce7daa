package shapefuzz

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"syscall"
	"time"
)

// client sends requests to one listener, one after the other. Not safe for
// concurrent use.
type client struct {
	address string // host:port
	conn    net.Conn
	reader  *bufio.Reader
}

// patience is how long an answer may take before there is none.
const patience = 20 * time.Second

func (c *client) close() {
	if c.conn != nil {
		c.conn.Close()
		c.conn = nil
	}
}

// send returns the answer to a request as text, without what differs each
// time: its id, times, the listener's port.
func (c *client) send(q Request, id string) string {
	_, port, _ := strings.Cut(c.address, ":")
	used := c.conn != nil
	text, err := c.try(q, q.bytes(id, port))
	if err != nil && used {
		text, err = c.try(q, q.bytes(id, port)) // the connection was closed meanwhile
	}
	if err != nil {
		text = noAnswer(err)
	}
	return scrubbed(text, id, port)
}

// noAnswer tells why there is none. How a connection ends depends on which side
// is faster.
func noAnswer(err error) string {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) {
		return "no answer: the connection ended"
	}
	return "no answer: " + err.Error()
}

// expected is a header for backends that counts down between attempts.
var expected = regexp.MustCompile(`x-envoy-expected-rq-timeout-ms: [0-9]+`)

func scrubbed(text, id, port string) string {
	text = expected.ReplaceAllString(text, "x-envoy-expected-rq-timeout-ms: SOME")
	return strings.ReplaceAll(strings.ReplaceAll(text, id, "ID"), ":"+port, ownPort)
}

func (c *client) try(q Request, b []byte) (string, error) {
	if c.conn == nil {
		conn, err := net.Dial("tcp", c.address)
		if err != nil {
			return "", err
		}
		c.conn, c.reader = conn, bufio.NewReader(conn)
	}
	text, goesOn, err := c.exchange(q, b)
	if err != nil || !goesOn {
		c.close()
	}
	return text, err
}

// exchange reports with the answer whether the connection can be used again.
func (c *client) exchange(q Request, b []byte) (text string, goesOn bool, err error) {
	if err := c.conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return "", false, err
	}
	if _, err := c.conn.Write(b); err != nil {
		return "", false, err
	}
	resp, err := http.ReadResponse(c.reader, &http.Request{Method: q.Method})
	if err != nil {
		return "", false, err
	}
	defer resp.Body.Close()
	for _, h := range []string{"Date", "X-Envoy-Upstream-Service-Time"} {
		resp.Header.Del(h)
	}
	var all bytes.Buffer
	all.WriteString(resp.Status + "\n")
	if err := resp.Header.Write(&all); err != nil {
		return "", false, err
	}
	open := resp.StatusCode == http.StatusSwitchingProtocols || q.Method == http.MethodConnect && resp.StatusCode == http.StatusOK
	if !open {
		if _, err := io.Copy(&all, resp.Body); err != nil {
			return "", false, err
		}
	}
	return all.String(), !open && !resp.Close && q.Version == "1.1", nil
}
