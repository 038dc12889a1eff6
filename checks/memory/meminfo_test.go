package memory

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParse(t *testing.T) {
	t.Parallel()

	type fields = map[string]uint64

	cases := map[string]struct {
		text     string
		fields   fields
		problems []string
	}{
		"kB are turned to bytes and counts are left as they are": {
			text:   "MemTotal:       24684096 kB\nHugePages_Total:       3\n",
			fields: fields{"MemTotal": 24684096 << 10, "HugePages_Total": 3},
		},
		"a field of tomorrow is kept": {
			text:   "Balloon2(far):        12 kB\n",
			fields: fields{"Balloon2(far)": 12 << 10},
		},
		"the line of a NUMA node's file is kept whole": {
			text:   "Node 0 MemTotal:       12 kB\n",
			fields: fields{"Node 0 MemTotal": 12 << 10},
		},
		"values beyond 2^53 stay exact": {
			text:   "A: 9007199254740993\nB: 18014398509481983 kB\n",
			fields: fields{"A": 1<<53 + 1, "B": (1<<54 - 1) << 10},
		},
		"a file without a last newline is read to its end": {
			text:   "A: 1 kB\nB: 2 kB",
			fields: fields{"A": 1 << 10, "B": 2 << 10},
		},
		"odd lines are reported and skipped": {
			text: "A: 1 kB\nno field\nB: -1 kB\n: 7 kB\nC: 18446744073709551616\nD: 18446744073709551615 kB\n\nE: 2 MB\nF:\nG: 3 kB\n",
			fields: fields{
				"A": 1 << 10, "G": 3 << 10,
			},
			problems: []string{
				`line 2: not a field: "no field"`,
				`line 3: not a number: "B: -1 kB"`,
				`line 4: not a field: ": 7 kB"`,
				`line 5: not a number: "C: 18446744073709551616"`,
				`line 6: more bytes than 64 bits hold: "D: 18446744073709551615 kB"`,
				`line 8: not a number: "E: 2 MB"`,
				`line 9: not a number: "F:"`,
			},
		},
		"an empty file holds nothing": {fields: fields{}},
	}

	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			var m Meminfo
			m.parse([]byte(c.text))

			r := m.Report()
			require.Equal(t, c.fields, r.Meminfo)
			require.Equal(t, c.problems, r.Problems)
		})
	}
}

func TestProblemsAreCapped(t *testing.T) {
	t.Parallel()

	var m Meminfo
	m.parse([]byte(strings.Repeat("x", 300) + "\n" + strings.Repeat("nonsense\n", 40)))

	problems := m.Report().Problems
	require.Len(t, problems, 11)
	require.Equal(t, `line 1: not a field: "`+strings.Repeat("x", 80)+`"...`, problems[0])
	require.Equal(t, "and 31 more", problems[10])
}

func TestParseForgetsTheReadingBefore(t *testing.T) {
	t.Parallel()

	texts := []string{
		"A: 1 kB\nB: 2 kB\nC: 3\n",
		"A: 4 kB\nB: 5 kB\nC: 6\n",
		"A: 1 kB\nNew: 9 kB\nB: 2 kB\nC: 3\n",
		"A: 1 kB\nB: 2 kB\n",
		"A: 1\nodd\nB: 2 kB\nC: 7 kB\n",
		"",
		"C: 1\n",
	}

	var reused Meminfo

	for _, text := range texts {
		var fresh Meminfo

		fresh.parse([]byte(text))
		reused.parse([]byte(text))
		require.Equal(t, fresh.Report(), reused.Report(), text)
	}
}

func TestPercent(t *testing.T) {
	t.Parallel()

	var m Meminfo
	require.InDelta(t, 0, m.Percent(math.MaxUint64), 0)

	m.parse([]byte("MemTotal: 400 kB\n"))
	require.InDelta(t, 25, m.Percent(100<<10), 0)
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("MemTotal:       24684096 kB\nHugePages_Total:       0\n"), []byte("MemTotal: 1 kB\nodd\n"))
	f.Add([]byte("A:18446744073709551615 kB\n"), []byte(":\n: kB\nA:\tB\n"))
	f.Add([]byte("A: 00000000000000000000001 kB\n"), []byte("A: 1 kB \nA: 1kB\n"))

	f.Fuzz(func(t *testing.T, first, second []byte) {
		var reused, fresh Meminfo

		reused.parse(first)
		reused.parse(second)
		fresh.parse(second)
		require.Equal(t, fresh.Report(), reused.Report())
		require.LessOrEqual(t, len(fresh.Report().Problems), 11)
	})
}
