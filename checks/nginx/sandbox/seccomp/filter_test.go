package seccomp

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

const (
	testArch    = 0xc000003e
	testHighest = 471
)

// run does what the kernel does with a program (seccomp_check_filter allows no other instructions than these and more).
func run(t *testing.T, program []unix.SockFilter, arch, number uint32, arguments [6]uint64) Action {
	t.Helper()
	data := []uint32{number, arch, 0, 0}
	for _, argument := range arguments {
		data = append(data, uint32(argument), uint32(argument>>32))
	}
	var accumulator uint32
	for at := 0; at < len(program); at++ {
		in := program[at]
		holds := false
		switch in.Code {
		case unix.BPF_LD | unix.BPF_W | unix.BPF_ABS:
			accumulator = data[in.K/4]
			continue
		case unix.BPF_ALU | unix.BPF_AND | unix.BPF_K:
			accumulator &= in.K
			continue
		case unix.BPF_RET | unix.BPF_K:
			return Action(in.K)
		case unix.BPF_JMP | unix.BPF_JA:
			at += int(in.K)
			continue
		case unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K:
			holds = accumulator == in.K
		case unix.BPF_JMP | unix.BPF_JGT | unix.BPF_K:
			holds = accumulator > in.K
		case unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K:
			holds = accumulator >= in.K
		case unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K:
			holds = accumulator&in.K != 0
		default:
			require.FailNow(t, "an unknown instruction")
		}
		if holds {
			at += int(in.Jt)
		} else {
			at += int(in.Jf)
		}
	}
	require.FailNow(t, "the program has no end")
	return 0
}

func TestTheProgramDecidesAsTheRulesDo(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	actions := []Action{Allow, Notify, Zero, Errno(unix.EPERM)}
	values := []uint64{0, 1, 2, 0x40, 0x241, 1 << 32, 1<<32 | 2, ^uint64(0)}
	rules := map[uint32]Rule{}
	for range 150 {
		rule := Rule{Number: random.Uint32N(testHighest + 1), Action: actions[random.IntN(len(actions))]}
		for range random.IntN(4) {
			test := Test{Action: actions[random.IntN(len(actions))]}
			for range 1 + random.IntN(2) {
				argument, value := random.IntN(6), uint32(values[random.IntN(len(values))])
				if random.IntN(2) == 0 {
					test.All = append(test.All, Equals(argument, value))
				} else {
					test.All = append(test.All, Has(argument, value))
				}
			}
			rule.Tests = append(rule.Tests, test)
		}
		rules[rule.Number] = rule
	}
	filter := Filter{Arch: testArch, Highest: testHighest}
	for _, rule := range rules {
		filter.Rules = append(filter.Rules, rule)
	}
	program := filter.Assemble()
	require.Less(t, len(program), 4096, "BPF_MAXINSNS")
	for number := range uint32(testHighest + 1) {
		for range 20 {
			var arguments [6]uint64
			for i := range arguments {
				arguments[i] = values[random.IntN(len(values))]
			}
			want := Allow
			if rule, ok := rules[number]; ok {
				want = rule.Decide(arguments)
			}
			require.Equal(t, want, run(t, program, testArch, number, arguments), "call %d of %v", number, arguments)
		}
	}
}

func TestAnotherArchitectureIsKilledAndNewerCallsAreUnknown(t *testing.T) {
	const x32 = 0x40000000
	program := Filter{Arch: testArch, Highest: testHighest}.Assemble()
	var none [6]uint64
	require.Equal(t, Kill, run(t, program, 0x40000003, 1, none))
	require.Equal(t, Allow, run(t, program, testArch, testHighest, none))
	require.Equal(t, Errno(unix.ENOSYS), run(t, program, testArch, testHighest+1, none))
	require.Equal(t, Errno(unix.ENOSYS), run(t, program, testArch, x32|1, none))
}

func TestAnErrnoIsToldFromOtherActions(t *testing.T) {
	number, is := Errno(unix.EPERM).IsErrno()
	require.Equal(t, unix.EPERM, number)
	require.True(t, is)
	_, is = Zero.IsErrno()
	require.True(t, is)
	for _, action := range []Action{Allow, Notify, Kill} {
		_, is = action.IsErrno()
		require.False(t, is)
	}
}
