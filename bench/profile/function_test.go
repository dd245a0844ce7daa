package profile

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/pprof/profile"
)

// made is a profile of stacks, each with its leaf first and what it took.
// Functions that are joined by + are inlined into the one to the right.
func made(sampleType, unit string, stacks map[string]int64, frames map[string][][]string) *profile.Profile {
	p := &profile.Profile{SampleType: []*profile.ValueType{{Type: "samples", Unit: "count"}, {Type: sampleType, Unit: unit}}}
	for name, value := range stacks {
		s := &profile.Sample{Value: []int64{1, value}}
		for _, inlined := range frames[name] {
			location := &profile.Location{}
			for _, function := range inlined {
				location.Line = append(location.Line, profile.Line{Function: &profile.Function{Name: function}})
			}
			s.Location = append(s.Location, location)
		}
		p.Sample = append(p.Sample, s)
	}
	return p
}

func TestFlatIsInTheFunctionItselfAndCumulativeInWhatItCalls(t *testing.T) {
	p := made("cpu", "nanoseconds", map[string]int64{"deep": 6e9, "inlined": 3e9, "recursive": 1e9}, map[string][][]string{
		"deep":      {{"copy"}, {"encode"}, {"run"}},
		"inlined":   {{"hash", "diff"}, {"run"}}, // hash stands inside of diff
		"recursive": {{"walk"}, {"walk"}, {"run"}},
	})
	top := topOf(p, "CPU", "cpu", Seconds)
	if top.Total != 10 {
		t.Errorf("%v s in all, want 10", top.Total)
	}
	if got := fmt.Sprint(top.Flat); got != "[{copy 0.6 0.6} {hash 0.3 0.3} {walk 0.1 0.1}]" {
		t.Errorf("flat: %s", got)
	}
	if got := fmt.Sprint(top.Cumulative); got != "[{run 0 1} {copy 0.6 0.6} {hash 0.3 0.3} {walk 0.1 0.1}]" {
		t.Errorf("cumulative: %s", got) // encode and diff do nothing but call one other
	}
}

func TestWhatProfilingCostsIsNotOfTheProcess(t *testing.T) {
	p := made("cpu", "nanoseconds", map[string]int64{"work": 1e9, "answer": 5e9, "writer": 5e9}, map[string][][]string{
		"work":   {{"copy"}, {"runtime/pprof.Do"}}, // labels, not a profile
		"answer": {{"gzip"}, {"net/http/pprof.Index"}, {"serve"}},
		"writer": {{"gzip"}, {"runtime/pprof.profileWriter"}},
	})
	if top := topOf(p, "CPU", "cpu", Seconds); top.Total != 1 || fmt.Sprint(top.Flat) != "[{copy 1 1}]" {
		t.Errorf("%+v", top)
	}
}

func TestOnlyWhatMattersIsListed(t *testing.T) {
	s := Summary{Dir: "out", Envoy: "has <none>", Tops: []Top{
		{Of: "CPU", Total: 2, Unit: Seconds, Flat: []Function{{"a/b.c", 0.5, 0.5}, {"d", 0.25, 1}}, Cumulative: []Function{{"d", 0.25, 1}}},
		{Of: "waited for locks", Total: 0.002, Unit: Seconds, Flat: []Function{{"quiet", 1, 1}}},
	}}
	var out bytes.Buffer
	s.Print(&out)
	for _, want := range []string{"CPU: 2.00 s", "50.0 %  b.c        100.0 %  d", "waited for locks: 0.002 s\n", "profiles are in out", "Envoy: has <none>"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("lacks %q:\n%s", want, out.String())
		}
	}
	if strings.Contains(out.String(), "quiet") {
		t.Errorf("2 ms are not worth a list:\n%s", out.String())
	}
	section := s.Section("it")
	if len(section.Tables) != 1 || len(section.Tables[0].Rows) != 2 || !strings.Contains(section.Text, "Envoy: has <none>") {
		t.Errorf("%+v", section)
	}
}

func TestALockIsHeldByWhoUnlocksIt(t *testing.T) {
	p := made("delay", "nanoseconds", map[string]int64{"held": 4e9, "bare": 1e9}, map[string][][]string{
		"held": {{"sync.(*Mutex).Unlock"}, {"observe"}, {"run"}},
		"bare": {{"sync.(*Mutex).Unlock"}},
	})
	if got := fmt.Sprint(topOf(unlockers(p), "waited for locks", "delay", Seconds).Flat); got != "[{observe 0.8 0.8} {sync.(*Mutex).Unlock 0.2 0.2}]" {
		t.Errorf("flat: %s", got)
	}
}

func TestNoMoreThanTheTopIsNamed(t *testing.T) {
	stacks, frames := map[string]int64{}, map[string][][]string{}
	for i := range 40 {
		name := fmt.Sprintf("f%02d", i)
		stacks[name], frames[name] = int64(i), [][]string{{name}}
	}
	top := topOf(made("alloc_space", "bytes", stacks, frames), "allocated", "alloc_space", Bytes)
	if len(top.Flat) != topCount || top.Flat[0].Name != "f39" || top.Total != 780 {
		t.Errorf("%d functions of %v B, the first %v", len(top.Flat), top.Total, top.Flat[0])
	}
	for _, none := range []string{"delay", "alloc_space"} {
		if top := topOf(made("alloc_space", "bytes", nil, nil), none, none, Bytes); top.Flat != nil || top.Total != 0 {
			t.Errorf("nothing of %s is %+v", none, top)
		}
	}
}

func TestAFunctionsShortNameIsWithoutThePathOfItsPackage(t *testing.T) {
	for name, want := range map[string]string{
		"github.com/deltaplane/deltaplane/xds.(*stream).run": "xds.(*stream).run",
		"runtime.mallocgc": "runtime.mallocgc",
		"example.com/radix.(*Tree[go.shape.struct { a/b.C }]).Put": "radix.(*Tree[go.shape.struct { a/b.C }]).Put",
		"": "",
	} {
		if got := (Function{Name: name}).Short(); got != want {
			t.Errorf("%q is %q, want %q", name, got, want)
		}
	}
}
