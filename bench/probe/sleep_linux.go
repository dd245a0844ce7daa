package probe

import (
	"time"

	"golang.org/x/sys/unix"
)

// sleepUntil blocks its thread, true to some 50 µs: the runtime's own timers
// are true to a millisecond where the process is idle, as they go through
// epoll.
func sleepUntil(t time.Time) {
	for left := time.Until(t); left > 0; left = time.Until(t) {
		span := unix.NsecToTimespec(int64(left))
		_ = unix.Nanosleep(&span, nil) // interrupted by a signal: goes on
	}
}
