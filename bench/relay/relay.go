package relay

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"
)

// Response is one of the control plane's to the Envoy, and its answer.
type Response struct {
	Type     string    // URL
	Received time.Time // its last byte arrived at this machine
	Passed   time.Time // and was handed on to Envoy; zero: not yet
	Answered time.Time // the last byte of Envoy's answer arrived; zero: not yet
	Refused  bool      // that is a NACK

	nonce string
}

// Relay carries the connections of one Envoy to a control plane without TLS.
type Relay struct {
	to      string
	listen  net.Listener
	serving sync.WaitGroup
	end     context.CancelFunc

	mu        sync.Mutex // guards what follows
	responses []Response // in the order in which they passed
}

// kept bounds how many responses are remembered: a change has few.
const kept = 1024

// Listen starts a relay on a free port of 127.0.0.1, to a control plane's
// HOST:PORT. It lives until Close, which the caller must call, even if ctx is
// done before.
func Listen(ctx context.Context, to string) (*Relay, error) {
	listen, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("relay to %s: %w", to, err)
	}
	r := &Relay{to: to, listen: listen}
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	r.end = end
	r.serving.Go(func() { r.accept(life) })
	return r, nil
}

// Address is HOST:PORT, for Envoy's bootstrap.
func (r *Relay) Address() string { return r.listen.Addr().String() }

func (r *Relay) accept(life context.Context) {
	for {
		conn, err := r.listen.Accept()
		if err != nil {
			return // closed
		}
		r.serving.Go(func() { r.serve(life, conn.(*net.TCPConn)) })
	}
}

// serve carries one connection until either side ends it.
func (r *Relay) serve(life context.Context, envoy *net.TCPConn) {
	defer func() { _ = envoy.Close() }() // both ways have ended: what was lost, its ends see
	var dialer net.Dialer
	conn, err := dialer.DialContext(life, "tcp", r.to)
	if err != nil {
		return // Envoy sees that its connection ends, and comes back
	}
	plane := conn.(*net.TCPConn)
	defer func() { _ = plane.Close() }()
	ended := func() {
		_ = envoy.SetDeadline(time.Unix(1, 0)) // ends both ways
		_ = plane.SetDeadline(time.Unix(1, 0))
	}
	defer context.AfterFunc(life, ended)()
	var ways sync.WaitGroup
	ways.Go(func() {
		carry(plane, envoy, &reader{found: r.response}, r.passed)
		ended()
	})
	ways.Go(func() {
		carry(envoy, plane, &reader{skip: len(preface), found: r.answer}, func() {})
		ended()
	})
	ways.Wait()
}

// response takes in a message to Envoy, before it is handed on.
func (r *Relay) response(body []byte, received time.Time) {
	typ, nonce, _ := fields(body, responseFields)
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.responses) == kept {
		r.responses = append(r.responses[:0], r.responses[kept/2:]...)
	}
	r.responses = append(r.responses, Response{Type: typ, Received: received, nonce: nonce})
}

// passed notes that the newest responses have been handed on.
func (r *Relay) passed() {
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := len(r.responses) - 1; i >= 0 && r.responses[i].Passed.IsZero(); i-- {
		r.responses[i].Passed = now
	}
}

// answer takes in a message from Envoy, before it is handed on: when the
// control plane says that it has it, it is known here.
func (r *Relay) answer(body []byte, received time.Time) {
	_, nonce, refused := fields(body, requestFields)
	if nonce == "" {
		return // it subscribes to something
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := len(r.responses) - 1; i >= 0; i-- {
		if one := &r.responses[i]; one.nonce == nonce && one.Answered.IsZero() {
			one.Answered, one.Refused = received, refused
			return
		}
	}
}

// Since are the responses that have arrived from then on, of the newest 512 at
// least.
func (r *Relay) Since(then time.Time) (all []Response) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, one := range r.responses {
		if !one.Received.Before(then) {
			all = append(all, one)
		}
	}
	return all
}

// Close ends all connections and returns when nothing is carried any more.
func (r *Relay) Close() error {
	err := r.listen.Close()
	r.end()
	r.serving.Wait()
	return err
}
