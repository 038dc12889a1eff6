package table

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTableAlignsAndKeepsEachRowOnItsLine(t *testing.T) {
	t.Parallel()

	text := Table{Columns: []Column{{Title: "cache"}, {Title: "size", Right: true}, {Title: "note"}}}
	text.Add("kmalloc-64", "1.5 GiB", "leaks")
	text.Add("größe", "12 B", "a\nb\x1b[31m")

	require.Equal(t, ""+
		"cache          size  note\n"+
		"kmalloc-64  1.5 GiB  leaks\n"+
		"größe          12 B  a?b?[31m\n", text.String())
}

// A person's terminal obeys U+009B as it does ESC [, and what turns the direction of text hides it.
func TestTableObeysNothingInACell(t *testing.T) {
	t.Parallel()

	text := Table{Columns: []Column{{Title: "x", Width: 3}, {Title: "y"}}}
	text.Add("\u009b2J", "\u202etxt\x7f\r")

	require.Equal(t, "x    y\n?2J  ?txt??\n", text.String())
}

func TestUnits(t *testing.T) {
	t.Parallel()

	tests := map[string]struct{ got, want string }{
		"no bytes":                  {Bytes(0), "0 B"},
		"below the first unit":      {Bytes(1023), "1023 B"},
		"the first unit":            {Bytes(1024), "1.0 KiB"},
		"rounds up into the next":   {Bytes(1<<20 - 1), "1.0 MiB"},
		"24 GB of lost memory":      {Bytes(24 << 30), "24.0 GiB"},
		"the largest number":        {Bytes(1<<64 - 1), "16.0 EiB"},
		"growth":                    {BytesPerHour(1.5 * (1 << 20)), "+1.5 MiB/h"},
		"shrinking":                 {BytesPerHour(-2048), "-2.0 KiB/h"},
		"a percentage":              {Percent(12.345), "12.3 %"},
		"a percentage that is zero": {Percent(0), "0.0 %"},
		"no time":                   {Seconds(0), "0.00 ms"},
		"microseconds":              {Seconds(0.0000412), "0.04 ms"},
		"milliseconds":              {Seconds(0.00999), "9.99 ms"},
		"rounds up to three digits": {Seconds(0.009996), "10.0 ms"},
		"tens of milliseconds":      {Seconds(0.09994), "99.9 ms"},
		"hundreds of milliseconds":  {Seconds(0.09996), "100 ms"},
		"rounds up into seconds":    {Seconds(0.99951), "1.00 s"},
		"tens of seconds":           {Seconds(9.999), "10.0 s"},
	}

	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			require.Equal(t, test.want, test.got)
		})
	}
}
