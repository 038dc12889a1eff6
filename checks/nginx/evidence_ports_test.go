package nginx

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/checks/nginx/sandbox"
	"zabbix-agent2-plugin-hosting/testenv/badnginx"
	"zabbix-agent2-plugin-hosting/testenv/load"
	"zabbix-agent2-plugin-hosting/testenv/nginx"
)

const (
	// quiet is an address of which no program takes a port by chance, as clients of 127.0.0.1 do.
	quiet = "127.66.6.6"
	// starts is how often nginx is started while it is tested.
	starts = 200
	// inUse is what nginx says before it waits for half a second and tries again to bind.
	inUse = "Address already in use"
)

// onQuiet listens there, with a plain socket.
var onQuiet = nginx.Options{Whole: fmt.Sprintf(`{main}
%s
events {}
http {
	{http}
	server { listen %s:{port}; return 204; }
}
`, badnginx.Hold(5*time.Millisecond), quiet)}

func quietAddress(t *testing.T, n *nginx.Nginx) string {
	t.Helper()

	address, err := netip.ParseAddrPort(n.Addr())
	require.NoError(t, err)

	return netip.AddrPortFrom(netip.MustParseAddr(quiet), address.Port()).String()
}

// serve starts nginx and waits for its first answer: before it has workers nginx forgets that it was told to end.
func serve(n *nginx.Nginx, url string) error {
	err := n.Start()
	client := http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}

	for err == nil {
		response, failed := client.Get(url)
		if failed == nil {
			return response.Body.Close()
		}

		if !errors.Is(failed, syscall.ECONNREFUSED) {
			err = failed
		}
	}

	return err
}

// startOften starts and ends nginx until that is enough, and tells how long the slowest start took.
func startOften(t *testing.T, n *nginx.Nginx, enough func(starts int) bool) (ended chan error, slowest *time.Duration) {
	t.Helper()

	ended, slowest = make(chan error, 1), new(time.Duration)
	url := "http://" + quietAddress(t, n)

	go func() {
		var all error

		for i := 0; !enough(i); i++ {
			began := time.Now()
			err := serve(n, url)
			*slowest = max(*slowest, time.Since(began))
			all = errors.Join(all, err, n.Halt())
		}

		ended <- all
	}()

	return ended, slowest
}

// A port that a test has taken when nginx starts costs half a second without service.
func TestIsolatedTestsDelayNoStart(t *testing.T) {
	s := sandbox.New()
	honest := badnginx.BuildT(t, badnginx.Honest)

	for name, program := range map[string]string{
		"the double of 1.22.1": honest,
		"the real 1.22.1":      packaged(t, nginx.Bookworm),
	} {
		t.Run(name, func(t *testing.T) {
			n := nginx.PrepareT(t, onQuiet)
			ended, slowest := startOften(t, n, func(done int) bool { return done == starts })
			tests := 0

			for running := true; running; tests++ {
				isolate(t, s, n, program)

				select {
				case err := <-ended:
					require.NoError(t, err)

					running = false
				default:
				}
			}

			require.NotContains(t, n.Log(), inUse)
			t.Logf("%d tests during %d starts, of which the slowest took %s", tests, starts, slowest)
		})
	}

	t.Run("the control", func(t *testing.T) {
		n := nginx.PrepareT(t, onQuiet)
		delayed := func() bool { return strings.Contains(n.Log(), inUse) }
		ended, slowest := startOften(t, n, func(int) bool { return delayed() || t.Context().Err() != nil })
		until(t, delayed, func() { bare(t, n, honest) })

		// Where the port was taken each time, nginx has given up.
		err := <-ended
		t.Logf("the slowest start took %s: %v", slowest, err)
	})
}

func TestIsolatedTestsAcceptNobodyWhileNginxIsDown(t *testing.T) {
	s := sandbox.New()

	for name, program := range map[string]string{
		"the double of 1.13.0": badnginx.BuildT(t, badnginx.ThiefOfConnections),
		"the real 1.22.1":      packaged(t, nginx.Bookworm),
	} {
		t.Run(name, func(t *testing.T) {
			n := nginx.PrepareT(t, onQuiet)
			probes := load.Clients{Address: quietAddress(t, n), Number: 16, Pause: time.Millisecond, Limit: clientsLimit}
			clients := load.StartT(t, probes)

			for range roundsOf(t) {
				isolate(t, s, n, program)
			}

			met := clients.Stop()
			require.Equal(t, met.Requests, met.Refused, met)
			require.Greater(t, met.Requests, int64(roundsOf(t)))
			t.Log(met)

			control := load.StartT(t, probes)
			until(t, func() bool { return control.Report().Connected() > 0 }, func() { bare(t, n, program) })
			t.Log(control.Stop())
		})
	}
}
