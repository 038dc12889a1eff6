// Package leak has processes of their own take memory of the kernel and hold it until the test ends, as a program with a leak does.
package leak

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"zabbix-agent2-plugin-hosting/testenv/child"
)

// Leak is processes of one name.
type Leak struct {
	kind      Kind
	processes []*process
}

type process struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *os.File
	exited <-chan struct{}
}

// StartT starts as many processes of a name as it takes to hold so many objects. They hold nothing before Grow, and end with the test. The name, of 15
// bytes at most, is the one in /proc. Serve must stand in the package's TestMain.
func StartT(tb testing.TB, name string, kind Kind, objects int) *Leak {
	tb.Helper()

	dir, err := memoryDir()
	if err != nil {
		tb.Fatal(err)
	}

	tb.Cleanup(func() { _ = os.RemoveAll(dir) })

	l := &Leak{kind: kind}
	tb.Cleanup(l.end)

	for i := 0; objects > 0; i++ {
		n := min(objects, kind.most())
		objects -= n

		if err := l.start(name, n, filepath.Join(dir, fmt.Sprint(i))); err != nil {
			tb.Fatal(err)
		}
	}

	return l
}

// memoryDir is on a file system that keeps its files in the kernel's memory only.
func memoryDir() (string, error) {
	dir, err := os.MkdirTemp("/dev/shm", "leak")
	if err != nil {
		return "", fmt.Errorf("cannot make a directory in memory: %w; mount a tmpfs at /dev/shm", err)
	}

	return dir, nil
}

func (l *Leak) start(name string, objects int, dir string) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("cannot find the test's own binary: %w; run it from a file that still exists", err)
	}

	// A process is called what the file is called that was executed.
	program := filepath.Join(dir, name)
	if err := errors.Join(os.Mkdir(dir, 0o700), os.Symlink(self, program)); err != nil {
		return fmt.Errorf("cannot give a process its name: %w; free space in %s", err, dir)
	}

	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), kindVariable+"="+string(l.kind), countVariable+"="+fmt.Sprint(objects), dirVariable+"="+dir)
	cmd.SysProcAttr = l.kind.attributes()

	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}

	out, said, err := os.Pipe()
	if err != nil {
		return err
	}
	defer func() { _ = said.Close() }()

	cmd.Stdout = said

	exited, err := child.Start(cmd)
	if err != nil {
		return fmt.Errorf("cannot start a process that leaks %s: %w", l.kind, err)
	}

	l.processes = append(l.processes, &process{cmd: cmd, in: in, out: out, exited: exited})

	return nil
}

// attributes give a process whose queues would outlast it a namespace for them. An ordinary user may have one within a user namespace only.
func (k Kind) attributes() *syscall.SysProcAttr {
	attributes := &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if k != Messages {
		return attributes
	}

	attributes.Cloneflags = syscall.CLONE_NEWIPC

	if uid, gid := os.Geteuid(), os.Getegid(); uid != 0 {
		attributes.Cloneflags |= syscall.CLONE_NEWUSER
		attributes.UidMappings = []syscall.SysProcIDMap{{ContainerID: uid, HostID: uid, Size: 1}}
		attributes.GidMappings = []syscall.SysProcIDMap{{ContainerID: gid, HostID: gid, Size: 1}}
	}

	return attributes
}

// Grow has the processes take all their objects, and returns when they hold them.
func (l *Leak) Grow(tb testing.TB) {
	tb.Helper()

	for _, p := range l.processes {
		if _, err := io.WriteString(p.in, "go\n"); err != nil {
			tb.Fatalf("cannot have process %d leak: %v", p.cmd.Process.Pid, err)
		}
	}

	for _, p := range l.processes {
		if line, err := bufio.NewReader(p.out).ReadString('\n'); strings.TrimSpace(line) != held {
			tb.Fatalf("cannot have process %d leak: %q, %v", p.cmd.Process.Pid, line, err)
		}
	}
}

// PIDs are those of the processes, sorted.
func (l *Leak) PIDs() []int {
	all := make([]int, len(l.processes))
	for i, p := range l.processes {
		all[i] = p.cmd.Process.Pid
	}

	slices.Sort(all)

	return all
}

// end gives everything back.
func (l *Leak) end() {
	for _, p := range l.processes {
		_ = p.in.Close()
	}

	for _, p := range l.processes {
		<-p.exited
		_ = p.out.Close()
	}
}
