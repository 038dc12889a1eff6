//go:build e2e

// These tests fetch and unpack some 90 MB and start servers for seconds, so `make e2e` runs them and `make test` does not.

package zabbixserver

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/zabbixapi"
)

// startVariable makes this binary a program that starts a server, tells where it is, and waits.
const startVariable = "SERVER_TEST_START"

func TestMain(m *testing.M) {
	if version := os.Getenv(startVariable); version != "" {
		s, err := Start(Options{Version: Version(version)})
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println(s.dir)
		select {}
	}
	os.Exit(m.Run())
}

func eachVersion(t *testing.T, test func(*testing.T, Version)) {
	for _, version := range Versions() {
		t.Run(string(version), func(t *testing.T) { test(t, version) })
	}
}

func TestAServerStartsIsResetAndLeavesNothing(t *testing.T) {
	eachVersion(t, func(t *testing.T, v Version) {
		started := time.Now()
		s := StartT(t, Options{Version: v})
		t.Logf("Zabbix %s started in %.1f s", s.API().Version(), time.Since(started).Seconds())
		require.True(t, strings.HasPrefix(s.API().Version(), string(v)+"."))
		require.Contains(t, s.Log(), "Starting Zabbix Server")

		_, err := s.API().CreateHost(zabbixapi.Host{Name: "gone after a reset"})
		require.NoError(t, err)
		url, address := s.URL(), s.Address()
		started = time.Now()
		require.NoError(t, s.Reset())
		t.Logf("reset in %.1f s", time.Since(started).Seconds())
		require.Equal(t, []string{url, address}, []string{s.URL(), s.Address()})
		_, err = s.API().HostID("gone after a reset")
		require.EqualError(t, err, "cannot find the host gone after a reset: host.get finds 0; check the name, and that this user may see it")
		require.Empty(t, s.FrontendErrors())

		require.NoError(t, s.Stop())
		require.NoDirExists(t, s.dir)
		require.Empty(t, processesOf(t, s.dir))
		for _, address := range []string{s.Address(), strings.TrimPrefix(s.URL(), "http://")} {
			_, err := net.Dial("tcp4", address)
			require.ErrorIs(t, err, syscall.ECONNREFUSED)
		}
		require.Contains(t, s.Log(), "Starting Zabbix Server")
		require.NoError(t, s.Stop())
	})
}

func TestBothVersionsRunAtOnce(t *testing.T) {
	older, newer := StartT(t, Options{Version: V60}), StartT(t, Options{Version: V70})
	for _, s := range []*Server{older, newer} {
		_, err := s.API().CreateHost(zabbixapi.Host{Name: string(s.Version())})
		require.NoError(t, err)
	}
	for _, s := range []*Server{older, newer} {
		_, err := s.API().HostID(string(s.Version()))
		require.NoError(t, err)
	}
}

func TestAServerDiesWithWhoeverStartedIt(t *testing.T) {
	eachVersion(t, func(t *testing.T, v Version) {
		path, err := os.Executable()
		require.NoError(t, err)
		starter := exec.Command(path)
		starter.Env = append(os.Environ(), startVariable+"="+string(v))
		stdout, err := starter.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, starter.Start())
		dir, err := bufio.NewReader(stdout).ReadString('\n')
		require.NoError(t, err)
		dir = strings.TrimSpace(dir)
		require.NotEmpty(t, processesOf(t, dir))

		require.NoError(t, starter.Process.Kill())
		require.Error(t, starter.Wait())
		require.Eventually(t, func() bool {
			_, err := os.Stat(dir)
			return os.IsNotExist(err) && len(processesOf(t, dir)) == 0
		}, 20*time.Second, 50*time.Millisecond, "%s and %v", dir, processesOf(t, dir))
	})
}

// processesOf returns the command lines of the processes that were started in a directory or with files of it.
func processesOf(t *testing.T, dir string) []string {
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	require.NoError(t, err)
	var found []string
	for _, file := range files {
		line, err := os.ReadFile(file)
		if err == nil && strings.Contains(string(line), dir) {
			found = append(found, strings.ReplaceAll(string(line), "\x00", " "))
		}
	}
	return found
}

func TestAServerThatDoesNotStartSaysWhy(t *testing.T) {
	_, err := Start(Options{Version: V70, Lines: []string{"NoSuchOption=1"}})
	require.ErrorContains(t, err, "cannot start zabbix_server: it ended; mend what it says: ")
	require.ErrorContains(t, err, `unknown parameter "NoSuchOption"`)
	_, err = Start(Options{Version: "5.0"})
	require.EqualError(t, err, `cannot tell where agent "5.0" comes from; use one of [6.0 7.0]`)
}

func TestWhatTheFrontendComplainsAboutIsKept(t *testing.T) {
	s := StartT(t, Options{Version: V70})
	require.Empty(t, s.FrontendErrors())
	// 7.0 takes the token in the body, as 6.0 does, and complains.
	response, err := http.Post(s.URL()+apiPath, "application/json-rpc",
		strings.NewReader(`{"jsonrpc":"2.0","method":"host.get","params":{},"auth":"0123456789abcdef0123456789abcdef","id":1}`))
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Contains(t, strings.Join(s.FrontendErrors(), "\n"), "deprecated")
}
