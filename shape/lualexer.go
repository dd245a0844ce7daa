package shape

import "strings"

// luaKind says what a token of Lua is.
type luaKind uint8

const (
	luaEnd    luaKind = iota // of the script
	luaName                  // or a keyword
	luaNumber                // any literal of one
	luaString                // what stands in it, escapes as they are written
	luaSign                  // anything else
	luaBroken                // no token
)

type luaToken struct {
	kind luaKind
	text string
}

func (t luaToken) is(sign string) bool { return t.kind == luaSign && t.text == sign }

// luaLexer cuts a script of Lua 5.1, and what LuaJIT has more, into tokens.
type luaLexer struct{ rest string }

// next is the token at the start of what is left, and takes it off.
func (l *luaLexer) next() luaToken {
	if !l.skip() {
		return luaToken{kind: luaBroken}
	}
	if l.rest == "" {
		return luaToken{}
	}
	c := l.rest[0]
	switch {
	case luaLetter(c):
		return l.take(luaName, spanOf(l.rest, func(c byte) bool { return luaLetter(c) || luaDigit(c) }))
	case luaDigit(c) || c == '.' && len(l.rest) > 1 && luaDigit(l.rest[1]):
		return l.number()
	case c == '"' || c == '\'':
		return l.quoted(c)
	case c == '[':
		if level := luaLevel(l.rest); level >= 0 {
			return l.long(level)
		}
	}
	for _, sign := range []string{"...", "..", "::", "==", "~=", "<=", ">="} {
		if strings.HasPrefix(l.rest, sign) {
			return l.take(luaSign, len(sign))
		}
	}
	if c >= 0x80 || !strings.ContainsRune("+-*/%^#<>=(){}[];:,.", rune(c)) {
		return luaToken{kind: luaBroken}
	}
	return l.take(luaSign, 1)
}

func (l *luaLexer) take(kind luaKind, n int) luaToken {
	t := luaToken{kind, l.rest[:n]}
	l.rest = l.rest[n:]
	return t
}

// skip takes off blanks and comments; false for a comment that does not end.
func (l *luaLexer) skip() bool {
	for {
		l.rest = strings.TrimLeft(l.rest, " \t\r\n\v\f")
		after, comment := strings.CutPrefix(l.rest, "--")
		if !comment {
			return true
		}
		if level := luaLevel(after); level >= 0 {
			l.rest = after
			if l.long(level).kind == luaBroken {
				return false
			}
			continue
		}
		end := strings.IndexAny(after, "\r\n")
		if end < 0 {
			end = len(after)
		}
		l.rest = after[end:]
	}
}

// luaLevel is the number of = in the long bracket that s begins with; -1 for
// none.
func luaLevel(s string) int {
	if !strings.HasPrefix(s, "[") {
		return -1
	}
	n := spanOf(s[1:], func(c byte) bool { return c == '=' })
	if strings.HasPrefix(s[1+n:], "[") {
		return n
	}
	return -1
}

// long is the string in long brackets at the start.
func (l *luaLexer) long(level int) luaToken {
	head, closing := level+2, "]"+strings.Repeat("=", level)+"]"
	end := strings.Index(l.rest[head:], closing)
	if end < 0 {
		return luaToken{kind: luaBroken}
	}
	t := luaToken{luaString, l.rest[head : head+end]}
	l.rest = l.rest[head+end+len(closing):]
	return t
}

func (l *luaLexer) quoted(quote byte) luaToken {
	for i := 1; i < len(l.rest); i++ {
		switch l.rest[i] {
		case quote:
			t := luaToken{luaString, l.rest[1:i]}
			l.rest = l.rest[i+1:]
			return t
		case '\\':
			if strings.HasPrefix(l.rest[i:], `\z`) {
				return luaToken{kind: luaBroken} // skips line ends, which is rare
			}
			i++
		case '\n', '\r':
			return luaToken{kind: luaBroken}
		}
	}
	return luaToken{kind: luaBroken}
}

// number is a literal as Lua reads it: greedily, so that a name never begins
// within it.
func (l *luaLexer) number() luaToken {
	n := 0
	for n < len(l.rest) {
		c := l.rest[n]
		sign := (c == '+' || c == '-') && n > 0 && strings.IndexByte("eEpP", l.rest[n-1]) >= 0
		if !sign && !luaLetter(c) && !luaDigit(c) && c != '.' {
			break
		}
		n++
	}
	return l.take(luaNumber, n)
}

func luaDigit(c byte) bool { return '0' <= c && c <= '9' }

// luaLetter holds for what names begin with; LuaJIT takes bytes outside of ASCII
// for letters, too.
func luaLetter(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' || c >= 0x80
}

// spanOf is how many bytes at the start of s hold.
func spanOf(s string, holds func(byte) bool) int {
	for i := range len(s) {
		if !holds(s[i]) {
			return i
		}
	}
	return len(s)
}
