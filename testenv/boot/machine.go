package boot

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

const (
	pollInterval = 20 * time.Millisecond
	// startLimit is many times what systemd takes to start, or to stop, all of the tree's services: half a second, and two.
	startLimit  = time.Minute
	stopLimit   = time.Minute
	outputLimit = 4 << 10
	machineName = "hosting"
	machineRoot = "/run/machine/root"
)

// Machine is a booted Debian 12. Its methods may be called from any goroutine, but Reboot, Poweroff and Stop only while no other one runs.
type Machine struct {
	container *container
	console   *os.File
}

// Start boots a machine and returns when all its services have started; a unit that failed is an error. The machine has an empty network of its own
// with a loopback interface, all capabilities of root, and the kernel's real log. What is written in it lasts until Stop, through reboots.
// The machine dies with this process. The caller must call Stop.
func Start() (*Machine, error) {
	tree, err := Install()
	if err != nil {
		return nil, err
	}
	console, err := os.CreateTemp("", "machine")
	if err != nil {
		return nil, fmt.Errorf("cannot make a file for the machine's console: %w; free space in %s", err, os.TempDir())
	}
	m := &Machine{console: console}
	// Without these, nspawn's own limits would pass for those of the units that are under test.
	m.container, err = startContainer(console, tree, "--directory="+machineRoot, "--boot", "--console=pipe", "--machine="+machineName,
		"--capability=all", "--system-call-filter=@known")
	if err != nil {
		return nil, errors.Join(err, m.removeConsole())
	}
	ctx, cancel := context.WithTimeout(context.Background(), startLimit)
	defer cancel()
	state, err := m.awaitBoot(ctx, 0)
	if err == nil && state != "running" {
		failed, _ := m.Run(ctx, Root, "systemctl", "list-units", "--failed", "--plain", "--no-legend")
		err = fmt.Errorf("cannot start all services: the system is %s; mend these units: %s", state, failed.Stdout)
	}
	if err != nil {
		err = fmt.Errorf("cannot boot a machine: %w; its console: %s", err, m.Console())
		return nil, errors.Join(err, m.Stop())
	}
	return m, nil
}

// awaitBoot waits until a systemd other than the process old has started all services, and returns what `systemctl is-system-running` says then.
func (m *Machine) awaitBoot(ctx context.Context, old int) (state string, err error) {
	for {
		if init := m.container.init(); init != 0 && init != old {
			// Until the bus answers, this is an error or a word that is none of these.
			result, _ := m.Run(ctx, Root, "systemctl", "is-system-running")
			if state := strings.TrimSpace(result.Stdout); state == "running" || state == "degraded" {
				return state, m.giveKernelLog(ctx)
			}
		}
		select {
		case <-m.container.exited:
			return "", fmt.Errorf("it ended with status %d", m.container.status())
		case <-ctx.Done():
			return "", fmt.Errorf("its services did not start in time: %w", ctx.Err())
		case <-time.After(pollInterval):
		}
	}
}

// giveKernelLog makes the device of the kernel's log as a host has it; nspawn leaves it out.
func (m *Machine) giveKernelLog(ctx context.Context) error {
	result, err := m.Run(ctx, Root, "mknod", "--mode=644", "/dev/kmsg", "c", "1", "11")
	if err == nil && result.Status != 0 {
		err = fmt.Errorf("mknod says: %s", result.Stderr)
	}
	if err != nil {
		return fmt.Errorf("cannot give it the kernel's log: %w", err)
	}
	return nil
}

// Reboot reboots the machine and returns when all its services have started. It tells whether all of them did.
func (m *Machine) Reboot(ctx context.Context) (allStarted bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, stopLimit+startLimit)
	defer cancel()
	old := m.container.init()
	if _, err := m.Run(ctx, Root, "systemctl", "reboot"); err != nil {
		return false, err
	}
	state, err := m.awaitBoot(ctx, old)
	if err != nil {
		return false, fmt.Errorf("cannot reboot the machine: %w; its console: %s", err, m.Console())
	}
	return state == "running", nil
}

// Poweroff stops all services in order and then the machine. Stop must be called afterwards all the same.
func (m *Machine) Poweroff(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, stopLimit)
	defer cancel()
	if _, err := m.Run(ctx, Root, "systemctl", "poweroff"); err != nil {
		return err
	}
	select {
	case <-m.container.exited:
	case <-ctx.Done():
		return fmt.Errorf("cannot switch the machine off: %w; its console: %s", ctx.Err(), m.Console())
	}
	if status := m.container.status(); status != 0 {
		return fmt.Errorf("cannot switch the machine off in order: it ended with status %d; its console: %s", status, m.Console())
	}
	return nil
}

// Stop ends the machine at once, whatever it does, and leaves nothing of it. It may be called again.
func (m *Machine) Stop() error { return errors.Join(m.container.kill(), m.removeConsole()) }

func (m *Machine) removeConsole() error {
	if err := os.Remove(m.console.Name()); errors.Is(err, os.ErrNotExist) {
		return nil
	} else if err != nil {
		return fmt.Errorf("cannot remove the machine's console: %w; remove %s", err, m.console.Name())
	}
	return m.console.Close()
}

// Console is the end of what the machine wrote on its console.
func (m *Machine) Console() string { return tail(m.console.Name()) }

// tail is the end of a program's output in a file.
func tail(path string) string {
	output, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(string(output[max(0, len(output)-outputLimit):]))
}
