//go:build !unix

package xds

import (
	"net"

	"google.golang.org/grpc/mem"
)

// socket is none where reading cannot be tried.
type socket struct{ raw *struct{} }

func newSocket(net.Conn, *barrier) *socket { return &socket{} }

func (*socket) read(int, mem.BufferPool) (*[]byte, int, error) { return nil, 0, net.ErrClosed }
