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
		return matches(known, beginsLess(host[known:]))
	}
	part := host[known:end]
	return "(" + matches(known, beginsLess(part)) + "||" + matches(known, begins(part)) + "&&" + anyCase(host, end) + ")"
}

// matches is the condition that an authority matches pattern behind its first
// bytes.
func matches(skip int, pattern string) string {
	if skip > 0 {
		pattern = fmt.Sprintf(`[\x00-\x7f]{%d}`, skip) + pattern
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

// beginsLess matches what is less than part.
func beginsLess(part string) string {
	var b strings.Builder
	for i := range len(part) {
		b.WriteString("(?:$|" + less(part[i]))
		if i+1 < len(part) {
			b.WriteString("|" + equal(part[i]))
		}
	}
	return b.String() + strings.Repeat(")", len(part))
}

// less is a class of the ASCII characters that, in lower case, are less than
// c, which is no upper-case letter. Envoy's own check lets no others into an
// authority.
func less(c byte) string {
	switch {
	case c <= 'A', c > 'z':
		return `[\x00-` + escaped(c-1) + "]"
	case c <= 'a':
		if c == '[' {
			return `[\x00-@]`
		}
		return `[\x00-@\[-` + escaped(c-1) + "]"
	case c == 'b':
		return "[\\x00-@\\[-`aA]"
	default:
		return "[\\x00-@\\[-`a-" + string(c-1) + "A-" + string(c-1-'a'+'A') + "]"
	}
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
