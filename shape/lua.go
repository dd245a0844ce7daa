package shape

import (
	"strings"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	luav3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/lua/v3"
)

// luaEffect is what a Lua filter may do. One that clears the route cache
// whenever its script changes a header does both; so does one with a script
// which is not here to be read, or not tame.
func luaEffect(m *luav3.Lua) effect {
	if m.ClearRouteCache == nil || m.ClearRouteCache.Value {
		return both
	}
	if !tame(m.InlineCode) || m.DefaultSourceCode != nil && !tameSource(m.DefaultSourceCode) { //nolint:staticcheck // what is deprecated is still served
		return both
	}
	for _, s := range m.SourceCodes {
		if !tameSource(s) {
			return both
		}
	}
	return changes
}

func tameSource(s *corev3.DataSource) bool {
	switch s := s.GetSpecifier().(type) {
	case *corev3.DataSource_InlineString:
		return tame(s.InlineString)
	case *corev3.DataSource_InlineBytes:
		return tame(string(s.InlineBytes))
	}
	return false
}

// tame reports whether a Lua script can be seen not to have a request's route
// chosen anew, which only a method of Envoy's does that the script calls. It
// holds if all methods that it calls are known, and if it spells them out: so
// it must not look up names that it computes, nor load code, nor reach for what
// is behind tables and objects. What is not understood is not tame.
func tame(script string) bool {
	l := luaLexer{rest: script}
	var last, before luaToken // the token before this one, and the one before that
	for {
		t := l.next()
		if t.kind == luaEnd {
			return true
		}
		if t.kind == luaBroken || !tameAfter(before, last, t, &l) {
			return false
		}
		before, last = last, t
	}
}

// tameAfter is tame for one token and the two before it.
func tameAfter(before, last, t luaToken, rest *luaLexer) bool {
	switch {
	case t.kind == luaName && last.is(":"):
		return luaMethods[t.text]
	case t.kind == luaName && last.is("."):
		return !luaClears[t.text]
	case t.kind == luaName:
		return !luaReaches[t.text] && !luaClears[t.text]
	case t.is("["): // an index, or a key in a table: only a literal
		key := *rest
		literal, end := key.next(), key.next()
		return literal.kind == luaNumber && end.is("]") || literal.kind == luaString && end.is("]") && !strings.Contains(literal.text, `\`) && !luaClears[literal.text]
	case last.kind == luaName && before.is(".") && (t.is("(") || t.is("{") || t.kind == luaString):
		return luaFunctions[last.text]
	case last.is("]") && (t.is("(") || t.is("{") || t.kind == luaString):
		return false // a call of what an index gave
	}
	return true
}

func set(words string) map[string]bool {
	all := map[string]bool{}
	for w := range strings.FieldsSeq(words) {
		all[w] = true
	}
	return all
}

var (
	// luaMethods are those of Envoy's objects (1.36 to 1.40) that leave the
	// route alone, and of strings.
	luaMethods = set(`headers body bodyChunks trailers metadata logTrace logDebug logInfo logWarn logErr logCritical httpCall respond
		streamInfo connection connectionStreamInfo importPublicKey verifySignature base64Escape timestamp timestampString virtualHost route filterContext
		setUpstreamOverrideHost
		add get getAtIndex getNumValues remove replace setHttp1ReasonPhrase length getBytes setBytes
		protocol routeName virtualClusterName downstreamDirectLocalAddress downstreamLocalAddress downstreamDirectRemoteAddress downstreamRemoteAddress
		dynamicMetadata dynamicTypedMetadata filterState downstreamSslConnection requestedServerName set ssl
		peerCertificatePresented peerCertificateValidated uriSanLocalCertificate uriSanPeerCertificate sha256PeerCertificateDigest serialNumberPeerCertificate
		issuerPeerCertificate subjectPeerCertificate subjectLocalCertificate dnsSansPeerCertificate dnsSansLocalCertificate validFromPeerCertificate
		expirationPeerCertificate sessionId ciphersuiteId ciphersuiteString tlsVersion urlEncodedPemEncodedPeerCertificate
		byte find format gmatch gsub len lower match rep reverse sub upper`)
	// luaFunctions are those that may be called out of a table.
	luaFunctions = set(`byte char find format gmatch gsub len lower match rep reverse sub upper concat insert remove sort maxn unpack
		abs ceil floor max min fmod modf pow sqrt random randomseed time date clock band bor bxor bnot lshift rshift tohex`)
	// luaClears has a route chosen anew, and may be called by no name.
	luaClears = set(`clearRouteCache refreshRouteCluster`)
	// luaReaches are the globals with which a script gets at what it does not
	// spell out.
	luaReaches = set(`_G _ENV load loadstring loadfile dofile require module package getfenv setfenv getmetatable setmetatable
		rawget rawset rawequal newproxy debug ffi jit`)
)
