package load

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/deltaplane/deltaplane/bench/profile"
)

// profiled is what turns do, with profiles of our control planes meanwhile, if
// they are asked for. Where there are several, each has a directory of its own.
func (r *run) profiled(ctx context.Context, turns func(context.Context) error) (err error) {
	recordings := map[*side]*profile.Recording{}
	for _, s := range r.sides {
		d, ours := s.server.(*deltaplane)
		if !ours || r.cfg.Profile == "" || err != nil {
			continue
		}
		dir := r.cfg.Profile
		if len(r.cfg.Resources) > 1 {
			dir = filepath.Join(dir, fmt.Sprint(s.set.Len()))
		}
		recording, failed := profile.Start(ctx, profile.Config{URL: d.url, Client: &d.http, Dir: dir})
		if failed != nil {
			err = fmt.Errorf("%s: %w", s.name(), failed)
			continue
		}
		recordings[s] = recording
	}
	if err == nil {
		err = turns(ctx)
	}
	for s, recording := range recordings {
		r.cfg.Progress(Progress{Side: s.name(), Step: "profiles"})
		found, failed := recording.Stop(ctx)
		if s.profile = found; failed != nil {
			err = errors.Join(err, fmt.Errorf("%s: %w", s.name(), failed))
		}
	}
	return err
}
