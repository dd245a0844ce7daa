package shapefuzz

import "math/rand/v2"

// random is a seeded source of choices. Not safe for concurrent use.
type random struct{ *rand.Rand }

func newRandom(seed, stream uint64) random { return random{rand.New(rand.NewPCG(seed, stream))} }

// oneOf is any of some choices.
func oneOf[T any](r random, of ...T) T { return of[r.IntN(len(of))] }

// percent is true that often.
func (r random) percent(n int) bool { return r.IntN(100) < n }

// between is a number from low to high, both included.
func (r random) between(low, high int) int { return low + r.IntN(high-low+1) }
