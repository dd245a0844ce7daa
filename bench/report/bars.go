package report

import "math"

// Bars compares one figure of all sides, from zero on.
type Bars struct {
	Title, Text string
	Unit        string
	Bars        []Bar
}

// Bar is one figure.
type Bar struct {
	Side  Side
	Value float64
}

// Heights of bars, and of the space that each has.
const (
	barHeight = 16.0
	barEach   = 26.0
)

func (b Bars) draw() drawing {
	var names []string
	most := 0.0
	for _, one := range b.Bars {
		names = append(names, one.Side.Name)
		most = max(most, one.Value)
	}
	if most == 0 || math.IsInf(most, 0) {
		most = 1
	}
	d := drawing{Title: b.Title, Text: b.Text, Width: width / 2, Height: barEach*float64(len(b.Bars)) + 8}
	from := margin(names)
	room := d.Width - from - letter*float64(len(b.Unit)+8)
	for i, one := range b.Bars {
		y := 4 + barEach*float64(i) + (barEach-barHeight)/2
		length := room * clamp(one.Value/most)
		text := Number(one.Value) + " " + b.Unit
		d.write(from-8, y+barHeight-4, "tick-y", one.Side.Name)
		d.hinted("bar "+one.Side.class(), rectangle(from, y, max(length, 1), barHeight), one.Side.Name+": "+text)
		d.write(from+length+6, y+barHeight-4, "name", text)
	}
	d.add("axis", segment(from, 0, from, d.Height))
	return d
}
