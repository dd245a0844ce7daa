package xds

import (
	"crypto/rand"
	"encoding/hex"
	"strconv"
)

// guessBytes is how much of a nonce is random.
const guessBytes = 5

// noncePrefix starts the nonces of one stream.
func noncePrefix(stream uint64) string { return strconv.FormatUint(stream, 36) + "-" }

// nonce is that of the next response. No two responses have one in common, not
// even of different streams or processes. It cannot be guessed, and stands at
// the end of its response: who says it has read the response, on which
// transmit relies.
func (c *conversation) nonce() string {
	c.nonces++
	var random [guessBytes]byte
	rand.Read(random[:])
	var room [40]byte
	b := strconv.AppendUint(append(room[:0], c.prefix...), c.nonces, 36)
	return string(hex.AppendEncode(append(b, '-'), random[:]))
}
