// Package fentry tells whether the kernel that runs here runs programs at its functions.
package fentry

import (
	"errors"
	"fmt"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"
)

// PossibleT tells whether root may have programs run at the kernel's functions. Debian's do; one that is made for machines within
// machines may refuse it with EPERM, for all functions.
func PossibleT(tb testing.TB) bool {
	tb.Helper()

	err := runAtFunction()
	if err != nil && !errors.Is(err, unix.EPERM) {
		tb.Fatal(fmt.Errorf("cannot tell whether this kernel runs programs at its functions: %w; run this as root", err))
	}

	return err == nil
}

// runAtFunction has the simplest program there is be run, at a function that every kernel has.
func runAtFunction() error {
	program, err := ebpf.NewProgram(&ebpf.ProgramSpec{
		Type: ebpf.Tracing, AttachType: ebpf.AttachTraceFEntry, AttachTo: "vfs_read", License: "GPL",
		Instructions: asm.Instructions{asm.Mov.Imm(asm.R0, 0), asm.Return()},
	})
	if err != nil {
		return err
	}
	defer func() { _ = program.Close() }()

	attached, err := link.AttachTracing(link.TracingOptions{Program: program})
	if err != nil {
		return fmt.Errorf("attach: %w", err)
	}

	return attached.Close()
}
