// Package seccomp assembles a classic BPF filter out of rules, installs it on a thread, and answers the system calls that it hands over
// (seccomp(2), seccomp_unotify(2)).
package seccomp

import "golang.org/x/sys/unix"

// Action is what the kernel does with a system call: SECCOMP_RET_* and its data.
type Action uint32

// The actions of a rule. Errno makes the others.
const (
	Allow Action = unix.SECCOMP_RET_ALLOW
	// Notify hands the call over to the listener. Where there is none any more it fails with ENOSYS.
	Notify Action = unix.SECCOMP_RET_USER_NOTIF
	// Zero answers 0 without doing anything.
	Zero Action = unix.SECCOMP_RET_ERRNO
	Kill Action = unix.SECCOMP_RET_KILL_PROCESS
)

// Errno fails the call.
func Errno(number unix.Errno) Action {
	return Action(unix.SECCOMP_RET_ERRNO | uint32(number)&unix.SECCOMP_RET_DATA)
}

// IsErrno tells whether the action fails the call, or answers 0, and with what.
func (a Action) IsErrno() (number unix.Errno, is bool) {
	return unix.Errno(a & unix.SECCOMP_RET_DATA), uint32(a)&unix.SECCOMP_RET_ACTION_FULL == unix.SECCOMP_RET_ERRNO
}

// Rule decides about one system call: the first test that holds, else Action.
type Rule struct {
	Number uint32
	Tests  []Test
	Action Action
}

// Test holds where all of its comparisons do.
type Test struct {
	All    []Compare
	Action Action
}

// Compare looks at the low 32 bits of an argument, which is all that the kernel looks at in arguments of type int.
type Compare struct {
	Argument int
	Mask     uint32
	// Value is what the masked argument equals; with Any set it is instead any masked value but 0.
	Value uint32
	Any   bool
}

// Equals holds where the argument has this value.
func Equals(argument int, value uint32) Compare {
	return Compare{Argument: argument, Mask: ^uint32(0), Value: value}
}

// Has holds where the argument has at least one of these bits.
func Has(argument int, bits uint32) Compare {
	return Compare{Argument: argument, Mask: bits, Any: true}
}

// Decide is what the rule does with a call of these arguments.
func (r Rule) Decide(arguments [6]uint64) Action {
	for _, test := range r.Tests {
		if test.holds(arguments) {
			return test.Action
		}
	}
	return r.Action
}

func (t Test) holds(arguments [6]uint64) bool {
	for _, compare := range t.All {
		masked := uint32(arguments[compare.Argument]) & compare.Mask
		if compare.Any && masked == 0 || !compare.Any && masked != compare.Value {
			return false
		}
	}
	return true
}
