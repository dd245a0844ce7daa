package conformance

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// patience bounds the wait for one response; only a failing test waits so long.
const patience = 10 * time.Second

// Script is a test as people read it: one command a line, "#" starts a comment.
//
//	variants V...                 which of delta-ads sotw-ads delta-typed sotw-typed it is about; default all
//	commit [-]SPEC...             one version: resources set and, with "-", removed
//	fleet NAME PRIORITY NODE NS...  a fleet of the nodes with that id; without namespaces it is removed
//	subscribe C KIND [NAME...]    without names the legacy wildcard
//	unsubscribe C KIND NAME...
//	request C KIND [KEY=VALUE...] a request word for word; see command.go
//	expect C CHANGE...            the next responses of those types make exactly these changes
//	first C CHANGE...             the same, and nothing else arrives before them
//	expect C none                 nothing that was not asked for is on its way
//	expect C closed CODE [KIND]   the stream has ended with that gRPC code
//	expect C empty KIND           a response without any resource
//	expect C alive KIND/NAME...   a response only to say that these live on; it is acknowledged
//	expect C optional KIND...     responses that tell nothing new, or none
//	ack C [KIND...]               everything that was expected and not answered yet
//	nack C KIND "REASON"
//	held C KIND [TOKEN...]        what the client has now, by its own account
//	disconnect C
//	reconnect C with|without versions [SERVER]
//	restart SERVER                streams break, and the server forgets everything
//
// A CHANGE is +kind/name[=content] for a resource that is sent and -kind/name
// for one that is taken away. In state of the world a resource is taken away
// by its absence from a full response, and only for listeners and clusters:
// for other types "-" expects nothing. [delta], [sotw], [ads], [typed] before
// a command restrict it to such variants; C is the client's name and node id.
type Script struct {
	Variants []Variant
	lines    []line
}

type line struct {
	number    int
	condition string
	words     []string
}

// ParseScript reads the language described at Script.
func ParseScript(text string) (*Script, error) {
	s := &Script{Variants: Variants}
	for i, raw := range strings.Split(text, "\n") {
		words, err := fields(raw)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
		if len(words) == 0 {
			continue
		}
		l := line{number: i + 1}
		if strings.HasPrefix(words[0], "[") {
			l.condition, words = strings.Trim(words[0], "[]"), words[1:]
		}
		if l.words = words; len(words) == 0 {
			return nil, fmt.Errorf("line %d: a condition without a command", i+1)
		}
		if words[0] == "variants" {
			s.Variants = slices.DeleteFunc(slices.Clone(Variants), func(v Variant) bool {
				return !slices.Contains(words[1:], v.String())
			})
			continue
		}
		s.lines = append(s.lines, l)
	}
	return s, nil
}

// fields splits a line into words; double quotes hold a word together.
func fields(s string) ([]string, error) {
	var words []string
	for {
		s = strings.TrimLeft(s, " \t")
		if s == "" || s[0] == '#' {
			return words, nil
		}
		if s[0] == '"' {
			word, rest, ok := strings.Cut(s[1:], `"`)
			if !ok {
				return nil, fmt.Errorf("quote is not closed")
			}
			words, s = append(words, word), rest
			continue
		}
		end := strings.IndexAny(s, " \t")
		if end < 0 {
			end = len(s)
		}
		words, s = append(words, s[:end]), s[end:]
	}
}

// Run plays the script as one variant of the protocol.
func (s *Script) Run(ctx context.Context, v Variant) error {
	p := &player{Variant: v, world: NewWorld(), rules: NewRules(), clients: map[string]*Client{}}
	defer p.world.Close()
	defer func() {
		for _, c := range p.clients {
			c.Close()
		}
	}()
	for _, l := range s.lines {
		if l.condition != "" && !slices.Contains(strings.Split(v.String(), "-"), l.condition) {
			continue
		}
		ctx, cancel := context.WithTimeout(ctx, patience)
		err := p.run(ctx, l.words)
		cancel()
		if err != nil {
			return fmt.Errorf("line %d: %s: %w", l.number, strings.Join(l.words, " "), err)
		}
	}
	return nil
}
