package report

import (
	"fmt"
	"math"
	"strings"
)

// Sizes in a drawing's own units; a page scales it to its column.
const (
	width      = 760.0
	plotHeight = 250.0
	top        = 26.0 // above the plot: the unit of its axis
	bottom     = 38.0 // below it: ticks, and the name of its axis
	left       = 62.0
	letter     = 6.6 // the width of an average one
)

// drawing is a plot as page.html has it.
type drawing struct {
	Title, Text   string
	Width, Height float64
	Shapes        []shape
	Labels        []label
}

// shape is a path; its class says how it looks.
type shape struct {
	Class, Path string
	Hint        string // shown where the pointer rests
}

// label is a text whose class says how it is anchored.
type label struct {
	X, Y        float64
	Class, Text string
}

func (d *drawing) add(class, path string) {
	d.Shapes = append(d.Shapes, shape{Class: class, Path: path})
}

func (d *drawing) hinted(class, path, hint string) {
	d.Shapes = append(d.Shapes, shape{class, path, hint})
}

func (d *drawing) write(x, y float64, class, text string) {
	d.Labels = append(d.Labels, label{round(x), round(y), class, text})
}

// round keeps a tenth of a unit: more is not seen, and is longer.
func round(v float64) float64 { return math.Round(v*10) / 10 }

// path is a polyline.
type path struct{ strings.Builder }

func (p *path) to(x, y float64) {
	command := "L"
	if p.Len() == 0 {
		command = "M"
	}
	fmt.Fprintf(p, "%s%g %g", command, round(x), round(y))
}

// segment is a straight line.
func segment(x1, y1, x2, y2 float64) string {
	return fmt.Sprintf("M%g %gL%g %g", round(x1), round(y1), round(x2), round(y2))
}

// dot is a line without length, whose round ends make it one.
func dot(x, y float64) string { return fmt.Sprintf("M%g %gh0", round(x), round(y)) }

// rectangle has its corner at the top and left.
func rectangle(x, y, w, h float64) string {
	return fmt.Sprintf("M%g %gh%gv%gh%gz", round(x), round(y), round(w), round(h), -round(w))
}

// margin is the room that names need at the right of a plot.
func margin(names []string) float64 {
	longest := 0
	for _, n := range names {
		longest = max(longest, len([]rune(n)))
	}
	return min(16+letter*float64(longest), 240)
}

// spread moves positions apart, to at least gap from one to the next, as
// little as needed and within low and high, if they fit there. Their order
// stays.
func spread(positions []float64, gap, low, high float64) []float64 {
	order := ascending(positions)
	at := make([]float64, len(positions))
	next := low
	for _, i := range order {
		at[i] = max(positions[i], next)
		next = at[i] + gap
	}
	next = high
	for k := len(order) - 1; k >= 0; k-- {
		i := order[k]
		at[i] = min(at[i], next)
		next = at[i] - gap
	}
	return at
}
