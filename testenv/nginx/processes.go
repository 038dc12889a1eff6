package nginx

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

const workerTitle = "nginx: worker process"

// Workers returns the process ids of the master's workers, those too that only end their last requests.
func (n *Nginx) Workers() []int { return workersOf(n.PID()) }

func workersOf(master int) []int {
	directories, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil
	}
	var workers []int
	for _, directory := range directories {
		pid, err := strconv.Atoi(filepath.Base(directory))
		if err != nil {
			continue
		}
		if parent, _ := status(pid); parent != master {
			continue
		}
		title, err := os.ReadFile(filepath.Join(directory, "cmdline"))
		if err == nil && bytes.HasPrefix(title, []byte(workerTitle)) {
			workers = append(workers, pid)
		}
	}
	return workers
}

// ended tells whether a process has ended; whoever adopted it may not have waited for it yet.
func ended(pid int) bool {
	_, state := status(pid)
	return state == "" || state == "Z"
}

// status returns a process's parent and state, see proc_pid_stat(5); nothing of one that is gone.
func status(pid int) (parent int, state string) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, ""
	}
	// A name may hold blanks and parentheses.
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if len(fields) < 2 {
		return 0, ""
	}
	parent, err = strconv.Atoi(fields[1])
	if err != nil {
		return 0, ""
	}
	return parent, fields[0]
}

// guard ends a daemon when this process has died without doing so.
type guard struct {
	command *exec.Cmd
	alive   io.Closer
}

// startGuard watches over the process that a pid file will name.
func startGuard(pidPath string) (*guard, error) {
	const script = `read -r line; pid=$(cat "$0" 2>/dev/null) && kill "$pid"`
	command := exec.Command("/bin/sh", "-c", script, pidPath)
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	alive, err := command.StdinPipe()
	if err == nil {
		err = command.Start()
	}
	if err != nil {
		return nil, fmt.Errorf("cannot watch over nginx: %w; allow more processes", err)
	}
	return &guard{command: command, alive: alive}, nil
}

// end ends the daemon, if it still runs, and the guard.
func (g *guard) end() {
	_ = g.alive.Close()
	// Its status tells only whether there was a daemon left.
	_ = g.command.Wait()
}
