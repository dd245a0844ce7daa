package report

// Limit is a promise that a plot shows as a line.
type Limit struct {
	Name  string
	Value float64
}

// frame is what plots with a vertical axis have in common.
type frame struct {
	drawing
	scale scale
	right float64 // where the plot ends and names begin
}

// newFrame draws the axis. all are the values of each line; names go to the
// right.
func newFrame(title, text, unit string, all [][]float64, names []string, limit *Limit) frame {
	low, high, typical := 0.0, 0.0, 0.0
	for _, values := range all {
		for _, v := range values {
			if v > 0 && (low == 0 || v < low) {
				low = v
			}
			high = max(high, v)
		}
		if m := median(values); m > 0 && (typical == 0 || m < typical) {
			typical = m
		}
	}
	// A promise far above everything would press the rest onto the zero line.
	near := limit != nil && limit.Value <= 1.6*high
	if near {
		high = max(high, limit.Value)
	}
	f := frame{scale: newScale(typical, low, high), right: width - margin(names)}
	f.Title, f.Text, f.Width, f.Height = title, text, width, top+plotHeight+bottom
	if f.scale.log {
		unit += ", logarithmic"
	}
	f.write(left-8, top-12, "unit", unit)
	for _, v := range f.scale.ticks {
		class := "grid"
		if v == 0 {
			class = "axis"
		}
		f.add(class, segment(left, f.y(v), f.right, f.y(v)))
		f.write(left-8, f.y(v)+4, "tick-y", Round(v))
	}
	switch {
	case near:
		f.add("limit", segment(left, f.y(limit.Value), f.right, f.y(limit.Value)))
		f.write(left+6, f.y(limit.Value)-5, "limit", limit.Name)
	case limit != nil:
		f.write(f.right, top-12, "beyond", limit.Name+" is above this plot")
	}
	return f
}

// y is the height of a value.
func (f *frame) y(v float64) float64 { return top + plotHeight*(1-f.scale.part(v)) }

// xName names the horizontal axis.
func (f *frame) xName(text string) {
	f.write((left+f.right)/2, top+plotHeight+bottom-4, "tick-x", text)
}

// nameLines writes the name of each line to the right, where it ends, and
// leads to those that had to move.
func (f *frame) nameLines(sides []Side, ends []float64) {
	at := spread(ends, 15, top+4, top+plotHeight)
	for i, s := range sides {
		f.add("lead "+s.class(), segment(f.right+2, ends[i], f.right+10, at[i]))
		f.write(f.right+13, at[i]+4, "name", s.Name)
	}
}
