package sandbox

import "golang.org/x/sys/unix"

// registers are those of a traced thread in a system call.
type registers struct{ unix.PtraceRegs }

func readRegisters(thread int) (r registers, err error) {
	return r, unix.PtraceGetRegs(thread, &r.PtraceRegs)
}

func (r *registers) write(thread int) error { return unix.PtraceSetRegs(thread, &r.PtraceRegs) }

func (r *registers) number() uint64 { return r.Orig_rax }

// setNumber changes the call that the thread is about to make.
func (r *registers) setNumber(_ int, number uint64) error {
	r.Orig_rax = number
	return nil
}

// entering tells whether the call has not been made yet: the kernel sets this result before.
func (r *registers) entering() bool { return int64(r.Rax) == -int64(unix.ENOSYS) }

func (r *registers) arguments() [6]uint64 {
	return [6]uint64{r.Rdi, r.Rsi, r.Rdx, r.R10, r.R8, r.R9}
}

func (r *registers) setArguments(a [6]uint64) {
	r.Rdi, r.Rsi, r.Rdx, r.R10, r.R8, r.R9 = a[0], a[1], a[2], a[3], a[4], a[5]
}

func (r *registers) result() uint64 { return r.Rax }

func (r *registers) setResult(value uint64) { r.Rax = value }

// scratch is memory below the stack that the function which makes the call does not use, as it may use 128 bytes there.
func (r *registers) scratch() uint64 { return (r.Rsp - 512) &^ 15 }

// isNative tells whether the call was made by the instruction of this architecture, not by that of the 32-bit one, whose numbers mean other calls.
// A thread that was killed meanwhile has no memory any more.
func (r *registers) isNative(thread int) (bool, error) {
	const (
		code64      = 0x33
		instruction = "\x0f\x05" // syscall
	)
	var made [len(instruction)]byte
	if err := readMemory(thread, r.Rip-uint64(len(instruction)), made[:]); err != nil {
		return false, err
	}
	return r.Cs == code64 && string(made[:]) == instruction, nil
}
