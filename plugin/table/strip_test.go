package table

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/checks/site"
)

// probes are successes that took so many milliseconds; below zero is a failure and zero a probe that could not be made.
func probes(milliseconds ...float32) []site.Recent {
	recent := make([]site.Recent, len(milliseconds))

	for i, ms := range milliseconds {
		switch {
		case ms < 0:
			recent[i] = site.Recent{TotalS: -ms / 1000, Reason: site.ReasonResetBeforeResponse}
		case ms == 0:
			recent[i] = site.Recent{Reason: site.ReasonLocalError}
		default:
			recent[i] = site.Recent{TotalS: ms / 1000}
		}
	}

	return recent
}

func TestStripShowsEachProbe(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		recent      []site.Recent
		columns     int
		want, ascii string
	}{
		"no probe":                           {nil, 10, "", ""},
		"a steady site is low":               {probes(20, 21, 20, 19), 10, "▃▃▃▃", "----"},
		"a site a thousand times as slow":    {probes(20000, 21000, 20000, 19000), 10, "▃▃▃▃", "----"},
		"twice and half stand out":           {probes(20, 40, 20, 10, 20), 10, "▃▅▃▁▃", "-+-_-"},
		"extremes stay within the levels":    {probes(20, 9000, 20, 0.01, 20), 10, "▃█▃▁▃", "-@-_-"},
		"failures are no latency":            {probes(20, -9000, -1, 20, 20), 10, "▃××▃▃", "-xx--"},
		"what could not be tested":           {probes(20, 0, 20), 10, "▃?▃", "-?-"},
		"failures only":                      {probes(-1, -2), 10, "××", "xx"},
		"the latest, where there is no room": {probes(-1, -1, 20, 20, 40), 3, "▃▃▅", "--+"},
		"no room":                            {probes(20), 0, "", ""},
		"a clock that did not move":          {[]site.Recent{{}, {}}, 10, "▁▁", "__"},
	}

	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			require.Equal(t, test.want, unicodeGlyphs.strip(test.recent, test.columns))
			require.Equal(t, test.ascii, asciiGlyphs.strip(test.recent, test.columns))
		})
	}
}

func TestCutTextSaysThatItIsCut(t *testing.T) {
	t.Parallel()

	require.Equal(t, "größe", unicodeGlyphs.cutTo("größe", 5))
	require.Equal(t, "grö…", unicodeGlyphs.cutTo("größe", 4))
	require.Equal(t, "grö~", asciiGlyphs.cutTo("größe", 4))
	require.Equal(t, "?[31m", unicodeGlyphs.cutTo("\u009b[31m", 5))
}

func TestWrapBreaksAtSpaces(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		text    string
		columns int
		want    []string
	}{
		"no text":          {"", 10, []string{""}},
		"a short one":      {"all is well", 11, []string{"all is well"}},
		"a long one":       {"all is well", 10, []string{"all is", "well"}},
		"a long word":      {"a 0123456789 b", 4, []string{"a", "0123", "4567", "89 b"}},
		"control and tabs": {"a\tb\nc\x1b[31m", 10, []string{"a b c?[31m"}},
		"no room":          {"abc", 0, []string{"a", "b", "c"}},
	}

	for name, test := range tests {
		require.Equal(t, test.want, wrap(test.text, test.columns), name)
	}
}

func FuzzWrap(f *testing.F) {
	f.Add("the connection was reset", 10)
	f.Add("größe\u202e\x1b", 1)

	f.Fuzz(func(t *testing.T, text string, columns int) {
		for _, line := range wrap(text, columns) {
			require.LessOrEqual(t, width(line), max(columns, 1))
			require.Equal(t, strings.Map(printable, line), line)
		}
	})
}
