package unit

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/systembus"
)

// margin is what a busy machine may add to a time.
const margin = 200 * time.Millisecond

// refused asks twice: the first answer may take patience, the second comes at once and is the same.
func refused(t *testing.T, r *Reader) string {
	t.Helper()

	began := time.Now()
	_, first := r.Facts(context.Background(), "nginx.service")
	require.Less(t, time.Since(began), patience+margin)
	require.Error(t, first)

	began = time.Now()
	_, second := r.Facts(context.Background(), "nginx.service")
	require.Less(t, time.Since(began), margin)
	require.Equal(t, first, second)

	return first.Error()
}

func TestASilentSystemdDelaysOneQuestion(t *testing.T) {
	t.Parallel()

	_, s, r := withNginx(t)
	r.backOff = time.Second

	s.Hang()
	require.Equal(t, "cannot ask systemd: no answer within 300ms; look at `systemctl status dbus`, it is asked again after 1s", refused(t, r))
	s.Answer()

	require.Eventually(t, func() bool {
		got, err := r.Facts(context.Background(), "nginx.service")

		return err == nil && got[0].MainPID == 44
	}, 3*time.Second, 50*time.Millisecond)
}

func TestSeveralQuestionsShareTheirPatience(t *testing.T) {
	t.Parallel()

	_, s, r := withNginx(t)

	ctx, cancel := Patient(context.Background())
	defer cancel()

	_, err := r.OfProcess(ctx, 0)
	require.NoError(t, err)

	began := time.Now()

	s.Hang()
	time.AfterFunc(patience/2, s.Answer)

	_, err = r.OfProcess(ctx, 0)
	require.NoError(t, err)
	s.Hang()

	_, err = r.OfProcess(ctx, 0)
	require.ErrorContains(t, err, "cannot ask systemd: no answer within 300ms")
	require.Less(t, time.Since(began), patience+margin)
}

func TestABusThatIsStartedAgainIsAskedAgain(t *testing.T) {
	t.Parallel()

	bus, s, r := withNginx(t)

	_, err := r.Facts(context.Background(), "nginx.service")
	require.NoError(t, err)
	require.NoError(t, bus.Stop())
	require.NoError(t, bus.Start())
	bus.JoinT(t, s)

	got, err := r.Facts(context.Background(), "nginx.service")
	require.NoError(t, err)
	require.Equal(t, []Facts{running()}, got)
}

func TestABusThatIsGoneIsAbsentOrRefuses(t *testing.T) {
	t.Parallel()

	bus, _, r := withNginx(t)

	_, err := r.Facts(context.Background(), "nginx.service")
	require.NoError(t, err)
	require.NoError(t, bus.Stop())

	if _, err := os.Stat(bus.Socket()); err == nil {
		require.Contains(t, refused(t, r), "connection refused; look at")
	}

	_ = os.Remove(bus.Socket())
	_, err = r.Facts(context.Background(), "nginx.service")
	require.ErrorIs(t, err, ErrNoSystemd)
}

func TestABusWithoutSystemdIsAnswered(t *testing.T) {
	t.Parallel()

	_, err := on(t, systembus.StartT(t)).Facts(context.Background(), "nginx.service")
	require.ErrorContains(t, err, "cannot read LoadState of nginx.service: The name org.freedesktop.systemd1 was not provided by any .service files")
}

// What is on the socket is no bus at all.
func TestASocketThatIsNoBus(t *testing.T) {
	t.Parallel()

	for name, test := range map[string]struct {
		talk func(net.Conn)
		want string
	}{
		"it says nothing":                 {func(net.Conn) { time.Sleep(2 * patience) }, "no answer within 300ms"},
		"it hangs up":                     {func(net.Conn) {}, "cannot ask systemd: "},
		"it talks another language":       {func(c net.Conn) { write(c, "HTTP/1.1 400 Bad Request\r\n\r\n") }, "cannot ask systemd: "},
		"it lets in and then talks stuff": {func(c net.Conn) { write(c, "REJECTED EXTERNAL\r\nOK 0123\r\n"+strings.Repeat("\xff", 4096)) }, "cannot ask systemd: "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			dir := t.TempDir()
			socket := filepath.Join(dir, "socket")
			serve(t, socket, test.talk)

			r := NewReader(Options{RunDir: dir, BusPath: socket})
			defer r.Close()

			got := refused(t, r)
			require.Contains(t, got, test.want)
			require.Contains(t, got, "; look at `systemctl status dbus`, it is asked again after 30s")
		})
	}
}

func write(c net.Conn, text string) { _, _ = c.Write([]byte(text)) }

// serve talks to each connection and closes it.
func serve(t *testing.T, socket string, talk func(net.Conn)) {
	t.Helper()

	listener, err := net.Listen("unix", socket)
	require.NoError(t, err)

	var conns sync.WaitGroup

	conns.Go(func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}

			conns.Go(func() {
				talk(c)
				_ = c.Close()
			})
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()

		conns.Wait()
	})
}

func TestManyAskAtOnceOverOneConnection(t *testing.T) {
	t.Parallel()

	_, s, r := withNginx(t)

	var all sync.WaitGroup

	got, errs := make([][]Facts, 20), make([]error, 20)
	for i := range got {
		all.Go(func() { got[i], errs[i] = r.Facts(context.Background(), "nginx.service") })
	}

	all.Wait()

	for i := range got {
		require.NoError(t, errs[i])
		require.Equal(t, []Facts{running()}, got[i])
	}

	require.Equal(t, 20, s.Asked()["Unit.ActiveState"])
}
