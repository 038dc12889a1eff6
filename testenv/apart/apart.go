// Package apart runs a test again in a process of its own, where it may use up or change what belongs to a whole process:
// descriptors, environment, network, and which system calls succeed.
package apart

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"zabbix-agent2-plugin-hosting/testenv/child"
)

const (
	// marker is in the environment of the processes that Run starts.
	marker = "HOSTING_TEST_APART"
	limit  = "2m"
)

// Place is where a test is run again.
type Place struct {
	// Env is added to the environment, as NAME=value.
	Env []string
	// Network gives the process a network of its own and all rights in it (user_namespaces(7), network_namespaces(7)). There
	// is nothing in it but a loopback interface that is down. It needs no root, but a kernel that lets users make namespaces.
	Network bool
	// Helper puts the process where the root helper is (AsHelper). It needs root.
	Helper bool
}

// Here tells whether this process is one that Run started, so that the test is to do what it came for.
func Here() bool { return os.Getenv(marker) != "" }

// Run runs the calling test again, alone in a process of its own that dies with this one, and fails where it fails there.
func Run(tb testing.TB, p Place) {
	tb.Helper()

	output, err := run(tb.Name(), p)
	if err != nil {
		tb.Fatalf("%v\n%s", err, output)
	}
}

func run(test string, p Place) (output string, err error) {
	itself, err := Itself()
	if err != nil {
		return "", err
	}
	defer func() { _ = itself.Close() }()

	var printed bytes.Buffer

	cmd := exec.Command(SelfPath, "-test.run="+pattern(test), "-test.v", "-test.count=1", "-test.timeout="+limit)
	cmd.Env = append(append(os.Environ(), marker+"=1"), p.Env...)
	cmd.Stdout, cmd.Stderr = &printed, &printed
	cmd.SysProcAttr = p.attributes()
	cmd.ExtraFiles = []*os.File{itself}

	if err := p.start(cmd); err != nil {
		return "", fmt.Errorf("cannot run %s in a process of its own: %w; let users make namespaces, where it wants a network", test, err)
	}

	output = printed.String()
	if !cmd.ProcessState.Success() {
		return output, fmt.Errorf("cannot pass %s in a process of its own: %s; see what it printed", test, cmd.ProcessState)
	}

	// A pattern that meets no test is no failure of the testing package.
	if !strings.Contains(output, "--- PASS: "+test+" ") {
		return output, fmt.Errorf("cannot tell that %s passed in a process of its own; see what it printed", test)
	}

	return output, nil
}

// pattern meets the test of a name and no other.
func pattern(test string) string {
	parts := strings.Split(test, "/")
	for i, part := range parts {
		parts[i] = "^" + regexp.QuoteMeta(part) + "$"
	}

	return strings.Join(parts, "/")
}

// start starts a command in the place and waits for its end.
func (p Place) start(cmd *exec.Cmd) error {
	if p.Helper {
		cmd.Env = append(cmd.Env, "TMPDIR=/tmp")

		return AsHelper(func() error {
			err := cmd.Start()
			if err == nil {
				// How it ended is asked later.
				_ = cmd.Wait()
			}

			return err
		})
	}

	exited, err := child.Start(cmd)
	if err == nil {
		<-exited
	}

	return err
}

func (p Place) attributes() *syscall.SysProcAttr {
	attributes := &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if p.Network {
		attributes.Cloneflags = syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET
		attributes.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
		attributes.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
	}

	return attributes
}
