package deltaplanev1

// Options is what x says besides its name.
func (x *Shape) Options() *ShapeOptions {
	return &ShapeOptions{Mode: x.GetMode(), Shards: x.GetShards(), By: x.GetBy(), Duplication: x.GetDuplication()}
}
