package shapefuzz

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/textproto"
	"strconv"
	"strings"
	"sync"
)

// backend answers HTTP/1 requests with themselves, whatever stands in them. One for mirrors remembers them. Safe for concurrent use.
type backend struct {
	name     string
	status   string
	listener net.Listener
	running  sync.WaitGroup

	mu    sync.Mutex // guards all below
	conns map[net.Conn]bool
	heads map[string][]string // by id
}

// newBackend starts one. Close it.
func newBackend(name, status string) (*backend, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	b := &backend{name: name, status: status, listener: l, conns: map[net.Conn]bool{}, heads: map[string][]string{}}
	b.running.Go(b.accept)
	return b, nil
}

func (b *backend) port() int { return b.listener.Addr().(*net.TCPAddr).Port }

// close ends all connections and waits for what handles them.
func (b *backend) close() {
	b.listener.Close()
	b.mu.Lock()
	for c := range b.conns {
		c.Close()
	}
	b.conns = nil
	b.mu.Unlock()
	b.running.Wait()
}

// seen are the heads of the requests with an id, in their order.
func (b *backend) seen(id string) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.heads[id]
}

func (b *backend) accept() {
	for {
		c, err := b.listener.Accept()
		if err != nil {
			return
		}
		b.mu.Lock()
		closed := b.conns == nil
		if !closed {
			b.conns[c] = true
		}
		b.mu.Unlock()
		if closed {
			c.Close()
			return
		}
		b.running.Go(func() { b.serve(c) })
	}
}

func (b *backend) serve(c net.Conn) {
	defer func() {
		c.Close()
		b.mu.Lock()
		delete(b.conns, c)
		b.mu.Unlock()
	}()
	buffered := bufio.NewReader(c)
	r := textproto.NewReader(buffered)
	for {
		line, err := r.ReadLine()
		if err != nil {
			return
		}
		headers := map[string]string{}
		var lines []string
		for {
			header, err := r.ReadLine()
			if err != nil {
				return
			}
			if header == "" {
				break
			}
			name, value, _ := strings.Cut(header, ":")
			headers[strings.ToLower(name)] = strings.TrimSpace(value)
			lines = append(lines, header)
		}
		body, err := bodyOf(buffered, headers)
		if err != nil {
			return
		}
		head := line + "\n" + strings.Join(lines, "\n") + "\n" + body
		if b.record(headers[idHeader], head); !b.answer(c, line, headers, head) {
			return
		}
	}
}

// bodyOf reads the body of a request with these headers.
func bodyOf(r *bufio.Reader, headers map[string]string) (string, error) {
	if strings.EqualFold(headers["transfer-encoding"], "chunked") {
		body, err := io.ReadAll(httputil.NewChunkedReader(r))
		if err != nil {
			return "", err
		}
		_, err = r.Discard(len("\r\n")) // behind the last chunk
		return string(body), err
	}
	if headers["content-length"] == "" {
		return "", nil
	}
	length, err := strconv.Atoi(headers["content-length"])
	if err != nil {
		return "", err
	}
	body := make([]byte, length)
	_, err = io.ReadFull(r, body)
	return string(body), err
}

func (b *backend) record(id, head string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.name == mirrorName {
		b.heads[id] = append(b.heads[id], head)
	}
}

// answer reports whether the connection goes on.
func (b *backend) answer(w io.Writer, line string, headers map[string]string, head string) bool {
	method, _, _ := strings.Cut(line, " ")
	status, goesOn := b.status, true
	switch {
	case method == http.MethodConnect:
		status, head, goesOn = "200 OK", "", false
	case headers["upgrade"] != "":
		fmt.Fprintf(w, "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\nx-backend: %s\r\n\r\n", b.name)
		return false
	}
	body := head
	if method == http.MethodHead {
		body = ""
	}
	length := fmt.Sprintf("content-length: %d\r\n", len(head))
	if to := headers[locationHeader]; b.name == movedName && to != "" {
		length += "location: " + to + "\r\n"
	}
	if !goesOn {
		length = ""
	}
	_, err := fmt.Fprintf(w, "HTTP/1.1 %s\r\nx-backend: %s\r\n%s\r\n%s", status, b.name, length, body)
	return goesOn && err == nil
}
