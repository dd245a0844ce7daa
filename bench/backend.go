package bench

import (
	"github.com/deltaplane/deltaplane/bench/probe"
	"github.com/deltaplane/deltaplane/bench/traffic"
)

// backend answers requests with its name.
type backend interface {
	Name() string
	Port() int
	Close() error
}

// openBackends starts the backends. Those of a load come with the labels that
// lead there.
func (r *run) openBackends() (*labels, error) {
	var l *labels
	start := func(name string) (backend, error) { return probe.NewBackend(name) }
	if r.cfg.Load != nil {
		l = &labels{load: *r.cfg.Load}
		if l.load.TLS {
			identity, err := traffic.NewIdentity()
			if err != nil {
				return nil, err
			}
			l.identity = identity
		}
		start = func(name string) (backend, error) { return traffic.NewBackend(name, l.identity) }
	}
	for _, name := range []string{"red", "green", "blue"} {
		b, err := start(name)
		if err != nil {
			return nil, err
		}
		r.backends = append(r.backends, b)
	}
	return l, nil
}
