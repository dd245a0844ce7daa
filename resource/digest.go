package resource

import (
	"crypto/sha256"
	"encoding/hex"
)

// Digest is the SHA-256 of a resource's canonical form. Two resources of one
// type and name mean the same exactly when their digests are equal.
// The zero Digest stands for "absent".
type Digest [sha256.Size]byte

// IsZero reports whether d stands for "absent".
func (d Digest) IsZero() bool { return d == Digest{} }

// String is d in lower-case hexadecimal: what goes on the wire as a version.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }
