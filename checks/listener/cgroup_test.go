package listener

import (
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestCgroupFiles(t *testing.T) {
	t.Parallel()

	for text, want := range map[string]struct{ path, unit string }{
		"0::/system.slice/nginx.service\n":                                             {"/system.slice/nginx.service", "nginx.service"},
		"4:memory:/x\n1:name=systemd:/user.slice/user-0.slice/session-1.scope\n0::/\n": {"/user.slice/user-0.slice/session-1.scope", "session-1.scope"},
		"0::/user.slice/user-1000.slice/user@1000.service/app.slice/a.service\n":       {"/user.slice/user-1000.slice/user@1000.service/app.slice/a.service", "a.service"},
		"0::/system.slice/docker-1.scope/inner:a\n":                                    {"/system.slice/docker-1.scope/inner:a", "docker-1.scope"},
		"0::/\n":          {"/", ""},
		"":                {"/", ""},
		"nonsense":        {"/", ""},
		"0::relative":     {"relative", ""},
		"0::/init.scope":  {"/init.scope", "init.scope"},
		"1:name=systemd:": {"", ""},
	} {
		path := parseCgroup([]byte(text))
		require.Equal(t, want.path, path, text)
		require.Equal(t, want.unit, UnitOf(path), text)
	}
}

func directoryID(t *testing.T, path string) uint64 {
	t.Helper()

	info, err := os.Stat(path)
	require.NoError(t, err)

	stat, _ := info.Sys().(*syscall.Stat_t)

	return stat.Ino
}

func TestNamesOfCgroups(t *testing.T) {
	t.Parallel()

	for name, mount := range map[string]string{"version 2": "", "version 2 beside version 1": "unified"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			root := t.TempDir()
			mounted := filepath.Join(root, mount)
			site := filepath.Join(mounted, "system.slice/nginx.service")
			require.NoError(t, os.MkdirAll(site, 0o755))
			require.NoError(t, os.WriteFile(filepath.Join(mounted, controllersFile), nil, 0o600))

			names := cgroupNames{root: root}
			id, gone := directoryID(t, site), uint64(1)
			ids := map[uint64]string{directoryID(t, mounted): "", id: "", gone: "", 0: ""}
			names.paths(ids)
			require.Equal(t, map[uint64]string{directoryID(t, mounted): "/", id: "/system.slice/nginx.service", gone: "", 0: ""}, ids)

			// What is known is not looked for again.
			require.NoError(t, os.RemoveAll(root))
			names.paths(ids)
			require.Equal(t, "/system.slice/nginx.service", ids[id])
		})
	}
}

func TestRememberedCgroupsAreLimited(t *testing.T) {
	t.Parallel()

	names := cgroupNames{root: t.TempDir()}
	for id := range uint64(maxCgroups) + 5 {
		names.paths(map[uint64]string{id + 1: ""})
	}

	require.LessOrEqual(t, len(names.known), maxCgroups)
}

// TestTheCgroupOfASocketIsTheOneItWasMadeIn uses a cgroup of the running kernel where this user may make one.
func TestTheCgroupOfASocketIsTheOneItWasMadeIn(t *testing.T) {
	root := "/sys/fs/cgroup"
	if _, err := os.Stat(filepath.Join(root, controllersFile)); err != nil {
		root = filepath.Join(root, "unified")
	}

	name := "/listener-test-" + strconv.Itoa(os.Getpid()) + ".service"
	group := root + name

	if err := os.Mkdir(group, 0o755); err != nil {
		require.NotZero(t, os.Geteuid(), err)

		return
	}

	t.Cleanup(func() {
		// The kernel lets go of the last process only a moment after its parent has seen it die.
		require.Eventually(t, func() bool { return os.Remove(group) == nil }, 10*time.Second, 10*time.Millisecond)
	})

	c := start(t, childTask{Cgroup: group, Listen: []listenTask{{Network: TCP, Address: "127.0.0.1:0"}}}, nil)

	report, err := NewReader("/proc", "/sys").Read(limited(t), Options{Port: c.result.Addresses[0].Port(), Processes: true})
	require.NoError(t, err)
	require.Len(t, report.Groups, 1)
	require.Equal(t, name, report.Groups[0].Sockets[0].Cgroup)
	require.Equal(t, directoryID(t, group), report.Groups[0].Sockets[0].CgroupID)
	require.Len(t, report.Processes, 1)
	require.Equal(t, name, report.Processes[0].Cgroup)
	require.Equal(t, name[1:], report.Processes[0].Unit)
}
