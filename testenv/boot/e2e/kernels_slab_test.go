//go:build kernels

package e2e

import (
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/checks/slabowner"
	"zabbix-agent2-plugin-hosting/plugin/helper"
	"zabbix-agent2-plugin-hosting/testenv/inkernel"
	"zabbix-agent2-plugin-hosting/testenv/leak"
)

const (
	ownersKey = "hosting.slab.owners"
	leaky     = "leaky-tcp"
	// sockets of 2 KiB each are above the noise.
	sockets = 8_000
)

// requireOwner has a program leak sockets while the helper follows allocations, and wants the agent to name it and the kernel's function.
//
// In the helper's sandbox /proc/kallsyms is empty: the first release could name no function there.
func requireOwner(t *testing.T) {
	t.Helper()

	require.NoError(t, os.WriteFile(helperConf, []byte("slab_session = \"30s\"\n"), 0o644))
	run(t, "systemctl", "restart", helperService)

	leaking := leak.StartT(t, leaky, leak.TCP, sockets)

	_, err := helper.NewClient(socketPath).JSON(t.Context(), helper.Request{Verb: helper.VerbSession})
	require.NoError(t, err)

	pid, err := strconv.Atoi(mainPID(t))
	require.NoError(t, err)

	before := len(inkernel.HeldByT(t, pid).Links)
	require.Eventually(t, func() bool { return len(inkernel.HeldByT(t, pid).Links) >= before+4 }, slow, time.Second)
	leaking.Grow(t)

	r := ask(t, ownersKey, func(r *slabowner.Report) bool {
		return r.State != slabowner.StateNever && r.State != slabowner.StateRunning
	})
	require.Equal(t, slabowner.StateDone, r.State, r.Sentence)
	require.Empty(t, r.Problems)
	require.NotEmpty(t, r.Owners)

	owner := r.Owners[0]
	require.Equal(t, leaky, owner.Process)
	require.Regexp(t, `^sk_prot_alloc\+0x`, owner.CallSite)
	require.Contains(t, owner.Stack[len(owner.Stack)-1], "entry_SYSCALL_64")
	require.Regexp(t, `^leaky-tcp holds \d+ MiB more in cache TCP.*, allocated by sk_prot_alloc$`, owner.Sentence)
	t.Log(owner.Sentence)
}
