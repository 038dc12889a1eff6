package inkernel

import (
	"os"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/stretchr/testify/require"
)

func TestWhatStandsInFdinfoIsTakenForWhatItIs(t *testing.T) {
	t.Parallel()

	var o Objects
	for _, text := range []string{
		"pos:\t0\nflags:\t02000002\nprog_type:\t17\nprog_id:\t7\n",
		"pos:\t0\nlink_type:\traw_tracepoint\nlink_id:\t4\nprog_tag:\tab12\nprog_id:\t7\ntp_name:\tkfree\n",
		"pos:\t0\nmap_type:\t1\nmap_id:\t9\nfrozen:\t0\n",
		"pos:\t0\nflags:\t0100000\nmnt_id:\t12\n",
	} {
		o.add(text)
	}

	require.Equal(t, Objects{Maps: []int{9}, Programs: []int{7}, Links: []int{4}}, o)
	require.Equal(t, 3, o.Count())
}

func TestAMapIsLeftUntilItIsClosed(t *testing.T) {
	m, err := ebpf.NewMap(&ebpf.MapSpec{Type: ebpf.Array, KeySize: 4, ValueSize: 4, MaxEntries: 1})
	if os.Geteuid() != 0 {
		require.Error(t, err)

		return
	}

	require.NoError(t, err)

	held := HeldByT(t, os.Getpid())
	require.Len(t, held.Maps, 1)
	require.Equal(t, held, held.Left())
	require.Positive(t, BytesHeldByT(t, os.Getpid()))
	require.NoError(t, m.Close())
	RequireGoneT(t, held)
	require.Zero(t, HeldByT(t, os.Getpid()).Count())
}
