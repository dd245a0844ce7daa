package api

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/deltaplane/deltaplane"
)

// query reads parameters and keeps the first error.
type query struct {
	values url.Values
	err    error
}

// knownQuery refuses parameters that the route does not take: a misspelt
// dry_run must not commit.
func knownQuery(r *http.Request, known []string) error {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return badRequest("query: " + err.Error())
	}
	for name, given := range values {
		if !slices.Contains(known, name) {
			takes := "none"
			if len(known) > 0 {
				takes = strings.Join(slices.Sorted(slices.Values(known)), ", ")
			}
			return badRequest(fmt.Sprintf("unknown query parameter %q; this route takes: %s", name, takes))
		}
		if len(given) > 1 {
			return badRequest(fmt.Sprintf("query parameter %q is given %d times", name, len(given)))
		}
	}
	return nil
}

func (q *query) text(name, otherwise string) string {
	if !q.values.Has(name) || q.values.Get(name) == "" {
		return otherwise
	}
	value := q.values.Get(name)
	if !utf8.ValidString(value) || strings.ContainsRune(value, 0) {
		q.wrong(name, "valid UTF-8 without NUL")
	}
	return value
}

// flag is true for "?name", "?name=true" and "?name=1".
func (q *query) flag(name string) bool {
	if !q.values.Has(name) {
		return false
	}
	value := q.values.Get(name)
	if value == "" {
		return true
	}
	b, err := strconv.ParseBool(value)
	if err != nil {
		q.wrong(name, "true or false")
	}
	return b
}

func (q *query) number(name string, otherwise uint64) uint64 {
	if !q.values.Has(name) {
		return otherwise
	}
	n, err := strconv.ParseUint(q.values.Get(name), 10, 64)
	if err != nil {
		q.wrong(name, "a whole number")
	}
	return n
}

func (q *query) duration(name string, otherwise time.Duration) time.Duration {
	if !q.values.Has(name) {
		return otherwise
	}
	d, err := time.ParseDuration(q.values.Get(name))
	if err != nil || d < 0 || d > longestWait {
		q.wrong(name, "a duration such as 5s, at most "+longestWait.String())
	}
	return d
}

func (q *query) wrong(name, expected string) {
	if q.err == nil {
		q.err = badRequest(fmt.Sprintf("query parameter %q: expected %s", name, expected))
	}
}

// options reads what all changes have in common. A token's name beats the
// author that the request gives.
func (q *query) options(r *http.Request) deltaplane.Options {
	o := deltaplane.Options{
		Namespace:     q.text("namespace", deltaplane.DefaultNamespace),
		Owner:         q.text("owner", "cli"),
		Author:        q.text("author", ""),
		Message:       q.text("message", ""),
		DryRun:        q.flag("dry_run"),
		TakeOwnership: q.flag("take_ownership"),
		AllowShrink:   q.flag("allow_shrink"),
		StrictRefs:    q.flag("strict_refs"),
	}
	if name := caller(r.Context()); name != "" {
		o.Author = name
	}
	if q.values.Has("if_version") {
		v := deltaplane.Version(q.number("if_version", 0))
		o.IfVersion = &v
	}
	return o
}

// pathVersion reads a version from the path.
func pathVersion(r *http.Request, name string) (deltaplane.Version, error) {
	v, err := strconv.ParseUint(r.PathValue(name), 10, 64)
	if err != nil {
		return 0, badRequest(fmt.Sprintf("version %q: expected a whole number", r.PathValue(name)))
	}
	return deltaplane.Version(v), nil
}

const (
	usualPage   = 1_000
	largestPage = 10_000
)

// limit reads ?limit of a list.
func (q *query) limit() int {
	n := q.number("limit", usualPage)
	if n < 1 || n > largestPage {
		q.wrong("limit", fmt.Sprintf("a number from 1 to %d", largestPage))
		return usualPage
	}
	return int(n)
}
