package watch

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// fakeProc has links in place of those of proc(5).
func fakeProc(t *testing.T, links map[string]string) string {
	t.Helper()

	proc := t.TempDir()

	for name, target := range links {
		path := filepath.Join(proc, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.Symlink(target, path))
	}

	return proc
}

func TestWhetherProcHasTheNumbersOfTheHost(t *testing.T) {
	t.Parallel()

	own := strconv.Itoa(os.Getpid())

	for name, c := range map[string]struct {
		links map[string]string
		want  bool
	}{
		"the host's proc":                              {map[string]string{"self": "77", "1/ns/pid": firstPIDNamespace}, true},
		"a container's proc":                           {map[string]string{"self": own, "1/ns/pid": "pid:[4026532200]"}, false},
		"the host's proc for an ordinary user":         {map[string]string{"self": own, own + "/ns/pid": firstPIDNamespace}, true},
		"a container's proc for an ordinary user":      {map[string]string{"self": own, own + "/ns/pid": "pid:[4026532200]"}, false},
		"the host's proc for a container's user":       {map[string]string{"self": "77", "77/ns/pid": "pid:[4026532200]"}, false},
		"a proc of which this process is not in sight": {map[string]string{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			require.Equal(t, c.want, seesHost(fakeProc(t, c.links)))
		})
	}
}

func TestThisProcessInProc(t *testing.T) {
	t.Parallel()

	pid, err := ownPID("/proc")
	require.NoError(t, err)
	require.Equal(t, os.Getpid(), pid)

	proc := fakeProc(t, map[string]string{"self": "x"})
	_, err = ownPID(proc)
	require.ErrorContains(t, err, "cannot find this process below "+proc+": ")
}

func TestWhetherAllCgroupsAreInSight(t *testing.T) {
	t.Parallel()

	require.True(t, seesAllCgroups(fakeProc(t, map[string]string{"self/ns/cgroup": firstCgroupNamespace})))
	require.False(t, seesAllCgroups(fakeProc(t, map[string]string{"self/ns/cgroup": "cgroup:[4026532300]"})))
	require.False(t, seesAllCgroups(t.TempDir()))
}
