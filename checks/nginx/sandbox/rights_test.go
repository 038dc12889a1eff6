package sandbox

import (
	"context"
	"fmt"
	"os"
	"os/exec" //nolint:depguard // root's programs may have more rights than whoever starts them.
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// tellRights is a hostile module: it tells which capabilities it has, tries to get all, and does the same in another program.
func tellRights() {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		panic(err)
	}
	for line := range strings.Lines(string(status)) {
		if strings.HasPrefix(line, "Cap") && !strings.HasPrefix(line, "CapBnd") {
			fmt.Print(line)
		}
	}
	all := [2]unix.CapUserData{{Effective: ^uint32(0), Permitted: ^uint32(0)}, {Effective: 1<<9 - 1, Permitted: 1<<9 - 1}}
	fmt.Println("takes all:", unix.Capset(&unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}, &all[0]))
	_, err = os.Open("/proc/1/environ")
	fmt.Println("looks into another process:", err)
	_, err = os.Open(option("-c"))
	fmt.Println("reads a key:", err)
	if option("-g") == "" {
		return
	}
	own, err := os.Executable()
	if err != nil {
		panic(err)
	}
	again := exec.Command(own, "-c", option("-c"), "-g", "")
	again.Stdout, again.Stderr = os.Stdout, os.Stderr
	fmt.Println("starts another program:", again.Run())
}

func TestATestHasNoRightsThatItDoesNotNeed(t *testing.T) {
	if os.Geteuid() != 0 {
		whole, readsAll := Rights()
		require.False(t, whole || readsAll)
		return
	}
	own, err := effectiveCapabilities()
	require.NoError(t, err)
	for name, c := range map[string]struct {
		test func(Technique) func(context.Context, Command) (*Result, error)
		kept uint64
	}{
		"here":               {func(technique Technique) func(context.Context, Command) (*Result, error) { return only(technique).Test }, own &^ needless},
		"as the root helper": {asHelper, 1 << unix.CAP_DAC_READ_SEARCH},
	} {
		t.Run(name, func(t *testing.T) {
			both(t, func(t *testing.T, technique Technique) {
				p := newPrefix(t)
				directory("theirs", 0o700)(t, p)
				p.write(t, "theirs/key.pem", "key")
				require.NoError(t, os.Chmod(p.path("theirs/key.pem"), 0o600))
				giveAway(t, p, "theirs/key.pem", "theirs")

				key := p.path("theirs/key.pem")
				result, err := c.test(technique)(context.Background(), fakeCommand("rights", "-c", key, "-g", "again"))
				require.NoError(t, err)
				rights := fmt.Sprintf("CapInh:\t%016x\nCapPrm:\t%016x\nCapEff:\t%016x\nCapAmb:\t%016x\n", 0, c.kept, c.kept, 0) +
					"takes all: operation not permitted\nlooks into another process: open /proc/1/environ: permission denied\nreads a key: <nil>\n"
				require.Equal(t, rights+rights+"starts another program: <nil>\n", string(result.Output))
			})
		})
	}
}
