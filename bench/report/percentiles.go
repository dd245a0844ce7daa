package report

import (
	"fmt"
	"math"
	"slices"

	"github.com/deltaplane/deltaplane/bench/histogram"
)

// Percentiles shows distributions as HdrHistogram does: the horizontal axis is
// 1/(1−p) on a logarithmic scale, so that the slowest one in a hundred has as
// much room as the slowest one in ten.
type Percentiles struct {
	Title, Text string
	Unit        string
	Curves      []Curve
	Limit       *Limit
}

// Curve is one distribution, which must have its curve. It ends at one in as
// many as were counted.
type Curve struct {
	Side Side
	Of   histogram.Distribution
}

// tail is log10 of 1/(1−p); at most that of one in count.
func tail(percent float64, count int64) float64 {
	most := math.Log10(max(float64(count), 2))
	if percent >= 100 {
		return most
	}
	return min(max(-math.Log10(1-percent/100), 0), most)
}

func (p Percentiles) draw() drawing {
	curves := slices.DeleteFunc(slices.Clone(p.Curves), func(c Curve) bool { return c.Of.Count == 0 || len(c.Of.Curve) == 0 })
	var values [][]float64
	var names []string
	var sides []Side
	end := math.Log10(2)
	for _, c := range curves {
		var line []float64
		for _, q := range c.Of.Curve {
			line = append(line, q.Time)
		}
		values, names, sides = append(values, line), append(names, c.Side.Name), append(sides, c.Side)
		end = max(end, tail(100, c.Of.Count))
	}
	f := newFrame(p.Title, p.Text, p.Unit, values, names, p.Limit)
	x := func(t float64) float64 { return left + (f.right-left)*t/end }
	for _, percent := range []float64{0, 50, 90, 99, 99.9, 99.99, 99.999} {
		t := tail(percent, math.MaxInt64)
		if t > end+1e-9 {
			break
		}
		f.add("grid", segment(x(t), top, x(t), top+plotHeight+4))
		f.write(x(t), top+plotHeight+18, "tick-x", fmt.Sprintf("P%g", percent))
	}
	var ends []float64
	for _, c := range curves {
		var line path
		for _, q := range c.Of.Curve {
			line.to(x(tail(q.Percent, c.Of.Count)), f.y(q.Time))
		}
		f.add("line "+c.Side.class(), line.String())
		for _, q := range c.Of.Curve {
			f.hinted("touch", dot(x(tail(q.Percent, c.Of.Count)), f.y(q.Time)), fmt.Sprintf("%s: P%.4g is %s %s", c.Side.Name, q.Percent, Number(q.Time), p.Unit))
		}
		ends = append(ends, f.y(c.Of.Curve[len(c.Of.Curve)-1].Time))
	}
	f.xName("percentile: to the right, the slowest ones")
	f.nameLines(sides, ends)
	return f.drawing
}
