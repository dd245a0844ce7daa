package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"

	"github.com/charmbracelet/lipgloss"
)

// terminal is where a command reads and writes. Colour needs a TTY and no
// NO_COLOR, for each of out and err by itself.
type terminal struct {
	in       io.Reader
	out, err io.Writer
}

// colour is an ANSI colour number.
type colour string

const (
	plain  colour = ""
	red    colour = "1"
	green  colour = "2"
	yellow colour = "3"
	grey   colour = "8"
)

// paint colours text if w shows colours.
func (t *terminal) paint(c colour, w io.Writer, text string) string {
	if c == plain || !isTTY(w) {
		return text
	}
	return lipgloss.NewRenderer(w).NewStyle().Foreground(lipgloss.Color(c)).Render(text)
}

func isTTY(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// visible replaces control characters, by which names and reasons that proxies
// choose could drive the terminal. Line breaks and tabs stay.
func visible(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return unicode.ReplacementChar
		}
		return r
	}, text)
}

// onOneLine is visible text without line breaks and tabs: a name that held
// some could pretend to be further rows of a table.
func onOneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return unicode.ReplacementChar
		}
		return r
	}, visible(text))
}

// explain prints an error: each problem on a line of its own, and the table of
// those who have not acknowledged.
func (t *terminal) explain(err error) {
	label := t.paint(red, t.err, "error:")
	failure, ok := errors.AsType[*serverError](err)
	if !ok {
		fmt.Fprintf(t.err, "%s %v\n", label, err)
		return
	}
	if failure.Plan != nil {
		t.printPlan(failure.Plan)
	}
	if len(failure.Problems) == 0 {
		fmt.Fprintf(t.err, "%s %s\n", label, visible(failure.Error()))
	}
	for _, p := range failure.Problems {
		kind := label
		if p.Warning {
			kind = t.paint(yellow, t.err, "warning:")
		}
		fmt.Fprintf(t.err, "%s %s\n", kind, visible(p.String()))
	}
	if hint := hints[failure.Code]; hint != "" {
		fmt.Fprintln(t.err, hint)
	}
	if failure.Acks != nil {
		t.printMissing(*failure.Acks)
	}
}

// hints tell what to do about an error, by its code.
var hints = map[string]string{
	"conflict": "Look at what changed with deltaplane history, and try again.",
	"owned":    "To take it over on purpose: --take-ownership. What a watched source owns (dir:…, etcd:…) is better changed there.",
	"shrink":   "If that is meant: --allow-shrink.",
	"token":    "Give a token with --token-file or in DELTAPLANE_TOKEN.",
}

// table prints rows in aligned columns, two spaces apart.
type table struct {
	rows [][]cell
}

type cell struct {
	text   string
	colour colour
}

func (tab *table) row(cells ...cell) { tab.rows = append(tab.rows, cells) }

// texts is a row without colours.
func texts(values ...string) []cell {
	cells := make([]cell, len(values))
	for i, v := range values {
		cells[i] = cell{text: v}
	}
	return cells
}

func (tab *table) print(t *terminal, w io.Writer) {
	var widths []int
	for _, row := range tab.rows {
		for i, c := range row {
			c.text = onOneLine(c.text)
			row[i] = c
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], lipgloss.Width(c.text))
		}
	}
	for _, row := range tab.rows {
		var line strings.Builder
		for i, c := range row {
			line.WriteString(t.paint(c.colour, w, c.text))
			if i < len(row)-1 {
				line.WriteString(strings.Repeat(" ", widths[i]-lipgloss.Width(c.text)+2))
			}
		}
		fmt.Fprintln(w, strings.TrimRight(line.String(), " "))
	}
}
