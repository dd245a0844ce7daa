package shape

import (
	"fmt"
	"strings"
)

// Envoy compiles no regular expression of a CEL condition to more than 100 of
// RE2's instructions. A byte that is skipped takes one, one that is compared
// at most four.
const (
	programSize = 88
	perLetter   = 4
)

// maxHost is how long an authority may be that anyCase compares with: the last
// letter must fit when all before it are skipped.
const maxHost = programSize - perLetter

// anyCase compares authorities without regard to case, as Envoy's routing
// does. What is known is skipped.
func anyCase(host string, known int) string {
	end := known + (programSize-known)/perLetter
	if end >= len(host) {
		return matches(known, from(host[known:]))
	}
	part := host[known:end]
	return "(" + matches(known, after(part)) + "||" + matches(known, begins(part)) + "&&" + anyCase(host, end) + ")"
}

// matches is the condition that an authority matches pattern behind its first
// bytes.
func matches(skip int, pattern string) string {
	if skip > 0 {
		pattern = fmt.Sprintf(`\C{%d}`, skip) + pattern
	}
	return "request.host.matches(r'^" + pattern + "')"
}

// begins matches what begins with part.
func begins(part string) string {
	var b strings.Builder
	for i := range len(part) {
		b.WriteString(equal(part[i]))
	}
	return b.String()
}

// from matches what begins with part, or is behind it.
func from(part string) string { return differs(part, class) }

// after matches what is behind all that begins with part.
func after(part string) string { return differs(part, greater) }

// differs matches what has a greater character than part where they first
// differ; last is for the last character of part.
func differs(part string, last func(byte) string) string {
	var b strings.Builder
	end := len(part) - 1
	for i := range end {
		b.WriteString("(?:" + greater(part[i]) + "|" + equal(part[i]))
	}
	return b.String() + last(part[end]) + strings.Repeat(")", end)
}

// greater is a class of the characters that, in lower case, are greater than c,
// which is no upper-case letter.
func greater(c byte) string { return class(c + 1) }

// class is one of the characters that, in lower case, are c, which is no
// upper-case letter, or greater, up to the last printable one of ASCII: Envoy's
// own check lets no others into an authority.
func class(c byte) string {
	switch {
	case c > 'A' && c <= 'a':
		return "[" + escaped(c) + "-~A-Z]"
	case c > 'a' && c <= 'z':
		return "[" + escaped(c) + "-~" + string(c-'a'+'A') + "-Z]"
	case c > '~':
		return escaped(c)
	}
	return "[" + escaped(c) + "-~]"
}

// equal matches c in upper and lower case. The flag (?i) would match some
// letters outside of ASCII, too.
func equal(c byte) string {
	if c >= 'a' && c <= 'z' {
		return "[" + string(c) + string(c-'a'+'A') + "]"
	}
	return escaped(c)
}

// escaped is c as it stands for itself in a pattern, in a class or not, and in
// a CEL string without escapes of its own.
func escaped(c byte) string {
	if c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c == '@' || c == '_' {
		return string(c)
	}
	return fmt.Sprintf(`\x%02x`, c)
}
