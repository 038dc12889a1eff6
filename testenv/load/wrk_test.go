package load

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/nginx"
)

func TestWrkAsksUntilItIsStopped(t *testing.T) {
	t.Parallel()

	server := nginx.StartT(t, nginx.Options{Server: []string{"location = / { return 200 here; }"}})

	for name, keep := range map[string]bool{"over connections that are kept": true, "over a new connection for each": false} {
		wrk := StartWrk(t, server.URL(), keep)
		before, err := wrk.Requests()
		require.NoError(t, err)
		require.Eventually(t, func() bool {
			now, err := wrk.Requests()

			return err == nil && now > before+100
		}, wrkStart, time.Millisecond, name)
		require.NoError(t, wrk.stop(), name)
	}

	wrong, err := startWrk(t.TempDir(), server.URL()+"missing", true)
	require.NoError(t, err)
	require.Regexp(t, `^cannot ask for http://.*/missing without failures: wrk says " +Non-2xx or 3xx responses: \d+"; ask for a page that is there$`, wrong.stop().Error())
}
