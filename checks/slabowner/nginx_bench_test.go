package slabowner

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/testenv/nginx"
)

// BenchmarkNginx is bound to 3 %, which the kernel's own part alone exceeds on a virtual machine: clients ask a real nginx over connections that they
// keep. The cost is the processor time of nginx and of the clients, for each request.
func BenchmarkNginx(b *testing.B) {
	if !mayFollow(b) {
		return
	}

	server := nginx.StartT(b, nginx.Options{Workers: 1})

	const (
		clients  = 8
		requests = 4_000
	)

	for b.Loop() {
		reportOverhead(b, "ns/request", func() float64 {
			before := processTime(b) + nginxTime(b, server.PID())

			var (
				all  errgroup.Group
				left atomic.Int64
			)

			left.Store(requests)

			for range clients {
				all.Go(func() error { return askOften(server.Addr(), &left) })
			}

			require.NoError(b, all.Wait())

			return float64(processTime(b)+nginxTime(b, server.PID())-before) / requests
		})
	}
}

// perConnection is after how many requests nginx ends a connection (keepalive_requests).
const perConnection = 1000

// askOften asks until nothing is left to ask.
func askOften(address string, left *atomic.Int64) error {
	for left.Load() > 0 {
		if err := askOn(address, left); err != nil {
			return err
		}
	}

	return nil
}

// askOn asks on one connection.
func askOn(address string, left *atomic.Int64) error {
	connection, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	defer func() { _ = connection.Close() }()

	answer := bufio.NewReader(connection)

	for range perConnection {
		if left.Add(-1) < 0 {
			return nil
		}

		if err := ask(connection, answer); err != nil {
			return err
		}
	}

	return nil
}

// ask reads one answer of a length that is told.
func ask(to io.Writer, answer *bufio.Reader) error {
	if _, err := io.WriteString(to, "GET / HTTP/1.1\r\nHost: bench.test\r\n\r\n"); err != nil {
		return err
	}

	length := 0

	for {
		line, err := answer.ReadString('\n')
		if err != nil {
			return err
		}

		if line == "\r\n" {
			break
		}

		if name, value, _ := strings.Cut(strings.TrimSpace(line), ": "); name == "Content-Length" {
			if _, err := fmt.Sscan(value, &length); err != nil {
				return err
			}
		}
	}

	_, err := answer.Discard(length)

	return err
}

func processTime(b *testing.B) time.Duration {
	b.Helper()

	var now unix.Timespec
	require.NoError(b, unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &now))

	return time.Duration(now.Nano())
}

// nginxTime is the processor time of the workers of a master.
func nginxTime(b *testing.B, master int) (sum time.Duration) {
	b.Helper()

	text, err := os.ReadFile(filepath.Join("/proc", fmt.Sprint(master), "task", fmt.Sprint(master), "children"))
	require.NoError(b, err)

	for worker := range strings.FieldsSeq(string(text)) {
		var spent int64

		// The first number is the time that it ran, in ns.
		stat, err := os.ReadFile(filepath.Join("/proc", worker, "schedstat"))
		require.NoError(b, err)

		_, err = fmt.Sscan(string(stat), &spent)
		require.NoError(b, err)

		sum += time.Duration(spent)
	}

	return sum
}
