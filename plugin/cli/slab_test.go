package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWhoMayNotFollowAllocationsIsToldOfTheHelpersSession(t *testing.T) {
	t.Parallel()

	require.EqualError(t, ownersError(fmt.Errorf("cannot follow allocations: %w; run as root, or grant CAP_BPF and CAP_PERFMON", fs.ErrPermission)),
		"cannot follow allocations: permission denied; run as root, or ask for the helper's last session: zabbix-agent2-plugin-hosting get hosting.slab.owners")

	other := errors.New("cannot follow allocations: no memory; try again")
	require.Equal(t, other, ownersError(other))
}

// Nothing was said for 30 s.
func TestASessionSaysThatItTakesAWhile(t *testing.T) {
	t.Parallel()

	_, _, errOut := run(t, "slab", "owners", "--for", "5s")
	require.True(t, strings.HasPrefix(errOut, "following allocations for 5s; Ctrl-C ends early\n"), errOut)
}

// One look at the caches sorts them by size, as no growth is known.
func TestASortByGrowthSaysWhatItTakes(t *testing.T) {
	t.Parallel()

	const note = "\nnote: growth takes 2 minutes to measure: use slab --watch --sort growth, or ask the agent for hosting.slab.get[3,growth]\n"

	for _, test := range []struct {
		args []string
		want bool
	}{
		{[]string{"slab", "-n", "3", "--sort", "growth"}, true},
		{[]string{"slab", "-n", "3"}, false},
		{[]string{"slab", "-n", "3", "--sort", "growth", "--json"}, false},
	} {
		status, out, _ := run(t, test.args...)
		require.Equal(t, test.want && status == exitOK, strings.Contains(out, note), test.args)
	}
}
