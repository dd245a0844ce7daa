package keys

import (
	"context"
	"errors"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// feed watches the prefix and wakes whoever reads from wake: once when the
// watch stands, so that nothing falls between it and what was read before, and
// then with each change. A watch that breaks is begun again.
func (s *Source) feed(ctx context.Context, wake chan<- struct{}) {
	for failed := 0; ctx.Err() == nil; failed++ {
		stood, err := s.watchOnce(ctx, wake)
		if ctx.Err() != nil {
			return
		}
		if stood {
			failed = 0
		}
		s.cfg.Logger.Debug("watch on etcd broke; beginning it again", "error", err)
		pause(ctx, backOff(failed))
	}
}

// watchOnce follows one watch until it breaks, and tells whether it ever stood.
func (s *Source) watchOnce(ctx context.Context, wake chan<- struct{}) (stood bool, err error) {
	ctx, cancel := context.WithCancel(clientv3.WithRequireLeader(ctx))
	defer cancel()
	for r := range s.cfg.Client.Watch(ctx, s.cfg.Prefix, clientv3.WithPrefix(), clientv3.WithCreatedNotify()) {
		if err := r.Err(); err != nil {
			return stood, err
		}
		stood = true
		select {
		case wake <- struct{}{}:
		default: // it will be read what there is by then
		}
	}
	return stood, errors.New("watch ended")
}

// pause waits for d, or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
