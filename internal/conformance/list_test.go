package conformance

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestTheListOfRulesNamesEveryTest holds doc.go to the tests that there are.
func TestTheListOfRulesNamesEveryTest(t *testing.T) {
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for _, m := range regexp.MustCompile(`script ([a-z-]+)|\b(Test[A-Z]\w+)`).FindAllStringSubmatch(string(doc), -1) {
		listed[m[1]+m[2]] = true
	}
	exist := map[string]bool{"TestScripts": true, t.Name(): true}
	for _, name := range []string{"TestScripts", t.Name()} {
		delete(listed, name)
	}
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		exist[strings.TrimSuffix(filepath.Base(file), ".txt")] = true
	}
	sources, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range sources {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?m)^func (Test[A-Z]\w+)\(`).FindAllStringSubmatch(string(text), -1) {
			exist[m[1]] = true
		}
	}
	delete(exist, "TestMain")
	for name := range listed {
		if !exist[name] {
			t.Errorf("doc.go names %s, which does not exist", name)
		}
	}
	for name := range exist {
		if !listed[name] && name != "TestScripts" && name != t.Name() {
			t.Errorf("doc.go does not name %s", name)
		}
	}
}
