// Package systembus runs Debian's dbus-daemon for tests, as the system bus of a host of its own, and on it a double of systemd whose
// units are what a test says and which can fail in ways that the real one hardly can be made to.
package systembus

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"zabbix-agent2-plugin-hosting/testenv/program"
)

const (
	startLimit = 10 * time.Second
	daemonPath = "usr/bin/dbus-daemon"
	confName   = "bus.conf"
)

// conf lets everybody connect, own any name and call anybody.
const conf = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <listen>unix:path=%s</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_destination="*"/>
    <allow receive_sender="*"/>
  </policy>
</busconfig>
`

// Bus is a bus with a directory of its own, which may run or not. Its methods may be called from any goroutine.
type Bus struct {
	dir string

	mu      sync.Mutex
	process *program.Process
}

// StartT starts a bus and ends it at the test's end.
func StartT(tb testing.TB) *Bus {
	tb.Helper()
	dir, err := program.Dir("systembus")
	if err != nil {
		tb.Fatal(err)
	}
	b := &Bus{dir: dir}
	tb.Cleanup(func() {
		if err := errors.Join(b.Stop(), os.RemoveAll(dir)); err != nil {
			tb.Error(err)
		}
	})
	// Other users must reach the socket.
	err = os.Chmod(dir, 0o755)
	if err == nil {
		err = b.Start()
	}
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// Dir is the bus's directory, which exists as long as the bus may run.
func (b *Bus) Dir() string { return b.dir }

// Socket is the path of the bus's socket.
func (b *Bus) Socket() string { return filepath.Join(b.dir, "system_bus_socket") }

// Start starts the bus again, without those that were on it, and returns when it takes connections.
func (b *Bus) Start() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	bundle, err := program.Programs("dbus", "dbus-daemon")
	if err != nil {
		return err
	}
	if err := program.WriteFiles(b.dir, map[string]string{confName: fmt.Sprintf(conf, b.Socket())}); err != nil {
		return err
	}
	command := bundle.Command(daemonPath, "--nofork", "--nopidfile", "--config-file="+filepath.Join(b.dir, confName))
	b.process, err = program.Run(command, filepath.Join(b.dir, "console"))
	if err != nil {
		return err
	}
	return b.process.Await(startLimit, b.listens)
}

func (b *Bus) listens() bool {
	conn, err := net.Dial("unix", b.Socket())
	if err != nil {
		return false
	}
	return conn.Close() == nil
}

// Stop ends the bus, and with it every connection. It may be called again.
func (b *Bus) Stop() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.process == nil {
		return nil
	}
	err := b.process.Stop()
	b.process = nil
	return err
}
