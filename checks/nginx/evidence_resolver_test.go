package nginx

import (
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/checks/nginx/instance"
	"zabbix-agent2-plugin-hosting/testenv/nginx"
)

// apart are mounts and a network of a child's own, as root of a user namespace where this is an ordinary user.
func apart() *syscall.SysProcAttr {
	attributes := &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWNET}
	if os.Geteuid() != 0 {
		attributes.Cloneflags |= syscall.CLONE_NEWUSER
		attributes.UidMappings = []syscall.SysProcIDMap{{HostID: os.Geteuid(), Size: 1}}
		attributes.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getegid(), Size: 1}}
	}

	return attributes
}

func TestAResolverThatFailsIsNoFaultOfTheConfiguration(t *testing.T) {
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

			result, err := inChild(t, childTask{
				Instance: "edge", Configured: []instance.Configured{edge}, Timeout: test.timeout, Resolver: test.resolver,
			}, apart())
			if err != nil && os.Geteuid() != 0 {
				require.Regexp(t, "not permitted|permission denied", err.Error())

				return
			}

			require.NoError(t, err)
			require.Equal(t, test.state, result.Report.State, result.Report.Sentence)
			require.Contains(t, result.Report.Sentence, test.says)
			require.Equal(t, test.state == StateTimedOut, result.Report.Test.DurationS >= test.timeout.Seconds())
			require.Empty(t, result.Left, "no process outlives its test")
			require.Empty(t, result.Report.SideEffects)
		})
	}
}
