package resource

import (
	"fmt"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// unknownField says that md has no such field, and which one may be meant.
func unknownField(name string, md protoreflect.MessageDescriptor) string {
	var names []string
	for i := range md.Fields().Len() {
		names = append(names, string(md.Fields().Get(i).Name()))
	}
	text := fmt.Sprintf("unknown field %q in %s", name, md.Name())
	if near := closest(name, names); near != "" {
		return fmt.Sprintf("%s: did you mean %q?", text, near)
	}
	if len(names) == 0 {
		return text + ", which has no fields"
	}
	if len(names) > 12 {
		names = append(names[:12], "…")
	}
	return text + ": it has " + strings.Join(names, ", ")
}

// closest is the name that differs from given by at most a third of its
// letters, case and underscores aside; "" if there is none.
func closest(given string, names []string) string {
	plain := func(s string) string { return strings.ToLower(strings.ReplaceAll(s, "_", "")) }
	if len(given) > 100 {
		return ""
	}
	best, limit := "", max(1, len(given)/3)+1
	for _, name := range names {
		if d := distance(plain(given), plain(name)); d < limit {
			best, limit = name, d
		}
	}
	return best
}

// distance counts the letters to insert, delete or replace between a and b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
