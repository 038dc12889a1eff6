// Package nginx runs Debian's nginx for tests: unpacked under build/, in a directory of its own, on a free port of 127.0.0.1, as the caller's user.
package nginx

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"zabbix-agent2-plugin-hosting/testenv/program"
)

const (
	startLimit = 10 * time.Second
	// portAttempts is how often another program may take the free port before nginx does.
	portAttempts = 3
	portTaken    = "Address already in use"
	workerGone   = "exited with code"
)

// Nginx is a running nginx. Its methods may be called from any goroutine.
type Nginx struct {
	dir     string
	etc     string
	port    int
	process *program.Process

	mu         sync.Mutex
	generation int
}

// Install unpacks nginx where it is not there yet, and returns the path of the program.
func Install() (string, error) {
	bundle, err := install()
	if err != nil {
		return "", err
	}
	return bundle.Path("usr/sbin/nginx"), nil
}

func install() (*program.Bundle, error) { return program.Programs("nginx", "nginx", "nginx-common") }

// Start starts nginx and returns when it answers. The caller must call Stop.
func Start(o Options) (*Nginx, error) {
	bundle, err := install()
	if err != nil {
		return nil, err
	}
	for attempt := 1; ; attempt++ {
		n, err := start(bundle, o)
		if err == nil || attempt == portAttempts || !strings.Contains(err.Error(), portTaken) {
			return n, err
		}
	}
}

// StartT is Start for tests: nginx is stopped at the test's end.
func StartT(tb testing.TB, o Options) *Nginx {
	tb.Helper()
	n, err := Start(o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := n.Stop(); err != nil {
			tb.Error(err)
		}
	})
	return n
}

func start(bundle *program.Bundle, o Options) (*Nginx, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	dir, err := program.Dir("nginx")
	if err != nil {
		return nil, err
	}
	n := &Nginx{dir: dir, etc: bundle.Path("etc/nginx"), port: port}
	if err := n.writeConf(o); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	command := bundle.Command("usr/sbin/nginx", "-p", dir, "-c", filepath.Join(dir, confName), "-e", filepath.Join(dir, logName))
	if n.process, err = program.Run(command, filepath.Join(dir, "console")); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if err := n.process.Await(startLimit, n.works); err != nil {
		return nil, errors.Join(err, n.Stop())
	}
	return n, nil
}

// writeConf writes the next configuration.
func (n *Nginx) writeConf(o Options) error {
	n.generation++
	return program.WriteFiles(n.dir, map[string]string{confName: o.conf(n.dir, n.etc, n.port, n.generation)})
}

// works tells whether the last configuration answers.
func (n *Nginx) works() bool {
	client := http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Get("http://" + n.Addr() + generationPath)
	if err != nil {
		return false
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	return err == nil && string(body) == strconv.Itoa(n.generation)
}

// Reload has nginx take another configuration, without losing a connection, and returns when it is at work and the last one's worker is gone.
// That worker ends when its last request does.
func (n *Nginx) Reload(o Options) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	seen := len(n.Log())
	if err := n.writeConf(o); err != nil {
		return err
	}
	n.process.Signal(syscall.SIGHUP)
	var refusal string
	err := n.process.Await(startLimit, func() bool {
		log := n.Log()[seen:]
		refusal = emergency(log)
		// Until it is gone the old worker may accept connections too.
		return refusal != "" || strings.Contains(log, workerGone) && n.works()
	})
	if refusal != "" {
		return fmt.Errorf("cannot reload nginx: it keeps its last configuration; mend what it says: %s", refusal)
	}
	return err
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

// URL is the site's.
func (n *Nginx) URL() string { return "http://" + n.Addr() + "/" }

// Addr is the address and port that nginx listens on.
func (n *Nginx) Addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(n.port)) }

// PID is the master's process id.
func (n *Nginx) PID() int { return n.process.PID() }

// Log is the whole error log, which Stop removes.
func (n *Nginx) Log() string {
	log, err := os.ReadFile(filepath.Join(n.dir, logName))
	if err != nil {
		return ""
	}
	return string(log)
}

// Stop ends nginx and removes its directory. It may be called again.
func (n *Nginx) Stop() error { return errors.Join(n.process.Stop(), os.RemoveAll(n.dir)) }

func freePort() (int, error) {
	listener, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return 0, fmt.Errorf("cannot find a free port: %w; bring up the loopback interface", err)
	}
	defer func() { _ = listener.Close() }()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(port)
}
