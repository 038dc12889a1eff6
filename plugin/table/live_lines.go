package table

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"zabbix-agent2-plugin-hosting/checks/site"
)

// LiveLine tells a log what became of the requests since an earlier report, nil for none; it is empty where there were none. The
// sentence is that of the latest failure among them.
func LiveLine(w Watched, before *site.Report, now time.Time) string {
	if before == nil {
		before = &site.Report{}
	}

	requests := w.Requests - before.Requests
	if requests == 0 || w.Last == nil {
		return ""
	}

	line := fmt.Sprintf("%s %s: %s, %s", now.Format(time.TimeOnly), w.name(), w.Last.ReasonName, Seconds(w.Last.TotalS))
	failed, untested := w.Failed-before.Failed, w.NotTested-before.NotTested

	if requests > 1 && failed > 0 {
		line += fmt.Sprintf("; %d of %d failed", failed, requests)
	}

	line += fmt.Sprintf("; %d of %d ok%s", w.OK, w.Requests, inBrackets(w))

	if failed+untested > 0 && len(w.Evidence) > 0 {
		line += ": " + w.Evidence[0].Sentence
	}

	return onLine(line) + "\n"
}

// LiveSummary tells in a line what became of all requests to a site.
func LiveSummary(w Watched) string {
	line := fmt.Sprintf("%s: %d requests, %d ok%s, %d failed", w.name(), w.Requests, w.OK, inBrackets(w), w.Failed)
	if reasons := failureReasons(w); reasons != "" {
		line += " (" + reasons + ")"
	}

	line += fmt.Sprintf(", %d not tested", w.NotTested)

	if side := w.Windows["1h"].OK; side.Total != nil {
		line += "; ok "
		if uint64(side.Count) < w.OK {
			line += "in the last hour "
		}

		q := side.Total
		line += fmt.Sprintf("p50 %s, p90 %s, p99 %s, max %s", Seconds(q.P50S), Seconds(q.P90S), Seconds(q.P99S), Seconds(q.MaxS))
	}

	if w.Overlapping > 0 {
		line += fmt.Sprintf("; %d left out, as the request before still ran", w.Overlapping)
	}

	return onLine(line) + "\n"
}

// inBrackets is the availability, nothing where it is not known.
func inBrackets(w Watched) string {
	if share := availability(w); share != unknown {
		return " (" + share + ")"
	}

	return ""
}

func failureReasons(w Watched) string {
	var parts []string

	for _, name := range slices.Sorted(maps.Keys(w.Reasons)) {
		if n := w.Reasons[name]; n > 0 && name != site.ReasonOK.String() && name != site.ReasonLocalError.String() {
			parts = append(parts, fmt.Sprintf("%s %d", name, n))
		}
	}

	return strings.Join(parts, ", ")
}
