package table

import (
	"strings"
)

const (
	// A strip has a cell per probe that the monitor remembers at most, and a quarter of the terminal's columns at least.
	mostStrip  = 60
	stripShare = 4
)

// liveTables returns a table whose rows end with the latency strip, and further ones with the columns for which that has no room.
func liveTables(shown []Watched, look Look) []*Table {
	name, rest := nameColumn(shown, look), liveColumns(shown, look)
	room := look.Columns - name.Width
	least := min(look.Columns/stripShare, mostStrip)
	n := fitting(rest, room-len(gap)-least)
	strip := stripColumn(min(max(room-len(gap)-widthOf(rest[:n]), least), mostStrip), look)
	tables := []*Table{newLiveTable(shown, name, append(rest[:n:n], strip))}

	for rest = rest[n:]; len(rest) > 0; rest = rest[n:] {
		n = max(1, fitting(rest, room))
		tables = append(tables, newLiveTable(shown, name, rest[:n]))
	}

	return tables
}

// fitting is how many of the columns there is room for.
func fitting(columns []liveColumn, room int) int {
	n := 0
	for n < len(columns) && widthOf(columns[:n+1]) <= room {
		n++
	}

	return n
}

// widthOf is what the columns take with the gap before each.
func widthOf(columns []liveColumn) int {
	sum := 0
	for _, c := range columns {
		sum += len(gap) + max(c.Width, width(c.Title))
	}

	return sum
}

func newLiveTable(shown []Watched, name liveColumn, others []liveColumn) *Table {
	columns := append([]liveColumn{name}, others...)
	t := &Table{}

	for _, c := range columns {
		t.Columns = append(t.Columns, c.Column)
	}

	for _, w := range shown {
		cells := make([]string, len(columns))
		for i, c := range columns {
			cells[i] = c.text(w)
		}

		t.Add(cells...)
	}

	t.Paint = func(row, column int, cell string) string {
		if paint := columns[column].paint; paint != nil {
			return paint(shown[row], cell)
		}

		return cell
	}

	return t
}

func stripColumn(columns int, look Look) liveColumn {
	g := look.glyphs()
	failed := string(g.failed)

	return liveColumn{
		Column: Column{Title: stripTitle(columns, g)},
		text:   func(w Watched) string { return g.strip(w.Recent, columns) },
		paint: func(_ Watched, cell string) string {
			return strings.ReplaceAll(cell, failed, look.Colors.Bad(failed))
		},
	}
}

// stripTitle explains as much as there is room for.
func stripTitle(columns int, g glyphs) string {
	usual, double := string(g.levels[medianLevel]), string(g.levels[medianLevel+levelsPerDouble])

	for _, title := range []string{
		usual + " usual latency, " + double + " twice that, " + string(g.failed) + " failed, " + string(g.untested) + " not tested",
		usual + " usual, " + double + " twice, " + string(g.failed) + " failed",
	} {
		if width(title) <= columns {
			return title
		}
	}

	return "latency"
}
