//go:build long

package deltaplane

func init() { flatCommits = 100_000 }
