package nginx

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/checks/nginx/instance"
	"zabbix-agent2-plugin-hosting/checks/nginx/sandbox"
	"zabbix-agent2-plugin-hosting/testenv/nginx"
)

// Who has changed a configuration restarts nginx a moment later, while the change is tested: the files and listeners that
// come and go then are nginx's own.
func TestWhatNginxDoesDuringATestIsNoSideEffect(t *testing.T) {
	t.Parallel()

	options := nginx.Options{User: "www-data", Unix: true, ReusePort: true, Workers: 2}
	nothing := func(*nginx.Nginx) error { return nil }

	for name, test := range map[string]struct {
		runs          bool
		before, after func(*nginx.Nginx) error
	}{
		"a start": {false, nothing, (*nginx.Nginx).Start},
		// A shorter life than the watch's pause goes unseen, and does not fit into a test of some milliseconds. On a busy machine a look takes
		// long, and the pause is twenty times that.
		"a start and an end": {false, nothing, func(n *nginx.Nginx) error {
			err := n.Start()
			time.Sleep(5 * time.Second)

			return errors.Join(err, n.Halt())
		}},
		"a restart":          {true, (*nginx.Nginx).Halt, (*nginx.Nginx).Start},
		"a reload":           {true, nothing, func(n *nginx.Nginx) error { return n.Reload(options) }},
		"a rotation of logs": {true, func(n *nginx.Nginx) error { return os.Rename(logOf(n), logOf(n)+".1") }, reopen},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			n := nginx.PrepareT(t, options)
			if test.runs {
				require.NoError(t, n.Start())
			}

			m := newMonitor(t, instance.Configured{Name: "edge", Binary: n.Program(), Config: n.ConfPath(), Prefix: n.Dir()})
			ours := m.sandbox
			m.sandbox = scripted(func(ctx context.Context, c sandbox.Command) (*sandbox.Result, error) {
				before := test.before(n)
				r, err := ours.Test(ctx, c)

				return r, errors.Join(before, err, test.after(n))
			})

			r := instanceOf(t, m, "edge")
			require.Equal(t, StateValid, r.State, r.Sentence)
			require.Empty(t, r.SideEffects)
		})
	}
}

func logOf(n *nginx.Nginx) string { return filepath.Join(n.Dir(), "error.log") }

// reopen has nginx make its logs anew, and waits until it has.
func reopen(n *nginx.Nginx) error {
	if err := n.Signal(syscall.SIGUSR1); err != nil {
		return err
	}

	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		if _, err := os.Stat(logOf(n)); err == nil || time.Now().After(deadline) {
			return err
		}
	}
}
