package resource

import (
	"net"
	"strconv"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// addressOf is a SocketAddress as people write it: "10.0.0.1:80", "[::1]:80";
// with a named port, "10.0.0.1:http".
func addressOf(m protoreflect.Message) string {
	fields := m.Descriptor().Fields()
	port := m.Get(fields.ByName("named_port")).String()
	if port == "" {
		port = strconv.FormatUint(m.Get(fields.ByName("port_value")).Uint(), 10)
	}
	return net.JoinHostPort(m.Get(fields.ByName("address")).String(), port)
}
