// Package kernelcost tells what programs in the kernel cost.
package kernelcost

import (
	"testing"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/link"
	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/paired"
)

// Idle has the kernel run a program that does nothing at each of these tracepoints: it costs what is the kernel's own part in a program that does
// something there.
func Idle(tb testing.TB, tracepoints ...string) paired.Way {
	tb.Helper()

	return func() (end func()) {
		ends := make([]func() error, 0, 2*len(tracepoints))

		for _, tracepoint := range tracepoints {
			program, err := ebpf.NewProgram(&ebpf.ProgramSpec{
				Name: "idle", Type: ebpf.RawTracepoint, Instructions: asm.Instructions{asm.Mov.Imm(asm.R0, 0), asm.Return()},
			})
			require.NoError(tb, err)

			attached, err := link.AttachRawTracepoint(link.RawTracepointOptions{Name: tracepoint, Program: program})
			require.NoError(tb, err)

			ends = append(ends, attached.Close, program.Close)
		}

		return func() {
			for _, end := range ends {
				require.NoError(tb, end())
			}
		}
	}
}
