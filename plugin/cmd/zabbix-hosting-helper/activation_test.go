package main

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/plugin/helper"
	"zabbix-agent2-plugin-hosting/testenv/program"
)

// soon is what starting and ending takes at most, with much room for a machine that is busy.
const soon = 10 * time.Second

func fileOf(t *testing.T, domain, kind int) *os.File {
	t.Helper()

	fd, err := unix.Socket(domain, kind|unix.SOCK_CLOEXEC, 0)
	require.NoError(t, err)

	file := os.NewFile(uintptr(fd), "socket")
	closeAtEnd(t, file, nil)

	return file
}

// closeAtEnd keeps a file open for tests that run after the function that calls it.
func closeAtEnd(t *testing.T, file *os.File, err error) {
	t.Helper()

	require.NoError(t, err)
	t.Cleanup(func() { _ = file.Close() })
}

func TestOnlyTheSocketOfTheUnitIsServed(t *testing.T) {
	t.Parallel()

	good, config := listen(t), writeConfig(t)

	tcp, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	require.NoError(t, err)

	tcpFile, err := tcp.File()
	closeAtEnd(t, tcpFile, err)
	require.NoError(t, tcp.Close())

	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	require.NoError(t, err)

	connected := os.NewFile(uintptr(pair[0]), "connected")
	closeAtEnd(t, connected, nil)
	closeAtEnd(t, os.NewFile(uintptr(pair[1]), "other"), nil)

	null, err := os.Open(os.DevNull)
	closeAtEnd(t, null, err)

	dir, err := os.Open("/")
	closeAtEnd(t, dir, err)

	const must = "; the socket must be that of zabbix-hosting-helper.socket\n"

	count := func(n string) string {
		return "cannot serve: systemd passed " + n + " sockets, not the one of zabbix-hosting-helper.socket; run systemctl start zabbix-hosting-helper.socket\n"
	}

	for name, test := range map[string]struct {
		files []*os.File
		names string
		env   []string
		want  string
	}{
		"none":                      {nil, "", nil, count("0")},
		"two":                       {[]*os.File{good.file, good.file}, "helper:helper", nil, count("2")},
		"one for another process":   {[]*os.File{good.file}, "helper", []string{"LISTEN_FDS="}, count("0")},
		"one with another name":     {[]*os.File{good.file}, "other", nil, `cannot serve: the socket is called "other", not "helper"` + must},
		"one without a name":        {[]*os.File{good.file}, "", nil, `cannot serve: the socket is called "LISTEN_FD_3", not "helper"` + must},
		"one of TCP":                {[]*os.File{tcpFile}, "helper", nil, "cannot serve: it is no unix socket" + must},
		"one of UDP":                {[]*os.File{fileOf(t, unix.AF_INET, unix.SOCK_DGRAM)}, "helper", nil, "cannot serve: it is no unix socket" + must},
		"one of datagrams":          {[]*os.File{fileOf(t, unix.AF_UNIX, unix.SOCK_DGRAM)}, "helper", nil, "cannot serve: it is no stream socket" + must},
		"one of packets":            {[]*os.File{fileOf(t, unix.AF_UNIX, unix.SOCK_SEQPACKET)}, "helper", nil, "cannot serve: it is no stream socket" + must},
		"one that does not listen":  {[]*os.File{fileOf(t, unix.AF_UNIX, unix.SOCK_STREAM)}, "helper", nil, "cannot serve: it does not listen" + must},
		"one that is connected":     {[]*os.File{connected}, "helper", nil, "cannot serve: it does not listen" + must},
		"what is no socket":         {[]*os.File{null}, "helper", nil, "cannot serve: it is no unix socket" + must},
		"an open directory":         {[]*os.File{dir}, "helper", nil, "cannot serve: it is no unix socket" + must},
		"a number that is no count": {[]*os.File{good.file}, "helper", []string{"LISTEN_FDS=x"}, count("0")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			p := launch(t, config, test.files, test.names, test.env...)
			require.Equal(t, exitFailed, p.wait(t, soon))
			require.Equal(t, test.want, p.stderr.String())
			require.Empty(t, p.stdout.String())
		})
	}
}

// TestTheRealSystemdActivatesIt has systemd-socket-activate listen, and start the helper at the first connection.
func TestTheRealSystemdActivatesIt(t *testing.T) {
	t.Parallel()

	p, path := activate(t, itself(t), writeConfig(t, `idle_exit = "1s"`))
	client := helper.NewClient(path)

	defer client.Close()

	status, err := client.Status(t.Context())
	require.NoError(t, err, p.stderr.String())
	require.Equal(t, p.cmd.Process.Pid, status.PID, "it has become the helper")
	require.Equal(t, version, status.Version)
	require.Zero(t, p.wait(t, soon), p.stderr.String())
	require.Empty(t, p.stdout.String())
}

