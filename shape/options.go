package shape

import "github.com/deltaplane/deltaplane/resource/deltaplanev1"

// OptionsOf is what users say of a table's shape, with Defaults for what they
// don't say; nil says nothing. off means that the table goes out as written.
func OptionsOf(said *deltaplanev1.ShapeOptions) (o Options, off bool) {
	o = Defaults()
	if n := said.GetShards(); n > 0 {
		o.Shards = int(n)
	}
	if d := said.GetDuplication(); d > 0 {
		o.Duplication = d
	}
	o.By = By(said.GetBy()) // the numbers are the same
	return o, said.GetMode() == deltaplanev1.ShapeOptions_OFF
}
