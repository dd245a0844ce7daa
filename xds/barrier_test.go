package xds

import (
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/mem"
)

func TestWhatClientsSayWaitsUntilTheNewsIsOutButNotForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b barrier
		b.wait() // open from the start
		heard := make(chan time.Duration, 1)
		hear := func() {
			began := time.Now()
			go func() {
				b.wait()
				heard <- time.Since(began)
			}()
			synctest.Wait()
			if len(heard) > 0 {
				t.Error("a client is heard while the barrier is closed")
			}
		}
		first := b.close()
		hear()
		b.open(first)
		if waited := <-heard; waited != 0 {
			t.Errorf("a client is heard %s after the barrier was opened", waited)
		}
		stuck := b.close()
		hear()
		if waited := <-heard; waited != maxHold {
			t.Errorf("a client is heard after %s of a pass that does not end, want %s", waited, maxHold)
		}
		next := b.close()
		b.open(stuck) // late: it is not the one that holds
		hear()
		b.open(next)
		<-heard
	})
}

// loopback is both ends of a TCP connection.
func loopback(t *testing.T) (near, far net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if near, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { near.Close() })
	if far, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { far.Close() })
	return near, far
}

func TestNothingPassesTheBarrierBeforeItOpens(t *testing.T) {
	const rounds = 50
	type wrapped struct{ net.Conn } // as TLS is: no TCP itself
	for name, wrap := range map[string]func(net.Conn) net.Conn{
		"plain": func(c net.Conn) net.Conn { return c },
		"TLS":   func(c net.Conn) net.Conn { return wrapped{c} },
	} {
		t.Run(name, func(t *testing.T) {
			var b barrier
			var open atomic.Bool
			near, far := loopback(t)
			conn := wrap(far)
			m := &metered{Conn: conn, socket: newSocket(conn, &b), barrier: &b, inbound: newRoom(1 << 20).connect(far)}
			passed := make(chan bool)
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				for {
					buf, _, err := m.ReadOnReady(100, mem.DefaultBufferPool())
					if err != nil {
						return
					}
					mem.DefaultBufferPool().Put(buf)
					passed <- open.Load()
				}
			}()
			witness, echo := loopback(t) // what it gets back was written after what the other reads
			for range rounds {
				open.Store(false)
				h := b.close()
				var one [1]byte
				for _, step := range []func([]byte) (int, error){near.Write, witness.Write, echo.Read, echo.Write, witness.Read} {
					if _, err := step(one[:]); err != nil {
						t.Fatal(err)
					}
				}
				open.Store(true)
				b.open(h)
				if !<-passed {
					t.Error("what came was read while the barrier was closed")
				}
			}
			near.Close()
			<-ended
		})
	}
}
