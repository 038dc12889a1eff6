package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"

	"zabbix-agent2-plugin-hosting/testenv/child"
)

// rival is a process of testenv/blackbox, which measures its own CPU time.
type rival struct {
	orders io.WriteCloser
	lines  *bufio.Reader
	exited <-chan struct{}
}

func startRival(program, part, page string) (*rival, error) {
	cmd := exec.Command(program, part, page, strconv.Itoa(batch))
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}

	orders, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("cannot make a pipe to %s: %w; allow more open files", program, err)
	}

	output, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("cannot make a pipe from %s: %w; allow more open files", program, err)
	}

	exited, err := child.Start(cmd)
	if err != nil {
		return nil, fmt.Errorf("cannot start blackbox_exporter's prober: %w; build it by make bench", err)
	}

	return &rival{orders: orders, lines: bufio.NewReader(output), exited: exited}, nil
}

// run has it make a batch and returns the CPU seconds per probe.
func (r *rival) run() (float64, error) {
	if _, err := io.WriteString(r.orders, "\n"); err != nil {
		return 0, fmt.Errorf("cannot ask blackbox_exporter's prober: %w; mend what it wrote on stderr", err)
	}

	line, err := r.lines.ReadString('\n')
	if err != nil {
		return 0, fmt.Errorf("cannot read from blackbox_exporter's prober: %w; mend what it wrote on stderr", err)
	}

	return strconv.ParseFloat(strings.TrimSpace(line), 64)
}

func (r *rival) stop() {
	// An error means that it has ended already.
	_ = r.orders.Close()
	<-r.exited
}
