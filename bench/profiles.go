package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/deltaplane/deltaplane/bench/profile"
)

// startProfiles begins to record profiles of all sides, if they are asked for.
// Where there are several, each has a directory of its own.
func (r *run) startProfiles(ctx context.Context) error {
	if r.cfg.Profile == "" {
		return nil
	}
	for _, s := range r.sides {
		dir := r.cfg.Profile
		if len(r.sides) > 1 {
			dir = filepath.Join(dir, string(s.shape))
		}
		if err := s.startProfiles(ctx, dir); err != nil {
			return fmt.Errorf("%s: %w", s.shape, err)
		}
	}
	return nil
}

func (s *side) startProfiles(ctx context.Context, dir string) (err error) {
	s.profile = &profile.Summary{Dir: dir}
	s.recording, err = profile.Start(ctx, profile.Config{URL: s.api.url, Client: &s.api.http, Dir: dir})
	if err != nil {
		return err
	}
	if err := profile.StartEnvoy(ctx, s.proxies[0].process); err != nil {
		s.profile.Envoy = err.Error()
	} else {
		s.envoyProfiles = true
	}
	return nil
}

// stopProfiles ends what startProfiles has begun.
func (r *run) stopProfiles(ctx context.Context) (err error) {
	for _, s := range r.sides {
		if s.recording == nil {
			continue
		}
		r.cfg.Progress(Progress{Step: "profiles", Shape: s.shape})
		if failed := s.stopProfiles(ctx); failed != nil {
			err = errors.Join(err, fmt.Errorf("%s: %w", s.shape, failed))
		}
	}
	return err
}

func (s *side) stopProfiles(ctx context.Context) error {
	if s.envoyProfiles {
		s.profile.Envoy = s.envoyProfile(ctx)
	}
	found, err := s.recording.Stop(ctx)
	s.recording = nil
	if err != nil {
		return err
	}
	found.Envoy, s.profile = s.profile.Envoy, found
	return nil
}

// envoyProfile ends the first Envoy's profile and keeps it with the others: it
// is the file's name, or why there is none.
func (s *side) envoyProfile(ctx context.Context) string {
	from, to := s.proxies[0].profilePath(), filepath.Join(s.profile.Dir, "envoy.prof")
	if err := profile.StopEnvoy(ctx, s.proxies[0].process, from); err != nil {
		return err.Error()
	}
	text, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, text, 0o644)
	}
	if err != nil {
		return err.Error()
	}
	return to
}
