package leak_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/testenv/leak"
)

func TestMain(m *testing.M) {
	leak.Serve()
	os.Exit(m.Run())
}

// objects are fewer than an ordinary user may have of the largest kind (pipe-user-pages-soft of proc_sys_fs(5)).
const objects = 40

// runtimesOwn is how many descriptors Go may open for itself meanwhile.
const runtimesOwn = 5

func TestProcessesOfANameHoldDescriptorsFromGrowOn(t *testing.T) {
	t.Parallel()

	for kind, each := range map[leak.Kind]int{leak.TCP: 1, leak.Unix: 1, leak.Epolls: 1, leak.Pipes: 2, leak.LargePipes: 2} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()

			l := leak.StartT(t, "leaky-program", kind, objects)
			require.Len(t, l.PIDs(), 1)

			before := descriptors(t, l.PIDs()[0])
			l.Grow(t)
			require.InDelta(t, before+objects*each, descriptors(t, l.PIDs()[0]), runtimesOwn)

			name, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(l.PIDs()[0]), "comm"))
			require.NoError(t, err)
			require.Equal(t, "leaky-program\n", string(name))
		})
	}
}

func TestWatchesAreHeld(t *testing.T) {
	t.Parallel()

	l := leak.StartT(t, "watcher", leak.Watches, 100)
	l.Grow(t)

	watched := 0
	dir := filepath.Join("/proc", strconv.Itoa(l.PIDs()[0]), "fdinfo")
	infos, err := os.ReadDir(dir)
	require.NoError(t, err)

	for _, info := range infos {
		text, err := os.ReadFile(filepath.Join(dir, info.Name()))
		require.NoError(t, err)

		watched += strings.Count(string(text), "inotify wd:")
	}

	require.Equal(t, 100, watched)
}

func TestMessagesWaitInANamespaceOfTheProcess(t *testing.T) {
	t.Parallel()

	l := leak.StartT(t, "sender", leak.Messages, 40)
	l.Grow(t)

	if os.Geteuid() != 0 {
		// Only root may look into the namespace.
		return
	}

	namespace, err := os.Open(filepath.Join("/proc", strconv.Itoa(l.PIDs()[0]), "ns/ipc"))
	require.NoError(t, err)

	defer func() { require.NoError(t, namespace.Close()) }()

	queues := make(chan string)

	go func() {
		// Never unlocked: the thread stays in the other namespace and ends with the goroutine.
		runtime.LockOSThread()

		if err := unix.Setns(int(namespace.Fd()), unix.CLONE_NEWIPC); err != nil {
			queues <- err.Error()

			return
		}

		text, err := os.ReadFile("/proc/sysvipc/msg")
		queues <- fmt.Sprint(string(text), err)
	}()

	// 16, 16 and 8 messages.
	require.Len(t, strings.Split(strings.TrimSuffix(<-queues, "<nil>"), "\n"), 1+3+1)
}

func TestMoreThanOneProcessMayHoldIsSharedOut(t *testing.T) {
	t.Parallel()

	require.Len(t, leak.StartT(t, "many", leak.TCP, 20_000).PIDs(), 2)
}

func descriptors(t *testing.T, pid int) int {
	t.Helper()

	all, err := os.ReadDir(filepath.Join("/proc", strconv.Itoa(pid), "fd"))
	require.NoError(t, err)

	return len(all)
}
