package embedetcd

import (
	"errors"
	"fmt"
)

// ErrFull means that the disk has too little space left for etcd to write
// safely.
var ErrFull = errors.New("the disk of the data directory is almost full")

// reserve is what must be left of the disk: etcd allocates its log in pieces
// of 64 MiB, and cannot go on when a write fails.
const reserve = 80 << 20

// Room is ErrFull when there is too little space left to write anything.
// Cost: one system call.
func (s *Server) Room() error {
	free, ok := freeBytes(s.dir)
	if ok && free < reserve {
		return fmt.Errorf("%w: %d MiB are left in %s, and %d are needed", ErrFull, free>>20, s.dir, reserve>>20)
	}
	return nil
}
