package nginx

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/nginx"
)

// asOrdinaryUser is what an ordinary user is told of a running nginx: root's, where this is root.
func asOrdinaryUser(t *testing.T, n *nginx.Nginx) *Report {
	t.Helper()

	attributes := &syscall.SysProcAttr{}
	if os.Geteuid() == 0 {
		attributes.Credential = &syscall.Credential{Uid: ordinaryUser, Gid: ordinaryUser}
	}

	return inChild(t, childTask{Instance: n.ConfPath(), Timeout: time.Minute}, attributes).Report
}

func TestAnOrdinaryUserJudgesRootsConfigurationAsRootWould(t *testing.T) {
	t.Parallel()

	n := nginx.StartT(t, nginx.Options{Workers: 2, ReusePort: true, Daemon: true, User: "www-data"})
	before := snapshot(t, n.Dir())
	r := asOrdinaryUser(t, n)

	require.Equal(t, StateValid, r.State, r.Sentence)
	require.Equal(t, n.Program(), r.Binary)
	require.Equal(t, "nginx/1.22.1", r.Product)
	require.Equal(t, "notify", r.Test.TechniqueName)
	require.Equal(t, []string{"tcp " + n.Addr()}, r.Test.Listens)
	require.Empty(t, r.SideEffects)
	require.Empty(t, r.Foreigners)
	require.Equal(t, before, snapshot(t, n.Dir()))

	if os.Geteuid() == 0 {
		require.Contains(t, r.Problems, fmt.Sprintf("cannot see the program of process %d (permission denied), so its title is believed; run as root", n.PID()))
	}
}

func TestAnOrdinaryUserIsToldThatOnlyRootReadsAKey(t *testing.T) {
	t.Parallel()

	n := nginx.StartT(t, nginx.Options{TLS: true})
	r := asOrdinaryUser(t, n)

	if os.Geteuid() != 0 {
		require.Equal(t, StateValid, r.State, r.Sentence)

		return
	}

	require.Equal(t, StateNotTested, r.State, r.Sentence)
	require.Contains(t, r.Sentence, filepath.Join(n.Dir(), "tls.pem"))
	require.Contains(t, r.Sentence, "Permission denied")
	require.Contains(t, r.Sentence, "; only root can tell more")
	require.Empty(t, r.SideEffects)
}
