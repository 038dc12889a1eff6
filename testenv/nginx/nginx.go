// Package nginx runs Debian's nginx for tests: unpacked under build/, in a directory of its own, on free ports of 127.0.0.1, as the caller's user.
package nginx

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"zabbix-agent2-plugin-hosting/testenv/program"
)

const (
	startLimit = 10 * time.Second
	// portAttempts is how often another program may take a free port before nginx does.
	portAttempts = 3
	portTaken    = "Address already in use"
)

// Nginx is an nginx with a directory and ports of its own, which may run or not. Its methods may be called from any goroutine.
type Nginx struct {
	build Build
	suite Suite
	dir   string
	ports [portCount]int
	pid   atomic.Int64

	mu         sync.Mutex
	options    Options
	generation int
	running    *masters
}

// Start starts nginx and returns when it answers. The caller must call Stop.
func Start(o Options) (*Nginx, error) {
	for attempt := 1; ; attempt++ {
		n, err := Prepare(o)
		if err != nil {
			return nil, err
		}
		if err = n.Start(); err == nil {
			return n, nil
		}
		err = errors.Join(err, n.Stop())
		if attempt == portAttempts || !strings.Contains(err.Error(), portTaken) {
			return nil, err
		}
	}
}

// StartT is Start for tests: nginx is stopped at the test's end.
func StartT(tb testing.TB, o Options) *Nginx {
	tb.Helper()
	n, err := Start(o)
	stopAtEnd(tb, n, err)
	return n
}

// Prepare makes nginx's directory and configuration and starts nothing. The caller must call Stop.
func Prepare(o Options) (*Nginx, error) {
	build, err := InstallSuite(o.suite())
	if err != nil {
		return nil, err
	}
	ports, err := freePorts()
	if err != nil {
		return nil, err
	}
	dir, err := program.Dir("nginx")
	if err != nil {
		return nil, err
	}
	n := &Nginx{build: build, suite: o.suite(), dir: dir, ports: ports}
	// Workers of another user must reach it.
	err = os.Chmod(dir, 0o755)
	if err == nil && o.OwnProgram {
		n.build.Path, err = copyProgram(build.Path, filepath.Join(dir, "sbin", "nginx"))
	}
	if err != nil {
		err = fmt.Errorf("cannot make a directory for nginx: %w; free space in %s", err, dir)
	} else {
		err = n.Configure(o)
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return n, nil
}

// PrepareT is Prepare for tests: whatever was started is stopped at the test's end.
func PrepareT(tb testing.TB, o Options) *Nginx {
	tb.Helper()
	n, err := Prepare(o)
	stopAtEnd(tb, n, err)
	return n
}

func stopAtEnd(tb testing.TB, n *Nginx, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := n.Stop(); err != nil {
			tb.Error(err)
		}
	})
}

func (o Options) suite() Suite {
	if o.Suite == "" {
		return Bookworm
	}
	return o.Suite
}

func copyProgram(from, to string) (string, error) {
	content, err := os.ReadFile(from)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(to), 0o755)
	}
	if err == nil {
		err = os.WriteFile(to, content, 0o755)
	}
	return to, err
}

// Configure writes another configuration, which nginx does not hear of.
func (n *Nginx) Configure(o Options) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.configure(o)
}

func (n *Nginx) configure(o Options) error {
	o.Daemon = o.Daemon || n.options.Daemon
	n.options = o
	n.generation++
	if o.TLS {
		if err := writeCertificate(n.dir); err != nil {
			return err
		}
	}
	return program.WriteFiles(n.dir, map[string]string{confName: n.conf(o)})
}

// Program is the path of the program.
func (n *Nginx) Program() string { return n.build.Path }

// Arguments are what nginx is started with, after the program's name.
func (n *Nginx) Arguments() []string {
	arguments := []string{"-p", n.dir, "-c", n.ConfPath()}
	if n.suite.takesLogOption() {
		arguments = append(arguments, "-e", filepath.Join(n.dir, logName))
	}
	return arguments
}

// Dir is nginx's directory, which Stop removes: its prefix, with its configuration, logs and temporary files.
func (n *Nginx) Dir() string { return n.dir }

// ConfPath is the path of the configuration.
func (n *Nginx) ConfPath() string { return filepath.Join(n.dir, confName) }

// PIDPath is the path of the file with the master's process id.
func (n *Nginx) PIDPath() string { return filepath.Join(n.dir, pidName) }

// SocketPath is the path of the unix socket of Options.Unix.
func (n *Nginx) SocketPath() string { return filepath.Join(n.dir, socketName) }

// URL is the site's.
func (n *Nginx) URL() string { return "http://" + n.Addr() + "/" }

// Addr is the address and port that nginx listens on.
func (n *Nginx) Addr() string { return n.addr(0) }

// TLSAddr is the address and port of Options.TLS, which {port2} stands for.
func (n *Nginx) TLSAddr() string { return n.addr(1) }

// StreamAddr is the address and port of AnswerTCP and AnswerUDP, which {port3} stands for.
func (n *Nginx) StreamAddr() string { return n.addr(2) }

func (n *Nginx) addr(i int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(n.ports[i])) }

// Log is the whole error log, which Stop removes.
func (n *Nginx) Log() string {
	log, err := os.ReadFile(filepath.Join(n.dir, logName))
	if err != nil {
		return ""
	}
	return string(log)
}

// Stop ends nginx and removes its directory. It may be called again.
func (n *Nginx) Stop() error { return errors.Join(n.Halt(), os.RemoveAll(n.dir)) }