// activate has systemd-socket-activate of Debian 12 listen for a helper.
func activate(t testing.TB, helperPath, config string) (p *process, path string) {
	t.Helper()

	systemd, err := program.Programs("systemd", "systemd")
	require.NoError(t, err)

	path = filepath.Join(program.DirT(t, "helper"), "socket")
	p = &process{cmd: systemd.Command("usr/bin/systemd-socket-activate",
		"--listen="+path, "--fdname=helper", "--setenv="+asProgram+"=1", helperPath, "--config", config)}
	p.start(t)
	require.Eventually(t, func() bool { return strings.Contains(p.stderr.String(), "Listening on") }, soon, time.Millisecond)

	return p, path
}

// manager is where a service tells systemd how it is (sd_notify(3)).
type manager struct {
	path string
	conn *net.UnixConn
}

func startManager(t *testing.T) manager {
	t.Helper()

	path := filepath.Join(program.DirT(t, "helper"), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })

	return manager{path, conn}
}

// next is the next that the service tells.
func (m manager) next(t *testing.T) string {
	t.Helper()

	buf := make([]byte, 4096)
	require.NoError(t, m.conn.SetReadDeadline(time.Now().Add(soon)))
	n, err := m.conn.Read(buf)
	require.NoError(t, err)

	return string(buf[:n])
}

func TestSystemdIsToldHowItIs(t *testing.T) {
	t.Parallel()

	m, s := startManager(t), listen(t)
	p := launch(t, writeConfig(t, `idle_exit = "1s"`), []*os.File{s.file}, "helper", "NOTIFY_SOCKET="+m.path, "WATCHDOG_USEC=200000")
	require.Equal(t, "READY=1\nSTATUS=serving user "+asker(t), m.next(t))

	for range 3 {
		begun := time.Now()

		require.Equal(t, "WATCHDOG=1", m.next(t))
		require.Less(t, time.Since(begun), 200*time.Millisecond)
	}

	for told := "WATCHDOG=1"; told != "STOPPING=1"; {
		require.Equal(t, "WATCHDOG=1", told)
		told = m.next(t)
	}

	require.Zero(t, p.wait(t, soon))
	require.Empty(t, p.stdout.String()+p.stderr.String())
}

func TestWithoutAWatchdogNothingIsToldWhileItServes(t *testing.T) {
	t.Parallel()

	m, s := startManager(t), listen(t)
	p := launch(t, writeConfig(t, `idle_exit = "1s"`), []*os.File{s.file}, "helper", "NOTIFY_SOCKET="+m.path)
	require.Equal(t, "READY=1\nSTATUS=serving user "+asker(t), m.next(t))
	require.Equal(t, "STOPPING=1", m.next(t))
	require.Zero(t, p.wait(t, soon))
}

func TestAManagerThatIsMissingIsToldOf(t *testing.T) {
	t.Parallel()

	s, missing := listen(t), filepath.Join(program.DirT(t, "helper"), "none")
	p := launch(t, writeConfig(t), []*os.File{s.file}, "helper", "NOTIFY_SOCKET="+missing)
	require.Equal(t, exitFailed, p.wait(t, soon))
	require.Equal(t, "cannot tell systemd that the helper is ready: dial unixgram "+missing+": connect: no such file or directory\n", p.stderr.String())
}

func TestTheCommandLine(t *testing.T) {
	t.Parallel()

	good := writeConfig(t)
	bad := writeConfig(t, "idle_exit = \"1y\"")

	for name, test := range map[string]struct {
		arguments   []string
		status      int
		out, errOut string
	}{
		"the version":                     {[]string{"--version"}, exitOK, "zabbix-hosting-helper " + version + "\n", ""},
		"a configuration that is right":   {[]string{"--config", good, "--check"}, exitOK, good + " can be used\n", ""},
		"a configuration that is wrong":   {[]string{"--config", bad, "--check"}, exitFailed, "", "cannot use " + bad + ": idle_exit = \"1y\": allowed is a time from 1s to 24h\n"},
		"an option that there is not":     {[]string{"--verbose"}, exitUsage, "", "flag provided but not defined: -verbose\nusage: zabbix-hosting-helper "},
		"a word that is no option":        {[]string{"start"}, exitUsage, "", "usage: zabbix-hosting-helper "},
		"a question for help":             {[]string{"--help"}, exitOK, "", "usage: zabbix-hosting-helper "},
		"the documented configuration":    {[]string{"--print-config"}, exitOK, "# Configuration of zabbix-hosting-helper", ""},
		"to serve without systemd's help": {nil, exitFailed, "", "cannot serve: systemd passed 0 sockets"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			var out, errOut strings.Builder

			cmd := exec.Command(itself(t), test.arguments...)
			cmd.Env = append(os.Environ(), asProgram+"=1")
			cmd.Stdout, cmd.Stderr = &out, &errOut
			_ = cmd.Run()

			require.Equal(t, test.status, cmd.ProcessState.ExitCode(), errOut.String())
			require.True(t, strings.HasPrefix(out.String(), test.out), out.String())
			require.True(t, strings.HasPrefix(errOut.String(), test.errOut), errOut.String())
			require.Equal(t, test.out == "", out.String() == "")
			require.Equal(t, test.errOut == "", errOut.String() == "")
		})
	}
}
