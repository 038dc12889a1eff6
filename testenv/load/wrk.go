package load

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"zabbix-agent2-plugin-hosting/testenv/program"
)

// Wrk is Debian's wrk at work: 8 clients in one thread, which ask as fast as they are answered, with little processor time of their own.
type Wrk struct {
	process *program.Process
	url     string
}

const (
	wrkStart = 10 * time.Second
	// wrkLife is more than any benchmark takes.
	wrkLife = "30m"
)

// StartWrk asks for a URL until the test's end, which fails where an answer was an error. The clients keep their connections, or make a new one for each
// request.
func StartWrk(tb testing.TB, url string, keep bool) *Wrk {
	tb.Helper()
	w, err := startWrk(tb.TempDir(), url, keep)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := w.stop(); err != nil {
			tb.Error(err)
		}
	})
	return w
}

func startWrk(dir, url string, keep bool) (*Wrk, error) {
	bundle, err := program.Programs("wrk", "wrk")
	if err != nil {
		return nil, err
	}
	arguments := []string{"-t1", "-c8", "-d" + wrkLife, url}
	if !keep {
		arguments = append(arguments, "-H", "Connection: close")
	}
	process, err := program.Run(bundle.Command("usr/bin/wrk", arguments...), filepath.Join(dir, "console"))
	if err != nil {
		return nil, err
	}
	w := &Wrk{process, url}
	err = process.Await(wrkStart, func() bool {
		sent, err := w.Requests()
		return err == nil && sent > 0
	})
	if err != nil {
		return nil, errors.Join(err, process.Stop())
	}
	return w, nil
}

// PID is its process id.
func (w *Wrk) PID() int { return w.process.PID() }

var ioWrites = regexp.MustCompile(`(?m)^syscw: (\d+)$`)

// Requests is how many it has sent, each with one write (proc_pid_io(5)).
func (w *Wrk) Requests() (int, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/io", w.PID()))
	if err != nil {
		return 0, fmt.Errorf("cannot count the requests of wrk: %w; see that it runs", err)
	}
	found := ioWrites.FindSubmatch(text)
	if found == nil {
		return 0, errors.New("cannot count the requests of wrk: the kernel does not tell; it needs CONFIG_TASK_IO_ACCOUNTING")
	}
	return strconv.Atoi(string(found[1]))
}

var wrkFailures = regexp.MustCompile(`(?m)^ *(Socket errors|Non-2xx or 3xx responses|unable to connect).*$`)

// stop has it say what it met.
func (w *Wrk) stop() error {
	w.process.Signal(os.Interrupt)
	select {
	case <-w.process.Exited():
	case <-time.After(wrkStart):
	}
	output := w.process.Output()
	if failed := wrkFailures.FindString(output); failed != "" {
		return errors.Join(fmt.Errorf("cannot ask for %s without failures: wrk says %q; ask for a page that is there", w.url, failed), w.process.Stop())
	}
	return w.process.Stop()
}
