package bpf

import (
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/testenv/paired"
)

func TestDescriptorsAreToldApart(t *testing.T) {
	t.Parallel()

	const common = "pos:\t0\nflags:\t02000002\nmnt_id:\t16\nino:\t2084\n"

	for name, test := range map[string]struct {
		text string
		want Held
	}{
		"a map":     {common + "map_type:\t1\nkey_size:\t8\nmemlock:\t4096\nmap_id:\t7\nfrozen:\t0\n", Held{Maps: 1, Bytes: 4096}},
		"a program": {common + "prog_type:\t17\nprog_jited:\t1\nmemlock:\t8192\nprog_id:\t12\nrun_cnt:\t0\n", Held{Programs: []ebpf.ProgramID{12}, Bytes: 8192}},
		"a link":    {common + "link_type:\traw_tracepoint\nlink_id:\t3\nprog_id:\t12\ntp_name:\tkfree\n", Held{Links: 1}},
		"a file":    {common, Held{}},
	} {
		var h Held

		require.NoError(t, h.add(test.text), name)
		require.Equal(t, test.want, h, name)
	}
}

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
	require.Equal(t, 1, Holds(t).Links)
	require.Len(t, Holds(t).Programs, 1)
	end()
	require.Equal(t, Held{}, Holds(t))

	o := Load{Do: call, Turns: 6, Tracepoints: []string{"sys_enter"}, Programs: idle}.Measure(t)
	require.Greater(t, o.Runs, 0.99)
	require.Less(t, o.Own.Low, o.KernelsPart.High)
	require.NotEqual(t, paired.Interval{}, o.Total)
	require.Equal(t, Held{}, Holds(t))
}
