package api

import (
	"fmt"
	"net/http"
	"time"

	"github.com/deltaplane/deltaplane"
)

// Commit is the JSON of one entry of the history.
type Commit struct {
	Version deltaplane.Version `json:"version"`
	Parent  deltaplane.Version `json:"parent"`
	Root    string             `json:"root"` // digest of everything after it, in hexadecimal
	Author  string             `json:"author"`
	Message string             `json:"message"`
	Time    time.Time          `json:"time"`
	Counts  Counts             `json:"counts"`            // of resources as users write them
	Changes []Change           `json:"changes,omitempty"` // of a single commit; lists leave them out
}

// Change is one stored entry that a commit changed. Virtual hosts that stand
// inside a route configuration are entries of their own here.
type Change struct {
	Namespace string            `json:"namespace"`
	Type      string            `json:"type"`
	Name      string            `json:"name"`
	Action    deltaplane.Action `json:"action"`
	Owner     string            `json:"owner"`
}

// Versions is a page of the history, newest first.
type Versions struct {
	Versions []Commit           `json:"versions"`
	Next     deltaplane.Version `json:"next,omitempty"` // ?before of the next page
}

func (s *Server) listVersions(w http.ResponseWriter, r *http.Request) error {
	q := &query{values: r.URL.Query()}
	before, limit := q.number("before", 0), q.limit()
	if q.err != nil {
		return q.err
	}
	commits, err := s.cfg.Store.History(r.Context(), deltaplane.Version(before), limit+1)
	if err != nil {
		return err
	}
	page := Versions{Versions: []Commit{}}
	for i, c := range commits {
		if i == limit {
			page.Next = commits[i-1].Version
			break
		}
		page.Versions = append(page.Versions, commitOf(c, false))
	}
	writeJSON(w, http.StatusOK, page)
	return nil
}

func (s *Server) getVersion(w http.ResponseWriter, r *http.Request) error {
	v, err := pathVersion(r, "version")
	if err != nil {
		return err
	}
	commits, err := s.cfg.Store.History(r.Context(), v+1, 1)
	if err != nil {
		return err
	}
	if len(commits) == 0 || commits[0].Version != v {
		gone := deltaplane.ErrNotFound
		if v < s.cfg.Store.Latest().Version() && v > 0 {
			gone = deltaplane.ErrVersionGone
		}
		return fmt.Errorf("version %d: %w", v, gone)
	}
	writeJSON(w, http.StatusOK, commitOf(commits[0], true))
	return nil
}

func commitOf(c deltaplane.Commit, changes bool) Commit {
	commit := Commit{
		Version: c.Version, Parent: c.Parent, Root: c.Root.String(),
		Author: c.Author, Message: c.Message, Time: c.Time,
	}
	within := map[deltaplane.Key]bool{} // route configurations whose hosts changed
	for _, from := range c.Changes {
		action := actionOf(from)
		if changes {
			commit.Changes = append(commit.Changes, Change{from.Key.Namespace, from.Key.Type.Short(), from.Key.Name, action, from.Owner})
		}
		if route, ok := deltaplane.RouteOf(from.Key); ok && from.Inline {
			within[route] = true
			continue
		}
		commit.Counts.add(action)
	}
	for _, from := range c.Changes {
		delete(within, from.Key) // counted
	}
	commit.Counts.Changed += len(within)
	return commit
}

func actionOf(c deltaplane.KeyChange) deltaplane.Action {
	switch {
	case c.Old.IsZero():
		return deltaplane.Added
	case c.New.IsZero():
		return deltaplane.Removed
	}
	return deltaplane.Changed
}
