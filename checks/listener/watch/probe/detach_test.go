package probe

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

	"zabbix-agent2-plugin-hosting/checks/listener"
	"zabbix-agent2-plugin-hosting/testenv/again"
	"zabbix-agent2-plugin-hosting/testenv/fentry"
)

// inKernel are the numbers of what a process has in the kernel: "prog_id", "map_id" and "link_id".
type inKernel map[string][]int

// heldBy reads /proc/PID/fdinfo.
func heldBy(t *testing.T, pid int) inKernel {
	t.Helper()

	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/fdinfo/*", pid))
	require.NoError(t, err)

	held := make(inKernel)

	for _, file := range files {
		text, err := os.ReadFile(file)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}

		require.NoError(t, err)

		name := ""

		for line := range strings.Lines(string(text)) {
			key, value, _ := strings.Cut(strings.TrimSpace(line), ":\t")
			// A link tells its program as well.
			if key == "link_id" || key == "map_id" || key == "prog_id" && name != "link_id" {
				number, err := strconv.Atoi(value)
				require.NoError(t, err)

				name = key
				held[key] = append(held[key], number)
			}
		}
	}

	return held
}

// left are those of them that the kernel still has.
func (k inKernel) left() (all []string) {
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

// requireAll are five programs, each with a link, and the maps.
func requireAll(t *testing.T, held inKernel) {
	t.Helper()

	maps := 5
	if fentry.PossibleT(t) {
		maps = 4
	}

	require.Len(t, held["link_id"], 5)
	require.Len(t, held["prog_id"], 5)
	require.Len(t, held["map_id"], maps)
	require.Len(t, held.left(), 10+maps)
}

// requireNothing waits for the kernel, which frees what is not needed any more a little later.
func requireNothing(t *testing.T, held inKernel) {
	t.Helper()

	require.Eventually(t, func() bool { return len(held.left()) == 0 }, 10*time.Second, 10*time.Millisecond, "%v", held)
}

// watchAllUDP takes the first means that this kernel has.
func watchAllUDP(p *Probe) error {
	if p.WatchUDP(AtFunctions()) == nil {
		return nil
	}

	return p.WatchUDP(BelowCgroup(listener.UnifiedCgroup("/sys")))
}

func TestCloseLeavesNothingInTheKernel(t *testing.T) {
	p, possible := watched(t, RingSize)
	if !possible {
		return
	}

	require.NoError(t, watchAllUDP(p))
	require.Len(t, heldBy(t, os.Getpid())["link_id"], 2, "nobody is interested in UDP")
	require.NoError(t, p.SetPorts(ports(2000)))

	held := heldBy(t, os.Getpid())
	requireAll(t, held)
	require.NoError(t, p.Close())
	require.Empty(t, heldBy(t, os.Getpid()))
	requireNothing(t, held)
}

// watchVariable has this program watch until it is killed.
const watchVariable = "PROBE_TEST_WATCH"

func watchUntilKilled() {
	p, err := Open(RingSize)
	if err == nil {
		err = watchAllUDP(p)
	}

	if err == nil {
		err = p.SetPorts(ports(2000))
	}

	fmt.Println(err)

	// It ends when its parent does, however that ends.
	_, _ = os.Stdin.Read(make([]byte, 1))
	os.Exit(0)
}

func TestSIGKILLLeavesNothingInTheKernel(t *testing.T) {
	if _, possible := watched(t, RingSize); !possible {
		return
	}

	watching, err := again.Start(watchVariable+"=1", nil)
	require.NoError(t, err)
	t.Cleanup(watching.Kill)

	line, err := watching.Output.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "<nil>\n", line)

	held := heldBy(t, watching.PID)
	requireAll(t, held)
	watching.Kill()
	requireNothing(t, held)
}
