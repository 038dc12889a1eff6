// Package table writes aligned plain-text tables with human units, for terminals and text items.
package table

import (
	"fmt"
	"math"
	"strings"
	"unicode/utf8"
)

// Column is a heading with the alignment of the cells below it.
type Column struct {
	Title string
	Right bool
}

// Table is a list of rows, each with a cell per column.
type Table struct {
	Columns []Column
	Rows    [][]string
}

const gap = "  "

// Add appends a row. Line breaks and control characters in a cell would break the table and become '?'.
func (t *Table) Add(cells ...string) {
	for i, cell := range cells {
		cells[i] = strings.Map(printable, cell)
	}

	t.Rows = append(t.Rows, cells)
}

func printable(r rune) rune {
	if r < ' ' || r == 0x7f {
		return '?'
	}

	return r
}

// String returns the table with its heading, one line a row, each ended by a line break.
func (t *Table) String() string {
	titles := make([]string, len(t.Columns))
	for i, column := range t.Columns {
		titles[i] = column.Title
	}

	rows := append([][]string{titles}, t.Rows...)
	widths := make([]int, len(t.Columns))

	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}

	var text strings.Builder

	for _, row := range rows {
		var line strings.Builder

		for i, cell := range row {
			padding := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if t.Columns[i].Right {
				line.WriteString(padding + cell + gap)
			} else {
				line.WriteString(cell + padding + gap)
			}
		}

		text.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}

	return text.String()
}

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

// Percent writes a percentage with one decimal.
func Percent(p float64) string { return fmt.Sprintf("%.1f %%", p) }
