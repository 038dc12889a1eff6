package table

import (
	"math"
	"slices"
	"strings"

	"zabbix-agent2-plugin-hosting/checks/site"
)

// glyphs are what a strip and a cut text are made of.
type glyphs struct {
	levels           []rune // the lowest first
	failed, untested rune
	cut              string // the end of a text that is longer
}

var (
	unicodeGlyphs = glyphs{levels: []rune("▁▂▃▄▅▆▇█"), failed: '×', untested: '?', cut: "…"}
	asciiGlyphs   = glyphs{levels: []rune("_.-=+*#@"), failed: 'x', untested: '?', cut: "~"}
)

const (
	// medianLevel is the height of a probe that took as long as the median.
	medianLevel = 2
	// levelsPerDouble is how much higher one is that took twice as long.
	levelsPerDouble = 2
)

// strip draws the latest probes that fit into so many columns, a cell each, the oldest first. The height is the latency against the
// median of the successes, in logarithmic steps: what is usual looks alike on every site, and what is not stands out.
func (g glyphs) strip(recent []site.Recent, columns int) string {
	usual := median(recent)

	var text strings.Builder

	for _, probe := range recent[max(0, len(recent)-columns):] {
		switch {
		case probe.Reason == site.ReasonOK:
			text.WriteRune(g.levels[level(float64(probe.TotalS), usual, len(g.levels))])
		case probe.Reason.Tested():
			text.WriteRune(g.failed)
		default:
			text.WriteRune(g.untested)
		}
	}

	return text.String()
}

func level(seconds, usual float64, levels int) int {
	if seconds <= 0 || usual <= 0 {
		return 0
	}

	return min(max(medianLevel+int(math.Round(levelsPerDouble*math.Log2(seconds/usual))), 0), levels-1)
}

// median is of the successes, 0 without one.
func median(recent []site.Recent) float64 {
	var times []float32

	for _, probe := range recent {
		if probe.Reason == site.ReasonOK {
			times = append(times, probe.TotalS)
		}
	}

	if len(times) == 0 {
		return 0
	}

	slices.Sort(times)

	return float64(times[len(times)/2])
}

// cutTo shortens a text to so many characters.
func (g glyphs) cutTo(text string, columns int) string {
	text = onLine(text)
	if width(text) <= columns {
		return text
	}

	return string([]rune(text)[:max(0, columns-width(g.cut))]) + g.cut
}

// wrap breaks a text at its spaces into lines of so many characters; a longer word goes over several lines.
func wrap(text string, columns int) []string {
	var lines []string

	columns = max(columns, 1)
	line := []rune{}

	for word := range strings.FieldsSeq(text) {
		letters := []rune(onLine(word))
		if len(line) > 0 && len(line)+1+len(letters) <= columns {
			line = append(append(line, ' '), letters...)

			continue
		}

		if len(line) > 0 {
			lines = append(lines, string(line))
		}

		for ; len(letters) > columns; letters = letters[columns:] {
			lines = append(lines, string(letters[:columns]))
		}

		line = letters
	}

	return append(lines, string(line))
}
