// Package table writes aligned plain-text tables with human units, for terminals and text items.
package table

import (
	"fmt"
	"math"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Column is a heading with the alignment of the cells below it.
type Column struct {
	Title string
	Right bool
	// Width is how many characters wide the column is at least.
	Width int
}

// Table is a list of rows, each with a cell per column.
type Table struct {
	Columns []Column
	Rows    [][]string
	// Paint, if there is one, adds color to a cell of a row once its width is settled.
	Paint func(row, column int, cell string) string
	// Fit is how many characters a line may have: the last column's cells are broken to fit where there is room for it; 0 is any number.
	Fit int
}

// minBroken is how wide the last column must be to break its cells.
const minBroken = 30

// Colors are for who reads on a terminal that shows them; otherwise they return the text as it is.
type Colors struct {
	Head, Bad func(string) string
}

const (
	gap = "  "
	// heading stands for the number of a row.
	heading = -1
)

// Add appends a row. Line breaks and control characters in a cell would break the table and become '?'.
func (t *Table) Add(cells ...string) {
	for i, cell := range cells {
		cells[i] = strings.Map(printable, cell)
	}

	t.Rows = append(t.Rows, cells)
}

// printable replaces what a terminal would obey, those of ISO 6429's second set and of Unicode's text direction among them.
// onLine is text from elsewhere that stands outside of a table.
func onLine(text string) string { return strings.Map(printable, text) }

func printable(r rune) rune {
	if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
		return '?'
	}

	return r
}

// String returns the table with its heading, one line a row, each ended by a line break.
func (t *Table) String() string {
	titles := make([]string, len(t.Columns))
	widths := make([]int, len(t.Columns))

	for i, column := range t.Columns {
		titles[i], widths[i] = column.Title, max(column.Width, width(column.Title))
	}

	for _, row := range t.Rows {
		for i, cell := range row {
			widths[i] = max(widths[i], width(cell))
		}
	}

	var text strings.Builder

	text.WriteString(t.line(heading, titles, widths) + "\n")

	for i, row := range t.Rows {
		text.WriteString(t.line(i, row, widths) + "\n")
	}

	return text.String()
}

// line joins cells, with spaces only before a cell, so that none ends a line.
func (t *Table) line(row int, cells []string, widths []int) string {
	var line strings.Builder

	space, offset := 0, 0

	for i, cell := range cells {
		if i == len(cells)-1 && t.Fit-offset >= minBroken {
			cell = strings.Join(wrap(cell, t.Fit-offset), "\n"+strings.Repeat(" ", offset))
		}

		padding := widths[i] - width(cell)
		if t.Columns[i].Right {
			space, padding = space+padding, 0
		}

		if cell != "" {
			line.WriteString(strings.Repeat(" ", space))

			space = 0

			if t.Paint != nil && row != heading {
				cell = t.Paint(row, i, cell)
			}

			line.WriteString(cell)
		}

		space += padding + len(gap)
		offset += widths[i] + len(gap)
	}

	return line.String()
}

func width(text string) int { return utf8.RuneCountInString(text) }

// Bytes writes a size with a binary unit, such as 1.5 GiB.
func Bytes(n uint64) string {
	const step = 1024

	if n < step {
		return fmt.Sprintf("%d B", n)
	}

	value, units := float64(n)/step, []string{"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"}
	for value >= step-0.05 && len(units) > 1 {
		value, units = value/step, units[1:]
	}

	return fmt.Sprintf("%.1f %s", value, units[0])
}

// BytesPerHour writes a growth with its sign, such as +1.5 MiB/h.
func BytesPerHour(n float64) string {
	sign := "+"
	if n < 0 {
		sign = "-"
	}

	return sign + Bytes(uint64(math.Abs(n))) + "/h"
}

// Seconds writes a time with three digits and a unit, such as 12.3 ms or 1.50 s.
func Seconds(s float64) string {
	switch {
	case s < 0.009995:
		return fmt.Sprintf("%.2f ms", 1000*s)
	case s < 0.09995:
		return fmt.Sprintf("%.1f ms", 1000*s)
	case s < 0.9995:
		return fmt.Sprintf("%.0f ms", 1000*s)
	case s < 9.995:
		return fmt.Sprintf("%.2f s", s)
	default:
		return fmt.Sprintf("%.1f s", s)
	}
}

// Percent writes a percentage with one decimal.
func Percent(p float64) string { return fmt.Sprintf("%.1f %%", p) }
