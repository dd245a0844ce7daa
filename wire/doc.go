// Package wire turns changes into the bytes of discovery responses. It is
// pure: the same change gives the same bytes. A Frame is encoded once for all
// streams that need it; what is particular to a stream, the nonce, is a buffer
// of its own at the end, as protobuf messages may be concatenated.
package wire
