package seccomp

import (
	"cmp"
	"slices"

	"golang.org/x/sys/unix"
)

// Filter is what becomes of every system call.
type Filter struct {
	// Arch is the only architecture allowed (AUDIT_ARCH_*): calls of another one have other numbers, and kill the process.
	Arch uint32
	// Highest is the last number that the rules were written for. Above it are newer calls, and those of the x32 ABI: ENOSYS.
	Highest uint32
	// Rules are for the numbers that are not simply allowed.
	Rules []Rule
}

// The offsets in struct seccomp_data (linux/seccomp.h). Little endian: the low half of an argument comes first.
const (
	offsetNumber    = 0
	offsetArch      = 4
	offsetArguments = 16
	argumentSize    = 8
)

// leaf is how many rules are compared one after the other. Fewer rules per leaf only make the program longer.
const leaf = 4

// Assemble makes the program. The rules become a search tree, as every system call passes through it.
func (f Filter) Assemble() []unix.SockFilter {
	rules := slices.Clone(f.Rules)
	slices.SortFunc(rules, func(a, b Rule) int { return cmp.Compare(a.Number, b.Number) })
	newer := either(unix.BPF_JGT, f.Highest, give(Errno(unix.ENOSYS)), search(rules))
	native := append(load(offsetNumber), newer...)
	return append(load(offsetArch), either(unix.BPF_JEQ, f.Arch, native, give(Kill))...)
}

// search is the program of sorted rules. The number stands in the accumulator.
func search(rules []Rule) []unix.SockFilter {
	if len(rules) <= leaf {
		program := give(Allow)
		for _, rule := range slices.Backward(rules) {
			program = either(unix.BPF_JEQ, rule.Number, decide(rule), program)
		}
		return program
	}
	middle := len(rules) / 2
	return either(unix.BPF_JGE, rules[middle].Number, search(rules[middle:]), search(rules[:middle]))
}

// decide is the program of one rule.
func decide(rule Rule) []unix.SockFilter {
	program := give(rule.Action)
	for _, test := range slices.Backward(rule.Tests) {
		program = try(test, program)
	}
	return program
}

func try(test Test, otherwise []unix.SockFilter) []unix.SockFilter {
	program := give(test.Action)
	for _, compare := range slices.Backward(test.All) {
		if compare.Any {
			program = either(unix.BPF_JSET, compare.Mask, program, otherwise)
		} else {
			masked := unix.SockFilter{Code: unix.BPF_ALU | unix.BPF_AND | unix.BPF_K, K: compare.Mask}
			program = append([]unix.SockFilter{masked}, either(unix.BPF_JEQ, compare.Value, program, otherwise)...)
		}
		program = append(load(uint32(offsetArguments+argumentSize*compare.Argument)), program...)
	}
	return program
}

// either runs yes where the comparison of the accumulator holds, else no. Conditional jumps reach 255 instructions only, so a plain one goes to yes.
func either(comparison uint16, value uint32, yes, no []unix.SockFilter) []unix.SockFilter {
	program := []unix.SockFilter{
		{Code: unix.BPF_JMP | comparison | unix.BPF_K, Jt: 0, Jf: 1, K: value},
		{Code: unix.BPF_JMP | unix.BPF_JA, K: uint32(len(no))},
	}
	return slices.Concat(program, no, yes)
}

func give(action Action) []unix.SockFilter {
	return []unix.SockFilter{{Code: unix.BPF_RET | unix.BPF_K, K: uint32(action)}}
}

func load(offset uint32) []unix.SockFilter {
	return []unix.SockFilter{{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: offset}}
}
