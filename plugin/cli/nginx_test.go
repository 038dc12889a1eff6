package cli

import (
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/checks/listener"
	"zabbix-agent2-plugin-hosting/checks/nginx"
	testnginx "zabbix-agent2-plugin-hosting/testenv/nginx"
)

func TestAnyConfigurationIsTestedWithAnyProgram(t *testing.T) {
	t.Parallel()

	n := testnginx.PrepareT(t, testnginx.Options{})
	text, err := os.ReadFile(n.ConfPath())
	require.NoError(t, err)

	broken := filepath.Join(n.Dir(), "broken.conf")
	require.NoError(t, os.WriteFile(broken, append([]byte("retrun;\n"), text...), 0o600))

	for name, test := range map[string]struct {
		config string
		status int
		want   []string
	}{
		"a valid one": {n.ConfPath(), exitOK, []string{
			"nginx/1.22.1 " + n.Program() + ", not running", "state    valid\n", "listens  tcp " + n.Addr(), "test_would_open_ports: nobody listens on " + n.Addr(),
		}},
		"an invalid one": {broken, exitFailed, []string{`state  invalid: unknown directive "retrun" in ` + broken + ":1\n"}},
		"none at all":    {filepath.Join(n.Dir(), "none.conf"), exitFailed, []string{"none.conf\" failed (2: No such file or directory)"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			args := []string{"nginx", "test", "--binary", n.Program(), "--config", test.config, "--prefix", n.Dir()}
			status, out, errOut := run(t, args...)
			require.Equal(t, test.status, status, out+errOut)

			for _, want := range test.want {
				require.Contains(t, out, want)
			}

			status, out, _ = run(t, append(args, "--json")...)
			require.Equal(t, test.status, status)

			var reports []nginx.Report

			require.NoError(t, json.Unmarshal([]byte(out), &reports))
			require.Len(t, reports, 1)
			require.Equal(t, test.config, reports[0].Config)
		})
	}

	require.NoFileExists(t, n.PIDPath())
}

func TestAProgramThatIsNotThereIsNotTested(t *testing.T) {
	t.Parallel()

	status, out, _ := run(t, "nginx", "test", "--binary", "/no/such/nginx", "--config", "/etc/passwd")
	require.Equal(t, exitNotTested, status)
	require.Contains(t, out, "no such file")
}

func TestEveryRunningNginxIsShown(t *testing.T) {
	t.Parallel()

	n := testnginx.StartT(t, testnginx.Options{})
	// Others run nginx here, too, some of them broken.
	_, out, errOut := run(t, "nginx", "status")
	require.Contains(t, out, n.ConfPath()+"  nginx/1.22.1 ", errOut)
}

func TestListenersShowsAPort(t *testing.T) {
	t.Parallel()

	socket, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)

	defer socket.Close()

	_, port, err := net.SplitHostPort(socket.Addr().String())
	require.NoError(t, err)

	status, out, errOut := run(t, "listeners", "--port", port)
	require.Equal(t, exitOK, status, errOut)
	require.Contains(t, out, "tcp "+socket.Addr().String())

	status, out, errOut = run(t, "listeners", "--port", port, "--json")
	require.Equal(t, exitOK, status, errOut)

	var report listener.Report

	require.NoError(t, json.Unmarshal([]byte(out), &report))
	require.Len(t, report.Groups, 1)
	require.Equal(t, os.Getpid(), report.Processes[0].PID)
}
