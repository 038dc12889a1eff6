package nginx

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
)

// Reload has nginx take another configuration, without losing a connection, and returns when it is at work and the last one's workers are gone.
// They end when their last requests do.
func (n *Nginx) Reload(o Options) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.running == nil {
		return errors.New("cannot reload nginx: it does not run; start it first")
	}
	seen, old := len(n.Log()), n.Workers()
	if err := n.configure(o); err != nil {
		return err
	}
	if err := n.Signal(syscall.SIGHUP); err != nil {
		return err
	}
	var refusal string
	err := n.await("reload", func() bool {
		refusal = emergency(n.Log()[seen:])
		// Until they are gone the old workers may accept connections too.
		return refusal != "" || replaced(old, n.Workers()) && n.works()
	})
	if refusal != "" {
		return fmt.Errorf("cannot reload nginx: it keeps its last configuration; mend what it says: %s", refusal)
	}
	return err
}

func replaced(old, current []int) bool {
	return len(current) > 0 && !slices.ContainsFunc(current, func(pid int) bool { return slices.Contains(old, pid) })
}

// emergency is the first line of a log by which nginx refuses a configuration.
func emergency(log string) string {
	for line := range strings.Lines(log) {
		if strings.Contains(line, "[emerg]") {
			return strings.TrimSpace(line)
		}
	}
	return ""
}

// BeginUpgrade has a daemon start a second master of the program that is at Program() now, and returns its process id when
// both serve. FinishUpgrade or Halt must follow.
func (n *Nginx) BeginUpgrade() (successor int, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.running == nil || len(n.running.daemons) != 1 {
		// A master in the foreground ignores the signal, as one that is being upgraded does.
		return 0, errors.New("cannot upgrade nginx: only one that was started as a daemon can be, once at a time; set Options.Daemon")
	}
	if err := n.Signal(syscall.SIGUSR2); err != nil {
		return 0, err
	}
	var master *os.Process
	err = n.await("upgrade", func() bool {
		master = readPID(n.PIDPath())
		return master != nil && master.Pid != n.PID() && len(workersOf(master.Pid)) > 0
	})
	if err != nil {
		return 0, err
	}
	n.running.daemons = append(n.running.daemons, master)
	return master.Pid, nil
}

// FinishUpgrade ends the first master when its last requests have ended.
func (n *Nginx) FinishUpgrade() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.running == nil || len(n.running.daemons) != 2 {
		return errors.New("cannot finish the upgrade of nginx: none was begun; call BeginUpgrade first")
	}
	first, second := n.running.daemons[0], n.running.daemons[1]
	n.running.daemons = n.running.daemons[1:]
	n.pid.Store(int64(second.Pid))
	return end(first, syscall.SIGQUIT)
}
