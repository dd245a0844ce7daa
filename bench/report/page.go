package report

import (
	_ "embed"
	"html/template"
	"io"
)

// Page is a report. Texts are plain: whatever they hold is shown as it is.
type Page struct {
	Title    string
	Verdict  *Verdict // nil: nothing was asked for
	Facts    []Fact   // where and how it was measured
	Sections []Section
}

// Verdict says whether a promise was kept.
type Verdict struct {
	Met  bool
	Text string
}

// Fact is one thing that a reader must know of a run.
type Fact struct{ Name, Value string }

// Section is a part of a page; what it does not have is left out.
type Section struct {
	Title  string
	Text   string // how to read it
	Plots  []Plot
	Tables []Table
}

// Plot draws itself: Percentiles, Sequence or Bars.
type Plot interface{ draw() drawing }

// Table has names in its first column and figures in the others.
type Table struct {
	Title string
	Head  []string // of all columns, the first included
	Rows  []Row
}

// Row is a line of a table.
type Row struct {
	Name  string
	Cells []string
	Tone  Tone
}

// Tone marks a row that says whether something is as it should be.
type Tone string

const (
	Neutral Tone = ""
	Good    Tone = "good"
	Bad     Tone = "bad"
)

// Side is one of what a page compares. It has one colour all over the page.
type Side struct {
	Name      string
	Colour    int  // 0 to Colours-1; others are taken modulo that
	Reference bool // a floor, drawn in grey
}

// Colours is how many sides can be told apart by their colour.
const Colours = 6

// class is that of what is drawn of the side.
func (s Side) class() string {
	if s.Reference {
		return "ref"
	}
	return "s" + string(rune('0'+(s.Colour%Colours+Colours)%Colours))
}

//go:embed page.html
var source string

var page = template.Must(template.New("page").Funcs(template.FuncMap{"draw": Plot.draw}).Parse(source))

// Write writes the page as HTML; its errors are those of to.
func (p Page) Write(to io.Writer) error { return page.Execute(to, p) }
