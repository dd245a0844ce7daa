package xds

import (
	"time"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/resource"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
)

// Observer hears what happens on the streams. Of one stream, Observe is called
// in order, by whichever goroutine has the stream locked: it must return fast
// and not block.
type Observer interface{ Observe(Event) }

// Kind says what an Event tells.
type Kind uint8

const (
	Opened     Kind = iota // the stream's first request came; Node is set
	Closed                 // the stream ended
	Subscribed             // Type's subscription changed: Wildcard, Names
	Sent                   // a response went out
	Acked                  // the client accepted the response
	Refused                // the client refused it: Detail, Resources
	Withheld               // nothing is left to send but what the client has refused: it holds the rest of Type as of Version
	Overdue                // the response has been unanswered for Config.Patience: it holds up no other type any more
	Current                // nothing is left to send or in flight: the client holds Type as of Version; without a Type, all that it subscribes to, and nothing is to be done for it
	Advanced               // of no stream: Version is out, and what streams at rest hold has come to it, unless it changes that
)

// Event is one thing that happened on one stream.
type Event struct {
	Kind      Kind
	Stream    uint64       // unique in the process
	Node      *corev3.Node // as the client sent it; shared, do not change
	ADS       bool
	Delta     bool
	Peer      string // remote address
	Type      resource.Type
	Version   deltaplane.Version // store version the response or state belongs to
	Wildcard  bool
	Names     int      // subscribed by name
	Upserts   int      // resources in the response
	Removed   int      // removals in the response
	Bytes     int      // of the response
	Standing  bool     // with Acked: what the client refused before is still withheld
	Partial   bool     // with Acked: more of Version, or of those before, is still to come
	Detail    string   // the client's reason for a refusal, at most 4 KiB
	Resources []string // names in the refused response, at most 100
	Fleet     string   // assignment in force, "" for none
	Retained  bool     // the node lost its last fleet and keeps what it has
	AsWritten string   // why the node gets large tables as written, as a sentence for users; "" if in parts
	Time      time.Time
	Rest      Rest // with Current, if not nil: until the stream's next event, the client holds all that it subscribes to as of what Rest says

	// With Sent, Acked, Refused and Overdue:

	After       deltaplane.Version // what the versions from the next on changed is in the response
	First       deltaplane.Version // that was the newest when the stream opened
	Pushed      bool               // it brings news, rather than what was asked for
	Committed   time.Time          // when Version was made, by its committer's clock
	SentAt      time.Time          // when it was decided on
	Transmitted time.Time          // when the connection had taken it; zero if not known
	Trace       string             // id of a trace to look it up in, "" for none
}
