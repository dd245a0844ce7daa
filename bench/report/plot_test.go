package report

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/deltaplane/deltaplane/bench/histogram"
)

// values are measured ones: of very different sizes, zero among them.
func values(least, most int) *rapid.Generator[[]float64] {
	return rapid.SliceOfN(rapid.OneOf(rapid.Float64Range(0, 1e7), rapid.Just(0.0), rapid.Float64Range(0, 1e-3)), least, most)
}

// plots are any plots of up to four sides.
func plots(t *rapid.T) []Plot {
	limit := rapid.OneOf(rapid.Just[*Limit](nil), rapid.Custom(func(t *rapid.T) *Limit {
		return &Limit{"SLA", rapid.Float64Range(0.001, 1e6).Draw(t, "promise")}
	})).Draw(t, "limit")
	p, s, b := Percentiles{Unit: "ms", Limit: limit}, Sequence{Unit: "ms", Limit: limit}, Bars{Unit: "ms"}
	for i := range rapid.IntRange(0, 4).Draw(t, "sides") {
		side := Side{Name: rapid.StringMatching(`[a-z]{0,60}`).Draw(t, "name"), Colour: i, Reference: rapid.Bool().Draw(t, "reference")}
		in := values(0, 500).Draw(t, "values")
		s.Runs, b.Bars = append(s.Runs, Values{side, in}), append(b.Bars, Bar{side, median(in)})
		curve := Curve{side, histogram.Distribution{Count: int64(len(in))}}
		for n, k := range ascending(in) {
			curve.Of.Curve = append(curve.Of.Curve, histogram.Quantile{Percent: 100 * float64(n+1) / float64(len(in)), Time: in[k]})
		}
		p.Curves = append(p.Curves, curve)
	}
	return []Plot{p, s, b}
}

var absolute = regexp.MustCompile(`[ML](-?[0-9.e+-]+|NaN|[+-]Inf) (-?[0-9.e+-]+|NaN|[+-]Inf)`)

func TestNothingIsDrawnOutsideOfItsPlot(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		for _, p := range plots(t) {
			d := p.draw()
			for _, s := range d.Shapes {
				points := absolute.FindAllStringSubmatch(s.Path, -1)
				if len(points) == 0 {
					t.Fatalf("path %q has no point", s.Path)
				}
				for _, at := range points {
					x, errX := strconv.ParseFloat(at[1], 64)
					y, errY := strconv.ParseFloat(at[2], 64)
					if errX != nil || errY != nil || !(x >= 0 && x <= d.Width && y >= 0 && y <= d.Height) {
						t.Fatalf("%T: %s %s is outside of %g × %g", p, s.Class, s.Path, d.Width, d.Height)
					}
				}
			}
			for _, l := range d.Labels {
				if !(l.X >= 0 && l.X <= d.Width && l.Y >= 0 && l.Y <= d.Height) {
					t.Fatalf("%T: label %+v is outside of %g × %g", p, l, d.Width, d.Height)
				}
			}
		}
	})
}

func TestAScaleHoldsItsValuesAndKeepsTheirOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := values(1, 50).Draw(t, "values")
		slices.Sort(in)
		positive := in[slices.IndexFunc(append(slices.Clone(in), 1), func(v float64) bool { return v > 0 })%len(in)]
		s := newScale(median(in), positive, in[len(in)-1])
		for i, v := range in {
			if v > s.high*(1+1e-9) {
				t.Fatalf("%g is above the scale's end, %g", v, s.high)
			}
			if i > 0 && s.part(v) < s.part(in[i-1]) {
				t.Fatalf("%g stands below %g", v, in[i-1])
			}
		}
		if !s.log && (s.ticks[0] != 0 || s.part(0) != 0) {
			t.Fatalf("a linear scale begins at %g", s.ticks[0])
		}
		if len(s.ticks) < 2 || len(s.ticks) > 20 || !slices.IsSorted(s.ticks) {
			t.Fatalf("ticks %v", s.ticks)
		}
	})
}

