package shapefuzz

import "strings"

// authority is one at or near where something is decided.
func (a *aim) authority(host aimHost) string {
	var s string
	switch n := a.IntN(100); {
	case n < 75 && len(host.domains) > 0:
		s = a.like(oneOf(a.random, host.domains...))
	case n < 88 && len(a.hosts) > 0:
		s = oneOf(a.random, a.hosts...)
	case n < 91:
		s = oneOf(a.random, odd...)
	case n < 94:
		return oneOf(a.random, "", "unknown", "UNKNOWN.test", "0", "zzzz", "[")
	default:
		s = oneOf(a.random, words...) + "." + oneOf(a.random, zones...)
	}
	if a.percent(20) {
		s = a.near(s)
	}
	if a.percent(12) {
		if at := strings.LastIndexByte(s, ':'); at > 0 && !strings.HasSuffix(s, "]") {
			s = s[:at]
		} else {
			s += oneOf(a.random, ":80", ":8080", ":8", ":443", ":", ":x", ":99999")
		}
	} else if a.percent(5) && a.mode.StripOwn {
		s += ownPort
	}
	if a.percent(6) {
		s += "."
	}
	if a.percent(15) {
		s = capitals(a.random, s)
	}
	return s
}

// like is an authority for a domain.
func (a *aim) like(domain string) string {
	fill := func() string {
		return oneOf(a.random, "x", "a.b", "", "a", "www", "h1.a", "X-y", "0", "z", "~", "h50.api")
	}
	switch {
	case strings.HasPrefix(domain, "*"):
		return fill() + domain[1:]
	case strings.HasSuffix(domain, "*"):
		return domain[:len(domain)-1] + fill()
	}
	return domain
}

// near is s with one small change.
func (a *aim) near(s string) string {
	if s == "" {
		return oneOf(a.random, "a", "-", "~")
	}
	last := len(s) - 1
	switch a.IntN(5) {
	case 0:
		return s[:last]
	case 1:
		if c := s[last]; c < '~' {
			return s[:last] + string(rune(c+1))
		}
	case 2:
		if c := s[last]; c > '!' && c < 0x80 {
			return s[:last] + string(rune(c-1))
		}
	case 3:
		return s + oneOf(a.random, "-", "0", "a", "~", "!", "x", "/")
	}
	return s + oneOf(a.random, "x", "")
}

// target is a path, at or near where something is decided, and a query.
func (a *aim) target(host aimHost) string {
	s := "/"
	switch n := a.IntN(100); {
	case n < 60 && len(host.paths) > 0:
		s = oneOf(a.random, host.paths...)
	case n < 78 && len(a.paths) > 0:
		s = oneOf(a.random, a.paths...)
	case n < 90 && len(a.anyPath) > 0:
		s = oneOf(a.random, a.anyPath...)
	case n < 95:
		s = oneOf(a.random, oneOf(a.random, patterns...).paths...)
	}
	switch n := a.IntN(100); {
	case n < 15:
		s += oneOf(a.random, "/", "/x", "x", "//", "/.", "/..", "%2f", "%2Fa", ";p=1", ";", "-", "/a/../b")
	case n < 30:
		s = a.near(s)
	case n < 36:
		s = capitals(a.random, s)
	case n < 42 && len(s) > 1:
		at := a.between(1, len(s)-1)
		s = s[:at] + oneOf(a.random, "/./", "//", "/../", "%2f", "%5c", "\\", "%41", "%2e", ";x=1", "/b/..") + s[at:]
	}
	if a.percent(20) {
		s += "?" + oneOf(a.random, "q=", "q=one", "q=two&r=1", "r=/a", "q", "q=Three", "", "q=7#f", "a?b/c")
	}
	if s == "" || strings.ContainsAny(s, " ") {
		return "/"
	}
	return s
}
