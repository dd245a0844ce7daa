package deltaplane

import (
	"context"

	"github.com/deltaplane/deltaplane/resource"
)

// Options are what every change by a user or a source has in common.
type Options struct {
	Namespace     string // default DefaultNamespace
	Owner         string // who may change what it writes; default "cli"
	Author        string
	Message       string
	IfVersion     *Version // ErrConflict unless the store is at it
	DryRun        bool     // plan only
	TakeOwnership bool     // of what another owner has
	AllowShrink   bool     // remove more than 20 % and more than ten listeners or clusters
	StrictRefs    bool     // dangling references are ErrDangling, not warnings
}

// Action is what a plan does with one resource.
type Action string

const (
	Added     Action = "added"
	Changed   Action = "changed"
	Unchanged Action = "unchanged"
	Removed   Action = "removed"
)

// Step is one resource of a Plan. Old and New are whole: a route
// configuration with its hosts inlined is one step, and hosts of their own are
// steps of their own.
type Step struct {
	Key      Key
	Action   Action
	Old, New *resource.Resource // nil where absent; New is nil for Unchanged
}

// Plan is what a change does, or with DryRun would do.
type Plan struct {
	Base     Version // the snapshot that it was made on
	Version  Version // after it; Base when nothing changed or DryRun
	Steps    []Step  // sorted by key
	Warnings resource.Problems
}

// Apply makes the store hold docs, as one commit. With prune, what the owner
// has in the namespace and docs lack is removed.
func (s *Store) Apply(ctx context.Context, docs []resource.Document, prune bool, o Options) (*Plan, error) {
	panic("contract: to be written")
}

// Delete removes keys, as one commit. A missing one is ErrNotFound, unless
// ignoreMissing. Removing a route configuration removes its inline hosts.
func (s *Store) Delete(ctx context.Context, keys []Key, ignoreMissing bool, o Options) (*Plan, error) {
	panic("contract: to be written")
}

// Revert undoes what commit v changed: ErrConflict names the keys that have
// changed since. Owners stay as they are.
func (s *Store) Revert(ctx context.Context, v Version, o Options) (*Plan, error) {
	panic("contract: to be written")
}

// Rollback restores a namespace, or with all the whole store, as it was at v.
func (s *Store) Rollback(ctx context.Context, v Version, all bool, o Options) (*Plan, error) {
	panic("contract: to be written")
}

// Line is one part of a resource with the commit that last changed it.
type Line struct {
	Path   string `json:"path"` // field path, "" for the resource itself
	Commit Commit `json:"commit"`
}

// Blame tells, for each part of a resource, which commit last changed it.
func (s *Store) Blame(ctx context.Context, k Key) ([]Line, error) { panic("contract: to be written") }
