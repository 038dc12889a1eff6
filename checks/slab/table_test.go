package slab

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParse(t *testing.T) {
	t.Parallel()

	const (
		slub = " : tunables    0    0    0 : slabdata "
		good = "good                  1      2     64   64    1" + slub + "     3      4      0\n"
	)

	cache := func(name string) Cache {
		return Cache{
			Name: name, ActiveObjects: 1, Objects: 2, ObjectSize: 64, ObjectsPerSlab: 64, PagesPerSlab: 1,
			ActiveSlabs: 3, Slabs: 4, SizeBytes: 4 * testPage, ActiveBytes: 64,
		}
	}

	cases := map[string]struct {
		text     string
		caches   []Cache
		problems []string
	}{
		"a SLUB kernel":           {text: header + good, caches: []Cache{cache("good")}},
		"the header of 2.0":       {text: "slabinfo - version: 2.0\n# name <batchcount>\n" + good, caches: []Cache{cache("good")}},
		"the header of 1.1":       {text: "slabinfo - version: 1.1 (statistics) (SMP)\n" + good, caches: []Cache{cache("good")}},
		"no header":               {text: good, caches: []Cache{cache("good")}},
		"a header and no cache":   {text: header},
		"an empty file":           {},
		"no newline at the end":   {text: header + strings.TrimSuffix(good, "\n"), caches: []Cache{cache("good")}},
		"a cache called slabinfo": {text: header + strings.Replace(good, "good    ", "slabinfo", 1), caches: []Cache{cache("slabinfo")}},
		"a name as long as the column": {
			text:   header + strings.Replace(good, "good             ", "abcdefghijklmnopq", 1),
			caches: []Cache{cache("abcdefghijklmnopq")},
		},
		"names with spaces, commas and parentheses": {
			text: header + strings.Replace(good, "good", "ext4 groupinfo, 4k", 1) +
				strings.Replace(good, "good", "kmalloc-64(123:session-1.scope)", 1) +
				strings.Replace(good, "good", "a 1 2 3", 1) +
				strings.Replace(good, "good", "zone: data", 1),
			caches: []Cache{
				cache("ext4 groupinfo, 4k"), cache("kmalloc-64(123:session-1.scope)"), cache("a 1 2 3"), cache("zone: data"),
			},
		},
		"a SLAB kernel with statistics": {
			text: header + "good 1 2 64 64 1 : tunables  120   60    8 : slabdata 3 4 0" +
				" : globalstat 133 98 17 3 0 0 0 0 0 : cpustat 7597 19 7534 1\n",
			caches: []Cache{cache("good")},
		},
		"columns behind slabdata that only some kernels have": {
			text:   header + strings.Replace(good, "0\n", "0    100   1220\n", 1),
			caches: []Cache{cache("good")},
		},
		"values beyond 2^53 stay exact": {
			text: header + "big 9007199254740993 18446744073709551615 1 1 1" + slub + "1 1125899906842625 0\n",
			caches: []Cache{{
				Name: "big", ActiveObjects: 1<<53 + 1, Objects: math.MaxUint64, ObjectSize: 1, ObjectsPerSlab: 1, PagesPerSlab: 1,
				ActiveSlabs: 1, Slabs: 1<<50 + 1, SizeBytes: 1<<62 + testPage, ActiveBytes: 1<<53 + 1,
			}},
		},
		"odd lines are reported and the rest of the file is kept": {
			text: header + "nonsense\n" + good +
				"a 1 2 64 64 1 : tunables 0 0 0\n" +
				"b 1 2 64 : tunables 0 0 0 : slabdata 3 4 0\n" +
				"c 1 -2 64 64 1 : tunables 0 0 0 : slabdata 3 4 0\n" +
				"d 1 2 64 64 1 : tunables 0 0 0 : slabdata 3 4\n" +
				"  1 2 64 64 1 : tunables 0 0 0 : slabdata 3 4 0\n" +
				"e 18446744073709551616 2 64 64 1 : tunables 0 0 0 : slabdata 3 4 0\n" +
				"f 1 2 64 64 4294967296 : tunables 0 0 0 : slabdata 3 18446744073709551615 0\n" +
				strings.Replace(good, "good", "last", 1),
			caches: []Cache{cache("good"), cache("last")},
			problems: []string{
				`slabinfo line 3: no tunables: "nonsense"`,
				`slabinfo line 5: no slabdata: "a 1 2 64 64 1 : tunables 0 0 0"`,
				`slabinfo line 6: not five numbers before the tunables: "b 1 2 64 : tunables 0 0 0 : slabdata 3 4 0"`,
				`slabinfo line 7: not five numbers before the tunables: "c 1 -2 64 64 1 : tunables 0 0 0 : slabdata 3 4 0"`,
				`slabinfo line 8: not three numbers after slabdata: "d 1 2 64 64 1 : tunables 0 0 0 : slabdata 3 4"`,
				`slabinfo line 9: no name: "  1 2 64 64 1 : tunables 0 0 0 : slabdata 3 4 0"`,
				`slabinfo line 10: not five numbers before the tunables: "e 18446744073709551616 2 64 64 1 : tunables 0 0 0 : slabdata 3 4 0"`,
				`slabinfo line 11: more bytes than 64 bits hold: "f 1 2 64 64 4294967296 : tunables 0 0 0 : slabdata 3 18446744073709551615 0"`,
			},
		},
	}

	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			parsed := table{pageSize: testPage}
			for _, turn := range []string{"first", "again"} {
				parsed.parse([]byte(c.text))
				require.Equal(t, len(c.caches), len(parsed.caches), turn)
				require.Equal(t, append([]Cache{}, c.caches...), append([]Cache{}, parsed.caches...), turn)
				require.Equal(t, c.problems, parsed.problems.List(), turn)
			}
		})
	}
}

