package table

import (
	"fmt"
	"strings"
	"time"

	"zabbix-agent2-plugin-hosting/checks/site"
)

// Watched is a site in the live view.
type Watched struct {
	*site.Report
	Recent []site.Recent // the oldest first
}

// name is the site's, or the URL of one that has no name.
func (w Watched) name() string {
	if w.Site == "" {
		return w.URL
	}

	return w.Site
}

// Look is what a terminal can show.
type Look struct {
	Columns, Rows int
	// UTF8 tells that it has more than ASCII.
	UTF8   bool
	Colors Colors
}

func (l Look) glyphs() glyphs {
	if l.UTF8 {
		return unicodeGlyphs
	}

	return asciiGlyphs
}

const (
	// headLines are the view's title, an empty line and the table's heading.
	headLines = 3
	// failuresShare of the rows is for how sites failed, even where there are more sites than rows.
	failuresShare = 3
)

// Live returns a view of the sites that fits the terminal: a line per site, and below how they failed last. Where there are more
// sites than lines, the worst are shown, failing ones first.
func Live(all []Watched, now time.Time, look Look) string {
	room := max(look.Rows-headLines, 1)
	failures := lastFailures(all, look)
	reserved := min(countLines(failures), max(room-len(all), room/failuresShare))
	shown, more := pick(all, max(room-reserved, 1))
	tables := liveTables(shown, look)
	text := look.title(all, now) + "\n\n" + look.headed(tables[0])

	if more != "" {
		return text + more + "\n" + fill(failures, reserved, look.glyphs())
	}

	room -= len(shown) + reserved

	for _, further := range tables[1:] {
		// An empty line and a heading are above the rows.
		if room -= 2 + len(shown); room >= 0 {
			text += "\n" + look.headed(further)
		}
	}

	return text + fill(failures, reserved, look.glyphs())
}

func (l Look) headed(t *Table) string {
	first, rest, _ := strings.Cut(t.String(), "\n")

	return l.Colors.Head(first) + "\n" + rest
}

func (l Look) title(all []Watched, now time.Time) string {
	what := fmt.Sprintf("%d sites", len(all))
	if len(all) == 1 {
		what = fmt.Sprintf("%s every %g s", all[0].URL, all[0].IntervalS)
	}

	if failing := count(all, isFailing); failing > 0 {
		what += fmt.Sprintf(", %d failing", failing)
	}

	if n := count(all, isUntested); n > 0 {
		what += fmt.Sprintf(", %d could not be tested", n)
	}

	return l.glyphs().cutTo(now.Format(time.TimeOnly)+"  "+what+"; Ctrl-C ends", l.Columns)
}
