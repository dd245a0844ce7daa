package report

import (
	"fmt"
	"slices"
)

// Sequence shows values in the order in which they were measured.
type Sequence struct {
	Title, Text string
	Unit        string
	Of          string // what is counted from left to right: "change"
	Runs        []Values
	Limit       *Limit
}

// Values are those of one side, in order.
type Values struct {
	Side   Side
	Values []float64
}

// columns is how many values are told apart from left to right. Where there
// are more, neighbours share a line from their least to their largest, and the
// dot is their median.
const columns = 200

func (s Sequence) draw() drawing {
	runs := slices.DeleteFunc(slices.Clone(s.Runs), func(v Values) bool { return len(v.Values) == 0 })
	var values [][]float64
	var names []string
	var sides []Side
	longest := 1
	for _, r := range runs {
		values, names, sides = append(values, r.Values), append(names, r.Side.Name), append(sides, r.Side)
		longest = max(longest, len(r.Values))
	}
	f := newFrame(s.Title, s.Text, s.Unit, values, names, s.Limit)
	x := func(n float64) float64 { return left + 6 + (f.right-left-12)*(n-1)/max(float64(longest-1), 1) }
	for _, n := range newScale(0, 0, float64(longest)).ticks {
		if n = max(n, 1); n <= float64(longest) {
			f.write(x(n), top+plotHeight+18, "tick-x", Round(n))
		}
	}
	each := (longest + columns - 1) / columns
	var ends []float64
	for _, r := range runs {
		from := 0
		for part := range slices.Chunk(r.Values, each) {
			s.drawPart(&f, r.Side, part, from, x(float64(from)+float64(len(part)+1)/2))
			from += len(part)
		}
		ends = append(ends, f.y(median(r.Values[len(r.Values)*9/10:])))
	}
	f.xName(s.Of + ", in order")
	f.nameLines(sides, ends)
	return f.drawing
}

// drawPart draws neighbours, of which from were before, in one column.
func (s Sequence) drawPart(f *frame, side Side, part []float64, from int, x float64) {
	middle := median(part)
	hint := fmt.Sprintf("%s, %s %d: %s %s", side.Name, s.Of, from+1, Number(middle), s.Unit)
	if len(part) > 1 {
		low, high := slices.Min(part), slices.Max(part)
		f.add("range "+side.class(), segment(x, f.y(low), x, f.y(high)))
		hint = fmt.Sprintf("%s, %s %d to %d: median %s %s, %s to %s", side.Name, s.Of, from+1, from+len(part), Number(middle), s.Unit, Number(low), Number(high))
	}
	f.hinted("dot "+side.class(), dot(x, f.y(middle)), hint)
}
