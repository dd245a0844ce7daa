package shapefuzz

import (
	"fmt"
	"strings"
)

// Few and similar names, so that domains, wildcards, cuts and requests meet.
var (
	words = []string{"a", "b", "ab", "ba", "b-a", "api", "www", "m", "mm", "z", "0", "x1"}
	zones = []string{"test", "a.test", "b.test", "api.test", "example", "zz"}
	odd   = []string{"%odd'):1%", "[::1]", "[::1]:80", "[fe80::a]", ":80", "a_b~", "$a!", "a(b)", "xn--a-0", "10.0.0.1", "10.0.0.10", "a,b", "-", "~", "a.test.", "A..test"}
	ports = []string{":80", ":8080", ":8", ":443"}
)

// domain is one of a virtual host.
func (t *tables) domain() string {
	name := t.authority()
	switch n := t.IntN(100); {
	case n < 3:
		return "*"
	case n < 8:
		return "*." + oneOf(t.random, zones...)
	case n < 11:
		return "*" + oneOf(t.random, "-a.test", "a.test", "test", ".test:80", ":8080", "b")
	case n < 16:
		return oneOf(t.random, words...) + ".*"
	case n < 19:
		return oneOf(t.random, "a*", "api*", "a.test:*", "b.test*", "[*", "ww*", "M*")
	case n < 25:
		return oneOf(t.random, odd...)
	case n < 35:
		return name + oneOf(t.random, ports...)
	case n < 45:
		return capitals(t.random, name)
	}
	return name
}

// authority is a name in lower case.
func (t *tables) authority() string {
	name := oneOf(t.random, zones...)
	for range t.IntN(3) {
		name = oneOf(t.random, words...) + "." + name
	}
	if t.percent(50) {
		name = fmt.Sprintf("h%d.%s", t.IntN(100), name)
	}
	return name
}

// capitals is s with some letters in upper case.
func capitals(r random, s string) string {
	b := []byte(s)
	for i := range b {
		if r.percent(40) {
			b[i] = strings.ToUpper(string(b[i]))[0]
		}
	}
	return string(b)
}
