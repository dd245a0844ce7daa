package shape_test

import (
	"testing"

	"github.com/deltaplane/deltaplane/resource/deltaplanev1"
	"github.com/deltaplane/deltaplane/shape"
)

func TestWhatUsersDoNotSayOfAShapeIsAsByDefault(t *testing.T) {
	for _, c := range []struct {
		said *deltaplanev1.ShapeOptions
		want shape.Options
		off  bool
	}{
		{nil, shape.Defaults(), false},
		{&deltaplanev1.ShapeOptions{Mode: deltaplanev1.ShapeOptions_OFF}, shape.Defaults(), true},
		{&deltaplanev1.ShapeOptions{Shards: 16, By: deltaplanev1.ShapeOptions_HOST}, shape.Options{Shards: 16, By: shape.ByHost, Duplication: 2}, false},
		{&deltaplanev1.ShapeOptions{By: deltaplanev1.ShapeOptions_PATH}, shape.Options{Shards: 256, By: shape.ByPath, Duplication: 2}, false},
		{&deltaplanev1.ShapeOptions{Duplication: 3, By: deltaplanev1.ShapeOptions_HOST_PATH}, shape.Options{Shards: 256, By: shape.ByHostPath, Duplication: 3}, false},
	} {
		if o, off := shape.OptionsOf(c.said); o != c.want || off != c.off {
			t.Errorf("%v is %+v, off %v", c.said, o, off)
		}
	}
}
