package fleet

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// What is kept of the strings that clients choose, in bytes.
const (
	maxID     = 256
	maxName   = 256     // of a cluster, fleet, user agent, peer or resource
	maxDetail = 4 << 10 // of a refusal's reason, and of its resource names together
	maxNames  = 100     // resources in a refusal

	maxOldDetail = 512 // of both, once the node has disconnected
)

// capText is the start of s, in memory of its own.
func capText(s string, limit int) string {
	if len(s) > limit {
		s = strings.ToValidUTF8(s[:limit-len("…")], "") + "…"
	}
	return strings.Clone(s)
}

// capID shortens a node id so that different ids stay different.
func capID(id string) string {
	if len(id) <= maxID {
		return strings.Clone(id)
	}
	sum := sha256.Sum256([]byte(id))
	return capText(id, maxID-33) + "-" + hex.EncodeToString(sum[:16])
}

// capNames keeps names up to a number of bytes in all.
func capNames(names []string, bytes int) []string {
	var kept []string
	for _, name := range names[:min(len(names), maxNames)] {
		name = capText(name, maxName)
		if bytes -= len(name); bytes < 0 {
			break
		}
		kept = append(kept, name)
	}
	return kept
}
