package resource

import (
	"fmt"
	"strings"
)

// Problem is one thing wrong with an input, in the user's terms.
type Problem struct {
	File    string `json:"file,omitempty"`
	Line    int    `json:"line,omitempty"`   // from 1; 0 if unknown
	Column  int    `json:"column,omitempty"` // from 1; 0 if unknown
	Type    string `json:"type,omitempty"`   // short type name
	Name    string `json:"name,omitempty"`   // resource
	Path    string `json:"path,omitempty"`   // field path: virtual_hosts[3].routes[0].match
	Message string `json:"message"`          // what is wrong and what was expected
	Warning bool   `json:"warning,omitempty"`
}

// String is p on one line: file:line:column: Type "name": path: message.
func (p Problem) String() string {
	var b strings.Builder
	if p.File != "" {
		b.WriteString(p.File)
		if p.Line > 0 {
			fmt.Fprintf(&b, ":%d", p.Line)
			if p.Column > 0 {
				fmt.Fprintf(&b, ":%d", p.Column)
			}
		}
		b.WriteString(": ")
	}
	if p.Type != "" {
		fmt.Fprintf(&b, "%s %q: ", p.Type, p.Name)
	}
	if p.Path != "" {
		b.WriteString(p.Path + ": ")
	}
	b.WriteString(p.Message)
	return b.String()
}

// Problems are all that is wrong with an input. As an error it has a line each.
type Problems []Problem

func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}
