// Package source turns what stands elsewhere, as files or as keys of an etcd,
// into commits, and shows how each source stands.
//
// A source is a goroutine that watches something, reads all of it at a moment
// when it is whole, and hands that to its Syncer as one Input. The Syncer makes
// it one commit: what the source's owner has in its namespace becomes what the
// source has. What cannot be used changes nothing, and is told by the Board.
//
// INVARIANT: a source commits because what it watches has changed, because it
// starts, or because what kept it from committing is gone; never because
// somebody else has changed the store on purpose.
package source
