package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"slices"
	"sync"
)

// tcp is what the kernel takes to bring bytes to all connections and their
// acknowledgements back. Both sides send frames: a length in 4 bytes, big
// endian, then as many bytes. A connection gets the ready response of each
// type that there is something of at once, and then each change; the client
// answers each with a frame, whose content means nothing here.
type tcp struct {
	counts *counts

	mu      sync.Mutex // guards what follows; not held while something is written
	catalog *catalog
	state   []byte // frames with all there is; nil after a change
	clients []*tcpClient
	closing bool
	done    sync.WaitGroup // of all connections' goroutines
}

type tcpClient struct {
	conn net.Conn

	sending sync.Mutex // may be taken while tcp.mu is held, so that frames are in the order of the catalog's states
}

// maxFrame is more than any client sends.
const maxFrame = 1 << 20

func newTCP(c *counts) *tcp { return &tcp{counts: c, catalog: newCatalog()} }

func (t *tcp) serve(l net.Listener) (stop func() error) {
	accepted := make(chan error, 1)
	go func() { accepted <- t.accept(l) }()
	return func() error {
		l.Close()
		err := <-accepted
		t.mu.Lock()
		t.closing = true
		for _, c := range t.clients {
			c.conn.Close()
		}
		t.mu.Unlock()
		t.done.Wait()
		return err
	}
}

func (t *tcp) accept(l net.Listener) error {
	for {
		conn, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		} else if err != nil {
			return err
		}
		c := &tcpClient{conn: conn}
		t.done.Go(func() { t.follow(c) })
	}
}

// follow sends a connection what there is, and reads its frames until it ends.
func (t *tcp) follow(c *tcpClient) {
	defer c.conn.Close()
	t.counts.streams.Add(1)
	defer t.counts.streams.Add(-1)
	defer t.leave(c)
	if err := t.welcome(c); err != nil {
		return
	}
	in := bufio.NewReaderSize(c.conn, 512)
	for {
		head, err := in.Peek(4)
		if err != nil {
			return
		}
		size := binary.BigEndian.Uint32(head)
		if size > maxFrame {
			return
		}
		if _, err := io.CopyN(io.Discard, in, int64(4+size)); err != nil {
			return
		}
		t.counts.requests.Add(1)
	}
}

func (t *tcp) welcome(c *tcpClient) error {
	t.mu.Lock()
	state, err := t.stateLocked()
	if t.closing {
		err = net.ErrClosed
	}
	if err != nil {
		t.mu.Unlock()
		return err
	}
	t.clients = append(t.clients, c)
	c.sending.Lock()
	defer c.sending.Unlock()
	t.mu.Unlock()
	_, err = c.conn.Write(state)
	return err
}

// stateLocked makes the frames with all there is. t.mu is held.
func (t *tcp) stateLocked() ([]byte, error) {
	if t.state != nil {
		return t.state, nil
	}
	for _, typeURL := range servedTypes {
		if len(t.catalog.types[typeURL]) == 0 {
			continue
		}
		ready, err := t.catalog.all(typeURL)
		if err != nil {
			return nil, err
		}
		t.state = appendFrame(t.state, ready)
	}
	return t.state, nil
}

func (t *tcp) leave(c *tcpClient) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.clients = slices.DeleteFunc(t.clients, func(other *tcpClient) bool { return other == c })
}

func (t *tcp) put(_ context.Context, all []resource) error {
	return t.broadcast(func() ([]byte, error) {
		t.catalog.put(all)
		t.state = nil
		return t.stateLocked()
	})
}

func (t *tcp) change(_ context.Context, changed []resource, removed []key) error {
	for _, tc := range byType(changed, removed) {
		if tc.empty() {
			continue
		}
		err := t.broadcast(func() ([]byte, error) {
			t.state = nil
			ready, err := t.catalog.change(tc)
			return appendFrame(nil, ready), err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// broadcast writes the frames that encode makes, with t.mu held, to all
// connections.
func (t *tcp) broadcast(encode func() ([]byte, error)) error {
	t.mu.Lock()
	frames, err := encode()
	to := slices.Clone(t.clients)
	t.mu.Unlock()
	if err != nil {
		return err
	}
	for _, c := range to {
		c.sending.Lock()
		// A connection that has ended hears of it where it is read.
		_, _ = c.conn.Write(frames)
		c.sending.Unlock()
	}
	return nil
}

func appendFrame(b, payload []byte) []byte {
	return append(binary.BigEndian.AppendUint32(b, uint32(len(payload))), payload...)
}
