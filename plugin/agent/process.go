package agent

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// workerArgument is the only argument of a worker; its end of the socketpair is descriptor 3.
	workerArgument = "--worker"
	workerSocketFD = 3

	// How long the last words of a dead worker are waited for.
	lastWordsPatience = 200 * time.Millisecond
)

// process is one worker as the link sees it.
type process struct {
	cmd    *exec.Cmd
	conn   *frameConn
	queue  *frameQueue
	output output
	silent chan struct{}          // closed when nobody can print for the worker any more
	read   chan struct{}          // closed when all that the worker sent has been taken over
	exited chan struct{}          // closed when the worker is reaped
	killed atomic.Pointer[string] // why the link killed it
	ready  bool                   // it answered a ping; guarded by link.mu
	health health
}

// startProcess starts a worker, and hands it the agent's connection if there is one. The caller's OS thread must live as long as the link: the kernel sends the worker SIGKILL
// when the thread that started it ends (prctl(2), PR_SET_PDEATHSIG).
func startProcess(executable string, agent *os.File) (*process, error) {
	ours, theirs, err := socketPair()
	if err != nil {
		return nil, err
	}
	defer theirs.Close()

	reader, writer, err := os.Pipe()
	if err != nil {
		ours.Close()

		return nil, fmt.Errorf("cannot start a worker: %w", err)
	}
	defer writer.Close()

	cmd := exec.Command(executable)
	cmd.Args = []string{os.Args[0], workerArgument}
	cmd.ExtraFiles = []*os.File{theirs}

	if agent != nil {
		cmd.ExtraFiles = append(cmd.ExtraFiles, agent)
	}

	// Never the agent's own pipe: the agent keeps all that is written there in memory, and waits for whoever holds it.
	cmd.Stdout, cmd.Stderr = writer, writer
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}

	if err := cmd.Start(); err != nil {
		ours.Close()
		reader.Close()

		return nil, fmt.Errorf("cannot start a worker: %w", err)
	}

	conn := newFrameConn(ours)
	p := &process{
		cmd:    cmd,
		conn:   conn,
		queue:  newFrameQueue(conn),
		silent: make(chan struct{}),
		read:   make(chan struct{}),
		exited: make(chan struct{}),
	}

	go p.takeOutput(reader)
	go p.queue.run(p.exited)

	return p, nil
}

func socketPair() (net.Conn, *os.File, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("cannot connect to a worker: socketpair: %w", err)
	}

	theirs, file := os.NewFile(uintptr(fds[0]), "worker"), os.NewFile(uintptr(fds[1]), "link")
	defer file.Close()

	ours, err := net.FileConn(file)
	if err != nil {
		theirs.Close()

		return nil, nil, fmt.Errorf("cannot connect to a worker: %w", err)
	}

	return ours, theirs, nil
}

func (p *process) takeOutput(r *os.File) {
	defer close(p.silent)
	defer r.Close()

	p.output.drain(r)
}

// wait returns when the worker has ended and all that it sent is taken over, and says how it ended.
func (p *process) wait() string {
	err := p.cmd.Wait()

	close(p.exited)

	select {
	case <-p.read:
	case <-time.After(time.Second):
		// Somebody else holds the worker's end of the socket; its answers are not waited for.
	}

	p.conn.close()
	<-p.read

	select {
	case <-p.silent:
	case <-time.After(lastWordsPatience):
		// A child of the worker lives on and may still print.
	}

	if reason := p.killed.Load(); reason != nil {
		return *reason
	}

	if err == nil {
		return "it ended by itself"
	}

	return err.Error()
}

func (p *process) kill(reason string) {
	p.killed.CompareAndSwap(nil, &reason)
	// An error means that it has ended already.
	_ = p.cmd.Process.Kill()
}

// workerConn returns a worker's connection to the link, or an error if this process was not started by a link.
func workerConn() (net.Conn, error) {
	const mend = "only the plugin starts its worker; run `zabbix-agent2-plugin-hosting help` for what people can start"

	credentials, err := unix.GetsockoptUcred(workerSocketFD, unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil {
		return nil, fmt.Errorf("cannot run as a worker: descriptor %d is no unix socket; %s", workerSocketFD, mend)
	}

	if int(credentials.Pid) != os.Getppid() {
		return nil, fmt.Errorf("cannot run as a worker: descriptor %d is not the parent's; %s", workerSocketFD, mend)
	}

	file := os.NewFile(workerSocketFD, "link")
	defer file.Close()

	conn, err := net.FileConn(file)
	if err != nil {
		return nil, fmt.Errorf("cannot run as a worker: %w; %s", err, mend)
	}

	return conn, nil
}
