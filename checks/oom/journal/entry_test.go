package journal

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func fixture(tb testing.TB) (lines [][]byte) {
	tb.Helper()

	text, err := os.ReadFile("testdata/6.18.json")
	require.NoError(tb, err)

	return bytes.Split(bytes.TrimSpace(text), []byte("\n"))
}

func TestEntriesOfARealJournal(t *testing.T) {
	t.Parallel()

	var all []Entry

	for _, line := range fixture(t) {
		e, ok := parseEntry(line)
		require.True(t, ok, "%s", line)
		require.True(t, strings.HasPrefix(e.Cursor, "s="), e.Cursor)

		e.Cursor = ""
		all = append(all, e)
	}

	const summary = "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,"

	require.Equal(t, []Entry{
		{"", 102951 * time.Microsecond, true, "pcpu-alloc: [0] 0 1 "},
		{"", 1098231558 * time.Microsecond, true, "oomunit.test invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0"},
		{"", 1098231615 * time.Microsecond, true, "CPU: 0 UID: 0 PID: 10002 Comm: oomunit.test Not tainted 6.18.44-fc-v857 #1 PREEMPT(none) "},
		{"", 1098232107 * time.Microsecond, true, "[  pid  ]   uid  tgid total_vm      rss rss_anon rss_file rss_shmem pgtables_bytes swapents oom_score_adj name"},
		{"", 1098232108 * time.Microsecond, true, "[   9998]     0  9998   455844     6801     5376     1425         0   180224        0             0 hog"},
		{"", 1098232148 * time.Microsecond, true, summary + "oom_memcg=/oom-unit-test.slice/oom-test-9991-1.service," +
			"task_memcg=/oom-unit-test.slice/oom-test-9991-1.service,task=hog,pid=9998,uid=0"},
		{"", 1098232182 * time.Microsecond, true, "Memory cgroup out of memory: Killed process 9998 (hog) total-vm:1823376kB, anon-rss:21504kB, " +
			"file-rss:5700kB, shmem-rss:0kB, UID:0 pgtables:176kB oom_score_adj:0"},
		{"", 1491279760 * time.Microsecond, true, "Memory cgroup out of memory: Killed process 25593 (hog 8) total-vm:1823048kB, anon-rss:21376kB, " +
			"file-rss:6424kB, shmem-rss:0kB, UID:0 pgtables:176kB oom_score_adj:0"},
		{"", 1491346835 * time.Microsecond, true, "Memory cgroup out of memory: Killed process 25610 (hog 9) total-vm:1824712kB, anon-rss:21504kB, " +
			"file-rss:6784kB, shmem-rss:0kB, UID:0 pgtables:168kB oom_score_adj:0"},
		{"", 1680755334 * time.Microsecond, true, "tracepoint.test invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0"},
		{"", 1680755966 * time.Microsecond, true, "[  30762]     0 30762   456178     7049     5376     1673         0   176128        0             0 a ((hog)) \xff"},
		{"", 1680755971 * time.Microsecond, true, summary + "oom_memcg=/oom-test-30756-1.service,task_memcg=/oom-test-30756-1.service,task=a ((hog)) \xff,pid=30762,uid=0"},
		{"", 1680756041 * time.Microsecond, true, "Memory cgroup out of memory: Killed process 30762 (a ((hog)) \xff) total-vm:1824712kB, anon-rss:21504kB, " +
			"file-rss:6692kB, shmem-rss:0kB, UID:0 pgtables:172kB oom_score_adj:0"},
		{"", 1680803565 * time.Microsecond, false, "Out of memory: Killed process 1 (systemd) total-vm:1kB"},
	}, all)
}

func TestWhatIsNoEntry(t *testing.T) {
	t.Parallel()

	for name, line := range map[string]string{
		"no JSON":                     `-- No entries --`,
		"no cursor":                   `{"MESSAGE":"a","_SOURCE_MONOTONIC_TIMESTAMP":"1"}`,
		"no time":                     `{"__CURSOR":"s","MESSAGE":"a"}`,
		"a time beyond all sense":     `{"__CURSOR":"s","MESSAGE":"a","_SOURCE_MONOTONIC_TIMESTAMP":"18446744073709551615"}`,
		"a message of another kind":   `{"__CURSOR":"s","MESSAGE":{},"_SOURCE_MONOTONIC_TIMESTAMP":"1"}`,
		"a cursor that is no text":    `{"__CURSOR":7,"MESSAGE":"a","_SOURCE_MONOTONIC_TIMESTAMP":"1"}`,
		"no message at all":           `{"__CURSOR":"s","_SOURCE_MONOTONIC_TIMESTAMP":"1"}`,
		"several messages in a field": `{"__CURSOR":"s","MESSAGE":["a","b"],"_SOURCE_MONOTONIC_TIMESTAMP":"1"}`,
	} {
		_, ok := parseEntry([]byte(line))
		require.False(t, ok, name)
	}
}

func FuzzEntry(f *testing.F) {
	for _, line := range fixture(f) {
		f.Add(line)
	}

	f.Fuzz(func(t *testing.T, line []byte) {
		e, ok := parseEntry(line)
		require.Equal(t, ok, e.Cursor != "")
		require.GreaterOrEqual(t, e.SinceBoot, time.Duration(0))
	})
}
