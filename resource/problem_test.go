package resource

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestProblemsNameThePlaceAndWhatWasExpected compares what Decode says of
// each file in testdata/problems with the golden file beside it.
func TestProblemsNameThePlaceAndWhatWasExpected(t *testing.T) {
	inputs, err := filepath.Glob("testdata/problems/*")
	if err != nil || len(inputs) < 5 {
		t.Fatalf("inputs %v, error %v", inputs, err)
	}
	for _, input := range inputs {
		if strings.HasSuffix(input, ".golden") {
			continue
		}
		t.Run(filepath.Base(input), func(t *testing.T) {
			data, err := os.ReadFile(input)
			if err != nil {
				t.Fatal(err)
			}
			_, problems := Decoder{}.Decode(filepath.Base(input), data)
			if len(problems) == 0 {
				t.Fatal("no problem")
			}
			if text := problems.Error(); strings.Contains(text, "hunter2") || strings.Contains(text, "123456") {
				t.Errorf("a problem repeats key material:\n%s", text)
			}
			golden(t, input+".golden", problems.Error()+"\n")
		})
	}
}
