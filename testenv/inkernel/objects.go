// Package inkernel tells which programs, maps and links a process has in the kernel (bpf(2)), so that a test sees that nothing is left of them.
package inkernel

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/again"
)

// Objects are the numbers of what a process has in the kernel: "prog_id", "map_id" and "link_id".
type Objects map[string][]int

// HeldBy reads /proc/PID/fdinfo.
func HeldBy(tb testing.TB, pid int) Objects {
	tb.Helper()

	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/fdinfo/*", pid))
	require.NoError(tb, err)

	held := make(Objects)

	for _, file := range files {
		text, err := os.ReadFile(file)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}

		require.NoError(tb, err)

		name := ""

		for line := range strings.Lines(string(text)) {
			key, value, _ := strings.Cut(strings.TrimSpace(line), ":\t")
			// A link tells its program as well.
			if key == "link_id" || key == "map_id" || key == "prog_id" && name != "link_id" {
				number, err := strconv.Atoi(value)
				require.NoError(tb, err)

				name = key
				held[key] = append(held[key], number)
			}
		}
	}

	return held
}

// Left are those of them that the kernel still has.
func (k Objects) Left() (all []string) {
	open := map[string]func(number int) error{
		"prog_id": func(number int) error {
			p, err := ebpf.NewProgramFromID(ebpf.ProgramID(number))
			return errors.Join(err, p.Close())
		},
		"map_id": func(number int) error {
			m, err := ebpf.NewMapFromID(ebpf.MapID(number))
			return errors.Join(err, m.Close())
		},
		"link_id": func(number int) error {
			l, err := link.NewFromID(link.ID(number))
			if err == nil {
				err = l.Close()
			}

			return err
		},
	}

	for kind, numbers := range k {
		for _, number := range numbers {
			if err := open[kind](number); !errors.Is(err, os.ErrNotExist) {
				all = append(all, fmt.Sprintf("%s %d: %v", kind, number, err))
			}
		}
	}

	return all
}

// RequireNothing waits for the kernel, which frees what is not needed any more a little later.
func RequireNothing(tb testing.TB, held Objects) {
	tb.Helper()

	require.Eventually(tb, func() bool { return len(held.Left()) == 0 }, 10*time.Second, 10*time.Millisecond, "%v", held)
}

// RequireNothingAfterSIGKILL starts this program again with a variable, NAME=value, by which it puts something into the kernel, says whether that failed,
// and waits. It holds what is there against all, kills the program, and wants nothing left.
func RequireNothingAfterSIGKILL(tb testing.TB, variable string, all func(Objects)) {
	tb.Helper()

	watching, err := again.Start(variable, nil)
	require.NoError(tb, err)
	tb.Cleanup(watching.Kill)

	line, err := watching.Output.ReadString('\n')
	require.NoError(tb, err)
	require.Equal(tb, "<nil>\n", line)

	held := HeldBy(tb, watching.PID)
	all(held)
	watching.Kill()
	RequireNothing(tb, held)
}
