package client

import "google.golang.org/protobuf/proto"

// Update is what has changed since the update before. All updates of a watch,
// applied in order to nothing, make what the control plane serves; changes
// that come while the application is busy are merged, so that each update
// leads to the newest state. The first one comes with the server's first
// answer and may be empty.
//
// An update is accepted unless Refuse is called before the next one is asked
// for. It is for one goroutine.
type Update[T proto.Message] struct {
	Resources []Resource[T] // new or changed, by name
	Removed   []string      // gone, or asked for by name and not there; sorted

	refused map[string]error // by name
	all     []error
}

// Resource is one resource as the control plane has it.
type Resource[T proto.Message] struct {
	Name    string
	Version string   // opaque: deltaplane's is a digest of the content
	Aliases []string // of a virtual host: the names under which it was asked for
	Message T
}

// Refuse tells the control plane that the application does not take the named
// resources, or with no names none of the update, and why (xDS protocol,
// "NACK"). They stay at the last version that it took. The reason shows in the
// control plane's status, after the resource's name: it should name the field,
// and must hold no secret.
func (u *Update[T]) Refuse(reason error, names ...string) {
	if reason == nil {
		return
	}
	if len(names) == 0 {
		u.all = append(u.all, reason)
		return
	}
	if u.refused == nil {
		u.refused = map[string]error{}
	}
	for _, name := range names {
		u.refused[name] = reason
	}
}
