package nginx

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/nginx"
)

const manyVhosts = 10_000

// crowded is a running nginx with 10,000 virtual hosts in files of their own.
func crowded(tb testing.TB) *nginx.Nginx {
	tb.Helper()

	n := nginx.PrepareT(tb, nginx.Options{})
	lines, err := nginx.Vhosts(n.Dir(), manyVhosts, nginx.Shape{Layout: nginx.ConfD, Listen: n.Addr()})
	require.NoError(tb, err)
	require.NoError(tb, n.Configure(nginx.Options{HTTP: lines}))
	require.NoError(tb, n.Start())

	return n
}

func vhostPath(n *nginx.Nginx, i int) string {
	return filepath.Join(n.Dir(), "conf.d", fmt.Sprintf("v%06d.test.conf", i))
}

// rest has the last test of an instance be so old that the next may follow.
func rest(m *Monitor, n *nginx.Nginx) {
	w := m.of(n.ConfPath())
	w.mu.Lock()
	defer w.mu.Unlock()

	w.last.endedAt = w.last.endedAt.Add(-time.Minute)
}

func TestOfTenThousandVhostsTheOneThatChangedIsNamed(t *testing.T) {
	t.Parallel()

	n, m := crowded(t), newMonitor(t)

	settled()

	r := report(t, m, n)
	require.Equal(t, StateValid, r.State, r.Sentence)
	require.Greater(t, r.Test.FilesRead, manyVhosts)
	require.Equal(t, uint64(1), r.Tests)
	t.Logf("the first test took %.3f s, %d bytes", r.Test.DurationS, r.Test.MaxRSSBytes)

	rest(m, n)

	r = report(t, m, n)
	require.Equal(t, uint64(1), r.Tests, "nothing has changed: %s", r.Test.ChangedFile)
	require.False(t, r.ReloadPending)

	changed := vhostPath(n, 7531)
	text, err := os.ReadFile(changed)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(changed, append(text, "no_such_directive on;\n"...), 0o644))

	r = report(t, m, n)
	require.Equal(t, uint64(2), r.Tests)
	require.Equal(t, "changed", r.Test.Cause)
	require.Equal(t, changed, r.Test.ChangedFile)
	require.Equal(t, StateInvalid, r.State)
	require.Equal(t, []Message{{Level: "emerg", Text: `unknown directive "no_such_directive"`, File: changed, Line: 6}}, r.Errors)
	require.True(t, r.ReloadPending)

	require.NoError(t, os.WriteFile(changed, text, 0o644))
	require.NoError(t, os.Remove(vhostPath(n, 0)))
	settled()
	rest(m, n)

	r = report(t, m, n)
	require.Equal(t, StateValid, r.State, r.Sentence)
	require.Equal(t, filepath.Join(n.Dir(), "conf.d"), r.Test.ChangedFile, "the directory comes before its files")
	require.True(t, r.ReloadPending, "one virtual host has gone")
}
