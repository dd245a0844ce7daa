package resource

import (
	"testing"

	"github.com/deltaplane/deltaplane/resource/deltaplanev1"
)

func TestAShapeCanBeWrittenAsOneWord(t *testing.T) {
	for text, want := range map[string]*deltaplanev1.ShapeOptions{
		"auto":                           {},
		"off":                            {Mode: deltaplanev1.ShapeOptions_OFF},
		"{mode: off}":                    {Mode: deltaplanev1.ShapeOptions_OFF},
		"{shards: 64, by: host+path}":    {Shards: 64, By: deltaplanev1.ShapeOptions_HOST_PATH},
		"{by: PATH, duplication: 1.5}":   {By: deltaplanev1.ShapeOptions_PATH, Duplication: 1.5},
		"{mode: AUTO, by: best}":         {},
		`{"shards": 4096, "by": "host"}`: {Shards: 4096, By: deltaplanev1.ShapeOptions_HOST},
	} {
		var f deltaplanev1.Fleet
		problems := Decoder{}.ReadMessage("f.yaml", []byte("name: f\nselectors: [{}]\nnamespaces: [default]\nshape: "+text+"\n"), &f)
		if len(problems) > 0 {
			t.Errorf("%s: %v", text, problems)
		} else if !Equal(f.Shape, want) {
			t.Errorf("%s is read as %v, want %v", text, f.Shape, want)
		}
	}
}
