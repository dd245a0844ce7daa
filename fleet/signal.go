package fleet

import "sync/atomic"

// signal is a channel that closes at the next fire. Firing costs one atomic
// read while nobody listens. The zero signal is ready.
type signal struct{ ch atomic.Pointer[chan struct{}] }

func (s *signal) next() <-chan struct{} {
	for {
		if p := s.ch.Load(); p != nil {
			return *p
		}
		c := make(chan struct{})
		if s.ch.CompareAndSwap(nil, &c) {
			return c
		}
	}
}

func (s *signal) fire() {
	if s.ch.Load() == nil {
		return
	}
	if p := s.ch.Swap(nil); p != nil {
		close(*p)
	}
}
