package deltaplane

import (
	"fmt"
	"regexp"

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

	// Keep names what a prune leaves alone; nil: nothing.
	Keep func(Key) bool
	// Check says why the change must not follow base; nil: it may. It is asked
	// again for each base that the change is tried on, and must not block.
	Check func(base *Snapshot) error
}

// namespacePattern is what a namespace may be called: it stands in URLs, file
// names and messages.
var namespacePattern = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$`)

func (o Options) withDefaults() (Options, error) {
	if o.Namespace == "" {
		o.Namespace = DefaultNamespace
	}
	if !namespacePattern.MatchString(o.Namespace) {
		return o, resource.Problems{{Message: fmt.Sprintf("namespace %q: must be 1 to 63 letters, digits, '.', '_' or '-', with a letter or digit at both ends", o.Namespace)}}
	}
	if o.Owner == "" {
		o.Owner = "cli"
	}
	return o, nil
}

// check says why a change may not be made on base.
func (o Options) check(base *Snapshot) error {
	if o.IfVersion != nil && *o.IfVersion != base.version {
		return fmt.Errorf("the store is at version %d, not %d: %w", base.version, *o.IfVersion, ErrConflict)
	}
	if o.Check != nil {
		return o.Check(base)
	}
	return nil
}
