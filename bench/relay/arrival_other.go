//go:build !linux

package relay

import (
	"net"
	"time"
)

// arrivals reads from a connection, and tells when it did.
type arrivals struct{ conn *net.TCPConn }

func newArrivals(conn *net.TCPConn) (*arrivals, error) { return &arrivals{conn}, nil }

func (a *arrivals) read(into []byte) (n int, at time.Time, err error) {
	n, err = a.conn.Read(into)
	return n, time.Now(), err
}
