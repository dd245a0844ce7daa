package client

import "errors"

// What calls fail with; use errors.Is. Connections that break are not among
// them: a watch outlives them, and Status tells of them.
var (
	ErrClosed   = errors.New("closed")                             // the Client, Stream or Watcher is
	ErrWatched  = errors.New("watched on this stream already")     // a Stream has one Watcher for each type
	ErrNotFound = errors.New("the control plane does not have it") // Get of a resource that does not exist
	ErrType     = errors.New("not a type of xDS resource")         // such as the interface proto.Message
)
