package shapefuzz

import (
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// Mode is what an HTTP connection manager does to a request before it looks
// for the route. The zero Mode does nothing.
type Mode struct {
	Normalize   bool // normalize_path
	Merge       bool // merge_slashes
	Escaped     hcmv3.HttpConnectionManager_PathWithEscapedSlashesAction
	StripAny    bool   // strip_any_host_port
	StripOwn    bool   // strip_matching_host_port
	StripDot    bool   // strip_trailing_host_dot
	DefaultHost string // of HTTP/1.0, which is refused when this is empty
}

func newMode(r random) Mode {
	m := Mode{Normalize: r.percent(40), Merge: r.percent(40), StripDot: r.percent(40)}
	switch r.IntN(4) {
	case 0:
		m.StripAny = true
	case 1:
		m.StripOwn = true
	}
	if r.percent(40) {
		m.Escaped = oneOf(r,
			hcmv3.HttpConnectionManager_KEEP_UNCHANGED,
			hcmv3.HttpConnectionManager_REJECT_REQUEST,
			hcmv3.HttpConnectionManager_UNESCAPE_AND_REDIRECT,
			hcmv3.HttpConnectionManager_UNESCAPE_AND_FORWARD)
	}
	if r.percent(50) {
		m.DefaultHost = oneOf(r, "a.test", "B.test", "old.test:80")
	}
	return m
}

// apply sets m's fields of an HTTP connection manager.
func (m Mode) apply(to *hcmv3.HttpConnectionManager) {
	to.NormalizePath = wrapperspb.Bool(m.Normalize)
	to.MergeSlashes = m.Merge
	to.PathWithEscapedSlashesAction = m.Escaped
	to.StripTrailingHostDot = m.StripDot
	to.StripMatchingHostPort = m.StripOwn
	if m.StripAny {
		to.StripPortMode = &hcmv3.HttpConnectionManager_StripAnyHostPort{StripAnyHostPort: true}
	}
	if m.DefaultHost != "" {
		to.HttpProtocolOptions = &corev3.Http1ProtocolOptions{AcceptHttp_10: true, DefaultHostForHttp_10: m.DefaultHost}
	}
}
