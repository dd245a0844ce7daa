package traffic

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// Backend answers requests of either protocol with its own name and with the
// version of the configuration that sent them, on 127.0.0.1.
type Backend struct {
	name    string
	listen  net.Listener
	server  http.Server
	serving sync.WaitGroup
	failed  error // why it no longer serves; read it after serving.Wait
}

// NewBackend starts a backend on a free port, with TLS if there is an identity.
// The caller must call Close.
func NewBackend(name string, identity *Identity) (*Backend, error) {
	listen, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("backend %q: %w", name, err)
	}
	var speaks http.Protocols
	speaks.SetHTTP1(true)
	speaks.SetHTTP2(true)
	speaks.SetUnencryptedHTTP2(true)
	b := &Backend{name: name, listen: listen}
	b.server = http.Server{
		Handler: http.HandlerFunc(b.answer), Protocols: &speaks, ReadHeaderTimeout: time.Minute,
		ErrorLog: log.New(io.Discard, "", 0), // what a client breaks off is counted where it was sent
	}
	if identity != nil {
		b.server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{identity.certificate}, MinVersion: tls.VersionTLS12}
	}
	b.serving.Go(func() {
		if identity != nil {
			b.failed = b.server.ServeTLS(listen, "", "")
		} else {
			b.failed = b.server.Serve(listen)
		}
	})
	return b, nil
}

// Name is what it answers.
func (b *Backend) Name() string { return b.name }

// Port is where it listens.
func (b *Backend) Port() int { return b.listen.Addr().(*net.TCPAddr).Port }

func (b *Backend) answer(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	call := r.ProtoMajor == 2 && r.Header.Get("Content-Type") == "application/grpc"
	if call {
		if body, err = unframe(body); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
	}
	h := w.Header()
	h.Set(Version, r.Header.Get(Version))
	h.Set(Received, strconv.Itoa(len(body)))
	if !call {
		_, _ = io.WriteString(w, b.name) // who breaks off sees that itself
		return
	}
	h.Set("Content-Type", "application/grpc")
	h.Set("Trailer", "Grpc-Status")
	_, _ = w.Write(frame([]byte(b.name)))
	h.Set("Grpc-Status", "0")
}

// Close ends all connections and returns when nothing is served any more.
func (b *Backend) Close() error {
	err := b.server.Close()
	b.serving.Wait()
	if !errors.Is(b.failed, http.ErrServerClosed) {
		err = errors.Join(err, b.failed)
	}
	return err
}
