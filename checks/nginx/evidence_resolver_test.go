package nginx

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/checks/nginx/instance"
	"zabbix-agent2-plugin-hosting/testenv/nginx"
)

func TestAResolverThatFailsIsNoFaultOfTheConfiguration(t *testing.T) {
	if os.Geteuid() != 0 {
		// Only root replaces the host's resolver. That a test which hangs is ended the next test shows to all.
		return
	}

	for name, test := range map[string]struct {
		resolver resolver
		timeout  time.Duration
		state    State
		says     string
	}{
		"one that does not answer": {silentResolver, time.Second, StateTimedOut, "names that do not resolve take 10 s each"},
		"one that is not there":    {closedResolver, time.Minute, StateEnvironment, `host not found in upstream "shop.test"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			n := nginx.PrepareT(t, nginx.Options{Server: []string{"location /shop { proxy_pass http://shop.test; }"}})
			edge := instance.Configured{Name: "edge", Binary: n.Program(), Config: n.ConfPath(), Prefix: n.Dir()}
			result := inChild(t, childTask{
				Instance: "edge", Configured: []instance.Configured{edge}, Timeout: test.timeout, Resolver: test.resolver,
			}, &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWNET})

			require.Equal(t, test.state, result.Report.State, result.Report.Sentence)
			require.Contains(t, result.Report.Sentence, test.says)
			require.Equal(t, test.state == StateTimedOut, result.Report.Test.DurationS >= test.timeout.Seconds())
			require.Empty(t, result.Left, "no process outlives its test")
			require.Empty(t, result.Report.SideEffects)
		})
	}
}

func TestATestThatHangsIsEnded(t *testing.T) {
	t.Parallel()

	n := nginx.PrepareT(t, nginx.Options{HTTP: []string{"include {dir}/pipe;"}})
	require.NoError(t, unix.Mkfifo(filepath.Join(n.Dir(), "pipe"), 0o644))

	m := newMonitor(t, instance.Configured{Name: "edge", Binary: n.Program(), Config: n.ConfPath(), Prefix: n.Dir()})
	m.options.Timeout = time.Second

	r := instanceOf(t, m, "edge")
	require.Equal(t, StateTimedOut, r.State, r.Sentence)
	require.GreaterOrEqual(t, r.Test.DurationS, 1.0)
	require.Empty(t, processesWith(n.ConfPath()))
}
