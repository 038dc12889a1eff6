// Package oomkill has the kernel kill a process for its memory, in a memory cgroup that holds nothing else.
package oomkill

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/testenv/child"
)

const (
	// nameVariable makes a test's program one that takes memory until it is killed, by the name that it holds.
	nameVariable = "HOSTING_TEST_OOM_HOG"
	// mostTaken is more than any group may have.
	mostTaken = 256 << 20
)

// Serve does what Kill has started this process for, and never returns then. Each TestMain whose tests call Kill begins with it.
func Serve() {
	name := os.Getenv(nameVariable)
	if name == "" {
		return
	}

	fmt.Println(hog(name))
	os.Exit(1)
}

// hog waits for a byte, so that it can be put in its cgroup first.
func hog(name string) error {
	if err := os.WriteFile("/proc/self/comm", []byte(name), 0); err != nil {
		return err
	}

	if _, err := os.Stdin.Read(make([]byte, 1)); err != nil {
		return err
	}

	memory, err := unix.Mmap(-1, 0, mostTaken, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return err
	}

	for i := 0; i < len(memory); i += os.Getpagesize() {
		memory[i] = 1
	}

	return fmt.Errorf("cannot be killed: %d bytes were there", len(memory))
}

// Kill starts a process in the group, has the kernel kill it, and returns its number when it has ended. Its name has at most 15 bytes.
func (g *Group) Kill(tb testing.TB, name string) (pid int) {
	tb.Helper()

	stdin, release, err := os.Pipe()
	require.NoError(tb, err)

	self, err := os.Executable()
	require.NoError(tb, err)

	cmd := exec.Command(self)
	cmd.Env = []string{nameVariable + "=" + name}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}

	exited, err := child.Start(cmd)
	require.NoError(tb, err)
	require.NoError(tb, stdin.Close())

	if err = os.WriteFile(filepath.Join(g.Dir, "cgroup.procs"), []byte(strconv.Itoa(cmd.Process.Pid)), 0); err == nil {
		_, err = release.Write([]byte{'\n'})
	}

	require.NoError(tb, err)
	require.NoError(tb, release.Close())
	<-exited

	require.Equal(tb, "signal: killed", cmd.ProcessState.String())

	return cmd.Process.Pid
}
