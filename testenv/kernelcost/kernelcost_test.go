package kernelcost

import (
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/testenv/inkernel"
	"zabbix-agent2-plugin-hosting/testenv/paired"
)

// TestProgramsAreCountedAndLeaveNothing has a program that does nothing for both, which costs as much as itself.
func TestProgramsAreCountedAndLeaveNothing(t *testing.T) {
	if os.Geteuid() != 0 {
		return
	}

	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	idle := Idle(t, "sys_enter")
	began := time.Now()
	call := Loop(func() time.Duration { return time.Since(began) }, func() { unix.Getppid() })
	end := idle()

	runs := Account(t, func() { call() })
	require.Len(t, runs, 1)
	require.Equal(t, "idle", runs[0].Name)
	require.GreaterOrEqual(t, runs[0].Count, uint64(batches*perBatch))
	require.Positive(t, runs[0].Time)
	held := inkernel.HeldByT(t, os.Getpid())
	require.Equal(t, []int{1, 1}, []int{len(held.Links), len(held.Programs)})
	end()
	require.Zero(t, inkernel.HeldByT(t, os.Getpid()).Count())

	o := Load{Do: call, Turns: 6, Tracepoints: []string{"sys_enter"}, Programs: idle}.Measure(t)
	require.Greater(t, o.Runs, 0.99)
	require.NotEqual(t, paired.Interval{}, o.Total)
	require.Zero(t, inkernel.HeldByT(t, os.Getpid()).Count())
}
