package report

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/deltaplane/deltaplane/bench/histogram"
)

// full is a page with one of everything, all of whose texts are text.
func full(text string) Page {
	side := Side{Name: text}
	return Page{
		Title: text, Verdict: &Verdict{Text: text}, Facts: []Fact{{text, text}},
		Sections: []Section{{
			Title: text, Text: text,
			Plots: []Plot{
				Percentiles{Title: text, Text: text, Unit: text, Limit: &Limit{text, 5}, Curves: []Curve{{side, histogram.Distribution{Count: 10, Curve: []histogram.Quantile{{Percent: 50, Time: 3}, {Percent: 100, Time: 7}}}}}},
				Sequence{Title: text, Text: text, Unit: text, Of: text, Limit: &Limit{text, 500}, Runs: []Values{{side, []float64{1, 2, 3}}}},
				Bars{Title: text, Text: text, Unit: text, Bars: []Bar{{side, 3}}},
			},
			Tables: []Table{{Title: text, Head: []string{text, text}, Rows: []Row{{text, []string{text}, Good}, {text, []string{text}, Bad}}}},
		}},
	}
}

// structure is a page's elements and the names of their attributes, and all of
// its text.
func structure(t *testing.T, p Page) (elements, texts []string) {
	t.Helper()
	var out bytes.Buffer
	if err := p.Write(&out); err != nil {
		t.Fatal(err)
	}
	tokens := html.NewTokenizer(&out)
	for {
		switch tokens.Next() {
		case html.ErrorToken:
			if err := tokens.Err(); !errors.Is(err, io.EOF) {
				t.Fatal(err)
			}
			return elements, texts
		case html.TextToken:
			if text := strings.TrimSpace(string(tokens.Text())); text != "" {
				texts = append(texts, text)
			}
		default:
			token := tokens.Token()
			shape := token.Type.String() + " " + token.Data
			for _, a := range token.Attr {
				shape += " " + a.Key
			}
			elements = append(elements, shape)
		}
	}
}

func TestNoTextBreaksOutOfThePage(t *testing.T) {
	want, _ := structure(t, full("plain"))
	for _, hostile := range []string{
		`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `' onload='alert(1)`, `</title></svg></style><script>`, `<!--`, `]]>`,
		`{{.Title}}`, "&lt;b&gt;", "\x00\x1b[31m", "javascript:alert(1)", `\u003cscript\u003e`,
	} {
		got, texts := structure(t, full(hostile))
		if !slices.Equal(got, want) {
			t.Errorf("%q changes the page's structure:\n%q\nwant\n%q", hostile, got, want)
		}
		shown := strings.ReplaceAll(hostile, "\x00", "\uFFFD")
		if !slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(text, shown) }) {
			t.Errorf("%q is not shown as it is: %q", hostile, texts)
		}
	}
}

func TestAPageLoadsNothing(t *testing.T) {
	elements, _ := structure(t, full("plain"))
	for _, e := range elements {
		for _, bad := range []string{" script", " link", " img", " iframe", " src", " href", " object", " style "} {
			if strings.Contains(e+" ", bad+" ") && e != "StartTag style" && e != "EndTag style" {
				t.Errorf("the page has %q", e)
			}
		}
	}
	for _, bad := range []string{"url(", "@import", "http:", "https:"} {
		if strings.Contains(source, bad) {
			t.Errorf("the page's source has %q", bad)
		}
	}
	if !strings.Contains(source, "default-src 'none'") {
		t.Error("nothing forbids the page to load")
	}
}

func TestAVerdictSaysWhetherItIsMet(t *testing.T) {
	for met, want := range map[bool]string{true: "✓ met", false: "✗ missed"} {
		if _, texts := structure(t, Page{Verdict: &Verdict{Met: met, Text: "as promised"}}); !slices.Contains(texts, want) || !slices.Contains(texts, "· as promised") {
			t.Errorf("met %v: the page says %q", met, texts)
		}
	}
	elements, _ := structure(t, Page{Title: "nothing yet"})
	if slices.Contains(elements, "StartTag section") || slices.Contains(elements, "StartTag dl") {
		t.Errorf("a page without anything has %q", elements)
	}
}
