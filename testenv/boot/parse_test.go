package boot

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOwnGroupsAreThoseThatSystemdUses(t *testing.T) {
	for name, test := range map[string]struct {
		table string
		there []string
		want  []string
	}{
		"version 2 alone": {
			table: "0::/user.slice/session-1.scope\n",
			there: []string{"/sys/fs/cgroup/cgroup.procs"},
			want:  []string{"/sys/fs/cgroup/user.slice/session-1.scope"},
		},
		"version 2 beside version 1": {
			table: "2:memory:/a\n1:name=systemd:/b\n0::/c\n",
			there: []string{"/sys/fs/cgroup/unified"},
			want:  []string{"/sys/fs/cgroup/systemd/b", "/sys/fs/cgroup/unified/c"},
		},
		"version 1 alone": {
			table: "2:memory:/a\n1:name=systemd:/\n",
			want:  []string{"/sys/fs/cgroup/systemd"},
		},
		"version 2 that is not mounted":   {table: "0::/\n"},
		"a name with colons":              {table: "1:name=systemd:/a:b\n", want: []string{"/sys/fs/cgroup/systemd/a:b"}},
		"nothing, and what is no cgroups": {table: "\n1\n"},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, test.want, ownGroups(test.table, func(path string) bool { return slices.Contains(test.there, path) }))
		})
	}
}

func TestParseStat(t *testing.T) {
	for name, test := range map[string]struct {
		stat        string
		pid, parent int
	}{
		"a process":                          {"12 (nginx) S 7 12 12 0", 12, 7},
		"a name with spaces and parentheses": {"12 (a) S 1 (b) R 7 12", 12, 7},
		"a short line":                       {"12 (nginx) S", 0, 0},
		"no numbers":                         {"x (nginx) S 7", 0, 0},
		"nothing":                            {"", 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			pid, parent := parseStat(test.stat)
			require.Equal(t, []int{test.pid, test.parent}, []int{pid, parent})
		})
	}
}
