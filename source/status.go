package source

import (
	"time"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/resource"
)

// State is how a source stands to the store.
type State string

// The states of a source. In all but InSync the store keeps what it had.
const (
	Starting    State = "starting"    // nothing has been read yet
	InSync      State = "in_sync"     // the store has what the source has
	Waiting     State = "waiting"     // it is being changed, and not yet at rest
	Broken      State = "broken"      // it, or a part of it, cannot be used as it is
	Conflict    State = "conflict"    // others own some of its resources
	Shrink      State = "shrink"      // it would remove too much at once
	Overridden  State = "overridden"  // the store was changed on purpose since
	Unavailable State = "unavailable" // the store, or what is watched, does not answer
)

// States lists all of them.
func States() []State {
	return []State{Starting, InSync, Waiting, Broken, Conflict, Shrink, Overridden, Unavailable}
}

// Healthy reports whether nobody needs to look: the source is in sync, or
// about to be.
func (s State) Healthy() bool { return s == InSync || s == Starting || s == Waiting }

// Identity says which source it is, and whose.
type Identity struct {
	Kind      string `json:"kind"`      // "dir", "etcd"
	From      string `json:"from"`      // the directory, the prefix
	Namespace string `json:"namespace"` // where its resources go
	Owner     string `json:"owner"`     // of its resources; the author of its commits, too
}

// String is the kind and what is watched: "dir:/etc/gateway".
func (id Identity) String() string { return id.Kind + ":" + id.From }

// Status is what is known of a source.
type Status struct {
	Identity
	State     State              `json:"state"`
	Since     time.Time          `json:"since"`              // of State
	Version   deltaplane.Version `json:"version"`            // the newest that was seen to hold what the source had; 0: none
	Applied   time.Time          `json:"applied,omitzero"`   // when that was; zero: never
	Inputs    int                `json:"inputs"`             // files or keys, as last read
	Resources int                `json:"resources"`          // in them, as last in sync
	Problems  resource.Problems  `json:"problems,omitempty"` // why State is not InSync; at most 100
	Warnings  resource.Problems  `json:"warnings,omitempty"` // of the commit; at most 100
}
