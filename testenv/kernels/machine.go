package kernels

import (
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"zabbix-agent2-plugin-hosting/testenv/builddir"
	"zabbix-agent2-plugin-hosting/testenv/program"
)

const (
	memory = "2048"
	// Passed is what the machine says last, when its tests have passed.
	Passed      = "kernels: the tests passed"
	outputLimit = 16 << 10
	sources     = "./testenv/kernels/cmd/init"
)

// machine is an emulated one, which runs this process's own binary and switches itself off.
type machine struct {
	version Version
	// fill adds the file system, without the first process and the kernel's modules.
	fill func(a *archive, test string)
	// arguments are those of the first process.
	arguments string
}

func (m *machine) run(dir string, limit time.Duration) (output string, err error) {
	image, err := m.version.image()
	if err != nil {
		return "", err
	}

	qemu, err := emulator()
	if err != nil {
		return "", err
	}

	files := filepath.Join(dir, "files")
	if err := m.writeFiles(dir, files); err != nil {
		return "", err
	}

	// One thread for all processors: with one each, a kernel that changes its own code while another processor runs it now and then stops with an Oops.
	// On a machine that is busy the kernel would take the emulated timer for a broken one, and stop.
	cmd := qemu.Command("usr/bin/qemu-system-x86_64", "-L", qemu.Path("usr/share/qemu"), "-L", qemu.Path("usr/share/seabios"),
		"-accel", "tcg,thread=single", "-cpu", "max", "-smp", "2", "-m", memory, "-nodefaults", "-no-reboot", "-display", "none", "-serial", "stdio",
		"-kernel", image, "-initrd", files, "-append", "console=ttyS0 quiet panic=-1 no_timer_check -- "+m.arguments)
	cmd.Env = append(cmd.Env, "QEMU_MODULE_DIR="+qemu.Path("usr/lib/x86_64-linux-gnu/qemu"))
	console := filepath.Join(dir, "console")

	machine, err := program.Run(cmd, console)
	if err != nil {
		return "", err
	}

	return await(machine, console, limit)
}

// await waits for the end of a machine, which switches itself off.
func await(machine *program.Process, console string, limit time.Duration) (output string, err error) {
	select {
	case <-machine.Exited():
	case <-time.After(limit):
		err = fmt.Errorf("cannot wait any longer for a machine: it runs still after %s; give it more time", limit)
	}

	err = errors.Join(err, machine.Stop())

	text, readErr := os.ReadFile(console)
	output = strings.ReplaceAll(string(bytes.ToValidUTF8(text, []byte("?"))), "\r", "")
	output = output[max(0, len(output)-outputLimit):]

	if err = errors.Join(err, readErr); err == nil && !strings.Contains(output, Passed) {
		err = errors.New("cannot tell that the tests passed: the machine did not say so; see what it printed")
	}

	return output, err
}

// writeFiles writes the file system that the kernel begins with.
func (m *machine) writeFiles(dir, path string) error {
	first := filepath.Join(dir, "init")
	if err := compile(first); err != nil {
		return err
	}

	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("cannot find the test's own binary: %w; run it from a file that still exists", err)
	}

	if err := requireStatic(self); err != nil {
		return err
	}

	modules, err := m.version.modules()
	if err != nil {
		return err
	}

	return writeArchive(path, func(a *archive) {
		m.fill(a, self)
		a.program("init", first)
		a.directory("modules")

		for i, module := range modules {
			a.program(fmt.Sprintf("modules/%d-%s", i, filepath.Base(module)), module)
		}
	})
}

// requireStatic refuses a program that needs libraries: the machine has none.
func requireStatic(path string) error {
	program, err := elf.Open(path)
	if err != nil {
		return fmt.Errorf("cannot read the test's own binary: %w", err)
	}
	defer func() { _ = program.Close() }()

	for _, part := range program.Progs {
		if part.Type == elf.PT_INTERP {
			return errors.New("cannot run this test in another machine: its binary needs libraries; set CGO_ENABLED=0")
		}
	}

	return nil
}

func compile(path string) error {
	root, err := builddir.Root()
	if err != nil {
		return err
	}

	command := exec.Command("go", "build", "-trimpath", "-o", path, sources)
	command.Dir = root
	command.Env = append(os.Environ(), "CGO_ENABLED=0")

	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("cannot build a machine's first process: go build: %w (%s); mend %s", err, output, sources)
	}

	return nil
}
