package table

import (
	"fmt"
	"math"

	"zabbix-agent2-plugin-hosting/checks/site"
)

// liveColumn is a column of the live view. Its width does not follow what changes with each probe, so that the view keeps still.
type liveColumn struct {
	Column
	text func(Watched) string
	// paint adds color to the text of a cell; nil leaves it.
	paint func(w Watched, cell string) string
}

const (
	// nameShare of the terminal's columns is what names take at most.
	nameShare  = 4
	leastName  = 12
	timeWidth  = len("9.99 ms")
	shareWidth = len("100.0 %")
	countWidth = len("1000000")
)

// liveColumns returns the columns between the name and the strip, the most telling first.
func liveColumns(all []Watched, look Look) []liveColumn {
	return append(countColumns(all, look),
		timeColumn("p50", func(w Watched) float64 { return quantilesOf(w).P50S }),
		timeColumn("p90", func(w Watched) float64 { return quantilesOf(w).P90S }),
		timeColumn("p99", func(w Watched) float64 { return quantilesOf(w).P99S }),
		phaseColumn("resolve", func(p site.Phases) float64 { return p.ResolveS }),
		phaseColumn("connect", func(p site.Phases) float64 { return p.ConnectS }),
		phaseColumn("tls", func(p site.Phases) float64 { return p.TLSS }),
		phaseColumn("send", func(p site.Phases) float64 { return p.SendS }),
		phaseColumn("wait", func(p site.Phases) float64 { return p.WaitS }),
		phaseColumn("transfer", func(p site.Phases) float64 { return p.TransferS }),
	)
}

func nameColumn(all []Watched, look Look) liveColumn {
	longest := 0
	for _, w := range all {
		longest = max(longest, width(w.name()))
	}

	limit := min(longest, max(leastName, look.Columns/nameShare))

	return liveColumn{
		Column: Column{Title: "site", Width: limit},
		text:   func(w Watched) string { return look.glyphs().cutTo(w.name(), limit) },
	}
}

func countColumns(all []Watched, look Look) []liveColumn {
	badIf := func(bad func(Watched) bool) func(Watched, string) string {
		return func(w Watched, cell string) string {
			if bad(w) {
				return look.Colors.Bad(cell)
			}

			return cell
		}
	}
	number := func(title string, n func(Watched) uint64) liveColumn {
		return liveColumn{
			Column: Column{Title: title, Right: true, Width: countWidth},
			text:   func(w Watched) string { return fmt.Sprint(n(w)) },
		}
	}

	inARow := number("in a row", func(w Watched) uint64 { return w.ConsecutiveFailures })
	inARow.paint = badIf(isFailing)

	return []liveColumn{
		{
			Column: Column{Title: "last", Width: reasonWidth(all)},
			text:   lastReason,
			paint:  badIf(func(w Watched) bool { return w.Last != nil && isBad(w.Last.Reason) }),
		},
		timeColumn("total", lastTotal),
		{Column: Column{Title: "ok", Right: true, Width: shareWidth}, text: availability},
		number("failed", func(w Watched) uint64 { return w.Failed }),
		number("requests", func(w Watched) uint64 { return w.Requests }),
		inARow,
		number("not tested", func(w Watched) uint64 { return w.NotTested }),
	}
}

func timeColumn(title string, seconds func(Watched) float64) liveColumn {
	return liveColumn{
		Column: Column{Title: title, Right: true, Width: timeWidth},
		text:   func(w Watched) string { return duration(seconds(w)) },
	}
}

func phaseColumn(title string, seconds func(site.Phases) float64) liveColumn {
	return timeColumn(title, func(w Watched) float64 {
		if w.Last == nil {
			return 0
		}

		return seconds(w.Last.Phases)
	})
}

func lastTotal(w Watched) float64 {
	if w.Last == nil {
		return 0
	}

	return w.Last.TotalS
}

func lastReason(w Watched) string {
	if w.Last == nil {
		return unknown
	}

	return w.Last.ReasonName
}

// reasonWidth is that of the longest reason seen up to now.
func reasonWidth(all []Watched) int {
	longest := 0

	for _, w := range all {
		for name, n := range w.Reasons {
			if n > 0 {
				longest = max(longest, len(name))
			}
		}
	}

	return longest
}

// availability is cut and not rounded: 100 % means that nothing failed.
func availability(w Watched) string {
	if w.OK+w.Failed == 0 {
		return unknown
	}

	return Percent(math.Floor(1000*okShare(w)) / 10)
}

// quantilesOf are of the successes of the last 5 minutes; zero without one.
func quantilesOf(w Watched) site.Quantiles {
	if q := w.Windows["5m"].OK.Total; q != nil {
		return *q
	}

	return site.Quantiles{}
}
