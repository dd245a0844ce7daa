// Package report writes what was measured as one HTML page that stands alone:
// plots are SVG in the page, nothing is loaded, and no script runs. It reads
// well in light, in dark and on paper.
//
// A Page is made of sections of plots and tables. Percentiles, Sequence and
// Bars turn numbers into a drawing (axis.go, label.go); page.html turns
// drawings and texts into HTML, and escapes whatever they hold.
package report
