package boot

import (
	_ "embed" // for keep.sh
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"

	"zabbix-agent2-plugin-hosting/testenv/child"
	"zabbix-agent2-plugin-hosting/testenv/program"
)

//go:embed keep.sh
var keeperScript string

// container is a running systemd-nspawn with all that runs in it. It dies with this process.
type container struct {
	keeper *exec.Cmd
	exited <-chan struct{}
	groups groups
}

// startContainer starts systemd-nspawn, which is fetched where it is not there yet, for a container without the network, of which the host's own systemd
// does not hear. Its output goes to a file. Where overlay is a directory, it lies in machineRoot, and what is written there is kept in memory until the end.
// The caller must call kill.
func startContainer(output *os.File, overlay string, arguments ...string) (*container, error) {
	if os.Geteuid() != 0 {
		return nil, fmt.Errorf("cannot make a container as user %d; run this as root", os.Geteuid())
	}
	bundle, err := program.Programs("nspawn", "systemd-container")
	if err != nil {
		return nil, err
	}
	command := bundle.Command("usr/bin/systemd-nspawn", append([]string{
		"--register=no", "--keep-unit", "--private-network", "--resolv-conf=off", "--link-journal=no",
	}, arguments...)...)
	c := &container{keeper: exec.Command("/bin/sh", append([]string{"-c", keeperScript, "sh"}, command.Args...)...)}
	if c.groups, err = makeGroups(); err != nil {
		return nil, err
	}
	c.keeper.Env = append(command.Env, "MACHINE_TREE="+overlay, "MACHINE_GROUPS="+strings.Join(c.groups, " "))
	c.keeper.Stdout, c.keeper.Stderr = output, output
	c.keeper.SysProcAttr = &syscall.SysProcAttr{
		// Unlike Cloneflags, Unshareflags keep the mounts from the host.
		Cloneflags: syscall.CLONE_NEWPID, Unshareflags: syscall.CLONE_NEWNS,
		Setpgid: true, Pdeathsig: syscall.SIGKILL,
	}
	if c.exited, err = child.Start(c.keeper); err != nil {
		err = fmt.Errorf("cannot make namespaces for a container: %w; run this as root where the kernel lets root make them", err)
		return nil, errors.Join(err, c.groups.remove())
	}
	return c, nil
}

// kill ends all processes of the container and removes its cgroups. It may be called again.
func (c *container) kill() error {
	// The only error is that the process has ended.
	_ = c.keeper.Process.Kill()
	<-c.exited
	return c.groups.remove()
}

// status is how the container ended.
func (c *container) status() int { return c.keeper.ProcessState.ExitCode() }
