package shapefuzz

import (
	"net/http"
	"strconv"
	"strings"

	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
)

// Seen is a request as routing sees it, after its mode's normalisation.
type Seen struct {
	Authority string
	Path      string // without the query; none with CONNECT
	request   Request
	query     string
	connect   bool
}

// See is what routing sees of a request. ok is false where the model does not
// know, or Envoy may answer by itself: that is only for Envoy to say.
func (m Mode) See(q Request) (s *Seen, ok bool) {
	s = &Seen{request: q, Authority: q.Host, connect: q.Method == http.MethodConnect}
	target := q.Target
	if rest, absolute := strings.CutPrefix(target, "http://"); absolute {
		end := strings.IndexAny(rest, "/?")
		if end < 0 || rest[end] == '?' {
			return nil, false
		}
		s.Authority, target = rest[:end], rest[end:]
	}
	switch {
	case q.NoHost:
		s.Authority = m.DefaultHost
	case s.connect:
		s.Authority, target = q.Target, ""
	}
	s.Authority = m.authority(s.Authority)
	if s.connect {
		return s, true
	}
	s.Path, s.query, _ = strings.Cut(target, "?")
	if strings.Contains(target, "#") {
		return nil, false
	}
	s.Path, ok = m.path(s.Path)
	return s, ok
}

// authority is what m's stripping leaves.
func (m Mode) authority(s string) string {
	if m.StripDot {
		if at := strings.LastIndexByte(s, '.'); at >= 0 && (at == len(s)-1 || s[at+1] == ':') {
			s = s[:at] + s[at+1:]
		}
	}
	if m.StripOwn {
		s = strings.TrimSuffix(s, ownPort)
	}
	if m.StripAny {
		s = withoutPort(s)
	}
	return s
}

// withoutPort is an authority without its port, if that is a number.
func withoutPort(s string) string {
	at := portAt(s)
	if at < 0 {
		return s
	}
	if _, err := strconv.ParseUint(s[at+1:], 10, 32); err != nil {
		return s
	}
	return s[:at]
}

// portAt is where an authority's port begins, with the colon, whatever it is
// made of; -1 if it has none.
func portAt(s string) int {
	at := strings.LastIndexByte(s, ':')
	if strings.LastIndexByte(s, ']') > at {
		return -1
	}
	return at
}

// path is what normalisation leaves, where that is simple.
func (m Mode) path(s string) (string, bool) {
	if strings.Contains(s, "%") && (m.Normalize || m.Escaped > hcmv3.HttpConnectionManager_KEEP_UNCHANGED) {
		return "", false
	}
	if m.Normalize && (strings.ContainsAny(s, "\\<>\"`{}^|") || strings.Contains(s, "/.") || strings.IndexFunc(s, func(r rune) bool { return r > '~' }) >= 0) {
		return "", false
	}
	if m.Merge && strings.Contains(s, "//") {
		if strings.Trim(s, "/") == "" {
			return "//", true
		}
		for strings.Contains(s, "//") {
			s = strings.ReplaceAll(s, "//", "/")
		}
	}
	return s, true
}

// header is a header as matchers see it.
func (s *Seen) header(name string) (string, bool) {
	if name == ":method" {
		return s.request.Method, true
	}
	return s.request.header(name)
}

// parameter is the first value of a query parameter.
func (s *Seen) parameter(name string) (string, bool) {
	for p := range strings.SplitSeq(s.query, "&") {
		if key, value, _ := strings.Cut(p, "="); key == name && p != "" {
			return value, true
		}
	}
	return "", false
}
