package nginx

import (
	"os"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/checks/nginx/sandbox"
	"zabbix-agent2-plugin-hosting/testenv/badnginx"
	"zabbix-agent2-plugin-hosting/testenv/load"
	"zabbix-agent2-plugin-hosting/testenv/nginx"
)

// clientsLimit ends clients that a test did not end.
const clientsLimit = 5 * time.Minute

// shared has sockets that others can join. A double keeps them as long as the real one does with some thousand virtual hosts.
func shared(suite nginx.Suite) nginx.Options {
	return nginx.Options{
		Suite: suite, Workers: 2, ReusePort: true, Stream: []string{nginx.AnswerUDP}, Main: []string{badnginx.Hold(5 * time.Millisecond)},
	}
}

// clientsOf are 64 clients with a connection for each request. They leave the tests room, unless this is a long run, and
// ask some thousand times a second all the same.
func clientsOf(n *nginx.Nginx) load.Clients {
	c := load.Clients{Address: n.Addr(), Pause: 10 * time.Millisecond, Limit: clientsLimit}
	if os.Getenv(roundsVariable) != "" {
		c.Pause = 0
	}

	return c
}

// The incident: nginx was tested every minute, and each time clients lost connections.
func TestIsolatedTestsTakeNoConnections(t *testing.T) {
	s := sandbox.New()
	thief := badnginx.BuildT(t, badnginx.ThiefOfConnections)

	for name, test := range map[string]struct {
		program   string
		wouldJoin bool
	}{
		"the double of 1.13.0": {thief, true},
		"the real 1.22.1":      {packaged(t, nginx.Bookworm), false},
	} {
		t.Run(name, func(t *testing.T) {
			n := nginx.StartT(t, shared(nginx.Bookworm))
			clients := load.StartT(t, clientsOf(n))

			for range roundsOf(t) {
				r := isolate(t, s, n, test.program)
				require.Equal(t, test.wouldJoin, slices.ContainsFunc(r.Binds, func(b sandbox.Bind) bool { return b.ReusePort }))
			}

			met := clients.Stop()
			require.Equal(t, met.Requests, met.Answered, met)
			require.Greater(t, met.Requests, int64(roundsOf(t)))
			t.Log(met)
		})
	}

	t.Run("the control", func(t *testing.T) {
		n := nginx.StartT(t, shared(nginx.Bookworm))
		clients := load.StartT(t, clientsOf(n))
		until(t, func() bool { return clients.Report().Lost() > 0 }, func() { bare(t, n, thief) })
		t.Log(clients.Stop())
	})
}

func TestIsolatedTestsTakeNoDatagrams(t *testing.T) {
	s := sandbox.New()

	for name, test := range map[string]struct {
		running nginx.Suite
		program string
	}{
		"the double of 1.13.0": {nginx.Bookworm, badnginx.BuildT(t, badnginx.ThiefOfConnections)},
		"the double of 1.20.2": {nginx.Bookworm, badnginx.BuildT(t, badnginx.ThiefOfDatagrams)},
		"the real 1.18.0":      {nginx.Bullseye, packaged(t, nginx.Bullseye)},
	} {
		t.Run(name, func(t *testing.T) {
			n := nginx.StartT(t, shared(test.running))
			clients := load.StartDatagramsT(t, load.Datagrams{Address: n.StreamAddr(), Limit: clientsLimit})

			for range roundsOf(t) {
				isolate(t, s, n, test.program)
			}

			met, err := clients.Stop()
			require.NoError(t, err)
			require.Equal(t, met.Sent, met.Answered, met)
			require.Greater(t, met.Sent, int64(roundsOf(t)))
			t.Log(met)

			control := load.StartDatagramsT(t, load.Datagrams{Address: n.StreamAddr(), Limit: clientsLimit})
			until(t, func() bool { return control.Unanswered() > 0 }, func() { bare(t, n, test.program) })

			met, err = control.Stop()
			require.NoError(t, err)
			require.Positive(t, met.Lost)
			t.Log(met)
		})
	}
}
