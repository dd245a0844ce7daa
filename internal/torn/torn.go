// Package torn writes files the way that careless programs do: in pieces, with
// pauses, over what was there. Tests find out with it whether anybody takes a
// half for the whole.
package torn

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"time"
)

// most is how many clusters a state has at most.
const most = 12

// size is how many clusters state i has.
func size(i int) int { return 1 + (i*7)%most }

// State is the i-th content that is meant, from 0: several clusters, as YAML
// documents. Cut off after any of them it still is valid YAML, with fewer
// clusters.
func State(i int) string {
	var b strings.Builder
	for n := range size(i) {
		fmt.Fprintf(&b, "---\n\"@type\": type.googleapis.com/envoy.config.cluster.v3.Cluster\nname: c%02d\nconnect_timeout: %gs # of state %d\n",
			n, Timeout(i).Seconds(), i)
	}
	return b.String()
}

// Timeout is that of all clusters of state i.
func Timeout(i int) time.Duration { return time.Duration(i+1) * time.Millisecond }

// Whole tells which state has the given connect timeouts, by cluster; false
// when they are of none.
func Whole(timeouts map[string]time.Duration) (state int, ok bool) {
	for _, t := range timeouts {
		state = int(t/time.Millisecond) - 1
		break
	}
	if len(timeouts) != size(state) {
		return state, false
	}
	for _, t := range timeouts {
		if t != Timeout(state) {
			return state, false
		}
	}
	return state, true
}

// Write replaces the content of the file by that of state i: by truncating it
// or from its beginning on, in random pieces of which many end where a document
// does. pause is called between them. The file is open until all is written.
func Write(file string, i int, random *rand.Rand, pause func()) error {
	flags := os.O_WRONLY | os.O_CREATE
	if random.IntN(2) == 0 {
		flags |= os.O_TRUNC
	}
	f, err := os.OpenFile(file, flags, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	pause()
	content := State(i)
	for at := 0; at < len(content); pause() {
		piece := content[at : at+1+random.IntN(len(content)-at)]
		if end := strings.LastIndex(piece, "---\n"); end > 0 && random.IntN(3) > 0 {
			piece = piece[:end]
		}
		if _, err := f.WriteString(piece); err != nil {
			return err
		}
		at += len(piece)
	}
	if err := f.Truncate(int64(len(content))); err != nil {
		return err
	}
	return f.Close()
}
