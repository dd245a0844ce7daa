package report

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

// scale maps values to heights in a plot: from zero on, or, where values
// differ so much that the small ones would lie on the zero line, by their
// logarithms.
type scale struct {
	low, high float64
	log       bool
	ticks     []float64
}

// logFrom is the ratio of the largest value to the smallest median from where
// on a scale is logarithmic.
const logFrom = 25

// newScale is one for values up to high; typical is the smallest that must be
// told from zero.
func newScale(typical, low, high float64) scale {
	if high <= 0 || math.IsInf(high, 0) || math.IsNaN(high) {
		high = 1
	}
	if typical > 0 && low > 0 && high/typical >= logFrom {
		return logScale(low, high)
	}
	step := nice(high / 5)
	s := scale{high: math.Ceil(high/step-1e-9) * step}
	for n := 0; float64(n)*step <= s.high+step/2; n++ {
		s.ticks = append(s.ticks, float64(n)*step)
	}
	return s
}

// decades is how many a logarithmic scale has at most: what is smaller stands
// at its low end.
const decades = 5

func logScale(low, high float64) scale {
	low = max(low, high*math.Pow10(-decades))
	s := scale{log: true, low: math.Pow(10, math.Floor(math.Log10(low)+1e-9)), high: math.Pow(10, math.Ceil(math.Log10(high)-1e-9))}
	if s.high < 10*s.low {
		s.high = 10 * s.low
	}
	factors := []float64{1, 2, 5}
	if s.high/s.low > 1e3 {
		factors = factors[:1]
	}
	// The whole decades around the values would leave much of the plot empty.
	for n := math.Round(math.Log10(s.low)); n <= math.Round(math.Log10(s.high)); n++ {
		for _, f := range factors {
			s.ticks = append(s.ticks, f*math.Pow(10, n))
		}
	}
	first, _ := slices.BinarySearchFunc(s.ticks, low*1.001, compare)
	last, _ := slices.BinarySearchFunc(s.ticks, high*0.999, compare)
	first, last = max(first-1, 0), min(last, len(s.ticks)-1)
	s.ticks = s.ticks[first : last+1]
	s.low, s.high = s.ticks[0], s.ticks[len(s.ticks)-1]
	return s
}

func compare(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// part is where v is on the scale: 0 at its low end, 1 at its high one.
func (s scale) part(v float64) float64 {
	if !s.log {
		return clamp(v / s.high)
	}
	if v <= s.low {
		return 0
	}
	return clamp(math.Log(v/s.low) / math.Log(s.high/s.low))
}

func clamp(v float64) float64 { return min(max(v, 0), 1) }

// nice is the least of 1, 2, 5, 10 … that is not less than v.
func nice(v float64) float64 {
	decade := math.Pow(10, math.Floor(math.Log10(v)))
	for _, f := range []float64{1, 2, 5} {
		if v <= f*decade*(1+1e-9) {
			return f * decade
		}
	}
	return 10 * decade
}

// Number is v to three digits, with thousands set apart: "0.123", "12.3",
// "12,345".
func Number(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "–"
	}
	digits := 0
	for limit := 100.0; digits < 3 && math.Abs(v) < limit-0.5*math.Pow(0.1, float64(digits)) && v != 0; limit /= 10 {
		digits++
	}
	text := strconv.FormatFloat(v, 'f', digits, 64)
	whole, fraction, _ := strings.Cut(text, ".")
	for i := len(whole) - 3; i > 0 && whole[i-1] != '-'; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if fraction != "" {
		return whole + "." + fraction
	}
	return whole
}

// Round is a value that has few digits, such as one that a user has chosen:
// "50", "0.5".
func Round(v float64) string {
	text := Number(v)
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	return text
}

// ascending are the indexes of values from the least on.
func ascending(values []float64) []int {
	order := make([]int, len(values))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return compare(values[a], values[b]) })
	return order
}

// median is the value in the middle; 0 of none.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	return values[ascending(values)[(len(values)-1)/2]]
}
