package agent

import (
	"fmt"
	"net"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/plugin/terminal"
)

// Exit statuses; the agent shows a status that is not zero in its own log.
const (
	exitOK = iota
	exitFailed
)

const (
	dialPatience = 3 * time.Second
	dialInterval = 20 * time.Millisecond

	// Both processes hold little and seldom: a small heap costs nothing that anyone could measure.
	linkGCPercent   = 20
	workerGCPercent = 50

	// A frame passes from goroutine to goroutine without waking another thread, and the checks take no more of a large host
	// than of a small one.
	processors = 1
)

// role is what a process of the binary has been started for.
type role int

const (
	roleCommand role = iota // by a person
	roleRegistration
	roleLink
	roleWorker
)

// roleOf tells by the arguments what started the process: an agent passes the path of its socket and "true" or "false",
// a link passes workerArgument, and a person passes anything else.
func roleOf(args []string) role {
	if len(args) == 2 && args[1] == workerArgument {
		return roleWorker
	}

	if len(args) == 3 && strings.Contains(args[1], "/") {
		switch args[2] {
		case "true":
			return roleRegistration
		case "false":
			return roleLink
		}
	}

	return roleCommand
}

// Main runs the plugin if an agent or a link started this process, and returns its exit status. Handled is false when a
// person did.
func Main(args []string, p Plugin) (status int, handled bool) {
	var run func() error

	role := roleOf(args)

	switch role {
	case roleRegistration:
		run = func() error { return runRegistration(args[1], p) }
	case roleLink:
		run = func() error { return runLink(args[1], p) }
	case roleWorker:
		run = func() error { return runWorker(p) }
	default:
		return exitOK, false
	}

	surviveSignals()

	if err := run(); err != nil {
		// An agent keeps all that its plugins print in memory, so they print nothing; a worker prints to its link.
		if role == roleWorker || terminal.Is(os.Stderr) {
			fmt.Fprintln(os.Stderr, err)
		}

		return exitFailed, true
	}

	return exitOK, true
}

// surviveSignals keeps the process alive until the agent says Terminate or closes the connection: systemd sends SIGTERM to
// the whole control group while the agent still expects answers. Caught and not ignored, so that a child gets the default.
func surviveSignals() {
	signal.Notify(make(chan os.Signal, 1),
		syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGPIPE, syscall.SIGUSR1, syscall.SIGUSR2)
}

func runRegistration(socket string, p Plugin) error {
	parent := os.Getppid()

	conn, err := dial(socket)
	if err != nil {
		return err
	}

	r := newRegistration(conn, p)
	if err := r.run(); err != nil {
		return err
	}

	if r.mustLinger() {
		r.conn.close()
		debug.FreeOSMemory()
		waitForParent(parent)
	}

	return nil
}

func runLink(socket string, p Plugin) error {
	debug.SetGCPercent(linkGCPercent)
	runtime.GOMAXPROCS(processors)

	conn, err := dial(socket)
	if err != nil {
		return err
	}

	l, err := newLink(conn, p, "/proc/self/exe")
	if err != nil {
		return err
	}

	releaseStartup()
	l.run()

	return nil
}

func runWorker(p Plugin) error {
	debug.SetGCPercent(workerGCPercent)
	runtime.GOMAXPROCS(processors)

	conn, err := workerConn()
	if err != nil {
		return err
	}

	// Asked for again, since the kernel forgets it when it executes a binary with file capabilities.
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0); err != nil {
		return fmt.Errorf("cannot tie the worker to its link: %w", err)
	}

	// For people who read ps; the plugin works without.
	_ = os.WriteFile("/proc/self/comm", []byte("hosting-worker"), 0)

	newWorker(conn, openDirectSocket(), p).run()

	return nil
}

func dial(socket string) (*net.UnixConn, error) {
	for start := time.Now(); ; time.Sleep(dialInterval) {
		conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: socket, Net: "unix"})
		if err == nil {
			return conn, nil
		}

		if time.Since(start) > dialPatience {
			return nil, fmt.Errorf("cannot reach the agent that started this process: %w", err)
		}
	}
}
