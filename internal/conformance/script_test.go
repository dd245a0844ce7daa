package conformance

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestScripts plays every file in testdata as each variant that it is about.
// A file is named by the sentence that it shows.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		script, err := ParseScript(string(text))
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if len(script.Variants) == 0 {
			t.Errorf("%s is about no variant", file)
		}
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			for _, v := range script.Variants {
				t.Run(v.String(), func(t *testing.T) {
					t.Parallel()
					if err := script.Run(t.Context(), v); err != nil {
						t.Errorf("%s:%v", file, err)
					}
				})
			}
		})
	}
}
