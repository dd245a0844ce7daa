package xds

import (
	"iter"

	"github.com/deltaplane/deltaplane/view"
)

// fewVersions is up to how many of them are decoded like the rest.
const fewVersions = 64

// resumption is what a client has that comes back, by the versions that it says it
// has: they are looked up in their encoded form, since most who come back say
// the same. It is nil for any other request.
func (in *intake) resumption(data []byte) *view.Held {
	n, small := 0, true
	for entry := range versionsIn(data) {
		n++
		small = small && len(entry) <= maxNameBytes // else checkSizes is to see the name
	}
	if n <= fewVersions || !small {
		return nil
	}
	held, ok := in.resumed.Of(versionsIn(data))
	if !ok {
		return nil
	}
	return &held
}

// versionsIn goes through the entries of initial_resource_versions.
func versionsIn(data []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for field, content := range fieldsIn(data) {
			if is(field, initialVersions) && !yield(content) {
				return
			}
		}
	}
}
