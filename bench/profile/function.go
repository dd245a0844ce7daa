package profile

import (
	"cmp"
	"slices"
	"strings"

	"github.com/google/pprof/profile"
)

// Summary is what a recording found.
type Summary struct {
	Dir   string `json:"dir"` // that has the files
	Tops  []Top  `json:"tops"`
	Envoy string `json:"envoy,omitempty"` // its profile's file, or why there is none
}

// Units of Top's totals.
const (
	Seconds = "s"
	Bytes   = "B"
)

// Top are the functions that one profile names most.
type Top struct {
	Of         string     `json:"of"` // "CPU", "allocated", "waited for locks"
	Total      float64    `json:"total"`
	Unit       string     `json:"unit"` // of Total: Seconds or Bytes
	Flat       []Function `json:"flat"`
	Cumulative []Function `json:"cumulative"`
}

// Function is one, with its parts of the whole, from 0 to 1.
type Function struct {
	Name       string  `json:"name"`       // with the path of its package
	Flat       float64 `json:"flat"`       // in itself
	Cumulative float64 `json:"cumulative"` // in itself and in what it calls
}

// Short is the name without its package's path: "xds.(*stream).run".
func (f Function) Short() string {
	path := f.Name
	if end := strings.IndexAny(path, "[("); end >= 0 {
		path = path[:end]
	}
	return f.Name[strings.LastIndexByte(path, '/')+1:]
}

// topCount is how many functions a Top names in each of its lists.
const topCount = 12

// topOf sums up the samples of one type in p.
func topOf(p *profile.Profile, of, sampleType, unit string) Top {
	top := Top{Of: of, Unit: unit}
	index := slices.IndexFunc(p.SampleType, func(t *profile.ValueType) bool { return t.Type == sampleType })
	if index < 0 {
		return top
	}
	c := calls{flat: map[string]int64{}, cumulative: map[string]int64{}, into: map[[2]string]int64{}}
	for _, s := range p.Sample {
		c.add(stack(s), s.Value[index])
	}
	if c.total <= 0 {
		return top
	}
	top.Total = float64(c.total)
	if p.SampleType[index].Unit == "nanoseconds" {
		top.Total /= 1e9
	}
	forwards := c.forwards()
	var all, telling []Function
	for name, value := range c.cumulative {
		f := Function{name, float64(c.flat[name]) / float64(c.total), float64(value) / float64(c.total)}
		all = append(all, f)
		if !forwards[name] {
			telling = append(telling, f)
		}
	}
	top.Flat = most(all, func(f Function) float64 { return f.Flat })
	top.Cumulative = most(telling, func(f Function) float64 { return f.Cumulative })
	return top
}

// stack are the functions of a sample, the innermost first.
func stack(s *profile.Sample) (names []string) {
	for _, location := range s.Location {
		for _, line := range location.Line {
			if line.Function != nil {
				names = append(names, line.Function.Name)
			}
		}
	}
	return names
}

// most are the functions of which a part is largest, the largest first. Those
// without any are left out.
func most(all []Function, part func(Function) float64) []Function {
	slices.SortFunc(all, func(a, b Function) int {
		return cmp.Or(cmp.Compare(part(b), part(a)), strings.Compare(a.Name, b.Name))
	})
	some := slices.Clone(all[:min(topCount, len(all))])
	return slices.DeleteFunc(some, func(f Function) bool { return part(f) <= 0 })
}
