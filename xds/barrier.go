package xds

import (
	"sync/atomic"
	"time"
)

// barrier holds back what clients say while a new version goes out to many of
// them. Acknowledgements are half of the work of a change; without it they
// compete with the news for the processors, and the last clients wait for the
// acknowledgements of the first. What is held back stays in the connections.
type barrier struct {
	shut atomic.Pointer[hold] // nil: open
}

// hold is one closing of the barrier.
type hold struct {
	over  chan struct{} // closed when it is open again
	timer *time.Timer
	freed atomic.Bool
}

// maxHold is for how long at most the barrier is closed: nobody is held up for
// longer by however many streams.
const maxHold = 500 * time.Millisecond

// close holds back whatever comes from now on. The caller must open it.
func (b *barrier) close() *hold {
	h := &hold{over: make(chan struct{})}
	h.timer = time.AfterFunc(maxHold, func() { b.open(h) })
	b.shut.Store(h)
	return h
}

// open ends h; nil is allowed. It may be called again.
func (b *barrier) open(h *hold) {
	if h != nil && h.freed.CompareAndSwap(false, true) {
		b.shut.CompareAndSwap(h, nil)
		h.timer.Stop()
		close(h.over)
	}
}

// wait returns when the barrier is open, or has been since.
func (b *barrier) wait() {
	if h := b.shut.Load(); h != nil {
		<-h.over
	}
}