func TestParseForgetsTheReadingBefore(t *testing.T) {
	t.Parallel()

	texts := []string{
		header + slabLine("a", 1) + slabLine("b", 2) + slabLine("c", 3),
		header + slabLine("a", 4) + slabLine("b", 5) + slabLine("c", 6),
		header + slabLine("new", 7) + slabLine("a", 4) + slabLine("b", 5) + slabLine("c", 6),
		header + slabLine("new", 7) + "odd\n" + slabLine("b", 1_000_000_000) + slabLine("c", 6),
		header + slabLine("b", 5),
		header + strings.Replace(slabLine("b", 5), "128", "256", 1),
		"",
		header + slabLine("a", 1) + slabLine("a", 2),
	}

	reused := table{pageSize: testPage}

	for _, text := range texts {
		fresh := table{pageSize: testPage}
		fresh.parse([]byte(text))
		reused.parse([]byte(text))
		require.Equal(t, append([]Cache{}, fresh.caches...), append([]Cache{}, reused.caches...), text)
		require.Equal(t, fresh.byReclaim, reused.byReclaim, text)
		require.Equal(t, fresh.problems.List(), reused.problems.List(), text)
	}
}

func TestParseNoticesRenamedCaches(t *testing.T) {
	t.Parallel()

	parsed := table{pageSize: testPage}
	for i, step := range []struct {
		text    string
		renamed bool
	}{
		{header + slabLine("a", 1) + slabLine("b", 2), true},
		{header + slabLine("a", 9) + slabLine("b", 8), false},
		{header + slabLine("b", 8) + slabLine("a", 9), true},
		{header + slabLine("b", 8), true},
		{header + slabLine("b", 7), false},
		{header + slabLine("b", 7) + slabLine("c", 1), true},
	} {
		parsed.parse([]byte(step.text))
		require.Equal(t, step.renamed, parsed.renamed, "step %d", i)
	}
}

// FuzzParse holds the fast way, which a reading takes that resembles the one before, against a parser that has seen
// nothing yet.
func FuzzParse(f *testing.F) {
	f.Add([]byte(header+slabLine("a", 1)+slabLine("b c", 2)), []byte(header+slabLine("a", 3)+slabLine("b c", 100_000_000)))
	f.Add([]byte(slabLine("ab", 1)), []byte(slabLine("a", 1)))
	f.Add([]byte("a 1 1 1 1 1 : tunables 1 1 1 : slabdata 1 1 1\n"), []byte("a1 1 1 1 1 1 : tunables 1 1 1 : slabdata 1 1 1\n"))
	// Found by fuzzing: a number glued to a known name was taken for that cache.
	f.Add([]byte("a 0 0 1 1 1 : tunables 0 0 0 : slabdata 0 0 0\n"), []byte("a0 0 1 1 1 : tunables 0 0 0 : slabdata 0 0 0\n"))
	f.Add([]byte("a 1 2 3 4 5 : tunables : slabdata 1 2 3\n"), []byte("a 9 8 3 4 5 : tunables : slabdata 1 2 3 : x\n"))

	f.Fuzz(func(t *testing.T, first, second []byte) {
		reused, fresh := table{pageSize: testPage}, table{pageSize: testPage}
		reused.parse(first)
		reused.parse(second)
		fresh.parse(second)
		require.Equal(t, append([]Cache{}, fresh.caches...), append([]Cache{}, reused.caches...))
		require.Equal(t, fresh.problems.List(), reused.problems.List())
		require.Equal(t, fresh.byReclaim, reused.byReclaim)

		for _, c := range fresh.caches {
			require.NotEmpty(t, c.Name)
		}
	})
}
