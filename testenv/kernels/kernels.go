// Package kernels runs tests in virtual machines with the kernels of Debian's releases. The processor is emulated, so it needs neither rights nor
// hardware, and is ten times as slow.
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
	"testing"
	"time"

	"zabbix-agent2-plugin-hosting/testenv/builddir"
	"zabbix-agent2-plugin-hosting/testenv/program"
)

const (
	memory = "2048"
	// passed is what the machine's first process says last, when its tests have passed.
	passed      = "kernels: the tests passed"
	outputLimit = 16 << 10
	sources     = "./testenv/kernels/cmd/init"
)

// RunT runs tests of the calling package's own binary, by a pattern of their names, with another kernel, beside the package's testdata. It fails where
// they do, and returns what they printed. The binary must be static, as CGO_ENABLED=0 makes it.
func RunT(tb testing.TB, v Version, pattern string, limit time.Duration) string {
	tb.Helper()

	output, err := run(tb.TempDir(), v, pattern, limit)
	if err != nil {
		tb.Fatalf("%v\n%s", err, output)
	}

	return output
}

func run(dir string, v Version, pattern string, limit time.Duration) (output string, err error) {
	image, err := v.image()
	if err != nil {
		return "", err
	}

	qemu, err := emulator()
	if err != nil {
		return "", err
	}

	files := filepath.Join(dir, "files")
	if err := writeFiles(dir, files); err != nil {
		return "", err
	}

	// One thread for all processors: with one each, a kernel that changes its own code while another processor runs it now and then stops with an Oops.
	// On a machine that is busy the kernel would take the emulated timer for a broken one, and stop. What stands behind the two dashes are the first
	// process's arguments.
	boot := fmt.Sprintf("console=ttyS0 quiet panic=-1 no_timer_check -- -test.v -test.timeout=%s -test.run=%s", limit, pattern)
	cmd := qemu.Command("usr/bin/qemu-system-x86_64", "-L", qemu.Path("usr/share/qemu"), "-L", qemu.Path("usr/share/seabios"),
		"-accel", "tcg,thread=single", "-cpu", "max", "-smp", "2", "-m", memory, "-nodefaults", "-no-reboot", "-display", "none", "-serial", "stdio",
		"-kernel", image, "-initrd", files, "-append", boot)
	cmd.Env = append(cmd.Env, "QEMU_MODULE_DIR="+qemu.Path("usr/lib/x86_64-linux-gnu/qemu"))
	console := filepath.Join(dir, "console")

	machine, err := program.Run(cmd, console)
	if err != nil {
		return "", err
	}

	return await(machine, console, limit+time.Minute)
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

	if err = errors.Join(err, readErr); err == nil && !strings.Contains(output, passed) {
		err = errors.New("cannot tell that the tests passed: the machine did not say so; see what it printed")
	}

	return output, err
}

// writeFiles writes the file system that the kernel begins with.
func writeFiles(dir, path string) error {
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

	a := &archive{}
	for _, name := range []string{"dev", "proc", "sys", "tmp", "package"} {
		a.directory(name)
	}

	a.file("init", first)
	a.file("package/test", self)

	if _, err := os.Stat("testdata"); err == nil {
		a.tree("package/testdata", "testdata")
	}

	content, err := a.bytes()
	if err != nil {
		return err
	}

	if err := os.WriteFile(path, content, 0o600); err != nil {
		return fmt.Errorf("cannot write a file system for a kernel: %w; free space in %s", err, dir)
	}

	return nil
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
