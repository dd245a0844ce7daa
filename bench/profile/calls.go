package profile

import (
	"slices"
	"strings"

	"github.com/google/pprof/profile"
)

// calls are sums over the samples of a profile.
type calls struct {
	total            int64
	flat, cumulative map[string]int64
	into             map[[2]string]int64 // from a caller to whom it calls
}

// add counts one sample; names has the innermost function first. What
// profiling itself costs does not count.
func (c *calls) add(names []string, value int64) {
	if len(names) == 0 || slices.ContainsFunc(names, profiling) {
		return
	}
	c.total += value
	c.flat[names[0]] += value
	seen, called := map[string]bool{}, map[[2]string]bool{}
	for i, name := range names { // recursion counts once
		if !seen[name] {
			seen[name] = true
			c.cumulative[name] += value
		}
		if i > 0 && !called[[2]string{name, names[i-1]}] {
			called[[2]string{name, names[i-1]}] = true
			c.into[[2]string{name, names[i-1]}] += value
		}
	}
}

// profiling reports whether a function is of the profiler's own.
func profiling(name string) bool {
	return strings.HasPrefix(name, "net/http/pprof.") || name == "runtime/pprof.profileWriter"
}

// unlockers is a mutex profile without the functions of locks themselves, so
// that the innermost function of each stack is who held the lock.
func unlockers(p *profile.Profile) *profile.Profile {
	held := &profile.Profile{SampleType: p.SampleType}
	for _, s := range p.Sample {
		at := s.Location
		for len(at) > 1 && slices.ContainsFunc(at[0].Line, func(l profile.Line) bool {
			return l.Function != nil && strings.HasPrefix(l.Function.Name, "sync.")
		}) {
			at = at[1:]
		}
		held.Sample = append(held.Sample, &profile.Sample{Location: at, Value: s.Value})
	}
	return held
}

// forwards are the functions that do nothing but call one other: the layers of
// a server, which would fill a list of those that a profile names most.
func (c *calls) forwards() map[string]bool {
	forwards := map[string]bool{}
	for pair, value := range c.into {
		if pair[0] != pair[1] && value == c.cumulative[pair[0]] {
			forwards[pair[0]] = true
		}
	}
	return forwards
}
