package xds

import (
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// helloPeriods is how often Config.HelloTimeout may pass until the first
// request of a stream is there as a whole. A request may be as large as what
// its client holds, and come while thousands of others do.
const helloPeriods = 6

var (
	errSilent = status.Error(codes.DeadlineExceeded, "no request has come since the stream was opened (xds.Config.HelloTimeout)")
	errDrips  = status.Errorf(codes.DeadlineExceeded, "the first request has not come as a whole in %d times xds.Config.HelloTimeout", helloPeriods)
)

// greet is for when the time for the first request is over: it gives the
// client more if anything has come on its connection, but not for ever. The
// error ends the stream. st.mu is held.
func (st *stream) greet() error {
	if st.node != nil {
		return nil
	}
	st.periods++
	switch {
	case st.inbound == nil || !st.inbound.spoke.Load():
		return errSilent
	case st.periods == helloPeriods:
		return errDrips
	}
	st.timer.Reset(st.server.cfg.HelloTimeout)
	return nil
}
