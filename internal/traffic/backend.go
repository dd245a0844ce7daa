package traffic

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// Backend is a small HTTP server, over HTTP/1.1 and unencrypted HTTP/2, that
// answers every request with its own name.
type Backend struct {
	name   string
	listen net.Listener
	server *http.Server
	served chan error // Serve's result
	hits   atomic.Uint64
}

// NewBackend starts a backend on a free port of the loopback interface. The
// caller must call Close.
func NewBackend(name string) (*Backend, error) {
	listen, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("backend %q: %w", name, err)
	}
	b := &Backend{name: name, listen: listen, served: make(chan error, 1)}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	b.server = &http.Server{Handler: b, Protocols: protocols, ReadHeaderTimeout: 10 * time.Second}
	go func() { b.served <- b.server.Serve(listen) }()
	return b, nil
}

// ServeHTTP answers with the backend's name.
func (b *Backend) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	b.hits.Add(1)
	fmt.Fprint(w, b.name)
}

// Name is what the backend answers.
func (b *Backend) Name() string { return b.name }

// Port is where it listens on 127.0.0.1.
func (b *Backend) Port() int { return b.listen.Addr().(*net.TCPAddr).Port }

// Hits counts the requests so far.
func (b *Backend) Hits() uint64 { return b.hits.Load() }

// Close ends the server when its requests are answered, or ctx is done.
func (b *Backend) Close(ctx context.Context) error {
	err := b.server.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, b.server.Close())
	}
	if served := <-b.served; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}
