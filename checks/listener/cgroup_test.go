package listener

import (
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/checks/cgroup"
)

// TestTheCgroupOfASocketIsTheOneItWasMadeIn uses a cgroup of the running kernel where this user may make one.
func TestTheCgroupOfASocketIsTheOneItWasMadeIn(t *testing.T) {
	name := "/listener-test-" + strconv.Itoa(os.Getpid()) + ".service"
	group := cgroup.Unified("/sys") + name

	if err := os.Mkdir(group, 0o755); err != nil {
		require.NotZero(t, os.Geteuid(), err)

		return
	}

	t.Cleanup(func() {
		// The kernel lets go of the last process only a moment after its parent has seen it die.
		require.Eventually(t, func() bool { return os.Remove(group) == nil }, 10*time.Second, 10*time.Millisecond)
	})

	var stat unix.Stat_t

	require.NoError(t, unix.Stat(group, &stat))

	c := start(t, childTask{Cgroup: group, Listen: []listenTask{{Network: TCP, Address: "127.0.0.1:0"}}}, nil)

	report, err := NewReader("/proc", "/sys").Read(limited(t), Options{Port: c.result.Addresses[0].Port(), Processes: true})
	require.NoError(t, err)
	require.Len(t, report.Groups, 1)
	require.Equal(t, name, report.Groups[0].Sockets[0].Cgroup)
	require.Equal(t, stat.Ino, report.Groups[0].Sockets[0].CgroupID)
	require.Len(t, report.Processes, 1)
	require.Equal(t, name, report.Processes[0].Cgroup)
	require.Equal(t, name[1:], report.Processes[0].Unit)
}
