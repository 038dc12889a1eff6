package helper

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/program"
)

// socketPath is where no socket is yet, in a directory that any user may enter.
func socketPath(t testing.TB) string {
	t.Helper()

	return filepath.Join(program.DirT(t, "helper"), "socket")
}

// double is a helper that answers as a test wants.
type double struct {
	socket string
	// connections and requests are how many came.
	connections, requests atomic.Int64

	listener net.Listener
	handlers sync.WaitGroup
	mu       sync.Mutex
	open     map[net.Conn]struct{}
}

// answerer answers a request. The connection is closed after it where it returns false.
type answerer func(conn net.Conn, target string) bool

func startDouble(t testing.TB, answer answerer) *double {
	t.Helper()

	return startDoubleAt(t, socketPath(t), answer)
}

func startDoubleAt(t testing.TB, socket string, answer answerer) *double {
	t.Helper()

	listener, err := net.Listen("unix", socket)
	require.NoError(t, err)

	d := &double{socket: socket, listener: listener, open: make(map[net.Conn]struct{})}

	d.handlers.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}

			d.connections.Add(1)
			d.mu.Lock()
			d.open[conn] = struct{}{}
			d.mu.Unlock()
			d.handlers.Go(func() { d.serve(conn, answer) })
		}
	})
	t.Cleanup(d.stop)

	return d
}

func (d *double) serve(conn net.Conn, answer answerer) {
	defer func() {
		d.mu.Lock()
		delete(d.open, conn)
		d.mu.Unlock()

		_ = conn.Close()
	}()

	for reader := bufio.NewReader(conn); ; {
		request, err := http.ReadRequest(reader)
		if err != nil {
			return
		}

		d.requests.Add(1)

		if !answer(conn, request.RequestURI) {
			return
		}
	}
}

// cut ends all connections.
func (d *double) cut() {
	d.mu.Lock()
	defer d.mu.Unlock()

	for conn := range d.open {
		_ = conn.Close()
	}
}

// stop ends the double as a process that is killed ends. It may be called again.
func (d *double) stop() {
	_ = d.listener.Close()
	d.cut()
	d.handlers.Wait()
}

const doubleVersion = "9.9.9"

// says is an answer of HTTP with the helper's header.
func says(status int, contentType, body string) string {
	return fmt.Sprintf("HTTP/1.1 %d %s\r\n%s: %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s",
		status, http.StatusText(status), VersionHeader, doubleVersion, contentType, len(body), body)
}

// always gives the same bytes for an answer.
func always(raw string) answerer {
	return func(conn net.Conn, _ string) bool {
		_, err := conn.Write([]byte(raw))

		return err == nil
	}
}

// never answers.
func never(net.Conn, string) bool { return true }
