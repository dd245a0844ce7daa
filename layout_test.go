package deltaplane_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// flow lists every library package in the order configuration passes through
// it. A package may import only what stands before it.
var flow = []string{"internal/invariant", "internal/fault", "resource", "adopt", "radix", "shape", ".", "source", "source/dir", "source/keys", "api", "view", "wire", "xds", "fleet", "loadreport", "clientstatus", "internal/telemetry", "client"}

// inner are packages that serve one of the flow alone, and may be imported by
// it and by what comes after.
var inner = map[string]string{
	"resource/deltaplanev1": "resource",
	"resource/types":        "resource",
	"internal/embedetcd":    ".",
	"internal/etcdclient":   ".",
	"internal/storepb":      ".",
}

// place is where a package stands in the flow; -1 for those that wire the
// others together, as cmd and the demo do.
func place(dir string) int {
	if outer, ok := inner[dir]; ok {
		dir = outer
	}
	return slices.Index(flow, dir)
}

func TestImportsFollowTheFlow(t *testing.T) {
	const module = "github.com/deltaplane/deltaplane"
	seen := map[string]bool{}
	err := filepath.WalkDir(".", func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && file != "." && strings.HasPrefix(d.Name(), ".") {
			return fs.SkipDir
		}
		dir := path.Dir(filepath.ToSlash(file))
		here := place(dir)
		if d.IsDir() || here < 0 || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return nil
		}
		seen[dir] = true
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range parsed.Imports {
			rel, ours := strings.CutPrefix(strings.Trim(spec.Path.Value, `"`), module)
			if !ours {
				continue
			}
			if rel = strings.TrimPrefix(rel, "/"); rel == "" {
				rel = "."
			}
			// What serves the same package may be imported by it.
			if there := place(rel); there < 0 || there > here || there == here && inner[rel] == "" {
				t.Errorf("%s imports %q, which does not come before it in the flow", file, rel)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range flow {
		if !seen[dir] {
			t.Errorf("the flow names %q, which has no code", dir)
		}
	}
}
