package nginx

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const replyLimit = 10 * time.Second

// ask sends one byte and returns what comes back.
func ask(t *testing.T, network, address string) string {
	t.Helper()
	conn, err := net.Dial(network, address)
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close()) }()
	require.NoError(t, conn.SetDeadline(time.Now().Add(replyLimit)))
	_, err = conn.Write([]byte("?"))
	require.NoError(t, err)
	answer := make([]byte, 64)
	length, err := conn.Read(answer)
	require.NoError(t, err)
	return string(answer[:length])
}

// getVia asks for a page where dialling any address leads to another.
func getVia(t *testing.T, network, address, url string) int {
	t.Helper()
	client := http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true},
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, address)
		},
	}}
	response, err := client.Get(url)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	return response.StatusCode
}

func hasIPv6() bool {
	listener, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		return false
	}
	_ = listener.Close()
	return true
}

// listeners counts the sockets that listen on a port of 127.0.0.1.
func listeners(t *testing.T, address string) int {
	t.Helper()
	_, port, err := net.SplitHostPort(address)
	require.NoError(t, err)
	number, err := strconv.Atoi(port)
	require.NoError(t, err)
	file, err := os.Open("/proc/net/tcp")
	require.NoError(t, err)
	defer func() { _ = file.Close() }()
	count := 0
	for lines := bufio.NewScanner(file); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if strings.HasSuffix(fields[1], fmt.Sprintf(":%04X", number)) && fields[3] == "0A" {
			count++
		}
	}
	return count
}

func TestNginxListensInEveryWayThatOptionsAskFor(t *testing.T) {
	n := StartT(t, Options{
		Workers: 2, ReusePort: true, IPv6: hasIPv6(), TLS: true, Unix: true, User: "www-data",
		Stream: []string{AnswerTCP, AnswerUDP}, Server: []string{"location = /x { return 204; }"},
	})
	const path = "http://nginx.test/x"
	require.Equal(t, 204, getVia(t, "tcp", n.Addr(), path))
	require.Equal(t, 204, getVia(t, "tcp", n.TLSAddr(), "https://nginx.test/x"))
	require.Equal(t, 204, getVia(t, "unix", n.SocketPath(), path))
	if hasIPv6() {
		_, port, err := net.SplitHostPort(n.Addr())
		require.NoError(t, err)
		require.Equal(t, 204, getVia(t, "tcp", net.JoinHostPort("::1", port), path))
	}
	require.Equal(t, Answer, ask(t, "tcp", n.StreamAddr()))
	require.Equal(t, Answer, ask(t, "udp", n.StreamAddr()))

	require.Equal(t, 2, listeners(t, n.Addr()), "each worker has a socket of its own")
	workers := n.Workers()
	require.Len(t, workers, 2)
	wanted := strconv.Itoa(os.Geteuid())
	if os.Geteuid() == 0 {
		account, err := user.Lookup("www-data")
		require.NoError(t, err)
		wanted = account.Uid
	}
	status, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(workers[0]), "status"))
	require.NoError(t, err)
	require.Contains(t, string(status), "\nUid:\t"+wanted+"\t")
}

func TestAWholeConfigurationIsTakenAndReloaded(t *testing.T) {
	whole := func(answer string) Options {
		return Options{Whole: `{main}
events {}
http { {http} server { listen 127.0.0.1:{port}; listen 127.0.0.1:{port2}; access_log {dir}/access.log; return 200 ` + answer + `; } }
`}
	}
	n := StartT(t, whole("first"))
	_, body := get(t, n.URL())
	require.Equal(t, "first", body)
	require.NoError(t, n.Reload(whole("second")))
	_, body = get(t, "http://"+n.TLSAddr())
	require.Equal(t, "second", body)
	require.FileExists(t, filepath.Join(n.Dir(), "access.log"))

	require.ErrorContains(t, n.Reload(whole("{ third")), "cannot reload nginx: it keeps its last configuration; mend what it says: ")
}

// Each of them is a real nginx of another age, which runs with the libraries of its own suite.
func TestTheReleasedSuitesVersionsServeHTTPAndUDP(t *testing.T) {
	for suite, version := range map[Suite]string{Bullseye: "nginx/1.18.0", Bookworm: "nginx/1.22.1", Trixie: "nginx/1.26."} {
		t.Run(string(suite), func(t *testing.T) {
			n := StartT(t, Options{Suite: suite, TLS: true, User: "www-data", Stream: []string{AnswerUDP}, Server: []string{"location = /x { return 204; }"}})
			require.Equal(t, 204, getVia(t, "tcp", n.TLSAddr(), "https://nginx.test/x"))
			require.Equal(t, Answer, ask(t, "udp", n.StreamAddr()))
			require.Contains(t, n.Log(), version)
			exe, err := os.Readlink(filepath.Join("/proc", strconv.Itoa(n.PID()), "exe"))
			require.NoError(t, err)
			require.Equal(t, n.Program(), exe)
		})
	}
	_, err := Start(Options{Suite: "potato"})
	require.EqualError(t, err, `cannot tell which packages nginx is of in Debian's "potato"; use one of [bullseye bookworm trixie sid]`)
}
