package resource

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// maxNesting is how deep lists and mappings may nest in an input.
const maxNesting = 200

// jsonReader parses JSON (RFC 8259) into the nodes that the YAML parser
// yields, so that both are walked alike. It is for one goroutine.
type jsonReader struct {
	text  string
	pos   int
	line  int // from 1
	start int // where the line begins, moved on by what is no first byte of a character
	depth int
	slab  []yaml.Node
}

// syntaxError says where an input stops being JSON or YAML.
type syntaxError struct {
	line, column int
	message      string
	deep         bool // nested too deep: no reason to try another format
}

func (e *syntaxError) Error() string { return e.message }

// readJSON parses a sequence of JSON values. text must be valid UTF-8.
func readJSON(text string) ([]*yaml.Node, *syntaxError) {
	p := &jsonReader{text: text, line: 1}
	var roots []*yaml.Node
	for p.space(); p.pos < len(text); p.space() {
		n, err := p.value()
		if err != nil {
			return roots, err
		}
		roots = append(roots, n)
	}
	return roots, nil
}

func (p *jsonReader) fail(format string, args ...any) *syntaxError {
	return &syntaxError{p.line, p.pos - p.start + 1, fmt.Sprintf(format, args...), false}
}

func (p *jsonReader) space() {
	for ; p.pos < len(p.text); p.pos++ {
		switch p.text[p.pos] {
		case '\n':
			p.line++
			p.start = p.pos + 1
		case ' ', '\t', '\r':
		default:
			return
		}
	}
}

// node allocates in slabs: large inputs have hundreds of thousands.
func (p *jsonReader) node(kind yaml.Kind, tag string) *yaml.Node {
	if len(p.slab) == 0 {
		p.slab = make([]yaml.Node, 128)
	}
	n := &p.slab[0]
	p.slab = p.slab[1:]
	n.Kind, n.Tag, n.Line, n.Column = kind, tag, p.line, p.pos-p.start+1
	return n
}

func (p *jsonReader) value() (*yaml.Node, *syntaxError) {
	p.space()
	if p.pos == len(p.text) {
		return nil, p.fail("the JSON ends in the middle of a value")
	}
	switch c := p.text[p.pos]; {
	case c == '{':
		return p.container(yaml.MappingNode, "!!map", '}')
	case c == '[':
		return p.container(yaml.SequenceNode, "!!seq", ']')
	case c == '"':
		return p.str()
	case c == '-' || c >= '0' && c <= '9':
		return p.number()
	}
	for word, tag := range map[string]string{"true": "!!bool", "false": "!!bool", "null": "!!null"} {
		if strings.HasPrefix(p.text[p.pos:], word) {
			n := p.node(yaml.ScalarNode, tag)
			n.Value = word
			p.pos += len(word)
			return n, nil
		}
	}
	r, _ := utf8.DecodeRuneInString(p.text[p.pos:])
	return nil, p.fail("expected a JSON value, found %q", r)
}

func (p *jsonReader) container(kind yaml.Kind, tag string, closing byte) (*yaml.Node, *syntaxError) {
	n := p.node(kind, tag)
	if p.depth++; p.depth > maxNesting {
		err := p.fail("nests deeper than %d", maxNesting)
		err.deep = true
		return nil, err
	}
	defer func() { p.depth-- }()
	p.pos++
	for p.space(); ; p.space() {
		if p.pos < len(p.text) && p.text[p.pos] == closing && len(n.Content) == 0 {
			p.pos++
			return n, nil
		}
		if err := p.item(n, kind); err != nil {
			return nil, err
		}
		p.space()
		switch {
		case p.pos == len(p.text):
			return nil, p.fail("the JSON ends before the %q of line %d", closing, n.Line)
		case p.text[p.pos] == closing:
			p.pos++
			return n, nil
		case p.text[p.pos] != ',':
			return nil, p.fail("expected ',' or %q", closing)
		}
		p.pos++
	}
}

// item reads a list's next element, or a mapping's next key and value.
func (p *jsonReader) item(n *yaml.Node, kind yaml.Kind) *syntaxError {
	if kind == yaml.MappingNode {
		if p.pos == len(p.text) || p.text[p.pos] != '"' {
			return p.fail("expected a field name in double quotes")
		}
		key, err := p.str()
		if err != nil {
			return err
		}
		if p.space(); p.pos == len(p.text) || p.text[p.pos] != ':' {
			return p.fail("expected ':' after %q", key.Value)
		}
		p.pos++
		n.Content = append(n.Content, key)
	}
	value, err := p.value()
	n.Content = append(n.Content, value)
	return err
}

func (p *jsonReader) number() (*yaml.Node, *syntaxError) {
	n := p.node(yaml.ScalarNode, "!!int")
	begin := p.pos
	for p.pos < len(p.text) && strings.IndexByte("+-.0123456789eE", p.text[p.pos]) >= 0 {
		p.pos++
	}
	n.Value = p.text[begin:p.pos]
	digits := strings.TrimPrefix(n.Value, "-")
	if _, err := strconv.ParseFloat(n.Value, 64); err != nil && !strings.Contains(err.Error(), "range") ||
		digits[0] == '.' || len(digits) > 1 && digits[0] == '0' && digits[1] >= '0' && digits[1] <= '9' || strings.HasSuffix(digits, ".") {
		p.pos = begin
		return nil, p.fail("%q is no JSON number", n.Value)
	}
	if strings.ContainsAny(digits, ".eE") {
		n.Tag = "!!float"
	}
	return n, nil
}

func (p *jsonReader) str() (*yaml.Node, *syntaxError) {
	n := p.node(yaml.ScalarNode, "!!str")
	n.Style = yaml.DoubleQuotedStyle
	p.pos++
	begin := p.pos
	var b strings.Builder
	for p.pos < len(p.text) {
		switch c := p.text[p.pos]; {
		case c == '"':
			n.Value = p.text[begin:p.pos]
			if b.Len() > 0 {
				b.WriteString(n.Value)
				n.Value = b.String()
			}
			p.pos++
			return n, nil
		case c < ' ':
			return nil, p.fail("a string holds the control character %q: write it as \\u%04x", c, c)
		case c == '\\':
			b.WriteString(p.text[begin:p.pos])
			r, err := p.escape()
			if err != nil {
				return nil, err
			}
			b.WriteRune(r)
			begin = p.pos
		default:
			if !utf8.RuneStart(c) {
				p.start++
			}
			p.pos++
		}
	}
	return nil, p.fail("the JSON ends within the string of line %d", n.Line)
}

var escapes = map[byte]rune{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

func (p *jsonReader) escape() (rune, *syntaxError) {
	rest := p.text[p.pos:]
	if len(rest) >= 2 && rest[1] != 'u' {
		if r, ok := escapes[rest[1]]; ok {
			p.pos += 2
			return r, nil
		}
	}
	r, ok := unit(rest)
	if !ok {
		return 0, p.fail("a string holds an escape that JSON lacks")
	}
	p.pos += 6
	if !utf16.IsSurrogate(r) {
		return r, nil
	}
	low, _ := unit(p.text[p.pos:])
	whole := utf16.DecodeRune(r, low)
	if whole == utf8.RuneError {
		return 0, p.fail("a string holds half of a surrogate pair")
	}
	p.pos += 6
	return whole, nil
}

// unit reads a \uXXXX escape.
func unit(s string) (rune, bool) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	v, err := strconv.ParseUint(s[2:6], 16, 16)
	return rune(v), err == nil
}
