package kernelcost

import (
	"errors"
	"os"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/testenv/inkernel"
)

// Runs are those of one program.
type Runs struct {
	Name  string
	Count uint64
	Time  time.Duration
}

// Account is what the programs that this process holds did meanwhile, by the kernel's own account. Its keeping takes some 40 ns of each run, which are
// in the time.
func Account(tb testing.TB, meanwhile func()) []Runs {
	tb.Helper()

	account, err := ebpf.EnableStats(unix.BPF_STATS_RUN_TIME)
	require.NoError(tb, err)

	var programs []*ebpf.Program

	for _, id := range inkernel.HeldByT(tb, os.Getpid()).Programs {
		program, err := ebpf.NewProgramFromID(ebpf.ProgramID(id))
		require.NoError(tb, err)

		programs = append(programs, program)
	}

	before := runs(tb, programs)

	meanwhile()

	after := runs(tb, programs)
	for i := range after {
		after[i].Count -= before[i].Count
		after[i].Time -= before[i].Time
	}

	for _, program := range programs {
		err = errors.Join(err, program.Close())
	}

	require.NoError(tb, errors.Join(err, account.Close()))

	return after
}

func runs(tb testing.TB, programs []*ebpf.Program) []Runs {
	tb.Helper()

	all := make([]Runs, len(programs))

	for i, program := range programs {
		info, err := program.Info()
		require.NoError(tb, err)

		stats, err := program.Stats()
		require.NoError(tb, err)

		all[i] = Runs{Name: info.Name, Count: stats.RunCount, Time: stats.Runtime}
	}

	return all
}
