package sandbox

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// registers are those of a traced thread in a system call.
type registers struct {
	unix.PtraceRegs
	native bool
}

func readRegisters(thread int) (r registers, err error) {
	size, err := registerSet(unix.PTRACE_GETREGSET, thread, unix.NT_PRSTATUS, unsafe.Pointer(&r.PtraceRegs), unsafe.Sizeof(r.PtraceRegs))
	r.native = size == unsafe.Sizeof(r.PtraceRegs)
	return r, err
}

func (r *registers) write(thread int) error {
	_, err := registerSet(unix.PTRACE_SETREGSET, thread, unix.NT_PRSTATUS, unsafe.Pointer(&r.PtraceRegs), unsafe.Sizeof(r.PtraceRegs))
	return err
}

// registerSet reads or writes registers and returns how many bytes there are: a 32-bit thread has fewer.
func registerSet(request, thread, set int, data unsafe.Pointer, size uintptr) (uintptr, error) {
	vector := unix.Iovec{Base: (*byte)(data), Len: uint64(size)}
	_, _, errno := unix.RawSyscall6(unix.SYS_PTRACE, uintptr(request), uintptr(thread), uintptr(set), uintptr(unsafe.Pointer(&vector)), 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return uintptr(vector.Len), nil
}

func (r *registers) number() uint64 { return r.Regs[8] }

// setNumber changes the call that the thread is about to make. The kernel has read the register already.
func (r *registers) setNumber(thread int, number uint64) error {
	r.Regs[8] = number
	changed := int32(number)
	_, err := registerSet(unix.PTRACE_SETREGSET, thread, unix.NT_ARM_SYSTEM_CALL, unsafe.Pointer(&changed), unsafe.Sizeof(changed))
	return err
}

// entering tells whether the call has not been made yet: the kernel shows it in this register (arch/arm64/kernel/ptrace.c).
func (r *registers) entering() bool { return r.Regs[7] == 0 }

func (r *registers) arguments() [6]uint64 { return [6]uint64(r.Regs[:6]) }

func (r *registers) setArguments(a [6]uint64) { copy(r.Regs[:6], a[:]) }

func (r *registers) result() uint64 { return r.Regs[0] }

func (r *registers) setResult(value uint64) { r.Regs[0] = value }

// scratch is memory below the stack that the function which makes the call does not use.
func (r *registers) scratch() uint64 { return (r.Sp - 512) &^ 15 }

// isNative tells whether the thread is no 32-bit one, whose numbers mean other calls.
func (r *registers) isNative(int) (bool, error) { return r.native, nil }
