package shape

import "strings"

// span is a range of keys, which compare as bytes: [from, to). An empty to is
// infinity.
type span struct{ from, to string }

// point is key alone.
func point(key string) span { return span{key, key + "\x00"} }

// under is all that begins with prefix.
func under(prefix string) span { return span{prefix, successor(prefix)} }

// meets reports whether a key is in both.
func (s span) meets(other span) bool {
	return (other.to == "" || s.from < other.to) && (s.to == "" || other.from < s.to)
}

// successor is the first key after all that begin with prefix; "" if there is
// none.
func successor(prefix string) string {
	for end := len(prefix); end > 0; end-- {
		if c := prefix[end-1]; c < 0xff {
			return prefix[:end-1] + string([]byte{c + 1})
		}
	}
	return ""
}

// lower is s in lower case as Envoy makes it: ASCII letters alone.
func lower(s string) string {
	for i := range len(s) {
		if c := s[i]; 'A' <= c && c <= 'Z' {
			return lowerFrom(s, i)
		}
	}
	return s
}

func lowerFrom(s string, i int) string {
	var b strings.Builder
	b.Grow(len(s))
	b.WriteString(s[:i])
	for ; i < len(s); i++ {
		c := s[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		b.WriteByte(c)
	}
	return b.String()
}