func TestAScaleIsLogarithmicWhereSidesDifferMuch(t *testing.T) {
	for _, test := range []struct {
		typical, low, high float64
		log                bool
		ticks              string
	}{
		{40, 30, 63, false, "[0 20 40 60 80]"},
		{0, 0, 0, false, "[0 0.2 0.4 0.6 0.8 1]"},
		{3, 2, 74, false, "[0 20 40 60 80]"},
		{2, 1.5, 74, true, "[1 2 5 10 20 50 100]"},
		{1, 1, 4900, true, "[1 10 100 1,000 10,000]"},
	} {
		s := newScale(test.typical, test.low, test.high)
		var ticks []string
		for _, v := range s.ticks {
			ticks = append(ticks, Round(v))
		}
		if s.log != test.log || fmt.Sprint(ticks) != test.ticks {
			t.Errorf("%+v: logarithmic %v, ticks %v", test, s.log, ticks)
		}
	}
}

func TestNamesThatWouldOverlapMoveApart(t *testing.T) {
	if got := fmt.Sprint(spread([]float64{50, 52, 10, 99}, 15, 0, 100)); got != "[50 65 10 99]" {
		t.Errorf("moved to %s", got)
	}
	rapid.Check(t, func(t *rapid.T) {
		in := rapid.SliceOfN(rapid.Float64Range(0, 250), 1, 12).Draw(t, "positions")
		out := spread(in, 15, 0, 250)
		order := ascending(in)
		for k, i := range order {
			if out[i] < -1e-9 || out[i] > 250 {
				t.Fatalf("%g is outside", out[i])
			}
			if k > 0 && out[i]-out[order[k-1]] < 15-1e-9 {
				t.Fatalf("%g and %g overlap", out[order[k-1]], out[i])
			}
		}
	})
}

func TestTheSlowestOneInAHundredHasAsMuchRoomAsTheSlowestOneInTen(t *testing.T) {
	for percent, want := range map[float64]float64{0: 0, 90: 1, 99: 2, 99.9: 3, 100: 4, 99.9999: 4} {
		if got := tail(percent, 10000); math.Abs(got-want) > 1e-9 {
			t.Errorf("P%g of 10,000 stands at %g, want %g", percent, got, want)
		}
	}
}

func TestManyValuesShareColumnsAndHideNone(t *testing.T) {
	in := make([]float64, 6000)
	in[4321] = 77 // one outlier
	d := Sequence{Unit: "ms", Of: "change", Runs: []Values{{Side{Name: "x"}, in}}}.draw()
	dots, outliers := 0, 0
	for _, s := range d.Shapes {
		if strings.HasPrefix(s.Class, "dot") {
			dots++
			if strings.Contains(s.Hint, "0 to 77") && strings.Contains(s.Hint, "change 4321 to 4350") {
				outliers++
			}
		}
	}
	if dots != columns || outliers != 1 {
		t.Errorf("%d dots, %d of them with the outlier; want %d and 1", dots, outliers, columns)
	}
}

func TestAPromiseFarAboveIsSaidAndNotDrawn(t *testing.T) {
	for value, want := range map[float64]string{5: "SLA", 50: "SLA is above this plot"} {
		d := Sequence{Runs: []Values{{Side{Name: "x"}, []float64{4, 4}}}, Limit: &Limit{"SLA", value}}.draw()
		lines := slices.ContainsFunc(d.Shapes, func(s shape) bool { return s.Class == "limit" })
		if said := slices.ContainsFunc(d.Labels, func(l label) bool { return l.Text == want }); !said || lines != (value == 5) {
			t.Errorf("at %g: line %v, said %q: %v", value, lines, want, said)
		}
	}
}

func TestNumbersHaveThreeDigits(t *testing.T) {
	for value, want := range map[float64]string{
		0: "0", 0.1234: "0.123", 0.5: "0.500", 1: "1.00", 9.999: "10.0", 12.34: "12.3", 99.96: "100", 123.4: "123", 1234567: "1,234,567", -12345: "-12,345",
		-123: "-123", math.Inf(1): "–",
	} {
		if got := Number(value); got != want {
			t.Errorf("%g is %q, want %q", value, got, want)
		}
	}
	if got := Round(50) + " " + Round(0.5) + " " + Round(1000); got != "50 0.5 1,000" {
		t.Errorf("round values are %q", got)
	}
}

func TestColoursAreThoseOfThePage(t *testing.T) {
	for n := range Colours {
		if class := (Side{Colour: n}).class(); !strings.Contains(source, "path."+class+" {") || !strings.Contains(source, "path.bar."+class+" {") {
			t.Errorf("colour %d has no %s in the page", n, class)
		}
	}
	if got := (Side{Colour: -1}).class() + (Side{Colour: Colours}).class() + (Side{Reference: true}).class(); got != "s5s0ref" {
		t.Errorf("classes %s", got)
	}
}
