package api

import (
	"time"

	"github.com/deltaplane/deltaplane"
)

// Proxy is the JSON of one Envoy: what it was sent, acknowledged and refused.
type Proxy struct {
	Node      string             `json:"node"`
	Cluster   string             `json:"cluster,omitempty"`
	Agent     string             `json:"agent,omitempty"`    // client and version: "envoy 1.40.0"
	Fleet     string             `json:"fleet,omitempty"`    // "" without any fleet: it gets namespace default
	Retained  bool               `json:"retained,omitempty"` // lost its last fleet and keeps what it has
	Connected bool               `json:"connected"`
	Since     time.Time          `json:"since"` // when it connected or disconnected
	Peer      string             `json:"peer,omitempty"`
	AsWritten string             `json:"as_written,omitempty"` // why it gets large tables as written; "" if in parts
	State     State              `json:"state"`                // the worst of its types
	Version   deltaplane.Version `json:"version"`              // all that it subscribes to is held as of this one
	Behind    uint64             `json:"behind"`               // versions between that and the newest
	LastAck   time.Time          `json:"last_ack,omitzero"`
	Responses uint64             `json:"responses"` // sent since the proxy is known
	Refusals  uint64             `json:"refusals"`
	Bytes     uint64             `json:"bytes"`
	Types     []ProxyType        `json:"types"`          // only those it subscribes to, in serving order
	Load      *Load              `json:"load,omitempty"` // if it reports any
}

// State says how a proxy, or one type of it, stands to the newest version.
type State string

const (
	InSync       State = "in_sync"
	Behind       State = "behind"  // sent, not yet acknowledged, or not yet sent
	Refused      State = "refused" // it keeps the last good version
	Disconnected State = "disconnected"
)

// ProxyType is one subscribed type of a proxy.
type ProxyType struct {
	Type     string             `json:"type"` // short name
	State    State              `json:"state"`
	Since    time.Time          `json:"since"`           // of the refusal, the response in flight, the last step forward or the disconnect; in sync: of what it holds
	ADS      bool               `json:"ads"`             // over an aggregated stream
	Delta    bool               `json:"delta"`           // incremental
	Wildcard bool               `json:"wildcard"`        // subscribed to all
	Names    int                `json:"names,omitempty"` // subscribed by name
	Sent     deltaplane.Version `json:"sent"`            // newest version that a response belonged to
	Acked    deltaplane.Version `json:"acked"`           // newest such version that it acknowledged
	Held     deltaplane.Version `json:"held"`            // at least Acked: later ones did not change what it sees
	LastSent time.Time          `json:"last_sent,omitzero"`
	LastAck  time.Time          `json:"last_ack,omitzero"`
	Refusal  *Refusal           `json:"refusal,omitempty"` // while it is in force
}

// Refusal is what Envoy said when it refused a response.
type Refusal struct {
	Version   deltaplane.Version `json:"version"`
	Time      time.Time          `json:"time"`
	Reason    string             `json:"reason"`
	Resources []string           `json:"resources,omitempty"` // in the refused response, at most 100
}

// Acks is what became of a wait for one version.
type Acks struct {
	Version deltaplane.Version `json:"version"`
	Done    bool               `json:"done"`
	Waited  int                `json:"waited"`            // proxies that were connected when the wait ended
	Reason  string             `json:"reason,omitempty"`  // why the wait ended early
	Missing []Proxy            `json:"missing,omitempty"` // who has not acknowledged
}
