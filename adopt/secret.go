package adopt

import (
	"fmt"
	"slices"

	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	"google.golang.org/protobuf/proto"
)

// secrets moves the static secrets. One that the bootstrap needs is in both
// places.
func (m *mover) secrets() {
	var stay []*tlsv3.Secret
	for i, s := range m.static.Secrets {
		path := fmt.Sprintf("static_resources.secrets[%d]", i)
		if why, stays := m.secretsStay[s.Name]; stays {
			m.note(path, fmt.Sprintf("secret %q stays in the bootstrap: %s", s.Name, why))
			stay = append(stay, s)
		}
		if m.secretsMove[s.Name] {
			m.add(s)
		}
	}
	m.static.Secrets = slices.Clip(stay)
}

// dynamic brings what a resource that moves refers to onto ADS: secrets, and
// what comes from files.
func (m *mover) dynamic(path string, msg proto.Message) {
	walk(path, msg, func(at string, msg proto.Message) bool {
		if s, ok := msg.(*tlsv3.SdsSecretConfig); ok && s.SdsConfig == nil && m.secretsMove[s.Name] {
			s.SdsConfig = overADS()
			return true
		}
		return m.fromFile(at, msg)
	})
}
